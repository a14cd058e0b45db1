"""What a study asks, as a hash: the same for the same question, on any day and any machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from functools import partial
from importlib.metadata import version
from types import CodeType, FunctionType
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
        dataclasses of them. Of a function its instructions count and what it holds on to, so that
        one that is written again asks the same, and one that was changed another question. What
        it calls by name in its module does not: that belongs to the version of the package.

    Returns
    -------
    str
    """
    whole = hashlib.sha256()
    for part in _parts((version("kredslob"), model.program.sha256, asked)):
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    """A value as bytes, with its kind first, so that no two values look alike."""
    yield type(value).__name__.encode()
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
                yield from _parts((str(name), array.dims, array.values))
        case Mapping():
            for key in sorted(value, key=repr):
                yield from _parts((key, value[key]))
        case Set():
            yield repr(sorted(value, key=repr)).encode()
        case FunctionType():
            yield value.__qualname__.encode()
            held = [cell.cell_contents for cell in value.__closure__ or ()]
            yield from _parts((value.__code__, value.__defaults__, value.__kwdefaults__, held))
        case CodeType():
            yield from _parts((value.co_code, value.co_names, value.co_consts))
        case partial():
            yield from _parts((value.func, value.args, value.keywords))
        case HasParameters():
            yield from _parts(dict(value.parameters))
        case Sequence():
            for part in value:
                yield from _parts(part)
        case _ if is_dataclass(value):
            yield from _parts({f.name: getattr(value, f.name) for f in fields(value)})
        case _:
            name = getattr(value, "__qualname__", type(value).__qualname__)
            yield f"{type(value).__module__}.{name}".encode()
