"""Which loops are in charge, computed beforehand for policies near which people's own will lie.

To score loops takes every link of the model at every step, which is more than the page computes
while a slider moves. So scores travel with it: for each setting, each policy that comes with the
model, and five reinvestment rates.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.cycle.loops import families, loop_scores
from kredslob.cycle.scenario import Scenario, load_scenario
from kredslob.cycle.summary import RATE
from kredslob.show.language import LANGUAGES
from kredslob.show.loop_figures import FAMILY_COLOURS, GREYS, family_name

RATES = (0.0, 0.25, 0.5, 0.75, 1.0)
_FINEST = 255  # steps of a share: 8 bits
_RULES = ("reinvestment rule", "reinvestment schedule", "reinvestment rate after payback")
_NO_FEEDBACK = ("accounting rule", "write off time")  # how the books are kept moves no money


def loop_shares(place: str | Path, policies: Sequence[str | Path]) -> dict[str, Any]:
    """Score the loops of policies in a place.

    Parameters
    ----------
    place : str or Path
        A setting: a name or a file.
    policies : sequence of str or Path
        Names or files. The setting as it is, without a policy, comes in any case.

    Returns
    -------
    dict
        Ready for JSON: "rates" (Dmnl), "years" (whole years from 1), "families" (of each its
        "name", "polarity", "color" and its words by language), and "policies": by name of the policy
        (empty: the setting as it is) the number of its first row in "shares" and of its rows, one
        a rate, or a single one where a rule sets the rate. "shares": base64 of bytes over row,
        family and year: the absolute share of all that the loops do, 255 for all of it.
    """
    rows: list[np.ndarray] = []
    known: dict[str, list[int]] = {}
    found: dict[str, list[int]] = {}
    names: list[str] = []
    for policy in (None, *policies):
        scenario = load_scenario(policy, place)
        mark = _moving(scenario)
        if mark not in known:
            scored = [_yearly(loop_scores(scenario, **rate)) for rate in _rates_of(scenario)]
            names = [str(n) for n in scored[0]["family"].values]
            known[mark] = [len(rows), len(scored)]
            rows += [one.values for one in scored]
        found[scenario.name] = known[mark]
    return {
        "rates": list(RATES),
        "years": list(range(1, rows[0].shape[1] + 1)),
        "families": [_described(name) for name in names],
        "policies": found,
        "shares": base64.b64encode(
            np.rint(np.array(rows) * _FINEST).astype(np.uint8).tobytes()
        ).decode("ascii"),
    }


def _moving(scenario: Scenario) -> str:
    """What tells two policies apart for the loops; the rate is varied for both."""
    held = set(_NO_FEEDBACK) if _has_rule(scenario) else {RATE, *_RULES, *_NO_FEEDBACK}
    return repr({k: v for k, v in scenario.parameters.items() if k not in held})


def _has_rule(scenario: Scenario) -> bool:
    return bool(scenario.parameters.get("reinvestment rule", 0))


def _rates_of(scenario: Scenario) -> Iterator[Mapping[str, Any]]:
    if _has_rule(scenario):
        yield {}
    else:
        yield from ({"reinvestment_rate": rate} for rate in RATES)


def _yearly(scores: xr.Dataset) -> xr.DataArray:
    """Share of each family, whichever its sign, at whole years, shape (family, year)."""
    size = scores["reinforcing share"] - scores["balancing share"]
    years = np.arange(1.0, np.floor(float(size["time"][-1])) + 1)
    return size.sel(time=years, method="nearest").clip(0, 1).transpose("family", "time")


def _described(name: str) -> dict[str, str]:
    polarity = next((f.polarity for f in families() if f.name == name), "")
    words = {language: family_name(name, language) for language in LANGUAGES}
    colour = (FAMILY_COLOURS | GREYS)[name]
    return {"name": name, "polarity": polarity, "color": colour, **words}
