"""Extreme conditions of a model: each by itself, and each with each other.

Where all pairs would take too long, a covering array is run in their place: a design in which every
pair stands in some run, with the other inputs at extremes of their own (Cohen, Dalal, Fredman and
Patton 1997, IEEE Transactions on Software Engineering 23, 437-444).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from kredslob.errors import ParameterError
from kredslob.simulation import HasParameters, Model

PAIR_BUDGET = 4e11
"""Numbers that runs of pairs may compute; this much takes about half a minute on two cores."""

SINGLES_AT_ONCE, _PAIRS_AT_ONCE = 200, 4000  # runs in memory
_FACTORS = (0.5, 2.0)  # where a model states no ranges
_SEED = 0  # of the order in which a covering array is filled

Scenario = Mapping[str, Any] | HasParameters | None


@dataclass(frozen=True)
class Condition:
    """What is changed: an input set to a value ("="), or taken times a factor ("x")."""

    label: str
    relation: str
    value: float

    def __str__(self) -> str:
        return f"{self.label} {self.relation} {self.value:g}"


Conditioned = tuple[list[tuple[Condition, ...]], xr.Dataset]
"""Runs, with the conditions of each."""


@dataclass(frozen=True)
class Extreme:
    """One extreme condition.

    Parameters
    ----------
    condition : Condition
        What it is.
    name : str
        The constant of the model that it changes.
    values : array, of the constant's shape
        All values of the constant under it.
    """

    condition: Condition
    name: str
    values: np.ndarray


@dataclass(frozen=True)
class _Change:
    """A condition as the places in a constant that it changes, and their values."""

    condition: Condition
    name: str
    cells: np.ndarray
    values: np.ndarray


def halved_and_doubled(model: Model) -> list[Extreme]:
    """Extreme conditions of a model that states no ranges: each constant halved, and doubled."""
    program = model.program
    control = {n for n, a in program.arrays.items() if a.kind != "constant"}
    found: list[Extreme] = []
    for name, default in program.defaults.items():
        values = np.asarray(default, dtype=float)
        if name in control or not np.isfinite(values).all() or not values.any():
            continue
        for factor in _FACTORS:
            changed = (factor * values).reshape(program.arrays[name].shape)
            found.append(Extreme(Condition(name, "x", factor), name, changed))
    return found


def single_runs(
    model: Model,
    scenario: Scenario,
    extremes: Sequence[Extreme],
    *,
    at: Sequence[float],
    save: Sequence[str],
    client: Any = None,
) -> Iterator[tuple[Sequence[Extreme], xr.Dataset]]:
    """Runs under one condition each, some at a time, without those that the model refuses.

    A condition is refused if it cannot be meant, such as a horizon that ends before it begins.
    """
    for begin in range(0, len(extremes), SINGLES_AT_ONCE):
        part = extremes[begin : begin + SINGLES_AT_ONCE]
        try:
            changes = [{extreme.name: extreme.values} for extreme in part]
            runs = model.without_bounds().run_many(
                changes, scenario, at=list(at), save=list(save), client=client
            )
        except ParameterError:
            if len(part) == 1:
                continue
            for half in (part[: len(part) // 2], part[len(part) // 2 :]):
                yield from single_runs(model, scenario, half, at=at, save=save, client=client)
        else:
            yield part, runs


def pair_runs(
    model: Model,
    scenario: Scenario,
    extremes: Sequence[Extreme],
    *,
    at: Sequence[float],
    save: Sequence[str],
    years: float | None = None,
    budget: float = PAIR_BUDGET,
    client: Any = None,
) -> Iterator[Conditioned]:
    """Runs under each pair of conditions, some at a time.

    Parameters
    ----------
    model, scenario
        As for `Model.run_many`.
    extremes : sequence of Extreme
        Conditions that the model takes; two that change the same number are no pair.
    at, save, years, client
        As for `Model.run_many`.
    budget : float
        Runs times time steps times numbers in the model that may be computed. If all pairs take
        more, those of a covering array are run.

    Yields
    ------
    conditions, runs
        The conditions of each run, and the runs.
    """
    base = _base(model, scenario)
    changed = [_changed(extreme, base[extreme.name]) for extreme in extremes]
    changes = [change for change in changed if len(change.cells)]
    if len(changes) < 2:
        return
    each = len(changes) * (len(changes) - 1) / 2
    if each * _cost(model, years) <= budget:
        rows = _all_pairs(changes)
    else:
        rows = covering_array([(change.name, tuple(change.cells)) for change in changes])

    def part(some: np.ndarray) -> Iterator[Conditioned]:
        design = _design(model, changes, base, some)
        try:
            runs = model.without_bounds().run_many(
                design, scenario, at=list(at), save=list(save), years=years, client=client
            )
        except ParameterError:
            for half in np.array_split(some, 2) if len(some) > 1 else ():
                yield from part(half)
        else:
            yield [tuple(changes[k].condition for k in row) for row in some], runs

    for begin in range(0, len(rows), _PAIRS_AT_ONCE):
        yield from part(rows[begin : begin + _PAIRS_AT_ONCE])


def covering_array(owners: Sequence[Any]) -> np.ndarray:
    """A design in which every two conditions of different inputs stand together in some run.

    Parameters
    ----------
    owners : sequence
        For each condition the input that it changes.

    Returns
    -------
    array of int, shape (runs, inputs)
        Numbers of the conditions of each run, one an input.
    """
    groups: dict[Any, list[int]] = {}
    for k, owner in enumerate(owners):
        groups.setdefault(owner, []).append(k)
    levels = [np.array(members) for members in groups.values()]
    place = np.empty(len(owners), dtype=int)
    for number, members in enumerate(levels):
        place[members] = number
    open_ = place[:, np.newaxis] != place  # pairs still to be covered
    rng = np.random.default_rng(_SEED)
    rows = []
    while open_.any():
        row = np.full(len(levels), -1)
        first = int(open_.sum(axis=1).argmax())  # the condition that lacks most
        row[place[first]] = first
        for number in rng.permutation(len(levels)):
            if row[number] < 0:
                chosen = row[row >= 0]
                gains = open_[np.ix_(levels[number], chosen)].sum(axis=1)
                best = np.flatnonzero(gains == gains.max())
                row[number] = levels[number][rng.choice(best)]
        open_[np.ix_(row, row)] = False
        rows.append(row)
    return np.array(rows)


def _base(model: Model, scenario: Scenario) -> dict[str, np.ndarray]:
    """Values of all constants in the scenario as it is."""
    program = model.program
    stated = model.shared_design(scenario, {}, None, None, None).values
    return {
        name: np.asarray(stated[name][0] if name in stated else default, dtype=float).ravel()
        for name, default in program.defaults.items()
    }


def _changed(extreme: Extreme, base: np.ndarray) -> _Change:
    values = np.ravel(extreme.values)
    cells = np.flatnonzero(values != base)
    return _Change(extreme.condition, extreme.name, cells, values[cells])


def _cost(model: Model, years: float | None) -> float:
    """Numbers that one run computes: time steps times the size of the model."""
    program = model.program
    clock, values = program.clock, program.defaults
    begin, end, step = (
        float(np.ravel(values[n])[0]) for n in (clock.initial, clock.final, clock.step)
    )
    size = sum(int(np.prod(array.shape)) for array in program.arrays.values())
    return (end - begin if years is None else years) / step * size


def _all_pairs(changes: Sequence[_Change]) -> np.ndarray:
    """Numbers of all two conditions that do not change the same number, shape (pairs, 2)."""
    first, second = np.triu_indices(len(changes), 1)
    names = np.array([change.name for change in changes])
    same = names[first] == names[second]
    for k in np.flatnonzero(same):
        cells, others = changes[first[k]].cells, changes[second[k]].cells
        same[k] = bool(np.intersect1d(cells, others).size)
    return np.column_stack([first[~same], second[~same]])


def _design(
    model: Model, changes: Sequence[_Change], base: Mapping[str, np.ndarray], rows: np.ndarray
) -> dict[str, np.ndarray]:
    """Values of each constant that some run changes, the run first."""
    found: dict[str, np.ndarray] = {}
    for k in np.unique(rows):
        change = changes[k]
        values = found.setdefault(change.name, np.tile(base[change.name], (len(rows), 1)))
        where = np.flatnonzero((rows == k).any(axis=1))
        values[np.ix_(where, change.cells)] = change.values
    return {
        name: values.reshape(len(rows), *model.program.arrays[name].shape)
        for name, values in found.items()
    }
