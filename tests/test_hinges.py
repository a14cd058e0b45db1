"""What outcomes hinge on, in one go: the parts are the methods', and so is what people see."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

from kredslob.cycle.scenario import load_scenario
from kredslob.errors import ParameterError
from kredslob.show.sensitivity_folder import draw_sensitivity
from kredslob.show.sensitivity_table import (
    moved_frame,
    ranked_frame,
    screened_frame,
    sensitivity_table,
)
from kredslob.simulation import Model
from kredslob.studies.evaluate import only
from kredslob.studies.factors import Factor
from kredslob.studies.hinges import HingeStudy, hinge_study
from kredslob.studies.questions import cycle_factors, cycle_questions
from kredslob.studies.ranges import stated_range
from kredslob.studies.sensitivity import morris, strongest
from whole_figures import assert_no_label_is_cut_off

OUTCOMES = ("loop gain", "citizens helped", "net present value of public purse")


@pytest.fixture(scope="module")
def study(model: Model) -> HingeStudy:
    return hinge_study(
        model,
        load_scenario(),
        trajectories=4,
        inputs=5,
        samples=64,
        seed=3,
        years=8,
    )


def test_the_strongest_of_the_screened_are_ranked_and_moved(
    model: Model, study: HingeStudy
) -> None:
    place = load_scenario()
    asked = only(cycle_questions(8), *OUTCOMES)
    alone = morris(model, cycle_factors(place), asked, place, trajectories=4, seed=3, years=8)
    xr.testing.assert_equal(alone, study.screened)
    few = [factor.name for factor in strongest(alone, 5)]
    assert study.ranked["factor"].values.tolist() == [*few, "dummy"]
    assert study.moved["factor"].values.tolist() == few
    base = model.run(place, years=8)["Cumulated Completions"].isel(time=-1).sum()
    assert float(study.moved["base"].sel(outcome="citizens helped")) == pytest.approx(float(base))


def test_a_range_of_ones_own_takes_the_place_of_the_tables(model: Model) -> None:
    own = [Factor("optimism correction", 0.7, 0.71), Factor("overhead share", 0, 0.3)]
    told: list[tuple[float, float]] = []
    found = hinge_study(
        model,
        load_scenario(),
        outcomes=["citizens helped"],
        ranges=own,
        trajectories=4,
        inputs=1,
        samples=64,
        years=4,
        progress=lambda done, whole: told.append((done, whole)),
    )
    factor = found.screened.sel(factor="optimism correction")
    assert (float(factor["low"]), float(factor["high"])) == (0.7, 0.71)
    assert "overhead share" in found.screened["factor"].values
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"samples": 63}, "samples: found 63, expected a whole number from 64"),
        ({"samples": 96}, "samples: found 96, expected a power of 2"),
        ({"trajectories": 3}, "trajectories: found 3"),
        ({"inputs": 0}, "inputs: found 0"),
        ({"outcomes": ["luck"]}, "found no outcome 'luck', expected one of"),
        ({"years": 71}, "years: found 71"),
        ({"seed": -1}, "seed: found -1"),
    ],
)
def test_what_makes_no_sense_is_refused(model: Model, given: dict[str, object], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        hinge_study(model, load_scenario(), **{"years": 2, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["da", "en"])
def test_figures_and_tables_are_whole(study: HingeStudy, language: str) -> None:
    drawings = draw_sensitivity(study, language)
    assert len({d.name for d in drawings}) == len(drawings) == 8
    assert_no_label_is_cut_off(drawings)
    ranked, screened, moved = (
        f(study, language) for f in (ranked_frame, screened_frame, moved_frame)
    )
    assert len(ranked) == 6  # and the dummy, last
    assert ranked.index[-1] == (
        "en parameter uden virkning" if language == "da" else "an input that does nothing"
    )
    assert len(screened) == study.screened.sizes["factor"]
    assert list(moved.index) == list(ranked.index[:-1])
    for frame in (ranked, screened, moved):
        assert frame.shape[1] == 3
        assert not re.search(r"\bnan\b|\{", frame.to_csv())
    assert sensitivity_table(study, language, load_scenario()).row_count == 6
    total = study.ranked["total"].sel(outcome="citizens helped")
    assert np.isfinite(total).all()


def test_a_range_is_read_with_its_units() -> None:
    found = stated_range("cashing delay[health] = 6 months : 1 year : 2 years", "--range")
    assert found == Factor("cashing delay[health]", 0.5, 2, "triangular", 1)
    assert stated_range("Cashable Share[ social ]=40 %:0.8", "--range").low == 0.4
