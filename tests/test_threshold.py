"""The threshold: loop gain of many runs at once, held against a plain computation of each."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from kredslob.cycle.scenario import load_scenario
from kredslob.cycle.threshold import (
    COVERAGE_VARIABLES,
    GAIN_VARIABLES,
    avoided_cost_per_start,
    critical_rate,
    late_coverage,
    loop_gain,
)
from kredslob.simulation import Model
from kredslob.studies.sweep import sweep
from threshold_oracle import avoided_cost_per_start as one_by_one

RATE = "reinvestment rate"


# Many runs at once --------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["municipality", "national", "norrkoping"])
def test_saving_per_start_of_a_sweep_is_that_of_each_run(model: Model, setting: str) -> None:
    levers = {RATE: [0, 1], "consolidation time": [0, 2], "switch prevention": [0, 1]}
    runs = sweep(model, load_scenario(None, setting), levers, years=5, time_step=0.25, saveper=5)
    now = runs.isel(time=-1)
    found = avoided_cost_per_start(now)
    assert found.dims == (*levers, "Group", "Need", "Administration")
    for at in np.ndindex(2, 2, 2):
        place = dict(zip(levers, at, strict=True))
        expected = one_by_one(now.isel(place))
        xr.testing.assert_allclose(found.isel(place, drop=True), expected, rtol=1e-12)


def test_loop_gain_of_a_design_reads_only_what_it_names(model: Model) -> None:
    design = {RATE: [0.2, 0.7], "intensity elasticity": [0.3, 0.6]}
    whole = model.run_many(design, years=5, at=[0, 5])
    slim = model.run_many(
        design, years=5, at=[0, 4, 5], save=[*GAIN_VARIABLES, *COVERAGE_VARIABLES]
    )
    xr.testing.assert_equal(loop_gain(whole), loop_gain(slim))
    xr.testing.assert_equal(critical_rate(whole, 0), critical_rate(slim, 0))
    assert (late_coverage(slim) > 0).all()
    single = model.run(reinvestment_rate=0.7, intensity_elasticity=0.6, years=5)
    assert float(loop_gain(single)) == pytest.approx(float(loop_gain(slim)[1]), rel=1e-12)


def test_more_runs_than_are_taken_at_once_stay_in_order(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = model.run_many({RATE: np.linspace(0, 1, 7)}, years=1, at=[1.0])
    expected = loop_gain(runs)
    monkeypatch.setattr("kredslob.cycle.threshold._RUNS_AT_ONCE", 3)
    xr.testing.assert_allclose(loop_gain(runs), expected, rtol=1e-12)
