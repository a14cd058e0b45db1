"""Figures of feedback: which loops are in charge, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from kredslob.cycle.loops import LIVES, OTHER, OWN_PACE, families
from kredslob.feedback.dominance import dominance
from kredslob.show.figures import (
    PALETTE,
    Drawing,
    dress,
    footnote,
    new_figure,
    styled,
    title_over_all,
)
from kredslob.show.language import Words, words

_LEAST = 0.01  # mean share from which a group of loops is drawn by itself
_MOST_GROUPS = 8
_COLUMNS = 3  # of the legend
FAMILY_COLOURS = {
    "R1": "#009E73",
    "B5": "#D55E00",
    "B7": "#0072B2",
    "R2": "#56B4E9",
    "B3": "#E69F00",
    "B4": "#CC79A7",
    "R4": "#44AA99",
    "B6": "#882255",
    "R3": "#332288",
    "R5": "#999933",
    "B1": "#AA4499",
    "B2": "#661100",
}
GREYS = {OWN_PACE: "#9a9a9a", LIVES: "#c4c4c4", OTHER: "#e3e3e3"}


@dataclass(frozen=True)
class Shares:
    """What groups of loops do over time.

    Parameters
    ----------
    up, down : DataArray
        Over ``group`` and ``time``: shares of reinforcing loops (0 to 1) and balancing loops
        (-1 to 0).
    model : str
        File of the model; empty for the reinvestment model.
    """

    up: xr.DataArray
    down: xr.DataArray
    model: str = ""

    @property
    def size(self) -> xr.DataArray:
        """Share of either sort together."""
        return self.up - self.down


def of_families(scores: xr.Dataset) -> Shares:
    """Shares of the families of the reinvestment model; see `kredslob.cycle.loops.loop_scores`."""
    named = {"family": "group"}
    return Shares(
        scores["reinforcing share"].rename(named), scores["balancing share"].rename(named)
    )


def of_loops(scores: xr.Dataset) -> Shares:
    """Shares of the loops of the partition that has most; see `Feedback.scores`."""
    partition = scores["partition"].values
    largest = np.bincount(partition).argmax() if len(partition) else 0
    own = scores["relative score"].isel(loop=partition == largest).rename(loop="group")
    return Shares(own.clip(min=0), own.clip(max=0), scores.attrs.get("model", ""))


def family_name(name: str, language: str) -> str:
    """What a family of loops is called: "R1 reinvestment"."""
    for family in families():
        if family.name == name:
            return f"{name} {family.words[language]}"
    return words(language).text(f"loops.{name.replace(' ', '_')}")


def loops_in_charge(
    panels: Mapping[str, Shares], labels: Mapping[str, str], language: str
) -> Drawing:
    """Draw the shares of groups of loops over time, reinforcing ones up, balancing ones down.

    Parameters
    ----------
    panels : mapping of str to Shares
        One panel each, by title.
    labels : mapping of str to str
        What each group is called; those that are not in it go by their own name.
    language : str
        "da" or "en".
    """
    w = words(language)
    groups = _worth_showing(panels)
    colours = _colours(groups)
    rows = -(-len(groups) // _COLUMNS)
    with styled():
        height = 4.6 + 0.28 * rows
        figure = new_figure(height, foot=0.08 + 0.28 * rows / height)
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for one, (title, shares) in zip(axes, panels.items(), strict=True):
            _stack(one, shares, groups, colours)
            one.set_title(title, size=13)
            dress(one, w, "", _time_label(shares, w))
            one.yaxis.set_major_formatter(FuncFormatter(lambda y, _: w.percent(abs(y))))
        axes[0].set_ylabel(f"{w.text('loops.down')}      {w.text('loops.up')}")
        handles = [Patch(color=colours[g], label=labels.get(g, g)) for g in groups]
        figure.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0.05, 0.06),
            ncols=_COLUMNS,
            fontsize=11,
            handlelength=1.2,
        )
        title_over_all(figure, w.text("loops.title"))
        model = next(iter(panels.values())).model
        source = w.text("sensitivity.source", model=model) if model else w.text("source")
        footnote(figure, source)
    return Drawing("loops", figure, w.text("chart.area"), _said(panels, labels, w))


def _time_label(shares: Shares, w: Words) -> str:
    unit = str(shares.up["time"].attrs.get("units", "year")).lower()
    return (
        w.text("year") if unit in ("", "year", "years") else w.text("loops.time", unit=w.unit(unit))
    )


def _worth_showing(panels: Mapping[str, Shares]) -> list[str]:
    """Groups that do something, the largest first."""
    means: dict[str, float] = {}
    for shares in panels.values():
        for name, mean in zip(
            shares.size["group"].values, shares.size.mean("time").values, strict=True
        ):
            means[str(name)] = max(means.get(str(name), 0.0), float(mean))
    ordered = sorted(means, key=lambda n: -means[n])
    return [n for n in ordered if means[n] >= _LEAST][:_MOST_GROUPS]


def _colours(groups: Sequence[str]) -> dict[str, str]:
    """A family has one colour in all figures; other loops take what is left, in order."""
    left = iter(c for c in (*FAMILY_COLOURS.values(), *PALETTE) if c)
    return {g: GREYS.get(g) or FAMILY_COLOURS.get(g) or next(left) for g in groups}


def _stack(axes: Axes, shares: Shares, groups: Sequence[str], colours: Mapping[str, str]) -> None:
    times = shares.up["time"].values
    for part in (shares.up, shares.down):
        base = np.zeros(len(times))
        for group in groups:
            if group in part["group"].values:
                top = base + part.sel(group=group).values
                axes.fill_between(times, base, top, color=colours[group], linewidth=0)
                base = top
    axes.axhline(0, color="#222222", linewidth=0.8)
    axes.set_ylim(-1, 1)
    axes.set_xlim(times[0], times[-1])


def _said(panels: Mapping[str, Shares], labels: Mapping[str, str], w: Words) -> str:
    """A sentence a panel: which group is in charge for the longest time."""
    sentences = []
    for title, shares in panels.items():
        longest = _longest(dominance(shares.size))
        if longest:
            named = labels.get(longest, longest)
            sentences.append(w.text("loops.in_charge", panel=title, loop=named))
    return " ".join(sentences)


def _longest(periods: pd.DataFrame) -> str:
    """The group that is strongest for the longest time; empty if none ever is."""
    lengths = (periods["to"] - periods["from"]).groupby(periods["dominant"].str[0]).sum()
    return str(lengths.idxmax()) if len(lengths) else ""
