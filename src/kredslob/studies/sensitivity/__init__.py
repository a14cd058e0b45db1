"""Which inputs the outcomes of any model hinge on: one at a time, Morris, Sobol and PAWN.

The methods are SALib's. Each sample lies on the unit cube and becomes values of the inputs by
`Factor.values`, so that an input may have any distribution; inputs are taken to be independent.
"""

from kredslob.studies.sensitivity.distances import pawn
from kredslob.studies.sensitivity.effects import check_trajectories, morris
from kredslob.studies.sensitivity.ends import one_at_a_time
from kredslob.studies.sensitivity.ranking import STRENGTH, of_outcome, strength, strongest
from kredslob.studies.sensitivity.sampled import DUMMY
from kredslob.studies.sensitivity.variance import check_sobol, sobol

__all__ = [
    "DUMMY",
    "STRENGTH",
    "check_sobol",
    "check_trajectories",
    "morris",
    "of_outcome",
    "one_at_a_time",
    "pawn",
    "sobol",
    "strength",
    "strongest",
]
