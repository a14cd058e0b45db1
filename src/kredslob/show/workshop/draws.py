"""Draws of the uncertain parameters, small enough to travel with the page."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from kredslob.cycle.scenario import Scenario
from kredslob.studies.factors import Factor
from kredslob.studies.questions import cycle_draws, cycle_factors

DRAWS = 200
_FINEST = 65535  # steps between the low and the high end of a range: 16 bits


def packed_draws(place: Scenario, *, draws: int = DRAWS, seed: int = 0) -> dict[str, Any]:
    """Draw as a study of uncertainty does, in a Latin hypercube, and pack what was drawn.

    Parameters
    ----------
    place : Scenario
        A setting. What it states otherwise than the parameter table is held.
    draws : int
        Number of draws.
    seed : int
        From 0.

    Returns
    -------
    dict
        Ready for JSON: "count" (draws), "seed", "factors" (a list of label, low and high of each
        parameter, in the units of the table) and "steps": base64 of unsigned 16-bit integers
        (little-endian), draw by draw in the order of the factors; 0 stands for low, 65535 for high.
    """
    factors = cycle_factors(place)
    drawn = cycle_draws(place, draws, method="latin", seed=seed)
    steps = np.column_stack([_steps(factor, drawn[factor.name].values) for factor in factors])
    return {
        "count": draws,
        "seed": seed,
        "factors": [[factor.name, factor.low, factor.high] for factor in factors],
        "steps": base64.b64encode(steps.astype("<u2").tobytes()).decode("ascii"),
    }


def _steps(factor: Factor, values: np.ndarray) -> np.ndarray:
    return np.rint((values - factor.low) / (factor.high - factor.low) * _FINEST)
