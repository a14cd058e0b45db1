"""NumPy, vectorised over runs: each equation is one array operation on a block of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.case import Array, Case
from benchmarks.equations import Layout, fixed, initial, rates

SMOOTHS = {"inherited crisis reduction": (), "seen yearly payment": ()}


class NumpyPeer:
    """The model on arrays that hold many runs.

    Parameters
    ----------
    case : Case
        What is run.
    runs : str
        'last': the run axis is the innermost, so that each operation walks memory in line;
        'first': the outermost. Last is up to 1.6 times faster; first is kept to show it.
    block : int
        Runs at a time. Small blocks stay in the cache, large ones spread the cost of a call.
    """

    def __init__(self, case: Case, runs: str = "last", block: int = 1024) -> None:
        self.case, self.layout, self.block = case, Layout(np, runs), block
        self.shapes = {name: case.shapes[name] for name in case.stocks} | SMOOTHS

    def run(self, design: Mapping[str, Array]) -> dict[str, Array]:
        """Run a design; arrays have the saved time first and the run where the layout says."""
        runs = len(next(iter(design.values())))
        out = {n: self._empty(self.case.shapes[n], runs) for n in self.case.saved}
        with np.errstate(all="ignore"):
            for start in range(0, runs, self.block):
                part = slice(start, min(start + self.block, runs))
                self._run_block({n: v[part] for n, v in design.items()}, part, out)
        return out

    def by_name(self, out: Mapping[str, Array]) -> dict[str, Array]:
        """The same with the run first, then time, then subscripts."""
        from_axis = -1 if self.layout.runs == "last" else 1
        return {name: np.moveaxis(array, from_axis, 0) for name, array in out.items()}

    def _empty(self, shape: tuple[int, ...], runs: int) -> Array:
        saves = self.case.clock.saves
        last = self.layout.runs == "last"
        return np.empty((saves, *shape, runs) if last else (saves, runs, *shape))

    def _constants(self, design: Mapping[str, Array]) -> dict[str, Any]:
        last = self.layout.runs == "last"
        constants: dict[str, Any] = {}
        for name, value in self.case.constants.items():
            if not value.ndim:
                constants[name] = float(value)
            else:
                constants[name] = value[..., None] if last else value
        return constants | dict(design)

    def _run_block(self, design: Mapping[str, Array], part: slice, out: dict[str, Array]) -> None:
        lay, clock = self.layout, self.case.clock
        last = lay.runs == "last"
        runs = len(next(iter(design.values())))
        constants = self._constants(design)
        k = fixed(lay, constants, clock.step)
        start = initial(lay, k)
        stocks: dict[str, Array] = {}
        for name, shape in self.shapes.items():
            whole = (*shape, runs) if last else (runs, *shape)
            stocks[name] = np.zeros(whole)
            stocks[name] += start.get(name, 0.0)
        order = max(1, round(float(k.investor_term) / clock.step))
        pipe = np.zeros((order, runs))
        schedule = self.case.lookups["reinvestment schedule"]
        at = (slice(None), part) if not last else (Ellipsis, part)
        for step in range(clock.steps + 1):
            t = clock.start + step * clock.step
            now = np.interp(t, *schedule)
            flows, auxiliaries = rates(lay, k, stocks, t, pipe[step % order], now, clock.step)
            if step % clock.stride == 0:
                for name, target in out.items():
                    value = stocks[name] if name in stocks else auxiliaries[name]
                    target[step // clock.stride][at if last else part] = value
            if step == clock.steps:
                break
            pipe[step % order] = auxiliaries["claims granted"]
            for name, stock in stocks.items():
                stock += flows[name] * clock.step
