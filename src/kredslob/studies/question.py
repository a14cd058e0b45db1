"""What a study asks, as a hash: the same for the same question, on any day and any machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from importlib.metadata import version
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
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


def _parts(value: Any, above: frozenset[int] = frozenset()) -> Iterator[bytes]:
    """A value as bytes, with its kind first, so that no two values look alike."""
    yield type(value).__name__.encode()
    if id(value) in above:  # a function that calls itself, or an object that knows itself
        return
    inside = partial(_parts, above=above | {id(value)})
    match value:
        case None | bool() | int() | float() | str() | bytes() | np.generic():
            yield repr(value).encode()
        case np.ndarray():
            yield repr((value.shape, value.dtype.str)).encode()
            plain = value.dtype.kind != "O"
            yield np.ascontiguousarray(value).tobytes() if plain else repr(value.tolist()).encode()
        case xr.Dataset() | xr.DataArray():
            named = value.data_vars.items() if isinstance(value, xr.Dataset) else [("", value)]
            for name, array in sorted(named, key=lambda item: str(item[0])):
                yield from inside((str(name), array.dims, array.values))
        case HasParameters():
            yield from inside(dict(value.parameters))
        case Mapping():
            yield str(len(value)).encode()
            for key in sorted(value, key=repr):
                yield from inside((key, value[key]))
        case Set():
            yield repr(sorted(value, key=repr)).encode()
        case Sequence():
            yield str(len(value)).encode()
            for part in value:
                yield from inside(part)
        case FunctionType():
            yield value.__qualname__.encode()
            held = [cell.cell_contents for cell in value.__closure__ or ()]
            yield from inside((value.__code__, value.__defaults__, value.__kwdefaults__, held))
        case CodeType():
            yield from inside((value.co_code, value.co_names, value.co_consts))
        case MethodType():
            yield from inside((value.__func__, value.__self__))
        case partial():
            yield from inside((value.func, value.args, value.keywords))
        case ModuleType() | type() | BuiltinFunctionType():
            yield repr(value.__name__).encode()
        case _ if hasattr(value, "__dict__"):
            yield from inside((type(value).__qualname__, vars(value)))
        case _:
            yield repr(value).encode()
