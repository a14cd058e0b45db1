"""What the runs of a design come to, in chunks, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.arguments import check_kind, hint, is_number, path_of, refused
from kredslob.datasets import dataset
from kredslob.design import RUN
from kredslob.distributed import carried_out
from kredslob.ensemble import CHUNKS, Ensemble, Job, Progress, Reduce
from kredslob.errors import ParameterError
from kredslob.simulation import HasParameters, Model, check_is_model, check_progress, check_threads
from kredslob.store import StoredAnswers
from kredslob.studies.question import question
from kredslob.targets.numba import Batch, Outcome

_MOST_RUNS = 2_000  # in a chunk: 200 MB with all that the fund is asked for
_ASKED = "what is asked of a run, such as kredslob.at_end('total population')"
_FEWEST_RUNS = 1_000  # what they come to takes a tenth of a second a chunk, however few they are


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

    Examples
    --------
    >>> def most(runs):
    ...     return runs[["total cash"]].max("time")
    >>> asked = kredslob.Outcomes(["total cash"], most)
    >>> draws = kredslob.sample([kredslob.Factor("overhead share", 0.05, 0.2)], 4)
    >>> kredslob.evaluate(kredslob.load(), draws, asked, years=5)["total cash"].values.tolist()
    [12000000.0, 12000000.0, 12000000.0, 12000000.0]
    """

    variables: Sequence[str]
    compute: Callable[[xr.Dataset], xr.Dataset]
    times: Sequence[float] | None = None


def check_asked(model: object, outcomes: object) -> None:
    """Raise ParameterError where a study is given something else for its model or outcomes."""
    check_is_model(model)
    check_kind("outcomes", outcomes, Outcomes, _ASKED)


def at_end(*names: str) -> Outcomes:
    """Last values of variables of any model.

    Parameters
    ----------
    *names : str
        A subscripted variable gives an outcome an element.

    Returns
    -------
    Outcomes

    Raises
    ------
    ParameterError
        There is no name.

    Examples
    --------
    >>> kredslob.at_end("total cash", "total spending").variables
    ('total cash', 'total spending')
    """
    _check_names(names)

    def compute(runs: xr.Dataset) -> xr.Dataset:
        return runs[list(names)].isel(time=-1, drop=True)

    return Outcomes(names, compute)


def _check_names(names: Sequence[str]) -> None:
    if not names or not all(isinstance(name, str) for name in names):
        given = names[0] if len(names) == 1 else names
        raise refused("names", given, "names one by one, such as at_end('births', 'deaths')")


def over_time(*names: str, times: Sequence[float]) -> Outcomes:
    """Values of variables of any model at each of some times.

    Parameters
    ----------
    *names : str
        As for `at_end`.
    times : sequence of float
        In the model's time unit; each a time step.

    Returns
    -------
    Outcomes

    Raises
    ------
    ParameterError
        There is no name or time.

    Examples
    --------
    >>> kredslob.over_time("total cash", times=[5, 10]).times
    [5, 10]
    """
    _check_names(names)
    if not isinstance(times, Iterable) or not list(times) or not all(map(is_number, times)):
        raise refused("times", times, "a list of times")

    def compute(runs: xr.Dataset) -> xr.Dataset:
        return runs[list(names)]

    return Outcomes(names, compute, times)


def only(outcomes: Outcomes, *names: str) -> Outcomes:
    """Some of the outcomes, by name.

    Parameters
    ----------
    outcomes : Outcomes
        What is asked of each run.
    *names : str
        Those to keep. One that is not among them is a ParameterError as soon as runs are made.

    Returns
    -------
    Outcomes

    Examples
    --------
    >>> asked = kredslob.only(kredslob.cycle_questions(20), "citizens helped")
    >>> asked.times[-1]
    20.0
    """
    check_kind("outcomes", outcomes, Outcomes, _ASKED)

    def compute(runs: xr.Dataset) -> xr.Dataset:
        found = outcomes.compute(runs)
        for name in names:
            if name not in found:
                known = [str(one) for one in found]
                raise ParameterError(
                    f"found no outcome '{name}', expected one of {', '.join(known)}"
                    f"{hint(name, known)}"
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
    store: Path | str | None = None,
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
    scenario, years, seed, threads
        As for `Model.run_many`.
    client : dask.distributed.Client, optional
        A cluster whose workers share the work, what is computed from the runs included; the
        numbers are the same. Needs ``kredslob[cluster]``.
    store : Path or str, optional
        Folder for what each chunk of runs comes to, as soon as it is finished. If the work is
        broken off, the same call goes on with what is missing, here or on a cluster.
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
    InputFileError
        The store cannot be used, or holds the answers to another question.

    Examples
    --------
    >>> draws = kredslob.sample([kredslob.Factor("overhead share", 0.05, 0.2)], 8)
    >>> runs = kredslob.evaluate(
    ...     kredslob.load(), draws, kredslob.at_end("total cash"), years=5
    ... )
    >>> list(runs.data_vars)
    ['total cash', 'input overhead share']
    """
    check_asked(model, outcomes)
    check_progress(progress)
    check_kind("design", design, xr.Dataset, "a Dataset over run, such as kredslob.sample gives")
    count = design.sizes.get(RUN, 0)
    if not count:
        raise ParameterError("design: found no runs, expected at least one")
    check_threads(threads)
    ensemble = model.ensemble(
        design,
        scenario,
        years=years,
        at=outcomes.times,
        save=list(outcomes.variables),
        seed=seed,
        chunk_runs=int(np.clip(-(-count // CHUNKS), _FEWEST_RUNS, _MOST_RUNS)),
    )
    kept = None
    if store is not None:
        asked = question(model, ensemble.plan, outcomes.compute)
        kept = StoredAnswers(path_of("store", store, "the name of a folder"), asked)
    results = carried_out(ensemble, _Answered(ensemble, outcomes, kept), threads, client, progress)
    results = results.assign_coords({RUN: design[RUN].values})
    inputs = {f"input {name}": values for name, values in design.data_vars.items()}
    shared = model.shared_design(scenario, {}, years, None, None)
    made_by = model.provenance(shared, scenario, model.program.integration, seed)
    return results.assign(inputs).assign_attrs({**made_by, **design.attrs})


@dataclass
class _Answered:
    """A sink that keeps what each chunk of runs comes to, in memory or in a store."""

    ensemble: Ensemble
    outcomes: Outcomes
    store: StoredAnswers | None
    reduce: Reduce = field(init=False)
    _answers: dict[int, xr.Dataset] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.reduce = _Answering(self.outcomes.compute)

    def missing(self) -> list[int]:
        """Chunks that are not in the store."""
        there = self.store.finished() if self.store else set()
        return [chunk for chunk in range(self.ensemble.chunks) if chunk not in there]

    def take(self, chunk: int, piece: xr.Dataset) -> None:
        """Keep the answers of a chunk."""
        if self.store:
            self.store.save(chunk, piece)
        else:
            self._answers[chunk] = piece

    def pause(self) -> None:
        """All that is finished is in the store."""

    def result(self) -> xr.Dataset:
        """The answers of all chunks."""
        chunks = range(self.ensemble.chunks)
        answers = [self.store.load(k) if self.store else self._answers[k] for k in chunks]
        return xr.concat(answers, RUN)


@dataclass(frozen=True)
class _Answering:
    compute: Callable[[xr.Dataset], xr.Dataset]

    def is_finished(self, chunk: int) -> bool:
        return False

    def __call__(
        self, job: Job, chunk: int, batch: Batch, outcome: Outcome, threads: int
    ) -> xr.Dataset:
        """What a chunk comes to, where it ran."""
        runs = dataset(job.target, job.names, batch, outcome, {})
        # a copy: what is read from a run is a view of it, and would keep all of its numbers
        return self.compute(runs).drop_vars(RUN, errors="ignore").copy(deep=True)
