"""A model file is data: nothing in it runs, leads out of its folder, or brings the reader down.

The routes are those found in PySD 3.14.3: two `eval`s on lookup limits while parsing, text of the
file pasted into generated Python, data files outside the folder, and XML entities.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kredslob
from kredslob.errors import InputFileError
from kredslob.limits import Limits
from kredslob.reading import (
    abstract_model,
    builder_model,
    check_external_path,
    read_model,
)

CLOCK = """
INITIAL TIME = 0 ~~|
FINAL TIME = 1 ~~|
TIME STEP = 1 ~~|
SAVEPER = TIME STEP ~~|
"""
# What hostile text would do if it ran: leave a file.
EXPRESSION = "__import__('pathlib').Path('{marker}').touch()"


def mdl(folder: Path, text: str) -> Path:
    path = folder / "model.mdl"
    path.write_text("{UTF-8}\n" + text + CLOCK, encoding="utf-8")
    return path


def xmile(folder: Path, variables: str, before: str = "") -> Path:
    path = folder / "model.xmile"
    path.write_text(
        f"""{before}<xmile xmlns="http://docs.oasis-open.org/xmile/ns/XMILE/v1.0" version="1.0">
        <sim_specs><start>0</start><stop>1</stop><dt>1</dt></sim_specs>
        <model><variables>{variables}</variables></model></xmile>""",
        encoding="utf-8",
    )
    return path


def message(path: Path) -> str:
    with pytest.raises(InputFileError) as caught:
        abstract_model(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_read_or_refused(path: Path) -> None:
    with contextlib.suppress(InputFileError):
        abstract_model(path)
        return
    message(path)


# Lookups ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "equation",
    [
        "tab([{run}],(0,0),(1,1))",
        "tab([(0,0)-(1,1),{run}],(0,0),(1,1))",
        "tab([(0,0)-({run},1)],(0,0),(1,1))",
        "tab((0,0),({run},1))",
        "tab = WITH LOOKUP(Time, ([{run}],(0,0),(1,1)))",
        "tab = WITH LOOKUP(Time, ((0,0),({run},1)))",
        "tab = {run}",
    ],
)
@pytest.mark.parametrize("macro", [False, True], ids=["model", "macro"])
def test_no_expression_runs_in_a_lookup(tmp_path: Path, equation: str, macro: bool) -> None:
    marker = tmp_path / "ran"
    entry = equation.format(run=EXPRESSION.format(marker=marker)) + " ~~|\n"
    text = f":MACRO: M(a)\nM = a ~~|\n{entry}:END OF MACRO:\n" if macro else entry
    found = message(mdl(tmp_path, text))
    assert not marker.exists()
    assert "model.mdl, line " in found


def test_the_error_of_a_lookup_names_file_line_and_variable(tmp_path: Path) -> None:
    path = mdl(tmp_path, "a = 1 ~~|\ntab(\n  [(0,0)-(1,one)],(0,0),(1,1)) ~~|\n")
    assert message(path) == (
        f"{path}, line 4, 'tab': has lookup limits that are not [(x,y)-(x,y)] in numbers"
    )


def test_a_leading_zero_is_decimal(tmp_path: Path) -> None:
    path = mdl(tmp_path, "tab((010,007),(020,1e1)) ~~|\nx = 010 ~~|\n")
    table, x = abstract_model(path).sections[0].elements[:2]
    assert table.components[0].ast.x == (10, 20)
    assert table.components[0].ast.y == (7, 10)
    assert x.components[0].ast == 10


# Text for PySD's builder -----------------------------------------------------------------------


def test_documentation_does_not_reach_generated_text(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    run = EXPRESSION.format(marker=marker).replace("'", '"')
    path = mdl(tmp_path, f'x = 1 ~~ """\n;{run};""" |\n')
    from pysd.builders.python.python_model_builder import ModelBuilder

    written = ModelBuilder(builder_model(path, tmp_path)).build_model()
    assert "pathlib" not in Path(written).read_text(encoding="utf-8").replace(
        "from pathlib import Path", ""
    )


@pytest.mark.parametrize(
    "equation",
    [
        r"x = GET DIRECT CONSTANTS('a\x27,EXPR,r\x27', ',', 'B2')",
        r"x = GET DIRECT CONSTANTS('a.csv', '\x27,EXPR,\x27', 'B2')",
        r"x := GET XLS DATA('a.xlsx', 'S', 'A\n', 'B2')",
        r"x(GET XLS LOOKUPS('a\\', 'S', 'A', 'B2'))",
        r"x: GET DIRECT SUBSCRIPT('a\x27.csv', ',', 'A1', 'A', '')",
    ],
)
def test_a_backslash_in_a_string_is_refused(tmp_path: Path, equation: str) -> None:
    assert "backslash" in message(mdl(tmp_path, equation + " ~~|\n"))


@pytest.mark.parametrize(
    "text",
    [
        "\"a', EXPR, '\": A1, A2 ~~|\n",
        "\"d', EXPR, '\" :INTERPOLATE: ~~|\n",
        "x = \"f', EXPR, '\"(1) ~~|\n",
        ":MACRO: M(\"a': EXPR, '\")\nM = 1 ~~|\n:END OF MACRO:\nx = M(1) ~~|\n",
    ],
    ids=["range", "data", "call", "parameter"],
)
def test_a_name_cannot_leave_its_place_in_generated_text(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputFileError, match=r"quote or backslash|has the parameter"):
        builder_model(mdl(tmp_path, text), tmp_path)


def test_names_with_points_and_quotes_stay_names(tmp_path: Path) -> None:
    path = mdl(tmp_path, '"os.system(1)" = 1 ~~|\nBob\'s share = 2 ~~|\n')
    names = [e.name for e in builder_model(path, tmp_path).sections[0].elements]
    assert names[:2] == ['"os.system(1)"', "Bob's share"]


# Data files ------------------------------------------------------------------------------------


def test_a_data_file_beside_the_model_is_found(tmp_path: Path) -> None:
    assert check_external_path(tmp_path / "m.mdl", "data/a.csv") == tmp_path / "data" / "a.csv"


@pytest.mark.parametrize(
    "name", ["../a.csv", "/etc/passwd", "data/../../a.csv", "?data", "", "a\\b"]
)
def test_a_data_file_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputFileError):
        check_external_path(tmp_path / "model" / "m.mdl", name)


@pytest.mark.parametrize("settings", ["", "30:?other=data.csv", "30:?data=../data.csv"])
def test_an_alias_opens_no_other_way_to_a_file(tmp_path: Path, settings: str) -> None:
    (tmp_path / "data.csv").write_text("1\n")
    path = tmp_path / "model" / "m.mdl"
    path.parent.mkdir()
    path.write_text(
        "x = GET XLS CONSTANTS('?data', ',', 'A1') ~~|\n" + CLOCK + f"///---\\\\\\\n{settings}\n"
    )
    with pytest.raises(InputFileError, match=r"do not name|lies outside"):
        kredslob.load(path)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("1")
    (folder / "data.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(InputFileError, match="outside"):
        check_external_path(folder / "m.mdl", "data.csv")


# XML -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY a "1"><!ENTITY b "&a;&a;">]>',
        '<!DOCTYPE x SYSTEM "http://example.invalid/x.dtd">',
    ],
)
def test_a_doctype_is_refused(tmp_path: Path, doctype: str) -> None:
    path = xmile(tmp_path, '<aux name="x"><eqn>&e;</eqn></aux>', doctype)
    assert message(path) == f"{path}: has a DOCTYPE, expected an XMILE file without one"


def test_a_doctype_is_refused_in_utf_16(tmp_path: Path) -> None:
    path = xmile(tmp_path, "", '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x>')
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
    assert "DOCTYPE" in message(path)


def test_nothing_runs_in_an_xmile_equation(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    equation = EXPRESSION.format(marker=marker)
    message(xmile(tmp_path, f'<aux name="x"><eqn>{equation}</eqn></aux>'))
    gf = f"<gf><xpts>0,{equation}</xpts><ypts>0,1</ypts></gf>"
    assert "list of numbers" in message(xmile(tmp_path, f'<aux name="x">{gf}</aux>'))
    assert not marker.exists()


# Size and depth --------------------------------------------------------------------------------


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "model.mdl"
    with path.open("wb") as file:
        file.truncate(30_000_000)
    assert message(path) == (
        f"{path}: has 30,000,000 bytes, expected at most 20,000,000; if you trust it, allow more "
        "with Limits(file_bytes=...) or KREDSLOB_LIMITS=file_bytes=..."
    )


@pytest.mark.parametrize("opening", ["(", "-", ":NOT: ", "ABS(", "2^", "IF THEN ELSE(1,0,", "x["])
def test_deep_nesting_is_one_clear_error(tmp_path: Path, opening: str) -> None:
    start = time.perf_counter()
    found = message(mdl(tmp_path, f"y = {opening * 100_000}1 ~~|\n"))
    assert "nested" in found or "expected" in found
    assert time.perf_counter() - start < 10


def test_nesting_up_to_the_limit_is_read(tmp_path: Path) -> None:
    depth = Limits().nesting - 1
    path = mdl(tmp_path, f"y = {'ABS(' * depth}1{')' * depth} ~~|\n")
    assert read_model(path).variables["y"].kind == "auxiliary"
    nested = f"{'MAX(1, ' * depth}1{')' * depth}"
    abstract_model(xmile(tmp_path, f'<aux name="y"><eqn>{nested}</eqn></aux>'))


@pytest.mark.parametrize(
    "text",
    [
        "y = " + "1 + " * 200_000 + "1 ~~|\n",
        "y = a" + " " * 1_000_000 + "~~|\n",
        "tab((0,0)" + " " * 500_000 + "x) ~~|\n",
        "tab((0,0),(" + "1" * 500_000 + "x,1)) ~~|\n",
        "y = " + "1," * 300_000 + "x ~~|\n",
        "y :" + "a " * 300_000 + "~~|\n",
        "y: (" + "A1" * 100_000 + "-B) ~~|\n",
        'y = "' + '\\"' * 300_000 + " ~~|\n",
        "{" * 200_000,
        "y: (A1-A99999),(B1-B99999),(C1-C99999) ~~|\n",
        ":MACRO: " + "a " * 300_000,
        "y = TABBED ARRAY(" + "1 " * 300_000 + "x) ~~|\n",
        "y = 1 ~ [" + "1," * 300_000 + "x] ~|\n",
    ],
    ids=range(13),
)
def test_hostile_text_takes_no_more_than_seconds(tmp_path: Path, text: str) -> None:
    start = time.perf_counter()
    assert_read_or_refused(mdl(tmp_path, text))
    assert time.perf_counter() - start < 10


def test_deep_xml_is_refused(tmp_path: Path) -> None:
    path = xmile(tmp_path, "<group>" * 100_000 + "</group>" * 100_000)
    assert "is not well-formed XML" in message(path)
    nested = "(" * 100_000
    assert "nested" in message(xmile(tmp_path, f'<aux name="x"><eqn>{nested}</eqn></aux>'))
    nested = "IF 1 THEN 2 ELSE " * 10_000
    assert "nested" in message(xmile(tmp_path, f'<aux name="x"><eqn>{nested}</eqn></aux>'))


def test_modules_that_multiply_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.xmile"
    models = "".join(
        f'<model name="m{i}"><module name="a" model_name="m{i + 1}"/>'
        f'<module name="b" model_name="m{i + 1}"/><aux name="x"><eqn>1</eqn></aux></model>'
        for i in range(19)
    )
    path.write_text(
        "<xmile><sim_specs><start>0</start><stop>1</stop></sim_specs>"
        f'<model><module name="m0"/></model>{models}<model name="m19"/></xmile>'
    )
    assert "variables in its modules" in message(path)


def test_a_module_within_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.xmile"
    path.write_text(
        "<xmile><sim_specs><start>0</start><stop>1</stop></sim_specs>"
        '<model><module name="a"/></model><model name="a"><module name="a"/></model></xmile>'
    )
    assert "hold each other" in message(path)


# Files that are not models ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is not text"),
        (b"PK\x03\x04" + bytes(range(256)) * 20, "is not text"),
        (b"just some words", "is not closed with '|'; is the file cut off?"),
        (b"x = 1 ~ DKK ~ half of it", "is not closed with '|'; is the file cut off?"),
        (b":MACRO: M(a)\nM = a ~~|\n", "has no :END OF MACRO:"),
        (b"\\\\\\---/// Sketch\n", "holds no equations"),
        (b"<xmile/>", "is not closed"),
    ],
)
def test_what_is_no_vensim_file_says_so(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "model.mdl"
    path.write_bytes(content)
    assert expected in message(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"x = 1 ~~|", "is not well-formed XML"),
        (b"<xmile><model>", "is not well-formed XML"),
        (b"<html></html>", "holds no <model> in <html>"),
        (b"<xmile><model/></xmile>", "has no <sim_specs>"),
        (b"<xmile><sim_specs/><model/></xmile>", "has no <start>"),
        (b"\x00\x01\x02", "is not well-formed XML"),
    ],
)
def test_what_is_no_xmile_file_says_so(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "model.xmile"
    path.write_bytes(content)
    assert expected in message(path)


def test_a_missing_file_and_another_kind_of_file(tmp_path: Path) -> None:
    assert "cannot be read" in message(tmp_path / "none.mdl")
    assert "expected one of .mdl" in message(tmp_path / "model.vpm")


VENSIM = (
    'a[Dim] = b[Dim] * SUM(c[Dim!]) ~ DKK [0,1] ~ "Why" |\n'
    "Dim: A1, (B1-B3) -> (Other: x, y) ~~|\ntab([(0,0)-(1,1)],(0,0),(1,1)) ~~|\n"
    ":MACRO: M(p, q : r)\nM = INTEG(p, q) ~~|\n:END OF MACRO:\n"
    "b[A1] = WITH LOOKUP(Time, ((0,1),(2,3))) ~~|\nd :RAW: := GET XLS DATA('f','t','A','B2') ~~|\n"
)
XMILE = (
    '<xmile><sim_specs method="RK4"><start>0</start><stop>1</stop><dt reciprocal="true">4</dt>'
    '</sim_specs><dimensions><dim name="D" size="2"/></dimensions><macro name="m"><parm>a</parm>'
    '<eqn>a*2</eqn></macro><model><variables><stock name="S"><dimensions><dim name="D"/>'
    '</dimensions><element subscript="1"><eqn>1</eqn></element><eqn>m(2)</eqn><inflow>f</inflow>'
    '</stock><flow name="f"><eqn>IF a &gt; 1 THEN SUM(S[*]) ELSE a MOD 2</eqn></flow><aux name="a">'
    "<eqn>TIME</eqn><gf><xscale min='0' max='1'/><ypts>0,1</ypts></gf></aux></variables></model>"
    "</xmile>"
)


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data) -> None:  # type: ignore[no-untyped-def]
    text, suffix = data.draw(st.sampled_from([(VENSIM + CLOCK, ".mdl"), (XMILE, ".xmile")]))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 12))
        put = data.draw(
            st.sampled_from(["", "(", ")", "[", "]", '"', "'", "~", "|", ":", ",", "-", "<", "{"])
            | st.text(max_size=3)
        )
        text = text[:start] + put + text[start + length :]
    path = tmp_path_factory.mktemp("damaged") / f"model{suffix}"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    assert_read_or_refused(path)
