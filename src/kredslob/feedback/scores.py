"""Loops That Matter: how much each link and loop drives a model at each moment.

The score of a link is the part of its target's change that it brings about, with its sign; the
score of a loop is the product of its links' scores; its relative score is its share of the scores
of all loops in the same cycle partition. Flows act on stocks by the change of the net flow (the
form of 2023, with which it makes no difference how flows are split up).

Sources: Schoenberg, Davidsen and Eberlein 2020, doi:10.1002/sdr.1658; Schoenberg, Hayward and
Eberlein 2023, doi:10.1002/sdr.1728; on finding loops, Eberlein and Schoenberg 2020,
arXiv:2009.05089.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.arguments import check_result, check_whole, hint, refused
from kredslob.batches import batch_of
from kredslob.design import Design
from kredslob.errors import ParameterError
from kredslob.feedback.loops import MOST_LOOPS, canonical, cycles_of
from kredslob.feedback.network import Network, feedback_part, network, saved_arrays
from kredslob.program import Program, key
from kredslob.simulation import HasParameters, Model, check_is_model
from kredslob.targets.kernels import compiled
from kredslob.targets.numba import NumbaTarget

ARROW = " → "
CERTAIN = 0.99  # how much of what a loop did must be of one sign for it to have a polarity
_REST = 1e-13  # of the largest value: smaller changes are rounding
_MOST_FOUND = 20_000  # loops that a search may find
_MOST_STEPS = 100_000_000  # that it may take: about a second
_WALKS = Path(__file__).with_name("walks.py")


class Feedback:
    """The feedback of a model, ready to be scored in one run after another.

    Parameters
    ----------
    model : Model
        Any model.
    elements : bool
        Whether each element of a subscripted variable is a variable of its own. Otherwise a loop
        goes along whole variables, and its score is the sum over the loops that go along their
        elements, each variable once.

    Examples
    --------
    >>> feedback = kredslob.Feedback(kredslob.load("predator_prey.mdl"))
    >>> scores = feedback.scores(years=10)
    >>> scores["path"].values.tolist()
    ['Prey → Predator', 'Prey', 'Predator']
    """

    def __init__(self, model: Model, *, elements: bool = False) -> None:
        check_is_model(model)
        self.model = model
        self.elements = elements
        self._structures: dict[tuple[tuple[str, str], ...], _Structure] = {}

    def scores(
        self,
        scenario: Mapping[str, Any] | HasParameters | None = None,
        *,
        years: float | None = None,
        time_step: float | None = None,
        seed: int = 0,
        known: Iterable[Sequence[str]] = (),
        most: int = MOST_LOOPS,
        **constants: Any,
    ) -> xr.Dataset:
        """Run the model and score its links and loops at each time step.

        Parameters
        ----------
        scenario, years, time_step, seed, **constants
            As for `Model.run`. Integration is Euler's.
        known : iterable of sequence of str
            Loops to score in any case, each as the names of its variables once round.
        most : int
            Number of loops up to which all are scored. If there are more, the strongest paths from
            each stock back to itself are followed at each time step, and what they find is scored;
            this can miss loops.

        Returns
        -------
        Dataset
            Over ``loop``, the one that contributes most first, ``link`` and ``time``, at the later
            end of each step. "loop score" and "link score" (Dmnl); "relative score" (Dmnl, -1 to
            1; absolute values add up to one in each partition, or are all zero at rest);
            "contribution": mean absolute relative score; "polarity" (R, B or ? if mixed) and
            "confidence" in it; "path", "length" and "partition" of each loop; "source" and
            "target" of each link. A link between subscripted variables has the score of its
            strongest element link. Attributes "all_loops" (1 if none is left out), "search", and
            what made the run.

        Raises
        ------
        ParameterError
            As for `Model.run`; or a known loop is not in the model.

        Examples
        --------
        >>> feedback = kredslob.Feedback(kredslob.load("predator_prey.mdl"))
        >>> scores = feedback.scores(years=10)
        >>> round(float(scores["relative score"].sel(loop="B1", time=10)), 2)
        -0.48
        """
        check_whole("most", most, 0)
        design = self.model.shared_design(scenario, constants, years, time_step, None)
        name = tuple(sorted(design.inputs.items()))
        if name not in self._structures:
            program = self.model.target(design.inputs).program
            self._structures[name] = _Structure(program, self.elements)
        structure = self._structures[name]
        times, scores = structure.link_scores(design, seed)
        loops = structure.loops(scores, known, most)
        made_by = self.model.provenance(design, scenario, "euler", seed)
        found = _labelled(structure.network, scores, loops, times, made_by)
        program = self.model.program
        found["time"].attrs["units"] = program.arrays[program.clock.step].unit
        return found


def path_score(scores: xr.Dataset, *variables: str) -> xr.DataArray:
    """Score of a path: the product of the scores of its links.

    Parameters
    ----------
    scores : Dataset
        From `Feedback.scores`.
    *variables : str
        Two or more, each acting on the next.

    Returns
    -------
    DataArray
        Over ``time`` (Dmnl).

    Raises
    ------
    ParameterError
        Two variables in a row have no link that lies on a loop.

    Examples
    --------
    >>> scores = kredslob.Feedback(kredslob.load("predator_prey.mdl")).scores(years=10)
    >>> score = kredslob.path_score(scores, "Prey", "Predator")
    >>> round(float(score.sel(time=10)), 2)
    1.07
    """
    check_result("scores", scores, ["source", "link"], "Feedback(model).scores")
    if len(variables) < 2 or not all(isinstance(name, str) for name in variables):
        raise refused("path", list(variables), "two names or more, one after the other")
    pairs = list(zip(scores["source"].values, scores["target"].values, strict=True))
    places = {(key(str(a)), key(str(b))): k for k, (a, b) in enumerate(pairs)}
    missing = [(a, b) for a, b in pairwise(variables) if (key(a), key(b)) not in places]
    if missing:
        a, b = missing[0]
        names = sorted({str(name) for pair in pairs for name in pair})
        unknown = next((name for name in missing[0] if name not in names), "")
        said = hint(unknown, names) if unknown else ""
        raise ParameterError(f"path: no link from '{a}' to '{b}' lies on a loop{said}")
    way = [places[key(a), key(b)] for a, b in pairwise(variables)]
    score = scores["link score"].isel(link=way).prod("link")
    score.attrs = {"units": "Dmnl", "long_name": f"score of {ARROW.join(variables)}"}
    return score


@dataclass(frozen=True)
class _Loops:
    """Loops along visible variables, and the ways through the network that each one stands for."""

    names: Sequence[tuple[int, ...]]
    ways: Sequence[Sequence[tuple[int, ...]]]
    complete: bool


class _Structure:
    """What scoring needs of a program and does not change from run to run."""

    def __init__(self, program: Program, elements: bool) -> None:
        self.measured = feedback_part(program)
        self.saved = saved_arrays(self.measured)
        self.network: Network = network(self.measured, elements=elements, loops_only=True)
        self.target = NumbaTarget(self.measured.program)
        places = [self.target.places(n) for n in self.saved]
        self.columns = np.concatenate(places) if places else np.zeros(0, dtype=np.int64)
        self.rates, self.rates_stocks = self._rates_and_stocks()
        self._all: dict[int, tuple[list[tuple[int, ...]], bool]] = {}

    def _rates_and_stocks(self) -> tuple[np.ndarray, np.ndarray]:
        """Columns of the net flows whose stocks are at hand, and columns of these."""
        program = self.measured.program
        column = {place: k for k, place in enumerate(self.columns.tolist())}
        rates = [self.target.places(n) for n in self.saved if program.arrays[n].kind == "rate"]
        pairs = [
            (column[place], column[place - program.state_size])
            for place in (np.concatenate(rates).tolist() if rates else [])
            if place - program.state_size in column
        ]
        found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    def link_scores(self, design: Design, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Run a design of one run and score the element links.

        Returns
        -------
        array of float, shape (steps,)
            The later end of each step.
        array of float, shape (element links, steps)
            Scores, in the order of the network.
        """
        outcome = self.target.run(batch_of(self.target, design, seed), self.columns, threads=1)
        return outcome.times[1:], _link_scores(self, outcome.values[0], outcome.times)

    def loops(self, scores: np.ndarray, known: Iterable[Sequence[str]], most: int) -> _Loops:
        """The loops to score."""
        if most not in self._all:
            cycles, complete = cycles_of(self.network.graph, most)
            self._all[most] = [self._links(c) for c in cycles] if complete else [], complete
        ways, complete = self._all[most]
        if not complete:
            ways = strongest_loops(self.network, scores)
        ways = [*ways, *(w for names in known for w in self._expanded(names))]
        grouped: dict[tuple[int, ...], dict[frozenset[int], tuple[int, ...]]] = {}
        for way in ways:
            nodes = [self.network.ends[k][0] for k in way]
            seen = canonical([n for n in nodes if self.network.visible[n]] or [-1])
            grouped.setdefault(seen, {})[frozenset(way)] = way
        grouped.pop((-1,), None)
        return _Loops(list(grouped), [list(w.values()) for w in grouped.values()], complete)

    def _links(self, cycle: Sequence[int]) -> tuple[int, ...]:
        graph = self.network.graph
        return tuple(graph.edges[ends]["link"] for ends in pairwise([*cycle, cycle[0]]))

    def _expanded(self, names: Sequence[str]) -> Iterable[tuple[int, ...]]:
        """The ways through the network that a loop along visible variables stands for."""
        numbers = {key(n): k for k, n in enumerate(self.network.nodes)}
        missing = [n for n in names if key(n) not in numbers]
        if missing:
            raise ParameterError(f"loop: '{missing[0]}' is no variable that lies on a loop")
        nodes = [numbers[key(n)] for n in names]
        pairs = list(pairwise([*nodes, nodes[0]]))
        for a, b in pairs:
            if (a, b) not in self.network.routes:
                ends = self.network.nodes[a], self.network.nodes[b]
                raise ParameterError(f"loop: there is no link from '{ends[0]}' to '{ends[1]}'")
        for parts in product(*(self.network.routes[p] for p in pairs)):
            yield tuple(k for part in parts for k in part)


# --- links -------------------------------------------------------------------------------------


def _link_scores(structure: _Structure, values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Scores of the element links, with time as the last axis.

    |change brought about / change of the target|, with the sign of change brought about / change
    of the source; zero where either does not change. What takes over its source scores 1.
    """
    source, target, change = structure.network.columns.T
    over_time = np.ascontiguousarray(values.T)
    steps = np.diff(over_time)
    moves = np.abs(steps) > _rest(structure, over_time, times)[:, np.newaxis]
    taken_over = change < 0
    scores = over_time[change, 1:]
    scores[taken_over] = 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        scores[~taken_over] /= np.abs(steps[target[~taken_over]])
    scores *= np.where(np.signbit(steps[source]) & ~taken_over[:, np.newaxis], -1.0, 1.0)
    answers = moves[target] | taken_over[:, np.newaxis]
    scores[~(moves[source] & answers & np.isfinite(scores))] = 0.0
    return scores


def _rest(structure: _Structure, over_time: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Changes of each value that are no more than rounding.

    A net flow is a difference of flows that may be as large as its stock over one step.
    """
    largest = np.max(np.abs(over_time), axis=1, initial=0.0, where=np.isfinite(over_time))
    step = np.min(np.diff(times), initial=np.inf)
    rates, stocks = structure.rates, structure.rates_stocks
    largest[rates] = np.maximum(largest[rates], largest[stocks] / step)
    return _REST * largest


# --- loops -------------------------------------------------------------------------------------


def strongest_loops(network: Network, scores: np.ndarray) -> list[tuple[int, ...]]:
    """Loops along the strongest paths, as the links that they take."""
    order = sorted(range(len(network.ends)), key=lambda k: network.ends[k][0])
    owners = np.array([network.ends[k][0] for k in order])
    first = np.searchsorted(owners, np.arange(len(network.nodes) + 1))
    strength = np.maximum.reduceat(np.abs(scores), network.first[:-1], axis=0)
    marks = np.random.default_rng(0).integers(1, 2**63, len(order), dtype=np.uint64)
    found = np.zeros(_MOST_FOUND * 50, dtype=np.int64)
    lengths = np.zeros(_MOST_FOUND, dtype=np.int64)
    count = _compiled("find")(
        first.astype(np.int64),
        np.array(order, dtype=np.int64),
        np.array([network.ends[k][1] for k in order], dtype=np.int64),
        np.ascontiguousarray(strength),
        np.array(sorted(network.holding), dtype=np.int64),
        marks,
        found,
        lengths,
        _MOST_STEPS,
    )
    ends = np.cumsum(lengths[: count if count >= 0 else -count - 1])
    return (
        [tuple(part.tolist()) for part in np.split(found[: ends[-1]], ends[:-1])]
        if len(ends)
        else []
    )


def _loop_scores(
    network: Network, ways: Sequence[tuple[int, ...]], scores: np.ndarray
) -> np.ndarray:
    """Score of each way through the network over time."""
    turned = _turned(network, ways)
    order = sorted(range(len(ways)), key=turned.__getitem__)  # neighbours share their first links
    turned = [turned[k] for k in order]
    sizes = np.array(network.sizes, dtype=np.int64)
    starts = sizes[[network.ends[way[0]][0] for way in turned]]
    out = np.zeros((len(ways), scores.shape[1]))
    _compiled("score")(
        np.array([k for way in turned for k in way], dtype=np.int64),
        np.cumsum([0, *map(len, turned)]),
        np.array(_shared(turned, starts), dtype=np.int64),
        network.first,
        network.sources,
        network.targets,
        sizes[[b for _, b in network.ends]],
        scores,
        starts,
        np.array(order, dtype=np.int64),
        out,
    )
    return out


def _turned(network: Network, ways: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The same ways round from where there is least to add up, and which most have in common."""
    passed = np.zeros(len(network.nodes))
    for way in ways:
        for k in way:
            passed[network.ends[k][0]] += 1
    rank = np.lexsort((-passed, np.array(network.sizes))).argsort()
    begins = [int(rank[a]) for a, _ in network.ends]
    turned = []
    for way in ways:
        ranks = [begins[k] for k in way]
        start = ranks.index(min(ranks))
        turned.append((*way[start:], *way[:start]))
    return turned


def _shared(ways: Sequence[tuple[int, ...]], starts: np.ndarray) -> list[int]:
    """How many first links each way has in common with the one before it."""
    shared = [0] * min(len(ways), 1)
    for (before, way), size in zip(pairwise(ways), starts[1:], strict=True):
        same = (a == b for a, b in zip(before, way, strict=False))
        shared.append(sum(takewhile(bool, same)) if size == 1 else 0)
    return shared


@cache
def _compiled(function: str) -> Callable[..., Any]:
    return compiled(_WALKS.read_text(encoding="utf-8"), function)


def _together(network: Network, loops: _Loops, scores: np.ndarray) -> np.ndarray:
    """Scores of the loops along visible variables.

    Parallel ways through sums inside an equation add up; of those through the stages of a delay
    the strongest counts (see the papers on macros).
    """
    ways = [way for group in loops.ways for way in group]
    single = _loop_scores(network, ways, scores)
    out = np.zeros((len(loops.names), scores.shape[1]))
    place = 0
    hidden = {n for n in network.holding if not network.visible[n]}
    for number, group in enumerate(loops.ways):
        part = single[place : place + len(group)]
        place += len(group)
        if len(group) > 1 and any(network.ends[k][1] in hidden for way in group for k in way):
            out[number] = _strongest(part)
        else:
            out[number] = part.sum(axis=0)
    return out


def _strongest(scores: np.ndarray) -> np.ndarray:
    """Of scores along the first axis the one of largest size, with its sign."""
    at = np.abs(scores).argmax(axis=0)
    return np.take_along_axis(scores, at[np.newaxis], axis=0)[0]


def _relative(scores: np.ndarray, partition: np.ndarray) -> np.ndarray:
    """Each loop's share of the scores in its partition at each time."""
    share = np.zeros_like(scores)
    for part in np.unique(partition):
        own = partition == part
        total = np.abs(scores[own]).sum(axis=0)
        np.divide(scores[own], total, out=share[own], where=total > 0)
        share[own] = np.where(total > 0, scores[own] / np.where(total > 0, total, 1.0), 0.0)
    return share


def outweighing(scores: np.ndarray) -> tuple[int, float]:
    """Sign that scores mostly have, and how much it outweighs the other, from 0 to 1."""
    up, down = scores[scores > 0].sum(), -scores[scores < 0].sum()
    if up + down == 0:
        return 0, 0.0
    return (1 if up > down else -1), abs(up - down) / (up + down)


def _polarity(scores: np.ndarray) -> tuple[str, float]:
    """R, B or ? if mixed, and how sure that is."""
    sign, confidence = outweighing(scores)
    return ("?" if confidence < CERTAIN else "R" if sign > 0 else "B"), confidence


# --- what comes out ----------------------------------------------------------------------------


def _labelled(
    network: Network,
    scores: np.ndarray,
    loops: _Loops,
    times: np.ndarray,
    made_by: Mapping[str, Any],
) -> xr.Dataset:
    loop_scores = _together(network, loops, scores)
    partition = np.array([network.partition[nodes[0]] for nodes in loops.names], dtype=int)
    relative = _relative(loop_scores, partition)
    contribution = np.abs(relative).mean(axis=1)
    order = np.argsort(-contribution, kind="stable")
    judged = [_polarity(relative[k]) for k in order]
    variables = [_around(network, loops.names[k]) for k in order]
    ends, link_scores = _visible_links(network, scores)
    data = {
        "loop score": (("loop", "time"), loop_scores[order], "Dmnl"),
        "relative score": (("loop", "time"), relative[order], "Dmnl"),
        "contribution": ("loop", contribution[order], "Dmnl"),
        "polarity": ("loop", [p for p, _ in judged], ""),
        "confidence": ("loop", [c for _, c in judged], "Dmnl"),
        "path": ("loop", [ARROW.join(v) for v in variables], ""),
        "length": ("loop", [len(v) for v in variables], "variables"),
        "partition": ("loop", partition[order], "Dmnl"),
        "link score": (("link", "time"), link_scores, "Dmnl"),
        "source": ("link", [network.nodes[a] for a, _ in ends], ""),
        "target": ("link", [network.nodes[b] for _, b in ends], ""),
    }
    search = {True: "all simple loops", False: "strongest path from each stock at each step"}
    return xr.Dataset(
        {n: (d, np.asarray(v), {"long_name": n, "units": u}) for n, (d, v, u) in data.items()},
        {"loop": _numbered([p for p, _ in judged]), "time": times},
        {**made_by, "all_loops": int(loops.complete), "search": search[loops.complete]},
    )


def _around(network: Network, nodes: Sequence[int]) -> list[str]:
    """Names once round, from the first stock if there is one."""
    start = next((k for k, n in enumerate(nodes) if n in network.holding), 0)
    return [network.nodes[n] for n in (*nodes[start:], *nodes[:start])]


def _numbered(polarities: Sequence[str]) -> list[str]:
    counts: dict[str, int] = {}
    names = []
    for letter in ("U" if p == "?" else p for p in polarities):
        counts[letter] = counts.get(letter, 0) + 1
        names.append(f"{letter}{counts[letter]}")
    return names


def _visible_links(
    network: Network, scores: np.ndarray
) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Links between variables of the file, and the score of the strongest way along each."""
    strongest = np.zeros((len(network.ends), scores.shape[1]))
    for k, (begin, end) in enumerate(pairwise(network.first)):
        strongest[k] = _strongest(scores[begin:end])
    out = []
    for ways in network.routes.values():
        products = np.array([strongest[list(way)].prod(axis=0) for way in ways])
        out.append(_strongest(products))
    return list(network.routes), np.array(out).reshape(len(out), scores.shape[1])
