"""The workshop page's tools: codes, files, saved proposals, ballot, tour, band and loops."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import kredslob
from kredslob.cycle.loops import loop_scores
from kredslob.cycle.outcomes import cycle_outcomes
from kredslob.cycle.scenario import list_scenarios, load_scenario
from kredslob.cycle.summary import summary
from kredslob.paths import reinvestment_folder
from kredslob.show.workshop import write_workshop
from kredslob.show.workshop.draws import DRAWS, packed_draws
from kredslob.show.workshop.loop_shares import loop_shares, made_of
from kredslob.studies.questions import cycle_draws, cycle_questions

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's Chromium")
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
Open = Callable[..., Any]

# States from a linear congruential generator: any place, policy, levers and name.
STATES = """() => {
  let seed = 1;
  const next = (n) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * n);
  };
  const catalog = kredslob.catalog();
  const signs = [..."abcXYZ æøåÆØÅ0129.,-!?\\"é漢ßİ🙂"];
  return Array.from({length: 300}, (_, k) => {
    const changes = {};
    for (const lever of catalog.levers) {
      if (next(4) >= k % 5) continue;
      const value = lever.low + (next(1000) / 999) * (lever.high - lever.low);
      changes[lever.id] = kredslob.share.snapped(lever, value);
    }
    const letters = Array.from({length: next(12)}, () => signs[next(signs.length)]);
    const name = kredslob.share.tidyName(letters.join(""));
    const preset = ["", ...catalog.presets][next(catalog.presets.length + 1)];
    return {setting: catalog.settings[next(catalog.settings.length)], preset, changes, name};
  });
}"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_workshop(tmp_path_factory.mktemp("workshop") / "page.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def open_page(browser: Any, file: Path) -> Iterator[Open]:
    """Open the page; fails at the end if anything went wrong in it."""
    contexts, faults = [], []

    def opened(code: str = "", script: str = "", width: int = 1280, height: int = 800) -> Any:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}))
        if script:
            contexts[-1].add_init_script(script)
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.goto(f"{file.as_uri()}{code}")
        page.wait_for_selector("html[data-ready=yes]")
        page.wait_for_function("kredslob.draw.result !== null")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def policy(page: Any) -> dict[str, Any]:
    return page.evaluate("kredslob.state.policy")


def take(page: Any, wanted: dict[str, Any]) -> None:
    page.evaluate("(one) => kredslob.proposal.take(one)", {"changes": {}, "name": "", **wanted})
    shown = "(one) => JSON.stringify(kredslob.draw.result.policy) === JSON.stringify(one)"
    page.wait_for_function(shown, arg=policy(page))


# --- codes -------------------------------------------------------------------------------------


def test_every_state_survives_its_code(open_page: Open) -> None:
    page = open_page()
    pairs = page.evaluate(
        f"""() => ({STATES})().map((state) => [state, kredslob.share.decode(
            kredslob.catalog(), kredslob.share.encode(kredslob.catalog(), state))])"""
    )
    assert len(pairs) == 300
    for state, read in pairs:
        assert read == state


def test_a_policy_with_three_changes_and_a_name_fits_in_eight_groups(open_page: Open) -> None:
    page = open_page()
    changes = {"reinvestment rate": 0.75, "wrong pocket agreement": 1, "overhead share": 0.1}
    code = page.evaluate(
        "(one) => kredslob.share.encode(kredslob.catalog(), one)",
        {"setting": "municipality", "preset": "", "changes": changes, "name": "Bord 3"},
    )
    assert len(code.split("-")) <= 8


def test_any_one_wrong_letter_and_any_two_swapped_are_noticed(open_page: Open) -> None:
    passed = open_page().evaluate(
        f"""() => {{
          const catalog = kredslob.catalog();
          const passed = [];
          const attempt = (code, damaged) => {{
            try {{
              kredslob.share.decode(catalog, damaged);
              passed.push([code, damaged]);
            }} catch (problem) {{
              if (!(problem instanceof kredslob.Refusal)) throw problem;
            }}
          }};
          for (const state of ({STATES})().slice(0, 15)) {{
            const code = kredslob.share.encode(catalog, state).replaceAll("-", "");
            for (let k = 0; k < code.length; k++) {{
              for (const letter of "{LETTERS}") {{
                const wrong = code.slice(0, k) + letter + code.slice(k + 1);
                if (wrong !== code) attempt(code, wrong);
              }}
              if (k && code[k] !== code[k - 1]) {{
                attempt(code, code.slice(0, k - 1) + code[k] + code[k - 1] + code.slice(k + 1));
              }}
            }}
          }}
          return passed;
        }}"""
    )
    assert passed == []


def test_a_code_is_typed_as_people_type(open_page: Open) -> None:
    page = open_page()
    changes = {"reinvestment rate": 0.9}
    take(page, {"setting": "national", "preset": "half", "changes": changes, "name": "Øst"})
    wanted, code = policy(page), page.evaluate("kredslob.proposal.code()")
    take(page, {"setting": "municipality", "preset": ""})
    page.click("#tab-share")
    sloppy = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    page.fill("#enter-code", f"  {sloppy} ")
    page.keyboard.press("Enter")
    assert policy(page) == wanted
    assert page.input_value("#proposal-name") == "Øst"


def test_a_damaged_code_is_refused_with_a_sentence_and_nothing_changes(open_page: Open) -> None:
    page = open_page()
    take(page, {"setting": "national", "preset": "all"})
    before, code = policy(page), page.evaluate("kredslob.proposal.code()")
    page.click("#tab-share")
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    for entered, said in (
        (wrong, "Koden passer ikke"),
        ("", "Koden er for kort"),
        ("ÆÆÆÆ-ÆÆÆÆ", "som ikke bruges i koder"),
        ("%E0%A4%A", "som ikke bruges i koder"),
        (code * 20, "Koden passer ikke"),
    ):
        page.fill("#enter-code", entered)
        page.press("#enter-code", "Enter")
        assert said in page.text_content("#share .wrong")
        assert policy(page) == before


def test_a_link_opens_the_page_with_the_proposal(open_page: Open) -> None:
    page = open_page()
    take(page, {"setting": "municipality", "preset": "schedule", "name": "Bord 3"})
    page.click("#tab-share")
    page.wait_for_function(
        "document.getElementById('proposal-link').value.includes(kredslob.proposal.code())"
    )
    link = page.input_value("#proposal-link")
    opened = open_page(code="#" + link.split("#")[1])
    assert policy(opened) == policy(page)
    assert opened.evaluate("kredslob.proposal.name") == "Bord 3"


def test_a_damaged_link_says_so_and_opens_the_page_as_it_is(open_page: Open) -> None:
    page = open_page(code="#0000-0000-0000")
    assert "Intet er ændret" in page.text_content("#notice")
    assert policy(page) == {"setting": "municipality", "preset": "", "changes": {}}


# --- scenario files, numbers and pictures ------------------------------------------------------

CHANGES = {
    "reinvestment rate": 0.85,
    "capital at start[foundations]": 7e6,
    "capital per year[state pool]": 1.5e6,
    "group priority[homelessness]": 2.25,
    "intensity[families]": 1.3,
    "reinvestment schedule[10]": 0.7,
    "wrong pocket agreement": 1,
    "pledged share with agreement[region]": 0.35,
    "evaluation share": 0.11,
    "identified share at start": 0.45,
}
POLICIES = (
    {"setting": "municipality", "preset": "", "changes": {}},
    {"setting": "municipality", "preset": "", "changes": CHANGES, "name": 'Bord "3" \\ æøå'},
    {"setting": "municipality", "preset": "schedule", "changes": {"overhead share": 0.03}},
    {"setting": "national", "preset": "private-screened", "changes": CHANGES},
    {"setting": "norrkoping", "preset": "until-repaid", "changes": {}},
)


@pytest.mark.parametrize("wanted", POLICIES, ids=["plain", "changed", "rule", "on", "place"])
def test_a_saved_scenario_runs_to_the_numbers_of_the_page(
    wanted: dict[str, Any], open_page: Open, tmp_path: Path
) -> None:
    page = open_page()
    take(page, wanted)
    shown = page.evaluate("kredslob.draw.result.outcomes")
    page.click("#tab-share")
    with page.expect_download() as download:
        page.click("text=Gem som scenarie")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    runs = kredslob.load().run(load_scenario(path, wanted["setting"]))
    found = summary(runs).isel({"reinvestment rate": 0})
    assert shown["fundAt"]["40"] == pytest.approx(float(found["fund at year 40"]), rel=1e-9)
    assert shown["helped"] == pytest.approx(float(found["citizens helped"]), rel=1e-9)
    assert shown["netPresentValue"] == pytest.approx(float(found["net present value"]), rel=1e-7)
    assert shown["gain"] == pytest.approx(float(found["loop gain"]), rel=1e-7)
    # and opened on the page again it is the same policy, under the same name
    before = policy(page)
    take(page, {"setting": "municipality", "preset": "half"})
    page.set_input_files("#exports input[type=file]", path)
    page.wait_for_function("kredslob.state.policy.preset !== 'half'")
    opened = policy(page)
    assert opened["setting"] == before["setting"]
    assert page.evaluate("kredslob.model.inputs(kredslob.state.policy).constants") == page.evaluate(
        "(one) => kredslob.model.inputs(one).constants", before
    )
    assert page.evaluate("kredslob.proposal.name") == wanted.get("name", "")


def test_the_scenarios_of_the_model_open_on_the_page(open_page: Open) -> None:
    page = open_page()
    constants = "(one) => Array.from(kredslob.model.inputs(one).constants)"
    for name in list_scenarios():
        path = reinvestment_folder() / "scenarios" / f"{name}.toml"
        page.evaluate("(text) => kredslob.files.read(text)", path.read_text(encoding="utf-8"))
        wanted = {"setting": "municipality", "preset": name, "changes": {}}
        found = page.evaluate(constants, policy(page))
        assert found == pytest.approx(page.evaluate(constants, wanted), rel=1e-12), name


TITLE = "[title]\nda='x'\nen='x'\n"
REFUSED = {
    "[title\nda = 'x'": "fejl i linje 1",
    "[parameters]\n": "titel eller parametre mangler",
    "kind = 1\n": "kind er ukendt",
    f"{TITLE}[parameters]\n'reinvestment rate' = 7": "går det fra 0 til 1",
    f"{TITLE}[parameters]\n'reinvestment rate' = 'much'": "kan ikke bruges",
    f"{TITLE}[parameters]\n'reinvestment rate' = true": "kan ikke bruges",
    f"{TITLE}[parameters]\n'unit cost' = 7": "ikke har et håndtag til",
    f"{TITLE}[parameters]\nintensity = {{moon = 1}}": "ikke har et håndtag til",
    f"{TITLE}[parameters]\n'reinvestment schedule' = [[0, 1], [5, 0.5]]": "ikke har et håndtag til",
    f"# kredslob: mars\n{TITLE}": "som ikke er på siden",
    "\0\1\2": "fejl i linje",
    "x" * 300_000: "for stor",
}


def test_a_scenario_that_cannot_be_used_is_refused_with_a_sentence(
    open_page: Open, tmp_path: Path
) -> None:
    page = open_page()
    take(page, {"setting": "national", "preset": "all"})
    before = policy(page)
    page.click("#tab-share")
    for number, (text, said) in enumerate(REFUSED.items()):
        path = tmp_path / f"wrong{number}.toml"
        path.write_text(text, encoding="utf-8")
        page.evaluate("document.querySelector('#exports .said').textContent = ''")
        page.set_input_files("#exports input[type=file]", path)
        page.wait_for_function("document.querySelector('#exports .wrong')?.textContent")
        sentence = page.text_content("#exports .wrong")
        assert said in sentence
        assert "Intet er ændret" in sentence
        assert policy(page) == before


@pytest.mark.parametrize(("language", "separator", "decimal"), [("da", ";", ","), ("en", ",", ".")])
def test_numbers_are_saved_in_the_form_of_the_language(
    language: str, separator: str, decimal: str, open_page: Open
) -> None:
    page = open_page()
    page.click(f"[data-language={language}]")
    other = {"setting": "municipality", "preset": "all", "changes": {}}
    page.evaluate("(one) => kredslob.state.save('=1+1', one)", other)
    head, *rows = page.evaluate("kredslob.files.numbers()").strip().split("\r\n")
    assert len(rows) == 41
    assert f"{separator}\"'=1+1: " in head  # no spreadsheet computes it
    fund = float(rows[40].split(separator)[1].replace(decimal, "."))
    shown = page.evaluate("kredslob.draw.result.outcomes.fundAt[40]")
    assert fund == pytest.approx(shown, abs=0.005)


def test_pictures_are_saved(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    page.click("#tab-share")
    kinds = (("SVG", b"<svg"), ("PNG", b"\x89PNG"))
    for picture, (kind, start) in product(("fund", "accounts", "feedback"), kinds):
        page.select_option("#picture-file", picture)
        with page.expect_download() as download:
            page.click(f"text=Gem billedet ({kind})")
        path = tmp_path / f"picture.{kind}"
        download.value.save_as(path)
        assert start in path.read_bytes()[:200]
        assert path.stat().st_size > 3000, picture
    assert page.get_attribute("#tab-share", "aria-selected") == "true"


# --- saved proposals and the ballot ------------------------------------------------------------


FOUR = ("half", "all", "agreement", "schedule")


def save(page: Any, preset: str, name: str) -> None:
    take(page, {"setting": "municipality", "preset": preset})
    page.click("#tab-share")
    page.fill("#proposal-name", name)
    page.press("#proposal-name", "Enter")


def test_four_proposals_are_kept_renamed_and_removed(open_page: Open) -> None:
    page = open_page()
    for preset, name in zip(FOUR, ("Bord 1", "Bord 2", "Bord 3", ""), strict=True):
        save(page, preset, name)
    save(page, "need-driven", "Bord 5")
    assert "plads til 4 forslag" in page.text_content("#share .said")
    page.click("#tab-compare")
    heads = page.locator("#compare thead th").all_text_contents()
    assert heads == ["Nu", "Bord 1", "Bord 2", "Bord 3", "Forslag D"]
    page.click("[aria-label='Omdøb Forslag D']")
    page.keyboard.type("Planen")
    page.keyboard.press("Enter")
    page.click("[aria-label='Fjern Bord 2']:visible >> nth=-1")
    page.reload()
    page.wait_for_selector("html[data-ready=yes]")
    page.click("#tab-compare")
    page.wait_for_selector("#compare thead th")
    heads = page.locator("#compare thead th").all_text_contents()
    assert heads == ["Nu", "Bord 1", "Bord 3", "Planen"]
    page.click("#compare [aria-label='Hent Bord 3 frem']")
    assert policy(page)["preset"] == "agreement"


def test_the_table_shows_what_a_run_says(open_page: Open) -> None:
    page = open_page()
    save(page, "agreement", "Aftalen")
    take(page, {"setting": "municipality", "preset": ""})
    page.click("#tab-compare")
    page.wait_for_selector("#compare tbody tr")
    run = kredslob.load().run(load_scenario("agreement"))
    helped = float(run["Cumulated Completions"].isel(time=-1).sum())
    row = page.locator("#compare tbody tr", has_text="Borgere hjulpet").locator("td").nth(1)
    assert row.text_content() == f"{helped:,.0f}".replace(",", ".")


def test_it_works_where_the_browser_keeps_nothing(open_page: Open) -> None:
    refusing = "{get() { throw new DOMException('no', 'SecurityError'); }}"
    page = open_page(script=f"Object.defineProperty(window, 'localStorage', {refusing});")
    save(page, "half", "Bord 1")
    page.click("#tab-compare")
    page.wait_for_selector("#compare thead th >> nth=1")
    assert page.is_visible("text=Browseren gemmer ikke noget")


def test_the_ballot_is_one_page_with_all_proposals(open_page: Open) -> None:
    page = open_page()
    for number, preset in enumerate(FOUR, start=1):
        save(page, preset, f"Bord {number}")
    for form in ("A4", "Letter"):
        assert page.pdf(format=form).count(b"/Type /Page\n") == 1
    page.emulate_media(media="print")
    assert page.locator("#ballot h2").all_text_contents() == [f"Bord {k}" for k in (1, 2, 3, 4)]
    assert page.locator("#ballot .tag svg").count() == 4
    assert not page.is_visible("main")


# --- the tour ----------------------------------------------------------------------------------


def test_the_tour_goes_by_keyboard_and_shows_what_belongs_to_each_question(open_page: Open) -> None:
    page = open_page()
    page.focus("#guide-start")
    page.keyboard.press("Enter")
    said = set()
    steps = page.evaluate("kredslob.guide.STEPS")
    assert len(steps) == 8
    for step in steps:
        visible = page.locator("main section:visible").evaluate_all("(all) => all.map((s) => s.id)")
        assert sorted(visible) == sorted(["levers", *step["pictures"]])
        unfolded = page.locator("#levers details[open]")
        groups = unfolded.evaluate_all("(all) => all.map((d) => d.dataset.group)")
        assert groups == ([] if step["group"] in (None, "reinvest") else [step["group"]])
        said.add(page.text_content("#tour .seen"))
        assert page.evaluate("document.activeElement.id") == "guide-question"
        page.keyboard.press("Alt+ArrowRight")
    assert len(said) == 8
    page.click("text=Færdig")
    assert page.is_visible("#verdict")
    assert page.evaluate("document.activeElement.id") == "guide-start"


def test_what_you_see_follows_the_numbers(open_page: Open) -> None:
    page = open_page()
    page.click("#guide-start")
    assert "kommer ét sted fra: egne besparelser" in page.text_content("#tour .seen")
    page.evaluate("kredslob.state.set('capital at start[foundations]', 20e6)")
    page.wait_for_selector("#tour .seen:has-text('Det meste kommer fra fonde')")
    page.click("[data-language=en]")
    page.wait_for_selector("#tour .seen:has-text('Most of it comes from foundations')")


# --- what would move the answer ---------------------------------------------------------------


def test_it_says_which_lever_brings_most_back(open_page: Open) -> None:
    page = open_page()
    page.wait_for_selector("#tries button")
    shown = page.locator("#tries button").all_text_contents()
    assert len(shown) == 3
    assert shown[0].replace("\u00a0", " ") == "Andel, der geninvesteres: 100 %→ 0,25 kr."
    most = summary(kredslob.load().run(load_scenario(), reinvestment_rate=1.0))
    assert float(most["loop gain"].squeeze()) == pytest.approx(0.25, abs=0.005)
    page.click("#tries button >> nth=0")
    page.wait_for_function("kredslob.state.policy.changes['reinvestment rate'] === 1")
    page.wait_for_function("!document.querySelector('#tries').innerText.includes('geninvesteres')")
    page.click("#guide-start")
    assert not page.is_visible("#tries")


# --- uncertainty -------------------------------------------------------------------------------


def band(page: Any) -> dict[str, Any]:
    page.wait_for_function("kredslob.uncertainty.found !== null", timeout=60_000)
    return page.evaluate("kredslob.uncertainty.found")


@pytest.mark.parametrize(
    ("setting", "preset"), [("municipality", "all"), ("national", "agreement")]
)
def test_the_band_is_that_of_the_kernel(setting: str, preset: str, open_page: Open) -> None:
    page = open_page()
    take(page, {"setting": setting, "preset": preset})
    shown = band(page)
    scenario = load_scenario(preset, setting)
    drawn = cycle_draws(load_scenario(None, setting), DRAWS, method="latin", seed=0)
    asked = cycle_questions(40)
    runs = kredslob.load().run_many(
        drawn, scenario, years=40, save=[*asked.variables], at=asked.times
    )
    cash = runs["total cash"].transpose("time", "run").values
    for share, name in ((0.1, "low"), (0.5, "middle"), (0.9, "high")):
        wanted = np.quantile(cash, share, axis=-1, method="inverted_cdf")
        assert shown[name] == pytest.approx(wanted.tolist(), rel=2e-3)  # draws travel in 16 bits
    carrying = cycle_outcomes(xr.merge([runs]))["carries itself"].sum()
    assert abs(shown["carrying"] - int(carrying)) <= 1


def test_the_band_is_the_same_without_a_worker(open_page: Open) -> None:
    assert band(open_page(script="delete window.Worker;")) == band(open_page())


def test_a_move_drops_the_draws_of_the_move_before(open_page: Open) -> None:
    page = open_page()
    for rate in (0.1, 0.9, 0.3, 1.0):
        page.evaluate("(rate) => kredslob.state.set('reinvestment rate', rate)", rate)
        page.wait_for_timeout(320)
    page.wait_for_function("kredslob.uncertainty.found === null")
    last = band(page)
    take(page, {"setting": "municipality", "preset": "all"})
    assert band(page) == last


def test_draws_pack_to_16_bits() -> None:
    place = load_scenario()
    packed = packed_draws(place, draws=50, seed=3)
    steps = np.frombuffer(base64.b64decode(packed["steps"]), dtype="<u2").reshape(50, -1)
    drawn = cycle_draws(place, 50, method="latin", seed=3)
    for column, (name, low, high) in enumerate(packed["factors"]):
        found = low + steps[:, column] / 65535 * (high - low)
        assert np.abs(found - drawn[name].values).max() <= (high - low) / 65535


# --- loops -------------------------------------------------------------------------------------


def test_the_kept_loop_shares_are_those_of_the_model() -> None:
    kept = files("kredslob.show.workshop").joinpath("loop_shares.json")
    stored = json.loads(kept.read_text(encoding="utf-8"))
    assert stored["made_of"] == made_of(), "write_loop_shares() makes the file anew"


def test_loop_shares_are_those_of_a_study_of_loops() -> None:
    found = loop_shares("municipality", ["schedule"])
    packed = base64.b64decode(found["shares"][found["policies"]["schedule"]])
    shares = np.frombuffer(packed, np.uint8).reshape(len(found["families"]), -1) / 255
    scores = loop_scores(load_scenario("schedule")).sel(time=np.arange(1.0, 41))
    size = scores["reinforcing share"] - scores["balancing share"]
    assert list(size["family"].values) == [family["name"] for family in found["families"]]
    assert shares == pytest.approx(size.transpose("family", "time").values, abs=1 / 255)


def test_the_loops_say_for_which_policy_they_were_computed(open_page: Open) -> None:
    page = open_page()
    changes = {"reinvestment rate": 0.8}
    take(page, {"setting": "municipality", "preset": "agreement", "changes": changes})
    page.click("#tab-loops")
    said = page.text_content("#panel-loops .note")
    assert "Ikke beregnet nu" in said
    assert "i aftalen« med 75\u00a0% geninvesteret" in said
    assert "ikke med i billedet" not in said
    page.evaluate("kredslob.state.set('overhead share', 0.2)")
    page.wait_for_selector("#panel-loops .note:has-text('ikke med i billedet')")
    assert "Længst tid styrer løkken" in page.text_content("#panel-loops .in-charge")


# --- for everybody -----------------------------------------------------------------------------


def faults(found: Any) -> list[tuple[str, list[str]]]:
    """What axe found, by rule, with the elements."""
    violations = found.response["violations"]
    return [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in violations]


def test_the_tools_pass_axe(open_page: Open) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page()
    save(page, "half", "Bord 1")
    page.click("[data-language=en]")
    page.wait_for_selector("#fund-alt:not(:empty)", state="attached")  # said once things are still
    for tab in ("share", "compare", "loops"):
        page.click(f"#tab-{tab}")
        assert faults(axe.run(page)) == []
    page.click("#guide-start")
    assert faults(axe.run(page)) == []


def test_the_tools_have_room_on_a_small_projector(open_page: Open) -> None:
    page = open_page(width=1280, height=720)
    for number, preset in enumerate(FOUR, start=1):
        save(page, preset, f"Bord {number}")
    for tab in ("share", "compare", "loops", "numbers"):
        page.click(f"#tab-{tab}")
        page.wait_for_timeout(100)
        hidden = "(panel) => panel.scrollHeight - panel.clientHeight"
        assert page.eval_on_selector(f"#panel-{tab}", hidden) <= 1, tab


def test_the_tools_fit_on_a_phone(open_page: Open) -> None:
    page = open_page(width=375, height=812)
    save(page, "private-unscreened", "Et forslag med et ret langt navn")
    for tab in ("share", "compare", "loops"):
        page.click(f"#tab-{tab}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, tab


def test_on_a_phone_proposals_stand_under_each_number_and_nothing_scrolls_sideways(
    open_page: Open,
) -> None:
    page = open_page(width=375, height=812)
    for number, preset in enumerate(FOUR, start=1):
        save(page, preset, f"Bord {number} med et ret langt navn")
    page.click("#tab-compare")
    page.wait_for_selector("#compare tbody tr >> nth=1")
    sideways = "(box) => box.scrollWidth - box.clientWidth"
    assert page.eval_on_selector("#compare .scroller", sideways) <= 0
    named = "(cell) => getComputedStyle(cell, '::before').content"
    cells = page.locator("#compare tbody tr").first.locator("td")
    assert [cell.evaluate(named) for cell in cells.all()] == [
        '"Nu"',
        *(f'"Bord {number} med et ret langt navn"' for number in range(1, 5)),
    ]
