"""A saved run for other programs: an Excel workbook, CSV, Parquet and netCDF."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.errors import ParameterError
from kredslob.results import RUNS, TABLES, SavedRun, write_numbers
from kredslob.show.csv_file import write_csv
from kredslob.show.workbook import write_workbook

FORMATS = ("xlsx", "csv", "parquet", "netcdf")
_NEEDS = {"xlsx": "xlsxwriter", "parquet": "pyarrow"}
_CODED = ("csv", "parquet")


def check_installed(formats: Sequence[str]) -> None:
    """Say in one line what to install, if a format needs what is not there.

    Raises
    ------
    ParameterError
        A library is missing.
    """
    for name in formats:
        library = _NEEDS.get(name)
        if library and importlib.util.find_spec(library) is None:
            raise ParameterError(
                f'{name} needs {library}, which is not installed: pip install "kredslob[report]"'
            )


def write_tables(folder: Path, run: SavedRun, formats: Sequence[str], language: str) -> list[str]:
    """Write a run in some formats.

    Parameters
    ----------
    folder : Path
        An existing folder.
    run : SavedRun
        A run, sweep or study.
    formats : sequence of str
        * ``xlsx``: one workbook, ``run.xlsx``; see `kredslob.show.workbook.write_workbook`;
        * ``csv``, ``parquet``: tidy tables, one for each set of dimensions: a row for each point,
          a column for each dimension and variable, under the names of the model file. Parquet
          carries units and descriptions in its schema; for CSV they stand in ``columns.csv``;
        * ``netcdf``: the run and its tables.
    language : str
        Language of the workbook: "da" or "en". The other formats are for programs and are the same
        in both.

    Returns
    -------
    list of str
        Names of the files.

    Raises
    ------
    ParameterError
        A format is unknown, or its library is not installed.
    """
    if unknown := [name for name in formats if name not in FORMATS]:
        known = ", ".join(FORMATS)
        raise ParameterError(f"format: found '{unknown[0]}', expected one of {known}")
    check_installed(formats)
    names: list[str] = []
    if "xlsx" in formats:
        write_workbook(folder / "run.xlsx", run, language)
        names.append("run.xlsx")
    if "netcdf" in formats:
        (folder / "netcdf").mkdir()
        write_numbers(folder / "netcdf", run.runs, run.tables)
        names += [f"netcdf/{n}" for n in (RUNS, *(f"{TABLES}/{name}.nc" for name in run.tables))]
    for form in (f for f in _CODED if f in formats):
        names += _tidy(folder, run, form)
    return names


def tidy_tables(run: SavedRun) -> Iterator[tuple[str, pd.DataFrame, xr.Dataset]]:
    """Tables of a run with a row for each point: name, table, and the variables with their units.

    Constants that do not change over time stand once, in tables without ``time``.
    """
    for title, dataset in {"run": run.runs, **run.tables}.items():
        groups: dict[tuple[str, ...], list[str]] = {}
        still = {str(n) for n, v in dataset.data_vars.items() if v.attrs.get("kind") in _STILL}
        for name, variable in dataset.data_vars.items():
            own = [str(d) for d in variable.dims if not (d == "time" and name in still)]
            groups.setdefault(tuple(own), []).append(str(name))
        for point, names in groups.items():
            dims = list(point)
            part = dataset[names]
            if "time" in part.dims and "time" not in dims:
                part = part.isel(time=0, drop=True)
            label = "-".join((title, *dims)) if dims else f"{title}-single"
            yield _file_name(label), _frame(part, dims), part


_STILL = ("constant", "control")


def _frame(part: xr.Dataset, dims: Sequence[str]) -> pd.DataFrame:
    if not dims:
        return pd.DataFrame({n: [v.values[()]] for n, v in part.data_vars.items()})
    kept = part.drop_vars([c for c in part.coords if c not in dims])
    return kept.to_dataframe(dim_order=list(dims)).reset_index()


def _tidy(folder: Path, run: SavedRun, form: str) -> list[str]:
    place = folder / form
    place.mkdir()
    names, described = [], []
    for name, frame, variables in tidy_tables(run):
        path = place / f"{name}.{form}"
        if form == "csv":
            write_csv(frame, path, index=False)
        else:
            _write_parquet(frame, path, variables, run)
        names.append(f"{form}/{path.name}")
        described += [
            {"file": path.name, "column": str(c), **_described(variables, str(c))} for c in frame
        ]
    if form == "csv":
        write_csv(pd.DataFrame(described), place / "columns.csv", index=False)
        names.append("csv/columns.csv")
    return names


def _described(variables: xr.Dataset, column: str) -> dict[str, str]:
    attrs = variables.variables[column].attrs if column in variables.variables else {}
    return {
        "units": str(attrs.get("units", "")),
        "description": str(attrs.get("description") or attrs.get("long_name", "")),
    }


def _write_parquet(frame: pd.DataFrame, path: Path, variables: xr.Dataset, run: SavedRun) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = {c: "str" for c in frame if frame[c].dtype == np.dtype(object)}
    table = pa.Table.from_pandas(frame.astype(texts), preserve_index=False)
    fields = [f.with_metadata(_described(variables, f.name)) for f in table.schema]
    manifest = run.manifest
    made_by = {
        "command": str(manifest["command"]),
        "model": str(manifest["model"]),
        "model sha256": str(manifest["model sha256"]),
        "parameters": json.dumps(manifest["parameters"], ensure_ascii=False),
        "created": str(manifest["created"]),
    }
    schema = pa.schema(fields, metadata={**(table.schema.metadata or {}), **_bytes(made_by)})
    pq.write_table(table.cast(schema), path)


def _bytes(texts: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): text.encode() for name, text in texts.items()}


def _file_name(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in text)
