"""Make a saved run again from its manifest and say whether the numbers are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.cycle.accounts import accounts, bookkeeping
from kredslob.cycle.equity import equity
from kredslob.cycle.loops import loop_scores
from kredslob.cycle.scenario import Scenario
from kredslob.cycle.summary import RATE, summary, with_rate
from kredslob.datasets import versions
from kredslob.errors import InputFileError
from kredslob.feedback.scores import Feedback
from kredslob.paths import reinvestment_folder
from kredslob.results import MANIFEST, MODEL, SavedRun, check_inside, file_faults, load_run
from kredslob.simulation import Model
from kredslob.studies.factors import Factor
from kredslob.studies.hinges import hinge_study
from kredslob.studies.policies import policy_study
from kredslob.studies.robustness import Ranges
from kredslob.studies.search import Levers
from kredslob.studies.structures import by_structure
from kredslob.studies.sweep import sweep
from kredslob.studies.threshold import threshold_study
from kredslob.studies.uncertainty import uncertainty

KINDS = ("run", "threshold", "uncertainty", "sensitivity", "search", "loops")
"""Kinds of folders that can be made again."""
_MOST = 1_000_000  # draws, samples and the like that a manifest may ask for
_WHOLE = ("draws", "seed", "trajectories", "samples")
_OF_CYCLE = "parameters.csv"  # lies beside the model in each folder of the reinvestment model


@dataclass(frozen=True)
class Difference:
    """Numbers that came out otherwise.

    Parameters
    ----------
    table : str
        File that they stand in, without its suffix; "run" for the run itself.
    variable : str
        Its name.
    relative : float
        Largest difference, as a share of the larger of the two; infinite where one of them is no
        number, or the variable is not there or has another shape.
    where : str
        Where it is largest; empty where nothing can be compared.
    """

    table: str
    variable: str
    relative: float
    where: str


@dataclass(frozen=True)
class Reproduction:
    """What came of making a run again.

    Parameters
    ----------
    compared : int
        Numbers that were compared.
    differences : tuple of Difference
        One for each variable that is not the same to the last bit, largest first.
    faults : tuple of (str, str)
        Files that are not as they were written: name, and "missing" or "changed".
    software : tuple of (str, str, str)
        Packages of another version: name, then, now.
    other_inputs : tuple of str
        Files of the reinvestment model that are not those that are installed now.
    """

    compared: int
    differences: tuple[Difference, ...]
    faults: tuple[tuple[str, str], ...]
    software: tuple[tuple[str, str, str], ...]
    other_inputs: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether all numbers are the same to the last bit and all files are as written."""
        return not self.differences and not self.faults


def reproduce(folder: Path | str) -> Reproduction:
    """Make a saved run, sweep or study again, with the model that was saved with it, and compare.

    Parameters
    ----------
    folder : Path or str
        The folder of one of `KINDS`.

    Returns
    -------
    Reproduction

    Raises
    ------
    InputFileError
        The folder cannot be read, or does not say how it was made.
    ParameterError
        What it says cannot be run.

    Notes
    -----
    The draws of a study come from the parameter table that is installed; `other_inputs` names it
    where it is another one than was saved.
    """
    saved = load_run(folder)
    faults = tuple(file_faults(saved.folder, saved.manifest))
    model = Model(_model_path(saved))
    again = dict(_made_again(saved, model))
    found = [
        difference
        for name, dataset in {"run": saved.runs, **saved.tables}.items()
        for difference in _differences(name, dataset, again.get(name))
    ]
    numbers = sum(v.size for d in (saved.runs, *saved.tables.values()) for v in d.values())
    now = versions()
    then = saved.manifest["versions"]
    software = [(n, str(v), now.get(n, "none")) for n, v in then.items() if now.get(n) != v]
    ordered = sorted(found, key=lambda d: -d.relative)
    others = tuple(_other_inputs(saved))
    return Reproduction(numbers, tuple(ordered), faults, tuple(software), others)


def _model_path(saved: SavedRun) -> Path:
    path = saved.folder / MODEL / Path(str(saved.manifest["model"])).name
    check_inside(path, saved.folder)
    if not path.is_file():
        raise InputFileError(path, "is missing; without the model the run cannot be made again")
    return path


def _made_again(saved: SavedRun, model: Model) -> Iterator[tuple[str, xr.Dataset]]:
    manifest = saved.manifest
    _check_numbers(saved)
    years = float(saved.runs["time"][-1] - saved.runs["time"][0])
    parameters = manifest["parameters"]
    kind = manifest.get("kind")
    if kind in ("threshold", "uncertainty") and not isinstance(manifest.get("draws"), int):
        raise InputFileError(saved.folder / MANIFEST, "is missing", key="draws")
    if kind == "threshold":
        study = threshold_study(
            model, parameters, years=years, draws=manifest["draws"], seed=manifest.get("seed") or 0
        )
        yield from {
            "run": study.runs,
            "goals": study.goals,
            "bracket": study.bracket,
            "uncertainty": study.uncertainty,
            "regions": study.regions,
        }.items()
        return
    runs = _runs(model, parameters, _levers(saved), years, kept_as=saved.runs)
    yield "run", runs
    if kind == "run":
        yield "summary", summary(runs)
        yield "accounts", accounts(runs)
        yield "equity", equity(runs)
        yield "bookkeeping", bookkeeping(runs)
    elif kind == "uncertainty":
        found = uncertainty(
            model,
            parameters,
            rates=runs[RATE].values.tolist(),
            draws=manifest["draws"],
            structures=manifest.get("structures"),
            seed=manifest.get("seed") or 0,
            years=int(years),
        )
        yield "uncertainty", found
        if "structures" in saved.tables:
            yield "structures", by_structure(found)
    elif kind == "sensitivity":
        yield from _hinges(saved, model, int(years))
    elif kind == "search":
        yield from _policies(saved, model, int(years))
    elif kind == "loops":
        yield from _loops(saved, model, years)
    else:
        problem = f"found {kind!r}, expected one of {', '.join(KINDS)}"
        raise InputFileError(saved.folder / MANIFEST, problem, key="kind")


def _check_numbers(saved: SavedRun) -> None:
    """Refuse a manifest that asks for more than any study does, or for what is no number."""
    for name in _WHOLE:
        found = saved.manifest.get(name)
        most = _MOST if name != "seed" else 2**63
        if found is not None and (type(found) is not int or not 0 <= found <= most):
            problem = f"found {found!r:.60}, expected a whole number from 0 to {most:,}"
            raise InputFileError(saved.folder / MANIFEST, problem, key=name)


def hinge_question(
    outcomes: Sequence[str], ranges: Sequence[Factor], inputs: int
) -> dict[str, Any]:
    """What a manifest keeps of how a study of sensitivity was asked; see `reproduce`.

    Parameters
    ----------
    outcomes, ranges, inputs
        As for `kredslob.studies.hinges.hinge_study`.
    """
    return {
        "outcomes": list(outcomes),
        "ranges": [asdict(factor) for factor in ranges],
        "inputs": inputs,
    }


def policy_question(
    candidates: Mapping[str, Scenario],
    outcomes: Sequence[str],
    thresholds: Ranges,
    levers: Levers,
    *,
    population: int,
    generations: int,
) -> dict[str, Any]:
    """What a manifest keeps of how a search was asked; see `reproduce`.

    Parameters
    ----------
    candidates, outcomes, thresholds, levers, population, generations
        As for `kredslob.studies.policies.policy_study`; empty thresholds and levers for its own.
    """
    policies = {
        name: {"title": dict(one.title), "parameters": dict(one.parameters)}
        for name, one in candidates.items()
    }
    return {
        "candidates": policies,
        "outcomes": list(outcomes),
        "thresholds": dict(thresholds),
        "levers": dict(levers),
        "population": population,
        "generations": generations,
    }


_ASKED: Mapping[str, Mapping[str, type]] = {
    "sensitivity": {"outcomes": list, "ranges": list, "inputs": int},
    "search": {
        **dict.fromkeys(("candidates", "thresholds", "levers"), dict),
        "outcomes": list,
        **dict.fromkeys(("population", "generations"), int),
    },
}


def _asked(saved: SavedRun) -> dict[str, Any]:
    found = saved.manifest.get("asked")
    if not isinstance(found, dict):
        problem = "is missing: the study was saved by an earlier version; run its command again"
        raise InputFileError(saved.folder / MANIFEST, problem, key="asked")
    for name, kind in _ASKED[str(saved.manifest["kind"])].items():
        if type(found.get(name)) is not kind:
            problem = f"found {found.get(name)!r:.60}, expected what the study was asked"
            raise InputFileError(saved.folder / MANIFEST, problem, key=f"asked.{name}")
        if kind is int and not 0 < found[name] <= _MOST:
            problem = f"found {found[name]:,}, expected 1 to {_MOST:,}"
            raise InputFileError(saved.folder / MANIFEST, problem, key=f"asked.{name}")
    return found


def _scenario(saved: SavedRun, name: str, title: Mapping[str, str], values: Any) -> Scenario:
    setting = str(saved.manifest.get("setting", ""))
    return Scenario(name, setting, title, title, title, title, values)


def _hinges(saved: SavedRun, model: Model, years: int) -> Iterator[tuple[str, xr.Dataset]]:
    manifest, asked = saved.manifest, _asked(saved)
    study = hinge_study(
        model,
        _scenario(saved, "", {}, manifest["parameters"]),
        outcomes=asked["outcomes"],
        ranges=[_factor(saved, one) for one in asked["ranges"]],
        trajectories=manifest.get("trajectories", 0),
        inputs=asked["inputs"],
        samples=manifest.get("samples", 0),
        seed=manifest.get("seed") or 0,
        years=years,
    )
    yield from {"screened": study.screened, "ranked": study.ranked, "moved": study.moved}.items()


def _factor(saved: SavedRun, stated: Any) -> Factor:
    names = {field.name for field in fields(Factor)}
    number = (int, float)
    needed: dict[str, type | tuple[type, ...]] = {"name": str, "low": number, "high": number}
    named = isinstance(stated, dict) and set(stated) <= names
    if not named or not all(isinstance(stated.get(n), kind) for n, kind in needed.items()):
        problem = f"found {stated!r:.60}, expected name, low and high of each input"
        raise InputFileError(saved.folder / MANIFEST, problem, key="asked.ranges")
    return Factor(**stated)


def _candidate(saved: SavedRun, name: str, stated: Any) -> Scenario:
    parts = [stated.get(n) for n in ("title", "parameters")] if isinstance(stated, dict) else [None]
    if not all(isinstance(part, dict) for part in parts):
        problem = f"found {stated!r:.60}, expected the title and parameters of a policy"
        raise InputFileError(saved.folder / MANIFEST, problem, key=f"asked.candidates.{name}")
    return _scenario(saved, name, *parts)


def _ends(saved: SavedRun, stated: Mapping[str, Any]) -> dict[str, tuple[Any, Any]] | None:
    """Lowest and highest value by name; None where nothing is named."""
    for name, ends in stated.items():
        kinds = (int, float, type(None))
        numbers = isinstance(ends, list) and all(isinstance(v, kinds) for v in ends)
        if not numbers or len(ends) != 2:
            problem = f"found {ends!r:.60}, expected two numbers"
            raise InputFileError(saved.folder / MANIFEST, problem, key=f"asked.{name}")
    return {name: (ends[0], ends[1]) for name, ends in stated.items()} or None


def _policies(saved: SavedRun, model: Model, years: int) -> Iterator[tuple[str, xr.Dataset]]:
    manifest, asked = saved.manifest, _asked(saved)
    study = policy_study(
        model,
        _scenario(saved, "", {}, manifest["parameters"]),
        candidates={
            name: _candidate(saved, name, one) for name, one in asked["candidates"].items()
        },
        outcomes=asked["outcomes"],
        thresholds=_ends(saved, asked["thresholds"]),
        levers=_ends(saved, asked["levers"]),
        draws=manifest.get("draws", 0),
        population=asked["population"],
        generations=asked["generations"],
        seed=manifest.get("seed") or 0,
        years=years,
    )
    yield "policies", study.results
    yield "front", study.front
    for outcome, judged in study.judged.items():
        yield f"robustness-{outcome.replace(' ', '-')}", judged


def _levers(saved: SavedRun) -> dict[str, list[float]]:
    found = saved.manifest.get("levers")
    if not isinstance(found, dict):
        problem = "is missing: the run was saved by an earlier version; run its command again"
        raise InputFileError(saved.folder / MANIFEST, problem, key="levers")
    return found


def _runs(
    model: Model,
    parameters: Mapping[str, Any],
    levers: Mapping[str, list[float]],
    years: float,
    kept_as: xr.Dataset,
) -> xr.Dataset:
    if levers:
        return sweep(model, parameters, levers, years=years)
    one = model.run(parameters, years=years)
    return with_rate(one) if RATE in kept_as.dims else one


def _loops(saved: SavedRun, model: Model, years: float) -> Iterator[tuple[str, xr.Dataset]]:
    parameters = saved.manifest["parameters"]
    feedback = Feedback(model)
    if not (saved.folder / MODEL / _OF_CYCLE).is_file():
        yield "loops", feedback.scores(parameters, years=years)
        return
    varied = _levers(saved).get(RATE)
    for name in saved.tables:
        # the name of the table is rounded, the design is not
        own = [v for v in varied or () if f"loops {v:g}" == name]
        rate = {RATE: own[0]} if own else {}
        yield name, loop_scores({**parameters, **rate}, years=years, feedback=feedback)


# --- comparing ---------------------------------------------------------------------------------


def _differences(table: str, saved: xr.Dataset, again: xr.Dataset | None) -> Iterator[Difference]:
    for name, variable in saved.variables.items():
        other = None if again is None else again.variables.get(name)
        if other is not None and set(other.dims) == set(variable.dims):
            other = other.transpose(*variable.dims)
        if other is None or other.shape != variable.shape:
            yield Difference(table, str(name), np.inf, "")
            continue
        apart = relative_difference(variable.values, other.values)
        if apart.any():
            place = np.unravel_index(int(apart.argmax()), apart.shape)
            yield Difference(table, str(name), float(apart[place]), _where(saved, name, place))


def relative_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far two arrays are apart, element by element.

    Parameters
    ----------
    a, b : array
        Of one shape.

    Returns
    -------
    array of float
        0 where both are the same to the last bit (or both are no number), else the difference as a
        share of the larger; infinite where one is no number or they are texts.

    Examples
    --------
    >>> relative_difference(np.array([1.0, 2.0, np.nan]), np.array([1.0, 4.0, np.nan]))
    array([0. , 0.5, 0. ])
    """
    if a.dtype.kind not in "biuf" or b.dtype.kind not in "biuf":
        return np.where(a.astype(str) == b.astype(str), 0.0, np.inf)
    x, y = a.astype(float), b.astype(float)
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.abs(x - y) / np.maximum(np.abs(x), np.abs(y))
    return np.where(same, 0.0, np.where(np.isfinite(apart), apart, np.inf))


def _where(dataset: xr.Dataset, name: Any, place: tuple[Any, ...]) -> str:
    dims = dataset.variables[name].dims
    at = (
        (d, dataset.variables[d].values[i] if d in dataset.variables else i)
        for d, i in zip(dims, place, strict=True)
    )
    return ", ".join(f"{d} {v:g}" if isinstance(v, float) else f"{d} {v}" for d, v in at)


def _other_inputs(saved: SavedRun) -> Iterator[str]:
    """Files of the reinvestment model that have changed since."""
    if not (saved.folder / MODEL / _OF_CYCLE).is_file():
        return
    for path in sorted((saved.folder / MODEL).iterdir()):
        installed = reinvestment_folder() / path.name
        if not installed.is_file() or _sha256(installed) != _sha256(path):
            yield path.name


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
