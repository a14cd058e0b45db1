"""The errors that a user can act on. Each message names where, what was found and what would do."""

from __future__ import annotations

from pathlib import Path

_LONGEST = 1500  # characters of a message
_LONGEST_KEY = 200


class KredslobError(Exception):
    """Bad input: one clear line for a person, never a fault of the program.

    The command line prints the message and exits with code 2.

    Parameters
    ----------
    message : str
        What was found, and what would be right. Names out of files may hold anything: what cannot
        be printed becomes a blank, and an endless message is cut.

    Examples
    --------
    >>> try:
    ...     kredslob.load("no-such-model.mdl")
    ... except kredslob.KredslobError as problem:
    ...     print(problem)
    no-such-model.mdl: cannot be read (No such file or directory)
    """

    def __init__(self, message: str) -> None:
        plain = "".join(c if c.isprintable() else " " for c in message)
        super().__init__(plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}...")


class InputFileError(KredslobError):
    """A file that was given cannot be used.

    Parameters
    ----------
    path : Path or str
        The file.
    problem : str
        What was found, and what would be right.
    line : int, optional
        Line number, counted from 1.
    key : str, optional
        The key or column in the file.

    Examples
    --------
    >>> try:
    ...     kredslob.load("no-such-model.mdl")
    ... except kredslob.InputFileError as problem:
    ...     print(problem.path, problem.line)
    no-such-model.mdl None
    """

    def __init__(
        self, path: Path | str, problem: str, *, line: int | None = None, key: str | None = None
    ) -> None:
        name = key if key is None or len(key) <= _LONGEST_KEY else f"{key[: _LONGEST_KEY - 3]}..."
        place = str(path) + (f", line {line}" if line else "") + (f", '{name}'" if key else "")
        super().__init__(f"{place}: {problem}")
        self.path, self.line, self.key = Path(path), line, key


class ParameterError(KredslobError):
    """A parameter's name or value cannot be used.

    Examples
    --------
    >>> try:
    ...     kredslob.load().run(reinvestment_rat=0.5)
    ... except kredslob.ParameterError as problem:
    ...     print(problem)
    reinvestment.mdl has no constant 'reinvestment_rat'; did you mean 'reinvestment rate'?
    """
