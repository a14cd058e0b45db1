"""A model file's bytes as text: size, encoding, and the line of any place in it."""

from __future__ import annotations

import bisect
import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path

from kredslob.errors import InputFileError
from kredslob.limits import Limits

DECLARED = re.compile(rb"^\s*\{\s*([A-Za-z][\w.:-]*)\s*\}")
BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class Source:
    """The text of one file; its lines end with a line feed.

    Parameters
    ----------
    path : Path
        The file.
    text : str
        Its text.
    """

    path: Path
    text: str
    starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ends = (m.end() for m in re.finditer("\n", self.text))
        object.__setattr__(self, "starts", (0, *ends))

    def line(self, at: int) -> int:
        """Line, counted from 1, of the character at this place."""
        return bisect.bisect_right(self.starts, at)


def read_bytes(path: Path, limits: Limits) -> bytes:
    """Bytes of a model file.

    Raises
    ------
    InputFileError
        It is missing, unreadable, no plain file, empty or larger than the limit.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe or device might never end
            raise InputFileError(path, "is not a file, expected a model")
        size = path.stat().st_size
        if size > limits.file_bytes:
            raise InputFileError(path, limits.exceeded("file_bytes", f"has {size:,} bytes"))
        content = path.read_bytes()
    except OSError as problem:
        raise InputFileError(path, f"cannot be read ({problem.strerror})") from problem
    except ValueError:  # a null byte in the path
        raise InputFileError(one_line(str(path)), "is no name that a file can have") from None
    if not content.strip():
        raise InputFileError(path, "is empty, expected a model")
    return content


def read_text(path: Path, limits: Limits) -> Source:
    """Text of a Vensim file, in the encoding that its mark, its first line or its bytes say.

    A file that is not what its first line says (Vensim writes ``{UTF-8}`` also over text that an
    editor has saved otherwise) is read as Windows-1252, so that names keep their letters; or as
    GB 18030, in which older files from China are.

    Raises
    ------
    InputFileError
        It cannot be read, or is not text.
    """
    content = read_bytes(path, limits)
    text = _decoded(content)
    if "\0" in text:
        raise InputFileError(path, "is not text (it holds null bytes), expected a Vensim model")
    return Source(path, text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, longest: int = 300) -> str:
    """Text of a message: no line ends, no unprintable characters, not endless."""
    line = "".join(c if c.isprintable() else " " for c in text)
    line = " ".join(line.split())
    return line if len(line) <= longest else f"{line[:longest]}..."


def _only_pairs(content: bytes) -> bool:
    """Whether bytes beyond ASCII always come in pairs, as they do in GB 2312.

    In Windows-1252 they are single letters among others.
    """
    return all(len(run) % 2 == 0 for run in BEYOND_ASCII.findall(content))


def _decoded(content: bytes) -> str:
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors="replace")
    pairs = content[:4000]
    if pairs[1::2].count(0) > len(pairs) // 4:
        return content.decode("utf-16-le", errors="replace")
    if pairs[0::2].count(0) > len(pairs) // 4:
        return content.decode("utf-16-be", errors="replace")
    declared = DECLARED.match(content)
    candidates = [declared.group(1).decode("ascii")] if declared else []
    chinese = ["gb18030"] if _only_pairs(content) else []
    for encoding in (*candidates, "utf-8", *chinese, "cp1252"):
        try:
            return content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("latin-1")
