"use strict";
// The few numbers by which proposals are compared, as a table and on the ballot.

kredslob.headlines = (() => {
  const {word, language} = kredslob;
  const CAPITAL = "Capital", INVESTORS = "private investors";
  const known = new Map();

  kredslob.model.want(
    "total cash", "Cumulated Kept", "Cumulated Unclaimed", "Cumulated Returned To Fund",
    "Cumulated Paid In", "Cumulated Paid To Investors", "Cumulated Outcome Payments",
    "Cumulated Written Off", "Cumulated Spent",
  );

  // What a policy comes to; runs that were made before are remembered.
  const figures = (policy) => {
    const key = JSON.stringify(policy);
    if (!known.has(key)) known.set(key, ofRun(kredslob.model.run(policy)));
    return known.get(key);
  };

  const ofRun = (run, outcomes = kredslob.outcomes(run)) => {
    const investors = kredslob.known.ranges[CAPITAL].indexOf(INVESTORS);
    return {
      ...outcomes,
      fundAtEnd: run.total("total cash"),
      returned: run.total("Cumulated Returned To Fund"),
      kept: run.total("Cumulated Kept"),
      unseen: run.total("Cumulated Unclaimed"),
      paidIn: Array.from(run.at("Cumulated Paid In")),
      investorsIn: run.at("Cumulated Paid In")[investors],
      investorsOut: run.total("Cumulated Paid To Investors") + run.total("Cumulated Outcome Payments"),
    };
  };

  // Rows of [key, label, text, number].
  const rows = (found) => {
    const {money, number, percent} = language;
    const row = (key, text, value, values) => [key, word(`workshop.compare.${key}`, values), text, value];
    return [
      row("carries", word(found.verdict), found.gain),
      row("fund", money(found.fundAtEnd), found.fundAtEnd, {years: found.years}),
      row("helped", number(found.helped), found.helped),
      row("complex", percent(found.complexHelp), found.complexHelp),
      row("payback", paybackOf(found.payback), found.payback),
      row("npv", money(found.netPresentValue), found.netPresentValue),
      row("returned", money(found.returned), found.returned),
      row("kept", money(found.kept), found.kept),
      row("investors", money(found.investorsOut), found.investorsOut),
    ];
  };

  const paybackOf = (year) =>
    Number.isFinite(year)
      ? word("workshop.number.payback_year", {year: language.number(year, 1)})
      : word("workshop.number.payback_never");

  return {figures, ofRun, rows};
})();
