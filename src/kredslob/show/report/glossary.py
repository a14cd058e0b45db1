"""The technical words that a report uses, each with what it means."""

from __future__ import annotations

import re
from collections.abc import Iterable

from matplotlib.text import Text

from kredslob.show.figures import Drawing
from kredslob.show.language import Words

_TERMS = "report.glossary.term."


def glossary(markdown: str, drawings: Iterable[Drawing], w: Words) -> list[tuple[str, str]]:
    """Find the technical words that stand in a report or in its figures.

    Parameters
    ----------
    markdown : str
        The report.
    drawings : iterable of Drawing
        Its figures.
    w : Words
        Its language.

    Returns
    -------
    list of tuple
        Word and meaning, in alphabetical order.
    """
    in_figures = (t.get_text() for one in drawings for t in one.figure.findobj(Text))
    read = " ".join((markdown.replace("\\", ""), *in_figures))
    read = re.sub(r"\s+", " ", read)
    return [
        (w.text(f"{term}.word"), w.text(f"{term}.told"))
        for term in _terms(w)
        if re.search(rf"\b(?:{w.table[f'{term}.seen']})", read, re.IGNORECASE)
    ]


def _terms(w: Words) -> list[str]:
    """Keys of the terms, in the order of the language file."""
    words = (key for key in w.table if key.startswith(_TERMS) and key.endswith(".word"))
    return [key.removesuffix(".word") for key in words]
