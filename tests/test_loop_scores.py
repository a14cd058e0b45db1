"""Loops That Matter against numbers from the papers and from working out small cases by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from kredslob.feedback.scores import Feedback
from kredslob.simulation import Model

CLOCK = "INITIAL TIME=0 ~~|\nFINAL TIME={final} ~~|\nTIME STEP={step} ~~|\nSAVEPER={step} ~~|\n"


@pytest.fixture
def model(tmp_path: Path):
    def make(*equations: str, final: float = 1, step: float = 1) -> Model:
        path = tmp_path / "model.mdl"
        text = "{UTF-8}\n" + "".join(f"{e} ~~|\n" for e in equations)
        path.write_text(text + CLOCK.format(final=final, step=step), encoding="utf-8")
        return Model(path)

    return make


def link(scores: xr.Dataset, source: str, target: str) -> np.ndarray:
    here = (scores["source"].values == source) & (scores["target"].values == target)
    assert here.sum() == 1
    return scores["link score"].values[here][0]


def loop(scores: xr.Dataset, *variables: str, of: str = "relative score") -> np.ndarray:
    paths = [set(p.split(" → ")) for p in scores["path"].values]
    return scores[of].values[paths.index(set(variables))]


def going_from(before: float, after: float) -> str:
    """An input that steps at time 1, and is part of a loop that does nothing."""
    return f"{before} + STEP({after - before}, 1) + idle"


IDLE = "idle = INTEG(z * 0, 0)"


def test_link_scores_of_a_sum(model) -> None:
    """Schoenberg, Davidsen and Eberlein 2020, the first worked example."""
    x, y = f"x = {going_from(5, 7)}", f"y = {going_from(4, 5)}"
    scores = Feedback(model("z = 2 * x + y", x, y, IDLE)).scores()
    assert link(scores, "x", "z")[0] == pytest.approx(0.8, abs=1e-6)
    assert link(scores, "y", "z")[0] == pytest.approx(0.2, abs=1e-6)


def test_link_scores_of_a_quotient(model) -> None:
    inputs = [f"{n} = {going_from(a, b)}" for n, a, b in (("w", 7, 10), ("x", 2, 4), ("y", 3, 5))]
    scores = Feedback(model("z = (w + x) / y", *inputs, IDLE)).scores()
    for name, expected in (("w", 5), ("x", 10 / 3), ("y", -6)):
        assert link(scores, name, "z")[0] == pytest.approx(expected, abs=1e-6)


def test_link_scores_of_flows(model) -> None:
    """Schoenberg, Hayward and Eberlein 2023, table 3: inflow 5 to 10, outflow 4 to 5."""
    stock = "z = INTEG(inflow - outflow, 100)"
    flows = f"inflow = {going_from(5, 10)}", f"outflow = {going_from(4, 5)}"
    scores = Feedback(model(stock, *flows, IDLE)).scores()
    assert link(scores, "inflow", "z")[0] == pytest.approx(1.25, abs=1e-6)
    assert link(scores, "outflow", "z")[0] == pytest.approx(-0.25, abs=1e-6)


@pytest.mark.parametrize("step", [1, 0.25, 0.0625])
@pytest.mark.parametrize(("gain", "polarity"), [(0.1, "R"), (-0.3, "B"), (2.5, "R")])
def test_a_loop_by_itself_scores_one(model, step: float, gain: float, polarity: str) -> None:
    made = model("stock = INTEG(flow, 100)", f"flow = stock * {gain}", final=3, step=step)
    scores = Feedback(made).scores()
    assert scores["polarity"].values.tolist() == [polarity]
    sign = 1 if polarity == "R" else -1
    np.testing.assert_allclose(scores["loop score"], sign, atol=1e-9)
    np.testing.assert_allclose(scores["relative score"], sign, atol=1e-9)


@pytest.mark.parametrize("split", [1, 2])
def test_births_and_deaths(model, split: int) -> None:
    """Ten per cent births, a life of 20 years: +2 and -1, however births are split up."""
    births = [f"births {k} = people * 0.1 / {split}" for k in range(split)]
    flow = " + ".join(f"births {k}" for k in range(split))
    made = model(
        f"people = INTEG({flow} - deaths, 100)", *births, "deaths = people / 20", final=5, step=0.5
    )
    scores = Feedback(made).scores()
    for k in range(split):
        raw = loop(scores, "people", f"births {k}", of="loop score")
        np.testing.assert_allclose(raw, 2 / split, atol=1e-9)
    np.testing.assert_allclose(loop(scores, "people", "deaths", of="loop score"), -1, atol=1e-9)
    np.testing.assert_allclose(loop(scores, "people", "deaths"), -1 / 3, atol=1e-9)


def test_at_rest_nothing_has_a_score(model) -> None:
    made = model(
        "people = INTEG(births - deaths, 100)",
        "births = people * 0.1",
        "deaths = people / 10",
        final=5,
    )
    scores = Feedback(made).scores()
    assert scores.sizes["loop"] == 2
    assert not scores["loop score"].any()
    assert scores["polarity"].values.tolist() == ["?", "?"]


def test_logistic_growth(model) -> None:
    """The reinforcing loop's relative score is the room left a step before."""
    made = model(
        "P = INTEG(growth, 5)", "growth = 0.12 * P * room", "room = 1 - P / 1000", final=60
    )
    relative = loop(Feedback(made).scores(), "P", "growth")
    population = made.run()["P"].values
    np.testing.assert_allclose(relative, 1 - population[:-1] / 1000, atol=1e-9)
    assert relative[0] == pytest.approx(0.995, abs=1e-6)
    assert relative[1] == pytest.approx(0.994403, abs=1e-6)
    assert relative[46] == pytest.approx(0.501417, abs=1e-6)


def test_bass_diffusion_at_its_turning_point(model) -> None:
    """The paper's numbers near the inflection, where scores are largest; N 1e6, dt 1/16."""
    made = model(
        "potential = INTEG(-adopting, 1e6 - 1)",
        "adopters = INTEG(adopting, 1)",
        "adopting = 100 * 0.015 * potential * adopters / 1e6",
        final=20,
        step=1 / 16,
    )
    scores = Feedback(made).scores()
    at = {t: k for k, t in enumerate(scores["time"].values.tolist())}
    growing = loop(scores, "adopters", "adopting", of="loop score")
    running_out = loop(scores, "potential", "adopting", of="loop score")
    assert growing[at[9.625]] == pytest.approx(9805.876, rel=1e-6)
    assert running_out[at[9.625]] == pytest.approx(-9357.969, rel=1e-6)
    assert growing[at[9.5625]] == pytest.approx(11.457, abs=1e-3)
    assert running_out[at[9.5625]] == pytest.approx(-9.958, abs=1e-3)


def test_arms_race(model) -> None:
    scores = Feedback(model(*ARMS_RACE, final=100)).scores()
    assert scores.sizes["loop"] == 8
    first = {
        ("A",): -0.2784,
        ("B",): -0.1999,
        ("A", "B"): 0.4963,
    }
    for stocks, expected in first.items():
        assert by_stocks(scores, stocks)[0][0] == pytest.approx(expected, abs=1e-4)
    long = sorted(s[0] for s in by_stocks(scores, ("A", "B", "C")))
    assert long == pytest.approx([0.0064, 0.0096], abs=1e-4)


ARMS_RACE = (
    "A = INTEG(change A, 50)",
    "B = INTEG(change B, 100)",
    "C = INTEG(change C, 150)",
    "change A = (target A - A) / 10",
    "change B = (target B - B) / 10",
    "change C = (target C - C) / 10",
    "target A = B + 0.9 * C",
    "target B = A + 1.1 * C",
    "target C = 1.1 * A + 0.9 * B",
)


def by_stocks(scores: xr.Dataset, stocks: tuple[str, ...]) -> list[np.ndarray]:
    paths = [set(p.split(" → ")) & {"A", "B", "C"} for p in scores["path"].values]
    return [scores["relative score"].values[k] for k, p in enumerate(paths) if p == set(stocks)]
