"""A model as PySD's builder may have it.

PySD's builder writes Python text. Documentation, and names in some places, go into that text as
they are, so a hostile file could have code of its own run. PySD's parsers evaluate parts of a file
outright and never see one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from kredslob.errors import InputFileError
from kredslob.limits import Limits
from kredslob.reading.model_file import abstract_model
from kredslob.reading.parts import parts_of
from kredslob.reading.source import one_line


def builder_model(path: Path, folder: Path, limits: Limits | None = None) -> Any:
    """Read a model for PySD's ``ModelBuilder``.

    Parameters
    ----------
    path : Path
        The model file.
    folder : Path
        Where the builder writes its Python files. Data files that the model names are sought
        there, too.
    limits : Limits, optional
        How much the file may ask for.

    Returns
    -------
    AbstractModel
        Without documentation.

    Raises
    ------
    InputFileError
        The file cannot be understood, or has a name that would leave its place in the text.

    Examples
    --------
    >>> from pysd.builders.python.python_model_builder import ModelBuilder
    >>> ModelBuilder(builder_model(Path("models/city.mdl"), folder)).build_model()  # doctest: +SKIP
    """
    from pysd.translators.structures.abstract_expressions import (
        CallStructure,
        GetConstantsStructure,
        GetDataStructure,
        GetLookupsStructure,
    )

    model = abstract_model(path, limits)
    sections = []
    for number, section in enumerate(model.sections):
        names = [section.name, *section.params, *section.returns]
        names += [r.name for r in section.subscripts]
        # a name of a variable stays within its place, except in data that other files give
        names += [e.name for e in section.elements if any(c.type == "Data" for c in e.components)]
        names += [c.function.reference for c in parts_of(section.elements, CallStructure)]
        for kind in (GetConstantsStructure, GetDataStructure, GetLookupsStructure):
            for source in parts_of(section.elements, kind):
                names += [str(v) for v in vars(source).values()]
        for name in names:
            if any(c in "'\\" or ord(c) < 32 for c in name):
                found = "has a quote or backslash in a name that PySD's builder cannot take"
                raise InputFileError(path, found, key=one_line(name, 60))
        elements = [replace(e, documentation="") for e in section.elements]
        file = folder / (f"{path.stem}.py" if number == 0 else f"macro_{number}.py")
        sections.append(replace(section, elements=elements, path=file))
    return replace(model, original_path=folder / path.name, sections=tuple(sections))
