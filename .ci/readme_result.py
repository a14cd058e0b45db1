"""Compare the result that README.md states with the run that its first command made."""

from __future__ import annotations

import csv
import sys
from pathlib import Path


def main(summary: Path, readme: Path) -> int:
    """Print each row that differs; 1 if any does."""
    with summary.open(encoding="utf-8", newline="") as file:
        wanted = [" | ".join(row[1:]) for row in csv.reader(file)]
    text = readme.read_text(encoding="utf-8")
    stated = text.split("<!-- result -->")[1].split("<!-- end of result -->")[0]
    rows = [line.strip("| ").split(" | ", 1)[1] for line in stated.splitlines() if " | " in line]
    for want, row in zip(wanted, rows, strict=True):
        if want != row:
            print(f"README.md states '{row}', the run gives '{want}'")
    return int(wanted != rows)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
