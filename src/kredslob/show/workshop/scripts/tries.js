"use strict";
// What would move the answer most: each lever of policy by itself at either end of its range, once the
// levers have come to rest. It is a hint for a group that sees the same answer whatever it does.

(() => {
  const {make, word} = kredslob;
  const REST = 600; // ms without a move
  const SHOWN = 3;
  const RULE = "reinvestment rule"; // does what the rate does
  const GROUPS = ["reinvest", "who", "saving", "running"]; // choices; not how sure the numbers are
  const LEAST = 0.005; // kroner back for each krone: less cannot be told apart as it is written
  let place = null, mark = "", run = 0, found = [];

  const trials = (policy) => {
    const {state} = kredslob;
    const levers = kredslob.known.levers.filter((group) => GROUPS.includes(group.name)).flatMap((group) => group.levers);
    return levers
      .filter((lever) => !lever.fold && lever.point === null && lever.name !== RULE)
      .filter((lever) => lever.shownWhen.every(([other, wanted]) => state.value(other, policy) === wanted))
      .flatMap((lever) => [lever.low, lever.high].map((value) => ({lever, value})))
      .filter(({lever, value}) => value !== state.value(lever.name, policy));
  };

  // One trial a turn, so that a move in between is answered at once.
  const search = async () => {
    const own = ++run;
    const {result} = kredslob.draw;
    if (!result) return;
    const tried = [];
    for (const trial of trials(result.policy)) {
      await new Promise((resolve) => setTimeout(resolve));
      if (own !== run) return;
      const changes = {...result.policy.changes, [trial.lever.name]: trial.value};
      const outcome = kredslob.draw.attempt({...result.policy, changes});
      if (outcome) tried.push({...trial, gain: outcome.outcomes.gain});
    }
    const better = tried.filter(({gain}) => gain > result.outcomes.gain + LEAST);
    found = better.sort((a, b) => b.gain - a.gain).slice(0, SHOWN);
    show();
  };
  const searchSoon = kredslob.settled(search, REST);

  const show = () => {
    const {label, written} = kredslob.levers;
    place.hidden = !found.length;
    if (!place.isConnected) document.querySelector("#levers > .first").after(place);
    place.replaceChildren(make("h2", {text: word("workshop.tries.title")}),
      ...found.map(({lever, value, gain}) => {
        const text = word("workshop.tries.one", {lever: label(lever), value: written(lever, value)});
        const effect = word("workshop.tries.gain", {amount: word("money.one", {amount: kredslob.language.number(gain, 2)})});
        return make("button", {type: "button", click: () => kredslob.state.set(lever.name, value)},
          make("span", {text}), make("b", {text: effect}));
      }));
  };

  kredslob.register("tries", {
    start() {
      place = make("div", {id: "tries", role: "group", wordLabel: "workshop.tries.label"});
    },
    update({policy}) {
      const now = JSON.stringify(policy);
      if (now === mark) return;
      mark = now;
      run += 1;
      searchSoon();
    },
    language: show, // the levers are made anew
  });
})();
