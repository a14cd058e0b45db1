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
from kredslob.ensemble import Progress
from kredslob.errors import InputFileError, ParameterError
from kredslob.paths import reinvestment_folder
from kredslob.simulation import Model

_STEP, _SAVEPER = 0.125, 0.25


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
        Name of one of the case's runs.
    source : str
        Where it was published.
    note : mapping of str to str
        What to know of the difference, by language: "da" and "en".
    within : float, optional
        How far the model may be off, as a share of what was published (as it is, where zero was);
        none where it is known to miss.
    """

    quantity: str
    value: float
    run: str
    source: str
    note: Mapping[str, str]
    within: float | None = None


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
    years : float
        Length of the runs.
    runs : mapping of str to mapping
        What each run changes in the scenario, by name of the run.
    avoided_per_krone : float or None
        Avoided cost for each krone spent, to which average costs are scaled; None leaves them.
    published : tuple of Published
        What the case found.
    """

    name: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    scenario: Scenario
    years: float
    runs: Mapping[str, Mapping[str, Any]]
    avoided_per_krone: float | None
    published: tuple[Published, ...]


def load_case(name: str) -> Case:
    """Read a case that comes with the model.

    Raises
    ------
    ParameterError
        There is no such case.
    InputFileError
        Its file cannot be used.
    """
    if name not in list_cases():
        known = ", ".join(list_cases())
        raise ParameterError(f"there is no case '{name}'; expected one of {known}")
    path = reinvestment_folder() / "cases" / f"{name}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        published = tuple(Published(**entry) for entry in content["published"])
        years, runs = float(content["years"]), content["runs"]
        target = content.get("calibration", {}).get("avoided cost per krone")
        title, description, inputs = content["title"], content["description"], content["inputs"]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise InputFileError(path, f"is not a case that can be read ({problem})") from problem
    for entry in published:
        if entry.quantity not in _QUANTITIES or entry.run not in runs:
            raise InputFileError(path, "is not a quantity of a known run", key=entry.quantity)
    scenario = load_scenario().with_parameters(inputs)
    return Case(name, title, description, scenario, years, runs, target, published)


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
        published, less one; NaN where zero was published), within
        (what the case allows), source and note.
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
                "within": entry.within,
                "source": entry.source,
                "note": entry.note[language],
            }
        )
    return pd.DataFrame(rows)


def compare_all(
    model: Model, language: str = "en", progress: Progress | None = None
) -> pd.DataFrame:
    """Compare every case that comes with the model.

    Parameters
    ----------
    model, language
        As for `compare`.
    progress : callable, optional
        Called with (cases done, cases in all).

    Returns
    -------
    DataFrame
        As from `compare`, with a column "case" first.
    """
    cases = [load_case(name) for name in list_cases()]
    tables = []
    for number, case in enumerate(cases, 1):
        tables.append(compare(case, model, language).assign(case=case.title[language]))
        if progress:
            progress(number, len(cases))
    found = pd.concat(tables, ignore_index=True)
    return found[["case", *tables[0].columns.drop("case")]]


def run_case(case: Case, model: Model) -> dict[str, xr.Dataset]:
    """Run a case once for each of its runs, by name; average costs scaled where it says so."""
    target = case.avoided_per_krone
    scaled = {} if target is None else _scaled_costs(case, model, target)
    return {
        name: model.run(
            {**case.scenario.with_parameters(changes).parameters, **scaled},
            years=case.years,
            saveper=_SAVEPER,
        )
        for name, changes in case.runs.items()
    }


def _scaled_costs(case: Case, model: Model, target: float) -> dict[str, Any]:
    """Average costs at which the model avoids this much for each krone spent."""
    start = model.run(case.scenario, years=_STEP).isel(time=0)
    money = start["money part"] / start["course price"]
    per_krone = float((avoided_cost_per_start(start) * money).sum())
    costs = start["unit cost"].transpose("Group", "Administration")
    return {"unit cost": (costs * target / per_krone).values}


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


def _care_days(run: xr.Dataset) -> float:
    """Days of social services avoided among families: the only ones whose cost counts there."""
    end = run.isel(time=-1).sel(Administration="social")
    return float(end["Cumulated Avoided Cost"] / end["unit cost"].sel(Group="families"))


def _in_care(run: xr.Dataset) -> float:
    in_care = _end(run, "Crisis") + _end(run, "Crisis In Intervention")
    return in_care / _end(run, "citizens at start")


def _saved_per_krone(run: xr.Dataset, year: float) -> float:
    """Identified saving that has reached a budget by a year, over all that was spent in the run."""
    return float(run["Cumulated Saved"].sel(time=year).sum()) / _end(run, "Cumulated Spent")


def _end(run: xr.Dataset, name: str) -> float:
    return float(run[name].isel(time=-1).sum())


_QUANTITIES: dict[str, Callable[[xr.Dataset], float]] = {
    "investor multiple": lambda run: (
        _end(run, "Investor Claims Paid")
        / float(run["Cumulated Paid In"].isel(time=-1).sel(Capital="private investors"))
    ),
    "care days avoided": _care_days,
    "share in care at the end": _in_care,
    "citizens started": lambda run: _end(run, "Cumulated Starts"),
    "saving per krone after 2 years": lambda run: _saved_per_krone(run, 2),
    "saving per krone after 3 years": lambda run: _saved_per_krone(run, 3),
    "citizens housed": lambda run: _end(run, "Cumulated Lifted"),
    "retention after 1 year": lambda run: _retention(run, 1),
    "retention after 2 years": lambda run: _retention(run, 2),
    "retention after 3 years": lambda run: _retention(run, 3),
    "loop gain": lambda run: float(loop_gain(run, time=0)),
    "total spending per krone of capital": lambda run: (
        _end(run, "Cumulated Spent") / _end(run, "Cumulated Paid In")
    ),
    "self-sustaining": lambda run: float(sustaining(run)["self-sustaining"]),
}
