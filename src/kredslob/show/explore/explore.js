"use strict";
// The page of any model: a slider a constant, a chart a variable, a run at every move.

kredslob.explore = (() => {
  const {MODEL, defaults, simulate} = kredslobModel;
  const {word} = kredslob.language;
  const COLOURS = ["#0B5CAD", "#B34A00", "#00734F", "#9A3F7A", "#7A5900"];
  const DASHES = ["", "9 5", "9 4 2 4", "2 4", "15 5"];
  const constants = Float64Array.from(defaults);
  const rows = new Map(); // by name of the lever: its elements
  let places = [];
  let usual = null, result = null;
  let waiting = false;

  // As many decimals as show four digits, and none for show.
  const said = (value) => {
    const size = Math.abs(value);
    if (size >= 1e12 || (size > 0 && size < 1e-6)) {
      const [digits, power] = value.toExponential(3).split("e");
      return `${said(Number(digits))}·10^${Number(power)}`;
    }
    const digits = size === 0 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(size)));
    const exact = `${+value.toFixed(Math.min(digits, 9))}`.split(".")[1]?.length ?? 0;
    return kredslob.language.number(value, exact);
  };
  kredslob.tick = said;

  const withUnit = (value, units) => {
    const unit = units[kredslob.language.now];
    return unit.startsWith("1/") ? `${said(value)}${unit.slice(1)}` : `${said(value)} ${unit}`.trim();
  };

  // --- running ---

  const run = (given) => {
    const {times, values} = simulate({
      constants: given, places: Int32Array.from(places), integration: kredslob.known.integration,
    });
    const width = places.length;
    const lines = places.map((_, k) => Float64Array.from(times, (__, row) => values[row * width + k]));
    return {times, lines};
  };

  const attempt = () => {
    try {
      const found = run(constants);
      return found.lines.every((line) => Number.isFinite(line.at(-1))) ? found : null;
    } catch (problem) {
      console.warn(problem);
      return null;
    }
  };

  const compute = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const found = attempt();
      kredslob.notice(found ? "" : word("explore.broken"));
      if (found) result = found;
      redraw();
    });
  };

  // --- charts ---

  const redraw = () => {
    if (!result) return;
    let first = 0;
    kredslob.known.charts.forEach((chart, number) => {
      draw(`chart${number}`, chart, first);
      describe(number, chart, first);
      first += chart.lines.length;
    });
  };

  const draw = (name, chart, first) => {
    const plot = kredslob.find(name);
    let low = Infinity, high = -Infinity;
    for (const [part, from] of [["usual", usual], ["now", result]]) {
      if (!from) continue;
      chart.lines.forEach((_, line) => {
        const value = from.lines[first + line];
        kredslob.find(`${name}.${part}${line}`).data = {time: from.times, value};
        for (const v of value) {
          if (v < low) low = v;
          if (v > high) high = v;
        }
      });
    }
    if (low > 0 && low < 0.6 * high) low = 0;
    const room = 0.05 * (high - low) || 0.05 * Math.abs(high) || 1;
    plot.y_range.setv({start: low === 0 ? 0 : low - room, end: high + room});
    plot.x_range.setv({start: result.times[0], end: result.times.at(-1)});
    plot.below[0].axis_label = word("explore.time", {unit: kredslob.known.time[kredslob.language.now]}).replace(" ()", "");
  };

  const describe = (number, {name, unit, lines}, first) => {
    const parts = lines.map(([label], line) => {
      const now = withUnit(result.lines[first + line].at(-1), unit);
      const before = usual ? withUnit(usual.lines[first + line].at(-1), unit) : word("none");
      const text = word("explore.ends", {now, before});
      return label ? `${label}: ${text}` : text;
    });
    document.getElementById(`name${number}`).textContent = name;
    document.getElementById(`note${number}`).replaceChildren(...parts.map((text, line) => {
      const part = kredslob.explore.make("span", {}, text);
      if (lines.length > 1) part.prepend(swatch(line));
      return part;
    }));
  };

  const swatch = (line) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 30 8");
    svg.setAttribute("aria-hidden", "true");
    svg.innerHTML = `<line x1="0" x2="30" y1="4" y2="4" stroke-width="4" stroke="${COLOURS[line]}" stroke-dasharray="${DASHES[line]}"/>`;
    return svg;
  };

  // --- levers ---

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  const set = (lever, value) => {
    if (!Number.isFinite(value)) return;
    constants[lever.place] = Math.abs(value - lever.value) < 1e-6 * lever.step ? lever.value : value;
    show();
    compute();
  };

  const build = () => {
    const place = document.getElementById("sliders");
    place.replaceChildren(...kredslob.known.levers.map((lever, number) => {
      const id = `lever${number}`;
      const input = make("input", {type: "range", id, min: lever.low, max: lever.high, step: lever.step});
      const output = make("output", {for: id});
      const reset = make("button", {type: "button", class: "reset"}, "\u21BA");
      input.addEventListener("input", () => set(lever, +input.valueAsNumber.toPrecision(12)));
      reset.addEventListener("click", () => { set(lever, lever.value); input.focus(); });
      rows.set(lever.name, {lever, input, output, reset});
      const row = make("div", {class: "lever"},
        make("div", {class: "line"}, make("label", {for: id}, lever.name), reset, output), input);
      row.dataset.lever = lever.name;
      return row;
    }));
    document.getElementById("reset-all").addEventListener("click", () => {
      for (const {lever} of rows.values()) constants[lever.place] = lever.value;
      show();
      compute();
    });
  };

  const show = () => {
    let changes = 0;
    for (const {lever, input, output, reset} of rows.values()) {
      const value = constants[lever.place];
      const text = withUnit(value, lever.unit);
      input.value = String(value);
      input.setAttribute("aria-valuetext", text);
      const part = (100 * (value - lever.low)) / (lever.high - lever.low);
      input.style.setProperty("--part", `${part}%`);
      output.textContent = text;
      reset.disabled = value === lever.value;
      reset.setAttribute("aria-label", word("explore.reset", {lever: lever.name}));
      changes += value === lever.value ? 0 : 1;
    }
    document.getElementById("reset-all").disabled = changes === 0;
  };

  kredslob.register("explore", {
    start: () => {
      places = kredslob.known.charts.flatMap((chart) => chart.lines.map(([, place]) => place));
      build();
      show();
      usual = attempt();
    },
    language: show,
  });
  kredslob.state = {start: () => {}};
  kredslob.compute = compute;
  kredslob.redraw = redraw;

  return {MODEL, constants, make, get result() { return result; }};
})();
