"""What several commands share: their options, and folders that are checked before work starts."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, suppress
from contextvars import ContextVar
from datetime import datetime
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from kredslob.commands.help import complete_scenario, complete_setting
from kredslob.errors import InputFileError

AT_END: ContextVar[ExitStack] = ContextVar("what is done when the command ends")
MOST_YEARS = 70  # as far as the discount rule reaches


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

SettingOption = Annotated[
    str,
    typer.Option(
        help="Place: a name from 'kredslob settings', or a .toml file.",
        autocompletion=complete_setting,
    ),
]
ScenarioOption = Annotated[
    str | None,
    typer.Option(
        help="Policy: a name from 'kredslob scenarios', or a .toml file.",
        autocompletion=complete_scenario,
    ),
]
RatesOption = Annotated[
    str | None,
    typer.Option(
        help="Reinvestment rates to compare, such as 0,0.5,1. Default: the policy's own; without "
        "a policy some from 0 to 1."
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change a parameter, such as 'capital at start\\[own savings]=20 million DKK'. "
        "May be given more than once.",
    ),
]
YearsOption = Annotated[int | None, typer.Option(min=1, max=MOST_YEARS, help="Years to run.")]
OutOption = Annotated[
    Path | None,
    typer.Option(help="New or empty folder for the results. Default: a new one in runs/."),
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the draws.")]
ModelArgument = Annotated[
    Path | None, typer.Argument(help="A model file. Default: the reinvestment model.")
]


def new_folder(name: str) -> Path:
    """Take a folder in ``runs/`` that no other process takes, whatever the clock says.

    It is made empty at once, so that two commands of the same second, or one after the clock was
    set back, do not want the same; if nothing comes into it, it goes when the command ends.

    Parameters
    ----------
    name : str
        What the results are; the time is added, and a number where that is taken.

    Returns
    -------
    Path
        The folder; not there if none can be made, which `check_folder` explains.
    """
    first = Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    for number in count(1):
        folder = first if number == 1 else first.with_name(f"{first.name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError:
            return folder
        AT_END.get().callback(_remove_if_empty, folder.absolute())
        return folder
    raise AssertionError  # counting has no end


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
        folder.parent.rmdir()


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
