"""The accounts as rows of a table for readers."""

from __future__ import annotations

import numpy as np
import xarray as xr

from kredslob.cycle.accounts import PARTIES
from kredslob.show.language import Words


def party_rows(books: xr.Dataset, w: Words) -> list[list[str]]:
    """Lay out the account of each party that takes part.

    Parameters
    ----------
    books : Dataset
        From `kredslob.cycle.accounts.accounts`, of one run.
    w : Words
        The language.

    Returns
    -------
    list of list of str
        Party, net present value (million DKK), internal rate of return, benefit per krone and year
        of payback.
    """
    rows = []
    for party in PARTIES:
        of = books.sel(party=party)
        if float(of["cost"].sum() + of["benefit"].sum()) == 0:
            continue  # a party that takes no part, such as investors where there are none
        npv, irr, bcr, payback = (
            float(of[name])
            for name in (
                "net present value",
                "internal rate of return",
                "benefit-cost ratio",
                "payback year",
            )
        )
        rows.append(
            [
                w.text(f"party.{party}"),
                w.millions(npv),
                w.percent(irr, 1) if np.isfinite(irr) else w.text("none"),
                w.number(bcr, 2) if np.isfinite(bcr) else w.text("none"),
                _payback(payback, float(of["cost"].sum()), w),
            ]
        )
    return rows


def _payback(year: float, cost: float, w: Words) -> str:
    """Year of payback; a party that lays out nothing has nothing to get back."""
    if np.isfinite(year):
        return w.number(year, 1)
    return w.text("never") if cost > 0 else w.text("none")
