"""How far long work has come, on the terminal of whoever waits for it."""

from __future__ import annotations

import signal
import sys
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
    the block with a KeyboardInterrupt: at the next sign of progress or at its end, if not at once.

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
    bar = Bars(*columns, console=screen, transient=True, disable=hidden)
    with _heard() as heard, bar:
        task = bar.add_task("", total=None, visible=False)

        def progress(done: float, total: float) -> None:
            if heard:
                raise KeyboardInterrupt
            bar.update(task, completed=done, total=total, visible=True)

        yield progress


@contextmanager
def _heard() -> Iterator[list[int]]:
    """Hear each Ctrl-C; yields a list that grows with them.

    Python drops what is raised while an object is cleared away, with some lines that help nobody,
    and a library that is called back from C may make another error of it.
    """
    heard: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield heard  # where no signals come
        return
    before, dropped = signal.getsignal(signal.SIGINT), sys.unraisablehook

    def interrupt(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        signal.default_int_handler(number, frame)

    def drop(what: sys.UnraisableHookArgs) -> None:
        if not (heard and issubclass(what.exc_type, KeyboardInterrupt)):
            dropped(what)

    signal.signal(signal.SIGINT, interrupt)
    sys.unraisablehook = drop
    try:
        yield heard
    except Exception:
        if not heard:
            raise
    finally:
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = dropped
    if heard:
        raise KeyboardInterrupt
