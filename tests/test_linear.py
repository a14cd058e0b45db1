"""Linearised models against eigenvalues and elasticities worked out by hand, and against numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq

from kredslob import linearise, load, load_scenario, loop_elasticities
from kredslob.errors import ParameterError
from kredslob.feedback.elasticities import elasticities
from kredslob.simulation import Model

CLOCK = "INITIAL TIME=0 ~~|\nFINAL TIME={final} ~~|\nTIME STEP={step} ~year~|\nSAVEPER=1 ~~|\n"


def written(folder: Path, *equations: str, final: float = 1, step: float = 1) -> Model:
    path = folder / "model.mdl"
    text = "{UTF-8}\n" + "".join(f"{e} ~~|\n" for e in equations)
    path.write_text(text + CLOCK.format(final=final, step=step), encoding="utf-8")
    return Model(path)


@pytest.fixture
def model(tmp_path: Path):
    def make(*equations: str, **clock: float) -> Model:
        return written(tmp_path, *equations, **clock)

    return make


def of_loop(table: pd.DataFrame, *stocks: str, what: str = "elasticity") -> complex:
    rows = [k for k, path in enumerate(table["loop"]) if path.split(" → ") == list(stocks)]
    assert len(rows) == 1
    return table[what][rows[0]]


# --- eigenvalues -------------------------------------------------------------------------------


@pytest.mark.parametrize("gain", [0.1, -0.3, 2.5])
def test_one_stock(model, gain: float) -> None:
    linear = linearise(model("stock = INTEG(stock * gain, 100)", "gain = 0"), gain=gain)
    assert linear["stock"].values.tolist() == ["stock"]
    assert linear["jacobian"].item() == pytest.approx(gain)
    assert linear["eigenvalue"].item() == pytest.approx(gain)
    assert linear["time constant"].item() == pytest.approx(1 / abs(gain))
    assert np.isnan(linear["period"].item())
    assert np.isnan(linear["damping ratio"].item())
    table = loop_elasticities(linear)
    assert table["loop"].tolist() == ["stock"]
    assert table["gain"][0] == pytest.approx(gain)
    assert table["elasticity"][0] == pytest.approx(1)
    assert table["influence"][0] == pytest.approx(gain)


def test_growth_and_decline_that_cancel_out(model) -> None:
    """At an eigenvalue of zero there are influences but no elasticities."""
    linear = linearise(model("people = INTEG(people * 0.1 - people / 10, 100)"))
    assert linear["at zero"].item()
    assert np.isnan(linear["time constant"].item())
    assert np.isnan(elasticities(linear)["elasticity"].item())
    assert elasticities(linear)["sensitivity"].item() == pytest.approx(1)


TWO = ("A = INTEG(-0.25 * A - 0.5 * B, 10)", "B = INTEG(0.4 * A, 10)")


def test_two_stocks_that_swing(model) -> None:
    """J = [[-.25, -.5], [.4, 0]]: de/dg1 = e/(2e - g1 - g2), de/dg3 = 1/(2e - g1 - g2)."""
    linear = linearise(model(*TWO))
    np.testing.assert_allclose(linear["jacobian"], [[-0.25, -0.5], [0.4, 0]], atol=1e-9)
    first = -0.125 + 0.429389j
    assert linear["eigenvalue"].values[0] == pytest.approx(first, abs=1e-6)
    assert linear["eigenvalue"].values[1] == pytest.approx(first.conjugate(), abs=1e-6)
    assert linear["period"].values[0] == pytest.approx(2 * np.pi / 0.429389, rel=1e-6)
    assert linear["time constant"].values[0] == pytest.approx(8)
    assert linear["damping ratio"].values[0] == pytest.approx(0.125 / np.hypot(0.125, 0.429389))
    for mode, sign in ((0, 1), (1, -1)):
        table = loop_elasticities(linear, mode=mode)
        e1, e3 = of_loop(table, "A"), of_loop(table, "A", "B")
        assert e1 == pytest.approx(sign * 0.291111j, abs=1e-6)
        assert e3 == pytest.approx(0.5 - sign * 0.145556j, abs=1e-6)
        assert e1 + 2 * e3 == pytest.approx(1, abs=1e-8)  # B does not act on itself
        assert of_loop(table, "A", "B", what="gain") == pytest.approx(-0.2)
        entries = elasticities(linear)["elasticity"].sel(mode=mode)
        assert complex(entries.sum()) == pytest.approx(1, abs=1e-8)


def test_predator_and_prey_at_rest(model) -> None:
    """Small swings about the steady state: eigenvalues +-i sqrt(a c)."""
    a, c = 0.5, 0.3
    made = model(
        f"prey = INTEG({a} * prey - 0.01 * prey * hunters, 40)",
        f"hunters = INTEG(0.02 * prey * hunters - {c} * hunters, 40)",
    )
    linear = linearise(made, time=0, steady=True)
    np.testing.assert_allclose(linear["value"], [c / 0.02, a / 0.01], rtol=1e-9)
    assert linear["eigenvalue"].values[0] == pytest.approx(1j * np.sqrt(a * c), abs=1e-7)
    assert linear["period"].values[0] == pytest.approx(2 * np.pi / np.sqrt(a * c))
    assert np.isnan(linear["time constant"].values[0])
    table = loop_elasticities(linear)
    assert of_loop(table, "hunters", "prey") == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(("start", "expected"), [(0, 0.12), (1000, -0.12), (900, -0.12)])
def test_logistic_growth_at_its_steady_states(model, start: float, expected: float) -> None:
    made = model("P = INTEG(0.12 * P * (1 - P / 1000), start)", "start = 0")
    linear = linearise(made, time=0, steady=True, start=start)
    assert linear["value"].item() == pytest.approx(0 if start == 0 else 1000)
    assert linear["eigenvalue"].item() == pytest.approx(expected, abs=1e-8)


def test_a_steady_state_keeps_what_all_flows_keep(model) -> None:
    """Nothing is lost between the two, so that the Jacobian cannot be inverted."""
    linear = linearise(
        model("A = INTEG(B / 5 - A / 10, 90)", "B = INTEG(A / 10 - B / 5, 0)"), steady=True
    )
    np.testing.assert_allclose(linear["value"], [60, 30], rtol=1e-9)
    np.testing.assert_allclose(linear["eigenvalue"], [0, -0.3], atol=1e-9)
    assert linear["at zero"].values.tolist() == [True, False]
    table = loop_elasticities(linear)
    assert table["elasticity"].isna().all()
    assert np.isfinite(table["influence"]).all()


def test_an_epidemic_at_its_steady_state(model) -> None:
    """1000 people, b = 0.5, recovery in 5, immune for 20: S = 1000 / (b 5), I = (1000 - S) / 5."""
    made = model(
        "S = INTEG(R / 20 - catching, 990)",
        "I = INTEG(catching - I / 5, 10)",
        "R = INTEG(I / 5 - R / 20, 0)",
        "catching = 0.5 * S * I / 1000",
        final=10,
    )
    linear = linearise(made, steady=True)
    np.testing.assert_allclose(linear["value"], [400, 120, 480], rtol=1e-9)
    whole, trace = 0.05 * 0.06 + 0.06 * 0.2, -(0.05 + 0.06)
    expected = [0, *np.roots([1, -trace, whole])]
    np.testing.assert_allclose(
        np.sort_complex(linear["eigenvalue"].values), np.sort_complex(expected), atol=1e-9
    )


# --- hidden stocks -----------------------------------------------------------------------------


def test_smoothing_stands_alone(model) -> None:
    """Three stages of -3/T in a row: none acts back, so no eigenvalue is repeated."""
    linear = linearise(model("input = STEP(10, 1)", "output = SMOOTH3(input, 6)"))
    assert linear["stock"].values.tolist() == [f"output: smooth {k}" for k in (1, 2, 3)]
    np.testing.assert_allclose(linear["eigenvalue"], -0.5, atol=1e-9)
    assert not linear["repeated"].any()


def test_smoothing_that_acts_back(model) -> None:
    """S' = -S3/T0 through a SMOOTH3 of T: e (1 + e T/3)^3 + 1/T0 = 0."""
    linear = linearise(model("S = INTEG(-seen / 4, 100)", "seen = SMOOTH3(S, 6)"))
    expected = np.roots(np.polyadd(np.polymul([1, 0], np.poly1d([2, 1]) ** 3), [0.25]))
    found = linear["eigenvalue"].values
    np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(expected), atol=1e-8)


RETURNING = (
    "Cash = INTEG(coming back - spending - Cash * overhead, 100)",
    "spending = Cash / spending time",
    "coming back = DELAY3(share * 1.4 * spending, delay time)",
    "spending time = 1",
    "delay time = 3",
    "overhead = 0.05",
    "share = 0.75",
)


@pytest.fixture(scope="module")
def returning(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return written(tmp_path_factory.mktemp("linear"), *RETURNING, final=300, step=0.25)


@pytest.mark.parametrize(
    ("share", "growth"), [(0.7, -0.01730628), (0.75, 0), (0.8, 0.01646152), (0.9, 0.04719747)]
)
def test_what_is_spent_comes_back_later(returning: Model, share: float, growth: float) -> None:
    """(g + 1/tau + a)(1 + g T/3)^3 = k v/tau, and no growth at k = (1 + a tau)/v = 0.75."""
    exact = brentq(lambda g: (g + 1.05) * (1 + g) ** 3 - share * 1.4, -0.2, 0.2, xtol=1e-14)
    assert exact == pytest.approx(growth, abs=1e-8)
    linear = linearise(returning, share=share)
    assert linear["eigenvalue real"].values[0] == pytest.approx(exact, abs=1e-7)
    assert linear["at zero"].values[0] == (share == 0.75)
    table = loop_elasticities(linear)
    back = [f"coming back: delay {k}" for k in (1, 2, 3)]
    assert len(table) == 5
    around = of_loop(table, "Cash", *back, what="influence")
    # d ln(k v) of the equation above
    slope = (1 + exact) ** 3 + 3 * (exact + 1.05) * (1 + exact) ** 2
    assert around == pytest.approx(share * 1.4 / slope, abs=1e-7)
    assert of_loop(table, "Cash", *back, what="gain") == pytest.approx(share * 1.4)


def test_a_run_grows_as_its_eigenvalue_says(returning: Model) -> None:
    """Euler takes each mode on by the eigenvalue of I + dt J."""
    linear = linearise(returning, share=0.8)
    cash = returning.run(share=0.8, saveper=0.25)["Cash"].values
    growth = 1 + 0.25 * linear["eigenvalue real"].values[0]
    assert cash[-1] / cash[-2] == pytest.approx(growth, rel=1e-9)
    doubled = linearise(returning, share=0.75, delay_time=6)
    assert doubled["at zero"].values[0]


# --- loops -------------------------------------------------------------------------------------

ARMS_RACE = (
    "A = INTEG(change A, 50)",
    "B = INTEG(change B, 100)",
    "C = INTEG(change C, 150)",
    "change A = (B + 0.9 * C - A) / 10",
    "change B = (A + 1.1 * C - B) / 10",
    "change C = (1.1 * A + 0.9 * B - C) / 10",
)


def test_arms_race(model) -> None:
    """Nine links between three stocks: 8 loops, of which 9 - 3 + 1 = 7 are independent."""
    linear = linearise(model(*ARMS_RACE))
    matrix = np.array([[-1, 1, 0.9], [1, -1, 1.1], [1.1, 0.9, -1]]) / 10
    np.testing.assert_allclose(linear["jacobian"], matrix, atol=1e-10)
    for mode in range(3):
        table = loop_elasticities(linear, mode=mode)
        assert sorted(table["length"]) == [1, 1, 1, 2, 2, 2, 3]
        assert table.attrs["residual"] < 1e-12
        # each loop takes its elasticity to each of its links, and these add up to one
        assert (table["elasticity"] * table["length"]).sum() == pytest.approx(1)


def test_a_loop_moves_the_eigenvalue_as_it_says(model) -> None:
    """The long loop's influence is what a change of its gain does, with no other gain changed."""
    made = model("A = INTEG(-A + k * C, 1)", "B = INTEG(A - B, 1)", "C = INTEG(B - C, 1)", "k = .7")
    table = loop_elasticities(linearise(made))
    more, less = (linearise(made, k=0.7 * (1 + d))["eigenvalue"].values[0] for d in (1e-4, -1e-4))
    found = of_loop(table, "A", "B", "C", what="influence")
    assert found == pytest.approx((more - less) / 2e-4, abs=1e-6)


REGIONS = (
    "Region: north, south",
    "other[north] = S[south]",
    "other[south] = S[north]",
    "S[Region] = INTEG(0.1 * Total - S[Region] * out[Region] + 0.05 * other[Region], 10)",
    "out[Region] = 0.3, 0.2",
    "Total = INTEG(SUM(S[Region!]) * 0.2 - Total * 0.4, 20)",
)
WRITTEN_OUT = (
    "S north = INTEG(0.1 * Total - S north * 0.3 + 0.05 * S south, 10)",
    "S south = INTEG(0.1 * Total - S south * 0.2 + 0.05 * S north, 10)",
    "Total = INTEG((S north + S south) * 0.2 - Total * 0.4, 20)",
)


def test_subscripts_are_as_if_written_out(model, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    whole, apart = linearise(model(*REGIONS)), linearise(written(tmp_path / "out", *WRITTEN_OUT))
    np.testing.assert_allclose(whole["eigenvalue"], apart["eigenvalue"], atol=1e-9)
    names = [n.replace("[", " ").replace("]", "") for n in whole["stock"].values]
    assert names == apart["stock"].values.tolist()
    for mode in range(3):
        mine, theirs = (
            loop_elasticities(whole, mode=mode, rolled_up=False),
            loop_elasticities(apart, mode=mode),
        )
        loops = [n.replace("[", " ").replace("]", "") for n in mine["loop"]]
        assert loops == theirs["loop"].tolist()
        np.testing.assert_allclose(mine["elasticity"], theirs["elasticity"], atol=1e-7)
        rolled = loop_elasticities(whole, mode=mode)
        entries = elasticities(whole)["elasticity"].sel(mode=mode).values
        assert len(rolled) == 3
        assert of_loop(rolled, "S") == pytest.approx(entries[:2, :2].sum())
        assert of_loop(rolled, "S", "Total") == pytest.approx(entries[:2, 2].sum())
        assert of_loop(rolled, "S", "Total") == pytest.approx(entries[2, :2].sum())
        assert np.isnan(of_loop(rolled, "S", what="gain"))


def test_regions_apart_are_not_repeated_eigenvalues(model) -> None:
    linear = linearise(model("Region: north, south", "S[Region] = INTEG(S[Region] * 0.1, 1)"))
    assert not linear["repeated"].any()
    assert loop_elasticities(linear, mode=1)["elasticity"].tolist() == pytest.approx([1])


# --- any linear system -------------------------------------------------------------------------

SYSTEM = (
    "i: e1, e2, e3, e4",
    "j <-> i",
    "M[i, j] = 0",
    "S[i] = INTEG(SUM(M[i, j!] * S[j!]), 1)",
)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return written(tmp_path_factory.mktemp("linear"), *SYSTEM, step=0.25)


@settings(max_examples=60)
@given(arrays(float, (4, 4), elements=st.integers(-8, 8).map(lambda k: k / 8)))
def test_random_systems_are_as_in_numpy(system: Model, matrix: np.ndarray) -> None:
    matrix = matrix - 5 * np.eye(4)  # stable: diagonal dominance
    linear = linearise(system, {"M": matrix})
    np.testing.assert_allclose(linear["jacobian"], matrix, atol=1e-8)
    exact = np.linalg.eigvals(matrix)
    near = np.abs(linear["eigenvalue"].values[:, np.newaxis] - exact).min(axis=1)
    shares = elasticities(linear)
    for mode in np.flatnonzero(~linear["repeated"].values):
        assert near[mode] < 1e-6
        assert complex(shares["elasticity"].sel(mode=mode).sum()) == pytest.approx(1, abs=1e-6)
        flows = shares["influence"].sel(mode=mode).values
        np.testing.assert_allclose(flows.sum(axis=0), flows.sum(axis=1), atol=1e-6)
        loops = loop_elasticities(linear, mode=int(mode))
        own = (linear["part of stock"] == linear["part"].sel(mode=mode)).values
        if own.sum() == 4:
            one = loop_elasticities(linear, mode=int(mode), rolled_up=False)
            assert len(one) == np.count_nonzero(matrix) - 4 + 1
        assert loops["elasticity"].tolist() == pytest.approx([1], abs=1e-6)


def test_repeated_eigenvalues_are_marked(system: Model) -> None:
    """Two that become one with one eigenvector, [[-1, 1], [-1, -3]], and four alike."""
    one = np.diag([0.0, 0.0, -7, -8])
    one[:2, :2] = [[-1, 1], [-1, -3]]
    alike = np.where(np.eye(4, dtype=bool), -2.0, 0.5)
    for matrix, repeated in ((one, [1, 1, 0, 0]), (alike, [0, 1, 1, 1])):
        linear = linearise(system, {"M": matrix})
        assert linear["repeated"].values.tolist() == [bool(k) for k in repeated]
        with pytest.raises(ParameterError, match="repeated"):
            loop_elasticities(linear, mode=1)


# --- what is held, and what is bent ------------------------------------------------------------


def test_kinks_are_named(model) -> None:
    made = model("A = INTEG(MIN(A, 5) - 0.5 * B, 5)", "B = INTEG(A * A / 50 - B, 1)")
    linear = linearise(made, time=0)
    assert linear.attrs["kinks"] == "A"
    assert linear["kink"].values.tolist() == [[True, False], [False, False]]
    assert linear["jacobian"].values[0, 0] == pytest.approx(0.5)
    assert linearise(made, time=0, A=4).attrs["kinks"] == ""


def test_what_only_changes_from_step_to_step_is_held(model) -> None:
    """The fixed delay brings what it brings, whatever the stock is now."""
    made = model("S = INTEG(late - S * 0.2, 10)", "late = DELAY FIXED(S * 0.3, 2, 1)", final=6)
    linear = linearise(made)
    assert linear["jacobian"].item() == pytest.approx(-0.2)
    last = made.run().isel(time=-1)
    expected = float(last["late"] - 0.2 * last["S"])
    assert linear["net flow"].item() == pytest.approx(expected)
    with pytest.raises(ParameterError, match="no stock lies on feedback"):
        linearise(model("S = INTEG(late, 10)", "late = DELAY FIXED(S * 0.3, 2, 1)"))


def test_the_moment_is_as_in_the_run(model) -> None:
    """Time, initial values, changed lookups, trends and samples are those of the run."""
    made = model(
        "S = INTEG(gain * S + RAMP(1, 2, 9) + at first + kept + trend, 10)",
        "gain = WITH LOOKUP(Time, ((0, 0.1), (10, 0.2)))",
        "at first = INITIAL(S * 2)",
        "kept = SAMPLE IF TRUE(Time < 3, S, 0)",
        "trend = TREND(S, 5, 0.1)",
        final=8,
        step=0.5,
    )
    linear = linearise(made, time=6.5, S=12)
    run = made.run(S=12, saveper=0.5)["S"]
    change = (run.sel(time=7) - run.sel(time=6.5)) / 0.5
    assert linear["net flow"].values[0] == pytest.approx(float(change), rel=1e-12)
    assert float(linear["time"]) == 6.5
    assert linear["stock"].values.tolist() == ["S", "trend: average"]


def test_runge_kutta_is_followed_to_the_moment(tmp_path: Path) -> None:
    path = tmp_path / "model.mdl"
    body = "S = INTEG(S * 0.1 * (1 - S / 90), 10) ~~|\n" + CLOCK.format(final=5, step=1)
    settings_of_file = (
        "\\\\\\---/// Sketch information\n///---\\\\\\\n:L\x7f<%^E!@\n15:0,0,0,1,0,0\n"
    )
    path.write_text("{UTF-8}\n" + body + settings_of_file, encoding="utf-8")
    made = Model(path)
    assert made.program.integration == "rk4"
    linear = linearise(made)
    assert linear["value"].item() == pytest.approx(float(made.run()["S"][-1]), rel=1e-12)


def test_a_linear_model_is_kept_in_a_file(model, tmp_path: Path) -> None:
    linear = linearise(model(*TWO))
    linear.to_netcdf(tmp_path / "linear.nc", engine="h5netcdf")
    xr.testing.assert_identical(xr.load_dataset(tmp_path / "linear.nc", engine="h5netcdf"), linear)
    assert linear.attrs["model"] == "model.mdl"
    assert linear["eigenvalue"].attrs == {"long_name": "eigenvalue", "units": "1/year"}


# --- the reinvestment model, and bad input -----------------------------------------------------


def test_the_reinvestment_model() -> None:
    linear = linearise(load(), load_scenario(), time=20)
    assert np.isfinite(linear["eigenvalue"]).all()
    part = np.bincount(linear["part of stock"]).argmax()
    modes = np.flatnonzero((linear["part"] == part) & ~linear["repeated"])
    table = loop_elasticities(linear, mode=int(modes[0]))
    assert table.attrs["residual"] < 1e-9
    assert any("Fund Cash" in loop for loop in table["loop"])


def test_bad_input(model) -> None:
    made = model("S = INTEG(S * 0.1 + 1 / room, 1)", "room = 1", "grown = INTEG(1 - S * 0, 0)")
    for options, problem in (
        ({"time": 0.3}, "time: found 0.3, expected time steps: 0, 1, ... 1"),
        ({"time": 9}, "time: found 9, but the runs end at 1"),
        ({"time": "late"}, "time: found"),
        ({"speed": 1}, "no constant 'speed'"),
        ({"room": 0}, "net flow of 'S' is no finite number"),
        ({"years": -1}, "years"),
    ):
        with pytest.raises(ParameterError, match=problem):
            linearise(made, **options)
    with pytest.raises(ParameterError, match="mode: found 1, expected 0 to 0"):
        loop_elasticities(linearise(made), mode=1)
    with pytest.raises(ParameterError, match="no stock lies on feedback"):
        linearise(model("S = INTEG(1, 0)"))
    with pytest.raises(ParameterError, match=r"no steady state found from there.*'S'"):
        linearise(model("S = INTEG(1 + S * S, 0)"), steady=True)
