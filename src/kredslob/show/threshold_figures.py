"""Figures of the threshold: where the cycle carries itself, what that gives, and how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, MultipleLocator, NullLocator

from kredslob.show.figures import (
    GREY,
    INK,
    LINES,
    PALETTE,
    RATE,
    Drawing,
    end_labels,
    footnote,
    new_figure,
    styled,
    title_over_all,
    wrapped,
)
from kredslob.show.language import Words, words

_MAPS = {
    "pledged share": "region_pledged",
    "cashable share": "region_cashable",
    "investor share of savings": "region_investor",
}
_LINE, _GROUND = PALETTE[0], PALETTE[2]
_TICKS = (10, 30, 100, 300, 1000, 3000, 10000)  # percent, on the logarithmic axis
_HINGES = 8  # parameters shown
_AROUND = [withStroke(linewidth=3, foreground="white")]


def regions(found: xr.Dataset, language: str) -> Drawing:
    """Draw the loop gain on the three maps, the line at one, and the policy as it stands.

    Parameters
    ----------
    found : Dataset
        From `kredslob.studies.regions.sustaining_regions`.
    language : str
        "da" or "en".
    """
    w = words(language)
    maps = sum(bool(found[f"self-sustaining by {name}"].any()) for name in _MAPS)
    with styled():
        figure = new_figure(5)
        for axes, (name, title) in zip(figure.subplots(1, 3), _MAPS.items(), strict=True):
            _map(axes, found, name, w)
            axes.set_title(w.text(f"threshold.{title}"), size=12, color=INK, pad=10)
            axes.set_xlabel(w.text("threshold.rate_axis"))
        title_over_all(figure, w.text("threshold.regions"))
        line = any(float(found[f"loop gain by {name}"].max()) > 1 for name in _MAPS)
        notes = [w.text("threshold.regions_line" if line else "threshold.regions_no_line")]
        if maps:
            notes.append(w.text("threshold.regions_green"))
        footnote(figure, " ".join([*notes, w.text("source")]))
    gain = {name: found[f"loop gain by {name}"] for name in _MAPS}
    caption = w.text(
        "caption.regions",
        now=w.number(float(found["current loop gain"]), 2),
        rate=w.percent(float(found["current rate"])),
        pledged=w.number(float(gain["pledged share"].max()), 2),
        cashable=w.number(float(gain["cashable share"].max()), 2),
    )
    said = w.text("caption.regions_some", maps=w.number(maps))
    caption += " " + (said if maps else w.text("caption.regions_none"))
    return Drawing("regions", figure, w.text("chart.map"), caption)


def _map(axes: Axes, found: xr.Dataset, name: str, w: Words) -> None:
    gain = found[f"loop gain by {name}"]
    rates, across = 100 * gain[RATE].values, 100 * gain[name].values
    current = (100 * float(found["current rate"]), 100 * float(found[f"current {name}"]))
    axes.grid(visible=False)
    carries = found[f"self-sustaining by {name}"].values.astype(float)
    if carries.any():
        axes.contourf(rates, across, carries, [0.5, 1.5], colors=[_GROUND], alpha=0.25)
    _contours(axes, gain, 80 if abs(current[0] - 80) > 15 else 58, w)
    most = w.text("threshold.most", gain=w.number(float(gain.max()), 2))
    if float(gain.max()) < 1:
        # where least comes back there are no lines to cross
        low = name != "investor share of savings"
        axes.text(
            3, 4 if low else 96, most, va="bottom" if low else "top", color=_LINE, weight="bold"
        )
    _policy_now(axes, *current, w)
    _percent_axis(axes.xaxis, [0, 50, 100], w)
    _percent_axis(axes.yaxis, [0, 25, 50, 75, 100], w)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)


def _contours(axes: Axes, gain: xr.DataArray, column: float, w: Words) -> None:
    """Draw lines of equal gain, labelled at one rate (in percent), and a bold one at a gain of one.

    The labels stand in a column, so that they meet neither each other nor the mark of the policy.
    """
    rates, across = 100 * gain[RATE].values, 100 * gain[gain.dims[0]].values
    top = float(gain.max())
    levels = [v for v in MaxNLocator(6).tick_values(0, top) if 0 < v < top and abs(v - 1) > 1e-9]
    digits = next(d for d in range(1, 9) if np.allclose(levels, np.round(levels, d), rtol=1e-9))
    along = gain.interp({RATE: column / 100}).values

    def places(wanted: Sequence[float]) -> list[tuple[float, float]]:
        crossed = [np.flatnonzero(np.diff(np.sign(along - v))) for v in wanted]
        heights = [float(across[places[0]]) for places in crossed if places.size]
        return [(column, height) for height in heights if 7 < height < 93]  # not cut by the frame

    if levels:
        lines = axes.contour(rates, across, gain.values, levels, colors=[GREY], linewidths=1)
        axes.clabel(lines, fmt=lambda v: w.number(v, digits), fontsize=10, manual=places(levels))
    if top > 1:
        line = axes.contour(rates, across, gain.values, [1.0], colors=[_LINE], linewidths=3.5)
        labels = axes.clabel(line, fmt=lambda v: w.number(v), fontsize=13, manual=places([1.0]))
        for label in labels:
            label.set_fontweight("bold")


def _policy_now(axes: Axes, rate: float, value: float, w: Words) -> None:
    axes.plot(
        [rate],
        [value],
        "o",
        markersize=12,
        color=PALETTE[1],
        markeredgecolor="white",
        markeredgewidth=2,
        clip_on=False,
        zorder=5,
    )
    axes.annotate(
        w.text("threshold.now"),
        (rate, value),
        (-11, 11) if value < 85 else (-11, -11),
        textcoords="offset points",
        ha="right",
        va="bottom" if value < 85 else "top",
        color=PALETTE[1],
        weight="bold",
        path_effects=_AROUND,
        zorder=5,
    )


def _percent_axis(axis: Axis, ticks: Sequence[float], w: Words) -> None:
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_major_formatter(FuncFormatter(lambda v, _: w.percent(v / 100)))


def repayment(found: xr.Dataset, years: float, language: str) -> Drawing:
    """Draw what part of the capital has come back, and the most and the last cash, by rate.

    Parameters
    ----------
    found : Dataset
        From `kredslob.cycle.goals.goals`.
    years : float
        Horizon, in years.
    language : str
        "da" or "en".
    """
    w = words(language)
    rates = 100 * found[RATE].values
    share, payback = 100 * found["share repaid"].values, found["payback year"].values
    cash = {
        "threshold.peak": found["peak fund"].values / 1e6,
        "threshold.at_end": found["reached"].sel(goal="fund at the end").values / 1e6,
    }
    with styled():
        figure = new_figure(5)
        left, right = figure.subplots(1, 2)
        left.plot(rates, share, color=PALETTE[0])
        left.axhline(100, color=PALETTE[1], linewidth=1.6, linestyle=LINES[1])
        line = w.text("threshold.repaid_line")
        away = share[rates <= 50].max() < 100  # from where the curve crosses
        left.annotate(
            line,
            (0 if away else 100, 100),
            (0, 4),
            textcoords="offset points",
            ha="left" if away else "right",
            color=PALETTE[1],
            weight="bold",
            path_effects=_AROUND,
        )
        _payback_years(left, rates, share, payback, w)
        left.set_ylim(0, 1.12 * float(share[np.isfinite(share)].max(initial=100.0)))
        left.set_title(w.text("threshold.repaid_title", years=w.number(years)), size=13, color=GREY)
        ends = []
        for number, (key, values) in enumerate(cash.items()):
            right.plot(rates, values, color=PALETTE[number], linestyle=LINES[number])
            label = wrapped(w.text(key, years=w.number(years)))
            ends.append((float(values[-1]), label, PALETTE[number]))
        right.set_ylim(0, 1.12 * float(max(v.max() for v in cash.values())) or 1)
        end_labels(right, 100, ends)
        right.set_title(w.text("threshold.fund_title"), size=13, color=GREY)
        _rate_axis(left, w, lambda y: w.percent(y / 100))
        _rate_axis(right, w, lambda y: w.number(y, 0 if right.get_ylim()[1] > 4 else 1))
        title_over_all(figure, w.text("threshold.repayment"))
        footnote(figure, f"{w.text('prices')} {w.text('source')}")
    caption = w.text(
        "caption.repayment",
        years=w.number(years),
        share=w.percent(share[-1] / 100) if np.isfinite(share[-1]) else w.text("none"),
        rate=w.percent(rates[-1] / 100),
        peak=w.money(1e6 * float(cash["threshold.peak"][-1])),
        end=w.money(1e6 * float(cash["threshold.at_end"][-1])),
    )
    repaid = np.flatnonzero(np.isfinite(payback))
    if repaid.size:
        said = w.text(
            "caption.repaid_from",
            rate=w.percent(rates[repaid[0]] / 100),
            year=w.number(float(np.nanmin(payback)), 1),
        )
    else:
        said = w.text("caption.repaid_never")
    return Drawing("repayment", figure, w.text("chart.line"), f"{caption} {said}")


def _payback_years(
    axes: Axes, rates: np.ndarray, share: np.ndarray, payback: np.ndarray, w: Words
) -> None:
    """Mark the year of payback at the lowest rate that has one, at the highest, and between."""
    there = np.flatnonzero(np.isfinite(payback))
    if not there.size:
        return
    for place in sorted({there[0], there[len(there) // 2], there[-1]}):
        axes.plot(rates[place], share[place], "o", color=PALETTE[0], clip_on=False, zorder=3)
        axes.annotate(
            w.text("threshold.repaid_year", year=w.number(payback[place], 1)),
            (rates[place], share[place]),
            (-8, 6),
            textcoords="offset points",
            ha="right",
            color=PALETTE[0],
            path_effects=_AROUND,
        )


def _rate_axis(axes: Axes, w: Words, y: Callable[[float], str]) -> None:
    axes.set_xlim(0, 100)
    axes.set_xlabel(w.text("threshold.rate_axis"))
    _percent_axis(axes.xaxis, [0, 25, 50, 75, 100], w)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: y(v)))


def goals_by_rate(found: xr.Dataset, language: str) -> Drawing:
    """Draw what is reached of each goal by rate, over the goal's best, with a dot at the best rate.

    Parameters
    ----------
    found : Dataset
        From `kredslob.cycle.goals.goals`.
    language : str
        "da" or "en".
    """
    w = words(language)
    part = 100 * found["part of best"].dropna("goal", how="all")
    best = found["best rate"].sel(goal=part["goal"])
    with styled():
        figure = new_figure(6)
        axes = figure.subplots()
        ends = []
        for number, goal in enumerate(part["goal"].values):
            line = part.sel(goal=goal)
            colour, style = PALETTE[number % len(PALETTE)], LINES[number % len(LINES)]
            axes.plot(100 * part[RATE], line, color=colour, linestyle=style)
            axes.plot(100 * best.sel(goal=goal), 100, "o", color=colour, clip_on=False, zorder=3)
            label = wrapped(w.text(f"other.{goal}"), 24)
            ends.append((float(line[-1]), label, colour))
        axes.set_ylim(float(part.values.min(initial=0.0)), 104)
        end_labels(axes, 100, ends)
        _rate_axis(axes, w, w.number)
        axes.set_ylabel(w.text("threshold.goals_y"))
        axes.set_title(w.text("threshold.goals"))
        footnote(figure, w.text("source"))
    said = [
        f"{w.text(f'other.{goal}')} {w.percent(float(best.sel(goal=goal)))}"
        for goal in part["goal"].values
    ]
    caption = w.text("caption.goals", best=", ".join(said) or w.text("none"))
    return Drawing("goals", figure, w.text("chart.line"), caption)


def uncertainty(found: xr.Dataset, language: str) -> Drawing:
    """Draw which rate would be needed, draw by draw, and the parameters that it hinges on.

    Parameters
    ----------
    found : Dataset
        From `kredslob.studies.critical_rate.critical_rate_uncertainty`.
    language : str
        "da" or "en".
    """
    w = words(language)
    needed = np.sort(found["needed rate"].values)
    count = len(needed)
    enough = float(found["probability that some rate is enough"])
    with styled():
        figure = new_figure(6.4)
        left, right = figure.subplots(1, 2)
        _needed(left, needed, 1 - enough, w)
        _hinges(right, found["rank correlation"][:_HINGES], w)
        title_over_all(figure, w.text("threshold.uncertainty", draws=w.number(count)))
        footnote(figure, w.text("source"))
    middle = float(np.quantile(needed, 0.5, method="inverted_cdf"))
    known = np.isfinite(middle)
    strongest = found["rank correlation"][:3]
    named = [w.parameter(str(p)) for p in strongest["parameter"].values[strongest.values != 0]]
    caption = w.text(
        "caption.uncertainty" if known else "caption.uncertainty_inf",
        count=w.number(round(enough * count)),
        draws=w.number(count),
        needed=w.percent(middle) if known else "",
        hinges="; ".join(named) or w.text("none"),
    )
    return Drawing("uncertainty", figure, w.text("chart.line"), caption)


def _needed(axes: Axes, needed: np.ndarray, short: float, w: Words) -> None:
    known = needed[np.isfinite(needed)]
    percent = 100 * np.arange(1, len(known) + 1) / len(needed)
    low = min(0.25, max(0.05, 0.9 * float(known.min(initial=1.0))))  # no zero on this axis
    high = max(4.0, 1.1 * float(np.quantile(known, 0.99) if known.size else 1.0))
    axes.set_xscale("log")
    axes.axvspan(100, 100 * high, color="#f2f2f2", zorder=0)
    axes.axvline(100, color=PALETTE[1], linewidth=1.6, linestyle=LINES[1])
    axes.step(100 * np.maximum(known, low), percent, where="post", color=PALETTE[0])
    axes.set_xlim(100 * low, 100 * high)
    axes.set_ylim(0, 104)
    above = short > 0.5  # the curve goes through the other corner
    axes.annotate(
        w.text("threshold.needed_not", share=w.percent(short, 1)),
        (100, 100 if above else 3),
        (6, 0),
        textcoords="offset points",
        va="top" if above else "bottom",
        color=PALETTE[1],
        weight="bold",
        path_effects=_AROUND,
    )
    axes.xaxis.set_minor_locator(NullLocator())
    ticks = _TICKS if high < 100 * low else _TICKS[::2]  # room for the letters
    _percent_axis(axes.xaxis, [t for t in ticks if low <= t / 100 <= high], w)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: w.number(v)))
    axes.set_xlabel(w.text("threshold.needed_x"))
    axes.set_ylabel(w.text("threshold.needed_y"))
    axes.set_title(w.text("threshold.needed_title"), size=13, color=GREY)


def _hinges(axes: Axes, correlation: xr.DataArray, w: Words) -> None:
    correlation = correlation[correlation.values != 0]
    places = np.arange(correlation.size)[::-1]
    values = correlation.values
    colours = [PALETTE[0] if v > 0 else PALETTE[1] for v in values]
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.barh(places, values, 0.6, color=colours)
    names = [wrapped(w.parameter(str(p)), 34) for p in correlation["parameter"].values]
    axes.set_yticks(places, names)
    axes.tick_params(axis="y", labelcolor=INK, labelsize=10.5)
    axes.axvline(0, color=GREY, linewidth=1)
    reach = 1.1 * float(np.abs(values).max(initial=0.4))
    axes.set_xlim(-reach if (values < 0).any() else 0, reach)
    axes.xaxis.set_major_locator(MultipleLocator(0.2))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: w.number(v, 1)))
    axes.set_xlabel(w.text("threshold.hinges_x"))
    axes.set_title(w.text("threshold.hinges_title"), size=13, color=GREY)
