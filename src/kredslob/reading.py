"""A model file, read: its variables with units and documentation, and its subscripts.

The text is parsed by PySD's translators; nothing is run here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kredslob.errors import InputFileError

SUFFIXES = (".mdl", ".xmile", ".xml", ".stmx")
CONTROL = ("INITIAL TIME", "FINAL TIME", "TIME STEP", "SAVEPER")


@dataclass(frozen=True)
class Variable:
    """One variable of a model.

    Parameters
    ----------
    name : str
        As the file writes it.
    kind : str
        stock, flow, auxiliary, constant, lookup, data or control.
    dims : tuple of str
        Names of its subscripts; empty for a scalar.
    unit : str
        As the file writes it.
    documentation : str
        The file's comment.
    """

    name: str
    kind: str
    dims: tuple[str, ...]
    unit: str
    documentation: str


@dataclass(frozen=True)
class ModelFile:
    """A model file that has been read.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : str
        Hash of its bytes: two runs of the same hash ran the same equations.
    variables : mapping of str to Variable
        By name, in the order of the file.
    subscripts : mapping of str to tuple of str
        Elements of each subscript range, in order.
    """

    path: Path
    sha256: str
    variables: Mapping[str, Variable]
    subscripts: Mapping[str, tuple[str, ...]]


def read_model(path: Path) -> ModelFile:
    """Read a Vensim or XMILE model file.

    Parameters
    ----------
    path : Path
        A ``.mdl``, ``.xmile``, ``.xml`` or ``.stmx`` file.

    Returns
    -------
    ModelFile

    Raises
    ------
    InputFileError
        The file is missing, of another kind, or cannot be understood.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputFileError(
            path, f"found a '{path.suffix}' file, expected one of {', '.join(SUFFIXES)}"
        )
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise InputFileError(path, f"cannot be read ({problem.strerror})") from problem
    section = abstract_model(path).sections[0]
    ranges = {
        r.name: tuple(r.subscripts) for r in section.subscripts if isinstance(r.subscripts, list)
    }
    flows = set(_flow_names(section.elements))
    variables = {e.name: _variable(e, ranges, flows) for e in section.elements}
    return ModelFile(path, hashlib.sha256(content).hexdigest(), variables, ranges)


def abstract_model(path: Path) -> Any:
    """Parse a model file into PySD's abstract model.

    Raises
    ------
    InputFileError
        The file cannot be understood.
    """
    from pysd.translators.vensim.vensim_file import VensimFile
    from pysd.translators.xmile.xmile_file import XmileFile

    try:
        file = VensimFile(path) if path.suffix.lower() == ".mdl" else XmileFile(path)
        file.parse()
        return file.get_abstract_model()
    except Exception as problem:  # the translators raise whatever their grammars raise
        first = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise InputFileError(path, f"is not a model file that can be read ({first})") from problem


def _variable(element: Any, ranges: Mapping[str, tuple[str, ...]], flows: set[str]) -> Variable:
    return Variable(
        name=element.name,
        kind=_kind(element, flows),
        dims=_dims(element, ranges),
        unit=(element.units or "").strip(),
        documentation=" ".join((element.documentation or "").split()),
    )


def _kind(element: Any, flows: set[str]) -> str:
    component = element.components[0]
    if element.name.upper() in CONTROL:
        return "control"
    if component.type in ("Lookup", "Data"):
        return str(component.type).lower()
    if type(component.ast).__name__ == "IntegStructure":
        return "stock"
    if isinstance(component.ast, (int, float, np.ndarray)):
        return "constant"
    return "flow" if element.name in flows else "auxiliary"


def _dims(element: Any, ranges: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Subscript ranges of the whole variable, also where it is defined element by element."""
    dims = []
    for position, first in enumerate(element.components[0].subscripts[0]):
        used = {c.subscripts[0][position] for c in element.components}
        if len(used) == 1 and first in ranges:
            dims.append(first)
            continue
        elements = {e for name in used for e in ranges.get(name, (name,))}
        holders = [name for name, all_of in ranges.items() if elements <= set(all_of)]
        dims.append(min(holders, key=lambda name: len(ranges[name]), default=first))
    return tuple(dims)


def _flow_names(elements: list[Any]) -> Iterator[str]:
    by_name = {e.name.lower().replace("_", " "): e.name for e in elements}
    for element in elements:
        for component in element.components:
            if type(component.ast).__name__ == "IntegStructure":
                for reference in _references(component.ast.flow):
                    key = reference.lower().replace("_", " ")
                    if key in by_name:
                        yield by_name[key]


def _references(node: Any) -> Iterator[str]:
    if hasattr(node, "reference"):
        yield node.reference
    elif is_dataclass(node):
        for field in fields(node):
            yield from _references(getattr(node, field.name))
    elif isinstance(node, (list, tuple)):
        for part in node:
            yield from _references(part)
