"""Eight runs at once: numbers of eight runs side by side, one in each lane of a vector.

A `Vec` is one vector register (or two, on smaller processors) of double-precision numbers; a
`Mask` says yes or no for each lane. Kernels are written as if for one run; Numba takes each
operator and function to the form for vectors given here. A run's numbers do not depend on its
lane or on the runs beside it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

from kredslob.targets import runtime, vector_math
from kredslob.targets.runtime import EXTRAPOLATE, HOLD_BACKWARD, LOOK_FORWARD, RAW
from kredslob.targets.vector_math import LANES, MASK, VECTOR

_FAST = ("contract", "nsz")  # keep NaN, infinity and the order of sums
_I32 = ir.IntType(32)
SHORT = 24  # points of a table up to which trying each is faster than a search in each lane


class _VecType(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Vec")


class _MaskType(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Mask")


VEC, MASKED = _VecType(), _MaskType()


@register_model(_VecType)
class _VecModel(models.PrimitiveModel):
    def __init__(self, manager: Any, front: Any) -> None:
        super().__init__(manager, front, VECTOR)


@register_model(_MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, front: Any) -> None:
        super().__init__(manager, front, MASK)


def _is_vec(kind: Any) -> bool:
    return isinstance(kind, _VecType)


def _is_number(kind: Any) -> bool:
    return isinstance(kind, types.Float | types.Integer | types.Boolean)


def _as_vector(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """The LLVM vector of a number, which is then the same in each lane."""
    if _is_vec(kind):
        return value
    return vector_math.splat(builder, context.cast(builder, value, kind, types.float64))


def _vectors(context: Any, builder: Any, signature: Any, values: Any) -> list[Any]:
    return [_as_vector(context, builder, k, v) for k, v in zip(signature.args, values, strict=True)]


# --- memory ------------------------------------------------------------------------------------


def _pointer(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, values[0])
    place = context.cast(builder, values[1], signature.args[1], types.intp)
    first = builder.gep(array.data, [builder.mul(place, ir.Constant(place.type, LANES))])
    return builder.bitcast(first, VECTOR.as_pointer())


@intrinsic
def get(typing: Any, v: Any, place: Any) -> Any:
    """The numbers of the eight runs at a place of the memory."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, values), align=64)

    return VEC(v, place), generate


@intrinsic
def put(typing: Any, v: Any, place: Any, value: Any) -> Any:
    """Write the numbers of the eight runs to a place of the memory."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        vector = _as_vector(context, builder, signature.args[2], values[2])
        builder.store(vector, _pointer(context, builder, signature, values), align=64)
        return context.get_dummy_value()

    return types.void(v, place, value), generate


@intrinsic
def splat(typing: Any, value: Any) -> Any:
    """A number in each lane."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return _as_vector(context, builder, signature.args[0], values[0])

    return VEC(value), generate


@njit(nogil=True)
def memory(places: int) -> Any:
    """Memory for so many places, on the boundary that whole vectors need."""
    raw = np.empty(places * LANES + 8)
    return raw[(8 - (raw.ctypes.data // 8) % 8) % 8 :]


# --- operators ---------------------------------------------------------------------------------


def _arithmetic(sign: Any, instruction: str) -> None:
    @intrinsic
    def on_lanes(typing: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            x, y = _vectors(context, builder, signature, values)
            return getattr(builder, instruction)(x, y, flags=_FAST)

        return VEC(a, b), generate

    _overload_binary(sign, on_lanes)


def _comparison(sign: Any, text: str) -> None:
    @intrinsic
    def on_lanes(typing: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            x, y = _vectors(context, builder, signature, values)
            compare = builder.fcmp_unordered if text == "!=" else builder.fcmp_ordered
            return compare(text, x, y)

        return MASKED(a, b), generate

    _overload_binary(sign, on_lanes)


def _overload_binary(sign: Any, on_lanes: Any) -> None:
    @overload(sign)
    def typed(a, b):
        if (_is_vec(a) and (_is_vec(b) or _is_number(b))) or (_is_vec(b) and _is_number(a)):
            return lambda a, b: on_lanes(a, b)
        return None


for _sign, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_sign, _instruction)
for _sign, _text in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
    (operator.ne, "!="),
):
    _comparison(_sign, _text)


@intrinsic
def _negated(typing: Any, a: Any) -> Any:
    return VEC(a), lambda context, builder, signature, values: builder.fneg(values[0])


@overload(operator.neg)
def _negative(a):
    return (lambda a: _negated(a)) if _is_vec(a) else None


# --- truth -------------------------------------------------------------------------------------


def _as_mask(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if isinstance(kind, _MaskType):
        return value
    bit = context.cast(builder, value, kind, types.boolean)
    return vector_math.splat(builder, bit)


def _logic(name: str, instruction: str, plain: Callable[..., Any]) -> Any:
    @intrinsic
    def on_lanes(typing: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            x, y = (
                _as_mask(context, builder, k, v)
                for k, v in zip(signature.args, values, strict=True)
            )
            return getattr(builder, instruction)(x, y)

        return MASKED(a, b), generate

    def stub(a, b):
        raise NotImplementedError

    @overload(stub)
    def typed(a, b):
        if isinstance(a, _MaskType) or isinstance(b, _MaskType):
            return lambda a, b: on_lanes(a, b)
        return plain

    return stub


both = _logic("both", "and_", lambda a, b: a and b)
either = _logic("either", "or_", lambda a, b: a or b)


@intrinsic
def _opposite(typing: Any, a: Any) -> Any:
    return MASKED(a), lambda context, builder, signature, values: builder.not_(values[0])


def opposite(a):
    """Not."""
    raise NotImplementedError


@overload(opposite)
def _typed_opposite(a):
    if isinstance(a, _MaskType):
        return lambda a: _opposite(a)
    return lambda a: not a


@intrinsic
def _chosen(typing: Any, condition: Any, yes: Any, no: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        x = _as_vector(context, builder, signature.args[1], values[1])
        y = _as_vector(context, builder, signature.args[2], values[2])
        mask = _as_mask(context, builder, signature.args[0], values[0])
        return builder.select(mask, x, y)

    return VEC(condition, yes, no), generate


def choose(condition, yes, no):
    """``yes`` in the lanes where the condition holds, else ``no``."""
    raise NotImplementedError


@overload(choose)
def _typed_choose(condition, yes, no):
    if isinstance(condition, _MaskType) or _is_vec(yes) or _is_vec(no):
        return lambda condition, yes, no: _chosen(condition, yes, no)
    return lambda condition, yes, no: yes if condition else no


# --- functions ---------------------------------------------------------------------------------


@intrinsic
def lane(typing: Any, a: Any, number: Any) -> Any:
    """The number in one lane."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if not _is_vec(signature.args[0]):
            return context.cast(builder, values[0], signature.args[0], types.float64)
        return builder.extract_element(values[0], builder.trunc(values[1], _I32))

    return types.float64(a, number), generate


@intrinsic
def with_lane(typing: Any, a: Any, number: Any, value: Any) -> Any:
    """The vector with another number in one lane."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = context.cast(builder, values[2], signature.args[2], types.float64)
        return builder.insert_element(values[0], number, builder.trunc(values[1], _I32))

    return VEC(a, number, value), generate


def _function(scalar: Any, vector: Callable[..., Any] | None = None) -> Any:
    """A function for numbers and for vectors.

    Parameters
    ----------
    scalar : function
        What Numba compiles for numbers; also what is done lane by lane without ``vector``.
    vector : callable, optional
        Writes the LLVM code for vectors: builder and vectors in, vector out.
    """

    @intrinsic
    def on_lanes(typing: Any, arguments: Any) -> Any:
        kinds = list(arguments)

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            parts = cgutils.unpack_tuple(builder, values[0], len(kinds))
            vectors = [
                _as_vector(context, builder, k, p) for k, p in zip(kinds, parts, strict=True)
            ]
            if vector is not None:
                return vector(builder, *vectors)
            inner = types.float64(*[types.float64] * len(kinds))
            result = ir.Constant(VECTOR, ir.Undefined)
            for number in range(LANES):
                at = ir.Constant(_I32, number)
                numbers = [builder.extract_element(x, at) for x in vectors]
                one = context.compile_internal(builder, inner_function, inner, numbers)
                result = builder.insert_element(result, one, at)
            return result

        return VEC(arguments), generate

    def stub(*arguments):
        raise NotImplementedError

    @overload(stub)
    def typed(*arguments):
        if any(_is_vec(kind) for kind in arguments):
            return lambda *arguments: on_lanes(arguments)
        return lambda *arguments: _plain(*arguments)

    _plain = scalar if hasattr(scalar, "py_func") else njit(nogil=True, error_model="numpy")(scalar)
    inner_function = getattr(scalar, "py_func", scalar)
    return stub


# --- what kernels call -------------------------------------------------------------------------

exp = _function(lambda a: math.exp(a), vector_math.exp)
log = _function(lambda a: math.log(a), vector_math.log)
power = _function(lambda a, b: a**b, vector_math.power)
sqrt = _function(lambda a: math.sqrt(a), vector_math.simple("sqrt"))
absolute = _function(lambda a: abs(a), vector_math.simple("fabs"))
floor = _function(lambda a: np.floor(a), vector_math.simple("floor"))
ceiling = _function(lambda a: np.ceil(a), vector_math.simple("ceil"))
trunc = _function(lambda a: np.trunc(a), vector_math.simple("trunc"))
log10 = _function(lambda a: math.log10(a))
sin = _function(lambda a: math.sin(a))
cos = _function(lambda a: math.cos(a))
tan = _function(lambda a: math.tan(a))
arcsin = _function(lambda a: np.arcsin(a))
arccos = _function(lambda a: np.arccos(a))
arctan = _function(lambda a: math.atan(a))
sinh = _function(lambda a: math.sinh(a))
cosh = _function(lambda a: math.cosh(a))
tanh = _function(lambda a: math.tanh(a))
lgamma = _function(lambda a: math.lgamma(a))
even_calendar = _function(runtime.even_calendar)
calendar = _function(runtime.calendar)


@njit(nogil=True, error_model="numpy")
def minimum(a, b):
    """The smaller one; NaN if either is."""
    return choose(either(a < b, a != a), a, b)


@njit(nogil=True, error_model="numpy")
def maximum(a, b):
    """The larger one; NaN if either is."""
    return choose(either(a > b, a != a), a, b)


@njit(nogil=True, error_model="numpy")
def square(a):
    return a * a


@njit(nogil=True, error_model="numpy")
def cube(a):
    return a * a * a


@njit(nogil=True, error_model="numpy")
def sign(a):
    return choose(a > 0.0, 1.0, choose(a < 0.0, -1.0, a))


@njit(nogil=True, error_model="numpy")
def xidz(numerator, denominator, otherwise):
    return choose(absolute(denominator) < runtime.SMALL, otherwise, numerator / denominator)


@njit(nogil=True, error_model="numpy")
def zidz(numerator, denominator):
    return choose(absolute(denominator) < runtime.SMALL, 0.0, numerator / denominator)


@njit(nogil=True, error_model="numpy")
def quantum(a, b):
    return choose(b < runtime.SMALL, a, b * trunc(a / b))


@njit(nogil=True, error_model="numpy")
def modulo(a, b):
    return a - quantum(a, b)


@njit(nogil=True, error_model="numpy")
def step(time, time_step, height, start):
    return choose(time + 0.5 * time_step > start, height, 0.0 * height)


@njit(nogil=True, error_model="numpy")
def ramp(time, time_step, slope, start, finish):
    return choose(time + runtime.SMALL > start, slope * (minimum(finish, time) - start), 0.0)


pulse = _function(runtime.pulse)
pulse_train = _function(runtime.pulse_train)
uniform = _function(runtime.uniform)
normal = _function(runtime.normal)
exponential = _function(runtime.exponential)
plain_normal = _function(runtime.plain_normal)
plain_exponential = _function(runtime.plain_exponential)
lognormal = _function(runtime.lognormal)
triangular = _function(runtime.triangular)
poisson = _function(runtime.poisson)


@njit(nogil=True, error_model="numpy")
def interpolate(xs, ys, first, count, entry, mode, x):
    """Value of each run's own table at x; the last row of ``count`` says whether all share one."""
    if count[LANES, entry] and 1 < count[0, entry] <= SHORT:
        return of_one_table(xs, ys, first[0, entry], count[0, entry], mode, splat(x))
    return of_own_tables(xs, ys, first, count, entry, mode, splat(x))


@njit(nogil=True, error_model="numpy")
def of_one_table(xs, ys, begin, points, mode, x):
    """Value at x of a short table that all lanes share: each of its points is tried."""
    low_x, low_y = splat(xs[begin]), splat(ys[begin])
    high_x, high_y = splat(xs[begin + 1]), splat(ys[begin + 1])
    for k in range(begin + 1, begin + points - 1):
        beyond = x >= xs[k]
        low_x, low_y = choose(beyond, xs[k], low_x), choose(beyond, ys[k], low_y)
        high_x, high_y = choose(beyond, xs[k + 1], high_x), choose(beyond, ys[k + 1], high_y)
    last_x, last_y = splat(xs[begin + points - 1]), splat(ys[begin + points - 1])
    return between(mode, x, low_x, low_y, high_x, high_y, last_x, last_y)


@njit(nogil=True, error_model="numpy")
def of_own_tables(xs, ys, first, count, entry, mode, x):
    """Value at x of tables that are long, or not the same in all lanes: each lane searches."""
    low_x, low_y = splat(np.nan), splat(np.nan)
    high_x, high_y = splat(np.nan), splat(np.nan)
    last_x, last_y = splat(np.nan), splat(np.nan)
    below = 0
    for number in range(LANES):
        begin, points = first[number, entry], count[number, entry]
        if points == 0:
            continue
        if number == 0 or not same_as_before(x, number, first, count, entry):
            below = runtime.segment(xs, begin, points, lane(x, number))
        above = below + 1 if points > 1 else below
        span = 0.0 if points > 1 else 1.0  # the segment of a single point
        low_x = with_lane(low_x, number, xs[below])
        low_y = with_lane(low_y, number, ys[below])
        high_x = with_lane(high_x, number, xs[above] + span)
        high_y = with_lane(high_y, number, ys[above])
        last_x = with_lane(last_x, number, xs[begin + points - 1])
        last_y = with_lane(last_y, number, ys[begin + points - 1])
    return between(mode, x, low_x, low_y, high_x, high_y, last_x, last_y)


@njit(nogil=True)
def one_table(first, count, entry):
    """Whether all lanes look up the same table."""
    for number in range(1, LANES):
        if first[number, entry] != first[0, entry] or count[number, entry] != count[0, entry]:
            return False
    return True


@njit(nogil=True, error_model="numpy")
def between(mode, x, low_x, low_y, high_x, high_y, last_x, last_y):
    """Value at x of a segment of a table, which is the first one for what lies before it."""
    beyond = x >= last_x
    slope = (high_y - low_y) / (high_x - low_x)
    if mode == EXTRAPOLATE:
        base_x, base_y = choose(beyond, last_x, low_x), choose(beyond, last_y, low_y)
        return choose(x == base_x, base_y, base_y + slope * (x - base_x))
    if mode == HOLD_BACKWARD:
        value = low_y
    elif mode == LOOK_FORWARD:
        value = choose(x == low_x, low_y, high_y)
    elif mode == RAW:
        there = either(x == low_x, x == last_x)
        return choose(there, choose(beyond, last_y, low_y), np.nan)
    else:
        value = low_y + slope * (x - low_x)
    value = choose(beyond, last_y, choose(x < low_x, low_y, value))
    return choose(x == x, value, np.nan)


@njit(nogil=True)
def same_as_before(x, number, first, count, entry):
    """Whether a lane asks the same of the same table as the one before."""
    before = number - 1
    return (
        lane(x, number) == lane(x, before)
        and first[number, entry] == first[before, entry]
        and count[number, entry] == count[before, entry]
    )


@njit(nogil=True, error_model="numpy")
def invert(xs, ys, first, count, entry, y):
    result = splat(np.nan)
    for number in range(LANES):
        value = runtime.invert(xs, ys, first[number, entry], count[number, entry], lane(y, number))
        result = with_lane(result, number, value)
    return result


@njit(nogil=True, error_model="numpy")
def draws(draw, place, stream):
    """Two uniform numbers for each run; see `runtime.philox`. draw: seed, step, numbers of runs."""
    first, second = splat(0.0), splat(0.0)
    for number in range(LANES):
        one, two = runtime.philox(draw[2], place, draw[3 + number], stream, draw[0], draw[1])
        first = with_lane(first, number, one)
        second = with_lane(second, number, two)
    return first, second


@njit(nogil=True, error_model="numpy")
def pick(v, base, stride, extent, position):
    """The element at a computed position, in each run; missing where there is none."""
    result = splat(np.nan)
    for number in range(LANES):
        at = lane(position, number)
        if 0.0 <= at < extent:
            result = with_lane(result, number, v[(base + stride * int(at)) * LANES + number])
    return result


@njit(nogil=True)
def fetch(v, number, place, count, scratch, at):
    """Copy some places of one run."""
    for k in range(count):
        scratch[at + k] = v[(place + k) * LANES + number]


@njit(nogil=True)
def bring(v, number, place, count, scratch, at):
    """Copy some places back."""
    for k in range(count):
        v[(place + k) * LANES + number] = scratch[at + k]
