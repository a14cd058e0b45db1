"""Values with units, as people write them in a scenario: 12 million DKK, 18 months, 35 %."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_SCALES = {
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "mio": 1e6,
    "mio.": 1e6,
    "mia": 1e9,
    "mia.": 1e9,
}
_EXAMPLES = {
    "[money]": "an amount, such as '12 million DKK'",
    "[money] / [time]": "an amount a year, such as '2 million DKK/year'",
    "[money] / [people]": "an amount a person, such as '50000 DKK/person'",
    "[time]": "a time, such as '18 months'",
    "1 / [time]": "a rate a year, such as '0.05 / year'",
    "[people]": "a number of people, such as '600 persons'",
    "dimensionless": "a share or a plain number, such as '35 %'",
}


@cache
def _registry() -> Any:
    """Build a registry that knows only what the model is counted in, so that no name surprises."""
    import pint

    units: Any = pint.UnitRegistry(None)
    for definition in (
        "DKK = [money] = _ = kr",
        "kDKK = 1e3 * DKK",
        "mDKK = 1e6 * DKK",
        "bnDKK = 1e9 * DKK",
        "person = [people] = _ = persons = people = citizen = citizens",
        "year = [time] = _ = years = yr",
        "month = year / 12 = _ = months",
        "service_day = [service] = _ = service_days",
        "wellbeing_year = [wellbeing] = _ = wellbeing_years",
    ):
        units.define(definition)
    return units


class UnitError(ValueError):
    """The text is not a value in the unit that is wanted."""


def in_unit(text: str, unit: str) -> float:
    """Read a number with a unit, and convert it.

    Parameters
    ----------
    text : str
        A number and a unit, such as "12 million DKK", "18 months" or "35 %".
    unit : str
        The model's unit, such as "DKK/year" or "Dmnl".

    Returns
    -------
    float
        The value in that unit.

    Raises
    ------
    UnitError
        There is no number, the unit is unknown, or it measures something else. The message says
        what was found and what is expected.

    Examples
    --------
    >>> in_unit("18 months", "year")
    1.5
    """
    match = re.fullmatch(r"\s*([-+]?[\d_.,]*\d(?:[eE][-+]?\d+)?)\s*(.*?)\s*", text)
    expected = _expected(unit)
    if not match:
        raise UnitError(f"found '{text}', expected {expected}")
    try:
        number = float(match[1].replace("_", ""))
    except ValueError:
        raise UnitError(
            f"found '{text}', expected {expected} with a decimal point and no thousands separator"
        ) from None
    scale, rest = _scale(match[2])
    try:
        found = _parsed(rest)
    except Exception:  # pint raises several kinds, some of them its own
        raise UnitError(f"found the unit '{rest}', expected {expected}") from None
    wanted = _parsed(unit)
    if found.dimensionality != wanted.dimensionality:
        raise UnitError(f"found '{rest or 'a plain number'}', expected {expected}")
    return float(number * scale * (1 * found).to(wanted).magnitude)


def _scale(text: str) -> tuple[float, str]:
    if text.startswith("%"):
        return 0.01, text[1:].strip()
    first, _, rest = text.partition(" ")
    if first.lower() in _SCALES:
        return _SCALES[first.lower()], rest.strip()
    return 1.0, text


def _parsed(text: str) -> Any:
    text = text.replace("service day", "service_day").replace("wellbeing year", "wellbeing_year")
    text = re.sub(r"\b[Dd]mnl\b", "", text).strip()
    if text.startswith("/"):
        text = "1" + text
    units = _registry()
    return (
        units.parse_units(re.sub(r"^1\s*/\s*(.+)$", r"(\1)**-1", text)) if text else units.Unit("")
    )


def _expected(unit: str) -> str:
    kind = str(_parsed(unit).dimensionality)
    return _EXAMPLES.get(kind, f"a value in {unit}")
