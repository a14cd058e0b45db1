"use strict";
// Which loop is in charge: shares computed beforehand for policies near the one on the page.

kredslob.loops = (() => {
  const {make, word, language} = kredslob;
  const RATE = "reinvestment rate", RULE = "reinvestment rule";
  const LEAST = 0.02; // mean share from which a family is drawn by itself
  const LINE = 20; // pixels that a name takes
  const OTHER = "other";
  let parts = null, latest = null;

  const tableOf = (setting) => kredslob.known.facilitation.loops[setting];

  // The policy that comes with the model whose levers stand nearest, each by the width of its range.
  const nearest = (policy) => {
    const {state} = kredslob;
    const table = tableOf(policy.setting);
    const rule = state.value(RULE, policy);
    const distance = (preset) => {
      const other = {setting: policy.setting, preset, changes: {}};
      if (state.value(RULE, other) !== rule) return Infinity;
      return kredslob.catalog().levers.filter((lever) => lever.id !== RATE).reduce((sum, lever) => {
        const gap = state.value(lever.id, policy) - state.value(lever.id, other);
        return sum + (gap / (lever.high - lever.low)) ** 2;
      }, 0);
    };
    const presets = Object.keys(table.policies);
    const best = presets.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    const bytes = Uint8Array.from(atob(table.shares[table.policies[best]]), (sign) => sign.charCodeAt(0));
    const ruled = rule !== 0;
    const rate = state.value(RATE, policy);
    const gaps = table.rates.map((one) => Math.abs(one - rate));
    const row = ruled ? 0 : gaps.indexOf(Math.min(...gaps));
    const count = bytes.length / table.families.length / (ruled ? 1 : table.rates.length);
    const years = Array.from({length: count}, (_, k) => k + 1);
    return {table, preset: best, bytes, row, years, rate: ruled ? null : table.rates[row]};
  };

  // Share of each family over the years; small ones are put together.
  const sharesOf = ({table, bytes, row, years: {length: years}}) => {
    const all = table.families.map((family, f) => {
      const first = (row * table.families.length + f) * years;
      return {...family, share: Array.from(bytes.subarray(first, first + years), (byte) => byte / 255)};
    });
    const mean = (share) => share.reduce((a, b) => a + b, 0) / years;
    const large = all.filter(({name, share}) => name !== OTHER && mean(share) >= LEAST);
    const rest = all.filter((one) => !large.includes(one));
    large.sort((a, b) => !a.polarity - !b.polarity || mean(b.share) - mean(a.share));
    const share = Array.from({length: years}, (_, year) => rest.reduce((sum, one) => sum + one.share[year], 0));
    return [...large, {name: OTHER, polarity: "", share, color: "#E3E3E3"}];
  };

  // Periods in which the same one of the named loops is the largest.
  const periodsOf = (families, years) => {
    const named = families.filter((one) => one.polarity);
    const leading = years.map((_, k) => {
      const best = named.reduce((a, b) => (b.share[k] > (a?.share[k] ?? 0) ? b : a), null);
      return best;
    });
    const periods = [];
    leading.forEach((family, k) => {
      const last = periods.at(-1);
      if (last && last.family === family) last.to = years[k];
      else periods.push({family, from: years[k], to: years[k]});
    });
    return periods.filter((period) => period.family);
  };

  const nameOf = (family) =>
    family.name === OTHER ? word("workshop.loops.other") : family[language.now];
  const meaningOf = (family) => word(`workshop.loops.meaning.${family.name.replace(" ", "_")}`);

  // --- showing it ----------------------------------------------------------------------------

  const build = () => {
    parts = {
      now: make("p", {class: "in-charge"}),
      key: make("p", {class: "key"}),
      periods: make("ul", {class: "periods"}),
      source: make("p", {class: "note"}),
    };
    document.getElementById("loops").append(parts.key, parts.periods);
    document.querySelector("#panel-loops h3").after(parts.now, parts.source);
  };

  const draw = () => {
    if (!parts || !latest || !parts.now.offsetParent) return;
    const near = nearest(latest.policy);
    const {years} = near;
    const families = sharesOf(near);
    const periods = periodsOf(families, years);
    paint(families, years);
    parts.key.replaceChildren(...families.map((family) =>
      make("span", {class: "swatch", style: `--of: ${family.color}`, text: nameOf(family)})));
    say(near, periods);
  };

  const say = ({preset, rate}, periods) => {
    const length = ({from, to}) => to - from;
    const longest = periods.reduce((a, b) => (a && length(a) >= length(b) ? a : b), null);
    const said = longest
      ? word("workshop.loops.now", {name: nameOf(longest.family), meaning: meaningOf(longest.family)})
      : word("workshop.loops.nothing");
    parts.now.textContent = said;
    const lines = periods.map(({family, from, to}) => word(`workshop.loops.${from === to ? "year" : "period"}`, {
      from: language.number(from), to: language.number(to), name: nameOf(family),
    }));
    parts.periods.replaceChildren(...lines.map((text) => make("li", {text})));
    const {policies} = kredslob.known.settings[latest.policy.setting];
    const policy = preset ? policies[preset].title[language.now] : word("workshop.no_preset");
    const source = rate === null
      ? word("workshop.loops.source_rule", {policy})
      : word("workshop.loops.source", {policy, rate: language.percent(rate)});
    const moved = preset !== latest.policy.preset || Object.keys(latest.policy.changes).some((name) => name !== RATE);
    parts.source.textContent = [source, ...(moved ? [word("workshop.loops.moved")] : []), word("workshop.loops.grey")].join(" ");
    document.getElementById("feedback-alt").textContent =
      word("workshop.loops.share_alt", {periods: lines.join(". ") || said});
  };

  const paint = (families, years) => {
    const under = years.map(() => 0);
    const areas = {xs: [], ys: [], color: []};
    const labels = {x: [], y: [], text: [], color: [], align: [], style: []};
    for (const family of families) {
      const low = [...under];
      years.forEach((_, k) => {
        under[k] += family.share[k];
      });
      areas.xs.push([...years, ...years.toReversed()]);
      areas.ys.push([...low, ...[...under].reverse()]);
      areas.color.push(family.color);
      const at = placeOf(nameOf(family), low, family.share);
      if (!at) continue;
      labels.x.push(years[at.k]);
      labels.y.push(at.y);
      labels.text.push(nameOf(family));
      labels.color.push(dark(family.color) ? "#FFFFFF" : "#1B2733");
      labels.align.push("center");
      labels.style.push("bold");
    }
    kredslob.find("feedback.areas").data = areas;
    kredslob.find("feedback.labels").data = labels;
    kredslob.draw.setRange(kredslob.find("feedback").x_range, years[0], years.at(-1));
    kredslob.draw.setRange(kredslob.find("feedback").y_range, 0, 1);
  };

  // Where a name fits into an area along its whole length; null where it does not.
  const placeOf = (text, low, share) => {
    const {width, height} = kredslob.draw.inner("feedback");
    const half = Math.ceil((kredslob.draw.textWidth(text) / 2 / width) * share.length) + 1;
    let best = null;
    for (let k = half; k < share.length - half; k++) {
      const near = Array.from({length: 2 * half + 1}, (_, j) => k - half + j);
      const floor = Math.max(...near.map((j) => low[j]));
      const ceiling = Math.min(...near.map((j) => low[j] + share[j]));
      if (!best || ceiling - floor > best.room) best = {k, y: (floor + ceiling) / 2, room: ceiling - floor};
    }
    return best && best.room * height > LINE ? best : null;
  };

  // Whether white letters stand out from a colour more than dark ones (WCAG's luminance).
  const dark = (color) => {
    const [r, g, b] = [1, 3, 5].map((k) => {
      const part = parseInt(color.slice(k, k + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.18;
  };

  kredslob.register("loops", {
    start: build,
    update(result) {
      latest = result;
      draw();
    },
    language: draw,
  });

  return {nearest, sharesOf, periodsOf};
})();
