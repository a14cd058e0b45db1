"""The page of levers and charts, put together in one HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from kredslob.loading import load
from kredslob.program import Program
from kredslob.show.explore.contents import MOST_LINES, Chart, Lever, charts_of, levers_of
from kredslob.show.language import LANGUAGES, words
from kredslob.show.web_page import WebPage, as_script, bokeh_script, embedded, template
from kredslob.show.workshop.figures import NOW, SAVED, TODAY, bare_plot, named_source
from kredslob.simulation import Model, check_is_model

_WORDS = ("none", "percent")
_COLOURS = (NOW, *SAVED)
_DASHES = ("solid", "dashed", "dotdash", "dotted", [14, 4])


def explore(
    model: Model | Path | str,
    *,
    levers: Sequence[str] | Mapping[str, tuple[float, float]] | None = None,
    shown: Sequence[str] | None = None,
    title: str = "",
    language: str = "da",
) -> WebPage:
    """Make a page with levers and charts of any model; Jupyter shows it in the notebook.

    The page runs the whole model in the browser at every move, without a server or network.

    Parameters
    ----------
    model : Model, Path or str
        A model, or a Vensim or XMILE file.
    levers : sequence of str, or mapping of str to (float, float), optional
        Constants to move: ``name`` or ``name[element]``, each from half to double of what the file
        says, or within the range given. Default: the first twelve that are not zero.
    shown : sequence of str, optional
        Variables to draw, ``name`` or ``name[element]``; those with up to five elements in one
        chart. Default: the first six stocks, of large ones the first five elements.
    title : str
        Title of the page. Default: the name of the file.
    language : str
        Language that the page opens in, "da" or "en". The reader can change it; names and units
        of variables stay as the file has them, but for units that both languages know.

    Returns
    -------
    WebPage
        Its ``write(path)`` keeps it as one HTML file.

    Raises
    ------
    InputFileError
        The file cannot be read.
    ParameterError
        A name or range makes no sense for this model.
    KredslobError
        The language is unknown.

    Examples
    --------
    >>> import kredslob
    >>> page = kredslob.explore(
    ...     kredslob.load(), levers=["overhead share"], shown=["Fund Cash"], language="en"
    ... )
    >>> page.write("page.html").name
    'page.html'
    """
    words(language)  # refuses one that is unknown
    if isinstance(model, str | Path):
        model = load(model)
    check_is_model(model)
    program = model.program
    name = title or Path(program.name).stem.replace("_", " ").replace("-", " ")
    moved, charts = levers_of(program, levers), charts_of(program, shown)
    known = {
        "language": language,
        "title": name,
        "words": {one: _page_words(one, name) for one in LANGUAGES},
        "integration": program.integration,
        "levers": [_plain(lever) for lever in moved],
        "charts": [_plain(chart) for chart in charts],
        "time": _units(program.arrays[program.clock.step].unit),
    }
    return WebPage(_page(program, known, charts, name, language), name)


def _page_words(language: str, title: str) -> dict[str, str]:
    table = words(language).table
    own = {k: t for k, t in table.items() if k in _WORDS or k.startswith("explore.")}
    return {**own, "workshop.title": title}  # what language.js calls the page


def _plain(part: Lever | Chart) -> dict[str, Any]:
    return {**asdict(part), "unit": _units(part.unit)}


def _units(unit: str) -> dict[str, str]:
    said = "" if unit.lower() in ("dmnl", "1", "dimensionless") else unit
    return {one: words(one).unit(said) for one in LANGUAGES}


def _page(
    program: Program, known: Mapping[str, Any], charts: Sequence[Chart], title: str, language: str
) -> str:
    from markupsafe import Markup

    from kredslob.targets.javascript import script_source

    figures = embedded([_figure(number, chart) for number, chart in enumerate(charts)])
    return template("kredslob.show.explore").render(
        w=words(language),
        language=language,
        title=title,
        charts=[(number, figures.places[f"chart{number}"]) for number in range(len(charts))],
        style=Markup(_read("workshop", "style.css") + _read("explore", "style.css")),
        bokeh=Markup(bokeh_script()),
        model=Markup(script_source(program)),
        scripts=[
            Markup(_read("workshop", "scripts/start.js")),
            Markup(_read("workshop", "scripts/language.js")),
            Markup(_read("explore", "explore.js")),
        ],
        known=Markup(as_script(known)),
        figures=Markup(as_script(figures.charts)),
        items=Markup(as_script(figures.items)),
    )


def _figure(number: int, chart: Chart) -> Any:
    """Lines of the file's own run, pale, under those of the present one."""
    name = f"chart{number}"
    plot = bare_plot(name)
    plot.xgrid.visible = False
    for part, width in (("usual", 2), ("now", 3.5)):
        for line in range(min(len(chart.lines), MOST_LINES)):
            usual = part == "usual"
            plot.line(
                "time",
                "value",
                source=named_source(f"{name}.{part}{line}", "time", "value"),
                line_color=TODAY if usual else _COLOURS[line],
                line_dash=[4, 4] if usual else _DASHES[line],
                line_width=width,
            )
    return plot


def _read(package: str, name: str) -> str:
    return files(f"kredslob.show.{package}").joinpath(name).read_text(encoding="utf-8")
