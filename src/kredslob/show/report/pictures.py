"""The figures of a report, each drawn once in the language of the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kredslob.cycle.loops import families
from kredslob.cycle.summary import RATE
from kredslob.feedback.loops import Loop
from kredslob.show.compare_figures import policies_over_time, relief_by_policy
from kredslob.show.diagram import causal_loop_drawing, stock_and_flow_drawing
from kredslob.show.diagram.folding import folded, part
from kredslob.show.figures import (
    Drawing,
    citizens_by_state,
    citizens_helped,
    fund_over_time,
    lay_out,
    saving_cascade,
    two_bookings,
    who_is_helped,
    who_saves,
)
from kredslob.show.language import words
from kredslob.show.loop_folder import draw_loops
from kredslob.show.policy_folder import draw_policies
from kredslob.show.purse_figures import helped_by_group, money_through_purses
from kredslob.show.report.document import alternatives
from kredslob.show.report.material import Material, Studies
from kredslob.show.sensitivity_figures import tornado
from kredslob.show.sensitivity_folder import draw_sensitivity
from kredslob.show.threshold_figures import regions
from kredslob.show.uncertainty_figures import at_risk, fans, payback_chances

_DOTS_PER_INCH = 120  # of a page 6.5 inches wide some 200
_HINGES_OF = ("loop gain", "net present value of public purse")
PNG, SVG = "png", "svg"
_LOOPS_SHOWN = 4
_CORE = (  # where people in crisis and money are, and what moves them
    *("Strained", "Crisis", "Crisis In Intervention", "Newly Stable"),
    *("worsening", "easing", "relapse", "starts from crisis", "back to crisis", "lifted"),
    *("Identified Savings In Pipeline", "identified saving", "identified saving cashed"),
    *("Fund Cash", "paid in", "returned savings", "spending"),
)
_KEPT = (  # variables that people know; chains between them become one link
    *("total cash", "starts", "lifted", "avoided cost", "identified saving", "reinvested"),
    *("pledged share", "kept", "Budget Owner Support", "Evidence", "Documentation Capability"),
    *("Fund Cash", "Crisis", "effect of a course", "satisfaction", "completions"),
)


def draw(
    kind: str, materials: Sequence[Material], studies: Studies | None, language: str
) -> dict[str, Drawing]:
    """Draw the figures that a kind of report shows, by name."""
    drawn = (
        _compared(materials, language) if kind == "compare" else _of(kind, materials[0], language)
    )
    found = {drawing.name: drawing for drawing in drawn}
    if studies is not None:
        found |= {drawing.name: drawing for drawing in _asked(studies, language)}
    return found


def save(drawings: Mapping[str, Drawing], folder: Path, suffixes: Sequence[str]) -> None:
    """Write figures as files: PNG for programs that show no SVG, SVG for the others."""
    for name, drawing in drawings.items():
        lay_out(drawing.figure, _DOTS_PER_INCH)
        if PNG in suffixes:
            drawing.figure.savefig(folder / f"{name}.{PNG}", dpi=_DOTS_PER_INCH)
        if SVG in suffixes:
            (folder / f"{name}.{SVG}").write_text(drawing.svg, encoding="utf-8")


def _of(kind: str, material: Material, language: str) -> Iterator[Drawing]:
    runs, last = material.runs, {RATE: -1}
    yield fund_over_time(runs, language)
    yield saving_cascade(runs, language)
    if kind == "brief":
        return
    yield citizens_helped(runs, language)
    yield who_is_helped(material.shares.isel(last), language)
    yield who_saves(runs, language)
    yield money_through_purses(runs, language)
    yield two_bookings(material.views.isel(last), language)
    if kind == "full":
        yield helped_by_group(material.shares.isel(last), language)
        yield citizens_by_state(runs, language)


def _asked(studies: Studies, language: str) -> Iterator[Drawing]:
    if studies.uncertainty is not None:
        yield fans(studies.uncertainty, language)
        if float(studies.uncertainty["probability of payback"].max()) > 0:
            yield payback_chances(studies.uncertainty, language)
        yield at_risk(studies.uncertainty, language)
    if studies.regions is not None:
        yield regions(studies.regions, language)
    if studies.sensitivity is not None:
        for number, outcome in enumerate(_HINGES_OF, start=1):
            drawing = tornado(studies.sensitivity, outcome, language)
            yield replace(drawing, name=f"tornado{number}")
    if studies.hinges is not None:
        yield from draw_sensitivity(studies.hinges, language)
    if studies.policies is not None:
        yield from draw_policies(studies.policies, language)
    yield _structure(studies, language)
    yield _causes(studies, language)
    yield from draw_loops(studies.loops, language)


def _structure(studies: Studies, language: str) -> Drawing:
    """Draw the stocks that people and money move between, with the flows between them."""
    w = words(language)
    prefix = "report.stock."
    own = {k.removeprefix(prefix): said for k, said in w.table.items() if k.startswith(prefix)}
    return stock_and_flow_drawing(
        "structure",
        part(studies.loops.graph, set(_CORE)),
        language=language,
        labels=w.labels | own,
        title=w.text("report.figure.structure"),
    )


def _causes(studies: Studies, language: str) -> Drawing:
    """Draw the loops that do most, with their chains drawn together to what people know."""
    w = words(language)
    (scores,) = studies.loops.scores.values()
    size = (scores["reinforcing share"] - scores["balancing share"]).mean("time")
    known = sorted(families(), key=lambda family: -float(size.sel(family=family.name)))
    shown = [f for f in known if all(n in studies.loops.graph for n in f.path)][:_LOOPS_SHOWN]
    variables = {name for family in shown for name in family.path}
    graph = folded(part(studies.loops.graph, variables), _KEPT)
    loops = [
        Loop(f"{f.name} {f.words[language]}", f.path, f.polarity)
        for f in sorted(shown, key=lambda family: family.name)
    ]
    title = w.text("report.figure.causes")
    return causal_loop_drawing(
        "causes", graph, loops, language=language, labels=w.labels, title=title
    )


def _compared(materials: Sequence[Material], language: str) -> Iterator[Drawing]:
    several = alternatives(materials, words(language))
    at_rate = [{RATE: one.place} for one in several]
    labels = [one.short for one in several]
    runs = [one.material.runs.isel(at) for one, at in zip(several, at_rate, strict=True)]
    sums = [one.material.summary.isel(at) for one, at in zip(several, at_rate, strict=True)]
    yield policies_over_time(list(zip(labels, runs, strict=True)), language)
    yield relief_by_policy(list(zip(labels, sums, strict=True)), language)
