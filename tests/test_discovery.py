"""Boxes planted in random runs are found again, and what holds for all peelings holds."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from kredslob.errors import ParameterError
from kredslob.studies.discovery import Peeling, cart, prim
from kredslob.studies.factors import Factor, factors_of, sample

FACTORS = [
    *factors_of({"rain": (0, 10), "sun": (-1, 1), "wind": (0, 1), "soil": (5, 6)}),
    Factor("dam", 0, 1, "switch"),
]


def runs_of(count: int, seed: int = 0, factors: list[Factor] = FACTORS) -> xr.Dataset:
    """Runs with nothing but their inputs."""
    drawn = sample(factors, count, seed=seed)
    return drawn.rename({name: f"input {name}" for name in drawn.data_vars})


@pytest.fixture(scope="module")
def runs() -> xr.Dataset:
    return runs_of(4000)


@pytest.fixture(scope="module")
def flooded(runs: xr.Dataset) -> xr.DataArray:
    """Much rain, little sun and no dam: an eighth of the runs or so."""
    return (runs["input rain"] > 6) & (runs["input sun"] < 0.2) & (runs["input dam"] < 0.5)


@pytest.fixture(scope="module")
def peeling(runs: xr.Dataset, flooded: xr.DataArray) -> Peeling:
    return prim(runs, flooded, FACTORS)


def whole(peeling: Peeling, coverage: float = 0.9) -> int:
    """The last step that still covers nearly all cases."""
    return int(np.flatnonzero(peeling.trajectory["coverage"].values >= coverage)[-1])


# PRIM


def test_a_planted_box_is_found(peeling: Peeling) -> None:
    box = peeling.inspect(whole(peeling))
    assert set(box["factor"].values) >= {"rain", "sun", "dam"}
    assert float(box["density"]) > 0.95
    assert float(box.sel(factor="rain")["low"]) == pytest.approx(6, abs=0.25)
    assert float(box.sel(factor="rain")["high"]) == 10
    assert float(box.sel(factor="sun")["high"]) == pytest.approx(0.2, abs=0.06)
    assert box.sel(factor="dam")[["low", "high"]].to_array().values.tolist() == [0, 0.5]


def test_quasi_p_values_tell_planted_limits_from_chance(peeling: Peeling) -> None:
    box = peeling.inspect(whole(peeling))
    assert (box["quasi p"].sel(factor=["rain", "sun", "dam"]) < 1e-20).all()
    others = box["quasi p"].drop_sel(factor=["rain", "sun", "dam"])
    assert (others > 1e-6).all()
    assert (np.diff(box["quasi p"].values) >= 0).all()  # the surest first


def test_a_quasi_p_value_is_the_binomial_chance() -> None:
    # 8 runs, one switch, 3 of the 4 that are on are cases and 1 that is off: the box of those on
    # has 3 of 4 where half of all are cases, and P(at least 3 of 4 at 1/2) = 5/16
    runs = xr.Dataset({"input dam": ("run", [1.0] * 4 + [0.0] * 4)})
    cases = xr.DataArray([True, True, True, False, True, False, False, False], dims="run")
    found = prim(runs, cases, [FACTORS[-1]])
    assert found.trajectory["density"].values.tolist() == [0.5, 0.75]
    assert found.trajectory["coverage"].values.tolist() == [1, 0.75]
    assert float(found.inspect(1)["quasi p"][0]) == pytest.approx(5 / 16)


def test_resamples_restrict_what_was_planted(peeling: Peeling) -> None:
    often = peeling.resampled(whole(peeling))
    assert (often.sel(factor=["rain", "sun", "dam"]) == 1).all()
    assert set(often["factor"][:3].values) == {"rain", "sun", "dam"}
    xr.testing.assert_equal(often, peeling.resampled(whole(peeling)))


def test_a_trajectory_shows_itself_as_a_table(peeling: Peeling) -> None:
    assert "coverage" in peeling._repr_html_()
    assert "<table" in peeling._repr_html_()


@settings(max_examples=40)
@given(
    count=st.integers(5, 300),
    seed=st.integers(0, 2**31),
    levels=st.sampled_from([2, 3, 10, 10**6]),
    share=st.floats(0.05, 0.95),
)
def test_coverage_falls_and_boxes_lie_within_each_other(
    count: int, seed: int, levels: int, share: float
) -> None:
    draws = np.random.default_rng(seed)
    inputs = np.round(draws.random((count, 3)) * (levels - 1)) / (levels - 1)
    factors = factors_of({"a": (0, 1), "b": (0, 1), "c": (0, 1)})
    runs = xr.Dataset({f"input {f.name}": ("run", inputs[:, k]) for k, f in enumerate(factors)})
    hits = draws.random(count) < share * inputs[:, 0] + 0.1
    hits[:2] = [True, False]
    found = prim(runs, xr.DataArray(hits, dims="run"), factors).trajectory
    assert (np.diff(found["coverage"]) <= 0).all()
    assert (np.diff(found["mass"]) < 0).all()
    assert (np.diff(found["low"], axis=0) >= 0).all()
    assert (np.diff(found["high"], axis=0) <= 0).all()
    assert (found["mass"][1:] >= 0.05).all()
    low, high = found["low"].values[:, None], found["high"].values[:, None]
    inside = ((inputs >= low) & (inputs <= high)).all(axis=2)  # what limits promise is so
    np.testing.assert_allclose(found["mass"], inside.mean(axis=1))
    np.testing.assert_allclose(found["coverage"], inside[:, hits].mean(axis=1))
    np.testing.assert_allclose(
        found["density"] * found["mass"], found["coverage"] * hits.mean(), atol=1e-12
    )


# CART


def test_a_tree_finds_the_planted_box(runs: xr.Dataset, flooded: xr.DataArray) -> None:
    found = cart(runs, flooded, FACTORS)
    best = found.isel(box=0)
    assert float(best["density"]) > 0.98
    assert float(best["coverage"]) > 0.98
    assert float(best["low"].sel(factor="rain")) == pytest.approx(6, abs=0.1)
    assert float(best["high"].sel(factor="sun")) == pytest.approx(0.2, abs=0.05)
    assert float(best["high"].sel(factor="dam")) == 0.5
    assert float(found["coverage"].sum()) == pytest.approx(1)
    assert float(found["mass"].sum()) == pytest.approx(1)
    assert (found["mass"] >= 0.049).all()
    assert (np.diff(found["density"]) <= 0).all()


# What is refused


def test_bad_requests_are_refused_in_one_line(runs: xr.Dataset, flooded: xr.DataArray) -> None:
    nothing = flooded & False
    for cases, factors, message in (
        (nothing, FACTORS, "cases: 0 of 4000 runs"),
        (~nothing, FACTORS, "cases: 4000 of 4000 runs"),
        (flooded.astype(float), FACTORS, "expected yes or no"),
        (flooded[:10], FACTORS, "expected yes or no"),
        (flooded, [], "factors: found none"),
        (flooded, factors_of({"snow": (0, 1)}), "'snow' was not varied"),
    ):
        for method in (prim, cart):
            with pytest.raises(ParameterError, match=message):
                method(runs, cases, factors)


def test_steps_and_seeds_that_are_not_there_are_refused(peeling: Peeling) -> None:
    with pytest.raises(ParameterError, match="step: found 999, expected one from 0 to"):
        peeling.inspect(999)
    with pytest.raises(ParameterError, match="seed: found -1"):
        peeling.resampled(3, seed=-1)


def test_without_scikit_learn_one_line_says_what_to_install(
    runs: xr.Dataset, flooded: xr.DataArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.tree", None)
    with pytest.raises(ParameterError, match=r"scikit-learn.*pip install 'kredslob\[studies\]'"):
        cart(runs, flooded, FACTORS)
