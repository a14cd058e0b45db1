"""A figure of the published cases: how far the model is from each result."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter

from kredslob.show.figures import (
    GREY,
    INK,
    PALE,
    PALETTE,
    Drawing,
    footnote,
    new_figure,
    styled,
    title_over_all,
)
from kredslob.show.language import words


def cases_compared(found: pd.DataFrame, language: str) -> Drawing:
    """Draw the difference between model and publication, a row a result.

    Parameters
    ----------
    found : DataFrame
        From `kredslob.cycle.cases.compare_all`. Results of zero have no relative difference and are
        left out.
    language : str
        "da" or "en".
    """
    w = words(language)
    known = found.dropna(subset=["difference"])
    rows = np.arange(len(known))[::-1]
    apart = 100 * known["difference"].to_numpy()
    near = known["within"].notna().to_numpy()
    labels = [
        f"{case.partition(':')[0]}: {w.text(f'case.{quantity}')}, {w.text(f'case.{run}')}"
        for case, quantity, run in zip(known["case"], known["quantity"], known["run"], strict=True)
    ]
    with styled():
        figure = new_figure(2 + 0.36 * len(known))
        axes = figure.subplots()
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.axvline(0, color=GREY, linewidth=1)
        axes.hlines(rows, 0, apart, color=PALE, linewidth=4, zorder=1)
        for kind, colour, key in ((near, PALETTE[0], "near"), (~near, PALETTE[1], "far")):
            text = w.text(f"case.{key}")
            axes.scatter(apart[kind], rows[kind], s=80, color=colour, label=text, zorder=2)
        axes.set_yticks(rows, labels)
        axes.tick_params(axis="y", labelcolor=INK)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: w.percent(v / 100)))
        axes.set_xlabel(w.text("case.difference_axis"))
        title_over_all(figure, w.text("case.figure"))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
        footnote(figure, w.text("source"))
    caption = w.text(
        "caption.cases",
        count=w.number(len(known)),
        close=w.number(float((abs(apart) <= 10.5).sum())),
        worst=labels[int(np.argmax(abs(apart)))],
        apart=w.percent(float(apart[np.argmax(abs(apart))]) / 100),
    )
    return Drawing("cases", figure, w.text("chart.dot"), caption)
