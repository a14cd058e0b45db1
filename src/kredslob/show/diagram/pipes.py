"""Where stocks, flows and clouds stand: each connected group of stocks in a row, flows along it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx

from kredslob.show.diagram.folding import part
from kredslob.show.diagram.labels import Label

Point = tuple[float, float]
CLOUD = (15.0, 11.0)  # half of its width and height
VALVE = 9.0
_ROOM = 34.0  # of pipe that is seen on each side of a valve's label
_UP = 58.0  # from a stock's edge to a valve above or below it
_LANE = 64.0
_PORT = 12.0  # between pipes at the edge of a stock
_ROWS = 150.0


@dataclass(frozen=True)
class Flow:
    """A flow between two ends, each a stock or, if None, a cloud."""

    name: str
    source: str | None
    target: str | None


@dataclass(frozen=True)
class Pipe:
    """A flow in its place.

    Parameters
    ----------
    flow : Flow
        What flows.
    valve : Point
        Centre of the valve.
    upright : bool
        Whether the pipe is vertical at the valve, so that the name stands beside it.
    paths : tuple of tuple of Point
        From the valve to the source, and from the valve to the target; the last point is the
        middle of a stock or of a cloud.
    """

    flow: Flow
    valve: Point
    upright: bool
    paths: tuple[tuple[Point, ...], tuple[Point, ...]]


@dataclass(frozen=True)
class Plan:
    """Stocks as (x, y, half width, half height), and the pipes between them; y grows upward."""

    stocks: Mapping[str, tuple[float, float, float, float]]
    pipes: tuple[Pipe, ...]


def flows(graph: nx.DiGraph) -> list[Flow]:
    """Flows of a graph that run into or out of a stock.

    A flow that fills several stocks is a pipe to the first of them; the others get arrows.
    """
    found = []
    for name, kind in graph.nodes(data="kind"):
        stocks = [s for s in graph.successors(name) if graph.nodes[s].get("kind") == "stock"]
        if kind == "flow" and stocks:
            out = [s for s in stocks if graph.edges[name, s]["polarity"] == "-"]
            into = [s for s in stocks if s not in out]
            found.append(Flow(name, next(iter(out), None), next(iter(into), None)))
    return found


def groups(graph: nx.DiGraph) -> list[list[str]]:
    """Stocks that flows connect, each group along its flows, the largest group first."""
    links = nx.DiGraph()
    links.add_nodes_from(n for n, kind in graph.nodes(data="kind") if kind == "stock")
    links.add_edges_from((f.source, f.target) for f in flows(graph) if f.source and f.target)
    found = [_along(part(links, g)) for g in nx.weakly_connected_components(links)]
    order = list(links)
    return sorted(found, key=lambda group: (-len(group), order.index(group[0])))


def _along(links: nx.DiGraph) -> list[str]:
    """Stocks from the first source to the last sink, those on a cycle in the order of the model."""
    whole = nx.condensation(links)
    order = nx.lexicographical_topological_sort(whole, key=lambda c: -len(nx.descendants(whole, c)))
    return [stock for c in order for stock in links if stock in whole.nodes[c]["members"]]


def plan(graph: nx.DiGraph, sizes: Mapping[str, Point], named: Mapping[str, Label]) -> Plan:
    """Put each group in a row, and the rows below each other.

    Parameters
    ----------
    graph : DiGraph
        Variables with their kinds, and links.
    sizes : mapping of str to Point
        Half of the width and height of each stock's box.
    named : mapping of str to Label
        Name of each flow, as it is written.
    """
    stocks: dict[str, tuple[float, float, float, float]] = {}
    pipes: list[Pipe] = []
    y = 0.0
    for group in groups(graph):
        own = [f for f in flows(graph) if f.source in group or f.target in group]
        row = _Row(group, own, sizes, named)
        y -= row.above
        stocks |= {s: (x, y, *row.sizes[s]) for s, x in row.x.items()}
        pipes += [_lifted(pipe, y) for pipe in row.pipes()]
        y -= row.below + _ROWS
    return Plan(stocks, tuple(pipes))


def plan_from_places(
    graph: nx.DiGraph,
    place: Mapping[str, Point],
    sizes: Mapping[str, Point],
    named: Mapping[str, Label],
) -> Plan:
    """Plan of a graph with a place for each stock and flow, as a sketch has it, y upward.

    A flow's place is that of its name; its valve is above it. Pipes run level from valve to stock,
    and turn once where the stock stands higher or lower.
    """
    pipes = []
    for flow in flows(graph):
        x, y = place[flow.name]
        valve = (x, y + VALVE + named[flow.name].height / 2)
        reach = named[flow.name].width / 2 + _ROOM + CLOUD[0]
        ends = (flow.source, flow.target)
        paths = []
        for end, other in (ends, ends[::-1]):
            if end:
                paths.append(_bent(valve, place[end], sizes[end]))
            else:
                assert other
                away = reach if valve[0] > place[other][0] else -reach
                paths.append((valve, (valve[0] + away, valve[1])))
        pipes.append(Pipe(flow, valve, False, (paths[0], paths[1])))
    return Plan({s: (*place[s], *sizes[s]) for s in sizes}, tuple(pipes))


def _bent(valve: Point, stock: Point, size: Point) -> tuple[Point, ...]:
    if abs(valve[1] - stock[1]) < size[1]:
        return valve, (stock[0], valve[1])
    side = size[0] / 2 if valve[0] > stock[0] else -size[0] / 2
    if abs(valve[0] - stock[0]) < size[0]:
        return valve, (valve[0], stock[1])
    return valve, (stock[0] + side, valve[1]), (stock[0] + side, stock[1])


def _lifted(pipe: Pipe, by: float) -> Pipe:
    def lifted(points: Sequence[Point]) -> tuple[Point, ...]:
        return tuple((x, y + by) for x, y in points)

    source, target = pipe.paths
    (valve,) = lifted([pipe.valve])
    return Pipe(pipe.flow, valve, pipe.upright, (lifted(source), lifted(target)))


class _Row:
    """A group of stocks side by side at y = 0.

    A flow runs straight where it can: between neighbours, or to a cloud at an end of the row. Other
    clouds stand above their stock, if it is filled, or below it; other flows between stocks run
    below the row, each in its own lane.
    """

    def __init__(
        self,
        group: Sequence[str],
        own: Sequence[Flow],
        sizes: Mapping[str, Point],
        named: Mapping[str, Label],
    ) -> None:
        self.group, self.named = group, named
        self.straight: dict[tuple[str | None, str | None], Flow] = {}
        self.up: dict[str, list[Flow]] = {s: [] for s in group}
        self.down: dict[str, list[Flow]] = {s: [] for s in group}
        self.around: list[Flow] = []
        for flow in own:
            self._assign(flow)
        self.lanes = self._lanes()
        self.sizes = {s: self._widened(s, sizes[s]) for s in group}
        self.x = self._places()
        self.above = _UP * 2 if any(self.up.values()) else 0.0
        deepest = _UP * 2 if any(self.down.values()) else 0.0
        self.first_lane = deepest + _LANE
        self.below = deepest + _LANE * (1 + max(self.lanes.values(), default=-1))

    def _assign(self, flow: Flow) -> None:
        gap = self._gap(flow)
        if gap is not None and gap not in self.straight:
            self.straight[gap] = flow
        elif flow.source and flow.target:
            self.around.append(flow)
        elif flow.target:
            self.up[flow.target].append(flow)
        elif flow.source:
            self.down[flow.source].append(flow)

    def _gap(self, flow: Flow) -> tuple[str | None, str | None] | None:
        """Neighbours, left and right, that a flow can run between in a straight line."""
        ends: list[str | None] = [None, *self.group, None]
        gaps = list(pairwise(ends))
        if (flow.source, flow.target) in gaps:
            return flow.source, flow.target
        if (flow.target, flow.source) in gaps and flow.source and flow.target:
            return flow.target, flow.source
        if (flow.target, None) in gaps:
            return flow.target, None
        return (None, flow.source) if (None, flow.source) in gaps else None

    def _lanes(self) -> dict[Flow, int]:
        """Lane of each flow below the row: short flows near it, and none over another."""
        lanes: dict[Flow, int] = {}
        for flow in sorted(self.around, key=lambda f: len(self._span(f))):
            span = self._span(flow)
            taken = {lane for other, lane in lanes.items() if span & self._span(other)}
            lanes[flow] = next(lane for lane in range(len(lanes) + 1) if lane not in taken)
        return lanes

    def _span(self, flow: Flow) -> set[int]:
        """Gaps between stocks that a flow passes."""
        assert flow.source
        assert flow.target
        ends = sorted((self.group.index(flow.source), self.group.index(flow.target)))
        return set(range(*ends))

    def _widened(self, stock: str, size: Point) -> Point:
        """Size of a stock's box, wide enough for the pipes above or below it side by side."""
        columns = max((self.up[stock], self.down[stock]), key=self._columns)
        ports = sum(stock in (flow.source, flow.target) for flow in self.around)
        if not ports and len(columns) < 2:
            return size
        return max(
            size[0], self._columns(columns) / 2 + (_PORT * (ports + 1) if ports else 0)
        ), size[1]

    def _places(self) -> dict[str, float]:
        places: dict[str, float] = {}
        x, before = 0.0, None
        for stock in self.group:
            if before is not None:
                flow = self.straight.get((before, stock))
                x += self.sizes[stock][0] + (self._length(flow) if flow else 2 * _ROOM)
            places[stock] = x
            x, before = x + self.sizes[stock][0], stock
        return places

    def _columns(self, upright: Sequence[Flow]) -> float:
        return sum(self._column(flow) for flow in upright)

    def _column(self, flow: Flow) -> float:
        return self.named[flow.name].width + 4 * VALVE

    def _length(self, flow: Flow) -> float:
        return self.named[flow.name].width + 2 * _ROOM

    def pipes(self) -> Iterator[Pipe]:
        """Pipes of the row."""
        for (left, right), flow in self.straight.items():
            yield self._level(flow, left, right)
        for stock in self.group:
            yield from self._upright(stock, self.up[stock], 1)
            yield from self._upright(stock, self.down[stock], -1)
        for flow, lane in self.lanes.items():
            yield self._lane(flow, -self.first_lane - _LANE * lane, lane)

    def _level(self, flow: Flow, left: str | None, right: str | None) -> Pipe:
        length = self._length(flow)
        if left and right:
            a, b = self.x[left], self.x[right]
            middle = (a + self.sizes[left][0] + b - self.sizes[right][0]) / 2
        elif right:
            b, middle = self.x[right], self.x[right] - self.sizes[right][0] - length / 2
            a = middle - length / 2 - CLOUD[0]
        else:
            assert left
            a, middle = self.x[left], self.x[left] + self.sizes[left][0] + length / 2
            b = middle + length / 2 + CLOUD[0]
        ends = ((a, 0.0), (b, 0.0))
        source, target = ends if flow.source == left else ends[::-1]
        valve = (middle, 0.0)
        return Pipe(flow, valve, False, ((valve, source), (valve, target)))

    def _upright(self, stock: str, upright: Sequence[Flow], way: int) -> Iterator[Pipe]:
        x = self.x[stock] - self._columns(upright) / 2 + 2 * VALVE
        if len(upright) == 1 and not self.around:
            x = self.x[stock]
        for flow in upright:
            valve = (x, way * (self.sizes[stock][1] + _UP * 0.75))
            cloud = (x, way * (self.sizes[stock][1] + _UP * 1.75))
            inside = (x, 0.0)
            ends = (cloud, inside) if way > 0 else (inside, cloud)
            yield Pipe(flow, valve, True, ((valve, ends[0]), (valve, ends[1])))
            x += self._column(flow)

    def _lane(self, flow: Flow, y: float, number: int) -> Pipe:
        """Down from a stock, along below the row, and up again."""
        assert flow.source
        assert flow.target
        ends = []
        for stock, other in ((flow.source, flow.target), (flow.target, flow.source)):
            toward = 1 if self.x[other] > self.x[stock] else -1
            x = self.x[stock] + toward * max(_PORT, self.sizes[stock][0] - _PORT * (1 + number))
            ends.append(x)
        valve = (sum(ends) / 2, y)
        source, target = ((valve, (x, y), (x, 0.0)) for x in ends)
        return Pipe(flow, valve, False, (source, target))
