"""Extreme conditions in pairs: each pair is run, in a run of its own or in a covering array."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kredslob.simulation import Model
from kredslob.studies.extremes import (
    Condition,
    Extreme,
    covering_array,
    halved_and_doubled,
    pair_runs,
)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 3), min_size=2, max_size=12))
def test_every_two_conditions_of_different_inputs_stand_together_in_some_run(
    levels: list[int],
) -> None:
    owners = [owner for owner, count in enumerate(levels) for _ in range(count)]
    rows = covering_array(owners)
    assert rows.shape[1] == len(levels)
    covered = {pair for row in rows for pair in combinations(sorted(row.tolist()), 2)}
    wanted = {(a, b) for a, b in combinations(range(len(owners)), 2) if owners[a] != owners[b]}
    assert wanted <= covered


def test_a_covering_array_is_short() -> None:
    # Kleitman and Spencer (1973): 10 runs are the fewest for 126 inputs of two values
    assert len(covering_array([k // 2 for k in range(252)])) < 25


@pytest.mark.parametrize("budget", [np.inf, 0])
def test_each_pair_is_run_with_both_values(tanks: Model, budget: float) -> None:
    extremes = halved_and_doubled(tanks)
    names = sorted({extreme.name for extreme in extremes})
    seen = set()
    for conditions, runs in pair_runs(
        tanks, None, extremes, at=[0], save=[*names, "Water"], budget=budget
    ):
        for number, pair in enumerate(conditions):
            for condition in pair:
                array = runs[condition.label]
                one = array.isel(run=number) if "run" in array.dims else array
                base = np.asarray(tanks.program.defaults[condition.label]).ravel()
                np.testing.assert_allclose(np.ravel(one), condition.value * base)
            seen |= set(combinations(sorted(map(str, pair)), 2))
    wanted = {
        tuple(sorted((str(a.condition), str(b.condition))))
        for a, b in combinations(extremes, 2)
        if a.name != b.name
    }
    assert wanted == seen


def test_what_changes_the_same_number_is_no_pair(tanks: Model) -> None:
    both = [
        Extreme(Condition("time constant", "=", value), "time constant", np.array(value))
        for value in (1.0, 9.0)
    ]
    assert list(pair_runs(tanks, None, both, at=[0], save=["Water"])) == []
