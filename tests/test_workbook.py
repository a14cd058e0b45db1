"""A run in Excel and other formats: the same numbers to the last bit, and no text that acts."""

from __future__ import annotations

import csv
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import kredslob
from kredslob.cli import main
from kredslob.cycle.accounts import accounts, bookkeeping
from kredslob.cycle.equity import equity
from kredslob.cycle.summary import summary
from kredslob.errors import KredslobError
from kredslob.results import SavedRun, load_run, new_run_folder, write_run
from kredslob.show.csv_file import harmless, write_csv
from kredslob.show.export import tidy_tables, write_tables
from kredslob.show.run_folder import copy_model
from kredslob.show.workbook import write_workbook
from kredslob.simulation import Model

RATE = "reinvestment rate"
SHEETS = {
    "da": [
        *("Oversigt", "Tidsserier", "Kasser", "Regnskab", "Pengestrømme", "Hvem hjælpes"),
        *("Forudsætninger", "Forsøgsplan", "Om kørslen"),
    ],
    "en": [
        *("Summary", "Time series", "By purse", "Accounts", "Cash flows", "Who is helped"),
        *("Parameters", "Design", "About this run"),
    ],
}
EVIL = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "http://x.dk", "{=1}"]


@pytest.fixture(scope="module")
def run(model: Model, tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    """A sweep without figures, as it comes back from disk."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    runs = kredslob.sweep(model, kredslob.load_scenario("half"), {RATE: [0.0, 1.0]}, years=12)
    tables = {
        "summary": summary(runs),
        "accounts": accounts(runs),
        "equity": equity(runs),
        "bookkeeping": bookkeeping(runs),
    }
    made_by = {"kind": "run", "command": "=kredslob run", "levers": {RATE: [0.0, 1.0]}}
    made_by |= {"setting": "municipality", "scenario": "half"}
    with new_run_folder(folder) as hidden:
        copy_model(hidden)
        write_run(hidden, runs, tables, made_by)
    return load_run(folder)


@pytest.fixture(scope="module")
def books(run: SavedRun, tmp_path_factory: pytest.TempPathFactory) -> dict[str, openpyxl.Workbook]:
    place = tmp_path_factory.mktemp("books")
    for language in SHEETS:
        write_workbook(place / f"{language}.xlsx", run, language)
    return {ln: openpyxl.load_workbook(place / f"{ln}.xlsx") for ln in SHEETS}


def frame(sheet: openpyxl.worksheet.worksheet.Worksheet) -> pd.DataFrame:
    head, *rows = sheet.iter_rows(values_only=True)
    return pd.DataFrame(rows, columns=list(head))


@pytest.mark.parametrize("language", SHEETS)
def test_the_sheets_are_named_and_set_up(
    books: dict[str, openpyxl.Workbook], language: str
) -> None:
    book = books[language]
    assert book.sheetnames == SHEETS[language]
    for sheet in book:
        assert sheet.page_setup.paperSize == 9  # A4
        frozen = sheet.title not in (SHEETS[language][-1],)
        assert bool(sheet.freeze_panes) == frozen, sheet.title
        if sheet.title not in (SHEETS[language][0], SHEETS[language][-1]):
            assert sheet.auto_filter.ref == sheet.dimensions
            assert sheet.print_title_rows == "$1:$1"
        for width in sheet.column_dimensions.values():
            assert 7 < width.width <= 91
    assert len(book[SHEETS[language][0]]._charts) == 4


def test_time_series_are_the_dataset_to_the_last_bit(
    run: SavedRun, books: dict[str, openpyxl.Workbook]
) -> None:
    shown = frame(books["da"]["Tidsserier"])
    cash = run.runs["total cash"].transpose(RATE, "time").values.ravel()
    assert shown["fondens kasse (kr.)"].tolist() == cash.tolist()
    helped = run.runs["Cumulated Completions"].sum(("Group", "Need")).transpose(RATE, "time")
    assert shown["borgere hjulpet indtil nu (person)"].tolist() == helped.values.ravel().tolist()
    assert shown["År"].tolist() == np.tile(run.runs["time"].values, 2).tolist()
    english = frame(books["en"]["Time series"])
    for name, variable in run.runs.data_vars.items():
        if set(variable.dims) == {RATE, "time"}:
            column = [c for c in english if str(c).partition(" (")[0].lower() == str(name).lower()]
            if column:
                expected = variable.transpose(RATE, "time").values.ravel().tolist()
                assert english[column[0]].tolist() == expected, name
    assert len(english.columns) > 30


def test_cash_flows_are_the_dataset_to_the_last_bit(
    run: SavedRun, books: dict[str, openpyxl.Workbook]
) -> None:
    shown, flows = frame(books["en"]["Cash flows"]), run.tables["accounts"]
    order = (RATE, "party", "year")
    for heading, name in (
        ("Cost", "cost"),
        ("Benefit", "benefit"),
        ("Net cash flow", "net cash flow"),
    ):
        expected = flows[name].transpose(*order).values.ravel().tolist()
        assert shown[f"{heading} (DKK/year)"].tolist() == expected
    returned = flows["line item"].sel(item="returned savings").transpose(*order)
    assert shown["Returned savings (DKK/year)"].tolist() == returned.values.ravel().tolist()
    assert shown["Party"][0] == "The fund"


def test_the_summary_is_the_dataset_to_the_last_bit(
    run: SavedRun, books: dict[str, openpyxl.Workbook]
) -> None:
    rows = {
        r[0]: list(r[1:]) for r in books["da"]["Oversigt"].iter_rows(min_row=4, values_only=True)
    }
    table = run.tables["summary"]
    assert rows["Andel af den lovede besparelse, der geninvesteres"][:2] == [0.0, 1.0]
    assert rows["Borgere hjulpet (gennemførte forløb)"] == table["citizens helped"].values.tolist()
    relief = table["net saving"].sel(Purse="state").values.tolist()
    assert rows["Nettobesparelse for staten, mio. kr."] == relief  # the format shows millions
    cell = next(c for r in books["da"]["Oversigt"].iter_rows() for c in r if c.value == relief[1])
    assert cell.number_format == "#,##0.0,,"
    assert rows["Fonden er betalt tilbage i år"] == ["aldrig", "aldrig"]
    assert rows["Bærer kredsløbet sig selv?"] == ["nej", "nej"]


def test_parameters_stand_with_source_and_certainty(books: dict[str, openpyxl.Workbook]) -> None:
    from kredslob.cycle.scenario import parameter_table

    shown = frame(books["en"]["Parameters"]).set_index("Name in the model")
    for row in parameter_table():
        found = shown.loc[row.label]
        assert found["Value in the table"] == row.value
        assert (found["Low"], found["High"]) == (row.low, row.high)
        assert found["Certainty"] == row.certainty
    assert shown.loc["capital at start[own savings]", "Value in this run"] == 12e6
    assert shown.loc[RATE, "Value in this run"] == 0.5
    danish = frame(books["da"]["Forudsætninger"])
    assert set(danish["Sikkerhed"]) == {"målt", "anslået", "antaget"}


@pytest.mark.parametrize(
    "value", [0.1, 1 / 3, 2.0**-1074, 1.7976931348623157e308, 0.1 + 0.2, -1e-300]
)
def test_any_number_keeps_all_its_digits(run: SavedRun, tmp_path: Path, value: float) -> None:
    tables = dict(run.tables)
    tables["summary"] = tables["summary"].copy(deep=True)
    tables["summary"]["citizens helped"][0] = value
    write_workbook(tmp_path / "x.xlsx", SavedRun(run.folder, run.runs, tables, run.manifest), "en")
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx")["Summary"]
    assert value in [c for r in sheet.iter_rows(values_only=True) for c in r]


def test_no_text_becomes_a_formula_or_a_link(run: SavedRun, tmp_path: Path) -> None:
    for text in EVIL:
        manifest = dict(run.manifest) | {"command": text, "setting": text, "scenario": text}
        evil = SavedRun(run.folder, run.runs, run.tables, manifest)
        path = tmp_path / "evil.xlsx"
        write_workbook(path, evil, "en")
        with zipfile.ZipFile(path) as file:
            for name in file.namelist():
                if name.startswith("xl/worksheets/sheet"):
                    content = file.read(name)
                    assert b"<f>" not in content
                    assert b"<hyperlink" not in content
        book = openpyxl.load_workbook(path)
        cells = [c for r in book["About this run"].iter_rows() for c in r if c.value is not None]
        shown = text.replace("\r", "\n")
        assert [
            c for c in cells if str(c.value).replace("_x000D_", "\n").replace("\r", "\n") == shown
        ]


def test_another_model_has_a_workbook_too(tanks: Model, tmp_path: Path) -> None:
    runs = tanks.run()
    with new_run_folder(tmp_path / "run") as hidden:
        write_run(hidden, runs, {}, {"levers": {}})
    saved = load_run(tmp_path / "run")
    write_workbook(tmp_path / "x.xlsx", saved, "da")
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    assert book.sheetnames == [
        "Oversigt",
        "Tidsserier",
        "Forudsætninger",
        "Forsøgsplan",
        "Om kørslen",
    ]
    shown = frame(book["Tidsserier"])
    expected = runs["Water"].sel(Tank="right").values.tolist()
    assert shown["Water[right] (litre)"].tolist() == expected
    rows = {r[0]: r[2] for r in book["Oversigt"].iter_rows(min_row=5, values_only=True)}
    assert rows["Water[left]"] == float(runs["Water"].sel(Tank="left")[-1])


# --- CSV ---------------------------------------------------------------------------------------

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@given(st.text(max_size=12) | st.sampled_from(EVIL))
def test_no_cell_of_a_csv_begins_a_formula(text: str) -> None:
    found = harmless(text)
    assert not found.lstrip(" ").startswith(FORMULA) or is_number(found)
    assert found in (text, f"'{text}")


@given(st.floats(allow_nan=False))
def test_numbers_of_a_csv_are_untouched(number: float) -> None:
    assert harmless(number) == number


def test_texts_in_headings_index_and_cells_are_made_harmless(tmp_path: Path) -> None:
    table = pd.DataFrame({"=a": ["@x", "ok"], "n": [-1.5, 2.0]}, index=["+1+1", "b"])
    write_csv(table, tmp_path / "t.csv", index_label="")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [["", "'=a", "n"], ["'+1+1", "'@x", "-1.5"], ["b", "ok", "2.0"]]


# --- tidy tables -------------------------------------------------------------------------------


def test_tidy_tables_hold_every_number(run: SavedRun) -> None:
    seen = set()
    for name, table, part in tidy_tables(run):
        for variable in part.data_vars:
            seen.add((name.partition("-")[0], str(variable)))
            assert len(table) == max(part[variable].size, 1), (name, variable)
    expected = {("run", str(n)) for n in run.runs.data_vars}
    expected |= {(t, str(n)) for t, d in run.tables.items() for n in d.data_vars}
    assert seen == expected


def test_all_formats_are_written(
    run: SavedRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    words = ["kredslob", "export", str(run.folder), "--format", "xlsx, csv,parquet,netcdf"]
    monkeypatch.setattr(sys, "argv", [*words, "--out", str(out), "--lang", "da"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert "filer ligger i" in capsys.readouterr().out
    xr.testing.assert_identical(xr.load_dataset(out / "netcdf" / "run.nc"), run.runs)
    name = "run-reinvestment_rate-time"
    table = pq.read_table(out / "parquet" / f"{name}.parquet")
    cash = run.runs["total cash"].transpose(RATE, "time").values.ravel()
    assert table["total cash"].to_numpy().tolist() == cash.tolist()
    field = table.schema.field("total cash").metadata
    assert field[b"units"] == b"DKK"
    assert field[b"description"] == run.runs["total cash"].attrs["description"].encode()
    assert table.schema.metadata[b"model sha256"].decode() == run.manifest["model sha256"]
    back = pd.read_csv(out / "csv" / f"{name}.csv")
    assert back["total cash"].tolist() == cash.tolist()
    columns = pd.read_csv(out / "csv" / "columns.csv").query("file == @name + '.csv'")
    assert columns.set_index("column").loc["total cash", "units"] == "DKK"
    assert json.loads(table.schema.metadata[b"parameters"]) == run.manifest["parameters"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--format", "docx"],
            "--format: found 'docx', expected one of xlsx, csv, parquet, netcdf",
        ),
        (["--out", "in-use"], "in-use: is in use"),
    ],
)
def test_bad_input_is_one_clear_line(
    run: SavedRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in-use").mkdir()
    (tmp_path / "in-use" / "mine").touch()
    given_ = words if "--out" in words else [*words, "--out", "new"]
    monkeypatch.setattr(sys, "argv", ["kredslob", "export", str(run.folder), *given_])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_missing_library_is_named_in_one_line(
    run: SavedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kredslob.show.export._NEEDS", {"xlsx": "a_library_that_is_not_there"})
    with pytest.raises(KredslobError, match=r'pip install "kredslob\[report\]"'):
        write_tables(tmp_path, run, ["xlsx"], "en")
    assert list(tmp_path.iterdir()) == []
