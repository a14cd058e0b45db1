"""The uncertain inputs and the outcomes of the reinvestment model, ready for any study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kredslob.cycle.draws import uncertain_rows
from kredslob.cycle.outcomes import OUTCOME_VARIABLES, cycle_outcomes
from kredslob.cycle.scenario import parameter_table
from kredslob.cycle.threshold import LAST_PART
from kredslob.simulation import HasParameters
from kredslob.studies.evaluate import Outcomes
from kredslob.studies.factors import Factor


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
