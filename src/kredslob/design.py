"""What is changed in each run: numbers, initial values, lookups and inputs over time."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.arguments import hint, shown
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
        named = set(self.values) | set(self.tables)

        def merged(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
            return {n: v for n, v in theirs.items() if n not in named} | dict(mine)

        return Design(
            self.runs,
            merged(self.values, base.values),
            merged(self.tables, base.tables),
            merged(self.inputs, base.inputs),
            merged(self.given, base.given),
        )


@dataclass(frozen=True)
class DesignInParts:
    """A design of so many runs that it is not held, but made part by part as it is run.

    Parameters
    ----------
    runs : int
        Number of runs, at least 2.
    part : callable
        Called with (begin, end), run numbers from 0; gives the design of runs begin to end - 1, in
        any form that `kredslob.simulation.Model.run_many` takes. Each part changes the same
        variables, and the same runs are the same whatever part they are asked for in.
    described : str
        All that the design depends on; kept with results, and what a store knows it by.

    Raises
    ------
    ParameterError
        There are fewer than 2 runs.
    """

    runs: int
    part: Callable[[int, int], Any]
    described: str

    def __post_init__(self) -> None:
        if not (isinstance(self.runs, int | np.integer) and self.runs > 1):
            raise ParameterError(f"runs: found {self.runs!r}, expected a whole number from 2")


def one_design(program: Program, changes: Mapping[str, Any]) -> Design:
    """The design of a single run, or what all runs of a larger one share.

    Raises
    ------
    ParameterError
        A name is unknown, or a value does not fit its variable.
    """
    if not isinstance(changes, Mapping):
        raise ParameterError(f"found {shown(changes)}, expected names and values, as a dict")
    values: dict[str, np.ndarray] = {}
    tables: dict[str, list[Sequence[Points]]] = {}
    inputs: dict[str, str] = {}
    given: dict[str, Any] = {}
    for name, value in changes.items():
        array = find(program, name)
        if array.name in given:
            raise ParameterError(f"'{array.name}' is given twice")
        if array.kind == "lookup" or _is_series(value):
            tables[array.name] = [_points(program, array, value)]
            if array.kind not in ("lookup", "data"):
                inputs[array.name] = "series"
        else:
            values[array.name] = numbers(program, array, value)[np.newaxis]
            if how := _how(program, array):
                inputs[array.name] = how
        given[array.name] = _plain(value)
    return Design(1, values, tables, inputs, given)


def many_designs(program: Program, design: Any, base: Design) -> Design:
    """A design of many runs.

    Parameters
    ----------
    program : Program
        The model.
    design : DataFrame, Dataset, mapping or iterable of mappings
        A table with a row a run and a column a variable, ``name`` or ``name[element, element]``;
        a Dataset whose variables have the dimension ``run``; a mapping of names to arrays whose
        first axis is the run; or one mapping a run.
    base : Design
        What all runs share. It also holds for elements, or in runs, that the design leaves out.

    Returns
    -------
    Design
        The design laid over the base.

    Raises
    ------
    ParameterError
        As for `one_design`; or there is no run, or the numbers of runs differ.
    """
    if isinstance(design, pd.DataFrame):
        twice = design.columns[design.columns.duplicated()]
        if len(twice):
            raise ParameterError(f"'{twice[0]}' is given twice")
        columns: dict[str, Any] = {str(c): design[c].to_numpy() for c in design.columns}
        return _from_columns(program, columns, base).over(base)
    if isinstance(design, xr.Dataset):
        return _from_columns(program, {str(n): a for n, a in design.items()}, base).over(base)
    if isinstance(design, Mapping):
        return _from_columns(program, {str(n): v for n, v in design.items()}, base).over(base)
    if isinstance(design, str | bytes) or not isinstance(design, Iterable):
        raise ParameterError(
            f"design: found {shown(design)}, expected a table, one dict a run, or a dict of names "
            "and lists of values"
        )
    return _from_rows(program, list(design), base).over(base)


def check_within(
    program: Program, design: Design, bounds: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> None:
    """Refuse numbers outside the bounds within which they mean something.

    Parameters
    ----------
    program : Program
        The model.
    design : Design
        Of one run or many.
    bounds : mapping of str to (lowest, highest)
        By constant, each an array in its shape.

    Raises
    ------
    ParameterError
        A number lies outside.
    """
    given = {name: values for name, values in design.values.items() if name in bounds}
    for name, runs in design.tables.items():
        if name in bounds:  # over time: what it is at its points, elements last
            points = [y for elements in runs for y in zip(*(ys for _, ys in elements), strict=True)]
            given[name] = np.reshape(points, (-1, *program.arrays[name].shape))
    for name, values in given.items():
        low, high = bounds[name]
        off = np.argwhere((values < low) | (values > high))
        if not len(off):
            continue
        array, (_, *place) = program.arrays[name], off[0]
        labels = [program.ranges[d][p] for d, p in zip(array.dims, place, strict=True)]
        label = f"{name}[{', '.join(labels)}]" if labels else name
        lowest, highest = low[tuple(place)], high[tuple(place)]
        span = f"from {lowest:.12g} to {highest:.12g}" if np.isfinite(highest) else ""
        unit = "" if array.unit == "Dmnl" else f" {array.unit}"
        raise ParameterError(
            f"'{label}': found {values[tuple(off[0])]:.12g}, expected a number "
            f"{span or f'of at least {lowest:.12g}'}{unit}"
        )


def _from_columns(program: Program, columns: Mapping[str, Any], base: Design) -> Design:
    found = {label: _column(program, label, values) for label, values in columns.items()}
    for label, column in found.items():
        if not column.ndim:
            raise ParameterError(
                f"design: '{label}': found {shown(columns[label])}, expected a list of values, "
                "one a run"
            )
    runs = _number_of_runs(found)
    values: dict[str, np.ndarray] = {}
    inputs: dict[str, str] = {}
    places: dict[str, set[tuple[int, ...]]] = {}
    for label, column in found.items():
        name, elements = _split(label)
        array = find(program, name)
        _check_finite(label, column.reshape(runs, -1))
        place = _element(program, array, elements) if elements else ()
        _check_is_new(label, place, places.setdefault(array.name, set()))
        if place:
            if array.name not in values:
                values[array.name] = np.repeat(_default(program, array, base), runs, axis=0)
            part: tuple[Any, ...] = (slice(None), *place)
            values[array.name][part] = _of_shape(label, column, (runs,), ())
        else:
            values[array.name] = _of_whole(label, column, array)
        if how := _how(program, array):
            inputs[array.name] = how
    _check_complete(program, values)
    return Design(runs, values, {}, inputs)


def _number_of_runs(columns: Mapping[str, np.ndarray]) -> int:
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1 or 0 in lengths:
        counts = ", ".join(f"{n}: {len(v)}" for n, v in columns.items())
        raise ParameterError(
            f"a design needs the same number of runs for each variable, at least one; "
            f"found {counts or 'no variable'}"
        )
    return lengths.pop()


def _check_finite(label: str, column: np.ndarray) -> None:
    """Refuse a column, shape (runs, numbers), that has other than finite numbers."""
    if not np.isfinite(column).all():
        row = int(np.argwhere(~np.isfinite(column).all(axis=1))[0, 0])
        raise ParameterError(f"'{label}', run {row}: expected finite numbers")


def _check_is_new(label: str, place: tuple[int, ...], known: set[tuple[int, ...]]) -> None:
    """Refuse an element of which a number is known; no place stands for all elements."""
    if place in known or () in known or (known and not place):
        raise ParameterError(f"'{label}' is given twice")
    known.add(place)


def _check_complete(program: Program, values: Mapping[str, np.ndarray]) -> None:
    """Refuse only some elements of what has no value of its own."""
    for name, column in values.items():
        if np.isnan(column).any():
            array = program.arrays[name]
            place = tuple(np.argwhere(np.isnan(column[0]))[0])
            labels = [program.ranges[d][p] for d, p in zip(array.dims, place, strict=True)]
            raise ParameterError(f"'{name}': no value for '{', '.join(labels)}'")


def _column(program: Program, label: str, values: Any) -> np.ndarray:
    """Numbers of one column, with the run as first axis and elements in the model's order."""
    name, elements = _split(label)
    array = find(program, name)
    if array.kind == "lookup":
        raise ParameterError(f"'{name}': a lookup cannot be a column; give one mapping a run")
    if isinstance(values, xr.DataArray):
        if RUN not in values.dims:
            raise ParameterError(f"'{label}': found no dimension '{RUN}'")
        rest = [d for d in values.dims if d != RUN]
        if not elements and rest:
            values = _in_order(program, array, values, (RUN,))
        else:
            values = values.transpose(RUN, ...)
    return _as_numbers(label, values)


def _of_whole(label: str, column: np.ndarray, array: Array) -> np.ndarray:
    """Numbers of all elements, shape (runs, *shape), from those or from one a run."""
    shape = (len(column), *array.shape)
    if column.ndim == 1:
        column = np.broadcast_to(column.reshape(-1, *(1 for _ in array.shape)), shape)
    return _of_shape(label, column, shape, array.dims)


def _of_shape(
    label: str, column: np.ndarray, shape: tuple[int, ...], dims: Sequence[str]
) -> np.ndarray:
    if column.shape != shape:
        raise ParameterError(
            f"'{label}': found an array of shape {column.shape}, expected {shape} "
            f"(run{''.join(' x ' + d for d in dims)})"
        )
    return column


def _from_rows(program: Program, rows: Sequence[Mapping[str, Any]], base: Design) -> Design:
    if not rows:
        raise ParameterError("a design needs at least one run")
    if columns := _same_scalars(rows):
        return _from_columns(program, columns, base)
    parts = [_row(program, number, row) for number, row in enumerate(rows)]
    if len(parts) == 1:
        return parts[0]
    inputs = _inputs_of(parts)
    values = {
        name: _numbers_by_run(program, name, parts, base)
        for name in dict.fromkeys(n for part in parts for n in part.values)
    }
    tables = {
        name: _tables_by_run(program, name, parts, base)
        for name in dict.fromkeys(n for part in parts for n in part.tables)
    }
    return Design(len(rows), values, tables, inputs)


def _row(program: Program, number: int, row: Mapping[str, Any]) -> Design:
    try:
        return one_design(program, row)
    except ParameterError as problem:
        raise ParameterError(f"run {number}: {problem}") from None


def _inputs_of(parts: Sequence[Design]) -> dict[str, str]:
    inputs: dict[str, str] = {}
    for part in parts:
        for name, how in part.inputs.items():
            if inputs.setdefault(name, how) != how:
                raise ParameterError(f"'{name}' is a number in one run and a series in another")
    return inputs


def _numbers_by_run(
    program: Program, name: str, parts: Sequence[Design], base: Design
) -> np.ndarray:
    """Numbers of a variable that some runs give, shape (runs, *shape of the variable)."""
    default = _default(program, program.arrays[name], base)
    if np.isnan(default).any() and not all(name in part.values for part in parts):
        raise ParameterError(f"'{name}' must be given in each run or in none")
    return np.concatenate([part.values.get(name, default) for part in parts])


def _tables_by_run(
    program: Program, name: str, parts: Sequence[Design], base: Design
) -> list[Sequence[Points]]:
    """Points of a lookup or input over time that some runs give."""
    own = [program.tables[name].points] if name in program.tables else []
    default = base.tables.get(name, own)
    if not default and not all(name in part.tables for part in parts):
        raise ParameterError(f"'{name}' must be given in each run or in none")
    return [part.tables.get(name, default)[0] for part in parts]


def _same_scalars(rows: Sequence[Any]) -> dict[str, np.ndarray] | None:
    """Columns of rows that name the same variables and give each one number: the quick way."""
    first = rows[0]
    if not isinstance(first, Mapping) or len(rows) == 1:
        return None
    names = list(first)
    for row in rows:
        if not isinstance(row, Mapping) or list(row) != names:
            return None
        if not all(isinstance(value, float | int | np.number) for value in row.values()):
            return None
    return {name: np.array([row[name] for row in rows], dtype=float) for name in names}


# --- names and places --------------------------------------------------------------------------


def find(program: Program, name: str) -> Array:
    """The variable of this name that can be changed.

    Raises
    ------
    ParameterError
        There is none.
    """
    found = program.by_key.get(key(str(name)))
    if found is None:
        whole = program.by_key.get(key(_split(str(name))[0]))
        if whole is not None and whole.dims:
            first = program.ranges[whole.dims[0]][0]
            raise ParameterError(
                f"'{name}': expected the name alone, with a dict of all elements of "
                f"{whole.dims[0]} as value, such as {{'{whole.name}': {{'{first}': ..., ...}}}}"
            )
        raise ParameterError(f"{program.name} has no constant '{name}'{_hint(program, name)}")
    return found


def _hint(program: Program, name: object) -> str:
    """The nearest name, however it is spelled, and as the file writes it."""
    near = difflib.get_close_matches(key(str(name)), program.by_key, 1)
    return f"; did you mean '{program.by_key[near[0]].name}'?" if near else ""


def _how(program: Program, array: Array) -> str | None:
    """In what way a number sets the equation of a variable aside; None for a constant."""
    if array.kind == "constant" or (array.kind == "control" and array.name in program.defaults):
        return None
    return "initial" if array.kind == "stock" else "constant"


def _default(program: Program, array: Array, base: Design) -> np.ndarray:
    """What holds where a design says nothing, shape (1, ...); NaN where an equation says it."""
    if array.name in base.values:
        return base.values[array.name][:1]
    flat = program.defaults.get(array.name, (float("nan"),) * array.size)
    return np.array(flat, dtype=float).reshape(1, *array.shape)


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
    return tuple(
        _position(program, array, dim, element)
        for dim, element in zip(array.dims, elements, strict=True)
    )


def _position(program: Program, array: Array, dim: str, element: Any) -> int:
    """Place of an element in a range."""
    known = [key(e) for e in program.ranges[dim]]
    if key(str(element)) not in known:
        raise ParameterError(
            f"'{array.name}': '{element}' is no element of {dim} "
            f"({', '.join(program.ranges[dim])}){hint(element, program.ranges[dim])}"
        )
    return known.index(key(str(element)))


def _in_order(
    program: Program, array: Array, value: xr.DataArray, lead: tuple[str, ...]
) -> xr.DataArray:
    """A labelled array with the variable's axes, and elements in the order of the model."""
    if len(set(array.dims)) < len(array.dims):  # a range that stands twice: by position
        return value.transpose(*lead, ...)
    if set(value.dims) != {*lead, *array.dims}:
        raise ParameterError(
            f"'{array.name}': found dimensions {', '.join(map(str, value.dims)) or 'none'}, "
            f"expected {', '.join((*lead, *array.dims)) or 'none'}"
        )
    value = value.transpose(*lead, *array.dims)
    for dim in array.dims:
        if dim in value.coords:
            places = [_position(program, array, dim, e) for e in value[dim].values]
            _all_there(program, array, dim, places)
            value = value.isel({dim: np.argsort(places)})
    return value


def _all_there(program: Program, array: Array, dim: str, places: Sequence[int]) -> None:
    """Refuse labels that leave an element out or name one twice."""
    for position, element in enumerate(program.ranges[dim]):
        if (count := places.count(position)) != 1:
            raise ParameterError(
                f"'{array.name}': {count or 'no'} value{'s' * (count > 1)} for '{element}' of "
                f"{dim}; expected one for each of {', '.join(program.ranges[dim])}"
            )


# --- numbers -----------------------------------------------------------------------------------


def numbers(program: Program, array: Array, value: Any) -> np.ndarray:
    """Numbers for a variable, in its shape.

    Raises
    ------
    ParameterError
        They are of another shape or not finite numbers.
    """
    if isinstance(value, Mapping):
        value = _from_elements(program, array, value, array.dims)
    if isinstance(value, xr.DataArray) and value.dims:
        value = _in_order(program, array, value, ()).values
    found = _as_numbers(array.name, value)
    if found.ndim and not array.shape:
        raise ParameterError(
            f"'{array.name}': found {shown(value)}, expected a single number; a list of them, "
            "one a run, is for run_many"
        )
    if found.ndim and found.shape != array.shape:
        raise ParameterError(
            f"'{array.name}': found an array of shape {found.shape}, "
            f"expected {array.shape} ({' x '.join(array.dims) or 'a single number'})"
        )
    if not np.isfinite(found).all():
        raise ParameterError(f"'{array.name}': found {shown(value)}, expected finite numbers")
    return np.broadcast_to(found, array.shape).copy()


def _as_numbers(label: str, value: Any) -> np.ndarray:
    """An array of floats; a text is no number, even if it looks like one."""
    try:
        found = np.asarray(value)
        parts = found.flat if found.dtype.kind == "O" else ()
        if found.dtype.kind in "biufO" and not any(isinstance(part, str) for part in parts):
            return found.astype(float)
    except (TypeError, ValueError):
        pass
    text = "; a number stands without quotes" if isinstance(value, str) else ""
    raise ParameterError(f"'{label}': found {shown(value)}, expected numbers{text}")


def _from_elements(
    program: Program, array: Array, value: Any, dims: Sequence[str]
) -> list[Any] | Any:
    """Nested lists from a nested dict that names each element of each subscript."""
    if not isinstance(value, Mapping):
        return value
    if not dims:
        raise ParameterError(f"'{array.name}': found {shown(value)}, expected a single number")
    parts = _by_element(program, array, dims[0], value)
    return [_from_elements(program, array, part, dims[1:]) for part in parts]


def _by_element(program: Program, array: Array, dim: str, value: Mapping[Any, Any]) -> list[Any]:
    """What a dict has for each element of a range, in the order of the model."""
    places = [_position(program, array, dim, element) for element in value]
    _all_there(program, array, dim, places)
    parts = dict(zip(places, value.values(), strict=True))
    return [parts[p] for p in sorted(parts)]


# --- lookups and inputs over time --------------------------------------------------------------


def _is_series(value: Any) -> bool:
    return isinstance(value, pd.Series | pd.DataFrame) or (
        isinstance(value, xr.DataArray) and "time" in value.dims
    )


def _points(program: Program, array: Array, value: Any) -> Sequence[Points]:
    """Points of each element of a lookup, or of a variable over time."""
    if isinstance(value, pd.Series):
        return [_checked(array.name, _pairs(array, value.index, value), value)] * array.size
    if isinstance(value, xr.DataArray):
        return _points_of_array(program, array, value)
    if isinstance(value, pd.DataFrame):
        return _points_of_table(program, array, value)
    if isinstance(value, Mapping):
        if len(array.dims) != 1:
            raise ParameterError(f"'{array.name}': found {shown(value)}, expected pairs")
        pairs = _by_element(program, array, array.dims[0], value)
        return [_checked(array.name, one, one) for one in pairs]
    return [_checked(array.name, value, value)] * array.size


def _points_of_array(program: Program, array: Array, value: xr.DataArray) -> Sequence[Points]:
    if "time" not in value.dims:
        raise ParameterError(f"'{array.name}': found no dimension 'time'")
    if value.dims != ("time",):
        value = _in_order(program, array, value, ("time",))
    if "time" not in value.coords:
        raise ParameterError(f"'{array.name}': found no times along the dimension 'time'")
    columns = value.values.reshape(value.sizes["time"], -1).T
    points = [_checked(array.name, _pairs(array, value["time"], y), y) for y in columns]
    return points if len(points) == array.size else points * array.size


def _points_of_table(program: Program, array: Array, value: pd.DataFrame) -> Sequence[Points]:
    flat = list(range(value.shape[1]))
    if array.dims:
        labels = [[part.strip() for part in str(c).split(",")] for c in value.columns]
        places = [_element(program, array, elements) for elements in labels]
        flat = [int(np.ravel_multi_index(place, array.shape)) for place in places]
    if sorted(flat) != list(range(array.size)):
        raise ParameterError(
            f"'{array.name}': found the columns {', '.join(map(str, value.columns))}, "
            f"expected one for each of {array.size} elements"
        )
    return [_points(program, array, value.iloc[:, flat.index(k)])[0] for k in range(array.size)]


def _pairs(array: Array, x: Any, y: Any) -> np.ndarray:
    try:
        return np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    except (TypeError, ValueError):
        raise ParameterError(
            f"'{array.name}': expected a series of numbers over times that are numbers"
        ) from None


def _checked(name: str, pairs: Any, given: Any) -> Points:
    try:
        points = np.asarray(pairs, dtype=float)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ParameterError(
            f"'{name}': found {shown(given)}, expected pairs such as [[0, 1], [10, 2]]"
        )
    if not len(points) or (np.diff(points[:, 0]) <= 0).any():
        raise ParameterError(f"'{name}': the first numbers of the pairs must rise")
    return tuple(points[:, 0].tolist()), tuple(points[:, 1].tolist())


def _plain(value: Any) -> Any:
    """A value as numbers, lists and dicts."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, xr.DataArray) and value.dims == ("time",):
        value = value.to_series()
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
            result[key(str(name))] = (name, value)
    return dict(result.values())
