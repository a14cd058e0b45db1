"""Many runs in chunks of fixed size: each is run, handed to a sink and forgotten.

The size of a chunk follows from the number of runs and from what is saved of each, so that the
same ensemble falls into the same chunks on any machine, with any number of threads or workers. A
sink says what becomes of a chunk (its first half runs where the chunk ran, perhaps on another
machine) and what becomes of that here, in the order of the chunks.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np
import xarray as xr

from kredslob.batches import BatchInParts
from kredslob.datasets import dataset, summary_dataset
from kredslob.errors import ParameterError
from kredslob.summaries import Digest, Statistics, digests, merged, table_of
from kredslob.targets.numba import LANES, Batch, NumbaTarget, Outcome

Progress = Callable[[float, float], None]
"""Is told what is done and what there is in all, by every study."""
#: Bytes of saved values in a chunk: more does not run faster, and fewer bytes fit every machine.
CHUNK_BYTES = 64 * 2**20
MOST_RUNS = 16384  # in a chunk, so that progress is seen and little is lost
FEWEST_RUNS = 256  # in a chunk, if there are so many: to start a chunk takes some milliseconds
CHUNKS = 16  # of a small ensemble, so that some workers can share it
_SECONDS = 30.0  # between two checkpoints of a summary


@dataclass(frozen=True)
class Job:
    """What every chunk needs, wherever it runs.

    Parameters
    ----------
    target : NumbaTarget
        The compiled model.
    names : tuple of str
        Variables to keep.
    saved : array of int
        Their places in memory.
    at : tuple of float
        Times to save at; empty for each SAVEPER.
    rk4 : bool
        Method of integration.
    times : array of float
        Times that are saved.
    chunk_runs : int
        Runs in a chunk.
    """

    target: NumbaTarget
    names: tuple[str, ...]
    saved: np.ndarray
    at: tuple[float, ...]
    rk4: bool
    times: np.ndarray
    chunk_runs: int

    def run(
        self, batch: Batch, threads: int | None, done: Callable[[int], None] | None = None
    ) -> Outcome:
        """Run a chunk; its values have all the times of the ensemble."""
        outcome = self.target.run(
            batch, self.saved, at=self.at, rk4=self.rk4, threads=threads, done=done
        )
        rows = len(outcome.times)
        near = 1e-6 * max(1.0, float(np.max(np.abs(self.times), initial=0.0)))
        if rows > len(self.times) or (np.abs(outcome.times - self.times[:rows]) > near).any():
            raise ParameterError(
                f"{self.target.program.name}: runs {batch.numbers[0]} to {batch.numbers[-1]} are "
                "saved at other times than the first run; name the times with at="
            )
        if rows == len(self.times):
            return outcome
        values = np.full((len(batch), len(self.times), len(self.saved)), np.nan)
        values[:, :rows] = outcome.values
        return Outcome(values, self.times, outcome.rows)


@dataclass(frozen=True)
class Ensemble:
    """Runs that are to be made.

    Parameters
    ----------
    job : Job
        What they have in common.
    batch : Batch
        All of them.
    made_by : mapping
        Attributes of the result.
    """

    job: Job
    batch: Batch
    made_by: Mapping[str, Any]

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-len(self.batch) // self.job.chunk_runs)

    def part(self, chunk: int) -> Batch:
        """The runs of a chunk."""
        begin = chunk * self.job.chunk_runs
        return self.batch.part(begin, min(begin + self.job.chunk_runs, len(self.batch)))

    @cached_property
    def plan(self) -> str:
        """Hash of everything that the results depend on, but for the processor."""
        job, batch = self.job, self.batch
        program = job.target.program
        texts = (
            version("kredslob"),
            program.sha256,
            job.target.source,
            repr([(t.name, t.points) for t in program.tables.values()]),
            repr((job.names, job.at, job.rk4, job.chunk_runs, batch.seed, batch.tables)),
            batch.described if isinstance(batch, BatchInParts) else "",
        )
        whole = hashlib.sha256("\0".join(texts).encode())
        variant = np.zeros(0) if batch.variant is None else batch.variant
        parts = (batch.constants, batch.varied, batch.values, batch.numbers, variant)
        for array in (job.saved, job.times, *parts):
            whole.update(repr((array.shape, array.dtype.str)).encode())
            whole.update(np.ascontiguousarray(array).view(np.uint8).data)
        return whole.hexdigest()


def planned(
    target: NumbaTarget,
    names: Sequence[str],
    saved: np.ndarray,
    batch: Batch,
    *,
    at: Sequence[float],
    rk4: bool,
    made_by: Mapping[str, Any],
    chunk_runs: int | None = None,
) -> Ensemble:
    """Plan an ensemble; one run, the longest, is made to learn the times that are saved."""
    _, final, _, _ = target.clocks(batch)
    first = int(np.argmax(final)) if len(final) > 1 else 0
    pilot = target.run(batch.part(first, first + 1), saved[:0], at=at, rk4=rk4, threads=1)
    times = np.array(at, dtype=float) if len(at) else pilot.times
    a_run = 8 * max(1, len(times) * len(saved))
    if chunk_runs is None:
        chunk_runs = min(MOST_RUNS, max(FEWEST_RUNS, -(-len(batch) // CHUNKS)))
    chunk_runs = max(LANES, min(chunk_runs, CHUNK_BYTES // a_run) // LANES * LANES)
    job = Job(target, tuple(names), saved, tuple(at), rk4, times, chunk_runs)
    return Ensemble(job, batch, made_by)


# --- sinks -------------------------------------------------------------------------------------


class Reduce(Protocol):
    """What is made of a chunk where it ran; travels to other machines."""

    def is_finished(self, chunk: int) -> bool:
        """Whether nothing is left to do, so that the chunk need not be run again."""
        ...

    def __call__(self, job: Job, chunk: int, batch: Batch, outcome: Outcome, threads: int) -> Any:
        """A piece for the sink."""
        ...


class Sink(Protocol):
    """Where the results of an ensemble go."""

    reduce: Reduce

    def missing(self) -> list[int]:
        """Chunks that are still to be made, rising."""
        ...

    def take(self, chunk: int, piece: Any) -> None:
        """Take what was made of a chunk. Chunks come in the order of `missing`."""
        ...

    def pause(self) -> None:
        """Called when the work is broken off."""
        ...

    def result(self) -> xr.Dataset:
        """The labelled result, when all chunks have come."""
        ...


@dataclass
class Gathered:
    """A sink that keeps all values in memory."""

    ensemble: Ensemble
    reduce: Reduce = field(init=False)
    _pieces: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reduce = _AsItIs()

    def missing(self) -> list[int]:
        """All chunks."""
        return list(range(self.ensemble.chunks))

    def take(self, chunk: int, piece: Outcome) -> None:
        """Keep the values."""
        self._pieces.append(piece)

    def pause(self) -> None:
        """Nothing is kept."""

    def result(self) -> xr.Dataset:
        """As from `Model.run_many` on one machine."""
        job = self.ensemble.job
        values = np.concatenate([piece.values for piece in self._pieces])
        rows = np.concatenate([piece.rows for piece in self._pieces])
        used = int(rows.max())
        outcome = Outcome(values[:, :used], job.times[:used], rows)
        return dataset(job.target, job.names, self.ensemble.batch, outcome, self.ensemble.made_by)


class _AsItIs:
    def is_finished(self, chunk: int) -> bool:
        return False

    def __call__(
        self, job: Job, chunk: int, batch: Batch, outcome: Outcome, threads: int
    ) -> Outcome:
        return outcome


class Checkpoint(Protocol):
    """Where a summary is kept while it grows."""

    def finished(self) -> xr.Dataset | None:
        """The whole summary, if it is there."""
        ...

    def load(self) -> dict[str, np.ndarray] | None:
        """What was saved last."""
        ...

    def save(self, state: Mapping[str, np.ndarray]) -> None:
        """Save what there is."""
        ...

    def finish(self, summary: xr.Dataset) -> xr.Dataset:
        """Save the whole summary."""
        ...


@dataclass(frozen=True)
class _Digesting:
    sketch: bool
    final: bool

    def is_finished(self, chunk: int) -> bool:
        return False

    def __call__(self, job: Job, chunk: int, batch: Batch, outcome: Outcome, threads: int) -> Any:
        runs = len(batch)
        blocks = digests(outcome.values.reshape(runs, -1), self.sketch, threads)
        last = np.maximum(outcome.rows - 1, 0)
        return blocks, outcome.values[np.arange(runs), last] if self.final else None


@dataclass
class Folded:
    """A sink that sums up.

    Parameters
    ----------
    ensemble : Ensemble
        The runs.
    asked : Statistics
        What is kept of them.
    checkpoint : Checkpoint, optional
        Where it is saved from time to time, and when the work is broken off.
    """

    ensemble: Ensemble
    asked: Statistics
    checkpoint: Checkpoint | None = None
    reduce: Reduce = field(init=False)
    # Chunks, their digest, last values: one object, so that a break finds the old or the new one.
    _state: tuple[int, list[Digest], list[np.ndarray]] = field(default=(0, [], []), repr=False)
    _saved: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.reduce = _Digesting(bool(self.asked.quantiles), self.asked.final)
        if self.checkpoint and (state := self.checkpoint.load()) is not None:
            self._state = _unpacked(state)

    def missing(self) -> list[int]:
        """Chunks that are not folded in yet."""
        if self.checkpoint and self.checkpoint.finished() is not None:
            return []
        return list(range(self._state[0], self.ensemble.chunks))

    def take(self, chunk: int, piece: tuple[list[Digest], np.ndarray | None]) -> None:
        """Fold a chunk in."""
        reached, blocks, finals = self._state
        assert chunk == reached, "chunks are folded in order"
        new, final = piece
        if blocks:
            new = [merged(a, b) for a, b in zip(blocks, new, strict=True)]
        self._state = (chunk + 1, new, finals if final is None else [*finals, final])
        if self.checkpoint and time.monotonic() - self._saved > _SECONDS:
            self.pause()

    def pause(self) -> None:
        """Save what has been folded in."""
        if self.checkpoint and self._state[0]:
            self.checkpoint.save(_packed(*self._state))
            self._saved = time.monotonic()

    def result(self) -> xr.Dataset:
        """The summary."""
        if self.checkpoint and (whole := self.checkpoint.finished()) is not None:
            return whole
        job, batch = self.ensemble.job, self.ensemble.batch
        _, blocks, finals = self._state
        summary = summary_dataset(
            job.target,
            job.names,
            batch,
            job.times,
            table_of(blocks, self.asked) if self.asked.labels else np.zeros((0, 0)),
            self.asked.labels,
            np.concatenate(finals) if finals else None,
            {**self.ensemble.made_by, "runs": len(batch)},
        )
        return self.checkpoint.finish(summary) if self.checkpoint else summary


_PARTS = ("count", "mean", "squares", "low", "high")


def _packed(
    reached: int, blocks: Sequence[Digest], finals: Sequence[np.ndarray]
) -> dict[str, np.ndarray]:
    """The state of a summary as plain arrays."""
    state = {"reached": np.array(reached)}
    state |= {part: np.concatenate([getattr(b, part) for b in blocks]) for part in _PARTS}
    state["cells"] = np.array([len(b.count) for b in blocks])
    state["parts"] = np.array([len(b.buckets) for b in blocks])
    buckets = [part for b in blocks for part in b.buckets]
    state["lengths"] = np.array([len(numbers) for numbers, _ in buckets], dtype=np.int64)
    empty = np.zeros(0, np.int64)
    state["numbers"] = np.concatenate([empty, *(numbers for numbers, _ in buckets)])
    state["counts"] = np.concatenate([empty, *(counts for _, counts in buckets)])
    if finals:
        state["final"] = np.concatenate(finals)
    return state


def _unpacked(state: Mapping[str, np.ndarray]) -> tuple[int, list[Digest], list[np.ndarray]]:
    ends = np.cumsum(state["lengths"])[:-1]
    buckets = zip(np.split(state["numbers"], ends), np.split(state["counts"], ends), strict=True)
    borders = np.cumsum(state["cells"])[:-1]
    count, mean, squares, low, high = (np.split(state[part], borders) for part in _PARTS)
    blocks = [
        Digest(
            count[k],
            mean[k],
            squares[k],
            low[k],
            high[k],
            tuple(next(buckets) for _ in range(parts)),
        )
        for k, parts in enumerate(state["parts"].tolist())
    ]
    return int(state["reached"]), blocks, [state["final"]] if "final" in state else []


# --- running on this machine -------------------------------------------------------------------


def part_of(progress: Progress | None, number: int, parts: int) -> Progress | None:
    """Progress of one part, by its number from 0, of work that has several alike."""
    if progress is None:
        return None
    return lambda done, whole: progress(number * whole + done, parts * whole)


class Tally:
    """Counts runs from several threads and tells a progress callback, one call at a time."""

    def __init__(self, progress: Progress | None, total: int, reached: int = 0) -> None:
        self._progress, self._total, self._reached = progress, total, reached
        self._lock = threading.Lock()

    def __call__(self, runs: int) -> None:
        """So many runs more are done."""
        with self._lock:
            self._reached += runs
            if self._progress:
                self._progress(self._reached, self._total)


def tally(ensemble: Ensemble, missing: Sequence[int], progress: Progress | None) -> Tally:
    """A count that starts with the runs that need not be made."""
    total = len(ensemble.batch)
    return Tally(progress, total, total - sum(len(ensemble.part(k)) for k in missing))


def run_here(
    ensemble: Ensemble, sink: Sink, threads: int | None, progress: Progress | None
) -> xr.Dataset:
    """Run what a sink misses, chunk by chunk, on the processors of this machine.

    Whatever breaks it off, Ctrl-C too, the chunks that are finished are not lost to a sink that
    keeps them.
    """
    job = ensemble.job
    missing = sink.missing()
    done = tally(ensemble, missing, progress)
    done(0)
    try:
        for chunk, batch in _parts(ensemble, missing):
            outcome = job.run(batch, threads, done)
            sink.take(chunk, sink.reduce(job, chunk, batch, outcome, threads or _processors()))
    except BaseException:
        sink.pause()
        raise
    return sink.result()


def _parts(ensemble: Ensemble, chunks: Sequence[int]) -> Iterator[tuple[int, Batch]]:
    for chunk in chunks:
        yield chunk, ensemble.part(chunk)


def _processors() -> int:
    return os.cpu_count() or 1
