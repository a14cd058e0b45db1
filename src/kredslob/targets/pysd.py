"""PySD as a target: slow, independent, the reference for every other way to run a model."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.errors import InputFileError


@dataclass(frozen=True)
class Clock:
    """When a run starts, ends, steps and saves, in the model's time unit. None: as in the file."""

    final: float | None = None
    step: float | None = None
    saveper: float | None = None


class PysdTarget:
    """A model file translated by PySD, ready to run.

    Parameters
    ----------
    path : Path
        The model file. The Python text that PySD makes of it is kept in a temporary folder,
        never beside the file.

    Raises
    ------
    InputFileError
        PySD cannot translate the file.
    """

    def __init__(self, path: Path) -> None:
        import pysd

        self._folder = tempfile.TemporaryDirectory(prefix="kredslob-")
        copy = Path(self._folder.name) / f"model{path.suffix}"
        shutil.copyfile(path, copy)
        read = pysd.read_vensim if path.suffix.lower() == ".mdl" else pysd.read_xmile
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._model = read(str(copy))
        except Exception as problem:  # the translator raises whatever its grammar raises
            first = (str(problem).strip() or type(problem).__name__).splitlines()[0]
            raise InputFileError(path, f"cannot be translated by PySD ({first})") from problem

    def bounds(self, clock: Clock) -> tuple[float, float]:
        """First and last time of a run under this clock."""
        components = self._model.components
        final = float(components.final_time()) if clock.final is None else clock.final
        return float(components.initial_time()), final

    def time(self) -> float:
        """Model time that the present run has reached."""
        return float(self._model.time())

    def run(
        self, constants: Mapping[str, Any], clock: Clock, save: Sequence[str]
    ) -> dict[str, xr.DataArray]:
        """Run once by Euler's method.

        Parameters
        ----------
        constants : mapping of str to float, DataArray or Series
            Changed constants by name; a Series (index: argument) replaces a lookup.
        clock : Clock
            Times of the run.
        save : sequence of str
            Names of the variables to keep.

        Returns
        -------
        dict of str to DataArray
            Each saved variable, with dimension ``time`` first unless it never changes.
        """
        self._model.reload()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                # PySD never mixes elements of a subscript, so exact labels may be asked for;
                # that spares xarray a copy of each operand and halves the time of a run.
                with xr.set_options(arithmetic_join="exact"):
                    table = self._table(constants, clock, save)
            except xr.AlignmentError:
                self._model.reload()
                table = self._table(constants, clock, save)
        return {name: _series(name, table[name]) for name in save}

    def _table(
        self, constants: Mapping[str, Any], clock: Clock, save: Sequence[str]
    ) -> pd.DataFrame:
        table: pd.DataFrame = self._model.run(
            params=dict(constants),
            return_columns=list(save),
            final_time=clock.final,
            time_step=clock.step,
            saveper=clock.saveper,
            flatten_output=False,
        )
        return table


def _series(name: str, column: pd.Series[Any]) -> xr.DataArray:
    time = np.asarray(column.index, dtype=float)
    first = column.iloc[0]
    if not isinstance(first, xr.DataArray):
        return xr.DataArray(column.to_numpy(dtype=float), {"time": time}, ("time",), name)
    values = np.stack([np.asarray(cell.values, dtype=float) for cell in column])
    coords = {"time": time} | {str(dim): first.coords[dim].values for dim in first.dims}
    return xr.DataArray(values, coords, ("time", *(str(dim) for dim in first.dims)), name)
