"""Walking over the expressions of a program, and changing them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from kredslob.program import Loop, Read, Reduce


def inside(node: Any) -> Iterator[Any]:
    """Yield what lies directly inside a statement, an expression or an index."""
    for name in getattr(node, "__dataclass_fields__", ()):
        value = getattr(node, name)
        for item in value if isinstance(value, tuple) else (value,):
            if hasattr(item, "__dataclass_fields__"):
                yield item


def parts(node: Any) -> Iterator[Any]:
    """Yield a statement, an expression or an index, and all that is inside it, outermost first."""
    yield node
    for part in inside(node):
        yield from parts(part)


def reads_in_loops(
    node: Any, loops: tuple[Loop, ...] = ()
) -> Iterator[tuple[Read, tuple[Loop, ...]]]:
    """Yield what is read, each with the loops of sums and the like that are open there."""
    if isinstance(node, Read):
        yield node, loops
    if isinstance(node, Reduce):
        loops = (*loops, *node.loops)
    for part in inside(node):
        yield from reads_in_loops(part, loops)


def mapped(node: Any, change: Callable[[Any], Any]) -> Any:
    """The node with whatever is directly inside it changed."""
    changed = {}
    for name in getattr(node, "__dataclass_fields__", ()):
        value = getattr(node, name)
        if hasattr(value, "__dataclass_fields__"):
            changed[name] = change(value)
        elif isinstance(value, tuple) and any(hasattr(v, "__dataclass_fields__") for v in value):
            changed[name] = tuple(change(v) for v in value)
    return replace(node, **changed) if changed else node
