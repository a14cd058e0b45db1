"""Figures of what outcomes hinge on, and of the boxes of inputs in which something happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FuncFormatter, MaxNLocator

from kredslob.errors import ParameterError
from kredslob.show.figures import (
    GREY,
    INK,
    LINES,
    PALE,
    PALETTE,
    Drawing,
    footnote,
    new_figure,
    styled,
    title_over_all,
    wrapped,
)
from kredslob.show.language import Words, words
from kredslob.studies.sensitivity import DUMMY, STRENGTH, of_outcome, strength

_SHOWN = 12  # inputs
_UPRIGHT = 9  # columns that leave room for names side by side
_BLUES = LinearSegmentedColormap.from_list("blues", ["#ffffff", "#9ecae1", PALETTE[0]])
_SCALES = {"mu star": "scaled", "total": "of_variance", "median": "of_distance", "swing": "scaled"}


def tornado(found: xr.Dataset, outcome: str, language: str) -> Drawing:
    """Draw the inputs that one outcome hinges on, the strongest at the top.

    Parameters
    ----------
    found : Dataset
        From `one_at_a_time`, `morris`, `sobol` or `pawn` of `kredslob.studies.sensitivity`, not
        over time.
    outcome : str
        Which outcome.
    language : str
        "da" or "en".

    Raises
    ------
    ParameterError
        The outcome is not among those found, or they are over time.
    """
    w = words(language)
    index = _over(of_outcome(found, outcome), "factor")
    one = found.sel(outcome=outcome, factor=_strongest(index))
    scale, unit = _scale(str(one["unit"].values), w)
    name = STRENGTH[found.attrs["method"]]
    notes = []
    with styled():
        figure = new_figure(2.3 + 0.42 * one.sizes["factor"])
        axes = figure.subplots()
        _rows(axes, one, w)
        if name == "swing":
            _swings(axes, one, scale, w)
        else:
            percent = 100 if name == "total" else scale if name == "mu star" else 1
            _bars(axes, one, name, percent, w)
            if f"{name} interval" in one:
                notes.append(w.text("sensitivity.interval"))
            if name == "median":
                _noise_line(axes, float(index.sel(factor=DUMMY)))
                notes.append(w.text("sensitivity.dummy_line"))
        said = w.text(f"sensitivity.{name}")
        axes.set_xlabel(f"{said} ({unit})" if name in ("swing", "mu star") and unit else said)
        _number_axis(axes, w)
        title_over_all(figure, w.text("sensitivity.tornado", outcome=w.outcome(outcome)))
        footnote(figure, " ".join([*notes, _source(found, w)]))
    inputs = "; ".join(_names(one, w)[:3])
    said = w.outcome(outcome)
    caption = w.text("caption.tornado", outcome=said[0].upper() + said[1:], inputs=inputs)
    return Drawing("tornado", figure, w.text("chart.bar"), caption)


def indices_by_outcome(found: xr.Dataset, language: str) -> Drawing:
    """Draw the indices of the strongest inputs over all outcomes that have any.

    Parameters
    ----------
    found : Dataset
        As for `tornado`.
    language : str
        "da" or "en".

    Raises
    ------
    ParameterError
        The indices are over time.
    """
    w = words(language)
    index = _over(strength(found), "factor", "outcome")
    index = index.isel(outcome=_moved(index))
    width = 11 if index.sizes["outcome"] <= _UPRIGHT else 26
    labels = [wrapped(w.outcome(str(name)), width) for name in index["outcome"].values]
    return _heat("indices", found, index, labels, w.text("sensitivity.by_outcome"), w)


def indices_over_time(found: xr.Dataset, outcome: str, language: str) -> Drawing:
    """Draw the indices of the strongest inputs of one outcome over time.

    Parameters
    ----------
    found : Dataset
        As for `tornado`, but over time.
    outcome : str
        Which outcome.
    language : str
        "da" or "en".

    Raises
    ------
    ParameterError
        The outcome is not among those found, or they are not over time.
    """
    w = words(language)
    index = _over(of_outcome(found, outcome), "factor", "time")
    index = index.isel(time=_moved(index))
    labels = [f"{w.text('year')} {w.number(float(time))}" for time in index["time"].values]
    title = w.text("sensitivity.over_time", outcome=w.outcome(outcome))
    return _heat("indices over time", found, index, labels, title, w)


def peeling(trajectory: xr.Dataset, language: str, chosen: int | None = None) -> Drawing:
    """Draw coverage against density along a peeling, coloured by how many inputs are restricted.

    Parameters
    ----------
    trajectory : Dataset
        Of `kredslob.studies.discovery.Peeling`.
    language : str
        "da" or "en".
    chosen : int, optional
        A step to mark.
    """
    w = words(language)
    coverage, density = 100 * trajectory["coverage"], 100 * trajectory["density"]
    with styled():
        figure = new_figure(5.6)
        axes = figure.subplots()
        axes.grid(visible=True, axis="both")
        axes.plot(coverage, density, color=PALE, linewidth=1.5, zorder=1)
        dots = axes.scatter(
            coverage, density, c=trajectory["restrictions"], cmap="viridis_r", s=60, zorder=2
        )
        bar = figure.colorbar(dots, ax=axes, pad=0.02, label=w.text("sensitivity.restrictions"))
        bar.outline.set_visible(False)
        bar.ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        for step in range(0, trajectory.sizes["step"], 10):
            _step(axes, trajectory, step, str(step), GREY)
        if chosen is not None:
            _step(axes, trajectory, chosen, f"{w.text('sensitivity.chosen')}: {chosen}", PALETTE[1])
        axes.set_xlim(0, 104)
        axes.set_ylim(0, 1.12 * float(density.max()))
        axes.set_xlabel(w.text("sensitivity.coverage_x"))
        axes.set_ylabel(w.text("sensitivity.density_y"))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda v, _: w.number(v)))
        axes.set_title(w.text("sensitivity.peeling"))
        footnote(figure, _source(trajectory, w))
    last = trajectory.isel(step=-1)
    caption = w.text(
        "caption.peeling",
        first=w.percent(float(trajectory["density"][0])),
        last=w.percent(float(last["density"])),
        coverage=w.percent(float(last["coverage"])),
        steps=w.number(trajectory.sizes["step"] - 1),
    )
    return Drawing("peeling", figure, w.text("chart.scatter"), caption)


def box_ranges(box: xr.Dataset, language: str) -> Drawing:
    """Draw the ranges of a box within the full ranges of the inputs.

    Parameters
    ----------
    box : Dataset
        From `kredslob.studies.discovery.Peeling.inspect`, or one box of `cart`. Inputs that it does
        not restrict are left out.
    language : str
        "da" or "en".
    """
    w = words(language)
    box = box.isel(factor=np.flatnonzero(box["restricted"].values))
    rows = np.arange(box.sizes["factor"])[::-1]
    full = box["highest"].values - box["lowest"].values
    low = (box["low"].values - box["lowest"].values) / full
    high = (box["high"].values - box["lowest"].values) / full
    limits = [_limits(box.isel(factor=k), w) for k in range(box.sizes["factor"])]
    density, coverage = (w.percent(float(box[name])) for name in ("density", "coverage"))
    with styled():
        figure = new_figure(1.6 + 0.62 * max(1, len(rows)))
        axes = figure.subplots()
        axes.grid(visible=False)
        axes.hlines(rows, 0, 1, color=PALE, linewidth=9)
        axes.hlines(rows, low, high, color=PALETTE[0], linewidth=9)
        for row, begin, end, (first, last) in zip(rows, low, high, limits, strict=True):
            _ends(axes, row, (begin, end), (first, last))
        _full_ends(axes, box, rows, w)
        axes.set_yticks(rows, [wrapped(name, 38) for name in _names_with_chance(box, w)])
        axes.tick_params(axis="y", labelcolor=INK, labelsize=10.5)
        axes.set_xticks([])
        axes.set_xlim(-0.16, 1.16)
        axes.set_ylim(-0.6, len(rows) - 0.25)
        axes.spines["bottom"].set_visible(False)
        title_over_all(figure, w.text("sensitivity.box", density=density))
        notes = [w.text("sensitivity.box_note", coverage=coverage)]
        if "quasi p" in box:
            notes.append(w.text("sensitivity.box_chance"))
        footnote(figure, " ".join([*notes, _source(box, w)]))
    said = [
        w.text("caption.box_limit", input=name, low=first, high=last)
        if first != last
        else w.text("caption.box_switch", input=name, state=first)
        for name, (first, last) in zip(_names(box, w), limits, strict=True)
    ]
    caption = w.text("caption.box", density=density, coverage=coverage, limits="; ".join(said))
    return Drawing("box", figure, w.text("chart.ranges"), caption)


def _over(index: xr.DataArray, *dims: str) -> xr.DataArray:
    """Indices over these dimensions, in this order."""
    if set(index.dims) != set(dims):
        found = ", ".join(map(str, index.dims))
        raise ParameterError(f"indices: found them over {found}, expected {', '.join(dims)}")
    return index.transpose(*dims)


# --- rows of inputs ---


def _strongest(index: xr.DataArray) -> list[str]:
    """Names of the inputs to show, the strongest first, and none that does nothing."""
    names = index["factor"].values
    order = np.argsort(-index.fillna(-np.inf).values, kind="stable")
    shown = [str(names[k]) for k in order if index.values[k] > 0 and names[k] != DUMMY]
    return shown[:_SHOWN]


def _names(cells: xr.Dataset | xr.DataArray, w: Words) -> list[str]:
    """What people call the inputs: the label of each, or its name in the language."""
    labels = cells["label"].values
    return [
        str(label) or (w.text("sensitivity.dummy") if name == DUMMY else w.parameter(str(name)))
        for name, label in zip(cells["factor"].values, labels, strict=True)
    ]


def _rows(axes: Axes, one: xr.Dataset, w: Words) -> None:
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    rows = np.arange(one.sizes["factor"])[::-1]
    axes.set_yticks(rows, [wrapped(name, 46) for name in _names(one, w)])
    axes.tick_params(axis="y", labelcolor=INK, labelsize=10.5)
    axes.set_ylim(-0.6, len(rows) - 0.4)


def _bars(axes: Axes, one: xr.Dataset, name: str, scale: float, w: Words) -> None:
    rows = np.arange(one.sizes["factor"])[::-1]
    values = scale * one[name].values
    axes.barh(rows, values, 0.62, color=PALETTE[4] if "first" in one else PALETTE[0])
    if "first" in one:
        alone = np.maximum(scale * one["first"].values, 0)
        axes.barh(rows, alone, 0.62, color=PALETTE[0], label=w.text("sensitivity.first"))
        _key_above(axes)
    if f"{name} interval" in one:
        ends = scale * one[f"{name} interval"].transpose("bound", "factor").values
        axes.hlines(rows, np.maximum(ends[0], 0), ends[1], color=INK, linewidth=1.3)
    axes.set_xlim(left=0)


def _swings(axes: Axes, one: xr.Dataset, scale: float, w: Words) -> None:
    rows = np.arange(one.sizes["factor"])[::-1]
    base = scale * float(one["base"])
    for name, colour in (("at low", PALETTE[5]), ("at high", PALETTE[0])):
        ends = scale * one[name].values
        label = w.text(f"sensitivity.{name.replace(' ', '_')}")
        axes.barh(rows, ends - base, 0.62, base, color=colour, label=label)
    axes.axvline(base, color=INK, linewidth=1.3, label=w.text("sensitivity.base"))
    _key_above(axes)
    axes.margins(x=0.08)


def _key_above(axes: Axes) -> None:
    """Explain colours over the bars, where none of them can lie."""
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0.2)


def _noise_line(axes: Axes, noise: float) -> None:
    axes.axvline(noise, color=PALETTE[1], linewidth=1.6, linestyle=LINES[1])


def _scale(unit: str, w: Words) -> tuple[float, str]:
    """Factor and label of an axis in this unit; kroner go in millions."""
    if unit == "DKK":
        return 1e-6, w.text("figure.fund_y")
    return 1.0, "" if unit in ("", "Dmnl") else w.unit(unit)


def _number_axis(axes: Axes, w: Words) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ticks = axes.get_xticks()
    form = _form(5 * float(ticks[1] - ticks[0]), w)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: form(v)))


def _form(width: float, w: Words) -> Callable[[float], str]:
    """How to write numbers of a range: with as many decimals as tell its tenths apart."""
    digits = max(0, 1 - int(np.floor(np.log10(width)))) if width > 0 else 0
    return lambda value: w.number(value, digits)


def _source(found: xr.Dataset, w: Words) -> str:
    return w.text("sensitivity.source", model=found.attrs["model"])


# --- heat maps ---


def _heat(
    name: str, found: xr.Dataset, index: xr.DataArray, labels: Sequence[str], title: str, w: Words
) -> Drawing:
    """Draw indices, shape (inputs, columns), with a number in each cell."""
    scale = _SCALES[str(index.name)]
    top = index.max("factor")
    shares = 100 * (index / top.where(top > 0) if scale == "scaled" else index)
    across = str(shares.dims[1])
    shares = shares.sel(factor=_strongest((shares / shares.max("factor")).max(across)))
    cells = shares.values
    with styled():
        figure = new_figure(2.4 + 0.42 * len(cells))
        axes = figure.subplots()
        axes.grid(visible=False)
        axes.pcolormesh(cells[::-1], cmap=_BLUES, vmin=0, edgecolor="white", linewidth=2)
        strong = 0.6 * float(np.nanmax(cells))
        for (row, column), value in np.ndenumerate(cells):
            axes.text(
                column + 0.5,
                len(cells) - row - 0.5,
                w.number(float(value)) if np.isfinite(value) else w.text("none"),
                ha="center",
                va="center",
                size=10,
                color="white" if value > strong else INK,
            )
        axes.set_xticks(np.arange(len(labels)) + 0.5, labels, size=10)
        axes.set_yticks(np.arange(len(cells))[::-1] + 0.5, _wrapped_names(shares, w))
        axes.tick_params(length=0, labelcolor=INK)
        axes.tick_params(axis="y", labelsize=10)
        axes.xaxis.tick_top()
        axes.tick_params(axis="x", rotation=90 if len(labels) > _UPRIGHT else 0)
        axes.spines["bottom"].set_visible(False)
        title_over_all(figure, title)
        footnote(figure, f"{w.text(f'sensitivity.{scale}')} {_source(found, w)}")
    first = np.nan_to_num(cells).argmax(axis=0)
    names = _names(shares, w)
    said = [
        w.text("caption.heat_cell", column=label.replace("\n", " "), input=names[k])
        for label, k in zip(labels, first, strict=True)
    ]
    caption = w.text("caption.heat", cells="; ".join(said))
    return Drawing(name, figure, w.text("chart.heat"), caption)


def _moved(index: xr.DataArray) -> np.ndarray:
    """Which columns have indices, and one above zero."""
    return np.isfinite(index.values).all(axis=0) & (index.values > 0).any(axis=0)


def _wrapped_names(cells: xr.DataArray, w: Words) -> list[str]:
    return [wrapped(name, 48) for name in _names(cells, w)]


# --- boxes ---


def _step(axes: Axes, trajectory: xr.Dataset, step: int, text: str, colour: str) -> None:
    one = trajectory.isel(step=step)
    marked = colour != GREY
    place = (100 * float(one["coverage"]), 100 * float(one["density"]))
    if marked:
        axes.scatter(*place, s=150, facecolor="none", edgecolor=colour, linewidth=2.4, zorder=3)
    axes.annotate(
        text,
        place,
        (-9, -9) if not marked else (10, 8),
        textcoords="offset points",
        ha="right" if not marked else "left",
        va="top" if not marked else "bottom",
        color=colour,
        size=12 if marked else 10,
        weight="bold" if marked else "normal",
    )


def _limits(cell: xr.Dataset, w: Words) -> tuple[str, str]:
    """Both ends of a box along one input, in words."""
    low, high = float(cell["lowest"]), float(cell["highest"])
    if str(cell["distribution"].values) == "switch":
        on = w.text("sensitivity.on" if float(cell["low"]) > low else "sensitivity.off")
        return on, on
    form = _form((high - low) / 2, w)
    return form(float(cell["low"])), form(float(cell["high"]))


def _ends(axes: Axes, row: float, ends: tuple[float, float], texts: tuple[str, str]) -> None:
    """Write the limits that lie within the range over the bar."""
    for place, text, within, side in (
        (ends[0], texts[0], ends[0] > 0, "left"),
        (ends[1], texts[1], ends[1] < 1, "right"),
    ):
        if within:
            axes.annotate(
                text,
                (place, row),
                (0, 7),
                textcoords="offset points",
                ha=side,
                color=PALETTE[0],
                weight="bold",
                size=10.5,
            )


def _full_ends(axes: Axes, box: xr.Dataset, rows: np.ndarray, w: Words) -> None:
    """Write the ends of the full range beside the bar."""
    for row, low, high, kind in zip(
        rows, box["lowest"].values, box["highest"].values, box["distribution"].values, strict=True
    ):
        form = _form(float(high - low) / 2, w)
        switch = kind == "switch"
        first = w.text("sensitivity.off") if switch else form(float(low))
        last = w.text("sensitivity.on") if switch else form(float(high))
        axes.text(-0.02, row, first, ha="right", va="center", color=GREY, size=10.5)
        axes.text(1.02, row, last, ha="left", va="center", color=GREY, size=10.5)


def _names_with_chance(box: xr.Dataset, w: Words) -> list[str]:
    names = _names(box, w)
    if "quasi p" not in box:
        return names
    return [
        f"{name} ({_chance(float(p), w)})"
        for name, p in zip(names, box["quasi p"].values, strict=True)
    ]


def _chance(p: float, w: Words) -> str:
    if p < 0.001:
        return w.text("sensitivity.below", value=w.number(0.001, 3))
    return w.number(p, 3)
