"""The table of correlations: which uncertain parameters are likely to be off together."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kredslob.arguments import hint
from kredslob.copula import contradiction, normal_matrix
from kredslob.cycle.draws import is_drawn
from kredslob.cycle.parameters import CERTAINTIES, ParameterTable
from kredslob.cycle.scenario import parameter_table
from kredslob.errors import InputFileError
from kredslob.paths import reinvestment_folder

FILE = "correlations.csv"
_COLUMNS = ("parameter", "with", "rank_correlation", "certainty", "why")
_ANY = "*"


@dataclass(frozen=True)
class Correlation:
    """One row of the table: a pair of parameters, or all pairs of two families.

    Parameters
    ----------
    pairs : tuple of (str, str)
        Labels of the parameters, as in the parameter table.
    rank : float
        Rank correlation (Spearman's), -1 to 1.
    certainty, why : str
        How sure it is, and its source or reason.
    line : int
        Line in the table.
    """

    pairs: tuple[tuple[str, str], ...]
    rank: float
    certainty: str
    why: str
    line: int


def read_correlations(path: Path, table: ParameterTable) -> tuple[Correlation, ...]:
    """Read a table of correlations.

    Parameters
    ----------
    path : Path
        A CSV file (UTF-8) with the columns parameter, with, rank_correlation, certainty and why.
        The first two name parameters, ``name`` or ``name[element, element]``; an element ``*``
        stands for each, and the row then for all pairs of different parameters of both.
    table : ParameterTable
        The parameters.

    Returns
    -------
    tuple of Correlation
        Rows in the order of the file.

    Raises
    ------
    InputFileError
        The file cannot be read, a column is missing, a parameter is unknown or never drawn, a
        correlation is no number from -1 to 1, has no reason or a certainty that is not known, a
        pair stands twice or is a parameter with itself, or the correlations cannot hold together.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise InputFileError(path, f"cannot be read as a UTF-8 text file ({problem})") from problem
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise InputFileError(path, f"column '{missing[0]}' is missing", line=1)
    rows: list[Correlation] = []
    seen: dict[frozenset[str], int] = {}
    for record in reader:
        row = _correlation(path, reader.line_num, record, table)
        for pair in row.pairs:
            first = seen.setdefault(frozenset(pair), row.line)
            if first != row.line:
                raise InputFileError(
                    path, f"stands on line {first} too", line=row.line, key=" with ".join(pair)
                )
        rows.append(row)
    _check_together(path, rows)
    return tuple(rows)


@cache
def correlation_table() -> Mapping[tuple[str, str], float]:
    """Rank correlations of the reinvestment model's parameters, by pair; none without a file."""
    path = reinvestment_folder() / FILE
    if not path.exists():
        return {}
    rows = read_correlations(path, parameter_table())
    return {pair: row.rank for row in rows for pair in row.pairs}


def _correlation(
    path: Path, line: int, record: Mapping[str, str | None], table: ParameterTable
) -> Correlation:
    said = {name: (record[name] or "").strip() for name in _COLUMNS}
    firsts, seconds = (_matched(path, line, key, said[key], table) for key in ("parameter", "with"))
    pairs = dict.fromkeys(tuple(sorted((a, b))) for a in firsts for b in seconds if a != b)
    if not pairs:
        problem = f"'{firsts[0]}' with itself, expected two parameters"
        raise InputFileError(path, problem, line=line, key="with")
    try:
        rank = float(said["rank_correlation"])
    except ValueError:
        rank = float("nan")
    if not -1 <= rank <= 1:
        problem = f"found '{said['rank_correlation']}', expected a number from -1 to 1"
        raise InputFileError(path, problem, line=line, key="rank_correlation")
    if said["certainty"] not in CERTAINTIES:
        problem = f"found '{said['certainty']}', expected one of {', '.join(CERTAINTIES)}"
        raise InputFileError(path, problem, line=line, key="certainty")
    if not said["why"]:
        problem = "is empty, expected a source or a reason"
        raise InputFileError(path, problem, line=line, key="why")
    return Correlation(tuple((a, b) for a, b in pairs), rank, said["certainty"], said["why"], line)


def _matched(path: Path, line: int, key: str, text: str, table: ParameterTable) -> list[str]:
    """Labels of the parameters that a cell names."""
    name, _, inside = text.rstrip("]").partition("[")
    elements = tuple(e.strip() for e in inside.split(",") if e.strip())
    rows = [row for row in table if row.name == name.strip()]
    if not rows:
        problem = f"'{text}' is no parameter of {table.path.name}{hint(name, table.names())}"
        raise InputFileError(path, problem, line=line, key=key)
    found = [
        row
        for row in rows
        if len(row.elements) == len(elements)
        and all(e in (_ANY, own) for e, own in zip(elements, row.elements, strict=True))
    ]
    if not found:
        problem = f"found '{text}', expected elements such as '{rows[0].label}'"
        raise InputFileError(path, problem, line=line, key=key)
    drawn = [row.label for row in found if is_drawn(row)]
    if not drawn:
        problem = f"'{text}' is no uncertain parameter of {table.path.name} and never drawn"
        raise InputFileError(path, problem, line=line, key=key)
    return drawn


def _check_together(path: Path, rows: list[Correlation]) -> None:
    by_pair = {pair: row for row in rows for pair in row.pairs}
    names = list(dict.fromkeys(name for pair in by_pair for name in pair))
    if not names:
        return
    wrong = contradiction(normal_matrix(names, {p: row.rank for p, row in by_pair.items()}))
    if wrong is None:
        return
    pair = tuple(sorted((names[wrong[0]], names[wrong[1]])))
    row = by_pair[pair[0], pair[1]]
    problem = (
        f"found {row.rank:g}, which cannot hold together with the other correlations "
        "(a pair that is not named counts as 0)"
    )
    raise InputFileError(path, problem, line=row.line, key=" with ".join(pair))
