"""One Markdown document a report: what its template asks for, already written in its language."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kredslob.cycle.accounts import PARTIES
from kredslob.cycle.scenario import parameter_table
from kredslob.cycle.summary import RATE
from kredslob.results import BY_PYTHON
from kredslob.show.account_rows import party_rows
from kredslob.show.changed_rows import changed_rows
from kredslob.show.check_table import check_frame
from kredslob.show.figures import Drawing
from kredslob.show.language import Words
from kredslob.show.loop_table import families_frame, how_many
from kredslob.show.policy_figures import SHOWN
from kredslob.show.policy_table import chosen_frame, robust_frame
from kredslob.show.report.assumptions import parameter_rows
from kredslob.show.report.chances import chances
from kredslob.show.report.comparison import Alternative, compared, read_duels
from kredslob.show.report.glossary import glossary
from kredslob.show.report.markdown import (
    Marked,
    answer,
    bullets,
    code,
    escaped,
    figure,
    table,
)
from kredslob.show.report.material import DRAWS, SEED, Material, Studies
from kredslob.show.report.sentences import sentences
from kredslob.show.sensitivity_table import ranked_frame
from kredslob.show.table import rate_note, summary_frame
from kredslob.show.uncertainty_table import uncertainty_frame
from kredslob.studies.checks import FAIL
from kredslob.studies.duels import DUELS_OVER
from kredslob.studies.hinges import HingeStudy
from kredslob.studies.policies import PolicyStudy
from kredslob.studies.robustness import CRITERIA, POLICY

_MOST_COLUMNS = 6  # rates in one table: what a page is wide enough for
_SHORT = ("table.helped", "table.complex", "table.payback", "table.npv", "table.gain")


def document(
    kind: str,
    materials: Sequence[Material],
    studies: Studies | None,
    drawings: Mapping[str, Drawing],
    w: Words,
) -> str:
    """Write a report as Markdown.

    Parameters
    ----------
    kind : str
        brief, full, compare or slides: the template.
    materials : sequence of Material
        The runs; all kinds but compare report the first.
    studies : Studies or None
        For full only.
    drawings : mapping of str to Drawing
        Figures by name, in this language.
    w : Words
        The language.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("kredslob.show.report", "templates"),
        finalize=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # `escaped` does it for Markdown
    )
    environment.filters["marked"] = Marked  # for a part that a template has already written
    shown: dict[str, Any] = {"r": Reported(materials[0], studies, drawings, w)}
    if kind == "compare":
        shown = {"c": Compared(materials, drawings, w)}
    return environment.get_template(f"{kind}.md.j2").render(w=w, **shown)


class Reported:
    """What templates say of one run; each property is a part of the document.

    Parameters
    ----------
    material, studies, drawings, w
        As for `document`.
    """

    def __init__(
        self,
        material: Material,
        studies: Studies | None,
        drawings: Mapping[str, Drawing],
        w: Words,
    ) -> None:
        self._material, self._studies, self._drawings, self._w = material, studies, drawings, w
        scenario = material.scenario
        self.place = scenario.setting_title[w.language]
        self.place_told = scenario.setting_description[w.language]
        self.policy = scenario.title[w.language] if scenario.name else ""
        self.policy_told = scenario.description[w.language]

    def said(self, *topics: str) -> list[str]:
        """Sentences that are true under these topics, for where the rate is stated above them."""
        return [one.under_rate(self._w) for one in sentences(self._material.facts, topics)]

    def sentence(self, *topics: str) -> str:
        """The first sentence that is true under these topics, as it stands alone."""
        found = sentences(self._material.facts, topics)
        return next((one.text(self._w) for one in found), "")

    def answer(self, said: Sequence[str]) -> Marked:
        """Sentences as the answer that stands first."""
        return answer(said)

    def bullets(self, said: Sequence[str]) -> Marked:
        """Sentences as a list."""
        return bullets(said)

    def figure(self, name: str, width: str = "98%") -> Marked:
        """A figure with its caption; nothing where it was not drawn."""
        return _figure(self._drawings, name, width)

    def bare_figure(self, name: str) -> Marked:
        """A figure without a caption, for a slide whose head says what it shows."""
        drawing = self._drawings[name]
        return figure(drawing.name, "", drawing.alt)

    @property
    def notes(self) -> str:
        """That the rate moves, or that the sweep was run again."""
        w, material = self._w, self._material
        moving = rate_note(material.summary, w.language, material.scenario)
        again = w.text("report.again") if material.again else ""
        return " ".join(note for note in (moving, again) if note)

    @property
    def main_table(self) -> Marked:
        """Main figures by rate."""
        return self._by_rate(None)

    @property
    def short_table(self) -> Marked:
        """The few main figures that a brief has room for."""
        return self._by_rate([self._w.text(key) for key in _SHORT])

    def _by_rate(self, measures: Sequence[str] | None) -> Marked:
        w = self._w
        frame = summary_frame(_thinned(self._material.summary), w.language)
        if measures is not None:
            frame = frame.loc[list(measures)]
        head = [w.text("table.measure"), *(str(c) for c in frame.columns)]
        rows = [[str(name), *values] for name, values in frame.iterrows()]
        widths = [10, *([3] * (len(head) - 1))] if len(head) > 3 else [10, *([4] * (len(head) - 1))]
        return table(head, rows, widths, caption=w.text("page.table"))

    @cached_property
    def accounts(self) -> Marked:
        """Accounts of each party."""
        rate = self._w.percent(self._material.facts.last.rate)
        return self._accounts(self._w.text("page.accounts", rate=rate))

    @property
    def bare_accounts(self) -> Marked:
        """The same for a slide."""
        rate = self._w.percent(self._material.facts.last.rate)
        return self._accounts(self._w.text("rate", rate=rate))

    def _accounts(self, caption: str) -> Marked:
        w = self._w
        heads = [w.text(f"table.{h}_head") for h in ("party", "npv", "irr", "bcr", "payback")]
        rows = party_rows(self._material.books.isel({RATE: -1}), w)
        return table(heads, rows, [10, 6, 6, 6, 6], caption=caption)

    @property
    def accounts_note(self) -> str:
        """Discount rate, price year and what is not counted."""
        return _accounts_note(self._material, self._w)

    @property
    def levers(self) -> Marked | str:
        """What this run set otherwise than the table."""
        rows = changed_rows(self._material.scenario, self._w)
        if not rows:
            return self._w.text("report.no_levers")
        heads = [self._w.text(f"report.lever.{h}") for h in ("name", "here", "table")]
        caption = self._w.text("report.lever.caption")
        return table(heads, rows, [10, 5, 5], caption=caption)

    @property
    def assumptions_note(self) -> str:
        """How many parameters there are, and how sure they are."""
        return _assumptions_note(self._w)

    @property
    def parameters(self) -> Marked:
        """All parameters with source and certainty."""
        w = self._w
        heads = [w.text(f"page.{h}") for h in ("parameter", "value", "range", "certainty")]
        rows = parameter_rows(parameter_table(), w)
        heads.append(w.text("page.source"))
        return table(
            heads, rows, [13, 5, 5, 4, 7], caption=w.text("page.parameters"), left=range(5)
        )

    # Studies ------------------------------------------------------------------------------------

    @property
    def chances(self) -> list[str]:
        """What the draws say, in sentences for where the rate is stated above them."""
        found = self._asked.uncertainty
        return [] if found is None else [one.under_rate(self._w) for one in chances(found)]

    @property
    def draws_at(self) -> str:
        """The rate that those sentences hold for."""
        rate = float(self._asked.uncertainty[RATE].max())  # type: ignore[index]
        return self._w.text("report.draws_at", rate=self._w.percent(rate))

    @property
    def uncertain(self) -> bool:
        """Whether the parameters were drawn."""
        return self._asked.uncertainty is not None

    @property
    def uncertainty_told(self) -> str:
        """How the parameters were drawn, or why not."""
        w, found = self._w, self._asked.uncertainty
        if found is None:
            return w.text("report.uncertainty_none")
        draws = w.number(found.sizes["draw"])
        return w.text("report.uncertainty_told", draws=draws, seed=found.attrs["seed"])

    @property
    def uncertainty_table(self) -> Marked:
        """Chances and spreads."""
        w, found = self._w, self._asked.uncertainty
        frame = uncertainty_frame(found, w.language)  # type: ignore[arg-type]
        head = [w.text("table.value_of"), *(w.text("rate", rate=c) for c in frame.columns)]
        rows = [[str(name), *row] for name, row in zip(frame.index, frame.values, strict=True)]
        draws = w.number(found.sizes["draw"])  # type: ignore[union-attr]
        caption = w.text("uncertainty.measure", draws=draws)
        return table(head, rows, [9, *([7] * (len(head) - 1))], caption=caption)

    @property
    def threshold_figures(self) -> list[str]:
        """Maps of where the cycle carries itself, where they could be made."""
        return [name for name in ("regions",) if name in self._drawings]

    @property
    def tornados(self) -> list[str]:
        """Names of the figures of what outcomes hinge on."""
        return [name for name in self._drawings if re.fullmatch(r"tornado\d", name)]

    @property
    def ranked(self) -> bool:
        """Whether the folder is a study of what outcomes hinge on."""
        return self._asked.hinges is not None

    @property
    def ranked_told(self) -> str:
        """How the study was made."""
        study = self._hinges
        return self._w.text(
            "report.ranked_told",
            screened=study.screened.sizes["factor"] - 1,  # less the one without effect
            inputs=study.moved.sizes["factor"],
            trajectories=study.screened.attrs["trajectories"],
            samples=study.ranked.attrs["samples"],
            seed=study.ranked.attrs["seed"],
        )

    @property
    def ranking_figures(self) -> list[str]:
        """Shares of variance of each outcome, or of all in one where they cannot be drawn."""
        found = [name for name in self._drawings if name.startswith("variance-")]
        return found or ["ranking"]

    @property
    def ranked_table(self) -> Marked:
        """Shares of the variance of each outcome."""
        w = self._w
        frame = ranked_frame(self._hinges, w.language)
        caption = w.text("report.ranked_caption")
        return _of_frame(frame, w.text("page.parameter"), caption)

    @property
    def _hinges(self) -> HingeStudy:
        assert self._asked.hinges is not None  # the template asks first
        return self._asked.hinges

    @property
    def searched(self) -> bool:
        """Whether the folder is a search for policies."""
        return self._asked.policies is not None

    @property
    def search_told(self) -> str:
        """How policies were judged and searched for."""
        study, w = self._searched, self._w
        return w.text(
            "report.search_told",
            policies=study.results.sizes[POLICY],
            draws=w.number(study.results.sizes["run"]),
            found=study.front.sizes[POLICY],
        )

    @property
    def judged(self) -> list[dict[str, str]]:
        """Figure and table of policies for each outcome that they were judged by."""
        w, found = self._w, []
        for outcome, judged in self._searched.judged.items():
            said = w.outcome(outcome)
            caption = w.text("report.robust_caption", outcome=said[:1].upper() + said[1:])
            frame = robust_frame(judged, w.language)[
                [w.text(f"policies.{c}") for c in CRITERIA if c not in SHOWN]
            ]
            laid = _of_frame(frame, w.text("page.policy"), caption)
            found.append({"name": f"robust-{outcome.replace(' ', '-')}", "table": laid})
        return found

    @property
    def front_table(self) -> Marked:
        """The policies with most of each goal, of those that none beats."""
        w = self._w
        frame = chosen_frame(self._searched.front, w.language)
        return _of_frame(frame, w.text("report.measure"), w.text("report.front_caption"))

    @property
    def _searched(self) -> PolicyStudy:
        assert self._asked.policies is not None  # the template asks first
        return self._asked.policies

    @property
    def loops_counted(self) -> str:
        """How many loops there are."""
        (scores,) = self._asked.loops.scores.values()
        return how_many(scores, self._w.language)

    @property
    def loops_table(self) -> Marked:
        """Mean share of each family of loops."""
        w = self._w
        frame = families_frame(self._asked.loops.panels(w.language), w.language)
        head = [w.text("loops.loop"), *(str(c) for c in frame.columns)]
        rows = [[str(name), *values] for name, values in frame.iterrows()]
        return table(head, rows, [12, 5], caption=w.text("report.loops_caption"))

    @property
    def checks_said(self) -> str:
        """Whether the model passes its tests."""
        failed = int((self._asked.checks["verdict"] == FAIL).sum())
        key = "check.some_fail" if failed else "check.all_pass"
        return self._w.text(key, count=failed)

    @property
    def checks_table(self) -> Marked:
        """The tests, with what each means."""
        w = self._w
        frame = check_frame(self._asked.checks, w.language)
        heads = [w.text(f"check.{h}") for h in ("check", "verdict", "measured", "tolerance")]
        heads.append(w.text("check.meaning"))
        rows = frame[heads].values.tolist()
        return table(
            heads, rows, [5, 3, 3, 3, 11], caption=w.text("report.checks_caption"), left=(0, 1, 4)
        )

    def glossary(self, *parts: str) -> Marked:
        """The technical words that stand in parts of the report or in its figures."""
        w = self._w
        rows = glossary(" ".join(parts), self._drawings.values(), w)
        heads = [w.text(f"report.glossary.{h}") for h in ("word", "meaning")]
        return table(heads, rows, [5, 20], caption=w.text("report.glossary.caption"), left=range(2))

    @property
    def _asked(self) -> Studies:
        assert self._studies is not None  # only the template of a full report asks
        return self._studies

    # Origin -------------------------------------------------------------------------------------

    @property
    def in_python(self) -> bool:
        """Whether no command made the run, but somebody's own Python."""
        return self._material.saved.manifest["command"] == BY_PYTHON

    @property
    def command(self) -> Marked:
        """The command that makes the run again, as a block."""
        return _block([str(self._material.saved.manifest["command"])])

    @property
    def command_inline(self) -> Marked:
        """The command within a line."""
        return code(str(self._material.saved.manifest["command"]))

    @property
    def origin(self) -> str:
        """Versions, hash, seed and folder."""
        drawn = self._studies is not None and self._studies.drawn
        return _origin(self._material, self._w, drawn=drawn)


class Compared:
    """What the template says of several policies, or of one at several rates.

    Parameters
    ----------
    materials, drawings, w
        As for `document`.
    """

    def __init__(
        self, materials: Sequence[Material], drawings: Mapping[str, Drawing], w: Words
    ) -> None:
        self._materials, self._drawings, self._w = materials, drawings, w
        self._several = alternatives(materials, w)

    @property
    def answer(self) -> Marked:
        """What sets the policies apart, in sentences."""
        return answer([one.text(self._w) for one in compared(self._several)])

    def figure(self, name: str) -> Marked:
        """A figure with its caption."""
        return _figure(self._drawings, name)

    @property
    def policies(self) -> Marked:
        """The policies with place and what each does."""
        w = self._w
        if len(self._materials) == 1:
            scenario = self._materials[0].scenario
            return Marked(escaped(scenario.description[w.language]))
        heads = [w.text("page.policy"), w.text("page.setting"), w.text("report.what")]
        rows = []
        for one in self._several:
            scenario = one.material.scenario
            place = scenario.setting_title[w.language]
            rows.append([one.label, place, scenario.description[w.language]])
        caption = w.text("report.policies_caption")
        return table(heads, rows, [6, 6, 12], caption=caption, left=range(3))

    @property
    def differences(self) -> str:
        """That places or horizons differ, where they do."""
        w = self._w
        notes = []
        if len({m.scenario.setting for m in self._materials}) > 1:
            notes.append(w.text("report.other_places"))
        if len({m.facts.years for m in self._materials}) > 1:
            notes.append(w.text("report.other_years"))
        if len({m.saved.manifest["model sha256"] for m in self._materials}) > 1:
            notes.append(w.text("report.other_models"))
        return " ".join(notes)

    @property
    def table(self) -> Marked:
        """Main figures by policy."""
        w = self._w
        frames = [
            summary_frame(one.material.summary.isel({RATE: [one.place]}), w.language)
            for one in self._several
        ]
        joined = pd.concat([f.iloc[:, 0] for f in frames], axis=1).fillna(w.text("none"))
        head = [w.text("report.measure"), *(one.short for one in self._several)]
        pairs = zip(joined.index, joined.values, strict=True)
        rows = [[str(name), *values] for name, values in pairs]
        return table(head, rows, _widths(len(self._several)), caption=w.text("report.by_policy"))

    @cached_property
    def _duels(self) -> xr.Dataset | None:
        return read_duels(self._several)

    @property
    def beats_told(self) -> str:
        """How policies were compared draw by draw, or why not."""
        found, w = self._duels, self._w
        if found is None:
            return w.text("report.beats_none")
        draws = w.number(found.attrs["draws"])
        return w.text("report.beats_told", draws=draws, seed=found.attrs["seed"])

    @property
    def beats(self) -> list[Marked]:
        """A table for each outcome: how often each policy beats each other."""
        found, w = self._duels, self._w
        if found is None:
            return []
        short = [one.short for one in self._several]
        tables = []
        for outcome in DUELS_OVER:
            rows = [
                [
                    name,
                    *(
                        w.text("none") if i == k else w.percent(share)
                        for k, share in enumerate(shares)
                    ),
                ]
                for i, (name, shares) in enumerate(zip(short, found[outcome].values, strict=True))
            ]
            caption = w.text("report.beats", outcome=w.outcome(outcome))
            head = [w.text("page.policy"), *short]
            tables.append(table(head, rows, _widths(len(short)), caption=caption))
        return tables

    @property
    def accounts(self) -> Marked:
        """Net present value of each party by policy."""
        w = self._w
        rows = []
        for party in PARTIES:
            cells = []
            for one in self._several:
                of = one.material.books.isel({RATE: one.place}).sel(party=party)
                takes_part = float(of["cost"].sum() + of["benefit"].sum()) > 0
                value = float(of["net present value"])
                cells.append(w.millions(value) if takes_part else w.text("none"))
            if set(cells) != {w.text("none")}:
                rows.append([w.text(f"party.{party}"), *cells])
        head = [w.text("table.party_head"), *(one.short for one in self._several)]
        return table(head, rows, _widths(len(self._several)), caption=w.text("table.npv_head"))

    @property
    def accounts_note(self) -> str:
        """Discount rate, price year and what is not counted."""
        return _accounts_note(self._materials[0], self._w)

    @property
    def assumptions_note(self) -> str:
        """How many parameters there are, and how sure they are."""
        return _assumptions_note(self._w)

    @property
    def reproduce_told(self) -> str:
        """What the commands are for."""
        key = "said_many" if len(self._materials) > 1 else "said"
        return self._w.text(f"report.reproduce.{key}")

    @property
    def commands(self) -> Marked:
        """The commands that make the runs again."""
        made = [str(m.saved.manifest["command"]) for m in self._materials]
        return _block(made)

    @property
    def origin(self) -> str:
        """Versions, hash and seed of the first run."""
        return _origin(self._materials[0], self._w, drawn=False)


def alternatives(materials: Sequence[Material], w: Words) -> list[Alternative]:
    """What is compared: one run at its rates, or several runs each at its highest rate."""
    if len(materials) == 1:
        (one,) = materials
        chosen = _places(len(one.facts.outcomes))
        rates = [one.facts.outcomes[k].rate for k in chosen]
        labels = [w.text("rate", rate=w.percent(rate)) for rate in rates]
        short = [w.percent(rate) for rate in rates]
        named = zip(labels, short, chosen, strict=True)
        return [Alternative(label, brief, one, k) for label, brief, k in named]
    labels = []
    places = {m.scenario.setting for m in materials}
    for one in materials:
        scenario = one.scenario
        label = (scenario.title if scenario.name else scenario.setting_title)[w.language]
        if not scenario.name and len(places) == 1:  # the place tells nothing apart
            label = w.text("rate", rate=w.percent(one.facts.last.rate))
        elif len(one.facts.outcomes) > 1:
            label += f" ({w.percent(one.facts.last.rate)})"
        labels.append(label)
    if len(set(labels)) < len(labels):
        folders = (m.saved.folder.name for m in materials)
        labels = [f"{a} – {b}" for a, b in zip(labels, folders, strict=True)]
    return [
        Alternative(label, label, m, len(m.facts.outcomes) - 1)
        for label, m in zip(labels, materials, strict=True)
    ]


def _of_frame(frame: pd.DataFrame, corner: str, caption: str) -> Marked:
    head = [corner, *(str(c) for c in frame.columns)]
    rows = [[str(name), *row] for name, row in zip(frame.index, frame.values, strict=True)]
    return table(head, rows, _widths(len(frame.columns)), caption=caption)


def _block(commands: Sequence[str]) -> Marked:
    """Commands as they are typed, one a line."""
    return Marked("\n".join("    " + " ".join(one.split()) for one in commands))


def _figure(drawings: Mapping[str, Drawing], name: str, width: str = "98%") -> Marked:
    if name not in drawings:
        return Marked("")
    drawing = drawings[name]
    return figure(name, drawing.caption, drawing.alt, width)


def _widths(columns: int) -> list[int]:
    return [10, *([max(3, 20 // columns)] * columns)]


def _places(count: int) -> list[int]:
    """Which of many rates to show: the ends, and others evenly between."""
    chosen = np.linspace(0, count - 1, min(count, _MOST_COLUMNS))
    return sorted({round(float(k)) for k in chosen})


def _thinned(summary: Any) -> Any:
    return summary.isel({RATE: _places(summary.sizes[RATE])})


def _accounts_note(material: Material, w: Words) -> str:
    years = w.number(material.facts.years)
    return f"{w.text('page.accounts_note', years=years)} {w.text('prices')}"


def _assumptions_note(w: Words) -> str:
    rows = list(parameter_table())
    counts = Counter(row.certainty for row in rows)
    return w.text("page.assumptions_note", count=len(rows), **counts)


def _origin(material: Material, w: Words, *, drawn: bool) -> str:
    manifest = material.saved.manifest
    versions = ", ".join(f"{k} {v}" for k, v in manifest["versions"].items())
    seed = manifest.get("seed")
    parts = [
        w.text(
            "report.reproduce.origin",
            folder=material.saved.folder.name,
            sha=manifest["model sha256"],
            engine=manifest["engine"],
            integration=manifest["integration"],
            step=w.number(float(json.loads(material.runs.attrs["clock"]).get("step", 0.125)), 3),
            created=str(manifest["created"])[:10],
        ),
        w.text("report.reproduce.versions", versions=versions),
        w.text("report.reproduce.no_seed")
        if seed is None
        else w.text("report.reproduce.seed", seed=seed),
    ]
    if drawn:
        parts.append(w.text("report.reproduce.drawn", draws=w.number(DRAWS), seed=SEED))
    return " ".join(parts)
