"""The same model by other means: PySD, NumPy, JAX, plain C, and C made by SDEverywhere.

Each peer is written as a good user of that tool would write it, and has the same face: made for a
case, `run` takes a design, and `by_name` shows what came out (not timed).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.case import Case


def available(case: Case, say: Callable[[str], None]) -> dict[str, Any]:
    """Peers that are installed here, by name; a line is said for each that is not.

    Parameters
    ----------
    case : Case
        What is run.
    say : callable
        Takes the line about a peer that is left out.
    """
    makers = {
        "PySD": _pysd,
        "kredslob": _engine,
        "NumPy": _numpy,
        "JAX": _jax,
        "C": _plain_c,
        "SDEverywhere": _generated_c,
    }
    made: dict[str, Any] = {}
    for name, make in makers.items():
        if name in ("NumPy", "JAX", "C") and case.path.stem != "reinvestment":
            continue  # written by hand for that model
        try:
            made[name] = make(case)
        except (ImportError, OSError) as missing:
            say(f"{name} is left out: {missing}")
    return made


def _engine(case: Case) -> Any:
    from benchmarks.peers.engine import EnginePeer

    return EnginePeer(case)


def _pysd(case: Case) -> Any:
    from benchmarks.peers.reference import PysdPeer

    return PysdPeer(case)


def _numpy(case: Case) -> Any:
    from benchmarks.peers.arrays import NumpyPeer

    return NumpyPeer(case)


def _jax(case: Case) -> Any:
    from benchmarks.peers.jitted import JaxPeer

    return JaxPeer(case)


def _plain_c(case: Case) -> Any:
    from benchmarks.peers.plain_c import PlainCPeer

    return PlainCPeer(case)


def _generated_c(case: Case) -> Any:
    from benchmarks.peers.generated_c import GeneratedCPeer

    return GeneratedCPeer(case)
