"""A policy under uncertainty: each draw held against a run of its own, and sums against theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.stats import spearmanr

from kredslob.cycle.accounts import accounts
from kredslob.cycle.scenario import Scenario, load_scenario
from kredslob.cycle.threshold import sustaining
from kredslob.errors import ParameterError
from kredslob.simulation import Model
from kredslob.studies.uncertainty import AT_RISK, uncertainty

RATE = "reinvestment rate"
DRAWS = 60
CARRIES = "probability that the cycle carries itself"
# A policy under which some draws pay back and some carry themselves.
GENEROUS = {
    "recognition horizon": 40,
    "identified share at start": 0.85,
    "allocation weight": 1,
    "pledged share with agreement": {"municipality": 1, "region": 1, "state": 1},
    "success with help": {"youth": {"moderate": 0.7}, "mental illness": {"complex": 0.8}},
    "capital at start": {"private investors": 5e6},
    "overhead share": 0,
}


@pytest.fixture(scope="module")
def generous() -> Scenario:
    return load_scenario("agreement").with_parameters(GENEROUS)


@pytest.fixture(scope="module")
def found(model: Model, generous: Scenario) -> xr.Dataset:
    return uncertainty(model, generous, rates=(0.25, 1), draws=DRAWS, seed=3, years=30)


@pytest.mark.parametrize("draw", [0, 17, 59])
def test_a_draw_comes_to_what_a_run_of_its_own_does(
    model: Model, generous: Scenario, found: xr.Dataset, draw: int
) -> None:
    drawn = found["input"].isel(draw=draw)
    design = {str(p): [float(drawn.sel(parameter=p))] for p in drawn["parameter"].values}
    run = model.run_many({**design, RATE: [1.0]}, generous, years=30).isel(run=0)
    own = found.sel({RATE: 1}).isel(draw=draw)
    books = accounts(run)
    for party in AT_RISK:
        expected = float(books["net present value"].sel(party=party))
        assert float(own[f"net present value of {party}"]) == pytest.approx(expected, abs=0.01)
    expected = float(books["payback year"].sel(party="fund"))
    assert float(own["payback year"]) == pytest.approx(expected, nan_ok=True)
    helped = run["Cumulated Completions"].isel(time=-1).sum()
    assert float(own["citizens helped"]) == pytest.approx(float(helped))
    assert float(own["late coverage"]) == pytest.approx(float(sustaining(run)["coverage"]))
    assert bool(own["carries itself"]) is bool(sustaining(run)["self-sustaining"])
    assert float(own["loop gain"]) == pytest.approx(float(sustaining(run)["loop gain"]))


def test_all_rates_see_the_same_draws(model: Model, generous: Scenario, found: xr.Dataset) -> None:
    alone = uncertainty(model, generous, rates=(1,), draws=DRAWS, seed=3, years=30)
    together = found.sel({RATE: [1]})
    xr.testing.assert_equal(alone, together)
    other = uncertainty(model, generous, rates=(1,), draws=DRAWS, seed=4, years=30)
    assert not other["input"].equals(alone["input"])


def test_quantiles_are_values_of_draws(found: xr.Dataset) -> None:
    for rate in (0.25, 1):
        values = np.sort(found["citizens helped"].sel({RATE: rate}).values)
        spread = found["citizens helped quantile"].sel({RATE: rate})
        # the smallest value that at least this share of 60 draws reach or stay below
        assert list(spread.values) == [values[k - 1] for k in (3, 15, 30, 45, 57)]
    assert list(found["statistic"].values) == ["q0.05", "q0.25", "q0.5", "q0.75", "q0.95"]
    for rate in (0.25, 1):
        years = found["payback year"].sel({RATE: rate}).values
        values = np.sort(np.where(np.isnan(years), np.inf, years))
        spread = found["payback year quantile"].sel({RATE: rate})
        assert list(spread.values) == [values[k - 1] for k in (3, 15, 30, 45, 57)]
    assert np.isinf(found["payback year quantile"]).any()
    assert np.isfinite(found["payback year quantile"]).any()


def test_fans_end_where_the_draws_do(found: xr.Dataset) -> None:
    ends = {"total cash": "fund at the end", "citizens helped": "citizens helped"}
    for path, end in ends.items():
        fan = found[f"{path} over time"]
        assert fan.dims == (RATE, "statistic", "time")
        assert list(fan["time"].values) == list(range(31))
        assert (fan.diff("statistic") >= 0).all()
        last = fan.isel(time=-1).transpose("statistic", RATE)
        np.testing.assert_allclose(last, found[f"{end} quantile"], rtol=1e-12)


def test_chances_count_draws(found: xr.Dataset) -> None:
    carried = found["carries itself"].sum("draw").values
    assert 0 < carried[1] < DRAWS
    np.testing.assert_allclose(found[CARRIES], carried / DRAWS)
    low, high = found["probability interval"].sel({RATE: 1}).values
    assert low < carried[1] / DRAWS < high
    payback = found["probability of payback"].sel({RATE: 1})
    years = found["payback year"].sel({RATE: 1}).values
    for year in (0, 10, 30):
        assert float(payback.sel(year=year)) == np.mean(years <= year)


def test_of_no_draw_the_chance_may_yet_be_small(model: Model) -> None:
    none = uncertainty(model, rates=(1,), draws=50, years=20)
    assert float(none[CARRIES][0]) == 0
    low, high = none["probability interval"][0].values
    assert low == 0
    assert (1 - high) ** 50 == pytest.approx(0.025)  # by Clopper and Pearson


def test_value_at_risk_is_the_third_worst_of_60_and_the_shortfall_the_mean_of_three(
    found: xr.Dataset,
) -> None:
    for party in AT_RISK:
        worst = np.sort(found[f"net present value of {party}"].sel({RATE: 1}).values)[:3]
        at = {"party": party, RATE: 1}
        assert float(found["value at risk"].sel(at)) == worst[2]
        assert float(found["expected shortfall"].sel(at)) == pytest.approx(worst.mean())


def test_the_result_says_what_made_it(model: Model, found: xr.Dataset) -> None:
    assert found.attrs["seed"] == 3
    assert found.attrs["model_hash"] == model.file.sha256
    assert "numpy" in found.attrs["versions"]
    assert "triangular" in found.attrs["distribution"]
    for name, array in found.data_vars.items():
        assert array.attrs["units"], name
        assert array.attrs["long_name"], name
    held = {str(p).partition("[")[0] for p in found["parameter"].values}
    assert not held & {"identified share at start", "overhead share"}


def test_parameters_may_move_together(model: Model) -> None:
    pair = ("optimism correction", "identified share at start")
    found = uncertainty(model, rates=(1,), draws=400, years=1, correlations={pair: 0.8})
    first, second = (found["input"].sel(parameter=name) for name in pair)
    assert spearmanr(first, second)[0] == pytest.approx(0.8, abs=0.06)
    assert "optimism correction with identified share at start: 0.8" in found.attrs["distribution"]


def test_progress_runs_over_all_rates(model: Model) -> None:
    seen: list[tuple[float, float]] = []
    uncertainty(model, draws=20, years=1, progress=lambda done, whole: seen.append((done, whole)))
    assert seen == sorted(seen)
    assert {(20, 40), (40, 40)} <= set(seen)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"draws": 19}, "draws: found 19, expected a whole number from 20"),
        ({"seed": -1}, "seed: found -1"),
        ({"rates": ()}, r"rates: found \[\], expected a list of numbers from 0 to 1, each once"),
        ({"rates": (0.5, 1.5)}, "rates: found"),
        ({"rates": (1, 1)}, "each once"),
        ({"rates": (float("nan"),)}, "rates: found"),
        ({"years": 71}, "years: found 71, expected a whole number from 1 to 70"),
        ({"years": 2.5}, r"years: found 2\.5"),
        ({"years": 0}, "years: found 0"),
        ({"correlations": {("optimism correction", "luck"): 0.5}}, "'luck' is no factor"),
        ({"scenario": {"reinvestment rule": 1}}, "'reinvestment rule' sets the rate here"),
        ({"scenario": {"cashing delai": 1}}, "cashing delai"),
    ],
)
def test_what_makes_no_sense_is_refused(model: Model, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        uncertainty(model, **given)
