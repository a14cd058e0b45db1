"""Constants that make the reinvestment model linear, so that algebra by hand says what it does."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq

from kredslob.cycle.threshold import loop_gain
from kredslob.simulation import Model

NO_HYPOTHESES = {
    "switch prevention": 0,
    "switch remaining are harder": 0,
    "switch capacity limits": 0,
    "switch learning": 0,
    "switch documentation": 0,
    "switch support erosion": 0,
    "switch investor behaviour": 0,
}
# Nothing saturates, all savings are recognised, and the chain forgets within a few years.
LINEAR = NO_HYPOTHESES | {
    "citizens at start": 1e9,
    "yearly exit": 0.5,
    "recognition horizon": 1e12,
    "allocation weight": 0,
    "wrong pocket agreement": 1,
    "pledged share with agreement": 0.9,
    "identified share at start": 0.8,
    "overhead share": 0.1,
    "disbursement time": 1,
}
# One state a citizen: crisis costs what strain does, nothing but leaving ends an effect, and those
# who are lifted cost nothing. A krone comes back through three delays of the first order.
EXIT, LENGTH, CASHING, DISBURSEMENT = 1.0, 1.0, 1.0, 1.0
ONE_STATE = LINEAR | {
    "yearly worsening": 0,
    "yearly easing": 0,
    "yearly recovery": 0,
    "yearly setback": 0,
    "yearly relapse": 0,
    "yearly exit": EXIT,
    "course length": LENGTH,
    "cashing delay": CASHING,
    "disbursement time": DISBURSEMENT,
    "use when strained": 1,
    "use when newly stable": 0,
}
DELAYS = (1 / EXIT, LENGTH / (1 + LENGTH * EXIT), CASHING)  # years; leaving shortens a course


def growth(gain: float, step: float) -> float:
    """Yearly growth of the fund's cash under `ONE_STATE`, by Euler's method with this step.

    The root of (1 + disbursement x m) x product of (1 + delay x m) = gain, where m is what a step
    adds over its length: in continuous time the characteristic equation of a fund whose spending
    returns through delays of the first order.
    """

    def short_of(m: float) -> float:
        return (1 + DISBURSEMENT * m) * float(np.prod([1 + d * m for d in DELAYS])) - gain

    m = brentq(short_of, -0.4, 5, xtol=1e-14)
    return float(np.log1p(m * step) / step)


def scaled(model: Model, base: dict[str, Any], critical: float) -> dict[str, Any]:
    """Scale the unit costs so that the loop gain is one at this reinvestment rate."""
    start = model.run({**base, "reinvestment rate": 1.0}, years=0.25, time_step=0.25)
    scale = 1 / (critical * float(loop_gain(start, time=0)))
    costs = (start["unit cost"].isel(time=0) * scale).transpose("Group", "Administration").values
    return {**base, "unit cost": costs}
