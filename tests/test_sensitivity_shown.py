"""What people see of sensitivity and discovery: whole figures in both languages, of any model."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import kredslob
from kredslob.cycle.outcomes import cycle_outcomes
from kredslob.cycle.scenario import load_scenario
from kredslob.errors import ParameterError
from kredslob.show.figures import Drawing
from kredslob.show.language import LANGUAGES, words
from kredslob.show.sensitivity_figures import (
    box_ranges,
    indices_by_outcome,
    indices_over_time,
    peeling,
    tornado,
)
from kredslob.simulation import Model
from kredslob.studies.discovery import cart, prim
from kredslob.studies.evaluate import at_end, evaluate, over_time
from kredslob.studies.factors import Factor, factors_of, sample
from kredslob.studies.questions import cycle_factors, cycle_questions
from kredslob.studies.sensitivity import morris, one_at_a_time, pawn, sobol, strongest
from whole_figures import assert_no_label_is_cut_off

MODELS = Path(__file__).parent / "models"
INPUTS = factors_of(dict.fromkeys(("x1", "x2", "x3"), (-np.pi, np.pi)))


@pytest.fixture(scope="module")
def ishigami() -> Model:
    return kredslob.load(MODELS / "ishigami.mdl")


def assert_whole(drawings: list[Drawing]) -> None:
    assert_no_label_is_cut_off(drawings)
    for drawing in drawings:
        assert not re.search(r"\bnan\b|\binf\b|\{", drawing.alt), drawing.alt


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_of_any_model_are_whole(ishigami: Model, language: str) -> None:
    shares = sobol(ishigami, INPUTS, at_end("y", "growing"), samples=256)
    timed = sobol(ishigami, INPUTS, over_time("growing", times=[0, 1, 2]), samples=256)
    effects = morris(ishigami, INPUTS, at_end("y"))
    distances = pawn(ishigami, INPUTS, at_end("y"))
    ends = one_at_a_time(ishigami, factors_of({"x2": (0, 3), "x1": (0, 1)}), at_end("growing"))
    assert_whole(
        [
            *(tornado(found, "y", language) for found in (shares, effects, distances)),
            tornado(ends, "growing", language),
            indices_by_outcome(shares, language),
            indices_over_time(timed, "growing", language),
        ]
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_of_the_reinvestment_model_are_whole(model: Model, language: str) -> None:
    place = load_scenario("agreement")
    effects = morris(
        model, cycle_factors(place), cycle_questions(10), place, trajectories=4, years=10
    )
    few = strongest(effects, 8)
    runs = evaluate(model, sample(few, 400), cycle_questions(10), place, years=10)
    cases = runs["citizens helped"] > runs["citizens helped"].quantile(0.8).item()
    peeled = prim(runs, cases, few)
    assert_whole(
        [
            tornado(effects, "net present value of public purse", language),
            indices_by_outcome(effects, language),
            peeling(peeled.trajectory, language, 5),
            box_ranges(peeled.inspect(-1), language),
            box_ranges(cart(runs, cases, few).isel(box=0), language),
        ]
    )


def test_a_tornado_is_captioned_in_the_order_of_strength(ishigami: Model) -> None:
    shares = sobol(ishigami, INPUTS, at_end("y"), samples=1024)
    assert tornado(shares, "y", "en").alt == "Bar chart. Y hinges most on: x1; x2; x3."
    assert tornado(shares, "y", "da").alt == "Søjlediagram. Y afhænger mest af: x1; x2; x3."


def test_a_box_says_its_limits_in_words() -> None:
    factors = [Factor("dam", 0, 1, "switch", label="a dam"), Factor("x[left]", 0, 10)]
    drawn = sample(factors, 2000)
    runs = drawn.rename({name: f"input {name}" for name in drawn}).assign_attrs(model="tanks.mdl")
    cases = (runs["input dam"] == 1) & (runs["input x[left]"] > 5)
    box = prim(runs, cases, factors).inspect(13)  # half the runs, then 0.95^12 of those
    limit = words("en").number(float(box["low"].sel(factor="x[left]")), 1)
    said = box_ranges(box, "en").caption
    assert said.endswith(f"a dam: on; x (left) from {limit} to 10.0.")


def test_indices_of_the_wrong_kind_are_refused(ishigami: Model) -> None:
    shares = sobol(ishigami, INPUTS, at_end("y"), samples=64)
    timed = sobol(ishigami, INPUTS, over_time("y", times=[0, 1]), samples=64)
    for draw in (
        lambda: tornado(timed, "y", "en"),
        lambda: indices_by_outcome(timed, "en"),
        lambda: indices_over_time(shares, "y", "en"),
    ):
        with pytest.raises(ParameterError, match="indices: found them over"):
            draw()
    with pytest.raises(ParameterError, match="found no outcome 'z', expected one of y"):
        tornado(shares, "z", "en")


def test_every_outcome_has_a_danish_name(model: Model) -> None:
    runs = model.run_many({"reinvestment rate": [0.5]}, years=2)
    found = cycle_outcomes(runs)
    danish = {str(name): words("da").outcome(str(name)) for name in found}
    assert [name for name, said in danish.items() if said == name] == []
    assert len(set(danish.values())) == len(danish)
