"""Datasets as columns of a sheet: a heading, how numbers look, and a value a row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from kredslob.cycle.summary import RATE
from kredslob.show.language import Words

MILLIONS = "#,##0.0,,"  # Excel's own way to show kroner as millions
FORMATS = {
    "DKK": "#,##0",
    "DKK/year": "#,##0",
    "person": "#,##0.0",
    "Dmnl": "0.000",
    "year": "0.0",
    "rate": "0%",
    "plain": "General",
    "whole": "0",
}


@dataclass(frozen=True)
class Column:
    """A column of a sheet: heading, format of its numbers and values, a cell a row."""

    heading: str
    form: str
    values: Sequence[Any] | np.ndarray


def measures(table: xr.Dataset, w: Words) -> Iterator[tuple[str, str, list[Any]]]:
    """Rows of the summary: label, number format and a value a rate."""

    def values(name: str) -> list[Any]:
        return list(table[name].transpose(RATE).values)

    for name in map(str, table.data_vars):
        if name.startswith("fund at year "):
            year = name.removeprefix("fund at year ")
            yield w.text("table.fund_at", year=year), "#,##0.00,,", values(name)
    yield w.text("table.helped"), "#,##0", values("citizens helped")
    yield w.text("table.lifted"), "#,##0", values("citizens lifted")
    yield w.text("workbook.wellbeing"), "#,##0.0", values("wellbeing years")
    yield w.text("table.complex"), "0%", values("share to complex need")
    for purse in table["Purse"].values:
        label = w.text("table.saving", purse=w.text(f"purse.{purse}"))
        yield label, MILLIONS, list(table["net saving"].sel(Purse=purse).transpose(RATE).values)
    never = w.text("never")
    yield w.text("table.payback"), "0.0", [v if v == v else never for v in values("payback year")]
    yield w.text("table.npv"), MILLIONS, values("net present value")
    yield w.text("table.gain"), "0.00", values("loop gain")
    yield (
        w.text("table.critical"),
        "0%",
        [v if v <= 1 else math.inf for v in values("critical rate")],
    )
    yield w.text("table.sustaining"), "plain", values("self-sustaining")


def columns_of(named: dict[str, xr.DataArray], dims: Sequence[str], w: Words) -> list[Column]:
    """Lay arrays over the same dimensions out as columns, the dimensions first."""
    if not named:
        return []
    first = next(iter(named.values()))
    whole = [d for d in dims if any(d in v.dims for v in named.values())]
    sizes = {d: next(v.sizes[d] for v in named.values() if d in v.dims) for d in whole}
    template = {d: next(v for v in named.values() if d in v.dims) for d in whole}
    columns = []
    for place, dim in enumerate(whole):
        labels = template[dim][dim].values if dim in template[dim].coords else np.arange(sizes[dim])
        inner = math.prod(sizes[d] for d in whole[place + 1 :])
        outer = math.prod(sizes[d] for d in whole[:place])
        cells = np.tile(np.repeat(labels, inner), outer)
        form = {RATE: "rate", "time": "0.##", "year": "whole"}.get(dim, "plain")
        shown = [w.table.get(f"{_KINDS.get(dim, 'element')}.{c}", c) for c in cells]
        columns.append(Column(w.table.get(f"workbook.dim.{dim}", dim), form, shown))
    for heading, array in named.items():
        spread = array.broadcast_like(first) if set(array.dims) != set(whole) else array
        values = spread.transpose(*whole).values.reshape(-1)
        unit = str(array.attrs.get("units", ""))
        said = f"{heading} ({w.unit(unit)})" if unit and unit != "Dmnl" else heading
        columns.append(Column(said, unit if unit in FORMATS else "0.000", values))
    return columns


_KINDS = {"party": "party", RATE: "rate_value", "time": "time_value"}


def parts_of(
    name: str, array: xr.DataArray, lead: Sequence[str]
) -> Iterator[tuple[str, xr.DataArray]]:
    """One array for each element of a subscripted variable."""
    own = [d for d in array.dims if d not in lead]
    stacked = array.stack(_cell=own)
    for k, cell in enumerate(stacked["_cell"].values):
        part = stacked.isel(_cell=k, drop=True)
        part = part.drop_vars([c for c in part.coords if c not in part.dims])
        yield f"{name}[{','.join(map(str, cell))}]", part.assign_attrs(array.attrs)


def elements_of(name: str, array: xr.DataArray) -> Iterator[tuple[str, float]]:
    """Give the numbers of a variable at one time, each with its name and elements."""
    if not array.dims:
        yield name, float(array)
        return
    for label, part in parts_of(name, array, []):
        yield label, float(part)


def flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Values by name and elements: ``name[element,element]``."""
    if isinstance(value, dict):
        for key, part in value.items():
            inner = f"{name[:-1]},{key}]" if name.endswith("]") else f"{name}[{key}]"
            yield from flat(inner if name else str(key), part)
    else:
        yield name, value
