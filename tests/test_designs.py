"""What may be changed in a run or a design, in which forms, and what is refused.

Numbers come from Euler's method by hand, or from the same change made in another form.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import kredslob
from kredslob.errors import ParameterError
from kredslob.simulation import Model

MODELS = Path(__file__).parent / "models"
RATES = (2.0, 3.0, 4.0)
LEFT, RIGHT = (1.0, 2.0, 3.0), (5.0, 4.0, 3.0)


@pytest.fixture(scope="module")
def one_by_one(tanks: Model) -> np.ndarray:
    """Water of the design below, each run by itself."""
    runs = [
        tanks.run({"time constant": c, "inflow": [left, right]})["Water"].values
        for c, left, right in zip(RATES, LEFT, RIGHT, strict=True)
    ]
    return np.stack(runs)


@pytest.fixture(scope="module")
def data() -> Model:
    """A model that reads data over time."""
    return kredslob.load(MODELS / "data_modes.mdl")


def by_hand(inflow: Callable[[float], Any], constant: Callable[[float], float]) -> np.ndarray:
    """Water of the left and right tank, saved each hour, by Euler's method with half hours."""
    water, saved = np.array([1.0, 1.0]), []
    for step in range(9):
        time = step / 2
        if step % 2 == 0:
            saved.append(water)
        water = water + 0.5 * (np.asarray(inflow(time)) - water / constant(time))
    return np.array(saved)


# One design in every form


def as_table() -> pd.DataFrame:
    columns = {"time constant": RATES, "inflow[left]": LEFT, "inflow[right]": RIGHT}
    return pd.DataFrame(columns)


def as_dataset() -> xr.Dataset:
    return xr.Dataset(
        {
            "time constant": ("run", list(RATES)),
            "inflow": (("Tank", "run"), [list(RIGHT), list(LEFT)]),
        },
        {"Tank": ["right", "left"]},  # labels count, not places
    )


def as_mapping() -> dict[str, Any]:
    return {"Time_Constant": list(RATES), "inflow": np.column_stack([LEFT, RIGHT])}


def as_rows() -> list[dict[str, Any]]:
    return [
        {"time constant": c, "inflow": {"right": right, "left": left}}
        for c, left, right in zip(RATES, LEFT, RIGHT, strict=True)
    ]


@pytest.mark.parametrize("form", [as_table, as_dataset, as_mapping, as_rows])
def test_a_design_gives_each_run_its_numbers(
    tanks: Model, one_by_one: np.ndarray, form: Callable[[], Any]
) -> None:
    runs = tanks.run_many(form(), save=["Water", "inflow", "time constant"])
    assert runs["Water"].dims == ("run", "time", "Tank")
    np.testing.assert_array_equal(runs["Water"].values, one_by_one)
    np.testing.assert_array_equal(runs["inflow"].sel(Tank="left", time=2), LEFT)
    np.testing.assert_array_equal(runs["time constant"].sel(time=4), RATES)


def test_an_iterator_of_rows_is_read_once(tanks: Model, one_by_one: np.ndarray) -> None:
    runs = tanks.run_many(iter(as_rows()), save=["Water"])
    np.testing.assert_array_equal(runs["Water"].values, one_by_one)


def test_one_number_a_run_holds_for_all_elements(tanks: Model) -> None:
    runs = tanks.run_many({"inflow": [1.0, 2.0]}, save=["inflow"])
    assert runs["inflow"].sel(run=1, time=0).values.tolist() == [2, 2]


def test_what_a_design_leaves_out_is_as_in_the_scenario(tanks: Model) -> None:
    scenario = {"inflow": [10, 20], "time constant": 3}
    element = tanks.run_many(pd.DataFrame({"inflow[left]": [1.0, 2.0]}), scenario, save=["inflow"])
    assert element["inflow"].sel(time=0).values.tolist() == [[1, 20], [2, 20]]
    rows = [{"time constant": 1}, {"inflow": 7}]
    ragged = tanks.run_many(rows, scenario, save=["inflow", "time constant"]).sel(time=0)
    assert ragged["inflow"].values.tolist() == [[10, 20], [7, 7]]
    assert ragged["time constant"].values.tolist() == [1, 3]


def test_a_constant_that_no_run_changes_has_no_run(tanks: Model) -> None:
    runs = tanks.run_many({"time constant": [1.0, 2.0]})
    assert runs["inflow"].dims == ("time", "Tank")
    assert runs["time constant"].dims == ("run", "time")


# What can be changed besides constants


def test_initial_values_of_stocks(tanks: Model) -> None:
    run = tanks.run({"Water": {"left": 10, "right": 20}}, years=0.5, saveper=0.5)
    # 10 + 0.5 * (2 - 10 / 5) and 20 + 0.5 * (4 - 20 / 5)
    assert run["Water"].values.tolist() == [[10, 20], [10, 20]]
    runs = tanks.run_many(pd.DataFrame({"Water[left]": [3, 4], "Water[right]": [5, 6]}))
    assert runs["Water"].sel(time=0).values.tolist() == [[3, 5], [4, 6]]
    flow = runs["outflow"].sel(time=0)
    np.testing.assert_allclose(flow, [[3 / 5, 1], [4 / 5, 6 / 5]], rtol=1e-14)


def test_an_auxiliary_held_at_a_number(tanks: Model) -> None:
    run = tanks.run({"outflow": [0, 1]})
    np.testing.assert_allclose(run["Water"].values, [[1 + 2 * t, 1 + 3 * t] for t in range(5)])
    runs = tanks.run_many({"outflow": [[0, 1], [2, 4]]})
    np.testing.assert_array_equal(runs["Water"].isel(run=0), run["Water"])
    assert runs["Water"].sel(run=1, time=4).values.tolist() == [1, 1]


def test_lookups_by_run_and_by_element(tanks: Model) -> None:
    rows = [{"table": [[0, 0], [4, 8]]}, {}, {"table": [[0, 1], [4, 1]]}]
    runs = tanks.run_many(rows, save=["seen"])
    assert runs["seen"].values.tolist() == [[0, 2, 4, 6, 8], [0, 1, 2, 3, 4], [1] * 5]
    whole = tanks.run_many(rows, {"table": [[0, 9], [4, 9]]}, save=["seen"])
    assert whole["seen"].isel(run=1).values.tolist() == [9] * 5
    by_element = kredslob.load(MODELS / "lookups_by_element.mdl")
    name = next(n for n, v in by_element.variables.items() if v.kind == "lookup" and v.dims)
    elements = by_element.subscripts[by_element.variables[name].dims[0]]
    points = {e: [[0, k], [100, k]] for k, e in enumerate(elements)}
    flat = by_element.run({name: points})
    backwards = by_element.run({name: dict(reversed(points.items()))})
    assert flat.equals(backwards)
    assert not flat.equals(by_element.run())


@pytest.mark.parametrize(
    "series",
    [
        pd.Series([5.0, 1.0], index=[0.0, 4.0]),
        xr.DataArray([5.0, 1.0], {"time": [0.0, 4.0]}, ("time",)),
        pd.DataFrame({"any": [5.0, 1.0]}, index=[0.0, 4.0]),
    ],
)
def test_a_constant_over_time(tanks: Model, series: Any) -> None:
    run = tanks.run({"time constant": series})
    expected = by_hand(lambda t: [2, 4], lambda t: 5 - t)
    np.testing.assert_allclose(run["Water"].values, expected, rtol=1e-12)
    assert run["time constant"].values.tolist() == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "series",
    [
        pd.DataFrame({"right": [4.0, 0.0], "left": [2.0, 6.0]}, index=[0.0, 4.0]),
        xr.DataArray(
            [[4.0, 0.0], [2.0, 6.0]],
            {"Tank": ["right", "left"], "time": [0.0, 4.0]},
            ("Tank", "time"),
        ),
    ],
)
def test_elements_over_time_go_by_their_labels(tanks: Model, series: Any) -> None:
    run = tanks.run({"inflow": series})
    expected = by_hand(lambda t: [2 + t, 4 - t], lambda t: 5)
    np.testing.assert_allclose(run["Water"].values, expected, rtol=1e-12)


def test_an_auxiliary_and_a_stock_over_time(tanks: Model) -> None:
    auxiliary = tanks.run({"seen": pd.Series([0.0, 8.0], index=[0.0, 2.0])})
    assert auxiliary["seen"].values.tolist() == [0, 4, 8, 8, 8]  # held at the last value
    stock = tanks.run({"Water": pd.Series([10.0, 50.0], index=[0.0, 4.0])})
    assert stock["outflow"].sel(Tank="left").values.tolist() == [2, 4, 6, 8, 10]


def test_series_by_run(tanks: Model) -> None:
    rows = [{"seen": pd.Series([k, 2.0 * k], index=[0, 4])} for k in (1.0, 4.0)]
    runs = tanks.run_many(rows, save=["seen"])
    assert runs["seen"].sel(time=2).values.tolist() == [1.5, 6]


def test_data_variables_take_series_and_numbers(data: Model) -> None:
    run = data.run({"straight": pd.Series([0.0, 6.0], index=[0.0, 6.0]), "ahead": 1})
    np.testing.assert_allclose(run["used"].values, 2 * run["time"].values + 1)
    runs = data.run_many({"behind": [1.0, 2.0]}, save=["Stock"])
    assert runs["Stock"].sel(time=6).values.tolist() == [6, 12]


@pytest.mark.parametrize("engine", ["numba", "pysd"])
def test_both_engines_take_the_same_changes(tanks: Model, engine: str) -> None:
    changes = {
        "time constant": pd.Series([5.0, 1.0], index=[0.0, 4.0]),
        "inflow": {"left": 1, "right": 3},
        "Water": [7, 9],
        "table": [[0, 3], [4, 5]],
    }
    run = tanks.run(changes, engine=engine)
    water = np.array([7.0, 9.0])
    for step in range(8):
        water = water + 0.5 * (np.array([1, 3]) - water / (5 - step / 2))
    np.testing.assert_allclose(run["Water"].sel(time=4), water, rtol=1e-12)
    np.testing.assert_allclose(run["seen"].values, [3, 3.5, 4, 4.5, 5])


# Clocks


def test_years_count_from_the_initial_time_of_the_scenario(tanks: Model) -> None:
    run = tanks.run({"INITIAL TIME": 10}, years=2)
    assert run["time"].values.tolist() == [10, 11, 12]


def test_years_count_from_an_initial_time_that_is_computed(tmp_path: Path) -> None:
    path = tmp_path / "late.mdl"
    path.write_text(
        "{UTF-8}\nbirth = 1900 ~~|\nx = INTEG(1, 0) ~~|\nINITIAL TIME = birth + 80 ~~|\n"
        "FINAL TIME = 2000 ~~|\nTIME STEP = 1 ~~|\nSAVEPER = 1 ~~|\n",
        encoding="utf-8",
    )
    model = kredslob.load(path)
    assert model.run(years=2)["time"].values.tolist() == [1980, 1981, 1982]
    assert model.run({"birth": 1901}, years=1)["time"].values.tolist() == [1981, 1982]


def test_runs_of_different_length_share_their_times(tanks: Model) -> None:
    runs = tanks.run_many({"FINAL TIME": [2, 4, 1]}, save=["Water"])
    assert runs["time"].values.tolist() == [0, 1, 2, 3, 4]
    there = runs["Water"].sel(Tank="left").notnull().sum("time").values.tolist()
    assert there == [3, 5, 2]


def test_runs_with_time_steps_of_their_own(tanks: Model) -> None:
    steps = [0.25, 0.5, 1]
    runs = tanks.run_many({"TIME STEP": steps}, save=["Water"], at=[1, 4])
    assert runs["time"].values.tolist() == [1, 4]
    alone = [tanks.run(time_step=s, save=["Water"]).sel(time=[1, 4])["Water"] for s in steps]
    np.testing.assert_array_equal(runs["Water"].values, np.stack(alone))


def test_values_are_kept_at_the_times_asked_for(tanks: Model) -> None:
    every = tanks.run(saveper=0.5)
    some = tanks.run_many([{}], at=[3.5, 0, 1.5, 1.5], save=["Water"])
    assert some["time"].values.tolist() == [0, 1.5, 3.5]
    np.testing.assert_array_equal(
        some["Water"].isel(run=0).values, every["Water"].sel(time=[0, 1.5, 3.5]).values
    )


def test_times_are_found_after_a_million_steps(tanks: Model) -> None:
    # Adding up 0.01 a million times misses 10,000 by 2e-5 of a step.
    runs = tanks.run_many([{}], years=10_000, time_step=0.01, at=[5000, 10_000], save=["seen"])
    assert runs["time"].values.tolist() == [5000, 10_000]


def test_times_that_a_computed_clock_passes_by_are_named(tmp_path: Path) -> None:
    path = tmp_path / "computed.mdl"
    path.write_text(
        "{UTF-8}\nhalf = 0.5 ~~|\nx = INTEG(1, 0) ~~|\nINITIAL TIME = 0 ~~|\n"
        "FINAL TIME = 4 ~~|\nTIME STEP = half * 2 ~~|\nSAVEPER = 1 ~~|\n",
        encoding="utf-8",
    )
    model = kredslob.load(path)
    assert model.run_many([{}], at=[1, 3])["x"].values.tolist() == [[1, 3]]
    with pytest.raises(ParameterError, match=r"nothing is saved at 2\.5: it is no time step"):
        model.run_many([{}, {}], at=[1, 2.5, 3])
    with pytest.raises(ParameterError, match="nothing is saved at 7"):
        model.run_many([{}] * 20, at=[7])
    many = model.run_many([{}] * 20, save=["x"])  # more runs than lanes: the rows are learnt first
    assert many["x"].sel(time=4).values.tolist() == [4.0] * 20


def test_rk4_is_more_exact_than_euler(tanks: Model) -> None:
    exact = 10 + (1 - 10) * np.exp(-4 / 5)  # dS/dt = 2 - S/5 from 1
    euler = tanks.run()["Water"].sel(time=4, Tank="left")
    rk4 = tanks.run(integration="rk4")["Water"].sel(time=4, Tank="left")
    assert abs(float(rk4) - exact) < 1e-5 < abs(float(euler) - exact)
    many = tanks.run_many([{}, {}], integration="rk4")["Water"].sel(time=4, Tank="left")
    assert many.values.tolist() == [float(rk4)] * 2


def test_names_to_save_may_be_patterns(tanks: Model) -> None:
    assert list(tanks.run(save=["*flow"]).data_vars) == ["inflow", "outflow"]
    assert list(tanks.run(save=["water", "OUT*", "*flow"]).data_vars) == [
        "Water",
        "outflow",
        "inflow",
    ]
    assert list(tanks.run(save=["TIME STEP"]).data_vars) == ["TIME STEP"]


# What is refused, each in one line

BAD_DESIGNS = [
    ({"inflw": [1.0]}, "has no constant 'inflw'; did you mean 'inflow'?"),
    ({"time constant": [1.0, np.nan]}, "'time constant', run 1: expected finite numbers"),
    ({"time constant": [1.0, np.inf]}, "'time constant', run 1: expected finite numbers"),
    ({"time constant": [1.0, 2.0], "inflow": [1.0]}, "found time constant: 2, inflow: 1"),
    ({"time constant": 3.0}, "'time constant': found 3, expected a list of values"),
    ({"time constant": []}, "at least one"),
    ({}, "at least one; found no variable"),
    ([], "a design needs at least one run"),
    (pd.DataFrame({"time constant": []}), "at least one"),
    ({"inflow": np.ones((2, 3))}, "found an array of shape (2, 3), expected (2, 2) (run x Tank)"),
    ({"inflow[left]": np.ones((2, 2))}, "found an array of shape (2, 2), expected (2,) (run)"),
    ({"time constant": np.ones((2, 2))}, "found an array of shape (2, 2), expected (2,) (run)"),
    ({"inflow[middle]": [1.0]}, "'middle' is no element of Tank (left, right)"),
    ({"inflow[left, right]": [1.0]}, "expected 1 subscripts (Tank)"),
    ({"time constant[left]": [1.0]}, "expected 0 subscripts (none)"),
    ({"time constant": ["slow"]}, "expected numbers"),
    ({"table": [1.0]}, "'table': a lookup cannot be a column"),
    ({"inflow": [1.0], "Inflow": [2.0]}, "'Inflow' is given twice"),
    ({"inflow": [1.0], "inflow[left]": [2.0]}, "'inflow[left]' is given twice"),
    (pd.DataFrame([[1, 2]], columns=["inflow", "inflow"]), "'inflow' is given twice"),
    ({"Water[left]": [1.0]}, "'Water': no value for 'right'"),
    (xr.Dataset({"time constant": 1.0}), "'time constant': found no dimension 'run'"),
    (
        xr.Dataset({"inflow": (("run", "Tank"), [[1.0]])}, {"Tank": ["left"]}),
        "'inflow': no value for 'right' of Tank",
    ),
    (
        xr.Dataset({"inflow": (("run", "Other"), [[1.0, 2.0]])}),
        "found dimensions run, Other, expected run, Tank",
    ),
    (5, "design: found 5, expected a table"),
    ("inflow", "design: found 'inflow', expected a table"),
    ([{"inflow": 1}, 3], "run 1: found 3, expected names and values"),
    ([{"inflow": 1}, {"inflow": [1, 2, 3]}], "run 1: 'inflow': found an array of shape (3,)"),
    ([{"Water": 1}, {}], "'Water' must be given in each run or in none"),
    (
        [{"seen": 1}, {"seen": pd.Series([1.0], index=[0.0])}],
        "'seen' is a number in one run and a series in another",
    ),
    ({"SAVEPER": [1.0, 2.0]}, "run 1 is saved at 2 and another run at 1; name the times with at="),
    ({"INITIAL TIME": [0.0, 1.0]}, "name the times with at="),
]


@pytest.mark.parametrize(("design", "message"), BAD_DESIGNS, ids=lambda x: str(x)[:40])
def test_a_bad_design_is_refused_in_one_line(tanks: Model, design: Any, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        tanks.run_many(design)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


BAD_CHANGES = [
    ({"inflow": {"left": 1, "middle": 2}}, "'middle' is no element of Tank (left, right)"),
    ({"inflow": {"left": 1, "Left": 2, "right": 3}}, "2 values for 'left' of Tank"),
    ({"inflow": {"left": "much", "right": 1}}, "expected numbers"),
    ({"inflow": {"left": {"deep": 1}, "right": 1}}, "expected a single number"),
    ({"time constant": {"left": 1}}, "expected a single number"),
    ({"inflow": np.full((50, 50), 1.5)}, "found an array of shape (50, 50)"),
    ({"inflow": [np.nan] * 200}, "found an array of shape (200,)"),
    ({"time constant": [np.nan] * 200}, "expected a single number; a list of them"),
    ({"seen": pd.Series([1.0, 2.0], index=[1.0, 0.0])}, "must rise"),
    ({"seen": pd.Series([1.0, np.nan], index=[0.0, 1.0])}, "expected pairs"),
    ({"seen": pd.Series(["a", "b"], index=[0.0, 1.0])}, "expected a series of numbers"),
    ({"seen": pd.Series([1.0], index=["today"])}, "over times that are numbers"),
    ({"seen": xr.DataArray([1.0, 2.0], dims="time")}, "found no times along"),
    ({"inflow": pd.DataFrame({"left": [1.0]}, index=[0.0])}, "found the columns left"),
    ({"inflow": pd.DataFrame({"up": [1.0], "left": [1.0]}, index=[0.0])}, "'up' is no element"),
    ({"table": 5}, "'table': found 5, expected pairs"),
    ({"table": {"left": [[0, 1]]}}, "expected pairs"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_CHANGES, ids=lambda x: str(x)[:40])
def test_a_bad_change_is_refused_in_one_line(
    tanks: Model, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        tanks.run(changes)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


BAD_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"at": []}, "at: found [], expected times"),
    ({"at": [0.3]}, "at: found 0.3, expected time steps: 0, 0.5, ... 4"),
    ({"at": [-1.0]}, "at: found -1, expected time steps"),
    ({"at": [2.0, 5.0]}, "at: found 5, but the runs end at 4"),
    ({"at": [np.nan]}, "expected times at which to keep values"),
    ({"at": 3}, "at: found 3, expected a list of times"),
    ({"integration": "heun"}, "integration: found 'heun', expected one of euler, rk4"),
    ({"save": "Water"}, "save: found 'Water', expected a list of names"),
    ({"save": []}, "save: found [], expected a list of names"),
    ({"save": ["Wine*"]}, "has no variable 'Wine*' to save"),
    ({"save": ["table"]}, "has no variable 'table' to save"),
    ({"threads": 0}, "threads: found 0, expected a whole number above 0"),
    ({"years": "two"}, "years: found 'two', expected a number above 0"),
    ({"time_step": np.nan}, "time_step: found nan, expected a number above 0"),
    ({"summary": ["median"]}, "summary: found 'median', expected count, mean, variance"),
    ({"summary": [1.5]}, "summary: found 1.5, expected"),
    ({"summary": []}, "summary: found nothing"),
    ({"summary": ["mean", "mean"]}, "summary: 'mean' is asked for twice"),
    ({"summary": "mean"}, "summary: found 'mean', expected a list"),
    ({"client": "scheduler"}, "client: found str, expected a dask.distributed.Client"),
    ({"scenario": [1]}, "scenario: found [1], expected a dict of names and values"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS, ids=lambda x: str(x)[:40])
def test_a_bad_option_is_refused_in_one_line(
    tanks: Model, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        tanks.run_many({"time constant": [1.0, 2.0]}, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_engine_and_a_method_that_pysd_lacks_are_refused(tanks: Model) -> None:
    with pytest.raises(ParameterError, match="engine: found 'abacus', expected one of numba, pysd"):
        tanks.run(engine="abacus")
    with pytest.raises(ParameterError, match="PySD integrates by Euler's method only"):
        tanks.run(engine="pysd", integration="rk4")


def test_results_that_do_not_fit_are_refused_before_the_first_run(tanks: Model) -> None:
    with pytest.raises(ParameterError, match="GiB; name fewer variables with save="):
        tanks.run_many({"time constant": np.ones(10_000)}, years=1e6, saveper=0.5)
    with pytest.raises(ParameterError, match="GiB; name fewer variables with save="):
        tanks.run(years=1e12)


def test_a_bad_number_among_many_rows_is_found(tanks: Model) -> None:
    rows = [{"time constant": 1.0}] * 50 + [{"time constant": np.nan}]
    with pytest.raises(ParameterError, match="run 50: expected finite numbers"):
        tanks.run_many(rows)
