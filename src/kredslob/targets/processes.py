"""Several runs side by side: one process a processor, each with its own translated model."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from pathlib import Path
from typing import Any

import xarray as xr

from kredslob.targets.pysd import Clock, PysdTarget

_SECONDS_BETWEEN_REPORTS = 0.4
_translated: dict[tuple[str, int], PysdTarget] = {}


def run_side_by_side(
    path: Path,
    constants: Sequence[Mapping[str, Any]],
    clock: Clock,
    save: Sequence[str],
    progress: Callable[[float, float], None] | None = None,
) -> list[dict[str, xr.DataArray]]:
    """Run the model once for each set of constants.

    Parameters
    ----------
    path : Path
        The model file.
    constants : sequence of mappings
        Changed constants of each run.
    clock, save
        As for `PysdTarget.run`.
    progress : callable, optional
        Called with (runs done, fractions included; runs in all).

    Returns
    -------
    list of dict
        Saved arrays of each run, in order.
    """
    from loky import get_reusable_executor

    workers = max(1, min(os.cpu_count() or 1, len(constants)))
    executor = get_reusable_executor(max_workers=workers)
    with tempfile.TemporaryDirectory(prefix="kredslob-") as folder:
        reports = [Path(folder) / str(number) for number in range(len(constants))]
        futures = [
            executor.submit(_run, path, run, clock, list(save), report)
            for run, report in zip(constants, reports, strict=True)
        ]
        try:
            _follow(futures, reports, progress)
        except BaseException:
            executor.shutdown(kill_workers=True)
            raise
        return [future.result() for future in futures]


def _follow(
    futures: Sequence[Future[Any]],
    reports: Sequence[Path],
    progress: Callable[[float, float], None] | None,
) -> None:
    waiting: set[Future[Any]] = set(futures)
    reached = [0.0] * len(futures)
    while waiting:
        done, waiting = wait(waiting, _SECONDS_BETWEEN_REPORTS, FIRST_EXCEPTION)
        for future in done:
            future.result()
        if progress:
            for number, (future, report) in enumerate(zip(futures, reports, strict=True)):
                fraction = 1.0 if future.done() else _fraction(report)
                reached[number] = max(reached[number], fraction)
            progress(sum(reached), len(futures))


def _fraction(report: Path) -> float:
    """How far a run has come; 0 while it has not reported, or is writing its report just now."""
    try:
        return float(report.read_text())
    except (OSError, ValueError):
        return 0.0


def _run(
    path: Path, constants: Mapping[str, Any], clock: Clock, save: list[str], report: Path
) -> dict[str, xr.DataArray]:
    key = (str(path.resolve()), path.stat().st_mtime_ns)
    if key not in _translated:
        _translated.clear()
        _translated[key] = PysdTarget(path)
    target = _translated[key]
    finished = threading.Event()
    reporter = threading.Thread(target=_report, args=(target, clock, report, finished), daemon=True)
    reporter.start()
    try:
        return target.run(constants, clock, save)
    finally:
        finished.set()
        reporter.join()


def _report(target: PysdTarget, clock: Clock, report: Path, finished: threading.Event) -> None:
    start, final = target.bounds(clock)
    while not finished.wait(_SECONDS_BETWEEN_REPORTS):
        if final > start:
            report.write_text(str(min(1.0, max(0.0, (target.time() - start) / (final - start)))))
