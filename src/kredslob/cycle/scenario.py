"""Scenarios: a place (setting) and a policy laid over it, each a small TOML file.

Both have the same form: a title and a description in Danish and English, and the parameters that
differ from the parameter table. A policy may add parameters for one setting only.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kredslob.arguments import check_kind, hint
from kredslob.cycle.changes import Keys, label, lay_over
from kredslob.cycle.parameters import ParameterTable, read_parameters
from kredslob.cycle.quantity import shown
from kredslob.cycle.toml_file import TomlFile, read_toml
from kredslob.errors import InputFileError, ParameterError
from kredslob.paths import reinvestment_folder

DEFAULT_SETTING = "municipality"
_Folder = Literal["settings", "scenarios"]
_Kind = TypeVar("_Kind", bound="_Setting")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Text(_Part):
    da: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


class _OnSetting(_Part):
    parameters: dict[str, Any]


class _Setting(_Part):
    title: _Text
    description: _Text
    parameters: dict[str, Any] = {}


class _Policy(_Setting):
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
        What the policy is called and what it does, by language: "da" and "en". Without a policy,
        those of the setting.
    setting_title, setting_description : mapping of str to str
        What the setting is called and what it is, by language.
    parameters : mapping of str to value
        Every constant that the files name, complete and in the units of the parameter table: a
        float, a (nested) dict with every element, or for the reinvestment schedule a list of
        [time, rate].

    Examples
    --------
    >>> half = kredslob.load_scenario("half", "national")
    >>> half.name, half.setting
    ('half', 'national')
    >>> print(half.title["da"])
    Halvdelen geninvesteres
    >>> half.parameters["reinvestment rate"]
    0.5
    """

    name: str
    setting: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    setting_title: Mapping[str, str]
    setting_description: Mapping[str, str]
    parameters: Mapping[str, Any]

    def with_parameters(self, changes: Mapping[str, Any]) -> Scenario:
        """Lay more parameters over these, written and checked as in a file.

        Parameters
        ----------
        changes : mapping of str to value
            By name: a number in the table's unit, a text such as "18 months", or a nested dict
            that names the elements to change.

        Returns
        -------
        Scenario
            Of the same name and words; this one stays as it is.

        Raises
        ------
        ParameterError
            A name, element, unit or value cannot be used.

        Examples
        --------
        >>> half = kredslob.load_scenario("half")
        >>> later = half.with_parameters({"cashing delay": {"health": "2 years"}})
        >>> later.parameters["cashing delay"]["health"]
        2.0
        """

        def fault(keys: Keys, problem: str) -> ParameterError:
            return ParameterError(f"'{label(keys)}': {problem}")

        check_kind("changes", changes, Mapping, "a dict of names and values")
        merged = lay_over(self.parameters, changes, parameter_table(), fault)
        return replace(self, parameters=merged)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(what)}</td><td>{html.escape(value)}</td></tr>"
            for what, value in _listed(self.parameters)
        )
        place, title = html.escape(self.setting_title["en"]), html.escape(self.title["en"])
        heading = f"{place}: {title}" if self.name else place
        text = html.escape(self.description["en"])
        return f"<b>{heading}</b><p>{text}</p><table>{rows}</table>"


def load_scenario(
    policy: str | Path | None = None, setting: str | Path = DEFAULT_SETTING
) -> Scenario:
    """Read a setting and lay a policy over it.

    Parameters
    ----------
    policy : str or Path, optional
        Name of a policy that comes with the model (see `list_scenarios`), or a TOML file: a path,
        or a text that ends in ``.toml`` or has a path separator in it.
    setting : str or Path
        Name of a setting that comes with the model (see `list_settings`), or a TOML file.

    Returns
    -------
    Scenario
        The setting's parameters, over them the policy's, and over them what the policy says for
        this setting.

    Raises
    ------
    InputFileError
        A file is missing, is not TOML, or holds a key or value that cannot be used; the message
        names the file, the line and the key.
    ParameterError
        No setting or policy has that name.

    Examples
    --------
    >>> kredslob.load_scenario("half", "national").parameters["reinvestment rate"]
    0.5
    >>> kredslob.load_scenario().setting
    'municipality'
    """
    place_file = read_toml(_path(setting, "settings"))
    place = _checked(place_file, _Setting)
    name = place_file.path.stem
    values = _laid_over({}, place_file, ("parameters",), place.parameters)
    if policy is None:
        return Scenario("", name, *_words(place), *_words(place), values)
    file = read_toml(_path(policy, "scenarios"))
    content = _checked(file, _Policy)
    for other in content.on:
        known = dict.fromkeys((*list_settings(), name))
        if other not in known:
            problem = f"found '{other}', expected a setting: {', '.join(known)}{hint(other, known)}"
            raise file.fault(("on", other), problem, "on")
    values = _laid_over(values, file, ("parameters",), content.parameters)
    for other, part in content.on.items():
        # what is meant for other settings is checked too, so that a mistake shows at once
        keys = ("on", other, "parameters")
        special = _laid_over(values, file, keys, part.parameters)
        values = special if other == name else values
    return Scenario(file.path.stem, name, *_words(content), *_words(place), values)


def list_settings() -> dict[str, dict[str, str]]:
    """Titles of the settings that come with the model.

    Returns
    -------
    dict of str to dict
        By name: the title by language, "da" and "en".

    Examples
    --------
    >>> print(kredslob.list_settings()["national"]["en"])
    National fund of the size of Den Sociale Investeringsfond
    """
    return _titles("settings", _Setting)


def list_scenarios() -> dict[str, dict[str, str]]:
    """Titles of the policies that come with the model.

    Returns
    -------
    dict of str to dict
        By name: the title by language, "da" and "en".

    Examples
    --------
    >>> print(kredslob.list_scenarios()["half"]["da"])
    Halvdelen geninvesteres
    """
    return _titles("scenarios", _Policy)


@cache
def parameter_table() -> ParameterTable:
    """Parameter table of the reinvestment model."""
    return read_parameters(reinvestment_folder() / "parameters.csv")


@cache
def _titles(folder: _Folder, kind: type[_Setting]) -> dict[str, dict[str, str]]:
    paths = sorted((reinvestment_folder() / folder).glob("*.toml"))
    return {path.stem: _checked(read_toml(path), kind).title.model_dump() for path in paths}


def _listed(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each value with its name and elements, and with its unit."""
    table = parameter_table()
    for name, value in parameters.items():
        if name not in table.names():
            yield name, str(value)
            continue
        for row in table.of(name):
            number = value
            for element in row.elements:
                number = number[element]
            yield row.label, f"{number:,g} {row.unit}".removesuffix(" Dmnl")


def _path(name: str | Path, folder: _Folder) -> Path:
    what = folder.removesuffix("s")
    check_kind(what, name, (str, Path), "a name or a .toml file")
    text = str(name)
    if text.lower().endswith(".toml") or "/" in text or "\\" in text:
        return Path(name)
    known = list_settings() if folder == "settings" else list_scenarios()
    if text not in known:
        others = list_scenarios() if folder == "settings" else list_settings()
        if text in others:
            other = "scenario (a policy)" if folder == "settings" else "setting (a place)"
            raise ParameterError(f"'{text}' is a {other}, expected the name of a {what}")
        raise ParameterError(
            f"there is no {what} '{text}'; expected one of {', '.join(known)}, "
            f"or a file that ends in .toml{hint(text, known)}"
        )
    return reinvestment_folder() / folder / f"{text}.toml"


def _words(content: _Setting) -> tuple[dict[str, str], dict[str, str]]:
    return content.title.model_dump(), content.description.model_dump()


def _checked(file: TomlFile, kind: type[_Kind]) -> _Kind:
    try:
        return kind.model_validate(file.data)
    except ValidationError as problem:
        first = problem.errors()[0]
        raise _shape_fault(file, kind, first["type"], first["loc"], first["input"]) from None


def _shape_fault(
    file: TomlFile, kind: type[_Setting], problem: str, loc: Sequence[str | int], value: Any
) -> InputFileError:
    """Say what is wrong with a file's shape in our own words."""
    keys = tuple(str(part) for part in loc)
    if problem == "extra_forbidden":
        part: type[_Part] = kind
        if len(keys) > 1:
            part = _Text if keys[0] in ("title", "description") else _OnSetting
        known = tuple(part.model_fields)
        text = f"is not a key that is known here; expected one of {', '.join(known)}"
        return file.fault(keys, text + hint(keys[-1], known))
    if problem == "missing":
        return file.fault(keys, "is missing")
    if problem == "string_too_short":
        return file.fault(keys, "is empty")
    expected = "a text in quotes" if problem == "string_type" else "a table"
    return file.fault(keys, f"found {shown(value)}, expected {expected}")


def _laid_over(
    values: Mapping[str, Any], file: TomlFile, keys: Keys, changes: Mapping[str, Any]
) -> dict[str, Any]:
    def fault(below: Keys, problem: str) -> InputFileError:
        return file.fault((*keys, *below), problem, label(below))

    return lay_over(values, changes, parameter_table(), fault)
