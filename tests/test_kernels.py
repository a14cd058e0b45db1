"""Compiled kernels on disk: warm starts, and everything that can be wrong with the folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kredslob.targets import kernels

# The least that has the shape of a kernel: a compiled function, kept by Numba.
SOURCE = '''"""A tiny kernel."""
from numba import njit

FACTOR = 3.0


@njit("float64(float64)", cache=True)
def simulate(x):
    return FACTOR * x
'''


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of this test, and no kernel in memory."""
    monkeypatch.setenv("KREDSLOB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kernels, "_loaded", {})
    yield tmp_path / "cache"
    for name in [n for n in sys.modules if n.startswith("kredslob_kernel_")]:
        if str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def again(monkeypatch: pytest.MonkeyPatch, source: str = SOURCE) -> Any:
    """The kernel as the next process gets it."""
    monkeypatch.setattr(kernels, "_loaded", {})
    simulate = kernels.compiled(source)
    assert simulate(2.0) == 6.0
    return simulate


def is_warm(simulate: Any) -> bool:
    """Whether it came out of the cache; Numba keeps count."""
    return sum(simulate.stats.cache_hits.values()) == 1


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.read_bytes()) for p in files}


def test_a_kernel_is_compiled_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_warm(again(monkeypatch))
    before = contents(folder)
    assert [Path(name).suffix for name in before] == [".nbc", ".nbi", ".json", ".py"]
    assert is_warm(again(monkeypatch))
    assert contents(folder) == before


def test_another_kernel_has_a_folder_of_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again(monkeypatch)
    again(monkeypatch, SOURCE.replace("FACTOR = 3.0", "FACTOR = 6.0 / 2.0"))
    assert len(list(folder.iterdir())) == 2


RUN = """
import json, sys, kredslob
from kredslob.targets import kernels
model = kredslob.load(sys.argv[1])
water = model.run()["Water"].values.tolist()
simulate = model.target({})._simulate
print(json.dumps([sum(simulate.stats.cache_hits.values()), water]))
"""


def processes(model: Path, count: int) -> list[list[Any]]:
    """Start processes at once; of each, hits in the cache and numbers of a run."""
    command = [sys.executable, "-c", RUN, str(model)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    results = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0] * count
    return [json.loads(out) for out, _ in results]


def test_two_processes_at_once_and_a_warm_third(tanks: Any, folder: Path) -> None:
    first, second = processes(tanks.file.path, 2)
    before = contents(folder)
    assert len([p for p in folder.iterdir() if not p.name.startswith(".")]) == 1
    assert not list(folder.glob(".new-*"))
    [third] = processes(tanks.file.path, 1)
    assert third[0] == 1
    assert contents(folder) == before
    assert first[1] == second[1] == third[1] == tanks.run()["Water"].values.tolist()


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "removed"])
@pytest.mark.parametrize("suffix", [".nbc", ".nbi", ".json", ".py"])
def test_a_damaged_file_is_made_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, damage: str
) -> None:
    again(monkeypatch)
    [file] = folder.rglob(f"*{suffix}")
    whole = file.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 0x10]) + whole[middle + 1 :]
    wrong = {"cut": whole[:middle], "flipped": flipped, "emptied": b""}
    if damage == "removed":
        file.unlink()
    else:
        file.write_bytes(wrong[damage])
    assert not is_warm(again(monkeypatch))
    assert is_warm(again(monkeypatch))  # and it is whole again


def test_a_file_that_was_added_is_not_trusted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again(monkeypatch)
    [kernel] = folder.iterdir()
    (kernel / "__pycache__" / "kernel.cpython-311.pyc").write_bytes(b"anything")
    assert not is_warm(again(monkeypatch))
    assert not list(folder.rglob("*.pyc"))


def test_a_folder_of_another_kernel_is_not_taken_for_this_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = SOURCE.replace("FACTOR = 3.0", "FACTOR = 5.0")
    assert kernels.compiled(other)(2.0) == 10.0
    [kernel] = folder.iterdir()
    again(monkeypatch)
    [mine] = set(folder.iterdir()) - {kernel}
    for file in mine.rglob("*.*"):
        file.unlink()
    for file in kernel.rglob("*.*"):
        file.rename(mine / file.relative_to(kernel))
    assert not is_warm(again(monkeypatch))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_can_write_to_is_not_trusted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    again(monkeypatch)
    [kernel] = folder.iterdir()
    kernel.chmod(mode)
    assert not is_warm(again(monkeypatch))
    assert is_warm(again(monkeypatch))
    assert kernel.stat().st_mode & 0o022 == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such owner")
def test_a_folder_of_someone_else_is_not_trusted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again(monkeypatch)
    me = os.getuid()
    with monkeypatch.context() as patched:
        patched.setattr(os, "getuid", lambda: me + 1)
        assert not is_warm(again(patched))


def test_a_file_in_the_place_of_the_cache_is_survived(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_text("in the way")
    assert not is_warm(again(monkeypatch))
    assert not is_warm(again(monkeypatch))
    assert folder.read_text() == "in the way"


def test_a_file_in_the_place_of_a_kernel_is_survived(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again(monkeypatch)
    [kernel] = folder.iterdir()
    monkeypatch.setenv("KREDSLOB_CACHE", str(folder.with_name("other")))
    folder.with_name("other").mkdir()
    (folder.with_name("other") / kernel.name).write_text("in the way")
    again(monkeypatch)
    again(monkeypatch)


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_survived(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    folder.chmod(0o500)
    assert not is_warm(again(monkeypatch))
    assert not list(folder.iterdir())


def test_a_full_disk_is_survived(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        again(patched)
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        again(patched)
    assert not list(folder.glob(".new-*"))
    again(monkeypatch)
    assert is_warm(again(monkeypatch))


def test_the_variable_sets_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernels.cache_folder() == folder
    monkeypatch.delenv("KREDSLOB_CACHE")
    assert kernels.cache_folder().parts[-2:] == ("kredslob", "kernels")
