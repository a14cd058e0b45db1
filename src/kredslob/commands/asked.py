"""What a command was asked: of which scenario, where its results go, and how to ask it again."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kredslob.commands.options import Language, check_folder, new_folder
from kredslob.commands.typed import RATE, change, changed

if TYPE_CHECKING:
    import xarray as xr

    from kredslob.cycle.scenario import Scenario
    from kredslob.simulation import Model

_KEPT = {
    "da": "afbrudt; det, der er færdigt, ligger i {store}; gå videre med: {command}",
    "en": "stopped; what is finished is in {store}; go on with: {command}",
}
_SAVED = {"da": "Resultaterne ligger i", "en": "The results are in"}


class StoppedError(Exception):
    """The work was stopped from the keyboard, and something of it is kept."""


@dataclass(frozen=True)
class Asked:
    """What a command was asked.

    Parameters
    ----------
    command : str
        The command, as a line that asks the same again.
    folder : Path
        Where its results go; free when this was made.
    lang : Language
        Of what is shown.
    """

    command: str
    folder: Path
    lang: Language

    @classmethod
    def of(
        cls,
        command: str,
        options: Mapping[str, Any],
        lang: Language,
        out: Path | None,
        otherwise: str,
    ) -> Asked:
        """Take a folder for the results, before minutes are spent on them.

        Parameters
        ----------
        command : str
            What stands before the options, as it is typed.
        options : mapping of str to Any
            What was given, by option; a list where it may be given more than once.
        lang : Language
            Of what is shown.
        out : Path, optional
            The folder that was asked for.
        otherwise : str
            Name of a new one, to which the time is added.

        Raises
        ------
        InputFileError
            The folder is in use, or cannot be made.
        """
        folder = out or new_folder(otherwise)
        check_folder(folder)
        given = {**options, "--lang": lang.value}
        return cls(f"{command} {shlex.join(_words(given))}", folder, lang)

    @contextmanager
    def kept(self) -> Iterator[Path]:
        """A store beside the folder, for what is finished before all is.

        It is removed when the block is done. If the block is stopped, the message says how to
        go on.

        Raises
        ------
        StoppedError
            The block was stopped from the keyboard, and something is in the store.
        """
        store = self.folder.with_name(f"{self.folder.name}.unfinished")
        try:
            yield store
        except KeyboardInterrupt:
            if not store.exists():
                raise
            again = f"{self.command} --out {shlex.quote(str(self.folder))}"
            kept = _KEPT[self.lang.value].format(store=store, command=again)
            raise StoppedError(kept) from None
        shutil.rmtree(store, ignore_errors=True)

    def tell(self, tables: Iterable[Any] = ()) -> None:
        """Print tables, and where the results are."""
        from rich.console import Console

        for table in tables:
            Console().print(table)
        tell_saved(self.folder, self.lang)


def _words(options: Mapping[str, Any]) -> Iterator[str]:
    for option, given in options.items():
        for value in given if isinstance(given, list) else [given]:
            if value is not None:
                yield from (option, str(value))


def tell_saved(folder: Path, lang: Language) -> None:
    """Print where results were saved."""
    print(f"{_SAVED[lang.value]} {folder}")


def chosen_scenario(scenario: str | None, setting: str, changes: Sequence[str] | None) -> Scenario:
    """The scenario of a command: place, policy, and what ``--set`` changes in them.

    Raises
    ------
    ParameterError, InputFileError
        A name, a file or a change makes no sense.
    """
    from kredslob.cycle.scenario import load_scenario

    return changed(load_scenario(scenario, setting), [change(text) for text in changes or ()])


def named(chosen: Scenario, otherwise: str) -> str:
    """Name of a folder for what is found about a scenario."""
    return f"{chosen.setting}-{chosen.name or otherwise}"


def simulated(
    model: Model, chosen: Scenario, rates: Sequence[float], years: float | None
) -> xr.Dataset:
    """Run a scenario at each of these rates, or at its own where none is given."""
    import kredslob
    from kredslob.cycle.summary import with_rate
    from kredslob.show.progress import progress_bar

    with progress_bar() as progress:
        if rates:
            levers = {RATE: rates}
            return kredslob.sweep(model, chosen, levers, years=years, progress=progress)
        return with_rate(model.run(chosen, years=years))
