"""The causal graph of a model: who acts on whom, and with which sign."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from kredslob.arguments import path_of, refused
from kredslob.batches import batch_of
from kredslob.errors import InputFileError
from kredslob.feedback.links import lookup_links
from kredslob.feedback.loops import check_is_graph
from kredslob.feedback.measuring import nudged
from kredslob.feedback.network import Network, network, saved_arrays
from kredslob.feedback.scores import CERTAIN, outweighing
from kredslob.program import Array, Program
from kredslob.simulation import HasParameters, Model, check_is_model
from kredslob.targets.numba import NumbaTarget

#: Polarity of a link whose sign changes, or that had no effect.
UNKNOWN = "?"
_ROUNDING = 1e-13  # of a value
_MIXED = 2  # no sign; any product with it is no sign either
_MERMAID_SHAPES = {"stock": "[{}]", "flow": "[/{}/]", "constant": "([{}])"}
_DOT_SHAPES = {"stock": "box", "flow": "cds", "constant": "plaintext", "lookup": "plaintext"}


def causal_graph(
    model: Model,
    scenario: Mapping[str, Any] | HasParameters | None = None,
    *,
    years: float | None = None,
    elements: bool = False,
    **constants: Any,
) -> nx.DiGraph:
    """Draw up the causal graph of a model, with polarities as they were in a run.

    Parameters
    ----------
    model : Model
        Any model.
    scenario, years, **constants
        The run; as for `Model.run`.
    elements : bool
        Whether each element of a subscripted variable is a node of its own; lookups are then
        left out.

    Returns
    -------
    DiGraph
        A node is a variable as the file writes it, with ``kind`` (stock, flow, auxiliary,
        constant, lookup or data), ``unit`` and ``documentation``; what sets the clock is left out.
        An edge goes from cause to effect and has ``polarity``: what a small rise of the cause by
        itself, in all its elements, did to the effect at the times saved: "+", "-", or "?" where
        that changes or there is no effect. Sums and delays inside an equation are seen through.

    Raises
    ------
    ParameterError
        As for `Model.run`.

    Examples
    --------
    >>> graph = kredslob.causal_graph(kredslob.load("predator_prey.mdl"))
    >>> graph.nodes["Prey"]["kind"]
    'stock'
    >>> sorted(graph.predecessors("Prey"))
    ['Predator', 'Prey']
    """
    check_is_model(model)
    design = model.shared_design(scenario, constants, years, None, None)
    program = model.target(design.inputs).program
    probed = nudged(program)
    net = network(probed, elements=elements, loops_only=False)
    target = NumbaTarget(probed.program)
    saved = np.concatenate([target.places(n) for n in saved_arrays(probed)])
    values = target.run(batch_of(target, design, 0), saved, threads=1).values[0]
    graph = _graph(program, net, values)
    for table, reader in [] if elements else lookup_links(program):
        _add(graph, program.arrays[table], table, "lookup")
        if reader in graph:
            graph.add_edge(table, reader, polarity=UNKNOWN)
    return graph


def _graph(program: Program, net: Network, values: np.ndarray) -> nx.DiGraph:
    graph = nx.DiGraph(name=program.name)
    flows = _flows(net)
    shown = [
        v and program.arrays[a].kind != "control"
        for v, a in zip(net.visible, net.arrays, strict=True)
    ]
    for number, name in enumerate(net.nodes):
        if shown[number]:
            array = program.arrays[net.arrays[number]]
            flow = number in flows and array.kind == "auxiliary"
            _add(graph, array, name, "flow" if flow else array.kind)
    for (a, b), sign in _signs(net, values).items():
        if shown[a]:
            graph.add_edge(net.nodes[a], net.nodes[b], polarity=sign)
    return graph


def _add(graph: nx.DiGraph, array: Array, name: str, kind: str) -> None:
    graph.add_node(name, kind=kind, unit=array.unit, documentation=array.documentation)


def _flows(net: Network) -> set[int]:
    """Visible nodes that a stock's net flow reads, other than stocks and constants."""
    return {
        a
        for (a, b), ways in net.routes.items()
        if b in net.holding and any(len(way) == 2 for way in ways) and a not in net.holding
    }


def _signs(net: Network, values: np.ndarray) -> dict[tuple[int, int], str]:
    """Polarity of each link between visible nodes: of all ways that it stands for."""
    _, target, change = net.columns.T
    changes = np.where(change < 0, 1.0, values[:, change])
    least = _ROUNDING * np.abs(values[:, target])
    changes = np.where(np.abs(changes) > least, np.nan_to_num(changes), 0.0)
    signs = [_sign(net, k, changes) for k in range(len(net.ends))]
    found = {}
    for ends, ways in net.routes.items():
        over_ways = {math.prod(signs[k] for k in way) for way in ways} - {0}
        sign = over_ways.pop() if len(over_ways) == 1 else _MIXED
        found[ends] = {1: "+", -1: "-"}.get(sign, UNKNOWN)
    return found


def _sign(net: Network, link: int, changes: np.ndarray) -> int:
    """1, -1, 0 where nothing happened, or `_MIXED`."""
    own = slice(net.first[link], net.first[link + 1])
    together = np.zeros((net.sizes[net.ends[link][1]], len(changes)))
    np.add.at(together, net.targets[own], changes[:, own].T)
    sign, confidence = outweighing(together)
    return sign if confidence >= CERTAIN or sign == 0 else _MIXED


# --- files -------------------------------------------------------------------------------------


def write_graph(graph: nx.DiGraph, path: Path | str) -> Path:
    """Write a causal graph to a file.

    Parameters
    ----------
    graph : DiGraph
        From `causal_graph`.
    path : Path or str
        Its suffix says the format: .graphml or .gexf (Gephi, yEd, Cytoscape), .json (node-link
        data), .dot (Graphviz), or .mmd (Mermaid). An existing file is replaced.

    Returns
    -------
    Path

    Raises
    ------
    ParameterError
        The suffix is none of these.
    InputFileError
        The file cannot be written.

    Examples
    --------
    >>> graph = kredslob.causal_graph(kredslob.load("predator_prey.mdl"))
    >>> kredslob.write_graph(graph, "prey.graphml").name
    'prey.graphml'
    """
    check_is_graph(graph)
    path = path_of("path", path)
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        ending = f"a name that ends in one of {', '.join(_WRITERS)}"
        raise refused("path", path.name, ending)
    try:
        path.write_text(writer(graph), encoding="utf-8")
    except OSError as problem:
        raise InputFileError(path, f"cannot be written ({problem.strerror})") from None
    return path


def _graphml(graph: nx.DiGraph) -> str:
    return "\n".join(nx.generate_graphml(graph)) + "\n"


def _gexf(graph: nx.DiGraph) -> str:
    return "\n".join(nx.generate_gexf(graph)) + "\n"


def _json(graph: nx.DiGraph) -> str:
    return json.dumps(nx.node_link_data(graph, edges="edges"), ensure_ascii=False, indent=1) + "\n"


def _dot(graph: nx.DiGraph) -> str:
    def quoted(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    lines = [f"digraph {quoted(str(graph.name))} {{", "  node [fontname=sans];"]
    for name, kind in graph.nodes(data="kind"):
        lines.append(f"  {quoted(name)} [shape={_DOT_SHAPES.get(kind, 'ellipse')}];")
    for a, b, sign in graph.edges(data="polarity"):
        lines.append(f"  {quoted(a)} -> {quoted(b)} [label={quoted(sign)}];")
    return "\n".join([*lines, "}"]) + "\n"


def _mermaid(graph: nx.DiGraph) -> str:
    number = {name: f"n{k}" for k, name in enumerate(graph)}
    return "\n".join(["flowchart LR", *_mermaid_lines(graph, number)]) + "\n"


def _mermaid_lines(graph: nx.DiGraph, number: Mapping[str, str]) -> Iterator[str]:
    for name, kind in graph.nodes(data="kind"):
        text = '"' + name.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;") + '"'
        yield f"  {number[name]}{_MERMAID_SHAPES.get(kind, '({})').format(text)}"
    for a, b, sign in graph.edges(data="polarity"):
        arrow = "-->" if sign == UNKNOWN else f'-->|"{sign}"|'
        yield f"  {number[a]} {arrow} {number[b]}"


_WRITERS: dict[str, Callable[[nx.DiGraph], str]] = {
    ".graphml": _graphml,
    ".gexf": _gexf,
    ".json": _json,
    ".dot": _dot,
    ".mmd": _mermaid,
}
