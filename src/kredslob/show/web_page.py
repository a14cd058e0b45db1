"""What pages that run a model have in common: one HTML file, with Bokeh's figures inside."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kredslob.arguments import path_of, refused
from kredslob.errors import InputFileError

_ENDINGS = (".html", ".htm")
_HEIGHT_IN_JUPYTER = 900


@dataclass(frozen=True)
class WebPage:
    """A page, as text, that needs neither server nor network.

    Parameters
    ----------
    text : str
        The whole HTML file.
    title : str
        What the page is called, in the language that it opens in.
    """

    text: str
    title: str

    def write(self, path: str | Path) -> Path:
        """Write the page to a file; an existing one is replaced.

        Parameters
        ----------
        path : str or Path
            The file; its name ends in .html.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputFileError
            The file cannot be written.
        ParameterError
            Its name does not end in .html.
        """
        file = page_path(path)
        try:
            file.write_text(self.text, encoding="utf-8")
        except OSError as problem:
            raise InputFileError(file, f"cannot be written: {problem.strerror}") from None
        return file

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that neither its styles nor its scripts leak."""
        page, title = html.escape(self.text, quote=True), html.escape(self.title, quote=True)
        style = f"width:100%;height:{_HEIGHT_IN_JUPYTER}px;border:0"
        return f'<iframe title="{title}" style="{style}" srcdoc="{page}"></iframe>'


def page_path(path: str | Path) -> Path:
    """The file of a page, which a browser knows by its ending.

    Raises
    ------
    ParameterError
        It does not end in .html.
    """
    file = path_of("path", path, "the name of an .html file")
    if file.suffix.lower() not in _ENDINGS:
        raise refused("path", str(path), "a name that ends in .html")
    return file


@dataclass(frozen=True)
class Embedded:
    """Bokeh figures as data, and where in the page they go.

    Parameters
    ----------
    charts, items
        What ``Bokeh.embed.embed_items`` takes.
    places : mapping of str to str
        By name of the figure: the id of the element that it fills.
    """

    charts: Mapping[str, Any]
    items: Sequence[Mapping[str, Any]]
    places: Mapping[str, str]


def embedded(figures: Sequence[Any]) -> Embedded:
    """Write Bokeh figures, each with a name, as data for a page."""
    from bokeh.document import Document
    from bokeh.embed.util import standalone_docs_json_and_render_items

    document = Document()
    for figure in figures:
        document.add_root(figure)
    charts, items = standalone_docs_json_and_render_items(document)
    ids = items[0].roots.to_json()
    places = {figure.name: ids[figure.id] for figure in figures}
    return Embedded(charts, [item.to_json() for item in items], places)


def bokeh_script() -> str:
    """Bokeh itself, which draws the figures."""
    from bokeh.resources import Resources

    return "\n".join(Resources(mode="inline", components=["bokeh"], log_level="warn").js_raw)


def template(package: str) -> Any:
    """The template ``page.html.j2`` of a package; whatever it is given is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


def as_script(data: Any) -> str:
    """Write data as JavaScript that cannot end the script element that it stands in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for mark, code in (("<", "003c"), (">", "003e"), ("&", "0026"), ("\u2028", "2028")):
        text = text.replace(mark, f"\\u{code}")
    return text.replace("\u2029", "\\u2029")
