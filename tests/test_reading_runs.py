"""Files that PySD's reader stops at, run to numbers that are worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kredslob

XMILE = """<xmile xmlns="http://docs.oasis-open.org/xmile/ns/XMILE/v1.0" version="1.0">
<sim_specs method="Euler"><start>0</start><stop>4</stop><dt>1</dt></sim_specs>
<dimensions><dim name="Region"><elem name="North Side"/><elem name="South"/></dim>
<dim name="Age" size="3"/></dimensions>{macros}
<model><variables>{variables}</variables></model>{models}</xmile>"""
BY_REGION = '<dimensions><dim name="Region"/></dimensions>'
BY_BOTH = '<dimensions><dim name="Region"/><dim name="Age"/></dimensions>'


def last(folder: Path, variables: str, macros: str = "", models: str = "") -> dict[str, np.ndarray]:
    path = folder / "model.xmile"
    path.write_text(XMILE.format(variables=variables, macros=macros, models=models))
    run = kredslob.load(path).run()
    return {str(name): run[name].isel(time=-1).values for name in run.data_vars}


def aux(name: str, equation: str, inside: str = "") -> str:
    equation = equation.replace("<", "&lt;").replace(">", "&gt;")
    return f'<aux name="{name}">{inside}<eqn>{equation}</eqn></aux>'


def by_element(**equations: object) -> str:
    return "".join(
        f'<element subscript="{at}"><eqn>{text}</eqn></element>' for at, text in equations.items()
    )


EXPRESSIONS = [
    ("IF NOT (TIME > 3) THEN 1 ELSE IF TIME = 4 THEN 7 ELSE 0", 7),
    ("17 MOD 5 * 2", 4),
    ("-2^2 + 2^3^2", 508),
    ("5 // 0 + SAFEDIV(1, 0, 9)", 9),
    ("MAX(1, 4, 3) + MIN(5, 2, 8)", 6),
    ("PREVIOUS(TIME, -1)", 3),
    ("INIT(TIME + 5)", 5),
    ("curve(0.5) + LOOKUP(curve, 9)", 5.5),
    ("SUM(t[*, *])", 21),
    ("SUM(t[South, *])", 15),
    ("MEAN(t[*, 1])", 2.5),
    ("STDDEV(t[*, *])", np.sqrt(35 / 12)),
    ("SIZE(t[South, *]) + SIZE(Region)", 5),
    ("MAX(t[North_Side, *])", 3),
    ("PROD(t[*, 2])", 10),
    ("LOG10(1000)", 3),
    ("SINWAVE(2, 16)", 2),
]


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """Every expression in one model, because compiling takes longer than running."""
    table = "".join(
        f'<element subscript="{r}, {a}"><eqn>{3 * i + a}</eqn></element>'
        for i, r in enumerate(("North_Side", "South"))
        for a in (1, 2, 3)
    )
    others = (
        f'<aux name="t">{BY_BOTH}{table}<eqn>???</eqn></aux>'
        '<aux name="curve"><eqn>0</eqn><gf><xscale min="0" max="2"/><ypts>1,2,4</ypts></gf></aux>'
    )
    ours = "".join(aux(f"y{i}", equation) for i, (equation, _) in enumerate(EXPRESSIONS))
    return last(tmp_path_factory.mktemp("expressions"), others + ours)


@pytest.mark.parametrize("number", range(len(EXPRESSIONS)), ids=[e for e, _ in EXPRESSIONS])
def test_expressions(values: dict[str, np.ndarray], number: int) -> None:
    assert values[f"y{number}"] == pytest.approx(EXPRESSIONS[number][1], rel=1e-12)


def test_stocks_and_flows_by_element(tmp_path: Path) -> None:
    found = last(
        tmp_path,
        f'<stock name="S">{BY_REGION}{by_element(North_Side=1, South=2)}<inflow>f</inflow></stock>'
        f'<flow name="f">{BY_REGION}{by_element(North_Side="S[South]", South=10)}</flow>',
    )
    # South: 2, 12, 22, 32, 42; North takes it up one step later: 1 + 2 + 12 + 22 + 32
    assert found["S"].tolist() == [69, 42]


def test_macros(tmp_path: Path) -> None:
    macros = (
        '<macro name="Filled"><parm>rate</parm><parm default="10">at start</parm><eqn>level</eqn>'
        '<variables><stock name="level"><eqn>at_start</eqn><inflow>fill</inflow></stock>'
        '<flow name="fill"><eqn>rate</eqn></flow></variables></macro>'
    )
    found = last(tmp_path, aux("y", "FILLED(2) + filled(3, 0)"), macros)
    assert found["y"] == 18 + 12


def test_modules(tmp_path: Path) -> None:
    found = last(
        tmp_path,
        aux("area", "10") + '<module name="tank"><connect to="size" from=".area"/></module>'
        + aux("seen", "tank.water + 1"),
        models='<model name="tank"><variables><aux name="size" access="input"><eqn/></aux>'
        '<stock name="water"><eqn>0</eqn><inflow>rain</inflow></stock>'
        '<flow name="rain"><eqn>size / 5</eqn></flow></variables></model>',
    )  # fmt: skip
    assert (found["tank.water"], found["seen"]) == (8, 9)


def test_functions_and_values_of_graphs(tmp_path: Path) -> None:
    graph = '<gf type="discrete"><xscale min="0" max="2"/><ypts>1,2,4</ypts></gf>'
    found = last(tmp_path, aux("g", "TIME / 4", graph) + aux("y", "g + g(1.5) * 10"))
    assert (found["g"], found["y"]) == (2, 22)


def test_graphical_functions_by_element(tmp_path: Path) -> None:
    own = "".join(
        f'<element subscript="{at}"><gf><xscale min="0" max="4"/><ypts>{y}</ypts></gf></element>'
        for at, y in (("North_Side", "0,8"), ("South", "1,0"))
    )
    found = last(
        tmp_path,
        f'<aux name="g">{BY_REGION}{own}</aux>' + aux("y", "g[Region](TIME)", BY_REGION),
    )
    assert found["y"].tolist() == [8, 0]


def test_a_vensim_file_that_pysd_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "model.mdl"
    path.write_text(
        "Dim: A1, A2 -> (Other: B2, B1) ~~|\nOther: B1, B2 ~~|\n"
        "x[Dim] = 1, 2 ~~|\ny[Other] = x[Dim] {turned round} * 10 ~~|\nold(0,4,100,500) ~~|\n"
        "z = old(Time) + 010 ~~|\n"
        "INITIAL TIME=0~~|\nFINAL TIME=2~~|\nTIME STEP=1~~|\nSAVEPER=1~~|\n"
    )
    run = kredslob.load(path).run().isel(time=-1)
    assert run["y"].sel(Other=["B1", "B2"]).values.tolist() == [20, 10]
    assert float(run["z"]) == 310
