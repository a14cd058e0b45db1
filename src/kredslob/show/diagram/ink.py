"""Draw what diagrams are made of: labels, arrows with signs, marks of loops, valves and clouds.

All lengths are in points, y upward, on axes whose unit is one point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon, Rectangle
from matplotlib.patheffects import withStroke

from kredslob.show.diagram.labels import FONT, LINE, Label, text_width

INK, GREY, PALE, PAPER = "#222222", "#6b6b6b", "#eef3f7", "white"
HEAD = 10.0  # length of an arrow head
MARK = 17.0  # radius of the circling arrow of a loop
_MARGIN = 18.0
_POINTS_PER_INCH = 72


def sheet(
    left: float, right: float, bottom: float, top: float, title: str, footnote: str
) -> tuple[Figure, Axes]:
    """Figure as large as what is drawn, with a title above it and a footnote below."""
    widest = max(text_width(title, 16, "bold"), text_width(footnote, 10))
    room = max(0.0, widest - (right - left)) / 2
    left, right = left - room, right + room
    top += _MARGIN + (30.0 if title else 0.0)
    bottom -= _MARGIN + (20.0 if footnote else 0.0)
    left, right = left - _MARGIN, right + _MARGIN
    size = ((right - left) / _POINTS_PER_INCH, (top - bottom) / _POINTS_PER_INCH)
    figure = Figure(figsize=size, facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.axis("off")
    start = left + _MARGIN
    _text(axes, start, top - 14, title, INK, size=16, weight="bold", ha="left", va="top")
    _text(axes, start, bottom + 10, footnote, GREY, size=10, ha="left", va="bottom")
    return figure, axes


def write(axes: Axes, x: float, y: float, label: Label, colour: str) -> None:
    """Write a label in lines, centred on a point."""
    text = "\n".join(label.lines)
    _text(axes, x, y, text, colour, size=label.size, linespacing=0.92 * LINE)


def _text(axes: Axes, x: float, y: float, text: str, colour: str, **style: Any) -> None:
    middle: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 6}
    # A name may hold a dollar sign, which is not mathematics.
    axes.text(x, y, text, color=colour, family=FONT, parse_math=False, **(middle | style))


def box(axes: Axes, x: float, y: float, half_width: float, half_height: float) -> None:
    """Rectangle of a stock."""
    axes.add_patch(
        Rectangle(
            (x - half_width, y - half_height),
            2 * half_width,
            2 * half_height,
            facecolor=PALE,
            edgecolor=INK,
            linewidth=1.5,
            zorder=4,
        )
    )


def arrow(axes: Axes, points: np.ndarray, colours: Sequence[str], width: float) -> None:
    """Draw an arrow along points, in stripes if it has several colours; the head is at the end."""
    length = HEAD + width
    line, tip, back = _shortened(points, 0.75 * length)
    across = _across(line)
    stripe = width / len(colours)
    for number, colour in enumerate(colours):
        shift = (number - (len(colours) - 1) / 2) * stripe
        x, y = (line + shift * across).T
        axes.plot(x, y, color=colour, linewidth=stripe, solid_capstyle="butt", zorder=2)
    along = (tip - back) / (math.hypot(*(tip - back)) or 1.0)
    side = np.array([-along[1], along[0]]) * (0.36 * length + 0.3 * width)
    foot = tip - along * length
    head = colours[0] if len(set(colours)) == 1 else INK
    axes.add_patch(
        Polygon([tip, foot + side, foot - side], facecolor=head, edgecolor="none", zorder=3)
    )


def sign(axes: Axes, x: float, y: float, text: str) -> None:
    """Polarity of an arrow, with paper around it so that it can be read on a line."""
    halo = [withStroke(linewidth=2.5, foreground=PAPER)]
    _text(axes, x, y, text, INK, size=14, weight="bold", path_effects=halo, zorder=7)


def loop_mark(axes: Axes, x: float, y: float, text: str, colour: str, *, clockwise: bool) -> None:
    """Circling arrow around the short name of a loop, turning as the loop turns."""
    sense = -1 if clockwise else 1
    angles = math.pi / 2 + sense * np.linspace(math.radians(35), math.radians(325), 40)
    points = np.column_stack([x + MARK * np.cos(angles), y + MARK * np.sin(angles)])
    arrow(axes, points, [colour], 2.2)
    _text(axes, x, y, text, colour, size=12 if len(text) < 4 else 9, weight="bold")


def cloud(axes: Axes, x: float, y: float) -> None:
    """Source or sink outside the model."""
    puffs = [(-8, -2, 6), (-3, 4, 7), (5, 4, 6), (9, -2, 5), (0, -3, 8)]
    for grow, colour, zorder in ((1.2, GREY, 4), (0.0, PAPER, 5)):
        for dx, dy, radius in puffs:
            axes.add_patch(
                Circle((x + dx, y + dy), radius + grow, color=colour, linewidth=0, zorder=zorder)
            )


def valve(axes: Axes, x: float, y: float, *, upright: bool) -> None:
    """Valve on a pipe: two triangles, tip to tip."""
    a, b = (7.0, 8.0)
    corners = [(-a, -b), (-a, b), (a, -b), (a, b)]
    if upright:
        corners = [(v, u) for u, v in corners]
    axes.add_patch(
        Polygon(
            [(x + u, y + v) for u, v in corners],
            facecolor=PAPER,
            edgecolor=INK,
            linewidth=1.3,
            zorder=5,
        )
    )


def pipe(axes: Axes, points: np.ndarray) -> None:
    """Double line of a flow, with a head where it runs into what it fills."""
    x, y = _shortened(points, HEAD)[0].T
    for colour, width in ((INK, 5.4), (PAPER, 2.8)):
        axes.plot(x, y, color=colour, linewidth=width, solid_capstyle="butt", zorder=3)
    along = (points[-1] - points[-2]) / math.hypot(*(points[-1] - points[-2]))
    side, foot = np.array([-along[1], along[0]]) * 7.5, points[-1] - along * (HEAD + 3)
    axes.add_patch(
        Polygon([points[-1], foot + side, foot - side], facecolor=INK, linewidth=0, zorder=4)
    )


def _shortened(points: np.ndarray, by: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points without the last stretch, the end that was there, and where the stretch began."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.append(0.0, np.cumsum(steps))
    keep = max(along[-1] - by, 0.4 * along[-1])
    last = np.array([np.interp(keep, along, values) for values in points.T])
    return np.vstack([points[along < keep], last]), points[-1], last


def _across(points: np.ndarray) -> np.ndarray:
    """Unit vectors to the left of a curve at each of its points."""
    along = np.gradient(points, axis=0)
    along /= np.hypot(*along.T)[:, None]
    return np.column_stack([-along[:, 1], along[:, 0]])
