"""The run as a page to read: one file a language, nothing fetched from anywhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from kredslob.cycle.parameters import ParameterTable, read_parameters
from kredslob.cycle.scenario import Scenario, load_scenario
from kredslob.paths import reinvestment_folder
from kredslob.show.account_rows import party_rows
from kredslob.show.changed_rows import changed_rows, number_text
from kredslob.show.figures import Drawing
from kredslob.show.language import LANGUAGES, Words, words
from kredslob.show.table import rate_note, summary_frame

RATE = "reinvestment rate"


@dataclass(frozen=True)
class PageData:
    """What a page shows, each part computed elsewhere.

    Parameters
    ----------
    scenario : Scenario
        What was run.
    runs, summary, books, shares : Dataset
        The sweep, its summary, the accounts and the equity figures.
    command : str
        The command that makes the run again.
    """

    scenario: Scenario
    runs: xr.Dataset
    summary: xr.Dataset
    books: xr.Dataset
    shares: xr.Dataset
    command: str


def write_page(
    folder: Path, data: PageData, drawings: Iterable[Drawing], language: str, *, first: str
) -> None:
    """Write the page in one language.

    Parameters
    ----------
    folder : Path
        Where to write.
    data : PageData
        What to show.
    drawings : iterable of Drawing
        Figures in this language.
    language : str
        "da" or "en".
    first : str
        Language of ``index.html``; the page in the other one lies beside it.
    """
    names = {other: f"index.{other}.html" for other in LANGUAGES} | {first: "index.html"}
    other = next(o for o in LANGUAGES if o != language)
    text = page(data, drawings, language, names[other])
    (folder / names[language]).write_text(text, encoding="utf-8")


def page(data: PageData, drawings: Iterable[Drawing], language: str, other_page: str) -> str:
    """Text of the page in one language; ``other_page`` is the file of the other language."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    w = words(language)
    loader = PackageLoader("kredslob.show", ".")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    place = load_scenario(None, data.scenario.setting) if data.scenario.name else data.scenario
    shown = _shown(data.summary)
    rate = w.percent(float(data.summary[RATE][shown]))
    years = w.number(float(data.runs["time"][-1]))
    table = read_parameters(reinvestment_folder() / "parameters.csv")
    counts = Counter(row.certainty for row in table)
    attrs = data.runs.attrs
    step = json.loads(attrs["clock"]).get("step", 0.125)
    return environment.get_template("page.html.j2").render(
        w=w,
        runs=data.runs,
        other_page=other_page,
        other_language=next(o for o in LANGUAGES if o != language),
        setting_title=place.title[language],
        setting_description=place.description[language],
        policy_title=data.scenario.title[language] if data.scenario.name else "",
        policy_description=data.scenario.description[language],
        rate_note=rate_note(data.summary, language, data.scenario),
        sentences=list(sentences(data, w)),
        table=summary_frame(data.summary, language),
        drawings=[{"alt": d.alt, "caption": d.caption, "svg": Markup(_svg(d))} for d in drawings],
        accounts_title=w.text("page.accounts", rate=rate),
        accounts_note=w.text("page.accounts_note", years=years),
        parties=party_rows(data.books.isel({RATE: shown}), w),
        assumptions_note=w.text("page.assumptions_note", count=len(table), **counts),
        parameters=list(_parameters(table, w)),
        command=data.command,
        changed=changed_rows(data.scenario, w),
        engine=w.text(
            "page.engine_value",
            engine=attrs["engine"],
            integration=attrs["integration"],
            step=w.number(step, 3),
        ),
        versions=", ".join(f"{k} {v}" for k, v in json.loads(attrs["versions"]).items()),
    )


def sentences(data: PageData, w: Words) -> Iterator[str]:
    """State the answer in plain words, each sentence by rule from the numbers."""
    summary = data.summary
    rates = [float(r) for r in summary[RATE]]
    shown = _shown(summary)
    rate = w.percent(rates[shown])
    carrying = [
        w.percent(r) for r, yes in zip(rates, summary["self-sustaining"], strict=True) if yes
    ]
    if carrying:
        yield w.text("page.one_sustaining", rates=", ".join(carrying))
    elif len(rates) == 1:
        yield w.text("page.one_not", rate=rate)
    else:
        yield w.text("page.none_sustaining", count=len(rates))
    if len(rates) > 1:
        yield w.text("report.say.rate", rate=rate)
    gain = float(summary["loop gain"][shown])
    back = w.text("money.one", amount=w.number(gain, 2))
    yield w.text("page.gain", back=back)
    yield from _what_it_takes(float(summary["critical rate"][shown]), rates[shown], gain, w)
    helped = summary["citizens helped"]
    if len(rates) > 1:
        low, high = int(np.argmin(rates)), int(np.argmax(rates))
        if float(helped[high]) > float(helped[low]) + 0.5:
            yield w.text(
                "page.more_help",
                high=w.percent(rates[high]),
                low=w.percent(rates[low]),
                high_helped=w.number(float(helped[high])),
                low_helped=w.number(float(helped[low])),
            )
        else:
            yield w.text("page.same_help")
    yield _payback(summary, rates, float(data.runs["time"][-1]), w)
    npv = float(summary["net present value"][shown])
    key = "page.npv_positive" if npv >= 0 else "page.npv_negative"
    yield w.text(key, npv=w.money(abs(npv)))
    investors = data.books.sel(party="investors").isel({RATE: shown})
    if float(investors["cost"].sum()) > 0:
        value = float(investors["net present value"])
        key = "page.investors_gain" if value >= 0 else "page.investors_lose"
        yield w.text(key, value=w.money(abs(value)))
    end = data.runs.isel({"time": -1, RATE: shown})
    saved = end["Cumulated Saved"] + end["Cumulated Unclaimed"]
    paid_in = end["paid in by purse"]
    if float(saved.sum()) > 0 and float(paid_in.sum()) > 0:
        purse = str(paid_in["Purse"][int(np.argmax(paid_in.values))].values)
        elsewhere = 1 - float(saved.sel(Purse=purse)) / float(saved.sum())
        owner = w.text(f"purse.{purse}")
        owner = owner[0].upper() + owner[1:]
        yield w.text("page.wrong_pocket", share=w.percent(elsewhere), purse=owner)
    shares = data.shares.isel({RATE: shown})
    if float(shares["share of help to complex need"]) >= 0:
        yield w.text(
            "page.complex",
            help=w.percent(float(shares["share of help to complex need"])),
            need=w.percent(float(shares["share of need that is complex"])),
        )
    yield from _left_behind(shares, w)


def _left_behind(shares: xr.Dataset, w: Words) -> Iterator[str]:
    """Name the cell with the least help for its need, and say how help leans on the whole."""
    behind = shares["left behind"].stack(cell=("Group", "Need"))
    cells = [
        cell for cell, least in zip(behind["cell"].values, behind.values, strict=True) if least
    ]
    index = float(shares["concentration index"])
    if len(cells) == 1 and np.isfinite(index):
        group, need = (w.element(str(element)) for element in cells[0])
        yield w.text(
            "page.left_behind",
            group=group[0].lower() + group[1:],
            need=need,
            index=w.number(index, 2),
        )


def _what_it_takes(critical: float, rate: float, gain: float, w: Words) -> Iterator[str]:
    """Say from which rate on the cycle would carry itself, or how far off the highest one is."""
    if critical <= 1:
        yield w.text("page.critical", rate=w.percent(critical))
    elif rate == 1 and gain >= 0.01:
        yield w.text("page.short_of", times=w.number(critical, 1))


def _payback(summary: xr.Dataset, rates: Sequence[float], years: float, w: Words) -> str:
    payback = summary["payback year"].values
    if np.isnan(payback).all():
        key = "page.not_repaid" if len(rates) > 1 else "page.not_repaid_at"
        return w.text(key, years=w.number(years), rate=w.percent(rates[0]))
    first = int(np.nanargmin(payback))
    return w.text(
        "page.repaid", year=w.number(float(payback[first]), 1), rate=w.percent(rates[first])
    )


def _shown(summary: xr.Dataset) -> int:
    """Index of the rate that single-rate parts show: the highest."""
    return int(np.argmax(summary[RATE].values))


def _parameters(table: ParameterTable, w: Words) -> Iterator[dict[str, str]]:
    for row in table:
        yield {
            "label": w.parameter(row.label),
            "value": number_text(row.value, w),
            "range": number_text(row.low, w)
            if row.low == row.high
            else f"{number_text(row.low, w)} – {number_text(row.high, w)}",
            "unit": w.unit(row.unit),
            "kind": w.text(f"kind.{row.kind}"),
            "certainty": w.text(f"certainty.{row.certainty}"),
            "source": w.table.get(f"origin.{row.source}", row.source)
            + (f" ({row.figure_year})" if row.figure_year else ""),
            "url": row.url,
            "note": row.note,
        }


def _svg(drawing: Drawing) -> str:
    """Give the figure as an SVG element; ids are prefixed, since a page holds several figures."""
    text = drawing.svg[drawing.svg.index("<svg") :]
    for mark in ('id="', 'xlink:href="#', "url(#"):
        text = text.replace(mark, f"{mark}{drawing.name}-")
    return text
