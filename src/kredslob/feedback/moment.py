"""A model at one moment: its net flows as a function of its stocks alone.

The program of a run is cut down to the equations of a single step. What a run carries from step to
step, or computes once when it begins, becomes a constant with the value that it has at the moment.
So the compiled engine gives the net flows for as many states as are wanted, side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from kredslob.feedback.links import Link, links_of
from kredslob.lowering.ordering import reads
from kredslob.program import Array, Clock, Program, Statement, placed
from kredslob.targets.numba import Batch, NumbaTarget, Points

_NOW = "time of the moment\n"  # no file can have it: names have no line breaks


@dataclass(frozen=True)
class Moment:
    """A model at one moment of a run.

    Parameters
    ----------
    program : Program
        One step of the model, with what it is given in place of what it was.
    constants : array of float, shape (constant elements,)
        What is held still.
    tables : sequence of mapping
        Lookups and data of the run.
    state : array of float, shape (stock elements,)
        All stocks of the model at the moment.
    stocks : array of int, shape (stocks on feedback,)
        Which of them lie on feedback.
    """

    program: Program
    constants: np.ndarray
    tables: Sequence[Mapping[str, Sequence[Points]]]
    state: np.ndarray
    stocks: np.ndarray

    @cached_property
    def _target(self) -> NumbaTarget:
        return NumbaTarget(self.program)

    def net_flows(self, values: np.ndarray) -> np.ndarray:
        """Net flows of the stocks on feedback.

        Parameters
        ----------
        values : array of float, shape (states, stocks on feedback)
            Values of these stocks; all others are as at the moment.

        Returns
        -------
        array of float, shape (states, stocks on feedback)
            In units of the stock a time unit.
        """
        states = np.repeat(self.state[np.newaxis], len(values), axis=0)
        states[:, self.stocks] = values
        every = np.arange(len(self.state))
        numbers = np.zeros(len(values), dtype=np.int64)  # one run: the same draws for all states
        batch = Batch(self.constants, every, states, numbers, self.tables)
        rates = len(self.state) + self.stocks
        return self._target.run(batch, rates).values[:, 0]


def moment_of(
    target: NumbaTarget, batch: Batch, stocks: np.ndarray, time: float, *, rk4: bool
) -> Moment:
    """Stop a run at a moment.

    Parameters
    ----------
    target : NumbaTarget
        A model.
    batch : Batch
        One run of it.
    stocks : array of int, shape (stocks,)
        Places of the stocks whose net flows are wanted.
    time : float
        A time step of the run.
    rk4 : bool
        Whether the run is integrated by Runge-Kutta.

    Returns
    -------
    Moment

    Raises
    ------
    ParameterError
        As for `NumbaTarget.run`.
    """
    program = target.program
    step, held = _one_step(program, stocks)
    every = np.arange(program.state_size)
    places = np.concatenate([every, *(target.places(name) for name in held)])
    values = target.run(batch, places, at=[time], rk4=rk4, threads=1).values[0, 0]
    state, rest = np.split(values, [len(every)])
    constants = np.concatenate([batch.constants, rest, [time]])
    return Moment(step, constants, batch.tables, state, stocks)


def stocks_on_feedback(program: Program) -> np.ndarray:
    """Places of the stock elements that act on themselves, hidden stocks included.

    Parameters
    ----------
    program : Program
        A lowered model.

    Returns
    -------
    array of int, shape (stocks,)
        In the order of the memory. A way through a fixed delay, or anything else that changes
        only from step to step, does not count.
    """
    discrete = {u.target for u in program.updates} | {p.target for p in program.pipes}
    links = [k for k in links_of(program) if k.target not in discrete]
    first = _first_nodes(links)
    if not links:
        return np.zeros(0, dtype=np.int64)
    sources = np.concatenate([first[k.source] + k.sources for k in links])
    targets = np.concatenate([first[k.target] + k.targets for k in links])
    count = int(max(sources.max(), targets.max())) + 1
    part = parts_of(sources, targets, count)
    looping = np.bincount(part)[part] > 1  # a stock is no loop by itself: its rate lies between
    stocks = [program.arrays[name] for name in program.stocks if name in first]
    if not stocks:
        return np.zeros(0, dtype=np.int64)
    nodes = np.concatenate([first[a.name] + np.arange(a.size) for a in stocks])
    places = np.concatenate([a.offset + np.arange(a.size) for a in stocks])
    return np.sort(places[looping[nodes]])


def parts_of(sources: np.ndarray, targets: np.ndarray, count: int) -> np.ndarray:
    """Number of the strongly connected part of each of ``count`` nodes, by the ends of links."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(sources)), (sources, targets)), shape=(count, count))
    return connected_components(graph, directed=True, connection="strong")[1]


def _first_nodes(links: Iterable[Link]) -> dict[str, int]:
    """Number of the first element of each array, if all elements of all arrays are counted up."""
    sizes: dict[str, int] = {}
    for link in links:
        for name, elements in ((link.source, link.sources), (link.target, link.targets)):
            sizes[name] = max(sizes.get(name, 0), int(elements.max(initial=-1)) + 1)
    return dict(zip(sizes, np.cumsum([0, *sizes.values()]).tolist(), strict=False))


# --- a program of one step ---------------------------------------------------------------------


def _one_step(program: Program, stocks: np.ndarray) -> tuple[Program, list[str]]:
    """The equations that lead to the rates of some stocks, and the arrays that are now given."""
    rates = {
        a.name
        for a in program.arrays.values()
        if a.kind == "rate" and np.isin(_places(a) - program.state_size, stocks).any()
    }
    dynamics = _leading_to(program, rates)
    read = {r.array for s in dynamics for r in reads(s)} | {program.clock.step}
    started = dict.fromkeys(s.target for s in program.initial)
    held = [n for n in started if n in read and n not in program.stocks]
    given = {n: (float("nan"),) * program.arrays[n].size for n in held}
    step = replace(
        program,
        arrays=_with_constants(program, [*program.defaults, *held, _NOW]),
        defaults={**program.defaults, **given, _NOW: (float("nan"),)},
        initial=(),
        dynamics=tuple(dynamics),
        reports=(),
        updates=(),
        pipes=(),
        non_negative=(),
        clock=Clock(_NOW, _NOW, program.clock.step, program.clock.step),
    )
    return step, held


def _places(array: Array) -> np.ndarray:
    return np.arange(array.offset, array.offset + array.size)


def _leading_to(program: Program, targets: Iterable[str]) -> list[Statement]:
    """Statements of a step that these arrays depend on, in order."""
    needed = set(targets)
    kept: list[Statement] = []
    for statement in reversed(program.dynamics):
        if statement.target in needed:
            kept.append(statement)
            needed |= {r.array for r in reads(statement)}
    return kept[::-1]


def _with_constants(program: Program, constants: Sequence[str]) -> dict[str, Array]:
    """The arrays in a memory that has these constants; none is ever shown."""
    arrays = {**program.arrays, _NOW: Array(_NOW, "hidden")}
    shown = {n: a for n, a in arrays.items() if a.kind not in ("rate", "lookup")}
    arrays |= {n: replace(a, kind="hidden") for n, a in shown.items()}
    integrated = [n for n in program.layout if arrays[n].offset < 2 * program.state_size]
    return placed(arrays, [*integrated, *constants])
