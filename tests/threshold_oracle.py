"""The saving of a course start, worked out cell by cell with one inverse, for one run.

The engine's own way solves the transposed equations for many runs at once. This is the plain form
of the same algebra: where a person is moved to, times the time spent in each state, times its cost.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

GROUPS_AND_NEEDS = ("Group", "Need")
_SHORTEST = 1e-6  # years: a delay of nothing


def avoided_cost_per_start(now: xr.Dataset) -> xr.DataArray:
    cells = now["effect of a course"].transpose(*GROUPS_AND_NEEDS)
    groups, needs = cells.sizes["Group"], cells.sizes["Need"]
    lasting = np.linalg.inv(-_chain(now))
    priced = now["use in crisis"] * now["need use factor"] * now["unit cost"]
    use = priced.transpose(*GROUPS_AND_NEEDS, "Administration").values
    strained = now["use when strained"].values
    stable = now["use when newly stable"].values
    administrations = now.sizes["Administration"]
    # cost of a person-year in each state of each cell; thriving costs nothing extra
    by_state = np.zeros((groups, needs, 4, administrations))
    by_state[:, :, 1] = use * strained
    by_state[:, :, 2] = use
    by_state[:, :, 3] = use * stable
    cost = by_state.reshape(-1, administrations)
    out = np.zeros((groups, needs, administrations))
    for g in range(groups):
        for n in range(needs):
            moved = np.zeros((groups, needs, 4))
            moved[g, n] = _moved_by_a_start(now, g, n)
            out[g, n] = -(lasting @ moved.ravel()) @ cost
    dims = (*GROUPS_AND_NEEDS, "Administration")
    return xr.DataArray(out, {d: now[d].values for d in dims}, dims)


def _moved_by_a_start(now: xr.Dataset, g: int, n: int) -> np.ndarray:
    """Persons that one start adds to thriving, strained, crisis and newly stable when it ends."""

    def of(name: str) -> float:
        array = now[name]
        index = {d: i for d, i in (("Group", g), ("Need", n)) if d in array.dims}
        return float(array.isel(index))

    worsening, easing = of("worsening rate"), of("easing rate")
    recovery, leaving = of("recovery rate"), of("yearly exit")
    ending = 1 / max(of("course length"), _SHORTEST)
    reached_strained = of("reachable share of strained") * of("Counterfactual Strained")
    reached_crisis = of("reachable share of crisis") * of("Counterfactual Crisis")
    reached = reached_strained + reached_crisis
    crisis_part = reached_crisis / reached if reached else 0.0  # nobody: no start either
    during = np.array(
        [
            [-(worsening + recovery + leaving + ending), easing],
            [worsening, -(easing + leaving + ending)],
        ]
    )
    ended = np.linalg.solve(-during, [1 - crisis_part, crisis_part]) * ending
    completed = ended * of("completion share")
    effect = of("effect of a course")
    lifted = completed * max(0.0, effect)
    harmed = completed[0] * max(0.0, -effect)
    return np.array([0.0, -lifted[0] - harmed, -lifted[1] + harmed, lifted.sum()])


def _chain(now: xr.Dataset) -> np.ndarray:
    """Rates of the citizen chain, 4 states (thriving, strained, crisis, newly stable) a cell."""
    groups, needs = now.sizes["Group"], now.sizes["Need"]

    def of(name: str) -> np.ndarray:
        array = now[name]
        full = array.broadcast_like(now["worsening rate"]).transpose(*GROUPS_AND_NEEDS)
        return np.asarray(full.values, dtype=float)

    worsening, easing, recovery = of("worsening rate"), of("easing rate"), of("recovery rate")
    setback, leaving, relapse = of("yearly setback"), of("yearly exit"), of("yearly relapse")
    consolidation = np.full_like(worsening, 1 / max(float(now["consolidation time"]), _SHORTEST))
    rates = np.zeros((groups, needs, 4, groups, needs, 4))
    for g in range(groups):
        for n in range(needs):
            cell = rates[g, n, :, g, n, :]
            cell[0, :] = [-setback[g, n] - leaving[g, n], recovery[g, n], 0, consolidation[g, n]]
            cell[1, :] = [
                setback[g, n],
                -worsening[g, n] - recovery[g, n] - leaving[g, n],
                easing[g, n],
                relapse[g, n],
            ]
            cell[2, 1:3] = [worsening[g, n], -easing[g, n] - leaving[g, n]]
            cell[3, 3] = -relapse[g, n] - consolidation[g, n] - leaving[g, n]
    _add_prevention(rates, now, of("new cases without the fund"))
    return rates.reshape(groups * needs * 4, -1)


def _add_prevention(rates: np.ndarray, now: xr.Dataset, new_cases: np.ndarray) -> None:
    """Add the new cases for each citizen more in crisis (R5); their delay does not matter here."""
    if not float(now["switch prevention"]):
        return
    crisis = now["Counterfactual Crisis"].transpose(*GROUPS_AND_NEEDS).values.sum(axis=1)
    spread, inherited = now["spread share"].values, now["inherited share"].values
    families = list(now["Group"].values).index("families")
    per_case = np.divide(1.0, crisis, out=np.zeros_like(crisis), where=crisis > 0)
    for g in range(len(crisis)):
        for n in range(new_cases.shape[1]):
            rates[g, n, 1, g, :, 2] += new_cases[g, n] * spread[g] * per_case[g]
            rates[g, n, 1, families, :, 2] += new_cases[g, n] * inherited[g] * per_case[families]
