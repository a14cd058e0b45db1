"""Every hostile or broken file is refused in one clear line, within bounds of time and memory.

``hostile/manifest.toml`` names each file of the corpus and what its refusal must say. The whole
corpus is read in a process of its own that may use little memory and processor time.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from benchmarks.fuzz import KINDS, fault_of, mutated, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

import kredslob
from kredslob.cycle.parameters import read_parameters
from kredslob.cycle.scenario import load_scenario
from kredslob.errors import InputFileError, ParameterError
from kredslob.limits import Limits, limits_in_force

HOSTILE = Path(__file__).parent / "hostile"
MANIFEST: Mapping[str, str] = tomllib.loads((HOSTILE / "manifest.toml").read_text("utf-8"))
CLOCK = "INITIAL TIME = 0 ~~|\nFINAL TIME = 1 ~~|\nTIME STEP = 1 ~~|\nSAVEPER = 1 ~~|\n"

# Files too large to keep: what they are made of, and what must be said.
RECIPES: Mapping[str, tuple[str, str]] = {
    "parentheses.mdl": ("x = " + "(" * 100_000 + "1 ~~|\n" + CLOCK, "is nested 81 levels deep"),
    "minuses.mdl": ("x = " + "-" * 100_000 + "1 ~~|\n" + CLOCK, "is nested 81 levels deep"),
    "ifs.xmile": (
        "<xmile><sim_specs><start>0</start><stop>1</stop></sim_specs><model><variables><aux "
        f'name="x"><eqn>{"IF 1 THEN 2 ELSE " * 9999}</eqn></aux></variables></model></xmile>',
        "is nested 81 levels deep",
    ),
    "groups.xmile": ("<group>" * 100_000 + "</group>" * 100_000, "is not well-formed XML"),
    "equation.mdl": ("x = " + "1 + " * 300_000 + "1 ~~|\n" + CLOCK, "1,200,003 characters"),
    "parts.mdl": ("x = " + "Time + " * 60_000 + "1 ~~|\n" + CLOCK, "50,001 parts or more"),
    "ranges.mdl": (
        "".join(f"R{i}: (A1-A9000) ~~|\n" for i in range(3000)) + CLOCK,
        "elements or more in its subscript ranges",
    ),
    "points.mdl": ("t(" + "0,0," * 600_000 + "0,0) ~~|\n" + CLOCK, "600,001 points"),
    "delays.mdl": (
        "x = " + "DELAY1(" * 50 + "Time" + ", 2)" * 50 + " + missing ~~|\n" + CLOCK,
        "'missing' is not defined",
    ),
    "selections.mdl": (
        "x = " + "VECTOR SELECT(" * 30 + "Time" + ", 1, 1, Time, 0)" * 30 + " + a ~~|\n" + CLOCK,
        "'a' is not defined",
    ),
    "bytes.mdl": ("x" * 20_000_001, "has 20,000,001 bytes, expected at most 20,000,000"),
    "bytes.toml": ("#" * 1_000_001, "has 1,000,001 bytes, expected at most 1,000,000"),
    "arrays.toml": ("x = " + "[" * 400_000, "is nested too deeply"),
    "keys.toml": ("a." * 20_000 + "a = 1", "has 20,000 points in a line"),
    "field.csv": (
        (HOSTILE / "value_nan.csv").read_text().splitlines()[0] + "\n" + "x" * 140_000,
        "field larger than field limit",
    ),
}
CLI = "from kredslob.cli import main; main()"
READ = """
import json, resource, sys, warnings
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))
resource.setrlimit(resource.RLIMIT_CPU, (300, 300))
warnings.simplefilter("ignore")
import kredslob
from kredslob.cycle.parameters import read_parameters
from kredslob.cycle.scenario import load_scenario
readers = {".toml": load_scenario, ".csv": read_parameters}
for path in map(Path, sys.stdin.read().split("\\n")):
    try:
        readers.get(path.suffix, kredslob.load)(path)
        said = "(read)"
    except kredslob.KredslobError as problem:
        said = f"{type(problem).__name__} {problem}"
    except BaseException as problem:
        said = f"({type(problem).__name__}) {problem}"
    print(json.dumps([path.name, said]), flush=True)
"""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What is said of each file of the corpus and each recipe."""
    folder = tmp_path_factory.mktemp("recipes")
    for name, (text, _) in RECIPES.items():
        (folder / name).write_text(text, encoding="utf-8")
    paths = [HOSTILE / name for name in MANIFEST] + [folder / name for name in RECIPES]
    done = subprocess.run(
        [sys.executable, "-c", READ],
        input="\n".join(map(str, paths)),
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    assert not (folder / "RAN").exists(), "something in a file was run"
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(line) for line in done.stdout.splitlines())


def assert_one_clear_line(said: str, name: str, expected: str) -> None:
    assert said.startswith("InputFileError ")
    assert name in said
    assert expected in said
    assert said.isprintable()
    assert len(said) < 1600


@pytest.mark.parametrize("name", MANIFEST)
def test_a_hostile_file_is_refused_in_one_line(refusals: Mapping[str, str], name: str) -> None:
    assert_one_clear_line(refusals[name], name, MANIFEST[name])


@pytest.mark.parametrize("name", RECIPES)
def test_a_hostile_recipe_is_refused_in_one_line(refusals: Mapping[str, str], name: str) -> None:
    assert_one_clear_line(refusals[name], name, RECIPES[name][1])


def test_the_manifest_names_each_file() -> None:
    there = {f.name for f in HOSTILE.iterdir()} - {"manifest.toml"}
    assert there == set(MANIFEST)
    assert len(there) >= 60


@pytest.mark.parametrize(
    "command",
    [
        ["check", "code_in_lookup_limits.mdl"],
        ["loops", "product_of_subscripts.mdl"],
        ["units", "entity_external.xmile"],
        ["verify", "data_file_above.mdl"],
        ["run", "--scenario", "nested_arrays.toml"],
        ["run", "--scenario", "latin1.toml"],
    ],
    ids=lambda c: c[-1],
)
def test_the_command_line_ends_with_one_line_and_code_2(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CLI, *command[:-1], str(HOSTILE / command[-1])],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert command[-1] in done.stderr
    assert not list(tmp_path.iterdir())


# Limits can be raised -----------------------------------------------------------------------------


def mdl(folder: Path, text: str, clock: str = CLOCK) -> Path:
    path = folder / "model.mdl"
    path.write_text("{UTF-8}\n" + text + clock, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        ("file_bytes", "x = 1 ~ ~ some words, so that there are a few more bytes here |\n"),
        ("nesting", "x = ((((1)))) ~~|\n"),
        ("equation_characters", "x = 1 + 1 + 1 + 1 + 1 + 1 + 1 ~~|\n"),
        ("equation_parts", "x = Time + Time + Time + Time + Time + Time ~~|\n"),
        ("equations", "x = 1 ~~|\ny = 2 ~~|\n"),
        ("elements", "D: (A1-A9) ~~|\nx[D] = 1 ~~|\n"),
        ("values", "D: (A1-A9) ~~|\nE: (B1-B9) ~~|\nx[D,E] = Time ~~|\n"),
        ("lookup_points", "t((0,0),(1,1),(2,2),(3,3),(4,4),(5,5),(6,6)) ~~|\nx = t(Time) ~~|\n"),
    ],
)
def test_a_limit_is_named_and_can_be_raised(tmp_path: Path, limit: str, text: str) -> None:
    path = mdl(tmp_path, text)
    small = {"file_bytes": 100, "nesting": 3, "equation_characters": 20, "values": 20}
    with pytest.raises(InputFileError, match=rf"KREDSLOB_LIMITS={limit}=") as caught:
        kredslob.load(path, limits=Limits(**{limit: small.get(limit, 5)}))
    assert f"Limits({limit}=...)" in str(caught.value)
    kredslob.load(path, limits=Limits())


@pytest.mark.parametrize(
    ("limit", "clock", "text"),
    [
        ("steps", CLOCK.replace("FINAL TIME = 1 ", "FINAL TIME = 1e9 "), "x = 1 ~~|\n"),
        ("saved_values", CLOCK.replace("FINAL TIME = 1 ", "FINAL TIME = 1e8 "), "x = Time ~~|\n"),
        ("saved_values", CLOCK, "D: (A1-A99) ~~|\nx[D] = DELAY FIXED(Time, 1e7, 0) ~~|\n"),
    ],
)
def test_a_run_that_is_too_long_is_refused_before_it_starts(
    tmp_path: Path, limit: str, clock: str, text: str
) -> None:
    model = kredslob.load(mdl(tmp_path, text, clock), limits=Limits(saved_values=10**8))
    with pytest.raises(ParameterError, match=rf"KREDSLOB_LIMITS={limit}="):
        model.run()


def test_the_environment_raises_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KREDSLOB_LIMITS", "steps=1e9, values=7")
    assert limits_in_force() == Limits(steps=10**9, values=7)
    assert limits_in_force(Limits(steps=3)).steps == 3
    monkeypatch.setenv("KREDSLOB_LIMITS", "stairs=1")
    with pytest.raises(ParameterError, match="KREDSLOB_LIMITS: found 'stairs', expected one of"):
        limits_in_force()
    monkeypatch.setenv("KREDSLOB_LIMITS", "steps=many")
    with pytest.raises(ParameterError, match="expected a number, such as steps=1e8"):
        limits_in_force()
    with pytest.raises(ParameterError, match="found steps=0, expected a whole number above 0"):
        Limits(steps=0)


# Data files ---------------------------------------------------------------------------------------


def reading_data(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    return mdl(folder, f"x = GET DIRECT CONSTANTS('{name}', ',', 'B2') ~~|\n")


def test_a_folder_can_be_allowed(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "a.csv").write_text("a,b\n1,42\n")
    path = reading_data(tmp_path / "model", "../shared/a.csv")
    with pytest.raises(InputFileError, match=r"allow its folder: load\(..., allow=\[folder\]\)"):
        kredslob.load(path)
    with pytest.raises(InputFileError, match="lies outside"):
        kredslob.load(path, allow=[tmp_path / "other"])
    model = kredslob.load(path, allow=[tmp_path / "shared"])
    assert model.program.defaults["x"] == (42.0,)


@pytest.mark.parametrize("kind", ["file", "folder", "loop"])
def test_links_lead_nowhere(tmp_path: Path, kind: str) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.csv").write_text("a,b\n1,42\n")
    path = reading_data(tmp_path / "model", "d/a.csv" if kind == "folder" else "a.csv")
    if kind == "folder":
        (path.parent / "d").symlink_to(tmp_path / "secret")
    else:
        target = tmp_path / "secret" / "a.csv" if kind == "file" else path.parent / "a.csv"
        (path.parent / "a.csv").symlink_to(target)
    with pytest.raises(InputFileError, match=r"lies outside|is no name that a file can have"):
        kredslob.load(path)


def test_a_table_beside_the_model_is_no_way_out_either(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("Time,d\n0,42\n1,42\n")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a.csv").symlink_to(tmp_path / "secret.csv")
    path = mdl(folder, "d ~~|\nx = d ~~|\n")
    with pytest.raises(InputFileError, match="there is none"):
        kredslob.load(path)
    kredslob.load(path, allow=[tmp_path])


def test_a_pipe_is_no_data_file_and_no_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(InputFileError, match="is not there"):
        kredslob.load(reading_data(tmp_path, "a.csv"))
    os.mkfifo(tmp_path / "b.mdl")
    with pytest.raises(InputFileError, match="is not a file, expected a model"):
        kredslob.load(tmp_path / "b.mdl")
    with pytest.raises(InputFileError, match="is not a file, expected a CSV table"):
        read_parameters(tmp_path / "a.csv")
    os.mkfifo(tmp_path / "c.toml")
    with pytest.raises(InputFileError, match="is not a file, expected a TOML file"):
        load_scenario(tmp_path / "c.toml")


def test_a_workbook_that_swells_is_not_unpacked(tmp_path: Path) -> None:
    path = mdl(tmp_path, "x = GET XLS CONSTANTS('a.xlsx', 'S', 'B2') ~~|\n")
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b" " * 110_000_000)
    assert (tmp_path / "a.xlsx").stat().st_size < 1_000_000
    with pytest.raises(InputFileError, match=r"'a\.xlsx': names a data file of 110,000,000 bytes"):
        kredslob.load(path)


def test_marks_and_line_ends_of_every_editor_are_read(tmp_path: Path) -> None:
    text = 'title = { da = "ø", en = "o" }\r\ndescription = { da = "ø", en = "o" }\r\n'
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_scenario(path).title["da"] == "ø"
    table = Path(kredslob.__file__).parents[2] / "models" / "reinvestment" / "parameters.csv"
    if table.exists():
        copy = tmp_path / "p.csv"
        copy.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
        assert [r.value for r in read_parameters(copy)] == [r.value for r in read_parameters(table)]


# Fuzzing ------------------------------------------------------------------------------------------

KNOWN = seeds()


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(KINDS))
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, seed: int, kind: str
) -> None:
    chance = random.Random(seed)
    of_kind = [content for suffix, content in KNOWN if suffix == kind]
    content = mutated(chance, kind, chance.choice(of_kind), of_kind)
    outcome, detail = fault_of(kind, content, tmp_path_factory.getbasetemp())
    assert outcome in ("read", "refused"), detail


@settings(max_examples=30, deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@pytest.mark.parametrize("kind", KINDS)
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, kind: str
) -> None:
    outcome, detail = fault_of(kind, content, tmp_path_factory.getbasetemp())
    assert outcome in ("read", "refused"), detail
