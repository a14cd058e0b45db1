"""Diagrams of models: all is there, nothing lies on anything else, and each run draws the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from kredslob.cycle.loops import families
from kredslob.errors import InputFileError, KredslobError
from kredslob.paths import reinvestment_folder
from kredslob.reading import abstract_model
from kredslob.show.diagram import (
    causal_loop_diagram,
    causal_loop_drawing,
    folded,
    stock_and_flow_diagram,
    stock_and_flow_drawing,
    stock_groups,
    svg,
)
from kredslob.show.language import LANGUAGES, words
from kredslob.show.sketch import places

MODEL = reinvestment_folder() / "reinvestment.mdl"


@dataclass(frozen=True)
class Loop:
    name: str
    variables: tuple[str, ...]
    polarity: str


def loop(name: str, variables: str) -> Loop:
    return Loop(name, tuple(variables.split(" > ")), name[0])


def model(links: str, stocks: Sequence[str] = (), flows: Sequence[str] = ()) -> nx.DiGraph:
    """Graph of lines such as ``births -> Population +``; what nothing drives is a constant."""
    graph = nx.DiGraph()
    for line in links.strip().splitlines():
        cause, effect, polarity = re.fullmatch(r"\s*(.+) -> (.+) ([-+?])", line).groups()  # type: ignore[union-attr]
        graph.add_edge(cause, effect, polarity=polarity)
    for name in graph:
        kind = "auxiliary" if graph.in_degree(name) else "constant"
        kind = "stock" if name in stocks else "flow" if name in flows else kind
        graph.nodes[name].update(kind=kind, unit="", documentation="")
    return graph


POPULATION = model(
    """births -> Population +
    Population -> births +
    Population -> deaths +
    deaths -> Population -
    birth rate -> births +
    life expectancy -> deaths -""",
    ["Population"],
    ["births", "deaths"],
)
POPULATION_LOOPS = [
    loop("R1 births", "Population > births"),
    loop("B1 deaths", "Population > deaths"),
]

PREY = model(
    """Prey -> prey births +
    prey births -> Prey +
    prey deaths -> Prey -
    Prey -> prey deaths +
    Predators -> prey deaths +
    Prey -> predator births +
    Predators -> predator births +
    predator births -> Predators +
    Predators -> predator deaths +
    predator deaths -> Predators -
    prey birth rate -> prey births +
    catch per meeting -> prey deaths +
    young per catch -> predator births +
    predator life time -> predator deaths -""",
    ["Prey", "Predators"],
    ["prey births", "prey deaths", "predator births", "predator deaths"],
)
PREY_LOOPS = [
    loop("R1 prey", "Prey > prey births"),
    loop("R2 predators", "Predators > predator births"),
    loop("B1 prey eaten", "Prey > prey deaths"),
    loop("B2 predators die", "Predators > predator deaths"),
    loop("B3 hunting", "Prey > predator births > Predators > prey deaths"),
]

SIR = model(
    """Susceptible -> infection +
    Infectious -> infection +
    infection -> Susceptible -
    infection -> Infectious +
    Infectious -> recovery +
    recovery -> Infectious -
    recovery -> Recovered +
    contact rate -> infection +
    infectivity -> infection +
    total population -> infection -
    average duration of infectivity -> recovery -""",
    ["Susceptible", "Infectious", "Recovered"],
    ["infection", "recovery"],
)
SIR_LOOPS = [
    loop("R1 contagion", "Infectious > infection"),
    loop("B1 depletion", "Susceptible > infection"),
    loop("B2 recovery", "Infectious > recovery"),
]

BASS = model(
    """Potential Adopters -> adoption from advertising +
    Potential Adopters -> adoption from word of mouth +
    advertising effectiveness -> adoption from advertising +
    adoption from advertising -> adoption rate +
    adoption from word of mouth -> adoption rate +
    adoption rate -> Adopters +
    adoption rate -> Potential Adopters -
    Adopters -> adoption from word of mouth +
    contact rate -> adoption from word of mouth +
    adoption fraction -> adoption from word of mouth +
    total population -> adoption from word of mouth -""",
    ["Potential Adopters", "Adopters"],
    ["adoption rate"],
)
BASS_LOOPS = [
    loop("B1 market saturation", "Potential Adopters > adoption from advertising > adoption rate"),
    loop(
        "B2 market saturation", "Potential Adopters > adoption from word of mouth > adoption rate"
    ),
    loop("R1 word of mouth", "Adopters > adoption from word of mouth > adoption rate"),
]

INVENTORY = model(
    """demand -> expected demand +
    expected demand -> desired inventory +
    expected demand -> desired production +
    desired inventory -> desired production +
    Inventory -> desired production -
    desired inventory -> relative inventory -
    Inventory -> relative inventory +
    relative inventory -> effect of inventory on overtime -
    effect of inventory on overtime -> production +
    Workforce -> production +
    productivity -> production +
    production -> Inventory +
    shipments -> Inventory -
    Inventory -> shipments +
    demand -> shipments +
    desired production -> desired workforce +
    productivity -> desired workforce -
    desired workforce -> vacancies +
    Workforce -> vacancies -
    quits -> vacancies +
    vacancies -> hiring +
    hiring -> Workforce +
    Workforce -> quits +
    quits -> Workforce -
    average time to hire -> hiring -""",
    ["Inventory", "Workforce"],
    ["production", "shipments", "hiring", "quits"],
)
INVENTORY_LOOPS = [
    loop(
        "B1 hiring for inventory",
        "Inventory > desired production > desired workforce > vacancies > hiring > Workforce"
        " > production",
    ),
    loop(
        "B2 overtime",
        "Inventory > relative inventory > effect of inventory on overtime > production",
    ),
    loop("B3 filling vacancies", "Workforce > vacancies > hiring"),
    loop("B4 quitting", "Workforce > quits"),
    loop("R1 replacing those who quit", "quits > vacancies > hiring > Workforce"),
    loop("B5 stock-out", "Inventory > shipments"),
]

# Signs as the equations of the model file have them, other things equal.
FUND = model(
    """money for courses -> affordable starts +
    affordable starts -> starts before staff +
    starts before staff -> starts +
    starts -> starts from crisis +
    starts -> course spending +
    starts from crisis -> Crisis In Intervention +
    Crisis In Intervention -> ending from crisis +
    Crisis In Intervention -> avoided crisis equivalents -
    ending from crisis -> lifted from crisis +
    ending from crisis -> Crisis In Intervention -
    ending from crisis -> back to crisis +
    lifted from crisis -> back to crisis -
    back to crisis -> Crisis +
    starts from crisis -> Crisis -
    Crisis -> avoided crisis equivalents -
    avoided crisis equivalents -> avoided use +
    avoided use -> avoided cost +
    avoided cost -> recognised saving +
    recognised saving -> identified saving +
    identified saving -> Identified Savings In Pipeline +
    Identified Savings In Pipeline -> identified saving cashed +
    identified saving cashed -> Identified Savings In Pipeline -
    identified saving cashed -> claimable saving +
    claimable saving -> reinvested +
    claimable saving -> kept +
    claimable saving -> kept part -
    support effect -> pledged share +
    pledged share -> reinvested +
    reinvested -> kept -
    reinvested -> returned savings +
    kept -> kept part +
    kept -> visible relief +
    Fund Cash -> total cash +
    total cash -> money for courses +
    course spending -> total spending +
    total spending -> spending +
    spending -> Fund Cash -
    returned savings -> Fund Cash +
    kept part -> satisfaction +
    satisfaction -> support target +
    visible relief -> effect of visible relief +
    effect of visible relief -> support target +
    support target -> support change +
    support change -> Budget Owner Support +
    Budget Owner Support -> support change -
    Budget Owner Support -> support effect +""",
    [
        *("Crisis In Intervention", "Crisis", "Identified Savings In Pipeline"),
        *("Fund Cash", "Budget Owner Support"),
    ],
)
SHOWN = [f for f in families() if f.name in ("R1", "R4", "B3", "B7")]
FUND_LOOPS = [Loop(f.name, f.path, f.polarity) for f in SHOWN]
MODELS = {
    "population": (POPULATION, POPULATION_LOOPS),
    "predator-prey": (PREY, PREY_LOOPS),
    "sir": (SIR, SIR_LOOPS),
    "bass": (BASS, BASS_LOOPS),
    "inventory": (INVENTORY, INVENTORY_LOOPS),
    "fund": (FUND, FUND_LOOPS),
}
CASES = [*((name, "en") for name in MODELS), ("fund", "da")]
SIGNS = {"+": "+", "-": "\N{MINUS SIGN}", "?": "?"}


@dataclass(frozen=True)
class Drawn:
    graph: nx.DiGraph
    loops: Sequence[Loop]
    labels: Mapping[str, str]
    figure: Figure

    @property
    def texts(self) -> dict[str, Text]:
        return {" ".join(t.get_text().split()): t for t in self.figure.axes[0].texts}

    def label(self, name: str) -> str:
        return self.labels.get(name, name)

    def extent(self, text: Text) -> Bbox:
        return text.get_window_extent(FigureCanvasAgg(self.figure).get_renderer())


def drawn(kind: str, name: str, language: str) -> Drawn:
    graph, loops = MODELS[name]
    called = {f.name: f"{f.name} {f.words[language]}" for f in SHOWN}
    labels = words(language).labels | called if name == "fund" else {}
    if kind == "loops":
        figure = causal_loop_diagram(graph, loops, language=language, labels=labels, title=name)
    else:
        figure = stock_and_flow_diagram(graph, language=language, labels=labels, title=name)
    return Drawn(graph, loops, labels, figure)


@pytest.fixture(scope="module", params=CASES, ids=" ".join)
def causal(request: pytest.FixtureRequest) -> Drawn:
    return drawn("loops", *request.param)


@pytest.fixture(scope="module", params=[n for n in MODELS if n != "fund"])
def piped(request: pytest.FixtureRequest) -> Drawn:
    return drawn("stocks", request.param, "en")


# Causal loop diagrams -----------------------------------------------------------------------------


def test_each_variable_is_named_and_no_two_names_lie_on_each_other(causal: Drawn) -> None:
    boxes = {name: causal.extent(causal.texts[causal.label(name)]) for name in causal.graph}
    for a, b in combinations(boxes, 2):
        assert not boxes[a].overlaps(boxes[b]), f"{a} and {b}"


def test_all_letters_are_within_the_figure(causal: Drawn) -> None:
    whole = causal.figure.bbox
    for text, artist in causal.texts.items():
        box = causal.extent(artist)
        assert whole.x0 <= box.x0 <= box.x1 <= whole.x1, text
        assert whole.y0 <= box.y0 <= box.y1 <= whole.y1, text


def test_each_link_has_an_arrow_and_its_sign(causal: Drawn) -> None:
    heads = [p for p in causal.figure.axes[0].patches if isinstance(p, Polygon)]
    assert len(heads) == causal.graph.number_of_edges() + len(causal.loops)  # a mark is an arrow
    shown = Counter(t.get_text() for t in causal.figure.axes[0].texts)
    wanted = Counter(SIGNS[p] for _, _, p in causal.graph.edges(data="polarity"))
    assert {sign: shown[sign] for sign in wanted} == wanted


def test_no_arrow_runs_through_a_name(causal: Drawn) -> None:
    boxes = {name: causal.extent(causal.texts[causal.label(name)]) for name in causal.graph}
    for line in causal.figure.axes[0].lines:
        points = line.get_transform().transform(line.get_xydata())
        for name, box in boxes.items():
            inside = (points > (box.x0 + 1, box.y0 + 1)) & (points < (box.x1 - 1, box.y1 - 1))
            assert not np.any(inside.all(axis=1)), name


def test_each_loop_is_marked_within_its_variables(causal: Drawn) -> None:
    for one in causal.loops:
        mark = causal.texts[one.name.split()[0]]
        around = np.array([causal.texts[causal.label(v)].get_position() for v in one.variables])
        x, y = mark.get_position()
        assert around[:, 0].min() - 60 < x < around[:, 0].max() + 60
        assert around[:, 1].min() - 60 < y < around[:, 1].max() + 60
        assert causal.label(one.name).split(" ", 1)[1] in causal.texts


def test_stocks_alone_stand_in_boxes(causal: Drawn) -> None:
    boxes = [p for p in causal.figure.axes[0].patches if isinstance(p, Rectangle)]
    stocks = [n for n, kind in causal.graph.nodes(data="kind") if kind == "stock"]
    assert len(boxes) == len(stocks)
    for name in stocks:
        middle = causal.texts[causal.label(name)].get_position()
        assert any(b.get_center() == pytest.approx(middle) for b in boxes), name


def test_letters_are_readable_on_a_slide(causal: Drawn) -> None:
    width, height = causal.figure.get_size_inches()
    assert 12 * min(13.33 / width, 7.5 / height, 1) >= 11


def test_the_key_is_in_the_language() -> None:
    for language, word in (("da", "forstærkende"), ("en", "reinforcing")):
        assert any(word in text for text in drawn("loops", "population", language).texts)


def test_a_link_is_as_thick_as_its_weight() -> None:
    graph = model("a -> b +\nb -> c -")
    graph.edges["a", "b"]["weight"] = 1.0
    graph.edges["b", "c"]["weight"] = 0.0
    thick, thin = (line.get_linewidth() for line in causal_loop_diagram(graph).axes[0].lines)
    assert thick > 3 * thin


def test_a_link_of_two_loops_has_a_stripe_of_each() -> None:
    figure = causal_loop_diagram(*MODELS["predator-prey"])
    assert len(figure.axes[0].lines) == len(PREY.edges) + 2 + len(
        PREY_LOOPS
    )  # two links are shared


def test_a_variable_that_drives_itself_gets_an_arrow() -> None:
    graph = model("Stock -> Stock -\ninflow -> Stock +", ["Stock"])
    figure = causal_loop_diagram(graph, [Loop("B1 drain", ("Stock",), "B")])
    assert {"B1", "drain", SIGNS["-"]} <= {t.get_text() for t in figure.axes[0].texts}
    assert len([p for p in figure.axes[0].patches if isinstance(p, Polygon)]) == 3


def test_of_a_large_graph_the_loops_are_drawn() -> None:
    graph = nx.compose(model("\n".join(f"x{i} -> x{i + 1} +" for i in range(100))), POPULATION)
    shown = {t.get_text() for t in causal_loop_diagram(graph, POPULATION_LOOPS).axes[0].texts}
    assert {"births", "Population", "deaths"} <= shown
    assert not {"x1", "birth rate"} & shown
    with pytest.raises(KredslobError, match="found 106 variables to draw, expected 1 to 60"):
        causal_loop_diagram(graph)


def test_a_loop_that_is_not_in_the_graph_is_refused() -> None:
    with pytest.raises(KredslobError, match="no link from 'births' to 'deaths', which loop 'R9'"):
        causal_loop_diagram(POPULATION, [loop("R9", "births > deaths > Population")])
    with pytest.raises(KredslobError, match="no variable of loop 'R9'"):
        causal_loop_diagram(POPULATION, [loop("R9", "x > y")])


def test_a_graph_without_links_is_drawn_and_one_without_variables_refused() -> None:
    graph = nx.DiGraph()
    graph.add_node("alone", kind="stock")
    for figure in (causal_loop_diagram(graph), stock_and_flow_diagram(graph)):
        assert "alone" in {t.get_text() for t in figure.axes[0].texts}
    with pytest.raises(KredslobError, match="found 0 variables"):
        causal_loop_diagram(nx.DiGraph())


def test_a_name_is_not_read_as_mathematics() -> None:
    graph = model("price in $ -> cost in $ +")
    assert "price in $" in {t.get_text() for t in causal_loop_diagram(graph).axes[0].texts}
    svg(causal_loop_diagram(graph))


# Folding ------------------------------------------------------------------------------------------


def test_chains_become_one_link_with_the_product_of_their_signs() -> None:
    graph = model("a -> b -\nb -> c -\nc -> d -\nd -> a +\na -> e +")
    smaller = folded(graph, ["a", "d"])
    assert set(smaller.edges(data="polarity")) == {
        ("a", "d", "-"),
        ("d", "a", "+"),
        ("a", "e", "+"),
    }
    assert len(graph) == 5


def test_an_unknown_sign_stays_unknown_and_links_side_by_side_must_agree() -> None:
    assert folded(model("a -> b ?\nb -> c +"), "ac").edges["a", "c"]["polarity"] == "?"
    assert folded(model("a -> b -\nb -> c -\na -> c +"), "ac").edges["a", "c"]["polarity"] == "+"
    assert folded(model("a -> b +\nb -> c -\na -> c +"), "ac").edges["a", "c"]["polarity"] == "?"


def test_two_variables_that_drive_each_other_stay() -> None:
    graph = model("a -> b +\nb -> a -")
    assert set(folded(graph, ["a"])) == {"a", "b"}


def test_a_loop_can_be_drawn_in_a_folded_graph() -> None:
    keep = [*(n for n in FUND if FUND.nodes[n]["kind"] == "stock"), "starts", "reinvested"]
    smaller = folded(FUND, keep)
    assert len(smaller) < 20
    shown = {t.get_text() for t in causal_loop_diagram(smaller, FUND_LOOPS).axes[0].texts}
    assert {"R1", "R4", "B3", "B7"} <= shown


# Stock-and-flow diagrams --------------------------------------------------------------------------


def test_each_variable_is_named_beside_the_pipes(piped: Drawn) -> None:
    boxes = {name: piped.extent(piped.texts[name]) for name in piped.graph}
    for a, b in combinations(boxes, 2):
        assert not boxes[a].overlaps(boxes[b]), f"{a} and {b}"
    whole = piped.figure.bbox
    assert all(whole.x0 <= b.x0 and b.x1 <= whole.x1 for b in boxes.values())
    assert all(whole.y0 <= b.y0 and b.y1 <= whole.y1 for b in boxes.values())


def test_stocks_are_boxes_and_flows_have_pipes_and_valves(piped: Drawn) -> None:
    kinds = Counter(kind for _, kind in piped.graph.nodes(data="kind"))
    polygons = [p for p in piped.figure.axes[0].patches if isinstance(p, Polygon)]
    valves = [p for p in polygons if len(p.get_xy()) == 5]
    rectangles = [p for p in piped.figure.axes[0].patches if isinstance(p, Rectangle)]
    assert (len(rectangles), len(valves)) == (kinds["stock"], kinds["flow"])
    through_pipes = sum(
        piped.graph.nodes[a]["kind"] == "flow" and piped.graph.nodes[b]["kind"] == "stock"
        for a, b in piped.graph.edges
    )
    heads = len(polygons) - len(valves)
    assert heads == kinds["flow"] + piped.graph.number_of_edges() - through_pipes


def test_no_link_runs_through_a_name_in_a_stock_and_flow_diagram(piped: Drawn) -> None:
    boxes = {name: piped.extent(piped.texts[name]) for name in piped.graph}
    for line in piped.figure.axes[0].lines:
        points = line.get_transform().transform(line.get_xydata())
        for name, box in boxes.items():
            inside = (points > (box.x0 + 1, box.y0 + 1)) & (points < (box.x1 - 1, box.y1 - 1))
            assert not np.any(inside.all(axis=1)), name


def test_the_stocks_of_a_chain_stand_in_a_row() -> None:
    texts = drawn("stocks", "sir", "da").texts
    places = [texts[name].get_position() for name in ("Susceptible", "Infectious", "Recovered")]
    assert places[0][0] < places[1][0] < places[2][0]
    assert places[0][1] == places[1][1] == places[2][1]


def test_flows_back_and_second_clouds_get_pipes_of_their_own() -> None:
    graph = model(
        """worsening -> Strained -
        worsening -> Crisis +
        easing -> Crisis -
        easing -> Strained +
        new cases -> Strained +
        more cases -> Strained +
        leaving -> Crisis -
        dying -> Crisis -""",
        ["Strained", "Crisis"],
        ["worsening", "easing", "new cases", "more cases", "leaving", "dying"],
    )
    shown = Drawn(graph, (), {}, stock_and_flow_diagram(graph))
    boxes = {name: shown.extent(shown.texts[name]) for name in graph}
    assert [f"{a}, {b}" for a, b in combinations(boxes, 2) if boxes[a].overlaps(boxes[b])] == []


def test_many_constants_are_left_out() -> None:
    rates = "\n".join(f"rate {i} -> births +" for i in range(13))
    graph = model(f"births -> Population +\n{rates}", ["Population"], ["births"])
    shown = {t.get_text() for t in stock_and_flow_diagram(graph).axes[0].texts}
    assert "births" in shown
    assert "rate 1" not in shown


def test_a_model_is_drawn_by_its_groups_of_stocks() -> None:
    first, second = stock_groups(PREY)
    assert set(first) >= {"Prey", "prey births", "prey deaths", "Predators", "prey birth rate"}
    assert first.nodes["Predators"]["kind"] == "auxiliary"
    assert second.nodes["Predators"]["kind"] == "stock"
    assert PREY.nodes["Predators"]["kind"] == "stock"


def test_too_many_stocks_or_none_are_refused() -> None:
    many = model("\n".join(f"f -> S{i} +" for i in range(16)), [f"S{i}" for i in range(16)], ["f"])
    with pytest.raises(KredslobError, match="found 16 stocks to draw, expected 1 to 15"):
        stock_and_flow_diagram(many)
    with pytest.raises(KredslobError, match="found 0 stocks"):
        stock_and_flow_diagram(model("a -> b +"))


# Places of a sketch -------------------------------------------------------------------------------


def test_the_sketch_of_a_model_file_says_where_variables_stand() -> None:
    names = {e.name for e in abstract_model(MODEL).sections[0].elements}
    found = places(MODEL)
    assert list(found)[:2] == ["Citizens", "Interventions"]
    assert {name for view in found.values() for name in view} <= names
    assert {"Fund Cash", "spending", "starts"} <= set(found["Fund"])


def test_variables_stand_where_the_sketch_has_them() -> None:
    graph = POPULATION.copy()
    sketched = {"Population": (300, 100), "births": (150, 115), "deaths": (450, 115)}
    nx.set_node_attributes(graph, sketched | {"birth rate": (150, 300)}, "place")
    shown = Drawn(graph, (), {}, stock_and_flow_diagram(graph))
    at = {name: np.array(shown.texts[name].get_position()) for name in graph}
    assert at["births"] - at["Population"] == pytest.approx((-150, -15))
    assert at["birth rate"] - at["Population"] == pytest.approx((-150, -200))


def test_a_sketch_that_is_cut_short_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "cut.mdl"
    path.write_text("x = 1 ~ ~ |\n\\\\\\---/// Sketch\n*View\n10,1,x,20\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="line 4: found '10,1,x,20'"):
        places(path)
    with pytest.raises(InputFileError, match="cannot be read"):
        places(tmp_path / "none.mdl")


# What goes with a diagram -------------------------------------------------------------------------


def test_the_caption_tells_the_loops() -> None:
    drawing = causal_loop_drawing("people", *MODELS["population"], language="da")
    assert drawing.alt == (
        "Årsagsdiagram. 5 variable og 6 påvirkninger. R1 births: forstærker (Population → births)."
        " B1 deaths: balancerer (Population → deaths)."
    )
    plain = causal_loop_drawing("people", POPULATION)
    assert plain.caption == "5 variables and 6 links. No loop is marked."


def test_the_caption_lists_stocks_and_flows() -> None:
    drawing = stock_and_flow_drawing("people", POPULATION, labels={"births": "newborn"})
    assert drawing.alt == ("Stock-and-flow diagram. Stocks: Population. Flows: newborn, deaths.")


def test_the_variables_of_the_loops_have_labels_in_both_languages() -> None:
    inside = {name for family in families() for name in family.path}
    for language in LANGUAGES:
        assert inside <= set(words(language).labels)


def test_the_same_model_gives_the_same_bytes_in_every_run() -> None:
    script = (
        "from test_diagrams import *\nimport hashlib\n"
        "graph = nx.compose(model('\\n'.join(f'x{i} -> x{i + 1} +' for i in range(100))), PREY)\n"
        "texts = [svg(causal_loop_diagram(graph, PREY_LOOPS)), svg(stock_and_flow_diagram(SIR))]\n"
        "print([hashlib.sha256(text.encode()).hexdigest() for text in texts])"
    )
    hashes = set()
    for seed in ("1", "2"):
        path = os.pathsep.join([os.path.dirname(__file__), *filter(None, sys.path)])
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path}
        command = [sys.executable, "-c", script]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        hashes.add(run.stdout)
    assert len(hashes) == 1
    assert "<svg" in svg(causal_loop_diagram(POPULATION))
