"""Data files that a model names: only those beside it or below it may be read."""

from __future__ import annotations

from pathlib import Path

from kredslob.errors import InputFileError
from kredslob.reading.source import one_line


def check_external_path(model_path: Path, file_text: str) -> Path:
    """Find the data file that a model names, if it lies in the model's own folder.

    Parameters
    ----------
    model_path : Path
        The model file.
    file_text : str
        The name in GET XLS, GET DIRECT and the like.

    Returns
    -------
    Path
        The file, absolute, with links followed.

    Raises
    ------
    InputFileError
        The name leads out of the folder, also by a link; or it begins with ``?``, for which the
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
    target = (folder / file_text).resolve()
    if not target.is_relative_to(folder):
        found = f"the data file lies outside the model's folder {folder}"
        raise InputFileError(model_path, found, key=shown)
    return target
