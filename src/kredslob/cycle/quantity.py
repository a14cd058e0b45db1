"""Values with units, as people write them: 12 million DKK, 18 months, 35 %."""

from __future__ import annotations

import math
import re
from functools import cache
from numbers import Real
from typing import Any

_NUMBER = re.compile(r"\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(.*)", re.DOTALL)
_UNIT_TEXT = re.compile(r"[A-Za-z1 ./*()_]{0,60}")
_SCALES = {
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "mio.": 1e6,
    "mia.": 1e9,
    "%": 0.01,
    "percent": 0.01,
}
_DEFINITIONS = (
    "DKK = [money] = _ = kr",
    "kDKK = 1e3 * DKK",
    "mDKK = 1e6 * DKK",
    "bnDKK = 1e9 * DKK",
    "year = [time]",
    "month = year / 12",
    "person = [people] = _ = people = citizen",
    "service_day = [service]",
    "wellbeing_year = [wellbeing]",
)
_EXPECTED = {
    "dimensionless": "a share or a plain number, such as '35 %'",
    "[time]": "a time, such as '1 year'",
    "1 / [time]": "a yearly rate, such as '5 %/year'",
    "[money]": "an amount of money, such as '12 million DKK'",
    "[money] / [time]": "money per year, such as '2 million DKK/year'",
    "[people]": "a number of people, such as '600 people'",
    "[money] / [people]": "money per person, such as '90 thousand DKK/person'",
    "[money] / [service]": "a price per service day, such as '1200 DKK/service day'",
    "[service] / [people] / [time]": "a use of services, such as '80 service day/(person*year)'",
}


class QuantityError(ValueError):
    """A value cannot be used; the message says what was found and what is expected."""


def in_unit(value: Any, unit: str) -> float:
    """Read a value and convert it to a unit.

    Parameters
    ----------
    value : float or str
        A number, which is in the unit already, or a text with a number and a unit, such as
        "12 million DKK", "18 months" or "35 %".
    unit : str
        The unit that is wanted, as in the parameter table: "DKK/year", "Dmnl".

    Returns
    -------
    float
        A finite number in that unit.

    Raises
    ------
    QuantityError
        The value is neither, the unit is unknown or measures something else, or the number is
        not finite.

    Examples
    --------
    >>> in_unit("18 months", "year")
    1.5
    >>> in_unit("2 million DKK/year", "DKK/year")
    2000000.0
    """
    if isinstance(value, str):
        number = _converted(value, unit)
    elif isinstance(value, bool) or not isinstance(value, Real):
        raise QuantityError(f"found {shown(value)}, expected {_expected(unit)}")
    else:
        number = _float(value)
    if not math.isfinite(number):
        raise QuantityError(f"found {shown(value)}, expected a finite number")
    return number


def shown(value: Any) -> str:
    """Show a value in a message, as it stands in a scenario file and not too long."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return repr(value if len(value) <= 60 else value[:57] + "...")
        case Real():
            return f"{_float(value):.12g}"
        case dict():
            return "a table"
        case list() | tuple():
            return "a list"
    return str(value)


def _converted(text: str, unit: str) -> float:
    match = _NUMBER.fullmatch(text)
    if not match:
        raise QuantityError(f"found {shown(text)}, expected {_expected(unit)}")
    rest = match[2].strip()
    if rest[:1] in (",", ".", "_", "'"):
        expected = "a number with a decimal point and no thousands separator"
        raise QuantityError(f"found {shown(text)}, expected {expected}")
    scale, name = _scale(rest)
    found = _unit(name)
    wanted = _unit(unit)
    if found is None or found.dimensionality != wanted.dimensionality:
        expected = _expected(unit)
        raise QuantityError(f"found {shown(name) if name else 'no unit'}, expected {expected}")
    return float(match[1]) * scale * float((1 * found).to(wanted).magnitude)


def _scale(text: str) -> tuple[float, str]:
    """Split a leading word such as million, or a percent sign, from the unit's name."""
    for word, factor in _SCALES.items():
        if re.match(rf"{re.escape(word)}(?![A-Za-z])", text):
            return factor, text[len(word) :].strip()
    return 1.0, text


def _unit(text: str) -> Any:
    """Find the unit that a text names; None if there is no such unit."""
    if not _UNIT_TEXT.fullmatch(text) or "**" in text:
        return None
    text = re.sub(r"\b(service|wellbeing) (day|year)", r"\1_\2", text)
    text = re.sub(r"^Dmnl$", "", text).removesuffix(".")
    try:
        return _registry().parse_units(f"1{text}" if text.startswith("/") else text)
    except Exception:  # pint's parser raises many kinds, some from Python's tokenizer
        return None


@cache
def _registry() -> Any:
    """Make a registry of what the model is counted in and no more, so that no name surprises."""
    import pint

    registry: Any = pint.UnitRegistry(None)
    for definition in _DEFINITIONS:
        registry.define(definition)
    return registry


def _float(value: Real) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _expected(unit: str) -> str:
    return _EXPECTED.get(str(_unit(unit).dimensionality), f"a value in {unit}")
