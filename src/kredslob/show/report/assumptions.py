"""The parameter table for readers: values that are the same share a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from kredslob.cycle.parameters import Parameter, ParameterTable
from kredslob.cycle.scenario import Scenario, parameter_table
from kredslob.show.language import Words
from kredslob.show.report.markdown import link


def parameter_rows(known: ParameterTable, w: Words) -> list[list[str]]:
    """Lay the parameters out: name, value, range, certainty, source.

    Elements of a parameter whose row would read the same share one; where all elements do, none is
    named.

    Parameters
    ----------
    known : ParameterTable
        The parameters.
    w : Words
        The language.
    """
    rows = []
    for name in known.names():
        every = known.of(name)
        alike: dict[tuple[str, ...], list[Parameter]] = {}
        for row in every:
            alike.setdefault(tuple(_told(row, w)), []).append(row)
        for told, same in alike.items():
            rows.append([_named(name, same, every, w), *told])
    return rows


def amount(value: float, row: Parameter, w: Words) -> str:
    """Write a value of a parameter with its unit."""
    unit = "" if row.unit == "Dmnl" else f" {w.unit(row.unit)}"
    return _number(value, w) + unit


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


def _schedule(value: object, w: Words) -> str:
    if not isinstance(value, list | tuple):
        return str(value)
    points = [point for point in value if isinstance(point, list | tuple) and len(point) == 2]
    return ", ".join(
        w.text("report.in_year", year=w.number(float(t)), rate=w.percent(float(v)))
        for t, v in points
    )


def _told(row: Parameter, w: Words) -> list[str]:
    source = w.table.get(f"origin.{row.source}", row.source)
    if row.figure_year:
        source = f"{source} ({row.figure_year})"
    spread = w.text("none")
    if row.low != row.high:
        spread = f"{_number(row.low, w)} – {_number(row.high, w)}"
    return [
        amount(row.value, row, w),
        spread,
        w.text(f"certainty.{row.certainty}"),
        link(source, row.url or ""),
    ]


def _named(name: str, same: Sequence[Parameter], every: Sequence[Parameter], w: Words) -> str:
    said = w.parameter(name)
    if (len(same) == len(every) and len(every) > 1) or not every[0].elements:
        return said
    return f"{said}: {'; '.join(_elements(same, every, w))}"


def _elements(same: Sequence[Parameter], every: Sequence[Parameter], w: Words) -> Iterator[str]:
    """Elements of rows; where all needs of a group are among them, the group alone."""
    for first, rows in groupby(same, key=lambda row: row.elements[0]):
        own = [row.elements[1:] for row in rows]
        label = _label(first, w)
        if len(own) == sum(row.elements[0] == first for row in every):
            yield label
        else:
            yield f"{label} ({', '.join(_label(e, w) for rest in own for e in rest)})"


def _label(element: str, w: Words) -> str:
    label = w.table.get(f"element.{element}", element)
    return label[0].lower() + label[1:]


def _number(value: float, w: Words) -> str:
    text = f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    digits = len(text.partition(".")[2]) if "e" not in text else 6
    return w.number(value, digits)
