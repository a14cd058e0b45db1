"""Macros of Vensim with several results: one call becomes a call for each result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pysd.translators.structures.abstract_model as am
from pysd.translators.structures.abstract_expressions import CallStructure, ReferenceStructure

from kredslob.errors import InputFileError
from kredslob.reading.expression import MisreadError
from kredslob.reading.parts import parts_of
from kredslob.reading.vensim_expression import MacroCall, reference


def with_results(
    path: Path, sections: list[am.AbstractSection], lines: dict[str, int]
) -> list[am.AbstractSection]:
    """Make variables of the further results that calls name, as in ``y = M(a, b : low, high)``.

    Parameters
    ----------
    path : Path
        The model file.
    sections : list of AbstractSection
        The model and its macros; their elements are changed in place.
    lines : dict of str to int
        Line of each variable; those of the results are added.

    Returns
    -------
    list of AbstractSection
        With one more macro for each further result.

    Raises
    ------
    InputFileError
        A call does not fit its macro, or names what is defined already.
    """
    macros = {reference(s.name): s for s in sections[1:]}
    added: dict[str, am.AbstractSection] = {}
    for section in sections:
        for element in list(section.elements):
            for component in element.components:
                if isinstance(component.ast, MacroCall):
                    try:
                        found = _results(component.ast, macros, added)
                        section.elements += _new(found, section)
                    except MisreadError as problem:
                        line = lines.get(element.name)
                        raise InputFileError(
                            path, problem.problem, line=line, key=element.name
                        ) from None
                    if section is sections[0]:
                        lines |= {f.name: lines[element.name] for f in found}
                    component.ast = CallStructure(component.ast.function, component.ast.arguments)
    return [*sections, *added.values()]


def _results(
    call: MacroCall, macros: dict[str, am.AbstractSection], added: dict[str, am.AbstractSection]
) -> list[am.AbstractElement]:
    macro = macros.get(call.function.reference)
    if macro is None:
        raise MisreadError("calls a macro for several results that the file does not define")
    if len(call.results) != len(macro.returns):
        raise MisreadError(
            f"names {len(call.results)} further results of the macro {macro.name}, "
            f"expected {len(macro.returns)}"
        )
    calls = parts_of([m.elements for m in macros.values()], CallStructure)
    if any(c.function.reference.startswith("random") for c in calls):
        # each result is worked out by itself, so that the draws would not be the same ones
        raise MisreadError("calls a macro for several results, where macros draw random numbers")
    found = []
    for returned, (name, subscripts) in zip(macro.returns, call.results, strict=True):
        own = f"{macro.name}: {reference(returned)}"
        value = am.AbstractComponent(([], []), ReferenceStructure(reference(returned)))
        result = am.AbstractElement(own, [value])
        added[own] = replace(macro, name=own, elements=[*macro.elements, result])
        asked = CallStructure(ReferenceStructure(own), call.arguments)
        found.append(am.AbstractElement(name, [am.AbstractComponent((subscripts, []), asked)]))
    return found


def _new(found: list[am.AbstractElement], section: am.AbstractSection) -> list[am.AbstractElement]:
    known = {reference(e.name) for e in section.elements}
    for element in found:
        if reference(element.name) in known:
            raise MisreadError(f"has '{element.name}' for a result, which is defined already")
        known.add(reference(element.name))
    return found
