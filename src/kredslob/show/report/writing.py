"""From saved runs to files: one Markdown document, and each format made of it side by side."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kredslob.errors import InputFileError, ParameterError
from kredslob.results import MANIFEST
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

FORMATS = ("pdf", "docx", "pptx", "html")
"""All formats."""

_PICTURES = {"pdf": SVG, "html": SVG, "docx": PNG, "pptx": PNG}
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
        Of `KINDS`; none for all that the kind comes in.
    template : Path, optional
        The organisation's own .docx or .pptx, whose styles are used in place of ours.

    Returns
    -------
    list of Path
        The files: ``KIND.LANGUAGE.FORMAT``.

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
    check_installed(chosen)
    materials = [read_material(folder) for folder in folders]
    if kind == "compare" and len(materials) == 1 and len(materials[0].facts.outcomes) < 2:
        raise ParameterError("compare: found one run at one rate, expected several to compare")
    studies = read_studies(materials[0]) if kind == "full" else None
    w = words(language)
    drawings = draw(kind, materials, studies, language)
    head = front(kind, materials, drawings, w)
    text = document(kind, materials, studies, drawings, w)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".report-", dir=out) as hidden:
            return _write(text, head, chosen, template, Path(hidden), out, drawings)
    except OSError as problem:
        raise InputFileError(out, f"cannot be written ({problem.strerror})") from problem


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


def _write(
    text: str,
    head: Front,
    formats: Sequence[str],
    template: Path | None,
    hidden: Path,
    out: Path,
    drawings: Mapping[str, object],
) -> list[Path]:
    save(drawings, hidden, sorted({_PICTURES[f] for f in formats}))  # type: ignore[arg-type]
    source = hidden / "report.md"
    source.write_text(text, encoding="utf-8")
    names = {f: f"{head.kind}.{head.language}.{f}" for f in formats}

    def one(form: str) -> None:
        own = template if template and template.suffix.lower() == f".{form}" else None
        _WRITERS[form](source, hidden / names[form], head, own)

    with ThreadPoolExecutor(len(formats)) as pool:  # each waits for a program of its own
        list(pool.map(one, formats))
    for name in names.values():
        os.replace(hidden / name, out / name)
    return [out / name for name in names.values()]


def _checked(
    folders: Sequence[Path], kind: str, formats: Sequence[str], template: Path | None
) -> list[str]:
    """Formats to write, if all that was asked goes together."""
    if kind not in KINDS:
        raise ParameterError(f"kind: found '{kind}', expected one of {', '.join(KINDS)}")
    for form in formats:
        if form not in FORMATS:
            raise ParameterError(f"format: found '{form}', expected some of {', '.join(FORMATS)}")
        if form not in KINDS[kind]:
            can = ", ".join(KINDS[kind])
            raise ParameterError(f"format: found '{form}', but {kind} comes as {can}")
    chosen = list(dict.fromkeys(formats)) or list(KINDS[kind])
    if kind == "compare":
        if not 1 <= len(folders) <= _MOST_COMPARED:
            found = len(folders)
            raise ParameterError(f"compare: found {found} runs, expected 1 to {_MOST_COMPARED}")
    elif len(folders) != 1:
        raise ParameterError(f"{kind}: found {len(folders)} runs, expected one; see compare")
    if template is not None:
        suffix = template.suffix.lower().removeprefix(".")
        if suffix not in ("docx", "pptx"):
            raise InputFileError(template, "expected a file that ends in .docx or .pptx")
        if suffix not in chosen:
            raise ParameterError(
                f"template: found a .{suffix}, but the report is {', '.join(chosen)}"
            )
        if not template.is_file():
            raise InputFileError(template, "cannot be read; there is no such file")
    return chosen
