"""A text file of ours, a scenario or a table: read within its limit, as UTF-8, or refused."""

from __future__ import annotations

from pathlib import Path

from kredslob.errors import InputFileError
from kredslob.limits import limits_in_force


def read_text(path: Path, kind: str) -> str:
    """Read a text file.

    Parameters
    ----------
    path : Path
        A UTF-8 file, with or without a byte-order mark.
    kind : str
        What it should be, for messages: "a TOML file".

    Returns
    -------
    str
        Its text, line ends as they are.

    Raises
    ------
    InputFileError
        The path is missing, a folder or not readable, or its content is too large, not UTF-8 or
        not text.
    """
    limits = limits_in_force()
    try:
        if path.is_dir():
            raise InputFileError(path, f"is a folder, expected {kind}")
        if path.exists() and not path.is_file():
            raise InputFileError(path, f"is not a file, expected {kind}")
        size = path.stat().st_size
        if size > limits.table_bytes:
            raise InputFileError(path, limits.exceeded("table_bytes", f"has {size:,} bytes"))
        raw = path.read_bytes()
    except FileNotFoundError:
        raise InputFileError(path, "does not exist") from None
    except OSError as problem:
        raise InputFileError(path, f"cannot be read ({problem.strerror})") from None
    except ValueError:  # a null byte in the path
        raise InputFileError(repr(str(path)), "is no name that a file can have") from None
    return _decoded(path, raw)


def _decoded(path: Path, raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
        at = text.encode().find(b"\0")
        problem = "found a null byte; is it a text file?" if at >= 0 else ""
    except UnicodeDecodeError as fault:
        at = fault.start
        problem = f"found byte 0x{raw[at]:02x}; save the file as UTF-8"
    if problem:
        line = raw.count(b"\n", 0, at) + 1
        raise InputFileError(path, f"is not UTF-8 text: {problem}", line=line)
    return text
