"""The physical limit: what a step of a model costs at least, against what one core can do.

Run as ``python -m benchmarks.limits``.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.case import Case
from benchmarks.peers.plain_c import compiled
from kredslob.reading import abstract_model

_TRANSCENDENTAL = ("exp", "ln", "sin", "cos", "tan", "log", "power", "sqrt")
_LANES = 96


@dataclass
class Work:
    """Operations of one step: simple ones (add, multiply, compare, choose), divisions, powers."""

    simple: int = 0
    divisions: int = 0
    powers: int = 0

    def add(self, other: Work, times: int = 1) -> None:
        """Take in the work of a part, so many times over."""
        self.simple += times * other.simple
        self.divisions += times * other.divisions
        self.powers += times * other.powers


@dataclass(frozen=True)
class Rates:
    """What one core does: operations a second, bytes a second."""

    simple: float
    divisions: float
    powers: float
    bytes_to_new_pages: float
    bytes_to_warm_pages: float


def work_of_a_step(case: Case) -> Work:
    """Count the operations of one Euler step, as the file writes them.

    What does not change within a run is left out; so are lookups, a handful a step here.
    """
    section = abstract_model(case.path).sections[0]
    elements = {_key(e.name): e for e in section.elements}
    sizes = {name: len(list_) for name, list_ in case.subscripts.items()}
    moving = _moving(elements)
    total = Work()
    for name in moving:
        for component in elements[name].components:
            count = int(np.prod([sizes.get(s, 1) for s in component.subscripts[0]], dtype=int))
            total.add(_work(component.ast, sizes), count)
    return total


def _key(name: str) -> str:
    return name.lower().replace(" ", "_")


def _kind(node: Any) -> str:
    return type(node).__name__


def _moving(elements: Mapping[str, Any]) -> set[str]:
    """Names of what changes while a run goes on."""
    uses = {n: set().union(*(_uses(c.ast) for c in e.components)) for n, e in elements.items()}
    moving = {"time"} | {
        name
        for name, element in elements.items()
        if any(_has_memory(c.ast) for c in element.components)
    }
    while True:
        more = {n for n, used in uses.items() if n not in moving and used & moving}
        if not more:
            return moving & set(elements)
        moving |= more


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    if is_dataclass(node):
        for part in fields(node):
            yield from _nodes(getattr(node, part.name))
    elif isinstance(node, (list, tuple)):
        for part in node:
            yield from _nodes(part)


def _uses(ast: Any) -> set[str]:
    return {_key(n.reference) for n in _nodes(ast) if _kind(n) == "ReferenceStructure"}


def _has_memory(ast: Any) -> bool:
    kinds = ("Integ", "Smooth", "Delay", "DelayN", "DelayFixed", "Trend", "Forecast", "SmoothN")
    return any(_kind(n).removesuffix("Structure") in kinds for n in _nodes(ast))


def _work(node: Any, sizes: Mapping[str, int]) -> Work:
    work = Work()
    kind = _kind(node)
    if kind == "IntegStructure":
        work.add(_work(node.flow, sizes))
        work.simple += 2
        return work
    if kind in ("SmoothStructure", "DelayStructure"):
        work.add(_work(node.input, sizes))
        order = int(node.order) if isinstance(node.order, (int, float)) else 1
        work.simple += 4 * order
        work.divisions += order
        return work
    if kind == "CallStructure":
        function = str(getattr(node.function, "reference", node.function)).lower()
        parts = Work()
        for argument in node.arguments:
            parts.add(_work(argument, sizes))
        if function in ("sum", "prod", "vmin", "vmax"):
            times = _summed(node.arguments, sizes)
            work.add(parts, times)
            work.simple += times
            return work
        work.add(parts)
        work.divisions += function in ("xidz", "zidz")
        work.powers += function in _TRANSCENDENTAL
        work.simple += function not in _TRANSCENDENTAL
        return work
    if kind == "ArithmeticStructure":
        work.divisions += node.operators.count("/")
        work.powers += node.operators.count("^")
        work.simple += sum(op in "+-*" for op in node.operators)
    elif kind == "LogicStructure":
        work.simple += len(node.operators)
    if is_dataclass(node):
        for part in fields(node):
            value = getattr(node, part.name)
            for inner in value if isinstance(value, (list, tuple)) else [value]:
                work.add(_work(inner, sizes))
    return work


def _summed(arguments: Any, sizes: Mapping[str, int]) -> int:
    names = {
        s.removesuffix("!")
        for n in _nodes(arguments)
        if _kind(n) == "SubscriptsReferenceStructure"
        for s in n.subscripts
        if s.endswith("!")
    }
    return int(np.prod([sizes.get(name, 1) for name in names], dtype=int))


def rates_of_this_core() -> Rates:
    """Measure one core; each figure is the best of several tries."""
    library = ctypes.CDLL(str(compiled(Path(__file__).with_name("limits.c"), _FAST)))
    values = 2**22
    warm = np.zeros(values)

    def a_second(name: str, times: int, each: int) -> float:
        function = getattr(library, name)
        function.restype = ctypes.c_double
        return times * each / _best(lambda: function(ctypes.c_long(times)))

    def write(array: Any) -> None:
        pointer = ctypes.c_void_p(array.ctypes.data)
        library.write_memory(pointer, ctypes.c_long(values), ctypes.c_double(1.0))

    return Rates(
        a_second("add_multiply", 200_000, 2 * _LANES),
        a_second("divide", 50_000, _LANES),
        a_second("power", 10_000, _LANES),
        8 * values / _best(lambda: write(np.empty(values))),
        8 * values / _best(lambda: write(warm)),
    )


_FAST = ("-Ofast", "-march=native", "-mprefer-vector-width=512")


def _best(action: Callable[[], Any], tries: int = 7) -> float:
    times = []
    for _ in range(tries):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return min(times)


def report(case: Case) -> str:
    """The estimate in words and numbers, as Markdown."""
    work, rates = work_of_a_step(case), rates_of_this_core()
    steps = case.clock.steps + 1
    places = sum(int(np.prod(case.shapes[name], dtype=int)) for name in case.saved)
    saved = 8 * places * case.clock.saves
    micro = 1e6 * steps
    rows = [
        ("simple operations", work.simple, rates.simple, micro * work.simple / rates.simple),
        ("divisions", work.divisions, rates.divisions, micro * work.divisions / rates.divisions),
        ("powers and exponentials", work.powers, rates.powers, micro * work.powers / rates.powers),
    ]
    lines = [
        "| a step | count | one core, a second | µs a run |",
        "|---|---:|---:|---:|",
        *(f"| {n} | {count} | {rate:.3g} | {cost:.1f} |" for n, count, rate, cost in rows),
    ]
    writing = 1e6 * saved / rates.bytes_to_new_pages
    lines.append(
        f"| bytes saved a run | {saved} | {rates.bytes_to_new_pages:.3g} to new pages, "
        f"{rates.bytes_to_warm_pages:.3g} to warm ones | {writing:.1f} |"
    )
    total = sum(row[3] for row in rows) + writing
    lines.append(f"| all, one after the other | | | {total:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(Case()))
