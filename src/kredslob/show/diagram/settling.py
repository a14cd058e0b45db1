"""Move boxes and bend arrows until nothing lies on anything else and arrows are easy to follow.

Simulated annealing (Davidson and Harel 1996, *Drawing graphs nicely using simulated annealing*) of
the faults that a reader would see: labels on each other, arrows through labels, arrows that cross,
arrows too short or too long, loops that are not round. Compiled by Numba, since every trial move
looks at all arrows near it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numba import njit

SAMPLES = 12  # straight pieces that stand for a curve
SHARPEST = 0.6  # greatest bend: height of the control point over the length of the chord
_GAP = 9.0  # points between two labels
_TOUCH = 2.0  # points between a label and its own arrows
_CLEAR = 6.0  # points between an arrow and a label that it passes
_HEADS = 17.0  # points between two arrows' ends at a label
_SLIDE, _HIGH = 1.9, 480.0  # width over height, and height, of the space that a slide has
_HOT, _COLD = 16.0, 0.04
_FAR, _NEAR = 150.0, 4.0
_QUICK, _LONG, _BEST, _MILD = 600, 4000, 3, 0.4

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _compiled(function: _Function, **options: Any) -> _Function:
    # A scene is many arrays. Without Numba's count of references to each at each call, which
    # nothing here needs, a move takes 6 microseconds in place of 180.
    options |= {"error_model": "numpy", "_nrt": False}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # there is no place for a cache
        return njit(**options)(function)


def _inlined(function: _Function) -> _Function:
    return _compiled(function, forceinline=True)


class Scene(NamedTuple):
    """Boxes and arrows while they are moved; all lengths in points.

    Parameters
    ----------
    x, y, half_width, half_height : ndarray of float (box,)
        Centre and half of the size of each box: labels, then the marks of loops.
    loose : ndarray of bool (box,)
        Whether a box may move.
    tail, head : ndarray of int (arrow,)
        Boxes that an arrow joins.
    bend, wanted : ndarray of float (arrow,)
        How far an arrow bends to its left, over its length; and how far it should bend away from
        its loop's mark.
    pair : ndarray of bool (arrow,)
        Whether that loop has only two variables.
    least : ndarray of float (arrow,)
        Length of an arrow below which it is too short.
    home : ndarray of int (arrow,)
        Box of the mark of the smallest loop that an arrow is part of, or -1.
    start, member : ndarray of int
        ``member[start[k]:start[k + 1]]`` are the boxes of loop ``k``, in order.
    mark : ndarray of int (loop,)
        Box of the mark of each loop.
    within : ndarray of bool (loop, box)
        Whether a box is a member of a loop, or its mark.
    trace : ndarray of float (arrow, SAMPLES + 1, 2)
        Points along the part of each arrow that is seen.
    around : ndarray of float (arrow, 4)
        Left, right, lowest and highest of these points.
    """

    x: np.ndarray
    y: np.ndarray
    half_width: np.ndarray
    half_height: np.ndarray
    loose: np.ndarray
    tail: np.ndarray
    head: np.ndarray
    bend: np.ndarray
    wanted: np.ndarray
    pair: np.ndarray
    least: np.ndarray
    home: np.ndarray
    start: np.ndarray
    member: np.ndarray
    mark: np.ndarray
    within: np.ndarray
    trace: np.ndarray
    around: np.ndarray


def settle_best(scenes: Sequence[Scene]) -> int:
    """Improve each scene for a short while, and the best of them for longer.

    Parameters
    ----------
    scenes : sequence of Scene
        The same boxes and arrows from different beginnings. They are changed in place, the same
        ones always in the same way.

    Returns
    -------
    int
        Place of the scene with the fewest and slightest faults.
    """
    faults = [_settle(scene, _QUICK, 1.0, seed) for seed, scene in enumerate(scenes)]
    best = sorted(range(len(scenes)), key=lambda i: faults[i])[:_BEST]
    final = {i: _settle(scenes[i], _LONG, _MILD, i) for i in best}
    return min(final, key=lambda i: final[i])


def _settle(scene: Scene, moves: int, heat: float, seed: int) -> float:
    """Try so many moves for each loose box or arrow; from warm, which may move all, to cold."""
    moves *= max(int(scene.loose.sum()), len(scene.tail))
    draws = np.random.default_rng(seed).random((moves, 6))
    return float(_anneal(scene, draws, heat))


@_inlined
def point_on(scene: Scene, arrow: int, t: float) -> tuple[float, float]:
    """Point of an arrow's whole curve, from box centre (t = 0) to box centre (t = 1)."""
    a, b = scene.tail[arrow], scene.head[arrow]
    ax, ay, bx, by = scene.x[a], scene.y[a], scene.x[b], scene.y[b]
    cx = (ax + bx) / 2 - scene.bend[arrow] * (by - ay)
    cy = (ay + by) / 2 + scene.bend[arrow] * (bx - ax)
    u = 1 - t
    return u * u * ax + 2 * u * t * cx + t * t * bx, u * u * ay + 2 * u * t * cy + t * t * by


@_inlined
def _in_box(scene: Scene, box: int, x: float, y: float, room: float) -> bool:
    return (
        abs(x - scene.x[box]) < scene.half_width[box] + room
        and abs(y - scene.y[box]) < scene.half_height[box] + room
    )


@_compiled
def seen_part(scene: Scene, arrow: int) -> tuple[float, float]:
    """Where along its curve an arrow leaves its first box, and where it meets its second."""
    low = _leaving(scene, arrow, scene.tail[arrow], 0.0, 0.5)
    high = _leaving(scene, arrow, scene.head[arrow], 1.0, 0.5)
    return (low, high) if low < high else (high, low)


@_compiled
def _leaving(scene: Scene, arrow: int, box: int, inside: float, outside: float) -> float:
    """Where a curve leaves a box, between a place inside and one that is taken to be outside."""
    for _ in range(10):
        middle = (inside + outside) / 2
        if _in_box(scene, box, *point_on(scene, arrow, middle), _TOUCH):
            inside = middle
        else:
            outside = middle
    return outside


@_compiled
def _trace(scene: Scene, arrow: int) -> None:
    low, high = seen_part(scene, arrow)
    left = bottom = math.inf
    right = top = -math.inf
    for i in range(SAMPLES + 1):
        x, y = point_on(scene, arrow, low + (high - low) * i / SAMPLES)
        scene.trace[arrow, i, 0] = x
        scene.trace[arrow, i, 1] = y
        left, right, bottom, top = min(left, x), max(right, x), min(bottom, y), max(top, y)
    around = scene.around[arrow]
    around[0], around[1], around[2], around[3] = left, right, bottom, top


@_inlined
def _side(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> float:
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax)


@_inlined
def _crossings(scene: Scene, a: int, b: int) -> int:
    """How often two arrows cross."""
    one, two = scene.around[a], scene.around[b]
    if one[1] < two[0] or two[1] < one[0] or one[3] < two[2] or two[3] < one[2]:
        return 0
    points, other = scene.trace[a], scene.trace[b]
    count = 0
    for i in range(SAMPLES):
        ax, ay, bx, by = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
        for j in range(SAMPLES):
            cx, cy, dx, dy = other[j, 0], other[j, 1], other[j + 1, 0], other[j + 1, 1]
            if max(ax, bx) < min(cx, dx) or max(cx, dx) < min(ax, bx):
                continue
            if max(ay, by) < min(cy, dy) or max(cy, dy) < min(ay, by):
                continue
            if _side(ax, ay, bx, by, cx, cy) * _side(ax, ay, bx, by, dx, dy) >= 0:
                continue
            if _side(cx, cy, dx, dy, ax, ay) * _side(cx, cy, dx, dy, bx, by) < 0:
                count += 1
    return count


@_inlined
def _hits(scene: Scene, arrow: int, box: int, room: float) -> int:
    """How many pieces of an arrow touch a box with some room around it."""
    left = scene.x[box] - scene.half_width[box] - room
    right = scene.x[box] + scene.half_width[box] + room
    low = scene.y[box] - scene.half_height[box] - room
    high = scene.y[box] + scene.half_height[box] + room
    around = scene.around[arrow]
    if around[1] < left or around[0] > right or around[3] < low or around[2] > high:
        return 0
    points = scene.trace[arrow]
    count = 0
    for i in range(SAMPLES):
        ax, ay, bx, by = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
        if max(ax, bx) < left or min(ax, bx) > right or max(ay, by) < low or min(ay, by) > high:
            continue
        signs = 0
        for x in (left, right):
            for y in (low, high):
                signs += 1 if _side(ax, ay, bx, by, x, y) > 0 else -1
        if abs(signs) < 4:
            count += 1
    return count


@_inlined
def _between(scene: Scene, a: int, b: int) -> float:
    """Two boxes: on each other, or too near."""
    over_x = scene.half_width[a] + scene.half_width[b] + _GAP - abs(scene.x[a] - scene.x[b])
    over_y = scene.half_height[a] + scene.half_height[b] + _GAP - abs(scene.y[a] - scene.y[b])
    if over_x <= 0 or over_y <= 0:
        return 0.0
    return 15.0 + 1.5 * min(over_x, over_y)


@_compiled
def _alone(scene: Scene, arrow: int) -> float:
    """One arrow: its length, and its bend."""
    points = scene.trace[arrow]
    length = 0.0
    for i in range(SAMPLES):
        length += math.hypot(points[i + 1, 0] - points[i, 0], points[i + 1, 1] - points[i, 1])
    least = scene.least[arrow]
    cost = 0.015 * (least - length) ** 2 if length < least else 0.0
    if length > 2 * least:
        cost += 0.02 * (length - 2 * least)
    bend = scene.bend[arrow]
    home = scene.home[arrow]
    if home < 0:
        return cost + 12.0 * (abs(bend) - scene.wanted[arrow]) ** 2
    a, b = scene.tail[arrow], scene.head[arrow]
    side = _side(scene.x[a], scene.y[a], scene.x[b], scene.y[b], scene.x[home], scene.y[home])
    # Two variables that drive each other have no inside: their arrows both bend to the left.
    away = -bend if side > 0 and not scene.pair[arrow] else bend
    return cost + (60.0 if scene.pair[arrow] else 22.0) * (away - scene.wanted[arrow]) ** 2


@_inlined
def _two(scene: Scene, a: int, b: int) -> float:
    """Two arrows: crossing each other, or ending too near each other."""
    cost = 20.0 * _crossings(scene, a, b)
    ends_a = (scene.tail[a], scene.head[a])
    ends_b = (scene.tail[b], scene.head[b])
    for i in range(2):
        for j in range(2):
            if ends_a[i] == ends_b[j]:
                p, q = scene.trace[a, i * SAMPLES], scene.trace[b, j * SAMPLES]
                near = _HEADS - math.hypot(p[0] - q[0], p[1] - q[1])
                if near > 0:
                    cost += 0.5 * near if i or j else 0.25 * near
    return cost


@_inlined
def _through(scene: Scene, arrow: int, box: int) -> float:
    """An arrow and a box that it does not belong to."""
    if box == scene.tail[arrow] or box == scene.head[arrow]:
        return 0.0
    near = _hits(scene, arrow, box, _CLEAR + 6.0)
    if not near:
        return 0.0
    touching = _hits(scene, arrow, box, _CLEAR)
    return 12.0 + 3.0 * touching if touching else 0.8 * min(near, 3)


@_compiled
def _round(scene: Scene, loop: int) -> float:
    """A loop: how far from a round it is, and whether its mark stands in its middle."""
    members = scene.member[scene.start[loop] : scene.start[loop + 1]]
    n = len(members)
    mark = scene.mark[loop]
    middle_x = middle_y = 0.0
    for box in members:
        middle_x += scene.x[box] / n
        middle_y += scene.y[box] / n
    off = math.hypot(scene.x[mark] - middle_x, scene.y[mark] - middle_y)
    cost = 0.02 * off
    if n < 3:
        return cost + 0.3 * off
    if not _inside(scene, members, scene.x[mark], scene.y[mark]):
        cost += 25.0 + 0.2 * off
    for other in range(len(scene.mark)):
        rest = scene.member[scene.start[other] : scene.start[other + 1]]
        if 2 < len(rest) < n and _inside(scene, rest, scene.x[mark], scene.y[mark]):
            cost += 10.0
    turned = 0.0
    for i in range(n):
        turned += _turn(scene, members[i - 2], members[i - 1], members[i])
    even = math.copysign(2 * math.pi / n, turned)
    uneven = 0.0
    for i in range(n):
        uneven += (_turn(scene, members[i - 2], members[i - 1], members[i]) - even) ** 2
    return cost + 1.4 * min(1.0, 8 / n) * uneven


@_inlined
def _turn(scene: Scene, a: int, b: int, c: int) -> float:
    ux, uy = scene.x[b] - scene.x[a], scene.y[b] - scene.y[a]
    vx, vy = scene.x[c] - scene.x[b], scene.y[c] - scene.y[b]
    return math.atan2(ux * vy - uy * vx, ux * vx + uy * vy)


@_inlined
def _inside(scene: Scene, members: np.ndarray, x: float, y: float) -> bool:
    """Whether a point is within the polygon of a loop's boxes."""
    inside = False
    for i in range(len(members)):
        ax, ay = scene.x[members[i - 1]], scene.y[members[i - 1]]
        bx, by = scene.x[members[i]], scene.y[members[i]]
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            inside = not inside
    return inside


@_compiled
def _spread(scene: Scene) -> float:
    """Size of the whole, as the height of the slide (16:9) that it fills."""
    left = bottom = math.inf
    right = top = -math.inf
    for box in range(len(scene.x)):
        left = min(left, scene.x[box] - scene.half_width[box])
        right = max(right, scene.x[box] + scene.half_width[box])
        bottom = min(bottom, scene.y[box] - scene.half_height[box])
        top = max(top, scene.y[box] + scene.half_height[box])
    wide, high = (right - left) / _SLIDE, top - bottom
    larger = max(wide, high)
    return 0.09 * larger + 0.02 * (wide + high) + 0.4 * max(0.0, larger - _HIGH)


@_compiled
def _around(scene: Scene, a: int, b: int) -> float:
    """Faults that boxes ``a`` and ``b`` have a part in; ``b`` may be ``a``."""
    cost = _spread(scene)
    for box in range(len(scene.x)):
        if box != a:
            cost += _between(scene, a, box)
        if box != b and box != a and b != a:
            cost += _between(scene, b, box)
    for arrow in range(len(scene.tail)):
        tail, head = scene.tail[arrow], scene.head[arrow]
        if tail in (a, b) or head in (a, b):
            cost += _arrow(scene, arrow, a, b)
        else:
            cost += _through(scene, arrow, a)
            if b != a:
                cost += _through(scene, arrow, b)
            if scene.home[arrow] == a or scene.home[arrow] == b:
                cost += _alone(scene, arrow)
    for loop in range(len(scene.mark)):
        if scene.within[loop, a] or scene.within[loop, b]:
            cost += _round(scene, loop)
    return cost


@_compiled
def _arrow(scene: Scene, arrow: int, a: int, b: int) -> float:
    """Faults of an arrow, but for those that it shares with an earlier arrow of ``a`` or ``b``."""
    cost = _alone(scene, arrow)
    for other in range(len(scene.tail)):
        tail, head = scene.tail[other], scene.head[other]
        mine = tail in (a, b) or head in (a, b)
        if other != arrow and not (mine and other < arrow):
            cost += _two(scene, arrow, other)
    for box in range(len(scene.x)):
        cost += _through(scene, arrow, box)
    return cost


@_compiled
def _everything(scene: Scene) -> float:
    cost = _spread(scene)
    for a in range(len(scene.x)):
        for b in range(a):
            cost += _between(scene, a, b)
    for arrow in range(len(scene.tail)):
        cost += _alone(scene, arrow)
        for other in range(arrow):
            cost += _two(scene, arrow, other)
        for box in range(len(scene.x)):
            cost += _through(scene, arrow, box)
    for loop in range(len(scene.mark)):
        cost += _round(scene, loop)
    return cost


@_compiled
def _retrace(scene: Scene, a: int, b: int) -> None:
    for arrow in range(len(scene.tail)):
        tail, head = scene.tail[arrow], scene.head[arrow]
        if tail in (a, b) or head in (a, b):
            _trace(scene, arrow)


@_compiled
def _anneal(scene: Scene, draws: np.ndarray, heat: float) -> float:
    for arrow in range(len(scene.tail)):
        _trace(scene, arrow)
    for move in range(len(draws)):
        left = 1 - move / len(draws)
        warmth = _COLD + (_HOT * heat - _COLD) * left * left * left
        reach = _NEAR + (_FAR * math.sqrt(heat) - _NEAR) * left * left
        if draws[move, 0] < 0.3 and len(scene.tail):
            _try_bend(scene, draws[move], warmth)
        else:
            _try_move(scene, draws[move], warmth, reach)
    return _everything(scene)


@_compiled
def _try_bend(scene: Scene, draw: np.ndarray, warmth: float) -> None:
    arrow = int(draw[1] * len(scene.tail))
    old = scene.bend[arrow]
    before = _arrow(scene, arrow, -1, -1)
    new = -old if draw[2] < 0.15 else old + 0.4 * (draw[3] - 0.5)
    scene.bend[arrow] = min(max(new, -SHARPEST), SHARPEST)
    _trace(scene, arrow)
    if not _kept(_arrow(scene, arrow, -1, -1) - before, warmth, draw[5]):
        scene.bend[arrow] = old
        _trace(scene, arrow)


@_compiled
def _try_move(scene: Scene, draw: np.ndarray, warmth: float, reach: float) -> None:
    """Move a box a little; or, now and then, let two boxes change places."""
    a = int(draw[1] * len(scene.x))
    b = int(draw[2] * len(scene.x)) if draw[0] > 0.94 else a
    if not (scene.loose[a] and scene.loose[b]):
        return
    ax, ay, bx, by = scene.x[a], scene.y[a], scene.x[b], scene.y[b]
    before = _around(scene, a, b)
    if a == b:
        scene.x[a] = ax + 2 * reach * (draw[3] - 0.5)
        scene.y[a] = ay + 2 * reach * (draw[4] - 0.5)
    else:
        scene.x[a], scene.y[a], scene.x[b], scene.y[b] = bx, by, ax, ay
    _retrace(scene, a, b)
    if not _kept(_around(scene, a, b) - before, warmth, draw[5]):
        scene.x[a], scene.y[a], scene.x[b], scene.y[b] = ax, ay, bx, by
        _retrace(scene, a, b)


@_compiled
def _kept(worse: float, warmth: float, chance: float) -> bool:
    return worse <= 0 or chance < math.exp(-worse / warmth)
