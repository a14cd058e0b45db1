"""Reporting standards, filled in from the model and from a run, with what is missing said.

STRESS-SD is that of Monks and others (2019), Journal of Simulation 13, 55-67; the minimum reporting
requirements are those of Rahmandad and Sterman (2012), System Dynamics Review 28, 396-411. Each
item is answered by rule from what the model file and the run's manifest hold. What only a person
can say, such as why the model was built, is said to be missing unless the model is the one that
comes with kredslob.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kredslob.results import SavedRun
from kredslob.show.documentation import Documentation
from kredslob.show.language import Words

STATED, PARTLY, MISSING, NOT_NEEDED = "stated", "partly", "missing", "not needed"
STRESS = "stress"
MINIMUM = "minimum"
_STRESS = (
    ("1.1", "purpose"),
    ("1.2", "outputs"),
    ("1.3", "aims"),
    ("2.1", "diagram"),
    ("2.2", "logic"),
    ("2.3", "scenario"),
    ("2.4", "algorithms"),
    ("2.5", "components"),
    ("3.1", "sources"),
    ("3.2", "preprocessing"),
    ("3.3", "parameters"),
    ("3.4", "assumptions"),
    ("4.1", "initial"),
    ("4.2", "length"),
    ("4.3", "estimation"),
    ("5.1", "software"),
    ("5.2", "random"),
    ("5.3", "execution"),
    ("5.4", "system"),
    ("6.1", "access"),
)
_MINIMUM = (
    ("M1", "equations"),
    ("M2", "parameters"),
    ("M3", "initial"),
    ("S1", "software"),
    ("S2", "scenario"),
    ("S3", "execution"),
    ("S4", "length"),
    ("S5", "random"),
    ("S6", "outputs"),
    ("O1", "optimisation"),
    ("P1", "units"),
    ("P2", "sources"),
)


@dataclass(frozen=True)
class Item:
    """One item of a standard, answered.

    Parameters
    ----------
    number, question : str
        As the standard numbers it, and what it asks for.
    status : str
        stated, partly, missing or not needed.
    answer : str
        What the model and the run say, and what is missing.
    """

    number: str
    question: str
    status: str
    answer: str


def checklist(
    standard: str, documentation: Documentation, run: SavedRun | None, w: Words
) -> list[Item]:
    """Fill a standard in.

    Parameters
    ----------
    standard : str
        "stress" or "minimum".
    documentation : Documentation
        The model.
    run : SavedRun or None
        A run of it.
    w : Words
        The language.
    """
    facts = _Facts(documentation, run, w)
    asked = _STRESS if standard == STRESS else _MINIMUM
    items = []
    for number, name in asked:
        status, key = facts.answer(name)
        values = facts.values
        answer = w.text(f"document.answer.{key}", **values) if key else ""
        items.append(Item(number, w.text(f"document.asks.{name}"), status, answer))
    return items


class _Facts:
    """What can be said about a model and a run, and how well that answers an item."""

    def __init__(self, documentation: Documentation, run: SavedRun | None, w: Words) -> None:
        self.documentation, self.run, self.w = documentation, run, w
        self.manifest: Mapping[str, Any] = run.manifest if run else {}
        self.own = any(e.sources for e in documentation.entries)
        self.values = dict(self._values())

    def answer(self, name: str) -> tuple[str, str]:
        """Status of an item, and the key of its answer."""
        rules: Mapping[str, Callable[[], tuple[str, str]]] = {
            "purpose": lambda: (STATED, "purpose") if self.own else (MISSING, "purpose_missing"),
            "outputs": self._outputs,
            "aims": lambda: self._of_run("aims", "aims_missing"),
            "diagram": self._diagram,
            "logic": lambda: (STATED, "logic") if self.own else (PARTLY, "logic_partly"),
            "scenario": lambda: self._of_run("scenario", "scenario_missing"),
            "algorithms": lambda: (STATED, "algorithms"),
            "components": lambda: (STATED, "components"),
            "sources": self._sources,
            "preprocessing": lambda: (
                (PARTLY, "preprocessing") if self.own else (MISSING, "none_said")
            ),
            "parameters": self._parameters,
            "assumptions": self._assumptions,
            "initial": lambda: (STATED, "initial"),
            "length": lambda: self._of_run("length", "length_of_file", PARTLY),
            "estimation": self._estimation,
            "software": lambda: self._of_run("software", "software_missing"),
            "random": self._random,
            "execution": lambda: self._of_run("execution", "execution_of_file", PARTLY),
            "system": lambda: (PARTLY, "system") if self.run else (MISSING, "system_missing"),
            "access": lambda: (STATED, "access") if self.own else (MISSING, "access_missing"),
            "equations": lambda: (STATED, "equations"),
            "units": self._units,
            "optimisation": lambda: (NOT_NEEDED, "no_search"),
        }
        return rules[name]()

    def _of_run(self, with_run: str, without: str, otherwise: str = MISSING) -> tuple[str, str]:
        return (STATED, with_run) if self.run else (otherwise, without)

    def _outputs(self) -> tuple[str, str]:
        if self.run:
            return STATED, "outputs_of_run"
        return PARTLY, "outputs"

    def _diagram(self) -> tuple[str, str]:
        return (STATED, "diagram") if self.documentation.views else (MISSING, "diagram_missing")

    def _sources(self) -> tuple[str, str]:
        if not self.own:
            return MISSING, "sources_missing"
        return (
            (STATED, "sources")
            if self.values["without_source"] == "0"
            else (PARTLY, "sources_partly")
        )

    def _parameters(self) -> tuple[str, str]:
        return STATED, "parameters_of_run" if self.run else "parameters"

    def _assumptions(self) -> tuple[str, str]:
        if self.own:
            return STATED, "assumptions"
        return (
            (PARTLY, "assumptions_partly")
            if self.documentation.with_fault("description")
            else (STATED, "assumptions_in_text")
        )

    def _estimation(self) -> tuple[str, str]:
        return (STATED, "no_estimation") if self.own else (MISSING, "none_said")

    def _random(self) -> tuple[str, str]:
        if not self.run:
            return MISSING, "random_missing"
        if self.manifest.get("seed") is not None:
            return STATED, "seed"
        texts = (text for e in self.documentation.entries for text in e.equations)
        drawn = any("RANDOM" in text.upper() for text in texts)
        return (PARTLY, "random_functions") if drawn else (NOT_NEEDED, "no_random")

    def _units(self) -> tuple[str, str]:
        lacking = self.documentation.with_fault("unit")
        return (PARTLY, "units_partly") if lacking else (STATED, "units")

    def _values(self) -> Iterator[tuple[str, str]]:
        d, w, manifest = self.documentation, self.w, self.manifest
        for kind in ("stock", "flow", "auxiliary", "constant", "lookup"):
            yield kind, w.number(d.count(kind))
        yield "variables", w.number(len(d.entries))
        yield "views", ", ".join(d.views)
        yield "subscripts", w.number(len(d.file.subscripts))
        yield "model", d.file.path.name
        yield "hash", d.file.sha256[:12]
        rows = [row for e in d.entries for row in e.sources]
        for certainty in ("measured", "estimated", "assumed"):
            yield certainty, w.number(sum(r.certainty == certainty for r in rows))
        yield "rows", w.number(len(rows))
        yield "without_source", w.number(sum(not r.source for r in rows))
        yield "no_unit", w.number(len(d.with_fault("unit")))
        yield "no_description", w.number(len(d.with_fault("description")))
        clock = {e.name.upper(): _value(e.equations) for e in d.entries if e.kind == "control"}
        yield "start", clock.get("INITIAL TIME", "?")
        yield "end", clock.get("FINAL TIME", "?")
        stated = manifest.get("clock") or {}
        yield "step", str(stated.get("step") or clock.get("TIME STEP", "?"))
        years = manifest.get("years")
        yield "years", w.number(years, 0 if years % 1 == 0 else 2) if years is not None else "?"
        yield "integration", str(manifest.get("integration", "?"))
        yield "engine", str(manifest.get("engine", "?"))
        versions = manifest.get("versions") or {}
        yield "versions", ", ".join(f"{k} {v}" for k, v in versions.items())
        yield "command", str(manifest.get("command", ""))
        yield "setting", str(manifest.get("setting") or w.text("none"))
        yield "scenario", str(manifest.get("scenario") or w.text("none"))
        yield "changed", w.number(len(manifest.get("parameters") or {}))
        yield "seed", str(manifest.get("seed"))
        yield "draws", str(manifest.get("draws") or w.text("none"))
        yield "tables", ", ".join(self.run.tables) if self.run else ""
        yield "levers", ", ".join(manifest.get("levers") or {}) or w.text("none")


def _value(equations: tuple[str, ...]) -> str:
    text = equations[0] if equations else "?"
    return (text.partition("=")[2] or text).strip()
