"""A policy under uncertainty in plain words: chances, spreads, and what each party puts at risk."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import xarray as xr
from rich.box import SIMPLE_HEAD
from rich.table import Table

from kredslob.cycle.scenario import Scenario
from kredslob.show.figures import RATE
from kredslob.show.language import Words, words
from kredslob.show.uncertainty_figures import parties_at_risk

_YEARS = (10, 20, 40)  # those within the horizon, and its end


def uncertainty_frame(found: xr.Dataset, language: str) -> pd.DataFrame:
    """Format chances and spreads for people.

    Parameters
    ----------
    found : Dataset
        From `kredslob.studies.uncertainty.uncertainty`.
    language : str
        "da" or "en".

    Returns
    -------
    DataFrame
        Formatted text; rows are questions, columns reinvestment rates.
    """
    w = words(language)
    columns = {
        w.percent(float(one[RATE])): dict(_answers(one, w))
        for one in (found.sel({RATE: rate}) for rate in np.sort(found[RATE].values))
    }
    return pd.DataFrame(columns)


def uncertainty_table(found: xr.Dataset, language: str, scenario: Scenario) -> Table:
    """Lay the answers out for the terminal, under the place and policy."""
    w = words(language)
    title = scenario.setting_title[language]
    if scenario.name:
        title += f": {scenario.title[language]}"
    frame = uncertainty_frame(found, language)
    table = Table(
        title=title,
        title_style="bold",
        title_justify="left",
        caption=w.text("uncertainty.note"),
        caption_justify="left",
        header_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column(w.text("uncertainty.measure", draws=w.number(found.sizes["draw"])))
    for rate in frame.columns:
        table.add_column(w.text("rate", rate=rate), justify="right")
    for question, row in frame.iterrows():
        table.add_row(str(question), *(str(answer) for answer in row))
    return table


def _answers(one: xr.Dataset, w: Words) -> Iterator[tuple[str, str]]:
    draws = one.sizes["draw"]
    chance = float(one["probability that the cycle carries itself"])
    yield (
        w.text("uncertainty.carries"),
        w.text(
            "uncertainty.carries_value",
            share=w.percent(chance, 1),
            count=w.number(round(chance * draws)),
            draws=w.number(draws),
            low=w.percent(float(one["probability interval"].sel(bound="low")), 2),
            high=w.percent(float(one["probability interval"].sel(bound="high")), 2),
        ),
    )
    last = int(one["year"][-1])
    for year in sorted({*(y for y in _YEARS if y < last), last}):
        within = float(one["probability of payback"].sel(year=year))
        yield w.text("uncertainty.payback", years=w.number(year)), w.percent(within, 1)
    yield w.text("uncertainty.helped"), _spread(one["citizens helped quantile"], w.number, w)
    cash = _spread(one["fund at the end quantile"], w.money, w)
    yield w.text("uncertainty.cash", years=w.number(last)), cash
    for party in parties_at_risk(one):
        name = w.text(f"party.{party}")
        value = _spread(one[f"net present value of {party} quantile"], w.money, w)
        yield w.text("uncertainty.npv", party=name), value
        short = float(one["expected shortfall"].sel(party=party))
        yield w.text("uncertainty.shortfall", party=name), w.money(short)


def _spread(quantiles: xr.DataArray, form: Callable[[float], str], w: Words) -> str:
    low, middle, high = (float(v) for v in quantiles.sel(statistic=["q0.05", "q0.5", "q0.95"]))
    return w.text("uncertainty.spread", middle=form(middle), low=form(low), high=form(high))
