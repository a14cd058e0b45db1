"""Settings and policies: each one that comes with the model loads, says what it is, and runs."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from kredslob.cycle.scenario import (
    Scenario,
    list_scenarios,
    list_settings,
    load_scenario,
    parameter_table,
)
from kredslob.simulation import Model

SETTINGS, POLICIES = tuple(list_settings()), tuple(list_scenarios())
PLACES = list(product((None, *POLICIES), SETTINGS))
HEAD = '[title]\nda = "a"\nen = "b"\n[description]\nda = "a"\nen = "b"\n'


def test_the_settings_and_policies_that_were_promised_are_there() -> None:
    assert set(SETTINGS) == {"municipality", "national", "norrkoping"}
    assert set(POLICIES) >= {
        "no-reinvestment",
        "half",
        "all",
        "return-driven",
        "need-driven",
        "private-screened",
        "private-unscreened",
        "agreement",
        "no-agreement",
        "running-cost",
        "investment-accounting",
        "schedule",
        "until-repaid",
    }


@pytest.fixture(scope="module")
def runs(model: Model) -> dict[tuple[str | None, str], xr.Dataset]:
    return {
        place: model.run(load_scenario(*place), years=0.25, time_step=0.125, saveper=0.25)
        for place in PLACES
    }


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[1]}-{place[0]}")
def test_it_loads_runs_and_holds_what_the_file_says(
    model: Model, runs: dict[tuple[str | None, str], xr.Dataset], place: tuple[str | None, str]
) -> None:
    scenario, run = load_scenario(*place), runs[place]
    assert len(scenario.description["da"]) > 20
    assert len(scenario.description["en"]) > 20
    assert float(run["starts"].isel(time=-1).sum()) > 0
    for name, array in run.data_vars.items():
        assert np.isfinite(array).all(), name
    end = run.isel(time=-1)
    for name, value in scenario.parameters.items():
        if model.variables[name].kind == "lookup":
            continue
        for row in parameter_table().of(name):
            expected = value
            for element in row.elements:
                expected = expected[element]
            at = dict(zip(model.variables[name].dims, row.elements, strict=True))
            assert float(end[name].sel(at)) == expected, row.label


def test_the_ethical_screen_turns_half_of_private_capital_away(
    runs: dict[tuple[str | None, str], xr.Dataset],
) -> None:
    for setting in SETTINGS:
        in_ = {
            policy: float(
                runs[policy, setting]["Cumulated Paid In"]
                .isel(time=0)
                .sel(Capital="private investors")
            )
            for policy in ("private-screened", "private-unscreened")
        }
        assert in_["private-screened"] == pytest.approx(0.5 * in_["private-unscreened"])


def test_no_policy_lowers_a_pledge_by_adding_an_agreement() -> None:
    for setting in SETTINGS:
        scenario = load_scenario("agreement", setting)
        pledged = {
            kind: {
                row.elements[0]: scenario.parameters.get(name, {}).get(row.elements[0], row.value)
                for row in parameter_table().of(name)
            }
            for kind in ("with", "without")
            for name in (f"pledged share {kind} agreement",)
        }
        for purse, share in pledged["without"].items():
            assert pledged["with"][purse] >= share, (setting, purse)


def test_a_policy_can_say_something_for_one_setting_only(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        f'{HEAD}[parameters]\n"overhead share" = "5 %"\n'
        '[on.national.parameters]\n"overhead share" = "3 %"\n',
        encoding="utf-8",
    )
    shares = {s: load_scenario(path, s).parameters["overhead share"] for s in SETTINGS}
    assert shares == {"municipality": 0.05, "national": 0.03, "norrkoping": 0.05}


def test_changes_are_laid_over_and_the_scenario_itself_stays() -> None:
    scenario = load_scenario("half")
    changed = scenario.with_parameters({"cashing delay": {"health": "18 months"}})
    assert isinstance(changed, Scenario)
    assert changed.parameters["cashing delay"]["health"] == 1.5
    assert changed.parameters["cashing delay"]["social"] == 1.0  # the table's, now complete
    assert "cashing delay" not in scenario.parameters


def test_a_scenario_shows_itself_with_units() -> None:
    shown = load_scenario("half", "national")._repr_html_()
    assert "Half is reinvested" in shown
    assert "capital at start[state pool]" in shown
    assert "DKK" in shown
