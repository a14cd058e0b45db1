"""Commands that check a model: units, standard tests, PySD, published cases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kredslob.commands.asked import tell_saved
from kredslob.commands.options import LanguageOption, ModelArgument, check_folder

_DIFFERENCES_SHOWN = 10


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


def units(
    file: ModelArgument = None,
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
    table = Table("variable", "problem", "found", "expected")
    for m in mismatches:
        table.add_row(*map(Text, (m.variable, m.problem, m.found, m.expected)))
    Console().print(table)
    raise typer.Exit(1)


def check(
    lang: LanguageOption,
    file: ModelArgument = None,
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
        tell_saved(out, lang)
    if failed:
        raise typer.Exit(1)


def verify(
    file: ModelArgument = None,
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
