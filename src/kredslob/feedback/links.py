"""Who acts on whom: the links of a program, element by element, and how to measure each of them.

A link goes from an element of an array to an element of another one whose equation reads it. To
measure it, the equation is computed once more with this one input as it is now and all others as
they were a step before; what the result then differs from the result a step before is the *change*
that the link brings about (Schoenberg, Davidsen and Eberlein 2020, doi:10.1002/sdr.1658).
`measured` writes these computations as further equations of the program, so that they are compiled
with the model and run beside it. `nudged` does the same with a small step of one input in place of
its change: that tells the sign of a link even where nothing moves, and of constants.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

from kredslob.program import (
    Along,
    Array,
    At,
    Block,
    ByPhase,
    Call,
    Computed,
    Equation,
    Expression,
    If,
    Index,
    Interpolate,
    Loop,
    Number,
    Position,
    Program,
    Random,
    Read,
    Reduce,
    Statement,
    Time,
    parts,
)

_NUDGE = 1e-4  # of a value: large beside rounding, small beside most bends
_LEAST_NUDGE = 1e-9


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


@dataclass(frozen=True)
class Measured:
    """A program that also measures its links.

    Parameters
    ----------
    program : Program
        The program with more equations. It gives the same values as before.
    links : tuple of Link
        The links that are measured, with the arrays that hold their changes.
    """

    program: Program
    links: tuple[Link, ...]


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
    plain = _prepared(program)
    reading = _Reading(plain)
    found = [way.link for s in (*plain.dynamics, *plain.reports) for way in reading.ways(s)]
    return (*found, *_takeovers(plain))


def measured(program: Program, wanted: Callable[[str, str], bool]) -> Measured:
    """Add equations that measure links.

    Parameters
    ----------
    program : Program
        A lowered model.
    wanted : callable
        Says for the names of a source and a target whether their links are measured.

    Returns
    -------
    Measured
        Changes are known from the second saved step on, if every step is saved; before, they are
        NaN.
    """
    plain = _prepared(program)
    return _with_changes(plain, _Reading(plain), _Writing(plain), wanted)


def nudged(program: Program) -> Measured:
    """Add equations that tell what a small rise of each input, by itself, does to each equation.

    Parameters
    ----------
    program : Program
        A lowered model.

    Returns
    -------
    Measured
        All links, those of constants included. Changes are known whenever values are saved.
    """
    plain = _prepared(program)
    fixed = tuple(s for s in plain.initial if s.target not in moving(plain))
    plain = replace(plain, reports=(*plain.reports, *fixed))
    reading = _Reading(plain, constants=True)
    return _with_changes(plain, reading, _Writing(plain, nudge=True), lambda a, b: True)


def _with_changes(
    plain: Program, reading: _Reading, writing: _Writing, wanted: Callable[[str, str], bool]
) -> Measured:
    links = [k for k in _takeovers(plain) if wanted(k.source, k.target)]
    for statement in (*plain.dynamics, *plain.reports):
        for way in reading.ways(statement):
            if wanted(way.link.source, way.link.target):
                links.append(replace(way.link, change=writing.change(way)))
    return Measured(writing.finished(), tuple(links))


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


def _takeovers(program: Program) -> Iterator[Link]:
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


def _prepared(program: Program) -> Program:
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
        loops, index = _whole(state.shape)
        updates[name] = Equation(update.target, index, loops, Read(name, index))
        found.append(replace(update, target=name))
    return found


def _running(node: Any) -> Any:
    return node.running if isinstance(node, ByPhase) else _mapped(node, _running)


def _without_draws(
    node: Any, owner: Equation, arrays: dict[str, Array], phase: list[Statement]
) -> Any:
    """The expression with each random draw read from an array that is filled just before."""

    def change(part: Any, loops: tuple[Loop, ...]) -> Any:
        if isinstance(part, Reduce):
            loops = (*loops, *part.loops)
        if not isinstance(part, Random):
            return _mapped(part, lambda inner: change(inner, loops))
        name = _fresh(f"{owner.target}: draw", arrays)
        arrays[name] = Array(name, "hidden", (), tuple(x.extent for x in loops))
        index = tuple(_along(x) for x in loops)
        phase.append(Equation(name, index, loops, part))
        return Read(name, index)

    return change(node, owner.loops)


# --- what reads what ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Way:
    """One way in which a statement reads an array: the links, and the loops that run over them.

    ``inner`` are the loops of the links beyond those of the statement: over what it sums up, or
    over an axis on which the place is computed.
    """

    link: Link
    statement: Statement
    read: Read
    inner: tuple[Loop, ...] = ()


class _Reading:
    def __init__(self, program: Program, *, constants: bool = False) -> None:
        self._program = program
        self._sources = moving(program)
        if constants:
            known = {s.target for s in program.reports} | set(program.defaults)
            self._sources |= known

    def ways(self, statement: Statement) -> Iterator[_Way]:
        """The ways in which a statement depends on what moves."""
        if isinstance(statement, Block):
            yield from self._ways_of_block(statement)
        elif not isinstance(statement.value, Random):
            seen: set[tuple[Read, tuple[Loop, ...]]] = set()
            for read, inner in _reads(statement.value, ()):
                if read.array in self._sources and (read, inner) not in seen:
                    seen.add((read, inner))
                    yield self._way(statement, read, inner)

    def _way(self, statement: Equation, read: Read, inner: tuple[Loop, ...]) -> _Way:
        arrays = self._program.arrays
        shape = arrays[read.array].shape
        axes = tuple(
            Loop(f"place on axis {k}", shape[k])
            for k, index in enumerate(read.index)
            if isinstance(index, Computed)
        )
        plain = tuple(
            _along(Loop(f"place on axis {k}", shape[k])) if isinstance(index, Computed) else index
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
        return _Way(link, statement, read, (*inner, *axes))

    def _ways_of_block(self, block: Block) -> Iterator[_Way]:
        arrays = self._program.arrays
        target = arrays[block.target]
        lead = int(np.prod(target.shape[: len(target.shape) - block.core], dtype=int))
        into = target.size // lead
        for name in dict.fromkeys(block.inputs):
            if name in self._sources:
                size = arrays[name].size // lead
                first, element, result = np.indices((lead, size, into)).reshape(3, -1)
                link = Link(name, block.target, first * size + element, first * into + result)
                yield _Way(link, block, Read(name))


def _reads(node: Any, inner: tuple[Loop, ...]) -> Iterator[tuple[Read, tuple[Loop, ...]]]:
    """What an expression reads, and the loops that are open there."""
    if isinstance(node, Read):
        yield node, inner
    if isinstance(node, Reduce):
        inner = (*inner, *node.loops)
    for part in _inside(node):
        yield from _reads(part, inner)


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


# --- equations that measure --------------------------------------------------------------------


class _Writing:
    """Writes the equations that measure links, and keeps what they need of the past.

    To nudge, the present stands for the past, and a little more of an input for the present.
    """

    def __init__(self, program: Program, *, nudge: bool = False) -> None:
        self._program = program
        self._nudge = nudge
        self._moving = moving(program)
        self._arrays = dict(program.arrays)
        self._past: dict[str, str] = {}
        self._past_time = ""
        self._added: list[Statement] = []

    def change(self, way: _Way) -> str:
        """Add the equations for one way of reading; gives the array of changes."""
        if isinstance(way.statement, Block):
            return self._change_of_block(way, way.statement)
        return self._change_of_equation(way, way.statement)

    def finished(self) -> Program:
        """The program with what was added: computed when values are saved."""
        program = self._program
        copies = [self._copy(name, past) for name, past in self._past.items()]
        if self._past_time:
            copies.append(Equation(self._past_time, (), (), Time()))
        place = sum(a.size for a in program.arrays.values() if a.offset >= 0)
        for name, array in self._arrays.items():
            if array.offset < 0 and array.kind != "lookup":
                self._arrays[name] = replace(array, offset=place)
                place += array.size
        return replace(
            program,
            arrays=self._arrays,
            reports=(*program.reports, *self._added),
            updates=(*copies, *program.updates),
        )

    def _change_of_equation(self, way: _Way, owner: Equation) -> str:
        loops = (*owner.loops, *(replace(x, name=_link_loop(x)) for x in way.inner))
        name = self._new(f"{owner.target}: change by {way.read.array}", [x.extent for x in loops])
        value = owner.value
        if isinstance(value, Reduce) and _is_plain_sum(value, way):  # only one term changes
            named = {x.name: _link_loop(x) for x in way.inner}
            read = _renamed(way.read, named)
            body = _renamed(value.body, named)
            difference = Call("-", (self._as_if(body, read), self._before(body)))
        else:
            before = Read(self._past_of(owner.target), owner.index)
            difference = Call("-", (self._as_if(value, way.read, way.inner), before))
        self._added.append(Equation(name, tuple(_along(x) for x in loops), loops, difference))
        return name

    def _change_of_block(self, way: _Way, block: Block) -> str:
        target, source = self._arrays[block.target], self._arrays[way.read.array]
        lead = target.shape[: len(target.shape) - block.core]
        links = source.shape[len(lead) :]
        inputs = [self._input(n, lead, links, n == source.name) for n in block.inputs]
        shape = (*lead, *links, *target.shape[len(lead) :])
        result = self._new(f"{block.target}: as if {source.name}", shape)
        self._added.append(Block(result, block.function, tuple(inputs), block.core))
        name = self._new(f"{block.target}: change by {source.name}", shape)
        loops, index = _whole(shape)
        past = Read(self._past_of(block.target), (*index[: len(lead)], *index[-block.core :]))
        self._added.append(Equation(name, index, loops, Call("-", (Read(result, index), past))))
        return name

    def _input(self, name: str, lead: Sequence[int], links: Sequence[int], changes: bool) -> str:
        """An input of a block once for each link: as it was before but for the link's element."""
        own = self._arrays[name].shape[len(lead) :]
        shape = (*lead, *links, *own)
        copy = self._new(f"{name}: for each link", shape)
        loops, index = _whole(shape)
        start, end = len(lead), len(lead) + len(links)
        read = Read(name, (*index[:start], *index[end:]))
        value = self._before(read)
        if changes:
            pairs = zip(loops[start:end], loops[end:], strict=True)
            same = [Call("=", (Position(a.name), Position(b.name))) for a, b in pairs]
            value = If(_all(same), self._now(read), value) if same else self._now(read)
        self._added.append(Equation(copy, index, loops, value))
        return copy

    def _as_if(self, node: Any, changed: Read | None, inner: Sequence[Loop] = ()) -> Any:
        """The expression with one input as it is now, and all others as they were before."""
        if isinstance(node, Time) and self._nudge:
            return node
        if isinstance(node, Time):
            self._past_time = self._past_time or self._new("time: before", ())
            return Read(self._past_time)
        if not isinstance(node, Read):
            return _mapped(node, lambda part: self._as_if(part, changed, inner))
        index = tuple(
            _mapped(k, lambda part: self._as_if(part, changed, inner)) for k in node.index
        )
        name = self._past_of(node.array) if node.array in self._moving else node.array
        before = Read(name, index)
        if node != changed:
            return before
        same = _is_the_link(index, inner)
        now = self._now(Read(node.array, index))
        return If(same, now, before) if same else now

    def _now(self, read: Read) -> Expression:
        if not self._nudge:
            return read
        step = Call("+", (Call("*", (Number(_NUDGE), Call("abs", (read,)))), Number(_LEAST_NUDGE)))
        return Call("+", (read, step))

    def _before(self, node: Any) -> Any:
        """The expression with everything as it was before."""
        return self._as_if(node, None)

    def _past_of(self, name: str) -> str:
        if self._nudge:
            return name
        if name not in self._past:
            self._past[name] = self._new(f"{name}: before", self._arrays[name].shape)
        return self._past[name]

    def _copy(self, name: str, past: str) -> Equation:
        loops, index = _whole(self._arrays[name].shape)
        return Equation(past, index, loops, Read(name, index))

    def _new(self, name: str, shape: Sequence[int]) -> str:
        name = _fresh(name, self._arrays)
        self._arrays[name] = Array(name, "hidden", (), tuple(shape))
        return name


def _is_plain_sum(value: Reduce, way: _Way) -> bool:
    return value.operation == "sum" and value.selector is None and value.loops == way.inner


def _link_loop(loop: Loop) -> str:
    return f"{loop.name}: of the link"


def _is_the_link(index: Sequence[Index], inner: Sequence[Loop]) -> Expression | None:
    """Whether a read is at the element of the link, where it is not so by its loops alone."""
    axes = [k.value for k in index if isinstance(k, Computed)]
    open_loops = len(inner) - len(axes)
    here = [*(Position(x.name) for x in inner[:open_loops]), *(_whole_part(v) for v in axes)]
    same = [
        Call("=", (place, Position(_link_loop(x)))) for place, x in zip(here, inner, strict=True)
    ]
    return _all(same) if same else None


def _whole_part(value: Expression) -> Expression:
    return Call("integer", (value,))


def _all(conditions: Sequence[Expression]) -> Expression:
    return reduce(lambda a, b: Call("and", (a, b)), conditions)


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    """The expression with its loops renamed."""
    if isinstance(node, Along):
        return replace(node, loop=names.get(node.loop, node.loop))
    if isinstance(node, Position):
        return Position(names.get(node.loop, node.loop))
    return _mapped(node, lambda part: _renamed(part, names))


# --- small things ------------------------------------------------------------------------------


def _inside(node: Any) -> Iterator[Any]:
    """The nodes directly inside an expression or index."""
    for name in getattr(node, "__dataclass_fields__", ()):
        value = getattr(node, name)
        for item in value if isinstance(value, tuple) else (value,):
            if hasattr(item, "__dataclass_fields__"):
                yield item


def _mapped(node: Any, change: Callable[[Any], Any]) -> Any:
    """The node with whatever is directly inside it changed."""
    changed = {}
    for name in getattr(node, "__dataclass_fields__", ()):
        value = getattr(node, name)
        if hasattr(value, "__dataclass_fields__"):
            changed[name] = change(value)
        elif isinstance(value, tuple) and any(hasattr(v, "__dataclass_fields__") for v in value):
            changed[name] = tuple(change(v) for v in value)
    return replace(node, **changed) if changed else node


def _along(loop: Loop) -> Along:
    return Along(loop.name, tuple(range(loop.extent)))


def _whole(shape: Sequence[int]) -> tuple[tuple[Loop, ...], tuple[Index, ...]]:
    """Loops over all elements of an array, and its element as they run."""
    loops = tuple(Loop(f"axis {k}", extent) for k, extent in enumerate(shape))
    return loops, tuple(_along(x) for x in loops)


def _fresh(name: str, taken: Mapping[str, Any]) -> str:
    if name not in taken:
        return name
    return next(n for k in itertools.count(2) if (n := f"{name} {k}") not in taken)
