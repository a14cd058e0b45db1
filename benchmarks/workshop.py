"""How long the workshop page takes from a move of a slider to redrawn charts.

Run as ``python -m benchmarks.workshop [FILE]``; needs ``kredslob[test]`` and Debian's Chromium. A
move is an input event on the slider of the reinvestment rate; it ends when every chart in sight
has been painted. Slower means that the browser's processor runs at a part of its speed. Exit code 1
where a target is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

CHROMIUM = "/usr/bin/chromium"
TARGETS = {1: 50, 6: 200}  # ms for 95 of 100 moves, by how many times slower the processor is
FIRST_LOAD = 2  # s
MOVES, REPEATS = 60, 3
WORK = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
TABS = ("cycle", "wellbeing", "savings", "accounts", "numbers")
_MEASURE = """
async ({moves, lever}) => {
  const slider = document.querySelector(`[data-lever="${lever}"] input`);
  const painted = new Map();
  for (const view of kredslob.views.values()) {
    if (view.paintWatched) continue;
    view.paintWatched = true;
    const paint = view.paint.bind(view);
    view.paint = (...given) => { paint(...given); window.lastPaint?.(view); };
  }
  const took = [];
  for (let i = 0; i < moves; i++) {
    const waiting = new Set([...kredslob.views.values()].filter((v) => v.el.offsetParent));
    let last = 0;
    const done = new Promise((resolve) => {
      window.lastPaint = (view) => {
        last = performance.now();
        waiting.delete(view);
        if (!waiting.size) resolve();
      };
    });
    slider.value = String(0.2 + 0.6 * ((i * 7) % moves) / moves);
    const start = performance.now();
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    await done;
    // a chart may be painted again in the frames that follow
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    took.push(last - start);
    window.lastPaint = null;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return took;
}
"""


@contextmanager
def browser() -> Iterator[Any]:
    """Start Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


def opened(started: Any, file: Path, width: int = 1920, height: int = 1080) -> Any:
    """Open the page and wait until it stands."""
    page = started.new_page(viewport={"width": width, "height": height})
    page.goto(file.resolve().as_uri())
    page.wait_for_selector("html[data-ready=yes]", timeout=30_000)
    page.wait_for_timeout(300)
    return page


def moves(page: Any, *, slower: int = 1, count: int = MOVES) -> np.ndarray:
    """Milliseconds from each move of the slider to redrawn charts.

    Parameters
    ----------
    page : Page
        From `opened`.
    slower : int
        How many times slower the processor runs.
    count : int
        Number of moves.
    """
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    try:
        wanted = {"moves": count, "lever": "reinvestment rate"}
        page.evaluate(_MEASURE, wanted | {"moves": 8})  # until the code is compiled
        return np.array(page.evaluate(_MEASURE, wanted))
    finally:
        session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        session.detach()


def work(page: Any, *, count: int = MOVES) -> dict[str, float]:
    """Milliseconds of the browser's main thread for one move of the slider, by what it did.

    Counts only the page's own work, so that other programs on the machine disturb it little.

    Parameters
    ----------
    page : Page
        From `opened`.
    count : int
        Number of moves.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    try:
        wanted = {"moves": count, "lever": "reinvestment rate"}
        page.evaluate(_MEASURE, wanted | {"moves": 8})
        before, _, after = (
            _metrics(session),
            page.evaluate(_MEASURE, wanted),
            _metrics(session),
        )
    finally:
        session.detach()
    return {name: 1000 * (after[name] - before[name]) / count for name in WORK}


def _metrics(session: Any) -> dict[str, float]:
    found = session.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in found}


def first_load(started: Any, file: Path) -> float:
    """Seconds from opening the file until the charts have numbers."""
    page = started.new_page(viewport={"width": 1920, "height": 1080})
    start = time.perf_counter()
    page.goto(file.resolve().as_uri(), wait_until="commit")
    page.wait_for_selector("html[data-ready=yes]", timeout=30_000)
    page.wait_for_function("document.getElementById('answer').textContent !== ''")
    took = time.perf_counter() - start
    page.close()
    return took


def main() -> None:
    """Print the table."""
    from kredslob.show.workshop import write_workshop

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="A workshop page. Default: a new one.")
    given = parser.parse_args().file
    with TemporaryDirectory() as folder, browser() as started:
        file = given or write_workshop(Path(folder) / "workshop.html")
        loads = [first_load(started, file) for _ in range(5)]
        print(f"size {file.stat().st_size / 1e6:.2f} MB")
        print(f"first load, s: median {np.median(loads):.2f}, longest {max(loads):.2f}\n")
        print(f"{'ms, slider to charts':<24}{'median':>9}{'p95':>9}{'longest':>9}")
        missed = bool(np.median(loads) >= FIRST_LOAD)
        page = opened(started, file)
        for slower in TARGETS:
            for tab in TABS:
                page.click(f"#tab-{tab}")
                took = np.concatenate([moves(page, slower=slower) for _ in range(REPEATS)])
                name = tab if slower == 1 else f"{tab}, {slower}x slower"
                row = (np.median(took), np.percentile(took, 95), took.max())
                missed |= bool(row[1] >= TARGETS[slower])
                print(f"{name:<24}" + "".join(f"{ms:9.1f}" for ms in row))
        names = ("all", "scripts", "layout", "styles")
        print(f"\n{'ms of processor a move':<24}" + "".join(f"{name:>9}" for name in names))
        for tab in TABS:
            page.click(f"#tab-{tab}")
            print(f"{tab:<24}" + "".join(f"{ms:9.1f}" for ms in work(page).values()))
    sys.exit(missed)


if __name__ == "__main__":
    main()
