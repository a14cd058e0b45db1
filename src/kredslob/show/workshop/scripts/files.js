"use strict";
// Files out: scenario, numbers and pictures. Files in: a scenario.

kredslob.files = (() => {
  const {make, button, word} = kredslob;
  const LARGEST = 200_000; // bytes of a scenario
  const SEPARATORS = {da: [";", ","], en: [",", "."]};
  const PICTURES = {
    fund: "cycle", who: "cycle", cycle: "cycle", wellbeing: "wellbeing", administrations: "savings",
    purses: "savings", accounts: "accounts", feedback: "loops",
  }; // with the tab that shows each
  const BESIDE = ["fund", "who"]; // not under a tab of their own
  let said = null, chosen = null, input = null;

  const build = () => {
    said = make("p", {class: "said", role: "alert"});
    chosen = make("select", {id: "picture-file"});
    input = make("input", {type: "file", accept: ".toml,text/plain", hidden: true, "aria-hidden": "true", tabindex: "-1", change: opened});
    document.getElementById("exports").append(make("div", {class: "tool"},
      make("h3", {word: "workshop.file.title"}),
      make("p", {class: "row"},
        button("workshop.file.scenario", () => save(`${fileName()}.toml`, scenario(), "text/plain")),
        button("workshop.file.open", () => input.click()), input,
        button("workshop.file.numbers", () => save(`${fileName()}.csv`, `\uFEFF${numbers()}`, "text/csv"))),
      make("p", {class: "note", word: "workshop.file.scenario_note"}),
      make("p", {class: "row"},
        make("label", {for: "picture-file", word: "workshop.file.picture"}), chosen,
        button("workshop.file.svg", () => savePicture("svg")),
        button("workshop.file.png", () => savePicture("png"))),
      said));
    name();
  };

  const name = () => {
    chosen.replaceChildren(...Object.keys(PICTURES).map((one) =>
      make("option", {value: one, text: word(`workshop.file.pictures.${one}`)})));
  };

  const fileName = () => {
    const plain = kredslob.proposal.shown().toLowerCase()
      .replaceAll("æ", "ae").replaceAll("ø", "oe").replaceAll("å", "aa")
      .normalize("NFD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
    return plain || "kredslob";
  };

  const save = (called, content, type) => {
    const blob = content instanceof Blob ? content : new Blob([content], {type: `${type};charset=utf-8`});
    const address = URL.createObjectURL(blob);
    make("a", {href: address, download: called}).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    tell(word("workshop.file.saved", {name: called}));
  };

  const tell = (text, wrong = false) => {
    said.textContent = text;
    said.classList.toggle("wrong", wrong);
  };

  // --- scenario ------------------------------------------------------------------------------

  const scenario = () => {
    const {policy} = kredslob.state;
    const {words} = kredslob.known;
    const both = (text) => Object.fromEntries(["da", "en"].map((one) => [one, text(words[one])]));
    const code = kredslob.proposal.code();
    return kredslob.scenarioFile.written(kredslob.known.facilitation.shelf, kredslob.catalog(), policy, (table) => kredslob.model.points(policy, table), {
      how: word("workshop.file.how", {setting: policy.setting}),
      title: both((own) => kredslob.proposal.name || own["workshop.share.unnamed"]),
      description: both((own) => own["workshop.file.description"].replace("{code}", code)),
    });
  };

  const read = (text) => {
    const base = (setting, preset, lever) =>
      kredslob.state.base(kredslob.state.levers.get(lever.id), {setting, preset});
    const {titles, ...policy} = kredslob.scenarioFile.read(
      kredslob.known.facilitation.shelf, kredslob.catalog(), base, text, kredslob.state.policy.setting,
      smolToml,
    );
    const unnamed = Object.values(kredslob.known.words).map((own) => own["workshop.share.unnamed"]);
    const title = titles[kredslob.language.now];
    kredslob.proposal.take({...policy, name: unnamed.includes(title) ? "" : title});
  };

  const opened = async () => {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    try {
      if (file.size > LARGEST) throw new kredslob.Refusal("file_large");
      read(await file.text());
      tell(word("workshop.share.opened", {name: kredslob.proposal.shown()}));
    } catch (problem) {
      tell(kredslob.proposal.sentence(problem), true);
    }
  };

  // --- numbers -------------------------------------------------------------------------------

  const numbers = () => {
    const {draw, state} = kredslob;
    const now = {name: word("workshop.line.now"), result: draw.attempt(state.policy)};
    const all = [now, ...state.saved.map((one) => ({name: state.savedName(one), result: draw.steady(one.policy)}))];
    const measures = Object.keys(draw.MEASURES);
    const columns = all.flatMap(({name: called, result}) => measures.map((measure) => ({
      head: `${called}: ${word(`workshop.measure.${measure}`)}${draw.MEASURES[measure].unit > 1 ? ` (${word("workshop.file.kroner")})` : ""}`,
      value: draw.yearly(result.run, measure).value.map((one) => one * draw.MEASURES[measure].unit),
    })));
    const years = Array.from({length: now.result.run.years + 1}, (_, year) => year);
    return written([
      [word("workshop.file.year"), ...columns.map((column) => column.head)],
      ...years.map((year) => [year, ...columns.map((column) => column.value[year])]),
    ]);
  };

  const written = (rows) => {
    const [separator, decimal] = SEPARATORS[kredslob.language.now];
    const cell = (value) => {
      if (typeof value === "number") return String(Number(value.toFixed(2))).replace(".", decimal);
      const safe = /^[=+\-@\t]/.test(value) ? `'${value}` : value; // or a spreadsheet computes it
      return `"${safe.replaceAll('"', '""')}"`;
    };
    return rows.map((row) => row.map(cell).join(separator)).join("\r\n") + "\r\n";
  };

  // --- pictures ------------------------------------------------------------------------------

  const savePicture = async (type) => {
    const picture = chosen.value;
    const back = document.querySelector("#more [role=tab][aria-selected=true]")?.id.slice("tab-".length);
    document.documentElement.classList.toggle("posing", BESIDE.includes(picture)); // a picture that nobody sees has no size
    kredslob.tabs.open(PICTURES[picture]);
    await frames(3);
    try {
      const blob = await kredslob.views.get(picture).export(type).to_blob();
      save(`${fileName()}-${picture}.${type}`, blob);
    } catch (problem) {
      console.warn(problem);
      tell(word("workshop.file.picture_failed"), true);
    } finally {
      document.documentElement.classList.remove("posing");
      if (back) kredslob.tabs.open(back);
    }
  };

  const frames = async (count) => {
    for (let k = 0; k < count; k++) await new Promise(requestAnimationFrame);
  };

  kredslob.register("files", {
    start: build,
    language() {
      tell("");
      name();
    },
  });

  return {scenario, read, numbers};
})();
