"""The draws of a study of uncertainty by structure: with each hypothesis, and without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from rich.table import Table

from kredslob.cycle.scenario import Scenario
from kredslob.show.figures import (
    GREY,
    INK,
    PALE,
    PALETTE,
    RATE,
    Drawing,
    footnote,
    new_figure,
    styled,
    title_over_all,
    wrapped,
)
from kredslob.show.language import Words, words
from kredslob.show.table import titled_table
from kredslob.studies.structures import HELD, HYPOTHESIS

_CARRIES = "probability that the cycle carries itself"
_GAIN, _HELPED = "median loop gain", "median citizens helped"
_LEAST_SHOWN = 0.01  # probability at the end of an axis where there is next to none


def structures(found: xr.Dataset, language: str) -> Drawing:
    """Draw what each hypothesis does: the chance that the cycle carries itself, and kroner back.

    Parameters
    ----------
    found : Dataset
        From `kredslob.studies.structures.by_structure`; its highest rate is drawn.
    language : str
        "da" or "en".
    """
    w = words(language)
    one = found.sortby(RATE).isel({RATE: -1})
    rows = np.arange(one.sizes[HYPOTHESIS])[::-1]
    with styled():
        figure = new_figure(2.2 + 0.42 * len(rows), foot=0.08)
        left, right = figure.subplots(1, 2, sharey=True)
        _pairs(left, one[_CARRIES], rows, w)
        _intervals(left, one["probability interval"], rows)
        _pairs(right, one[_GAIN], rows, w)
        top = max(_LEAST_SHOWN, float(one["probability interval"].max()))
        left.set_xlim(-0.03 * top, 1.05 * top)
        digits = 0 if top > 0.04 else 1
        left.xaxis.set_major_formatter(FuncFormatter(lambda v, _: w.percent(v, digits)))
        right.xaxis.set_major_formatter(FuncFormatter(lambda v, _: w.number(v, 2)))
        left.set_xlabel(w.text("structures.carries"))
        right.set_xlabel(w.text("structures.gain"))
        left.set_yticks(rows, [wrapped(n, 26) for n in _names(one, w)])
        left.tick_params(axis="y", labelcolor=INK, labelsize=11)
        left.set_ylim(-0.6, len(rows) - 0.4)
        right.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.2)
        rate = w.percent(float(one[RATE]))
        title_over_all(figure, w.text("structures.title", rate=rate))
        note = f"{w.text('structures.note')} {w.text('structures.lines')}"
        footnote(figure, f"{note}\n{w.text('source')}")
    caption = w.text("caption.structures", rate=rate, gains=_gains(one, w))
    return Drawing("structures", figure, w.text("chart.dot"), caption)


def structure_frame(found: xr.Dataset, language: str) -> pd.DataFrame:
    """Format the comparison for people, at the highest rate.

    Returns
    -------
    DataFrame
        Formatted text; rows are hypotheses, columns outcomes: without and with each.
    """
    w = words(language)
    one = found.sortby(RATE).isel({RATE: -1})
    columns = {}
    for name, said in ((_CARRIES, "carries"), (_GAIN, "gain"), (_HELPED, "helped")):
        columns[w.text(f"structures.{said}")] = [
            w.text("structures.pair", without=_form(name, without, w), held=_form(name, held, w))
            for without, held in one[name].transpose(HYPOTHESIS, HELD).values
        ]
    return pd.DataFrame(columns, index=pd.Index(_names(one, w)))


def structure_table(found: xr.Dataset, language: str, scenario: Scenario) -> Table:
    """Lay the comparison out for the terminal."""
    w = words(language)
    rate = w.percent(float(found[RATE].max()))
    heading = w.text("structures.measure", rate=rate)
    frame = structure_frame(found, language)
    return titled_table(frame, heading, w.text("structures.note"), scenario, language)


def _names(one: xr.Dataset, w: Words) -> list[str]:
    named = [w.parameter(str(name)) for name in one[HYPOTHESIS].values]
    return [(name.partition(": ")[2] or name).removeprefix("switch ") for name in named]


def _form(name: str, value: float, w: Words) -> str:
    if not np.isfinite(value):
        return w.text("none")
    if name == _CARRIES:
        return w.percent(value, 1)
    return w.number(value, 2 if name == _GAIN else 0)


def _pairs(axes: Axes, values: xr.DataArray, rows: np.ndarray, w: Words) -> None:
    without, held = values.transpose(HELD, HYPOTHESIS).values
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.hlines(rows, without, held, color=PALE, linewidth=3, zorder=1)
    looks: dict[str, Any] = {"markersize": 9, "linestyle": "none", "zorder": 3, "clip_on": False}
    label = w.text("structures.without")
    axes.plot(
        without, rows, "o", markerfacecolor="white", markeredgecolor=GREY, label=label, **looks
    )
    axes.plot(held, rows, "o", color=PALETTE[0], label=w.text("structures.with"), **looks)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.margins(x=0.1)


def _intervals(axes: Axes, interval: xr.DataArray, rows: np.ndarray) -> None:
    for side, (colour, shift) in enumerate(((GREY, -0.16), (PALETTE[0], 0.16))):
        low, high = interval.sel({HELD: side}).transpose("bound", HYPOTHESIS).values
        axes.hlines(rows + shift, low, high, color=colour, linewidth=1.3)


def _gains(one: xr.Dataset, w: Words) -> str:
    values = one[_GAIN].transpose(HYPOTHESIS, HELD).values
    said = []
    for name, (without, held) in zip(_names(one, w), values, strict=True):
        pair = {"without": _form(_GAIN, without, w), "held": _form(_GAIN, held, w)}
        said.append(w.text("caption.structure", name=name, **pair))
    return "; ".join(said)
