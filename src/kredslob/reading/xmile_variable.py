"""One variable of an XMILE file: its equations, graphical function and flows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pysd.translators.structures.abstract_expressions as ae
import pysd.translators.structures.abstract_model as am

from kredslob.reading.expression import UNSIGNED, MisreadError
from kredslob.reading.lookup import lookup, numbers
from kredslob.reading.xmile_expression import (
    Place,
    reference_name,
    without_comments,
    xmile_expression,
)
from kredslob.reading.xmile_functions import call
from kredslob.reading.xmile_scope import Declared, Dimension, Scope, implied
from kredslob.reading.xmile_tree import child, children, local, text_of

LITERAL = re.compile(rf"\s*[+-]?\s*{UNSIGNED}\s*")
KINDS = {"continuous": "interpolate", "extrapolate": "extrapolate", "discrete": "hold_backward"}
# What a stock or flow may be in Stella and cannot be here.
UNSUPPORTED = ("conveyor", "queue", "oven", "leak", "overflow", "leak_zone")


@dataclass(frozen=True)
class Behavior:
    """Which kinds of variables never fall below zero unless they say otherwise."""

    stocks: bool = False
    flows: bool = False


@dataclass(frozen=True)
class Part:
    """One equation of a variable: the subscripts it holds for, those it leaves out, its XML."""

    at: tuple[str, ...]
    excepted: list[list[str]]
    equation: str
    graph: Any


def element(declared: Declared, scope: Scope, behavior: Behavior) -> am.AbstractElement:
    """Read a variable into an abstract element.

    Raises
    ------
    MisreadError
        It cannot be understood, or is of a kind that is not supported.
    """
    node = declared.node
    for unsupported in UNSUPPORTED:
        if child(node, unsupported) is not None:
            raise MisreadError(f"is a {local(node)} with a {unsupported}, which is not supported")
    scale = child(node, "range")
    scale = child(node, "yscale") if scale is None and local(node) == "gf" else scale
    return am.AbstractElement(
        name=declared.name,
        components=[_component(declared, part, scope, behavior) for part in parts(declared, scope)],
        units=text_of(node, "units"),
        limits=_limits(scale),
        documentation=" ".join(text_of(node, "doc").split()),
    )


def parts(declared: Declared, scope: Scope) -> list[Part]:
    """Equations of a variable: one for all elements, or one for each.

    Raises
    ------
    MisreadError
        An element that is listed has no equation.
    """
    node, dims = declared.node, declared.dims
    graph = node if local(node) == "gf" else child(node, "gf")
    whole = tuple(d.name for d in dims)
    equations = [_meant(c.text) for c in children(node, "eqn")]
    common = equations[0] if equations else ""
    own = [_own(e, declared, scope, common, graph) for e in children(node, "element")]
    if not own:
        if len(equations) > 1 and dims and len(equations) == len(dims[0].elements):
            rest = whole[1:]
            return [
                Part((e, *rest), [], text, graph)
                for e, text in zip(dims[0].elements, equations, strict=True)
            ]
        return [Part(whole, [], common, graph)]
    if not dims:
        raise MisreadError("has equations by element but no dimensions")
    for part in own:
        if not part.equation and part.graph is None:
            raise MisreadError(f"has no equation for the element {', '.join(part.at)}")
    if not common:
        return own  # elements without one do not exist, as in Vensim
    if (count := math.prod(len(d.elements) for d in dims)) > scope.limits.values:
        raise MisreadError(scope.limits.exceeded("values", f"has {count:,} elements"))
    if _all(dims) - {at for part in own for at in _covered(part.at, dims)}:
        own.insert(0, Part(whole, [list(part.at) for part in own], common, graph))
    return own


def equation_texts(node: Any) -> Iterator[str]:
    """Equations of a variable as the file writes them, with its flows and points."""
    own = [(str(e.get("subscript") or ""), e) for e in children(node, "element")]
    for where, part in [("", node), *own]:
        for equation in children(part, "eqn"):
            text = " ".join((equation.text or "").split())
            yield f"[{where}] {text}" if where else text
        for points in (c for c in part if local(c) == "gf"):
            yield f"graph {text_of(points, 'xpts')} -> {text_of(points, 'ypts')}"
    for tag in ("inflow", "outflow"):
        flows = [(c.text or "").strip() for c in children(node, tag)]
        if flows:
            yield f"{tag}: {', '.join(flows)}"


def graphical(node: Any) -> ae.LookupsStructure:
    """Read the points of a graphical function.

    Raises
    ------
    MisreadError
        They are missing, unequal in number, not numbers or of an unknown type.
    """
    kind = (node.get("type") or "continuous").lower()
    if kind not in KINDS:
        raise MisreadError(
            f"has a graphical function of type '{kind}', expected {', '.join(KINDS)}"
        )
    y = _points(node, "ypts")
    if child(node, "xpts") is not None:
        x = _points(node, "xpts")
    else:
        scale = child(node, "xscale")
        if scale is None:
            raise MisreadError("has a graphical function without xscale or xpts")
        low, high = _number(scale, "min"), _number(scale, "max")
        steps = max(len(y) - 1, 1)
        x = [low + (high - low) * i / steps for i in range(len(y))]
    if len(x) != len(y) or not x:
        raise MisreadError(f"has {len(x)} x and {len(y)} y points in its graphical function")
    return lookup(x, y, KINDS[kind])


def table_name(node: Any, name: str) -> str:
    """Name under which a variable's graphical function may be called; empty without one.

    A variable with a graphical function and an equation that is more than a number is two
    things: its value, and the function. The function then gets a name of its own.
    """
    graphs = [c for c in node.iter() if local(c) == "gf"]
    if not graphs:
        return ""
    equation = _meant(text_of(node, "eqn"))
    plain = local(node) == "gf" or not equation or LITERAL.fullmatch(equation)
    return name if plain else f"{name} lookup"


def table(declared: Declared, scope: Scope) -> am.AbstractElement:
    """Graphical function of a variable by itself, as a lookup."""
    components = [
        am.AbstractLookup((list(part.at), part.excepted), graphical(part.graph))
        for part in parts(declared, scope)
    ]
    return am.AbstractElement(
        name=declared.table,
        components=components,
        units=text_of(declared.node, "units"),
        documentation=" ".join(text_of(declared.node, "doc").split()),
    )


def _component(declared: Declared, part: Part, scope: Scope, behavior: Behavior) -> Any:
    where = (list(part.at), part.excepted)
    place = Place(scope, declared, part.at)
    if declared.source is not None:
        return am.AbstractComponent(where, _connected(declared, scope))
    if local(declared.node) == "stock":
        return am.AbstractComponent(where, _stock(declared, part, place, behavior))
    if not part.equation:
        if part.graph is None:
            raise MisreadError("has no equation")
        return am.AbstractLookup(where, graphical(part.graph))
    ast = xmile_expression(part.equation, place)
    initial = _meant(text_of(declared.node, "init_eqn"))
    if initial:
        ast = call("active_initial", ast, xmile_expression(initial, place))
    if part.graph is not None:
        ast = ae.InlineLookupsStructure(ast, graphical(part.graph))
    if local(declared.node) == "flow" and _non_negative(declared.node, behavior.flows):
        ast = call("max", ast, 0)
    return am.AbstractComponent(where, ast)


def _stock(declared: Declared, part: Part, place: Place, behavior: Behavior) -> Any:
    if not part.equation:
        raise MisreadError("is a stock without an initial value")
    inflows = [_flow(c, place) for c in children(declared.node, "inflow")]
    outflows = [_flow(c, place) for c in children(declared.node, "outflow")]
    if not inflows and outflows:
        inflows = [ae.ArithmeticStructure(["negative"], (outflows.pop(0),))]
    operators = ["+"] * (len(inflows) - 1) + ["-"] * len(outflows)
    flows = (*inflows, *outflows)
    net = ae.ArithmeticStructure(operators, flows) if operators else (*flows, 0)[0]
    initial = xmile_expression(part.equation, place)
    return ae.IntegStructure(net, initial, _non_negative(declared.node, behavior.stocks))


def _flow(node: Any, place: Place) -> Any:
    """Refer to a flow, which is named with or without quotes or underscores."""
    text = (node.text or "").strip()
    found = place.scope.variable(text, place.owner.module)
    if found is None:
        return xmile_expression(text, place)
    return _whole_reference(found, place.owner, place.at)


def _connected(declared: Declared, scope: Scope) -> Any:
    found = scope.variable(f".{declared.source}", ())
    if found is None:
        raise MisreadError(f"is connected to '{declared.source}', which the file does not define")
    return _whole_reference(found, declared, tuple(d.name for d in declared.dims))


def _whole_reference(found: Declared, owner: Declared, at: tuple[str, ...]) -> Any:
    subscripts = None
    if found.dims:
        subscripts = ae.SubscriptsReferenceStructure(implied(found.dims, owner.dims, at))
    return ae.ReferenceStructure(reference_name(found.name), subscripts)


def _meant(text: str | None) -> str:
    """Equation, empty where only a comment or ``???`` stands for it."""
    equation = without_comments(text or "").strip()
    return "" if not equation.strip("? ") else (text or "").strip()


def _own(node: Any, declared: Declared, scope: Scope, common: str, graph: Any) -> Part:
    written = [s.strip() for s in (node.get("subscript") or "").split(",")]
    if len(written) != len(declared.dims):
        raise MisreadError(
            f"has an equation for [{', '.join(written)}], expected {len(declared.dims)} subscripts"
        )
    at = tuple(scope.subscript(s, d) for s, d in zip(written, declared.dims, strict=True))
    own = child(node, "gf")
    return Part(at, [], _meant(text_of(node, "eqn")) or common, graph if own is None else own)


def _all(dims: tuple[Dimension, ...]) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = {()}
    for dimension in dims:
        found = {(*at, e) for at in found for e in dimension.elements}
    return found


def _covered(at: tuple[str, ...], dims: tuple[Dimension, ...]) -> set[tuple[str, ...]]:
    """Elements of a part whose subscripts are elements, or dimensions of them."""
    if all(s in d.elements for s, d in zip(at, dims, strict=True)):
        return {at}
    ranges = tuple(
        Dimension(s, (s,)) if s in d.elements else d for s, d in zip(at, dims, strict=True)
    )
    return _all(ranges)


def _points(node: Any, tag: str) -> list[float]:
    found = child(node, tag)
    if found is None:
        raise MisreadError(f"has a graphical function without {tag}")
    return numbers(found.text or "", found.get("sep") or ",")


def _number(node: Any, attribute: str) -> float:
    try:
        return float(node.get(attribute))
    except (TypeError, ValueError):
        found = node.get(attribute)
        raise MisreadError(
            f"has {attribute}={found!r} in {local(node)}, expected a number"
        ) from None


def _limits(node: Any) -> tuple[float | None, float | None]:
    if node is None:
        return (None, None)
    low, high = (None if node.get(a) is None else _number(node, a) for a in ("min", "max"))
    return (low, high)


def _non_negative(node: Any, default: bool) -> bool:
    found = child(node, "non_negative")
    return default if found is None else "false" not in (found.text or "").lower()
