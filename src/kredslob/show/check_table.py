"""The tests of a model as a table for people, and as files."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from kredslob.cycle.cases import load_case
from kredslob.cycle.scenario import list_scenarios
from kredslob.results import new_run_folder
from kredslob.show.csv_file import write_csv
from kredslob.show.language import LANGUAGES, Words, words
from kredslob.studies.checks import COLUMNS

_CHANGE = "change of "
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_COLOURS = {"pass": "green", "fail": "bold red", "not computable": "yellow"}


def check_frame(found: pd.DataFrame, language: str) -> pd.DataFrame:
    """Format checks for people.

    Parameters
    ----------
    found : DataFrame
        From `kredslob.studies.checks.check_model` or `kredslob.studies.cycle_checks.check_cycle`.
    language : str
        "da" or "en".

    Returns
    -------
    DataFrame
        Formatted text, a row a check: its name, verdict, what was measured, the tolerance, where it
        was largest, and what it means.
    """
    w = words(language)
    rows = [
        {
            w.text("check.check"): w.text(f"check.name.{row['check']}"),
            w.text("check.verdict"): w.text(f"check.verdicts.{row['verdict']}"),
            w.text("check.measured"): _number(float(row["measured"]), w),
            w.text("check.tolerance"): _number(float(row["tolerance"]), w),
            w.text("check.where"): place_text(row, w),
            w.text("check.meaning"): w.text(f"check.means.{row['check']}"),
        }
        for row in found.to_dict("records")
    ]
    return pd.DataFrame(rows)


def check_table(found: pd.DataFrame, language: str) -> Table:
    """Lay checks out for the terminal, without what they mean; see `check_notes`."""
    frame = check_frame(found, language).iloc[:, :-1]
    laid = Table(header_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(frame.columns):
        laid.add_column(str(column), justify="right" if number in (2, 3) else "left")
    for (_, row), verdict in zip(frame.iterrows(), found["verdict"], strict=True):
        cells = [Text(str(cell)) for cell in row]
        cells[1].stylize(_COLOURS[verdict])
        laid.add_row(*cells)
    return laid


def check_notes(found: pd.DataFrame, language: str) -> list[str]:
    """What each check means, a line each."""
    frame = check_frame(found, language)
    return [
        f"{name}: {means}" for name, means in zip(frame.iloc[:, 0], frame.iloc[:, -1], strict=True)
    ]


def save_checks(folder: Path, found: pd.DataFrame, numbers: xr.Dataset) -> None:
    """Write checks to a new or empty folder: a CSV a language, JSON with plain numbers, and netCDF.

    Parameters
    ----------
    folder : Path
        The folder.
    found : DataFrame
        From `kredslob.studies.checks.check_model` or `kredslob.studies.cycle_checks.check_cycle`.
    numbers : Dataset
        The same, from `kredslob.studies.checks.checks_dataset`.

    Raises
    ------
    InputFileError
        The folder is in use or cannot be made.
    """
    rows = json.loads(found[list(COLUMNS)].to_json(orient="records", double_precision=15))
    made_by = {"model": numbers.attrs["model"], "sha256": numbers.attrs["model_hash"]}
    with new_run_folder(folder) as hidden:
        text = json.dumps({**made_by, "checks": rows}, indent=2, ensure_ascii=False)
        (hidden / "checks.json").write_text(text + "\n", encoding="utf-8")
        for language in LANGUAGES:
            frame = check_frame(found, language)
            write_csv(frame, hidden / f"checks.{language}.csv", index=False)
        numbers.to_netcdf(hidden / "checks.nc", engine="h5netcdf")


def place_text(row: Mapping[Hashable, Any], w: Words) -> str:
    """Say in the language where a check measured what it did."""
    kind, subject, amount = str(row["kind"]), str(row["subject"]), float(row["amount"])
    if kind == "refused":
        return w.text("check.refused", count=w.number(amount))
    if kind == "order":
        return w.number(amount, 2)
    if kind == "step":
        digits = max(0, 2 - int(np.floor(np.log10(amount))))
        return f"{w.number(amount, digits)} {w.unit(str(row['unit']))}".strip()
    if kind == "effect":
        sign = "+" if amount > 0 else ""
        return f"{_named(subject, w)}: {sign}{w.percent(amount)}"
    if kind == "policy":
        return list_scenarios()[subject][w.language]
    if kind == "quantity":
        case, _, quantity = subject.partition(": ")
        title = load_case(case).title[w.language].partition(":")[0]
        return f"{title}: {w.text(f'case.{quantity}')}"
    if kind == "reason":
        return w.table.get(f"check.reason.{subject}", subject)
    said = _named(subject, w) if subject else ""
    under = ", ".join(
        _condition(label, relation, value, w)
        for label, relation, value in json.loads(row["conditions"])
    )
    return f"{said} ({under})" if under else said


def _condition(label: str, relation: str, value: float, w: Words) -> str:
    sign = "×" if relation == "x" else "="
    return f"{_named(label, w)} {sign} {_number(value, w)}"


def _named(name: str, w: Words) -> str:
    """Label of a variable or parameter; the model's own name, in quotes, where it has none."""
    if name.startswith(_CHANGE):
        return w.text("check.change", of=_named(name.removeprefix(_CHANGE), w))
    for kind in ("check.sum", "check.stock"):
        if f"{kind}.{name}" in w.table:
            return w.text(f"{kind}.{name}")
    if f"variable.{name}" in w.table:
        return w.labels[name]
    if f"parameter.{name.partition('[')[0]}" in w.table:
        return w.parameter(name)
    return w.text("quoted", name=name)


def _number(value: float, w: Words) -> str:
    if value != value:
        return w.text("none")
    if value == round(value):
        return w.number(value)
    if abs(value) >= 1e-3:
        return w.number(value, 3)
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    return f"{w.number(float(mantissa))} · 10{str(int(exponent)).translate(_RAISED)}"
