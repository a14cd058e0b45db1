"""Diagrams of any model's structure: causal loops, and stocks and flows, laid out and drawn."""

from kredslob.show.diagram.causal import causal_loop_diagram
from kredslob.show.diagram.drawings import causal_loop_drawing, stock_and_flow_drawing, svg
from kredslob.show.diagram.folding import folded
from kredslob.show.diagram.stocks import stock_and_flow_diagram, stock_groups

__all__ = [
    "causal_loop_diagram",
    "causal_loop_drawing",
    "folded",
    "stock_and_flow_diagram",
    "stock_and_flow_drawing",
    "stock_groups",
    "svg",
]
