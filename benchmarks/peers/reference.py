"""PySD, the reference: right, and slow."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from benchmarks.case import Array, Case


class PysdPeer:
    """PySD, one run after another, with the setting of xarray that suits it best.

    Parameters
    ----------
    case : Case
        What is run.
    """

    def __init__(self, case: Case) -> None:
        import pysd

        self.case = case
        self._folder = tempfile.TemporaryDirectory(prefix="kredslob-benchmark-")
        copy = Path(self._folder.name) / case.path.name
        shutil.copyfile(case.path, copy)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._model = pysd.read_vensim(str(copy))

    def run(self, design: Mapping[str, Array]) -> list[Any]:
        """Run a design; one table a run."""
        case = self.case
        runs = len(next(iter(design.values())))
        results = []
        for run in range(runs):
            self._model.reload()
            constants = {name: self._labelled(name) for name in case.changed}
            constants |= {name: float(values[run]) for name, values in design.items()}
            # PySD never mixes elements of a subscript, so exact labels may be asked for; that
            # spares xarray a copy of each operand and halves the time of a run.
            with warnings.catch_warnings(), xr.set_options(arithmetic_join="exact"):
                warnings.simplefilter("ignore")
                table = self._model.run(
                    params=constants,
                    return_columns=case.saved,
                    final_time=case.clock.end,
                    saveper=case.clock.save,
                    flatten_output=False,
                )
            results.append(table)
        return results

    def by_name(self, out: list[Any]) -> dict[str, Array]:
        """The same by name, with the run first, then time, then subscripts."""
        return {
            name: np.stack([np.stack([_plain(cell) for cell in table[name]]) for table in out])
            for name in self.case.saved
        }

    def _labelled(self, name: str) -> float | xr.DataArray:
        dims, value = self.case.variable(name).dims, self.case.constants[name]
        if not dims:
            return float(value)
        return xr.DataArray(value, {dim: list(self.case.subscripts[dim]) for dim in dims}, dims)


def _plain(cell: Any) -> Array:
    return np.asarray(getattr(cell, "values", cell), dtype=float)
