"""kredslob: social investment as a cycle, computed.

`load` gives a model and `load_scenario` a place and a policy; `Model.run` and `sweep` run them;
`summary`, `accounts`, `equity`, `loop_gain` and `goals` say what came out. `critical_bracket`,
`critical_rate_uncertainty` and `sustaining_regions` simulate where the cycle carries itself.
"""

from kredslob.cycle.accounts import accounts, bookkeeping
from kredslob.cycle.equity import equity
from kredslob.cycle.goals import goals
from kredslob.cycle.scenario import Scenario, list_scenarios, list_settings, load_scenario
from kredslob.cycle.summary import summary
from kredslob.cycle.threshold import critical_rate, loop_gain
from kredslob.errors import InputFileError, KredslobError, ParameterError
from kredslob.loading import load
from kredslob.results import load_run
from kredslob.simulation import Model
from kredslob.studies.critical_rate import critical_bracket, critical_rate_uncertainty
from kredslob.studies.regions import sustaining_regions
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
    "critical_bracket",
    "critical_rate",
    "critical_rate_uncertainty",
    "equity",
    "goals",
    "list_scenarios",
    "list_settings",
    "load",
    "load_run",
    "load_scenario",
    "loop_gain",
    "summary",
    "sustaining_regions",
    "sweep",
    "verify",
]
