"""How far long work has come, on the terminal of whoever waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kredslob.ensemble import Progress


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show a bar with the time it has taken and may take still, where somebody watches.

    Nothing is written where stderr is no terminal, and nothing is left when the work is done. A
    bar comes only with the first sign of progress, so that what is quick shows none.

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
    with Bars(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars:
        task = bars.add_task("", total=None, visible=False)

        def progress(done: float, total: float) -> None:
            bars.update(task, completed=done, total=total, visible=True)

        yield progress
