"""What kredslob stands on: locked with hashes, and under licences that let everybody use it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = {"run.txt": (), "test.txt": ("test",)}
EXTRAS = ("cluster", "report", "studies")
VENDOR = sorted((ROOT / "src/kredslob/show/workshop/vendor").glob("*.js"))

PERMISSIVE = {
    *("0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python"),
    *("ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Unlicense", "Zlib"),
}
# Used as they are, as packages of their own: their terms then ask nothing of who uses kredslob.
WEAK = {
    "moocore": "LGPL-2.1",  # of pymoo
    "odfpy": "LGPL",  # of pandas, for OpenDocument tables; GPL or Apache at choice
    "pathspec": "MPL-2.0",  # of black, of PySD
    "portion": "LGPL-3.0",  # of PySD
    "pyxlsb": "LGPL-3.0",  # of pandas, for binary Excel workbooks
}
# What older metadata say in words of their own, in order: the first that fits counts.
IN_WORDS = (
    (r"Permission is hereby granted, free of charge", "MIT"),
    (r"Redistribution and use in source", "BSD"),
    (r"Mozilla Public License 2\.0|MPL", "MPL-2.0"),
    (r"Lesser General Public License v3|LGPLv3", "LGPL-3.0"),
    (r"Lesser General Public|Library or Lesser|LGPL", "LGPL"),
    (r"General Public|GPL", "GPL"),
    (r"Apache", "Apache-2.0"),
    (r"3-Clause", "BSD-3-Clause"),
    (r"2-Clause", "BSD-2-Clause"),
    (r"BSD", "BSD"),
    (r"Python Software Foundation|PSFL?\b", "PSF-2.0"),
    (r"ISC", "ISC"),
    (r"MIT", "MIT"),
)


def name_of(requirement: Requirement) -> str:
    return canonicalize_name(requirement.name)


def required(found: Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    """Requirements that hold here, with these extras."""
    environments = [{**default_environment(), "extra": extra} for extra in ("", *extras)]
    for text in found.requires or ():
        one = Requirement(text)
        if one.marker is None or any(one.marker.evaluate(e) for e in environments):
            yield one


def closure(extras: Iterable[str]) -> dict[str, Distribution]:
    """What is installed of all that kredslob needs, with what that needs in turn."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(f"kredslob[{','.join(extras)}]")]
    while waiting:
        wanted = waiting.pop()
        name = name_of(wanted)
        new = {(name, extra) for extra in ("", *wanted.extras)} - seen
        if not new:
            continue
        seen |= new
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            assert extras, f"{name} is not installed"  # of an extra, it may be missing
            continue
        waiting += required(found[name], wanted.extras)
    return found


def licences(found: Distribution) -> list[set[str]]:
    """Licences that hold together; of each, those among which one may choose."""
    stated = found.metadata.get("License-Expression")
    if stated:
        parts = re.split(r"\s+AND\s+", stated.replace("(", "").replace(")", ""))
        return [{re.sub(r" WITH .*", "", o) for o in re.split(r"\s+OR\s+", p)} for p in parts]
    classifiers = found.metadata.get_all("Classifier") or []
    said = [c for c in classifiers if c.startswith("License ::")]
    words = (found.metadata.get("License") or "").strip()
    said = said or ([words] if words else list(texts(found)))
    return [{next((code for words, code in IN_WORDS if re.search(words, s)), s) for s in said}]


def texts(found: Distribution) -> Iterator[str]:
    """The files of the licence that came with a package."""
    for file in found.files or ():
        if re.search("licen[cs]e", file.name, re.IGNORECASE):
            yield Path(str(file.locate())).read_text(encoding="utf-8")


@pytest.mark.parametrize("extras", [(), EXTRAS], ids=["run", "all"])
def test_every_licence_lets_everybody_use_it(extras: tuple[str, ...]) -> None:
    for name, found in sorted(closure(extras).items()):
        for choice in licences(found):
            weak = any(one.startswith(WEAK[name]) for one in choice) if name in WEAK else False
            assert choice & PERMISSIVE or weak, f"{name}: {' or '.join(sorted(choice))}"


@pytest.mark.parametrize("path", VENDOR, ids=lambda p: p.name)
def test_what_travels_with_the_page_has_its_licence_beside_it(path: Path) -> None:
    licence = path.with_suffix(".LICENSE").read_text(encoding="utf-8")
    assert re.search(
        r"Permission is hereby granted, free of charge|Redistribution and use", licence
    )
    assert re.search(r"Copyright", licence, re.IGNORECASE)
    told = (path.parent / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"\| {re.escape(path.name)} .*\| \d+\.\d+\.\d+ \| (MIT|BSD)", told)


# --- locks -------------------------------------------------------------------------------------


def locked(name: str) -> dict[str, tuple[str, list[str]]]:
    """By package: its version, and the hashes of its files."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", " ")
    pins: dict[str, tuple[str, list[str]]] = {}
    for line in text.splitlines():
        match = re.match(r"([A-Za-z0-9._-]+)==(\S+)", line)
        assert match, f"{name}: '{line[:60]}' is no version that is locked"
        pins[canonicalize_name(match[1])] = (
            match[2],
            re.findall(r"--hash=(sha256:[0-9a-f]{64})", line),
        )
    return pins


def stated(extras: Iterable[str]) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][e] for e in extras)]
    return [Requirement(text) for one in lists for text in one]


@pytest.mark.parametrize(("lock", "extras"), LOCKS.items())
def test_locks_hold_all_that_is_stated_each_with_hashes(lock: str, extras: tuple[str, ...]) -> None:
    pins = locked(lock)
    for wanted in stated(extras):
        version, _ = pins[name_of(wanted)]
        assert wanted.specifier.contains(version), f"{lock}: {wanted.name} {version}"
    assert all(hashes for _, hashes in pins.values())


@pytest.mark.parametrize(("lock", "extras"), LOCKS.items())
def test_locks_hold_what_that_needs_in_turn(lock: str, extras: tuple[str, ...]) -> None:
    pins = locked(lock)
    assert not closure(extras).keys() - pins.keys() - {"kredslob"}


def test_both_locks_agree() -> None:
    run, test = locked("run.txt"), locked("test.txt")
    assert run.items() <= test.items()


def test_an_upper_bound_says_why() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for above, line in pairwise(lines):
        if re.match(r'\s+"[\w-]+>=[^"]*<', line):
            assert above.strip().startswith("# "), line.strip()
