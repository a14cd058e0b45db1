"""Feedback loops of a causal graph: all of them where that is possible, and named families."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import networkx as nx

from kredslob.arguments import check_kind, check_whole

#: Loops up to which all are listed; a graph with more is searched for the strong ones.
MOST_LOOPS = 1_000


@dataclass(frozen=True)
class Loop:
    """A feedback loop.

    Parameters
    ----------
    name : str
        R1, B2, ...: its polarity and a number, or the name of a family and a number.
    variables : tuple of str
        Once round, each acting on the next and the last one on the first.
    polarity : str
        R reinforcing, B balancing, or ? where signs are unknown or change.

    Examples
    --------
    >>> print(kredslob.Loop("R1", ("births", "population"), "R"))
    R1: births → population → births
    """

    name: str
    variables: tuple[str, ...]
    polarity: str

    def __str__(self) -> str:
        return f"{self.name}: {' → '.join((*self.variables, self.variables[0]))}"


class Found(NamedTuple):
    """Loops, and whether they are all there are."""

    loops: list[Loop]
    complete: bool


def find_loops(graph: nx.DiGraph, *, most: int = MOST_LOOPS) -> Found:
    """List the simple loops of a causal graph (Johnson 1975, as networkx has it).

    Parameters
    ----------
    graph : DiGraph
        From `kredslob.feedback.graph.causal_graph`; edges may have a ``polarity``.
    most : int
        Where to stop. The number of loops can grow exponentially with that of variables.

    Returns
    -------
    Found
        Loops, shortest first, and whether these are all.

    Examples
    --------
    >>> graph = kredslob.causal_graph(kredslob.load("predator_prey.mdl"))
    >>> found = kredslob.find_loops(graph)
    >>> [str(loop) for loop in found.loops]
    ['U1: Predator → Predator', 'U2: Prey → Prey', 'B1: Predator → Prey → Predator']
    >>> found.complete
    True
    """
    check_is_graph(graph)
    check_whole("most", most, 0)
    cycles, complete = cycles_of(graph, most)
    return Found(_named(graph, cycles), complete)


def check_is_graph(graph: object) -> None:
    """Raise ParameterError where something else is given for a graph, such as its model."""
    check_kind("graph", graph, nx.DiGraph, "what kredslob.causal_graph(model) gives")


def cycles_of(graph: nx.DiGraph, most: int) -> tuple[list[list[Any]], bool]:
    """Simple cycles of a graph up to a number, and whether these are all."""
    cycles = list(islice(nx.simple_cycles(graph), most + 1))
    return cycles[:most], len(cycles) <= most


def independent_loops(graph: nx.DiGraph) -> list[Loop]:
    """The shortest independent loop set: short loops that cover each link that lies on a loop.

    Parameters
    ----------
    graph : DiGraph
        From `kredslob.feedback.graph.causal_graph`.

    Returns
    -------
    list of Loop
        Shortest first. For each pair of variables the shortest way there and back is tried, and
        kept if it has a link that no shorter loop had (Oliva 2004, doi:10.1002/sdr.300). It covers
        all links; the number of loops that are independent as a basis is links - nodes + 1 of each
        part (Kampmann 2012, doi:10.1002/sdr.1483), which may be more.

    Examples
    --------
    >>> graph = kredslob.causal_graph(kredslob.load("predator_prey.mdl"))
    >>> len(kredslob.independent_loops(graph))
    3
    """
    check_is_graph(graph)
    chosen: list[Sequence[Any]] = []
    for part in nx.strongly_connected_components(graph):
        own = graph.subgraph(part)
        ways = dict(nx.all_pairs_shortest_path(own))
        loops = {canonical(c): c for c in _there_and_back(own, ways)}
        covered: set[tuple[Any, Any]] = set()
        for loop in sorted(loops.values(), key=lambda c: (len(c), [str(n) for n in c])):
            links = set(zip(loop, [*loop[1:], loop[0]], strict=True))
            if links - covered:
                covered |= links
                chosen.append(loop)
    return _named(graph, chosen)


def _there_and_back(
    graph: nx.DiGraph, ways: Mapping[Any, Mapping[Any, list[Any]]]
) -> Iterable[Any]:
    for a in graph:
        if graph.has_edge(a, a):
            yield (a,)
        for b in graph:
            if a != b:
                loop = (*ways[a][b], *ways[b][a][1:-1])
                if len(set(loop)) == len(loop):
                    yield loop


def canonical(loop: Sequence[Any]) -> tuple[Any, ...]:
    """A loop as it reads from its first node in order of names."""
    start = list(loop).index(min(loop))
    return (*loop[start:], *loop[:start])


def _named(graph: nx.DiGraph, cycles: Iterable[Sequence[Any]]) -> list[Loop]:
    numbers: dict[str, int] = {}
    loops = []
    for cycle in sorted(map(canonical, cycles), key=lambda c: (len(c), [str(n) for n in c])):
        polarity = _polarity(graph, cycle)
        numbers[polarity] = numbers.get(polarity, 0) + 1
        letter = polarity if polarity != "?" else "U"
        loops.append(Loop(f"{letter}{numbers[polarity]}", cycle, polarity))
    return loops


def _polarity(graph: nx.DiGraph, cycle: Sequence[Any]) -> str:
    """R if an even number of links is negative, B if odd, ? if one is unknown."""
    signs = [
        graph.edges[ends].get("polarity", "?")
        for ends in zip(cycle, [*cycle[1:], cycle[0]], strict=True)
    ]
    if any(s not in "+-" for s in signs):
        return "?"
    return "B" if signs.count("-") % 2 else "R"
