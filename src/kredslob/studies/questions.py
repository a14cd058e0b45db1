"""The uncertain inputs and the outcomes of the reinvestment model, ready for any study."""

from __future__ import annotations

from kredslob.cycle.draws import uncertain_rows
from kredslob.cycle.outcomes import OUTCOME_VARIABLES, cycle_outcomes
from kredslob.cycle.scenario import Scenario, parameter_table
from kredslob.studies.evaluate import Outcomes
from kredslob.studies.factors import Factor


def cycle_factors(scenario: Scenario) -> list[Factor]:
    """The uncertain parameters, each with the distribution of its row of the table.

    Parameters
    ----------
    scenario : Scenario
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
        for row in uncertain_rows(parameter_table(), scenario.parameters)
    ]


def cycle_questions(years: int) -> Outcomes:
    """What a run of the reinvestment model must answer, read at whole years."""
    return Outcomes(OUTCOME_VARIABLES, cycle_outcomes, [float(year) for year in range(years + 1)])
