"""Expressions as Vensim writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pysd.translators.structures.abstract_expressions as ae

from kredslob.limits import Limits
from kredslob.reading.expression import (
    CHARACTER,
    LETTER,
    UNSIGNED,
    MisreadError,
    Parser,
    Token,
    number,
    tokens,
)
from kredslob.reading.lookup import NUMBER, array, value, vensim_lookup

# Words of a name may be parted by spaces and line ends; a quoted name may hold anything.
NAME = rf"{LETTER}{CHARACTER}*(?:\s+{CHARACTER}+)*"
QUOTED = r'"(?:\\"|[^"])*"'
SUBSCRIPT = re.compile(rf"\s*({QUOTED}|{CHARACTER}+(?:\s+{CHARACTER}+)*)\s*(!?)\s*", re.DOTALL)
TOKEN = re.compile(
    rf"(?P<space>\s+)|(?P<number>{UNSIGNED})|(?P<name>{NAME}|{QUOTED})"
    r"|(?P<string>'[^']*')|(?P<op>:AND:|:OR:|:NOT:|:NA:|<>|<=|>=|[-+*/^=<>()\[\],:;!{}])",
    re.IGNORECASE,
)
OPERATORS = {
    op: op.upper()
    for op in (":and:", ":or:", ":not:", "=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "^")
}
TABBED = re.compile(r"\s*TABBED\s+ARRAY\s*\(([^()]*)\)\s*", re.IGNORECASE)


@dataclass
class MacroCall(ae.CallStructure):  # type: ignore[misc]
    """Call of a macro for several results: the names of the further ones, and their subscripts."""

    results: tuple[tuple[str, list[str]], ...]


def _one_initial(structure: Any, order: int) -> Callable[..., Any]:
    return lambda x, time: structure(x, time, x, order)


def _with_initial(structure: Any, order: int) -> Callable[..., Any]:
    return lambda x, time, initial: structure(x, time, initial, order)


def _pulse_train(start: Any, width: Any, interval: Any, end: Any) -> Any:
    # PySD's order: the interval before the width
    function = ae.ReferenceStructure("pulse_train")
    return ae.CallStructure(function, (start, interval, width, end))


# Functions with a structure of their own, and how many arguments they take.
STRUCTURES: dict[str, tuple[int, Callable[..., Any]]] = {
    "game": (1, ae.GameStructure),
    "allocate_available": (3, ae.AllocateAvailableStructure),
    "allocate_by_priority": (5, ae.AllocateByPriorityStructure),
    "get_xls_lookups": (4, ae.GetLookupsStructure),
    "get_direct_lookups": (4, ae.GetLookupsStructure),
    "get_xls_data": (4, ae.GetDataStructure),
    "get_direct_data": (4, ae.GetDataStructure),
    "get_xls_constants": (3, ae.GetConstantsStructure),
    "get_direct_constants": (3, ae.GetConstantsStructure),
    "initial": (1, ae.InitialStructure),
    "integ": (2, ae.IntegStructure),
    "delay1": (2, _one_initial(ae.DelayStructure, 1)),
    "delay1i": (3, _with_initial(ae.DelayStructure, 1)),
    "delay3": (2, _one_initial(ae.DelayStructure, 3)),
    "delay3i": (3, _with_initial(ae.DelayStructure, 3)),
    "delay_n": (4, ae.DelayNStructure),
    "delay_fixed": (3, ae.DelayFixedStructure),
    "smooth": (2, _one_initial(ae.SmoothStructure, 1)),
    "smoothi": (3, _with_initial(ae.SmoothStructure, 1)),
    "smooth3": (2, _one_initial(ae.SmoothStructure, 3)),
    "smooth3i": (3, _with_initial(ae.SmoothStructure, 3)),
    "smooth_n": (4, ae.SmoothNStructure),
    "trend": (3, ae.TrendStructure),
    "forecast": (3, lambda x, average, horizon: ae.ForecastStructure(x, average, horizon, 0)),
    "sample_if_true": (3, ae.SampleIfTrueStructure),
    "pulse_train": (4, _pulse_train),
}


def vensim_expression(text: str, limits: Limits) -> Any:
    """Read the right side of a Vensim equation.

    Parameters
    ----------
    text : str
        The equation after its equal sign, without comments.
    limits : Limits
        How long it may be, and how deep.

    Returns
    -------
    AbstractSyntax, int, float or numpy.ndarray
        As PySD's translator has it; an array for ``1,2;3,4;`` and TABBED ARRAY (one dimension,
        in the order of the text).

    Raises
    ------
    MisreadError
        It does not follow the language.
    """
    listed = array(text)
    if listed is not None:
        return listed
    tabbed = TABBED.fullmatch(text)
    if tabbed:
        if not re.fullmatch(rf"(?:\s*{NUMBER})+\s*", tabbed.group(1)):
            raise MisreadError("has something but numbers in its TABBED ARRAY", tabbed.start(1))
        found = re.findall(NUMBER, tabbed.group(1))
        return np.array([value(v) for v in found], dtype=float)
    parser = VensimParser(text, limits)
    whole = parser.whole()
    if parser.with_results > isinstance(whole, MacroCall):
        raise MisreadError("calls a macro for several results, expected nothing beside the call")
    return whole


def reference(name: str) -> str:
    """Name as references hold it: lower case, one underscore for each space."""
    return " ".join(name.split()).lower().replace(" ", "_")


class VensimParser(Parser):
    """Reads one Vensim expression."""

    def __init__(self, text: str, limits: Limits) -> None:
        super().__init__(tokens(text, TOKEN, limits), OPERATORS, limits)
        self._text = text
        self.with_results = 0  # calls for several results

    def operand(self) -> Any:
        """Read a number, ``:NA:``, parentheses, reference or call."""
        token = self.take()
        if token.kind == "number":
            return number(token.text)
        if token.kind == "name":
            return self._named(token)
        if token.text.upper() == ":NA:":
            return math.nan
        if token.text == "(":
            inside = self.expression()
            self.expect(")")
            return inside
        self._next -= 1
        raise self.unexpected("a name, a number or '('")

    def _named(self, token: Token) -> Any:
        name = reference(token.text)
        subscripts = self._subscripts()
        if self.peek().text != "(":
            return ae.ReferenceStructure(name, subscripts)
        if name == "with_lookup":
            return self._with_lookup()
        self.take()
        arguments, results = self._arguments_and_results()
        if name not in STRUCTURES or results:
            function = ae.ReferenceStructure(name, subscripts)
            called = ae.CallStructure(function, arguments)
            return MacroCall(function, arguments, results) if results else called
        expected, build = STRUCTURES[name]
        if len(arguments) != expected:
            shown = " ".join(token.text.split()).upper()
            raise MisreadError(
                f"found {len(arguments)} arguments of {shown}, expected {expected}", token.at
            )
        if name.startswith("get_") and not all(isinstance(a, str) for a in arguments):
            raise MisreadError("reads a file, expected only texts in quotes", token.at)
        return build(*arguments)

    def _arguments_and_results(self) -> tuple[Any, Any]:
        if self.taken(")"):
            return (), ()
        arguments = self.listed()
        results: list[tuple[str, list[str]]] = []
        while self.taken("," if results else ":"):
            token = self.take()
            if token.kind != "name":
                raise MisreadError(f"found '{token.text}', expected the name of a result", token.at)
            subscripts = self._subscripts()
            at = list(subscripts.subscripts) if subscripts else []
            results.append((" ".join(token.text.split()), at))
        self.with_results += bool(results)
        self.expect(")")
        return arguments, tuple(results)

    def _subscripts(self) -> ae.SubscriptsReferenceStructure | None:
        if self.peek().text != "[":
            return None
        at = self.take().at + 1
        found = []
        while match := SUBSCRIPT.match(self._text, at):
            found.append(" ".join(match.group(1).split()) + match.group(2))
            at = match.end()
            if self._text[at : at + 1] != ",":
                break
            at += 1
        self._skip_to(at)
        if not found or self.peek().at != at:
            raise self.unexpected("a subscript")
        self.expect("]")
        return ae.SubscriptsReferenceStructure(found)

    def _with_lookup(self) -> Any:
        self.expect("(")
        argument = self.expression()
        self.expect(",")
        start = self.expect("(").at + 1
        depth, at = 1, start
        while depth and at < len(self._text):
            depth += {"(": 1, ")": -1}.get(self._text[at], 0)
            at += 1
        if depth:
            raise MisreadError("has a lookup without its closing ')'", start)
        points = vensim_lookup(self._text, start, at - 1)
        self._skip_to(at)
        self.expect(")")
        return ae.InlineLookupsStructure(argument, points)

    def _skip_to(self, at: int) -> None:
        while self.peek().kind != "end" and self.peek().at < at:
            self._next += 1
