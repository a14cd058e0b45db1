"""The runs in a folder: found, chosen, and those that may go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kredslob.errors import InputFileError, KredslobError
from kredslob.results import MANIFEST, RUNS, TABLES, read_manifest


@dataclass(frozen=True)
class RunEntry:
    """A run as its folder shows it, without its numbers.

    Parameters
    ----------
    folder : Path
        Where it lies.
    when : datetime or None
        When it was computed; None if the folder does not say.
    kind : str
        run, threshold, uncertainty, loops, or empty where the manifest does not say.
    setting, scenario : str
        Place and policy; empty where there is none.
    levers : mapping of str to list of float
        What a sweep varied.
    years : float or None
        Length, in the model's unit of time; None if the folder does not say.
    size : int
        Bytes of all files.
    damage : str
        What is wrong with it; empty for a whole run.
    """

    folder: Path
    when: datetime | None
    kind: str
    setting: str
    scenario: str
    levers: Mapping[str, Sequence[float]]
    years: float | None
    size: int
    damage: str


def list_runs(parent: Path) -> list[RunEntry]:
    """Find the runs in a folder.

    Parameters
    ----------
    parent : Path
        The folder that holds the runs, each in a folder of its own.

    Returns
    -------
    list of RunEntry
        The latest first, damaged ones included; what is being written, or was left unfinished, is
        not among them. Hashes are not compared here: see `kredslob.results.file_faults`.

    Raises
    ------
    InputFileError
        The folder is missing or cannot be read.
    """
    try:
        folders = sorted(p for p in parent.iterdir() if p.is_dir() and p.name[0] != ".")
    except OSError as problem:
        raise InputFileError(parent, f"cannot be listed ({problem.strerror})") from problem
    found = [entry for folder in folders if (entry := _entry(folder)) is not None]
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda e: (e.when or never, e.folder.name), reverse=True)


def chosen(
    entries: Iterable[RunEntry],
    *,
    setting: str | None = None,
    scenario: str | None = None,
    since: datetime | None = None,
) -> list[RunEntry]:
    """Those of some runs that have this setting and scenario and are not older than this."""
    return [
        e
        for e in entries
        if (setting is None or e.setting == setting)
        and (scenario is None or e.scenario == scenario)
        and (since is None or (e.when is not None and e.when >= since))
    ]


def may_go(
    entries: Sequence[RunEntry],
    *,
    keep: int | None = None,
    older_than: timedelta | None = None,
    now: datetime,
) -> list[RunEntry]:
    """Runs that may be removed: whole ones that both rules let go.

    A run dated after the present time was made by a clock that went wrong, before or since. How
    old it is nobody can say: it stays, and is not counted among the latest.

    Parameters
    ----------
    entries : sequence of RunEntry
        From `list_runs`.
    keep : int, optional
        How many of the latest stay in any case.
    older_than : timedelta, optional
        Age from which a run may go.
    now : datetime
        The present time.

    Raises
    ------
    KredslobError
        Neither rule is given.
    """
    if keep is None and older_than is None:
        raise KredslobError("prune: found no rule, expected --keep, --older-than or both")
    dated = sorted(
        (e for e in entries if not e.damage and e.when and e.when <= now), key=_when, reverse=True
    )
    rest = dated[keep or 0 :]
    return [e for e in rest if older_than is None or _when(e) < now - older_than]


def _when(entry: RunEntry) -> datetime:
    assert entry.when is not None  # whoever asks has left out those without
    return entry.when


def _entry(folder: Path) -> RunEntry | None:
    """What a folder shows; None for one that is no run."""
    try:
        size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
        if not (folder / MANIFEST).exists() and not _looks_like_a_run(folder):
            return None
        if not (folder / MANIFEST).exists():
            return RunEntry(folder, None, "", "", "", {}, None, size, f"{MANIFEST} is missing")
        manifest = read_manifest(folder)
        return _of_manifest(folder, manifest, size)
    except InputFileError as problem:
        said = str(problem).removeprefix(f"{folder}/")
        return RunEntry(folder, None, "", "", "", {}, None, 0, said)
    except OSError as problem:
        said = f"cannot be read ({problem.strerror})"
        return RunEntry(folder, None, "", "", "", {}, None, 0, said)


def _looks_like_a_run(folder: Path) -> bool:
    return (folder / RUNS).exists() or (folder / TABLES).is_dir()


def _of_manifest(folder: Path, manifest: Mapping[str, Any], size: int) -> RunEntry:
    damage = next(_damage(folder, manifest), "")
    levers = manifest.get("levers")
    try:
        when = datetime.fromisoformat(manifest["created"])
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
    except ValueError:
        when, damage = None, damage or f"{MANIFEST}, 'created': is not a time"
    return RunEntry(
        folder=folder,
        when=when,
        kind=str(manifest.get("kind", "")),
        setting=str(manifest.get("setting", "")),
        scenario=str(manifest.get("scenario", "")),
        levers=_numbers(levers) if isinstance(levers, dict) else {},
        years=_years(manifest),
        size=size,
        damage=damage,
    )


def _damage(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    for name in manifest["files"]:
        if not (folder / name).is_file():
            yield f"{name} is missing"
    if RUNS not in manifest["files"]:
        yield f"{MANIFEST} does not list {RUNS}"


def _numbers(levers: Mapping[str, Any]) -> dict[str, list[float]]:
    kept = {n: v for n, v in levers.items() if isinstance(v, list)}
    return {n: [float(x) for x in v if isinstance(x, (int, float))] for n, v in kept.items()}


def _years(manifest: Mapping[str, Any]) -> float | None:
    years = manifest.get("years")
    return float(years) if isinstance(years, (int, float)) else None
