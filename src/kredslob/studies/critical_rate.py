"""The critical reinvestment rate by simulation: bracketed, and under uncertainty.

`kredslob.cycle.threshold` reads a critical rate from one run, all else being as it was in it. Here
the rate is changed and the model run again, so that what a rate does to support, evidence,
documentation and the pool of citizens is seen as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.arguments import check_whole
from kredslob.cycle.needed import check_is_cycle
from kredslob.cycle.threshold import (
    COVERAGE_VARIABLES,
    GAIN_VARIABLES,
    LAST_PART,
    margin,
    sustaining,
)
from kredslob.ensemble import Progress
from kredslob.errors import ParameterError
from kredslob.simulation import HasParameters, Model, check_above_zero, parameters_of
from kredslob.studies.factors import sample
from kredslob.studies.question import question
from kredslob.studies.questions import cycle_correlations, cycle_factors, distribution
from kredslob.studies.steps import Steps, steps_in

RATE = "reinvestment rate"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
TOLERANCE = 1e-4  # of the rate
_SCANNED = 21  # rates looked at before one interval is narrowed
_SCANNED_PER_DRAW = 11
_NARROWED = 8  # rates looked at after that, or so
_RUNS_AT_ONCE = 16_384  # a design of so many takes 30 MB

Margins = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Margins of the fund at some rates, each under one of some cases (by number)."""


def critical_bracket(
    model: Model,
    scenario: Mapping[str, Any] | HasParameters | None = None,
    *,
    years: float | None = None,
    client: Any = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Enclose the lowest reinvestment rate at which the fund carries itself in the full model.

    The margin (see `kredslob.cycle.threshold.margin`) is simulated at 21 rates from 0 to 1; between
    the lowest that sustains the fund and its neighbour below, its root is found by Chandrupatla's
    method.

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
    progress : callable, optional
        Called with (runs done, runs in all); the latter is a guess until all are done.

    Returns
    -------
    Dataset
        Over side ("short": the fund does not carry itself; "sustaining": it does), each a
        simulation: "rate" (Dmnl), "coverage" (Dmnl) and "loop gain" (Dmnl, at the end). The two
        rates lie no more than 1e-4 apart. Where no rate is enough, "short" is rate 1 and
        "sustaining" is missing; where every rate is, "sustaining" is rate 0 and "short" is missing.

        * "critical rate" (Dmnl): the sustaining rate; infinite where no rate is enough;
        * "formula" (Dmnl): one over the loop gain at full rate, read at the end of the run on the
          side that exists (the short one if both do);
        * "loop gain at rate 1" (Dmnl): read at the end of a run at rate 1.

    Raises
    ------
    ParameterError
        The scenario sets the rate by a rule, or as for `Model.run`.

    References
    ----------
    T. R. Chandrupatla (1997), Advances in Engineering Software 28, 145-149, as
    `scipy.optimize.elementwise.find_root`.

    Examples
    --------
    >>> found = kredslob.critical_bracket(kredslob.load(), years=10)
    >>> float(found["critical rate"])  # no rate is enough within ten years
    inf
    """
    check_is_cycle(model)
    check_constant_rate(scenario)
    check_above_zero("years", years)
    study = _Study(model, scenario, years, client, _Expected(progress, 1, _SCANNED), Steps())
    low, high = _brackets(_margins(study, {}), 1, _SCANNED)
    sides = np.array([low[0], high[0]])
    there = np.isfinite(sides)
    rates = np.where(there, sides, 1.0)
    ended = study.answers({RATE: np.array([*rates, 1.0])}, sustaining, GAIN_VARIABLES)
    study.expected.end()
    gain, formula = ended["loop gain"].values, ended["critical rate"].values
    sides_of = {"side": ["short", "sustaining"]}
    by_side = {
        "rate": (sides, "reinvestment rate"),
        "coverage": (ended["coverage"].values[:2], "share of late spending that savings cover"),
        "loop gain": (gain[:2], "loop gain of the reinvestment cycle"),
    }
    single = {
        "critical rate": (_critical(high)[0], "critical reinvestment rate, simulated"),
        "formula": (formula[0] if there[0] else formula[1], "critical reinvestment rate, formula"),
        "loop gain at rate 1": (gain[2], "loop gain where all that is pledged is reinvested"),
    }
    found = xr.Dataset(coords=sides_of, attrs=ended.attrs)
    for name, (values, long_name) in by_side.items():
        found[name] = _figure(np.where(there, values, np.nan), long_name, "side")
    for name, (value, long_name) in single.items():
        found[name] = _figure(value, long_name)
    return found


def critical_rate_uncertainty(
    model: Model,
    scenario: Mapping[str, Any] | HasParameters | None = None,
    *,
    draws: int = 2000,
    seed: int = 0,
    years: float | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Spread of the critical rate over what the uncertain parameters may be.

    For each draw the full model is run at 11 rates from 0 to 1 and, where one of them sustains the
    fund, the critical rate is found as in `critical_bracket`.

    Parameters
    ----------
    model : Model
        The reinvestment model.
    scenario : mapping or object with ``parameters``, optional
        What to change, as for `Model.run`. Parameters that it changes are held.
    draws : int
        Number of draws, at least 2.
    seed : int
        Seed of the draws, at least 0.
    years : float, optional
        Horizon, in years. Default: as the model file says.
    client : dask.distributed.Client, optional
        As for `Model.run_many`.
    store : Path or str, optional
        Folder for what each block of runs comes to, as soon as it is finished. If the work is
        broken off, the same call goes on with what is missing.
    progress : callable, optional
        Called with (runs done, runs in all); the latter is a guess until all are done.

    Returns
    -------
    Dataset
        * over draw: "critical rate" (Dmnl; infinite where no rate is enough), "loop gain at rate 1"
          (Dmnl, at the end of a run at rate 1) and "needed rate" (Dmnl): the critical rate, or
          where no rate is enough one over the loop gain at rate 1, if that is above one: how many
          times as much would have to come back; infinite where nothing does;
        * over quantile (0.05 to 0.95): "critical rate quantile", "loop gain quantile" and
          "needed rate quantile" (Dmnl), each the value of a draw;
        * "probability that some rate is enough" (Dmnl);
        * over parameter, the strongest first: "rank correlation" (Dmnl) of the loop gain at rate 1
          with each parameter drawn (Spearman's rho). Its standard error is about one over the
          square root of the number of draws.

        The attributes hold the seed and the distribution of the draws.

    Raises
    ------
    ParameterError
        There are fewer than 2 draws, the seed is below 0, or as for `critical_bracket`.
    InputFileError
        The store cannot be used, or holds the answers to another question.

    Examples
    --------
    >>> found = kredslob.critical_rate_uncertainty(kredslob.load(), draws=20, years=5)
    >>> "critical rate" in found
    True
    """
    check_is_cycle(model)
    check_constant_rate(scenario)
    check_above_zero("years", years)
    check_whole("draws", draws, 2)
    factors = cycle_factors(scenario)
    correlations = cycle_correlations(factors)
    drawn = sample(factors, draws, seed=seed, correlations=correlations)
    columns = {str(name): values.values for name, values in drawn.data_vars.items()}
    expected = _Expected(progress, draws, _SCANNED_PER_DRAW)
    steps = steps_in(store, question(model, scenario, drawn, late_times(model, years)))
    study = _Study(model, scenario, years, client, expected, steps)
    _, high = _brackets(_margins(study, columns), draws, _SCANNED_PER_DRAW)
    ended = study.answers({**columns, RATE: np.ones(draws)}, sustaining, GAIN_VARIABLES)
    expected.end()
    gain = ended["loop gain"].values
    critical = _critical(high)
    with np.errstate(divide="ignore"):
        missing = np.where(gain > 0, np.maximum(1 / gain, 1.0), np.inf)
    needed = np.where(np.isfinite(critical), critical, missing)
    found = xr.Dataset(coords={"quantile": list(QUANTILES)}, attrs=ended.attrs)
    for name, values, long_name in (
        ("critical rate", critical, "critical reinvestment rate, simulated"),
        ("loop gain", gain, "loop gain where all that is pledged is reinvested"),
        ("needed rate", needed, "reinvestment rate that would be needed, possible or not"),
    ):
        own = "loop gain at rate 1" if name == "loop gain" else name
        found[own] = _figure(values, long_name, "draw")
        found[f"{name} quantile"] = _figure(
            _quantiles(values), f"{long_name}: quantile", "quantile"
        )
    enough = np.isfinite(critical).mean()
    found["probability that some rate is enough"] = _figure(
        enough, "share of draws in which some reinvestment rate is enough"
    )
    found["rank correlation"] = _rank_correlation(gain, columns)
    found.attrs |= {"seed": seed, "distribution": distribution(correlations)}
    return found


def check_constant_rate(scenario: Mapping[str, Any] | HasParameters | None) -> None:
    """Raise ParameterError where a schedule or a rule sets the rate, and not the lever."""
    if np.any(parameters_of(scenario).get("reinvestment rule", 0) != 0):
        raise ParameterError("'reinvestment rule' sets the rate here; expected rule 0")


def late_times(model: Model, years: float | None) -> list[float]:
    """Times at which `late_coverage` reads the ledgers, and the start: each a time step."""
    clock, values = model.program.clock, model.program.defaults
    start, end, step = (values[n][0] for n in (clock.initial, clock.final, clock.step))
    length = end - start if years is None else years
    late = round((1 - LAST_PART) * length / step) * step
    return sorted({start, start + late, start + length})


class _Expected:
    """Progress of work whose length is known only when it is done."""

    def __init__(self, progress: Progress | None, cases: int, scanned: int) -> None:
        self._progress, self._done = progress, 0
        self._whole = cases * (scanned + _NARROWED + 1)

    def add(self, runs: int) -> None:
        """So many runs more are done."""
        self._done += runs
        if self._progress:
            self._progress(min(self._done, self._whole - 1), self._whole)

    def end(self) -> None:
        """All are done."""
        if self._progress:
            self._progress(self._whole, self._whole)


@dataclass(frozen=True)
class _Study:
    """What all runs of a study have in common, and where what they come to is kept."""

    model: Model
    scenario: Mapping[str, Any] | HasParameters | None
    years: float | None
    client: Any
    expected: _Expected
    steps: Steps

    def answers(
        self,
        design: Mapping[str, np.ndarray],
        compute: Callable[[xr.Dataset], xr.Dataset],
        more: Sequence[str] = (),
    ) -> xr.Dataset:
        """What is computed from runs with what the margin is read from, and more."""

        def make() -> xr.Dataset:
            runs = self.model.run_many(
                design,
                self.scenario,
                years=self.years,
                at=late_times(self.model, self.years),
                save=[*COVERAGE_VARIABLES, *more],
                client=self.client,
            )
            return compute(runs).assign_attrs(runs.attrs)

        found = self.steps.answer(make)
        self.expected.add(len(design[RATE]))
        return found


def _margin(runs: xr.Dataset) -> xr.Dataset:
    return xr.Dataset({"margin": margin(runs)})


def _margins(study: _Study, columns: Mapping[str, np.ndarray]) -> Margins:
    def of_part(rates: np.ndarray, cases: np.ndarray) -> np.ndarray:
        design = {label: values[cases] for label, values in columns.items()} | {RATE: rates}
        return study.answers(design, _margin)["margin"].values

    def margins(rates: np.ndarray, cases: np.ndarray) -> np.ndarray:
        starts = range(0, len(rates), _RUNS_AT_ONCE)
        parts = [np.s_[first : first + _RUNS_AT_ONCE] for first in starts]
        return np.concatenate([of_part(rates[part], cases[part]) for part in parts])

    return margins


def _brackets(margins: Margins, cases: int, scanned: int) -> tuple[np.ndarray, np.ndarray]:
    """Rates just short of sustaining and just sustaining, shape (cases,); NaN where there is none.

    A higher rate may sustain the fund less, since it wears down support. So all rates are scanned
    first, and it is the lowest crossing that is narrowed.
    """
    from scipy.optimize.elementwise import find_root

    rates = np.linspace(0, 1, scanned)
    tried = margins(np.tile(rates, cases), np.repeat(np.arange(cases), scanned))
    carries = tried.reshape(cases, scanned) >= 0
    some, first = carries.any(axis=1), carries.argmax(axis=1)
    low = np.where(some, np.where(first > 0, rates[first - 1], np.nan), 1.0)
    high = np.where(some, rates[first], np.nan)
    crossing = np.flatnonzero(some & (first > 0))
    if crossing.size:
        # a margin of exactly zero sustains; a hair more keeps it on that side
        root = find_root(
            lambda rate, case: margins(rate, case.astype(int)) + np.finfo(float).tiny,
            (low[crossing], high[crossing]),
            args=(crossing,),
            tolerances={"xatol": TOLERANCE, "xrtol": 0, "fatol": 0, "frtol": 0},
        )
        low[crossing], high[crossing] = root.bracket
    return low, high


def _critical(high: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(high), high, np.inf)


def _quantiles(values: np.ndarray) -> np.ndarray:
    # no mean of two draws: between a rate and no rate at all there is nothing
    return np.quantile(values, QUANTILES, method="inverted_cdf")


def _rank_correlation(gain: np.ndarray, columns: Mapping[str, np.ndarray]) -> xr.DataArray:
    from scipy.stats import rankdata

    ranks = rankdata([gain, *columns.values()], axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    size = np.sqrt((ranks**2).sum(axis=1))
    product = ranks[1:] @ ranks[0]
    both = size[1:] * size[0]
    rho = np.divide(product, both, out=np.zeros_like(product), where=both > 0)  # all alike: none
    order = np.argsort(-np.abs(rho), kind="stable")
    labels = np.array(list(columns), dtype=str)[order]
    found = _figure(rho[order], "rank correlation with the loop gain at rate 1", "parameter")
    return found.assign_coords(parameter=labels)


def _figure(values: Any, long_name: str, *dims: str) -> xr.DataArray:
    return xr.DataArray(values, dims=dims, attrs={"units": "Dmnl", "long_name": long_name})
