"""Loops in plain words: which there are, what each does, and which are in charge when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import xarray as xr
from rich.box import SIMPLE_HEAD
from rich.table import Table

from kredslob.feedback.dominance import dominance
from kredslob.feedback.scores import ARROW
from kredslob.show.language import Words, words
from kredslob.show.loop_figures import Shares, family_name

_MOST_SHOWN = 15
_LONGEST_PATH = 5  # variables of a loop that are named in a table
_SHORTEST_PERIOD = 0.02  # of the run: shorter ones are passing moments


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Parameters
    ----------
    title : str
        Its title; may be empty.
    head : str
        Head of the column of row names; empty if rows have none.
    frame : DataFrame
        Its text.
    """

    title: str
    head: str
    frame: pd.DataFrame

    def __rich__(self) -> Table:
        """The table for the terminal."""
        table = Table(
            title=self.title or None,
            title_style="bold",
            title_justify="left",
            header_style="bold",
            box=SIMPLE_HEAD,
            pad_edge=False,
        )
        for column in ([self.head] if self.head else []) + [str(c) for c in self.frame.columns]:
            table.add_column(column)
        for name, values in self.frame.iterrows():
            table.add_row(*([str(name)] if self.head else []), *map(str, values))
        return table


def loops_frame(scores: xr.Dataset, language: str) -> pd.DataFrame:
    """List the loops that do most.

    Parameters
    ----------
    scores : Dataset
        From `kredslob.feedback.scores.Feedback.scores`.
    language : str
        "da" or "en".

    Returns
    -------
    DataFrame
        Formatted text; a row a loop: what it does, its mean share, and its way round.
    """
    w = words(language)
    first = scores.isel(loop=slice(_MOST_SHOWN))
    rows = {
        str(name): (
            w.text(f"loops.{polarity}"),
            w.percent(float(share), 1),
            _short(str(path)),
        )
        for name, polarity, share, path in zip(
            first["loop"].values,
            first["polarity"].values,
            first["contribution"].values,
            first["path"].values,
            strict=True,
        )
    }
    columns = [w.text(f"loops.{c}") for c in ("polarity", "contribution", "path")]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def families_frame(shares: Mapping[str, Shares], language: str) -> pd.DataFrame:
    """Mean shares of the families of the reinvestment model, a column a run.

    Parameters
    ----------
    shares : mapping of str to Shares
        By title of the run.
    language : str
        "da" or "en".

    Returns
    -------
    DataFrame
        Formatted text; a row a family.
    """
    w = words(language)
    names = [str(n) for n in next(iter(shares.values())).up["group"].values]
    means = {title: one.size.mean("time").values for title, one in shares.items()}
    return pd.DataFrame(
        {title: [w.percent(float(v), 1) for v in values] for title, values in means.items()},
        index=[family_name(name, language) for name in names],
    )


def periods_frame(shares: Shares, labels: Mapping[str, str], language: str) -> pd.DataFrame:
    """List the periods in which the same loops are in charge, less passing moments.

    Parameters
    ----------
    shares : Shares
        What groups of loops do over time.
    labels : mapping of str to str
        What they are called.
    language : str
        "da" or "en".

    Returns
    -------
    DataFrame
        Formatted text: from, to, who is in charge, and their share.
    """
    w = words(language)
    periods = dominance(shares.size)
    times = shares.up["time"].values
    long = (periods["to"] - periods["from"]) >= _SHORTEST_PERIOD * (times[-1] - times[0])
    rows = [_period(row, labels, w) for row in periods[long].to_dict("records")]
    columns = [w.text(f"loops.{c}") for c in ("from", "to", "dominant", "contribution")]
    return pd.DataFrame(rows, columns=columns)


def _period(row: Mapping[str, object], labels: Mapping[str, str], w: Words) -> tuple[str, ...]:
    dominant = [str(n) for n in row["dominant"]]  # type: ignore[attr-defined]
    named = ", ".join(labels.get(n, n) for n in dominant) or w.text("loops.rest")
    begin, end, share = (float(str(row[k])) for k in ("from", "to", "share"))
    return w.number(begin, 1), w.number(end, 1), named, w.percent(share)


def how_many(scores: xr.Dataset, language: str) -> str:
    """Say how many loops there are, and whether these are all."""
    w = words(language)
    count = scores.sizes["loop"]
    if not count:
        return w.text("loops.none")
    return w.text("loops.all" if scores.attrs["all_loops"] else "loops.some", count=w.number(count))


def _short(path: str) -> str:
    names = path.split(ARROW)
    if len(names) > _LONGEST_PATH:
        names = [*names[: _LONGEST_PATH - 1], f"… ({len(names)})"]
    return ARROW.join(names)
