"""All that is asked about the threshold of one policy in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from kredslob.cycle.goals import GOAL_VARIABLES, goals
from kredslob.simulation import HasParameters, Model
from kredslob.studies.critical_rate import (
    RATE,
    check_constant_rate,
    critical_bracket,
    critical_rate_uncertainty,
)
from kredslob.studies.regions import sustaining_regions
from kredslob.studies.sweep import sweep

_RATES = 101  # every percent


@dataclass(frozen=True)
class ThresholdStudy:
    """Results of `threshold_study`.

    Parameters
    ----------
    runs : Dataset
        A sweep over the reinvestment rate by every percent, with what the goals are read from.
    goals : Dataset
        From `kredslob.cycle.goals.goals`.
    bracket : Dataset
        From `kredslob.studies.critical_rate.critical_bracket`.
    uncertainty : Dataset
        From `kredslob.studies.critical_rate.critical_rate_uncertainty`.
    regions : Dataset
        From `kredslob.studies.regions.sustaining_regions`.
    """

    runs: xr.Dataset
    goals: xr.Dataset
    bracket: xr.Dataset
    uncertainty: xr.Dataset
    regions: xr.Dataset

    @property
    def years(self) -> float:
        """Length of the runs, in years."""
        return float(self.runs["time"][-1] - self.runs["time"][0])


def threshold_study(
    model: Model,
    scenario: Mapping[str, Any] | HasParameters | None = None,
    *,
    years: float | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> ThresholdStudy:
    """Find the threshold of a policy, its spread, its regions and its goals.

    Parameters
    ----------
    model : Model
        The reinvestment model.
    scenario : mapping or object with ``parameters``, optional
        What to change, as for `Model.run`.
    years : float, optional
        Horizon, in whole years, at most 70. Default: as the model file says.
    draws, seed : int
        As for `kredslob.studies.critical_rate.critical_rate_uncertainty`.

    Returns
    -------
    ThresholdStudy

    Raises
    ------
    ParameterError
        As for the functions that make the parts.
    """
    check_constant_rate(scenario)
    levers = {RATE: np.linspace(0, 1, _RATES).tolist()}
    runs = sweep(model, scenario, levers, years=years, saveper=1, save=GOAL_VARIABLES)
    return ThresholdStudy(
        runs=runs,
        goals=goals(runs),
        bracket=critical_bracket(model, scenario, years=years),
        uncertainty=critical_rate_uncertainty(model, scenario, draws=draws, seed=seed, years=years),
        regions=sustaining_regions(model, scenario, years=years),
    )
