"""Hypotheses as alternatives: chances that are given, and draws compared with and without each."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

from kredslob.cycle.scenario import load_scenario
from kredslob.errors import ParameterError
from kredslob.show.structure_figures import structure_frame, structure_table, structures
from kredslob.simulation import Model
from kredslob.studies.factors import Factor
from kredslob.studies.questions import cycle_factors
from kredslob.studies.structures import by_structure
from kredslob.studies.uncertainty import uncertainty
from whole_figures import assert_no_label_is_cut_off

RATE = "reinvestment rate"
CHANCES = {"switch prevention": 0.9, "switch learning": 0.0, "switch documentation": 1.0}


@pytest.fixture(scope="module")
def found(model: Model) -> xr.Dataset:
    return uncertainty(
        model, load_scenario("agreement"), draws=400, seed=2, years=10, structures=CHANCES
    )


def test_hypotheses_hold_as_often_as_they_are_said_to(found: xr.Dataset) -> None:
    held = {name: float(found["input"].sel(parameter=name).mean()) for name in CHANCES}
    assert held["switch prevention"] == pytest.approx(0.9, abs=0.05)
    assert held["switch learning"] == 0
    assert held["switch documentation"] == 1
    other = float(found["input"].sel(parameter="switch capacity limits").mean())
    assert other == pytest.approx(0.5, abs=0.08)
    assert "switch prevention: 0.9" in found.attrs["distribution"]


def test_a_chance_moves_only_its_own_hypothesis(model: Model, found: xr.Dataset) -> None:
    even = uncertainty(model, load_scenario("agreement"), draws=400, seed=2, years=10)
    others = [p for p in found["parameter"].values if p not in CHANCES]
    xr.testing.assert_equal(
        even["input"].sel(parameter=others), found["input"].sel(parameter=others)
    )


def test_both_sides_are_what_their_draws_say(found: xr.Dataset) -> None:
    compared = by_structure(found)
    on = found["input"].sel(parameter="switch prevention").values == 1
    for held in (0, 1):
        one = compared.sel(hypothesis="switch prevention", holds=held)
        assert int(one["draws"]) == int((on == held).sum())
        part = found.isel(draw=np.flatnonzero(on == held)).sel({RATE: 1})
        one = one.sel({RATE: 1})
        assert float(one["median loop gain"]) == float(np.median(part["loop gain"]))
        helped = float(np.median(part["citizens helped"]))
        assert float(one["median citizens helped"]) == pytest.approx(helped)
        carried = float(part["carries itself"].mean())
        assert float(one["probability that the cycle carries itself"]) == carried
        low, high = one["probability interval"].values
        assert low <= carried <= high
    assert compared["draws"].sum("holds").values.tolist() == [400] * 7
    for name, array in compared.data_vars.items():
        assert array.attrs["units"], name
        assert array.attrs["long_name"], name


def test_of_a_side_without_draws_nothing_is_known(found: xr.Dataset) -> None:
    none = by_structure(found).sel(hypothesis="switch learning", holds=1)
    assert int(none["draws"]) == 0
    assert np.isnan(none["median loop gain"]).all()
    assert np.isnan(none["probability interval"]).all()


@pytest.mark.parametrize("language", ["da", "en"])
def test_hypotheses_are_shown_whole_in_both_languages(found: xr.Dataset, language: str) -> None:
    compared = by_structure(found)
    drawing = structures(compared, language)
    assert_no_label_is_cut_off([drawing])
    assert not re.search(r"\bnan\b|\{", drawing.alt)
    frame = structure_frame(compared, language)
    assert len(frame) == 7
    assert not re.search(r"\bnan\b|switch", frame.to_csv())
    assert structure_table(compared, language, load_scenario()).row_count == 7
    first = "forebyggelse" if language == "da" else "prevention"
    assert frame.index[0] == first
    never = frame.loc["læring" if language == "da" else "learning"]
    assert all(cell.endswith("→ –") for cell in never)


def test_where_all_hypotheses_are_stated_there_is_nothing_to_compare(found: xr.Dataset) -> None:
    rest = [p for p in found["parameter"].values if not str(p).startswith("switch ")]
    with pytest.raises(ParameterError, match="found no hypothesis that was drawn"):
        by_structure(found.sel(parameter=rest))


@pytest.mark.parametrize(
    ("chances", "said"),
    [
        ({"switch luck": 0.5}, "structures: found 'switch luck', expected one of"),
        ({"switch learnin": 0.5}, "did you mean 'switch learning'?"),
        ({"switch learning": 1.2}, "'switch learning': found 1.2, expected a number from 0 to 1"),
        ({"switch learning": float("nan")}, "expected a number from 0 to 1"),
        ({"switch prevention": 0.5}, "'switch prevention' is stated by the scenario"),
    ],
)
def test_chances_that_make_no_sense_are_refused(chances: dict[str, float], said: str) -> None:
    with pytest.raises(ParameterError) as problem:
        cycle_factors(load_scenario().with_parameters({"switch prevention": 0}), chances)
    assert said in str(problem.value)
    with pytest.raises(ParameterError, match="found chance 2"):
        Factor("a", 0, 1, "switch", chance=2)
