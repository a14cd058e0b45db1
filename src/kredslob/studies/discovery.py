"""Scenario discovery: the inputs under which what we ask about happens.

Both methods describe the cases of interest by boxes: a range for each of a few inputs. Coverage is
the share of all cases that a box holds, density the share of its runs that are cases, and mass the
share of all runs that it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from kredslob.arguments import all_of, check_kind
from kredslob.design import RUN
from kredslob.errors import ParameterError
from kredslob.studies.extras import extra
from kredslob.studies.factors import A_FACTOR, Factor, check_seed

_PEEL = 0.05  # of a box's runs at each step, as Friedman and Fisher advise: 0.05 to 0.1
_LEAST = 0.05  # of all runs in the last box, and in each leaf of a tree
_SHARE = 0.5  # of the runs in a resample
_RESAMPLES = 20
_SHARES = {
    "coverage": "share of all cases that lie in the box",
    "density": "share of the runs in the box that are cases",
    "mass": "share of all runs that lie in the box",
}


@dataclass(frozen=True)
class Peeling:
    """Boxes that close in on the cases step by step, from `prim`.

    Parameters
    ----------
    trajectory : Dataset
        Over step, the first box being all runs: "coverage", "density", "mass" (Dmnl) and
        "restrictions" (number of inputs whose range is cut); over step and factor: "low", "high"
        (limits, in the input's unit) and "restricted". Coordinates over factor: "lowest" and
        "highest" (ends of its range), "distribution" and "label".
    inputs : array, shape (runs, factors)
        Values of the inputs.
    cases : bool array, shape (runs,)
        Which runs are cases.

    Examples
    --------
    >>> peeling = prim(runs, runs["loop gain"] >= 0.3, factors)  # doctest: +SKIP
    >>> peeling.inspect(20)  # doctest: +SKIP
    """

    trajectory: xr.Dataset
    inputs: np.ndarray
    cases: np.ndarray

    def inspect(self, step: int) -> xr.Dataset:
        """One box.

        Parameters
        ----------
        step : int
            Of the trajectory; from the end if below 0.

        Returns
        -------
        Dataset
            "coverage", "density", "mass" and, over the restricted factors, the surest first,
            "low", "high" and "quasi p": the chance of so many cases if the restriction of that
            input did nothing, others as they are; a small one speaks for it. It is too small as a
            p value, since the box was sought among many.

        Raises
        ------
        ParameterError
            There is no such step.

        References
        ----------
        B. P. Bryant and R. J. Lempert (2010), Technological Forecasting & Social Change 77, 34-49.
        """
        count = self.trajectory.sizes["step"]
        if not -count <= step < count:
            raise ParameterError(f"step: found {step}, expected one from 0 to {count - 1}")
        box = self.trajectory.isel(step=step)
        chances = self._quasi_p(box)
        order = [k for k in np.argsort(chances, kind="stable") if box["restricted"].values[k]]
        long_name = "chance of so many cases if the restriction did nothing"
        box["quasi p"] = ("factor", chances, {"units": "Dmnl", "long_name": long_name})
        return box.isel(factor=order)

    def _quasi_p(self, box: xr.Dataset) -> np.ndarray:
        """One-sided binomial chance of each factor: the box against the box without its limits."""
        from scipy.stats import binom

        outside = (self.inputs < box["low"].values) | (self.inputs > box["high"].values)
        misses = outside.sum(axis=1)
        inside = misses == 0
        found = []
        for column in outside.T:
            wider = misses == column  # outside by this factor alone, or by none
            share = self.cases[wider].mean()
            found.append(binom.sf(self.cases[inside].sum() - 1, inside.sum(), share))
        return np.array(found)

    def resampled(self, step: int, seed: int = 0) -> xr.DataArray:
        """How often an input is restricted again where half of the runs are drawn anew, 20 times.

        Parameters
        ----------
        step : int
            Box of the trajectory. From each new trajectory the box is taken that lies closest in
            coverage and density.
        seed : int
            Of the draws, from 0.

        Returns
        -------
        DataArray
            Over factor, the most frequent first: share of the draws (Dmnl, 0 to 1). Inputs that
            the box restricts and few draws do are there by chance.

        Raises
        ------
        ParameterError
            There is no such step, or the seed makes no sense.

        References
        ----------
        B. P. Bryant and R. J. Lempert (2010), as for `inspect`.
        """
        check_seed(seed)
        box = self.inspect(step)
        chosen = np.array([float(box["coverage"]), float(box["density"])])
        draws = np.random.default_rng(seed)
        size = max(1, round(_SHARE * len(self.cases)))
        count = np.zeros(self.inputs.shape[1])
        for _ in range(_RESAMPLES):
            part = draws.choice(len(self.cases), size, replace=False)
            boxes = list(_peeled(self.inputs[part], self.cases[part]))
            cases = max(1, self.cases[part].sum())
            scores = np.array([(b.hits / cases, b.hits / b.runs) for b in boxes])
            near = boxes[int(np.argmin(((scores - chosen) ** 2).sum(axis=1)))]
            count += near.restricted
        found = xr.DataArray(
            count / _RESAMPLES,
            {"factor": self.trajectory["factor"]},
            attrs={"units": "Dmnl", "long_name": "share of resamples that restrict the input"},
        )
        return found.isel(factor=np.argsort(-count, kind="stable"))

    def _repr_html_(self) -> str:
        columns = ["coverage", "density", "mass", "restrictions"]
        table = self.trajectory[columns].to_dataframe()[columns]
        return table.to_html(float_format=lambda value: f"{value:.3f}")


def prim(runs: xr.Dataset, cases: xr.DataArray, factors: Sequence[Factor]) -> Peeling:
    """Patient rule induction: peel off, again and again, a slice of runs with few cases.

    At each step the lowest or highest twentieth of one input is cut off, whichever raises the
    density most for each run that it costs, until less than a twentieth of the runs are left. Runs
    with the same value of an input stay together, so that a switch is cut in one. One box is
    found; there is no pasting, so that boxes lie within each other and coverage only falls.

    Parameters
    ----------
    runs : Dataset
        From `kredslob.studies.evaluate.evaluate`, with "input NAME" for each factor.
    cases : bool DataArray over run
        Which runs are of interest, such as ``runs["loop gain"] >= 0.3``.
    factors : sequence of Factor
        Inputs that boxes may restrict.

    Returns
    -------
    Peeling

    Raises
    ------
    ParameterError
        All runs are cases, or none is; a factor was not varied; or shapes do not fit.

    References
    ----------
    J. H. Friedman and N. I. Fisher (1999), Statistics and Computing 9, 123-143; the objective by
    runs lost: J. H. Kwakkel and M. Jaxa-Rozen (2016), Environmental Modelling & Software 79,
    311-321.

    Examples
    --------
    >>> factors = kredslob.factors_of({"overhead share": (0.05, 0.2), "reinvestment rate": (0, 1)})
    >>> draws = kredslob.sample(factors, 200)
    >>> runs = kredslob.evaluate(kredslob.load(), draws, kredslob.at_end("total cash"), years=10)
    >>> high = runs["total cash"] > runs["total cash"].quantile(0.8)
    >>> peeling = kredslob.prim(runs, high, factors)
    >>> type(peeling).__name__
    'Peeling'
    """
    inputs, hits = _checked(runs, cases, factors)
    boxes = list(_peeled(inputs, hits))
    trajectory = _described(boxes, hits, factors, "step")
    trajectory.attrs = {**runs.attrs, "discovery": "prim"}
    return Peeling(trajectory, inputs, hits)


def cart(
    runs: xr.Dataset, cases: xr.DataArray, factors: Sequence[Factor], *, seed: int = 0
) -> xr.Dataset:
    """Split the runs in two, again and again, so that cases part from the rest (CART).

    Parameters
    ----------
    runs, cases, factors
        As for `prim`.
    seed : int
        From 0; decides between splits that are equally good.

    Returns
    -------
    Dataset
        One box a leaf, the densest first, over box: as `Peeling.trajectory` over step. Each holds
        at least a twentieth of the runs; together they hold each run once.

    Raises
    ------
    ParameterError
        scikit-learn is not installed, the seed makes no sense, or as for `prim`.

    References
    ----------
    L. Breiman, J. H. Friedman, R. A. Olshen and C. J. Stone (1984), Classification and Regression
    Trees; as scikit-learn's ``DecisionTreeClassifier``.

    Examples
    --------
    >>> factors = kredslob.factors_of({"overhead share": (0.05, 0.2), "reinvestment rate": (0, 1)})
    >>> draws = kredslob.sample(factors, 200)
    >>> runs = kredslob.evaluate(kredslob.load(), draws, kredslob.at_end("total cash"), years=10)
    >>> high = runs["total cash"] > runs["total cash"].quantile(0.8)
    >>> kredslob.cart(runs, high, factors).sizes["box"] > 0
    True
    """
    check_seed(seed)
    inputs, hits = _checked(runs, cases, factors)
    classifier = extra("sklearn.tree", "scikit-learn").DecisionTreeClassifier
    fitted = classifier(min_samples_leaf=_LEAST, random_state=seed).fit(inputs, hits)
    leaves = [
        _box(low, high, _inside(inputs, low, high), hits) for low, high in _leaves(fitted.tree_)
    ]
    leaves.sort(key=lambda box: (-box.hits / box.runs, -box.runs))
    found = _described(leaves, hits, factors, "box")
    found.attrs = {**runs.attrs, "discovery": "cart", "discovery seed": seed}
    return found


@dataclass(frozen=True)
class _Box:
    """Limits, shape (factors,), infinite where there are none, and what lies within."""

    low: np.ndarray
    high: np.ndarray
    runs: int
    hits: int

    @property
    def restricted(self) -> np.ndarray:
        return np.isfinite(self.low) | np.isfinite(self.high)


def _box(low: np.ndarray, high: np.ndarray, inside: np.ndarray, cases: np.ndarray) -> _Box:
    return _Box(low.copy(), high.copy(), int(inside.sum()), int(cases[inside].sum()))


def _inside(inputs: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    within = (inputs >= low) & (inputs <= high)
    return np.asarray(within.all(axis=1))


# --- peeling ---


def _peeled(inputs: np.ndarray, cases: np.ndarray) -> Iterator[_Box]:
    """Boxes from all runs down to the smallest."""
    count = inputs.shape[1]
    low, high = np.full(count, -np.inf), np.full(count, np.inf)
    inside = np.ones(len(cases), dtype=bool)
    yield _box(low, high, inside, cases)
    while True:
        peel = _best_peel(inputs[inside], cases[inside], _LEAST * len(cases))
        if peel is None:
            return
        side, factor, limit = peel
        if side < 0:
            low[factor] = limit
        else:
            high[factor] = limit
        inside = _inside(inputs, low, high)
        yield _box(low, high, inside, cases)


def _best_peel(
    inputs: np.ndarray, cases: np.ndarray, fewest: float
) -> tuple[int, int, float] | None:
    """Side (-1 low, 1 high), factor and new limit of the best peel, or None."""
    best: tuple[float, int, int, float] | None = None
    for side in (-1, 1):
        # the high side is the low side of the values with their sign turned
        values = inputs if side < 0 else -inputs
        off, limits = _slices(values)
        lost = off.sum(axis=0)
        left = len(cases) - lost
        possible = (lost > 0) & (left >= fewest) & (left > 0)
        hits = cases.sum() - cases.astype(float) @ off
        gain = np.full(len(lost), -np.inf)
        density = np.divide(hits, left, out=np.zeros(len(left)), where=left > 0)
        np.divide(density - cases.mean(), lost, out=gain, where=possible)
        factor = int(np.argmax(gain))
        if np.isfinite(gain[factor]) and (best is None or gain[factor] > best[0]):
            best = (float(gain[factor]), side, factor, -side * float(limits[factor]))
    return best[1:] if best else None


def _slices(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which runs the lowest slice along each factor holds, and the limits, halfway to the rest."""
    count = max(1, int(_PEEL * len(values)))
    if len(values) <= count:
        return np.zeros(values.shape, dtype=bool), np.zeros(values.shape[1])
    lowest = np.partition(values, count, axis=0)[count]
    off = values < lowest
    # where more runs than a slice share the lowest value, it goes as a whole
    tied = ~off.any(axis=0)
    off[:, tied] = values[:, tied] == lowest[tied]
    last = np.where(off, values, -np.inf).max(axis=0)
    first = np.where(off, np.inf, values).min(axis=0)
    limits = last + (first - last) / 2
    return off, np.where(limits > last, limits, first)  # neighbours so close that none is between


# --- trees ---


def _leaves(tree: object) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Limits of each leaf of scikit-learn's tree, whose left branch holds what is not above."""
    left, right = tree.children_left, tree.children_right  # type: ignore[attr-defined]
    factor, threshold = tree.feature, tree.threshold  # type: ignore[attr-defined]
    count = tree.n_features  # type: ignore[attr-defined]
    open_nodes = [(0, np.full(count, -np.inf), np.full(count, np.inf))]
    while open_nodes:
        node, low, high = open_nodes.pop()
        if left[node] < 0:
            yield low, high
            continue
        below, above = high.copy(), low.copy()
        below[factor[node]] = threshold[node]
        above[factor[node]] = np.nextafter(threshold[node], np.inf)
        open_nodes += [(left[node], low, below), (right[node], above, high)]


# --- what goes in and out ---


def _checked(
    runs: xr.Dataset, cases: xr.DataArray, factors: Sequence[Factor]
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs, shape (runs, factors), and cases, shape (runs,)."""
    check_kind("runs", runs, xr.Dataset, "the Dataset that kredslob.evaluate gives")
    if not all_of("factors", factors, Factor, A_FACTOR):
        raise ParameterError("factors: found none, expected at least one")
    for factor in factors:
        if f"input {factor.name}" not in runs:
            raise ParameterError(f"'{factor.name}' was not varied in these runs")
    each = "yes or no (bool) for each run, such as runs['total population'] > 1000"
    check_kind("cases", cases, xr.DataArray, each)
    if cases.dims != (RUN,) or cases.sizes[RUN] != runs.sizes[RUN] or cases.dtype != bool:
        sizes = ", ".join(f"{dim}: {size}" for dim, size in cases.sizes.items())
        raise ParameterError(f"cases: found {cases.dtype} over ({sizes}), expected {each}")
    hits = cases.values
    if hits.all() or not hits.any():
        count = int(hits.sum())
        raise ParameterError(f"cases: {count} of {hits.size} runs; some must be and some not")
    return np.column_stack([runs[f"input {f.name}"].values for f in factors]), hits


def _described(
    boxes: Sequence[_Box], cases: np.ndarray, factors: Sequence[Factor], along: str
) -> xr.Dataset:
    """Boxes as a Dataset; limits that are not restricted are the ends of the input's range."""
    full = np.array([[factor.low, factor.high] for factor in factors])
    runs = np.array([box.runs for box in boxes])
    hits = np.array([box.hits for box in boxes])
    restricted = np.array([box.restricted for box in boxes])
    found = xr.Dataset(
        coords={
            along: np.arange(len(boxes)),
            "factor": [factor.name for factor in factors],
            "lowest": ("factor", full[:, 0]),
            "highest": ("factor", full[:, 1]),
            "distribution": ("factor", [factor.distribution for factor in factors]),
            "label": ("factor", [factor.label for factor in factors]),
        }
    )
    shares = {"coverage": hits / cases.sum(), "density": hits / runs, "mass": runs / len(cases)}
    for name, values in shares.items():
        found[name] = (along, values, {"units": "Dmnl", "long_name": _SHARES[name]})
    found["restrictions"] = (along, restricted.sum(axis=1), {"long_name": "restricted inputs"})
    found["restricted"] = ((along, "factor"), restricted)
    for name, limits in (
        ("low", np.maximum([box.low for box in boxes], full[:, 0])),
        ("high", np.minimum([box.high for box in boxes], full[:, 1])),
    ):
        attrs = {"long_name": f"{name} limit of the box", "units": "of the input"}
        found[name] = ((along, "factor"), limits, attrs)
    return found
