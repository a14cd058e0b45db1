"""Exponential, logarithm and power of eight numbers at once, written in LLVM's instructions.

The compiler has no vector form of these that comes with Python. Errors are below two units in the
last place (held against extended precision in the tests); zeros, negatives, infinities, NaN and
results near the ends of the range go to the C library, lane by lane, and are as good as that.

The methods are the textbook ones: the logarithm as 2 atanh((m - 1) / (m + 1)) of the mantissa in
double-double arithmetic, the exponential by a polynomial after taking out powers of two (Muller,
Elementary Functions, 3rd edition, chapters 10 and 11; constants of fdlibm).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils

LANES = 8
_DOUBLE, _I32, _I64 = ir.DoubleType(), ir.IntType(32), ir.IntType(64)
VECTOR = ir.VectorType(_DOUBLE, LANES)
MASK = ir.VectorType(ir.IntType(1), LANES)
_BITS = ir.VectorType(_I64, LANES)

_LN2_HIGH, _LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10  # high: 32 zero bits
_ROUNDER = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to a whole number
_EXPONENT_ONE = 0x3FF0000000000000
_SQRT_HALF = 0x3FE6A09E667F3BCD  # the bits of sqrt(1/2)
_SMALLEST_NORMAL = 2.2250738585072014e-308
_SAFE_EXPONENT = 708.0


def splat(builder: Any, value: Any) -> Any:
    """The value in each lane."""
    kind = ir.VectorType(value.type, LANES)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_I32, 0))
    zeros = ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)


def simple(name: str) -> Any:
    """A function that LLVM has itself, such as sqrt, fabs, floor."""

    def emit(b: Any, x: Any) -> Any:
        return b.call(_declared(b, f"llvm.{name}.v{LANES}f64", VECTOR, 1), [x])

    return emit


def exp(b: Any, x: Any) -> Any:
    """Compute e to the power x."""
    fine = b.fcmp_ordered("<", simple("fabs")(b, x), _constant(_SAFE_EXPONENT))
    return _unless(b, fine, _exp_of_sum(b, x, None), "llvm.exp.f64", [x])


def log(b: Any, x: Any) -> Any:
    """Natural logarithm of x."""
    normal = _is_normal(b, x)
    high, low = _log_in_two_parts(b, b.select(normal, x, _constant(1.0)))
    return _unless(b, normal, b.fadd(high, low), "llvm.log.f64", [x])


def power(b: Any, x: Any, y: Any) -> Any:
    """Compute x to the power y."""
    zero = b.fcmp_ordered("==", x, _constant(0.0))
    base = b.select(zero, _constant(1.0), x)
    high, low = _log_in_two_parts(b, base)
    product = b.fmul(y, high)
    rest = _fma(b, y, low, _fma(b, y, high, b.fneg(product)))
    fine = b.fcmp_ordered("<", simple("fabs")(b, product), _constant(_SAFE_EXPONENT))
    zero_to_positive = b.and_(zero, b.fcmp_ordered(">", y, _constant(0.0)))
    result = b.select(zero_to_positive, _constant(0.0), _exp_of_sum(b, product, rest))
    good = b.and_(b.and_(fine, _is_normal(b, base)), b.not_(zero))
    return _unless(b, b.or_(zero_to_positive, good), result, "llvm.pow.f64", [x, y])


def _exp_of_sum(b: Any, high: Any, low: Any | None) -> Any:
    """exp(high + low) for absolute values below 708."""
    shifted = b.fadd(b.fmul(high, _constant(1 / math.log(2))), _constant(_ROUNDER))
    twos = b.fsub(shifted, _constant(_ROUNDER))
    rest = _fma(b, twos, _constant(-_LN2_HIGH), high)
    rest = _fma(b, twos, _constant(-_LN2_LOW), rest)
    if low is not None:
        rest = b.fadd(rest, low)
    scale = b.add(b.shl(b.bitcast(shifted, _BITS), _whole(52)), _whole(_EXPONENT_ONE))
    return b.fmul(_exp_of_small(b, rest), b.bitcast(scale, VECTOR))


def _exp_of_small(b: Any, r: Any) -> Any:
    """1 + (r + r^2 q(r)) for |r| < 0.35: what is small is rounded before it meets the one."""
    terms = [1 / math.factorial(k) for k in range(2, 14)]
    r2 = b.fmul(r, r)
    r4 = b.fmul(r2, r2)
    r8 = b.fmul(r4, r4)
    pairs = [_fma(b, r, _constant(terms[k + 1]), _constant(terms[k])) for k in range(0, 12, 2)]
    fours = [_fma(b, r2, pairs[k + 1], pairs[k]) for k in range(0, 6, 2)]
    q = _fma(b, r8, fours[2], _fma(b, r4, fours[1], fours[0]))
    return b.fadd(_constant(1.0), _fma(b, r2, q, r))


def _log_in_two_parts(b: Any, x: Any) -> tuple[Any, Any]:
    """Natural logarithm of a normal number as an unevaluated sum."""
    bits = b.bitcast(x, _BITS)
    exponent = b.ashr(b.sub(bits, _whole(_SQRT_HALF)), _whole(52))
    mantissa = b.bitcast(b.sub(bits, b.shl(exponent, _whole(52))), VECTOR)
    as_double = b.bitcast(b.add(exponent, _whole(0x4338000000000000)), VECTOR)
    twos = b.fsub(as_double, _constant(_ROUNDER))
    # s + s_low = (m - 1) / (m + 1)
    one = _constant(1.0)
    top, bottom = b.fsub(mantissa, one), b.fadd(mantissa, one)
    bottom_low = b.fsub(mantissa, b.fsub(bottom, one))
    inverse = b.fdiv(one, bottom)
    s = b.fmul(top, inverse)
    left = _fma(b, b.fneg(s), bottom_low, _fma(b, b.fneg(s), bottom, top))
    s_low = b.fmul(left, inverse)
    z = b.fmul(s, s)
    series = _constant(2 / 21)
    for k in range(8, -1, -1):
        series = _fma(b, series, z, _constant(2 / (2 * k + 3)))
    two_s = b.fadd(s, s)
    from_twos = b.fmul(twos, _constant(_LN2_HIGH))
    high = b.fadd(from_twos, two_s)
    part = b.fsub(high, from_twos)
    lost = b.fadd(b.fsub(from_twos, b.fsub(high, part)), b.fsub(two_s, part))
    low = _fma(b, twos, _constant(_LN2_LOW), lost)
    low = b.fadd(low, b.fadd(s_low, s_low))
    low = _fma(b, b.fmul(s, z), series, low)
    total = b.fadd(high, low)
    return total, b.fsub(low, b.fsub(total, high))


def _is_normal(b: Any, x: Any) -> Any:
    above = b.fcmp_ordered(">=", x, _constant(_SMALLEST_NORMAL))
    return b.and_(above, b.fcmp_ordered("<", x, _constant(math.inf)))


def _unless(b: Any, good: Any, result: Any, name: str, arguments: Sequence[Any]) -> Any:
    """The result; if it is not good in some lane, that of a scalar function in all lanes."""
    slot = cgutils.alloca_once(b, VECTOR)
    b.store(result, slot)
    bad = b.bitcast(b.not_(good), ir.IntType(LANES))
    with b.if_then(b.icmp_unsigned("!=", bad, ir.Constant(bad.type, 0)), likely=False):
        function = _declared(b, name, _DOUBLE, len(arguments))
        every = result
        for number in range(LANES):
            at = ir.Constant(_I32, number)
            one = b.call(function, [b.extract_element(a, at) for a in arguments])
            kept = b.extract_element(good, at)
            every = b.insert_element(every, b.select(kept, b.extract_element(result, at), one), at)
        b.store(every, slot)
    return b.load(slot)


def _declared(b: Any, name: str, kind: Any, arguments: int) -> Any:
    return cgutils.get_or_insert_function(b.module, ir.FunctionType(kind, [kind] * arguments), name)


def _fma(b: Any, x: Any, y: Any, z: Any) -> Any:
    return b.call(_declared(b, f"llvm.fma.v{LANES}f64", VECTOR, 3), [x, y, z])


def _constant(value: float) -> Any:
    return ir.Constant(VECTOR, [value] * LANES)


def _whole(value: int) -> Any:
    return ir.Constant(_BITS, [value] * LANES)
