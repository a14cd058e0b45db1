"""Figures of the reinvestment model: each takes data and a language, and computes no results.

One style for all: Okabe and Ito's palette (2008), which colour-blind readers can tell apart, with
line styles beside it; labels at the lines rather than in a box; amounts in million kroner.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from kredslob.show.language import Words, words

RATE = "reinvestment rate"
CELLS = ("Group", "Need")
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)))
INK, GREY, PALE = "#222222", "#6b6b6b", "#d9d9d9"
_WIDTH = 11  # inches: all figures alike, so that their letters are too
_SCREEN = 80  # dots per inch of a picture in Jupyter; drawn finer, for sharp screens
_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "axes.titlesize": 15,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 16,
    "axes.labelcolor": GREY,
    "axes.edgecolor": PALE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#ececec",
    "xtick.color": GREY,
    "ytick.color": GREY,
    "ytick.left": False,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a policy's name is a dollar sign
    "lines.linewidth": 2.4,
    "svg.fonttype": "path",
    "svg.hashsalt": "kredslob",
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Drawing:
    """A figure with its name and the sentence that says what it shows.

    Parameters
    ----------
    name : str
        Short name, used for files.
    figure : Figure
        The matplotlib figure.
    kind : str
        What sort of picture it is, for those who cannot see it.
    caption : str
        What it shows, made from the numbers drawn.
    """

    name: str
    figure: Figure
    kind: str
    caption: str

    @property
    def alt(self) -> str:
        """Alternative text: what sort of picture it is, and what it shows."""
        return f"{self.kind}. {self.caption}"

    @cached_property
    def svg(self) -> str:
        """Text of the figure as an SVG file, drawn once for all who ask."""
        buffer = io.StringIO()
        self.figure.savefig(buffer, format="svg", metadata={"Date": None})
        return buffer.getvalue()

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        # Jupyter shows a bare Figure as a picture only once pyplot has been imported with the
        # inline backend; a drawing shows itself, whatever backend is set or none.
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=1.5 * _SCREEN)
        width = round(self.figure.get_figwidth() * _SCREEN)
        return buffer.getvalue(), {"alt": self.alt, "width": width}


def fund_over_time(runs: xr.Dataset, language: str) -> Drawing:
    """Draw the fund's cash over time, with the late years enlarged.

    Parameters
    ----------
    runs : Dataset
        A sweep over the reinvestment rate with "total cash" (DKK) over time.
    language : str
        "da" or "en".
    """
    w = words(language)
    years = float(runs["time"][-1])
    late = round(0.25 * years)
    with styled():
        figure = new_figure(5)
        whole, enlarged = figure.subplots(1, 2, width_ratios=(1, 1))
        _lines(whole, runs["total cash"] / 1e6, w, labels=False)
        _lines(enlarged, (runs["total cash"] / 1e6).sel(time=slice(late, None)), w)
        whole.set_title(w.text("figure.fund"))
        enlarged.set_title(w.text("figure.fund_late", year=w.number(late)), color=GREY, size=12)
        for axes in (whole, enlarged):
            axes.set_ylim(bottom=0)
            dress(axes, w, w.text("figure.fund_y"), w.text("year"))
        footnote(figure, f"{w.text('prices')} {w.text('source')}")
    cash = runs["total cash"]
    start = w.money(float(cash.isel({RATE: 0, "time": 0})))
    ends = _lowest_and_highest(cash.isel(time=-1), w, w.money)
    caption = w.text("caption.fund", start=start, ends=ends, years=w.number(years))
    return Drawing("fund", figure, w.text("chart.line"), caption)


def citizens_helped(runs: xr.Dataset, language: str) -> Drawing:
    """Draw citizens helped so far, by reinvestment rate ("Cumulated Completions", persons)."""
    w = words(language)
    helped = runs["Cumulated Completions"].sum(CELLS)
    with styled():
        figure = new_figure(5)
        axes = figure.subplots()
        _lines(axes, helped, w)
        axes.set_ylim(bottom=0)
        axes.set_title(w.text("figure.helped"))
        dress(axes, w, w.text("figure.helped_y"), w.text("year"))
        footnote(figure, w.text("source"))
    ends = _lowest_and_highest(helped.isel(time=-1), w, w.number)
    caption = w.text("caption.helped", years=w.number(float(runs["time"][-1])), ends=ends)
    return Drawing("helped", figure, w.text("chart.line"), caption)


def who_is_helped(shares: xr.Dataset, language: str) -> Drawing:
    """Draw the share of help against the share of need of each group and need.

    Parameters
    ----------
    shares : Dataset
        From `kredslob.cycle.equity.equity`, of one run.
    language : str
        "da" or "en".
    """
    w = words(language)
    cells = [(str(g), str(n)) for g in shares["Group"].values for n in shares["Need"].values]
    help_ = [100 * float(shares["share of help"].sel(Group=g, Need=n)) for g, n in cells]
    need = [100 * float(shares["share of need"].sel(Group=g, Need=n)) for g, n in cells]
    rows = np.arange(len(cells))[::-1]
    with styled():
        figure = new_figure(6.2)
        axes = figure.subplots()
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.hlines(rows, need, help_, color=PALE, linewidth=4, zorder=1)
        axes.scatter(need, rows, s=80, facecolor="white", edgecolor=GREY, linewidth=2, zorder=2)
        axes.scatter(help_, rows, s=80, color=PALETTE[0], zorder=3)
        axes.set_yticks(rows, [f"{w.element(g)}, {w.element(n)}" for g, n in cells])
        axes.tick_params(axis="y", labelcolor=INK)
        top = max([*help_, *need, 1.0])
        axes.set_xlim(0, 1.12 * top)
        title_over_all(figure, w.text("figure.who"))
        _name_the_dots(axes, rows, {"who_help": help_, "who_need": need}, 0.5 * top, w)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: w.number(x)))
        axes.set_xlabel(w.text("figure.who_x"))
        footnote(figure, w.text("source"))
    caption = w.text(
        "caption.who",
        complex=w.percent(float(shares["share of help to complex need"])),
        need=w.percent(float(shares["share of need that is complex"])),
    )
    return Drawing("who", figure, w.text("chart.dot"), caption)


def _name_the_dots(
    axes: Axes, rows: NDArray[np.intp], values: Mapping[str, list[float]], middle: float, w: Words
) -> None:
    """Name two kinds of dots in the row whose dots lie nearest the middle, outward from both."""
    pairs = np.nan_to_num(np.array(list(values.values())))
    row = int(np.argmin(abs(pairs.mean(axis=0) - middle)))
    left, _ = sorted(range(2), key=lambda k: pairs[k, row])
    for k, (name, colour) in enumerate(zip(values, (PALETTE[0], GREY), strict=True)):
        axes.annotate(
            w.text(f"figure.{name}"),
            (pairs[k, row], rows[row]),
            (-9 if k == left else 9, 0),
            textcoords="offset points",
            ha="right" if k == left else "left",
            va="center",
            color=colour,
        )


def who_saves(runs: xr.Dataset, language: str) -> Drawing:
    """Draw, by purse and reinvestment rate, savings returned, kept and not claimed at the end."""
    w = words(language)
    end = runs.isel(time=-1)
    parts = {
        "returned": end["Cumulated Returned To Fund"] / 1e6,
        "kept": end["Cumulated Kept"] / 1e6,
        "unclaimed": end["Cumulated Unclaimed"] / 1e6,
    }
    colours = {"returned": PALETTE[0], "kept": PALETTE[2], "unclaimed": "#bdbdbd"}
    rates = [float(r) for r in runs[RATE]]
    with styled():
        figure = new_figure(5)
        panels = figure.subplots(1, runs.sizes["Purse"], sharey=True, squeeze=False)[0]
        for axes, purse in zip(panels, runs["Purse"].values, strict=True):
            floor = np.zeros(len(rates))
            for part, values in parts.items():
                height = values.sel(Purse=purse).values
                axes.bar(
                    range(len(rates)),
                    height,
                    0.7,
                    floor,
                    color=colours[part],
                    label=w.text(f"figure.{part}"),
                )
                floor = floor + height
            axes.set_xticks(range(len(rates)), [w.percent(r) for r in rates])
            beside = 0.5 if len(rates) > 1 else 1.2  # a bar alone is not to fill its panel
            axes.set_xlim(-beside, len(rates) - 1 + beside)
            axes.set_title(w.element(str(purse)), size=13, color=GREY)
            axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: w.number(y)))
        years = w.number(float(runs["time"][-1]))
        panels[0].set_ylabel(w.text("figure.purses_y", years=years))
        tallest = sum(parts.values()).max(RATE)  # type: ignore[union-attr]
        panels[int(np.argmin(tallest.values))].legend(loc="upper right")
        title_over_all(figure, w.text("figure.purses"))
        footnote(figure, f"{w.text('prices')} {w.text('source')}")
    total = float(sum(part.isel({RATE: -1}).sum() for part in parts.values())) * 1e6
    caption = w.text(
        "caption.purses",
        years=years,
        total=w.money(total),
        rate=w.percent(rates[-1]),
        returned=w.money(float(parts["returned"].isel({RATE: -1}).sum()) * 1e6),
    )
    return Drawing("purses", figure, w.text("chart.bar"), caption)


def two_bookings(books: xr.Dataset, language: str) -> Drawing:
    """Draw spending as a running cost beside spending as an investment.

    Parameters
    ----------
    books : Dataset
        From `kredslob.cycle.accounts.bookkeeping`, of one run.
    language : str
        "da" or "en".
    """
    w = words(language)
    titles = {"running cost": "figure.books_running", "investment": "figure.books_investment"}
    with styled():
        figure = new_figure(5)
        panels = figure.subplots(1, 2, sharey=True)
        for axes, (view, title) in zip(panels, titles.items(), strict=True):
            one = books.sel(view=view)
            axes.bar(
                books["year"],
                one["cost"] / 1e6,
                0.8,
                color="#bdbdbd",
                label=w.text("figure.books_cost"),
            )
            axes.plot(
                books["year"],
                one["saving"] / 1e6,
                color=PALETTE[0],
                label=w.text("figure.books_saving"),
            )
            axes.set_title(w.text(title), size=13, color=GREY)
            dress(axes, w, "", w.text("year"))
            axes.set_xlim(0.4, float(books["year"][-1]) + 0.6)
        panels[0].set_ylabel(w.text("figure.books_y"))
        panels[1].legend(loc="upper right")
        title_over_all(figure, w.text("figure.books"))
        footnote(figure, f"{w.text('prices')} {w.text('source')}")
    caption = w.text(
        "caption.books",
        spent=w.money(float(books["cost"].sel(view="running cost").sum())),
        left=w.money(float(books["not yet written off"].isel(year=-1))),
    )
    return Drawing("books", figure, w.text("chart.bar"), caption)


def citizens_by_state(runs: xr.Dataset, language: str) -> Drawing:
    """Draw how many more citizens thrive, and fewer are strained or in crisis, at one rate.

    Parameters
    ----------
    runs : Dataset
        A sweep; its highest rate is drawn.
    language : str
        "da" or "en".
    """
    w = words(language)
    run = runs.isel({RATE: -1})

    def gained(actual: Sequence[str], counterfactual: str) -> xr.DataArray:
        total = sum(run[name] for name in actual)
        return (total - run[counterfactual]).sum(CELLS)

    states = {
        "thriving": gained(["Thriving", "Newly Stable"], "Counterfactual Thriving"),
        "strained": gained(["Strained", "Strained In Intervention"], "Counterfactual Strained"),
        "crisis": gained(["Crisis", "Crisis In Intervention"], "Counterfactual Crisis"),
    }
    with styled():
        figure = new_figure(5)
        axes = figure.subplots()
        axes.axhline(0, color=GREY, linewidth=1)
        ends = []
        for number, (state, line) in enumerate(states.items()):
            axes.plot(line["time"], line, color=PALETTE[number], linestyle=LINES[number])
            label = wrapped(w.text(f"figure.states_{state}"))
            ends.append((float(line[-1]), label, PALETTE[number]))
        end_labels(axes, float(run["time"][-1]), ends)
        axes.set_title(w.text("figure.states"))
        dress(axes, w, w.text("figure.states_y"), w.text("year"))
        footnote(figure, w.text("source"))
    fewer = -float(states["crisis"].min())
    caption = w.text("caption.states", crisis=w.number(fewer, 1), rate=w.percent(float(run[RATE])))
    if float(states["thriving"][-1]) < 0:
        caption += " " + w.text("caption.states_fewer")
    return Drawing("states", figure, w.text("chart.line"), caption)


def saving_cascade(runs: xr.Dataset, language: str) -> Drawing:
    """Draw what becomes of the avoided cost, step by step, at the highest rate of a sweep."""
    w = words(language)
    end = runs.isel({RATE: -1, "time": -1})
    avoided = float(end["Cumulated Avoided Cost"].sum())
    pipeline = float(
        (end["Identified Savings In Pipeline"] + end["Unclaimed Savings In Pipeline"]).sum()
    )
    steps = {
        "avoided": avoided,
        "freed": -(avoided - float(end["Cumulated Cashable"].sum())),
        "pipeline": -pipeline,
        "unclaimed": -float(end["Cumulated Unclaimed"].sum()),
        "kept": -float(end["Cumulated Kept"].sum()),
    }
    returned = float(end["Cumulated Returned To Fund"].sum())
    with styled():
        figure = new_figure(5)
        axes = figure.subplots()
        level = 0.0
        bars = [*steps.items(), ("returned", returned)]
        for x, (name, amount) in enumerate(bars):
            whole = name in ("avoided", "returned")
            bottom = 0.0 if whole else level + min(amount, 0.0)
            colour = PALETTE[0] if whole else "#bdbdbd"
            axes.bar(x, abs(amount) / 1e6, 0.65, bottom / 1e6, color=colour)
            top = (bottom + abs(amount)) / 1e6
            axes.annotate(
                w.millions(amount),
                (x, top),
                (0, 5),
                textcoords="offset points",
                ha="center",
                weight="bold" if whole else "normal",
            )
            level = amount if name == "avoided" else level + (0.0 if whole else amount)
        labels = [wrapped(w.text(f"figure.cascade_{name}")) for name, _ in bars]
        axes.set_xticks(range(len(bars)), labels)
        axes.tick_params(axis="x", labelcolor=INK, length=0)
        axes.set_title(w.text("figure.cascade"))
        axes.set_ylabel(w.text("figure.fund_y"))
        axes.margins(y=0.12)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: w.number(y)))
        footnote(figure, f"{w.text('prices')} {w.text('source')}")
    caption = w.text("caption.cascade", avoided=w.money(avoided), returned=w.money(returned))
    return Drawing("cascade", figure, w.text("chart.fall"), caption)


def _lowest_and_highest(values: xr.DataArray, w: Words, form: Callable[[float], str]) -> str:
    """Say the value at the highest reinvestment rate, and at the lowest if there are several."""
    shown = {int(np.argmax(values[RATE].values)): None, int(np.argmin(values[RATE].values)): None}
    parts = [
        w.text(
            "caption.end_at", value=form(float(values[i])), rate=w.percent(float(values[RATE][i]))
        )
        for i in shown
    ]
    return w.text("caption.and").join(parts)


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the one style of all figures, within this block."""
    with rc_context(_STYLE):  # type: ignore[arg-type]  # matplotlib lists each key as a literal
        yield


def new_figure(height: float, foot: float = 0.05) -> Figure:
    """Make an empty figure of the common width, ``height`` inches high.

    ``foot`` is the part of the height that is left free at the foot: for a note, a legend.
    """
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1, rect=(0, foot, 1, 1 - foot))
    return Figure(figsize=(_WIDTH, height), layout=layout, facecolor="white")


def _lines(axes: Axes, values: xr.DataArray, w: Words, *, labels: bool = True) -> None:
    ends = []
    for number, line in enumerate(values.transpose(RATE, "time")):
        colour = PALETTE[number % len(PALETTE)]
        style = LINES[number % len(LINES)]
        axes.plot(line["time"], line, color=colour, linestyle=style)
        ends.append((float(line[-1]), w.percent(float(line[RATE])), colour))
    if labels:
        end_labels(axes, float(values["time"][-1]), ends)


def end_labels(axes: Axes, x: float, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write each line's name at its end, moved apart where ends lie close, with a thin leader."""
    if not ends:
        return
    low, high = axes.get_ylim()
    step = 0.065 * (high - low)  # height of a line of letters
    order = sorted(range(len(ends)), key=lambda i: ends[i][0])
    places = [ends[i][0] for i in order]
    heights = [step * (1 + ends[i][1].count("\n")) for i in order]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + (heights[i] + heights[i - 1]) / 2)
    places[-1] = min(places[-1], max(high, ends[order[-1]][0]))
    for i in reversed(range(len(places) - 1)):
        places[i] = min(places[i], places[i + 1] - (heights[i] + heights[i + 1]) / 2)
    for place, i in zip(places, order, strict=True):
        end, label, colour = ends[i]
        axes.annotate(
            label,
            (x, end),
            (1.03, place),
            textcoords=axes.get_yaxis_transform(),
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.8,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
            color=colour,
            va="center",
            weight="bold",
            annotation_clip=False,
        )


def dress(axes: Axes, w: Words, y: str, x: str) -> None:
    """Label both axes, and write their numbers as the language does."""
    axes.set_ylabel(y)
    axes.set_xlabel(x)
    axes.margins(x=0)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))

    def tick(value: float, _: object) -> str:
        low, high = sorted(axes.get_ylim())
        return w.number(value, 0 if high - low > 4 else (1 if high - low > 0.4 else 2))

    axes.yaxis.set_major_formatter(FuncFormatter(tick))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: w.number(value)))


def lay_out(figure: Figure, dots_per_inch: float) -> None:
    """Place the parts for good: left to each file that is saved, it takes as long as drawing."""
    figure.set_dpi(dots_per_inch)  # letters are a little wider or narrower at another one
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine(None)


def title_over_all(figure: Figure, text: str) -> None:
    """Write a title over all panels, from the left edge."""
    figure.suptitle(text, x=0.01, ha="left", weight="bold", size=15)


def footnote(figure: Figure, text: str) -> None:
    """Write a note at the foot of a figure."""
    figure.text(0.01, 0.012, text, color=GREY, size=10)


def wrapped(text: str, width: int = 16) -> str:
    """Break a text into lines of about this many letters."""
    import textwrap

    return "\n".join(textwrap.wrap(text, width, break_long_words=False))
