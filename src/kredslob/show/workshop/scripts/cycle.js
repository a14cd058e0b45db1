"use strict";
// The money's way round: who pays in, the fund, the citizens, what is saved and where, who keeps
// it, and what goes back. Heights are amounts; drawn in pixels, so that bends stay round.

kredslob.cycle = (() => {
  const {fill, setRange, inner, visible, columns, letterSize, textWidth, INK, NOW} = kredslob.draw;
  const COLOURS = {
    in: "#8E6BA8", fund: NOW, people: "#C8741B", saved: "#3E9E7E", kept: "#3E9E7E", unseen: "#B9C0C6",
    returned: NOW, lost: "#8A949C",
  };
  const NARROW = 560, NODE = 12, BEND = 14, FLOOR = 4; // pixels
  const MOST_BOW = 40; // pixels: how far a thick band bulges out
  const SMALL = 0.01; // of the largest amount: not worth a node

  kredslob.model.want("Cumulated Overhead Spending", "Cumulated Evaluation Spending");

  const amounts = (run) => {
    const {Capital, Administration, Purse} = kredslob.known.ranges;
    const above = (value) => Math.max(0, value);
    const cashed = run.at("Cumulated Cashable").map(
      (saved, a) => saved - run.at("Identified Savings In Pipeline")[a] - run.at("Unclaimed Savings In Pipeline")[a],
    );
    const share = run.at("purse share");
    const byPurse = (name) => Array.from(run.at(name), above);
    return {
      paidIn: Capital.map((name, c) => [name, above(run.at("Cumulated Paid In")[c])]).filter(([, v]) => v > 0),
      spent: above(run.total("Cumulated Spent")),
      investors: above(run.total("Cumulated Paid To Investors")),
      left: above(run.total("total cash")),
      administrations: Administration.map((name, a) => [name, above(cashed[a])]),
      between: Administration.map((_, a) => Purse.map((_, p) => above(cashed[a]) * share[a * Purse.length + p])),
      purses: Purse,
      returned: byPurse("Cumulated Returned To Fund"),
      kept: byPurse("Cumulated Kept"),
      unseen: byPurse("Cumulated Unclaimed"),
      below: cashed.some((saved) => saved < 0),
    };
  };

  // A column of nodes: [{key, text, value, color}], stacked from the top.
  const stack = (nodes, x, high, scale, gap) => {
    let y = high;
    for (const node of nodes) {
      node.x = x;
      node.top = y;
      node.bottom = y - node.value * scale;
      node.out = node.in = y;
      y = node.bottom - gap;
    }
    return nodes;
  };

  const ribbon = (bands, from, to, value, scale, color) => {
    const height = value * scale;
    if (!(height > 0.3)) return;
    const [x0, x1] = [from.x + NODE, to.x];
    const [a, b] = [from.out, to.in];
    from.out -= height;
    to.in -= height;
    const upper = curve(x0, a, x1, b), lower = curve(x0, a - height, x1, b - height);
    bands.push({xs: [...upper.map(([x]) => x), ...lower.map(([x]) => x).reverse()],
      ys: [...upper.map(([, y]) => y), ...lower.map(([, y]) => y).reverse()], color, alpha: 0.38});
  };

  const curve = (x0, y0, x1, y1) =>
    Array.from({length: 13}, (_, i) => {
      const t = i / 12, ease = t * t * (3 - 2 * t);
      return [x0 + t * (x1 - x0), y0 + ease * (y1 - y0)];
    });

  // From the right-hand end under all of it and up into the fund.
  const way = (bands, from, to, thick, bow, color) => {
    if (!(thick > 0.3)) return;
    const [right, left] = [from.x + NODE, to.x];
    const [y0, y1] = [from.out, to.bottom + thick];
    const half = (high, low) => Math.max(1, (high - low) / 2);
    const arc = (x, y, wide, tall, start, end) =>
      Array.from({length: 13}, (_, i) => {
        const angle = start + (i / 12) * (end - start);
        return [x + wide * Math.cos(angle), y + tall * Math.sin(angle)];
      });
    const down = half(y0, FLOOR), up = half(y1, FLOOR);
    const downInside = half(y0 - thick, FLOOR + thick), upInside = half(y1 - thick, FLOOR + thick);
    const inside = Math.max(2, bow - thick), quarter = Math.PI / 2;
    const points = [
      ...arc(right, FLOOR + down, bow, down, quarter, -quarter),
      ...arc(left, FLOOR + up, bow, up, -quarter, -3 * quarter),
      ...arc(left, FLOOR + thick + upInside, inside, upInside, quarter, 3 * quarter),
      ...arc(right, FLOOR + thick + downInside, inside, downInside, -quarter, quarter),
    ];
    bands.push({xs: points.map(([x]) => x), ys: points.map(([, y]) => y), color, alpha: 0.5});
  };

  const paint = ({run, outcomes}) => {
    const {word, millions, number} = kredslob.language;
    const {width, height} = inner("cycle");
    const narrow = width < NARROW;
    const found = amounts(run);
    const sum = kredslob.model.sum;
    const back = sum(found.returned), kept = sum(found.kept), unseen = sum(found.unseen);
    const saved = found.administrations.reduce((total, [, value]) => total + value, 0);
    const into = found.paidIn.reduce((total, [, value]) => total + value, 0) + back;
    const most = Math.max(into, found.spent + found.investors + found.left, saved, 1);
    const text = (name, value) => (narrow ? `${name.replaceAll(" ", "\n")}\n${millions(value)}` : `${name} ${millions(value)}`);
    const lines = (one) => one.split("\n").length;
    const letter = letterSize("cycle");
    const named = (name) => word(`element.${name}`);
    const others = found.investors > most * SMALL ? ["investors"] : [];
    if (found.left > most * SMALL) others.push("left");
    const names = [...[...found.paidIn.map(([name]) => name), ...found.purses].map(named), ...others.map((name) => word(`workshop.cycle.${name}`))];
    const gap = letter * (narrow ? 1.12 * Math.max(...names.map((name) => lines(text(name, 0)))) + 0.4 : 1.45);
    const high = height - gap;
    const gaps = (narrow ? 2 : 3) * gap;
    const lane = letter * 1.5;
    // the ribbons, the gaps between them and the way back underneath share the height
    const scale = Math.max(0, (high - gaps - lane - FLOOR) / (most * (1 + back / most)));
    const thick = back * scale;
    const bow = BEND + Math.min(thick, MOST_BOW);
    const node = (key, name, value, color) => ({key, text: text(name, value), value, color});
    const ends = [
      node("unseen", word("workshop.cycle.unseen"), unseen, COLOURS.unseen),
      node("kept", word("workshop.cycle.kept"), kept, COLOURS.kept),
      node("returned", word("workshop.cycle.returned"), back, COLOURS.returned),
    ];
    const beside = Math.max(...ends.slice(0, 2).map((end) => textWidth(end.text, letter)));
    const last = width - NODE - Math.max(bow + 4, beside + 12);
    const at = (part) => part * last;
    // the fund has room to its left for what comes back
    const columnsAt = narrow ? {fund: 0.32, people: 0.55, purses: 0.83} : {fund: 0.25, people: 0.4, areas: 0.57, purses: 0.8};

    const sources = stack(found.paidIn.map(([n, v]) => node(n, named(n), v, COLOURS.in)), 0, high, scale, gap);
    const [fund] = stack([node("fund", word("workshop.cycle.fund"), into, COLOURS.fund)], at(columnsAt.fund), high, scale, gap);
    const middle = stack([
      node("people", word("workshop.cycle.people"), found.spent, COLOURS.people),
      ...others.map((name) => node(name, word(`workshop.cycle.${name}`), found[name], name === "left" ? COLOURS.fund : COLOURS.lost)),
    ], at(columnsAt.people), high, scale, gap);
    const areas = narrow ? [] : stack(found.administrations.map(([n, v]) => node(n, named(n), v, COLOURS.saved)), at(columnsAt.areas), high, scale, gap);
    const purses = stack(found.purses.map((n, p) => node(n, named(n), found.returned[p] + found.kept[p] + found.unseen[p], COLOURS.saved)), at(columnsAt.purses), high, scale, gap);
    stack(ends, at(1), high, scale, gap);

    const bands = [];
    for (const source of sources) ribbon(bands, source, fund, source.value, scale, COLOURS.in);
    for (const use of middle) ribbon(bands, fund, use, use.value, scale, use.color);
    // what is saved is not what was spent: it leaves the citizens from the top again
    const people = {...middle[0], out: middle[0].top};
    for (const goal of narrow ? purses : areas) ribbon(bands, people, goal, goal.value, scale, COLOURS.saved);
    areas.forEach((area, a) => purses.forEach((purse, p) => ribbon(bands, area, purse, found.between[a][p], scale, COLOURS.saved)));
    purses.forEach((purse, p) => {
      const parts = [found.unseen[p], found.kept[p], found.returned[p]];
      ends.forEach((end, e) => ribbon(bands, purse, end, parts[e], scale, end.color));
    });
    ends[2].out = ends[2].top;
    way(bands, ends[2], fund, thick, bow, COLOURS.returned);

    const nodes = [...sources, fund, ...middle, ...areas, ...purses, ...ends];
    setRange(kredslob.find("cycle").x_range, 0, width);
    setRange(kredslob.find("cycle").y_range, 0, height);
    fill("cycle.bands", Object.fromEntries(["xs", "ys", "color", "alpha"].map((key) => [key, bands.map((band) => band[key])])));
    fill("cycle.nodes", {
      left: nodes.map((one) => one.x), right: nodes.map((one) => one.x + NODE), color: nodes.map((one) => one.color),
      bottom: nodes.map((one) => Math.min(one.bottom, one.top - 1)), top: nodes.map((one) => one.top),
    });
    const label = (one, x, y, align, style) => ({x, y, text: one.text, color: INK, align, style});
    const over = (one) => label(one, one.x, one.top + (lines(one.text) * 0.56 + 0.1) * letter, "left", "normal");
    const right = (one) => label(one, one.x + NODE + 6, (one.top + one.bottom) / 2, "left", "bold");
    const under = {...ends[2], text: `${word("workshop.cycle.returned")} ${millions(back)}`};
    fill("cycle.labels", columns([
      ...nodes.filter((one) => !ends.includes(one)).map(over), ...ends.slice(0, 2).map(right),
      label(under, (fund.x + ends[2].x) / 2, FLOOR + thick + 0.75 * letter, "center", "bold"),
    ]));
    document.getElementById("cycle-note").textContent =
      into > 0 ? [
        word("workshop.cycle.people_note", {count: number(outcomes.helped)}), word("workshop.cycle.unseen_note"),
        ...(found.below ? [word("workshop.cycle.negative")] : []),
      ].join(" ") : word("workshop.cycle.nothing");
  };

  kredslob.register("cycle", {update: (now) => { if (visible("cycle")) paint(now); }});
  return {amounts};
})();
