"""Links, graphs and loops: structure of small models, and of models with everything in them."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import xarray as xr

from kredslob.batches import batch_of
from kredslob.errors import ParameterError
from kredslob.feedback.dominance import dominance
from kredslob.feedback.graph import causal_graph, write_graph
from kredslob.feedback.links import links_of, moving
from kredslob.feedback.loops import find_loops, independent_loops
from kredslob.feedback.measuring import measured, nudged
from kredslob.feedback.network import Network
from kredslob.feedback.scores import Feedback, strongest_loops
from kredslob.simulation import Model
from kredslob.targets.numba import NumbaTarget

MODELS = Path(__file__).parent / "models"
CLOCK = "INITIAL TIME=0 ~~|\nFINAL TIME=4 ~~|\nTIME STEP=0.5 ~~|\nSAVEPER=0.5 ~~|\n"
ALL_SORTS = (
    "allocate_available",
    "delay_fixed",
    "invert_matrix",
    "random_numbers",
    "sample_if_true",
    "time_step_computed",
    "vector_sort",
)


@pytest.fixture
def model(tmp_path: Path):
    def make(*equations: str) -> Model:
        path = tmp_path / "model.mdl"
        text = "{UTF-8}\n" + "".join(f"{e} ~~|\n" for e in equations) + CLOCK
        path.write_text(text, encoding="utf-8")
        return Model(path)

    return make


def values(target: NumbaTarget, made: Model, names: list[str]) -> np.ndarray:
    saved = np.concatenate([target.places(n) for n in names])
    return target.run(
        batch_of(target, made.shared_design(None, {}, None, None, None), 0), saved
    ).values


@pytest.mark.parametrize("name", ALL_SORTS)
def test_measuring_changes_no_value(name: str) -> None:
    made = Model(MODELS / f"{name}.mdl")
    names = [n for n in moving(made.program) if made.program.arrays[n].kind != "hidden"]
    plain = values(made.target({}), made, names)
    for program in (
        measured(made.program, lambda a, b: True).program,
        nudged(made.program).program,
    ):
        np.testing.assert_allclose(values(NumbaTarget(program), made, names), plain, rtol=1e-9)


@pytest.mark.parametrize("name", ["arrays", "inventory_workforce", "vector_sort", "transposition"])
def test_links_are_those_that_the_equations_read(name: str) -> None:
    """Changing one element changes only what a link leads to, and each link lies within arrays."""
    program = Model(MODELS / f"{name}.mdl").program
    for link in links_of(program):
        assert link.sources.shape == link.targets.shape
        assert link.sources.max() < program.arrays[link.source].size
        assert link.targets.max() < program.arrays[link.target].size


def test_graph_of_a_small_model(model) -> None:
    made = model(
        "people = INTEG(births - deaths, 100)",
        "births = people * rate",
        "rate = 0.1",
        "deaths = people / life(people)",
        "life([(0,0)-(10,10)],(0,80),(1000,40))",
    )
    graph = causal_graph(made)
    assert dict(graph.nodes(data="kind")) == {
        "people": "stock",
        "births": "flow",
        "deaths": "flow",
        "rate": "constant",
        "life": "lookup",
    }
    assert {(a, b): s for a, b, s in graph.edges(data="polarity")} == {
        ("births", "people"): "+",
        ("deaths", "people"): "-",
        ("people", "births"): "+",
        ("rate", "births"): "+",
        ("people", "deaths"): "+",
        ("life", "deaths"): "?",
    }
    found = find_loops(graph)
    assert found.complete
    assert [str(x) for x in found.loops] == [
        "R1: births → people → births",
        "B1: deaths → people → deaths",
    ]


def test_graph_tells_signs_where_nothing_moves(model) -> None:
    made = model("level = INTEG(inflow - outflow, 10)", "inflow = 2", "outflow = level / 5")
    signs = {(a, b): s for a, b, s in causal_graph(made).edges(data="polarity")}
    assert signs == {
        ("inflow", "level"): "+",
        ("outflow", "level"): "-",
        ("level", "outflow"): "+",
    }


def test_graph_of_elements(model) -> None:
    made = model(
        "place: north, south",
        "stock[place] = INTEG(flow[place], 1)",
        "total = SUM(stock[place!])",
        "flow[place] = total - 3 * stock[place]",
    )
    signs = {(a, b): s for a, b, s in causal_graph(made, elements=True).edges(data="polarity")}
    assert signs == {
        ("stock[north]", "total"): "+",
        ("stock[south]", "total"): "+",
        ("total", "flow[north]"): "+",
        ("total", "flow[south]"): "+",
        ("stock[north]", "flow[north]"): "-",
        ("stock[south]", "flow[south]"): "-",
        ("flow[north]", "stock[north]"): "+",
        ("flow[south]", "stock[south]"): "+",
    }


def test_sums_and_delays_inside_an_equation_are_seen_through(model) -> None:
    made = model(
        "place: north, south",
        "level[place] = INTEG(change[place], 1)",
        "change[place] = 2 * SUM(level[place!]) - SMOOTH(level[place], 3)",
    )
    graph = causal_graph(made)
    assert set(graph) == {"level", "change"}
    assert graph.edges["level", "change"]["polarity"] == "?"  # by the sum +, by the delay -


def test_allocation_has_signs() -> None:
    graph = causal_graph(Model(MODELS / "allocate_available.mdl"))
    assert nx.number_of_edges(graph) > 0
    assert "+" in {s for *_, s in graph.edges(data="polarity")}


@pytest.mark.parametrize("suffix", [".graphml", ".gexf", ".json", ".dot", ".mmd"])
def test_graph_files(model, tmp_path: Path, suffix: str) -> None:
    made = model('"a <b> & c" = INTEG(-"a <b> & c" / 4, 8)')
    graph = causal_graph(made)
    path = write_graph(graph, tmp_path / f"graph{suffix}")
    text = path.read_text(encoding="utf-8")
    if suffix == ".graphml":
        assert set(nx.read_graphml(path)) == set(graph)
    elif suffix == ".gexf":
        assert set(nx.read_gexf(path)) == set(graph)
    elif suffix == ".json":
        assert set(nx.node_link_graph(json.loads(text), edges="edges")) == set(graph)
    else:
        assert len(graph) == 1
        assert text.splitlines()[0] in ('digraph "model.mdl" {', "flowchart LR")
    with pytest.raises(ParameterError, match=r"'graph.doc', expected .* in one of \.graphml"):
        write_graph(graph, tmp_path / "graph.doc")


def test_arms_race_independent_loops() -> None:
    """Oliva's set covers all links by 6 of 8 loops; the two long ones are not in it."""
    graph = nx.DiGraph()
    for a in "ABC":
        for b in "ABC":
            graph.add_edge(a, b, polarity="-" if a == b else "+")
    assert len(find_loops(graph).loops) == 8
    chosen = independent_loops(graph)
    assert len(chosen) == 6
    assert max(len(x.variables) for x in chosen) == 2


def test_loops_are_listed_up_to_a_number() -> None:
    found = find_loops(nx.complete_graph(7, nx.DiGraph()).to_directed(), most=100)
    assert not found.complete
    assert len(found.loops) == 100


def figure_7() -> tuple[Network, np.ndarray]:
    """The network with which the paper shows what a search can miss; the search begins at a."""
    ends = {"ad": 100, "dc": 0.1, "cb": 10, "ab": 10, "bc": 10, "ca": 10}
    columns = np.array([[0, 0, -1 if e[1] == "a" else 0] for e in ends])
    network = Network(
        nodes=list("abcd"),
        arrays=list("abcd"),
        sizes=[1] * 4,
        partition=[0] * 4,
        visible=[True] * 4,
        ends=[("abcd".index(e[0]), "abcd".index(e[1])) for e in ends],
        first=np.arange(7),
        sources=np.zeros(6, dtype=np.int64),
        targets=np.zeros(6, dtype=np.int64),
        columns=columns,
    )
    return network, np.array([[float(v)] for v in ends.values()])


def test_strongest_path_misses_what_the_paper_says_it_misses() -> None:
    network, scores = figure_7()
    found = [
        {network.nodes[network.ends[k][0]] for k in way} for way in strongest_loops(network, scores)
    ]
    assert {"a", "d", "c"} in found
    assert {"a", "b", "c"} not in found


def test_search_finds_the_strong_loops_of_a_model() -> None:
    made = Model(MODELS / "inventory_workforce.mdl")
    every = Feedback(made).scores()
    some = Feedback(made).scores(most=1)
    assert every.attrs["all_loops"] == 1
    assert some.attrs["all_loops"] == 0
    assert set(some["path"].values) <= set(every["path"].values)
    assert some["path"].values[0] == every["path"].values[0]


def test_periods_of_dominance() -> None:
    shares = xr.DataArray(
        [[0.6, 0.7, 0.2, 0.3, 0.0], [-0.4, -0.3, -0.8, -0.3, 0.0], [0, 0, 0, 0.4, 0]],
        {"loop": ["R1", "B1", "R2"], "time": np.arange(5.0)},
    )
    table = dominance(shares)
    assert table["dominant"].tolist() == [("R1",), ("B1",), ("R2", "R1"), ()]
    assert table["from"].tolist() == [0, 2, 3, 4]
    assert table["to"].tolist() == [1, 2, 3, 4]
