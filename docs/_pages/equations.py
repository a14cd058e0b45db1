"""The equations of the reinvestment model, each with its meaning, and a diagram of each sector."""

from __future__ import annotations

import re
from pathlib import Path

from kredslob.paths import reinvestment_folder
from kredslob.show.documentation import Documentation, Entry, documented
from kredslob.show.sketch import draw_view, views

_KINDS = {
    "stock": "Stocks",
    "flow": "Flows",
    "auxiliary": "Auxiliaries",
    "lookup": "Lookups",
    "constant": "Constants",
}
_READING = (
    "They stand below sector by sector, as the diagrams of the model file show them. An equation "
    "is written as in `models/reinvestment/reinvestment.mdl`; names in square brackets are "
    "subscripts, which stand for the groups, needs, administrations, purses and sources of "
    "capital. A stock is `INTEG(net flow, value at start)`."
)


def write_equations(folder: Path) -> dict[str, str]:
    """Draw the sectors, and write their pages.

    Parameters
    ----------
    folder : Path
        Where the diagrams go.

    Returns
    -------
    dict of str to str
        Text of each page, in Markdown, by file name: ``sector-01-citizens.md`` and so on, and
        ``equations.md``, which lists them.
    """
    path = reinvestment_folder() / "reinvestment.mdl"
    found, pages, places = documented(path), {}, {}
    for number, view in enumerate(views(path), start=1):
        slug = f"sector-{number:02d}-{view.name.lower().replace(' ', '-')}"
        draw_view(view).savefig(folder / f"{slug}.svg", metadata={"Date": None})
        own = [e for e in found.entries if e.views[:1] == (view.name,)]
        places |= {entry.name: f"{slug}.md" for entry in own}
        pages[f"{slug}.md"] = own, view.name
    left = [e for e in found.entries if e.name not in places]
    places |= {entry.name: "sector-other.md" for entry in left}
    pages["sector-other.md"] = left, "On no diagram"
    texts = {n: _sector(n, title, own, places) for n, (own, title) in pages.items() if own}
    return {"equations.md": _contents(found, pages, texts), **texts}


def _contents(
    found: Documentation, pages: dict[str, tuple[list[Entry], str]], texts: dict[str, str]
) -> str:
    kinds = {k: t for k, t in _KINDS.items() if k != "lookup"}
    counts = ", ".join(f"{found.count(k)} {t.lower()}" for k, t in kinds.items())
    shown = [(name, len(own), title) for name, (own, title) in pages.items() if name in texts]
    rows = [f"| [{title}]({name}) | {count} |" for name, count, title in shown]
    listed = "\n".join(name.removesuffix(".md") for name in texts)
    parts = [
        "(every-equation)=\n\n# Every equation and what it means",
        f"The reinvestment model has {counts}. {_READING}",
        "\n".join(["| sector | equations |", "|---|---:|", *rows]),
        f"```{{toctree}}\n:hidden:\n\n{listed}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _sector(name: str, title: str, own: list[Entry], places: dict[str, str]) -> str:
    parts = [f"# {title}"]
    picture = name.replace(".md", ".svg")
    if title != "On no diagram":
        parts.append(
            f"```{{figure}} {picture}\n:target: ../_images/{picture}\n"
            f":alt: Stocks and flows of the sector {title}\n\n"
            "Boxes are stocks, double lines flows, and thin arrows run from cause to effect. Names "
            "in brackets come from another sector. Press the picture to see it by itself.\n```"
        )
    for kind, heading in _KINDS.items():
        entries = [e for e in own if e.kind == kind]
        if entries:
            parts.append(f"## {heading}")
        for entry in entries:
            parts += _entry(entry, name, places)
    rest = [e for e in own if e.kind not in _KINDS]
    if rest:
        parts.append("## Control")
    for entry in rest:
        parts += _entry(entry, name, places)
    return "\n\n".join(parts) + "\n"


def _entry(entry: Entry, page: str, places: dict[str, str]) -> list[str]:
    parts = [f"({_anchor(entry.name)})=\n\n### {entry.name}", _escaped(entry.description)]
    equations = "\n".join(_tidy(text) for text in entry.equations)
    parts.append(f"```text\n{equations}\n```")
    facts = [f"Unit: {entry.unit or 'none'}; line {entry.line} of the file."]
    if entry.uses:
        facts.append(f"Uses {_links(entry.uses, places)}.")
    if entry.used_by:
        facts.append(f"Used by {_links(entry.used_by, places)}.")
    if entry.sources:
        facts.append(_certainty(entry))
    return [*parts, " ".join(facts)]


def _certainty(entry: Entry) -> str:
    """Say how sure the numbers are, and where they come from."""
    marks = dict.fromkeys(row.certainty for row in entry.sources if row.certainty)
    named = dict.fromkeys((row.source, row.url) for row in entry.sources if row.source)
    sources = [f"[{_escaped(s)}]({url})" if url else _escaped(s) for s, url in named]
    text = f"Certainty: {', '.join(marks)}." if marks else ""
    return f"{text} Source: {'; '.join(sources)}." if sources else text


def _links(names: tuple[str, ...], places: dict[str, str]) -> str:
    return ", ".join(f"[{n}](#{_anchor(n)})" if n in places else n for n in names)


def _anchor(name: str) -> str:
    return "variable-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _tidy(text: str) -> str:
    """An equation without the line breaks that the file needs; tables of numbers keep theirs."""
    lines = [line.strip() for line in text.splitlines()]
    head, rest = lines[0], lines[1:]
    if any(line.endswith(";") for line in rest):
        return "\n".join([head, *(f"    {line}" for line in rest)])
    return " ".join(lines)


def _escaped(text: str) -> str:
    """Text in which nothing is markup."""
    return re.sub(r"([\\`*_\[\]<>|#$])", r"\\\1", " ".join(text.split()))
