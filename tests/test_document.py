"""The documentation of a model: whole, linked, with its faults, for any file."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import kredslob
from kredslob.cli import main
from kredslob.paths import reinvestment_folder
from kredslob.results import SavedRun, load_run, new_run_folder, write_run
from kredslob.show.checklists import MINIMUM, MISSING, STATED, STRESS, checklist
from kredslob.show.document_page import document_page
from kredslob.show.documentation import Documentation, documented
from kredslob.show.language import LANGUAGES, words
from kredslob.simulation import Model

MODELS = Path(__file__).parent / "models"
CONTROL = (
    "INITIAL TIME = 0 ~ year ~ |\nFINAL TIME = 4 ~ year ~ |\n"
    "TIME STEP = 1 ~ year ~ |\nSAVEPER = 1 ~ year ~ |\n"
)
FAULTY = (
    "{UTF-8}\nno unit = 1 ~ ~ Has words. |\nno words = 2 ~ DKK ~ |\n"
    "with numbers = no unit * 0.37 + MAX(0, 1 - no words) ~ DKK ~ Numbers inside. |\n"
    "level = INTEG(with numbers, 100) ~ DKK ~ The initial value is no fault. |\n"
    "many = a1 + a2 + a3 + a4 + a5 + a6 ~ Dmnl ~ Six causes. |\n"
    + "".join(f"a{n} = {n} ~ Dmnl ~ One cause. |\n" for n in range(1, 7))
    + CONTROL
)
EVIL = "<script>alert(1)</script>"


class Page(HTMLParser):
    """Links, ids, tags and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "srcset", "data", "action", "poster"):
                self.loaded.append(value or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def own() -> Documentation:
    return documented(reinvestment_folder() / "reinvestment.mdl")


@pytest.fixture(scope="module")
def run(model: Model, tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    folder = tmp_path_factory.mktemp("runs") / "run"
    runs = model.run(kredslob.load_scenario("half"), years=2)
    with new_run_folder(folder) as hidden:
        made_by = {
            "command": "kredslob run --scenario half",
            "scenario": "half",
            "seed": 3,
            "draws": 9,
        }
        write_run(hidden, runs, {}, made_by)
    return load_run(folder)


def test_every_variable_has_its_equation_and_its_links_both_ways(own: Documentation) -> None:
    entries = {e.name: e for e in own.entries}
    assert set(entries) == set(own.file.variables)
    for entry in entries.values():
        assert entry.equations, entry.name
        assert entry.line > 0
        for cause in entry.uses:
            assert entry.name in entries[cause].used_by
        for effect in entry.used_by:
            assert entry.name in entries[effect].uses
    cash = entries["Fund Cash"]
    assert cash.kind == "stock"
    assert cash.equations[0].startswith("Fund Cash[Capital] =\nINTEG(paid in[Capital]")
    assert {"paid in", "spending"} <= set(cash.uses)
    assert cash.views == ("Fund", "Ledgers")
    assert [r.certainty for r in entries["citizens at start"].sources][:2] == [
        "assumed",
        "estimated",
    ]


def test_faults_of_a_small_model_are_found(tmp_path: Path) -> None:
    path = tmp_path / "faulty.mdl"
    path.write_text(FAULTY, encoding="utf-8")
    found = documented(path)

    def names(fault: str) -> list[str]:
        return [e.name for e in found.with_fault(fault)]

    assert names("unit") == ["no unit"]
    assert names("description") == ["no words"]
    assert names("unused") == ["many"]
    assert names("embedded") == ["with numbers"]
    assert next(e for e in found.entries if e.name == "with numbers").faults["embedded"] == "0.37"
    assert names("long") == ["many"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_whole_and_loads_nothing(
    own: Documentation, run: SavedRun, language: str
) -> None:
    text = document_page(own, run, language)
    page = Page(text)
    assert page.loaded == []
    assert not re.search(r"@import|url\(|<link|fetch\(|XMLHttp", text)
    inside = [link[1:] for link in page.links if link.startswith("#")]
    assert set(inside) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {link.partition("://")[0] for link in page.links if link[0] != "#"} <= {"http", "https"}
    shown = "".join(page.words)
    for entry in own.entries:
        assert entry.name in shown
        assert entry.equations[0] in shown
    assert ("Mindstekrav til rapportering" in shown) == (language == "da")
    assert "kredslob run --scenario half" in shown


def test_names_and_words_of_a_file_are_only_text(tmp_path: Path) -> None:
    path = tmp_path / "evil.mdl"
    path.write_text(
        f'{{UTF-8}}\n"{EVIL}" = 1 ~ {EVIL} ~ {EVIL} {{{{ 7 * 7 }}}} |\n'
        f'b = "{EVIL}" * 2 ~ Dmnl ~ \'"><img src=x onerror=alert(1)> |\n' + CONTROL,
        encoding="utf-8",
    )
    path.with_name("parameters.csv").write_text(
        (reinvestment_folder() / "parameters.csv").read_text(encoding="utf-8").splitlines()[0]
        + f'\nb,,parameter,1,1,1,,,fixed,Dmnl,,,,,x,"{EVIL}",javascript:x,assumed,"{EVIL}"\n',
        encoding="utf-8",
    )
    for language in LANGUAGES:
        text = document_page(documented(path), None, language)
        page = Page(text)
        assert page.tags.count("script") == 1
        assert "img" not in page.tags
        assert not any(link.startswith("javascript") for link in page.links)
        assert "{{ 7 * 7 }}" in "".join(page.words)


@pytest.mark.parametrize(
    "path", sorted(MODELS.glob("*.xmile"))[:6] + sorted(MODELS.glob("a*.mdl")), ids=lambda p: p.name
)
def test_any_model_can_be_documented(path: Path) -> None:
    found = documented(path)
    assert set(found.file.variables) == {e.name for e in found.entries}
    assert all(e.equations for e in found.entries if e.kind != "control")
    assert Page(document_page(found, None, "da")).tags


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("standard", "count"), [(STRESS, 20), (MINIMUM, 12)])
def test_standards_say_what_is_there_and_what_is_missing(
    own: Documentation, run: SavedRun, tmp_path: Path, standard: str, count: int, language: str
) -> None:
    w = words(language)
    path = tmp_path / "faulty.mdl"
    path.write_text(FAULTY, encoding="utf-8")
    with_run = checklist(standard, own, run, w)
    without = checklist(standard, own, None, w)
    strange = checklist(standard, documented(path), None, w)
    assert [len(items) for items in (with_run, without, strange)] == [count] * 3
    stated = [sum(i.status == STATED for i in items) for items in (with_run, without, strange)]
    assert stated[0] > stated[1] > stated[2]
    assert MISSING not in [i.status for i in with_run]
    lacking = {"da": "Mangler", "en": "Missing"}[language]
    for items in (with_run, without, strange):
        for item in items:
            assert item.answer
            assert (item.status != MISSING) or lacking in item.answer
    by_name = {i.number: i for i in with_run}
    seed = by_name["5.2" if standard == STRESS else "S5"]
    assert "3" in seed.answer


def called(monkeypatch: pytest.MonkeyPatch, *given: object) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["kredslob", *map(str, given)])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def test_the_command_writes_one_file(
    tanks: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert called(monkeypatch, "document", tanks.file.path, "--lang", "da") == 0
    assert "advarsler: tanks.html" in capsys.readouterr().out
    assert [p.name for p in tmp_path.iterdir()] == ["tanks.html"]


def test_bad_input_is_one_clear_line(
    tanks: Model,
    run: SavedRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for given, said in (
        (["missing.mdl"], "missing.mdl"),
        (["--run", "nowhere"], "does not exist, expected the folder of a saved run"),
        ([tanks.file.path, "--run", run.folder], "is not the model that"),
        (["--out", "page.pdf"], "expected a name that ends in .html"),
        (["--out", "no/such/page.html"], "cannot be written"),
    ):
        assert called(monkeypatch, "document", *given) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert said in err
    assert list(tmp_path.iterdir()) == []
