"""Does the cycle carry itself? The loop gain by linear algebra, and what a run shows.

One krone of spending buys part of a course; the course lifts part of a citizen; the lifted citizen
moves the whole chain away from its counterfactual; the integral of that difference is the saving
that the krone ever makes. All of it is linear as long as nothing saturates, so the integral is one
linear solve, and the loop gain is

    G = rate x pledged x identified x cashable x (avoided cost a krone) x (course share).

Below one, money that goes round comes back smaller; at one it comes back whole. Delays set the
speed of the round, not its gain (compare the recycling multiplier 1 / (1 - G)).
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from kredslob.cycle.needed import check_time, check_variables

GROUPS_AND_NEEDS = ("Group", "Need")
_CHAIN = (
    "Counterfactual Crisis",
    "Counterfactual Strained",
    "completion share",
    "consolidation time",
    "course length",
    "easing rate",
    "effect of a course",
    "inherited share",
    "need use factor",
    "new cases without the fund",
    "reachable share of crisis",
    "reachable share of strained",
    "recovery rate",
    "spread share",
    "switch prevention",
    "unit cost",
    "use in crisis",
    "use when newly stable",
    "use when strained",
    "worsening rate",
    "yearly exit",
    "yearly relapse",
    "yearly setback",
)
GAIN_VARIABLES = (
    *_CHAIN,
    "Documentation Capability",
    "cashable share",
    "course price",
    "course share of spending",
    "money part",
    "pledged share",
    "purse share",
    "recognition horizon",
    "reinvestment rate in force",
    "yearly fade",
)
"""What `loop_gain` and `critical_rate` read of a run, to be saved where many are made."""
COVERAGE_VARIABLES = (
    "Cumulated Interest",
    "Cumulated Paid In",
    "Cumulated Paid To Investors",
    "Cumulated Returned Savings",
    "Cumulated Spent",
    "total cash",
)
"""What `late_coverage` and `margin` read of a run."""
_RUN = "one run"  # all dimensions of a sweep as one
_RUNS_AT_ONCE = 4096  # 18 kB of rates each
_SHORTEST = 1e-6  # years: a delay of nothing
_LONGEST = 1e6  # years: a stay that nothing ends
LAST_PART = 0.25  # of the horizon: late enough for the start to be forgotten
_EMPTY = 0.01  # of the capital paid in


def loop_gain(runs: xr.Dataset, *, time: float | None = None) -> xr.DataArray:
    """Kroner that come back to the fund, in the end, for one krone it spends now.

    Parameters
    ----------
    runs : Dataset
        A run or sweep of the reinvestment model with all its variables.
    time : float, optional
        Year at which allocation, effect, pledges, rate and documentation are read.
        Default: the last one.

    Returns
    -------
    DataArray
        Gain (Dmnl), over the extra dimensions of a sweep. Exact where nothing saturates and the
        share of recognised savings is at rest; otherwise the gain at the margin of that year.
        Claims of investors are not taken off: they end, the loop goes on.

    Raises
    ------
    ParameterError
        The run lacks a variable, or does not reach that time.

    Examples
    --------
    >>> run = kredslob.load().run(reinvestment_rate=1, years=20)
    >>> round(float(kredslob.loop_gain(run)), 2)
    0.25
    >>> round(float(kredslob.loop_gain(run, time=5)), 2)
    0.28
    """
    now = _at("loop gain", runs, time)
    return _loop_gain(now, _gain_at_full_rate(now))


def critical_rate(runs: xr.Dataset, *, time: float | None = None) -> xr.DataArray:
    """Reinvestment rate at which the loop gain is one: from there on the cycle carries itself.

    Parameters
    ----------
    runs : Dataset
        A run or sweep of the reinvestment model with all its variables.
    time : float, optional
        As for `loop_gain`.

    Returns
    -------
    DataArray
        Rate (Dmnl). Above one, no rate is enough, and the figure says how many times as much each
        krone would have to bring back; infinite where nothing comes back. Other things are as they
        were in the run: a higher rate may wear down support, which this does not see.

    Raises
    ------
    ParameterError
        As for `loop_gain`.

    Examples
    --------
    >>> run = kredslob.load().run(reinvestment_rate=1, years=20)
    >>> round(float(kredslob.critical_rate(run)), 2)
    3.93
    """
    return _critical_rate(_gain_at_full_rate(_at("critical rate", runs, time)))


def _loop_gain(now: xr.Dataset, at_full_rate: xr.DataArray) -> xr.DataArray:
    gain = at_full_rate * now["reinvestment rate in force"]
    gain.attrs = {"units": "Dmnl", "long_name": "loop gain of the reinvestment cycle"}
    return gain.rename("loop gain")


def _critical_rate(at_full_rate: xr.DataArray) -> xr.DataArray:
    some = at_full_rate > 0
    rate = xr.where(some, 1 / at_full_rate.where(some, 1.0), np.inf)
    rate.attrs = {"units": "Dmnl", "long_name": "critical reinvestment rate"}
    return rate.rename("critical rate")


def _at(what: str, runs: xr.Dataset, time: float | None) -> xr.Dataset:
    check_variables(what, runs, GAIN_VARIABLES)
    check_time(what, runs, time)
    return runs.isel(time=-1) if time is None else runs.sel(time=time, method="nearest")


def _gain_at_full_rate(now: xr.Dataset) -> xr.DataArray:
    per_start = avoided_cost_per_start(now)
    fade = now["yearly fade"]
    recognised = fade / (fade + 1 / now["recognition horizon"])
    starts_per_krone = now["money part"] / now["course price"] * now["course share of spending"]
    identified = now["cashable share"] * now["Documentation Capability"]
    by_administration = (starts_per_krone * recognised * per_start).sum(GROUPS_AND_NEEDS)
    by_purse = (by_administration * identified * now["purse share"]).sum("Administration")
    return (by_purse * now["pledged share"]).sum("Purse")


def avoided_cost_per_start(now: xr.Dataset) -> xr.DataArray:
    """Cost at average price that one course start avoids, ever, against nobody being helped.

    Parameters
    ----------
    now : Dataset
        Values of the model's variables at one time.

    Returns
    -------
    DataArray
        DKK per person started, over Group, Need and Administration (and sweep dimensions, first).
    """
    swept = [d for d in now["effect of a course"].dims if d not in GROUPS_AND_NEEDS]
    now = now[[*_CHAIN]]
    flat = now.stack({_RUN: swept}) if swept else now.expand_dims(_RUN)
    parts = [
        _avoided_cost(flat.isel({_RUN: slice(first, first + _RUNS_AT_ONCE)}))
        for first in range(0, flat.sizes[_RUN], _RUNS_AT_ONCE)
    ]
    values = np.concatenate(parts).reshape(*(now.sizes[d] for d in swept), *parts[0].shape[1:])
    dims = (*swept, *GROUPS_AND_NEEDS, "Administration")
    return xr.DataArray(values, {d: now[d] for d in dims if d in now.coords}, dims)


def _avoided_cost(runs: xr.Dataset) -> np.ndarray:
    """Avoided cost a start, shape (run, group, need, administration).

    A start moves its own cell only, but all cells feel it; so the equations are solved for what a
    person in each state will ever cost (the transposed chain), one right side an administration.
    """
    cost = _cost_of_states(runs)
    count, groups, needs, states, administrations = cost.shape
    transposed = -_chain(runs).transpose(0, 2, 1)
    ever = np.linalg.solve(transposed, cost.reshape(count, -1, administrations))
    ever = ever.reshape(count, groups, needs, states, administrations)
    return -np.einsum("rgns,rgnsa->rgna", _moved_by_a_start(runs), ever)


def _cost_of_states(runs: xr.Dataset) -> np.ndarray:
    """Yearly cost of a person, shape (run, group, need, state, administration)."""
    dims = (*GROUPS_AND_NEEDS, "Administration")
    priced = runs["use in crisis"] * runs["need use factor"] * runs["unit cost"]
    template = runs["effect of a course"]
    in_crisis = priced.broadcast_like(template).transpose(_RUN, *dims).values
    cost = np.zeros((*in_crisis.shape[:3], 4, in_crisis.shape[3]))  # thriving costs nothing extra
    for state, name in ((1, "use when strained"), (3, "use when newly stable")):
        share = runs[name].broadcast_like(template).transpose(_RUN, *dims).values
        cost[..., state, :] = in_crisis * share
    cost[..., 2, :] = in_crisis
    return cost


def _cells(runs: xr.Dataset, name: str) -> np.ndarray:
    """Values of a variable, shape (run, group, need)."""
    full = runs[name].broadcast_like(runs["effect of a course"])
    return np.asarray(full.transpose(_RUN, *GROUPS_AND_NEEDS).values, dtype=float)


def _moved_by_a_start(runs: xr.Dataset) -> np.ndarray:
    """Persons that one start adds to each state when it ends, shape (run, group, need, state)."""
    worsening, easing = _cells(runs, "worsening rate"), _cells(runs, "easing rate")
    recovery, leaving = _cells(runs, "recovery rate"), _cells(runs, "yearly exit")
    ending = 1 / np.maximum(_cells(runs, "course length"), _SHORTEST)
    from_strained = _cells(runs, "reachable share of strained") * _cells(
        runs, "Counterfactual Strained"
    )
    from_crisis = _cells(runs, "reachable share of crisis") * _cells(runs, "Counterfactual Crisis")
    reached = from_strained + from_crisis
    # nobody to reach: no start either
    crisis_part = np.divide(from_crisis, reached, out=np.zeros_like(reached), where=reached != 0)
    during = np.empty((*reached.shape, 2, 2))
    during[..., 0, 0] = worsening + recovery + leaving + ending
    during[..., 0, 1] = -easing
    during[..., 1, 0] = -worsening
    during[..., 1, 1] = easing + leaving + ending
    begun = np.stack([1 - crisis_part, crisis_part], axis=-1)[..., np.newaxis]
    ended = np.linalg.solve(during, begun)[..., 0] * ending[..., np.newaxis]
    completed = ended * _cells(runs, "completion share")[..., np.newaxis]
    effect = _cells(runs, "effect of a course")
    lifted = completed * np.maximum(0.0, effect)[..., np.newaxis]
    harmed = completed[..., 0] * np.maximum(0.0, -effect)
    strained, crisis = -lifted[..., 0] - harmed, -lifted[..., 1] + harmed
    return np.stack([np.zeros_like(harmed), strained, crisis, lifted.sum(axis=-1)], axis=-1)


def _chain(runs: xr.Dataset) -> np.ndarray:
    """Rates of the citizen chain, 4 states (thriving, strained, crisis, newly stable) a cell."""
    worsening, easing = _cells(runs, "worsening rate"), _cells(runs, "easing rate")
    recovery, setback = _cells(runs, "recovery rate"), _cells(runs, "yearly setback")
    leaving, relapse = _cells(runs, "yearly exit"), _cells(runs, "yearly relapse")
    leaving = np.maximum(leaving, 1 / _LONGEST)  # else the years spent have no sum
    consolidation = 1 / np.maximum(_cells(runs, "consolidation time"), _SHORTEST)
    count, groups, needs = worsening.shape
    rates = np.zeros((count, groups, needs, 4, groups, needs, 4))
    for g in range(groups):
        for n in range(needs):
            cell = rates[:, g, n, :, g, n, :]
            of = np.s_[:, g, n]
            cell[:, 0, 0] = -setback[of] - leaving[of]
            cell[:, 0, 1] = recovery[of]
            cell[:, 0, 3] = consolidation[of]
            cell[:, 1, 0] = setback[of]
            cell[:, 1, 1] = -worsening[of] - recovery[of] - leaving[of]
            cell[:, 1, 2] = easing[of]
            cell[:, 1, 3] = relapse[of]
            cell[:, 2, 1] = worsening[of]
            cell[:, 2, 2] = -easing[of] - leaving[of]
            cell[:, 3, 3] = -relapse[of] - consolidation[of] - leaving[of]
    _add_prevention(rates, runs)
    return rates.reshape(count, groups * needs * 4, -1)


def _add_prevention(rates: np.ndarray, runs: xr.Dataset) -> None:
    """Add the new cases for each citizen more in crisis (R5); their delay does not matter here."""
    on = (_cells(runs, "switch prevention") != 0).astype(float)
    new_cases = on * _cells(runs, "new cases without the fund")
    crisis = _cells(runs, "Counterfactual Crisis").sum(axis=2)
    per_case = np.divide(1.0, crisis, out=np.zeros_like(crisis), where=crisis > 0)
    families = list(runs["Group"].values).index("families")
    spread = new_cases * _cells(runs, "spread share") * per_case[:, :, np.newaxis]
    inherited = (
        new_cases * _cells(runs, "inherited share") * per_case[:, families, np.newaxis, np.newaxis]
    )
    groups, needs = new_cases.shape[1:]
    for g in range(groups):
        for n in range(needs):
            rates[:, g, n, 1, g, :, 2] += spread[:, g, n, np.newaxis]
            rates[:, g, n, 1, families, :, 2] += inherited[:, g, n, np.newaxis]


def sustaining(runs: xr.Dataset) -> xr.Dataset:
    """Whether a run's fund carries itself, read from the run.

    Parameters
    ----------
    runs : Dataset
        A run or sweep of the reinvestment model.

    Returns
    -------
    Dataset
        "coverage": see `late_coverage`;
        "self-sustaining": see `margin`; "loop gain" and "critical rate": see
        `loop_gain` and `critical_rate`, at the end.
    """
    coverage = late_coverage(runs)
    carries = margin(runs) >= 0
    carries.attrs = {"units": "Dmnl", "long_name": "the fund carries itself"}
    end = _at("loop gain", runs, None)
    gain = _gain_at_full_rate(end)
    return xr.Dataset(
        {
            "coverage": coverage,
            "self-sustaining": carries,
            "loop gain": _loop_gain(end, gain),
            "critical rate": _critical_rate(gain),
        }
    )


def late_coverage(runs: xr.Dataset) -> xr.DataArray:
    """Share of the fund's late spending that its own savings cover.

    Parameters
    ----------
    runs : Dataset
        A run or sweep of the reinvestment model, with `COVERAGE_VARIABLES` saved at the start of
        its last quarter and at its end.

    Returns
    -------
    DataArray
        Returned savings and interest less payments to investors, over the last quarter of the
        horizon, as a share of spending in it (Dmnl; 0 where nothing is spent). With no capital
        from outside it is one plus the growth of the fund's cash over the disbursement time, so it
        passes one where the fund turns from shrinking to growing.
    """
    start = float(runs["time"][-1]) - LAST_PART * float(runs["time"][-1] - runs["time"][0])
    spent = _change(runs["Cumulated Spent"].sum("Capital"), start)
    came = _change(
        runs["Cumulated Returned Savings"].sum("Capital")
        + runs["Cumulated Interest"].sum("Capital")
        - runs["Cumulated Paid To Investors"].sum("Capital"),
        start,
    )
    coverage = xr.where(spent > 0, came / spent.where(spent > 0, 1.0), 0.0)
    coverage.attrs = {"units": "Dmnl", "long_name": "share of late spending that savings cover"}
    return coverage


def margin(runs: xr.Dataset) -> xr.DataArray:
    """By how much a fund carries itself: from zero up it does, below it does not.

    A fund carries itself if its savings cover its late spending and it has not run empty: it holds
    at least a hundredth of the capital paid in. Without the latter, a few late savings that drip
    into an empty fund would count, since next to nothing is spent then.

    Parameters
    ----------
    runs : Dataset
        As for `late_coverage`.

    Returns
    -------
    DataArray
        The lesser of late coverage and of cash at the end over a hundredth of the capital paid in,
        less one (Dmnl). It moves without jumps with the parameters, so its root can be sought.
    """
    end = runs.isel(time=-1, drop=True)
    least = _EMPTY * end["Cumulated Paid In"].sum("Capital")
    held = xr.where(least > 0, end["total cash"] / least.where(least > 0, 1.0), 0.0)
    margin = np.minimum(late_coverage(runs), held) - 1
    margin.attrs = {"units": "Dmnl", "long_name": "margin by which the fund carries itself"}
    return margin


def _change(ledger: xr.DataArray, start: float) -> xr.DataArray:
    return ledger.isel(time=-1, drop=True) - ledger.sel(time=start, method="nearest", drop=True)
