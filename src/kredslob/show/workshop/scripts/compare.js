"use strict";
// The saved proposals side by side, with the one on the page before them.

(() => {
  const {make} = kredslob;
  const SIGNS = {rename: "\u270E", remove: "\u2715"};
  let table = null, empty = null, keeps = null, said = null;
  let renaming = null; // slot of the proposal whose name is being changed
  let latest = null;

  const build = () => {
    table = make("table", {class: "proposals"});
    empty = make("p", {word: "workshop.compare.empty"});
    keeps = make("p", {class: "note", word: "workshop.compare.not_kept"});
    said = make("p", {class: "said", role: "status"});
    document.getElementById("compare").append(
      make("h3", {word: "workshop.compare.title"}), empty,
      make("div", {class: "scroller", tabindex: "0", wordLabel: "workshop.compare.title"}, table),
      said, keeps,
    );
  };

  const draw = () => {
    if (!table || !latest) return;
    const {state, headlines} = kredslob;
    const columns = [
      {name: kredslob.word("workshop.compare.now"), found: headlines.ofRun(latest.run, latest.outcomes)},
      ...state.saved.map((one) => ({name: state.savedName(one), found: headlines.figures(one.policy), slot: one.slot})),
    ];
    const rows = columns.map((column) => headlines.rows(column.found));
    const head = make("tr", {}, make("td", {text: kredslob.word("workshop.compare.measure")}),
      ...columns.map(heading));
    const body = rows[0].map(([, label], k) =>
      make("tr", {}, make("th", {scope: "row", text: label}), ...rows.map((own, c) => make("td", {text: own[k][2], "data-of": columns[c].name}))));
    const foot = make("tr", {}, make("td"), make("td"), ...state.saved.map((one) => make("td", {"data-of": state.savedName(one)}, acts(one))));
    table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...body), make("tfoot", {}, foot));
    empty.hidden = state.saved.length > 0;
    keeps.hidden = kredslob.proposal.keeps;
  };

  const heading = ({name, slot}) =>
    make("th", {scope: "col"},
      ...(slot === undefined ? [] : [kredslob.verdict.sample(slot)]), name);

  // What can be done with a proposal stands under its column.
  const acts = (one) => {
    const name = kredslob.state.savedName(one);
    const labelled = (word, click) =>
      make("button", {
        type: "button", click, text: SIGNS[word] ?? kredslob.word(`workshop.compare.${word}_short`),
        title: kredslob.word(`workshop.compare.${word}_short`),
        "aria-label": kredslob.word(`workshop.compare.${word}`, {name}), "data-act": `${word}${one.slot}`,
      });
    if (renaming === one.slot) return renamer(one);
    return make("div", {class: "acts"},
      labelled("show", () => kredslob.proposal.take({...one.policy, name: one.name})),
      labelled("rename", () => {
        renaming = one.slot;
        draw();
        table.querySelector("input").select();
      }),
      labelled("remove", () => {
        kredslob.state.remove(one.slot);
        said.textContent = kredslob.word("workshop.compare.removed", {name});
        (table.querySelector("tfoot button") ?? document.getElementById("tab-compare")).focus();
      }));
  };

  const renamer = (one) => {
    const input = make("input", {
      type: "text", value: one.name, maxlength: kredslob.share.LONGEST_NAME,
      wordLabel: "workshop.compare.rename_to",
      keydown: (event) => {
        if (event.key === "Escape") finish(one.slot);
      },
    });
    return make("form", {class: "acts", submit: (event) => {
      event.preventDefault();
      finish(one.slot, kredslob.share.tidyName(input.value));
    }}, input, make("button", {type: "submit", class: "strong", word: "workshop.compare.done"}));
  };

  const finish = (slot, name) => {
    renaming = null;
    if (name === undefined) draw();
    else kredslob.state.rename(slot, name);
    table.querySelector(`[data-act=rename${slot}]`)?.focus();
  };

  kredslob.register("compare", {
    start: build,
    update(result) {
      latest = result;
      if (table.offsetParent && renaming === null) draw();
    },
    saved: draw,
    language() {
      said.textContent = "";
      draw();
    },
  });
})();
