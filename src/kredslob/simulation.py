"""Running a model: constants in, a labelled dataset out. Knows any model, and no fund."""

from __future__ import annotations

import copy
import fnmatch
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.arguments import check_kind, hint, is_number, names_of, path_of, refused
from kredslob.batches import batch_in_parts, batch_of, times_of
from kredslob.bounds import check_bounds
from kredslob.datasets import dataset, differing, from_arrays, provenance, run_dataset
from kredslob.design import (
    Design,
    DesignInParts,
    check_within,
    many_designs,
    merged,
    one_design,
)
from kredslob.distributed import carried_out
from kredslob.ensemble import Ensemble, Folded, Gathered, Progress, Sink, Tally, planned
from kredslob.errors import ParameterError
from kredslob.limits import Limits, limits_in_force
from kredslob.lowering import lower_model
from kredslob.lowering.external import Access
from kredslob.program import Array, Program, key
from kredslob.reading import ModelFile, abstract_model, integration_method, read_model, source_lines
from kredslob.summaries import SKETCH_BYTES, Statistics, statistics_of
from kredslob.targets.numba import Batch, NumbaTarget

ENGINES = ("numba", "pysd")
METHODS = ("euler", "rk4")


@runtime_checkable
class HasParameters(Protocol):
    """Anything that carries constants to change, such as a scenario."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Values by name of the constant."""
        ...


def check_is_model(model: object) -> None:
    """Raise ParameterError where something else is given for a model, such as its file."""
    named = isinstance(model, str | Path) and Path(model).suffix
    file = repr(str(model)) if named else ""
    check_kind("model", model, Model, f"what kredslob.load({file}) gives")


def parameters_of(scenario: Any) -> Mapping[str, Any]:
    """What a scenario states, in whichever form it is given.

    Raises
    ------
    ParameterError
        It is neither a mapping nor something that carries one.
    """
    stated = scenario.parameters if isinstance(scenario, HasParameters) else scenario
    if stated is None:
        return {}
    if not isinstance(stated, Mapping):
        name = repr(scenario) if isinstance(scenario, str) else ""
        expected = f"a dict of names and values, or what kredslob.load_scenario({name}) gives"
        raise refused("scenario", scenario, expected)
    return stated


def check_progress(progress: Any) -> None:
    """Raise ParameterError where nothing could be told how far the work is."""
    if progress is not None and not callable(progress):
        raise refused("progress", progress, "a function that takes (runs done, runs in all)")


@dataclass(frozen=True)
class _Plan:
    """A design that has been checked, and all that is needed to run it."""

    target: NumbaTarget
    kept: Sequence[str]
    places: np.ndarray
    batch: Batch
    times: Sequence[float]
    rk4: bool
    made_by: Mapping[str, Any]

    def ensemble(self, chunk_runs: int | None = None) -> Ensemble:
        """The same in chunks."""
        return planned(
            self.target,
            self.kept,
            self.places,
            self.batch,
            at=self.times,
            rk4=self.rk4,
            made_by=self.made_by,
            chunk_runs=chunk_runs,
        )


class Model:
    """A stock-and-flow model that can be run.

    Parameters
    ----------
    path : Path or str
        A Vensim or XMILE file.
    limits : Limits, optional
        How much the file may ask for. Default: `kredslob.limits.limits_in_force`.
    allow : sequence of Path or str
        Folders besides the model's own in which data files that it names may lie.

    Raises
    ------
    InputFileError
        The file cannot be read, or its equations cannot be understood.

    Examples
    --------
    >>> model = kredslob.load()
    >>> run = model.run(reinvestment_rate=0.75, years=10)
    >>> round(float(run["total cash"].sel(time=10)), -3)
    435000.0
    >>> run["total cash"].attrs["units"]
    'DKK'
    """

    def __init__(
        self,
        path: Path | str,
        *,
        limits: Limits | None = None,
        allow: Sequence[Path | str] = (),
    ) -> None:
        file = path_of("path", path, "the name of a model file")
        self._limits = limits_in_force(limits)
        if isinstance(allow, str | Path):
            raise refused("allow", allow, "a list of folders")
        self._allow = tuple(allow)
        self.file: ModelFile = read_model(file, self._limits)
        self.program: Program = self._lowered({})
        # lowest and highest value by constant, where whoever loads the model knows of any
        self.bounds: Mapping[str, tuple[np.ndarray, np.ndarray]] = {}
        self._pysd: Any = None
        self._targets: dict[tuple[tuple[str, str], ...], NumbaTarget] = {}

    @cached_property
    def variables(self) -> Mapping[str, Array]:
        """Variables by name, in the order of the file.

        Examples
        --------
        >>> kredslob.load().variables["Fund Cash"].unit
        'DKK'
        """
        return {n: a for n, a in self.program.arrays.items() if a.is_visible}

    @property
    def subscripts(self) -> Mapping[str, tuple[str, ...]]:
        """Elements of each subscript range.

        Examples
        --------
        >>> kredslob.load().subscripts["Purse"]
        ('municipality', 'region', 'state')
        """
        return self.program.ranges

    def without_bounds(self) -> Model:
        """The same model for values outside its bounds, as a study of its limits needs it.

        Returns
        -------
        Model
            What is compiled is shared.

        Examples
        --------
        >>> model = kredslob.load().without_bounds()
        >>> run = model.run(reinvestment_rate=2, years=1)
        >>> float(run["reinvestment rate in force"][-1])
        2.0
        """
        free = copy.copy(self)
        free.bounds = {}
        return free

    def run(
        self,
        scenario: Mapping[str, Any] | HasParameters | None = None,
        *,
        years: float | None = None,
        time_step: float | None = None,
        saveper: float | None = None,
        save: Sequence[str] | None = None,
        integration: str | None = None,
        seed: int = 0,
        engine: str = "numba",
        **constants: Any,
    ) -> xr.Dataset:
        """Run the model once.

        Parameters
        ----------
        scenario : mapping or object with ``parameters``, optional
            What to change, by name. A constant, or any other variable, which then keeps that value:
            a number, an array in the order of the subscripts, or a (nested) dict by element. A
            stock: its initial value. A lookup: a list of (argument, value) pairs, or one a
            element. Any variable over time: a Series with times as index, or a DataArray with the
            dimension ``time``, interpolated.
        years : float, optional
            Length of the run in the model's time unit. Default: as the file says.
        time_step, saveper : float, optional
            Integration step and saving interval. Default: as the file says.
        save : sequence of str, optional
            Names of the variables to keep; ``*`` stands for any letters. Default: all.
        integration : str, optional
            ``euler`` or ``rk4``. Default: as the file says.
        seed : int
            Of the random functions, if the model has any.
        engine : str
            ``numba``, or ``pysd`` for the slow, independent reference.
        **constants
            More constants, with ``_`` for blanks: ``reinvestment_rate=0.5``. They come last.

        Returns
        -------
        xarray.Dataset
            Variables under their names in the file, over ``time`` and their subscripts, with
            units, long names and descriptions; attributes say what made them.

        Raises
        ------
        ParameterError
            A name is unknown, or a value has the wrong shape or is not a finite number.

        Examples
        --------
        >>> model = kredslob.load()
        >>> run = model.run(kredslob.load_scenario("half"), years=10, save=["total cash"])
        >>> run["total cash"].sel(time=[0, 5, 10]).round(-3).values
        array([12000000.,  1149000.,   307000.])
        >>> all_of_it = model.run(reinvestment_rate=1, years=10, save=["*cash*"])
        >>> float(all_of_it["total cash"][-1]) > float(run["total cash"][-1])
        True
        """
        design = self.shared_design(scenario, constants, years, time_step, saveper)
        kept = self._kept(save)
        method = self._method(integration)
        if engine not in ENGINES:
            raise ParameterError(f"engine: found '{engine}', expected one of {', '.join(ENGINES)}")
        target = self.target(design.inputs)
        batch = batch_of(target, design, seed)
        places = self._places(target, kept)
        check_bounds(target, batch, self._limits, runs=1, saved=len(places))
        if engine == "pysd":
            made_by = self.provenance(design, scenario, method, seed, "PySD")
            return self._on_pysd(design, kept, method, made_by)
        outcome = target.run(batch, places, rk4=method == "rk4", threads=1)
        made_by = self.provenance(design, scenario, method, seed)
        return run_dataset(target, kept, batch, outcome, made_by)

    def run_many(
        self,
        design: Any,
        scenario: Mapping[str, Any] | HasParameters | None = None,
        *,
        years: float | None = None,
        time_step: float | None = None,
        saveper: float | None = None,
        at: Sequence[float] | None = None,
        save: Sequence[str] | None = None,
        integration: str | None = None,
        seed: int = 0,
        threads: int | None = None,
        summary: Iterable[str | float] | None = None,
        client: Any = None,
        store: Path | str | None = None,
        progress: Progress | None = None,
    ) -> xr.Dataset:
        """Run the model once for each row of a design, side by side on the processors at hand.

        Parameters
        ----------
        design : DataFrame, Dataset, mapping, iterable of mappings or DesignInParts
            What differs from run to run, laid over the scenario: a table with a row a run and a
            column ``name`` or ``name[element]``; a Dataset over ``run``; a mapping of names to
            arrays whose first axis is the run; one mapping a run, as for `run`; or any of these
            made part by part, as from `kredslob.sample_in_parts`, with a summary or a store.
        scenario, years, time_step, saveper, save, integration
            As for `run`.
        at : sequence of float, optional
            Times at which to keep values; each must be a time step. Default: each SAVEPER.
        seed : int
            Of the random functions. A run's numbers depend on the seed and its place in the
            design, not on the number of threads.
        threads : int, optional
            Default: one a processor; with a client, one for each chunk of runs.
        progress : callable, optional
            Called with (runs done, runs in all) as the work goes on, never by two threads at once.
        summary : iterable of str or float, optional
            Instead of the runs, what they come to: ``count`` (of runs with a number there),
            ``mean``, ``variance``, ``std``, ``min``, ``max``, a number from 0 to 1 for a quantile,
            and ``final`` for the last value of each run. The runs themselves are forgotten, so
            that memory grows with their number by the design alone, and by nothing where that is
            made in parts; but for ``final``.
        store : Path or str, optional
            Folder for a Zarr store, to which results are written as the work goes on. If it is
            broken off, the same call goes on with what is missing. Needs ``kredslob[cluster]``.
        client : dask.distributed.Client, optional
            A cluster whose workers share the work; the numbers are the same to the last bit. With
            a store, all workers must see its folder. Needs ``kredslob[cluster]``.

        Returns
        -------
        xarray.Dataset
            As from `run`, with a leading dimension ``run``. What is the same in all runs because
            it is a constant that none of them changes has no such dimension. With a store, values
            are read when they are asked for. With a summary, the leading dimension is
            ``statistic``, with quantiles as ``q0.05``, within 0.2 % of each run's value; last
            values are in ``final NAME``, over ``run``.

        Raises
        ------
        ParameterError
            As for `run`; checked for all runs before the first one starts. Also if the results
            would not fit into memory, or something is asked for that is not installed.
        InputFileError
            The store cannot be used, or holds other results.

        Examples
        --------
        >>> model = kredslob.load()
        >>> design = {"reinvestment rate": np.linspace(0, 1, 100)}
        >>> bands = model.run_many(
        ...     design, years=10, save=["total cash"], summary=["mean", 0.05, 0.95]
        ... )
        >>> bands["total cash"].sel(time=10).round(-3).to_series()
        statistic
        mean     310000.0
        q0.05     91000.0
        q0.95    534000.0
        Name: total cash, dtype: float64
        """
        check_threads(threads)
        check_progress(progress)
        asked = None if summary is None else statistics_of(summary)
        plan = self._plan(
            design,
            scenario,
            years=years,
            time_step=time_step,
            saveper=saveper,
            at=at,
            save=save,
            integration=integration,
            seed=seed,
        )
        target, batch, times = plan.target, plan.batch, plan.times
        if asked is None and store is None and isinstance(design, DesignInParts):
            raise ParameterError("a design that is made in parts needs summary= or store=")
        if asked is None and store is None and client is None:
            count = len(plan.places)
            check_bounds(target, batch, self._limits, runs=len(batch), saved=count, at=times)
            outcome = target.run(
                batch,
                plan.places,
                at=times,
                rk4=plan.rk4,
                threads=threads,
                done=Tally(progress, len(batch)),
            )
            return dataset(target, plan.kept, batch, outcome, plan.made_by)
        if asked is not None:  # a constant that differs is summed up like any other variable
            moving = [target.places(n) for n in differing(target, plan.kept, batch)]
            places = np.concatenate(moving) if moving else plan.places[:0]
            plan = replace(plan, places=places)
        ensemble = plan.ensemble()
        held = len(batch) if store is None and asked is None else ensemble.job.chunk_runs
        count = len(plan.places)
        check_bounds(target, batch, self._limits, runs=held, saved=count, at=times)
        return carried_out(ensemble, self._sink(ensemble, asked, store), threads, client, progress)

    def ensemble(
        self,
        design: Any,
        scenario: Mapping[str, Any] | HasParameters | None = None,
        *,
        years: float | None = None,
        at: Sequence[float] | None = None,
        save: Sequence[str] | None = None,
        seed: int = 0,
        chunk_runs: int | None = None,
    ) -> Ensemble:
        """Plan runs, for a sink that makes something of its own of each chunk.

        Parameters
        ----------
        design, scenario, years, at, save, seed
            As for `run_many`.
        chunk_runs : int, optional
            Most runs in a chunk. Default: as `run_many` has it.

        Returns
        -------
        Ensemble

        Raises
        ------
        ParameterError
            As for `run_many`.
        """
        plan = self._plan(design, scenario, years=years, at=at, save=save, seed=seed)
        ensemble = plan.ensemble(chunk_runs)
        check_bounds(
            plan.target,
            plan.batch,
            self._limits,
            runs=ensemble.job.chunk_runs,
            saved=len(plan.places),
            at=plan.times,
        )
        return ensemble

    def _plan(
        self,
        design: Any,
        scenario: Mapping[str, Any] | HasParameters | None,
        *,
        years: float | None,
        at: Sequence[float] | None,
        save: Sequence[str] | None,
        seed: int,
        time_step: float | None = None,
        saveper: float | None = None,
        integration: str | None = None,
    ) -> _Plan:
        shared = self.shared_design(scenario, {}, years, time_step, saveper)
        parts = design if isinstance(design, DesignInParts) else None
        whole = self._checked(parts.part(0, 2) if parts else design, shared)
        kept = self._kept(save)
        method = self._method(integration)
        target = self.target(whole.inputs)
        batch = batch_of(target, whole, seed)
        made_by = self.provenance(whole, scenario, method, seed)
        if parts:

            def make(begin: int, end: int) -> Batch:
                return batch_of(target, self._checked(parts.part(begin, end), shared), seed)

            batch = batch_in_parts(target, parts, batch, make)
            made_by["design"] = parts.described
        return _Plan(
            target=target,
            kept=kept,
            places=self._places(target, kept),
            batch=batch,
            times=[] if at is None else times_of(at, target, batch),
            rk4=method == "rk4",
            made_by=made_by,
        )

    def _checked(self, design: Any, shared: Design) -> Design:
        whole = many_designs(self.program, design, shared)
        check_within(self.program, whole, self.bounds)
        return whole

    def _sink(self, ensemble: Ensemble, asked: Statistics | None, store: Path | str | None) -> Sink:
        """Where the results of an ensemble go."""
        if asked is not None and asked.quantiles:
            cells = len(ensemble.job.times) * len(ensemble.job.saved)
            size = cells * min(SKETCH_BYTES, 64 * len(ensemble.batch))
            if size > 8 * self._limits.saved_values:
                found = f"they are {size // 8:,} saved values"
                raise ParameterError(
                    f"quantiles of {cells} values may take {size / 2**30:.0f} GiB; "
                    "name fewer variables with save=, or times with at=; "
                    + self._limits.exceeded("saved_values", found)
                )
        if store is None:
            return Gathered(ensemble) if asked is None else Folded(ensemble, asked)
        from kredslob.store import Stored, StoredSummary, check_installed

        check_installed()
        path = path_of("store", store, "the name of a folder")
        if asked is None:
            return Stored(ensemble, path)
        plan = f"{ensemble.plan} {' '.join(asked.labels)} {asked.final}"
        return Folded(ensemble, asked, StoredSummary(path, plan))

    def target(self, inputs: Mapping[str, str]) -> NumbaTarget:
        """Compile the model, with the equations of some variables set aside for inputs.

        Parameters
        ----------
        inputs : mapping of str to str
            By variable, how it is given: as `kredslob.design.Design` has it.

        Returns
        -------
        NumbaTarget
            The same one for the same inputs.
        """
        name = tuple(sorted(inputs.items()))
        if name not in self._targets:
            program = self._lowered(inputs) if inputs else self.program
            self._targets[name] = NumbaTarget(program)
        return self._targets[name]

    # --- what goes in ---

    def _lowered(self, inputs: Mapping[str, str]) -> Program:
        path = self.file.path
        return lower_model(
            abstract_model(path, self._limits),
            path,
            self.file.sha256,
            lines=source_lines(path, self._limits),
            integration=integration_method(path, self._limits),
            inputs=inputs,
            limits=self._limits,
            allow=self._allow,
        )

    def shared_design(
        self,
        scenario: Mapping[str, Any] | HasParameters | None,
        constants: Mapping[str, Any],
        years: float | None,
        time_step: float | None,
        saveper: float | None,
    ) -> Design:
        """What all runs share, checked: scenario, constants given by keyword, and the clock.

        Parameters
        ----------
        scenario, constants, years, time_step, saveper
            As for `run`.

        Returns
        -------
        Design

        Raises
        ------
        ParameterError
            As for `run`.
        """
        for what, value in (("years", years), ("time_step", time_step), ("saveper", saveper)):
            check_above_zero(what, value)
        base = parameters_of(scenario)
        clock = self.program.clock
        times: dict[str, Any] = {}
        if years is not None:
            times[clock.final] = self._initial_time(merged([base, constants])) + years
        if time_step is not None:
            times[clock.step] = time_step
        if saveper is not None:
            times[clock.saveper] = saveper
        design = one_design(self.program, merged([base, constants, times]))
        check_within(self.program, design, self.bounds)
        given = {n: v for n, v in design.given.items() if n not in times}
        return Design(1, design.values, design.tables, design.inputs, given)

    def _initial_time(self, changes: Mapping[str, Any]) -> float:
        """When a run begins, under these changes."""
        initial = self.program.clock.initial
        design = one_design(self.program, changes)
        if initial in design.values:
            return float(design.values[initial].ravel()[0])
        if initial in self.program.defaults:
            return self.program.defaults[initial][0]
        target = self.target(design.inputs)
        batch = batch_of(target, design, 0)
        return float(target.run(batch, np.zeros(0, dtype=np.int64), threads=1).times[0])

    def _method(self, integration: str | None) -> str:
        method = integration or self.program.integration
        if method not in METHODS:
            raise ParameterError(
                f"integration: found '{integration}', expected one of {', '.join(METHODS)}"
            )
        return method

    def _kept(self, save: Sequence[str] | None) -> list[str]:
        known = {key(n): n for n, a in self.variables.items() if a.kind != "lookup"}
        if save is None:
            return list(known.values())
        kept: dict[str, None] = {}
        for name in names_of("save", save):
            found = fnmatch.filter(known, key(name)) if "*" in name else [key(name)]
            if not found or found[0] not in known:
                raise ParameterError(
                    f"{self.file.path.name} has no variable '{name}' to save"
                    f"{hint(name, known.values())}"
                )
            kept |= dict.fromkeys(known[n] for n in found)
        return list(kept)

    def _places(self, target: NumbaTarget, kept: Sequence[str]) -> np.ndarray:
        """Where the values to save lie; constants need not be saved."""
        moving = [target.places(n) for n in kept if n not in target.program.defaults]
        return np.concatenate(moving) if moving else np.zeros(0, dtype=np.int64)

    # --- what comes out ---

    def provenance(
        self, design: Design, scenario: Any, method: str, seed: int, engine: str = "Numba"
    ) -> dict[str, Any]:
        """Say what made a result, as attributes of its dataset.

        Parameters
        ----------
        design : Design
            What differed between the runs.
        scenario : object
            What was given as scenario; its name and setting are kept if it has them.
        method, engine : str
            Integration, and what ran it.
        seed : int
            Of the random functions.

        Returns
        -------
        dict
            As from `kredslob.datasets.provenance`.
        """
        clock = self.program.clock
        short = {clock.final: "final", clock.step: "step", clock.saveper: "saveper"}
        times = {
            short[name]: float(values.ravel()[0])
            for name, values in design.values.items()
            if name in short and name not in design.given
        }
        return provenance(
            self.program,
            scenario=scenario,
            parameters=design.given,
            clock=times,
            integration=method,
            engine=engine,
            seed=seed,
        )

    def _on_pysd(
        self, design: Design, kept: Sequence[str], method: str, made_by: Mapping[str, Any]
    ) -> xr.Dataset:
        from kredslob.targets.pysd import PysdTarget

        if method != "euler":
            raise ParameterError("integration: PySD integrates by Euler's method only")
        if self._pysd is None:
            self._pysd = PysdTarget(self.file.path, Access(self._limits, self._allow))
        return from_arrays(self.program, self._pysd.run(self.program, design, kept), made_by)

    def _repr_html_(self) -> str:
        kinds = pd.Series([v.kind for v in self.variables.values()]).value_counts()
        counts = "".join(f"<tr><td>{k}</td><td>{n}</td></tr>" for k, n in kinds.items())
        ranges = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(', '.join(elements))}</td></tr>"
            for name, elements in self.subscripts.items()
        )
        title = html.escape(self.file.path.name)
        return f"<b>{title}</b><table>{counts}</table><table>{ranges}</table>"

    def __repr__(self) -> str:
        return f"<Model {self.file.path.name}: {len(self.variables)} variables>"


def check_threads(threads: Any) -> None:
    """Raise ParameterError unless this is a number of threads, or none is given."""
    if threads is not None and not (isinstance(threads, int) and threads > 0):
        raise refused("threads", threads, "a whole number above 0")


def check_above_zero(argument: str, value: Any) -> None:
    """Raise ParameterError where a length of time is given that is none."""
    if value is not None and not (is_number(value) and 0 < float(value) < np.inf):
        raise refused(argument, value, "a number above 0")
