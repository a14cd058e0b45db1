"""Who was helped, and who was left behind."""

from __future__ import annotations

import numpy as np
import xarray as xr

CELLS = ("Group", "Need")


def equity(run: xr.Dataset) -> xr.Dataset:
    """Share of help against share of need.

    Parameters
    ----------
    run : Dataset
        A run or sweep of the reinvestment model.

    Returns
    -------
    Dataset
        By Group and Need: "share of help" (courses started over the run) and "share of need"
        (citizens who could be reached if nobody were helped, over the run), both summing to one;
        "help per need" (courses for each person-year of need, 1/year); "citizens lifted" (person);
        "wellbeing years" (wellbeing year). Over the whole: "share of help to complex need", "share
        of need that is complex", "complex ratio" (the one over the other; below one, the complex
        are left behind) and "concentration index" (-1 to 1; positive: help goes to the severe).
        NaN where nobody was helped. Dimensions of a sweep are kept.

    Notes
    -----
    The concentration index for grouped data is that of O'Donnell, van Doorslaer, Wagstaff and
    Lindelow (2008), Analyzing Health Equity Using Household Survey Data, World Bank, chapter 8:
    C = 2 / mu * sum(f h R) - 1 with population share f, help per person h of mean mu, and
    fractional rank R, here from mildest to most severe. Severity is the yearly cost in crisis.
    """
    end = run.isel(time=-1, drop=True)
    help_ = end["Cumulated Starts"]
    need = run["counterfactual eligible"].integrate("time")
    helped = help_.sum(CELLS)
    share_of_help = help_ / helped.where(helped > 0)
    share_of_need = need / need.sum(CELLS).where(need.sum(CELLS) > 0)
    severity = end["yearly cost in crisis"]
    result = xr.Dataset(
        {
            "share of help": share_of_help,
            "share of need": share_of_need,
            "help per need": help_ / need.where(need > 0),
            "citizens lifted": end["Cumulated Lifted"],
            "wellbeing years": end["Cumulated Wellbeing Years"],
            "share of help to complex need": share_of_help.sel(Need="complex", drop=True).sum(
                "Group", skipna=False
            ),
            "share of need that is complex": share_of_need.sel(Need="complex", drop=True).sum(
                "Group", skipna=False
            ),
            "concentration index": concentration_index(share_of_help, share_of_need, severity),
        }
    )
    result["complex ratio"] = (
        result["share of help to complex need"] / result["share of need that is complex"]
    )
    units = {"help per need": "1/year", "citizens lifted": "person"}
    units["wellbeing years"] = "wellbeing year"
    for name, array in result.data_vars.items():
        array.attrs = {"units": units.get(str(name), "Dmnl"), "long_name": str(name)}
    return result


def concentration_index(
    share_of_help: xr.DataArray, share_of_need: xr.DataArray, severity: xr.DataArray
) -> xr.DataArray:
    """Concentration of help over need, ranked from the mildest to the most severe.

    Parameters
    ----------
    share_of_help, share_of_need : DataArray
        Over Group and Need, each summing to one.
    severity : DataArray
        What to rank by, over Group and Need.

    Returns
    -------
    DataArray
        Index from -1 to 1 over the other dimensions; NaN where there is no help.
    """
    return xr.apply_ufunc(
        _index,
        share_of_help.stack(cell=CELLS),
        share_of_need.stack(cell=CELLS),
        severity.stack(cell=CELLS),
        input_core_dims=[["cell"]] * 3,
        vectorize=True,
    )


def _index(help_: np.ndarray, need: np.ndarray, severity: np.ndarray) -> float:
    if not np.isfinite(help_).all():
        return float("nan")
    order = np.argsort(severity, kind="stable")
    help_, need = help_[order], need[order]
    rank = np.cumsum(need) - need / 2
    # f h / mu is the share of help, so the formula needs no division by the mean
    return float(2 * (help_ * rank).sum() - 1)
