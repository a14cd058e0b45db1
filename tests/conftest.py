"""What the tests share: the reinvestment model and a small one, translated once a process."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import xarray as xr
from hypothesis import HealthCheck, settings

import kredslob
from kredslob.cycle.parameters import ParameterTable, read_parameters
from kredslob.paths import reinvestment_folder
from kredslob.simulation import Model

# No test may fail because the machine is busy.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# Water drains from two tanks: dS/dt = inflow - S / time constant, solved by hand below.
TANKS = """{UTF-8}
Tank: left, right
	~
	~	Two tanks.
	|
inflow[Tank] = 2, 4
	~	litre/hour
	~	Water in.
	|
time constant = 5
	~	hour
	~	How slowly a tank empties.
	|
table(
	[(0,0)-(10,10)],(0,0),(10,10))
	~	Dmnl
	~	A straight line.
	|
seen = table(Time)
	~	Dmnl
	~	The line over time.
	|
outflow[Tank] = Water[Tank] / time constant
	~	litre/hour
	~	Water out.
	|
Water[Tank] = INTEG(inflow[Tank] - outflow[Tank], 1)
	~	litre
	~	Water in the tank.
	|
INITIAL TIME = 0
	~	hour
	~	|
FINAL TIME = 4
	~	hour
	~	|
TIME STEP = 0.5
	~	hour
	~	|
SAVEPER = 1
	~	hour
	~	|
\\\\\\---/// Sketch information - do not modify anything except names
"""


@pytest.fixture(scope="session")
def tanks(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("models") / "tanks.mdl"
    path.write_text(TANKS, encoding="utf-8")
    return kredslob.load(path)


@pytest.fixture(scope="session")
def model() -> Model:
    return kredslob.load()


@pytest.fixture(scope="session", params=["numba", pytest.param("pysd", marks=pytest.mark.slow)])
def run_model(request: pytest.FixtureRequest, model: Model) -> Callable[..., xr.Dataset]:
    """Run the reinvestment model on each engine: what the model must do, it must do on both."""
    return partial(model.run, engine=request.param)


@pytest.fixture(scope="session")
def table() -> ParameterTable:
    return read_parameters(reinvestment_folder() / "parameters.csv")
