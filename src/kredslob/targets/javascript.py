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
from functools import cache
from importlib.resources import files

from kredslob.functions import REDUCTIONS_JAVASCRIPT, Function
from kredslob.program import Array, Block, Index, Pipe, Program
from kredslob.targets.writer import Writer

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
    writer = _JavaScriptWriter(program)
    code = "\n".join(writer.functions())
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
            if array.is_visible
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


class _JavaScriptWriter(Writer):
    indentation = "  "
    deepest = 12  # as many as a reader follows
    reductions = REDUCTIONS_JAVASCRIPT
    loop = "for (let {0} = 0; {0} < {1}; {0}++) {{"
    end_of_loop = "}"
    call = "{0}();"
    constant = "const {0} = {1};"
    variable = "let {0} = {1};"
    assignment = "{0} = {1};"
    get = "v[{0}]"
    put = "v[{0}] = {1};"
    pick = "pick({0}, {1}, {2}, {3})"
    choice = "({1} ? {0} : {2})"
    turn = "{0}"

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self._names = _identifiers(program)
        self._used: set[str] = set()

    def places(self) -> list[str]:
        """Declarations of the places in memory that the functions name."""
        arrays = self.program.arrays
        return [f"const {self._names[n]} = {arrays[n].offset};" for n in arrays if n in self._used]

    def function(self, name: str, lines: Sequence[str]) -> list[str]:
        return [f"function {name}() {{", *_clock(lines), *lines, "}", ""]

    def part(self, name: str, number: int) -> str:
        return f"{name}{number + 1}"

    def block(self, block: Block) -> None:
        arrays = self.program.arrays
        target = arrays[block.target]
        lead = math.prod(target.shape[: len(target.shape) - block.core])
        places = []
        for array in (target, *(arrays[name] for name in block.inputs)):
            stride = array.size // lead
            places.append(self._named(array) + (f" + i0 * {stride}" if lead > 1 else ""))
        inputs = ", ".join(places[1:])
        call = f"{self.runtime_name(block.function)}({places[0]}, {target.shape[-1]}, {inputs});"
        if lead > 1:
            self.enter("i0", lead)
        self.emit(call)
        if lead > 1:
            self.leave(1)

    def comment(self, text: str) -> str:
        return f"// {_comment(text)}"

    def template(self, function: Function) -> str:
        return function.javascript

    def lookup(self, entry: str, mode: str) -> str:
        return f"{self.runtime_name(mode)}({entry}, {{0}})"

    def runtime_name(self, function: str) -> str:
        first, *rest = function.replace("_", " ").split()
        return first + "".join(word.capitalize() for word in rest)

    def drawn(self, stream: int) -> str:
        place = "0"
        for variable, extent in self.loops.values():
            place = variable if place == "0" else f"({place} * {extent} + {variable})"
        return self.temporary(f"draw({place}, {stream})")

    def chosen(self, total: str, value: str, selector: str) -> None:
        self.emit(f"if ({selector} !== 0) {{ {total} = {value}; {total}_count++; }}")

    def number(self, value: float) -> str:
        return _number(value)

    def whole_numbers(self, values: Sequence[int]) -> str:
        return _wholes(values)

    def local(self, array: Array) -> str:
        return f"its_{self._names[array.name].lower()}"

    def place(self, array: Array, index: Sequence[Index]) -> str:
        place = self.flat(0, array.shape, index)
        return self._named(array) if place == "0" else f"{self._named(array)} + {place}"

    def alone(self, text: str) -> str:
        return _bare(text)

    def _named(self, array: Array) -> str:
        self._used.add(array.name)
        return self._names[array.name]


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
