"""JAX on the processor: one run written with lax.scan, all runs by vmap, compiled by XLA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.case import Array, Case
from benchmarks.equations import Layout, fixed, initial, rates
from benchmarks.peers.arrays import SMOOTHS


class JaxPeer:
    """The model in JAX, in double precision.

    Parameters
    ----------
    case : Case
        What is run.
    block : int
        Runs in one call of the compiled function.
    last : bool
        Whether the run axis is the innermost in memory (the axis that vmap adds).
    """

    def __init__(self, case: Case, block: int = 512, last: bool = False) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        self.case, self.block = case, block
        self._axis = -1 if last else 0
        one_run = _one_run(case)
        self._function = jax.jit(jax.vmap(one_run, in_axes=0, out_axes=self._axis))

    def run(self, design: Mapping[str, Array]) -> dict[str, Array]:
        """Run a design; arrays have the run axis where `last` says."""
        runs = len(next(iter(design.values())))
        parts = [
            self._function({n: v[i : i + self.block] for n, v in design.items()})
            for i in range(0, runs, self.block)
        ]
        if len(parts) == 1:
            return {name: np.asarray(array) for name, array in parts[0].items()}
        return {
            name: np.concatenate([part[name] for part in parts], axis=self._axis)
            for name in parts[0]
        }

    def by_name(self, out: Mapping[str, Array]) -> dict[str, Array]:
        """The same with the run first, then time, then subscripts."""
        return {name: np.moveaxis(array, self._axis, 0) for name, array in out.items()}


def _one_run(case: Case) -> Any:
    import jax
    import jax.numpy as jnp

    lay, clock = Layout(jnp, "none"), case.clock
    shapes = {name: case.shapes[name] for name in case.stocks} | SMOOTHS
    order = max(1, round(float(case.constants["investor term"]) / clock.step))
    x, y = case.lookups["reinvestment schedule"]

    def one_run(varied: Mapping[str, Any]) -> dict[str, Any]:
        constants = {n: jnp.asarray(v) for n, v in case.constants.items()} | dict(varied)
        k = fixed(lay, constants, clock.step)
        start = initial(lay, k)
        stocks = {n: jnp.zeros(shape) + start.get(n, 0.0) for n, shape in shapes.items()}

        def now(step: Any, stocks: Mapping[str, Any], pipe: Any) -> tuple[Any, Any]:
            t = clock.start + step * clock.step
            return rates(lay, k, stocks, t, pipe[step % order], jnp.interp(t, x, y), clock.step)

        def saved(stocks: Mapping[str, Any], auxiliaries: Mapping[str, Any]) -> dict[str, Any]:
            return {n: stocks[n] if n in stocks else auxiliaries[n] for n in case.saved}

        def step_on(carry: Any, step: Any) -> tuple[Any, Any]:
            stocks, pipe = carry
            flows, auxiliaries = now(step, stocks, pipe)
            pipe = pipe.at[step % order].set(auxiliaries["claims granted"])
            moved = {n: s + flows[n] * clock.step for n, s in stocks.items()}
            return (moved, pipe), saved(stocks, auxiliaries)

        def interval(carry: Any, first: Any) -> tuple[Any, dict[str, Any]]:
            # The first step of an interval gives the row to save; the others only move the stocks.
            carry, row = step_on(carry, first)
            rest = first + 1 + jnp.arange(clock.stride - 1)
            carry, _ = jax.lax.scan(lambda c, step: (step_on(c, step)[0], None), carry, rest)
            return carry, row

        firsts = jnp.arange(clock.saves - 1) * clock.stride
        carry, rows = jax.lax.scan(interval, (stocks, jnp.zeros(order)), firsts)
        end = saved(carry[0], now(clock.steps, *carry)[1])
        return {n: jnp.concatenate([rows[n], end[n][None]]) for n in case.saved}

    return one_run
