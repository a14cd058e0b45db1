"use strict";
// Runs the model when something has changed, once a frame, and fills the pictures that can be seen.

kredslob.draw = (() => {
  const {want} = kredslob.model;
  const {font: FONT, ink: INK, muted: MUTED, now: NOW, today: TODAY, saved: SAVED, dashes: DASHES} = kredslobLooks;
  const MODERATE = "#6FA8DC";
  const LINE_GAP = 1.2; // letters between labels at the ends of lines
  const ENOUGH_ROOM = 1.12;

  want(
    "Thriving", "Strained", "Crisis", "Newly Stable", "in intervention", "Counterfactual Thriving",
    "Counterfactual Strained", "Counterfactual Crisis", "Cumulated Cashable", "Cumulated Written Off",
    "Capitalised Investments", "Identified Savings In Pipeline", "Unclaimed Savings In Pipeline",
  );

  const MEASURES = {
    fund: {variable: "total cash", unit: 1e6},
    helped: {variable: "Cumulated Completions", unit: 1},
    returned: {variable: "Cumulated Returned To Fund", unit: 1e6},
  };

  let result = null;
  let waiting = 0, again = false, stale = false;
  const kept = new Map(); // runs of policies that do not move: today's and the saved ones

  const compute = () => { stale = true; redraw(); };

  // At once, so that the pictures come with the next frame; but only once a frame.
  const redraw = () => {
    if (waiting) { again = true; return; }
    waiting = requestAnimationFrame(() => {
      waiting = 0;
      if (again) redraw();
    });
    again = false;
    queueMicrotask(frame);
  };

  const frame = () => {
    if (stale) {
      stale = false;
      const found = attempt(kredslob.state.policy);
      if (!found) {
        kredslob.notice(kredslob.word("workshop.broken"));
        return;
      }
      result = found;
    }
    if (!result) return;
    kredslob.tell("update", result);
  };

  // A run with what it comes to; null where the model gives no number.
  const attempt = (policy) => {
    try {
      const run = kredslob.model.run(policy);
      return run.finite() ? {policy, run, outcomes: kredslob.outcomes(run)} : null;
    } catch (problem) {
      console.warn(problem);
      return null;
    }
  };

  const steady = (policy) => {
    const key = JSON.stringify(policy);
    if (!kept.has(key)) {
      if (kept.size > 20) kept.clear();
      kept.set(key, attempt(policy));
    }
    return kept.get(key);
  };

  const today = (policy) => steady({setting: policy.setting, preset: "", changes: {}});

  const yearly = (run, measure = kredslob.state.measure) => {
    const {variable, unit} = MEASURES[measure];
    const time = Array.from({length: run.years + 1}, (_, year) => year);
    return {time, value: time.map((year) => run.totalAtYear(variable, year) / unit)};
  };

  // --- painting ---

  const fill = (name, data) => { kredslob.find(name).data = data; };
  const setRange = (range, start, end) => {
    if (range.start !== start || range.end !== end) range.setv({start, end});
  };
  const inner = (name) => {
    const view = kredslob.views.get(name);
    return {width: Math.max(view?.frame?.bbox.width ?? 600, 50), height: Math.max(view?.frame?.bbox.height ?? 300, 50)};
  };
  const visible = (name) => Boolean(kredslob.views.get(name)?.el.offsetParent);

  // Labels at the ends of lines, moved apart; and the room that they need to the right.
  const endLabels = (name, lines, years, low, high) => {
    const {width, height} = inner(name);
    const gap = ((LINE_GAP * letterSize()) / height) * (high - low);
    const sorted = lines.filter((line) => line.value.length).map((line) => ({...line, y: line.value.at(-1)}));
    sorted.sort((a, b) => a.y - b.y);
    const least = low + gap / 2;
    sorted.forEach((line, i) => {
      line.y = Math.max(line.y, i ? sorted[i - 1].y + gap : least);
    });
    let ceiling = high - gap / 2;
    for (const line of sorted.toReversed()) {
      line.y = Math.min(line.y, ceiling);
      ceiling = line.y - gap;
    }
    const longest = Math.max(0, ...sorted.map((line) => textWidth(line.text)));
    const room = Math.min(0.6, (longest + 16) / width);
    setRange(kredslob.find(name).x_range, 0, years / (1 - room));
    fill(`${name}.labels`, {
      x: sorted.map(() => years), y: sorted.map((line) => line.y),
      text: sorted.map((line) => line.text), color: sorted.map((line) => line.color),
    });
  };

  const pen = document.createElement("canvas").getContext("2d");
  const textWidth = (text, size = letterSize()) => {
    pen.font = `bold ${size}px ${FONT}`;
    return Math.max(...text.split("\n").map((line) => pen.measureText(line).width));
  };

  // Letters in pictures follow those of the page, which follow the screen.
  const LETTERS = {cycle: 0.88, who: 0.82, administrations: 0.88, purses: 0.88};
  let rem = 16;
  const letterSize = (name = "") => Math.round((LETTERS[name] ?? 0.95) * rem);
  const setLetters = () => {
    rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    for (const name of kredslob.views.keys()) {
      const plot = kredslob.find(name), size = `${letterSize(name)}px`;
      for (const renderer of plot.renderers) if (renderer.glyph?.type === "Text") renderer.glyph.text_font_size = {value: size};
      for (const side of ["below", "left"]) for (const axis of plot[side]) axis.major_label_text_font_size = size;
    }
  };

  // A steady top for an axis: it moves in steps, so that the picture does not breathe.
  const top = (most) => {
    if (!(most > 0)) return 1;
    const unit = 10 ** Math.floor(Math.log10(most * ENOUGH_ROOM));
    return unit * [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * unit >= most * ENOUGH_ROOM);
  };

  const fund = (now) => {
    const {word, number} = kredslob.language;
    const {measure, saved} = kredslob.state;
    const digits = MEASURES[measure].unit > 1 ? 1 : 0;
    const lines = [];
    const add = (source, found, name, color) => {
      const series = found ? yearly(found.run) : {time: [], value: []};
      fill(source, series);
      if (found) lines.push({...series, text: `${fitting(name)} ${number(series.value.at(-1), digits)}`, color});
      return series;
    };
    const widest = 0.4 * inner("fund").width;
    const fitting = (name) => {
      let part = name;
      while (part.length > 4 && textWidth(part) > widest) part = part.slice(0, -1);
      return part === name ? name : `${part.trimEnd()}…`;
    };
    const asToday = today(now.policy);
    const same = JSON.stringify(asToday?.policy) === JSON.stringify(now.policy);
    add("fund.today", same ? null : asToday, word("workshop.line.today"), TODAY);
    for (const slot of [0, 1, 2, 3]) {
      const one = saved.find((proposal) => proposal.slot === slot);
      add(`fund.saved${slot}`, one ? steady(one.policy) : null, one ? kredslob.state.savedName(one) : "", SAVED[slot]);
    }
    const series = add("fund.now", now, word("workshop.line.now"), NOW);
    const band = kredslob.find("fund.band").data;
    const high = top(Math.max(...lines.flatMap((line) => line.value), ...Array.from(band.high ?? [])));
    const low = Math.min(0, ...lines.flatMap((line) => line.value), ...Array.from(band.low ?? []));
    setRange(kredslob.find("fund").y_range, low, high);
    endLabels("fund", lines, now.run.years, low, high);
    return {series, asToday};
  };

  const cells = () => {
    const {Group, Need} = kredslob.known.ranges;
    return Group.flatMap((group, g) => Need.map((need, n) => ({group, need, i: g * Need.length + n, g, n})));
  };

  const who = ({outcomes}) => {
    const {percent, word} = kredslob.language;
    const {Group, Need} = kredslob.known.ranges;
    const all = cells();
    // from the top down: a line for the name of the group, then one for each need
    const row = ({g, n}) => -(g * (Need.length + 1.55) + 1.15 + 0.9 * n);
    const help = outcomes.helpShares.map((share) => (Number.isFinite(share) ? 100 * share : 0));
    const need = outcomes.needShares.map((share) => (Number.isFinite(share) ? 100 * share : 0));
    const most = top(Math.max(...help, ...need));
    fill("who.help", {
      y: all.map(row), value: all.map(({i}) => help[i]),
      color: all.map(({need: of}) => (of === "complex" ? NOW : MODERATE)),
    });
    fill("who.need", {
      y: all.map(row), value: all.map(({i}) => need[i]),
      top: all.map((cell) => row(cell) + 0.46), bottom: all.map((cell) => row(cell) - 0.46),
    });
    const beside = (most * 1.12 * 6) / inner("who").width; // clear of the mark
    const names = Group.map((group, g) => ({x: 0, y: row({g, n: 0}) + 1.1, text: word(`element.${group}`), color: INK, align: "left", style: "normal"}));
    // where lines are too close for a number at each bar, both stand beside the group's name
    const tight = inner("who").height / (Group.length * (Need.length + 1.55)) < letterSize("who");
    const both = (g) => all.filter((cell) => cell.g === g).map(({i}) => percent(help[i] / 100)).join(" · ");
    const values = tight ? Group.map((_, g) => ({
      x: most * 1.1, y: row({g, n: 0}) + 1.1, text: both(g), color: MUTED, align: "right", style: "bold",
    })) : all.map((cell) => ({
      x: Math.max(help[cell.i], need[cell.i]) + beside, y: row(cell),
      text: percent(help[cell.i] / 100), color: MUTED, align: "left", style: "bold",
    }));
    fill("who.labels", columns([...names, ...values]));
    setRange(kredslob.find("who").x_range, 0, most * 1.12);
    setRange(kredslob.find("who").y_range, row({g: Group.length - 1, n: Need.length - 1}) - 0.5, 0.75);
  };

  const columns = (rows) =>
    Object.fromEntries(["x", "y", "text", "color", "align", "style"].map((key) => [key, rows.map((r) => r[key])]));

  const STATES = ["thriving", "stable", "helped", "strained", "crisis"];
  const STATE_COLOURS = [NOW, SAVED[1], TODAY, SAVED[3], SAVED[0]];
  const difference = (run, year) => {
    const of = (name) => run.totalAtYear(name, year);
    return {
      thriving: of("Thriving") - of("Counterfactual Thriving"), stable: of("Newly Stable"),
      helped: of("in intervention"), strained: of("Strained") - of("Counterfactual Strained"),
      crisis: of("Crisis") - of("Counterfactual Crisis"),
    };
  };

  const wellbeing = ({run}) => {
    const {number, word} = kredslob.language;
    const time = Array.from({length: run.years + 1}, (_, year) => year);
    const found = time.map((year) => difference(run, year));
    const lines = STATES.map((state, i) => {
      const value = found.map((one) => one[state]);
      fill(`wellbeing.state${i}`, {time, value});
      return {value, text: `${word(`workshop.wellbeing.${state}`)} ${signed(value.at(-1), number)}`, color: STATE_COLOURS[i]};
    });
    overAndUnder("wellbeing", lines, run.years);
  };

  const signed = (value, form) => (value > 0 && /[1-9]/.test(form(value)) ? `+${form(value)}` : form(value));

  const overAndUnder = (name, lines, years) => {
    const all = lines.flatMap((line) => line.value);
    const high = top(Math.max(...all)), under = Math.min(0, ...all);
    const low = under < 0 ? -top(-under) : 0;
    setRange(kredslob.find(name).y_range, low, high);
    endLabels(name, lines, years, low, high);
  };

  const accounts = ({run}) => {
    const {number, word, money} = kredslob.language;
    const time = Array.from({length: run.years}, (_, year) => year + 1);
    const yearlyOf = (...names) =>
      time.map((year) => names.reduce((t, n) => t + run.totalAtYear(n, year) - run.totalAtYear(n, year - 1), 0) / 1e6);
    const lines = [
      ["saving", yearlyOf("Cumulated Saved", "Cumulated Unclaimed"), SAVED[1]],
      ["running", yearlyOf("Cumulated Spent"), SAVED[0]],
      ["investment", yearlyOf("Cumulated Written Off"), NOW],
    ].map(([part, value, color]) => {
      fill(`accounts.${part}`, {time, value});
      return {part, value, color, text: `${word(`workshop.accounts.${part}`)} ${number(value.at(-1), 1)}`};
    });
    overAndUnder("accounts", lines, run.years);
    document.getElementById("accounts-note").textContent = word("workshop.accounts.left", {
      years: number(run.years), amount: money(run.total("Capitalised Investments")),
    });
  };

  const PARTS = [["returned", NOW], ["kept", "#3E9E7E"], ["unseen", "#B9C0C6"]];
  const purses = ({run}) => {
    const of = {returned: run.at("Cumulated Returned To Fund"), kept: run.at("Cumulated Kept"), unseen: run.at("Cumulated Unclaimed")};
    lying("purses", kredslob.known.ranges.Purse, (p) => PARTS.map(([part, color]) => [of[part][p] / 1e6, color]));
  };
  const administrations = ({run}) => {
    const saved = run.at("Cumulated Cashable");
    lying("administrations", kredslob.known.ranges.Administration, (a) => [[saved[a] / 1e6, NOW]]);
  };

  const lying = (name, elements, partsOf) => {
    const {number, word} = kredslob.language;
    const bars = {y: [], left: [], right: [], color: []}, labels = [];
    let most = 0, least = 0;
    elements.forEach((element, e) => {
      const y = -(e * 1.2 + 0.6);
      let over = 0, under = 0;
      for (const [value, color] of partsOf(e)) {
        const from = value < 0 ? under : over;
        bars.y.push(y); bars.left.push(from); bars.right.push(from + value); bars.color.push(color);
        if (value < 0) under += value; else over += value;
      }
      most = Math.max(most, over);
      least = Math.min(least, under);
      labels.push({x: 0, y: y + 0.42, text: word(`element.${element}`), color: INK, align: "left", style: "normal"});
      labels.push({x: over, y, text: `  ${number(over + under, 1)}`, color: MUTED, align: "left", style: "bold"});
    });
    fill(`${name}.bars`, bars);
    fill(`${name}.labels`, columns(labels));
    setRange(kredslob.find(name).x_range, least < 0 ? -top(-least) : 0, top(most * 1.08));
    setRange(kredslob.find(name).y_range, -(elements.length * 1.2 - 0.1), 0.15);
  };

  const titles = ({run}) => {
    const {word, number} = kredslob.language;
    document.getElementById("picture-title").textContent = word(`workshop.measure.${kredslob.state.measure}_title`);
    document.getElementById("cycle-title").textContent = word("workshop.cycle.title", {years: number(run.years)});
    for (const name of ["wellbeing", "accounts"]) {
      document.getElementById(`${name}-title`).textContent = word(`workshop.${name}.title`);
    }
  };

  const PICTURES = {fund, who, wellbeing, accounts, purses, administrations};
  const update = (now) => {
    titles(now);
    for (const [name, paint] of Object.entries(PICTURES)) if (visible(name)) paint(now);
  };

  // Pictures are drawn for the room that they have; a new room is a new drawing.
  const start = () => {
    setLetters();
    const watch = new ResizeObserver(() => { setLetters(); redraw(); });
    for (const chart of document.querySelectorAll(".chart")) watch.observe(chart);
    for (const button of document.querySelectorAll("[data-measure]")) {
      button.addEventListener("click", () => kredslob.state.show(button.dataset.measure));
    }
  };

  const axesAnew = () => {
    for (const [name, view] of kredslob.views) {
      for (const side of ["below", "left"]) for (const axis of view.model[side]) axis.change.emit();
    }
  };

  kredslob.register("draw", {start, update, language: axesAnew});
  kredslob.register("measures", {
    update: () => {
      for (const button of document.querySelectorAll("[data-measure]")) {
        button.setAttribute("aria-pressed", String(button.dataset.measure === kredslob.state.measure));
      }
    },
  });

  return {
    compute, redraw, attempt, steady, today, yearly, fill, setRange, inner, visible, cells, columns,
    difference, signed, textWidth, letterSize, MEASURES, STATES, PARTS, INK, MUTED, NOW, TODAY,
    get result() { return result; },
  };
})();

kredslob.compute = kredslob.draw.compute;
kredslob.redraw = kredslob.draw.redraw;
