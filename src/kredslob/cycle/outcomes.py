"""What studies ask of the reinvestment model: a dozen outcomes a run."""

from __future__ import annotations

import xarray as xr

from kredslob.cycle.accounts import LEDGERS, fund_payback_year, net_present_values
from kredslob.cycle.threshold import GAIN_VARIABLES, late_coverage, loop_gain, margin

OUTCOME_VARIABLES = tuple(
    dict.fromkeys(
        (
            *LEDGERS,
            *GAIN_VARIABLES,
            "Cumulated Completions",
            "Cumulated Lifted",
            "Cumulated Wellbeing Years",
            "capital from purse",
            "total cash",
            "value of a wellbeing year",
        )
    )
)
"""Variables that `cycle_outcomes` reads, saved at whole years."""


def cycle_outcomes(runs: xr.Dataset) -> xr.Dataset:
    """Read the outcomes of runs of the reinvestment model.

    Parameters
    ----------
    runs : Dataset
        Runs with `OUTCOME_VARIABLES`, saved at every whole year.

    Returns
    -------
    Dataset
        Over the dimensions of the runs other than time: "fund at the end" (DKK), "citizens helped"
        and "complex need helped" (person), "wellbeing years", "relief of PURSE" and "relief in
        all" (DKK: savings kept and unclaimed less payments for outcomes), "net present value of
        PARTY" (DKK, see `kredslob.cycle.accounts.net_present_values`), "payback year" (NaN if
        never), "late coverage" and "loop gain" (Dmnl), and "carries itself" (1 or 0).
    """
    end = runs.isel(time=-1, drop=True)
    helped = end["Cumulated Completions"].sum("Group")
    relief = end["Cumulated Kept"] + end["Cumulated Unclaimed"] - end["Cumulated Outcome Payments"]
    values = net_present_values(runs)
    found = {
        "fund at the end": (end["total cash"], "DKK"),
        "citizens helped": (helped.sum("Need"), "person"),
        "complex need helped": (helped.sel(Need="complex", drop=True), "person"),
        "wellbeing years": (
            end["Cumulated Wellbeing Years"].sum(("Group", "Need")),
            "wellbeing year",
        ),
        "relief in all": (relief.sum("Purse"), "DKK"),
        "payback year": (fund_payback_year(runs), "year"),
        "late coverage": (late_coverage(runs), "Dmnl"),
        "loop gain": (loop_gain(runs), "Dmnl"),
        "carries itself": ((margin(runs) >= 0).astype(float), "Dmnl"),
    }
    for purse in end["Purse"].values:
        found[f"relief of {purse}"] = (relief.sel(Purse=purse, drop=True), "DKK")
    for party in values["party"].values:
        found[f"net present value of {party}"] = (values.sel(party=party, drop=True), "DKK")
    named = {
        name: value.assign_attrs(units=unit, long_name=name)
        for name, (value, unit) in found.items()
    }
    return xr.Dataset(named)
