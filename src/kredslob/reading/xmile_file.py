"""An XMILE file, for now by PySD's own reader."""

from __future__ import annotations

from pathlib import Path

from pysd.translators.xmile.xmile_file import XmileFile

from kredslob.errors import InputFileError
from kredslob.reading.result import Reading


def read_xmile(path: Path) -> Reading:
    """Read an XMILE file."""
    try:
        file = XmileFile(path)
        file.parse()
        return Reading(file.get_abstract_model(), {})
    except Exception as problem:
        first = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise InputFileError(path, f"is not a model file that can be read ({first})") from problem
