"""What the outcomes hinge on, as tables for people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr
from rich.table import Table

from kredslob.cycle.scenario import Scenario
from kredslob.show.language import Words, words
from kredslob.show.table import titled_table
from kredslob.studies.hinges import HingeStudy
from kredslob.studies.sensitivity import DUMMY, STRENGTH, strength


def ranked_frame(study: HingeStudy, language: str) -> pd.DataFrame:
    """Shares of the variance of each outcome, with 95 % intervals.

    Parameters
    ----------
    study : HingeStudy
        From `kredslob.studies.hinges.hinge_study`.
    language : str
        "da" or "en".

    Returns
    -------
    DataFrame
        Formatted text; rows are inputs, the strongest first and the dummy last, columns outcomes.
    """
    w = words(language)
    ranked = study.ranked.isel(factor=_order(study.ranked))
    return _frame(ranked, lambda cell: _share(cell, w), w)


def screened_frame(study: HingeStudy, language: str) -> pd.DataFrame:
    """Mean size of the effects of each input on each outcome, all inputs, the strongest first."""
    w = words(language)
    screened = study.screened.isel(factor=_order(study.screened))
    return _frame(screened, lambda cell: _amount(float(cell["mu star"]), cell, w), w)


def moved_frame(study: HingeStudy, language: str) -> pd.DataFrame:
    """Each outcome with one input at either end of its range."""
    w = words(language)
    moved = study.moved.isel(factor=_order(study.moved))

    def ends(cell: xr.Dataset) -> str:
        low, high = (_amount(float(cell[name]), cell, w) for name in ("at low", "at high"))
        return w.text("sensitivity.ends", low=low, high=high)

    return _frame(moved, ends, w)


def sensitivity_table(study: HingeStudy, language: str, scenario: Scenario) -> Table:
    """Lay the shares of the variance out for the terminal, under the place and policy."""
    w = words(language)
    frame = ranked_frame(study, language)
    screened = study.screened.sizes["factor"] - 1
    note = w.text("sensitivity.table_note", inputs=w.number(screened))
    return titled_table(frame, w.text("sensitivity.measure"), note, scenario, language)


def _order(found: xr.Dataset) -> np.ndarray:
    """Places of the inputs by their largest share of the strongest index, the dummy last."""
    index = strength(found)
    top = index.max("factor")
    share = (index / top.where(top > 0)).max("outcome").fillna(-1.0)
    return np.argsort(np.where(found["factor"].values == DUMMY, 1, -share.values), kind="stable")


def _frame(found: xr.Dataset, form: Callable[[xr.Dataset], str], w: Words) -> pd.DataFrame:
    index = STRENGTH[found.attrs["method"]]
    columns = {}
    for outcome in found["outcome"].values:
        one = found.sel(outcome=outcome)
        cells = [one.isel(factor=k) for k in range(one.sizes["factor"])]
        columns[w.outcome(str(outcome))] = [
            form(cell) if np.isfinite(cell[index]) else w.text("none") for cell in cells
        ]
    names = found["factor"].values
    rows = [w.text("sensitivity.dummy") if n == DUMMY else w.parameter(str(n)) for n in names]
    return pd.DataFrame(columns, index=pd.Index(rows))


def _share(cell: xr.Dataset, w: Words) -> str:
    low, high = (w.number(100 * max(0.0, float(v))) for v in cell["total interval"].values)
    share = w.percent(float(cell["total"]))
    return w.text("sensitivity.share", share=share, low=low, high=high)


def _amount(value: float, cell: xr.Dataset, w: Words) -> str:
    if str(cell["unit"].values) == "DKK":
        return w.money(value)
    return w.number(value, 3 if abs(value) < 1 else 1 if abs(value) < 100 else 0)
