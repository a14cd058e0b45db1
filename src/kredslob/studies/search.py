"""Many-objective search: the policies that no other policy beats in everything at once.

A generation is one ensemble: all its policies over all draws. `kredslob.studies.evolution` makes
the next one of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.arguments import (
    all_of,
    check_kind,
    check_named,
    check_result,
    check_whole,
    hint,
    is_number,
    range_of,
    refused,
)
from kredslob.design import RUN
from kredslob.ensemble import Progress
from kredslob.errors import ParameterError
from kredslob.simulation import HasParameters, Model, check_progress
from kredslob.store import claim
from kredslob.studies.evaluate import Outcomes, check_asked, evaluate
from kredslob.studies.evolution import Evolved, best, evolve, hypervolume, name_of
from kredslob.studies.question import question
from kredslob.studies.robustness import POLICY, Ranges, meets

Levers = Mapping[str, tuple[float, float]]
HELD_OUT = " on held-out draws"
_BITS = 36  # of an objective that the search heeds: ten digits


@dataclass(frozen=True)
class Objective:
    """What a search wants more, or less, of.

    Parameters
    ----------
    outcome : str
        Name of an outcome, one number a run.
    larger_is_better : bool
        False to want less of it.
    quantile : float, optional
        Quantile over the draws, 0 to 1, that is wanted: a low one guards against bad luck.
        Default: the mean.

    Raises
    ------
    ParameterError
        The quantile is not between 0 and 1.

    Examples
    --------
    >>> kredslob.Objective("citizens helped", quantile=0.05).name
    '5 % quantile of citizens helped'
    """

    outcome: str
    larger_is_better: bool = True
    quantile: float | None = None

    def __post_init__(self) -> None:
        check_kind("objective", self.outcome, str, "the name of an outcome")
        own = f"'{self.outcome}'"
        check_kind(f"{own}: larger_is_better", self.larger_is_better, bool, "True or False")
        quantile = self.quantile
        if quantile is not None and not (is_number(quantile) and 0 <= quantile <= 1):
            raise refused(f"{own}: quantile", quantile, "a number from 0 to 1")

    @property
    def name(self) -> str:
        """The outcome, with its quantile if it is not the mean."""
        if self.quantile is None:
            return self.outcome
        return f"{100 * self.quantile:g} % quantile of {self.outcome}"

    def over_draws(self, values: xr.DataArray) -> xr.DataArray:
        """What the objective is, of the numbers of all draws.

        Parameters
        ----------
        values : DataArray
            Over ``draw`` and any other dimensions.

        Returns
        -------
        DataArray
            Mean or quantile, over the others.
        """
        if self.quantile is None:
            return values.mean("draw")
        return values.quantile(self.quantile, "draw").drop_vars("quantile")


@dataclass(frozen=True)
class _Task:
    """What each policy is run under, and asked for."""

    model: Model
    levers: Levers
    objectives: Sequence[Objective]
    outcomes: Outcomes
    scenario: Mapping[str, Any] | HasParameters | None
    years: float | None
    threads: int | None
    client: Any

    def reached(
        self, points: np.ndarray, draws: xr.Dataset | None, store: Path | None = None
    ) -> xr.Dataset:
        """Objectives of policies at these points, shape (policies, levers), in one ensemble."""
        count = draws.sizes[RUN] if draws is not None else 1
        design = {name: (RUN, np.repeat(points[:, k], count)) for k, name in enumerate(self.levers)}
        for name, values in (draws.data_vars if draws is not None else {}).items():
            design[str(name)] = (RUN, np.tile(values.values, len(points)))
        made_by = draws.attrs if draws is not None else {}
        table = xr.Dataset(design, {RUN: np.arange(len(points) * count)}, made_by)
        results = evaluate(
            self.model,
            table,
            self.outcomes,
            self.scenario,
            years=self.years,
            threads=self.threads,
            client=self.client,
            store=store,
        )
        found = {o.name: self._objective(o, results, len(points)) for o in self.objectives}
        return xr.Dataset(found, attrs=results.attrs)

    def _objective(self, wanted: Objective, results: xr.Dataset, policies: int) -> xr.DataArray:
        values = results.get(wanted.outcome)
        if values is None or values.dims != (RUN,):
            known = [str(name) for name, array in results.items() if array.dims == (RUN,)]
            raise ParameterError(
                f"the outcomes give no '{wanted.outcome}', one number a run"
                f"{hint(wanted.outcome, known)}"
            )
        if not np.isfinite(values).all():
            raise ParameterError(f"'{wanted.outcome}': has no number in some run")
        table = xr.DataArray(values.values.reshape(policies, -1), dims=(POLICY, "draw"))
        return wanted.over_draws(table).assign_attrs(
            units=values.attrs.get("units", ""),
            long_name=wanted.name,
            role="objective",
            better="larger" if wanted.larger_is_better else "smaller",
        )

    def costs(self, reached: xr.Dataset) -> np.ndarray:
        """Objectives as pymoo wants them: less is better, shape (policies, objectives)."""
        signs = [-1.0 if o.larger_is_better else 1.0 for o in self.objectives]
        columns = [s * reached[o.name].values for s, o in zip(signs, self.objectives, strict=True)]
        # the last bits differ between processors, and are not to decide between policies
        share, power = np.frexp(np.column_stack(columns))
        return np.ldexp(np.round(share * 2.0**_BITS) / 2.0**_BITS, power)


def search(
    model: Model,
    levers: Levers,
    objectives: Sequence[Objective],
    outcomes: Outcomes,
    scenario: Mapping[str, Any] | HasParameters | None = None,
    *,
    draws: xr.Dataset | None = None,
    held_out: xr.Dataset | None = None,
    population: int = 40,
    generations: int = 20,
    seeds: Sequence[int] = (1, 2),
    years: float | None = None,
    threads: int | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Search for the policies that no other beats in all objectives.

    Parameters
    ----------
    model : Model
        Any model.
    levers : mapping of str to (low, high)
        Constants to choose, ``name`` or ``name[element]``, with their range in the model's unit.
    objectives : sequence of Objective
        At least two.
    outcomes : Outcomes
        Gives what the objectives are read from.
    scenario : mapping or object with ``parameters``, optional
        What all policies have in common.
    draws : Dataset, optional
        Over ``run``: the same draws of what is uncertain for every policy. Default: none.
    held_out : Dataset, optional
        Other draws, on which the policies found are evaluated again: what was fitted to the draws
        by luck does not hold there.
    population : int
        Policies in a generation, at least 4. NSGA-III takes as many directions of search as fit.
    generations : int
        At least 1; the first is random.
    seeds : sequence of int
        From 0. The search is repeated from each, and the results are joined. The same seeds give
        the same policies.
    years, threads
        As for `Model.run_many`.
    client : dask.distributed.Client, optional
        A cluster whose workers share the runs of each generation. Needs ``kredslob[cluster]``.
    store : Path or str, optional
        Folder for each generation, as soon as its runs are finished. If a search is broken off,
        the same call goes on from there and finds the same; a call with more generations or other
        seeds goes on as well.
    progress : callable, optional
        Called with (generations done, generations in all), over all seeds.

    Returns
    -------
    Dataset
        Over ``policy``, ordered by the first objective: the levers and objectives, with attributes
        "role" (lever, objective) and "better" (larger, smaller); objectives again as "NAME on
        held-out draws"; "seed" that found it. "hypervolume", over ``seed_run`` and ``generation``:
        share of the box between the best and the worst value met of each objective that lies
        behind the front of that generation, 0 to 1; it rises and levels off as a search converges.
        "drawn", over ``input`` and ``draw``: the draws. Attributes say what made it, with the
        settings of the algorithm, so that `kredslob.studies.saved_search` can keep it.

        If a search without a store is interrupted from the keyboard, the generations done so far
        count, and the attribute "interrupted" is 1. Before the first is done, and with a store,
        which holds what is done, the interrupt goes on at once.

    Raises
    ------
    ParameterError
        A lever, objective, count or seed makes no sense, a lever is drawn too, pymoo is not
        installed, or as for `kredslob.studies.evaluate.evaluate`.
    InputFileError
        The store cannot be used, or holds another search.

    Examples
    --------
    >>> found = kredslob.search(
    ...     kredslob.load(),
    ...     {"reinvestment rate": (0, 1)},
    ...     [
    ...         kredslob.Objective("total cash"),
    ...         kredslob.Objective("total spending", larger_is_better=False),
    ...     ],
    ...     kredslob.at_end("total cash", "total spending"),
    ...     population=4,
    ...     generations=2,
    ...     seeds=[1],
    ...     years=5,
    ... )
    >>> found.sizes["policy"] > 0
    True
    """
    check_asked(model, outcomes)
    check_progress(progress)
    check_search(levers, objectives, draws, population, generations, seeds)
    task = _Task(model, levers, objectives, outcomes, scenario, years, threads, client)
    folder = None if store is None else Path(store)
    if folder is not None:
        asked = (list(levers.items()), objectives, outcomes, scenario, years, draws, population)
        claim(folder, question(model, name_of(len(objectives)), *asked))
    found: dict[int, Evolved] = {}
    interrupted = False
    try:
        for number, seed in enumerate(seeds):
            costs_of = partial(_costs, task, draws, folder, seed)
            for one in evolve(
                costs_of,
                list(levers.values()),
                len(objectives),
                population=population,
                generations=generations,
                seed=seed,
            ):
                found[seed] = one
                if progress:
                    progress(number * generations + len(one.fronts), len(seeds) * generations)
    except KeyboardInterrupt:
        if folder is not None or not found:
            raise
        interrupted = True
    results = _joined(task, found, draws, held_out)
    return results.assign_attrs(
        {**results.attrs, **_asked(levers, objectives, draws, held_out)},
        algorithm=name_of(len(objectives)),
        population=population,
        generations=generations,
        seeds=list(seeds),
        interrupted=int(interrupted),
    )


def check_search(
    levers: Levers,
    objectives: Sequence[Objective],
    draws: xr.Dataset | None,
    population: int,
    generations: int,
    seeds: Sequence[int],
) -> None:
    """Raise ParameterError if a search, as for `search`, makes no sense or pymoo is missing."""
    check_named("levers", levers, "{'birth rate': (0.1, 0.5)}")
    if draws is not None:
        check_kind("draws", draws, xr.Dataset, "a Dataset over run, such as kredslob.sample gives")
    for name, ends in levers.items():
        range_of("levers", name, ends)
        if draws is not None and name in draws:
            raise ParameterError(f"'{name}' is a lever and drawn too; leave it out of the draws")
    names = [
        o.name for o in all_of("objectives", objectives, Objective, "Objective('cost', False)")
    ]
    if len(set(names)) < max(len(names), 2):
        raise ParameterError("a search needs at least two objectives, each of them once")
    check_whole("population", population, 4)
    check_whole("generations", generations, 1)
    _check_seeds(seeds)
    try:
        import pymoo  # noqa: F401
    except ImportError:
        raise ParameterError("a search needs pymoo: pip install kredslob[studies]") from None


def _check_seeds(seeds: Any) -> None:
    several = isinstance(seeds, Iterable) and not isinstance(seeds, str)
    found = list(seeds) if several else []
    for seed in found:
        check_whole("seeds", seed, 0)
    if len(set(found)) < max(len(found), 1):
        raise refused("seeds", seeds, "a list of different whole numbers from 0")


def within(policies: xr.Dataset, ranges: Ranges) -> xr.Dataset:
    """Policies of a search whose levers and objectives lie within ranges.

    Parameters
    ----------
    policies : Dataset
        From `search`.
    ranges : mapping of str to (low, high)
        By name of a lever or objective, as for `kredslob.studies.robustness.meets`.

    Returns
    -------
    Dataset
        The policies that meet all of them, perhaps none, under their old numbers.

    Raises
    ------
    ParameterError
        As for `kredslob.studies.robustness.meets`.

    Examples
    --------
    >>> place = kredslob.load_scenario()
    >>> study = kredslob.policy_study(
    ...     kredslob.load(), place, draws=16, population=4, generations=1, years=5
    ... )
    >>> some = kredslob.within(study.front, {"reinvestment rate": (0.5, 1)})
    >>> bool((some["reinvestment rate"] >= 0.5).all())
    True
    """
    check_result("policies", policies, [POLICY], "search")
    return policies.isel({POLICY: np.flatnonzero(meets(policies, ranges).values)})


def names_of(policies: xr.Dataset, role: str) -> list[str]:
    """Names of the levers ("lever") or objectives ("objective") of a search, in its order."""
    return [str(n) for n, values in policies.data_vars.items() if values.attrs.get("role") == role]


def _costs(
    task: _Task,
    draws: xr.Dataset | None,
    folder: Path | None,
    seed: int,
    generation: int,
    points: np.ndarray,
) -> np.ndarray:
    """Costs of the policies of a generation; runs that the folder holds are not made again."""
    store = None if folder is None else folder / f"seed-{seed}-generation-{generation}"
    return task.costs(task.reached(points, draws, store))


def _joined(
    task: _Task,
    found: Mapping[int, Evolved],
    draws: xr.Dataset | None,
    held_out: xr.Dataset | None,
) -> xr.Dataset:
    """The front of all seeds together, run once more for its numbers and units."""
    points = np.concatenate([one.points for one in found.values()])
    costs = np.concatenate([one.costs for one in found.values()])
    seeds = np.repeat(list(found), [len(one.points) for one in found.values()])
    # the same policy may come from several seeds
    points, first = np.unique(points, axis=0, return_index=True)
    kept = best(costs[first])
    points, costs, seeds = points[kept], costs[first][kept], seeds[first][kept]
    order = np.argsort(costs[:, 0], kind="stable")
    points, seeds = points[order], seeds[order]
    reached = task.reached(points, draws)
    results = reached.assign(_levers(task, points)).assign({"seed": (POLICY, seeds)})
    if held_out is not None:
        again = task.reached(points, held_out)
        for objective in task.objectives:
            values = again[objective.name]
            values.attrs |= {"long_name": f"{objective.name}{HELD_OUT}", "role": "held out"}
            results[f"{objective.name}{HELD_OUT}"] = values
    results["hypervolume"] = _hypervolume(found)
    if draws is not None:
        results["drawn"] = _drawn(draws)
    return results.assign_coords({POLICY: np.arange(len(points))})


def _asked(
    levers: Levers,
    objectives: Sequence[Objective],
    draws: xr.Dataset | None,
    held_out: xr.Dataset | None,
) -> dict[str, str]:
    """What was asked, as JSON: ranges of the levers, objectives, and how draws were made."""

    def plain(drawn: xr.Dataset | None) -> dict[str, Any]:
        if drawn is None:
            return {}
        return {
            "draws": drawn.sizes[RUN],
            **{k: np.asarray(v).tolist() for k, v in drawn.attrs.items()},
        }

    asked = {
        "levers": {name: [float(end) for end in ends] for name, ends in levers.items()},
        "objectives": [asdict(objective) for objective in objectives],
        "draws": plain(draws),
        "held_out": plain(held_out),
    }
    return {name: json.dumps(value) for name, value in asked.items()}


def _drawn(draws: xr.Dataset) -> xr.DataArray:
    values = np.stack([column.values for column in draws.data_vars.values()])
    names = {"input": [str(name) for name in draws.data_vars]}
    attrs = {"units": "as in the model", "long_name": "value drawn", "role": "drawn"}
    return xr.DataArray(values, names, ("input", "draw"), attrs=attrs)


def _levers(task: _Task, points: np.ndarray) -> dict[str, xr.DataArray]:
    columns = {}
    for k, name in enumerate(task.levers):
        unit = task.model.variables[name.partition("[")[0]].unit
        attrs = {"units": unit, "long_name": name, "role": "lever"}
        columns[name] = xr.DataArray(points[:, k], dims=POLICY, attrs=attrs)
    return columns


def _hypervolume(found: Mapping[int, Evolved]) -> xr.DataArray:
    shares = hypervolume([one.fronts for one in found.values()])
    return xr.DataArray(
        shares,
        {"seed_run": list(found), "generation": np.arange(1, shares.shape[1] + 1)},
        ("seed_run", "generation"),
        attrs={"units": "Dmnl", "long_name": "hypervolume"},
    )
