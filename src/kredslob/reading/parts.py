"""Walking over an abstract model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any


def parts_of(node: Any, kind: type) -> Iterator[Any]:
    """All parts of one kind in an abstract expression, element or list of these."""
    if isinstance(node, kind):
        yield node
    if is_dataclass(node):
        for part in fields(node):
            yield from parts_of(getattr(node, part.name), kind)
    elif isinstance(node, (list, tuple)):
        for part in node:
            yield from parts_of(part, kind)
