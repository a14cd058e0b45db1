"""kredslob: social investment as a cycle, computed.

`load` gives a model and `load_scenario` a place and a policy; `Model.run` and `sweep` run them;
`summary`, `accounts`, `equity` and `loop_gain` say what came out. `linearise` gives the eigenvalues
of any model at a time, and `loop_elasticities` the loops that move them.
"""

from kredslob.cycle.accounts import accounts, bookkeeping
from kredslob.cycle.equity import equity
from kredslob.cycle.scenario import Scenario, list_scenarios, list_settings, load_scenario
from kredslob.cycle.summary import summary
from kredslob.cycle.threshold import critical_rate, loop_gain
from kredslob.errors import InputFileError, KredslobError, ParameterError
from kredslob.feedback.elasticities import loop_elasticities
from kredslob.feedback.linear import linearise
from kredslob.loading import load
from kredslob.results import load_run
from kredslob.simulation import Model
from kredslob.studies.sweep import sweep
from kredslob.verification import verify

__all__ = [
    "InputFileError",
    "KredslobError",
    "Model",
    "ParameterError",
    "Scenario",
    "accounts",
    "bookkeeping",
    "critical_rate",
    "equity",
    "linearise",
    "list_scenarios",
    "list_settings",
    "load",
    "load_run",
    "load_scenario",
    "loop_elasticities",
    "loop_gain",
    "summary",
    "sweep",
    "verify",
]
