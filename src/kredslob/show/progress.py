"""How far long work has come, on the terminal of whoever waits for it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from kredslob.ensemble import Progress


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show a bar with the time it has taken and may take still, where somebody watches.

    Nothing is written where stderr is no terminal, and nothing is left when the work is done. A
    bar comes only with the first sign of progress, so that what is quick shows none. Ctrl-C ends
    the block with a KeyboardInterrupt, at its end if not before.

    Yields
    ------
    callable
        Takes what is done and what there is in all, as every study's ``progress`` does.

    Examples
    --------
    >>> with progress_bar() as progress:  # doctest: +SKIP
    ...     kredslob.uncertainty(model, progress=progress)
    """
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    screen = Console(stderr=True)
    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    hidden = not screen.is_terminal
    with _heard(), Bars(*columns, console=screen, transient=True, disable=hidden) as bars:
        task = bars.add_task("", total=None, visible=False)

        def progress(done: float, total: float) -> None:
            bars.update(task, completed=done, total=total, visible=True)

        yield progress


@contextmanager
def _heard() -> Iterator[None]:
    """Hear a Ctrl-C that Python drops: what is raised while an object is cleared away is lost."""
    if threading.current_thread() is not threading.main_thread():
        yield  # where no signals come
        return
    times: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def interrupt(number: int, frame: FrameType | None) -> None:
        times.append(number)
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if times:
        raise KeyboardInterrupt
