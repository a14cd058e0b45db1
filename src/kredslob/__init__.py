"""kredslob: social investment as a cycle, computed.

`load` gives a model, within `Limits` where its file is not trusted, and `load_scenario` a place and
a policy; `Model.run` and `sweep` run them;
`summary`, `accounts`, `equity`, `loop_gain` and `goals` say what came out. `critical_bracket`,
`critical_rate_uncertainty` and `sustaining_regions` simulate where the cycle carries itself;
`uncertainty` draws the uncertain parameters and says how the outcomes spread, and `by_structure`
how they do with each hypothesis and without.
`causal_graph`, `Feedback` and `dominance` tell which loops drive any model, and when; `loop_scores`
does so by name for the reinvestment model. `linearise` gives the eigenvalues of any model, and
`loop_elasticities` the loops that move them. `one_at_a_time`, `morris`, `sobol` and `pawn` say
which inputs the outcomes of any model hinge on, and `prim` and `cart` where something happens.
`evaluate_policies` and `robustness` say which policy holds up whatever turns out to be true, and
`search` finds those that no other beats. For the reinvestment model, `hinge_study` and
`policy_study` ask these questions in one go. `check_model` puts any model through the standard
tests; `calibrate` and `posterior` fit its constants to observed series. `workshop` shows the whole
model as a page with levers, and `write_workshop` keeps it as one file; `explore` makes such a
page of any model.
"""

from kredslob.cycle.accounts import accounts, bookkeeping
from kredslob.cycle.equity import equity
from kredslob.cycle.goals import goals
from kredslob.cycle.loops import loop_scores
from kredslob.cycle.scenario import Scenario, list_scenarios, list_settings, load_scenario
from kredslob.cycle.summary import summary
from kredslob.cycle.threshold import critical_rate, loop_gain
from kredslob.errors import InputFileError, KredslobError, ParameterError
from kredslob.feedback.dominance import dominance
from kredslob.feedback.elasticities import loop_elasticities
from kredslob.feedback.graph import causal_graph, write_graph
from kredslob.feedback.linear import linearise
from kredslob.feedback.loops import Loop, find_loops, independent_loops
from kredslob.feedback.scores import Feedback, path_score
from kredslob.limits import Limits
from kredslob.loading import load
from kredslob.results import load_run, save_run
from kredslob.show.explore import explore
from kredslob.show.workshop import workshop, write_workshop
from kredslob.simulation import Model
from kredslob.studies.calibration import calibrate
from kredslob.studies.checks import check_model
from kredslob.studies.critical_rate import critical_bracket, critical_rate_uncertainty
from kredslob.studies.discovery import cart, prim
from kredslob.studies.evaluate import Outcomes, at_end, evaluate, only, over_time
from kredslob.studies.factors import Factor, factors_of, sample, sample_in_parts
from kredslob.studies.hinges import hinge_study
from kredslob.studies.policies import policy_study
from kredslob.studies.posterior import posterior
from kredslob.studies.questions import (
    cycle_draws,
    cycle_factors,
    cycle_levers,
    cycle_objectives,
    cycle_policies,
    cycle_questions,
)
from kredslob.studies.regions import sustaining_regions
from kredslob.studies.robustness import evaluate_policies, robustness
from kredslob.studies.saved_search import load_search, save_search
from kredslob.studies.search import Objective, search, within
from kredslob.studies.sensitivity import morris, one_at_a_time, pawn, sobol, strongest
from kredslob.studies.structures import by_structure
from kredslob.studies.sweep import sweep
from kredslob.studies.uncertainty import uncertainty
from kredslob.verification import verify

__all__ = [
    "Factor",
    "Feedback",
    "InputFileError",
    "KredslobError",
    "Limits",
    "Loop",
    "Model",
    "Objective",
    "Outcomes",
    "ParameterError",
    "Scenario",
    "accounts",
    "at_end",
    "bookkeeping",
    "by_structure",
    "calibrate",
    "cart",
    "causal_graph",
    "check_model",
    "critical_bracket",
    "critical_rate",
    "critical_rate_uncertainty",
    "cycle_draws",
    "cycle_factors",
    "cycle_levers",
    "cycle_objectives",
    "cycle_policies",
    "cycle_questions",
    "dominance",
    "equity",
    "evaluate",
    "evaluate_policies",
    "explore",
    "factors_of",
    "find_loops",
    "goals",
    "hinge_study",
    "independent_loops",
    "linearise",
    "list_scenarios",
    "list_settings",
    "load",
    "load_run",
    "load_scenario",
    "load_search",
    "loop_elasticities",
    "loop_gain",
    "loop_scores",
    "morris",
    "one_at_a_time",
    "only",
    "over_time",
    "path_score",
    "pawn",
    "policy_study",
    "posterior",
    "prim",
    "robustness",
    "sample",
    "sample_in_parts",
    "save_run",
    "save_search",
    "search",
    "sobol",
    "strongest",
    "summary",
    "sustaining_regions",
    "sweep",
    "uncertainty",
    "verify",
    "within",
    "workshop",
    "write_graph",
    "write_workshop",
]
