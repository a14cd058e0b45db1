"""Lay out one stock-and-flow diagram for each sector (group) of a Vensim model.

Stocks that flows connect stand in a row; what drives the flows stands below, in layers by how many
steps away it is, each layer ordered by the mean place of what it drives (the barycentre rule of
Sugiyama, Tagawa and Toda 1981). The same file always gives the same picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx

from kredslob.errors import InputFileError
from kredslob.reading import abstract_model, references

_GROUP = re.compile(r"^\*{20,}\n\s*\.(?P<name>[^\n]+)\n\*{20,}~", re.MULTILINE)
_SKIPPED = ("Control",)
_STOCK_GAP, _ROW_GAP, _LANE = 330, 150, 56
_WIDEST = 1900
_HALF_HEIGHT = 18
_LETTER = 6.4


@dataclass(frozen=True)
class Box:
    """A variable in a view.

    Parameters
    ----------
    name : str
        Its name.
    kind : str
        stock, flow, auxiliary, constant, or shadow (defined in another sector).
    x, y : int
        Centre, in points; y grows downward.
    width, height : int
        Half of the size of the label.
    """

    name: str
    kind: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Pipe:
    """A flow: from a stock (or a cloud at a place) through its valve to a stock or a cloud."""

    flow: str
    source: str | None
    target: str | None
    valve: tuple[int, int]
    cloud: tuple[int, int] | None


@dataclass(frozen=True)
class Arrow:
    """A causal arrow with the point that its curve passes."""

    source: str
    target: str
    through: tuple[int, int]


@dataclass(frozen=True)
class View:
    """The diagram of one sector."""

    name: str
    boxes: tuple[Box, ...]
    pipes: tuple[Pipe, ...]
    arrows: tuple[Arrow, ...]

    def box(self, name: str) -> Box:
        """Box of a variable. Raises KeyError if it is not in the view."""
        return {box.name: box for box in self.boxes}[name]


@dataclass(frozen=True)
class _Equations:
    """What the layout needs to know of a model."""

    kinds: Mapping[str, str]
    causes: Mapping[str, tuple[str, ...]]
    inflows: Mapping[str, tuple[str, ...]]
    outflows: Mapping[str, tuple[str, ...]]


def views(path: Path) -> list[View]:
    """Lay out a view for each group of a Vensim model file.

    Parameters
    ----------
    path : Path
        A ``.mdl`` file whose equations stand under group headers.

    Returns
    -------
    list of View
        In the order of the file; the group "Control" is left out.

    Raises
    ------
    InputFileError
        The file cannot be read, or has no groups.
    """
    equations = _equations(abstract_model(path).sections[0].elements)
    groups = _groups(path, equations.kinds)
    return [_view(name, members, equations) for name, members in groups.items() if members]


def _groups(path: Path, names: Iterable[str]) -> dict[str, list[str]]:
    text = path.read_text(encoding="utf-8").split("\\\\\\---///")[0]
    headers = list(_GROUP.finditer(text))
    if not headers:
        raise InputFileError(path, "has no group headers, expected one before each sector")
    ends = [h.start() for h in headers[1:]] + [len(text)]
    groups: dict[str, list[str]] = {}
    places = {name: _place(text, name) for name in names}
    for header, end in zip(headers, ends, strict=True):
        if header["name"].strip() not in _SKIPPED:
            inside = [n for n, at in places.items() if header.end() <= at < end]
            groups[header["name"].strip()] = sorted(inside, key=lambda n: places[n])
    return groups


def _place(text: str, name: str) -> int:
    words = r"\s+".join(re.escape(word) for word in name.split())
    found = re.search(rf'^"?{words}"?\s*(\[[^\]]*\])?\s*(=|\()', text, re.MULTILINE)
    return found.start() if found else -1


def _equations(elements: Sequence[Any]) -> _Equations:
    names = {_key(e.name): e.name for e in elements}
    kinds: dict[str, str] = {}
    causes: dict[str, tuple[str, ...]] = {}
    inflows: dict[str, tuple[str, ...]] = {}
    outflows: dict[str, tuple[str, ...]] = {}
    for element in elements:
        trees = [c.ast for c in element.components]
        used = [names[r] for r in map(_key, references(trees)) if r in names]
        causes[element.name] = tuple(dict.fromkeys(n for n in used if n != element.name))
        if type(trees[0]).__name__ == "IntegStructure":
            kinds[element.name] = "stock"
            terms = [t for tree in trees for t in _terms(tree.flow, +1)]
            plain = [(names[r], sign) for r, sign in terms if r in names]
            inflows[element.name] = tuple(dict.fromkeys(n for n, s in plain if s > 0))
            outflows[element.name] = tuple(dict.fromkeys(n for n, s in plain if s < 0))
        else:
            kinds[element.name] = "auxiliary" if causes[element.name] else "constant"
    for flow in {n for flows in (*inflows.values(), *outflows.values()) for n in flows}:
        if kinds[flow] == "auxiliary":
            kinds[flow] = "flow"
    return _Equations(kinds, causes, inflows, outflows)


def _terms(node: Any, sign: int) -> Iterator[tuple[str, int]]:
    """Top-level terms of a net flow that are variables, with their sign."""
    kind = type(node).__name__
    if kind == "ReferenceStructure":
        yield _key(node.reference), sign
    elif kind == "ArithmeticStructure" and node.operators[0] == "negative":
        yield from _terms(node.arguments[0], -sign)
    elif kind == "ArithmeticStructure" and node.operators[0] in ("+", "-"):
        yield from _terms(node.arguments[0], sign)
        for operator, argument in zip(node.operators, node.arguments[1:], strict=True):
            yield from _terms(argument, sign if operator == "+" else -sign)


def _key(name: str) -> str:
    return " ".join(name.replace("_", " ").lower().split())


def _view(name: str, members: Sequence[str], equations: _Equations) -> View:
    stocks = [n for n in members if equations.kinds[n] == "stock"]
    ends = _flow_ends(stocks, members, equations)
    boxes, pipes = _stock_rows(stocks, ends)
    bottom = max((b.y for b in boxes.values()), default=60)
    links = _links(members, ends, equations)
    boxes |= _layers(members, boxes, links, equations, bottom)
    arrows = tuple(_arrow(boxes[a], boxes[b]) for a, b in links)
    return View(name, tuple(boxes.values()), tuple(pipes), arrows)


def _flow_ends(
    stocks: Sequence[str], members: Sequence[str], equations: _Equations
) -> dict[str, tuple[str | None, str | None]]:
    """Source and target stock of each flow of this view; None is a cloud."""
    ends: dict[str, tuple[str | None, str | None]] = {}
    for flow in members:
        if equations.kinds[flow] != "flow":
            continue
        source = next((s for s in stocks if flow in equations.outflows[s]), None)
        target = next((s for s in stocks if flow in equations.inflows[s]), None)
        if source or target:
            ends[flow] = (source, target)
    return ends


def _stock_rows(
    stocks: Sequence[str], ends: Mapping[str, tuple[str | None, str | None]]
) -> tuple[dict[str, Box], list[Pipe]]:
    graph = nx.Graph()
    graph.add_nodes_from(stocks)
    graph.add_edges_from((a, b) for a, b in ends.values() if a and b)
    chains = [sorted(chain, key=list(stocks).index) for chain in nx.connected_components(graph)]
    chains.sort(key=lambda chain: (-len(chain), list(stocks).index(chain[0])))
    boxes: dict[str, Box] = {}
    pipes: list[Pipe] = []
    x, y, deepest = 260, 110, 0
    for chain in chains:
        lanes = _lanes(chain, ends)
        width = _STOCK_GAP * len(chain)
        if x > 260 and x + width > _WIDEST:
            x, y = 260, y + deepest + _ROW_GAP
            deepest = 0
        for number, stock in enumerate(chain):
            place = x + number * _STOCK_GAP
            boxes[stock] = Box(stock, "stock", place, y, *_stock_size(stock))
        for flow, lane in lanes.items():
            box, pipe = _flow(flow, ends[flow], lane, boxes)
            boxes[flow] = box
            pipes.append(pipe)
        deepest = max(deepest, _LANE * (1 + max(lanes.values(), default=0)))
        x += width + 160
    return boxes, pipes


def _lanes(
    chain: Sequence[str], ends: Mapping[str, tuple[str | None, str | None]]
) -> dict[str, int]:
    """Lane below the row for each flow, so that no two flows of a chain lie on each other."""
    place = {stock: i for i, stock in enumerate(chain)}
    taken: list[list[tuple[float, float]]] = []
    lanes: dict[str, int] = {}
    own = {f: e for f, e in ends.items() if e[0] in place or e[1] in place}

    def span(flow: str) -> tuple[float, float]:
        source, target = own[flow]
        a = place[source] if source in place else place[target] - 0.72  # type: ignore[index]
        b = place[target] if target in place else place[source] + 0.72  # type: ignore[index]
        return min(a, b), max(a, b)

    for flow in sorted(own, key=lambda f: (span(f)[1] - span(f)[0], list(own).index(f))):
        low, high = span(flow)
        free = (
            lane for lane, spans in enumerate(taken) if all(high <= a or low >= b for a, b in spans)
        )
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        lanes[flow] = lane
    return lanes


def _flow(
    flow: str, ends: tuple[str | None, str | None], lane: int, boxes: Mapping[str, Box]
) -> tuple[Box, Pipe]:
    source, target = ends
    anchor = boxes[source or target]  # type: ignore[index]
    y = anchor.y + lane * _LANE
    cloud = None
    if source and target:
        x = (boxes[source].x + boxes[target].x) // 2
    elif target:
        x, cloud = anchor.x - int(0.42 * _STOCK_GAP), (anchor.x - int(0.7 * _STOCK_GAP), y)
    else:
        x, cloud = anchor.x + int(0.42 * _STOCK_GAP), (anchor.x + int(0.7 * _STOCK_GAP), y)
    width, height = _text_size(flow)
    box = Box(flow, "flow", x, y + 10 + height, width, height)
    return box, Pipe(flow, source, target, (x, y), cloud)


def _links(
    members: Sequence[str],
    ends: Mapping[str, tuple[str | None, str | None]],
    equations: _Equations,
) -> list[tuple[str, str]]:
    """Causal arrows of the view: every cause of a member, but for the flows of its pipes."""
    links = []
    for effect in members:
        for cause in equations.causes[effect]:
            by_pipe = cause in ends and equations.kinds[effect] == "stock"
            if not by_pipe and cause in equations.kinds and _key(cause) not in _TIME:
                links.append((cause, effect))
    return links


_TIME = {"time", "time step", "initial time", "final time", "saveper"}


def _layers(
    members: Sequence[str],
    placed: Mapping[str, Box],
    links: Sequence[tuple[str, str]],
    equations: _Equations,
    bottom: int,
) -> dict[str, Box]:
    """Place what is neither stock nor pipe in layers below, causes under effects."""
    inside = set(members)
    loose = [n for n in members if n not in placed]
    loose += [a for a in dict.fromkeys(a for a, _ in links) if a not in inside]
    depth = _depths(loose, links)
    boxes: dict[str, Box] = {}
    y = bottom + 95
    for level in sorted(set(depth.values())):
        row = [n for n in loose if depth[n] == level]
        known = {**placed, **boxes}
        wanted = {n: _barycentre(n, links, known) for n in row}
        row.sort(key=lambda n: (wanted[n], n))
        for part in _rows_that_fit(row):
            boxes |= _packed(part, wanted, y, inside, equations)
            y += 62
        y += 26
    return boxes


def _depths(loose: Sequence[str], links: Sequence[tuple[str, str]]) -> dict[str, int]:
    graph = nx.DiGraph()
    graph.add_nodes_from(loose)
    graph.add_edges_from((a, b) for a, b in links if a in graph and b in graph)
    depth: dict[str, int] = {}
    condensed = nx.condensation(graph)
    for component in reversed(list(nx.topological_sort(condensed))):
        below = [
            depth[n]
            for successor in condensed.successors(component)
            for n in condensed.nodes[successor]["members"]
        ]
        for n in condensed.nodes[component]["members"]:
            depth[n] = 1 + max(below, default=0)
    return depth


def _barycentre(name: str, links: Sequence[tuple[str, str]], known: Mapping[str, Box]) -> float:
    places = [known[b].x for a, b in links if a == name and b in known]
    return sum(places) / len(places) if places else _WIDEST / 2


def _rows_that_fit(row: Sequence[str]) -> list[list[str]]:
    """Split a layer into as many rows as it needs, taking turns, so that neighbours stay near."""
    room = sum(2 * _text_size(n)[0] + 26 for n in row)
    count = max(1, -(-room // _WIDEST))
    return [list(row[i::count]) for i in range(count)]


def _packed(
    row: Sequence[str],
    wanted: Mapping[str, float],
    y: int,
    inside: set[str],
    equations: _Equations,
) -> dict[str, Box]:
    """Put labels side by side, each as near to where it is wanted as its neighbours let it."""
    widths = [_text_size(n)[0] for n in row]
    places: list[float] = []
    left = 20.0
    for name, width in zip(row, widths, strict=True):
        places.append(max(left + width, wanted[name]))
        left = places[-1] + width + 26
    right = float(_WIDEST + 200)
    for i in range(len(row) - 1, -1, -1):
        places[i] = min(places[i], right - widths[i])
        right = places[i] - widths[i] - 26
    shift = max(0.0, 20 + widths[0] - places[0]) if places else 0.0
    return {
        name: Box(
            name,
            equations.kinds[name] if name in inside else "shadow",
            int(place + shift),
            y,
            *_text_size(name),
        )
        for name, place in zip(row, places, strict=True)
    }


def _arrow(source: Box, target: Box) -> Arrow:
    """Bend the arrow a little, always to the same side, so that two-way links stay apart."""
    x, y = (source.x + target.x) // 2, (source.y + target.y) // 2
    dx, dy = target.x - source.x, target.y - source.y
    return Arrow(source.name, target.name, (x - dy // 10, y + dx // 10))


def _text_size(name: str) -> tuple[int, int]:
    """Half width and half height of a label wrapped to about 20 letters a line."""
    lines = wrapped(name)
    return int(max(len(line) for line in lines) * _LETTER / 2) + 6, 9 * len(lines)


def _stock_size(name: str) -> tuple[int, int]:
    width, height = _text_size(name)
    return max(48, width + 4), max(_HALF_HEIGHT, height + 4)


def wrapped(name: str, letters: int = 20) -> list[str]:
    """Lines of a label."""
    import textwrap

    return textwrap.wrap(name, letters, break_long_words=False) or [name]
