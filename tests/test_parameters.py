"""The parameter table: one place of truth, with figures that can be traced."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from kredslob.cycle.parameters import ParameterTable, read_parameters, write_constants
from kredslob.errors import InputFileError
from kredslob.paths import reinvestment_folder
from kredslob.simulation import Model

HEADER = (reinvestment_folder() / "parameters.csv").read_text(encoding="utf-8").splitlines()[0]


def test_model_file_holds_the_values_of_the_table(model: Model, table: ParameterTable) -> None:
    run = model.run(years=0.125).isel(time=0)
    for row in table:
        index = dict(zip(model.variables[row.name].dims, row.elements, strict=True))
        assert float(run[row.name].sel(index)) == pytest.approx(row.value, rel=1e-11), row.label


def test_every_constant_of_the_model_is_in_the_table_and_no_other(
    model: Model, table: ParameterTable
) -> None:
    constants = {v.name for v in model.variables.values() if v.kind == "constant"}
    assert set(table.names()) == constants


def test_every_element_has_a_row(model: Model, table: ParameterTable) -> None:
    for name in table.names():
        expected = np.prod([len(model.subscripts[d]) for d in model.variables[name].dims])
        assert len(table.of(name)) == expected, name


def test_units_of_table_and_model_file_agree(model: Model, table: ParameterTable) -> None:
    for row in table:
        assert row.unit == model.variables[row.name].unit, row.label


def test_what_is_not_assumed_has_a_source_and_an_address(table: ParameterTable) -> None:
    for row in table:
        assert row.source, row.label
        if row.certainty != "assumed":
            assert row.url.startswith("https://") or row.url.startswith("http://"), row.label
            assert row.population, row.label
            assert row.figure_year, row.label


def test_money_states_its_price_year(table: ParameterTable) -> None:
    for row in table:
        assert (row.price_year == 2024) == ("DKK" in row.unit), row.label


def test_measured_money_is_the_published_figure_at_2024_prices(table: ParameterTable) -> None:
    with (reinvestment_folder() / "price_index.csv").open(encoding="utf-8") as file:
        index = {int(r["year"]): float(r["index"]) for r in csv.DictReader(file)}
    checked = 0
    for row in table:
        if row.figure and row.figure_price_year and row.certainty == "measured":
            expected = row.figure * index[2024] / index[row.figure_price_year]
            assert row.value == pytest.approx(expected, rel=0.002), row.label
            checked += 1
    assert checked >= 15


def test_shares_of_a_saving_add_up_to_one(table: ParameterTable) -> None:
    sums: dict[str, float] = {}
    for row in table.of("purse share"):
        sums[row.elements[0]] = sums.get(row.elements[0], 0) + row.value
    assert sums == pytest.approx(dict.fromkeys(sums, 1.0))


def test_no_service_is_used_more_than_the_days_of_a_year(table: ParameterTable) -> None:
    factor = {row.elements: row.value for row in table.of("need use factor")}
    for row in table.of("use in crisis"):
        administration = row.elements[1]
        assert row.value * factor["complex", administration] <= 365, row.label


def test_switches_are_the_unsettled_hypotheses(table: ParameterTable) -> None:
    switches = {row.name for row in table if row.kind == "switch"}
    assert {
        "switch support erosion",
        "switch prevention",
        "switch learning",
        "switch capacity limits",
        "switch investor behaviour",
    } <= switches


def test_writing_constants_puts_changed_values_into_the_model_file(
    tmp_path: Path, model: Model
) -> None:
    for name in ("reinvestment.mdl", "parameters.csv"):
        shutil.copy(reinvestment_folder() / name, tmp_path / name)
    path = tmp_path / "parameters.csv"
    text = path.read_text(encoding="utf-8")
    old = "training time,,parameter,1,"
    assert text.count(old) == 1
    path.write_text(text.replace(old, "training time,,parameter,1.25,"), encoding="utf-8")
    write_constants(tmp_path / "reinvestment.mdl", read_parameters(path), model.subscripts)
    before = (reinvestment_folder() / "reinvestment.mdl").read_text(encoding="utf-8").splitlines()
    after = (tmp_path / "reinvestment.mdl").read_text(encoding="utf-8").splitlines()
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert changed == [("\t1", "\t1.25")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            "a,,parameter,x,0,1,0,,fixed,Dmnl,,,,,,s,,assumed,",
            "line 2, 'value': found 'x', expected a number",
        ),
        (
            "a,,parameter,2,0,1,0,,fixed,Dmnl,,,,,,s,,assumed,",
            "line 2, 'a': expected minimum <= low <= value <= high <= maximum",
        ),
        (
            "a,,parameter,1,0,1,0,,fixed,Dmnl,,,,,,s,,guessed,",
            "line 2, 'certainty': found 'guessed', expected one of measured, estimated, assumed",
        ),
        (
            "a,,parameter,,0,1,0,,fixed,Dmnl,,,,,,s,,assumed,",
            "line 2, 'a': has no value",
        ),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, row: str, expected: str) -> None:
    path = tmp_path / "parameters.csv"
    path.write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    with pytest.raises(InputFileError) as caught:
        read_parameters(path)
    assert expected in str(caught.value)


def test_a_row_that_stands_twice_is_named(tmp_path: Path) -> None:
    row = "a,,parameter,1,0,1,0,,fixed,Dmnl,,,,,,s,,assumed,"
    path = tmp_path / "parameters.csv"
    path.write_text(f"{HEADER}\n{row}\n{row}\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="line 3, 'a': stands on line 2 too"):
        read_parameters(path)
