"""Which policy holds up, and the policies that no other beats, as tables for people."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from rich.table import Table

from kredslob.cycle.scenario import Scenario
from kredslob.show.language import Words, words
from kredslob.show.policy_figures import SHOWN, good_enough
from kredslob.show.table import titled_table
from kredslob.studies.policies import PolicyStudy
from kredslob.studies.robustness import CRITERIA, POLICY
from kredslob.studies.search import HELD_OUT, names_of

_ENDS = (
    "citizens helped",
    "complex need helped",
    "5 % quantile of net present value of public purse",
)


def robust_frame(judged: xr.Dataset, language: str) -> pd.DataFrame:
    """Judge each policy by each criterion, with its rank.

    Parameters
    ----------
    judged : Dataset
        From `kredslob.studies.robustness.robustness`.
    language : str
        "da" or "en".

    Returns
    -------
    DataFrame
        Formatted text; rows are policies, the best on the mean of the ranks first, columns
        criteria; the rank in parentheses.
    """
    w = words(language)
    ordered = judged.isel(
        {POLICY: np.argsort(judged["rank"].mean("criterion").values, kind="stable")}
    )
    columns = {}
    for criterion in CRITERIA:
        ranks = ordered["rank"].sel(criterion=criterion).values
        columns[w.text(f"policies.{criterion}")] = [
            w.text("policies.ranked", value=_value(float(value), ordered[criterion], w), rank=rank)
            for value, rank in zip(ordered[criterion].values, ranks, strict=True)
        ]
    return pd.DataFrame(columns, index=pd.Index(ordered[f"title_{language}"].values))


def front_frame(front: xr.Dataset, language: str) -> pd.DataFrame:
    """The policies that no other beats: what they choose, and what they reach on held-out draws."""
    w = words(language)
    columns = {}
    for name in names_of(front, "lever"):
        columns[w.parameter(name)] = [_value(float(v), front[name], w) for v in front[name].values]
    for name in names_of(front, "objective"):
        held = front[f"{name}{HELD_OUT}"]
        columns[objective_name(name, w)] = [_value(float(v), held, w) for v in held.values]
    return pd.DataFrame(columns, index=pd.Index([w.number(int(n)) for n in front[POLICY].values]))


def ends_of_front(front: xr.Dataset, language: str) -> dict[str, int]:
    """Number of the policy that gives most of each of three goals, by what to call it."""
    w = words(language)
    found: dict[str, int] = {}
    for goal in _ENDS:
        if goal in front:
            number = int(front[POLICY][int(np.argmax(front[goal].values))])
            if number not in found.values():
                found[w.text(f"policies.most.{goal}")] = number
    return found


def policy_tables(study: PolicyStudy, language: str, scenario: Scenario) -> list[Table]:
    """Lay a study of policies out for the terminal: a table an outcome, and ends of the front."""
    w = words(language)
    tables = []
    for outcome, judged in study.judged.items():
        frame = robust_frame(judged, language)
        frame = frame[[w.text(f"policies.{criterion}") for criterion in SHOWN]]
        said = w.outcome(outcome)
        heading = f"{said[:1].upper()}{said[1:]}{_unit(judged['expected value'], w)}"
        tables.append(titled_table(frame, heading, good_enough(judged, w), scenario, language))
    frame = chosen_frame(study.front, language)
    heading = w.text("policies.front", count=w.number(study.front.sizes[POLICY]))
    tables.append(titled_table(frame, heading, w.text("policies.front_note"), scenario, language))
    return tables


def objective_name(name: str, w: Words) -> str:
    """Name of an objective in the language."""
    share, quantile, rest = name.partition(" % quantile of ")
    if not quantile:
        return w.outcome(name)
    said = w.percent(float(share) / 100)
    return w.text("policies.quantile", outcome=w.outcome(rest), share=said)


def chosen_frame(front: xr.Dataset, language: str) -> pd.DataFrame:
    """The policies with most of each goal; they are the columns: there are few, and many goals."""
    frame = front_frame(front, language)
    chosen = ends_of_front(front, language)
    numbers = [int(n) for n in front[POLICY].values]
    columns = {label: frame.iloc[numbers.index(number)] for label, number in chosen.items()}
    return pd.DataFrame(columns)


def _value(value: float, of: xr.DataArray, w: Words) -> str:
    unit = str(of.attrs["units"])
    if unit == "DKK":
        return w.money(value)
    if unit == "Dmnl" and 0 <= value <= 1:
        return w.percent(value, 0 if abs(value) >= 0.1 or not value else 1)
    return w.number(value, 1 if abs(value) < 1000 else 0)


def _unit(values: xr.DataArray, w: Words) -> str:
    unit = str(values.attrs["units"])
    return f" ({w.text('policies.persons')})" if unit == "person" else ""
