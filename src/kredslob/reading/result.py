"""What comes out of reading a model file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pysd.translators.structures.abstract_model import AbstractModel


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
    """

    model: AbstractModel
    lines: Mapping[str, int] = field(repr=False)
    method: str = ""
