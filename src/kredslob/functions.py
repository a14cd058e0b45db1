"""The functions that a model may use: one entry each, with its meaning for each target.

``numba`` and ``javascript`` are the text of the call, with ``{0}``, ``{1}``, ... for the arguments;
their names live in `kredslob.targets.lanes` and in ``targets/runtime.js``. Where Vensim's meaning
and PySD's differ in the last detail (what counts as zero, how a pulse meets the time step), PySD's
is kept: it is the reference.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """A function of numbers.

    Parameters
    ----------
    arity : int
        Number of arguments.
    numba : str
        Text for the compiled kernel.
    javascript : str
        Text for the module that runs in a browser.
    """

    arity: int
    numba: str
    javascript: str


#: Operators that give truth values; as numbers they are 0 and 1.
CONDITIONS = {
    "=": Function(2, "{0} == {1}", "({0} === {1})"),
    "<>": Function(2, "{0} != {1}", "({0} !== {1})"),
    "<": Function(2, "{0} < {1}", "({0} < {1})"),
    "<=": Function(2, "{0} <= {1}", "({0} <= {1})"),
    ">": Function(2, "{0} > {1}", "({0} > {1})"),
    ">=": Function(2, "{0} >= {1}", "({0} >= {1})"),
    "is missing": Function(1, "{0} != {0}", "Number.isNaN({0})"),
}
#: Operators on truth values.
LOGIC = {
    "and": Function(2, "both({0}, {1})", "({0} && {1})"),
    "or": Function(2, "either({0}, {1})", "({0} || {1})"),
    "not": Function(1, "opposite({0})", "!{0}"),
}
#: Functions and operators on numbers.
FUNCTIONS = {
    "+": Function(2, "({0} + {1})", "({0} + {1})"),
    "-": Function(2, "({0} - {1})", "({0} - {1})"),
    "*": Function(2, "({0} * {1})", "({0} * {1})"),
    "/": Function(2, "({0} / {1})", "({0} / {1})"),
    "^": Function(2, "power({0}, {1})", "power({0}, {1})"),
    "negative": Function(1, "(-{0})", "(-{0})"),
    "power": Function(2, "power({0}, {1})", "power({0}, {1})"),
    "abs": Function(1, "absolute({0})", "Math.abs({0})"),
    "min": Function(2, "minimum({0}, {1})", "Math.min({0}, {1})"),
    "max": Function(2, "maximum({0}, {1})", "Math.max({0}, {1})"),
    "exp": Function(1, "exp({0})", "Math.exp({0})"),
    "ln": Function(1, "log({0})", "Math.log({0})"),
    "log": Function(2, "(log({0}) / log({1}))", "(Math.log({0}) / Math.log({1}))"),
    "log10": Function(1, "log10({0})", "Math.log10({0})"),
    "sqrt": Function(1, "sqrt({0})", "Math.sqrt({0})"),
    "sin": Function(1, "sin({0})", "Math.sin({0})"),
    "cos": Function(1, "cos({0})", "Math.cos({0})"),
    "tan": Function(1, "tan({0})", "Math.tan({0})"),
    "arcsin": Function(1, "arcsin({0})", "Math.asin({0})"),
    "arccos": Function(1, "arccos({0})", "Math.acos({0})"),
    "arctan": Function(1, "arctan({0})", "Math.atan({0})"),
    "sinh": Function(1, "sinh({0})", "Math.sinh({0})"),
    "cosh": Function(1, "cosh({0})", "Math.cosh({0})"),
    "tanh": Function(1, "tanh({0})", "Math.tanh({0})"),
    "integer": Function(1, "trunc({0})", "Math.trunc({0})"),
    "floor": Function(1, "floor({0})", "Math.floor({0})"),
    "ceiling": Function(1, "ceiling({0})", "Math.ceil({0})"),
    "round": Function(1, "floor({0} + 0.5)", "Math.floor({0} + 0.5)"),
    "sign": Function(1, "sign({0})", "Math.sign({0})"),
    "quantum": Function(2, "quantum({0}, {1})", "quantum({0}, {1})"),
    "modulo": Function(2, "modulo({0}, {1})", "modulo({0}, {1})"),
    "xidz": Function(3, "xidz({0}, {1}, {2})", "xidz({0}, {1}, {2})"),
    "zidz": Function(2, "zidz({0}, {1})", "zidz({0}, {1})"),
    # of a moment and Vensim's number of a measure
    "even calendar": Function(2, "even_calendar({0}, {1})", "evenCalendar({0}, {1})"),
    "calendar": Function(2, "calendar({0}, {1})", "calendar({0}, {1})"),
    "gamma_ln": Function(1, "lgamma({0})", "logGamma({0})"),
    # of the present time and the time step, which come first
    "step": Function(4, "step({0}, {1}, {2}, {3})", "step({0}, {1}, {2}, {3})"),
    "ramp": Function(5, "ramp({0}, {1}, {2}, {3}, {4})", "ramp({0}, {1}, {2}, {3}, {4})"),
    "pulse": Function(4, "pulse({0}, {1}, {2}, {3})", "pulse({0}, {1}, {2}, {3})"),
    "pulse train": Function(
        6, "pulse_train({0}, {1}, {2}, {3}, {4}, {5})", "pulseTrain({0}, {1}, {2}, {3}, {4}, {5})"
    ),
}
#: How elements are brought together: value at the start, text that takes one more in.
REDUCTIONS = {
    "sum": ("0.0", "{total} + {element}"),
    "prod": ("1.0", "{total} * {element}"),
    "vmin": ("np.inf", "minimum({total}, {element})"),
    "vmax": ("-np.inf", "maximum({total}, {element})"),
}
#: The same in JavaScript.
REDUCTIONS_JAVASCRIPT = {
    "sum": ("0", "{total} + {element}"),
    "prod": ("1", "{total} * {element}"),
    "vmin": ("Infinity", "Math.min({total}, {element})"),
    "vmax": ("-Infinity", "Math.max({total}, {element})"),
}
#: Draws: number of arguments. Each has a function of the same name, with an underscore for a
#: blank, whose first arguments are two uniform numbers.
DISTRIBUTIONS = {
    "uniform": 2,
    "normal": 4,
    "exponential": 4,
    "plain normal": 2,
    "plain exponential": 1,
    "lognormal": 2,
    "triangular": 3,
    "poisson": 1,
}
