"""The part of a kernel that is the same for every model: blocks of runs through time."""

from __future__ import annotations

from collections.abc import Iterable

from kredslob.program import Array, Program

_DRIVER = '''
# fixed delays: what comes out, what goes in, how long; and delays of material
TARGETS = np.array({targets})
SOURCES = np.array({sources})
DELAYS = np.array({delays})
PRESENT = np.array({present})
MISSING = np.array({missing})
FLOORED = np.array({floored})


@inner
def set_up(
    runs, numbers, constants, varied, values, variant, xs, ys, firsts, counts, v, first, count, draw
):
    """Fill the memory for the runs of a block and compute what is computed once."""
    for k in range({size}):
        put(v, k, np.nan)
    for k in range(len(constants)):
        put(v, {constants} + k, constants[k])
    for number in range(LANES):
        r = runs[number]
        for k in range(len(varied)):
            v[varied[k] * LANES + number] = values[r, k]
        for k in range(firsts.shape[1]):
            first[number, k] = firsts[variant[r], k]
            count[number, k] = counts[variant[r], k]
        draw[3 + number] = np.uint64(numbers[r])
    for k in range(firsts.shape[1]):
        count[LANES, k] = one_table(first, count, k)
    draw[2] = np.uint64(0)
    initialise(v, np.nan, np.nan, xs, ys, first, count, draw)


@inner
def clocks_agree(v):
    """Whether the runs of a block can go through time side by side."""
    for place in ({initial}, {step}, {final}, {saveper}):
        for number in range(1, LANES):
            if v[place * LANES + number] != v[place * LANES]:
                return False
    return True


@inner
def rates(v, t, dt, xs, ys, first, count, draw):
    dynamics(v, t, dt, xs, ys, first, count, draw)


@inner
def advance_by_rk4(v, held, total, t, dt, xs, ys, first, count, draw):
    """Leave the mean rate of the step in the place of the rates, and the stocks as they were."""
    for k in range({states}):
        put(held, k, get(v, k))
        put(total, k, get(v, {states} + k))
        put(v, k, get(held, k) + 0.5 * dt * get(v, {states} + k))
    rates(v, t + 0.5 * dt, dt, xs, ys, first, count, draw)
    for k in range({states}):
        put(total, k, get(total, k) + 2.0 * get(v, {states} + k))
        put(v, k, get(held, k) + 0.5 * dt * get(v, {states} + k))
    rates(v, t + 0.5 * dt, dt, xs, ys, first, count, draw)
    for k in range({states}):
        put(total, k, get(total, k) + 2.0 * get(v, {states} + k))
        put(v, k, get(held, k) + dt * get(v, {states} + k))
    rates(v, t + dt, dt, xs, ys, first, count, draw)
    for k in range({states}):
        put(total, k, (get(total, k) + get(v, {states} + k)) / 6.0)
        put(v, k, get(held, k))
    if {discrete}:  # what is not integrated moves on from the values at t
        rates(v, t, dt, xs, ys, first, count, draw)
    for k in range({states}):
        put(v, {states} + k, get(total, k))


@inner
def integrate(
    runs, active, rk4, at, saved, xs, ys, first, count, v, held, total, draw, out, times, status
):
    """Take the runs of a block through time and save the first ``active`` of them."""
    t = start = v[{initial} * LANES]
    dt, final = v[{step} * LANES], v[{final} * LANES]
    lengths, starts, places = pipe_lengths(v, t, dt, final, TARGETS, DELAYS, PRESENT)
    queue = np.empty(max(places, 0))
    turn = np.zeros_like(lengths)
    rows, steps, reached, ending = 0, 0, 0, ENDED
    if places > 0:
        fill_pipes(v, dt, lengths, starts, queue, TARGETS, DELAYS, PRESENT)
    elif places < 0:
        ending = PIPE_TOO_LONG
    while places >= 0:
        dynamics(v, t, dt, xs, ys, first, count, draw)
        dt, final = v[{step} * LANES], v[{final} * LANES]
        if not dt > 0.0 or not final == final or not t == t:
            ending = BAD_CLOCK
            break
        if is_saved(t, dt, start, v[{saveper} * LANES], at, reached):
            reached += 1
            if rows == out.shape[1]:
                ending = NO_ROOM
                break
            reports(v, t, dt, xs, ys, first, count, draw)
            for number in range(active):
                for k in range(len(saved)):
                    out[runs[number], rows, k] = v[saved[k] * LANES + number]
                times[runs[number], rows] = t
            rows += 1
        if not t + PRECISION * dt < final:
            break
        if steps >= MOST_STEPS:
            ending = TOO_MANY_STEPS
            break
        if rk4:
            advance_by_rk4(v, held, total, t, dt, xs, ys, first, count, draw)
        updates(v, t, dt, xs, ys, first, count, draw)
        advance_pipes(v, dt, lengths, starts, turn, queue, TARGETS, SOURCES, PRESENT, MISSING)
        for k in range({states}):
            put(v, k, get(v, k) + dt * get(v, {states} + k))
        for k in FLOORED:
            put(v, k, maximum(get(v, k), 0.0))
        t += dt
        steps += 1
        draw[2] = np.uint64(steps)
    for number in range(active):
        status[runs[number], 0] = rows
        status[runs[number], 1] = ending


SIGNATURE = (
    "void(int64, int64, float64[::1], int64[::1], float64[:, ::1], int64[::1], float64[::1], "
    "float64[::1], int64[:, ::1], int64[:, ::1], uint64[::1], int64[::1], boolean, float64[::1], "
    "int64[::1], float64[:, :, ::1], float64[:, ::1], int64[:, ::1])"
)


@njit(SIGNATURE, nogil=True, error_model="numpy", cache=True)
def simulate(
    begin, end, constants, varied, values, variant, xs, ys, firsts, counts, seed, numbers, rk4, at,
    saved, out, times, status,
):
    """Run the runs from begin to end; see kredslob.targets.numba for the arguments."""
    v, held, total = memory({size}), memory({states}), memory({states})
    draw = np.empty(3 + LANES, np.uint64)
    draw[0], draw[1] = seed[0], seed[1]
    first = np.empty((LANES, firsts.shape[1]), np.int64)
    count = np.empty((LANES + 1, firsts.shape[1]), np.int64)
    runs = np.empty(LANES, np.int64)
    block = begin
    while block < end:
        active = min(LANES, end - block)
        for number in range(LANES):
            runs[number] = block + min(number, active - 1)
        set_up(
            runs, numbers, constants, varied, values, variant, xs, ys, firsts, counts,
            v, first, count, draw,
        )
        together = not {moving_clock} and clocks_agree(v)
        turns = 1 if together or active == 1 else active
        for one in range(turns):
            if turns > 1:  # clocks differ: one run after another
                runs[:] = block + one
                set_up(
            runs, numbers, constants, varied, values, variant, xs, ys, firsts, counts,
            v, first, count, draw,
        )
            integrate(
                runs, active if together else 1, rk4, at, saved, xs, ys, first, count,
                v, held, total, draw, out, times, status,
            )
        block += active
'''


def driver_source(program: Program) -> str:
    """Write the driver of a program's kernel.

    Parameters
    ----------
    program : Program
        A lowered model.

    Returns
    -------
    str
        Python source; it calls ``initialise``, ``dynamics``, ``reports`` and ``updates``.
    """
    arrays = program.arrays
    clock = program.clock
    constants = program.state_size * 2
    pipes = program.pipes
    return _DRIVER.format(
        targets=_places(arrays[p.target] for p in pipes),
        sources=_places(arrays[p.source] for p in pipes),
        delays=_places(arrays[p.delay] for p in pipes),
        present=_pipe_places(program, "present"),
        missing=_pipe_places(program, "missing"),
        floored=_places(arrays[name] for name in program.non_negative),
        states=program.state_size,
        size=program.size,
        constants=constants,
        initial=arrays[clock.initial].offset,
        final=arrays[clock.final].offset,
        step=arrays[clock.step].offset,
        saveper=arrays[clock.saveper].offset,
        discrete=bool(program.updates or pipes),
        moving_clock=_has_moving_clock(program),
    )


def _has_moving_clock(program: Program) -> bool:
    """Whether a run's own values can change when it ends or how it steps."""
    clock = {program.clock.step, program.clock.final, program.clock.saveper}
    return any(s.target in clock for s in (*program.dynamics, *program.reports))


def _pipe_places(program: Program, role: str) -> str:
    """Places of an optional array of each pipe; -1 where there is none."""
    flat: list[int] = []
    for pipe in program.pipes:
        size = program.arrays[pipe.target].size
        name = getattr(pipe, role)
        first = program.arrays[name].offset if name else -1
        flat += [first + k if name else -1 for k in range(size)]
    return f"{flat}, dtype=np.int64"


def _places(arrays: Iterable[Array]) -> str:
    flat = [p for array in arrays for p in range(array.offset, array.offset + array.size)]
    return f"{flat}, dtype=np.int64" if flat else "[], dtype=np.int64"
