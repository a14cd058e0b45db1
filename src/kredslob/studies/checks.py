"""The standard tests of a model that need no knowledge of what it is about.

Forrester and Senge (1980), Barlas (1996) and Sterman (2000, chapter 21) name the families. Each
check measures one number that must not pass a stated tolerance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.dimensions import check_dimensions
from kredslob.ensemble import Progress
from kredslob.errors import ParameterError
from kredslob.feedback.linear import linearise
from kredslob.simulation import HasParameters, Model

PASS, FAIL, NOT_COMPUTABLE = "pass", "fail", "not computable"
COLUMNS = ("check", "verdict", "measured", "tolerance", "where")
MODEL_CHECKS = 7  # that any model is put through
_TIMES = 21  # at which extreme runs are looked at
_AT_ONCE = 200  # extreme runs in memory
_FACTORS = (0.5, 2.0)  # where a model states no ranges
_ROUNDING = 1e-9  # of a stock's largest value
_ORDER = 0.3  # by which the observed order of Euler's method may miss one
_OF_STEPS = {
    "integration order": _ORDER,
    "integration error": 0.02,
    "Runge-Kutta": 0.15,  # at its worst: in the first steps of what starts from nothing
}
# Time steps a time constant. The rule of thumb is a quarter; up to one half, each step of Euler's
# method still leaves more than half of a gap, and what that costs is measured as integration error.
_STEP = 0.5
_EXACT = 1e-12  # an integration error of nothing, which has no order

Extreme = tuple[str, Mapping[str, Any]]
Scenario = Mapping[str, Any] | HasParameters | None


@dataclass(frozen=True)
class Check:
    """What one check found.

    Parameters
    ----------
    check : str
        Its name.
    verdict : str
        pass, fail or not computable.
    measured, tolerance : float
        What was measured, and the most that it may be; NaN where nothing could be.
    where : str
        The variable, run or case where it was largest, or why nothing could be measured.
    """

    check: str
    verdict: str
    measured: float
    tolerance: float
    where: str = ""


def measured(check: str, value: float, tolerance: float, where: str = "") -> Check:
    """A check that passes if a value is at most its tolerance; NaN fails."""
    return Check(check, PASS if value <= tolerance else FAIL, float(value), tolerance, where)


def not_computable(check: str, tolerance: float, reason: object) -> Check:
    """A check that could not be made, which is not the same as one that passed."""
    return Check(check, NOT_COMPUTABLE, float("nan"), tolerance, str(reason))


def table(checks: Sequence[Check]) -> pd.DataFrame:
    """One row a check, with `COLUMNS`."""
    return pd.DataFrame([asdict(check) for check in checks], columns=list(COLUMNS))


def gathered(checks: Iterator[Check], count: int, progress: Progress | None) -> pd.DataFrame:
    """A table of so many checks as they are made, with a word to who waits for them."""
    found = []
    for check in checks:
        found.append(check)
        if progress:
            progress(len(found), count)
    return table(found)


def check_model(
    model: Model,
    scenario: Scenario = None,
    *,
    client: Any = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Test any model: units, extreme conditions, time step and integration error.

    Parameters
    ----------
    model : Model
        Any model.
    scenario : mapping or object with ``parameters``, optional
        What to change, as for `Model.run`.
    client : dask.distributed.Client, optional
        As for `Model.run_many`; for the runs under extreme conditions.
    progress : callable, optional
        Called with (checks made, checks in all).

    Returns
    -------
    DataFrame
        One row a check: "check", "verdict" (pass, fail or not computable), "measured",
        "tolerance" (the most that it may be) and "where":

        * units: places where units do not agree.
        * finite: variables that are no number in some run, with each constant halved and doubled.
        * negative stocks: the lowest value, over the largest in the run as it is, of stocks that
          are never negative there.
        * time step: over the shortest time constant (of the linearised model, past the start).
        * integration order: by how much log2 of |y(dt) - y(dt/2)| / |y(dt/2) - y(dt/4)|, summed
          over all stocks, misses one; for Runge-Kutta 4, by how much it falls short of one.
        * integration error: of stocks at the end, against the extrapolated limit of a step of zero.
        * Runge-Kutta: largest difference of stocks, at any time, from Runge-Kutta 4.

        Errors are shares of each stock's largest value.

    Raises
    ------
    ParameterError
        As for `Model.run`.

    Examples
    --------
    >>> check_model(Model("model.mdl")).query("verdict == 'fail'")  # doctest: +SKIP
    """
    checks = model_checks(model, scenario, halved_and_doubled(model), client=client)
    return gathered(checks, MODEL_CHECKS, progress)


def halved_and_doubled(model: Model) -> list[Extreme]:
    """Extreme conditions of a model that states no ranges: each constant halved, and doubled."""
    program = model.program
    control = {n for n, a in program.arrays.items() if a.kind != "constant"}
    found: list[Extreme] = []
    for name, default in program.defaults.items():
        values = np.asarray(default, dtype=float)
        if name in control or not np.isfinite(values).all() or not values.any():
            continue
        for factor in _FACTORS:
            changed = (factor * values).reshape(program.arrays[name].shape)
            found.append((f"{name} x {factor:g}", {name: changed}))
    return found


def model_checks(
    model: Model,
    scenario: Scenario,
    extremes: Sequence[Extreme],
    never_negative: Sequence[str] | None = None,
    client: Any = None,
) -> Iterator[Check]:
    """The checks of `check_model`, under given extreme conditions.

    ``never_negative`` names the stocks that cannot be negative, if it is known which they are.
    """
    mismatches = check_dimensions(model.file.path)
    yield measured("units", len(mismatches), 0, mismatches[0].variable if mismatches else "")
    base = model.run(scenario)
    yield from _extreme_conditions(model, scenario, base, extremes, never_negative, client)
    yield _time_step(model, scenario, base)
    yield from _integration(model, scenario, base)


def _extreme_conditions(
    model: Model,
    scenario: Scenario,
    base: xr.Dataset,
    extremes: Sequence[Extreme],
    never_negative: Sequence[str] | None,
    client: Any,
) -> Iterator[Check]:
    """Whether all variables stay numbers, and stocks that must not be negative are not."""
    every = max(1, (base.sizes["time"] - 1) // (_TIMES - 1))
    times = list(base["time"].values[::every])
    kept = [str(n) for n, v in base.items() if v.attrs["kind"] not in ("constant", "data")]
    sizes = _sizes(base, never_negative)
    lost = {n: "" for n in kept if not np.isfinite(base[n].values).all()}
    lowest = {n: (-float(base[n].min()) / size, n) for n, size in sizes.items()}
    looked_at = 0
    for part, runs in _extreme_runs(model, scenario, extremes, times, kept, client):
        looked_at += len(part)
        for name in (n for n in kept if "run" in runs[n].dims):
            values = runs[name].values.reshape(len(part), -1)
            for run in np.flatnonzero(~np.isfinite(values).all(axis=1))[:1]:
                lost.setdefault(name, f"{name} ({part[run][0]})")
            if name in sizes:
                below = -np.nan_to_num(values.min(axis=1)) / sizes[name]
                run = int(np.argmax(below))
                lowest[name] = max(lowest[name], (below[run], f"{name} ({part[run][0]})"))
    name, where = next(iter(lost.items()), ("", ""))
    refused = len(extremes) - looked_at
    note = f"refused conditions: {refused}" if refused else ""
    yield measured("finite", len(lost), 0, where or name or note)
    depth, where = max(lowest.values(), default=(0.0, ""))
    depth = max(0.0, depth)
    yield measured("negative stocks", depth, _ROUNDING, where if depth > _ROUNDING else "")


def _extreme_runs(
    model: Model,
    scenario: Scenario,
    extremes: Sequence[Extreme],
    times: Sequence[float],
    kept: Sequence[str],
    client: Any,
) -> Iterator[tuple[Sequence[Extreme], xr.Dataset]]:
    """Runs under extreme conditions, some at a time, without those that the model refuses.

    A condition is refused if it cannot be meant, such as a horizon that ends before it begins.
    """
    for begin in range(0, len(extremes), _AT_ONCE):
        part = extremes[begin : begin + _AT_ONCE]
        try:
            changes = [change for _, change in part]
            runs = model.run_many(changes, scenario, at=list(times), save=list(kept), client=client)
        except ParameterError:
            if len(part) == 1:
                continue
            for half in (part[: len(part) // 2], part[len(part) // 2 :]):
                yield from _extreme_runs(model, scenario, half, times, kept, client)
        else:
            yield part, runs


def _sizes(base: xr.Dataset, never_negative: Sequence[str] | None) -> dict[str, float]:
    """Largest value of each stock that must not be negative: as named, or as the run shows."""
    stocks = [str(n) for n, v in base.items() if v.attrs["kind"] == "stock"]
    sizes = {n: float(abs(base[n]).max()) or 1.0 for n in stocks}
    if never_negative is not None:
        return {n: sizes[n] for n in never_negative}
    return {n: v for n, v in sizes.items() if float(base[n].min()) >= -_ROUNDING * v}


def _time_step(model: Model, scenario: Scenario, base: xr.Dataset) -> Check:
    """Time step over the shortest time constant, at a quarter, a half and the end of the run."""
    times, step = base["time"].values, float(base[model.program.clock.step].values.ravel()[0])
    fastest = 0.0
    try:
        for part in (0.25, 0.5, 1):
            when = times[round(part * (len(times) - 1))]
            linear = linearise(model, scenario, time=float(when))
            fastest = max(fastest, float(abs(linear["eigenvalue"]).max()))
    except ParameterError as problem:
        return not_computable("time step", _STEP, problem)
    unit = model.program.arrays[model.program.clock.step].unit
    shortest = f"{1 / fastest:.3g} {unit}".strip() if fastest else ""
    of_it = round(step * fastest, 6)  # the slopes are differences, known to fewer digits than all
    return measured("time step", of_it, _STEP, shortest)


def _integration(model: Model, scenario: Scenario, base: xr.Dataset) -> Iterator[Check]:
    step = float(base[model.program.clock.step].values.ravel()[0])
    stocks = [str(n) for n, v in base.items() if v.attrs["kind"] == "stock"]
    rows = float(base["time"][1] - base["time"][0]) if base.sizes["time"] > 1 else step
    if not stocks:
        yield from (not_computable(name, most, "no stock") for name, most in _OF_STEPS.items())
        return

    def run(divisor: int, method: str | None = None) -> dict[str, np.ndarray]:
        found = model.run(
            scenario, time_step=step / divisor, saveper=rows, save=stocks, integration=method
        )
        return {n: found[n].values for n in stocks if "time" in found[n].dims}

    whole, half, quarter = run(1), run(2), run(4)
    size = {n: float(np.max(np.abs(v))) or 1.0 for n, v in quarter.items()}

    def gaps(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> dict[str, float]:
        return {n: float(np.max(np.abs(a[n] - b[n]))) / size[n] for n in size}

    euler = model.program.integration == "euler"
    first, second = (sum(gaps(a, b).values()) for a, b in ((whole, half), (half, quarter)))
    yield _order(first, second, euler)
    limit = {n: (2 * quarter[n] - half[n])[-1:] for n in size}
    yield _largest("integration error", gaps({n: whole[n][-1:] for n in size}, limit))
    other = run(1, "rk4") if euler else run(4, "euler")  # Euler's method needs the finer steps
    yield _largest("Runge-Kutta", gaps(whole, other))


def _order(first: float, second: float, euler: bool) -> Check:
    if second <= _EXACT:
        return not_computable("integration order", _ORDER, "no error to measure")
    order = float(np.log2(first / second)) if first > 0 else float("nan")
    missed = abs(order - 1) if euler else max(0.0, 1 - order)
    return measured("integration order", missed, _ORDER, f"{order:.2f}")


def _largest(check: str, gaps: Mapping[str, float]) -> Check:
    tolerance = _OF_STEPS[check]
    if not gaps:
        return not_computable(check, tolerance, "no stock")
    worst = max(gaps, key=lambda n: np.inf if np.isnan(gaps[n]) else gaps[n])
    return measured(check, gaps[worst], tolerance, worst)
