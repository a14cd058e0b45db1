"""What a run must answer, in a dozen figures a rate."""

from __future__ import annotations

import xarray as xr

from kredslob.cycle.accounts import accounts
from kredslob.cycle.equity import equity
from kredslob.cycle.needed import check_variables
from kredslob.cycle.threshold import sustaining

RATE = "reinvestment rate"
_YEARS_SHOWN = (10, 20, 40)
_CELLS = ("Group", "Need")
_NEEDED = (
    "Cumulated Completions",
    "Cumulated Kept",
    "Cumulated Lifted",
    "Cumulated Unclaimed",
    "Cumulated Wellbeing Years",
    "paid in by purse",
    "reinvestment rate in force",
    "total cash",
)


def summary(runs: xr.Dataset) -> xr.Dataset:
    """Sum up runs of the reinvestment model.

    Parameters
    ----------
    runs : Dataset
        A sweep over the reinvestment rate, or one run.

    Returns
    -------
    Dataset
        Over the reinvestment rate (one run: its own rate at the end): the fund's cash at years 10,
        20 and 40 as far as the run goes and at its end (DKK), citizens helped (courses carried
        through) and lifted (persons), wellbeing-years gained, share of help to complex need, net
        saving of each purse over the horizon (DKK: kept and unseen savings less capital paid in),
        payback year of the fund, net present value of the public purse (DKK), coverage,
        self-sustaining, loop gain and critical rate (see `kredslob.cycle.threshold.sustaining`).

    Raises
    ------
    ParameterError
        The runs lack a variable or a whole year.

    Examples
    --------
    >>> levers = {"reinvestment rate": [0, 0.5, 1]}
    >>> runs = kredslob.sweep(kredslob.load(), levers=levers, years=20)
    >>> kredslob.summary(runs)["citizens helped"].round().values
    array([ 85.,  96., 107.])
    """
    check_variables("summary", runs, _NEEDED)
    runs = with_rate(runs)
    end = runs.isel(time=-1, drop=True)
    books = accounts(runs)
    data: dict[str, xr.DataArray] = {}
    for year in _YEARS_SHOWN:
        if year <= float(runs["time"][-1]):
            cash = runs["total cash"].sel(time=year, method="nearest", drop=True)
            data[f"fund at year {year}"] = _as(cash, "DKK", f"the fund's cash at year {year}")
    helped = end["Cumulated Completions"].sum(_CELLS)
    lifted = end["Cumulated Lifted"].sum(_CELLS)
    gained = end["Cumulated Wellbeing Years"].sum(_CELLS)
    saving = end["Cumulated Kept"] + end["Cumulated Unclaimed"] - end["paid in by purse"]
    data["citizens helped"] = _as(helped, "person", "citizens who carried a course through")
    data["citizens lifted"] = _as(
        lifted, "person", "citizens lifted who would not have recovered anyway"
    )
    data["wellbeing years"] = _as(gained, "wellbeing year", "wellbeing-years gained")
    data["share to complex need"] = equity(runs)["share of help to complex need"]
    data["net saving"] = _as(saving, "DKK", "net saving of each purse over the horizon")
    data["payback year"] = books["payback year"].sel(party="fund", drop=True)
    data["net present value"] = books["net present value"].sel(party="public purse", drop=True)
    result = xr.Dataset(data).merge(sustaining(runs), compat="override")
    result.attrs = dict(runs.attrs)
    return result


def with_rate(runs: xr.Dataset) -> xr.Dataset:
    """Give one run the dimension of a sweep: its reinvestment rate at the end."""
    if RATE in runs.dims:
        return runs
    rate = float(runs["reinvestment rate in force"].isel(time=-1))
    others = {name: v for name, v in runs.data_vars.items() if name != RATE}
    steady = [name for name, v in others.items() if "time" not in v.dims]
    moving = [name for name, v in others.items() if "time" in v.dims]
    swept = runs[moving].expand_dims({RATE: [rate]})
    swept[RATE].attrs = {"units": "Dmnl", "long_name": RATE}
    return xr.merge([swept, runs[steady]], combine_attrs="override")


def _as(array: xr.DataArray, units: str, long_name: str) -> xr.DataArray:
    array.attrs = {"units": units, "long_name": long_name}
    return array
