"""PySD as a target: slow, independent, the reference for every other way to run a model."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.errors import InputFileError, ParameterError
from kredslob.limits import limits_in_force
from kredslob.lowering.external import Access, data_files, table_files
from kredslob.program import Program
from kredslob.reading import builder_model

if TYPE_CHECKING:
    from kredslob.design import Design


class PysdTarget:
    """A model file translated by PySD, ready to run.

    Parameters
    ----------
    path : Path
        The model file. The Python text that PySD makes of it is kept in a temporary folder,
        never beside the file.
    access : Access, optional
        What it may read. Default: its own folder, within `kredslob.limits.limits_in_force`.

    Raises
    ------
    InputFileError
        PySD cannot translate the file.
    """

    def __init__(self, path: Path, access: Access | None = None) -> None:
        import pysd
        from pysd.builders.python.python_model_builder import ModelBuilder

        access = access or Access(limits_in_force())
        self._folder = tempfile.TemporaryDirectory(prefix="kredslob-")
        folder = Path(self._folder.name)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                abstract = builder_model(path, folder, access.limits)
                _bring(data_files(path, abstract, access), path, folder)
                source = ModelBuilder(abstract).build_model()
                tables = table_files(path, access) if _needs_tables(abstract) else None
                self._model = pysd.load(str(source), data_files=tables)
        except InputFileError:
            raise
        except Exception as problem:  # the builder raises whatever it meets
            first = (str(problem).strip() or type(problem).__name__).splitlines()[0]
            raise InputFileError(path, f"cannot be translated by PySD ({first})") from problem

    def run(self, program: Program, design: Design, save: Sequence[str]) -> dict[str, xr.DataArray]:
        """Run once by Euler's method.

        Parameters
        ----------
        program : Program
            The same model, lowered: names and shapes of its variables.
        design : Design
            The changes of one run.
        save : sequence of str
            Names of the variables to keep.

        Returns
        -------
        dict of str to DataArray
            Each saved variable, with dimension ``time`` first.

        Raises
        ------
        ParameterError
            The model calls a function that PySD does not have.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                table = self._table_by_labels(program, design, save)
            except NotImplementedError as problem:  # found out only when the function is called
                raise ParameterError(f"engine: PySD stops ({problem})") from problem
        return {name: _series(name, table[name]) for name in save}

    def _table_by_labels(
        self, program: Program, design: Design, save: Sequence[str]
    ) -> pd.DataFrame:
        """Run with exact labels: PySD never mixes elements of a subscript.

        That spares xarray a copy of each operand and halves the time of a run.
        """
        self._model.reload()
        try:
            with xr.set_options(arithmetic_join="exact"):
                return self._table(program, design, save)
        except xr.AlignmentError:
            self._model.reload()
            return self._table(program, design, save)

    def _table(self, program: Program, design: Design, save: Sequence[str]) -> pd.DataFrame:
        changed, initial = _changed(program, design)
        clock = program.clock
        times = {n: changed.pop(n, None) for n in (clock.final, clock.step, clock.saveper)}
        start = self._model.components.initial_time()
        table: pd.DataFrame = self._model.run(
            params=changed,
            initial_condition=(start, initial) if initial else "original",
            return_columns=list(save),
            final_time=times[clock.final],
            time_step=times[clock.step],
            saveper=times[clock.saveper],
            flatten_output=False,
        )
        return table


def _bring(files: Iterable[tuple[str, Path]], path: Path, folder: Path) -> None:
    """Put copies of a model's data files where PySD looks for them."""
    for name, file in files:
        copy = (folder / name).resolve()
        if not copy.is_relative_to(folder.resolve()):
            problem = "lies outside the model's folder: only the engine reads it there, not PySD"
            raise InputFileError(path, problem, key=name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


def _needs_tables(abstract: Any) -> bool:
    return any(
        type(component.ast).__name__ == "DataStructure"
        for section in abstract.sections
        for element in section.elements
        for component in element.components
    )


def _changed(program: Program, design: Design) -> tuple[dict[str, Any], dict[str, Any]]:
    """Changes of one run as PySD takes them: of variables, and of the initial values of stocks."""
    changed: dict[str, Any] = {}
    initial: dict[str, Any] = {}
    for name, values in design.values.items():
        array = program.arrays[name]
        value: Any = float(values.ravel()[0])
        if array.dims:
            coords = {dim: list(program.ranges[dim]) for dim in array.dims}
            value = xr.DataArray(values[0], coords, array.dims)
        (initial if design.inputs.get(name) == "initial" else changed)[name] = value
    for name, variants in design.tables.items():
        array = program.arrays[name]
        if array.size > 1 and len(set(variants[0])) > 1:
            raise ParameterError(f"'{name}': PySD takes one table for all elements")
        x, y = variants[0][0]
        changed[name] = pd.Series(y, index=x)
    return changed, initial


def _series(name: str, column: pd.Series[Any]) -> xr.DataArray:
    time = np.asarray(column.index, dtype=float)
    first = column.iloc[0]
    if not isinstance(first, xr.DataArray):
        return xr.DataArray(column.to_numpy(dtype=float), {"time": time}, ("time",), name)
    values = np.stack([np.asarray(cell.values, dtype=float) for cell in column])
    coords = {"time": time} | {str(dim): first.coords[dim].values for dim in first.dims}
    return xr.DataArray(values, coords, ("time", *(str(dim) for dim in first.dims)), name)
