"""Numbers that are drawn together: rank correlations by a Gaussian copula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

_ROUNDING = 1e-10  # of eigenvalues


def normal_matrix(
    names: Sequence[str], correlations: Mapping[tuple[str, str], float]
) -> np.ndarray:
    """Correlations of the normal variables behind a copula.

    Parameters
    ----------
    names : sequence of str
        What is drawn, k names.
    correlations : mapping of (str, str) to float
        Rank correlation (Spearman's), -1 to 1, of pairs of names; a pair that is not named has 0.

    Returns
    -------
    array, shape (k, k)
        Pearson's correlations: 2 sin(pi r / 6) for a rank correlation r.
    """
    place = {name: k for k, name in enumerate(names)}
    matrix = np.eye(len(names))
    for (a, b), rank in correlations.items():
        both = 2 * np.sin(np.pi * rank / 6)
        matrix[place[a], place[b]] = matrix[place[b], place[a]] = both
    return matrix


def contradiction(matrix: np.ndarray) -> tuple[int, int] | None:
    """The pair that contradicts the others most; None if no numbers can contradict each other.

    Correlations can hold together only if the matrix is positive semi-definite. Where it is not,
    the pair is the one that adds most to the negative variance of the combination that shows it.
    """
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= -_ROUNDING:
        return None
    off = matrix - np.diag(np.diag(matrix))
    parts = off * np.outer(vectors[:, 0], vectors[:, 0])
    row, column = np.unravel_index(int(np.argmin(parts)), parts.shape)
    return int(row), int(column)


def together(chances: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Chances, shape (draws, k), that go together as a matrix from `normal_matrix` says.

    The matrix must not contradict itself.
    """
    from scipy.stats import norm

    root = _root(matrix)
    if root is None:  # one number follows from others; a hair of its own gives a root
        root = _root(matrix + 2 * _ROUNDING * np.eye(len(matrix)))
    assert root is not None
    tiny = np.finfo(float).tiny
    normal = norm.ppf(np.clip(chances, tiny, 1 - np.finfo(float).epsneg))
    joined = np.zeros_like(normal)
    for row, column in zip(*np.nonzero(root), strict=True):
        joined[:, row] += root[row, column] * normal[:, column]
    return np.asarray(norm.cdf(joined))


def _root(matrix: np.ndarray) -> np.ndarray | None:
    """Cholesky's root; None if there is none.

    Column by column and without BLAS, whose last digit depends on its threads and on where arrays
    lie in memory: the same seed must give the same draws in any process.
    """
    root = np.zeros_like(matrix)
    for k in range(len(matrix)):
        left = matrix[k:, k].copy()
        for j in np.flatnonzero(root[k, :k]):
            left -= root[k, j] * root[k:, j]
        if not left[0] > 0:
            return None
        root[k:, k] = left / np.sqrt(left[0])
    return root
