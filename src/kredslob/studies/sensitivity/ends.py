"""One at a time: each input alone at both ends of its range."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from kredslob.ensemble import Progress
from kredslob.errors import ParameterError
from kredslob.program import key
from kredslob.simulation import Model
from kredslob.studies.evaluate import Outcomes
from kredslob.studies.factors import Factor
from kredslob.studies.sensitivity.indices import OWN_UNIT, about, answers_of
from kredslob.studies.sensitivity.sampled import Sampled, Scenario


def one_at_a_time(
    model: Model,
    factors: Sequence[Factor],
    outcomes: Outcomes,
    scenario: Scenario = None,
    *,
    years: float | None = None,
    threads: int | None = None,
    client: Any = None,
    store: Path | str | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Move each input alone to both ends of its range: 2k + 1 runs for k inputs.

    Parameters
    ----------
    model, factors, outcomes, scenario, years, threads, client, store, progress
        As for `morris`.

    Returns
    -------
    Dataset
        "at low" and "at high" (the outcome's unit) and "swing" (their distance) over outcome, time
        if the outcomes have it, and factor; "base": the outcome of the scenario as it is.

    Raises
    ------
    ParameterError
        As for `morris`.

    Examples
    --------
    >>> factors = kredslob.factors_of({"overhead share": (0.05, 0.2), "reinvestment rate": (0, 1)})
    >>> asked = kredslob.at_end("total cash")
    >>> found = kredslob.one_at_a_time(kredslob.load(), factors, asked, years=5)
    >>> found["factor"].values.tolist()
    ['overhead share', 'reinvestment rate']
    """
    sampled = Sampled(
        model, factors, outcomes, scenario, 0, years, threads, client, store, progress
    )
    base = _values_of(model, factors, scenario, years)
    count = len(factors)
    values = np.tile(base, (2 * count + 1, 1))
    for k, factor in enumerate(factors):
        values[1 + k, k], values[1 + count + k, k] = factor.low, factor.high
    runs = sampled.at_values(values, {"method": "one at a time"})
    found = answers_of(runs)
    low, high = (found[1 + k * count : 1 + (k + 1) * count].values for k in (0, 1))
    last = (*found.dims[1:], "factor")
    results = about(factors, found, runs.attrs)
    results["base"] = found[0].assign_attrs(
        units=OWN_UNIT, long_name="outcome of the scenario as it is"
    )
    for name, ends, long_name in (
        ("at low", low, "outcome with the input at the low end of its range"),
        ("at high", high, "outcome with the input at the high end of its range"),
        ("swing", np.abs(high - low), "distance between the outcomes at both ends"),
    ):
        results[name] = (
            last,
            np.moveaxis(ends, 0, -1),
            {"units": OWN_UNIT, "long_name": long_name},
        )
    return results


def _values_of(
    model: Model, factors: Sequence[Factor], scenario: Scenario, years: float | None
) -> np.ndarray:
    """What the inputs are in the scenario as it is."""
    names = [factor.name.rstrip("]").partition("[")[::2] for factor in factors]
    save = list(dict.fromkeys(name.strip() for name, _ in names))
    run = model.run(scenario, years=years, save=save)
    by_key = {key(str(name)): values for name, values in run.data_vars.items()}
    found = []
    for factor, (name, elements) in zip(factors, names, strict=True):
        array = by_key[key(name)]
        array = array.isel(time=0) if "time" in array.dims else array
        asked = [key(element) for element in elements.split(",") if element.strip()]
        labels = [{key(str(e)): e for e in array[d].values} for d in array.dims]
        if len(asked) != len(labels) or not all(map(dict.__contains__, labels, asked)):
            raise ParameterError(f"'{factor.name}': expected the name of a single number")
        place = [known[element] for known, element in zip(labels, asked, strict=True)]
        found.append(float(array.sel(dict(zip(array.dims, place, strict=True)))))
    return np.array(found)
