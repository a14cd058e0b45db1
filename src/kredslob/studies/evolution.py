"""Generations of policies, each bred from the best of the one before, and how far they have come.

NSGA-II (Deb, Pratap, Agarwal and Meyarivan 2002, doi:10.1109/4235.996017) for up to three
objectives and NSGA-III (Deb and Jain 2014, doi:10.1109/TEVC.2013.2281535) beyond, both by pymoo
(Blank and Deb 2020, doi:10.1109/ACCESS.2020.2990567).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

_MOST_BY_CROWDING = 3  # objectives up to which NSGA-II keeps the front spread

Costs = Callable[[int, np.ndarray], np.ndarray]
"""Costs, less is better, shape (points, objectives), of the points of a generation, from 1."""


@dataclass(frozen=True)
class Evolved:
    """What one seed found: its last whole population, and the front of each generation.

    Parameters
    ----------
    points : array, shape (population, levers)
    costs : array, shape (population, objectives)
    fronts : list of array, shape (policies that no other beats, objectives)
    """

    points: np.ndarray
    costs: np.ndarray
    fronts: list[np.ndarray]


def evolve(
    costs_of: Costs,
    ranges: Sequence[tuple[float, float]],
    objectives: int,
    *,
    population: int,
    generations: int,
    seed: int,
) -> Iterator[Evolved]:
    """Search from one seed, and give what is found so far after each generation.

    What is asked next follows from the seed and from the costs told so far alone. So a search that
    was broken off goes on if it is told the same again.

    Parameters
    ----------
    costs_of : callable
        Gives the costs of a generation.
    ranges : sequence of (low, high)
        Of each lever.
    objectives : int
        How many costs there are.
    population : int
        Policies in a generation. NSGA-III takes as many directions of search as fit.
    generations : int
        At least 1; the first is random.
    seed : int
        From 0.
    """
    from pymoo.core.evaluator import Evaluator
    from pymoo.core.problem import Problem
    from pymoo.problems.static import StaticProblem

    low, high = np.array(ranges, dtype=float).T
    problem = Problem(n_var=len(low), n_obj=objectives, xl=low, xu=high)
    algorithm = _algorithm(objectives, population)
    algorithm.setup(problem, termination=("n_gen", generations), seed=int(seed))
    fronts: list[np.ndarray] = []
    while algorithm.has_next():
        asked = algorithm.ask()
        told = costs_of(len(fronts) + 1, asked.get("X"))
        Evaluator().eval(StaticProblem(problem, F=told), asked)
        algorithm.tell(infills=asked)
        points, costs = algorithm.pop.get("X"), algorithm.pop.get("F")
        fronts.append(costs[best(costs)])
        yield Evolved(points, costs, list(fronts))


def best(costs: np.ndarray) -> np.ndarray:
    """Places of the policies that no other beats, rising."""
    from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

    return np.sort(NonDominatedSorting().do(costs, only_non_dominated_front=True))


def hypervolume(fronts: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Share of the box of all that any front has met that lies behind each front.

    Parameters
    ----------
    fronts : sequence of sequence of array
        Costs of the front of each generation, of each seed.

    Returns
    -------
    array, shape (seeds, generations)
        0 to 1; NaN for generations that a seed has not reached.
    """
    from pymoo.indicators.hv import Hypervolume

    met = np.concatenate([front for one in fronts for front in one])
    low, high = met.min(axis=0), met.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    volume = Hypervolume(ref_point=np.ones(met.shape[1]))
    shares = np.full((len(fronts), max(len(one) for one in fronts)), np.nan)
    for row, one in enumerate(fronts):
        shares[row, : len(one)] = [volume.do((front - low) / width) for front in one]
    return shares


def name_of(objectives: int) -> str:
    """The algorithm for so many objectives, and who wrote it."""
    import pymoo

    which = "NSGA-II" if objectives <= _MOST_BY_CROWDING else "NSGA-III"
    return f"{which}, pymoo {pymoo.__version__}"


def _algorithm(objectives: int, population: int) -> Any:
    if objectives <= _MOST_BY_CROWDING:
        from pymoo.algorithms.moo.nsga2 import NSGA2

        return NSGA2(pop_size=population)
    from pymoo.algorithms.moo.nsga3 import NSGA3
    from pymoo.util.ref_dirs import get_reference_directions

    steps = 1  # of Das and Dennis' lattice: as many directions as the population can follow
    while comb(objectives + steps, steps + 1) <= population:
        steps += 1
    directions = get_reference_directions("das-dennis", objectives, n_partitions=steps)
    return NSGA3(directions, pop_size=max(population, len(directions)))
