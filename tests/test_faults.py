"""What can go wrong around a run: stopped twice, the clock set back, two at once, no room.

That a worker or writer may be killed at any moment is tested in test_distributed.py and in
test_runs.py, a cache that is damaged in test_kernels.py, studies that go on in test_resuming.py.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kredslob.archive import RunEntry, list_runs, may_go
from kredslob.cli import main
from kredslob.commands import options
from kredslob.commands.options import new_folder
from kredslob.folders import left_behind
from kredslob.results import load_run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and mounts are POSIX's")
KREDSLOB = [sys.executable, "-W", "ignore", "-c", "from kredslob.cli import main; main()"]
RUN = ("run", "--years", "2", "--rates", "0,1", "--lang", "en")
DRAWS = """
import sys, time
import numpy as np
import kredslob
from kredslob import ensemble
ensemble.MOST_RUNS = 16
tanks = kredslob.load(sys.argv[1])
def progress(done, total):
    print(done, flush=True)
    time.sleep(float(sys.argv[3]))
design = {"time constant": np.linspace(1, 9, 960)}
found = tanks.run_many(design, years=50, store=sys.argv[2], progress=progress)
print(repr(float(found["Water"].sum())))
"""


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*KREDSLOB, *words], cwd=folder, text=True, **both)


# --- stopped twice -----------------------------------------------------------------------------


def drawing(model: Path, store: Path, pause: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-c", DRAWS, str(model), str(store), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def read_until(work: subprocess.Popen[str], runs: int) -> int:
    """Wait until so many runs are done; how many are."""
    assert work.stdout
    for line in work.stdout:
        if int(line) >= runs:
            return int(line)
    raise AssertionError("it ended before")


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "killed"])
def test_what_is_stopped_twice_goes_on_twice(tanks: Any, tmp_path: Path, stop: int) -> None:
    model, store = tanks.file.path, tmp_path / "store"
    kept = 0
    for until in (200, 500):
        work = drawing(model, store, 0.02)
        assert read_until(work, 0 if not kept else 1) >= kept - 32  # it does not begin anew
        kept = read_until(work, until)
        work.send_signal(stop)
        if stop == signal.SIGINT:
            work.send_signal(stop)  # an impatient person
        work.communicate()
        assert work.returncode != 0
    last = drawing(model, store, 0)
    first, *_, total = last.communicate()[0].split()
    assert int(first) >= kept - 32
    design = {"time constant": np.linspace(1, 9, 960)}
    assert float(total) == float(tanks.run_many(design, years=50)["Water"].sum())


def test_an_impatient_person_gets_one_line_and_no_half_run(tmp_path: Path) -> None:
    work = started(tmp_path, *RUN, "--out", "here")
    time.sleep(3)
    for _ in range(3):
        work.send_signal(signal.SIGINT)
        time.sleep(0.01)
    _, err = work.communicate()
    assert work.returncode in (130, -signal.SIGINT)
    assert not (tmp_path / "here").exists()
    if work.returncode == 130 and "Traceback" not in err:
        assert err.count("\n") <= 1
    assert [p for p in tmp_path.iterdir() if p not in left_behind(tmp_path)] == []


# --- the clock ---------------------------------------------------------------------------------


class Stopped(datetime):
    """A clock that stands, where it was set back to."""

    @classmethod
    def now(cls, tz: Any = None) -> Stopped:
        return cls(2026, 11, 25, 2, 30, 0, tzinfo=tz)


def test_a_clock_set_back_makes_no_name_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(options, "datetime", Stopped)
    folders = [new_folder("place-half") for _ in range(3)]
    names = ["place-half-20261125-023000" + end for end in ("", "-2", "-3")]
    assert [folder.name for folder in folders] == names
    assert all(folder.is_dir() for folder in folders)


def entry(name: str, when: datetime) -> RunEntry:
    return RunEntry(Path(name), when, "run", "", "", {}, None, 0, "")


def test_a_run_from_the_future_stays_and_takes_no_ones_place() -> None:
    """It was written before the clock was set right, or the clock is wrong now: nobody can say."""
    now = datetime(2026, 11, 25, tzinfo=UTC)
    future, new, old = (
        entry("future", now + timedelta(days=400)),
        entry("new", now - timedelta(hours=1)),
        entry("old", now - timedelta(days=9)),
    )
    runs = [future, new, old]
    assert may_go(runs, keep=1, now=now) == [old]
    assert may_go(runs, older_than=timedelta(days=2), now=now) == [old]
    assert may_go(runs, keep=0, now=now) == [new, old]


# --- two at once -------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_processes_that_want_one_folder(tmp_path: Path) -> None:
    """One gets it, whole; the other says so in a line. See test_kernels.py for one cache."""
    pair = [started(tmp_path, *RUN, "--out", "same") for _ in range(2)]
    said = [work.communicate()[1] for work in pair]
    assert sorted(work.returncode for work in pair) == [0, 2], said
    loser = next(err for work, err in zip(pair, said, strict=True) if work.returncode == 2)
    assert loser == "error: same: is in use; give an empty or new folder\n"
    assert [p.name for p in tmp_path.iterdir()] == ["same"]
    (whole,) = list_runs(tmp_path)
    assert whole.damage == ""
    load_run(tmp_path / "same")


@pytest.mark.slow
def test_two_processes_of_one_second_have_each_a_folder(tmp_path: Path) -> None:
    pair = [started(tmp_path, *RUN) for _ in range(2)]
    said = [work.communicate()[1] for work in pair]
    assert [work.returncode for work in pair] == [0, 0], said
    runs = list_runs(tmp_path / "runs")
    assert [run.damage for run in runs] == ["", ""]
    assert len({run.folder for run in runs}) == 2


def test_a_command_that_fails_leaves_no_empty_folder(tmp_path: Path) -> None:
    work = started(tmp_path, "run", "--set", "reinvestment rate=1", "--set", "no such thing=1")
    _, err = work.communicate()
    assert work.returncode == 2
    assert "no such thing" in err
    assert list((tmp_path / "runs").glob("*")) == []


# --- no room for the cache ---------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


COMPUTED = """
import sys, kredslob
print(float(kredslob.load(sys.argv[1]).run()["Water"].sum()))
"""


@pytest.mark.slow  # it compiles without a cache
@pytest.mark.parametrize("state", ["full", "read-only"])
def test_a_run_needs_no_cache(tanks: Any, disk: Path, state: str) -> None:
    if state == "full":
        with pytest.raises(OSError, match="No space left"):
            (disk / "full").write_bytes(bytes(100_000))
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    env = {**os.environ, "KREDSLOB_CACHE": str(disk / "cache")}
    command = [sys.executable, "-W", "ignore", "-c", COMPUTED, str(tanks.file.path)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert float(done.stdout) == float(tanks.run()["Water"].sum())
    assert not re.findall("new-", "".join(p.name for p in disk.rglob("*")))


def test_a_full_disk_is_one_line_on_the_command_line(
    disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["kredslob", *RUN, "--out", str(disk / "run")])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    said = "cannot be written (No space left on device); nothing was saved"
    assert capsys.readouterr().err == f"error: {disk / 'run'}: {said}\n"
    assert list(disk.iterdir()) == []
