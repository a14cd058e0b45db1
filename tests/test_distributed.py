"""Runs on a Dask cluster of two worker processes, one of which is killed in the middle."""

from __future__ import annotations

import logging
import os
import pickle
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from kredslob import ensemble
from kredslob.cycle.scenario import load_scenario
from kredslob.design import DesignInParts
from kredslob.distributed import _unpacked
from kredslob.errors import InputFileError, KredslobError
from kredslob.simulation import Model
from kredslob.studies.calibration import calibrate
from kredslob.studies.checks import check_model
from kredslob.studies.critical_rate import critical_bracket, critical_rate_uncertainty
from kredslob.studies.evaluate import Outcomes, at_end
from kredslob.studies.factors import factors_of, sample
from kredslob.studies.hinges import hinge_study
from kredslob.studies.policies import policy_study
from kredslob.studies.regions import sustaining_regions
from kredslob.studies.robustness import evaluate_policies
from kredslob.studies.search import Objective, search
from kredslob.studies.sensitivity import morris, one_at_a_time, pawn, sobol
from kredslob.studies.sweep import sweep
from kredslob.studies.uncertainty import uncertainty

distributed = pytest.importorskip("distributed")

RUNS = 1999
SUMMARY: list[str | float] = ["count", "mean", "variance", "min", "max", 0.05, 0.5, "final"]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "MOST_RUNS", 16)
    monkeypatch.setattr("kredslob.studies.evaluate._MOST_RUNS", 16)


@pytest.fixture(scope="module")
def design() -> dict[str, np.ndarray]:
    random = np.random.default_rng(4)
    return {"time constant": random.uniform(1, 9, RUNS), "inflow": random.uniform(0, 5, (RUNS, 2))}


def killing(
    client: Any, after: int, marks: Path, finished: dict[str, int]
) -> Callable[[float, float], None]:
    """A progress callback that kills one worker, once, and notes what is in the store by then."""
    pids = list(client.run(os.getpid).values())

    def progress(done: float, total: float) -> None:
        if done >= after and pids:
            os.kill(pids.pop(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
            pids.clear()
            finished.update(written(marks))

    return progress


def written(marks: Path) -> dict[str, int]:
    """When each chunk was written."""
    return {p.name: p.stat().st_mtime_ns for p in marks.glob("[0-9]*") if p.suffix == ""}


def everything(tanks: Model, design: Any, **options: Any) -> xr.Dataset:
    return tanks.run_many(design, years=50, **options).load()


@pytest.mark.parametrize("summary", [None, SUMMARY], ids=["runs", "summary"])
@pytest.mark.parametrize("kept", [False, True], ids=["memory", "store"])
def test_a_worker_that_dies_changes_no_bit(
    tanks: Model,
    design: dict[str, np.ndarray],
    client: Any,
    tmp_path: Path,
    summary: list[str | float] | None,
    kept: bool,
) -> None:
    expected = everything(tanks, design, summary=summary)
    before = set(client.run(os.getpid).values())
    marks, finished = tmp_path / "store" / "finished chunks" / "c", dict[str, int]()
    found = everything(
        tanks,
        design,
        summary=summary,
        store=tmp_path / "store" if kept else None,
        client=client,
        progress=killing(client, RUNS // 4, marks, finished),
    )
    assert found.equals(expected)
    client.wait_for_workers(2, timeout=300)
    assert set(client.run(os.getpid).values()) != before  # one was really killed
    if kept and summary is None:  # what was finished has not been made again
        assert len(finished) >= RUNS // 4 // 16
        assert finished.items() <= written(marks).items()


@pytest.mark.parametrize("summary", [None, SUMMARY], ids=["runs", "summary"])
def test_a_cluster_goes_on_with_what_one_machine_began(
    tanks: Model,
    design: dict[str, np.ndarray],
    client: Any,
    tmp_path: Path,
    summary: list[str | float] | None,
) -> None:
    def broken_off(done: float, total: float) -> None:
        if done >= 800:
            raise KeyboardInterrupt

    seen: list[float] = []
    with pytest.raises(KeyboardInterrupt):
        everything(tanks, design, store=tmp_path / "s", summary=summary, progress=broken_off)
    found = everything(
        tanks,
        design,
        store=tmp_path / "s",
        summary=summary,
        client=client,
        progress=lambda done, total: seen.append(done),
    )
    assert 780 <= seen[0] <= 800
    assert seen == sorted(seen)
    assert seen[-1] == RUNS
    assert found.equals(everything(tanks, design, summary=summary))


def test_what_breaks_off_a_cluster_leaves_what_is_finished(
    tanks: Model, design: dict[str, np.ndarray], client: Any, tmp_path: Path
) -> None:
    def broken_off(done: float, total: float) -> None:
        if done >= 800:
            raise KeyboardInterrupt

    options: dict[str, Any] = {"store": tmp_path / "s", "client": client}
    with pytest.raises(KeyboardInterrupt):
        everything(tanks, design, progress=broken_off, **options)
    seen: list[float] = []
    found = everything(tanks, design, progress=lambda done, _: seen.append(done), **options)
    assert seen[0] >= 784
    assert found.equals(everything(tanks, design))


def test_a_design_in_parts_is_the_same_on_a_cluster(
    tanks: Model, design: dict[str, np.ndarray], client: Any
) -> None:
    def part(begin: int, end: int) -> dict[str, np.ndarray]:
        return {name: values[begin:end] for name, values in design.items()}

    in_parts = DesignInParts(RUNS, part, "two columns")
    found = everything(tanks, in_parts, summary=SUMMARY, client=client)
    expected = everything(tanks, design, summary=SUMMARY)
    xr.testing.assert_identical(found.drop_attrs(), expected.drop_attrs())


def test_an_error_on_a_worker_reaches_the_caller(tanks: Model, client: Any) -> None:
    with pytest.raises(InputFileError, match=r"cannot be made|is a file"):
        tanks.run_many({"inflow": [1.0]}, client=client, store=tanks.file.path / "x")
    with pytest.raises(KredslobError, match="TIME STEP"):
        tanks.run_many({"TIME STEP": [0.5, 0.0]}, client=client)


def test_workers_of_another_version_are_refused() -> None:
    job = SimpleNamespace(target=SimpleNamespace(source="as the worker writes it"))
    with pytest.raises(KredslobError, match="another version of kredslob"):
        _unpacked(pickle.dumps((job, None, "hash of what the client wrote")))


RANGES = {"time constant": (1, 9), "inflow[left]": (0, 5)}
SEEN = pd.Series([3.1, 4.6, 6.0, 6.4], [1, 2, 3, 4], name="Water[left]")


def shares_of_variance(tanks: Model, model: Model, **options: Any) -> xr.Dataset:
    return sobol(tanks, factors_of(RANGES), at_end("Water"), samples=256, **options)


def spread(tanks: Model, model: Model, **options: Any) -> xr.Dataset:
    return uncertainty(model, rates=(1,), draws=200, years=4, **options)


def policies(tanks: Model, model: Model, **options: Any) -> xr.Dataset:
    given = {"wet": {"inflow": [5.0, 5.0]}, "dry": {"inflow": [0.0, 1.0]}}
    draws = sample(factors_of({"time constant": (1, 9)}), 400)
    return evaluate_policies(tanks, given, draws, at_end("Water"), **options)


@pytest.mark.parametrize(
    ("study", "kept"), [(shares_of_variance, False), (spread, True), (policies, False)]
)
def test_a_worker_that_dies_in_a_study_changes_no_bit(
    tanks: Model,
    model: Model,
    client: Any,
    tmp_path: Path,
    study: Callable[..., xr.Dataset],
    kept: bool,
) -> None:
    client.wait_for_workers(2, timeout=300)
    expected = study(tanks, model)
    before = set(client.run(os.getpid).values())
    store = tmp_path / "store" if kept else None
    killer = killing(client, 64, tmp_path, {})
    found = study(tanks, model, client=client, store=store, progress=killer)
    xr.testing.assert_equal(found, expected)
    client.wait_for_workers(2, timeout=300)
    assert set(client.run(os.getpid).values()) != before  # one was really killed


def searched(tanks: Model, model: Model, client: Any) -> xr.Dataset:
    less = [Objective("Water[left]", larger_is_better=False), Objective("Water[right]")]
    draws = sample(factors_of({"time constant": (1, 9)}), 8)
    levers = {"inflow[left]": (0.0, 5.0), "inflow[right]": (0.0, 5.0)}

    def ends(runs: xr.Dataset) -> xr.Dataset:
        last = runs["Water"].isel(time=-1, drop=True)
        apart = {f"Water[{tank}]": last.sel(Tank=tank, drop=True) for tank in ("left", "right")}
        return xr.Dataset(apart)

    asked = Outcomes(("Water",), ends)
    sizes: dict[str, Any] = {"population": 8, "generations": 2, "seeds": (1,)}
    return search(tanks, levers, less, asked, draws=draws, client=client, **sizes)


def fitted(tanks: Model, model: Model, client: Any) -> xr.Dataset:
    found = calibrate(tanks, SEEN, {"time constant": (1, 9)}, starts=3, client=client)
    return found.estimates.to_xarray()


def hinges(tanks: Model, model: Model, client: Any) -> xr.Dataset:
    small: dict[str, Any] = {"trajectories": 4, "inputs": 2, "samples": 64, "years": 1}
    found = hinge_study(model, load_scenario(), client=client, **small)
    parts = {"screened": found.screened, "ranked": found.ranked, "moved": found.moved}
    return as_one(parts)


def candidates(tanks: Model, model: Model, client: Any) -> xr.Dataset:
    small: dict[str, Any] = {"draws": 16, "population": 4, "generations": 1, "years": 2}
    found = policy_study(model, load_scenario(), client=client, **small)
    return as_one({"results": found.results, "front": found.front})


def as_one(parts: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Several results side by side, each under a name of its own down to its dimensions."""
    return xr.merge(
        part.rename({n: f"{name} {n}" for n in {*part.variables, *part.dims}})
        for name, part in parts.items()
    )


STUDIES: dict[str, Callable[[Model, Model, Any], xr.Dataset]] = {
    "sweep": lambda tanks, _, client: sweep(
        tanks, levers={"time constant": np.linspace(1, 9, 40).tolist()}, client=client
    ),
    "one at a time": lambda tanks, _, client: one_at_a_time(
        tanks, factors_of(RANGES), at_end("Water"), client=client
    ),
    "morris": lambda tanks, _, client: morris(
        tanks, factors_of(RANGES), at_end("Water"), client=client
    ),
    "pawn": lambda tanks, _, client: pawn(
        tanks, factors_of(RANGES), at_end("Water"), samples=100, client=client
    ),
    "bracket": lambda _, model, client: critical_bracket(model, years=4, client=client),
    "critical rate": lambda _, model, client: critical_rate_uncertainty(
        model, draws=5, years=4, client=client
    ),
    "regions": lambda _, model, client: sustaining_regions(model, years=1, client=client),
    "checks": lambda tanks, _, client: check_model(tanks, client=client).to_xarray(),
    "search": searched,
    "hinges": hinges,
    "policies": candidates,
    "calibrate": fitted,
}


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_is_the_same_on_a_cluster(
    tanks: Model, model: Model, client: Any, study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ensemble, "MOST_RUNS", 512)
    here, there = (STUDIES[study](tanks, model, where) for where in (None, client))
    xr.testing.assert_equal(here, there)
