"""Observed series of any model's variables, and what the model says at the same times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.arguments import refused
from kredslob.design import RUN, find
from kredslob.errors import ParameterError
from kredslob.simulation import HasParameters, Model

_FEW = 64  # short runs: to start more threads, or to send them away, takes longer than to run them

_EXPECTED = "a Series or DataFrame with times as index, named as variables of the model"
Observed = pd.Series | pd.DataFrame | xr.DataArray | Mapping[str, pd.Series]
Scenario = Mapping[str, Any] | HasParameters | None


@dataclass(frozen=True)
class Observations:
    """Observed values, one after the other.

    Parameters
    ----------
    series : array of str, shape (n,)
        Variable of each value: ``name`` or ``name[element, element]``.
    times : array, shape (n,)
        Its time, in the model's unit.
    values : array, shape (n,)
        What was observed, in the variable's unit.
    """

    series: np.ndarray
    times: np.ndarray
    values: np.ndarray

    @property
    def names(self) -> list[str]:
        """Each series once, in the order given."""
        return list(dict.fromkeys(self.series.tolist()))

    def parts(self) -> list[np.ndarray]:
        """Places of the values of each series."""
        return [np.flatnonzero(self.series == name) for name in self.names]


def read_observations(observed: Observed) -> Observations:
    """Read observed series.

    Parameters
    ----------
    observed : Series, DataFrame, DataArray or mapping of str to Series
        Series are named as the variable, ``name`` or ``name[element, element]``, with times as
        index; columns of a DataFrame likewise; a DataArray has the dimension ``time`` and the
        variable's subscripts. A mapping is for series that have different times.

    Raises
    ------
    ParameterError
        There is nothing, a name is missing, a time stands twice, or something is no finite number.
    """
    found = _series(observed)
    for name, series in found.items():
        where = f"observed '{name}'"
        if not len(series):
            raise ParameterError(f"{where}: found no value, expected at least one")
        try:
            numbers = np.array([series.index.to_numpy(), series.to_numpy()], dtype=float)
        except (TypeError, ValueError):
            raise ParameterError(f"{where}: expected numbers, with times as index") from None
        if not np.isfinite(numbers).all():
            raise ParameterError(
                f"{where}: found a value that is no finite number; leave its time out"
            )
        if series.index.has_duplicates:
            raise ParameterError(f"{where}: found a time twice")
    if not found:
        raise ParameterError("observed: found no series, expected at least one")
    return Observations(
        np.concatenate([np.repeat(name, len(series)) for name, series in found.items()]),
        np.concatenate([series.index.to_numpy(dtype=float) for series in found.values()]),
        np.concatenate([series.to_numpy(dtype=float) for series in found.values()]),
    )


def _series(observed: Observed) -> dict[str, pd.Series]:
    if isinstance(observed, pd.DataFrame):
        return {str(name): observed[name] for name in observed}
    if isinstance(observed, xr.DataArray | pd.Series):
        if observed.name is None:
            raise ParameterError("observed: found no name, expected that of a variable")
        if isinstance(observed, pd.Series):
            return {str(observed.name): observed}
        return _elements(observed)
    if isinstance(observed, Mapping):
        return {str(name): pd.Series(series) for name, series in observed.items()}
    raise refused("observed", observed, _EXPECTED)


def _elements(observed: xr.DataArray) -> dict[str, pd.Series]:
    if "time" not in observed.dims:
        raise ParameterError(f"observed '{observed.name}': found no dimension 'time'")
    rest = [d for d in observed.dims if d != "time"]
    found = {}
    for elements in product(*(observed[d].values for d in rest)):
        label = f"{observed.name}[{', '.join(map(str, elements))}]" if elements else observed.name
        values = observed.sel(dict(zip(rest, elements, strict=True)))
        found[str(label)] = pd.Series(values.values, index=observed["time"].values)
    return found


class Simulator:
    """What a model says at the times of observations, for many values of some constants at once.

    Parameters
    ----------
    model : Model
        Any model.
    names : sequence of str
        Constants, or stocks for their initial values: ``name`` or ``name[element, element]``.
    observations : Observations
        What to compare with.
    scenario : mapping or object with ``parameters``, optional
        What all runs share, as for `Model.run`.
    client : dask.distributed.Client, optional
        A cluster for batches of more than 64 runs.

    Raises
    ------
    ParameterError
        A series is not of the model.
    """

    def __init__(
        self,
        model: Model,
        names: Sequence[str],
        observations: Observations,
        scenario: Scenario,
        client: Any = None,
    ) -> None:
        self._model, self._names, self._scenario = model, list(names), scenario
        self._client = client
        self._times = np.unique(observations.times)
        self._at = np.searchsorted(self._times, observations.times)
        self._parts = observations.parts()
        self._cells = [_cell(model, name) for name in observations.names]
        self._save = list(dict.fromkeys(name for name, _ in self._cells))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Values at the observations, shape (points, observations); points are a row a run."""
        design = dict(zip(self._names, points.T, strict=True))
        few = len(points) <= _FEW
        runs = self._model.run_many(
            design,
            self._scenario,
            at=self._times.tolist(),
            save=self._save,
            threads=1 if few else None,
            client=None if few else self._client,
        )
        values = np.empty((len(points), len(self._at)))
        for (name, elements), part in zip(self._cells, self._parts, strict=True):
            found = runs[name].sel(elements)
            over_time = found.transpose(RUN, "time").values if RUN in found.dims else found.values
            values[:, part] = np.broadcast_to(over_time, (len(points), len(self._times)))[
                :, self._at[part]
            ]
        return values


def _cell(model: Model, label: str) -> tuple[str, dict[str, str]]:
    """A variable and the elements that a label names, by dimension."""
    name, _, rest = label.rstrip("]").partition("[")
    try:
        array = find(model.program, name.strip())
    except ParameterError as problem:
        raise ParameterError(f"observed '{label}': {problem}") from None
    elements = [e.strip() for e in rest.split(",") if e.strip()]
    if len(elements) != len(array.dims):
        raise ParameterError(
            f"observed '{label}': found {len(elements)} elements, expected {len(array.dims)}"
        )
    for dim, element in zip(array.dims, elements, strict=True):
        if element not in model.subscripts[dim]:
            raise ParameterError(f"observed '{label}': '{element}' is no element of '{dim}'")
    return array.name, dict(zip(array.dims, elements, strict=True))
