"""Stock-and-flow diagrams: stocks, what fills and empties them, and what decides how fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kredslob.errors import KredslobError
from kredslob.show.diagram import ink
from kredslob.show.diagram.curves import aimed
from kredslob.show.diagram.folding import part
from kredslob.show.diagram.labels import SIZE, Label, label
from kredslob.show.diagram.pipes import (
    CLOUD,
    VALVE,
    Pipe,
    Plan,
    Point,
    flows,
    groups,
    plan,
    plan_from_places,
)
from kredslob.show.diagram.settling import SAMPLES, Scene, settle_best
from kredslob.show.language import words

MOST_STOCKS, MOST_CONSTANTS = 15, 12
_SMALL = ("constant", "lookup")
_LINK = "#5b8db8"
_SHORTEST, _PIPE = 34.0, 3.0
_TRIES, _SCALES = 24, np.arange(1.0, 2.05, 0.1)


def stock_and_flow_diagram(
    graph: nx.DiGraph,
    *,
    language: str = "en",
    labels: Mapping[str, str] | None = None,
    title: str = "",
) -> Figure:
    """Draw a stock-and-flow diagram.

    Stocks are boxes, in a row where flows connect them; flows are pipes with a valve; clouds stand
    for what is outside the model; thin arrows are the other links; constants and lookups are small
    and grey, and left out where there are more than 12. It is readable up to about 15 stocks and 40
    variables: draw a larger model by parts, with `stock_groups` or the views of its sketch.

    Parameters
    ----------
    graph : DiGraph
        Variables with ``kind`` ("stock", "flow", "auxiliary", "constant", "lookup", "data"), and
        links from cause to effect with ``polarity``; "-" from a flow to a stock is an outflow.
        Where all stocks and flows have a ``place`` (x, y) in points, y downward, as
        `kredslob.show.sketch.places` reads it from a model file, they stand there, and so does each
        other variable with a place; the rest is laid out.
    language : str
        "da" or "en", for the key below the diagram.
    labels : mapping of str to str, optional
        What to write for a variable. Default: its name.
    title : str
        Written above the diagram.

    Returns
    -------
    Figure
        As large as what it shows, with letters of 12 points. The same graph gives the same figure.

    Raises
    ------
    KredslobError
        There is no stock, there are more than 15, or the language is unknown.
    """
    w = words(language)
    graph = _part_to_draw(graph)
    named = {n: label((labels or {}).get(n, n), _size(graph, n)) for n in graph}
    layout = _layout(graph, named)
    return _draw(graph, named, layout, w.text("diagram.stocks_key"), title)


def stock_groups(graph: nx.DiGraph) -> list[nx.DiGraph]:
    """Split a model into parts to draw: stocks that flows connect, with all that drives the flows.

    Parameters
    ----------
    graph : DiGraph
        As for `stock_and_flow_diagram`.

    Returns
    -------
    list of DiGraph
        One for each connected group of stocks, the largest group first, with its flows and the
        direct causes of both.
    """
    parts = []
    for group in groups(graph):
        own = {f.name for f in flows(graph) if f.source in group or f.target in group}
        causes = {cause for name in {*group, *own} for cause in graph.predecessors(name)}
        one = part(graph, {*group, *own, *causes})
        for name in causes - {*group, *own}:
            # what belongs to another part is drawn as a plain word
            if one.nodes[name].get("kind") in ("stock", "flow"):
                one.nodes[name]["kind"] = "auxiliary"
        parts.append(one)
    return parts


def _size(graph: nx.DiGraph, name: str) -> float:
    return 10.0 if graph.nodes[name].get("kind") in _SMALL else SIZE


def _part_to_draw(graph: nx.DiGraph) -> nx.DiGraph:
    kinds = dict(graph.nodes(data="kind"))
    stocks = sum(kind == "stock" for kind in kinds.values())
    if not 0 < stocks <= MOST_STOCKS:
        raise KredslobError(
            f"found {stocks} stocks to draw, expected 1 to {MOST_STOCKS}: draw one part at a time"
        )
    small = {name for name, kind in kinds.items() if kind in _SMALL}
    if len(small) <= MOST_CONSTANTS:
        return graph
    return part(graph, set(graph) - small)


@dataclass(frozen=True)
class _Layout:
    """Where all stands: boxes in the order of ``names``, pipes, and links as settled arrows."""

    names: tuple[str, ...]
    pipes: tuple[Pipe, ...]
    links: tuple[tuple[str, str], ...]
    scene: Scene


def _layout(graph: nx.DiGraph, named: Mapping[str, Label]) -> _Layout:
    sizes = {n: _stock_size(named[n]) for n, k in graph.nodes(data="kind") if k == "stock"}
    sketched = _sketched(graph, named)
    if {*sizes, *(flow.name for flow in flows(graph))} <= set(sketched):
        fixed = plan_from_places(graph, sketched, sizes, named)
    else:
        fixed, sketched = plan(graph, sizes, named), {}
    scenes = [_scene(graph, named, fixed, sketched, seed) for seed in range(_TRIES)]
    return scenes[settle_best([one.scene for one in scenes])]


def _sketched(graph: nx.DiGraph, named: Mapping[str, Label]) -> dict[str, Point]:
    """Places from the sketch, y upward, drawn out as far as our letters need to stand apart."""
    places = {n: place for n, place in graph.nodes(data="place") if place is not None}
    at = np.array([(x, -y) for x, y in places.values()], float).reshape(-1, 2)
    size = np.array([(named[n].width + 20, named[n].height + 14) for n in places]).reshape(-1, 2)
    room = (size[:, None] + size[None]) / 2
    for scale in _SCALES:
        apart = (np.abs(scale * (at[:, None] - at[None])) >= room).any(axis=2)
        if np.all(apart | np.eye(len(at), dtype=bool)):
            break
    return {n: (float(x), float(y)) for n, (x, y) in zip(places, scale * at, strict=True)}


def _stock_size(text: Label) -> Point:
    return max(40.0, text.width / 2 + 10), text.height / 2 + 9


def _scene(
    graph: nx.DiGraph,
    named: Mapping[str, Label],
    fixed: Plan,
    sketched: Mapping[str, Point],
    seed: int,
) -> _Layout:
    boxes = dict(fixed.stocks)
    boxes |= {pipe.flow.name: _valve_box(pipe, named[pipe.flow.name]) for pipe in fixed.pipes}
    half = {n: (named[n].width / 2 + 3, named[n].height / 2 + 1) for n in graph if n not in boxes}
    boxes |= {n: (*sketched[n], *half[n]) for n in half if n in sketched}
    loose = [n for n in graph if n not in boxes]
    places = _rough_places(graph, boxes, loose, seed)
    boxes |= {n: (*places[n], *half[n]) for n in loose}
    names = tuple(boxes)
    links = _links(graph, fixed)
    number = {name: i for i, name in enumerate(names)}
    blocked = _blocked(fixed)
    x, y, half_width, half_height = np.array([*boxes.values(), *blocked]).T.copy()
    ends = [(number[a], number[b]) for a, b in links]
    tail, head = np.array(ends, np.int64).reshape(-1, 2).T.copy()
    piped = _piped(fixed)
    wanted = np.array([0.4 if frozenset(link) in piped else 0.15 for link in links])
    scene = Scene(
        x=x,
        y=y,
        half_width=half_width,
        half_height=half_height,
        loose=np.array([name in loose for name in names] + [False] * len(blocked)),
        tail=tail,
        head=head,
        bend=wanted.copy(),
        wanted=wanted,
        pair=np.zeros(len(links), bool),
        least=np.full(len(links), _SHORTEST),
        home=np.full(len(links), -1, np.int64),
        start=np.zeros(1, np.int64),
        member=np.zeros(0, np.int64),
        mark=np.zeros(0, np.int64),
        within=np.zeros((0, len(x)), bool),
        trace=np.zeros((len(links), SAMPLES + 1, 2)),
        around=np.zeros((len(links), 4)),
    )
    return _Layout(names, fixed.pipes, tuple(links), scene)


def _valve_box(pipe: Pipe, text: Label) -> tuple[float, float, float, float]:
    """Box around a valve and its name: below it, or beside it where the pipe is upright."""
    x, y = pipe.valve
    if pipe.upright:
        wide = 2 * VALVE + 4 + text.width
        return x - VALVE + wide / 2, y, wide / 2, max(VALVE, text.height / 2)
    high = 2 * VALVE + text.height
    return x, y + VALVE - high / 2, max(VALVE, text.width / 2), high / 2


def _rough_places(
    graph: nx.DiGraph,
    boxes: Mapping[str, tuple[float, float, float, float]],
    loose: Sequence[str],
    seed: int,
) -> dict[str, np.ndarray]:
    """Places near the mean of the neighbours, scattered so that each seed finds its own way."""
    places = {name: np.array(box[:2]) for name, box in boxes.items()}
    middle = np.mean(list(places.values()), axis=0)
    draws = np.random.default_rng(seed)
    around = graph.to_undirected(as_view=True)
    for _ in range(3):
        for name in loose:
            near = [places[n] for n in around[name] if n in places and n != name]
            places[name] = np.mean(near, axis=0) if near else middle
    return {name: places[name] + draws.normal(scale=80.0, size=2) for name in loose}


def _links(graph: nx.DiGraph, fixed: Plan) -> list[tuple[str, str]]:
    """Causal links that no pipe shows."""
    shown = {
        (pipe.flow.name, end)
        for pipe in fixed.pipes
        for end in (pipe.flow.source, pipe.flow.target)
    }
    return [(a, b) for a, b in graph.edges if a != b and (a, b) not in shown]


def _piped(fixed: Plan) -> set[frozenset[str]]:
    """Flows with the stocks at their ends."""
    return {
        frozenset((pipe.flow.name, end))
        for pipe in fixed.pipes
        for end in (pipe.flow.source, pipe.flow.target)
        if end
    }


def _blocked(fixed: Plan) -> list[tuple[float, float, float, float]]:
    """Boxes around clouds and stretches of pipe, which labels and links keep away from."""
    boxes = []
    for pipe in fixed.pipes:
        for path, stock in zip(pipe.paths, (pipe.flow.source, pipe.flow.target), strict=True):
            if stock is None:
                boxes.append((*path[-1], *CLOUD))
            for (ax, ay), (bx, by) in pairwise(path):
                middle = ((ax + bx) / 2, (ay + by) / 2)
                boxes.append((*middle, abs(ax - bx) / 2 + _PIPE, abs(ay - by) / 2 + _PIPE))
    return boxes


# What is drawn --------------------------------------------------------------------------------


def _draw(
    graph: nx.DiGraph, named: Mapping[str, Label], layout: _Layout, key: str, title: str
) -> Figure:
    scene = layout.scene
    x = [scene.x - scene.half_width, scene.x + scene.half_width, scene.trace[..., 0].ravel()]
    y = [scene.y - scene.half_height, scene.y + scene.half_height, scene.trace[..., 1].ravel()]
    across, up = np.concatenate(x), np.concatenate(y)
    figure, axes = ink.sheet(across.min(), across.max(), up.min(), up.max(), title, key)
    for i, name in enumerate(layout.names):
        kind = graph.nodes[name].get("kind")
        if kind == "stock":
            ink.box(axes, scene.x[i], scene.y[i], scene.half_width[i], scene.half_height[i])
        if name not in {pipe.flow.name for pipe in layout.pipes}:
            colour = ink.GREY if kind in _SMALL else ink.INK
            ink.write(axes, scene.x[i], scene.y[i], named[name], colour)
    valves = {pipe.flow.name: pipe for pipe in layout.pipes}
    for i, link in enumerate(layout.links):
        aims = {
            end: _aim(valves[name], named[name], scene.trace[i, -end])
            for end, name in enumerate(link)
            if name in valves
        }
        ink.arrow(axes, aimed(scene, i, aims), [_LINK], 1.0)
    sizes = {n: (scene.half_width[i], scene.half_height[i]) for i, n in enumerate(layout.names)}
    for pipe in layout.pipes:
        _draw_pipe(axes, pipe, named[pipe.flow.name], sizes)
    return figure


def _aim(pipe: Pipe, text: Label, end: np.ndarray) -> tuple[float, float, float, float]:
    """Part of a flow that a link meets, from the side where it comes: the valve or the name."""
    x, y = pipe.valve
    beyond = end[0] - x - VALVE if pipe.upright else y - VALVE - end[1]
    if beyond < 0:
        return x, y, VALVE, VALVE
    if pipe.upright:
        return x + VALVE + 4 + text.width / 2, y, text.width / 2, text.height / 2
    return x, y - VALVE - text.height / 2, text.width / 2, text.height / 2


def _draw_pipe(
    axes: Axes, pipe: Pipe, text: Label, sizes: Mapping[str, tuple[float, float]]
) -> None:
    ends = (pipe.flow.source, pipe.flow.target)
    source, target = (
        np.array(_to_edge(path, sizes[end] if end else CLOUD))
        for path, end in zip(pipe.paths, ends, strict=True)
    )
    ink.pipe(axes, np.concatenate([source[::-1], target[1:]]))
    for path, end in zip(pipe.paths, ends, strict=True):
        if end is None:
            ink.cloud(axes, *path[-1])
    x, y = pipe.valve
    ink.valve(axes, x, y, upright=pipe.upright)
    if pipe.upright:
        ink.write(axes, x + VALVE + 4 + text.width / 2, y, text, ink.INK)
    else:
        ink.write(axes, x, y - VALVE - text.height / 2, text, ink.INK)


def _to_edge(path: Sequence[Point], size: Point) -> list[Point]:
    """Path that ends where it meets the box around its last point."""
    (ax, ay), (bx, by) = path[-2:]
    if ay == by:
        return [*path[:-1], (bx + (size[0] if ax > bx else -size[0]), by)]
    return [*path[:-1], (bx, by + (size[1] if ay > by else -size[1]))]
