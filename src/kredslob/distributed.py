"""Chunks of runs on the workers of a Dask cluster; the same numbers as on one machine.

Each worker compiles the model's kernel or finds it in its own cache. A chunk that was lost with
its worker is made anew by another; chunks that came in, or lie in the store, are not.
"""

from __future__ import annotations

import hashlib
import pickle
from functools import lru_cache
from itertools import islice
from typing import Any

import xarray as xr

from kredslob.ensemble import Ensemble, Job, Progress, Reduce, Sink, run_here, tally
from kredslob.errors import KredslobError, ParameterError
from kredslob.targets.numba import Batch

_AHEAD = 3  # chunks a worker thread: one that runs, one that waits, one on its way back


def carried_out(
    ensemble: Ensemble, sink: Sink, threads: int | None, client: Any, progress: Progress | None
) -> xr.Dataset:
    """Run what a sink misses: on this machine, or on the cluster of a client.

    Parameters
    ----------
    ensemble, sink, threads, progress
        As for `run_there`.
    client : distributed.Client, optional
        Default: none.

    Returns
    -------
    Dataset
        From the sink.

    Raises
    ------
    ParameterError
        The client is none of Dask's, or Dask is not installed.
    """
    if client is None:
        return run_here(ensemble, sink, threads, progress)
    check_client(client)
    return run_there(ensemble, sink, client, threads, progress)


def check_client(client: Any) -> None:
    """Raise ParameterError unless this is a client of a Dask cluster."""
    try:
        from distributed import Client
    except ImportError:
        raise ParameterError(
            "client= needs Dask, which is not installed: pip install 'kredslob[cluster]'"
        ) from None
    if not isinstance(client, Client):
        raise ParameterError(
            f"client: found {type(client).__name__}, expected a dask.distributed.Client"
        )
    if client.asynchronous:
        raise ParameterError("client: found an asynchronous client, expected an ordinary one")


def run_there(
    ensemble: Ensemble, sink: Sink, client: Any, threads: int | None, progress: Progress | None
) -> xr.Dataset:
    """Run what a sink misses on the workers of a cluster.

    Parameters
    ----------
    ensemble : Ensemble
        The runs.
    sink : Sink
        Where results go; chunks are handed to it in order, whichever comes in first.
    client : distributed.Client
        The cluster. A worker that is lost is borne; see ``distributed.scheduler.allowed-failures``.
    threads : int, optional
        Threads for each chunk. Default: one; the worker's own threads each take a chunk.
    progress : callable, optional
        Called with (runs done, runs in all).

    Returns
    -------
    Dataset
        From the sink.
    """
    import cloudpickle
    from distributed import as_completed

    # what a sink asks may be a function of a notebook, which travels as it is written
    packed = cloudpickle.dumps((ensemble.job, sink.reduce, _fingerprint(ensemble.job)))
    missing = sink.missing()
    done = tally(ensemble, missing, progress)
    done(0)
    room = _AHEAD * max(1, sum(client.nthreads().values()))
    waiting = iter(missing)
    order = iter(missing)
    due = next(order, None)
    ready: dict[int, Any] = {}
    chunk_of: dict[Any, int] = {}
    coming = as_completed()

    def submit(count: int) -> None:
        for chunk in islice(waiting, count):
            batch = ensemble.part(chunk)
            future = client.submit(_made, packed, chunk, batch, threads or 1, pure=False)
            chunk_of[future] = chunk
            coming.add(future)

    try:
        submit(room)
        for future in coming:
            chunk = chunk_of.pop(future)
            ready[chunk] = future.result()
            future.release()
            done(len(ensemble.part(chunk)))
            while due in ready:
                sink.take(due, ready.pop(due))
                due = next(order, None)
            submit(room - len(chunk_of) - len(ready))
    except BaseException:
        sink.pause()
        raise
    finally:
        client.cancel(list(chunk_of))
    return sink.result()


def _made(packed: bytes, chunk: int, batch: Batch, threads: int) -> Any:
    """On the worker: run a chunk and make of it what the sink wants."""
    job, reduce = _unpacked(packed)
    if reduce.is_finished(chunk):
        return None
    return reduce(job, chunk, batch, job.run(batch, threads), threads)


@lru_cache(maxsize=4)
def _unpacked(packed: bytes) -> tuple[Job, Reduce]:
    job, reduce, fingerprint = pickle.loads(packed)
    if _fingerprint(job) != fingerprint:
        raise KredslobError("the workers have another version of kredslob than the client")
    return job, reduce


def _fingerprint(job: Job) -> str:
    """Hash of the kernel's source, which a worker writes anew."""
    return hashlib.sha256(job.target.source.encode()).hexdigest()
