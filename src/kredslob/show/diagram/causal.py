"""Causal loop diagrams: what drives what, and the loops that this closes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kredslob.errors import KredslobError
from kredslob.show.diagram import ink
from kredslob.show.diagram.curves import curve, sign_places, to_itself
from kredslob.show.diagram.folding import part
from kredslob.show.diagram.labels import Label, label
from kredslob.show.diagram.settling import SAMPLES, Scene, settle_best
from kredslob.show.figures import PALETTE
from kredslob.show.language import Words, words

SIGNS = {"+": "+", "-": "\N{MINUS SIGN}", "?": "?"}
_WHOLE, _MOST = 40, 60
_NO_LOOP = "#9a9a9a"
_STRIPE, _THIN, _THICKER = 2.1, 1.2, 5.0  # widths of arrows
_SPACING, _WIDER, _ROUNDS = 90.0, 1.3, 200
_SHORTEST, _ROUND = 40.0, 230.0  # points: length of an arrow, and once round a loop
_TRIES = 16

Round = tuple[str, ...]  # variables of a loop, the last linking back to the first


class Loop(Protocol):
    """A feedback loop: `kredslob.feedback.loops.Loop`, or anything like it."""

    @property
    def name(self) -> str:
        """Name, such as "R1 reinvestment"."""

    @property
    def variables(self) -> tuple[str, ...]:
        """Variables once round; the last links back to the first."""

    @property
    def polarity(self) -> str:
        """R, B or ?."""


@dataclass(frozen=True)
class _Mark:
    """What is written in the middle of a loop, and in which colour."""

    short: str
    name: Label | None
    colour: str


def causal_loop_diagram(
    graph: nx.DiGraph,
    loops: Sequence[Loop] = (),
    *,
    language: str = "en",
    labels: Mapping[str, str] | None = None,
    title: str = "",
) -> Figure:
    """Draw a causal loop diagram.

    Loops are as round as their neighbours let them be, each in its colour (Okabe and Ito's
    palette), with a circling arrow in its middle that holds R, B or its number; an arrow that
    several loops share has a stripe of each, and one of no loop is grey. Stocks stand in boxes.
    It is readable up to about 40 variables.

    Parameters
    ----------
    graph : DiGraph
        Links from cause to effect with ``polarity`` "+", "-" or "?" and, if wanted, ``weight``
        from 0 to 1 for their thickness; variables with ``kind``, of which "stock" counts here. If
        it has more than 40 variables and loops are given, those of the loops are drawn.
    loops : sequence of Loop
        Loops to mark. Variables of a loop that `folded` took out of the graph are passed over.
        What a name begins with, such as R1, stands in the circling arrow, the rest below it.
    language : str
        "da" or "en", for the key below the diagram.
    labels : mapping of str to str, optional
        What to write for a variable or a loop. Default: its name.
    title : str
        Written above the diagram.

    Returns
    -------
    Figure
        As large as what it shows, with letters of 12 points, up to the shape of a slide. The same
        graph gives the same figure.

    Raises
    ------
    KredslobError
        A loop follows a link that is not in the graph, there are no variables to draw or more than
        60, or the language is unknown.
    """
    w = words(language)
    rounds = [_in_graph(graph, loop) for loop in loops]
    graph = _part_to_draw(graph, rounds)
    named = {name: label((labels or {}).get(name, name)) for name in graph}
    marks = [_mark(loop, number, labels or {}) for number, loop in enumerate(loops)]
    scene = _settled(graph, rounds, named, marks)
    return _draw(graph, rounds, named, marks, scene, w, title)


def _in_graph(graph: nx.DiGraph, loop: Loop) -> Round:
    """Variables of a loop that the graph has, once round."""
    found = tuple(name for name in loop.variables if name in graph)
    if not found:
        raise KredslobError(f"found no variable of loop '{loop.name}' in the graph")
    for cause, effect in _links(found):
        if not graph.has_edge(cause, effect):
            raise KredslobError(
                f"found no link from '{cause}' to '{effect}', which loop '{loop.name}' follows"
            )
    return found


def _part_to_draw(graph: nx.DiGraph, rounds: Sequence[Round]) -> nx.DiGraph:
    if len(graph) > _WHOLE and rounds:
        in_loops = {name for one in rounds for name in one}
        graph = part(graph, in_loops)
    if not 0 < len(graph) <= _MOST:
        raise KredslobError(
            f"found {len(graph)} variables to draw, expected 1 to {_MOST}: give loops, or fold"
        )
    return graph


def _mark(loop: Loop, number: int, labels: Mapping[str, str]) -> _Mark:
    """Split "R1 reinvestment" into what stands in the circling arrow and what stands below it."""
    name = labels.get(loop.name, loop.name)
    parts = re.fullmatch(r"([RB?]\d*)(?:[ :]+(.*))?", name)
    short, rest = (parts[1], parts[2]) if parts else (loop.polarity, name)
    colour = PALETTE[number % len(PALETTE)]
    return _Mark(short, label(rest, 10) if rest else None, colour)


def _arrows(graph: nx.DiGraph) -> list[tuple[str, str]]:
    """Links between two variables; a variable's link to itself is drawn at its label."""
    return [(a, b) for a, b in graph.edges if a != b]


def _links(one: Round) -> Iterator[tuple[str, str]]:
    return pairwise((*one, one[0]))


# Where everything stands ----------------------------------------------------------------------


def _settled(
    graph: nx.DiGraph, rounds: Sequence[Round], named: Mapping[str, Label], marks: Sequence[_Mark]
) -> Scene:
    scenes = [_scene(graph, rounds, named, marks, places) for places in _beginnings(graph, rounds)]
    return scenes[settle_best(scenes)]


def _beginnings(graph: nx.DiGraph, rounds: Sequence[Round]) -> Iterator[np.ndarray]:
    """Places where variables are as far apart as the links between them say, from many starts."""
    apart = _SPACING * _distances(graph, rounds)
    for seed in range(_TRIES):
        rough = np.random.default_rng(seed).normal(scale=apart.mean(), size=(len(graph), 2))
        yield _stressed(rough, apart) * (_WIDER, 1 / _WIDER)


def _distances(graph: nx.DiGraph, rounds: Sequence[Round]) -> np.ndarray:
    """How far apart variables should stand, in links: on a circle, if one loop holds both."""
    place = {name: i for i, name in enumerate(graph)}
    apart = np.full((len(graph), len(graph)), math.sqrt(len(graph)))
    for a, lengths in nx.all_pairs_shortest_path_length(graph.to_undirected(as_view=True)):
        for b, steps in lengths.items():
            apart[place[a], place[b]] = steps
    for one in sorted(rounds, key=len, reverse=True):
        n, at = len(one), [place[v] for v in one]
        steps = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
        apart[np.ix_(at, at)] = np.sin(np.pi * steps / n) / np.sin(np.pi / n)
    return apart


def _stressed(places: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """Majorise stress (Gansner, Koren and North 2004, *Graph drawing by stress majorization*)."""
    wanted = apart + np.eye(len(apart))
    weight = (1 - np.eye(len(apart))) / wanted**2
    inverse = np.linalg.pinv(np.diag(weight.sum(1)) - weight)
    for _ in range(_ROUNDS):
        gaps = np.linalg.norm(places[:, None] - places[None], axis=2) + np.eye(len(apart))
        pull = -weight * wanted / gaps
        places = inverse @ ((pull - np.diag(pull.sum(1))) @ places)
    return places


def _scene(
    graph: nx.DiGraph,
    rounds: Sequence[Round],
    named: Mapping[str, Label],
    marks: Sequence[_Mark],
    places: np.ndarray,
) -> Scene:
    names = list(graph)
    number = {name: i for i, name in enumerate(names)}
    middles = [places[[number[v] for v in one]].mean(axis=0) for one in rounds]
    x, y = np.array([*places, *middles]).T
    sizes = [_label_size(graph, name, named[name]) for name in names] + [
        _mark_size(m) for m in marks
    ]
    half_width, half_height = np.array(sizes).T / 2
    arrows = _arrows(graph)
    members = [[number[v] for v in one] for one in rounds]
    home, wanted, pair, least = _bends(arrows, rounds, len(names))
    within = np.zeros((len(rounds), len(x)), bool)
    for k, boxes in enumerate(members):
        within[k, [*boxes, len(names) + k]] = True
    return Scene(
        x=x.copy(),
        y=y.copy(),
        half_width=half_width.copy(),
        half_height=half_height.copy(),
        loose=np.ones(len(x), bool),
        tail=np.array([number[a] for a, _ in arrows], np.int64),
        head=np.array([number[b] for _, b in arrows], np.int64),
        bend=np.where(home < 0, 0.1, 0.0),
        wanted=wanted,
        pair=pair,
        least=least,
        home=home,
        start=np.cumsum([0, *(len(m) for m in members)], dtype=np.int64),
        member=np.array([v for m in members for v in m], np.int64),
        mark=np.arange(len(names), len(x), dtype=np.int64),
        within=within,
        trace=np.zeros((len(arrows), SAMPLES + 1, 2)),
        around=np.zeros((len(arrows), 4)),
    )


def _bends(
    arrows: Sequence[tuple[str, str]], rounds: Sequence[Round], first_mark: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mark that each arrow bends around, and how much: the shorter the loop, the more."""
    home = np.full(len(arrows), -1, np.int64)
    wanted = np.full(len(arrows), 0.12)
    pair = np.zeros(len(arrows), bool)
    least = np.full(len(arrows), _SHORTEST)
    place = {arrow: i for i, arrow in enumerate(arrows)}
    order = sorted(range(len(rounds)), key=lambda k: -len(rounds[k]))
    for k in (k for k in order if len(rounds[k]) > 1):
        for link in _links(rounds[k]):
            i, n = place[link], len(rounds[k])
            home[i] = first_mark + k
            wanted[i] = min(0.5, 0.06 + 0.9 / n)
            pair[i] = n == 2
            least[i] = max(_SHORTEST, _ROUND / n)
    return home, wanted, pair, least


def _label_size(graph: nx.DiGraph, name: str, text: Label) -> tuple[float, float]:
    if graph.nodes[name].get("kind") == "stock":
        return text.width + 20, text.height + 14
    return text.width + 6, text.height + 2


def _mark_size(mark: _Mark) -> tuple[float, float]:
    side = 2 * ink.MARK + 4
    if mark.name is None:
        return side, side
    return max(side, mark.name.width), side + mark.name.height


# What is drawn --------------------------------------------------------------------------------


def _draw(
    graph: nx.DiGraph,
    rounds: Sequence[Round],
    named: Mapping[str, Label],
    marks: Sequence[_Mark],
    scene: Scene,
    w: Words,
    title: str,
) -> Figure:
    left, right = (scene.x - scene.half_width).min(), (scene.x + scene.half_width).max()
    bottom, top = (scene.y - scene.half_height).min(), (scene.y + scene.half_height).max()
    if len(scene.trace):
        left, right = min(left, scene.trace[..., 0].min()), max(right, scene.trace[..., 0].max())
        bottom, top = min(bottom, scene.trace[..., 1].min()), max(top, scene.trace[..., 1].max())
    figure, axes = ink.sheet(left, right, bottom, top, title, w.text("diagram.causal_key"))
    for i, name in enumerate(graph):
        if graph.nodes[name].get("kind") == "stock":
            ink.box(axes, scene.x[i], scene.y[i], scene.half_width[i], scene.half_height[i])
        ink.write(axes, scene.x[i], scene.y[i], named[name], ink.INK)
    _draw_arrows(axes, graph, rounds, marks, scene)
    place = {link: i for i, link in enumerate(_arrows(graph))}
    for one, mark, box in zip(rounds, marks, scene.mark, strict=True):
        seen = [scene.trace[place[link]] for link in _links(one) if link in place]
        clockwise = not seen or _clockwise(np.concatenate(seen))
        _draw_mark(axes, mark, scene, int(box), clockwise=clockwise)
    return figure


def _draw_arrows(
    axes: Axes,
    graph: nx.DiGraph,
    rounds: Sequence[Round],
    marks: Sequence[_Mark],
    scene: Scene,
) -> None:
    arrows = _arrows(graph)
    box = {name: i for i, name in enumerate(graph)}
    own = [(a, a) for a, b in graph.edges if a == b]
    through: dict[tuple[str, str], list[str]] = {link: [] for link in (*arrows, *own)}
    for one, mark in zip(rounds, marks, strict=True):
        for link in _links(one):
            through[link].append(mark.colour)
    curves = [curve(scene, i) for i in range(len(arrows))]
    curves += [to_itself(scene, box[name]) for name, _ in own]
    for (a, b), points, place in zip(
        (*arrows, *own), curves, sign_places(scene, curves), strict=True
    ):
        link = graph.edges[a, b]
        colours = through[a, b] or [_NO_LOOP]
        width = _THIN + _THICKER * link["weight"] if "weight" in link else _STRIPE
        stripes = _STRIPE * len(colours) if len(colours) > 1 else 0.0
        ink.arrow(axes, points, colours, max(width, stripes))
        ink.sign(axes, *place, SIGNS[link["polarity"]])


def _clockwise(points: np.ndarray) -> bool:
    x, y = points.T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) < 0


def _draw_mark(axes: Axes, mark: _Mark, scene: Scene, box: int, *, clockwise: bool) -> None:
    x, y = scene.x[box], scene.y[box]
    if mark.name is not None:
        ink.write(
            axes, x, y - scene.half_height[box] + mark.name.height / 2, mark.name, mark.colour
        )
        y += mark.name.height / 2
    ink.loop_mark(axes, x, y, mark.short, mark.colour, clockwise=clockwise)
