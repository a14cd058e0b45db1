"""Draws of the uncertain parameters, each from the distribution that its row of the table names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kredslob.cycle.parameters import Parameter, ParameterTable

DISTRIBUTION = (
    "each uncertain parameter by itself: triangular over low, value and high; uniform over low and "
    "high; a switch on or off with equal chance; what the scenario changes is held"
)
_UNCERTAIN = ("parameter", "switch")


def draw_parameters(
    table: ParameterTable, stated: Mapping[str, Any], draws: int, seed: int
) -> dict[str, np.ndarray]:
    """Draw values of the uncertain parameters, independently of each other.

    Parameters
    ----------
    table : ParameterTable
        Ranges and distributions. Levers and settings are choices and are not drawn.
    stated : mapping of str to values
        What a scenario states, as `kredslob.cycle.scenario.Scenario.parameters`. Where it differs
        from the table it is a choice too, and is held.
    draws : int
        Number of draws, at least 1.
    seed : int
        Seed of NumPy's default generator, at least 0.

    Returns
    -------
    dict of str to array, shape (draws,)
        Values in the table's units by ``name`` or ``name[element,element]``: a design for
        `kredslob.simulation.Model.run_many`.
    """
    rows = uncertain_rows(table, stated)
    chances = np.random.default_rng(seed).random((len(rows), draws))
    return {row.label: _values(row, part) for row, part in zip(rows, chances, strict=True)}


def uncertain_rows(table: ParameterTable, stated: Mapping[str, Any]) -> list[Parameter]:
    """Rows of the table that are uncertain and that a scenario leaves as they are."""
    return [row for row in table if _is_drawn(row) and _as_stated(row, stated) == row.value]


def _is_drawn(row: Parameter) -> bool:
    return row.kind in _UNCERTAIN and row.distribution != "fixed" and row.low < row.high


def _as_stated(row: Parameter, stated: Mapping[str, Any]) -> float:
    value = stated.get(row.name, row.value)
    for element in row.elements:
        value = value[element] if isinstance(value, Mapping) else value
    return float(value)


def _values(row: Parameter, chances: np.ndarray) -> np.ndarray:
    """Values at these chances: the inverse of the distribution function."""
    from scipy.stats import triang

    if row.distribution == "switch":
        return np.where(chances < 0.5, row.low, row.high)
    if row.distribution == "uniform":
        return row.low + chances * (row.high - row.low)
    width = row.high - row.low
    return triang.ppf(chances, (row.value - row.low) / width, row.low, width)
