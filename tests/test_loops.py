"""The feedback loops that the model is about, each followed link by link round to its start.

The links are read from the model's diagrams, which `test_sketch` holds to its equations: an arrow
from each cause to its effect, and a pipe from each flow to its stock.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from kredslob.paths import reinvestment_folder
from kredslob.show.sketch import views

CASH_TO_STARTS = (
    "Fund Cash > total cash > money for courses > affordable starts > starts before staff > starts"
)
STARTS_TO_LIFTED = (
    "starts > starts from crisis > Crisis In Intervention > ending from crisis > lifted from crisis"
    " > lifted"
)
LIFTED_TO_SAVING = (
    "lifted > Newly Stable > avoided crisis equivalents > avoided use > avoided cost"
    " > recognised saving > identified saving"
)
SAVING_TO_PURSE = (
    "identified saving > Identified Savings In Pipeline > identified saving cashed"
    " > claimable saving"
)
PURSE_TO_CASH = "claimable saving > reinvested > returned savings > Fund Cash"
SUPPORT = (
    "support target > support change > Budget Owner Support > support effect > pledged share"
    " > reinvested"
)
LOOPS = {
    "R1 reinvestment": (
        CASH_TO_STARTS,
        STARTS_TO_LIFTED,
        LIFTED_TO_SAVING,
        SAVING_TO_PURSE,
        PURSE_TO_CASH,
    ),
    "R2 learning": (
        "endings > completions > new evidence > Evidence > learning effect > effect of a course"
        " > lifted from crisis > lifted",
        LIFTED_TO_SAVING,
        SAVING_TO_PURSE,
        PURSE_TO_CASH,
        CASH_TO_STARTS,
        "starts > starts from crisis > Crisis In Intervention > ending from crisis > endings",
    ),
    "R3 documentation": (
        "evaluation spending > documentation target > documentation change"
        " > Documentation Capability > identified saving",
        SAVING_TO_PURSE,
        PURSE_TO_CASH,
        CASH_TO_STARTS,
        "starts > course spending > total spending > evaluation spending",
    ),
    "R4 support": (
        "claimable saving > kept > visible relief > effect of visible relief > support target",
        SUPPORT,
        "reinvested > returned savings > Fund Cash",
        CASH_TO_STARTS,
        STARTS_TO_LIFTED,
        LIFTED_TO_SAVING,
        SAVING_TO_PURSE,
    ),
    "R5 prevention": (
        "Crisis > crisis reduction > prevented share > new cases > Strained > worsening > Crisis",
    ),
    "R5 prevention, next generation": (
        "Crisis > crisis reduction > inherited crisis reduction > prevented share > new cases"
        " > Strained > worsening > Crisis",
    ),
    "B1 fewer left": (
        "Crisis > eligible > wanted starts > starts before staff > starts > starts from crisis"
        " > Crisis",
    ),
    "B2 harder": (
        "Strained > eligible > share left to help > hardness effect > effect of a course"
        " > lifted from strained > back to strained > Strained",
    ),
    "B3 cash": (CASH_TO_STARTS, "starts > course spending > total spending > spending > Fund Cash"),
    "B4 capacity": (
        "Crisis In Intervention > in intervention > starts that staff allow > starts"
        " > starts from crisis > Crisis In Intervention",
    ),
    "B5 relapse": ("Newly Stable > relapse > Newly Stable",),
    "B5 relapse, back to strain": (
        "Strained > starts from strained > Strained In Intervention > ending from strained"
        " > lifted from strained > lifted > Newly Stable > relapse > Strained",
    ),
    "B6 investors": (
        "reinvested > payment from savings > paid to investors > Fund Cash",
        CASH_TO_STARTS,
        STARTS_TO_LIFTED,
        LIFTED_TO_SAVING,
        SAVING_TO_PURSE,
        "claimable saving > reinvested",
    ),
    "B7 erosion": ("reinvested > kept > kept part > satisfaction > support target", SUPPORT),
}


@pytest.fixture(scope="module")
def links() -> set[tuple[str, str]]:
    found = set()
    for view in views(reinvestment_folder() / "reinvestment.mdl"):
        found |= {(arrow.source, arrow.target) for arrow in view.arrows}
        for pipe in view.pipes:
            found |= {(pipe.flow, stock) for stock in (pipe.source, pipe.target) if stock}
    return found


@pytest.mark.parametrize("name", LOOPS)
def test_the_loop_is_in_the_model_and_closes(links: set[tuple[str, str]], name: str) -> None:
    parts = [part.split(" > ") for part in LOOPS[name]]
    for before, after in pairwise([*parts, parts[0]]):
        assert before[-1] == after[0], "the parts of the loop do not join"
    missing = [link for part in parts for link in pairwise(part) if link not in links]
    assert missing == []
