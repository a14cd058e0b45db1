"""Imports point down only, as pyproject.toml has the layers; the engine knows no fund."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import kredslob

PACKAGE = Path(kredslob.__file__).parent
PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
# Words of the domain that the engine must not know.
DOMAIN = ("fund", "citizen", "municipality", "reinvest")
OF_THE_DOMAIN = (
    *("cycle", "studies", "show", "commands", "cli"),
    *("paths", "loading"),  # these know which model is ours
)

CONTRACT = """
[importlinter]
root_package = layered
[importlinter:contract:1]
name = Two layers
type = layers
containers = layered
layers =
    high
    low
"""


def engine() -> list[Path]:
    inside = [(p.relative_to(PACKAGE), p) for p in sorted(PACKAGE.rglob("*.py"))]
    return [p for own, p in inside if own.parts[0].removesuffix(".py") not in OF_THE_DOMAIN]


def test_imports_point_down(capsys: pytest.CaptureFixture[str]) -> None:
    broken = lint_imports(config_filename=str(PYPROJECT), no_cache=True)
    assert not broken, capsys.readouterr().out


def test_an_import_that_points_up_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "layered"
    package.mkdir()
    for name, text in (("__init__", ""), ("low", "import layered.high"), ("high", "")):
        (package / f"{name}.py").write_text(text)
    (tmp_path / "own.ini").write_text(CONTRACT)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert lint_imports(config_filename=str(tmp_path / "own.ini"), no_cache=True)
    assert "layered.low -> layered.high" in capsys.readouterr().out


@pytest.mark.parametrize("path", engine(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_engine_does_not_know_the_domain(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    names |= {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    assert not [n for n in names for word in DOMAIN if word in n.lower()]
