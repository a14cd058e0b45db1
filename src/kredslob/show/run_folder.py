"""Everything a run leaves behind, in one folder: numbers, tables, figures, pages and manifest."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from kredslob.cycle.accounts import accounts, bookkeeping
from kredslob.cycle.equity import equity
from kredslob.cycle.scenario import Scenario
from kredslob.cycle.summary import RATE, with_rate
from kredslob.paths import reinvestment_folder
from kredslob.processes import side_by_side
from kredslob.results import new_run_folder, write_manifest, write_numbers, write_run
from kredslob.show.csv_file import write_csv
from kredslob.show.figures import (
    Drawing,
    citizens_by_state,
    citizens_helped,
    fund_over_time,
    lay_out,
    saving_cascade,
    two_bookings,
    who_is_helped,
    who_saves,
)
from kredslob.show.language import LANGUAGES
from kredslob.show.origin import RunLog, design_frame, levers, write_origin
from kredslob.show.page import PageData, write_page
from kredslob.show.table import summary_frame

_PNG_DOTS_PER_INCH = 160


def save_run(
    folder: Path,
    runs: xr.Dataset,
    summary: xr.Dataset,
    *,
    scenario: Scenario,
    language: str,
    command: str,
) -> None:
    """Write a run of the reinvestment model to a folder, whole or not at all.

    Parameters
    ----------
    folder : Path
        A new or empty folder.
    runs : Dataset
        A sweep over the reinvestment rate, or one run.
    summary : Dataset
        From `kredslob.cycle.summary.summary`.
    scenario : Scenario
        What was run.
    language : str
        Language of the page that opens first; the other one is written beside it.
    command : str
        The command that makes the run again.

    Raises
    ------
    InputFileError
        The folder is in use or cannot be made.
    """
    log = RunLog(runs)
    runs = with_rate(runs)
    books, shares, views = accounts(runs), equity(runs), bookkeeping(runs)
    data = PageData(scenario, runs, summary, books, shares, command)
    tables = {"summary": summary, "accounts": books, "equity": shares, "bookkeeping": views}
    varied = levers(runs, scenario)
    made_by = {
        "kind": "run",
        "command": command,
        "setting": scenario.setting,
        "scenario": scenario.name,
        "levers": varied,
    }

    def write_for_readers(hidden: Path, one: str) -> None:
        drawings = draw_all(runs, shares, views, one)
        _write_drawings(hidden / "figures", one, drawings)
        write_page(hidden, data, drawings, one, first=language)
        write_csv(summary_frame(summary, one), hidden / f"summary.{one}.csv", index_label="")

    with new_run_folder(folder) as hidden:
        (hidden / "figures").mkdir()
        for_readers = [partial(write_for_readers, hidden, one) for one in LANGUAGES]
        side_by_side([*for_readers, partial(write_numbers, hidden, runs, tables)])
        flows = books["line item"].to_series().rename("DKK")
        write_csv(flows[flows != 0].to_frame(), hidden / "cash_flows.csv")
        log.note("numbers, figures and pages written")
        copy_model(hidden)
        write_origin(hidden, log, scenario, command, design_frame(varied))
        write_manifest(hidden, runs, made_by)


def save_study(
    folder: Path,
    runs: xr.Dataset,
    tables: Mapping[str, xr.Dataset],
    *,
    draw: Callable[[str], Sequence[Drawing]],
    texts: Callable[[str], Mapping[str, pd.DataFrame]],
    made_by: Mapping[str, Any],
    scenario: Scenario,
    design: pd.DataFrame | None = None,
) -> None:
    """Write a study of the reinvestment model to a folder, whole or not at all.

    Parameters
    ----------
    folder : Path
        A new or empty folder.
    runs : Dataset
        The runs.
    tables : mapping of str to Dataset
        What was found, by name of the file.
    draw, texts : callable
        Give for a language ("da" or "en") the figures, and tables for people by name of the file.
    made_by : mapping
        As for `kredslob.results.write_manifest`, with "kind" and "command"; setting, scenario and
        levers are added.
    scenario : Scenario
        What was run.
    design : DataFrame, optional
        What differs between the runs, a row each. Default: what the runs vary.

    Raises
    ------
    InputFileError
        The folder is in use or cannot be made.
    """
    log = RunLog(runs)
    made_by = {
        "setting": scenario.setting,
        "scenario": scenario.name,
        "levers": levers(runs, scenario),
        **made_by,
    }
    drawings = {language: draw(language) for language in LANGUAGES}
    with new_run_folder(folder) as hidden:
        write_figures(hidden / "figures", drawings)
        for language in LANGUAGES:
            for name, frame in texts(language).items():
                write_csv(frame, hidden / f"{name}.{language}.csv", index_label="")
        log.note("figures and tables written")
        copy_model(hidden)
        differing = design_frame(made_by["levers"]) if design is None else design
        write_origin(hidden, log, scenario, made_by["command"], differing)
        write_run(hidden, runs, tables, made_by)


def copy_model(folder: Path) -> None:
    """Put the reinvestment model and its parameters into a run's folder."""
    (folder / "model").mkdir()
    for name in ("reinvestment.mdl", "parameters.csv", "correlations.csv"):
        shutil.copyfile(reinvestment_folder() / name, folder / "model" / name)


def draw_all(
    runs: xr.Dataset, shares: xr.Dataset, views: xr.Dataset, language: str
) -> list[Drawing]:
    """Draw all figures of a run; those of a single run show the highest rate."""
    last = {RATE: -1}
    return [
        fund_over_time(runs, language),
        citizens_helped(runs, language),
        saving_cascade(runs, language),
        who_saves(runs, language),
        who_is_helped(shares.isel(last), language),
        citizens_by_state(runs, language),
        two_bookings(views.isel(last), language),
    ]


def write_figures(folder: Path, drawings: Mapping[str, Sequence[Drawing]]) -> None:
    """Write drawings, by language, to a new folder: each as PNG and SVG."""
    folder.mkdir()
    side_by_side([partial(_write_drawings, folder, one, drawn) for one, drawn in drawings.items()])


def _write_drawings(folder: Path, language: str, drawings: Sequence[Drawing]) -> None:
    for drawing in drawings:
        lay_out(drawing.figure, _PNG_DOTS_PER_INCH)
        path = folder / f"{drawing.name}.{language}"
        drawing.figure.savefig(f"{path}.png", dpi=_PNG_DOTS_PER_INCH)
        Path(f"{path}.svg").write_text(drawing.svg, encoding="utf-8")
