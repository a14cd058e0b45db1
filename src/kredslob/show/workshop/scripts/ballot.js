"use strict";
// A sheet on which each participant ranks the saved proposals. It lies behind the page and comes out
// when the page is printed.

(() => {
  const {make, button} = kredslob;
  const SHOWN = ["carries", "fund", "helped", "complex", "payback", "npv"];
  let sheet = null, said = null;

  const build = () => {
    sheet = make("section", {id: "ballot", wordLabel: "workshop.ballot.title"});
    document.body.append(sheet);
    said = make("p", {class: "said", role: "status"});
    document.getElementById("vote").append(
      make("div", {class: "tool"}, make("h3", {word: "workshop.ballot.title"}),
        button("workshop.ballot.make", print), said));
  };

  const print = () => {
    const some = kredslob.state.saved.length > 0;
    said.textContent = some ? "" : kredslob.word("workshop.ballot.none");
    if (some) window.print();
  };

  const fill = () => {
    if (!sheet) return;
    const {state, word} = kredslob;
    const count = state.saved.length;
    document.documentElement.dataset.ballot = count > 0 ? "yes" : "no";
    if (!count) {
      sheet.replaceChildren();
      return;
    }
    sheet.replaceChildren(
      make("h1", {text: word("workshop.ballot.title")}),
      make("p", {class: "who"}, field("workshop.ballot.table"), field("workshop.ballot.voter")),
      make("p", {text: word("workshop.ballot.intro")}),
      ...state.saved.map((one) => entry(one, count)),
      make("p", {class: "foot", text: `${word("workshop.ballot.note")} ${placeOf()}`}),
    );
  };

  const placeOf = () => {
    const places = new Set(kredslob.state.saved.map((one) => one.policy.setting));
    const titled = [...places].map((name) => kredslob.known.settings[name].title[kredslob.language.now]);
    return `${titled.join(" · ")}.`;
  };

  const field = (key) => make("span", {class: "blank", text: `${kredslob.word(key)}:`});

  const entry = (one, count) => {
    const {word} = kredslob;
    const name = kredslob.state.savedName(one);
    const code = kredslob.proposal.code(one.policy, one.name);
    const rows = kredslob.headlines.rows(kredslob.headlines.figures(one.policy));
    const link = kredslob.share.link(code, location);
    return make("article", {},
      make("div", {class: "place"}, make("span", {class: "box"}),
        make("small", {text: word("workshop.ballot.rank", {count})})),
      make("div", {class: "words"},
        make("h2", {text: name}),
        make("dl", {}, ...rows.filter(([key]) => SHOWN.includes(key)).map(([, label, text]) =>
          make("div", {}, make("dt", {text: label}), make("dd", {text})))),
        make("p", {class: "reason", text: `${word("workshop.ballot.reason")}:`}), make("p", {class: "line"})),
      make("div", {class: "tag"},
        kredslob.qr.picture(link || code, word("workshop.share.qr_alt", {code})),
        make("small", {text: code})));
  };

  kredslob.register("ballot", {
    start() {
      build();
      fill();
    },
    saved: fill,
    language() {
      said.textContent = "";
      fill();
    },
  });
})();
