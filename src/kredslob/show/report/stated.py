"""Values that a sentence states, each with the form in which it is written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kredslob.show.language import Words

_MOST_DIGITS = 4
_TIGHT = 6  # rates that are listed one by one; more are told as a range and a count


@dataclass(frozen=True)
class Stated:
    """A value and its form.

    Parameters
    ----------
    form : str
        count, percent, money, kroner, years, times, index, percents, purses, labels, group or need.
    value : object
        A float; for percents, purses and labels a tuple; for group and need an element.
    """

    form: str
    value: object


def count(value: float) -> Stated:
    """A number of people or things, without decimals."""
    return Stated("count", value)


def percent(value: float) -> Stated:
    """A share (0 to 1), with as many decimals as keep it from looking like none or all."""
    return Stated("percent", value)


def money(value: float) -> Stated:
    """An amount (DKK), its size without sign."""
    return Stated("money", value)


def kroner(value: float) -> Stated:
    """Kroner per krone, with as many decimals as tell it from one."""
    return Stated("kroner", value)


def years(value: float) -> Stated:
    """Years, with one decimal where they are not whole."""
    return Stated("years", value)


def times(value: float) -> Stated:
    """How many times as much."""
    return Stated("times", value)


def index(value: float) -> Stated:
    """A number between -1 and 1."""
    return Stated("index", value)


def percents(values: Sequence[float]) -> Stated:
    """Several shares."""
    return Stated("percents", tuple(values))


def purses(names: Sequence[str]) -> Stated:
    """Several purses, by name in the model."""
    return Stated("purses", tuple(names))


def labels(names: Sequence[str]) -> Stated:
    """Names as they are, such as those of policies."""
    return Stated("labels", tuple(names))


def shown(stated: Stated, w: Words) -> str:
    """Write a value as a language does."""
    value = stated.value
    if isinstance(value, tuple):
        return _listed(stated.form, value, w)
    if isinstance(value, str):
        label = w.element(value)
        return label[0].lower() + label[1:]
    number = float(value)  # type: ignore[arg-type]
    match stated.form:
        case "percent":
            return w.percent(number, _digits(100 * number, (0, 100), 0))
        case "money":
            return w.money(abs(number))
        case "kroner":
            return w.text("money.one", amount=w.number(number, _digits(number, (0, 1), 2)))
        case "years":
            return w.number(number, 0 if number == round(number) else 1)
        case "times":
            return w.number(number, _digits(number, (1,), 1))
        case "index":
            return w.number(number, 2)
        case _:
            return w.number(number)


def _digits(value: float, limits: Sequence[float], fewest: int) -> int:
    """Decimals from which a value is not taken for one of these limits."""
    for digits in range(fewest, _MOST_DIGITS):
        if all(value == limit or round(value, digits) != limit for limit in limits):
            return digits
    return _MOST_DIGITS


def _listed(form: str, values: tuple[object, ...], w: Words) -> str:
    if form == "labels":
        said = [str(name) for name in values]
    elif form == "purses":
        said = [w.text(f"purse.{name}") for name in values]
    elif len(values) > _TIGHT:
        numbers = [float(v) for v in values if isinstance(v, float) and math.isfinite(v)]
        low, high = (w.percent(n) for n in (min(numbers), max(numbers)))
        return w.text("report.from_to", count=w.number(len(values)), low=low, high=high)
    else:
        said = [shown(percent(float(v)), w) for v in values]  # type: ignore[arg-type]
    return joined(said, w)


def joined(said: Sequence[str], w: Words) -> str:
    """List things as people do: a, b and c."""
    *first, last = said
    return w.text("caption.and").join([", ".join(first), last]) if first else last
