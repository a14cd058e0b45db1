"""A design as a target takes it: places in memory, columns of numbers, variants of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from kredslob.design import Design, DesignInParts
from kredslob.errors import ParameterError
from kredslob.targets.numba import Batch, NumbaTarget

_SAME_STEP = 1e-6  # of a time step


@dataclass(frozen=True, kw_only=True)
class BatchInParts(Batch):
    """A batch whose values are made when a part of it is run; its own are those of the first two.

    Parameters
    ----------
    make : callable
        Called with (begin, end); gives the batch of these runs, two or more.
    described : str
        All that the values depend on.
    """

    make: Callable[[int, int], Batch]
    described: str

    def __len__(self) -> int:
        return len(self.numbers)

    def part(self, begin: int, end: int) -> Batch:
        """The runs from begin to end - 1, made now."""
        # what differs from run to run shows in two runs or more
        low = begin if end - begin > 1 else max(0, begin - 1)
        high = max(end, low + 2)
        made = self.make(low, high)
        if len(made) != high - low or not np.array_equal(made.varied, self.varied):
            raise ParameterError(
                f"design: runs {low} to {high - 1} differ from the first runs in what they change, "
                "or are not as many as were asked for"
            )
        return replace(made, numbers=self.numbers[low:high]).part(begin - low, end - low)


def batch_in_parts(
    target: NumbaTarget, design: DesignInParts, first: Batch, make: Callable[[int, int], Batch]
) -> BatchInParts:
    """The runs of a design that is made part by part.

    Parameters
    ----------
    target : NumbaTarget
        What runs them.
    design : DesignInParts
        Says how many there are.
    first : Batch
        The first two.
    make : callable
        Called with (begin, end); gives the batch of a part.

    Raises
    ------
    ParameterError
        The clock differs from run to run, so that what is saved of them could not be planned.
    """
    clock = target.program.clock
    for name in (clock.initial, clock.final, clock.step, clock.saveper):
        if np.isin(target.places(name), first.varied).any():
            raise ParameterError(
                f"design: '{name}' cannot differ in a design that is made in parts"
            )
    own = {field.name: getattr(first, field.name) for field in fields(first)}
    own |= {"numbers": np.arange(design.runs)}
    return BatchInParts(**own, make=make, described=design.described)


def batch_of(target: NumbaTarget, design: Design, seed: int) -> Batch:
    """The runs of a design, for a target that sets aside the equations of its inputs."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ParameterError(f"seed: found {seed!r}, expected a whole number from 0")
    constants = target.constants
    places: list[np.ndarray] = []
    columns: list[np.ndarray] = []
    for name, values in design.values.items():
        held = f"initial {name}" if design.inputs.get(name) == "initial" else name
        if len(values) == 1:
            constants[target.constant_places(held)] = values.ravel()
        else:
            places.append(target.places(held))
            columns.append(values.reshape(len(values), -1))
    varied = np.concatenate(places) if places else np.zeros(0, dtype=np.int64)
    values = np.concatenate(columns, axis=1) if columns else np.zeros((design.runs, 0))
    tables, variant = _table_variants(target, design)
    return Batch(constants, varied, values, np.arange(design.runs), tables, variant, seed)


def _table_variants(
    target: NumbaTarget, design: Design
) -> tuple[Sequence[Mapping[str, Any]], np.ndarray | None]:
    def table(name: str) -> str:
        return name if name in target.program.tables else f"{name} over time"

    shared = {table(n): v[0] for n, v in design.tables.items() if len(v) == 1}
    own = {table(n): v for n, v in design.tables.items() if len(v) > 1}
    if not own:
        return [shared], None
    variants = [shared | {n: v[r] for n, v in own.items()} for r in range(design.runs)]
    return variants, np.arange(design.runs)


def times_of(
    at: Sequence[float], target: NumbaTarget, batch: Batch, argument: str = "at"
) -> list[float]:
    """The times to save at, rising; the argument is named in errors.

    Raises
    ------
    ParameterError
        One is no time step of a run that lasts so long, or no run lasts so long.
    """
    try:
        times = sorted({float(t) for t in at})
    except (TypeError, ValueError):
        raise ParameterError(f"{argument}: found {at!r}, expected a list of times") from None
    if not times or not np.isfinite(times).all():
        raise ParameterError(
            f"{argument}: found {list(at)}, expected times at which to keep values"
        )
    initial, final, step, _ = target.clocks(batch)
    clocks = np.column_stack(np.broadcast_arrays(initial, final, step))
    for start, end, dt in np.unique(clocks, axis=0):
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = (np.array(times) - start) / dt
            off = (steps < -_SAME_STEP) | (np.abs(steps - np.round(steps)) > _SAME_STEP)
        if off.any():
            raise ParameterError(
                f"{argument}: found {times[int(np.argmax(off))]:g}, expected time steps: "
                f"{start:g}, {start + dt:g}, ... {end:g}"
            )
    if times[-1] > np.max(final) + _SAME_STEP * np.max(step):
        raise ParameterError(
            f"{argument}: found {times[-1]:g}, but the runs end at {np.max(final):g}"
        )
    return times
