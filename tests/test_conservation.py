"""People and money are conserved at every step, counted from the flows and not by the model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from kredslob.simulation import Model

STEP = 0.125
BUSY = {  # everything moves: private capital, all purses pledge, yearly capital, interest
    "reinvestment rate": 0.8,
    "wrong pocket agreement": 1,
    "real interest rate": 0.01,
    "capital at start": [8e6, 2e6, 5e6, 1e6],
    "capital per year": [1e6, 5e5, 1e6, 2e5],
    "admitted share": 0.7,
    "investor term": 4,
    "evaluation share": 0.1,
}
PEOPLE = (
    "Thriving",
    "Strained",
    "Crisis",
    "Strained In Intervention",
    "Crisis In Intervention",
    "Newly Stable",
)


@pytest.fixture(scope="module")
def busy(run_model: Callable[..., xr.Dataset]) -> xr.Dataset:
    return run_model(BUSY, years=8, time_step=STEP, saveper=STEP)


def steps(stock: xr.DataArray) -> xr.DataArray:
    """Change over each step, labelled by the time at its start."""
    return stock.diff("time", label="lower")


def assert_zero(difference: xr.DataArray, scale: float) -> None:
    assert scale > 0
    assert float(abs(difference).max()) <= 1e-9 * scale


def check_people(run: xr.Dataset) -> None:
    people = sum(run[name] for name in PEOPLE)
    leaving = (
        sum(run[name] for name in ("Thriving", "Strained", "Crisis")) * run["yearly exit"]
        + (run["in intervention"] + run["Newly Stable"]) * run["yearly exit"]
    )
    balance = steps(people) - STEP * (run["new cases"] - leaving).isel(time=slice(None, -1))
    assert_zero(balance, float(people.max()))
    entered_and_left = run["Citizens Entered"] - run["Citizens Left"]
    assert_zero(people - people.isel(time=0) - entered_and_left, float(people.max()))
    assert float(abs(run["people balance"]).max()) <= 1e-9 * float(people.max())


def check_money(run: xr.Dataset) -> None:
    flows = (
        run["paid in"]
        + run["returned savings"]
        + run["interest"]
        - run["spending"]
        - run["paid to investors"]
    )
    turnover = float((run["Cumulated Paid In"] + run["Cumulated Spent"]).max()) + 1.0
    balance = steps(run["Fund Cash"]) - STEP * flows.isel(time=slice(None, -1))
    assert_zero(balance, turnover)
    spent = (run["starts"] * run["course price"]).sum(["Group", "Need"])
    uses = spent + run["evaluation spending"] + run["overhead spending"]
    assert_zero(run["spending"].sum("Capital") - uses, turnover)
    cash = run["identified saving cashed"].sum("Administration")
    purses = (run["reinvested"] + run["kept"]).sum("Purse")
    assert_zero(cash - purses, float(abs(cash).max()) + 1.0)
    assert_zero(run["reinvested"].sum("Purse") - run["returned savings"].sum("Capital"), turnover)
    for name in (
        "money balance",
        "spending balance",
        "purse balance",
        "savings balance",
        "return balance",
        "investor balance",
    ):
        assert float(abs(run[name]).max()) <= 1e-9 * turnover, name


def test_people_are_conserved_at_each_step(busy: xr.Dataset) -> None:
    check_people(busy)


def test_the_counterfactual_conserves_people_too(busy: xr.Dataset) -> None:
    names = ("Counterfactual Thriving", "Counterfactual Strained", "Counterfactual Crisis")
    people = sum(busy[name] for name in names)
    flow = busy["new cases without the fund"] - people * busy["yearly exit"]
    assert_zero(steps(people) - STEP * flow.isel(time=slice(None, -1)), float(people.max()))


def test_money_is_conserved_at_each_step(busy: xr.Dataset) -> None:
    check_money(busy)


def test_savings_in_the_pipeline_are_conserved(busy: xr.Dataset) -> None:
    for kind in ("Identified", "Unclaimed"):
        flow = busy[f"{kind.lower()} saving"] - busy[f"{kind.lower()} saving cashed"]
        balance = steps(busy[f"{kind} Savings In Pipeline"])
        turnover = float(busy["Cumulated Cashable"].max())
        assert_zero(balance - STEP * flow.isel(time=slice(None, -1)), turnover)


def test_investors_principal_is_repaid_lost_or_outstanding(busy: xr.Dataset) -> None:
    principal = busy["Investor Principal Outstanding"]
    flow = busy["principal in"] - busy["principal repaid"] - busy["principal lost"]
    assert_zero(steps(principal) - STEP * flow.isel(time=slice(None, -1)), float(principal.max()))
    granted = busy["claims granted"]
    settled = busy["Investor Claims Paid"] + busy["Investor Claims Lapsed"]
    assert float((settled - granted).max()) <= 1e-6 * float(granted.max())
    assert float(busy["Investor Claims Lapsed"].isel(time=-1)) > 0  # the term has run out for some


def test_at_rest_the_counterfactual_does_not_move(busy: xr.Dataset) -> None:
    for name in ("Counterfactual Thriving", "Counterfactual Strained", "Counterfactual Crisis"):
        stock = busy[name]
        assert_zero(stock - stock.isel(time=0), float(stock.max()))


share = st.floats(0, 1)


@settings(max_examples=8)
@given(
    rate=share,
    success=share,
    weight=share,
    reserved=share,
    capital=st.floats(0, 5e9),
    prevention=st.sampled_from([0, 1]),
    agreement=st.sampled_from([0, 1]),
)
def test_nothing_is_lost_anywhere_in_the_lever_space(
    model: Model,
    rate: float,
    success: float,
    weight: float,
    reserved: float,
    capital: float,
    prevention: int,
    agreement: int,
) -> None:
    run = model.run(
        {
            "reinvestment rate": rate,
            "success with help": success,
            "allocation weight": weight,
            "reserved share for complex need": reserved,
            "capital at start": [capital, capital / 3, capital / 2, 0],
            "switch prevention": prevention,
            "wrong pocket agreement": agreement,
        },
        years=1.5,
        time_step=STEP,
        saveper=STEP,
    )
    check_people(run)
    check_money(run)
    for name in (*PEOPLE, "Fund Cash", "Delivery Capacity", "Evidence"):
        assert float(run[name].min()) >= -1e-9, name
    assert all(np.isfinite(run[name]).all() for name in run.data_vars)
