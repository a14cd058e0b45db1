"""What comes out of reading a model file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pysd.translators.structures.abstract_model import AbstractModel, AbstractSubscriptRange


@dataclass
class SubscriptRange(AbstractSubscriptRange):  # type: ignore[misc] # PySD is not typed
    """PySD's subscript range with the whole of its mappings.

    Parameters
    ----------
    element_mapping : list of (str, tuple of str or None)
        Each range in ``mapping``, with the elements or subranges of it that this range's elements
        stand for, in order, as in ``-> (Other: a, b)``; None where the order is the same.
    """

    element_mapping: list[tuple[str, tuple[str, ...] | None]] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """A model file, parsed.

    Parameters
    ----------
    model : AbstractModel
        PySD's abstract model.
    lines : mapping of str to int
        Line of each variable of the main section, counted from 1.
    method : str
        Integration method as the file writes it; empty where it does not.
    remark : str
        What a user should know about how the file was read; empty where there is nothing.
    texts : mapping of str to tuple of str
        Equations of each variable of the main section, as the file writes them.
    synonyms : mapping of str to str
        Units that the file says are the same as another one.
    """

    model: AbstractModel
    lines: Mapping[str, int] = field(repr=False)
    method: str = ""
    remark: str = ""
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    synonyms: Mapping[str, str] = field(default_factory=dict, repr=False)
