"""Ctrl-C on the command line, and the bar of who waits: in processes of their own."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import kredslob
from kredslob.cli import main
from kredslob.cycle.scenario import load_scenario
from kredslob.studies.hinges import hinge_study
from kredslob.studies.policies import policy_study
from kredslob.studies.uncertainty import uncertainty

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and terminals are POSIX's")
KREDSLOB = [sys.executable, "-W", "ignore", "-c", "from kredslob.cli import main; main()"]
BAR = """
from kredslob.show.progress import progress_bar
with progress_bar() as progress:
    for done in range(5):
        progress(done, 4)
"""


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*KREDSLOB, *words], cwd=folder, text=True, **both)


def called(monkeypatch: pytest.MonkeyPatch, *words: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["kredslob", *words])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def spread() -> dict[str, xr.Dataset]:
    found = uncertainty(kredslob.load(), load_scenario(), draws=4000, rates=(1,), years=6)
    return {"uncertainty": found}


def hinges() -> dict[str, xr.Dataset]:
    sizes: dict[str, Any] = {"trajectories": 4, "inputs": 3, "samples": 2048, "years": 6}
    return vars(hinge_study(kredslob.load(), load_scenario(), **sizes))


def policies() -> dict[str, xr.Dataset]:
    sizes: dict[str, Any] = {"draws": 16, "population": 8, "generations": 12, "years": 6}
    found = policy_study(kredslob.load(), load_scenario(), **sizes)
    return {"policies": found.results, "front": found.front}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "begun", "other", "study"),
    [
        ("uncertainty --draws 4000 --rates 1", "rate-1", "--draws 20", spread),
        ("sensitivity --trajectories 4 --inputs 3 --samples 2048", "ranked", "--seed 1", hinges),
        (
            "search --draws 16 --population 8 --generations 12",
            "search/seed-1-generation-2",
            "--draws 32",
            policies,
        ),
    ],
    ids=["uncertainty", "sensitivity", "search"],
)
def test_a_study_that_was_stopped_goes_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: str,
    begun: str,
    other: str,
    study: Callable[[], dict[str, xr.Dataset]],
) -> None:
    given = [*words.split(), "--years", "6", "--lang", "en"]
    work = started(tmp_path, *given, "--out", "here")
    store = tmp_path / "here.unfinished"
    while not list(store.glob(f"{begun}/0*.nc")):
        assert work.poll() is None, work.communicate()
        time.sleep(0.01)
    work.send_signal(signal.SIGINT)
    out, err = work.communicate()
    assert (work.returncode, out) == (130, "")
    said, _, command = err.partition("go on with: kredslob ")
    assert said == "stopped; what is finished is in here.unfinished; "
    assert err.count("\n") == 1
    assert not (tmp_path / "here").exists()

    monkeypatch.chdir(tmp_path)
    assert called(monkeypatch, given[0], *other.split(), "--out", "here") == 2
    assert "here.unfinished: holds other results" in capsys.readouterr().err
    assert called(monkeypatch, *shlex.split(command)) == 0
    assert capsys.readouterr().err == ""
    assert [p.name for p in tmp_path.iterdir()] == ["here"]
    found = kredslob.load_run(tmp_path / "here").tables
    for table, whole in study().items():
        for name in whole.data_vars:
            np.testing.assert_array_equal(found[table][name], whole[name], err_msg=str(name))


def test_what_keeps_nothing_says_so(tmp_path: Path) -> None:
    work = started(tmp_path, "check", "--out", "here")
    time.sleep(2)
    work.send_signal(signal.SIGINT)
    out, err = work.communicate()
    assert work.returncode in (130, -signal.SIGINT)  # the latter if Python had hardly begun
    if work.returncode == 130:
        assert (out, err) == ("", "stopped; nothing was saved\n")
    assert list(tmp_path.iterdir()) == []


def test_a_bar_is_drawn_on_a_terminal_and_nowhere_else(
    capfd: pytest.CaptureFixture[str],
) -> None:
    import pty

    exec(BAR)
    assert capfd.readouterr() == ("", "")
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm"}
    shown = subprocess.run(
        [sys.executable, "-c", BAR], stdout=subprocess.PIPE, stderr=theirs, check=True, env=env
    )
    os.close(theirs)
    with os.fdopen(ours, "rb") as screen:
        drawn = os.read(screen.fileno(), 100_000)
    assert shown.stdout == b""
    assert b"100%" in drawn


LOST = """
import os, signal
from kredslob.show.progress import progress_bar

def stop():
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(1000):
        pass

class Cleared:
    def __del__(self):
        stop()

def turned():
    try:
        stop()
    except KeyboardInterrupt:
        raise ValueError("of a library that was called back")

try:
    with progress_bar() as progress:
        {body}
except KeyboardInterrupt:
    print("heard")
"""


@pytest.mark.parametrize(
    "body", ["Cleared()", "Cleared(); progress(1, 2); print('went on')", "turned()"]
)
def test_a_ctrl_c_is_heard_wherever_it_falls(body: str) -> None:
    work = LOST.format(body=body)
    done = subprocess.run([sys.executable, "-c", work], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "heard\n", "")
