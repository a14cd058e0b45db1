"""Figures of policies: which one holds up, and what must be given up to get more of something."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from kredslob.errors import ParameterError
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
from kredslob.show.language import Words, words
from kredslob.studies.robustness import POLICY
from kredslob.studies.search import names_of

SHOWN = ("90th-percentile regret", "satisficing share", "expected value")
_AROUND = [withStroke(linewidth=3, foreground="white")]
_DIM = "#c9c9c9"
_LATE = 4  # the last quarter of the generations


@dataclass(frozen=True)
class _Scale:
    """How numbers of one unit are written: divided, with digits, and the unit beside them."""

    over: float
    digits: int
    unit: str
    percent: bool = False

    def text(self, value: float, w: Words) -> str:
        """The number as people write it, without its unit unless it is a percentage."""
        if self.percent:
            return w.percent(value, self.digits)
        return w.number(value / self.over, self.digits)


def robust_policies(found: xr.Dataset, language: str, criteria: Sequence[str] = SHOWN) -> Drawing:
    """Draw policies by criteria of robustness, side by side, with the rank of each.

    Parameters
    ----------
    found : Dataset
        From `kredslob.studies.robustness.robustness`.
    language : str
        "da" or "en".
    criteria : sequence of str
        Three names, or so, of criteria: since they disagree, one alone misleads.

    Raises
    ------
    ParameterError
        A criterion is unknown, or less than two are named.
    """
    known = [str(c) for c in found["criterion"].values]
    if len(criteria) < 2 or not set(criteria) <= set(known):
        raise ParameterError(
            f"criteria: found {', '.join(criteria)}, expected two or more of {', '.join(known)}"
        )
    w = words(language)
    mean_rank = found["rank"].sel(criterion=list(criteria)).mean("criterion")
    ordered = found.isel({POLICY: np.argsort(mean_rank.values, kind="stable")})
    titles = [str(t) for t in ordered[f"title_{language}"].values]
    notes = [w.text("policies.rank_note"), wrapped(good_enough(found, w), 125), w.text("source")]
    lines = len("\n".join(notes).split("\n"))
    height = 2 + 0.42 * len(titles) + 0.18 * lines
    with styled():
        figure = new_figure(height, foot=0.2 * lines / height)
        panels = figure.subplots(1, len(criteria), sharey=True)
        for axes, criterion in zip(panels, criteria, strict=True):
            _ranked(axes, ordered, criterion, w)
        panels[0].set_yticks(np.arange(len(titles)), [wrapped(t, 30) for t in titles])
        panels[0].tick_params(axis="y", labelcolor=INK, labelsize=11)
        panels[0].set_ylim(len(titles) - 0.5, -0.5)
        outcome = _capital(_outcome(str(found.attrs["outcome"]), w))
        draws = w.number(found.sizes["run"])
        title_over_all(figure, w.text("policies.robust", outcome=outcome, draws=draws))
        footnote(figure, "\n".join(notes))
    caption = w.text(
        "caption.robust",
        policies=w.number(len(titles)),
        outcome=_outcome(str(found.attrs["outcome"]), w),
        best="; ".join(_best(ordered, c, language) for c in criteria),
    )
    return Drawing("robust-policies", figure, w.text("chart.dot"), caption)


def _ranked(axes: Axes, found: xr.Dataset, criterion: str, w: Words) -> None:
    """One panel: a dot a policy, its rank beside it, the best in blue."""
    scale = _scale(found[criterion], w)
    values = found[criterion].values / scale.over
    ranks = found["rank"].sel(criterion=criterion).values
    rows = np.arange(len(values))
    colours = [PALETTE[0] if rank == 1 else GREY for rank in ranks]
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.scatter(values, rows, s=70, color=colours, zorder=3)
    for value, row, rank, colour in zip(values, rows, ranks, colours, strict=True):
        axes.annotate(
            w.number(int(rank)),
            (value, row),
            (9, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            weight="bold" if rank == 1 else "normal",
            size=10.5,
            path_effects=_AROUND,
        )
    axes.margins(x=0.14)
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))

    def tick(value: float, _: object) -> str:
        step = float(np.diff(axes.get_xticks()[:2])[0])
        digits = max(0, int(np.ceil(-np.log10(step) - 1e-9)))
        return w.percent(value, max(0, digits - 2)) if scale.percent else w.number(value, digits)

    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.set_title(w.text(f"policies.{criterion}"), size=13, color=INK, pad=10)
    unit = w.text("policies.share_unit") if criterion == "satisficing share" else scale.unit
    direction = w.text("policies.less" if _less_is_better(found, criterion) else "policies.more")
    axes.set_xlabel(w.text("policies.criterion", direction=direction, unit=unit))


def _less_is_better(found: xr.Dataset, criterion: str) -> bool:
    if criterion.endswith("regret"):
        return True
    return criterion != "satisficing share" and found.attrs["better"] == "smaller"


def _best(found: xr.Dataset, criterion: str, language: str) -> str:
    """Who is first by a criterion, and with what."""
    w = words(language)
    first = np.flatnonzero(found["rank"].sel(criterion=criterion).values == 1)
    value, unit = float(found[criterion][first[0]]), found[criterion].attrs["units"]
    share = unit == "Dmnl"
    said = _scale(found[criterion], w).text(value, w) if share else _amount(value, unit, w)
    return w.text(
        "caption.robust_criterion",
        criterion=w.text(f"policies.{criterion}").lower(),
        policy=w.text("caption.and").join(
            f"\N{LEFT DOUBLE QUOTATION MARK}{t}\N{RIGHT DOUBLE QUOTATION MARK}"
            for t in found[f"title_{language}"].values[first]
        ),
        value=said,
    )


def good_enough(found: xr.Dataset, w: Words) -> str:
    """The thresholds of `kredslob.studies.robustness.robustness` in words."""
    parts = []
    for name, bound in json.loads(found.attrs["thresholds"]).items():
        low, high = (_amount(bound[end], bound["units"], w) for end in ("low", "high"))
        key = "between" if low and high else ("at_least" if low else "at_most")
        parts.append(w.text(f"policies.{key}", name=_outcome(name, w), low=low, high=high))
    return w.text("policies.good_enough", thresholds="; ".join(parts))


def _amount(value: float | None, unit: str, w: Words) -> str:
    """A number with its unit, for a sentence; empty for none."""
    if value is None:
        return ""
    if unit == "DKK":
        return w.money(value)
    number = w.number(value, 0 if abs(value) >= 10 or value % 1 == 0 else 2)
    label = w.text("policies.persons") if unit == "person" else w.unit(unit)
    return number if unit == "Dmnl" else f"{number} {label}"


def parallel_coordinates(
    found: xr.Dataset, language: str, chosen: Mapping[str, int] | None = None
) -> Drawing:
    """Draw the policies of a search: a line a policy across an axis a lever and a goal.

    Parameters
    ----------
    found : Dataset
        From `kredslob.studies.search.search` or `kredslob.studies.search.within`. On the axes of
        goals up is better: those of which less is better are turned over.
    language : str
        "da" or "en".
    chosen : mapping of str to int, optional
        Label of each policy to highlight, and its number in ``policy``.

    Raises
    ------
    ParameterError
        There is no policy, or a number is not among them.
    """
    chosen = chosen or {}
    numbers = [int(n) for n in found[POLICY].values]
    if not numbers or not set(chosen.values()) <= set(numbers):
        raise ParameterError(f"policies: found {list(chosen.values())}, expected some of {numbers}")
    w = words(language)
    levers, goals = names_of(found, "lever"), names_of(found, "objective")
    names = [*levers, *goals]
    with styled():
        figure = new_figure(6.2, foot=0.05)
        axes = figure.subplots()
        heights = np.column_stack([_heights(found[name]) for name in names])
        _draw_lines(axes, heights, numbers, chosen)
        _draw_scales(axes, found, names, len(levers), w)
        title_over_all(figure, w.text("policies.front", count=w.number(len(numbers))))
        _note_of_turned(figure, found, goals, w)
    said = [
        w.text("caption.front_chosen", name=label, levers=_said(found, number, levers, w))
        for label, number in chosen.items()
    ]
    caption = w.text(
        "caption.front",
        count=w.number(len(numbers)),
        objectives=w.number(len(goals)),
        chosen=" ".join(said),
    )
    return Drawing("parallel-policies", figure, w.text("chart.parallel"), caption.strip())


def convergence(found: xr.Dataset, language: str) -> Drawing:
    """Draw how far the front of each generation of a search reaches: a line a seed.

    Parameters
    ----------
    found : Dataset
        From `kredslob.studies.search.search`, with "hypervolume" over seed_run and generation.
    language : str
        "da" or "en".
    """
    w = words(language)
    shares = found["hypervolume"].transpose("seed_run", "generation")
    generations = shares["generation"].values
    with styled():
        figure = new_figure(4.2)
        axes = figure.subplots()
        for number, line in enumerate(shares):
            style = LINES[number % len(LINES)]
            axes.plot(generations, line, color=PALETTE[number % len(PALETTE)], linestyle=style)
        axes.set_ylim(0, 1.08 * float(shares.max()))
        dress(axes, w, w.text("policies.hypervolume"), w.text("policies.generation"))
        axes.set_xlim(min(1, generations[-1] - 1), generations[-1])
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: w.percent(value)))
        reached = [line.dropna("generation")[-1] for line in shares]
        seeds = [w.text("policies.seed", seed=str(int(line["seed_run"]))) for line in shares]
        colours = [PALETTE[k % len(PALETTE)] for k in range(len(seeds))]
        ends = [(float(r), s, c) for r, s, c in zip(reached, seeds, colours, strict=True)]
        end_labels(axes, float(generations[-1]), ends)
        axes.set_title(w.text("policies.convergence"))
        footnote(figure, f"{w.text('policies.hypervolume_note')} {w.text('source')}")
    share = w.percent(float(np.mean(reached)), 1)
    count = len(generations)
    caption = [w.text("caption.convergence", generations=w.number(count), share=share)]
    if late := count // _LATE:
        gained = 100 * float((shares[:, -1] - shares[:, -1 - late]).mean())
        if np.isfinite(gained):  # unless no seed was searched to the end
            said = {"late": w.number(late), "gained": w.number(gained, 1)}
            caption.append(w.text("caption.convergence_late", **said))
    return Drawing("convergence", figure, w.text("chart.line"), " ".join(caption))


def _heights(values: xr.DataArray) -> np.ndarray:
    """Where each policy meets an axis: 0 at the foot, 1 at the top."""
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.full(values.size, 0.5)
    share = (values.values - low) / (high - low)
    return 1 - share if values.attrs.get("better") == "smaller" else share


def _draw_lines(
    axes: Axes, heights: np.ndarray, numbers: Sequence[int], chosen: Mapping[str, int]
) -> None:
    places = np.arange(heights.shape[1])
    axes.plot(places, heights.T, color=_DIM, linewidth=1, zorder=1)
    ends = []
    axes.set_ylim(-0.03, 1.03)
    for k, (label, number) in enumerate(chosen.items()):
        line = heights[numbers.index(number)]
        colour = PALETTE[k % len(PALETTE)]
        axes.plot(places, line, color=colour, linestyle=LINES[k % len(LINES)], zorder=3)
        ends.append((float(line[-1]), wrapped(label, 14), colour))
    axes.set_xlim(-0.35, places[-1] + 0.35)
    end_labels(axes, float(places[-1]), ends)


def _draw_scales(
    axes: Axes, found: xr.Dataset, names: Sequence[str], levers: int, w: Words
) -> None:
    """The axes with their names above and their ends, levers on a ground of their own."""
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_yticks([])
    axes.set_xticks(range(len(names)), [wrapped(_name(found[n], w), 12) for n in names])
    axes.tick_params(axis="x", labelcolor=INK, labelsize=9, length=0, pad=18)
    axes.axvspan(-0.35, levers - 0.5, color="#f4f4f4", zorder=0)
    for key, place in (("policies.levers", -0.3), ("policies.objectives", levers - 0.45)):
        axes.annotate(
            w.text(key),
            (place, 1),
            (0, 24),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            color=GREY,
            weight="bold",
        )
    for place, name in enumerate(names):
        axes.axvline(place, color=GREY, linewidth=1, zorder=2)
        scale = _scale(found[name], w)
        low, high = float(found[name].min()), float(found[name].max())
        if found[name].attrs.get("better") == "smaller":
            low, high = high, low
        for value, height, shift in ((low, 0, -5), (high, 1, 5)):
            axes.annotate(
                scale.text(value, w),
                (place, height),
                (0, shift),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
                va="bottom" if height else "top",
                color=GREY,
                size=9.5,
            )


def _note_of_turned(figure: Figure, found: xr.Dataset, goals: Sequence[str], w: Words) -> None:
    notes = [
        w.text("policies.turned", name=_capital(_name(found[name], w)))
        for name in goals
        if found[name].attrs["better"] == "smaller"
    ]
    footnote(figure, " ".join([*notes, w.text("source")]))


def _said(found: xr.Dataset, number: int, levers: Sequence[str], w: Words) -> str:
    parts = []
    for name in levers:
        value = float(found[name].sel({POLICY: number}))
        parts.append(f"{_name(found[name], w)} {_scale(found[name], w).text(value, w)}")
    return ", ".join(parts)


def _name(values: xr.DataArray, w: Words) -> str:
    """Name of a lever or goal, with the unit where a number alone does not say it."""
    name = str(values.name)
    if values.attrs["role"] == "lever":
        return w.parameter(name)
    said = _outcome(name, w)
    unit = _scale(values, w).unit
    return f"{said}, {unit}" if unit == w.text("policies.million") else said


def _outcome(name: str, w: Words) -> str:
    """Name of an outcome or objective in the language, or as it is if it has none."""
    share, quantile, rest = name.partition(" % quantile of ")
    if quantile:
        percent = w.percent(float(share) / 100)
        return w.text("policies.quantile", outcome=_outcome(rest, w), share=percent)
    return w.outcome(name)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _scale(values: xr.DataArray, w: Words) -> _Scale:
    unit = str(values.attrs.get("units", ""))
    low, high = float(values.min()), float(values.max())
    if unit == "DKK":
        return _Scale(1e6, _digits((high - low) / 1e6), w.text("policies.million"))
    if unit == "Dmnl" and low >= 0 and high <= 1:
        return _Scale(1, 0 if high - low > 0.1 else 1, "", percent=True)
    label = w.text("policies.persons") if unit == "person" else w.unit(unit)
    return _Scale(1, _digits(high - low), label)


def _digits(width: float) -> int:
    """Decimals that tell quarters of this spread apart."""
    return int(np.clip(-np.floor(np.log10(width / 4)), 0, 3)) if width > 0 else 0
