"""PAWN: distances between distributions, for outcomes of which variance says little."""

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
from kredslob.studies.sensitivity.indices import analysed
from kredslob.studies.sensitivity.sampled import Sampled, Scenario, cube

_SLICES = 10  # SALib's bounds of slices overshoot 1 for some other numbers, such as 6
_FEWEST_IN_SLICE = 10
_INDICES = {
    "median": "median distance between distributions",
    "mean": "mean distance between distributions",
    "maximum": "largest distance between distributions",
}


def pawn(
    model: Model,
    factors: Sequence[Factor],
    outcomes: Outcomes,
    scenario: Scenario = None,
    *,
    samples: int = 2000,
    seed: int = 0,
    years: float | None = None,
    threads: int | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compare the distribution of outcomes with those where one input is known: N runs.

    Variance says little of outcomes with long tails or thresholds; distances between distributions
    do. The sample is a Latin hypercube, cut in ten slices of equal chance along each input in turn.

    Parameters
    ----------
    model, factors, outcomes, scenario, years, threads, client, store, seed, progress
        As for `morris`.
    samples : int
        N, at least 100: ten a slice.

    Returns
    -------
    Dataset
        Over outcome, time if the outcomes have it, and factor (Dmnl, 0 to 1): "median", "mean" and
        "maximum" over the slices of the Kolmogorov-Smirnov distance to all runs. NaN where an
        outcome is missing in some run. The last factor is "dummy": below about its values an input
        cannot be told from one that does nothing. Coordinates and attributes as for `morris`.

    Raises
    ------
    ParameterError
        There are too few samples, or as for `morris`.

    References
    ----------
    F. Pianosi and T. Wagener (2018), Environmental Modelling & Software 108, 197-207.

    Examples
    --------
    >>> factors = kredslob.factors_of({"overhead share": (0.05, 0.2), "reinvestment rate": (0, 1)})
    >>> found = kredslob.pawn(
    ...     kredslob.load(), factors, kredslob.at_end("total cash"), samples=200, years=5
    ... )
    >>> found["factor"].values.tolist()
    ['overhead share', 'reinvestment rate', 'dummy']
    """
    check_whole("samples", samples, _FEWEST_IN_SLICE * _SLICES)
    sampled = Sampled(
        model, factors, outcomes, scenario, seed, years, threads, client, store, progress
    )
    sampler = extra("SALib.sample.latin", "SALib")
    problem = cube([f.name for f in sampled.with_dummy])
    chances = sampler.sample(problem, samples, seed=seed + 1)
    made_by = {"method": "pawn", "seed": seed, "samples": samples, "slices": _SLICES}
    runs = sampled.at_chances(chances, made_by)
    indices = partial(_indices, problem, chances)
    return analysed(runs, sampled.with_dummy, indices, _INDICES)


def _indices(
    problem: dict[str, Any], chances: np.ndarray, answer: np.ndarray
) -> dict[str, np.ndarray]:
    found = extra("SALib.analyze.pawn", "SALib").analyze(problem, chances, answer, S=_SLICES)
    return {name: found[name] for name in _INDICES}
