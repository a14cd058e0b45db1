"""Commands about saved runs: list, compare, prune, make again, export."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from kredslob.commands.help import epilog
from kredslob.commands.options import LanguageOption, check_folder
from kredslob.errors import ParameterError

MOST_DIFFERENCES = 10
_FOLDER = Path("runs")  # where runs are saved, unless one says where
runs_app = typer.Typer(
    help="List saved runs, compare them, and remove old ones.",
    epilog=epilog("kredslob runs --scenario half", "kredslob runs compare runs/a runs/b"),
    invoke_without_command=True,
)
FolderOption = Annotated[Path, typer.Option("--in", help="The folder that holds the runs.")]
RunArgument = Annotated[Path, typer.Argument(help="Folder of a saved run.")]


@runs_app.callback()
def runs(
    context: typer.Context,
    lang: LanguageOption,
    folder: FolderOption = _FOLDER,
    setting: Annotated[str | None, typer.Option(help="Only runs of this setting.")] = None,
    scenario: Annotated[str | None, typer.Option(help="Only runs of this policy.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only runs from this date on, such as 2026-11-25.")
    ] = None,
) -> None:
    """List the runs that are saved, the latest first."""
    if context.invoked_subcommand:
        return
    from rich.console import Console

    from kredslob.archive import chosen, list_runs
    from kredslob.folders import left_behind
    from kredslob.show.language import words
    from kredslob.show.runs_table import runs_table

    when = None if since is None else _date(since)
    w = words(lang.value)
    if _none_yet(folder):
        print(w.text("runs.first", folder=folder))
        return
    found = chosen(list_runs(folder), setting=setting, scenario=scenario, since=when)
    if found:
        screen = Console(highlight=False)
        screen.print(runs_table(found, lang.value, screen.width))
    else:
        print(w.text("runs.none", folder=folder))
    if left := left_behind(folder):
        print(w.text("runs.unfinished", count=len(left)))


@runs_app.command(epilog=epilog("kredslob runs compare runs/a runs/b"))
def compare(
    lang: LanguageOption,
    first: RunArgument,
    others: Annotated[list[Path], typer.Argument(help="The runs to compare it with.")],
) -> None:
    """Show how runs differ: what was changed, and what came out."""
    from rich.console import Console

    from kredslob.results import load_run
    from kredslob.show.language import words
    from kredslob.show.runs_table import compared_parameters, compared_results, text_table

    saved = [load_run(folder) for folder in (first, *others)]
    screen = Console(highlight=False)
    w = words(lang.value)
    parameters = compared_parameters(saved, lang.value)
    if parameters.empty:
        print(w.text("runs.same_parameters"))
    else:
        screen.print(text_table(parameters, w.text("runs.parameters"), w.text("page.parameter")))
    results, rate = compared_results(saved, lang.value)
    title = w.text("runs.results", rate=rate) if rate else w.text("runs.end_values")
    screen.print(text_table(results, title, w.text("runs.measure")))


@runs_app.command(
    epilog=epilog("kredslob runs prune --keep 20", "kredslob runs prune --older-than 90 --yes")
)
def prune(
    lang: LanguageOption,
    folder: FolderOption = _FOLDER,
    keep: Annotated[
        int | None, typer.Option(min=0, help="How many of the latest runs stay in any case.")
    ] = None,
    older_than: Annotated[
        float | None, typer.Option(min=0, metavar="DAYS", help="Remove only runs older than this.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove them; without it they are only listed.")
    ] = False,
) -> None:
    """Remove old runs, and what was left unfinished by processes that were killed."""
    from rich.console import Console

    from kredslob.archive import list_runs, may_go
    from kredslob.folders import left_behind, remove, remove_left_behind
    from kredslob.show.language import words
    from kredslob.show.runs_table import runs_table

    w = words(lang.value)
    if _none_yet(folder):
        print(w.text("runs.first", folder=folder))
        return
    found = list_runs(folder)
    gone = []
    if keep is not None or older_than is not None:
        age = None if older_than is None else timedelta(days=older_than)
        gone = may_go(found, keep=keep, older_than=age, now=datetime.now(UTC))
    unfinished = left_behind(folder)
    if gone:
        screen = Console(highlight=False)
        screen.print(runs_table(gone, lang.value, screen.width))
    counts = {"runs": len(gone), "unfinished": len(unfinished)}
    if not yes:
        print(w.text("runs.would_remove", **counts))
        return
    for entry in gone:
        remove(entry.folder)
    counts["unfinished"] = len(remove_left_behind(folder))
    print(w.text("runs.removed", **counts))


def reproduce(lang: LanguageOption, run: RunArgument) -> None:
    """Make a saved run again and say whether the numbers are the same; exit code 1 if not."""
    from rich.console import Console

    from kredslob.show.language import words
    from kredslob.show.runs_table import reproduction_lines
    from kredslob.studies.reproduction import reproduce as made_again

    found = made_again(run)
    screen = Console(highlight=False, soft_wrap=True)
    for line in reproduction_lines(found, words(lang.value), MOST_DIFFERENCES):
        screen.print(line, markup=False)
    if not found.same:
        raise typer.Exit(1)


def export(
    lang: LanguageOption,
    run: RunArgument,
    out: Annotated[Path, typer.Option(help="New or empty folder for the files.")],
    formats: Annotated[
        str, typer.Option("--format", help="Any of xlsx, csv, parquet, netcdf, with commas.")
    ] = "xlsx",
) -> None:
    """Write a saved run as an Excel workbook, or as tables for other programs."""
    from kredslob.results import load_run, new_run_folder
    from kredslob.show.export import FORMATS, check_installed, write_tables
    from kredslob.show.language import words

    asked = list(dict.fromkeys(part.strip() for part in formats.split(",")))
    if unknown := [name for name in asked if name not in FORMATS]:
        known = ", ".join(FORMATS)
        raise ParameterError(f"--format: found '{unknown[0]}', expected one of {known}")
    check_installed(asked)
    check_folder(out)
    saved = load_run(run)
    with new_run_folder(out) as hidden:
        names = write_tables(hidden, saved, asked, lang.value)
    for name in names:
        print(out / name)
    print(words(lang.value).text("export.done", count=len(names), folder=out))


def _none_yet(folder: Path) -> bool:
    """Whether nothing was run here so far; another folder that is not there may be misspelt."""
    return folder == _FOLDER and not folder.exists()


def _date(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ParameterError(
            f"--since: found '{text}', expected a date such as 2026-11-25"
        ) from None
    return found.astimezone(UTC)
