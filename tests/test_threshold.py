"""The threshold: loop gain of many runs at once, held against a plain computation of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from kredslob.cycle.goals import GOAL_VARIABLES, goals
from kredslob.cycle.parameters import ParameterTable
from kredslob.cycle.scenario import Scenario, load_scenario
from kredslob.cycle.threshold import (
    COVERAGE_VARIABLES,
    GAIN_VARIABLES,
    avoided_cost_per_start,
    critical_rate,
    late_coverage,
    loop_gain,
    margin,
)
from kredslob.errors import KredslobError, ParameterError
from kredslob.simulation import Model
from kredslob.studies.critical_rate import critical_bracket, critical_rate_uncertainty
from kredslob.studies.factors import sample
from kredslob.studies.questions import cycle_draws, cycle_factors
from kredslob.studies.regions import MAPS, along, sustaining_regions
from kredslob.studies.sweep import sweep
from linear_regime import DISBURSEMENT, LINEAR, ONE_STATE, growth, scaled
from threshold_oracle import avoided_cost_per_start as one_by_one

RATE = "reinvestment rate"


# Many runs at once --------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["municipality", "national", "norrkoping"])
def test_saving_per_start_of_a_sweep_is_that_of_each_run(model: Model, setting: str) -> None:
    levers = {RATE: [0, 1], "consolidation time": [0, 2], "switch prevention": [0, 1]}
    runs = sweep(model, load_scenario(None, setting), levers, years=5, time_step=0.25, saveper=5)
    now = runs.isel(time=-1)
    found = avoided_cost_per_start(now)
    assert found.dims == (*levers, "Group", "Need", "Administration")
    for at in np.ndindex(2, 2, 2):
        place = dict(zip(levers, at, strict=True))
        expected = one_by_one(now.isel(place))
        xr.testing.assert_allclose(found.isel(place, drop=True), expected, rtol=1e-12)


def test_loop_gain_of_a_design_reads_only_what_it_names(model: Model) -> None:
    design = {RATE: [0.2, 0.7], "intensity elasticity": [0.3, 0.6]}
    whole = model.run_many(design, years=5, at=[0, 5])
    slim = model.run_many(
        design, years=5, at=[0, 4, 5], save=[*GAIN_VARIABLES, *COVERAGE_VARIABLES]
    )
    xr.testing.assert_equal(loop_gain(whole), loop_gain(slim))
    xr.testing.assert_equal(critical_rate(whole, time=0), critical_rate(slim, time=0))
    assert (late_coverage(slim) > 0).all()
    single = model.run(reinvestment_rate=0.7, intensity_elasticity=0.6, years=5)
    assert float(loop_gain(single)) == pytest.approx(float(loop_gain(slim)[1]), rel=1e-12)


def test_more_runs_than_are_taken_at_once_stay_in_order(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = model.run_many({RATE: np.linspace(0, 1, 7)}, years=1, at=[1.0])
    expected = loop_gain(runs)
    monkeypatch.setattr("kredslob.cycle.threshold._RUNS_AT_ONCE", 3)
    xr.testing.assert_allclose(loop_gain(runs), expected, rtol=1e-12)


def test_citizens_who_never_leave_have_a_loop_gain(model: Model) -> None:
    design = {"yearly exit": [0.0, 1e-5, 1e-4], "switch prevention": [0.0] * 3}
    gain = loop_gain(model.run_many(design, years=5, at=[5.0])).values
    assert gain[0] == pytest.approx(gain[1], rel=1e-3)
    assert abs(gain[0] - gain[1]) < abs(gain[0] - gain[2])


# The full model by simulation, where it is linear -------------------------------------------------


@pytest.fixture(scope="module")
def linear(model: Model) -> dict[str, Any]:
    """The linear regime, with a critical rate of 0.7 by the formula."""
    return scaled(model, LINEAR, 0.7)


@pytest.fixture(scope="module")
def one_state(model: Model) -> dict[str, Any]:
    """Three delays of the first order round the cycle, with a critical rate of 0.7."""
    return scaled(model, ONE_STATE, 0.7)


@pytest.mark.parametrize("delay", [1.0, 2.0])
def test_the_bracket_meets_the_loop_gain_whatever_the_delay(
    model: Model, linear: dict[str, Any], delay: float
) -> None:
    found = critical_bracket(model, {**linear, "cashing delay": delay})
    short, sustaining = found["rate"].values
    assert 0 < sustaining - short <= 1e-4
    assert found["coverage"].sel(side="short") < 1 <= found["coverage"].sel(side="sustaining")
    assert float(found["formula"]) == pytest.approx(0.7, rel=1e-6)
    assert float(found["critical rate"]) == pytest.approx(0.7, abs=1e-3)
    assert float(found["loop gain at rate 1"]) == pytest.approx(1 / 0.7, rel=1e-6)


@pytest.mark.parametrize("rate", [0.5, 0.65, 0.75, 0.9])
def test_the_fund_grows_as_the_characteristic_equation_says(
    model: Model, one_state: dict[str, Any], rate: float
) -> None:
    design = {**one_state, RATE: rate}
    run = model.run(design, years=40, time_step=0.125, saveper=10, save=["total cash"])
    early, late = run["total cash"].sel(time=[30, 40]).values
    assert np.log(late / early) / 10 == pytest.approx(growth(rate / 0.7, 0.125), abs=1e-6)


def test_below_the_threshold_capital_is_spent_over_one_less_the_gain(
    model: Model, one_state: dict[str, Any]
) -> None:
    run = model.run({**one_state, RATE: 0.42}, years=60, saveper=60, save=["Cumulated Spent"])
    spent = float(run["Cumulated Spent"].isel(time=-1).sum())
    assert spent == pytest.approx(12e6 / (1 - 0.42 / 0.7), rel=1e-3)  # the recycling multiplier


def test_coverage_is_one_plus_growth_over_the_disbursement_time(
    model: Model, one_state: dict[str, Any]
) -> None:
    run = model.run({**one_state, RATE: 0.75}, years=40, save=COVERAGE_VARIABLES)
    step, yearly = 0.125, growth(0.75 / 0.7, 0.125)
    grown = np.expm1(yearly * step) / step  # a year's growth as Euler's method adds it up
    assert float(late_coverage(run)) == pytest.approx(1 + grown * DISBURSEMENT, abs=1e-5)


# The full model by simulation ---------------------------------------------------------------------

# Every purse in, savings that count for long and are seen, and courses that work better.
GENEROUS = {
    "recognition horizon": 40,
    "identified share at start": 0.85,
    "allocation weight": 1,
    "pledged share with agreement": {"municipality": 1, "region": 1, "state": 1},
    "success with help": {"youth": {"moderate": 0.7}, "mental illness": {"complex": 0.8}},
    "overhead share": 0,
}


@pytest.fixture(scope="module")
def generous() -> Scenario:
    return load_scenario("agreement").with_parameters(GENEROUS)


def test_no_rate_is_enough_in_the_settings_as_they_are(model: Model) -> None:
    for setting in ("municipality", "national", "norrkoping"):
        found = critical_bracket(model, load_scenario(None, setting))
        assert float(found["critical rate"]) == float("inf")
        assert float(found["rate"].sel(side="short")) == 1
        assert bool(found["rate"].sel(side="sustaining").isnull())
        assert 0 < float(found["loop gain at rate 1"]) < 0.3
        assert float(found["formula"]) == pytest.approx(1 / float(found["loop gain at rate 1"]))


def test_a_bracket_of_simulations_of_which_one_sustains_and_the_other_does_not(
    model: Model, generous: Scenario
) -> None:
    found = critical_bracket(model, generous)
    short, sustaining = found["rate"].values
    assert sustaining - short <= 1e-4
    runs = model.run_many({RATE: [short, sustaining]}, generous)
    assert list(margin(runs).values >= 0) == [False, True]
    assert float(found["critical rate"]) == pytest.approx(float(found["formula"]), rel=0.05)
    assert found.attrs["model_hash"] == model.file.sha256


def test_a_fund_that_lives_on_interest_needs_no_rate(model: Model) -> None:
    living = {"real interest rate": 0.6, "disbursement time": 2, "citizens at start": 1e7}
    found = critical_bracket(model.without_bounds(), living, years=8)
    assert float(found["critical rate"]) == 0
    assert bool(found["rate"].sel(side="short").isnull())


def test_late_savings_in_an_empty_fund_do_not_sustain_it() -> None:
    ledgers = {name: ("time", "Capital") for name in COVERAGE_VARIABLES if name != "total cash"}
    run = xr.Dataset(
        {name: (dims, [[0.0], [10.0], [10.0]]) for name, dims in ledgers.items()},
        {"time": [0.0, 30.0, 40.0]},
    )
    run["Cumulated Spent"][-1] += 1
    run["Cumulated Returned Savings"][-1] += 2
    for cash, carries in ((0.05, False), (0.2, True)):  # of 10 paid in
        run["total cash"] = ("time", [10.0, cash, cash])
        assert float(late_coverage(run)) == 2
        assert bool(margin(run) >= 0) is carries


@pytest.mark.parametrize("rule", [1, 2])
def test_a_rate_set_by_a_rule_is_refused(model: Model, rule: int) -> None:
    for study in (critical_bracket, critical_rate_uncertainty, sustaining_regions):
        with pytest.raises(ParameterError, match="'reinvestment rule' sets the rate here"):
            study(model, {"reinvestment rule": rule})


# Uncertainty --------------------------------------------------------------------------------------


def test_draws_stay_in_their_ranges_with_the_mean_of_their_distribution(
    table: ParameterTable,
) -> None:
    found = sample(cycle_factors(None), 4000, seed=1)
    rows = {row.label: row for row in table}
    for label, column in found.data_vars.items():
        row, values = rows[str(label)], column.values
        assert row.low <= values.min() <= values.max() <= row.high
        mean = (row.low + row.value + row.high) / 3
        if row.distribution == "switch":
            assert set(values) == {0.0, 1.0}
            mean = 0.5
        assert values.mean() == pytest.approx(mean, abs=0.05 * (row.high - row.low)), label
    drawn = [row for row in table if row.kind in ("parameter", "switch") and row.low < row.high]
    assert set(found.data_vars) == {row.label for row in drawn if row.distribution != "fixed"}


def test_what_a_scenario_changes_is_held() -> None:
    stated = load_scenario(None, "national").with_parameters(
        {"cashing delay": {"health": "3 years"}, "optimism correction": 0.5}
    )
    found = {factor.name for factor in cycle_factors(stated)}
    assert "optimism correction" not in found
    assert "cashing delay[health]" not in found
    assert "cashing delay[social]" in found
    assert not any(label.startswith("citizens at start") for label in found)


def test_critical_rates_of_draws_are_those_of_a_bracket_of_each(
    model: Model, generous: Scenario
) -> None:
    found = critical_rate_uncertainty(model, generous, draws=12, seed=3)
    drawn = cycle_draws(generous, 12, seed=3)
    columns = {label: values.values for label, values in drawn.data_vars.items()}
    for draw in range(12):
        rates = np.clip(float(found["critical rate"][draw]) - np.array([1e-4, 0]), 0, 1)
        design = {label: values[[draw] * 2] for label, values in columns.items()} | {RATE: rates}
        one = model.run_many(design, generous)
        carries = list(margin(one).values >= 0)
        enough = np.isfinite(float(found["critical rate"][draw]))
        assert carries == ([False, True] if enough else [False, False])
    enough = np.isfinite(found["critical rate"]).mean()
    assert float(found["probability that some rate is enough"]) == pytest.approx(float(enough))
    assert 0 < float(enough) < 1
    again = critical_rate_uncertainty(model, generous, draws=12, seed=3)
    xr.testing.assert_equal(found, again)
    assert found.attrs["seed"] == 3
    assert "triangular" in found.attrs["distribution"]


def test_the_rate_hinges_on_what_the_gain_is_made_of(model: Model) -> None:
    found = critical_rate_uncertainty(model, draws=400, seed=2)
    rho = found["rank correlation"]
    assert rho["parameter"].values[0] == "identified share at start"
    assert float(rho[0]) > 0.4
    assert float(rho.sel(parameter="course price at normal intensity[families,complex]")) < 0
    assert (abs(rho).diff("parameter") <= 0).all()
    for name in ("needed rate", "loop gain"):
        assert (np.diff(found[f"{name} quantile"].values) >= 0).all()


@pytest.mark.parametrize(
    ("given", "said"), [({"draws": 1}, "draws: found 1"), ({"seed": -1}, "se")]
)
def test_draws_that_make_no_sense_are_refused(
    model: Model, given: dict[str, int], said: str
) -> None:
    with pytest.raises(ParameterError, match=said):
        critical_rate_uncertainty(model, **given)  # type: ignore[arg-type]


# Maps ---------------------------------------------------------------------------------------------


@given(
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=4),
    weights=st.lists(st.floats(0.01, 1), min_size=4, max_size=4),
    value=st.floats(0, 1),
)
def test_shares_reach_their_mean_and_stay_shares(
    shares: list[float], weights: list[float], value: float
) -> None:
    by = np.array(weights[: len(shares)])
    mean = float(np.average(shares, weights=by))
    (found,) = along(np.array(shares), mean, np.array([value]))
    assert found.min() >= -1e-12
    assert found.max() <= 1 + 1e-12
    assert np.average(found, weights=by) == pytest.approx(value, abs=1e-9)


@pytest.mark.slow
def test_maps_pass_through_the_policy_as_it_stands(model: Model, generous: Scenario) -> None:
    found = sustaining_regions(model, generous)
    run = model.run(generous)
    for name in MAPS:
        own = {RATE: float(found["current rate"]), name: float(found[f"current {name}"])}
        for what, value in (("loop gain", loop_gain(run)), ("coverage", late_coverage(run))):
            there = found[f"{what} by {name}"].interp(own)
            assert float(there) == pytest.approx(float(value), rel=5e-3), (name, what)
        gain, carries = found[f"loop gain by {name}"], found[f"self-sustaining by {name}"]
        assert (gain.isel({RATE: 0}) == 0).all()
        assert float(((gain >= 1) != carries).mean()) < 0.01  # the line of gain one is the border
        assert 0.1 < float(carries.mean()) < 0.5


def test_claims_that_end_leave_the_threshold_where_it_is(model: Model, generous: Scenario) -> None:
    half = {"own savings": 6e6, "state pool": 0, "private investors": 6e6, "foundations": 0}
    shared = generous.with_parameters({"capital at start": half})
    alone = float(critical_bracket(model, generous, years=60)["critical rate"])
    together = float(critical_bracket(model, shared, years=60)["critical rate"])
    assert together == pytest.approx(alone, rel=0.02)


# Goals --------------------------------------------------------------------------------------------


def test_goals_pull_the_rate_apart(model: Model) -> None:
    levers = {RATE: np.linspace(0, 1, 11)}
    found = goals(sweep(model, load_scenario(), levers, saveper=1, save=GOAL_VARIABLES))
    best = found["best rate"]
    assert float(best.sel(goal="fund at the end")) == 1
    assert float(best.sel(goal="relief of municipality")) == 0
    loss = found["loss"].values
    assert np.diag(loss) == pytest.approx(0, abs=1e-9)
    assert loss.min() >= -1e-9
    run = model.run(load_scenario(), reinvestment_rate=1.0)
    helped = float(run["Cumulated Completions"].isel(time=-1).sum())
    assert float(found["reached"].sel({"goal": "citizens helped", RATE: 1})) == pytest.approx(
        helped
    )
    lost = 1 - found["reached"].sel({"goal": "citizens helped", RATE: 0}) / helped
    assert float(found["loss"].sel(goal="relief of municipality", other="citizens helped")) == (
        pytest.approx(float(lost))
    )
    assert found["payback year"].isnull().all()
    assert (found["share repaid"].diff(RATE) > 0).all()


def test_a_goal_that_no_rate_reaches_has_no_best_rate(model: Model) -> None:
    design = {"optimism correction": 0}
    levers = {RATE: [0.0, 0.5, 1.0]}
    found = goals(sweep(model, design, levers, years=5, saveper=1, save=GOAL_VARIABLES))
    assert bool(found["best rate"].sel(goal="relief of state").isnull())
    assert found["loss"].sel(goal="relief of state").isnull().all()
    assert float(found["best rate"].sel(goal="citizens helped")) == 0  # all alike: the lowest


def test_goals_of_a_single_run_are_refused(model: Model) -> None:
    with pytest.raises(KredslobError, match="expected a sweep"):
        goals(model.run(years=1))
