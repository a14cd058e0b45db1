"""The reference of Python: every public name, in groups that follow the layers of the package."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path

import kredslob

_SOURCE = Path(kredslob.__file__).parent


@dataclass(frozen=True)
class Group:
    """Public names that stand on one page.

    Parameters
    ----------
    slug, title, text : str
        The end of the page's file name, its heading and the line under it.
    layers : tuple of str
        Modules of `kredslob` whose public names belong here; "" is what lies in no sub-package.
    modules : tuple of str
        Modules that the guides name besides, shown with all that they offer.
    """

    slug: str
    title: str
    text: str
    layers: tuple[str, ...]
    modules: tuple[str, ...] = ()


GROUPS = (
    Group(
        "engine",
        "Models and runs",
        "Reading, running and checking a model of any kind.",
        ("",),
    ),
    Group(
        "cycle",
        "The reinvestment model",
        "Places and policies, and what a run of the reinvestment model comes to.",
        ("cycle",),
        ("kredslob.cycle.cases", "kredslob.cycle.outcomes"),
    ),
    Group(
        "feedback",
        "Feedback",
        "Loops, their scores, eigenvalues: for a model of any kind.",
        ("feedback",),
    ),
    Group(
        "studies",
        "Studies",
        "Many runs with a question: sweeps, uncertainty, sensitivity, search, calibration.",
        ("studies",),
        (
            "kredslob.studies.factors",
            "kredslob.studies.evaluate",
            "kredslob.studies.questions",
            "kredslob.studies.structures",
        ),
    ),
    Group(
        "show",
        "Showing",
        "Pages and diagrams.",
        ("show",),
        ("kredslob.show.diagram",),
    ),
)


def names_page(group: Group) -> str:
    """Write the page of a group, in reStructuredText, for Sphinx to fill in from the docstrings.

    Parameters
    ----------
    group : Group
        One of `GROUPS`.
    """
    parts = [_heading(group.title, "="), group.text, ".. currentmodule:: kredslob"]
    for name in sorted(kredslob.__all__, key=str.lower):
        if layer_of(name) in group.layers:
            parts.append(_directive(name, getattr(kredslob, name)))
    for module in group.modules:
        parts += [_heading(f"In {module}", "-"), f".. automodule:: {module}\n   :members:"]
    return "\n\n".join(parts) + "\n"


def layer_of(name: str) -> str:
    """Sub-package in which a public name of `kredslob` is defined, or "" for none."""
    module = getattr(kredslob, name).__module__.split(".")
    return module[1] if (_SOURCE / module[1]).is_dir() else ""


def _directive(name: str, what: object) -> str:
    if not inspect.isclass(what):
        return f".. autofunction:: {name}"
    if issubclass(what, Exception):
        return f".. autoexception:: {name}\n   :show-inheritance:"
    return f".. autoclass:: {name}\n   :members:"


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"
