"""The standard tests of the reinvestment model, with those that know what it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.cycle.cases import compare_all
from kredslob.cycle.parameters import Parameter
from kredslob.cycle.scenario import Scenario, load_scenario, parameter_table
from kredslob.ensemble import Progress
from kredslob.simulation import Model
from kredslob.studies.checks import MODEL_CHECKS, Check, Extreme, gathered, measured, model_checks
from kredslob.studies.factors import sample
from kredslob.studies.questions import cycle_factors

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
    model: Model, *, client: Any = None, progress: Progress | None = None
) -> pd.DataFrame:
    """Test the reinvestment model.

    Parameters
    ----------
    model : Model
        The reinvestment model, or a changed one with the same variables.
    client, progress
        As for `kredslob.studies.checks.check_model`.

    Returns
    -------
    DataFrame
        As from `kredslob.studies.checks.check_model`, with the ranges of the parameter table as
        extreme conditions, and:

        * people, money: the largest imbalance at any step, over what there is to balance, counted
          from the flows and from the model's own ledgers.
        * zero funding: courses started where no capital is offered.
        * published cases: the largest difference, over the difference that its case file allows.
        * ranking of rates: share of 200 draws of all uncertain parameters in which the rates 0,
          1/2 and 1 do not come in the same order by citizens helped.
        * ranking of policies: share of them in which another way to share out the money gains
          most years of wellbeing.
        * switches: hypotheses that, turned about, change which of the rates 0 and 1 helps more.
    """
    return gathered(_checks(model, client), MODEL_CHECKS + _OWN_CHECKS, progress)


def _checks(model: Model, client: Any) -> Iterator[Check]:
    chosen = load_scenario()
    yield from model_checks(model, chosen, _extremes(chosen), _NEVER_NEGATIVE, client)
    yield from _conservation(model)
    nothing = {"capital at start": 0.0, "capital per year": 0.0}
    run = model.run({**chosen.parameters, **nothing}, save=["Cumulated Starts"])
    yield measured("zero funding", float(abs(run["Cumulated Starts"]).max()), _ROUNDING)
    yield _published(model)
    yield from _rankings(model, chosen, client)
    yield _switches(model, chosen)


def _extremes(chosen: Scenario) -> list[Extreme]:
    """Each parameter, lever and switch at its low and high, and at zero where that may be."""
    found: list[Extreme] = []
    for row in parameter_table():
        if row.kind in ("setting", "structure"):
            continue
        values = {row.low, row.high} | ({0.0} if row.minimum == 0 else set())
        for value in sorted(values - {row.value}):
            changed = chosen.with_parameters(_nested(row, value)).parameters[row.name]
            found.append((f"{row.label} = {value:g}", {row.name: changed}))
    return found


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
    return measured(check, gaps[worst], _ROUNDING, worst)


def _published(model: Model) -> Check:
    found = compare_all(model).dropna(subset=["within"])
    apart = (found["model"] / found["published"].where(found["published"] != 0, 1.0)) - (
        found["published"] != 0
    )
    over = (apart.abs() / found["within"]).fillna(np.inf)
    worst = found.iloc[int(over.argmax())]
    where = f"{worst['case'].partition(':')[0]}: {worst['quantity']}"
    return measured("published cases", float(over.max()), 1, where)


def _rankings(model: Model, chosen: Scenario, client: Any) -> Iterator[Check]:
    draws = sample(cycle_factors(chosen), _DRAWS, seed=_SEED)
    by_rate = [chosen.with_parameters({RATE: rate}) for rate in _RATES]
    helped = _outcome(model, by_rate, draws, "Cumulated Completions", client)
    order = np.argsort(helped, axis=0)
    changed = (order[:, 1:] != order[:, :1]).any(axis=0).mean()
    yield measured("ranking of rates", changed, _MOST_CHANGED)
    policies = [load_scenario(name) for name in _POLICIES]
    gained = _outcome(model, policies, draws, "Cumulated Wellbeing Years", client)
    best = np.argmax(gained, axis=0)
    changed = (best[1:] != best[0]).mean()
    yield measured("ranking of policies", changed, _MOST_CHANGED, _POLICIES[best[0]])


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
    where = f"{worst}: {effect[1:].max():+.0%}"
    return measured("switches", int((more[1:] != more[0]).sum()), 0, where)


def _helped(model: Model, scenario: Scenario) -> float:
    run = model.run(scenario, save=["Cumulated Completions"])
    return float(run["Cumulated Completions"].isel(time=-1).sum())
