"""PySD's abstract model -> Program: what each variable is, and the rules that give its values."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from kredslob.errors import InputFileError
from kredslob.limits import Limits, limits_in_force
from kredslob.lowering import external
from kredslob.lowering.beginning import value_at_start
from kredslob.lowering.expressions import (
    Binding,
    LoweringError,
    Scope,
    index_of,
    lower,
)
from kredslob.lowering.ordering import Rules, assemble
from kredslob.lowering.statefuls import BLOCKS, STRUCTURES
from kredslob.lowering.subscripts import (
    Ranges,
    Region,
    SubscriptError,
    axes,
    read_ranges,
    regions,
    without,
)
from kredslob.program import (
    Along,
    Array,
    At,
    Block,
    Clock,
    Equation,
    Expression,
    Index,
    Interpolate,
    Loop,
    Number,
    Pipe,
    Program,
    Read,
    Table,
    Time,
    key,
)
from kredslob.reading.parts import parts_of
from kredslob.reading.source import one_line
from kredslob.trees import parts

CONTROL = ("initial time", "final time", "time step", "saveper")
_DEEPEST_MACRO = 20
_LITERAL = (int, float, np.ndarray, np.generic)


def lower_model(
    abstract: Any,
    path: Path,
    sha256: str,
    *,
    lines: Mapping[str, int] | None = None,
    integration: str = "euler",
    inputs: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    allow: Sequence[Path | str] = (),
) -> Program:
    """Lower a model.

    Parameters
    ----------
    abstract : AbstractModel
        From `kredslob.reading.abstract_model`.
    path : Path
        The model file, for messages and for the folder of its data.
    sha256 : str
        Hash of the file.
    lines : mapping of str to int, optional
        Line of each variable in the file.
    integration : str
        euler or rk4.
    inputs : mapping of str to str, optional
        Variables whose equation is set aside, by name: ``constant`` (the caller gives a number or
        array), ``series`` (the caller gives values over time) or ``initial`` (of a stock: the
        caller gives its initial value).
    limits : Limits, optional
        How much the model may ask for. Default: `kredslob.limits.limits_in_force`.
    allow : sequence of Path or str
        Folders besides the model's own in which its data files may lie.

    Returns
    -------
    Program

    Raises
    ------
    InputFileError
        Something in the file is unknown, does not fit, or depends on itself.
    """
    access = external.Access(limits_in_force(limits), tuple(allow))
    lowering = Lowering(abstract, path, dict(lines or {}), dict(inputs or {}), access)
    lowering.declare()
    lowering.define()
    return assemble(
        lowering.rules,
        lowering.finished_arrays(),
        lowering.tables,
        name=path.name,
        path=path,
        sha256=sha256,
        ranges=lowering.ranges.elements,
        clock=lowering.clock(),
        integration=integration,
        streams=lowering.streams,
    )


@dataclass
class _Variable:
    """A variable while it is being lowered."""

    element: Any
    dims: tuple[str, ...]
    boxes: list[tuple[Any, Region]] = field(default_factory=list)


class _Budget:
    """What the model has asked for so far, against its limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._variables = self._values = self._points = self._parts = 0

    def variable(self, shape: Sequence[int]) -> None:
        """Count a variable, and the numbers that it holds."""
        self._variables += 1
        if self._variables > self._limits.equations:
            found = f"has {self._variables:,} variables or more, with those of macros and delays"
            raise LoweringError(self._limits.exceeded("equations", found))
        self._hold(shape)

    def equation(self) -> None:
        """Begin to count the parts of another equation."""
        self._parts = 0

    def part(self) -> None:
        """Count a part of an equation, as often as functions around it take it."""
        self._parts += 1
        if self._parts > self._limits.equation_parts:
            found = f"has {self._parts:,} parts or more once its functions are written out"
            raise LoweringError(self._limits.exceeded("equation_parts", found))

    def _hold(self, shape: Sequence[int]) -> None:
        """Count the numbers of an array."""
        size = math.prod(shape)
        self._values += size
        if self._values > self._limits.values:
            product = " x ".join(map(str, shape)) or "1"
            found = f"holds {product} numbers, {self._values:,} with those before it"
            raise LoweringError(self._limits.exceeded("values", found))

    def points(self, series: Sequence[tuple[Sequence[float], Sequence[float]]]) -> None:
        """Count the points of tables; those that elements share count once."""
        self._points += sum(len(x) for x in {id(x): x for x, _ in series}.values())
        if self._points > self._limits.lookup_points:
            found = f"reads {self._points:,} points or more for lookups and data"
            raise LoweringError(self._limits.exceeded("lookup_points", found))


class Lowering:
    """What is known of the model so far; the functions for expressions add to it."""

    structures = STRUCTURES
    blocks = BLOCKS

    def __init__(
        self,
        abstract: Any,
        path: Path,
        lines: dict[str, int],
        inputs: dict[str, str],
        access: external.Access,
    ) -> None:
        self.path = path
        self._access = access
        self.budget = _Budget(access.limits)
        self._lines = lines
        self._inputs = {key(name): how for name, how in inputs.items()}
        self._main = abstract.sections[0]
        self.macros = {key(s.name): s for s in abstract.sections[1:]}
        with _blamed(self, "a subscript range"):
            self.ranges: Ranges = read_ranges(
                self._main.subscripts, lambda d: external.subscript(path, d, access), access.limits
            )
        self.arrays: dict[str, Array] = {}
        self.tables: dict[str, Table] = {}
        self.modes: dict[str, str] = {}
        self.names: dict[str, str] = {"time": "time", "time$": "time"}
        self.rules = Rules()
        self.streams = 0
        self._table_dims: dict[str, tuple[str, ...]] = {}
        self._lookups: dict[str, Array] = {}
        self._variables: dict[str, _Variable] = {}
        self._over_time: dict[str, str] = {}  # table of each data variable; empty for several
        self._numbers: dict[tuple[int, ...], str] = {}
        self._numbered: dict[str, int] = {}  # last number after each name that was taken
        self._depth = 0

    # --- what the file declares ---

    def declare(self) -> None:
        """Note each variable, its subscripts and what it is."""
        for element in self._main.elements:
            with _blamed(self, element.name):
                self._declare(element, element.name, (), self.names)
        for control in CONTROL[:3]:
            if control not in self.names:
                raise InputFileError(
                    self.path, f"has no {control.upper()}; a model needs one to be run"
                )

    def _declare(
        self,
        element: Any,
        name: str,
        outer: Sequence[Binding],
        names: dict[str, str],
        prefix: str = "",
    ) -> None:
        components = element.components
        if key(element.name) in names and names[key(element.name)] in self.arrays and not prefix:
            raise LoweringError("is defined twice")
        dims = axes(self.ranges, [c.subscripts[0] for c in components])
        shape = tuple(len(self.ranges.elements[d]) for d in dims)
        held = [*(b.loop.extent for b in outer), *shape]
        self.budget.variable(held)
        variable = _Variable(element, dims)
        owned: set[tuple[str, ...]] = set()
        for component in reversed(components):  # a later equation takes precedence
            left, excepted = component.subscripts
            boxes = regions(self.ranges, left, [e for e in excepted if e])
            boxes = [part for box in boxes for part in without(box, owned)]
            for box in boxes if len(components) > 1 else ():
                owned |= box.cells()
            variable.boxes[:0] = [(component, box) for box in boxes]
        unique = self._fresh(prefix + name) if prefix else name
        self._variables[unique] = variable
        names[key(element.name)] = unique
        kind = self._kind(element)
        array = Array(
            unique,
            "hidden" if prefix else kind,
            (*(b.range for b in outer), *dims),
            tuple(held),
            unit=(element.units or "").strip(),
            documentation=" ".join((element.documentation or "").split()),
            line=self._lines.get(element.name, 0),
        )
        if kind == "lookup":
            if outer:  # the same for each call of a macro
                array = replace(array, dims=dims, shape=shape)
            self._lookups[unique] = array
            self._table_dims[unique] = dims
            self.tables[unique] = Table(unique, shape, ())
            self.modes[unique] = "interpolate"
        else:
            self.arrays[unique] = array
            if kind == "stock":
                self._make_stock(unique, any(c.ast.non_negative for c in components))

    def _kind(self, element: Any) -> str:
        types = [getattr(c, "type", "") for c in element.components]
        trees = [c.ast for c in element.components]
        if all(t == "Lookup" for t in types) or all(
            type(tree).__name__ == "LookupsStructure" for tree in trees
        ):
            return "lookup"
        how = self._inputs.get(key(element.name))
        if key(element.name) in CONTROL:
            return "control"
        if how == "constant":
            return "constant"
        if how == "series" or any(
            type(t).__name__ in ("DataStructure", "GetDataStructure") for t in trees
        ):
            return "data"
        is_stock = all(type(t).__name__ == "IntegStructure" for t in trees)
        if is_stock and len({bool(t.non_negative) for t in trees}) == 1:
            return "stock"
        if all(_literal(t) for t in trees):
            return "constant"
        return "auxiliary"

    # --- what the equations say ---

    def define(self) -> None:
        """Lower the equations of each variable."""
        for name, variable in list(self._variables.items()):
            self.budget.equation()
            with _blamed(self, variable.element.name):
                self._define(name, variable, Scope(name, (), self.names))
        if "saveper" not in self.names:
            step = self.arrays[self.names["time step"]]
            self.arrays["SAVEPER"] = Array("SAVEPER", "control", unit=step.unit)
            self.names["saveper"] = "SAVEPER"
            self.rules.always.append(Equation("SAVEPER", (), (), Read(step.name)))

    def _define(self, name: str, variable: _Variable, scope: Scope) -> None:
        how = self._inputs.get(key(name)) if not scope.local else None
        if name in self._lookups:
            self._define_lookup(name, variable)
        elif how in ("constant", "series"):
            self._define_input(name, how)
        elif self.arrays[name].kind == "data":
            if name not in self._over_time:
                self._define_data(name, variable)
        elif all(_literal(component.ast) for component, _ in variable.boxes) and not scope.outer:
            self._define_constant(name, variable)
        else:
            for component, box in variable.boxes:
                self._define_box(name, component, box, scope, how)

    def _define_box(
        self, name: str, component: Any, box: Region, scope: Scope, how: str | None
    ) -> None:
        inner, index = self._entered(name, box, scope)
        tree = component.ast
        if _literal(tree) and (isinstance(tree, np.ndarray) or _external(tree)):
            values = self._literal_values(component, box)
            self._always(name, index, inner, self._constant_at(values, inner))
        elif name in self.rules.rates and type(tree).__name__ == "IntegStructure":
            if how == "initial":
                held = self._initial_input(name)
                self.start(name, index, inner, Read(held, index))
            else:
                self.start(name, index, inner, lower(self, tree.initial, inner))
            self.integrate(name, index, inner, lower(self, tree.flow, inner))
        else:
            self._always(name, index, inner, lower(self, tree, inner))

    def _entered(self, name: str, box: Region, scope: Scope) -> tuple[Scope, tuple[Index, ...]]:
        """Open the loops of a left side; where they lead in the array."""
        bindings: list[Binding] = []
        index: list[Index] = []
        dims = self.dims(name)[scope.outer if name in scope.local else 0 :]
        for dim, left, elements in zip(dims, box.names, box.elements, strict=True):
            axis = {e: place for place, e in enumerate(self.ranges.keys(dim))}
            if left in self.ranges.elements:
                taken = {b.loop.name for b in (*scope.bindings, *bindings)}
                loop_name = left
                while loop_name in taken:
                    loop_name += "'"
                loop = Loop(loop_name, len(elements))
                bindings.append(Binding(left, loop, elements))
                index.append(Along(loop.name, tuple(axis[e] for e in elements)))
            else:
                index.append(At(axis[elements[0]]))
        inner = scope.opened(bindings)
        outer = scope.here[: scope.outer] if name in scope.local else ()
        return inner, (*outer, *index)

    def _define_constant(self, name: str, variable: _Variable) -> None:
        array = self.arrays[name]
        values = np.full(array.shape, np.nan)
        for component, box in variable.boxes:
            at = [
                _places_of(elements, self.ranges.keys(dim))
                for dim, elements in zip(array.dims, box.elements, strict=True)
            ]
            values[np.ix_(*at) if at else ()] = self._literal_values(component, box)
        self.rules.defaults[name] = tuple(float(v) for v in values.ravel())

    def _literal_values(self, component: Any, box: Region) -> np.ndarray:
        """Values of a box that a literal gives, in the shape of the box."""
        tree = component.ast
        shape = tuple(len(elements) for elements in box.elements)
        if _external(tree):
            return external.constants(
                self.path, tree, self._coordinates(component, box), shape, self._access
            )
        values = np.asarray(_folded(tree), dtype=float)
        if values.ndim == 0:
            return np.broadcast_to(values, shape)
        full = [
            self.ranges.keys(r) if (r := self.ranges.range(n)) else (key(n),)
            for n in component.subscripts[0]
        ]
        wanted = tuple(len(f) for f in full)
        if values.size != int(np.prod(wanted)):
            raise LoweringError(f"has {values.size} numbers, expected {int(np.prod(wanted))}")
        chosen = [_places_of(elements, f) for f, elements in zip(full, box.elements, strict=True)]
        return values.reshape(wanted)[np.ix_(*chosen)] if chosen else values.reshape(())

    def _coordinates(self, component: Any, box: Region) -> dict[str, list[str]]:
        """Subscripts of a box as PySD's readers of external files want them."""
        dims = axes(self.ranges, [component.subscripts[0]])
        shown = {}
        for number, (dim, elements) in enumerate(zip(dims, box.elements, strict=True)):
            names = dict(zip(self.ranges.keys(dim), self.ranges.elements[dim], strict=True))
            unique = dim if dim not in shown else f"{dim} {number}"
            shown[unique] = [names[e] for e in elements]
        return shown

    def _constant_at(self, values: np.ndarray, scope: Scope) -> Expression:
        """Read literal values that belong to an array with other equations."""
        loops = scope.bindings[scope.outer :]
        array = self._hidden_array(scope.owner, "numbers", loops)
        self.rules.defaults[array] = tuple(float(v) for v in values.ravel())
        return Read(array, tuple(b.loop.along for b in loops))

    def _define_input(self, name: str, how: str) -> None:
        array = self.arrays[name]
        if how == "constant":
            self.rules.defaults[name] = (float("nan"),) * array.size
            return
        table = self._fresh(f"{name} over time")
        points = tuple(((0.0,), (float("nan"),)) for _ in range(array.size))
        self._add_table(table, array.dims, array.shape, points, "interpolate")
        loops = tuple(Loop(d, n) for d, n in zip(array.dims, array.shape, strict=True))
        here = tuple(loop.along for loop in loops)
        self.rules.always.append(
            Equation(name, here, loops, Interpolate(table, here, Time(), "interpolate"))
        )

    def _initial_input(self, name: str) -> str:
        """The constant that holds the initial value of a stock that the caller gives."""
        held = f"initial {name}"
        if held not in self.arrays:
            array = self.arrays[name]
            self.arrays[held] = replace(array, name=held, kind="constant")
            self.rules.defaults[held] = (float("nan"),) * array.size
        return held

    def _define_lookup(self, name: str, variable: _Variable) -> None:
        array = self._lookups[name]
        points: list[Any] = [((), ())] * array.size
        for component, box in variable.boxes:
            tree = component.ast
            if type(tree).__name__ == "GetLookupsStructure":
                series = external.lookups(
                    self.path, tree, self._coordinates(component, box), self._access
                )
            else:
                series = [(tree.x, tree.y)] * len(box.cells())
                self.modes[name] = tree.type
            self.budget.points(series)
            for place, (x, y) in zip(self._places(array, box), series, strict=True):
                points[place] = (tuple(map(float, x)), tuple(map(float, y)))
        self.tables[name] = Table(name, array.shape, tuple(points))

    def _define_data(self, name: str, variable: _Variable) -> None:
        array = self.arrays[name]
        for component, box in variable.boxes:
            tree = component.ast
            kind = type(tree).__name__
            if kind not in ("DataStructure", "GetDataStructure"):
                self._define_box(name, component, box, Scope(name, (), self.names), None)
                continue
            inner, index = self._entered(name, box, Scope(name, (), self.names))
            mode = (getattr(component, "keyword", None) or "interpolate").replace(" ", "_")
            coordinates = self._coordinates(component, box)
            if kind == "GetDataStructure":
                series = external.data(self.path, tree, array.name, coordinates, mode, self._access)
            else:
                series = external.tabular(self.path, array.name, coordinates, self._access)
            points = tuple((tuple(map(float, x)), tuple(map(float, y))) for x, y in series)
            self.budget.points(points)
            shape = tuple(len(elements) for elements in box.elements)
            table = self._fresh(f"{name} over time")
            self._add_table(table, tuple(coordinates), shape, points, mode)
            self._over_time[name] = table if len(variable.boxes) == 1 else ""
            at: list[Index] = []
            loops = iter(inner.bindings)
            for left in box.names:
                if left in self.ranges.elements:
                    at.append(next(loops).loop.along)
                else:
                    at.append(At(0))
            self._always(name, index, inner, Interpolate(table, tuple(at), Time(), mode))

    def _places(self, array: Array, box: Region) -> list[int]:
        """Flat places of the cells of a box in an array, in the order of the box."""
        if not array.shape:
            return [0]
        at = [
            _places_of(elements, self.ranges.keys(dim))
            for dim, elements in zip(array.dims, box.elements, strict=True)
        ]
        grid = np.arange(array.size).reshape(array.shape)[np.ix_(*at)]
        return [int(p) for p in grid.ravel()]

    def _add_table(
        self,
        name: str,
        dims: tuple[str, ...],
        shape: tuple[int, ...],
        points: tuple[Any, ...],
        mode: str,
    ) -> None:
        self.tables[name] = Table(name, shape, points)
        self.modes[name] = mode
        self._table_dims[name] = dims

    # --- what expressions ask for ---

    def dims(self, name: str) -> tuple[str, ...]:
        """Subscript ranges of an array or table."""
        return self.arrays[name].dims if name in self.arrays else self._table_dims[name]

    def size(self, name: str) -> int:
        """Number of elements of an array."""
        return self.arrays[name].size

    def time_step(self) -> Expression:
        """The time step, as an expression."""
        return Read(self.names["time step"])

    def initial_time(self) -> Expression:
        """The initial time, as an expression."""
        return Read(self.names["initial time"])

    def time_unit(self) -> str:
        """The unit of time as a singular word: year, month, day, ..."""
        unit = key(self.arrays[self.names["time step"]].unit)
        return unit.removesuffix("s")

    def next_stream(self) -> int:
        """Number of a new stream of random numbers."""
        self.streams += 1
        return self.streams

    def warn(self, message: str) -> None:
        """Tell the user of something that is missing but does not stop a run."""
        warnings.warn(f"{self.path.name}: {message}", stacklevel=2)

    def over_time(self, name: str) -> str:
        """Table of the values of a data variable over time."""
        found = self.names.get(key(name), "")
        is_data = found in self.arrays and self.arrays[found].kind == "data"
        if not is_data or key(name) in self._inputs:
            raise LoweringError(f"expected a data variable, found '{name}'")
        if found not in self._over_time:
            self._define_data(found, self._variables[found])
        if not self._over_time.get(found):
            raise LoweringError(f"'{found}' has several equations, expected data of one")
        return self._over_time[found]

    def table_of(self, owner: str, points: Sequence[Any], shape: tuple[int, ...]) -> str:
        """A new table for a lookup that has no name."""
        name = self._fresh(f"lookup in {owner}")
        fixed = tuple((tuple(map(float, x)), tuple(map(float, y))) for x, y in points)
        self._add_table(name, (), shape, fixed, "interpolate")
        return name

    def numbers(self, values: tuple[int, ...]) -> str:
        """A hidden array that holds these numbers."""
        if values not in self._numbers:
            name = self._fresh("numbers " + " ".join(map(str, values[:6])))
            self.arrays[name] = Array(name, "hidden", ("",), (len(values),))
            self.rules.defaults[name] = tuple(map(float, values))
            self._numbers[values] = name
        return self._numbers[values]

    def hidden(self, scope: Scope, label: str, value: Expression) -> str:
        """A hidden array with one axis for each open loop, and its equation."""
        array = self._hidden_array(scope.owner, label, scope.bindings)
        self._always(array, scope.here, scope, value)
        return array

    def shared(self, scope: Scope, label: str, value: Expression) -> Expression:
        """The value, such that it can stand in several places and is computed once."""
        if isinstance(value, Number | Read | Time):
            return value
        return Read(self.hidden(scope, label, value), scope.here)

    def hidden_state(self, scope: Scope, label: str, stages: int = 0) -> str:
        """A hidden array that keeps its values from step to step."""
        array = self._hidden_array(scope.owner, label, scope.bindings, stages)
        self.rules.states.add(array)
        return array

    def hidden_stock(
        self, scope: Scope, label: str, stages: int = 0, *, non_negative: bool = False
    ) -> str:
        """A hidden stock."""
        array = self._hidden_array(scope.owner, label, scope.bindings, stages)
        self._make_stock(array, non_negative)
        return array

    def start(
        self,
        array: str,
        index: tuple[Index, ...],
        scope: Scope,
        value: Expression,
        extra: tuple[Loop, ...] = (),
    ) -> None:
        """Set an initial value."""
        self.rules.starts.append(Equation(array, index, (*extra, *scope.loops), value))

    def integrate(
        self,
        stock: str,
        index: tuple[Index, ...],
        scope: Scope,
        rate: Expression,
        extra: tuple[Loop, ...] = (),
    ) -> None:
        """Set the rate of a stock."""
        array = self.rules.rates[stock]
        self.rules.always.append(Equation(array, index, (*extra, *scope.loops), rate))

    def update(self, array: str, index: tuple[Index, ...], scope: Scope, value: Expression) -> None:
        """Set what a state is from the next step on."""
        self.rules.updates.append(Equation(array, index, scope.loops, value))

    def initial(self, scope: Scope, value: Expression) -> Expression:
        """The value that an expression has when the run begins."""
        if isinstance(value, Number):
            return value
        array = self.hidden_state(scope, "initial")
        self.rules.fixed_states.add(array)
        self.start(array, scope.here, scope, value)
        return Read(array, scope.here)

    def pipe(
        self,
        scope: Scope,
        source: Expression,
        delay: Expression,
        initial: Expression,
        missing: Expression | None = None,
    ) -> Expression:
        """A fixed delay; or, with a value for when nothing arrives, one of material."""
        out = self.hidden_state(scope, "fixed delay")
        span = self.hidden_state(scope, "length of the fixed delay")
        self.rules.fixed_states.add(span)
        self.start(out, scope.here, scope, initial)
        self.start(span, scope.here, scope, delay)
        into = self.hidden(scope, "input of the fixed delay", source)
        if missing is None:
            self.rules.pipes.append(Pipe(out, into, span))
        else:
            now = self.hidden(scope, "length of the material delay", delay)
            otherwise = self.hidden(scope, "when nothing arrives", missing)
            self.rules.pipes.append(Pipe(out, into, span, now, otherwise))
        return Read(out, scope.here)

    def block(self, function: str, arrays: Sequence[str], core: int, scope: Scope) -> Expression:
        """A function of whole arrays, over the last ``core`` loops of the scope."""
        out = self._hidden_array(scope.owner, function, scope.bindings)
        self.rules.always.append(Block(out, function, tuple(arrays), core))
        return Read(out, scope.here)

    def order(self, value: Expression) -> int:
        """Order of a chain: a whole number, which the file's numbers must settle."""
        number = value_at_start(self, value)
        if number is None:
            raise LoweringError(
                "the order of a delay or smooth must follow from the file's numbers alone"
            )
        if not 1 <= number <= 1000:
            raise LoweringError(
                f"the order of a delay or smooth must be from 1 to 1000, found {number:g}"
            )
        return int(number)

    def trees_of(self, name: str) -> list[Any]:
        """Equations of a variable of the file as they were read; none for a hidden array."""
        variable = self._variables.get(name)
        return [c.ast for c in variable.element.components] if variable else []

    def with_last(self, scope: Scope, tree: Any, count: int) -> Scope:
        """The scope with the loops of the last subscripts of a reference innermost."""
        wanted = [
            binding
            for token in _first_subscripts(tree)
            if (name := self.ranges.range(token)) is not None
            and (binding := self._loop_of(name, scope)) is not None
        ][-count:]
        if len(wanted) < count:
            raise LoweringError(
                f"expected an array with {count} subscript{'s' if count > 1 else ''} "
                "that the left side has too"
            )
        rest = tuple(b for b in scope.bindings if b not in wanted)
        if scope.outer and any(b in scope.bindings[: scope.outer] for b in wanted):
            raise LoweringError("a function of whole arrays cannot stand in a macro like this")
        return replace(scope, bindings=(*rest, *wanted))

    def _loop_of(self, name: str, scope: Scope) -> Binding | None:
        """The open loop of a range, or one whose range is mapped to it."""
        loops = [b for b in scope.bindings if not b.summed]
        own = (b for b in loops if b.range == name)
        mapped = (b for b in loops if self.ranges.counterparts(b.range, name))
        return next(own, next(mapped, None))

    def with_whole_last_axis(self, tree: Any, scope: Scope) -> tuple[Expression, Scope]:
        """A reference to an array, read along its whole last axis, whatever the file says there."""
        name = scope.names.get(key(getattr(tree, "reference", "")))
        if name is None or name not in self.arrays or not tree.subscripts:
            raise LoweringError("ALLOCATE AVAILABLE: the priority profile must be an array")
        last = self.dims(name)[-1]
        if len(self.ranges.elements[last]) != 4:
            raise LoweringError(
                f"ALLOCATE AVAILABLE: the last subscript of '{name}' must have 4 elements"
            )
        loop = Loop(f"{last} of the profile", 4)
        inner = scope.opened([Binding(last, loop, self.ranges.keys(last))])
        tokens = [*list(tree.subscripts.subscripts)[:-1], last]
        return Read(name, index_of(self, name, tokens, inner)), inner

    def expand(self, name: str, arguments: Sequence[Any], scope: Scope) -> Expression:
        """Put a macro's variables in the place of a call."""
        section = self.macros[name]
        if len(arguments) != len(section.params):
            raise LoweringError(
                f"the macro {section.name} takes {len(section.params)} arguments, "
                f"found {len(arguments)}"
            )
        if self._depth >= _DEEPEST_MACRO:
            raise LoweringError(f"the macro {section.name} calls itself")
        prefix = f"{scope.owner}: {section.name}: "
        names = dict(self.names)
        local: set[str] = set()
        for parameter, node in zip(section.params, arguments, strict=True):
            found = scope.names.get(key(getattr(node, "reference", "")))
            if found in self.tables and found not in self.arrays:
                names[key(parameter)] = found
                continue
            array = self.hidden(scope, f"{section.name}: {parameter}", lower(self, node, scope))
            names[key(parameter)] = array
            local.add(array)
        before = set(self._variables)
        for element in section.elements:
            self._declare(element, element.name, scope.bindings, names, prefix)
        own = [n for n in self._variables if n not in before]
        inner = Scope(
            scope.owner,
            scope.bindings,
            names,
            len(scope.bindings),
            frozenset(local | {n for n in own if n in self.arrays}),
        )
        self._depth += 1
        for unique in own:
            self._define(unique, self._variables.pop(unique), replace(inner, owner=unique))
        self._depth -= 1
        if name not in names:
            raise LoweringError(f"the macro {section.name} never says what its result is")
        return Read(names[name], scope.here)

    # --- at the end ---

    def clock(self) -> Clock:
        """The arrays that set the time of a run."""
        initial, final, step, saveper = (self.names[c] for c in CONTROL)
        return Clock(initial, final, step, saveper)

    def finished_arrays(self) -> dict[str, Array]:
        """All arrays, flows marked as such, in the order of the file."""
        rates = set(self.rules.rates.values())
        flows = {
            read.array
            for rule in self.rules.always
            if isinstance(rule, Equation) and rule.target in rates
            for read in parts(rule.value)
            if isinstance(read, Read)
        }
        finished = {}
        for name, array in {**self.arrays, **self._lookups}.items():
            kind = array.kind
            if kind == "auxiliary" and name in flows:
                kind = "flow"
            if kind == "auxiliary" and name in self.rules.defaults:
                kind = "constant"
            finished[name] = replace(array, kind=kind)
        order = dict.fromkeys(e.name for e in self._main.elements if e.name in finished)
        return {n: finished[n] for n in (*order, *(n for n in finished if n not in order))}

    # --- small steps ---

    def _always(
        self, array: str, index: tuple[Index, ...], scope: Scope, value: Expression
    ) -> None:
        self.rules.always.append(Equation(array, index, scope.loops, value))

    def _hidden_array(
        self, owner: str, label: str, bindings: Sequence[Binding], stages: int = 0
    ) -> str:
        name = self._fresh(f"{owner}: {label}")
        dims = tuple(b.range for b in bindings)
        shape = tuple(b.loop.extent for b in bindings)
        if stages:
            dims, shape = ("stage", *dims), (stages, *shape)
        self.budget.variable(shape)
        self.arrays[name] = Array(name, "hidden", dims, shape)
        return name

    def _make_stock(self, name: str, non_negative: bool) -> None:
        array = self.arrays[name]
        rate = self._fresh(f"rate of {name}")
        self.arrays[rate] = replace(array, name=rate, kind="rate", documentation="")
        self.rules.rates[name] = rate
        if non_negative:
            self.rules.non_negative.append(name)

    def _fresh(self, name: str) -> str:
        """A name that is not in use."""
        taken = (self.arrays, self.tables, self._variables)
        unique, number = name, self._numbered.get(name, 2)
        while any(unique in names for names in taken) or key(unique) in self.names:
            unique, number = f"{name} ({number})", number + 1
        self._numbered[name] = number
        return unique


class _blamed:  # noqa: N801 - reads as a phrase: with _blamed(model, name)
    """Turn an error of the lowering into one that names the file, the line and the variable."""

    def __init__(self, model: Lowering, name: str) -> None:
        self.model, self.name = model, name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, problem: BaseException | None, trace: Any) -> None:
        shown = one_line(self.name, 100)
        if isinstance(problem, LoweringError | SubscriptError):
            line = self.model._lines.get(self.name)
            raise InputFileError(self.model.path, str(problem), line=line, key=shown) from problem
        if isinstance(problem, RecursionError):
            found = "the expression is nested too deeply"
            raise InputFileError(self.model.path, found, key=shown) from problem


def _places_of(elements: Sequence[str], whole: Sequence[str]) -> list[int]:
    places = {element: place for place, element in enumerate(whole)}
    return [places[element] for element in elements]


def _literal(tree: Any) -> bool:
    if isinstance(tree, _LITERAL) or _external(tree):
        return True
    if type(tree).__name__ != "ArithmeticStructure":
        return False
    return (
        all(_literal(a) and not _external(a) for a in tree.arguments) and _folded(tree) is not None
    )


def _external(tree: Any) -> bool:
    return type(tree).__name__ == "GetConstantsStructure"


def _folded(tree: Any) -> Any:
    """Value of a literal: a number, an array, or arithmetic of numbers; None if it has none."""
    if isinstance(tree, _LITERAL):
        return tree
    from kredslob.lowering.expressions import lower as lower_expression

    if any(isinstance(a, np.ndarray) for a in tree.arguments):
        return None
    value = lower_expression(None, tree, Scope("", (), {}))  # type: ignore[arg-type]
    return value.value if isinstance(value, Number) else None


def _first_subscripts(tree: Any) -> list[str]:
    """Subscripts of the first reference in a tree that has any."""
    from pysd.translators.structures.abstract_expressions import ReferenceStructure

    found = (r for r in parts_of(tree, ReferenceStructure) if r.subscripts)
    first = next(found, None)
    return list(first.subscripts.subscripts) if first else []
