"""What many runs come to: mean, spread, extremes and quantiles, folded in as the runs go by.

The runs of a chunk become a `Digest`; digests are merged, and no run is kept. Means and sums of
squares are merged in the order of the runs (Chan, Golub and LeVeque 1983), so that the same chunks
give the same bits. Quantiles come from counts in buckets whose bounds are fixed beforehand: each
power of two is cut into 256 equal parts, so that a value's bucket is the head of its bit pattern
and any two digests are merged exactly by adding counts. That is the idea of DDSketch (Masson, Rim
and Lee 2019) with the logarithm left out; the relative error is at most 1/512. Measured for one
value in a column of 4,096: 13 ns here, 41 ns with datasketches' KLL (which draws random numbers,
so that the result depends on the order), 66 ns with its t-digest, 690 ns with ddsketch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from kredslob.errors import ParameterError

MOMENTS = ("count", "mean", "variance", "std", "min", "max")
FINAL = "final"
#: Largest relative error of a quantile.
ACCURACY = 2.0**-9
CELLS = 256  # in a block; fixed, so that sums are made alike on any number of processors
#: Bytes that the buckets of one cell may take; 12 octaves, and room to merge them.
SKETCH_BYTES = 4 * 16 * 12 * 256
_BITS = 8  # of the mantissa that choose a bucket
_SHIFT = 52 - _BITS
_HALF = 1 << (11 + _BITS)  # buckets on each side of zero
_MANY_PARTS = 16

Buckets = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Statistics:
    """What is asked of many runs.

    Parameters
    ----------
    labels : tuple of str
        In the order asked for; quantiles as ``q0.05``.
    quantiles : mapping of str to float
        Of these, the quantiles.
    final : bool
        Whether the last value of each run is kept too.
    """

    labels: tuple[str, ...]
    quantiles: Mapping[str, float]
    final: bool


@dataclass(frozen=True)
class Digest:
    """Some runs, summed up for each cell of a block: a saved element at a saved time.

    Parameters
    ----------
    count : array of int, shape (cells,)
        Runs with a number there.
    mean, squares : array, shape (cells,)
        Mean, and sum of squared distances from it.
    low, high : array, shape (cells,)
        Smallest and largest; NaN without a number.
    buckets : tuple of pairs of arrays
        Number of each bucket that is not empty, rising, and what it counts. Parts that are not
        merged yet stand one after the other.
    """

    count: np.ndarray
    mean: np.ndarray
    squares: np.ndarray
    low: np.ndarray
    high: np.ndarray
    buckets: tuple[Buckets, ...] = ()


def statistics_of(summary: Iterable[str | float]) -> Statistics:
    """Check what is asked.

    Parameters
    ----------
    summary : iterable of str or float
        ``count``, ``mean``, ``variance``, ``std``, ``min``, ``max``, ``final``; a number from 0 to
        1 is a quantile.

    Raises
    ------
    ParameterError
        Something else, the same twice, or nothing.
    """
    known = f"{', '.join((*MOMENTS, FINAL))}, or a number from 0 to 1 for a quantile"
    if isinstance(summary, str | bytes) or not isinstance(summary, Iterable):
        raise ParameterError(f"summary: found {summary!r}, expected a list of {known}")
    labels: list[str] = []
    quantiles: dict[str, float] = {}
    for asked in summary:
        if isinstance(asked, str) and asked in (*MOMENTS, FINAL):
            label = asked
        elif isinstance(asked, float | int | np.number) and 0 <= asked <= 1:
            label = f"q{float(asked):g}"
            quantiles[label] = float(asked)
        else:
            raise ParameterError(f"summary: found {asked!r}, expected {known}")
        if label in labels:
            raise ParameterError(f"summary: '{label}' is asked for twice")
        labels.append(label)
    if not labels:
        raise ParameterError(f"summary: found nothing, expected some of {known}")
    return Statistics(tuple(x for x in labels if x != FINAL), quantiles, FINAL in labels)


def digests(values: np.ndarray, sketch: bool, threads: int = 1) -> list[Digest]:
    """Sum up runs.

    Parameters
    ----------
    values : array, shape (runs, cells)
        NaN where a run has no number.
    sketch : bool
        Whether buckets for quantiles are filled.
    threads : int
        Blocks are shared out among them; the result does not depend on their number.

    Returns
    -------
    list of Digest
        One for each block of `CELLS` cells.
    """
    blocks = [values[:, k : k + CELLS] for k in range(0, values.shape[1], CELLS)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda block: _digest(block, sketch), blocks))


def _digest(x: np.ndarray, sketch: bool) -> Digest:
    missing = np.isnan(x)
    count = len(x) - missing.sum(axis=0)
    low, high = np.fmin.reduce(x, axis=0), np.fmax.reduce(x, axis=0)
    buckets = (_counted(x, missing),) if sketch else ()
    # From the smallest: what is the same in all runs has that mean, and no variance, exactly.
    shift = np.where(np.isfinite(low), low, 0.0)
    some = bool(missing.any())
    with np.errstate(invalid="ignore", over="ignore"):
        apart = x - shift
        if some:
            apart[missing] = 0.0
        mean = apart.sum(axis=0) / np.maximum(count, 1)
        apart -= mean
        if some:
            apart[missing] = 0.0
        squares = np.square(apart, out=apart).sum(axis=0)
        return Digest(count, np.where(count > 0, shift + mean, 0.0), squares, low, high, buckets)


def _counted(x: np.ndarray, missing: np.ndarray) -> Buckets:
    """The buckets that some runs fall into; a bucket's number holds its cell too."""
    bits = (x + 0.0).view(np.int64)  # adding turns minus zero into zero
    bits ^= (bits >> 63) & np.int64(0x7FFF_FFFF_FFFF_FFFF)  # now they rise as the numbers do
    bits >>= _SHIFT
    bits[missing] = _HALF  # beyond all others
    ordered = np.sort(bits.T.astype(np.int32, order="C"), axis=1)
    first = np.empty(ordered.shape, dtype=bool)
    first[:, 0] = True
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=first[:, 1:])
    at = np.flatnonzero(first)
    counts = np.diff(at, append=ordered.size)
    inside = ordered.ravel()[at].astype(np.int64)
    numbers = at // len(x) * (2 * _HALF) + inside + _HALF
    there = inside < _HALF
    return numbers[there], counts[there]


def merged(earlier: Digest, later: Digest) -> Digest:
    """The digest of all runs of two."""
    count = earlier.count + later.count
    share = later.count / np.maximum(count, 1)  # a mean of nothing is zero
    with np.errstate(invalid="ignore", over="ignore"):
        apart = later.mean - earlier.mean
        squares = earlier.squares + later.squares + apart * apart * (earlier.count * share)
        mean = earlier.mean + np.where(np.isfinite(earlier.mean), apart * share, later.mean)
    return Digest(
        count,
        mean,
        squares,
        np.fmin(earlier.low, later.low),
        np.fmax(earlier.high, later.high),
        _less_often(earlier.buckets + later.buckets),
    )


def _less_often(parts: tuple[Buckets, ...]) -> tuple[Buckets, ...]:
    """Add up counts once what waits is as large as what has been added up."""
    waiting = sum(len(numbers) for numbers, _ in parts[1:])
    if len(parts) > _MANY_PARTS or (parts and waiting >= 4 * len(parts[0][0])):
        return (added_up(parts),)
    return parts


def added_up(parts: Sequence[Buckets]) -> Buckets:
    """Counts of the same bucket added up."""
    if len(parts) == 1:
        return parts[0]
    numbers = np.concatenate([numbers for numbers, _ in parts])
    if not len(numbers):  # nothing but missing values so far
        return parts[0]
    order = np.argsort(numbers, kind="stable")
    numbers, counts = numbers[order], np.concatenate([c for _, c in parts])[order]
    first = np.flatnonzero(np.concatenate([[True], numbers[1:] != numbers[:-1]]))
    return numbers[first], np.add.reduceat(counts, first)


def table_of(blocks: Sequence[Digest], asked: Statistics) -> np.ndarray:
    """What the digests say.

    Returns
    -------
    array, shape (statistics, cells)
        NaN where no run has a number. The variance is that of these runs (divided by their
        number), as ``Dataset.var`` has it. A quantile lies between two runs as in `numpy.quantile`.
    """
    return np.concatenate([_table(block, asked) for block in blocks], axis=1)


def _table(block: Digest, asked: Statistics) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = block.squares / block.count
    rows: dict[str, Any] = {
        "count": block.count.astype(float),
        "mean": np.where(block.count > 0, block.mean, np.nan),
        "variance": variance,
        "std": np.sqrt(variance),
        "min": block.low,
        "max": block.high,
    }
    if asked.quantiles:
        buckets = added_up(block.buckets)
        rows |= {label: _quantile(block, buckets, q) for label, q in asked.quantiles.items()}
    return np.stack([rows[label] for label in asked.labels])


def _quantile(block: Digest, buckets: Buckets, q: float) -> np.ndarray:
    numbers, counts = buckets
    reached = np.cumsum(counts)
    place = q * np.maximum(block.count - 1, 0)
    below = np.floor(place).astype(np.int64)
    before = np.cumsum(block.count) - block.count  # runs of the cells before
    last = np.maximum(block.count - 1, 0)
    low = _nth(numbers, reached, before + below)
    high = _nth(numbers, reached, before + np.minimum(below + 1, last))
    low = np.where(below == 0, block.low, low)  # the first and the last run are known exactly
    high = np.where(below + 1 >= last, block.high, high)
    low = np.where(below >= last, block.high, low)
    share = place - below
    with np.errstate(invalid="ignore"):
        between = low * (1.0 - share) + high * share
    value = np.where((low == high) | (share == 0.0), low, between)
    return np.where(block.count > 0, np.clip(value, block.low, block.high), np.nan)


def _nth(numbers: np.ndarray, reached: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The value that stands for the bucket of the n-th run, counted over all cells."""
    if not len(numbers):
        return np.full(len(n), np.nan)
    at = np.searchsorted(reached, n, side="right")
    head = numbers[np.minimum(at, len(numbers) - 1)] % (2 * _HALF) - _HALF
    sign = np.where(head < 0, -1.0, 1.0)
    head = np.where(head < 0, -1 - head, head)  # of the absolute value
    low = (head << _SHIFT).view(np.float64)
    with np.errstate(invalid="ignore"):
        middle = low + 0.5 * (((head + 1) << _SHIFT).view(np.float64) - low)
    return sign * np.where(head == 0, 0.0, np.where(np.isfinite(middle), middle, low))
