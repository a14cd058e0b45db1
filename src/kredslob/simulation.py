"""Running a model: constants in, a labelled dataset out. Knows any model, and no fund."""

from __future__ import annotations

import fnmatch
import html
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.datasets import dataset, from_arrays, provenance
from kredslob.design import RUN, Design, many_designs, merged, one_design
from kredslob.errors import ParameterError
from kredslob.lowering import lower_model
from kredslob.program import Array, Program, key
from kredslob.reading import ModelFile, abstract_model, integration_method, read_model, source_lines
from kredslob.targets.numba import Batch, NumbaTarget

Progress = Callable[[float, float], None]
ENGINES = ("numba", "pysd")
METHODS = ("euler", "rk4")
_MOST_BYTES = 8 * 2**30
_HIDDEN = ("hidden", "rate")


@runtime_checkable
class HasParameters(Protocol):
    """Anything that carries constants to change, such as a scenario."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Values by name of the constant."""
        ...


class Model:
    """A stock-and-flow model that can be run.

    Parameters
    ----------
    path : Path or str
        A Vensim or XMILE file.

    Raises
    ------
    InputFileError
        The file cannot be read, or its equations cannot be understood.

    Examples
    --------
    >>> model = Model("models/reinvestment/reinvestment.mdl")  # doctest: +SKIP
    >>> run = model.run(reinvestment_rate=0.75, years=20)  # doctest: +SKIP
    >>> run["total cash"].sel(time=20)  # doctest: +SKIP
    """

    def __init__(self, path: Path | str) -> None:
        self.file: ModelFile = read_model(Path(path))
        self.program: Program = self._lowered({})
        self._pysd: Any = None
        self._targets: dict[tuple[tuple[str, str], ...], NumbaTarget] = {}

    @cached_property
    def variables(self) -> Mapping[str, Array]:
        """Variables by name, in the order of the file."""
        return {n: a for n, a in self.program.arrays.items() if a.kind not in _HIDDEN}

    @property
    def subscripts(self) -> Mapping[str, tuple[str, ...]]:
        """Elements of each subscript range."""
        return self.program.ranges

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
        """
        design = self._base(scenario, constants, years, time_step, saveper)
        kept = self._kept(save)
        method = self._method(integration)
        if engine not in ENGINES:
            raise ParameterError(f"engine: found '{engine}', expected one of {', '.join(ENGINES)}")
        if engine == "pysd":
            made_by = self._made_by(design, scenario, method, seed, "PySD")
            return self._on_pysd(design, kept, method, made_by)
        target = self.target(design.inputs)
        batch = self._batch(target, design, np.arange(1), seed)
        outcome = target.run(batch, self._places(target, kept), rk4=method == "rk4", threads=1)
        made_by = self._made_by(design, scenario, method, seed)
        return dataset(target, kept, batch, outcome, made_by).isel({RUN: 0}, drop=True)

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
        progress: Progress | None = None,
    ) -> xr.Dataset:
        """Run the model once for each row of a design, side by side on the processors at hand.

        Parameters
        ----------
        design : DataFrame, Dataset, mapping or iterable of mappings
            What differs from run to run, laid over the scenario: a table with a row a run and a
            column ``name`` or ``name[element]``; a Dataset over ``run``; a mapping of names to
            arrays whose first axis is the run; or one mapping a run, as for `run`.
        scenario, years, time_step, saveper, save, integration
            As for `run`.
        at : sequence of float, optional
            Times at which to keep values. Default: each SAVEPER.
        seed : int
            Of the random functions. A run's numbers depend on the seed and its place in the
            design, not on the number of threads.
        threads : int, optional
            Default: one a processor.
        progress : callable, optional
            Called with (runs done, runs in all) as the work goes on.

        Returns
        -------
        xarray.Dataset
            As from `run`, with a leading dimension ``run``. What is the same in all runs because
            it is a constant that none of them changes has no such dimension.

        Raises
        ------
        ParameterError
            As for `run`; checked for all runs before the first one starts. Also if the results
            would not fit into memory.
        """
        shared = self._base(scenario, {}, years, time_step, saveper)
        whole = many_designs(self.program, design, shared)
        kept = self._kept(save)
        method = self._method(integration)
        target = self.target(whole.inputs)
        batch = self._batch(target, whole, np.arange(whole.runs), seed)
        places = self._places(target, kept)
        self._check_memory(target, batch, len(places), at)
        reached = [0]

        def done(count: int) -> None:
            reached[0] += count
            if progress:
                progress(reached[0], whole.runs)

        outcome = target.run(
            batch,
            places,
            at=[] if at is None else sorted(float(t) for t in at),
            rk4=method == "rk4",
            threads=threads,
            done=done,
        )
        made_by = self._made_by(whole, scenario, method, seed)
        return dataset(target, kept, batch, outcome, made_by)

    def target(self, inputs: Mapping[str, str]) -> NumbaTarget:
        """The compiled model, with the equations of some variables set aside for inputs."""
        name = tuple(sorted(inputs.items()))
        if name not in self._targets:
            program = self._lowered(inputs) if inputs else self.program
            self._targets[name] = NumbaTarget(program)
        return self._targets[name]

    # --- what goes in ---

    def _lowered(self, inputs: Mapping[str, str]) -> Program:
        path = self.file.path
        return lower_model(
            abstract_model(path),
            path,
            self.file.sha256,
            lines=source_lines(path),
            integration=integration_method(path),
            inputs=inputs,
        )

    def _base(
        self,
        scenario: Mapping[str, Any] | HasParameters | None,
        constants: Mapping[str, Any],
        years: float | None,
        time_step: float | None,
        saveper: float | None,
    ) -> Design:
        """What all runs share: scenario, constants given by keyword, and the clock."""
        for what, value in (("years", years), ("time_step", time_step), ("saveper", saveper)):
            if value is not None and not (np.isfinite(value) and value > 0):
                raise ParameterError(f"{what}: found {value}, expected a number above 0")
        base = scenario.parameters if isinstance(scenario, HasParameters) else scenario or {}
        clock = self.program.clock
        times: dict[str, Any] = {}
        if years is not None:
            times[clock.final] = self._initial_time() + years
        if time_step is not None:
            times[clock.step] = time_step
        if saveper is not None:
            times[clock.saveper] = saveper
        design = one_design(self.program, merged([base, constants, times]))
        given = {n: v for n, v in design.given.items() if n not in times}
        return Design(1, design.values, design.tables, design.inputs, given)

    def _initial_time(self) -> float:
        return float(self.program.defaults.get(self.program.clock.initial, (0.0,))[0])

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
            return [n for n in known.values() if self.variables[n].kind != "control"]
        kept: dict[str, None] = {}
        for name in save:
            found = fnmatch.filter(known, key(name)) if "*" in name else [key(name)]
            if not found or found[0] not in known:
                raise ParameterError(f"{self.file.path.name} has no variable '{name}' to save")
            kept |= dict.fromkeys(known[n] for n in found)
        return list(kept)

    def _batch(self, target: NumbaTarget, design: Design, numbers: np.ndarray, seed: int) -> Batch:
        """The runs of a design, for a target."""
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
        runs = len(numbers)
        varied = np.concatenate(places) if places else np.zeros(0, dtype=np.int64)
        values = np.concatenate(columns, axis=1) if columns else np.zeros((runs, 0))
        tables, variant = self._table_variants(target, design, runs)
        return Batch(constants, varied, values, numbers, tables, variant, seed)

    def _table_variants(
        self, target: NumbaTarget, design: Design, runs: int
    ) -> tuple[Sequence[Mapping[str, Any]], np.ndarray | None]:
        def table(name: str) -> str:
            return name if name in target.program.tables else f"{name} over time"

        shared = {table(n): v[0] for n, v in design.tables.items() if len(v) == 1}
        own = {table(n): v for n, v in design.tables.items() if len(v) > 1}
        if not own:
            return [shared], None
        return [shared | {n: v[r] for n, v in own.items()} for r in range(runs)], np.arange(runs)

    def _places(self, target: NumbaTarget, kept: Sequence[str]) -> np.ndarray:
        """Where the values to save lie; constants need not be saved."""
        moving = [target.places(n) for n in kept if n not in target.program.defaults]
        return np.concatenate(moving) if moving else np.zeros(0, dtype=np.int64)

    def _check_memory(
        self, target: NumbaTarget, batch: Batch, saved: int, at: Sequence[float] | None
    ) -> None:
        rows = len(at) if at is not None else target.rows_expected(batch)
        size = 8 * len(batch) * rows * saved
        if size > _MOST_BYTES:
            raise ParameterError(
                f"{len(batch)} runs x {rows} times x {saved} values take {size / 2**30:.0f} GiB; "
                "name fewer variables with save=, or times with at="
            )

    # --- what comes out ---

    def _made_by(
        self, design: Design, scenario: Any, method: str, seed: int, engine: str = "Numba"
    ) -> dict[str, Any]:
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
            self._pysd = PysdTarget(self.file.path)
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
