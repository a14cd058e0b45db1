"""What sets policies apart, in sentences: which helps most, which costs least, which carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import xarray as xr

from kredslob.cycle.summary import RATE
from kredslob.loading import load
from kredslob.show.report.facts import Outcome
from kredslob.show.report.material import DUEL_DRAWS, SEED, Material
from kredslob.show.report.sentences import Said, never
from kredslob.show.report.stated import Stated, count, labels, money, years
from kredslob.studies.duels import duels

_PERSON, _KRONER, _YEAR = 0.5, 500.0, 0.05  # smaller differences are called none


@dataclass(frozen=True)
class Alternative:
    """One of the things compared.

    Parameters
    ----------
    label, short : str
        What it is called, in the language of the report, in a sentence and over a column.
    material : Material
        Its run.
    place : int
        Which of its rates, counted from the lowest.
    """

    label: str
    short: str
    material: Material
    place: int

    @property
    def outcome(self) -> Outcome:
        """What it came to."""
        return self.material.facts.outcomes[self.place]


def compared(several: Sequence[Alternative]) -> Iterator[Said]:
    """Say what sets policies apart.

    Parameters
    ----------
    several : sequence of Alternative
        At least two.
    """
    pairs = [(a.label, a.outcome) for a in several]
    yield _carrying(pairs)
    yield _best(pairs, lambda o: o.helped, "helps", lambda v: {"helped": count(v)}, _PERSON)
    yield _repaid(pairs, min(a.material.facts.years for a in several))
    yield _best(pairs, lambda o: o.npv, "npv", lambda v: {"npv": money(v)}, _KRONER, signed=True)
    for purse in pairs[0][1].net_saving:
        yield _purse(pairs, purse)


def read_duels(several: Sequence[Alternative]) -> xr.Dataset | None:
    """How often each policy beats each other over the same draws, by place in the sequence.

    None where the policies are of different places, models or horizons.
    """
    materials = [a.material for a in several]
    alike = ({m.scenario.setting for m in materials}, {m.facts.years for m in materials})
    hashes = {m.saved.manifest["model sha256"] for m in materials}
    if any(len(found) > 1 for found in (*alike, hashes)):
        return None
    policies = {
        str(k): a.material.scenario
        if a.material.facts.moves
        else a.material.scenario.with_parameters({RATE: a.outcome.rate})
        for k, a in enumerate(several)
    }
    years = int(materials[0].facts.years)
    return duels(load(), policies, draws=DUEL_DRAWS, seed=SEED, years=years)


Pairs = Sequence[tuple[str, Outcome]]


def _carrying(pairs: Pairs) -> Said:
    names = [label for label, o in pairs if o.carries]
    if not names:
        return Said("compare_carries_none", {"count": count(len(pairs))})
    if len(names) == len(pairs):
        return Said("compare_carries_all", {"count": count(len(pairs))})
    return Said("compare_carries_some", {"policies": labels(names)})


def _best(
    pairs: Pairs,
    of: Callable[[Outcome], float],
    key: str,
    value: Callable[[float], dict[str, Stated]],
    apart: float,
    *,
    signed: bool = False,
) -> Said:
    """The policies that have most, or that all have the same."""
    most, least = max(of(o) for _, o in pairs), min(of(o) for _, o in pairs)
    if most - least <= apart:
        return Said(f"compare_{key}_alike", {"count": count(len(pairs))})
    best = [label for label, o in pairs if most - of(o) <= apart]
    sign = ("_gain" if most > 0 else "_loss") if signed else ""
    return Said(f"compare_{key}{sign}", {"policies": labels(best), **value(most)})


def _repaid(pairs: Pairs, horizon: float) -> Said:
    repaid = [(label, o.payback) for label, o in pairs if not never(o.payback)]
    if not repaid:
        return Said("compare_never", {"count": count(len(pairs)), "years": years(horizon)})
    first = min(year for _, year in repaid)
    names = [label for label, year in repaid if year - first <= _YEAR]
    return Said("compare_repaid", {"policies": labels(names), "year": years(first)})


def _purse(pairs: Pairs, purse: str) -> Said:
    def of(o: Outcome) -> float:
        return o.net_saving[purse]

    most, least = max(of(o) for _, o in pairs), min(of(o) for _, o in pairs)
    who = {"purse": Stated("purses", (purse,))}
    if most - least <= _KRONER:
        return Said("compare_purse_alike", who)
    best = [label for label, o in pairs if most - of(o) <= _KRONER]
    key = "compare_purse_gain" if most > 0 else "compare_purse_loss"
    return Said(key, {**who, "policies": labels(best), "value": money(most)})
