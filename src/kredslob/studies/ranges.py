"""Ranges that a person states for inputs of the reinvestment model, held against its table."""

from __future__ import annotations

from kredslob.arguments import hint
from kredslob.cycle.parameters import Parameter
from kredslob.cycle.quantity import QuantityError, in_unit
from kredslob.cycle.scenario import parameter_table
from kredslob.errors import ParameterError
from kredslob.studies.factors import Factor

_EXAMPLE = "'cashable share[social]=0.4:0.8'"


def stated_range(text: str, option: str) -> Factor:
    """Read an input with its range.

    Parameters
    ----------
    text : str
        ``NAME=LOW:HIGH`` (uniform) or ``NAME=LOW:VALUE:HIGH`` (triangular); the name with its
        elements in brackets, the numbers in the table's unit or with their own.
    option : str
        What to call it in a message.

    Raises
    ------
    ParameterError
        The text has another form, the name is unknown or no number to vary, or a number cannot be
        read, lies outside its bounds, or does not lie above the one before.

    Examples
    --------
    >>> stated_range("cashable share[social]=0.4:0.8", "--range").high
    0.8
    """
    name, equals, rest = text.partition("=")
    parts = rest.split(":")
    if not equals or len(parts) not in (2, 3):
        raise ParameterError(
            f"{option}: found '{text}', expected name=low:high, such as {_EXAMPLE}"
        )
    row = _row(name, option)
    try:
        numbers = [in_unit(part.strip(), row.unit) for part in parts]
    except QuantityError as problem:
        raise ParameterError(f"{option}: '{row.label}': {problem}") from None
    for number in numbers:
        if not row.minimum <= number <= row.maximum:
            bounds = f"from {row.minimum:g} to {row.maximum:g}"
            raise ParameterError(
                f"{option}: '{row.label}': found {number:g}, expected numbers {bounds}"
            )
    try:
        if len(numbers) == 2:
            return Factor(row.label, numbers[0], numbers[1])
        return Factor(row.label, numbers[0], numbers[2], "triangular", numbers[1])
    except ParameterError as problem:
        raise ParameterError(f"{option}: {problem}") from None


def _row(name: str, option: str) -> Parameter:
    rows = {_spelled(row.label): row for row in parameter_table() if row.kind != "structure"}
    found = rows.get(_spelled(name))
    if found is None:
        labels = [row.label for row in rows.values()]
        raise ParameterError(
            f"{option}: '{name.strip()}' is no number of the parameter table{hint(name, labels)}"
        )
    if found.kind == "switch":
        raise ParameterError(f"{option}: '{found.label}' is on or off and has no range")
    return found


def _spelled(label: str) -> str:
    return label.replace(" ", "").casefold()
