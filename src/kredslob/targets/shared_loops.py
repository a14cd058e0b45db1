"""Which neighbouring statements of a program share a loop, and what then stays out of the memory.

A writer of source code puts equations over the same elements into one loop, as long as none needs
what another has yet to finish. A variable that only its own loop needs never reaches the memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from kredslob.program import (
    Along,
    At,
    Block,
    Equation,
    Loop,
    Program,
    Read,
    Statement,
)
from kredslob.trees import reads_in_loops

_STATEMENTS_A_FUNCTION = 60  # larger functions take the compiler disproportionately long


def grouped(statements: Sequence[Statement], fuse: bool) -> Iterable[list[list[Statement]]]:
    """Groups of statements that share a loop, as many at a time as one function holds."""
    for start in range(0, len(statements), _STATEMENTS_A_FUNCTION):
        yield list(_groups(statements[start : start + _STATEMENTS_A_FUNCTION], fuse))


def passing_variables(program: Program) -> frozenset[str]:
    """Variables that only their own loop needs in a step: they never have to reach the memory."""
    groups = [group for part in grouped(program.dynamics, True) for group in part]
    equations = [
        (number, statement)
        for number, group in enumerate(groups)
        for statement in group
        if isinstance(statement, Equation)
    ]
    times = Counter(statement.target for statement in program.dynamics)
    held = _held(program)
    writers = {e.target: (n, e) for n, e in equations if times[e.target] == 1}
    passing = writers.keys() - held
    for number, equation in equations:
        for read, inner in reads_in_loops(equation.value):
            if read.array in passing:
                home, writer = writers[read.array]
                if home != number or not _same_cell(read, inner, writer, equation.loops):
                    passing.discard(read.array)
    return frozenset(passing)


def _held(program: Program) -> set[str]:
    """What must lie in the memory: others than equations of a step ask for it there."""
    clock = program.clock
    held = {clock.final, clock.step, clock.saveper}
    held |= {name for name, array in program.arrays.items() if array.kind == "rate"}
    held |= {name for p in program.pipes for name in (p.source, p.present, p.missing)}
    held |= {read.array for update in program.updates for read, _ in reads_in_loops(update)}
    for statement in program.dynamics:
        if isinstance(statement, Block):
            held |= {statement.target, *statement.inputs}
    return held


def needed_again(program: Program, passing: frozenset[str]) -> list[Statement]:
    """What a step leaves out of the memory but a reader may ask for, in order."""
    needed = {n for n in passing if program.arrays[n].kind != "hidden"}
    needed |= {r.array for s in program.reports for r in _read_by(s)} & passing
    again: list[Statement] = []
    for statement in reversed(program.dynamics):
        if statement.target in needed:
            again.append(statement)
            needed |= {r.array for r in _read_by(statement)} & passing
    return again[::-1]


def _read_by(statement: Statement) -> Iterable[Read]:
    if isinstance(statement, Block):
        return [Read(name) for name in statement.inputs]
    return [read for read, _ in reads_in_loops(statement.value)]


def _groups(statements: Iterable[Statement], fuse: bool) -> Iterable[list[Statement]]:
    """Neighbours with the same loops, as long as no one needs what another has yet to finish."""
    group: list[Statement] = []
    for statement in statements:
        if group and fuse and _joins(group, statement):
            group.append(statement)
            continue
        if group:
            yield group
        group = [statement]
    if group:
        yield group


def _joins(group: Sequence[Statement], new: Statement) -> bool:
    if isinstance(new, Block) or any(isinstance(s, Block) for s in group):
        return False
    own = [s for s in group if isinstance(s, Equation)]
    if [x.extent for x in own[0].loops] != [x.extent for x in new.loops]:
        return False
    if not new.loops:
        return True
    written: dict[str, list[Equation]] = {}
    for equation in own:
        written.setdefault(equation.target, []).append(equation)
    return all(
        _same_cell(read, inner, writer, new.loops)
        for read, inner in reads_in_loops(new.value)
        for writer in written.get(read.array, ())
    )


def _same_cell(read: Read, inner: Sequence[Loop], writer: Equation, loops: Sequence[Loop]) -> bool:
    """Whether at each turn of the shared loops the cell read is the cell that was written."""
    own = {loop.name for loop in inner}
    place = {loop.name: n for n, loop in enumerate(loops)}
    theirs = {loop.name: n for n, loop in enumerate(writer.loops)}
    moved: set[int] = set()
    for mine, other in zip(read.index, writer.index, strict=True):
        if isinstance(mine, At) and isinstance(other, At):
            if mine.position != other.position:
                return False
        elif isinstance(mine, Along) and isinstance(other, Along):
            if mine.loop in own or place[mine.loop] != theirs[other.loop]:
                return False
            if mine.positions != other.positions:
                return False
            moved.add(place[mine.loop])
        else:
            return False
    return len(moved) == len(loops)
