"""The workshop page, put together: model, figures, words, styles and scripts in one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from kredslob.cycle.scenario import DEFAULT_SETTING
from kredslob.show.language import words
from kredslob.show.web_page import (
    WebPage,
    as_script,
    bokeh_script,
    embedded,
    page_path,
    template,
)
from kredslob.show.workshop.content import content, policies

SCRIPTS = (
    "start.js",
    "language.js",
    "state.js",
    "model.js",
    "chain.js",
    "outcomes.js",
    "draw.js",
    "cycle.js",
    "levers.js",
    "verdict.js",
    "tabs.js",
    "elements.js",
    "share.js",
    "scenario_file.js",
    "band_core.js",
    "catalog.js",
    "qr.js",
    "headlines.js",
    "presets.js",
    "uncertainty.js",
    "guide.js",
    "tries.js",
    "share_panel.js",
    "files.js",
    "ballot.js",
    "compare.js",
    "loops.js",
    "proposal.js",
)
"""Scripts in the order in which they stand in the page; each adds to the namespace `kredslob`."""


def workshop(
    language: str = "da",
    setting: str | Path = DEFAULT_SETTING,
    scenarios: Sequence[str | Path] = (),
) -> WebPage:
    """Make the workshop page, which Jupyter shows in the notebook.

    Parameters
    ----------
    language : str
        Language that the page opens in: "da" or "en". The reader can change it.
    setting : str or Path
        Place that the page opens in: a name from `kredslob.list_settings`, or a TOML file.
    scenarios : sequence of str or Path
        TOML files of policies to offer beside those that come with the model.

    Returns
    -------
    WebPage

    Raises
    ------
    InputFileError, KredslobError
        A file cannot be used, or a name or the language is unknown.

    Examples
    --------
    >>> page = kredslob.workshop("en")
    >>> page.title
    'Workshop'
    """
    w = words(language)
    known = content(_program(), language=language, setting=setting, scenarios=policies(scenarios))
    return WebPage(_page(known, language), w.text("workshop.title"))


def write_workshop(
    path: str | Path,
    language: str = "da",
    setting: str | Path = DEFAULT_SETTING,
    scenarios: Sequence[str | Path] = (),
) -> Path:
    """Write the workshop page: one HTML file that needs neither server nor network.

    Parameters
    ----------
    path : str or Path
        The file, whose name ends in .html; an existing one is replaced.
    language, setting, scenarios
        As for `workshop`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputFileError
        The file cannot be written, or as for `workshop`.
    ParameterError
        Its name does not end in .html.

    Examples
    --------
    >>> kredslob.write_workshop("workshop.html", "en").name
    'workshop.html'
    """
    file = page_path(path)  # before seconds are spent on the page
    return workshop(language, setting, scenarios).write(file)


def _page(known: dict[str, Any], language: str) -> str:
    from markupsafe import Markup

    from kredslob.show.workshop.figures import LOOKS, figures
    from kredslob.targets.javascript import script_source

    figures_ = embedded(figures())
    return template("kredslob.show.workshop").render(
        w=words(language),
        language=language,
        style=Markup(_read("style.css") + _read("tools.css")),
        bokeh=Markup(bokeh_script()),
        model=Markup(script_source(_program())),
        looks=Markup(as_script(LOOKS)),
        content=Markup(as_script(known)),
        charts=Markup(as_script(figures_.charts)),
        items=Markup(as_script(figures_.items)),
        places=figures_.places,
        vendor=[Markup(_qr_code()), Markup(_toml_parser())],
        scripts={name: Markup(_read(f"scripts/{name}")) for name in SCRIPTS},
    )


@cache
def _program() -> Any:
    from kredslob.loading import load

    return load().program


def _qr_code() -> str:
    """The maker of QR codes; to it, ``exports`` would else be the page's element of that name."""
    code = _read("vendor/qrcode.js")
    return f"const qrcode = ((exports, define) => {{\n{code}\nreturn qrcode; }})();"


def _toml_parser() -> str:
    """The parser, which is a CommonJS module, as a script that sets ``smolToml``."""
    code = _read("vendor/smol-toml.js")
    return f"const smolToml = ((exports) => {{\n{code}\nreturn exports; }})({{}});"


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
