"""The docs site: it builds without a complaint, fetches nothing, and its tutorial works."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.workshop import browser

import kredslob
from kredslob.cli import main
from kredslob.show.documentation import documented

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TUTORIAL = (DOCS / "tutorial.md").read_text(encoding="utf-8")
OPENED = ("index.html", "generated/sector-06-fund.html", "generated/python-engine.html")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `docs/contributing.md` says to build it, in another folder."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(out / "kept")]
    done = subprocess.run(
        [*command, "-b", "html", str(DOCS), str(out / "html")],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stderr
    return out / "html"


@pytest.mark.slow
def test_the_site_fetches_nothing_and_nothing_is_complained_about(site: Path) -> None:
    with browser() as started:
        for name in OPENED:
            page = started.new_page()
            asked, said = [], []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("console", lambda message, said=said: said.append(message.text))
            page.on("pageerror", lambda problem, said=said: said.append(str(problem)))
            page.goto((site / name).as_uri())
            assert page.locator("h1").count() == 1, name
            assert page.evaluate("[...document.images].every((i) => i.naturalWidth > 0)"), name
            assert [url for url in asked if not url.startswith(("file:", "data:"))] == [], name
            assert said == [], name
        page.goto((site / "search.html").as_uri() + "?q=reinvestment")
        page.locator("#search-results li").first.wait_for()


@pytest.mark.slow
def test_every_equation_public_name_and_command_is_on_the_site(site: Path) -> None:
    pages = {p.name: p.read_text(encoding="utf-8") for p in (site / "generated").glob("*.html")}
    names = "".join(text for name, text in pages.items() if name.startswith("python-"))
    assert [n for n in kredslob.__all__ if f'id="kredslob.{n}"' not in names] == []
    sectors = "".join(text for name, text in pages.items() if name.startswith("sector-"))
    entries = documented(ROOT / "models/reinvestment/reinvestment.mdl").entries
    assert [e.name for e in entries if f"<h3>{e.name}<" not in sectors] == []
    assert {"kredslob run", "kredslob runs compare", "kredslob report"} <= set(
        re.findall(r"<h2>([^<]+)<", pages["commands.html"])
    )


@pytest.mark.slow
def test_the_tutorial_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its files are written, its commands and snippets run, and what it quotes is printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    monkeypatch.setenv("COLUMNS", "120")
    names: dict[str, Any] = {}
    last = ""
    for language, before, body in blocks(TUTORIAL.split("## 2.")[1]):
        saved = re.search(r"Save this as `([^`]+)`:$", before)
        if saved:
            Path(saved[1]).write_text(body, encoding="utf-8")
        elif language == "python":
            last = str(executed(body, names))
        elif language == "sh":
            for line in body.splitlines():
                assert called(monkeypatch, shlex.split(line)) == 0, line
            last = capsys.readouterr().out
        else:
            if before.endswith("what would be right:"):
                last = refused(monkeypatch, capsys)
            seen = plain(last)
            assert [line for line in body.splitlines() if plain(line) not in seen] == []
    assert Path("workshop.html").is_file()
    assert Path("epidemic.html").is_file()
    assert list(Path("reports/mine").glob("brief.en.*"))


def blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """Language, the text before, and the body of each fenced block."""
    parts = re.split(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    for before, language, body in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
        yield language, before.strip(), body


def plain(text: str) -> str:
    return " ".join(text.split())


def called(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> int:
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def executed(body: str, names: dict[str, Any]) -> Any:
    """Run a snippet; its last line is an expression, as in a notebook."""
    *above, last = body.rstrip().splitlines()
    exec("\n".join(above), names)
    return repr(eval(last, names))


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What the mistake of the tutorial is answered with."""
    path = Path("my-policy.toml")
    right = path.read_text(encoding="utf-8")
    path.write_text(right.replace('"75 %"', '"75 procent"'), encoding="utf-8")
    code = called(monkeypatch, ["kredslob", "run", "--scenario", path.name])
    path.write_text(right, encoding="utf-8")
    assert code == 2
    return capsys.readouterr().err
