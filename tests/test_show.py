"""What people see: numbers as they are written, the same words in both languages, whole figures."""

from __future__ import annotations

import re
import string
from html.parser import HTMLParser
from pathlib import Path

import pytest
import xarray as xr

from kredslob.cycle.accounts import accounts, bookkeeping
from kredslob.cycle.draws import uncertain_rows
from kredslob.cycle.equity import equity
from kredslob.cycle.parameters import ParameterTable
from kredslob.cycle.scenario import load_scenario
from kredslob.cycle.summary import summary
from kredslob.errors import KredslobError
from kredslob.show.figures import Drawing
from kredslob.show.language import words
from kredslob.show.page import PageData, page
from kredslob.show.run_folder import draw_all
from kredslob.show.table import summary_frame, verdict
from kredslob.simulation import Model
from kredslob.studies.sweep import sweep
from whole_figures import assert_no_label_is_cut_off

RATE = "reinvestment rate"
DA, EN = words("da"), words("en")


@pytest.fixture(scope="module")
def runs(model: Model) -> xr.Dataset:
    place = load_scenario("private-unscreened")
    return sweep(model, place, {RATE: [0.0, 1.0]}, years=4, time_step=0.25, saveper=0.25)


@pytest.fixture(scope="module")
def drawn(runs: xr.Dataset) -> dict[str, list[Drawing]]:
    shares, views = equity(runs), bookkeeping(runs)
    return {language: draw_all(runs, shares, views, language) for language in ("da", "en")}


@pytest.fixture(scope="module")
def pages(runs: xr.Dataset, drawn: dict[str, list[Drawing]]) -> dict[str, str]:
    place = load_scenario("private-unscreened")
    data = PageData(place, runs, summary(runs), accounts(runs), equity(runs), "kredslob run")
    return {one: page(data, drawn[one], one, "other.html") for one in ("da", "en")}


# Numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("danish", "english", "expected"),
    [
        (DA.number(1234.5, 1), EN.number(1234.5, 1), ("1.234,5", "1,234.5")),
        (DA.number(-0.04, 1), EN.number(-0.04, 1), ("0,0", "0.0")),  # no minus before a zero
        (DA.number(-1234.5), EN.number(-1235.5), ("−1.234", "−1,236")),
        (DA.percent(0.256, 1), EN.percent(0.256, 1), ("25,6 %", "25.6%")),
        (DA.money(9_999), EN.money(9_999), ("9.999 kr.", "DKK 9,999")),
        (DA.money(12e6), EN.money(12e6), ("12,0 mio. kr.", "DKK 12.0 million")),
        (DA.money(-1.5e9), EN.money(-1.5e9), ("−1,5 mia. kr.", "DKK −1.5 billion")),
        (DA.millions(1_234_567_890), EN.millions(1_234_567_890), ("1.234,6", "1,234.6")),
        (DA.unit("DKK/(person*year)"), EN.unit("DKK/year"), ("kr./(person*år)", "DKK/year")),
        (DA.unit("DKK/service day"), EN.unit("Dmnl"), ("kr./ydelsesdag", "plain number")),
    ],
)
def test_numbers_are_written_as_people_write_them(
    danish: str, english: str, expected: tuple[str, str]
) -> None:
    assert (danish.replace("\xa0", " "), english.replace("\xa0", " ")) == expected


# Words --------------------------------------------------------------------------------------------


def test_both_languages_have_the_same_texts_with_the_same_gaps() -> None:
    def gaps(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    # what reads the same in English is not repeated
    optional = ("unit.", "origin.", "parameter.", "series.")
    for one, other in ((DA, EN), (EN, DA)):
        missing = [k for k in one.table if k not in other.table and not k.startswith(optional)]
        assert missing == []
    for key, text in EN.table.items():
        assert gaps(text) == gaps(DA.table[key]), key


def test_every_element_of_the_model_has_a_name(model: Model) -> None:
    for elements in model.subscripts.values():
        for element in elements:
            assert DA.element(element) != element
            assert EN.element(element)


def test_every_uncertain_parameter_has_a_danish_name(table: ParameterTable) -> None:
    for row in uncertain_rows(table, {}):
        assert f"parameter.{row.name}" in DA.table
    said = "pris på et forløb (familier med børn i risiko, komplekst behov)"
    assert DA.parameter("course price at normal intensity[families,complex]") == said


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(KredslobError, match="found language 'fr', expected one of da, en"):
        words("fr")


# The table ----------------------------------------------------------------------------------------


def test_the_table_answers_the_questions_in_both_languages(runs: xr.Dataset) -> None:
    found = summary(runs)
    danish, english = summary_frame(found, "da"), summary_frame(found, "en")
    assert danish.shape == english.shape
    assert [c.replace("\xa0", " ") for c in danish.columns] == ["0 %", "100 %"]
    asked = ("Citizens helped", "Share of help to complex", "Net saving of the state", "repaid")
    asked += ("Net present value", "per krone spent", "would carry itself", "carry itself?")
    for question in asked:
        assert any(question in measure for measure in english.index), question
    assert not set(danish.index) & set(english.index)


@pytest.mark.parametrize(
    ("carries", "gain", "said"),
    [(True, 1.1, "yes"), (False, 0.95, "nearly"), (False, 0.5, "no")],
)
def test_the_verdict_is_yes_nearly_or_no(carries: bool, gain: float, said: str) -> None:
    one = xr.Dataset({"self-sustaining": carries, "loop gain": gain})
    assert verdict(one, "en") == said


# Figures ------------------------------------------------------------------------------------------


def test_a_drawing_shows_itself_in_jupyter_with_its_alternative_text(
    drawn: dict[str, list[Drawing]],
) -> None:
    from IPython.core.formatters import DisplayFormatter

    for drawing in drawn["en"]:
        data, metadata = DisplayFormatter().format(drawing)
        assert data["image/png"][:4] == b"\x89PNG"
        assert metadata["image/png"]["alt"] == drawing.alt
        assert drawing.alt.startswith(f"{drawing.kind}. ")


def test_no_label_of_a_figure_is_cut_off(drawn: dict[str, list[Drawing]]) -> None:
    assert_no_label_is_cut_off([*drawn["da"], *drawn["en"]])


def test_figures_of_both_languages_share_no_title(drawn: dict[str, list[Drawing]]) -> None:
    for danish, english in zip(drawn["da"], drawn["en"], strict=True):
        assert danish.name == english.name
        assert danish.caption != english.caption


# The page -----------------------------------------------------------------------------------------


class Text(HTMLParser):
    """Visible text in the page's own language, outside pictures and what is marked as English."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.skipped: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        away = tag in ("style", "svg", "code") or ("lang" in dict(attrs) and tag != "html")
        if (away or self.skipped) and tag not in ("meta", "br"):
            self.skipped.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.skipped:
            while self.skipped and self.skipped.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.skipped and data.strip():
            self.parts.append(" ".join(data.split()))


def visible(page_text: str) -> str:
    parser = Text()
    parser.feed(page_text)
    return "\n".join(parser.parts)


def test_a_danish_page_speaks_danish_and_an_english_one_english(pages: dict[str, str]) -> None:
    shown = {language: visible(text) for language, text in pages.items()}
    for own, other in ((DA, EN), (EN, DA)):
        foreign = {
            text
            for key, text in other.table.items()
            if len(text) > 6 and "{" not in text and text not in own.table.values()
        }
        # whole words, so that Danish Region is not found in English "Regional"
        found = {t for t in foreign if re.search(rf"\b{re.escape(t)}\b", shown[own.language])}
        assert found == set(), own.language
    assert not re.search(r"\b(the|and|of|with|year)\b", shown["da"])
    assert not re.search(r"\b(og|af|med|ikke|år)\b", shown["en"])


def test_a_page_is_whole_and_fetches_nothing(pages: dict[str, str]) -> None:
    for language, text in pages.items():
        assert f'<html lang="{language}">' in text
        assert text.count("<svg") == text.count("<figcaption") == 7
        assert not re.search(r"<(script|link|img|iframe)\b", text)
        assert "{" not in visible(text)
        assert "nan" not in visible(text).lower().split()


def test_the_page_says_what_investors_get_and_who_pays(pages: dict[str, str]) -> None:
    assert re.search(r"Private investors (gain|lose) DKK", visible(pages["en"]))
    assert "The municipality puts up the money" in visible(pages["en"])
    assert "Kommunen lægger pengene" in visible(pages["da"])


def test_ids_of_the_figures_on_a_page_do_not_clash(pages: dict[str, str]) -> None:
    ids = re.findall(r'\bid="([^"]+)"', pages["da"])
    assert len(ids) == len(set(ids))


def test_every_parameter_is_on_the_page(pages: dict[str, str]) -> None:
    table = (Path(__file__).parents[1] / "models/reinvestment/parameters.csv").read_text("utf-8")
    rows = pages["da"].split('<table class="left small">')[1]
    assert rows.count('<th scope="row">') == len(table.splitlines()) - 1
