"""What a model is made of: each variable with its equation, its causes and uses, and its faults.

After SDM-Doc (Martinez-Moyano 2012, System Dynamics Review 28, 199-208), which lists the variables
of a Vensim model with warnings. This works from the model as it is read, so for XMILE too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kredslob.cycle.parameters import Parameter, read_parameters
from kredslob.dimensions import check_dimensions
from kredslob.errors import KredslobError
from kredslob.program import key
from kredslob.reading import (
    ModelFile,
    abstract_model,
    equation_texts,
    read_model,
    references,
    source_lines,
)
from kredslob.show.sketch import places

LONGEST = 200  # letters of an equation; longer ones are hard to check
MOST_CAUSES = 5  # of an equation; more are hard to explain
FAULTS = ("unit", "description", "unused", "embedded", "long", "units disagree")
_PLAIN_NUMBERS = (0, 1, -1)  # bounds and complements state nothing about the world
_TABLE = "parameters.csv"


@dataclass(frozen=True)
class Entry:
    """One variable, as the documentation shows it.

    Parameters
    ----------
    name, kind, unit, description : str
        As `kredslob.reading.Variable` has them.
    dims : tuple of str
        Its subscripts.
    equations : tuple of str
        As the file writes them.
    line : int
        Line in the file.
    uses, used_by : tuple of str
        Variables that its equation reads, and that read it.
    views : tuple of str
        Diagrams of the file that show it.
    sources : tuple of Parameter
        Rows of the parameter table beside the file, one an element.
    faults : mapping of str to str
        By one of `FAULTS`: what was found, or nothing to add.
    """

    name: str
    kind: str
    unit: str
    description: str
    dims: tuple[str, ...]
    equations: tuple[str, ...]
    line: int
    uses: tuple[str, ...]
    used_by: tuple[str, ...]
    views: tuple[str, ...]
    sources: tuple[Parameter, ...]
    faults: Mapping[str, str]


@dataclass(frozen=True)
class Documentation:
    """A model, documented.

    Parameters
    ----------
    file : ModelFile
        The model as it was read.
    entries : tuple of Entry
        Its variables, in the order of the file.
    views : tuple of str
        Its diagrams.
    """

    file: ModelFile
    entries: tuple[Entry, ...]
    views: tuple[str, ...]

    def count(self, kind: str) -> int:
        """Number of variables of a kind."""
        return sum(e.kind == kind for e in self.entries)

    def with_fault(self, fault: str) -> list[Entry]:
        """Variables that have a fault of this kind."""
        return [e for e in self.entries if fault in e.faults]


def documented(path: Path) -> Documentation:
    """Document a model.

    Parameters
    ----------
    path : Path
        A Vensim or XMILE file. A parameter table ``parameters.csv`` beside it gives sources and
        certainty.

    Returns
    -------
    Documentation

    Raises
    ------
    InputFileError
        The file, or the table beside it, cannot be read.
    """
    file = read_model(path)
    elements = {e.name: e for e in abstract_model(path).sections[0].elements}
    names = {key(name): name for name in elements}
    uses = {name: _causes(element, names) for name, element in elements.items()}
    used_by: dict[str, list[str]] = {name: [] for name in elements}
    for name, causes in uses.items():
        for cause in causes:
            used_by[cause].append(name)
    texts, lines = equation_texts(path), source_lines(path)
    views = places(path) if path.suffix.lower() == ".mdl" else {}
    sources = _sources(path)
    disagreeing = _disagreeing(path)
    entries = []
    for name, variable in file.variables.items():
        own = texts.get(name, ())
        entry = Entry(
            name=name,
            kind=variable.kind,
            unit=variable.unit,
            description=variable.documentation,
            dims=variable.dims,
            equations=own,
            line=lines.get(name, 0),
            uses=uses.get(name, ()),
            used_by=tuple(used_by.get(name, ())),
            views=tuple(view for view, shown in views.items() if key(name) in map(key, shown)),
            sources=sources.get(key(name), ()),
            faults={},
        )
        found = dict(_faults(entry, elements.get(name), disagreeing))
        entries.append(Entry(**{**_shallow(entry), "faults": found}))
    return Documentation(file, tuple(entries), tuple(views))


def _shallow(entry: Entry) -> dict[str, Any]:
    return {field.name: getattr(entry, field.name) for field in fields(entry)}


def _causes(element: Any, names: Mapping[str, str]) -> tuple[str, ...]:
    """Variables that an element's equations read, each once, in the order of the text."""
    found = (names.get(key(r)) for c in element.components for r in references(c.ast))
    return tuple(dict.fromkeys(n for n in found if n and n != element.name))


def _sources(path: Path) -> dict[str, tuple[Parameter, ...]]:
    table = path.with_name(_TABLE)
    if not table.is_file():
        return {}
    rows: dict[str, tuple[Parameter, ...]] = {}
    for row in read_parameters(table):
        rows[key(row.name)] = (*rows.get(key(row.name), ()), row)
    return rows


def _disagreeing(path: Path) -> dict[str, str]:
    """Equations whose units do not agree, with what is wrong."""
    try:
        return {key(m.variable): m.problem for m in check_dimensions(path)}
    except KredslobError as problem:  # units that cannot be read: say so at the model, go on
        return {"": str(problem)}


# --- faults ------------------------------------------------------------------------------------


def _faults(
    entry: Entry, element: Any, disagreeing: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    if not entry.unit:
        yield "unit", ""
    if not entry.description and entry.kind != "control":
        yield "description", ""
    if not entry.used_by and entry.kind not in ("control", "stock", "flow"):
        yield "unused", ""
    if element is not None and entry.kind not in ("constant", "lookup", "data", "control"):
        numbers = dict.fromkeys(n for c in element.components for n in _embedded(c.ast))
        if numbers:
            yield "embedded", ", ".join(f"{n:g}" for n in numbers)
        letters = max((len(_right_side(t)) for t in entry.equations), default=0)
        if letters > LONGEST or len(entry.uses) > MOST_CAUSES:
            yield "long", f"{len(entry.uses)}, {letters}"
    if problem := disagreeing.get(key(entry.name)):
        yield "units disagree", problem


def _right_side(equation: str) -> str:
    return re.sub(r"\s+", " ", equation.partition("=")[2] or equation).strip()


def _embedded(node: Any) -> Iterator[float]:
    """Numbers that stand in an equation; a stock's initial value by itself is none of them."""
    kind = type(node).__name__
    if kind in ("LookupsStructure", "InlineLookupsStructure", "SubscriptsReferenceStructure"):
        return
    if kind == "IntegStructure":
        yield from _embedded(node.flow)
        if not isinstance(node.initial, (int, float, np.ndarray)):
            yield from _embedded(node.initial)
    elif isinstance(node, (int, float)) and not isinstance(node, bool):
        if node not in _PLAIN_NUMBERS and node == node:
            yield float(node)
    elif is_dataclass(node):
        for field in fields(node):
            yield from _embedded(getattr(node, field.name))
    elif isinstance(node, (list, tuple)):
        for part in node:
            yield from _embedded(part)
