"""A run on disk: one folder that says what made it, there whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from kredslob.arguments import check_kind, path_of
from kredslob.crate import CRATE, crate
from kredslob.errors import InputFileError, ParameterError
from kredslob.folders import check_free, new_run_folder
from kredslob.limits import limits_in_force
from kredslob.netcdf import as_netcdf, read_netcdf

__all__ = [
    "FORMAT",
    "MANIFEST",
    "MODEL",
    "RUNS",
    "TABLES",
    "SavedRun",
    "check_free",
    "file_faults",
    "load_run",
    "new_run_folder",
    "read_manifest",
    "save_run",
    "write_manifest",
    "write_numbers",
    "write_run",
]

FORMAT = 1  # of the folder; a reader refuses what it does not know
MANIFEST = "manifest.json"
RUNS = "run.nc"
TABLES = "tables"
MODEL = "model"
BY_PYTHON = "kredslob.save_run"  # in the place of a command, where none made the run
_KINDS: Mapping[str, type] = {
    **dict.fromkeys(("files", "parameters", "versions", "levers"), dict),
    **dict.fromkeys(("command", "model", "model sha256", "created"), str),
    **dict.fromkeys(("kind", "setting", "scenario"), str),
}
_IN_WORDS: Mapping[type, str] = {dict: "names with values", str: "a text"}
_STATED = ("command", "model", "model sha256", "parameters", "versions", "created", "files")


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
    (folder / RUNS).write_bytes(as_netcdf(runs))
    (folder / TABLES).mkdir(exist_ok=True)
    for name, table in tables.items():
        (folder / TABLES / f"{name}.nc").write_bytes(as_netcdf(table))


def write_manifest(folder: Path, runs: xr.Dataset, made_by: Mapping[str, Any]) -> None:
    """Write what made a run, with the hash of each file of its folder, and the same as an RO-Crate.

    Parameters
    ----------
    folder : Path
        The folder from `new_run_folder`, with everything in it.
    runs : Dataset
        The run or sweep.
    made_by : mapping
        Command, setting, scenario and what else made the run: the seed if there is one, ``kind``
        (what `kredslob.studies.reproduction` makes again) and ``levers`` (what a sweep varied).
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    manifest = {
        "format": FORMAT,
        "command": "",
        "seed": None,  # where nothing is random
        **made_by,
        "model": runs.attrs["model"],
        "model sha256": runs.attrs["model_hash"],
        "parameters": json.loads(runs.attrs["parameters"]),
        "clock": json.loads(runs.attrs["clock"]),
        "integration": runs.attrs["integration"],
        "engine": runs.attrs["engine"],
        "versions": json.loads(runs.attrs["versions"]),
        "years": float(runs["time"][-1] - runs["time"][0]),
        "created": runs.attrs["created"],
        "files": {p.relative_to(folder).as_posix(): _sha256(p) for p in files},
    }
    _write_json(folder / MANIFEST, manifest)
    hashes = manifest["files"] | {MANIFEST: _sha256(folder / MANIFEST)}
    sizes = {name: (folder / name).stat().st_size for name in hashes}
    _write_json(folder / CRATE, crate(manifest, hashes, sizes))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what made a run.

    Parameters
    ----------
    folder : Path
        The run's folder.

    Returns
    -------
    dict
        The manifest; it states at least command, model, parameters, versions, time and files.

    Raises
    ------
    InputFileError
        It is missing, cannot be read, or was written by a later version.
    """
    path = folder / MANIFEST
    try:
        check_inside(path, folder)
        limits = limits_in_force()
        if (size := path.stat().st_size) > limits.file_bytes:
            raise InputFileError(path, limits.exceeded("file_bytes", f"has {size:,} bytes"))
        manifest = _printable(json.loads(path.read_text(encoding="utf-8")))
    except OSError as problem:
        raise InputFileError(path, f"cannot be read ({problem.strerror})") from problem
    except (ValueError, RecursionError) as problem:
        raise InputFileError(path, "is not JSON; it is damaged or no manifest") from problem
    if not isinstance(manifest, dict) or not all(name in manifest for name in _STATED):
        lacking = [n for n in _STATED if not isinstance(manifest, dict) or n not in manifest]
        raise InputFileError(path, f"does not state '{lacking[0]}'", key=lacking[0])
    for name, kind in _KINDS.items():
        if not isinstance(manifest.get(name, kind()), kind):
            found = f"found {type(manifest[name]).__name__}, expected {_IN_WORDS[kind]}"
            raise InputFileError(path, found, key=name)
    for name, values in (manifest.get("levers") or {}).items():
        if not isinstance(values, list) or not all(isinstance(v, int | float) for v in values):
            found = f"found {values!r:.60}, expected a list of numbers"
            raise InputFileError(path, found, key=f"levers.{name}")
    if manifest.get("format", FORMAT) != FORMAT:
        found = manifest["format"]
        raise InputFileError(path, f"found {found}, expected {FORMAT}", key="format")
    return manifest


def file_faults(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Files of a run that are not as they were written: name, and "missing" or "changed".

    Parameters
    ----------
    folder : Path
        The run's folder.
    manifest : mapping
        From `read_manifest`.
    """
    hashes = dict(manifest["files"])
    if stated := _manifest_hash(folder / CRATE):
        hashes[MANIFEST] = stated
    for name, expected in hashes.items():
        path = folder / name
        if not _is_there(path, folder):
            yield name, "missing"
        elif _sha256(path) != expected:
            yield name, "changed"


def save_run(
    runs: xr.Dataset, folder: Path | str, *, tables: Mapping[str, xr.Dataset] | None = None
) -> Path:
    """Keep a run or sweep in a folder, with what made it: there whole or not at all.

    Parameters
    ----------
    runs : Dataset
        From `Model.run`, `Model.run_many` or `kredslob.sweep`.
    folder : Path or str
        A new or empty folder.
    tables : mapping of str to Dataset, optional
        Results computed from it to keep beside it, such as ``{"summary": kredslob.summary(runs)}``.

    Returns
    -------
    Path
        The folder, which `load_run` reads and ``kredslob runs`` lists.

    Raises
    ------
    ParameterError
        This is no run, or no name of a folder.
    InputFileError
        The folder is in use or cannot be written.

    Examples
    --------
    >>> run = kredslob.load().run(years=2)
    >>> folder = kredslob.save_run(run, "mine")
    >>> kredslob.load_run(folder).manifest["years"]
    2.0
    """
    check_kind("runs", runs, xr.Dataset, "the Dataset that Model.run gives")
    if "model_hash" not in runs.attrs or "time" not in runs.dims:
        raise ParameterError(
            "runs: found a Dataset without the times or attributes of a run, expected the Dataset "
            "that Model.run gives"
        )
    path = path_of("folder", folder, "the name of a new folder")
    levers = {
        str(dim): runs[dim].values.tolist()
        for dim in runs.dims
        if dim in runs.coords and dim not in ("time", "run") and runs[dim].dtype.kind in "iuf"
    }
    made_by = {"kind": "run", "levers": levers, "command": BY_PYTHON}
    stated = {name: runs.attrs.get(name, "") for name in ("setting", "scenario")}
    with new_run_folder(path) as hidden:
        write_run(hidden, runs, tables or {}, {**made_by, **stated})
    return path


def check_inside(path: Path, folder: Path) -> None:
    """Refuse what a folder from somebody else may hold in the place of a file.

    Parameters
    ----------
    path : Path
        A file of a run.
    folder : Path
        The run's folder.

    Raises
    ------
    InputFileError
        It is a link that leads out of the folder, a pipe or a device.
    """
    if path.exists() and not path.resolve().is_relative_to(folder.resolve()):
        raise InputFileError(path, "is a link that leads out of the run's folder")
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputFileError(path, "is not a file")


def _is_there(path: Path, folder: Path) -> bool:
    """Whether a name of the manifest is a file of the folder."""
    try:
        return path.resolve().is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, RuntimeError, ValueError):  # too long, links in a ring, a null byte
        return False


def _printable(content: Any) -> Any:
    """Content of a JSON file without the characters that would steer a terminal."""
    if isinstance(content, str):
        return "".join(c if c.isprintable() else " " for c in content)
    if isinstance(content, dict):
        return {_printable(k): _printable(v) for k, v in content.items()}
    if isinstance(content, list):
        return [_printable(v) for v in content]
    return content


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
    ParameterError
        It is no name of a folder.

    Examples
    --------
    >>> run = kredslob.load().run(years=2, save=["total cash"])
    >>> folder = kredslob.save_run(run, "mine")
    >>> saved = kredslob.load_run(folder)
    >>> saved.manifest["model"]
    'reinvestment.mdl'
    >>> saved.runs.sizes["time"] == run.sizes["time"]
    True
    """
    folder = path_of("folder", folder, "the name of a run's folder")
    if not folder.exists():
        raise InputFileError(folder, "does not exist, expected the folder of a saved run")
    try:
        manifest = read_manifest(folder)
        runs = _read_numbers(folder / RUNS, folder)
        if "time" not in runs or runs["time"].dtype.kind not in "iuf" or not runs["time"].size:
            raise InputFileError(folder / RUNS, "has no times, expected those of a run")
        paths = sorted((folder / TABLES).glob("*.nc"))
        tables = {path.stem: _read_numbers(path, folder) for path in paths}
    except InputFileError as problem:
        raise InputFileError(folder, f"holds no run that can be read ({problem})") from problem
    return SavedRun(folder, runs, tables, manifest)


def _read_numbers(path: Path, folder: Path) -> xr.Dataset:
    check_inside(path, folder)
    return read_netcdf(path)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _manifest_hash(path: Path) -> str | None:
    """Hash of the manifest as the crate states it; none if the crate cannot be read."""
    try:
        entities = json.loads(path.read_text(encoding="utf-8"))["@graph"]
        return next(e["sha256"] for e in entities if e.get("@id") == MANIFEST)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
