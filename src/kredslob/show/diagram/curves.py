"""The curves of settled arrows as they are drawn, and where their signs stand."""

from __future__ import annotations

import math

import numpy as np

from kredslob.show.diagram.settling import Scene, point_on, seen_part

_POINTS = 48
_SIGN = 6.0  # half the size of a sign
_OWN = 15.0  # radius of an arrow from a label to itself


def curve(scene: Scene, arrow: int) -> np.ndarray:
    """Points of the part of an arrow that is seen, from its tail to its head."""
    low, high = seen_part(scene, arrow)
    return np.array([point_on(scene, arrow, t) for t in np.linspace(low, high, _POINTS)])


def aimed(
    scene: Scene, arrow: int, aims: dict[int, tuple[float, float, float, float]]
) -> np.ndarray:
    """Points of an arrow that starts and ends at a part of a box.

    Parameters
    ----------
    scene : Scene
        Settled boxes and arrows.
    arrow : int
        Which arrow.
    aims : dict of int to tuple
        For 0, the tail, and 1, the head: middle, half width and half height of the part that the
        arrow is to meet. An end without an entry meets its whole box.

    Returns
    -------
    ndarray of float (point, 2)
    """
    t = np.linspace(0, 1, 4 * _POINTS)
    points = np.array([point_on(scene, arrow, step) for step in t])
    keep = np.ones(len(t), bool)
    for end, box in enumerate((scene.tail[arrow], scene.head[arrow])):
        whole = (scene.x[box], scene.y[box], scene.half_width[box], scene.half_height[box])
        x, y, wide, high = aims.get(end, whole)
        nearness = (t if end else 1 - t)[:, None] ** 4
        points = points + nearness * (np.array([x, y]) - points[-end])
        inside = np.all(np.abs(points - (x, y)) < (wide + 2, high + 2), axis=1)
        keep &= ~inside
    return points[keep]


def to_itself(scene: Scene, box: int) -> np.ndarray:
    """Points of the arrow from a box to itself: most of a circle, at the emptiest corner."""
    others = scene.trace.reshape(-1, 2)
    options = []
    for right, up in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
        x = scene.x[box] + right * scene.half_width[box]
        y = scene.y[box] + up * scene.half_height[box]
        start = math.atan2(up, right)
        angles = start + right * up * np.linspace(-2.2, 2.2, _POINTS)
        points = np.column_stack([x + _OWN * np.cos(angles), y + _OWN * np.sin(angles)])
        options.append((_crowding(scene, (x + right * _OWN, y + up * _OWN), others, []), points))
    return min(options, key=lambda option: option[0])[1]


def sign_places(scene: Scene, curves: list[np.ndarray]) -> list[tuple[float, float]]:
    """Place for the sign of each arrow: beside its head, where least is in the way."""
    everything = np.concatenate(curves) if curves else np.zeros((0, 2))
    places: list[tuple[float, float]] = []
    for own in curves:
        options = list(_beside_head(own))
        crowding = [
            _crowding(scene, place, everything, places) + 0.3 * i for i, place in enumerate(options)
        ]
        places.append(options[int(np.argmin(crowding))])
    return places


def _beside_head(points: np.ndarray) -> list[tuple[float, float]]:
    """Places on both sides of a head, the outer side of the bend and the nearest first."""
    left = np.append(np.cumsum(np.hypot(*np.diff(points, axis=0).T)[::-1])[::-1], 0.0)
    chord, middle = points[-1] - points[0], points[len(points) // 2] - points[0]
    outer = 1.0 if chord[0] * middle[1] - chord[1] * middle[0] > 0 else -1.0
    options = []
    for back, off in ((13, 10), (18, 10), (9, 11), (23, 10), (15, 13), (28, 10), (34, 10), (5, 13)):
        i = int(np.argmin(np.abs(left - back)))
        along = points[min(i + 1, len(points) - 1)] - points[max(i - 1, 0)]
        along = along / (math.hypot(*along) or 1.0)
        for side in (outer, -outer):
            x, y = points[i] + side * off * np.array([-along[1], along[0]])
            options.append((float(x), float(y)))
    return options


def _crowding(
    scene: Scene, place: tuple[float, float], curves: np.ndarray, taken: list[tuple[float, float]]
) -> float:
    """How much lies under a sign: labels, arrows and other signs."""
    x, y = place
    over_x = scene.half_width + _SIGN + 2 - np.abs(scene.x - x)
    over_y = scene.half_height + _SIGN - 1 - np.abs(scene.y - y)
    labels = np.minimum(over_x, over_y).clip(0).sum()
    lines = (9.0 - np.hypot(curves[:, 0] - x, curves[:, 1] - y)).clip(0).sum()
    signs = sum(max(0.0, 14 - math.dist(place, other)) for other in taken)
    return 6 * float(labels) + 0.5 * float(lines) + 4 * signs
