"""Vensim files: what the reader makes of each construct, and that PySD's parser agrees."""

from __future__ import annotations

import math
import warnings
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pysd.translators.structures.abstract_expressions import (
    ArithmeticStructure,
    CallStructure,
    DataStructure,
    InlineLookupsStructure,
    LogicStructure,
    ReferenceStructure,
    SubscriptsReferenceStructure,
)

from kredslob.errors import InputFileError
from kredslob.reading import (
    abstract_model,
    integration_method,
    read_model,
    source_lines,
)

CLOCK = "\nINITIAL TIME = 0 ~~|\nFINAL TIME = 1 ~~|\nTIME STEP = 1 ~~|\nSAVEPER = TIME STEP ~~|\n"
MODELS = sorted(Path(__file__).parent.glob("models/**/*.mdl"))
# Where PySD 3.14.3 reads a file otherwise, and why ours is right.
DEPARTURES = {
    "precedence_of_logic": "PySD joins :AND: and :OR: from the right, Vensim as C does",
    "mapping_element_by_element": "PySD takes the mapped elements for elements of the range",
    "mapping_to_subrange": "the same",
    "comments": "PySD's grammar has no comments within equations",
    "macro_results": "PySD's grammar has no call for several results",
    "names_beyond_letters": "PySD reads no signs beyond letters in a name",
    "external_alias": "PySD keeps the alias of a data file",
}


def write(folder: Path, text: str, encoding: str = "utf-8", head: str = "{UTF-8}\n") -> Path:
    path = folder / "model.mdl"
    path.write_bytes((head + text + CLOCK).encode(encoding))
    return path


def component(folder: Path, text: str) -> Any:
    return abstract_model(write(folder, text)).sections[0].elements[0].components[0]


def ast(folder: Path, right: str) -> Any:
    return component(folder, f"y = {right} ~~|\n").ast


def ref(name: str, *subscripts: str) -> ReferenceStructure:
    at = SubscriptsReferenceStructure(list(subscripts)) if subscripts else None
    return ReferenceStructure(name, at)


def call(name: str, *arguments: Any) -> CallStructure:
    return CallStructure(ReferenceStructure(name), arguments)


NEGATIVE_A = ArithmeticStructure(["negative"], (ref("a"),))


def plain(node: Any) -> Any:
    """Nested tuples of an abstract model, without paths and the limits of drawings."""
    if is_dataclass(node) and not isinstance(node, type):
        left_out = ("path", "original_path", "x_limits", "y_limits", "element_mapping")
        kept = [f.name for f in fields(node) if f.name not in left_out]
        name = type(node).__name__.removeprefix("Abstract")
        return (name, *(plain(getattr(node, field)) for field in kept))
    if isinstance(node, np.ndarray):
        return ("array", node.shape, tuple(node.ravel().tolist()))
    if isinstance(node, (list, tuple)):
        return tuple(plain(part) for part in node)
    if isinstance(node, dict):
        return tuple(sorted(node.items()))
    if isinstance(node, (int, float, np.number)) and not isinstance(node, bool):
        return "nan" if math.isnan(node) else float(node)
    return node


@pytest.mark.parametrize("path", MODELS, ids=[p.stem for p in MODELS])
def test_pysd_reads_the_same(path: Path) -> None:
    from pysd.translators.vensim.vensim_element import SubscriptRange
    from pysd.translators.vensim.vensim_file import VensimFile

    # PySD's builder adds to the default of `mapping`, which all ranges without one share.
    SubscriptRange.__init__.__defaults__[0].clear()
    if path.stem in DEPARTURES:
        pytest.skip(DEPARTURES[path.stem])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = VensimFile(path)
        file.parse()
    assert plain(abstract_model(path)) == plain(file.get_abstract_model())


# Expressions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        ("-5", -5),
        ("a - b + 2", ArithmeticStructure(["-", "+"], (ref("a"), ref("b"), 2))),
        ("-a ^ 2", ArithmeticStructure(["negative"], (ArithmeticStructure(["^"], (ref("a"), 2)),))),
        # from right to left, as in PySD's generated Python
        ("2^3^2", ArithmeticStructure(["^"], (2, ArithmeticStructure(["^"], (3, 2))))),
        ("-2^2", ArithmeticStructure(["negative"], (ArithmeticStructure(["^"], (2, 2)),))),
        ("-a * b", ArithmeticStructure(["*"], (NEGATIVE_A, ref("b")))),
        ("b * -a", ArithmeticStructure(["*"], (ref("b"), NEGATIVE_A))),
        ("Two  Words\n\t+ 1", ArithmeticStructure(["+"], (ref("two_words"), 1))),
        ("cash {a remark} \\\n\t\t+ 1", ArithmeticStructure(["+"], (ref("cash"), 1))),
        ('"a+b (x)"', ref('"a+b_(x)"')),
        ("Ærø's øl", ref("ærø's_øl")),
        (":not: a = 1", LogicStructure([":NOT:"], (LogicStructure(["="], (ref("a"), 1)),))),
        ("SUM(x[Dim!, 1990])", call("sum", ref("x", "Dim!", "1990"))),
        ("tab[North](Time)", CallStructure(ref("tab", "North"), (ref("time"),))),
        ("A FUNCTION OF(a, b)", call("a_function_of", ref("a"), ref("b"))),
        ("Get Time Value(1, 2, 0)", call("get_time_value", 1, 2, 0)),
        ("SIMULTANEOUS(a, 1)", call("simultaneous", ref("a"), 1)),
    ],
)  # fmt: skip
def test_expressions(tmp_path: Path, right: str, expected: Any) -> None:
    assert ast(tmp_path, right) == expected


def test_and_binds_tighter_than_or(tmp_path: Path) -> None:
    # https://vensim.com/documentation/22030.html: precedence as in Java and C
    found = ast(tmp_path, "a :OR: b :AND: c")
    assert found == LogicStructure(
        [":OR:"], (ref("a"), LogicStructure([":AND:"], (ref("b"), ref("c"))))
    )


def test_missing_value_and_lists(tmp_path: Path) -> None:
    assert math.isnan(ast(tmp_path, ":NA:"))
    assert ast(tmp_path, "1, 2; 3, -4;").tolist() == [[1, 2], [3, -4]]
    # PySD keeps a tabbed array in one row, whatever its lines; so do we
    assert ast(tmp_path, "TABBED ARRAY(1\t2\n\t3\t-4e1)").tolist() == [1, 2, 3, -40]


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        ("", "has no equation after its '='"),
        ("a +", "found the end, expected a name, a number or '('"),
        ("a b c d(", "found the end, expected a name, a number or '('"),
        ("5 apples", "found 'apples', expected an operator"),
        ("(a", "found the end, expected ')'"),
        ("a < b < c", "compares a comparison; add parentheses"),
        ("INTEG(a)", "found 1 arguments of INTEG, expected 2"),
        ("a # b", "found '#', expected a name, number or operator"),
        ("NONE(a : b)", "calls a macro for several results that the file does not define"),
        ("ABS(NONE(a : b))", "calls a macro for several results, expected nothing beside the call"),
        (
            "TWO(NONE(a : b) : c, d)",
            "calls a macro for several results, expected nothing beside the call",
        ),
        ("1 + NONE(a : b)", "calls a macro for several results, expected nothing beside the call"),
        ("NONE(a : 1)", "found '1', expected the name of a result"),
        ("TWO(a : b)", "names 1 further results of the macro two, expected 2"),
        ("TWO(a : b, x)", "has 'x' for a result, which is defined already"),
        ("TWO(a : b, b)", "has 'b' for a result, which is defined already"),
    ],
)
def test_errors_say_what_was_found(tmp_path: Path, right: str, expected: str) -> None:
    two = ":MACRO: TWO(i : j, k) TWO = i ~~| j = i ~~| k = i ~~| :END OF MACRO: "
    path = write(tmp_path, f"{two}x = 1 ~~|\ny =\n {right} ~~|\n")
    with pytest.raises(InputFileError) as caught:
        abstract_model(path)
    assert str(caught.value).endswith(f", 'y': {expected}")
    assert caught.value.line in (3, 4)


def test_random_numbers_in_a_macro_with_several_results_are_refused(tmp_path: Path) -> None:
    macro = ":MACRO: M(i : j)\nM = j ~~|\nj = i * RANDOM 0 1() ~~|\n:END OF MACRO:\n"
    with pytest.raises(InputFileError, match=r"'y': .*, where macros draw random numbers"):
        abstract_model(write(tmp_path, macro + "y = M(2 : z) ~~|\n"))


# Lookups ---------------------------------------------------------------------------------------


def test_lookups_are_sorted_by_x(tmp_path: Path) -> None:
    found = component(tmp_path, "tab([(0,0)-(10,1)],(10,1),(0,0.5)) ~~|\n")
    assert found.type == "Lookup"
    assert (found.ast.x, found.ast.y) == ((0, 10), (0.5, 1))
    assert (found.ast.x_limits, found.ast.y_limits) == ((0, 10), (0, 1))


@pytest.mark.parametrize(
    "points", ["[(0,0)-(9,9),(1,1),(2,2)],(0,5),(1,6)", "(0,5)\n,\n(1,6),", "0,1,5,6"]
)
def test_ways_to_write_points(tmp_path: Path, points: str) -> None:
    found = component(tmp_path, f"tab({points}) ~~|\n").ast
    assert (found.x, found.y) == ((0, 1), (5, 6))


def test_with_lookup_takes_an_expression(tmp_path: Path) -> None:
    found = ast(tmp_path, "2 * WITH LOOKUP(a + 1, ([(0,0)-(1,1)],(0,0),(1,1)))")
    inline = found.arguments[1]
    assert isinstance(inline, InlineLookupsStructure)
    assert inline.argument == ArithmeticStructure(["+"], (ref("a"), 1))


# Left sides ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("d ~~|", None),
        ("d :INTERPOLATE: ~~|", "interpolate"),
        ("d :HOLD BACKWARD::= GET XLS DATA('a.xlsx','S','A','B2') ~~|", "hold_backward"),
        ("d[Dim] :raw: := x ~~|", "raw"),
        ("d := x ~~|", None),
    ],
)
def test_data_variables(tmp_path: Path, text: str, keyword: str | None) -> None:
    found = component(tmp_path, text)
    assert (found.type, found.keyword) == ("Data", keyword)
    assert isinstance(found.ast, DataStructure) == (":=" not in text)


def test_subscripts_with_except(tmp_path: Path) -> None:
    found = component(tmp_path, "x[Dim, A1] :EXCEPT: [B1, A1], [B2,A1] = 1 ~~|")
    assert found.subscripts == (["Dim", "A1"], [["B1", "A1"], ["B2", "A1"]])


def test_ranges_and_the_whole_of_their_mappings(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "Dim: North Side, (B1-B3) -> Same, (Other: x, y, Rest) ~~|\nCopy <-> Dim ~~|\n"
        "Given: GET DIRECT SUBSCRIPT('f.csv', ',', 'A1', 'A', 'p') ~~|\n",
    )
    dim, copy, given = abstract_model(path).sections[0].subscripts
    assert dim.subscripts == ["North Side", "B1", "B2", "B3"]
    assert dim.mapping == ["Same", "Other"]
    assert dim.element_mapping == [("Same", None), ("Other", ("x", "y", "Rest"))]
    assert copy.subscripts == "Dim"
    assert given.subscripts == {
        "file": "f.csv", "tab": ",", "firstcell": "A1", "lastcell": "A", "prefix": "p",
    }  # fmt: skip


def test_units_limits_groups_and_supplementary(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "****\n\t.Group~\n\t\tA heading with = and |\n"
        'x == 3\n\t~\tDKK/year [0,?,0.5]\n\t~\tWhy "\n\t\tso.\n\t~\t:SUPPLEMENTARY:\n\t|\n',
    )
    x = abstract_model(path).sections[0].elements[0]
    assert (x.units, x.limits, x.documentation) == ("DKK/year", (0, None, 0.5), 'Why " so.')
    assert x.components[0].subtype == "Unchangeable"
    assert source_lines(path)["x"] == 5


def test_reality_checks_are_kept_apart(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "check :THE CONDITION: x = 0 :IMPLIES: y = 0 ~~|\ntry :TEST INPUT: x = 5 ~~|\nx = 1 ~~|\n",
    )
    main = abstract_model(path).sections[0]
    assert [e.name for e in main.elements][:1] == ["x"]
    assert main.constraints[0].expression == "x = 0 :IMPLIES: y = 0"
    assert main.test_inputs[0].name == "try"


def test_a_variable_defined_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="line 3, 'X': is defined twice"):
        abstract_model(write(tmp_path, "x = 1 ~~|\nX = 2 ~~|\n"))


# Files -----------------------------------------------------------------------------------------


def test_macros_in_the_middle_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "model.mdl"
    path.write_text(
        "a = TWICE OF(2) ~~|\n:MACRO: TWICE OF(x)\nTWICE OF = x * 2 ~~|\n:END OF MACRO:\nb = 1 ~~|"
        + CLOCK
        + ":MACRO: PAIR(x, y : other)\nPAIR = x ~~|\nother = y ~~|\n:END OF MACRO:\n"
    )
    main, twice, pair = abstract_model(path).sections
    assert [e.name for e in main.elements][:2] == ["a", "b"]
    assert main.elements[0].components[0].ast == call("twice_of", 2)
    assert (twice.name, twice.params, twice.returns) == ("twice_of", ["x"], [])
    assert (pair.params, pair.returns) == (["x", "y"], ["other"])


SKETCH = (
    "\\\\\\---/// Sketch information - do not modify anything except names\nV300\n*View | 1 = ~\n"
    "///---\\\\\\\n:L<%^E!@\n9:Current\n15:0,0,0,{code},0,0\n"
)


@pytest.mark.parametrize(("code", "method"), [(0, "euler"), (1, "rk4"), (2, "euler"), (5, "rk4")])
def test_the_integration_method_is_the_fourth_number(
    tmp_path: Path, code: int, method: str
) -> None:
    path = tmp_path / "model.mdl"
    path.write_text("x = 1 ~~|\n" + CLOCK + SKETCH.format(code=code))
    assert integration_method(path) == method
    assert len(abstract_model(path).sections[0].elements) == 5


@pytest.mark.parametrize("code", [3, 4])
def test_rk2_is_read_as_rk4_with_a_warning(tmp_path: Path, code: int) -> None:
    path = tmp_path / "model.mdl"
    path.write_text("x = 1 ~~|\n" + CLOCK + SKETCH.format(code=code))
    with pytest.warns(UserWarning, match="'rk2'; RK4 with the file's step is used"):
        assert integration_method(path) == "rk4"


@pytest.mark.parametrize(
    ("encoding", "head"),
    [
        ("utf-8", "{UTF-8}\n"),
        ("utf-8", ""),
        ("utf-8-sig", "{UTF-8}\n"),
        ("cp1252", "{UTF-8}\n"),  # an editor saved it otherwise
        ("cp1252", ""),
        ("latin-1", "{latin-1}\n"),
        ("utf-16", "{UTF-16}\n"),
        ("utf-16-le", ""),
        ("utf-8", "{no-such-encoding}\n"),
    ],
)
def test_names_keep_their_letters(tmp_path: Path, encoding: str, head: str) -> None:
    path = write(tmp_path, "Børn på Ærø = 1 ~ år ~ Født |\n", encoding, head)
    variable = read_model(path).variables["Børn på Ærø"]
    assert (variable.unit, variable.documentation) == ("år", "Født")


def test_other_alphabets_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "model.mdl"
    path.write_bytes(
        "{GB2312}\r\n人口 = 1\r\n\t~\t人\r\n\t~\t|\r\n\r\ny = 人口 \\\r\n\t\t* 2 ~~|".encode(
            "gb2312"
        )
    )
    x, y = abstract_model(path).sections[0].elements
    assert (x.name, x.units) == ("人口", "人")
    assert y.components[0].ast == ArithmeticStructure(["*"], (ref("人口"), 2))
    assert source_lines(path) == {"人口": 2, "y": 6}


def test_the_whole_model_is_read_fast() -> None:
    import time

    path = Path(__file__).parents[1] / "models" / "reinvestment" / "reinvestment.mdl"
    abstract_model(path)
    start = time.perf_counter()
    abstract_model(path)
    # 0.02 s when this was written; PySD's parser took 0.5 s
    assert time.perf_counter() - start < 0.3


@pytest.mark.parametrize(("encoding", "head"), [("gb18030", ""), ("gb2312", "{UTF-8}\n")])
def test_an_older_file_from_china_keeps_its_names(tmp_path: Path, encoding: str, head: str) -> None:
    path = write(tmp_path, "人口 = INTEG(出生率, 100) ~~|\n出生率 = 2 ~~|\n", encoding, head)
    assert list(read_model(path).variables)[:2] == ["人口", "出生率"]


def test_a_text_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"line 2, 'title': is a text \(:IS:\), which is not"):
        abstract_model(write(tmp_path, "title :IS: 'a run' ~~|\n"))
