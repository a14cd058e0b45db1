"""What observed series leave open about constants of any model: draws from the posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.arguments import check_whole
from kredslob.design import find
from kredslob.errors import ParameterError
from kredslob.simulation import Model, check_is_model
from kredslob.studies.calibration import calibrate, factors_to_fit
from kredslob.studies.observations import (
    Observations,
    Observed,
    Scenario,
    Simulator,
    read_observations,
)

ENOUGH = 50  # autocorrelation times that the kept steps must cover
_BURN = 0.25  # of the steps
_PREDICTED = 2000  # draws that are run for the bands
QUANTILES = (0.05, 0.5, 0.95)


def posterior(
    model: Model,
    observed: Observed,
    ranges: Mapping[str, Sequence[float]],
    scenario: Scenario = None,
    *,
    steps: int = 4000,
    walkers: int | None = None,
    seed: int = 0,
    client: Any = None,
) -> xr.Dataset:
    """Draw constants of a model from their posterior, given observed series.

    Parameters
    ----------
    model, observed, ranges, scenario, client
        As for `kredslob.studies.calibration.calibrate`; before the data, each constant is uniform
        over its range, and independent of the others.
    steps : int
        Steps of each walker, at least 20; the first quarter is left out.
    walkers : int, optional
        Even, at least twice the number of constants. Default: four times, and at least 16.
    seed : int
        From 0; the same seed gives the same draws.

    Returns
    -------
    Dataset
        * Over ``walker`` and ``step``: each constant, "log density" (up to a constant).
        * Over ``constant``: "mean", "standard deviation", "autocorrelation time" (in steps),
          "effective sample size", and "R-hat" (split, over the walkers; Gelman et al. 2013; walkers
          move together, so that it is no more than a sign).
        * Over ``quantile`` and ``value``: "prediction", the posterior predictive quantiles (noise
          included) of each observed value; over ``value``: "observed", with coordinates ``series``,
          ``time`` and ``unit``.

        Attributes: "enough steps" (1 where the kept steps cover 50 autocorrelation times of every
        constant, else 0), "advice", "acceptance" (share), "seed".

    Raises
    ------
    ParameterError
        As for `calibrate`; or emcee is not installed, or the numbers of steps or walkers make no
        sense.

    Notes
    -----
    Errors are independent and normal with one unknown spread a series, whose prior is flat in its
    logarithm. The spread is integrated out: the density of a point is the product over series of
    (sum of squared errors) to the power of -n/2. Walkers move by stretches (Goodman and Weare
    2010; emcee, Foreman-Mackey et al. 2013), one half of them after the other: each half is one
    batch of runs.

    Examples
    --------
    >>> model = kredslob.load()
    >>> run = model.run(overhead_share=0.12, years=5, save=["total cash"])
    >>> observed = run["total cash"].sel(time=[1, 2, 3, 4, 5]).to_series()
    >>> draws = kredslob.posterior(
    ...     model, observed * [1.01, 0.99, 1.02, 0.98, 1], {"overhead share": (0.05, 0.2)}, steps=60
    ... )
    >>> draws.sizes["step"] <= 60
    True
    """
    check_is_model(model)
    check_whole("steps", steps, 20)
    if walkers is not None:
        check_whole("walkers", walkers, 2)
    emcee = _emcee()
    observations = read_observations(observed)
    factors = factors_to_fit(ranges, observations)
    count = walkers if walkers is not None else max(16, 4 * len(factors))
    if steps < 20 or count < 2 * len(factors) or count % 2:
        raise ParameterError(
            f"found {steps} steps and {count} walkers, expected at least 20 steps and an even "
            f"number of walkers, at least {2 * len(factors)}"
        )
    names = [f.name for f in factors]
    simulate = Simulator(model, names, observations, scenario, client)
    low, high = (np.array([getattr(f, end) for f in factors]) for end in ("low", "high"))

    def density(points: np.ndarray) -> np.ndarray:
        inside = ((points >= low) & (points <= high)).all(axis=1)
        found = np.full(len(points), -np.inf)
        if inside.any():
            found[inside] = _log_density(simulate(points[inside]), observations)
        return found

    fit = calibrate(model, observed, ranges, seed=seed, scenario=scenario, client=client)
    begin = _begin(fit.estimates, count, np.random.default_rng(seed))
    sampler = emcee.EnsembleSampler(count, len(names), density, vectorize=True)
    sampler.random_state = np.random.RandomState(seed).get_state()
    # a constant that the data say nothing about spreads over its range: no reason to stop
    sampler.run_mcmc(begin, steps, skip_initial_state_check=True)
    burn = int(_BURN * steps)
    chain = sampler.get_chain(discard=burn).transpose(1, 0, 2)  # walker, step, constant
    kept = {name: (("walker", "step"), chain[..., k]) for k, name in enumerate(names)}
    kept["log density"] = (("walker", "step"), sampler.get_log_prob(discard=burn).T)
    times = np.asarray(sampler.get_autocorr_time(discard=burn, tol=0))
    found = xr.Dataset(kept).assign(_diagnostics(chain, times, names))
    found = found.assign(_predictions(simulate, observations, chain, seed))
    found = found.assign_coords(constant=names, series=("value", observations.series))
    clock = model.program.clock.step
    units = {n: _unit(model, n) for n in (*names, *observations.names, clock)}
    found = found.assign_coords(
        time=("value", observations.times, {"units": units[clock]}),
        unit=("value", [units[name] for name in observations.series]),
    )
    for name in names:
        found[name].attrs["units"] = units[name]
    return found.assign_attrs(
        **_enough(times, chain.shape[1]),
        acceptance=float(np.mean(sampler.acceptance_fraction)),
        seed=int(seed),
    )


def _unit(model: Model, label: str) -> str:
    return find(model.program, label.partition("[")[0].strip()).unit


def _emcee():  # type: ignore[no-untyped-def]  # emcee has no types
    try:
        import emcee
    except ImportError:
        raise ParameterError("a posterior needs emcee: pip install kredslob[studies]") from None
    return emcee


def _log_density(simulated: np.ndarray, observations: Observations) -> np.ndarray:
    found = np.zeros(len(simulated))
    for part in observations.parts():
        apart = observations.values[part] - simulated[:, part]
        squares = np.maximum((apart**2).sum(axis=1), np.finfo(float).tiny)
        found -= 0.5 * len(part) * np.log(squares)
    return np.where(np.isfinite(found), found, -np.inf)


def _begin(fitted: pd.DataFrame, walkers: int, rng: np.random.Generator) -> np.ndarray:
    """Walkers around the best fit, a standard error wide, inside the ranges.

    Fit and width are rounded to a millionth of the range: the last digits of a fit depend on where
    arrays lie in memory (BLAS), and a chain that starts a hair away is another chain.
    """
    low, high = fitted["low"].to_numpy(), fitted["high"].to_numpy()
    grain = 1e-6 * (high - low)
    width = np.minimum(fitted["standard error"].to_numpy(), 0.25 * (high - low))
    width = np.maximum(_rounded(np.nan_to_num(width), grain), grain)
    middle = _rounded(fitted["estimate"].to_numpy(), grain)
    points = middle + width * rng.standard_normal((walkers, len(fitted)))
    beyond = (points <= low) | (points >= high)
    return np.where(beyond, low + (high - low) * rng.random(points.shape), points)


def _rounded(values: np.ndarray, grain: np.ndarray) -> np.ndarray:
    return np.asarray(np.round(values / grain) * grain)


def _diagnostics(
    chain: np.ndarray, times: np.ndarray, names: Sequence[str]
) -> dict[str, tuple[str, np.ndarray]]:
    draws = chain.shape[0] * chain.shape[1]
    return {
        "mean": ("constant", chain.mean(axis=(0, 1))),
        "standard deviation": ("constant", chain.std(axis=(0, 1), ddof=1)),
        "autocorrelation time": ("constant", times),
        "effective sample size": ("constant", draws / times),
        "R-hat": ("constant", np.array([_r_hat(chain[..., k]) for k in range(len(names))])),
    }


def _r_hat(chain: np.ndarray) -> float:
    """Split R-hat (Gelman et al. 2013, 11.4) of one constant, shape (walker, step)."""
    half = chain.shape[1] // 2
    parts = np.concatenate([chain[:, :half], chain[:, half : 2 * half]])
    within = float(parts.var(axis=1, ddof=1).mean())
    between = half * float(parts.mean(axis=1).var(ddof=1))
    if within == 0:
        return float("nan")
    return float(np.sqrt((half - 1) / half + between / half / within))


def _enough(times: np.ndarray, kept: int) -> dict[str, int | str]:
    longest = float(np.max(times))
    if kept > ENOUGH * longest:
        said = f"{kept} steps cover {kept / longest:.0f} autocorrelation times"
        return {"enough steps": 1, "advice": said}
    wanted = int(np.ceil(1.1 * ENOUGH * longest / (1 - _BURN))) if np.isfinite(longest) else 0
    said = f"{kept} steps cover fewer than {ENOUGH} autocorrelation times; " + (
        f"ask for steps={wanted} or more" if wanted else "a constant does not move"
    )
    return {"enough steps": 0, "advice": said}


def _predictions(
    simulate: Simulator, observations: Observations, chain: np.ndarray, seed: int
) -> dict[str, xr.DataArray | tuple[str, np.ndarray]]:
    """Quantiles of new observations at the same times: the model's spread, and the errors'."""
    rng = np.random.default_rng([seed, 1])
    flat = chain.reshape(-1, chain.shape[2])
    simulated = simulate(flat[rng.integers(len(flat), size=_PREDICTED)])
    for part in observations.parts():
        squares = ((observations.values[part] - simulated[:, part]) ** 2).sum(axis=1)
        variance = squares / rng.chisquare(len(part), _PREDICTED)
        noise = rng.standard_normal((_PREDICTED, len(part)))
        simulated[:, part] += np.sqrt(variance)[:, np.newaxis] * noise
    bands = np.quantile(simulated, QUANTILES, axis=0)
    return {
        "prediction": xr.DataArray(bands, {"quantile": list(QUANTILES)}, ("quantile", "value")),
        "observed": ("value", observations.values),
    }
