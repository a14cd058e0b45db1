"""What a study of the threshold leaves behind: figures, tables, numbers and manifest."""

from __future__ import annotations

import shutil
from pathlib import Path

from kredslob.cycle.scenario import Scenario
from kredslob.paths import reinvestment_folder
from kredslob.results import new_run_folder, write_run
from kredslob.show.figures import Drawing
from kredslob.show.language import LANGUAGES
from kredslob.show.run_folder import write_figures
from kredslob.show.threshold_figures import goals_by_rate, regions, repayment, uncertainty
from kredslob.show.threshold_table import goals_frame, threshold_frame
from kredslob.studies.threshold import ThresholdStudy


def save_threshold(
    folder: Path, study: ThresholdStudy, *, scenario: Scenario, command: str
) -> None:
    """Write a study of the threshold to a folder, whole or not at all.

    Parameters
    ----------
    folder : Path
        A new or empty folder.
    study : ThresholdStudy
        What was found.
    scenario : Scenario
        What was run.
    command : str
        The command that makes the study again.

    Raises
    ------
    InputFileError
        The folder is in use or cannot be made.
    """
    drawings = {language: draw_threshold(study, language) for language in LANGUAGES}
    tables = {
        "goals": study.goals,
        "bracket": study.bracket,
        "uncertainty": study.uncertainty,
        "regions": study.regions,
    }
    made_by = {
        "command": command,
        "setting": scenario.setting,
        "scenario": scenario.name,
        "seed": study.uncertainty.attrs["seed"],
        "draws": study.uncertainty.sizes["draw"],
    }
    with new_run_folder(folder) as hidden:
        write_figures(hidden / "figures", drawings)
        for language in LANGUAGES:
            figures = threshold_frame(study, language)
            figures.to_csv(hidden / f"threshold.{language}.csv", index_label="")
            by_goal = goals_frame(study.goals, language)
            by_goal.to_csv(hidden / f"goals.{language}.csv", index_label="")
        (hidden / "model").mkdir()
        for name in ("reinvestment.mdl", "parameters.csv"):
            shutil.copyfile(reinvestment_folder() / name, hidden / "model" / name)
        write_run(hidden, study.runs, tables, made_by)


def draw_threshold(study: ThresholdStudy, language: str) -> list[Drawing]:
    """Draw all figures of a study of the threshold, in one language ("da" or "en")."""
    return [
        regions(study.regions, language),
        uncertainty(study.uncertainty, language),
        goals_by_rate(study.goals, language),
        repayment(study.goals, study.years, language),
    ]
