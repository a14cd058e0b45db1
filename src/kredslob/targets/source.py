"""Program -> the source of a compiled kernel, meant to be read.

All values of a run lie in one array, ``v``. Each equation becomes one line of arithmetic inside
loops over its subscripts, with the variable's name and line in the file above it. No name from a
model file is ever code: names stand in comments only, escaped, and variables are places in ``v``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from kredslob.functions import CONDITIONS, FUNCTIONS, LOGIC, REDUCTIONS
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
)
from kredslob.targets.driver import driver_source

_DEEPEST_TEXT = 30  # Python's own parser takes about 200 nested brackets
_STATEMENTS_A_FUNCTION = 60  # larger functions take the compiler disproportionately long
_ARGUMENTS = "v, t, dt, xs, ys, first, count, draw"

_HEAD = '''"""{name}, compiled. Written by kredslob; a copy of the model's equations in the order of
computing. v: all values of one run. t, dt: time and time step. xs, ys, first, count: points of the
lookups and data. draw: seed, run and step, for random numbers."""

import math

import numpy as np
from numba import njit

from kredslob.targets.runtime import *
from kredslob.targets.lanes import *

'''


def kernel_source(program: Program) -> str:
    """Write the kernel of a program.

    Parameters
    ----------
    program : Program
        A lowered model.

    Returns
    -------
    str
        Python source with a function ``simulate``; see `kredslob.targets.numba`.
    """
    writer = _Writer(program)
    passing = _passing(program)
    again = _needed_again(program, passing)
    body = [
        *writer.functions("initialise", program.initial, initial=True),
        *writer.functions("dynamics", program.dynamics, passing=passing),
        *writer.functions("reports", (*again, *program.reports)),
        *writer.functions("updates", program.updates, fuse=False),
    ]
    head = [_HEAD.format(name=_comment(program.name))]
    return "\n".join([*head, *writer.tables, *body, driver_source(program)])


def _comment(text: str) -> str:
    """Text that can stand in a comment or docstring, whatever it holds."""
    plain = text.encode("unicode_escape").decode("ascii")
    return plain.replace("\\", "/").replace('"', "'")


@dataclass
class _Text:
    """Source of one expression, and how deep its brackets go."""

    text: str
    depth: int = 0


@dataclass
class _Open:
    """A loop that is being written: its variable, where its body begins, places kept there."""

    variable: str
    body: int
    indent: int
    places: dict[str, str] = field(default_factory=dict)


@dataclass
class _Writer:
    """Writes functions; collects the tables of positions that they need."""

    program: Program
    tables: list[str] = field(default_factory=list)
    _known: dict[tuple[int, ...], str] = field(default_factory=dict)
    _lines: list[str] = field(default_factory=list)
    _indent: int = 1
    _temporaries: int = 0
    _places: int = 0
    _initial: bool = False
    _passing: frozenset[str] = frozenset()
    _loops: dict[str, str] = field(default_factory=dict)
    _extents: dict[str, int] = field(default_factory=dict)
    _open: list[_Open] = field(default_factory=list)

    def functions(
        self,
        name: str,
        statements: Sequence[Statement],
        *,
        initial: bool = False,
        fuse: bool = True,
        passing: frozenset[str] = frozenset(),
    ) -> list[str]:
        """Functions that compute these statements, and one of this name that calls them."""
        self._initial, self._passing = initial, passing
        parts: list[str] = []
        source: list[str] = []
        for groups in _functions(statements, fuse):
            part = f"{name}_{len(parts)}"
            self._lines, self._indent, self._temporaries, self._places = [], 1, 0, 0
            for group in groups:
                self._group(group)
            source += [_DECORATOR, f"def {part}({_ARGUMENTS}):", *self._lines, ""]
            parts.append(part)
        calls = [f"    {part}({_ARGUMENTS})" for part in parts] or ["    pass"]
        return [*source, _DECORATOR, f"def {name}({_ARGUMENTS}):", *calls, ""]

    # --- statements ---

    def _emit(self, line: str) -> None:
        self._lines.append("    " * self._indent + line)

    def _enter(self, variable: str, extent: int) -> None:
        self._emit(f"for {variable} in range({extent}):")
        self._indent += 1
        self._open.append(_Open(variable, len(self._lines), self._indent))

    def _leave(self, count: int) -> None:
        for _ in range(count):
            self._indent = self._open.pop().indent - 1

    def _kept_place(self, terms: str) -> str:
        """A sum of loop variables, computed once at the head of the innermost loop it needs."""
        used = set(re.findall(r"[ij]\d+", terms))
        loop = next(x for x in reversed(self._open) if x.variable in used)
        if terms not in loop.places:
            self._places += 1
            name = loop.places[terms] = f"k{self._places}"
            self._lines.insert(loop.body, "    " * loop.indent + f"{name} = {terms}")
            at = loop.body
            for other in self._open:
                if other.body > at or other is loop:
                    other.body += 1
        return loop.places[terms]

    def _group(self, group: Sequence[Statement]) -> None:
        if isinstance(group[0], Block):
            self._block(group[0])
            return
        equations = [s for s in group if isinstance(s, Equation)]
        names = [f"i{n}" for n in range(len(equations[0].loops))]
        for variable, loop in zip(names, equations[0].loops, strict=True):
            self._enter(variable, loop.extent)
        for equation in equations:
            array = self.program.arrays[equation.target]
            line = f", line {array.line}" if array.line else ""
            self._emit(f"# {_comment(equation.target)}{line}")
            self._loops = {loop.name: v for loop, v in zip(equation.loops, names, strict=True)}
            self._extents = {loop.name: loop.extent for loop in equation.loops}
            value = self._value(equation.value)
            if array.name in self._passing:
                self._emit(f"x{array.offset} = {value.text}")
            else:
                self._emit(f"put(v, {self._place(array, equation.index)}, {value.text})")
        self._leave(len(names))

    def _block(self, block: Block) -> None:
        arrays = self.program.arrays
        target = arrays[block.target]
        lead = 1
        for extent in target.shape[: len(target.shape) - block.core]:
            lead *= extent
        size = target.shape[-1]
        self._emit(f"# {_comment(block.target)}")
        places = [target, *(arrays[name] for name in block.inputs)]
        counts = [a.size // lead for a in places]
        starts = [sum(counts[:n]) for n in range(len(counts))]
        self._emit(f"scratch = np.empty({sum(counts)})")
        self._emit(f"for lead in range({lead}):")
        self._emit("    for number in range(LANES):")
        for array, count, start in zip(places[1:], counts[1:], starts[1:], strict=True):
            at = f"{array.offset} + lead * {count}"
            self._emit(f"        fetch(v, number, {at}, {count}, scratch, {start})")
        inputs = ", ".join(map(str, starts[1:]))
        self._emit(f"        {block.function}(scratch, 0, {size}, {inputs})")
        at = f"{target.offset} + lead * {counts[0]}"
        self._emit(f"        bring(v, number, {at}, {counts[0]}, scratch, 0)")

    # --- expressions ---

    def _value(self, node: Expression) -> _Text:
        result = self._plain(node)
        if result.depth > _DEEPEST_TEXT:
            self._temporaries += 1
            name = f"e{self._temporaries}"
            self._emit(f"{name} = {result.text}")
            return _Text(name)
        return result

    def _plain(self, node: Expression) -> _Text:
        match node:
            case Number(value):
                return _Text(_number(value))
            case Time():
                if not self._initial:
                    return _Text("t")
                return _Text(f"get(v, {self.program.arrays[self.program.clock.initial].offset})")
            case Position(loop):
                return _Text(f"float({self._loops[loop]})")
            case Read(array, index):
                return self._read(self.program.arrays[array], index)
            case Call(function, arguments):
                if function in CONDITIONS or function in LOGIC:
                    return self._filled("choose({0}, 1.0, 0.0)", [self._condition(node)])
                return self._call(function, arguments)
            case If(condition, yes, no):
                texts = [self._value(yes), self._condition(condition), self._value(no)]
                return self._filled("choose({1}, {0}, {2})", texts)
            case Reduce():
                return self._reduce(node)
            case Interpolate(table, index, argument, mode):
                return self._interpolate(table, index, self._value(argument), mode)
            case Random(distribution, arguments, stream):
                return self._random(distribution, arguments, stream)
            case ByPhase(initial, running):
                return self._value(initial if self._initial else running)

    def _condition(self, node: Expression) -> _Text:
        if isinstance(node, Call) and node.function in CONDITIONS:
            template = CONDITIONS[node.function].numba
            return self._filled(template, [self._value(a) for a in node.arguments])
        if isinstance(node, Call) and node.function in LOGIC:
            template = LOGIC[node.function].numba
            return self._filled(template, [self._condition(a) for a in node.arguments])
        return self._filled("{0} != 0.0", [self._value(node)])

    def _call(self, function: str, arguments: Sequence[Expression]) -> _Text:
        if function in ("^", "power") and isinstance(arguments[1], Number):
            exponent = arguments[1].value
            shorter = {2.0: "square({0})", 3.0: "cube({0})", 0.5: "sqrt({0})"}.get(exponent)
            if shorter:
                return self._filled(shorter, [self._value(arguments[0])])
        template = FUNCTIONS[function].numba
        return self._filled(template, [self._value(a) for a in arguments])

    def _filled(self, template: str, texts: Sequence[_Text]) -> _Text:
        depth = 1 + max((t.depth for t in texts), default=0)
        return _Text(template.format(*(t.text for t in texts)), depth)

    def _read(self, array: Array, index: Sequence[Index]) -> _Text:
        if array.name in self._passing:
            return _Text(f"x{array.offset}")
        computed = [i for i in index if isinstance(i, Computed)]
        if not computed:
            return _Text(f"get(v, {self._place(array, index)})")
        axis = [isinstance(i, Computed) for i in index].index(True)
        base = self._place(array, [At(0) if isinstance(i, Computed) else i for i in index])
        stride = _strides(array.shape)[axis]
        text = self._value(computed[0].value)
        return self._filled(f"pick(v, {base}, {stride}, {array.shape[axis]}, {{0}})", [text])

    def _reduce(self, node: Reduce) -> _Text:
        start, step = REDUCTIONS[node.operation]
        self._temporaries += 1
        total = f"s{self._temporaries}"
        self._emit(f"{total} = splat({start})")
        if node.selector is not None:
            self._emit(f"{total}_count = splat(0.0)")
        loops, extents = dict(self._loops), dict(self._extents)
        for loop in node.loops:
            variable = f"j{len(self._loops)}"
            self._loops[loop.name], self._extents[loop.name] = variable, loop.extent
            self._enter(variable, loop.extent)
        element = self._value(node.body).text
        one_more = step.format(total=total, element=element)
        if node.selector is not None:
            counts = f"{self._value(node.selector).text} != 0.0"
            one_more = f"choose({counts}, {one_more}, {total})"
            self._emit(f"{total}_count = choose({counts}, 1.0, {total}_count)")
        self._emit(f"{total} = {one_more}")
        self._leave(len(node.loops))
        self._loops, self._extents = loops, extents
        if node.missing is not None:
            missing = self._value(node.missing).text
            return _Text(f"choose({total}_count > 0.0, {total}, {missing})", 1)
        return _Text(total)

    def _interpolate(self, table: str, index: Sequence[Index], argument: _Text, mode: str) -> _Text:
        known = self.program.tables[table]
        entry = self._flat(known.number, known.shape, index)
        if mode == "invert":
            return self._filled(f"invert(xs, ys, first, count, {entry}, {{0}})", [argument])
        template = f"interpolate(xs, ys, first, count, {entry}, {mode.upper()}, {{0}})"
        return self._filled(template, [argument])

    def _random(self, distribution: str, arguments: Sequence[Expression], stream: int) -> _Text:
        place = "0"
        for name, variable in self._loops.items():
            place = f"({place} * {self._extents[name]} + {variable})"
        self._temporaries += 1
        name = f"u{self._temporaries}"
        self._emit(f"{name}, {name}b = draws(draw, {place}, {stream})")
        texts = [self._value(a) for a in arguments]
        holes = "".join(f", {{{n}}}" for n in range(len(texts)))
        function = distribution.replace(" ", "_")
        return self._filled(f"{function}({name}, {name}b{holes})", texts)

    # --- places ---

    def _place(self, array: Array, index: Sequence[Index]) -> str:
        return self._flat(array.offset, array.shape, index)

    def _flat(self, offset: int, shape: Sequence[int], index: Sequence[Index]) -> str:
        """Text of a flat position; whatever is known when the kernel is written is added up."""
        scales: dict[str, int] = {}
        terms: list[str] = []
        for stride, at in zip(_strides(shape), index, strict=True):
            if isinstance(at, At):
                offset += stride * at.position
                continue
            assert isinstance(at, Along)
            variable, positions = self._loops[at.loop], at.positions
            steps = {b - a for a, b in pairwise(positions)} or {0}
            if len(steps) == 1:
                offset += stride * positions[0]
                scales[variable] = scales.get(variable, 0) + stride * steps.pop()
            else:
                terms.append(f"{self._table(tuple(stride * p for p in positions))}[{variable}]")
        terms = [v if n == 1 else f"{v} * {n}" for v, n in scales.items() if n] + terms
        if not terms:
            return str(offset)
        place = terms[0] if len(terms) == 1 and terms[0].isalnum() else None
        place = place or self._kept_place(" + ".join(terms))
        return f"{offset} + {place}" if offset else place

    def _table(self, positions: tuple[int, ...]) -> str:
        if positions not in self._known:
            name = f"P{len(self._known)}"
            self._known[positions] = name
            self.tables.append(f"{name} = np.array({list(positions)})")
        return self._known[positions]


_DECORATOR = '@njit(nogil=True, error_model="numpy")'


def _number(value: float) -> str:
    if math.isnan(value):
        return "np.nan"
    if math.isinf(value):
        return "np.inf" if value > 0 else "(-np.inf)"
    return repr(value) if value >= 0 else f"({value!r})"


def _strides(shape: Sequence[int]) -> list[int]:
    strides, size = [], 1
    for extent in reversed(shape):
        strides.append(size)
        size *= extent
    return strides[::-1]


# --- loops that can be shared ------------------------------------------------------------------


def _functions(statements: Sequence[Statement], fuse: bool) -> Iterable[list[list[Statement]]]:
    """Groups of statements that share a function."""
    for start in range(0, len(statements), _STATEMENTS_A_FUNCTION):
        yield list(_groups(statements[start : start + _STATEMENTS_A_FUNCTION], fuse))


def _passing(program: Program) -> frozenset[str]:
    """Variables that only their own loop needs in a step: they never have to reach the memory."""
    groups = [g for function in _functions(program.dynamics, True) for g in function]
    writers: dict[str, list[tuple[int, Equation]]] = {}
    others: set[str] = {read for p in program.pipes for read in (p.source, p.present, p.missing)}
    others |= {program.clock.final, program.clock.step, program.clock.saveper}
    others |= {r.array for u in program.updates for r, _ in _reads_with_loops(u, frozenset())}
    for number, group in enumerate(groups):
        for statement in group:
            if isinstance(statement, Block):
                others |= {statement.target, *statement.inputs}
            else:
                writers.setdefault(statement.target, []).append((number, statement))
    kinds = {name: array.kind for name, array in program.arrays.items()}
    passing = {
        name
        for name, by in writers.items()
        if len(by) == 1 and name not in others and kinds[name] != "rate"
    }
    for number, group in enumerate(groups):
        for statement in group:
            if isinstance(statement, Block):
                continue
            for read, inner in _reads_with_loops(statement.value, frozenset()):
                if read.array in passing:
                    home, writer = writers[read.array][0]
                    if home != number or not _same_cell(read, inner, writer, statement.loops):
                        passing.discard(read.array)
    return frozenset(passing)


def _needed_again(program: Program, passing: frozenset[str]) -> list[Statement]:
    """What a step leaves out of the memory but a reader may ask for, in order."""
    needed = {n for n in passing if program.arrays[n].kind != "hidden"}
    needed |= {r.array for s in program.reports for r in _read_by(s)} & passing
    again: list[Statement] = []
    for statement in reversed(program.dynamics):
        if statement.target in needed:
            again.append(statement)
            needed |= {r.array for r in _read_by(statement)} & passing
    return again[::-1]


def _read_by(statement: Statement) -> Iterable[Read]:
    if isinstance(statement, Block):
        return [Read(name) for name in statement.inputs]
    return [read for read, _ in _reads_with_loops(statement.value, frozenset())]


def _groups(statements: Iterable[Statement], fuse: bool) -> Iterable[list[Statement]]:
    """Neighbours with the same loops, as long as no one needs what another has yet to finish."""
    group: list[Statement] = []
    for statement in statements:
        if group and fuse and _joins(group, statement):
            group.append(statement)
            continue
        if group:
            yield group
        group = [statement]
    if group:
        yield group


def _joins(group: Sequence[Statement], new: Statement) -> bool:
    if isinstance(new, Block) or any(isinstance(s, Block) for s in group):
        return False
    own = [s for s in group if isinstance(s, Equation)]
    if [x.extent for x in own[0].loops] != [x.extent for x in new.loops]:
        return False
    if not new.loops:
        return True
    written: dict[str, list[Equation]] = {}
    for equation in own:
        written.setdefault(equation.target, []).append(equation)
    return all(
        _same_cell(read, inner, writer, new.loops)
        for read, inner in _reads_with_loops(new.value, frozenset())
        for writer in written.get(read.array, ())
    )


def _reads_with_loops(node: object, inner: frozenset[str]) -> Iterable[tuple[Read, frozenset[str]]]:
    if isinstance(node, Read):
        yield node, inner
    if isinstance(node, Reduce):
        inner = inner | {loop.name for loop in node.loops}
    for name in getattr(node, "__dataclass_fields__", ()):
        value = getattr(node, name)
        for item in value if isinstance(value, tuple) else (value,):
            if hasattr(item, "__dataclass_fields__"):
                yield from _reads_with_loops(item, inner)


def _same_cell(read: Read, inner: frozenset[str], writer: Equation, loops: Sequence[Loop]) -> bool:
    """Whether at each turn of the shared loops the cell read is the cell that was written."""
    place = {loop.name: n for n, loop in enumerate(loops)}
    theirs = {loop.name: n for n, loop in enumerate(writer.loops)}
    moved: set[int] = set()
    for mine, other in zip(read.index, writer.index, strict=True):
        if isinstance(mine, At) and isinstance(other, At):
            if mine.position != other.position:
                return False
        elif isinstance(mine, Along) and isinstance(other, Along):
            if mine.loop in inner or place[mine.loop] != theirs[other.loop]:
                return False
            if mine.positions != other.positions:
                return False
            moved.add(place[mine.loop])
        else:
            return False
    return len(moved) == len(loops)
