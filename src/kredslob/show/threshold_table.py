"""The threshold in plain words: the main figures, and what each goal costs the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr
from rich.box import SIMPLE_HEAD
from rich.table import Table

from kredslob.cycle.scenario import Scenario
from kredslob.show.language import Words, words
from kredslob.studies.threshold import ThresholdStudy

_HINGES = 3  # parameters named


def threshold_frame(study: ThresholdStudy, language: str) -> pd.DataFrame:
    """Format the main figures for people.

    Parameters
    ----------
    study : ThresholdStudy
        What was found.
    language : str
        "da" or "en".

    Returns
    -------
    DataFrame
        Formatted text: one column; rows are questions.
    """
    w = words(language)
    rows = dict(_rows(study, w))
    return pd.DataFrame.from_dict(rows, orient="index", columns=[w.text("table.value")])


def goals_frame(goals: xr.Dataset, language: str) -> pd.DataFrame:
    """Format the best rate for each goal, what it reaches, and what the other goals lose there.

    Parameters
    ----------
    goals : Dataset
        From `kredslob.cycle.goals.goals`.
    language : str
        "da" or "en".

    Returns
    -------
    DataFrame
        Formatted text; rows are goals, columns the best rate, the value and each goal's loss.
    """
    w = words(language)
    columns = [w.text("threshold.best"), w.text("threshold.value")]
    columns += [w.text(f"other.{other}") for other in goals["other"].values]
    rows = {}
    for goal in goals["goal"].values:
        losses = goals["loss"].sel(goal=goal)
        shown = [_percent(float(v), w) for v in losses]
        rows[w.text(f"goal.{goal}")] = [*_best(goals, str(goal), w), *shown]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def threshold_tables(study: ThresholdStudy, language: str, scenario: Scenario) -> list[Table]:
    """Lay the main figures and the goals out for the terminal, under the place and policy."""
    w = words(language)
    title = scenario.setting_title[language]
    if scenario.name:
        title += f": {scenario.title[language]}"
    figures = _empty(title, "")
    figures.add_column(w.text("threshold.measure"))
    figures.add_column("", justify="right")
    for question, row in threshold_frame(study, language).iterrows():
        figures.add_row(str(question), str(row.iloc[0]))
    by_goal = _empty("", w.text("threshold.note"))
    by_goal.add_column(w.text("threshold.goal"))
    by_goal.add_column(w.text("threshold.best"), justify="right", no_wrap=True)
    by_goal.add_column(w.text("threshold.value"), justify="right", no_wrap=True)
    by_goal.add_column(w.text("threshold.loses"))
    by_goal.add_column("", justify="right", no_wrap=True)
    for goal in study.goals["goal"].values:
        best, lost = _best(study.goals, str(goal), w), _loses_most(study.goals, str(goal), w)
        by_goal.add_row(w.text(f"goal.{goal}"), *best, *lost)
    return [figures, by_goal]


def _empty(title: str, caption: str) -> Table:
    return Table(
        title=title or None,
        title_style="bold",
        title_justify="left",
        caption=caption or None,
        caption_justify="left",
        header_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )


def _rows(study: ThresholdStudy, w: Words) -> Iterator[tuple[str, str]]:
    bracket, spread = study.bracket, study.uncertainty
    yield w.text("threshold.gain"), w.number(float(bracket["loop gain at rate 1"]), 2)
    yield w.text("threshold.critical"), _critical(bracket, w)
    formula = float(bracket["formula"])
    shown = w.percent(formula, 1) if np.isfinite(formula) else w.text("never")
    if formula > 1 and np.isfinite(formula):
        shown = w.text("threshold.formula_no", rate=w.percent(formula))
    yield w.text("threshold.formula"), shown
    draws = spread.sizes["draw"]
    chance = float(spread["probability that some rate is enough"])
    yield (
        w.text("threshold.chance"),
        w.text(
            "threshold.chance_value",
            share=w.percent(chance, 1),
            count=w.number(round(chance * draws)),
            draws=w.number(draws),
        ),
    )
    low, high = (float(spread["loop gain quantile"].sel(quantile=q)) for q in (0.05, 0.95))
    yield (
        w.text("threshold.range"),
        w.text("threshold.range_value", low=w.number(low, 2), high=w.number(high, 2)),
    )
    repaid = float(study.goals["share repaid"][-1])
    yield w.text("threshold.repaid", years=w.number(study.years)), _percent(repaid, w)
    hinges = spread["rank correlation"][:_HINGES]
    named = [
        f"{w.parameter(str(p))}: {w.number(float(v), 2)}"
        for p, v in zip(hinges["parameter"].values, hinges.values, strict=True)
        if v != 0
    ]
    yield w.text("threshold.hinges"), "\n".join(named) or w.text("none")


def _critical(bracket: xr.Dataset, w: Words) -> str:
    short, sustaining = (float(rate) for rate in bracket["rate"])
    if not np.isfinite(sustaining):
        return w.text("threshold.no_rate")
    if not np.isfinite(short):
        return w.text("threshold.any")
    return w.text(
        "threshold.between", short=w.percent(short, 3), sustaining=w.percent(sustaining, 3)
    )


def _best(goals: xr.Dataset, goal: str, w: Words) -> tuple[str, str]:
    best = goals["best rate"].sel(goal=goal)
    if bool(best.isnull()):
        return w.text("none"), w.text("none")
    value = goals["reached"].sel(goal=goal).sel({"reinvestment rate": float(best)})
    if str(best["unit"].values) == "DKK":
        return w.percent(float(best)), w.money(float(value))
    return w.percent(float(best)), w.text("threshold.persons", amount=w.number(float(value)))


def _loses_most(goals: xr.Dataset, goal: str, w: Words) -> tuple[str, str]:
    losses = goals["loss"].sel(goal=goal).dropna("other")
    if not losses.size:
        return w.text("none"), ""
    worst = int(np.argmax(losses.values))
    if float(losses[worst]) < 0.005:
        return w.text("threshold.loses_nothing"), ""
    return w.text(f"other.{losses['other'].values[worst]}"), w.percent(float(losses[worst]))


def _percent(share: float, w: Words) -> str:
    return w.percent(share) if np.isfinite(share) else w.text("none")
