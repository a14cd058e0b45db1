"""What the runs of a design come to, in chunks, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr

from kredslob.design import RUN
from kredslob.ensemble import Progress
from kredslob.errors import ParameterError
from kredslob.simulation import HasParameters, Model

_CHUNK = 2_000  # runs in memory together: 200 MB with all that the fund is asked for


@dataclass(frozen=True)
class Outcomes:
    """What a study asks of each run.

    Parameters
    ----------
    variables : sequence of str
        Variables of the model to save.
    compute : callable
        Takes a Dataset of runs with these variables over ``run`` and ``time``, and gives the
        outcomes: a Dataset over ``run``, with units and long names.
    times : sequence of float, optional
        Times to save. Default: each SAVEPER.
    """

    variables: Sequence[str]
    compute: Callable[[xr.Dataset], xr.Dataset]
    times: Sequence[float] | None = None


def at_end(*names: str) -> Outcomes:
    """Last values of variables of any model; a subscripted one gives an outcome an element."""

    def compute(runs: xr.Dataset) -> xr.Dataset:
        return runs[list(names)].isel(time=-1, drop=True)

    return Outcomes(names, compute)


def over_time(*names: str, times: Sequence[float]) -> Outcomes:
    """Values of variables of any model at each of some times, in the model's time unit."""

    def compute(runs: xr.Dataset) -> xr.Dataset:
        return runs[list(names)]

    return Outcomes(names, compute, times)


def only(outcomes: Outcomes, *names: str) -> Outcomes:
    """Some of the outcomes, by name; one that is not among them is a ParameterError of a run."""

    def compute(runs: xr.Dataset) -> xr.Dataset:
        found = outcomes.compute(runs)
        for name in names:
            if name not in found:
                raise ParameterError(
                    f"found no outcome '{name}', expected one of {', '.join(map(str, found))}"
                )
        return found[list(names)]

    return Outcomes(outcomes.variables, compute, outcomes.times)


def evaluate(
    model: Model,
    design: xr.Dataset,
    outcomes: Outcomes,
    scenario: Mapping[str, Any] | HasParameters | None = None,
    *,
    years: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    client: Any = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Run a design and keep what the runs come to.

    Parameters
    ----------
    model : Model
        Any model.
    design : Dataset
        Over ``run``, such as `kredslob.studies.factors.sample` gives.
    outcomes : Outcomes
        What is asked.
    scenario, years, seed, threads, client
        As for `Model.run_many`.
    progress : callable, optional
        Called with (runs done, runs in all).

    Returns
    -------
    Dataset
        Over ``run``: the outcomes, and the design under "input NAME"; attributes say what made it.

    Raises
    ------
    ParameterError
        The design has no runs, or as for `Model.run_many`.
    """
    count = design.sizes.get(RUN, 0)
    if not count:
        raise ParameterError("design: found no runs, expected at least one")
    found = []
    for begin in range(0, count, _CHUNK):
        part = design.isel({RUN: slice(begin, begin + _CHUNK)})
        runs = model.run_many(
            part,
            scenario,
            years=years,
            at=outcomes.times,
            save=list(outcomes.variables),
            seed=seed,
            threads=threads,
            client=client,
        )
        # a copy: what is read from a run is a view of it, and would keep all of its numbers
        answers = outcomes.compute(runs).drop_vars(RUN, errors="ignore").copy(deep=True)
        found.append(answers)
        if progress:
            progress(min(begin + _CHUNK, count), count)
    results = xr.concat(found, RUN).assign_coords({RUN: design[RUN].values})
    inputs = {f"input {name}": values for name, values in design.data_vars.items()}
    shared = model.shared_design(scenario, {}, years, None, None)
    made_by = model.provenance(shared, scenario, model.program.integration, seed)
    return results.assign(inputs).assign_attrs({**made_by, **design.attrs})
