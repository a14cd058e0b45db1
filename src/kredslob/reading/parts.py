"""Walking over an abstract model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any


def parts_of(node: Any, kind: type) -> Iterator[Any]:
    """All parts of one kind in an abstract expression, element or list of these, outer ones first.

    A part that stands in several places, as the input of DELAY1 does that is its initial value
    too, comes once: nested thirty deep it would otherwise come a billion times.
    """
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        holds = is_dataclass(part) or isinstance(part, (list, tuple))
        if holds and id(part) in seen:
            continue
        if isinstance(part, kind):
            yield part
        if holds:
            seen.add(id(part))
            waiting += reversed(_inside(part))
    # ids stay those of the same parts, because the outermost one holds them all


def references(node: Any) -> Iterator[str]:
    """Names that an abstract expression or a list of them reads, functions among them."""
    from pysd.translators.structures.abstract_expressions import ReferenceStructure

    return (str(part.reference) for part in parts_of(node, ReferenceStructure))


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _inside(part: Any) -> list[Any]:
    if is_dataclass(part):
        return [getattr(part, name) for name in _names(type(part))]  # type: ignore[arg-type]
    return list(part)
