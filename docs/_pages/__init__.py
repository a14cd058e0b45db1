"""Pages of the site that are written from the code and the model, so that they cannot go stale."""

from pathlib import Path

from _pages.commands import commands_page
from _pages.equations import write_equations
from _pages.names import GROUPS, names_page


def write_pages(folder: Path) -> None:
    """Write all of them.

    Parameters
    ----------
    folder : Path
        Where they go: one page of commands, one for each sector of the model with its diagram, and
        one for each group of public names. Files that would not change are left as they are.
    """
    folder.mkdir(exist_ok=True)
    pages = {"commands.md": commands_page(), **write_equations(folder)}
    pages |= {f"python-{group.slug}.rst": names_page(group) for group in GROUPS}
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
