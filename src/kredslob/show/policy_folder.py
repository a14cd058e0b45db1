"""What a study of policies leaves behind: figures, tables, numbers and manifest."""

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
from kredslob.show.policy_figures import convergence, parallel_coordinates, robust_policies
from kredslob.show.policy_table import ends_of_front, front_frame, robust_frame
from kredslob.show.run_folder import save_study
from kredslob.studies.policies import PolicyStudy
from kredslob.studies.search import names_of


def save_policies(
    folder: Path,
    runs: xr.Dataset,
    study: PolicyStudy,
    *,
    scenario: Scenario,
    command: str,
    asked: Mapping[str, Any],
) -> None:
    """Write a study of policies to a folder, whole or not at all.

    Parameters
    ----------
    folder, command
        As for `kredslob.show.run_folder.save_run`.
    runs : Dataset
        The scenario as it is.
    study : PolicyStudy
        From `kredslob.studies.policies.policy_study`.
    scenario : Scenario
        What the search started from.
    asked : mapping
        From `kredslob.studies.reproduction.policy_question`.

    Raises
    ------
    InputFileError
        The folder is in use or cannot be made.
    """
    judged = {f"robustness-{_file(name)}": found for name, found in study.judged.items()}
    tables = {"policies": study.results, "front": study.front, **judged}
    made_by = {
        "kind": "search",
        "command": command,
        "asked": dict(asked),
        "seed": study.results.attrs["seed"],
        "draws": study.results.sizes["run"],
    }

    def texts(language: str) -> dict[str, pd.DataFrame]:
        frames = {
            f"robustness-{_file(name)}": robust_frame(found, language)
            for name, found in study.judged.items()
        }
        return {**frames, "front": front_frame(study.front, language)}

    draw = partial(draw_policies, study)
    save_study(folder, runs, tables, draw=draw, texts=texts, made_by=made_by, scenario=scenario)


def draw_policies(study: PolicyStudy, language: str) -> list[Drawing]:
    """Draw all figures of a study of policies, in one language ("da" or "en")."""
    judged = [
        replace(robust_policies(found, language), name=f"robust-{_file(name)}")
        for name, found in study.judged.items()
    ]
    # relief of a purse that takes no part is the same for all policies, and tells nothing
    told = [
        name
        for name in names_of(study.front, "objective")
        if float(study.front[name].max() - study.front[name].min()) > 0
    ]
    front = study.front[[*names_of(study.front, "lever"), *told]]
    searched = parallel_coordinates(front, language, ends_of_front(study.front, language))
    return [*judged, searched, convergence(study.front, language)]


def _file(name: str) -> str:
    return name.replace(" ", "-")
