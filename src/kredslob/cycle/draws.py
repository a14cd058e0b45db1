"""Which parameters are uncertain, and from which distributions they are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kredslob.cycle.parameters import Parameter, ParameterTable

DISTRIBUTION = (
    "each uncertain parameter: triangular over low, value and high; uniform over low and high; a "
    "switch on or off with equal chance unless said otherwise; what the scenario changes is held"
)
_UNCERTAIN = ("parameter", "switch")


def uncertain_rows(table: ParameterTable, stated: Mapping[str, Any]) -> list[Parameter]:
    """Rows of the table that are uncertain and that a scenario leaves as they are.

    Parameters
    ----------
    table : ParameterTable
        Ranges and distributions. Levers and settings are choices and are not uncertain.
    stated : mapping of str to values
        What a scenario states, as `kredslob.cycle.scenario.Scenario.parameters`. Where it differs
        from the table it is a choice too.

    Returns
    -------
    list of Parameter
    """
    return [row for row in table if is_drawn(row) and _as_stated(row, stated) == row.value]


def is_drawn(row: Parameter) -> bool:
    """Whether a row of the table is uncertain: a parameter or switch with a range."""
    return row.kind in _UNCERTAIN and row.distribution != "fixed" and row.low < row.high


def _as_stated(row: Parameter, stated: Mapping[str, Any]) -> float:
    value = stated.get(row.name, row.value)
    for element in row.elements:
        value = value[element] if isinstance(value, Mapping) else value
    return float(value)
