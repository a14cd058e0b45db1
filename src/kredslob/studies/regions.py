"""Where the fund carries itself: the rate against what is pledged, what can be cashed, what leaves.

Three maps, each over the reinvestment rate and one other quantity, as simulations on a grid. Each
other quantity is one number for several constants of the model, so that a map passes through the
policy as it stands and reaches what would be the most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.cycle.needed import check_is_cycle
from kredslob.cycle.threshold import (
    COVERAGE_VARIABLES,
    GAIN_VARIABLES,
    late_coverage,
    loop_gain,
    margin,
)
from kredslob.ensemble import Progress, part_of
from kredslob.simulation import HasParameters, Model
from kredslob.studies.critical_rate import RATE, check_constant_rate, late_times
from kredslob.studies.question import question
from kredslob.studies.steps import steps_in

POINTS = 41  # along each axis
MAPS = ("pledged share", "cashable share", "investor share of savings")
_FOR_GOOD = 1e9  # multiple of the capital after which no investor is paid more: never reached
_SEED_CAPITAL = 1e-3  # part of the capital that becomes private where there are no investors


@dataclass(frozen=True)
class _Axis:
    """The other axis of a map: its values, the policy's own, and the constants at each value."""

    values: np.ndarray
    current: float
    constants: Mapping[str, np.ndarray]


def sustaining_regions(
    model: Model,
    scenario: Mapping[str, Any] | HasParameters | None = None,
    *,
    years: float | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Simulate a fund on three maps of policy, to see where it carries itself.

    Each map is 41 x 41 simulations over the reinvestment rate (0 to 1) and:

    * "pledged share" (0 to 1) of the identified saving, all purses together. Below the current one
      all pledges shrink in proportion; above it, what is not pledged does, until all is pledged.
    * "cashable share" (0 to 1) of the avoided cost, all administrations together; likewise.
    * "investor share of savings" (0 to 1): the part of the returned savings that investors get for
      as long as the run lasts. Claims that end by term or cap, as the model's usually do, leave the
      threshold where it is: once they are paid, the loop goes on without them. Where a scenario has
      no private capital, a thousandth of the capital at start is made private, to carry the claim.

    Parameters
    ----------
    model : Model
        The reinvestment model.
    scenario : mapping or object with ``parameters``, optional
        What to change, as for `Model.run`.
    years : float, optional
        Horizon, in years. Default: as the model file says.
    client : dask.distributed.Client, optional
        As for `Model.run_many`.
    store : Path or str, optional
        Folder for each map, as soon as it is finished. If the work is broken off, the same call
        goes on with what is missing.
    progress : callable, optional
        Called with (runs done, runs in all).

    Returns
    -------
    Dataset
        For each map, over its axis and the rate: "loop gain by ..." (Dmnl, at the end of the run,
        less the part that investors take on the third map), "coverage by ..." (Dmnl, see
        `kredslob.cycle.threshold.late_coverage`) and "self-sustaining by ..." (true or false, see
        `kredslob.cycle.threshold.margin`). "current rate", "current loop gain" and "current ..."
        (Dmnl) are those of the scenario.

    Raises
    ------
    ParameterError
        The scenario sets the rate by a rule, or as for `Model.run`.
    InputFileError
        The store cannot be used, or holds the answers to another question.

    Examples
    --------
    >>> found = kredslob.sustaining_regions(kredslob.load(), years=5)
    >>> "coverage by pledged share" in found
    True
    """
    check_is_cycle(model)
    check_constant_rate(scenario)
    run = model.run(scenario, years=years)
    now = run.isel(time=-1, drop=True)
    axes = {
        "pledged share": _pledges(now),
        "cashable share": _cashable(now),
        "investor share of savings": _investors(now, model, years),
    }
    rates = np.linspace(0, 1, POINTS)
    steps = steps_in(store, question(model, MAPS, rates, scenario, late_times(model, years)))
    found = xr.Dataset(
        {"current rate": now[RATE], "current loop gain": loop_gain(run)}, attrs=run.attrs
    )
    for number, (name, axis) in enumerate(axes.items()):
        part = part_of(progress, number, len(axes))
        drawn = partial(_map, model, scenario, name, axis, rates, years, client, part)
        found = found.merge(steps.answer(drawn))
        if part:  # for a map that was kept, too
            part(len(axis.values) * POINTS, len(axis.values) * POINTS)
        found[f"current {name}"] = _described(xr.DataArray(axis.current), f"current {name}")
        found[name].attrs = {"units": "Dmnl", "long_name": name}
    found[RATE].attrs = {"units": "Dmnl", "long_name": RATE}
    return found


def _map(
    model: Model,
    scenario: Mapping[str, Any] | HasParameters | None,
    name: str,
    axis: _Axis,
    rates: np.ndarray,
    years: float | None,
    client: Any,
    progress: Progress | None,
) -> xr.Dataset:
    design = {n: np.repeat(v, len(rates), axis=0) for n, v in axis.constants.items()}
    runs = model.without_bounds().run_many(
        design | {RATE: np.tile(rates, len(axis.values))},
        scenario,
        years=years,
        at=late_times(model, years),
        save=[*COVERAGE_VARIABLES, *GAIN_VARIABLES],
        client=client,
        progress=progress,
    )
    gain = loop_gain(runs).values.reshape(len(axis.values), -1)
    if name == "investor share of savings":
        gain = gain * (1 - axis.values[:, np.newaxis])
    coords = {name: axis.values, RATE: rates}
    figures = {
        "loop gain": gain,
        "coverage": late_coverage(runs).values,
        "self-sustaining": margin(runs).values >= 0,
    }
    found = xr.Dataset()
    for what, values in figures.items():
        array = xr.DataArray(values.reshape(gain.shape), coords, (name, RATE))
        found[f"{what} by {name}"] = _described(array, f"{what} by {name}")
    return found


def _described(array: xr.DataArray, long_name: str) -> xr.DataArray:
    array.attrs = {"units": "Dmnl", "long_name": long_name}
    return array


def _pledges(now: xr.Dataset) -> _Axis:
    agreement = float(now["wrong pocket agreement"]) == 1
    lever = f"pledged share {'with' if agreement else 'without'} agreement"
    return _blend(lever, now[lever], now["Cumulated Saved"])


def _cashable(now: xr.Dataset) -> _Axis:
    return _blend("cashable share", now["cashable share"], now["Cumulated Avoided Cost"])


def _blend(lever: str, shares: xr.DataArray, amounts: xr.DataArray) -> _Axis:
    """Vary the mean of shares, weighted by amounts, from none to all through where it is."""
    current = shares.values
    weights = np.maximum(amounts.values, 0)
    if not weights.sum():
        weights = np.ones_like(weights)
    mean = float(np.average(current, weights=weights))
    values = np.linspace(0, 1, POINTS)
    return _Axis(values, mean, {lever: along(current, mean, values)})


def along(shares: np.ndarray, mean: float, values: np.ndarray) -> np.ndarray:
    """Shares whose mean takes given values, on the way from none over these shares to all.

    Parameters
    ----------
    shares : array, shape (n,)
        From 0 to 1.
    mean : float
        Their mean, under some weights.
    values : array, shape (m,)
        Means to reach under the same weights, 0 to 1.

    Returns
    -------
    array, shape (m, n)
        Below the mean, shares shrink in proportion; above it, what they lack to one does.
    """
    wanted = np.asarray(values, dtype=float)[:, np.newaxis]
    down = shares * (np.minimum(wanted, mean) / mean if mean > 0 else 0.0)
    lacking = (1 - np.maximum(wanted, mean)) / (1 - mean) if mean < 1 else 0.0
    up = 1 - (1 - shares) * lacking
    return np.where(wanted <= mean, down, up)


def _investors(now: xr.Dataset, model: Model, years: float | None) -> _Axis:
    values = np.linspace(0, 1, POINTS)
    capital, private = now["capital at start"], now["is private"] == 1
    invested = float((now["Cumulated Paid In"] * private).sum()) > 0
    length = late_times(model, years)[-1] - late_times(model, years)[0]
    constants = {
        "investor share of savings": values,
        "cap on multiple": np.full(POINTS, _FOR_GOOD),
        "investor term": np.full(POINTS, length + 1),
    }
    if not invested:
        moved = capital * (1 - _SEED_CAPITAL) + capital.sum() * _SEED_CAPITAL * private
        constants["capital at start"] = np.tile(moved.values, (POINTS, 1))
        constants["admitted share"] = np.ones(POINTS)
    current = float(now["investor share of savings"]) if invested else 0.0
    return _Axis(values, current, constants)
