"""Indices of functions with known answers, written as models and run by the engine.

Analytic indices of Ishigami's function: Saltelli et al. (2008), Global Sensitivity Analysis: The
Primer, section 4; those of Sobol's G function follow from the variances of its factors.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import kredslob
from kredslob.cycle.scenario import load_scenario
from kredslob.errors import ParameterError
from kredslob.simulation import Model
from kredslob.studies.evaluate import Outcomes, at_end, only, over_time
from kredslob.studies.factors import Factor, factors_of
from kredslob.studies.questions import cycle_factors, cycle_questions
from kredslob.studies.sensitivity import (
    DUMMY,
    morris,
    one_at_a_time,
    pawn,
    sobol,
    strongest,
)

MODELS = Path(__file__).parent / "models"
INPUTS = factors_of(dict.fromkeys(("x1", "x2", "x3"), (-np.pi, np.pi)))
FIRST = np.array([0.313905, 0.442411, 0.0])
TOTAL = np.array([0.557589, 0.442411, 0.243684])
VARIANCE = 13.844588


@pytest.fixture(scope="module")
def ishigami() -> Model:
    return kredslob.load(MODELS / "ishigami.mdl")


@pytest.fixture(scope="module")
def shares(ishigami: Model) -> xr.Dataset:
    return sobol(ishigami, INPUTS, at_end("y"), samples=4096, second_order=True)


def assert_within(found: xr.Dataset, name: str, expected: Any) -> None:
    interval = found[f"{name} interval"].isel(outcome=0, factor=slice(0, len(expected)))
    assert (interval.sel(bound="low").values <= expected).all()
    assert (interval.sel(bound="high").values >= expected).all()


# Sobol


def test_shares_of_ishigamis_function(shares: xr.Dataset) -> None:
    assert_within(shares, "first", FIRST)
    assert_within(shares, "total", TOTAL)
    # quasi-random points do better than the intervals, which are those of random ones, promise
    np.testing.assert_allclose(shares["first"][0, :3], FIRST, atol=0.002)
    np.testing.assert_allclose(shares["total"][0, :3], TOTAL, atol=0.002)


def test_pairs_of_ishigamis_function(shares: xr.Dataset) -> None:
    for pair, expected in ((("x1", "x3"), 0.243684), (("x1", "x2"), 0), (("x2", "x3"), 0)):
        for one, other in (pair, pair[::-1]):
            found = shares.sel({"outcome": "y", "factor": one, "factor 2": other})
            low, high = found["second interval"].values
            assert low <= expected <= high
            assert float(found["second"]) == pytest.approx(expected, abs=0.005)


def test_shares_of_the_g_function() -> None:
    model = kredslob.load(MODELS / "g_function.mdl")
    inputs = factors_of({f"x[i{k}]": (0, 1) for k in range(1, 5)})
    found = sobol(model, inputs, at_end("y"), samples=4096)
    variances = 1 / 3 / (1 + np.array([0, 1, 4.5, 9])) ** 2
    whole = np.prod(1 + variances) - 1
    assert_within(found, "first", variances / whole)
    assert_within(found, "total", variances * np.prod(1 + variances) / (1 + variances) / whole)


def test_shares_over_time(ishigami: Model) -> None:
    # time * x2 adds its own variance and meets no other term
    found = sobol(ishigami, INPUTS, over_time("growing", times=[0, 1, 2]), samples=4096)
    assert found["total"].dims == ("outcome", "time", "factor")
    for place, time in enumerate(found["time"].values):
        whole = VARIANCE + time**2 * np.pi**2 / 3
        first = FIRST * VARIANCE / whole
        first[1] += time**2 * np.pi**2 / 3 / whole
        np.testing.assert_allclose(found["first"][0, place, :3], first, atol=0.005)


def test_shares_of_inputs_with_other_distributions(ishigami: Model) -> None:
    # growing - y = 2 * x2 at time 2, with x1 = x3 = 0, so that y = 7 sin(x2)^2 with x2 in {0, pi}:
    # a switch of x2 from 0 to pi has variance (2 pi)^2 / 4; triangular x1 from -1 to 1 enters as
    # sin(x1), whose variance over the triangle is (1 - E cos 2 x1) / 2 = (1 - sin(1)^2) / 2
    inputs = [Factor("x2", 0, np.pi, "switch"), Factor("x1", -1, 1, "triangular", 0)]
    found = sobol(ishigami, inputs, at_end("growing"), samples=4096)
    parts = np.array([np.pi**2, (1 - np.sin(1) ** 2) / 2])
    assert_within(found, "first", parts / parts.sum())
    assert_within(found, "total", parts / parts.sum())


def test_the_dummy_shows_the_noise(shares: xr.Dataset) -> None:
    coarse = sobol(kredslob.load(MODELS / "ishigami.mdl"), INPUTS, at_end("y"), samples=64)
    for name in ("first", "total"):
        fine = float(shares[name].sel(outcome="y", factor=DUMMY))
        assert 0 < fine < 0.01
        assert fine < float(coarse[name].sel(outcome="y", factor=DUMMY))


def test_an_outcome_that_never_varies_has_no_shares(ishigami: Model) -> None:
    flat = Outcomes(["y"], lambda runs: runs[["y"]].isel(time=-1) * 0)
    assert bool(sobol(ishigami, INPUTS, flat, samples=64)["total"].isnull().all())
    with pytest.raises(ParameterError, match="no input moves these outcomes"):
        strongest(sobol(ishigami, INPUTS, flat, samples=64), 1)


# Morris, PAWN, one at a time


def test_elementary_effects_of_a_straight_line_are_its_slopes(tanks: Model) -> None:
    # water grows by half the inflow at each of 8 steps, and loses a tenth of itself
    inputs = factors_of({"inflow[left]": (1, 4), "inflow[right]": (2, 4)})
    found = morris(tanks, inputs, at_end("Water"), trajectories=6)
    slope = 0.5 * sum(0.9**k for k in range(8))
    expected = [[3 * slope, 0, 0], [0, 2 * slope, 0]]
    assert found["outcome"].values.tolist() == ["Water[left]", "Water[right]"]
    assert found["unit"].values.tolist() == ["litre", "litre"]
    for name in ("mu", "mu star"):
        np.testing.assert_allclose(found[name], expected, atol=1e-9)
    np.testing.assert_allclose(found["sigma"], 0, atol=1e-9)


def test_morris_screens_ishigamis_function(ishigami: Model) -> None:
    found = morris(ishigami, INPUTS, at_end("y"), trajectories=200)
    # with levels at -pi, -pi/3, pi/3, pi the second input moves 7 sin^2 by 3/4 of 7 at each step,
    # over two thirds of the range
    second = found.sel(outcome="y", factor="x2")
    assert float(second["mu star"]) == pytest.approx(7 * 0.75 * 1.5)
    assert float(found["mu star"].sel(outcome="y", factor=DUMMY)) == 0
    assert [f.name for f in strongest(found, 2)] == ["x2", "x1"]


def test_pawn_ranks_beyond_the_dummy(ishigami: Model) -> None:
    found = pawn(ishigami, INPUTS, at_end("y"), samples=4000)["median"].isel(outcome=0)
    assert float(found.sel(factor=DUMMY)) < 0.08
    assert (found.isel(factor=slice(0, 3)) > found.sel(factor=DUMMY)).all()
    assert found["factor"].values[np.argmax(found.values)] == "x2"


def test_one_at_a_time_starts_from_the_scenario(tanks: Model) -> None:
    inputs = factors_of({"inflow[right]": (2, 4), "time constant": (4, 10)})
    found = one_at_a_time(tanks, inputs, at_end("Water"), {"time constant": 8})
    right = found.sel(outcome="Water[right]")
    for change, name, end in (
        ({}, "base", {}),
        ({"inflow": [2, 2]}, "at low", {"factor": "inflow[right]"}),
        ({"time constant": 10}, "at high", {"factor": "time constant"}),
    ):
        run = tanks.run({"time constant": 8} | change)["Water"].isel(time=-1).sel(Tank="right")
        assert float(right[name].sel(end)) == pytest.approx(float(run))
    assert strongest(found, 1, "Water[right]")[0] == inputs[0]


def test_an_input_of_many_numbers_is_refused(tanks: Model) -> None:
    for name in ("inflow", "inflow[middle]", "time constant[left]"):
        with pytest.raises(ParameterError, match="expected the name of a single number"):
            one_at_a_time(tanks, [Factor(name, 1, 2)], at_end("Water"))
    odd = one_at_a_time(tanks, [Factor("Inflow[LEFT]", 2, 4)], at_end("Water"))
    assert float(odd["at low"][0, 0]) == float(odd["base"][0])


# In common


@pytest.mark.parametrize("method", [morris, sobol, pawn])
def test_the_same_seed_gives_the_same_indices(ishigami: Model, method: Any) -> None:
    size = {"trajectories": 4} if method is morris else {"samples": 128}
    one, same, other = (
        method(ishigami, INPUTS, at_end("y"), seed=seed, **size) for seed in (0, 0, 1)
    )
    xr.testing.assert_equal(one, same)
    assert not one.equals(other)
    assert one.attrs["seed"] == 0
    assert one.attrs["model"] == "ishigami.mdl"


def test_results_go_to_a_file(shares: xr.Dataset, tmp_path: Path) -> None:
    shares.to_netcdf(tmp_path / "shares.nc", engine="h5netcdf")
    read = xr.load_dataset(tmp_path / "shares.nc", engine="h5netcdf")
    assert strongest(read, 2) == strongest(shares, 2)


BAD = [
    (sobol, {"samples": 1000}, "samples: found 1000, expected a power of 2"),
    (sobol, {"samples": 32}, "samples: found 32, expected a whole number from 64"),
    (sobol, {"seed": -1}, "seed: found -1"),
    (morris, {"trajectories": 3}, "trajectories: found 3, expected a whole number from 4"),
    (pawn, {"samples": 99}, "samples: found 99, expected a whole number from 100"),
    (morris, {"factors": []}, "at least one factor"),
    (morris, {"factors": [INPUTS[0], INPUTS[0]]}, "each of them once"),
    (sobol, {"factors": factors_of({"dummy": (0, 1)})}, "none called 'dummy'"),
    (sobol, {"factors": factors_of({"x9": (0, 1)})}, "x9"),
    (sobol, {"outcomes": at_end("z")}, "has no variable 'z' to save"),
    (pawn, {"outcomes": only(at_end("y"), "z")}, "found no outcome 'z', expected one of y"),
    (one_at_a_time, {"factors": factors_of({"x9": (0, 1)})}, "x9"),
]


@pytest.mark.parametrize(("method", "options", "message"), BAD, ids=[m for *_, m in BAD])
def test_a_bad_study_is_refused_in_one_line(
    ishigami: Model, method: Any, options: dict[str, Any], message: str
) -> None:
    asked = {"factors": INPUTS, "outcomes": at_end("y")} | options
    with pytest.raises(ParameterError) as caught:
        method(ishigami, **asked)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_outcome_has_no_strongest_inputs(shares: xr.Dataset) -> None:
    with pytest.raises(ParameterError, match="found no outcome 'z', expected one of y"):
        strongest(shares, 1, "z")


@pytest.mark.parametrize("method", [morris, sobol, pawn])
def test_without_salib_one_line_says_what_to_install(
    ishigami: Model, method: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("morris", "sobol", "latin"):
        monkeypatch.setitem(sys.modules, f"SALib.sample.{name}", None)
    with pytest.raises(ParameterError, match=r"SALib.*pip install 'kredslob\[studies\]'"):
        method(ishigami, INPUTS, at_end("y"))


def test_the_reinvestment_model_is_screened_and_ranked(model: Model) -> None:
    place = load_scenario("agreement")
    asked = only(cycle_questions(10), "loop gain", "citizens helped")
    screened = morris(model, cycle_factors(place), asked, place, trajectories=4, years=10)
    assert screened.sizes["factor"] == len(cycle_factors(place)) + 1
    assert screened["unit"].values.tolist() == ["Dmnl", "person"]
    few = strongest(screened, 4)
    assert set(few) <= set(cycle_factors(place))
    shares = sobol(model, few, asked, place, samples=64, years=10)
    assert float(shares["total"].min()) > -0.1
