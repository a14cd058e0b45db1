"""What is typed after an option, read: changes, rates, lists, chances and amounts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kredslob.errors import ParameterError

if TYPE_CHECKING:
    from kredslob.cycle.scenario import Scenario

RATE = "reinvestment rate"
RULE = "reinvestment rule"
DEFAULT_RATES = (0.0, 0.25, 0.5, 0.75, 1.0)
MOST_RATES = 21


def change(text: str) -> dict[str, Any]:
    """Read NAME=VALUE of ``--set``, where NAME may end in [element] or [element, element].

    Raises
    ------
    ParameterError
        It is written otherwise. Whether there is such a parameter, the scenario says.
    """
    name, equals, value = text.partition("=")
    match = re.fullmatch(r"\s*([^\[\]]+?)\s*(?:\[([^\[\]]+)\])?\s*", name)
    if not equals or not match:
        raise ParameterError(
            f"--set: found '{text}', expected name=value or name[element]=value, "
            "such as 'cashing delay[health]=18 months'"
        )
    changed: Any = _value(value.strip())
    for element in reversed([e.strip() for e in (match[2] or "").split(",") if e.strip()]):
        changed = {element: changed}
    return {match[1]: changed}


def _value(text: str) -> Any:
    """Read a value as TOML; what is not TOML, such as 18 months, is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def changed(chosen: Scenario, changes: Sequence[dict[str, Any]]) -> Scenario:
    """The scenario with these changes, one after the other."""
    for one in changes:
        chosen = chosen.with_parameters(one)
    return chosen


def listed(text: str | None) -> list[str]:
    """What stands between commas."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def rates(text: str | None, chosen: Scenario, own: bool) -> tuple[float, ...]:
    """Rates to compare, rising; none to run the scenario at its own.

    Parameters
    ----------
    text : str, optional
        Of ``--rates``. Without it five rates are compared, unless the scenario has its own.
    chosen : Scenario
        Whose rule may set the rate.
    own : bool
        Whether somebody chose a rate with the scenario.

    Raises
    ------
    ParameterError
        One is no number from 0 to 1, there are too many, or a rule sets the rate.
    """
    from kredslob.cycle.quantity import QuantityError, in_unit

    ruled = has_rule(chosen)
    if text is None:
        return () if own or ruled else DEFAULT_RATES
    if ruled:
        raise ParameterError(f"--rates: '{RULE}' sets the rate here; leave --rates out")
    try:
        found = {in_unit(part.strip(), "Dmnl") for part in text.split(",")}
    except QuantityError as problem:
        raise ParameterError(f"--rates: {problem}") from None
    for rate in found:
        if not 0 <= rate <= 1:
            hint = "; 50 percent is 0.5 or 50%, and a comma parts one rate from the next"
            raise ParameterError(f"--rates: found {rate:g}, expected numbers from 0 to 1{hint}")
    if len(found) > MOST_RATES:
        raise ParameterError(f"--rates: found {len(found)}, expected at most {MOST_RATES}")
    return tuple(sorted(found))


def has_rule(chosen: Scenario) -> bool:
    """Whether a rule sets the reinvestment rate, year by year."""
    return bool(chosen.parameters.get(RULE, 0) != 0)


def check_no_rule(chosen: Scenario) -> None:
    """Raise ParameterError where a rule sets the rate that a study means to set."""
    if has_rule(chosen):
        raise ParameterError(f"'{RULE}' sets the rate here; expected rule 0")


def chance(text: str) -> tuple[str, float]:
    """Read SWITCH=CHANCE of ``--structure``; the study knows which switches there are.

    Raises
    ------
    ParameterError
        The chance is no number.
    """
    name, _, given = text.partition("=")
    try:
        return name.strip(), float(given)
    except ValueError:
        raise ParameterError(
            f"--structure: found '{text}', expected switch=chance, such as 'switch prevention=0.8'"
        ) from None


def enough_of(text: str) -> tuple[str, tuple[float, None]]:
    """Read OUTCOME=AMOUNT of ``--enough``: at least that much is good enough.

    Raises
    ------
    ParameterError
        There is no name, or no number.
    """
    name, equals, amount = text.partition("=")
    try:
        value = float(amount)
    except ValueError:
        value = float("nan")
    if not equals or not name.strip() or value != value:
        raise ParameterError(
            f"--enough: found '{text}', expected outcome=number, such as 'citizens helped=90'"
        )
    return name.strip(), (value, None)
