"""kredslob: social investment as a cycle, computed.

`load` gives a model, `Model.run` and `sweep` run it, `load_scenario` reads what to run.
"""

from kredslob.errors import InputFileError, KredslobError, ParameterError
from kredslob.loading import load
from kredslob.simulation import Model
from kredslob.studies.sweep import sweep

__all__ = [
    "InputFileError",
    "KredslobError",
    "Model",
    "ParameterError",
    "load",
    "sweep",
]
