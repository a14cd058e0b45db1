"""A smaller graph for a diagram: a part of one, or one whose chains have become single links."""

from __future__ import annotations

from collections.abc import Collection

import networkx as nx

_SIGN = {"+": 1, "-": -1, "?": 0}
_NAME = {1: "+", -1: "-", 0: "?"}


def folded(graph: nx.DiGraph, keep: Collection[str]) -> nx.DiGraph:
    """Replace chains of variables that are not kept by one link each.

    A variable is folded if it is not kept and has exactly one cause and one effect, another one.
    The link that takes its place has the product of the two polarities, and the smaller of their
    weights where both have one. Where there is a link already, the two become one, whose polarity
    is theirs if they agree and "?" if not.

    Parameters
    ----------
    graph : DiGraph
        Links from cause to effect with ``polarity`` "+", "-" or "?". It stays as it is.
    keep : collection of str
        Variables to keep, such as stocks and those that people know.

    Returns
    -------
    DiGraph
        With the variables that are left, in their order.
    """
    smaller = graph.copy()
    for name in graph:
        causes, effects = list(smaller.predecessors(name)), list(smaller.successors(name))
        if name in keep or len(causes) != 1 or len(effects) != 1:
            continue
        cause, effect = causes[0], effects[0]
        if cause == effect or name in (cause, effect):
            continue
        link = _product(smaller.edges[cause, name], smaller.edges[name, effect])
        smaller.remove_node(name)
        if smaller.has_edge(cause, effect):
            link = _both(smaller.edges[cause, effect], link)
        smaller.add_edge(cause, effect, **link)
    return smaller


def part(graph: nx.DiGraph, names: Collection[str]) -> nx.DiGraph:
    """Copy of some variables of a graph and the links between them, in the order of the graph.

    `networkx` gives the variables of a small subgraph in the order of a set, which changes from one
    run of Python to the next; and with it the picture.
    """
    smaller = nx.DiGraph()
    smaller.add_nodes_from((n, dict(graph.nodes[n])) for n in graph if n in names)
    smaller.add_edges_from(
        (a, b, dict(link)) for a, b, link in graph.edges(data=True) if a in names and b in names
    )
    return smaller


def _product(first: dict[str, object], second: dict[str, object]) -> dict[str, object]:
    sign = _SIGN[str(first["polarity"])] * _SIGN[str(second["polarity"])]
    weights = [link["weight"] for link in (first, second) if "weight" in link]
    link: dict[str, object] = {"polarity": _NAME[sign]}
    return link | {"weight": min(weights)} if len(weights) == 2 else link  # type: ignore[type-var]


def _both(there: dict[str, object], new: dict[str, object]) -> dict[str, object]:
    return {"polarity": new["polarity"] if there["polarity"] == new["polarity"] else "?"}
