"""Whether runs stay within the limits of time and memory, found out before the first one starts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kredslob.errors import ParameterError
from kredslob.limits import Limits
from kredslob.program import Equation, Number, Read
from kredslob.targets.numba import LANES, Batch, NumbaTarget

_BYTES = 8  # of a number


def check_bounds(
    target: NumbaTarget,
    batch: Batch,
    limits: Limits,
    *,
    runs: int,
    saved: int,
    at: Sequence[float] = (),
) -> None:
    """Refuse runs that would take too many steps, or more memory than is allowed.

    Parameters
    ----------
    target : NumbaTarget
        The model.
    batch : Batch
        What the runs start from. Where the model computes its own clock, steps are counted while
        it runs, and the engine stops at 100 million.
    limits : Limits
        How much is allowed.
    runs : int
        How many runs are in memory at a time.
    saved : int
        Numbers that are saved of each run and time.
    at : sequence of float
        Times of saving. Default: each SAVEPER.

    Raises
    ------
    ParameterError
        A limit is exceeded.
    """
    name = target.program.name
    rows = len(at) or target.rows_expected(batch)
    if (numbers := runs * rows * saved) > limits.saved_values:
        found = f"{runs} runs x {rows} times x {saved} values"
        raise ParameterError(
            f"{found} take {numbers * _BYTES / 2**30:.0f} GiB; name fewer variables with save= or "
            "times with at=, or ask for a summary= or store=; or "
            + limits.exceeded("saved_values", f"found {numbers:,} saved values")
        )
    steps = _steps(target, batch)
    if steps > limits.steps:
        found = f"a run takes {_counted(steps)} time steps"
        raise ParameterError(f"{name}: {limits.exceeded('steps', found)}")
    if (places := _delayed(target, batch, steps)) > limits.saved_values:
        found = f"its fixed delays hold {_counted(places)} values"
        raise ParameterError(f"{name}: {limits.exceeded('saved_values', found)}")


def _steps(target: NumbaTarget, batch: Batch) -> float:
    """Steps of the longest run; 0 where the clock is computed or makes no sense."""
    initial, final, step, _ = target.clocks(batch)
    with np.errstate(all="ignore"):
        steps = (final - initial) / step
    return float(np.max(steps[~np.isnan(steps) & (step > 0)], initial=0.0))


def _delayed(target: NumbaTarget, batch: Batch, steps: float) -> float:
    """Numbers on their way in the fixed delays of runs side by side, as far as they are known."""
    program = target.program
    if not program.pipes:
        return 0.0
    lengths = {
        rule.target: _known(target, batch, rule)
        for rule in program.initial
        if isinstance(rule, Equation)
    }
    step = float(np.nanmin(target.clocks(batch)[2], initial=np.inf))
    held = 0.0
    for pipe in program.pipes:
        longest = lengths.get(pipe.delay, 0.0) / step if step > 0 else 0.0
        longest = max(longest, steps if pipe.present else 1.0)
        held += program.arrays[pipe.target].size * LANES * longest
    return held


def _known(target: NumbaTarget, batch: Batch, rule: Equation) -> float:
    """Largest value of an equation that is a number or constant; 0 where it is neither."""
    match rule.value:
        case Number(value):
            return value
        case Read(array, _) if array in target.program.defaults:
            values = batch.constants[target.constant_places(array)]
            own = batch.values[:, np.isin(batch.varied, target.places(array))]
            return float(np.max([np.nanmax(values), np.nanmax(own, initial=0.0)]))
    return 0.0


def _counted(number: float) -> str:
    return f"{math.ceil(number):,}" if number < 1e15 else f"{number:.0e}"
