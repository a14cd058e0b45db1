"""The command that finds the feedback loops of a model."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kredslob.commands.asked import Asked, chosen_scenario, named, simulated
from kredslob.commands.options import (
    MOST_YEARS,
    LanguageOption,
    ModelArgument,
    OutOption,
    RatesOption,
    ScenarioOption,
    SetOption,
    SettingOption,
)
from kredslob.commands.typed import RATE, change, has_rule
from kredslob.commands.typed import rates as read_rates
from kredslob.errors import ParameterError

if TYPE_CHECKING:
    import xarray as xr

    from kredslob.cycle.scenario import Scenario
    from kredslob.show.loop_folder import LoopStudy

_RATES = "0,0.25,1"


def loops(
    lang: LanguageOption,
    file: ModelArgument = None,
    setting: SettingOption = "municipality",
    scenario: ScenarioOption = None,
    rates: RatesOption = None,
    set_: SetOption = None,
    years: Annotated[
        float | None, typer.Option(help="Length of the run, in the model's unit of time.")
    ] = None,
    out: OutOption = None,
) -> None:
    """Find the feedback loops of a model and say which of them are in charge when."""
    given: dict[str, Any] = {"--years": years, "--set": set_}
    chosen: Scenario | None = None
    if file is None:
        if years is not None and years > MOST_YEARS:
            raise ParameterError(f"--years: found {years:g}, expected at most {MOST_YEARS}")
        chosen = chosen_scenario(scenario, setting, set_)
        alone = scenario is not None or has_rule(chosen)
        compared = read_rates(rates or (None if alone else _RATES), chosen, own=True)
        given |= {"--setting": setting, "--scenario": scenario, "--rates": rates}
        asked = Asked.of("kredslob loops", given, lang, out, named(chosen, "loops"))
        study = _loops_of_the_cycle(chosen, compared, years)
    else:
        if scenario is not None:
            problem = f"belongs to the reinvestment model, not to {file.name}"
            raise ParameterError(f"--scenario: {problem}")
        changes = [change(text) for text in set_ or ()]
        command = shlex.join(["kredslob", "loops", str(file)])
        asked = Asked.of(command, given, lang, out, f"{file.stem}-loops")
        study = _loops_of(file, changes, years)
    _save(asked, study, chosen)


def _save(asked: Asked, study: LoopStudy, chosen: Scenario | None) -> None:
    from rich.console import Console

    from kredslob.show.loop_folder import save_loops
    from kredslob.show.loop_table import how_many

    made_by = {"command": asked.command, "setting": "", "scenario": ""}
    if chosen is not None:
        made_by |= {"setting": chosen.setting, "scenario": chosen.name}
    save_loops(asked.folder, study, made_by, chosen)
    screen = Console(highlight=False)
    for table in study.tables(asked.lang.value).values():
        screen.print(table)
    screen.print(how_many(list(study.scores.values())[-1], asked.lang.value))
    asked.tell()


def _loops_of_the_cycle(
    chosen: Scenario, rates: tuple[float, ...], years: float | None
) -> LoopStudy:
    import kredslob
    from kredslob.cycle.loops import loop_scores
    from kredslob.paths import reinvestment_folder
    from kredslob.show.loop_folder import LoopStudy
    from kredslob.show.progress import progress_bar

    model = kredslob.load()
    compared = [chosen.with_parameters({RATE: rate}) for rate in rates] or [chosen]
    numbers = rates or (float(chosen.parameters.get(RATE, model.program.defaults[RATE][0])),)
    scores: dict[float, xr.Dataset] = {}
    with progress_bar() as progress:
        for number, one in zip(numbers, compared, strict=True):
            progress(len(scores), len(compared))
            scores[number] = loop_scores(one, years=years)
    return LoopStudy(
        runs=simulated(model, chosen, rates, years),
        scores=scores,
        graph=kredslob.causal_graph(model, compared[-1], years=years),
        titles={} if rates else chosen.title,
        families=True,
        model=reinvestment_folder() / "reinvestment.mdl",
    )


def _loops_of(file: Path, changes: list[dict[str, Any]], years: float | None) -> LoopStudy:
    import kredslob
    from kredslob.feedback.scores import Feedback
    from kredslob.show.loop_folder import LoopStudy

    model = kredslob.load(file)
    changed = {name: value for change in changes for name, value in change.items()}
    return LoopStudy(
        runs=model.run(changed, years=years),
        scores={0.0: Feedback(model).scores(changed, years=years)},
        graph=kredslob.causal_graph(model, changed, years=years),
        titles={},
        families=False,
        model=file,
    )
