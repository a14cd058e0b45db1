"""Samples of uncertain inputs and what runs of them come to, held against exact results."""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.stats import rankdata, spearmanr

from kredslob.cycle.accounts import accounts, fund_payback_year, net_present_values
from kredslob.cycle.outcomes import OUTCOME_VARIABLES, cycle_outcomes
from kredslob.cycle.scenario import load_scenario
from kredslob.errors import ParameterError
from kredslob.paths import reinvestment_folder
from kredslob.simulation import Model
from kredslob.studies.evaluate import Outcomes, at_end, evaluate
from kredslob.studies.factors import Factor, factors_of, sample
from kredslob.studies.questions import cycle_factors, cycle_questions

COUNT = 2**14
THREE = (
    Factor("even", 2, 6),
    Factor("peaked", 0, 10, "triangular", 2),
    Factor("switch", 0, 1, "switch"),
)


# Factors and samples ------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "within"), [("random", 5.0), ("latin", 0.05), ("sobol", 0.05)])
def test_samples_have_the_moments_of_their_distributions(method: str, within: float) -> None:
    found = sample(THREE, COUNT, method=method, seed=4)
    # mean and variance of a uniform, a triangular (a, b, c) and a fair switch, by their formulas
    moments = {"even": (4, 16 / 12), "peaked": (4, (100 + 4 - 20) / 18), "switch": (0.5, 0.25)}
    for name, (mean, variance) in moments.items():
        error = np.sqrt(variance / COUNT)
        assert abs(float(found[name].mean()) - mean) < within * error, name
        assert float(found[name].var()) == pytest.approx(variance, rel=0.05), name
    assert float(found["peaked"].quantile(0.2)) == pytest.approx(2, abs=0.05)  # P(X < mode) = c/b
    assert found.attrs == {"method": method, "seed": 4}


@pytest.mark.parametrize("method", ["latin", "sobol"])
def test_each_equal_slice_of_a_range_holds_one_draw(method: str) -> None:
    found = sample(factors_of({"a": (0, 64), "b": (-64, 0)}), 64, method=method, seed=1)
    for name, start in (("a", 0), ("b", -64)):
        slices = np.floor(found[name].values).astype(int)
        assert sorted(slices) == list(range(start, start + 64))


def test_pairs_have_the_rank_correlation_asked_for_and_others_none() -> None:
    pairs = {("even", "peaked"): 0.6, ("peaked", "switch"): 0.0}
    found = sample(THREE, COUNT, seed=2, correlations=pairs)
    plain = sample(THREE, COUNT, seed=2)
    three_errors = 3 / np.sqrt(COUNT)
    assert spearmanr(found["even"], found["peaked"])[0] == pytest.approx(0.6, abs=three_errors)
    assert spearmanr(found["even"], found["switch"])[0] == pytest.approx(0, abs=three_errors)
    for name in ("even", "switch"):  # the same draws, only moved together
        np.testing.assert_allclose(rankdata(found[name]), rankdata(plain[name]))
    assert float(found["peaked"].mean()) == pytest.approx(4, abs=0.1)


def test_a_range_of_three_numbers_is_triangular() -> None:
    assert factors_of({"a": (1, 2, 5), "b": (1, 5)}) == [
        Factor("a", 1, 5, "triangular", 2),
        Factor("b", 1, 5),
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("a", 2, 1), "'a': found low 2 and high 1, expected finite numbers with low below high"),
        (("a", 1, 1), "low below high"),
        (("a", 0, float("inf")), "finite"),
        (("a", 0, 1, "normal"), "found distribution 'normal', expected one of uniform"),
        (("a", 0, 1, "triangular"), "mode None, expected it between them"),
        (("a", 0, 1, "triangular", 2), "mode 2, expected it between them"),
    ],
)
def test_a_factor_that_makes_no_sense_is_refused(given: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        Factor(*given)


def test_a_range_of_one_number_is_refused() -> None:
    with pytest.raises(ParameterError, match="'a': found "):
        factors_of({"a": (1,)})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"draws": 0}, "draws: found 0, expected a whole number from 1"),
        ({"draws": 2.5}, "draws: found 2.5"),
        ({"draws": 12, "method": "sobol"}, "found 12, expected a power of 2"),
        ({"draws": 2, "method": "halton"}, "found 'halton', expected one of random"),
        ({"draws": 2, "seed": -1}, "seed: found -1"),
        ({"draws": 2, "correlations": {("even", "odd"): 0.5}}, "'odd' is no factor"),
        ({"draws": 2, "correlations": {("even", "peaked"): 1.5}}, "found 1.5, expected -1 to 1"),
        (
            {
                "draws": 2,
                "correlations": {
                    ("even", "peaked"): 0.9,
                    ("peaked", "switch"): 0.9,
                    ("even", "switch"): -0.9,
                },
            },
            "contradict each other",
        ),
    ],
)
def test_a_sample_that_makes_no_sense_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        sample(THREE, **given)


@pytest.mark.parametrize("factors", [[], [Factor("a", 0, 1), Factor("a", 0, 2)]])
def test_no_factor_and_the_same_twice_are_refused(factors: list[Factor]) -> None:
    with pytest.raises(ParameterError, match="at least one factor, and each of them once"):
        sample(factors, 2)


# Outcomes of runs ---------------------------------------------------------------------------------

TANK_RANGES = {"time constant": (2.0, 10.0), "inflow[left]": (1.0, 3.0)}


def tank_design(count: int = 7) -> xr.Dataset:
    return sample(factors_of(TANK_RANGES), count, seed=3)


def test_outcomes_of_a_design_are_those_of_each_run(tanks: Model) -> None:
    design = tank_design()
    found = evaluate(tanks, design, at_end("Water"))
    for k in range(7):
        inflow, constant = float(design["inflow[left]"][k]), float(design["time constant"][k])
        # Euler's method closed: eight steps of half an hour towards inflow x time constant
        full = inflow * constant
        expected = full + (1 - full) * (1 - 0.5 / constant) ** 8
        assert float(found["Water"].sel(Tank="left")[k]) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_array_equal(found["input time constant"], design["time constant"])
    assert found["Water"].attrs["units"] == "litre"
    assert found.attrs["seed"] == 3
    assert found.attrs["model_hash"] == tanks.file.sha256


@pytest.mark.parametrize(("chunk", "threads"), [(16, 1), (16, 2), (8, 1), (96, 2)])
def test_numbers_depend_on_neither_chunks_nor_threads(
    tanks: Model, monkeypatch: pytest.MonkeyPatch, chunk: int, threads: int
) -> None:
    design = tank_design(90)
    expected = evaluate(tanks, design, at_end("Water"), threads=1)
    seen: list[tuple[float, float]] = []
    monkeypatch.setattr("kredslob.studies.evaluate._MOST_RUNS", chunk)
    found = evaluate(
        tanks,
        design,
        at_end("Water"),
        threads=threads,
        progress=lambda done, whole: seen.append((done, whole)),
    )
    xr.testing.assert_identical(found, expected)
    assert seen[-1] == (90, 90)
    assert len(seen) >= -(-90 // chunk)


def test_times_asked_for_are_those_that_are_read(tanks: Model) -> None:
    def early(runs: xr.Dataset) -> xr.Dataset:
        assert list(runs["time"]) == [0.0, 0.5]
        return runs[["Water"]].isel(time=0, drop=True)

    found = evaluate(tanks, tank_design(), Outcomes(("Water",), early, (0.0, 0.5)))
    assert (found["Water"] == 1).all()


def test_runs_are_forgotten_once_they_are_read(
    tanks: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[weakref.ref[Any]] = []

    def last(runs: xr.Dataset) -> xr.Dataset:
        gc.collect()
        assert [run for run in kept if run() is not None] == []
        kept.append(weakref.ref(runs["Water"].values.base))
        return runs[["Water"]].isel(time=-1, drop=True)  # a view of all numbers of the runs

    monkeypatch.setattr("kredslob.studies.evaluate._MOST_RUNS", 8)
    evaluate(tanks, tank_design(30), Outcomes(("Water",), last))
    assert len(kept) == 4


def test_a_design_that_makes_no_sense_is_refused(tanks: Model) -> None:
    with pytest.raises(ParameterError, match="design: found no runs"):
        evaluate(tanks, xr.Dataset(), at_end("Water"))
    with pytest.raises(ParameterError, match="time constat"):
        evaluate(tanks, sample(factors_of({"time constat": (1, 2)}), 2), at_end("Water"))
    with pytest.raises(ParameterError, match="no variable 'Wine' to save"):
        evaluate(tanks, tank_design(), at_end("Wine"))


# The reinvestment model ---------------------------------------------------------------------------


def test_figures_of_many_runs_are_those_of_the_accounts_of_each(model: Model) -> None:
    place = load_scenario("agreement")
    place = place.with_parameters(
        {
            "capital at start": {"private investors": 5e6},
            "overhead share": 0.0,
            "recognition horizon": 40,
            "success with help": {"mental illness": {"complex": 0.9}},
        }
    )
    design = sample(cycle_factors(place), 12, seed=5)
    runs = model.run_many(
        design,
        place,
        years=45,  # past the year in which the discount rate changes
        at=[float(year) for year in range(46)],
        save=OUTCOME_VARIABLES,
    )
    values, payback = net_present_values(runs), fund_payback_year(runs)
    books = accounts(runs)
    largest = float(abs(books["net present value"]).max())
    xr.testing.assert_allclose(values, books["net present value"], rtol=0, atol=1e-12 * largest)
    xr.testing.assert_identical(
        payback.drop_attrs(), books["payback year"].sel(party="fund", drop=True).drop_attrs()
    )
    assert 0 < int(payback.notnull().sum()) < 12
    found = cycle_outcomes(runs)
    assert set(found.dims) == {"run"}
    assert all(value.attrs["units"] for value in found.data_vars.values())
    by_purse = [found[f"relief of {purse}"] for purse in runs["Purse"].values]
    xr.testing.assert_allclose(sum(by_purse), found["relief in all"])
    assert set(found["carries itself"].values) <= {0.0, 1.0}


def test_the_fund_is_evaluated_alike_in_chunks(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = sample(cycle_factors(None), 20, seed=6)
    expected = evaluate(model, design, cycle_questions(5), years=5)
    monkeypatch.setattr("kredslob.studies.evaluate._MOST_RUNS", 8)
    found = evaluate(model, design, cycle_questions(5), years=5)
    for name in expected.data_vars:  # blocks of linear algebra may round the loop gain otherwise
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, err_msg=str(name))


def test_results_say_what_all_runs_had_in_common() -> None:
    """Also where the last chunk holds one run, whose draws are then no common parameters."""
    place = load_scenario().with_parameters({"overhead share": 0.05})
    drawn = sample(factors_of({"allocation weight": (0, 1)}), 1)
    found = evaluate(
        Model(reinvestment_folder() / "reinvestment.mdl"),
        drawn,
        at_end("total cash"),
        place,
        years=3,
    )
    parameters = json.loads(found.attrs["parameters"])
    assert parameters["overhead share"] == 0.05
    assert "allocation weight" not in parameters
    assert json.loads(found.attrs["clock"]) == {"final": 3.0}
    assert found.attrs["setting"] == "municipality"
