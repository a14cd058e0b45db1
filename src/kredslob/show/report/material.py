"""What a report is made from: saved runs read back, and studies that the folder may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import xarray as xr

from kredslob.cycle.accounts import accounts, bookkeeping
from kredslob.cycle.equity import equity
from kredslob.cycle.loops import loop_scores
from kredslob.cycle.needed import check_variables
from kredslob.cycle.scenario import Scenario, list_scenarios, list_settings, load_scenario
from kredslob.cycle.summary import RATE, summary, with_rate
from kredslob.errors import InputFileError
from kredslob.feedback.graph import causal_graph
from kredslob.loading import load
from kredslob.paths import reinvestment_folder
from kredslob.results import SavedRun, load_run
from kredslob.show.loop_folder import LoopStudy
from kredslob.show.report.facts import Facts, facts
from kredslob.simulation import Model
from kredslob.studies.cycle_checks import check_cycle
from kredslob.studies.hinges import HingeStudy
from kredslob.studies.policies import PolicyStudy
from kredslob.studies.questions import cycle_factors, cycle_questions
from kredslob.studies.regions import sustaining_regions
from kredslob.studies.sensitivity import one_at_a_time
from kredslob.studies.sweep import sweep
from kredslob.studies.uncertainty import uncertainty

MODEL = "reinvestment.mdl"
DRAWS, SEED = 1000, 0
DUEL_DRAWS = 512
_RULE = "reinvestment rule"
_AGAIN = (0.0, 0.25, 0.5, 0.75, 1.0)  # rates of a study that kept too little of its runs
_MOST_RATES = 21
_FEWEST_PAIRS = 0.0  # a covering array of pairs: all take four times as long as the rest
_OWN = "scenario.toml"  # what was run, where the folder keeps it


@dataclass(frozen=True)
class Material:
    """One saved run, ready to be reported.

    Parameters
    ----------
    saved : SavedRun
        The folder as it was read.
    scenario : Scenario
        Place and policy, as the manifest has them.
    runs, summary, books, shares, views : Dataset
        The sweep, and its summary, accounts, equity and bookkeeping.
    facts : Facts
        What sentences state.
    again : bool
        Whether the sweep was run again, since the folder kept only part of it.
    """

    saved: SavedRun
    scenario: Scenario
    runs: xr.Dataset
    summary: xr.Dataset
    books: xr.Dataset
    shares: xr.Dataset
    views: xr.Dataset
    facts: Facts
    again: bool


@dataclass(frozen=True)
class Studies:
    """What was asked beside the run; what cannot be asked of it is None.

    Parameters
    ----------
    uncertainty : Dataset or None
        From `kredslob.studies.uncertainty.uncertainty`; None where a rule sets the rate.
    sensitivity : Dataset or None
        From `kredslob.studies.sensitivity.one_at_a_time`.
    regions : Dataset or None
        From `kredslob.studies.regions.sustaining_regions`; None where a rule sets the rate.
    loops : LoopStudy
        Loops at the highest rate.
    checks : DataFrame
        From `kredslob.studies.cycle_checks.check_cycle`.
    drawn : bool
        Whether draws were made for the report, since the folder held none.
    hinges : HingeStudy or None
        What outcomes hinge on, where the folder is a study of that.
    policies : PolicyStudy or None
        Policies judged and searched for, where the folder is a search.
    """

    uncertainty: xr.Dataset | None
    sensitivity: xr.Dataset | None
    regions: xr.Dataset | None
    loops: LoopStudy
    checks: pd.DataFrame
    drawn: bool
    hinges: HingeStudy | None
    policies: PolicyStudy | None


def read_material(folder: Path) -> Material:
    """Read a saved run or study of the reinvestment model.

    Parameters
    ----------
    folder : Path
        Folder that a command of kredslob has written.

    Raises
    ------
    InputFileError
        The folder holds no run that can be read, or a run of another model.
    """
    saved = load_run(folder)
    if saved.manifest.get("model") != MODEL:
        found = saved.manifest.get("model")
        raise InputFileError(
            folder, f"holds a run of {found}; reports are made of the reinvestment model only"
        )
    scenario = _scenario(saved)
    if RATE not in saved.runs.dims:
        check_variables("report", saved.runs, ["reinvestment rate in force"])
    runs = with_rate(saved.runs)
    again = runs.sizes[RATE] > _MOST_RATES or "Cumulated Spent" not in runs
    again = again or "counterfactual eligible" not in runs
    if again:
        length = float(runs["time"][-1] - runs["time"][0])
        runs = sweep(load(), scenario, {RATE: _AGAIN}, years=length)
    runs = runs.sortby(RATE)
    summed, books, shares, views = summary(runs), accounts(runs), equity(runs), bookkeeping(runs)
    moves = scenario.parameters.get(_RULE, 0) != 0
    stated = facts(runs, summed, books, shares, views, moves=moves)
    return Material(saved, scenario, runs, summed, books, shares, views, stated, again)


def read_studies(material: Material) -> Studies:
    """Take the studies that the folder holds, and make the others from its own scenario.

    Draws that are made here are `DRAWS` with seed `SEED`.
    """
    model, scenario = load(), material.scenario
    horizon = int(material.facts.years)
    tables = material.saved.tables
    moves = material.facts.moves
    kept = tables.get("uncertainty")
    # that of the threshold has the same name, but asks something else
    drawn = kept if kept is not None and "probability interval" in kept else None
    if drawn is None and not moves:
        rates = [material.facts.last.rate]
        drawn = uncertainty(model, scenario, rates=rates, draws=DRAWS, seed=SEED, years=horizon)
    shown = scenario if moves else scenario.with_parameters({RATE: material.facts.last.rate})
    regions = tables.get("regions")
    if regions is None and not moves:
        regions = sustaining_regions(model, scenario, years=horizon)
    return Studies(
        uncertainty=drawn,
        sensitivity=one_at_a_time(
            model, cycle_factors(shown), cycle_questions(horizon), shown, years=horizon
        ),
        regions=regions,
        loops=_loops(material, model, shown),
        checks=check_cycle(model, pair_budget=_FEWEST_PAIRS),
        drawn=drawn is not None and drawn is not kept,
        hinges=_hinges(tables),
        policies=_policies(tables),
    )


def _hinges(tables: Mapping[str, xr.Dataset]) -> HingeStudy | None:
    if not {"screened", "ranked", "moved"} <= set(tables):
        return None
    return HingeStudy(tables["screened"], tables["ranked"], tables["moved"])


def _policies(tables: Mapping[str, xr.Dataset]) -> PolicyStudy | None:
    if not {"policies", "front"} <= set(tables):
        return None
    judged = {
        str(found.attrs["outcome"]): found
        for name, found in tables.items()
        if name.startswith("robustness-")
    }
    return PolicyStudy(tables["policies"], judged, tables["front"])


def _loops(material: Material, model: Model, shown: Scenario) -> LoopStudy:
    rate, years = material.facts.last.rate, material.facts.years
    kept = material.saved.tables.get(f"loops {rate:g}")
    return LoopStudy(
        runs=material.runs,
        scores={rate: loop_scores(shown, years=years) if kept is None else kept},
        graph=causal_graph(model, shown, years=years),
        titles={},
        families=True,
        model=reinvestment_folder() / MODEL,
    )


def _scenario(saved: SavedRun) -> Scenario:
    """Place and policy as they were run; what no file at hand gives a title goes by its name."""
    manifest = saved.manifest
    name, setting = str(manifest.get("scenario") or ""), str(manifest.get("setting") or "")
    place = list_settings().get(setting) or _called(setting)
    title = (list_scenarios().get(name) or _called(name)) if name else place
    described, located = title, place
    if setting in list_settings():
        located = dict(load_scenario(None, setting).description)
        described = described if name else located
        if name in list_scenarios():
            described = dict(load_scenario(name, setting).description)
    own = saved.folder / _OWN
    if own.is_file():
        kept = load_scenario(None, own)
        title, described = dict(kept.title), dict(kept.description)
    parameters = manifest["parameters"]
    return Scenario(name, setting, title, described, place, located, parameters)


def _called(name: str) -> dict[str, str]:
    return {"da": name, "en": name}
