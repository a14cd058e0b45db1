"""Numbers that a model file keeps in other files, read by PySD's own readers when it is loaded.

Each function takes the model's path, which says where the files are sought, and the ``Access``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.errors import InputFileError
from kredslob.limits import Limits
from kredslob.reading import check_external_path, is_within
from kredslob.reading.source import one_line

Series = list[tuple[Sequence[float], Sequence[float]]]
_TABLES = (".tab", ".csv")
_SHOWN = 5  # names of files in a message
_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".ods")  # files that are packed


@dataclass(frozen=True)
class Access:
    """What a model may read besides its own file.

    Parameters
    ----------
    limits : Limits
        How large a file may be.
    allow : tuple of Path or str
        Folders besides the model's own.
    """

    limits: Limits
    allow: tuple[Path | str, ...] = ()


def subscript(path: Path, defined: Mapping[str, Any], access: Access) -> list[str]:
    """Elements of a subscript range (GET XLS SUBSCRIPT, GET DIRECT SUBSCRIPT)."""
    from pysd.py_backend.external import ExtSubscript

    file = check_external_path(path, defined["file"], access.allow)
    cells = [defined[k] for k in ("tab", "firstcell", "lastcell", "prefix")]

    def read() -> list[str]:
        return list(ExtSubscript(str(file), *cells, path.parent).subscript)

    return _read(path, file, access, read)


def constants(
    path: Path,
    tree: Any,
    coordinates: Mapping[str, list[str]],
    shape: tuple[int, ...],
    access: Access,
) -> np.ndarray:
    """Values of GET XLS CONSTANTS or GET DIRECT CONSTANTS, in the shape of their subscripts."""
    from pysd.py_backend.external import ExtConstant

    file = check_external_path(path, tree.file, access.allow)

    def read() -> np.ndarray:
        source = ExtConstant(
            str(file), tree.tab, tree.cell, dict(coordinates), path.parent, dict(coordinates), "x"
        )
        source.initialize()
        return np.asarray(source.data, dtype=float).reshape(shape)

    return _read(path, file, access, read)


def lookups(path: Path, tree: Any, coordinates: Mapping[str, list[str]], access: Access) -> Series:
    """Points of GET XLS LOOKUPS or GET DIRECT LOOKUPS, one table an element."""
    from pysd.py_backend.external import ExtLookup

    file = check_external_path(path, tree.file, access.allow)

    def read() -> Series:
        source = ExtLookup(
            str(file),
            tree.tab,
            tree.x_row_or_col,
            tree.cell,
            dict(coordinates),
            path.parent,
            dict(coordinates),
            "x",
        )
        source.initialize()
        return _series(source.data, "lookup_dim")

    return _read(path, file, access, read)


def data(
    path: Path,
    tree: Any,
    name: str,
    coordinates: Mapping[str, list[str]],
    mode: str,
    access: Access,
) -> Series:
    """Points of GET XLS DATA or GET DIRECT DATA over time, one table an element.

    A cell that is empty is read as the mode has it between two points.
    """
    from pysd.py_backend.external import ExtData

    file = check_external_path(path, tree.file, access.allow)

    def read() -> Series:
        source = ExtData(
            str(file),
            tree.tab,
            tree.time_row_or_col,
            tree.cell,
            mode,
            dict(coordinates),
            path.parent,
            dict(coordinates),
            name,
        )
        source.initialize()
        return _series(source.data, "time")

    return _read(path, file, access, read)


def tabular(path: Path, name: str, coordinates: Mapping[str, list[str]], access: Access) -> Series:
    """Values over time of a data variable without an equation, from a table beside the model.

    The first of `table_files` that has the variable.
    """
    from pysd.py_backend.data import Columns, TabData

    candidates = table_files(path, access)
    for file in candidates:
        _check_size(path, file, access.limits)
        source = TabData(name, name, dict(coordinates), "interpolate")
        try:
            Columns.clean()
            found = source._load_data(file, None)
        except Exception:
            continue
        if found is not None:
            return _series(found, "time")
    looked = ", ".join(f.name for f in candidates[:_SHOWN]) or "there is none"
    looked += f" and {len(candidates) - _SHOWN} more" if len(candidates) > _SHOWN else ""
    raise InputFileError(
        path,
        f"the data are in none of the .tab and .csv files beside the model ({looked})",
        key=one_line(name, 100),
    )


def table_files(path: Path, access: Access) -> list[Path]:
    """Tables beside a model file, by name; one with the model's own name comes first."""
    folder = path.resolve().parent
    beside = [
        f
        for f in folder.iterdir()
        if f.suffix.lower() in _TABLES and f.is_file() and is_within(f, [folder, *access.allow])
    ]
    return sorted(beside, key=lambda f: (f.stem != path.stem, f.name))


def data_files(path: Path, abstract: Any, access: Access) -> list[tuple[str, Path]]:
    """Names in the equations and subscript ranges of a model, and the data files they stand for."""
    named = [
        source.file
        for section in abstract.sections
        for element in section.elements
        for component in element.components
        for source in [component.ast]
        if hasattr(source, "file")
    ]
    named += [
        r.subscripts["file"]
        for section in abstract.sections
        for r in section.subscripts
        if isinstance(r.subscripts, dict)
    ]
    return [(name, check_external_path(path, name, access.allow)) for name in dict.fromkeys(named)]


def _series(array: xr.DataArray, along: str) -> Series:
    x = np.asarray(array[along].values, dtype=float)
    columns = array.transpose(along, ...).values.reshape(len(x), -1).astype(float)
    order = np.argsort(x, kind="stable")
    series: Series = []
    for y in columns[order].T:
        there = ~np.isnan(y)
        series.append((x[order][there].tolist(), y[there].tolist()))
    return series


def _read(path: Path, file: Path, access: Access, read: Callable[[], Any]) -> Any:
    from pysd.py_backend.external import Excels

    if not file.is_file():
        raise InputFileError(path, f"names a data file that is not there: {file.name}")
    _check_size(path, file, access.limits)
    try:
        return read()
    except Exception as problem:  # PySD's readers raise whatever pandas or openpyxl raise
        first = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise InputFileError(
            path, f"cannot read its numbers from {file.name} ({first})"
        ) from problem
    finally:
        Excels.clean()


def _check_size(path: Path, file: Path, limits: Limits) -> None:
    """Refuse a file that is too large, or a workbook that would be once it is unpacked."""
    size = file.stat().st_size
    if file.suffix.lower() in _WORKBOOKS and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            size = max(size, sum(part.file_size for part in packed.infolist()))
    if size > limits.data_file_bytes:
        found = f"names a data file of {size:,} bytes"
        raise InputFileError(path, limits.exceeded("data_file_bytes", found), key=file.name)
