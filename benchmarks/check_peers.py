"""Prove that every peer computes what PySD computes, before any of them is timed.

Run as ``python -m benchmarks.check_peers``. Three short cases: the reinvestment model as the
file stands, with everything on that is off in the file, and the middling model.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from benchmarks.case import EVERYTHING_ON, Array, Case, commodity
from benchmarks.peers import available

TOLERANCE = 1e-9


def largest_difference(
    ours: Mapping[str, Array], reference: Mapping[str, Array]
) -> tuple[float, str]:
    """Largest difference relative to the largest value of the variable in the run, and where."""
    worst, where = 0.0, ""
    for name, expected in reference.items():
        scale = np.abs(expected).max() or 1.0
        found = np.asarray(ours[name])
        if found.shape != expected.shape:
            return float("inf"), f"{name}: shape {found.shape}, expected {expected.shape}"
        difference = float(np.abs(found - expected).max() / scale)
        if not difference <= worst:  # also when it is not a number
            worst, where = difference, name
    return worst, where


def main() -> int:
    """Check all peers that are installed; 0 if all agree."""
    cases = {
        "as in the file": Case(years=2.0, saveper=0.5),
        "everything on": Case(years=3.0, saveper=0.5, changed=EVERYTHING_ON),
        "commodity": commodity(years=3.0, saveper=0.5),
    }
    failed = 0
    for label, case in cases.items():
        design = case.design(2, seed=7)
        peers = available(case, print)
        reference = peers.pop("PySD")
        expected = reference.by_name(reference.run(design))
        for name, peer in peers.items():
            worst, where = largest_difference(peer.by_name(peer.run(design)), expected)
            good = worst <= TOLERANCE
            failed += not good
            mark = "agrees" if good else "DIFFERS"
            print(f"{label}: {name} {mark}; largest relative difference {worst:.1e} {where}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
