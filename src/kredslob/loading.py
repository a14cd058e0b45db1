"""Loading a model: one's own, or the reinvestment model that comes with kredslob."""

from __future__ import annotations

from pathlib import Path

from kredslob.paths import reinvestment_folder
from kredslob.simulation import Model


def load(path: Path | str | None = None) -> Model:
    """Load a model.

    Parameters
    ----------
    path : Path or str, optional
        A Vensim (``.mdl``) or XMILE (``.xmile``, ``.xml``, ``.stmx``) file. Default: the
        reinvestment model.

    Returns
    -------
    Model

    Raises
    ------
    InputFileError
        The file is missing or cannot be read.
    """
    return Model(reinvestment_folder() / "reinvestment.mdl" if path is None else Path(path))
