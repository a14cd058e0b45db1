"""Text as Markdown: the one place where what a person wrote is made harmless.

A report is one Markdown document. Whatever a template writes from a value goes through `escaped`,
which leaves nothing that Markdown, HTML, TeX or Typst would read as anything but letters; only what
this module makes itself is let through. Pandoc reads the document with raw HTML, TeX and attributes
switched off, and writes the marks of each format itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from urllib.parse import quote

READ_AS = (  # pandoc's Markdown with nothing in it that could run or fetch
    "markdown_strict+all_symbols_escapable+bracketed_spans+fenced_divs"
    "+header_attributes+auto_identifiers+implicit_figures+pipe_tables+table_captions+blank_before_header"
    "+backtick_code_blocks+fenced_code_blocks+fenced_code_attributes+link_attributes"
    "+space_in_atx_header+blank_before_blockquote+intraword_underscores-raw_html"
)
_MARKS = re.compile(r"([!-/:-@\[-`{-~])")  # every mark that ASCII has
_BREAKS = "\n\r\t\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")  # control, format, surrogate, private, unassigned
_BOX = (  # as HTML, Word and Typst each draw it
    '.answer custom-style="Answer" typst:fill="rgb(238,244,249)" typst:inset="10pt" '
    'typst:width="100%" typst:radius="3pt"'
)
_LINKS = ("http://", "https://")


class Marked(str):
    """Markdown that this package made: not to be escaped again."""

    __slots__ = ()


def escaped(value: object) -> str:
    """Write a value into Markdown as plain text on one line.

    Parameters
    ----------
    value : object
        A text from anywhere, or a number; `Marked` is left as it is.

    Returns
    -------
    str
        Every mark with a backslash before it, all white space as single spaces, and no letters that
        steer how others are shown.
    """
    return value if isinstance(value, Marked) else _MARKS.sub(r"\\\1", plain(str(value)))


def plain(text: str) -> str:
    """Put a text on one line, without letters that are not shown or steer how others are."""
    spaced = "".join(" " if c in _BREAKS else c for c in text)
    seen = "".join(c for c in spaced if unicodedata.category(c) not in _UNSEEN)
    return re.sub(" +", " ", seen).strip(" ")


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[object]],
    widths: Sequence[int],
    *,
    caption: str,
    left: Collection[int] = (0,),
) -> Marked:
    """Write a table.

    Parameters
    ----------
    head : sequence of str
        Heads of the columns.
    rows : sequence of sequence
        Text or `Marked` of each cell.
    widths : sequence of int
        Width of each column, in parts of the whole.
    caption : str
        What the table shows.
    left : collection of int
        Which columns are aligned to the left; the others are to the right.
    """
    rules = [
        ":" + "-" * (2 * width) if number in left else "-" * (2 * width) + ":"
        for number, width in enumerate(widths)
    ]
    lines = [_row([escaped(cell) for cell in head]), _row(rules)]
    lines += [_row([escaped(cell) for cell in row]) for row in rows]
    return Marked("\n".join(lines) + f"\n\n: {escaped(caption)}\n")


def figure(path: str, caption: str, alt: str, width: str = "98%") -> Marked:
    """Write a figure with its caption and what it shows for those who cannot see it.

    Parameters
    ----------
    path : str
        Name of the picture's file, without spaces.
    caption, alt : str
        Plain text.
    width : str
        Of the text's width.
    """
    told = escaped(alt).replace(r"\"", "\N{RIGHT DOUBLE QUOTATION MARK}").replace("\\", "")
    told = told.replace("{", "(").replace("}", ")")
    return Marked(f'![{escaped(caption)}]({path}){{alt="{told}" width={width}}}\n')


def bullets(said: Sequence[str]) -> Marked:
    """Write sentences as a list."""
    return Marked("\n".join(f"- {escaped(one)}" for one in said) + "\n")


def answer(said: Sequence[str]) -> Marked:
    """Write sentences in a box of their own, the first of them bold."""
    first, *others = (escaped(one) for one in said)
    paragraphs = "\n\n".join([f"**{first}**", *others])
    return Marked(f"::: {{{_BOX}}}\n{paragraphs}\n:::\n")


def link(text: str, address: str) -> str:
    """Write a text as a link, if the address is one of the web; else the text alone."""
    if not address.startswith(_LINKS):
        return escaped(text)
    return Marked(f"[{escaped(text)}]({quote(address, safe=':/?&=%#~+,;@!-._')})")


def code(text: str) -> Marked:
    """Write a command or a hash as it is typed, on one line."""
    plain = " ".join(str(text).split())
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", plain)), default=0))
    return Marked(f"{fence} {plain} {fence}")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
