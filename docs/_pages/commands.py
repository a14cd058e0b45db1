"""The reference of the command line, from the command line itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import EnumType
from typing import Any, get_args

from typer import Typer
from typer.models import ArgumentInfo, OptionInfo

from kredslob.cli import app


def commands_page() -> str:
    """Write the page of commands, in Markdown: each with its arguments, options and defaults."""
    parts = [
        "# Commands",
        "What `kredslob COMMAND --help` says, for every command. Bad input ends a command with one "
        "line and exit code 2. `--lang da` shows everything in Danish.",
    ]
    for name, function, more in sorted(commands(app), key=lambda found: found[0]):
        parts += _command(f"kredslob {name}", function, more)
    return "\n\n".join(parts) + "\n"


def commands(of: Typer, before: str = "") -> Iterator[tuple[str, Callable[..., Any], str]]:
    """Find the commands of an application, those of its groups included.

    Yields
    ------
    tuple of str, function and str
        Name as it is typed, what is called, and what its help ends with.
    """
    for command in of.registered_commands:
        if command.callback is not None:
            name = command.name or command.callback.__name__.replace("_", "-")
            yield before + name, command.callback, command.epilog or ""
    for group in of.registered_groups:
        inner = group.typer_instance
        if inner is None:
            continue
        if inner.registered_callback and inner.registered_callback.callback:
            yield before + str(group.name), inner.registered_callback.callback, ""
        yield from commands(inner, f"{before}{group.name} ")


def _command(name: str, function: Callable[..., Any], more: str) -> list[str]:
    found = list(inspect.signature(function, eval_str=True).parameters.values())
    own = [(p, _info(p)) for p in found]
    shown = [(p, info) for p, info in own if info is not None]
    words = [_usage(p) for p, info in shown if isinstance(info, ArgumentInfo)]
    options = ["[OPTIONS]"] if any(isinstance(info, OptionInfo) for _, info in shown) else []
    parts = [f"## {name}", *_help(inspect.getdoc(function) or "")]
    parts.append(f"```sh\n{' '.join([name, *words, *options])}\n```")
    if shown:
        rows = [_row(p, info) for p, info in shown]
        parts.append("\n".join(["| | what it is | default |", "|---|---|---|", *rows]))
    return [*parts, *_examples(more)]


def _info(parameter: inspect.Parameter) -> Any:
    """What typer was told of a parameter; none if it passes something else."""
    given = (*get_args(parameter.annotation), parameter.default)
    return next((g for g in given if isinstance(g, (ArgumentInfo, OptionInfo))), None)


def _help(text: str) -> list[str]:
    """Paragraphs of a help text; one that typer must not wrap is shown as it is written."""
    parts = []
    for paragraph in filter(None, (p.strip("\n") for p in text.split("\n\n"))):
        if paragraph.startswith("\b"):
            parts.append("```sh\n" + inspect.cleandoc(paragraph.strip("\b\n")) + "\n```")
        else:
            parts.append(" ".join(paragraph.split()))
    return parts


def _examples(text: str) -> list[str]:
    """What a help text ends with, a line an example, as lines that can be copied."""
    head, _, lines = text.strip().partition("\n")
    shown = inspect.cleandoc(lines).replace(r"\[", "[")
    return [head, f"```sh\n{shown}\n```"] if head else []


def _usage(parameter: inspect.Parameter) -> str:
    name = _shown(parameter)
    return name if parameter.default is inspect.Parameter.empty else f"[{name}]"


def _shown(parameter: inspect.Parameter) -> str:
    return parameter.name.rstrip("_").upper()


def _row(parameter: inspect.Parameter, info: Any) -> str:
    if isinstance(info, ArgumentInfo):
        name = f"`{_shown(parameter)}`"
    else:
        # within Annotated the first name is where typer otherwise has the default
        given = [n for n in (info.default, *(info.param_decls or ())) if isinstance(n, str)]
        stated = given or [f"--{parameter.name.rstrip('_').replace('_', '-')}"]
        name = ", ".join(f"`{text}`" for text in stated)
    text = " ".join((info.help or "").replace(r"\[", "[").split())
    kind = next(iter(get_args(parameter.annotation)), None)
    if isinstance(kind, EnumType):
        text += " One of " + ", ".join(f"`{choice.value}`" for choice in kind) + "."
    return f"| {name} | {_escaped(text)} | {_default(parameter, info)} |"


def _default(parameter: inspect.Parameter, info: Any) -> str:
    value = parameter.default
    if info.default_factory is not None or value in (None, False):
        return ""
    if value is inspect.Parameter.empty:
        return "must be given"
    return f"`{getattr(value, 'value', value)}`"


def _escaped(text: str) -> str:
    return text.replace("|", r"\|").replace("[", r"\[").replace("<", r"\<")
