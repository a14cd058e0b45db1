"use strict";
// The answer in words and large numbers, the table of all numbers, the saved proposals, and what
// each picture says for those who do not see it.

kredslob.verdict = (() => {
  const {word, number, money, millions, percent} = kredslob.language;
  const {make} = kredslob.levers;
  const SIGNS = {yes: "\u2713", nearly: "\u2248", no: "\u2715"};
  const QUIET = 400; // ms without a change before it is read aloud
  let later = 0;

  const gainText = ({gain}) => word("workshop.verdict.gain", {amount: word("money.one", {amount: number(gain, 2)})});

  const criticalText = ({critical, sustaining, gain}) => {
    if (critical <= 1) return word(`workshop.verdict.${sustaining ? "enough" : "rate"}`, {rate: percent(critical)});
    return gain > 0.005 ? word("workshop.verdict.no_rate", {times: number(critical, 1)}) : word("workshop.verdict.nothing_back");
  };

  const numbers = (o) => [
    [number(o.helped), word("workshop.number.helped")],
    [number(o.lifted), word("workshop.number.lifted")],
    [Number.isFinite(o.payback) ? word("workshop.number.payback_year", {year: number(o.payback, 1)}) : word("workshop.number.payback_never"), word("workshop.number.payback")],
    [money(o.netPresentValue), word("workshop.number.npv")],
    [percent(o.complexHelp), word("workshop.number.complex")],
    [money(Object.values(o.fundAt).at(-1)), word("workshop.number.fund", {years: number(o.years)})],
  ];

  // The rows of kredslob run, in its words.
  const rows = (o) => [
    ...Object.entries(o.fundAt).map(([year, cash]) => [word("table.fund_at", {year}), millions(cash, 2)]),
    [word("table.helped"), number(o.helped)],
    [word("table.lifted"), number(o.lifted)],
    [word("table.complex"), percent(o.complexHelp)],
    ...Object.entries(o.netSaving).map(([purse, saving]) => [word("table.saving", {purse: word(`purse.${purse}`)}), millions(saving)]),
    [word("table.payback"), Number.isFinite(o.payback) ? number(o.payback, 1) : word("never")],
    [word("table.npv"), millions(o.netPresentValue)],
    [word("table.gain"), number(o.gain, 2)],
    [word("table.critical"), o.critical <= 1 ? percent(o.critical) : word("table.no_rate")],
    [word("table.sustaining"), word(o.verdict)],
  ];

  const set = (id, text) => {
    const element = document.getElementById(id);
    if (element.textContent !== text) element.textContent = text;
  };

  const update = (now) => {
    const {outcomes} = now;
    const card = document.getElementById("verdict");
    card.dataset.answer = outcomes.verdict;
    card.querySelector(".sign").textContent = SIGNS[outcomes.verdict];
    set("answer", word(`workshop.verdict.${outcomes.verdict}`));
    set("gain", gainText(outcomes));
    set("critical", criticalText(outcomes));
    const list = document.getElementById("numbers");
    const wanted = numbers(outcomes);
    if (list.children.length !== wanted.length) {
      list.replaceChildren(...wanted.map(() => make("div", {}, make("dt"), make("dd"))));
    }
    wanted.forEach(([value, name], i) => {
      const [dt, dd] = list.children[i].children;
      if (dt.textContent !== name) dt.textContent = name;
      if (dd.textContent !== value) dd.textContent = value;
    });
    if (document.getElementById("table").offsetParent) table(outcomes);
    clearTimeout(later);
    later = setTimeout(() => aloud(now), QUIET);
  };

  const table = (outcomes) => {
    document.querySelector("#table tbody").replaceChildren(
      ...rows(outcomes).map(([name, value]) => make("tr", {}, make("th", {scope: "row"}, name), make("td", {}, value))));
  };

  // --- for those who listen ---

  const aloud = (now) => {
    set("spoken", word("workshop.verdict.spoken", {
      question: word("workshop.verdict.question"), answer: word(`workshop.verdict.${now.outcomes.verdict}`), gain: gainText(now.outcomes),
    }));
    for (const [name, text] of Object.entries(spoken(now))) set(`${name}-alt`, text);
  };

  const spoken = ({run, outcomes, policy}) => {
    const {yearly, today, MEASURES, cells, difference, signed, STATES} = kredslob.draw;
    const {measure} = kredslob.state;
    const form = (value) => (MEASURES[measure].unit > 1 ? money(value * 1e6) : number(value));
    const line = yearly(run).value, half = Math.round(run.years / 2);
    const asToday = today(policy);
    const years = number(run.years);
    const part = (name, value) => word("workshop.alt.part", {name, amount: money(value)});
    const amounts = kredslob.cycle.amounts(run);
    const sum = kredslob.model.sum;
    const lastYear = (...names) => money(names.reduce((t, n) => t + run.totalAtYear(n, run.years) - run.totalAtYear(n, run.years - 1), 0));
    const cashable = run.at("Cumulated Cashable"), saved = run.at("Cumulated Saved"), unseen = run.at("Cumulated Unclaimed");
    const {Administration, Purse} = kredslob.known.ranges;
    return {
      fund: word("workshop.alt.main", {
        measure: word(`workshop.measure.${measure}`).toLowerCase(), start: form(line[0]), middle: form(line[half]), half: number(half),
        end: form(line.at(-1)), years, today: asToday ? form(yearly(asToday.run).value.at(-1)) : word("none"),
      }),
      who: word("workshop.alt.who", {
        help: percent(outcomes.complexHelp), need: percent(outcomes.complexNeed),
        cells: cells().map(({group, need, i}) => word("workshop.alt.cell", {
          group: word(`element.${group}`), need: word(`element.${need}`), help: percent(outcomes.helpShares[i]), needed: percent(outcomes.needShares[i]),
        })).join(" "),
      }),
      cycle: word("workshop.alt.cycle", {
        years, in: money(amounts.paidIn.reduce((t, [, v]) => t + v, 0)), spent: money(amounts.spent),
        saved: money(sum(amounts.returned) + sum(amounts.kept) + sum(amounts.unseen)), returned: money(sum(amounts.returned)),
        kept: money(sum(amounts.kept)), unseen: money(sum(amounts.unseen)),
      }),
      wellbeing: word("workshop.alt.wellbeing", {
        years, states: STATES.map((state) => word("workshop.alt.state", {
          state: word(`workshop.wellbeing.${state}`), difference: signed(difference(run, run.years)[state], number),
        })).join(", "),
      }),
      administrations: word("workshop.alt.administrations", {years, parts: Administration.map((name, a) => part(word(`element.${name}`), cashable[a])).join(", ")}),
      purses: word("workshop.alt.purses", {years, parts: Purse.map((name, p) => part(word(`element.${name}`), saved[p] + unseen[p])).join(", ")}),
      accounts: word("workshop.alt.accounts", {
        year: years, saving: lastYear("Cumulated Saved", "Cumulated Unclaimed"), running: lastYear("Cumulated Spent"), investment: lastYear("Cumulated Written Off"),
      }),
    };
  };

  // --- saved proposals ---

  const saved = () => {
    document.getElementById("saved").replaceChildren(...kredslob.state.saved.map((kept) => {
      const name = kredslob.state.savedName(kept);
      const recall = make("button", {type: "button", "aria-label": word("workshop.recall", {name})}, sample(kept.slot), name);
      recall.addEventListener("click", () => kredslob.proposal.take({...kept.policy, name: kept.name}));
      const remove = make("button", {type: "button", "aria-label": word("workshop.remove", {name})}, "\u2715");
      remove.addEventListener("click", () => {
        kredslob.state.remove(kept.slot);
        document.getElementById("save").focus();
      });
      return make("li", {}, recall, remove);
    }));
  };

  // The line by which a saved proposal is known in the main picture.
  const sample = (slot) => {
    const color = kredslobLooks.saved[slot], dash = kredslobLooks.dashes[slot].join(" ");
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    for (const [name, value] of Object.entries({viewBox: "0 0 34 10", width: "34", height: "10", "aria-hidden": "true"})) svg.setAttribute(name, value);
    for (const [name, value] of Object.entries({x1: "0", x2: "34", y1: "5", y2: "5", stroke: color, "stroke-width": "3", "stroke-dasharray": dash})) line.setAttribute(name, value);
    svg.append(line);
    return svg;
  };

  const start = () => {
    document.getElementById("save").addEventListener("click", () => {
      if (!kredslob.state.save(kredslob.proposal.name)) kredslob.notice(word("workshop.save_full", {count: number(kredslob.state.MOST_SAVED)}));
    });
  };

  kredslob.register("verdict", {start, update, saved, language: saved});
  return {rows, numbers, gainText, criticalText, sample};
})();
