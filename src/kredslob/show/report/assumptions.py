"""The parameter table for readers: values that are the same share a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from kredslob.cycle.parameters import Parameter, ParameterTable
from kredslob.show.changed_rows import amount, number_text
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


def _told(row: Parameter, w: Words) -> list[str]:
    source = w.table.get(f"origin.{row.source}", row.source)
    if row.figure_year:
        source = f"{source} ({row.figure_year})"
    spread = w.text("none")
    if row.low != row.high:
        spread = f"{number_text(row.low, w)} – {number_text(row.high, w)}"
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
