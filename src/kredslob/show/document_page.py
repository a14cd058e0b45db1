"""The documentation of a model as one HTML file that fetches nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kredslob.errors import InputFileError
from kredslob.results import SavedRun
from kredslob.show.checklists import MINIMUM, STRESS, checklist
from kredslob.show.documentation import FAULTS, Documentation, Entry
from kredslob.show.language import Words, words

_KINDS = ("stock", "flow", "auxiliary", "constant", "lookup", "data", "control")


def document_page(found: Documentation, run: SavedRun | None, language: str) -> str:
    """Lay the documentation out as a page.

    Parameters
    ----------
    found : Documentation
        From `kredslob.show.documentation.documented`.
    run : SavedRun or None
        A run of the model, for the reporting standards.
    language : str
        Language of headings and prose, "da" or "en"; equations and names stay as they are.

    Returns
    -------
    str
        HTML. All that comes from the file is escaped.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    w = words(language)
    loader = PackageLoader("kredslob.show", ".")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    anchors = {e.name: f"v{number}" for number, e in enumerate(found.entries, start=1)}
    return environment.get_template("document.html.j2").render(
        w=w,
        title=found.file.path.name,
        hash=found.file.sha256,
        run=None if run is None else str(run.manifest["command"]),
        counts=[(w.text(f"document.kinds.{k}"), found.count(k)) for k in _KINDS if found.count(k)],
        subscripts=[(n, ", ".join(es)) for n, es in found.file.subscripts.items()],
        views=found.views,
        faults=list(_faults(found, w, anchors)),
        standards=[
            (w.text(f"document.{s}"), w.text(f"document.{s}_note"), checklist(s, found, run, w))
            for s in (STRESS, MINIMUM)
        ],
        entries=[_entry(e, w, anchors) for e in found.entries],
        anchors=anchors,
    )


def write_page_file(path: Path, text: str) -> None:
    """Write a page, whole or not at all; one of that name is replaced.

    Raises
    ------
    InputFileError
        It cannot be written.
    """
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}", suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)
    except OSError as problem:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise InputFileError(path, f"cannot be written ({problem.strerror})") from problem


def _faults(found: Documentation, w: Words, anchors: dict[str, str]) -> Iterator[dict[str, Any]]:
    for fault in FAULTS:
        own = found.with_fault(fault)
        yield {
            "name": w.text(f"document.fault.{fault}"),
            "note": w.text(f"document.fault_note.{fault}"),
            "count": len(own),
            "entries": [(e.name, anchors[e.name], e.faults[fault]) for e in own],
        }


def _entry(entry: Entry, w: Words, anchors: dict[str, str]) -> dict[str, Any]:
    return {
        "anchor": anchors[entry.name],
        "name": entry.name,
        "kind": w.text(f"document.kind.{entry.kind}"),
        "kind_class": entry.kind,
        "unit": entry.unit,
        "dims": ", ".join(entry.dims),
        "description": entry.description,
        "equations": entry.equations,
        "line": entry.line,
        "uses": entry.uses,
        "used_by": entry.used_by,
        "views": entry.views,
        "sources": [_source(row, w) for row in entry.sources],
        "faults": [_fault(name, detail, w) for name, detail in entry.faults.items()],
    }


def _source(row: Any, w: Words) -> dict[str, str]:
    """A row of the parameter table; an address becomes a link only if it is one of the web."""
    web = urlsplit(row.url).scheme in ("http", "https")
    return {
        "label": ", ".join(row.elements),
        "value": _number(row.value, w),
        "range": "" if row.low == row.high else f"{_number(row.low, w)} – {_number(row.high, w)}",
        "certainty": w.text(f"certainty.{row.certainty}"),
        "source": w.table.get(f"origin.{row.source}", row.source),
        "url": row.url if web else "",
        "note": row.note,
    }


def _fault(name: str, detail: str, w: Words) -> str:
    said = w.text(f"document.fault.{name}")
    return f"{said}: {detail}" if detail and name != "long" else said


def _number(value: float, w: Words) -> str:
    text = f"{value:.6g}"
    if "e" in text:
        return w.number(value)
    return w.number(value, len(text.partition(".")[2]))
