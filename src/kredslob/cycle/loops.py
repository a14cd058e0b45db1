"""The loops of the reinvestment model by name: which of them drives it, and when."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.arguments import check_kind
from kredslob.cycle.needed import check_is_cycle
from kredslob.feedback.scores import ARROW, Feedback
from kredslob.loading import load
from kredslob.paths import reinvestment_folder
from kredslob.simulation import HasParameters, Model

OWN_PACE, LIVES, OTHER = "own pace", "lives", "other"
_CENTRE = "Fund Cash"  # the partition of this stock is the one that the families are about


@dataclass(frozen=True)
class Family:
    """A loop that the model is about: a family of loops of one polarity.

    Parameters
    ----------
    name : str
        R1 to R5, B1 to B7.
    polarity : str
        R or B.
    words : mapping of str to str
        What it is called, by language.
    path : tuple of str
        Its variables once round, as the model's diagrams show it.
    marks : sequence of tuple of str
        A loop of this polarity that passes all variables of one of these belongs here.
    switch : str
        Constant that turns it off when 0; empty if there is none.
    """

    name: str
    polarity: str
    words: Mapping[str, str]
    path: tuple[str, ...]
    marks: Sequence[tuple[str, ...]]
    switch: str


@cache
def families() -> tuple[Family, ...]:
    """The loops that the model is about, from ``loops.toml``, in the order of their names."""
    entries = _entries()
    found = []
    for name in sorted({e["name"] for e in entries}, key=lambda n: (n[0] != "R", n)):
        own = [e for e in entries if e["name"] == name]
        head = next(e for e in own if "path" in e)
        words = {"da": head["da"], "en": head["en"]}
        marks = [tuple(e["through"]) for e in own]
        switch = head.get("switch", "")
        found.append(Family(name, head["polarity"], words, tuple(head["path"]), marks, switch))
    return tuple(found)


@cache
def _entries() -> list[dict[str, Any]]:
    text = (reinvestment_folder() / "loops.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["family"]


def family_of(path: str, polarity: str) -> str:
    """Family of a loop.

    Parameters
    ----------
    path : str
        Its variables once round, as "path" of `Feedback.scores` has them.
    polarity : str
        R, B or ?.

    Returns
    -------
    str
        Name of the first family of ``loops.toml`` that it fits; else "own pace" for a balancing
        loop of a stock with its own outflow, "lives" for a loop that money has no part in, and
        "other".
    """
    variables = set(path.split(ARROW))
    for entry in _entries():
        if entry["polarity"] == polarity and variables.issuperset(entry["through"]):
            return str(entry["name"])
    if polarity == "B" and len(variables) <= 2:
        return OWN_PACE
    return OTHER if _CENTRE in variables else LIVES


@cache
def _feedback() -> Feedback:
    return Feedback(load())


def loop_scores(
    scenario: Mapping[str, Any] | HasParameters | None = None,
    *,
    years: float | None = None,
    feedback: Feedback | None = None,
    **constants: Any,
) -> xr.Dataset:
    """Score the loops of the reinvestment model by family.

    Parameters
    ----------
    scenario, years, **constants
        As for `Model.run`.
    feedback : Feedback, optional
        Of the reinvestment model, if it is at hand already.

    Returns
    -------
    Dataset
        As from `Feedback.scores`, less the loops of other partitions, with "family of loop"; and
        over ``family`` and ``time`` "reinforcing share" (0 to 1) and "balancing share" (-1 to 0):
        the sums of the relative scores of its loops that are above and below zero (Dmnl).

    Raises
    ------
    ParameterError
        As for `Model.run`.

    Examples
    --------
    >>> scores = kredslob.loop_scores(years=5, reinvestment_rate=0.5)
    >>> both = scores["reinforcing share"] - scores["balancing share"]
    >>> both.mean("time").round(2).to_series().nlargest(3).index.tolist()
    ['own pace', 'B5', 'B4']
    """
    if feedback is not None:
        check_kind("feedback", feedback, Feedback, "kredslob.Feedback(model)")
        check_is_cycle(feedback.model)
    known = [family.path for family in families()]
    scores = (feedback or _feedback()).scores(scenario, years=years, known=known, **constants)
    part = scores["partition"].values
    paths = [p.split(ARROW) for p in scores["path"].values]
    centre = next(k for k, p in zip(part, paths, strict=True) if _CENTRE in p)
    scores = scores.isel(loop=part == centre)
    pairs = zip(scores["path"].values, scores["polarity"].values, strict=True)
    names = np.array([family_of(str(p), str(q)) for p, q in pairs])
    scores["family of loop"] = ("loop", names, {"long_name": "family", "units": ""})
    order = [f.name for f in families()] + [OWN_PACE, LIVES, OTHER]
    relative = scores["relative score"].values
    for share, clipped in (
        ("reinforcing share", np.maximum(relative, 0)),
        ("balancing share", np.minimum(relative, 0)),
    ):
        values = np.array([clipped[names == n].sum(axis=0) for n in order])
        scores[share] = (("family", "time"), values, {"long_name": share, "units": "Dmnl"})
    return scores.assign_coords(family=order)


def without_each_loop(
    scenario: Mapping[str, Any] | HasParameters | None = None,
    *,
    years: float | None = None,
    model: Model | None = None,
    **constants: Any,
) -> pd.DataFrame:
    """What happens when one loop at a time is switched off.

    Parameters
    ----------
    scenario, years, **constants
        As for `Model.run`.
    model : Model, optional
        The reinvestment model, if it is loaded already.

    Returns
    -------
    DataFrame
        A row a loop that has a switch, with the change against the run with all loops on, at the
        end: citizens helped (persons) and lifted (persons), and money returned to the fund (DKK).
        The first row, "all", is that run itself.

    Raises
    ------
    ParameterError
        As for `Model.run`.
    """
    switched = [f for f in families() if f.switch]
    design = [{}, *({f.switch: 0.0} for f in switched)]
    runs = (
        (model or load())
        .run_many(
            [{**constants, **d} for d in design],
            scenario,
            years=years,
            save=["Cumulated Starts", "Cumulated Lifted", "Cumulated Returned To Fund"],
        )
        .isel(time=-1)
    )
    table = pd.DataFrame(
        {
            "helped": runs["Cumulated Starts"].sum(("Group", "Need")).values,
            "lifted": runs["Cumulated Lifted"].sum(("Group", "Need")).values,
            "returned": runs["Cumulated Returned To Fund"].sum("Purse").values,
        },
        index=pd.Index(["all", *(f.name for f in switched)], name="loop"),
    )
    table.iloc[1:] -= table.iloc[0]
    return table
