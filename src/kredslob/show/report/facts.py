"""What a report says in words, as plain numbers: one record a run and reinvestment rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from kredslob.cycle.summary import RATE

_COMPLEX = ("share of help to complex need", "share of need that is complex")


@dataclass(frozen=True)
class Outcome:
    """What one run came to at one reinvestment rate. Amounts are DKK at 2024 prices.

    Parameters
    ----------
    rate : float
        Share of the pledged saving that is reinvested (0 to 1).
    carries : bool
        Whether the cycle carries itself.
    gain : float
        Kroner back to the fund per krone spent.
    critical : float
        Rate from which the cycle would carry itself; above one, none would.
    helped, lifted : float
        Citizens who carried a course through, and citizens lifted by the help itself.
    payback : float
        Years until the fund has its capital back; NaN if it never has.
    npv : float
        Net present value of the public purse.
    cash : float
        The fund's cash at the end.
    net_saving, saved, paid_in : mapping of str to float
        By purse: savings kept and not claimed less capital paid in; all savings that fall in the
        purse; capital paid in.
    invested, investors_npv : float
        What private investors lay out, and their net present value.
    help_complex, need_complex : float
        Shares of help and of need that are complex (0 to 1); NaN where there is none.
    behind : tuple of str
        Group and need with the least help for their need; empty if none stands alone.
    leaning : float
        Concentration index of the help.
    booked : tuple of float
        Largest cost of a year, booked as a running cost and as an investment.
    """

    rate: float
    carries: bool
    gain: float
    critical: float
    helped: float
    lifted: float
    payback: float
    npv: float
    cash: float
    net_saving: Mapping[str, float]
    saved: Mapping[str, float]
    paid_in: Mapping[str, float]
    invested: float
    investors_npv: float
    help_complex: float
    need_complex: float
    behind: tuple[str, ...]
    leaning: float
    booked: tuple[float, float]


@dataclass(frozen=True)
class Facts:
    """What one report states of one run.

    Parameters
    ----------
    years : float
        Length of the run.
    moves : bool
        Whether a schedule or a rule moves the rate; the rate stated is then that of the last year.
    outcomes : tuple of Outcome
        By reinvestment rate, lowest first; at least one.
    """

    years: float
    moves: bool
    outcomes: tuple[Outcome, ...]

    @property
    def last(self) -> Outcome:
        """The outcome at the highest rate: what parts of a report that show one rate show."""
        return self.outcomes[-1]


def facts(
    runs: xr.Dataset,
    summary: xr.Dataset,
    books: xr.Dataset,
    shares: xr.Dataset,
    views: xr.Dataset,
    *,
    moves: bool,
) -> Facts:
    """Gather what a report states.

    Parameters
    ----------
    runs, summary, books, shares, views : Dataset
        A sweep over the reinvestment rate, and what `kredslob.cycle` made of it: summary, accounts,
        equity and bookkeeping.
    moves : bool
        Whether a schedule or a rule moves the rate.
    """
    order = np.argsort(summary[RATE].values)
    parts = (runs, summary, books, shares, views)
    each = tuple(_outcome(*(part.isel({RATE: int(i)}) for part in parts)) for i in order)
    return Facts(float(runs["time"][-1] - runs["time"][0]), moves, each)


def _outcome(
    runs: xr.Dataset, summary: xr.Dataset, books: xr.Dataset, shares: xr.Dataset, views: xr.Dataset
) -> Outcome:
    end = runs.isel(time=-1)
    investors = books.sel(party="investors")
    behind = shares["left behind"].stack(cell=("Group", "Need"))
    cells = [c for c, least in zip(behind["cell"].values, behind.values, strict=True) if least]
    help_complex, need_complex = (float(shares[name]) for name in _COMPLEX)
    return Outcome(
        rate=float(summary[RATE]),
        carries=bool(summary["self-sustaining"]),
        gain=float(summary["loop gain"]),
        critical=float(summary["critical rate"]),
        helped=float(summary["citizens helped"]),
        lifted=float(summary["citizens lifted"]),
        payback=float(summary["payback year"]),
        npv=float(summary["net present value"]),
        cash=float(end["total cash"]),
        net_saving=_by_purse(summary["net saving"]),
        saved=_by_purse(end["Cumulated Saved"] + end["Cumulated Unclaimed"]),
        paid_in=_by_purse(end["paid in by purse"]),
        invested=float(investors["cost"].sum()),
        investors_npv=float(investors["net present value"]),
        help_complex=help_complex,
        need_complex=need_complex,
        behind=tuple(str(e) for e in cells[0]) if len(cells) == 1 else (),
        leaning=float(shares["concentration index"]),
        booked=(
            float(views["cost"].sel(view="running cost").max()),
            float(views["cost"].sel(view="investment").max()),
        ),
    )


def _by_purse(values: xr.DataArray) -> dict[str, float]:
    return {str(p): float(values.sel(Purse=p)) for p in values["Purse"].values}
