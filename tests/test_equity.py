"""Help against need, on cells small enough to check by hand."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kredslob.cycle.equity import concentration_index, equity
from kredslob.errors import KredslobError

CELLS = ("Group", "Need")
LABELS = {"Group": ["families", "youth"], "Need": ["moderate", "complex"]}
NEED = [[100.0, 50.0], [30.0, 20.0]]  # persons who can be reached, all along
SEVERITY = [[1.0, 3.0], [2.0, 4.0]]


def cells(values: object) -> xr.DataArray:
    return xr.DataArray(np.asarray(values, dtype=float), LABELS, CELLS)


def run_of(starts: object, need: object = NEED) -> xr.Dataset:
    """Build a run of 10 years in which starts come evenly and need does not change."""
    time = xr.DataArray(np.linspace(0, 10, 41), dims="time")
    so_far = cells(starts) * time / 10
    run = xr.Dataset(
        {
            "Cumulated Starts": so_far,
            "Cumulated Lifted": so_far / 2,
            "Cumulated Wellbeing Years": so_far / 4,
            "counterfactual eligible": cells(need) * xr.ones_like(time),
            "yearly cost in crisis": cells(SEVERITY) * xr.ones_like(time),
        },
        coords={"time": time.values},
    )
    return run.transpose("time", ...)


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_help_and_need_by_hand() -> None:
    shares = equity(run_of([[20, 10], [0, 10]]))
    np.testing.assert_allclose(shares["help"], [[20, 10], [0, 10]])
    np.testing.assert_allclose(shares["need"], [[1000, 500], [300, 200]])
    np.testing.assert_allclose(shares["share of help"], [[0.5, 0.25], [0, 0.25]])
    np.testing.assert_allclose(shares["share of need"], [[0.5, 0.25], [0.15, 0.1]])
    np.testing.assert_allclose(shares["help per need"], [[0.02, 0.02], [0, 0.05]])
    np.testing.assert_allclose(shares["citizens lifted"], [[10, 5], [0, 5]])
    np.testing.assert_allclose(shares["wellbeing years"], [[5, 2.5], [0, 2.5]])
    assert shares["left behind"].values.tolist() == [[False, False], [True, False]]
    assert float(shares["share of help to complex need"]) == pytest.approx(0.5)
    assert float(shares["share of need that is complex"]) == pytest.approx(0.35)
    assert float(shares["complex ratio"]) == pytest.approx(0.5 / 0.35)
    # ranks from the mildest: 0.25, 0.575 (youth moderate), 0.775, 0.95
    index = 2 * (0.5 * 0.25 + 0.25 * 0.775 + 0.25 * 0.95) - 1
    assert float(shares["concentration index"]) == pytest.approx(index)


def test_help_over_time_ends_at_help() -> None:
    shares = equity(run_of([[20, 10], [0, 10]]))
    assert shares["help over time"].dims == ("time", "Group", "Need")
    np.testing.assert_allclose(shares["help over time"].sel(time=2.5), [[5, 2.5], [0, 2.5]])
    xr.testing.assert_allclose(shares["help over time"].isel(time=-1, drop=True), shares["help"])


def test_need_is_summed_over_time() -> None:
    """Need that grows in a straight line from 0 counts half of its end."""
    run = run_of([[1, 1], [1, 1]])
    run["counterfactual eligible"] = run["counterfactual eligible"] * run["time"] / 10
    np.testing.assert_allclose(equity(run)["need"], np.array(NEED) * 10 / 2)


def test_equal_help_per_need_leans_nowhere() -> None:
    shares = equity(run_of(0.1 * np.array(NEED)))
    assert float(shares["concentration index"]) == pytest.approx(0, abs=1e-12)
    assert float(shares["complex ratio"]) == pytest.approx(1)
    assert not shares["left behind"].any()


def test_all_help_to_one_end() -> None:
    """All to the most severe cell, a tenth of need: C = 1 - 0.1; all to the mildest half: -0.5."""
    severe, mild = equity(run_of([[0, 0], [0, 7]])), equity(run_of([[7, 0], [0, 0]]))
    assert float(severe["concentration index"]) == pytest.approx(0.9)
    assert float(severe["complex ratio"]) == pytest.approx(1 / 0.35)
    assert severe["left behind"].values.tolist() == [[True, True], [True, False]]
    assert float(mild["concentration index"]) == pytest.approx(-0.5)
    assert float(mild["complex ratio"]) == 0


def test_index_against_the_covariance_formula() -> None:
    """C = 2 cov(h, R) / mu over single citizens (O'Donnell et al. 2008, equation 8.3)."""
    need = np.array([[40, 10], [30, 20]])
    help_ = np.array([[4.0, 3.0], [9.0, 1.0]])
    order = np.argsort(np.ravel(SEVERITY))
    persons = np.repeat((help_ / need).ravel()[order], need.ravel()[order])
    rank = (np.arange(persons.size) + 0.5) / persons.size
    covariance = np.mean(persons * rank) - persons.mean() * rank.mean()
    expected = 2 * covariance / persons.mean()
    index = concentration_index(cells(help_), cells(need), severity=cells(SEVERITY))
    assert float(index) == pytest.approx(expected)


def test_equal_severity_shares_a_rank() -> None:
    index = concentration_index(
        cells([[0, 0], [0, 7]]), cells(NEED), severity=cells(np.ones((2, 2)))
    )
    assert float(index) == pytest.approx(0)


def test_no_help_gives_no_figures_and_no_warning() -> None:
    shares = equity(run_of(np.zeros((2, 2))))
    for name in (
        "share of help",
        "help per need",
        "share of help to complex need",
        "complex ratio",
        "concentration index",
    ):
        assert shares[name].isnull().all(), name
    assert float(shares["help"].sum()) == 0
    assert not shares["left behind"].any()
    assert float(shares["share of need that is complex"]) == pytest.approx(0.35)


def test_a_cell_without_need_is_not_left_behind() -> None:
    shares = equity(run_of([[20, 10], [0, 10]], [[100, 50], [0, 20]]))
    assert math.isnan(float(shares["help per need"].sel(Group="youth", Need="moderate")))
    assert shares["left behind"].values.tolist() == [[True, True], [False, False]]


def test_no_complex_need_gives_no_ratio() -> None:
    shares = equity(run_of([[20, 0], [5, 0]], [[100, 0], [30, 0]]))
    assert math.isnan(float(shares["complex ratio"]))


def test_a_sweep_keeps_its_dimensions() -> None:
    runs = [run_of([[20, 10], [0, 10]]), run_of(np.zeros((2, 2))), run_of([[0, 0], [0, 7]])]
    rates = xr.DataArray([0.0, 0.5, 1.0], dims="reinvestment rate", name="reinvestment rate")
    together = equity(xr.concat(runs, rates))
    assert together["help"].dims == ("reinvestment rate", "Group", "Need")
    assert together["concentration index"].dims == ("reinvestment rate",)
    for rate, run in zip(rates.values, runs, strict=True):
        alone = together.sel({"reinvestment rate": rate}, drop=True)
        xr.testing.assert_allclose(alone, equity(run))


def test_results_have_units_and_the_run_is_left_as_it_was() -> None:
    run = run_of([[20, 10], [0, 10]])
    run["Cumulated Starts"].attrs = {"units": "person", "long_name": "Cumulated Starts"}
    shares = equity(run)
    for name, array in shares.data_vars.items():
        assert array.attrs["long_name"] == name
    assert shares["need"].attrs["units"] == "person*year"
    assert run["Cumulated Starts"].attrs["long_name"] == "Cumulated Starts"


def test_a_run_without_what_is_needed_is_refused() -> None:
    with pytest.raises(KredslobError, match="'Cumulated Starts'"):
        equity(run_of(NEED).drop_vars("Cumulated Starts"))


amounts = arrays(float, (2, 2), elements=st.floats(0.01, 1e6))
few = settings(max_examples=50)
severities = arrays(float, (2, 2), elements=st.integers(1, 4).map(float))


@few
@given(help_=amounts, need=amounts, severity=severities)
def test_index_is_between_minus_one_and_one(
    help_: np.ndarray, need: np.ndarray, severity: np.ndarray
) -> None:
    index = float(concentration_index(cells(help_), cells(need), severity=cells(severity)))
    assert -1 <= index <= 1


@few
@given(
    help_=amounts, need=amounts, severity=severities, scale=st.sampled_from([1e-6, 0.3, 12.0, 1e9])
)
def test_index_does_not_depend_on_the_scale_of_help_need_or_severity(
    help_: np.ndarray, need: np.ndarray, severity: np.ndarray, scale: float
) -> None:
    index = concentration_index(cells(help_), cells(need), severity=cells(severity))
    for a, b, c in ((scale, 1, 1), (1, scale, 1), (1, 1, scale)):
        scaled = concentration_index(
            cells(a * help_), cells(b * need), severity=cells(c * severity)
        )
        assert float(scaled) == pytest.approx(float(index), abs=1e-9)


@few
@given(help_=amounts, need=amounts, severity=severities)
def test_index_turns_with_the_ranking(
    help_: np.ndarray, need: np.ndarray, severity: np.ndarray
) -> None:
    up = concentration_index(cells(help_), cells(need), severity=cells(severity))
    down = concentration_index(cells(help_), cells(need), severity=cells(-severity))
    assert float(up) == pytest.approx(-float(down), abs=1e-9)
