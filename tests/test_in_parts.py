"""Designs that are made part by part give what the same design gives when it is held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import kredslob
from kredslob.design import RUN, DesignInParts
from kredslob.errors import InputFileError, ParameterError

BASS = Path(__file__).parent / "models" / "bass.mdl"
RANGES = {"imitation": (0.2, 0.6), "market": (500.0, 900.0, 2000.0)}
RUNS = 9001  # neither a multiple of a block of draws nor of a chunk, and one run at its end
SUMMARY = ["count", "mean", "variance", "min", "max", 0.05, 0.5, "final"]


@pytest.fixture(scope="module")
def model() -> kredslob.Model:
    return kredslob.load(BASS)


@pytest.fixture(scope="module")
def draws() -> DesignInParts:
    together = {("imitation", "market"): 0.7}
    return kredslob.sample_in_parts(
        kredslob.factors_of(RANGES), RUNS, seed=3, correlations=together
    )


def whole(draws: DesignInParts) -> xr.Dataset:
    return draws.part(0, draws.runs)


@settings(max_examples=40, deadline=None)
@given(begin=st.integers(0, RUNS - 1), count=st.integers(1, RUNS))
def test_a_draw_is_the_same_in_any_part(draws: DesignInParts, begin: int, count: int) -> None:
    end = min(begin + count, RUNS)
    held = whole(draws).isel({RUN: slice(begin, end)})
    xr.testing.assert_equal(draws.part(begin, end).drop_vars(RUN), held.drop_vars(RUN))


def test_draws_are_spread_and_correlated_as_asked(draws: DesignInParts) -> None:
    drawn = whole(draws)
    rates = drawn["imitation"].values
    assert abs(rates.mean() - 0.4) < 0.005
    assert 0.2 <= rates.min() < 0.2005
    from scipy.stats import spearmanr

    assert abs(spearmanr(rates, drawn["market"].values).statistic - 0.7) < 0.02
    assert len(np.unique(rates)) == RUNS  # no block repeats another


def test_summaries_are_those_of_the_design_that_is_held(
    model: kredslob.Model, draws: DesignInParts
) -> None:
    asked: dict[str, Any] = {"at": [0, 5, 15], "summary": SUMMARY}
    in_parts = model.run_many(draws, **asked)
    held = model.run_many(whole(draws), **asked)
    xr.testing.assert_identical(in_parts.drop_attrs(), held.drop_attrs())
    assert in_parts.attrs["runs"] == RUNS
    assert in_parts.attrs["design"] == draws.described


def test_parts_of_one_run_are_those_runs(model: kredslob.Model, draws: DesignInParts) -> None:
    batch = model.ensemble(draws, at=[15]).batch
    held = model.ensemble(whole(draws), at=[15]).batch
    for run in (0, 1, RUNS - 1):
        one = batch.part(run, run + 1)
        np.testing.assert_array_equal(one.values, held.values[run : run + 1])
        np.testing.assert_array_equal(one.numbers, [run])


def test_a_store_goes_on_with_what_is_missing(
    model: kredslob.Model, draws: DesignInParts, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"at": [15], "summary": ["mean", 0.5], "store": tmp_path / "store"}

    def stop(done: float, _: float) -> None:
        if done > RUNS / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.run_many(draws, progress=stop, **asked)
    found = model.run_many(draws, **asked)
    xr.testing.assert_identical(
        found.drop_attrs(),
        model.run_many(whole(draws), at=[15], summary=["mean", 0.5]).drop_attrs(),
    )
    other = kredslob.sample_in_parts(kredslob.factors_of(RANGES), RUNS, seed=4)
    with pytest.raises(InputFileError, match="other results"):
        model.run_many(other, **asked)


def test_runs_go_into_a_store_too(
    model: kredslob.Model, draws: DesignInParts, tmp_path: Path
) -> None:
    stored = model.run_many(draws, at=[15], store=tmp_path / "runs")
    held = model.run_many(whole(draws), at=[15])
    name = "Adopters"
    np.testing.assert_array_equal(stored[name].values, held[name].values)


@pytest.mark.parametrize(
    ("design", "asked", "said"),
    [
        (None, {}, "a design that is made in parts needs summary= or store="),
        (
            DesignInParts(10, lambda a, b: {"TIME STEP": np.full(b - a, 0.25)}, ""),
            {"summary": ["mean"]},
            "design: 'TIME STEP' cannot differ in a design that is made in parts",
        ),
        (
            DesignInParts(RUNS, lambda a, b: {"market": np.full(7, 70.0)}, ""),
            {"summary": ["mean"]},
            "design: runs 0 to 1 differ from the first runs in what they change, or are not as "
            "many as were asked for",
        ),
    ],
)
def test_what_cannot_be_made_in_parts_is_refused(
    model: kredslob.Model,
    draws: DesignInParts,
    design: DesignInParts | None,
    asked: dict[str, Any],
    said: str,
) -> None:
    with pytest.raises(ParameterError) as refused:
        model.run_many(design or draws, **asked)
    assert str(refused.value) == said


def test_other_variables_in_a_later_part_are_refused(model: kredslob.Model) -> None:
    def part(begin: int, end: int) -> dict[str, np.ndarray]:
        name = "market" if begin == 0 else "imitation"
        return {name: np.linspace(60, 80, end - begin)}

    with pytest.raises(ParameterError, match="differ from the first runs in what they change"):
        model.run_many(DesignInParts(RUNS, part, "mixed"), summary=["mean"])


@pytest.mark.parametrize("runs", [1, 0, 2.5, "many"])
def test_too_few_runs_are_refused(runs: Any) -> None:
    with pytest.raises(ParameterError, match="expected a whole number"):
        DesignInParts(runs, lambda a, b: {}, "")
