"""What a new user gets wrong, and the line that is to put it right."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kredslob
from kredslob.cli import main

RATE = "reinvestment rate"
FILES = {
    "plan.xlsx": b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xe4",
    "plan.toml": b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xe4",
    "binary.mdl": b"\x00\x01VPM\x00\xff" * 100,
    "notes.txt": b"births = 3",
}
TYPED = [
    (["run", "--scenario", "Half"], "did you mean 'half'?"),
    (["run", "--scenario", "national"], "'national' is a setting (a place), expected the name of"),
    (["run", "--setting", "half"], "'half' is a scenario (a policy), expected the name of a setti"),
    (["run", "--setting", "kommune"], "expected one of municipality, national, norrkoping"),
    (["run", "--scenario", "mine"], "or a file that ends in .toml"),
    (["run", "--scenario", "mine.toml"], "mine.toml: does not exist"),
    (["run", "--scenario", "plan.xlsx"], "or a file that ends in .toml"),
    (["run", "--scenario", "plan.toml"], "is not UTF-8 text"),
    (["run", "plan.toml"], "extra argument"),
    (["run", "--rates", "50"], "50 percent is 0.5 or 50%"),
    (["run", "--rates", "0,5"], "a comma parts one rate from the next"),
    (["run", "--rates", "0 0.5 1"], "found '0.5 1', expected a share"),
    (["run", "--set", f"{RATE}=50"], "found 50, expected a number from 0 to 1"),
    (["run", "--set", f"{RATE}=0,5"], "expected a number with a decimal point"),
    (["run", "--set", "reinvestment", "rate=0.5"], "put quotes round what has blanks in it"),
    (["run", "--set", "reinvestment_rate=0.5"], f"did you mean '{RATE}'?"),
    (["run", "--set", "cashing delay=2 years"], "such as { health = 2 }"),
    (["run", "--set", "cashing delay[sundhed]=2 years"], "expected one of health, justice"),
    (["run", "--set", "cashing delay[health]=24 måneder"], "found 'måneder', expected a time"),
    (["run", "--set", "capital at start[own savings]=20 mio"], "such as '12 million DKK'"),
    (["run", "--set", "capital at start[own savings]=20.000.000 DKK"], "no thousands separator"),
    (["run", "--years", "-3"], "greater than or equal to 1 (see 'kredslob run --help')"),
    (["run", "--years", "20 years"], "valid integer"),
    (["run", "--out", "used"], "used: is in use; give an empty or new folder"),
    (["run", "--lang", "dk"], "'dk' is not one of 'da', 'en'"),
    (["run", "--seed", "4"], "No such option: --seed"),
    (["Run"], "Did you mean 'run'?"),
    (["runs"], "runs: cannot be listed"),
    (["export", "used", "--out", "new"], "used: holds no run that can be read"),
    (["reproduce"], "Missing argument 'run' (see 'kredslob reproduce --help')"),
    (["check", "binary.mdl"], "binary.mdl: is not text (it holds null bytes)"),
    (["check", "notes.txt"], "found a '.txt' file, expected one of .mdl"),
    (["loops", "mymodel"], "mymodel: found a name without an ending, expected one of .mdl"),
    (["units", "used"], "used: is a folder, expected one of .mdl"),
    (["workshop", "--out", "no/such/page.html"], "cannot be written: No such file or directory"),
    (["uncertainty", "--structure", "prevention=0.8"], "did you mean 'switch prevention'?"),
    (["sensitivity", "--range", "overhead share=0.1-0.3"], "expected name=low:high"),
    (["search", "--enough", "citizens helped=mange"], "expected outcome=number"),
]

Call = Callable[[kredslob.Model, kredslob.Scenario, Any], Any]
CALLED: list[tuple[str, Call, str]] = [
    ("load a scenario", lambda m, s, r: kredslob.load(s), "found Scenario, expected the name of"),
    ("load a name", lambda m, s, r: kredslob.load("city"), "found a name without an ending"),
    ("load a workbook", lambda m, s, r: kredslob.load("plan.xlsx"), "found a '.xlsx' file"),
    ("a dict as policy", lambda m, s, r: kredslob.load_scenario({RATE: 1}), "found dict, expected"),
    ("a place as policy", lambda m, s, r: kredslob.load_scenario("national"), "is a setting"),
    ("a name to run", lambda m, s, r: m.run("half"), "found str, expected names and values"),
    ("a list to run", lambda m, s, r: m.run([RATE]), "found list, expected names and values"),
    ("percent as text", lambda m, s, r: m.run(reinvestment_rate="50 %"), "expected numbers"),
    ("short name", lambda m, s, r: m.run(reinvestment_rat=0.5), f"did you mean '{RATE}'?"),
    ("years as text", lambda m, s, r: m.run(years="20"), "expected a number above 0"),
    ("years below zero", lambda m, s, r: m.run(years=-5), "found -5, expected a number above 0"),
    ("seed as text", lambda m, s, r: m.run(seed="a"), "seed: found 'a', expected a whole number"),
    ("save a text", lambda m, s, r: m.run(save="total cash"), "expected a list of names"),
    ("one run of many", lambda m, s, r: m.run_many({RATE: 0.5}), "same number of runs"),
    ("a number to sweep", lambda m, s, r: kredslob.sweep(m, s, {RATE: 1}), "a list of numbers"),
    ("a list to sweep", lambda m, s, r: kredslob.sweep(m, s, [0, 1]), "levers: found list"),
    ("a rate of 50", lambda m, s, r: s.with_parameters({RATE: 50}), "a number from 0 to 1"),
    ("a list of changes", lambda m, s, r: s.with_parameters([RATE]), "expected a dict of names"),
    ("accounts of a model", lambda m, s, r: kredslob.accounts(m), "found Model, expected the Data"),
    ("summary of a part", lambda m, s, r: kredslob.summary(r), "save all variables"),
    ("gain of a part", lambda m, s, r: kredslob.loop_gain(r), "save all variables"),
    ("goals of one run", lambda m, s, r: kredslob.goals(m.run(years=2)), "expected a sweep"),
    ("no run", lambda m, s, r: kredslob.load_run("used"), "holds no run that can be read"),
    ("a Dataset to load", lambda m, s, r: kredslob.load_run(r), "expected the name of a run's"),
    ("graph of a file", lambda m, s, r: kredslob.causal_graph("x.mdl"), "what kredslob.load gives"),
    ("loops of a file", lambda m, s, r: kredslob.Feedback("x.mdl"), "what kredslob.load gives"),
    ("verify a file", lambda m, s, r: kredslob.verify("x.mdl"), "found 'x.mdl', expected what"),
    ("language", lambda m, s, r: kredslob.workshop("dansk"), "expected one of da, en"),
    ("limits", lambda m, s, r: kredslob.Limits(steps="many"), "expected a whole number above 0"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine").touch()
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def model() -> kredslob.Model:
    return kredslob.load()


@pytest.mark.parametrize(("words", "expected"), TYPED, ids=[" ".join(w)[:50] for w, _ in TYPED])
def test_what_is_typed_wrong_gets_one_line_that_helps(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    expected: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["kredslob", *words])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    assert (end.value.code, out, err.count("\n")) == (2, "", 1)
    assert expected in err


@pytest.mark.parametrize(
    ("call", "expected"), [c[1:] for c in CALLED], ids=[name for name, *_ in CALLED]
)
def test_what_is_called_wrong_gets_an_error_that_helps(
    model: kredslob.Model, call: Call, expected: str
) -> None:
    part = model.run(years=1, save=["total cash"])
    with pytest.raises(kredslob.KredslobError) as problem:
        call(model, kredslob.load_scenario("half"), part)
    assert expected in str(problem.value)
