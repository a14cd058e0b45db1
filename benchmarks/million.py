"""Memory and time of many runs with streaming summaries: ``python -m benchmarks.million``.

The draws are made part by part, so that nothing that is held grows with their number. Each number
of runs has a process of its own. Peak memory is what the kernel reports for it when
it ends; the time leaves out loading and compiling, which the first process may have to do.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

from benchmarks.case import AUXILIARIES, VARIED

SUMMARY = ("mean", "variance", "min", "max", 0.05, 0.25, 0.5, 0.75, 0.95)
LIMIT = 2.0  # GiB
RUNS = (10_000, 100_000, 1_000_000)


def main() -> None:
    """Measure each number of runs and print a table; exit code 1 above the limit."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, nargs="+", default=RUNS)
    options.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.measure:
        print(json.dumps(measured(chosen.measure)))
        return
    print(f"{'runs':>10} {'seconds':>9} {'us a run':>9} {'peak GiB':>9}")
    most = 0.0
    for runs in chosen.runs:
        found = in_a_process(runs)
        most = max(most, found["gib"])
        per_run = 1e6 * found["seconds"] / runs
        print(f"{runs:>10,} {found['seconds']:>9.1f} {per_run:>9.1f} {found['gib']:>9.2f}")
    sys.exit(most > LIMIT)


def in_a_process(runs: int) -> dict[str, float]:
    """Measure so many runs in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.million", "--measure", str(runs)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(found.stdout)
    return result


def measured(runs: int) -> dict[str, float]:
    """Seconds, and the most memory that this process has held."""
    import kredslob

    model = kredslob.load()
    draws = kredslob.sample_in_parts(kredslob.factors_of(VARIED), runs, seed=1)
    save = list(AUXILIARIES)
    model.run_many(draws.part(0, 8), years=1, saveper=1, save=save, summary=SUMMARY)  # compiles
    start = time.perf_counter()
    summed = model.run_many(draws, years=40, saveper=1, save=save, summary=SUMMARY)
    seconds = time.perf_counter() - start
    assert summed.attrs["runs"] == runs
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return {"seconds": seconds, "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}


if __name__ == "__main__":
    main()
