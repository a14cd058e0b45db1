"""The model in JavaScript, in Node and in Chromium, against the compiled kernel."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
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
from kredslob.cycle.scenario import (
    list_scenarios,
    list_settings,
    load_scenario,
    parameter_table,
)
from kredslob.program import (
    Array,
    Call,
    Clock,
    Equation,
    Expression,
    Number,
    Program,
    Read,
    Table,
    placed,
)
from kredslob.simulation import Model
from kredslob.targets import runtime
from kredslob.targets.javascript import module_source, script_source
from kredslob.targets.numba import Batch, NumbaTarget
from model_oracles import MODELS

FILES = sorted(p.name for p in MODELS.iterdir() if p.suffix in (".mdl", ".xmile"))
METHODS = ("euler", "rk4")
# What Chromium runs besides the reinvestment model: loops, tables, delays, draws, whole arrays.
SOME = ("allocate_by_priority", "delay_fixed", "lookups", "random_numbers", "sir")
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
    return Batch(batch.constants, places + first, values, numbers, batch.tables, None, batch.seed)


def assert_agrees(
    engine: Engine,
    target: NumbaTarget,
    batch: Batch,
    method: str,
    at: tuple[float, ...] = (),
    but: frozenset[str] = frozenset(),
) -> None:
    """Compare every visible variable of one run with the kernel's.

    It must be the same to 1e-9 of itself, or to the rounding of the largest number of its unit:
    some are what two large numbers leave. What is no stock may also differ by ten times what
    the kernel's own answer moves when the last digit of the constants does: some are a ratio of
    such. Variables named in ``but`` are left out.
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
    visible = [a for a in program.arrays.values() if a.kind not in ("hidden", "rate")]
    shown = [a for a in visible if a.offset >= 0 and a.name not in but]
    spans = {a.name: slice(a.offset, a.offset + a.size) for a in shown}
    sizes = {a.name: largest(expected[:, spans[a.name]]) for a in shown}
    for array in shown:
        its = spans[array.name]
        floor = 1e-15 * max(sizes[a.name] for a in shown if a.unit == array.unit)
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
    target = loaded(f"{file}.mdl").target({})
    assert_agrees(chromium, target, plain_batch(target), "euler")


@pytest.mark.parametrize("setting", sorted(list_settings()))
def test_every_policy_agrees(engine: Engine, model: Model, setting: str) -> None:
    for policy in list_scenarios():
        scenario = load_scenario(policy, setting)
        design = model.shared_design(scenario, {}, 40, None, None)
        target = model.target(design.inputs)
        for method in METHODS:
            assert_agrees(
                engine, target, batch_of(target, design, 0), method, (0.0, 1.0, 5.0, 40.0)
            )


# Payment per krone of principal that is still out: it jumps in the step in which the principal
# passes what Vensim takes for zero, and in some policies the last digit decides which step that is.
JUMPS = frozenset({"seen yearly payment", "investor appetite"})


@pytest.fixture(scope="module")
def check(
    request: pytest.FixtureRequest, model: Model, table: ParameterTable
) -> Callable[[Mapping[str, float]], None]:
    """Whether the reinvestment model agrees with these values of rows of the parameter table."""
    quickest: Engine = request.getfixturevalue("node" if NODE else "chromium")
    target = model.target({})
    rows = {row.label: row for row in table}

    def agrees(values: Mapping[str, float]) -> None:
        batch = plain_batch(target)
        for label, value in values.items():
            row = rows[label]
            array = target.program.arrays[row.name]
            elements = zip(array.dims, row.elements, strict=True)
            index = tuple(model.subscripts[dim].index(element) for dim, element in elements)
            place = int(np.ravel_multi_index(index, array.shape)) if index else 0
            batch.constants[target.constant_places(row.name)[place]] = value
        assert_agrees(quickest, target, batch, "euler", (0.0, 2.0, 10.0, 40.0), JUMPS)

    return agrees


LEVERS = {
    row.label: st.floats(row.low, row.high) for row in parameter_table() if row.kind == "lever"
}


# Making a failing example smaller would take minutes for so many levers.
@settings(max_examples=60, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(values=st.fixed_dictionaries({}, optional=LEVERS))
def test_any_setting_of_the_levers_agrees(
    check: Callable[[Mapping[str, float]], None], values: Mapping[str, float]
) -> None:
    check(values)


# --- what is asked of it ---


def test_tables_are_replaced_and_come_back(engine: Engine, tanks: Model) -> None:
    program = tanks.program
    seen = program.arrays["seen"].offset
    tables = {"table": [[[0, 2, 4], [1, 5, 1]]]}
    for asked, expected in ((tables, [1, 3, 5, 3, 1]), ({}, [0, 1, 2, 3, 4])):
        times, values = engine.run(program, {"places": [seen], "tables": asked})
        assert times.tolist() == [0, 1, 2, 3, 4]
        assert values.ravel().tolist() == expected


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"places": [999]}, "places: found 999"),
        ({"places": [-1]}, "places: found -1"),
        ({"places": [], "constants": [1.0]}, "constants: found 1 values, expected 7"),
        ({"places": [], "tables": {"constructor": []}}, "the model has no table 'constructor'"),
        ({"places": [], "tables": {"table": []}}, "table has 1 elements, found 0"),
        ({"places": [], "integration": "rk5"}, "found 'rk5', expected euler or rk4"),
        ({"places": [], "at": [0.25]}, "nothing is saved at 0.25"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    engine: Engine, tanks: Model, request_: dict[str, Any], message: str
) -> None:
    with pytest.raises(RuntimeError, match=message):
        engine.run(tanks.program, request_)


@pytest.mark.parametrize("step", [0.0, -1.0, math.nan])
def test_a_time_step_that_makes_no_sense_is_refused(
    engine: Engine, tanks: Model, step: float
) -> None:
    target = tanks.target({})
    constants = target.constants
    constants[target.constant_places("TIME STEP")] = step
    with pytest.raises(RuntimeError, match="TIME STEP above 0"):
        engine.run(tanks.program, {"places": [], "constants": constants})


def test_results_are_the_callers_own(chromium: Chromium, tanks: Model) -> None:
    water = tanks.program.arrays["Water"].offset
    chromium.run(tanks.program, {"places": [water]})
    page = chromium.pages[id(tanks.program)][1]
    first, second = page.evaluate(
        """place => {
            const ask = (integration) => kredslobModel.simulate({ places: [place], integration });
            const first = ask("euler");
            const before = Array.from(first.values);
            ask("rk4");
            return [before, Array.from(first.values)];
        }""",
        water,
    )
    assert first == second


# --- names from a model file ---

HACK = "globalThis.hacked = 1"
HOSTILE = (
    f"</script><script>{HACK}</script>",
    f"*/ {HACK} //",
    f"line\u2028{HACK}",
    f"paragraph\u2029{HACK}",
    f"new\n{HACK}\r{HACK}",
    f"`${{{HACK}}}`",
    f"'; {HACK}; '",
    f'"; {HACK}; "',
    f"\\'; {HACK} \\",
    f"\\u0022; {HACK}",
    "<!-- <script",
    "--> ]]>",
    "constructor",
    "__proto__",
    "MODEL",
    "SIZE",
    "SIZE 2",
    "function",
    "\u6570",
    "\ud800",
    "",
)


def hostile_program() -> Program:
    """Constants with such names, and a stock that grows by the sum of them."""
    clock = Clock("INITIAL TIME", "FINAL TIME", "TIME STEP", "SAVEPER")
    times = {clock.initial: 0.0, clock.final: 3.0, clock.step: 1.0, clock.saveper: 1.0}
    defaults = {name: (float(k),) for k, name in enumerate(HOSTILE)}
    defaults |= {name: (value,) for name, value in times.items()}
    stock, rate = f"stock {HOSTILE[0]}", f"rate {HOSTILE[2]}"
    arrays = {
        stock: Array(stock, "stock", unit=HOSTILE[0]),
        rate: Array(rate, "rate"),
        **{name: Array(name, "constant", unit=name) for name in defaults},
    }
    total: Expression = Number(0.0)
    for name in HOSTILE:
        total = Call("+", (total, Read(name)))
    return Program(
        name=HOSTILE[0],
        sha256="0",
        arrays=placed(arrays, [stock, rate, *defaults]),
        ranges={HOSTILE[0]: HOSTILE},
        tables={HOSTILE[1]: Table(HOSTILE[1], (), (((0.0, 1.0), (0.0, 1.0)),), 0)},
        defaults=defaults,
        initial=(Equation(stock, (), (), Number(0.0)),),
        dynamics=(Equation(rate, (), (), total),),
        reports=(),
        updates=(),
        pipes=(),
        stocks=(stock,),
        non_negative=(),
        clock=clock,
    )


def test_hostile_names_are_only_names(engine: Engine) -> None:
    program = hostile_program()
    _, values = engine.run(program, {"places": [0]})
    grown = sum(range(len(HOSTILE)))
    assert values.ravel().tolist() == [0, grown, 2 * grown, 3 * grown]


def test_hostile_names_leave_a_page_alone(browser: Any) -> None:
    program = hostile_program()
    source = script_source(program)
    assert "</" not in source
    assert "<!--" not in source
    assert not {"\u2028", "\u2029"} & set(source + module_source(program))
    page = browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    page.set_content(page_of(source))
    assert page.evaluate("globalThis.hacked === undefined")
    names = page.evaluate("Object.keys(kredslobModel.MODEL.arrays)")
    visible = [n for n, a in program.arrays.items() if a.kind != "rate"]
    assert names == visible
    place = page.evaluate("name => kredslobModel.MODEL.arrays[name].offset", "__proto__")
    assert place == program.arrays["__proto__"].offset
    assert not problems


def test_a_worker_made_from_the_script_runs_the_model(browser: Any, tanks: Model) -> None:
    page = browser.new_page()
    values = page.evaluate(
        """source => new Promise((resolve, reject) => {
            const ask = "postMessage(Array.from(model.simulate({ places: [0] }).values));";
            const worker = new Worker(URL.createObjectURL(new Blob([source + ask])));
            worker.onmessage = (message) => resolve(message.data);
            worker.onerror = (problem) => reject(problem.message);
        })""",
        script_source(tanks.program, "model"),
    )
    assert values == tanks.run(save=["Water"])["Water"].isel(Tank=0).values.tolist()


@pytest.mark.parametrize("name", ["", "a b", "a;b", "1a", "a\n"])
def test_a_script_is_given_a_plain_identifier(tanks: Model, name: str) -> None:
    with pytest.raises(ValueError, match="expected a plain identifier"):
        script_source(tanks.program, name)


# --- the functions of runtime.js against those of the kernel ---


def numbers(*values: float) -> list[list[float]]:
    return [[float(x)] for x in values]


def after_one_draw(function: Callable[..., float]) -> Callable[..., float]:
    """A distribution of the kernel, which takes two uniform numbers and uses one."""
    return lambda drawn, *arguments: function(drawn, 0.5, *arguments)


DRAWN = (1e-300, 1e-12, 0.02, 0.3, 0.5, 0.6, 0.97, 1.0 - 1e-12)
YEARS = (-1.3, 0.0, 0.4, 12.99, 2023.51)
DAYS = (-400.0, 0.0, 59.5, 60.0, 366.25, 738_000.123, 739_315.0)
PAIRS = [[a, b] for a in (-7.5, -3.0, 0.0, 2.5, 7.0) for b in (-2.0, 0.0, 1e-7, 0.7, 3.0)]
MOMENTS = [[t, 0.25] for t in (-1.0, 0.0, 0.875, 1.0, 1.25, 2.9, 5.0)]
CASES: dict[str, tuple[Callable[..., float], list[list[float]]]] = {
    "normalQuantile": (runtime.normal_quantile, numbers(0.0, *DRAWN, 1.0)),
    "normalShare": (runtime.normal_share, numbers(*np.linspace(-38, 38, 400), -0.0, math.inf)),
    "logGamma": (
        lambda x: math.inf if x <= 0 and x == int(x) else math.lgamma(x),
        numbers(-2.5, -1.0, -0.1, 0.0, 1e-9, 0.3, 0.5, 1.0, 1.7, 2.0, 9.5, 14.9, 15.1, 1e5),
    ),
    "evenCalendar": (runtime.even_calendar, [[y, float(m)] for y in YEARS for m in range(1, 11)]),
    "calendar": (runtime.calendar, [[d, float(m)] for d in DAYS for m in range(1, 11)]),
    "quantum": (runtime.quantum, PAIRS),
    "modulo": (runtime.modulo, PAIRS),
    "zidz": (runtime.zidz, PAIRS),
    "xidz": (runtime.xidz, [[*pair, 5.0] for pair in PAIRS]),
    "power": (
        lambda a, b: float(np.float64(a) ** np.float64(b)),
        [*PAIRS, [1.0, math.nan], [-1.0, math.inf], [1.0, -math.inf], [math.nan, 0.0]],
    ),
    "step": (runtime.step, [[*m, 3.0, 1.0] for m in MOMENTS]),
    "ramp": (runtime.ramp, [[*m, 2.0, 1.0, 2.5] for m in MOMENTS]),
    "pulse": (runtime.pulse, [[*m, 1.0, w] for m in MOMENTS for w in (0.0, 1.5)]),
    "pulseTrain": (
        runtime.pulse_train,
        [[*m, -1.0, r, 0.5, 4.0] for m in MOMENTS for r in (0.0, 0.75, 2.0)],
    ),
    "uniform": (after_one_draw(runtime.uniform), [[u, -1.0, 3.0] for u in DRAWN]),
    "normal": (
        after_one_draw(runtime.normal),
        [[u, -1.0, 3.0, 0.5, d] for u in DRAWN for d in (0.0, 1.0, 9.0)],
    ),
    "exponential": (
        after_one_draw(runtime.exponential),
        [[u, 0.5, h, 0.25, s] for u in DRAWN for h in (4.0, math.inf) for s in (0.0, 2.0)],
    ),
    "plainNormal": (after_one_draw(runtime.plain_normal), [[u, 2.0, 3.0] for u in DRAWN]),
    "plainExponential": (after_one_draw(runtime.plain_exponential), [[u, 3.0] for u in DRAWN]),
    "lognormal": (after_one_draw(runtime.lognormal), [[u, 2.0, 3.0] for u in DRAWN]),
    "triangular": (after_one_draw(runtime.triangular), [[u, 1.0, 2.0, 5.0] for u in DRAWN]),
    "poisson": (
        after_one_draw(runtime.poisson),
        [[u, mean] for u in DRAWN for mean in (0.0, 0.4, 20.0, 499.0, 900.0)],
    ),
}


@pytest.fixture(scope="module")
def functions(browser: Any) -> Any:
    """A page with all of runtime.js."""
    source = (Path(runtime.__file__).parent / "runtime.js").read_text(encoding="utf-8")
    state = "let seedLow = 0, seedHigh = 0, runNumber = 0, stepNumber = 0;"
    state += "const v = new Float64Array(99);"
    page = browser.new_page()
    page.set_content(page_of(state + source))
    return page


@pytest.mark.parametrize("name", CASES)
def test_a_function_means_what_it_means_in_the_kernel(functions: Any, name: str) -> None:
    reference, cases = CASES[name]
    found = functions.evaluate(f"cases => cases.map((c) => {name}(...c))", cases)
    with np.errstate(all="ignore"):
        expected = [float(reference(*case)) for case in cases]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@settings(max_examples=50)
@given(words=st.lists(st.integers(0, 2**32 - 1), min_size=6, max_size=6))
def test_uniform_numbers_are_those_of_the_kernel_to_the_last_bit(
    functions: Any, words: list[int]
) -> None:
    step, place, run, stream, low, high = words
    found = functions.evaluate(
        """([step, place, run, stream, low, high]) => {
            stepNumber = step; runNumber = run; seedLow = low; seedHigh = high;
            return draw(place, stream);
        }""",
        words,
    )
    assert found == runtime.philox(step, place, run, stream, low, high)[0]


def test_missing_values_are_sorted_last(functions: Any) -> None:
    values = [2.0, math.nan, 1.0, 2.0, -1.0, math.nan]
    found = functions.evaluate("values => { v.set(values); return risingOrder(0, 6); }", values)
    assert found == np.argsort(values, kind="mergesort").tolist() == [4, 2, 0, 3, 1, 5]
