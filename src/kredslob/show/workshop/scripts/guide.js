"use strict";
// A tour of eight questions. Each step shows one question, dims what does not belong to it, and says
// in a sentence what the numbers on the page show.

kredslob.guide = (() => {
  const {make, button, word, language} = kredslob;
  const FIRST_YEARS = 5;
  const STEPS = [
    {name: "money", group: "money", pictures: ["picture", "more"], tab: "cycle"},
    {name: "who", group: "who", pictures: ["help", "more"], tab: "wellbeing"},
    {name: "saving", group: "saving", pictures: ["more"], tab: "cycle"},
    {name: "private", group: "private", pictures: ["more", "picture"], tab: "cycle"},
    {name: "reinvest", group: "reinvest", pictures: ["picture", "verdict"], tab: null},
    {name: "doubt", group: "doubt", pictures: ["picture", "verdict"], tab: null},
    {name: "running", group: "running", pictures: ["more"], tab: "accounts"},
    {name: "choose", group: null, pictures: ["more"], tab: "share"},
  ];
  let step = -1; // not on tour
  let latest = null, panel = null;
  const parts = {};

  // --- what do you see? ----------------------------------------------------------------------

  const say = (key, values) => word(`workshop.guide.seen.${key}`, values);
  const {money, percent, number} = language;
  const krone = (gain) => word("money.one", {amount: number(gain, 2)});

  const SEEN = {
    money({paidIn}) {
      const total = kredslob.model.sum(paidIn);
      if (!(total > 0)) return say("money_none");
      const most = paidIn.indexOf(Math.max(...paidIn));
      const source = word(`element.${kredslob.known.ranges.Capital[most]}`).toLowerCase();
      const share = paidIn[most] / total;
      const values = {amount: money(total), source, share: percent(share)};
      return say(share > 0.995 ? "money_one" : "money_many", values);
    },
    who({complexHelp, complexNeed}) {
      if (!Number.isFinite(complexHelp)) return say("who_nobody");
      const values = {help: percent(complexHelp), need: percent(complexNeed)};
      const gap = complexHelp - complexNeed;
      return say(gap < -0.02 ? "who_less" : gap > 0.02 ? "who_more" : "who_even", values);
    },
    saving({returned, kept, unseen}) {
      const saved = returned + kept + unseen;
      if (!(saved > 0)) return say("saving_none");
      const values = {saved: money(saved), returned: money(returned), kept: money(kept), unseen: money(unseen)};
      if (returned > saved / 2) return say("saving_most_back", values);
      return say(unseen > saved / 2 ? "saving_unseen" : "saving_most_kept", values);
    },
    private({investorsIn, investorsOut}) {
      if (!(investorsIn > 0)) return say("private_none");
      const gain = investorsOut - investorsIn;
      const values = {in: money(investorsIn), out: money(investorsOut), gain: money(gain)};
      return say(gain >= 0 ? "private_gain" : "private_loss", values);
    },
    reinvest({sustaining, gain, critical}) {
      const first = say(sustaining ? "reinvest_yes" : "reinvest_no", {gain: krone(gain)});
      if (sustaining) return first;
      const second = critical <= 1 ? say("reinvest_rate", {rate: percent(critical)}) : say("reinvest_never");
      return `${first} ${second}`;
    },
    doubt() {
      const share = kredslob.uncertainty.carrying;
      if (share === null) return say("doubt_wait");
      const key = share >= 0.7 ? "doubt_most" : share >= 0.3 ? "doubt_some" : share > 0 ? "doubt_few" : "doubt_none";
      return say(key, {share: percent(share)});
    },
    running(found, run) {
      const years = Math.min(FIRST_YEARS, run.years);
      return say("running_same", {
        years,
        running: money(run.totalAtYear("Cumulated Spent", years)),
        investment: money(run.totalAtYear("Cumulated Written Off", years)),
      });
    },
    choose({helped, sustaining}) {
      return say(sustaining ? "choose_yes" : "choose_no", {helped: number(helped)});
    },
  };

  const seen = (name, {run, outcomes}) => SEEN[name](kredslob.headlines.ofRun(run, outcomes), run);

  // --- the panel -----------------------------------------------------------------------------

  const build = () => {
    parts.start = button("workshop.guide.start", () => go(0), {id: "guide-start", class: "strong"});
    parts.count = make("p", {class: "count"});
    parts.question = make("h2", {id: "guide-question", tabindex: "-1"});
    parts.prompt = make("p", {class: "prompt"});
    parts.seen = make("p", {class: "seen"});
    parts.levers = make("p", {class: "note"});
    parts.back = button("workshop.guide.back", () => go(step - 1));
    parts.next = button("workshop.guide.next", () => go(step + 1), {class: "strong"});
    parts.stop = button("workshop.guide.stop", () => go(-1));
    panel = make("section", {id: "tour", "aria-labelledby": "guide-question", hidden: true},
      make("div", {class: "ask"}, parts.count, parts.question, parts.prompt, parts.levers),
      make("div", {class: "look"}, make("h3", {word: "workshop.guide.see"}), parts.seen),
      make("div", {class: "row"}, parts.back, parts.next, parts.stop),
      make("p", {class: "unseen", word: "workshop.guide.keys"}));
    document.getElementById("guide").prepend(parts.start, panel);
    document.addEventListener("keydown", turn);
  };

  const turn = (event) => {
    if (step < 0 || !event.altKey || event.ctrlKey || event.metaKey) return;
    const move = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!move) return;
    event.preventDefault(); // else the browser leaves the page
    if (step + move >= 0 && step + move < STEPS.length) go(step + move);
  };

  const go = (wanted) => {
    const before = step;
    step = wanted >= STEPS.length ? -1 : wanted;
    const on = step >= 0;
    panel.hidden = !on;
    parts.start.hidden = on;
    light();
    if (!on) {
      if (before >= 0) {
        kredslob.tabs.open("cycle"); // beside which all pictures are
        parts.start.focus();
      }
      return;
    }
    fill();
    if (STEPS[step].tab) document.getElementById(`tab-${STEPS[step].tab}`)?.click();
    parts.question.focus({preventScroll: true});
    panel.scrollIntoView({block: "start"});
  };

  const fill = () => {
    if (step < 0) return;
    const {name, group} = STEPS[step];
    parts.count.textContent = word("workshop.guide.step", {number: step + 1, count: STEPS.length});
    parts.question.textContent = word(`workshop.guide.question.${name}`);
    parts.prompt.textContent = word(`workshop.guide.prompt.${name}`);
    parts.levers.textContent = group
      ? word("workshop.guide.levers", {group: word(`workshop.group.${group}`)}) : "";
    parts.back.disabled = step === 0;
    parts.next.textContent = word(step === STEPS.length - 1 ? "workshop.guide.finish" : "workshop.guide.next");
    look();
  };

  const look = () => {
    if (step >= 0 && latest) parts.seen.textContent = seen(STEPS[step].name, latest);
  };

  // Only what belongs to the question is there; the levers of other questions are folded.
  const light = () => {
    const here = STEPS[step];
    document.documentElement.dataset.tour = here?.name ?? "";
    for (const part of document.querySelectorAll("main section:not(#levers)")) {
      part.classList.toggle("aside", Boolean(here) && !here.pictures.includes(part.id));
    }
    for (const group of document.querySelectorAll("#levers > .first, #levers > details")) {
      const name = group.dataset.group ?? kredslob.known.levers[0].name;
      const own = Boolean(here) && name === here.group;
      group.classList.toggle("aside", Boolean(here) && !own && here.group !== null);
      if (here && group.matches("details")) group.open = own;
    }
  };

  kredslob.register("guide", {
    start: build,
    update(result) {
      latest = result;
      look();
    },
    uncertain: look,
    language() {
      fill();
      light();
    },
  });

  return {STEPS, go, seen};
})();
