"""Every feature of a model file, one small model for each, against PySD and against hand work.

The models lie in ``tests/models``; their documentation says what each variable must be.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import kredslob
from kredslob.errors import InputFileError
from model_numbers import BEYOND_PYSD, BY_HAND
from model_oracles import (
    MODELS,
    allocate_available,
    assert_by_hand,
    assert_same,
    columns_of,
    pysd_columns,
)

RANDOM = {"random_numbers.mdl"}

FILES = sorted(p.name for p in MODELS.iterdir() if p.suffix in (".mdl", ".xmile"))
WITH_PYSD = [name for name in FILES if name not in BEYOND_PYSD and name not in RANDOM]


def run(file: str) -> xr.Dataset:
    return kredslob.load(MODELS / file).run()


@pytest.mark.parametrize("file", WITH_PYSD)
def test_agrees_with_pysd(file: str) -> None:
    result = run(file)
    time, expected = pysd_columns(file)
    found = columns_of(result)
    np.testing.assert_allclose(result["time"].values, time, rtol=1e-12, atol=1e-12)
    assert sorted(set(expected) - set(found)) == []
    for key, series in expected.items():
        assert_same(found[key], series, 1e-9, " ".join(key))


@pytest.mark.parametrize("file", sorted(BY_HAND))
def test_agrees_with_hand_work(file: str) -> None:
    assert_by_hand(columns_of(run(file)), BY_HAND[file])


# Names, labels and times of a run


def test_arrays_are_labelled_by_range_and_element() -> None:
    result = run("arrays.mdl")
    grown = result["grown"].isel(time=0) if "time" in result["grown"].dims else result["grown"]
    assert grown.dims == ("City", "Age", "Sex")
    assert list(result["City"].values) == ["Aarhus", "Odense", "Vejle"]
    assert list(result["Sex"].values) == ["women", "men"]
    assert result["Stock"].dims == ("time", "City", "Age")
    assert float(grown.sel(City="Vejle", Age="young", Sex="men")) == 38


def test_a_copy_of_a_range_is_a_dimension_of_its_own() -> None:
    moved = run("subscript_copy.mdl")["moved"]
    assert [dim for dim in moved.dims if dim != "time"] == ["Source", "Target"]


def test_names_are_kept_as_the_file_writes_them() -> None:
    names = set(run("names.mdl").data_vars)
    assert {"lambda", "None", "import", "class", "farmer's share", "cost in $"} <= names
    assert {'"share (%)"', '"a + b"', '"1st"', "x1", "x 1", '"x-1"'} <= names
    assert {"Birth_Rate", "Population", "initial population"} <= set(
        run("names_in_any_case.mdl").data_vars
    )
    letters = run("names_of_letters.mdl")
    assert {"größe", "été", "人口", "η", "ÆØÅ"} <= set(letters.data_vars)
    assert list(letters["Købmand"].values) == ["Ærø", "Åbenrå", "Gråsten"]


def test_a_step_without_an_exact_number_keeps_its_times() -> None:
    result = run("time_step_inexact.mdl")
    np.testing.assert_allclose(result["time"], np.linspace(0, 2, 11), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(result["jump"], [0] * 4 + [1, 1, 1, 11, 1, 1, 1])


def test_the_clock_may_be_computed() -> None:
    time = run("time_step_computed.mdl")["time"].values
    np.testing.assert_allclose(time, np.linspace(2000.5, 2004.5, 9), rtol=1e-12)


# Allocation, random numbers


def test_allocate_available_clears_the_market() -> None:
    result = run("allocate_available.mdl")
    demand = [500.0, 300.0, 750.0]
    shapes = {1: "given", 2: "given by triangle", 3: "given by normal", 4: "given by exponential"}
    for kind, name in shapes.items():
        profiles = [(kind, 5, 2, 0), (kind, 7, 4, 0), (kind, 3, 4, 0)]
        for time in result["time"].values:
            expected = allocate_available(demand, profiles, 200.0 * time)
            np.testing.assert_allclose(
                result[name].sel(time=time), expected, rtol=1e-9, atol=1e-9, err_msg=name
            )


def test_random_numbers_have_the_right_distribution() -> None:
    """Of 2,000 draws, within five standard errors of the mean."""
    result = run("random_numbers.mdl")
    draws = {name: result[name].values for name in result.data_vars}
    error = 5 / np.sqrt(draws["unit"].size)
    assert draws["unit"].size == 2000
    assert draws["unit"].min() >= 0
    assert draws["unit"].max() < 1
    assert draws["unit"].mean() == pytest.approx(0.5, abs=error / np.sqrt(12))
    assert draws["uniform"].min() >= -2
    assert draws["uniform"].max() <= 6
    assert draws["uniform"].mean() == pytest.approx(2, abs=8 * error / np.sqrt(12))
    assert draws["normal"].mean() == pytest.approx(10, abs=2 * error)
    assert draws["normal"].std() == pytest.approx(2, rel=0.1)
    assert draws["cut normal"].min() >= 9
    assert draws["cut normal"].max() <= 11
    assert draws["cut normal"].mean() == pytest.approx(10, abs=error)
    assert draws["exponential"].min() >= 1
    assert draws["exponential"].mean() == pytest.approx(5, abs=4 * error)


def test_every_random_number_is_drawn_anew() -> None:
    result = run("random_numbers.mdl")
    assert np.unique(result["unit"].values).size == 2000
    assert np.unique(result["single"].values).size == 40
    together = np.corrcoef(result["unit"].values.ravel(), result["uniform"].values.ravel())
    assert abs(together[0, 1]) < 0.15


def test_the_same_run_draws_the_same_random_numbers() -> None:
    xr.testing.assert_equal(run("random_numbers.mdl"), run("random_numbers.mdl"))


# Models that cannot be computed

CLOCK = "\nINITIAL TIME = 0 ~~|\nFINAL TIME = 2 ~~|\nTIME STEP = 1 ~~|\nSAVEPER = 1 ~~|\n"
LOOPS = {
    "of two": ("price = 10 - demand ~~|\ndemand = price / 2 ~~|", ("price", "demand")),
    "of itself": ("price = price + 1 ~~|", ("price",)),
    "of initial values": (
        "Stock = INTEG(1, start) ~~|\nstart = Stock * 2 ~~|",
        ("Stock", "start"),
    ),
    "of elements": (
        "City: Aarhus, Odense ~~|\nsize[Aarhus] = size[Odense] + 1 ~~|\n"
        "size[Odense] = size[Aarhus] - 1 ~~|",
        ("size",),
    ),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_an_algebraic_loop_is_refused_by_name(tmp_path: Path, loop: str) -> None:
    text, names = LOOPS[loop]
    path = tmp_path / "loop.mdl"
    path.write_text("{UTF-8}\n" + text + CLOCK, encoding="utf-8")
    with pytest.raises(InputFileError) as refused:
        kredslob.load(path).run()
    for name in names:
        assert name in str(refused.value)


# Integration by Runge-Kutta


def test_rk4_decay_is_the_taylor_polynomial() -> None:
    """For dS/dt = -k S a step multiplies by 1 - h + h^2/2 - h^3/6 + h^4/24, where h = k dt."""
    result = kredslob.load(MODELS / "exponential.mdl").run(integration="rk4")
    h = 0.5 * 0.25
    factor = 1 - h + h**2 / 2 - h**3 / 6 + h**4 / 24
    steps = np.arange(result.sizes["time"])
    np.testing.assert_allclose(result["Stock"], 100 * factor**steps, rtol=1e-12)
    np.testing.assert_allclose(
        result["Stock"], 100 * np.exp(-0.5 * result["time"].values), rtol=1e-5
    )


def test_rk4_oscillator_is_the_taylor_polynomial() -> None:
    """The same polynomial of the matrix, which rotates position and velocity."""
    result = kredslob.load(MODELS / "oscillator.mdl").run(integration="rk4")
    ha = 0.125 * np.array([[0.0, 1.0], [-(1.5**2), 0.0]])
    step = np.eye(2) + ha + ha @ ha / 2 + ha @ ha @ ha / 6 + ha @ ha @ ha @ ha / 24
    expected = [np.array([1.0, 0.0])]
    for _ in range(result.sizes["time"] - 1):
        expected.append(step @ expected[-1])
    found = np.stack([result["Position"].values, result["Velocity"].values], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)
    time = result["time"].values
    np.testing.assert_allclose(result["Position"], np.cos(1.5 * time), atol=1e-3)


def test_rk4_error_falls_with_the_fourth_power_of_the_step() -> None:
    model = kredslob.load(MODELS / "oscillator.mdl")
    errors = []
    for step in (0.25, 0.125, 0.0625):
        result = model.run(integration="rk4", time_step=step, saveper=1.0)
        errors.append(abs(float(result["Position"].sel(time=8)) - np.cos(12)))
    for coarse, fine in pairwise(errors):
        assert 12 < coarse / fine < 20


def test_rk4_is_not_the_default() -> None:
    result = kredslob.load(MODELS / "exponential.mdl").run()
    np.testing.assert_allclose(result["Stock"], 100 * 0.875 ** np.arange(17), rtol=1e-12)
