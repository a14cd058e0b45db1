"""All that is asked about the threshold of one policy in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.cycle.goals import GOAL_VARIABLES, goals
from kredslob.ensemble import Progress, part_of
from kredslob.simulation import HasParameters, Model
from kredslob.store import claim
from kredslob.studies.critical_rate import (
    RATE,
    check_constant_rate,
    critical_bracket,
    critical_rate_uncertainty,
    late_times,
)
from kredslob.studies.question import question
from kredslob.studies.regions import sustaining_regions
from kredslob.studies.sweep import sweep

_RATES = 101  # every percent
_PARTS = 3  # sweep, uncertainty and regions; the bracket takes no time


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
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
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
    client : dask.distributed.Client, optional
        As for `Model.run_many`.
    store : Path or str, optional
        As for `kredslob.studies.critical_rate.critical_rate_uncertainty` and
        `kredslob.studies.regions.sustaining_regions`, which share it; the other parts take no time.
    progress : callable, optional
        Called with what is done and what there is in all, roughly by time.

    Returns
    -------
    ThresholdStudy

    Raises
    ------
    ParameterError
        As for the functions that make the parts.
    InputFileError
        The store cannot be used, or holds the answers to another question.
    """
    check_constant_rate(scenario)
    levers = {RATE: np.linspace(0, 1, _RATES).tolist()}
    part = partial(part_of, progress, parts=_PARTS)
    given: dict[str, Any] = {"years": years, "client": client}
    runs = sweep(model, scenario, levers, saveper=1, save=GOAL_VARIABLES, progress=part(0), **given)
    folder = None if store is None else Path(store)
    if folder is not None:
        claim(folder, question(model, scenario, draws, seed, late_times(model, years)))
    return ThresholdStudy(
        runs=runs,
        goals=goals(runs),
        bracket=critical_bracket(model, scenario, **given),
        uncertainty=critical_rate_uncertainty(
            model,
            scenario,
            draws=draws,
            seed=seed,
            store=folder and folder / "uncertainty",
            progress=part(1),
            **given,
        ),
        regions=sustaining_regions(
            model, scenario, store=folder and folder / "regions", progress=part(2), **given
        ),
    )
