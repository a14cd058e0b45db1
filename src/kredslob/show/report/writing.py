"""From saved runs to files: one Markdown document, each format made of it, and the run's tables."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from kredslob.errors import InputFileError, ParameterError
from kredslob.processes import side_by_side
from kredslob.results import MANIFEST, load_run
from kredslob.show import export
from kredslob.show.language import words
from kredslob.show.report.document import document
from kredslob.show.report.formats import check_installed, to_docx, to_html, to_pdf, to_pptx
from kredslob.show.report.front import Front, front
from kredslob.show.report.material import read_material, read_studies
from kredslob.show.report.pictures import PNG, SVG, draw, save

KINDS: Mapping[str, tuple[str, ...]] = {
    "brief": ("pdf", "docx", "html"),
    "full": ("pdf", "docx", "html"),
    "compare": ("pdf", "docx", "html"),
    "slides": ("pptx", "pdf", "html"),
}
"""Kinds of report, each with the formats that it comes in."""

FORMATS = ("pdf", "docx", "pptx", "html", *export.FORMATS)
"""All formats: documents, and the numbers of the run for other programs."""
ALL = "all"
"""In place of formats: those of the kind and, where it is about one run, all tables."""

_PICTURES = {"pdf": SVG, "html": SVG, "docx": PNG, "pptx": PNG}
_READY = "ready"
_MOST_COMPARED = 7  # as many colours as can be told apart
Writer = Callable[[Path, Path, Front, Path | None], None]
_WRITERS: Mapping[str, Writer] = {
    "pdf": to_pdf,
    "docx": to_docx,
    "pptx": to_pptx,
    "html": to_html,
}


def write_report(
    folders: Sequence[Path],
    out: Path,
    *,
    kind: str = "full",
    language: str = "en",
    formats: Sequence[str] = (),
    template: Path | None = None,
) -> list[Path]:
    """Write a report of saved runs.

    Parameters
    ----------
    folders : sequence of Path
        Folders of runs or studies of the reinvestment model; several for compare only.
    out : Path
        Folder to write to; files of an earlier report of the same kind and language give way.
    kind : str
        brief (2 pages), full, compare (policies, or the rates of one run, side by side) or slides.
    language : str
        "da" or "en".
    formats : sequence of str
        Of `KINDS`, and for one run any of `kredslob.show.export.FORMATS`; none for all documents
        that the kind comes in, `ALL` for the tables too.
    template : Path, optional
        The organisation's own .docx or .pptx, whose styles are used in place of ours.

    Returns
    -------
    list of Path
        What was made: ``KIND.LANGUAGE.FORMAT``, ``run.LANGUAGE.xlsx``, and a folder for each of the
        other tables' formats.

    Raises
    ------
    InputFileError
        A folder holds no such run, the template is not one, or the folder cannot be written.
    ParameterError
        Kind, format, template and number of runs do not go together.
    KredslobError
        A library is not installed.
    """
    chosen = _checked(folders, kind, formats, template)
    documents = [form for form in chosen if form not in export.FORMATS]
    tables = [form for form in chosen if form in export.FORMATS]
    check_installed(documents)
    export.check_installed(tables)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".report-", dir=out) as hidden:
            place = Path(hidden)
            jobs = [partial(_write_tables, folders[0], place, tables, language)] if tables else []
            if documents:
                told = (folders, kind, language, documents, template)
                jobs.append(partial(_write_documents, place, *told))
            side_by_side(jobs)
            return _moved(place / _READY, out)
    except OSError as problem:
        raise InputFileError(out, f"cannot be written ({problem.strerror})") from problem


def _write_documents(
    hidden: Path,
    folders: Sequence[Path],
    kind: str,
    language: str,
    formats: Sequence[str],
    template: Path | None,
) -> None:
    materials = [read_material(folder) for folder in folders]
    if kind == "compare" and len(materials) == 1 and len(materials[0].facts.outcomes) < 2:
        raise ParameterError("compare: found one run at one rate, expected several to compare")
    studies = read_studies(materials[0]) if kind == "full" else None
    w = words(language)
    drawings = draw(kind, materials, studies, language)
    head = front(kind, materials, drawings, w)
    text = document(kind, materials, studies, drawings, w)
    save(drawings, hidden, sorted({_PICTURES[f] for f in formats}))
    source = hidden / "report.md"
    source.write_text(text, encoding="utf-8")
    ready = hidden / _READY
    ready.mkdir(exist_ok=True)

    def one(form: str) -> None:
        own = template if template and template.suffix.lower() == f".{form}" else None
        target = hidden / f"{head.kind}.{head.language}.{form}"
        _WRITERS[form](source, target, head, own)
        os.replace(target, ready / target.name)

    with ThreadPoolExecutor(len(formats)) as pool:  # each waits for a program of its own
        list(pool.map(one, formats))


def _write_tables(folder: Path, hidden: Path, formats: Sequence[str], language: str) -> None:
    place = hidden / "tables"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    export.write_tables(place, load_run(folder), formats, language)
    ready = hidden / _READY
    ready.mkdir(exist_ok=True)
    for made in place.iterdir():
        name = f"run.{language}.xlsx" if made.suffix == ".xlsx" else made.name
        os.replace(made, ready / name)


def _moved(ready: Path, out: Path) -> list[Path]:
    """Put all that was made in its place; an earlier report gives way."""
    names = sorted(made.name for made in ready.iterdir())
    for made in ready.iterdir():
        if made.is_dir():
            shutil.rmtree(out / made.name, ignore_errors=True)
        os.replace(made, out / made.name)
    return [out / name for name in names]


def newest_run(folder: Path) -> Path:
    """The run that was saved last in a folder of runs.

    Raises
    ------
    InputFileError
        There is none.
    """
    found = [p.parent for p in folder.glob(f"*/{MANIFEST}") if not p.parent.name.startswith(".")]
    if not found:
        raise InputFileError(folder, "holds no run; make one with 'kredslob run', or name a folder")
    return max(found, key=lambda p: ((p / MANIFEST).stat().st_mtime, p.name))


def _checked(
    folders: Sequence[Path], kind: str, formats: Sequence[str], template: Path | None
) -> list[str]:
    """Formats to write, if all that was asked goes together."""
    if kind not in KINDS:
        raise ParameterError(f"kind: found '{kind}', expected one of {', '.join(KINDS)}")
    chosen = _chosen(kind, formats, export.FORMATS if len(folders) == 1 else ())
    if kind == "compare":
        if not 1 <= len(folders) <= _MOST_COMPARED:
            found = len(folders)
            raise ParameterError(f"compare: found {found} runs, expected 1 to {_MOST_COMPARED}")
    elif len(folders) != 1:
        raise ParameterError(f"{kind}: found {len(folders)} runs, expected one; see compare")
    if template is not None:
        _check_template(template, chosen)
    return chosen


def _chosen(kind: str, formats: Sequence[str], tables: Sequence[str]) -> list[str]:
    """Formats of a kind of report, and of tables where there are some; all of them for none."""
    for form in formats:
        if form not in (*FORMATS, ALL):
            raise ParameterError(f"format: found '{form}', expected some of {', '.join(FORMATS)}")
        if form not in (*KINDS[kind], *tables, ALL):
            can = ", ".join(KINDS[kind])
            raise ParameterError(f"format: found '{form}', but {kind} comes as {can}")
    if ALL in formats:
        return [*KINDS[kind], *tables]
    return list(dict.fromkeys(formats)) or list(KINDS[kind])


def _check_template(template: Path, chosen: Sequence[str]) -> None:
    suffix = template.suffix.lower().removeprefix(".")
    if suffix not in ("docx", "pptx"):
        raise InputFileError(template, "expected a file that ends in .docx or .pptx")
    if suffix not in chosen:
        raise ParameterError(f"template: found a .{suffix}, but the report is {', '.join(chosen)}")
    if not template.is_file():
        raise InputFileError(template, "cannot be read; there is no such file")
