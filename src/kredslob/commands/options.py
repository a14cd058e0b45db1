"""What several commands share: the language, and folders that are checked before work starts."""

from __future__ import annotations

import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kredslob.errors import InputFileError


class Language(StrEnum):
    """Languages of what people read."""

    da = "da"
    en = "en"


def _language() -> Language:
    return Language.da if os.environ.get("LANG", "").lower().startswith("da") else Language.en


LanguageOption = Annotated[
    Language,
    typer.Option(
        "--lang",
        default_factory=_language,
        show_default="da where LANG says so, else en",
        help="Language of what is shown.",
    ),
]


def check_folder(folder: Path) -> None:
    """Refuse a folder that could not be written, before minutes are spent on a run.

    Raises
    ------
    InputFileError
        It is in use, or cannot be made.
    """
    from kredslob.folders import check_free

    check_free(folder)
    above = next(p for p in folder.absolute().parents if p.exists())
    try:
        with tempfile.TemporaryDirectory(dir=above):
            pass
    except OSError:
        problem = f"cannot be made: {above} is not a folder one can write to"
        raise InputFileError(folder, problem) from None
