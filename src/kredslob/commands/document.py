"""The command that documents a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kredslob.commands.options import LanguageOption
from kredslob.errors import InputFileError, ParameterError


def document(
    lang: LanguageOption,
    file: Annotated[
        Path | None,
        typer.Argument(help="A model file. Default: the run's, or the reinvestment model."),
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="Folder of a saved run: fills in what a model alone lacks.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The HTML file to write. Default: MODEL.html, here.")
    ] = None,
) -> None:
    """Document a model on one page: every variable, warnings, and two reporting standards."""
    from kredslob.paths import reinvestment_folder
    from kredslob.results import MODEL, load_run
    from kredslob.show.document_page import document_page, write_page_file
    from kredslob.show.documentation import documented
    from kredslob.show.language import words

    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise ParameterError(f"--out: found '{out.name}', expected a name that ends in .html")
    saved = None if run is None else load_run(run)
    if file is None and saved is not None:
        file = saved.folder / MODEL / Path(str(saved.manifest["model"])).name
    path = file or reinvestment_folder() / "reinvestment.mdl"
    found = documented(path)
    if saved is not None and saved.manifest["model sha256"] != found.file.sha256:
        raise InputFileError(path, f"is not the model that {saved.folder} was run with")
    target = out or Path(f"{path.stem}.html")
    write_page_file(target, document_page(found, saved, lang.value))
    faults = sum(len(e.faults) for e in found.entries)
    w = words(lang.value)
    print(w.text("document.done", variables=len(found.entries), faults=faults, file=target))
