"""What the page's tools for a workshop read: scenario files, draws and loop shares by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kredslob.cycle.scenario import load_scenario, parameter_table
from kredslob.show.workshop.draws import packed_draws
from kredslob.show.workshop.loop_shares import loop_shares


def facilitation(
    places: Mapping[str, str | Path], policies: Sequence[str | Path]
) -> dict[str, Any]:
    """Everything that the tools for a workshop read besides the page's own content.

    Parameters
    ----------
    places : mapping of str to (str or Path)
        Settings that the page offers, by name: a name or a file.
    policies : sequence of str or Path
        Policies that it offers.

    Returns
    -------
    dict
        Ready for JSON. "shelf": what scenario files state ("settings": by setting and policy the
        parameters in which the policy differs from the setting; "elements": by parameter); "draws":
        by setting, see `packed_draws`; "loops": by setting, see `loop_shares`.
    """
    return {
        "shelf": {
            "settings": {name: _shelf(place, policies) for name, place in places.items()},
            "elements": _elements(),
        },
        "draws": {name: packed_draws(load_scenario(None, p)) for name, p in places.items()},
        "loops": {name: loop_shares(place, policies) for name, place in places.items()},
    }


def _shelf(place: str | Path, policies: Sequence[str | Path]) -> dict[str, dict[str, Any]]:
    alone = load_scenario(None, place).parameters
    found = {}
    for policy in policies:
        scenario = load_scenario(policy, place)
        stated = scenario.parameters.items()
        found[scenario.name] = {k: v for k, v in stated if k not in alone or alone[k] != v}
    return found


def _elements() -> dict[str, list[str]]:
    """Elements of each parameter that has one subscript."""
    rows = [row for row in parameter_table() if len(row.elements) == 1]
    return {row.name: [r.elements[0] for r in rows if r.name == row.name] for row in rows}
