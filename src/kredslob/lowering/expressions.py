"""PySD's expression trees, lowered: names resolved, subscripts turned into loops and positions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kredslob.functions import CONDITIONS, DISTRIBUTIONS, FUNCTIONS
from kredslob.lowering.subscripts import SubscriptError
from kredslob.program import (
    Along,
    At,
    ByPhase,
    Call,
    Computed,
    Expression,
    If,
    Index,
    Interpolate,
    Loop,
    Number,
    Random,
    Read,
    Reduce,
    Time,
    key,
)

if TYPE_CHECKING:
    from kredslob.lowering.model import Lowering

NAN = float("nan")
INFINITY = float("inf")


_Handler = Callable[..., "Expression"]


class LoweringError(Exception):
    """An expression that cannot be lowered; the message is for the user."""


@dataclass(frozen=True)
class Binding:
    """An open loop: the range it runs over, and its elements as they compare."""

    range: str
    loop: Loop
    elements: tuple[str, ...]
    summed: bool = False


@dataclass(frozen=True)
class Scope:
    """Where an expression stands.

    Parameters
    ----------
    owner : str
        The variable whose equation it is.
    bindings : tuple of Binding
        Open loops, outermost first.
    names : mapping of str to str
        Arrays and tables that can be seen here, by the name as it compares.
    outer : int
        Number of loops that were open when a macro was entered: the first axes of its arrays.
    local : frozenset of str
        Arrays that belong to the macro.
    """

    owner: str
    bindings: tuple[Binding, ...]
    names: Mapping[str, str]
    outer: int = 0
    local: frozenset[str] = frozenset()

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The open loops."""
        return tuple(b.loop for b in self.bindings)

    @property
    def here(self) -> tuple[Index, ...]:
        """The index of a hidden array that has one axis for each open loop."""
        return tuple(b.loop.along for b in self.bindings)

    def closed(self, keep: int = 0) -> Scope:
        """This scope with only its first loops open."""
        return replace(self, bindings=self.bindings[:keep])

    def opened(self, bindings: Sequence[Binding]) -> Scope:
        """This scope with more loops open."""
        return replace(self, bindings=(*self.bindings, *bindings))


def lower(model: Lowering, node: Any, scope: Scope) -> Expression:
    """Lower one expression tree.

    Raises
    ------
    LoweringError, SubscriptError
        A name, subscript or function is unknown or does not fit.
    """
    if hasattr(node, "dtype") and node.ndim:
        raise LoweringError("has a list of numbers where an expression is expected")
    if isinstance(node, bool | int | float) or hasattr(node, "dtype"):
        return Number(float(node))
    if model is not None:  # arithmetic of numbers is lowered without one
        model.budget.part()
    kind = type(node).__name__
    handler = _LOWER.get(kind) or model.structures.get(kind)
    if handler:
        return handler(model, node, scope)
    raise LoweringError(f"'{kind.removesuffix('Structure')}' cannot stand inside an expression")


# --- operators ---------------------------------------------------------------------------------


def _arithmetic(model: Lowering, node: Any, scope: Scope) -> Expression:
    arguments = [lower(model, a, scope) for a in node.arguments]
    operators = list(node.operators)
    if operators == ["negative"]:
        return _folded("negative", (arguments[0],))
    if "^" in operators:  # binds from the right
        result = arguments[-1]
        for left in reversed(arguments[:-1]):
            result = _folded("^", (left, result))
        return result
    result = arguments[0]
    for operator, right in zip(operators, arguments[1:], strict=True):
        result = _folded(operator, (result, right))
    return result


_FOLD: Mapping[str, Callable[..., float]] = {
    "negative": lambda a: -a,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def _folded(operator: str, arguments: tuple[Expression, ...]) -> Expression:
    """An operation; a number if it is one of numbers, so that 1/8 is a constant like 0.125."""
    values = [a.value for a in arguments if isinstance(a, Number)]
    if len(values) == len(arguments) and operator in _FOLD:
        try:
            return Number(_FOLD[operator](*values))
        except ZeroDivisionError:
            pass
    return Call(operator, arguments)


def _logic(model: Lowering, node: Any, scope: Scope) -> Expression:
    arguments = [lower(model, a, scope) for a in node.arguments]
    operators = [o.strip(":").lower() for o in node.operators]
    if operators == ["not"]:
        return Call("not", (arguments[0],))
    if operators[0] in CONDITIONS:
        return _compared(operators[0], arguments[0], arguments[1])
    groups = [arguments[0]]  # and binds more than or
    for operator, right in zip(operators, arguments[1:], strict=True):
        if operator == "and":
            groups[-1] = Call("and", (groups[-1], right))
        else:
            groups.append(right)
    result = groups[0]
    for right in groups[1:]:
        result = Call("or", (result, right))
    return result


def _compared(operator: str, left: Expression, right: Expression) -> Expression:
    """A comparison; one with :NA: asks whether a value is missing."""
    for value, other in ((left, right), (right, left)):
        if isinstance(other, Number) and math.isnan(other.value) and operator in ("=", "<>"):
            missing = Call("is missing", (value,))
            return missing if operator == "=" else Call("not", (missing,))
    return Call(operator, (left, right))


# --- names -------------------------------------------------------------------------------------


def _reference(model: Lowering, node: Any, scope: Scope) -> Expression:
    name = key(node.reference)
    tokens = list(node.subscripts.subscripts) if node.subscripts else []
    found = scope.names.get(name) or scope.names.get(name.removesuffix("$").strip())
    if found is None:
        return _number_of(model, node.reference, scope)
    if found in model.tables and found not in model.arrays:
        raise LoweringError(f"the lookup '{found}' is used without an argument")
    if found == "time":
        return Time()
    return Read(found, index_of(model, found, tokens, scope))


def _number_of(model: Lowering, reference: str, scope: Scope) -> Expression:
    """Place of an element in its main range, or of the present element of a range."""
    name = model.ranges.range(reference)
    if name is None:
        if model.ranges.is_element(reference):
            return Number(float(model.ranges.number(reference)))
        if key(reference) in ("time", "time$"):
            return Time()
        raise LoweringError(f"'{reference}' is not defined")
    binding = _binding(scope, name)
    if binding is None:
        raise LoweringError(f"the subscript range '{name}' is used where it is not on the left")
    numbers = tuple(model.ranges.number(e) for e in binding.elements)
    return Read(model.numbers(numbers), (Along(binding.loop.name, tuple(range(len(numbers)))),))


def index_of(model: Lowering, array: str, tokens: Sequence[str], scope: Scope) -> tuple[Index, ...]:
    """Positions in an array (or table) for the subscripts of a reference."""
    outer: tuple[Index, ...] = scope.here[: scope.outer] if array in scope.local else ()
    dims = model.dims(array)[len(outer) :]
    if not tokens:
        tokens = [_implied(scope, dim) for dim in dims]
    if len(tokens) != len(dims):
        raise SubscriptError(
            f"'{array}' has {len(dims)} subscripts ({', '.join(dims) or 'none'}), "
            f"found {len(tokens)}: [{', '.join(tokens)}]"
        )
    used = {model.ranges.range(t) for t in tokens}
    return (
        *outer,
        *(_position(model, array, d, t, scope, used) for d, t in zip(dims, tokens, strict=True)),
    )


def _implied(scope: Scope, dim: str) -> str:
    """Subscript of a reference that is written without: the summed or the open loop."""
    return dim + "!" if any(b.range == dim and b.summed for b in scope.bindings) else dim


def _position(
    model: Lowering, array: str, dim: str, token: str, scope: Scope, used: set[str | None]
) -> Index:
    axis = {element: place for place, element in enumerate(model.ranges.keys(dim))}
    if token.strip().endswith("!"):
        name = model.ranges.range(token.strip()[:-1])
        binding = name and _binding(scope, name, summed=True)
        if not binding:
            raise SubscriptError(f"'{token}' of '{array}' stands outside SUM and its like")
        return _along(model, binding, binding.elements, dim, axis, array)
    name = model.ranges.range(token)
    if name is None:
        if key(token) not in axis:
            raise SubscriptError(f"'{token}' is no element of {dim}, the subscript of '{array}'")
        return At(axis[key(token)])
    binding = _binding(scope, name)
    if binding:
        return _along(model, binding, binding.elements, dim, axis, array)
    for other in sorted(scope.bindings, key=lambda b: b.range in used):
        stands_for = not other.summed and model.ranges.counterparts(other.range, name)
        if stands_for and all(e in stands_for for e in other.elements):
            return _along(model, other, [stands_for[e] for e in other.elements], dim, axis, array)
    raise SubscriptError(
        f"the subscript '{token}' of '{array}' is not on the left side and not mapped to it"
    )


def _along(
    model: Lowering,
    binding: Binding,
    elements: Sequence[str],
    dim: str,
    axis: Mapping[str, int],
    array: str,
) -> Index:
    if not all(e in axis for e in elements):
        stands_for = model.ranges.counterparts(binding.range, dim) or {}
        elements = [e if e in axis else stands_for.get(e, e) for e in elements]
    for element in elements:
        if element not in axis:
            raise SubscriptError(
                f"'{array}' has no element '{element}' of {binding.range} on its subscript {dim}"
            )
    return Along(binding.loop.name, tuple(axis[e] for e in elements))


def _binding(scope: Scope, name: str, *, summed: bool = False) -> Binding | None:
    for binding in reversed(scope.bindings):
        if binding.range == name and binding.summed == summed:
            return binding
    return None


# --- calls -------------------------------------------------------------------------------------

_RENAMED = {
    "int": "integer",
    "arccos": "arccos",
    "acos": "arccos",
    "asin": "arcsin",
    "atan": "arctan",
    "lognormal": "lognormal",
    "log_normal": "lognormal",
    "mod": "modulo",
    "safediv": "zidz",
    "reinitial": "initial",
    "gammaln": "gamma_ln",
}

_DRAWS = {
    "random_0_1": ("uniform", lambda a: (Number(0.0), Number(1.0))),
    "random_uniform": ("uniform", lambda a: a[:2]),
    "random": ("uniform", lambda a: a[:2] or (Number(0.0), Number(1.0))),
    "uniform": ("uniform", lambda a: a[:2]),
    "random_normal": ("normal", lambda a: a[:4]),
    "normal": ("plain normal", lambda a: a[:2]),
    "random_exponential": ("exponential", lambda a: a[:4]),
    "exprnd": ("plain exponential", lambda a: a[:1]),
    "lognormal": ("lognormal", lambda a: a[:2]),
    "random_poisson": ("poisson", lambda a: a[2:3]),
    "poisson": ("poisson", lambda a: a[:1]),
    "random_triangular": ("triangular", lambda a: (a[2], a[3], a[4]) if len(a) > 4 else a[:3]),
    "triangular": ("triangular", lambda a: a[:3]),
}


def _call(model: Lowering, node: Any, scope: Scope) -> Expression:
    name = node.function.reference
    if key(name) in model.macros:
        return model.expand(key(name), node.arguments, scope)
    known = scope.names.get(key(name))
    if known is not None and known in model.tables:
        tokens = list(node.function.subscripts.subscripts) if node.function.subscripts else []
        if len(node.arguments) != 1:
            raise LoweringError(f"the lookup '{known}' takes one argument")
        return _looked_up(model, known, tokens, node.arguments[0], scope)
    function = _RENAMED.get(name.lower(), name)
    if function in model.blocks:
        return model.blocks[function](model, node.arguments, scope)
    if function in _SPECIAL:
        _check_count(name, len(node.arguments), *_COUNTS.get(function, (0, _ANY)))
        return _SPECIAL[function](model, node.arguments, scope)
    if function in _DRAWS:
        return _draw(model, function, node.arguments, scope)
    if function in FUNCTIONS:
        arguments = tuple(lower(model, a, scope) for a in node.arguments)
        if len(arguments) != FUNCTIONS[function].arity:
            raise LoweringError(
                f"{name.upper()} takes {FUNCTIONS[function].arity} arguments, "
                f"found {len(arguments)}"
            )
        return Call(function, arguments)
    shown = name.upper().replace("_", " ")
    raise LoweringError(f"the function {shown} is not supported")


def _check_count(name: str, found: int, fewest: int, most: int) -> None:
    if fewest <= found <= most:
        return
    expected = str(fewest) if fewest == most else f"{fewest} to {most}"
    expected = f"at least {fewest}" if most == _ANY else expected
    shown = name.upper().replace("_", " ")
    raise LoweringError(f"found {found} arguments of {shown}, expected {expected}")


def _looked_up(
    model: Lowering,
    table: str,
    tokens: Sequence[str],
    argument: Any,
    scope: Scope,
    mode: str | None = None,
) -> Expression:
    return Interpolate(
        table,
        index_of(model, table, tokens, scope),
        lower(model, argument, scope),
        mode or model.modes[table],
    )


def _inline_lookup(model: Lowering, node: Any, scope: Scope) -> Expression:
    table = model.table_of(scope.owner, [(node.lookups.x, node.lookups.y)], ())
    return Interpolate(table, (), lower(model, node.argument, scope), node.lookups.type)


def _draw(model: Lowering, name: str, nodes: Sequence[Any], scope: Scope) -> Expression:
    distribution, chosen = _DRAWS[name]
    given = tuple(lower(model, a, scope) for a in nodes)
    arguments = tuple(chosen(given))
    if len(arguments) != DISTRIBUTIONS[distribution] or (
        name == "random_poisson" and len(nodes) < 5
    ):
        shown = name.upper().replace("_", " ")
        raise LoweringError(f"{shown} has {len(nodes)} arguments, which is too few")
    drawn = Random(distribution, arguments, model.next_stream())
    if name == "random_poisson":  # (min, max, mean, shift, stretch, seed)
        low, high, _, shift, stretch, *_ = given
        moved = Call("+", (Call("*", (drawn, stretch)), shift))
        return Call("min", (Call("max", (moved, low)), high))
    return drawn


def _if(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    if len(nodes) != 3:
        raise LoweringError(f"IF THEN ELSE takes 3 arguments, found {len(nodes)}")
    condition, yes, no = (lower(model, n, scope) for n in nodes)
    return If(condition, yes, no)


def _extreme(function: str, reduction: str) -> Callable[..., Expression]:
    """MIN and MAX: of numbers, or (XMILE, one argument) of an array."""

    def of(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
        if len(nodes) == 1:
            return _reduce(reduction)(model, nodes, scope)
        result, *others = (lower(model, n, scope) for n in nodes)
        for other in others:
            result = Call(function, (result, other))
        return result

    return of


def _reduce(operation: str) -> Callable[..., Expression]:
    def of(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
        inner, loops = _summed(model, nodes, scope)
        return Reduce(operation, loops, lower(model, nodes[0], inner))

    return of


def _summed(model: Lowering, nodes: Sequence[Any], scope: Scope) -> tuple[Scope, tuple[Loop, ...]]:
    """Open a loop for each range marked with ! in these trees."""
    seen: set[int] = set()
    marked = list(dict.fromkeys(t for n in nodes for t in _marks(model, n, scope, seen)))
    bindings = []
    for name in marked:
        elements = model.ranges.keys(name)
        depth = sum(b.range == name and b.summed for b in scope.bindings)
        bindings.append(Binding(name, Loop(f"{name}!{depth or ''}", len(elements)), elements, True))
    return scope.opened(bindings), tuple(b.loop for b in bindings)


_REDUCING = (
    "sum",
    "prod",
    "vmin",
    "vmax",
    "vector_select",
    "mean",
    "stddev",
    "vmin_xmile",
    "vmax_xmile",
)


def _marks(model: Lowering, node: Any, scope: Scope, seen: set[int]) -> Iterator[str]:
    if id(node) in seen:  # a part may stand in several places
        return
    seen.add(id(node))
    kind = type(node).__name__
    if kind == "CallStructure" and node.function.reference in _REDUCING:
        return
    if kind == "ReferenceStructure":
        yield from _marks_of_reference(model, node, scope)
    elif is_dataclass(node):
        for part in fields(node):
            yield from _marks(model, getattr(node, part.name), scope, seen)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _marks(model, item, scope, seen)


def _marks_of_reference(model: Lowering, node: Any, scope: Scope) -> Iterator[str]:
    if not node.subscripts:  # a whole array
        found = scope.names.get(key(node.reference))
        if found in model.arrays:
            outer = scope.outer if found in scope.local else 0
            yield from model.dims(found)[outer:]
        return
    for token in node.subscripts.subscripts:
        if token.strip().endswith("!"):
            name = model.ranges.range(token.strip()[:-1])
            if name is None:
                raise SubscriptError(f"'{token}' is no subscript range")
            yield name


def _vector_select(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    if len(nodes) != 5:
        raise LoweringError(f"VECTOR SELECT takes 5 arguments, found {len(nodes)}")
    selector, body, missing, action, _ = nodes
    inner, loops = _summed(model, [selector, body], scope)
    chosen, value = lower(model, selector, inner), lower(model, body, inner)
    otherwise = lower(model, missing, scope)
    number = lower(model, action, scope)
    # what stands in several places is computed once, or nested calls would grow beyond measure
    chosen = model.shared(inner, "selector", chosen)
    otherwise = model.shared(scope, "when nothing is selected", otherwise)
    if not isinstance(number, Number):  # which action it is turns out in the run
        value = model.shared(inner, "selected", value)
        number = model.shared(scope, "numerical action", number)
        result: Expression = Number(NAN)
        for code in _ACTIONS:
            selected = _selected(code, loops, chosen, value, otherwise)
            result = If(Call("=", (number, Number(float(code)))), selected, result)
        return result
    if number.value not in _ACTIONS:
        raise LoweringError("the numerical action of VECTOR SELECT must be a number from 0 to 10")
    return _selected(int(number.value), loops, chosen, value, otherwise)


#: Vensim's numerical actions of VECTOR SELECT: the sum, product, minimum, maximum and average of
#: the elements times their weights, the product of the elements to the power of their weights, and
#: the first five again without weights.
_ACTIONS = range(11)


def _selected(
    action: int,
    loops: tuple[Loop, ...],
    chosen: Expression,
    value: Expression,
    otherwise: Expression,
) -> Expression:
    if action < 5:
        value = Call("*", (chosen, value))
    elif action == 5:
        value = Call("^", (value, chosen))
    operation = ("sum", "prod", "vmin", "vmax", "mean", "prod")
    chosen_operation = (*operation, *operation[:5])[action]
    if chosen_operation != "mean":
        return Reduce(chosen_operation, loops, value, chosen, otherwise)
    count = Reduce("sum", loops, Number(1.0), chosen, Number(1.0))
    return Call("/", (Reduce("sum", loops, value, chosen, otherwise), count))


def _mean(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    inner, loops = _summed(model, nodes, scope)
    return Call("/", (Reduce("sum", loops, lower(model, nodes[0], inner)), _count(loops)))


def _stddev(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    """Standard deviation of a whole population."""
    inner, loops = _summed(model, nodes, scope)
    value = model.shared(inner, "value", lower(model, nodes[0], inner))
    total = Reduce("sum", loops, value)
    mean = model.hidden(scope, "mean", Call("/", (total, _count(loops))))
    away = Call("-", (value, Read(mean, scope.here)))
    squares = Reduce("sum", loops, Call("*", (away, away)))
    return Call("sqrt", (Call("/", (squares, _count(loops))),))


def _count(loops: Sequence[Loop]) -> Number:
    count = 1
    for loop in loops:
        count *= loop.extent
    return Number(float(count))


def _elmcount(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    reference = getattr(nodes[0], "reference", "")
    name = model.ranges.range(reference)
    if name is None:
        found = scope.names.get(key(reference))
        if found not in model.arrays:
            raise LoweringError(f"ELMCOUNT: '{reference}' is no subscript range")
        return Number(float(model.size(found)))
    return Number(float(len(model.ranges.keys(name))))


def _timed(function: str, default: Sequence[float], order: Sequence[int]) -> _Handler:
    """A function of time; arguments that are left out get a default."""

    def of(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
        given = [lower(model, n, scope) for n in nodes]
        filled = [*given, *(Number(d) for d in default[len(given) :])]
        return Call(function, (Time(), model.time_step(), *(filled[i] for i in order)))

    return of


def _xmile_pulse(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    """PySD's Xpulse(start, magnitude) and Xpulse_train(start, interval, magnitude)."""
    given = [lower(model, n, scope) for n in nodes]
    step = model.time_step()
    repeat = given[1] if len(given) == 3 else Number(0.0)
    on = Call("pulse train", (Time(), step, given[0], repeat, step, Number(INFINITY)))
    return Call("*", (Call("/", (given[-1], step)), on))


def _get_time_value(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    """GET TIME VALUE(relative to, offset, measure), https://www.vensim.com/documentation/.

    Years, quarters and months have 360 days a year; weeks and shorter units follow the calendar.
    Time 0 is the beginning of year 0. The computer's clock is read when the model is.
    """
    if len(nodes) != 3:
        raise LoweringError(f"GET TIME VALUE takes 3 arguments, found {len(nodes)}")
    relative, offset, measure = (lower(model, n, scope) for n in nodes)
    if not isinstance(relative, Number) or relative.value not in (0, 1, 2):
        raise LoweringError("GET TIME VALUE: the first argument must be 0, 1 or 2")
    if not isinstance(measure, Number) or measure.value not in range(11):
        raise LoweringError("GET TIME VALUE: the last argument must be a number from 0 to 10")
    if relative.value == 2:
        if measure.value == 0:
            raise LoweringError("GET TIME VALUE: the computer's clock has no model time (2, ., 0)")
        return Number(clock_measure(datetime.now(), int(measure.value)))
    start = Time() if relative.value == 0 else model.initial_time()
    moment = Call("+", (start, offset))
    if measure.value == 0:
        return moment
    unit = model.time_unit()
    if unit in _PER_YEAR:
        years = Call("/", (moment, Number(_PER_YEAR[unit])))
        return Call("even calendar", (years, measure))
    if unit in _DAYS:
        return Call("calendar", (Call("*", (moment, Number(_DAYS[unit]))), measure))
    raise LoweringError(
        f"GET TIME VALUE: the unit of time must be a year, quarter, month, week, day, hour, minute "
        f"or second, found '{unit}'"
    )


_PER_YEAR = {"year": 1.0, "quarter": 4.0, "month": 12.0}
_DAYS = {"week": 7.0, "day": 1.0, "hour": 1 / 24, "minute": 1 / 1440, "second": 1 / 86400}


def clock_measure(now: datetime, measure: int) -> float:
    """One of Vensim's measures of a moment of the calendar."""
    since = now - datetime(1, 1, 1)
    days = since.days + 366  # of year 0, which was a leap year
    of_day = now.hour * 3600 + now.minute * 60 + now.second + now.microsecond * 1e-6
    measures = {
        1: now.year,
        2: 1 + (now.month - 1) // 3,
        3: now.month,
        4: now.day,
        5: now.isoweekday() % 7,
        6: days,
        7: now.hour,
        8: now.minute,
        9: now.second + now.microsecond * 1e-6,
        10: (days * 86400 + of_day) % 500_000,
    }
    return float(measures[measure])


def _active_initial(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    running, initial = (lower(model, n, scope) for n in nodes)
    return ByPhase(initial, running)


def _simultaneous(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    raise LoweringError("SIMULTANEOUS equations are not supported")


def _incomplete(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    model.warn(f"'{scope.owner}' has no equation yet (A FUNCTION OF); its values are missing")
    return Number(NAN)


def _initial_of(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    return model.initial(scope, lower(model, nodes[0], scope))


def _previous(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    """Value one time step ago; at the start, the second argument (or 0)."""
    source = lower(model, nodes[0], scope)
    initial = lower(model, nodes[1], scope) if len(nodes) > 1 else Number(0.0)
    return model.pipe(scope, source, model.time_step(), initial)


def _delay_material(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    if len(nodes) != 4:
        raise LoweringError(f"DELAY MATERIAL takes 4 arguments, found {len(nodes)}")
    source, delay, initial, missing = (lower(model, n, scope) for n in nodes)
    return model.pipe(scope, source, delay, initial, missing)


def _look_up_by(mode: str | None) -> Callable[..., Expression]:
    """LOOKUP EXTRAPOLATE and its like: a lookup by name, read in another way."""

    def of(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
        table = scope.names.get(key(getattr(nodes[0], "reference", "")))
        if table not in model.tables or len(nodes) != 2:
            raise LoweringError("expected the name of a lookup and an argument")
        tokens = list(nodes[0].subscripts.subscripts) if nodes[0].subscripts else []
        return _looked_up(model, table, tokens, nodes[1], scope, mode)

    return of


def _data_between_times(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    """GET DATA BETWEEN TIMES(data, time, mode): -1 is the point before, 1 that after, 0 between."""
    mode = lower(model, nodes[2], scope)
    if not isinstance(mode, Number):
        raise LoweringError("GET DATA BETWEEN TIMES: the last argument must be -1, 0 or 1")
    table = model.over_time(getattr(nodes[0], "reference", "an expression"))
    tokens = list(nodes[0].subscripts.subscripts) if nodes[0].subscripts else []
    how = "interpolate"
    if abs(mode.value) >= 1:
        how = "look_forward" if mode.value > 0 else "hold_backward"
    return _looked_up(model, table, tokens, nodes[1], scope, how)


def _data_end(place: int) -> Callable[..., Expression]:
    """GET DATA FIRST TIME and GET DATA LAST TIME."""

    def of(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
        table = model.tables[model.over_time(getattr(nodes[0], "reference", "an expression"))]
        times = {x[place] for x, _ in table.points if x}
        if len(times) != 1:
            raise LoweringError("the elements of the data begin or end at different times")
        return Number(times.pop())

    return of


def _time_base(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    """TIME BASE(t, step): t + step * Time."""
    first, step = (lower(model, n, scope) for n in nodes)
    return Call("+", (first, Call("*", (step, Time()))))


def _monte_carlo(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    """Stella's MONTECARLO(p, seed): 1 with a chance of p percent for each unit of time, else 0."""
    chance = Call("*", (lower(model, nodes[0], scope), model.time_step()))
    draw = Random("uniform", (Number(0.0), Number(100.0)), model.next_stream())
    return If(Call("<", (draw, chance)), Number(1.0), Number(0.0))


def _game(model: Lowering, node: Any, scope: Scope) -> Expression:
    return lower(model, node.expression, scope)


def _elm_map(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    """VECTOR ELM MAP(x[first], offset): the element ``offset`` places after the first."""
    read = lower(model, nodes[0], scope)
    if not isinstance(read, Read) or not read.index or len(nodes) != 2:
        raise LoweringError("VECTOR ELM MAP takes an element of an array and an offset")
    last = read.index[-1]
    if not isinstance(last, At):
        raise LoweringError("VECTOR ELM MAP: the last subscript must be an element")
    moved = Call("+", (Number(float(last.position)), lower(model, nodes[1], scope)))
    return Read(read.array, (*read.index[:-1], Computed(moved)))


def _size(model: Lowering, nodes: Sequence[Any], scope: Scope) -> Expression:
    _, loops = _summed(model, nodes, scope)
    return _count(loops)


_SPECIAL: Mapping[str, Callable[..., Expression]] = {
    "if_then_else": _if,
    "min": _extreme("min", "vmin"),
    "max": _extreme("max", "vmax"),
    "sum": _reduce("sum"),
    "prod": _reduce("prod"),
    "vmin": _reduce("vmin"),
    "vmax": _reduce("vmax"),
    "vmin_xmile": _reduce("vmin"),
    "vmax_xmile": _reduce("vmax"),
    "mean": _mean,
    "stddev": _stddev,
    "size": _size,
    "vector_select": _vector_select,
    "vector_elm_map": _elm_map,
    "elmcount": _elmcount,
    "pi": lambda model, nodes, scope: Number(3.141592653589793),
    "step": _timed("step", (0.0, 0.0), (0, 1)),
    "ramp": _timed("ramp", (0.0, 0.0, INFINITY), (0, 1, 2)),
    "Xramp": _timed("ramp", (0.0, 0.0, INFINITY), (0, 1, 2)),
    "pulse": _timed("pulse", (0.0, 0.0), (0, 1)),
    "pulse_train": _timed("pulse train", (0.0, 0.0, 0.0, INFINITY), (0, 1, 2, 3)),
    "get_time_value": _get_time_value,
    "Xpulse": _xmile_pulse,
    "Xpulse_train": _xmile_pulse,
    "active_initial": _active_initial,
    "initial": _initial_of,
    "a_function_of": _incomplete,
    "simultaneous": _simultaneous,
    "previous": _previous,
    "time_base": _time_base,
    "montecarlo": _monte_carlo,
    "get_data_between_times": _data_between_times,
    "get_data_first_time": _data_end(0),
    "get_data_last_time": _data_end(-1),
    "delay_material": _delay_material,
    "lookup_extrapolate": _look_up_by("extrapolate"),
    "lookup_backward": _look_up_by("hold_backward"),
    "lookup_forward": _look_up_by("look_forward"),
    "lookup_invert": _look_up_by("invert"),
    "lookup": _look_up_by(None),
}


_ANY = 10**6
#: Fewest and most arguments of the special functions that do not look at their number themselves.
_COUNTS: Mapping[str, tuple[int, int]] = {
    "min": (1, _ANY),
    "max": (1, _ANY),
    **dict.fromkeys(("sum", "prod", "vmin", "vmax", "vmin_xmile", "vmax_xmile"), (1, 1)),
    **dict.fromkeys(("mean", "stddev", "size", "elmcount", "initial"), (1, 1)),
    **dict.fromkeys(("vector_elm_map", "active_initial", "lookup"), (2, 2)),
    **{f"lookup_{how}": (2, 2) for how in ("extrapolate", "backward", "forward", "invert")},
    **dict.fromkeys(("step", "pulse", "previous", "montecarlo"), (1, 2)),
    **dict.fromkeys(("get_data_first_time", "get_data_last_time"), (1, 1)),
    "time_base": (2, 2),
    "get_data_between_times": (3, 3),
    **dict.fromkeys(("ramp", "Xramp"), (1, 3)),
    "pulse_train": (1, 4),
}


_LOWER: Mapping[str, Callable[..., Expression]] = {
    "ArithmeticStructure": _arithmetic,
    "LogicStructure": _logic,
    "ReferenceStructure": _reference,
    "CallStructure": _call,
    "InlineLookupsStructure": _inline_lookup,
    "GameStructure": _game,
}
