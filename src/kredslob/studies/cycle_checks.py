"""The standard tests of the reinvestment model, with those that know what it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.cycle.cases import compare, list_cases, load_case
from kredslob.cycle.parameters import Parameter
from kredslob.cycle.scenario import Scenario, load_scenario, parameter_table
from kredslob.design import one_design
from kredslob.ensemble import Progress
from kredslob.simulation import Model
from kredslob.studies.checks import (
    MODEL_CHECKS,
    Check,
    Place,
    gathered,
    measured,
    model_checks,
)
from kredslob.studies.extremes import (
    PAIR_BUDGET,
    Condition,
    Conditioned,
    Extreme,
    pair_runs,
    single_runs,
)
from kredslob.studies.questions import cycle_draws

RATE = "reinvestment rate"
_OWN_CHECKS = 7
_ROUNDING = 1e-9
_STEP = 0.125
_RATES = (0.0, 0.5, 1.0)
_POLICIES = ("need-driven", "return-driven", "complex-first")
_DRAWS, _SEED = 200, 0
_MOST_CHANGED = 0.5  # of the draws: beyond, the conclusion is more often wrong than right
_NEVER_NEGATIVE = (
    *("Thriving", "Strained", "Crisis", "Strained In Intervention", "Crisis In Intervention"),
    *("Newly Stable", "Fund Cash", "Delivery Capacity", "Evidence", "Budget Owner Support"),
    *("Investor Claims Paid", "Cumulated Starts", "Cumulated Completions", "Cumulated Spent"),
)
_AT_MOST = {"Documentation Capability": 1.0, "Budget Owner Support": 1.0}
_NOTHING = {"capital at start": 0.0, "capital per year": 0.0}
_YEARS_OF_NOTHING = 10.0  # a course that begins without money would begin in the first of them
_PEOPLE = ("Thriving", "Strained", "Crisis", "in intervention", "Newly Stable")
_LEDGERS = tuple(f"{of} balance" for of in ("money", "spending", "purse", "savings", "return"))
_BUSY = {  # everything moves: private capital, all purses pledge, yearly capital, interest
    RATE: 0.8,
    "wrong pocket agreement": 1,
    "real interest rate": 0.01,
    "capital at start": [8e6, 2e6, 5e6, 1e6],
    "capital per year": [1e6, 5e5, 1e6, 2e5],
    "admitted share": 0.7,
    "investor term": 4,
}


def check_cycle(
    model: Model,
    *,
    pair_budget: float = PAIR_BUDGET,
    client: Any = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Test the reinvestment model.

    Parameters
    ----------
    model : Model
        The reinvestment model, or a changed one with the same variables.
    pair_budget, client, progress
        As for `kredslob.studies.checks.check_model`.

    Returns
    -------
    DataFrame
        As from `kredslob.studies.checks.check_model`, with the ranges of the parameter table as
        extreme conditions, and:

        * people, money: the largest imbalance at any step, over what there is to balance, counted
          from the flows and from the model's own ledgers.
        * zero funding: courses started where no capital is offered, under each extreme condition
          and each two of them.
        * published cases: the largest difference, over the difference that its case file allows.
        * ranking of rates: share of 200 draws of all uncertain parameters in which the rates 0,
          1/2 and 1 do not come in the same order by citizens helped.
        * ranking of policies: share of them in which another way to share out the money gains
          most years of wellbeing.
        * switches: hypotheses that, turned about, change which of the rates 0 and 1 helps more.
    """
    checks = _checks(model, pair_budget, client)
    return gathered(checks, MODEL_CHECKS + _OWN_CHECKS, progress)


def _checks(model: Model, pair_budget: float, client: Any) -> Iterator[Check]:
    chosen = load_scenario()
    extremes = _extremes(model, chosen)
    yield from model_checks(
        model,
        chosen,
        extremes,
        _NEVER_NEGATIVE,
        _AT_MOST,
        pair_budget=pair_budget,
        client=client,
    )
    yield from _conservation(model)
    yield _zero_funding(model, chosen, extremes, pair_budget, client)
    yield _published(model)
    yield from _rankings(model, chosen, client)
    yield _switches(model, chosen)


def _extremes(model: Model, chosen: Scenario) -> list[Extreme]:
    """Each parameter, lever and switch at its low and high, and at zero where that may be."""
    found: list[Extreme] = []
    for row in parameter_table():
        if row.kind in ("setting", "structure"):
            continue
        values = {row.low, row.high} | ({0.0} if row.minimum == 0 else set())
        for value in sorted(values - {row.value}):
            changed = chosen.with_parameters(_nested(row, value)).parameters[row.name]
            numbers = one_design(model.program, {row.name: changed}).values[row.name][0]
            found.append(Extreme(Condition(row.label, "=", value), row.name, numbers))
    return found


def _zero_funding(
    model: Model, chosen: Scenario, extremes: Sequence[Extreme], budget: float, client: Any
) -> Check:
    nothing = {**chosen.parameters, **_NOTHING}
    save = ["Cumulated Starts"]
    asked: dict[str, Any] = {"at": [_YEARS_OF_NOTHING], "save": save, "client": client}
    begun, place = float(abs(model.run(nothing, save=save)[save[0]]).max()), Place()
    others = [extreme for extreme in extremes if extreme.name not in _NOTHING]
    singles: Iterator[Conditioned] = (
        ([(extreme.condition,) for extreme in part], runs)
        for part, runs in single_runs(model, nothing, others, **asked)
    )
    pairs = pair_runs(model, nothing, others, years=_YEARS_OF_NOTHING, budget=budget, **asked)
    for conditions, runs in chain(singles, pairs):
        starts = abs(runs[save[0]].values.reshape(len(conditions), -1)).max(axis=1)
        worst = int(np.argmax(starts))
        if starts[worst] > begun:
            begun, place = float(starts[worst]), Place(save[0], conditions=conditions[worst])
    return measured("zero funding", begun, _ROUNDING, place if begun > _ROUNDING else Place())


def _nested(row: Parameter, value: float) -> dict[str, Any]:
    change: Any = value
    for element in reversed(row.elements):
        change = {element: change}
    return {row.name: change}


def _conservation(model: Model) -> Iterator[Check]:
    run = model.run(_BUSY, years=8, time_step=_STEP, saveper=_STEP)
    people = run[list(_PEOPLE)].to_dataarray().sum("variable")
    leaving = people * run["yearly exit"]
    cash = run["Fund Cash"]
    into = run["paid in"] + run["returned savings"] + run["interest"]
    out = run["spending"] + run["paid to investors"]
    turnover = float((run["Cumulated Paid In"] + run["Cumulated Spent"]).max())
    head = float(people.max())
    gaps = {"change of people": _step_gap(people, run["new cases"] - leaving) / head}
    for name in ("people balance", "counterfactual people balance"):
        gaps[name] = float(abs(run[name]).max()) / head
    yield _worst("people", gaps)
    gaps = {"change of Fund Cash": _step_gap(cash, into - out) / turnover}
    for name in (*_LEDGERS, "investor balance"):
        gaps[name] = float(abs(run[name]).max()) / turnover
    yield _worst("money", gaps)


def _step_gap(stock: xr.DataArray, net: xr.DataArray) -> float:
    """Largest difference between what a stock gains in a step and what its flows bring."""
    gained = stock.diff("time", label="lower")
    return float(abs(gained - _STEP * net.isel(time=slice(None, -1))).max())


def _worst(check: str, gaps: Mapping[str, float]) -> Check:
    worst = max(gaps, key=lambda name: gaps[name])
    return measured(check, gaps[worst], _ROUNDING, Place(worst, kind="sum"))


def _published(model: Model) -> Check:
    by_case = [compare(load_case(name), model).assign(case=name) for name in list_cases()]
    found = pd.concat(by_case, ignore_index=True).dropna(subset=["within"])
    apart = (found["model"] / found["published"].where(found["published"] != 0, 1.0)) - (
        found["published"] != 0
    )
    over = (apart.abs() / found["within"]).fillna(np.inf)
    worst = found.iloc[int(over.argmax())]
    place = Place(f"{worst['case']}: {worst['quantity']}", kind="quantity")
    return measured("published cases", float(over.max()), 1, place)


def _rankings(model: Model, chosen: Scenario, client: Any) -> Iterator[Check]:
    draws = cycle_draws(chosen, _DRAWS, seed=_SEED)
    by_rate = [chosen.with_parameters({RATE: rate}) for rate in _RATES]
    helped = _outcome(model, by_rate, draws, "Cumulated Completions", client)
    order = np.argsort(helped, axis=0)
    changed = (order[:, 1:] != order[:, :1]).any(axis=0).mean()
    yield measured("ranking of rates", changed, _MOST_CHANGED)
    policies = [load_scenario(name) for name in _POLICIES]
    gained = _outcome(model, policies, draws, "Cumulated Wellbeing Years", client)
    best = np.argmax(gained, axis=0)
    changed = (best[1:] != best[0]).mean()
    favourite = Place(_POLICIES[best[0]], kind="policy")
    yield measured("ranking of policies", changed, _MOST_CHANGED, favourite)


def _outcome(
    model: Model, scenarios: Sequence[Scenario], draws: xr.Dataset, name: str, client: Any
) -> np.ndarray:
    """Last values, summed over elements: a row a scenario; the model as it is first, then draws."""
    rows = []
    for scenario in scenarios:
        single = model.run(scenario, save=[name])[name].isel(time=-1)
        end = float(single["time"])
        runs = model.run_many(draws, scenario, at=[end], save=[name], client=client)
        many = runs[name].isel(time=0)
        elements = [d for d in many.dims if d != "run"]
        rows.append(np.concatenate([[float(single.sum())], many.sum(elements).values]))
    return np.array(rows)


def _switches(model: Model, chosen: Scenario) -> Check:
    switches = [row for row in parameter_table() if row.kind == "switch"]
    now = {row.name: chosen.parameters.get(row.name, row.value) for row in switches}
    none: dict[str, Any] = {}
    turned = [none] + [{name: 1.0 - value} for name, value in now.items()]
    helped = [
        [_helped(model, chosen.with_parameters({**change, RATE: rate})) for rate in (0.0, 1.0)]
        for change in turned
    ]
    more = np.sign(np.diff(helped, axis=1)[:, 0])
    effect = np.abs(np.array(helped)[:, 1] / helped[0][1] - 1)
    worst = list(now)[int(np.argmax(effect[1:]))]
    place = Place(worst, kind="effect", amount=float(effect[1:].max()))
    return measured("switches", int((more[1:] != more[0]).sum()), 0, place)


def _helped(model: Model, scenario: Scenario) -> float:
    run = model.run(scenario, save=["Cumulated Completions"])
    return float(run["Cumulated Completions"].isel(time=-1).sum())
