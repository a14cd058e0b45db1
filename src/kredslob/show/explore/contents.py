"""What is on the page of a model: the constants that can be moved, and the lines that are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from kredslob.arguments import check_kind, hint
from kredslob.errors import ParameterError
from kredslob.program import Array, Program, key

MOST_LINES = 5
MOST_LEVERS = 12  # where none are named
MOST_CHARTS = 6
_STEPS = 100  # at least so many on a slider


@dataclass(frozen=True)
class Lever:
    """A constant that the reader moves.

    Parameters
    ----------
    name : str
        As the file writes it, with an element in brackets.
    place : int
        Counted from the model's first constant.
    value, low, high, step : float
        What the file says, and how far and how finely it moves.
    unit : str
        As the file writes it.
    """

    name: str
    place: int
    value: float
    low: float
    high: float
    step: float
    unit: str


@dataclass(frozen=True)
class Chart:
    """A variable over time, a line an element.

    Parameters
    ----------
    name, unit : str
        As the file writes them.
    lines : tuple of (str, int)
        Name of the element, empty where there is but one line, and its place in the memory.
    """

    name: str
    unit: str
    lines: tuple[tuple[str, int], ...]


def levers_of(
    program: Program, wanted: Sequence[str] | Mapping[str, tuple[float, float]] | None
) -> list[Lever]:
    """Find the constants that the page moves, and how far each goes.

    Parameters
    ----------
    program : Program
        A lowered model.
    wanted : sequence of str, mapping of str to (float, float), or None
        As for `kredslob.explore`.

    Returns
    -------
    list of Lever

    Raises
    ------
    ParameterError
        A name is unknown or no constant, or there is no sense in a range.
    """
    if isinstance(wanted, str):
        raise ParameterError(f"levers: found '{wanted}', expected a list of names")
    if wanted is None:
        return _first_levers(program)
    ranges = wanted if isinstance(wanted, Mapping) else {}
    found = [lever for name in wanted for lever in _levers(program, name, ranges.get(name))]
    if not found:
        raise ParameterError("levers: found no name, expected some constants")
    return found


def _first_levers(program: Program) -> list[Lever]:
    clock = vars(program.clock).values()
    names = [n for n, values in program.defaults.items() if n not in clock and all(values)]
    found = [lever for name in names for lever in _levers(program, name, None)][:MOST_LEVERS]
    if not found:
        raise ParameterError(f"levers: {program.name} has no constant that a page could move")
    return found


def _levers(program: Program, label: str, given: tuple[float, float] | None) -> Iterator[Lever]:
    array, elements = _found(program, label, "levers")
    if array.name not in program.defaults:
        raise ParameterError(f"levers: '{array.name}' is no constant ({array.kind})")
    first = min(program.arrays[name].offset for name in program.defaults)
    for element, position in elements:
        name = f"{array.name}[{element}]" if element else array.name
        value = program.defaults[array.name][position]
        low, high = _range(name, value, given)
        place = array.offset - first + position
        yield Lever(name, place, value, low, high, _step(high - low), array.unit)


def _range(name: str, value: float, given: tuple[float, float] | None) -> tuple[float, float]:
    if given is None:
        if value == 0 or not math.isfinite(value):
            raise ParameterError(
                f"levers: '{name}' is {value:g}, which has no half and double; "
                f"give a range, such as {{'{name}': (0, 1)}}"
            )
        low, high = sorted((value / 2, 2 * value))
        return low, high
    try:
        low, high = (float(end) for end in given)
    except (TypeError, ValueError):
        raise ParameterError(f"levers: '{name}': found {given!r}, expected (low, high)") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ParameterError(f"levers: '{name}': found {given!r}, expected (low, high), rising")
    return low, high


def _step(width: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not too coarse."""
    most = width / _STEPS
    power = 10.0 ** math.floor(math.log10(most))
    step = next(factor * power for factor in (5, 2, 1) if factor * power <= most * (1 + 1e-9))
    return float(f"{step:.12g}")


def charts_of(program: Program, wanted: Sequence[str] | None) -> list[Chart]:
    """Find the variables that the page draws.

    Parameters
    ----------
    program : Program
        A lowered model.
    wanted : sequence of str or None
        As for `kredslob.explore`.

    Returns
    -------
    list of Chart

    Raises
    ------
    ParameterError
        A name is unknown, or a variable has too many elements for one chart.
    """
    if isinstance(wanted, str):
        raise ParameterError(f"shown: found '{wanted}', expected a list of names")
    if wanted is None:
        stocks = [array for array in program.arrays.values() if array.kind == "stock"]
        found = [_found(program, stock.name, "shown") for stock in stocks[:MOST_CHARTS]]
        return [_chart(array, elements[:MOST_LINES]) for array, elements in found]
    if not wanted:
        raise ParameterError("shown: found no name, expected some variables")
    return [_chart(*_found(program, name, "shown")) for name in wanted]


def _chart(array: Array, elements: Sequence[tuple[str, int]]) -> Chart:
    if array.kind == "lookup":
        raise ParameterError(f"shown: '{array.name}' is a lookup, which has no course over time")
    if len(elements) > MOST_LINES:
        raise ParameterError(
            f"shown: '{array.name}' has {len(elements)} elements, a chart at most {MOST_LINES}; "
            f"name some, such as '{array.name}[{elements[0][0]}]'"
        )
    single = len(elements) == 1
    name = f"{array.name}[{elements[0][0]}]" if single and elements[0][0] else array.name
    lines = tuple(("" if single else e, array.offset + position) for e, position in elements)
    return Chart(name, array.unit, lines)


def _found(program: Program, label: str, what: str) -> tuple[Array, list[tuple[str, int]]]:
    """A variable, and the names and positions of its elements that a label means."""
    check_kind(what, label, str, "a list of names")
    name, bracket, inside = label.partition("[")
    shown = {key(n): a for n, a in program.arrays.items() if a.kind not in ("hidden", "rate")}
    array = shown.get(key(name))
    if array is None:
        near = hint(name.strip(), [a.name for a in shown.values()])
        raise ParameterError(f"{what}: {program.name} has no variable '{name.strip()}'{near}")
    axes = [program.ranges[dim] for dim in array.dims]
    elements = [(",".join(names), k) for k, names in enumerate(product(*axes))]
    if not bracket:
        return array, elements
    asked = [key(part) for part in inside.rstrip(" ]").split(",")]
    chosen = [e for e in elements if [key(part) for part in e[0].split(",")] == asked]
    if not chosen:
        known = ", ".join(e for e, _ in elements[:6]) or "none"
        raise ParameterError(
            f"{what}: '{array.name}' has no element '{inside.rstrip(' ]')}'; it has {known}"
        )
    return array, chosen
