"""One writer a format: Word and PowerPoint by pandoc, HTML in one file, PDF by Typst."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from kredslob.errors import InputFileError, KredslobError
from kredslob.show.report.front import Front
from kredslob.show.report.markdown import READ_AS

_NEEDS = {
    "pdf": ("pypandoc", "typst"),
    "docx": ("pypandoc",),
    "pptx": ("pypandoc",),
    "html": ("pypandoc",),
}
_REGIONS = {"da": "DK", "en": "GB"}
_STANDARD: Literal["ua-1"] = (
    "ua-1"  # PDF/UA-1: tagged, with a title, a language, and a text for each picture
)
_LAYOUT = files("kredslob.show.report").joinpath("templates")
_REFERENCES = files("kredslob.show.report").joinpath("references")


def check_installed(formats: Sequence[str]) -> None:
    """Raise KredslobError, which says what to install, if a library is missing."""
    needed = {name for form in formats for name in _NEEDS[form]}
    missing = sorted(name for name in needed if find_spec(name) is None)
    if missing:
        raise KredslobError(
            f"{', '.join(formats)} need {', '.join(missing)}, not installed here; "
            "run: pip install 'kredslob[report]'"
        )


def to_docx(source: Path, target: Path, head: Front, template: Path | None) -> None:
    """Write a Word file; a full report has a table of contents."""
    with as_file(_LAYOUT) as layout:
        contents = [
            f"--lua-filter={layout / 'contents.lua'}",
            f"--metadata=toc-title:{head.words['contents']}",
        ]
        options = contents if head.kind == "full" else []
        _office(source, target, head, template, "reference.docx", options)


def to_pptx(source: Path, target: Path, head: Front, template: Path | None) -> None:
    """Write a PowerPoint file: each first-level heading begins a slide."""
    _office(source, target, head, template, "reference.pptx", ["--slide-level=1"])


def to_html(source: Path, target: Path, head: Front, template: Path | None) -> None:
    """Write one HTML file that fetches nothing."""
    with as_file(_LAYOUT) as layout:
        options = [
            "--standalone",
            "--embed-resources",
            f"--template={layout / 'report.html'}",
            f"--variable=kind:{head.kind}",
            *(["--toc", "--toc-depth=1"] if head.kind == "full" else []),
            f"--metadata=toc-title:{head.words['contents']}",
        ]
        _pandoc(source, target, head, "html5", ["--default-image-extension=svg", *options])


def to_pdf(source: Path, target: Path, head: Front, template: Path | None) -> None:
    """Write a PDF laid out by our own Typst template, tagged for screen readers."""
    import typst

    folder = source.parent / "typst"
    folder.mkdir()
    for picture in source.parent.glob("*.svg"):
        shutil.copyfile(picture, folder / picture.name)
    body = folder / "body.typ"
    _pandoc(source, body, head, "typst", ["--default-image-extension=svg"])
    layout = _LAYOUT.joinpath("report.typ").read_text(encoding="utf-8")
    main = folder / "main.typ"
    main.write_text(layout + body.read_text(encoding="utf-8"), encoding="utf-8")
    alts = {f"{name}.svg": alt for name, alt in head.alts.items()}
    told = asdict(head) | {"alts": alts, "region": _REGIONS[head.language]}
    told["day"] = [head.day.year, head.day.month, head.day.day]
    (folder / "head.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    typst.compile(
        str(main),
        output=str(target),
        root=str(folder),
        font_paths=[str(_fonts())],
        ignore_system_fonts=True,  # the same pages everywhere
        pdf_standards=[_STANDARD],
        timestamp=int(datetime.combine(head.day, time(), UTC).timestamp()),
    )


def _office(
    source: Path,
    target: Path,
    head: Front,
    template: Path | None,
    ours: str,
    options: Sequence[str],
) -> None:
    with as_file(_REFERENCES) as references:
        reference = template or references / ours
        try:
            extra = [f"--reference-doc={reference}", "--default-image-extension=png", *options]
            _pandoc(source, target, head, target.suffix.removeprefix("."), extra)
        except RuntimeError as problem:
            if template is None:
                raise
            said = " ".join(str(problem).split())
            raise InputFileError(template, f"cannot be used as a template ({said})") from problem


def _pandoc(source: Path, target: Path, head: Front, to: str, options: Sequence[str]) -> None:
    import pypandoc

    told: dict[str, Any] = {
        "title": head.title,
        "subtitle": head.subtitle,
        "date": head.dated,
        "lang": f"{head.language}-{_REGIONS[head.language]}",
        "description": head.described,
        "author": head.words["made"],
    }
    pypandoc.convert_text(
        source.read_text(encoding="utf-8"),
        to,
        format=READ_AS,
        outputfile=str(target),
        extra_args=[
            f"--resource-path={source.parent}",
            "--wrap=none",
            "--columns=20",  # so that tables keep the widths they were given
            # as metadata, texts are letters; as variables they would be marks of the format
            *(f"--metadata={name}:{text}" for name, text in told.items()),
            *options,
        ],
    )


def _fonts() -> Path:
    """DejaVu Sans, which matplotlib brings along: figures have it too."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"
