"""Subscript ranges: their elements, and how the elements of one stand for those of another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

from kredslob.limits import Limits
from kredslob.program import key

_DEEPEST = 100  # subscript ranges that hold each other


class SubscriptError(Exception):
    """A subscript that does not fit; the lowering adds the variable and the file."""


@dataclass(frozen=True)
class Ranges:
    """The subscript ranges of a model.

    Parameters
    ----------
    elements : mapping of str to tuple of str
        Elements of each range under the range's name as the file writes it.
    mappings : mapping of (str, str) to mapping of str to str
        For a mapped pair of ranges (keys): which element of the second each element of the first
        stands for (keys).
    """

    elements: Mapping[str, tuple[str, ...]]
    mappings: Mapping[tuple[str, str], Mapping[str, str]]

    def range(self, name: str) -> str | None:
        """Name of a range as the file writes it; None if there is none."""
        return self._names.get(key(name))

    def keys(self, name: str) -> tuple[str, ...]:
        """Elements of a range, as they compare."""
        return self._keys[name]

    def is_element(self, name: str) -> bool:
        """Whether this names an element of any range."""
        return key(name) in self._numbers

    def number(self, element: str) -> int:
        """Place of an element in its main range, counted from 1."""
        return self._numbers[key(element)]

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return {key(name): name for name in self.elements}

    @cached_property
    def _keys(self) -> Mapping[str, tuple[str, ...]]:
        return {name: tuple(key(e) for e in all_of) for name, all_of in self.elements.items()}

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        numbers: dict[str, int] = {}
        for all_of in sorted(self._keys.values(), key=len, reverse=True):  # main ranges first
            for place, element in enumerate(all_of, 1):
                numbers.setdefault(element, place)
        return numbers

    def counterparts(self, source: str, target: str) -> Mapping[str, str] | None:
        """Which element of ``target`` each element of ``source`` stands for, as keys.

        Follows mappings in either direction, and through one range in between.
        """
        if (source, target) in self.mappings:
            return self.mappings[source, target]
        if (target, source) in self.mappings:
            return {b: a for a, b in self.mappings[target, source].items()}
        for first, middle in [*self.mappings, *((b, a) for a, b in self.mappings)]:
            if first == source:
                there = self.counterparts_directly(source, middle)
                on = self.counterparts_directly(middle, target)
                if there and on:
                    return {a: on[b] for a, b in there.items() if b in on}
        return None

    def counterparts_directly(self, source: str, target: str) -> Mapping[str, str] | None:
        """As `counterparts`, without a range in between."""
        if (source, target) in self.mappings:
            return self.mappings[source, target]
        if (target, source) in self.mappings:
            return {b: a for a, b in self.mappings[target, source].items()}
        return None


def read_ranges(
    abstract: Iterable[Any],
    external: Callable[[Mapping[str, Any]], Sequence[str]],
    limits: Limits,
) -> Ranges:
    """Gather the ranges of a model.

    Parameters
    ----------
    abstract : iterable of AbstractSubscriptRange
        As the file defines them. A range may list elements and other ranges, copy another one, or
        lie in a file.
    external : callable
        Reads the elements of a range from a file.
    limits : Limits
        How many elements the ranges may have.

    Returns
    -------
    Ranges

    Raises
    ------
    SubscriptError
        A range is defined by itself or by one that is not there, or there are too many elements.
    """
    raw: dict[str, list[str] | str] = {}
    for item in abstract:
        defined = item.subscripts
        raw[item.name] = list(external(defined)) if isinstance(defined, dict) else defined
    by_key = {key(name): name for name in raw}

    flattening = _Flattening(raw, by_key, limits)
    all_of = {name: flattening.elements(name) for name in raw}
    return Ranges(all_of, dict(_mappings(abstract, all_of, by_key)))


@dataclass
class _Flattening:
    """Works out the elements of ranges that may list each other."""

    raw: Mapping[str, list[str] | str]
    by_key: Mapping[str, str]
    limits: Limits
    _known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _named: int = 0  # elements so far, those of each range counted

    def elements(self, name: str, above: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Elements of a range, which those above it list."""
        if name in above:
            raise SubscriptError(f"the subscript range '{name}' is defined by itself")
        if name in self._known:
            return self._known[name]
        if len(above) >= _DEEPEST:
            raise SubscriptError(f"the subscript range '{name}' lies in over {_DEEPEST} others")
        flat = tuple(dict.fromkeys(self._listed(name, (*above, name))))
        self._named += len(flat)
        if self._named > self.limits.elements:
            found = f"the subscript ranges have {self._named:,} elements or more, up to '{name}'"
            raise SubscriptError(self.limits.exceeded("elements", found))
        self._known[name] = flat
        return flat

    def _listed(self, name: str, above: tuple[str, ...]) -> Iterator[str]:
        defined = self.raw[name]
        if isinstance(defined, str):
            if key(defined) not in self.by_key:
                raise SubscriptError(f"the subscript range '{name}' copies '{defined}', not found")
            defined = [defined]
        for part in defined:
            inner = self.by_key.get(key(part))
            if inner:
                yield from self.elements(inner, above)
            else:
                yield part.strip()


def _mappings(
    abstract: Iterable[Any], all_of: Mapping[str, tuple[str, ...]], by_key: Mapping[str, str]
) -> Iterable[tuple[tuple[str, str], Mapping[str, str]]]:
    for item in abstract:
        pairs: list[tuple[str, Sequence[str] | None]] = list(item.element_mapping)
        if isinstance(item.subscripts, str):
            pairs.append((item.subscripts, None))
        for target, chosen in pairs:
            name = by_key.get(key(target))
            if name is None:
                raise SubscriptError(
                    f"the subscript range '{item.name}' is mapped to '{target}', which is not found"
                )
            one = [key(e) for e in all_of[item.name]]
            groups = [[key(e)] for e in all_of[name]]
            if chosen:  # an entry may be an element, or a range that one element stands for
                groups = [
                    [key(e) for e in all_of[by_key[key(c)]]] if key(c) in by_key else [key(c)]
                    for c in chosen
                ]
            if len(one) != len(groups):
                raise SubscriptError(
                    f"the subscript range '{item.name}' has {len(one)} elements, but is mapped to "
                    f"{len(groups)} of '{name}'"
                )
            if all(len(group) == 1 for group in groups):
                yield (item.name, name), {a: g[0] for a, g in zip(one, groups, strict=True)}
            else:  # several elements of the target stand for one: only from the target's side
                yield (
                    (name, item.name),
                    {b: a for a, g in zip(one, groups, strict=True) for b in g},
                )


def axes(ranges: Ranges, subscripts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Ranges of the axes of a variable, from the subscripts of each of its equations.

    An axis that is defined element by element gets the smallest range that holds them all: one
    that no other axis has, if there is any.
    """
    if len({len(used) for used in subscripts}) > 1:
        raise SubscriptError("its equations have different numbers of subscripts")
    dims: list[str] = []
    for position in range(len(subscripts[0])):
        names = [used[position] for used in subscripts]
        only = ranges.range(names[0]) if len({key(n) for n in names}) == 1 else None
        if only and only not in dims:
            dims.append(only)
            continue
        used = {e for n in names for e in _elements(ranges, n)}
        holders = [name for name in ranges.elements if used <= set(ranges.keys(name))]
        holders = [name for name in holders if name not in dims] or holders
        named = [r for n in names if (r := ranges.range(n)) in holders]
        whole = [r for r in named if set(ranges.keys(r)) == used]
        if not holders:
            raise SubscriptError(
                f"no subscript range holds {', '.join(sorted(used))} of axis {position + 1}"
            )
        dims.append(whole[0] if whole else min(holders, key=lambda n: len(ranges.keys(n))))
    return tuple(dims)


def _elements(ranges: Ranges, name: str) -> tuple[str, ...]:
    known = ranges.range(name)
    if known:
        return ranges.keys(known)
    if not ranges.is_element(name):
        raise SubscriptError(f"'{name}' is no subscript range and no element of one")
    return (key(name),)


@dataclass(frozen=True)
class Region:
    """A box of elements that one equation defines.

    Parameters
    ----------
    names : tuple of str
        What stands on the left side: a range (as the file writes it) or an element (as it
        compares), one an axis.
    elements : tuple of tuple of str
        Elements (as they compare) on each axis.
    """

    names: tuple[str, ...]
    elements: tuple[tuple[str, ...], ...]

    def cells(self) -> set[tuple[str, ...]]:
        """Elements of the box, one by one."""
        return set(product(*self.elements))


def regions(ranges: Ranges, left: Sequence[str], excepted: Sequence[Sequence[str]]) -> list[Region]:
    """Boxes that an equation defines: its left side less what :EXCEPT: takes away."""
    names = tuple(ranges.range(n) or key(n) for n in left)
    boxes = [Region(names, tuple(_elements(ranges, n) for n in left))]
    for without in excepted:
        if len(without) != len(left):
            raise SubscriptError(":EXCEPT: has another number of subscripts than the left side")
        hole = [set(_elements(ranges, n)) for n in without]
        boxes = [part for box in boxes for part in _cut(box, hole)]
    return boxes


def without(region: Region, taken: set[tuple[str, ...]]) -> list[Region]:
    """What is left of a box when some of its elements belong to another equation."""
    if not taken & region.cells():
        return [region]
    boxes = [region]
    for cell in taken:
        boxes = [part for box in boxes for part in _cut(box, [{e} for e in cell])]
    return boxes


def _cut(box: Region, hole: Sequence[set[str]]) -> list[Region]:
    if any(not hole[k] & set(box.elements[k]) for k in range(len(hole))):
        return [box]
    parts = []
    inside: list[tuple[str, ...]] = list(box.elements)
    for k, taken in enumerate(hole):
        outside = tuple(e for e in inside[k] if e not in taken)
        if outside:
            parts.append(Region(box.names, (*inside[:k], outside, *inside[k + 1 :])))
        inside[k] = tuple(e for e in inside[k] if e in taken)
    return parts
