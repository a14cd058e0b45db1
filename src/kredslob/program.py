"""The lowered model: ordered equations over named arrays. Pure data; knows no target.

An expression is a small tree. Subscripts stay loops: an equation says over which elements it runs
and where in the arrays it reads and writes, so that a target can emit a loop, not a copy for each
element. Every array has its place in one flat memory, stocks first, then their rates, then the
constants: a target integrates one block, and a run is set up by filling another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

# --- where in an array -------------------------------------------------------------------------


@dataclass(frozen=True)
class At:
    """A fixed position on one axis of an array."""

    position: int


@dataclass(frozen=True)
class Along:
    """A position that follows a loop: ``positions[i]`` when the loop is at ``i``."""

    loop: str
    positions: tuple[int, ...]


@dataclass(frozen=True)
class Computed:
    """A position that is computed while the model runs; clipped to the axis."""

    value: Expression


Index = At | Along | Computed


@dataclass(frozen=True)
class Loop:
    """A loop over elements of a subscript range. Its name is unique within an equation."""

    name: str
    extent: int

    @property
    def along(self) -> Along:
        """The position of the loop on an axis of its own."""
        return Along(self.name, tuple(range(self.extent)))


# --- expressions -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    """A number; NaN is Vensim's :NA:."""

    value: float


@dataclass(frozen=True)
class Time:
    """The present time."""


@dataclass(frozen=True)
class Position:
    """Where a loop is, counted from zero, as a number."""

    loop: str


@dataclass(frozen=True)
class Read:
    """One element of an array."""

    array: str
    index: tuple[Index, ...] = ()


@dataclass(frozen=True)
class Call:
    """A function or operator of `kredslob.functions`."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class If:
    """``yes`` where ``condition`` is not zero, else ``no``."""

    condition: Expression
    yes: Expression
    no: Expression


@dataclass(frozen=True)
class Reduce:
    """A sum, product, minimum, maximum, ... of ``body`` over loops.

    ``selector`` and ``missing`` belong to VECTOR SELECT: elements whose selector is zero do not
    count, and ``missing`` is the result when none counts.
    """

    operation: str
    loops: tuple[Loop, ...]
    body: Expression
    selector: Expression | None = None
    missing: Expression | None = None


@dataclass(frozen=True)
class Interpolate:
    """Value of a table (a lookup) at an argument."""

    table: str
    index: tuple[Index, ...]
    argument: Expression
    mode: str


@dataclass(frozen=True)
class Random:
    """A draw; ``stream`` tells apart the draws of one run."""

    distribution: str
    arguments: tuple[Expression, ...]
    stream: int


@dataclass(frozen=True)
class ByPhase:
    """One expression while initial values are computed, another while the model runs."""

    initial: Expression
    running: Expression


Expression = Number | Time | Position | Read | Call | If | Reduce | Interpolate | Random | ByPhase

# --- equations ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Equation:
    """``target[index] = value`` for each element of the loops.

    Parameters
    ----------
    target : str
        The array that is written.
    index : tuple of Index
        Where in it; one entry an axis.
    loops : tuple of Loop
        Outermost first.
    value : Expression
        What is computed.
    """

    target: str
    index: tuple[Index, ...]
    loops: tuple[Loop, ...]
    value: Expression


@dataclass(frozen=True)
class Block:
    """A function of whole arrays, such as sorting or allocation, for each element of the loops.

    Parameters
    ----------
    target : str
        The array that is written; its last ``core`` axes are handed to the function whole.
    function : str
        Name in `kredslob.functions.BLOCKS`.
    inputs : tuple of str
        Arrays that are read. Leading axes run with those of the target.
    core : int
        How many of the last axes of the target belong to the function.
    """

    target: str
    function: str
    inputs: tuple[str, ...]
    core: int


@dataclass(frozen=True)
class Pipe:
    """A fixed delay: a queue of one place a step between ``source`` and ``target``.

    Its length is the delay time over the time step when the run begins, at least one, rounded.
    All are arrays of one shape.

    Parameters
    ----------
    target, source : str
        What comes out and what goes in.
    delay : str
        The delay time when the run begins.
    present : str, optional
        For a delay of material: the delay time of what enters now. What arrives together is
        added up.
    missing : str, optional
        For a delay of material: what comes out when nothing arrives.
    """

    target: str
    source: str
    delay: str
    present: str = ""
    missing: str = ""


Statement = Equation | Block


@dataclass(frozen=True)
class Array:
    """A named array of the model.

    Parameters
    ----------
    name : str
        As the file writes it; hidden arrays have names that no file can write.
    kind : str
        stock, flow, auxiliary, constant, lookup, data, control; or hidden, rate.
    dims : tuple of str
        Names of the subscript ranges of the axes.
    shape : tuple of int
        Number of elements along each axis.
    offset : int
        Place of its first element in the run's memory; the last axis varies fastest.
    unit, documentation : str
        As the file writes them.
    line : int
        Line in the file, counted from 1; 0 if unknown.
    """

    name: str
    kind: str
    dims: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    offset: int = -1
    unit: str = ""
    documentation: str = ""
    line: int = 0

    @property
    def size(self) -> int:
        """Number of elements."""
        size = 1
        for extent in self.shape:
            size *= extent
        return size

    @property
    def is_visible(self) -> bool:
        """Whether it is a variable of the file."""
        return self.kind not in ("hidden", "rate")


@dataclass(frozen=True)
class Table:
    """Points of a lookup or of data over time, for each element of an array.

    Parameters
    ----------
    name : str
        The lookup's or data variable's name.
    shape : tuple of int
        Number of elements along each axis.
    points : tuple of (xs, ys)
        One entry an element, in the order of the array; xs rise.
    number : int
        Place of its first element among the tables of the program.
    """

    name: str
    shape: tuple[int, ...]
    points: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]
    number: int = -1


@dataclass(frozen=True)
class Clock:
    """Names of the arrays that set the time of a run."""

    initial: str
    final: str
    step: str
    saveper: str


@dataclass(frozen=True)
class Program:
    """A model, lowered.

    Parameters
    ----------
    name : str
        File name of the model.
    sha256 : str
        Hash of the file's bytes.
    arrays : mapping of str to Array
        All arrays by name, hidden ones included, in the order of the file.
    ranges : mapping of str to tuple of str
        Elements of each subscript range.
    tables : mapping of str to Table
        Lookups and data.
    defaults : mapping of str to tuple of float
        Values of each constant, flat, as the file gives them.
    initial : tuple of Statement
        What is computed once when a run begins, in order: whatever does not change in a run, and
        the initial values of stocks.
    dynamics : tuple of Statement
        What each step needs, in order; the rates of the stocks come last.
    reports : tuple of Statement
        What only a reader needs; computed when values are saved.
    updates : tuple of Equation
        Assignments at the end of each step, in order, from the values of that step.
    pipes : tuple of Pipe
        Fixed delays.
    stocks : tuple of str
        Stocks in the order of the memory, hidden ones included.
    non_negative : tuple of str
        Stocks that are held at zero or above.
    clock : Clock
        Time of a run.
    integration : str
        euler or rk4, as the file says.
    """

    name: str
    sha256: str
    arrays: Mapping[str, Array]
    ranges: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, Table]
    defaults: Mapping[str, tuple[float, ...]]
    initial: tuple[Statement, ...]
    dynamics: tuple[Statement, ...]
    reports: tuple[Statement, ...]
    updates: tuple[Equation, ...]
    pipes: tuple[Pipe, ...]
    stocks: tuple[str, ...]
    non_negative: tuple[str, ...]
    clock: Clock
    integration: str = "euler"
    streams: int = field(default=0)

    @cached_property
    def by_key(self) -> Mapping[str, Array]:
        """Visible arrays by their names as they compare."""
        return {key(n): a for n, a in self.arrays.items() if a.is_visible}

    @cached_property
    def size(self) -> int:
        """Number of places in the memory of a run."""
        return sum(array.size for array in self.arrays.values() if array.offset >= 0)

    @cached_property
    def layout(self) -> tuple[str, ...]:
        """Names of the arrays that have a place, in the order of the memory."""
        held = [a for a in self.arrays.values() if a.offset >= 0]
        return tuple(a.name for a in sorted(held, key=lambda a: a.offset))

    @cached_property
    def state_size(self) -> int:
        """Number of stock elements: the first places of the memory; their rates follow."""
        return sum(self.arrays[name].size for name in self.stocks)


def placed(arrays: Mapping[str, Array], first: Sequence[str]) -> dict[str, Array]:
    """Arrays with their places in the memory: those named come first, in this order.

    Lookups have no place. What is integrated must come first, then the constants; see `Program`.
    """
    known = set(first)
    rest = [n for n, a in arrays.items() if n not in known and a.kind != "lookup"]
    offsets, place = {}, 0
    for name in (*first, *rest):
        offsets[name] = place
        place += arrays[name].size
    return {n: replace(a, offset=offsets.get(n, -1)) for n, a in arrays.items()}


@lru_cache(maxsize=65_536)  # the names of a model are asked for again at each run
def key(name: str) -> str:
    """Name as it compares: case, blanks, underscores and quotes around it make no difference."""
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1]
    return " ".join(name.replace("_", " ").lower().split())
