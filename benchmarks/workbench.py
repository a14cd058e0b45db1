"""One study by EMA Workbench driving PySD and by kredslob: runs a second, and the same numbers.

    pip install -e ".[benchmark]"
    python -m benchmarks.workbench

EMA Workbench (Kwakkel 2017, doi:10.1016/j.envsoft.2017.06.054; 2.5 is the last one for Python 3.11)
runs a Latin hypercube of the reinvestment model one run after another, as many as it manages in
about a minute. kredslob runs the same design, and a larger one for its own speed.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import xarray as xr

import kredslob
from benchmarks.case import VARIED
from kredslob.paths import reinvestment_folder
from kredslob.studies.factors import factors_of, sample

BUDGET = 60.0  # seconds for the workbench
OUTCOME = "total cash"
MANY = 4_096


def workbench(design: xr.Dataset, folder: Path, runs: int) -> tuple[np.ndarray, float]:
    """Run the first runs of a design; the outcome of each, over time, and seconds in all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ema_workbench import RealParameter, Scenario, TimeSeriesOutcome, perform_experiments
        from ema_workbench.connectors.pysd_connector import PysdModel

        # PySD writes its translation beside the model file
        path = shutil.copy(reinvestment_folder() / "reinvestment.mdl", folder)
        model = PysdModel("reinvestment", mdl_file=str(path))
        plain = {name: name.replace(" ", "_") for name in VARIED}
        model.uncertainties = [
            RealParameter(plain[name], low, high, variable_name=[name])
            for name, (low, high) in VARIED.items()
        ]
        model.outcomes = [TimeSeriesOutcome("cash", variable_name=[OUTCOME])]
        scenarios = [
            Scenario(str(run), **{plain[n]: float(design[n][run]) for n in VARIED})
            for run in range(runs)
        ]
        begin = time.perf_counter()
        _, outcomes = perform_experiments(model, scenarios=scenarios)
        return np.asarray(outcomes["cash"]), time.perf_counter() - begin


def main() -> None:
    """Print the runs a second of both, their ratio, and how far their numbers are apart."""
    factors = factors_of(VARIED)
    design = sample(factors, 64, method="latin")
    with tempfile.TemporaryDirectory() as folder:
        _, first = workbench(design, Path(folder), 1)
        runs = max(1, int((BUDGET - first) / first))
        theirs, seconds = workbench(design, Path(folder), runs)
    model = kredslob.load()
    few = model.run_many(design.isel(run=slice(runs)), save=[OUTCOME])
    apart = np.abs(few[OUTCOME].values - theirs[:, : few.sizes["time"]]).max()
    many = sample(factors, MANY, method="latin")
    model.run_many(many.isel(run=slice(16)), save=[OUTCOME])
    begin = time.perf_counter()
    model.run_many(many, save=[OUTCOME])
    ours = (time.perf_counter() - begin) / MANY
    size = float(np.abs(theirs).max())
    print(f"EMA Workbench on PySD: {runs} runs in {seconds:.0f} s, {runs / seconds:.3g} a second")
    print(f"kredslob: {MANY} runs, {1 / ours:,.0f} a second")
    print(f"ratio: {seconds / runs / ours:,.0f}")
    print(f"largest difference in '{OUTCOME}': {apart:.2g} of {size:.3g} DKK")


if __name__ == "__main__":
    main()
