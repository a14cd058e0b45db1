"""What the outcomes of the reinvestment model hinge on: many inputs screened, the strongest ranked.

Elementary effects (Morris) screen all uncertain inputs; the variance of the outcomes is then split
between the strongest (Sobol), and each of those is moved alone to both ends of its range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.arguments import all_of, check_whole, names_of
from kredslob.design import RUN
from kredslob.ensemble import Progress
from kredslob.simulation import HasParameters, Model, parameters_of
from kredslob.store import claim
from kredslob.studies.critical_rate import RATE
from kredslob.studies.evaluate import Outcomes, evaluate, only
from kredslob.studies.factors import A_FACTOR, Factor, check_seed
from kredslob.studies.question import question
from kredslob.studies.questions import cycle_factors, cycle_questions, whole_years
from kredslob.studies.sensitivity import (
    check_sobol,
    check_trajectories,
    morris,
    one_at_a_time,
    sobol,
    strongest,
)

OUTCOMES = ("loop gain", "citizens helped", "net present value of public purse")
TRAJECTORIES = 20
INPUTS = 12
SAMPLES = 512
_METHODS = ("screened", "ranked", "moved")


@dataclass(frozen=True)
class HingeStudy:
    """What was found, by method.

    Parameters
    ----------
    screened, ranked, moved : Dataset
        From `kredslob.studies.sensitivity.morris` over all inputs, and from
        `kredslob.studies.sensitivity.sobol` and `kredslob.studies.sensitivity.one_at_a_time` over
        the strongest.
    """

    screened: xr.Dataset
    ranked: xr.Dataset
    moved: xr.Dataset


def hinge_study(
    model: Model,
    scenario: Mapping[str, Any] | HasParameters | None = None,
    *,
    outcomes: Sequence[str] = OUTCOMES,
    ranges: Sequence[Factor] = (),
    trajectories: int = TRAJECTORIES,
    inputs: int = INPUTS,
    samples: int = SAMPLES,
    seed: int = 0,
    years: int | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> HingeStudy:
    """Screen all uncertain inputs and rank the strongest.

    Parameters
    ----------
    model : Model
        The reinvestment model.
    scenario : mapping or object with ``parameters``, optional
        Place and policy. What it states otherwise than the parameter table is held.
    outcomes : sequence of str
        Names of outcomes of `kredslob.cycle.outcomes.cycle_outcomes`.
    ranges : sequence of Factor
        Inputs with another range than that of the parameter table, levers among them.
    trajectories, samples, seed
        As for `morris` and `sobol`.
    inputs : int
        How many of the strongest are ranked, from 1.
    years : int, optional
        Horizon, 1 to 70 whole years. Default: as the model file says.
    client, store
        As for `kredslob.studies.evaluate.evaluate`; all methods share one store.
    progress : callable, optional
        Called with (runs done, runs in all).

    Returns
    -------
    HingeStudy

    Raises
    ------
    ParameterError
        SALib is not installed, an outcome is unknown, there are too few trajectories or samples or
        the samples are no power of 2, or as for `morris`. All that can be is checked before the
        first run.
    InputFileError
        The store cannot be used, or holds the answers to another question.

    Examples
    --------
    >>> study = kredslob.hinge_study(
    ...     kredslob.load(),
    ...     kredslob.load_scenario("half"),
    ...     outcomes=["citizens helped"],
    ...     trajectories=4,
    ...     inputs=2,
    ...     samples=64,
    ...     years=5,
    ... )
    >>> type(study).__name__
    'HingeStudy'
    """
    check_trajectories(trajectories)
    check_sobol(samples)
    check_seed(seed)
    check_whole("inputs", inputs, 1)
    all_of("ranges", ranges, Factor, A_FACTOR)
    horizon = whole_years(model, years)
    asked = only(cycle_questions(horizon), *names_of("outcomes", outcomes))
    factors = with_ranges(cycle_factors(scenario), ranges)
    few = min(inputs, len(factors))
    runs = [trajectories * (len(factors) + 2), samples * (few + 2), 2 * few + 1]
    part = _parts(progress, runs)
    check_outcomes(model, asked, scenario, horizon)
    folder = None if store is None else Path(store)
    if folder is not None:
        claim(folder, question(model, scenario, factors, asked, horizon, seed))

    def given(number: int) -> dict[str, Any]:
        own = folder and folder / _METHODS[number]
        return {"years": horizon, "client": client, "store": own, "progress": part(number)}

    screened = morris(
        model,
        factors,
        asked,
        scenario,
        trajectories=trajectories,
        seed=seed,
        **given(0),
    )
    chosen = strongest(screened, few)
    ranked = sobol(model, chosen, asked, scenario, samples=samples, seed=seed, **given(1))
    moved = one_at_a_time(model, chosen, asked, scenario, **given(2))
    return HingeStudy(screened, ranked, moved)


def check_outcomes(model: Model, asked: Outcomes, scenario: Any, years: int) -> xr.Dataset:
    """What one run comes to; raises ParameterError, before minutes are spent, where it cannot."""
    own = parameters_of(scenario).get(RATE, model.program.defaults[RATE][0])
    single = xr.Dataset({RATE: (RUN, np.array([float(own)]))}, {RUN: [0]})
    return evaluate(model, single, asked, scenario, years=years).isel({RUN: 0})


def with_ranges(factors: Sequence[Factor], ranges: Sequence[Factor]) -> list[Factor]:
    """Factors, some of them with a range of their own, and more that were not among them."""
    given = {factor.name: factor for factor in ranges}
    found = [given.pop(factor.name, factor) for factor in factors]
    return [*found, *(replace(factor) for factor in given.values())]


def _parts(progress: Progress | None, runs: Sequence[int]) -> Callable[[int], Progress | None]:
    """Progress of each method in turn, as that of all."""

    def part(number: int) -> Progress | None:
        if progress is None:
            return None
        before, whole = sum(runs[:number]), sum(runs)
        return lambda done, _: progress(before + done, whole)

    return part
