"use strict";
// The money's way round: who pays in, the fund, the citizens, what is saved and where, who keeps
// it, and what goes back. Heights are amounts; drawn in pixels, so that bends stay round.

kredslob.cycle = (() => {
  const {fill, setRange, inner, visible, columns, INK, NOW} = kredslob.draw;
  const COLOURS = {
    in: "#8E6BA8", fund: NOW, people: "#C8741B", saved: "#3E9E7E", kept: "#3E9E7E", unseen: "#B9C0C6",
    returned: NOW, lost: "#8A949C",
  };
  const NARROW = 620, NODE = 12, BEND = 18;

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
  const way = (bands, from, to, height, floor, color) => {
    if (!(height > 0.3)) return;
    const thick = height, [y0, y1] = [from.out, to.bottom + height];
    const xr = from.x + NODE, xl = to.x;
    const arc = (cx, cy, radius, tall, start, end) =>
      Array.from({length: 13}, (_, i) => {
        const angle = start + (i / 12) * (end - start);
        return [cx + radius * Math.cos(angle), cy + tall * Math.sin(angle)];
      });
    const outerDown = (y0 - floor) / 2, innerDown = Math.max(1, (y0 - thick - (floor + thick)) / 2);
    const outerUp = (y1 - floor) / 2, innerUp = Math.max(1, (y1 - thick - (floor + thick)) / 2);
    const points = [
      ...arc(xr, floor + outerDown, BEND + Math.min(thick, 40), outerDown, Math.PI / 2, -Math.PI / 2),
      ...arc(xl, floor + outerUp, BEND + Math.min(thick, 40), outerUp, -Math.PI / 2, -1.5 * Math.PI),
      ...arc(xl, floor + thick + innerUp, BEND, innerUp, Math.PI / 2, 1.5 * Math.PI),
      ...arc(xr, floor + thick + innerDown, BEND, innerDown, -Math.PI / 2, Math.PI / 2),
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
    const laneShare = back / most;
    const gap = narrow ? 20 : 16;
    const high = height - 30;
    // the ribbons, four gaps and the way back underneath share the height
    const scale = Math.max(0, (high - 4 * gap - 26) / (most * (1 + laneShare)));
    const floor = 6;
    const side = 26 + Math.min(40, back * scale);
    const room = narrow ? 74 : 128;
    const first = side, last = width - room - 12;
    const at = (part) => first + part * (last - first);
    const node = (key, text, value, color) => ({key, text, value, color});
    const named = (name) => word(`element.${name}`);

    const sources = stack(found.paidIn.map(([n, v]) => node(n, named(n), v, COLOURS.in)), at(0), high, scale, gap);
    const [fund] = stack([node("fund", word("workshop.cycle.fund"), into, COLOURS.fund)], at(narrow ? 0.3 : 0.2), high, scale, gap);
    const middle = stack([
      node("people", word("workshop.cycle.people"), found.spent, COLOURS.people),
      ...(found.investors > 0 ? [node("investors", word("workshop.cycle.investors"), found.investors, COLOURS.lost)] : []),
      ...(found.left > most * 1e-3 ? [node("left", word("workshop.cycle.left"), found.left, COLOURS.fund)] : []),
    ], at(narrow ? 0.6 : 0.4), high, scale, gap);
    const administrations = narrow ? [] : stack(found.administrations.map(([n, v]) => node(n, named(n), v, COLOURS.saved)), at(0.62), high, scale, gap);
    const purses = stack(found.purses.map((n, p) => node(n, named(n), found.returned[p] + found.kept[p] + found.unseen[p], COLOURS.saved)), at(narrow ? 0.82 : 0.81), high, scale, gap);
    const ends = stack([
      node("unseen", word("workshop.cycle.unseen"), unseen, COLOURS.unseen),
      node("kept", word("workshop.cycle.kept"), kept, COLOURS.kept),
      node("returned", word("workshop.cycle.returned"), back, COLOURS.returned),
    ], at(1), high, scale, gap);

    const bands = [];
    for (const source of sources) ribbon(bands, source, fund, source.value, scale, COLOURS.in);
    for (const use of middle) ribbon(bands, fund, use, use.value, scale, use.color);
    const people = middle[0];
    // savings are not the spending itself: they leave the citizens from the top again
    people.out = people.top;
    if (narrow) {
      for (const purse of purses) ribbon(bands, {x: people.x, out: (people.out -= purse.value * scale) + purse.value * scale}, purse, purse.value, scale, COLOURS.saved);
    } else {
      for (const area of administrations) ribbon(bands, people, area, area.value, scale, COLOURS.saved);
      administrations.forEach((area, a) => purses.forEach((purse, p) => ribbon(bands, area, purse, found.between[a][p], scale, COLOURS.saved)));
    }
    purses.forEach((purse, p) => {
      for (const [end, value] of [[ends[0], found.unseen[p]], [ends[1], found.kept[p]], [ends[2], found.returned[p]]]) {
        ribbon(bands, purse, end, value, scale, end.color);
      }
    });
    ends[2].out = ends[2].top;
    way(bands, ends[2], fund, back * scale, floor, COLOURS.returned);

    const nodes = [...sources, fund, ...middle, ...administrations, ...purses, ...ends];
    setRange(kredslob.find("cycle").x_range, 0, width);
    setRange(kredslob.find("cycle").y_range, 0, height);
    fill("cycle.bands", Object.fromEntries(["xs", "ys", "color", "alpha"].map((key) => [key, bands.map((band) => band[key])])));
    fill("cycle.nodes", {
      left: nodes.map((one) => one.x), right: nodes.map((one) => one.x + NODE), color: nodes.map((one) => one.color),
      bottom: nodes.map((one) => Math.min(one.bottom, one.top - 1)), top: nodes.map((one) => one.top),
    });
    const over = (one) => ({x: one.x, y: one.top + 8, text: `${one.text} ${millions(one.value)}`, color: INK, align: "left", style: "normal"});
    const beside = (one) => ({x: one.x + NODE + 6, y: (one.top + one.bottom) / 2, text: `${one.text} ${millions(one.value)}`, color: INK, align: "left", style: "bold"});
    fill("cycle.labels", columns([...nodes.filter((one) => !ends.includes(one)).map(over), ...ends.map(beside)]));
    document.getElementById("cycle-note").textContent =
      into > 0 ? [word("workshop.cycle.people_note", {count: number(outcomes.helped)}), ...(found.below ? [word("workshop.cycle.negative")] : [])].join(" · ")
        : word("workshop.cycle.nothing");
  };

  kredslob.register("cycle", {update: (now) => { if (visible("cycle")) paint(now); }});
  return {amounts};
})();
