"""Figures of a policy under uncertainty: fans over time, chances of payback, and what is at risk.

Median and bands are of the draws at each year by itself: no single draw need follow a band's edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter

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
)
from kredslob.show.language import Words, words

_BANDS = (  # share of the draws, edges, and colours of the band and of its letters
    (0.9, "q0.05", "q0.95", ("#cfe3f1", "#5b8fb3")),
    (0.5, "q0.25", "q0.75", ("#8fbfe0", "#2f7fb5")),
)
_MIDDLE = PALETTE[0]
_SMALLEST = 1e-6  # of the largest amount: what a logarithmic axis shows of an empty fund
_LEAST_SHOWN = 0.01  # probability at the top of an axis where there is next to none
_KRONE = 1.0  # amounts below it are rounding


def fans(found: xr.Dataset, language: str) -> Drawing:
    """Draw the fund's cash and the citizens helped over time: median, and 50 % and 90 % bands.

    Parameters
    ----------
    found : Dataset
        From `kredslob.studies.uncertainty.uncertainty`; its lowest and highest rates are drawn.
    language : str
        "da" or "en".
    """
    w = words(language)
    found = found.sortby(RATE)
    ends = found.isel({RATE: sorted({0, found.sizes[RATE] - 1})})
    rates = [float(rate) for rate in ends[RATE]]
    cash, helped = _as_drawn(ends["total cash over time"]), ends["citizens helped over time"]
    with styled():
        figure = new_figure(8.2, foot=0.035)
        panels = figure.subplots(2, len(rates), sharex=True, sharey="row", squeeze=False)
        dress(panels[1, 0], w, w.text("uncertainty.fan_helped"), w.text("year"))
        panels[1, 0].set_ylim(0, 1.05 * float(helped.max()) or 1.0)
        _logarithmic(panels[0, 0], cash, w)
        for column, rate in enumerate(rates):
            last = column == len(rates) - 1
            _fan(panels[0, column], cash.sel({RATE: rate}), w, labels=last)
            _fan(panels[1, column], helped.sel({RATE: rate}), w, labels=last)
            panels[0, column].set_title(
                w.text("rate", rate=w.percent(rate)), size=13, color=GREY, pad=10
            )
            panels[1, column].set_xlabel(w.text("year"))
        panels[0, 0].set_ylabel(w.text("uncertainty.fan_cash"))
        draws = w.number(found.sizes["draw"])
        title_over_all(figure, w.text("uncertainty.fan", draws=draws))
        notes = (w.text("uncertainty.fan_note"), w.text("prices"), w.text("source"))
        footnote(figure, " ".join(notes))
    return Drawing("fans", figure, w.text("chart.fan"), _fan_caption(ends.isel({RATE: -1}), w))


def _as_drawn(cash: xr.DataArray) -> xr.DataArray:
    """Powers of ten: labels at the ends of lines are placed on an axis with equal steps."""
    smallest = max(_KRONE, _SMALLEST * float(cash.max()))
    return xr.apply_ufunc(np.log10, cash.clip(min=smallest))


def _logarithmic(axes: Axes, powers: xr.DataArray, w: Words) -> None:
    low, high = float(powers.min()), max(1.0, float(powers.max()))
    axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    axes.yaxis.set_major_locator(FixedLocator(list(range(int(np.ceil(low)), int(high) + 1))))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda power, _: w.money(10**power, 0)))


def _fan(axes: Axes, paths: xr.DataArray, w: Words, *, labels: bool) -> None:
    times = paths["time"].values
    middle = paths.sel(statistic="q0.5").values
    ends = [(float(middle[-1]), w.text("uncertainty.middle"), _MIDDLE)]
    for share, low, high, (band, letters) in _BANDS:
        lower, upper = (paths.sel(statistic=edge).values for edge in (low, high))
        axes.fill_between(times, lower, upper, color=band, linewidth=0)
        ends.append((float(upper[-1]), w.percent(share), letters))
    axes.plot(times, middle, color=_MIDDLE)
    axes.set_xlim(times[0], times[-1])
    if labels:
        end_labels(axes, float(times[-1]), [ends[0], *reversed(ends[1:])])


def _fan_caption(one: xr.Dataset, w: Words) -> str:
    cash, helped = (
        one[f"{name} over time"].isel(time=-1).sel(statistic=["q0.5", "q0.05", "q0.95"]).values
        for name in ("total cash", "citizens helped")
    )
    return w.text(
        "caption.fan",
        years=w.number(float(one["time"][-1])),
        rate=w.percent(float(one[RATE])),
        cash=w.money(cash[0]),
        cash_low=w.money(cash[1]),
        cash_high=w.money(cash[2]),
        helped=w.number(helped[0]),
        helped_low=w.number(helped[1]),
        helped_high=w.number(helped[2]),
    )


def payback_chances(found: xr.Dataset, language: str) -> Drawing:
    """Draw the probability that the fund has its capital back, year by year, at each rate.

    Parameters
    ----------
    found : Dataset
        From `kredslob.studies.uncertainty.uncertainty`.
    language : str
        "da" or "en".
    """
    w = words(language)
    chances = found["probability of payback"].sortby(RATE)
    top = max(_LEAST_SHOWN, float(chances.max()))
    with styled():
        figure = new_figure(5)
        axes = figure.subplots()
        ends = []
        for number, line in enumerate(chances):
            colour, style = PALETTE[number % len(PALETTE)], LINES[number % len(LINES)]
            axes.step(
                line["year"], line, where="post", color=colour, linestyle=style, clip_on=False
            )
            label = w.text("rate", rate=w.percent(float(line[RATE])))
            ends.append((float(line[-1]), label, colour))
        axes.set_ylim(0, min(1.0, 1.12 * top))
        dress(axes, w, w.text("uncertainty.payback_y"), w.text("year"))
        digits = 0 if top > 0.04 else 1
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: w.percent(share, digits)))
        end_labels(axes, float(chances["year"][-1]), ends)
        axes.set_title(w.text("uncertainty.payback_title"))
        footnote(figure, w.text("source"))
    shares = [
        w.text(
            "caption.at_rate",
            value=w.percent(float(line[-1]), 1),
            rate=w.percent(float(line[RATE])),
        )
        for line in chances
    ]
    years = w.number(float(chances["year"][-1]))
    caption = w.text("caption.payback", years=years, shares=", ".join(shares))
    return Drawing("payback", figure, w.text("chart.line"), caption)


def at_risk(found: xr.Dataset, language: str) -> Drawing:
    """Draw the net present value of each party: middle draw, 90 % of the draws, and the worst 5 %.

    Parameters
    ----------
    found : Dataset
        From `kredslob.studies.uncertainty.uncertainty`.
    language : str
        "da" or "en".
    """
    w = words(language)
    found = found.sortby(RATE)
    parties, rates = parties_at_risk(found), [float(rate) for rate in found[RATE]]
    with styled():
        figure = new_figure(1.6 + len(parties) * (0.35 + 0.38 * len(rates)), foot=0.06)
        axes = figure.subplots()
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.axvline(0, color=GREY, linewidth=1)
        rows = np.arange(len(parties))[::-1]
        for row, party in zip(rows, parties, strict=True):
            for number, rate in enumerate(rates):
                height = row + 0.7 * (0.5 - (number + 0.5) / len(rates))
                one = found.sel({RATE: rate})
                _interval(axes, height, one, party, PALETTE[number % len(PALETTE)], w)
        axes.set_yticks(rows, [w.text(f"party.{party}") for party in parties])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_ylim(-0.6, len(parties) - 0.4)
        axes.margins(x=0.16)  # room for the letters beside the lines
        low, high = axes.get_xlim()
        digits = 0 if high - low > 4 else 1 if high - low > 0.4 else 2
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: w.number(x, digits)))
        axes.set_xlabel(w.text("uncertainty.risk_x"))
        title_over_all(figure, w.text("uncertainty.risk", draws=w.number(found.sizes["draw"])))
        footnote(figure, f"{w.text('uncertainty.risk_note')} {w.text('source')}")
    highest = found["value at risk"].isel({RATE: -1})
    values = [
        f"{w.text(f'party.{party}')} {w.money(float(highest.sel(party=party)))}"
        for party in parties
    ]
    caption = w.text("caption.risk", rate=w.percent(rates[-1]), values=", ".join(values))
    return Drawing("risk", figure, w.text("chart.interval"), caption)


def parties_at_risk(found: xr.Dataset) -> list[str]:
    """Parties with something at stake in some draw; all of them if none has."""
    names = [str(party) for party in found["party"].values]
    touched = [
        party
        for party in names
        if float(abs(found[f"net present value of {party}"]).max()) >= _KRONE
    ]
    return touched or names


def _interval(
    axes: Axes, height: float, one: xr.Dataset, party: str, colour: str, w: Words
) -> None:
    spread = one[f"net present value of {party} quantile"].sel(statistic=["q0.05", "q0.5", "q0.95"])
    low, middle, high = spread.values / 1e6
    shortfall = float(one["expected shortfall"].sel(party=party)) / 1e6
    axes.plot([low, high], [height, height], color=colour, linewidth=3, solid_capstyle="butt")
    axes.plot(middle, height, "o", markersize=9, color=colour)
    axes.plot(shortfall, height, "o", markersize=7, markerfacecolor="white", markeredgecolor=colour)
    beside: dict[str, Any] = {"textcoords": "offset points", "color": colour, "va": "center"}
    beside |= {"size": 11, "path_effects": [withStroke(linewidth=3, foreground="white")]}
    axes.annotate(
        w.number(low, 1),
        (min(low, shortfall), height),
        (-9, 0),
        ha="right",
        weight="bold",
        **beside,
    )
    axes.annotate(w.percent(float(one[RATE])), (high, height), (7, 0), ha="left", **beside)
