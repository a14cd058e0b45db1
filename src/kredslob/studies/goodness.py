"""How well a simulated series follows an observed one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from kredslob.errors import ParameterError

SHARES = ("bias", "variation", "covariation")


def theil(observed: ArrayLike, simulated: ArrayLike) -> pd.Series:
    """Theil's inequality statistics: where the mean squared error comes from.

    Parameters
    ----------
    observed, simulated : array, shape (n,)
        In the same unit, at the same times.

    Returns
    -------
    Series
        "mse" (the unit squared); "bias", "variation" and "covariation", shares of it that add up
        to one: another mean, another spread, and point by point; "note", empty or why the shares
        are not defined (then NaN): no error, or a series that does not move.

    Raises
    ------
    ParameterError
        The series differ in length, are empty or hold something that is no finite number.

    Notes
    -----
    MSE = (mean S - mean A)^2 + (s_S - s_A)^2 + 2 (1 - r) s_S s_A, with population standard
    deviations (Theil 1966; Sterman 1984). A large bias is a systematic error; a large covariation
    with little else is noise around the right path.
    """
    a, s = _pair(observed, simulated)
    mse = float(np.mean((s - a) ** 2))
    spread_a, spread_s = float(a.std()), float(s.std())
    if mse == 0 or spread_a == 0 or spread_s == 0:
        why = "the series are the same" if mse == 0 else "a series does not move"
        shares = dict.fromkeys(SHARES, float("nan"))
        return pd.Series({"mse": mse, **shares, "note": f"not defined: {why}"}, dtype=object)
    covariance = float(np.mean((a - a.mean()) * (s - s.mean())))
    parts = (
        float(s.mean() - a.mean()) ** 2,
        (spread_s - spread_a) ** 2,
        2 * (spread_s * spread_a - covariance),
    )
    shares = {name: part / mse for name, part in zip(SHARES, parts, strict=True)}
    return pd.Series({"mse": mse, **shares, "note": ""}, dtype=object)


def goodness(observed: ArrayLike, simulated: ArrayLike) -> pd.Series:
    """Measures of fit of one series.

    Parameters
    ----------
    observed, simulated : array, shape (n,)
        As for `theil`.

    Returns
    -------
    Series
        "count"; "rmse" (the series' unit); "mape" (mean absolute error over the observed value;
        NaN where one is zero); "r2" (one less the error's part of the observed variance; NaN where
        that is zero); and what `theil` gives.

    Raises
    ------
    ParameterError
        As for `theil`.
    """
    a, s = _pair(observed, simulated)
    variance = float(a.var())
    shares = theil(a, s)
    mape = float(np.mean(np.abs((s - a) / a))) if a.all() else float("nan")
    r2 = 1 - shares["mse"] / variance if variance > 0 else float("nan")
    measures = {"count": len(a), "rmse": float(np.sqrt(shares["mse"])), "mape": mape, "r2": r2}
    return pd.concat([pd.Series(measures, dtype=object), shares])


def _pair(observed: ArrayLike, simulated: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    a, s = np.asarray(observed, dtype=float), np.asarray(simulated, dtype=float)
    if a.shape != s.shape or a.ndim != 1 or not a.size:
        raise ParameterError(
            f"observed and simulated: found shapes {a.shape} and {s.shape}, expected two equal rows"
        )
    if not (np.isfinite(a).all() and np.isfinite(s).all()):
        raise ParameterError("observed and simulated: expected finite numbers")
    return a, s
