"""What a model or a run is shown in: workshop page, report, diagrams."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kredslob.commands.options import LanguageOption, SettingOption, check_folder
from kredslob.commands.run import OPEN
from kredslob.commands.typed import listed


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

    print(f"{OPEN[lang.value]}: {write_workshop(out, lang.value, setting, scenario or ())}")


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
        formats=listed(formats),
        template=template,
    )
    for path in written:
        print(path)


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
