"""What a study of uncertainty leaves behind: figures, table, numbers and manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import xarray as xr

from kredslob.cycle.scenario import Scenario
from kredslob.show.figures import Drawing
from kredslob.show.run_folder import save_study
from kredslob.show.structure_figures import structure_frame, structures
from kredslob.show.uncertainty_figures import at_risk, fans, payback_chances
from kredslob.show.uncertainty_table import uncertainty_frame


def save_uncertainty(
    folder: Path,
    runs: xr.Dataset,
    found: xr.Dataset,
    *,
    scenario: Scenario,
    command: str,
    compared: xr.Dataset | None = None,
    chances: Mapping[str, float] | None = None,
) -> None:
    """Write a study of uncertainty to a folder, whole or not at all.

    Parameters
    ----------
    folder, scenario, command
        As for `kredslob.show.run_folder.save_run`.
    runs : Dataset
        A sweep over the same reinvestment rates with all parameters as in the table.
    found : Dataset
        From `kredslob.studies.uncertainty.uncertainty`.
    compared : Dataset, optional
        From `kredslob.studies.structures.by_structure`.
    chances : mapping of str to float, optional
        Chance of each hypothesis, where it is not one half.

    Raises
    ------
    InputFileError
        The folder is in use or cannot be made.
    """
    made_by = {
        "kind": "uncertainty",
        "command": command,
        "seed": found.attrs["seed"],
        "draws": found.sizes["draw"],
        "structures": dict(chances or {}),
    }
    tables = {"uncertainty": found}
    if compared is not None:
        tables["structures"] = compared

    def draw(language: str) -> list[Drawing]:
        by_structure = [] if compared is None else [structures(compared, language)]
        return [*draw_uncertainty(found, language), *by_structure]

    def texts(language: str) -> dict[str, pd.DataFrame]:
        frames = {"uncertainty": uncertainty_frame(found, language)}
        if compared is not None:
            frames["structures"] = structure_frame(compared, language)
        return frames

    drawn = pd.DataFrame(
        found["input"].transpose("draw", "parameter").values,
        columns=[str(name) for name in found["parameter"].values],
    )
    save_study(
        folder,
        runs,
        tables,
        draw=draw,
        texts=texts,
        made_by=made_by,
        scenario=scenario,
        design=drawn,
    )


def draw_uncertainty(found: xr.Dataset, language: str) -> list[Drawing]:
    """Draw all figures of a study of uncertainty, in one language ("da" or "en")."""
    return [fans(found, language), payback_chances(found, language), at_risk(found, language)]
