"""Constants of any model fitted to observed series by bounded least squares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.arguments import check_named, check_whole, range_of
from kredslob.errors import ParameterError
from kredslob.simulation import Model, check_is_model
from kredslob.studies.factors import Factor, sample
from kredslob.studies.goodness import goodness
from kredslob.studies.observations import (
    Observations,
    Observed,
    Scenario,
    Simulator,
    read_observations,
)

_TRIED = 32  # points a start, of which the best are gone on with
_STEP = 1e-6  # of the range: central differences, over which rounding and curvature are small
_FAR = 1e6  # scaled residual of a run that is no number
_AT_BOUND = 1e-6  # of the range


@dataclass(frozen=True)
class Calibration:
    """What a fit came to.

    Parameters
    ----------
    estimates : DataFrame
        A row a constant: "estimate", "standard error", "low" and "high" (the range searched), and
        "at bound", where the standard error means little.
    covariance : DataFrame
        Of the estimates.
    residuals : DataFrame
        A row a value: "series", "time", "observed", "fitted" and "residual" (observed less fitted).
    fit : DataFrame
        A row a series: as `kredslob.studies.goodness.goodness`.
    starts : DataFrame
        A row a start, the best first: "cost" (half the sum of scaled squares) and the constants. If
        they end far apart at nearly the same cost, the data do not tell the constants apart.
    """

    estimates: pd.DataFrame
    covariance: pd.DataFrame
    residuals: pd.DataFrame
    fit: pd.DataFrame
    starts: pd.DataFrame


def calibrate(
    model: Model,
    observed: Observed,
    ranges: Mapping[str, Sequence[float]],
    scenario: Scenario = None,
    *,
    starts: int = 4,
    seed: int = 0,
    client: Any = None,
) -> Calibration:
    """Fit constants of a model to observed series.

    Parameters
    ----------
    model : Model
        Any model.
    observed : Series, DataFrame, DataArray or mapping of str to Series
        What was observed, as `kredslob.studies.observations.read_observations` takes it; each time
        must be a time step of the run.
    ranges : mapping of str to (low, high)
        Constants to fit (``name`` or ``name[element, element]``; a stock for its initial value) and
        where to look for them, in their units.
    starts : int
        Local searches, from the best of 32 points a start, at least 1.
    seed : int
        Of these points, from 0.
    scenario : mapping or object with ``parameters``, optional
        What else to change, as for `Model.run`.
    client : dask.distributed.Client, optional
        A cluster for batches of more than 64 runs. Needs ``kredslob[cluster]``.

    Returns
    -------
    Calibration

    Raises
    ------
    ParameterError
        A name is unknown, a range is empty, a time lies outside the run or between its steps, a
        value is no number, or there are not more values than constants.

    Notes
    -----
    Trust-region reflective least squares (Branch, Coleman and Li 1999, in SciPy). Values weigh the
    same within a series; series weigh by the spread of their errors, taken from a first fit.
    Standard errors come from the slopes at the best point, as in linear regression. All first
    points are run in one batch, and so are all slopes at a point.

    Examples
    --------
    >>> model = kredslob.load()
    >>> run = model.run(overhead_share=0.12, years=5, save=["total cash"])
    >>> observed = run["total cash"].sel(time=[1, 2, 3, 4, 5]).to_series()
    >>> found = kredslob.calibrate(model, observed, {"overhead share": (0.05, 0.2)}, starts=1)
    >>> round(float(found.estimates.loc["overhead share", "estimate"]), 3)
    0.12
    """
    check_is_model(model)
    check_whole("starts", starts, 1)
    observations = read_observations(observed)
    factors = factors_to_fit(ranges, observations)
    simulate = Simulator(model, [f.name for f in factors], observations, scenario, client)
    search = _Search(simulate, factors, observations)
    scales = _spreads(observations)
    tried = search.points(sample(factors, _TRIED * int(starts), method="latin", seed=seed))
    misses = search.residuals(tried, scales)
    best = tried[np.argsort((misses**2).sum(axis=1))[: int(starts)]]
    ends = sorted((search.local(point, scales) for point in best), key=lambda end: end[0])
    point = ends[0][1]
    if len(observations.names) > 1:
        scales = _errors(search.residuals(point[np.newaxis], np.ones_like(scales))[0], observations)
        ends = sorted((search.local(end[1], scales) for end in ends), key=lambda end: end[0])
        point = ends[0][1]
    return _result(search, scales, point, ends)


def factors_to_fit(
    ranges: Mapping[str, Sequence[float]], observations: Observations
) -> list[Factor]:
    """Constants to fit, each uniform over its range, checked against the number of values."""
    check_named("ranges", ranges, "{'birth rate': (0.1, 0.5)}")
    found = [Factor(name, *range_of("ranges", name, ends)) for name, ends in ranges.items()]
    if not 0 < len(ranges) < len(observations.values):
        raise ParameterError(
            f"found {len(observations.values)} observed values for {len(ranges)} constants, "
            "expected at least one constant, and more values than constants"
        )
    return found


def _spreads(observations: Observations) -> np.ndarray:
    """First scale of each value: the spread of its series, or its size if it does not move."""
    scales = np.empty(len(observations.values))
    for part in observations.parts():
        values = observations.values[part]
        scales[part] = float(values.std()) or float(np.abs(values).max()) or 1.0
    return scales


def _errors(residuals: np.ndarray, observations: Observations) -> np.ndarray:
    """Root mean squared error of each value's series; a perfect one keeps a little weight free."""
    spreads = _spreads(observations)
    scales = np.empty(len(residuals))
    for part in observations.parts():
        rmse = float(np.sqrt(np.mean(residuals[part] ** 2)))
        scales[part] = max(rmse, 1e-9 * float(spreads[part[0]]))
    return scales


class _Search:
    """Least squares over the ranges, counted from 0 to 1."""

    def __init__(
        self,
        simulate: Callable[[np.ndarray], np.ndarray],
        factors: Sequence[Factor],
        observations: Observations,
    ) -> None:
        self.simulate, self.factors, self.observations = simulate, factors, observations
        self.low = np.array([f.low for f in factors])
        self.width = np.array([f.high for f in factors]) - self.low

    def points(self, drawn: xr.Dataset) -> np.ndarray:
        values = np.column_stack([drawn[f.name].values for f in self.factors])
        return (values - self.low) / self.width

    def residuals(self, points: np.ndarray, scales: np.ndarray) -> np.ndarray:
        """Observed less simulated, over the scales, shape (points, values)."""
        apart = self.observations.values - self.simulate(self.low + points * self.width)
        return np.nan_to_num(apart / scales, nan=_FAR, posinf=_FAR, neginf=-_FAR)

    def slopes(self, point: np.ndarray, scales: np.ndarray) -> np.ndarray:
        """Slopes of the residuals, shape (values, constants), central but at the bounds."""
        up = np.minimum(point + _STEP * np.eye(len(point)), 1)
        down = np.maximum(point - _STEP * np.eye(len(point)), 0)
        found = self.residuals(np.concatenate([up, down]), scales)
        across = np.diag(up) - np.diag(down)
        return (found[: len(point)] - found[len(point) :]).T / across

    def local(self, start: np.ndarray, scales: np.ndarray) -> tuple[float, np.ndarray]:
        """The cost and the point where a search from here ends."""
        from scipy.optimize import least_squares

        found = least_squares(
            lambda x: self.residuals(x[np.newaxis], scales)[0],
            np.clip(start, 1e-9, 1 - 1e-9),
            lambda x: self.slopes(x, scales),
            bounds=(0, 1),
            xtol=1e-12,
            ftol=1e-12,
            gtol=1e-12,
        )
        return float(found.cost), found.x


def _result(
    search: _Search, scales: np.ndarray, point: np.ndarray, ends: Sequence[tuple[float, np.ndarray]]
) -> Calibration:
    observations, names = search.observations, [f.name for f in search.factors]
    slopes = search.slopes(point, scales)
    misses = search.residuals(point[np.newaxis], scales)[0]
    variance = float(misses @ misses) / (len(misses) - len(names))
    # the pseudo-inverse leaves a constant that changes nothing without a number of its own
    spread = np.linalg.pinv(slopes.T @ slopes) * variance * np.outer(search.width, search.width)
    error = np.where(np.abs(slopes).max(axis=0) > 0, np.sqrt(np.diag(spread)), np.inf)
    estimates = pd.DataFrame(
        {
            "estimate": search.low + point * search.width,
            "standard error": error,
            "low": search.low,
            "high": search.low + search.width,
            "at bound": (point < _AT_BOUND) | (point > 1 - _AT_BOUND),
        },
        index=pd.Index(names, name="constant"),
    )
    residual = misses * scales
    residuals = pd.DataFrame(
        {
            "series": observations.series,
            "time": observations.times,
            "observed": observations.values,
            "fitted": observations.values - residual,
            "residual": residual,
        }
    )
    fit = {
        name: goodness(group["observed"], group["fitted"])
        for name, group in residuals.groupby("series", sort=False)
    }
    tried = pd.DataFrame([search.low + x * search.width for _, x in ends], columns=names)
    tried.insert(0, "cost", [cost for cost, _ in ends])
    covariance = pd.DataFrame(spread, index=names, columns=names)
    table = pd.DataFrame(fit).T.infer_objects().rename_axis("series")
    return Calibration(estimates, covariance, residuals, table, tried)
