"""What a study of the threshold leaves behind: figures, tables, numbers and manifest."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd

from kredslob.cycle.scenario import Scenario
from kredslob.show.figures import Drawing
from kredslob.show.origin import design_frame, levers
from kredslob.show.run_folder import save_study
from kredslob.show.threshold_figures import goals_by_rate, regions, repayment, uncertainty
from kredslob.show.threshold_table import goals_frame, threshold_frame
from kredslob.studies.threshold import ThresholdStudy


def save_threshold(
    folder: Path, study: ThresholdStudy, *, scenario: Scenario, command: str
) -> None:
    """Write a study of the threshold to a folder, whole or not at all.

    Parameters
    ----------
    folder, scenario, command
        As for `kredslob.show.run_folder.save_run`.
    study : ThresholdStudy
        From `kredslob.studies.threshold.threshold_study`.

    Raises
    ------
    InputFileError
        The folder is in use or cannot be made.
    """
    tables = {
        "goals": study.goals,
        "bracket": study.bracket,
        "uncertainty": study.uncertainty,
        "regions": study.regions,
    }
    made_by = {
        "kind": "threshold",
        "command": command,
        "seed": study.uncertainty.attrs["seed"],
        "draws": study.uncertainty.sizes["draw"],
    }

    def texts(language: str) -> dict[str, pd.DataFrame]:
        return {
            "threshold": threshold_frame(study, language),
            "goals": goals_frame(study.goals, language),
        }

    draw = partial(draw_threshold, study)
    save_study(
        folder,
        study.runs,
        tables,
        draw=draw,
        texts=texts,
        made_by=made_by,
        scenario=scenario,
        design=design_frame(levers(study.runs, scenario)),
    )


def draw_threshold(study: ThresholdStudy, language: str) -> list[Drawing]:
    """Draw all figures of a study of the threshold, in one language ("da" or "en")."""
    return [
        regions(study.regions, language),
        uncertainty(study.uncertainty, language),
        goals_by_rate(study.goals, language),
        repayment(study.goals, study.years, language),
    ]
