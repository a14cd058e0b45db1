"use strict";
// Runs the model for every draw of the uncertain parameters, a few at a time, and sums up. Works in
// a web worker and, where a browser allows none, in the page itself.

kredslob.band = (() => {
  const SLICE = 12; // milliseconds of work between two looks at the world
  const EMPTY = 0.01; // of the capital paid in: a fund with less has run empty

  // A job is {constants, tables, draws: Float64Array (row by row), factors: Int32Array (place of each
  // column among the constants), at: times, late: number of the time at which the last quarter
  // begins, places: {NAME: [places]}, integration}; `done` gets {low, middle, high, carrying, count}. Gives a
  // function that stops the work.
  function start(model, job, done) {
    const count = job.draws.length / job.factors.length;
    const cash = [];
    let carrying = 0;
    let timer = 0;
    const layout = laidOut(job.places);
    const years = [...job.at.keys()].filter((row) => Number.isInteger(job.at[row] - job.at[0]));
    function work() {
      const until = now() + SLICE;
      while (cash.length < count && now() < until) {
        const run = model.simulate({
          constants: drawn(job, cash.length),
          tables: job.tables,
          places: layout.all,
          at: job.at,
          integration: job.integration,
        });
        const read = reader(run, layout);
        cash.push(years.map((row) => read("total cash", row)));
        if (carries(read, job.late, job.at.length - 1)) carrying += 1;
      }
      if (cash.length < count) timer = setTimeout(work, 0);
      else done({...quantiles(cash), carrying, count});
    }
    timer = setTimeout(work, 0);
    return () => clearTimeout(timer);
  }

  function now() {
    return performance.now();
  }

  function drawn(job, row) {
    const constants = Float64Array.from(job.constants);
    const first = row * job.factors.length;
    job.factors.forEach((place, k) => {
      if (place >= 0) constants[place] = job.draws[first + k];
    });
    return constants;
  }

  function laidOut(places) {
    const all = [];
    const span = {};
    for (const [name, own] of Object.entries(places)) {
      span[name] = [all.length, all.length + own.length];
      all.push(...own);
    }
    return {all: Int32Array.from(all), span};
  }

  // Sum over the elements of a variable at one saved time.
  function reader(run, layout) {
    const width = layout.all.length;
    return (name, row) => {
      let sum = 0;
      for (let k = layout.span[name][0]; k < layout.span[name][1]; k++)
        sum += run.values[row * width + k];
      return sum;
    };
  }

  // As `kredslob.cycle.threshold.margin`: late savings cover late spending, and there is cash left.
  function carries(read, late, end) {
    const since = (name) => read(name, end) - read(name, late);
    const spent = since("Cumulated Spent");
    const came =
      since("Cumulated Returned Savings") +
      since("Cumulated Interest") -
      since("Cumulated Paid To Investors");
    const least = EMPTY * read("Cumulated Paid In", end);
    return spent > 0 && came >= spent && least > 0 && read("total cash", end) >= least;
  }

  // The 10, 50 and 90 percent quantiles of each time: values of draws (the inverted distribution).
  function quantiles(paths) {
    const of = (share) =>
      paths[0].map((_, row) => {
        const sorted = paths.map((path) => path[row]).sort((a, b) => a - b);
        return sorted[Math.max(0, Math.ceil(share * sorted.length - 1e-9) - 1)];
      });
    return {low: of(0.1), middle: of(0.5), high: of(0.9)};
  }

  // What was packed by `packed_draws`: values, draw by draw.
  function unpacked(packed) {
    const bytes = Uint8Array.from(atob(packed.steps), (sign) => sign.charCodeAt(0));
    const steps = new DataView(bytes.buffer);
    const width = packed.factors.length;
    return Float64Array.from({length: packed.count * width}, (_, k) => {
      const [, low, high] = packed.factors[k % width];
      return low + (steps.getUint16(2 * k, true) / 65535) * (high - low);
    });
  }

  return {start, unpacked};
})();
