"""What a study asks, as a hash: the same for the same question, on any day and any machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import partial
from importlib.metadata import version
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MethodType,
    ModuleType,
    NoneType,
)
from typing import Any

import numpy as np
import xarray as xr

from kredslob.simulation import HasParameters, Model


def question(model: Model, *asked: Any) -> str:
    """Hash of what results depend on, but for the processor.

    Parameters
    ----------
    model : Model
        Any model.
    asked : objects
        Numbers, texts, arrays, Datasets, scenarios, functions, and sequences, mappings and
        objects of them. Of a function its instructions count and what it holds on to, so that one
        that is written again asks the same, and one that was changed another question. What it
        calls by name in its module does not: that belongs to the version of the package.

    Returns
    -------
    str
    """
    whole = hashlib.sha256()
    for part in _parts((version("kredslob"), model.program.sha256, asked)):
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()


Inside = Callable[[Any], Iterator[bytes]]
"""Gives the parts of what a value is made of."""


def _parts(value: Any, above: frozenset[int] = frozenset()) -> Iterator[bytes]:
    """A value as bytes, with its kind first, so that no two values look alike."""
    yield type(value).__name__.encode()
    if id(value) in above:  # a function that calls itself, or an object that knows itself
        return
    inside = partial(_parts, above=above | {id(value)})
    parts = next(parts for kinds, parts in _BY_KIND if isinstance(value, kinds))
    yield from parts(value, inside)


def _plain(value: Any, inside: Inside) -> Iterator[bytes]:
    yield repr(value).encode()


def _array(value: np.ndarray, inside: Inside) -> Iterator[bytes]:
    yield repr((value.shape, value.dtype.str)).encode()
    plain = value.dtype.kind != "O"
    yield np.ascontiguousarray(value).tobytes() if plain else repr(value.tolist()).encode()


def _labelled(value: xr.Dataset | xr.DataArray, inside: Inside) -> Iterator[bytes]:
    named = value.data_vars.items() if isinstance(value, xr.Dataset) else [("", value)]
    for name, array in sorted(named, key=lambda item: str(item[0])):
        yield from inside((str(name), array.dims, array.values))


def _scenario(value: HasParameters, inside: Inside) -> Iterator[bytes]:
    return inside(dict(value.parameters))


def _mapping(value: Mapping[Any, Any], inside: Inside) -> Iterator[bytes]:
    yield str(len(value)).encode()
    for key in sorted(value, key=repr):
        yield from inside((key, value[key]))


def _set(value: Set[Any], inside: Inside) -> Iterator[bytes]:
    yield repr(sorted(value, key=repr)).encode()


def _sequence(value: Sequence[Any], inside: Inside) -> Iterator[bytes]:
    yield str(len(value)).encode()
    for part in value:
        yield from inside(part)


def _function(value: FunctionType, inside: Inside) -> Iterator[bytes]:
    yield value.__qualname__.encode()
    held = [cell.cell_contents for cell in value.__closure__ or ()]
    yield from inside((value.__code__, value.__defaults__, value.__kwdefaults__, held))


def _code(value: CodeType, inside: Inside) -> Iterator[bytes]:
    return inside((value.co_code, value.co_names, value.co_consts))


def _method(value: MethodType, inside: Inside) -> Iterator[bytes]:
    return inside((value.__func__, value.__self__))


def _partial(value: partial[Any], inside: Inside) -> Iterator[bytes]:
    return inside((value.func, value.args, value.keywords))


def _by_name(value: Any, inside: Inside) -> Iterator[bytes]:
    yield repr(value.__name__).encode()


def _object(value: Any, inside: Inside) -> Iterator[bytes]:
    if hasattr(value, "__dict__"):
        return inside((type(value).__qualname__, vars(value)))
    return _plain(value, inside)


# the first kind that fits: a text is a sequence too, and everything is an object
_BY_KIND: Sequence[tuple[Any, Callable[[Any, Inside], Iterator[bytes]]]] = (
    ((NoneType, bool, int, float, str, bytes, np.generic), _plain),
    (np.ndarray, _array),
    ((xr.Dataset, xr.DataArray), _labelled),
    (HasParameters, _scenario),
    (Mapping, _mapping),
    (Set, _set),
    (Sequence, _sequence),
    (FunctionType, _function),
    (CodeType, _code),
    (MethodType, _method),
    (partial, _partial),
    ((ModuleType, type, BuiltinFunctionType), _by_name),
    (object, _object),
)
