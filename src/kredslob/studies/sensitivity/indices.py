"""Indices of each outcome at each time, in one Dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import xarray as xr

from kredslob.design import RUN
from kredslob.errors import ParameterError
from kredslob.studies.factors import Factor

BOUNDS = ("low", "high")
OWN_UNIT = "of the outcome"  # which the coordinate "unit" names
RESAMPLES = 200  # behind an interval
CONFIDENCE = 0.95


def analysed(
    runs: xr.Dataset,
    factors: Sequence[Factor],
    indices: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    wanted: Mapping[str, str],
    unit: str = "Dmnl",
) -> xr.Dataset:
    """Ask for the indices of each outcome at each time, and put them in one Dataset."""
    answers = answers_of(runs)
    outer = answers.shape[1:]
    count = len(factors)
    shapes = {
        name: (count,) + (count,) * name.startswith("second") + (2,) * name.endswith("interval")
        for name in wanted
    }
    values = {name: np.full(outer + shape, np.nan) for name, shape in shapes.items()}
    for place in np.ndindex(*outer):
        answer = answers.values[(slice(None), *place)]
        found = indices(answer) if np.isfinite(answer).all() else {}
        for name, numbers in found.items():
            values[name][place] = numbers
    results = about(factors, answers, runs.attrs)
    for name, long_name in wanted.items():
        dims = [*answers.dims[1:], "factor"]
        dims += ["factor 2"] * name.startswith("second") + ["bound"] * name.endswith("interval")
        results[name] = (dims, values[name], {"units": unit, "long_name": long_name})
    if any(name.endswith("interval") for name in wanted):
        results = results.assign_coords(bound=list(BOUNDS))
    if "second" in wanted:
        results = results.assign_coords({"factor 2": [factor.name for factor in factors]})
    return results


def answers_of(runs: xr.Dataset) -> xr.DataArray:
    """Outcomes of runs over run, outcome and, if they have it, time; each element by itself."""
    names = [str(name) for name in runs.data_vars if not str(name).startswith("input ")]
    timed = {name for name in names if "time" in runs[name].dims}
    if timed and len(timed) < len(names):
        raise ParameterError("some outcomes are over time and some are not; ask for them apart")
    kept = (RUN, "time") if timed else (RUN,)
    labels: list[str] = []
    units: list[str] = []
    columns: list[xr.DataArray] = []
    for name in names:
        array = runs[name]
        along = [d for d in array.dims if d not in kept]
        for elements in product(*(array[d].values for d in along)):
            of = f"[{','.join(map(str, elements))}]" if along else ""
            labels.append(f"{name}{of}")
            units.append(array.attrs.get("units", ""))
            columns.append(array.sel(dict(zip(along, elements, strict=True))).transpose(*kept))
    values = np.stack([column.values for column in columns], axis=1).astype(float)
    coords: dict[str, Any] = {"outcome": labels, "unit": ("outcome", units)}
    if timed:
        coords["time"] = columns[0]["time"].values
    return xr.DataArray(values, coords, (RUN, "outcome", *kept[1:]))


def about(
    factors: Sequence[Factor], answers: xr.DataArray, made_by: Mapping[str, Any]
) -> xr.Dataset:
    """An empty Dataset with the coordinates that say what outcomes and factors are."""
    columns: dict[str, list[Any]] = {
        "low": [f.low for f in factors],
        "high": [f.high for f in factors],
        "mode": [np.nan if f.mode is None else f.mode for f in factors],
        "distribution": [f.distribution for f in factors],
        "label": [f.label for f in factors],
        "chance": [f.chance for f in factors],
    }
    coords: dict[str, Any] = {"factor": [f.name for f in factors]}
    coords |= {name: ("factor", values) for name, values in columns.items()}
    coords |= {str(name): c for name, c in answers.coords.items() if name != RUN}
    return xr.Dataset(coords=coords, attrs=dict(made_by))


def interval(values: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Low and high end, along a last axis."""
    return np.stack([values - width, values + width], axis=-1)
