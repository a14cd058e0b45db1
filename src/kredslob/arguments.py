"""What a caller gives, checked where it comes in: what was found, and what would be right.

Every message begins with the argument. The checks are those that many functions share.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.errors import ParameterError

_MOST_SHOWN = 60  # characters of a value
_PLAIN = (
    str,
    bytes,
    bool,
    int,
    float,
    complex,
    list,
    tuple,
    dict,
    set,
    range,
    np.ndarray,
    type(None),
)


def shown(value: object) -> str:
    """A value in a message: what a person types as it is, and of all else the kind."""
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, _PLAIN):
        return type(value).__name__
    if isinstance(value, list | tuple) and value and not isinstance(value[0], _PLAIN):
        return f"{type(value).__name__} of {type(value[0]).__name__}"
    text = f"{value:.12g}" if type(value) is float else " ".join(repr(value).split())
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."


def hint(name: object, known: Iterable[str]) -> str:
    """Name the nearest known name, as the end of a message; empty if none is near."""
    near = difflib.get_close_matches(str(name), [*known], 1)
    return f"; did you mean '{near[0]}'?" if near else ""


def refused(argument: str, value: object, expected: str) -> ParameterError:
    """The error to raise where an argument is of no use."""
    return ParameterError(f"{argument}: found {shown(value)}, expected {expected}")


def check_kind(argument: str, value: object, kind: type | tuple[type, ...], expected: str) -> None:
    """Raise ParameterError where a value is of another kind."""
    if not isinstance(value, kind):
        raise refused(argument, value, expected)


def is_number(value: object) -> bool:
    """Whether this is a number, and neither a text nor a yes or no."""
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def check_whole(argument: str, value: object, least: int) -> None:
    """Raise ParameterError where a value is no whole number of at least so much."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:  # type: ignore[operator]
        raise refused(argument, value, f"a whole number from {least}")


def path_of(argument: str, value: Any, expected: str = "the name of a file") -> Path:
    """A path, as text or as it is; ParameterError where it is neither."""
    check_kind(argument, value, (str, Path), expected)
    return Path(value)


def names_of(argument: str, values: Any, known: Iterable[str] | None = None) -> list[str]:
    """Names in a list, each once; ParameterError where they are none, or one is not known."""
    single = isinstance(values, str | Mapping) or not isinstance(values, Iterable)
    given = [] if single else list(values)
    if not given or not all(isinstance(name, str) for name in given):
        raise refused(argument, values, "a list of names")
    found = list(dict.fromkeys(given))
    if known is not None:
        among = list(known)
        for name in found:
            if name not in among:
                one = f"one of {', '.join(among)}{hint(name, among)}"
                raise refused(argument, name, one)
    return found


def all_of(argument: str, values: Any, kind: type, such_as: str) -> list[Any]:
    """What a list holds; ParameterError where it is no list, or holds something of another kind."""
    expected = f"a list of {kind.__name__}, such as [{such_as}]"
    if isinstance(values, str | Mapping | kind) or not isinstance(values, Iterable):
        raise refused(argument, values, expected)
    found = list(values)
    for value in found:
        check_kind(argument, value, kind, expected)
    return found


def check_named(argument: str, values: object, such_as: str) -> None:
    """Raise ParameterError where something is no mapping of names, or is empty."""
    if not isinstance(values, Mapping) or not values:
        raise refused(argument, values, f"a dict by name, such as {such_as}")
    for name in values:
        check_kind(argument, name, str, "names as keys")


def range_of(argument: str, name: str, value: Any) -> tuple[float, float]:
    """Low and high, finite and rising; ParameterError where a value is no such pair."""
    pair = isinstance(value, tuple | list | np.ndarray) and len(value) == 2
    if not pair or not all(is_number(end) and math.isfinite(end) for end in value):
        raise refused(f"{argument}: '{name}'", value, "(low, high)")
    low, high = (float(end) for end in value)
    if not low < high:
        raise ParameterError(
            f"{argument}: '{name}': found {low:g} to {high:g}, expected low below high"
        )
    return low, high


def check_result(argument: str, value: object, names: Iterable[str], giver: str) -> None:
    """Raise ParameterError where a value is not what a function gives: a Dataset with names."""
    expected = f"the Dataset that kredslob.{giver} gives"
    check_kind(argument, value, xr.Dataset, expected)
    assert isinstance(value, xr.Dataset)
    for name in names:
        if name not in value and name not in value.dims:
            raise ParameterError(
                f"{argument}: found a Dataset without '{name}', expected {expected}"
            )
