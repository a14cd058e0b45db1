"""Loading a model: one's own, or the reinvestment model that comes with kredslob."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kredslob.cycle.parameters import bounds_of
from kredslob.cycle.scenario import parameter_table
from kredslob.limits import Limits
from kredslob.paths import reinvestment_folder
from kredslob.simulation import Model


def load(
    path: Path | str | None = None,
    *,
    limits: Limits | None = None,
    allow: Sequence[Path | str] = (),
) -> Model:
    """Load a model. Nothing in its file is run, and what it may ask for is limited.

    Parameters
    ----------
    path : Path or str, optional
        A Vensim (``.mdl``) or XMILE (``.xmile``, ``.xml``, ``.stmx``, ``.itmx``) file. Default: the
        reinvestment model, which refuses numbers outside the minimum and maximum of its parameter
        table (but see `Model.without_bounds`).
    limits : Limits, optional
        The most that the file may ask for. Default: `Limits`, changed by the environment variable
        ``KREDSLOB_LIMITS``, such as ``steps=1e9,values=20000000``.
    allow : sequence of Path or str, optional
        Folders besides the model's own in which data files that it names may lie.

    Returns
    -------
    Model

    Raises
    ------
    InputFileError
        The file is missing or cannot be read, asks for more than the limits allow, or names a data
        file in another folder.
    ParameterError
        The path is no name of a file.

    Examples
    --------
    >>> model = kredslob.load()
    >>> len(model.variables["Fund Cash"].dims)
    1
    >>> limits = kredslob.Limits(steps=1_000_000)
    >>> kredslob.load("predator_prey.mdl", limits=limits).file.path.name
    'predator_prey.mdl'
    """
    if path is not None:
        return Model(path, limits=limits, allow=allow)
    model = Model(reinvestment_folder() / "reinvestment.mdl", limits=limits, allow=allow)
    model.bounds = bounds_of(model.program, parameter_table())
    return model
