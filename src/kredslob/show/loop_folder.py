"""What a study of loops leaves behind: graph, scores, tables, figures and manifest."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
import xarray as xr

from kredslob.cycle.scenario import Scenario
from kredslob.feedback.graph import write_graph
from kredslob.results import MODEL, new_run_folder, write_run
from kredslob.show.csv_file import write_csv
from kredslob.show.figures import Drawing
from kredslob.show.language import LANGUAGES, words
from kredslob.show.loop_figures import (
    Shares,
    family_name,
    loops_in_charge,
    of_families,
    of_loops,
)
from kredslob.show.loop_table import TextTable, families_frame, loops_frame, periods_frame
from kredslob.show.origin import RunLog, design_frame, levers, write_origin
from kredslob.show.run_folder import copy_model, write_figures

_FORMATS = ("graphml", "gexf", "json", "dot", "mmd")


@dataclass(frozen=True)
class LoopStudy:
    """The loops of a model in one run or more.

    Parameters
    ----------
    runs : Dataset
        The runs.
    scores : mapping of float to Dataset
        Scores of each run: by reinvestment rate for the reinvestment model, else one under 0.
    graph : DiGraph
        The causal graph.
    titles : mapping of str to str
        What a single run of the reinvestment model is called, by language.
    families : bool
        Whether loops are told apart by families, as those of the reinvestment model are.
    model : Path
        The model file.
    """

    runs: xr.Dataset
    scores: Mapping[float, xr.Dataset]
    graph: nx.DiGraph
    titles: Mapping[str, str]
    families: bool
    model: Path

    def panels(self, language: str) -> dict[str, Shares]:
        """What loops do over time, by title of the run."""
        if not self.families:
            (scores,) = self.scores.values()
            return {self.model.name: of_loops(scores)}
        w = words(language)
        own = self.titles.get(language)
        return {
            own or w.text("rate", rate=w.percent(rate)): of_families(scores)
            for rate, scores in self.scores.items()
        }

    def labels(self, language: str) -> dict[str, str]:
        """What groups of loops are called."""
        if not self.families:
            return {}
        scores = next(iter(self.scores.values()))
        return {str(n): family_name(str(n), language) for n in scores["family"].values}

    def tables(self, language: str) -> dict[str, TextTable]:
        """Tables for people, by name of their file."""
        panels, labels = self.panels(language), self.labels(language)
        head = words(language).text("loops.loop")
        if self.families:
            main = {"families": TextTable("", head, families_frame(panels, language))}
        else:
            (scores,) = self.scores.values()
            main = {"loops": TextTable("", head, loops_frame(scores, language))}
        periods = {
            f"periods {rate:g}": TextTable(title, "", periods_frame(shares, labels, language))
            for rate, (title, shares) in zip(self.scores, panels.items(), strict=True)
        }
        return main | periods


def draw_loops(study: LoopStudy, language: str) -> list[Drawing]:
    """Draw all figures of a study of loops, in one language ("da" or "en")."""
    if not next(iter(study.scores.values())).sizes["loop"]:
        return []
    return [loops_in_charge(study.panels(language), study.labels(language), language)]


def save_loops(
    folder: Path, study: LoopStudy, made_by: Mapping[str, Any], scenario: Scenario | None = None
) -> None:
    """Write a study of loops to a folder, whole or not at all.

    Parameters
    ----------
    folder : Path
        A new or empty folder.
    study : LoopStudy
        What was found.
    made_by : mapping
        Command, setting and scenario.
    scenario : Scenario, optional
        What was run, for the reinvestment model.

    Raises
    ------
    InputFileError
        The folder is in use or cannot be made.
    """
    log = RunLog(study.runs)
    drawings = {language: draw_loops(study, language) for language in LANGUAGES}
    varied = levers(study.runs, scenario)
    made_by = {"kind": "loops", **made_by, "levers": varied}
    named = {
        f"loops {rate:g}" if study.families else "loops": s for rate, s in study.scores.items()
    }
    with new_run_folder(folder) as hidden:
        write_figures(hidden / "figures", drawings)
        for language in LANGUAGES:
            for name, table in study.tables(language).items():
                path = hidden / f"{name}.{language}.csv"
                write_csv(table.frame, path, index=bool(table.head))
        (hidden / "graph").mkdir()
        for suffix in _FORMATS:
            write_graph(study.graph, hidden / "graph" / f"causes.{suffix}")
        log.note("figures, tables and graph written")
        if scenario is None:
            (hidden / MODEL).mkdir()
            shutil.copyfile(study.model, hidden / MODEL / study.model.name)
        else:
            copy_model(hidden)
        write_origin(hidden, log, scenario, made_by["command"], design_frame(varied))
        write_run(hidden, study.runs, named, made_by)
