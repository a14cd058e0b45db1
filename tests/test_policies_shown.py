"""What people see of policies: whole figures in both languages, with the right numbers."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

from kredslob.errors import ParameterError
from kredslob.show.policy_figures import convergence, parallel_coordinates, robust_policies
from kredslob.studies.questions import cycle_policies
from kredslob.studies.robustness import robustness
from whole_figures import assert_no_label_is_cut_off

LANGUAGES = ("da", "en")
PURSE = "net present value of public purse"


def candidates(spread: float) -> xr.Dataset:
    """Outcomes of the shipped candidates, drawn; the later in the list, the better on average."""
    policies = cycle_policies()
    titles = {f"title_{k}": ("policy", [p.title[k] for p in policies.values()]) for k in LANGUAGES}
    shape = (len(policies), 32)
    noise = np.random.default_rng(0).normal(size=shape)
    level = np.arange(len(policies))[:, np.newaxis]
    return xr.Dataset(
        {
            PURSE: (("policy", "run"), 1e6 * (level + spread * noise), {"units": "DKK"}),
            "citizens helped": (("policy", "run"), 80 + level + noise, {"units": "person"}),
        },
        {"policy": list(policies), **titles},
    )


@pytest.fixture
def front() -> xr.Dataset:
    """Five policies: more of the one goal costs more of the other."""
    lever, x = {"role": "lever", "units": "Dmnl"}, np.linspace(0, 1, 5)
    goal = {"role": "objective", "better": "larger", "units": "person"}
    cost = {"role": "objective", "better": "smaller", "units": "DKK"}
    return xr.Dataset(
        {
            "reinvestment rate": ("policy", x, lever),
            "citizens helped": ("policy", 100 * x, goal),
            f"5 % quantile of {PURSE}": ("policy", 3e6 * x, cost),
        },
        {"policy": [3, 4, 7, 8, 9]},
    )


@pytest.mark.parametrize("spread", [0.0, 2.0])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_robust_policies_are_drawn_whole(language: str, spread: float) -> None:
    thresholds = {"citizens helped": (85, None), PURSE: (-1e6, 9e6)}
    found = robustness(candidates(spread), PURSE, larger_is_better=True, thresholds=thresholds)
    drawing = robust_policies(found, language)
    assert_no_label_is_cut_off([drawing])
    assert not re.search(r"\bnan\b|\binf\b|\{", drawing.alt)
    assert not (language == "da" and re.search(r"\b(the|of|best of|share)\b", drawing.alt))
    panels = drawing.figure.axes
    assert len(panels) == 3
    for axes, criterion in zip(
        panels, ("90th-percentile regret", "satisficing share", "expected value"), strict=True
    ):
        shown = sorted(int(text.get_text()) for text in axes.texts)
        assert shown == sorted(found["rank"].sel(criterion=criterion).values)


def test_the_caption_names_all_that_are_first() -> None:
    results = candidates(0.0)
    results[PURSE][-2] = results[PURSE][-1]
    found = robustness(results, PURSE, larger_is_better=True, thresholds={PURSE: (0, None)})
    said = robust_policies(found, "en", ("largest regret", "expected value")).caption
    last = results["title_en"].values[-2:]
    assert f"largest regret: “{last[0]}” and “{last[1]}”" in said
    assert "DKK 10.0 million" in said.replace("\xa0", " ")


def test_one_criterion_alone_is_refused() -> None:
    found = robustness(candidates(1.0), PURSE, larger_is_better=True, thresholds={PURSE: (0, None)})
    for criteria in (("worst case",), ("worst case", "luck")):
        with pytest.raises(ParameterError, match="expected two or more of"):
            robust_policies(found, "en", criteria)


@pytest.mark.parametrize("generations", [1, 24])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_convergence_of_a_search_is_drawn_whole(language: str, generations: int) -> None:
    shares = 1 - 0.8 ** np.arange(1, generations + 1)
    stopped = np.where(np.arange(generations) < max(1, generations // 2), 0.9 * shares, np.nan)
    coords = {"seed_run": [1, 7], "generation": np.arange(1, generations + 1)}
    volume = xr.DataArray([shares, stopped], coords, ("seed_run", "generation"))
    drawing = convergence(xr.Dataset({"hypervolume": volume}), language)
    assert_no_label_is_cut_off([drawing])
    assert not re.search(r"\bnan\b|\binf\b|\{", drawing.alt)
    first, second = (line.get_ydata() for line in drawing.figure.axes[0].lines[:2])
    np.testing.assert_array_equal(first, shares)
    np.testing.assert_array_equal(second, stopped)
    ends = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert {"da": "frø 7", "en": "seed 7"}[language] in ends


@pytest.mark.parametrize("language", LANGUAGES)
def test_better_is_up_on_every_goal(front: xr.Dataset, language: str) -> None:
    drawing = parallel_coordinates(front, language, {"A": 3, "B": 9})
    assert_no_label_is_cut_off([drawing])
    first, last = (line for line in drawing.figure.axes[0].lines if line.get_zorder() == 3)
    np.testing.assert_allclose(first.get_ydata(), [0, 0, 1])  # costs least
    np.testing.assert_allclose(last.get_ydata(), [1, 1, 0])
    assert len(drawing.caption.split(".")) >= 3
    turned = [t.get_text() for t in drawing.figure.texts]
    assert any(("is turned over" if language == "en" else "er vendt om") in t for t in turned)


def test_one_policy_can_be_drawn(front: xr.Dataset) -> None:
    assert_no_label_is_cut_off([parallel_coordinates(front.isel(policy=[2]), "da", {"C": 7})])


def test_policies_that_are_not_there_are_refused(front: xr.Dataset) -> None:
    with pytest.raises(ParameterError, match="expected some of"):
        parallel_coordinates(front, "en", {"A": 0})
    with pytest.raises(ParameterError, match="expected some of"):
        parallel_coordinates(front.isel(policy=[]), "en")
