"""Data files that a model names: only those beside it, below it or where the user allows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kredslob.errors import InputFileError
from kredslob.reading.source import one_line


def check_external_path(model_path: Path, file_text: str, allow: Sequence[Path | str] = ()) -> Path:
    """Find the data file that a model names, if it lies in the model's own folder.

    Parameters
    ----------
    model_path : Path
        The model file.
    file_text : str
        The name in GET XLS, GET DIRECT and the like.
    allow : sequence of Path or str
        More folders whose files it may name.

    Returns
    -------
    Path
        The file, absolute, with links followed.

    Raises
    ------
    InputFileError
        The name leads out of the folders, also by a link; or it begins with ``?``, for which the
        user chooses a file in Vensim, and the model file does not say which one was chosen.

    Examples
    --------
    >>> check_external_path(Path("models/city.mdl"), "../secret.csv")
    Traceback (most recent call last):
    kredslob.errors.InputFileError: models/city.mdl, '../secret.csv': the data file lies outside...
    """
    shown = one_line(file_text, 60)
    if file_text.startswith("?"):
        found = "stands for a data file that the model's settings do not name, expected its name"
        raise InputFileError(model_path, found, key=shown)
    if not file_text.strip() or "\\" in file_text or any(ord(c) < 32 for c in file_text):
        found = "is not a plain file name (write / in paths)"
        raise InputFileError(model_path, found, key=shown)
    folder = model_path.resolve().parent
    target = _resolved(folder, file_text)
    if target is None:
        raise InputFileError(model_path, "is no name that a file can have", key=shown)
    if not is_within(target, [folder, *allow]):
        found = (
            f"the data file lies outside the model's folder {folder}; if you trust the model, "
            "allow its folder: load(..., allow=[folder])"
        )
        raise InputFileError(model_path, found, key=shown)
    return target


def is_within(path: Path, folders: Sequence[Path | str]) -> bool:
    """Whether a path, links followed, lies in one of the folders or below it."""
    return any(path.resolve().is_relative_to(Path(folder).resolve()) for folder in folders)


def _resolved(folder: Path, file_text: str) -> Path | None:
    """The file, links followed; None for links in a ring and names that are too long."""
    try:
        target = (folder / file_text).resolve()
        target.exists()
    except (OSError, RuntimeError, ValueError):
        return None
    return target
