"""Cash flows and key figures, on ledgers small enough to check by hand.

All hand-made ledgers are written as flows of years 0, 1, 2, ...; the ledger is their running sum.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq

from kredslob.cycle.accounts import ITEMS, PARTIES, accounts, bookkeeping, discount_factors
from kredslob.errors import KredslobError

ELEMENTS = {
    "Group": ["families", "youth"],
    "Need": ["moderate", "complex"],
    "Administration": ["health", "justice", "employment", "social"],
    "Purse": ["municipality", "region", "state"],
    "Capital": ["own savings", "state pool", "private investors", "foundations"],
}
LEDGERS = {
    "Cumulated Avoided Cost": ("Administration",),
    "Cumulated Interest": ("Capital",),
    "Cumulated Kept": ("Purse",),
    "Cumulated Outcome Payments": ("Purse",),
    "Cumulated Paid In": ("Capital",),
    "Cumulated Paid To Investors": ("Capital",),
    "Cumulated Returned Savings": ("Capital",),
    "Cumulated Returned To Fund": ("Purse",),
    "Cumulated Spent": ("Capital",),
    "Cumulated Unclaimed": ("Purse",),
    "Cumulated Wellbeing Years": ("Group", "Need"),
    "Cumulated Written Off": ("Capital",),
    "Capitalised Investments": ("Capital",),
}
PAYER = [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]
Flows = Mapping[tuple[str, ...], Sequence[float]]
few = settings(max_examples=30)


def run_of(years: int, flows: Flows, *, saves_a_year: int = 4) -> xr.Dataset:
    """Build a run from yearly flows, keyed by ledger and element; the rest is zero.

    Ledgers that follow from others do so here as in the model.
    """
    time = np.arange(years * saves_a_year + 1) / saves_a_year
    ledgers = {
        name: np.zeros((time.size, *(len(ELEMENTS[dim]) for dim in dims)))
        for name, dims in LEDGERS.items()
    }
    for (name, *elements), values in flows.items():
        flow = np.zeros(years + 1)
        flow[: len(values)] = values[: years + 1]
        dims = LEDGERS[name]
        cell = tuple(ELEMENTS[dim].index(e) for dim, e in zip(dims, elements, strict=True))
        np.moveaxis(ledgers[name], 0, -1)[cell] = np.interp(
            time, np.arange(years + 1), np.cumsum(flow)
        )
    returned = ledgers["Cumulated Returned To Fund"]
    ledgers["Cumulated Returned Savings"][:, 0] = returned.sum(axis=1)
    data = {name: (("time", *LEDGERS[name]), values) for name, values in ledgers.items()}
    saved = ledgers["Cumulated Kept"] + returned
    data["Cumulated Saved"] = (("time", "Purse"), saved)
    data["paid in by purse"] = (("time", "Purse"), ledgers["Cumulated Paid In"] @ np.array(PAYER))
    run = xr.Dataset(data, {"time": time} | ELEMENTS)
    run["capital from purse"] = (("Capital", "Purse"), np.array(PAYER, dtype=float))
    run["value of a wellbeing year"] = 500_000.0
    return run


def invested(flows: Sequence[float]) -> xr.Dataset:
    """Build a run in which the investors have the given net flows."""
    return run_of(
        len(flows) - 1,
        {
            ("Cumulated Paid In", "private investors"): [max(0.0, -flow) for flow in flows],
            ("Cumulated Paid To Investors", "own savings"): [max(0.0, flow) for flow in flows],
        },
    )


def figure(books: xr.Dataset, name: str, party: str) -> float:
    return float(books[name].sel(party=party))


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


FLOWS: Flows = {
    ("Cumulated Paid In", "own savings"): [100],
    ("Cumulated Paid In", "state pool"): [50],
    ("Cumulated Paid In", "private investors"): [40, 10],
    ("Cumulated Paid In", "foundations"): [30],
    ("Cumulated Spent", "own savings"): [0, 80, 60],
    ("Cumulated Spent", "private investors"): [0, 20, 10],
    ("Cumulated Interest", "own savings"): [0, 3, 2],
    ("Cumulated Returned To Fund", "municipality"): [0, 20, 90],
    ("Cumulated Paid To Investors", "own savings"): [0, 5, 25],
    ("Cumulated Outcome Payments", "municipality"): [0, 0, 7],
    ("Cumulated Kept", "municipality"): [0, 15, 70],
    ("Cumulated Kept", "state"): [0, 10, 30],
    ("Cumulated Unclaimed", "municipality"): [0, 4, 6],
    ("Cumulated Unclaimed", "region"): [0, 1, 2],
    ("Cumulated Avoided Cost", "health"): [0, 90, 110],
    ("Cumulated Avoided Cost", "justice"): [0, 9, 11],
    ("Cumulated Avoided Cost", "employment"): [0, 500, 500],
    ("Cumulated Avoided Cost", "social"): [0, 1, 9],
    ("Cumulated Wellbeing Years", "families", "complex"): [0, 0.001, 0.003],
}


@pytest.mark.parametrize(
    ("party", "cost", "benefit"),
    [
        ("fund", [0, 100 + 5, 70 + 25], [0, 20 + 3, 90 + 2]),
        ("municipality", [100, 0, 7], [0, 15 + 4, 70 + 6]),
        ("region", [0, 0, 0], [0, 1, 2]),
        ("state", [50, 0, 0], [0, 10, 30]),
        # saved: 20 + 15 + 10, then 90 + 70 + 30; outside: investors and foundations
        ("public purse", [0, 105, 70 + 25 + 7], [70, 45 + 5 + 3 + 10, 190 + 8 + 2]),
        ("investors", [40, 10, 0], [0, 5, 25 + 7]),
        ("society", [0, 100, 70], [0, 100, 130]),
        ("society with wellbeing", [0, 100, 70], [0, 100 + 500, 130 + 1500]),
    ],
)
def test_cost_and_benefit_of_each_party(
    party: str, cost: list[float], benefit: list[float]
) -> None:
    of = accounts(run_of(2, FLOWS)).sel(party=party)
    np.testing.assert_allclose(of["cost"], cost, atol=1e-9)
    np.testing.assert_allclose(of["benefit"], benefit, atol=1e-9)
    net = np.subtract(benefit, cost)
    np.testing.assert_allclose(of["net cash flow"], net, atol=1e-9)
    present = net @ [1, 1 / 1.035, 1 / 1.035**2]
    assert float(of["net present value"]) == pytest.approx(present, abs=1e-9)


def test_every_krone_can_be_traced_to_a_line() -> None:
    books = accounts(run_of(2, FLOWS))
    assert books["line item"].dims == ("party", "item", "year")
    assert tuple(books["party"].values) == PARTIES
    assert tuple(books["item"].values) == ITEMS
    np.testing.assert_allclose(books["line item"].sum("item"), books["net cash flow"], atol=1e-9)
    purse = books["line item"].sel(party="municipality", year=2)
    shown = {str(i): float(purse.sel(item=i)) for i in ITEMS if float(purse.sel(item=i))}
    assert shown == pytest.approx(
        {"payments for outcomes": -7, "kept savings": 70, "unclaimed savings": 6}
    )


def test_a_negative_saving_is_a_smaller_benefit_and_no_cost() -> None:
    """Help that does harm must not look like spending, or the ratio would hide it."""
    flows: Flows = {
        ("Cumulated Paid In", "own savings"): [100],
        ("Cumulated Kept", "municipality"): [0, -10],
    }
    of = accounts(run_of(1, flows)).sel(party="municipality")
    assert of["cost"].values.tolist() == [100, 0]
    assert of["benefit"].values.tolist() == [0, -10]
    assert float(of["benefit-cost ratio"]) == pytest.approx(-10 / 1.035 / 100)


def test_internal_rate_of_a_textbook_investment() -> None:
    # 100 = 60 / (1 + r) + 60 / (1 + r)^2 is a quadratic in 1 + r
    rate = (60 + math.sqrt(60**2 + 4 * 100 * 60)) / 200 - 1
    books = accounts(invested([-100, 60, 60]))
    assert rate == pytest.approx(0.13066, abs=5e-6)
    assert figure(books, "internal rate of return", "investors") == pytest.approx(rate)
    assert figure(books, "payback year", "investors") == pytest.approx(1 + 40 / 60)


def test_investors_in_denver() -> None:
    """8.6 mUSD in, 9.6389 mUSD back over about 5 years (Urban Institute, 2021)."""
    books = accounts(invested([-8.6e6, 0, 0, 0, 0, 9.6389e6])).sel(party="investors")
    multiple = float(books["benefit"].sum() / books["cost"].sum())
    assert multiple == pytest.approx(1.1208, abs=5e-5)
    assert float(books["internal rate of return"]) == pytest.approx(1.1208 ** (1 / 5) - 1, abs=1e-5)
    # paid back in full, and still below the public discount rate
    ratio = float(books["benefit-cost ratio"])
    assert ratio == pytest.approx(1.1208 / 1.035**5, abs=5e-5)
    assert ratio < 1
    at_once = accounts(invested([0, -8.6e6, 0])).sel(party="investors")
    assert float(at_once["benefit-cost ratio"]) == 0


def test_ratio_of_flows_in_one_year_needs_no_discounting() -> None:
    flows: Flows = {
        ("Cumulated Paid In", "private investors"): [0, 0, 8.6],
        ("Cumulated Paid To Investors", "own savings"): [0, 0, 9.6389],
    }
    books = accounts(run_of(3, flows))
    assert figure(books, "benefit-cost ratio", "investors") == pytest.approx(9.6389 / 8.6)


def test_discounting_follows_the_ministry_of_finance() -> None:
    factors = discount_factors(70)
    assert factors[0] == 1
    assert factors[1] == pytest.approx(1 / 1.035)
    assert factors[35] == pytest.approx(1.035**-35)
    assert factors[36] == pytest.approx(factors[35] / 1.025)
    assert factors[70] == pytest.approx(1.035**-35 * 1.025**-35)
    assert discount_factors(0).tolist() == [1]
    for years in (-1, 71):
        with pytest.raises(KredslobError, match="0 to 70"):
            discount_factors(years)


@pytest.mark.parametrize("years", [3, 35, 36, 60])
def test_present_value_against_explicit_factors(years: int) -> None:
    flows = np.random.default_rng(years).normal(0, 1e6, years + 1)
    factor, present = 1.0, 0.0
    for year, flow in enumerate(flows):
        if year:
            factor /= 1.035 if year <= 35 else 1.025
        present += factor * flow
    books = accounts(invested(flows.tolist()))
    assert figure(books, "net present value", "investors") == pytest.approx(present)


def test_internal_rate_over_forty_years_against_a_root_finder() -> None:
    flows = [-12e6] + [3e5 + 2e4 * year for year in range(40)]
    rate = brentq(lambda r: sum(f / (1 + r) ** k for k, f in enumerate(flows)), -0.5, 1)
    books = accounts(invested(flows))
    assert figure(books, "internal rate of return", "investors") == pytest.approx(rate, abs=1e-9)


@pytest.mark.parametrize(
    "flows",
    [[0, 0, 0], [-100, 0, 0], [0, -100, -1], [50, 60], [100, -60, -60], [-100, 0, 1e-9]],
    ids=["nothing", "lost", "only cost", "only gain", "receives first", "rounding"],
)
def test_no_internal_rate_and_no_warning(flows: list[float]) -> None:
    books = accounts(invested(flows))
    assert math.isnan(figure(books, "internal rate of return", "investors"))


def test_without_cost_there_is_no_ratio_and_no_payback() -> None:
    flows: Flows = {("Cumulated Kept", "region"): [0, 5, 5]}
    books = accounts(run_of(2, flows))
    for party in ("region", "fund", "investors"):
        assert math.isnan(figure(books, "benefit-cost ratio", party))
        assert math.isnan(figure(books, "payback year", party))
    assert figure(books, "net present value", "region") == pytest.approx(5 / 1.035 + 5 / 1.035**2)


@pytest.mark.parametrize(
    ("flows", "year"),
    [
        ([-100, 50, 50], 2),  # reached at a whole year
        ([-100, 40, 80], 1.75),  # 60 behind, then 20 ahead
        ([0, -100, 200], 1.5),
        ([-100, 99], math.nan),
        ([-100, 120, -50, 10], 100 / 120),  # the first time counts
    ],
)
def test_payback_year(flows: list[float], year: float) -> None:
    books = accounts(invested(flows))
    assert figure(books, "payback year", "investors") == pytest.approx(year, nan_ok=True)


def test_payback_of_a_party_that_is_never_behind_is_the_year_it_first_pays() -> None:
    flows: Flows = {
        ("Cumulated Paid In", "foundations"): [100],
        ("Cumulated Spent", "foundations"): [0, 30, 30],
    }
    assert figure(accounts(run_of(2, flows)), "payback year", "public purse") == 1


def test_the_fund_is_paid_back_when_returned_savings_reach_the_capital() -> None:
    """Spending and interest play no part: the model's own rule, "fund repaid"."""
    flows: Flows = {
        ("Cumulated Paid In", "own savings"): [100, 20],
        ("Cumulated Spent", "own savings"): [0, 500],
        ("Cumulated Interest", "own savings"): [0, 999],
        ("Cumulated Returned To Fund", "municipality"): [0, 30, 30],
        ("Cumulated Returned To Fund", "state"): [0, 0, 40, 40],
    }
    books = accounts(run_of(3, flows))
    # returned 30, 100, 140 against 120 paid in from year 1
    assert figure(books, "payback year", "fund") == pytest.approx(2.5)
    assert math.isnan(figure(accounts(run_of(2, flows)), "payback year", "fund"))


@st.composite
def all_flows(draw: st.DrawFn) -> Flows:
    """Draw flows of four years for every ledger; savings may be negative."""
    flows: dict[tuple[str, ...], list[float]] = {}
    for name, dims in LEDGERS.items():
        if name == "Cumulated Returned Savings":
            continue  # follows from what the purses return
        least = -1000 if name in ("Cumulated Kept", "Cumulated Unclaimed") else 0
        cells = list(product(*(ELEMENTS[dim] for dim in dims)))
        drawn = draw(arrays(np.int64, (len(cells), 4), elements=st.integers(least, 1000)))
        for elements, values in zip(cells, drawn.astype(float), strict=True):
            flows[(name, *elements)] = values.tolist()
    return flows


@few
@given(all_flows())
def test_public_purse_is_purses_and_fund_without_the_transfers_between_them(flows: Flows) -> None:
    """Sum of net flows: purses + fund + all capital paid in = public purse.

    purses: kept + unclaimed - capital of purses - outcomes; fund: returned + interest - spent -
    paid to investors. Kept + returned = saved, so their sum is the public purse less the capital
    from outside and less the capital of purses, which together are all capital.
    """
    run = run_of(3, flows)
    net = accounts(run)["net cash flow"]
    parts = net.sel(party=["municipality", "region", "state", "fund"]).sum("party")
    capital = [
        sum(values[year] for (name, *_), values in flows.items() if name == "Cumulated Paid In")
        for year in range(4)
    ]
    np.testing.assert_allclose(parts + capital, net.sel(party="public purse"), atol=1e-6)


@few
@given(flows=all_flows(), scale=st.sampled_from([1e-3, 0.5, 7.0, 1e6]))
def test_scaling_all_money_scales_values_and_leaves_ratios(flows: Flows, scale: float) -> None:
    run = run_of(3, flows)
    scaled = run.copy()
    for name in (*LEDGERS, "Cumulated Saved", "paid in by purse"):
        if name != "Cumulated Wellbeing Years":
            scaled[name] = scale * run[name]
    scaled["value of a wellbeing year"] = scale * run["value of a wellbeing year"]
    one, other = accounts(run), accounts(scaled)
    for name in ("net present value", "cost", "line item"):
        np.testing.assert_allclose(other[name], scale * one[name], rtol=1e-9, atol=1e-6 * scale)
    for name in ("internal rate of return", "benefit-cost ratio", "payback year"):
        np.testing.assert_allclose(other[name], one[name], rtol=1e-6, atol=1e-9)


def test_a_sweep_gives_each_run_its_own_accounts() -> None:
    """Levers stay dimensions, also where only a constant varies, and lead the others."""
    first, second = run_of(2, FLOWS), invested([-100, 60, 60])
    constants = ["capital from purse", "value of a wellbeing year"]
    moving = xr.concat(
        [first.drop_vars(constants), second.drop_vars(constants)],
        xr.DataArray([0.0, 0.5], dims="reinvestment rate", name="reinvestment rate"),
    )
    value = xr.DataArray([0.0, 500_000.0, 1e6], dims="value")
    sweep = moving.assign({name: first[name] for name in constants})
    sweep["value of a wellbeing year"] = value
    books = accounts(sweep)
    assert books["line item"].dims[-3:] == ("party", "item", "year")
    assert set(books["net present value"].dims) == {"reinvestment rate", "value", "party"}
    assert books["internal rate of return"].sizes["reinvestment rate"] == 2
    for rate, single in ((0.0, first), (0.5, second)):
        alone = accounts(single)
        together = books.sel({"reinvestment rate": rate}, drop=True).isel(value=1)
        xr.testing.assert_allclose(together, alone)
    gain = books["net present value"].sel(party="society with wellbeing") - books[
        "net present value"
    ].sel(party="society")
    worth = 0.001 / 1.035 + 0.003 / 1.035**2
    np.testing.assert_allclose(gain.sel({"reinvestment rate": 0.0}), value * worth)


def test_results_say_what_they_are() -> None:
    books, views = accounts(run_of(1, {})), bookkeeping(run_of(1, {}))
    for dataset in (books, views):
        assert dataset.attrs["price year"] == 2024
        for name in dataset.data_vars:
            assert dataset[name].attrs["units"]
            assert dataset[name].attrs["long_name"]
    assert "3.5 percent" in books.attrs["discount rule"]
    assert float(abs(books["line item"]).sum()) == 0


def test_shape_of_a_full_run() -> None:
    """40 years, saved four times a year, or once: the accounts are the same."""
    often, yearly = run_of(40, FLOWS), run_of(40, FLOWS, saves_a_year=1)
    assert accounts(often)["line item"].sizes == {"party": 8, "item": 12, "year": 41}
    xr.testing.assert_allclose(accounts(often), accounts(yearly))


def test_a_part_of_a_year_at_the_end_is_left_out() -> None:
    run = run_of(2, FLOWS)
    books = accounts(run.sel(time=slice(0, 1.75)))
    assert books["year"].values.tolist() == [0, 1]
    assert float(books["cost"].sel(party="fund", year=1)) == pytest.approx(105)


def test_a_run_without_what_is_needed_is_refused() -> None:
    run = run_of(2, FLOWS)
    with pytest.raises(KredslobError, match="'Cumulated Spent'"):
        accounts(run.drop_vars("Cumulated Spent"))
    with pytest.raises(KredslobError, match="'Cumulated Written Off'"):
        bookkeeping(run.drop_vars("Cumulated Written Off"))
    for function in (accounts, bookkeeping):
        with pytest.raises(KredslobError, match="whole year"):
            function(run.isel(time=[0, 1, 3, 8]))


def test_two_ways_to_book_the_same_money() -> None:
    """100 spent in year 1, written off with a fifth of what is left each year."""
    flows: Flows = {
        ("Cumulated Spent", "own savings"): [0, 60, 0],
        ("Cumulated Spent", "state pool"): [0, 40, 0],
        ("Cumulated Written Off", "own savings"): [0, 12, 9.6],
        ("Cumulated Written Off", "state pool"): [0, 8, 6.4],
        ("Capitalised Investments", "own savings"): [0, 48, -9.6],
        ("Capitalised Investments", "state pool"): [0, 32, -6.4],
        ("Cumulated Kept", "state"): [0, 10, 20],
        ("Cumulated Returned To Fund", "municipality"): [0, 3, 4],
        ("Cumulated Unclaimed", "region"): [0, 2, 6],
    }
    views = bookkeeping(run_of(2, flows))
    assert views["result"].dims == ("view", "year")
    assert views["year"].values.tolist() == [1, 2]
    running, investment = views.sel(view="running cost"), views.sel(view="investment")
    np.testing.assert_allclose(running["cost"], [100, 0])
    np.testing.assert_allclose(investment["cost"], [20, 16])
    for view in (running, investment):
        np.testing.assert_allclose(view["saving"], [15, 30])
    np.testing.assert_allclose(running["result"], [-85, 30])
    np.testing.assert_allclose(investment["result"], [-5, 14])
    np.testing.assert_allclose(views["not yet written off"], [80, 64])


@few
@given(all_flows())
def test_all_spending_is_booked_or_waits(flows: Flows) -> None:
    """Over the years, the two views differ by what is not yet written off, and by that only."""
    run = run_of(3, flows)
    run["Capitalised Investments"] = run["Cumulated Spent"] - run["Cumulated Written Off"]
    views = bookkeeping(run)
    start = float(run["Capitalised Investments"].isel(time=0).sum())
    gap = (
        views["result"].sel(view="investment") - views["result"].sel(view="running cost")
    ).cumsum("year")
    np.testing.assert_allclose(gap, views["not yet written off"] - start, atol=1e-6)
