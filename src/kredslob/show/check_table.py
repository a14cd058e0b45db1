"""The tests of a model as a table for people, and as files."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from kredslob.results import new_run_folder
from kredslob.show.language import LANGUAGES, Words, words

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
            w.text("check.where"): row["where"],
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


def save_checks(folder: Path, found: pd.DataFrame, made_by: dict[str, str]) -> None:
    """Write checks to a new or empty folder: checks.json with plain numbers, and a CSV a language.

    Raises
    ------
    InputFileError
        The folder is in use or cannot be made.
    """
    rows = json.loads(found.to_json(orient="records", double_precision=15))
    with new_run_folder(folder) as hidden:
        text = json.dumps({**made_by, "checks": rows}, indent=2, ensure_ascii=False)
        (hidden / "checks.json").write_text(text + "\n", encoding="utf-8")
        for language in LANGUAGES:
            check_frame(found, language).to_csv(hidden / f"checks.{language}.csv", index=False)


def _number(value: float, w: Words) -> str:
    if value != value:
        return w.text("none")
    if value == round(value):
        return w.number(value)
    if abs(value) >= 1e-3:
        return w.number(value, 3)
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    return f"{w.number(float(mantissa))}e{int(exponent)}"
