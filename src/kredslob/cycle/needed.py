"""What the measures of the reinvestment model need of a run, checked before anything is read."""

from __future__ import annotations

from collections.abc import Iterable

import xarray as xr

from kredslob.arguments import check_kind, is_number, shown
from kredslob.errors import ParameterError
from kredslob.simulation import Model, check_is_model

RATE = "reinvestment rate"


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
    check_kind(what, runs, xr.Dataset, "the Dataset that a run or sweep gives")
    missing = [name for name in names if name not in runs]
    if missing:
        raise ParameterError(
            f"{what}: the run has no '{missing[0]}'; save all variables of the reinvestment model"
        )
    if "time" not in runs.dims:
        raise ParameterError(f"{what}: found values of one time, expected all times of the run")


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
    if time is not None and not (is_number(time) and first <= time <= last):
        raise ParameterError(f"{what}: found time {shown(time)}, expected {first:g} to {last:g}")


def check_is_cycle(model: object) -> None:
    """Raise ParameterError where something else is given for the reinvestment model.

    It is known by the constant that everything turns on, so that a copy that was changed will do.
    """
    check_is_model(model)
    assert isinstance(model, Model)
    if RATE not in model.program.defaults:
        name = model.file.path.name
        raise ParameterError(
            f"model: found {name}, which has no constant '{RATE}'; expected the reinvestment "
            "model, which kredslob.load() gives"
        )
