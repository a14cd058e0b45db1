"""Values of runs as a labelled dataset: names, subscripts, units, and what made them."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import xarray as xr

from kredslob.design import RUN
from kredslob.program import Array, Program
from kredslob.targets.numba import Batch, NumbaTarget, Outcome

_PACKAGES = ("kredslob", "numba", "numpy", "xarray", "pandas", "pysd")
STATISTIC = "statistic"


def dataset(
    target: NumbaTarget,
    names: Sequence[str],
    batch: Batch,
    outcome: Outcome,
    made_by: Mapping[str, Any],
) -> xr.Dataset:
    """Label the values of a batch.

    Parameters
    ----------
    target : NumbaTarget
        What ran.
    names : sequence of str
        Variables; those that are not constants lie in ``outcome.values`` one after the other.
    batch : Batch
        What the runs started from.
    outcome : Outcome
        Their values.
    made_by : mapping
        Attributes.

    Returns
    -------
    Dataset
        Over ``run``, ``time`` and subscripts. Constants are views that take no memory; those that
        all runs share have no ``run``.
    """
    data = {}
    for array, values, differs in _values(target, names, batch, outcome):
        lead = (RUN, "time") if differs else ("time",)
        data[array.name] = _labelled(array, (*lead, *_distinct(array.dims)), values)
    return _finished(target.program, data, outcome.times, {RUN: batch.numbers}, made_by)


def run_dataset(
    target: NumbaTarget,
    names: Sequence[str],
    batch: Batch,
    outcome: Outcome,
    made_by: Mapping[str, Any],
) -> xr.Dataset:
    """Label the values of a batch of one run, as `dataset` does but without ``run``."""
    data = {}
    for array, values, differs in _values(target, names, batch, outcome):
        own = values[0] if differs else values
        data[array.name] = _labelled(array, ("time", *_distinct(array.dims)), own)
    return _finished(target.program, data, outcome.times, {}, made_by)


def _values(
    target: NumbaTarget, names: Sequence[str], batch: Batch, outcome: Outcome
) -> Iterator[tuple[Array, np.ndarray, bool]]:
    """Values of each variable over time, and whether they have a first axis of runs."""
    runs, rows = outcome.values.shape[:2]
    place = 0
    for name in names:
        array = target.program.arrays[name]
        if name in target.program.defaults:
            values = _constant(target, batch, name)
            lead = values.shape[:-1]
            once = values.reshape(*lead, 1, *array.shape)
            yield array, np.broadcast_to(once, (*lead, rows, *array.shape)), values.ndim == 2
        else:
            part = outcome.values[:, :, place : place + array.size]
            yield array, part.reshape(runs, rows, *array.shape), True
            place += array.size


def summary_dataset(
    target: NumbaTarget,
    names: Sequence[str],
    batch: Batch,
    times: np.ndarray,
    table: np.ndarray,
    labels: Sequence[str],
    final: np.ndarray | None,
    made_by: Mapping[str, Any],
) -> xr.Dataset:
    """Label what many runs came to.

    Parameters
    ----------
    target, names, batch
        As for `dataset`.
    times : array of float
        Times that were saved.
    table : array, shape (statistics, times x elements)
        From `kredslob.summaries`; elements of `differing` variables, one after the other.
    labels : sequence of str
        Names of the statistics; if there is none, only the last values are labelled.
    final : array, shape (runs, elements), optional
        Last value of each run.
    made_by : mapping
        Attributes.

    Returns
    -------
    Dataset
        Over ``statistic``, ``time`` and subscripts; ``final NAME`` over ``run`` and subscripts.
        Constants that all runs share are as in `dataset`.
    """
    program = target.program
    cells = table.reshape(len(labels), len(times), -1) if labels else table
    moving = differing(target, names, batch)
    data: dict[str, xr.Variable] = {}
    place = 0
    others: dict[str, Any] = {STATISTIC: list(labels)} if labels else {}
    for name in names:
        array = program.arrays[name]
        dims = _distinct(array.dims)
        if name not in moving:
            values = batch.constants[target.constant_places(name)].reshape(1, *array.shape)
            spread = np.broadcast_to(values, (len(times), *array.shape))
            data[name] = _labelled(array, ("time", *dims), spread)
            continue
        part = slice(place, place + array.size)
        place += array.size
        if labels:
            values = cells[:, :, part].reshape(len(labels), len(times), *array.shape)
            data[name] = _labelled(array, (STATISTIC, "time", *dims), values)
        if final is not None:
            values = final[:, part].reshape(len(final), *array.shape)
            data[f"final {name}"] = _labelled(array, (RUN, *dims), values)
            others[RUN] = batch.numbers
    return _finished(program, data, times, others, made_by)


def differing(target: NumbaTarget, names: Sequence[str], batch: Batch) -> list[str]:
    """Those of the variables that can differ from run to run: all but shared constants."""
    varied = set(batch.varied.tolist())
    constants = target.program.defaults
    return [n for n in names if n not in constants or varied & set(target.places(n).tolist())]


def from_arrays(
    program: Program, arrays: Mapping[str, xr.DataArray], made_by: Mapping[str, Any]
) -> xr.Dataset:
    """Label values that another engine gave, over ``time`` and subscripts."""
    data = {}
    times = next(iter(arrays.values()))["time"].values
    for name, values in arrays.items():
        array = program.arrays[name]
        data[name] = _labelled(array, ("time", *_distinct(array.dims)), values.values)
    return _finished(program, data, times, {}, made_by)


def provenance(
    program: Program,
    *,
    scenario: Any,
    parameters: Mapping[str, Any],
    clock: Mapping[str, float],
    integration: str,
    engine: str,
    seed: int,
) -> dict[str, Any]:
    """Attributes that say what made a dataset."""
    return {
        "model": program.name,
        "model_hash": program.sha256,
        "scenario": str(getattr(scenario, "name", "")),
        "setting": str(getattr(scenario, "setting", "")),
        "parameters": json.dumps(dict(parameters)),
        "clock": json.dumps(dict(clock)),
        "integration": {"euler": "Euler", "rk4": "Runge-Kutta 4"}[integration],
        "engine": engine,
        "seed": seed,
        "versions": json.dumps(dict(versions())),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _constant(target: NumbaTarget, batch: Batch, name: str) -> np.ndarray:
    """Values of a constant: flat, or with a first axis of runs where they differ."""
    shared = batch.constants[target.constant_places(name)]
    places = target.places(name)
    own = np.flatnonzero(np.isin(batch.varied, places)) if len(batch.varied) else batch.varied
    if not len(own):
        return shared
    values = np.repeat(shared[np.newaxis], len(batch), axis=0)
    values[:, batch.varied[own] - places[0]] = batch.values[:, own]
    return values


def _labelled(array: Array, dims: tuple[str, ...], values: np.ndarray) -> xr.Variable:
    attributes = {
        "units": array.unit,
        "long_name": array.name,
        "description": array.documentation,
        "kind": array.kind,
    }
    return xr.Variable(dims, values, attributes)


def _distinct(dims: Sequence[str]) -> list[str]:
    """Names of the axes; a range that stands twice gets a number the second time."""
    named: list[str] = []
    for dim in dims:
        named.append(dim if dim not in named else f"{dim} {named.count(dim) + 1}")
    return named


def _finished(
    program: Program,
    data: Mapping[str, xr.Variable],
    times: np.ndarray,
    others: Mapping[str, Any],
    made_by: Mapping[str, Any],
) -> xr.Dataset:
    axes: dict[str, tuple[str, ...]] = {}
    for array in data.values():
        for dim in map(str, array.dims):
            if dim not in axes and dim != "time" and dim not in others:
                axes[dim] = program.ranges[dim if dim in program.ranges else dim.rsplit(" ", 1)[0]]
    unit = program.arrays[program.clock.step].unit
    time = ("time", times, {"units": unit, "long_name": "time"})
    coords = _axes(tuple(axes.items())).merge(xr.Coordinates({"time": time, **others})).coords
    return xr.Dataset(dict(data), coords, dict(made_by))


@lru_cache(maxsize=64)
def _axes(axes: tuple[tuple[str, tuple[str, ...]], ...]) -> xr.Coordinates:
    """Coordinates of the subscripts; making their indexes takes longer than running a model."""
    return xr.Coordinates({dim: list(elements) for dim, elements in axes})


@cache
def versions() -> Mapping[str, str]:
    """Version of Python and of each package that numbers come from, by name."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"python": platform.python_version()} | found
