"""How strong each link of a program is, as further equations of the program.

To measure a link, its target's equation is computed once more with this one input as it is now and
all others as they were a step before; what the result then differs from the result a step before is
the *change* that the link brings about (Schoenberg, Davidsen and Eberlein 2020,
doi:10.1002/sdr.1658). These computations are compiled with the model and run beside it. `nudged`
does the same with a small step of one input in place of its change: that tells the sign of a link
even where nothing moves, and of constants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from kredslob.feedback.links import (
    Link,
    Reading,
    Way,
    fresh,
    moving,
    prepared,
    takeovers,
    whole,
)
from kredslob.program import (
    Along,
    Array,
    Block,
    Call,
    Computed,
    Equation,
    Expression,
    If,
    Index,
    Loop,
    Number,
    Position,
    Program,
    Read,
    Reduce,
    Statement,
    Time,
    placed,
)
from kredslob.trees import mapped

_NUDGE = 1e-4  # of a value: large beside rounding, small beside most bends
_LEAST_NUDGE = 1e-9


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
    plain = prepared(program)
    return _with_changes(plain, Reading(plain), _Writing(plain), wanted)


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
    plain = prepared(program)
    fixed = tuple(s for s in plain.initial if s.target not in moving(plain))
    plain = replace(plain, reports=(*plain.reports, *fixed))
    reading = Reading(plain, constants=True)
    return _with_changes(plain, reading, _Writing(plain, nudge=True), lambda a, b: True)


def _with_changes(
    plain: Program, reading: Reading, writing: _Writing, wanted: Callable[[str, str], bool]
) -> Measured:
    links = [k for k in takeovers(plain) if wanted(k.source, k.target)]
    for statement in (*plain.dynamics, *plain.reports):
        for way in reading.ways(statement):
            if wanted(way.link.source, way.link.target):
                links.append(replace(way.link, change=writing.change(way)))
    return Measured(writing.finished(), tuple(links))


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

    def change(self, way: Way) -> str:
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
        return replace(
            program,
            arrays=placed(self._arrays, program.layout),
            reports=(*program.reports, *self._added),
            updates=(*copies, *program.updates),
        )

    def _change_of_equation(self, way: Way, owner: Equation) -> str:
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
        self._added.append(Equation(name, tuple(loop.along for loop in loops), loops, difference))
        return name

    def _change_of_block(self, way: Way, block: Block) -> str:
        target, source = self._arrays[block.target], self._arrays[way.read.array]
        lead = target.shape[: len(target.shape) - block.core]
        links = source.shape[len(lead) :]
        inputs = [self._input(n, lead, links, n == source.name) for n in block.inputs]
        shape = (*lead, *links, *target.shape[len(lead) :])
        result = self._new(f"{block.target}: as if {source.name}", shape)
        self._added.append(Block(result, block.function, tuple(inputs), block.core))
        name = self._new(f"{block.target}: change by {source.name}", shape)
        loops, index = whole(shape)
        past = Read(self._past_of(block.target), (*index[: len(lead)], *index[-block.core :]))
        self._added.append(Equation(name, index, loops, Call("-", (Read(result, index), past))))
        return name

    def _input(self, name: str, lead: Sequence[int], links: Sequence[int], changes: bool) -> str:
        """An input of a block once for each link: as it was before but for the link's element."""
        own = self._arrays[name].shape[len(lead) :]
        shape = (*lead, *links, *own)
        copy = self._new(f"{name}: for each link", shape)
        loops, index = whole(shape)
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
            return mapped(node, lambda part: self._as_if(part, changed, inner))
        index = tuple(mapped(k, lambda part: self._as_if(part, changed, inner)) for k in node.index)
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
        loops, index = whole(self._arrays[name].shape)
        return Equation(past, index, loops, Read(name, index))

    def _new(self, name: str, shape: Sequence[int]) -> str:
        name = fresh(name, self._arrays)
        self._arrays[name] = Array(name, "hidden", (), tuple(shape))
        return name


def _is_plain_sum(value: Reduce, way: Way) -> bool:
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
    return mapped(node, lambda part: _renamed(part, names))
