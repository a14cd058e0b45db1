"""Who pays and who gains, year by year: cash flows and the usual figures for each party.

All flows are taken from the model's ledgers at whole years: the flow of year k is the ledger at
year k less the ledger at year k - 1, placed at the end of the year; capital that is there from the
start is year 0. Money is in DKK at 2024 prices. Money still in the fund at the end, and effects
after it, are not counted.

Discounting follows the Danish Ministry of Finance (documentation note of 7 January 2021): a real
rate of 3.5 percent for years 0-35 and 2.5 percent for years 36-70.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

PARTIES = (
    "fund",
    "municipality",
    "region",
    "state",
    "public purse",
    "investors",
    "society",
    "society with wellbeing",
)
ITEMS = (
    "capital paid in",
    "spending of the fund",
    "payments to investors",
    "payments for outcomes",
    "returned savings",
    "interest",
    "savings kept",
    "savings not claimed",
    "capital from outside",
    "avoided resource cost",
    "value of wellbeing",
)
_FIRST_RATE, _FIRST_YEARS, _LATER_RATE = 0.035, 35, 0.025
_PURSES = ("municipality", "region", "state")
_TRANSFERS = "employment"  # benefits are a transfer between citizens: no resource is saved
_CELLS = ("Group", "Need")
Flows = npt.NDArray[np.float64]


def accounts(run: xr.Dataset) -> xr.Dataset:
    """Cash flows and key figures of each party.

    Parameters
    ----------
    run : Dataset
        A run or sweep of the reinvestment model with all its variables.

    Returns
    -------
    Dataset
        "line item" (party, item, year; DKK/year, costs negative): every krone that counts for a
        party. "cost", "benefit", "net cash flow" (party, year; DKK/year). "net present value"
        (DKK), "internal rate of return" (1/year, NaN where there is none), "benefit-cost ratio"
        (Dmnl, of present values; NaN without cost) and "payback year" (year, NaN if never) by
        party. Dimensions of a sweep come first.

    Notes
    -----
    * fund: spending and the investors' share of savings against returned savings and interest;
      capital paid in is its financing. It is paid back when returned savings reach the capital
      paid in.
    * a purse: capital it paid in and outcomes it paid for against savings kept or not claimed.
    * public purse: the purses and the fund as one, so returned savings cancel; capital from
      private investors and foundations is an income, payments to investors a cost.
    * society: spending against avoided cost at average prices in health, justice and social
      services. Benefits paid to citizens are a transfer and left out, and no gain in production is
      counted. "society with wellbeing" adds wellbeing-years at their assumed value.
    """
    items = _line_items(_at_whole_years(run))
    cost = -items.where(items < 0, 0.0).sum("item")
    benefit = items.where(items > 0, 0.0).sum("item")
    result = xr.Dataset({"line item": items, "cost": cost, "benefit": benefit})
    result["net cash flow"] = benefit - cost
    flows = result["net cash flow"]
    factors = discount_factors(flows.sizes["year"] - 1)
    present = xr.DataArray(factors, dims="year")
    result["net present value"] = _by_party(_net_present_value, flows)
    result["internal rate of return"] = _by_party(_internal_rate_of_return, flows)
    discounted_cost = (cost * present).sum("year")
    result["benefit-cost ratio"] = (benefit * present).sum("year") / discounted_cost.where(
        discounted_cost > 0
    )
    payback = _by_party(_payback_year, flows)
    of_fund = xr.apply_ufunc(
        _payback_year,
        _returned_less_paid_in(_at_whole_years(run)),
        input_core_dims=[["year"]],
        vectorize=True,
    )
    result["payback year"] = xr.where(payback["party"] == "fund", of_fund, payback)
    return _described(result)


def discount_factors(years: int) -> Flows:
    """Value today of one krone at the end of each year from 0 to ``years``."""
    year = np.arange(years + 1)
    first = (1 + _FIRST_RATE) ** -np.minimum(year, _FIRST_YEARS)
    later: Flows = first * (1 + _LATER_RATE) ** -np.maximum(year - _FIRST_YEARS, 0.0)
    return later


def bookkeeping(run: xr.Dataset) -> xr.Dataset:
    """Booked two ways: the fund's spending as a running cost, and as an investment.

    Parameters
    ----------
    run : Dataset
        A run or sweep of the reinvestment model.

    Returns
    -------
    Dataset
        "cost", "saving" (claimed and not claimed, all purses) and "result" (DKK/year) over view
        ("running cost", "investment") and year (from 1); "not yet written off" (DKK) over year.
    """
    books = _at_whole_years(run)
    spent = _yearly(books["Cumulated Spent"].sum("Capital")).isel(year=slice(1, None))
    written = _yearly(books["Cumulated Written Off"].sum("Capital")).isel(year=slice(1, None))
    saved = (books["Cumulated Saved"] + books["Cumulated Unclaimed"]).sum("Purse")
    saving = _yearly(saved).isel(year=slice(1, None))
    cost = xr.concat([spent, written], xr.DataArray(["running cost", "investment"], dims="view"))
    cost = cost.assign_coords(view=["running cost", "investment"])
    left = books["Capitalised Investments"].sum("Capital").isel(year=slice(1, None))
    result = xr.Dataset(
        {
            "cost": cost,
            "saving": saving.expand_dims(view=cost["view"]),
            "result": saving - cost,
            "not yet written off": left,
        }
    )
    for name, unit in (("cost", "DKK/year"), ("saving", "DKK/year"), ("result", "DKK/year")):
        result[name].attrs = {"units": unit, "long_name": f"{name} in the accounts"}
    result["not yet written off"].attrs = {"units": "DKK", "long_name": "not yet written off"}
    return result


def _at_whole_years(run: xr.Dataset) -> xr.Dataset:
    last = int(np.floor(float(run["time"][-1]) + 1e-9))
    years = np.arange(last + 1)
    moving = [name for name, array in run.data_vars.items() if "time" in array.dims]
    books = run[moving].sel(time=years, method="nearest").rename(time="year")
    return books.assign_coords(year=years).merge(
        run[[name for name in run.data_vars if name not in moving]]
    )


def _yearly(ledger: xr.DataArray) -> xr.DataArray:
    """Flow of each year; what the ledger holds at the start is the flow of year 0."""
    start = ledger.isel(year=slice(0, 1))
    return xr.concat([start, ledger.diff("year")], "year")


def _line_items(books: xr.Dataset) -> xr.DataArray:
    outside = books["capital from purse"].sum("Purse") == 0
    capital = _yearly(books["Cumulated Paid In"])
    spending = _yearly(books["Cumulated Spent"].sum("Capital"))
    from_savings = _yearly(books["Cumulated Paid To Investors"].sum("Capital"))
    outcomes = _yearly(books["Cumulated Outcome Payments"])
    returned = _yearly(books["Cumulated Returned Savings"].sum("Capital"))
    interest = _yearly(books["Cumulated Interest"].sum("Capital"))
    kept = _yearly(books["Cumulated Kept"])
    unclaimed = _yearly(books["Cumulated Unclaimed"])
    resources = _yearly(
        books["Cumulated Avoided Cost"].drop_sel(Administration=_TRANSFERS).sum("Administration")
    )
    wellbeing = _yearly(books["Cumulated Wellbeing Years"].sum(_CELLS))
    paid_by_purse = _yearly(books["paid in by purse"])
    society = {"spending of the fund": -spending, "avoided resource cost": resources}
    lines: dict[str, dict[str, xr.DataArray]] = {
        "fund": {
            "spending of the fund": -spending,
            "payments to investors": -from_savings,
            "returned savings": returned,
            "interest": interest,
        },
        "public purse": {
            "spending of the fund": -spending,
            "payments to investors": -from_savings,
            "payments for outcomes": -outcomes.sum("Purse"),
            "interest": interest,
            "returned savings": returned,
            "savings kept": kept.sum("Purse"),
            "savings not claimed": unclaimed.sum("Purse"),
            "capital from outside": capital.where(outside, 0.0).sum("Capital"),
        },
        "investors": {
            "capital paid in": -capital.sel(Capital="private investors", drop=True),
            "payments to investors": from_savings,
            "payments for outcomes": outcomes.sum("Purse"),
        },
        "society": society,
        "society with wellbeing": society
        | {"value of wellbeing": wellbeing * books["value of a wellbeing year"]},
    }
    for purse in _PURSES:
        lines[purse] = {
            "capital paid in": -paid_by_purse.sel(Purse=purse, drop=True),
            "payments for outcomes": -outcomes.sel(Purse=purse, drop=True),
            "savings kept": kept.sel(Purse=purse, drop=True),
            "savings not claimed": unclaimed.sel(Purse=purse, drop=True),
        }
    return _stacked(lines, xr.zeros_like(spending))


def _stacked(
    lines: Mapping[str, Mapping[str, xr.DataArray]], nothing: xr.DataArray
) -> xr.DataArray:
    parties = [
        xr.concat([lines[party].get(item, nothing) for item in ITEMS], "item") for party in PARTIES
    ]
    table = xr.concat(parties, "party").assign_coords(party=list(PARTIES), item=list(ITEMS))
    return table.transpose(..., "party", "item", "year")


def _returned_less_paid_in(books: xr.Dataset) -> xr.DataArray:
    returned = _yearly(books["Cumulated Returned To Fund"].sum("Purse"))
    return returned - _yearly(books["Cumulated Paid In"].sum("Capital"))


def _by_party(function: Callable[[Flows], float], flows: xr.DataArray) -> xr.DataArray:
    return xr.apply_ufunc(function, flows, input_core_dims=[["year"]], vectorize=True)


def _net_present_value(flows: Flows) -> float:
    import numpy_financial as npf

    value = float(npf.npv(_FIRST_RATE, flows[: _FIRST_YEARS + 1]))
    later = flows[_FIRST_YEARS + 1 :]
    if later.size:
        # npv does not discount its first flow; here that is year 35, which is counted above
        tail = float(npf.npv(_LATER_RATE, np.concatenate([[0.0], later])))
        value += tail * (1 + _FIRST_RATE) ** -_FIRST_YEARS
    return value


def _internal_rate_of_return(flows: Flows) -> float:
    import numpy_financial as npf

    if not (flows.max() > 0 > flows.min()):
        return float("nan")
    return float(npf.irr(flows / abs(flows).max()))


def _payback_year(flows: Flows) -> float:
    """Year from which the sum of flows, once negative, is no longer so; linear within a year."""
    total = np.cumsum(flows)
    below = np.flatnonzero(total < -1e-9 * abs(flows).max(initial=0.0))
    if not below.size:
        return float("nan")
    back = np.flatnonzero(total[below[0] :] >= 0)
    if not back.size:
        return float("nan")
    year = int(below[0] + back[0])
    return float(year - 1 + total[year - 1] / (total[year - 1] - total[year]))


def _described(result: xr.Dataset) -> xr.Dataset:
    described: dict[str, tuple[str, str]] = {
        "line item": ("DKK/year", "line of the cash-flow table"),
        "cost": ("DKK/year", "cost"),
        "benefit": ("DKK/year", "benefit"),
        "net cash flow": ("DKK/year", "net cash flow"),
        "net present value": ("DKK", "net present value"),
        "internal rate of return": ("1/year", "internal rate of return"),
        "benefit-cost ratio": ("Dmnl", "benefit-cost ratio"),
        "payback year": ("year", "payback year"),
    }
    for name, (unit, long_name) in described.items():
        result[name].attrs = {"units": unit, "long_name": long_name}
    attrs: dict[str, Any] = {
        "price year": 2024,
        "discount rate": "3.5 percent for years 0-35, 2.5 percent after (real)",
    }
    result.attrs = attrs
    return result
