"""What the writers of source code share: a program as lines of arithmetic inside loops.

All values of a run lie in one array. Each equation becomes one line inside loops over its
subscripts, with the variable's name and line in the file above it. The languages, in
`kredslob.targets.source` and `kredslob.targets.javascript`, state how such a line reads.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import ClassVar

from kredslob.functions import CONDITIONS, FUNCTIONS, LOGIC, Function
from kredslob.program import (
    Array,
    At,
    Block,
    ByPhase,
    Call,
    Computed,
    Equation,
    Expression,
    If,
    Index,
    Interpolate,
    Number,
    Position,
    Program,
    Random,
    Read,
    Reduce,
    Statement,
    Time,
)
from kredslob.targets.shared_loops import grouped, needed_again, passing_variables


@dataclass(frozen=True)
class Text:
    """Source of one expression, and how deep its brackets go."""

    text: str
    depth: int = 0


@dataclass
class _Open:
    """A loop that is being written: its variable, where its body begins, places kept there."""

    variable: str
    body: int
    indent: int
    places: dict[str, str] = field(default_factory=dict)


class Writer(ABC):
    """Writes the functions of a program; collects the tables of positions that they need.

    A language states the templates, with ``{0}``, ``{1}``, ... for what stands beside them here,
    and the abstract methods.

    Parameters
    ----------
    program : Program
        A lowered model.
    """

    indentation: ClassVar[str]
    deepest: ClassVar[int]  # brackets inside brackets in one line
    reductions: ClassVar[Mapping[str, tuple[str, str]]]  # as `kredslob.functions` has them
    loop: ClassVar[str]  # variable, extent
    end_of_loop: ClassVar[str]
    call: ClassVar[str]  # function
    constant: ClassVar[str]  # name, value
    variable: ClassVar[str]  # name, number at the start
    assignment: ClassVar[str]  # name, value
    get: ClassVar[str]  # place
    put: ClassVar[str]  # place, value
    pick: ClassVar[str]  # first place, stride, extent, position
    choice: ClassVar[str]  # value, condition, other value
    turn: ClassVar[str]  # variable of a loop, as a number

    def __init__(self, program: Program) -> None:
        self.program = program
        self.tables: list[str] = []
        self.loops: dict[str, tuple[str, int]] = {}  # variable and extent by name
        self._known: dict[tuple[int, ...], str] = {}
        self._lines: list[str] = []
        self._temporaries = 0
        self._places = 0
        self._initial = False
        self._passing: frozenset[str] = frozenset()
        self._open: list[_Open] = []

    # --- what a language states ---

    @abstractmethod
    def function(self, name: str, lines: Sequence[str]) -> list[str]:
        """A function of this name with these lines."""

    @abstractmethod
    def part(self, name: str, number: int) -> str:
        """Name of a part of a function; the first has number 0."""

    @abstractmethod
    def block(self, block: Block) -> None:
        """Write the call of a function of whole arrays."""

    @abstractmethod
    def comment(self, text: str) -> str:
        """A line of comment, whatever the text holds."""

    @abstractmethod
    def template(self, function: Function) -> str:
        """The text of a call of a function."""

    @abstractmethod
    def lookup(self, entry: str, mode: str) -> str:
        """Template of the value of a table, with the argument to be filled in."""

    @abstractmethod
    def runtime_name(self, function: str) -> str:
        """A function's name in the runtime of this language."""

    @abstractmethod
    def drawn(self, stream: int) -> str:
        """Write a draw of uniform numbers; gives their names."""

    @abstractmethod
    def chosen(self, total: str, value: str, selector: str) -> None:
        """Write that a total takes a value, and one more is counted, if a selector is not zero."""

    @abstractmethod
    def number(self, value: float) -> str:
        """A number; it may be infinite or NaN."""

    @abstractmethod
    def whole_numbers(self, values: Sequence[int]) -> str:
        """An array of whole numbers."""

    @abstractmethod
    def local(self, array: Array) -> str:
        """The name of a variable that never reaches the memory."""

    @abstractmethod
    def place(self, array: Array, index: Sequence[Index]) -> str:
        """Where in the memory an element lies."""

    def alone(self, text: str) -> str:
        """The text of an expression where no other stands beside it."""
        return text

    # --- functions ---

    def functions(self) -> list[str]:
        """What a run computes as it begins, in each step, when it saves, and after each step."""
        program = self.program
        passing = passing_variables(program)
        again = needed_again(program, passing)
        return [
            *self._functions("initialise", program.initial, initial=True),
            *self._functions("dynamics", program.dynamics, passing=passing),
            *self._functions("reports", (*again, *program.reports)),
            *self._functions("updates", program.updates, fuse=False),
        ]

    def _functions(
        self,
        name: str,
        statements: Sequence[Statement],
        *,
        initial: bool = False,
        fuse: bool = True,
        passing: frozenset[str] = frozenset(),
    ) -> list[str]:
        """A function that computes these statements, or several and one of this name that calls."""
        self._initial, self._passing = initial, passing
        bodies = [self._body(groups) for groups in grouped(statements, fuse)]
        if len(bodies) == 1:
            return self.function(name, bodies[0])
        parts = [self.part(name, number) for number in range(len(bodies))]
        source = [self.function(part, body) for part, body in zip(parts, bodies, strict=True)]
        calls = [self.indentation + self.call.format(part) for part in parts]
        return [*chain.from_iterable(source), *self.function(name, calls)]

    def _body(self, groups: Iterable[Sequence[Statement]]) -> list[str]:
        self._lines, self._temporaries, self._places = [], 0, 0
        for group in groups:
            self._group(group)
        return self._lines

    # --- statements ---

    def emit(self, line: str) -> None:
        """Write a line inside the loops that are open."""
        self._lines.append(self.indentation * (1 + len(self._open)) + line)

    def enter(self, variable: str, extent: int) -> None:
        """Open a loop."""
        self.emit(self.loop.format(variable, extent))
        self._open.append(_Open(variable, len(self._lines), len(self._open) + 2))

    def leave(self, count: int) -> None:
        """Close the innermost loops."""
        for _ in range(count):
            self._open.pop()
            if self.end_of_loop:
                self.emit(self.end_of_loop)

    def _group(self, group: Sequence[Statement]) -> None:
        if isinstance(group[0], Block):
            self.emit(self.comment(group[0].target))
            self.block(group[0])
            return
        equations = [s for s in group if isinstance(s, Equation)]
        names = [f"i{n}" for n in range(len(equations[0].loops))]
        for variable, loop in zip(names, equations[0].loops, strict=True):
            self.enter(variable, loop.extent)
        for equation in equations:
            loops = zip(equation.loops, names, strict=True)
            self.loops = {loop.name: (variable, loop.extent) for loop, variable in loops}
            self._equation(equation)
        self.leave(len(names))

    def _equation(self, equation: Equation) -> None:
        array = self.program.arrays[equation.target]
        line = f", line {array.line}" if array.line else ""
        self.emit(self.comment(f"{array.name}{line}"))
        value = self.alone(self._value(equation.value).text)
        if array.name in self._passing:
            self.emit(self.constant.format(self.local(array), value))
        else:
            self.emit(self.put.format(self.place(array, equation.index), value))

    # --- expressions ---

    def new(self, letter: str) -> str:
        """A name that the function has not used yet."""
        self._temporaries += 1
        return f"{letter}{self._temporaries}"

    def temporary(self, text: str) -> str:
        """Write an expression as a line of its own; gives the name of its value."""
        name = self.new("e")
        self.emit(self.constant.format(name, self.alone(text)))
        return name

    def _value(self, node: Expression) -> Text:
        result = self._plain(node)
        if result.depth > self.deepest:
            return Text(self.temporary(result.text))
        return result

    def _plain(self, node: Expression) -> Text:
        match node:
            case Number(value):
                return Text(self.number(value))
            case Time():
                return self._time()
            case Position(loop):
                return Text(self.turn.format(self.loops[loop][0]))
            case Read(array, index):
                return self._read(self.program.arrays[array], index)
            case Call(function, arguments):
                return self._call(node, function, arguments)
            case If(condition, yes, no):
                texts = [self._value(yes), self._condition(condition), self._value(no)]
                return self._filled(self.choice, texts)
            case Reduce():
                return self._reduce(node)
            case Interpolate(name, index, argument, mode):
                table, text = self.program.tables[name], self._value(argument)
                entry = self.flat(table.number, table.shape, index)
                return self._filled(self.lookup(entry, mode), [text])
            case Random(distribution, arguments, stream):
                return self._random(distribution, arguments, stream)
            case ByPhase(initial, running):
                return self._value(initial if self._initial else running)

    def _time(self) -> Text:
        if not self._initial:
            return Text("t")
        return Text(
            self.get.format(self.place(self.program.arrays[self.program.clock.initial], ()))
        )

    def _call(self, node: Call, function: str, arguments: Sequence[Expression]) -> Text:
        if function in CONDITIONS or function in LOGIC:
            one, zero = Text(self.number(1.0)), Text(self.number(0.0))
            return self._filled(self.choice, [one, self._condition(node), zero])
        if function in ("^", "power") and isinstance(arguments[1], Number):
            root = self.template(FUNCTIONS["sqrt"])
            shorter = {2.0: "square({0})", 3.0: "cube({0})", 0.5: root}
            if arguments[1].value in shorter:
                return self._filled(shorter[arguments[1].value], [self._value(arguments[0])])
        template = self.template(FUNCTIONS[function])
        return self._filled(template, [self._value(a) for a in arguments])

    def _condition(self, node: Expression) -> Text:
        if isinstance(node, Call) and node.function in CONDITIONS:
            template = self.template(CONDITIONS[node.function])
            return self._filled(template, [self._value(a) for a in node.arguments])
        if isinstance(node, Call) and node.function in LOGIC:
            template = self.template(LOGIC[node.function])
            return self._filled(template, [self._condition(a) for a in node.arguments])
        zero = Text(self.number(0.0))
        return self._filled(self.template(CONDITIONS["<>"]), [self._value(node), zero])

    def _filled(self, template: str, texts: Sequence[Text]) -> Text:
        depth = 1 + max((t.depth for t in texts), default=0)
        is_call = re.match(r"[\w.]+\(", template)
        filling = (self.alone(t.text) if is_call else t.text for t in texts)
        return Text(template.format(*filling), depth)

    def _read(self, array: Array, index: Sequence[Index]) -> Text:
        if array.name in self._passing:
            return Text(self.local(array))
        computed = [(n, i.value) for n, i in enumerate(index) if isinstance(i, Computed)]
        if not computed:
            return Text(self.get.format(self.place(array, index)))
        axis, position = computed[0]
        first = self.place(array, [At(0) if isinstance(i, Computed) else i for i in index])
        numbers = (first, str(_strides(array.shape)[axis]), str(array.shape[axis]))
        return self._filled(self.pick, [*map(Text, numbers), self._value(position)])

    def _reduce(self, node: Reduce) -> Text:
        start, step = self.reductions[node.operation]
        total, zero = self.new("s"), self.number(0.0)
        self.emit(self.variable.format(total, start))
        if node.selector is not None:
            self.emit(self.variable.format(f"{total}_count", zero))
        outside = dict(self.loops)
        for loop in node.loops:
            variable = f"j{len(self.loops)}"
            self.loops[loop.name] = variable, loop.extent
            self.enter(variable, loop.extent)
        value = step.format(total=total, element=self._value(node.body).text)
        if node.selector is None:
            self.emit(self.assignment.format(total, value))
        else:
            self.chosen(total, value, self._value(node.selector).text)
        self.leave(len(node.loops))
        self.loops = outside
        if node.missing is None:
            return Text(total)
        missing = self._value(node.missing).text
        return Text(self.choice.format(total, f"{total}_count > {zero}", missing), 1)

    def _random(self, distribution: str, arguments: Sequence[Expression], stream: int) -> Text:
        drawn = self.drawn(stream)
        texts = [self._value(a) for a in arguments]
        holes = "".join(f", {{{n}}}" for n in range(len(texts)))
        return self._filled(f"{self.runtime_name(distribution)}({drawn}{holes})", texts)

    # --- places ---

    def flat(self, offset: int, shape: Sequence[int], index: Sequence[Index]) -> str:
        """Text of a flat position; whatever is known when the source is written is added up."""
        scales: dict[str, int] = {}
        terms: list[str] = []
        for stride, at in zip(_strides(shape), index, strict=True):
            if isinstance(at, At):
                offset += stride * at.position
                continue
            assert not isinstance(at, Computed)
            variable, positions = self.loops[at.loop][0], at.positions
            steps = {b - a for a, b in pairwise(positions)} or {0}
            if len(steps) == 1:
                offset += stride * positions[0]
                scales[variable] = scales.get(variable, 0) + stride * steps.pop()
            else:
                terms.append(f"{self._table(tuple(stride * p for p in positions))}[{variable}]")
        terms = [v if n == 1 else f"{v} * {n}" for v, n in scales.items() if n] + terms
        if not terms:
            return str(offset)
        place = terms[0] if len(terms) == 1 and terms[0].isalnum() else None
        place = place or self._kept_place(" + ".join(terms))
        return f"{offset} + {place}" if offset else place

    def _kept_place(self, terms: str) -> str:
        """A sum of loop variables, computed once at the head of the innermost loop it needs."""
        used = set(re.findall(r"[ij]\d+", terms))
        loop = next(x for x in reversed(self._open) if x.variable in used)
        if terms not in loop.places:
            self._places += 1
            name = loop.places[terms] = f"k{self._places}"
            line = self.constant.format(name, terms)
            self._lines.insert(loop.body, self.indentation * loop.indent + line)
            at = loop.body
            for other in self._open:
                if other.body > at or other is loop:
                    other.body += 1
        return loop.places[terms]

    def _table(self, positions: tuple[int, ...]) -> str:
        if positions not in self._known:
            name = self._known[positions] = f"P{len(self._known)}"
            self.tables.append(self.constant.format(name, self.whole_numbers(positions)))
        return self._known[positions]


def _strides(shape: Sequence[int]) -> list[int]:
    strides, size = [], 1
    for extent in reversed(shape):
        strides.append(size)
        size *= extent
    return strides[::-1]
