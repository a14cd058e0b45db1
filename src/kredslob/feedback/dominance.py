"""Which loops are in charge, and when that shifts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.arguments import shown
from kredslob.errors import ParameterError

HALF = 0.5


def dominance(shares: xr.DataArray) -> pd.DataFrame:
    """List the periods in which the same loops dominate.

    The dominant loops of a moment are the fewest that together make up half of what all loops of
    their partition do (Schoenberg, Davidsen and Eberlein 2020, doi:10.1002/sdr.1658).

    Parameters
    ----------
    shares : DataArray
        Over ``time`` and one other dimension, such as "relative score" of one partition: the
        absolute values add up to one or less at each time.

    Returns
    -------
    DataFrame
        A row a period: ``from`` and ``to`` (times), ``dominant`` (tuple of names, the strongest
        on average first; empty where nothing moves or they make up less than half), and ``share``
        (their mean absolute share).

    Raises
    ------
    ParameterError
        The shares are not over time and one other dimension.

    Examples
    --------
    >>> scores = kredslob.Feedback(kredslob.load("predator_prey.mdl")).scores(years=5)
    >>> kredslob.dominance(scores["relative score"]).round(2)
       from   to dominant  share
    0   0.5  1.5    (R1,)   0.74
    1   2.0  4.0    (B1,)   0.64
    2   4.5  5.0    (R2,)   0.67
    """
    is_array = isinstance(shares, xr.DataArray)
    if not is_array or "time" not in shares.dims or len(shares.dims) != 2:
        over = f" over {', '.join(map(str, shares.dims))}" if is_array else ""
        raise ParameterError(
            f"shares: found {shown(shares)}{over}, expected a DataArray over loop and time, such "
            "as scores['relative score'] where scores = kredslob.Feedback(model).scores()"
        )
    (other,) = [str(d) for d in shares.dims if d != "time"]
    size = np.abs(shares.transpose(other, "time").values)
    names, times = shares[other].values, shares["time"].values
    sets = [_fewest(size[:, k]) for k in range(len(times))]
    starts = [k for k in range(len(sets)) if k == 0 or sets[k] != sets[k - 1]]
    rows = []
    for begin, end in zip(starts, [*starts[1:], len(sets)], strict=True):
        means = size[:, begin:end].mean(axis=1)
        members = sorted(sets[begin], key=lambda n: -means[n])
        named = tuple(str(names[n]) for n in members)
        rows.append((times[begin], times[end - 1], named, means[members].sum()))
    return pd.DataFrame(rows, columns=["from", "to", "dominant", "share"])


def _fewest(size: np.ndarray) -> frozenset[int]:
    order = np.argsort(-size, kind="stable")
    reached = np.cumsum(size[order])
    if not len(reached) or reached[-1] < HALF:
        return frozenset()
    return frozenset(order[: int(np.searchsorted(reached, HALF)) + 1].tolist())
