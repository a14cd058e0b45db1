"""The public face as a whole: the same thing has the same name, place and default everywhere."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import kredslob
from kredslob.errors import InputFileError, KredslobError, ParameterError

KEYWORD, OPEN = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
# What a shared option is when it is not given.
DEFAULTS: dict[str, Any] = {
    "scenario": None,
    "years": None,
    "time_step": None,
    "saveper": None,
    "time": None,
    "at": None,
    "save": None,
    "integration": None,
    "seed": 0,
    "threads": None,
    "client": None,
    "store": None,
    "progress": None,
    "elements": False,
    "setting": "municipality",
}
# Options that may come by position: what a call is about, where it need not be said.
ABOUT = {"scenario", "levers", "path", "policy", "setting", "language", "scenarios", "outcome"}
ABOUT |= {"structures"}  # of `cycle_factors`
# The order of what several functions take.
ORDER = (
    ("years", "time_step", "saveper", "at", "save", "integration"),
    ("client", "store", "progress"),
)
# Words for the same thing that are not used.
OTHERWISE = {
    "run": "runs",
    "n": "draws",
    "rng": "seed",
    "random_state": "seed",
    "horizon": "years",
    "lang": "language",
    "filename": "path",
    "callback": "progress",
    "n_jobs": "threads",
    "dt": "time_step",
}


def signatures() -> dict[str, inspect.Signature]:
    found = {}
    for name in kredslob.__all__:
        thing = getattr(kredslob, name)
        if inspect.isclass(thing) and issubclass(thing, Exception):
            continue
        found[name] = inspect.signature(thing)
        for part in ("run", "run_many", "scores", "with_parameters"):
            if inspect.isclass(thing) and part in vars(thing):
                found[f"{name}.{part}"] = inspect.signature(getattr(thing, part))
    return found


SIGNATURES = signatures()
FUNCTIONS = [n for n in SIGNATURES if not inspect.isclass(getattr(kredslob, n, None))]


def names(function: str) -> list[str]:
    return [name for name in SIGNATURES[function].parameters if name != "self"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_model_comes_first_and_the_scenario_after_what_must_be_given(function: str) -> None:
    taken = names(function)
    assert "model" not in taken[1:]
    parameters = SIGNATURES[function].parameters
    if "scenario" in taken and parameters["scenario"].kind is OPEN:
        before = taken[: taken.index("scenario")]
        assert all(parameters[name].default is inspect.Parameter.empty for name in before)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_need_not_be_given_is_given_by_name(function: str) -> None:
    for name, parameter in SIGNATURES[function].parameters.items():
        if parameter.default is not inspect.Parameter.empty and name not in ABOUT:
            assert parameter.kind is KEYWORD, name


@pytest.mark.parametrize("function", FUNCTIONS)
def test_shared_options_have_one_name_and_one_default(function: str) -> None:
    for name, parameter in SIGNATURES[function].parameters.items():
        assert name not in OTHERWISE, f"{name} is called {OTHERWISE.get(name)} here"
        optional = parameter.default is not inspect.Parameter.empty
        if optional and name in DEFAULTS:
            assert parameter.default == DEFAULTS[name], name


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("order", ORDER, ids=" ".join)
def test_shared_options_come_in_one_order(function: str, order: tuple[str, ...]) -> None:
    own = [name for name in names(function) if name in order]
    assert own == [name for name in order if name in own]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_argument_and_result_is_typed(function: str) -> None:
    signature = SIGNATURES[function]
    assert signature.return_annotation is not inspect.Signature.empty
    for name in names(function):
        assert signature.parameters[name].annotation is not inspect.Parameter.empty, name


def test_all_errors_are_of_one_kind_and_names_are_in_order() -> None:
    assert issubclass(InputFileError, KredslobError)
    assert issubclass(ParameterError, KredslobError)
    assert kredslob.__all__ == sorted(kredslob.__all__)
