"""Which inputs are the strongest, by the index that each method ranks them by."""

from __future__ import annotations

import numpy as np
import xarray as xr

from kredslob.arguments import check_result, check_whole, hint
from kredslob.errors import ParameterError
from kredslob.studies.factors import Factor
from kredslob.studies.sensitivity.sampled import DUMMY

STRENGTH = {"morris": "mu star", "sobol": "total", "pawn": "median", "one at a time": "swing"}
"""The index by which each method ranks inputs."""


def strongest(results: xr.Dataset, k: int, outcome: str | None = None) -> list[Factor]:
    """The k inputs that matter most.

    Parameters
    ----------
    results : Dataset
        From `morris`, `sobol`, `pawn` or `one_at_a_time`.
    k : int
        How many, from 1; all of them if there are fewer.
    outcome : str, optional
        By this outcome alone. Default: by each input's largest share of the strongest index, over
        all outcomes and times.

    Returns
    -------
    list of Factor
        The strongest first, ready for another study; what is not among them keeps its value.

    Raises
    ------
    ParameterError
        The outcome is unknown, k is below 1, or no index is a number.

    Examples
    --------
    >>> factors = kredslob.factors_of({"overhead share": (0.05, 0.2), "reinvestment rate": (0, 1)})
    >>> found = kredslob.morris(
    ...     kredslob.load(), factors, kredslob.at_end("total cash"), trajectories=4, years=5
    ... )
    >>> [factor.name for factor in kredslob.strongest(found, 1)]
    ['reinvestment rate']
    """
    check_whole("k", k, 1)
    check_result("results", results, ["factor", "outcome"], "morris, sobol, pawn or one_at_a_time")
    index = strength(results) if outcome is None else of_outcome(results, outcome)
    index = index.where(index["factor"] != DUMMY, drop=True)
    top = index.max("factor")
    share = (index / top.where(top > 0)).max([d for d in index.dims if d != "factor"])
    if not share.notnull().any():
        raise ParameterError("no input moves these outcomes, so that none is strongest")
    order = np.argsort(-share.fillna(-np.inf).values, kind="stable")[:k]
    return [_factor(share.isel(factor=int(place))) for place in order]


def strength(found: xr.Dataset) -> xr.DataArray:
    """The index by which the method ranks inputs: see `STRENGTH`."""
    return found[STRENGTH[found.attrs["method"]]]


def of_outcome(found: xr.Dataset, outcome: str) -> xr.DataArray:
    """The ranking index of one outcome. Raises ParameterError if it is not among them."""
    names = found["outcome"].values.tolist()
    if outcome not in names:
        raise ParameterError(
            f"found no outcome '{outcome}', expected one of {', '.join(names)}"
            f"{hint(outcome, names)}"
        )
    return strength(found).sel(outcome=outcome)


def _factor(cell: xr.DataArray) -> Factor:
    """The factor that a cell of results is about."""
    mode = float(cell["mode"])
    return Factor(
        str(cell["factor"].item()),
        float(cell["low"]),
        float(cell["high"]),
        str(cell["distribution"].item()),
        None if np.isnan(mode) else mode,
        str(cell["label"].item()),
        float(cell["chance"]),
    )
