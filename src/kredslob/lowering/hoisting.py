"""Take out of the loop over time what does not belong there, and out of inner loops likewise.

Two changes, each of which leaves every value as it is (to the last digit or so):

* what depends on constants only becomes a hidden variable, computed once a run; a division by it
  becomes a multiplication;
* a sum, lookup or power inside an equation becomes a hidden variable over the subscripts that it
  really depends on, computed once and not for each element.

Measured on the reinvestment model; see docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kredslob.program import (
    Along,
    Array,
    ByPhase,
    Call,
    Equation,
    Expression,
    If,
    Interpolate,
    Loop,
    Number,
    Random,
    Read,
    Reduce,
    Statement,
    Time,
)
from kredslob.trees import mapped, parts

_WORTH = (Call, If, Interpolate, Reduce)
_SLOW = ("^", "power", "exp", "ln", "log", "sin", "cos", "tan")


def hoisted(
    statements: Sequence[Statement], arrays: dict[str, Array], moving: frozenset[str]
) -> list[Statement]:
    """Statements with hidden ones in place of what they need not compute each step.

    Parameters
    ----------
    statements : sequence of Statement
        In any order.
    arrays : dict
        All arrays; the hidden ones are added to it.
    moving : frozenset of str
        Arrays that can change during a run.

    Returns
    -------
    list of Statement
    """
    work = _Hoisting(arrays, moving)
    changed: list[Statement] = []
    for statement in statements:
        if isinstance(statement, Equation) and statement.target in moving:
            value = work.expression(statement.value, statement, root=True)
            statement = replace(statement, value=value)
        changed.append(statement)
    return [*work.found, *changed]


@dataclass
class _Hoisting:
    arrays: dict[str, Array]
    moving: frozenset[str]
    found: list[Statement] = field(default_factory=list)
    _known: dict[tuple[Expression, tuple[Loop, ...]], str] = field(default_factory=dict)

    def expression(self, node: Expression, owner: Equation, *, root: bool = False) -> Expression:
        """The expression, with reads of hidden variables in place of what was taken out."""
        if not self._moves(node):
            worth = isinstance(node, _WORTH)
            return self._hidden(node, owner, "constant part") if worth else node
        if isinstance(node, Reduce) and not (root and len(_free(node)) == len(owner.loops)):
            return self._hidden(node, owner, node.operation)
        if _is_slow(node) and len(_free(node)) < len(owner.loops):
            return self._hidden(self._inside(node, owner), owner, "part")
        if isinstance(node, Call) and node.function == "/":
            top, bottom = node.arguments
            if not isinstance(bottom, Number) and not self._moves(bottom):
                turned = Call("/", (Number(1.0), bottom))
                factor = self._hidden(turned, owner, "constant part")
                return Call("*", (self.expression(top, owner), factor))
        return self._inside(node, owner)

    def _inside(self, node: Any, owner: Equation) -> Any:
        """The node with its direct parts changed; what a sum runs over is left alone."""
        if isinstance(node, Reduce | Read):
            return node
        return mapped(
            node,
            lambda part: self.expression(part, owner) if isinstance(part, Expression) else part,
        )

    def _hidden(self, node: Expression, owner: Equation, label: str) -> Expression:
        free = _free(node)
        loops = tuple(x for x in owner.loops if x.name in free)
        here = tuple(loop.along for loop in loops)
        known = (node, loops)
        if known not in self._known:
            name, number = f"{owner.target}: {label}", 2
            while name in self.arrays:
                name, number = f"{owner.target}: {label} {number}", number + 1
            self.arrays[name] = Array(
                name, "hidden", tuple(x.name for x in loops), tuple(x.extent for x in loops)
            )
            self._known[known] = name
            self.found.append(Equation(name, here, loops, node))
        return Read(self._known[known], here)

    def _moves(self, node: Expression) -> bool:
        return any(
            isinstance(part, Time | Random | ByPhase)
            or (isinstance(part, Read) and part.array in self.moving)
            for part in parts(node)
        )


def _is_slow(node: Expression) -> bool:
    """Whether a value takes longer to compute than to read, and is no draw of each element."""
    slow = isinstance(node, Interpolate) or (isinstance(node, Call) and node.function in _SLOW)
    return slow and not any(isinstance(part, Random) for part in parts(node))


def _free(node: Any) -> frozenset[str]:
    """Loops that an expression depends on, less those that it opens itself."""
    found: set[str] = set()
    own: set[str] = set()
    for part in parts(node):
        if isinstance(part, Along):
            found.add(part.loop)
        elif isinstance(part, Reduce):
            own |= {loop.name for loop in part.loops}
    return frozenset(found - own)
