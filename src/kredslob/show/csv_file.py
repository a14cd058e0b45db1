"""Tables for people as CSV files that a spreadsheet cannot take for formulas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

# What makes Excel, LibreOffice and Google Sheets read a cell as a formula (OWASP, "CSV injection"),
# in their full-width forms too.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def write_csv(
    frame: pd.DataFrame, path: Path, *, index: bool = True, index_label: str | None = None
) -> None:
    """Write a table as CSV: UTF-8, comma between cells, a point before decimals.

    A text that a spreadsheet would take for a formula gets an apostrophe before it; see
    `harmless`. Numbers are written as they are, in as many digits as tell them apart.

    Parameters
    ----------
    frame : DataFrame
        The table.
    path : Path
        The file.
    index : bool
        Whether the index is written as the first column.
    index_label : str, optional
        Heading of that column; default: the index's own name.
    """
    if index:
        names = list(frame.index.names) if index_label is None else [index_label]
        frame = frame.reset_index(names=[name or "" for name in names])
    safe = frame.apply(lambda c: c if is_numeric_dtype(c) else c.map(harmless))
    safe.columns = pd.Index([harmless(c) for c in frame.columns])
    safe.to_csv(path, index=False)


def harmless(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would take for a formula.

    Parameters
    ----------
    value
        Content of a cell. All but texts, and texts that are plain numbers, stay as they are.

    Examples
    --------
    >>> harmless("=1+1"), harmless("-3.5"), harmless(-3.5), harmless("help")
    ("'=1+1", '-3.5', -3.5, 'help')
    """
    if not isinstance(value, str) or not value.lstrip(" ").startswith(_STARTS):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
