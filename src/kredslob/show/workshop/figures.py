"""The pictures of the workshop page: Bokeh figures whose sources the page's scripts fill.

Nothing here knows a number or a word: scripts fill the sources after each run and set titles and
labels when the language changes. All text is drawn inside the frame, since labels at the lines are
read faster than a legend; colours are Okabe and Ito's (2008), darkened until letters in them can be
read, and never alone: lines differ in dash, areas in their label.
"""

from __future__ import annotations

from typing import Any

FONT = "Segoe UI, Helvetica Neue, Roboto, Noto Sans, Liberation Sans, Arial, sans-serif"
INK, MUTED, GRID, PAPER = "#1B2733", "#55636F", "#E4E7EA", "#FFFFFF"
NOW, TODAY = "#0B5CAD", "#5F6B75"
SAVED = ("#B34A00", "#00734F", "#9A3F7A", "#7A5900")
SAVED_DASHES = ([8, 5], [10, 4, 2, 4], [2, 4], [14, 4])
LOOKS = {
    "font": FONT,
    "ink": INK,
    "muted": MUTED,
    "now": NOW,
    "today": TODAY,
    "saved": SAVED,
    "dashes": SAVED_DASHES,
}
"""What the page's scripts draw with."""
_LINE, _TEXT_SIZE = 2.5, "14px"


def figures() -> list[Any]:
    """All figures of the page, each found by its name; its sources are named ``FIGURE.PART``."""
    return [
        _fund(),
        _who(),
        _cycle(),
        _wellbeing(),
        _bars("administrations"),
        _bars("purses"),
        _accounts(),
        _feedback(),
    ]


def _fund() -> Any:
    plot = bare_plot("fund")
    _over_time(plot)
    band = named_source("fund.band", "time", "low", "high")
    plot.varea("time", "low", "high", source=band, fill_color=NOW, fill_alpha=0.16)
    for number, (colour, dash) in enumerate(zip(SAVED, SAVED_DASHES, strict=True)):
        saved = named_source(f"fund.saved{number}", "time", "value")
        plot.line(
            "time", "value", source=saved, color=colour, line_dash=dash, line_width=_LINE + 0.5
        )
    today = named_source("fund.today", "time", "value")
    plot.line("time", "value", source=today, color=TODAY, line_dash=[4, 4], line_width=2)
    now = named_source("fund.now", "time", "value")
    plot.line("time", "value", source=now, color=NOW, line_width=4.5)
    _labels(plot, "fund.labels", size="15px", style="bold")
    return plot


def _who() -> Any:
    plot = bare_plot("who")
    _lying(plot)
    plot.xaxis.visible = False  # each bar has its number
    plot.xgrid.visible = False
    help_ = named_source("who.help", "y", "value", "color")
    need = named_source("who.need", "y", "value", "top", "bottom")
    plot.hbar(y="y", right="value", left=0, height=0.62, color="color", source=help_)
    plot.segment("value", "bottom", "value", "top", source=need, color=INK, line_width=3.5)
    _labels(plot, "who.labels", align=True)
    return plot


def _cycle() -> Any:
    from bokeh.models import Range1d

    plot = bare_plot("cycle")
    plot.x_range, plot.y_range = Range1d(0, 100), Range1d(0, 100)
    plot.axis.visible = False
    plot.grid.visible = False
    bands = named_source("cycle.bands", "xs", "ys", "color", "alpha")
    plot.patches("xs", "ys", source=bands, fill_color="color", fill_alpha="alpha", line_color=None)
    nodes = named_source("cycle.nodes", "left", "right", "bottom", "top", "color")
    plot.quad("left", "right", "bottom", "top", source=nodes, fill_color="color", line_color=None)
    _labels(plot, "cycle.labels", align=True, size="13px")
    return plot


def _wellbeing() -> Any:
    plot = bare_plot("wellbeing")
    _over_time(plot)
    _zero_line(plot)
    dashes = ("solid", "dashed", "dotted", "dotdash", [14, 4])
    colours = (NOW, SAVED[1], TODAY, SAVED[3], SAVED[0])
    for number, (colour, dash) in enumerate(zip(colours, dashes, strict=True)):
        state = named_source(f"wellbeing.state{number}", "time", "value")
        plot.line("time", "value", source=state, color=colour, line_dash=dash, line_width=3)
    _labels(plot, "wellbeing.labels", style="bold")
    return plot


def _bars(name: str) -> Any:
    plot = bare_plot(name)
    _lying(plot)
    bars = named_source(f"{name}.bars", "y", "left", "right", "color")
    plot.hbar(
        y="y",
        left="left",
        right="right",
        height=0.36,
        color="color",
        source=bars,
        line_color=PAPER,
    )
    _labels(plot, f"{name}.labels", align=True)
    return plot


def _accounts() -> Any:
    plot = bare_plot("accounts")
    _over_time(plot)
    _zero_line(plot)
    for part, colour, dash in (
        ("saving", SAVED[1], "solid"),
        ("running", SAVED[0], "dashed"),
        ("investment", NOW, "dotdash"),
    ):
        source = named_source(f"accounts.{part}", "time", "value")
        plot.line("time", "value", source=source, color=colour, line_dash=dash, line_width=3)
    _labels(plot, "accounts.labels", style="bold")
    return plot


def _feedback() -> Any:
    plot = bare_plot("feedback")
    _over_time(plot)
    plot.yaxis.visible = False
    plot.ygrid.visible = False
    areas = named_source("feedback.areas", "xs", "ys", "color")
    plot.patches("xs", "ys", source=areas, fill_color="color", line_color=PAPER, line_width=1.5)
    _labels(plot, "feedback.labels", align=True, size="13px")
    return plot


def bare_plot(name: str) -> Any:
    """A figure without lines, in the looks of the page; its axes speak the page's language."""
    from bokeh.models import CustomJSTickFormatter, Range1d
    from bokeh.plotting import figure

    plot = figure(
        name=name,
        sizing_mode="stretch_both",
        toolbar_location=None,
        tools="",
        outline_line_color=None,
        background_fill_color=None,
        border_fill_color=None,
        min_border=4,
        min_border_right=8,
        output_backend="canvas",
        x_range=Range1d(0, 1),
        y_range=Range1d(0, 1),
    )
    plot.axis.axis_label_text_font = plot.axis.major_label_text_font = FONT
    plot.axis.axis_line_color = plot.axis.minor_tick_line_color = None
    plot.axis.major_tick_line_color = None
    plot.axis.major_label_text_color = plot.axis.axis_label_text_color = MUTED
    plot.axis.major_label_text_font_size = plot.axis.axis_label_text_font_size = _TEXT_SIZE
    plot.axis.axis_label_text_font_style = "normal"
    plot.grid.grid_line_color = GRID
    # the page's own number forms, which follow its language
    plot.axis.formatter = CustomJSTickFormatter(code="return kredslob.tick(tick)")
    return plot


def _over_time(plot: Any) -> None:
    from bokeh.models import FixedTicker

    plot.xgrid.visible = False
    plot.xaxis.ticker = FixedTicker(ticks=[0, 10, 20, 30, 40])


def _zero_line(plot: Any) -> None:
    from bokeh.models import Span

    line = Span(location=0, dimension="width", level="underlay", line_color=MUTED, line_width=1)
    plot.add_layout(line)


def _lying(plot: Any) -> None:
    plot.yaxis.visible = False
    plot.ygrid.visible = False


def _labels(
    plot: Any, name: str, *, align: bool = False, size: str = _TEXT_SIZE, style: str = "normal"
) -> None:
    from bokeh.core.properties import value

    columns = ["x", "y", "text", "color", *(["align", "style"] if align else [])]
    source = named_source(name, *columns)
    plot.text(
        "x",
        "y",
        "text",
        source=source,
        text_color="color",
        text_align="align" if align else "left",
        text_font_style="style" if align else style,
        text_font=value(FONT),  # else it would be the name of a column
        text_font_size=size,
        text_baseline="middle",
        background_fill_color=None if align else PAPER,  # no line runs through a name beside it
        x_offset=0 if align else 8,
    )


def named_source(name: str, *columns: str) -> Any:
    """An empty source that a script finds by its name."""
    from bokeh.models import ColumnDataSource

    return ColumnDataSource({column: [] for column in columns}, name=name)
