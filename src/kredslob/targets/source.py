"""Program -> the source of a compiled kernel, meant to be read.

All values of a run lie in one array, ``v``. Each equation becomes one line of arithmetic inside
loops over its subscripts, with the variable's name and line in the file above it. No name from a
model file is ever code: names stand in comments only, escaped, and variables are places in ``v``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kredslob.functions import REDUCTIONS, Function
from kredslob.program import Array, Block, Index, Program
from kredslob.targets.driver import driver_source
from kredslob.targets.writer import Writer

_ARGUMENTS = "v, t, dt, xs, ys, first, count, draw"
_DECORATOR = "@inner"

_HEAD = '''"""{name}, compiled. Written by kredslob; a copy of the model's equations in the order of
computing. v: all values of one run. t, dt: time and time step. xs, ys, first, count: points of the
lookups and data. draw: seed, run and step, for random numbers."""

import math

import numpy as np
from numba import njit

from kredslob.targets.runtime import *
from kredslob.targets.lanes import *

# Python calls only ``simulate``: wrappers for the others would take a quarter of the compiling.
inner = njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)

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
    writer = _PythonWriter(program)
    functions = writer.functions()
    head = _HEAD.format(name=_comment(program.name))
    return "\n".join([head, *writer.tables, *functions, driver_source(program)])


class _PythonWriter(Writer):
    indentation = "    "
    deepest = 30  # Python's own parser takes about 200 nested brackets
    reductions = REDUCTIONS
    loop = "for {0} in range({1}):"
    end_of_loop = ""
    call = f"{{0}}({_ARGUMENTS})"
    constant = assignment = "{0} = {1}"
    variable = "{0} = splat({1})"
    get = "get(v, {0})"
    put = "put(v, {0}, {1})"
    pick = "pick(v, {0}, {1}, {2}, {3})"
    choice = "choose({1}, {0}, {2})"
    turn = "float({0})"

    def function(self, name: str, lines: Sequence[str]) -> list[str]:
        return [_DECORATOR, f"def {name}({_ARGUMENTS}):", *(lines or ["    pass"]), ""]

    def part(self, name: str, number: int) -> str:
        return f"{name}_{number}"

    def block(self, block: Block) -> None:
        arrays = self.program.arrays
        target = arrays[block.target]
        lead = math.prod(target.shape[: len(target.shape) - block.core])
        size = target.shape[-1]
        places = [target, *(arrays[name] for name in block.inputs)]
        counts = [a.size // lead for a in places]
        starts = [sum(counts[:n]) for n in range(len(counts))]
        self.emit(f"scratch = np.empty({sum(counts)})")
        self.emit(f"for lead in range({lead}):")
        self.emit("    for number in range(LANES):")
        for array, count, start in zip(places[1:], counts[1:], starts[1:], strict=True):
            at = f"{array.offset} + lead * {count}"
            self.emit(f"        fetch(v, number, {at}, {count}, scratch, {start})")
        inputs = ", ".join(map(str, starts[1:]))
        self.emit(f"        {block.function}(scratch, 0, {size}, {inputs})")
        at = f"{target.offset} + lead * {counts[0]}"
        self.emit(f"        bring(v, number, {at}, {counts[0]}, scratch, 0)")

    def comment(self, text: str) -> str:
        return f"# {_comment(text)}"

    def template(self, function: Function) -> str:
        return function.numba

    def lookup(self, entry: str, mode: str) -> str:
        if mode == "invert":
            return f"invert(xs, ys, first, count, {entry}, {{0}})"
        return f"interpolate(xs, ys, first, count, {entry}, {mode.upper()}, {{0}})"

    def runtime_name(self, function: str) -> str:
        return function.replace(" ", "_")

    def drawn(self, stream: int) -> str:
        place = "0"
        for variable, extent in self.loops.values():
            place = f"({place} * {extent} + {variable})"
        name = self.new("u")
        self.emit(f"{name}, {name}b = draws(draw, {place}, {stream})")
        return f"{name}, {name}b"

    def chosen(self, total: str, value: str, selector: str) -> None:
        counts = f"{selector} != 0.0"
        self.emit(f"{total}_count = choose({counts}, 1.0, {total}_count)")
        self.emit(f"{total} = choose({counts}, {value}, {total})")

    def number(self, value: float) -> str:
        if math.isnan(value):
            return "np.nan"
        if math.isinf(value):
            return "np.inf" if value > 0 else "(-np.inf)"
        return repr(value) if value >= 0 else f"({value!r})"

    def whole_numbers(self, values: Sequence[int]) -> str:
        return f"np.array({list(values)})"

    def local(self, array: Array) -> str:
        return f"x{array.offset}"

    def place(self, array: Array, index: Sequence[Index]) -> str:
        return self.flat(array.offset, array.shape, index)


def _comment(text: str) -> str:
    """Text that can stand in a comment or docstring, whatever it holds."""
    plain = text.encode("unicode_escape").decode("ascii")
    return plain.replace("\\", "/").replace('"', "'")
