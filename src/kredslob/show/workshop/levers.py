"""The levers of the workshop page, as data: what each one moves, how far, and how it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from kredslob.errors import KredslobError
from kredslob.program import Array, Program

Form = Literal["percent", "money", "years", "times", "number", "choice"]
EACH = "*"


@dataclass(frozen=True)
class Lever:
    """One lever.

    Parameters
    ----------
    constant : str
        The model's constant, or its table over time.
    low, high, step : float
        Where the slider ends and how far it jumps, in the constant's unit. The page widens the
        range where a setting or policy lies outside it.
    form : str
        How a value is written: percent, money (DKK), years, times, number; choice: one of
        the whole numbers from low to high, each with a word of its own.
    element : str
        The element it moves; empty: all of them; ``*``: a lever of its own for each.
    shown_when : tuple of (str, float)
        Constants that must have these values for the lever to matter.
    point : float, optional
        For a table over time, the year whose value it moves. The levers of one table together are
        its points; it is even between them and flat after the last.
    fold : str
        Neighbours with the same fold lie together under one heading, ``workshop.fold.NAME``, folded
        away until somebody asks for them; empty: the lever stands by itself.
    """

    constant: str
    low: float
    high: float
    step: float
    form: Form
    element: str = ""
    shown_when: tuple[tuple[str, float], ...] = ()
    point: float | None = None
    fold: str = ""

    @property
    def name(self) -> str:
        """Name of the lever: the constant, with its element or its year if it has one."""
        if self.point is not None:
            return f"{self.constant}[{self.point:g}]"
        return f"{self.constant}[{self.element}]" if self.element else self.constant


@dataclass(frozen=True)
class Group:
    """Levers that answer one question; its words are those of ``workshop.group.NAME``."""

    name: str
    levers: tuple[Lever, ...]


_SHARE: tuple[float, float, float, Form] = (0.0, 1.0, 0.05, "percent")
_NO_AGREEMENT = (("wrong pocket agreement", 0.0),)
_AGREEMENT = (("wrong pocket agreement", 1.0),)

LEVERS = (
    Group(
        "reinvest",
        (
            Lever("reinvestment rate", 0, 1, 0.01, "percent", "", (("reinvestment rule", 0.0),)),
            Lever("reinvestment rule", 0, 2, 1, "choice"),
            *(
                Lever(
                    "reinvestment schedule",
                    *_SHARE,
                    shown_when=(("reinvestment rule", 1.0),),
                    point=year,
                )
                for year in (0, 10, 20)
            ),
            Lever(
                "reinvestment rate after payback",
                *_SHARE,
                shown_when=(("reinvestment rule", 2.0),),
            ),
        ),
    ),
    Group(
        "money",
        (
            Lever("capital at start", 0, 50e6, 1e6, "money", EACH),
            Lever("capital per year", 0, 10e6, 0.5e6, "money", EACH, fold="yearly"),
            Lever("years of capital", 0, 40, 1, "years", fold="yearly"),
        ),
    ),
    Group(
        "who",
        (
            Lever("reserved share for complex need", *_SHARE),
            Lever("allocation weight", *_SHARE),
            Lever("group priority", 0, 3, 0.25, "times", EACH, fold="priority"),
            Lever("intensity", 0.5, 2, 0.1, "times", EACH, fold="intensity"),
        ),
    ),
    Group(
        "saving",
        (
            Lever("wrong pocket agreement", 0, 1, 1, "choice"),
            Lever("pledged share without agreement", *_SHARE, EACH, _NO_AGREEMENT),
            Lever("pledged share with agreement", *_SHARE, EACH, _AGREEMENT),
            Lever("recognition horizon", 1, 40, 1, "years"),
        ),
    ),
    Group(
        "private",
        (
            Lever("admitted share", *_SHARE),
            Lever("investor share of savings", *_SHARE),
            Lever("cap on multiple", 1, 2, 0.05, "times"),
            Lever("investor term", 3, 15, 1, "years"),
            Lever("outcome price", 0, 500e3, 10e3, "money"),
            Lever("paid share of deadweight", *_SHARE),
        ),
    ),
    Group(
        "running",
        (
            Lever("accounting rule", 0, 1, 1, "choice"),
            Lever("write off time", 3, 10, 0.5, "years"),
            Lever("evaluation share", 0, 0.2, 0.01, "percent"),
            Lever("overhead share", 0, 0.25, 0.01, "percent"),
        ),
    ),
    Group(
        "doubt",
        (
            Lever("optimism correction", 0.5, 1, 0.05, "percent"),
            Lever("identified share at start", 0.2, 0.8, 0.05, "percent"),
        ),
    ),
)


def levers_for_page(program: Program) -> list[dict[str, Any]]:
    """The groups of levers as plain data, each lever with the places that it moves.

    Parameters
    ----------
    program : Program
        The lowered reinvestment model.

    Returns
    -------
    list of dict
        Groups with "name" and "levers"; a lever's "places" count from the first constant.

    Raises
    ------
    KredslobError
        The model has no such constant or element.
    """
    return [
        {"name": group.name, "levers": [_plain(lever, program) for lever in group.levers]}
        for group in lever_groups(program)
    ]


def lever_groups(program: Program) -> list[Group]:
    """The groups of levers, with one lever for each element where `LEVERS` says ``*``.

    Parameters
    ----------
    program : Program
        The lowered reinvestment model, whose elements count.

    Returns
    -------
    list of Group
        In the order of `LEVERS`.

    Raises
    ------
    KredslobError
        The model has no such constant.
    """
    return [
        replace(group, levers=tuple(own for lever in group.levers for own in _each(lever, program)))
        for group in LEVERS
    ]


def _each(lever: Lever, program: Program) -> Iterator[Lever]:
    if lever.element != EACH:
        yield lever
        return
    for element in program.ranges[_constant(lever, program).dims[0]]:
        yield replace(lever, element=element)


def _plain(lever: Lever, program: Program) -> dict[str, Any]:
    return {
        "name": lever.name,
        "constant": lever.constant,
        "element": lever.element,
        "low": lever.low,
        "high": lever.high,
        "step": lever.step,
        "form": lever.form,
        "point": lever.point,
        "fold": lever.fold,
        "shownWhen": [list(condition) for condition in lever.shown_when],
        "places": list(_places(lever, program)),
    }


def _places(lever: Lever, program: Program) -> Iterator[int]:
    if lever.point is not None:
        if lever.constant not in program.tables:
            raise KredslobError(f"workshop: the model has no table '{lever.constant}'")
        return
    array = _constant(lever, program)
    first = array.offset - first_constant(program)
    if not lever.element:
        yield from range(first, first + array.size)
        return
    elements = program.ranges[array.dims[0]]
    if lever.element not in elements:
        raise KredslobError(
            f"workshop: '{lever.constant}' has no element '{lever.element}'; "
            f"expected one of {', '.join(elements)}"
        )
    yield first + elements.index(lever.element)


def _constant(lever: Lever, program: Program) -> Array:
    array = program.arrays.get(lever.constant)
    if array is None or array.kind != "constant":
        raise KredslobError(f"workshop: the model has no constant '{lever.constant}'")
    return array


def first_constant(program: Program) -> int:
    """Place in the memory of the first constant."""
    return min(program.arrays[name].offset for name in program.defaults)
