"""Sweeps: the same scenario under each combination of some constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import xarray as xr

from kredslob.errors import ParameterError
from kredslob.simulation import HasParameters, Model, Progress


def sweep(
    model: Model,
    scenario: Mapping[str, Any] | HasParameters | None = None,
    levers: Mapping[str, Sequence[float]] | None = None,
    *,
    years: float | None = None,
    time_step: float | None = None,
    saveper: float | None = None,
    save: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Run the model over a grid of scalar constants.

    Parameters
    ----------
    model : Model
        The model.
    scenario : mapping or object with ``parameters``, optional
        What all runs have in common.
    levers : mapping of str to sequence of float
        Values of each constant that is varied, by its name in the model file.
    years, time_step, saveper, save, progress
        As for `Model.run_many`.

    Returns
    -------
    xarray.Dataset
        As from `Model.run`, with one leading dimension a lever, named as the lever.
        Constants that do not vary keep no such dimension.

    Raises
    ------
    ParameterError
        No lever or value is given, a value stands twice, or as for `Model.run`.

    Examples
    --------
    >>> runs = sweep(model, levers={"reinvestment rate": [0, 0.5, 1]})  # doctest: +SKIP
    """
    levers = {name: [float(v) for v in values] for name, values in (levers or {}).items()}
    if not levers or not all(levers.values()):
        raise ParameterError("a sweep needs at least one constant with at least one value")
    for name, values in levers.items():
        if len(set(values)) < len(values):
            raise ParameterError(f"'{name}': the same value stands twice in the sweep")
    designs = [dict(zip(levers, point, strict=True)) for point in product(*levers.values())]
    runs = model.run_many(
        designs,
        scenario,
        years=years,
        time_step=time_step,
        saveper=saveper,
        save=save,
        progress=progress,
    )
    return _combined(runs, levers, model)


def _combined(
    runs: Sequence[xr.Dataset], levers: Mapping[str, Sequence[float]], model: Model
) -> xr.Dataset:
    shape = tuple(len(values) for values in levers.values())
    data = {}
    for name, first in runs[0].data_vars.items():
        if name in levers:
            continue  # the lever itself becomes the coordinate
        stack = np.stack([run[name].values for run in runs])
        if first.attrs["kind"] == "constant" and (stack == stack[:1]).all():
            data[name] = first
            continue
        stack = stack.reshape(shape + stack.shape[1:])
        data[name] = xr.DataArray(stack, dims=(*levers, *first.dims), attrs=first.attrs)
    coords = dict(runs[0].coords) | {name: list(values) for name, values in levers.items()}
    combined = xr.Dataset(data, coords, runs[0].attrs)
    for name in levers:
        combined[name].attrs = {"units": model.variables[name].unit, "long_name": name}
    return combined
