"""Imports point down only: from the command line to the program, never up."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import kredslob

PACKAGE = Path(kredslob.__file__).parent
LAYERS = {
    "arguments": 1,
    "copula": 0,
    "errors": 0,
    "limits": 1,
    "paths": 0,
    "processes": 0,
    "program": 0,
    "functions": 0,
    "design": 1,
    "folders": 1,
    "reading": 1,
    "dimensions": 2,
    "lowering": 2,
    "targets": 3,
    "batches": 4,
    "bounds": 4,
    "datasets": 4,
    "netcdf": 4,
    "summaries": 4,
    "ensemble": 5,
    "store": 5,
    "distributed": 5,
    "simulation": 6,
    "crate": 6,
    "results": 6,
    "archive": 7,
    "verification": 7,
    "loading": 8,
    "feedback": 7,
    "cycle": 8,
    "studies": 9,
    "show": 10,
    "commands": 11,
    "cli": 11,
}
# Words of the domain that the engine must not know.
DOMAIN = ("fund", "citizen", "municipality", "reinvest")
ENGINE = (
    *("arguments", "errors", "limits", "program", "functions", "reading", "dimensions", "lowering"),
    *("targets", "datasets", "design", "simulation", "results", "verification"),
    *("batches", "bounds", "summaries", "ensemble", "store", "distributed", "netcdf", "feedback"),
    *("folders", "crate", "archive"),
)


def modules() -> list[Path]:
    return sorted(
        p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py" or p.parent != PACKAGE
    )


def layer(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("kredslob."):
            names.add(node.module.split(".")[1])
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = LAYERS[layer(path)]
    for name in imported(path):
        assert LAYERS[name] <= own, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", [p for p in modules() if layer(p) in ENGINE], ids=lambda p: p.name)
def test_the_engine_does_not_know_the_domain(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    names |= {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    assert not [n for n in names for word in DOMAIN if word in n.lower()]


def test_every_module_is_in_a_layer() -> None:
    assert {layer(p) for p in modules()} <= set(LAYERS)
