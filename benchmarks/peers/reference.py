"""PySD, the reference: right, and slow."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from benchmarks.case import Array, Case
from kredslob.targets.pysd import Clock, PysdTarget




class PysdPeer:
    """PySD as kredslob uses it, one run after another.

    Parameters
    ----------
    case : Case
        What is run.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self._target = PysdTarget(case.path)

    def run(self, design: Mapping[str, Array]) -> list[dict[str, xr.DataArray]]:
        """Run a design; one dict of DataArrays a run."""
        case = self.case
        clock = Clock(case.clock.end, case.clock.step, case.clock.save)
        runs = len(next(iter(design.values())))
        results = []
        for run in range(runs):
            constants = {n: self._labelled(n, v) for n, v in case.changed.items()}
            constants |= {name: float(values[run]) for name, values in design.items()}
            results.append(self._target.run(constants, clock, case.saved))
        return results

    def by_name(self, out: list[dict[str, xr.DataArray]]) -> dict[str, Array]:
        """The same with the run first, then time, then subscripts."""
        return {name: np.stack([one[name].values for one in out]) for name in self.case.saved}

    def _labelled(self, name: str, value: object) -> float | xr.DataArray:
        variable = self.case.variable(name)
        if not variable.dims:
            return float(np.asarray(value))
        coords = {dim: list(self.case.subscripts[dim]) for dim in variable.dims}
        return xr.DataArray(self.case.constants[name], coords, variable.dims)
