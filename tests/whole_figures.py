"""What holds for every figure."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text as Label

from kredslob.show.figures import Drawing


def assert_no_label_is_cut_off(drawings: Sequence[Drawing]) -> None:
    """Check that every label lies within its figure."""
    for drawing in drawings:
        canvas = FigureCanvasAgg(drawing.figure)
        canvas.draw()
        width, height = canvas.get_width_height()
        ticks = [
            t for a in drawing.figure.axes for t in (*a.get_xticklabels(), *a.get_yticklabels())
        ]
        for label in set(drawing.figure.findobj(Label)) - set(ticks):  # ticks beyond are not drawn
            box = label.get_window_extent(canvas.get_renderer())
            if label.get_text() and label.get_visible():
                name = f"{drawing.name}: {label.get_text()!r}"
                assert box.x0 >= -1, name
                assert box.x1 <= width + 1, name
                assert box.y0 >= -1, name
                assert box.y1 <= height + 1, name
