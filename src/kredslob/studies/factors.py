"""Uncertain inputs of a study, and samples of them: a design for any model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from kredslob.arguments import (
    all_of,
    check_kind,
    check_named,
    check_whole,
    hint,
    is_number,
    refused,
)
from kredslob.copula import contradiction, normal_matrix, together
from kredslob.design import RUN, DesignInParts
from kredslob.errors import ParameterError

DISTRIBUTIONS = ("uniform", "triangular", "switch")
EVEN = 0.5
"""Chance of a switch of which nothing is known."""
A_FACTOR = "Factor('birth rate', 0.1, 0.5)"
"""How a factor is written, for messages."""
_BLOCK = 4096  # draws with a seed of their own, where they are made in parts
_LARGEST_SEED = 2**32 - 2  # of NumPy, less one for libraries that take 0 for no seed


@dataclass(frozen=True)
class Factor:
    """One uncertain input.

    Parameters
    ----------
    name : str
        Constant of the model: ``name`` or ``name[element, element]``.
    low, high : float
        Its range, in the constant's unit.
    distribution : str
        uniform; triangular, with the peak at ``mode``; or switch: low or high.
    mode : float, optional
        Most likely value of a triangular one.
    label : str
        What people call it; the name if empty.
    chance : float
        Chance, 0 to 1, that a switch is at its high value.

    Raises
    ------
    ParameterError
        The range is empty or not finite, the mode lies outside, the distribution is unknown, or the
        chance is not between 0 and 1.

    Examples
    --------
    >>> share = kredslob.Factor("overhead share", 0.05, 0.2, "triangular", mode=0.08)
    >>> share.values(np.array([0, 1])).tolist()
    [0.05, 0.2]
    """

    name: str
    low: float
    high: float
    distribution: str = "uniform"
    mode: float | None = None
    label: str = ""
    chance: float = EVEN

    def __post_init__(self) -> None:
        check_kind("factor", self.name, str, "the name of a constant")
        for end in ("low", "high", "chance", *(("mode",) if self.mode is not None else ())):
            value = getattr(self, end)
            if not is_number(value):
                raise refused(f"'{self.name}': {end}", value, "a number")
        found = f"'{self.name}': found low {self.low:g} and high {self.high:g}"
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise ParameterError(f"{found}, expected finite numbers with low below high")
        if self.distribution not in DISTRIBUTIONS:
            raise ParameterError(
                f"'{self.name}': found distribution '{self.distribution}', expected one of "
                f"{', '.join(DISTRIBUTIONS)}"
            )
        if self.distribution == "triangular" and not self.low <= self._peak <= self.high:
            raise ParameterError(f"{found} and mode {self.mode}, expected it between them")
        if not 0 <= self.chance <= 1:
            raise ParameterError(f"'{self.name}': found chance {self.chance}, expected 0 to 1")

    @property
    def _peak(self) -> float:
        return np.nan if self.mode is None else self.mode

    def values(self, chances: np.ndarray) -> np.ndarray:
        """Values at chances: the inverse of the distribution function.

        Parameters
        ----------
        chances : array
            From 0 to 1, in any shape.

        Returns
        -------
        array
            In that shape, in the constant's unit.
        """
        if self.distribution == "switch":
            return np.where(chances < 1 - self.chance, self.low, self.high)
        width = self.high - self.low
        if self.distribution == "uniform":
            return self.low + chances * width
        from scipy.stats import triang

        return triang.ppf(chances, (self._peak - self.low) / width, self.low, width)


def factors_of(ranges: Mapping[str, Sequence[float]]) -> list[Factor]:
    """Factors of any model from ranges.

    Parameters
    ----------
    ranges : mapping of str to (low, high) or (low, mode, high)
        By name of the constant: uniform, or triangular with a most likely value.

    Returns
    -------
    list of Factor

    Raises
    ------
    ParameterError
        A range has another length, or as for `Factor`.

    Examples
    --------
    >>> factors = kredslob.factors_of({"contact rate": (5, 15), "recovery time": (3, 5, 9)})
    >>> [factor.distribution for factor in factors]
    ['uniform', 'triangular']
    """
    check_named("ranges", ranges, "{'birth rate': (0.1, 0.5)}")
    found = []
    for name, numbers in ranges.items():
        if not isinstance(numbers, tuple | list) or len(numbers) not in (2, 3):
            raise refused(f"ranges: '{name}'", numbers, "(low, high) or (low, mode, high)")
        low, *mode, high = numbers
        kind = "triangular" if mode else "uniform"
        found.append(Factor(name, low, high, kind, mode[0] if mode else None))
    return found


def sample(
    factors: Sequence[Factor],
    draws: int,
    *,
    method: str = "random",
    seed: int = 0,
    correlations: Mapping[tuple[str, str], float] | None = None,
) -> xr.Dataset:
    """Draw a sample of factors.

    Parameters
    ----------
    factors : sequence of Factor
        What is uncertain.
    draws : int
        How many, at least 1; a power of 2 for sobol.
    method : str
        random: independent draws; latin: Latin hypercube; sobol: Sobol's sequence, scrambled
        (SciPy's ``qmc``, Owen 1998).
    seed : int
        From 0; the same seed gives the same sample.
    correlations : mapping of (str, str) to float, optional
        Rank correlation, -1 to 1, of pairs of factors by name, by a Gaussian copula.

    Returns
    -------
    Dataset
        Over ``run``: a design for `Model.run_many`, with attributes method and seed.

    Raises
    ------
    ParameterError
        There is no factor, one stands twice, their number or the seed makes no sense, the method is
        unknown, or correlations contradict each other.

    Examples
    --------
    >>> draws = kredslob.sample([kredslob.Factor("overhead share", 0.05, 0.2)], 100, seed=1)
    >>> draws.sizes["run"], bool((draws["overhead share"] > 0.05).all())
    (100, True)
    """
    names = [factor.name for factor in all_of("factors", factors, Factor, A_FACTOR)]
    if not names or len(set(names)) < len(names):
        raise ParameterError("a sample needs at least one factor, and each of them once")
    check_whole("draws", draws, 1)
    check_seed(seed)
    if method not in _METHODS:
        raise refused("method", method, f"one of {', '.join(_METHODS)}")
    chances = _METHODS[method](len(names), int(draws), int(seed))
    drawn = _design(factors, chances, correlations)
    return drawn.assign_attrs({"method": method, "seed": int(seed)})


def _design(
    factors: Sequence[Factor],
    chances: np.ndarray,
    correlations: Mapping[tuple[str, str], float] | None,
) -> xr.Dataset:
    """Values of each factor at these chances, shape (draws, factors)."""
    if correlations:
        chances = _correlated(chances, [f.name for f in factors], correlations)
    columns = {f.name: (RUN, f.values(chances[:, k])) for k, f in enumerate(factors)}
    return xr.Dataset(columns, {RUN: np.arange(len(chances))})


def sample_in_parts(
    factors: Sequence[Factor],
    draws: int,
    *,
    seed: int = 0,
    correlations: Mapping[tuple[str, str], float] | None = None,
) -> DesignInParts:
    """Draw independent draws part by part, so that a study of any size holds but a part of them.

    Parameters
    ----------
    factors, correlations
        As for `sample`.
    draws : int
        How many, at least 2.
    seed : int
        From 0; the same seed gives the same draws, whatever parts they are made in. They are
        others than those of `sample`.

    Returns
    -------
    DesignInParts
        A design for `Model.run_many` with ``summary=`` or ``store=``.

    Raises
    ------
    ParameterError
        As for `sample`.

    Examples
    --------
    >>> model = kredslob.load()
    >>> ranges = kredslob.factors_of({"overhead share": (0.1, 0.2), "cashing delay": (1, 3)})
    >>> draws = kredslob.sample_in_parts(ranges, 100_000, seed=1)
    >>> bands = model.run_many(draws, at=[10], save=["total cash"], summary=["mean", 0.05, 0.95])
    >>> bands["total cash"].dims
    ('statistic', 'time')
    """
    check_whole("draws", draws, 2)
    sample(factors, 1, seed=seed, correlations=correlations)  # refuses what makes no sense

    def part(begin: int, end: int) -> xr.Dataset:
        blocks = range(begin // _BLOCK, -(-end // _BLOCK))
        drawn = [_random(len(factors), _BLOCK, (int(seed), block)) for block in blocks]
        first = blocks.start * _BLOCK
        chances = np.concatenate(drawn)[begin - first : end - first]
        return _design(factors, chances, correlations)

    return DesignInParts(draws, part, repr((list(factors), seed, correlations)))


def check_seed(seed: int) -> None:
    """Raise ParameterError where a seed is no whole number from 0 to 2^32 - 2."""
    if not (isinstance(seed, int | np.integer) and 0 <= seed <= _LARGEST_SEED):
        raise refused("seed", seed, "a whole number from 0")


def _check_pairs(correlations: Mapping[tuple[str, str], float]) -> None:
    """Raise ParameterError where correlations do not stand by pairs of names."""
    expected = "a dict by pairs of names, such as {('birth rate', 'death rate'): 0.5}"
    check_kind("correlations", correlations, Mapping, expected)
    for pair in correlations:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise refused("correlations", correlations, expected)


def _random(factors: int, count: int, seed: int | tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(seed).random((factors, count)).T


def _latin(factors: int, count: int, seed: int) -> np.ndarray:
    from scipy.stats import qmc

    return qmc.LatinHypercube(factors, rng=np.random.default_rng(seed)).random(count)


def _sobol(factors: int, count: int, seed: int) -> np.ndarray:
    from scipy.stats import qmc

    if count & (count - 1):
        raise ParameterError(f"draws: found {count}, expected a power of 2 for Sobol's sequence")
    sequence = qmc.Sobol(factors, rng=np.random.default_rng(seed))
    return sequence.random_base2(int(count).bit_length() - 1)


_METHODS: Mapping[str, Callable[[int, int, int], np.ndarray]] = {
    "random": _random,
    "latin": _latin,
    "sobol": _sobol,
}


def _correlated(
    chances: np.ndarray, names: Sequence[str], correlations: Mapping[tuple[str, str], float]
) -> np.ndarray:
    """Chances with these rank correlations: a Gaussian copula over the same draws."""
    _check_pairs(correlations)
    for (a, b), rank in correlations.items():
        missing = [n for n in (a, b) if n not in names]
        if missing:
            raise ParameterError(
                f"correlation: '{missing[0]}' is no factor of this sample{hint(missing[0], names)}"
            )
        if not is_number(rank):
            raise refused(f"correlation of '{a}' and '{b}'", rank, "a number from -1 to 1")
        if not -1 <= rank <= 1:
            raise ParameterError(f"correlation of '{a}' and '{b}': found {rank}, expected -1 to 1")
    matrix = normal_matrix(names, correlations)
    if contradiction(matrix) is not None:
        raise ParameterError("correlations: they contradict each other")
    return together(chances, matrix)
