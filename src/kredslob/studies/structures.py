"""The draws of a study of uncertainty by structure: with each hypothesis of the model, and without."""

from __future__ import annotations

import numpy as np
import xarray as xr

from kredslob.cycle.scenario import parameter_table
from kredslob.errors import ParameterError
from kredslob.studies.critical_rate import RATE

HYPOTHESIS, HELD = "hypothesis", "holds"
_CONFIDENCE = 0.95
_MEDIANS = {
    "loop gain": "Dmnl",
    "citizens helped": "person",
    "net present value of public purse": "DKK",
}


def by_structure(found: xr.Dataset) -> xr.Dataset:
    """Compare the draws in which a hypothesis holds with those in which it does not.

    All other parameters are drawn alike on both sides, so that what differs beyond chance does so by
    the hypothesis.

    Parameters
    ----------
    found : Dataset
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
    """
    from scipy.stats import binomtest

    drawn = found["parameter"].values.tolist()
    names = [row.name for row in parameter_table() if row.kind == "switch" and row.name in drawn]
    if not names:
        raise ParameterError("structures: found no hypothesis that was drawn, expected at least one")
    rates = found.sizes[RATE]
    shape = (len(names), 2, rates)
    carries, payback = np.full(shape, np.nan), np.full(shape, np.nan)
    interval = np.full((*shape, 2), np.nan)
    medians = {name: np.full(shape, np.nan) for name in _MEDIANS}
    counts = np.zeros(shape[:2], dtype=int)
    for k, name in enumerate(names):
        on = found["input"].sel(parameter=name).values > 0
        for side in (0, 1):
            kept = np.flatnonzero(on == bool(side))
            counts[k, side] = len(kept)
            if not len(kept):
                continue
            part = found[["carries itself", "payback year", *_MEDIANS]].isel(draw=kept)
            sums = part["carries itself"].transpose(RATE, "draw").values.sum(axis=1).astype(int)
            carries[k, side] = sums / len(kept)
            bounds = [binomtest(int(n), len(kept)).proportion_ci(_CONFIDENCE) for n in sums]
            interval[k, side] = [(b.low, b.high) for b in bounds]
            back = np.isfinite(part["payback year"].transpose(RATE, "draw").values)
            payback[k, side] = back.mean(axis=1)
            for outcome, values in medians.items():
                values[k, side] = np.median(part[outcome].transpose(RATE, "draw").values, axis=1)
    over = (HYPOTHESIS, HELD, RATE)
    chance = "probability that the cycle carries itself"
    table = {
        "draws": (over[:2], counts, "Dmnl", "number of draws"),
        chance: (over, carries, "Dmnl", chance),
        "probability interval": ((*over, "bound"), interval, "Dmnl", f"{chance}, 95 %"),
        "probability of payback": (over, payback, "Dmnl", "probability of payback by the end"),
    }
    for outcome, unit in _MEDIANS.items():
        said = f"median {outcome}"
        table[said] = (over, medians[outcome], unit, said)
    variables = {
        name: (dims, values, {"units": unit, "long_name": said})
        for name, (dims, values, unit, said) in table.items()
    }
    coords = {HYPOTHESIS: names, HELD: [0, 1], RATE: found[RATE], "bound": ["low", "high"]}
    kept_attrs = {k: v for k, v in found.attrs.items()}
    return xr.Dataset(variables, coords, kept_attrs)
