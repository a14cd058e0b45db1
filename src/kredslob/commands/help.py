"""How the commands present themselves: in groups, with examples, and on Tab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

RUN, STUDY, SHOW, RUNS, CHECK = "Run", "Study", "Show", "Saved runs", "Check"


def shown(panel: str, *examples: str) -> dict[str, Any]:
    """Where a command stands in the help, and what is shown at the end of its own.

    Parameters
    ----------
    panel : str
        Group of commands.
    *examples : str
        Whole lines, as one would type them.

    Returns
    -------
    dict
        Arguments for ``Typer.command``.
    """
    return {"rich_help_panel": panel, "epilog": epilog(*examples)}


def epilog(*examples: str) -> str:
    """Examples as the end of a help text; brackets in them are no markup."""
    lines = [f"  {line}".replace("[", r"\[") for line in examples]
    return "\n".join(["", "Examples:" if len(lines) > 1 else "Example:", *lines])


def complete_setting(incomplete: str) -> Iterator[tuple[str, str]]:
    """Settings that begin so, with their titles."""
    from kredslob.cycle.scenario import list_settings

    yield from _beginning(list_settings(), incomplete)


def complete_scenario(incomplete: str) -> Iterator[tuple[str, str]]:
    """Policies that begin so, with their titles."""
    from kredslob.cycle.scenario import list_scenarios

    yield from _beginning(list_scenarios(), incomplete)


def _beginning(titles: dict[str, dict[str, str]], incomplete: str) -> Iterator[tuple[str, str]]:
    return ((name, title["en"]) for name, title in titles.items() if name.startswith(incomplete))
