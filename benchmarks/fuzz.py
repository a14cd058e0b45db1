"""Fuzz the readers: whatever a file holds, it is read or refused in one clear line.

Real and hostile files are damaged at random (bytes turned, pieces cut, doubled, swapped or taken
from another file, numbers made huge) and read as far as a model's equations are lowered and its
kernel is written. What raises anything but our own errors, warns without end or takes long is kept.

    python -m benchmarks.fuzz --minutes 10 --keep found/
"""

from __future__ import annotations

import argparse
import ast
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kredslob.errors import KredslobError

ROOT = Path(__file__).parents[1]
FOLDERS = (ROOT / "tests" / "models", ROOT / "tests" / "hostile", ROOT / "models" / "reinvestment")
KINDS = (".mdl", ".xmile", ".stmx", ".toml", ".csv")
LONGEST = 10.0  # seconds that one file may take
LARGEST_SEED = 60_000  # bytes; larger files are cut to a part, or every case would be slow
MOST_WARNINGS = 50
MEMORY = 6 * 2**30

NUMBERS = (
    *("0", "-1", "1e308", "1e-308", "1e999", "-1e999", "nan", "inf", "010", "9" * 400, "1e18"),
    *("2147483648", "9223372036854775808", "0.1e-400", ".", "1_000", "٣", "²", "1,000"),
)
PIECES = (
    *("(", ")", "[", "]", "{", "}", '"', "'", "|", "~", ":", ";", ",", "!", "\\", "\n", "\0"),
    *("=", "==", ":=", "->", "<->", "<>", "^", "-", ":NA:", ":NOT:", ":AND:", ":EXCEPT:", "#"),
    *(":MACRO:", ":END OF MACRO:", ":RAW:", ":INTERPOLATE:", "Time", "INTEG(", "WITH LOOKUP("),
    *("DELAY FIXED(", "DELAY N(", "SMOOTH N(", "SUM(", "VMIN(", "IF THEN ELSE(", "INITIAL("),
    *("ALLOCATE AVAILABLE(", "VECTOR SORT ORDER(", "SAMPLE IF TRUE(", "TABBED ARRAY(", "ELMCOUNT("),
    *("GET DIRECT DATA('../x.csv', ',', 'A', 'B2')", "GET XLS CONSTANTS('?f', 't', 'A1')"),
    *("(A1-A9)", "[(0,0)-(1,1)]", "tab((0,0),(1,1))", "RANDOM UNIFORM(", "\u2028", "\ufeff", "Ø"),
    *("<aux>", "</aux>", '<gf type="discrete">', "<eqn>", "]]>", "&lt;", "&amp;", "&x;", "<!--"),
    *(
        "<non_negative/>",
        '<dim name="D" size="3"/>',
        'reciprocal="true"',
        "<!DOCTYPE x>",
        "<![CDATA[",
    ),
    *("[[", "]]", '"""', "'''", "\\u0000", "a.b.c", "1979-05-27T07:32:00Z", "0x1F", "true", "\t"),
)
WRAPS = (
    *("X[X]", "-X", "X^X", "(X)", "SUM(X)", "SUM(X[D!])", "VMIN(X!)", "PROD(X[Tank!])", "X(X)"),
    *("INTEG(X, X)", "DELAY1(X, X)", "DELAY3I(X, X, X)", "DELAY N(X, X, X, 3)", "SMOOTH3(X, X)"),
    *("DELAY FIXED(X, X, X)", "SMOOTH N(X, X, X, 1e9)", "TREND(X, X, X)", "FORECAST(X, X, X)"),
    *("SAMPLE IF TRUE(X, X, X)", "IF THEN ELSE(X > X, X, X)", "INITIAL(X)", "ACTIVE INITIAL(X, X)"),
    *("WITH LOOKUP(X, ((0,0),(1,1)))", "RANDOM NORMAL(X, X, X, X, 0)", "PULSE(X, X)", "STEP(X, X)"),
    *("VECTOR SORT ORDER(X, X)", "VECTOR SELECT(X, X, X, X, X)", "INVERT MATRIX(X, X)", "X = X"),
    *("ALLOCATE AVAILABLE(X, X, X)", "ALLOCATE BY PRIORITY(X, X, X, X, X)", "ELMCOUNT(X)", "X, X"),
    *("LOOKUP INVERT(X, X)", "X:AND: X", "X / 0", "GET TIME VALUE(X, X, X)", "X // X", "X MOD X"),
    *(
        "IF X THEN X ELSE X",
        "SIZE(X)",
        "MEAN(X[*])",
        "SMTH3(X, X)",
        "DELAY(X, X)",
        "PREVIOUS(X, X)",
    ),
    *(
        "HISTORY(X, X)",
        "X.X",
        "1e999 * X",
        "0 * X",
        ":NA:",
        "REINITIAL(X)",
        "DELAY MATERIAL(X, X, X, X)",
    ),
)
TOKEN = re.compile(rb"[A-Za-z_][\w ]*|[0-9.]+(?:[eE][+-]?[0-9]+)?|\s+|.", re.DOTALL)


@dataclass
class Tally:
    """What came of the files so far."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: dict[str, tuple[str, bytes, str]] = field(default_factory=dict)
    slowest: float = 0.0


class TooSlowError(Exception):
    """A file took longer than it may."""


def seeds() -> list[tuple[str, bytes]]:
    """Files to start from: kind and content."""
    files = [f for folder in FOLDERS for f in sorted(folder.rglob("*")) if f.suffix in KINDS]
    found = [(f.suffix, f.read_bytes()) for f in files if f.name != "manifest.toml"]
    return found + [(".xmile", text.encode()) for text in XMILE]


def mutated(chance: random.Random, kind: str, own: bytes, others: list[bytes]) -> bytes:
    """Damage a file in one to six places.

    Parameters
    ----------
    chance : Random
        Where chance comes from.
    kind : str
        Suffix of the file.
    own : bytes
        Its content.
    others : list of bytes
        Contents of files of the same kind, for pieces.
    """
    text = own
    if len(text) > LARGEST_SEED:
        text = _shortened(chance, kind, text)
    gentle = chance.random() < 0.6  # most rough damage is found out by the first check
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        text = chance.choice(_GENTLE if gentle else _ROUGH)(chance, text, others)
    return text[: 4 * LARGEST_SEED]


def fault_of(kind: str, content: bytes, folder: Path) -> tuple[str, str]:
    """Read one file.

    Returns
    -------
    tuple of str
        ``read``, ``refused`` or what is wrong; and the message or the trace.
    """
    path = folder / f"file{kind}"
    path.write_bytes(content)
    old = signal.signal(signal.SIGALRM, _too_slow)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            _READERS[kind](path)
        many = len(heard) > MOST_WARNINGS
        return (f"{len(heard)} warnings", str(heard[0].message)) if many else ("read", "")
    except KredslobError as problem:
        said = str(problem)
        if "\n" in said or len(said) > 1000 or not said.isprintable():
            return "message of several lines or endless", said
        return "refused", said
    except TooSlowError:
        return f"over {LONGEST:g} s", _last_calls(traceback.format_exc())
    except BaseException as problem:  # whatever else comes out is what is looked for
        if isinstance(problem, KeyboardInterrupt):
            raise
        place = traceback.extract_tb(problem.__traceback__)
        own = [f for f in place if "kredslob" in f.filename] or list(place)
        where = f"{Path(own[-1].filename).name}:{own[-1].lineno}"
        return f"{type(problem).__name__} at {where}", traceback.format_exc()
    finally:
        # an alarm that rings now is too late to tell anything
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def fuzz(minutes: float, seed: int, folder: Path) -> Tally:
    """Damage and read files until the time is over."""
    chance = random.Random(seed)
    known = seeds()
    by_kind = {kind: [c for k, c in known if k == kind] for kind in KINDS}
    by_kind[".xmile"] += by_kind[".stmx"]
    by_kind[".stmx"] = by_kind[".xmile"]
    weights = {".mdl": 5, ".xmile": 3, ".stmx": 1, ".toml": 2, ".csv": 2}
    kinds = [k for k in KINDS if by_kind[k]]
    tally, end = Tally(), time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        kind = chance.choices(kinds, [weights[k] for k in kinds])[0]
        content = mutated(chance, kind, chance.choice(by_kind[kind]), by_kind[kind])
        begun = time.monotonic()
        outcome, detail = fault_of(kind, content, folder)
        tally.slowest = max(tally.slowest, time.monotonic() - begun)
        tally.outcomes[outcome if outcome in ("read", "refused") else "fault"] += 1
        tally.outcomes[kind] += 1
        if outcome not in ("read", "refused"):
            label = re.sub(r"[0-9]+ warnings", "warnings", outcome)
            kept = tally.faults.get(label)
            if kept is None or len(content) < len(kept[1]):
                tally.faults[label] = (kind, content, detail)
    return tally


def main() -> None:
    """Fuzz for some minutes; exit code 1 if a fault is found."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--minutes", type=float, default=10.0)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--keep", type=Path, help="folder for the files that are at fault")
    given = options.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        tally = fuzz(given.minutes, given.seed, Path(folder))
    cases = tally.outcomes["read"] + tally.outcomes["refused"] + tally.outcomes["fault"]
    print(
        f"{cases} files in {given.minutes:g} min ({cases / given.minutes:.0f} a minute): "
        f"{tally.outcomes['read']} read, {tally.outcomes['refused']} refused, "
        f"{len(tally.faults)} kinds of fault; slowest {tally.slowest:.1f} s"
    )
    print(", ".join(f"{kind} {tally.outcomes[kind]}" for kind in KINDS))
    for number, (label, (kind, content, detail)) in enumerate(tally.faults.items(), 1):
        print(f"\n{number}. {kind}: {label}\n{detail[-2500:]}")
        if given.keep:
            given.keep.mkdir(parents=True, exist_ok=True)
            (given.keep / f"fault_{given.seed}_{number}{kind}").write_bytes(content)
    sys.exit(bool(tally.faults))


# --- reading ------------------------------------------------------------------------------------


def _read_model(path: Path) -> None:
    from kredslob.dimensions import check_dimensions
    from kredslob.show.sketch import places
    from kredslob.simulation import Model

    model = Model(path)
    program = model.program
    if sum(a.size for a in program.arrays.values()) < 5000:
        ast.parse(model.target({}).source)
    check_dimensions(path)
    if path.suffix == ".mdl":
        places(path)


def _read_toml(path: Path) -> None:
    from kredslob.cycle.scenario import load_scenario

    try:
        load_scenario(path)
    except KredslobError:
        load_scenario(None, path)


def _read_csv(path: Path) -> None:
    from kredslob.cycle.parameters import read_parameters
    from kredslob.simulation import Model

    try:
        read_parameters(path)
    except KredslobError:
        model = path.with_name("reader.mdl")
        model.write_text(_READER.format(name=path.name))
        Model(model)


_READERS: dict[str, Callable[[Path], None]] = {
    ".mdl": _read_model,
    ".xmile": _read_model,
    ".stmx": _read_model,
    ".toml": _read_toml,
    ".csv": _read_csv,
}
_CLOCK = "INITIAL TIME = 0 ~~|\nFINAL TIME = 1 ~~|\nTIME STEP = 1 ~~|\nSAVEPER = 1 ~~|\n"
_READER = (
    "D: D1, D2 ~~|\nE: GET DIRECT SUBSCRIPT('{name}', ',', 'A2', 'A', '') ~~|\n"
    "c = GET DIRECT CONSTANTS('{name}', ',', 'B2') ~~|\n"
    "d[D] := GET DIRECT DATA('{name}', ',', 'A', 'B2') ~~|\n"
    "l(GET DIRECT LOOKUPS('{name}', ',', '1', 'B2')) ~~|\nbeside ~~|\n"
    "x = d[D1] + c + l(Time) + beside ~~|\n" + _CLOCK
)
XMILE = (
    '<xmile xmlns="http://docs.oasis-open.org/xmile/ns/XMILE/v1.0" version="1.0"><header><vendor>v'
    '</vendor></header><sim_specs method="RK4" time_units="year"><start>0</start><stop>1</stop>'
    '<dt reciprocal="true">4</dt></sim_specs><dimensions><dim name="D" size="2"/><dim name="E">'
    '<elem name="a"/><elem name="b"/></dim></dimensions><macro name="m"><parm>a</parm><parm '
    'default="2">b</parm><eqn>a*b</eqn></macro><model><variables><stock name="S"><dimensions><dim '
    'name="D"/></dimensions><element subscript="1"><eqn>1</eqn></element><element subscript="2">'
    '<eqn>m(2)</eqn></element><inflow>f</inflow><non_negative/></stock><flow name="f"><dimensions>'
    '<dim name="D"/></dimensions><eqn>IF a &gt; 1 THEN SUM(S[*]) ELSE a MOD 2</eqn><units>kr/year'
    "</units></flow><aux name=\"a\"><eqn>TIME</eqn><gf><xscale min='0' max='1'/><ypts>0,1</ypts>"
    '</gf></aux><aux name="b"><dimensions><dim name="E"/></dimensions><eqn>DELAY3(a, 2) + '
    "SMTH1(S[1], 3)</eqn></aux></variables></model></xmile>",
    '<xmile version="1.0"><sim_specs><start>0</start><stop>2</stop><dt>1</dt></sim_specs><model>'
    '<variables><module name="inner"><connect to="inner.x" from="y"/></module><aux name="y"><eqn>'
    'inner.z + {comment} LOOKUP(g, 0.5)</eqn></aux><gf name="g" type="extrapolate"><xpts sep=";">'
    '0;1</xpts><ypts sep=";">1;2</ypts></gf></variables></model><model name="inner"><variables>'
    '<aux name="x" access="input"><eqn>1</eqn></aux><aux name="z"><eqn>x // 2 ^ 2 ^ -x</eqn></aux>'
    "</variables></model></xmile>",
)


def _too_slow(*_: object) -> None:
    raise TooSlowError


def _last_calls(trace: str) -> str:
    return "\n".join(trace.splitlines()[-12:])


# --- damage -------------------------------------------------------------------------------------


def _shortened(chance: random.Random, kind: str, text: bytes) -> bytes:
    """A part of a large file that may still be read: whole entries or lines."""
    mark = b"|" if kind == ".mdl" else b"\n"
    parts = text.split(mark)
    start = chance.randrange(len(parts))
    return mark.join([*parts[:12], *parts[start : start + 40], *parts[-8:]])


def _span(chance: random.Random, size: int, longest: int = 200) -> slice:
    start = chance.randrange(size + 1)
    return slice(start, min(size, start + chance.randint(1, longest)))


def _turn_bytes(chance: random.Random, text: bytes, _: list[bytes]) -> bytes:
    changed = bytearray(text)
    for _n in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(chance: random.Random, text: bytes, _: list[bytes]) -> bytes:
    span = _span(chance, len(text))
    return text[: span.start] + text[span.stop :]


def _cut_off(chance: random.Random, text: bytes, _: list[bytes]) -> bytes:
    return text[: chance.randrange(len(text) + 1)]


def _double(chance: random.Random, text: bytes, _: list[bytes]) -> bytes:
    span = _span(chance, len(text))
    return text[: span.stop] + text[span] * chance.choice((1, 1, 2, 100)) + text[span.stop :]


def _swap_tokens(chance: random.Random, text: bytes, _: list[bytes]) -> bytes:
    found = TOKEN.findall(text)
    for _n in range(chance.randint(1, 3)):
        if len(found) > 1:
            a = chance.randrange(len(found))
            b = chance.choice((min(a + 2, len(found) - 1), chance.randrange(len(found))))
            found[a], found[b] = found[b], found[a]
    return b"".join(found)


def _drop_tokens(chance: random.Random, text: bytes, _: list[bytes]) -> bytes:
    found = TOKEN.findall(text)
    for _n in range(chance.randint(1, 4)):
        if found:
            del found[chance.randrange(len(found))]
    return b"".join(found)


def _change_numbers(chance: random.Random, text: bytes, _: list[bytes]) -> bytes:
    places = list(re.finditer(rb"[0-9.]+(?:[eE][+-]?[0-9]+)?", text))
    if not places:
        return text
    match = chance.choice(places)
    return text[: match.start()] + chance.choice(NUMBERS).encode() + text[match.end() :]


def _insert(chance: random.Random, text: bytes, _: list[bytes]) -> bytes:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(PIECES).encode() * chance.choice((1, 1, 1, 50)) + text[at:]


def _splice(chance: random.Random, text: bytes, others: list[bytes]) -> bytes:
    other = chance.choice(others)
    at = chance.randrange(len(text) + 1)
    return text[:at] + other[_span(chance, len(other), 2000)] + text[at:]


def _exchange_names(chance: random.Random, text: bytes, _: list[bytes]) -> bytes:
    """Put one name of the file in the place of another."""
    found = list(re.finditer(rb"[A-Za-z][A-Za-z ]*[A-Za-z]", text))
    if not found:
        return text
    there = chance.choice(found)
    return text[: there.start()] + chance.choice(found)[0] + text[there.end() :]


def _exchange_entries(chance: random.Random, text: bytes, others: list[bytes]) -> bytes:
    """Put an entry, line or element of some file in the place of one, or beside it."""
    mark = b"|" if b"~" in text else b"><" if b"</" in text else b"\n"
    own, other = text.split(mark), chance.choice(others).split(mark)
    at = chance.randrange(len(own))
    keep = chance.choice((0, 1))
    return mark.join([*own[: at + keep], chance.choice(other), *own[at + 1 :]])


def _exchange_sides(chance: random.Random, text: bytes, _: list[bytes]) -> bytes:
    """Give one definition what another one says."""
    found = list(re.finditer(rb"=\s*([^=~\n<>]+)", text))
    if not found:
        return text
    there = chance.choice(found)
    return text[: there.start(1)] + chance.choice(found)[1] + text[there.end(1) :]


def _wrap(chance: random.Random, text: bytes, _: list[bytes]) -> bytes:
    """Put a name or number into a call, operation or bracket."""
    found = list(re.finditer(rb"(?<=[=(,+*/-] )[\w.][\w. ]*|(?<=[=(,+*/>-])[\w.][\w. ]*", text))
    if not found:
        return text
    there = chance.choice(found)
    inside = there[0].decode("latin-1").strip()
    made = chance.choice(WRAPS).replace("X", inside).encode("latin-1", "replace")
    return text[: there.start()] + made + text[there.end() :]


_Change = Callable[[random.Random, bytes, list[bytes]], bytes]
_GENTLE: tuple[_Change, ...] = (
    *(_exchange_names, _exchange_entries, _exchange_sides, _wrap, _wrap, _change_numbers),
    *(_swap_tokens, _drop_tokens),
)
_ROUGH: tuple[_Change, ...] = (
    *(_turn_bytes, _cut, _cut_off, _double, _swap_tokens, _drop_tokens, _drop_tokens),
    *(_change_numbers, _change_numbers, _insert, _insert, _splice, _exchange_entries),
)


if __name__ == "__main__":
    main()
