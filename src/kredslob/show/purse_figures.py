"""Figures of money through the purses, and of help to each group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from kredslob.show.figures import (
    GREY,
    INK,
    LINES,
    PALETTE,
    RATE,
    Drawing,
    dress,
    end_labels,
    footnote,
    new_figure,
    styled,
    title_over_all,
    wrapped,
)
from kredslob.show.language import Words, words

_COLUMN = (0.0, 1.0, 2.0)  # places of savings and capital, of what takes them, of the fund's uses
_BAR = 0.045  # width of a node
_GAP = 0.045  # between nodes, in parts of the height
_LEAST = 0.004  # of all money: thinner bands cannot be seen
_COLOURS = {
    "municipality": PALETTE[0],
    "region": PALETTE[2],
    "state": PALETTE[3],
    "outside": PALETTE[5],
    "fund": INK,
}


@dataclass(frozen=True)
class _Band:
    """Money from one node to another: names, DKK, and whose colour it has."""

    source: str
    target: str
    dkk: float
    colour: str


def money_through_purses(runs: xr.Dataset, language: str) -> Drawing:
    """Draw where savings and capital come from and what becomes of them, at the highest rate.

    Parameters
    ----------
    runs : Dataset
        A sweep over the reinvestment rate, with the ledgers of the reinvestment model.
    language : str
        "da" or "en".
    """
    w = words(language)
    end = runs.isel({RATE: -1, "time": -1})
    bands = [band for band in _bands(end) if band.dkk > 0]
    whole = sum(b.dkk for b in bands if b.source != "fund")
    bands = [b for b in bands if b.dkk >= _LEAST * whole]
    years = w.number(float(runs["time"][-1]))
    with styled():
        figure = new_figure(6.4)
        axes = figure.subplots()
        axes.set_axis_off()
        axes.set_xlim(-0.62, 2.5)
        axes.set_ylim(1.02, -0.03)
        _draw_bands(axes, bands, w)
        title_over_all(figure, w.text("report.figure.sankey", years=years))
        footnote(figure, f"{w.text('prices')} {w.text('source')}")
    into = sum(b.dkk for b in bands if b.target == "fund")
    back = sum(b.dkk for b in bands if b.target == "fund" and b.source.startswith("saving"))
    saved = sum(b.dkk for b in bands if b.source.startswith("saving"))
    caption = w.text(
        "report.caption.sankey",
        saved=w.money(saved),
        back=w.money(back),
        into=w.money(into),
        rate=w.percent(float(end[RATE])),
        years=years,
    )
    return Drawing("sankey", figure, w.text("report.chart.sankey"), caption)


def helped_by_group(shares: xr.Dataset, language: str) -> Drawing:
    """Draw courses started so far, a panel a group, moderate need beside complex.

    Parameters
    ----------
    shares : Dataset
        From `kredslob.cycle.equity.equity`, of one run.
    language : str
        "da" or "en".
    """
    w = words(language)
    groups = [str(g) for g in shares["Group"].values]
    columns = 3
    rows = -(-len(groups) // columns)
    with styled():
        figure = new_figure(0.9 + 2.7 * rows, foot=0.05)
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes, group in zip(panels.flat, groups, strict=False):
            one = shares["help over time"].sel(Group=group)
            for number, need in enumerate(one["Need"].values):
                line = one.sel(Need=need)
                axes.plot(line["time"], line, color=PALETTE[number], linestyle=LINES[number])
            axes.set_title(w.element(group), size=12, color=INK)
            dress(axes, w, "", "")
            axes.set_ylim(bottom=0)
        for axes, group in zip(panels.flat, groups, strict=False):  # now that they share a scale
            one = shares["help over time"].sel(Group=group)
            last = float(one["time"][-1])
            named = [
                (float(one.sel(Need=n)[-1]), w.text(f"report.need.{n}"), PALETTE[k])
                for k, n in enumerate(one["Need"].values)
            ]
            end_labels(axes, last, named)
        for axes in panels.flat[len(groups) :]:
            axes.set_axis_off()
        for axes in panels[-1]:
            axes.set_xlabel(w.text("year"))
        title_over_all(figure, w.text("report.figure.groups"))
        footnote(figure, w.text("source"))
    helped = shares["help"].sum("Need")
    most, least = (str(helped["Group"].values[i(helped.values)]) for i in (np.argmax, np.argmin))
    caption = w.text(
        "report.caption.groups",
        most=_inside(w.element(most)),
        most_helped=w.number(float(helped.sel(Group=most))),
        least=_inside(w.element(least)),
        least_helped=w.number(float(helped.sel(Group=least))),
    )
    return Drawing("groups", figure, w.text("report.chart.groups"), caption)


def _inside(label: str) -> str:
    return label[0].lower() + label[1:]


def _bands(end: xr.Dataset) -> list[_Band]:
    """Savings and capital of each purse, and what the fund does with what it gets."""
    found = []
    for purse in end["Purse"].values:
        ledgers = {
            "fund": end["Cumulated Returned To Fund"],
            "kept": end["Cumulated Kept"],
            "unclaimed": end["Cumulated Unclaimed"],
        }
        for target, ledger in ledgers.items():
            dkk = float(ledger.sel(Purse=purse))
            found.append(_Band(f"saving {purse}", target, dkk, str(purse)))
        paid = float(end["paid in by purse"].sel(Purse=purse))
        found.append(_Band(f"capital {purse}", "fund", paid, str(purse)))
    by_kind = end["Cumulated Paid In"] * (1 - end["capital from purse"].sum("Purse"))
    for kind in end["Capital"].values:
        found.append(_Band(f"capital {kind}", "fund", float(by_kind.sel(Capital=kind)), "outside"))
    found.append(_Band("interest", "fund", float(end["Cumulated Interest"].sum()), "outside"))
    spent, investors = (
        float(end[name].sum()) for name in ("Cumulated Spent", "Cumulated Paid To Investors")
    )
    found.append(_Band("fund", "spent", spent, "fund"))
    found.append(_Band("fund", "investors", investors, "fund"))
    found.append(_Band("fund", "cash", float(end["total cash"]), "fund"))
    return found


def _draw_bands(axes: Axes, bands: Sequence[_Band], w: Words) -> None:
    columns = _columns(bands)
    sizes = {name: _size(name, bands) for column in columns for name in column}
    # one scale for all columns: the fullest one fills the height
    fullest = max(sum(sizes[n] for n in column) for column in columns)
    room = 1 - _GAP * (max(len(column) for column in columns) - 1)
    scale = room / fullest
    tops = _tops(columns, sizes, scale)
    out, into = dict(tops), dict(tops)
    order = {name: k for column in columns for k, name in enumerate(column)}
    for band in sorted(bands, key=lambda b: (order[b.source], order[b.target])):
        height = band.dkk * scale
        x0, x1 = _x(band.source), _x(band.target)
        _ribbon(axes, (x0 + _BAR, out[band.source]), (x1, into[band.target]), height, band.colour)
        out[band.source] += height
        into[band.target] += height
    for name, top in tops.items():
        height = sizes[name] * scale
        axes.add_patch(Rectangle((_x(name), top), _BAR, height, color=_node_colour(name, bands)))
        _name(axes, name, top + height / 2, sizes[name], w)


def _columns(bands: Sequence[_Band]) -> tuple[list[str], list[str], list[str]]:
    names = list(dict.fromkeys([b.source for b in bands] + [b.target for b in bands]))
    first = [n for n in names if _x(n) == _COLUMN[0]]
    second: list[str] = [n for n in ("kept", "unclaimed", "fund") if n in names]
    third: list[str] = [n for n in ("spent", "investors", "cash") if n in names]
    first.sort(key=lambda n: (not n.startswith("saving"), n == "interest"))
    return first, second, third


def _size(name: str, bands: Sequence[_Band]) -> float:
    into = sum(b.dkk for b in bands if b.target == name)
    out = sum(b.dkk for b in bands if b.source == name)
    return max(into, out)


def _tops(
    columns: Sequence[Sequence[str]], sizes: Mapping[str, float], scale: float
) -> dict[str, float]:
    """Upper edge of each node; each column is centred."""
    tops = {}
    for column in columns:
        height = scale * sum(sizes[n] for n in column) + _GAP * (len(column) - 1)
        y = (1 - height) / 2
        for name in column:
            tops[name] = y
            y += scale * sizes[name] + _GAP
    return tops


def _x(name: str) -> float:
    if name in ("kept", "unclaimed", "fund"):
        return _COLUMN[1]
    return _COLUMN[2] if name in ("spent", "investors", "cash") else _COLUMN[0]


def _node_colour(name: str, bands: Sequence[_Band]) -> str:
    if name in ("fund", "spent", "investors", "cash"):
        return INK
    if name in ("kept", "unclaimed"):
        return GREY
    return _COLOURS[next(b.colour for b in bands if b.source == name)]


def _ribbon(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], height: float, colour: str
) -> None:
    (x0, y0), (x1, y1) = start, end
    middle = (x0 + x1) / 2
    points = [
        *((x0, y0), (middle, y0), (middle, y1), (x1, y1)),
        *((x1, y1 + height), (middle, y1 + height), (middle, y0 + height), (x0, y0 + height)),
        (x0, y0),
    ]
    bend = [Path.CURVE4] * 3
    codes = [Path.MOVETO, *bend, Path.LINETO, *bend, Path.CLOSEPOLY]
    shade = {"facecolor": _COLOURS[colour], "alpha": 0.35, "linewidth": 0}
    axes.add_patch(PathPatch(Path(points, codes), **shade))


def _name(axes: Axes, name: str, y: float, dkk: float, w: Words) -> None:
    """Write a node's name and amount: to the left of the first column, else to the right."""
    kind, _, of = name.partition(" ")
    if kind == "saving":
        label = w.text("report.node.saving", purse=w.text(f"purse.{of}"))
    elif kind == "capital":
        whose = w.text(f"purse.{of}") if f"purse.{of}" in w.table else _inside(w.element(of))
        label = w.text("report.node.capital", whose=whose)
    else:
        label = w.text(f"report.node.{name}")
    left = _x(name) == _COLUMN[0]
    x = _x(name) - 0.03 if left else _x(name) + _BAR + 0.03
    text = f"{wrapped(label, 26)}\n{w.money(dkk)}"
    side = "right" if left else "left"
    axes.text(x, y, text, ha=side, va="center", size=11, color=INK, linespacing=1.25)
