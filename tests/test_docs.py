"""What the documents promise is there: each link leads somewhere, and the examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kredslob.cli import app
from kredslob.cycle.changes import SCHEDULE
from kredslob.cycle.scenario import load_scenario, parameter_table
from kredslob.paths import reinvestment_folder
from kredslob.show.documentation import documented

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FILES = (ROOT / "docs" / "scenario-files.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert [t for t in targets if "://" not in t and not (path.parent / t).exists()] == []
    assert "<!-- todo" not in text.lower()


def test_the_readme_has_two_set_up_commands_and_a_result() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^python3 -m venv", text, re.MULTILINE)) == 2
    assert "| Citizens helped" in text


def test_the_commands_in_the_documents_exist() -> None:
    known = {command.name or command.callback.__name__ for command in app.registered_commands}  # type: ignore[union-attr]
    known |= {group.name for group in app.registered_groups}
    for path in DOCUMENTS:
        for name in re.findall(
            r"(?:`|^|/)kredslob ([a-z]+)", path.read_text("utf-8"), re.MULTILINE
        ):
            assert name in known, f"{path.name}: kredslob {name}"
    shown = CliRunner().invoke(app, ["run", "--help"]).output
    for option in ("--setting", "--scenario", "--rates", "--set", "--years", "--out", "--lang"):
        assert option in shown
    shown = CliRunner().invoke(app, ["threshold", "--help"]).output
    for option in ("--setting", "--scenario", "--set", "--years", "--draws", "--seed", "--out"):
        assert option in shown
    shown = CliRunner().invoke(app, ["uncertainty", "--help"]).output
    for option in ("--setting", "--scenario", "--set", "--rates", "--years", "--draws", "--seed"):
        assert option in shown
    named = {
        "uncertainty": ("--structure",),
        "sensitivity": ("--outcomes", "--range", "--trajectories", "--inputs", "--samples"),
        "search": ("--outcomes", "--enough", "--lever", "--draws", "--population", "--generations"),
    }
    for command, options in named.items():
        shown = CliRunner().invoke(app, [command, "--help"]).output
        assert all(option in shown for option in options), command


def test_the_example_of_a_scenario_file_loads(tmp_path: Path) -> None:
    path = tmp_path / "my-policy.toml"
    path.write_text(FILES.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    scenario = load_scenario(path, "national")
    assert scenario.parameters["reinvestment rate"] == 0.75
    assert scenario.parameters["capital at start"]["private investors"] == 50e6
    assert scenario.parameters["cashing delay"]["health"] == 1.5


def test_every_lever_and_switch_is_explained() -> None:
    missing = [
        row.name
        for row in parameter_table()
        if row.kind in ("lever", "switch") and row.name not in FILES
    ]
    assert missing == []
    assert SCHEDULE in FILES


def test_counts_in_the_documents_are_those_of_the_table() -> None:
    uncertain = [row for row in parameter_table() if row.kind == "parameter"]
    assumed = [row for row in uncertain if row.certainty == "assumed"]
    for path in (ROOT / "README.md", ROOT / "docs" / "model.md"):
        text = path.read_text(encoding="utf-8")
        assert re.search(rf"\b{len(assumed)}\b", text), path.name
        assert re.search(rf"\b{len(uncertain)}\b", text), path.name
    entries = documented(reinvestment_folder() / "reinvestment.mdl").entries
    equations = [entry for entry in entries if entry.kind != "control"]
    assert f"{len(equations)} equations" in text
