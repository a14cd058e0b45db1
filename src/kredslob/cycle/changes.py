"""Changes to parameters: checked against the parameter table and laid over its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kredslob.arguments import hint
from kredslob.cycle.parameters import Parameter, ParameterTable
from kredslob.cycle.quantity import QuantityError, in_unit, shown

Keys = tuple[str, ...]
Fault = Callable[[Keys, str], Exception]

SCHEDULE = "reinvestment schedule"
_WHOLE = ("reinvestment rule", "accounting rule", "wrong pocket agreement")
_ADD_UP_TO_ONE = ("outcome payer",)
_AT_MOST_ONE = ("capital from purse",)


def lay_over(
    current: Mapping[str, Any], changes: Mapping[str, Any], table: ParameterTable, fault: Fault
) -> dict[str, Any]:
    """Lay changes over parameters.

    Parameters
    ----------
    current : mapping of str to values
        Parameters that differ from the table already, each complete.
    changes : mapping of str to values
        By name: a number in the table's unit, a text such as "18 months", or a nested dict by
        element that names the elements to change. For the reinvestment schedule: pairs of time
        and rate.
    table : ParameterTable
        Names, elements, units, bounds and the values of elements that are not named.
    fault : callable
        Makes the error to raise from the keys (name, then elements) and the problem.

    Returns
    -------
    dict
        All parameters that differ, each complete: a float, a nested dict with every element, or
        a list of [time, rate].

    Raises
    ------
    Exception
        As ``fault`` makes it: a name or element is unknown, a value has the wrong type or unit,
        is not finite or out of bounds, belongs to the model's structure, or shares do not add up.
    """
    result = dict(current)
    names = (*table.names(), SCHEDULE)
    for name, value in changes.items():
        if name not in names:
            raise fault((str(name),), f"is no parameter of the model{hint(name, names)}")
        if name == SCHEDULE:
            result[name] = _schedule(value, fault)
            continue
        rows = {row.elements: row for row in table.of(name)}
        numbers = {elements: row.value for elements, row in rows.items()}
        if name in current:
            numbers = {elements: _at(current[name], elements) for elements in rows}
        numbers.update(_changed(value, rows, (name,), fault))
        _check_shares(name, numbers, fault)
        result[name] = _nested(numbers)
    return result


def label(keys: Keys) -> str:
    """Name of a parameter with its elements, as in the parameter table."""
    return f"{keys[0]}[{','.join(keys[1:])}]" if len(keys) > 1 else keys[0]


def _changed(
    value: Any, rows: Mapping[Keys, Parameter], keys: Keys, fault: Fault
) -> Iterator[tuple[Keys, float]]:
    elements = keys[1:]
    if elements in rows:
        yield elements, _number(value, rows[elements], keys, fault)
        return
    below = [e for e in rows if e[: len(elements)] == elements]
    choices = tuple(dict.fromkeys(e[len(elements)] for e in below))
    if not isinstance(value, Mapping):
        number = _number(value, rows[below[0]], keys, fault)
        example = f"{{ {_toml_key(choices[0])} = {number:g} }}"
        problem = f"expected a table that names elements ({', '.join(choices)}), such as {example}"
        raise fault(keys, f"found {shown(value)}, {problem}")
    for element, part in value.items():
        if element not in choices:
            expected = f"expected one of {', '.join(choices)}"
            raise fault(keys, f"found '{element}', {expected}{hint(element, choices)}")
        yield from _changed(part, rows, (*keys, element), fault)


def _number(value: Any, row: Parameter, keys: Keys, fault: Fault) -> float:
    if row.kind == "structure":
        raise fault(keys, "belongs to the structure of the model and cannot be changed")
    whole = row.kind == "switch" or row.name in _WHOLE
    try:
        return _bounded(value, row.unit, row.minimum, row.maximum, whole)
    except QuantityError as problem:
        raise fault(keys, str(problem)) from None


def _bounded(value: Any, unit: str, minimum: float, maximum: float, whole: bool = False) -> float:
    number = in_unit(value, unit)
    if whole:
        allowed = [f"{n}" for n in range(int(minimum), int(maximum) + 1)]
        if number not in map(float, allowed):
            expected = f"{', '.join(allowed[:-1])} or {allowed[-1]}"
            raise QuantityError(f"found {shown(value)}, expected {expected}")
    if not minimum <= number <= maximum:
        bounds = f"of at least {minimum:.12g}"
        if maximum < float("inf"):
            bounds = f"from {minimum:.12g} to {maximum:.12g}"
        suffix = "" if unit == "Dmnl" else f" {unit}"
        raise QuantityError(f"found {shown(value)}, expected a number {bounds}{suffix}")
    return number


def _schedule(value: Any, fault: Fault) -> list[list[float]]:
    keys = (SCHEDULE,)
    expected = "expected pairs of time and rate, such as [[0, 1.0], [10, 0.5]]"
    if not isinstance(value, list | tuple) or not value:
        raise fault(keys, f"found {shown(value)}, {expected}")
    pairs: list[list[float]] = []
    for number, pair in enumerate(value, start=1):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise fault(keys, f"pair {number}: found {shown(pair)}, {expected}")
        try:
            time = _bounded(pair[0], "year", 0.0, float("inf"))
            rate = _bounded(pair[1], "Dmnl", 0.0, 1.0)
        except QuantityError as problem:
            raise fault(keys, f"pair {number}: {problem}") from None
        if pairs and time <= pairs[-1][0]:
            before = pairs[-1][0]
            problem_text = f"found time {time:g} after {before:g}, expected times that rise"
            raise fault(keys, f"pair {number}: {problem_text}")
        pairs.append([time, rate])
    return pairs


def _check_shares(name: str, numbers: Mapping[Keys, float], fault: Fault) -> None:
    """Money is conserved only if what is split among the purses adds up."""
    if name not in _ADD_UP_TO_ONE + _AT_MOST_ONE:
        return
    sums: dict[Keys, float] = {}
    for elements, number in numbers.items():
        sums[elements[:-1]] = sums.get(elements[:-1], 0.0) + number
    for elements, total in sums.items():
        expected = "1" if name in _ADD_UP_TO_ONE else "at most 1"
        if total > 1 + 1e-9 or (name in _ADD_UP_TO_ONE and total < 1 - 1e-9):
            problem = f"the shares of the purses add up to {total:g}, expected {expected}"
            raise fault((name, *elements), problem)


def _at(value: Any, elements: Keys) -> float:
    for element in elements:
        value = value[element]
    return float(value)


def _nested(numbers: Mapping[Keys, float]) -> Any:
    if () in numbers:
        return numbers[()]
    result: dict[str, Any] = {}
    for elements, number in numbers.items():
        part = result
        for element in elements[:-1]:
            part = part.setdefault(element, {})
        part[elements[-1]] = number
    return result


def _toml_key(name: str) -> str:
    return name if name.isalnum() else f'"{name}"'
