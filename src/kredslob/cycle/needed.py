"""What the measures of the reinvestment model need of a run, checked before anything is read."""

from __future__ import annotations

from collections.abc import Iterable

import xarray as xr

from kredslob.errors import ParameterError


def check_variables(what: str, runs: xr.Dataset, names: Iterable[str]) -> None:
    """Refuse what is no run, or lacks a variable.

    Parameters
    ----------
    what : str
        Name of the measure, for the message.
    runs : Dataset
        What was given.
    names : iterable of str
        Variables that must be there.

    Raises
    ------
    ParameterError
        It is no Dataset, or a variable is missing.
    """
    if not isinstance(runs, xr.Dataset):
        raise ParameterError(
            f"{what}: found {type(runs).__name__}, expected the Dataset that a run or sweep gives"
        )
    missing = [name for name in names if name not in runs]
    if missing:
        raise ParameterError(
            f"{what}: the run has no '{missing[0]}'; save all variables of the reinvestment model"
        )


def check_time(what: str, runs: xr.Dataset, time: float | None) -> None:
    """Refuse a time outside a run.

    Parameters
    ----------
    what : str
        Name of the measure, for the message.
    runs : Dataset
        A run or sweep.
    time : float, optional
        What was asked for; None for the last time.

    Raises
    ------
    ParameterError
        The run does not reach it.
    """
    first, last = (float(runs["time"][end]) for end in (0, -1))
    if time is not None and not first <= time <= last:
        raise ParameterError(f"{what}: found time {time:g}, expected {first:g} to {last:g}")
