"""Diagrams with what goes with them on a page: a name, a caption, and the text of the SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import networkx as nx
from matplotlib import rc_context
from matplotlib.figure import Figure

from kredslob.show.diagram.causal import Loop, causal_loop_diagram
from kredslob.show.diagram.stocks import stock_and_flow_diagram
from kredslob.show.figures import Drawing
from kredslob.show.language import Words, words

_TOLD = 8  # variables of a loop that a caption can list


def causal_loop_drawing(
    name: str,
    graph: nx.DiGraph,
    loops: Sequence[Loop] = (),
    *,
    language: str = "en",
    labels: Mapping[str, str] | None = None,
    title: str = "",
) -> Drawing:
    """Draw a causal loop diagram with a caption that tells each loop.

    Parameters
    ----------
    name : str
        Short name, used for files.
    graph, loops, language, labels, title
        As for `causal_loop_diagram`, which says what is raised.
    """
    figure = causal_loop_diagram(graph, loops, language=language, labels=labels, title=title)
    w = words(language)
    told = [_told(loop, labels or {}, w) for loop in loops] or [w.text("caption.no_loops")]
    caption = w.text(
        "caption.loops",
        variables=w.number(len(graph)),
        links=w.number(graph.number_of_edges()),
        loops=" ".join(told),
    )
    return Drawing(name, figure, w.text("chart.loops"), caption)


def stock_and_flow_drawing(
    name: str,
    graph: nx.DiGraph,
    *,
    language: str = "en",
    labels: Mapping[str, str] | None = None,
    title: str = "",
) -> Drawing:
    """Draw a stock-and-flow diagram with a caption that lists its stocks and flows.

    Parameters
    ----------
    name : str
        Short name, used for files.
    graph, language, labels, title
        As for `stock_and_flow_diagram`, which says what is raised.
    """
    figure = stock_and_flow_diagram(graph, language=language, labels=labels, title=title)
    w = words(language)

    def listed(kind: str) -> str:
        names = [name for name, found in graph.nodes(data="kind") if found == kind]
        return ", ".join((labels or {}).get(name, name) for name in names) or w.text("none")

    caption = w.text("caption.stocks", stocks=listed("stock"), flows=listed("flow"))
    return Drawing(name, figure, w.text("chart.stocks"), caption)


def svg(figure: Figure) -> str:
    """Text of a figure as SVG: letters as shapes, so that it looks the same everywhere.

    The same figure gives the same text.
    """
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": "kredslob", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _told(loop: Loop, labels: Mapping[str, str], w: Words) -> str:
    kind = w.text(f"diagram.{loop.polarity if loop.polarity in 'RB' else 'unknown'}")
    variables = w.text("caption.loop_length", count=len(loop.variables))
    if len(loop.variables) <= _TOLD:
        variables = " → ".join(labels.get(name, name) for name in loop.variables)
    return w.text(
        "caption.loop", name=labels.get(loop.name, loop.name), kind=kind, variables=variables
    )
