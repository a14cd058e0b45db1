"""Compiled walks over a network of links: loops found by strongest path, and their scores.

Compiled through the kernel cache like a model, so that a second process starts warm. Numbers of
nodes, links and elements are integers; scores lie with time as the last axis.
"""

import numpy as np
from numba import njit

SORT = "void(int64[::1], int64[::1], int64[::1], float64[:, ::1], int64)"


@njit(SORT, nogil=True, cache=True)
def sort(first, order, goal, strength, t):
    """Put the links out of each node in order at a time, strongest first, and their goals likewise.

    What is nearly in order, as after the time before, takes little time.
    """
    for n in range(len(first) - 1):
        for i in range(first[n] + 1, first[n + 1]):
            k, g = order[i], goal[i]
            j = i
            while j > first[n] and strength[order[j - 1], t] < strength[k, t]:
                order[j], goal[j] = order[j - 1], goal[j - 1]
                j -= 1
            order[j], goal[j] = k, g


FIND = (
    "int64(int64[::1], int64[::1], int64[::1], float64[:, ::1], int64[::1], uint64[::1], "
    "int64[::1], int64[::1], int64)"
)


@njit(FIND, nogil=True, cache=True)
def find(first, link, node, strength, starts, marks, found, lengths, most_steps):
    """Strongest-path search from each start at each time; see `kredslob.feedback.loops`.

    The links out of node n are ``link[first[n]:first[n + 1]]`` and lead to ``node[...]``; each has
    a strength over time, and a mark: the marks of its links, taken together, tell loops apart.
    Loops go to ``found``, one after the other, with their ``lengths``. Gives the number of loops,
    or minus that number minus one if there was no more room or time.
    """
    nodes, times = len(first) - 1, strength.shape[1]
    best = np.zeros(nodes)
    on_path = np.zeros(nodes, np.bool_)
    path, turn = np.zeros(nodes + 1, np.int64), np.zeros(nodes + 1, np.int64)
    way, score = np.zeros(nodes + 1, np.int64), np.zeros(nodes + 1)
    mark = np.zeros(nodes + 1, np.uint64)
    order, goal = link.copy(), node.copy()
    known = {np.uint64(0)}
    loops, place, steps = 0, 0, 0
    for t in range(times):
        sort(first, order, goal, strength, t)
        for start in starts:
            best[:] = 0.0
            depth = 0
            path[0], turn[0], score[0] = start, first[start], 1.0
            on_path[start], best[start] = True, 1.0
            while depth >= 0:
                n = path[depth]
                if turn[depth] == first[n + 1]:
                    on_path[n] = False
                    depth -= 1
                    continue
                steps += 1
                if steps > most_steps:
                    return -loops - 1
                k, g = order[turn[depth]], goal[turn[depth]]
                turn[depth] += 1
                s, m = score[depth] * strength[k, t], mark[depth] ^ marks[k]
                way[depth] = k
                if g == start and s > 0.0:
                    if m not in known:
                        known.add(m)
                        end = place + depth + 1
                        if end > len(found) or loops == len(lengths):
                            return -loops - 1
                        found[place:end] = way[: depth + 1]
                        lengths[loops] = depth + 1
                        place = end
                        loops += 1
                elif s > 0.0 and not on_path[g] and s >= best[g]:
                    best[g] = s
                    on_path[g] = True
                    depth += 1
                    path[depth], turn[depth], score[depth], mark[depth] = g, first[g], s, m
    return loops


SCORE = (
    "void(int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], "
    "float64[:, ::1], int64[::1], int64[::1], float64[:, ::1])"
)


@njit(SCORE, nogil=True, cache=True)
def score(way, loop_first, shared, first, source, target, sizes, scores, start_size, order, out):
    """Scores of loops over time: the sum over the element loops of the product of their links.

    Loop number n goes along the links ``way[loop_first[n]:loop_first[n + 1]]``, of which it shares
    the first ``shared[n]`` with the loop before it; link k joins elements ``source`` and ``target``
    of its arrays at ``first[k]:first[k + 1]``, with ``scores`` there. ``sizes`` are the numbers of
    elements that the links lead to, ``start_size`` those of the nodes where the loops begin. The
    scores of loop n go to row ``order[n]``.
    """
    times, widest, longest = scores.shape[1], 1, 1
    for size in sizes:
        widest = max(widest, size)
    for loop in range(len(start_size)):
        longest = max(longest, loop_first[loop + 1] - loop_first[loop])
    held = np.zeros((longest + 1, widest, times))
    for loop in range(len(start_size)):
        begin, length = loop_first[loop], loop_first[loop + 1] - loop_first[loop]
        for element in range(start_size[loop]):
            depth = shared[loop]
            if depth == 0:
                held[0, : start_size[loop]] = 0.0
                held[0, element] = 1.0
            while depth < length:
                k = way[begin + depth]
                held[depth + 1, : sizes[k]] = 0.0
                for e in range(first[k], first[k + 1]):
                    a, b = source[e], target[e]
                    for t in range(times):
                        held[depth + 1, b, t] += scores[e, t] * held[depth, a, t]
                depth += 1
            for t in range(times):
                out[order[loop], t] += held[length, element, t]
