"""The main table: measures down, reinvestment rates across."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import pandas as pd
import xarray as xr
from rich.box import SIMPLE_HEAD
from rich.table import Table

from kredslob.cycle.scenario import Scenario
from kredslob.show.language import Words, words

RATE = "reinvestment rate"
NEARLY = 0.9  # loop gain from which a cycle that does not carry itself is called near


def summary_frame(summary: xr.Dataset, language: str) -> pd.DataFrame:
    """Format a summary for people.

    Parameters
    ----------
    summary : Dataset
        From `kredslob.cycle.summary.summary`.
    language : str
        "da" or "en".

    Returns
    -------
    DataFrame
        Formatted text; rows are measures, columns are reinvestment rates.
    """
    w = words(language)
    rows = dict(_rows(summary, w))
    columns = [w.percent(float(rate)) for rate in summary[RATE]]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def summary_table(summary: xr.Dataset, language: str, scenario: Scenario) -> Table:
    """Lay a summary out for the terminal, under the place and policy; see `summary_frame`."""
    frame = summary_frame(summary, language)
    heading = words(language).text("table.measure")
    note = rate_note(summary, language, scenario)
    table = titled_table(frame, heading, note, scenario, language)
    for column in table.columns[1:]:
        column.no_wrap = True
    return table


def titled_table(
    frame: pd.DataFrame, heading: str, note: str, scenario: Scenario, language: str
) -> Table:
    """Lay formatted text out for the terminal, under the place and policy.

    Parameters
    ----------
    frame : DataFrame
        Formatted text.
    heading : str
        Stands over the names of the rows.
    note : str
        Stands below.
    scenario : Scenario
        What it is about.
    language : str
        "da" or "en".
    """
    title = scenario.setting_title[language]
    if scenario.name:
        title += f": {scenario.title[language]}"
    table = Table(
        title=title,
        title_style="bold",
        title_justify="left",
        caption=note,
        caption_justify="left",
        header_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column(heading)
    for column in frame.columns:
        table.add_column(str(column), justify="right")
    for name, row in frame.iterrows():
        table.add_row(str(name), *(str(cell) for cell in row))
    return table


def case_table(comparison: pd.DataFrame, language: str) -> Table:
    """Lay published cases out for the terminal.

    Parameters
    ----------
    comparison : DataFrame
        From `kredslob.cycle.cases.compare` or `compare_all`, in the same language.
    language : str
        "da" or "en".
    """
    w = words(language)
    table = Table(header_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    several = "case" in comparison
    if several:
        table.add_column(w.text("case.case"))
    for column in ("run", "quantity", "published", "model", "difference"):
        right = column not in ("run", "quantity")
        heading = w.text(f"case.{column}")
        table.add_column(heading, justify="right" if right else "left", no_wrap=right)
    above = ""
    for row in comparison.to_dict("records"):
        name = str(row.get("case", ""))
        first = ["" if name == above else name.partition(":")[0]] if several else []
        above = name
        table.add_row(*first, *_case_row(row, w))
    return table


def _case_row(row: Mapping[Hashable, Any], w: Words) -> list[str]:
    published, model = float(row["published"]), float(row["model"])
    if row["quantity"] == "self-sustaining":
        shown = [w.text("yes" if value else "no") for value in (published, model)] + [""]
    else:
        digits = 0 if published >= 50 else 3
        shown = [w.number(value, digits) for value in (published, model)]
        shown.append(w.percent(float(row["difference"])) if published else "")
    return [w.text(f"case.{row['run']}"), w.text(f"case.{row['quantity']}"), *shown]


def case_notes(comparison: pd.DataFrame, language: str) -> list[str]:
    """Why each result of a case differs from the published one, a line each."""
    w = words(language)
    records = comparison.to_dict("records")
    return [f"{w.text('case.' + str(row['quantity']))}: {row['note']}" for row in records]


def rate_note(summary: xr.Dataset, language: str, scenario: Scenario) -> str:
    """Say that the rate moves during the run, where a schedule or a rule sets it; else nothing."""
    if not scenario.parameters.get("reinvestment rule", 0):
        return ""
    w = words(language)
    return w.text("table.rate_moves", rate=w.percent(float(summary[RATE][-1])))


def verdict(summary: xr.Dataset, language: str) -> str:
    """Say yes, nearly or no for one rate: nearly from a loop gain of 0.9."""
    if bool(summary["self-sustaining"]):
        key = "yes"
    else:
        key = "nearly" if float(summary["loop gain"]) >= NEARLY else "no"
    return words(language).text(key)


def _rows(summary: xr.Dataset, w: Words) -> Iterator[tuple[str, list[str]]]:
    def row(name: str, form: Callable[[float], str]) -> list[str]:
        return [form(float(v)) if v == v else w.text("none") for v in summary[name].transpose(RATE)]

    for name in summary.data_vars:
        if str(name).startswith("fund at year "):
            year = str(name).removeprefix("fund at year ")
            yield w.text("table.fund_at", year=year), row(str(name), lambda v: w.millions(v, 2))
    yield w.text("table.helped"), row("citizens helped", w.number)
    yield w.text("table.lifted"), row("citizens lifted", w.number)
    yield w.text("table.complex"), row("share to complex need", w.percent)
    for purse in summary["Purse"].values:
        label = w.text("table.saving", purse=w.text(f"purse.{purse}"))
        saving = summary["net saving"].sel(Purse=purse).transpose(RATE)
        yield label, [w.millions(float(v)) for v in saving]
    payback = summary["payback year"].transpose(RATE)
    yield (
        w.text("table.payback"),
        [w.number(float(v), 1) if v == v else w.text("never") for v in payback],
    )
    yield w.text("table.npv"), row("net present value", w.millions)
    yield w.text("table.gain"), row("loop gain", lambda v: w.number(v, 2))
    critical = summary["critical rate"].transpose(RATE)
    yield (
        w.text("table.critical"),
        [w.percent(float(v)) if v <= 1 else w.text("table.no_rate") for v in critical],
    )
    yield (
        w.text("table.sustaining"),
        [verdict(summary.isel({RATE: i}), w.language) for i in range(summary.sizes[RATE])],
    )
