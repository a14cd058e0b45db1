"""Expressions as XMILE writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pysd.translators.structures.abstract_expressions as ae

from kredslob.reading.expression import (
    CHARACTER,
    UNSIGNED,
    MisreadError,
    Parser,
    Token,
    number,
    tokens,
)
from kredslob.reading.lookup import array
from kredslob.reading.parts import parts_of
from kredslob.reading.xmile_functions import (
    OVER_ARRAYS,
    VALUES,
    arithmetic,
    call,
    function,
)
from kredslob.reading.xmile_scope import Declared, Dimension, Scope, canonical, implied

WORD = rf'(?:"(?:\\"|[^"])*"|(?![\'$]){CHARACTER}+)'
TOKEN = re.compile(
    rf"(?P<space>(?:\s|\\n)+)|(?P<number>{UNSIGNED}(?!\.|{CHARACTER}))|(?P<name>\.?{WORD}(?:\.{WORD})*)"
    r"|(?P<string>'[^']*')|(?P<op><>|><|<=|>=|//|\*\*|[-+*/^=<>()\[\],:;!])"
)
COMMENT = re.compile(r'"(?:\\"|[^"])*"|\{[^{}]*\}')
OPERATORS = {op: op for op in ("=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "^")}
OPERATORS |= {"and": ":AND:", "or": ":OR:", "not": ":NOT:", "mod": "mod", "><": "<>", "**": "^"}
KEYWORDS = ("if", "then", "else", "and", "or", "not", "mod")
# Functions of Vensim that XMILE has not, which its converter takes for graphical functions.
CONVERTED = ("vmin", "vmax", "sinh", "cosh", "tanh", "quantum")


@dataclass(frozen=True)
class Place:
    """Whose equation is read, and for which subscripts it holds."""

    scope: Scope
    owner: Declared
    at: tuple[str, ...]


def xmile_expression(text: str, place: Place) -> Any:
    """Read an equation.

    Parameters
    ----------
    text : str
        The equation.
    place : Place
        Where it stands.

    Returns
    -------
    AbstractSyntax, int, float or numpy.ndarray
        With references in full: ``x[*]`` has the dimension with ``!`` as Vensim writes it, and an
        array named without subscripts has those that it takes from the equation.

    Raises
    ------
    MisreadError
        It does not follow the language, or names what the file does not define.
    """
    text = without_comments(text)
    listed = array(text)
    return XmileParser(text, place).whole() if listed is None else listed


def without_comments(text: str) -> str:
    """Blank out ``{comments}``, keeping every other place."""
    return COMMENT.sub(lambda m: m[0] if m[0][0] == '"' else " " * len(m[0]), text)


def reference_name(name: str) -> str:
    """Name of a variable as references to it hold it."""
    return name.lower().replace(" ", "_")


class XmileParser(Parser):
    """Reads one XMILE expression."""

    def __init__(self, text: str, place: Place) -> None:
        limits = place.scope.limits
        super().__init__(tokens(text, TOKEN, limits), OPERATORS, limits)
        self._place = place
        self._text = text
        self._over_array = 0

    def operand(self) -> Any:
        """Read a number, parentheses, condition, reference or call."""
        token = self.take()
        if token.kind == "number":
            return number(token.text)
        if token.text == "(":
            inside = self.expression()
            self.expect(")")
            return inside
        if token.kind == "name" and token.text.lower() == "if":
            return self._condition()
        if token.kind == "name" and (self._opens() or self._is_name(token)):
            return self._named(token)
        self._next -= 1
        raise self.unexpected("a name, a number or '('")

    def arithmetic(self, operators: list[str], operands: Sequence[Any]) -> Any:
        """Join operands; MOD and the safe division ``//`` are calls."""
        if not {"mod", "//"} & set(operators):
            return super().arithmetic(operators, operands)
        left = operands[0]
        for operator, right in zip(operators, operands[1:], strict=True):
            names = {"mod": "modulo", "//": "zidz"}
            called = operator in names
            left = (
                call(names[operator], left, right) if called else arithmetic(operator, left, right)
            )
        return left

    def _opens(self) -> bool:
        return self.peek().text == "("

    def _is_name(self, token: Token) -> bool:
        """Whether a word is no keyword, or a variable has it for its name: ``mod``, say."""
        if token.text.lower() not in KEYWORDS:
            return True
        return self._place.scope.variable(token.text, self._place.owner.module) is not None

    def _condition(self) -> Any:
        test = self.expression()
        self._keyword("then")
        yes = self.expression()
        self._keyword("else")
        return call("if_then_else", test, yes, self.expression())

    def _keyword(self, word: str) -> None:
        if self.peek().text.lower() != word:
            raise self.unexpected(word.upper())
        self.take()

    def _named(self, token: Token) -> Any:
        scope, owner = self._place.scope, self._place.owner
        key = canonical(token.text)
        found = scope.variable(token.text, owner.module)
        if self._opens() and token.text[0] != '"':
            if key in scope.macros:
                return self._macro(key, token)
            if found is None or not found.table:
                return self._builtin(key, token)
        if key == "init" and self.peek().kind == "name":
            return ae.InitialStructure(self.operand())
        if key == "self" and found is None:
            found = owner
        if found is None:
            if key in VALUES:
                return VALUES[key]
            if key in scope.dimensions:
                return self._number_along(scope.dimensions[key], token)
            raise MisreadError(scope.unknown(token.text), token.at)
        subscripts, place = self._subscripts(found, token)
        if self._opens() and found.table:
            self.take()
            table = ae.ReferenceStructure(reference_name(found.table), subscripts)
            return ae.CallStructure(table, self._exactly(1, token))
        read = ae.ReferenceStructure(reference_name(found.name), subscripts)
        return read if place is None else _at_place(read, place, len(found.dims[-1].elements))

    def _number_along(self, dimension: Dimension, token: Token) -> Any:
        """Place, counted from 1, of the present element in a dimension of the equation."""
        for own, at in zip(self._place.owner.dims, self._place.at, strict=True):
            if own.name == dimension.name:
                if at in dimension.elements:
                    return dimension.elements.index(at) + 1
                return ae.ReferenceStructure(dimension.name)
        raise MisreadError(
            f"uses the dimension '{token.text}' as a number, which the variable does not have",
            token.at,
        )

    def _builtin(self, key: str, token: Token) -> Any:
        self.take()
        if key in VALUES and self.peek().text == ")":
            self.take()
            return VALUES[key]
        if key in ("lookup", "lookupinv"):
            return self._lookup(key)
        return self._applied(key, token)

    def _applied(self, key: str, token: Token) -> Any:
        """Apply a function by its name to the arguments after its parenthesis."""
        if key in ("min", "max", *OVER_ARRAYS):
            return self._array_function(key, token)
        arguments = self.arguments()
        if not arguments and "." in token.text:
            raise MisreadError(self._place.scope.unknown(token.text), token.at)
        try:
            return function(self._place.scope.functions.get(key, key), arguments)
        except MisreadError as problem:
            raise MisreadError(problem.problem, token.at) from None

    def _lookup(self, key: str) -> Any:
        token = self.take()
        found = self._place.scope.variable(token.text, self._place.owner.module)
        if found is None and canonical(token.text) in CONVERTED and self.taken(","):
            # the converter from Vensim writes VMIN(x) as LOOKUP(VMIN, x)
            return self._applied(canonical(token.text), token)
        if token.kind != "name" or found is None or not found.table:
            raise MisreadError(
                f"found '{token.text}' in {key.upper()}, expected a graphical function", token.at
            )
        subscripts, _ = self._subscripts(found, token)
        table = ae.ReferenceStructure(reference_name(found.table), subscripts)
        self.expect(",")
        (x,) = self._exactly(1, token)
        return ae.CallStructure(table, (x,)) if key == "lookup" else call("lookup_invert", table, x)

    def _exactly(self, count: int, token: Token) -> tuple[Any, ...]:
        arguments = self.arguments()
        if len(arguments) != count:
            raise MisreadError(
                f"found {len(arguments)} arguments of '{token.text}', expected {count}", token.at
            )
        return arguments

    def _macro(self, key: str, token: Token) -> Any:
        macro = self._place.scope.macros[key]
        self.take()
        arguments = list(self.arguments())
        for param in macro.params[len(arguments) :]:
            if param in macro.defaults:
                arguments.append(macro.defaults[param])
        if len(arguments) != len(macro.params):
            expected = ", ".join(macro.params)
            raise MisreadError(
                f"calls the macro {macro.name} with the wrong arguments, expected ({expected})",
                token.at,
            )
        return call(reference_name(macro.name), *arguments)

    def _array_function(self, key: str, token: Token) -> Any:
        dimension = self._place.scope.dimensions.get(canonical(self.peek().text))
        if key == "size" and dimension and self.peek(1).text == ")":
            self.take()
            self.take()
            return len(dimension.elements)
        if key in ("min", "max", "mean") and self._several():
            return function(key, self.arguments())
        self._over_array += 1
        arguments = self.arguments()
        self._over_array -= 1
        if len(arguments) != 1:
            raise MisreadError(
                f"found {len(arguments)} arguments of {key.upper()}, expected one array", token.at
            )
        (values,) = arguments
        if not (count := self._count(values)):
            if key in ("min", "max"):
                return values
            raise MisreadError(f"found {key.upper()} of something that is no array", token.at)
        return _over(key, values, count)

    def _several(self) -> bool:
        """Whether a comma comes before the parenthesis that closes the call."""
        depth, ahead = 1, 0
        while depth and self.peek(ahead).kind != "end":
            text = self.peek(ahead).text
            if text == "," and depth == 1:
                return True
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text, 0)
            ahead += 1
        return False

    def _count(self, values: Any) -> int:
        """Over how many elements a function runs: those of the dimensions with ``!``."""
        named = parts_of(values, ae.SubscriptsReferenceStructure)
        found = {s[:-1] for part in named for s in part.subscripts if s.endswith("!")}
        by_name = {d.name: d for d in self._place.scope.dimensions.values()}
        return math.prod(len(by_name[name].elements) for name in found) if found else 0

    def _subscripts(self, found: Declared, token: Token) -> tuple[Any, Any]:
        """Subscripts of a reference; and the place in the last dimension where it is computed."""
        written = self._brackets()
        if written is None:
            if not found.dims:
                return None, None
            if self._over_array:
                return ae.SubscriptsReferenceStructure([f"{d.name}!" for d in found.dims]), None
            at = implied(found.dims, self._place.owner.dims, self._place.at)
            return ae.SubscriptsReferenceStructure(at), None
        if len(written) != len(found.dims):
            raise MisreadError(
                f"found {len(written)} subscripts of '{found.name}', expected {len(found.dims)}",
                token.at,
            )
        *first, last = zip(written, found.dims, strict=True)
        try:
            at = [self._place.scope.subscript(s, d) for s, d in first]
            element, place = self._last_subscript(*last)
        except MisreadError as problem:
            raise MisreadError(problem.problem, token.at) from None
        at = [self._present(s) for s in (*at, element)]
        if self._over_array:
            at = [self._run_over(s) for s in at]
        return ae.SubscriptsReferenceStructure(at), place

    def _present(self, subscript: str) -> str:
        """A dimension of the equation is the element for which the equation holds."""
        own = zip(self._place.owner.dims, self._place.at, strict=True)
        return next((at for dimension, at in own if dimension.name == subscript), subscript)

    def _last_subscript(self, text: str, dimension: Dimension) -> tuple[str, Any]:
        """Element or dimension; or the first element, and the place that an expression gives."""
        scope = self._place.scope
        try:
            return scope.subscript(text, dimension), None
        except MisreadError as problem:
            try:
                inner = XmileParser(text, self._place)
                inner._depth = self._depth
                return dimension.elements[0], inner.whole()
            except MisreadError:
                raise problem from None

    def _run_over(self, subscript: str) -> str:
        """Within a function over arrays, a dimension that the equation does not have: all of it."""
        ranges = {d.name for d in self._place.scope.dimensions.values()}
        whole = subscript in ranges and subscript not in self._place.at
        return f"{subscript}!" if whole else subscript

    def _brackets(self) -> list[str] | None:
        if not self.taken("["):
            return None
        written = []
        while True:
            start, depth = self.peek().at, 0
            while self.peek().kind != "end" and (depth or self.peek().text not in (",", "]")):
                depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(self.take().text, 0)
            written.append(self._text[start : self.peek().at].strip())
            if not self.taken(","):
                break
        self.expect("]")
        return written


def _at_place(read: Any, place: Any, count: int) -> Any:
    """Element at a computed place, counted from 1; 0 beyond the array, as the standard has it."""
    inside = ae.LogicStructure(["<="], (1, place)), ae.LogicStructure(["<="], (place, count))
    element = call("vector_elm_map", read, arithmetic("-", place, 1))
    return call("if_then_else", ae.LogicStructure([":AND:"], inside), element, 0)


def _over(key: str, values: Any, count: int) -> Any:
    """Functions over arrays by SUM, PROD and the extremes; STDDEV is that of a population."""
    if key == "size":
        return count
    if key in ("min", "max"):
        return call(f"v{key}", values)
    if key == "mean":
        return arithmetic("/", call("sum", values), count)
    if key == "stddev":
        mean = arithmetic("/", call("sum", values), count)
        square = arithmetic("^", arithmetic("-", values, mean), 2)
        return call("sqrt", arithmetic("/", call("sum", square), count))
    return call(key, values)
