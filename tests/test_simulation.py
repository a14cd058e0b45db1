"""Running any model: what goes in, what comes out, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import kredslob
from kredslob.errors import InputFileError, ParameterError
from kredslob.simulation import Model


def test_variables_carry_kind_subscripts_unit_and_documentation(tanks: Model) -> None:
    kinds = {name: v.kind for name, v in tanks.variables.items() if v.kind != "control"}
    assert kinds == {
        "inflow": "constant",
        "time constant": "constant",
        "table": "lookup",
        "seen": "auxiliary",
        "outflow": "flow",
        "Water": "stock",
    }
    water = tanks.variables["Water"]
    assert (water.dims, water.unit, water.documentation) == (
        ("Tank",),
        "litre",
        "Water in the tank.",
    )
    assert tanks.subscripts == {"Tank": ("left", "right")}


def test_a_run_is_eulers_solution_over_time_and_subscripts(tanks: Model) -> None:
    run = tanks.run()
    expected = [[1.0, 1.0]]
    for _ in range(8):
        now = np.array(expected[-1])
        expected.append(list(now + 0.5 * (np.array([2, 4]) - now / 5)))
    assert run["Water"].dims == ("time", "Tank")
    assert list(run["time"].values) == [0, 1, 2, 3, 4]
    assert list(run["Tank"].values) == ["left", "right"]
    np.testing.assert_allclose(run["Water"].values, np.array(expected)[::2], rtol=1e-12)
    assert run["inflow"].dims == ("time", "Tank")  # also what never changes


def test_a_run_says_what_made_it(tanks: Model) -> None:
    run = tanks.run({"time constant": 4}, years=2)
    assert run["Water"].attrs["units"] == "litre"
    assert run["Water"].attrs["long_name"] == "Water"
    assert run.attrs["model_hash"] == tanks.file.sha256
    assert json.loads(run.attrs["parameters"]) == {"time constant": 4.0}
    assert json.loads(run.attrs["clock"]) == {"final": 2}
    assert json.loads(run.attrs["versions"])["kredslob"]


def test_constants_can_be_given_by_element_by_array_and_by_keyword(tanks: Model) -> None:
    by_element = tanks.run({"inflow": {"left": 1, "right": 3}}, time_constant=2)
    by_array = tanks.run({"inflow": [1, 3], "time constant": 2})
    np.testing.assert_array_equal(by_element["Water"].values, by_array["Water"].values)
    assert float(by_array["Water"].sel(Tank="right", time=4)) > float(
        by_array["Water"].sel(Tank="left", time=4)
    )


def test_a_run_leaves_no_trace_in_the_next(tanks: Model) -> None:
    before = tanks.run()
    tanks.run({"inflow": 100, "time constant": 1})
    after = tanks.run()
    np.testing.assert_array_equal(before["Water"].values, after["Water"].values)


def test_a_lookup_can_be_replaced(tanks: Model) -> None:
    run = tanks.run({"table": [[0, 5], [4, 13]]})
    np.testing.assert_allclose(run["seen"].values, [5, 7, 9, 11, 13])


def test_steps_and_saving_can_be_chosen(tanks: Model) -> None:
    run = tanks.run(years=1, time_step=0.125, saveper=0.25, save=["Water"])
    assert list(run["time"].values) == [0, 0.25, 0.5, 0.75, 1]
    assert list(run.data_vars) == ["Water"]


def test_the_model_file_and_its_folder_are_left_alone(tanks: Model) -> None:
    tanks.run()
    assert [p.name for p in tanks.file.path.parent.iterdir()] == ["tanks.mdl"]


def test_many_runs_come_back_in_order_with_progress(tanks: Model) -> None:
    seen: list[tuple[float, float]] = []
    runs = tanks.run_many(
        [{"time constant": c} for c in (1, 2, 4)], progress=lambda a, b: seen.append((a, b))
    )
    alone = [tanks.run({"time constant": c}) for c in (1, 2, 4)]
    for number, single in enumerate(alone):
        together = runs.isel(run=number)
        np.testing.assert_array_equal(together["Water"].values, single["Water"].values)
    done = [a for a, _ in seen]
    assert seen[-1] == (3, 3)
    assert done == sorted(done)


def test_a_sweep_is_labelled_by_its_levers(tanks: Model) -> None:
    runs = kredslob.sweep(tanks, {"inflow": 1}, {"time constant": [2, 4, 8]})
    assert runs["Water"].dims == ("time constant", "time", "Tank")
    assert runs["time constant"].attrs["units"] == "hour"
    one = tanks.run({"inflow": 1, "time constant": 4})
    np.testing.assert_array_equal(runs["Water"].sel({"time constant": 4}).values, one["Water"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inflw": 1}, "tanks.mdl has no constant 'inflw'; did you mean 'inflow'?"),
        ({"inflow": [1, 2, 3]}, r"'inflow': found an array of shape (3,), expected (2,) (Tank)"),
        ({"inflow": {"left": 1}}, "'inflow': no value for 'right' of Tank"),
        ({"time constant": float("nan")}, "'time constant': found nan, expected finite numbers"),
        ({"time constant": "slow"}, "'time constant': found 'slow', expected numbers"),
        ({"table": [1, 2]}, "'table': found [1, 2], expected pairs"),
        ({"table": [[1, 2], [0, 3]]}, "'table': the first numbers of the pairs must rise"),
    ],
)
def test_a_bad_constant_is_refused_in_one_line(
    tanks: Model, change: dict[str, object], message: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        tanks.run(change)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_times_and_names_to_save_are_refused(tanks: Model) -> None:
    with pytest.raises(ParameterError, match="years: found -1"):
        tanks.run(years=-1)
    with pytest.raises(ParameterError, match="has no variable 'Wine' to save"):
        tanks.run(save=["Wine"])
    with pytest.raises(ParameterError, match="same value stands twice"):
        kredslob.sweep(tanks, None, {"time constant": [1, 1]})
    with pytest.raises(ParameterError, match="levers: found none"):
        kredslob.sweep(tanks)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.mdl", None, "cannot be read"),
        ("model.txt", "x", "found a '.txt' file, expected one of .mdl"),
        ("broken.mdl", "{UTF-8}\nx = = 3 ~~|\n", "line 2, 'x': found '=', expected a name"),
        ("empty.xmile", "", "is empty, expected a model"),
    ],
)
def test_a_bad_model_file_is_refused_in_one_line(
    tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputFileError) as caught:
        kredslob.load(tmp_path / name)
    assert message in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
