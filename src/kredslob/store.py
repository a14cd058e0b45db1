"""Results in a folder while they are made: what is finished is kept, whatever breaks the work off.

A store is a Zarr folder that xarray opens. Its attribute ``plan`` is a hash of all that the
results depend on; who comes with another plan is refused. Runs are written chunk by chunk, each
with a mark when all of it is there, by as many processes as there are. A summary is written when
it is whole; until then the folder holds its state, replaced as a whole each time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.datasets import dataset
from kredslob.design import RUN
from kredslob.ensemble import Ensemble, Job, Reduce
from kredslob.errors import InputFileError, ParameterError
from kredslob.netcdf import read_netcdf, write_netcdf
from kredslob.targets.numba import Batch, Outcome

_PLAN = "plan"
_STATE = "state.npz"
_MARKS = "finished chunks"
_META = "zarr.json"
_PLAN_FILE = "plan.txt"
_OTHER = "holds other results (another model, design, question or version); name another folder"


@dataclass
class Stored:
    """A sink that writes each run into a store.

    Parameters
    ----------
    ensemble : Ensemble
        The runs.
    path : Path
        The store: a folder that does not exist, is empty, or holds some of these runs already.
        Workers on other machines must see it under the same path.

    Raises
    ------
    InputFileError
        The folder holds something else or cannot be written.
    """

    ensemble: Ensemble
    path: Path
    reduce: Reduce = field(init=False)

    def __post_init__(self) -> None:
        self.reduce = _Writing(self.path)
        _check(self.path, self.ensemble.plan)
        if not (self.path / _META).exists():
            _put_in_place(self.path, self._make)

    def missing(self) -> list[int]:
        """Chunks without a mark."""
        marks = np.asarray(_group(self.path)[_MARKS][:])
        return [int(k) for k in np.flatnonzero(marks == 0)]

    def take(self, chunk: int, piece: None) -> None:
        """Nothing is left to do: the chunk was written where it ran."""

    def pause(self) -> None:
        """All that is finished is in the store."""

    def result(self) -> xr.Dataset:
        """The runs, read from the store as they are asked for."""
        return _opened(self.path, self.ensemble.job.names).drop_vars(_MARKS)

    def _make(self, folder: Path) -> None:
        """Empty arrays of the right size, and all that the runs share."""
        job, batch = self.ensemble.job, self.ensemble.batch
        rows = len(job.times)
        values = np.zeros((1, rows, len(job.saved)))
        outcome = Outcome(values, job.times, np.array([rows]))
        one = dataset(job.target, job.names, batch.part(0, 1), outcome, self.ensemble.made_by)
        shared = one.drop_vars([n for n, a in one.data_vars.items() if RUN in a.dims])
        shared = shared.drop_vars(RUN).assign_coords({RUN: batch.numbers})
        _write(shared.assign_attrs({_PLAN: self.ensemble.plan}), folder)
        group = _group(folder)
        for name, array in one.data_vars.items():
            if RUN in array.dims:
                group.create_array(
                    str(name),
                    shape=(len(batch), *array.shape[1:]),
                    chunks=(job.chunk_runs, *array.shape[1:]),
                    dtype="f8",
                    fill_value=float("nan"),
                    dimension_names=[str(d) for d in array.dims],
                    attributes=dict(array.attrs),
                )
        group.create_array(
            _MARKS,
            shape=(self.ensemble.chunks,),
            chunks=(1,),
            dtype="u1",
            fill_value=0,
            dimension_names=["chunk"],
        )


@dataclass(frozen=True)
class _Writing:
    path: Path

    def is_finished(self, chunk: int) -> bool:
        """Whether the chunk is there, though the worker that wrote it could not say so."""
        return bool(_group(self.path)[_MARKS][chunk])

    def __call__(self, job: Job, chunk: int, batch: Batch, outcome: Outcome, threads: int) -> None:
        """Write a chunk, and then its mark."""
        group = _group(self.path)
        begin = chunk * job.chunk_runs
        part = dataset(job.target, job.names, batch, outcome, {})
        for name, array in part.data_vars.items():
            if RUN in array.dims:
                group[name][begin : begin + len(batch)] = np.ascontiguousarray(array.values)
        group[_MARKS][chunk] = 1


@dataclass(frozen=True)
class StoredSummary:
    """A checkpoint of a summary in a store.

    Parameters
    ----------
    path : Path
        The store.
    plan : str
        Hash of what the summary depends on.

    Raises
    ------
    InputFileError
        The folder holds something else or cannot be written.
    """

    path: Path
    plan: str

    def __post_init__(self) -> None:
        _check(self.path, self.plan)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise InputFileError(self.path, f"cannot be made ({problem.strerror})") from problem

    def finished(self) -> xr.Dataset | None:
        """The whole summary, if it is there."""
        return _opened(self.path).load() if (self.path / _META).exists() else None

    def load(self) -> dict[str, np.ndarray] | None:
        """The state that was saved last."""
        if not (self.path / _STATE).exists():
            return None
        return {name: a for name, a in _state(self.path).items() if name != _PLAN}

    def save(self, state: Mapping[str, np.ndarray]) -> None:
        """Replace the state."""
        new = self.path / f".{os.getpid()}-{_STATE}"
        try:
            with new.open("wb") as file:
                np.savez(file, allow_pickle=False, **{_PLAN: np.array(self.plan)}, **state)
            os.replace(new, self.path / _STATE)
        finally:
            new.unlink(missing_ok=True)

    def finish(self, summary: xr.Dataset) -> xr.Dataset:
        """Put the whole summary in the place of the state."""
        whole = summary.assign_attrs({_PLAN: self.plan})
        _put_in_place(self.path, lambda folder: _write(whole, folder))
        return summary


@dataclass(frozen=True)
class StoredAnswers:
    """What runs come to, in a folder: a netCDF file a chunk, there whole or not at all.

    Parameters
    ----------
    path : Path
        The folder: new, empty, or with some of these answers already. It is made with the first.
    plan : str
        Hash of all that the answers depend on.

    Raises
    ------
    InputFileError
        The folder holds something else.
    """

    path: Path
    plan: str

    def __post_init__(self) -> None:
        _check_claimed(self.path, self.plan)

    def finished(self) -> set[int]:
        """Chunks that are there."""
        return {int(p.stem) for p in self.path.glob("[0-9]*.nc")}

    def load(self, chunk: int) -> xr.Dataset:
        """What the runs of a chunk came to."""
        return read_netcdf(self._file(chunk))

    def save(self, chunk: int, answers: xr.Dataset) -> None:
        """Keep what the runs of a chunk came to."""
        claim(self.path, self.plan)
        write_netcdf(answers, self._file(chunk))

    def _file(self, chunk: int) -> Path:
        return self.path / f"{chunk:06d}.nc"


def claim(path: Path, plan: str) -> None:
    """Take a folder for the results of a plan.

    Parameters
    ----------
    path : Path
        The folder: new, empty, or taken for the same plan already.
    plan : str
        Hash of all that the results depend on.

    Raises
    ------
    InputFileError
        The folder holds something else or cannot be written.
    """
    _check_claimed(path, plan)
    if (path / _PLAN_FILE).exists():
        return
    hidden = path / f".{os.getpid()}-{_PLAN_FILE}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        hidden.write_text(plan, encoding="utf-8")
        os.replace(hidden, path / _PLAN_FILE)
    except OSError as problem:
        raise InputFileError(path, f"cannot be made ({problem.strerror})") from problem


def _check_claimed(path: Path, plan: str) -> None:
    if path.exists() and not path.is_dir():
        raise InputFileError(path, "is a file, expected a folder for results")
    try:
        found = (path / _PLAN_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        found = plan if _is_free(path) else ""
    except (OSError, UnicodeDecodeError) as problem:
        raise InputFileError(path, f"is no store that can be read ({problem})") from problem
    if found != plan:
        raise InputFileError(path, _OTHER)


def _is_free(path: Path) -> bool:
    return not path.exists() or all(p.name.startswith(".") for p in path.iterdir())


def check_installed() -> None:
    """Raise ParameterError unless Zarr is installed."""
    try:
        import zarr  # noqa: F401
    except ImportError:
        raise ParameterError(
            "store= needs Zarr, which is not installed: pip install 'kredslob[cluster]'"
        ) from None


def _check(path: Path, plan: str) -> None:
    """Refuse a folder that holds anything but results of this plan."""
    if path.exists() and not path.is_dir():
        raise InputFileError(path, "is a file, expected a folder for results")
    if (path / _META).exists():
        found = dict(_group(path).attrs).get(_PLAN)
    elif (path / _STATE).exists():
        found = str(_state(path)[_PLAN])
    elif not _is_free(path):
        found = None
    else:
        return
    if found != plan:
        raise InputFileError(path, _OTHER)


def _group(path: Path) -> Any:
    import zarr

    try:
        return zarr.open_group(path, mode="r+", zarr_format=3)
    except Exception as problem:  # whatever is wrong with its files
        raise InputFileError(path, f"is no store that can be read ({problem})") from problem


def _state(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path / _STATE, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as problem:
        raise InputFileError(
            path, f"holds a summary that cannot be read ({problem}); remove the folder"
        ) from problem


def _opened(path: Path, names: tuple[str, ...] = ()) -> xr.Dataset:
    try:
        found = xr.open_zarr(path, chunks=None, consolidated=False, zarr_format=3)
    except Exception as problem:  # whatever is wrong with its files
        raise InputFileError(path, f"is no store that can be read ({problem})") from problem
    texts = [(n, c) for n, c in found.coords.items() if c.dtype.kind not in "fiu"]
    found = found.assign_coords({n: (c.dims, np.array(c.values.tolist(), str)) for n, c in texts})
    return found[[*names, _MARKS]] if names else found


def _write(whole: xr.Dataset, folder: Path) -> None:
    for name in whole.variables:
        if "/" in str(name):
            raise ParameterError(f"'{name}': a name with a '/' cannot be kept in a store")
    texts = {n: c.astype(object) for n, c in whole.coords.items() if c.dtype.kind == "U"}
    whole.assign_coords(texts).to_zarr(folder, mode="w", consolidated=False, zarr_format=3)


def _put_in_place(path: Path, fill: Any) -> None:
    """Fill a folder out of sight and put it in place when it is whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    except OSError as problem:
        raise InputFileError(path, f"cannot be made ({problem.strerror})") from problem
    try:
        fill(hidden)
        hidden.chmod(0o755)  # mkdtemp makes it private
        shutil.rmtree(path, ignore_errors=True)  # a state that is finished, or an empty folder
        os.replace(hidden, path)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
