"""One Vensim entry: its left side, and which kind of thing it defines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pysd.translators.structures.abstract_model as am
from pysd.translators.structures.abstract_expressions import (
    DataStructure,
    GetLookupsStructure,
)

from kredslob.limits import Limits
from kredslob.reading.expression import CHARACTER, MisreadError
from kredslob.reading.lookup import vensim_lookup
from kredslob.reading.result import SubscriptRange
from kredslob.reading.vensim_expression import QUOTED, VensimParser, vensim_expression

# not only a letter may come first, since an element of a range may be "0 to 4"
LEFT_NAME = re.compile(rf"\s*({QUOTED}|(?!['$]){CHARACTER}+(?:\s+{CHARACTER}+)*)\s*")
LIST = re.compile(r"\s*\[([^\[\]]*)\]\s*")
EXCEPT = re.compile(r":EXCEPT:", re.IGNORECASE)
KEYWORD = re.compile(r":\s*(\w[\w\s]*):\s*")
PART = re.compile(rf"{QUOTED}|\([^()]*\)|,|[^,\"(]+|.", re.DOTALL)
NUMERIC_RANGE = re.compile(r"\(\s*([\w$'\s]*?)(\d+)\s*-\s*([\w$'\s]*?)(\d+)\s*\)\s*")
IMPORTED = re.compile(r"\s*GET[ _](?:XLS|DIRECT)[ _]SUBSCRIPT\s*\(", re.IGNORECASE)
GET_LOOKUPS = re.compile(r"\s*GET[ _](?:XLS|DIRECT)[ _]LOOKUPS\s*\(", re.IGNORECASE)


@dataclass(frozen=True)
class Definition:
    """What one equation defines: a component, subscript range, constraint or test input."""

    name: str
    content: Any


def definition(text: str, limits: Limits) -> Definition:
    """Read one equation, left and right side.

    Parameters
    ----------
    text : str
        The entry up to its first tilde, without comments.
    limits : Limits
        How much it may ask for.

    Raises
    ------
    MisreadError
        It does not follow the language.
    """
    match = LEFT_NAME.match(text)
    if not match:
        raise MisreadError("found no name at the start of the equation")
    name = " ".join(match.group(1).split())
    at = match.end()
    if text.startswith("<->", at):
        return Definition(name, SubscriptRange(name, _only_name(text, at + 3), []))
    subscripts, excepted, at = _left_subscripts(text, at)
    rest = text[at:]
    keyword = KEYWORD.match(rest)
    if keyword and keyword.group(1).upper() in ("THE CONDITION", "TEST INPUT"):
        build = am.AbstractConstraint if keyword.group(1)[:3].upper() == "THE" else None
        build = build or am.AbstractTestInput
        return Definition(name, build(name, subscripts, rest[keyword.end() :].strip()))
    where = (subscripts, excepted)
    try:
        return Definition(name, _component(name, where, rest, keyword, limits))
    except MisreadError as problem:
        raise MisreadError(problem.problem, problem.at + at) from None


def _component(
    name: str,
    where: tuple[list[str], list[list[str]]],
    rest: str,
    keyword: re.Match[str] | None,
    limits: Limits,
) -> Any:
    if not rest.strip():
        return am.AbstractData(where, DataStructure())
    if rest.startswith("=="):
        return am.AbstractUnchangeableConstant(where, _right(rest, 2, limits))
    if rest.startswith("="):
        ast = _right(rest, 1, limits)
        found = am.AbstractLookup if isinstance(ast, GetLookupsStructure) else am.AbstractComponent
        return found(where, ast)
    if rest.startswith(":="):
        return am.AbstractData(where, _right(rest, 2, limits))
    if keyword:
        word = " ".join(keyword.group(1).lower().split()).replace(" ", "_")
        after = rest[keyword.end() :]
        if not after.strip():
            return am.AbstractData(where, DataStructure(), keyword=word)
        if after.startswith(":="):
            return am.AbstractData(where, _right(rest, keyword.end() + 2, limits), keyword=word)
    if rest.startswith("("):
        return am.AbstractLookup(where, _lookup(rest, limits))
    if keyword and keyword.group(1).upper() == "IS":
        raise MisreadError("is a text (:IS:), which is not supported")
    if rest.startswith(":") and not where[0]:
        return _range(name, rest, 1, limits)
    raise MisreadError(f"found '{rest.strip()[:20]}' after the name, expected '='", 0)


def _right(text: str, at: int, limits: Limits) -> Any:
    if not text[at:].strip():
        raise MisreadError("has no equation after its '='", at)
    try:
        return vensim_expression(text[at:], limits)
    except MisreadError as problem:
        raise MisreadError(problem.problem, problem.at + at) from None


def _lookup(rest: str, limits: Limits) -> Any:
    end = len(rest.rstrip())
    if rest[end - 1] != ")":
        raise MisreadError("is a lookup without its closing ')'", end)
    if GET_LOOKUPS.match(rest, 1):
        return VensimParser(rest[1 : end - 1], limits).whole()
    return vensim_lookup(rest, 1, end - 1)


def _left_subscripts(text: str, at: int) -> tuple[list[str], list[list[str]], int]:
    first = LIST.match(text, at)
    if not first:
        return [], [], at
    subscripts, at = _names(first.group(1), first.start(1)), first.end()
    excepted: list[list[str]] = []
    word = EXCEPT.match(text, at)
    while word:
        group = LIST.match(text, word.end())
        if not group:
            raise MisreadError("has :EXCEPT: without subscripts in brackets", word.end())
        excepted.append(_names(group.group(1), group.start(1)))
        at = group.end()
        word = re.compile(",").match(text, at)
    return subscripts, excepted, at


def _names(text: str, at: int) -> list[str]:
    found = [" ".join(part.split()) for part in _split(text)]
    if not all(found):
        raise MisreadError("has an empty subscript", at)
    return found


def _split(text: str) -> list[str]:
    """Part at commas that are not within quotes or parentheses."""
    found = [""]
    for piece in PART.findall(text):
        if piece == ",":
            found.append("")
        else:
            found[-1] += piece
    return found


def _only_name(text: str, at: int) -> str:
    match = LEFT_NAME.match(text, at)
    if not match or match.end() != len(text):
        raise MisreadError("expected one subscript range after '<->'", at)
    return " ".join(match.group(1).split())


def _range(name: str, text: str, at: int, limits: Limits) -> SubscriptRange:
    imported = IMPORTED.match(text, at)
    body, _, mappings = text[at:].partition("->")
    mapping = _mappings(mappings, at + len(body) + 2)
    targets = [target for target, _ in mapping]
    if imported:
        call = VensimParser(body.strip(), limits).whole()
        keys = ("file", "tab", "firstcell", "lastcell", "prefix")
        if len(call.arguments) != len(keys) or not all(isinstance(a, str) for a in call.arguments):
            raise MisreadError(f"expected five strings: {', '.join(keys)}", at)
        return SubscriptRange(name, dict(zip(keys, call.arguments, strict=True)), targets, mapping)
    elements: list[str] = []
    for part in _split(body):
        part = part.strip()
        if part.startswith("("):
            elements.extend(_numbered(part, at, limits))
            if len(elements) > limits.elements:
                found = f"has {len(elements):,} elements in its subscript range"
                raise MisreadError(limits.exceeded("elements", found), at)
        elif LEFT_NAME.fullmatch(part):
            elements.append(" ".join(part.split()))
        else:
            raise MisreadError(f"found '{part}' among the elements of a subscript range", at)
    return SubscriptRange(name, elements, targets, mapping)


def _numbered(part: str, at: int, limits: Limits) -> list[str]:
    match = NUMERIC_RANGE.fullmatch(part) if len(part) < 300 else None
    if not match:
        raise MisreadError(f"found '{part}', expected a numeric range such as (A1-A9)", at)
    (start, first), (stop, last) = match.group(1, 2), match.group(3, 4)
    if not start or start.strip() != stop.strip():
        raise MisreadError(f"found '{part}', expected the same letters before both numbers", at)
    count = int(last) - int(first) + 1
    if count <= 1:
        raise MisreadError(f"found '{part}', expected a lower number before a higher one", at)
    if count > limits.elements:
        found = f"has {_counted(count)} elements in its subscript range"
        raise MisreadError(limits.exceeded("elements", found), at)
    return [f"{start}{i}" for i in range(int(first), int(last) + 1)]


def _counted(count: int) -> str:
    """A whole number, however long, as a person reads it."""
    return f"{count:,}" if count < 10**15 else f"{float(min(count, 10**300)):.0e}"


def _mappings(text: str, at: int) -> list[tuple[str, tuple[str, ...] | None]]:
    found: list[tuple[str, tuple[str, ...] | None]] = []
    for part in _split(text) if text.strip() else []:
        part = part.strip()
        if part.startswith("(") and part.endswith(")") and ":" in part:
            target, _, elements = part[1:-1].partition(":")
            found.append((" ".join(target.split()), tuple(_names(elements, at))))
        elif LEFT_NAME.fullmatch(part):
            found.append((" ".join(part.split()), None))
        else:
            raise MisreadError(f"found '{part}' after '->', expected a subscript range", at)
    return found
