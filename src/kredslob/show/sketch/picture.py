"""Draw a view as a figure, for those who have no Vensim at hand."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Polygon, Rectangle

from kredslob.show.sketch.layout import Box, Pipe, View, wrapped

_INK, _GREY, _PIPE, _ARROW = "#1d1d1f", "#8a8a8a", "#5b7083", "#7fa6c9"
_POINTS_PER_INCH = 100


def draw_view(view: View) -> Figure:
    """Draw the stock-and-flow diagram of one sector.

    Parameters
    ----------
    view : View
        From `kredslob.show.sketch.views`.

    Returns
    -------
    Figure
        Stocks as boxes, flows as pipes with valves and clouds, causal arrows curved; variables of
        other sectors in grey brackets.
    """
    left = min(b.x - b.width for b in view.boxes) - 60
    right = max([b.x + b.width for b in view.boxes] + [p.cloud[0] for p in view.pipes if p.cloud])
    top = min(b.y - b.height for b in view.boxes) - 60
    bottom = max(b.y + b.height for b in view.boxes) + 40
    size = ((right + 60 - left) / _POINTS_PER_INCH, (bottom - top) / _POINTS_PER_INCH)
    figure = Figure(figsize=size, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(left, right + 60)
    axes.set_ylim(bottom, top)
    axes.axis("off")
    axes.text(left + 20, top + 30, view.name, size=17, weight="bold", color=_INK)
    for arrow in view.arrows:
        _arrow(axes, view.box(arrow.source), view.box(arrow.target))
    for pipe in view.pipes:
        _pipe(axes, pipe, view)
    for box in view.boxes:
        _label(axes, box)
    return figure


def _arrow(axes: Axes, source: Box, target: Box) -> None:
    axes.add_patch(
        FancyArrowPatch(
            (source.x, source.y - source.height),
            (target.x, target.y + (target.height if target.y < source.y else -target.height)),
            connectionstyle="arc3,rad=-0.12",
            arrowstyle="-|>",
            mutation_scale=9,
            color=_ARROW,
            linewidth=0.8,
            zorder=1,
        )
    )


def _pipe(axes: Axes, pipe: Pipe, view: View) -> None:
    x, y = pipe.valve
    for end, arrowhead in ((pipe.source, False), (pipe.target, True)):
        if end is None:
            if pipe.cloud is None:
                continue
            at, edge = pipe.cloud, pipe.cloud
            axes.add_patch(Circle(at, 9, facecolor="white", edgecolor=_PIPE, zorder=3))
        else:
            box = view.box(end)
            side = box.width if x > box.x else -box.width
            below = abs(y - box.y) > box.height
            at = (box.x + side // 2 if below else box.x + side, y)
            edge = (at[0], box.y + box.height) if below else at
        corners = [(x, y), at, edge]
        axes.plot(*zip(*corners, strict=True), color=_PIPE, linewidth=2.6, zorder=2)
        if arrowhead:
            back = corners[1] if corners[1] != edge else corners[0]
            axes.annotate("", edge, back, arrowprops={"arrowstyle": "-|>", "color": _PIPE, "lw": 2})
    for side in (-1, 1):
        triangle = [(x, y), (x + side * 9, y - 8), (x + side * 9, y + 8)]
        axes.add_patch(Polygon(triangle, facecolor="white", edgecolor=_PIPE, zorder=4))


def _label(axes: Axes, box: Box) -> None:
    text = "\n".join(wrapped(box.name))
    if box.kind == "stock":
        axes.add_patch(
            Rectangle(
                (box.x - box.width, box.y - box.height),
                2 * box.width,
                2 * box.height,
                facecolor="#e8f0f7",
                edgecolor=_INK,
                linewidth=1.4,
                zorder=5,
            )
        )
    colour = {"shadow": _GREY, "constant": "#6b5b2e"}.get(box.kind, _INK)
    shown = f"<{text}>" if box.kind == "shadow" else text
    axes.text(
        box.x,
        box.y,
        shown,
        ha="center",
        va="center",
        size=8,
        color=colour,
        zorder=6,
        linespacing=1.1,
    )
