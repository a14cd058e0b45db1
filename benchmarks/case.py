"""What is run: the reinvestment model with ten constants varied, all stocks saved once a year.

The constants are read from the model file, so a change of numbers there reaches every peer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kredslob.paths import reinvestment_folder
from kredslob.reading import abstract_model, read_model

Array = np.ndarray[Any, np.dtype[np.float64]]

# Low and high value of each constant that is varied over the runs of a design.
VARIED: Mapping[str, tuple[float, float]] = {
    "reinvestment rate": (0.0, 1.0),
    "allocation weight": (0.0, 1.0),
    "optimism correction": (0.6, 1.0),
    "disbursement time": (1.0, 4.0),
    "hardness exponent": (0.25, 1.0),
    "return focus": (1.0, 3.0),
    "highest learning gain": (0.0, 0.5),
    "recognition horizon": (5.0, 15.0),
    "weight of visible relief": (0.2, 0.8),
    "reserved share for complex need": (0.0, 0.5),
}

# Saved besides all stocks: what a study of the fund looks at first.
AUXILIARIES = (
    "total cash",
    "total spending",
    "starts",
    "wellbeing gain",
    "cashable saving",
    "claimable saving",
    "reinvested",
    "investor payment",
)

# Everything that is switched off in the file as it stands, so that a check reaches each branch.
EVERYTHING_ON: Mapping[str, Any] = {
    "capital at start": [12e6, 3e6, 8e6, 1e6],
    "capital per year": [1e6, 5e5, 2e6, 1e5],
    "years of capital": 1.25,
    "investor term": 1.0,
    "new cases trend": 0.01,
    "real interest rate": 0.02,
    "wrong pocket agreement": 1,
    "reinvestment rule": 1,
    "accounting rule": 1,
    "outcome price": 20000,
    "paid share of deadweight": 0.5,
    "admitted share": 0.6,
    "outcome payer": [0.5, 0.3, 0.2],
    "intensity": [1.2, 0.8, 1, 1.1, 1, 0.9],
}


@dataclass(frozen=True)
class Clock:
    """Start, end, step and saving interval, in years."""

    start: float
    end: float
    step: float
    save: float

    @property
    def steps(self) -> int:
        """Euler steps in a run."""
        return round((self.end - self.start) / self.step)

    @property
    def stride(self) -> int:
        """Steps from one saved time to the next."""
        return round(self.save / self.step)

    @property
    def saves(self) -> int:
        """Saved times in a run, the first and the last among them."""
        return self.steps // self.stride + 1


@dataclass(frozen=True)
class Case:
    """A model file, what to change in all runs, and how long to run.

    Parameters
    ----------
    path : Path
        The model file.
    years : float
        Length of a run.
    saveper : float
        Years from one saved time to the next.
    changed : mapping of str to number or nested list
        Constants that differ from the file in all runs alike.
    auxiliaries : sequence of str
        Variables to save besides all stocks.
    varied : mapping of str to pair of float
        Low and high value of each constant that differs from run to run.
    """

    path: Path = field(default_factory=lambda: reinvestment_folder() / "reinvestment.mdl")
    years: float = 40.0
    saveper: float = 1.0
    changed: Mapping[str, Any] = field(default_factory=dict)
    auxiliaries: Sequence[str] = AUXILIARIES
    varied: Mapping[str, tuple[float, float]] = field(default_factory=lambda: VARIED)

    @cached_property
    def _file(self) -> Any:
        return read_model(self.path)

    @property
    def subscripts(self) -> Mapping[str, tuple[str, ...]]:
        """Elements of each subscript range."""
        return self._file.subscripts

    def variable(self, name: str) -> Any:
        """What the file says of one variable: its kind, subscripts and unit."""
        return self._file.variables[name]

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each variable; () for a scalar."""
        sizes = {name: len(elements) for name, elements in self._file.subscripts.items()}
        return {v.name: tuple(sizes[d] for d in v.dims) for v in self._file.variables.values()}

    @cached_property
    def stocks(self) -> list[str]:
        """Names of the stocks, in the order of the file."""
        return [v.name for v in self._file.variables.values() if v.kind == "stock"]

    @property
    def saved(self) -> list[str]:
        """Names of what is saved."""
        return [*self.stocks, *self.auxiliaries]

    @cached_property
    def constants(self) -> dict[str, Array]:
        """Constants by name, as the file has them, with `changed` laid over."""
        values, _ = _constants_and_lookups(self.path)
        for name, value in self.changed.items():
            values[name] = np.broadcast_to(np.asarray(value, float), self.shapes[name])
        return values

    @cached_property
    def lookups(self) -> dict[str, tuple[Array, Array]]:
        """Arguments and values of each lookup."""
        return _constants_and_lookups(self.path)[1]

    @cached_property
    def clock(self) -> Clock:
        """Times of a run: the file's start and step, `years` and `saveper` of the case."""
        values, _ = _constants_and_lookups(self.path)
        start = float(values["INITIAL TIME"])
        return Clock(start, start + self.years, float(values["TIME STEP"]), self.saveper)

    def design(self, runs: int, seed: int = 1) -> dict[str, Array]:
        """Random values of the constants that are varied, uniform between their limits."""
        rng = np.random.default_rng(seed)
        return {name: rng.uniform(low, high, runs) for name, (low, high) in self.varied.items()}


def _constants_and_lookups(
    path: Path,
) -> tuple[dict[str, Array], dict[str, tuple[Array, Array]]]:
    constants: dict[str, Array] = {}
    lookups: dict[str, tuple[Array, Array]] = {}
    for element in abstract_model(path).sections[0].elements:
        ast = element.components[0].ast
        if len(element.components) > 1:
            continue
        if isinstance(ast, (int, float, np.ndarray)):
            constants[element.name] = np.asarray(ast, float)
        elif type(ast).__name__ == "LookupsStructure":
            lookups[element.name] = (np.asarray(ast.x, float), np.asarray(ast.y, float))
    return constants, lookups


def commodity(years: float = 100.0, saveper: float = 1.0) -> Case:
    """A case of the middling model in benchmarks/models: 20 regions, 8 cohorts, delays, lookups."""
    return Case(
        path=Path(__file__).with_name("models") / "commodity.mdl",
        years=years,
        saveper=saveper,
        auxiliaries=("price", "demand", "total people", "mean price"),
        varied={
            "price elasticity": (0.2, 0.8),
            "desired coverage": (0.3, 0.6),
            "price perception time": (0.5, 3.0),
            "construction time": (1.0, 5.0),
            "capacity lifetime": (10.0, 25.0),
            "income perception time": (2.0, 8.0),
        },
    )
