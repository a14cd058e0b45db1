"""Labelled results as a file: written whole or not at all, and read back as they were."""

from __future__ import annotations

import importlib.util
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.errors import InputFileError, ParameterError
from kredslob.limits import limits_in_force

_NUMBER = 8  # bytes
_DEFLATED = 1_100  # zlib packs at most 1,032 bytes into one
_LEAST = 1_000_000  # bytes of a dimension that has no numbers of its own


def write_netcdf(results: xr.Dataset, path: Path) -> None:
    """Write a Dataset to a file, packed; a file that is there is replaced.

    Parameters
    ----------
    results : Dataset
        Numbers, truth values and texts, under names without a "/".
    path : Path
        The file; its folder must exist.

    Raises
    ------
    InputFileError
        The file cannot be written.
    ParameterError
        A name has a "/", which means a folder in such a file.
    """
    packed = as_netcdf(results)
    hidden = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        hidden.write_bytes(packed)
        os.replace(hidden, path)
    except OSError as problem:
        raise InputFileError(path, f"cannot be written ({problem.strerror})") from problem
    finally:
        hidden.unlink(missing_ok=True)


def as_netcdf(results: xr.Dataset) -> bytes:
    """Pack a Dataset as the content of a netCDF file.

    It goes through memory: HDF5 on a full disk says little and may leave the file open.

    Parameters
    ----------
    results : Dataset
        As for `write_netcdf`.

    Returns
    -------
    bytes

    Raises
    ------
    ParameterError
        A name has a "/", which means a folder in such a file.
    """
    for name in results.variables:
        if "/" in str(name):
            raise ParameterError(f"'{name}': a name with a '/' cannot be kept in a file")
    packed = {
        name: {"zlib": True, "complevel": 4, "shuffle": True}
        for name, variable in results.variables.items()
        if name in results.data_vars and variable.ndim and variable.dtype.kind == "f"
    }
    # coordinates first: one that comes later is tied anew to each variable on its dimension
    ordered = results[[*results.coords, *results.data_vars]]
    with _without_a_cluster():
        return bytes(ordered.to_netcdf(None, engine="h5netcdf", encoding=packed))


def _without_a_cluster() -> AbstractContextManager[Any]:
    """Keep xarray from asking a cluster for a lock, which a worker that dies takes with it."""
    if importlib.util.find_spec("dask") is None:
        return nullcontext()
    import dask

    return dask.config.set(scheduler="synchronous")


def read_netcdf(path: Path) -> xr.Dataset:
    """Read what `write_netcdf` wrote, into memory.

    Raises
    ------
    InputFileError
        The file cannot be read.
    """
    if not path.exists():
        raise InputFileError(path, "does not exist")
    try:
        _check(path)
        found = xr.load_dataset(path, engine="h5netcdf")
    except PermissionError as problem:
        raise InputFileError(path, "cannot be read (Permission denied)") from problem
    except (OSError, ValueError, KeyError, RuntimeError) as problem:
        said = "holds no results that can be read; it is damaged or no netCDF file"
        raise InputFileError(path, said) from problem
    texts = {n: v for n, v in found.variables.items() if v.dtype.kind in "OT"}
    plain = {n: (v.dims, np.array(v.values.tolist(), str), v.attrs) for n, v in texts.items()}
    return found.assign({n: v for n, v in plain.items() if n in found.data_vars}).assign_coords(
        {n: v for n, v in plain.items() if n in found.coords}
    )


def _check(path: Path) -> None:
    """Refuse a file that names other files, or claims more numbers than it can hold.

    Raises
    ------
    InputFileError
        With what is wrong. HDF5 would read any file that one names, and fill what is not there.
    """
    import h5py  # type: ignore[import-untyped]

    if not path.is_file():
        raise InputFileError(path, "is not a file")
    most = limits_in_force().saved_values * _NUMBER
    with h5py.File(path, "r") as file:
        for name in file:
            if not isinstance(file.get(name, getlink=True), h5py.HardLink):
                raise InputFileError(path, f"{name!r} stands for something in another place")
            item = file[name]
            if not isinstance(item, h5py.Dataset):
                continue
            if item.external or item.is_virtual:
                raise InputFileError(path, f"{name!r} names another file for its numbers")
            most -= item.nbytes
            if item.nbytes > _LEAST + _DEFLATED * item.id.get_storage_size() or most < 0:
                claimed = f"{name!r} has {item.size:,} numbers, more than the file can hold"
                raise InputFileError(path, claimed)
