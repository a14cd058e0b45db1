"""The engine is held against PySD, and a difference is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kredslob
from kredslob.simulation import Model
from kredslob.verification import TOLERANCE, _largest

MODELS = Path(__file__).parent / "models"


def test_engine_and_pysd_agree_on_the_reinvestment_model(model: Model) -> None:
    found = kredslob.verify(model, years=1)
    assert len(found) > 300
    assert found["difference"].max() < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["agreement", "private-unscreened", "schedule"])
def test_they_agree_under_policies_that_use_other_branches(model: Model, scenario: str) -> None:
    chosen = kredslob.load_scenario(scenario, "municipality")
    found = kredslob.verify(model, chosen, years=2)
    assert found["difference"].max() < TOLERANCE


def test_a_difference_is_found_where_it_is() -> None:
    ours = np.array([[1.0, 2.0], [3.0, 4.0]])
    theirs = np.array([[1.0, 2.0], [3.0, 5.0]])
    found = _largest(ours, theirs, np.array([0.0, 0.5]), 5.0)
    assert found == {"difference": 0.2, "time": 0.5, "engine": 4.0, "pysd": 5.0}


def test_a_number_that_only_one_of_them_has_is_a_difference() -> None:
    found = _largest(np.array([1.0, np.nan]), np.array([1.0, 2.0]), np.array([0.0, 1.0]), 1.0)
    assert found["difference"] == np.inf
    same = _largest(np.array([1.0, np.nan]), np.array([1.0, np.nan]), np.array([0.0, 1.0]), 1.0)
    assert same["difference"] == 0


def test_the_command_says_how_many_differ(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from kredslob.cli import app

    with pytest.raises(SystemExit) as ended:
        app(["verify", str(MODELS / "sir.mdl")])
    assert ended.value.code == 0
    assert "12 variables compared; 0 differ by more than 1e-09" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:  # PySD reads :AND: and :OR: from the right
        app(["verify", str(MODELS / "pulses_between_steps.mdl")])
    assert ended.value.code == 1
