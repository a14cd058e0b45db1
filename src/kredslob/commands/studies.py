"""Studies of the reinvestment model: threshold, uncertainty, sensitivity and policy search."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from kredslob.commands.asked import Asked, chosen_scenario, named, simulated
from kredslob.commands.options import (
    LanguageOption,
    OutOption,
    ScenarioOption,
    SeedOption,
    SetOption,
    SettingOption,
    YearsOption,
)
from kredslob.commands.typed import (
    chance,
    change,
    changed,
    check_no_rule,
    enough_of,
    listed,
)
from kredslob.commands.typed import rates as read_rates

DRAWS = 2000
MOST_DRAWS = 20_000
DRAWS_AT_RATES, FEWEST_DRAWS, MOST_DRAWS_AT_RATES = 10_000, 20, 200_000
TRAJECTORIES, MOST_TRAJECTORIES = 20, 1000
INPUTS, MOST_INPUTS = 12, 60
SAMPLES, MOST_SAMPLES = 512, 16_384
POLICY_DRAWS, POPULATION, GENERATIONS = 256, 40, 15
MOST_POLICIES, MOST_GENERATIONS = 400, 200


def threshold(
    lang: LanguageOption,
    setting: SettingOption = "municipality",
    scenario: ScenarioOption = None,
    set_: SetOption = None,
    years: YearsOption = None,
    draws: Annotated[
        int, typer.Option(min=2, max=MOST_DRAWS, help="Draws of the uncertain parameters.")
    ] = DRAWS,
    seed: SeedOption = 0,
    out: OutOption = None,
) -> None:
    """Find the rate from which the cycle carries itself, how sure that is, and what it costs.

    If it is stopped, the same command with the same --out goes on with what is missing.
    """
    chosen = chosen_scenario(scenario, setting, set_)
    check_no_rule(chosen)
    given: dict[str, Any] = {
        "--setting": setting,
        "--scenario": scenario,
        "--years": years,
        "--draws": draws,
        "--seed": seed,
        "--set": set_,
    }
    asked = Asked.of("kredslob threshold", given, lang, out, named(chosen, "threshold"))

    import kredslob
    from kredslob.show.progress import progress_bar
    from kredslob.show.threshold_folder import save_threshold
    from kredslob.show.threshold_table import threshold_tables
    from kredslob.studies.threshold import threshold_study

    model = kredslob.load()
    with asked.kept() as store:
        with progress_bar() as progress:
            study = threshold_study(
                model,
                chosen,
                years=years,
                draws=draws,
                seed=seed,
                store=store,
                progress=progress,
            )
        save_threshold(asked.folder, study, scenario=chosen, command=asked.command)
    asked.tell(threshold_tables(study, lang.value, chosen))


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
    seed: SeedOption = 0,
    out: OutOption = None,
) -> None:
    """Draw the uncertain parameters: how likely is payback, and who risks what.

    If it is stopped, the same command with the same --out goes on with what is missing.
    """
    from kredslob.studies.questions import cycle_factors

    chosen = chosen_scenario(scenario, setting, set_)
    check_no_rule(chosen)
    chances = dict(chance(text) for text in structure or ())
    drawn = {factor.name for factor in cycle_factors(chosen, chances)}
    compared = read_rates(rates, chosen, own=True)
    given: dict[str, Any] = {
        "--setting": setting,
        "--scenario": scenario,
        "--rates": rates,
        "--years": years,
        "--draws": draws,
        "--seed": seed,
        "--set": set_,
        "--structure": structure,
    }
    asked = Asked.of("kredslob uncertainty", given, lang, out, named(chosen, "uncertainty"))

    import kredslob
    from kredslob.show.progress import progress_bar
    from kredslob.show.structure_figures import structure_table
    from kredslob.show.uncertainty_folder import save_uncertainty
    from kredslob.show.uncertainty_table import uncertainty_table
    from kredslob.studies.structures import by_structure

    model = kredslob.load()
    with asked.kept() as store:
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
        runs = simulated(model, chosen, compared, years)
        apart = by_structure(found) if any(n.startswith("switch ") for n in drawn) else None
        save_uncertainty(
            asked.folder,
            runs,
            found,
            scenario=chosen,
            command=asked.command,
            compared=apart,
            chances=chances,
        )
    tables = [uncertainty_table(found, lang.value, chosen)]
    if apart is not None:
        tables.append(structure_table(apart, lang.value, chosen))
    asked.tell(tables)


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
    from kredslob.studies.hinges import OUTCOMES, hinge_study
    from kredslob.studies.ranges import stated_range
    from kredslob.studies.sensitivity import check_sobol, check_trajectories

    chosen = chosen_scenario(scenario, setting, set_)
    named_outcomes = listed(outcomes) or OUTCOMES
    ranges = [stated_range(text, "--range") for text in range_ or ()]
    check_trajectories(trajectories)
    check_sobol(samples)
    given: dict[str, Any] = {
        "--setting": setting,
        "--scenario": scenario,
        "--outcomes": outcomes,
        "--trajectories": trajectories,
        "--inputs": inputs,
        "--samples": samples,
        "--years": years,
        "--seed": seed,
        "--set": set_,
        "--range": range_,
    }
    asked = Asked.of("kredslob sensitivity", given, lang, out, named(chosen, "sensitivity"))

    import kredslob
    from kredslob.show.progress import progress_bar
    from kredslob.show.sensitivity_folder import save_sensitivity
    from kredslob.show.sensitivity_table import sensitivity_table
    from kredslob.studies.reproduction import hinge_question

    model = kredslob.load()
    with asked.kept() as store:
        with progress_bar() as progress:
            study = hinge_study(
                model,
                chosen,
                outcomes=named_outcomes,
                ranges=ranges,
                trajectories=trajectories,
                inputs=inputs,
                samples=samples,
                seed=seed,
                years=years,
                store=store,
                progress=progress,
            )
        save_sensitivity(
            asked.folder,
            simulated(model, chosen, (), years),
            study,
            scenario=chosen,
            command=asked.command,
            asked=hinge_question(named_outcomes, ranges, inputs),
        )
    asked.tell([sensitivity_table(study, lang.value, chosen)])


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
    from kredslob.studies.policies import JUDGED_BY, policy_study
    from kredslob.studies.ranges import stated_range

    chosen = chosen_scenario(scenario, setting, set_)
    check_no_rule(chosen)
    thresholds = dict(enough_of(text) for text in enough or ())
    ranges = [stated_range(text, "--lever") for text in lever or ()]
    given: dict[str, Any] = {
        "--setting": setting,
        "--scenario": scenario,
        "--outcomes": outcomes,
        "--draws": draws,
        "--population": population,
        "--generations": generations,
        "--years": years,
        "--seed": seed,
        "--set": set_,
        "--enough": enough,
        "--lever": lever,
    }
    asked = Asked.of("kredslob search", given, lang, out, named(chosen, "search"))

    import kredslob
    from kredslob.show.policy_folder import save_policies
    from kredslob.show.policy_table import policy_tables
    from kredslob.show.progress import progress_bar
    from kredslob.studies.questions import cycle_policies
    from kredslob.studies.reproduction import policy_question

    model = kredslob.load()
    names = listed(outcomes) or JUDGED_BY
    searched = {factor.name: (factor.low, factor.high) for factor in ranges}
    changes = [change(text) for text in set_ or ()]
    candidates = {n: changed(p, changes) for n, p in cycle_policies(setting).items()}
    if scenario is not None:
        candidates[chosen.name] = chosen
    with asked.kept() as store:
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
        question = policy_question(
            candidates,
            names,
            thresholds,
            searched,
            population=population,
            generations=generations,
        )
        save_policies(
            asked.folder,
            simulated(model, chosen, (), years),
            study,
            scenario=chosen,
            command=asked.command,
            asked=question,
        )
    asked.tell(policy_tables(study, lang.value, chosen))
