"""What the functions of XMILE and Stella are in PySD's abstract model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pysd.translators.structures.abstract_expressions as ae

from kredslob.reading.expression import MisreadError
from kredslob.reading.vensim_expression import STRUCTURES

Build = Callable[..., Any]


def call(name: str, *arguments: Any) -> ae.CallStructure:
    """Call of a function by its name in the abstract model."""
    return ae.CallStructure(ae.ReferenceStructure(name), arguments)


def arithmetic(operator: str, left: Any, right: Any) -> ae.ArithmeticStructure:
    """Two operands and their operator."""
    return ae.ArithmeticStructure([operator], (left, right))


TIME, START = ae.ReferenceStructure("time"), ae.ReferenceStructure("initial_time")


def _smooths(structure: Any, order: int) -> dict[int, Build]:
    return {
        2: lambda x, time: structure(x, time, x, order),
        3: lambda x, time, initial: structure(x, time, initial, order),
    }


def _nth(structure: Any) -> dict[int, Build]:
    return {
        3: lambda x, time, order: structure(x, time, x, order),
        4: lambda x, time, order, initial: structure(x, time, initial, order),
    }


def _pulse(magnitude: Any, first: Any = START, interval: Any = 0) -> Any:
    if isinstance(interval, (int, float)) and interval <= 0:
        return call("Xpulse", first, magnitude)
    return call("Xpulse_train", first, interval, magnitude)


def _wave(function: str) -> Build:
    def wave(amplitude: Any, period: Any) -> Any:
        angle = ae.ArithmeticStructure(["*", "/"], (2 * math.pi, TIME, period))
        return arithmetic("*", amplitude, call(function, angle))

    return wave


def _normal(mean: Any, deviation: Any, seed: Any = 0, low: Any = None, high: Any = None) -> Any:
    low = -math.inf if low is None else low
    high = math.inf if high is None else high
    return call("random_normal", low, high, mean, deviation, seed)


# Function, then number of arguments.
TABLE: Mapping[str, Mapping[int, Build]] = {
    "init": {1: ae.InitialStructure},
    "delay": {
        2: lambda x, time: ae.DelayFixedStructure(x, time, x),
        3: ae.DelayFixedStructure,
    },
    "delay1": _smooths(ae.DelayStructure, 1),
    "delay3": _smooths(ae.DelayStructure, 3),
    "delayn": _nth(ae.DelayNStructure),
    "smth1": _smooths(ae.SmoothStructure, 1),
    "smth3": _smooths(ae.SmoothStructure, 3),
    "smthn": _nth(ae.SmoothNStructure),
    "trend": {2: lambda x, time: ae.TrendStructure(x, time, 0), 3: ae.TrendStructure},
    "forcst": {
        3: lambda x, time, horizon: ae.ForecastStructure(x, time, horizon, 0),
        4: ae.ForecastStructure,
    },
    "safediv": {
        2: lambda a, b: call("zidz", a, b),
        3: lambda a, b, otherwise: call("xidz", a, b, otherwise),
    },
    "ramp": {
        1: lambda slope: call("Xramp", slope, START),
        2: lambda slope, start: call("Xramp", slope, start),
        3: lambda slope, start, end: call("ramp", slope, start, end),
    },
    "pulse": {1: _pulse, 2: _pulse, 3: _pulse},
    "previous": {2: lambda x, initial: call("previous", x, initial)},
    "int": {1: lambda x: call("floor", x)},
    "log10": {1: lambda x: call("log", x, 10)},
    "mod": {2: lambda a, b: call("modulo", a, b)},
    "power": {2: lambda a, b: arithmetic("^", a, b)},
    "rootn": {2: lambda x, n: arithmetic("^", x, arithmetic("/", 1, n))},
    "percent": {1: lambda x: arithmetic("*", x, 100)},
    "sinwave": {2: _wave("sin")},
    "coswave": {2: _wave("cos")},
    "random": {
        2: lambda low, high: call("random_uniform", low, high, 0),
        3: lambda low, high, seed: call("random_uniform", low, high, seed),
    },
    "uniform": {
        2: lambda low, high: call("random_uniform", low, high, 0),
        3: lambda low, high, seed: call("random_uniform", low, high, seed),
    },
    "normal": dict.fromkeys((2, 3, 4, 5), _normal),
    "exprnd": {
        1: lambda mean: call("random_exponential", 0, math.inf, 0, mean, 0),
        2: lambda mean, seed: call("random_exponential", 0, math.inf, 0, mean, seed),
    },
    "poisson": {
        1: lambda mean: call("random_poisson", 0, math.inf, mean, 0, 1, 0),
        2: lambda mean, seed: call("random_poisson", 0, math.inf, mean, 0, 1, seed),
    },
}
# Names that are values, also where they are written as a call without arguments.
VALUES: Mapping[str, Any] = {
    "time": TIME,
    "dt": ae.ReferenceStructure("time_step"),
    "starttime": START,
    "stoptime": ae.ReferenceStructure("final_time"),
    "initial_time": START,
    "final_time": ae.ReferenceStructure("final_time"),
    "time_step": ae.ReferenceStructure("time_step"),
    "saveper": ae.ReferenceStructure("saveper"),
    "pi": math.pi,
    "inf": math.inf,
    "nan": math.nan,
}
# Functions over the elements of an array.
OVER_ARRAYS = ("sum", "prod", "mean", "stddev", "size", "vmin", "vmax")


def function(name: str, arguments: tuple[Any, ...]) -> Any:
    """Build the call of a function that is not over an array.

    One that has no structure and no rewriting here is passed on under its own name in lower
    case, as the Vensim translator does; lowering knows which of them run.

    Raises
    ------
    MisreadError
        It does not take so many arguments.
    """
    if name == "nan":  # NAN(x, y) stands in causal loop diagrams for an equation to be written
        return call("a_function_of", *arguments)
    if name in TABLE:
        if len(arguments) not in TABLE[name]:
            expected = " or ".join(str(n) for n in TABLE[name])
            raise MisreadError(
                f"found {len(arguments)} arguments of {name.upper()}, expected {expected}"
            )
        return TABLE[name][len(arguments)](*arguments)
    if name in ("min", "max"):
        return nested(name, arguments)
    if name == "mean":
        total = ae.ArithmeticStructure(["+"] * (len(arguments) - 1), arguments)
        return arithmetic("/", total, len(arguments))
    if name in STRUCTURES and STRUCTURES[name][0] == len(arguments):
        return STRUCTURES[name][1](*arguments)
    return call(name, *arguments)


def nested(name: str, arguments: tuple[Any, ...]) -> Any:
    """MIN or MAX of any number of scalars, two at a time."""
    if not arguments:
        raise MisreadError(f"found no arguments of {name.upper()}")
    result = arguments[0]
    for argument in arguments[1:]:
        result = call(name, result, argument)
    return result
