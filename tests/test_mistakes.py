"""What a new user types wrong at the command line, and the line that is to put it right."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

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
    (["runs", "--in", "rusn"], "rusn: cannot be listed (No such file or directory)"),
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


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine").touch()
    monkeypatch.chdir(tmp_path)


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
