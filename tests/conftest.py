"""What the tests share: the reinvestment model, translated once a process."""

from __future__ import annotations

import pytest

import kredslob
from kredslob.cycle.parameters import ParameterTable, read_parameters
from kredslob.paths import reinvestment_folder
from kredslob.simulation import Model


@pytest.fixture(scope="session")
def model() -> Model:
    return kredslob.load()


@pytest.fixture(scope="session")
def table() -> ParameterTable:
    return read_parameters(reinvestment_folder() / "parameters.csv")
