"""A model file, read: its variables with units and documentation, and its subscripts.

The text is parsed here into PySD's abstract model; nothing is run.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kredslob.errors import InputFileError
from kredslob.limits import Limits, limits_in_force
from kredslob.reading.parts import parts_of
from kredslob.reading.source import read_bytes

if TYPE_CHECKING:
    from pysd.translators.structures.abstract_model import AbstractModel

    from kredslob.reading.result import Reading

SUFFIXES = (".mdl", ".xmile", ".xml", ".stmx", ".itmx")
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


def read_model(path: Path, limits: Limits | None = None) -> ModelFile:
    """Read a Vensim or XMILE model file.

    Parameters
    ----------
    path : Path
        A ``.mdl``, ``.xmile``, ``.xml``, ``.stmx`` or ``.itmx`` file.
    limits : Limits, optional
        How much it may ask for. Default: `kredslob.limits.limits_in_force`.

    Returns
    -------
    ModelFile

    Raises
    ------
    InputFileError
        The file is missing, of another kind, asks for too much, or cannot be understood.
    """
    limits = limits_in_force(limits)
    section = abstract_model(path, limits).sections[0]
    content = read_bytes(path, limits)
    ranges = {
        r.name: tuple(r.subscripts) for r in section.subscripts if isinstance(r.subscripts, list)
    }
    flows = set(_flow_names(section.elements))
    variables = {e.name: _variable(e, ranges, flows) for e in section.elements}
    return ModelFile(path, hashlib.sha256(content).hexdigest(), variables, ranges)


def abstract_model(path: Path, limits: Limits | None = None) -> AbstractModel:
    """Parse a model file into PySD's abstract model.

    Nothing in the file is evaluated as Python, and PySD's own parsers are not used.

    Parameters
    ----------
    path : Path
        A ``.mdl``, ``.xmile``, ``.xml``, ``.stmx`` or ``.itmx`` file.
    limits : Limits, optional
        How much it may ask for. Default: `kredslob.limits.limits_in_force`.

    Returns
    -------
    AbstractModel
        The main section, then one section for each macro. A subscript range of a Vensim file has
        besides PySD's fields ``element_mapping`` (see ``result.SubscriptRange``).

    Raises
    ------
    InputFileError
        The file cannot be understood, or asks for too much.
    """
    return _reading(path, limits).model


def source_lines(path: Path, limits: Limits | None = None) -> dict[str, int]:
    """Line in the file, counted from 1, on which each variable is defined."""
    return dict(_reading(path, limits).lines)


def equation_texts(path: Path, limits: Limits | None = None) -> dict[str, tuple[str, ...]]:
    """Equations of each variable as the file writes them: one, or one for some of its elements."""
    return dict(_reading(path, limits).texts)


def integration_method(path: Path, limits: Limits | None = None) -> str:
    """Integration method that the file asks for: ``euler`` or ``rk4``.

    Euler where the file names none. Vensim's automatic RK4 is read as RK4 with the file's step, and
    so, with a warning, is any other method of Runge and Kutta: RK4 is at least as exact.
    A file in the XMILE format that Vensim has exported says RK4 whatever the model's setting was
    (all public ones do, also those whose ``.mdl`` says Euler): it is read as Euler, with a warning.

    Raises
    ------
    InputFileError
        It asks for another one.
    """
    reading = _reading(path, limits)
    if reading.remark:
        warnings.warn(f"{path.name}: {reading.remark}", stacklevel=2)
    method = reading.method or "euler"
    if method.startswith("rk") and method != "rk4":
        warnings.warn(
            f"{path.name}: asks for the method '{method}'; RK4 with the file's step is used, "
            "give integration='euler' for the other",
            stacklevel=2,
        )
        return "rk4"
    if method not in ("euler", "rk4"):
        raise InputFileError(path, f"asks for the method '{method}', expected euler or rk4")
    return method


def _reading(path: Path, given: Limits | None) -> Reading:
    limits = limits_in_force(given)
    try:
        reading = _parsed(path, limits)
    except RecursionError:
        raise InputFileError(
            path,
            "is nested too deeply to be read, expected less, or a higher sys.setrecursionlimit",
        ) from None
    _check_counts(path, reading, limits)
    return reading


def _check_counts(path: Path, reading: Reading, limits: Limits) -> None:
    from pysd.translators.structures.abstract_expressions import LookupsStructure

    sections = reading.model.sections
    if (count := sum(len(s.elements) for s in sections)) > limits.equations:
        raise InputFileError(path, limits.exceeded("equations", f"has {count:,} variables"))
    lookups = parts_of([s.elements for s in sections], LookupsStructure)
    if (count := sum(len(table.x) for table in lookups)) > limits.lookup_points:
        found = f"has {count:,} points in its lookups"
        raise InputFileError(path, limits.exceeded("lookup_points", found))


def _parsed(path: Path, limits: Limits) -> Reading:
    if path.suffix.lower() not in SUFFIXES:
        raise InputFileError(path, f"{_named(path)}, expected one of {', '.join(SUFFIXES)}")
    if path.suffix.lower() == ".mdl":
        from kredslob.reading.vensim_file import read_vensim

        return read_vensim(path, limits)
    from kredslob.reading.xmile_file import read_xmile

    return read_xmile(path, limits)


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
    from pysd.translators.structures.abstract_expressions import ReferenceStructure

    by_name = {e.name.lower().replace("_", " "): e.name for e in elements}
    for element in elements:
        for component in element.components:
            if type(component.ast).__name__ == "IntegStructure":
                for node in parts_of(component.ast.flow, ReferenceStructure):
                    key = node.reference.lower().replace("_", " ")
                    if key in by_name:
                        yield by_name[key]


def _named(path: Path) -> str:
    if path.is_dir():
        return "is a folder"
    return f"found a '{path.suffix}' file" if path.suffix else "found a name without an ending"
