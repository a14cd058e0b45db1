"""Figures of a calibration: the fit, what is known of the constants, where the error comes from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from kredslob.show.figures import (
    GREY,
    INK,
    PALETTE,
    Drawing,
    dress,
    footnote,
    new_figure,
    styled,
    title_over_all,
    wrapped,
)
from kredslob.show.language import Words, words

_COLUMNS = 3  # panels side by side
_DOTS = 1500  # draws shown of each pair
_SHARES = {"bias": PALETTE[1], "variation": PALETTE[5], "covariation": PALETTE[0]}


def observed_against_simulated(draws: xr.Dataset, language: str) -> Drawing:
    """Draw each observed series over its posterior predictive band, a panel a series.

    Parameters
    ----------
    draws : Dataset
        From `kredslob.studies.posterior.posterior`.
    language : str
        "da" or "en".
    """
    w = words(language)
    names = list(dict.fromkeys(draws["series"].values.tolist()))
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    with styled():
        figure = new_figure(1.4 + 3.4 * rows, foot=0.16 / (1 + rows))
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, name in zip(panels, names, strict=False):
            _band(axes, draws.isel(value=draws["series"].values == name), name, w)
        for axes in panels[len(names) :]:
            axes.set_axis_off()
        title_over_all(figure, w.text("calibration.fit"))
        footnote(figure, f"{w.text('calibration.fit_key')} {w.text('calibration.source')}")
    low, high = draws["prediction"].values[[0, -1]]
    inside = ((low <= draws["observed"].values) & (draws["observed"].values <= high)).sum()
    caption = w.text(
        "caption.fit", inside=w.number(float(inside)), count=w.number(draws.sizes["value"])
    )
    return Drawing("fit", figure, w.text("chart.line"), caption)


def _band(axes: Axes, part: xr.Dataset, name: str, w: Words) -> None:
    part = part.sortby("time")
    unit = str(part["unit"].values[0])
    many = unit == "DKK" and float(abs(part["observed"]).max()) >= 1e6
    scale, y = (1e6, w.text("calibration.millions")) if many else (1.0, w.unit(unit))
    times, (low, middle, high) = part["time"].values, part["prediction"].values / scale
    axes.fill_between(times, low, high, color=PALETTE[0], alpha=0.18, linewidth=0)
    axes.plot(times, middle, color=PALETTE[0])
    axes.plot(times, part["observed"] / scale, "o", color=INK, markersize=5, clip_on=False)
    axes.set_ylim(min(0.0, 1.05 * float(low.min())), 1.08 * max(0.0, float(high.max())))
    axes.set_title(wrapped(_called(name, w), 24), size=12, color=GREY)
    dress(axes, w, y, w.unit(part["time"].attrs["units"]))


def constants_known(
    draws: xr.Dataset, language: str, truth: Mapping[str, float] | None = None
) -> Drawing:
    """Draw the posterior of each constant, and of each pair of them.

    Parameters
    ----------
    draws : Dataset
        From `kredslob.studies.posterior.posterior`.
    language : str
        "da" or "en".
    truth : mapping of str to float, optional
        Values to mark, where they are known.
    """
    w = words(language)
    names = [str(name) for name in draws["constant"].values]
    values = {name: draws[name].values.ravel() for name in names}
    count = len(names)
    with styled():
        figure = new_figure(max(4.5, 1.2 + 2.4 * count))
        panels = figure.subplots(count, count, squeeze=False, sharex="col")
        for row, below in enumerate(names):
            for column, across in enumerate(names):
                axes = panels[row, column]
                if column > row:
                    axes.set_axis_off()
                    continue
                if column == row:
                    _histogram(axes, values[across])
                else:
                    _pairs(axes, values[across], values[below])
                _mark(axes, truth or {}, across, None if column == row else below)
                _name(axes, draws, (across, below), (row == count - 1, 0 == column < row), w)
        title_over_all(figure, w.text("calibration.constants"))
        notes = [w.text("calibration.constants_key")] if count > 1 else []
        notes += [w.text("calibration.constants_true")] if truth else []
        footnote(figure, " ".join([*notes, w.text("calibration.source")]))
    said = [
        w.text(
            "caption.constant",
            name=_called(name, w),
            mean=_short(float(values[name].mean()), w),
            error=_short(float(values[name].std()), w),
        )
        for name in names
    ]
    caption = w.text("caption.constants", constants="; ".join(said))
    return Drawing("constants", figure, w.text("chart.dot"), caption)


def _histogram(axes: Axes, values: np.ndarray) -> None:
    axes.hist(values, 40, color=PALETTE[0], alpha=0.75)
    axes.grid(visible=False)
    axes.set_yticks([])


def _pairs(axes: Axes, across: np.ndarray, below: np.ndarray) -> None:
    every = max(1, len(across) // _DOTS)
    axes.plot(across[::every], below[::every], ".", color=PALETTE[0], alpha=0.25, markersize=4)
    axes.grid(visible=False)


def _mark(axes: Axes, truth: Mapping[str, float], across: str, below: str | None) -> None:
    if across not in truth:
        return
    if below is None:
        axes.axvline(truth[across], color=PALETTE[1], linestyle="--")
    elif below in truth:
        axes.plot(truth[across], truth[below], "x", color=PALETTE[1], markersize=11, mew=3)


def _name(
    axes: Axes, draws: xr.Dataset, of: tuple[str, str], shown: tuple[bool, bool], w: Words
) -> None:
    for name, axis, is_shown in zip(of, (axes.xaxis, axes.yaxis), shown, strict=True):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        low, high = axis.get_view_interval()
        digits = max(0, -int(np.floor(np.log10(max(high - low, 1e-12) / 4))))
        axis.set_major_formatter(FuncFormatter(lambda v, _, d=digits: w.number(v, d)))
        if is_shown:
            unit = w.unit(draws[name].attrs.get("units", ""))
            axis.set_label_text(f"{wrapped(_called(name, w), 24)}\n{unit}")
    if of[0] == of[1]:
        axes.set_yticks([])


def theil_shares(fit: pd.DataFrame, language: str) -> Drawing:
    """Draw where the mean squared error of each series comes from.

    Parameters
    ----------
    fit : DataFrame
        A row a series with "bias", "variation" and "covariation", such as
        `kredslob.studies.calibration.Calibration.fit`.
    language : str
        "da" or "en".
    """
    w = words(language)
    shares = fit[list(_SHARES)].astype(float)
    rows = np.arange(len(shares))[::-1]
    with styled():
        figure = new_figure(2.2 + 0.55 * len(shares), foot=0.09)
        axes = figure.subplots()
        axes.grid(visible=False, axis="y")
        left = np.zeros(len(shares))
        for name, colour in _SHARES.items():
            width = 100 * shares[name].fillna(0).to_numpy()
            axes.barh(rows, width, 0.6, left, color=colour, label=w.text(f"calibration.{name}"))
            left = left + width
        for row in rows[shares.isna().any(axis=1).to_numpy()]:
            axes.text(1, row, w.text("none"), va="center", color=GREY)
        axes.set_yticks(rows, [wrapped(_called(str(name), w), 30) for name in shares.index])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_xlim(0, 100)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: w.percent(v / 100)))
        axes.set_xlabel(w.text("calibration.theil_x"))
        title_over_all(figure, w.text("calibration.theil"))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
        footnote(figure, w.text("calibration.source"))
    said = [
        w.text("caption.theil_not", name=_called(str(name), w))
        if row.isna().any()
        else w.text(
            "caption.theil_of",
            name=_called(str(name), w),
            **{k: w.percent(row[k]) for k in _SHARES},
        )
        for name, row in shares.iterrows()
    ]
    caption = w.text("caption.theil", series="; ".join(said))
    return Drawing("theil", figure, w.text("chart.bar"), caption)


def _called(label: str, w: Words) -> str:
    """What people call a variable: in their language if it is known, else as the model does."""
    name, _, rest = label.rstrip("]").partition("[")
    known = (w.table.get(f"{kind}.{name}") for kind in ("parameter", "variable"))
    said = next((text for text in known if text), name)
    parts = [part.strip() for part in rest.split(",") if part.strip()]
    elements = ", ".join(w.table.get(f"element.{part}", part) for part in parts)
    return f"{said} ({elements})" if elements else said


def _short(value: float, w: Words) -> str:
    """Three figures that count."""
    digits = 2 - int(np.floor(np.log10(abs(value)))) if value else 0
    return w.number(value, max(0, digits))
