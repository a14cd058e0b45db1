"""A policy under uncertainty in plain words: chances, spreads, and what each party puts at risk."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import xarray as xr
from rich.table import Table

from kredslob.cycle.scenario import Scenario
from kredslob.show.figures import RATE
from kredslob.show.language import Words, words
from kredslob.show.table import titled_table
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
    by_rate = [found.sel({RATE: rate}) for rate in np.sort(found[RATE].values)]
    parties = parties_at_risk(found)
    answers = [_answers(one, parties, w) for one in by_rate]
    rows = pd.Index([question for question, _ in answers[0]])  # some questions stand twice
    columns = {
        w.percent(float(one[RATE])): [answer for _, answer in answered]
        for one, answered in zip(by_rate, answers, strict=True)
    }
    return pd.DataFrame(columns, index=rows)


def uncertainty_table(found: xr.Dataset, language: str, scenario: Scenario) -> Table:
    """Lay the answers out for the terminal, under the place and policy."""
    w = words(language)
    frame = uncertainty_frame(found, language)
    frame.columns = [w.text("rate", rate=rate) for rate in frame.columns]
    heading = w.text("uncertainty.measure", draws=w.number(found.sizes["draw"]))
    return titled_table(frame, heading, w.text("uncertainty.note"), scenario, language)


def _answers(one: xr.Dataset, parties: list[str], w: Words) -> list[tuple[str, str]]:
    return [*_chances(one, w), *_reached(one, w), *_values(one, parties, w)]


def _chances(one: xr.Dataset, w: Words) -> Iterator[tuple[str, str]]:
    draws = one.sizes["draw"]
    chance = float(one["probability that the cycle carries itself"])
    count, of = w.number(round(chance * draws)), w.number(draws)
    said = w.text("uncertainty.carries_value", share=w.percent(chance, 1), count=count, draws=of)
    yield w.text("uncertainty.carries"), said
    low, high = (w.percent(float(bound), 2) for bound in one["probability interval"])
    yield w.text("uncertainty.interval"), w.text("uncertainty.range", low=low, high=high)
    last = int(one["year"][-1])
    for year in sorted({*(y for y in _YEARS if y < last), last}):
        within = float(one["probability of payback"].sel(year=year))
        yield w.text("uncertainty.payback", years=w.number(year)), w.percent(within, 1)


def _reached(one: xr.Dataset, w: Words) -> Iterator[tuple[str, str]]:
    yield w.text("uncertainty.helped"), _spread(one["citizens helped quantile"], w.number, w)
    years = w.number(float(one["year"][-1]))
    cash = _spread(one["fund at the end quantile"], w.money, w)
    yield w.text("uncertainty.cash", years=years), cash


def _values(one: xr.Dataset, parties: list[str], w: Words) -> Iterator[tuple[str, str]]:
    for party in parties:
        name = w.text(f"party.{party}")
        value = _spread(one[f"net present value of {party} quantile"], w.millions, w)
        yield w.text("uncertainty.npv", party=name), value
        short = float(one["expected shortfall"].sel(party=party))
        yield w.text("uncertainty.shortfall"), w.millions(short)


def _spread(quantiles: xr.DataArray, form: Callable[[float], str], w: Words) -> str:
    low, middle, high = (float(v) for v in quantiles.sel(statistic=["q0.05", "q0.5", "q0.95"]))
    return w.text("uncertainty.spread", middle=form(middle), low=form(low), high=form(high))
