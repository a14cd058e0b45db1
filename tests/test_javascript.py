"""The model in JavaScript, in Node and in Chromium, against the compiled kernel."""

from __future__ import annotations

import math
import subprocess
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kredslob
from javascript_engines import (
    NODE,
    Chromium,
    Engine,
    Node,
    chromium_browser,
    page_of,
    request_of,
)
from kredslob.batches import batch_of
from kredslob.cycle.parameters import ParameterTable
from kredslob.cycle.scenario import list_scenarios, list_settings, load_scenario
from kredslob.program import Program
from kredslob.simulation import Model
from kredslob.targets import runtime
from kredslob.targets.javascript import module_source, script_source
from kredslob.targets.numba import Batch, NumbaTarget
from model_oracles import MODELS

FILES = sorted(p.name for p in MODELS.iterdir() if p.suffix in (".mdl", ".xmile"))
METHODS = ("euler", "rk4")
# What Chromium runs besides the reinvestment model: loops, tables, delays, draws, whole arrays.
SOME = ("allocate_by_priority.mdl", "delay_fixed.mdl", "lookups.mdl", "random_numbers.mdl", "sir.mdl")
SEED, NUMBER = 12_345_678_901, 3  # a seed of more than 32 bits

needs_node = pytest.mark.skipif(not NODE, reason="Node is not installed")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    engine = Node(tmp_path_factory.mktemp("modules"))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium_browser() as started:
        yield started


@pytest.fixture(scope="module")
def chromium(browser: Any) -> Chromium:
    return Chromium(browser)


@pytest.fixture(params=[pytest.param("node", marks=needs_node), "chromium"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.getfixturevalue(request.param)


# --- agreement with the compiled kernel ---


@cache
def loaded(file: str) -> Model:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kredslob.load(MODELS / file)


def plain_batch(target: NumbaTarget) -> Batch:
    nothing = np.zeros(0, dtype=np.int64)
    return Batch(target.constants, nothing, np.zeros((1, 0)), np.array([NUMBER]), seed=SEED)


def shaken(target: NumbaTarget, batch: Batch) -> Batch:
    """The one run of a batch, and seven in which the last digit of each constant is another."""
    program = target.program
    clock = program.clock
    fixed = {clock.initial, clock.final, clock.step, clock.saveper}
    free = [n for n in program.defaults if n not in fixed]
    places = np.concatenate([target.constant_places(n) for n in free] or [np.zeros(0, np.int64)])
    places = places[batch.constants[places] != np.round(batch.constants[places])]  # no switches
    last = np.random.default_rng(0).choice([-1.0, 1.0], (8, len(places))) * np.finfo(float).eps
    last[0] = 0.0
    values = batch.constants[places] * (1.0 + last)
    first = 2 * program.state_size
    numbers = np.repeat(batch.numbers, 8)
    return Batch(
        batch.constants, places + first, values, numbers, batch.tables, None, batch.seed
    )


def assert_agrees(
    engine: Engine, target: NumbaTarget, batch: Batch, method: str, at: tuple[float, ...] = ()
) -> None:
    """Compare every visible variable of one run with the kernel's.

    A stock must be the same to 1e-9 of itself, or to 1e-12 of the largest that it ever is. Any
    other variable may also differ by ten times what the kernel's own answer moves when the last
    digit of the constants does: some are what two large numbers leave, or a ratio of such.
    """
    program = target.program
    places = np.arange(program.size)
    runs = target.run(shaken(target, batch), places, at=at, rk4=method == "rk4", threads=1)
    options: dict[str, Any] = {"at": list(at)} if at else {}
    request = request_of(
        batch, 0, places, integration=method, first_constant=2 * program.state_size, **options
    )
    times, values = engine.run(program, request)
    np.testing.assert_array_equal(times, runs.times)
    expected = runs.values[0]
    moved = np.abs(runs.values[1:] - expected).max(axis=0)
    for array in program.arrays.values():
        if array.offset < 0 or array.kind in ("hidden", "rate"):
            continue
        its = slice(array.offset, array.offset + array.size)
        floor = 1e-12 * largest(expected[:, its])
        if array.kind != "stock":
            floor += 10.0 * largest(moved[:, its])
        np.testing.assert_allclose(
            values[:, its],
            expected[:, its],
            rtol=1e-9,
            atol=floor,
            err_msg=f"{program.name} {method}: {array.name}",
        )


def largest(numbers: np.ndarray) -> float:
    return float(np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0))


@needs_node
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("file", FILES)
def test_every_model_file_agrees_in_node(node: Node, file: str, method: str) -> None:
    target = loaded(file).target({})
    assert_agrees(node, target, plain_batch(target), method)


@pytest.mark.parametrize("file", SOME)
def test_some_model_files_agree_in_chromium(chromium: Chromium, file: str) -> None:
    target = loaded(file).target({})
    assert_agrees(chromium, target, plain_batch(target), "euler")


@pytest.mark.parametrize("setting", sorted(list_settings()))
def test_every_policy_agrees(engine: Engine, model: Model, setting: str) -> None:
    for policy in list_scenarios():
        scenario = load_scenario(policy, setting)
        design = model.shared_design(scenario, {}, 40, None, None)
        target = model.target(design.inputs)
        for method in METHODS:
            assert_agrees(engine, target, batch_of(target, design, 0), method, (0.0, 1.0, 5.0, 40.0))


@pytest.fixture(scope="module")
def quickest(request: pytest.FixtureRequest) -> Engine:
    return request.getfixturevalue("node" if NODE else "chromium")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_setting_of_the_levers_agrees(
    quickest: Engine, model: Model, table: ParameterTable, data: st.DataObject
) -> None:
    target = model.target({})
    batch = plain_batch(target)
    levers = [row for row in table if row.kind == "lever"]
    chosen = data.draw(st.lists(st.sampled_from(levers), unique=True, max_size=len(levers)))
    ranges = model.subscripts
    for row in chosen:
        array = target.program.arrays[row.name]
        index = [ranges[d].index(e) for d, e in zip(array.dims, row.elements, strict=True)]
        place = int(np.ravel_multi_index(index, array.shape)) if index else 0
        value = data.draw(st.floats(row.low, row.high), label=row.label)
        batch.constants[target.constant_places(row.name)[place]] = value
    assert_agrees(quickest, target, batch, "euler", (0.0, 2.0, 10.0, 40.0))
