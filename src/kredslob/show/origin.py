"""What a run started from, as files: scenario, design and log."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from kredslob.cycle.scenario import Scenario
from kredslob.show.csv_file import write_csv

SCENARIO, DESIGN, LOG = "scenario.toml", "design.csv", "log.txt"
RATE, RULE = "reinvestment rate", "reinvestment rule"


class RunLog:
    """What happened when, from the moment the numbers were there.

    Parameters
    ----------
    runs : Dataset
        The run; it says when it was computed, by which engine, and from which model.
    """

    def __init__(self, runs: xr.Dataset) -> None:
        attrs = runs.attrs
        shape = ", ".join(f"{size} {name}" for name, size in runs.sizes.items())
        self._lines = [
            f"{attrs['created']} computed by {attrs['engine']} ({attrs['integration']}): "
            f"{attrs['model']}, sha256 {attrs['model_hash']}",
            f"{attrs['created']} {len(runs.data_vars)} variables over {shape}",
        ]
        self.note("saving begun")

    def note(self, what: str) -> None:
        """Add a line with the time."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.append(f"{now} {_one_line(what)}")

    def write(self, path: Path, command: str) -> None:
        """Write the log, headed by the command and the machine."""
        head = [
            f"command: {_one_line(command)}",
            f"machine: {platform.system()} {platform.machine()}, {os.cpu_count()} processors, "
            f"Python {platform.python_version()}",
        ]
        path.write_text("\n".join([*head, *self._lines]) + "\n", encoding="utf-8")


def levers(runs: xr.Dataset, scenario: Scenario | None) -> dict[str, list[float]]:
    """Constants that a sweep varied, with their values; none where a run went at its own rate.

    Parameters
    ----------
    runs : Dataset
        Runs over the reinvestment rate, or one run of any model.
    scenario : Scenario or None
        What was run; its rule may move the rate, which then is no lever.
    """
    ruled = scenario is not None and scenario.parameters.get(RULE, 0) != 0
    # a sweep keeps what is constant without the rate; one run has been given it throughout
    one_run = any(v.attrs.get("kind") == "constant" and RATE in v.dims for v in runs.values())
    if RATE not in runs.dims or ruled or one_run:
        return {}
    return {RATE: [float(v) for v in runs[RATE].values]}


def design_frame(varied: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """Lay a grid of levers out as a design, a row a run."""
    return pd.DataFrame(list(product(*varied.values())), columns=list(varied))


def write_origin(
    folder: Path, log: RunLog, scenario: Scenario | None, command: str, design: pd.DataFrame
) -> None:
    """Write what results started from: the scenario if there is one, the design and the log.

    Parameters
    ----------
    folder : Path
        Where they go.
    log : RunLog
        What has happened.
    scenario : Scenario or None
        What was run, for the reinvestment model.
    command : str
        The command that makes the results again.
    design : DataFrame
        What differs between the runs, a row each.
    """
    if scenario is not None:
        write_scenario(folder / SCENARIO, scenario, command)
    write_csv(design, folder / DESIGN, index_label="run")
    log.write(folder / LOG, command)


def write_scenario(path: Path, scenario: Scenario, command: str) -> None:
    """Write a scenario, complete, as a file that ``kredslob run --setting`` takes.

    Parameters
    ----------
    path : Path
        The file.
    scenario : Scenario
        Its parameters, those of the setting included, come in the units of the parameter table.
    command : str
        The command that it was made for, as a comment.
    """
    lines = [f"# Everything that this run changed. Made by: {_one_line(command)}"]
    for part in ("title", "description"):
        texts: Mapping[str, str] = getattr(scenario, part)
        lines += ["", f"[{part}]", *(f"{lang} = {_text(texts[lang])}" for lang in ("da", "en"))]
    lines += ["", "[parameters]", *_pairs(scenario.parameters)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _pairs(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        yield f"{_text(name)} = {_value(value)}"


def _value(value: Any) -> str:
    """Write a value as TOML in one line; numbers in as many digits as tell them apart."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_pairs(value)) + " }" if value else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return _text(value) if isinstance(value, str) else repr(float(value))


def _text(text: str) -> str:
    """A text in quotes: JSON's form is TOML's too, but for the character DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
