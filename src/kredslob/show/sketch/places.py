"""Read where variables stand in the sketch that a Vensim model file carries."""

from __future__ import annotations

import csv
from pathlib import Path

from kredslob.errors import InputFileError

_START = "\\\\\\---///"
_VARIABLE, _DEFINED_HERE = "10", 1  # kind of record; bit of its field for arrows coming in


def places(path: Path) -> dict[str, dict[str, tuple[int, int]]]:
    r"""Read the places of variables in each view of a model file's sketch.

    Parameters
    ----------
    path : Path
        A ``.mdl`` file. The format is that of the Vensim Reference Manual, "Sketch objects".

    Returns
    -------
    dict of str to dict
        For each view, the centre of each variable in points, y growing downward. A variable that a
        view shows again as a shadow has the place where it is defined; one that is only a shadow in
        the view has the shadow's. Empty if the file carries no sketch.

    Raises
    ------
    InputFileError
        The file cannot be read, or a line of its sketch is cut short.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(path, f"cannot be read: {error}") from error
    views: dict[str, dict[str, tuple[int, int]]] = {}
    defined: set[tuple[str, str]] = set()
    view = ""
    before = text.partition(_START)[0].count("\n")
    for number, line in enumerate(text.splitlines()[before:], start=before + 1):
        if line.startswith("*"):
            view = line[1:].strip()
        elif line.startswith(f"{_VARIABLE},"):
            name, place, here = _variable(path, number, line)
            if here or (view, name) not in defined:
                views.setdefault(view, {})[name] = place
            defined |= {(view, name)} if here else set()
    return views


def _variable(path: Path, number: int, line: str) -> tuple[str, tuple[int, int], bool]:
    fields = next(csv.reader([line]))
    try:
        return fields[2], (int(fields[3]), int(fields[4])), bool(int(fields[8]) & _DEFINED_HERE)
    except (IndexError, ValueError) as error:
        raise InputFileError(
            path, f"found '{line}', expected a variable with its place", line=number
        ) from error
