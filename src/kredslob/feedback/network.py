"""A model as numbers: nodes, links between them, and the links between their elements.

A node is an array with all its elements, one stage of a delay, or a single element. A link joins
two nodes; where they are arrays, it holds the links between their elements. Nodes from which a way
leads back to them belong to one strongly connected part each: their *cycle partition*.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import networkx as nx
import numpy as np

from kredslob.feedback.links import Link, links_of
from kredslob.feedback.measuring import Measured, measured
from kredslob.program import Array, Program

Node = tuple[str, int, int]  # array, its first element that belongs here, and how many do


@dataclass(frozen=True)
class Network:
    """Nodes and links.

    Parameters
    ----------
    nodes : sequence of str
        Names of the nodes.
    arrays : sequence of str
        Array of each node.
    sizes : sequence of int
        Number of elements of each node.
    partition : sequence of int
        Number of the part in which each node lies; -1 if on no loop.
    visible : sequence of bool
        Whether the model file has this variable, or it is inside an equation.
    ends : sequence of (int, int)
        Source and target node of each link.
    first : array of int, shape (links + 1,)
        Where the element links of each link begin; they lie one after the other.
    sources, targets : array of int, shape (element links,)
        Elements within the nodes.
    columns : array of int, shape (element links, 3)
        Where the value of the source, of the target, and the change lie among the values saved;
        -1 for a change where the target takes over what the source was.
    """

    nodes: Sequence[str]
    arrays: Sequence[str]
    sizes: Sequence[int]
    partition: Sequence[int]
    visible: Sequence[bool]
    ends: Sequence[tuple[int, int]]
    first: np.ndarray
    sources: np.ndarray
    targets: np.ndarray
    columns: np.ndarray

    @cached_property
    def holding(self) -> frozenset[int]:
        """Nodes that keep something from step to step: stocks, delays and the like."""
        takes_over = self.columns[self.first[:-1], 2] < 0
        return frozenset(b for (_, b), holds in zip(self.ends, takes_over, strict=True) if holds)

    @cached_property
    def routes(self) -> Mapping[tuple[int, int], Sequence[tuple[int, ...]]]:
        """Ways from one visible node to the next, by the links that they take."""
        found: dict[tuple[int, int], list[tuple[int, ...]]] = {}
        for start in (n for n, seen in enumerate(self.visible) if seen):
            waiting: list[tuple[int, tuple[int, ...], frozenset[int]]] = [(start, (), frozenset())]
            while waiting:
                node, way, passed = waiting.pop()
                for _, goal, link in self.graph.out_edges(node, data="link"):
                    if self.visible[goal]:
                        found.setdefault((start, goal), []).append((*way, link))
                    elif goal not in passed:
                        waiting.append((goal, (*way, link), passed | {goal}))
        return found

    @cached_property
    def graph(self) -> nx.DiGraph:
        """Nodes by number; each edge has its ``link``."""
        graph = nx.DiGraph()
        for k, (source, target) in enumerate(self.ends):
            graph.add_edge(source, target, link=k)
        return graph


def feedback_part(program: Program) -> Measured:
    """The program with those links measured that lie on loops; it saves each step."""
    part = _parts((k.source, k.target) for k in links_of(program))
    result = measured(program, lambda a, b: _within(part, a, b))
    clock = replace(program.clock, saveper=program.clock.step)
    return replace(result, program=replace(result.program, clock=clock))


def saved_arrays(measured: Measured) -> list[str]:
    """The arrays whose values a network needs, one after the other."""
    saved = [n for k in measured.links for n in (k.source, k.target, k.change) if n]
    return list(dict.fromkeys(saved))


def network(measured: Measured, *, elements: bool, loops_only: bool) -> Network:
    """The network of a measured program.

    Parameters
    ----------
    measured : Measured
        A program with its links measured.
    elements : bool
        Whether each element is a node of its own.
    loops_only : bool
        Whether only links that lie on loops are wanted.

    Returns
    -------
    Network
        Its columns are those of `saved_arrays`.
    """
    arrays = measured.program.arrays
    joined: dict[tuple[Node, Node], list[np.ndarray]] = {}
    places = _columns(arrays, saved_arrays(measured))
    for link in measured.links:
        for ends, rows in _rows(link, arrays, places, elements):
            joined.setdefault(ends, []).append(rows)
    part = _parts(joined)
    kept = {e: rows for e, rows in joined.items() if not loops_only or _within(part, *e)}
    nodes = list(dict.fromkeys(n for ends in kept for n in ends))
    number = {n: k for k, n in enumerate(nodes)}
    blocks = [np.concatenate(rows) for rows in kept.values()]
    table = np.concatenate([np.zeros((0, 5), dtype=np.int64), *blocks])
    return Network(
        nodes=[_label(n, arrays, measured.program.ranges) for n in nodes],
        arrays=[n[0] for n in nodes],
        sizes=[n[2] for n in nodes],
        partition=[part.get(n, -1) for n in nodes],
        visible=[arrays[n[0]].is_visible for n in nodes],
        ends=[(number[a], number[b]) for a, b in kept],
        first=np.cumsum([0, *map(len, blocks)]),
        sources=np.ascontiguousarray(table[:, 0]),
        targets=np.ascontiguousarray(table[:, 1]),
        columns=np.ascontiguousarray(table[:, 2:]),
    )


def element_name(array: Array, element: int, ranges: Mapping[str, Sequence[str]]) -> str:
    """Name of one element of an array, by its flat number: ``Stock[north, young]``."""
    if not array.shape:
        return array.name
    at = [int(k) for k in np.unravel_index(element, array.shape)]
    dims = array.dims or ("",) * len(at)  # hidden ones do not always tell their ranges
    names = [ranges[d][k] if d in ranges else str(k + 1) for d, k in zip(dims, at, strict=True)]
    return f"{array.name}[{', '.join(names)}]"


def _label(node: Node, arrays: Mapping[str, Array], ranges: Mapping[str, Sequence[str]]) -> str:
    name, first, count = node
    array = arrays[name]
    return name if count == array.size else element_name(array, first, ranges)


def _parts(links: Iterable[tuple[Hashable, Hashable]]) -> dict[Hashable, int]:
    """Number of the strongly connected part of each node that lies on a loop."""
    graph = nx.DiGraph(list(links))
    parts = nx.strongly_connected_components(graph)
    looping = [c for c in parts if len(c) > 1 or graph.has_edge(*(2 * tuple(c)))]
    return {node: k for k, nodes in enumerate(looping) for node in nodes}


def _within(part: Mapping[Hashable, int], source: Hashable, target: Hashable) -> bool:
    return part.get(source, -1) == part.get(target, -2)


def _columns(arrays: Mapping[str, Array], saved: Sequence[str]) -> dict[str, int]:
    sizes = [arrays[n].size for n in saved]
    return dict(zip(saved, np.cumsum([0, *sizes]), strict=False))


def _rows(
    link: Link, arrays: Mapping[str, Array], places: Mapping[str, int], elements: bool
) -> Iterable[tuple[tuple[Node, Node], np.ndarray]]:
    """Pairs of nodes that a link joins, and the rows of the table for each."""
    wide = [1 if elements else _width(arrays[n]) for n in (link.source, link.target)]
    firsts = [ends // w * w for ends, w in zip((link.sources, link.targets), wide, strict=True)]
    rows = np.zeros((len(link.sources), 5), dtype=np.int64)
    rows[:, 0], rows[:, 1] = link.sources - firsts[0], link.targets - firsts[1]
    rows[:, 2] = places[link.source] + link.sources
    rows[:, 3] = places[link.target] + link.targets
    rows[:, 4] = places[link.change] + np.arange(len(rows)) if link.change else -1
    pairs, which = np.unique(np.stack(firsts, axis=1), axis=0, return_inverse=True)
    order = np.argsort(which, kind="stable")
    for (a, b), own in zip(
        pairs.tolist(), np.split(rows[order], np.cumsum(np.bincount(which))[:-1]), strict=True
    ):
        yield ((link.source, a, wide[0]), (link.target, b, wide[1])), own


def _width(array: Array) -> int:
    """Elements that make one node: all, but each stage of a delay is one by itself."""
    stages = array.shape[0] if array.dims[:1] == ("stage",) and not array.is_visible else 1
    return array.size // stages
