"""Calibration: known constants come back, and a linear model agrees with the closed form."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import kredslob
from kredslob.errors import ParameterError
from kredslob.simulation import Model
from kredslob.studies.calibration import Calibration, calibrate
from kredslob.studies.goodness import SHARES, goodness, theil
from kredslob.studies.posterior import posterior

# y = base + slope * Time is linear in its constants: everything is known in closed form.
LINE = """{UTF-8}
base = 1 ~ litre ~ |
slope = 1 ~ litre/hour ~ |
level = base + slope * Time ~ litre ~ |
flow = slope ~ litre/hour ~ |
Filled = INTEG(flow, base) ~ litre ~ |
INITIAL TIME = 0 ~ hour ~ |
FINAL TIME = 12 ~ hour ~ |
TIME STEP = 0.5 ~ hour ~ |
SAVEPER = 1 ~ hour ~ |
"""
TRUE = {"time constant": 3.0, "inflow[left]": 2.0, "inflow[right]": 5.0}
RANGES = {"time constant": (1, 10), "inflow[left]": (0, 10), "inflow[right]": (0, 10)}
LINE_RANGES = {"base": (-20, 20), "slope": (-20, 20)}


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("models") / "line.mdl"
    path.write_text(LINE, encoding="utf-8")
    return kredslob.load(path)


@pytest.fixture(scope="module")
def seen() -> pd.Series:
    times = np.arange(1, 13.0)
    noise = np.random.default_rng(5).normal(0, 0.7, 12)
    return pd.Series(3 + 1.5 * times + noise, times, name="level")


@pytest.fixture(scope="module")
def twin(tanks: Model) -> xr.DataArray:
    run = tanks.run({"time constant": 3.0, "inflow": [2.0, 5.0]}, saveper=0.5, save=["Water"])
    water = run["Water"].isel(time=slice(1, None))
    return water + np.random.default_rng(3).normal(0, 0.05, water.shape)


@pytest.fixture(scope="module")
def fitted(tanks: Model, twin: xr.DataArray) -> Calibration:
    return calibrate(tanks, twin.rename("Water"), RANGES)


def test_known_constants_come_back_within_their_intervals(fitted: Calibration) -> None:
    for name, true in TRUE.items():
        found = fitted.estimates.loc[name]
        assert abs(found["estimate"] - true) < 2.5 * found["standard error"], name
        assert 0 < found["standard error"] < 0.2 * true
    assert not fitted.estimates["at bound"].any()
    assert (fitted.fit["r2"] > 0.98).all()
    assert np.ptp(fitted.starts["cost"]) < 1e-6  # every start ends at the same place
    assert list(fitted.fit.index) == ["Water[left]", "Water[right]"]


def test_without_noise_they_come_back_exactly(tanks: Model) -> None:
    run = tanks.run({"time constant": 3.0, "inflow": [2.0, 5.0]}, save=["Water"])
    found = calibrate(tanks, run["Water"], RANGES).estimates["estimate"]
    assert found.to_dict() == pytest.approx(TRUE, rel=1e-6)


def test_an_initial_value_can_be_fitted(tanks: Model) -> None:
    run = tanks.run({"Water": [3.0, 7.0]}, save=["Water"])
    found = calibrate(tanks, run["Water"], {"Water[left]": (0, 9), "Water[right]": (0, 9)})
    assert found.estimates["estimate"].tolist() == pytest.approx([3, 7], rel=1e-6)


def regression(seen: pd.Series) -> Any:
    return stats.linregress(seen.index.to_numpy(), seen.to_numpy())


def test_a_line_is_fitted_as_by_regression(line: Model, seen: pd.Series) -> None:
    known, found = regression(seen), calibrate(line, seen, LINE_RANGES)
    estimate, error = found.estimates["estimate"], found.estimates["standard error"]
    assert estimate["slope"] == pytest.approx(known.slope, rel=1e-7)
    assert estimate["base"] == pytest.approx(known.intercept, rel=1e-6)
    assert error["slope"] == pytest.approx(known.stderr, rel=1e-6)
    assert error["base"] == pytest.approx(known.intercept_stderr, rel=1e-6)
    assert found.fit.loc["level", "r2"] == pytest.approx(known.rvalue**2, rel=1e-7)
    assert found.residuals["residual"].sum() == pytest.approx(0, abs=1e-6)


@pytest.fixture(scope="module")
def draws(line: Model, seen: pd.Series) -> xr.Dataset:
    return posterior(line, seen, LINE_RANGES, steps=4000, seed=1)


def test_the_posterior_of_a_line_is_students_t(seen: pd.Series, draws: xr.Dataset) -> None:
    known = regression(seen)  # flat in the constants and in log spread: t with n - 2 degrees
    shape = stats.t(len(seen) - 2, known.slope, known.stderr)
    slope = draws["slope"].values.ravel()
    assert draws.attrs["enough steps"] == 1
    for quantile in (0.05, 0.5, 0.95):
        apart = np.quantile(slope, quantile) - shape.ppf(quantile)
        assert abs(apart) < 0.08 * known.stderr * 2, quantile
    assert float(draws["standard deviation"].sel(constant="slope")) == pytest.approx(
        shape.std(), rel=0.08
    )
    assert (draws["R-hat"] < 1.03).all()
    assert (draws["effective sample size"] > 500).all()


def test_predictive_bands_hold_the_data(seen: pd.Series, draws: xr.Dataset) -> None:
    low, middle, high = draws["prediction"].values
    inside = (low < seen.to_numpy()) & (seen.to_numpy() < high)
    assert inside.mean() >= 0.75
    known = regression(seen)
    fit = known.intercept + known.slope * seen.index.to_numpy()
    assert middle == pytest.approx(fit, abs=0.25)
    spread = np.sqrt(np.sum((seen.to_numpy() - fit) ** 2) / (len(seen) - 2))
    assert 2.5 * spread < (high - low).mean() < 5 * spread


def test_known_constants_lie_in_the_posterior(tanks: Model, twin: xr.DataArray) -> None:
    found = posterior(tanks, twin.rename("Water"), RANGES, steps=600)
    for name, true in TRUE.items():
        low, high = np.quantile(found[name].values, [0.005, 0.995])
        assert low < true < high, name
    again = posterior(tanks, twin.rename("Water"), RANGES, steps=600)
    assert found.identical(again)


def test_too_few_steps_are_said_to_be_too_few(line: Model, seen: pd.Series) -> None:
    found = posterior(line, seen, LINE_RANGES, steps=40)
    assert found.attrs["enough steps"] == 0
    assert "fewer than 50 autocorrelation times" in found.attrs["advice"]


def test_theils_shares() -> None:
    actual = [1, 2, 3, 4, 5]
    found = theil(actual, [1.5, 2, 4, 4.5, 6])
    assert found["mse"] == pytest.approx(0.5)
    assert [found[s] for s in SHARES] == pytest.approx([0.72, 0.116240, 0.163760], abs=1e-6)
    shifted = theil(actual, [2, 3, 4, 5, 6])
    assert [shifted[s] for s in SHARES] == pytest.approx([1, 0, 0], abs=1e-12)
    same = theil(actual, actual)
    assert same["note"] == "not defined: the series are the same"
    assert np.isnan(same["bias"])
    assert theil(actual, [3] * 5)["note"] == "not defined: a series does not move"


def test_measures_of_fit() -> None:
    found = goodness([1, 2, 4], [1, 3, 3])
    assert found["mape"] == pytest.approx((0 + 0.5 + 0.25) / 3)
    assert found["r2"] == pytest.approx(1 - 2 / (14 / 3))
    assert np.isnan(goodness([0, 1], [1, 1])["mape"])
    assert np.isnan(goodness([1, 1], [1, 2])["r2"])
    with pytest.raises(ParameterError, match="two equal rows"):
        goodness([1, 2], [1])


GOOD = pd.Series([2.0, 3.0, 4.0], [1.0, 2.0, 3.0], name="level")


@pytest.mark.parametrize(
    ("observed", "ranges", "expected"),
    [
        (GOOD.rename("ghost"), LINE_RANGES, "ghost"),
        (GOOD.rename("level[left]"), LINE_RANGES, "found 1 elements, expected 0"),
        (GOOD.rename(None), LINE_RANGES, "found no name"),
        (pd.Series([1.0, 2, 3], [1, 2, 99], name="level"), LINE_RANGES, "99"),
        (pd.Series([1.0, 2, 3], [1, 2, 2.3], name="level"), LINE_RANGES, "2.3"),
        (pd.Series([1.0, 2, 3], [1, 2, 2], name="level"), LINE_RANGES, "a time twice"),
        (pd.Series([1.0, np.nan, 3], [1, 2, 3], name="level"), LINE_RANGES, "leave its time out"),
        (pd.Series(["a", "b", "c"], [1, 2, 3], name="level"), LINE_RANGES, "expected numbers"),
        (GOOD[:2], LINE_RANGES, "more values than constants"),
        (GOOD, {}, "expected a dict by name"),
        (GOOD, {"base": (3, 1)}, "expected low below high"),
        (GOOD, {"base": (0, 1, 2)}, "expected .low, high."),
        (GOOD, {"ghost": (0, 1)}, "ghost"),
        ({}, LINE_RANGES, "found no series"),
        ([1, 2], LINE_RANGES, "expected a Series or DataFrame"),
        (xr.DataArray([1.0, 2, 3], dims="year", name="level"), LINE_RANGES, "no dimension 'time'"),
    ],
)
def test_bad_input_is_refused(line: Model, observed: Any, ranges: Any, expected: str) -> None:
    with pytest.raises(ParameterError, match=expected):
        calibrate(line, observed, ranges)


def test_bad_numbers_of_starts_and_walkers_are_refused(line: Model) -> None:
    with pytest.raises(ParameterError, match="starts: found 0"):
        calibrate(line, GOOD, LINE_RANGES, starts=0)
    with pytest.raises(ParameterError, match="even number of walkers"):
        posterior(line, GOOD, LINE_RANGES, walkers=5)


def test_what_must_be_installed_is_said(line: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "emcee", None)
    with pytest.raises(ParameterError, match=r"pip install kredslob\[studies\]"):
        posterior(line, GOOD, LINE_RANGES)


def test_series_may_have_different_times_and_units(line: Model) -> None:
    observed = {
        "level": pd.Series([4.4, 6.1, 7.4], [1.0, 2.0, 3.0]),
        "Filled": pd.Series([9.1, 10.4, 18.2], [4.0, 5.0, 10.0]),
    }
    found = calibrate(line, observed, LINE_RANGES)
    assert found.estimates.loc["slope", "estimate"] == pytest.approx(1.5, abs=0.1)
    assert found.fit["count"].tolist() == [3, 3]
