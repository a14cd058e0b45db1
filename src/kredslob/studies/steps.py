"""Answers that are asked for one after another, kept as they come, so that the work can go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import xarray as xr

from kredslob.store import StoredAnswers, claim


@dataclass
class Steps:
    """The answers of a study, step by step.

    What is asked next may follow from the answers so far, but from nothing else: then a study that
    is told the same again comes to the same steps.

    Parameters
    ----------
    store : StoredAnswers, optional
        Where they are kept. Default: nowhere.
    """

    store: StoredAnswers | None = None
    _asked: int = field(default=0, init=False)

    def answer(self, make: Callable[[], xr.Dataset]) -> xr.Dataset:
        """The next answer: made, unless it is kept already."""
        number = self._asked
        self._asked += 1
        if self.store is None:
            return make()
        if number not in self.store.finished():
            self.store.save(number, make())
        return self.store.load(number)


def steps_in(store: Path | str | None, asked: str) -> Steps:
    """Steps of a study, kept in a folder if there is one.

    Parameters
    ----------
    store : Path or str, optional
        The folder: new, empty, or with some of these answers already.
    asked : str
        From `kredslob.studies.question.question`.

    Raises
    ------
    InputFileError
        The folder cannot be used, or holds the answers to another question.
    """
    if store is None:
        return Steps()
    claim(Path(store), asked)
    return Steps(StoredAnswers(Path(store), asked))
