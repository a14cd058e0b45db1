"""Which reinvestment rate is best depends on the goal: the best rate of each, and what others lose.

A fund that is to last, citizens to be helped and budgets to be relieved pull the rate in different
directions. All is read from one sweep over the rate.
"""

from __future__ import annotations

import xarray as xr

from kredslob.cycle.accounts import LEDGERS, fund_payback_year
from kredslob.cycle.needed import check_variables
from kredslob.errors import ParameterError

RATE = "reinvestment rate"
GOAL_VARIABLES = (
    *LEDGERS,
    "Cumulated Completions",
    "capital from purse",
    "total cash",
    "value of a wellbeing year",
)
"""What `goals` and the accounts read of a run, to be saved where many are made."""
_ALIKE = 1e-9  # of the best, or of the capital: less is a difference of rounding


def goals(runs: xr.Dataset) -> xr.Dataset:
    """Read from a sweep which reinvestment rate is best for which goal.

    Parameters
    ----------
    runs : Dataset
        A sweep of the reinvestment model over the reinvestment rate, saved at every whole year,
        with `GOAL_VARIABLES`. The finer the sweep, the closer the best rates.

    Returns
    -------
    Dataset
        Over the reinvestment rate:

        * "payback year" (year): when returned savings reach the capital paid in; NaN if never;
        * "share repaid" (Dmnl): returned savings over capital paid in, at the end;
        * "peak fund" (DKK): the most cash at a whole year, the start included;

        over goal and rate:

        * "reached", in the goal's own unit (coordinate "unit"): the fund's cash at the end,
          citizens helped (courses carried through), those with complex need among them, and the
          relief of each purse and of all, which is savings kept and savings unclaimed, less
          payments for outcomes (capital paid in is the same at all rates, and left out);
        * "part of best" (Dmnl): the same over its value at the goal's best rate;

        over goal: "best rate" (Dmnl), the lowest if several are alike;

        over goal and other: "loss" (Dmnl), the part of its own best that the other goal loses at
        the best rate of the goal.

        All but "reached" is NaN for a goal that is above zero at no rate.

    Raises
    ------
    ParameterError
        The runs are no sweep over the rate, lack a variable, or are not saved at every whole year.

    Examples
    --------
    >>> levers = {"reinvestment rate": [0, 0.5, 1]}
    >>> runs = kredslob.sweep(kredslob.load(), levers=levers, years=20)
    >>> found = kredslob.goals(runs)
    >>> float(found["best rate"].sel(goal="citizens helped"))
    1.0
    """
    check_variables("goals", runs, GOAL_VARIABLES)
    if RATE not in runs.dims:
        raise ParameterError(f"goals: found no dimension '{RATE}', expected a sweep over it")
    end = runs.isel(time=-1, drop=True)
    reached = _reached(end)
    paid_in = end["Cumulated Paid In"].sum("Capital")
    best = reached.max(RATE)
    least = xr.where(reached["unit"] == "DKK", _ALIKE * float(paid_in.max()), 0.0)
    some = best > least
    part = reached / best.where(some)
    place = (part >= 1 - _ALIKE).argmax(RATE)
    at_best = part.rename(goal="other").drop_vars("unit").isel({RATE: place}).where(some)
    returned = end["Cumulated Returned To Fund"].sum("Purse")
    found = xr.Dataset(
        {
            "payback year": fund_payback_year(runs),
            "share repaid": returned / paid_in,
            "peak fund": runs["total cash"].max("time"),
            "reached": reached,
            "part of best": part,
            "best rate": runs[RATE].isel({RATE: place}).drop_vars(RATE).where(some),
            "loss": (1 - at_best).drop_vars(RATE).transpose("goal", "other"),
        },
        attrs=runs.attrs,
    )
    for name, (units, long_name) in _DESCRIPTIONS.items():
        found[name].attrs = {"units": units, "long_name": long_name}
    return found


_DESCRIPTIONS = {
    "payback year": ("year", "year in which the fund has its capital back"),
    "share repaid": ("Dmnl", "returned savings over capital paid in, at the end"),
    "peak fund": ("DKK", "most cash in the fund at a whole year"),
    "reached": ("see coordinate unit", "what is reached of each goal"),
    "part of best": ("Dmnl", "what is reached of each goal, over its best"),
    "best rate": ("Dmnl", "best reinvestment rate for the goal"),
    "loss": ("Dmnl", "part of its best that the other goal loses at the best rate of the goal"),
}


def _reached(end: xr.Dataset) -> xr.DataArray:
    helped = end["Cumulated Completions"].sum("Group")
    relief = end["Cumulated Kept"] + end["Cumulated Unclaimed"] - end["Cumulated Outcome Payments"]
    by_goal = {
        "fund at the end": (end["total cash"], "DKK"),
        "citizens helped": (helped.sum("Need"), "person"),
        "complex need helped": (helped.sel(Need="complex", drop=True), "person"),
    }
    for purse in end["Purse"].values:
        by_goal[f"relief of {purse}"] = (relief.sel(Purse=purse, drop=True), "DKK")
    by_goal["relief in all"] = (relief.sum("Purse"), "DKK")
    values = xr.concat([v for v, _ in by_goal.values()], "goal", coords="minimal")
    units = ("goal", [unit for _, unit in by_goal.values()])
    return values.transpose("goal", RATE).assign_coords(goal=list(by_goal), unit=units)
