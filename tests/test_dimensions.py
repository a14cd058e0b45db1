"""The dimension check: what agrees passes, what does not is named once."""

from __future__ import annotations

from pathlib import Path

import pytest

from kredslob.dimensions import check_dimensions, check_section
from kredslob.errors import InputFileError
from kredslob.paths import reinvestment_folder
from kredslob.reading import abstract_model
from kredslob.simulation import Model

MODEL = reinvestment_folder() / "reinvestment.mdl"
CONTROL = """
INITIAL TIME = 0 ~ year ~ |
FINAL TIME = 1 ~ year ~ |
TIME STEP = 1 ~ year ~ |
SAVEPER = 1 ~ year ~ |
"""
GIVEN = """{UTF-8}
Group: young, old ~~|
money = 5 ~ DKK ~ |
people = 2 ~ person ~ |
each[Group] = 1, 2 ~ DKK/person ~ |
heads[Group] = 3, 4 ~ persons ~ |
delay = 2 ~ years ~ |
rate = 0.1 ~ 1/year ~ |
share = 0.5 ~ Dmnl ~ |
days = 3 ~ service day/(person*year) ~ |
price = 9 ~ DKK/service day ~ |
curve([(0,0)-(1,1)],(0,0),(1,1)) ~ DKK ~ |
"""


def problems(tmp_path: Path, equation: str) -> list[str]:
    path = tmp_path / "model.mdl"
    path.write_text(f"{GIVEN}{equation} ~ |\n{CONTROL}", encoding="utf-8")
    return [
        f"{m.variable}: {m.problem}"
        + (f": found {m.found}, expected {m.expected}" if m.found else "")
        for m in check_dimensions(path)
    ]


@pytest.mark.parametrize(
    "equation",
    [
        "x = money / people ~ DKK/person",
        "x = money / people / delay ~ DKK/(person*year)",
        "x = money + 0 ~ DKK",
        "x = MAX(0, money) ~ DKK",
        "x = MIN(1, share) ~ fraction",
        "x = share^2 + EXP(-rate*Time) ~ Dmnl",
        "x = people^2 ~ person*person",
        "x = NPV(money / delay, rate, money, share) ~ DKK",
        "x = LOOKUP EXTRAPOLATE(curve, 2) ~ DKK",
        "x = ROUND(money) + MEAN(money) ~ DKK",
        "x = 100 / 8 + 1 ~ DKK",
        "x = SQRT(money*money) ~ DKK",
        "x = XIDZ(money, people, 0) * people ~ DKK * person / person",
        "x = ZIDZ(money, people) ~ DKK/person",
        "x = IF THEN ELSE(money > 0 :AND: share < 1, money, 0) ~ DKK",
        "x = INTEG(money/delay - rate*money, money) ~ DKK",
        "x = INTEG(0, 0) ~ wellbeing year",
        "x = SMOOTH(money, delay) ~ DKK",
        "x = SMOOTHI(money, delay, 0) ~ DKK",
        "x = DELAY FIXED(money, delay, 0) ~ DKK",
        "x = DELAY1(money, delay) ~ DKK",
        "x = SUM(each[Group!]*heads[Group!]) ~ DKK",
        "x[Group] = each[Group]*heads[Group] ~ DKK",
        "x = days*people*price ~ DKK/year",
        "x = curve(share) ~ DKK",
        "x = WITH LOOKUP(Time, ([(0,0)-(1,1)],(0,0),(1,1))) ~ DKK",
        "x = STEP(money, 2*TIME STEP) ~ DKK",
        "x = RAMP(rate, INITIAL TIME, FINAL TIME) ~ Dmnl",
        "x = PULSE(delay, delay) ~ Dmnl",
        "x = MODULO(Time, delay) ~ year",
        "x = ABS(-money) ~ DKK",
    ],
)
def test_what_agrees_passes(tmp_path: Path, equation: str) -> None:
    assert problems(tmp_path, equation) == []


@pytest.mark.parametrize(
    ("equation", "expected"),
    [
        ("x = money + people ~ DKK", "found person, expected DKK"),
        ("x = money + 1 ~ DKK", "found dimensionless, expected DKK"),
        ("x = money / people ~ DKK", "found dkk/person, expected dkk"),
        ("x = money / delay ~ DKK", "found dkk/year, expected dkk"),
        ("x = MAX(1, money) ~ DKK", "arguments that must be alike"),
        ("x = share^rate ~ Dmnl", "an exponent has a unit"),
        ("x = money^share ~ DKK", "exponent that is no plain number"),
        ("x = EXP(money) ~ Dmnl", "argument with a unit"),
        ("x = IF THEN ELSE(money > people, 1, 2) ~ Dmnl", "values that are compared"),
        ("x = IF THEN ELSE(share > 0, money, people) ~ DKK", "the branches of a condition"),
        ("x = INTEG(money, 0) ~ DKK", "found dkk * year, expected dkk"),
        ("x = INTEG(money/delay, people) ~ DKK", "the initial value of a stock"),
        ("x = SMOOTH(money, people) ~ DKK", "a delay time is not a time"),
        ("x = SMOOTHI(money, delay, people) ~ DKK", "input and initial value"),
        ("x = DELAY FIXED(money, share, 0) ~ DKK", "a delay time is not a time"),
        ("x = SUM(each[Group!]) ~ DKK", "found dkk/person, expected dkk"),
        ("x[Group] = each[Group] ~ DKK", "x[Group]: the equation gives another unit"),
        ("x = days*people ~ DKK/year", "found service day/year, expected dkk/year"),
        ("x = curve(share) ~ person", "found dkk, expected person"),
        ("x = STEP(money, people) ~ DKK", "a time is wanted"),
        ("x = SQRT(money) ~ DKK", "found dkk^0.5, expected dkk"),
        ("x = XIDZ(money, people, 1) ~ DKK/person", "the value for a division by zero"),
        ("x = ZIDZ(money, people) ~ DKK", "found dkk/person, expected dkk"),
        ("x = money ~ ", "x: has no unit"),
        ("x = money ~ DKK/(person", "cannot be read"),
        ("x = money ~ 2*DKK", "cannot be read"),
    ],
)
def test_what_does_not_agree_is_named_once(tmp_path: Path, equation: str, expected: str) -> None:
    found = problems(tmp_path, equation)
    assert len(found) == 1
    assert expected.lower() in found[0].lower()


def test_one_mistake_makes_one_line(tmp_path: Path) -> None:
    equation = "x = (money + people) / people + share ~ DKK"
    assert len(problems(tmp_path, equation)) == 1


def test_a_day_is_not_a_year(tmp_path: Path) -> None:
    assert problems(tmp_path, "x = delay ~ day")
    assert not problems(tmp_path, "x = delay ~ year")


def test_a_function_that_is_not_known_is_never_passed(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "x = GET TIME VALUE(0, 0, 0) + FIND ZERO(money, share) ~ DKK")
    assert "cannot be checked" in found


def test_the_reinvestment_model_has_no_mismatch() -> None:
    assert check_dimensions(MODEL) == []


def test_every_variable_has_a_unit_and_one_or_two_lines_of_documentation(model: Model) -> None:
    for variable in model.variables.values():
        assert variable.unit, variable.name
        assert 5 <= len(variable.documentation) <= 200, variable.name


def test_every_equation_of_the_reinvestment_model_is_really_checked() -> None:
    """Give each computed variable in turn another unit: the check must notice each time."""
    section = abstract_model(MODEL).sections[0]
    unnoticed = []
    computed = [
        e
        for e in section.elements
        if not isinstance(e.components[0].ast, (int, float))
        and "Structure" in type(e.components[0].ast).__name__
        and type(e.components[0]).__name__ != "AbstractLookup"
    ]
    assert len(computed) > 190
    for element in computed:
        right, element.units = element.units, "kilogram"
        if not check_section(section):
            unnoticed.append(element.name)
        element.units = right
    assert unnoticed == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"none\.mdl"):
        check_dimensions(tmp_path / "none.mdl")


def test_units_that_the_file_says_are_the_same_agree(tmp_path: Path) -> None:
    path = tmp_path / "model.mdl"
    equations = "children = 2 ~ Borgere ~ |\nx = children + people ~ person ~ |\n"
    settings = "\\\\\\---/// Sketch information\n///---\\\\\\\n:L\n22:Person,Borgere,Citizens\n"
    path.write_text(f"{GIVEN}{equations}{CONTROL}", encoding="utf-8")
    assert len(check_dimensions(path)) == 1
    path.write_text(f"{GIVEN}{equations}{CONTROL}{settings}", encoding="utf-8")
    assert check_dimensions(path) == []


XMILE = """<xmile xmlns="http://docs.oasis-open.org/xmile/ns/XMILE/v1.0" version="1.0">
<sim_specs time_units="Month"><start>0</start><stop>1</stop><dt>1</dt></sim_specs>
<model_units><unit name="Month"><eqn/><alias>mo</alias></unit></model_units><model><variables>
<aux name="pay"><eqn>5</eqn><units>$/Person-Month</units></aux>
<aux name="budget"><eqn>5</eqn><units>$/mo</units></aux>
<aux name="staff"><eqn>budget / pay</eqn><units>people</units></aux>
</variables></model></xmile>"""


def test_a_hyphen_multiplies_in_an_xmile_file_and_units_have_aliases(tmp_path: Path) -> None:
    path = tmp_path / "model.xmile"
    path.write_text(XMILE, encoding="utf-8")
    assert check_dimensions(path) == []
    path.write_text(XMILE.replace("<alias>mo</alias>", ""), encoding="utf-8")
    assert [m.variable for m in check_dimensions(path)] == ["staff"]


def test_a_pulse_of_xmile_is_an_amount_within_a_time_step(tmp_path: Path) -> None:
    path = tmp_path / "model.xmile"
    pulse = '<aux name="jolt"><eqn>PULSE(pay)</eqn><units>$/(Person*Month*Month)</units></aux>'
    path.write_text(XMILE.replace("</variables>", f"{pulse}</variables>"), encoding="utf-8")
    assert check_dimensions(path) == []
    path.write_text(path.read_text().replace("PULSE(pay)", "PREVIOUS(pay, 0)"), encoding="utf-8")
    assert [m.variable for m in check_dimensions(path)] == ["jolt"]
