"""How often one policy beats another, where both meet the same draws."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from kredslob.cycle.scenario import Scenario
from kredslob.design import RUN
from kredslob.program import key
from kredslob.simulation import Model
from kredslob.studies.evaluate import only
from kredslob.studies.factors import Factor, sample
from kredslob.studies.questions import cycle_correlations, cycle_factors, cycle_questions
from kredslob.studies.robustness import POLICY, evaluate_policies

DUELS_OVER = ("citizens helped", "net present value of public purse")
RIVAL = "rival"


def duels(
    model: Model, policies: Mapping[str, Scenario], *, draws: int, seed: int, years: int
) -> xr.Dataset:
    """Run policies over the same draws and count how often each beats each other.

    Parameters
    ----------
    model : Model
        The reinvestment model.
    policies : mapping of str to Scenario
        Two or more in one place. What any of them states otherwise than the parameter table, or
        than another, is a choice, and is not drawn.
    draws, seed : int
        As for `kredslob.studies.factors.sample`.
    years : int
        Horizon.

    Returns
    -------
    Dataset
        `DUELS_OVER`, each over ``policy`` and ``rival``: share of the draws (0 to 1) in which the
        policy has more; a draw in which both have the same counts one half for each.
    """
    factors = _drawn(policies)
    drawn = sample(factors, draws, seed=seed, correlations=cycle_correlations(factors))
    asked = only(cycle_questions(years), *DUELS_OVER)
    results = evaluate_policies(model, policies, drawn, asked, years=years)
    found = {name: won(results[name]) for name in DUELS_OVER}
    return xr.Dataset(found, attrs={"draws": draws, "seed": seed})


def won(values: xr.DataArray) -> xr.DataArray:
    """Share of draws in which each policy has more than each other.

    Parameters
    ----------
    values : DataArray (policy, run)
        Of which more is better; a number that is missing is less than any.
    """
    values = values.transpose(POLICY, RUN)
    own = np.nan_to_num(values.values, nan=-np.inf)
    more = own[:, None] > own[None]
    same = own[:, None] == own[None]
    names = values[POLICY].values
    shares = (more + 0.5 * same).mean(axis=-1)
    return xr.DataArray(shares, {POLICY: names, RIVAL: names}, (POLICY, RIVAL))


def _drawn(policies: Mapping[str, Scenario]) -> list[Factor]:
    """Uncertain parameters about which no policy decides."""
    several = list(policies.values())
    stated = [{key(name): repr(v) for name, v in one.parameters.items()} for one in several]
    chosen = {
        name for one in stated for name in one if len({other.get(name) for other in stated}) > 1
    }
    free = [{factor.name for factor in cycle_factors(one)} for one in several]
    return [
        factor
        for factor in cycle_factors(several[0])
        if all(factor.name in names for names in free)
        and key(factor.name.partition("[")[0]) not in chosen
    ]
