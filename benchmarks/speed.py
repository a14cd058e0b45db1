"""Time the engine and its peers side by side and write the table.

Run as ``python -m benchmarks.speed [--write] [--repeats N]``. All peers take their turn in each
repeat, so that whatever else the machine does falls on all of them; the table gives medians with
the spread. With ``--write`` the table replaces the one in docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

# One thread each unless a row says otherwise; before NumPy and JAX are imported.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
for _name, _value in _ONE_THREAD.items():
    os.environ.setdefault(_name, _value)

from benchmarks.case import Array, Case, commodity  # noqa: E402
from benchmarks.limits import report  # noqa: E402
from benchmarks.synthetic import seconds_to_first_run, write_model  # noqa: E402

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


@dataclass
class Row:
    """One contender: what it is called, how it is run, and how long a run takes.

    Parameters
    ----------
    name : str
        As the table shows it.
    action : callable
        Runs it.
    runs : float
        Full-length runs in one call; a fraction for a shortened one.
    target : str
        What the project aims for, as a multiple of the engine.
    note : str
        What a reader must know.
    """

    name: str
    action: Callable[[], Any]
    runs: float
    target: str = ""
    note: str = ""
    every: int = 1
    times: list[float] = field(default_factory=list)

    @property
    def micro(self) -> float:
        """Median microseconds of one run."""
        return 1e6 * median(self.times)

    @property
    def spread(self) -> str:
        """Fastest and slowest, microseconds of one run."""
        low, high = min(self.times), max(self.times)
        return f"{_short(1e6 * low)} to {_short(1e6 * high)}"


def measure(rows: Sequence[Row], repeats: int, say: Callable[[str], None]) -> None:
    """Warm each row up, then time them in turn."""
    for row in rows:
        row.action()
        say(f"warm: {row.name}")
    for repeat in range(repeats):
        for row in rows:
            if repeat % row.every:
                continue
            begin = time.perf_counter()
            row.action()
            row.times.append((time.perf_counter() - begin) / row.runs)


def reinvestment_rows(say: Callable[[str], None]) -> list[Row]:
    """The reinvestment model by every way there is."""
    case = Case()
    rows: list[Row] = []
    many = case.design(2048)

    def first(runs: int) -> dict[str, Array]:
        return {name: values[:runs] for name, values in many.items()}

    def kredslob() -> list[Row]:
        from benchmarks.peers.engine import EnginePeer

        one, two = EnginePeer(case), EnginePeer(case, threads=2)
        return [
            Row("kredslob, one thread", lambda: one.run(many), 2048, "", "2,048 runs"),
            Row("kredslob, two threads", lambda: two.run(many), 2048, "1/1.8", "2,048 runs"),
            Row("kredslob, one run by itself", lambda: one.run_once(many), 1, "", "`model.run`"),
        ]

    def plain_c() -> list[Row]:
        from benchmarks.peers.plain_c import PlainCPeer

        peer, fast = PlainCPeer(case), PlainCPeer(case, ("-Ofast", "-march=native"))
        return [
            Row("C, gcc -O3", lambda: peer.run(first(512)), 512, "1.0", "by hand"),
            Row(
                "C, gcc -Ofast",
                lambda: fast.run(first(512)),
                512,
                "",
                "by hand; vector `pow`, order of sums not kept",
            ),
        ]

    def generated() -> list[Row]:
        from benchmarks.peers.generated_c import GeneratedCPeer

        peer = GeneratedCPeer(case)
        return [Row("C from SDEverywhere, gcc -O3", lambda: peer.run(first(512)), 512, "", "")]

    def jax() -> list[Row]:
        from benchmarks.peers.jitted import JaxPeer

        peer = JaxPeer(case)
        note = "jit(vmap(scan)), float64, 512 runs a call"
        return [Row("JAX on the CPU", lambda: peer.run(first(512)), 512, "2", note)]

    def numpy() -> list[Row]:
        from benchmarks.peers.arrays import NumpyPeer

        peer = NumpyPeer(case)
        note = "vectorised over 1,024 runs, run axis last"
        return [Row("NumPy", lambda: peer.run(many), 2048, "5", note, every=3)]

    def pysd() -> list[Row]:
        from benchmarks.peers.reference import PysdPeer

        short = replace(case, years=2.0)
        peer = PysdPeer(short)
        share = short.clock.steps / case.clock.steps
        note = "16 of the 320 steps, times 20"
        return [Row("PySD", lambda: peer.run(first(1)), share, "10,000", note, every=3)]

    for make in (kredslob, plain_c, generated, jax, numpy, pysd):
        rows += _if_installed(make, say)
    return rows


def commodity_rows(say: Callable[[str], None]) -> list[Row]:
    """The middling model: what the engine is worth on a model of another kind."""
    case = commodity()
    many = case.design(256)

    def kredslob() -> list[Row]:
        from benchmarks.peers.engine import EnginePeer

        one = EnginePeer(case)
        return [Row("kredslob, one thread", lambda: one.run(many), 256)]

    def generated() -> list[Row]:
        from benchmarks.peers.generated_c import GeneratedCPeer

        peer = GeneratedCPeer(case)
        few = {name: values[:64] for name, values in many.items()}
        return [Row("C from SDEverywhere, gcc -O3", lambda: peer.run(few), 64)]

    def pysd() -> list[Row]:
        from benchmarks.peers.reference import PysdPeer

        short = commodity(years=1.0)
        peer = PysdPeer(short)
        one = {name: values[:1] for name, values in many.items()}
        share = short.clock.steps / case.clock.steps
        return [Row("PySD", lambda: peer.run(one), share, "", "1 of 100 years, times 100", every=3)]

    rows: list[Row] = []
    for make in (kredslob, generated, pysd):
        rows += _if_installed(make, say)
    return rows


def _if_installed(make: Callable[[], list[Row]], say: Callable[[str], None]) -> list[Row]:
    try:
        return make()
    except (ImportError, OSError) as missing:
        say(f"{make.__name__} is left out: {missing}")
        return []


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown, with ratios against the first one."""
    engine = rows[0].micro
    lines = [
        "| | µs a run, median | spread | times the engine's | target | |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        ratio = (
            f"{row.micro / engine:,.2f}"
            if row.micro < 100 * engine
            else (f"{row.micro / engine:,.0f}")
        )
        target = f"≥ {row.target}" if row.target else ""
        if row.target.startswith("1/"):
            ratio, target = f"1/{engine / row.micro:.2f}", f"≤ {row.target}"
        lines.append(
            f"| {row.name} | {_short(row.micro)} | {row.spread} | {ratio} | {target} | {row.note} |"
        )
    return "\n".join(lines)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def machine() -> str:
    """What it was measured on."""
    names = re.findall(r"model name\s*: (.*)", _read("/proc/cpuinfo")) or [platform.processor()]
    packages = []
    for package in ("numpy", "numba", "jax", "pysd"):
        try:
            packages.append(f"{package} {version(package)}")
        except ImportError:
            continue
    return (
        f"{names[0]}, {os.cpu_count()} cores; Python {platform.python_version()}, "
        f"{', '.join(packages)}"
    )


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def large_model() -> str:
    """How long a model of 50,000 elements takes to its first run."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="kredslob-benchmark-") as folder:
        path = Path(folder) / "synthetic.mdl"
        elements = write_model(path)
        first, second = seconds_to_first_run(path)
    return (
        f"A made-up model of 500 variables and {elements:,} elements: {first:.0f} s to the end of "
        f"its first run in a new process with an empty cache (target: under 60 s), {second:.1f} s "
        "in the next process."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and if asked write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--repeats", type=int, default=9, help="how often each is timed")
    parser.add_argument("--write", action="store_true", help="put the table into docs")
    chosen = parser.parse_args(arguments)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    rows, other = reinvestment_rows(say), commodity_rows(say)
    measure(rows, chosen.repeats, say)
    measure(other, chosen.repeats, say)
    text = "\n\n".join(
        [
            f"Measured on {machine()}; medians of {chosen.repeats} rounds.",
            "**The reinvestment model**, 40 years, 320 steps, 10 constants varied, all 46 stocks "
            "and 8 more variables saved once a year:",
            table(rows),
            "**A middling model** of another kind (20 regions, 8 cohorts, delays, lookups; "
            "1,600 steps):",
            table(other),
            large_model(),
            "**What the processor allows** for the reinvestment model on one core:",
            report(Case()),
        ]
    )
    print(text)
    if chosen.write:
        page = PAGE.read_text(encoding="utf-8")
        begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
        PAGE.write_text(f"{page[:begin]}\n\n{text}\n\n{page[end:]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
