"""Who acts on whom: the links of a program, element by element.

A link goes from an element of an array to an element of another one whose equation reads it.
`kredslob.feedback.measuring` says how strong each is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kredslob.program import (
    Array,
    At,
    Block,
    ByPhase,
    Computed,
    Equation,
    Index,
    Interpolate,
    Loop,
    Program,
    Random,
    Read,
    Reduce,
    Statement,
)
from kredslob.trees import mapped, parts, reads_in_loops


@dataclass(frozen=True)
class Link:
    """Links of one form from elements of an array to elements of another.

    Parameters
    ----------
    source, target : str
        Arrays.
    sources, targets : array of int, shape (links,)
        Flat numbers of the elements within these arrays.
    change : str
        Array that holds the changes brought about, one element a link; empty where the target
        takes over what the source was: a stock its rate, a delay what went in.
    """

    source: str
    target: str
    sources: np.ndarray
    targets: np.ndarray
    change: str = ""


def links_of(program: Program) -> tuple[Link, ...]:
    """All links between arrays that can change during a run.

    Parameters
    ----------
    program : Program
        A lowered model.

    Returns
    -------
    tuple of Link
        Without changes. Hidden arrays are among them, such as sums inside an equation and the
        stages of a delay.
    """
    plain = prepared(program)
    reading = Reading(plain)
    found = [way.link for s in (*plain.dynamics, *plain.reports) for way in reading.ways(s)]
    return (*found, *takeovers(plain))


def lookup_links(program: Program) -> list[tuple[str, str]]:
    """Lookups, each with the arrays whose equations call it."""
    found: dict[tuple[str, str], None] = {}
    for statement in (*program.initial, *program.dynamics, *program.reports):
        for node in parts(statement):
            if isinstance(node, Interpolate) and node.table in program.arrays:
                found[node.table, statement.target] = None
    return list(found)


def moving(program: Program) -> frozenset[str]:
    """Names of the arrays that can change during a run."""
    written = {s.target for s in (*program.dynamics, *program.reports, *program.updates)}
    return frozenset(written | set(program.stocks) | {pipe.target for pipe in program.pipes})


def takeovers(program: Program) -> Iterator[Link]:
    """Links to what takes over a value, or its change, from one array as it stands."""
    arrays = program.arrays
    rates = {a.offset - program.state_size: a.name for a in arrays.values() if a.kind == "rate"}
    pairs = [(rates[arrays[name].offset], name) for name in program.stocks]
    pairs += [(pipe.source, pipe.target) for pipe in program.pipes]
    pairs += [(u.value.array, u.target) for u in program.updates if isinstance(u.value, Read)]
    for source, target in dict.fromkeys(pairs):
        every = np.arange(arrays[target].size)
        yield Link(source, target, every, every)


# --- the program in a form that is easy to measure ---------------------------------------------


def prepared(program: Program) -> Program:
    """The same program: phases gone, draws in arrays of their own, states through one array."""
    arrays = dict(program.arrays)
    dynamics: list[Statement] = []
    reports: list[Statement] = []
    updates: dict[str, Equation] = {}
    phases: tuple[tuple[list[Statement], Sequence[Statement]], ...] = (
        (dynamics, program.dynamics),
        (reports, program.reports),
        (dynamics, _next_values(program, arrays, updates)),
    )
    for phase, statements in phases:
        for statement in statements:
            if isinstance(statement, Equation):
                value = _without_draws(_running(statement.value), statement, arrays, phase)
                statement = replace(statement, value=value)
            phase.append(statement)
    return replace(
        program,
        arrays=arrays,
        dynamics=tuple(dynamics),
        reports=tuple(reports),
        updates=tuple(updates.values()),
    )


def _next_values(
    program: Program, arrays: dict[str, Array], updates: dict[str, Equation]
) -> list[Statement]:
    """Equations for what states become; the updates then only copy them."""
    found: list[Statement] = []
    for update in program.updates:
        name, state = f"{update.target}: next", program.arrays[update.target]
        arrays[name] = replace(state, name=name, kind="hidden", offset=-1)
        loops, index = whole(state.shape)
        updates[name] = Equation(update.target, index, loops, Read(name, index))
        found.append(replace(update, target=name))
    return found


def _running(node: Any) -> Any:
    return node.running if isinstance(node, ByPhase) else mapped(node, _running)


def _without_draws(
    node: Any, owner: Equation, arrays: dict[str, Array], phase: list[Statement]
) -> Any:
    """The expression with each random draw read from an array that is filled just before."""

    def change(part: Any, loops: tuple[Loop, ...]) -> Any:
        if isinstance(part, Reduce):
            loops = (*loops, *part.loops)
        if not isinstance(part, Random):
            return mapped(part, lambda inner: change(inner, loops))
        name = fresh(f"{owner.target}: draw", arrays)
        arrays[name] = Array(name, "hidden", (), tuple(x.extent for x in loops))
        index = tuple(loop.along for loop in loops)
        phase.append(Equation(name, index, loops, part))
        return Read(name, index)

    return change(node, owner.loops)


# --- what reads what ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """One way in which a statement reads an array: the links, and the loops that run over them.

    ``inner`` are the loops of the links beyond those of the statement: over what it sums up, or
    over an axis on which the place is computed.
    """

    link: Link
    statement: Statement
    read: Read
    inner: tuple[Loop, ...] = ()


class Reading:
    """What the statements of a prepared program read of what moves, or of constants too."""

    def __init__(self, program: Program, *, constants: bool = False) -> None:
        self._program = program
        self._sources = moving(program)
        if constants:
            known = {s.target for s in program.reports} | set(program.defaults)
            self._sources |= known

    def ways(self, statement: Statement) -> Iterator[Way]:
        """The ways in which a statement depends on what moves."""
        if isinstance(statement, Block):
            yield from self._ways_of_block(statement)
        elif not isinstance(statement.value, Random):
            seen: set[tuple[Read, tuple[Loop, ...]]] = set()
            for read, inner in reads_in_loops(statement.value):
                if read.array in self._sources and (read, inner) not in seen:
                    seen.add((read, inner))
                    yield self._way(statement, read, inner)

    def _way(self, statement: Equation, read: Read, inner: tuple[Loop, ...]) -> Way:
        arrays = self._program.arrays
        shape = arrays[read.array].shape
        axes = tuple(
            Loop(f"place on axis {k}", shape[k])
            for k, index in enumerate(read.index)
            if isinstance(index, Computed)
        )
        plain = tuple(
            Loop(f"place on axis {k}", shape[k]).along if isinstance(index, Computed) else index
            for k, index in enumerate(read.index)
        )
        loops = (*statement.loops, *inner, *axes)
        target = arrays[statement.target]
        link = Link(
            read.array,
            statement.target,
            _places(plain, shape, loops),
            _places(statement.index, target.shape, loops),
        )
        return Way(link, statement, read, (*inner, *axes))

    def _ways_of_block(self, block: Block) -> Iterator[Way]:
        arrays = self._program.arrays
        target = arrays[block.target]
        lead = int(np.prod(target.shape[: len(target.shape) - block.core], dtype=int))
        into = target.size // lead
        for name in dict.fromkeys(block.inputs):
            if name in self._sources:
                size = arrays[name].size // lead
                first, element, result = np.indices((lead, size, into)).reshape(3, -1)
                link = Link(name, block.target, first * size + element, first * into + result)
                yield Way(link, block, Read(name))


def _places(index: Sequence[Index], shape: Sequence[int], loops: Sequence[Loop]) -> np.ndarray:
    """Flat places in an array as the loops run, the last one fastest."""
    extents = [x.extent for x in loops]
    at = dict(zip((x.name for x in loops), np.indices(extents), strict=True))
    flat = np.zeros(extents, dtype=np.int64)
    for axis, extent in zip(index, shape, strict=True):
        assert not isinstance(axis, Computed)
        here = axis.position if isinstance(axis, At) else np.array(axis.positions)[at[axis.loop]]
        flat = flat * extent + here
    return flat.ravel()


# --- small things ------------------------------------------------------------------------------


def whole(shape: Sequence[int]) -> tuple[tuple[Loop, ...], tuple[Index, ...]]:
    """Loops over all elements of an array, and its element as they run."""
    loops = tuple(Loop(f"axis {k}", extent) for k, extent in enumerate(shape))
    return loops, tuple(loop.along for loop in loops)


def fresh(name: str, taken: Mapping[str, Any]) -> str:
    """The name, or the name with a number if it is taken."""
    if name not in taken:
        return name
    return next(n for k in itertools.count(2) if (n := f"{name} {k}") not in taken)
