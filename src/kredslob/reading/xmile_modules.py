"""Modules of an XMILE file, laid out flat: every variable under the name ``module.variable``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from kredslob.errors import InputFileError
from kredslob.limits import Limits
from kredslob.reading.source import one_line
from kredslob.reading.xmile_scope import Declared, Dimension, canonical, segments, shown
from kredslob.reading.xmile_tree import attribute, children, line_of, local
from kredslob.reading.xmile_variable import table_name

VARIABLES = ("stock", "flow", "aux", "gf")
CONTROL = ("initial_time", "final_time", "time_step", "saveper", "time")
DEEPEST_MODULE = 20


def all_declared(
    path: Path, models: list[Any], dimensions: Mapping[str, Dimension], limits: Limits
) -> dict[str, Declared]:
    """Every variable of the file by its qualified canonical name."""
    by_name = {canonical(name_of(m)): m for m in models}
    found: dict[str, Declared] = {}

    def walk(model: Any, module: tuple[str, ...], prefix: str, wires: Mapping[str, str]) -> None:
        if len(module) > DEEPEST_MODULE:
            raise InputFileError(path, "has modules that hold each other", key=one_line(prefix, 60))
        for node in nodes_of(model):
            name = shown(name_of(node))
            key = ".".join((*module, canonical(name)))
            if not name:
                raise InputFileError(
                    path, f"has a {local(node)} without a name", line=line_of(node)
                )
            if local(node) == "module":
                inner = by_name.get(canonical(attribute(node, "model_name") or name_of(node)))
                if inner is None:
                    fail(path, node, prefix + name, "is a module whose <model> is missing")
                walk(inner, (*module, canonical(name)), f"{prefix}{name}.", _wires(node, module))
            elif canonical(name) not in CONTROL:
                if len(found) >= limits.equations:
                    many = f"has over {len(found):,} variables in its modules"
                    raise InputFileError(path, limits.exceeded("equations", many))
                if key in found:
                    fail(path, node, prefix + name, "is defined twice")
                found[key] = Declared(
                    prefix + name,
                    node,
                    module,
                    dims_of(path, node, dimensions),
                    wires.get(canonical(name)),
                    table_name(node, prefix + name),
                )

    walk(models[0], (), "", {})
    return {key: _settled(d, found) for key, d in found.items()}


def _wires(node: Any, module: tuple[str, ...]) -> dict[str, str]:
    """Map the inputs of a module to the names they come from.

    A name that begins with a point is one of the whole model; others are sought from the model
    that holds the module upwards, which ``_settled`` does once all names are known.
    """
    found = {}
    own = canonical(name_of(node))
    for wire in children(node, "connect"):
        inner = segments(wire.get("to") or "")
        inner = inner[1:] if len(inner) > 1 and inner[0] == own else inner
        outer = wire.get("from") or ""
        dotted = outer.startswith(".")
        found[".".join(inner)] = ("." if dotted else "|".join((*module, ""))) + ".".join(
            segments(outer)
        )
    return found


def _settled(declared: Declared, all_of: Mapping[str, Declared]) -> Declared:
    if declared.source is None:
        return declared
    *holders, name = declared.source.lstrip(".").split("|")
    for depth in range(len(holders), -1, -1):
        key = ".".join((*holders[:depth], name))
        if key in all_of and all_of[key] is not declared:
            return replace(declared, source=key)
    return replace(declared, source=name)


def dims_of(path: Path, node: Any, dimensions: Mapping[str, Dimension]) -> tuple[Dimension, ...]:
    """Dimensions of a variable."""
    found = []
    for holder in children(node, "dimensions"):
        for dim in children(holder, "dim"):
            key = canonical(name_of(dim))
            if key not in dimensions:
                fail(path, node, name_of(node), f"uses the dimension '{name_of(dim)}', not defined")
            found.append(dimensions[key])
    return tuple(found)


def name_of(node: Any) -> str:
    """Name attribute; empty where there is none."""
    return node.get("name") or ""


def nodes_of(model: Any) -> Iterator[Any]:
    """Variables and modules of a model: in <variables>, groups or directly (Stella 10)."""
    for node in model:
        if local(node) in (*VARIABLES, "module"):
            yield node
        elif local(node) in ("variables", "group"):
            yield from nodes_of(node)


def fail(path: Path, node: Any, key: str, problem: str) -> NoReturn:
    """Raise the error of one element of the file."""
    raise InputFileError(path, one_line(problem), line=line_of(node), key=one_line(key, 60))
