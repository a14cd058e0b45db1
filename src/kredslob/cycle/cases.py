"""Published cases: the model set up as a case was, its result beside the published one."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.cycle.scenario import Scenario, load_scenario
from kredslob.cycle.threshold import avoided_cost_per_start, loop_gain, sustaining
from kredslob.errors import InputFileError, KredslobError
from kredslob.paths import reinvestment_folder
from kredslob.simulation import Model

AS_IT_HAPPENED, SELF_FINANCED = "as it happened", "self-financed pool"
_RATES = {AS_IT_HAPPENED: 0.0, SELF_FINANCED: 1.0}
_YEARS, _STEP = 20.0, 0.125


@dataclass(frozen=True)
class Published:
    """One published result.

    Parameters
    ----------
    quantity : str
        What was measured; one of the quantities that the model can give.
    value : float
        As published.
    run : str
        "as it happened" (nothing reinvested) or "self-financed pool" (everything reinvested).
    source : str
        Where it was published.
    note : mapping of str to str
        What to know of the difference, by language: "da" and "en".
    """

    quantity: str
    value: float
    run: str
    source: str
    note: Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """A published case.

    Parameters
    ----------
    name : str
        Name of the file.
    title, description : mapping of str to str
        By language.
    scenario : Scenario
        The model's parameters for the case.
    avoided_per_krone : float
        Avoided cost for each krone spent, to which average costs are scaled.
    published : tuple of Published
        What the case found.
    """

    name: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    scenario: Scenario
    avoided_per_krone: float
    published: tuple[Published, ...]


def load_case(name: str) -> Case:
    """Read a case that comes with the model.

    Raises
    ------
    KredslobError
        There is no such case.
    InputFileError
        Its file cannot be used.
    """
    if name not in list_cases():
        known = ", ".join(list_cases())
        raise KredslobError(f"there is no case '{name}'; expected one of {known}")
    path = reinvestment_folder() / "cases" / f"{name}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        published = tuple(Published(**entry) for entry in content["published"])
        target = float(content["calibration"]["avoided cost per krone"])
        title, description, inputs = content["title"], content["description"], content["inputs"]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise InputFileError(path, f"is not a case that can be read ({problem})") from problem
    for entry in published:
        if entry.quantity not in _QUANTITIES or entry.run not in _RATES:
            raise InputFileError(path, "is not a quantity of a known run", key=entry.quantity)
    scenario = load_scenario().with_parameters(inputs)
    return Case(name, title, description, scenario, target, published)


def list_cases() -> tuple[str, ...]:
    """Names of the cases that come with the model."""
    return tuple(sorted(p.stem for p in (reinvestment_folder() / "cases").glob("*.toml")))


def compare(case: Case, model: Model, language: str = "en") -> pd.DataFrame:
    """Run a case and put the model's results beside the published ones.

    Parameters
    ----------
    case : Case
        From `load_case`.
    model : Model
        The reinvestment model.
    language : str
        Language of the notes: "da" or "en".

    Returns
    -------
    DataFrame
        One row a published quantity: run, quantity, published, model, difference (model over
        published, less one), source and note.
    """
    runs = run_case(case, model)
    rows = []
    for entry in case.published:
        value = _QUANTITIES[entry.quantity](runs[entry.run])
        rows.append(
            {
                "run": entry.run,
                "quantity": entry.quantity,
                "published": entry.value,
                "model": value,
                "difference": value / entry.value - 1 if entry.value else float("nan"),
                "source": entry.source,
                "note": entry.note[language],
            }
        )
    return pd.DataFrame(rows)


def run_case(case: Case, model: Model) -> dict[str, xr.Dataset]:
    """Run a case without and with reinvestment, average costs scaled to the published offset."""
    start = model.run(case.scenario, years=_STEP).isel(time=0)
    money = start["money part"] / start["course price"]
    per_krone = float((avoided_cost_per_start(start) * money).sum())
    costs = start["unit cost"].transpose("Group", "Administration")
    scaled: dict[str, Any] = {"unit cost": (costs * case.avoided_per_krone / per_krone).values}
    designs = [scaled | {"reinvestment rate": rate} for rate in _RATES.values()]
    runs = model.run_many(designs, case.scenario, years=_YEARS, saveper=0.25)
    return {name: runs.isel(run=number) for number, name in enumerate(_RATES)}


def _retention(run: xr.Dataset, years: float) -> float:
    """Share of the living still stable, years after they were lifted."""
    from scipy.linalg import expm

    cell = {"Group": "homelessness", "Need": "complex"}
    end = run.isel(time=-1)
    relapse = float(end["yearly relapse"].sel(cell))
    setback = float(end["yearly setback"].sel(Group="homelessness"))
    consolidation = 1 / float(end["consolidation time"])
    rates = np.array([[-relapse - consolidation, 0.0], [consolidation, -setback]])
    return float((expm(rates * years) @ [1.0, 0.0]).sum())


def _end(run: xr.Dataset, name: str) -> float:
    return float(run[name].isel(time=-1).sum())


_QUANTITIES: dict[str, Callable[[xr.Dataset], float]] = {
    "investor multiple": lambda run: (
        _end(run, "Investor Claims Paid")
        / float(run["Cumulated Paid In"].isel(time=-1).sel(Capital="private investors"))
    ),
    "citizens housed": lambda run: _end(run, "Cumulated Lifted"),
    "retention after 1 year": lambda run: _retention(run, 1),
    "retention after 2 years": lambda run: _retention(run, 2),
    "retention after 3 years": lambda run: _retention(run, 3),
    "loop gain": lambda run: float(loop_gain(run, 0)),
    "total spending per krone of capital": lambda run: (
        _end(run, "Cumulated Spent") / _end(run, "Cumulated Paid In")
    ),
    "self-sustaining": lambda run: float(sustaining(run)["self-sustaining"]),
}
