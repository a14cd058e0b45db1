"""Studies that are broken off go on where they were, and come to the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from kredslob.cycle.scenario import load_scenario
from kredslob.errors import InputFileError
from kredslob.simulation import Model
from kredslob.studies.critical_rate import critical_rate_uncertainty
from kredslob.studies.evaluate import Outcomes, at_end, evaluate, only
from kredslob.studies.factors import factors_of, sample
from kredslob.studies.hinges import hinge_study
from kredslob.studies.policies import policy_study
from kredslob.studies.question import question
from kredslob.studies.robustness import evaluate_policies
from kredslob.studies.search import Objective, search
from kredslob.studies.sensitivity import morris, pawn, sobol
from kredslob.studies.sweep import sweep
from kredslob.studies.threshold import threshold_study
from kredslob.studies.uncertainty import uncertainty

RANGES = {"time constant": (1, 9), "inflow[left]": (0, 5)}
RUNS = 90


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kredslob.studies.evaluate._MOST_RUNS", 16)


def design(seed: int = 3) -> xr.Dataset:
    return sample(factors_of(RANGES), RUNS, seed=seed)


def broken_off(after: float) -> Callable[[float, float], None]:
    def progress(done: float, total: float) -> None:
        if done >= after:
            raise KeyboardInterrupt

    return progress


def written(store: Path) -> dict[Path, int]:
    """When each chunk was written."""
    return {path: path.stat().st_mtime_ns for path in store.rglob("[0-9]*.nc")}


def test_what_is_finished_is_not_made_again(tanks: Model, tmp_path: Path) -> None:
    expected = evaluate(tanks, design(), at_end("Water"))
    store = tmp_path / "deep" / "store"
    with pytest.raises(KeyboardInterrupt):
        evaluate(tanks, design(), at_end("Water"), store=store, progress=broken_off(60))
    finished = written(store)
    assert len(finished) == 3
    seen: list[tuple[float, float]] = []
    found = evaluate(
        tanks,
        design(),
        at_end("Water"),
        store=store,
        progress=lambda done, whole: seen.append((done, whole)),
    )
    assert seen[0] == (48, RUNS)
    assert seen[-1] == (RUNS, RUNS)
    assert finished.items() <= written(store).items()
    assert len(written(store)) == 6
    for name in found.variables:  # bits, units and names
        xr.testing.assert_identical(found[name], expected[name])
    assert found["Tank"].dtype == expected["Tank"].dtype
    again = evaluate(tanks, design(), at_end("Water"), store=store)
    xr.testing.assert_equal(again, expected)


OTHERS: dict[str, dict[str, Any]] = {
    "design": {"design": design(4)},
    "outcomes": {"outcomes": at_end("outflow")},
    "fewer outcomes": {"outcomes": only(at_end("Water", "outflow"), "Water")},
    "scenario": {"scenario": {"inflow": [1.0, 9.0]}},
    "horizon": {"years": 3},
    "seed": {"seed": 1},
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_question_is_refused(tanks: Model, tmp_path: Path, other: str) -> None:
    asked: dict[str, Any] = {"design": design(), "outcomes": at_end("Water")}
    evaluate(tanks, **asked, store=tmp_path)
    before = written(tmp_path)
    with pytest.raises(InputFileError, match="holds other results") as caught:
        evaluate(tanks, **(asked | OTHERS[other]), store=tmp_path)
    assert "\n" not in str(caught.value)
    assert written(tmp_path) == before


def test_a_folder_with_something_else_is_left_alone(tanks: Model, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    for store, said in ((tmp_path, "holds other results"), (tmp_path / "letter.txt", "is a file")):
        with pytest.raises(InputFileError, match=said):
            evaluate(tanks, design(), at_end("Water"), store=store)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_chunk_that_is_broken_is_named(tanks: Model, tmp_path: Path) -> None:
    evaluate(tanks, design(), at_end("Water"), store=tmp_path)
    (tmp_path / "000002.nc").write_bytes(b"no numbers")
    with pytest.raises(InputFileError, match=r"000002\.nc: holds no results that can be read"):
        evaluate(tanks, design(), at_end("Water"), store=tmp_path)


def shares_of_variance(tanks: Model, model: Model, **options: Any) -> xr.Dataset:
    return sobol(tanks, factors_of(RANGES), at_end("Water"), samples=64, **options)


def effects(tanks: Model, model: Model, **options: Any) -> xr.Dataset:
    return morris(tanks, factors_of(RANGES), at_end("Water"), **options)


def distances(tanks: Model, model: Model, **options: Any) -> xr.Dataset:
    return pawn(tanks, factors_of(RANGES), at_end("Water"), samples=128, **options)


def policies(tanks: Model, model: Model, **options: Any) -> xr.Dataset:
    given = {"wet": {"inflow": [5.0, 5.0]}, "dry": {"inflow": [0.0, 1.0]}}
    return evaluate_policies(tanks, given, design()[["time constant"]], at_end("Water"), **options)


def spread(tanks: Model, model: Model, **options: Any) -> xr.Dataset:
    return uncertainty(model, draws=40, years=2, **options)


def critical_rates(tanks: Model, model: Model, **options: Any) -> xr.Dataset:
    return critical_rate_uncertainty(model, draws=40, years=2, **options)


@pytest.mark.parametrize(
    "study", [shares_of_variance, effects, distances, policies, spread, critical_rates]
)
def test_every_study_goes_on(
    tanks: Model, model: Model, tmp_path: Path, study: Callable[..., xr.Dataset]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        study(tanks, model, store=tmp_path / "store", progress=broken_off(40))
    finished = written(tmp_path / "store")
    assert finished
    found = study(tanks, model, store=tmp_path / "store")
    assert finished.items() <= written(tmp_path / "store").items()
    xr.testing.assert_equal(found, study(tanks, model))


def test_a_study_with_other_parts_is_refused(model: Model, tanks: Model, tmp_path: Path) -> None:
    spread(tanks, model, store=tmp_path)
    with pytest.raises(InputFileError, match="holds other results"):
        uncertainty(model, draws=40, years=2, rates=(0.5,), store=tmp_path)
    with pytest.raises(InputFileError, match="holds other results"):
        policies(tanks, model, store=tmp_path)


def test_a_sweep_goes_on(tanks: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kredslob.ensemble.FEWEST_RUNS", 16)
    levers = {"time constant": np.linspace(1, 9, RUNS).tolist()}
    expected = sweep(tanks, levers=levers)
    with pytest.raises(KeyboardInterrupt):
        sweep(tanks, levers=levers, store=tmp_path, progress=broken_off(60))
    seen: list[float] = []
    found = sweep(
        tanks, levers=levers, store=tmp_path, progress=lambda done, whole: seen.append(done)
    )
    assert seen[0] == 48
    xr.testing.assert_equal(found, expected)


# --- searches ---


class Ends:
    """Last values, until the interrupt at a call by its number."""

    calls = 0  # of the class, since what an object holds belongs to the question
    stop_at = np.inf

    def __call__(self, runs: xr.Dataset) -> xr.Dataset:
        Ends.calls += 1
        if Ends.calls >= Ends.stop_at:
            raise KeyboardInterrupt
        last = runs["Water"].isel(time=-1, drop=True)
        apart = {tank: last.sel(Tank=tank, drop=True) for tank in ("left", "right")}
        return xr.Dataset(apart)


def searched(tanks: Model, stop_at: float = np.inf, **options: Any) -> xr.Dataset:
    Ends.calls, Ends.stop_at = 0, stop_at
    wanted = [Objective("left", larger_is_better=False), Objective("right")]
    levers = {"inflow[left]": (0.0, 5.0), "inflow[right]": (0.0, 5.0)}
    draws = sample(factors_of({"time constant": (1, 9)}), 4)
    given: dict[str, Any] = {"population": 8, "generations": 6, "seeds": (1, 2), "draws": draws}
    return search(tanks, levers, wanted, Outcomes(("Water",), Ends()), **(given | options))


def test_a_search_goes_on_in_the_generation_where_it_was(tanks: Model, tmp_path: Path) -> None:
    expected = searched(tanks)
    whole = Ends.calls
    done = 9 * 2 + 1  # chunks: 8 policies under 4 draws are two of 16 runs
    with pytest.raises(KeyboardInterrupt):
        searched(tanks, done + 1, store=tmp_path / "store")
    assert Ends.calls == done + 1  # nothing is summed up: the store holds what is done
    assert len(written(tmp_path / "store")) == done
    found = searched(tanks, store=tmp_path / "store")
    assert Ends.calls == whole - done
    xr.testing.assert_equal(found, expected)
    assert found.attrs["interrupted"] == 0


def test_a_search_can_be_asked_for_more(tanks: Model, tmp_path: Path) -> None:
    searched(tanks, store=tmp_path, generations=3, seeds=(2,))
    finished = written(tmp_path)
    found = searched(tanks, store=tmp_path)
    assert finished.items() <= written(tmp_path).items()
    xr.testing.assert_equal(found, searched(tanks))
    with pytest.raises(InputFileError, match="holds other results"):
        searched(tanks, store=tmp_path, population=12)


# --- the studies of the commands ---


def test_a_study_of_hinges_goes_on_in_the_method_where_it_was(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kredslob.studies.evaluate._MOST_RUNS", 100)
    small: dict[str, Any] = {"trajectories": 4, "inputs": 2, "samples": 64, "years": 1}
    expected = hinge_study(model, load_scenario(), **small)

    def late(done: float, total: float) -> None:
        if done > total - 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hinge_study(model, load_scenario(), store=tmp_path, progress=late, **small)
    finished = written(tmp_path)
    assert {path.parent.name for path in finished} == {"screened", "ranked"}
    found = hinge_study(model, load_scenario(), store=tmp_path, **small)
    assert finished.items() <= written(tmp_path).items()
    for part in ("screened", "ranked", "moved"):
        xr.testing.assert_equal(getattr(found, part), getattr(expected, part))
    with pytest.raises(InputFileError, match="holds other results"):
        hinge_study(model, load_scenario(), store=tmp_path, **{**small, "years": 3})


def test_a_study_of_the_threshold_goes_on_in_draws_and_in_maps(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kredslob.studies.critical_rate._RUNS_AT_ONCE", 100)
    monkeypatch.setattr("kredslob.studies.regions.POINTS", 4)
    place = load_scenario("agreement").with_parameters(
        {"real interest rate": 0.1, "disbursement time": 12}  # some rate is enough, and is sought
    )
    small: dict[str, Any] = {"draws": 16, "years": 4}
    expected = threshold_study(model, place, **small)
    kept: dict[Path, int] = {}
    for stop_at, parts in ((0.4, {"uncertainty"}), (0.9, {"uncertainty", "regions"})):

        def stopped(done: float, whole: float, at: float = stop_at) -> None:
            if done > at * whole:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            threshold_study(model, place, store=tmp_path, progress=stopped, **small)
        assert kept.items() < written(tmp_path).items()
        kept = written(tmp_path)
        assert {path.parent.name for path in kept} == parts
    seen: list[float] = []
    found = threshold_study(
        model,
        place,
        store=tmp_path,
        progress=lambda done, whole: seen.append(done / whole),
        **small,
    )
    assert kept.items() < written(tmp_path).items()
    assert (seen, seen[-1]) == (sorted(seen), 1)
    for part in ("runs", "goals", "bracket", "uncertainty", "regions"):
        xr.testing.assert_equal(getattr(found, part), getattr(expected, part))
    with pytest.raises(InputFileError, match="holds other results"):
        threshold_study(model, place, store=tmp_path, **{**small, "draws": 17})


def test_a_study_of_policies_goes_on_in_candidates_and_in_the_search(
    model: Model, tmp_path: Path
) -> None:
    place = load_scenario()
    candidates = {name: load_scenario(name) for name in ("agreement", "need-driven")}
    small: dict[str, Any] = {"draws": 16, "population": 4, "generations": 2, "years": 2}
    small |= {"candidates": candidates}
    expected = policy_study(model, place, **small)
    with pytest.raises(KeyboardInterrupt):
        policy_study(model, place, store=tmp_path, progress=broken_off(2), **small)
    finished = written(tmp_path)
    assert {path.parent.parent.name for path in finished} == {"candidates"}
    with pytest.raises(KeyboardInterrupt):
        policy_study(model, place, store=tmp_path, progress=broken_off(4), **small)
    later = written(tmp_path)
    assert finished.items() < later.items()
    found = policy_study(model, place, store=tmp_path, **small)
    assert later.items() < written(tmp_path).items()
    xr.testing.assert_equal(found.results, expected.results)
    xr.testing.assert_equal(found.front, expected.front)
    assert found.front.attrs["interrupted"] == 0
    with pytest.raises(InputFileError, match="holds other results"):
        policy_study(model, place, store=tmp_path, **{**small, "seed": 1})


# --- what makes a question ---


def counted(number: float) -> Callable[[xr.Dataset], xr.Dataset]:
    return lambda runs: runs.isel(time=-1) * number


def test_a_question_is_the_same_if_it_is_asked_again(tanks: Model) -> None:
    assert question(tanks, counted(2.0)) == question(tanks, counted(2.0))
    assert question(tanks, at_end("Water")) == question(tanks, at_end("Water"))
    assert question(tanks, {"a": 1, "b": 2}) == question(tanks, {"b": 2, "a": 1})


class Times:
    def __init__(self, number: float) -> None:
        self.number, self.itself = number, self

    def of(self, runs: xr.Dataset) -> xr.Dataset:
        return runs * self.number


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (counted(2.0), counted(3.0)),
        (lambda runs: runs + 1, lambda runs: runs + 2),
        (lambda runs: runs.min(), lambda runs: runs.max()),
        (at_end("Water"), at_end("outflow")),
        (Times(2.0), Times(3.0)),
        (Times(2.0).of, Times(3.0).of),
        (np.zeros(2), np.zeros((2, 1))),
        (np.zeros(2), np.zeros(2, int)),
        (["ab", "c"], ["a", "bc"]),
        ([1, [2]], [[1], 2]),
        (1, True),
        (0.1, np.nextafter(0.1, 1)),
        ({"a": None}, {"a": 0}),
    ],
    ids=range(13),
)
def test_questions_that_differ_are_told_apart(tanks: Model, one: Any, other: Any) -> None:
    assert question(tanks, one) != question(tanks, other)
