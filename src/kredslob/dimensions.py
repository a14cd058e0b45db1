"""Dimension check of a model: the units of each equation against those of its variable.

The unit of each variable is read, carried through each of its equations, and compared with what the
equation gives, as Vensim's "Units Check" does (Vensim Reference Manual). A bare 0 agrees with any
unit; any other bare number is dimensionless; numbers that make up a whole equation have the unit of
their variable. What has been reported once counts as unknown from there on, so that one mistake
makes one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kredslob.errors import InputFileError
from kredslob.reading import abstract_model, unit_synonyms

_DIMENSIONLESS = {"", "1", "dmnl", "dimensionless", "fraction", "unitless"}
_SINGULAR = {
    "years": "year",
    "months": "month",
    "weeks": "week",
    "days": "day",
    "hours": "hour",
    "minutes": "minute",
    "persons": "person",
    "people": "person",
    "units": "unit",
    "dollars": "dollar",
    "litres": "litre",
}
_JOINED = re.compile(r"[^*/()^-]+(?:-[^*/()^-]+)+")
_TIME_NAMES = ("time", "initial_time", "final_time", "saveper", "time_step")


@dataclass(frozen=True)
class Mismatch:
    """One place where units do not agree.

    Parameters
    ----------
    variable : str
        The variable whose equation it is, with subscripts where the equation names them.
    problem : str
        What does not agree, in one sentence.
    found, expected : str
        The two units; empty where there is nothing to compare.
    """

    variable: str
    problem: str
    found: str = ""
    expected: str = ""


class _ReportedError(Exception):
    """A mismatch inside an expression has been reported; its unit is unknown."""


@dataclass(frozen=True)
class _Zero:
    """A bare 0, which agrees with any unit."""


_ZERO = _Zero()


def check_dimensions(path: Path) -> list[Mismatch]:
    """Check the units of a model file.

    Parameters
    ----------
    path : Path
        A Vensim or XMILE file.

    Returns
    -------
    list of Mismatch
        In the order of the file; empty if all units agree.

    Raises
    ------
    InputFileError
        The file cannot be read.
    """
    sections = abstract_model(path).sections
    if not sections:
        raise InputFileError(path, "holds no equations")
    hyphen_multiplies = path.suffix.lower() != ".mdl"
    return check_section(sections[0], _Units(unit_synonyms(path), hyphen_multiplies))


def check_section(section: Any, units: _Units | None = None) -> list[Mismatch]:
    """Check one section of PySD's abstract model; see `check_dimensions`."""
    units = units or _Units({}, hyphen_multiplies=False)
    found: list[Mismatch] = []
    declared: dict[str, Any] = {}
    for element in section.elements:
        text = (element.units or "").strip()
        if not text:
            found.append(Mismatch(element.name, "has no unit"))
        else:
            try:
                declared[_key(element.name)] = units.parse(text)
            except ValueError:
                found.append(Mismatch(element.name, f"has a unit that cannot be read: '{text}'"))
    for name in _TIME_NAMES:
        if "time_step" in declared:
            declared.setdefault(name, declared["time_step"])
    ranges = {_key(r.name) for r in section.subscripts}
    lookups = {
        _key(e.name) for e in section.elements if type(e.components[0]).__name__ == "AbstractLookup"
    }
    for element in section.elements:
        for component in element.components:
            checker = _Equation(_label(element, component), declared, ranges, lookups, units)
            found.extend(checker.check(component.ast, declared.get(_key(element.name))))
    order = {e.name: i for i, e in enumerate(section.elements)}
    return sorted(found, key=lambda m: order.get(m.variable.split("[")[0], 0))


class _Units:
    """Unit texts of one model, each name a dimension of its own.

    Parameters
    ----------
    synonyms : mapping of str to str
        Names that the model says are the same as another one.
    hyphen_multiplies : bool
        Whether ``Person-Month`` is a product that binds before ``/``, as in the XMILE standard;
        in Vensim it is a name.
    """

    def __init__(self, synonyms: Mapping[str, str], hyphen_multiplies: bool) -> None:
        import pint

        self._same = {_plain_name(other): _plain_name(name) for other, name in synonyms.items()}
        self._hyphen_multiplies = hyphen_multiplies
        self._registry: Any = pint.UnitRegistry(None)
        self._names: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self.none: Any = self._registry.Unit("")

    def parse(self, text: str) -> Any:
        """Read a unit such as "DKK/(person*year)". Raises ValueError if it is not one."""
        text = re.sub(r"\[[^\]]*\]\s*$", "", text)
        if self._hyphen_multiplies:
            text = _JOINED.sub(lambda m: f"({m[0].replace('-', '*')})", text)
        tokens = [t.strip() for t in re.split(r"([*/()^])", text) if t.strip()]
        try:
            quantity = self._registry.parse_expression(" ".join(map(self._token, tokens)) or "1")
        except Exception as problem:  # pint raises several kinds for a malformed text
            raise ValueError(text) from problem
        if not hasattr(quantity, "units"):
            quantity = self._registry.Quantity(quantity, "")
        if quantity.magnitude != 1:
            raise ValueError(text)
        return quantity.units

    def _token(self, token: str) -> str:
        if token in "*/()":
            return token
        if token == "^":
            return "**"
        if re.fullmatch(r"\d+(\.\d+)?", token):
            return token
        name = _plain_name(token)
        name = self._same.get(name, name)
        if name in _DIMENSIONLESS:
            return "1"
        name = _SINGULAR.get(name, name)
        if not re.fullmatch(r"[^\W\d][\w $%.&'-]*|[$£€%]", name):
            raise ValueError(token)
        if name not in self._names:
            self._names[name] = f"unit{len(self._names)}"
            self._shown[self._names[name]] = _SINGULAR.get(token.lower(), token)
            self._registry.define(f"{self._names[name]} = [{self._names[name]}]")
        return self._names[name]

    def show(self, unit: Any) -> str:
        """Text of a unit for people."""
        powers = [(self._shown[name], power) for name, power in unit._units.items()]
        above = [_power(n, p) for n, p in powers if p > 0]
        below = [_power(n, -p) for n, p in powers if p < 0]
        if not powers:
            return "dimensionless"
        under = f"({' * '.join(below)})" if len(below) > 1 else "".join(below)
        return (" * ".join(above) or "1") + (f"/{under}" if below else "")


def _plain_name(name: str) -> str:
    return " ".join(name.replace("_", " ").lower().split())


class _Equation:
    """One equation: carries units from the leaves to the root and notes what does not agree."""

    def __init__(
        self,
        label: str,
        declared: Mapping[str, Any],
        ranges: set[str],
        lookups: set[str],
        units: _Units,
    ) -> None:
        self.label, self.declared, self.units = label, declared, units
        self.ranges, self.lookups = ranges, lookups
        self.found: list[Mismatch] = []

    def check(self, node: Any, declared: Any | None) -> list[Mismatch]:
        """Compare an equation with the unit declared for its variable (None: unknown)."""
        if _of_numbers(node) or type(node).__name__ in _DECLARED_ONLY:
            return []
        try:
            unit = self.unit(node)
            if type(node).__name__ == "InlineLookupsStructure":
                return self.found  # what a lookup gives has the unit of the variable
            if declared is not None:
                self.same(unit, declared, "the equation gives another unit than the variable has")
        except _ReportedError:
            pass
        return self.found

    def unit(self, node: Any) -> Any:
        """Give the unit of an expression, or `_ZERO`; raise _ReportedError where it is unknown."""
        if _is_number(node):
            return _ZERO if np.ndim(node) == 0 and node == 0 else self.units.none
        return _STRUCTURES.get(type(node).__name__, _unknown_structure)(self, node)

    def attempt(self, node: Any) -> Any:
        """Give the unit of an expression, or None where a mismatch in it has been reported."""
        try:
            return self.unit(node)
        except _ReportedError:
            return None

    def all_same(self, nodes: Sequence[Any], what: str) -> Any:
        """Check that expressions agree, and give their unit."""
        known = [u for u in map(self.attempt, nodes) if u is not None]
        if not known:
            raise _ReportedError
        real = [u for u in known if u is not _ZERO]
        for unit in real[1:]:
            self.same(unit, real[0], what)
        if len(known) < len(nodes):
            raise _ReportedError
        return real[0] if real else _ZERO

    def same(self, found: Any, expected: Any, what: str) -> None:
        """Report and raise unless two units agree."""
        if _ZERO in (found, expected) or found.dimensionality == expected.dimensionality:
            return
        self.fail(what, self.units.show(found), self.units.show(expected))

    def want(self, node: Any, expected: Any, what: str) -> None:
        """Check that an expression has a unit."""
        self.same(self.unit(node), expected, what)

    def fail(self, problem: str, found: str = "", expected: str = "") -> None:
        """Report a mismatch and give the expression up."""
        self.found.append(Mismatch(self.label, problem, found, expected))
        raise _ReportedError

    @property
    def time(self) -> Any:
        """Unit of time; raise _ReportedError if the model has none."""
        if "time_step" not in self.declared:
            raise _ReportedError  # TIME STEP itself has been reported
        return self.declared["time_step"]


def _reference(eq: _Equation, node: Any) -> Any:
    name = _key(node.reference)
    if name in eq.ranges:
        return eq.units.none
    if name not in eq.declared:
        raise _ReportedError  # its own missing unit has been reported
    return eq.declared[name]


def _arithmetic(eq: _Equation, node: Any) -> Any:
    operators, arguments = node.operators, node.arguments
    if operators[0] == "negative":
        return eq.unit(arguments[0])
    if operators[0] in "+-":
        return eq.all_same(arguments, "terms that are added have different units")
    if operators[0] == "^":
        return _power_of(eq, arguments[0], arguments[1])
    parts = [eq.attempt(argument) for argument in arguments]
    if None in parts:
        raise _ReportedError
    if parts[0] is _ZERO:
        return _ZERO
    result = parts[0]
    for operator, part in zip(operators, parts[1:], strict=True):
        if part is _ZERO:
            return _ZERO
        result = result * part if operator == "*" else result / part
    return result


def _power_of(eq: _Equation, base: Any, exponent: Any) -> Any:
    eq.want(exponent, eq.units.none, "an exponent has a unit")
    unit = eq.unit(base)
    if unit is _ZERO or not unit._units:
        return unit
    if not isinstance(exponent, (int, float)):
        eq.fail("a quantity with a unit has an exponent that is no plain number")
    return unit**exponent


def _logic(eq: _Equation, node: Any) -> Any:
    if node.operators[0] in (":AND:", ":OR:", ":NOT:"):
        for argument in node.arguments:
            eq.attempt(argument)
        return eq.units.none
    eq.all_same(node.arguments, "values that are compared have different units")
    return eq.units.none


def _call(eq: _Equation, node: Any) -> Any:
    name = _key(getattr(node.function, "reference", ""))
    if name in eq.lookups:
        eq.attempt(node.arguments[0])
        return _reference(eq, node.function)
    rule = _FUNCTIONS.get(name)
    if rule is None:
        eq.fail(f"'{name.replace('_', ' ').upper()}' is a function that cannot be checked")
        raise _ReportedError
    return rule(eq, node.arguments)


def _integ(eq: _Equation, node: Any) -> Any:
    initial = eq.attempt(node.initial)
    flow = eq.attempt(node.flow)
    if flow is None or flow is _ZERO:
        if initial is None:
            raise _ReportedError
        return initial
    result = flow * eq.time
    if initial is not None:
        eq.same(initial, result, "the initial value of a stock is not its flow times time")
    return result


def _delayed(time: str, other: str = "") -> Callable[[_Equation, Any], Any]:
    """Rule of a delay or smooth: the unit of its input; its delay time is a time."""

    def rule(eq: _Equation, node: Any) -> Any:
        eq.want(getattr(node, time), eq.time, "a delay time is not a time")
        values = [node.input, *([getattr(node, other)] if other else [])]
        return eq.all_same(values, "input and initial value have different units")

    return rule


def _trend(eq: _Equation, node: Any) -> Any:
    eq.unit(node.input)
    eq.want(node.average_time, eq.time, "an averaging time is not a time")
    eq.want(node.initial_trend, eq.units.none / eq.time, "a trend is not one over time")
    return eq.units.none / eq.time


def _forecast(eq: _Equation, node: Any) -> Any:
    eq.want(node.average_time, eq.time, "an averaging time is not a time")
    eq.want(node.horizon, eq.time, "a horizon is not a time")
    return eq.unit(node.input)


def _sample(eq: _Equation, node: Any) -> Any:
    eq.attempt(node.condition)
    return eq.all_same([node.input, node.initial], "input and initial value have different units")


def _unknown_structure(eq: _Equation, node: Any) -> Any:
    kind = type(node).__name__.removesuffix("Structure")
    eq.fail(f"'{kind}' is an expression that cannot be checked")


_STRUCTURES: dict[str, Callable[[_Equation, Any], Any]] = {
    "ReferenceStructure": _reference,
    "ArithmeticStructure": _arithmetic,
    "LogicStructure": _logic,
    "CallStructure": _call,
    "IntegStructure": _integ,
    "DelayStructure": _delayed("delay_time", "initial"),
    "DelayNStructure": _delayed("delay_time", "initial"),
    "DelayFixedStructure": _delayed("delay_time", "initial"),
    "SmoothStructure": _delayed("smooth_time", "initial"),
    "SmoothNStructure": _delayed("smooth_time", "initial"),
    "TrendStructure": _trend,
    "ForecastStructure": _forecast,
    "SampleIfTrueStructure": _sample,
    "InitialStructure": lambda eq, node: eq.unit(node.initial),
    "GameStructure": lambda eq, node: eq.unit(node.expression),
    "InlineLookupsStructure": lambda eq, node: eq.attempt(node.argument),
    "AllocateAvailableStructure": lambda eq, node: eq.all_same(
        [node.request, node.avail], "request and supply have different units"
    ),
    "AllocateByPriorityStructure": lambda eq, node: eq.all_same(
        [node.request, node.supply], "request and supply have different units"
    ),
}
# What is read from a table has the unit that its variable declares.
_DECLARED_ONLY = {
    "LookupsStructure",
    "DataStructure",
    "GetLookupsStructure",
    "GetDataStructure",
    "GetConstantsStructure",
}


def _keeps(eq: _Equation, arguments: Sequence[Any]) -> Any:
    return eq.unit(arguments[0])


def _alike(eq: _Equation, arguments: Sequence[Any]) -> Any:
    return eq.all_same(arguments, "arguments that must be alike have different units")


def _plain(eq: _Equation, arguments: Sequence[Any]) -> Any:
    for argument in arguments:
        eq.want(argument, eq.units.none, "a function of plain numbers has an argument with a unit")
    return eq.units.none


def _ratio(eq: _Equation, arguments: Sequence[Any]) -> Any:
    above, below = eq.attempt(arguments[0]), eq.attempt(arguments[1])
    if above is None or below is None:
        raise _ReportedError
    if above is _ZERO:
        return eq.unit(arguments[2]) if len(arguments) > 2 else _ZERO
    result: Any = above if below is _ZERO else above / below
    if len(arguments) > 2:
        eq.want(arguments[2], result, "the value for a division by zero differs from the ratio")
    return result


def _if(eq: _Equation, arguments: Sequence[Any]) -> Any:
    eq.attempt(arguments[0])
    return eq.all_same(arguments[1:], "the branches of a condition have different units")


def _times(eq: _Equation, arguments: Sequence[Any]) -> Any:
    for argument in arguments:
        eq.want(argument, eq.time, "a time is wanted")
    return eq.units.none


def _step(eq: _Equation, arguments: Sequence[Any]) -> Any:
    _times(eq, arguments[1:])
    return eq.unit(arguments[0])


def _ramp(eq: _Equation, arguments: Sequence[Any]) -> Any:
    _times(eq, arguments[1:])
    slope = eq.unit(arguments[0])
    return slope if slope is _ZERO else slope * eq.time


def _pulse_of(eq: _Equation, arguments: Sequence[Any]) -> Any:
    """XMILE's PULSE: an amount, which comes last, within one time step."""
    _times(eq, arguments[:-1])
    amount = eq.unit(arguments[-1])
    return amount if amount is _ZERO else amount / eq.time


def _present_value(eq: _Equation, arguments: Sequence[Any]) -> Any:
    if len(arguments) != 4:
        raise _ReportedError  # lowering refuses it
    stream, rate, initial, factor = arguments
    eq.want(rate, eq.units.none / eq.time, "a rate of discount is wanted")
    unit = eq.unit(stream)
    value = unit if unit is _ZERO else unit * eq.time
    eq.want(initial, value, "the initial value differs from the stream times time")
    by = eq.unit(factor)
    return _ZERO if _ZERO in (value, by) else value * by


def _looked_up(eq: _Equation, arguments: Sequence[Any]) -> Any:
    eq.attempt(arguments[1])
    return eq.unit(arguments[0])


def _root(eq: _Equation, arguments: Sequence[Any]) -> Any:
    unit = eq.unit(arguments[0])
    return unit if unit is _ZERO else unit**0.5


def _counts(eq: _Equation, arguments: Sequence[Any]) -> Any:
    for argument in arguments:
        eq.attempt(argument)
    return eq.units.none


def _random(eq: _Equation, arguments: Sequence[Any]) -> Any:
    """All but the seed, which comes last, are alike."""
    return _alike(eq, arguments[:-1]) if len(arguments) > 1 else eq.units.none


def _inverse(eq: _Equation, arguments: Sequence[Any]) -> Any:
    return eq.units.none / eq.unit(arguments[0])


_FUNCTIONS: dict[str, Callable[[_Equation, Sequence[Any]], Any]] = {
    **dict.fromkeys(("abs", "integer", "floor", "sum", "vmin", "vmax", "get_time_value"), _keeps),
    **dict.fromkeys(("ceiling", "round", "mean", "stddev", "vector_elm_map"), _keeps),
    **dict.fromkeys(("get_data_between_times", "delay_material", "reinitial"), _keeps),
    **dict.fromkeys(("min", "max", "modulo", "quantum", "active_initial", "previous"), _alike),
    **dict.fromkeys(
        ("exp", "ln", "log", "sin", "cos", "tan", "arcsin", "arccos", "arctan"), _plain
    ),
    **dict.fromkeys(("sinh", "cosh", "tanh", "prod", "gamma_ln"), _plain),
    **dict.fromkeys(("zidz", "xidz"), _ratio),
    **dict.fromkeys(("pulse", "pulse_train"), _times),
    **dict.fromkeys(("elmcount", "vector_sort_order", "vector_rank"), _counts),
    **dict.fromkeys(("size", "sign", "montecarlo", "random_0_1"), _counts),
    **dict.fromkeys(("xpulse", "xpulse_train"), _pulse_of),
    **dict.fromkeys(("lookup", "lookup_extrapolate", "lookup_backward"), _looked_up),
    "lookup_forward": _looked_up,
    "npv": _present_value,
    **dict.fromkeys(("random_uniform", "random_normal"), _random),
    "vector_select": lambda eq, arguments: eq.unit(arguments[1]),
    "vector_reorder": _keeps,
    "power": lambda eq, arguments: _power_of(eq, arguments[0], arguments[1]),
    "if_then_else": _if,
    "step": _step,
    "ramp": _ramp,
    "xramp": _ramp,
    "sqrt": _root,
    "invert_matrix": _inverse,
}


def _is_number(node: Any) -> bool:
    return isinstance(node, (int, float, np.ndarray, np.number))


def _of_numbers(node: Any) -> bool:
    """Whether an equation is numbers alone, such as ``1/8``."""
    if type(node).__name__ == "ArithmeticStructure":
        return all(map(_of_numbers, node.arguments))
    return _is_number(node)


def _key(name: str) -> str:
    return "_".join(name.replace("_", " ").lower().split())


def _label(element: Any, component: Any) -> str:
    subscripts = component.subscripts[0]
    return f"{element.name}[{','.join(subscripts)}]" if subscripts else str(element.name)


def _power(name: str, power: float) -> str:
    return name if power == 1 else f"{name}^{power:g}"
