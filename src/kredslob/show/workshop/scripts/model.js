"use strict";
// A policy in, the model's numbers out.

kredslob.model = (() => {
  const {MODEL, defaults, simulate} = kredslobModel;
  const laidOut = new Map();
  const LAST_POINT = 200; // years: beyond every run
  let width = 0;
  const columns = new Map();
  const offsets = [];

  // Scripts say when they load which variables they will read.
  const want = (...names) => {
    for (const name of names) {
      const array = MODEL.arrays[name];
      if (!array) throw new Error(`the model has no variable '${name}'`);
      const given = array.offset >= MODEL.firstConstant && array.offset < MODEL.firstConstant + defaults.length;
      if (given || columns.has(name)) continue;
      const size = array.shape.reduce((product, extent) => product * extent, 1);
      columns.set(name, {column: width, size});
      for (let i = 0; i < size; i++) offsets.push(array.offset + i);
      width += size;
    }
  };

  const place = (name) => MODEL.arrays[name].offset - MODEL.firstConstant;

  // Constants and tables of a policy that comes with the model.
  const stated = (setting, preset) => {
    const key = JSON.stringify([setting, preset]);
    if (!laidOut.has(key)) {
      const given = kredslob.known.settings[setting].policies[preset];
      const constants = Float64Array.from(defaults);
      for (const [at, value] of given.constants) constants[at] = value;
      laidOut.set(key, {constants, tables: given.tables});
    }
    return laidOut.get(key);
  };

  const inputs = (policy) => {
    const {constants, tables} = stated(policy.setting, policy.preset);
    const changed = Float64Array.from(constants);
    const planned = {};
    for (const [name, value] of Object.entries(policy.changes)) {
      const lever = kredslob.state.levers.get(name);
      if (lever.point !== null) planned[lever.constant] ??= [points(policy, lever.constant)];
      for (const at of lever.places) changed[at] = value;
    }
    return {constants: changed, tables: {...tables, ...planned}};
  };

  // A table over time as the levers of its points have it: [[time], [value]], flat at the end.
  const points = (policy, table) => {
    const levers = [...kredslob.state.levers.values()].filter((one) => one.point !== null && one.constant === table);
    const values = levers.map((lever) => kredslob.state.value(lever.name, policy));
    return [[...levers.map((lever) => lever.point), LAST_POINT], [...values, values.at(-1)]];
  };

  // Value of a lever before anything is moved.
  const base = (lever, {setting, preset}) => {
    const {constants, tables} = stated(setting, preset);
    if (lever.point === null) return constants[lever.places[0]];
    const [times, values] = (tables[lever.constant] ?? kredslob.known.tables[lever.constant])[0];
    const next = times.findIndex((time) => time >= lever.point);
    if (next <= 0) return values.at(next);
    const part = (lever.point - times[next - 1]) / (times[next] - times[next - 1]);
    return values[next - 1] + part * (values[next] - values[next - 1]);
  };

  const times = (constants) => {
    const [first, last, pace] = ["INITIAL TIME", "FINAL TIME", "SAVEPER"].map((n) => constants[place(n)]);
    return Array.from({length: Math.round((last - first) / pace) + 1}, (_, i) => first + i * pace);
  };

  // A run: `at(name, step)` gives the values of a variable at a saved step, flat.
  const run = (policy) => ran(inputs(policy));

  const ran = ({constants, tables}) => {
    const at = times(constants);
    const {values} = simulate({
      constants, tables, places: Int32Array.from(offsets), at, integration: kredslob.known.integration,
    });
    const last = at.length - 1;
    const read = (name, step = last) => {
      const found = columns.get(name);
      if (found) {
        const first = step * width + found.column;
        return values.subarray(first, first + found.size);
      }
      const array = MODEL.arrays[name];
      const size = array.shape.reduce((product, extent) => product * extent, 1);
      return constants.subarray(place(name), place(name) + size);
    };
    const perYear = Math.round(1 / (at[1] - at[0]));
    return {
      times: at,
      last,
      years: Math.round(at[last] - at[0]),
      atYear: (name, year) => read(name, year * perYear),
      at: read,
      total: (name, step = last) => sum(read(name, step)),
      totalAtYear: (name, year) => sum(read(name, year * perYear)),
      finite: () => values.subarray(last * width).every(Number.isFinite),
    };
  };

  const sum = (numbers) => {
    let total = 0;
    for (let i = 0; i < numbers.length; i++) total += numbers[i];
    return total;
  };

  return {MODEL, want, stated, base, points, inputs, run, ran, sum, place};
})();
