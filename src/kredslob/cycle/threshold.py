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

GROUPS_AND_NEEDS = ("Group", "Need")
_SHORTEST = 1e-6  # years: a delay of nothing
_LAST_PART = 0.25  # of the horizon: late enough for the start to be forgotten


def loop_gain(run: xr.Dataset, time: float | None = None) -> xr.DataArray:
    """Kroner that come back to the fund, in the end, for one krone it spends now.

    Parameters
    ----------
    run : Dataset
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
    """
    now = _at(run, time)
    return _loop_gain(now, _gain_at_full_rate(now))


def critical_rate(run: xr.Dataset, time: float | None = None) -> xr.DataArray:
    """Reinvestment rate at which the loop gain is one: from there on the cycle carries itself.

    Parameters
    ----------
    run : Dataset
        A run or sweep of the reinvestment model with all its variables.
    time : float, optional
        As for `loop_gain`.

    Returns
    -------
    DataArray
        Rate (Dmnl). Above one, no rate is enough, and the figure says how many times as much each
        krone would have to bring back; infinite where nothing comes back. Other things are as they
        were in the run: a higher rate may wear down support, which this does not see.
    """
    return _critical_rate(_gain_at_full_rate(_at(run, time)))


def _loop_gain(now: xr.Dataset, at_full_rate: xr.DataArray) -> xr.DataArray:
    gain = at_full_rate * now["reinvestment rate in force"]
    gain.attrs = {"units": "Dmnl", "long_name": "loop gain of the reinvestment cycle"}
    return gain.rename("loop gain")


def _critical_rate(at_full_rate: xr.DataArray) -> xr.DataArray:
    some = at_full_rate > 0
    rate = xr.where(some, 1 / at_full_rate.where(some, 1.0), np.inf)
    rate.attrs = {"units": "Dmnl", "long_name": "critical reinvestment rate"}
    return rate.rename("critical rate")


def _at(run: xr.Dataset, time: float | None) -> xr.Dataset:
    return run.isel(time=-1) if time is None else run.sel(time=time, method="nearest")


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
        DKK per person started, over Group, Need and Administration (and sweep dimensions).
    """
    for dim in now["effect of a course"].dims:
        if dim not in GROUPS_AND_NEEDS:
            parts = [avoided_cost_per_start(now.isel({dim: i})) for i in range(now.sizes[dim])]
            return xr.concat(parts, now[dim])
    return _avoided_cost_per_start(now)


def _avoided_cost_per_start(now: xr.Dataset) -> xr.DataArray:
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


def sustaining(run: xr.Dataset) -> xr.Dataset:
    """Whether a run's fund carries itself, read from the run.

    Parameters
    ----------
    run : Dataset
        A run or sweep of the reinvestment model.

    Returns
    -------
    Dataset
        "coverage": returned savings and interest less payments to investors, over the last quarter
        of the horizon, as a share of spending in it (Dmnl; 0 where nothing is spent);
        "self-sustaining": coverage of at least one; "loop gain" and "critical rate": see
        `loop_gain` and `critical_rate`, at the end.
    """
    start = float(run["time"][-1]) - _LAST_PART * float(run["time"][-1] - run["time"][0])
    spent = _change(run["Cumulated Spent"].sum("Capital"), start)
    came = _change(
        run["Cumulated Returned Savings"].sum("Capital")
        + run["Cumulated Interest"].sum("Capital")
        - run["Cumulated Paid To Investors"].sum("Capital"),
        start,
    )
    coverage = xr.where(spent > 0, came / spent.where(spent > 0, 1.0), 0.0)
    coverage.attrs = {"units": "Dmnl", "long_name": "share of late spending that savings cover"}
    carries = coverage >= 1
    carries.attrs = {"units": "Dmnl", "long_name": "the fund carries itself"}
    end = _at(run, None)
    gain = _gain_at_full_rate(end)
    return xr.Dataset(
        {
            "coverage": coverage,
            "self-sustaining": carries,
            "loop gain": _loop_gain(end, gain),
            "critical rate": _critical_rate(gain),
        }
    )


def _change(ledger: xr.DataArray, start: float) -> xr.DataArray:
    return ledger.isel(time=-1, drop=True) - ledger.sel(time=start, method="nearest", drop=True)
