"use strict";
// The band of uncertainty: when the levers have come to rest, the model is run for a few hundred
// draws of the uncertain parameters, in a web worker where the browser allows one.

kredslob.uncertainty = (() => {
  const {make, word, language} = kredslob;
  const REST = 300; // ms without a move before the draws begin
  const READ = [
    "Cumulated Interest", "Cumulated Paid In", "Cumulated Paid To Investors",
    "Cumulated Returned Savings", "Cumulated Spent", "total cash",
  ];
  const LATE = 0.75; // of the horizon: where its last quarter begins
  const drawn = new Map(); // by setting: the draws, unpacked
  let place = null, worker = null, stop = () => {};
  let mark = "", number = 0;
  let policy = null, found = null, measure = "";

  // --- what is to be computed ----------------------------------------------------------------

  const placesOf = (name) => {
    const {offset, shape} = kredslob.model.MODEL.arrays[name];
    const size = shape.reduce((product, extent) => product * extent, 1);
    return Array.from({length: size}, (_, k) => offset + k);
  };

  // Place among the constants of `name[element,element]`.
  const constantAt = (label) => {
    const {MODEL, place: firstOf} = kredslob.model;
    const [, name, elements] = /^([^[]*)(?:\[(.*)\])?$/.exec(label);
    const {dims, shape} = MODEL.arrays[name];
    const chosen = elements ? elements.split(",") : [];
    return firstOf(name) + chosen.reduce((flat, element, d) => flat * shape[d] + MODEL.ranges[dims[d]].indexOf(element), 0);
  };

  const drawsOf = (setting) => {
    if (!drawn.has(setting)) {
      const packed = kredslob.known.facilitation.draws[setting];
      drawn.set(setting, {
        draws: kredslob.band.unpacked(packed),
        factors: packed.factors.map(([label]) => constantAt(label)),
      });
    }
    return drawn.get(setting);
  };

  // What the proposal sets otherwise than the place is a choice, and is not drawn.
  const jobOf = (one) => {
    const {constants, tables} = kredslob.model.inputs(one);
    const before = kredslob.model.stated(one.setting, "").constants;
    const {draws, factors} = drawsOf(one.setting);
    const years = Math.round(constants[kredslob.model.place("FINAL TIME")] - constants[kredslob.model.place("INITIAL TIME")]);
    const start = constants[kredslob.model.place("INITIAL TIME")];
    const times = new Set(Array.from({length: years + 1}, (_, year) => start + year));
    times.add(start + LATE * years);
    const at = [...times].sort((a, b) => a - b);
    return {
      constants, tables, draws, at,
      factors: Int32Array.from(factors, (k) => (constants[k] === before[k] ? k : -1)),
      late: at.indexOf(start + LATE * years),
      integration: kredslob.known.integration,
      places: Object.fromEntries(READ.map((name) => [name, placesOf(name)])),
    };
  };

  // --- computing it --------------------------------------------------------------------------

  const inWorker = () => {
    let halt = () => {};
    self.onmessage = ({data}) => {
      halt();
      if (data.job) {
        halt = kredslob.band.start(kredslobModel, data.job, (result) => postMessage({number: data.number, result}));
      }
    };
  };

  // A worker, or null where the browser forbids it.
  const hire = () => {
    try {
      return hired();
    } catch (problem) {
      console.warn(problem);
      return null;
    }
  };

  const hired = () => {
    const text = (name) => document.querySelector(`script[data-name="${name}"]`).textContent;
    const source = ["const kredslob = {};", text("model"), text("band_core.js"), `(${inWorker})();`];
    const address = URL.createObjectURL(new Blob(source.map((part) => `${part}\n`), {type: "text/javascript"}));
    const made = new Worker(address);
    made.onmessage = ({data}) => {
      if (data.number === number) show(data.result);
    };
    // some browsers refuse a worker to a page from a file, and say so only here
    made.onerror = () => {
      worker = null;
      compute();
    };
    return made;
  };

  const compute = () => {
    if (!policy) return;
    const job = jobOf(policy);
    const own = ++number;
    if (worker) worker.postMessage({number: own, job});
    else stop = kredslob.band.start(kredslobModel, job, (result) => own === number && show(result));
  };
  const computeSoon = kredslob.settled(compute, REST);

  const cancel = () => {
    number += 1;
    stop();
    worker?.postMessage({job: null});
  };

  // --- showing it ----------------------------------------------------------------------------

  const show = (result) => {
    found = result;
    paint();
    kredslob.tell("uncertain");
    kredslob.redraw();
  };

  const paint = () => {
    measure = kredslob.state.measure;
    const seen = found && measure === "fund";
    const years = seen ? found.low.map((_, year) => year) : [];
    const millions = (values) => (seen ? values.map((value) => value / 1e6) : []);
    kredslob.find("fund.band").data = {time: years, low: millions(found?.low), high: millions(found?.high)};
    if (!found) {
      place.textContent = word("workshop.band.wait");
      return;
    }
    const {money, percent, number: written} = language;
    const spread = {low: money(found.low.at(-1)), high: money(found.high.at(-1)), years: written(found.low.length - 1)};
    place.textContent = [
      word(`workshop.band.${found.carrying > 0 ? "carries" : "none"}`, {share: percent(found.carrying / found.count), count: written(found.count)}),
      word("workshop.band.spread", spread),
    ].join(" ");
    place.title = word("workshop.band.note");
  };

  const update = (result) => {
    const now = JSON.stringify(result.policy);
    if (now !== mark) {
      mark = now;
      policy = result.policy;
      found = null;
      cancel();
      paint();
      kredslob.tell("uncertain");
      computeSoon();
    } else if (measure !== kredslob.state.measure) paint();
  };

  kredslob.register("uncertainty", {
    start() {
      place = make("p", {id: "uncertainty", class: "note"});
      document.getElementById("fund-alt").after(place);
      worker = hire();
    },
    update,
    language: () => paint(),
  });

  return {
    jobOf,
    get found() { return found; },
    get carrying() { return found ? found.carrying / found.count : null; },
  };
})();
