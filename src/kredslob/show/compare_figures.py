"""Figures of several policies side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.ticker import FuncFormatter

from kredslob.show.figures import (
    GREY,
    INK,
    LINES,
    PALETTE,
    Drawing,
    dress,
    end_labels,
    footnote,
    new_figure,
    styled,
    title_over_all,
    wrapped,
)
from kredslob.show.language import words

Named = Sequence[tuple[str, xr.Dataset]]  # what each is called, and its run at one rate
_CELLS = ("Group", "Need")


def policies_over_time(several: Named, language: str) -> Drawing:
    """Draw citizens helped and the fund's cash over time, a line a policy.

    Parameters
    ----------
    several : sequence of (str, Dataset)
        Label and run of each policy, at one rate.
    language : str
        "da" or "en".
    """
    w = words(language)
    with styled():
        figure = new_figure(8.2)
        panels = figure.subplots(2, 1, sharex=True)
        ends: list[list[tuple[float, str, str]]] = [[], []]
        for number, (label, run) in enumerate(several):
            colour, style = PALETTE[number % len(PALETTE)], LINES[number % len(LINES)]
            lines = (run["Cumulated Completions"].sum(_CELLS), run["total cash"] / 1e6)
            for axes, line, own in zip(panels, lines, ends, strict=True):
                axes.plot(line["time"], line, color=colour, linestyle=style)
                own.append((float(line[-1]), wrapped(label, 24), colour))
        last = max(float(run["time"][-1]) for _, run in several)
        for axes, title in zip(panels, ("figure.helped", "figure.fund"), strict=True):
            axes.set_ylim(bottom=0)
            axes.set_title(w.text(title), size=13, color=GREY)
        dress(panels[0], w, w.text("figure.helped_y"), "")
        dress(panels[1], w, w.text("figure.fund_y"), w.text("year"))
        for axes, own in zip(panels, ends, strict=True):
            end_labels(axes, last, own)
        title_over_all(figure, w.text("report.figure.policies"))
        footnote(figure, f"{w.text('prices')} {w.text('source')}")
    said = "; ".join(
        w.text(
            "report.caption.policy",
            policy=label,
            helped=w.number(float(run["Cumulated Completions"].isel(time=-1).sum())),
        )
        for label, run in several
    )
    return Drawing("policies", figure, w.text("chart.line"), f"{said}.")


def relief_by_policy(several: Named, language: str) -> Drawing:
    """Draw the net saving of each purse, a row a policy.

    Parameters
    ----------
    several : sequence of (str, Dataset)
        Label and summary (from `kredslob.cycle.summary.summary`) of each policy, at one rate.
    language : str
        "da" or "en".
    """
    w = words(language)
    purses = [str(p) for p in several[0][1]["Purse"].values]
    rows = np.arange(len(several))[::-1]
    with styled():
        figure = new_figure(1.8 + 0.62 * len(several))
        panels = figure.subplots(1, len(purses), sharey=True, sharex=True, squeeze=False)[0]
        for axes, purse in zip(panels, purses, strict=True):
            values = np.array([float(s["net saving"].sel(Purse=purse)) / 1e6 for _, s in several])
            axes.grid(visible=False, axis="y")
            axes.axvline(0, color=GREY, linewidth=1)
            colours = [PALETTE[0] if v >= 0 else PALETTE[1] for v in values]
            axes.barh(rows, values, 0.6, color=colours)
            for row, value in zip(rows, values, strict=True):
                axes.annotate(
                    w.number(float(value), 1),
                    (value, row),
                    (4 if value >= 0 else -4, 0),
                    textcoords="offset points",
                    ha="left" if value >= 0 else "right",
                    va="center",
                    size=11,
                )
            axes.set_title(w.element(purse), size=13, color=GREY)
            axes.set_yticks(rows, [wrapped(label, 26) for label, _ in several])
            axes.tick_params(axis="y", labelcolor=INK)
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: w.number(x)))
            axes.margins(x=0.25)
        title_over_all(figure, w.text("report.figure.relief"))
        footnote(figure, f"{w.text('prices')} {w.text('source')}")
    said = "; ".join(
        w.text(
            "report.caption.relief",
            policy=label,
            values=", ".join(
                f"{w.element(p).lower()} {w.millions(float(s['net saving'].sel(Purse=p)))}"
                for p in purses
            ),
        )
        for label, s in several
    )
    caption = w.text("report.caption.relief_all", values=said)
    return Drawing("relief", figure, w.text("chart.bar"), caption)
