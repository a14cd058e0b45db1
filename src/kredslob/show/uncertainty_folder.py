"""What a study of uncertainty leaves behind: figures, table, numbers and manifest."""

from __future__ import annotations

import shutil
from pathlib import Path

import xarray as xr

from kredslob.cycle.scenario import Scenario
from kredslob.paths import reinvestment_folder
from kredslob.results import new_run_folder, write_run
from kredslob.show.figures import Drawing
from kredslob.show.language import LANGUAGES
from kredslob.show.run_folder import write_figures
from kredslob.show.uncertainty_figures import at_risk, fans, payback_chances
from kredslob.show.uncertainty_table import uncertainty_frame


def save_uncertainty(
    folder: Path, runs: xr.Dataset, found: xr.Dataset, *, scenario: Scenario, command: str
) -> None:
    """Write a study of uncertainty to a folder, whole or not at all.

    Parameters
    ----------
    folder : Path
        A new or empty folder.
    runs : Dataset
        A sweep over the same reinvestment rates with all parameters as in the table.
    found : Dataset
        From `kredslob.studies.uncertainty.uncertainty`.
    scenario : Scenario
        What was run.
    command : str
        The command that makes the study again.

    Raises
    ------
    InputFileError
        The folder is in use or cannot be made.
    """
    drawings = {language: draw_uncertainty(found, language) for language in LANGUAGES}
    made_by = {
        "command": command,
        "setting": scenario.setting,
        "scenario": scenario.name,
        "seed": found.attrs["seed"],
        "draws": found.sizes["draw"],
    }
    with new_run_folder(folder) as hidden:
        write_figures(hidden / "figures", drawings)
        for language in LANGUAGES:
            frame = uncertainty_frame(found, language)
            frame.to_csv(hidden / f"uncertainty.{language}.csv", index_label="")
        (hidden / "model").mkdir()
        for name in ("reinvestment.mdl", "parameters.csv"):
            shutil.copyfile(reinvestment_folder() / name, hidden / "model" / name)
        write_run(hidden, runs, {"uncertainty": found}, made_by)


def draw_uncertainty(found: xr.Dataset, language: str) -> list[Drawing]:
    """Draw all figures of a study of uncertainty, in one language ("da" or "en")."""
    return [fans(found, language), payback_chances(found, language), at_risk(found, language)]
