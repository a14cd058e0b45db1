"""Which loops are in charge, computed beforehand for policies near which people's own will lie.

To score loops takes every link of the model at every step, which is more than the page computes
while a slider moves. So scores travel with it: for each setting, each policy that comes with the
model, and five reinvestment rates. They take a minute; `write_loop_shares` keeps them in a file
beside this one, which counts as long as the model's files are the ones that it was made of.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.cycle.loops import LIVES, OTHER, OWN_PACE, families, loop_scores
from kredslob.cycle.scenario import Scenario, list_scenarios, list_settings, load_scenario
from kredslob.cycle.summary import RATE
from kredslob.paths import reinvestment_folder
from kredslob.show.language import LANGUAGES, words
from kredslob.show.loop_figures import FAMILY_COLOURS, GREYS

RATES = (0.0, 0.25, 0.5, 0.75, 1.0)
_KEPT = Path(__file__).with_name("loop_shares.json")
_SOURCES = ("*.mdl", "parameters.csv", "loops.toml", "settings/*.toml", "scenarios/*.toml")
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
        Ready for JSON: "rates" (Dmnl); "families" (of each its "name", "polarity", "color" and its
        words by language); "policies": by name of the policy (empty: the setting as it is) the key
        of its "shares", which are base64 of bytes over rate, family and year (whole years from 1):
        the absolute share of all that the loops do, 255 for all of it. Where a rule sets the rate,
        there is a single one.
    """
    kept = _kept()
    known = {key: packed for one in kept.values() for key, packed in one["shares"].items()}
    named = kept[str(place)]["policies"] if str(place) in kept else {}
    named = {name: key for name, key in named.items() if name in ("", *policies)}
    shares = {key: known[key] for key in dict.fromkeys(named.values())}
    for policy in (None, *policies):
        if (policy or "") in named:
            continue
        scenario = load_scenario(policy, place)
        key = _key(scenario)
        named[scenario.name] = key
        if key not in shares:
            shares[key] = known.get(key) or _packed(scenario)
    return {"rates": list(RATES), "families": _families(), "policies": named, "shares": shares}


def write_loop_shares() -> None:
    """Compute the shares of all that comes with the model, and keep them."""
    places = {}
    for place in list_settings():
        found = loop_shares(place, list(list_scenarios()))
        places[place] = {"policies": found["policies"], "shares": found["shares"]}
    text = json.dumps({"made_of": made_of(), "places": places}, indent=1)
    _KEPT.write_text(text + "\n", encoding="utf-8")


def made_of() -> str:
    """Mark of the files that loop shares follow from (SHA-256)."""
    folder = reinvestment_folder()
    mark = sha256()
    for path in sorted(path for pattern in _SOURCES for path in folder.glob(pattern)):
        mark.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return mark.hexdigest()


@cache
def _kept() -> dict[str, Any]:
    if not _KEPT.is_file():
        return {}
    kept = json.loads(_KEPT.read_text(encoding="utf-8"))
    return dict(kept["places"]) if kept["made_of"] == made_of() else {}


def _key(scenario: Scenario) -> str:
    """What tells two policies apart for the loops; the rate is varied for both."""
    held = set(_NO_FEEDBACK) if _has_rule(scenario) else {RATE, *_RULES, *_NO_FEEDBACK}
    moving = {k: v for k, v in sorted(scenario.parameters.items()) if k not in held}
    return sha256(json.dumps(moving, sort_keys=True).encode()).hexdigest()[:8]


def _has_rule(scenario: Scenario) -> bool:
    return bool(scenario.parameters.get("reinvestment rule", 0))


def _packed(scenario: Scenario) -> str:
    rows = [_yearly(loop_scores(scenario, **rate)).values for rate in _rates_of(scenario)]
    steps = np.rint(np.array(rows) * _FINEST).astype(np.uint8)
    return base64.b64encode(steps.tobytes()).decode("ascii")


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


def _families() -> list[dict[str, str]]:
    """The families in the order of `kredslob.cycle.loops.loop_scores`."""
    colours = FAMILY_COLOURS | GREYS
    found = [
        {"name": f.name, "polarity": f.polarity, "color": colours[f.name], **f.words}
        for f in families()
    ]
    for name in (OWN_PACE, LIVES, OTHER):
        said = {one: words(one).text(f"loops.{name.replace(' ', '_')}") for one in LANGUAGES}
        found.append({"name": name, "polarity": "", "color": colours[name], **said})
    return found
