"""Points of lookups and lists of numbers: digits only, nothing is evaluated."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from pysd.translators.structures.abstract_expressions import LookupsStructure

from kredslob.reading.expression import UNSIGNED, MisreadError

# No part of it can match the same text in two ways, so no hostile text can make it slow.
NUMBER = rf"(?:[+-]\s*)?{UNSIGNED}"
PAIR = re.compile(rf"\s*\(\s*({NUMBER})\s*,\s*({NUMBER})\s*\)\s*")
ITEM = re.compile(rf"\s*({NUMBER})\s*")
MANY = re.compile(rf"\s*{NUMBER}\s*(?:[,;]\s*{NUMBER}\s*)*;?\s*")


def value(text: str) -> float:
    """Value of a signed literal, spaces after the sign allowed."""
    return float("".join(text.split()))


def vensim_lookup(text: str, start: int, end: int) -> LookupsStructure:
    """Points of a Vensim lookup, from the text between its parentheses.

    Parameters
    ----------
    text : str
        The equation.
    start, end : int
        Where the points stand in it: ``[(0,0)-(10,1),(2,.5)],(0,0),(10,1)``, the box being
        optional, or the older ``0,10,0,1`` with all x before all y.

    Raises
    ------
    MisreadError
        Anything but numbers stands there.
    """
    at = _after_space(text, start, end)
    box: list[tuple[float, float]] = []
    if at < end and text[at] == "[":
        box, at = _box(text, at + 1, end)
    if PAIR.match(text, at, end):
        points, at = _pairs(text, at, end)
    else:
        flat, at = _flat(text, at, end)
        half = len(flat) // 2
        if len(flat) % 2 or not flat:
            raise MisreadError("has no whole number of lookup points, expected (x, y) pairs", start)
        points = list(zip(flat[:half], flat[half:], strict=True))
    if at != end:
        raise MisreadError(f"found '{text[at]}' among the points of a lookup, expected numbers", at)
    limits = box[:2] or [(math.nan, math.nan)] * 2
    return lookup(
        [p[0] for p in points],
        [p[1] for p in points],
        "interpolate",
        ((limits[0][0], limits[1][0]), (limits[0][1], limits[1][1])),
    )


def lookup(
    x: Sequence[float],
    y: Sequence[float],
    kind: str,
    limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
) -> LookupsStructure:
    """Lookup with its points in order of x.

    Parameters
    ----------
    x, y : sequence of float
        The points.
    kind : str
        interpolate, extrapolate or hold_backward.
    limits : two pairs of float, optional
        Bounds of the drawing in x and in y. Default: those of the points.
    """
    order = sorted(range(len(x)), key=lambda i: x[i])
    x_limits, y_limits = limits or ((min(x), max(x)), (min(y), max(y)))
    return LookupsStructure(
        x=tuple(float(x[i]) for i in order),
        y=tuple(float(y[i]) for i in order),
        x_limits=x_limits,
        y_limits=y_limits,
        type=kind,
    )


def array(text: str) -> np.ndarray | None:
    """Numbers of a list such as ``1, 2; 3, 4;``; None where the text is not a list.

    >>> array("1,2;3,4;").tolist()
    [[1.0, 2.0], [3.0, 4.0]]

    Raises
    ------
    MisreadError
        Its rows have unequal lengths.
    """
    if not ("," in text or ";" in text) or not MANY.fullmatch(text):
        return None
    rows = [[value(v) for v in row.split(",")] for row in text.strip().strip(";").split(";")]
    if len({len(row) for row in rows}) > 1:
        raise MisreadError("has rows of unequal length in its list of numbers")
    return np.squeeze(np.array(rows, dtype=float))


def numbers(text: str, separator: str = ",") -> list[float]:
    """Numbers of a list with one separator.

    Raises
    ------
    MisreadError
        Something else is among them.
    """
    parts = [p.strip() for p in text.split(separator)] if separator.strip() else text.split()
    if parts and not parts[-1]:
        parts = parts[:-1]
    for part in parts:
        if not re.fullmatch(NUMBER, part):
            raise MisreadError(f"found '{part}' in a list of numbers")
    return [value(part) for part in parts]


def _after_space(text: str, at: int, end: int) -> int:
    while at < end and text[at].isspace():
        at += 1
    return at


def _box(text: str, at: int, end: int) -> tuple[list[tuple[float, float]], int]:
    """Box ``(0,0)-(10,1)`` with optional reference points, its bracket and comma."""
    start = at
    corner = PAIR.match(text, at, end)
    dash = corner and text[corner.end() : corner.end() + 1] == "-"
    if not corner or not dash:
        raise MisreadError("has lookup limits that are not [(x,y)-(x,y)] in numbers", start)
    first = (value(corner.group(1)), value(corner.group(2)))
    box, at = [first], corner.end() + 1
    while pair := PAIR.match(text, at, end):
        box.append((value(pair.group(1)), value(pair.group(2))))
        at = pair.end()
        if text[at : at + 1] != ",":
            break
        at += 1
    if len(box) < 2 or text[at : at + 1] != "]":
        raise MisreadError("has lookup limits that are not [(x,y)-(x,y)] in numbers", start)
    at = _after_space(text, at + 1, end)
    if text[at : at + 1] == ",":
        at += 1
    return box, _after_space(text, at, end)


def _pairs(text: str, at: int, end: int) -> tuple[list[tuple[float, float]], int]:
    points = []
    while pair := PAIR.match(text, at, end):
        points.append((value(pair.group(1)), value(pair.group(2))))
        at = pair.end()
        if text[at : at + 1] == "," and at < end:
            at += 1
    return points, at


def _flat(text: str, at: int, end: int) -> tuple[list[float], int]:
    found = []
    while item := ITEM.match(text, at, end):
        found.append(value(item.group(1)))
        at = item.end()
        if text[at : at + 1] == "," and at < end:
            at += 1
        else:
            break
    return found, at
