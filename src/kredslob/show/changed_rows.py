"""What a scenario sets otherwise than the parameter table, as rows of a table for readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kredslob.cycle.parameters import Parameter
from kredslob.cycle.scenario import Scenario, parameter_table
from kredslob.show.language import Words


def changed_rows(scenario: Scenario, w: Words) -> list[list[str]]:
    """Lay out what a scenario sets otherwise than the table: name, value there, value in the table.

    Parameters
    ----------
    scenario : Scenario
        Place and policy.
    w : Words
        The language.
    """
    known = parameter_table()
    rows = []
    for name, value in scenario.parameters.items():
        if name not in known.names():
            rows.append([w.parameter(name), _schedule(value, w), w.text("none")])
            continue
        for row in known.of(name):
            here: Any = value
            for element in row.elements:
                here = here[element] if isinstance(here, Mapping) else here
            if not isinstance(here, int | float) or here == row.value:
                continue
            rows.append([w.parameter(row.label), *(amount(v, row, w) for v in (here, row.value))])
    return rows


def amount(value: float, row: Parameter, w: Words) -> str:
    """Write a value of a parameter with its unit."""
    unit = "" if row.unit == "Dmnl" else f" {w.unit(row.unit)}"
    return number_text(value, w) + unit


def number_text(value: float, w: Words) -> str:
    """Write a value of a parameter to three digits, without its unit."""
    text = f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    digits = len(text.partition(".")[2]) if "e" not in text else 6
    return w.number(value, digits)


def _schedule(value: object, w: Words) -> str:
    if not isinstance(value, list | tuple):
        return str(value)
    points = [point for point in value if isinstance(point, list | tuple) and len(point) == 2]
    return ", ".join(
        w.text("report.in_year", year=w.number(float(t)), rate=w.percent(float(v)))
        for t, v in points
    )
