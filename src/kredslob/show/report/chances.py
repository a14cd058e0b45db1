"""What the draws of the uncertain parameters say, in sentences made as those of the run are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import xarray as xr

from kredslob.cycle.summary import RATE
from kredslob.show.report.sentences import Said
from kredslob.show.report.stated import Stated, count, percent, years

_NPV = "net present value of public purse"


@dataclass(frozen=True)
class Chances:
    """How often something happens among the draws at one reinvestment rate.

    Parameters
    ----------
    rate : float
        Share of the pledged saving that is reinvested (0 to 1).
    draws : int
        Number of draws.
    years : float
        Horizon.
    carrying, repaid, gaining : int
        Draws in which the cycle carries itself, the fund has its capital back within the horizon,
        and the public purse gains in present value.
    helped : tuple of float
        Citizens helped: 5 % quantile and 95 % quantile.
    """

    rate: float
    draws: int
    years: float
    carrying: int
    repaid: int
    gaining: int
    helped: tuple[float, float]


def read_chances(found: xr.Dataset) -> Chances:
    """Read the chances at the highest rate of a study of uncertainty."""
    one = found.sortby(RATE).isel({RATE: -1})
    draws = one.sizes["draw"]
    last = float(one["year"][-1])
    low, high = (
        float(v) for v in one["citizens helped quantile"].sel(statistic=["q0.05", "q0.95"])
    )
    return Chances(
        rate=float(one[RATE]),
        draws=draws,
        years=last,
        carrying=int(one["carries itself"].sum()),
        repaid=round(float(one["probability of payback"].sel(year=last)) * draws),
        gaining=int((one[_NPV] > 0).sum()),
        helped=(low, high),
    )


def chances(found: xr.Dataset) -> Iterator[Said]:
    """Say what a study of uncertainty found at its highest rate."""
    c = read_chances(found)
    rules = (
        ("draws_carry", lambda: c.carrying),
        ("draws_repaid", lambda: c.repaid),
        ("draws_gain", lambda: c.gaining),
    )
    for key, happened in rules:
        yield _how_often(key, happened, c)
    helped = {"low": count(c.helped[0]), "high": count(c.helped[1]), "rate": percent(c.rate)}
    yield Said("draws_helped", helped)


def _how_often(key: str, happened: Callable[[], int], c: Chances) -> Said:
    """None, all or some of the draws: each has a sentence of its own."""
    times = happened()
    values: Mapping[str, Stated] = {
        "draws": count(c.draws),
        "rate": percent(c.rate),
        "years": years(c.years),
    }
    if times == 0:
        return Said(f"{key}_none", values)
    if times == c.draws:
        return Said(f"{key}_all", values)
    return Said(f"{key}_some", {**values, "count": count(times), "share": percent(times / c.draws)})
