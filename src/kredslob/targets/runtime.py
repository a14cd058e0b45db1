"""Functions that compiled kernels call: Vensim's arithmetic, tables, random numbers, allocation.

Each is written once, in the subset of Python that Numba compiles. Tolerances are PySD's.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

LANES = 8  # runs side by side; see `lanes`
SMALL = 1e-6  # what Vensim takes for zero
PRECISION = 1e-5  # of a time step: when two times are the same (PySD)
LONGEST_PIPE = 1e7  # steps of a fixed delay
MOST_STEPS = 100_000_000
#: How a run ended.
ENDED, NO_ROOM, BAD_CLOCK, TOO_MANY_STEPS, PIPE_TOO_LONG = range(5)
#: How a table is read between and beyond its points.
INTERPOLATE, EXTRAPOLATE, HOLD_BACKWARD, LOOK_FORWARD, RAW = range(5)
_inline = njit(inline="never", nogil=True, error_model="numpy")


@_inline
def minimum(a, b):
    return a if a < b or a != a else b  # NaN of either is kept


@_inline
def maximum(a, b):
    return a if a > b or a != a else b


@_inline
def xidz(numerator, denominator, otherwise):
    return otherwise if abs(denominator) < SMALL else numerator / denominator


@_inline
def zidz(numerator, denominator):
    return 0.0 if abs(denominator) < SMALL else numerator / denominator


@_inline
def quantum(a, b):
    return a if b < SMALL else b * np.trunc(a / b)


@_inline
def modulo(a, b):
    return a - quantum(a, b)


@_inline
def step(time, time_step, height, start):
    return height if time + 0.5 * time_step > start else 0.0 * height


@_inline
def ramp(time, time_step, slope, start, finish):
    return slope * (min(finish, time) - start) if time + SMALL > start else 0.0


@_inline
def pulse(time, time_step, start, width):
    middle = time + 0.5 * time_step
    return 1.0 if start < middle < start + max(width, time_step) else 0.0


@_inline
def pulse_train(time, time_step, start, repeat, width, end):
    if repeat == 0.0:
        return pulse(time, time_step, start, width)
    middle = time + 0.5 * time_step
    if middle > start and time < end and (middle - start) % repeat < max(width, time_step):
        return 1.0
    return 0.0


@njit(nogil=True, error_model="numpy")
def even_calendar(years, measure):
    """Vensim's measures of a moment, in years of twelve months of thirty days."""
    days = 360.0 * years + 1e-9
    whole = np.floor(days)
    if measure == 1.0:
        return np.floor(days / 360.0)
    if measure == 2.0:
        return 1.0 + np.floor((days % 360.0) / 90.0)
    if measure == 3.0:
        return 1.0 + np.floor((days % 360.0) / 30.0)
    if measure == 4.0:
        return 1.0 + whole % 30.0
    return _of_days(days, measure)


@njit(nogil=True, error_model="numpy")
def calendar(days, measure):
    """Vensim's measures of a moment, in days since the beginning of year 0 (Gregorian)."""
    days = days + 1e-9
    if measure > 4.0:
        return _of_days(days, measure)
    # after H. Hinnant, chrono-compatible low-level date algorithms: years begin in March
    z = int(np.floor(days)) - 60
    era = z // 146097
    day_of_era = z - era * 146097
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * day_of_year + 2) // 153
    month = from_march + 3 if from_march < 10 else from_march - 9
    if measure == 1.0:
        return float(year_of_era + era * 400 + (1 if month <= 2 else 0))
    if measure == 2.0:
        return 1.0 + (month - 1) // 3
    if measure == 3.0:
        return float(month)
    return float(day_of_year - (153 * from_march + 2) // 5 + 1)


@njit(nogil=True, error_model="numpy")
def _of_days(days, measure):
    whole = np.floor(days)
    seconds = 86400.0 * (days - whole)
    if measure == 5.0:
        return (whole + 6.0) % 7.0  # the first day of year 0 was a Saturday
    if measure == 6.0:
        return whole
    if measure == 7.0:
        return np.floor(seconds / 3600.0)
    if measure == 8.0:
        return np.floor(seconds % 3600.0 / 60.0)
    if measure == 9.0:
        return seconds % 60.0
    return (86400.0 * whole + seconds) % 500000.0


@njit(nogil=True)
def segment(xs, first, count, x):
    """The last point at or before x, but neither before the first one nor the last one itself."""
    low, high = first, first + count - 1  # find the first inner point beyond x
    while low < high:
        middle = (low + high) // 2
        if xs[middle] <= x:
            low = middle + 1
        else:
            high = middle
    return max(low - 1, first)


@njit(nogil=True, error_model="numpy")
def pick(v, base, stride, extent, position):
    """The element at a computed position; missing where there is none."""
    if not 0.0 <= position < extent:
        return np.nan
    return v[base + stride * int(position)]


@njit(nogil=True, error_model="numpy")
def invert(xs, ys, first, count, y):
    """Argument at which a rising or falling table has the value y; the ends beyond it."""
    last = first + count - 1
    falls = ys[last] < ys[first]
    for k in range(first, last):
        low, high = ys[k], ys[k + 1]
        if (high <= y <= low) if falls else (low <= y <= high):
            if high == low:
                return xs[k]
            return xs[k] + (y - low) / (high - low) * (xs[k + 1] - xs[k])
    return xs[first] if (y > ys[first]) == falls else xs[last]


# --- random numbers: Philox 4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405)


@njit(nogil=True, error_model="numpy")
def philox(counter0, counter1, counter2, counter3, key0, key1):
    """Two uniform numbers in (0, 1) for a counter and a key of 32-bit words."""
    mask = np.uint64(0xFFFFFFFF)
    c0, c1 = np.uint64(counter0) & mask, np.uint64(counter1) & mask
    c2, c3 = np.uint64(counter2) & mask, np.uint64(counter3) & mask
    k0, k1 = np.uint64(key0) & mask, np.uint64(key1) & mask
    shift = np.uint64(32)
    for _ in range(10):
        p0 = np.uint64(0xD2511F53) * c0
        p1 = np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (
            (p1 >> shift) ^ c1 ^ k0,
            p1 & mask,
            (p0 >> shift) ^ c3 ^ k1,
            p0 & mask,
        )
        k0 = (k0 + np.uint64(0x9E3779B9)) & mask
        k1 = (k1 + np.uint64(0xBB67AE85)) & mask
    scale = 1.0 / 9007199254740992.0  # 2^-53
    first = (np.float64((c0 << np.uint64(21)) ^ (c1 >> np.uint64(11))) + 0.5) * scale
    second = (np.float64((c2 << np.uint64(21)) ^ (c3 >> np.uint64(11))) + 0.5) * scale
    return first, second


@njit(nogil=True, error_model="numpy")
def normal_quantile(p):
    """Inverse of the standard normal distribution (Wichura 1988, AS 241, PPND16)."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = 2.5090809287301226727e3
        for c in (
            3.3430575583588128105e4,
            6.7265770927008700853e4,
            4.5921953931549871457e4,
            1.3731693765509461125e4,
            1.9715909503065514427e3,
            1.3314166789178437745e2,
            3.3871328727963666080e0,
        ):
            top = top * r + c
        low = 5.2264952788528545610e3
        for c in (
            2.8729085735721942674e4,
            3.9307895800092710610e4,
            2.1213794301586595867e4,
            5.3941960214247511077e3,
            6.8718700749205790830e2,
            4.2313330701600911252e1,
            1.0,
        ):
            low = low * r + c
        return q * top / low
    r = p if q < 0.0 else 1.0 - p
    if r <= 0.0:
        return -np.inf if q < 0.0 else np.inf
    r = math.sqrt(-math.log(r))
    if r <= 5.0:
        r -= 1.6
        top = 7.74545014278341407640e-4
        for c in (
            2.27238449892691845833e-2,
            2.41780725177450611770e-1,
            1.27045825245236838258e0,
            3.64784832476320460504e0,
            5.76949722146069140550e0,
            4.63033784615654529590e0,
            1.42343711074968357734e0,
        ):
            top = top * r + c
        low = 1.05075007164441684324e-9
        for c in (
            5.47593808499534494600e-4,
            1.51986665636164571966e-2,
            1.48103976427480074590e-1,
            6.89767334985100004550e-1,
            1.67638483018380384940e0,
            2.05319162663775882187e0,
            1.0,
        ):
            low = low * r + c
    else:
        r -= 5.0
        top = 2.01033439929228813265e-7
        for c in (
            2.71155556874348757815e-5,
            1.24266094738807843860e-3,
            2.65321895265761230930e-2,
            2.96560571828504891230e-1,
            1.78482653991729133580e0,
            5.46378491116411436990e0,
            6.65790464350110377720e0,
        ):
            top = top * r + c
        low = 2.04426310338993978564e-15
        for c in (
            1.42151175831644588870e-7,
            1.84631831751005468180e-5,
            7.86869131145613259100e-4,
            1.48753612908506148525e-2,
            1.36929880922735805310e-1,
            5.99832206555887937690e-1,
            1.0,
        ):
            low = low * r + c
    return -top / low if q < 0.0 else top / low


@njit(nogil=True, error_model="numpy")
def normal_share(x):
    """Standard normal distribution function."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@njit(nogil=True, error_model="numpy")
def uniform(first, second, low, high):
    return low + first * (high - low)


@njit(nogil=True, error_model="numpy")
def normal(first, second, low, high, mean, deviation):
    """Normal, cut off at low and high."""
    if deviation == 0.0:
        return mean
    below, above = normal_share((low - mean) / deviation), normal_share((high - mean) / deviation)
    drawn = mean + deviation * normal_quantile(below + first * (above - below))
    return min(max(drawn, low), high)


@njit(nogil=True, error_model="numpy")
def exponential(first, second, low, high, shift, stretch):
    """Exponential with mean ``stretch`` from the larger of low and shift on, cut off at high."""
    start = max(low, shift)
    if stretch == 0.0:
        return start
    within = -math.expm1(-(high - start) / stretch)
    return start - stretch * math.log1p(-first * within)


@njit(nogil=True, error_model="numpy")
def plain_normal(first, second, mean, deviation):
    return mean + deviation * normal_quantile(first)


@njit(nogil=True, error_model="numpy")
def plain_exponential(first, second, mean):
    return -mean * math.log(first)


@njit(nogil=True, error_model="numpy")
def lognormal(first, second, mean, deviation):
    """Lognormal with this mean and standard deviation of the number itself."""
    spread = math.log(1.0 + (deviation / mean) ** 2)
    return math.exp(math.log(mean) - 0.5 * spread + math.sqrt(spread) * normal_quantile(first))


@njit(nogil=True, error_model="numpy")
def triangular(first, second, low, mode, high):
    turn = (mode - low) / (high - low)
    if first < turn:
        return low + math.sqrt(first * (high - low) * (mode - low))
    return high - math.sqrt((1.0 - first) * (high - low) * (high - mode))


@njit(nogil=True, error_model="numpy")
def poisson(first, second, mean):
    """Poisson, by adding up the distribution; for a large mean the rounded normal."""
    if mean > 500.0:
        return max(0.0, np.floor(mean + math.sqrt(mean) * normal_quantile(first) + 0.5))
    chance = reached = math.exp(-mean)
    count = 0.0
    while reached < first and count < 2000.0:
        count += 1.0
        chance *= mean / count
        reached += chance
    return count


# --- functions of whole arrays: they read and write a run's memory from the places given ----------


@njit(nogil=True, error_model="numpy")
def vector_sort_order(v, out, n, vector, direction):
    order = np.argsort(v[vector : vector + n], kind="mergesort")
    for i in range(n):
        v[out + i] = order[i] if v[direction] > 0.0 else order[n - 1 - i]


@njit(nogil=True, error_model="numpy")
def vector_rank(v, out, n, vector, direction):
    order = np.argsort(v[vector : vector + n], kind="mergesort")
    for i in range(n):
        element = order[i] if v[direction] > 0.0 else order[n - 1 - i]
        v[out + element] = i + 1


@njit(nogil=True, error_model="numpy")
def vector_reorder(v, out, n, vector, order):
    for i in range(n):
        v[out + i] = v[vector + int(v[order + i])]


@njit(nogil=True, error_model="numpy")
def invert_matrix(v, out, n, matrix):
    """Gauss-Jordan elimination with row exchange."""
    a = v[matrix : matrix + n * n].copy().reshape(n, n)
    b = np.eye(n)
    for column in range(n):
        pivot = column
        for row in range(column + 1, n):
            if abs(a[row, column]) > abs(a[pivot, column]):
                pivot = row
        for k in range(n):
            a[column, k], a[pivot, k] = a[pivot, k], a[column, k]
            b[column, k], b[pivot, k] = b[pivot, k], b[column, k]
        scale = a[column, column]
        for k in range(n):
            a[column, k] /= scale
            b[column, k] /= scale
        for row in range(n):
            factor = a[row, column]
            if row != column and factor != 0.0:
                for k in range(n):
                    a[row, k] -= factor * a[column, k]
                    b[row, k] -= factor * b[column, k]
    for row in range(n):
        for k in range(n):
            v[out + row * n + k] = b[row, k]


@njit(nogil=True, error_model="numpy")
def _demand(x, request, kind, priority, width, extra):
    """What one target takes at price level x (Vensim's priority profiles)."""
    if request == 0.0:
        return 0.0
    half = 0.5 * width
    if kind == 1.0:  # rectangular
        if x <= priority - half:
            return request
        if x < priority + half:
            return request * (1.0 - (x - priority + half) / width)
        return 0.0
    if kind == 2.0:  # triangular
        if x <= priority - half:
            return request
        if x < priority:
            return request * (1.0 - 2.0 * (x - priority + half) ** 2 / width**2)
        if x < priority + half:
            return 2.0 * request * (priority + half - x) ** 2 / width**2
        return 0.0
    if kind == 3.0:  # normal
        return request * normal_share((priority - x) / width)
    if kind == 4.0:  # exponential
        if x < priority:
            return request * (1.0 - 0.5 * math.exp((x - priority) / width))
        return request * 0.5 * math.exp((priority - x) / width)
    if kind == 5.0:  # constant elasticity
        if x <= 0.0:
            return request
        return request * (1.0 - 1.0 / (1.0 + (priority / x) ** extra))
    return np.nan


@njit(nogil=True, error_model="numpy")
def allocate_available(v, out, n, request, profile, available):
    """Share a supply by priority profiles: find the level at which demand meets supply."""
    supply = v[available]
    total = 0.0
    low, high = np.inf, -np.inf
    for i in range(n):
        total += v[request + i]
        if v[request + i] != 0.0:
            reach = 40.0 * v[profile + 4 * i + 2]
            low = min(low, v[profile + 4 * i + 1] - reach)
            high = max(high, v[profile + 4 * i + 1] + reach)
    if supply >= total or supply <= 0.0:
        for i in range(n):
            v[out + i] = v[request + i] if supply > 0.0 else 0.0
        return
    for _ in range(200):  # halving to the last digit
        level = 0.5 * (low + high)
        taken = 0.0
        for i in range(n):
            p = profile + 4 * i
            taken += _demand(level, v[request + i], v[p], v[p + 1], v[p + 2], v[p + 3])
        if level in (low, high):
            break
        if taken > supply:
            low = level
        else:
            high = level
    for i in range(n):
        p = profile + 4 * i
        v[out + i] = _demand(level, v[request + i], v[p], v[p + 1], v[p + 2], v[p + 3])


@njit(nogil=True, error_model="numpy")
def allocate_by_priority(v, out, n, request, priority, width, available):
    """Share a supply by priority: a lower target starts when a higher one has had its head start.

    The supply goes to all targets that have started and are not full, in proportion to their
    requests; target i + 1 starts when target i has had (distance in priority / width) of its
    request.
    """
    supply = v[available]
    total = 0.0
    for i in range(n):
        total += v[request + i]
        v[out + i] = 0.0
    if supply >= total:
        for i in range(n):
            v[out + i] = v[request + i]
        return
    if supply <= 0.0:
        return
    ranked = np.argsort(-v[priority : priority + n], kind="mergesort")
    order = ranked[np.array([v[request + i] != 0.0 for i in ranked])]
    asking = len(order)
    head = np.empty(asking)  # what a target has had when the next one starts
    for k in range(asking):
        head[k] = v[request + order[k]]
        if k + 1 < asking:
            gap = (v[priority + order[k]] - v[priority + order[k + 1]]) / v[width]
            head[k] *= min(gap, 1.0)
    started = 1
    left = supply
    for _ in range(3 * n + 3):
        while started < asking and v[out + order[started - 1]] >= head[started - 1] * (1.0 - 1e-15):
            started += 1
        open_requests = 0.0
        for k in range(started):
            i = order[k]
            if v[out + i] < v[request + i]:
                open_requests += v[request + i]
        if open_requests == 0.0 or left <= 0.0:
            return
        part = left / open_requests  # of each request, until something changes
        for k in range(started):
            i = order[k]
            if v[out + i] < v[request + i]:
                part = min(part, (v[request + i] - v[out + i]) / v[request + i])
        if started < asking:
            i = order[started - 1]
            if v[out + i] < v[request + i]:
                part = min(part, (head[started - 1] - v[out + i]) / v[request + i])
        for k in range(started):
            i = order[k]
            if v[out + i] < v[request + i]:
                v[out + i] = min(v[request + i], v[out + i] + part * v[request + i])
        left -= part * open_requests


# --- time and fixed delays; v holds LANES runs side by side ----------------------------------


@njit(nogil=True, error_model="numpy")
def is_saved(t, dt, start, saveper, at, reached):
    """Whether values are saved at this time: at the times asked for, or each SAVEPER."""
    if len(at):  # known to be time steps; adding up a million steps drifts by a part of one
        return reached < len(at) and abs(t - at[reached]) <= 0.05 * dt
    gone = t - start
    return gone % saveper < PRECISION * dt or -gone % saveper < PRECISION * dt


@njit(nogil=True, error_model="numpy")
def pipe_lengths(v, t, dt, final, targets, delays, present):
    """Places of each fixed delay of each run, and where its places begin."""
    lengths = np.empty(len(targets) * LANES, np.int64)
    starts = np.empty(len(targets) * LANES, np.int64)
    total = 0
    for k in range(len(lengths)):
        pipe, number = k // LANES, k % LANES
        steps = v[delays[pipe] * LANES + number] / dt
        if not steps >= 1.0:
            steps = 1.0
        if present[pipe] >= 0:  # room for all that can arrive before the run ends
            steps = max(steps, (final - t) / dt + 2.0)
        if not steps <= LONGEST_PIPE:
            return lengths, starts, -1
        lengths[k] = int(np.rint(steps + SMALL))
        starts[k] = total
        total += lengths[k]
    return lengths, starts, total


@njit(nogil=True, error_model="numpy")
def fill_pipes(v, dt, lengths, starts, queue, targets, delays, present):
    """What comes out of each delay until its first input arrives; NaN where nothing is."""
    for k in range(len(lengths)):
        pipe, number = k // LANES, k % LANES
        full = lengths[k]
        if present[pipe] >= 0:
            steps = max(v[delays[pipe] * LANES + number] / dt, 1.0)
            full = min(full, int(np.rint(steps + SMALL)))
        before = v[targets[pipe] * LANES + number]
        for place in range(lengths[k]):
            queue[starts[k] + place] = before if place < full else np.nan


@njit(nogil=True, error_model="numpy")
def advance_pipes(v, dt, lengths, starts, turn, queue, targets, sources, present, missing):
    """One step: put in what enters, take out what arrives."""
    for k in range(len(lengths)):
        pipe, number = k // LANES, k % LANES
        entering = v[sources[pipe] * LANES + number]
        if present[pipe] < 0:
            queue[starts[k] + turn[k]] = entering
        else:
            queue[starts[k] + turn[k]] = np.nan
            steps = min(max(v[present[pipe] * LANES + number] / dt, 1.0), LONGEST_PIPE)
            ahead = int(np.rint(steps + SMALL))
            if ahead <= lengths[k]:
                place = starts[k] + (turn[k] + ahead) % lengths[k]
                before = queue[place]
                queue[place] = entering + (before if before == before else 0.0)
        turn[k] = (turn[k] + 1) % lengths[k]
        out = queue[starts[k] + turn[k]]
        if present[pipe] >= 0 and out != out:
            out = v[missing[pipe] * LANES + number]
        v[targets[pipe] * LANES + number] = out
