"""What people see of uncertainty: figures and a table in both languages, at each kind of answer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import xarray as xr

from kredslob.cycle.scenario import load_scenario
from kredslob.show.figures import Drawing
from kredslob.show.uncertainty_figures import parties_at_risk
from kredslob.show.uncertainty_folder import draw_uncertainty
from kredslob.show.uncertainty_table import uncertainty_frame, uncertainty_table
from kredslob.simulation import Model
from kredslob.studies.uncertainty import uncertainty
from whole_figures import assert_no_label_is_cut_off

RATE = "reinvestment rate"
GENEROUS = {
    "recognition horizon": 40,
    "identified share at start": 0.85,
    "allocation weight": 1,
    "pledged share with agreement": {"municipality": 1, "region": 1, "state": 1},
    "success with help": {"youth": {"moderate": 0.7}, "mental illness": {"complex": 0.8}},
    "capital at start": {"private investors": 5e6},
    "overhead share": 0,
}
# Hardly ever paid back; often; nobody is lifted and the fund runs empty; nothing is spent.
CASES = {
    "as it is": ({}, (1, 0.5)),
    "generous": (GENEROUS, (0.5, 1)),
    "no effect": ({"optimism correction": 0}, (0, 0.25, 0.5, 1)),
    "no money": ({"capital at start": {"own savings": 0}}, (1,)),
}


@pytest.fixture(scope="module")
def found(model: Model) -> dict[str, xr.Dataset]:
    return {
        name: uncertainty(
            model,
            load_scenario("agreement").with_parameters(changes),
            rates=rates,
            draws=100,
            years=30,
        )
        for name, (changes, rates) in CASES.items()
    }


@pytest.fixture(scope="module")
def drawn(found: dict[str, xr.Dataset]) -> dict[str, list[Drawing]]:
    return {
        f"{name} {language}": draw_uncertainty(one, language)
        for name, one in found.items()
        for language in ("da", "en")
    }


def test_figures_are_whole_at_each_kind_of_answer(drawn: dict[str, list[Drawing]]) -> None:
    for name, drawings in drawn.items():
        assert [d.name for d in drawings] == ["fans", "payback", "risk"]
        assert_no_label_is_cut_off(drawings)
        for drawing in drawings:
            assert not re.search(r"\bnan\b|\binf\b|∞|\{|\.\.", drawing.alt), drawing.alt
            if name.endswith("da"):
                assert not re.search(r"\b(the|of|draws|fund)\b", drawing.alt), drawing.alt


def test_captions_say_what_was_found(
    drawn: dict[str, list[Drawing]], found: dict[str, xr.Dataset]
) -> None:
    fans, payback, risk = (d.alt for d in drawn["generous en"])
    one = found["generous"].sel({RATE: 1})
    helped = one["citizens helped over time"].isel(time=-1).sel(statistic="q0.5")
    assert f"has helped {float(helped):,.0f} citizens" in fans
    assert "After 30 years at 100% reinvested" in fans
    chance = float(one["probability of payback"].isel(year=-1))
    assert f"{100 * chance:.1f}% at 100% reinvested" in payback
    assert 0 < chance < 1
    lowest = float(one["value at risk"].sel(party="investors")) / 1e6
    assert f"Private investors DKK \N{MINUS SIGN}{-lowest:.1f}" in risk.replace("\xa0", " ")


def test_bands_of_the_fan_lie_inside_each_other(drawn: dict[str, list[Drawing]]) -> None:
    figure = drawn["generous en"][0].figure
    assert len(figure.axes) == 4  # cash and citizens, at the lowest and the highest rate
    for axes in figure.axes:
        wide, narrow = (band.get_paths()[0].get_extents() for band in axes.collections)
        assert wide.y0 <= narrow.y0 <= narrow.y1 <= wide.y1
        (middle,) = axes.lines
        assert len(middle.get_xdata()) == 31


def test_only_parties_with_something_at_stake_are_shown(found: dict[str, xr.Dataset]) -> None:
    assert "investors" in parties_at_risk(found["generous"])
    assert parties_at_risk(found["no effect"]) == ["municipality", "public purse"]
    assert len(parties_at_risk(found["no money"])) == 5


def test_the_table_answers_in_plain_words(found: dict[str, xr.Dataset]) -> None:
    for name, one in found.items():
        for language in ("da", "en"):
            frame = uncertainty_frame(one, language)
            assert frame.shape[1] == one.sizes[RATE]
            assert not re.search(r"\bnan\b|\binf\b|\{", frame.to_csv()), name
            assert uncertainty_table(one, language, load_scenario()).row_count == len(frame)
    frame = uncertainty_frame(found["as it is"], "en")
    assert list(frame.columns) == ["50%", "100%"]
    assert list(frame["100%"][:2]) == ["0.0% (0 of 100)", "0.00% to 3.62%"]
    danish = uncertainty_frame(found["as it is"], "da").map(lambda s: s.replace("\xa0", " "))
    assert danish.iloc[0, 1] == "0,0 % (0 af 100)"


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["municipality", "national", "norrkoping"])
def test_the_document_says_what_the_settings_say(model: Model, setting: str) -> None:
    found = uncertainty(model, load_scenario(None, setting))
    text = (Path(__file__).parents[1] / "docs" / "uncertainty.md").read_text(encoding="utf-8")
    for rate in (0.5, 1):
        one = found.sel({RATE: rate})
        carried = int(one["carries itself"].sum())
        repaid = 100 * float(one["probability of payback"].isel(year=-1))
        risk, short = (
            float(one[name].sel(party="public purse")) / 1e6
            for name in ("value at risk", "expected shortfall")
        )
        low, middle, high = one["citizens helped quantile"].sel(
            statistic=["q0.05", "q0.5", "q0.95"]
        )
        row = (
            f"| {setting} | {rate:.0%} | {carried} | {repaid:.2f}% | "
            f"{middle:,.0f} ({low:,.0f} to {high:,.0f}) | {risk:.1f} | {short:.1f} |"
        )
        assert row in text, row
