"""Several jobs at once, each in a process of its own where that is safe."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence


def side_by_side(jobs: Sequence[Callable[[], None]]) -> None:
    """Do jobs that leave nothing behind but files, at once if possible.

    A copy of this process does each but the last. A copy of a process with other threads may wait
    for ever for what one of them held, as in Jupyter; there, and where processes cannot be copied,
    the jobs are done one after another.

    Parameters
    ----------
    jobs : sequence of callable
        Each can be done again over what it left unfinished.

    Raises
    ------
    Exception
        Whatever a job raises.
    """
    *others, last = jobs
    if threading.active_count() > 1 or not hasattr(os, "fork"):
        for job in jobs:
            job()
        return
    started = [(_started(job), job) for job in others]
    try:
        last()
    finally:
        failed = [job for child, job in started if os.waitpid(child, 0)[1]]
    for job in failed:  # here it can say why
        job()


def _started(job: Callable[[], None]) -> int:
    """Number of a process that does the job."""
    child = os.fork()
    if child:
        return child
    done = False
    try:
        job()
        done = True
    finally:
        os._exit(0 if done else 1)
