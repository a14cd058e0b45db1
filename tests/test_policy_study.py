"""Candidates and search in one go: the parts are the methods', and so is what people see."""

from __future__ import annotations

import re
from typing import Any

import pytest
import xarray as xr

from kredslob.cycle.scenario import load_scenario
from kredslob.errors import ParameterError
from kredslob.show.policy_folder import draw_policies
from kredslob.show.policy_table import ends_of_front, front_frame, policy_tables, robust_frame
from kredslob.simulation import Model
from kredslob.studies.policies import PolicyStudy, policy_study
from kredslob.studies.questions import cycle_draws, cycle_policies, cycle_questions
from kredslob.studies.robustness import evaluate_policies
from whole_figures import assert_no_label_is_cut_off

SMALL: dict[str, Any] = {"draws": 16, "population": 8, "generations": 2, "years": 8}


@pytest.fixture(scope="module")
def study(model: Model) -> PolicyStudy:
    return policy_study(model, load_scenario(), seed=5, **SMALL)


def test_candidates_meet_the_draws_of_the_table(model: Model, study: PolicyStudy) -> None:
    draws = cycle_draws(load_scenario(), 16, method="sobol", seed=5)
    alone = evaluate_policies(model, cycle_policies(), draws, cycle_questions(8), years=8)
    xr.testing.assert_equal(alone, study.results)


def test_good_enough_is_what_no_reinvestment_comes_to(model: Model, study: PolicyStudy) -> None:
    run = model.run(load_scenario().with_parameters({"reinvestment rate": 0}), years=8)
    helped = float(run["Cumulated Completions"].isel(time=-1).sum())
    said = next(iter(study.judged.values())).attrs["thresholds"]
    assert f'"low": {helped:.6}'[:14] in said


def test_the_front_was_found_on_draws_of_its_own(study: PolicyStudy) -> None:
    assert study.front.sizes["policy"] >= 2
    goal = "citizens helped"
    assert not study.front[goal].equals(study.front[f"{goal} on held-out draws"])
    assert set(ends_of_front(study.front, "en").values()) <= set(study.front["policy"].values)


@pytest.mark.parametrize("language", ["da", "en"])
def test_figures_and_tables_are_whole(study: PolicyStudy, language: str) -> None:
    drawings = draw_policies(study, language)
    assert len({d.name for d in drawings}) == 5
    assert_no_label_is_cut_off(drawings)
    frames = [robust_frame(found, language) for found in study.judged.values()]
    assert all(frame.shape == (11, 6) for frame in frames)
    frames.append(front_frame(study.front, language))
    assert frames[-1].shape == (study.front.sizes["policy"], 11)
    assert not any(re.search(r"\bnan\b|\{", frame.to_csv()) for frame in frames)
    if language == "da":
        assert not any(re.search(r"\b(the|of|and)\b", frame.to_csv()) for frame in frames)
    assert len(policy_tables(study, language, load_scenario())) == 4


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"draws": 24}, "draws: found 24, expected a power of 2 from 16"),
        ({"draws": 8}, "draws: found 8"),
        ({"outcomes": ["luck"]}, "found no outcome 'luck'"),
        ({"thresholds": {"luck": (1, None)}}, "found no outcome 'luck'"),
        ({"levers": {"overhead share": (1, 0)}}, "expected low below high"),
        ({"population": 3}, "population: found 3"),
        ({"seed": -1}, "seed: found -1"),
        ({"years": 71}, "years: found 71"),
    ],
)
def test_what_makes_no_sense_is_refused(model: Model, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        policy_study(model, load_scenario(), **{**SMALL, "years": 2, **given})


def test_a_rule_that_sets_the_rate_is_refused(model: Model) -> None:
    with pytest.raises(ParameterError, match="sets the rate here"):
        policy_study(model, load_scenario("schedule"), **SMALL)
