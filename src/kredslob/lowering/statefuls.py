"""Functions with a memory, lowered to hidden stocks: delays, smoothing, trends, samples.

The definitions are PySD's (`pysd.py_backend.statefuls`), which follow Vensim's manual. A chain of
order n is one hidden stock with a first axis of n stages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kredslob.lowering.expressions import LoweringError, Scope, lower
from kredslob.program import (
    Along,
    At,
    Call,
    Computed,
    Expression,
    If,
    Index,
    Loop,
    Number,
    Read,
    Reduce,
)

if TYPE_CHECKING:
    from kredslob.lowering.model import Lowering

_ONE = Number(1.0)


def _times(*factors: Expression) -> Expression:
    result = factors[0]
    for factor in factors[1:]:
        result = Call("*", (result, factor))
    return result


def _over(top: Expression, bottom: Expression) -> Expression:
    return Call("/", (top, bottom))


def _less(left: Expression, right: Expression) -> Expression:
    return Call("-", (left, right))


def _first(model: Lowering, node: Any, source: Expression, scope: Scope) -> Expression:
    """Initial value: the input itself unless the file gives another one."""
    return source if node.initial is node.input else lower(model, node.initial, scope)


def _stock(model: Lowering, node: Any, scope: Scope) -> Expression:
    """A stock inside an expression."""
    array = model.hidden_stock(scope, "stock", non_negative=bool(node.non_negative))
    model.start(array, scope.here, scope, lower(model, node.initial, scope))
    model.integrate(array, scope.here, scope, lower(model, node.flow, scope))
    return Read(array, scope.here)


def _initial(model: Lowering, node: Any, scope: Scope) -> Expression:
    return model.initial(scope, lower(model, node.initial, scope))


def _smooth(model: Lowering, node: Any, scope: Scope) -> Expression:
    source = lower(model, node.input, scope)
    span = lower(model, node.smooth_time, scope)
    order = model.order(lower(model, node.order, scope))
    array = model.hidden_stock(scope, "smooth", stages=order)
    stages = _Stages(array, order, scope)
    stages.start(model, _first(model, node, source, scope))
    pace = _over(Number(float(order)), span)

    def rate(before: Expression, own: Expression) -> Expression:
        return _times(_less(before, own), pace)

    stages.integrate(model, source, rate)
    return stages.last


def _delay(model: Lowering, node: Any, scope: Scope) -> Expression:
    """DELAY1 and DELAY3: as many stages as the manual writes out, however short each of them is.

    PySD leaves out stages that are shorter than a time step, as Vensim does for DELAY N only.
    """
    source = lower(model, node.input, scope)
    delay = model.shared(scope, "delay time", lower(model, node.delay_time, scope))
    most = model.order(lower(model, node.order, scope))
    order = Number(float(most))
    array = model.hidden_stock(scope, "delay", stages=most)
    stages = _Stages(array, most, scope)
    stages.start(model, _times(_first(model, node, source, scope), delay))

    def rate(before: Expression, own: Expression) -> Expression:
        return _times(_less(before, _over(own, delay)), order)

    stages.integrate(model, source, rate, lambda own: _over(own, delay))
    return _over(stages.last, delay)


def _delay_n(model: Lowering, node: Any, scope: Scope) -> Expression:
    """DELAY N: what is on its way keeps the delay time that it had when it entered.

    A second chain of the same length holds those delay times; it moves on once a step.
    """
    source = lower(model, node.input, scope)
    delay = model.shared(scope, "delay time", lower(model, node.delay_time, scope))
    most = model.order(lower(model, node.order, scope))
    order = _order_in_force(model, most, delay, scope)
    array = model.hidden_stock(scope, "delay", stages=most)
    times = model.hidden_state(scope, "delay times", stages=most)
    stages, held = _Stages(array, most, scope, order), _Stages(times, most, scope)
    stages.start(model, _times(_first(model, node, source, scope), delay))
    held.start(model, delay)
    for stage in range(most - 1, 0, -1):
        model.update(times, held.at(stage), scope, Read(times, held.at(stage - 1)))
    model.update(times, held.at(0), scope, delay)

    def out(stage: int) -> Expression:
        return _over(
            Read(array, stages.at(stage)), delay if stage == 0 else Read(times, held.at(stage - 1))
        )

    for stage in range(most):
        before = source if stage == 0 else out(stage - 1)
        rate = _times(_less(before, out(stage)), order)
        model.integrate(array, stages.at(stage), scope, rate)
    return _over(stages.last, Read(times, held.at(0)))


def _order_in_force(model: Lowering, most: int, delay: Expression, scope: Scope) -> Expression:
    """Order of a chain: lowered until each stage lasts a time step, as PySD does."""
    if most == 1:
        return _ONE
    shortest = Reduce("vmin", scope.loops, delay) if scope.loops else delay
    order: Expression = _ONE
    for stages in range(2, most + 1):
        fits = Call("<=", (_times(Number(float(stages)), model.time_step()), shortest))
        order = If(fits, Number(float(stages)), order)
    return model.initial(scope.closed(), order)


def _delay_fixed(model: Lowering, node: Any, scope: Scope) -> Expression:
    source = lower(model, node.input, scope)
    delay = lower(model, node.delay_time, scope)
    return model.pipe(scope, source, delay, _first(model, node, source, scope))


def _trend(model: Lowering, node: Any, scope: Scope) -> Expression:
    source = model.shared(scope, "trend input", lower(model, node.input, scope))
    span = lower(model, node.average_time, scope)
    trend = lower(model, node.initial_trend, scope)
    average = _average(model, scope, source, span, _times(trend, span))
    size = _times(span, Call("abs", (average,)))
    return Call("zidz", (_less(source, average), size))


def _forecast(model: Lowering, node: Any, scope: Scope) -> Expression:
    source = model.shared(scope, "forecast input", lower(model, node.input, scope))
    span = lower(model, node.average_time, scope)
    horizon = lower(model, node.horizon, scope)
    average = _average(model, scope, source, span, lower(model, node.initial_trend, scope))
    growth = Call("zidz", (_less(source, average), _times(span, average)))
    return _times(source, Call("+", (_ONE, _times(growth, horizon))))


def _average(
    model: Lowering, scope: Scope, source: Expression, span: Expression, growth: Expression
) -> Expression:
    """The source averaged over a time span, as if it had had this growth over it at the start."""
    array = model.hidden_stock(scope, "average")
    average = Read(array, scope.here)
    model.start(array, scope.here, scope, _over(source, Call("+", (_ONE, growth))))
    model.integrate(array, scope.here, scope, _over(_less(source, average), span))
    return average


def _sample_if_true(model: Lowering, node: Any, scope: Scope) -> Expression:
    array = model.hidden_state(scope, "sample")
    held = Read(array, scope.here)
    model.start(array, scope.here, scope, lower(model, node.initial, scope))
    condition, source = (lower(model, n, scope) for n in (node.condition, node.input))
    present = model.hidden(scope, "present sample", If(condition, source, held))
    model.update(array, scope.here, scope, Read(present, scope.here))
    return Read(present, scope.here)


class _Stages:
    """The stages of a chain: a hidden array whose first axis counts them."""

    def __init__(
        self, array: str, count: int, scope: Scope, order: Expression | None = None
    ) -> None:
        self.array, self.count, self.scope = array, count, scope
        last: Index = At(count - 1)
        if order is not None and count > 1:
            last = Computed(_less(order, _ONE))
        self.last = Read(array, (last, *scope.here))

    def at(self, stage: int) -> tuple[Index, ...]:
        """Index of one stage."""
        return (At(stage), *self.scope.here)

    def start(self, model: Lowering, value: Expression) -> None:
        """Give each stage the same initial value."""
        loop = Loop("stage", self.count)
        index = (Along("stage", tuple(range(self.count))), *self.scope.here)
        model.start(self.array, index, self.scope, value, (loop,))

    def integrate(
        self,
        model: Lowering,
        source: Expression,
        rate: Callable[[Expression, Expression], Expression],
        out: Callable[[Expression], Expression] = lambda own: own,
    ) -> None:
        """Let each stage follow the one before; the first one follows the source."""
        model.integrate(
            self.array, self.at(0), self.scope, rate(source, Read(self.array, self.at(0)))
        )
        if self.count == 1:
            return
        own = (Along("stage", tuple(range(1, self.count))), *self.scope.here)
        before = (Along("stage", tuple(range(self.count - 1))), *self.scope.here)
        value = rate(out(Read(self.array, before)), Read(self.array, own))
        loop = Loop("stage", self.count - 1)
        model.integrate(self.array, own, self.scope, value, (loop,))


# --- functions of whole arrays -----------------------------------------------------------------


def _vector(function: str, core: int, inputs: int) -> Callable[..., Expression]:
    def of(model: Lowering, nodes: Any, scope: Scope) -> Expression:
        if len(nodes) < inputs:
            raise LoweringError(
                f"{function.upper().replace('_', ' ')} takes {inputs} arguments, found {len(nodes)}"
            )
        vector = nodes[0]
        ordered = model.with_last(scope, vector, core)
        arrays = [model.hidden(ordered, "vector", lower(model, vector, ordered))]
        lead = ordered.closed(len(ordered.bindings) - core)
        for node in nodes[1:inputs]:
            inner = ordered if function == "vector_reorder" else lead
            arrays.append(model.hidden(inner, "argument", lower(model, node, inner)))
        return model.block(function, arrays, core, ordered)

    return of


def _allocate_available(model: Lowering, node: Any, scope: Scope) -> Expression:
    ordered = model.with_last(scope, node.request, 1)
    lead = ordered.closed(len(ordered.bindings) - 1)
    profile, inner = model.with_whole_last_axis(node.pp, ordered)
    arrays = [
        model.hidden(ordered, "request", lower(model, node.request, ordered)),
        model.hidden(inner, "profile", profile),
        model.hidden(lead, "supply", lower(model, node.avail, lead)),
    ]
    return model.block("allocate_available", arrays, 1, ordered)


def _allocate_by_priority(model: Lowering, node: Any, scope: Scope) -> Expression:
    ordered = model.with_last(scope, node.request, 1)
    lead = ordered.closed(len(ordered.bindings) - 1)
    arrays = [
        model.hidden(ordered, "request", lower(model, node.request, ordered)),
        model.hidden(ordered, "priority", lower(model, node.priority, ordered)),
        model.hidden(lead, "width", lower(model, node.width, lead)),
        model.hidden(lead, "supply", lower(model, node.supply, lead)),
    ]
    return model.block("allocate_by_priority", arrays, 1, ordered)


#: How each of PySD's structures with a memory is lowered.
STRUCTURES: Mapping[str, Callable[..., Expression]] = {
    "IntegStructure": _stock,
    "InitialStructure": _initial,
    "SmoothStructure": _smooth,
    "SmoothNStructure": _smooth,
    "DelayStructure": _delay,
    "DelayNStructure": _delay_n,
    "DelayFixedStructure": _delay_fixed,
    "TrendStructure": _trend,
    "ForecastStructure": _forecast,
    "SampleIfTrueStructure": _sample_if_true,
    "AllocateAvailableStructure": _allocate_available,
    "AllocateByPriorityStructure": _allocate_by_priority,
}


def _net_present_value(model: Lowering, nodes: Any, scope: Scope) -> Expression:
    """NPV(stream, rate, initial, factor), as Vensim's manual writes it out in stocks."""
    if len(nodes) != 4:
        raise LoweringError(f"NPV takes 4 arguments, found {len(nodes)}")
    values = [lower(model, node, scope) for node in nodes]
    stream, rate = (model.shared(scope, "of NPV", v) for v in values[:2])
    initial, factor = values[2:]
    step = model.time_step()
    discount = model.hidden_stock(scope, "discount factor")
    present = Read(discount, scope.here)
    model.start(discount, scope.here, scope, _ONE)
    decline = _over(_times(present, rate), Call("+", (_ONE, _times(rate, step))))
    model.integrate(discount, scope.here, scope, Call("negative", (decline,)))
    so_far = model.hidden_stock(scope, "value so far")
    model.start(so_far, scope.here, scope, initial)
    model.integrate(so_far, scope.here, scope, _times(stream, present))
    total = Call("+", (Read(so_far, scope.here), _times(stream, step, present)))
    return _times(total, factor)


#: Functions of whole arrays, and those with a memory that PySD has no structure for.
BLOCKS: Mapping[str, Callable[..., Expression]] = {
    "vector_sort_order": _vector("vector_sort_order", 1, 2),
    "vector_rank": _vector("vector_rank", 1, 2),
    "vector_reorder": _vector("vector_reorder", 1, 2),
    "invert_matrix": _vector("invert_matrix", 2, 1),
    "npv": _net_present_value,
}
