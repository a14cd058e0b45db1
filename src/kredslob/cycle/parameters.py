"""The parameter table: one row a parameter and element, the one place where a value is stated.

The model file holds the same numbers, so that it opens and runs in Vensim as it is;
`write_constants` puts them there, and a test compares the two.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from kredslob.cycle.quantity import shown
from kredslob.cycle.text_file import read_text
from kredslob.errors import InputFileError
from kredslob.program import Program

CERTAINTIES = ("measured", "estimated", "assumed")
KINDS = ("parameter", "lever", "setting", "switch", "structure")
DISTRIBUTIONS = ("fixed", "triangular", "uniform", "switch")
_NUMBERS = ("value", "low", "high", "minimum", "maximum", "figure")
_COLUMNS = (
    "name",
    "elements",
    "kind",
    *_NUMBERS[:5],
    "distribution",
    "unit",
    "price_year",
    "figure",
    "figure_year",
    "figure_price_year",
    "population",
    "source",
    "url",
    "certainty",
    "note",
)


@dataclass(frozen=True)
class Parameter:
    """One row of the table.

    Parameters
    ----------
    name : str
        Name of the constant in the model file.
    elements : tuple of str
        Subscript elements in the order of the constant's subscripts; empty for a scalar.
    kind : str
        parameter (uncertain fact), lever (policy choice), setting (size of the place),
        switch (0 or 1, an unsettled hypothesis) or structure (not to be varied).
    value, low, high : float
        Best value and the range in which it is believed (for a lever: in which it is set).
    minimum, maximum : float
        Bounds outside which the value has no meaning.
    distribution : str
        fixed, triangular, uniform or switch.
    unit : str
        As in the model file.
    price_year, figure_price_year : int or None
        Price year of the value, and of the published figure.
    figure : float or None
        The figure as published, before conversion.
    figure_year : int or None
        The year that the source is about, or else when it was published.
    population, source, url, certainty, note : str
        Whom it is about, where it comes from, how sure it is, and how it was derived.
    line : int
        Line in the table.
    """

    name: str
    elements: tuple[str, ...]
    kind: str
    value: float
    low: float
    high: float
    minimum: float
    maximum: float
    distribution: str
    unit: str
    price_year: int | None
    figure: float | None
    figure_year: int | None
    figure_price_year: int | None
    population: str
    source: str
    url: str
    certainty: str
    note: str
    line: int

    @property
    def label(self) -> str:
        """Name with its elements, as in the model file."""
        return f"{self.name}[{','.join(self.elements)}]" if self.elements else self.name


@dataclass(frozen=True)
class ParameterTable:
    """The rows of a parameter table, in the order of the file."""

    path: Path
    rows: tuple[Parameter, ...]

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def names(self) -> tuple[str, ...]:
        """Names of the constants, each once."""
        return tuple(dict.fromkeys(row.name for row in self.rows))

    def of(self, name: str) -> tuple[Parameter, ...]:
        """Rows of one constant. Raises KeyError for a name that is not in the table."""
        rows = tuple(row for row in self.rows if row.name == name)
        if not rows:
            raise KeyError(name)
        return rows


def bounds_of(program: Program, table: ParameterTable) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Minimum and maximum of each constant in a table, arrays in the shape that a model gives it.

    Parameters
    ----------
    program : Program
        The model.
    table : ParameterTable
        Its parameters; a constant that the model lacks is left out.
    """
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for row in table:
        array = program.arrays.get(row.name)
        if array is None:
            continue
        open_ends = np.full(array.shape, -np.inf), np.full(array.shape, np.inf)
        low, high = found.setdefault(row.name, open_ends)
        place = tuple(
            program.ranges[d].index(e) for d, e in zip(array.dims, row.elements, strict=True)
        )
        low[place], high[place] = row.minimum, row.maximum
    return found


def read_parameters(path: Path) -> ParameterTable:
    """Read a parameter table.

    Parameters
    ----------
    path : Path
        A CSV file (UTF-8) with one row a parameter and element.

    Returns
    -------
    ParameterTable

    Raises
    ------
    InputFileError
        The file is missing or too large, a column is missing or stands twice, a row has too few or
        too many cells, a number or a mark cannot be read, a value is not finite or lies outside its
        bounds or its range, or a row stands twice.
    """
    rows: dict[tuple[str, tuple[str, ...]], Parameter] = {}
    for line, record in _records(path):
        row = _parameter(path, line, record)
        if (row.name, row.elements) in rows:
            first = rows[row.name, row.elements].line
            raise InputFileError(path, f"stands on line {first} too", line=row.line, key=row.label)
        rows[row.name, row.elements] = row
    return ParameterTable(path, tuple(rows.values()))


def _records(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells by column of each row; empty lines are left out."""
    text = read_text(path, "a CSV table")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = next(reader, [])
        missing = [name for name in _COLUMNS if name not in columns]
        if missing:
            raise InputFileError(path, f"column '{missing[0]}' is missing", line=1)
        twice = [name for name in _COLUMNS if columns.count(name) > 1]
        if twice:
            raise InputFileError(path, f"column '{twice[0]}' stands twice", line=1)
        for cells in filter(None, reader):
            if len(cells) != len(columns):
                found = f"has {len(cells)} cells, expected {len(columns)} as in the first line"
                raise InputFileError(path, found, line=reader.line_num)
            yield reader.line_num, dict(zip(columns, cells, strict=True))
    except csv.Error as problem:
        raise InputFileError(path, f"is not CSV: {problem}", line=reader.line_num) from None


@dataclass(frozen=True)
class _Cells:
    """The cells of a row; what cannot be read is said with file, line and column."""

    path: Path
    line: int
    record: Mapping[str, str]

    def wrong(self, column: str, found: str, expected: str) -> InputFileError:
        problem = f"found {shown(found)}, expected {expected}"
        return InputFileError(self.path, problem, line=self.line, key=column)

    def number(self, column: str) -> float | None:
        text = self.record[column].strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            raise self.wrong(column, text, "a number") from None
        if not math.isfinite(value):
            raise self.wrong(column, text, "a finite number")
        return value

    def number_or(self, column: str, default: float) -> float:
        value = self.number(column)
        return default if value is None else value

    def year(self, column: str) -> int | None:
        value = self.number(column)
        return None if value is None else int(value)

    def one_of(self, column: str, allowed: tuple[str, ...]) -> str:
        found = self.record[column]
        if found not in allowed:
            raise self.wrong(column, found, f"one of {', '.join(allowed)}")
        return found


def _parameter(path: Path, line: int, record: Mapping[str, str]) -> Parameter:
    cells = _Cells(path, line, record)
    value = cells.number("value")
    if value is None:
        raise InputFileError(path, "has no value", line=line, key=record["name"] or "value")
    row = Parameter(
        name=record["name"],
        elements=tuple(e.strip() for e in record["elements"].split(",") if e.strip()),
        kind=cells.one_of("kind", KINDS),
        value=value,
        low=cells.number_or("low", value),
        high=cells.number_or("high", value),
        minimum=cells.number_or("minimum", -math.inf),
        maximum=cells.number_or("maximum", math.inf),
        distribution=cells.one_of("distribution", DISTRIBUTIONS),
        unit=record["unit"],
        price_year=cells.year("price_year"),
        figure=cells.number("figure"),
        figure_year=cells.year("figure_year"),
        figure_price_year=cells.year("figure_price_year"),
        population=record["population"],
        source=record["source"],
        url=record["url"],
        certainty=cells.one_of("certainty", CERTAINTIES),
        note=record["note"],
        line=line,
    )
    if not row.minimum <= row.low <= row.value <= row.high <= row.maximum:
        problem = (
            f"expected minimum <= low <= value <= high <= maximum, found {row.minimum:g}, "
            f"{row.low:g}, {row.value:g}, {row.high:g}, {row.maximum:g}"
        )
        raise InputFileError(path, problem, line=line, key=row.label)
    return row


def write_constants(
    model: Path, table: ParameterTable, subscripts: Mapping[str, tuple[str, ...]]
) -> None:
    """Write the table's values into the model file's constants, at once or not at all.

    Parameters
    ----------
    model : Path
        The .mdl file. Each constant in it stands as ``name[Subscript,...] = numbers ~ unit ~ ...``.
    table : ParameterTable
        The values.
    subscripts : mapping of str to tuple of str
        Elements of each subscript, in order.

    Raises
    ------
    InputFileError
        The model file has no such constant, or the table lacks one of its elements.
    """
    text = model.read_text(encoding="utf-8")
    for name in table.names():
        pattern = re.compile(
            rf"^{re.escape(name)}(\[(?P<dims>[^\]]*)\])? =\n(?P<numbers>[^~]*)\t~", re.MULTILINE
        )
        match = pattern.search(text)
        if not match:
            raise InputFileError(model, f"has no constant '{name}', which {table.path.name} names")
        dims = tuple(d.strip() for d in (match["dims"] or "").split(",") if d.strip())
        start, end = match.span("numbers")
        text = text[:start] + _numbers(table, name, dims, subscripts) + text[end:]
    _replace(model, text)


def _numbers(
    table: ParameterTable,
    name: str,
    dims: tuple[str, ...],
    subscripts: Mapping[str, tuple[str, ...]],
) -> str:
    """Vensim's layout of an array: comma between columns, semicolon after each row of a matrix."""
    values = {row.elements: row for row in table.of(name)}
    for elements in product(*(subscripts[dim] for dim in dims)):
        if elements not in values:
            raise InputFileError(table.path, f"has no row for {', '.join(elements)}", key=name)
    shown = {key: f"{row.value:.12g}" for key, row in values.items()}
    if len(dims) < 2:
        return "\t" + ", ".join(shown[e] for e in product(*(subscripts[d] for d in dims))) + "\n"
    rows, columns = (subscripts[dim] for dim in dims)
    return "".join("\t" + ", ".join(shown[r, c] for c in columns) + ";\n" for r in rows)


def _replace(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.replace(temporary, path)
