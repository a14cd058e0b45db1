"""What it costs to score the loops of the reinvestment model, against a plain run of it.

    python -m benchmarks.loops

Both in the same process, warm, one after the other; the ratio of the medians is printed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import kredslob

TIMES = 15


def seconds(call: Callable[[], Any]) -> float:
    """How long one call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def main() -> None:
    """Print the times of a plain run and of scoring all loops found, over 40 years."""
    model, scenario = kredslob.load(), kredslob.load_scenario()
    feedback = kredslob.Feedback(model)
    rate = {"reinvestment rate": 1.0}
    for _ in range(3):  # compile, and warm up
        model.run(scenario, **rate)
        scores = feedback.scores(scenario, **rate)
    plain, scored = [], []
    for _ in range(TIMES):
        plain.append(seconds(lambda: model.run(scenario, **rate)))
        scored.append(seconds(lambda: feedback.scores(scenario, **rate)))
    one, all_ = statistics.median(plain), statistics.median(scored)
    steps, links = scores.sizes["time"], len(scores["link"])
    print(f"plain run, all variables: {one * 1e3:.1f} ms")
    print(
        f"{scores.sizes['loop']} loops and {links} links found and scored at {steps} steps: "
        f"{all_ * 1e3:.1f} ms"
    )
    print(f"ratio: {all_ / one:.1f}")


if __name__ == "__main__":
    main()
