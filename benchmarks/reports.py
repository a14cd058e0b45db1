"""What it costs to make reports of the default sweep, by kind and format.

    python -m benchmarks.reports

Each line is a report of its own, in one process and warm, with the seconds on the clock and those
that processors worked. The last line is the whole that a deadline asks for: a full report, slides
and all tables, together.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import kredslob
from kredslob.cycle.summary import RATE
from kredslob.results import new_run_folder, write_run
from kredslob.show.export import FORMATS as TABLES
from kredslob.show.report import KINDS, write_report
from kredslob.show.report.writing import ALL

_RATES = [0.0, 0.25, 0.5, 0.75, 1.0]


def main() -> None:
    """Print the times."""
    with tempfile.TemporaryDirectory() as hidden:
        place = Path(hidden)
        run = _saved(place / "run")
        write_report([run], place / "warm", kind="full")
        for kind, formats in KINDS.items():
            for form in formats:
                _timed(place, run, f"{kind}, {form}", (kind, [form]))
        for form in TABLES:
            _timed(place, run, form, ("brief", [form]))
        _timed(place, run, "all", ("full", [ALL]), ("slides", []))


def _saved(folder: Path) -> Path:
    runs = kredslob.sweep(kredslob.load(), kredslob.load_scenario(), {RATE: _RATES})
    made_by = {"command": "kredslob run", "setting": "municipality", "scenario": "", "seed": None}
    with new_run_folder(folder) as hidden:
        write_run(hidden, runs, {}, made_by)
    return folder


def _timed(place: Path, run: Path, name: str, *reports: tuple[str, list[str]]) -> None:
    begin, worked = time.perf_counter(), _worked()
    for kind, formats in reports:
        write_report([run], place / "out", kind=kind, formats=formats)
    clock = time.perf_counter() - begin
    print(f"{name:14} {clock:6.1f} s on the clock, {_worked() - worked:6.1f} s of work", flush=True)


def _worked() -> float:
    """Seconds that this process and those that it waited for have kept a processor busy."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


if __name__ == "__main__":
    main()
