"""In which order the rules are computed, and when: once a run, each step, or only to be read.

The order follows from what each rule reads and writes. Rules stay loops; only where rules depend
on each other in a circle are they taken apart, element by element, to see whether the circle is
real. A real one is an algebraic loop and is reported by name.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from kredslob.errors import InputFileError
from kredslob.lowering.hoisting import hoisted
from kredslob.program import (
    Along,
    Array,
    At,
    Block,
    ByPhase,
    Clock,
    Equation,
    Index,
    Number,
    Pipe,
    Program,
    Random,
    Read,
    Statement,
    Table,
    Time,
    placed,
)
from kredslob.trees import inside, mapped, parts

_MOST_ELEMENTS_APART = 200_000


@dataclass
class Rules:
    """The rules of a model, before they are ordered.

    Parameters
    ----------
    defaults : dict
        Values of constants, flat.
    always : list of Statement
        What holds at every moment; the rates of stocks are among them.
    starts : list of Equation
        Initial values of stocks and states.
    updates : list of Equation
        What states become at the end of a step.
    pipes : list of Pipe
        Fixed delays.
    rates : dict
        Rate array of each stock, in the order of the stocks.
    states : set of str
        Arrays other than stocks that keep their values from step to step.
    fixed_states : set of str
        Those of them that never change in a run.
    non_negative : list of str
        Stocks held at zero or above.
    """

    defaults: dict[str, tuple[float, ...]] = field(default_factory=dict)
    always: list[Statement] = field(default_factory=list)
    starts: list[Equation] = field(default_factory=list)
    updates: list[Equation] = field(default_factory=list)
    pipes: list[Pipe] = field(default_factory=list)
    rates: dict[str, str] = field(default_factory=dict)
    states: set[str] = field(default_factory=set)
    fixed_states: set[str] = field(default_factory=set)
    non_negative: list[str] = field(default_factory=list)


def assemble(
    rules: Rules,
    arrays: Mapping[str, Array],
    tables: Mapping[str, Table],
    *,
    name: str,
    path: Path,
    sha256: str,
    ranges: Mapping[str, tuple[str, ...]],
    clock: Clock,
    integration: str,
    streams: int,
) -> Program:
    """Order the rules and give each array its place in memory.

    Raises
    ------
    InputFileError
        Variables or initial values depend on each other in a circle.
    """
    arrays = dict(arrays)
    rules.always = [_begun(s, clock.initial) for s in rules.always]
    graph = _ordered(rules.always, arrays, path, None)
    always = hoisted(graph.statements, arrays, _moving_arrays(graph, rules))
    graph = _ordered(always, arrays, path, None)
    moving = _moving(graph, rules)
    fixed = [s for s, moves in zip(graph.statements, moving, strict=True) if not moves]
    initial = _initial(rules, graph.statements, fixed, arrays, path, clock)
    needed = _needed(graph, rules, clock)
    dynamics = [n for n in graph.order if moving[n] and n in needed]
    reports = [n for n in graph.order if moving[n] and n not in needed]
    first = [*rules.rates, *rules.rates.values(), *rules.defaults]
    return Program(
        name=name,
        sha256=sha256,
        arrays=placed(arrays, first),
        ranges=dict(ranges),
        tables=_numbered(tables),
        defaults=rules.defaults,
        initial=tuple(initial),
        dynamics=tuple(graph.statements[n] for n in dynamics),
        reports=tuple(graph.statements[n] for n in reports),
        updates=tuple(rules.updates),
        pipes=tuple(rules.pipes),
        stocks=tuple(rules.rates),
        non_negative=tuple(rules.non_negative),
        clock=clock,
        integration=integration,
        streams=streams,
    )


def _begun(statement: Statement, initial_time: str) -> Statement:
    """For INITIAL TIME itself, time is 0 until the run begins."""
    if statement.target != initial_time or not isinstance(statement, Equation):
        return statement
    return replace(statement, value=_timeless(statement.value))


def _timeless(node: Any) -> Any:
    if isinstance(node, Time):
        return ByPhase(Number(0.0), node)
    return node if isinstance(node, ByPhase) else mapped(node, _timeless)


# --- what reads what ---------------------------------------------------------------------------


def reads(statement: Statement, initial_time: str | None = None) -> Iterator[Read]:
    """What a statement reads.

    Parameters
    ----------
    statement : Statement
        The statement.
    initial_time : str, optional
        For the initial phase: the array that the present time is then read from.
    """
    if isinstance(statement, Block):
        for name in statement.inputs:
            yield Read(name)
        return
    yield from _reads(statement.value, initial_time)


def _reads(node: Any, initial_time: str | None) -> Iterator[Read]:
    if isinstance(node, ByPhase):
        yield from _reads(node.initial if initial_time else node.running, initial_time)
        return
    if isinstance(node, Time) and initial_time:
        yield Read(initial_time)
        return
    if isinstance(node, Read):
        yield node
    for part in inside(node):
        yield from _reads(part, initial_time)


@dataclass
class _Graph:
    """Statements and which of them each one needs."""

    statements: list[Statement]
    needs: list[set[int]]
    order: list[int]


def _needs(
    statements: Sequence[Statement], arrays: Mapping[str, Array], initial_time: str | None
) -> list[set[int]]:
    writers: dict[str, list[int]] = {}
    for number, statement in enumerate(statements):
        writers.setdefault(statement.target, []).append(number)
    owners: dict[str, np.ndarray] = {}
    needs = []
    for statement in statements:
        found: set[int] = set()
        for read in set(reads(statement, initial_time)):
            by = writers.get(read.array, [])
            if len(by) == 1:
                if _meets(read, statements[by[0]], arrays):
                    found.add(by[0])
            elif by:
                if read.array not in owners:
                    owners[read.array] = _owners(by, statements, arrays[read.array])
                cells = owners[read.array][_cells(read.index, arrays[read.array])]
                found.update(int(n) for n in np.unique(cells) if n >= 0)
        needs.append(found)
    return needs


def _owners(by: Sequence[int], statements: Sequence[Statement], array: Array) -> np.ndarray:
    """For each element of an array, the statement that writes it; -1 for none."""
    owner = np.full(array.shape, -1)
    for number in by:
        statement = statements[number]
        index = statement.index if isinstance(statement, Equation) else ()
        owner[_cells(index, array)] = number
    return owner


def _cells(index: Sequence[Index], array: Array) -> Any:
    """The box of elements that an index can reach, for numpy."""
    if not array.shape:
        return ()
    if not index:
        return tuple(slice(None) for _ in array.shape)
    return np.ix_(*(sorted(_positions(i, n)) for i, n in zip(index, array.shape, strict=True)))


def _positions(index: Index, extent: int) -> set[int]:
    if isinstance(index, At):
        return {index.position}
    if isinstance(index, Along):
        return set(index.positions)
    return set(range(extent))


def _meets(read: Read, writer: Statement, arrays: Mapping[str, Array]) -> bool:
    """Whether something that is read is written there."""
    if isinstance(writer, Block) or not read.index:
        return True
    shape = arrays[read.array].shape
    return all(
        _positions(a, n) & _positions(b, n)
        for a, b, n in zip(read.index, writer.index, shape, strict=True)
    )


# --- order -------------------------------------------------------------------------------------


def _ordered(
    statements: Iterable[Statement],
    arrays: Mapping[str, Array],
    path: Path,
    initial_time: str | None,
) -> _Graph:
    listed = list(statements)
    needs = _needs(listed, arrays, initial_time)
    order = _line_up(listed, needs)
    if len(order) < len(listed):  # the others depend on each other in circles
        inside = set().union(*_circles(needs))
        listed = [
            part
            for number, statement in enumerate(listed)
            for part in (_apart(statement, path) if number in inside else (statement,))
        ]
        needs = _needs(listed, arrays, initial_time)
        order = _line_up(listed, needs)
    if len(order) < len(listed):
        _report(listed, needs, _circles(needs)[0], arrays, path, initial_time)
    return _Graph(listed, needs, order)


def _circles(needs: Sequence[set[int]]) -> list[set[int]]:
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(needs)))
    graph.add_edges_from((n, m) for n, all_of in enumerate(needs) for m in all_of)
    return [
        c for c in nx.strongly_connected_components(graph) if len(c) > 1 or graph.has_edge(*c, *c)
    ]


def _report(
    statements: Sequence[Statement],
    needs: Sequence[set[int]],
    circle: set[int],
    arrays: Mapping[str, Array],
    path: Path,
    initial_time: str | None,
) -> None:
    import networkx as nx

    graph = nx.DiGraph((n, m) for n in circle for m in needs[n] & circle)
    loop = [n for n, _ in nx.find_cycle(graph)]
    chain = [statements[n].target for n in reversed(loop)]
    shown = [c for c in dict.fromkeys(chain) if arrays[c].is_visible]
    shown = shown or list(dict.fromkeys(chain))
    names = " -> ".join([*shown, shown[0]])
    what = (
        "the initial values depend on each other"
        if initial_time
        else "these variables depend on each other at the same moment (an algebraic loop)"
    )
    raise InputFileError(path, f"{what}: {names}", line=arrays[shown[0]].line or None)


def _apart(statement: Statement, path: Path) -> Iterator[Statement]:
    """One equation for each element."""
    if isinstance(statement, Block) or not statement.loops:
        yield statement
        return
    size = 1
    for loop in statement.loops:
        size *= loop.extent
    if size > _MOST_ELEMENTS_APART:
        raise InputFileError(
            path, f"'{statement.target}' refers to itself over too many elements ({size})"
        )
    for at in product(*(range(loop.extent) for loop in statement.loops)):
        place = {loop.name: i for loop, i in zip(statement.loops, at, strict=True)}
        yield Equation(
            statement.target,
            tuple(_held(i, place) for i in statement.index),
            (),
            _held(statement.value, place),
        )


def _held(node: Any, place: Mapping[str, int]) -> Any:
    """An expression or index with some loops held at one place."""
    if isinstance(node, Along):
        return At(node.positions[place[node.loop]]) if node.loop in place else node
    return mapped(node, lambda part: _held(part, place))


def _line_up(statements: Sequence[Statement], needs: Sequence[set[int]]) -> list[int]:
    """A topological order that keeps equations with the same loops together."""
    users: list[list[int]] = [[] for _ in statements]
    missing = [len(all_of) for all_of in needs]
    for number, all_of in enumerate(needs):
        for other in all_of:
            users[other].append(number)
    ready: dict[Any, list[int]] = {}
    for number, count in enumerate(missing):
        if not count:
            heapq.heappush(ready.setdefault(_loops(statements[number]), []), number)
    order: list[int] = []
    present: Any = None
    while ready:
        if present not in ready:
            present = min(ready, key=lambda loops: ready[loops][0])
        number = heapq.heappop(ready[present])
        if not ready[present]:
            del ready[present]
        order.append(number)
        for user in users[number]:
            missing[user] -= 1
            if not missing[user]:
                heapq.heappush(ready.setdefault(_loops(statements[user]), []), user)
    return order


def _loops(statement: Statement) -> Any:
    if isinstance(statement, Block):
        return "block"
    return tuple(loop.extent for loop in statement.loops)


# --- when --------------------------------------------------------------------------------------


def _moving(graph: _Graph, rules: Rules) -> list[bool]:
    """Which statements can change during a run."""
    held = (set(rules.rates) | rules.states) - rules.fixed_states
    moving = [False] * len(graph.statements)
    for number in graph.order:
        statement = graph.statements[number]
        moving[number] = (
            statement.target in rules.rates.values()
            or any(moving[other] for other in graph.needs[number])
            or any(read.array in held for read in reads(statement))
            or (
                isinstance(statement, Equation)
                and any(isinstance(p, Time | Random | ByPhase) for p in parts(statement.value))
            )
        )
    return moving


def _moving_arrays(graph: _Graph, rules: Rules) -> frozenset[str]:
    """Arrays that can change during a run."""
    moving = _moving(graph, rules)
    written = {s.target for s, moves in zip(graph.statements, moving, strict=True) if moves}
    return frozenset(written | set(rules.rates) | (rules.states - rules.fixed_states))


def _initial(
    rules: Rules,
    always: Sequence[Statement],
    fixed: Sequence[Statement],
    arrays: Mapping[str, Array],
    path: Path,
    clock: Clock,
) -> list[Statement]:
    """What is computed when a run begins: initial values, what they need, and what is fixed."""
    initial_time = clock.initial
    everything: list[Statement] = [*rules.starts, *always]
    needs = _needs(everything, arrays, initial_time)
    times = (clock.initial, clock.step, clock.final)
    keep = set(range(len(rules.starts))) | {
        n + len(rules.starts)
        for n, s in enumerate(always)
        if s.target in times or any(s is f for f in fixed)
    }
    keep = _closure(keep, needs)
    graph = _ordered((everything[n] for n in sorted(keep)), arrays, path, initial_time)
    return [graph.statements[n] for n in graph.order]


def _needed(graph: _Graph, rules: Rules, clock: Clock) -> set[int]:
    """Statements that the next step depends on."""
    read = {r.array for u in rules.updates for r in reads(u)}
    read |= {name for p in rules.pipes for name in (p.source, p.present, p.missing)}
    read |= set(rules.rates.values())
    read |= {clock.final, clock.step, clock.saveper}
    roots = {n for n, s in enumerate(graph.statements) if s.target in read}
    return _closure(roots, graph.needs)


def _closure(roots: set[int], needs: Sequence[set[int]]) -> set[int]:
    found = set(roots)
    waiting = list(roots)
    while waiting:
        for other in needs[waiting.pop()]:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _numbered(tables: Mapping[str, Table]) -> dict[str, Table]:
    numbered, number = {}, 0
    for name, table in tables.items():
        numbered[name] = replace(table, number=number)
        number += len(table.points)
    return numbered
