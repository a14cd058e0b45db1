"""The help: grouped, with examples that can be typed, and names on Tab."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import Any

import pytest

from kredslob.cli import _command, main

GROUPS = ["Run", "Study", "Show", "Saved runs", "Check"]


def commands(group: Any = None, before: tuple[str, ...] = ()) -> dict[str, Any]:
    found = {}
    for name, command in (group or _command()).commands.items():
        found[" ".join((*before, name))] = command
        if hasattr(command, "commands"):
            found |= commands(command, (*before, name))
    return found


COMMANDS = commands()


def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "argv", ["kredslob", *words, "--help"])
    with pytest.raises(SystemExit):
        main()
    return capsys.readouterr().out


def examples(name: str) -> list[str]:
    lines = (COMMANDS[name].epilog or "").replace("\\[", "[").splitlines()
    return [line.strip() for line in lines if line.startswith("  ")]


def test_commands_stand_in_groups(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = shown(monkeypatch, capsys)
    places = [said.index(f"─ {group} ─") for group in GROUPS]
    assert places == sorted(places)
    assert "─ Commands ─" not in said
    assert said.count("completion") == 1  # in an example, not among the options


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_shows_examples_that_can_be_typed(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = shown(monkeypatch, capsys, *name.split())
    assert examples(name)
    for line in examples(name):
        assert line in said  # brackets and all, on one line
        words = shlex.split(line)
        assert " ".join(words).startswith(f"kredslob {name.split()[0]}")
        _command().commands[words[1]].make_context(words[1], words[2:])  # refuses what it is not


def test_brackets_in_the_help_of_an_option_are_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "start[own savings]=20 million DKK" in " ".join(
        shown(monkeypatch, capsys, "run").replace("│", " ").split()
    )


def completed(line: str) -> list[str]:
    """What bash is given for a line with the cursor at its end."""
    words = line.split(" ")
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    return ran(_KREDSLOB_COMPLETE="complete_bash", **asked).splitlines()


def ran(**environment: str) -> str:
    command = [sys.executable, "-c", "from kredslob.cli import main; main()"]
    env = {**os.environ, **environment}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("kredslob th", ["threshold"]),
        ("kredslob run --setting nat", ["national"]),
        ("kredslob run --scenario until", ["until-repaid"]),
        ("kredslob run --lang d", ["da"]),
    ],
)
def test_tab_completes_commands_and_names(line: str, expected: list[str]) -> None:
    assert completed(line) == expected


def test_the_script_for_the_shell_is_printed() -> None:
    assert "complete -o default -F" in ran(_KREDSLOB_COMPLETE="source_bash")
