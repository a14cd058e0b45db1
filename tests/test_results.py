"""Saved runs: whole or not there, and readable again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import xarray as xr

from kredslob.errors import InputFileError
from kredslob.results import load_run, new_run_folder, write_run


@pytest.fixture
def runs() -> xr.Dataset:
    attrs = {
        "model": "m.mdl",
        "model_hash": "abc",
        "parameters": '{"rate": 0.5}',
        "clock": "{}",
        "integration": "Euler",
        "engine": "PySD",
        "versions": '{"python": "3.11"}',
        "created": "2026-01-01T00:00:00+00:00",
    }
    data = {"Fund Cash": (("time", "Capital"), [[1.0, 2.0], [3.0, 4.0]], {"units": "DKK"})}
    return xr.Dataset(data, {"time": [0.0, 1.0], "Capital": ["own savings", "state pool"]}, attrs)


def test_a_saved_run_comes_back_as_it_was(tmp_path: Path, runs: xr.Dataset) -> None:
    table = xr.Dataset({"self-sustaining": ("reinvestment rate", [True, False])})
    with new_run_folder(tmp_path / "out") as folder:
        write_run(folder, runs, {"summary": table}, {"command": "kredslob run"})
    back = load_run(tmp_path / "out")
    xr.testing.assert_identical(back.runs, runs)
    xr.testing.assert_equal(back.tables["summary"], table)
    assert back.manifest["command"] == "kredslob run"
    assert back.manifest["model sha256"] == "abc"
    assert back.manifest["parameters"] == {"rate": 0.5}
    assert back.manifest["seed"] is None


def test_the_manifest_lists_each_file_with_its_hash(tmp_path: Path, runs: xr.Dataset) -> None:
    with new_run_folder(tmp_path / "out") as folder:
        (folder / "page.html").write_text("hello", encoding="utf-8")
        write_run(folder, runs, {}, {})
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"]["page.html"] == hashlib.sha256(b"hello").hexdigest()
    assert set(manifest["files"]) == {"page.html", "run.nc"}


def fail_half_way(out: Path) -> None:
    with new_run_folder(out) as folder:
        (folder / "half").write_text("half", encoding="utf-8")
        raise RuntimeError


def test_nothing_is_left_of_a_run_that_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        fail_half_way(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with (
        pytest.raises(InputFileError, match="is in use; give an empty or new folder"),
        new_run_folder(tmp_path),
    ):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("x", encoding="utf-8")
    with pytest.raises(InputFileError, match="is a file"), new_run_folder(path):
        pass


@pytest.mark.parametrize("content", [None, "{", "{}"])
def test_a_folder_without_a_run_is_refused_in_one_line(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputFileError, match=r"holds no (run|results) that can be read") as caught:
        load_run(tmp_path)
    assert "\n" not in str(caught.value)
