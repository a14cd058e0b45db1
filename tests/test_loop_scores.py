"""Loops That Matter against numbers from the papers and from working out small cases by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from kredslob.errors import ParameterError
from kredslob.feedback.scores import Feedback, path_score
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


LEVELS = (
    "smoothed = s3",
    "s1 = INTEG((stock - s1) / 2, 10)",
    "s2 = INTEG((s1 - s2) / 2, 10)",
    "s3 = INTEG((s2 - s3) / 2, 10)",
)


def test_delays_are_seen_through(model) -> None:
    """A loop through SMOOTH3 scores as the same loop with its three levels written out."""
    rest = ("stock = INTEG(flow, 10)", "flow = 0.1 * stock - 0.2 * smoothed")
    hidden = Feedback(model("smoothed = SMOOTH3(stock, 6)", *rest, final=20)).scores()
    written = Feedback(model(*LEVELS, *rest, final=20)).scores()
    assert sorted(hidden["length"].values) == [2, 3]  # the variables of the file
    np.testing.assert_allclose(
        loop(hidden, "stock", "flow", "smoothed", of="loop score"),
        loop(written, "stock", "flow", "smoothed", "s1", "s2", "s3", of="loop score"),
        rtol=1e-9,
    )


def test_a_step_into_a_delay_scores_nothing(model) -> None:
    """Where the input moves the stages have yet to, and when they do it rests."""
    made = model("z = DELAY3(x, 4)", "x = 1 + STEP(5, 2) + idle", IDLE, final=12)
    scores = Feedback(made).scores()
    assert not link(scores, "x", "z").any()
    assert np.ptp(made.run()["z"].values) > 1


def test_fixed_delays_pass_on_what_they_took_in(model) -> None:
    made = model(
        "stock = INTEG(flow, 10)",
        "flow = (20 - late) / 4",
        "late = DELAY FIXED(stock, 2, 10)",
        final=12,
    )
    scores = Feedback(made).scores()
    assert scores["polarity"].values.tolist() == ["B"]
    assert link(scores, "stock", "late").tolist() == [0, 0] + [1] * 10  # from the first arrival


def test_subscripted_loops_add_up_their_elements(model) -> None:
    """Two places that pass through one total: the rolled-up loop is the sum of both ways."""
    made = model(
        "place: north, south",
        "stock[place] = INTEG(flow[place], 10)",
        "flow[north] = 0.05 * total - 0.1 * stock[north]",
        "flow[south] = 0.02 * total - 0.3 * stock[south]",
        "total = SUM(stock[place!])",
        final=10,
    )
    whole = Feedback(made).scores()
    parts = Feedback(made, elements=True).scores()
    assert whole.sizes["loop"] == 2
    assert parts.sizes["loop"] == 4
    through = [
        loop(parts, "total", f"flow[{p}]", f"stock[{p}]", of="loop score")
        for p in ("north", "south")
    ]
    np.testing.assert_allclose(
        loop(whole, "total", "flow", "stock", of="loop score"), sum(through), rtol=1e-9
    )


def test_changes_of_a_linear_equation_add_up(model) -> None:
    """What each input brings about makes up the whole change."""
    made = model(
        "a = INTEG(0.1 * z, 1)",
        "b = INTEG(-0.2 * b + 0.1 * z, 3)",
        "c = INTEG(0.3 * z - c, 2)",
        "z = 2 * a - 3 * b + c",
        final=10,
        step=0.5,
    )
    scores, run = Feedback(made).scores(), made.run()
    total = sum(
        link(scores, n, "z") * np.sign(np.diff(run[n])) * np.sign(np.diff(run["z"])) for n in "abc"
    )
    np.testing.assert_allclose(total, 1, rtol=1e-9)


def test_a_known_loop_must_be_there(model) -> None:
    made = model("stock = INTEG(flow, 10)", "flow = stock / 5", "other = stock", final=2)
    with pytest.raises(ParameterError, match="'other' is no variable that lies on a loop"):
        Feedback(made).scores(known=[("stock", "other")])
    with pytest.raises(ParameterError, match="there is no link from 'stock' to 'stock'"):
        Feedback(made).scores(known=[("stock",)])


def test_a_random_model_is_scored_the_same_each_time(model) -> None:
    made = model(
        "stock = INTEG(flow, 10)", "flow = stock * RANDOM UNIFORM(0, 1, 0) - stock / 3", final=20
    )
    first, second = Feedback(made).scores(seed=4), Feedback(made).scores(seed=4)
    xr.testing.assert_equal(first["loop score"], second["loop score"])
    assert set(first["polarity"].values) <= {"R", "B", "?"}


def test_a_path_scores_the_product_of_its_links(model) -> None:
    made = model("P = INTEG(growth, 5)", "growth = 0.12 * P * room", "room = 1 - P / 1000", final=9)
    scores = Feedback(made).scores()
    product = link(scores, "P", "room") * link(scores, "room", "growth")
    np.testing.assert_allclose(path_score(scores, "p", "room", "growth"), product)
    whole = path_score(scores, "P", "room", "growth", "P")
    np.testing.assert_allclose(whole, loop(scores, "P", "room", "growth", of="loop score"))
    with pytest.raises(ParameterError, match="no link from 'room' to 'P' lies on a loop"):
        path_score(scores, "room", "P")
