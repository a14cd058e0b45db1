"""What the methods have in common before there are results: inputs, samples and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.arguments import all_of
from kredslob.design import RUN
from kredslob.ensemble import Progress
from kredslob.errors import ParameterError
from kredslob.simulation import HasParameters, Model
from kredslob.studies.evaluate import Outcomes, check_asked, evaluate
from kredslob.studies.factors import A_FACTOR, Factor, check_seed

DUMMY = "dummy"
"""Name of the input that nothing depends on: what is found for it is noise."""

Scenario = Mapping[str, Any] | HasParameters | None


@dataclass(frozen=True)
class Sampled:
    """What is asked of which inputs, and how the runs are made.

    Parameters
    ----------
    model, factors, outcomes, scenario, seed, years, threads, client, store, progress
        As for `kredslob.studies.sensitivity.morris`.

    Raises
    ------
    ParameterError
        There is no factor, one stands twice or is called as the dummy, or the seed or
        what is asked makes no sense.
    """

    model: Model
    factors: Sequence[Factor]
    outcomes: Outcomes
    scenario: Scenario
    seed: int
    years: float | None
    threads: int | None
    client: Any
    store: Path | str | None
    progress: Progress | None

    def __post_init__(self) -> None:
        check_seed(self.seed)
        check_asked(self.model, self.outcomes)
        names = [factor.name for factor in all_of("factors", self.factors, Factor, A_FACTOR)]
        if not names or len(set(names)) < len(names) or DUMMY in names:
            raise ParameterError(
                f"a study needs at least one factor, each of them once, and none called '{DUMMY}'"
            )

    @property
    def names(self) -> list[str]:
        """Names of the inputs."""
        return [factor.name for factor in self.factors]

    @property
    def with_dummy(self) -> list[Factor]:
        """The inputs, and last one that nothing depends on."""
        return [*self.factors, Factor(DUMMY, 0.0, 1.0)]

    def at_chances(self, chances: np.ndarray, made_by: Mapping[str, Any]) -> xr.Dataset:
        """Outcomes where the inputs are at chances from 0 to 1, shape (runs, inputs or more)."""
        columns = [f.values(chances[:, k]) for k, f in enumerate(self.factors)]
        return self.at_values(np.column_stack(columns), made_by)

    def at_values(self, values: np.ndarray, made_by: Mapping[str, Any]) -> xr.Dataset:
        """Outcomes where the inputs have these values, shape (runs, inputs)."""
        columns = {name: (RUN, values[:, k]) for k, name in enumerate(self.names)}
        return evaluate(
            self.model,
            xr.Dataset(columns, {RUN: np.arange(len(values))}, made_by),
            self.outcomes,
            self.scenario,
            years=self.years,
            seed=self.seed,
            threads=self.threads,
            client=self.client,
            store=self.store,
            progress=self.progress,
        )


def cube(names: Sequence[str]) -> dict[str, Any]:
    """SALib's description of a sample: chances, from 0 to 1, of each input."""
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}
