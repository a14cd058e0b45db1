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
    Program,
    Random,
    Read,
    Reduce,
    Statement,
    Time,
)

_DEEPEST_TEXT = 30  # Python's own parser takes about 200 nested brackets
_STATEMENTS_A_FUNCTION = 30  # larger functions take the compiler disproportionately long
_ARGUMENTS = "v, t, dt, xs, ys, first, count, draw"

_HEAD = '''"""{name}, compiled. Written by kredslob; a copy of the model's equations in the order of
computing. v: all values of one run. t, dt: time and time step. xs, ys, first, count: points of the
lookups and data. draw: seed, run and step, for random numbers."""

import math

import numpy as np
from numba import njit

from kredslob.targets.runtime import *

_fast = {{"contract", "nsz"}}  # keeps NaN, infinity and the order of sums

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
    body = [
        *writer.functions("initialise", program.initial, initial=True),
        *writer.functions("dynamics", program.dynamics),
        *writer.functions("reports", program.reports),
        *writer.functions("updates", program.updates, fuse=False),
    ]
    head = [_HEAD.format(name=_comment(program.name))]
    return "\n".join([*head, *writer.tables, *body, _driver(program)])


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
    ) -> list[str]:
        """Functions that compute these statements, and one of this name that calls them."""
        self._initial = initial
        parts: list[str] = []
        source: list[str] = []
        for start in range(0, len(statements), _STATEMENTS_A_FUNCTION):
            part = f"{name}_{len(parts)}"
            self._lines, self._indent, self._temporaries, self._places = [], 1, 0, 0
            for group in _groups(statements[start : start + _STATEMENTS_A_FUNCTION], fuse):
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
            self._emit(f"v[{self._place(array, equation.index)}] = {value.text}")
        self._leave(len(names))

    def _block(self, block: Block) -> None:
        arrays = self.program.arrays
        target = arrays[block.target]
        lead = 1
        for extent in target.shape[: len(target.shape) - block.core]:
            lead *= extent
        size = target.shape[-1]
        self._emit(f"# {_comment(block.target)}")
        self._emit(f"for lead in range({lead}):")
        places = [target, *(arrays[name] for name in block.inputs)]
        texts = [f"{a.offset} + lead * {a.size // lead}" for a in places]
        self._emit(f"    {block.function}(v, {texts[0]}, {size}, {', '.join(texts[1:])})")

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
                return _Text(f"v[{self.program.arrays[self.program.clock.initial].offset}]")
            case Read(array, index):
                return self._read(self.program.arrays[array], index)
            case Call(function, arguments):
                if function in CONDITIONS or function in LOGIC:
                    return self._filled("(1.0 if {0} else 0.0)", [self._condition(node)])
                return self._call(function, arguments)
            case If(condition, yes, no):
                texts = [self._value(yes), self._condition(condition), self._value(no)]
                return self._filled("({0} if {1} else {2})", texts)
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
            if exponent in (2.0, 3.0, 4.0):
                return self._filled(f"({{0}} ** {int(exponent)})", [self._value(arguments[0])])
            if exponent == 0.5:
                return self._filled("math.sqrt({0})", [self._value(arguments[0])])
        template = FUNCTIONS[function].numba
        return self._filled(template, [self._value(a) for a in arguments])

    def _filled(self, template: str, texts: Sequence[_Text]) -> _Text:
        depth = 1 + max((t.depth for t in texts), default=0)
        return _Text(template.format(*(t.text for t in texts)), depth)

    def _read(self, array: Array, index: Sequence[Index]) -> _Text:
        computed = [i for i in index if isinstance(i, Computed)]
        if not computed:
            return _Text(f"v[{self._place(array, index)}]")
        axis = [isinstance(i, Computed) for i in index].index(True)
        base = self._place(array, [At(0) if isinstance(i, Computed) else i for i in index])
        stride = _strides(array.shape)[axis]
        text = self._value(computed[0].value)
        return self._filled(f"pick(v, {base}, {stride}, {array.shape[axis]}, {{0}})", [text])

    def _reduce(self, node: Reduce) -> _Text:
        start, step = REDUCTIONS[node.operation]
        self._temporaries += 1
        total = f"s{self._temporaries}"
        self._emit(f"{total} = {start}")
        if node.selector is not None:
            self._emit(f"{total}_any = False")
        loops, extents = dict(self._loops), dict(self._extents)
        for loop in node.loops:
            variable = f"j{len(self._loops)}"
            self._loops[loop.name], self._extents[loop.name] = variable, loop.extent
            self._enter(variable, loop.extent)
        if node.selector is not None:
            self._emit(f"if {self._value(node.selector).text} != 0.0:")
            self._indent += 1
            self._emit(f"{total}_any = True")
        element = self._value(node.body).text
        self._emit(f"{total} = {step.format(total=total, element=element)}")
        self._leave(len(node.loops))
        self._loops, self._extents = loops, extents
        if node.missing is not None:
            missing = self._value(node.missing).text
            self._emit(f"if not {total}_any:")
            self._emit(f"    {total} = {missing}")
        return _Text(total)

    def _interpolate(self, table: str, index: Sequence[Index], argument: _Text, mode: str) -> _Text:
        known = self.program.tables[table]
        entry = self._flat(known.number, known.shape, index)
        if mode == "invert":
            return self._filled(
                f"invert(xs, ys, first[{entry}], count[{entry}], {{0}})", [argument]
            )
        template = f"interpolate(xs, ys, first[{entry}], count[{entry}], {mode.upper()}, {{0}})"
        return self._filled(template, [argument])

    def _random(self, distribution: str, arguments: Sequence[Expression], stream: int) -> _Text:
        place = "0"
        for name, variable in self._loops.items():
            place = f"({place} * {self._extents[name]} + {variable})"
        self._temporaries += 1
        name = f"u{self._temporaries}"
        self._emit(
            f"{name}, {name}b = philox(draw[3], {place}, draw[2], {stream}, draw[0], draw[1])"
        )
        texts = [self._value(a) for a in arguments]
        holes = "".join(f", {{{n}}}" for n in range(len(texts)))
        function = distribution.replace(" ", "_")
        return self._filled(f"{function}({name}, {name}b{holes})", texts)

    # --- places ---

    def _place(self, array: Array, index: Sequence[Index]) -> str:
        return self._flat(array.offset, array.shape, index)

    def _flat(self, offset: int, shape: Sequence[int], index: Sequence[Index]) -> str:
        """Text of a flat position; whatever is known when the kernel is written is added up."""
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
                scale = stride * steps.pop()
                if scale:
                    terms.append(variable if scale == 1 else f"{variable} * {scale}")
            else:
                terms.append(f"{self._table(tuple(stride * p for p in positions))}[{variable}]")
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


_DECORATOR = '@njit(nogil=True, error_model="numpy", fastmath=_fast)'


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


# --- the run -----------------------------------------------------------------------------------

_DRIVER = '''
# fixed delays: what comes out, what goes in, how long; and delays of material
TARGETS = np.array({targets})
SOURCES = np.array({sources})
DELAYS = np.array({delays})
PRESENT = np.array({present})
MISSING = np.array({missing})
FLOORED = np.array({floored})


@njit(nogil=True, error_model="numpy")
def is_saved(t, dt, start, saveper, at, reached):
    """Whether values are saved at this time: at the times asked for, or each SAVEPER."""
    if len(at):
        return reached < len(at) and abs(t - at[reached]) <= 1e-6 * dt
    gone = t - start
    return gone % saveper < PRECISION * dt or -gone % saveper < PRECISION * dt


@njit(nogil=True, error_model="numpy")
def pipe_lengths(v, t, dt, final):
    """Places of each fixed delay, and where its places begin."""
    lengths = np.empty(len(TARGETS), np.int64)
    starts = np.empty(len(TARGETS), np.int64)
    total = 0
    for k in range(len(TARGETS)):
        steps = v[DELAYS[k]] / dt
        if not steps >= 1.0:
            steps = 1.0
        if PRESENT[k] >= 0:  # room for all that can arrive before the run ends
            steps = max(steps, (final - t) / dt + 2.0)
        if not steps <= LONGEST_PIPE:
            return lengths, starts, -1
        lengths[k] = int(np.rint(steps + SMALL))
        starts[k] = total
        total += lengths[k]
    return lengths, starts, total


@njit(nogil=True, error_model="numpy")
def fill_pipes(v, dt, lengths, starts, queue):
    """What comes out of each delay until its first input arrives; NaN where nothing is."""
    for k in range(len(lengths)):
        full = lengths[k]
        if PRESENT[k] >= 0:
            full = min(full, int(np.rint(max(v[DELAYS[k]] / dt, 1.0) + SMALL)))
        for place in range(lengths[k]):
            queue[starts[k] + place] = v[TARGETS[k]] if place < full else np.nan


@njit(nogil=True, error_model="numpy")
def advance_pipes(v, dt, lengths, starts, turn, queue):
    for k in range(len(lengths)):
        if PRESENT[k] < 0:
            queue[starts[k] + turn[k]] = v[SOURCES[k]]
        else:
            queue[starts[k] + turn[k]] = np.nan
            steps = int(np.rint(min(max(v[PRESENT[k]] / dt, 1.0), LONGEST_PIPE) + SMALL))
            if steps <= lengths[k]:
                place = starts[k] + (turn[k] + steps) % lengths[k]
                before = queue[place]
                queue[place] = v[SOURCES[k]] + (before if before == before else 0.0)
        turn[k] = (turn[k] + 1) % lengths[k]
        out = queue[starts[k] + turn[k]]
        v[TARGETS[k]] = v[MISSING[k]] if PRESENT[k] >= 0 and out != out else out


@njit(nogil=True, error_model="numpy", fastmath=_fast)
def add_rates(v, x, dt):
    for k in range({states}):
        v[k] = x[k] + dt * v[k + {states}]


SIGNATURE = (
    "void(int64, int64, float64[::1], int64[::1], float64[:, ::1], int64[::1], float64[::1], "
    "float64[::1], int64[:, ::1], int64[:, ::1], uint64[::1], int64[::1], boolean, float64[::1], "
    "int64[::1], float64[:, :, ::1], float64[:, ::1], int64[:, ::1])"
)


@njit(SIGNATURE, nogil=True, error_model="numpy", cache=True)
def simulate(
    begin, end, constants, varied, values, variant, xs, ys, firsts, counts, seed, numbers, rk4, at,
    saved, out, times, status,
):
    """Run the runs from begin to end; see kredslob.targets.numba for the arguments."""
    v = np.empty({size})
    held = np.empty({states})
    total = np.empty({states})
    draw = np.empty(4, np.uint64)
    draw[0], draw[1] = seed[0], seed[1]
    for r in range(begin, end):
        for k in range({size}):
            v[k] = np.nan
        for k in range(len(constants)):
            v[{constants} + k] = constants[k]
        for k in range(len(varied)):
            v[varied[k]] = values[r, k]
        first, count = firsts[variant[r], :], counts[variant[r], :]
        draw[2], draw[3] = np.uint64(numbers[r]), np.uint64(0)
        initialise(v, np.nan, np.nan, xs, ys, first, count, draw)
        t = start = v[{initial}]
        lengths, starts, places = pipe_lengths(v, t, v[{step}], v[{final}])
        queue = np.empty(max(places, 0))
        turn = np.zeros(len(lengths), np.int64)
        if places > 0:
            fill_pipes(v, v[{step}], lengths, starts, queue)
        rows, steps, reached = 0, 0, 0
        status[r, 1] = ENDED
        if places < 0:
            status[r, 1] = PIPE_TOO_LONG
        while places >= 0:
            dynamics(v, t, v[{step}], xs, ys, first, count, draw)
            dt, final = v[{step}], v[{final}]
            if not dt > 0.0 or not final == final or not t == t:
                status[r, 1] = BAD_CLOCK
                break
            if is_saved(t, dt, start, v[{saveper}], at, reached):
                reached += 1
                if rows == out.shape[1]:
                    status[r, 1] = NO_ROOM
                    break
                reports(v, t, dt, xs, ys, first, count, draw)
                for k in range(len(saved)):
                    out[r, rows, k] = v[saved[k]]
                times[r, rows] = t
                rows += 1
            if not t + PRECISION * dt < final:
                break
            if steps >= MOST_STEPS:
                status[r, 1] = TOO_MANY_STEPS
                break
            if rk4:
                for k in range({states}):
                    held[k] = v[k]
                    total[k] = v[k + {states}]
                add_rates(v, held, 0.5 * dt)
                dynamics(v, t + 0.5 * dt, dt, xs, ys, first, count, draw)
                for k in range({states}):
                    total[k] += 2.0 * v[k + {states}]
                add_rates(v, held, 0.5 * dt)
                dynamics(v, t + 0.5 * dt, dt, xs, ys, first, count, draw)
                for k in range({states}):
                    total[k] += 2.0 * v[k + {states}]
                add_rates(v, held, dt)
                dynamics(v, t + dt, dt, xs, ys, first, count, draw)
                for k in range({states}):
                    total[k] = (total[k] + v[k + {states}]) / 6.0
                    v[k] = held[k]
                if {discrete}:  # what is not integrated moves on from the values at t
                    dynamics(v, t, dt, xs, ys, first, count, draw)
                for k in range({states}):
                    v[k + {states}] = total[k]
            updates(v, t, dt, xs, ys, first, count, draw)
            advance_pipes(v, dt, lengths, starts, turn, queue)
            add_rates(v, v, dt)
            for k in FLOORED:
                v[k] = max(v[k], 0.0)
            t += dt
            steps += 1
            draw[3] = np.uint64(steps)
        status[r, 0] = rows
'''


def _driver(program: Program) -> str:
    arrays = program.arrays
    clock = program.clock
    constants = program.state_size * 2
    pipes = program.pipes
    return _DRIVER.format(
        targets=_places(arrays[p.target] for p in pipes),
        sources=_places(arrays[p.source] for p in pipes),
        delays=_places(arrays[p.delay] for p in pipes),
        present=_pipe_places(program, "present"),
        missing=_pipe_places(program, "missing"),
        floored=_places(arrays[name] for name in program.non_negative),
        states=program.state_size,
        size=program.size,
        constants=constants,
        initial=arrays[clock.initial].offset,
        final=arrays[clock.final].offset,
        step=arrays[clock.step].offset,
        saveper=arrays[clock.saveper].offset,
        discrete=bool(program.updates or pipes),
    )


def _pipe_places(program: Program, role: str) -> str:
    """Places of an optional array of each pipe; -1 where there is none."""
    flat: list[int] = []
    for pipe in program.pipes:
        size = program.arrays[pipe.target].size
        name = getattr(pipe, role)
        first = program.arrays[name].offset if name else -1
        flat += [first + k if name else -1 for k in range(size)]
    return f"{flat}, dtype=np.int64"


def _places(arrays: Iterable[Array]) -> str:
    flat = [p for array in arrays for p in range(array.offset, array.offset + array.size)]
    return f"{flat}, dtype=np.int64" if flat else "[], dtype=np.int64"
