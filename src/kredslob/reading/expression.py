"""Expressions of both file languages: one operator-precedence parser over their tokens.

A parser of our own, and not PySD's, for three reasons. PySD's evaluates text from the file as
Python; it takes 0.5 s for 300 equations where this takes a twentieth of it; and an error of its
grammar names no place. What comes out are the dataclasses of PySD's abstract model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pysd.translators.structures.abstract_expressions import (
    ArithmeticStructure,
    LogicStructure,
)

from kredslob.limits import Limits
from kredslob.reading.source import one_line

# A name may hold any character beyond ASCII, such as the degree sign in "temp °C", but none that
# could not be decoded; of ASCII only letters, digits, _, $ and '. One class each, so that no text
# can be matched in two ways.
LETTER = r"[^\x00-@\[-^`{-\x9f\s\d\ufffd]"
CHARACTER = r"[^\x00-#%&(-/:-@\[-^`{-\x9f\s\ufffd]"
UNSIGNED = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
OR, AND, NOT, COMPARE, ADD, MULTIPLY, UNARY, POWER = range(1, 9)
LEVELS = {
    ":OR:": OR,
    ":AND:": AND,
    "=": COMPARE,
    "<>": COMPARE,
    "<": COMPARE,
    "<=": COMPARE,
    ">": COMPARE,
    ">=": COMPARE,
    "+": ADD,
    "-": ADD,
    "*": MULTIPLY,
    "/": MULTIPLY,
    "//": MULTIPLY,
    "mod": MULTIPLY,
    "^": POWER,
}


class MisreadError(ValueError):
    """Text that does not follow the language.

    Parameters
    ----------
    problem : str
        What was found and expected.
    at : int
        Place in the text of the equation.
    """

    def __init__(self, problem: str, at: int = 0) -> None:
        super().__init__(problem)
        self.problem, self.at = one_line(problem), at


@dataclass(frozen=True)
class Token:
    """A number, name, string, operator (``op``) or the end of the text, and where it stands."""

    kind: str
    text: str
    at: int


def tokens(text: str, pattern: re.Pattern[str], limits: Limits) -> Iterator[Token]:
    """Cut a text by a pattern whose groups are named for the kinds of tokens.

    Raises
    ------
    MisreadError
        A character begins no token.
    """
    if len(text) > limits.equation_characters:
        found = f"has {len(text):,} characters in an equation"
        raise MisreadError(limits.exceeded("equation_characters", found))
    at = 0
    while at < len(text):
        match = pattern.match(text, at)
        if match is None:
            raise MisreadError(f"found '{text[at]}', expected a name, number or operator", at)
        if match.lastgroup and match.lastgroup != "space":
            yield Token(match.lastgroup, match.group(), at)
        at = match.end()
    yield Token("end", "", len(text))


def number(text: str) -> int | float:
    """Value of a literal: ``010`` is ten, as the file's language has it.

    >>> number("010"), number("1."), number("1e3")
    (10, 1.0, 1000.0)
    """
    return int(text) if text.isdigit() and len(text) < 19 else float(text)


class Parser:
    """Turns tokens into an abstract expression. A language gives its operands.

    Parameters
    ----------
    stream : iterable of Token
        The tokens, the last of kind ``end``.
    operators : mapping of str to str
        Spelling in lower case to the operator of the abstract model, ``:NOT:`` included.
    limits : Limits
        How deep it may be nested; keeps every walk over the tree within Python's stack.
    """

    def __init__(
        self, stream: Iterator[Token], operators: Mapping[str, str], limits: Limits
    ) -> None:
        self._stream = list(stream)
        self._spelling = operators
        self._next = 0
        self._depth = 0
        self._limits = limits

    def whole(self) -> Any:
        """Read the whole text as one expression.

        Raises
        ------
        MisreadError
            It is not one.
        """
        result = self.expression()
        if self.peek().kind != "end":
            raise self.unexpected("an operator")
        return result

    def expression(self, floor: int = 0) -> Any:
        """Read an expression whose operators all bind tighter than ``floor``."""
        self._depth += 1
        if self._depth > self._limits.nesting:
            found = f"is nested {self._depth} levels deep or more"
            raise MisreadError(self._limits.exceeded("nesting", found), self.peek().at)
        left = self._prefixed()
        compared = False
        while (level := self._level()) > floor:
            if level == COMPARE and compared:
                raise MisreadError("compares a comparison; add parentheses", self.peek().at)
            compared = level == COMPARE
            left = self._joined(level, left)
        self._depth -= 1
        return left

    def operand(self) -> Any:
        """Read a number, reference, call or parentheses: what the language defines."""
        raise NotImplementedError

    def peek(self, ahead: int = 0) -> Token:
        """Look at a token without taking it."""
        return self._stream[min(self._next + ahead, len(self._stream) - 1)]

    def take(self) -> Token:
        """Take the next token."""
        token = self.peek()
        self._next += 1
        return token

    def taken(self, text: str) -> bool:
        """Take the next token if it is this operator."""
        if self.peek().kind == "op" and self.peek().text == text:
            self._next += 1
            return True
        return False

    def expect(self, text: str) -> Token:
        """Take this operator or fail."""
        token = self.peek()
        if not self.taken(text):
            raise self.unexpected(f"'{text}'")
        return token

    def unexpected(self, expected: str) -> MisreadError:
        """Describe the next token as an error."""
        token = self.peek()
        found = f"'{token.text}'" if token.text else "the end"
        return MisreadError(f"found {found}, expected {expected}", token.at)

    def arguments(self) -> tuple[Any, ...]:
        """Read arguments after the opening parenthesis, up to and with the closing one."""
        if self.taken(")"):
            return ()
        found = self.listed()
        self.expect(")")
        return found

    def listed(self) -> tuple[Any, ...]:
        """Read arguments with commas between them."""
        found = [self.argument()]
        while self.taken(","):
            found.append(self.argument())
        return tuple(found)

    def argument(self) -> Any:
        """Read one argument: an expression, or a string for functions that read files."""
        token = self.peek()
        if token.kind != "string":
            return self.expression()
        if "\\" in token.text or "\n" in token.text:
            raise MisreadError(
                f"found a backslash or line end in {token.text}, expected a plain name "
                "(write / in paths)",
                token.at,
            )
        return self.take().text[1:-1]

    def _operator(self) -> str:
        token = self.peek()
        return self._spelling.get(token.text.lower(), "") if token.kind in ("op", "name") else ""

    def _level(self) -> int:
        return LEVELS.get(self._operator(), 0)

    def _prefixed(self) -> Any:
        operator = self._operator()
        if operator == ":NOT:":
            self.take()
            return LogicStructure([":NOT:"], (self.expression(NOT),))
        if operator in ("+", "-"):
            self.take()
            value = self.expression(UNARY)
            if operator == "+":
                return value
            literal = isinstance(value, (int, float))
            return -value if literal else ArithmeticStructure(["negative"], (value,))
        return self.operand()

    def _joined(self, level: int, left: Any) -> Any:
        operators, operands = [], [left]
        while self._level() == level:
            operators.append(self._operator())
            self.take()
            # a power takes what follows it, from right to left: 2^3^2 is 2^9
            operands.append(self.expression(level - 1 if level == POWER else level))
            if level in (COMPARE, POWER):
                break
        if level in (OR, AND, COMPARE):
            return LogicStructure(operators, tuple(operands))
        return self.arithmetic(operators, operands)

    def arithmetic(self, operators: list[str], operands: Sequence[Any]) -> Any:
        """Join operands of one level."""
        return ArithmeticStructure(operators, tuple(operands))
