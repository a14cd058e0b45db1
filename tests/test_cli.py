"""The command line: the main job from one end to the other, and one clear line for bad input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kredslob
from kredslob.cli import main

# what each folder of a run holds about where it came from
ORIGIN = ("manifest.json", "ro-crate-metadata.json", "scenario.toml", "design.csv", "log.txt")
HEAD = b'[title]\nda = "a"\nen = "b"\n[description]\nda = "a"\nen = "b"\n'
FILES = {
    "not-toml.toml": b"reinvest everything, please",
    "latin.toml": b'[title]\nda = "k\xf8benhavn"\n',
    "empty.toml": b"",
    "no-english.toml": b'[title]\nda = "a"\n',
    "rate.toml": HEAD + b'[parameters]\n"reinvestment rate" = 1.4\n',
    "name.toml": HEAD + b'[parameters]\n"reinvestment rat" = 1\n',
    "key.toml": HEAD + b"[paramters]\n",
    "unit.toml": HEAD + b'[parameters]\n"cashing delay" = { health = "3 kg" }\n',
    "nan.toml": HEAD + b'[parameters]\n"reinvestment rate" = nan\n',
    "true.toml": HEAD + b'[parameters]\n"reinvestment rate" = true\n',
    "twice.toml": HEAD + b'[parameters]\n"overhead share" = 0\n"overhead share" = 0\n',
    "schedule.toml": HEAD + b'[parameters]\n"reinvestment schedule" = [[5, 1], [0, 1]]\n',
    "structure.toml": HEAD + b'[parameters]\n"purse share" = { health = { state = 0.5 } }\n',
    "shares.toml": HEAD + b'[parameters]\n"outcome payer" = { state = 1 }\n',
    "no-feedback.mdl": b"{UTF-8}\nlevel=INTEG(2, 1)~~|\nINITIAL TIME=0~~|\nFINAL TIME=3~~|\n"
    b"TIME STEP=1~~|\nSAVEPER=1~~|\n",
    "place.toml": HEAD + b"[on.atlantis.parameters]\n",
}
MODEL_FILES = ("model/reinvestment.mdl", "model/parameters.csv", "model/correlations.csv")
BAD = [
    (["run", "--scenario", "missing.toml"], "missing.toml: does not exist"),
    (["run", "--scenario", "a-folder.toml"], "is a folder, expected a TOML file"),
    (["run", "--scenario", "not-toml.toml"], "not-toml.toml, line 1: is not TOML"),
    (["run", "--scenario", "latin.toml"], "latin.toml, line 2: is not UTF-8 text"),
    (["run", "--scenario", "empty.toml"], "'title': is missing"),
    (["run", "--scenario", "no-english.toml"], "line 1, 'title.en': is missing"),
    (["run", "--scenario", "rate.toml"], "line 8, 'reinvestment rate': found 1.4, expected a num"),
    (["run", "--scenario", "name.toml"], "did you mean 'reinvestment rate'?"),
    (["run", "--scenario", "key.toml"], "line 7, 'paramters': is not a key that is known here"),
    (["run", "--scenario", "unit.toml"], "'cashing delay[health]': found 'kg', expected a time"),
    (["run", "--scenario", "nan.toml"], "found nan, expected a finite number"),
    (["run", "--scenario", "true.toml"], "found true, expected a share or a plain number"),
    (["run", "--scenario", "twice.toml"], "line 9: is not TOML"),
    (["run", "--scenario", "schedule.toml"], "pair 2: found time 0 after 5"),
    (["run", "--scenario", "structure.toml"], "belongs to the structure of the model"),
    (["run", "--scenario", "shares.toml"], "the shares of the purses add up to 2, expected 1"),
    (["run", "--scenario", "place.toml"], "found 'atlantis', expected a setting: municipality"),
    (["run", "--scenario", "al"], "there is no scenario 'al'; expected one of agreement, all"),
    (["run", "--setting", "atlantis"], "there is no setting 'atlantis'; expected one of munic"),
    (["run", "--rates", "1.4"], "--rates: found 1.4, expected numbers from 0 to 1"),
    (["run", "--rates", "half"], "--rates: found 'half', expected a share"),
    (["run", "--rates", "0,,1"], "--rates: found ''"),
    (["run", "--rates", ",".join(str(n / 40) for n in range(40))], "found 40, expected at most"),
    (["run", "--scenario", "schedule", "--rates", "1"], "'reinvestment rule' sets the rate here"),
    (["run", "--set", "reinvestment rate"], "expected name=value or name[element]=value"),
    (["run", "--set", "reinvestment rate=1.4"], "found 1.4, expected a number from 0 to 1"),
    (["run", "--set", "no such=1"], "'no such': is no parameter of the model"),
    (["run", "--set", "training time=1,5 years"], "expected a number with a decimal point"),
    (["run", "--set", "training time="], "found '', expected a time"),
    (["run", "--set", "capital at start=3"], "expected a table that names elements"),
    (["run", "--set", "capital at start[own savings]=3 USD"], "found 'USD', expected an amount"),
    (["run", "--set", "switch learning=0.5"], "found 0.5, expected 0 or 1"),
    (["run", "--years", "0"], "--years"),
    (["run", "--years", "71"], "--years"),
    (["run", "--years", "many"], "--years"),
    (["run", "--lang", "fr"], "--lang"),
    (["run", "--out", "in-use"], "in-use: is in use; give an empty or new folder"),
    (["run", "--out", "empty.toml"], "empty.toml: is a file; give an empty or new folder"),
    (["run", "--out", "empty.toml/here"], "is not a folder one can write to"),
    (["run", "--nothing"], "--nothing"),
    (["run", "more"], "more"),
    (["walk"], "walk"),
    (["loops", "absent.mdl"], "absent.mdl"),
    (["loops", "--years", "0"], "years: found 0, expected a number above 0"),
    (["loops", "--years", "400"], "expected at most 70"),
    (["loops", "--rates", "2"], "--rates: found 2, expected numbers from 0 to 1"),
    (["loops", "--scenario", "schedule", "--rates", "1"], "'reinvestment rule' sets the rate here"),
    (["loops", "no-feedback.mdl", "--scenario", "all"], "belongs to the reinvestment model"),
    (["loops", "no-feedback.mdl", "--set", "ghost=1"], "ghost"),
    (["threshold", "--scenario", "schedule"], "'reinvestment rule' sets the rate here"),
    (["threshold", "--scenario", "al"], "there is no scenario 'al'; expected one of agreement"),
    (["threshold", "--setting", "missing.toml"], "missing.toml: does not exist"),
    (["threshold", "--set", "reinvestment rat=1"], "did you mean 'reinvestment rate'?"),
    (["threshold", "--years", "71"], "--years"),
    (["threshold", "--draws", "1"], "--draws"),
    (["threshold", "--draws", "many"], "--draws"),
    (["threshold", "--seed", "-1"], "--seed"),
    (["threshold", "--rates", "1"], "--rates"),
    (["uncertainty", "--scenario", "schedule"], "'reinvestment rule' sets the rate here"),
    (["uncertainty", "--setting", "missing.toml"], "missing.toml: does not exist"),
    (["uncertainty", "--set", "reinvestment rat=1"], "did you mean 'reinvestment rate'?"),
    (["uncertainty", "--rates", "0.5,2"], "--rates: found 2, expected numbers from 0 to 1"),
    (["uncertainty", "--rates", "half"], "--rates"),
    (["uncertainty", "--years", "71"], "--years"),
    (["uncertainty", "--draws", "19"], "--draws"),
    (["uncertainty", "--draws", "1e5"], "--draws"),
    (["uncertainty", "--seed", "-1"], "--seed"),
    (["uncertainty", "--out", "in-use"], "in-use: is in use; give an empty or new folder"),
    (
        ["uncertainty", "--structure", "switch luck=0.5"],
        "structures: found 'switch luck', expected",
    ),
    (["uncertainty", "--structure", "switch learning=2"], "found 2, expected a number from 0 to 1"),
    (["uncertainty", "--structure", "switch learning"], "expected switch=chance, such as"),
    (["uncertainty", "--set", "switch learning=0", "--structure", "switch learning=0.5"], "stated"),
    (["sensitivity", "--samples", "100"], "samples: found 100, expected a power of 2"),
    (["sensitivity", "--samples", "32"], "--samples"),
    (["sensitivity", "--trajectories", "3"], "--trajectories"),
    (["sensitivity", "--inputs", "0"], "--inputs"),
    (["sensitivity", "--outcomes", "loop gain,luck"], "found no outcome 'luck', expected one of"),
    (["sensitivity", "--range", "overhead share=0.3:0.1"], "found low 0.3 and high 0.1, expected"),
    (["sensitivity", "--range", "overhead share=0.1"], "expected name=low:high, such as"),
    (["sensitivity", "--range", "overhead share=0:2"], "found 2, expected numbers from 0 to 0.5"),
    (["sensitivity", "--range", "overhead shar=0:1"], "did you mean 'overhead share'?"),
    (["sensitivity", "--range", "switch learning=0:1"], "is on or off and has no range"),
    (["sensitivity", "--range", "overhead share=0:x"], "--range: 'overhead share': found 'x'"),
    (["sensitivity", "--years", "71"], "--years"),
    (["sensitivity", "--seed", "-1"], "--seed"),
    (["sensitivity", "--setting", "missing.toml"], "missing.toml: does not exist"),
    (["sensitivity", "--out", "in-use"], "in-use: is in use; give an empty or new folder"),
    (["search", "--scenario", "schedule"], "'reinvestment rule' sets the rate here"),
    (["search", "--draws", "100"], "draws: found 100, expected a power of 2 from 16"),
    (["search", "--draws", "8"], "--draws"),
    (["search", "--outcomes", "luck"], "found no outcome 'luck', expected one of"),
    (["search", "--enough", "citizens helped"], "expected outcome=number, such as"),
    (["search", "--enough", "luck=1"], "found no outcome 'luck', expected one of"),
    (["search", "--lever", "reinvestment rate=1:0"], "found low 1 and high 0, expected finite"),
    (
        ["search", "--lever", "no such=0:1"],
        "--lever: 'no such' is no number of the parameter table",
    ),
    (["search", "--population", "3"], "--population"),
    (["search", "--generations", "0"], "--generations"),
    (["search", "--years", "71"], "--years"),
    (["search", "--out", "in-use"], "in-use: is in use; give an empty or new folder"),
    (["threshold", "--out", "in-use"], "in-use: is in use; give an empty or new folder"),
    (["runs", "--in", "missing"], "missing: cannot be listed (No such file or directory)"),
    (["runs", "--in", ".", "--since", "monday"], "--since: found 'monday', expected a date"),
    (["runs", "compare", "in-use", "in-use"], "in-use: holds no run that can be read"),
    (["runs", "prune", "--in", "missing", "--yes"], "missing: cannot be listed"),
    (["runs", "prune", "--keep", "-1"], "--keep"),
    (["reproduce", "in-use"], "in-use: holds no run that can be read"),
    (["export", "in-use", "--out", "new"], "in-use: holds no run that can be read"),
    (["document", "missing.mdl"], "missing.mdl: "),
    (["case", "atlantis"], "there is no case 'atlantis'; expected one of denver"),
    (["diagrams", "in-use"], "in-use: is in use; give an empty or new folder"),
    (["diagrams", "new", "--model", "missing.mdl"], "missing.mdl: "),
    (["units", "missing.mdl"], "missing.mdl: "),
    (["check", "missing.mdl"], "missing.mdl: "),
    (["check", "--out", "in-use"], "in-use: is in use; give an empty or new folder"),
    (["units", "empty.toml"], "empty.toml: "),
]


def called(monkeypatch: pytest.MonkeyPatch, *words: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["kredslob", *words])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


@pytest.fixture
def bad_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "a-folder.toml").mkdir()
    (tmp_path / "in-use").mkdir()
    (tmp_path / "in-use" / "mine").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("words", "expected"), BAD, ids=[" ".join(words)[:50] for words, _ in BAD])
def test_bad_input_gets_one_clear_line_and_exit_code_2(
    bad_files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    expected: str,
) -> None:
    before = sorted(bad_files.rglob("*"))
    assert called(monkeypatch, *words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert expected in err
    assert sorted(bad_files.rglob("*")) == before  # and nothing was written


@pytest.mark.slow
def test_the_main_job_leaves_a_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["run", "--years", "2", "--rates", "0,1", "--lang", "da", "--out", "here"]
    words += ["--set", "capital at start[own savings]=1234.5 thousand DKK"]
    assert called(monkeypatch, *words) == 0
    shown = capsys.readouterr().out
    assert "Kommune med 100.000 indbyggere" in shown
    assert re.search(r"Bærer kredsløbet sig selv\?\s+nej\s+nej", shown)
    folder = tmp_path / "here"
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    pictures = {"fund", "helped", "cascade", "purses", "who", "states", "books"}
    assert files == {
        "index.html",
        "index.en.html",
        "summary.da.csv",
        "summary.en.csv",
        "cash_flows.csv",
        "run.nc",
        *ORIGIN,
        *MODEL_FILES,
        *(f"tables/{n}.nc" for n in ("summary", "accounts", "equity", "bookkeeping")),
        *(f"figures/{n}.{ln}.{x}" for n in pictures for ln in ("da", "en") for x in ("png", "svg")),
    }
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == files - {"manifest.json", "ro-crate-metadata.json"}
    assert manifest["parameters"]["capital at start"]["own savings"] == 1_234_500
    saved = kredslob.load_run(folder)
    assert saved.runs["Fund Cash"].attrs["units"] == "DKK"
    assert saved.runs.sizes["reinvestment rate"] == 2
    assert [p.name for p in tmp_path.iterdir()] == ["here"]


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["schedule", "until-repaid"])
def test_a_policy_that_moves_the_rate_can_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    out = tmp_path / "here"
    assert called(monkeypatch, "run", "--scenario", policy, "--years", "3", "--out", str(out)) == 0
    assert kredslob.load_run(out).runs.sizes["reinvestment rate"] == 1


@pytest.mark.slow
def test_loops_leave_a_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert called(monkeypatch, "loops", "--years", "6", "--lang", "da", "--out", "here") == 0
    shown = capsys.readouterr().out
    assert "R1 geninvestering" in shown
    assert "kredsløb er fundet ad de stærkeste veje" in shown
    folder = tmp_path / "here"
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert files == {
        *(f"families.{ln}.csv" for ln in ("da", "en")),
        *(f"periods {rate}.{ln}.csv" for rate in ("0", "0.25", "1") for ln in ("da", "en")),
        "run.nc",
        *ORIGIN,
        *MODEL_FILES,
        *(f"graph/causes.{x}" for x in ("graphml", "gexf", "json", "dot", "mmd")),
        *(f"tables/loops {rate}.nc" for rate in ("0", "0.25", "1")),
        *(f"figures/loops.{ln}.{x}" for ln in ("da", "en") for x in ("png", "svg")),
    }
    scores = kredslob.load_run(folder).tables["loops 0.25"]
    assert abs(scores["relative score"]).sum("loop").values == pytest.approx(1)


def test_loops_of_a_model_without_any(
    bad_files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["loops", "no-feedback.mdl", "--lang", "en", "--out", "here"]
    assert called(monkeypatch, *words) == 0
    assert "The model has no loops." in capsys.readouterr().out


@pytest.mark.slow
def test_the_threshold_leaves_a_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["threshold", "--years", "8", "--draws", "20", "--seed", "7", "--lang", "da"]
    assert called(monkeypatch, *words, "--set", "overhead share=0", "--out", "here") == 0
    shown = capsys.readouterr()
    assert "Kommune med 100.000 indbyggere" in shown.out
    assert "ingen; heller ikke 100" in shown.out
    assert "(0 af 20 trækninger)" in shown.out
    assert shown.err == ""
    folder = tmp_path / "here"
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    pictures = {"regions", "uncertainty", "goals", "repayment"}
    assert files == {
        *(f"{table}.{ln}.csv" for table in ("threshold", "goals") for ln in ("da", "en")),
        "run.nc",
        *ORIGIN,
        *MODEL_FILES,
        *(f"tables/{n}.nc" for n in ("bracket", "goals", "regions", "uncertainty")),
        *(f"figures/{n}.{ln}.{x}" for n in pictures for ln in ("da", "en") for x in ("png", "svg")),
    }
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == files - {"manifest.json", "ro-crate-metadata.json"}
    assert (manifest["seed"], manifest["draws"]) == (7, 20)
    assert manifest["parameters"]["overhead share"] == 0
    assert "--seed 7" in manifest["command"]
    saved = kredslob.load_run(folder)
    for name, table in saved.tables.items():
        assert table.attrs["model_hash"] == manifest["model sha256"], name
        for variable in table.data_vars.values():
            assert variable.attrs["units"], (name, variable.name)
            assert variable.attrs["long_name"], (name, variable.name)
    assert saved.tables["uncertainty"].attrs["seed"] == 7
    assert saved.tables["bracket"]["critical rate"] == float("inf")
    assert [p.name for p in tmp_path.iterdir()] == ["here"]


@pytest.mark.slow
def test_uncertainty_leaves_a_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["uncertainty", "--years", "8", "--draws", "20", "--seed", "7", "--lang", "da"]
    words += ["--rates", "1,0.25", "--set", "overhead share=0", "--out", "here"]
    assert called(monkeypatch, *words) == 0
    shown = capsys.readouterr()
    assert "Kommune med 100.000 indbyggere" in shown.out
    assert "(0 af 20)" in shown.out.replace("\N{NO-BREAK SPACE}", " ")
    assert shown.err == ""
    folder = tmp_path / "here"
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    pictures = {"fans", "payback", "risk", "structures"}
    assert files == {
        *(f"{table}.{ln}.csv" for table in ("uncertainty", "structures") for ln in ("da", "en")),
        "run.nc",
        *ORIGIN,
        *MODEL_FILES,
        "tables/uncertainty.nc",
        "tables/structures.nc",
        *(f"figures/{n}.{ln}.{x}" for n in pictures for ln in ("da", "en") for x in ("png", "svg")),
    }
    saved = kredslob.load_run(folder)
    assert (saved.manifest["seed"], saved.manifest["draws"]) == (7, 20)
    assert "--draws 20 --seed 7" in saved.manifest["command"]
    found = saved.tables["uncertainty"]
    assert list(found["reinvestment rate"].values) == [0.25, 1]
    assert found.sizes["draw"] == 20
    assert found.attrs["model_hash"] == saved.manifest["model sha256"]
    assert list(saved.runs["reinvestment rate"].values) == [0.25, 1]


OUTCOMES = ("loop-gain", "citizens-helped", "net-present-value-of-public-purse")


@pytest.mark.slow
def test_sensitivity_leaves_a_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["sensitivity", "--trajectories", "4", "--samples", "64", "--inputs", "3"]
    words += ["--years", "8", "--seed", "7", "--range", "overhead share=0:0.4", "--out", "here"]
    assert called(monkeypatch, *words, "--lang", "da") == 0
    shown = capsys.readouterr()
    assert "Kommune med 100.000 indbyggere" in shown.out
    assert "en parameter uden" in shown.out
    assert shown.err == ""
    folder = tmp_path / "here"
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    pictures = {
        "screening",
        "ranking",
        *(f"{k}-{o}" for k in ("tornado", "variance") for o in OUTCOMES),
    }
    assert files == {
        *(f"{t}.{ln}.csv" for t in ("sensitivity", "screening", "ends") for ln in ("da", "en")),
        "run.nc",
        *ORIGIN,
        *MODEL_FILES,
        *(f"tables/{n}.nc" for n in ("screened", "ranked", "moved")),
        *(f"figures/{n}.{ln}.{x}" for n in pictures for ln in ("da", "en") for x in ("png", "svg")),
    }
    saved = kredslob.load_run(folder)
    assert (saved.manifest["seed"], saved.manifest["samples"]) == (7, 64)
    assert "--range 'overhead share=0:0.4'" in saved.manifest["command"]
    assert "overhead share" in saved.tables["screened"]["factor"].values
    assert saved.tables["ranked"].sizes["factor"] == 4  # and the dummy


WITHOUT = """
import sys
sys.modules[{package!r}] = None  # as if it were not installed
sys.argv = ["kredslob", *{words!r}]
from kredslob.cli import main
main()
"""


@pytest.mark.parametrize(
    ("command", "package"),
    [("sensitivity", "SALib"), ("search", "pymoo")],
)
def test_without_the_extra_one_line_says_what_to_install(
    tmp_path: Path, command: str, package: str
) -> None:
    code = WITHOUT.format(package=package, words=[command, "--out", "here"])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: this study needs {package}, which is not installed: "
        "pip install 'kredslob[studies]'\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_search_leaves_a_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["search", "--draws", "16", "--population", "8", "--generations", "2", "--years", "8"]
    words += ["--seed", "7", "--scenario", "agreement", "--enough", "citizens helped=30"]
    assert called(monkeypatch, *words, "--out", "here", "--lang", "da") == 0
    shown = capsys.readouterr()
    assert "borgere hjulpet mindst 30 personer" in shown.out
    assert "ingen anden slår" in shown.out
    assert shown.err == ""
    folder = tmp_path / "here"
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    judged = {"citizens-helped", "complex-need-helped", "net-present-value-of-public-purse"}
    tables = {"front", *(f"robustness-{o}" for o in judged)}
    pictures = {"parallel-policies", "convergence", *(f"robust-{o}" for o in judged)}
    assert files == {
        *(f"{table}.{ln}.csv" for table in tables for ln in ("da", "en")),
        "run.nc",
        *ORIGIN,
        *MODEL_FILES,
        *(f"tables/{n}.nc" for n in {*tables, "policies"}),
        *(f"figures/{n}.{ln}.{x}" for n in pictures for ln in ("da", "en") for x in ("png", "svg")),
    }
    saved = kredslob.load_run(folder)
    assert (saved.manifest["seed"], saved.manifest["draws"]) == (7, 16)
    assert "agreement" in saved.tables["policies"]["policy"].values
    front = saved.tables["front"]
    assert front["reinvestment rate"].attrs["role"] == "lever"
    assert front.attrs["seeds"].tolist() == [8, 9]
    kept = kredslob.load_search(folder / "tables" / "front.nc")
    assert kept.attrs["seeds"] == [8, 9]
    assert kept.attrs["algorithm"].startswith("NSGA-III")
    assert kept.attrs["interrupted"] == 0


def test_what_there_is_can_be_listed_in_danish(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch, "settings", "--lang", "da") == 0
    assert called(monkeypatch, "scenarios", "--lang", "da") == 0
    assert called(monkeypatch, "units") == 0
    shown = capsys.readouterr().out
    assert "Kommune med 100.000 indbyggere" in shown
    assert "Alt geninvesteres" in shown
    assert "all units agree" in shown


def test_units_that_do_not_agree_are_listed_with_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd.mdl"
    path.write_text(
        "{UTF-8}\na = 1 ~ DKK ~ |\nb = 2 ~ person ~ |\nc = a + b ~ DKK ~ |\n"
        "INITIAL TIME = 0 ~ year ~ |\nFINAL TIME = 1 ~ year ~ |\n"
        "TIME STEP = 1 ~ year ~ |\nSAVEPER = 1 ~ year ~ |\n",
        encoding="utf-8",
    )
    assert called(monkeypatch, "units", str(path)) == 1
    assert "added have different units" in capsys.readouterr().out


def test_the_diagrams_of_all_sectors_can_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert called(monkeypatch, "diagrams", str(tmp_path / "drawn")) == 0
    names = sorted(p.name for p in (tmp_path / "drawn").iterdir())
    assert len(names) == 10
    assert names[0] == "01-citizens.svg"


def test_without_words_the_help_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch) == 0
    assert "run" in capsys.readouterr().out
