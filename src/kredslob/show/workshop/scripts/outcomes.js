"use strict";
// What a run comes to: the figures that `kredslob run` prints, by the rules of kredslob.cycle.

kredslob.outcomes = (() => {
  const {want} = kredslob.model;
  const YEARS_SHOWN = [10, 20, 40];
  const NEARLY = 0.9; // loop gain from which a cycle that does not carry itself is called near
  const LAST_PART = 0.25, EMPTY = 0.01;
  const FIRST_RATE = 0.035, FIRST_YEARS = 35, LATER_RATE = 0.025; // Ministry of Finance, 2021
  const NEGLIGIBLE = 1e-9;

  want(
    "total cash", "Cumulated Completions", "Cumulated Lifted", "Cumulated Wellbeing Years",
    "Cumulated Starts", "counterfactual eligible", "Cumulated Kept", "Cumulated Unclaimed",
    "paid in by purse", "Cumulated Paid In", "Cumulated Returned To Fund", "Cumulated Spent",
    "Cumulated Returned Savings", "Cumulated Interest", "Cumulated Paid To Investors",
    "Cumulated Outcome Payments", "Cumulated Saved", "capital from purse", "reinvestment rate in force",
  );

  const outcomes = (run) => {
    const fullGain = kredslob.chain.gainAtFullRate(run);
    const gain = fullGain * run.at("reinvestment rate in force")[0];
    const {coverage, margin} = carrying(run);
    const sustaining = margin >= 0;
    const fundAt = {};
    for (const year of YEARS_SHOWN) if (year <= run.years) fundAt[year] = run.totalAtYear("total cash", year);
    return {
      years: run.years,
      rate: run.at("reinvestment rate in force")[0],
      fundAt,
      helped: run.total("Cumulated Completions"),
      lifted: run.total("Cumulated Lifted"),
      wellbeingYears: run.total("Cumulated Wellbeing Years"),
      ...equity(run),
      netSaving: netSaving(run),
      payback: payback(run),
      netPresentValue: publicValue(run),
      gain,
      critical: fullGain > 0 ? 1 / fullGain : Infinity,
      coverage,
      margin,
      sustaining,
      verdict: sustaining ? "yes" : gain >= NEARLY ? "nearly" : "no",
    };
  };

  const carrying = (run) => {
    const start = run.times[0] + (1 - LAST_PART) * (run.times[run.last] - run.times[0]);
    const from = nearest(run.times, start);
    const change = (name) => run.total(name) - run.total(name, from);
    const spent = change("Cumulated Spent");
    const came = change("Cumulated Returned Savings") + change("Cumulated Interest") - change("Cumulated Paid To Investors");
    const coverage = spent > 0 ? came / spent : 0;
    const least = EMPTY * run.total("Cumulated Paid In");
    const held = least > 0 ? run.at("total cash")[0] / least : 0;
    return {coverage, margin: Math.min(coverage, held) - 1};
  };

  const nearest = (times, wanted) => {
    let found = 0;
    for (let i = 1; i < times.length; i++) {
      if (Math.abs(times[i] - wanted) < Math.abs(times[found] - wanted)) found = i;
    }
    return found;
  };

  const equity = (run) => {
    const {Need} = kredslob.known.ranges;
    const complex = Need.indexOf("complex");
    const starts = run.at("Cumulated Starts");
    const need = new Float64Array(starts.length);
    for (let step = 1; step <= run.last; step++) {
      const before = run.at("counterfactual eligible", step - 1), now = run.at("counterfactual eligible", step);
      const half = (run.times[step] - run.times[step - 1]) / 2;
      for (let i = 0; i < need.length; i++) need[i] += half * (before[i] + now[i]);
    }
    const help = shares(starts), needed = shares(need);
    const ofComplex = (all) => all.reduce((total, share, i) => total + (i % Need.length === complex ? share : 0), 0);
    return {
      helpShares: help, needShares: needed,
      complexHelp: ofComplex(help), complexNeed: ofComplex(needed),
    };
  };

  const shares = (amounts) => {
    const total = kredslob.model.sum(amounts);
    return Array.from(amounts, (amount) => (total > 0 ? amount / total : NaN));
  };

  const netSaving = (run) => {
    const kept = run.at("Cumulated Kept"), unseen = run.at("Cumulated Unclaimed"), paid = run.at("paid in by purse");
    return Object.fromEntries(kredslob.known.ranges.Purse.map((purse, p) => [purse, kept[p] + unseen[p] - paid[p]]));
  };

  // First year in which returned savings reach the capital paid in; linear between whole years.
  const payback = (run) => {
    const years = Array.from({length: run.years + 1}, (_, year) => year);
    const cost = years.map((year) => run.totalAtYear("Cumulated Paid In", year));
    const benefit = years.map((year) => run.totalAtYear("Cumulated Returned To Fund", year));
    const slack = NEGLIGIBLE * Math.max(...cost.map(Math.abs), ...benefit.map(Math.abs));
    const year = years.find((y) => cost[y] > slack && cost[y] - benefit[y] <= slack);
    if (year === undefined) return NaN;
    const before = year > 0 ? cost[year - 1] - benefit[year - 1] : 0;
    if (!(before > slack)) return year;
    return year - 1 + before / (before - Math.min(cost[year] - benefit[year], 0));
  };

  // Of all purses and the fund as one, without what they pay each other.
  const publicValue = (run) => {
    const purses = kredslob.known.ranges.Purse.length;
    const fromPurse = run.at("capital from purse");
    const ledger = (year) => {
      const total = (name) => run.totalAtYear(name, year);
      const paidIn = run.atYear("Cumulated Paid In", year);
      let outside = 0;
      for (let c = 0; c < paidIn.length; c++) {
        const inside = kredslob.model.sum(fromPurse.subarray(c * purses, (c + 1) * purses));
        outside += paidIn[c] * (1 - inside);
      }
      return (
        total("Cumulated Interest") + total("Cumulated Saved") + total("Cumulated Unclaimed") + outside -
        total("Cumulated Spent") - total("Cumulated Paid To Investors") - total("Cumulated Outcome Payments")
      );
    };
    let value = ledger(0);
    for (let year = 1; year <= run.years; year++) value += discount(year) * (ledger(year) - ledger(year - 1));
    return value;
  };

  const discount = (year) =>
    (1 + FIRST_RATE) ** -Math.min(year, FIRST_YEARS) * (1 + LATER_RATE) ** -Math.max(year - FIRST_YEARS, 0);

  return outcomes;
})();
