"""Which inputs the outcomes of any model hinge on: one at a time, Morris, Sobol and PAWN.

The methods are SALib's. Each sample lies on the unit cube and becomes values of the inputs by
`Factor.values`, so that an input may have any distribution; inputs are taken to be independent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.arguments import all_of, check_result, check_whole, hint
from kredslob.design import RUN
from kredslob.ensemble import Progress
from kredslob.errors import ParameterError
from kredslob.program import key
from kredslob.simulation import HasParameters, Model
from kredslob.studies.evaluate import Outcomes, check_asked, evaluate
from kredslob.studies.extras import extra
from kredslob.studies.factors import A_FACTOR, Factor, check_seed

DUMMY = "dummy"
"""Name of the input that nothing depends on: what is found for it is noise."""

STRENGTH = {"morris": "mu star", "sobol": "total", "pawn": "median", "one at a time": "swing"}
"""The index by which each method ranks inputs."""

BOUNDS = ("low", "high")
_OWN_UNIT = "of the outcome"  # which the coordinate "unit" names
_LEVELS = 4  # of Morris' grid, as he and SALib have it
_RESAMPLES = 200
_CONFIDENCE = 0.95
_FEWEST_TRAJECTORIES = 4
_FEWEST_SAMPLES = 64
_SLICES = 10  # of PAWN; SALib's bounds of slices overshoot 1 for some other numbers, such as 6
_FEWEST_IN_SLICE = 10

Scenario = Mapping[str, Any] | HasParameters | None


def one_at_a_time(
    model: Model,
    factors: Sequence[Factor],
    outcomes: Outcomes,
    scenario: Scenario = None,
    *,
    years: float | None = None,
    threads: int | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Move each input alone to both ends of its range: 2k + 1 runs for k inputs.

    Parameters
    ----------
    model, factors, outcomes, scenario, years, threads, client, store, progress
        As for `morris`.

    Returns
    -------
    Dataset
        "at low" and "at high" (the outcome's unit) and "swing" (their distance) over outcome, time
        if the outcomes have it, and factor; "base": the outcome of the scenario as it is.

    Raises
    ------
    ParameterError
        As for `morris`.

    Examples
    --------
    >>> factors = kredslob.factors_of({"overhead share": (0.05, 0.2), "reinvestment rate": (0, 1)})
    >>> asked = kredslob.at_end("total cash")
    >>> found = kredslob.one_at_a_time(kredslob.load(), factors, asked, years=5)
    >>> found["factor"].values.tolist()
    ['overhead share', 'reinvestment rate']
    """
    _check_factors(model, factors, outcomes)
    base = _values_of(model, factors, scenario, years)
    count = len(factors)
    values = np.tile(base, (2 * count + 1, 1))
    for k, factor in enumerate(factors):
        values[1 + k, k], values[1 + count + k, k] = factor.low, factor.high
    design = _design(factors, values, {"method": "one at a time"})
    runs = evaluate(
        model,
        design,
        outcomes,
        scenario,
        years=years,
        threads=threads,
        client=client,
        store=store,
        progress=progress,
    )
    found = _answers(runs)
    low, high = (found[1 + k * count : 1 + (k + 1) * count].values for k in (0, 1))
    last = (*found.dims[1:], "factor")
    results = _about(factors, found, runs.attrs)
    results["base"] = found[0].assign_attrs(
        units=_OWN_UNIT, long_name="outcome of the scenario as it is"
    )
    for name, ends, long_name in (
        ("at low", low, "outcome with the input at the low end of its range"),
        ("at high", high, "outcome with the input at the high end of its range"),
        ("swing", np.abs(high - low), "distance between the outcomes at both ends"),
    ):
        results[name] = (
            last,
            np.moveaxis(ends, 0, -1),
            {"units": _OWN_UNIT, "long_name": long_name},
        )
    return results


def morris(
    model: Model,
    factors: Sequence[Factor],
    outcomes: Outcomes,
    scenario: Scenario = None,
    *,
    trajectories: int = 20,
    seed: int = 0,
    years: float | None = None,
    threads: int | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Screen many inputs by elementary effects: r(k + 2) runs for k inputs and a dummy.

    Parameters
    ----------
    model : Model
        Any model.
    factors : sequence of Factor
        What is uncertain; all else is as the scenario has it.
    outcomes : Outcomes
        What is asked, such as `kredslob.studies.evaluate.at_end` or
        `kredslob.studies.evaluate.over_time` give.
    scenario, years, threads
        As for `Model.run_many`.
    client, store
        As for `kredslob.studies.evaluate.evaluate`.
    trajectories : int
        Paths r through the unit cube, at least 4; each moves every input once by two thirds of its
        distribution.
    seed : int
        From 0: of sample, resampling and the model's random functions.
    progress : callable, optional
        Called with (runs done, runs in all).

    Returns
    -------
    Dataset
        Over outcome, time if the outcomes have it, and factor, each in the outcome's unit for a
        move from one end of the distribution to the other: "mu star" (mean size of the effects)
        with "mu star interval" (95 %, by resampling, over bound), "mu" (their mean) and "sigma"
        (their standard deviation: other inputs or bends count). NaN where an outcome is missing in
        some run. The last factor is "dummy": zero unless the model draws random numbers.
        Coordinates give the unit of each outcome and what each factor is; attributes say what
        made it.

    Raises
    ------
    ParameterError
        SALib is not installed, there are too few trajectories, a factor stands twice or is not in
        the model, the seed makes no sense, or as for `Model.run_many`.

    References
    ----------
    M. D. Morris (1991), Technometrics 33, 161-174; F. Campolongo, J. Cariboni and A. Saltelli
    (2007), Environmental Modelling & Software 22, 1509-1518.

    Examples
    --------
    >>> factors = kredslob.factors_of({"overhead share": (0.05, 0.2), "reinvestment rate": (0, 1)})
    >>> found = kredslob.morris(
    ...     kredslob.load(), factors, kredslob.at_end("total cash"), trajectories=4, years=5
    ... )
    >>> float(found["mu star"].sel(factor="overhead share").item()) > 0
    True
    """
    check_trajectories(trajectories)
    check_seed(seed)
    sampler = extra("SALib.sample.morris", "SALib")
    problem = _problem([*_check_factors(model, factors, outcomes), DUMMY])
    chances = sampler.sample(problem, trajectories, num_levels=_LEVELS, seed=seed + 1)
    made_by = {"method": "morris", "seed": seed, "trajectories": trajectories}
    design = _design(factors, _values(factors, chances), made_by)
    runs = evaluate(
        model,
        design,
        outcomes,
        scenario,
        years=years,
        seed=seed,
        threads=threads,
        client=client,
        store=store,
        progress=progress,
    )

    indices = partial(_morris_indices, problem, chances, seed)
    return _analysed(runs, [*factors, _dummy()], indices, _MORRIS)


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
    check_seed(seed)
    sampler = extra("SALib.sample.sobol", "SALib")
    problem = _problem(_check_factors(model, factors, outcomes))
    chances = sampler.sample(problem, samples, calc_second_order=second_order, seed=seed + 1)
    made_by = {"method": "sobol", "seed": seed, "samples": samples}
    design = _design(factors, _values(factors, chances), made_by)
    runs = evaluate(
        model,
        design,
        outcomes,
        scenario,
        years=years,
        seed=seed,
        threads=threads,
        client=client,
        store=store,
        progress=progress,
    )

    indices = partial(_sobol_indices, problem, samples, second_order, seed)
    shapes = _SOBOL | (_SECOND if second_order else {})
    return _analysed(runs, [*factors, _dummy()], indices, shapes)


def pawn(
    model: Model,
    factors: Sequence[Factor],
    outcomes: Outcomes,
    scenario: Scenario = None,
    *,
    samples: int = 2000,
    seed: int = 0,
    years: float | None = None,
    threads: int | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compare the distribution of outcomes with those where one input is known: N runs.

    Variance says little of outcomes with long tails or thresholds; distances between distributions
    do. The sample is a Latin hypercube, cut in ten slices of equal chance along each input in turn.

    Parameters
    ----------
    model, factors, outcomes, scenario, years, threads, client, store, seed, progress
        As for `morris`.
    samples : int
        N, at least 100: ten a slice.

    Returns
    -------
    Dataset
        Over outcome, time if the outcomes have it, and factor (Dmnl, 0 to 1): "median", "mean" and
        "maximum" over the slices of the Kolmogorov-Smirnov distance to all runs. NaN where an
        outcome is missing in some run. The last factor is "dummy": below about its values an input
        cannot be told from one that does nothing. Coordinates and attributes as for `morris`.

    Raises
    ------
    ParameterError
        There are too few samples, or as for `morris`.

    References
    ----------
    F. Pianosi and T. Wagener (2018), Environmental Modelling & Software 108, 197-207.

    Examples
    --------
    >>> factors = kredslob.factors_of({"overhead share": (0.05, 0.2), "reinvestment rate": (0, 1)})
    >>> found = kredslob.pawn(
    ...     kredslob.load(), factors, kredslob.at_end("total cash"), samples=200, years=5
    ... )
    >>> found["factor"].values.tolist()
    ['overhead share', 'reinvestment rate', 'dummy']
    """
    check_whole("samples", samples, _FEWEST_IN_SLICE * _SLICES)
    check_seed(seed)
    sampler = extra("SALib.sample.latin", "SALib")
    problem = _problem([*_check_factors(model, factors, outcomes), DUMMY])
    chances = sampler.sample(problem, samples, seed=seed + 1)
    made_by = {"method": "pawn", "seed": seed, "samples": samples, "slices": _SLICES}
    design = _design(factors, _values(factors, chances), made_by)
    runs = evaluate(
        model,
        design,
        outcomes,
        scenario,
        years=years,
        seed=seed,
        threads=threads,
        client=client,
        store=store,
        progress=progress,
    )

    indices = partial(_pawn_indices, problem, chances)
    return _analysed(runs, [*factors, _dummy()], indices, _PAWN)


def strongest(results: xr.Dataset, k: int, outcome: str | None = None) -> list[Factor]:
    """The k inputs that matter most.

    Parameters
    ----------
    results : Dataset
        From `morris`, `sobol`, `pawn` or `one_at_a_time`.
    k : int
        How many, from 1; all of them if there are fewer.
    outcome : str, optional
        By this outcome alone. Default: by each input's largest share of the strongest index, over
        all outcomes and times.

    Returns
    -------
    list of Factor
        The strongest first, ready for another study; what is not among them keeps its value.

    Raises
    ------
    ParameterError
        The outcome is unknown, k is below 1, or no index is a number.

    Examples
    --------
    >>> factors = kredslob.factors_of({"overhead share": (0.05, 0.2), "reinvestment rate": (0, 1)})
    >>> found = kredslob.morris(
    ...     kredslob.load(), factors, kredslob.at_end("total cash"), trajectories=4, years=5
    ... )
    >>> [factor.name for factor in kredslob.strongest(found, 1)]
    ['reinvestment rate']
    """
    check_whole("k", k, 1)
    check_result("results", results, ["factor", "outcome"], "morris, sobol, pawn or one_at_a_time")
    index = strength(results) if outcome is None else of_outcome(results, outcome)
    index = index.where(index["factor"] != DUMMY, drop=True)
    top = index.max("factor")
    share = (index / top.where(top > 0)).max([d for d in index.dims if d != "factor"])
    if not share.notnull().any():
        raise ParameterError("no input moves these outcomes, so that none is strongest")
    order = np.argsort(-share.fillna(-np.inf).values, kind="stable")[:k]
    return [_factor(share.isel(factor=int(place))) for place in order]


def strength(found: xr.Dataset) -> xr.DataArray:
    """The index by which the method ranks inputs: see `STRENGTH`."""
    return found[STRENGTH[found.attrs["method"]]]


def of_outcome(found: xr.Dataset, outcome: str) -> xr.DataArray:
    """The ranking index of one outcome. Raises ParameterError if it is not among them."""
    names = found["outcome"].values.tolist()
    if outcome not in names:
        raise ParameterError(
            f"found no outcome '{outcome}', expected one of {', '.join(names)}"
            f"{hint(outcome, names)}"
        )
    return strength(found).sel(outcome=outcome)


def check_trajectories(trajectories: int) -> None:
    """Raise ParameterError where there are too few for `morris`, or SALib is not installed."""
    extra("SALib", "SALib")
    check_whole("trajectories", trajectories, _FEWEST_TRAJECTORIES)


def check_sobol(samples: int) -> None:
    """Raise ParameterError where there are too few for `sobol`, or no power of 2."""
    extra("SALib", "SALib")
    check_whole("samples", samples, _FEWEST_SAMPLES)
    if samples & (samples - 1):
        raise ParameterError(f"samples: found {samples}, expected a power of 2")


# --- samples ---


def _check_factors(model: Model, factors: Sequence[Factor], outcomes: Outcomes) -> list[str]:
    check_asked(model, outcomes)
    names = [factor.name for factor in all_of("factors", factors, Factor, A_FACTOR)]
    if not names or len(set(names)) < len(names) or DUMMY in names:
        raise ParameterError(
            f"a study needs at least one factor, each of them once, and none called '{DUMMY}'"
        )
    return names


def _problem(names: Sequence[str]) -> dict[str, Any]:
    """SALib's description of a sample: chances, from 0 to 1."""
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def _values(factors: Sequence[Factor], chances: np.ndarray) -> np.ndarray:
    return np.column_stack([f.values(chances[:, k]) for k, f in enumerate(factors)])


def _design(
    factors: Sequence[Factor], values: np.ndarray, made_by: Mapping[str, Any]
) -> xr.Dataset:
    columns = {factor.name: (RUN, values[:, k]) for k, factor in enumerate(factors)}
    return xr.Dataset(columns, {RUN: np.arange(len(values))}, made_by)


def _values_of(
    model: Model, factors: Sequence[Factor], scenario: Scenario, years: float | None
) -> np.ndarray:
    """What the inputs are in the scenario as it is."""
    names = [factor.name.rstrip("]").partition("[")[::2] for factor in factors]
    save = list(dict.fromkeys(name.strip() for name, _ in names))
    run = model.run(scenario, years=years, save=save)
    by_key = {key(str(name)): values for name, values in run.data_vars.items()}
    found = []
    for factor, (name, elements) in zip(factors, names, strict=True):
        array = by_key[key(name)]
        array = array.isel(time=0) if "time" in array.dims else array
        asked = [key(element) for element in elements.split(",") if element.strip()]
        labels = [{key(str(e)): e for e in array[d].values} for d in array.dims]
        if len(asked) != len(labels) or not all(map(dict.__contains__, labels, asked)):
            raise ParameterError(f"'{factor.name}': expected the name of a single number")
        place = [known[element] for known, element in zip(labels, asked, strict=True)]
        found.append(float(array.sel(dict(zip(array.dims, place, strict=True)))))
    return np.array(found)


# --- indices ---

_MORRIS = {
    "mu star": "mean size of elementary effects",
    "mu star interval": "95 % interval of the mean size of elementary effects",
    "mu": "mean elementary effect",
    "sigma": "standard deviation of elementary effects",
}
_SOBOL = {
    "first": "share of variance by the input alone",
    "first interval": "95 % interval of the first-order index",
    "total": "share of variance with all that the input takes part in",
    "total interval": "95 % interval of the total index",
}
_SECOND = {
    "second": "share of variance by a pair beyond both alone",
    "second interval": "95 % interval of the second-order index",
}
_PAWN = {
    "median": "median distance between distributions",
    "mean": "mean distance between distributions",
    "maximum": "largest distance between distributions",
}


def _morris_indices(
    problem: dict[str, Any], chances: np.ndarray, seed: int, answer: np.ndarray
) -> dict[str, np.ndarray]:
    found = extra("SALib.analyze.morris", "SALib").analyze(
        problem,
        chances,
        answer,
        num_levels=_LEVELS,
        num_resamples=_RESAMPLES,
        conf_level=_CONFIDENCE,
        seed=seed + 1,
    )
    size = np.asarray(found["mu_star"])
    return {
        "mu star": size,
        "mu star interval": _interval(size, np.asarray(found["mu_star_conf"])),
        "mu": np.asarray(found["mu"]),
        "sigma": np.asarray(found["sigma"]),
    }


def _sobol_indices(
    problem: dict[str, Any], samples: int, second_order: bool, seed: int, answer: np.ndarray
) -> dict[str, np.ndarray]:
    if np.ptp(answer) == 0:
        return {}
    found = extra("SALib.analyze.sobol", "SALib").analyze(
        problem,
        answer,
        calc_second_order=second_order,
        num_resamples=_RESAMPLES,
        conf_level=_CONFIDENCE,
        seed=seed + 1,  # it takes 0 for none
    )
    noise = _noise(answer, len(answer) // samples, seed)
    results: dict[str, np.ndarray] = {}
    for name, short in (("first", "S1"), ("total", "ST")):
        values = np.append(found[short], noise[name][0])
        width = np.append(found[f"{short}_conf"], noise[name][1])
        results |= {name: values, f"{name} interval": _interval(values, width)}
    if second_order:
        pairs, width = _both_ways(found["S2"]), _both_ways(found["S2_conf"])
        results |= {"second": pairs, "second interval": _interval(pairs, width)}
    return results


def _pawn_indices(
    problem: dict[str, Any], chances: np.ndarray, answer: np.ndarray
) -> dict[str, np.ndarray]:
    found = extra("SALib.analyze.pawn", "SALib").analyze(problem, chances, answer, S=_SLICES)
    return {name: found[name] for name in _PAWN}


def _interval(values: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Low and high end, along a last axis."""
    return np.stack([values - width, values + width], axis=-1)


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
    places = np.random.default_rng(seed).integers(len(a), size=(_RESAMPLES, len(a)))
    both = {"first": (a * b, 0.0), "total": (a * a, 1.0)}
    found = {}
    for name, (products, most) in both.items():
        spread = float(products[places].mean(axis=1).std(ddof=1))
        found[name] = (float(abs(most - products.mean())), _wide() * spread)
    return found


def _wide() -> float:
    from scipy.stats import norm

    return float(norm.ppf(0.5 + _CONFIDENCE / 2))


# --- results ---


def _answers(runs: xr.Dataset) -> xr.DataArray:
    """Outcomes of runs over run, outcome and, if they have it, time; each element by itself."""
    names = [str(name) for name in runs.data_vars if not str(name).startswith("input ")]
    timed = {name for name in names if "time" in runs[name].dims}
    if timed and len(timed) < len(names):
        raise ParameterError("some outcomes are over time and some are not; ask for them apart")
    kept = (RUN, "time") if timed else (RUN,)
    labels: list[str] = []
    units: list[str] = []
    columns: list[xr.DataArray] = []
    for name in names:
        array = runs[name]
        along = [d for d in array.dims if d not in kept]
        for elements in product(*(array[d].values for d in along)):
            of = f"[{','.join(map(str, elements))}]" if along else ""
            labels.append(f"{name}{of}")
            units.append(array.attrs.get("units", ""))
            columns.append(array.sel(dict(zip(along, elements, strict=True))).transpose(*kept))
    values = np.stack([column.values for column in columns], axis=1).astype(float)
    coords: dict[str, Any] = {"outcome": labels, "unit": ("outcome", units)}
    if timed:
        coords["time"] = columns[0]["time"].values
    return xr.DataArray(values, coords, (RUN, "outcome", *kept[1:]))


def _about(
    factors: Sequence[Factor], answers: xr.DataArray, made_by: Mapping[str, Any]
) -> xr.Dataset:
    """An empty Dataset with the coordinates that say what outcomes and factors are."""
    columns: dict[str, list[Any]] = {
        "low": [f.low for f in factors],
        "high": [f.high for f in factors],
        "mode": [np.nan if f.mode is None else f.mode for f in factors],
        "distribution": [f.distribution for f in factors],
        "label": [f.label for f in factors],
        "chance": [f.chance for f in factors],
    }
    coords: dict[str, Any] = {"factor": [f.name for f in factors]}
    coords |= {name: ("factor", values) for name, values in columns.items()}
    coords |= {str(name): c for name, c in answers.coords.items() if name != RUN}
    return xr.Dataset(coords=coords, attrs=dict(made_by))


def _dummy() -> Factor:
    return Factor(DUMMY, 0.0, 1.0)


def _factor(cell: xr.DataArray) -> Factor:
    """The factor that a cell of results is about."""
    mode = float(cell["mode"])
    return Factor(
        str(cell["factor"].item()),
        float(cell["low"]),
        float(cell["high"]),
        str(cell["distribution"].item()),
        None if np.isnan(mode) else mode,
        str(cell["label"].item()),
        float(cell["chance"]),
    )


def _analysed(
    runs: xr.Dataset,
    factors: Sequence[Factor],
    indices: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    wanted: Mapping[str, str],
) -> xr.Dataset:
    """Ask for the indices of each outcome at each time, and put them in one Dataset."""
    answers = _answers(runs)
    outer = answers.shape[1:]
    count = len(factors)
    shapes = {
        name: (count,) + (count,) * name.startswith("second") + (2,) * name.endswith("interval")
        for name in wanted
    }
    values = {name: np.full(outer + shape, np.nan) for name, shape in shapes.items()}
    for place in np.ndindex(*outer):
        answer = answers.values[(slice(None), *place)]
        found = indices(answer) if np.isfinite(answer).all() else {}
        for name, numbers in found.items():
            values[name][place] = numbers
    results = _about(factors, answers, runs.attrs)
    unit = _OWN_UNIT if runs.attrs["method"] == "morris" else "Dmnl"
    for name, long_name in wanted.items():
        dims = [*answers.dims[1:], "factor"]
        dims += ["factor 2"] * name.startswith("second") + ["bound"] * name.endswith("interval")
        results[name] = (dims, values[name], {"units": unit, "long_name": long_name})
    if any(name.endswith("interval") for name in wanted):
        results = results.assign_coords(bound=list(BOUNDS))
    if "second" in wanted:
        results = results.assign_coords({"factor 2": [factor.name for factor in factors]})
    return results
