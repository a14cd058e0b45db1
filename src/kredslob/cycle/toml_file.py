"""A TOML file, read so that an error can name the line of a key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kredslob.cycle.text_file import read_text
from kredslob.errors import InputFileError

_MOST_POINTS = 300
_PART = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_KEY = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_KEY})\s*\]\]?\s*(?:#.*)?")
_ASSIGNMENT = re.compile(rf"\s*({_KEY})\s*=")
_AT_LINE = re.compile(r"(.*) \(at line (\d+), column \d+\)")


@dataclass(frozen=True)
class TomlFile:
    """A TOML file's text and what it says.

    Parameters
    ----------
    path : Path
        The file, as it was named by the user.
    text : str
        Its text.
    data : mapping
        Its keys and values.
    """

    path: Path
    text: str
    data: Mapping[str, Any]

    def fault(self, keys: Sequence[str], problem: str, label: str | None = None) -> InputFileError:
        """Make the error for one key.

        Parameters
        ----------
        keys : sequence of str
            The way to the key from the top of the file.
        problem : str
            What was found, and what would be right.
        label : str, optional
            The key as the message names it. Default: the keys with dots between.
        """
        return InputFileError(self.path, problem, line=self.line(keys), key=label or ".".join(keys))

    def line(self, keys: Sequence[str]) -> int | None:
        """Find the line of a key: its own, or else that of the nearest key that holds it."""
        wanted, best, line = tuple(keys), 0, None
        for number, place in _places(self.text):
            if place[: len(wanted)] == wanted:
                return number
            if len(place) > best and place == wanted[: len(place)]:
                best, line = len(place), number
        return line


def read_toml(path: Path) -> TomlFile:
    """Read a TOML file.

    Parameters
    ----------
    path : Path
        A UTF-8 file, with or without a byte-order mark.

    Returns
    -------
    TomlFile

    Raises
    ------
    InputFileError
        The path is missing, a folder or not readable, or its text is too long, not UTF-8 or
        not TOML.
    """
    text = read_text(path, "a TOML file")
    for number, written in enumerate(text.split("\n"), start=1):
        # Python's reader takes memory with the square of a key's parts: gigabytes for 20,000
        if (points := written.count(".")) > _MOST_POINTS:
            found = f"has {points:,} points in a line, expected at most {_MOST_POINTS}"
            raise InputFileError(path, found, line=number)
    try:
        return TomlFile(path, text, tomllib.loads(text))
    except RecursionError:
        raise InputFileError(path, "is nested too deeply to be read") from None
    except ValueError as problem:
        match = _AT_LINE.fullmatch(str(problem))
        line = int(match[2]) if match else None
        reason = match[1] if match else str(problem)
        raise InputFileError(path, f"is not TOML: {reason}", line=line) from None


def _places(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line and full key of each table header and assignment, outside texts of several lines."""
    table: tuple[str, ...] = ()
    inside = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if not inside:
            if header := _HEADER.fullmatch(line.rstrip("\r")):
                table = _split(header[1])
                yield number, table
            elif assignment := _ASSIGNMENT.match(line):
                yield number, (*table, *_split(assignment[1]))
        for quotes in re.findall(r'"""|' + r"'''", line):
            if not inside:
                inside = quotes
            elif quotes == inside:
                inside = ""


def _split(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, key))
