"""The value of an expression when a run begins, where the numbers of the file settle it.

The order of a delay or smooth is the length of a chain, and must be known when the model is read.
Vensim takes its value at the initial time and keeps it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kredslob.lowering.expressions import Scope, lower
from kredslob.program import (
    ByPhase,
    Call,
    Equation,
    Expression,
    If,
    Number,
    Read,
    Time,
)
from kredslob.reading.parts import parts_of

if TYPE_CHECKING:
    from kredslob.lowering.model import Lowering

_DEEPEST = 50
_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "negative": operator.neg,
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": lambda a, b: bool(a) and bool(b),
    "or": lambda a, b: bool(a) or bool(b),
    "not": operator.not_,
    "min": min,
    "max": max,
    "abs": abs,
    "integer": int,
    "step": lambda time, step, height, start: height if time + 0.5 * step > start else 0.0,
}
_PLAIN = ("ArithmeticStructure", "LogicStructure", "ReferenceStructure", "CallStructure")


def value_at_start(model: Lowering, expression: Expression, depth: int = 0) -> float | None:
    """Value when a run begins; None where it is more than arithmetic of the file's numbers.

    Parameters
    ----------
    model : Lowering
        What is known of the model so far; variables that are not yet lowered are looked up, too.
    expression : Expression
        Of a scalar.
    """
    if depth > _DEEPEST:
        return None

    def known(part: Expression) -> float | None:
        return value_at_start(model, part, depth + 1)

    match expression:
        case Number(value):
            return value
        case Time():
            return known(model.initial_time())
        case Read(array, ()):
            if array in model.rules.defaults:
                return model.rules.defaults[array][0]
            equation = _equation(model, array)
            return None if equation is None else known(equation)
        case If(condition, yes, no):
            chosen = known(condition)
            return None if chosen is None else known(yes if chosen else no)
        case ByPhase(initial, _):
            return known(initial)
        case Call(function, arguments) if function in _FUNCTIONS:
            return _applied(_FUNCTIONS[function], [known(a) for a in arguments])
    return None


def _applied(function: Callable[..., float], values: Sequence[float | None]) -> float | None:
    if any(v is None for v in values):
        return None
    try:
        return float(function(*values))
    except (ArithmeticError, ValueError, TypeError):
        return None


def _equation(model: Lowering, array: str) -> Expression | None:
    """The equation of a scalar, which may not have been lowered yet."""
    for rule in model.rules.always:
        if isinstance(rule, Equation) and rule.target == array:
            return rule.value
    trees = model.trees_of(array)
    if len(trees) != 1 or not _is_plain(trees[0]):
        return None
    return lower(model, trees[0], Scope(array, (), model.names))


def _is_plain(tree: Any) -> bool:
    """Whether lowering a tree leaves nothing behind: no stocks, samples or random numbers."""
    from pysd.translators.structures.abstract_expressions import AbstractSyntax, CallStructure

    nodes = list(parts_of(tree, AbstractSyntax))
    calls = [c.function.reference.lower() for c in parts_of(tree, CallStructure)]
    return all(
        type(n).__name__ in (*_PLAIN, "SubscriptsReferenceStructure") for n in nodes
    ) and all(c in _FUNCTIONS or c in ("if_then_else", "int") for c in calls)
