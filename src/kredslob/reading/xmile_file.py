"""An XMILE or Stella file: its clock, dimensions, modules and macros, as PySD's abstract model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pysd.translators.structures.abstract_model as am
from pysd.translators.structures.abstract_expressions import CallStructure

from kredslob.errors import InputFileError
from kredslob.limits import Limits
from kredslob.reading.expression import MisreadError, number
from kredslob.reading.parts import parts_of
from kredslob.reading.result import Reading, SubscriptRange
from kredslob.reading.vensim_expression import reference
from kredslob.reading.xmile_expression import Place, reference_name, xmile_expression
from kredslob.reading.xmile_modules import all_declared, dims_of, fail, name_of, nodes_of
from kredslob.reading.xmile_scope import Declared, Dimension, Macro, Scope, canonical, shown
from kredslob.reading.xmile_tree import (
    attribute,
    child,
    children,
    line_of,
    local,
    root_of,
    text_of,
)
from kredslob.reading.xmile_variable import (
    LITERAL,
    Behavior,
    element,
    equation_texts,
    table,
    table_name,
)

SUPPORTED = ("euler", "rk4")
VENSIM = "Ventana Systems"
# XMILE's INT is the next lower integer; an export from Vensim means Vensim's INTEGER by it.
VENSIM_FUNCTIONS = {"int": "integer"}


def read_xmile(path: Path, limits: Limits) -> Reading:
    """Read an XMILE file, with or without its namespace.

    Raises
    ------
    InputFileError
        It cannot be understood.
    """
    root = root_of(path, limits)
    models = list(children(root, "model"))
    if not models:
        raise InputFileError(path, f"holds no <model> in <{local(root)}>, expected an XMILE file")
    try:
        dimensions = _dimensions(root, limits)
        macros = {canonical(n.get("name") or ""): _macro(n) for n in children(root, "macro")}
    except MisreadError as problem:
        raise InputFileError(path, problem.problem) from problem
    variables = all_declared(path, models, dimensions, limits)
    vendor = _vendor(root)
    functions = VENSIM_FUNCTIONS if VENSIM in vendor else {}
    scope = Scope(variables, dimensions, macros, limits, functions)
    behavior = _behavior(root)
    elements, lines = _elements(path, scope, behavior)
    specs = child(root, "sim_specs")
    if specs is None:
        raise InputFileError(path, "has no <sim_specs>, expected start, stop and dt")
    saveper = next((n for n in nodes_of(models[0]) if canonical(name_of(n)) == "saveper"), None)
    elements += _controls(path, specs, saveper, scope)
    sections = [_section(path, "__main__", [], elements, dimensions)]
    for node in children(root, "macro"):
        sections.append(_macro_section(path, node, scope, behavior))
    method, remark = _method(specs.get("method") or ""), ""
    # xmutil, which converts too, keeps the method
    if method == "rk4" and vendor.startswith(f"{VENSIM}, Inc"):
        method = "euler"
        remark = (
            "Vensim writes the method RK4 into every XMILE file that it exports, so that it says "
            "nothing; Euler's is used, give integration='rk4' for the other"
        )
    model = am.AbstractModel(original_path=path, sections=tuple(sections))
    nodes = {d.name: d.node for d in variables.values() if d.node is not None}
    texts = {name: tuple(equation_texts(node)) for name, node in nodes.items()}
    return Reading(model, lines, method, remark, texts, dict(_synonyms(root)))


def _synonyms(root: Any) -> Iterator[tuple[str, str]]:
    """Units that are the same as another one."""
    for holder in children(root, "model_units"):
        for unit in children(holder, "unit"):
            for alias in children(unit, "alias"):
                yield (alias.text or "").strip(), name_of(unit)


def _dimensions(root: Any, limits: Limits) -> dict[str, Dimension]:
    found = {}
    named = 0  # elements of all dimensions so far
    for holder in children(root, "dimensions"):
        for node in children(holder, "dim"):
            name = shown(name_of(node))
            elements = tuple(shown(name_of(e)) for e in children(node, "elem"))
            size = node.get("size") or ""
            count = len(elements)
            if not elements and re.fullmatch("[0-9]{1,15}", size):
                count = int(size)
            named += count
            if named > limits.elements:
                many = f"has {named:,} elements or more in its dimensions, up to '{name}'"
                raise MisreadError(limits.exceeded("elements", many))
            elements = elements or tuple(str(i) for i in range(1, count + 1))
            if not elements or not name:
                raise MisreadError(f"has a dimension '{name}' without elements or size")
            found[canonical(name)] = Dimension(name, elements)
    return found


def _elements(
    path: Path, scope: Scope, behavior: Behavior
) -> tuple[list[am.AbstractElement], dict[str, int]]:
    """Elements of every variable, and the lines they stand on."""
    read = {}
    for declared in scope.variables.values():
        if declared.node is not None:
            read[declared.name] = _read(path, element, declared, scope, behavior)
    called = {c.function.reference for c in parts_of(list(read.values()), CallStructure)}
    called |= {
        r.reference
        for c in parts_of(list(read.values()), CallStructure)
        if c.function.reference == "lookup_invert"
        for r in c.arguments[:1]
    }
    elements, lines = [], {}
    for declared in scope.variables.values():
        if declared.node is None:
            continue
        lines[declared.name] = line_of(declared.node)
        # a number beside a graphical function that is called is only a placeholder
        if declared.table != declared.name or reference_name(declared.name) not in called:
            elements.append(read[declared.name])
        if declared.table and reference_name(declared.table) in called:
            elements.append(_read(path, table, declared, scope))
    return elements, lines


def _read(path: Path, read: Callable[..., Any], declared: Declared, *context: Any) -> Any:
    try:
        return read(declared, *context)
    except MisreadError as problem:
        fail(path, declared.node, declared.name, problem.problem)


def _controls(
    path: Path, specs: Any, saveper: Any, scope: Scope
) -> list[am.AbstractControlElement]:
    """Clock of the file. Stella saves every step unless <sim_specs> says otherwise."""
    owner = Declared("sim_specs", specs)
    place = Place(scope, owner, ())
    step = child(specs, "dt")
    reciprocal = step is not None and (step.get("reciprocal") or "").lower() == "true"
    save = (
        text_of(specs, "save_step")
        or attribute(specs, "savestep")
        or attribute(specs, "save_interval")
    )
    if not save and saveper is not None:
        save = text_of(saveper, "eqn")
    texts = {
        "INITIAL TIME": text_of(specs, "start"),
        "FINAL TIME": text_of(specs, "stop"),
        "TIME STEP": text_of(specs, "dt") or "1",
        "SAVEPER": save or "time_step",
    }
    found = []
    for name, text in texts.items():
        if not text:
            tag = "start" if name == "INITIAL TIME" else "stop"
            fail(path, specs, "sim_specs", f"has no <{tag}>")
        try:
            value = xmile_expression(text, place)
        except MisreadError as problem:
            fail(path, specs, name, problem.problem)
        if name == "TIME STEP" and reciprocal:
            if not LITERAL.fullmatch(text) or not number(text.strip()):
                fail(path, specs, name, f"is the reciprocal of '{text}', expected a number")
            value = 1 / number(text.strip())
        component = am.AbstractComponent(([], []), value)
        units = specs.get("time_units") or ""
        found.append(am.AbstractControlElement(name, [component], units))
    return found


def _method(text: str) -> str:
    """First method of a list such as ``rk45, rk4`` that is supported, else that is close to one."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    close = [name for name in names if name.startswith("rk")]
    return next((name for name in names if name in SUPPORTED), (close + names + [""])[0])


def _vendor(root: Any) -> str:
    header = child(root, "header")
    return text_of(header, "vendor") if header is not None else ""


def _behavior(root: Any) -> Behavior:
    node = child(root, "behavior")
    if node is None:
        return Behavior()
    both = child(node, "non_negative") is not None
    stock, flow = child(node, "stock"), child(node, "flow")
    return Behavior(
        both or (stock is not None and child(stock, "non_negative") is not None),
        both or (flow is not None and child(flow, "non_negative") is not None),
    )


def _macro(node: Any) -> Macro:
    params, defaults = [], {}
    for param in children(node, "parm"):
        name = (param.text or "").strip()
        params.append(name)
        default = param.get("default")
        if default is not None:
            if not LITERAL.fullmatch(default):
                raise MisreadError(
                    f"has the default '{default}' for {name} in the macro {name_of(node)}, "
                    "expected a number"
                )
            defaults[name] = float(default)
    return Macro(shown(name_of(node)), tuple(params), defaults)


def _macro_section(path: Path, node: Any, scope: Scope, behavior: Behavior) -> am.AbstractSection:
    """Variables of a macro, and its result as a variable of its own name."""
    macro = scope.macros[canonical(name_of(node))]
    inside = {}
    for variable in nodes_of(node):
        name = shown(name_of(variable))
        inside[canonical(name)] = Declared(
            name, variable, (), dims_of(path, variable, scope.dimensions), None,
            table_name(variable, name),
        )  # fmt: skip
    # a parameter may be declared as a variable, too, so that it can stand as the inflow of a stock
    inside |= {canonical(p): Declared(p, None) for p in macro.params}
    own = replace(scope, variables=inside)
    elements, _ = _elements(path, own, behavior)
    if canonical(macro.name) not in inside:
        owner = Declared(macro.name, node)
        try:
            result = xmile_expression(text_of(node, "eqn"), Place(own, owner, ()))
        except MisreadError as problem:
            fail(path, node, macro.name, problem.problem)
        component = am.AbstractComponent(([], []), result)
        elements.append(am.AbstractElement(macro.name, [component]))
    return _section(path, reference(macro.name), list(macro.params), elements, {})


def _section(
    path: Path,
    name: str,
    params: list[str],
    elements: list[am.AbstractElement],
    dimensions: Mapping[str, Dimension],
) -> am.AbstractSection:
    main = name == "__main__"
    return am.AbstractSection(
        name=name,
        path=path.with_suffix(".py") if main else path.with_name(f"{name}.py"),
        type="main" if main else "macro",
        params=params,
        returns=[],
        subscripts=[SubscriptRange(d.name, list(d.elements), []) for d in dimensions.values()],
        elements=elements,
        constraints=[],
        test_inputs=[],
        split=False,
        views_dict=None,
    )
