"""A search on disk: one file with its policies and everything that made it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from kredslob.arguments import check_result, path_of
from kredslob.errors import InputFileError
from kredslob.netcdf import read_netcdf, write_netcdf
from kredslob.studies.robustness import POLICY
from kredslob.studies.search import names_of

_LISTS = ("seeds",)


def save_search(results: xr.Dataset, path: Path | str) -> Path:
    """Write a search to a netCDF file, whole or not at all.

    Parameters
    ----------
    results : Dataset
        From `kredslob.studies.search.search` or `kredslob.studies.search.within`.
    path : Path or str
        The file; one that is there is replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputFileError
        The file cannot be written.
    ParameterError
        This is no search, or no name of a file.

    Examples
    --------
    >>> found = kredslob.search(
    ...     kredslob.load(),
    ...     {"reinvestment rate": (0, 1)},
    ...     [
    ...         kredslob.Objective("total cash"),
    ...         kredslob.Objective("total spending", larger_is_better=False),
    ...     ],
    ...     kredslob.at_end("total cash", "total spending"),
    ...     population=4,
    ...     generations=2,
    ...     seeds=[1],
    ...     years=5,
    ... )
    >>> kredslob.save_search(found, "search.nc").name
    'search.nc'
    >>> kredslob.load_search("search.nc").sizes["policy"] == found.sizes["policy"]
    True
    """
    check_result("results", results, [POLICY, "hypervolume"], "search")
    file = path_of("path", path)
    write_netcdf(results, file)
    return file


def load_search(path: Path | str) -> xr.Dataset:
    """Read a search back.

    Parameters
    ----------
    path : Path or str
        From `save_search`.

    Returns
    -------
    Dataset
        As `kredslob.studies.search.search` gave it. Its attributes hold the model and its hash,
        scenario and parameters, versions, algorithm, population, generations and seeds, and as
        JSON the ranges of the levers, the objectives and how the draws were made.

    Raises
    ------
    InputFileError
        The file cannot be read, or holds something else.

    Examples
    --------
    >>> place = kredslob.load_scenario()
    >>> study = kredslob.policy_study(
    ...     kredslob.load(), place, draws=16, population=4, generations=1, years=5
    ... )
    >>> file = kredslob.save_search(study.front, "front.nc")
    >>> kredslob.load_search(file).attrs["scenario"] == place.name
    True
    """
    path = path_of("path", path)
    found = read_netcdf(path)
    if "algorithm" not in found.attrs or len(names_of(found, "objective")) < 2:
        raise InputFileError(path, "holds no search, expected a file from save_search")
    lists = {name: np.atleast_1d(found.attrs[name]).tolist() for name in _LISTS}
    return found.assign_attrs(lists)
