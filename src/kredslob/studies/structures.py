"""The draws of a study of uncertainty by structure: with each hypothesis, and without."""

from __future__ import annotations

import numpy as np
import xarray as xr

from kredslob.arguments import check_result
from kredslob.cycle.scenario import parameter_table
from kredslob.errors import ParameterError
from kredslob.studies.critical_rate import RATE

HYPOTHESIS, HELD = "hypothesis", "holds"
_CONFIDENCE = 0.95
_UNITS = {
    "median loop gain": "Dmnl",
    "median citizens helped": "person",
    "median net present value of public purse": "DKK",
}


def by_structure(results: xr.Dataset) -> xr.Dataset:
    """Compare the draws in which a hypothesis holds with those in which it does not.

    All other parameters are drawn alike on both sides, so that what differs beyond chance does so
    by the hypothesis.

    Parameters
    ----------
    results : Dataset
        From `kredslob.studies.uncertainty.uncertainty`.

    Returns
    -------
    Dataset
        Over hypothesis (each switch that was drawn) and holds (0, 1): "draws", a count (Dmnl); over
        rate too: "probability that the cycle carries itself" and "probability of payback" by the
        end (Dmnl), the first with "probability interval" (95 %, Clopper and Pearson's, over bound);
        and "median OUTCOME" of loop gain (Dmnl), citizens helped (person) and the net present value
        of the public purse (DKK). NaN where no draw is on that side.

    Raises
    ------
    ParameterError
        No switch was drawn: the scenario states them all.

    Examples
    --------
    >>> found = kredslob.uncertainty(kredslob.load(), rates=[1], draws=50, years=5)
    >>> "switch learning" in kredslob.by_structure(found)["hypothesis"].values
    True
    """
    check_result("results", results, ["parameter", "input", "draw"], "uncertainty")
    drawn = results["parameter"].values.tolist()
    names = [row.name for row in parameter_table() if row.kind == "switch" and row.name in drawn]
    if not names:
        raise ParameterError(
            "structures: found no hypothesis that was drawn, expected at least one"
        )
    sides = []
    for name in names:
        on = results["input"].sel(parameter=name).values > 0
        parts = [_of_draws(results.isel(draw=np.flatnonzero(on == held))) for held in (False, True)]
        sides.append(xr.concat(parts, xr.DataArray([0, 1], dims=HELD, name=HELD)))
    compared = xr.concat(sides, xr.DataArray(names, dims=HYPOTHESIS, name=HYPOTHESIS))
    for label, array in compared.data_vars.items():
        array.attrs = {"units": _UNITS.get(str(label), "Dmnl"), "long_name": str(label)}
    return compared.assign_attrs(results.attrs)


def _of_draws(part: xr.Dataset) -> xr.Dataset:
    """What some of the draws come to, over rate; nothing is known of none."""
    from scipy.stats import binomtest

    count, chance = part.sizes["draw"], "probability that the cycle carries itself"
    by_rate = xr.full_like(part[RATE], np.nan, dtype=float).drop_attrs()
    result = xr.Dataset({"draws": count})
    if not count:
        nothing = dict.fromkeys((chance, "probability of payback", *_UNITS), by_rate)
        empty = by_rate.expand_dims(bound=["low", "high"], axis=-1)
        return result.assign({**nothing, "probability interval": empty})
    carried = part["carries itself"].sum("draw")
    bounds = [binomtest(int(n), count).proportion_ci(_CONFIDENCE) for n in carried.values]
    interval = (RATE, "bound"), [(b.low, b.high) for b in bounds]
    medians = {label: part[label.removeprefix("median ")].median("draw") for label in _UNITS}
    return result.assign(
        {
            chance: carried / count,
            "probability of payback": part["payback year"].notnull().mean("draw"),
            **medians,
            "probability interval": interval,
        }
    ).assign_coords(bound=["low", "high"])
