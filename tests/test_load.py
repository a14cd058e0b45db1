"""The workshop page and large studies under load; ``benchmarks`` has the same at full size."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from benchmarks.load import CLIENTS, GROWTH, moved, served
from benchmarks.million import in_a_process
from benchmarks.workshop import browser, opened

from kredslob.show.workshop import write_workshop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_workshop(tmp_path_factory.mktemp("load") / "workshop.html")


def test_two_hundred_clients_each_get_the_whole_page(file: Path) -> None:
    assert served(file).whole == CLIENTS


def test_moves_of_a_slider_leave_nothing_behind(file: Path) -> None:
    with browser() as started:
        early, late = moved(opened(started, file), 1000)
    assert late.heap < (1 + GROWTH) * early.heap
    assert late.nodes <= 1.02 * early.nodes
    assert late.listeners <= early.listeners


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own measure of memory")
def test_memory_does_not_grow_with_the_number_of_runs() -> None:
    few, many = (in_a_process(runs)["gib"] for runs in (60_000, 120_000))
    assert many < few + 0.1
