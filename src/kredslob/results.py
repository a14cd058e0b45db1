"""A run on disk: one folder that says what made it, there whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from kredslob.errors import InputFileError
from kredslob.netcdf import read_netcdf, write_netcdf

MANIFEST = "manifest.json"
RUNS = "run.nc"
TABLES = "tables"


@dataclass(frozen=True)
class SavedRun:
    """A run that has been read back.

    Parameters
    ----------
    folder : Path
        Where it lies.
    runs : Dataset
        All variables of the model.
    tables : mapping of str to Dataset
        What was computed from them, such as the summary and the accounts.
    manifest : mapping
        What made the run.
    """

    folder: Path
    runs: xr.Dataset
    tables: Mapping[str, xr.Dataset]
    manifest: Mapping[str, Any]


@contextmanager
def new_run_folder(folder: Path) -> Iterator[Path]:
    """Fill a folder out of sight and put it in place when it is whole.

    Parameters
    ----------
    folder : Path
        Where the run is to lie; it must not exist, or be empty.

    Yields
    ------
    Path
        A temporary folder beside it. If the block fails, nothing is left of it.

    Raises
    ------
    InputFileError
        The folder is in use or cannot be made.
    """
    check_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as problem:
        raise InputFileError(folder, f"cannot be made ({problem.strerror})") from problem
    try:
        yield hidden
        hidden.chmod(0o755)  # mkdtemp makes it private
        if folder.exists():
            folder.rmdir()
        os.replace(hidden, folder)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def check_free(folder: Path) -> None:
    """Raise InputFileError unless a run can be put in this folder."""
    if folder.is_dir() and any(folder.iterdir()):
        raise InputFileError(folder, "is in use; give an empty or new folder")
    if folder.exists() and not folder.is_dir():
        raise InputFileError(folder, "is a file; give an empty or new folder")


def write_run(
    folder: Path, runs: xr.Dataset, tables: Mapping[str, xr.Dataset], made_by: Mapping[str, Any]
) -> None:
    """Write the numbers of a run and its manifest. Call it last: the manifest lists the folder.

    Parameters
    ----------
    folder : Path
        The folder from `new_run_folder`.
    runs, tables
        As for `write_numbers`.
    made_by
        As for `write_manifest`.
    """
    write_numbers(folder, runs, tables)
    write_manifest(folder, runs, made_by)


def write_numbers(folder: Path, runs: xr.Dataset, tables: Mapping[str, xr.Dataset]) -> None:
    """Write the numbers of a run.

    Parameters
    ----------
    folder : Path
        The folder from `new_run_folder`.
    runs : Dataset
        A run or sweep.
    tables : mapping of str to Dataset
        Results computed from it; each becomes a netCDF file of its own.
    """
    write_netcdf(runs, folder / RUNS)
    (folder / TABLES).mkdir(exist_ok=True)
    for name, table in tables.items():
        write_netcdf(table, folder / TABLES / f"{name}.nc")


def write_manifest(folder: Path, runs: xr.Dataset, made_by: Mapping[str, Any]) -> None:
    """Write what made a run, and the hash of each file of its folder.

    Parameters
    ----------
    folder : Path
        The folder from `new_run_folder`, with everything in it.
    runs : Dataset
        The run or sweep.
    made_by : mapping
        Command, setting, scenario and what else made the run, the seed included if there is one.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    manifest = {
        "seed": None,  # where nothing is random
        **made_by,
        "model": runs.attrs["model"],
        "model sha256": runs.attrs["model_hash"],
        "parameters": json.loads(runs.attrs["parameters"]),
        "clock": json.loads(runs.attrs["clock"]),
        "integration": runs.attrs["integration"],
        "engine": runs.attrs["engine"],
        "versions": json.loads(runs.attrs["versions"]),
        "created": runs.attrs["created"],
        "files": {str(p.relative_to(folder)): _sha256(p) for p in files},
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def load_run(folder: Path | str) -> SavedRun:
    """Read a saved run back.

    Parameters
    ----------
    folder : Path or str
        The run's folder.

    Returns
    -------
    SavedRun

    Raises
    ------
    InputFileError
        The folder has no manifest or no numbers, or they cannot be read.
    """
    folder = Path(folder)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise InputFileError(folder, f"holds no run that can be read ({problem})") from problem
    runs = read_netcdf(folder / RUNS)
    tables = {path.stem: read_netcdf(path) for path in sorted((folder / TABLES).glob("*.nc"))}
    return SavedRun(folder, runs, tables, manifest)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
