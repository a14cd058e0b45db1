"use strict";
// The proposal on the page: the policy with the name that people give it. Opens codes and files, and
// keeps the saved proposals in the browser, where it lets a page keep anything.

kredslob.proposal = (() => {
  const KEPT = "kredslob.proposals";
  let name = "";
  let keeps = true;

  const shown = () => name || kredslob.word("workshop.share.unnamed");
  const code = (policy = kredslob.state.policy, called = name) =>
    kredslob.share.encode(kredslob.catalog(), {...policy, name: called});

  const call = (wanted) => {
    name = kredslob.share.tidyName(wanted);
  };

  // Takes over a policy with its name; a Refusal says why not, and then nothing changes.
  const take = ({setting, preset, changes, name: called}) => {
    if (!kredslob.state.isPolicy({setting, preset, changes})) throw new kredslob.Refusal("code_other_page");
    call(called ?? "");
    kredslob.state.replace({setting, preset, changes});
    kredslob.tell("named");
  };

  const open = (text) => {
    take(kredslob.share.decode(kredslob.catalog(), kredslob.share.codeIn(text)));
    return shown();
  };

  // The sentence for what a person gave that cannot be used; other errors are ours.
  const sentence = (problem) => {
    if (!(problem instanceof kredslob.Refusal)) throw problem;
    return kredslob.word(`workshop.refused.${problem.key}`, problem.values);
  };

  const save = () => {
    const {state} = kredslob;
    if (!state.save(name)) {
      return kredslob.word("workshop.compare.full", {count: state.MOST_SAVED});
    }
    return kredslob.word("workshop.compare.saved", {name: state.savedName(state.saved.at(-1))});
  };

  // --- what the browser keeps ----------------------------------------------------------------

  const keep = () => {
    const codes = kredslob.state.saved.map((one) => code(one.policy, one.name));
    try {
      localStorage.setItem(KEPT, JSON.stringify(codes));
    } catch {
      keeps = false; // a page from a file may be forbidden to keep anything: the reader is told
    }
  };

  const restore = () => {
    for (const kept of keptCodes()) {
      try {
        const {name: called, ...policy} = kredslob.share.decode(kredslob.catalog(), kept);
        kredslob.state.save(called, policy);
      } catch (problem) {
        if (!(problem instanceof kredslob.Refusal)) throw problem; // kept by another page
      }
    }
  };

  const keptCodes = () => {
    try {
      const codes = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
      return Array.isArray(codes) ? codes.filter((one) => typeof one === "string") : [];
    } catch {
      keeps = false;
      return [];
    }
  };

  const openAddress = () => {
    if (location.hash.length < 2) return;
    try {
      open(location.hash);
    } catch (problem) {
      kredslob.notice(sentence(problem));
    }
  };

  kredslob.register("proposal", {
    start() {
      restore();
      openAddress();
      window.addEventListener("hashchange", openAddress);
    },
    saved: keep,
  });

  return {
    call, code, open, save, sentence, shown, take,
    get name() { return name; },
    get keeps() { return keeps; },
  };
})();
