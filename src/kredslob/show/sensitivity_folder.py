"""What a study of sensitivity leaves behind: figures, tables, numbers and manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from kredslob.cycle.scenario import Scenario
from kredslob.show.figures import Drawing
from kredslob.show.run_folder import save_study
from kredslob.show.sensitivity_figures import indices_by_outcome, tornado
from kredslob.show.sensitivity_table import moved_frame, ranked_frame, screened_frame
from kredslob.studies.hinges import HingeStudy
from kredslob.studies.sensitivity import of_outcome


def save_sensitivity(
    folder: Path,
    runs: xr.Dataset,
    study: HingeStudy,
    *,
    scenario: Scenario,
    command: str,
    asked: Mapping[str, Any],
) -> None:
    """Write a study of sensitivity to a folder, whole or not at all.

    Parameters
    ----------
    folder, command
        As for `kredslob.show.run_folder.save_run`.
    runs : Dataset
        The scenario as it is.
    study : HingeStudy
        From `kredslob.studies.hinges.hinge_study`.
    scenario : Scenario
        What was run.
    asked : mapping
        From `kredslob.studies.reproduction.hinge_question`.

    Raises
    ------
    InputFileError
        The folder is in use or cannot be made.
    """
    tables = {"screened": study.screened, "ranked": study.ranked, "moved": study.moved}
    made_by = {
        "kind": "sensitivity",
        "command": command,
        "asked": dict(asked),
        "seed": study.ranked.attrs["seed"],
        "trajectories": study.screened.attrs["trajectories"],
        "samples": study.ranked.attrs["samples"],
    }

    def texts(language: str) -> dict[str, pd.DataFrame]:
        return {
            "sensitivity": ranked_frame(study, language),
            "screening": screened_frame(study, language),
            "ends": moved_frame(study, language),
        }

    draw = partial(draw_sensitivity, study)
    save_study(folder, runs, tables, draw=draw, texts=texts, made_by=made_by, scenario=scenario)


def draw_sensitivity(study: HingeStudy, language: str) -> list[Drawing]:
    """Draw all figures of a study of sensitivity, in one language ("da" or "en").

    Screening and ranking of all outcomes, and for each outcome that some input moves a tornado and
    the shares of its variance.
    """
    drawn = [
        replace(indices_by_outcome(study.screened, language), name="screening"),
        replace(indices_by_outcome(study.ranked, language), name="ranking"),
    ]
    for outcome in map(str, study.ranked["outcome"].values):
        if not (of_outcome(study.moved, outcome) > 0).any():
            continue
        name = outcome.replace(" ", "-")
        drawn.append(replace(tornado(study.moved, outcome, language), name=f"tornado-{name}"))
        if of_outcome(study.ranked, outcome).notnull().all():
            drawn.append(replace(tornado(study.ranked, outcome, language), name=f"variance-{name}"))
    return drawn
