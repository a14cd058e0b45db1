"""Names of an XMILE file: which variable, dimension or element a name in an equation means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kredslob.limits import Limits
from kredslob.reading.expression import MisreadError

BLANKS = re.compile(r"(?:\\n|[\s_\u00a0])+")
SEGMENT = re.compile(r'"((?:\\"|[^"])*)"|([^."]+)')


@dataclass(frozen=True)
class Dimension:
    """A dimension and its elements, as the file writes them."""

    name: str
    elements: tuple[str, ...]

    @cached_property
    def by_name(self) -> dict[str, str]:
        """Elements by their canonical names."""
        return {canonical(e): e for e in self.elements}


@dataclass(frozen=True)
class Declared:
    """A variable that the file declares.

    Parameters
    ----------
    name : str
        As the file writes it, with the modules that hold it: ``module.variable``.
    node : lxml element
        Its XML.
    module : tuple of str
        Canonical names of the modules that hold it, the outermost first.
    dims : tuple of Dimension
        What it is subscripted by.
    source : str, optional
        For an input of a module that is connected: what it is connected to.
    table : str
        Name by which its graphical function is called; empty where it has none. It is the name
        itself where the variable is no more than that function.
    """

    name: str
    node: Any
    module: tuple[str, ...] = ()
    dims: tuple[Dimension, ...] = ()
    source: str | None = None
    table: str = ""


@dataclass(frozen=True)
class Macro:
    """A macro that may be called: its parameters, and defaults of the last of them."""

    name: str
    params: tuple[str, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scope:
    """Everything that equations may name, by canonical name.

    Parameters
    ----------
    variables, dimensions, macros : mapping
        By canonical name.
    limits : Limits
        How much the file may ask for.
    functions : mapping of str to str
        Functions of the file that mean another one than XMILE's of that name.
    """

    variables: Mapping[str, Declared]
    dimensions: Mapping[str, Dimension]
    macros: Mapping[str, Macro]
    limits: Limits
    functions: Mapping[str, str] = field(default_factory=dict)

    def variable(self, name: str, module: tuple[str, ...]) -> Declared | None:
        """Find the variable that a name means within a module.

        ``.name`` is one of the whole model. Otherwise the module itself is searched, then those
        that hold it.
        """
        found = ".".join(segments(name))
        if name.startswith("."):
            return self.variables.get(found)
        for depth in range(len(module), -1, -1):
            qualified = ".".join((*module[:depth], found))
            if qualified in self.variables:
                return self.variables[qualified]
        return None

    def unknown(self, name: str) -> str:
        """Say that nothing has this name, and what has a similar one."""
        known = self.variables if len(self.variables) < 5000 else ()
        near = difflib.get_close_matches(".".join(segments(name)), known, n=1)
        hint = f"; did you mean {self.variables[near[0]].name!r}?" if near else ""
        return f"uses '{name}', which the file does not define{hint}"

    def subscript(self, text: str, dimension: Dimension) -> str:
        """Element, dimension or ``dimension!`` that stands in a bracket.

        Parameters
        ----------
        text : str
            What stands there: ``*``, an element or its number, a dimension, ``dimension!`` or,
            the same in the XMILE standard's own form, ``*:dimension``.
        dimension : Dimension
            That of the variable at this place.

        Raises
        ------
        MisreadError
            It is none of these.
        """
        text = "".join(text.split()) if text.startswith("*") else text
        if text == "*":
            return f"{dimension.name}!"
        whole = text.endswith("!") or text.startswith("*:")
        parts = segments(text.removeprefix("*:").rstrip("!"))
        by_name = dimension.by_name
        if len(parts) == 2 and parts[0] in self.dimensions:
            parts = parts[1:]
        key = parts[0] if len(parts) == 1 else ""
        if key in by_name and not whole:
            return by_name[key]
        if key in self.dimensions:
            return self.dimensions[key].name + ("!" if whole else "")
        if re.fullmatch("[0-9]{1,9}", key) and 1 <= int(key) <= len(dimension.elements):
            return dimension.elements[int(key) - 1]
        raise MisreadError(
            f"found the subscript '{text}', expected an element of {dimension.name}, a dimension "
            "or '*'"
        )


def canonical(name: str) -> str:
    r"""Form in which two spellings of one name are equal.

    >>> canonical("Birth\\nRate") == canonical("birth_rate") == canonical('"Birth  Rate"')
    True
    """
    plain = name.strip().strip('"').replace('\\"', '"').strip()
    return BLANKS.sub("_", plain).lower()


def segments(name: str) -> tuple[str, ...]:
    """Canonical parts of ``module.variable``; a point within quotes parts nothing."""
    return tuple(canonical(quoted or plain) for quoted, plain in SEGMENT.findall(name))


def shown(name: str) -> str:
    r"""Name as it is shown: ``\n`` is a line end in the diagram, hence a space."""
    return name.replace("\\n", " ").replace("\n", " ").strip()


def implied(target: Sequence[Dimension], dims: Sequence[Dimension], at: Sequence[str]) -> list[str]:
    """Subscripts of an array that an equation names without any: those of the equation.

    A dimension takes the subscript at which the equation has the same dimension or a part of it.

    Parameters
    ----------
    target : sequence of Dimension
        Of the array that is named.
    dims : sequence of Dimension
        Of the variable whose equation it is.
    at : sequence of str
        Subscripts for which the equation holds: dimensions or elements.
    """
    free = list(range(len(dims)))
    found = []
    for dimension in target:
        alike = (i for i in free if dims[i].name == dimension.name)
        within = (i for i in free if set(dims[i].elements) <= set(dimension.elements))
        place = next(alike, next(within, None))
        if place is None:
            found.append(dimension.name)
        else:
            free.remove(place)
            found.append(at[place])
    return found
