"""Which policy of a fund holds up, and which no other beats: candidates, and a search for more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from kredslob.arguments import check_kind, check_whole, names_of
from kredslob.cycle.scenario import Scenario, load_scenario
from kredslob.ensemble import Progress
from kredslob.errors import ParameterError
from kredslob.simulation import Model
from kredslob.store import claim
from kredslob.studies.critical_rate import RATE, check_constant_rate
from kredslob.studies.evaluate import Outcomes, only
from kredslob.studies.extras import extra
from kredslob.studies.factors import check_seed
from kredslob.studies.hinges import check_outcomes
from kredslob.studies.question import question
from kredslob.studies.questions import (
    cycle_draws,
    cycle_levers,
    cycle_objectives,
    cycle_policies,
    cycle_questions,
    whole_years,
)
from kredslob.studies.robustness import (
    Ranges,
    check_policies,
    check_ranges,
    evaluate_policies,
    robustness,
)
from kredslob.studies.search import Levers, check_search, search

JUDGED_BY = ("net present value of public purse", "citizens helped", "complex need helped")
DRAWS = 256
FEWEST = 16
POPULATION = 40
GENERATIONS = 15
_SEARCH_DRAWS = 32  # each policy of a search meets so many: with more it takes long
_GOOD_ENOUGH = ("citizens helped", "relief in all")


@dataclass(frozen=True)
class PolicyStudy:
    """What was found.

    Parameters
    ----------
    results : Dataset
        From `kredslob.studies.robustness.evaluate_policies`.
    judged : mapping of str to Dataset
        From `kredslob.studies.robustness.robustness`, by outcome.
    front : Dataset
        From `kredslob.studies.search.search`.
    """

    results: xr.Dataset
    judged: Mapping[str, xr.Dataset]
    front: xr.Dataset


def policy_study(
    model: Model,
    scenario: Scenario | None = None,
    *,
    candidates: Mapping[str, Scenario] | None = None,
    outcomes: Sequence[str] = JUDGED_BY,
    thresholds: Ranges | None = None,
    levers: Levers | None = None,
    draws: int = DRAWS,
    population: int = POPULATION,
    generations: int = GENERATIONS,
    seed: int = 0,
    years: int | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> PolicyStudy:
    """Judge candidate policies over draws of all that is uncertain, and search for better ones.

    Parameters
    ----------
    model : Model
        The reinvestment model.
    scenario : Scenario, optional
        Place and policy that the search starts from. What it states otherwise than the parameter
        table is held. Default: as `kredslob.load_scenario` has it.
    candidates : mapping of str to Scenario, optional
        Policies to judge. Default: those of the setting,
        `kredslob.studies.questions.cycle_policies`.
    outcomes : sequence of str
        Names of outcomes to judge by; of all, more is better.
    thresholds : mapping of str to (low, high), optional
        What is good enough. Default: as many citizens helped and as much relief in all as the
        scenario comes to where nothing is reinvested and no parameter is drawn.
    levers : mapping of str to (low, high), optional
        What the search may choose. Default: `kredslob.studies.questions.cycle_levers`.
    draws : int
        A power of 2, at least 16. The search meets 32 of its own, or as many if they are fewer, and
        what it finds is run again on as many as the candidates meet.
    population, generations : int
        As for `kredslob.studies.search.search`.
    seed : int
        From 0: of the draws and of the search.
    years : int, optional
        Horizon, 1 to 70 whole years. Default: as the model file says.
    client, store
        As for `evaluate_policies` and `search`, which share one store.
    progress : callable, optional
        Called with (rounds done, rounds in all): a candidate is one, and so is a generation.

    Returns
    -------
    PolicyStudy
        If the search is interrupted from the keyboard and there is no store, its front is that of
        the generations done, and its attribute "interrupted" is 1.

    Raises
    ------
    ParameterError
        A rule sets the rate of the scenario, an outcome or lever is unknown, there are too few
        draws or they are no power of 2, or as for `evaluate_policies`, `robustness` and `search`.
    InputFileError
        The store cannot be used, or holds the answers to another question.

    Examples
    --------
    >>> study = kredslob.policy_study(
    ...     kredslob.load(),
    ...     kredslob.load_scenario(),
    ...     draws=16,
    ...     population=4,
    ...     generations=1,
    ...     years=5,
    ... )
    >>> type(study).__name__
    'PolicyStudy'
    """
    horizon = whole_years(model, years)
    scenario = load_scenario() if scenario is None else scenario
    check_kind("scenario", scenario, Scenario, "what kredslob.load_scenario() gives")
    check_constant_rate(scenario)
    extra("pymoo", "pymoo")
    check_whole("draws", draws, FEWEST)
    if draws & (draws - 1):
        raise ParameterError(f"draws: found {draws}, expected a power of 2 from {FEWEST}")
    check_seed(seed)
    if candidates is not None:
        check_policies("candidates", candidates)
    if thresholds is not None:
        check_ranges("thresholds", thresholds)
    asked = cycle_questions(horizon)
    names = tuple(dict.fromkeys([*names_of("outcomes", outcomes), *(thresholds or ())]))
    check_outcomes(model, only(asked, *names), scenario, horizon)
    chosen, wanted, seeds = levers or cycle_levers(), cycle_objectives(), (seed + 1, seed + 2)
    check_search(chosen, wanted, None, population, generations, seeds)
    policies = dict(candidates or cycle_policies(scenario.setting))
    enough = thresholds or _good_enough(model, asked, scenario, horizon)
    rounds = len(policies) + len(seeds) * generations

    def told(before: int, own: int) -> Progress | None:
        if progress is None:
            return None
        return lambda done, whole: progress(before + own * done / whole, rounds)

    few = min(draws, _SEARCH_DRAWS)
    drawn, held_out, searched = (
        cycle_draws(scenario, count, method="sobol", seed=seed + k)
        for k, count in enumerate((draws, draws, few))
    )
    check_search(chosen, wanted, searched, population, generations, seeds)
    folder = None if store is None else Path(store)
    if folder is not None:
        claim(folder, question(model, scenario, policies, drawn, horizon))
    results = evaluate_policies(
        model,
        policies,
        drawn,
        asked,
        years=horizon,
        client=client,
        store=folder and folder / "candidates",
        progress=told(0, len(policies)),
    )
    judged = {
        outcome: robustness(results, outcome, larger_is_better=True, thresholds=enough)
        for outcome in dict.fromkeys(outcomes)
    }
    front = search(
        model,
        chosen,
        wanted,
        asked,
        scenario,
        draws=searched,
        held_out=held_out,
        population=population,
        generations=generations,
        seeds=seeds,
        years=horizon,
        client=client,
        store=folder and folder / "search",
        progress=told(len(policies), rounds - len(policies)),
    )
    return PolicyStudy(results, judged, front)


def _good_enough(model: Model, asked: Outcomes, scenario: Scenario, years: int) -> Ranges:
    nothing = scenario.with_parameters({RATE: 0.0})
    reached = check_outcomes(model, only(asked, *_GOOD_ENOUGH), nothing, years)
    return {name: (float(reached[name]), None) for name in _GOOD_ENOUGH}
