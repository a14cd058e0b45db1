"""What a policy comes to when the uncertain parameters are drawn: spread, chances and losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.arguments import check_whole, is_number, refused
from kredslob.design import RUN
from kredslob.ensemble import Progress, part_of
from kredslob.simulation import HasParameters, Model
from kredslob.store import claim
from kredslob.studies.critical_rate import QUANTILES, RATE, check_constant_rate
from kredslob.studies.evaluate import Outcomes, evaluate
from kredslob.studies.factors import sample
from kredslob.studies.question import question
from kredslob.studies.questions import (
    cycle_correlations,
    cycle_factors,
    cycle_questions,
    distribution,
    whole_years,
)

RATES = (0.5, 1.0)
DRAWS = 10_000
FEWEST = 20  # draws: with fewer there is none below the 5 % quantile
AT_RISK = ("municipality", "region", "state", "public purse", "investors")
_TAIL = 0.05
_CONFIDENCE = 0.95
_PATHS = ("total cash over time", "citizens helped over time")
_DRAW, _STATISTIC = "draw", "statistic"


def uncertainty(
    model: Model,
    scenario: Mapping[str, Any] | HasParameters | None = None,
    *,
    rates: Sequence[float] = RATES,
    draws: int = DRAWS,
    seed: int = 0,
    years: int | None = None,
    correlations: Mapping[tuple[str, str], float] | None = None,
    structures: Mapping[str, float] | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Run a policy under draws of the uncertain parameters, at several reinvestment rates.

    All rates see the same draws (common random numbers), so that what differs between two rates
    does so by the rate alone.

    Parameters
    ----------
    model : Model
        The reinvestment model.
    scenario : mapping or object with ``parameters``, optional
        Place and policy. Parameters that it states otherwise than the table are held.
    rates : sequence of float
        Reinvestment rates, 0 to 1, each once.
    draws : int
        Number of draws, at least 20.
    seed : int
        Seed of the draws, from 0.
    years : int, optional
        Horizon, 1 to 70 whole years. Default: as the model file says.
    correlations : mapping of (str, str) to float, optional
        Rank correlation of pairs of parameters, as for `kredslob.studies.factors.sample`. Default:
        those of correlations.csv beside the parameter table; {} for none.
    structures : mapping of str to float, optional
        Chance, 0 to 1, that a hypothesis holds, by name of its switch, such as "switch prevention".
        Default: one half each. `kredslob.studies.structures.by_structure` compares them.
    client, store
        As for `kredslob.studies.evaluate.evaluate`; all rates share one store.
    progress : callable, optional
        Called with (runs done, runs in all).

    Returns
    -------
    Dataset
        * over reinvestment rate and draw: each outcome of
          `kredslob.cycle.outcomes.cycle_outcomes`;
        * over parameter and draw: "input", the values drawn, in the units of the parameter table;
        * over statistic (q0.05 to q0.95) and rate: "OUTCOME quantile", each the value of a draw; a
          payback year is infinite where that draw has none;
        * over statistic, rate and time (whole years): "total cash over time" (DKK) and "citizens
          helped over time" (person), quantiles of each year by itself;
        * over rate: "probability that the cycle carries itself" (Dmnl); over bound (low, high) too
          in "probability interval": where it lies with 95 % confidence, given the number of draws;
        * over rate and year: "probability of payback" (Dmnl): the fund has its capital back by
          the end of that year;
        * over party (each purse, the public purse, investors) and rate: "value at risk" (DKK), the
          5 % quantile of the net present value, and "expected shortfall" (DKK), the mean of the
          draws at or below it.

        Attributes hold seed, distribution and what made the runs.

    Raises
    ------
    ParameterError
        A rate, the horizon, the number of draws or the seed makes no sense, a rule sets the rate,
        or as for `sample` and `Model.run_many`.
    InputFileError
        The store cannot be used, or holds the answers to another question.

    References
    ----------
    The interval is Clopper and Pearson's (1934), Biometrika 26, 404-413. Expected shortfall is that
    of Acerbi and Tasche (2002), Journal of Banking & Finance 26, 1487-1503.

    Examples
    --------
    >>> found = kredslob.uncertainty(kredslob.load(), rates=[0.5, 1], draws=50, years=5)
    >>> sorted(map(str, found["citizens helped"].sizes))
    ['draw', 'reinvestment rate']
    """
    horizon = whole_years(model, years)
    check_constant_rate(scenario)
    shares = _checked(rates)
    check_whole("draws", draws, FEWEST)
    factors = cycle_factors(scenario, structures)
    together = cycle_correlations(factors) if correlations is None else correlations
    drawn = sample(factors, draws, seed=seed, correlations=together)
    asked = _with_paths(cycle_questions(horizon), horizon)
    if store is not None:
        claim(Path(store), question(model, scenario, shares, drawn, horizon))
    by_rate = []
    for number, rate in enumerate(shares):
        design = drawn.assign({RATE: (RUN, np.full(draws, rate))})
        by_rate.append(
            evaluate(
                model,
                design,
                asked,
                scenario,
                years=horizon,
                client=client,
                store=None if store is None else Path(store) / f"rate-{number + 1}",
                progress=part_of(progress, number, len(shares)),
            )
            .pipe(_with_fans)
            .drop_vars([f"input {name}" for name in design.data_vars])
        )
    at = xr.DataArray(shares, dims=RATE, name=RATE, attrs={"units": "Dmnl", "long_name": RATE})
    whole = xr.concat(by_rate, at, data_vars="all", combine_attrs="override").rename({RUN: _DRAW})
    whole = whole.assign(_quantiles(whole) | _chances(whole, horizon) | _at_risk(whole))
    whole = whole.assign_coords(parameter=list(drawn.data_vars)).assign({"input": _inputs(drawn)})
    return whole.assign_attrs(distribution=distribution(together, structures))


def _checked(rates: Sequence[float]) -> list[float]:
    several = isinstance(rates, Iterable) and not isinstance(rates, str)
    found = list(rates) if several else []
    shares = [float(rate) for rate in found if is_number(rate) and 0 <= rate <= 1]
    if not found or len(set(shares)) < len(found):
        expected = "a list of numbers from 0 to 1, each once; 50 percent is 0.5"
        raise refused("rates", found if several else rates, expected)
    return shares


def _with_paths(asked: Outcomes, years: int) -> Outcomes:
    def compute(runs: xr.Dataset) -> xr.Dataset:
        yearly = runs.sel(time=np.arange(years + 1.0))
        helped = yearly["Cumulated Completions"].sum(("Group", "Need"))
        paths = dict(zip(_PATHS, (yearly["total cash"], helped), strict=True))
        return asked.compute(runs).assign(paths)

    return Outcomes(asked.variables, compute, asked.times)


def _with_fans(found: xr.Dataset) -> xr.Dataset:
    """Put quantiles in the place of the paths of all draws, which are many numbers."""
    fans = {}
    for name, unit in zip(_PATHS, ("DKK", "person"), strict=True):
        spread = _of_draws(found[name].transpose("time", RUN).values)
        fans[name] = _figure(spread, unit, f"{name}, quantiles", _STATISTIC, "time")
    return found.drop_vars(_PATHS).assign(fans).assign_coords({_STATISTIC: _labels()})


def _of_draws(values: np.ndarray) -> np.ndarray:
    """Quantiles over the last axis; values of draws, as between a year and never is nothing."""
    return np.quantile(values, QUANTILES, axis=-1, method="inverted_cdf")


def _labels() -> list[str]:
    return [f"q{share:g}" for share in QUANTILES]


def _quantiles(whole: xr.Dataset) -> dict[str, xr.DataArray]:
    found = {}
    for name, array in whole.data_vars.items():
        if array.dims == (RATE, _DRAW):
            values = array.values
            if name == "payback year":
                values = np.where(np.isnan(values), np.inf, values)
            label = f"{name} quantile"
            found[label] = _figure(_of_draws(values), array.attrs["units"], label, _STATISTIC, RATE)
    return found


def _chances(whole: xr.Dataset, years: int) -> dict[str, xr.DataArray]:
    from scipy.stats import binomtest

    carries = whole["carries itself"].values
    count = carries.shape[1]
    intervals = [binomtest(int(k), count).proportion_ci(_CONFIDENCE) for k in carries.sum(axis=1)]
    payback = whole["payback year"].values[:, :, np.newaxis]  # NaN is no year
    by_year = (payback <= np.arange(years + 1)).mean(axis=1)
    chance = "probability that the cycle carries itself"
    return {
        chance: _figure(carries.mean(axis=1), "Dmnl", chance, RATE),
        "probability interval": _figure(
            np.array([(i.low, i.high) for i in intervals]), "Dmnl", f"{chance}, 95 %", RATE, "bound"
        ).assign_coords(bound=["low", "high"]),
        "probability of payback": _figure(
            by_year, "Dmnl", "probability that the fund has its capital back", RATE, "year"
        ).assign_coords(
            year=("year", np.arange(years + 1), {"units": "year", "long_name": "year"})
        ),
    }


def _at_risk(whole: xr.Dataset) -> dict[str, xr.DataArray]:
    values = np.stack([whole[f"net present value of {party}"].values for party in AT_RISK])
    lowest = np.quantile(values, _TAIL, axis=-1, method="inverted_cdf")
    tail = values <= lowest[..., np.newaxis]
    short = np.where(tail, values, 0.0).sum(axis=-1) / tail.sum(axis=-1)
    found = {
        "value at risk": (lowest, "5 % quantile of the net present value"),
        "expected shortfall": (short, "mean net present value of the worst 5 % of draws"),
    }
    return {
        name: _figure(array, "DKK", said, "party", RATE).assign_coords(party=list(AT_RISK))
        for name, (array, said) in found.items()
    }


def _inputs(drawn: xr.Dataset) -> xr.DataArray:
    values = np.stack([column.values for column in drawn.data_vars.values()])
    return _figure(values, "as in the parameter table", "value drawn", "parameter", _DRAW)


def _figure(values: Any, units: str, long_name: str, *dims: str) -> xr.DataArray:
    return xr.DataArray(values, dims=dims, attrs={"units": units, "long_name": long_name})
