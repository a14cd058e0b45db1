"""What the model must do whatever its parameters: analytic anchors and extreme conditions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from kredslob.cycle.scenario import load_scenario
from kredslob.cycle.summary import summary
from kredslob.cycle.threshold import (
    avoided_cost_per_start,
    critical_rate,
    loop_gain,
    sustaining,
)
from kredslob.simulation import Model
from kredslob.studies.sweep import sweep
from linear_regime import LINEAR, scaled

Run = Callable[..., xr.Dataset]
SIX_YEARS = {"years": 6, "time_step": 0.25, "saveper": 1}


def total_avoided(run: xr.Dataset) -> float:
    return float(run["Cumulated Avoided Cost"].isel(time=-1).sum())


def cost_of_doing_nothing(run: xr.Dataset) -> float:
    """Cost of the counterfactual at average price over the run: the scale of any saving."""
    day = run["use in crisis"] * run["need use factor"] * run["unit cost"]
    crisis = run["Counterfactual Crisis"].isel(time=0)
    return float((day * crisis).sum() * run["time"][-1])


# No effect, no saving ---------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_without_effect_there_is_no_saving_whatever_the_rate(run_model: Run, rate: float) -> None:
    run = run_model({"optimism correction": 0, "reinvestment rate": rate}, **SIX_YEARS)
    assert float(run["Cumulated Starts"].isel(time=-1).sum()) > 50  # people were treated
    assert abs(total_avoided(run)) <= 1e-12 * cost_of_doing_nothing(run)
    assert abs(float(run["Cumulated Returned To Fund"].isel(time=-1).sum())) <= 1e-3


def test_success_equal_to_the_counterfactual_is_no_effect(run_model: Run) -> None:
    recovery = run_model(years=0.125)["recovery rate"].isel(time=0)
    without = 1 - np.exp(-1.5 * recovery.transpose("Group", "Need").values)
    run = run_model({"success with help": without}, **SIX_YEARS)
    assert float(run["Cumulated Starts"].isel(time=-1).sum()) > 50
    assert abs(total_avoided(run)) <= 1e-12 * cost_of_doing_nothing(run)


def test_help_worse_than_nothing_costs_money(run_model: Run) -> None:
    run = run_model({"success with help": 0}, **SIX_YEARS)
    assert total_avoided(run) < 0
    assert float(run["Cumulated Lifted"].isel(time=-1).sum()) == 0
    assert float(run["Cumulated Returned To Fund"].isel(time=-1).sum()) <= 1e-6
    assert float(run["Cumulated Kept"].isel(time=-1).sum()) < 0


# A one-off ----------------------------------------------------------------------------------------


def test_at_rate_zero_the_fund_is_a_one_off(run_model: Run) -> None:
    run = run_model({"reinvestment rate": 0}, years=20, time_step=0.25, saveper=1)
    capital = float(run["capital at start"].isel(time=0).sum())
    assert float(run["Cumulated Returned To Fund"].isel(time=-1).sum()) == 0
    assert float(run["Cumulated Spent"].isel(time=-1).sum()) == pytest.approx(capital, rel=1e-3)
    assert float(run["total cash"].isel(time=-1)) < 1e-3 * capital
    assert float(run["starts"].isel(time=-1).sum()) < 1e-3 * float(run["starts"].isel(time=0).sum())


# The threshold ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def linear(model: Model) -> dict[str, object]:
    """The linear regime with unit costs scaled so that the analytic critical rate is 0.7."""
    return {**scaled(model, LINEAR, 0.7), "reinvestment rate": 1.0}


def test_loop_gain_is_the_product_of_its_shares(model: Model, linear: dict[str, object]) -> None:
    run = model.run(linear, years=0.25, time_step=0.25)
    now = run.isel(time=0)
    per_krone = (avoided_cost_per_start(now) * now["money part"] / now["course price"]).sum(
        ["Group", "Need"]
    )
    cashable = float((per_krone * now["cashable share"]).sum())
    # rate x pledged x identified x cashable x avoided cost per krone x (1 - overhead - evaluation)
    assert float(loop_gain(run, time=0)) == pytest.approx(
        1 * 0.9 * 0.8 * cashable * (1 - 0.1 - 0.05)
    )
    assert float(loop_gain(run, time=0)) == pytest.approx(1 / 0.7)
    assert float(critical_rate(run, time=0)) == pytest.approx(0.7)


def test_the_critical_rate_does_not_hang_on_the_rate_that_is_run(
    model: Model, linear: dict[str, object]
) -> None:
    for rate in (0.0, 0.3):
        run = model.run({**linear, "reinvestment rate": rate}, years=0.25, time_step=0.25)
        assert float(critical_rate(run, time=0)) == pytest.approx(0.7)
    nothing = model.run({**linear, "optimism correction": 0}, years=0.25, time_step=0.25)
    assert float(critical_rate(nothing, time=0)) == float("inf")


@pytest.mark.slow
def test_saving_per_start_meets_the_linear_algebra(model: Model, linear: dict[str, object]) -> None:
    once = {**linear, "reinvestment rate": 0, "disbursement time": 0.25}
    run = model.run(once, years=30, time_step=0.25, saveper=1)
    starts = run["Cumulated Starts"].isel(time=-1)
    expected = (avoided_cost_per_start(run.isel(time=0)) * starts).sum(["Group", "Need"])
    simulated = run["Cumulated Avoided Cost"].isel(time=-1)
    xr.testing.assert_allclose(simulated, expected.reindex_like(simulated), rtol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.5, 2.0])
def test_simulated_critical_rate_meets_the_formula_at_any_delay(
    model: Model, linear: dict[str, object], delay: float
) -> None:
    growth = {}
    for rate in (0.68, 0.72):
        values = {**linear, "reinvestment rate": rate, "cashing delay": delay}
        run = model.run(values, years=40, time_step=0.25, saveper=10, save=["total cash"])
        early, late = run["total cash"].sel(time=[30, 40]).values
        growth[rate] = np.log(late / early) / 10
    assert growth[0.68] < 0 < growth[0.72]
    critical = 0.68 + 0.04 * growth[0.68] / (growth[0.68] - growth[0.72])
    assert critical == pytest.approx(0.7, rel=2e-3)


def test_coverage_says_on_which_side_of_the_threshold_a_run_is(
    model: Model, linear: dict[str, object]
) -> None:
    for rate, carries in ((0.4, False), (0.95, True)):
        values = {**linear, "reinvestment rate": rate}
        found = sustaining(model.run(values, years=16, time_step=0.25, saveper=1))
        assert bool(found["self-sustaining"]) is carries
        assert (float(found["loop gain"]) >= 1) is carries


# Integration error --------------------------------------------------------------------------------


@pytest.mark.slow
def test_halving_the_step_moves_no_reported_figure_by_more_than_a_percent(model: Model) -> None:
    """The default step is the coarsest power of two for which this holds.

    A percent of the figure itself; for the fund's cash, which runs toward zero, a percent of the
    capital, in every year. 0.25 fails on cash.
    """
    found, cash = {}, {}
    for step in (0.25, 0.125, 0.0625):
        levers = {"reinvestment rate": [0.0, 1.0]}
        runs = sweep(model, load_scenario(), levers, years=20, time_step=step, saveper=1)
        capital = float(runs.isel(time=0)["capital at start"].sum())
        cash[step] = runs["total cash"] / capital
        found[step] = summary(runs)

    def off_by(coarse: float, fine: float) -> float:
        return float(abs(cash[coarse] - cash[fine]).max())

    assert "TIME STEP =\n\t0.125\n" in model.file.path.read_text(encoding="utf-8")
    assert off_by(0.125, 0.0625) <= 0.01 < off_by(0.25, 0.125)
    checked = 0
    for name, fine in found[0.0625].items():
        if str(name).startswith("fund at year") or fine.dtype == bool:
            continue
        change = abs(found[0.125][name] - fine) <= 0.01 * abs(fine)
        assert bool((change | fine.isnull()).all()), name
        checked += 1
    assert checked >= 9
    # Euler's error is of first order: it halves with the step
    assert 1.6 <= off_by(0.25, 0.125) / off_by(0.125, 0.0625) <= 2.5


# Extreme conditions -------------------------------------------------------------------------------


def run_two_years(run_model: Run, **constants: object) -> xr.Dataset:
    changed = {k.replace("_", " "): v for k, v in constants.items()}
    run = run_model(changed, years=3, time_step=0.25, saveper=0.25)
    for name, array in run.data_vars.items():
        assert np.isfinite(array).all(), name
    for name in ("Thriving", "Strained", "Crisis", "Newly Stable", "in intervention", "Fund Cash"):
        assert float(run[name].min()) >= -1e-9 * max(1.0, float(run[name].max())), name
    return run


def test_no_money_no_activity(run_model: Run) -> None:
    run = run_two_years(run_model, capital_at_start=0)
    for name in ("starts", "spending", "avoided cost", "reinvested", "Delivery Capacity"):
        last = abs(run[name].isel(time=-1)).sum()
        first = abs(run[name].isel(time=0)).sum()
        assert float(last) <= float(first)
    assert float(abs(run["starts"]).sum()) == 0
    assert float(abs(run["Cumulated Avoided Cost"]).max()) <= 1e-3


def test_no_citizens_no_activity_and_the_money_stays(run_model: Run) -> None:
    run = run_two_years(run_model, citizens_at_start=0)
    assert float(abs(run["starts"]).sum()) == 0
    assert float(run["total cash"].isel(time=-1)) == float(
        run["capital at start"].isel(time=0).sum()
    )


def test_no_end_of_money_is_held_back_by_citizens_and_staff(run_model: Run) -> None:
    run = run_two_years(run_model, capital_at_start=1e15)
    assert float((run["starts"] - run["wanted starts"]).max()) <= 1e-9
    allowed = run["starts that staff allow"]
    assert float((run["starts"].sum("Need") - allowed).max()) <= 1e-9
    assert float(run["starts"].sum()) > 0


def test_help_that_always_succeeds_empties_the_courses_into_newly_stable(run_model: Run) -> None:
    run = run_two_years(run_model, success_with_help=1, optimism_correction=1, completion_share=1)
    now = run.isel(time=slice(1, None))
    # with learning above one the effect is capped at certainty, and no one goes back unhelped
    eased = now["hardness effect"] * now["learning effect"]
    back = now["back to strained"] + now["back to crisis"]
    lifted = now["lifted"]
    expected = lifted + back
    assert float((lifted - expected * np.minimum(1, eased)).max()) <= 1e-9
    assert float(lifted.isel(time=-1).sum()) > 0.9 * float(expected.isel(time=-1).sum())


def test_delays_near_zero_are_bounded_by_the_step(run_model: Run) -> None:
    run = run_two_years(
        run_model,
        cashing_delay=1e-9,
        disbursement_time=1e-9,
        course_length=1e-9,
        training_time=1e-9,
        recruitment_time=1.0,
        documentation_time=1e-9,
        support_adjustment_time=1e-9,
        settlement_time=1e-9,
    )
    assert float(run["Cumulated Returned To Fund"].isel(time=-1).sum()) > 0
