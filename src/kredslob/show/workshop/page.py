"""The workshop page, put together: model, figures, words, styles and scripts in one HTML file."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from kredslob.cycle.scenario import DEFAULT_SETTING
from kredslob.errors import InputFileError
from kredslob.show.language import words
from kredslob.show.workshop.content import as_script, content, policies

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
_HEIGHT_IN_JUPYTER = 900


@dataclass(frozen=True)
class Workshop:
    """The page, as text.

    Parameters
    ----------
    text : str
        The whole HTML file.
    title : str
        What the page is called, in the language that it opens in.
    """

    text: str
    title: str

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that neither its styles nor its scripts leak."""
        page, title = html.escape(self.text, quote=True), html.escape(self.title, quote=True)
        style = f"width:100%;height:{_HEIGHT_IN_JUPYTER}px;border:0"
        return f'<iframe title="{title}" style="{style}" srcdoc="{page}"></iframe>'


def workshop(
    language: str = "da",
    setting: str | Path = DEFAULT_SETTING,
    scenarios: Sequence[str | Path] = (),
) -> Workshop:
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
    Workshop

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
    return Workshop(_page(known, language), w.text("workshop.title"))


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
        The file; an existing one is replaced.
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

    Examples
    --------
    >>> kredslob.write_workshop("workshop.html", "en").name
    'workshop.html'
    """
    page = workshop(language, setting, scenarios)
    file = Path(path)
    try:
        file.write_text(page.text, encoding="utf-8")
    except OSError as problem:
        raise InputFileError(file, f"cannot be written: {problem.strerror}") from None
    return file


def _page(known: dict[str, Any], language: str) -> str:
    from bokeh.document import Document
    from bokeh.embed.util import standalone_docs_json_and_render_items
    from bokeh.resources import Resources
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    from kredslob.show.workshop.figures import LOOKS, figures
    from kredslob.targets.javascript import script_source

    document = Document()
    roots = figures()
    for root in roots:
        document.add_root(root)
    charts, items = standalone_docs_json_and_render_items(document)
    places = {root.name: items[0].roots.to_json()[root.id] for root in roots}
    loader = PackageLoader("kredslob.show.workshop", ".")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    bokeh = Resources(mode="inline", components=["bokeh"], log_level="warn").js_raw
    return environment.get_template("page.html.j2").render(
        w=words(language),
        language=language,
        style=Markup(_read("style.css") + _read("tools.css")),
        bokeh=Markup("\n".join(bokeh)),
        model=Markup(script_source(_program())),
        looks=Markup(as_script(LOOKS)),
        content=Markup(as_script(known)),
        charts=Markup(as_script(charts)),
        items=Markup(as_script([item.to_json() for item in items])),
        places=places,
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
