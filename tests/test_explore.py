"""The page of any model: its numbers are the engine's, and no file can make it do anything else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.workshop import browser

import kredslob
from kredslob import explore
from kredslob.errors import InputFileError, ParameterError
from kredslob.show.language import LANGUAGES, words

ROOT = Path(__file__).parents[1]
EPIDEMIC = ROOT / "notebooks" / "models" / "epidemic.mdl"
INVENTORY = ROOT / "notebooks" / "models" / "inventory.xmile"
AGEING = ROOT / "tests" / "models" / "ageing_chain.mdl"
SHOWN = ["Infectious", "infections", "caution", "reproduction number"]
HOSTILE = r"""{UTF-8}
"</script><script>window.broken = 1</script>" = 3
	~	<img src=x onerror='window.broken = 2'>
	~
	|
Stock = INTEG("</script><script>window.broken = 1</script>", 0) ~ ${window.broken = 3} ~ |
INITIAL TIME = 0 ~ Day ~ |
FINAL TIME = 4 ~ Day ~ |
TIME STEP = 1 ~ Day ~ |
SAVEPER = 1 ~ Day ~ |
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


def opened(chromium: Any, page: Any, folder: Path) -> Any:
    shown = chromium.new_page(viewport={"width": 1280, "height": 800})
    shown.said = []
    shown.on("pageerror", lambda problem: shown.said.append(str(problem)))
    shown.on("request", lambda request: shown.said.append(request.url))
    shown.goto(page.write(folder / "page.html").as_uri())
    shown.wait_for_selector("html[data-ready=yes]")
    return shown


def moved(page: Any, values: dict[str, float]) -> dict[str, float]:
    """Move sliders as a reader does; where each came to rest."""
    script = """async (values) => {
      const rest = {};
      for (const [name, value] of Object.entries(values)) {
        const input = document.querySelector(`[data-lever="${name}"] input`);
        input.value = String(value);
        input.dispatchEvent(new Event("input"));
        const lever = kredslob.known.levers.find((one) => one.name === name);
        rest[name] = kredslob.explore.constants[lever.place];
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
      return rest;
    }"""
    found: dict[str, float] = page.evaluate(script, values)
    return found


def lines(page: Any) -> list[np.ndarray]:
    return [
        np.array(line)
        for line in page.evaluate("kredslob.explore.result.lines.map((l) => Array.from(l))")
    ]


@pytest.mark.parametrize(
    ("file", "levers", "shown"),
    [
        (EPIDEMIC, None, SHOWN),
        (INVENTORY, {"rise in demand": (0, 1), "time to adjust workforce": (2, 40)}, None),
        (AGEING, None, None),
    ],
    ids=["epidemic", "inventory", "ageing"],
)
def test_the_numbers_are_the_engines(
    chromium: Any, tmp_path: Path, file: Path, levers: Any, shown: Any
) -> None:
    model = kredslob.load(file)
    page = opened(chromium, explore(model, levers=levers, shown=shown), tmp_path)
    known = page.evaluate("kredslob.known")
    random = np.random.default_rng(3)
    for move in range(4):
        drawn = {one["name"]: random.uniform(one["low"], one["high"]) for one in known["levers"]}
        rest = moved(page, drawn) if move else {}
        run = model.run_many({name: [value] for name, value in rest.items()}) if rest else None
        run = model.run() if run is None else run.isel(run=0)
        expected = [
            line
            for chart in known["charts"]
            for line in of_chart(run[chart["name"]].values)[: len(chart["lines"])]
        ]
        for found, wanted in zip(lines(page), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9 * abs(wanted).max())
    page.close()


def of_chart(values: np.ndarray) -> list[np.ndarray]:
    return list(values.reshape(len(values), -1).T)


def test_it_fetches_nothing_speaks_both_languages_and_passes_axe(
    chromium: Any, tmp_path: Path
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(chromium, explore(EPIDEMIC, shown=SHOWN, title="En epidemi"), tmp_path)
    assert page.inner_text("h1") == "En epidemi"
    assert "til sidst" in page.inner_text("#note0")
    moved(page, {"duration": 10.0})
    assert page.inner_text("[data-lever=duration] output") == "10 dag"
    page.click("[data-language=en]")
    assert page.inner_text("#note1").startswith("at the end ")
    assert page.inner_text("[data-lever='normal contacts'] output") == "12/day"
    page.click("[data-lever=duration] .reset")
    assert page.inner_text("[data-lever=duration] output") == "8 day"
    assert page.is_disabled("#reset-all")
    assert page.said == [(tmp_path / "page.html").as_uri()]
    assert Axe().run(page).response["violations"] == []
    page.close()


def test_a_setting_without_numbers_leaves_the_last_result_standing(
    chromium: Any, tmp_path: Path
) -> None:
    page = opened(chromium, explore(EPIDEMIC, levers={"duration": (0, 16)}, shown=SHOWN), tmp_path)
    before = lines(page)
    moved(page, {"duration": 0.0})
    assert page.inner_text("#notice") == words("da").text("explore.broken")
    np.testing.assert_equal(lines(page), before)
    page.close()


def test_names_and_units_from_a_file_are_text_and_nothing_else(
    chromium: Any, tmp_path: Path
) -> None:
    file = tmp_path / "hostile.mdl"
    file.write_text(HOSTILE, encoding="utf-8")
    page = opened(chromium, explore(file, title="</title><b>"), tmp_path)
    page.wait_for_timeout(100)
    assert page.evaluate("window.broken") is None
    assert "window.broken = 1" in page.inner_text("#sliders label")
    np.testing.assert_array_equal(lines(page)[0], [0, 3, 6, 9, 12])
    page.close()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"levers": ["speed"]}, "levers: epidemic.mdl has no variable 'speed'"),
        ({"levers": ["caution"]}, "levers: 'caution' is no constant (auxiliary)"),
        ({"levers": []}, "levers: found no name, expected some constants"),
        ({"levers": "duration"}, "levers: found 'duration', expected a list of names"),
        ({"levers": {"duration": (4, 4)}}, "found (4, 4), expected (low, high), rising"),
        ({"levers": {"duration": 4}}, "levers: 'duration': found 4, expected (low, high)"),
        ({"levers": ["INITIAL TIME"]}, "'INITIAL TIME' is 0, which has no half and double; give"),
        ({"levers": ["duration[x]"]}, "levers: 'duration' has no element 'x'; it has none"),
        ({"shown": ["speed"]}, "shown: epidemic.mdl has no variable 'speed'"),
        ({"shown": []}, "shown: found no name, expected some variables"),
        ({"shown": "Infectious"}, "shown: found 'Infectious', expected a list of names"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value[:30],
)
def test_what_makes_no_sense_is_one_clear_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        explore(EPIDEMIC, **given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_too_many_elements_are_refused_and_one_can_be_named() -> None:
    with pytest.raises(ParameterError, match="has 12 elements, a chart at most 5; name some"):
        explore(kredslob.load(), levers=["reinvestment rate"], shown=["in intervention"])
    name = "in intervention[families,moderate]"
    page = explore(kredslob.load(), levers=["reinvestment rate"], shown=[name], language="en")
    assert name in page.text


def test_a_page_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"no-folder.*cannot be written: No such file"):
        explore(EPIDEMIC).write(tmp_path / "no-folder" / "page.html")


def test_both_languages_have_the_same_words_with_the_same_gaps() -> None:
    danish, english = (
        {k: t for k, t in words(one).table.items() if k.startswith("explore.")} for one in LANGUAGES
    )
    assert danish.keys() == english.keys()
    for key in danish:
        gaps = [sorted(re.findall(r"\{\w+\}", one[key])) for one in (danish, english)]
        assert gaps[0] == gaps[1], key
