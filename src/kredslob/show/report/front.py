"""What stands on the front of a report, and is written into its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kredslob.show.figures import Drawing
from kredslob.show.language import Words
from kredslob.show.report.markdown import plain
from kredslob.show.report.material import Material

_MONTHS = "report.month"


@dataclass(frozen=True)
class Front:
    """Plain text about a report.

    Parameters
    ----------
    kind : str
        brief, full, compare or slides.
    language : str
        "da" or "en".
    title, subtitle, described : str
        What it is called, which place and policy, and what it is.
    day : date
        When the run was made.
    dated : str
        The same as people write it.
    words : mapping of str to str
        Words of the layout.
    alts : mapping of str to str
        What each picture shows, by name.
    """

    kind: str
    language: str
    title: str
    subtitle: str
    described: str
    day: date
    dated: str
    words: Mapping[str, str]
    alts: Mapping[str, str]


def front(
    kind: str, materials: Sequence[Material], drawings: Mapping[str, Drawing], w: Words
) -> Front:
    """Make the front of a report; see `kredslob.show.report.document.document`."""
    scenario = materials[0].scenario
    subtitle = scenario.setting_title[w.language]
    if kind == "compare":
        subtitle = (
            w.text("report.compared", count=len(materials)) if len(materials) > 1 else subtitle
        )
    elif scenario.name:
        subtitle += f": {scenario.title[w.language]}"
    day = date.fromisoformat(str(materials[0].saved.manifest["created"])[:10])
    month = w.text(f"{_MONTHS}.{day.month}")
    return Front(
        kind=kind,
        language=w.language,
        title=w.text("report.title.compare" if kind == "compare" else "page.title"),
        subtitle=plain(subtitle),
        described=w.text(f"report.kind.{kind}"),
        day=day,
        dated=w.text("report.date", day=day.day, month=month, year=day.year),
        words={
            name: w.text(f"report.layout.{name}") for name in ("page", "of", "contents", "made")
        },
        alts={name: plain(drawing.alt) for name, drawing in drawings.items()},
    )
