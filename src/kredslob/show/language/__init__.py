"""Words and numbers as people write them, in Danish and English."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from kredslob.errors import ParameterError

LANGUAGES = ("da", "en")
_PARTS = (
    "workshop",
    "report",
    "runs",
    "document",
)  # what only one place shows has a file of its own
_UNIT = "service day|wellbeing year|[A-Za-z]+"
_MINUS = {"-": "\N{MINUS SIGN}"}
_MARKS = {"da": str.maketrans({",": ".", ".": ","} | _MINUS), "en": str.maketrans(_MINUS)}


@dataclass(frozen=True)
class Words:
    """Text and number forms of one language.

    Parameters
    ----------
    language : str
        "da" or "en".
    table : dict
        Text by dotted key.
    """

    language: str
    table: dict[str, str]

    def text(self, key: str, **values: Any) -> str:
        """Text under a key, with values filled in. Raises KeyError for an unknown key."""
        return self.table[key].format(**values)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the variables on the reinvestment model's loops, by name in the model."""
        found = (key.partition(".")[::2] for key in self.table)
        return {name: self.table[f"{kind}.{name}"] for kind, name in found if kind == "variable"}

    def element(self, name: str) -> str:
        """Label of a subscript element."""
        return self.table[f"element.{name}"]

    def parameter(self, label: str) -> str:
        """Name of a parameter, with its elements in parentheses: ``name[element,element]``."""
        name, _, elements = label.rstrip("]").partition("[")
        named = [e.strip() for e in elements.split(",") if e.strip()]
        labels = [self.table.get(f"element.{e}", e) for e in named]  # or another model's
        of = ", ".join(label[0].lower() + label[1:] for label in labels)
        said = self.table.get(f"parameter.{name}", name)
        return f"{said} ({of})" if of else said

    def outcome(self, name: str) -> str:
        """Name of an outcome or variable, in lower case; that of another model as it is."""
        found = (self.table.get(f"{kind}.{name}") for kind in ("outcome", "other", "variable"))
        return next((said for said in found if said), name)

    def unit(self, unit: str) -> str:
        """Write a unit of the model file for people, word by word."""
        return re.sub(_UNIT, lambda m: self.table.get(f"unit.{m[0]}", m[0]), unit)

    def number(self, value: float, digits: int = 0) -> str:
        """Write a number with a fixed count of decimals: 1.234,5 in Danish, 1,234.5 in English."""
        rounded = round(value, digits) + 0.0  # no minus before a zero
        return f"{rounded:,.{digits}f}".translate(_MARKS[self.language])

    def money(self, dkk: float, digits: int | None = None) -> str:
        """Amount in the unit that suits it: kroner, thousand, million or billion."""
        size = abs(dkk)
        for unit, key in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
            if size >= (0.9995 if unit > 1e3 else 10) * unit:
                shown = digits if digits is not None else (1 if size < 100 * unit else 0)
                return self.text(f"money.{key}", amount=self.number(dkk / unit, shown))
        return self.text("money.one", amount=self.number(dkk, 0))

    def millions(self, dkk: float, digits: int = 1) -> str:
        """Amount in million kroner without the unit, for tables and axes."""
        return self.number(dkk / 1e6, digits)

    def percent(self, share: float, digits: int = 0) -> str:
        """Share as a percentage."""
        return self.text("percent", amount=self.number(100 * share, digits))


@cache
def words(language: str) -> Words:
    """Words of a language.

    Raises
    ------
    ParameterError
        The language is not "da" or "en".
    """
    if language not in LANGUAGES:
        raise ParameterError(f"found language '{language}', expected one of {', '.join(LANGUAGES)}")
    table: dict[str, str] = {}
    for name in (f"{language}.toml", *(f"{part}.{language}.toml" for part in _PARTS)):
        source = files(__package__).joinpath(name).read_text(encoding="utf-8")
        table |= _flat("", tomllib.loads(source))
    return Words(language, table)


def _flat(prefix: str, table: dict[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        name = f"{prefix}{key}"
        pairs += _flat(f"{name}.", value) if isinstance(value, dict) else [(name, value)]
    return pairs
