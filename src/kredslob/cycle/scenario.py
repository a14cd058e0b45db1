"""Scenario files: a place (setting) and a policy laid over it, each a small TOML file.

Both have the same form: a title and a description in Danish and English, and parameters of the
model that differ from the parameter table. A policy may add parameters for one setting only.
"""

from __future__ import annotations

import difflib
import html
import math
import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kredslob.cycle.parameters import Parameter, ParameterTable, read_parameters
from kredslob.cycle.quantity import UnitError, in_unit
from kredslob.errors import InputFileError, KredslobError, ParameterError
from kredslob.paths import reinvestment_folder

DEFAULT_SETTING = "municipality"
SCHEDULE = "reinvestment schedule"
_WHOLE = ("reinvestment rule", "accounting rule", "wrong pocket agreement")


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid")
    da: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


class _OnSetting(BaseModel):
    model_config = ConfigDict(extra="forbid")
    parameters: dict[str, Any]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: _Text
    description: _Text
    parameters: dict[str, Any] = {}
    on: dict[str, _OnSetting] = {}


@dataclass(frozen=True)
class Scenario:
    """A policy in a place, ready to run.

    Parameters
    ----------
    name : str
        Name of the policy; empty for the setting as it is.
    setting : str
        Name of the setting.
    title, description : mapping of str to str
        By language, "da" and "en".
    parameters : mapping of str to value
        Every constant that the two files name, whole: a number, or a (nested) dict by element;
        for the schedule a list of [year, rate] pairs. In the model's units.
    """

    name: str
    setting: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    parameters: Mapping[str, Any]

    def with_parameters(self, changes: Mapping[str, Any]) -> Scenario:
        """Lay more parameters over these, checked as those of a file are.

        Raises
        ------
        ParameterError
            A name, an element, a unit or a value cannot be used.
        """
        merged = dict(self.parameters)
        for name, value in changes.items():
            try:
                merged[name] = _value(name, value, merged.get(name))
            except _BadValueError as problem:
                raise ParameterError(f"'{problem.key}': {problem}") from None
        _check_together(merged, lambda text: ParameterError(text))
        return replace(self, parameters=merged)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(k)}</td><td>{html.escape(str(v))}</td></tr>"
            for k, v in self.parameters.items()
        )
        title = html.escape(self.title["en"])
        return f"<b>{title}</b><p>{html.escape(self.description['en'])}</p><table>{rows}</table>"


class _BadValueError(ValueError):
    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


def load_scenario(
    policy: str | Path | None = None, setting: str | Path = DEFAULT_SETTING
) -> Scenario:
    """Read a setting and lay a policy over it.

    Parameters
    ----------
    policy : str or Path, optional
        Name of a policy that comes with the model (see `list_scenarios`), or a TOML file.
    setting : str or Path
        Name of a setting that comes with the model (see `list_settings`), or a TOML file.

    Returns
    -------
    Scenario

    Raises
    ------
    InputFileError
        A file is missing, is not TOML, or holds a key or value that cannot be used; the message
        names the file, the line and the key.
    """
    place = _path(setting, "settings")
    place_file = _read(place)
    values = _merged({}, place, place_file.parameters)
    if place_file.on:
        raise InputFileError(place, "a setting has no part for other settings", key="on")
    title, description, name = place_file.title, place_file.description, ""
    if policy is not None:
        path = _path(policy, "scenarios")
        file = _read(path)
        for other in file.on:
            if other not in list_settings():
                known = ", ".join(list_settings())
                problem = f"there is no such setting; expected one of {known}"
                raise InputFileError(path, problem, line=_line(path, other), key=f"on.{other}")
        values = _merged(values, path, file.parameters)
        if place.stem in file.on:
            values = _merged(values, path, file.on[place.stem].parameters)
        title, description, name = file.title, file.description, path.stem
    return Scenario(name, place.stem, title.model_dump(), description.model_dump(), values)


def list_settings() -> tuple[str, ...]:
    """Names of the settings that come with the model."""
    return tuple(sorted(p.stem for p in (reinvestment_folder() / "settings").glob("*.toml")))


def list_scenarios() -> tuple[str, ...]:
    """Names of the policies that come with the model."""
    return tuple(sorted(p.stem for p in (reinvestment_folder() / "scenarios").glob("*.toml")))


@cache
def parameter_table() -> ParameterTable:
    """Parameter table of the reinvestment model."""
    return read_parameters(reinvestment_folder() / "parameters.csv")


def _path(name: str | Path, folder: str) -> Path:
    text = str(name)
    if isinstance(name, Path) or text.endswith(".toml") or "/" in text or "\\" in text:
        return Path(name)
    path = reinvestment_folder() / folder / f"{text}.toml"
    if not path.is_file():
        known = list_settings() if folder == "settings" else list_scenarios()
        what = folder.removesuffix("s")
        raise KredslobError(f"there is no {what} '{text}'; expected one of {', '.join(known)}")
    return path


def _read(path: Path) -> _File:
    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8"))
    except IsADirectoryError:
        raise InputFileError(path, "is a folder, expected a TOML file") from None
    except OSError as problem:
        raise InputFileError(path, f"cannot be read ({problem.strerror})") from None
    except UnicodeDecodeError:
        raise InputFileError(path, "is not a UTF-8 text file") from None
    except tomllib.TOMLDecodeError as problem:
        line = re.search(r"line (\d+)", str(problem))
        text = re.sub(r" \(at .*\)$", "", str(problem))
        raise InputFileError(
            path, f"is not TOML: {text}", line=int(line[1]) if line else None
        ) from None
    try:
        return _File.model_validate(content)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        text = {
            "extra_forbidden": "is not a key of a scenario file; "
            f"expected one of {', '.join(_File.model_fields)}",
            "missing": "is missing",
        }.get(first["type"], str(first["msg"]).lower())
        raise InputFileError(path, text, line=_line(path, str(first["loc"][-1])), key=key) from None


def _merged(base: Mapping[str, Any], path: Path, changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in changes.items():
        try:
            merged[name] = _value(name, value, merged.get(name))
        except _BadValueError as problem:
            line = _line(path, problem.key) or _line(path, name)
            raise InputFileError(path, str(problem), line=line, key=problem.key) from None
    _check_together(merged, lambda text: InputFileError(path, text))
    return merged


def _line(path: Path, key: str) -> int | None:
    """Line on which a key stands; TOML's reader does not keep it."""
    pattern = re.compile(rf"""(^|[\s{{,.\[])["']?{re.escape(key)}["']?\s*(=|\])""")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((number for number, line in enumerate(lines, 1) if pattern.search(line)), None)


def _value(name: str, value: Any, before: Any) -> Any:
    """Check one parameter and fill it up to a whole: from before, else from the table."""
    if name == SCHEDULE:
        return _schedule(value)
    table = parameter_table()
    if name not in table.names():
        near = difflib.get_close_matches(name, [*table.names(), SCHEDULE], 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise _BadValueError(name, f"is not a parameter of the model{hint}")
    rows = table.of(name)
    if rows[0].kind == "structure" and all(row.kind == "structure" for row in rows):
        raise _BadValueError(name, "is part of the model's structure and cannot be changed")
    whole = deepcopy(before) if before is not None else _from_table(rows)
    if isinstance(value, Mapping):
        if not rows[0].elements:
            raise _BadValueError(name, "found a table, expected one value")
        _fill(name, whole, value, rows, ())
        return whole
    if isinstance(value, list):
        expected = "a value, or a table of values by element" if rows[0].elements else "one value"
        raise _BadValueError(name, f"found a list, expected {expected}")
    checked = {row.elements: _number(name, value, row) for row in rows}
    return checked[()] if () in checked else _nested(checked)


def _from_table(rows: tuple[Parameter, ...]) -> Any:
    if not rows[0].elements:
        return rows[0].value
    return _nested({row.elements: row.value for row in rows})


def _nested(values: Mapping[tuple[str, ...], float]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for elements, value in values.items():
        level = out
        for element in elements[:-1]:
            level = level.setdefault(element, {})
        level[elements[-1]] = value
    return out


def _fill(
    name: str,
    whole: dict[str, Any],
    change: Mapping[str, Any],
    rows: tuple[Parameter, ...],
    above: tuple[str, ...],
) -> None:
    for element, value in change.items():
        here = (*above, element)
        below = tuple(row for row in rows if row.elements[: len(here)] == here)
        if not below:
            known = dict.fromkeys(r.elements[len(above)] for r in rows)
            raise _BadValueError(
                element, f"is not an element of '{name}'; expected one of {', '.join(known)}"
            )
        if below[0].elements == here:
            whole[element] = _number(element, value, below[0])
        elif isinstance(value, Mapping):
            _fill(name, whole[element], value, below, here)
        else:
            for row in below:
                part = whole[element]
                for middle in row.elements[len(here) : -1]:
                    part = part[middle]
                part[row.elements[-1]] = _number(element, value, row)


def _number(key: str, value: Any, row: Parameter) -> float:
    bounds = _bounds(row)
    if isinstance(value, str):
        try:
            number = in_unit(value, row.unit)
        except UnitError as problem:
            raise _BadValueError(key, str(problem)) from None
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _BadValueError(key, f"found {value!r}, expected a number {bounds}")
    else:
        number = float(value)
    if not math.isfinite(number) or not row.minimum <= number <= row.maximum:
        raise _BadValueError(
            key, f"found {value if isinstance(value, str) else number:}, expected a number {bounds}"
        )
    if (row.kind == "switch" or row.name in _WHOLE) and number != round(number):
        raise _BadValueError(key, f"found {number:g}, expected a whole number {bounds}")
    return number


def _bounds(row: Parameter) -> str:
    if math.isinf(row.maximum):
        return f"of at least {row.minimum:g}" if math.isfinite(row.minimum) else "that is finite"
    return f"from {row.minimum:g} to {row.maximum:g}"


def _schedule(value: Any) -> list[list[float]]:
    wanted = "expected pairs of year and rate, such as [[0, 1.0], [10, 0.5]]"
    if not isinstance(value, list) or not value:
        raise _BadValueError(SCHEDULE, f"found {value!r}, {wanted}")
    pairs: list[list[float]] = []
    for pair in value:
        numbers = pair if isinstance(pair, list) else []
        if len(numbers) != 2 or any(
            isinstance(n, bool) or not isinstance(n, (int, float)) or not math.isfinite(n)
            for n in numbers
        ):
            raise _BadValueError(SCHEDULE, f"found {pair!r}, {wanted}")
        if not 0 <= numbers[1] <= 1:
            raise _BadValueError(SCHEDULE, f"found {numbers[1]:g}, expected a rate from 0 to 1")
        if pairs and numbers[0] <= pairs[-1][0]:
            raise _BadValueError(SCHEDULE, f"found year {numbers[0]:g} late, expected rising years")
        pairs.append([float(n) for n in numbers])
    return pairs


def _check_together(values: Mapping[str, Any], error: Any) -> None:
    """Check what no single value shows."""

    def of(name: str) -> Any:
        return values.get(name, _from_table(parameter_table().of(name)))

    if of("overhead share") + of("evaluation share") >= 1:
        raise error("'overhead share' and 'evaluation share' leave nothing for courses")
    payers = sum(of("outcome payer").values())
    if not math.isclose(payers, 1, abs_tol=1e-9):
        raise error(f"'outcome payer': the shares add up to {payers:g}, expected 1")
