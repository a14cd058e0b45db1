"""Published cases: what the model must agree with, and where it says that it does not."""

from __future__ import annotations

import pandas as pd
import pytest

from kredslob.cycle.cases import compare, load_case
from kredslob.errors import KredslobError
from kredslob.show.table import case_notes, case_table
from kredslob.simulation import Model


@pytest.fixture(scope="module")
def denver(model: Model) -> pd.DataFrame:
    return compare(load_case("denver"), model).set_index("quantity")


def test_a_pool_that_gets_half_of_its_cost_back_shrinks_at_full_reinvestment(
    denver: pd.DataFrame,
) -> None:
    assert denver.loc["loop gain", "model"] == pytest.approx(0.5, abs=1e-3)
    assert denver.loc["self-sustaining", "model"] == 0
    spent = denver.loc["total spending per krone of capital", "model"]
    assert 1.3 < spent < 2.0  # toward 1 / (1 - 0.5), never beyond


def test_the_investor_gains_all_the_same(denver: pd.DataFrame) -> None:
    published, found = denver.loc["investor multiple", ["published", "model"]]
    assert published == pytest.approx(9_638_911.36 / 8_600_000, abs=1e-4)
    assert found > 1
    assert found == pytest.approx(published, rel=0.05)


def test_people_housed_and_still_housed_are_near_the_published_figures(
    denver: pd.DataFrame,
) -> None:
    assert denver.loc["citizens housed", "model"] == pytest.approx(365, rel=0.05)
    for year, published in ((1, 0.86), (2, 0.81), (3, 0.77)):
        row = denver.loc[f"retention after {year} years".replace("1 years", "1 year")]
        assert row["published"] == published
        assert row["model"] == pytest.approx(published, rel=0.12)


def test_each_difference_is_stated_with_its_reason(denver: pd.DataFrame) -> None:
    assert denver["source"].str.len().min() > 10
    assert denver["note"].str.len().min() > 20


def test_the_comparison_can_be_read_in_danish(denver: pd.DataFrame) -> None:
    shown = case_table(denver.reset_index(), "da")
    assert shown.row_count == len(denver)
    text = "\n".join(str(cell) for column in shown.columns for cell in column.cells)
    assert "Investorernes multiplum" in text
    assert "1,121" in text
    assert len(case_notes(denver.reset_index(), "da")) == len(denver)
    for entry in load_case("denver").published:
        assert set(entry.note) == {"da", "en"}
        assert entry.note["da"] != entry.note["en"]


def test_a_case_that_is_not_there_is_named() -> None:
    with pytest.raises(KredslobError, match="there is no case 'atlantis'; expected one of denver"):
        load_case("atlantis")
