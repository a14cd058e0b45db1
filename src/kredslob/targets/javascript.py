"""Program -> a JavaScript module, meant to be read, that runs the model in a browser.

The module holds what a compiled kernel holds, for one run at a time: all values lie in one array,
``v``; each equation is one line of arithmetic inside loops over its subscripts, with the variable's
name and line in the file above it. No name from a model file is ever code: places in ``v`` have
names made here, and the file's own names stand in comments and in one string of JSON, escaped.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import pairwise

from kredslob.functions import CONDITIONS, FUNCTIONS, LOGIC, REDUCTIONS_JAVASCRIPT
from kredslob.program import (
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
    Number,
    Pipe,
    Position,
    Program,
    Random,
    Read,
    Reduce,
    Statement,
    Time,
)
from kredslob.targets.source import _functions, _needed_again, _passing, _strides

_DEEPEST_TEXT = 12  # nested brackets that a reader follows
_HIDDEN = ("hidden", "rate")
#: Functions of runtime.js that read a table, by mode.
_TABLES = {
    "interpolate": "interpolate",
    "extrapolate": "extrapolate",
    "hold_backward": "holdBackward",
    "look_forward": "lookForward",
    "raw": "raw",
    "invert": "invert",
}
_EXPORTS = ("MODEL", "defaults", "simulate")


def module_source(program: Program) -> str:
    """Write a program as an ES module.

    Parameters
    ----------
    program : Program
        A lowered model.

    Returns
    -------
    str
        JavaScript that exports ``MODEL`` (what the memory holds), ``defaults`` (the constants) and
        ``simulate``; see ``targets/driver.js``.
    """
    return f"{_body(program)}\nexport {{ {', '.join(_EXPORTS)} }};\n"


def script_source(program: Program, name: str = "kredslobModel") -> str:
    """Write a program as a classic script, for a page or a web worker.

    Parameters
    ----------
    program : Program
        A lowered model.
    name : str
        Global variable that gets what the module exports; a plain identifier.

    Returns
    -------
    str
        JavaScript that can stand in a ``<script>`` element as it is.

    Raises
    ------
    ValueError
        The name is no plain identifier.
    """
    if not re.fullmatch(r"[A-Za-z_$][\w$]*", name, re.ASCII):
        raise ValueError(f"name: found {name!r}, expected a plain identifier")
    exports = ", ".join(_EXPORTS)
    return (
        f'globalThis.{name} = (() => {{\n"use strict";\n{_body(program)}\n'
        f"return {{ {exports} }};\n}})();\n"
    )


def _body(program: Program) -> str:
    passing = _passing(program)
    again = _needed_again(program, passing)
    writer = _Writer(program, _identifiers(program))
    functions = [
        *writer.functions("initialise", program.initial, initial=True),
        *writer.functions("dynamics", program.dynamics, passing=passing),
        *writer.functions("reports", (*again, *program.reports)),
        *writer.functions("updates", program.updates, fuse=False),
    ]
    code = "\n".join(functions)
    driver = _file("driver.js")
    facts = _facts(program)
    places = writer.places()
    runtime = _runtime(code + driver)
    head = (
        f"// {_comment(program.name)} as a JavaScript module, written by kredslob: a copy of the\n"
        "// model's equations in the order of computing. Names in capitals are places in v.\n"
    )
    return "\n".join([head, *facts, "", *places, "", *writer.tables, code, driver, runtime])


def _comment(text: str) -> str:
    """Text that can stand in a comment of a script in a page, whatever it holds."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain.replace("\\", "/").replace("<", "&lt;").replace("*/", "* /")


# --- what the module says of the model ---------------------------------------------------------


def _facts(program: Program) -> list[str]:
    """Declarations of the constants that the driver needs, and of what is exported."""
    arrays, clock = program.arrays, program.clock
    tables = sorted(program.tables.values(), key=lambda table: table.number)
    points = [p for table in tables for p in table.points]
    starts = [sum(len(xs) for xs, _ in points[:k]) for k in range(len(points))]
    defaults = [x for values in program.defaults.values() for x in values]
    pipes = program.pipes
    floored = [arrays[name] for name in program.non_negative]
    return [
        f"const MODEL = JSON.parse({_string(json.dumps(_model(program)))});",
        f"const defaults = {_floats(defaults)};",
        f"const INTEGRATION = {_string(program.integration)};",
        f"const SIZE = {program.size};",
        f"const STATES = {program.state_size};",
        f"const INITIAL_PLACE = {arrays[clock.initial].offset};",
        f"const FINAL_PLACE = {arrays[clock.final].offset};",
        f"const STEP_PLACE = {arrays[clock.step].offset};",
        f"const SAVEPER_PLACE = {arrays[clock.saveper].offset};",
        f"const TABLE_XS = {_floats(x for xs, _ in points for x in xs)};",
        f"const TABLE_YS = {_floats(y for _, ys in points for y in ys)};",
        f"const TABLE_FIRST = {_wholes(starts)};",
        f"const TABLE_COUNT = {_wholes(len(xs) for xs, _ in points)};",
        f"const PIPE_TARGETS = {_wholes(_pipe_places(program, pipes, 'target'))};",
        f"const PIPE_SOURCES = {_wholes(_pipe_places(program, pipes, 'source'))};",
        f"const PIPE_DELAYS = {_wholes(_pipe_places(program, pipes, 'delay'))};",
        f"const PIPE_PRESENT = {_wholes(_pipe_places(program, pipes, 'present'))};",
        f"const PIPE_MISSING = {_wholes(_pipe_places(program, pipes, 'missing'))};",
        f"const FLOORED = {_wholes(a.offset + k for a in floored for k in range(a.size))};",
        f"const IS_DISCRETE = {'true' if program.updates or pipes else 'false'};",
    ]


def _model(program: Program) -> dict[str, object]:
    clock = program.clock
    return {
        "name": program.name,
        "sha256": program.sha256,
        "integration": program.integration,
        "clock": {
            "initial": clock.initial,
            "final": clock.final,
            "step": clock.step,
            "saveper": clock.saveper,
        },
        "arrays": {
            name: {
                "kind": array.kind,
                "dims": array.dims,
                "shape": array.shape,
                "offset": array.offset,
                "unit": array.unit,
            }
            for name, array in program.arrays.items()
            if array.kind not in _HIDDEN
        },
        "ranges": program.ranges,
        "tables": {
            name: {"shape": table.shape, "number": table.number}
            for name, table in program.tables.items()
        },
        "firstConstant": 2 * program.state_size,
        "size": program.size,
    }


def _pipe_places(program: Program, pipes: Sequence[Pipe], role: str) -> list[int]:
    """Places of an array of each pipe; -1 where there is none."""
    flat: list[int] = []
    for pipe in pipes:
        size = program.arrays[pipe.target].size
        name = getattr(pipe, role)
        flat += [program.arrays[name].offset + k if name else -1 for k in range(size)]
    return flat


def _string(text: str) -> str:
    """A string literal that can stand in a script in a page: plain ASCII, without ``<``."""
    return json.dumps(text).replace("<", "\\u003c")


def _floats(values: Iterable[float]) -> str:
    return f"Float64Array.of({', '.join(map(_number, values))})"


def _wholes(values: Iterable[int]) -> str:
    return f"Int32Array.of({', '.join(map(str, values))})"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "(-Infinity)"
    text = repr(float(value)).removesuffix(".0")
    return f"({text})" if text.startswith("-") else text


# --- names -------------------------------------------------------------------------------------


def _identifiers(program: Program) -> Mapping[str, str]:
    """A name of our own for each array: capitals, digits and low lines."""
    taken = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", _file("driver.js") + _file("runtime.js")))
    taken |= {"MODEL", "NaN"}
    names: dict[str, str] = {}
    for array in program.arrays.values():
        plain = unicodedata.normalize("NFKD", array.name).encode("ascii", "ignore").decode()
        base = re.sub(r"[^A-Z0-9]+", "_", plain.upper()).strip("_")[:60] or "VARIABLE"
        base = f"N_{base}" if base[0].isdigit() or len(base) < 3 else base  # P0 is a table
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        names[array.name] = name
    return names


# --- the parts of runtime.js that a model needs --------------------------------------------------


@cache
def _file(name: str) -> str:
    return (files("kredslob.targets") / name).read_text(encoding="utf-8")


def _runtime(code: str) -> str:
    """The functions and constants of runtime.js that code needs, in the order of that file."""
    parts = dict(_definitions(_file("runtime.js")))
    needed: set[str] = set()
    waiting = [code]
    while waiting:
        words = set(re.findall(r"\w+", re.sub(r"//.*|/\*[\s\S]*?\*/", "", waiting.pop())))
        new = (words & parts.keys()) - needed
        needed |= new
        waiting += [parts[name] for name in new]
    return "\n".join(text for name, text in parts.items() if name in needed)


def _definitions(source: str) -> Iterable[tuple[str, str]]:
    """Names of what a file defines at its outermost level, and the text of each definition."""
    pattern = (
        r"^(?:/\*\*(?:[^*]|\*(?!/))*\*/\n)?(?:function (\w+)[\s\S]*?^\}|const (\w+) =[^;]*;.*)\n"
    )
    for match in re.finditer(pattern, source, re.MULTILINE):
        yield match[1] or match[2], match[0]


# --- equations ---------------------------------------------------------------------------------


@dataclass(frozen=True)
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
    names: Mapping[str, str]
    tables: list[str] = field(default_factory=list)
    _used: set[str] = field(default_factory=set)
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
        calls: list[str] = []
        source: list[str] = []
        for groups in _functions(statements, fuse):
            part = f"{name}{len(calls) + 1}"
            self._lines, self._indent, self._temporaries, self._places = [], 1, 0, 0
            for group in groups:
                self._group(group)
            source += [f"function {part}() {{", *_clock(self._lines), *self._lines, "}", ""]
            calls.append(f"  {part}();")
        return [*source, f"function {name}() {{", *calls, "}", ""]

    def places(self) -> list[str]:
        """Declarations of the places in memory that the functions name."""
        arrays = self.program.arrays
        return [f"const {self.names[n]} = {arrays[n].offset};" for n in arrays if n in self._used]

    # --- statements ---

    def _emit(self, line: str) -> None:
        self._lines.append("  " * self._indent + line)

    def _enter(self, variable: str, extent: int) -> None:
        self._emit(f"for (let {variable} = 0; {variable} < {extent}; {variable}++) {{")
        self._indent += 1
        self._open.append(_Open(variable, len(self._lines), self._indent))

    def _leave(self, count: int) -> None:
        for _ in range(count):
            self._indent = self._open.pop().indent - 1
            self._emit("}")

    def _kept_place(self, terms: str) -> str:
        """A sum of loop variables, computed once at the head of the innermost loop it needs."""
        used = set(re.findall(r"[ij]\d+", terms))
        loop = next(x for x in reversed(self._open) if x.variable in used)
        if terms not in loop.places:
            self._places += 1
            name = loop.places[terms] = f"k{self._places}"
            self._lines.insert(loop.body, "  " * loop.indent + f"const {name} = {terms};")
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
            self._emit(f"// {_comment(array.name)}{line}")
            self._loops = {x.name: n for x, n in zip(equation.loops, names, strict=True)}
            self._extents = {x.name: x.extent for x in equation.loops}
            value = self._value(equation.value)
            if array.name in self._passing:
                self._emit(f"const {self._local(array)} = {_bare(value.text)};")
            else:
                self._emit(f"v[{self._place(array, equation.index)}] = {_bare(value.text)};")
        self._leave(len(names))

    def _local(self, array: Array) -> str:
        """The name of a variable that never reaches the memory."""
        return f"its_{self.names[array.name].lower()}"

    def _block(self, block: Block) -> None:
        arrays = self.program.arrays
        target = arrays[block.target]
        lead = math.prod(target.shape[: len(target.shape) - block.core])
        self._emit(f"// {_comment(block.target)}")
        places = []
        for array in (target, *(arrays[name] for name in block.inputs)):
            stride = array.size // lead
            places.append(self._named(array) + (f" + i0 * {stride}" if lead > 1 else ""))
        call = (
            f"{_camel(block.function)}({places[0]}, {target.shape[-1]}, {', '.join(places[1:])});"
        )
        if lead > 1:
            self._enter("i0", lead)
        self._emit(call)
        if lead > 1:
            self._leave(1)

    # --- expressions ---

    def _value(self, node: Expression) -> _Text:
        result = self._plain(node)
        if result.depth > _DEEPEST_TEXT:
            return _Text(self._temporary(result.text))
        return result

    def _temporary(self, text: str) -> str:
        self._temporaries += 1
        name = f"e{self._temporaries}"
        self._emit(f"const {name} = {_bare(text)};")
        return name

    def _plain(self, node: Expression) -> _Text:
        match node:
            case Number(value):
                return _Text(_number(value))
            case Time():
                clock = self.program.clock
                if not self._initial:
                    return _Text("t")
                return _Text(f"v[{self._named(self.program.arrays[clock.initial])}]")
            case Position(loop):
                return _Text(self._loops[loop])
            case Read(array, index):
                return self._read(self.program.arrays[array], index)
            case Call(function, arguments):
                if function in CONDITIONS or function in LOGIC:
                    return self._filled("({0} ? 1 : 0)", [self._condition(node)])
                return self._call(function, arguments)
            case If(condition, yes, no):
                texts = [self._value(yes), self._condition(condition), self._value(no)]
                return self._filled("({1} ? {0} : {2})", texts)
            case Reduce():
                return self._reduce(node)
            case Interpolate(table, index, argument, mode):
                known = self.program.tables[table]
                text = self._value(argument)
                entry = self._flat(known.number, known.shape, index)
                return self._filled(f"{_TABLES[mode]}({entry}, {{0}})", [text])
            case Random(distribution, arguments, stream):
                return self._random(distribution, arguments, stream)
            case ByPhase(initial, running):
                return self._value(initial if self._initial else running)

    def _condition(self, node: Expression) -> _Text:
        if isinstance(node, Call) and node.function in CONDITIONS:
            template = CONDITIONS[node.function].javascript
            return self._filled(template, [self._value(a) for a in node.arguments])
        if isinstance(node, Call) and node.function in LOGIC:
            template = LOGIC[node.function].javascript
            return self._filled(template, [self._condition(a) for a in node.arguments])
        return self._filled("({0} !== 0)", [self._value(node)])

    def _call(self, function: str, arguments: Sequence[Expression]) -> _Text:
        if function in ("^", "power") and isinstance(arguments[1], Number):
            exponent = arguments[1].value
            shorter = {2.0: "square({0})", 3.0: "cube({0})", 0.5: "Math.sqrt({0})"}.get(exponent)
            if shorter:
                return self._filled(shorter, [self._value(arguments[0])])
        template = FUNCTIONS[function].javascript
        return self._filled(template, [self._value(a) for a in arguments])

    def _filled(self, template: str, texts: Sequence[_Text]) -> _Text:
        depth = 1 + max((t.depth for t in texts), default=0)
        is_call = re.match(r"[\w.]+\(", template)
        return _Text(template.format(*(_bare(t.text) if is_call else t.text for t in texts)), depth)

    def _read(self, array: Array, index: Sequence[Index]) -> _Text:
        if array.name in self._passing:
            return _Text(self._local(array))
        computed = [i for i in index if isinstance(i, Computed)]
        if not computed:
            return _Text(f"v[{self._place(array, index)}]")
        axis = [isinstance(i, Computed) for i in index].index(True)
        base = self._place(array, [At(0) if isinstance(i, Computed) else i for i in index])
        stride = _strides(array.shape)[axis]
        text = self._value(computed[0].value)
        return self._filled(f"pick({base}, {stride}, {array.shape[axis]}, {{0}})", [text])

    def _reduce(self, node: Reduce) -> _Text:
        start, step = REDUCTIONS_JAVASCRIPT[node.operation]
        self._temporaries += 1
        total = f"s{self._temporaries}"
        self._emit(f"let {total} = {start};")
        if node.selector is not None:
            self._emit(f"let {total}_count = 0;")
        loops, extents = dict(self._loops), dict(self._extents)
        for loop in node.loops:
            variable = f"j{len(self._loops)}"
            self._loops[loop.name], self._extents[loop.name] = variable, loop.extent
            self._enter(variable, loop.extent)
        element = self._value(node.body).text
        one_more = f"{total} = {step.format(total=total, element=element)};"
        if node.selector is not None:
            one_more = (
                f"if ({self._value(node.selector).text} !== 0) {{ {one_more} {total}_count++; }}"
            )
        self._emit(one_more)
        self._leave(len(node.loops))
        self._loops, self._extents = loops, extents
        if node.missing is not None:
            missing = self._value(node.missing).text
            return _Text(f"({total}_count > 0 ? {total} : {missing})", 1)
        return _Text(total)

    def _random(self, distribution: str, arguments: Sequence[Expression], stream: int) -> _Text:
        place = "0"
        for name, variable in self._loops.items():
            place = variable if place == "0" else f"({place} * {self._extents[name]} + {variable})"
        drawn = self._temporary(f"draw({place}, {stream})")
        texts = [self._value(a) for a in arguments]
        holes = "".join(f", {{{n}}}" for n in range(len(texts)))
        return self._filled(f"{_camel(distribution)}({drawn}{holes})", texts)

    # --- places ---

    def _named(self, array: Array) -> str:
        self._used.add(array.name)
        return self.names[array.name]

    def _place(self, array: Array, index: Sequence[Index]) -> str:
        place = self._flat(0, array.shape, index)
        return self._named(array) if place == "0" else f"{self._named(array)} + {place}"

    def _flat(self, offset: int, shape: Sequence[int], index: Sequence[Index]) -> str:
        """Text of a flat position; whatever is known when the module is written is added up."""
        scales: dict[str, int] = {}
        terms: list[str] = []
        for stride, at in zip(_strides(shape), index, strict=True):
            if isinstance(at, At):
                offset += stride * at.position
                continue
            assert not isinstance(at, Computed)
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
            self.tables.append(f"const {name} = {_wholes(positions)};")
        return self._known[positions]


def _bare(text: str) -> str:
    """Text without brackets around all of it."""
    if not text.startswith("("):
        return text
    depth = 0
    for position, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[1:-1] if position == len(text) - 1 else text
    return text


def _clock(lines: Sequence[str]) -> list[str]:
    """Declaration of the time, if these lines use it."""
    code = "\n".join(line for line in lines if not line.lstrip().startswith("//"))
    return ["  const t = clock[0];"] if re.search(r"\bt\b", code) else []


def _camel(name: str) -> str:
    first, *rest = name.replace("_", " ").split()
    return first + "".join(word.capitalize() for word in rest)
