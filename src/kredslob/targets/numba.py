"""The compiled engine: a batch of runs of a Program, on all processors, without holding the GIL."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from kredslob.errors import ParameterError
from kredslob.program import Program

#: Points of a table: arguments, which rise, and values.
Points = tuple[Sequence[float], Sequence[float]]
LANES = 8  # runs that a kernel takes side by side; see `kredslob.targets.lanes`
_MOST_ROWS = 50_000_000


@dataclass(frozen=True)
class Batch:
    """What the runs of a batch start from.

    Parameters
    ----------
    constants : array of float, shape (constant elements,)
        Constants that all runs share; from `NumbaTarget.constants`.
    varied : array of int, shape (varied elements,)
        Places in memory of the elements that differ from run to run.
    values : array of float, shape (runs, varied elements)
        Their values.
    numbers : array of int, shape (runs,)
        Number of each run; together with the seed it makes the run's random numbers.
    tables : sequence of mapping of str to sequence of Points
        Variants of lookups and data, by table: points of each element. The first one is usually
        empty: everything as in the file.
    variant : array of int, shape (runs,)
        Which of them each run takes.
    seed : int
        Of the random numbers.
    """

    constants: np.ndarray
    varied: np.ndarray
    values: np.ndarray
    numbers: np.ndarray
    tables: Sequence[Mapping[str, Sequence[Points]]] = ({},)
    variant: np.ndarray | None = None
    seed: int = 0

    def __len__(self) -> int:
        return len(self.values)

    def part(self, begin: int, end: int) -> Batch:
        """Some of the runs, with the variants of tables that they take."""
        tables, variant = self.tables, self.variant
        if variant is not None:
            used, variant = np.unique(variant[begin:end], return_inverse=True)
            tables = [self.tables[k] for k in used]
        return Batch(
            self.constants,
            self.varied,
            self.values[begin:end],
            self.numbers[begin:end],
            tables,
            variant,
            self.seed,
        )


@dataclass(frozen=True)
class Outcome:
    """Saved values of a batch.

    Parameters
    ----------
    values : array of float, shape (runs, times, saved elements)
        NaN after the end of a run that is shorter than another.
    times : array of float, shape (times,)
        Times of saving, of the longest run.
    rows : array of int, shape (runs,)
        How many of these times each run reaches.
    """

    values: np.ndarray
    times: np.ndarray
    rows: np.ndarray


@dataclass
class NumbaTarget:
    """A Program compiled, ready to run.

    Parameters
    ----------
    program : Program
        A lowered model. It is compiled, or taken from the cache, at the first run.
    """

    program: Program
    _rows: int = field(default=0, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs to compile the model, or find it in its cache."""
        return {"program": self.program, "_rows": self._rows}

    @cached_property
    def source(self) -> str:
        """The kernel's source."""
        from kredslob.targets.source import kernel_source

        return kernel_source(self.program)

    @cached_property
    def _simulate(self) -> Callable[..., Any]:
        from kredslob.targets.kernels import compiled

        return compiled(self.source)

    @property
    def constants(self) -> np.ndarray:
        """The constants as the file gives them; a copy, to be changed and put into a Batch."""
        flat = [v for values in self.program.defaults.values() for v in values]
        return np.array(flat, dtype=float)

    def constant_places(self, name: str) -> np.ndarray:
        """Where the elements of a constant lie among `constants`."""
        first = 2 * self.program.state_size
        return self.places(name) - first

    def places(self, name: str) -> np.ndarray:
        """Where the elements of an array lie in memory."""
        array = self.program.arrays[name]
        return np.arange(array.offset, array.offset + array.size)

    def run(
        self,
        batch: Batch,
        saved: np.ndarray,
        *,
        at: Sequence[float] = (),
        rk4: bool = False,
        threads: int | None = None,
        done: Callable[[int], None] | None = None,
    ) -> Outcome:
        """Run a batch.

        Parameters
        ----------
        batch : Batch
            The runs.
        saved : array of int
            Places in memory whose values are saved.
        at : sequence of float, optional
            Times at which to save, rising. Default: each SAVEPER.
        rk4 : bool
            Fourth-order Runge-Kutta instead of Euler.
        threads : int, optional
            Default: one a processor.
        done : callable, optional
            Called with the number of runs that have just been finished.

        Returns
        -------
        Outcome

        Raises
        ------
        ParameterError
            The time step, final time or a fixed delay of a run makes no sense.
        """
        runs = len(batch)
        clocks = self.clocks(batch)
        if runs > LANES and not len(at) and any(np.isnan(c).any() for c in clocks[:3]):
            self.run(batch.part(0, LANES), saved[:0], rk4=rk4, threads=1)  # learns the rows
        rows = len(at) or self.rows_expected(batch)
        while True:
            out = np.empty((runs, rows, len(saved)))
            times = np.empty((runs, rows))
            status = np.zeros((runs, 2), dtype=np.int64)
            self._fill(batch, saved, np.asarray(at, float), rk4, threads, done, out, times, status)
            if not (status[:, 1] == _NO_ROOM).any():
                break
            rows *= 2
            done = None  # the runs have been counted already
            if rows * max(1, len(saved)) > _MOST_ROWS:
                raise ParameterError(
                    f"{self.program.name}: a run would save more than {_MOST_ROWS} values"
                )
        self._check(status, batch)
        used = int(status[:, 0].max()) if runs else 0
        longest = int(status[:, 0].argmax()) if runs else 0
        for run in np.flatnonzero(status[:, 0] < used):  # shorter than another
            out[run, status[run, 0] :] = np.nan
        if not len(at):
            self._rows = max(used, 1)
        shown = times[longest, :used].copy() if runs else times[:0].ravel()
        self._check_times(times[:, :used], status[:, 0], shown, batch)
        if len(at):
            self._check_reached(np.asarray(at, float), status[:, 0], clocks)
        shown = np.array(at[:used], dtype=float) if len(at) else self._rounded(shown, batch)
        return Outcome(out[:, :used], shown, status[:, 0].copy())

    def _rounded(self, times: np.ndarray, batch: Batch) -> np.ndarray:
        """Times without the last digits that adding up steps leaves behind."""
        step = float(np.nanmin(self.clocks(batch)[2], initial=np.inf))
        digits = -int(math.log10(step * _SAME_TIME)) if 0 < step < math.inf else 12
        return np.round(times, max(digits, 0))

    def _fill(
        self,
        batch: Batch,
        saved: np.ndarray,
        at: np.ndarray,
        rk4: bool,
        threads: int | None,
        done: Callable[[int], None] | None,
        out: np.ndarray,
        times: np.ndarray,
        status: np.ndarray,
    ) -> None:
        xs, ys, first, count = self._tables(batch.tables)
        variant = batch.variant
        shared = (
            np.ascontiguousarray(batch.constants, dtype=float),
            np.ascontiguousarray(batch.varied, dtype=np.int64),
            np.ascontiguousarray(batch.values, dtype=float),
            np.zeros(len(batch), np.int64) if variant is None else variant.astype(np.int64),
            xs,
            ys,
            first,
            count,
            np.array([batch.seed & 0xFFFFFFFF, batch.seed >> 32 & 0xFFFFFFFF], dtype=np.uint64),
            np.ascontiguousarray(batch.numbers, dtype=np.int64),
            bool(rk4),
            at,
            np.ascontiguousarray(saved, dtype=np.int64),
            out,
            times,
            status,
        )
        simulate = self._simulate
        workers = threads or os.cpu_count() or 1

        def some(begin: int, end: int) -> None:
            simulate(begin, end, *shared)
            if done:
                done(end - begin)

        if workers == 1 or len(batch) <= LANES:
            for begin, end in _pieces(len(batch), 1 if not done else 20):
                some(begin, end)
            return
        with ThreadPoolExecutor(workers) as pool:
            jobs = [pool.submit(some, b, e) for b, e in _pieces(len(batch), 8 * workers)]
            try:
                wait(jobs, return_when=FIRST_EXCEPTION)
            finally:
                for job in jobs:
                    job.cancel()
            for job in jobs:
                job.result()

    def _tables(
        self, variants: Sequence[Mapping[str, Sequence[Points]]]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Points of all tables one after the other, and where those of each element lie."""
        xs: list[float] = []
        ys: list[float] = []
        total = sum(len(table.points) for table in self.program.tables.values())
        first = np.zeros((len(variants), max(total, 1)), dtype=np.int64)
        count = np.zeros_like(first)
        for number, changed in enumerate(variants):
            for name, table in self.program.tables.items():
                if number and name not in changed and name not in variants[0]:
                    span = slice(table.number, table.number + len(table.points))
                    first[number, span], count[number, span] = first[0, span], count[0, span]
                    continue
                for k, (x, y) in enumerate(changed.get(name, table.points)):
                    first[number, table.number + k] = len(xs)
                    count[number, table.number + k] = len(x)
                    xs.extend(x)
                    ys.extend(y)
        return np.array(xs or [0.0]), np.array(ys or [0.0]), first, count

    def clocks(self, batch: Batch) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Initial and final time, time step and SAVEPER of each run.

        Each has one entry if all runs share it, and NaN where the model computes it.
        """
        clock = self.program.clock
        return (
            self._known(clock.initial, batch),
            self._known(clock.final, batch),
            self._known(clock.step, batch),
            self._known(clock.saveper, batch),
        )

    def _known(self, name: str, batch: Batch) -> np.ndarray:
        if name not in self.program.defaults:
            return np.array([np.nan])
        own = np.flatnonzero(batch.varied == self.places(name)[0])
        return batch.values[:, own[0]] if len(own) else batch.constants[self.constant_places(name)]

    def rows_expected(self, batch: Batch) -> int:
        """A guess at the number of times saved, from the constants; the kernel knows better."""
        initial, final, step, saveper = self.clocks(batch)
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = (final - initial) / np.where(np.isnan(saveper), step, saveper)
        most = float(np.max(rows, initial=0.0))
        return int(most) + 2 if 0 <= most < 1e15 else self._rows or 256

    def _check(self, status: np.ndarray, batch: Batch) -> None:
        for code, problem in _PROBLEMS.items():
            failed = np.flatnonzero(status[:, 1] == code)
            if len(failed):
                which = f" (run {int(batch.numbers[failed[0]])})" if len(batch) > 1 else ""
                raise ParameterError(f"{self.program.name}{which}: {problem}")

    def _check_reached(
        self, at: np.ndarray, rows: np.ndarray, clocks: Sequence[np.ndarray]
    ) -> None:
        """Refuse times that a run passed without a step there."""
        _, final, step, _ = clocks
        last = final + 0.05 * step
        within = len(at) if np.isnan(last).any() else np.searchsorted(at, last, side="right")
        missed = np.flatnonzero(rows < within)
        if len(missed):
            raise ParameterError(
                f"{self.program.name}: nothing is saved at {at[rows[missed[0]]]:g}: "
                "it is no time step, or the run has ended"
            )

    def _check_times(
        self, times: np.ndarray, rows: np.ndarray, shown: np.ndarray, batch: Batch
    ) -> None:
        """Refuse runs that are not saved at the same times: they cannot share one axis."""
        near = 1e-9 * np.max(np.abs(shown), initial=1.0)
        if len(shown) > 1:
            near = max(near, 1e-4 * (shown[-1] - shown[0]) / (len(shown) - 1))
        apart = np.abs(times - shown) > near
        apart &= np.arange(len(shown)) < rows[:, np.newaxis]
        if apart.any():
            run, row = (int(k) for k in np.argwhere(apart)[0])
            raise ParameterError(
                f"{self.program.name}: run {batch.numbers[run]} is saved at {times[run, row]:.6g} "
                f"and another run at {shown[row]:.6g}; name the times with at=, or give all runs "
                "one SAVEPER and INITIAL TIME"
            )


_SAME_TIME = 1e-5  # of a time step
_NO_ROOM = 1
_PROBLEMS = {
    2: "INITIAL TIME, FINAL TIME and TIME STEP must be numbers and TIME STEP above 0",
    3: "the run takes more than 100 million steps; choose a larger TIME STEP",
    4: "a fixed delay is longer than 10 million time steps",
}


def _pieces(runs: int, pieces: int) -> Iterator[tuple[int, int]]:
    """Split runs into pieces of nearly equal size, each of whole blocks but for the last."""
    blocks = -(-runs // LANES)
    pieces = max(1, min(pieces, blocks))
    for k in range(pieces):
        first, last = k * blocks // pieces, (k + 1) * blocks // pieces
        yield first * LANES, min(last * LANES, runs)
