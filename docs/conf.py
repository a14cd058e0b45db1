"""How Sphinx builds the site from this folder. It needs no internet, and neither does the site."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]
os.environ.setdefault("MPLBACKEND", "agg")

from _pages import write_pages  # noqa: E402 - found by the line above

project = "kredslob"
author = "The kredslob maintainers"
copyright = author  # noqa: A001 - the name that Sphinx asks for
version = release = version_of("kredslob")
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
exclude_patterns = ["_pages", "_site"]

# --- reference from docstrings
default_role = "code"  # names stand between single backticks
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_preprocess_types = False
autodoc_typehints = "none"  # the docstring says shapes and units, which types do not
autodoc_member_order = "bysource"

# --- look
html_theme = "furo"
html_title = "kredslob"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_show_sphinx = False
html_copy_source = False
pygments_style = "friendly"

write_pages(HERE / "generated")


def setup(app: Sphinx) -> None:
    """Read docstrings as they are meant."""
    app.connect("autodoc-process-docstring", _escape_bars)


def _escape_bars(*args: Any) -> None:
    """Make a bar in a docstring a bar; reStructuredText would take it for a substitution."""
    lines: list[str] = args[-1]
    for number, line in enumerate(lines):
        if "|" in line and "`" not in line and not line.lstrip().startswith((">>>", "...")):
            lines[number] = line.replace("|", r"\|")
