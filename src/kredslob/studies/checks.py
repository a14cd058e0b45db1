"""The standard tests of a model that need no knowledge of what it is about.

Forrester and Senge (1980), Barlas (1996) and Sterman (2000, chapter 21) name the families. Each
check measures one number that must not pass a stated tolerance.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.arguments import is_number, refused
from kredslob.dimensions import check_dimensions
from kredslob.ensemble import Progress
from kredslob.errors import ParameterError
from kredslob.feedback.linear import linearise
from kredslob.simulation import HasParameters, Model, check_is_model, parameters_of
from kredslob.studies.extremes import (
    PAIR_BUDGET,
    Condition,
    Extreme,
    halved_and_doubled,
    pair_runs,
    single_runs,
)

PASS, FAIL, NOT_COMPUTABLE = "pass", "fail", "not computable"
COLUMNS = ("check", "verdict", "measured", "tolerance", "where")
PLACE = ("kind", "subject", "conditions", "amount", "unit")
MODEL_CHECKS = 8  # that any model is put through
_TIMES = 21  # at which extreme runs are looked at
_PART_OF_PAIRS = 4  # pairs run for a quarter of the time: there are hundreds of thousands
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

Scenario = Mapping[str, Any] | HasParameters | None


@dataclass(frozen=True)
class Place:
    """Where a check measured what it did, in parts that can be told in any language.

    Parameters
    ----------
    subject : str
        The variable, parameter, policy, case or reason.
    kind : str
        Which of these it is: variable, sum (of what happens in a step), policy, quantity (of a
        case), reason; or step, order, effect, refused, for an amount that is told in words.
    conditions : tuple of Condition
        What was changed in the run.
    amount : float
        A number that belongs to it.
    unit : str
        Its unit.
    """

    subject: str = ""
    kind: str = "variable"
    conditions: tuple[Condition, ...] = ()
    amount: float = float("nan")
    unit: str = ""

    def __str__(self) -> str:
        if self.kind == "refused":
            return f"refused conditions: {self.amount:.0f}"
        if self.kind == "order":
            return f"{self.amount:.2f}"
        if self.kind == "step":
            return f"{self.amount:.3g} {self.unit}".strip()
        if self.kind == "effect":
            return f"{self.subject}: {self.amount:+.0%}"
        under = ", ".join(map(str, self.conditions))
        return f"{self.subject} ({under})" if under else self.subject


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
    place : Place
        Where it was largest, or why nothing could be measured.
    """

    check: str
    verdict: str
    measured: float
    tolerance: float
    place: Place = field(default_factory=Place)


def measured(check: str, value: float, tolerance: float, place: Place | str = "") -> Check:
    """A check that passes if a value is at most its tolerance; NaN fails. A text is a variable."""
    where = Place(place) if isinstance(place, str) else place
    return Check(check, PASS if value <= tolerance else FAIL, float(value), tolerance, where)


def not_computable(check: str, tolerance: float, reason: object) -> Check:
    """A check that could not be made, which is not the same as one that passed."""
    return Check(check, NOT_COMPUTABLE, float("nan"), tolerance, Place(str(reason), kind="reason"))


def table(checks: Sequence[Check]) -> pd.DataFrame:
    """One row a check, with `COLUMNS`, and `PLACE`: the parts of "where", conditions as JSON."""
    rows = [
        {
            "check": check.check,
            "verdict": check.verdict,
            "measured": check.measured,
            "tolerance": check.tolerance,
            "where": str(check.place),
            "kind": check.place.kind,
            "subject": check.place.subject,
            "conditions": json.dumps(
                [[c.label, c.relation, c.value] for c in check.place.conditions],
                ensure_ascii=False,
            ),
            "amount": check.place.amount,
            "unit": check.place.unit,
        }
        for check in checks
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, *PLACE])


def gathered(checks: Iterator[Check], count: int, progress: Progress | None) -> pd.DataFrame:
    """A table of so many checks as they are made, with a word to who waits for them."""
    found = []
    for check in checks:
        found.append(check)
        if progress:
            progress(len(found), count)
    return table(found)


def checks_dataset(found: pd.DataFrame, model: Model) -> xr.Dataset:
    """Checks as a Dataset, to be kept with other results.

    Parameters
    ----------
    found : DataFrame
        From `check_model`, or `kredslob.studies.cycle_checks.check_cycle`.
    model : Model
        The model that was checked.

    Returns
    -------
    Dataset
        Over check: "verdict", "measured", "tolerance", "where" and its parts; attributes say which
        model it was and what checked it.
    """
    columns = [name for name in found.columns if name != "check"]
    said = {"measured": "what was measured", "tolerance": "the most that it may be"}
    variables = {
        name: (
            "check",
            found[name].to_numpy(dtype=float if name in (*said, "amount") else str),
            {"units": "Dmnl", "long_name": said.get(name, name)},
        )
        for name in columns
    }
    shared = model.shared_design(None, {}, None, None, None)
    made_by = model.provenance(shared, None, model.program.integration, 0)
    return xr.Dataset(variables, {"check": found["check"].to_numpy(dtype=str)}, made_by)


def check_model(
    model: Model,
    scenario: Scenario = None,
    *,
    pair_budget: float = PAIR_BUDGET,
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
    pair_budget : float
        As for `kredslob.studies.extremes.pair_runs`.
    client : dask.distributed.Client, optional
        As for `Model.run_many`; for the runs under extreme conditions.
    progress : callable, optional
        Called with (checks made, checks in all).

    Returns
    -------
    DataFrame
        One row a check: "check", "verdict" (pass, fail or not computable), "measured",
        "tolerance" (the most that it may be) and "where", the parts of which follow:

        * units: places where units do not agree.
        * finite: variables that are no number in some run, with each constant halved and doubled.
        * negative stocks: the lowest value, over the largest in the run as it is, of stocks that
          are never negative there.
        * pairs: runs, under each two of these conditions at once and for a quarter of the time, in
          which a variable is no number or such a stock is negative at the end. For a large model a
          covering array of them (`kredslob.studies.extremes.covering_array`).
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
    >>> found = kredslob.check_model(kredslob.load("predator_prey.mdl"))
    >>> bool((found["verdict"] == "fail").any())
    True
    """
    check_is_model(model)
    parameters_of(scenario)
    if not is_number(pair_budget):
        raise refused("pair_budget", pair_budget, "a number")
    checks = model_checks(
        model, scenario, halved_and_doubled(model), pair_budget=pair_budget, client=client
    )
    return gathered(checks, MODEL_CHECKS, progress)


def model_checks(
    model: Model,
    scenario: Scenario,
    extremes: Sequence[Extreme],
    never_negative: Sequence[str] | None = None,
    at_most: Mapping[str, float] | None = None,
    *,
    pair_budget: float = PAIR_BUDGET,
    client: Any = None,
) -> Iterator[Check]:
    """The checks of `check_model`, under given extreme conditions.

    ``never_negative`` names the stocks that cannot be negative, if it is known which they are, and
    ``at_most`` gives the most that some variables can be.
    """
    mismatches = check_dimensions(model.file.path)
    yield measured("units", len(mismatches), 0, mismatches[0].variable if mismatches else "")
    base = model.run(scenario)
    bounds = _Bounds(_sizes(base, never_negative), at_most or {})
    accepted: list[Extreme] = []
    yield from _one_by_one(model, scenario, base, extremes, bounds, accepted, client)
    yield _pairs(model, scenario, base, accepted, bounds, pair_budget, client)
    yield _time_step(model, scenario, base)
    yield from _integration(model, scenario, base)


@dataclass(frozen=True)
class _Bounds:
    """What may not be negative, with its size in the run as it is, and what may not be above."""

    sizes: Mapping[str, float]
    at_most: Mapping[str, float]

    def passed(self, name: str, values: np.ndarray) -> np.ndarray:
        """How far beyond its bounds each run, the first axis, takes a variable; NaN is nowhere."""
        by_run = np.nan_to_num(values.reshape(len(values), -1))
        beyond = np.zeros(len(values))
        if name in self.sizes:
            beyond = np.maximum(beyond, -by_run.min(axis=1) / self.sizes[name])
        if name in self.at_most:
            most = self.at_most[name]
            beyond = np.maximum(beyond, by_run.max(axis=1) / most - 1)
        return beyond


def _one_by_one(
    model: Model,
    scenario: Scenario,
    base: xr.Dataset,
    extremes: Sequence[Extreme],
    bounds: _Bounds,
    accepted: list[Extreme],
    client: Any,
) -> Iterator[Check]:
    """Whether all variables stay numbers and within their bounds; notes what the model accepts."""
    every = max(1, (base.sizes["time"] - 1) // (_TIMES - 1))
    times = list(base["time"].values[::every])
    kept = _computed(base)
    lost = {n: Place(n) for n in kept if not np.isfinite(base[n].values).all()}
    beyond = {
        n: (float(bounds.passed(n, base[n].values[np.newaxis])[0]), Place(n))
        for n in (*bounds.sizes, *bounds.at_most)
    }
    for part, runs in single_runs(model, scenario, extremes, at=times, save=kept, client=client):
        accepted.extend(part)
        for name in (n for n in kept if "run" in runs[n].dims):
            values = runs[name].values
            for run in np.flatnonzero(~_finite(values))[:1]:
                lost.setdefault(name, Place(name, conditions=(part[run].condition,)))
            if name in beyond:
                passed = bounds.passed(name, values)
                run = int(np.argmax(passed))
                if passed[run] > beyond[name][0]:
                    place = Place(name, conditions=(part[run].condition,))
                    beyond[name] = (float(passed[run]), place)
    refused = len(extremes) - len(accepted)
    note = Place(kind="refused", amount=refused) if refused else Place()
    yield measured("finite", len(lost), 0, next(iter(lost.values()), note))
    depth, place = max(beyond.values(), key=lambda pair: pair[0], default=(0.0, Place()))
    depth = max(0.0, depth)
    yield measured("negative stocks", depth, _ROUNDING, place if depth > _ROUNDING else Place())


def _pairs(
    model: Model,
    scenario: Scenario,
    base: xr.Dataset,
    extremes: Sequence[Extreme],
    bounds: _Bounds,
    budget: float,
    client: Any,
) -> Check:
    """Runs under two conditions at once in which something is no number or beyond its bounds."""
    times = base["time"].values
    end = float(times[max(1, len(times) // _PART_OF_PAIRS) if len(times) > 1 else 0])
    broken, place = 0, Place()
    parts = pair_runs(
        model,
        scenario,
        extremes,
        at=[end],
        save=_computed(base),
        years=end - float(times[0]) or None,
        budget=budget,
        client=client,
    )
    for conditions, runs in parts:
        bad = np.zeros(len(conditions), dtype=bool)
        for name, array in runs.data_vars.items():
            if "run" not in array.dims:
                continue
            values = array.values
            wrong = ~_finite(values) | (bounds.passed(str(name), values) > _ROUNDING)
            if wrong.any() and not broken and not place.subject:
                place = Place(str(name), conditions=conditions[int(np.argmax(wrong))])
            bad |= wrong
        broken += int(bad.sum())
    return measured("pairs", broken, 0, place)


def _computed(base: xr.Dataset) -> list[str]:
    return [str(n) for n, v in base.items() if v.attrs["kind"] not in ("constant", "data")]


def _finite(values: np.ndarray) -> np.ndarray:
    """Which runs, the first axis, hold nothing but numbers."""
    return np.isfinite(values.reshape(len(values), -1)).all(axis=1)


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
    shortest = Place(kind="step", amount=1 / fastest, unit=unit) if fastest else Place()
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
    place = Place(kind="order", amount=order)
    return measured("integration order", missed, _ORDER, place)


def _largest(check: str, gaps: Mapping[str, float]) -> Check:
    tolerance = _OF_STEPS[check]
    if not gaps:
        return not_computable(check, tolerance, "no stock")
    worst = max(gaps, key=lambda n: np.inf if np.isnan(gaps[n]) else gaps[n])
    return measured(check, gaps[worst], tolerance, worst)
