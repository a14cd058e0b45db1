"""How much a file may ask for, so that a hostile or mistaken one cannot bring a computer down."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace

from kredslob.arguments import check_kind
from kredslob.errors import ParameterError

VARIABLE = "KREDSLOB_LIMITS"


@dataclass(frozen=True)
class Limits:
    """The most that a model and the files it names may ask for.

    Each limit is far above any public model known to us; raise one where a model needs it.

    Parameters
    ----------
    file_bytes : int
        Size of a model file. The largest public models are under 10 MB with their sketches.
    data_file_bytes : int
        Size of each table or workbook that a model names, a workbook's unpacked.
    nesting : int
        Levels of parentheses, calls and powers in an equation. A much deeper equation also needs
        a higher ``sys.setrecursionlimit``.
    equation_characters : int
        Length of one equation.
    equation_parts : int
        Names, calls and operations of one equation, once its functions are written out.
    equations : int
        Variables of the model, with those of its macros and modules wherever they are used.
    elements : int
        Elements of all subscript ranges together, with what each range takes from others.
    values : int
        Numbers that the model holds at a time: each variable times the product of its subscripts.
    lookup_points : int
        Points of all lookups and data together.
    steps : int
        Time steps of one run.
    saved_values : int
        Numbers that runs keep in memory: runs times saved times times variables and elements.
    table_bytes : int
        Size of a scenario, setting or parameter table.

    Examples
    --------
    >>> kredslob.Limits(steps=50_000_000).steps
    50000000
    """

    file_bytes: int = 20_000_000
    data_file_bytes: int = 100_000_000
    nesting: int = 80
    equation_characters: int = 1_000_000
    equation_parts: int = 50_000
    equations: int = 200_000
    elements: int = 1_000_000
    values: int = 5_000_000
    lookup_points: int = 500_000
    steps: int = 20_000_000
    saved_values: int = 2**29
    table_bytes: int = 1_000_000

    def __post_init__(self) -> None:
        for field in fields(self):
            most = getattr(self, field.name)
            if isinstance(most, bool) or not isinstance(most, int) or most < 1:
                raise ParameterError(
                    f"limits: found {field.name}={most!r}, expected a whole number above 0"
                )

    def exceeded(self, limit: str, found: str) -> str:
        """Say that a file asks for more than it may, and how to let it.

        Parameters
        ----------
        limit : str
            Name of the limit.
        found : str
            What was found, such as "has 30,000,000 bytes".

        Returns
        -------
        str
            One line for a person.

        Examples
        --------
        >>> print(kredslob.Limits(steps=9).exceeded("steps", "takes 12 steps"))
        takes 12 steps, expected at most 9; if you trust it, allow more with
        Limits(steps=...) or KREDSLOB_LIMITS=steps=...
        """
        most = getattr(self, limit)
        return (
            f"{found}, expected at most {most:,}; if you trust it, allow more with "
            f"Limits({limit}=...) or {VARIABLE}={limit}=..."
        )


def limits_in_force(given: Limits | None = None) -> Limits:
    """The limits that were given, or else those of the environment.

    Parameters
    ----------
    given : Limits, optional
        Default: our own, changed by the environment variable ``KREDSLOB_LIMITS``, such as
        ``steps=1e9,values=20000000``.

    Raises
    ------
    ParameterError
        The variable names no limit, or a limit that is no whole number.
    """
    if given is not None:
        check_kind("limits", given, Limits, "kredslob.Limits(...), such as Limits(steps=1000000)")
        return given
    changes: dict[str, int] = {}
    known = [field.name for field in fields(Limits)]
    for part in filter(None, (p.strip() for p in os.environ.get(VARIABLE, "").split(","))):
        name, _, text = (x.strip() for x in part.partition("="))
        if name not in known:
            raise ParameterError(f"{VARIABLE}: found '{name}', expected one of {', '.join(known)}")
        try:
            changes[name] = int(float(text))
        except (ValueError, OverflowError):
            raise ParameterError(
                f"{VARIABLE}: found '{part}', expected a number, such as {name}=1e8"
            ) from None
    return replace(Limits(), **changes)
