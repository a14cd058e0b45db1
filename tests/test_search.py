"""Many-objective search: fronts known from theory, reached by running models of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import kredslob
from kredslob.cycle.scenario import load_scenario
from kredslob.ensemble import Ensemble
from kredslob.errors import InputFileError, ParameterError
from kredslob.simulation import Model
from kredslob.studies.evaluate import Outcomes, at_end
from kredslob.studies.factors import factors_of, sample
from kredslob.studies.questions import (
    cycle_factors,
    cycle_levers,
    cycle_objectives,
    cycle_questions,
)
from kredslob.studies.saved_search import load_search, save_search
from kredslob.studies.search import HELD_OUT, Objective, names_of, search, within

CLOCK = """INITIAL TIME = 0 ~ ~|
FINAL TIME = 1 ~ ~|
TIME STEP = 1 ~ ~|
SAVEPER = 1 ~ ~|
"""
# Schaffer (1985): the front is sqrt(f1) + sqrt(f2) = 2, where x is 0 to 2.
SCHAFFER = """x = 0 ~ Dmnl ~|
idle = 0 ~ Dmnl ~|
luck = 0 ~ Dmnl ~|
f1 = x * x + luck ~ Dmnl ~|
f2 = (x - 2) * (x - 2) ~ Dmnl ~|
"""
# Zitzler, Deb and Thiele (2000), the first of their functions: the front is f2 = 1 - sqrt(f1).
ZDT1 = """x = 0.5 ~ Dmnl ~|
y = 0.5 ~ Dmnl ~|
z = 0.5 ~ Dmnl ~|
g = 1 + 9 * (y + z) / 2 ~ Dmnl ~|
f1 = x ~ Dmnl ~|
f2 = g * (1 - SQRT(x / g)) ~ Dmnl ~|
"""
# Deb, Thiele, Laumanns and Zitzler (2002), the second: the front is the unit sphere.
DTLZ2 = """a = 0.5 ~ Dmnl ~|
b = 0.5 ~ Dmnl ~|
c = 0.5 ~ Dmnl ~|
d = 0.9 ~ Dmnl ~|
quarter = 1.5707963267948966 ~ Dmnl ~|
g = 1 + (d - 0.5) * (d - 0.5) ~ Dmnl ~|
f1 = g * COS(a * quarter) * COS(b * quarter) * COS(c * quarter) ~ Dmnl ~|
f2 = g * COS(a * quarter) * COS(b * quarter) * SIN(c * quarter) ~ Dmnl ~|
f3 = g * COS(a * quarter) * SIN(b * quarter) ~ Dmnl ~|
f4 = g * SIN(a * quarter) ~ Dmnl ~|
"""
LESS = [Objective("f1", larger_is_better=False), Objective("f2", larger_is_better=False)]


def model_of(folder: Path, equations: str) -> Model:
    path = folder / "problem.mdl"
    path.write_text("{UTF-8}\n" + equations + CLOCK, encoding="utf-8")
    return kredslob.load(path)


def largest_gap(values: Sequence[float]) -> float:
    return float(np.diff(np.sort(values)).max())


@pytest.fixture
def schaffer(tmp_path: Path) -> Model:
    return model_of(tmp_path, SCHAFFER)


def test_schaffers_front_is_reached_and_covered(schaffer: Model) -> None:
    found = search(schaffer, {"x": (-10, 10)}, LESS, at_end("f1", "f2"))
    off = np.sqrt(found["f1"]) + np.sqrt(found["f2"]) - 2
    assert float(np.abs(off).max()) < 0.01
    assert largest_gap([*found["x"].values, 0, 2]) < 0.15
    assert (found["f1"].diff("policy") >= 0).all()
    assert (found["f2"].diff("policy") <= 0).all()
    assert set(found["seed"].values) == {1, 2}


def test_zdt1_is_reached(tmp_path: Path) -> None:
    levers = dict.fromkeys("xyz", (0, 1))
    model = model_of(tmp_path, ZDT1)
    found = search(model, levers, LESS, at_end("f1", "f2"), generations=100, seeds=(1,))
    # a policy with next to no f1 is beaten by none, however large its f2
    inner = found.isel(policy=found["f1"].values > 1e-3)
    assert inner.sizes["policy"] > 30
    assert float((inner["f2"] - (1 - np.sqrt(inner["f1"]))).max()) < 0.02
    assert largest_gap([*found["f1"].values, 0, 1]) < 0.1
    volume = found["hypervolume"].sel(seed_run=1)
    assert float(volume[-1]) > float(volume[0])


def test_four_objectives_reach_the_sphere(tmp_path: Path) -> None:
    names = ["f1", "f2", "f3", "f4"]
    less = [Objective(name, larger_is_better=False) for name in names]
    model = model_of(tmp_path, DTLZ2)
    levers = dict.fromkeys("abcd", (0, 1))
    found = search(model, levers, less, at_end(*names), population=56, generations=60, seeds=(1,))
    radius = np.sqrt(sum(found[name] ** 2 for name in names))
    assert float(np.abs(radius - 1).max()) < 0.05
    for name in names:  # the corners are found too
        assert float(found[name].max()) > 0.9


def test_the_same_seed_gives_the_same_policies(schaffer: Model) -> None:
    def run(seed: int) -> xr.Dataset:
        return search(
            schaffer, {"x": (-10, 10)}, LESS, at_end("f1", "f2"), generations=3, seeds=(seed,)
        )

    np.testing.assert_array_equal(run(3)["x"], run(3)["x"])
    np.testing.assert_array_equal(run(3)["hypervolume"], run(3)["hypervolume"])
    assert run(3)["x"].values.tolist() != run(4)["x"].values.tolist()


def test_last_bits_do_not_steer_the_search(schaffer: Model) -> None:
    """Processors round differently; a search is to find the same policies on each."""
    plain = at_end("f1", "f2")

    def points(noise: float) -> np.ndarray:
        chance = np.random.default_rng(0)

        def compute(runs: xr.Dataset) -> xr.Dataset:
            found = plain.compute(runs)
            return found * (1 + noise * chance.uniform(-1, 1, found.sizes["run"]))

        outcomes = Outcomes(("f1", "f2"), compute)
        levers = {"x": (-10, 10), "idle": (0, 1)}  # policies that differ in it alone are ties
        return search(schaffer, levers, LESS, outcomes, seeds=(1,))["x"].values

    np.testing.assert_allclose(np.sort(points(1e-15)), np.sort(points(0)), atol=1e-9)


def test_objectives_are_means_and_quantiles_over_draws(schaffer: Model) -> None:
    draws = xr.Dataset({"luck": ("run", [0.0, 1.0, 5.0])})
    held_out = xr.Dataset({"luck": ("run", [2.0, 4.0])})
    wanted = [*LESS, Objective("f1", larger_is_better=False, quantile=0.25)]
    found = search(
        schaffer,
        {"x": (-10, 10)},
        wanted,
        at_end("f1", "f2"),
        draws=draws,
        held_out=held_out,
        generations=2,
    )
    squared = found["x"].values ** 2
    np.testing.assert_allclose(found["f1"], squared + 2)
    np.testing.assert_allclose(found["25 % quantile of f1"], squared + 0.5)
    np.testing.assert_allclose(found[f"f1{HELD_OUT}"], squared + 3)
    assert names_of(found, "objective") == ["f1", "f2", "25 % quantile of f1"]
    assert names_of(found, "lever") == ["x"]


def test_a_generation_is_one_batch(schaffer: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, ensemble = [], schaffer.ensemble

    def counted(design: xr.Dataset, *args: object, **options: object) -> Ensemble:
        sizes.append(design.sizes["run"])
        return ensemble(design, *args, **options)

    monkeypatch.setattr(schaffer, "ensemble", counted)
    draws = sample(factors_of({"luck": (0, 1)}), 5)
    options = {"population": 8, "generations": 3, "seeds": (1,)}
    search(schaffer, {"x": (-10, 10)}, LESS, at_end("f1", "f2"), draws=draws, **options)
    assert sizes[:3] == [8 * 5] * 3
    assert len(sizes) == 4  # and the front once more


def test_interrupted_work_counts(schaffer: Model) -> None:
    def stop(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    found = search(schaffer, {"x": (-10, 10)}, LESS, at_end("f1", "f2"), progress=stop)
    assert found.attrs["interrupted"] == 1
    assert found.sizes["generation"] == 2
    assert found.sizes["policy"] > 0


def test_interrupted_before_anything_is_done(schaffer: Model) -> None:
    def stop(_: xr.Dataset) -> xr.Dataset:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(schaffer, {"x": (-10, 10)}, LESS, Outcomes(("f1", "f2"), stop))


def test_policies_are_picked_by_ranges(schaffer: Model) -> None:
    found = search(schaffer, {"x": (-10, 10)}, LESS, at_end("f1", "f2"), generations=10)
    kept = within(found, {"f1": (None, 1), "x": (0.5, None)})
    assert 0 < kept.sizes["policy"] < found.sizes["policy"]
    assert float(kept["x"].min()) >= 0.5
    assert float(kept["f1"].max()) <= 1
    assert set(kept["policy"].values) <= set(found["policy"].values)
    assert within(found, {"f1": (100, None)}).sizes["policy"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"levers": {}}, "levers: found {}, expected a dict"),
        ({"levers": {"x": (1, 1)}}, "low below high"),
        ({"levers": {"luck": (0, 1)}}, "'luck' is a lever and drawn too"),
        ({"levers": {"y": (0, 1)}}, "no constant 'y'"),
        ({"objectives": LESS[:1]}, "at least two objectives"),
        ({"objectives": [*LESS, Objective("f3")]}, "give no 'f3'"),
        ({"population": 3}, "population: found 3"),
        ({"generations": 0}, "generations: found 0"),
        ({"seeds": (1, 1)}, "expected a list of different whole numbers"),
    ],
)
def test_what_makes_no_sense_is_refused(schaffer: Model, changes: dict, message: str) -> None:
    asked = {
        "levers": {"x": (-10, 10)},
        "objectives": LESS,
        "outcomes": at_end("f1", "f2"),
        "draws": xr.Dataset({"luck": ("run", [0.0])}),
    }
    with pytest.raises(ParameterError, match=message):
        search(schaffer, **(asked | changes))


def test_a_quantile_is_a_share() -> None:
    with pytest.raises(ParameterError, match="expected a number from 0 to 1"):
        Objective("f1", quantile=5)


def test_without_pymoo_one_line_says_what_to_install(
    schaffer: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pymoo", None)
    with pytest.raises(ParameterError, match=r"pip install kredslob\[studies\]"):
        search(schaffer, {"x": (-10, 10)}, LESS, at_end("f1", "f2"))


def test_a_file_that_holds_no_search_is_refused(tmp_path: Path) -> None:
    xr.Dataset({"x": ("run", [1.0])}).to_netcdf(tmp_path / "other.nc")
    (tmp_path / "broken.nc").write_bytes(b"no numbers")
    for name, said in (
        ("other.nc", "holds no search, expected a file from save_search"),
        ("broken.nc", "holds no results that can be read"),
        ("missing.nc", "missing.nc: does not exist"),
    ):
        with pytest.raises(InputFileError, match=said) as caught:
            load_search(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_the_funds_levers_are_searched(model: Model, tmp_path: Path) -> None:
    place = load_scenario()
    draws = sample(cycle_factors(place), 4)
    found = search(
        model,
        cycle_levers(),
        cycle_objectives(),
        cycle_questions(10),
        place,
        draws=draws,
        population=28,
        generations=2,
        seeds=(1,),
        years=10,
    )
    assert names_of(found, "objective")[-1] == "5 % quantile of net present value of public purse"
    assert found["citizens helped"].attrs["units"] == "person"
    assert found.attrs["algorithm"].startswith("NSGA-III, pymoo")
    assert found.attrs["setting"] == "municipality"
    save_search(found, tmp_path / "front.nc")
    again = load_search(tmp_path / "front.nc")
    xr.testing.assert_equal(again, found)
    assert again.attrs.keys() == found.attrs.keys()
    assert all(np.array_equal(again.attrs[k], v) for k, v in found.attrs.items())
    made_by = {k: json.loads(again.attrs[k]) for k in ("levers", "objectives", "draws", "versions")}
    assert {name: tuple(ends) for name, ends in made_by["levers"].items()} == cycle_levers()
    assert [Objective(**given) for given in made_by["objectives"]] == cycle_objectives()
    assert made_by["draws"] == {"draws": 4, "method": "random", "seed": 0}
    assert made_by["versions"]["kredslob"]
    assert again.attrs["model_hash"] == model.file.sha256
    assert again.attrs["seeds"] == [1]
    np.testing.assert_array_equal(again["drawn"], draws.to_dataarray())
    assert within(again, {"citizens helped": (0, None)}).sizes == again.sizes
    one = found.isel(policy=0)
    levers = {name: float(one[name]) for name in cycle_levers()}
    alone = model.run_many(draws, {**place.parameters, **levers}, years=10)
    helped = alone["Cumulated Completions"].isel(time=-1).sum(("Group", "Need"))
    assert float(one["citizens helped"]) == pytest.approx(float(helped.mean()), rel=1e-9)
