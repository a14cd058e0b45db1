"use strict";
// Naming and sharing: the proposal's name, its code, QR code and link, and a place to enter a code.

(() => {
  const {make, button} = kredslob;
  const PAUSE = 200;
  const parts = {};

  const build = () => {
    parts.name = make("input", {
      id: "proposal-name", type: "text", autocomplete: "off",
      maxlength: kredslob.share.LONGEST_NAME,
      input: () => {
        kredslob.proposal.call(parts.name.value);
        refreshSoon();
      },
      keydown: (event) => {
        if (event.key === "Enter") save();
      },
    });
    parts.code = make("output", {id: "proposal-code", class: "code"});
    parts.picture = make("div", {class: "qr"});
    parts.link = make("input", {id: "proposal-link", type: "text", readonly: true});
    parts.qrNote = make("p", {class: "note"});
    parts.linkNote = make("p", {class: "note", word: "workshop.share.local_link"});
    parts.said = make("p", {class: "said", role: "status"});
    document.getElementById("share").append(
      make("div", {class: "tool"},
        make("h3", {word: "workshop.share.title"}),
        make("div", {class: "field"},
          make("label", {for: "proposal-name", word: "workshop.share.name"}),
          make("span", {class: "row"}, parts.name, button("workshop.compare.save", save, {class: "strong"}))),
        parts.said,
        make("div", {class: "sharing"},
          parts.picture,
          make("div", {},
            make("p", {class: "label", word: "workshop.share.code"}),
            make("p", {class: "row"}, parts.code, button("workshop.share.copy_code", () => copy(parts.code.value))),
            make("p", {class: "note", word: "workshop.share.code_note"}),
            parts.qrNote)),
        make("div", {class: "field"},
          make("label", {for: "proposal-link", word: "workshop.share.link"}),
          make("span", {class: "row"}, parts.link, button("workshop.share.copy_link", () => copy(parts.link.value)))),
        parts.linkNote),
      entry(),
    );
  };

  const entry = () => {
    parts.entered = make("input", {
      id: "enter-code", type: "text", autocomplete: "off", autocapitalize: "characters",
      spellcheck: "false",
    });
    parts.refused = make("p", {class: "said", role: "alert"});
    return make("form", {class: "tool", submit: enter},
      make("h3", {word: "workshop.share.enter"}),
      make("div", {class: "field"},
        make("label", {for: "enter-code", word: "workshop.share.enter_label"}),
        make("span", {class: "row"}, parts.entered,
          make("button", {type: "submit", class: "strong", word: "workshop.share.enter_button"}))),
      parts.refused);
  };

  const enter = (event) => {
    event.preventDefault();
    parts.refused.classList.remove("wrong");
    try {
      const name = kredslob.proposal.open(parts.entered.value);
      parts.refused.textContent = kredslob.word("workshop.share.opened", {name});
      parts.entered.value = "";
    } catch (problem) {
      parts.refused.textContent = kredslob.proposal.sentence(problem);
      parts.refused.classList.add("wrong");
    }
  };

  const save = () => {
    parts.said.textContent = kredslob.proposal.save();
  };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      parts.said.textContent = kredslob.word("workshop.share.copied");
    } catch {
      parts.said.textContent = kredslob.word("workshop.share.copy_failed");
    }
  };

  const refresh = () => {
    const code = kredslob.proposal.code();
    const link = kredslob.share.link(code, location);
    parts.code.value = code;
    parts.link.value = link || `${location.href.split("#")[0]}#${code}`;
    parts.linkNote.hidden = Boolean(link);
    parts.qrNote.textContent = kredslob.word(link ? "workshop.share.qr_link" : "workshop.share.qr_code");
    const label = kredslob.word("workshop.share.qr_alt", {code});
    parts.picture.replaceChildren(kredslob.qr.picture(link || code, label));
  };
  const refreshSoon = kredslob.settled(refresh, PAUSE);

  kredslob.register("share", {
    start: build,
    update: refreshSoon,
    named() {
      parts.name.value = kredslob.proposal.name;
    },
    language() {
      parts.said.textContent = parts.refused.textContent = "";
      refresh();
    },
  });
})();
