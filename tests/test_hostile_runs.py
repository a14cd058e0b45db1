"""A run's folder that somebody else sent: refused in one line, with nothing read outside it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

from kredslob.archive import list_runs
from kredslob.errors import InputFileError
from kredslob.netcdf import as_netcdf
from kredslob.paths import reinvestment_folder
from kredslob.results import MANIFEST, MODEL, RUNS, file_faults, load_run
from kredslob.studies.reproduction import reproduce

STATED: dict[str, Any] = {
    "format": 1,
    "kind": "run",
    "command": "kredslob run",
    "seed": None,
    "setting": "municipality",
    "scenario": "",
    "levers": {},
    "model": "reinvestment.mdl",
    "model sha256": "0",
    "parameters": {},
    "versions": {},
    "created": "2026-11-29T09:00:00+00:00",
    "files": {RUNS: "0"},
}
ASKED: dict[str, Any] = {
    "outcomes": [],
    "candidates": {},
    "thresholds": {},
    "levers": {},
    "population": 8,
    "generations": 2,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of two times, and the model that it says it is of."""
    place = tmp_path / "runs" / "sent"
    (place / MODEL).mkdir(parents=True)
    runs = xr.Dataset({"fund": ("time", [1.0, 2.0])}, coords={"time": [0.0, 1.0]})
    (place / RUNS).write_bytes(as_netcdf(runs))
    shutil.copyfile(reinvestment_folder() / "reinvestment.mdl", place / MODEL / "reinvestment.mdl")
    state(place)
    return place


def state(place: Path, **changed: Any) -> None:
    (place / MANIFEST).write_text(json.dumps({**STATED, **changed}), encoding="utf-8")


def replaced(path: Path, by: Callable[[Path], Any]) -> None:
    path.unlink(missing_ok=True)
    by(path)


def refused(place: Path, read: Callable[[Path], Any] = load_run) -> str:
    with pytest.raises(InputFileError) as caught:
        read(place)
    said = str(caught.value)
    assert said.isprintable()
    return said


def test_the_folder_is_read_as_it_is(folder: Path) -> None:
    assert load_run(folder).runs["fund"].values.tolist() == [1, 2]


@pytest.mark.parametrize("name", [MANIFEST, RUNS, "tables/summary.nc"])
def test_a_pipe_or_a_link_out_of_the_folder_is_not_read(folder: Path, name: str) -> None:
    (folder / "tables").mkdir(exist_ok=True)
    replaced(folder / name, os.mkfifo)
    assert "is not a file" in refused(folder)
    replaced(folder / name, lambda path: path.symlink_to("/dev/zero"))
    assert "is a link that leads out of the run's folder" in refused(folder)
    shutil.copyfile(folder / "model" / "reinvestment.mdl", folder.parent / "outside")
    replaced(folder / name, lambda path: path.symlink_to(folder.parent / "outside"))
    assert "is a link that leads out of the run's folder" in refused(folder)


def test_a_model_is_taken_from_the_folder_alone(folder: Path) -> None:
    model = folder / MODEL / "reinvestment.mdl"
    replaced(model, lambda path: path.symlink_to(reinvestment_folder() / path.name))
    assert "is a link that leads out of the run's folder" in refused(folder, reproduce)
    state(folder, model="../../../../etc/passwd")
    assert "sent/model/passwd: is missing" in refused(folder, reproduce)


def test_a_list_of_runs_shows_a_pipe_as_damage(folder: Path) -> None:
    replaced(folder / MANIFEST, os.mkfifo)
    (entry,) = list_runs(folder.parent)
    assert entry.damage == "manifest.json: is not a file"


@pytest.mark.parametrize("how", ["external", "link", "virtual"])
def test_numbers_of_another_file_are_not_read(folder: Path, how: str) -> None:
    secret = folder.parent / "secret"
    with h5py.File(secret, "w") as file:
        file["x"] = np.arange(2.0)
    with h5py.File(folder / RUNS, "a") as file:
        if how == "external":
            file.create_dataset("stolen", (2,), "f8", external=[(str(secret), 0, 16)])
        elif how == "link":
            file["stolen"] = h5py.ExternalLink(str(secret), "x")
        else:
            layout = h5py.VirtualLayout((2,), "f8")
            layout[:] = h5py.VirtualSource(str(secret), "x", (2,))
            file.create_virtual_dataset("stolen", layout)
    assert "'stolen' " in refused(folder)


def test_numbers_that_the_file_does_not_hold_are_not_made_room_for(folder: Path) -> None:
    with h5py.File(folder / RUNS, "a") as file:
        file.create_dataset("huge", (10**12,), "f8", chunks=(10**6,), compression="gzip")
    assert "'huge' has 1,000,000,000,000 numbers, more than the file can hold" in refused(folder)


@pytest.mark.parametrize("times", [[], ["noon"]])
def test_a_run_without_times_is_refused(folder: Path, times: list[str]) -> None:
    runs = xr.Dataset({"fund": ("time", np.zeros(len(times)))}, coords={"time": times})
    (folder / RUNS).write_bytes(as_netcdf(runs))
    assert "has no times, expected those of a run" in refused(folder)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"levers": [1]}, "'levers': found list, expected names with values"),
        ({"levers": {"rate": "abc"}}, "'levers.rate': found 'abc', expected a list of numbers"),
        ({"levers": {"rate": [[1], [2]]}}, "'levers.rate': found [[1], [2]], expected a list"),
        ({"command": 3}, "'command': found int, expected a text"),
        ({"model sha256": None}, "'model sha256': found NoneType, expected a text"),
        ({"scenario": {"a": 1}}, "'scenario': found dict, expected a text"),
        ({"kind": ["run"]}, "'kind': found list, expected a text"),
    ],
)
def test_a_manifest_of_other_kinds_of_values_is_refused(
    folder: Path, changed: dict[str, Any], said: str
) -> None:
    state(folder, **changed)
    assert said in refused(folder)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": "threshold", "draws": 10**12}, "'draws': found 1000000000000, expected a whole"),
        ({"kind": "uncertainty", "draws": True}, "'draws': found True, expected a whole number"),
        ({"kind": "uncertainty", "draws": 4, "seed": "x"}, "'seed': found 'x', expected a whole"),
        ({"kind": "sensitivity", "samples": -1}, "'samples': found -1, expected a whole number"),
        (
            {"kind": "sensitivity", "asked": {"outcomes": 3}},
            "'asked.outcomes': found 3, expected what the study was asked",
        ),
        (
            {
                "kind": "sensitivity",
                "asked": {"outcomes": [], "ranges": [{"evil": 1}], "inputs": 4},
            },
            "'asked.ranges': found {'evil': 1}, expected name, low and high of each input",
        ),
        (
            {"kind": "search", "draws": 2, "asked": {**ASKED, "population": 10**9}},
            "'asked.population': found 1,000,000,000, expected 1 to 1,000,000",
        ),
        (
            {"kind": "search", "draws": 2, "asked": {**ASKED, "candidates": {"a": 1}}},
            "'asked.candidates.a': found 1, expected the title and parameters of a policy",
        ),
        (
            {"kind": "search", "draws": 2, "asked": {**ASKED, "levers": {"a": [1]}}},
            "'asked.a': found [1], expected two numbers",
        ),
    ],
)
def test_a_manifest_cannot_ask_for_anything(
    folder: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], said: str
) -> None:
    # what is asked is looked at before anything runs
    monkeypatch.setattr("kredslob.studies.reproduction._runs", lambda *_, **__: xr.Dataset())
    state(folder, **changed)
    assert said in refused(folder, reproduce)


def test_files_of_a_manifest_are_sought_in_the_folder_alone(folder: Path) -> None:
    names = ["../../secret", "/etc/passwd", "a" * 5000, "null\0byte", "ring"]
    (folder / "ring").symlink_to(folder / "ring")
    state(folder, files=dict.fromkeys(names, "0"))
    manifest = load_run(folder).manifest
    assert [fault for _, fault in file_faults(folder, manifest)] == ["missing"] * 5


def test_texts_of_a_manifest_do_not_steer_the_terminal(folder: Path) -> None:
    state(folder, scenario="a\x1b]0;b\u202ec\0d\n", parameters={"x\x1b[31m": [{"y\x07": "z\x9b"}]})
    manifest = load_run(folder).manifest
    assert manifest["scenario"] == "a ]0;b c d "
    assert manifest["parameters"] == {"x [31m": [{"y ": "z "}]}


def test_a_manifest_without_end_is_refused(folder: Path) -> None:
    with (folder / MANIFEST).open("wb") as file:
        file.truncate(20_000_001)
    assert "has 20,000,001 bytes, expected at most 20,000,000" in refused(folder)
