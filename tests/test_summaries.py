"""Summaries against NumPy on all the runs at once, and the laws of merging them."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kredslob.summaries import ACCURACY, CELLS, digests, merged, statistics_of, table_of

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.95, 1.0)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)
SOME_MISSING = st.floats(allow_infinity=False, width=64)


def of_parts(values: np.ndarray, ends: list[int], *asked: str | float) -> np.ndarray:
    """The table of runs that come in parts."""
    wanted = statistics_of(asked)
    parts = [digests(part, bool(wanted.quantiles)) for part in np.split(values, ends)]
    return table_of([reduce(merged, block) for block in zip(*parts, strict=True)], wanted)


def test_moments_are_those_of_numpy() -> None:
    values = np.random.default_rng(0).lognormal(3, 2, (1000, CELLS + 3))
    found = of_parts(values, [8, 500, 501], "count", "mean", "variance", "std", "min", "max")
    expected = [
        np.full(CELLS + 3, 1000),
        values.mean(axis=0),
        values.var(axis=0),
        values.std(axis=0),
        values.min(axis=0),
        values.max(axis=0),
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@given(arrays(float, (37, 2), elements=SOME_MISSING), st.integers(1, 36), st.integers(1, 36))
def test_quantiles_lie_within_the_stated_accuracy(x: np.ndarray, first: int, second: int) -> None:
    found = of_parts(x, sorted({first, second}), *QUANTILES)
    for cell in range(2):
        known = np.sort(x[:, cell][~np.isnan(x[:, cell])])
        for q, value in zip(QUANTILES, found[:, cell], strict=True):
            if not len(known):
                assert np.isnan(value)
                continue
            place = q * (len(known) - 1)
            low, high = known[int(np.floor(place))], known[int(np.ceil(place))]
            room = ACCURACY * max(abs(low), abs(high)) + np.finfo(float).tiny
            with np.errstate(over="ignore"):
                assert low - room <= value <= high + room


def test_quantiles_of_nothing_but_missing_values_are_missing() -> None:
    assert np.isnan(of_parts(np.full((9, 2), np.nan), [1, 2, 5], *QUANTILES)).all()


@given(arrays(float, (24, 3), elements=NUMBERS), st.permutations(range(24)))
def test_quantiles_do_not_depend_on_order_or_parts(x: np.ndarray, order: list[int]) -> None:
    whole = of_parts(x, [], *QUANTILES)
    parts = of_parts(x[order], [3, 4, 15], *QUANTILES)
    np.testing.assert_array_equal(whole, parts)


@settings(max_examples=30)
@given(NUMBERS)
def test_what_is_the_same_in_all_runs_comes_out_as_it_is(number: float) -> None:
    found = of_parts(np.full((50, 1), number), [7, 20], "mean", "variance", 0.3, "min", "max")
    assert found[:, 0].tolist() == [number, 0, number, number, number]


def test_the_order_of_threads_makes_no_difference() -> None:
    values = np.random.default_rng(1).normal(size=(64, 5 * CELLS))
    wanted = statistics_of(["mean", "variance", 0.5])
    tables = [table_of(digests(values, True, threads), wanted) for threads in (1, 2, 7)]
    np.testing.assert_array_equal(tables[0], tables[1])
    np.testing.assert_array_equal(tables[0], tables[2])


def test_missing_values_are_left_out_and_counted() -> None:
    values = np.array([[np.nan, np.nan], [1.0, np.nan], [3.0, np.nan]])
    found = of_parts(values, [1], "count", "mean", "variance", "min", "max", 0.5)
    assert found[:, 0].tolist() == [2, 2, 1, 1, 3, 2]
    assert found[0, 1] == 0
    assert np.isnan(found[1:, 1]).all()


def test_infinity_is_kept() -> None:
    values = np.array([[1.0, 1.0], [np.inf, -np.inf], [2.0, 2.0]])
    for ends in ([], [1], [2]):
        found = of_parts(values, ends, "mean", "min", "max", 0.0, 1.0)
        assert found[:, 0].tolist() == [np.inf, 1, np.inf, 1, np.inf]
        assert found[1:, 1].tolist() == [-np.inf, 2, -np.inf, 2]


def test_the_sketch_does_not_grow_with_the_runs() -> None:
    random = np.random.default_rng(2)
    sizes = []
    total = digests(random.lognormal(size=(1000, 4)), True)
    for _ in range(40):
        more = digests(random.lognormal(size=(1000, 4)), True)
        total = [merged(a, b) for a, b in zip(total, more, strict=True)]
        sizes.append(sum(len(numbers) for numbers, _ in total[0].buckets))
    assert max(sizes[20:]) < 2 * max(sizes[:20])


@pytest.mark.parametrize(
    ("asked", "label"), [(0.5, "q0.5"), (np.float32(0.25), "q0.25"), (1, "q1")]
)
def test_quantiles_are_labelled_by_their_share(asked: float, label: str) -> None:
    assert statistics_of(["mean", asked]).labels == ("mean", label)
