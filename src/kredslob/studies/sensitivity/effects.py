"""Morris: elementary effects, which screen many inputs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.arguments import check_whole
from kredslob.ensemble import Progress
from kredslob.simulation import Model
from kredslob.studies.evaluate import Outcomes
from kredslob.studies.extras import extra
from kredslob.studies.factors import Factor
from kredslob.studies.sensitivity.indices import (
    CONFIDENCE,
    OWN_UNIT,
    RESAMPLES,
    analysed,
    interval,
)
from kredslob.studies.sensitivity.sampled import Sampled, Scenario, cube

_LEVELS = 4  # of Morris' grid, as he and SALib have it
_FEWEST_TRAJECTORIES = 4
_INDICES = {
    "mu star": "mean size of elementary effects",
    "mu star interval": "95 % interval of the mean size of elementary effects",
    "mu": "mean elementary effect",
    "sigma": "standard deviation of elementary effects",
}


def morris(
    model: Model,
    factors: Sequence[Factor],
    outcomes: Outcomes,
    scenario: Scenario = None,
    *,
    trajectories: int = 20,
    seed: int = 0,
    years: float | None = None,
    threads: int | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Screen many inputs by elementary effects: r(k + 2) runs for k inputs and a dummy.

    Parameters
    ----------
    model : Model
        Any model.
    factors : sequence of Factor
        What is uncertain; all else is as the scenario has it.
    outcomes : Outcomes
        What is asked, such as `kredslob.studies.evaluate.at_end` or
        `kredslob.studies.evaluate.over_time` give.
    scenario, years, threads
        As for `Model.run_many`.
    client, store
        As for `kredslob.studies.evaluate.evaluate`.
    trajectories : int
        Paths r through the unit cube, at least 4; each moves every input once by two thirds of its
        distribution.
    seed : int
        From 0: of sample, resampling and the model's random functions.
    progress : callable, optional
        Called with (runs done, runs in all).

    Returns
    -------
    Dataset
        Over outcome, time if the outcomes have it, and factor, each in the outcome's unit for a
        move from one end of the distribution to the other: "mu star" (mean size of the effects)
        with "mu star interval" (95 %, by resampling, over bound), "mu" (their mean) and "sigma"
        (their standard deviation: other inputs or bends count). NaN where an outcome is missing in
        some run. The last factor is "dummy": zero unless the model draws random numbers.
        Coordinates give the unit of each outcome and what each factor is; attributes say what
        made it.

    Raises
    ------
    ParameterError
        SALib is not installed, there are too few trajectories, a factor stands twice or is not in
        the model, the seed makes no sense, or as for `Model.run_many`.

    References
    ----------
    M. D. Morris (1991), Technometrics 33, 161-174; F. Campolongo, J. Cariboni and A. Saltelli
    (2007), Environmental Modelling & Software 22, 1509-1518.

    Examples
    --------
    >>> factors = kredslob.factors_of({"overhead share": (0.05, 0.2), "reinvestment rate": (0, 1)})
    >>> found = kredslob.morris(
    ...     kredslob.load(), factors, kredslob.at_end("total cash"), trajectories=4, years=5
    ... )
    >>> float(found["mu star"].sel(factor="overhead share").item()) > 0
    True
    """
    check_trajectories(trajectories)
    sampled = Sampled(
        model, factors, outcomes, scenario, seed, years, threads, client, store, progress
    )
    sampler = extra("SALib.sample.morris", "SALib")
    problem = cube([f.name for f in sampled.with_dummy])
    chances = sampler.sample(problem, trajectories, num_levels=_LEVELS, seed=seed + 1)
    made_by = {"method": "morris", "seed": seed, "trajectories": trajectories}
    runs = sampled.at_chances(chances, made_by)
    indices = partial(_indices, problem, chances, seed)
    return analysed(runs, sampled.with_dummy, indices, _INDICES, OWN_UNIT)


def check_trajectories(trajectories: int) -> None:
    """Raise ParameterError where there are too few for `morris`, or SALib is not installed."""
    extra("SALib", "SALib")
    check_whole("trajectories", trajectories, _FEWEST_TRAJECTORIES)


def _indices(
    problem: dict[str, Any], chances: np.ndarray, seed: int, answer: np.ndarray
) -> dict[str, np.ndarray]:
    found = extra("SALib.analyze.morris", "SALib").analyze(
        problem,
        chances,
        answer,
        num_levels=_LEVELS,
        num_resamples=RESAMPLES,
        conf_level=CONFIDENCE,
        seed=seed + 1,
    )
    size = np.asarray(found["mu_star"])
    return {
        "mu star": size,
        "mu star interval": interval(size, np.asarray(found["mu_star_conf"])),
        "mu": np.asarray(found["mu"]),
        "sigma": np.asarray(found["sigma"]),
    }
