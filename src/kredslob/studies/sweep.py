"""Sweeps: the same scenario under each combination of some constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.design import RUN
from kredslob.ensemble import Progress
from kredslob.errors import ParameterError
from kredslob.simulation import HasParameters, Model, check_is_model, parameters_of

_EXPECTED = 'expected a list of numbers by name, such as {"birth rate": [0, 0.5, 1]}'


def sweep(
    model: Model,
    scenario: Mapping[str, Any] | HasParameters | None = None,
    levers: Mapping[str, Sequence[float]] | None = None,
    *,
    years: float | None = None,
    time_step: float | None = None,
    saveper: float | None = None,
    save: Sequence[str] | None = None,
    client: Any = None,
    store: Path | str | None = None,
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
    years, time_step, saveper, save, client, store, progress
        As for `Model.run_many`.

    Returns
    -------
    xarray.Dataset
        As from `Model.run`, with one leading dimension a lever, named as the lever.
        Constants that do not vary keep no such dimension.

    Raises
    ------
    ParameterError
        No lever or value is given, a value stands twice, or as for `Model.run_many`.
    InputFileError
        The store cannot be used, or holds other results.

    Examples
    --------
    >>> levers = {"reinvestment rate": [0, 0.5, 1]}
    >>> runs = kredslob.sweep(kredslob.load(), levers=levers, years=5)
    >>> runs["total cash"].sizes["reinvestment rate"]
    3
    """
    check_is_model(model)
    parameters_of(scenario)
    if levers is None:
        raise ParameterError(f"levers: found none, {_EXPECTED}; the scenario comes before them")
    levers = _lists(levers)
    if not levers or not all(levers.values()):
        raise ParameterError("a sweep needs at least one constant with at least one value")
    for name, values in levers.items():
        if len(set(values)) < len(values):
            raise ParameterError(f"'{name}': the same value stands twice in the sweep")
    points = np.array(list(product(*levers.values())))
    runs = model.run_many(
        dict(zip(levers, points.T, strict=True)),
        scenario,
        years=years,
        time_step=time_step,
        saveper=saveper,
        save=save,
        client=client,
        store=store,
        progress=progress,
    )
    return _on_grid(runs, levers, model)


def _on_grid(runs: xr.Dataset, levers: Mapping[str, Sequence[float]], model: Model) -> xr.Dataset:
    """Give each lever a dimension of its own, in place of the runs."""
    shape = tuple(len(values) for values in levers.values())
    data = {}
    for name, array in runs.data_vars.items():
        if name in levers:
            continue  # the lever itself becomes the coordinate
        if RUN in array.dims:
            values = array.values.reshape(shape + array.shape[1:])
            array = xr.DataArray(values, dims=(*levers, *array.dims[1:]), attrs=array.attrs)
        data[name] = array
    coords = {n: c for n, c in runs.coords.items() if n != RUN}
    gridded = xr.Dataset(data, coords | {n: list(v) for n, v in levers.items()}, runs.attrs)
    for name in levers:
        gridded[name].attrs = {"units": model.variables[name].unit, "long_name": name}
    return gridded


def _lists(levers: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """The values of each lever, as numbers."""
    if not isinstance(levers, Mapping):
        raise ParameterError(f"levers: found {type(levers).__name__}, {_EXPECTED}")
    found = {}
    for name, values in levers.items():
        try:
            found[name] = [float(v) for v in values]
        except (TypeError, ValueError):
            raise ParameterError(f"levers: '{name}': found {values!r}, {_EXPECTED}") from None
    return found
