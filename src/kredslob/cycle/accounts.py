"""Who pays and who gains, year by year: cash flows and the usual figures of each party.

All flows come from the model's ledgers at whole years: the flow of year k is the ledger at year k
less the ledger at year k - 1, placed at the end of the year; what a ledger holds at the start is
the flow of year 0. Money is in DKK at 2024 prices.

Not counted: money still in the fund at the end, effects after the last year, production gained by
citizens in work, and what raising taxes costs society.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import xarray as xr

from kredslob.cycle.needed import check_variables
from kredslob.errors import ParameterError

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
    "spending",
    "capital paid in",
    "payments to investors",
    "payments for outcomes",
    "returned savings",
    "kept savings",
    "identified savings",
    "unclaimed savings",
    "interest",
    "capital from outside",
    "avoided cost",
    "wellbeing",
)
DISCOUNT_RULE = (
    "Danish Ministry of Finance, 7 January 2021: 3.5 percent real for years 0-35, "
    "2.5 percent for years 36-70"
)
_FIRST_RATE, _FIRST_YEARS, _LATER_RATE = 0.035, 35, 0.025
LAST_YEAR = 70  # as far as the discount rule reaches
_PURSES = ("municipality", "region", "state")
_INVESTORS = "private investors"
_RESOURCES = ["health", "justice", "social"]  # employment: benefits are a transfer to citizens
_CELLS = ("Group", "Need")
LEDGERS = (
    "Cumulated Avoided Cost",
    "Cumulated Interest",
    "Cumulated Kept",
    "Cumulated Outcome Payments",
    "Cumulated Paid In",
    "Cumulated Paid To Investors",
    "Cumulated Returned Savings",
    "Cumulated Returned To Fund",
    "Cumulated Saved",
    "Cumulated Spent",
    "Cumulated Unclaimed",
    "Cumulated Wellbeing Years",
    "paid in by purse",
)
"""What `accounts` reads over time, to be saved where many runs are made."""
_REPAID = ("Cumulated Paid In", "Cumulated Returned To Fund")
_BOOKED = (
    "Capitalised Investments",
    "Cumulated Saved",
    "Cumulated Spent",
    "Cumulated Unclaimed",
    "Cumulated Written Off",
)
_NEGLIGIBLE = 1e-9  # of the largest amount: what is left of differences of ledgers by rounding

Flows = npt.NDArray[np.float64]


def accounts(runs: xr.Dataset) -> xr.Dataset:
    """Cash flows and key figures of each party.

    Parameters
    ----------
    runs : Dataset
        A run or sweep of the reinvestment model, saved at least at every whole year from 0 and no
        longer than 70 years.

    Returns
    -------
    Dataset
        Over party and year: "cost", "benefit" and "net cash flow" (DKK/year; year 0: at the
        start). Over party, item and year: "line item" (DKK/year; costs negative), every krone that
        counts for a party; the sum over items is the net cash flow. Over party:

        * "net present value" (DKK), see `discount_factors`;
        * "internal rate of return" (1/year); NaN if the party does not lay out money first, or if
          no rate solves; the rate nearest zero if several do;
        * "benefit-cost ratio" (Dmnl), of present values; NaN without cost;
        * "payback year" (year): the first year in which cumulated benefit reaches cumulated cost,
          linear between whole years; NaN without cost and if it never does.

        Dimensions of a sweep come first.

    Raises
    ------
    ParameterError
        The run lacks a ledger or a whole year, or is longer than the discount rule reaches.

    Notes
    -----
    * fund: cost is spending and what it pays investors out of savings; benefit is returned savings
      and interest. Capital paid in is its financing, no benefit. Its payback year is by the
      model's own rule: returned savings reach the capital paid in.
    * municipality, region, state: cost is the capital and the outcomes that the purse pays for;
      benefit is savings kept and savings that nobody claimed.
    * public purse: the purses and the fund as one. Returned savings and the purses' own capital
      are transfers within it and cancel. Benefit is identified and unclaimed savings, interest and
      capital from outside (private investors, foundations); cost is spending and all payments to
      investors. It follows that its net cash flow is that of the purses and the fund together,
      plus all capital paid in.
    * investors: capital paid in against all that they are paid.
    * society: spending against the cost avoided, at average cost, in health, justice and social
      services. Benefits paid to citizens are a transfer and left out, and so are all payments
      between fund, purses and investors. No gain in production is counted, which is cautious.
    * society with wellbeing: also wellbeing-years at the model's value of a wellbeing year.

    Examples
    --------
    >>> run = kredslob.load().run(reinvestment_rate=0.5, years=20)
    >>> books = kredslob.accounts(run)
    >>> million = books["net present value"].sel(party=["fund", "public purse"]) / 1e6
    >>> million.round(1).values
    array([-10.9,  -3.2])
    """
    books = _books(runs)
    factors = _factors(books)
    nothing = xr.zeros_like(books["Cumulated Spent"].sum("Capital"))
    costs = _table(_costs(books), nothing)
    benefits = _table(_benefits(books), nothing)
    cost, benefit = costs.sum("item"), benefits.sum("item")
    flows = benefit - cost
    present_cost = (cost * factors).sum("year")
    result = xr.Dataset(
        {
            "cost": cost,
            "benefit": benefit,
            "net cash flow": flows,
            "line item": benefits - costs,
            "net present value": (flows * factors).sum("year"),
            "internal rate of return": xr.apply_ufunc(
                _internal_rate_of_return, flows, input_core_dims=[["year"]], vectorize=True
            ),
            "benefit-cost ratio": (benefit * factors).sum("year")
            / present_cost.where(present_cost > 0),
            "payback year": _payback_years(books, cost, benefit),
        }
    )
    return _described(result)


def net_present_values(runs: xr.Dataset) -> xr.DataArray:
    """Net present value of each party, without the other figures: for thousands of runs.

    Parameters
    ----------
    runs : Dataset
        As for `accounts`.

    Returns
    -------
    DataArray
        DKK, over party, after the dimensions of a sweep; as in `accounts`.

    Raises
    ------
    ParameterError
        As for `accounts`.
    """
    books = _books(runs)
    factors = _factors(books)
    costs, benefits = _costs(books), _benefits(books)
    values = [_present(benefits[p], factors) - _present(costs[p], factors) for p in PARTIES]
    parties = xr.DataArray(list(PARTIES), dims="party", name="party")
    found = xr.concat(xr.broadcast(*values), parties).transpose(..., "party")
    return found.assign_attrs(units="DKK", long_name="net present value")


def fund_payback_year(runs: xr.Dataset) -> xr.DataArray:
    """Year in which returned savings reach the capital paid in, as in `accounts`.

    Parameters
    ----------
    runs : Dataset
        A run or sweep with "Cumulated Paid In" and "Cumulated Returned To Fund" at whole years.

    Returns
    -------
    DataArray
        Years from the start, linear between whole years; NaN if never.

    Raises
    ------
    ParameterError
        The run lacks a ledger or a whole year.
    """
    books = _at_whole_years(_only(runs, _REPAID, "payback"))
    found = _fund_payback(books).rename("payback year")
    return found.assign_attrs(units="year", long_name="payback year of the fund")


def discount_factors(years: int) -> Flows:
    """Value today of one krone at the end of each year.

    Parameters
    ----------
    years : int
        Last year, 0 to 70.

    Returns
    -------
    array
        Factor (Dmnl) of each year from 0 to ``years``; that of year 0 is 1.

    Raises
    ------
    ParameterError
        The year is outside the rule.

    Notes
    -----
    Danish Ministry of Finance, documentation note of 7 January 2021: a real rate of 3.5 percent
    for years 0-35 and 2.5 percent for years 36-70; the factor of year 36 is that of year 35
    divided by 1.025.
    https://www.pdfdrive.to/dl/dokumentationsnotat-for-den-samfundsoekonomiske-diskonteringsrente-7-januar-2021
    """
    if not 0 <= years <= LAST_YEAR:
        raise ParameterError(
            f"discounting: found {years} years; the discount rule covers 0 to {LAST_YEAR}"
        )
    year = np.arange(years + 1)
    first = (1 + _FIRST_RATE) ** -np.minimum(year, _FIRST_YEARS).astype(float)
    later = (1 + _LATER_RATE) ** -np.maximum(year - _FIRST_YEARS, 0).astype(float)
    factors: Flows = first * later
    return factors


def bookkeeping(runs: xr.Dataset) -> xr.Dataset:
    """Book the same money as a running cost, and as an investment that is written off.

    Parameters
    ----------
    runs : Dataset
        A run or sweep of the reinvestment model, saved at least at every whole year from 0.

    Returns
    -------
    Dataset
        Over view ("running cost", "investment") and year (from 1): "cost" (the spending of the
        year, or what is written off that year), "saving" (of all purses, identified or not) and
        "result" (saving less cost), all DKK/year. Over year: "not yet written off" (DKK, at the
        end of the year; belongs to the investment view). Dimensions of a sweep come first.

    Raises
    ------
    ParameterError
        The run lacks a ledger or a whole year.

    Examples
    --------
    >>> run = kredslob.load().run(reinvestment_rate=0.5, years=10)
    >>> books = kredslob.bookkeeping(run)
    >>> (books["result"].sel(year=1) / 1e6).round(1).to_series()
    view
    running cost   -4.8
    investment     -0.4
    Name: result, dtype: float64
    """
    books = _at_whole_years(_only(runs, _BOOKED, "bookkeeping"))
    views = xr.DataArray(["running cost", "investment"], dims="view", name="view")
    ledgers = [books[name].sum("Capital") for name in ("Cumulated Spent", "Cumulated Written Off")]
    cost = xr.concat(ledgers, views).diff("year")
    saved = (books["Cumulated Saved"] + books["Cumulated Unclaimed"]).sum("Purse").diff("year")
    result = xr.Dataset(
        {
            "cost": cost,
            "saving": saved.expand_dims(view=views),
            "result": saved - cost,
        }
    ).transpose(..., "view", "year")
    result["not yet written off"] = (
        books["Capitalised Investments"].sum("Capital").sel(year=result["year"])
    )
    for name, unit, long_name in (
        ("cost", "DKK/year", "cost in the accounts"),
        ("saving", "DKK/year", "saving in the accounts"),
        ("result", "DKK/year", "result in the accounts"),
        ("not yet written off", "DKK", "investments not yet written off"),
        ("year", "year", "year"),
    ):
        result[name].attrs = {"units": unit, "long_name": long_name}
    result.attrs = {"price year": 2024}
    return result


def _books(runs: xr.Dataset) -> xr.Dataset:
    needed = (*LEDGERS, "capital from purse", "value of a wellbeing year")
    return _at_whole_years(_only(runs, needed, "accounts"))


def _factors(books: xr.Dataset) -> xr.DataArray:
    return xr.DataArray(discount_factors(int(books["year"][-1])), dims="year")


def _only(runs: xr.Dataset, names: tuple[str, ...], what: str) -> xr.Dataset:
    check_variables(what, runs, names)
    return runs[list(names)]


def _at_whole_years(runs: xr.Dataset) -> xr.Dataset:
    last = int(np.floor(float(runs["time"][-1]) + 1e-6))
    years = np.arange(last + 1)
    moving = [name for name, array in runs.data_vars.items() if "time" in array.dims]
    try:
        at_years = runs[moving].sel(time=years, method="nearest", tolerance=1e-6)
    except KeyError:
        raise ParameterError(
            "accounts: the run is not saved at every whole year from 0; "
            "choose a saveper that divides a year"
        ) from None
    books = at_years.rename(time="year").assign_coords(year=years)
    return books.merge(runs.drop_vars(moving).drop_dims("time"))


def _costs(books: xr.Dataset) -> dict[str, dict[str, xr.DataArray]]:
    """List what each party pays in each year, by line item."""
    spending = {"spending": _yearly(books["Cumulated Spent"].sum("Capital"))}
    to_investors = {
        "payments to investors": _yearly(books["Cumulated Paid To Investors"].sum("Capital"))
    }
    outcomes = _yearly(books["Cumulated Outcome Payments"])
    by_purse = _yearly(books["paid in by purse"])
    invested = _yearly(books["Cumulated Paid In"].sel(Capital=_INVESTORS, drop=True))
    return {
        "fund": spending | to_investors,
        "public purse": spending | to_investors | {"payments for outcomes": outcomes.sum("Purse")},
        "investors": {"capital paid in": invested},
        "society": spending,
        "society with wellbeing": spending,
    } | {
        purse: {
            "capital paid in": by_purse.sel(Purse=purse, drop=True),
            "payments for outcomes": outcomes.sel(Purse=purse, drop=True),
        }
        for purse in _PURSES
    }


def _benefits(books: xr.Dataset) -> dict[str, dict[str, xr.DataArray]]:
    """List what each party gains in each year, by line item."""
    interest = {"interest": _yearly(books["Cumulated Interest"].sum("Capital"))}
    kept = _yearly(books["Cumulated Kept"])
    unclaimed = _yearly(books["Cumulated Unclaimed"])
    # the part of each kind of capital that no purse pays in
    outside = 1 - books["capital from purse"].sum("Purse")
    avoided = _yearly(
        books["Cumulated Avoided Cost"].sel(Administration=_RESOURCES).sum("Administration")
    )
    wellbeing = _yearly(books["Cumulated Wellbeing Years"].sum(_CELLS))
    return {
        "fund": interest
        | {"returned savings": _yearly(books["Cumulated Returned Savings"].sum("Capital"))},
        "public purse": interest
        | {
            "identified savings": _yearly(books["Cumulated Saved"].sum("Purse")),
            "unclaimed savings": unclaimed.sum("Purse"),
            "capital from outside": (_yearly(books["Cumulated Paid In"]) * outside).sum("Capital"),
        },
        "investors": {
            "payments to investors": _yearly(books["Cumulated Paid To Investors"].sum("Capital")),
            "payments for outcomes": _yearly(books["Cumulated Outcome Payments"].sum("Purse")),
        },
        "society": {"avoided cost": avoided},
        "society with wellbeing": {
            "avoided cost": avoided,
            "wellbeing": wellbeing * books["value of a wellbeing year"],
        },
    } | {
        purse: {
            "kept savings": kept.sel(Purse=purse, drop=True),
            "unclaimed savings": unclaimed.sel(Purse=purse, drop=True),
        }
        for purse in _PURSES
    }


def _yearly(ledger: xr.DataArray) -> xr.DataArray:
    """Flow of each year; what the ledger holds at the start is the flow of year 0."""
    return xr.concat([ledger.isel(year=slice(0, 1)), ledger.diff("year")], "year")


def _present(lines: Mapping[str, xr.DataArray], factors: xr.DataArray) -> xr.DataArray:
    # each line is discounted by itself: a table of all lines over all years would be large
    return sum((line.dot(factors) for line in lines.values()), xr.DataArray(0.0))


def _table(lines: Mapping[str, Mapping[str, xr.DataArray]], nothing: xr.DataArray) -> xr.DataArray:
    """Lines of all parties as one array over party, item and year, after the sweep's dimensions."""
    places = [(PARTIES.index(p), ITEMS.index(item)) for p in lines for item in lines[p]]
    given = [line for party in lines.values() for line in party.values()]
    first, *shaped = (a.transpose(..., "year") for a in xr.broadcast(nothing, *given))
    *sweep, years = first.shape
    values = np.zeros((*sweep, len(PARTIES), len(ITEMS), years))
    for (party, item), line in zip(places, shaped, strict=True):
        values[..., party, item, :] = line
    coords = dict(first.coords) | {"party": list(PARTIES), "item": list(ITEMS)}
    return xr.DataArray(values, coords, (*first.dims[:-1], "party", "item", "year"))


def _payback_years(books: xr.Dataset, cost: xr.DataArray, benefit: xr.DataArray) -> xr.DataArray:
    by_party = _first_reached(cost.cumsum("year"), benefit.cumsum("year"))
    return by_party.where(by_party["party"] != "fund", _fund_payback(books))


def _fund_payback(books: xr.Dataset) -> xr.DataArray:
    paid_in, returned = (books[name] for name in _REPAID)
    return _first_reached(paid_in.sum("Capital"), returned.sum("Purse"))


def _first_reached(cost: xr.DataArray, benefit: xr.DataArray) -> xr.DataArray:
    dims = [["year"]] * 2
    return xr.apply_ufunc(_payback_year, cost, benefit, input_core_dims=dims)


def _internal_rate_of_return(flows: Flows) -> float:
    import numpy_financial as npf

    largest = np.abs(flows).max()
    if not largest > 0:
        return float("nan")
    shares = np.where(np.abs(flows) > _NEGLIGIBLE * largest, flows / largest, 0.0)
    moving = shares[np.flatnonzero(shares)]
    # a party that receives before it pays has a price of money, not a return on it
    if moving[0] > 0 or moving.max() < 0:
        return float("nan")
    return float(npf.irr(shares))


def _payback_year(cost: Flows, benefit: Flows) -> Flows:
    """First year in which cumulated benefit reaches cumulated cost, each of shape (..., years)."""
    cost, benefit = np.broadcast_arrays(cost, benefit)
    size = np.maximum(np.abs(cost), np.abs(benefit)).max(axis=-1, keepdims=True)
    slack = _NEGLIGIBLE * size
    behind = cost - benefit
    reached = (cost > slack) & (behind <= slack)
    year = reached.argmax(axis=-1)[..., np.newaxis]
    now = np.take_along_axis(behind, year, -1)
    before = np.take_along_axis(behind, np.maximum(year - 1, 0), -1)
    between = (year > 0) & (before > slack)
    gap = np.where(between, before - np.minimum(now, 0.0), 1.0)
    found = np.where(between, year - 1 + before / gap, year)
    return np.where(reached.any(axis=-1), found[..., 0], np.nan)


def _described(result: xr.Dataset) -> xr.Dataset:
    for name, unit in (
        ("cost", "DKK/year"),
        ("benefit", "DKK/year"),
        ("net cash flow", "DKK/year"),
        ("line item", "DKK/year"),
        ("net present value", "DKK"),
        ("internal rate of return", "1/year"),
        ("benefit-cost ratio", "Dmnl"),
        ("payback year", "year"),
        ("year", "year"),
    ):
        result[name].attrs = {"units": unit, "long_name": name}
    result["line item"].attrs["long_name"] = "cash-flow table by line item"
    result.attrs = {"price year": 2024, "discount rule": DISCOUNT_RULE}
    return result
