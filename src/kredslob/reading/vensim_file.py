"""A Vensim file: its entries, macros and settings, as PySD's abstract model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pysd.translators.structures.abstract_model as am
from pysd.translators.structures.abstract_expressions import (
    GetConstantsStructure,
    GetDataStructure,
    GetLookupsStructure,
)

from kredslob.errors import InputFileError
from kredslob.limits import Limits
from kredslob.reading.expression import MisreadError
from kredslob.reading.parts import parts_of
from kredslob.reading.result import Reading
from kredslob.reading.source import Source, one_line, read_text
from kredslob.reading.vensim_equation import Definition, definition
from kredslob.reading.vensim_expression import NAME, QUOTED, reference
from kredslob.reading.vensim_results import with_results

# The equation and the units may hold quoted names and comments, the documentation may not.
FIELD = re.compile(rf"(?:{QUOTED}|\{{[^{{}}]*\}}|[^~|\"{{]+|[\"{{])*")
PROSE = re.compile(r"[^~|]*")
COMMENT = re.compile(rf"{QUOTED}|\{{[^{{}}]*\}}|\\\s*\n")
MACRO = re.compile(rf"\s*:MACRO:\s*({NAME}|{QUOTED})\s*\(([^()]*)\)", re.IGNORECASE)
END_OF_MACRO = re.compile(r"\s*:END OF MACRO:", re.IGNORECASE)
BLANK = re.compile(r"(?:\s+|\{[^{}]*\})*")
UNITS = re.compile(r"([^\[\]]*)\[([^\[\]]*)\]")
CONTROL = ("initial_time", "final_time", "time_step", "saveper")
READ_FILES = (GetConstantsStructure, GetDataStructure, GetLookupsStructure)
SKETCH, SKETCH_END = "\\\\\\---///", "///---\\\\\\"
# The fourth number of the settings line that begins with 15 is the integration method. 1 and 4
# adjust their step in Vensim; here every method keeps TIME STEP.
METHODS = {"0": "euler", "1": "rk4", "2": "euler", "3": "rk2", "4": "rk2", "5": "rk4"}
METHOD_LINE = re.compile(r"^15:[^,\n]*,[^,\n]*,[^,\n]*,\s*([0-9]+)", re.MULTILINE)
# A settings line that begins with 22 names units that are the same: 22:Month,Months
SYNONYMS_LINE = re.compile(r"^22:([^\n]*)$", re.MULTILINE)
# A settings line that begins with 30 says which file stands behind a name such as ?data.
ALIAS_LINE = re.compile(r"^30:(\?[^=\n]*)=([^\n]*)$", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """One entry of the file: ``equation ~ units ~ documentation |``."""

    equation: str
    at: int
    units: str
    documentation: str


@dataclass
class Section:
    """Entries of the model itself or of one macro, while they are gathered."""

    name: str
    params: list[str]
    returns: list[str]
    entries: list[Entry] = field(default_factory=list)


def read_vensim(path: Path, limits: Limits) -> Reading:
    """Read a Vensim text file.

    Raises
    ------
    InputFileError
        It cannot be understood.
    """
    source = read_text(path, limits)
    equations, _, rest = source.text.partition(SKETCH)
    equations = equations.partition(SKETCH_END)[0]
    lines: dict[str, int] = {}
    texts: dict[str, tuple[str, ...]] = {}
    sections = [_section(s, source, lines, texts, limits) for s in _gathered(source, equations)]
    if not sections[0].elements:
        raise InputFileError(path, "holds no equations, expected a Vensim model (.mdl, text)")
    sections = with_results(path, sections, lines)
    settings = rest.partition(SKETCH_END)[2] or source.text
    method = METHOD_LINE.search(settings)
    if aliases := {a.lower(): _beside(f) for a, f in ALIAS_LINE.findall(settings)}:
        _resolve(sections, aliases)
    model = am.AbstractModel(original_path=path, sections=tuple(sections))
    named = METHODS.get(method.group(1), "") if method else ""
    return Reading(model, lines, named, texts=texts, synonyms=_synonyms(settings))


def _synonyms(settings: str) -> dict[str, str]:
    rows = [_listed(line) for line in SYNONYMS_LINE.findall(settings)]
    return {other: row[0] for row in rows if row for other in row[1:]}


def _resolve(sections: list[am.AbstractSection], aliases: dict[str, str]) -> None:
    """Put the names of data files in the place of their aliases; one without stays as it is."""
    for section in sections:
        for kind in READ_FILES:
            for node in parts_of(section.elements, kind):
                node.file = aliases.get(str(node.file).lower(), node.file)
        for defined in (r.subscripts for r in section.subscripts if isinstance(r.subscripts, dict)):
            defined["file"] = aliases.get(defined["file"].lower(), defined["file"])


def _beside(file: str) -> str:
    """Name of a data file beside the model, where Vensim has written its place on some disk."""
    file = file.strip()
    absolute = file.startswith("/") or "\\" in file or file[1:2] == ":"
    return re.split(r"[/\\]", file)[-1] if absolute else file


def _gathered(source: Source, text: str) -> list[Section]:
    """Sections of a file: the model first, then its macros."""
    main = Section("__main__", [], [])
    sections, current = [main], main
    at = 0
    while True:
        at = _after_blank(text, at)
        if macro := MACRO.match(text, at):
            if current is not main:
                _fail(source, at, current.name, "holds another macro, expected :END OF MACRO:")
            inputs, _, outputs = macro.group(2).partition(":")
            for param in _listed(macro.group(2).replace(":", ",")):
                if not re.fullmatch(rf"{NAME}|{QUOTED}", param):
                    _fail(source, at, reference(macro.group(1)), f"has the parameter '{param}'")
            current = Section(reference(macro.group(1)), _listed(inputs), _listed(outputs))
            sections.append(current)
            at = macro.end()
        elif end := END_OF_MACRO.match(text, at):
            current, at = main, end.end()
        elif at >= len(text):
            break
        else:
            entry, at = _entry(source, text, at)
            if entry:
                current.entries.append(entry)
    if current is not main:
        _fail(source, len(text), current.name, "has no :END OF MACRO:; is the file cut off?")
    return sections


def _entry(source: Source, text: str, start: int) -> tuple[Entry | None, int]:
    """Next entry, None for a group heading, and the place after it."""
    fields, at = [], start
    pattern = FIELD
    while True:
        match = pattern.match(text, at)
        assert match is not None  # both patterns match nothing, too
        fields.append(match.group())
        at = match.end()
        if at >= len(text):
            _fail(source, start, fields[0][:40], "is not closed with '|'; is the file cut off?")
        at += 1
        if text[at - 1] == "|":
            break
        pattern = FIELD if len(fields) < 2 else PROSE
    if text.startswith("*", start):
        return None, at
    # comments and continued lines become blanks of the same length, so that places stay right
    equation = COMMENT.sub(_blanked, fields[0])
    units, documentation = (*fields[1:3], "", "")[:2]
    return Entry(equation, start, units.strip(), " ".join(documentation.split())), at


def _section(
    section: Section,
    source: Source,
    lines: dict[str, int],
    texts: dict[str, tuple[str, ...]],
    limits: Limits,
) -> am.AbstractSection:
    elements: dict[str, Any] = {}
    named = 0  # elements of subscript ranges so far
    ranges, constraints, inputs = [], [], []
    for entry, found in _definitions(section, source, limits):
        if isinstance(found.content, am.AbstractSubscriptRange):
            ranges.append(found.content)
            named += len(found.content.subscripts)
            if named > limits.elements:
                many = f"has {named:,} elements or more in its subscript ranges"
                _fail(source, entry.at, found.name, limits.exceeded("elements", many))
        elif isinstance(found.content, am.AbstractConstraint):
            constraints.append(found.content)
        elif isinstance(found.content, am.AbstractTestInput):
            inputs.append(found.content)
        else:
            key = reference(found.name)
            _add(elements, key, entry, found, source)
            if section.name == "__main__":
                lines.setdefault(found.name, source.line(entry.at))
                texts[found.name] = (*texts.get(found.name, ()), _tidied(entry.equation))
    main = section.name == "__main__"
    return am.AbstractSection(
        name=section.name,
        path=source.path.with_suffix(".py")
        if main
        else source.path.with_name(re.sub(r"\W+", "", section.name) + ".py"),
        type="main" if main else "macro",
        params=section.params,
        returns=section.returns,
        subscripts=ranges,
        elements=list(elements.values()),
        constraints=constraints,
        test_inputs=inputs,
        split=False,
        views_dict=None,
    )


def _definitions(
    section: Section, source: Source, limits: Limits
) -> Iterator[tuple[Entry, Definition]]:
    for entry in section.entries:
        try:
            yield entry, definition(entry.equation, limits)
        except MisreadError as problem:
            name = re.match(rf"{QUOTED}|[\w$'\s]*", entry.equation)
            shown = name.group().strip() if name else ""
            _fail(source, entry.at + problem.at, shown or entry.equation[:20], problem.problem)


def _add(
    elements: dict[str, Any], key: str, entry: Entry, found: Definition, source: Source
) -> None:
    units, limits = _units(entry.units)
    if key not in elements:
        build = am.AbstractControlElement if key in CONTROL else am.AbstractElement
        elements[key] = build(name=found.name, components=[])
    element = elements[key]
    element.units = units or element.units
    element.limits = limits or element.limits
    element.documentation = entry.documentation or element.documentation
    if element.components and not found.content.subscripts[0]:
        _fail(source, entry.at, found.name, "is defined twice")
    if len({len(c.subscripts[0]) for c in (*element.components[:1], found.content)}) > 1:
        _fail(source, entry.at, found.name, "has equations with different numbers of subscripts")
    element.components.append(found.content)


def _units(text: str) -> tuple[str, tuple[float | None, ...] | None]:
    """Units and limits of ``DKK [0,100,1]``."""
    match = UNITS.fullmatch(" ".join(text.split()))
    if not match:
        return " ".join(text.split()), None
    try:
        limits = tuple(None if v.strip() in "?" else float(v) for v in match.group(2).split(","))
    except ValueError:
        return " ".join(text.split()), None
    return match.group(1).strip(), limits


def _after_blank(text: str, at: int) -> int:
    match = BLANK.match(text, at)
    return match.end() if match else at


def _tidied(equation: str) -> str:
    """An equation without blank lines and indents."""
    lines = (" ".join(line.split()) for line in equation.splitlines())
    return "\n".join(line for line in lines if line)


def _blanked(match: re.Match[str]) -> str:
    text = match.group()
    return text if text.startswith('"') else re.sub(r"[^\n]", " ", text)


def _listed(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split(",") if part.strip()]


def _fail(source: Source, at: int, key: str, problem: str) -> NoReturn:
    raise InputFileError(
        source.path, one_line(problem), line=source.line(at), key=one_line(key, 60)
    )
