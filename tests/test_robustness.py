"""Robustness of policies: a table worked by hand, and what must hold for any table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kredslob.cycle.scenario import load_scenario
from kredslob.errors import ParameterError
from kredslob.simulation import Model
from kredslob.studies.evaluate import at_end
from kredslob.studies.factors import factors_of, sample
from kredslob.studies.questions import cycle_factors, cycle_policies, cycle_questions
from kredslob.studies.robustness import CRITERIA, evaluate_policies, meets, robustness

# Three policies in four draws. The best of each draw: 14, 8, 6, 5.
BOLD, MIXED, CAUTIOUS = (14, 4, 6, 0), (8, 8, 2, 2), (5, 5, 5, 5)
# Regrets:              (0, 4, 0, 5),  (6, 0, 4, 3), (9, 3, 1, 0)
BY_HAND = {
    "largest regret": (5, 6, 9),
    # linear between the third and fourth of the sorted regrets, at 0.9 * 3 = 2.7
    "90th-percentile regret": (4.7, 5.4, 7.2),
    "satisficing share": (0.5, 0.5, 1),  # draws with at least 5
    "expected value": (6, 5, 5),
    "worst case": (0, 2, 5),
    "Hurwicz value": (7, 5, 5),
}
RANKS = {
    "largest regret": (1, 2, 3),
    "90th-percentile regret": (1, 2, 3),
    "satisficing share": (2, 2, 1),
    "expected value": (1, 2, 2),
    "worst case": (3, 2, 1),
    "Hurwicz value": (1, 2, 2),
}


def results_of(values: np.ndarray) -> xr.Dataset:
    gain = xr.DataArray(np.asarray(values, dtype=float), dims=("policy", "run"))
    return xr.Dataset(
        {"gain": gain.assign_attrs(units="DKK")}, {"policy": list("abcdefgh")[: len(gain)]}
    )


def test_each_criterion_is_as_worked_by_hand() -> None:
    results = results_of(np.array([BOLD, MIXED, CAUTIOUS]))
    found = robustness(results, "gain", larger_is_better=True, thresholds={"gain": (5, None)})
    assert tuple(BY_HAND) == CRITERIA
    assert found["regret"].values.tolist() == [[0, 4, 0, 5], [6, 0, 4, 3], [9, 3, 1, 0]]
    for name, values in BY_HAND.items():
        assert found[name].values == pytest.approx(values), name
        assert tuple(found["rank"].sel(criterion=name).values) == RANKS[name], name
    assert found["largest regret"].attrs["units"] == "DKK"
    assert found["satisficing share"].attrs["units"] == "Dmnl"


def test_less_can_be_better() -> None:
    results = results_of(-np.array([BOLD, MIXED, CAUTIOUS]))
    found = robustness(results, "gain", larger_is_better=False, thresholds={"gain": (None, -5)})
    for name, values in BY_HAND.items():
        sign = 1 if name in CRITERIA[:3] else -1
        assert found[name].values == pytest.approx(sign * np.array(values)), name
        assert tuple(found["rank"].sel(criterion=name).values) == RANKS[name], name


WHOLE = arrays(float, (4, 6), elements=st.integers(-50, 50).map(float))


@given(WHOLE, st.booleans())
def test_regret_is_never_negative_and_someone_has_none(values: np.ndarray, up: bool) -> None:
    found = robustness(
        results_of(values), "gain", larger_is_better=up, thresholds={"gain": (0, None)}
    )
    assert (found["regret"] >= 0).all()
    assert (found["regret"].min("policy") == 0).all()
    assert (found["90th-percentile regret"] <= found["largest regret"]).all()
    assert (found["rank"].min("policy") == 1).all()


@given(WHOLE, st.sampled_from([0.125, 0.5, 4.0, 1024.0]))
def test_ranks_do_not_depend_on_the_unit(values: np.ndarray, scale: float) -> None:
    def ranks(table: np.ndarray, bound: float) -> xr.DataArray:
        thresholds = {"gain": (bound, None)}
        return robustness(results_of(table), "gain", larger_is_better=True, thresholds=thresholds)[
            "rank"
        ]

    xr.testing.assert_equal(ranks(values, 3), ranks(scale * values, 3 * scale))


def test_all_thresholds_must_be_met() -> None:
    values = xr.Dataset({"a": ("run", [1.0, 2.0, 3.0, np.nan]), "b": ("run", [5.0, 4.0, 3.0, 2.0])})
    assert meets(values, {"a": (2, None)}).values.tolist() == [False, True, True, False]
    assert meets(values, {"a": (2, 3), "b": (None, 3)}).values.tolist() == [
        False,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({}, "ranges: found {}, expected a dict"),
        ({"c": (0, 1)}, "'c' is not among a"),
        ({"a": (2, 1)}, "low <= high"),
    ],
)
def test_thresholds_that_make_no_sense_are_refused(ranges: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        meets(xr.Dataset({"a": ("run", [1.0])}), ranges)


def test_outcomes_that_cannot_be_judged_are_refused() -> None:
    results = results_of(np.array([BOLD, MIXED]))
    with pytest.raises(ParameterError, match="expected one of gain"):
        robustness(results, "loss", larger_is_better=True, thresholds={"gain": (0, None)})
    results["gain"][0, 1] = np.nan
    with pytest.raises(ParameterError, match="no number in 1 runs"):
        robustness(results, "gain", larger_is_better=True, thresholds={"gain": (0, None)})


# Policies of any model, over the same draws


def test_every_policy_meets_the_same_draws(tanks: Model) -> None:
    draws = sample(factors_of({"time constant": (3, 8)}), 6)
    policies = {"little": {"inflow": [2, 4]}, "much": {"inflow": [20, 40]}}
    found = evaluate_policies(tanks, policies, draws, at_end("Water"))
    for name, inflow in policies.items():
        for run in (0, 5):
            constant = float(draws["time constant"][run])
            alone = tanks.run({**inflow, "time constant": constant})["Water"].isel(time=-1)
            np.testing.assert_array_equal(found["Water"].sel(policy=name, run=run), alone)
    assert found["input time constant"].dims == ("run",)
    assert found["title_da"].values.tolist() == ["little", "much"]


def test_what_is_drawn_is_not_a_choice(tanks: Model) -> None:
    draws = sample(factors_of({"time constant": (3, 8)}), 2)
    policies = {"slow": {"Time_Constant": 8}, "quick": {"time constant": 3}}
    with pytest.raises(ParameterError, match="'time constant' is drawn, but 'slow' and 'quick'"):
        evaluate_policies(tanks, policies, draws, at_end("Water"))
    with pytest.raises(ParameterError, match=r"policies: found {}"):
        evaluate_policies(tanks, {}, draws, at_end("Water"))


@pytest.mark.parametrize("setting", ["municipality", "national", "norrkoping"])
def test_the_candidates_differ_in_levers_only(setting: str) -> None:
    policies = cycle_policies(setting)
    drawn = {
        factor.name.partition("[")[0] for factor in cycle_factors(load_scenario(None, setting))
    }
    stated = [repr(sorted(p.parameters.items())) for p in policies.values()]
    assert len(policies) >= 11
    assert all(p.title["da"] != p.title["en"] and p.setting == setting for p in policies.values())
    for name in drawn:
        assert len({repr(p.parameters.get(name)) for p in policies.values()}) == 1, name
    assert len(set(stated)) >= len(stated) - 1  # one may be the setting's own


def test_the_candidates_of_a_municipality_are_ranked(model: Model) -> None:
    place = load_scenario()
    draws = sample(cycle_factors(place), 16)
    found = evaluate_policies(model, cycle_policies(), draws, cycle_questions(20), years=20)
    thresholds = {"citizens helped": (60, None), "relief of municipality": (0, None)}
    judged = robustness(found, "citizens helped", larger_is_better=True, thresholds=thresholds)
    rank = judged["rank"].sel(criterion="expected value")
    order = ["all", "three-quarters", "half", "quarter", "no-reinvestment"]
    assert (np.diff(rank.sel(policy=order)) > 0).all()  # more reinvested, more helped


@pytest.mark.slow
def test_the_document_says_who_is_first(model: Model) -> None:
    draws = sample(cycle_factors(load_scenario()), 512, method="sobol", seed=1)
    results = evaluate_policies(model, cycle_policies(), draws, cycle_questions(40))
    thresholds = {"citizens helped": (90, None), "relief of municipality": (5e6, None)}
    outcomes = ("net present value of public purse", "citizens helped", "complex need helped")
    ranks = [
        robustness(results, outcome, larger_is_better=True, thresholds=thresholds)["rank"]
        for outcome in outcomes
    ]
    text = (Path(__file__).parents[1] / "docs" / "policy-search.md").read_text(encoding="utf-8")
    for criterion in CRITERIA:
        first = [rank.sel(criterion=criterion) for rank in ranks]
        named = [", ".join(rank["policy"].values[rank.values == 1]) for rank in first]
        assert f"| {criterion} | {' | '.join(named)} |" in text
