"""The engine itself, behind the face that the peers have. The only place that knows its API."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

import kredslob
from benchmarks.case import Array, Case


class EnginePeer:
    """kredslob's compiled engine.

    Parameters
    ----------
    case : Case
        What is run.
    threads : int
        Threads to run on.
    """

    def __init__(self, case: Case, threads: int = 1) -> None:
        self.case, self.threads = case, threads
        self.model = kredslob.load(case.path)

    def run(self, design: Mapping[str, Array]) -> xr.Dataset:
        """Run a design; a Dataset over ``run``, ``time`` and subscripts."""
        case = self.case
        return self.model.run_many(
            dict(design),
            dict(case.changed),
            years=case.years,
            saveper=case.saveper,
            save=case.saved,
            threads=self.threads,
        )

    def run_once(self, design: Mapping[str, Array]) -> xr.Dataset:
        """Run the first row of a design by itself, as a caller who wants one run does."""
        case = self.case
        first = {name: float(values[0]) for name, values in design.items()}
        return self.model.run(
            dict(case.changed) | first, years=case.years, saveper=case.saveper, save=case.saved
        )

    def by_name(self, out: xr.Dataset) -> dict[str, Array]:
        """The same as arrays, with the run first, then time, then subscripts."""
        names = self.case.saved
        return {n: np.asarray(out[n].transpose("run", "time", ...).values) for n in names}
