"""The engine against PySD, the independent reference, on one and the same model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from kredslob.simulation import HasParameters, Model, check_is_model

TOLERANCE = 1e-9
_ROUNDING = 1e-6


def verify(
    model: Model,
    scenario: Mapping[str, Any] | HasParameters | None = None,
    *,
    years: float | None = None,
    time_step: float | None = None,
) -> pd.DataFrame:
    """Run a model on the compiled engine and on PySD, and compare every variable.

    Parameters
    ----------
    model : Model
        The model.
    scenario : mapping or object with ``parameters``, optional
        What to change in both runs.
    years, time_step : float, optional
        As for `Model.run`. PySD is slow; a few years of a large model are enough.

    Returns
    -------
    DataFrame
        One row a variable, the largest difference first: ``variable``, ``kind``, ``difference``
        (largest absolute difference over time and elements, as a share of the largest absolute
        value of the variable, or of a millionth of the largest value of the same unit if that is
        more, so that a balance that is zero but for rounding is not compared with itself; infinite
        where only one of the two has a number), and ``time`` and ``engine`` and ``pysd`` where the
        difference is largest.

    Raises
    ------
    InputFileError
        PySD cannot translate the model.
    ParameterError
        As for `Model.run`.

    Examples
    --------
    >>> found = kredslob.verify(kredslob.load("predator_prey.mdl"), years=5)
    >>> bool(found["difference"].max() < 1e-9)
    True
    """
    check_is_model(model)
    ours = model.run(
        scenario, years=years, time_step=time_step, integration="euler", engine="numba"
    )
    theirs = model.run(
        scenario, years=years, time_step=time_step, integration="euler", engine="pysd"
    )
    largest = {name: _size(theirs[name].values) for name in ours.data_vars}
    of_unit: dict[str, float] = {}
    for name, size in largest.items():
        unit = ours[name].attrs["units"]
        of_unit[unit] = max(size, of_unit.get(unit, 0.0))
    rows = [
        {
            "variable": name,
            "kind": ours[name].attrs["kind"],
            **_largest(
                ours[name].values,
                theirs[name].values,
                ours["time"].values,
                max(largest[name], _ROUNDING * of_unit[ours[name].attrs["units"]]),
            ),
        }
        for name in ours.data_vars
    ]
    table = pd.DataFrame(rows, columns=["variable", "kind", "difference", "time", "engine", "pysd"])
    return table.sort_values("difference", ascending=False, kind="stable", ignore_index=True)


def _size(values: np.ndarray) -> float:
    return float(np.max(np.abs(values[np.isfinite(values)]), initial=0.0))


def _largest(
    ours: np.ndarray, theirs: np.ndarray, times: np.ndarray, scale: float
) -> dict[str, float]:
    """The largest difference of a variable as a share of the scale, and where it is."""
    missing = np.isnan(ours) != np.isnan(theirs)
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore"):
        gap = np.where(same, 0.0, np.abs(ours - theirs) / (scale or 1.0))
    gap = np.where(missing, np.inf, gap)
    at = np.unravel_index(int(np.argmax(gap)), gap.shape)
    return {
        "difference": float(gap[at]),
        "time": float(times[at[0]]),
        "engine": float(ours[at]),
        "pysd": float(theirs[at]),
    }
