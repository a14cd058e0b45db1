"""The workshop page: its numbers, its words, its levers, and what it must withstand."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from benchmarks.workshop import browser, opened

import kredslob
from kredslob.cli import main
from kredslob.cycle.scenario import list_scenarios, list_settings
from kredslob.cycle.summary import summary
from kredslob.paths import reinvestment_folder
from kredslob.show.language import LANGUAGES, words
from kredslob.show.table import summary_frame, verdict
from kredslob.show.web_page import as_script
from kredslob.show.workshop import workshop, write_workshop
from kredslob.show.workshop.levers import lever_groups
from kredslob.simulation import Model

HOSTILE = "</script><script>window.broken = 1</script><img src=x onerror='window.broken = 2'>"
PAIRS = [
    (s, p) for s in ("municipality", "national", "norrkoping") for p in ("", *list_scenarios())
]
TABS_SHOWN, IDS = "#more [role=tab]:not([hidden])", "all => all.map((t) => t.id)"
SHOWN = ("cycle", "wellbeing", "savings", "accounts", "numbers")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_workshop(tmp_path_factory.mktemp("workshop") / "workshop.html")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def shared(chromium: Any, file: Path) -> Any:
    """A page that no test changes for good."""
    return opened(chromium, file)


@pytest.fixture
def page(chromium: Any, file: Path) -> Iterator[Any]:
    fresh = opened(chromium, file)
    yield fresh
    fresh.close()


@pytest.fixture(scope="module")
def model() -> Model:
    return kredslob.load()


def policy(setting: str, preset: str = "", **changes: float) -> dict[str, Any]:
    return {"setting": setting, "preset": preset, "changes": changes}


def on_page(page: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """What the page makes of a policy; NaN and infinity come as text."""
    script = """(policy) => {
      const o = kredslob.outcomes(kredslob.model.run(policy));
      const plain = (v) => typeof v === "number" && !Number.isFinite(v) ? String(v) : v;
      return JSON.parse(JSON.stringify({...o, rows: kredslob.verdict.rows(o)}, (_, v) => plain(v)));
    }"""
    return page.evaluate(script, wanted)


def in_python(model: Model, wanted: dict[str, Any]) -> xr.Dataset:
    scenario = kredslob.load_scenario(wanted["preset"] or None, wanted["setting"])
    return summary(model.run(scenario.with_parameters(wanted["changes"])))


def number(value: Any) -> float:
    return float(value) if not isinstance(value, str) else float(value.replace("Infinity", "inf"))


# --- numbers ---


def compared(found: dict[str, Any], expected: xr.Dataset) -> None:
    one = expected.isel({"reinvestment rate": 0})
    for year, cash in found["fundAt"].items():
        assert number(cash) == pytest.approx(float(one[f"fund at year {year}"]), rel=1e-6, abs=1e-3)
    for key, name in (
        ("helped", "citizens helped"),
        ("lifted", "citizens lifted"),
        ("wellbeingYears", "wellbeing years"),
        ("complexHelp", "share to complex need"),
        ("payback", "payback year"),
        ("netPresentValue", "net present value"),
        ("coverage", "coverage"),
        ("gain", "loop gain"),
        ("critical", "critical rate"),
    ):
        least = 1e-9 * abs(float(one["net present value"])) if key == "netPresentValue" else 1e-9
        assert number(found[key]) == pytest.approx(
            float(one[name]), rel=1e-6, abs=max(least, 1e-9), nan_ok=True
        ), name
    for purse, saving in found["netSaving"].items():
        assert saving == pytest.approx(float(one["net saving"].sel(Purse=purse)), rel=1e-6, abs=1)
    assert found["sustaining"] == bool(one["self-sustaining"])


@pytest.mark.parametrize(("setting", "preset"), PAIRS, ids=lambda name: name or "as-it-is")
def test_presets_give_the_numbers_of_kredslob_run(
    shared: Any, model: Model, setting: str, preset: str
) -> None:
    found = on_page(shared, policy(setting, preset))
    expected = in_python(model, policy(setting, preset))
    compared(found, expected)
    # and as they are written, in the words of `kredslob run`
    frame = summary_frame(expected, "da")
    assert found["rows"] == [
        [name, *values] for name, values in zip(frame.index, frame.values, strict=True)
    ]
    assert words("da").text(found["verdict"]) == verdict(
        expected.isel({"reinvestment rate": 0}), "da"
    )


def changes(seed: int, model: Model) -> dict[str, Any]:
    """A value for every lever, as a policy's changes on the page and as parameters in Python."""
    random = np.random.default_rng(seed)
    on_page_: dict[str, float] = {}
    parameters: dict[str, Any] = {}
    for lever in (lever for group in lever_groups(model.program) for lever in group.levers):
        steps = round((lever.high - lever.low) / lever.step)
        value = round(lever.low + lever.step * int(random.integers(steps + 1)), 6)
        on_page_[lever.name] = value
        if lever.point is not None:
            parameters.setdefault(lever.constant, []).append([lever.point, value])
        elif lever.element:
            parameters.setdefault(lever.constant, {})[lever.element] = value
        else:
            parameters[lever.constant] = value
    plan = parameters["reinvestment schedule"]
    plan.append([200.0, plan[-1][1]])
    return {"page": on_page_, "parameters": parameters}


@pytest.mark.parametrize("seed", range(6))
def test_any_levers_give_the_numbers_of_kredslob_run(shared: Any, model: Model, seed: int) -> None:
    drawn = changes(seed, model)
    scenario = kredslob.load_scenario(None, "municipality")
    expected = summary(model.run(scenario.with_parameters(drawn["parameters"])))
    compared(on_page(shared, policy("municipality", "") | {"changes": drawn["page"]}), expected)


def test_shares_of_help_and_need_are_those_of_python(shared: Any, model: Model) -> None:
    found = on_page(shared, policy("municipality", "complex-first"))
    shares = kredslob.equity(model.run(kredslob.load_scenario("complex-first")))
    for key, name in (("helpShares", "share of help"), ("needShares", "share of need")):
        np.testing.assert_allclose(found[key], shares[name].values.ravel(), rtol=1e-9)


def test_numbers_are_written_as_python_writes_them(shared: Any) -> None:
    values = [0.0, -0.004, 0.5004, 1234.5678, -98765.432, 9.996e5, 9.9951e6, -2.5e9, 1e12, 9344.2]
    script = """(values) => values.map((v) => [
      kredslob.language.number(v, 1), kredslob.language.money(v), kredslob.language.percent(v)])"""
    w = words("da")
    written = [[w.number(v, 1), w.money(v), w.percent(v)] for v in values]
    assert shared.evaluate(script, values) == written


# --- the file ---


def test_nothing_is_fetched_and_nothing_is_complained_about(chromium: Any, file: Path) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready=yes]")
    for tab in SHOWN:
        page.click(f"#tab-{tab}")
    for value in page.eval_on_selector_all("#preset option", "all => all.map((o) => o.value)"):
        page.select_option("#preset", value)
    page.click("[data-language=en]")
    page.wait_for_timeout(700)
    # a worker is made from a text of the page, not fetched
    assert [url for url in requests if not url.startswith("blob:")] == [file.as_uri()]
    assert complaints == []
    assert file.stat().st_size < 4e6
    context.close()


def test_a_title_from_a_file_is_text_and_nothing_else(chromium: Any, tmp_path: Path) -> None:
    text = json.dumps(HOSTILE)
    # the numbers of a place that comes with the model: its loops need not be scored anew
    numbers = (reinvestment_folder() / "settings" / "municipality.toml").read_text("utf-8")
    numbers = numbers[numbers.index("[parameters]") :]
    body = f"[title]\nda = {text}\nen = {text}\n[description]\nda = {text}\nen = {text}\n"
    place, own = tmp_path / "place.toml", tmp_path / "a<b>&'own.toml"
    place.write_text(body + numbers, encoding="utf-8")
    own.write_text(body + '[parameters]\n"reinvestment rate" = 1\n', encoding="utf-8")
    file = write_workshop(tmp_path / "w.html", setting=place, scenarios=[own])
    page = opened(chromium, file)
    page.select_option("#preset", own.stem)
    page.click("#save")
    page.click("[data-language=en]")
    page.wait_for_timeout(100)
    assert page.evaluate("window.broken") is None
    assert HOSTILE in page.eval_on_selector_all("option", "all => all.map((o) => o.textContent)")
    page.close()


def test_data_cannot_end_its_script() -> None:
    text = as_script({"a": "</script><!--\u2028&"})
    assert not re.search("[<>&\u2028]", text)
    assert json.loads(text) == {"a": "</script><!--\u2028&"}


def test_the_page_shows_itself_in_jupyter(chromium: Any) -> None:
    shown = workshop("en")._repr_html_()
    page = chromium.new_page()
    page.set_content(shown)
    page.frame_locator("iframe").locator("html[data-ready=yes]").wait_for()
    assert page.frame_locator("iframe").locator("h1").inner_text() == words("en").text(
        "workshop.heading"
    )
    page.close()


# --- words ---


def test_both_languages_have_the_same_words_with_the_same_gaps() -> None:
    danish, english = (words(one).table for one in LANGUAGES)
    own = {key for key in danish | english if key.startswith("workshop.")}
    assert {key for key in own if key in danish} == {key for key in own if key in english}
    gaps = {key: re.findall(r"\{\w+\}", danish[key]) for key in own}
    assert {k: sorted(g) for k, g in gaps.items()} == {
        k: sorted(re.findall(r"\{\w+\}", english[k])) for k in own
    }


def test_every_visible_word_is_one_of_the_languages_words(page: Any) -> None:
    """With every word marked, whatever is shown without a mark was not translated."""
    marked = """() => {
      const all = kredslob.known.words.da;
      for (const key of Object.keys(all)) all[key] = "\u27e6" + all[key] + "\u27e7";
      const mark = (part) => {  // titles and descriptions from files: {da, en}
        if (part === null || typeof part !== "object" || part === kredslob.known.words) return;
        if (typeof part.da === "string") part.da = "\u27e6" + part.da + "\u27e7";
        else Object.values(part).forEach(mark);
      };
      mark(kredslob.known);
      kredslob.language.set("en");
      kredslob.language.set("da");
    }"""
    page.evaluate(marked)
    page.click("#save")
    bare = """() => {
      const found = [];
      const look = (text, where) => {
        let depth = 0, outside = "";
        for (const c of text ?? "") {
          if (c === "\u27e6") depth++;
          else if (c === "\u27e7") depth--;
          else if (!depth) outside += c;
        }
        const code = /^[0-9A-Z]{4}(-[0-9A-Z]+)*$/.test(outside.trim());  // of a policy
        if (!code && /\\p{L}/u.test(outside)) found.push(`${where}: ${outside.trim()}`);
      };
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walk.nextNode()) {
        const parent = walk.currentNode.parentElement;
        if (parent.closest("script, style, [data-language], .code, #ballot .tag")) continue;
        look(walk.currentNode.data, parent.tagName);
      }
      for (const name of ["aria-label", "aria-valuetext", "title", "placeholder"])
        for (const element of document.querySelectorAll(`[${name}]`))
          look(element.getAttribute(name), name);
      for (const view of kredslob.views.values()) {
        for (const model of view.model.references()) {
          for (const text of model.data?.text ?? []) look(text, view.model.name);
          look(model.axis_label, "axis");
        }
        look(view.model.title?.text, "title");
      }
      return found;
    }"""
    for tab in page.eval_on_selector_all(TABS_SHOWN, IDS):
        page.click(f"#{tab}")
        page.wait_for_timeout(150)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.wait_for_timeout(600)
    assert page.evaluate(bare) == []


def test_the_language_changes_at_a_click_and_all_else_stays(page: Any) -> None:
    page.focus("[data-lever='reinvestment rate'] input")
    page.keyboard.press("End")
    page.click("#save")
    page.click("[data-language=en]")
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.inner_text("#verdict-question") == words("en").text("workshop.verdict.question")
    assert page.inner_text("[data-lever='reinvestment rate'] output") == "100%"
    assert page.evaluate("kredslob.state.saved.length") == 1
    assert page.evaluate("kredslob.tick(1234.5)") == "1,234.5"
    page.click("[data-language=da]")
    assert page.evaluate("kredslob.tick(1234.5)") == "1.234,5"


# --- levers ---


def test_the_reinvestment_rate_comes_first_and_is_largest(shared: Any, model: Model) -> None:
    names = shared.eval_on_selector_all(
        "#levers [data-lever]", "all => all.map((l) => l.dataset.lever)"
    )
    assert names[0] == "reinvestment rate"
    groups = lever_groups(model.program)
    assert set(names) == {lever.name for group in groups for lever in group.levers}
    heights = shared.eval_on_selector_all(
        "#levers input[type=range]", "all => all.map((i) => i.getBoundingClientRect().height)"
    )
    assert heights[0] > max(heights[1:])


def test_every_lever_moves_by_keyboard_and_goes_back(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.check("[data-lever='wrong pocket agreement'] input[value='1']", force=True)
    assert page.locator("[data-lever='pledged share with agreement[state]']").is_visible()
    assert not page.locator("[data-lever='pledged share without agreement[state]']").is_visible()
    for row in page.query_selector_all("#levers [data-lever]"):
        slider = row.query_selector("input[type=range]")
        if not row.is_visible() or slider is None:
            continue
        before = slider.get_attribute("aria-valuetext")
        at_the_end = slider.evaluate("(s) => s.value === s.max")
        slider.focus()
        page.keyboard.press("Home" if at_the_end else "End")
        page.wait_for_function(
            "(s) => s[0].getAttribute('aria-valuetext') !== s[1]", arg=[slider, before]
        )
        row.query_selector(".reset").click()
        page.wait_for_function(
            "(s) => s[0].getAttribute('aria-valuetext') === s[1]", arg=[slider, before]
        )
    page.click("#reset-all")
    page.wait_for_function("Object.keys(kredslob.state.policy.changes).length === 0")


def test_a_move_changes_pictures_and_numbers(page: Any) -> None:
    script = """() => ({
      line: [...kredslob.find("fund.now").data.value],
      answer: document.getElementById("numbers").textContent,
      help: [...kredslob.find("who.help").data.value],
      flows: kredslob.find("cycle.bands").data.ys.flat().length,
    })"""
    before = page.evaluate(script)
    page.focus("[data-lever='reinvestment rate'] input")
    page.keyboard.press("End")
    page.wait_for_timeout(200)
    after = page.evaluate(script)
    assert len(after["line"]) == 41
    assert after["flows"] > 0
    assert before["line"] != after["line"]
    assert before["answer"] != after["answer"]
    # today's policy is laid under it once they differ
    assert page.evaluate("[...kredslob.find('fund.today').data.value]") == before["line"]


def test_four_proposals_can_be_kept_and_a_fifth_is_refused_in_words(page: Any) -> None:
    for _ in range(5):
        page.click("#save")
    assert page.locator("#saved li").count() == 4
    assert page.inner_text("#notice") == words("da").text("workshop.save_full", count=4)
    page.locator("#saved li button").nth(1).click()
    assert page.locator("#saved li").count() == 3
    page.wait_for_timeout(100)
    lengths = page.evaluate(
        "[0, 1, 2, 3].map((n) => kredslob.find(`fund.saved${n}`).data.time.length)"
    )
    assert lengths == [0, 41, 41, 41]


def test_a_number_that_is_none_leaves_the_last_result_standing(page: Any) -> None:
    before = page.inner_text("#numbers")
    page.evaluate("kredslob.state.set('reinvestment rate', NaN)")
    assert page.evaluate("kredslob.state.policy.changes") == {}
    broken = {"setting": "municipality", "preset": "", "changes": {"recognition horizon": 0}}
    accepted = "(p) => kredslob.state.replace({...p, changes: {'reinvestment rate': Infinity}})"
    assert page.evaluate(accepted, broken) is False
    for wrong in ({"setting": "atlantis"}, {"setting": "__proto__", "preset": ""}, {}, None):
        assert page.evaluate("(p) => kredslob.state.replace(p)", wrong) is False
    page.evaluate(
        "const {stated, place} = kredslob.model;"
        "stated('municipality', '').constants[place('unit cost')] = NaN"
    )
    page.evaluate("kredslob.compute()")
    page.wait_for_timeout(100)
    assert page.inner_text("#notice") == words("da").text("workshop.broken")
    assert page.inner_text("#numbers") == before
    assert "NaN" not in page.inner_text("body")


def test_tabs_follow_the_arrow_keys(page: Any) -> None:
    page.focus("#tab-cycle")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-wellbeing"
    assert page.locator("#panel-wellbeing").is_visible()
    assert not page.locator("#panel-cycle").is_visible()
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.id") == "tab-cycle"


# --- what it looks like ---


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (375, 812)])
def test_it_fits_the_screen(
    chromium: Any, file: Path, width: int, height: int, language: str
) -> None:
    page = opened(chromium, file, width, height)
    page.click(f"[data-language={language}]")
    page.wait_for_timeout(200)
    wide, tall = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert wide <= width
    if width > 900:
        assert tall <= height
        for place in ("#picture", "#verdict", "#help", "#more", "#levers .first"):
            box = page.locator(place).bounding_box()
            assert box["x"] >= 0
            assert box["y"] + box["height"] <= height, place
        clipped = "all => all.filter((e) => e.scrollHeight > e.clientHeight + 1).map((e) => e.id)"
        assert page.eval_on_selector_all("#verdict, #picture, #help", clipped) == []
    clipped = """(all) => all.filter((e) => e.offsetParent && e.scrollWidth > e.clientWidth + 1)
      .filter((e) => getComputedStyle(e).display !== "inline").map((e) => e.textContent)"""
    texts = "button, label, h1, h2, h3, dt, dd, output, td, summary"
    assert page.eval_on_selector_all(texts, clipped) == []
    page.close()


@pytest.mark.parametrize(
    ("width", "height", "language"), [(1280, 720, "da"), (375, 812, "en")], ids=["da", "en"]
)
def test_axe_finds_no_violation(
    chromium: Any, file: Path, width: int, height: int, language: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(chromium, file, width, height)
    page.click(f"[data-language={language}]")
    page.click("#save")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.wait_for_timeout(600)
    for tab in page.eval_on_selector_all(TABS_SHOWN, IDS):
        page.click(f"#{tab}")
        page.wait_for_timeout(100)
    page.evaluate(
        "document.querySelectorAll('[role=tabpanel]').forEach((p) => { p.hidden = false; })"
    )
    violations = Axe().run(page).response["violations"]
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in violations] == []
    page.close()


# --- the command line ---


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--setting", "atlantis"], "there is no setting 'atlantis'"),
        (["--scenario", "missing.toml"], "missing.toml: does not exist"),
        (["--out", "no-such-folder/w.html"], "no-such-folder/w.html: cannot be written"),
    ],
    ids=["setting", "scenario", "out"],
)
def test_bad_input_is_one_line(
    given: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["kredslob", "workshop", *given])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_command_writes_the_page(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "w.html"
    monkeypatch.setattr(
        sys,
        "argv",
        ["kredslob", "workshop", "--lang", "en", "--setting", "national", "--out", str(out)],
    )
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert str(out) in capsys.readouterr().out
    text = out.read_text(encoding="utf-8")
    assert '<html lang="en">' in text
    assert words("en").text("workshop.heading") in text


def test_all_places_of_the_model_are_offered(shared: Any) -> None:
    offered = shared.eval_on_selector_all("#setting option", "all => all.map((o) => o.value)")
    assert set(offered) == set(list_settings())
    assert all(
        math.isfinite(x) for x in shared.evaluate("[...kredslob.find('fund.now').data.value]")
    )
