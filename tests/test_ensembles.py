"""Runs in chunks: the same numbers as in one go, however they are made, summed up or broken off."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from rich.progress import Progress

import kredslob
from kredslob import ensemble
from kredslob.errors import InputFileError, ParameterError
from kredslob.simulation import Model
from kredslob.targets.numba import NumbaTarget

MODELS = Path(__file__).parent / "models"
RUNS = 203  # no multiple of a chunk, nor of the eight lanes of a kernel
ASKED: list[str | float] = ["count", "mean", "variance", "std", "min", "max", 0.05, 0.5, 0.95]
EVERYTHING: list[str | float] = [*ASKED, "final"]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "MOST_RUNS", 32)


@pytest.fixture(scope="module")
def design() -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    return {"time constant": random.uniform(1, 9, RUNS), "inflow": random.uniform(0, 5, (RUNS, 2))}


@pytest.fixture(scope="module")
def runs(tanks: Model, design: dict[str, np.ndarray]) -> xr.Dataset:
    """All runs in one go."""
    return tanks.run_many(design)


@pytest.fixture(scope="module")
def chance() -> Model:
    return kredslob.load(MODELS / "random_numbers.mdl")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the runs that are made, pilots left out."""
    numbers: list[int] = []
    run = NumbaTarget.run

    def counted(self: NumbaTarget, batch: Any, saved: Any, **options: Any) -> Any:
        if len(saved):
            numbers.extend(batch.numbers.tolist())
        return run(self, batch, saved, **options)

    monkeypatch.setattr(NumbaTarget, "run", counted)
    return numbers


def broken_off(after: int, how: type[BaseException] = KeyboardInterrupt) -> Callable[..., None]:
    """A progress callback that breaks the work off."""

    def progress(done: float, total: float) -> None:
        if done >= after:
            raise how

    return progress


# Threads, chunks and random numbers


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_number_of_threads_changes_no_bit(
    tanks: Model, design: dict[str, np.ndarray], runs: xr.Dataset, threads: int
) -> None:
    assert tanks.run_many(design, threads=threads).equals(runs)


def test_a_run_is_the_same_alone_and_among_others(
    tanks: Model, design: dict[str, np.ndarray], runs: xr.Dataset
) -> None:
    for number in (0, 7, 8, RUNS - 1):
        alone = tanks.run({name: values[number] for name, values in design.items()})
        np.testing.assert_array_equal(alone["Water"], runs["Water"].isel(run=number))


def test_random_numbers_depend_on_seed_and_run_alone(chance: Model, tmp_path: Path) -> None:
    design = {"TIME STEP": np.ones(100)}
    one = chance.run_many(design, years=5, threads=1, seed=5)
    for threads in (2, 3):
        assert chance.run_many(design, years=5, threads=threads, seed=5).equals(one)
    stored = chance.run_many(design, years=5, seed=5, store=tmp_path / "runs")
    assert stored.load().equals(one)
    walks = one["Walk"].sel(time=5).values
    assert len(set(walks.tolist())) == 100
    assert not chance.run_many(design, years=5, seed=6).equals(one)
    first = chance.run(years=5, seed=5)
    np.testing.assert_array_equal(first["Walk"], one["Walk"].isel(run=0))


# Summaries


def test_a_summary_is_that_of_all_the_runs(
    tanks: Model, design: dict[str, np.ndarray], runs: xr.Dataset
) -> None:
    summed = tanks.run_many(design, summary=EVERYTHING)
    assert summed["Water"].dims == ("statistic", "time", "Tank")
    assert summed["statistic"].values.tolist() == [*ASKED[:6], "q0.05", "q0.5", "q0.95"]
    assert summed.attrs["runs"] == RUNS
    for name in ("Water", "outflow", "inflow", "time constant"):
        every = runs[name]
        found = {str(s): summed[name].sel(statistic=s).values for s in summed["statistic"].values}
        assert (found["count"] == RUNS).all()
        np.testing.assert_allclose(found["mean"], every.mean("run"), rtol=1e-13)
        np.testing.assert_allclose(found["variance"], every.var("run"), rtol=1e-11, atol=1e-25)
        np.testing.assert_allclose(found["std"], every.std("run"), rtol=1e-11, atol=1e-12)
        np.testing.assert_array_equal(found["min"], every.min("run"))
        np.testing.assert_array_equal(found["max"], every.max("run"))
        for q in (0.05, 0.5, 0.95):
            exact = every.quantile(q, "run")
            np.testing.assert_allclose(found[f"q{q:g}"], exact, rtol=2**-9)
        np.testing.assert_array_equal(summed[f"final {name}"], every.isel(time=-1))


def test_what_no_run_changes_has_no_statistic(tanks: Model) -> None:
    summed = tanks.run_many({"time constant": [1.0, 2.0]}, summary=["mean"])
    assert summed["inflow"].dims == ("time", "Tank")
    assert summed["inflow"].sel(time=4).values.tolist() == [2, 4]


def test_last_values_alone_are_over_runs(tanks: Model) -> None:
    summed = tanks.run_many({"FINAL TIME": [2.0, 4.0, 1.0]}, save=["seen"], summary=["final"])
    assert summed["final seen"].dims == ("run",)
    assert summed["final seen"].values.tolist() == [2, 4, 1]  # each at its own end


def test_runs_that_have_ended_do_not_count(tanks: Model) -> None:
    design = {"FINAL TIME": [2.0, 4.0, 1.0]}
    summed = tanks.run_many(design, save=["seen"], summary=["count", "mean"])
    assert summed["seen"].sel(statistic="count").values.tolist() == [3, 3, 2, 1, 1]
    assert summed["seen"].sel(statistic="mean").values.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_summary_has_the_same_bits_on_any_number_of_threads(
    tanks: Model, design: dict[str, np.ndarray], threads: int
) -> None:
    one = tanks.run_many(design, summary=EVERYTHING, threads=3)
    assert tanks.run_many(design, summary=EVERYTHING, threads=threads).equals(one)


def test_too_many_quantiles_are_refused(tanks: Model) -> None:
    design = {"time constant": np.ones(100_000)}
    with pytest.raises(ParameterError, match="name fewer variables with save="):
        tanks.run_many(design, years=20_000, saveper=0.5, summary=[0.5])


# Stores


@pytest.mark.parametrize("options", [{}, {"at": [0.5, 3]}, {"integration": "rk4"}], ids=str)
def test_a_store_holds_what_memory_would(
    tanks: Model, design: dict[str, np.ndarray], tmp_path: Path, options: dict[str, Any]
) -> None:
    expected = tanks.run_many(design, **options)
    found = tanks.run_many(design, store=tmp_path / "deep" / "runs.zarr", **options)
    assert list(found.data_vars) == list(expected.data_vars)
    assert found["Water"].dims == expected["Water"].dims
    assert found["Water"].attrs == expected["Water"].attrs
    assert found.load().equals(expected)
    assert found["Tank"].dtype.kind == "U"


def test_a_store_takes_runs_of_different_length(tanks: Model, tmp_path: Path) -> None:
    design = {"FINAL TIME": np.arange(1.0, 101.0)[::-1] % 5 + 1}
    found = tanks.run_many(design, store=tmp_path / "runs")
    assert found.load().equals(tanks.run_many(design))


def test_other_programs_can_open_a_store(
    tanks: Model, design: dict[str, np.ndarray], runs: xr.Dataset, tmp_path: Path
) -> None:
    tanks.run_many(design, store=tmp_path / "runs.zarr")
    opened = xr.open_zarr(tmp_path / "runs.zarr", chunks=None, consolidated=False)
    np.testing.assert_array_equal(opened["Water"], runs["Water"])
    assert (opened["finished chunks"] == 1).all()


def test_a_store_that_was_broken_off_is_finished(
    tanks: Model,
    design: dict[str, np.ndarray],
    runs: xr.Dataset,
    tmp_path: Path,
    made: list[int],
) -> None:
    with pytest.raises(KeyboardInterrupt):
        tanks.run_many(design, store=tmp_path / "runs", progress=broken_off(100))
    assert 96 <= len(made) < RUNS
    made.clear()
    seen: list[tuple[float, float]] = []
    found = tanks.run_many(design, store=tmp_path / "runs", progress=lambda *now: seen.append(now))
    assert made == list(range(96, RUNS))  # three chunks of 32 are not made again
    assert seen[0] == (96, RUNS)
    assert seen[-1] == (RUNS, RUNS)
    assert found.load().equals(runs)
    made.clear()
    assert tanks.run_many(design, store=tmp_path / "runs").load().equals(runs)
    assert made == []


@pytest.mark.parametrize("how", [KeyboardInterrupt, MemoryError])
def test_a_summary_that_was_broken_off_is_finished(
    tanks: Model,
    design: dict[str, np.ndarray],
    tmp_path: Path,
    made: list[int],
    how: type[BaseException],
) -> None:
    expected = tanks.run_many(design, summary=EVERYTHING)
    store = tmp_path / "summary"
    with pytest.raises(how):
        tanks.run_many(design, store=store, summary=EVERYTHING, progress=broken_off(70, how))
    made.clear()
    found = tanks.run_many(design, store=store, summary=EVERYTHING)
    assert made == list(range(64, RUNS))
    assert found.equals(expected)
    made.clear()
    assert tanks.run_many(design, store=store, summary=EVERYTHING).equals(expected)
    assert made == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["summary"]
    assert not list(store.glob("*.npz"))


KILLED = """
import os, sys
import numpy as np, kredslob
from kredslob import ensemble
ensemble.MOST_RUNS = 32
random = np.random.default_rng(3)
design = {{"time constant": random.uniform(1, 9, {runs}),
           "inflow": random.uniform(0, 5, ({runs}, 2))}}
def progress(done, total):
    if done >= 100:
        os.kill(os.getpid(), 9)
kredslob.load(sys.argv[1]).run_many(design, store=sys.argv[2], progress=progress)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_store_outlives_a_process_that_is_killed(
    tanks: Model,
    design: dict[str, np.ndarray],
    runs: xr.Dataset,
    tmp_path: Path,
    made: list[int],
) -> None:
    store = tmp_path / "runs"
    program = KILLED.format(runs=RUNS)
    arguments = [sys.executable, "-c", program, str(tanks.file.path), str(store)]
    assert subprocess.run(arguments, check=False).returncode == -9
    found = tanks.run_many(design, store=store)
    assert made == list(range(96, RUNS))
    assert found.load().equals(runs)


def test_a_store_of_other_runs_is_refused_and_left_alone(tanks: Model, tmp_path: Path) -> None:
    store = tmp_path / "runs"
    first = tanks.run_many({"time constant": [1.0, 2.0]}, store=store).load()
    for design, options in (
        ({"time constant": [1.0, 3.0]}, {}),
        ({"time constant": [1.0, 2.0]}, {"seed": 1}),
        ({"time constant": [1.0, 2.0]}, {"at": [1]}),
        ({"time constant": [1.0, 2.0]}, {"save": ["Water"]}),
        ({"time constant": [1.0, 2.0]}, {"integration": "rk4"}),
        ({"time constant": [1.0, 2.0]}, {"summary": ["mean"]}),
        ({"time constant": [1.0, 2.0]}, {"scenario": {"inflow": 3}}),
    ):
        with pytest.raises(InputFileError, match="holds other results"):
            tanks.run_many(design, store=store, **options)
    assert tanks.run_many({"time constant": [1.0, 2.0]}, store=store).load().equals(first)


def test_folders_that_cannot_be_a_store_are_refused(tanks: Model, tmp_path: Path) -> None:
    design = {"time constant": [1.0, 2.0]}
    (tmp_path / "file").write_text("x")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "thesis.docx").write_text("x")
    for summary in (None, ["mean"]):
        with pytest.raises(InputFileError, match="is a file, expected a folder"):
            tanks.run_many(design, store=tmp_path / "file", summary=summary)
        with pytest.raises(InputFileError, match="holds other results"):
            tanks.run_many(design, store=tmp_path / "used", summary=summary)
        with pytest.raises(InputFileError, match="cannot be made"):
            tanks.run_many(design, store=tmp_path / "file" / "in", summary=summary)
    assert [p.name for p in (tmp_path / "used").iterdir()] == ["thesis.docx"]


def test_a_damaged_store_is_named(tanks: Model, tmp_path: Path) -> None:
    design = {"time constant": np.linspace(1, 2, 100)}
    tanks.run_many(design, store=tmp_path / "runs")
    (tmp_path / "runs" / "zarr.json").write_text("{")
    with pytest.raises(InputFileError, match="is no store that can be read"):
        tanks.run_many(design, store=tmp_path / "runs")
    with pytest.raises(KeyboardInterrupt):
        tanks.run_many(design, store=tmp_path / "sum", summary=["mean"], progress=broken_off(50))
    state = tmp_path / "sum" / "state.npz"
    state.write_bytes(state.read_bytes()[:200])
    with pytest.raises(InputFileError, match="holds a summary that cannot be read"):
        tanks.run_many(design, store=tmp_path / "sum", summary=["mean"])


@pytest.mark.parametrize(
    ("module", "options", "message"),
    [
        ("zarr", {"store": "x"}, "store= needs Zarr, which is not installed: pip install"),
        ("distributed", {"client": 1}, "client= needs Dask, which is not installed: pip install"),
    ],
)
def test_what_is_not_installed_is_named(
    tanks: Model,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    options: dict[str, Any],
    message: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ParameterError, match=message):
        tanks.run_many({"time constant": [1.0]}, **options)


# Progress


@pytest.mark.parametrize("summary", [None, ["mean"]])
def test_progress_rises_to_the_number_of_runs(
    tanks: Model, design: dict[str, np.ndarray], summary: list[str | float] | None
) -> None:
    seen: list[tuple[float, float]] = []
    tanks.run_many(design, summary=summary, threads=4, progress=lambda *now: seen.append(now))
    done = [now for now, _ in seen]
    assert done == sorted(set(done))
    assert seen[-1] == (RUNS, RUNS)


def test_progress_can_be_shown_with_rich(tanks: Model, design: dict[str, np.ndarray]) -> None:
    with Progress(disable=True) as bar:
        task = bar.add_task("", total=None)
        tanks.run_many(
            design,
            summary=["mean"],
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    assert bar.tasks[0].completed == RUNS


# Memory

GROWTH = """
import re, sys
import numpy as np, kredslob
model, runs = kredslob.load(sys.argv[1]), int(sys.argv[2])
few, many = np.linspace(1, 9, 64), np.linspace(1, 9, runs)
options = dict(years=200, save=["Water", "outflow"], summary=["mean", "variance", "max", 0.5])
model.run_many({"time constant": few}, **options)
model.run_many({"time constant": many}, **options)
# not ru_maxrss, which begins with what the process that started this one holds
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 2**10)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_runs(tanks: Model) -> None:
    """Values of 480,000 runs would take 2.3 GB; 240,000 fill every chunk already."""
    arguments = [sys.executable, "-c", GROWTH, str(tanks.file.path)]
    peaks = [
        int(subprocess.run([*arguments, runs], check=True, capture_output=True, text=True).stdout)
        for runs in ("240000", "480000")
    ]
    assert peaks[1] - peaks[0] < 100  # MiB; the design and its copies take 10
    assert peaks[1] < 1000
