"""Sobol: the variance of outcomes, split between the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.arguments import check_whole
from kredslob.ensemble import Progress
from kredslob.errors import ParameterError
from kredslob.simulation import Model
from kredslob.studies.evaluate import Outcomes
from kredslob.studies.extras import extra
from kredslob.studies.factors import Factor
from kredslob.studies.sensitivity.indices import CONFIDENCE, RESAMPLES, analysed, interval
from kredslob.studies.sensitivity.sampled import Sampled, Scenario, cube

_FEWEST_SAMPLES = 64
_INDICES = {
    "first": "share of variance by the input alone",
    "first interval": "95 % interval of the first-order index",
    "total": "share of variance with all that the input takes part in",
    "total interval": "95 % interval of the total index",
}
_SECOND = {
    "second": "share of variance by a pair beyond both alone",
    "second interval": "95 % interval of the second-order index",
}


def sobol(
    model: Model,
    factors: Sequence[Factor],
    outcomes: Outcomes,
    scenario: Scenario = None,
    *,
    samples: int = 1024,
    second_order: bool = False,
    seed: int = 0,
    years: float | None = None,
    threads: int | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Split the variance of outcomes between inputs: N(k + 2) runs, N(2k + 2) with second order.

    Parameters
    ----------
    model, factors, outcomes, scenario, years, threads, client, store, seed, progress
        As for `morris`.
    samples : int
        N, a power of 2, at least 64.
    second_order : bool
        Whether to ask for the shares of pairs too.

    Returns
    -------
    Dataset
        Over outcome, time if the outcomes have it, and factor, as shares of the variance (Dmnl):
        "first" (of the input alone) and "total" (with all that it takes part in); with second
        order "second" over factor and factor 2 (what a pair does beyond both alone); for each
        "... interval" (95 %, by resampling, over bound). NaN where an outcome is missing in some
        run, or is the same in all. Coordinates and attributes as for `morris`.

        The last factor is "dummy". For it the estimators of "first" and "total" would give exactly
        0, so it is found by those of Sobol (1993), which cost no run: what they are off by, the
        noise of the sample.

    Raises
    ------
    ParameterError
        There are too few samples or no power of 2, or as for `morris`.

    References
    ----------
    I. M. Sobol (2001), Mathematics and Computers in Simulation 55, 271-280; A. Saltelli et al.
    (2010), Computer Physics Communications 181, 259-270; the dummy: F. Khorashadi Zadeh et al.
    (2017), Environmental Modelling & Software 91, 210-222.

    Examples
    --------
    >>> factors = kredslob.factors_of({"overhead share": (0.05, 0.2), "reinvestment rate": (0, 1)})
    >>> found = kredslob.sobol(
    ...     kredslob.load(), factors, kredslob.at_end("total cash"), samples=64, years=5
    ... )
    >>> found["total"].dims
    ('outcome', 'factor')
    """
    check_sobol(samples)
    sampled = Sampled(
        model, factors, outcomes, scenario, seed, years, threads, client, store, progress
    )
    sampler = extra("SALib.sample.sobol", "SALib")
    problem = cube(sampled.names)
    chances = sampler.sample(problem, samples, calc_second_order=second_order, seed=seed + 1)
    made_by = {"method": "sobol", "seed": seed, "samples": samples}
    runs = sampled.at_chances(chances, made_by)
    indices = partial(_indices, problem, samples, second_order, seed)
    wanted = _INDICES | (_SECOND if second_order else {})
    return analysed(runs, sampled.with_dummy, indices, wanted)


def check_sobol(samples: int) -> None:
    """Raise ParameterError where there are too few for `sobol`, or no power of 2."""
    extra("SALib", "SALib")
    check_whole("samples", samples, _FEWEST_SAMPLES)
    if samples & (samples - 1):
        raise ParameterError(f"samples: found {samples}, expected a power of 2")


def _indices(
    problem: dict[str, Any], samples: int, second_order: bool, seed: int, answer: np.ndarray
) -> dict[str, np.ndarray]:
    if np.ptp(answer) == 0:
        return {}
    found = extra("SALib.analyze.sobol", "SALib").analyze(
        problem,
        answer,
        calc_second_order=second_order,
        num_resamples=RESAMPLES,
        conf_level=CONFIDENCE,
        seed=seed + 1,  # it takes 0 for none
    )
    noise = _noise(answer, len(answer) // samples, seed)
    results: dict[str, np.ndarray] = {}
    for name, short in (("first", "S1"), ("total", "ST")):
        values = np.append(found[short], noise[name][0])
        width = np.append(found[f"{short}_conf"], noise[name][1])
        results |= {name: values, f"{name} interval": interval(values, width)}
    if second_order:
        pairs, width = _both_ways(found["S2"]), _both_ways(found["S2_conf"])
        results |= {"second": pairs, "second interval": interval(pairs, width)}
    return results


def _both_ways(pairs: np.ndarray) -> np.ndarray:
    """Fill the lower half of a matrix of pairs, and leave room for the dummy."""
    return np.pad(np.fmax(pairs, pairs.T), (0, 1), constant_values=np.nan)


def _noise(answer: np.ndarray, step: int, seed: int) -> dict[str, tuple[float, float]]:
    """Indices of an input that does nothing, and half their intervals, from the base samples.

    With outcomes centred and scaled, the first-order estimator of Sobol (1993) comes to the mean
    product of both samples, and the total one to 1 less the mean square of the first.
    """
    scaled = (answer - answer.mean()) / answer.std()
    a, b = scaled[::step], scaled[step - 1 :: step]
    places = np.random.default_rng(seed).integers(len(a), size=(RESAMPLES, len(a)))
    both = {"first": (a * b, 0.0), "total": (a * a, 1.0)}
    found = {}
    for name, (products, most) in both.items():
        spread = float(products[places].mean(axis=1).std(ddof=1))
        found[name] = (float(abs(most - products.mean())), _wide() * spread)
    return found


def _wide() -> float:
    from scipy.stats import norm

    return float(norm.ppf(0.5 + CONFIDENCE / 2))
