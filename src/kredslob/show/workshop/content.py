"""What the workshop page knows besides the model: places, policies, levers and words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kredslob.arguments import refused
from kredslob.cycle.scenario import Scenario, list_scenarios, list_settings, load_scenario
from kredslob.design import one_design
from kredslob.program import Program
from kredslob.show.language import LANGUAGES, words
from kredslob.show.workshop.facilitation import facilitation
from kredslob.show.workshop.levers import first_constant, levers_for_page

_WORDS = ("workshop", "money", "element", "purse", "party", "table", "unit")
_PLAIN_WORDS = ("percent", "yes", "no", "nearly", "never", "none", "year")
_RANGES = ("Group", "Need", "Administration", "Purse", "Capital")


def content(
    program: Program, *, language: str, setting: str | Path, scenarios: Sequence[str | Path]
) -> dict[str, Any]:
    """Everything that the page's scripts read, as plain data.

    Parameters
    ----------
    program : Program
        The lowered reinvestment model.
    language : str
        Language that the page opens in.
    setting : str or Path
        Place that the page opens in: a name, or a TOML file, which is then offered too.
    scenarios : sequence of str or Path
        Policies to offer: names or TOML files.

    Returns
    -------
    dict
        ``settings`` holds for each place its titles and, by policy, what differs from the model
        file: "constants" as pairs of place (from the first constant) and value, and "tables".

    Raises
    ------
    InputFileError, KredslobError
        As for `kredslob.load_scenario`.
    """
    opened = load_scenario(None, setting)
    places: dict[str, str | Path] = {name: name for name in list_settings()}
    places[opened.setting] = setting
    return {
        "language": language,
        "setting": opened.setting,
        "settings": {name: _place(program, place, scenarios) for name, place in places.items()},
        "levers": levers_for_page(program),
        "tables": {name: _points(table.points) for name, table in program.tables.items()},
        "ranges": {name: list(program.ranges[name]) for name in _RANGES},
        "integration": program.integration,
        "facilitation": facilitation(places, scenarios),
        "words": {one: _page_words(one) for one in LANGUAGES},
    }


def policies(extra: Iterable[str | Path] = ()) -> list[str | Path]:
    """All policies that come with the model, and those of one's own."""
    if isinstance(extra, str | Path) or not isinstance(extra, Iterable):
        raise refused("scenarios", extra, "a list of .toml files")
    return [*list_scenarios(), *extra]


def _place(
    program: Program, setting: str | Path, scenarios: Sequence[str | Path]
) -> dict[str, Any]:
    alone = load_scenario(None, setting)
    chosen = [load_scenario(one, setting) for one in scenarios]
    return {
        "title": dict(alone.title),
        "description": dict(alone.description),
        "policies": {one.name: _policy(program, one) for one in (alone, *chosen)},
    }


def _policy(program: Program, scenario: Scenario) -> dict[str, Any]:
    design = one_design(program, scenario.parameters)
    first = first_constant(program)
    constants: list[list[float]] = []
    for name, values in design.values.items():
        start = program.arrays[name].offset - first
        default = program.defaults[name]
        flat = [float(value) for value in values.ravel()]
        constants += [
            [start + i, value]
            for i, (value, usual) in enumerate(zip(flat, default, strict=True))
            if value != usual
        ]
    return {
        "title": dict(scenario.title),
        "description": dict(scenario.description),
        "constants": constants,
        "tables": {name: _points(entries[0]) for name, entries in design.tables.items()},
    }


def _points(points: Iterable[tuple[Sequence[float], Sequence[float]]]) -> list[list[list[float]]]:
    return [[[float(x) for x in xs], [float(y) for y in ys]] for xs, ys in points]


def _page_words(language: str) -> Mapping[str, str]:
    table = words(language).table
    return {
        key: text
        for key, text in table.items()
        if key in _PLAIN_WORDS or key.partition(".")[0] in _WORDS
    }
