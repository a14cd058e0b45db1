"""Vector exponential, logarithm and power, held against numbers of extended precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import njit

from kredslob.targets import lanes
from kredslob.targets.lanes import exp, get, log, power, put


@njit
def _exp(v: Any, places: int) -> None:
    for k in range(places):
        put(v, 2 * places + k, exp(get(v, k)))


@njit
def _log(v: Any, places: int) -> None:
    for k in range(places):
        put(v, 2 * places + k, log(get(v, k)))


@njit
def _power(v: Any, places: int) -> None:
    for k in range(places):
        put(v, 2 * places + k, power(get(v, k), get(v, places + k)))


def applied(function: Callable[..., None], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    places = len(x) // 8
    v = lanes.memory(3 * places)
    v[: 8 * places], v[8 * places : 16 * places] = x, y
    function(v, places)
    return np.array(v[16 * places : 24 * places])


RANDOM = np.random.default_rng(20)
X = np.exp(RANDOM.uniform(-20, 20, 8000))
Y = RANDOM.uniform(-8, 8, 8000)
LONG_X, LONG_Y = X.astype(np.longdouble), Y.astype(np.longdouble)
CASES = {
    "exp": (_exp, RANDOM.uniform(-700, 700, 8000), None),
    "log": (_log, X, np.log(LONG_X)),
    "power": (_power, X, LONG_X**LONG_Y),
}


@pytest.mark.parametrize("name", CASES)
def test_errors_are_below_two_units_in_the_last_place(name: str) -> None:
    function, x, expected = CASES[name]
    if expected is None:
        expected = np.exp(x.astype(np.longdouble))
    found = applied(function, x, Y)
    unit = np.spacing(np.abs(expected.astype(float)))
    assert float(np.max(np.abs(found.astype(np.longdouble) - expected) / unit)) < 2


def test_special_numbers_are_those_of_the_c_library() -> None:
    special = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 5e-324]
    pairs = np.array([(a, b) for a in special for b in [*special[:7], 2.0]])
    x, y = pairs.T.copy()
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(applied(_power, x, y), np.power(x, y), rtol=1e-15)
        np.testing.assert_allclose(applied(_exp, x, y), np.exp(x), rtol=1e-15)
        np.testing.assert_allclose(applied(_log, x, y), np.log(x), rtol=1e-15)
