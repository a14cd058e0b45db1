"""The feedback loops that the model is about: each is in it, with its sign, and has a name.

Their links are also held to the model's diagrams, which `test_sketch` holds to its equations: an
arrow from each cause to its effect, and a pipe from each flow to its stock.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr

from kredslob.cycle.loops import Family, families, family_of, loop_scores, without_each_loop
from kredslob.cycle.scenario import Scenario, list_settings, load_scenario
from kredslob.feedback.scores import ARROW
from kredslob.paths import reinvestment_folder
from kredslob.show.sketch import views

NAMES = ["R1", "R2", "R3", "R4", "R5", "B1", "B2", "B3", "B4", "B5", "B6", "B7"]
# where each loop has something to work on
PLENTY = {"capital at start": {"own savings": 4e9}}
RUNS: dict[str, tuple[str | None, dict[str, Any], float]] = {
    "usual": (None, {}, 0.75),
    "all reinvested": (None, {}, 1.0),
    "plenty of money": (None, PLENTY, 0.75),
    "investors": ("private-unscreened", {}, 0.75),
}
ACTIVE = {"B1": "plenty of money", "B4": "plenty of money", "B6": "investors"} | {
    "B7": "all reinvested"
}


@pytest.fixture(scope="module")
def links() -> set[tuple[str, str]]:
    found = set()
    for view in views(reinvestment_folder() / "reinvestment.mdl"):
        found |= {(arrow.source, arrow.target) for arrow in view.arrows}
        for pipe in view.pipes:
            found |= {(pipe.flow, stock) for stock in (pipe.source, pipe.target) if stock}
    return found


@pytest.fixture(scope="module")
def scored() -> dict[str, xr.Dataset]:
    found = {}
    for name, (policy, changes, rate) in RUNS.items():
        scenario = load_scenario(policy).with_parameters(changes)
        found[name] = loop_scores(scenario, reinvestment_rate=rate)
    return found


def test_all_loops_have_names() -> None:
    assert [family.name for family in families()] == NAMES
    assert all(family.polarity == family.name[0] for family in families())
    assert all(family.words["da"] != family.words["en"] for family in families())


@pytest.mark.parametrize("family", families(), ids=lambda f: f.name)
def test_the_loop_is_in_the_diagrams(links: set[tuple[str, str]], family: Family) -> None:
    missing = [k for k in pairwise([*family.path, family.path[0]]) if k not in links]
    assert missing == []


@pytest.mark.parametrize("family", families(), ids=lambda f: f.name)
def test_the_loop_is_found_with_its_sign(scored: dict[str, xr.Dataset], family: Family) -> None:
    scores = scored[ACTIVE.get(family.name, "usual")]
    paths = [set(str(p).split(ARROW)) for p in scores["path"].values]
    own = scores.isel(loop=paths.index(set(family.path)))
    assert own["polarity"].item() == family.polarity
    assert own["family of loop"].item() == family.name
    assert own["contribution"].item() > 0


def test_a_loop_has_one_family() -> None:
    assert family_of(ARROW.join(families()[0].path), "R") == "R1"
    assert family_of("Newly Stable → relapse", "B") == "B5"
    assert family_of("Recognised Effects", "B") == "own pace"
    assert family_of("Strained → worsening → Crisis → easing", "R") == "lives"
    assert family_of("Fund Cash → nothing known → else", "?") == "other"


@pytest.mark.parametrize("setting", list_settings())
@pytest.mark.parametrize("rate", [0.0, 0.4, 1.0])
def test_relative_scores_add_up_to_one(setting: str, rate: float) -> None:
    scores = loop_scores(load_scenario(setting=setting), years=15, reinvestment_rate=rate)
    total = np.abs(scores["relative score"]).sum("loop").values
    assert total == pytest.approx(1, abs=1e-9)
    shares = scores["reinforcing share"] - scores["balancing share"]
    assert shares.sum("family").values == pytest.approx(1, abs=1e-9)


def test_without_reinvestment_the_money_goes_nowhere() -> None:
    scores = loop_scores(load_scenario(), years=15, reinvestment_rate=0.0)
    for name in ("R1", "R2", "R3", "R4"):
        assert not scores["reinforcing share"].sel(family=name).values.any()


@pytest.mark.parametrize("scenario", [load_scenario()], ids=["municipality"])
def test_switching_a_loop_off(scenario: Scenario) -> None:
    table = without_each_loop(scenario, years=20, **{"reinvestment rate": 1.0})
    assert table.index.tolist() == ["all", "R2", "R3", "R5", "B2", "B4", "B6", "B7"]
    assert (table.loc["all"] > 0).all()
    for name in ("R3", "R5"):
        assert table.loc[name, "returned"] < 0
    for name in ("B2", "B7"):
        assert table.loc[name, "returned"] > 0
