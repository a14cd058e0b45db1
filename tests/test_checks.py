"""The standard tests of a model: the shipped model passes, and each of them can fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

import kredslob
from conftest import TANKS
from kredslob.cli import app
from kredslob.paths import reinvestment_folder
from kredslob.show.check_table import check_frame
from kredslob.simulation import Model
from kredslob.studies.checks import check_model
from kredslob.studies.cycle_checks import check_cycle

GENERIC = ["units", "finite", "negative stocks", "pairs", "time step", "integration order"]
GENERIC += ["integration error", "Runge-Kutta"]
OF_THE_CYCLE = ["people", "money", "zero funding", "published cases", "ranking of rates"]
OF_THE_CYCLE += ["ranking of policies", "switches"]
SHIPPED = (reinvestment_folder() / "reinvestment.mdl").read_text(encoding="utf-8")
AT_START = "water at start = 1 ~ litre ~ | Water[Tank] = INTEG("
FINE = (
    TANKS.replace("TIME STEP = 0.5", "TIME STEP = 0.0625")
    .replace("Water[Tank] = INTEG(", AT_START)
    .replace("outflow[Tank], 1)", "outflow[Tank], water at start)")
)

Spoil = Callable[[str, str, str], Model]


@pytest.fixture
def spoil(tmp_path: Path) -> Spoil:
    def spoiled(text: str, old: str, new: str) -> Model:
        assert text.count(old) == 1
        path = tmp_path / "spoiled.mdl"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return kredslob.load(path)

    return spoiled


def verdicts(found: pd.DataFrame) -> dict[str, str]:
    return dict(zip(found["check"], found["verdict"], strict=True))


@pytest.fixture(scope="module")
def shipped(model: Model) -> pd.DataFrame:
    seen: list[tuple[float, float]] = []
    found = check_cycle(  # a covering array of the pairs
        model, pair_budget=0, progress=lambda done, whole: seen.append((done, whole))
    )
    assert seen == [(k, len(found)) for k in range(1, len(found) + 1)]
    return found


def test_the_shipped_model_passes_every_check(shipped: pd.DataFrame) -> None:
    assert list(shipped["check"]) == GENERIC + OF_THE_CYCLE
    assert set(shipped["verdict"]) == {"pass"}
    assert (shipped["measured"] <= shipped["tolerance"]).all()


def test_a_sound_model_of_any_kind_passes(spoil: Spoil) -> None:
    seen: list[float] = []
    model = spoil(FINE, "Two tanks.", "Two good tanks.")
    found = check_model(model, progress=lambda done, whole: seen.append(done / whole))
    assert seen[-1] == 1
    assert verdicts(found) == dict.fromkeys(GENERIC, "pass")


IN_ONE_STEP = "(IF THEN ELSE(Time > 1.03 :AND: Time < 1.1, 9, 0) * inflow[Tank] - outflow"


@pytest.mark.parametrize(
    ("check", "old", "new"),
    [
        ("units", "~	litre/hour\n	~	Water out.", "~	kilogram\n	~	Water out."),
        ("finite", "/ time constant\n", "/ (time constant - 2.5)\n"),
        ("negative stocks", "Water[Tank] / time constant\n", "0.4 * time constant\n"),
        ("time step", "time constant = 5", "time constant = 0.1"),
        ("integration order", "time constant = 5", "time constant = 0.05"),
        ("integration error", "time constant = 5", "time constant = 0.03"),
        ("Runge-Kutta", "(inflow[Tank] - outflow", IN_ONE_STEP),
    ],
)
def test_each_check_of_any_model_can_fail(spoil: Spoil, check: str, old: str, new: str) -> None:
    assert verdicts(check_model(spoil(FINE, old, new)))[check] == "fail"


def test_a_model_without_stocks_has_no_integration_to_measure(spoil: Spoil) -> None:
    text = "{UTF-8}\nend = 4 ~ hour ~ |\nINITIAL TIME = 0 ~ hour ~ |\nFINAL TIME = end ~ hour ~ |\n"
    text += "TIME STEP = 1 ~ hour ~ |\nSAVEPER = 1 ~ hour ~ |\ny = 2 * Time ~ hour ~ |\n"
    found = check_model(spoil(text, "y =", "x ="))
    assert list(found["verdict"][4:]) == ["not computable"] * 4
    assert found.loc[1, "where"] == "refused conditions: 1"  # a run of two hours has no hour four


def test_what_cannot_be_measured_is_not_passed(spoil: Spoil) -> None:
    flat = spoil(FINE, "inflow[Tank] - outflow[Tank], water", "inflow[Tank], water")
    found = verdicts(check_model(flat))
    assert found["time step"] == found["integration order"] == "not computable"


LEAKS = {  # people who leave are kept, a tenth of spending is free, money comes from nowhere
    "people": ("- setback[Group,Need] - leaving as thriving[Group,Need], thr", ", thr"),
    "money": ("+ interest[Capital] - spending[Capital]", "- 0.9 * spending[Capital]"),
    "zero funding": (
        "	MAX(0, total cash) * course share",
        "	(1000 + total cash) * course share",
    ),
    "published cases": (
        "Cumulated Lifted[Group,Need] =\n	INTEG(",
        "Cumulated Lifted[Group,Need] =\n	INTEG(2 * ",
    ),
}
RETURNED = "receives savings[Capital] * SUM(reinvested[Purse!])"
TURNS = {  # what a conclusion says depends on unsettled hypotheses
    "ranking of rates": (
        RETURNED,
        f"({RETURNED}) * IF THEN ELSE(switch learning + switch prevention > 1, 1, -1)",
    ),
    "ranking of policies": (
        "XIDZ(return weight",
        "2 * (switch learning - 0.5) * XIDZ(return weight",
    ),
}


@pytest.mark.parametrize("changes", [LEAKS, TURNS], ids=["leaks", "turns"])
def test_each_check_of_the_cycle_can_fail(
    tmp_path: Path, changes: dict[str, tuple[str, str]]
) -> None:
    text = SHIPPED
    for check, (old, new) in changes.items():
        assert text.count(old) == 1, check
        text = text.replace(old, new)
    path = tmp_path / "spoiled.mdl"
    path.write_text(text, encoding="utf-8")
    found = verdicts(check_cycle(kredslob.load(path), pair_budget=0))
    assert {check: found[check] for check in changes} == dict.fromkeys(changes, "fail")
    assert found["switches"] == ("fail" if changes is TURNS else "pass")


@pytest.mark.slow
def test_the_shipped_model_passes_under_every_pair_of_extreme_conditions(model: Model) -> None:
    found = check_cycle(model)
    assert set(found["verdict"]) == {"pass"}


def test_a_pair_of_conditions_can_break_what_each_of_them_leaves_whole(spoil: Spoil) -> None:
    # never zero where one of both is doubled, and zero where both are: 0.4 x 2.5 against 5 x 0.2
    broken = "(time constant * water at start - 20)"
    found = check_model(spoil(FINE, "/ time constant\n", f"/ {broken}\n")).set_index("check")
    assert found["verdict"]["finite"] == "pass"
    assert (found["verdict"]["pairs"], found["measured"]["pairs"]) == ("fail", 1)
    assert found["where"]["pairs"].endswith("(time constant x 2, water at start x 2)")
    said = check_frame(found.reset_index(), "da").set_index("Prøve")["Hvor"]
    assert said["Ekstreme forhold to og to"].endswith("(»time constant« × 2, »water at start« × 2)")


def test_where_is_told_in_danish(shipped: pd.DataFrame) -> None:
    said = check_frame(shipped, "da").set_index("Prøve")["Hvor"]
    assert said["Tidsskridt"] == "0,392 år"
    assert said["Integrationens orden"] == "1,07"
    assert said["Integrationsfejl"] == "beholdt af kasserne i alt"
    assert said["Politikkernes rækkefølge"] == "Pengene følger forventet afkast"
    assert said["Offentliggjorte cases"] == "Denver: Stadig i bolig efter 3 år"
    assert said["Hypoteser vendt om"].startswith("hypotese: ")
    english = check_frame(shipped, "en")["Where"]
    assert "0.392 year" in set(english)


@pytest.mark.parametrize("language", ["da", "en"])
def test_checks_are_told_in_both_languages(shipped: pd.DataFrame, language: str) -> None:
    frame = check_frame(shipped, language)
    assert len(frame) == len(shipped)
    assert frame.iloc[:, -1].str.len().min() > 20
    assert set(frame.iloc[:, 1]) == {"bestået" if language == "da" else "pass"}


def test_the_command_ends_with_one_if_a_check_fails(tmp_path: Path) -> None:
    path = tmp_path / "tanks.mdl"
    path.write_text(FINE.replace("TIME STEP = 0.0625", "TIME STEP = 4"), encoding="utf-8")
    out = tmp_path / "out"
    shown = CliRunner().invoke(app, ["check", str(path), "--lang", "en", "--out", str(out)])
    assert shown.exit_code == 1
    assert "Failed checks:" in shown.output
    saved = json.loads((out / "checks.json").read_text(encoding="utf-8"))
    assert [row["check"] for row in saved["checks"]] == GENERIC
    assert (out / "checks.da.csv").exists()
    with xr.open_dataset(out / "checks.nc", engine="h5netcdf") as numbers:
        assert list(numbers["check"].values) == GENERIC
        assert numbers.attrs["model"] == "tanks.mdl"
        assert all(v.attrs["units"] and v.attrs["long_name"] for v in numbers.values())
    path.write_text(FINE, encoding="utf-8")
    assert CliRunner().invoke(app, ["check", str(path), "--lang", "da"]).exit_code == 0
