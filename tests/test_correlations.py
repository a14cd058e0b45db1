"""The table of correlations: what it says is what the draws show, and what cannot be is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from kredslob.copula import contradiction, normal_matrix, together
from kredslob.cycle.correlations import correlation_table, read_correlations
from kredslob.cycle.scenario import load_scenario, parameter_table
from kredslob.errors import InputFileError
from kredslob.paths import reinvestment_folder
from kredslob.studies.questions import cycle_correlations, cycle_draws, cycle_factors

HEAD = "parameter,with,rank_correlation,certainty,why\n"
A, B, C = "cashable share[social]", "cashable share[health]", "optimism correction"


def read(folder: Path, *rows: str) -> dict[tuple[str, str], float]:
    path = folder / "correlations.csv"
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    found = read_correlations(path, parameter_table())
    return {pair: row.rank for row in found for pair in row.pairs}


def test_a_star_stands_for_each_element(tmp_path: Path) -> None:
    found = read(tmp_path, "cashable share[*],cashable share[*],0.3,assumed,same rules")
    elements = ("employment", "health", "justice", "social")
    pairs = {
        (f"cashable share[{a}]", f"cashable share[{b}]")
        for k, a in enumerate(elements)
        for b in elements[k + 1 :]
    }
    assert found == dict.fromkeys(pairs, 0.3)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("luck,optimism correction,0.5,assumed,why", "line 2, 'parameter': 'luck' is no parameter"),
        (f"{C},optimism corection,0.5,assumed,why", "did you mean 'optimism correction'?"),
        (
            f"{A},cashable share[moon],0.5,assumed,why",
            "line 2, 'with': found 'cashable share[moon]'",
        ),
        (f"{A},reinvestment rate,0.5,assumed,why", "is no uncertain parameter of parameters.csv"),
        (f"{A},{B},1.5,assumed,why", "'rank_correlation': found '1.5', expected a number from -1"),
        (f"{A},{B},much,assumed,why", "found 'much', expected a number from -1 to 1"),
        (f"{A},{B},,assumed,why", "found '', expected a number from -1 to 1"),
        (f"{A},{B},0.5,guessed,why", "'certainty': found 'guessed', expected one of measured"),
        (f"{A},{B},0.5,assumed,", "'why': is empty, expected a source or a reason"),
        (f"{A},{A},0.5,assumed,why", "with itself, expected two parameters"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(InputFileError) as problem:
        read(tmp_path, row)
    assert said in str(problem.value)


def test_a_pair_that_stands_twice_is_refused(tmp_path: Path) -> None:
    rows = (f"{A},{B},0.5,assumed,why", f"{B},{A},0.4,assumed,why")
    with pytest.raises(InputFileError, match=r"line 3.*stands on line 2 too"):
        read(tmp_path, *rows)


def test_correlations_that_cannot_hold_together_name_a_line(tmp_path: Path) -> None:
    rows = (f"{A},{B},0.9,assumed,why", f"{B},{C},0.9,assumed,why", f"{A},{C},-0.9,assumed,why")
    with pytest.raises(InputFileError, match=r"line [234].*cannot hold together"):
        read(tmp_path, *rows)
    assert len(read(tmp_path, *rows[:1], *(r.replace("-0.9", "0.9") for r in rows[1:]))) == 3


def test_a_file_without_a_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "correlations.csv"
    path.write_text("parameter,with\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="column 'rank_correlation' is missing"):
        read_correlations(path, parameter_table())
    with pytest.raises(InputFileError, match="cannot be read"):
        read_correlations(tmp_path / "none.csv", parameter_table())


def test_the_shipped_table_is_what_the_draws_show() -> None:
    rows = read_correlations(reinvestment_folder() / "correlations.csv", parameter_table())
    assert {row.certainty for row in rows} == {"assumed"}
    drawn = cycle_draws(load_scenario(), 8192, method="sobol", seed=1)
    for pair, rank in list(correlation_table().items())[::7]:
        found = spearmanr(drawn[pair[0]], drawn[pair[1]])[0]
        assert found == pytest.approx(rank, abs=0.03), pair
    apart = spearmanr(drawn[C], drawn[A])[0]
    assert apart == pytest.approx(0, abs=0.03)


def test_what_a_scenario_holds_is_in_no_pair() -> None:
    held = load_scenario().with_parameters({"cashable share": {"social": 0.7}})
    pairs = cycle_correlations(cycle_factors(held))
    assert pairs
    assert not any(A in pair for pair in pairs)


@settings(max_examples=50)
@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_draws_follow_whatever_can_hold_together(ranks: list[float]) -> None:
    pairs = dict(zip((("a", "b"), ("a", "c"), ("b", "c")), ranks, strict=True))
    matrix = normal_matrix("abc", pairs)
    lowest = float(np.linalg.eigvalsh(matrix)[0])
    assert (contradiction(matrix) is None) == (lowest >= -1e-10)
    if lowest >= 0:
        chances = np.random.default_rng(0).random((4000, 3))
        found = spearmanr(together(chances, matrix)).statistic
        expected = [ranks[0], ranks[1], ranks[2]]
        np.testing.assert_allclose(found[np.triu_indices(3, 1)], expected, atol=0.08)


def test_one_may_follow_from_another() -> None:
    chances = np.random.default_rng(0).random((500, 2))
    drawn = together(chances, normal_matrix("ab", {("a", "b"): 1.0}))
    assert spearmanr(*drawn.T).statistic == pytest.approx(1)
