"""The command line. Checks what it was given before anything heavy starts; computes nothing."""

from __future__ import annotations

import gc
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, cast

import typer

from kredslob.commands.document import document
from kredslob.commands.help import (
    CHECK,
    RUN,
    RUNS,
    SHOW,
    STUDY,
    complete_scenario,
    complete_setting,
    epilog,
    shown,
)
from kredslob.commands.options import AT_END, Language, LanguageOption, check_folder, new_folder
from kredslob.commands.runs import export, reproduce, runs_app
from kredslob.errors import KredslobError, ParameterError

if TYPE_CHECKING:
    import xarray as xr

    from kredslob.cycle.scenario import Scenario
    from kredslob.show.loop_folder import LoopStudy
    from kredslob.simulation import Model

RATE = "reinvestment rate"
RULE = "reinvestment rule"
DEFAULT_RATES = (0.0, 0.25, 0.5, 0.75, 1.0)
LOOP_RATES = "0,0.25,1"
MOST_RATES = 21
DRAWS = 2000
MOST_DRAWS = 20_000
DRAWS_AT_RATES, FEWEST_DRAWS, MOST_DRAWS_AT_RATES = 10_000, 20, 200_000
TRAJECTORIES, MOST_TRAJECTORIES = 20, 1000
INPUTS, MOST_INPUTS = 12, 60
SAMPLES, MOST_SAMPLES = 512, 16_384
POLICY_DRAWS, POPULATION, GENERATIONS = 256, 40, 15
MOST_POLICIES, MOST_GENERATIONS = 400, 200
_DIFFERENCES_SHOWN = 10
_STOPPED = 130  # as a shell has it
MOST_YEARS = 70  # as far as the discount rule reaches
# what typer raises for any wrong use; it gives the class no public name
_USAGE_ERROR = cast("type[Exception]", typer.BadParameter.__base__)
_KEPT = {
    "da": "afbrudt; det, der er færdigt, ligger i {store}; gå videre med: {command}",
    "en": "stopped; what is finished is in {store}; go on with: {command}",
}
_SAVED = {"da": "Resultaterne ligger i", "en": "The results are in"}
_OPEN = {"da": "Åbn siden", "en": "Open the page"}


class _StoppedError(Exception):
    """The work was stopped from the keyboard, and something of it is kept."""


app = typer.Typer(
    help="Social investment as a cycle, computed.",
    epilog=epilog(
        "kredslob run",
        "kredslob run --help",
        "kredslob --install-completion  # then Tab completes names",
    ),
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line. Bad input ends it with one line on stderr and exit code 2."""
    gc.set_threshold(50_000)  # at Python's own, a tenth of a run's time goes to finding little
    try:
        with ExitStack() as at_end:
            AT_END.set(at_end)
            sys.exit(_carried_out(sys.argv[1:] or ["--help"]))
    except KredslobError as problem:
        _end(f"error: {problem}", 2)
    except _USAGE_ERROR as problem:
        _end(f"error: {_usage(problem)}", 2)
    except _StoppedError as stopped:
        _end(str(stopped), _STOPPED)
    except (typer.Abort, KeyboardInterrupt):
        _end("stopped; nothing was saved", _STOPPED)


def _carried_out(words: list[str]) -> int:
    code: int = _command()(words, prog_name="kredslob", standalone_mode=False) or 0
    if code == _STOPPED:  # typer says no more of Ctrl-C
        raise typer.Abort
    return code


def _usage(problem: Exception) -> str:
    """What was typed wrong, and where to read on."""
    said = getattr(problem, "format_message", problem.__str__)().rstrip(".")
    context = getattr(problem, "ctx", None)
    if "extra argument" in said:
        said += "; put quotes round what has blanks in it, such as --set 'NAME=VALUE'"
    return f"{said} (see '{context.command_path if context else 'kredslob'} --help')"


def _command() -> Any:
    """The whole command; its options for Tab work, and are told of at the end of the help."""
    command = typer.main.get_command(app)
    options: list[Any] = list(command.params)
    for option in options:
        if option.name in ("install_completion", "show_completion"):
            option.hidden = True
    return command


def _end(message: str, code: int) -> NoReturn:
    print(" ".join(message.split()), file=sys.stderr)
    sys.exit(code)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"kredslob {version('kredslob')}")
        raise typer.Exit


SettingOption = Annotated[
    str,
    typer.Option(
        help="Place: a name from 'kredslob settings', or a .toml file.",
        autocompletion=complete_setting,
    ),
]
ScenarioOption = Annotated[
    str | None,
    typer.Option(
        help="Policy: a name from 'kredslob scenarios', or a .toml file.",
        autocompletion=complete_scenario,
    ),
]
RatesOption = Annotated[
    str | None,
    typer.Option(
        help="Reinvestment rates to compare, such as 0,0.5,1. Default: the policy's own; without "
        "a policy some from 0 to 1."
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change a parameter, such as 'capital at start\\[own savings]=20 million DKK'. "
        "May be given more than once.",
    ),
]
YearsOption = Annotated[int | None, typer.Option(min=1, max=MOST_YEARS, help="Years to run.")]
OutOption = Annotated[
    Path | None,
    typer.Option(help="New or empty folder for the results. Default: a new one in runs/."),
]


@app.callback()
def _options(
    version_: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


@app.command(
    **shown(
        RUN,
        "kredslob run",
        "kredslob run --setting national --scenario half",
        "kredslob run --rates 0,0.5,1 --years 20 --set 'cashing delay[health]=2 years'",
    )
)
def run(
    lang: LanguageOption,
    setting: SettingOption = "municipality",
    scenario: ScenarioOption = None,
    rates: RatesOption = None,
    set_: SetOption = None,
    years: YearsOption = None,
    out: OutOption = None,
) -> None:
    """Run the reinvestment model and save figures, tables, a page and all numbers."""
    from kredslob.cycle.scenario import load_scenario

    changes = [_change(text) for text in set_ or ()]
    chosen = _changed(load_scenario(scenario, setting), changes)
    own = scenario is not None or any(RATE in change for change in changes)
    compared = _rates(rates, chosen, own)
    folder = out or _new_folder(chosen, "rates" if compared else "own-rate")
    check_folder(folder)
    given = {"--setting": setting, "--scenario": scenario, "--rates": rates, "--years": years}
    command = ["kredslob", "run", *_as_given(given, set_ or ()), "--lang", str(lang)]

    from rich.console import Console

    import kredslob
    from kredslob.cycle.summary import summary
    from kredslob.show.run_folder import save_run
    from kredslob.show.table import summary_table

    runs = _run(kredslob.load(), chosen, compared, years)
    summed = summary(runs)
    save_run(
        folder, runs, summed, scenario=chosen, language=lang.value, command=shlex.join(command)
    )
    Console().print(summary_table(summed, lang.value, chosen))
    print(f"{_SAVED[lang.value]} {folder}")
    print(f"{_OPEN[lang.value]}: {folder / 'index.html'}")


@app.command(
    **shown(
        STUDY,
        "kredslob threshold",
        "kredslob threshold --setting national --draws 500 --out how-much",
    )
)
def threshold(
    lang: LanguageOption,
    setting: SettingOption = "municipality",
    scenario: ScenarioOption = None,
    set_: SetOption = None,
    years: YearsOption = None,
    draws: Annotated[
        int, typer.Option(min=2, max=MOST_DRAWS, help="Draws of the uncertain parameters.")
    ] = DRAWS,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    out: OutOption = None,
) -> None:
    """Find the rate from which the cycle carries itself, how sure that is, and what it costs."""
    from kredslob.cycle.scenario import load_scenario

    chosen = _changed(load_scenario(scenario, setting), [_change(text) for text in set_ or ()])
    _check_rule(chosen)
    folder = out or _new_folder(chosen, "threshold")
    check_folder(folder)
    given = {"--setting": setting, "--scenario": scenario, "--years": years}
    given |= {"--draws": draws, "--seed": seed}
    command = ["kredslob", "threshold", *_as_given(given, set_ or ()), "--lang", str(lang)]

    from rich.console import Console

    import kredslob
    from kredslob.show.progress import progress_bar
    from kredslob.show.threshold_folder import save_threshold
    from kredslob.show.threshold_table import threshold_tables
    from kredslob.studies.threshold import threshold_study

    model = kredslob.load()
    with progress_bar() as progress:
        study = threshold_study(
            model, chosen, years=years, draws=draws, seed=seed, progress=progress
        )
    save_threshold(folder, study, scenario=chosen, command=shlex.join(command))
    for table in threshold_tables(study, lang.value, chosen):
        Console().print(table)
    print(f"{_SAVED[lang.value]} {folder}")


@app.command(
    **shown(
        STUDY,
        "kredslob uncertainty --draws 1000",
        "kredslob uncertainty --rates 0.5,1 --structure 'switch prevention=0.8'",
    )
)
def uncertainty(
    lang: LanguageOption,
    setting: SettingOption = "municipality",
    scenario: ScenarioOption = None,
    set_: SetOption = None,
    rates: Annotated[
        str, typer.Option(help="Reinvestment rates to compare, under the same draws.")
    ] = "0.5,1",
    years: YearsOption = None,
    draws: Annotated[
        int,
        typer.Option(
            min=FEWEST_DRAWS, max=MOST_DRAWS_AT_RATES, help="Draws of the uncertain parameters."
        ),
    ] = DRAWS_AT_RATES,
    structure: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SWITCH=CHANCE",
            help="Chance that a hypothesis of the model holds, such as 'switch prevention=0.8'. "
            "May be given more than once. Default: one half each.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    out: OutOption = None,
) -> None:
    """Draw the uncertain parameters: how likely is payback, and who risks what.

    If it is stopped, the same command with the same --out goes on with what is missing.
    """
    from kredslob.cycle.scenario import load_scenario
    from kredslob.studies.questions import cycle_factors

    chosen = _changed(load_scenario(scenario, setting), [_change(text) for text in set_ or ()])
    _check_rule(chosen)
    chances = dict(_chance(text) for text in structure or ())
    drawn = {factor.name for factor in cycle_factors(chosen, chances)}
    compared = _rates(rates, chosen, own=True)
    folder = out or _new_folder(chosen, "uncertainty")
    check_folder(folder)
    given = {"--setting": setting, "--scenario": scenario, "--rates": rates, "--years": years}
    given |= {"--draws": draws, "--seed": seed}
    more = [w for text in structure or () for w in ("--structure", text)]
    command = ["kredslob", "uncertainty", *_as_given(given, set_ or ()), *more]
    command += ["--lang", str(lang)]

    from rich.console import Console

    import kredslob
    from kredslob.show.progress import progress_bar
    from kredslob.show.structure_figures import structure_table
    from kredslob.show.uncertainty_folder import save_uncertainty
    from kredslob.show.uncertainty_table import uncertainty_table
    from kredslob.studies.structures import by_structure

    model = kredslob.load()
    with _kept(folder, command, lang) as store:
        with progress_bar() as progress:
            found = kredslob.uncertainty(
                model,
                chosen,
                rates=compared,
                draws=draws,
                structures=chances,
                seed=seed,
                years=years,
                store=store,
                progress=progress,
            )
        runs = _run(model, chosen, compared, years)
        apart = by_structure(found) if any(n.startswith("switch ") for n in drawn) else None
        save_uncertainty(
            folder,
            runs,
            found,
            scenario=chosen,
            command=shlex.join(command),
            compared=apart,
            chances=chances,
        )
    Console().print(uncertainty_table(found, lang.value, chosen))
    if apart is not None:
        Console().print(structure_table(apart, lang.value, chosen))
    print(f"{_SAVED[lang.value]} {folder}")


@app.command(
    **shown(
        STUDY,
        "kredslob sensitivity",
        "kredslob sensitivity --outcomes 'loop gain' --range 'overhead share=0.1:0.3'",
    )
)
def sensitivity(
    lang: LanguageOption,
    setting: SettingOption = "municipality",
    scenario: ScenarioOption = None,
    set_: SetOption = None,
    outcomes: Annotated[
        str | None,
        typer.Option(
            help="Outcomes, with commas between. Default: three; see docs/sensitivity.md."
        ),
    ] = None,
    range_: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            metavar="NAME=LOW:HIGH",
            help="Another range than that of the parameter table, or of a lever; LOW:VALUE:HIGH is "
            "triangular. May be given more than once.",
        ),
    ] = None,
    trajectories: Annotated[
        int, typer.Option(min=4, max=MOST_TRAJECTORIES, help="Paths that screen all inputs.")
    ] = TRAJECTORIES,
    inputs: Annotated[
        int, typer.Option(min=1, max=MOST_INPUTS, help="How many of the strongest are ranked.")
    ] = INPUTS,
    samples: Annotated[
        int,
        typer.Option(min=64, max=MOST_SAMPLES, help="Samples that rank them: a power of 2."),
    ] = SAMPLES,
    years: YearsOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the samples.")] = 0,
    out: OutOption = None,
) -> None:
    """Find the inputs that the outcomes hinge on: screen all of them, rank the strongest.

    If it is stopped, the same command with the same --out goes on with what is missing.
    """
    from kredslob.cycle.scenario import load_scenario
    from kredslob.studies.hinges import OUTCOMES, hinge_study
    from kredslob.studies.ranges import stated_range
    from kredslob.studies.sensitivity import check_sobol, check_trajectories

    chosen = _changed(load_scenario(scenario, setting), [_change(text) for text in set_ or ()])
    asked = _listed(outcomes) or OUTCOMES
    ranges = [stated_range(text, "--range") for text in range_ or ()]
    check_trajectories(trajectories)
    check_sobol(samples)
    folder = out or _new_folder(chosen, "sensitivity")
    check_folder(folder)
    given: dict[str, Any] = {"--setting": setting, "--scenario": scenario}
    given |= {"--outcomes": outcomes}
    given |= {"--trajectories": trajectories, "--inputs": inputs, "--samples": samples}
    given |= {"--years": years, "--seed": seed}
    words_ = [
        *_as_given(given, set_ or ()),
        *(w for text in range_ or () for w in ("--range", text)),
    ]
    command = ["kredslob", "sensitivity", *words_, "--lang", str(lang)]

    from rich.console import Console

    import kredslob
    from kredslob.show.progress import progress_bar
    from kredslob.show.sensitivity_folder import save_sensitivity
    from kredslob.show.sensitivity_table import sensitivity_table
    from kredslob.studies.reproduction import hinge_question

    model = kredslob.load()
    with _kept(folder, command, lang) as store:
        with progress_bar() as progress:
            study = hinge_study(
                model,
                chosen,
                outcomes=asked,
                ranges=ranges,
                trajectories=trajectories,
                inputs=inputs,
                samples=samples,
                seed=seed,
                years=years,
                store=store,
                progress=progress,
            )
        runs = _run(model, chosen, (), years)
        question = hinge_question(asked, ranges, inputs)
        told = shlex.join(command)
        save_sensitivity(folder, runs, study, scenario=chosen, command=told, asked=question)
    Console().print(sensitivity_table(study, lang.value, chosen))
    print(f"{_SAVED[lang.value]} {folder}")


@app.command(
    **shown(
        STUDY,
        "kredslob search",
        "kredslob search --enough 'citizens helped=90' --lever 'reinvestment rate=0:1'",
    )
)
def search(
    lang: LanguageOption,
    setting: SettingOption = "municipality",
    scenario: ScenarioOption = None,
    set_: SetOption = None,
    outcomes: Annotated[
        str | None,
        typer.Option(
            help="Outcomes to judge by, with commas between. Default: three; see "
            "docs/policy-search.md."
        ),
    ] = None,
    enough: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OUTCOME=AMOUNT",
            help="What is good enough, such as 'citizens helped=90'. May be given more than once. "
            "Default: as much as without reinvestment.",
        ),
    ] = None,
    lever: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=LOW:HIGH",
            help="What the search may choose, and between what. May be given more than once. "
            "Default: rate, allocation weight, reserved share and evaluation share.",
        ),
    ] = None,
    draws: Annotated[
        int,
        typer.Option(min=16, max=MOST_DRAWS, help="Draws that all policies meet: a power of 2."),
    ] = POLICY_DRAWS,
    population: Annotated[
        int, typer.Option(min=4, max=MOST_POLICIES, help="Policies in a generation.")
    ] = POPULATION,
    generations: Annotated[
        int, typer.Option(min=1, max=MOST_GENERATIONS, help="Generations of the search.")
    ] = GENERATIONS,
    years: YearsOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of draws and search.")] = 0,
    out: OutOption = None,
) -> None:
    """Judge policies over draws of all that is uncertain, and search for those that none beats.

    If it is stopped, the same command with the same --out goes on with what is missing.
    """
    from kredslob.cycle.scenario import load_scenario
    from kredslob.studies.policies import JUDGED_BY, policy_study
    from kredslob.studies.ranges import stated_range

    changes = [_change(text) for text in set_ or ()]
    chosen = _changed(load_scenario(scenario, setting), changes)
    _check_rule(chosen)
    thresholds = dict(_enough(text) for text in enough or ())
    ranges = [stated_range(text, "--lever") for text in lever or ()]
    folder = out or _new_folder(chosen, "search")
    check_folder(folder)
    given: dict[str, Any] = {"--setting": setting, "--scenario": scenario}
    given |= {"--outcomes": outcomes}
    given |= {"--draws": draws, "--population": population, "--generations": generations}
    given |= {"--years": years, "--seed": seed}
    more = [w for text in enough or () for w in ("--enough", text)]
    more += [w for text in lever or () for w in ("--lever", text)]
    command = ["kredslob", "search", *_as_given(given, set_ or ()), *more, "--lang", str(lang)]

    from rich.console import Console

    import kredslob
    from kredslob.show.policy_folder import save_policies
    from kredslob.show.policy_table import policy_tables
    from kredslob.show.progress import progress_bar
    from kredslob.studies.questions import cycle_policies
    from kredslob.studies.reproduction import policy_question

    model = kredslob.load()
    names = _listed(outcomes) or JUDGED_BY
    searched = {factor.name: (factor.low, factor.high) for factor in ranges}
    candidates = {n: _changed(p, changes) for n, p in cycle_policies(setting).items()}
    if scenario is not None:
        candidates[chosen.name] = chosen
    with _kept(folder, command, lang) as store:
        with progress_bar() as progress:
            study = policy_study(
                model,
                chosen,
                candidates=candidates,
                outcomes=names,
                thresholds=thresholds or None,
                levers=searched or None,
                draws=draws,
                population=population,
                generations=generations,
                seed=seed,
                years=years,
                store=store,
                progress=progress,
            )
        if study.front.attrs["interrupted"]:  # a search that was stopped gives what it has
            raise KeyboardInterrupt
        runs = _run(model, chosen, (), years)
        question = policy_question(
            candidates,
            names,
            thresholds,
            searched,
            population=population,
            generations=generations,
        )
        told = shlex.join(command)
        save_policies(folder, runs, study, scenario=chosen, command=told, asked=question)
    for table in policy_tables(study, lang.value, chosen):
        Console().print(table)
    print(f"{_SAVED[lang.value]} {folder}")


@app.command(
    **shown(
        STUDY, "kredslob loops", "kredslob loops my-model.mdl --years 50 --set 'birth rate=0.03'"
    )
)
def loops(
    lang: LanguageOption,
    file: Annotated[
        Path | None, typer.Argument(help="A model file. Default: the reinvestment model.")
    ] = None,
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
    changes = [_change(text) for text in set_ or ()]
    given: dict[str, Any] = {"--years": years}
    if file is None:
        given |= {"--setting": setting, "--scenario": scenario, "--rates": rates}
    elif scenario is not None:
        raise ParameterError(f"--scenario: belongs to the reinvestment model, not to {file.name}")
    words_ = ["kredslob", "loops", *([str(file)] if file else [])]
    command = [*words_, *_as_given(given, set_ or ()), "--lang", str(lang)]

    from rich.console import Console

    from kredslob.cycle.scenario import load_scenario
    from kredslob.show.loop_folder import save_loops
    from kredslob.show.loop_table import how_many

    made_by = {"command": shlex.join(command), "setting": "", "scenario": ""}
    cycle: Scenario | None = None
    if file is None:
        if years is not None and years > MOST_YEARS:
            raise ParameterError(f"--years: found {years:g}, expected at most {MOST_YEARS}")
        chosen = _changed(load_scenario(scenario, setting), changes)
        cycle = chosen
        alone = scenario is not None or chosen.parameters.get(RULE, 0) != 0
        compared = _rates(rates or (None if alone else LOOP_RATES), chosen, own=True)
        made_by |= {"setting": chosen.setting, "scenario": chosen.name}
        folder = out or _new_folder(chosen, "loops")
        check_folder(folder)
        study = _loops_of_the_cycle(chosen, compared, years)
    else:
        folder = out or new_folder(f"{file.stem}-loops")
        check_folder(folder)
        study = _loops_of(file, changes, years)
    save_loops(folder, study, made_by, cycle)
    screen = Console(highlight=False)
    for table in study.tables(lang.value).values():
        screen.print(table)
    screen.print(how_many(list(study.scores.values())[-1], lang.value))
    print(f"{_SAVED[lang.value]} {folder}")


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
        runs=_run(model, chosen, rates, years),
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


@app.command(
    **shown(
        SHOW,
        "kredslob workshop --lang da",
        "kredslob workshop --setting national --scenario ours.toml --out page.html",
    )
)
def workshop(
    lang: LanguageOption,
    setting: SettingOption = "municipality",
    scenario: Annotated[
        list[str] | None,
        typer.Option(help="A policy of your own to offer too: a .toml file. May be given again."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The page; an existing one is replaced.")] = Path(
        "workshop.html"
    ),
) -> None:
    """Write the workshop page: one HTML file that runs the whole model in any browser."""
    from kredslob.show.workshop import write_workshop

    print(f"{_OPEN[lang.value]}: {write_workshop(out, lang.value, setting, scenario or ())}")


@app.command(
    **shown(SHOW, "kredslob report", "kredslob report runs/mine --kind brief --format docx,pdf")
)
def report(
    lang: LanguageOption,
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of runs; several for compare. Default: the newest in runs/."),
    ] = None,
    kind: Annotated[str, typer.Option(help="brief, full, compare or slides.")] = "full",
    formats: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="Such as docx,pdf,xlsx. Default: the documents of the kind; all: also xlsx, csv, "
            "parquet and netcdf.",
        ),
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(help="Your own .docx or .pptx, whose styles are used in place of ours."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report. Default: one in reports/.")
    ] = None,
) -> None:
    """Make a report of a saved run: Word, PowerPoint, HTML and PDF, and its numbers as tables."""
    from kredslob.show.report import newest_run, write_report

    folders = runs or [newest_run(Path("runs"))]
    written = write_report(
        folders,
        out or Path("reports") / folders[0].resolve().name,
        kind=kind,
        language=lang.value,
        formats=[part.strip() for part in (formats or "").split(",") if part.strip()],
        template=template,
    )
    for path in written:
        print(path)


@app.command(**shown(RUN, "kredslob settings"))
def settings(lang: LanguageOption) -> None:
    """List the settings that come with the model."""
    from kredslob.cycle.scenario import list_settings

    _print_titles(list_settings(), lang)


@app.command(**shown(RUN, "kredslob scenarios --lang da"))
def scenarios(lang: LanguageOption) -> None:
    """List the policies that come with the model."""
    from kredslob.cycle.scenario import list_scenarios

    _print_titles(list_scenarios(), lang)


@app.command(
    **shown(SHOW, "kredslob diagrams pictures", "kredslob diagrams pictures --model my-model.mdl")
)
def diagrams(
    out: Annotated[Path, typer.Argument(help="New or empty folder for the pictures.")],
    file: Annotated[
        Path | None, typer.Option("--model", help="A model file. Default: the reinvestment model.")
    ] = None,
) -> None:
    """Draw the diagram of each sector of a model, as Vensim shows it."""
    from kredslob.paths import reinvestment_folder
    from kredslob.results import new_run_folder
    from kredslob.show.sketch import draw_view, views

    check_folder(out)
    drawn = views(file or reinvestment_folder() / "reinvestment.mdl")
    with new_run_folder(out) as hidden:
        for number, view in enumerate(drawn, start=1):
            name = f"{number:02d}-{view.name.lower().replace(' ', '-')}"
            draw_view(view).savefig(hidden / f"{name}.svg", metadata={"Date": None})
    print(f"{len(drawn)} diagrams are in {out}")


app.command(**shown(SHOW, "kredslob document", "kredslob document my-model.mdl --out it.html"))(
    document
)
app.command(**shown(RUNS, "kredslob export runs/mine --format xlsx,csv --out tables"))(export)
app.command(**shown(RUNS, "kredslob reproduce runs/mine"))(reproduce)
app.add_typer(runs_app, name="runs", rich_help_panel=RUNS)


@app.command(**shown(CHECK, "kredslob case denver"))
def case(
    lang: LanguageOption,
    name: Annotated[str, typer.Argument(help="Name of the case.")] = "denver",
) -> None:
    """Set the model up as a published case was, and show its results beside the published ones."""
    from kredslob.cycle.cases import compare, load_case

    chosen = load_case(name)

    from rich.console import Console

    import kredslob
    from kredslob.show.table import case_notes, case_table

    language = lang.value
    print(f"{chosen.title[language]}. {chosen.description[language]}\n")
    compared = compare(chosen, kredslob.load(), language)
    screen = Console(highlight=False)
    screen.print(case_table(compared, language))
    for note in case_notes(compared, language):
        screen.print(f"* {note}")


@app.command(**shown(CHECK, "kredslob cases"))
def cases(lang: LanguageOption) -> None:
    """Set the model up as each published case was, and show all results in one table."""
    from rich.console import Console

    import kredslob
    from kredslob.cycle.cases import compare_all
    from kredslob.show.progress import progress_bar
    from kredslob.show.table import case_notes, case_table

    model = kredslob.load()
    with progress_bar() as progress:
        compared = compare_all(model, lang.value, progress)
    screen = Console(highlight=False)
    screen.print(case_table(compared, lang.value))
    for title, rows in compared.groupby("case", sort=False):
        screen.print(f"\n{title}")
        for note in case_notes(rows, lang.value):
            screen.print(f"* {note}")


@app.command(**shown(CHECK, "kredslob units", "kredslob units my-model.mdl"))
def units(
    file: Annotated[
        Path | None, typer.Argument(help="A model file. Default: the reinvestment model.")
    ] = None,
) -> None:
    """Check that the units of a model agree; exit code 1 if they do not."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kredslob.dimensions import check_dimensions
    from kredslob.paths import reinvestment_folder

    path = file or reinvestment_folder() / "reinvestment.mdl"
    mismatches = check_dimensions(path)
    if not mismatches:
        print(f"{path.name}: all units agree")
        return
    table = Table("variable", "problem")
    for mismatch in mismatches:
        table.add_row(Text(mismatch.variable), Text(mismatch.problem))
    Console().print(table)
    raise typer.Exit(1)


@app.command(**shown(CHECK, "kredslob check", "kredslob check my-model.xmile --out checked"))
def check(
    lang: LanguageOption,
    file: Annotated[
        Path | None, typer.Argument(help="A model file. Default: the reinvestment model.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="New or empty folder for the table: CSV, JSON and netCDF.")
    ] = None,
) -> None:
    """Put a model through the standard tests; exit code 1 if it fails one."""
    if out is not None:
        check_folder(out)

    from rich.console import Console

    import kredslob
    from kredslob.show.check_table import check_notes, check_table, save_checks
    from kredslob.show.language import words
    from kredslob.show.progress import progress_bar
    from kredslob.studies.checks import FAIL, check_model, checks_dataset
    from kredslob.studies.cycle_checks import check_cycle

    model = kredslob.load(file)
    put_through = check_cycle if file is None else check_model
    with progress_bar() as progress:
        found = put_through(model, progress=progress)
    screen = Console(highlight=False)
    screen.print(check_table(found, lang.value))
    for note in check_notes(found, lang.value):
        screen.print(f"* {note}", markup=False)
    failed = int((found["verdict"] == FAIL).sum())
    w = words(lang.value)
    print(w.text("check.some_fail", count=failed) if failed else w.text("check.all_pass"))
    if out is not None:
        save_checks(out, found, checks_dataset(found, model))
        print(f"{_SAVED[lang.value]} {out}")
    if failed:
        raise typer.Exit(1)


@app.command(**shown(CHECK, "kredslob verify --years 2", "kredslob verify my-model.mdl"))
def verify(
    file: Annotated[
        Path | None, typer.Argument(help="A model file. Default: the reinvestment model.")
    ] = None,
    years: Annotated[
        float | None,
        typer.Option(help="Length of the run. Default: as the file says; PySD is slow."),
    ] = None,
    time_step: Annotated[
        float | None, typer.Option("--time-step", help="Integration step. Default: the file's.")
    ] = None,
) -> None:
    """Run a model on the engine and on PySD and show where they differ most; exit code 1 if so."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    import kredslob
    from kredslob.verification import TOLERANCE

    model = kredslob.load(file)
    found = kredslob.verify(model, years=years, time_step=time_step)
    table = Table("variable", "kind", "largest difference", "at time", "engine", "PySD")
    for row in found.head(_DIFFERENCES_SHOWN).to_dict("records"):
        values = (float(row[name]) for name in ("difference", "time", "engine", "pysd"))
        table.add_row(Text(str(row["variable"])), str(row["kind"]), *(f"{v:.6g}" for v in values))
    Console().print(table)
    above = int((found["difference"] > TOLERANCE).sum())
    print(f"{len(found)} variables compared; {above} differ by more than {TOLERANCE:g}")
    if above:
        raise typer.Exit(1)


def _change(text: str) -> dict[str, Any]:
    """Read NAME=VALUE, where NAME may end in [element] or [element, element]."""
    name, equals, value = text.partition("=")
    match = re.fullmatch(r"\s*([^\[\]]+?)\s*(?:\[([^\[\]]+)\])?\s*", name)
    if not equals or not match:
        raise ParameterError(
            f"--set: found '{text}', expected name=value or name[element]=value, "
            "such as 'cashing delay[health]=18 months'"
        )
    change: Any = _value(value.strip())
    for element in reversed([e.strip() for e in (match[2] or "").split(",") if e.strip()]):
        change = {element: change}
    return {match[1]: change}


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _chance(text: str) -> tuple[str, float]:
    """Read SWITCH=CHANCE; the study knows which switches there are."""
    name, _, chance = text.partition("=")
    try:
        return name.strip(), float(chance)
    except ValueError:
        raise ParameterError(
            f"--structure: found '{text}', expected switch=chance, such as 'switch prevention=0.8'"
        ) from None


def _enough(text: str) -> tuple[str, tuple[float, None]]:
    """Read OUTCOME=AMOUNT: at least that much is good enough."""
    name, equals, amount = text.partition("=")
    try:
        value = float(amount)
    except ValueError:
        value = float("nan")
    if not equals or not name.strip() or value != value:
        raise ParameterError(
            f"--enough: found '{text}', expected outcome=number, such as 'citizens helped=90'"
        )
    return name.strip(), (value, None)


def _changed(chosen: Scenario, changes: list[dict[str, Any]]) -> Scenario:
    for change in changes:
        chosen = chosen.with_parameters(change)
    return chosen


def _value(text: str) -> Any:
    """Read a value as TOML; what is not TOML, such as 18 months, is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _rates(text: str | None, chosen: Scenario, own: bool) -> tuple[float, ...]:
    """Rates to compare; none to run the scenario at its own."""
    from kredslob.cycle.quantity import QuantityError, in_unit

    ruled = chosen.parameters.get(RULE, 0) != 0
    if text is None:
        return () if own or ruled else DEFAULT_RATES
    if ruled:
        raise ParameterError(f"--rates: '{RULE}' sets the rate here; leave --rates out")
    try:
        found = {in_unit(part.strip(), "Dmnl") for part in text.split(",")}
    except QuantityError as problem:
        raise ParameterError(f"--rates: {problem}") from None
    for rate in found:
        if not 0 <= rate <= 1:
            hint = "; 50 percent is 0.5 or 50%, and a comma parts one rate from the next"
            raise ParameterError(f"--rates: found {rate:g}, expected numbers from 0 to 1{hint}")
    if len(found) > MOST_RATES:
        raise ParameterError(f"--rates: found {len(found)}, expected at most {MOST_RATES}")
    return tuple(sorted(found))


def _new_folder(chosen: Scenario, otherwise: str) -> Path:
    return new_folder(f"{chosen.setting}-{chosen.name or otherwise}")


@contextmanager
def _kept(folder: Path, command: list[str], lang: Language) -> Iterator[Path]:
    """A store beside the folder of a study, for what is finished before all is.

    It is removed when the block is done. If the block is stopped, the message says how to go on.
    """
    store = folder.with_name(f"{folder.name}.unfinished")
    try:
        yield store
    except KeyboardInterrupt:
        if not store.exists():
            raise
        again = shlex.join([*command, "--out", str(folder)])
        raise _StoppedError(_KEPT[lang.value].format(store=store, command=again)) from None
    shutil.rmtree(store, ignore_errors=True)


def _as_given(options: dict[str, Any], changes: list[str] | tuple[()]) -> list[str]:
    words = [w for name, v in options.items() if v is not None for w in (name, str(v))]
    return words + [w for change in changes for w in ("--set", change)]


def _check_rule(chosen: Scenario) -> None:
    if chosen.parameters.get(RULE, 0) != 0:
        raise ParameterError(f"'{RULE}' sets the rate here; expected rule 0")


def _run(
    model: Model, chosen: Scenario, rates: tuple[float, ...], years: float | None
) -> xr.Dataset:
    import kredslob
    from kredslob.cycle.summary import with_rate
    from kredslob.show.progress import progress_bar

    with progress_bar() as progress:
        if rates:
            levers = {RATE: rates}
            return kredslob.sweep(model, chosen, levers, years=years, progress=progress)
        return with_rate(model.run(chosen, years=years))


def _print_titles(titles: dict[str, dict[str, str]], lang: Language) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for name, title in titles.items():
        table.add_row(name, title[lang.value])
    Console().print(table)
