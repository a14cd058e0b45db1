"""The workshop page under load: ``python -m benchmarks.load [--clients 200] [--moves 10000]``.

A plain static server, Python's own, hands the file to so many clients at once; each must get the
whole file. Its queue of waiting connections is made long enough for all of them: with the five
places that it has, ``python -m http.server`` refuses some, which a browser then tries again. Then
a slider is moved so many times, and what the page holds after its garbage is collected is set
beside what it held after a tenth of the moves. Needs ``kredslob[test]`` and Debian's Chromium.
Exit code 1 where a client got something else, or where memory grew by more than a tenth.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.workshop import browser, opened

CLIENTS, MOVES = 200, 10_000
GROWTH = 0.1
_SERVER = """
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

class Server(ThreadingHTTPServer):
    request_queue_size = 1024

server = Server(("127.0.0.1", 0), SimpleHTTPRequestHandler)
print(server.server_port, flush=True)
server.serve_forever()
"""
_MOVE = """
async ({from, count}) => {
  const slider = document.querySelector('[data-lever="reinvestment rate"] input');
  for (let i = from; i < from + count; i++) {
    slider.value = String(((i * 37) % 101) / 100);
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    await new Promise(requestAnimationFrame);
  }
}
"""


@dataclass(frozen=True)
class Served:
    """What clients got.

    Parameters
    ----------
    whole : int
        How many got every byte of the file.
    seconds : float
        From the first request until the last client had all.
    slowest : float
        Seconds of the client that waited longest.
    """

    whole: int
    seconds: float
    slowest: float


@dataclass(frozen=True)
class Held:
    """What a page holds once garbage is collected: bytes of its heap, nodes and listeners."""

    heap: int
    nodes: int
    listeners: int


@contextmanager
def static_server(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine by Python's own server, in a process of its own."""
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
    finally:
        server.terminate()
        server.wait()


def served(file: Path, clients: int = CLIENTS) -> Served:
    """Have so many clients fetch a file at the same time."""
    wanted = hashlib.sha256(file.read_bytes()).digest()
    with static_server(file.parent) as address, ThreadPoolExecutor(clients) as pool:

        def fetched(_: int) -> tuple[bool, float]:
            start = time.perf_counter()
            with urllib.request.urlopen(f"{address}/{file.name}", timeout=120) as answer:
                got = hashlib.sha256(answer.read()).digest()
            return got == wanted, time.perf_counter() - start

        start = time.perf_counter()
        results = list(pool.map(fetched, range(clients)))
        seconds = time.perf_counter() - start
    return Served(sum(ok for ok, _ in results), seconds, max(took for _, took in results))


def held(page: Any) -> Held:
    """Collect the garbage of a page and say what is left."""
    session = page.context.new_cdp_session(page)
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"]
    counts = session.send("Memory.getDOMCounters")
    session.detach()
    return Held(int(heap), counts["nodes"], counts["jsEventListeners"])


def moved(page: Any, moves: int) -> tuple[Held, Held]:
    """Move the slider of the rate; what is held after a tenth of it, and at the end."""
    first = moves // 10
    page.evaluate(_MOVE, {"from": 0, "count": first})
    early = held(page)
    for start in range(first, moves, 500):  # no call longer than a browser's patience
        page.evaluate(_MOVE, {"from": start, "count": min(500, moves - start)})
    return early, held(page)


def main() -> None:
    """Print both figures."""
    from kredslob.show.workshop import write_workshop

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--moves", type=int, default=MOVES)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        file = write_workshop(Path(folder) / "workshop.html")
        got = served(file, given.clients)
        size = file.stat().st_size / 1e6
        print(
            f"{got.whole} of {given.clients} clients got all {size:.2f} MB in "
            f"{got.seconds:.1f} s, the slowest in {got.slowest:.1f} s"
        )
        with browser() as started:
            start = time.perf_counter()
            early, late = moved(opened(started, file), given.moves)
            seconds = time.perf_counter() - start
    for moves, one in ((given.moves // 10, early), (given.moves, late)):
        print(
            f"after {moves:>6,} moves: heap {one.heap / 1e6:.2f} MB, {one.nodes} nodes, "
            f"{one.listeners} listeners"
        )
    print(f"{1000 * seconds / given.moves:.0f} ms a move")
    sys.exit(got.whole < given.clients or late.heap > (1 + GROWTH) * early.heap)


if __name__ == "__main__":
    main()
