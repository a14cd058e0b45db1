"""The uncertain inputs and the outcomes of the reinvestment model, ready for any study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kredslob.cycle.draws import uncertain_rows
from kredslob.cycle.outcomes import OUTCOME_VARIABLES, cycle_outcomes
from kredslob.cycle.scenario import DEFAULT_SETTING, Scenario, load_scenario, parameter_table
from kredslob.cycle.threshold import LAST_PART
from kredslob.simulation import HasParameters
from kredslob.studies.evaluate import Outcomes
from kredslob.studies.factors import Factor
from kredslob.studies.search import Objective

_SHIPPED = (
    "no-reinvestment",
    "half",
    "all",
    "schedule",
    "until-repaid",
    "need-driven",
    "return-driven",
    "complex-first",
)
_RATE, _RESERVED = "reinvestment rate", "reserved share for complex need"
_MORE: Mapping[str, tuple[Mapping[str, Any], str, str]] = {
    "quarter": (
        {_RATE: "25 %"},
        "En fjerdedel geninvesteres",
        "A quarter is reinvested",
    ),
    "three-quarters": (
        {_RATE: "75 %"},
        "Tre fjerdedele geninvesteres",
        "Three quarters are reinvested",
    ),
    "complex-three-in-ten": (
        {_RESERVED: "30 %", "allocation weight": 0},
        "Tre ud af ti kroner til komplekse behov",
        "Three kroner in ten for complex need",
    ),
}
_LEVERS = (_RATE, "allocation weight", _RESERVED, "evaluation share")
_PURSES = ("municipality", "region", "state")


def cycle_factors(scenario: Mapping[str, Any] | HasParameters | None) -> list[Factor]:
    """The uncertain parameters, each with the distribution of its row of the table.

    Parameters
    ----------
    scenario : mapping or object with ``parameters``, optional
        Place and policy. What it states otherwise than the table is a choice, and is held.

    Returns
    -------
    list of Factor
    """
    return [
        Factor(
            row.label,
            row.low,
            row.high,
            row.distribution,
            row.value if row.distribution == "triangular" else None,
        )
        for row in uncertain_rows(parameter_table(), stated_in(scenario))
    ]


def stated_in(scenario: Mapping[str, Any] | HasParameters | None) -> Mapping[str, Any]:
    """Parameters that a scenario states, in whichever form it is given."""
    return scenario.parameters if isinstance(scenario, HasParameters) else scenario or {}


def cycle_questions(years: int) -> Outcomes:
    """What a run of the reinvestment model must answer, read at whole years.

    Parameters
    ----------
    years : int
        Horizon, 1 to 70. The start of its last quarter is saved too, for `late_coverage`.

    Returns
    -------
    Outcomes
    """
    times = {float(year) for year in range(years + 1)} | {(1 - LAST_PART) * years}
    return Outcomes(OUTCOME_VARIABLES, cycle_outcomes, sorted(times))


def cycle_policies(setting: str = DEFAULT_SETTING) -> dict[str, Scenario]:
    """Candidate policies of a fund: how much is reinvested, and on whom it is spent.

    Parameters
    ----------
    setting : str
        Name of a setting, as for `kredslob.cycle.scenario.load_scenario`.

    Returns
    -------
    dict of str to Scenario
        Constant reinvestment rates of 0, 25, 50, 75 and 100 percent, the schedule, the rule that
        first pays the fund back; and at the setting's own rate money by need, by expected return,
        and with three or six kroner in ten reserved for complex need.

    Raises
    ------
    KredslobError
        No setting has that name.
    """
    place = load_scenario(None, setting)
    found = {name: load_scenario(name, setting) for name in _SHIPPED}
    for name, (changes, da, en) in _MORE.items():
        title = {"da": da, "en": en}
        found[name] = replace(place.with_parameters(changes), name=name, title=title)
    order = ("no-reinvestment", "quarter", "half", "three-quarters", "all")
    return {name: found[name] for name in (*order, *(n for n in found if n not in order))}


def cycle_levers() -> dict[str, tuple[float, float]]:
    """What a fund decides by a number, each with its range in the parameter table (Dmnl)."""
    rows = (parameter_table().of(name)[0] for name in _LEVERS)
    return {row.name: (row.low, row.high) for row in rows}


def cycle_objectives() -> list[Objective]:
    """What different people want of a fund: all larger is better.

    The fund at the end, citizens helped, complex need helped and the relief of each purse are
    means over draws; the downside is the 5 % quantile of the public purse's net present value.
    """
    wanted = ("fund at the end", "citizens helped", "complex need helped")
    relief = (f"relief of {purse}" for purse in _PURSES)
    downside = Objective("net present value of public purse", quantile=0.05)
    return [*(Objective(name) for name in (*wanted, *relief)), downside]
