"""Which of several policies holds up, whatever turns out to be true.

Every policy meets the same draws of what is uncertain, so that differences between policies come
from the policies alone (common random numbers). Criteria of robustness disagree by design: they
differ in how much they fear, so several are given, each with its ranking.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.arguments import check_kind, check_named, check_result, hint, is_number, refused
from kredslob.design import RUN
from kredslob.ensemble import Progress, part_of
from kredslob.errors import ParameterError
from kredslob.program import key
from kredslob.simulation import HasParameters, Model, parameters_of
from kredslob.store import claim
from kredslob.studies.evaluate import Outcomes, check_asked, evaluate
from kredslob.studies.question import question

POLICY = "policy"
LANGUAGES = ("da", "en")
Ranges = Mapping[str, tuple[float | None, float | None]]
Policies = Mapping[str, Mapping[str, Any] | HasParameters]
CRITERIA = (
    "largest regret",
    "90th-percentile regret",
    "satisficing share",
    "expected value",
    "worst case",
    "Hurwicz value",
)
"""What `robustness` judges by, from the names of its results."""
_REGRETS = CRITERIA[:2]  # the only ones of which less is better, whatever the outcome
_OPTIMISM = 0.5  # of Hurwicz's rule: best and worst case weigh the same


def evaluate_policies(
    model: Model,
    policies: Policies,
    draws: xr.Dataset,
    outcomes: Outcomes,
    *,
    years: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Run every policy over the same draws.

    Parameters
    ----------
    model : Model
        Any model.
    policies : mapping of str to scenario
        By name: what `Model.run` takes as a scenario. `kredslob.studies.questions.cycle_policies`
        gives those of the reinvestment model.
    draws : Dataset
        Over ``run``, such as `kredslob.studies.factors.sample` gives: what no policy decides.
    outcomes : Outcomes
        What is asked of each run.
    years, seed, threads
        As for `Model.run_many`.
    client, store
        As for `kredslob.studies.evaluate.evaluate`; all policies share one store.
    progress : callable, optional
        Called with (runs done, runs in all), over all policies.

    Returns
    -------
    Dataset
        Outcomes over ``policy`` and ``run``, with what was drawn under "input NAME" over ``run``,
        and "title_da" and "title_en", over ``policy``: the scenario's title, or its name.

    Raises
    ------
    ParameterError
        There is no policy, two of them state different values of what is drawn, or as for
        `kredslob.studies.evaluate.evaluate`.
    InputFileError
        The store cannot be used, or holds the answers to another question.

    Examples
    --------
    >>> draws = kredslob.sample([kredslob.Factor("overhead share", 0.05, 0.2)], 32)
    >>> policies = {"half": {"reinvestment rate": 0.5}, "all": {"reinvestment rate": 1}}
    >>> results = kredslob.evaluate_policies(
    ...     kredslob.load(), policies, draws, kredslob.at_end("total cash"), years=5
    ... )
    >>> dict(results["total cash"].sizes)
    {'policy': 2, 'run': 32}
    """
    check_asked(model, outcomes)
    check_policies("policies", policies)
    check_kind("draws", draws, xr.Dataset, "a Dataset over run, such as kredslob.sample gives")
    _check_held(policies, draws)
    if store is not None:
        claim(Path(store), question(model, policies, draws, outcomes, years, seed))
    found = [
        evaluate(
            model,
            draws,
            outcomes,
            scenario,
            years=years,
            seed=seed,
            threads=threads,
            client=client,
            store=None if store is None else Path(store) / f"policy-{number + 1}",
            progress=part_of(progress, number, len(policies)),
        )
        for number, scenario in enumerate(policies.values())
    ]
    inputs = [f"input {name}" for name in draws.data_vars]
    names = xr.DataArray(list(policies), dims=POLICY, name=POLICY)
    results = xr.concat([one.drop_vars(inputs) for one in found], names)
    titles = {
        f"title_{language}": (POLICY, [_title(n, s, language) for n, s in policies.items()])
        for language in LANGUAGES
    }
    # the policy is on the axis now, not one for all
    own = ("scenario", "parameters")
    made_by = {k: v for k, v in found[0].attrs.items() if k not in own}
    return results.assign(found[0][inputs]).assign_coords(titles).assign_attrs(made_by)


def meets(values: xr.Dataset, ranges: Ranges) -> xr.DataArray:
    """Where all of some numbers lie within their ranges.

    Parameters
    ----------
    values : Dataset
        Any numbers by name.
    ranges : mapping of str to (low, high)
        By name, in the unit of the variable; None for no bound. The bounds belong to the range.

    Returns
    -------
    DataArray of bool
        Over the dimensions of the variables named. A number that is missing meets nothing.

    Raises
    ------
    ParameterError
        No range is given, a name is unknown, or a range is empty.
    """
    check_ranges("ranges", ranges)
    kept = xr.DataArray(True)
    for name, (low, high) in ranges.items():
        if name not in values:
            known = [str(one) for one in values.data_vars]
            raise ParameterError(f"'{name}' is not among {', '.join(known)}{hint(name, known)}")
        least = -np.inf if low is None else low
        most = np.inf if high is None else high
        kept = kept & (values[name] >= least) & (values[name] <= most)
    return kept


def check_ranges(argument: str, ranges: Ranges) -> None:
    """Raise ParameterError where there are no ranges, or one is empty or no pair."""
    check_named(argument, ranges, "{'citizens helped': (100, None)}")
    for name, ends in ranges.items():
        pair = isinstance(ends, tuple | list) and len(ends) == 2
        if not pair or not all(end is None or is_number(end) for end in ends):
            raise refused(f"{argument}: '{name}'", ends, "(low, high), with None for no bound")
        low, high = ends
        if low is not None and high is not None and not low <= high:
            raise ParameterError(
                f"{argument}: '{name}': found low {low} and high {high}, expected low <= high"
            )


def check_policies(argument: str, policies: Policies) -> None:
    """Raise ParameterError where there are no policies, or one is nothing that a model runs."""
    check_named(argument, policies, "{'half': kredslob.load_scenario('half')}")
    for name, scenario in policies.items():
        try:
            parameters_of(scenario)
        except ParameterError as problem:
            raise ParameterError(f"{argument}: '{name}': {problem}") from None


def robustness(
    results: xr.Dataset, outcome: str, *, larger_is_better: bool, thresholds: Ranges
) -> xr.Dataset:
    """Judge policies by several criteria of robustness.

    Parameters
    ----------
    results : Dataset
        Over ``policy`` and ``run``, from `evaluate_policies`.
    outcome : str
        Name of the outcome to judge by, in whatever unit it has.
    larger_is_better : bool
        False if less of the outcome is better.
    thresholds : mapping of str to (low, high)
        What is good enough, by name of any outcome, as for `meets`.

    Returns
    -------
    Dataset
        Over ``policy``, in the unit of the outcome unless said otherwise:

        * "largest regret": how far the policy lies behind the best policy in the draw in which it
          lies furthest behind; choosing the smallest is Savage's minimax regret;
        * "90th-percentile regret": exceeded in a tenth of the draws;
        * "satisficing share" (Dmnl, 0 to 1): share of the draws in which all thresholds are met
          (Starr's domain criterion);
        * "expected value": mean over the draws;
        * "worst case": of all draws; choosing the best is Wald's maximin;
        * "Hurwicz value": mean of the best and the worst case.

        "regret" is over ``policy`` and ``run``; "rank" over ``criterion`` and ``policy``, 1 for the
        best, and equal policies share the better rank. Attributes say the outcome, which way is
        better, and the thresholds (JSON).

    Raises
    ------
    ParameterError
        The outcome is unknown, is not over ``policy`` and ``run``, or has no number in some run.

    Notes
    -----
    McPhail, Maier, Kwakkel, Giuliani, Castelletti and Westra (2018), Robustness metrics: how are
    they calculated, when should they be used and why do they give different results? Earth's Future
    6, 169-191, doi:10.1002/2017EF000649. Regret is relative to the policies at hand: it changes if
    the set of policies does.

    Examples
    --------
    >>> draws = kredslob.sample([kredslob.Factor("overhead share", 0.05, 0.2)], 32)
    >>> policies = {"half": {"reinvestment rate": 0.5}, "all": {"reinvestment rate": 1}}
    >>> results = kredslob.evaluate_policies(
    ...     kredslob.load(), policies, draws, kredslob.at_end("total cash"), years=5
    ... )
    >>> judged = kredslob.robustness(
    ...     results, "total cash", larger_is_better=True, thresholds={"total cash": (1e6, None)}
    ... )
    >>> judged["policy"].values.tolist()
    ['half', 'all']
    """
    check_result("results", results, [POLICY, RUN], "evaluate_policies")
    check_ranges("thresholds", thresholds)
    values = _judged(results, outcome)
    gain = values if larger_is_better else -values
    regret = (gain.max(POLICY) - gain).transpose(POLICY, RUN)
    best, worst = gain.max(RUN), gain.min(RUN)
    sign = 1 if larger_is_better else -1
    criteria = {
        "largest regret": regret.max(RUN),
        "90th-percentile regret": regret.quantile(0.9, RUN).drop_vars("quantile"),
        "satisficing share": meets(results, thresholds).mean(RUN),
        "expected value": sign * gain.mean(RUN),
        "worst case": sign * worst,
        "Hurwicz value": sign * (_OPTIMISM * best + (1 - _OPTIMISM) * worst),
    }
    found = xr.Dataset({**criteria, "regret": regret, "rank": _ranks(criteria, larger_is_better)})
    unit = str(values.attrs.get("units", ""))
    for name in found.data_vars:
        own = "Dmnl" if name in ("satisficing share", "rank") else unit
        found[name].attrs = {"units": own, "long_name": str(name)}
    said = {
        name: {"low": low, "high": high, "units": results[name].attrs.get("units", "")}
        for name, (low, high) in thresholds.items()
    }
    return found.assign_attrs(
        {
            **results.attrs,
            "outcome": outcome,
            "better": "larger" if larger_is_better else "smaller",
            "thresholds": json.dumps(said),
        }
    )


def _judged(results: xr.Dataset, outcome: str) -> xr.DataArray:
    if outcome not in results.data_vars:
        known = [str(n) for n in results.data_vars if not str(n).startswith("input ")]
        one = f"one of {', '.join(known)}{hint(outcome, known)}"
        raise refused("outcome", outcome, one)
    values = results[outcome]
    if set(values.dims) != {POLICY, RUN}:
        raise ParameterError(f"'{outcome}': found dimensions {values.dims}, expected policy, run")
    missing = int((~np.isfinite(values)).sum())
    if missing:
        raise ParameterError(f"'{outcome}': has no number in {missing} runs, expected one in each")
    return values


def _ranks(criteria: Mapping[str, xr.DataArray], larger_is_better: bool) -> xr.DataArray:
    """Rank of each policy under each criterion, 1 for the best."""
    from scipy.stats import rankdata

    ranks = []
    for name, values in criteria.items():
        up = name == "satisficing share" or (larger_is_better and name not in _REGRETS)
        ranks.append(rankdata(-values if up else values, method="min").astype(int))
    return xr.DataArray(ranks, {"criterion": list(criteria)}, ("criterion", POLICY))


def _check_held(policies: Policies, draws: xr.Dataset) -> None:
    """What is drawn must not be a choice: the draw would overrule it without a word."""
    stated = {
        name: {key(constant): value for constant, value in parameters_of(scenario).items()}
        for name, scenario in policies.items()
    }
    first = next(iter(stated))
    for constant in dict.fromkeys(str(label).partition("[")[0] for label in draws.data_vars):
        for name, values in stated.items():
            found, other = values.get(key(constant)), stated[first].get(key(constant))
            if repr(found) != repr(other):  # numbers, nested dicts or lists
                raise ParameterError(
                    f"'{constant}' is drawn, but '{first}' and '{name}' state different values; "
                    "leave it out of the draws"
                )


def _title(name: str, scenario: object, language: str) -> str:
    return str(getattr(scenario, "title", {}).get(language, name))
