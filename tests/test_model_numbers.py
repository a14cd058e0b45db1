"""The model files of the tests, checked before they judge the engine: PySD against hand work."""

from __future__ import annotations

import pytest

from model_numbers import BEYOND_PYSD, BY_HAND
from model_oracles import MODELS, assert_by_hand, pysd_columns


@pytest.mark.parametrize("file", sorted(set(BY_HAND) - set(BEYOND_PYSD)))
def test_pysd_agrees_with_hand_work(file: str) -> None:
    """A model or an expectation that is wrong is found here, not taken for a fault of ours."""
    assert_by_hand(pysd_columns(file)[1], BY_HAND[file])


def test_every_file_beyond_pysd_is_worked_out_by_hand() -> None:
    assert set(BEYOND_PYSD) <= set(BY_HAND)
    assert set(BY_HAND) <= {path.name for path in MODELS.iterdir()}


@pytest.mark.parametrize("file", sorted(BEYOND_PYSD))
def test_pysd_is_still_wrong_or_unable(file: str) -> None:
    """A later PySD that runs the file rightly makes it an ordinary one."""
    with pytest.raises(Exception):  # noqa: B017, PT011 - it stops in whatever way it stops
        assert_by_hand(pysd_columns(file)[1], BY_HAND[file])
