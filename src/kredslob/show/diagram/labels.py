"""Labels of a diagram: wrapped in lines, and measured in points as matplotlib will draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

FONT = "DejaVu Sans"  # comes with matplotlib, so that labels are as wide on every machine
SIZE = 12.0
LINE = 1.25  # height of a line, in letter sizes
_WIDEST = 112.0
_MOST_LINES = 4


@dataclass(frozen=True)
class Label:
    """A text in lines, with its width and height in points."""

    lines: tuple[str, ...]
    size: float
    width: float
    height: float


@cache
def label(text: str, size: float = SIZE, weight: str = "normal") -> Label:
    """Wrap a text into as few lines as keep it narrow, the lines as even as its words let them."""
    words = text.split() or [text]
    wrapped = [
        _evenly(words, lines, size, weight) for lines in range(1, min(len(words), _MOST_LINES) + 1)
    ]
    narrow = (lines for lines in wrapped if _widest(lines, size, weight) <= _WIDEST)
    lines = next(narrow, wrapped[-1])
    return Label(lines, size, _widest(lines, size, weight), LINE * size * len(lines))


def _evenly(words: Sequence[str], count: int, size: float, weight: str) -> tuple[str, ...]:
    """Split words into ``count`` lines so that the widest is as narrow as can be."""
    splits = (
        tuple(" ".join(words[a:b]) for a, b in zip((0, *cuts), (*cuts, len(words)), strict=True))
        for cuts in combinations(range(1, len(words)), count - 1)
    )
    return min(splits, key=lambda lines: _widest(lines, size, weight))


def _widest(lines: Sequence[str], size: float, weight: str) -> float:
    return max(text_width(line, size, weight) for line in lines)


@cache
def text_width(line: str, size: float, weight: str = "normal") -> float:
    """Width of a line of text in points."""
    font = FontProperties(family=FONT, size=size, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(line, font, ismath=False)
    return float(width)
