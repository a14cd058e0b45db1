"""The main job: run the reinvestment model; and what there is to run."""

from __future__ import annotations

from kredslob.commands.asked import Asked, chosen_scenario, named, simulated
from kredslob.commands.options import (
    Language,
    LanguageOption,
    OutOption,
    RatesOption,
    ScenarioOption,
    SetOption,
    SettingOption,
    YearsOption,
)
from kredslob.commands.typed import RATE, change
from kredslob.commands.typed import rates as read_rates

OPEN = {"da": "Åbn siden", "en": "Open the page"}


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
    chosen = chosen_scenario(scenario, setting, set_)
    own = scenario is not None or any(RATE in change(text) for text in set_ or ())
    compared = read_rates(rates, chosen, own)
    given = {"--setting": setting, "--scenario": scenario, "--rates": rates, "--years": years}
    name = named(chosen, "rates" if compared else "own-rate")
    asked = Asked.of("kredslob run", {**given, "--set": set_}, lang, out, name)

    import kredslob
    from kredslob.cycle.summary import summary
    from kredslob.show.run_folder import save_run
    from kredslob.show.table import summary_table

    runs = simulated(kredslob.load(), chosen, compared, years)
    summed = summary(runs)
    save_run(
        asked.folder,
        runs,
        summed,
        scenario=chosen,
        language=lang.value,
        command=asked.command,
    )
    asked.tell([summary_table(summed, lang.value, chosen)])
    print(f"{OPEN[lang.value]}: {asked.folder / 'index.html'}")


def settings(lang: LanguageOption) -> None:
    """List the settings that come with the model."""
    from kredslob.cycle.scenario import list_settings

    _print_titles(list_settings(), lang)


def scenarios(lang: LanguageOption) -> None:
    """List the policies that come with the model."""
    from kredslob.cycle.scenario import list_scenarios

    _print_titles(list_scenarios(), lang)


def _print_titles(titles: dict[str, dict[str, str]], lang: Language) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for name, title in titles.items():
        table.add_row(name, title[lang.value])
    Console().print(table)
