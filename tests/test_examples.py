"""Every public name is documented, and its example runs as it stands."""

from __future__ import annotations

import doctest
import inspect
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kredslob

MODELS = Path(__file__).parent / "models"
# The file of the reader's own that examples on any model read.
OWN_MODEL = "predator_prey.mdl"


def public() -> Iterator[tuple[str, Any]]:
    """Public names, and the methods and properties that public classes define themselves."""
    for name in kredslob.__all__:
        thing = getattr(kredslob, name)
        yield name, thing
        if inspect.isclass(thing):
            for part, value in list(vars(thing).items()):
                if not part.startswith("_") and part not in getattr(thing, "__annotations__", {}):
                    yield f"{name}.{part}", value


PUBLIC = dict(public())


def documentation(name: str) -> str:
    return inspect.getdoc(PUBLIC[name]) or ""


def examples() -> list[str]:
    return [name for name in PUBLIC if ">>>" in documentation(name)]


@pytest.mark.parametrize("name", kredslob.__all__)
def test_every_public_name_has_an_example(name: str) -> None:
    assert ">>>" in documentation(name)


@pytest.mark.parametrize("name", [n for n in PUBLIC if inspect.isfunction(PUBLIC[n])])
def test_every_public_function_says_what_it_takes_and_gives(name: str) -> None:
    signature = inspect.signature(PUBLIC[name])
    taken = [p for p in signature.parameters if p != "self"]
    said = documentation(name)
    if taken:
        assert "\nParameters\n---" in said
    for argument in taken:
        assert argument in said.partition("\nReturns\n")[0], argument
    if signature.return_annotation != "None":
        assert "\nReturns\n---" in said


@pytest.mark.parametrize("name", examples())
def test_the_example_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(MODELS / OWN_MODEL, tmp_path)
    monkeypatch.chdir(tmp_path)
    shown = {"kredslob": kredslob, "np": np}
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    test = doctest.DocTestParser().get_doctest(documentation(name), shown, name, None, None)
    said: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)
    assert outcome.attempted
    assert not outcome.failed, "".join(said)
    assert not any(example.options.get(doctest.SKIP) for example in test.examples)
