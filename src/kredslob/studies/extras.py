"""Packages that only studies need, asked for where they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from kredslob.errors import ParameterError


def extra(module: str, package: str) -> Any:
    """Module of a package of the extra ``studies``.

    Raises
    ------
    ParameterError
        The package is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise ParameterError(
            f"this study needs {package}, which is not installed: pip install 'kredslob[studies]'"
        ) from None
