"""Saved runs: whole whatever happens, listed, compared, pruned, and made again to the last bit."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import kredslob
from kredslob.archive import chosen, list_runs, may_go
from kredslob.cli import main
from kredslob.cycle.scenario import load_scenario
from kredslob.cycle.summary import summary, with_rate
from kredslob.errors import InputFileError, KredslobError
from kredslob.folders import HIDDEN, left_behind, remove_left_behind
from kredslob.results import file_faults, load_run, new_run_folder, write_run
from kredslob.show.run_folder import save_run
from kredslob.simulation import Model
from kredslob.studies.reproduction import reproduce

RATE = "reinvestment rate"
ATTRS = {
    "model": "m.mdl",
    "model_hash": "abc",
    "parameters": "{}",
    "clock": "{}",
    "integration": "Euler",
    "engine": "Numba",
    "versions": '{"python": "3.11", "kredslob": "0.1.0"}',
    "created": "2026-01-01T00:00:00+00:00",
}


def small(created: str = ATTRS["created"], cells: int = 400) -> xr.Dataset:
    values = np.random.default_rng(0).normal(size=(cells, 12))
    data = {"Fund Cash": (("time", "cell"), values, {"units": "DKK", "kind": "stock"})}
    return xr.Dataset(data, {"time": np.arange(float(cells))}, ATTRS | {"created": created})


def write_small(folder: Path, runs: xr.Dataset | None = None, **made_by: object) -> None:
    """A run of several files: numbers, a table, a figure, a page."""
    with new_run_folder(folder) as hidden:
        (hidden / "figures").mkdir()
        figure = Figure(figsize=(2, 1))
        figure.add_subplot().plot([0, 1])
        figure.savefig(hidden / "figures" / "one.png", dpi=40)
        (hidden / "page.html").write_text("<p>hello", encoding="utf-8")
        whole = small() if runs is None else runs
        write_run(hidden, whole, {"summary": whole.isel(time=[0])}, {"command": "x", **made_by})


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def called(monkeypatch: pytest.MonkeyPatch, *words: object) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["kredslob", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


@pytest.fixture(scope="module")
def saved(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run: two rates, three years, with figures and pages."""
    folder = tmp_path_factory.mktemp("runs") / "half"
    scenario = load_scenario("half")
    runs = kredslob.sweep(model, scenario, {RATE: [0.1, 1.0]}, years=3)
    command = "kredslob run --scenario half --rates 0.1,1 --years 3"
    save_run(folder, runs, summary(runs), scenario=scenario, language="da", command=command)
    return folder


# --- killed while writing ----------------------------------------------------------------------


def child(work: Callable[[], None]) -> int:
    """Number of a copy of this process that does the work and ends."""
    number = os.fork()
    if number:
        return number
    try:
        work()
    finally:
        os._exit(0)


def calls_of(work: Callable[[], None]) -> int:
    """How many calls of functions the work makes, counted in a copy of this process."""
    read, write = os.pipe()

    def counted() -> None:
        count = 0

        def seen(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(seen)
        work()
        sys.setprofile(None)
        os.write(write, str(count).encode())

    number = child(counted)
    os.waitpid(number, 0)
    return int(os.read(read, 40))


def killed_at(work: Callable[[], None], last: int) -> None:
    """Do the work in a copy of this process that kills itself at its call of this number."""

    def doomed() -> None:
        count = 0

        def seen(*_: object) -> None:
            nonlocal count
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(seen)
        work()

    os.waitpid(child(doomed), 0)


def killed_after(work: Callable[[], None], seconds: float) -> None:
    number = child(work)
    time.sleep(seconds)
    os.kill(number, signal.SIGKILL)
    os.waitpid(number, 0)


def check_nothing_half(parent: Path, earlier: dict[str, str]) -> bool:
    """Only whole runs are listed, and the earlier one is as it was. Whether the new one landed."""
    found = list_runs(parent)
    assert [e.damage for e in found] == [""] * len(found)
    assert {e.folder.name for e in found} <= {"earlier", "new"}
    assert hashes(parent / "earlier") == earlier
    for entry in found:
        assert not list(file_faults(entry.folder, load_run(entry.folder).manifest))
    landed = (parent / "new").exists()
    if landed:
        shutil.rmtree(parent / "new")
    return landed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be copied here")
def test_a_process_killed_while_it_writes_leaves_no_half_run(tmp_path: Path) -> None:
    write_small(tmp_path / "earlier")
    earlier = hashes(tmp_path / "earlier")

    def work() -> None:
        write_small(tmp_path / "new")

    work()
    shutil.rmtree(tmp_path / "new")
    begun = time.perf_counter()
    work()
    lasts = time.perf_counter() - begun
    shutil.rmtree(tmp_path / "new")
    kills, landed = 0, []
    for delay in np.random.default_rng(1).uniform(0, 1.3 * lasts, 120):
        killed_after(work, float(delay))
        landed.append(check_nothing_half(tmp_path, earlier))
        kills += 1
    calls = calls_of(work)
    shutil.rmtree(tmp_path / "new")
    points = {*np.linspace(1, calls, 60, dtype=int).tolist(), *range(calls - 60, calls + 1)}
    for point in sorted(points):  # evenly, and at each of the last calls: sync, rename, sync
        killed_at(work, point)
        landed.append(check_nothing_half(tmp_path, earlier))
        kills += 1
    assert kills >= 200
    assert 0 < sum(landed) < kills  # some were killed before the rename, some after it
    assert len(left_behind(tmp_path)) == len(list(tmp_path.glob(f"{HIDDEN}*"))) > 0
    assert remove_left_behind(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["earlier"]


def test_what_is_being_written_is_not_taken_for_left_behind(tmp_path: Path) -> None:
    with new_run_folder(tmp_path / "new") as hidden:
        assert left_behind(tmp_path) == []
        assert remove_left_behind(tmp_path) == []
        assert hidden.is_dir()
        assert list_runs(tmp_path) == []


def test_a_folder_that_is_not_ours_is_never_cleaned(tmp_path: Path) -> None:
    (tmp_path / ".half-abc").mkdir()
    (tmp_path / f"{HIDDEN}file").touch()
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / f"{HIDDEN}link").symlink_to(outside)
    assert remove_left_behind(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_a_run_that_is_broken_off_leaves_nothing(tmp_path: Path, stop: type[BaseException]) -> None:
    def broken_off() -> None:
        with new_run_folder(tmp_path / "new") as hidden:
            (hidden / "half").touch()
            if stop is KeyboardInterrupt:
                signal.raise_signal(signal.SIGINT)
            raise stop

    with pytest.raises(stop):
        broken_off()
    assert list(tmp_path.iterdir()) == []


def test_two_that_want_one_folder_do_not_mix(tmp_path: Path) -> None:
    def second_comes_late() -> None:
        with new_run_folder(tmp_path / "new") as hidden:
            (hidden / "second").touch()
            write_small(tmp_path / "new")

    with pytest.raises(InputFileError, match="is in use"):
        second_comes_late()
    assert not (tmp_path / "new" / "second").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["new"]


# --- no room, no right -------------------------------------------------------------------------


def said_by(work: Callable[[], None]) -> str:
    """What error the work ends with, in a copy of this process."""
    read, write = os.pipe()

    def heard() -> None:
        try:
            work()
        except KredslobError as problem:
            os.write(write, str(problem).encode())

    os.waitpid(child(heard), 0)
    os.close(write)
    with os.fdopen(read) as file:
        return file.read()


def test_a_file_that_gets_too_large_is_one_clear_line(tmp_path: Path) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        write_small(tmp_path / "new")

    said = said_by(limited)
    assert said == f"{tmp_path / 'new'}: cannot be written (File too large); nothing was saved"
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_one_clear_line(tiny_disk: Path) -> None:
    with pytest.raises(InputFileError) as caught:
        write_small(tiny_disk / "new")
    assert "(No space left on device); nothing was saved" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tiny_disk.iterdir()) == []


def test_a_folder_that_may_not_be_written_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are closed to others
        place = Path(made)
        # what is imported on the way is imported now: another user may not read the package
        write_small(place / "old")
        monkeypatch.setattr(sys, "argv", ["kredslob", "run", "--out", str(place / "old")])
        with pytest.raises(SystemExit):
            main()
        capfd.readouterr()
        shutil.rmtree(place / "old")
        place.chmod(0o555)

        def as_nobody() -> None:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            monkeypatch.setattr(sys, "argv", ["kredslob", "run", "--out", str(place / "new")])
            try:
                main()
            except SystemExit as end:
                print(f"code {end.code}", flush=True)
            with pytest.raises(InputFileError, match="cannot be made"):
                write_small(place / "new")
            print("both", flush=True)

        os.waitpid(child(as_nobody), 0)
        out, err = capfd.readouterr()
        assert out == "code 2\nboth\n"
        assert err.count("\n") == 1
        assert f"cannot be made: {place} is not a folder one can write to" in err
        assert list(place.iterdir()) == []
        place.chmod(0o755)


# --- what lies in the folder -------------------------------------------------------------------


def test_the_crate_has_what_the_specification_requires(saved: Path) -> None:
    """RO-Crate 1.1, sections "Metadata of the RO-Crate" and "Data entities"; Process Run Crate."""
    content = json.loads((saved / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    assert content["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    entities = {e["@id"]: e for e in content["@graph"]}
    assert len(entities) == len(content["@graph"])
    descriptor, root = entities["ro-crate-metadata.json"], entities["./"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert root["@type"] == "Dataset"
    assert all(root[name] for name in ("name", "description", "datePublished", "license"))
    datetime.fromisoformat(root["datePublished"])
    on_disk = {p.relative_to(saved).as_posix() for p in saved.rglob("*") if p.is_file()}
    parts = {unquote(e["@id"]) for e in root["hasPart"]}
    assert parts == on_disk - {"ro-crate-metadata.json"}
    for part in root["hasPart"]:
        file = entities[part["@id"]]
        path = saved / unquote(part["@id"])
        assert file["@type"] == "File"
        assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert file["contentSize"] == str(path.stat().st_size)
        assert "/" in file["encodingFormat"]
    act = entities[root["mentions"]["@id"]]
    assert act["@type"] == "CreateAction"
    assert entities[act["instrument"]["@id"]]["softwareVersion"]
    inputs = {entities[e["@id"]]["name"] for e in act["object"]}
    assert {"model/reinvestment.mdl", "scenario.toml", "capital at start", RATE} <= inputs
    assert "run.nc" in {unquote(e["@id"]) for e in act["result"]}

    def references(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            if set(node) == {"@id"}:
                yield node["@id"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    loose = {r for e in content["@graph"] for r in references(e)} - set(entities)
    assert {
        r for r in loose if not r.startswith(("http://schema.org/", "https://w3id.org/"))
    } == set()


def test_the_scenario_file_gives_the_same_parameters(saved: Path) -> None:
    again = load_scenario(None, saved / "scenario.toml")
    assert again.parameters == load_scenario("half").parameters
    assert again.title == load_scenario("half").title


@pytest.mark.parametrize("policy", kredslob.list_scenarios())
def test_every_policy_can_be_written_and_read_back(tmp_path: Path, policy: str) -> None:
    from kredslob.show.origin import write_scenario

    for setting in kredslob.list_settings():
        scenario = load_scenario(policy, setting)
        write_scenario(tmp_path / "s.toml", scenario, "a\ncommand = 'x'")
        assert load_scenario(None, tmp_path / "s.toml").parameters == scenario.parameters


def test_design_and_log_say_what_was_run(saved: Path) -> None:
    assert (saved / "design.csv").read_text() == f"run,{RATE}\n0,0.1\n1,1.0\n"
    log = (saved / "log.txt").read_text(encoding="utf-8")
    assert log.startswith("command: kredslob run --scenario half")
    assert "sha256" in log


# --- listing, choosing, comparing, pruning -----------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Five runs, a day apart, and folders that are none."""
    for day in range(1, 6):
        runs = small(f"2026-11-0{day}T12:00:00+00:00", cells=10)
        place = "national" if day % 2 else "municipality"
        made_by = {
            "kind": "run",
            "setting": place,
            "scenario": "all",
            "levers": {RATE: [0.0, day / 5]},
        }
        write_small(tmp_path / f"run-{day}", runs, **made_by)
    (tmp_path / "notes").mkdir()
    (tmp_path / "a-file").touch()
    return tmp_path


def test_runs_are_listed_the_latest_first(shelf: Path) -> None:
    found = list_runs(shelf)
    assert [e.folder.name for e in found] == [f"run-{d}" for d in (5, 4, 3, 2, 1)]
    assert found[0].levers == {RATE: [0.0, 1.0]}
    assert found[0].years == 9
    assert found[0].size == sum(
        p.stat().st_size for p in (shelf / "run-5").rglob("*") if p.is_file()
    )
    since = datetime(2026, 11, 3, tzinfo=UTC)
    names = [e.folder.name for e in chosen(found, setting="national", since=since)]
    assert names == ["run-5", "run-3"]
    assert chosen(found, scenario="half") == []


@pytest.mark.parametrize("language", ["da", "en"])
@pytest.mark.parametrize("width", [80, 120])
def test_a_run_is_one_line_of_the_list(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    language: str,
    width: int,
) -> None:
    names = {
        "municipality-uncertainty-20261129-094937": ("uncertainty", "", [0.3, 1.0]),
        "national-half-20261129-094843": ("run", "half", []),
        "mine": ("run", "investment-accounting", [k / 10 for k in range(11)]),
    }
    for name, (kind, scenario, rates) in names.items():
        made_by = {"kind": kind, "setting": "municipality", "scenario": scenario}
        write_small(tmp_path / name, small(cells=5), **made_by, levers={RATE: rates})
    (tmp_path / "mine" / "run.nc").unlink()
    monkeypatch.setenv("COLUMNS", str(width))
    assert called(monkeypatch, "runs", "--in", tmp_path, "--lang", language) == 0
    heading, rule, *rows, blank, damage = capsys.readouterr().out.splitlines()
    assert max(map(len, (heading, rule, *rows))) <= width
    assert (set(rule), blank) == ({"─"}, "")
    assert sorted(row.split()[0] for row in rows) == sorted(names)
    assert all("2026-" in row for row in rows)
    assert damage.startswith({"da": "mine: beskadiget: ", "en": "mine: damaged: "}[language])
    if width == 120:
        (told,) = [row for row in rows if row.startswith("mine")]
        assert {"da": "0–100 % (11)", "en": "0–100% (11)"}[language] in told.replace("\u00a0", " ")


def test_where_nothing_was_run_one_is_told_how_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (["runs"], ["runs", "prune", "--keep", "1"]):
        assert called(monkeypatch, *words, "--lang", "en") == 0
        said = capsys.readouterr().out
        assert said == "No runs are saved in runs yet; 'kredslob run' makes the first.\n"
    assert list(tmp_path.iterdir()) == []


def cut_off(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8")[:200], encoding="utf-8")


def without(key: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "manifest.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        del content[key]
        path.write_text(json.dumps(content), encoding="utf-8")

    return change


def stating(key: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "manifest.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**content, key: value}), encoding="utf-8")

    return change


DAMAGES = [
    (lambda f: (f / "manifest.json").unlink(), "manifest.json is missing"),
    (lambda f: (f / "run.nc").unlink(), "run.nc is missing"),
    (lambda f: (f / "figures" / "one.png").unlink(), "figures/one.png is missing"),
    (cut_off, "is not JSON"),
    (lambda f: (f / "manifest.json").write_bytes(b"\xff\xfe"), "is not JSON"),
    (lambda f: (f / "manifest.json").write_text("[" * 100_000), "is not JSON"),
    (lambda f: (f / "manifest.json").write_text("[]"), "does not state 'command'"),
    (without("files"), "does not state 'files'"),
    (stating("files", ["run.nc"]), "'files': found list"),
    (stating("files", {}), "does not list run.nc"),
    (stating("created", "yesterday"), "'created': is not a time"),
    (stating("created", 5), "'created': found int"),
    (stating("format", 99), "'format': found 99, expected 1"),
]


@pytest.mark.parametrize(
    ("damage", "said"), DAMAGES, ids=[f"{k}-{s[:24]}" for k, (_, s) in enumerate(DAMAGES)]
)
def test_a_damaged_run_is_listed_with_the_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], object],
    said: str,
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    write_small(tmp_path / "run", small(cells=5))
    damage(tmp_path / "run")
    (entry,) = list_runs(tmp_path)
    assert said in entry.damage
    assert "\n" not in entry.damage
    assert called(monkeypatch, "runs", "--in", tmp_path, "--lang", "da") == 0
    assert "beskadiget: " in capsys.readouterr().out
    assert may_go([entry], keep=0, now=datetime.now(UTC)) == []


def test_pruning_shows_first_and_keeps_what_a_rule_keeps(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = list_runs(shelf)
    now = datetime(2026, 11, 6, 12, tzinfo=UTC)
    names = [e.folder.name for e in may_go(found, keep=3, now=now)]
    assert names == ["run-2", "run-1"]
    three = timedelta(days=3)
    assert [e.folder.name for e in may_go(found, older_than=three, now=now)] == ["run-2", "run-1"]
    assert [e.folder.name for e in may_go(found, keep=4, older_than=three, now=now)] == ["run-1"]
    with pytest.raises(KredslobError, match="expected --keep"):
        may_go(found, now=now)

    before = hashes(shelf)
    assert called(monkeypatch, "runs", "prune", "--in", shelf, "--keep", "2", "--lang", "da") == 0
    assert "Intet er fjernet" in capsys.readouterr().out
    assert hashes(shelf) == before
    assert called(monkeypatch, "runs", "prune", "--in", shelf, "--keep", "2", "--yes") == 0
    left = sorted(p.name for p in shelf.iterdir())
    assert left == ["a-file", "notes", "run-4", "run-5"]


def test_two_runs_are_compared_in_danish(
    saved: Path,
    model: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    scenario = load_scenario("half").with_parameters({"overhead share": 0.25})
    runs = with_rate(model.run(scenario, years=3))
    with new_run_folder(tmp_path / "other") as hidden:
        write_run(hidden, runs, {"summary": summary(runs)}, {"kind": "run", "levers": {}})
    assert called(monkeypatch, "runs", "compare", saved, tmp_path / "other", "--lang", "da") == 0
    shown = capsys.readouterr().out
    assert "0,25" in shown
    assert "Borgere hjulpet" in shown
    assert "Fondens kasse" not in shown  # no year of three is among those shown
    assert called(monkeypatch, "runs", "compare", saved, tmp_path) == 2
    assert "holds no run that can be read" in capsys.readouterr().err


# --- made again --------------------------------------------------------------------------------


def copied(saved: Path, to: Path) -> Path:
    shutil.copytree(saved, to)
    return to


def test_a_run_is_made_again_to_the_last_bit(
    saved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch, "reproduce", saved, "--lang", "en") == 0
    assert re_found("all .* numbers are equal to the last bit", capsys.readouterr().out)


def re_found(pattern: str, text: str) -> bool:
    import re

    return re.search(pattern, text) is not None


def test_a_number_that_was_changed_is_found(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(saved, tmp_path / "run")
    runs = xr.load_dataset(folder / "run.nc", engine="h5netcdf")
    runs["total cash"][1, 5] *= 1 + 1e-9
    runs.to_netcdf(folder / "run.nc", engine="h5netcdf")
    found = reproduce(folder)
    assert not found.same
    assert dict(found.faults) == {"run.nc": "changed"}
    (difference,) = found.differences
    assert (difference.table, difference.variable) == ("run", "total cash")
    assert difference.relative == pytest.approx(1e-9, rel=1e-3)
    assert difference.where == f"{RATE} 1, time {float(runs['time'][5]):g}"
    assert called(monkeypatch, "reproduce", folder, "--lang", "da") == 1
    shown = capsys.readouterr().out
    assert "Beskadiget: run.nc er ikke, som den blev skrevet." in shown
    assert "1,0e-9" in shown


def test_another_version_and_another_table_are_told(saved: Path, tmp_path: Path) -> None:
    folder = copied(saved, tmp_path / "run")
    stating("versions", {"kredslob": "0.0.1"})(folder)
    with (folder / "model" / "parameters.csv").open("a") as file:
        file.write("\n")
    found = reproduce(folder)
    assert found.differences == ()
    assert [(name, then) for name, then, _ in found.software] == [("kredslob", "0.0.1")]
    assert found.other_inputs == ("parameters.csv",)
    assert set(dict(found.faults)) == {"manifest.json", "model/parameters.csv"}


BROKEN = [
    (lambda f: shutil.rmtree(f / "model"), "without the model the run cannot be made again"),
    (lambda f: (f / "manifest.json").unlink(), "holds no run that can be read"),
    (lambda f: (f / "run.nc").write_bytes(b"CDF"), "holds no run that can be read"),
    (without("levers"), "'levers': is missing"),
    (without("kind"), "'kind': found None, expected one of run"),
    (stating("kind", "threshold"), "'draws': is missing"),
    (stating("parameters", {"no such": 1}), "no such"),
]


@pytest.mark.parametrize(("damage", "said"), BROKEN, ids=[s[:30] for _, s in BROKEN])
def test_what_cannot_be_made_again_is_one_clear_line(
    saved: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], object],
    said: str,
) -> None:
    folder = copied(saved, tmp_path / "run")
    damage(folder)
    assert called(monkeypatch, "reproduce", folder) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert said in err


def test_a_manifest_cannot_point_out_of_its_folder(saved: Path, tmp_path: Path) -> None:
    folder = copied(saved, tmp_path / "run")
    (tmp_path / "secret").write_text("x")
    stating("files", {"../secret": "0", "run.nc": "0"})(folder)
    (folder / "ro-crate-metadata.json").unlink()
    assert dict(file_faults(folder, load_run(folder).manifest)) == {
        "../secret": "missing",
        "run.nc": "changed",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["run", "--scenario", "schedule"],
        ["run", "--scenario", "half"],
        ["threshold", "--draws", "20", "--seed", "3"],
        ["uncertainty", "--draws", "20", "--seed", "3", "--rates", "0.3,1"],
        ["sensitivity", "--trajectories", "4", "--inputs", "2", "--samples", "64"],
        pytest.param(
            ["search", "--draws", "16", "--population", "6", "--generations", "2"],
            marks=pytest.mark.slow,
        ),
        ["loops", "--rates", "0.3333333333333333,1"],
        ["loops", "--scenario", "until-repaid"],
    ],
    ids=" ".join,
)
def test_every_kind_of_study_is_made_again_to_the_last_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    out = tmp_path / "out"
    assert called(monkeypatch, *words, "--years", "6", "--out", out) == 0
    found = reproduce(out)
    assert found.differences == ()
    assert found.faults == ()
    assert found.compared > 1000


def test_the_loops_of_another_model_are_made_again(
    tanks: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert called(monkeypatch, "loops", tanks.file.path, "--years", "3", "--out", out) == 0
    assert (out / "model" / "tanks.mdl").is_file()
    assert reproduce(out).same
