"""Every lever and every hypothesis does what it says, all else equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
import xarray as xr

from kredslob.cycle.parameters import ParameterTable
from kredslob.cycle.scenario import parameter_table

Run = Callable[..., xr.Dataset]
YEARS = 5
PRIVATE = {"own savings": 6e6, "state pool": 0.0, "private investors": 6e6, "foundations": 0.0}
BASE = {
    "reinvestment rate": 0.8,
    "capital at start": PRIVATE,
    "capital per year": {**dict.fromkeys(PRIVATE, 0.0), "private investors": 1e6},
}
GROUPS = tuple(row.elements[0] for row in parameter_table().of("group priority"))


def total(name: str, **at: str) -> Callable[[xr.Dataset], float]:
    """Sum of a variable at the end of the run, at some elements if they are named."""
    return lambda run: float(run[name].isel(time=-1).sel(at).sum())


def complex_share(run: xr.Dataset) -> float:
    starts = run["Cumulated Starts"].isel(time=-1)
    return float(starts.sel(Need="complex").sum() / starts.sum())


def money_to_best(run: xr.Dataset) -> float:
    """Money that goes where the expected return is highest."""
    end = run.isel(time=-1)
    return float(
        end["money part"].where(end["expected return"] == end["expected return"].max()).sum()
    )


def only(name: str, value: float) -> dict[str, float]:
    return {group: value if group == name else 1.0 for group in GROUPS}


MORE, LESS, GONE = ">", "<", "0"
# name of the change: what is changed, what is looked at, how it must differ from the base
CHANGES: dict[str, tuple[Mapping[str, Any], Callable[[xr.Dataset], float], str]] = {
    "reinvestment rate": ({"reinvestment rate": 1}, total("Cumulated Returned To Fund"), MORE),
    "initial capital": (
        {"capital at start": {**PRIVATE, "foundations": 3e6}},
        total("Cumulated Starts"),
        MORE,
    ),
    "yearly capital": (
        {"capital per year": {**dict.fromkeys(PRIVATE, 0.0), "state pool": 5e6}},
        total("Cumulated Paid In", Capital="state pool"),
        MORE,
    ),
    "years of capital": (
        {"years of capital": 1},
        total("Cumulated Paid In", Capital="private investors"),
        LESS,
    ),
    "share of savings to investors": (
        {"investor share of savings": 0.6},
        total("Investor Claims Paid"),
        MORE,
    ),
    "cap on the multiple": ({"cap on multiple": 0.01}, total("Investor Claims Paid"), LESS),
    "term": ({"investor term": 2}, total("Investor Claims Lapsed"), MORE),
    "price of an outcome": (
        {"outcome price": 200e3},
        total("Cumulated Outcome Payments", Purse="municipality"),
        MORE,
    ),
    "ethical screen": (
        {"admitted share": 0.5},
        total("Cumulated Paid In", Capital="private investors"),
        LESS,
    ),
    "ethical screen, push for return": (
        {"admitted share": 0.5},
        total("allocation weight in force"),
        LESS,
    ),
    "allocation by return": ({"allocation weight": 1}, money_to_best, MORE),
    "allocation by need": ({"allocation weight": 0}, money_to_best, LESS),
    "reserved share": ({"reserved share for complex need": 0.6}, complex_share, MORE),
    "pledged share": (
        {"pledged share without agreement": [0.4, 0, 0]},
        total("Cumulated Returned To Fund", Purse="municipality"),
        LESS,
    ),
    "wrong-pocket agreement": (
        {"wrong pocket agreement": 1},
        total("Cumulated Returned To Fund", Purse="state"),
        MORE,
    ),
    "evaluation": ({"evaluation share": 0.15}, total("Documentation Capability"), MORE),
    "evaluation costs help": ({"evaluation share": 0.15}, total("Cumulated Starts"), LESS),
    "overhead": ({"overhead share": 0.25}, total("Cumulated Starts"), LESS),
    "mix": (
        {"group priority": only("youth", 0)},
        total("Cumulated Starts", Group="youth"),
        GONE,
    ),
    "mix, the others": (
        {"group priority": only("youth", 0)},
        total("Cumulated Starts", Group="families"),
        MORE,
    ),
    "intensity": (
        {"intensity": only("families", 2)},
        total("effect of a course", Group="families"),
        MORE,
    ),
    "intensity costs": (
        {"intensity": only("families", 2)},
        total("course price", Group="families"),
        MORE,
    ),
    "recognition horizon": (
        {"recognition horizon": 2},
        total("Cumulated Returned To Fund"),
        LESS,
    ),
    "accounting rule": ({"accounting rule": 1}, total("booked cost"), MORE),
    # the hypotheses, each switched off
    "no prevention": ({"switch prevention": 0}, total("Citizens Entered"), MORE),
    "no harder remainder": (
        {"switch remaining are harder": 0},
        total("effect of a course"),
        MORE,
    ),
    "no learning": ({"switch learning": 0}, total("effect of a course"), LESS),
    "no documentation": ({"switch documentation": 0}, total("Documentation Capability"), LESS),
    "pledges honoured whatever happens": (
        {"switch support erosion": 0},
        lambda run: float(run["pledged share"].isel(time=-1).sel(Purse="municipality")) - 0.8,
        GONE,
    ),
    "little relief wears support down": (
        {"reinvestment rate": 1},
        total("Budget Owner Support", Purse="municipality"),
        LESS,
    ),
    "relief that shows builds support": (
        {"relief for half effect": 1e5},
        total("Budget Owner Support", Purse="municipality"),
        MORE,
    ),
    "no investor behaviour": (
        {"switch investor behaviour": 0},
        total("allocation weight in force"),
        LESS,
    ),
}


@pytest.fixture(scope="module")
def run_of(run_model: Run) -> Callable[[str], xr.Dataset]:
    """Run with one change, or with none for the base; each only once."""

    @cache
    def run(name: str) -> xr.Dataset:
        change = CHANGES[name][0] if name else {}
        return run_model({**BASE, **change}, years=YEARS, time_step=0.25, saveper=YEARS)

    return run


@pytest.mark.parametrize("name", CHANGES)
def test_it_moves_what_it_should(run_of: Callable[[str], xr.Dataset], name: str) -> None:
    _, look, expected = CHANGES[name]
    base, changed = look(run_of("")), look(run_of(name))
    if expected == GONE:
        assert abs(base) > 1e-3
        assert changed == 0
    else:
        margin = 1e-9 * max(abs(base), abs(changed))
        assert (changed > base + margin) if expected == MORE else (changed < base - margin)


def test_every_lever_and_switch_of_the_table_is_moved_here(table: ParameterTable) -> None:
    named = {name for change, _, _ in CHANGES.values() for name in change}
    elsewhere = {
        "pledged share with agreement",  # the linear regime in test_anchors
        "paid share of deadweight",  # below
        "reinvestment rule",  # below
        "switch capacity limits",  # below
        "reinvestment rate after payback",  # below
        "write off time",  # test_accounts
    }
    levers = {row.name for row in table if row.kind in ("lever", "switch")}
    assert levers - named - elsewhere == set()


def test_without_staff_few_courses_start_unless_capacity_is_no_limit(run_model: Run) -> None:
    few = {"delivery capacity at start": 1}
    limited, free = (
        run_model({**few, "switch capacity limits": switch}, years=1, time_step=0.25, saveper=1)
        for switch in (1, 0)
    )
    starts = total("Cumulated Starts")
    assert 0 < starts(limited) < 0.9 * starts(free)


# The reinvestment rate over time ------------------------------------------------------------------


def test_everything_until_the_fund_is_repaid_then_less(run_model: Run) -> None:
    rule = {"reinvestment rule": 2, "reinvestment rate after payback": 0.3}
    # services ten times as dear, so that the fund is repaid within a few years
    start = run_model(years=0.125).isel(time=0)
    costs = start["unit cost"].transpose("Group", "Administration").values
    run = run_model({**rule, "unit cost": 10 * costs}, years=6, time_step=0.25, saveper=0.25)
    repaid = run["Cumulated Returned To Fund"].sum("Purse") >= run["Cumulated Paid In"].sum(
        "Capital"
    )
    rate = run["reinvestment rate in force"]
    assert repaid.any()
    assert not repaid.all()
    np.testing.assert_array_equal(rate.values, np.where(repaid, 0.3, 1.0))


def test_a_schedule_sets_the_rate_over_time(run_model: Run) -> None:
    schedule = {
        "reinvestment rule": 1,
        "reinvestment schedule": [[0, 1], [1, 1], [2, 0.5], [9, 0.5]],
    }
    run = run_model(schedule, years=3, time_step=0.25, saveper=0.5)
    rate = run["reinvestment rate in force"].sel(time=[0, 1, 1.5, 2, 3]).values
    np.testing.assert_allclose(rate, [1, 1, 0.75, 0.5, 0.5])


def test_a_contract_that_pays_for_deadweight_pays_more(run_model: Run) -> None:
    terms = {**BASE, "outcome price": 50e3, "cap on multiple": 10}
    fair, lax = (
        run_model({**terms, "paid share of deadweight": share}, years=3, time_step=0.25, saveper=3)
        for share in (0, 1)
    )
    paid = total("Cumulated Outcome Payments")
    assert paid(lax) > 2 * paid(fair) > 0
