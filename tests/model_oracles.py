"""What is right for the model files of the tests, found without the engine.

PySD runs most of them. The rest, and some that PySD computes only nearly, are worked out here.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import erfc, exp, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pysd
import xarray as xr
from scipy.optimize import brentq

MODELS = Path(__file__).parent / "models"
CONTROL = {"initial time", "final time", "time step", "saveper", "time"}
Columns = dict[tuple[str, ...], np.ndarray]
"""Values over time by name of the variable and labels of the element."""


def columns_of(run: xr.Dataset) -> Columns:
    """Split every variable of a run into one series for each element."""
    length = run.sizes["time"]
    columns: Columns = {}
    for name, array in run.data_vars.items():
        values = array if "time" in array.dims else array.expand_dims(time=length)
        for labels, series in _series(values.transpose("time", ...)):
            columns[(str(name), *labels)] = series
    return columns


def _series(array: xr.DataArray) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    dims = array.dims[1:]
    values = np.asarray(array.values, dtype=float)
    for index in np.ndindex(*values.shape[1:]):
        labels = (str(array.coords[dim].values[i]) for dim, i in zip(dims, index, strict=True))
        yield tuple(labels), values[(slice(None), *index)]


def assert_same(found: np.ndarray, expected: np.ndarray, rtol: float, what: str) -> None:
    """Compare two series; NaN equals NaN, and rounding of the largest value is forgiven."""
    size = np.abs(expected[np.isfinite(expected)]).max(initial=1.0)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-12 * size, err_msg=what)


def assert_by_hand(
    found: Columns, numbers: Mapping[str | tuple[str, ...], float | list[float]]
) -> None:
    """Compare series with numbers: one for all times, or a list; infinity where none is given."""
    for key, value in numbers.items():
        key = (key,) if isinstance(key, str) else key
        expected = np.broadcast_to(np.asarray(value, dtype=float), found[key].shape)
        given = ~np.isinf(expected)
        assert_same(found[key][given], expected[given], 1e-12, " ".join(key))


@cache
def pysd_columns(file: str) -> tuple[np.ndarray, Columns]:
    """Run a model file of `MODELS` on PySD, once in a process: times, and the series."""
    path = Path(_copies().name) / file
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = _read(path)
        doc = model.doc
        names = [
            name
            for name, kind in zip(doc["Real Name"], doc["Type"], strict=True)
            if kind != "Lookup" and name.lower() not in CONTROL
        ]
        table = model.run(return_columns=names, flatten_output=False)
    columns: Columns = {}
    for name in names:
        for labels, series in _cells(table[name]):
            columns[(name, *labels)] = series
    return np.asarray(table.index, dtype=float), columns


def _read(path: Path) -> Any:
    if path.suffix != ".mdl":
        return pysd.read_xmile(str(path))
    data = [str(p) for suffix in (".tab", ".csv") if (p := path.with_suffix(suffix)).exists()]
    if path.stem.startswith("external"):  # read by the equations themselves
        data = []
    return pysd.read_vensim(str(path), data_files=data or None)


def _cells(column: pd.Series[Any]) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    first = column.iloc[0]
    if not isinstance(first, xr.DataArray):
        yield (), column.to_numpy(dtype=float)
        return
    values = np.stack([np.asarray(cell.values, dtype=float) for cell in column])
    coords = {dim: first.coords[dim].values for dim in first.dims}
    yield from _series(xr.DataArray(values, coords, ("time", *first.dims)))


@cache
def _copies() -> tempfile.TemporaryDirectory[str]:
    """Return a copy of the models: PySD writes a Python file beside each that it reads."""
    folder = tempfile.TemporaryDirectory(prefix="kredslob-models-")
    for path in MODELS.iterdir():
        if path.is_file():
            shutil.copyfile(path, Path(folder.name) / path.name)
    return folder


def allocate_available(
    request: Sequence[float], profiles: Sequence[Sequence[float]], available: float
) -> list[float]:
    """Allocate what is available by priority, to the last digit.

    Vensim's reference manual ("Allocation by priority", ALLOCATE AVAILABLE): each request is a
    demand curve over a price; the price is found at which all curves together take what there is.

    Parameters
    ----------
    request : sequence of float
        What each asks for.
    profiles : sequence of (type, priority, width, extra)
        Shape of each demand curve: 1 rectangle, 2 triangle, 3 normal, 4 exponential.
    available : float
        What there is.

    Returns
    -------
    list of float
    """
    if available >= sum(request):
        return list(request)

    def taken(price: float) -> list[float]:
        return [
            asked * _share(price, *profile[:3])
            for asked, profile in zip(request, profiles, strict=True)
        ]

    reach = 40 * max(profile[2] for profile in profiles)
    low = min(profile[1] for profile in profiles) - reach
    high = max(profile[1] for profile in profiles) + reach
    if available <= 0:
        return [0.0] * len(request)
    price = brentq(lambda p: sum(taken(p)) - available, low, high, xtol=1e-14, rtol=1e-14)
    return taken(price)


def _share(price: float, kind: float, priority: float, width: float) -> float:
    """Return the part of a request that is taken at a price: one minus a distribution."""
    away = (price - priority) / width
    if kind == 1:
        return min(1.0, max(0.0, 0.5 - away))
    if kind == 2:
        away = min(0.5, max(-0.5, away))
        return 1 - 2 * (away + 0.5) ** 2 if away < 0 else 2 * (0.5 - away) ** 2
    if kind == 3:
        return 0.5 * erfc(away / sqrt(2))
    return 1 - 0.5 * exp(away) if away < 0 else 0.5 * exp(-away)
