"""What people see of a calibration and of the published cases, in both languages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from kredslob.cycle.cases import compare_all
from kredslob.show.calibration_figures import (
    constants_known,
    observed_against_simulated,
    theil_shares,
)
from kredslob.show.case_figures import cases_compared
from kredslob.simulation import Model
from kredslob.studies.calibration import calibrate
from kredslob.studies.posterior import posterior
from whole_figures import assert_no_label_is_cut_off

RANGES = {"time constant": (1, 10), "inflow[left]": (0, 10)}
TRUTH = {"time constant": 3.0, "inflow[left]": 2.0}


@pytest.fixture(scope="module")
def seen(tanks: Model) -> xr.DataArray:
    run = tanks.run({"time constant": 3.0, "inflow": [2.0, 4.0]}, saveper=0.5, save=["Water"])
    water = run["Water"].isel(time=slice(1, None))
    noise = np.random.default_rng(2).normal(0, 0.2, water.shape)
    return (water + noise).rename("Water")


@pytest.fixture(scope="module")
def draws(tanks: Model, seen: xr.DataArray) -> xr.Dataset:
    return posterior(tanks, seen, RANGES, steps=200)


@pytest.mark.parametrize("language", ["da", "en"])
def test_a_calibration_is_drawn_in_both_languages(
    tanks: Model, seen: xr.DataArray, draws: xr.Dataset, language: str
) -> None:
    fit = calibrate(tanks, seen, RANGES).fit
    drawings = [
        observed_against_simulated(draws, language),
        constants_known(draws, language, TRUTH),
        constants_known(draws, language),
        theil_shares(fit, language),
    ]
    assert_no_label_is_cut_off(drawings)
    assert [d.name for d in drawings] == ["fit", "constants", "constants", "theil"]
    assert "16" in drawings[0].caption
    assert "time constant" in drawings[1].caption
    assert "Water (right)" in drawings[3].caption
    assert all(len(d.alt) > len(d.kind) + 20 for d in drawings)


def test_shares_that_are_not_defined_are_not_drawn() -> None:
    fit = pd.DataFrame(
        {"bias": [0.2, np.nan], "variation": [0.3, np.nan], "covariation": [0.5, np.nan]},
        index=["moves", "stands still"],
    )
    drawing = theil_shares(fit, "en")
    assert "stands still: not defined" in drawing.caption
    assert "moves: bias 20%, spread 30%, point by point 50%" in drawing.caption


@pytest.mark.parametrize("language", ["da", "en"])
def test_cases_are_drawn_in_both_languages(model: Model, language: str) -> None:
    drawing = cases_compared(compare_all(model, language), language)
    assert_no_label_is_cut_off([drawing])
    assert "14" in drawing.caption
    assert "Essex" in drawing.caption
