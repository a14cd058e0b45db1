"""What people see of the threshold: figures and tables in both languages, at each answer."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from kredslob.cycle.scenario import load_scenario
from kredslob.show.figures import Drawing
from kredslob.show.language import words
from kredslob.show.threshold_figures import uncertainty
from kredslob.show.threshold_folder import draw_threshold
from kredslob.show.threshold_table import goals_frame, threshold_frame, threshold_tables
from kredslob.simulation import Model
from kredslob.studies.critical_rate import critical_bracket, critical_rate_uncertainty
from kredslob.studies.threshold import ThresholdStudy, threshold_study
from whole_figures import assert_no_label_is_cut_off

# No rate is enough; some rate is enough; any rate is enough; nobody is lifted; nothing is spent.
CASES = {
    "none": {},
    "some": {
        "recognition horizon": 40,
        "identified share at start": 0.9,
        "allocation weight": 1,
        "success with help": {"mental illness": {"complex": 0.9}},
        "overhead share": 0,
        "optimism correction": 1,
    },
    "any": {"real interest rate": 0.1, "disbursement time": 12},  # it lives on interest
    "no effect": {"optimism correction": 0},
    "no money": {"capital at start": {"own savings": 0}},
}


@pytest.fixture(scope="module")
def studies(model: Model) -> dict[str, ThresholdStudy]:
    found = {}
    for name, changes in CASES.items():
        place = load_scenario("agreement").with_parameters(changes)
        seen: list[float] = []
        found[name] = threshold_study(
            model,
            place,
            years=20,
            draws=50,
            seed=1,
            progress=lambda done, whole, seen=seen: seen.append(done / whole),  # type: ignore[misc]
        )
        assert seen == sorted(seen)
        assert seen[-1] == 1
    return found


@pytest.fixture(scope="module")
def drawn(studies: dict[str, ThresholdStudy]) -> dict[str, list[Drawing]]:
    return {
        f"{name} {language}": draw_threshold(study, language)
        for name, study in studies.items()
        for language in ("da", "en")
    }


@pytest.mark.slow
def test_figures_are_whole_at_each_kind_of_answer(drawn: dict[str, list[Drawing]]) -> None:
    for drawings in drawn.values():
        assert [d.name for d in drawings] == ["regions", "uncertainty", "goals", "repayment"]
        assert_no_label_is_cut_off(drawings)
        for drawing in drawings:
            assert not re.search(r"\bnan\b|\binf\b|∞|\{", drawing.alt), drawing.alt


@pytest.mark.slow
def test_captions_say_what_was_found(drawn: dict[str, list[Drawing]]) -> None:
    def said(case: str, figure: str) -> str:
        (drawing,) = [d for d in drawn[case] if d.name == figure]
        return drawing.alt

    assert "On none of the three maps" in said("none en", "regions")
    assert "På ingen af de tre kort" in said("none da", "regions")
    assert "on part of 3 of the three maps" in said("some en", "regions")
    assert "At no share" in said("none en", "repayment")
    assert "The fund has its capital back from" in said("some en", "repayment")
    assert "fund at the end 100%" in said("none en", "goals")
    assert "In 0 of 50 draws some share is enough" in said("none en", "uncertainty")
    assert "more than half of the draws nothing comes back" in said("no effect en", "uncertainty")
    for case in CASES:
        for figure in ("regions", "uncertainty", "goals", "repayment"):
            assert not re.search(r"\b(the|of|share|fund)\b", said(f"{case} da", figure))


@pytest.mark.slow
def test_the_table_answers_in_plain_words(studies: dict[str, ThresholdStudy]) -> None:
    def answers(case: str, language: str) -> list[str]:
        return [
            text.replace("\xa0", " ")
            for text in threshold_frame(studies[case], language).iloc[:, 0]
        ]

    assert answers("none", "en")[1] == "none; not even 100%"
    assert answers("none", "da")[1] == "ingen; heller ikke 100 %"
    assert re.fullmatch(
        r"between \d+\.\d{3}% \(too little\) and \d+\.\d{3}% \(enough\)", answers("some", "en")[1]
    )
    assert answers("any", "en")[1] == "any, even 0"
    assert answers("no effect", "da")[2] == "aldrig"
    for case, study in studies.items():
        for language in ("da", "en"):
            assert not re.search(r"\bnan\b|\binf\b|\{", " ".join(answers(case, language)))
            assert goals_frame(study.goals, language).shape == (7, 9)
            assert len(threshold_tables(study, language, load_scenario())) == 2


@pytest.mark.slow
def test_the_share_of_draws_in_the_figure_is_that_of_the_study(
    studies: dict[str, ThresholdStudy],
) -> None:
    found = studies["some"].uncertainty
    figure = uncertainty(found, "en").figure
    shown = " ".join(t.get_text() for t in figure.axes[0].texts).replace("\n", " ")
    none = 1 - float(found["probability that some rate is enough"])
    assert shown == f"no share is enough: {words('en').percent(none, 1)}"
    assert none == pytest.approx(float(np.isinf(found["critical rate"]).mean()))


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["municipality", "national", "norrkoping"])
def test_the_document_says_what_the_settings_say(model: Model, setting: str) -> None:
    place = load_scenario(None, setting)
    bracket = critical_bracket(model, place)
    found = critical_rate_uncertainty(model, place)
    low, high = found["loop gain quantile"].sel(quantile=[0.05, 0.95]).values
    enough = int(np.isfinite(found["critical rate"]).sum())
    assert float(bracket["critical rate"]) == float("inf")
    text = (Path(__file__).parents[1] / "docs" / "threshold.md").read_text(encoding="utf-8")
    gain = float(bracket["loop gain at rate 1"])
    assert f"| {setting} | {gain:.2f} | none | {enough} | {low:.2f} to {high:.2f} |" in text
