"""A model near one of its states as a linear system: what its feedback does to a small change.

The Jacobian says how the net flow of each stock answers to each stock. Its eigenvalues are the
rates at which small departures grow, fade or swing, and its eigenvectors say which stocks take
part. They are found for each strongly connected part of the Jacobian by itself, since nothing that
a part acts on without being acted on changes its eigenvalues; so parts that are alike, such as
two regions that have nothing to do with each other, do not count as repeated eigenvalues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from kredslob.arguments import is_number, refused
from kredslob.batches import batch_of, times_of
from kredslob.errors import ParameterError
from kredslob.feedback.moment import Moment, moment_of, parts_of, stocks_on_feedback
from kredslob.feedback.network import element_name
from kredslob.program import Program
from kredslob.simulation import HasParameters, Model, check_is_model

_STEP = float(np.cbrt(np.finfo(float).eps))  # of a stock's size: balances rounding and curvature
_SMALLEST = 1e-3  # of the largest value in the run: size of a stock that is nearly empty
_KINK = 1e-2  # by which the slopes to both sides of a smooth function never differ
_KINK_OF_ROW = 1e-4  # and how much of the net flow's largest answer this must be to matter
_ZERO = 1e-8  # of the terms that an eigenvalue adds up; the derivatives are known to about 1e-10
_SAME = 1e-7  # of the terms: eigenvalues that are nearer to each other are repeated
_ILL = 1e4  # condition of an eigenvalue from which its eigenvectors are known to 1 % at best
_NEARBY = 0.1  # of a stock's size: how far states may lie to show which totals all flows keep
_KEPT = 1e-10  # of the strongest way in which stocks move: a weaker one is rounding
_MOST_TRIES = 200  # evaluations of the net flows in a search for a steady state
_AT_REST = 1e-9  # of a net flow's answer to its stocks: what is left of it at a steady state


def linearise(
    model: Model,
    scenario: Mapping[str, Any] | HasParameters | None = None,
    *,
    time: float | None = None,
    years: float | None = None,
    time_step: float | None = None,
    steady: bool = False,
    **constants: Any,
) -> xr.Dataset:
    """Linearise a model at a time of a run, or at a steady state found from there.

    Parameters
    ----------
    model : Model
        Any model.
    scenario, years, time_step, **constants
        As for `Model.run`.
    time : float, optional
        A time step of the run, in its time unit. Default: the last time that is saved.
    steady : bool
        Whether to go from there to a state in which the net flows of the stocks on feedback are
        zero, with everything else held as it is at that time. Totals that all flows keep, such as
        of a closed population, stay as they are.

    Returns
    -------
    Dataset
        Over ``stock`` (the one whose net flow answers), ``cause`` (the stock that it answers to)
        and ``mode``, the one that grows fastest or fades slowest first, and last those of stocks
        that nothing acts on at this state. The stocks are those elements that lie on feedback,
        hidden ones of SMOOTH, DELAY and the like included; these are named after the variable they
        belong to, with the number of the stage.

        * "jacobian" (stock, cause): d net flow / d stock, in units of the one a time unit for
          each unit of the other; "kink": whether the slopes to both sides differ there.
        * "value", "net flow", "size" (stock) of the state; "variable": its stock with all its
          elements; "part of stock": number of the strongly connected part of the Jacobian.
        * "eigenvalue" (mode, complex; 1/time unit), with "eigenvalue real" and "eigenvalue
          imaginary"; "time constant" 1/abs(real), missing if that is zero; "period" 2 pi/
          abs(imaginary) and "damping ratio", missing if nothing swings.
        * "right eigenvector" (mode, cause; complex, the largest entry relative to its stock's size
          is one size) and "left eigenvector" (mode, stock); their product over the same stocks
          adds up to one. Both are zero outside the mode's "part".
        * "at zero": whether the eigenvalue is zero within rounding, so that it has sensitivities
          but no elasticities; "repeated": whether it is so near another one of its part, or so
          ill-conditioned, that eigenvectors mean nothing.

        Attributes "steady" (0 or 1), "kinks" (names of the causes), and what made the run.

    Raises
    ------
    ParameterError
        As for `Model.run`; or the time is no time step of the run, no stock lies on feedback, a
        net flow is no finite number, or no steady state is found.

    Notes
    -----
    Derivatives are central differences over a step of 6e-6 of each stock's size, from one batch of
    2n + 1 states. Whatever changes only from step to step is held still: fixed delays, samples,
    delay times of DELAY N. Random draws are those of a run's first step, the same for all states.
    Stocks that may not go below zero are treated as if they could.

    Examples
    --------
    >>> linear = kredslob.linearise(kredslob.load("predator_prey.mdl"), time=10)
    >>> linear["eigenvalue"].round(3).values
    array([-0.104+0.358j, -0.104-0.358j])
    >>> linear["period"].round(1).values
    array([17.6, 17.6])
    """
    check_is_model(model)
    if time is not None and not is_number(time):
        raise refused("time", time, "a number")
    design = model.shared_design(scenario, constants, years, time_step, None)
    target = model.target(design.inputs)
    batch, program = batch_of(target, design, 0), target.program
    stocks = stocks_on_feedback(program)
    if not len(stocks):
        raise ParameterError(f"{program.name}: no stock lies on feedback, nothing to linearise")
    rk4 = program.integration == "rk4"
    history = target.run(batch, stocks, rk4=rk4, threads=1)
    when = history.times[-1] if time is None else times_of([time], target, batch, "time")[0]
    moment = moment_of(target, batch, stocks, when, rk4=rk4)
    largest = np.abs(history.values[0]).max(axis=0)
    state = moment.state[stocks]
    if steady:
        state = _steady(moment, state, largest)
    slopes = _slopes(moment, state, largest)
    names = [_named(program, place) for place in stocks]
    _check(slopes, [name for _, name in names], f"{program.name}, time {when:g}", steady)
    targets, sources = np.nonzero(slopes.central)
    part = parts_of(sources, targets, len(names))
    modes = _modes(slopes.central, slopes.sizes, part, float(np.ptp(history.times)))
    unit = program.arrays[program.clock.step].unit
    made_by = model.provenance(design, scenario, program.integration, 0)
    kinks = ", ".join(names[k][1] for k in np.flatnonzero(slopes.kink.any(axis=0)))
    return (
        _labelled(slopes, modes, part, names, unit)
        .assign_coords(time=((), when, {"long_name": "time", "units": unit}))
        .assign_attrs(made_by, steady=int(steady), kinks=kinks)
    )


# --- slopes ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Slopes:
    """How net flows answer to stocks near a state; matrices are (stock, cause)."""

    state: np.ndarray
    sizes: np.ndarray
    flows: np.ndarray
    central: np.ndarray
    kink: np.ndarray

    @property
    def answers(self) -> np.ndarray:
        """Largest answer of each net flow to a change of a stock by its size."""
        return (np.abs(self.central) * self.sizes).max(axis=1)


def _slopes(moment: Moment, state: np.ndarray, largest: np.ndarray) -> _Slopes:
    sizes, count = _sizes(state, largest), len(state)
    states = np.repeat(state[np.newaxis], 2 * count + 1, axis=0)
    with np.errstate(invalid="ignore"):  # checked when all is known
        up, down = state + _STEP * sizes, state - _STEP * sizes
        np.fill_diagonal(states[1 : count + 1], up)
        np.fill_diagonal(states[count + 1 :], down)
        flows = moment.net_flows(states).T
        here, above, below = np.split(flows, [1, count + 1], axis=1)
        forward, backward = (above - here) / (up - state), (here - below) / (state - down)
        central = (above - below) / (up - down)
    apart, steepest = np.abs(forward - backward), np.maximum(np.abs(forward), np.abs(backward))
    row = np.maximum((steepest * sizes).max(axis=1), np.abs(here[:, 0]))
    kink = (apart > _KINK * steepest) & (apart * sizes > _KINK_OF_ROW * row[:, np.newaxis])
    return _Slopes(state, sizes, here[:, 0], central, kink)


def _sizes(state: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """Size of each stock: its value, unless that is next to nothing of what it is in the run."""
    return np.maximum(np.abs(state), np.where(largest > 0, _SMALLEST * largest, 1.0))


def _steady(moment: Moment, state: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """The state, reached from this one, whose net flows are smallest, by Levenberg-Marquardt."""
    from scipy.optimize import root

    pace, ways = _ways(moment, state, _sizes(state, largest))
    if not ways.size:  # nothing moves
        return state
    back, out = ways.T / pace, ways * pace[:, np.newaxis]

    def flows(moved: np.ndarray) -> np.ndarray:
        return back @ moment.net_flows((state + out @ moved)[np.newaxis])[0]

    def jacobian(moved: np.ndarray) -> np.ndarray:
        return back @ _slopes(moment, state + out @ moved, largest).central @ out

    start, options = np.zeros(ways.shape[1]), {"maxiter": _MOST_TRIES}
    found = root(flows, start, jac=jacobian, method="lm", tol=1e-15, options=options)
    return state + out @ found.x


def _ways(moment: Moment, state: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How fast each stock moves, and the ways (columns) in which stocks can move at that pace.

    A total that all flows keep, such as of a closed population, is kept in the search, too: it
    would be in any run, and the steady state depends on it. The net flows at some states nearby
    span what is left.
    """
    random = np.random.default_rng(0).uniform(0, _NEARBY, (2 * len(state) + 1, len(state)))
    flows = np.nan_to_num(moment.net_flows(state + sizes * random))
    pace = np.abs(flows).max(axis=0)
    pace[pace == 0] = 1.0
    ways, strength, _ = np.linalg.svd((flows / pace).T, full_matrices=False)
    return pace, ways[:, strength > _KEPT * max(strength[0], np.finfo(float).tiny)]


def _check(slopes: _Slopes, names: Sequence[str], where: str, steady: bool) -> None:
    """Refuse a state that is none, or is not at rest as it should be."""
    broken = ~(np.isfinite(slopes.flows) & np.isfinite(slopes.central).all(axis=1))
    if broken.any() and not steady:
        raise ParameterError(
            f"{where}: the net flow of '{names[int(broken.argmax())]}' is no finite number"
        )
    moving = ~(np.abs(slopes.flows) <= _AT_REST * slopes.answers)
    if steady and moving.any():
        which = int(moving.argmax())
        raise ParameterError(
            f"{where}: no steady state found from there; the net flow of '{names[which]}' "
            f"stays at {slopes.flows[which]:g}"
        )


def _named(program: Program, place: int) -> tuple[str, str]:
    """Name of the stock that lies at a place, and of its element there.

    The stages of a delay are stocks of their own: ``orders: delay 2`` and its ``[north]``.
    """
    stocks = (program.arrays[n] for n in program.stocks)
    array = next(a for a in stocks if a.offset <= place < a.offset + a.size)
    element = place - array.offset
    if array.dims[:1] != ("stage",) or "stage" in program.ranges:
        return array.name, element_name(array, element, program.ranges)
    shape = array.shape[1:]
    size = array.size // array.shape[0]
    stage = element // size + 1
    name = f"{array.name} {stage}" if array.shape[0] > 1 else array.name
    part = replace(array, name=name, dims=array.dims[1:], shape=shape)
    return name, element_name(part, element % size, program.ranges)


# --- eigenvalues -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Modes:
    """Eigenvalues with their eigenvectors, (modes, stocks), scaled to a product of one.

    ``terms`` are the sizes of the terms whose sum an eigenvalue is, a_ij l_i r_j, added up; they do
    not depend on units. ``gap`` is the distance to the nearest other eigenvalue of the same part.
    ``rounding`` is what cannot be told from zero.
    """

    values: np.ndarray
    left: np.ndarray
    right: np.ndarray
    part: np.ndarray
    terms: np.ndarray
    gap: np.ndarray
    rounding: np.ndarray

    @property
    def at_zero(self) -> np.ndarray:
        return np.abs(self.values) <= self.rounding

    @property
    def repeated(self) -> np.ndarray:
        condition = np.abs(self.left * self.right).sum(axis=1)  # at the best choice of units
        return (self.gap <= _SAME * self.terms) | ~(condition <= _ILL)


def _modes(jacobian: np.ndarray, sizes: np.ndarray, part: np.ndarray, span: float) -> _Modes:
    """Modes of each part, the one that grows fastest first."""
    found = []
    for number in range(part.max() + 1):
        own = np.flatnonzero(part == number)
        matrix = jacobian[np.ix_(own, own)] * sizes[own] / sizes[own][:, np.newaxis]
        values, left, right = _eigen(matrix)
        terms = (np.abs(left) @ np.abs(matrix) * np.abs(right)).sum(axis=1)
        apart = np.abs(values - values[:, np.newaxis])
        np.fill_diagonal(apart, np.inf)
        vectors = np.zeros((2, len(own), len(sizes)), dtype=complex)
        vectors[0][:, own], vectors[1][:, own] = left / sizes[own], right * sizes[own]
        where = np.full(len(own), number)
        # What cancels out inside an entry is not seen in the terms; it comes to nothing in the run.
        rounding = _ZERO * np.maximum(terms, 1 / span if span > 0 else 0.0)
        found.append((values, *vectors, where, terms, apart.min(axis=1), rounding))
    values, *rest = (np.concatenate(columns) for columns in zip(*found, strict=True))
    unlinked = rest[3] == 0
    order = np.lexsort((-values.imag, np.abs(values.imag), -values.real, unlinked))
    return _Modes(values[order], *(column[order] for column in rest))


def _eigen(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues, left and right eigenvectors as rows: the right with a largest entry of one."""
    from scipy.linalg import eig

    values, left, right = eig(matrix, left=True, right=True)
    left, right = left.conj().T, right.T
    largest = np.abs(right).argmax(axis=1)
    right = right / right[np.arange(len(right)), largest][:, np.newaxis]
    with np.errstate(divide="ignore", invalid="ignore"):  # no product, no distinct eigenvalue
        left = left / (left * right).sum(axis=1)[:, np.newaxis]
    return values, left, right


# --- what comes out ----------------------------------------------------------------------------


def _labelled(
    slopes: _Slopes, modes: _Modes, part: np.ndarray, names: Sequence[tuple[str, str]], unit: str
) -> xr.Dataset:
    real = modes.values.real
    swing = np.where(modes.values.imag != 0, np.abs(modes.values.imag), np.nan)
    pace = np.where(np.abs(real) > modes.rounding, np.abs(real), np.nan)
    rate = f"1/{unit or 'time unit'}"
    stock, entry, mode = ("stock",), ("stock", "cause"), ("mode",)
    data: dict[str, tuple[tuple[str, ...], Any, str]] = {
        "jacobian": (entry, slopes.central, f"stock/cause/{unit or 'time unit'}"),
        "kink": (entry, slopes.kink, ""),
        "value": (stock, slopes.state, "unit of the stock"),
        "net flow": (stock, slopes.flows, f"unit of the stock/{unit or 'time unit'}"),
        "size": (stock, slopes.sizes, "unit of the stock"),
        "variable": (stock, [variable for variable, _ in names], ""),
        "part of stock": (stock, part, ""),
        "eigenvalue": (mode, modes.values, rate),
        "eigenvalue real": (mode, real, rate),
        "eigenvalue imaginary": (mode, modes.values.imag, rate),
        "time constant": (mode, 1 / pace, unit),
        "period": (mode, 2 * np.pi / swing, unit),
        "damping ratio": (mode, -real / np.where(swing > 0, np.abs(modes.values), np.nan), "Dmnl"),
        "left eigenvector": (("mode", "stock"), modes.left, "1/unit of the stock"),
        "right eigenvector": (("mode", "cause"), modes.right, "unit of the stock"),
        "part": (mode, modes.part, ""),
        "at zero": (mode, modes.at_zero, ""),
        "repeated": (mode, modes.repeated, ""),
    }
    labels = [name for _, name in names]
    return xr.Dataset(
        {n: (d, np.asarray(v), {"long_name": n, "units": u}) for n, (d, v, u) in data.items()},
        {"stock": labels, "cause": labels, "mode": np.arange(len(labels))},
    )
