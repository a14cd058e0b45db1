"""XMILE files: what the reader makes of each construct. The models are small and our own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pysd.translators.structures.abstract_expressions import (
    ArithmeticStructure,
    CallStructure,
    DelayFixedStructure,
    DelayNStructure,
    DelayStructure,
    ForecastStructure,
    InitialStructure,
    InlineLookupsStructure,
    IntegStructure,
    LogicStructure,
    ReferenceStructure,
    SmoothNStructure,
    SmoothStructure,
    SubscriptsReferenceStructure,
    TrendStructure,
)

from kredslob.errors import InputFileError
from kredslob.reading import abstract_model, integration_method, read_model, source_lines

SPECS = "<sim_specs><start>0</start><stop>10</stop><dt>1</dt></sim_specs>"
DIMENSIONS = (
    '<dimensions><dim name="Region"><elem name="North Side"/><elem name="South"/></dim>'
    '<dim name="Age" size="3"/></dimensions>'
)
GRAPH = '<gf{}><xscale min="0" max="2"/><ypts>1,2,4</ypts></gf>'
BY_REGION = '<dimensions><dim name="Region"/></dimensions>'
BY_BOTH = '<dimensions><dim name="Region"/><dim name="Age"/></dimensions>'


def write(folder: Path, variables: str, before: str = SPECS + DIMENSIONS, after: str = "") -> Path:
    path = folder / "model.xmile"
    path.write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<xmile version="1.0" xmlns="http://docs.oasis-open.org/xmile/ns/XMILE/v1.0">'
        f"{before}<model><variables>{variables}</variables></model>{after}</xmile>",
        encoding="utf-8",
    )
    return path


def elements(path: Path) -> dict[str, Any]:
    return {e.name: e for e in abstract_model(path).sections[0].elements}


def aux(name: str, equation: str, inside: str = "") -> str:
    equation = equation.replace("<", "&lt;").replace(">", "&gt;")
    return f'<aux name="{name}">{inside}<eqn>{equation}</eqn></aux>'


OTHERS = (
    aux("a", "1") + aux("b", "2") + aux("c", "3") + aux("two words", "4")
    + aux("x", "1", BY_REGION) + aux("t", "1", BY_BOTH)
    + f'<aux name="curve">{GRAPH.format("")}</aux>'
)  # fmt: skip


def ast(folder: Path, equation: str, inside: str = "") -> Any:
    found = elements(write(folder, OTHERS + aux("y", equation, inside)))
    return found["y"].components[0].ast


def refused(path: Path) -> str:
    with pytest.raises(InputFileError) as caught:
        abstract_model(path)
    return str(caught.value)


def ref(name: str, *subscripts: str) -> ReferenceStructure:
    at = SubscriptsReferenceStructure(list(subscripts)) if subscripts else None
    return ReferenceStructure(name, at)


def call(name: str, *arguments: Any) -> CallStructure:
    return CallStructure(ReferenceStructure(name), arguments)


def op(operator: str, *arguments: Any) -> ArithmeticStructure:
    return ArithmeticStructure([operator] * max(len(arguments) - 1, 1), arguments)


def logic(operator: str, *arguments: Any) -> LogicStructure:
    return LogicStructure([operator], arguments)


A, B, C = ref("a"), ref("b"), ref("c")


# Expressions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equation", "expected"),
    [
        ("1e3 + .5 + 1.", op("+", 1000.0, 0.5, 1.0)),
        ("007", 7),
        ("a {a remark} +\n b", op("+", A, B)),
        ('"Two\\nWords" + TWO_WORDS + two__words', op("+", *[ref("two_words")] * 3)),
        ("-a^2", op("negative", op("^", A, 2))),
        ("2^3^2", op("^", 2, op("^", 3, 2))),
        ("a ** 2", op("^", A, 2)),
        ("a * b MOD c", call("modulo", op("*", A, B), C)),
        ("a mod b * c", op("*", call("modulo", A, B), C)),
        ("MOD(a, b)", call("modulo", A, B)),
        ("a // b", call("zidz", A, B)),
        ("a <> b", logic("<>", A, B)),
        ("a >< b", logic("<>", A, B)),
        ("NOT a", logic(":NOT:", A)),
        ("not(a) and b", logic(":AND:", logic(":NOT:", A), B)),
        ("a OR b AND c > 1", logic(":OR:", A, logic(":AND:", B, logic(">", C, 1)))),
        ("IF a THEN b ELSE c", call("if_then_else", A, B, C)),
        (
            "1 + (IF a THEN b ELSE IF b THEN 1 ELSE 2) * 2",
            op("+", 1, op("*", call("if_then_else", A, B, call("if_then_else", B, 1, 2)), 2)),
        ),
        ("TIME + DT", op("+", ref("time"), ref("time_step"))),
        ("STARTTIME + STOPTIME()", op("+", ref("initial_time"), ref("final_time"))),
        ("PI", math.pi),
        ("PREVIOUS(SELF, 1)", call("previous", ref("y"), 1)),
        ("INIT(a)", InitialStructure(A)),
        ("INIT a + 1", op("+", InitialStructure(A), 1)),
        ("SAFEDIV(a, b)", call("zidz", A, B)),
        ("SAFEDIV(a, b, c)", call("xidz", A, B, C)),
        ("MAX(a, b, c)", call("max", call("max", A, B), C)),
        ("MIN(a)", A),
        ("curve(TIME)", call("curve", ref("time"))),
        ("LOOKUP(curve, a)", call("curve", A)),
        ("DELAY(a, 2)", DelayFixedStructure(A, 2, A)),
        ("DELAY(a, 2, 0)", DelayFixedStructure(A, 2, 0)),
        ("DELAY1(a, 2)", DelayStructure(A, 2, A, 1)),
        ("DELAY3(a, 2, 0)", DelayStructure(A, 2, 0, 3)),
        ("DELAYN(a, 2, 4)", DelayNStructure(A, 2, A, 4)),
        ("SMTH1(a, 2)", SmoothStructure(A, 2, A, 1)),
        ("SMTH3(a, 2, 0)", SmoothStructure(A, 2, 0, 3)),
        ("SMTHN(a, 2, 4, 0)", SmoothNStructure(A, 2, 0, 4)),
        ("TREND(a, 2)", TrendStructure(A, 2, 0)),
        ("FORCST(a, 2, 3)", ForecastStructure(A, 2, 3, 0)),
        ("STEP(5, 2)", call("step", 5, 2)),
        ("RAMP(5, 2)", call("Xramp", 5, 2)),
        ("RAMP(5, 2, 4)", call("ramp", 5, 2, 4)),
        ("PULSE(5, 2)", call("Xpulse", 2, 5)),
        ("PULSE(5, 2, 0)", call("Xpulse", 2, 5)),
        ("PULSE(5, 2, 3)", call("Xpulse_train", 2, 3, 5)),
        ("LOG10(a)", call("log", A, 10)),
        ("INT(a)", call("floor", A)),
        ("RANDOM(0, 1, 42)", call("random_uniform", 0, 1, 42)),
        ("NORMAL(5, 2)", call("random_normal", -math.inf, math.inf, 5, 2, 0)),
        ("EXPRND(3)", call("random_exponential", 0, math.inf, 0, 3, 0)),
        # a function that has no structure keeps its name; lowering knows whether it runs
        ("SQRT(a)", call("sqrt", A)),
        ("ENDVAL(a)", call("endval", A)),
    ],
)
def test_expressions(tmp_path: Path, equation: str, expected: Any) -> None:
    assert ast(tmp_path, equation) == expected


def test_a_list_of_numbers(tmp_path: Path) -> None:
    assert np.array_equal(ast(tmp_path, "1, 2", BY_REGION), [1, 2])


@pytest.mark.parametrize(
    ("equation", "expected"),
    [
        ("a +", "found the end, expected a name, a number or '('"),
        ("a b", "found 'b', expected an operator"),
        ("IF a THEN b", "found the end, expected ELSE"),
        ("two_word + 1", "uses 'two_word', which the file does not define; did you mean 'two wo"),
        ("DELAY(a)", "found 1 arguments of DELAY, expected 2 or 3"),
        ("LOOKUP(a, 1)", "found 'a' in LOOKUP, expected a graphical function"),
        ("curve(1, 2)", "found 2 arguments of 'curve', expected 1"),
        ("x[East]", "found the subscript 'East', expected an element of Region, a dimension or"),
        ("x[South, 1]", "found 2 subscripts of 'x', expected 1"),
        ("a[South]", "found 1 subscripts of 'a', expected 0"),
        ("Region + 1", "uses the dimension 'Region' as a number, which the variable does not have"),
        ("SUM(a)", "found SUM of something that is no array"),
        ("", "has no equation"),
        ("???", "has no equation"),
        ("{nothing yet}", "has no equation"),
        ("x[a+nowhere]", "found the subscript 'a+nowhere', expected an element of Region"),
        ("x[a+]", "found the subscript 'a+', expected an element of Region"),
    ],
)
def test_errors_name_file_line_and_variable(tmp_path: Path, equation: str, expected: str) -> None:
    path = write(tmp_path, OTHERS + "\n\n" + aux("y", equation))
    assert refused(path).startswith(f"{path}, line 4, 'y': {expected}")


# Arrays ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equation", "inside", "expected"),
    [
        ("x[South]", "", ref("x", "South")),
        ("x[north_side]", "", ref("x", "North Side")),
        ("x[2]", "", ref("x", "South")),
        ("x[Region.South]", "", ref("x", "South")),
        ("t[Region, 3]", BY_REGION, ref("t", "Region", "3")),
        # an array without subscripts takes those of the equation
        ("x", BY_REGION, ref("x", "Region")),
        ("t", BY_BOTH, ref("t", "Region", "Age")),
        ("SUM(x[*])", "", call("sum", ref("x", "Region!"))),
        ("SUM(x)", "", call("sum", ref("x", "Region!"))),
        ("SUM(t[Region, *])", BY_REGION, call("sum", ref("t", "Region", "Age!"))),
        ("SUM(t[Region!, Age!])", "", call("sum", ref("t", "Region!", "Age!"))),
        ("PROD(x[*])", "", call("prod", ref("x", "Region!"))),
        ("MAX(x[*])", "", call("vmax", ref("x", "Region!"))),
        ("MIN(t[South, *])", "", call("vmin", ref("t", "South", "Age!"))),
        ("MAX(x, 0)", BY_REGION, call("max", ref("x", "Region"), 0)),
        ("MEAN(t[*, *])", "", op("/", call("sum", ref("t", "Region!", "Age!")), 6)),
        ("SIZE(t[1, *])", "", 3),
        ("SIZE(Region)", "", 2),
    ],
)
def test_subscripts(tmp_path: Path, equation: str, inside: str, expected: Any) -> None:
    assert ast(tmp_path, equation, inside) == expected


def test_an_array_takes_a_part_of_its_dimension_from_the_equation(tmp_path: Path) -> None:
    coast = '<dim name="Coast"><elem name="South"/></dim></dimensions>'
    on_coast = BY_REGION.replace("Region", "Coast")
    before = SPECS + DIMENSIONS.replace("</dimensions>", coast)
    found = elements(write(tmp_path, OTHERS + aux("y", "x", on_coast), before))
    assert found["y"].components[0].ast == ref("x", "Coast")


def test_standard_deviation_is_that_of_the_population(tmp_path: Path) -> None:
    mean = op("/", call("sum", ref("x", "Region!")), 2)
    square = op("^", op("-", ref("x", "Region!"), mean), 2)
    assert ast(tmp_path, "STDDEV(x[*])") == call("sqrt", op("/", call("sum", square), 2))


def by_element(equations: dict[str, str]) -> str:
    return "".join(
        f'<element subscript="{at}"><eqn>{text}</eqn></element>' for at, text in equations.items()
    )


@pytest.mark.parametrize("common", ["", "<eqn/>", "<eqn> ??? </eqn>"])
def test_each_element_has_its_own_equation(tmp_path: Path, common: str) -> None:
    own = by_element({"North_Side": "a", "South": "x"})
    found = elements(write(tmp_path, OTHERS + f'<aux name="y">{BY_REGION}{own}{common}</aux>'))
    assert [(c.subscripts, c.ast) for c in found["y"].components] == [
        ((["North Side"], []), A),
        ((["South"], []), ref("x", "South")),  # an array without subscripts: that of the element
    ]


def test_elements_of_two_dimensions(tmp_path: Path) -> None:
    own = by_element({f"{r}, {a}": f"{a}" for r in ("North Side", "South") for a in (1, 2, 3)})
    found = elements(write(tmp_path, f'<aux name="y">{BY_BOTH}{own}</aux>'))["y"].components
    assert [(c.subscripts[0], c.ast) for c in found][:3] == [
        (["North Side", "1"], 1), (["North Side", "2"], 2), (["North Side", "3"], 3),
    ]  # fmt: skip


def test_the_common_equation_holds_for_the_other_elements(tmp_path: Path) -> None:
    own = by_element({"South": "7"})
    found = elements(write(tmp_path, f'<aux name="y">{BY_REGION}{own}<eqn>1</eqn></aux>'))
    assert [(c.subscripts, c.ast) for c in found["y"].components] == [
        ((["Region"], [["South"]]), 1),
        ((["South"], []), 7),
    ]


def test_an_element_without_an_equation_is_named(tmp_path: Path) -> None:
    own = by_element({"South": "7", "North_Side": ""})
    found = refused(write(tmp_path, f'<aux name="y">{BY_REGION}{own}<eqn>???</eqn></aux>'))
    assert found.endswith("'y': has no equation for the element North Side")


def test_elements_may_be_left_out(tmp_path: Path) -> None:
    # a Vensim variable may exist for some elements of a range only
    own = by_element({"South": "7"})
    found = elements(write(tmp_path, f'<aux name="y">{BY_REGION}{own}<eqn>???</eqn></aux>'))
    assert [c.subscripts for c in found["y"].components] == [(["South"], [])]


def test_graphical_functions_by_element(tmp_path: Path) -> None:
    own = "".join(
        f'<element subscript="{at}"><gf><xscale min="0" max="1"/><ypts>{y}</ypts></gf></element>'
        for at, y in (("North_Side", "0,1"), ("South", "1,0"))
    )
    path = write(
        tmp_path, f'<aux name="g">{BY_REGION}{own}</aux>' + aux("y", "g[South](TIME)", BY_REGION)
    )
    found = elements(path)
    assert [(c.type, c.subscripts[0], c.ast.y) for c in found["g"].components] == [
        ("Lookup", ["North Side"], (0, 1)),
        ("Lookup", ["South"], (1, 0)),
    ]
    assert found["y"].components[0].ast == CallStructure(ref("g", "South"), (ref("time"),))


def test_dimensions_by_name_and_by_size(tmp_path: Path) -> None:
    assert read_model(write(tmp_path, OTHERS)).subscripts == {
        "Region": ("North Side", "South"),
        "Age": ("1", "2", "3"),
    }


# Graphical functions ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "kind"),
    [
        ("", "interpolate"),
        (' type="continuous"', "interpolate"),
        (' type="extrapolate"', "extrapolate"),
        (' type="discrete"', "hold_backward"),
    ],
)
def test_kinds_of_graphical_functions(tmp_path: Path, attribute: str, kind: str) -> None:
    path = write(tmp_path, aux("g", "TIME", GRAPH.format(attribute)))
    found = elements(path)["g"].components[0].ast
    assert isinstance(found, InlineLookupsStructure)
    assert (found.lookups.x, found.lookups.y) == ((0, 1, 2), (1, 2, 4))
    assert found.lookups.type == kind


def test_a_number_beside_a_function_that_is_called_is_a_placeholder(tmp_path: Path) -> None:
    graph = aux("g", "0", GRAPH.format(""))
    called = elements(write(tmp_path, graph + aux("y", "LOOKUP(g, TIME)")))
    assert called["g"].components[0].type == "Lookup"
    alone = elements(write(tmp_path, graph + aux("y", "g")))
    assert isinstance(alone["g"].components[0].ast, InlineLookupsStructure)


def test_a_variable_may_be_a_value_and_a_function(tmp_path: Path) -> None:
    path = write(tmp_path, aux("g", "TIME", GRAPH.format("")) + aux("y", "g + g(1)"))
    found = elements(path)
    assert found["g"].components[0].ast.argument == ref("time")
    assert found["g lookup"].components[0].type == "Lookup"
    assert found["y"].components[0].ast == op("+", ref("g"), call("g_lookup", 1))


def test_a_graphical_function_of_its_own_and_its_points(tmp_path: Path) -> None:
    path = write(tmp_path, '<gf name="g"><xpts sep=";">3;1</xpts><ypts>30,10</ypts></gf>')
    found = elements(path)["g"].components[0]
    assert (found.type, found.ast.x, found.ast.y) == ("Lookup", (1, 3), (10, 30))
    unequal = write(tmp_path, '<gf name="g"><xpts>1,2,3</xpts><ypts>30,10</ypts></gf>')
    assert "has 3 x and 2 y points" in refused(unequal)


# Stocks and flows ------------------------------------------------------------------------------

FLOWS = '<flow name="in flow"><eqn>1</eqn></flow><flow name="out"><eqn>2</eqn></flow>'


@pytest.mark.parametrize(
    ("inside", "net"),
    [
        ("<inflow>in_flow</inflow>", ref("in_flow")),
        ('<inflow>"in flow"</inflow>', ref("in_flow")),
        ("<inflow>In Flow</inflow><outflow>out</outflow>", op("-", ref("in_flow"), ref("out"))),
        ("<outflow>out</outflow>", op("negative", ref("out"))),
        ("", 0),
    ],
)
def test_stocks(tmp_path: Path, inside: str, net: Any) -> None:
    stock = f'<stock name="S"><eqn>5</eqn>{inside}</stock>'
    found = elements(write(tmp_path, FLOWS + stock))["S"].components[0].ast
    assert found == IntegStructure(net, 5, False)
    assert read_model(write(tmp_path, FLOWS + stock)).variables["S"].kind == "stock"


def test_a_stock_by_element_has_the_flow_of_that_element(tmp_path: Path) -> None:
    own = by_element({"North_Side": "1", "South": "2"})
    path = write(
        tmp_path,
        f'<stock name="S">{BY_REGION}{own}<inflow>f</inflow></stock>'
        f'<flow name="f">{BY_REGION}<eqn>S</eqn></flow>',
    )
    assert [c.ast for c in elements(path)["S"].components] == [
        IntegStructure(ref("f", "North Side"), 1, False),
        IntegStructure(ref("f", "South"), 2, False),
    ]


def test_what_never_falls_below_zero(tmp_path: Path) -> None:
    variables = (
        '<stock name="S"><eqn>5</eqn><non_negative/></stock>'
        '<flow name="f"><eqn>1</eqn><non_negative/></flow>'
        '<flow name="g"><eqn>1</eqn><non_negative>false</non_negative></flow>'
        '<flow name="h"><eqn>1</eqn></flow>'
    )
    found = elements(write(tmp_path, variables))
    assert found["S"].components[0].ast.non_negative is True
    assert found["f"].components[0].ast == call("max", 1, 0)
    assert (found["g"].components[0].ast, found["h"].components[0].ast) == (1, 1)
    behavior = "<behavior><flow><non_negative/></flow></behavior>"
    found = elements(write(tmp_path, variables, SPECS + behavior))
    assert (found["g"].components[0].ast, found["h"].components[0].ast) == (1, call("max", 1, 0))


@pytest.mark.parametrize("kind", ["conveyor", "queue", "oven"])
def test_what_stella_alone_has_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, f'<stock name="S"><eqn>5</eqn><{kind}><len>3</len></{kind}></stock>')
    assert refused(path).endswith(f"'S': is a stock with a {kind}, which is not supported")


def test_an_initial_value_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, '<aux name="y"><eqn>TIME</eqn><init_eqn>3</init_eqn></aux>')
    assert elements(path)["y"].components[0].ast == call("active_initial", ref("time"), 3)


# Macros and modules ----------------------------------------------------------------------------


def test_macros_are_sections(tmp_path: Path) -> None:
    macros = (
        '<macro name="Scaled"><parm>input</parm><parm default="2">by</parm><eqn>input * k</eqn>'
        '<variables><aux name="k"><eqn>by + 1</eqn></aux></variables></macro>'
        '<macro name="OWN"><parm>p</parm><eqn>OWN</eqn>'
        '<variables><aux name="own"><eqn>p</eqn></aux></variables></macro>'
    )
    path = write(tmp_path, aux("y", "SCALED(3) + own(1)"), SPECS + macros)
    main, scaled, own = abstract_model(path).sections
    assert main.elements[0].components[0].ast == op("+", call("scaled", 3, 2.0), call("own", 1))
    assert (scaled.name, scaled.type, scaled.params) == ("scaled", "macro", ["input", "by"])
    assert [(e.name, e.components[0].ast) for e in scaled.elements] == [
        ("k", op("+", ref("by"), 1)),
        ("Scaled", op("*", ref("input"), ref("k"))),
    ]
    assert [(e.name, e.components[0].ast) for e in own.elements] == [("own", ref("p"))]
    assert "expected (input, by)" in refused(write(tmp_path, aux("y", "SCALED()"), SPECS + macros))


def test_modules_lie_flat_under_qualified_names(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        aux("area", "10")
        + '<module name="hares"><connect to="land" from=".area"/></module>'
        + '<module name="lynxes"><connect to="lynxes.prey" from="hares.hares"/></module>',
        SPECS,
        '<model name="hares"><variables><stock name="hares"><eqn>100</eqn><outflow>deaths</outflow>'
        '</stock><flow name="deaths"><eqn>lynxes.number / land</eqn></flow>'
        '<aux name="land" access="input"><eqn>{not hooked up}</eqn></aux></variables></model>'
        '<model name="lynxes"><variables><aux name="number"><eqn>prey / .area</eqn></aux>'
        '<stock name="prey" access="input"><eqn/></stock></variables></model>',
    )
    found = {name: e.components[0].ast for name, e in elements(path).items()}
    assert found["hares.hares"].flow == op("negative", ref("hares.deaths"))
    assert found["hares.deaths"] == op("/", ref("lynxes.number"), ref("hares.land"))
    assert found["hares.land"] == ref("area")
    assert found["lynxes.number"] == op("/", ref("lynxes.prey"), ref("area"))
    assert found["lynxes.prey"] == ref("hares.hares")


def test_an_input_of_a_module_that_is_not_connected(tmp_path: Path) -> None:
    path = write(
        tmp_path, '<module name="m"/>', SPECS,
        '<model name="m"><variables><aux name="i" access="input"><eqn/></aux></variables></model>',
    )  # fmt: skip
    assert refused(path).endswith("'m.i': has no equation")
    assert "whose <model> is missing" in refused(write(tmp_path, '<module name="none"/>'))


# Files -----------------------------------------------------------------------------------------


def test_an_older_file_without_namespace_variables_or_groups(tmp_path: Path) -> None:
    path = tmp_path / "old.stmx"
    path.write_text(
        "<xmile><sim_specs><start>0</start><stop>1</stop><dt>1</dt></sim_specs><model>"
        '<stock name="S"><eqn>1</eqn><inflow>f</inflow><display x="1"/></stock>'
        '<group name="g"><flow name="f"><eqn>2</eqn></flow></group>'
        '<view><stock name="S" x="1"/></view></model></xmile>'
    )
    assert list(read_model(path).variables)[:2] == ["S", "f"]


def test_a_prefix_that_is_not_declared_is_let_pass(tmp_path: Path) -> None:
    # the public converter from Vensim writes isee: without declaring it
    specs = SPECS.replace("<sim_specs", '<isee:prefs/><sim_specs isee:save_interval="2"')
    found = elements(write(tmp_path, aux("y", "1"), specs))
    assert found["SAVEPER"].components[0].ast == 2


def test_a_namespace_by_a_bare_word_is_let_pass(tmp_path: Path) -> None:
    # go-xmile writes xmlns="isee"
    specs = SPECS + '<equation_prefs xmlns="isee" order_by="module"/>'
    assert "y" in elements(write(tmp_path, aux("y", "1"), specs))


def test_a_file_in_another_encoding_than_it_says(tmp_path: Path) -> None:
    path = write(tmp_path, aux("Børn", "1"))
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1252"))
    assert "Børn" in read_model(path).variables
    path = write(tmp_path, aux("Børn", "1"))
    path.write_text(path.read_text(encoding="utf-8").replace('"utf-8"', '"utf-16"'), "utf-8")
    assert "Børn" in read_model(path).variables


@pytest.mark.parametrize(
    ("specs", "step", "save"),
    [
        ('<dt reciprocal="true">4</dt>', 0.25, ref("time_step")),
        ("<dt>0.5</dt><save_step>1</save_step>", 0.5, 1),
        ("", 1, ref("time_step")),
    ],
)
def test_the_clock(tmp_path: Path, specs: str, step: float, save: Any) -> None:
    head = f'<sim_specs time_units="Year"><start>1.5</start><stop>2+3</stop>{specs}</sim_specs>'
    found = {name: e.components[0].ast for name, e in elements(write(tmp_path, "", head)).items()}
    assert found == {
        "INITIAL TIME": 1.5, "FINAL TIME": op("+", 2, 3), "TIME STEP": step, "SAVEPER": save,
    }  # fmt: skip


def test_control_variables_of_a_converted_file_are_not_variables(tmp_path: Path) -> None:
    path = write(tmp_path, aux("TIME STEP", "9") + aux("SAVEPER", "2*TIME_STEP") + aux("Time", "0"))
    found = elements(path)
    assert found["TIME STEP"].components[0].ast == 1
    assert found["SAVEPER"].components[0].ast == op("*", 2, ref("time_step"))
    assert "Time" not in found


@pytest.mark.parametrize(
    ("method", "expected"),
    [("Euler", "euler"), ("RK4", "rk4"), ("rk45, rk4", "rk4"), ("", "euler")],
)
def test_the_integration_method(tmp_path: Path, method: str, expected: str) -> None:
    specs = SPECS.replace("<sim_specs", f'<sim_specs method="{method}"')
    assert integration_method(write(tmp_path, "", specs)) == expected


@pytest.mark.filterwarnings("ignore:.*asks for the method 'rk45'")
def test_a_method_that_is_not_supported_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "", SPECS.replace("<sim_specs", '<sim_specs method="gear"'))
    with pytest.raises(InputFileError, match="'gear', expected euler or rk4"):
        integration_method(path)
    path = write(tmp_path, "", SPECS.replace("<sim_specs", '<sim_specs method="gear, rk45"'))
    assert integration_method(path) == "rk4"


def test_units_limits_documentation_names_and_lines(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '\n<aux name="Net\\nvalue"><doc>Why\n so.</doc><eqn>1</eqn><units>DKK</units>'
        '<range min="0" max="10"/></aux>',
    )
    found = elements(path)["Net value"]
    assert (found.units, found.limits, found.documentation) == ("DKK", (0, 10), "Why so.")
    assert source_lines(path) == {"Net value": 3}


def test_two_variables_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "'Two_words': is defined twice" in refused(
        write(tmp_path, aux("two words", "1") + aux("Two_words", "2"))
    )


def test_a_causal_loop_diagram_has_no_equations_yet(tmp_path: Path) -> None:
    path = write(tmp_path, aux("a", "NAN(b)") + aux("b", "NAN(a)"))
    assert elements(path)["a"].components[0].ast == call("a_function_of", ref("b"))


def test_a_file_of_ithink_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, aux("a", "1")).rename(tmp_path / "model.itmx")
    assert next(iter(elements(path))) == "a"
