"""Jobs side by side leave what they would leave one after another, and say what went wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from kredslob.processes import side_by_side

SCRIPT = """
import os, sys
from functools import partial
from pathlib import Path
from kredslob.processes import side_by_side

def job(name):
    Path(name).write_text(str(os.getpid()))
    if name in sys.argv:
        raise ValueError(name + " is broken")

side_by_side([partial(job, name) for name in ("a", "b", "c")])
print("done")
"""


def ran(folder: Path, *broken: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", SCRIPT, *broken]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60)


def test_each_job_is_done_in_a_process_of_its_own(tmp_path: Path) -> None:
    assert ran(tmp_path).stdout == "done\n"
    processes = {(tmp_path / name).read_text() for name in "abc"}
    assert len(processes) == (3 if hasattr(os, "fork") else 1)


@pytest.mark.parametrize("broken", ["a", "c"])
def test_what_goes_wrong_in_a_job_is_told_here(tmp_path: Path, broken: str) -> None:
    result = ran(tmp_path, broken)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == f"ValueError: {broken} is broken"
    assert {p.name for p in tmp_path.iterdir()} >= {"a", "c"}


def test_beside_other_threads_jobs_are_done_one_after_another(tmp_path: Path) -> None:
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    try:
        order: list[str] = []
        side_by_side([partial(order.append, name) for name in "abc"])
    finally:
        stop.set()
        other.join()
    assert order == ["a", "b", "c"]
