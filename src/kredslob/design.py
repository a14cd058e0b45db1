"""What is changed in each run: numbers, initial values, lookups and inputs over time."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.errors import ParameterError
from kredslob.program import Array, Program, key

RUN = "run"
Points = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True)
class Design:
    """Changes of a number of runs, checked against a model.

    Parameters
    ----------
    runs : int
        Number of runs.
    values : mapping of str to array, shape (1 or runs, *shape of the variable)
        Numbers by variable; the first axis is 1 where all runs share them.
    tables : mapping of str to sequence
        Points by lookup, or by variable that is given over time: one entry, or one a run; each
        holds the points of each element.
    inputs : mapping of str to str
        Variables whose equation is set aside: constant, series or initial.
    given : mapping of str to Any
        The changes that all runs share, as plain numbers, to be kept with the results.
    """

    runs: int
    values: Mapping[str, np.ndarray] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Sequence[Points]]] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)

    def over(self, base: Design) -> Design:
        """This design laid over one that all runs share."""

        def merged(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
            named = set(self.values) | set(self.tables)
            return {n: v for n, v in theirs.items() if n not in named} | dict(mine)

        return Design(
            self.runs,
            merged(self.values, base.values),
            merged(self.tables, base.tables),
            merged(self.inputs, base.inputs),
            dict(base.given) | dict(self.given),
        )


def one_design(program: Program, changes: Mapping[str, Any]) -> Design:
    """The design of a single run, or what all runs of a larger one share.

    Raises
    ------
    ParameterError
        A name is unknown, or a value does not fit its variable.
    """
    values: dict[str, np.ndarray] = {}
    tables: dict[str, list[Sequence[Points]]] = {}
    inputs: dict[str, str] = {}
    given: dict[str, Any] = {}
    for name, value in changes.items():
        array = find(program, name)
        for known in (values, tables, inputs):
            known.pop(array.name, None)
        if array.kind == "lookup" or _is_series(value):
            tables[array.name] = [_points(program, array, value)]
            if array.kind not in ("lookup", "data"):
                inputs[array.name] = "series"
        else:
            values[array.name] = numbers(program, array, value)[np.newaxis]
            how = {"constant": None, "stock": "initial"}.get(array.kind, "constant")
            if array.kind == "control" and array.name in program.defaults:
                how = None
            if how:
                inputs[array.name] = how
        given[array.name] = _plain(value)
    return Design(1, values, tables, inputs, given)


def many_designs(program: Program, design: Any) -> Design:
    """A design of many runs.

    Parameters
    ----------
    program : Program
        The model.
    design : DataFrame, Dataset, mapping or iterable of mappings
        A table with a row a run and a column a variable, ``name`` or ``name[element, element]``;
        a Dataset whose variables have the dimension ``run``; a mapping of names to arrays whose
        first axis is the run; or one mapping a run.

    Raises
    ------
    ParameterError
        As for `one_design`; or there is no run, or the numbers of runs differ.
    """
    if isinstance(design, pd.DataFrame):
        return _from_columns(program, {str(c): design[c].to_numpy() for c in design.columns})
    if isinstance(design, xr.Dataset):
        return _from_columns(
            program,
            {str(n): np.asarray(a.transpose(RUN, ...).values) for n, a in design.items()},
        )
    if isinstance(design, Mapping):
        return _from_columns(program, {n: np.asarray(v) for n, v in design.items()})
    return _from_rows(program, list(design))


def _from_columns(program: Program, columns: Mapping[str, np.ndarray]) -> Design:
    lengths = {len(v) if np.ndim(v) else 0 for v in columns.values()}
    if len(lengths) != 1 or 0 in lengths:
        found = ", ".join(f"{n}: {len(v) if np.ndim(v) else 'none'}" for n, v in columns.items())
        raise ParameterError(
            f"a design needs the same number of runs for each variable, at least one; "
            f"found {found or 'no variable'}"
        )
    runs = lengths.pop()
    values: dict[str, np.ndarray] = {}
    inputs: dict[str, str] = {}
    for label, column in columns.items():
        name, elements = _split(label)
        array = find(program, name)
        if array.kind == "lookup":
            raise ParameterError(f"'{name}': a lookup cannot be a column; give one mapping a run")
        try:
            column = np.asarray(column, dtype=float)
        except (TypeError, ValueError):
            raise ParameterError(f"'{label}': expected numbers") from None
        if not np.isfinite(column).all():
            row = int(np.argwhere(~np.isfinite(column.reshape(runs, -1)).all(axis=1))[0, 0])
            raise ParameterError(f"'{label}', run {row}: expected finite numbers")
        if elements:
            place = _element(program, array, elements)
            if array.name not in values:
                values[array.name] = np.repeat(_default(program, array)[np.newaxis], runs, axis=0)
            part: tuple[Any, ...] = (slice(None), *place)
            values[array.name][part] = column.reshape(runs)
        else:
            shape = (runs, *array.shape)
            if column.shape == (runs,):
                column = np.broadcast_to(column.reshape(runs, *(1 for _ in array.shape)), shape)
            if column.shape != shape:
                raise ParameterError(
                    f"'{label}': found an array of shape {column.shape}, expected {shape} "
                    f"(run{''.join(' x ' + d for d in array.dims)})"
                )
            values[array.name] = column
        how = {"constant": None, "stock": "initial"}.get(array.kind, "constant")
        if how and not (array.kind == "control" and array.name in program.defaults):
            inputs[array.name] = how
    return Design(runs, values, {}, inputs)


def _from_rows(program: Program, rows: Sequence[Mapping[str, Any]]) -> Design:
    if not rows:
        raise ParameterError("a design needs at least one run")
    parts = [one_design(program, row) for row in rows]
    if len(parts) == 1:
        return parts[0]
    values: dict[str, np.ndarray] = {}
    tables: dict[str, list[Sequence[Points]]] = {}
    inputs: dict[str, str] = {}
    for part in parts:
        inputs |= part.inputs
    for name in dict.fromkeys(n for part in parts for n in part.values):
        array = program.arrays[name]
        if not all(name in part.values for part in parts) and name in inputs:
            raise ParameterError(f"'{name}' must be given in each run or in none")
        default = _default(program, array)[np.newaxis]
        values[name] = np.concatenate([part.values.get(name, default) for part in parts])
    for name in dict.fromkeys(n for part in parts for n in part.tables):
        if not all(name in part.tables for part in parts):
            raise ParameterError(f"'{name}' must be given in each run or in none")
        tables[name] = [part.tables[name][0] for part in parts]
    return Design(len(rows), values, tables, inputs)


def find(program: Program, name: str) -> Array:
    """The variable of this name that can be changed.

    Raises
    ------
    ParameterError
        There is none.
    """
    by_key = {key(n): a for n, a in program.arrays.items() if a.kind not in ("hidden", "rate")}
    found = by_key.get(key(name))
    if found is None:
        near = difflib.get_close_matches(key(name), by_key, 1)
        hint = f"; did you mean '{by_key[near[0]].name}'?" if near else ""
        raise ParameterError(f"{program.name} has no constant '{name}'{hint}")
    return found


def numbers(program: Program, array: Array, value: Any) -> np.ndarray:
    """Numbers for a variable, in its shape.

    Raises
    ------
    ParameterError
        They are of another shape or not finite numbers.
    """
    if isinstance(value, Mapping):
        value = _from_elements(program, array, value)
    if isinstance(value, xr.DataArray) and value.dims:
        value = value.transpose(*array.dims).values if set(value.dims) == set(array.dims) else value
    try:
        found = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise ParameterError(f"'{array.name}': found {value!r}, expected numbers") from None
    if found.ndim and found.shape != array.shape:
        raise ParameterError(
            f"'{array.name}': found an array of shape {found.shape}, "
            f"expected {array.shape} ({' x '.join(array.dims) or 'a single number'})"
        )
    if not np.isfinite(found).all():
        raise ParameterError(f"'{array.name}': found {value!r}, expected finite numbers")
    return np.broadcast_to(found, array.shape).copy()


def _from_elements(program: Program, array: Array, value: Mapping[str, Any]) -> np.ndarray:
    """Array from a nested dict that names each element of each subscript."""
    out = np.empty(array.shape)
    for index in product(*(range(n) for n in out.shape)):
        part: Any = value
        for dim, position in zip(array.dims, index, strict=True):
            elements = program.ranges[dim]
            element = elements[position]
            if not isinstance(part, Mapping) or element not in part:
                raise ParameterError(
                    f"'{array.name}': no value for '{element}' of {dim}; "
                    f"expected one for each of {', '.join(elements)}"
                )
            part = part[element]
        out[index] = part
    return out


def _default(program: Program, array: Array) -> np.ndarray:
    flat = program.defaults.get(array.name, (float("nan"),) * array.size)
    return np.array(flat).reshape(array.shape)


def _split(label: str) -> tuple[str, list[str]]:
    """``name[a, b]`` as the name and its elements."""
    match = re.fullmatch(r"(.*?)\[([^\[\]]*)\]", label.strip())
    if not match:
        return label, []
    return match[1], [part.strip() for part in match[2].split(",")]


def _element(program: Program, array: Array, elements: Sequence[str]) -> tuple[int, ...]:
    if len(elements) != len(array.dims):
        raise ParameterError(
            f"'{array.name}[{', '.join(elements)}]': expected {len(array.dims)} subscripts "
            f"({', '.join(array.dims) or 'none'})"
        )
    place = []
    for dim, element in zip(array.dims, elements, strict=True):
        known = [key(e) for e in program.ranges[dim]]
        if key(element) not in known:
            raise ParameterError(
                f"'{array.name}': '{element}' is no element of {dim} "
                f"({', '.join(program.ranges[dim])})"
            )
        place.append(known.index(key(element)))
    return tuple(place)


# --- lookups and inputs over time --------------------------------------------------------------


def _is_series(value: Any) -> bool:
    return isinstance(value, pd.Series | pd.DataFrame) or (
        isinstance(value, xr.DataArray) and "time" in value.dims
    )


def _points(program: Program, array: Array, value: Any) -> Sequence[Points]:
    """Points of each element of a lookup, or of a variable over time."""
    if isinstance(value, pd.Series):
        pairs = np.column_stack([value.index.to_numpy(dtype=float), value.to_numpy(dtype=float)])
        return [_checked(array.name, pairs, value)] * array.size
    if isinstance(value, xr.DataArray):
        columns = value.transpose("time", *array.dims).values.reshape(value.sizes["time"], -1)
        return [
            _checked(array.name, np.column_stack([value["time"].values, y]), value)
            for y in columns.T
        ]
    if isinstance(value, pd.DataFrame):
        if value.shape[1] != array.size:
            raise ParameterError(
                f"'{array.name}': found {value.shape[1]} columns, expected {array.size}"
            )
        return [_points(program, array, value.iloc[:, k])[0] for k in range(array.size)]
    if isinstance(value, Mapping):
        if len(array.dims) != 1:
            raise ParameterError(f"'{array.name}': found {value!r}, expected pairs of numbers")
        missing = [e for e in program.ranges[array.dims[0]] if e not in value]
        if missing:
            raise ParameterError(f"'{array.name}': no value for '{missing[0]}' of {array.dims[0]}")
        return [_checked(array.name, value[e], value[e]) for e in program.ranges[array.dims[0]]]
    return [_checked(array.name, value, value)] * array.size


def _checked(name: str, pairs: Any, shown: Any) -> Points:
    try:
        points = np.asarray(pairs, dtype=float)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ParameterError(f"'{name}': found {shown!r}, expected pairs such as [[0, 1], [10, 2]]")
    if not len(points) or (np.diff(points[:, 0]) <= 0).any():
        raise ParameterError(f"'{name}': the first numbers of the pairs must rise")
    return tuple(points[:, 0].tolist()), tuple(points[:, 1].tolist())


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, pd.Series):
        return np.column_stack([value.index.to_numpy(dtype=float), value]).tolist()
    if isinstance(value, pd.DataFrame):
        return {str(c): _plain(value[c]) for c in value.columns}
    return np.asarray(value, dtype=float).tolist()


def merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Changes one after the other; the last word on a name counts, however it is spelled."""
    result: dict[str, tuple[str, Any]] = {}
    for part in parts:
        for name, value in part.items():
            result[key(name)] = (name, value)
    return dict(result.values())
