"""Which links and loops move which eigenvalue: eigenvalue elasticity analysis.

An eigenvalue is a sum with one term for each entry of the Jacobian, a_ij l_i r_j: the *influence*
of the entry, d eigenvalue / d ln a_ij. At each stock, what comes in is what goes out, so the
influences are a circulation on the graph of stocks, and there is one way to make them up from the
loops of an independent set (Kampmann 2012, doi:10.1002/sdr.1483). The elasticity is the influence
over the eigenvalue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import networkx as nx
import numpy as np
import pandas as pd
import xarray as xr

from kredslob.arguments import check_result
from kredslob.errors import ParameterError
from kredslob.feedback.scores import ARROW

_RESIDUAL = 1e-6  # of the influences: more cannot be rounding


def elasticities(linear: xr.Dataset) -> xr.Dataset:
    """How each entry of the Jacobian moves each eigenvalue.

    Parameters
    ----------
    linear : Dataset
        From `linearise`; select modes first where there are many stocks: the result has one number
        for each mode, stock and cause.

    Returns
    -------
    Dataset
        Complex, over ``mode``, ``stock`` and ``cause``. "elasticity" (Dmnl): d ln eigenvalue / d ln
        entry, (a_ij / eigenvalue) l_i r_j / (l . r), missing where the eigenvalue is zero; over all
        entries it adds up to one. "sensitivity": d eigenvalue / d entry, l_i r_j / (l . r).
        "influence" (1/time unit): d eigenvalue / d ln entry. Where a mode is marked "repeated",
        none of them means anything.
    """
    sensitivity = linear["left eigenvector"] * linear["right eigenvector"]
    influence = sensitivity * linear["jacobian"]
    elasticity = influence / linear["eigenvalue"].where(~linear["at zero"])
    data = {
        "elasticity": elasticity.assign_attrs(units="Dmnl", long_name="elasticity"),
        "sensitivity": sensitivity.assign_attrs(units="cause/stock", long_name="sensitivity"),
        "influence": influence.assign_attrs(
            units=linear["eigenvalue"].attrs["units"], long_name="influence"
        ),
    }
    return xr.Dataset(data, attrs=linear.attrs)


def loop_elasticities(linear: xr.Dataset, *, mode: int = 0, rolled_up: bool = True) -> pd.DataFrame:
    """Which loops move an eigenvalue.

    Parameters
    ----------
    linear : Dataset
        From `linearise`.
    mode : int
        Label of the mode; 0 is the one that grows fastest or fades slowest.
    rolled_up : bool
        Whether to add up over the elements of each stock and go along whole stocks. Otherwise each
        element is a stock of its own.

    Returns
    -------
    DataFrame
        A row for each loop of an independent set, links - stocks + 1 of the part of the model that
        the mode belongs to; the other loops have no effect on it. The one that moves the eigenvalue
        most comes first. "loop": its stocks once round; "length": their number; "gain"
        (1/time unit to the power of the length): product of the entries of the Jacobian, missing
        where a stock stands for several elements; "influence" (complex, 1/time unit): d eigenvalue
        / d ln gain; "elasticity" (complex, Dmnl): d ln eigenvalue / d ln gain, missing where the
        eigenvalue is zero. ``attrs``: mode, eigenvalue, and residual, the largest influence that
        the loops leave over, as a share of all.

    Raises
    ------
    ParameterError
        There is no such mode, or its eigenvalue is repeated, so that no loop can be told to move
        it.

    Notes
    -----
    The set is made of ears: a way through links that no loop has yet, closed along those that one
    has, the shortest loop first. A different set gives other numbers; loops that are not in it act
    through those that are.

    Examples
    --------
    >>> linear = kredslob.linearise(kredslob.load("predator_prey.mdl"), time=10)
    >>> kredslob.loop_elasticities(linear)["loop"].tolist()
    ['Predator → Prey', 'Prey', 'Predator']
    """
    check_result("linear", linear, ["mode", "jacobian"], "linearise")
    if mode not in linear["mode"].values:
        raise ParameterError(f"mode: found {mode!r}, expected 0 to {linear.sizes['mode'] - 1}")
    now = linear.sel(mode=mode)
    if now["repeated"]:
        raise ParameterError(f"mode {mode}: its eigenvalue is repeated, no loop moves it alone")
    own = (now["part of stock"] == now["part"]).values
    now = now.isel(stock=own, cause=own)
    influence = now["jacobian"] * now["left eigenvector"] * now["right eigenvector"]
    labels = now["variable" if rolled_up else "stock"].values
    names, node = np.unique(labels, return_inverse=True)
    flows = _added_up(influence.values, node)
    links = _added_up((now["jacobian"].values != 0).astype(float), node) > 0
    loops = list(_loops(nx.DiGraph(np.argwhere(links.T).tolist())))
    weights, residual = _weights(flows, loops)
    left_over = np.abs(residual).max() / max(np.abs(flows).sum(), np.finfo(float).tiny)
    if left_over > _RESIDUAL:
        raise ParameterError(f"mode {mode}: what moves its eigenvalue is no sum of loops")
    alone = np.bincount(node) == 1
    gains = np.where(alone[:, np.newaxis] & alone, _added_up(now["jacobian"].values, node), np.nan)
    value = complex(now["eigenvalue"])
    elasticity = np.full(len(loops), np.nan) if now["at zero"] else weights / value
    table = pd.DataFrame(
        {
            "loop": [ARROW.join(names[list(loop)]) for loop in loops],
            "length": [len(loop) for loop in loops],
            "gain": [np.prod([gains[b, a] for a, b in _links(loop)]) for loop in loops],
            "influence": weights,
            "elasticity": elasticity,
        }
    )
    table = table.iloc[np.argsort(-np.abs(weights), kind="stable")].reset_index(drop=True)
    table.attrs = {"mode": int(mode), "eigenvalue": value, "residual": float(left_over)}
    return table


def _added_up(entries: np.ndarray, node: np.ndarray) -> np.ndarray:
    """Entries of a matrix over stocks, added up over the stocks of each node."""
    member = np.arange(node.max() + 1)[:, np.newaxis] == node
    return member @ entries @ member.T


# --- independent loops -------------------------------------------------------------------------


def _loops(graph: nx.DiGraph) -> Iterator[tuple[int, ...]]:
    """Independent loops of a strongly connected graph; the first link of each is new with it."""
    covered = nx.DiGraph()
    count = graph.number_of_nodes()
    distance = np.where(np.eye(count, dtype=bool), 0.0, np.inf)  # along what is covered
    while covered.number_of_edges() < graph.number_of_edges():
        *ear, goal = _shortest_ear(graph, covered, distance)
        way_back = nx.shortest_path(covered, goal, ear[0]) if goal in covered else [goal]
        yield (*ear, *way_back[:-1])
        for a, b in pairwise([*ear, goal]):
            covered.add_edge(a, b)
            distance = np.minimum(distance, distance[:, [a]] + 1 + distance[[b]])


def _shortest_ear(graph: nx.DiGraph, covered: nx.DiGraph, distance: np.ndarray) -> tuple[int, ...]:
    """The way along links not covered, through nodes not covered, that closes the shortest loop."""
    best: tuple[int, ...] = ()
    shortest = np.inf
    for start in covered or graph:
        waiting: deque[tuple[int, ...]] = deque([(start,)])
        seen = {start}
        while waiting and len(waiting[0]) < shortest:
            way = waiting.popleft()
            for goal in graph[way[-1]]:
                if covered.has_edge(way[-1], goal):
                    continue
                if goal in covered or goal == start:
                    if len(way) + distance[goal, start] < shortest:
                        best, shortest = (*way, goal), len(way) + distance[goal, start]
                elif goal not in seen:
                    seen.add(goal)
                    waiting.append((*way, goal))
    return best


def _weights(flows: np.ndarray, loops: Sequence[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """How much goes round each loop, and what of the flows is left over.

    From the last loop back: its first link is in none of those before it.
    """
    left = flows.astype(complex)
    weights = np.zeros(len(loops), dtype=complex)
    for number in reversed(range(len(loops))):
        links = _links(loops[number])
        source, target = links[0]
        weights[number] = left[target, source]
        for a, b in links:
            left[b, a] -= weights[number]
    return weights, left


def _links(loop: Iterable[int]) -> list[tuple[int, int]]:
    nodes = list(loop)
    return list(pairwise([*nodes, nodes[0]]))
