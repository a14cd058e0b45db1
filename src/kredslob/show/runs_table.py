"""Saved runs in tables for people: a list of them, and how some differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kredslob.archive import RunEntry
from kredslob.cycle.summary import RATE, summary, with_rate
from kredslob.results import SavedRun
from kredslob.show.columns import flat
from kredslob.show.language import Words, words
from kredslob.show.table import summary_frame
from kredslob.studies.reproduction import Reproduction

_COLUMNS = ("name", "when", "kind", "setting", "scenario", "rates", "years", "size")
_RIGHT = ("years", "size")
_GIVEN_UP = ("size", "setting", "scenario", "time", "years", "rates", "kind", "when")
"""What is left out of a list, in turn, until a run is one line; "time" is the time of day. The name
that a run is given by default says its setting, its policy or kind, and when it was made."""
_BETWEEN = 2  # blanks between columns
_MOST_RATES = 4
_MOST_END_VALUES = 40


def runs_table(entries: Sequence[RunEntry], language: str, width: int) -> RenderableType:
    """List runs, a line each, and under them what is wrong with those that are damaged.

    Parameters
    ----------
    entries : sequence of RunEntry
        From `kredslob.archive.list_runs`.
    language : str
        "da" or "en".
    width : int
        Letters in a line. Columns that do not fit are left out; a name that is longer is folded.
    """
    w = words(language)
    columns = _fitting(entries, w, width)
    table = Table(
        header_style="bold", box=SIMPLE_HEAD, show_edge=False, padding=(0, _BETWEEN, 0, 0)
    )
    for name in columns:
        table.add_column(
            w.text(f"runs.column.{name}"),
            justify="right" if name in _RIGHT else "left",
            no_wrap=name != "name",
            overflow="fold",
        )
    for number, entry in enumerate(entries):
        cells = [cells[number] for cells in columns.values()]
        table.add_row(*map(Text, cells), style="bold red" if entry.damage else None)
    damaged = [
        Text(f"{e.folder.name}: {w.text('runs.damaged', reason=e.damage)}", "bold red")
        for e in entries
        if e.damage
    ]
    return Group(table, *([Text(), *damaged] if damaged else []))


def _fitting(entries: Sequence[RunEntry], w: Words, width: int) -> dict[str, list[str]]:
    """Columns that fit into a line, and their cells."""
    left_out: set[str] = set()
    for name in ("", *_GIVEN_UP):
        left_out.add(name)
        columns = {
            column: [_cell(column, entry, w, "time" not in left_out) for entry in entries]
            for column in _COLUMNS
            if column not in left_out
        }
        widest = [
            max(map(cell_len, (w.text(f"runs.column.{column}"), *cells)))
            for column, cells in columns.items()
        ]
        if sum(widest) + _BETWEEN * len(widest) <= width:
            break
    return columns


def _cell(column: str, entry: RunEntry, w: Words, with_time: bool) -> str:
    found: str | None = None
    match column:
        case "name":
            found = entry.folder.name
        case "when" if entry.when:
            when = entry.when.astimezone()
            found = f"{when:%Y-%m-%d %H:%M}" if with_time else f"{when:%Y-%m-%d}"
        case "kind":
            found = w.table.get(f"runs.kind.{entry.kind}", entry.kind)
        case "setting":
            found = entry.setting
        case "scenario":
            found = entry.scenario
        case "rates":
            found = _rates(entry.levers.get(RATE, []), w)
        case "years" if entry.years is not None:
            found = w.number(entry.years, 0 if entry.years % 1 == 0 else 1)
        case "size":
            found = _size(entry.size, w)
    return found or w.text("none")


def _rates(rates: Sequence[float], w: Words) -> str:
    if len(rates) > _MOST_RATES:
        low, high = w.number(100 * min(rates)), w.percent(max(rates))
        return w.text("runs.many_rates", count=len(rates), low=low, high=high)
    return ", ".join(w.percent(rate) for rate in rates)


def _size(size: int, w: Words) -> str:
    return w.text("runs.megabytes", amount=w.number(size / 1e6, 1))


# --- comparing ---------------------------------------------------------------------------------


def text_table(frame: pd.DataFrame, title: str, heading: str) -> Table:
    """Lay texts out for the terminal, a row a name."""
    table = Table(
        title=Text(title),
        title_style="bold",
        title_justify="left",
        header_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column(heading)
    for column in frame.columns:
        table.add_column(Text(str(column)), justify="right", overflow="fold")
    for name, row in frame.iterrows():
        table.add_row(Text(str(name)), *(Text(str(cell)) for cell in row))
    return table


def compared_parameters(saved: Sequence[SavedRun], language: str) -> pd.DataFrame:
    """What differs between the parameters, models and settings of runs.

    Parameters
    ----------
    saved : sequence of SavedRun
        Two or more.
    language : str
        "da" or "en".

    Returns
    -------
    DataFrame
        Texts: a row for each thing that is not the same in all runs, a column a run. What a run
        leaves as the model has it is shown as a dash.
    """
    w = words(language)
    columns = [dict(_stated(run.manifest, w)) for run in saved]
    names = dict.fromkeys(name for column in columns for name in column)
    none = w.text("none")
    rows = {name: [column.get(name, none) for column in columns] for name in names}
    differing = {name: row for name, row in rows.items() if len(set(row)) > 1}
    return pd.DataFrame.from_dict(differing, orient="index", columns=_names(saved))


def _stated(manifest: Mapping[str, Any], w: Words) -> Iterator[tuple[str, str]]:
    for name in ("kind", "setting", "scenario", "years", "seed", "draws", "model sha256"):
        value = manifest.get(name)
        if value not in (None, ""):
            text = w.table.get(f"runs.kind.{value}", str(value))
            number = isinstance(value, float)
            yield w.text(f"runs.stated.{name}"), w.number(value) if number else text[:12]
    rates = (manifest.get("levers") or {}).get(RATE, [])
    if rates:
        yield w.text("runs.column.rates"), _rates(rates, w)
    for label, value in flat("", manifest["parameters"]):
        yield w.parameter(label), _plain(value, w)


def _plain(value: Any, w: Words) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return w.number(value, _digits(float(value)))
    return str(value)


def _digits(value: float) -> int:
    """Decimals that show a number without more than six figures."""
    text = np.format_float_positional(float(f"{value:.6g}"), trim="-")
    return len(text.partition(".")[2])


def compared_results(saved: Sequence[SavedRun], language: str) -> tuple[pd.DataFrame, str]:
    """What came out of runs, side by side.

    Parameters
    ----------
    saved : sequence of SavedRun
        Two or more.
    language : str
        "da" or "en".

    Returns
    -------
    DataFrame
        Texts: a row a measure, a column a run. For the reinvestment model the measures of
        `kredslob.show.table.summary_frame`; for other models the stocks at the end.
    str
        The reinvestment rate that the measures are for: the highest that all runs have, or else
        each run's highest. Empty for other models.
    """
    w = words(language)
    sums = [_summary(run) for run in saved]
    if any(s is None for s in sums):
        return _end_values(saved, w), ""
    found = [s for s in sums if s is not None]
    common = set.intersection(*({float(r) for r in s[RATE].values} for s in found))
    rates = [max(common) if common else float(s[RATE].max()) for s in found]
    frames = [
        summary_frame(s.sel({RATE: [rate]}), language).iloc[:, 0]
        for s, rate in zip(found, rates, strict=True)
    ]
    whole = pd.concat(frames, axis=1, keys=_names(saved), sort=False).fillna(w.text("none"))
    said = w.percent(rates[0]) if common else w.text("runs.own_rates")
    return whole, said


def _summary(run: SavedRun) -> xr.Dataset | None:
    """Summary of a run; none where the run does not hold what it is made from."""
    if "summary" in run.tables:
        return run.tables["summary"]
    try:
        return summary(with_rate(run.runs))
    except KeyError:
        return None


def _end_values(saved: Sequence[SavedRun], w: Words) -> pd.DataFrame:
    """Stocks at the end: sums over their elements, at the last value of what a sweep varied."""
    columns = []
    for run in saved:
        end = run.runs.isel(time=-1)
        stocks = [n for n, v in end.data_vars.items() if v.attrs.get("kind") == "stock"]
        shown = stocks or [str(n) for n in end.data_vars]
        last = {d: -1 for d in (run.manifest.get("levers") or {}) if d in end.dims}
        values = {str(n): float(end[n].isel(last, missing_dims="ignore").sum()) for n in shown}
        columns.append({n: w.number(v, _digits(v)) for n, v in values.items()})
    names = list(dict.fromkeys(n for c in columns for n in c))[:_MOST_END_VALUES]
    rows = {n: [c.get(n, w.text("none")) for c in columns] for n in names}
    return pd.DataFrame.from_dict(rows, orient="index", columns=_names(saved))


def _names(saved: Sequence[SavedRun]) -> list[str]:
    """Names of the folders; the whole path where two are called the same."""
    short = [run.folder.name for run in saved]
    return short if len(set(short)) == len(short) else [str(run.folder) for run in saved]


# --- made again --------------------------------------------------------------------------------


def reproduction_lines(found: Reproduction, w: Words, most: int) -> Iterator[str]:
    """What came of making a run again, a line each; at most so many differences."""
    for name, then, now in found.software:
        yield w.text("reproduce.version", name=name, then=then, now=now)
    for name in found.other_inputs:
        yield w.text("reproduce.input", name=name)
    for name, fault in found.faults:
        yield w.text(f"reproduce.{fault}", name=name)
    count = w.number(found.compared)
    if not found.differences:
        yield w.text("reproduce.same", count=count)
        return
    largest = found.differences[0]
    yield w.text("reproduce.differ", count=len(found.differences), numbers=count)
    for d in found.differences[:most]:
        place = f"{d.table}: {d.variable}" + (f" ({d.where})" if d.where else "")
        yield f"  {place}: {_relative(d.relative, w)}"
    if len(found.differences) > most:
        yield w.text("reproduce.more", count=len(found.differences) - most)
    if largest.where:
        yield w.text("reproduce.largest", relative=_relative(largest.relative, w))


def _relative(value: float, w: Words) -> str:
    if not np.isfinite(value):
        return w.text("reproduce.not_comparable")
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{w.number(float(mantissa), 1)}e{int(exponent)}"
