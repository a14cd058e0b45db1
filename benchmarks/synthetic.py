"""A large model made up for the compiler: 500 variables with 100 elements each.

Run as ``python -m benchmarks.synthetic [FILE]`` to write the file and time its first run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

GROUPS = 100  # of five variables: a stock, two flows, an auxiliary, a constant
ROWS, COLUMNS = 10, 10


def write_model(path: Path, groups: int = GROUPS) -> int:
    """Write the model; return how many scalar elements it has.

    The groups form a chain in which each one feeds the next, with a sum over one subscript, a
    smooth and a lookup in between, so that nothing can be left out and the order matters.
    """
    parts = [
        "{UTF-8}",
        f"row: (R1-R{ROWS}) ~~|",
        f"column: (C1-C{COLUMNS}) ~~|",
        "response((0,0),(0.5,0.8),(1,1),(2,1.5),(10,2)) ~~|",
    ]
    for k in range(groups):
        before = f"stock {k - 1}[row,column]" if k else "1"
        parts += [
            f"rate {k}[row,column] = {0.05 + 0.001 * (k % 37)} ~~|",
            f"share {k}[row,column] = ZIDZ(stock {k}[row,column], "
            f"SUM(stock {k}[row,column!])) * response({before}) ~~|",
            f"inflow {k}[row,column] = MAX(0, {before} * rate {k}[row,column] "
            f"* (1 + share {k}[row,column])) ~~|",
            f"outflow {k}[row,column] = stock {k}[row,column] * rate {k}[row,column] "
            f"* IF THEN ELSE(stock {k}[row,column] > 5, 2, 1) ~~|",
            f"stock {k}[row,column] = INTEG(inflow {k}[row,column] - outflow {k}[row,column], "
            f"{1 + k % 5}) ~~|",
        ]
    parts += [
        "INITIAL TIME = 0 ~~|",
        "FINAL TIME = 10 ~~|",
        "TIME STEP = 0.125 ~~|",
        "SAVEPER = 1 ~~|",
    ]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return groups * 5 * ROWS * COLUMNS


_FIRST_RUN = """
import sys, kredslob
run = kredslob.load(sys.argv[1]).run(save=["stock 99"])
assert float(abs(run["stock 99"]).sum()) > 0
"""


def seconds_to_first_run(path: Path) -> tuple[float, float]:
    """Seconds for a run in a new process with an empty cache, and in the next process."""
    with tempfile.TemporaryDirectory(prefix="kredslob-benchmark-") as cache:
        times = []
        for _ in range(2):
            begin = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", _FIRST_RUN, str(path)],
                check=True,
                env=_with_cache(cache),
            )
            times.append(time.perf_counter() - begin)
    return times[0], times[1]


def _with_cache(folder: str) -> dict[str, str]:
    import os

    return os.environ | {"KREDSLOB_CACHE": folder}


def main() -> None:
    """Write the model and time its first two runs."""
    with tempfile.TemporaryDirectory(prefix="kredslob-benchmark-") as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "synthetic.mdl"
        count = write_model(path)
        first, second = seconds_to_first_run(path)
        print(f"{count} scalar elements: first run {first:.1f} s, next process {second:.1f} s")


if __name__ == "__main__":
    main()
