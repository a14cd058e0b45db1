"use strict";
// Kroner that come back for one krone spent: the same linear algebra as kredslob.cycle.threshold.

kredslob.chain = (() => {
  const {MODEL, want} = kredslob.model;
  const SHORTEST = 1e-6, LONGEST = 1e6;
  const STATES = 4; // thriving, strained, in crisis, newly stable

  want(
    "Counterfactual Crisis", "Counterfactual Strained", "completion share", "consolidation time",
    "course length", "easing rate", "effect of a course", "inherited share", "need use factor",
    "new cases without the fund", "reachable share of crisis", "reachable share of strained",
    "recovery rate", "spread share", "switch prevention", "unit cost", "use in crisis",
    "use when newly stable", "use when strained", "worsening rate", "yearly exit", "yearly relapse",
    "yearly setback", "Documentation Capability", "cashable share", "course price",
    "course share of spending", "money part", "pledged share", "purse share", "recognition horizon",
    "reinvestment rate in force", "yearly fade",
  );

  // Value of a variable in a cell of group, need and administration, whatever it runs over.
  const reader = (run, name) => {
    const {dims, shape} = MODEL.arrays[name];
    const values = run.at(name);
    const strides = {Group: 0, Need: 0, Administration: 0, Purse: 0};
    let stride = 1;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      strides[dims[axis]] = stride;
      stride *= shape[axis];
    }
    const {Group, Need, Administration} = strides;
    return (g, n, a = 0) => values[g * Group + n * Need + a * Administration];
  };

  const gainAtFullRate = (run) => {
    const ranges = kredslob.known.ranges;
    const size = {
      groups: ranges.Group.length, needs: ranges.Need.length,
      administrations: ranges.Administration.length, purses: ranges.Purse.length,
      families: ranges.Group.indexOf("families"),
    };
    const of = new Proxy({}, {
      get: (found, name) => (found[name] ??= reader(run, name)),
    });
    const ever = everCost(of, size);
    const byAdministration = new Float64Array(size.administrations);
    for (let g = 0; g < size.groups; g++) {
      for (let n = 0; n < size.needs; n++) {
        const fade = of["yearly fade"](g, n);
        const recognised = fade / (fade + 1 / of["recognition horizon"](g, n));
        const starts = (of["money part"](g, n) / of["course price"](g, n)) * of["course share of spending"](g, n);
        const moved = movedByAStart(of, g, n);
        for (let a = 0; a < size.administrations; a++) {
          let avoided = 0;
          for (let s = 0; s < STATES; s++) {
            avoided -= moved[s] * ever[((g * size.needs + n) * STATES + s) * size.administrations + a];
          }
          byAdministration[a] += starts * recognised * avoided;
        }
      }
    }
    const share = run.at("purse share"), pledged = run.at("pledged share");
    const documented = run.at("Documentation Capability")[0];
    let gain = 0;
    for (let p = 0; p < size.purses; p++) {
      let saved = 0;
      for (let a = 0; a < size.administrations; a++) {
        saved += byAdministration[a] * of["cashable share"](0, 0, a) * documented * share[a * size.purses + p];
      }
      gain += saved * pledged[p];
    }
    return gain;
  };

  // Cost that a person in each state will ever cause, by cell, state and administration.
  const everCost = (of, size) => {
    const rates = chainRates(of, size);
    const count = size.groups * size.needs * STATES;
    const matrix = new Float64Array(count * count);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) matrix[i * count + j] = -rates[j * count + i];
    }
    return solve(matrix, costOfStates(of, size), count, size.administrations);
  };

  const costOfStates = (of, size) => {
    const cost = new Float64Array(size.groups * size.needs * STATES * size.administrations);
    for (let g = 0; g < size.groups; g++) {
      for (let n = 0; n < size.needs; n++) {
        for (let a = 0; a < size.administrations; a++) {
          const crisis = of["use in crisis"](g, n, a) * of["need use factor"](g, n, a) * of["unit cost"](g, n, a);
          const at = (s) => ((g * size.needs + n) * STATES + s) * size.administrations + a;
          cost[at(1)] = crisis * of["use when strained"](g, n, a);
          cost[at(2)] = crisis;
          cost[at(3)] = crisis * of["use when newly stable"](g, n, a);
        }
      }
    }
    return cost;
  };

  // Persons that one start adds to each state when it ends.
  const movedByAStart = (of, g, n) => {
    const worsening = of["worsening rate"](g, n), easing = of["easing rate"](g, n);
    const recovery = of["recovery rate"](g, n), leaving = of["yearly exit"](g, n);
    const ending = 1 / Math.max(of["course length"](g, n), SHORTEST);
    const strained = of["reachable share of strained"](g, n) * of["Counterfactual Strained"](g, n);
    const crisis = of["reachable share of crisis"](g, n) * of["Counterfactual Crisis"](g, n);
    const part = strained + crisis !== 0 ? crisis / (strained + crisis) : 0;
    const a = worsening + recovery + leaving + ending, b = -easing, c = -worsening, d = easing + leaving + ending;
    const area = a * d - b * c;
    const done = of["completion share"](g, n) * ending;
    const fromStrained = ((d * (1 - part) - b * part) / area) * done;
    const fromCrisis = ((a * part - c * (1 - part)) / area) * done;
    const effect = of["effect of a course"](g, n);
    const lift = Math.max(0, effect), harm = fromStrained * Math.max(0, -effect);
    return [0, -fromStrained * lift - harm, -fromCrisis * lift + harm, (fromStrained + fromCrisis) * lift];
  };

  const chainRates = (of, size) => {
    const count = size.groups * size.needs * STATES;
    const rates = new Float64Array(count * count);
    const at = (g, n, s) => (g * size.needs + n) * STATES + s;
    for (let g = 0; g < size.groups; g++) {
      for (let n = 0; n < size.needs; n++) {
        const set = (to, from, rate) => { rates[at(g, n, to) * count + at(g, n, from)] = rate; };
        const leaving = Math.max(of["yearly exit"](g, n), 1 / LONGEST);
        const consolidation = 1 / Math.max(of["consolidation time"](g, n), SHORTEST);
        const worsening = of["worsening rate"](g, n), easing = of["easing rate"](g, n);
        const recovery = of["recovery rate"](g, n), setback = of["yearly setback"](g, n);
        const relapse = of["yearly relapse"](g, n);
        set(0, 0, -setback - leaving);
        set(0, 1, recovery);
        set(0, 3, consolidation);
        set(1, 0, setback);
        set(1, 1, -worsening - recovery - leaving);
        set(1, 2, easing);
        set(1, 3, relapse);
        set(2, 1, worsening);
        set(2, 2, -easing - leaving);
        set(3, 3, -relapse - consolidation - leaving);
      }
    }
    addPrevention(rates, of, size, at, count);
    return rates;
  };

  // The new cases that each citizen more in crisis brings; their delay does not matter here.
  const addPrevention = (rates, of, size, at, count) => {
    const perCase = Array.from({length: size.groups}, (_, g) => {
      let crisis = 0;
      for (let n = 0; n < size.needs; n++) crisis += of["Counterfactual Crisis"](g, n);
      return crisis > 0 ? 1 / crisis : 0;
    });
    for (let g = 0; g < size.groups; g++) {
      for (let n = 0; n < size.needs; n++) {
        const cases = of["switch prevention"](g, n) !== 0 ? of["new cases without the fund"](g, n) : 0;
        const spread = cases * of["spread share"](g, n) * perCase[g];
        const inherited = cases * of["inherited share"](g, n) * perCase[size.families];
        for (let m = 0; m < size.needs; m++) {
          rates[at(g, n, 1) * count + at(g, m, 2)] += spread;
          rates[at(g, n, 1) * count + at(size.families, m, 2)] += inherited;
        }
      }
    }
  };

  // Gaussian elimination with row pivots; `right` has `wide` columns and becomes the solution.
  const solve = (matrix, right, count, wide) => {
    for (let k = 0; k < count; k++) {
      let pivot = k;
      for (let i = k + 1; i < count; i++) {
        if (Math.abs(matrix[i * count + k]) > Math.abs(matrix[pivot * count + k])) pivot = i;
      }
      if (pivot !== k) {
        for (let j = k; j < count; j++) swap(matrix, k * count + j, pivot * count + j);
        for (let j = 0; j < wide; j++) swap(right, k * wide + j, pivot * wide + j);
      }
      for (let i = k + 1; i < count; i++) {
        const factor = matrix[i * count + k] / matrix[k * count + k];
        if (factor === 0) continue;
        for (let j = k; j < count; j++) matrix[i * count + j] -= factor * matrix[k * count + j];
        for (let j = 0; j < wide; j++) right[i * wide + j] -= factor * right[k * wide + j];
      }
    }
    for (let k = count - 1; k >= 0; k--) {
      for (let j = 0; j < wide; j++) {
        let value = right[k * wide + j];
        for (let i = k + 1; i < count; i++) value -= matrix[k * count + i] * right[i * wide + j];
        right[k * wide + j] = value / matrix[k * count + k];
      }
    }
    return right;
  };

  const swap = (numbers, i, j) => {
    const kept = numbers[i];
    numbers[i] = numbers[j];
    numbers[j] = kept;
  };

  return {gainAtFullRate};
})();
