"""Each notebook runs from top to bottom, and what is stored in it is what comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def test_there_is_a_notebook() -> None:
    assert [p.name for p in NOTEBOOKS][:1] == ["01-first-run.ipynb"]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_a_notebook_runs_from_top_to_bottom(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # figures must show without the help of an inline backend, as where Jupyter is not at home
    monkeypatch.setenv("MPLBACKEND", "agg")
    stored = nbformat.read(path, as_version=4)
    fresh = nbformat.from_dict(stored)
    here = {"metadata": {"path": str(path.parent)}}  # where Jupyter opens it
    NotebookClient(fresh, timeout=900, kernel_name="python3", resources=here).execute()
    pictures = [out for out in outputs(fresh) if "image/png" in out.get("data", {})]
    assert len(pictures) >= 4
    assert all(out["metadata"]["image/png"]["alt"] for out in pictures)
    assert not [out for out in outputs(fresh) if out["output_type"] == "stream"]  # no warnings
    # rounded tables: if one differs, run the notebook again and save it
    assert tables(stored) == tables(fresh)


def outputs(notebook: Any) -> list[Any]:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    return [out for cell in code for out in cell.outputs]


def tables(notebook: Any) -> list[str]:
    frames = [out.get("data", {}).get("text/html", "") for out in outputs(notebook)]
    return [frame for frame in frames if "dataframe" in frame]
