"""The uncertain inputs and the outcomes of the reinvestment model, ready for any study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.arguments import check_kind, check_whole, hint, is_number, refused
from kredslob.cycle.accounts import LAST_YEAR
from kredslob.cycle.correlations import correlation_table
from kredslob.cycle.draws import DISTRIBUTION, uncertain_rows
from kredslob.cycle.needed import check_is_cycle
from kredslob.cycle.outcomes import OUTCOME_VARIABLES, cycle_outcomes
from kredslob.cycle.parameters import Parameter
from kredslob.cycle.scenario import DEFAULT_SETTING, Scenario, load_scenario, parameter_table
from kredslob.cycle.threshold import LAST_PART
from kredslob.errors import ParameterError
from kredslob.simulation import HasParameters, Model, parameters_of
from kredslob.studies.evaluate import Outcomes
from kredslob.studies.factors import EVEN, Factor, sample
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


def cycle_factors(
    scenario: Mapping[str, Any] | HasParameters | None = None,
    structures: Mapping[str, float] | None = None,
) -> list[Factor]:
    """The uncertain parameters, each with the distribution of its row of the table.

    Parameters
    ----------
    scenario : mapping or object with ``parameters``, optional
        Place and policy. What it states otherwise than the table is a choice, and is held.
    structures : mapping of str to float, optional
        Chance, 0 to 1, that a hypothesis of the model holds, by name of its switch. Default: one
        half each.

    Returns
    -------
    list of Factor

    Raises
    ------
    ParameterError
        A name is no switch, a chance is not between 0 and 1, or the scenario states the switch.

    Examples
    --------
    >>> factors = kredslob.cycle_factors(kredslob.load_scenario())
    >>> "overhead share" in [factor.name for factor in factors]  # a choice, and not uncertain
    False
    """
    rows = uncertain_rows(parameter_table(), parameters_of(scenario))
    chances = _chances({} if structures is None else structures, rows)
    return [
        Factor(
            row.label,
            row.low,
            row.high,
            row.distribution,
            row.value if row.distribution == "triangular" else None,
            chance=chances.get(row.name, EVEN),
        )
        for row in rows
    ]


def _chances(structures: Mapping[str, float], rows: Sequence[Parameter]) -> dict[str, float]:
    switches = [row.name for row in parameter_table() if row.kind == "switch"]
    drawn = {row.name for row in rows}
    check_kind(
        "structures", structures, Mapping, f"chances by name, such as {{'{switches[0]}': 0.5}}"
    )
    for name, chance in structures.items():
        if name not in switches:
            known = f"expected one of {', '.join(switches)}{hint(name, switches)}"
            raise ParameterError(f"structures: found '{name}', {known}")
        if name not in drawn:
            raise ParameterError(f"structures: '{name}' is stated by the scenario and not drawn")
        if not (is_number(chance) and 0 <= chance <= 1):
            raise refused(f"structures: '{name}'", chance, "a number from 0 to 1")
    return dict(structures)


def cycle_correlations(factors: Sequence[Factor]) -> dict[tuple[str, str], float]:
    """Rank correlations of the file beside the parameter table, of pairs that are both drawn."""
    drawn = {factor.name for factor in factors}
    return {pair: rank for pair, rank in correlation_table().items() if drawn.issuperset(pair)}


def cycle_draws(
    scenario: Mapping[str, Any] | HasParameters | None,
    draws: int,
    *,
    method: str = "random",
    seed: int = 0,
    structures: Mapping[str, float] | None = None,
) -> xr.Dataset:
    """Draw all that is uncertain, with the correlations of the file beside the parameter table.

    Parameters
    ----------
    scenario : mapping or object with ``parameters``, optional
        As for `cycle_factors`.
    draws, method, seed
        As for `kredslob.studies.factors.sample`.
    structures : mapping of str to float, optional
        As for `cycle_factors`.

    Returns
    -------
    Dataset
        As from `kredslob.studies.factors.sample`.

    Raises
    ------
    ParameterError
        As for `cycle_factors` and `kredslob.studies.factors.sample`.
    """
    factors = cycle_factors(scenario, structures)
    return sample(
        factors, draws, method=method, seed=seed, correlations=cycle_correlations(factors)
    )


def distribution(
    correlations: Mapping[tuple[str, str], float], structures: Mapping[str, float] | None = None
) -> str:
    """Say how what is uncertain was drawn."""
    said = [DISTRIBUTION]
    if correlations:
        pairs = "; ".join(f"{a} with {b}: {rank:g}" for (a, b), rank in correlations.items())
        said.append(f"rank correlations by a Gaussian copula: {pairs}")
    if structures:
        chances = "; ".join(f"{name}: {chance:g}" for name, chance in structures.items())
        said.append(f"chances that hypotheses hold: {chances}")
    return "; ".join(said)


def whole_years(model: Model, years: float | None) -> int:
    """The horizon: as asked, or as the model file says.

    Raises
    ------
    ParameterError
        It is not 1 to 70 whole years, or the model is another one.
    """
    check_is_cycle(model)
    clock, values = model.program.clock, model.program.defaults
    end, start = (float(np.ravel(values[name])[0]) for name in (clock.final, clock.initial))
    length = end - start if years is None else years
    if not is_number(length) or length % 1 or not 1 <= length <= LAST_YEAR:
        raise refused("years", length, f"a whole number from 1 to {LAST_YEAR}")
    return int(length)


def cycle_questions(years: int) -> Outcomes:
    """What a run of the reinvestment model must answer, read at whole years.

    Parameters
    ----------
    years : int
        Horizon, 1 to 70. The start of its last quarter is saved too, for `late_coverage`.

    Returns
    -------
    Outcomes

    Examples
    --------
    >>> asked = kredslob.only(kredslob.cycle_questions(5), "citizens helped")
    >>> draws = kredslob.sample(kredslob.cycle_factors(), 20)
    >>> found = kredslob.evaluate(kredslob.load(), draws, asked, years=5)
    >>> found["citizens helped"].sizes["run"]
    20
    """
    check_whole("years", years, 1)
    times = {float(year) for year in range(years + 1)} | {(1 - LAST_PART) * years}
    return Outcomes(OUTCOME_VARIABLES, cycle_outcomes, sorted(times))


def cycle_policies(setting: Path | str = DEFAULT_SETTING) -> dict[str, Scenario]:
    """Candidate policies of a fund: how much is reinvested, and on whom it is spent.

    Parameters
    ----------
    setting : Path or str
        Name of a setting, or a TOML file, as for `kredslob.cycle.scenario.load_scenario`.

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

    Examples
    --------
    >>> "until-repaid" in kredslob.cycle_policies("national")
    True
    """
    place = load_scenario(None, setting)
    found = {name: load_scenario(name, setting) for name in _SHIPPED}
    for name, (changes, da, en) in _MORE.items():
        title = {"da": da, "en": en}
        found[name] = replace(place.with_parameters(changes), name=name, title=title)
    order = ("no-reinvestment", "quarter", "half", "three-quarters", "all")
    return {name: found[name] for name in (*order, *(n for n in found if n not in order))}


def cycle_levers() -> dict[str, tuple[float, float]]:
    """What a fund decides by a number, each with its range in the parameter table (Dmnl).

    Returns
    -------
    dict of str to (low, high)

    Examples
    --------
    >>> kredslob.cycle_levers()["reinvestment rate"]
    (0.0, 1.0)
    """
    rows = (parameter_table().of(name)[0] for name in _LEVERS)
    return {row.name: (row.low, row.high) for row in rows}


def cycle_objectives() -> list[Objective]:
    """What different people want of a fund: all larger is better.

    The fund at the end, citizens helped, complex need helped and the relief of each purse are
    means over draws; the downside is the 5 % quantile of the public purse's net present value.

    Returns
    -------
    list of Objective

    Examples
    --------
    >>> kredslob.cycle_objectives()[-1].name
    '5 % quantile of net present value of public purse'
    """
    wanted = ("fund at the end", "citizens helped", "complex need helped")
    relief = (f"relief of {purse}" for purse in _PURSES)
    downside = Objective("net present value of public purse", quantile=0.05)
    return [*(Objective(name) for name in (*wanted, *relief)), downside]
