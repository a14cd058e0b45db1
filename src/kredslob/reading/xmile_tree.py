"""The XML of an XMILE file: parsed with nothing resolved or loaded, sought without namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from kredslob.errors import InputFileError
from kredslob.limits import Limits
from kredslob.reading.source import one_line, read_bytes

LET_PASS = ("NS_ERR_UNDEFINED_NAMESPACE", "WAR_NS_URI_RELATIVE")


def root_of(path: Path, limits: Limits) -> Any:
    """Parse a file: no entity is resolved, nothing is loaded, and a DOCTYPE is refused.

    A prefix without a namespace is let pass, because the converter from Vensim writes ``isee:``
    without declaring it, and a namespace by a bare word, because go-xmile writes ``xmlns="isee"``.
    Nothing else that is not well-formed is.

    Raises
    ------
    InputFileError
        It is not well-formed XML, or has a DOCTYPE.
    """
    content = read_bytes(path, limits)
    if b"<!DOCTYPE" in content.replace(b"\0", b""):
        raise InputFileError(path, "has a DOCTYPE, expected an XMILE file without one")
    problem = None
    # files are often not in the encoding that their first line says
    for encoding in (None, "utf-8", "cp1252"):
        parser = etree.XMLParser(
            encoding=encoding,
            recover=True,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            root = etree.fromstring(content, parser)
        except etree.XMLSyntaxError:  # nothing at all could be recovered; the log says why
            root = None
        errors = [e for e in parser.error_log if e.type_name not in LET_PASS]
        if root is not None and not errors:
            return root
        problem = problem or (errors[0] if errors else None)
    line = problem.line if problem else None
    found = one_line(problem.message) if problem else "no element"
    raise InputFileError(path, f"is not well-formed XML ({found})", line=line)


def local(node: Any) -> str:
    """Tag without its namespace."""
    return plain(str(node.tag))


def children(node: Any, tag: str) -> Iterator[Any]:
    """Children of this tag, in any namespace."""
    return (c for c in node if local(c) == tag)


def child(node: Any, tag: str) -> Any:
    """First child of this tag, or None."""
    return next(children(node, tag), None)


def text_of(node: Any, tag: str) -> str:
    """Text of a child; empty where there is none."""
    found = child(node, tag)
    return (found.text or "").strip() if found is not None else ""


def attribute(node: Any, name: str) -> str:
    """Attribute in any namespace; empty where there is none."""
    found = (v for k, v in node.attrib.items() if plain(str(k)) == name)
    return str(next(found, ""))


def plain(tag: str) -> str:
    """Tag or attribute without its namespace.

    >>> plain("{http://iseesystems.com/XMILE}prefs"), plain("isee:prefs")
    ('prefs', 'prefs')
    """
    return tag.rpartition("}")[2].rpartition(":")[2]


def line_of(node: Any) -> int:
    """Line of an element in its file, counted from 1."""
    return int(node.sourceline or 1)
