"""The summary in plain words: rules, each with its condition and the values that it states.

Rules are data. Under each topic at most one rule holds, so that a report cannot say two things that
contradict each other; what a rule states is taken from the numbers that its condition looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kredslob.show.language import Words
from kredslob.show.report.facts import Facts, Outcome
from kredslob.show.report.stated import (
    Stated,
    count,
    index,
    kroner,
    money,
    percent,
    percents,
    purses,
    shown,
    times,
    years,
)

_PERSON = 0.5  # smaller differences cannot be told from the rounding of people
_KRONER = 500.0  # DKK: smaller amounts are called nothing
_POINT = 0.005  # shares nearer than this are called alike


@dataclass(frozen=True)
class Rule:
    """A sentence that may be said.

    Parameters
    ----------
    key : str
        Of its text: "report.say.KEY".
    holds : callable
        Whether it is true of the facts.
    states : callable
        Values that it states, by name of the gap in its text.
    """

    key: str
    holds: Callable[[Facts], bool]
    states: Callable[[Facts], Mapping[str, Stated]]


@dataclass(frozen=True)
class Said:
    """A sentence that was said, and the rule behind it."""

    key: str
    values: Mapping[str, Stated]

    def text(self, w: Words) -> str:
        """The sentence in a language, with a capital letter, as it stands alone."""
        rate = self.values.get("rate")
        return self._filled(w, "" if rate is None else w.text("report.say.at", rate=shown(rate, w)))

    def under_rate(self, w: Words) -> str:
        """The same where the rate that it holds for is stated above it."""
        return self._filled(w, "")

    def _filled(self, w: Words, at: str) -> str:
        gaps = {name: shown(value, w) for name, value in self.values.items()}
        said = w.text(f"report.say.{self.key}", at=at, **gaps)
        return said[0].upper() + said[1:]


def sentences(facts: Facts, topics: tuple[str, ...]) -> Iterator[Said]:
    """Say what is true under each of these topics of `TOPICS`, in this order."""
    for topic in topics:
        for rule in TOPICS[topic]:
            if rule.holds(facts):
                yield Said(rule.key, rule.states(facts))
                break


def never(payback: float) -> bool:
    """Whether the fund never has its capital back within the run."""
    return math.isnan(payback)


def _several(f: Facts) -> bool:
    return len(f.outcomes) > 1


def _rates(f: Facts, wanted: Callable[[Outcome], bool]) -> list[float]:
    return [o.rate for o in f.outcomes if wanted(o)]


def _carries(o: Outcome) -> bool:
    return o.carries


def _does_not_carry(o: Outcome) -> bool:
    return not o.carries


def _repaid(o: Outcome) -> bool:
    return not never(o.payback)


def _not_repaid(o: Outcome) -> bool:
    return never(o.payback)


def _first_repaid(f: Facts) -> Outcome:
    return min((o for o in f.outcomes if _repaid(o)), key=lambda o: o.payback)


def _gained(f: Facts) -> float:
    return f.outcomes[-1].helped - f.outcomes[0].helped


def _more_or_less(f: Facts) -> dict[str, Stated]:
    low, high = f.outcomes[0], f.outcomes[-1]
    return {
        "low": percent(low.rate),
        "high": percent(high.rate),
        "low_helped": count(low.helped),
        "high_helped": count(high.helped),
    }


def _winners(o: Outcome) -> list[str]:
    return [p for p, saving in o.net_saving.items() if saving >= _KRONER]


def _losers(o: Outcome) -> list[str]:
    return [p for p, saving in o.net_saving.items() if saving <= -_KRONER]


def _payer(o: Outcome) -> str:
    return max(o.paid_in, key=lambda p: o.paid_in[p])


def _elsewhere(o: Outcome) -> float:
    """Share of the saving that falls in other purses than the one that pays in most."""
    whole = sum(o.saved.values())
    return 1 - o.saved[_payer(o)] / whole if whole > _KRONER else 0.0


def _rate(f: Facts) -> dict[str, Stated]:
    return {"rate": percent(f.last.rate)}


TOPICS: Mapping[str, tuple[Rule, ...]] = {
    "carries": (
        Rule(
            "carries_one",
            lambda f: not _several(f) and f.last.carries,
            _rate,
        ),
        Rule(
            "carries_not",
            lambda f: not _several(f) and not f.last.carries,
            _rate,
        ),
        Rule(
            "carries_all",
            lambda f: _several(f) and all(map(_carries, f.outcomes)),
            lambda f: {"count": count(len(f.outcomes))},
        ),
        Rule(
            "carries_none",
            lambda f: _several(f) and not any(map(_carries, f.outcomes)),
            lambda f: {"count": count(len(f.outcomes))},
        ),
        Rule(
            "carries_some",
            lambda f: any(map(_carries, f.outcomes)) and not all(map(_carries, f.outcomes)),
            lambda f: {
                "rates": percents(_rates(f, _carries)),
                "others": percents(_rates(f, _does_not_carry)),
            },
        ),
    ),
    "rate": (Rule("rate", _several, _rate),),
    "gain": (
        Rule("gain", lambda f: f.last.gain > 0, lambda f: _rate(f) | {"back": kroner(f.last.gain)}),
        Rule("gain_nothing", lambda f: f.last.gain <= 0, _rate),
    ),
    "takes": (
        Rule(
            "critical",
            lambda f: f.last.critical <= 1 and not f.moves,
            lambda f: {"critical": percent(f.last.critical)},
        ),
        Rule(
            "short_of",
            lambda f: f.last.rate == 1 and 1 < f.last.critical <= 100,
            lambda f: {"times": times(f.last.critical)},
        ),
    ),
    "helped": (
        Rule("more_help", lambda f: _several(f) and _gained(f) > _PERSON, _more_or_less),
        Rule("less_help", lambda f: _several(f) and _gained(f) < -_PERSON, _more_or_less),
        Rule(
            "same_help",
            lambda f: _several(f) and abs(_gained(f)) <= _PERSON,
            lambda f: {"helped": count(f.last.helped), "years": years(f.years)},
        ),
        Rule(
            "help",
            lambda f: not _several(f),
            lambda f: _rate(f) | {"helped": count(f.last.helped), "years": years(f.years)},
        ),
    ),
    "lifted": (
        Rule(
            "lifted",
            lambda f: f.last.helped >= 1 and f.last.lifted <= f.last.helped,
            lambda f: _rate(f) | {"helped": count(f.last.helped), "lifted": count(f.last.lifted)},
        ),
    ),
    "payback": (
        Rule(
            "never_one",
            lambda f: not _several(f) and never(f.last.payback),
            lambda f: _rate(f) | {"years": years(f.years)},
        ),
        Rule(
            "repaid_one",
            lambda f: not _several(f) and not never(f.last.payback),
            lambda f: _rate(f) | {"year": years(f.last.payback)},
        ),
        Rule(
            "never_any",
            lambda f: _several(f) and all(map(_not_repaid, f.outcomes)),
            lambda f: {"count": count(len(f.outcomes)), "years": years(f.years)},
        ),
        Rule(
            "repaid_all",
            lambda f: _several(f) and all(map(_repaid, f.outcomes)),
            lambda f: {
                "count": count(len(f.outcomes)),
                "year": years(_first_repaid(f).payback),
                "rate": percent(_first_repaid(f).rate),
            },
        ),
        Rule(
            "repaid_some",
            lambda f: any(map(_repaid, f.outcomes)) and any(map(_not_repaid, f.outcomes)),
            lambda f: {
                "rates": percents(_rates(f, _repaid)),
                "others": percents(_rates(f, _not_repaid)),
                "year": years(_first_repaid(f).payback),
                "rate": percent(_first_repaid(f).rate),
                "years": years(f.years),
            },
        ),
    ),
    "npv": (
        Rule(
            "npv_gain",
            lambda f: f.last.npv >= _KRONER,
            lambda f: _rate(f) | {"npv": money(f.last.npv)},
        ),
        Rule(
            "npv_loss",
            lambda f: f.last.npv <= -_KRONER,
            lambda f: _rate(f) | {"npv": money(f.last.npv)},
        ),
        Rule("npv_even", lambda f: abs(f.last.npv) < _KRONER, _rate),
    ),
    "purses": (
        Rule(
            "purses_split",
            lambda f: bool(_winners(f.last) and _losers(f.last)),
            lambda f: (
                _rate(f) | {"winners": purses(_winners(f.last)), "losers": purses(_losers(f.last))}
            ),
        ),
        Rule(
            "purses_gain",
            lambda f: bool(_winners(f.last) and not _losers(f.last)),
            lambda f: _rate(f) | {"winners": purses(_winners(f.last))},
        ),
        Rule(
            "purses_lose",
            lambda f: bool(_losers(f.last) and not _winners(f.last)),
            lambda f: _rate(f) | {"losers": purses(_losers(f.last))},
        ),
    ),
    "pocket": (
        Rule(
            "wrong_pocket",
            lambda f: sum(f.last.paid_in.values()) > _KRONER and _elsewhere(f.last) > _POINT,
            lambda f: (
                _rate(f) | {"purse": purses([_payer(f.last)]), "share": percent(_elsewhere(f.last))}
            ),
        ),
    ),
    "investors": (
        Rule(
            "investors_gain",
            lambda f: f.last.invested > 0 and f.last.investors_npv >= _KRONER,
            lambda f: _rate(f) | {"value": money(f.last.investors_npv)},
        ),
        Rule(
            "investors_lose",
            lambda f: f.last.invested > 0 and f.last.investors_npv <= -_KRONER,
            lambda f: _rate(f) | {"value": money(f.last.investors_npv)},
        ),
        Rule(
            "investors_even",
            lambda f: f.last.invested > 0 and abs(f.last.investors_npv) < _KRONER,
            _rate,
        ),
    ),
    "complex": (
        Rule(
            "complex_less",
            lambda f: f.last.help_complex < f.last.need_complex - _POINT,
            lambda f: _complex(f.last),
        ),
        Rule(
            "complex_more",
            lambda f: f.last.help_complex > f.last.need_complex + _POINT,
            lambda f: _complex(f.last),
        ),
        Rule(
            "complex_alike",
            lambda f: abs(f.last.help_complex - f.last.need_complex) <= _POINT,
            lambda f: _complex(f.last),
        ),
    ),
    "behind": (
        Rule(
            "behind",
            lambda f: len(f.last.behind) == 2,
            lambda f: {
                "group": Stated("group", f.last.behind[0]),
                "need": Stated("need", f.last.behind[1]),
            },
        ),
    ),
    "leaning": (
        Rule("leans_severe", lambda f: f.last.leaning >= _POINT, lambda f: _leaning(f.last)),
        Rule("leans_mild", lambda f: f.last.leaning <= -_POINT, lambda f: _leaning(f.last)),
    ),
    "booked": (
        Rule(
            "booked",
            lambda f: f.last.booked[0] > f.last.booked[1] >= _KRONER,
            lambda f: {
                "running": money(f.last.booked[0]),
                "investment": money(f.last.booked[1]),
                "rate": percent(f.last.rate),
            },
        ),
    ),
}


def _complex(o: Outcome) -> dict[str, Stated]:
    return {"help": percent(o.help_complex), "need": percent(o.need_complex)}


def _leaning(o: Outcome) -> dict[str, Stated]:
    return {"index": index(o.leaning)}
