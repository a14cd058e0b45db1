"""Diagrams for Vensim: each variable in its sector, nothing on top of anything, and readable."""

from __future__ import annotations

import re
import shutil
from itertools import combinations
from pathlib import Path

import pytest

from kredslob.errors import InputFileError
from kredslob.paths import reinvestment_folder
from kredslob.reading import abstract_model
from kredslob.show.sketch import View, draw_view, views, write_sketch

MODEL = reinvestment_folder() / "reinvestment.mdl"
SECTORS = [
    "Citizens",
    "Interventions",
    "Wellbeing",
    "Savings",
    "Purses",
    "Fund",
    "Investors",
    "Support",
    "Learning",
    "Ledgers",
]


@pytest.fixture(scope="module")
def drawn() -> list[View]:
    return views(MODEL)


def test_there_is_a_view_for_each_sector(drawn: list[View]) -> None:
    assert [view.name for view in drawn] == SECTORS


def test_each_variable_stands_once_in_its_own_sector(drawn: list[View]) -> None:
    own = [box.name for view in drawn for box in view.boxes if box.kind != "shadow"]
    names = [e.name for e in abstract_model(MODEL).sections[0].elements]
    control = {"INITIAL TIME", "FINAL TIME", "TIME STEP", "SAVEPER"}
    assert sorted(own) == sorted(set(names) - control)


def test_stocks_and_their_flows_are_drawn_as_such(drawn: list[View]) -> None:
    citizens = drawn[0]
    kinds = {box.name: box.kind for box in citizens.boxes}
    assert {n for n, k in kinds.items() if k == "stock"} == {
        "Thriving",
        "Strained",
        "Crisis",
        "Counterfactual Thriving",
        "Counterfactual Strained",
        "Counterfactual Crisis",
    }
    pipes = {pipe.flow: (pipe.source, pipe.target) for pipe in citizens.pipes}
    assert pipes["worsening"] == ("Strained", "Crisis")
    assert pipes["recovery"] == ("Strained", "Thriving")
    assert pipes["new cases"] == (None, "Strained")
    assert pipes["leaving in crisis"] == ("Crisis", None)


def test_no_two_labels_lie_on_each_other(drawn: list[View]) -> None:
    for view in drawn:
        for a, b in combinations(view.boxes, 2):
            apart = abs(a.x - b.x) >= a.width + b.width or abs(a.y - b.y) >= a.height + b.height
            assert apart, f"{view.name}: {a.name} and {b.name}"


def test_every_cause_is_an_arrow_or_a_pipe(drawn: list[View]) -> None:
    fund = next(view for view in drawn if view.name == "Fund")
    arrows = {(a.source, a.target) for a in fund.arrows}
    assert ("total cash", "money for courses") in arrows
    assert ("starts", "course spending") in arrows  # a shadow from another sector
    assert ("spending", "Fund Cash") not in arrows  # a pipe


def test_writing_leaves_the_equations_and_can_be_repeated(tmp_path: Path) -> None:
    path = tmp_path / "model.mdl"
    shutil.copy(MODEL, path)
    write_sketch(path)
    once = path.read_bytes()
    write_sketch(path)
    assert path.read_bytes() == once
    marker = b"\\\\\\---///"
    assert once.split(marker)[0] == MODEL.read_bytes().split(marker)[0]
    assert [p.name for p in tmp_path.iterdir()] == ["model.mdl"]


def test_the_model_file_carries_the_sketch_of_its_equations(tmp_path: Path) -> None:
    path = tmp_path / "model.mdl"
    shutil.copy(MODEL, path)
    write_sketch(path)
    assert path.read_bytes() == MODEL.read_bytes()


def test_objects_that_arrows_name_are_there() -> None:
    sketch = MODEL.read_text(encoding="utf-8").split("\\\\\\---///", 1)[1]
    for view in re.split(r"^\*", sketch, flags=re.MULTILINE)[1:]:
        ids = {m[1] for m in re.finditer(r"^1[0-2],(\d+),", view, re.MULTILINE)}
        ends = re.findall(r"^1,\d+,(\d+),(\d+),", view, re.MULTILINE)
        assert ends
        assert {i for pair in ends for i in pair} <= ids


def test_pysd_finds_each_sector_as_a_view(tmp_path: Path) -> None:
    from pysd.translators.vensim.vensim_file import VensimFile

    path = tmp_path / "model.mdl"
    shutil.copy(MODEL, path)
    file = VensimFile(path)
    file.parse()
    file.parse_sketch(None)
    split = file.sections[0].views_dict
    assert [name.title() for name in split] == SECTORS
    assert {"thriving", "strained", "new_cases"} <= {str(n) for n in split["citizens"]}


def test_a_view_can_be_drawn_with_all_its_labels(drawn: list[View]) -> None:
    view = next(v for v in drawn if v.name == "Learning")
    figure = draw_view(view)
    shown = {" ".join(t.get_text().split()) for t in figure.axes[0].texts}
    assert {"Evidence", "learning effect", "Documentation Capability"} <= shown
    assert "<endings>" in shown


def test_a_model_without_groups_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flat.mdl"
    path.write_text("{UTF-8}\nx = 1 ~ Dmnl ~ |\nTIME STEP = 1 ~ year ~ |\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="has no group headers"):
        views(path)
