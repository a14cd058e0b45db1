"""Reports: true sentences, whole files, nothing that a text from a scenario file can do."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pypandoc
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import kredslob
from kredslob.cycle.scenario import load_scenario, parameter_table
from kredslob.cycle.summary import summary
from kredslob.errors import InputFileError, KredslobError, ParameterError
from kredslob.results import new_run_folder, write_run
from kredslob.show.figures import Drawing
from kredslob.show.language import LANGUAGES, words
from kredslob.show.report import KINDS, newest_run, write_report
from kredslob.show.report import formats as formats_module
from kredslob.show.report.assumptions import parameter_rows
from kredslob.show.report.chances import Chances, chances, read_chances
from kredslob.show.report.comparison import Alternative, compared, read_duels
from kredslob.show.report.facts import Facts, Outcome
from kredslob.show.report.glossary import glossary
from kredslob.show.report.markdown import READ_AS, code, escaped, figure, table
from kredslob.show.report.material import Material, read_material
from kredslob.show.report.pictures import draw
from kredslob.show.report.references.make import make
from kredslob.show.report.sentences import TOPICS, Said, sentences
from kredslob.simulation import Model
from kredslob.studies.duels import DUELS_OVER, won
from kredslob.studies.hinges import hinge_study

RATE = "reinvestment rate"
PURSES = ("municipality", "region", "state")
HOSTILE = (
    "<script>alert(1)</script>",
    '#eval("1")',
    "[x](javascript:alert(1))",
    "$x$",
    "```{=typst}\n#panic()\n```",
    "| a | b |",
    "a\n\n# b",
    "*b* _c_ **d**",
    "@ref [@cite]",
    "{{ 7*7 }} {% x %}",
    r"\input{x}",
    "1. a",
    "- a",
    "~~~",
    "<https://a.b>",
    "[a]{.b}",
    "::: {.x}\ny\n:::",
    "&amp; &lt;",
    "![i](http://x/y.png)",
    "    code",
    "<!-- c -->",
    "H~2~O ^2^ ---",
    "Term\n: def",
    '"q" {.x} }',
    "\u202eevil\x00",
)


# Runs ---------------------------------------------------------------------------------------------


def saved(folder: Path, runs: xr.Dataset, **made_by: Any) -> Path:
    """A run's folder with its numbers, without the figures that no report reads."""
    told = {"command": "kredslob run", "setting": "municipality", "scenario": "", "seed": None}
    with new_run_folder(folder) as hidden:
        write_run(hidden, runs, {}, told | made_by)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def sweep(model: Model, place: Path) -> Path:
    runs = kredslob.sweep(model, load_scenario(), {RATE: [0.0, 0.5, 1.0]}, years=12)
    return saved(place / "sweep", runs)


@pytest.fixture(scope="module")
def policies(model: Model, place: Path) -> list[Path]:
    return [
        saved(place / name, model.run(load_scenario(name), years=12), scenario=name)
        for name in ("half", "agreement", "private-unscreened", "schedule")
    ]


@pytest.fixture(scope="module")
def material(sweep: Path) -> Material:
    return read_material(sweep)


@pytest.fixture(scope="module")
def of_policies(policies: list[Path]) -> list[Material]:
    return [read_material(folder) for folder in policies]


@pytest.fixture(scope="module")
def written(sweep: Path, policies: list[Path], place: Path) -> dict[tuple[str, str], list[Path]]:
    """Files of each kind (less full, which takes longest) and language."""
    folders = {"brief": [sweep], "compare": policies, "slides": [sweep]}
    return {
        (kind, language): write_report(of, place / "out", kind=kind, language=language)
        for kind, of in folders.items()
        for language in LANGUAGES
    }


def file(files: Sequence[Path], suffix: str) -> Path:
    return next(path for path in files if path.suffix == f".{suffix}")


def pdf_text(path: Path) -> str:
    found = subprocess.run(["pdftotext", "-layout", path, "-"], check=True, capture_output=True)
    return found.stdout.decode()


def pdf_facts(path: Path) -> dict[str, str]:
    found = subprocess.run(["pdfinfo", path], check=True, capture_output=True, text=True)
    return dict(line.split(":", 1) for line in found.stdout.splitlines() if ":" in line)


# Sentences ----------------------------------------------------------------------------------------

amounts = st.floats(-1e9, 1e9)
shares = st.floats(0, 1)


def by_purse(values: st.SearchStrategy[float]) -> st.SearchStrategy[dict[str, float]]:
    return st.fixed_dictionaries(dict.fromkeys(PURSES, values))


@st.composite
def outcomes(draw_: st.DrawFn, rate: float) -> Outcome:
    helped = draw_(st.floats(0, 1e5))
    running = draw_(st.floats(0, 1e8))
    return Outcome(
        rate=rate,
        carries=draw_(st.booleans()),
        gain=draw_(st.floats(0, 2)),
        critical=draw_(st.one_of(st.just(math.inf), st.floats(0.01, 500))),
        helped=helped,
        lifted=helped * draw_(shares),
        payback=draw_(st.one_of(st.just(math.nan), st.floats(0.1, 40))),
        npv=draw_(amounts),
        cash=draw_(st.floats(0, 1e8)),
        net_saving=draw_(by_purse(amounts)),
        saved=draw_(by_purse(st.floats(0, 1e9))),
        paid_in=draw_(by_purse(st.floats(0, 1e9))),
        invested=draw_(st.one_of(st.just(0.0), st.floats(1e3, 1e8))),
        investors_npv=draw_(amounts),
        help_complex=draw_(st.one_of(st.just(math.nan), shares)),
        need_complex=draw_(shares),
        behind=draw_(st.sampled_from([(), ("families", "complex"), ("youth", "moderate")])),
        leaning=draw_(st.floats(-1, 1)),
        booked=(running, running * draw_(shares)),
    )


@st.composite
def any_facts(draw_: st.DrawFn) -> Facts:
    rates = sorted(
        draw_(st.sets(st.sampled_from([k / 20 for k in range(21)]), min_size=1, max_size=8))
    )
    each = tuple(draw_(outcomes(rate)) for rate in rates)
    return Facts(draw_(st.sampled_from([4.0, 10.0, 40.0])), draw_(st.booleans()), each)


def numbers(text: str, language: str) -> list[float]:
    """Numbers as they stand in a text."""
    point, group = (",", ".") if language == "da" else (".", ",")
    found = re.findall(r"−?\d[\d.,]*", text)
    plain = [n.rstrip(".,").replace("−", "-").replace(group, "").replace(point, ".") for n in found]
    return [float(n) for n in plain]


@given(any_facts())
def test_under_each_topic_at_most_one_sentence_is_true(facts: Facts) -> None:
    for topic, rules in TOPICS.items():
        true = [rule.key for rule in rules if rule.holds(facts)]
        assert len(true) <= 1, (topic, true)
        if topic in ("carries", "gain", "helped", "payback", "npv"):
            assert len(true) == 1, topic


@given(any_facts(), st.sampled_from(LANGUAGES))
def test_never_is_said_of_a_rate_exactly_if_it_is_never_repaid(facts: Facts, language: str) -> None:
    (said,) = sentences(facts, ("payback",))
    text = said.text(words(language))
    repaid = [o for o in facts.outcomes if o.payback == o.payback]
    assert ("never" in said.key) == (not repaid)
    if not repaid:
        assert "year" not in said.values
        assert facts.years in numbers(text, language)
        return
    first = min(o.payback for o in repaid)
    assert said.values["year"].value == first
    assert any(abs(n - first) <= 0.0501 for n in numbers(text, language))
    if "others" in said.values:
        assert set(said.values["rates"].value) == {o.rate for o in repaid}  # type: ignore[call-overload]
        assert set(said.values["others"].value) == {  # type: ignore[call-overload]
            o.rate for o in facts.outcomes if o.payback != o.payback
        }


@given(any_facts(), st.sampled_from(LANGUAGES))
def test_a_sentence_shows_the_numbers_that_it_states(facts: Facts, language: str) -> None:
    w = words(language)
    for said in sentences(facts, tuple(TOPICS)):
        found = numbers(said.text(w), language)
        for name, stated in said.values.items():
            value = stated.value
            if isinstance(value, float | int):
                assert found, said.key
                near = _as_written(stated.form, float(value))
                assert any(
                    any(abs(n * unit - near) <= slack for unit, slack in _scales(stated.form, near))
                    for n in found
                ), (said.key, name, value, said.text(w))


def _as_written(form: str, value: float) -> float:
    return 100 * value if form == "percent" else abs(value) if form == "money" else value


def _scales(form: str, value: float) -> Iterator[tuple[float, float]]:
    """Unit of a number and how far its rounding may take it."""
    if form == "money":
        yield from ((1.0, 0.51), (1e3, 510.0), (1e6, 0.51e6), (1e9, 0.51e9))
    else:
        yield (
            1.0,
            {"index": 0.0051, "kroner": 0.0051, "years": 0.051, "times": 0.051}.get(form, 0.51),
        )


@given(any_facts())
def test_what_a_sentence_says_holds_of_the_outcome(facts: Facts) -> None:
    last = facts.outcomes[-1]
    keys = {said.key for said in sentences(facts, tuple(TOPICS))}
    assert ("carries_all" in keys) == (
        len(facts.outcomes) > 1 and all(o.carries for o in facts.outcomes)
    )
    assert ("npv_gain" in keys) == (last.npv >= 500)
    assert ("npv_loss" in keys) == (last.npv <= -500)
    assert ("gain_nothing" in keys) == (last.gain == 0)
    if last.invested == 0:
        assert not keys & {"investors_gain", "investors_lose", "investors_even"}
    if "more_help" in keys:
        assert last.helped > facts.outcomes[0].helped
    if "purses_gain" in keys:
        assert min(last.net_saving.values()) > -500
    if "complex_less" in keys:
        assert last.help_complex < last.need_complex


@given(st.integers(20, 5000), shares, shares, shares, st.sampled_from(LANGUAGES))
def test_chances_are_told_as_counts_of_draws(
    draws: int, a: float, b: float, c: float, language: str
) -> None:
    counts = [round(part * draws) for part in (a, b, c)]
    carrying, repaid, gaining = counts
    many = Chances(1.0, draws, 40.0, carrying, repaid, gaining, (10.0, 20.0))
    from kredslob.show.report.chances import _how_often

    for key, times in zip(("draws_carry", "draws_repaid", "draws_gain"), counts, strict=True):
        said = _how_often(key, lambda times=times: times, many)  # type: ignore[misc]
        ending = "none" if times == 0 else "all" if times == draws else "some"
        assert said.key == f"{key}_{ending}"
        if ending == "some":
            assert times in numbers(said.text(words(language)), language)


def test_the_facts_are_those_of_the_summary(material: Material) -> None:
    found = summary(material.runs)
    for k, outcome in enumerate(material.facts.outcomes):
        one = found.isel({RATE: k})
        assert outcome.rate == float(one[RATE])
        assert outcome.carries == bool(one["self-sustaining"])
        assert outcome.helped == float(one["citizens helped"])
        assert outcome.npv == float(one["net present value"])
        assert outcome.net_saving == {p: float(one["net saving"].sel(Purse=p)) for p in PURSES}


def test_policies_are_told_apart_by_their_numbers(of_policies: list[Material]) -> None:
    several = [Alternative(m.scenario.name, m.scenario.name, m, 0) for m in of_policies]
    said = {one.key: one for one in compared(several)}
    most = max(several, key=lambda a: a.outcome.helped)
    assert said["compare_helps"].values["policies"].value == (most.label,)
    assert said["compare_helps"].values["helped"].value == most.outcome.helped
    same = [replace(a, label=str(k)) for k, a in enumerate([several[0]] * 3)]
    alike = {one.key for one in compared(same)}
    assert {"compare_helps_alike", "compare_npv_alike", "compare_purse_alike"} <= alike


def test_every_sentence_has_its_gaps_filled_in_both_languages(material: Material) -> None:
    for said in sentences(material.facts, tuple(TOPICS)):
        for language in LANGUAGES:
            text = said.text(words(language))
            assert text[0].isupper() or text[0].isdigit()
            assert not re.search(r"[{}]|nan|inf\b", text)


def test_the_rate_is_stated_alone_and_left_out_where_it_stands_above(material: Material) -> None:
    topics = ("gain", "lifted", "npv", "purses", "pocket", "booked")
    (above,) = sentences(material.facts, ("rate",))
    for language, marks in (
        ("da", "100\N{NO-BREAK SPACE}% geninvesteret"),
        ("en", "100% reinvested"),
    ):
        w = words(language)
        assert marks in above.under_rate(w)
        for said in sentences(material.facts, topics):
            assert marks in said.text(w), said.key
            assert "reinvest" not in said.under_rate(w).replace("geninvest", "reinvest"), said.key
            assert "  " not in said.under_rate(w)


def test_the_glossary_holds_the_words_that_are_used(material: Material) -> None:
    drawings = draw("slides", [material], None, "da").values()
    terms = dict(glossary("Den interne rente er −1\\%. Frøken Jensen.", [], words("da")))
    assert terms == {}  # not a word that only begins like one of them
    terms = dict(glossary("Intern rente og koncentrationsindekset", [], words("da")))
    assert list(terms) == ["Intern rente", "Koncentrationsindeks"]
    assert "Ikke gjort krav på" in dict(glossary("", drawings, words("da")))  # in a figure


def test_the_glossary_has_the_same_terms_in_both_languages() -> None:
    danish, english = (
        {
            key
            for key in words(language).table
            if re.fullmatch(r"report\.glossary\..*\.(word|told)", key)
        }
        for language in LANGUAGES
    )
    assert danish == english
    for language in LANGUAGES:
        w = words(language)
        for key in danish:
            if key.endswith(".word"):  # each is found where its own word stands
                assert w.text(key) in dict(glossary(w.text(key), [], w)), key


# Text from files ----------------------------------------------------------------------------------


def read_back(markdown: str) -> list[dict[str, Any]]:
    options = ["--columns=20", "--wrap=none"]
    tree = json.loads(pypandoc.convert_text(markdown, "json", format=READ_AS, extra_args=options))
    found: list[dict[str, Any]] = []

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            found.append(part)
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk(tree["blocks"])
    return found


def kinds(parts: list[dict[str, Any]]) -> set[str]:
    return {part["t"] for part in parts if "t" in part}


def test_a_hostile_text_is_read_as_letters_alone() -> None:
    document = "\n\n".join(escaped(text) for text in HOSTILE)
    assert kinds(read_back(document)) == {"Para", "Str", "Space"}


def test_a_hostile_text_stays_in_its_cell_its_caption_and_its_code() -> None:
    parts = []
    for text in HOSTILE:
        parts += [table([text, "b"], [[text, text]], [2, 1], caption=text)]
        parts += [figure("a.png", text, text), code(text)]
    found = read_back("\n\n".join(parts))
    assert not kinds(found) & {"RawInline", "RawBlock", "Link", "Math", "Emph", "Div", "Header"}
    assert [p["t"] for p in found if p.get("t") in ("Table", "Figure", "Code")].count("Table") == len(HOSTILE)  # fmt: skip  # noqa: E501
    images = [p for p in found if p.get("t") == "Image"]
    assert [image["c"][2][0] for image in images] == ["a.png"] * len(HOSTILE)


@given(st.text(max_size=60))
def test_no_mark_of_a_text_is_left_bare(text: str) -> None:
    written = escaped(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[!-/:-@\[\]^-`{-~](?<!\\)", re.sub(r"\\.", "", written))
    assert "\n" not in written


def test_a_hostile_scenario_is_told_in_all_formats(
    model: Model, place: Path, tmp_path: Path
) -> None:
    name = " ".join(HOSTILE)
    scenario = replace(load_scenario("half"), name="hostile", title={"da": name, "en": name},
                       description={"da": name, "en": name})  # fmt: skip
    folder = saved(place / "hostile", model.run(scenario, years=4), scenario="hostile")
    own = "\n".join(
        f"{part} = {{ da = {json.dumps(name)}, en = {json.dumps(name)} }}"
        for part in ("title", "description")
    )
    (folder / "scenario.toml").write_text(own.replace("\x7f", ""), encoding="utf-8")
    files = write_report([folder], tmp_path, kind="brief", language="en")
    files += write_report([folder], tmp_path, kind="slides", language="en")
    for path in files:
        if path.suffix == ".html":
            html = path.read_text(encoding="utf-8")
            assert "<script" not in html
            assert "&lt;script&gt;" in html
            assert not re.search(r"(src|href)=[\"'](https?:|javascript:|//)", html)
            assert "{{ 7*7 }}" in html
        elif path.suffix == ".pdf":
            assert "<script>alert(1)</script>" in re.sub(r"\s+", " ", pdf_text(path))
        else:
            with zipfile.ZipFile(path) as parts:
                text = "".join(
                    parts.read(n).decode()
                    for n in parts.namelist()
                    if n.endswith((".xml", ".rels"))
                )
            assert "&lt;script&gt;" in text
            assert "javascript:" not in "".join(re.findall(r'Target="[^"]*"', text))


# Files --------------------------------------------------------------------------------------------


def test_a_brief_is_two_pages_tagged_and_named(
    written: dict[tuple[str, str], list[Path]],
) -> None:
    for language in LANGUAGES:
        path = file(written["brief", language], "pdf")
        facts = pdf_facts(path)
        assert int(facts["Pages"]) <= 2
        assert facts["Tagged"].strip() == "yes"
        assert words(language).text("page.title") in facts["Title"]
        raw = path.read_bytes()
        assert b"pdfuaid" in raw
        text = pdf_text(path)
        for head in ("answer", "main", "purses", "trust"):
            assert words(language).text(f"report.head.{head}") in text
        assert "kredslob run" in text


def test_slides_are_eight_to_twelve(written: dict[tuple[str, str], list[Path]]) -> None:
    for language in LANGUAGES:
        files = written["slides", language]
        with zipfile.ZipFile(file(files, "pptx")) as parts:
            slides = [n for n in parts.namelist() if re.fullmatch(r"ppt/slides/slide\d+\.xml", n)]
        assert 8 <= len(slides) <= 12
        assert int(pdf_facts(file(files, "pdf"))["Pages"]) == len(slides)


def test_pictures_have_a_text_in_every_format(
    written: dict[tuple[str, str], list[Path]],
) -> None:
    for (kind, language), files in written.items():
        html = file(files, "html").read_text(encoding="utf-8")
        alts = re.findall(r'<img [^>]*?alt="([^"]*)"', html)
        assert len(alts) == html.count("<img ") > 0, kind
        assert all(len(alt) > 20 for alt in alts), (kind, language)
        for suffix, marks in (("docx", "wp:docPr"), ("pptx", "p:cNvPr")):
            for path in files:
                if path.suffix != f".{suffix}":
                    continue
                with zipfile.ZipFile(path) as parts:
                    texts = [parts.read(n).decode() for n in parts.namelist() if n.endswith(".xml")]
                told = re.findall(rf'<{marks}[^>]*descr="([^"]+)"', "".join(texts))
                assert len(told) >= len(alts), (kind, suffix)


def test_figures_are_told_in_both_languages(material: Material) -> None:
    both = [draw("slides", [material], None, language) for language in LANGUAGES]
    assert list(both[0]) == list(both[1])
    for danish, english in zip(both[0].values(), both[1].values(), strict=True):
        assert isinstance(danish, Drawing)
        assert danish.kind
        assert danish.caption
        assert danish.alt != english.alt


def test_no_english_is_in_a_danish_report(
    written: dict[tuple[str, str], list[Path]], model: Model
) -> None:
    danish, english = words("da").table, words("en").table
    said = " ".join(pdf_text(file(written[kind, "da"], "pdf")) for kind in ("brief", "compare", "slides"))  # fmt: skip  # noqa: E501
    assert foreign(said, danish, english, model) == []


def foreign(said: str, danish: dict[str, str], english: dict[str, str], model: Model) -> list[str]:
    """English texts, and names of the model's variables, that stand in a Danish text."""
    flat = re.sub(r"\s+", " ", said)
    texts = {t for k, t in english.items() if len(t) > 8 and "{" not in t and danish.get(k) != t}
    texts |= {part for t in english.values() if "{" in t
              for part in re.split(r"\{\w+\}", t) if len(part.strip()) > 12}  # fmt: skip
    texts -= set(danish.values())
    names = {v for v in model.variables if " " in v and len(v) > 10}
    return sorted(t for t in texts | names if t.strip() and t in flat)


def test_html_loads_without_a_request(written: dict[tuple[str, str], list[Path]]) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    if not Path("/usr/bin/chromium").exists():
        pytest.skip("no Chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for files in written.values():
            page = browser.new_page()
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto(file(files, "html").as_uri())
            assert [u for u in asked if not u.startswith(("file:", "data:"))] == []
            loaded = "[...document.images].every(i => i.complete && i.naturalWidth > 0)"
            assert page.evaluate(loaded)
            page.close()
        browser.close()


@pytest.mark.slow
def test_office_files_open_in_libreoffice(
    written: dict[tuple[str, str], list[Path]], tmp_path: Path
) -> None:
    if shutil.which("soffice") is None:
        pytest.skip("no LibreOffice")
    given = [p for files in written.values() for p in files if p.suffix in (".docx", ".pptx")]
    command = ["soffice", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless"]
    command += ["--convert-to", "pdf", "--outdir", str(tmp_path / "pdf"), *map(str, given)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    for path in given:
        made = tmp_path / "pdf" / path.with_suffix(".pdf").name
        assert words(path.name.split(".")[1]).text("report.head.trust") in pdf_text(made) or (
            "compare" in path.name
        )


@pytest.mark.slow
def test_a_full_report_answers_all_that_is_asked(sweep: Path, model: Model, tmp_path: Path) -> None:
    formats = ["pdf", "docx", "html"]
    docx, html, path = write_report([sweep], tmp_path, kind="full", language="da", formats=formats)
    text, w = pdf_text(path), words("da")
    heads = contents_of(docx, html)
    assert heads["docx"] == heads["html"]
    assert w.text("report.glossary.head") in heads["html"]
    for term in ("internal_rate", "concentration", "unclaimed"):
        assert w.text(f"report.glossary.term.{term}.told")[:40] in re.sub(r"\s+", " ", text)
    for head in ("answer", "question", "main", "helped", "purses", "accounts", "books", "loops"):
        assert w.text(f"report.head.{head}") in text
    for head in ("uncertainty", "sensitivity", "checks"):
        assert w.text(f"report.head.{head}") in text
    assert w.text("page.assumptions") in text
    assert foreign(text, w.table, words("en").table, model) == []
    assert int(pdf_facts(path)["Pages"]) < 20


def contents_of(docx: Path, html: Path) -> dict[str, list[str]]:
    """Lines of both tables of contents, once each has been seen to lead to a heading."""
    with zipfile.ZipFile(docx) as parts:
        body = parts.read("word/document.xml").decode()
    field = body[body.index("TOC \\o") : body.index('fldCharType="end"')]
    links = re.findall(r'w:anchor="([^"]*)".*?<w:t[^>]*>([^<]*)<', field)
    page = html.read_text(encoding="utf-8")
    nav = page[page.index("<nav") : page.index("</nav>")]
    refs = re.findall(r'href="#([^"]*)"[^>]*>([^<]*)<', nav)
    assert all(f'w:name="{anchor}"' in body for anchor, _ in links)
    assert all(f'id="{anchor}"' in page for anchor, _ in refs)
    return {"docx": [said for _, said in links], "html": [said for _, said in refs]}


@pytest.mark.slow
def test_a_study_has_a_section_of_its_own(model: Model, place: Path, tmp_path: Path) -> None:
    few = {"trajectories": 4, "inputs": 3, "samples": 64, "years": 6}
    study = hinge_study(model, load_scenario(), **few)  # type: ignore[arg-type]
    tables = {"screened": study.screened, "ranked": study.ranked, "moved": study.moved}
    folder = place / "sensitivity"
    with new_run_folder(folder) as hidden:
        made_by = {"command": "kredslob sensitivity", "setting": "municipality", "scenario": ""}
        write_run(hidden, model.run(load_scenario(), years=6), tables, {**made_by, "seed": 0})
    (path,) = write_report([folder], tmp_path, kind="full", language="en", formats=["html"])
    text = re.sub(r"\s+", " ", path.read_text(encoding="utf-8"))
    assert "were first screened one by one (4 trajectories)" in text
    assert words("en").text("report.ranked_caption")[:60] in text


@pytest.mark.slow
def test_a_run_whose_rate_moves_has_a_full_report(policies: list[Path], tmp_path: Path) -> None:
    (path,) = write_report([policies[-1]], tmp_path, kind="full", language="en", formats=["html"])
    html = path.read_text(encoding="utf-8")
    assert words("en").text("report.uncertainty_none") in html
    assert "The share changes along the way" in html


def test_chances_are_read_from_the_draws(model: Model) -> None:
    found = kredslob.uncertainty(model, load_scenario(), rates=(0.5, 1.0), draws=40, years=8)
    read = read_chances(found)
    last = found.sel({RATE: 1.0})
    assert (read.rate, read.draws, read.years) == (1.0, 40, 8.0)
    assert read.carrying == int((last["carries itself"] > 0.5).sum())
    assert read.repaid == int((last["payback year"] <= 8).sum())
    assert read.gaining == int((last["net present value of public purse"] > 0).sum())
    assert all(isinstance(said, Said) for said in chances(found))


def test_tables_come_with_a_report_and_hold_its_numbers(sweep: Path, tmp_path: Path) -> None:
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv" / "old.csv").write_text("of an earlier report")
    forms = ["html", "xlsx", "csv", "parquet", "netcdf"]
    made = write_report([sweep], tmp_path, kind="brief", language="da", formats=forms)
    assert {p.name for p in made} == {"brief.da.html", "run.da.xlsx", "csv", "parquet", "netcdf"}
    assert not (tmp_path / "csv" / "old.csv").exists()
    runs = xr.load_dataset(tmp_path / "netcdf" / "run.nc")
    table = pd.read_csv(tmp_path / "csv" / "run-reinvestment_rate-time.csv")
    assert table["total cash"].iloc[-1] == pytest.approx(float(runs["total cash"][-1, -1]))
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in made}


def test_parameters_that_read_alike_share_a_row_and_none_is_lost() -> None:
    known = parameter_table()
    for language in LANGUAGES:
        rows = parameter_rows(known, words(language))
        assert len(rows) < len(known)
        assert len({tuple(map(str, row)) for row in rows}) == len(rows)
        for name in known.names():
            said = words(language).parameter(name)
            assert any(row[0] == said or row[0].startswith(f"{said}: ") for row in rows)


def test_a_draw_is_won_by_one_or_shared() -> None:
    values = xr.DataArray([[1.0, 2, 3, 4], [1, 1, 9, math.nan]], {"policy": ["a", "b"]},
                          ("policy", "run"))  # fmt: skip
    found = won(values)
    assert found.values.tolist() == [[0.5, 0.625], [0.375, 0.5]]  # a wins 2 of 4, shares 1


def test_policies_meet_the_same_draws(of_policies: list[Material]) -> None:
    several = [Alternative(m.scenario.name, m.scenario.name, m, 0) for m in of_policies[:2]]
    found = read_duels(several)
    assert found is not None
    for name in DUELS_OVER:
        shares = found[name].values
        assert shares + shares.T == pytest.approx(1.0)
    elsewhere = replace(several[1], material=replace(several[1].material, scenario=load_scenario(
        None, "national")))  # fmt: skip
    assert read_duels([several[0], elsewhere]) is None


def test_a_study_that_kept_little_is_run_again(model: Model, place: Path) -> None:
    runs = kredslob.sweep(model, load_scenario(), {RATE: [0.0, 1.0]}, years=6)
    thin = saved(place / "thin", runs[["total cash", "Cumulated Completions"]])
    found = read_material(thin)
    assert found.again
    assert len(found.facts.outcomes) == 5
    assert found.facts.years == 6


# What cannot be made ------------------------------------------------------------------------------


def test_what_does_not_go_together_is_said_in_one_line(sweep: Path, tmp_path: Path) -> None:
    wrong: list[tuple[dict[str, Any], type[KredslobError], str]] = [
        ({"kind": "long"}, ParameterError, "found 'long', expected one of brief, full"),
        ({"kind": "slides", "formats": ["docx"]}, ParameterError, "slides comes as pptx"),
        ({"formats": ["doc"]}, ParameterError, "found 'doc'"),
        ({"template": tmp_path / "a.odt"}, InputFileError, "ends in .docx or .pptx"),
        ({"template": tmp_path / "a.docx"}, InputFileError, "no such file"),
        ({"kind": "brief", "template": tmp_path / "a.pptx"}, ParameterError, "found a .pptx"),
    ]
    for options, kind, message in wrong:
        with pytest.raises(kind, match=re.escape(message)):
            write_report([sweep], tmp_path / "out", **options)
    with pytest.raises(ParameterError, match="found 'xlsx', but compare comes as pdf"):
        write_report([sweep, sweep], tmp_path / "out", kind="compare", formats=["xlsx"])
    with pytest.raises(ParameterError, match="found 2 runs, expected one"):
        write_report([sweep, sweep], tmp_path / "out", kind="brief")


def test_a_damaged_template_is_named(sweep: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.docx"
    own.write_bytes(b"no document")
    with pytest.raises(InputFileError, match=r"own.docx.*cannot be used as a template"):
        write_report([sweep], tmp_path, kind="brief", formats=["docx"], template=own)
    assert not list(tmp_path.glob("brief*"))


def test_an_own_template_lends_its_styles(sweep: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.docx"
    ours = Path(formats_module.__file__).parent / "references" / "reference.docx"
    with zipfile.ZipFile(ours) as old, zipfile.ZipFile(own, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"00568C", b"AA0011"))
    (made,) = write_report([sweep], tmp_path, kind="brief", formats=["docx"], template=own)
    with zipfile.ZipFile(made) as parts:
        assert b"AA0011" in parts.read("word/styles.xml")


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(KredslobError, match=r"typst.*pip install 'kredslob\[report\]'"):
        formats_module.check_installed(["pdf"])


@pytest.mark.parametrize("kind", ["brief", "slides"])
def test_a_run_kept_from_python_is_given_no_command(
    model: Model, tmp_path: Path, kind: str
) -> None:
    folder = kredslob.save_run(model.run(load_scenario(), years=2), tmp_path / "mine")
    (page,) = write_report([folder], tmp_path / "out", kind=kind, language="en", formats=["html"])
    said = page.read_text(encoding="utf-8")
    assert "was made in Python and kept with kredslob.save_run" in said
    assert "same figures" not in said


def test_a_run_of_another_model_is_refused(tanks: Model, tmp_path: Path) -> None:
    folder = saved(tmp_path / "tanks", tanks.run())
    with pytest.raises(InputFileError, match=r"tanks.mdl; reports are made of the reinvestment"):
        write_report([folder], tmp_path / "out")


def test_the_newest_run_is_found(sweep: Path, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="holds no run"):
        newest_run(tmp_path)
    assert newest_run(sweep.parent).is_dir()
    assert newest_run(sweep.parent).parent == sweep.parent


def test_the_reference_documents_are_what_the_script_makes(tmp_path: Path) -> None:
    make(tmp_path)
    kept = Path(formats_module.__file__).parent / "references"
    for name in ("reference.docx", "reference.pptx"):
        with zipfile.ZipFile(tmp_path / name) as new, zipfile.ZipFile(kept / name) as old:
            assert new.namelist() == old.namelist()
            assert all(new.read(part) == old.read(part) for part in new.namelist())


def test_every_kind_comes_as_pdf_and_html() -> None:
    assert all({"pdf", "html"} <= set(formats) for formats in KINDS.values())
