"""Write views into a Vensim model file, in the sketch format of the Vensim Reference Manual."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from kredslob.errors import InputFileError
from kredslob.show.sketch.layout import Box, Pipe, View, views

_START = "\\\\\\---/// Sketch information - do not modify anything except names"
_INTRO = "V300  Do not put anything below this section - it will be ignored"
_STYLE = "$192-192-192,0,Arial|10||0-0-0|0-0-0|0-0-255|-1--1--1|-1--1--1|96,96,100,0"
_END = ("///---\\\\\\", ":L<%^E!@", "9:Current", "15:0,0,0,0,0,0", "19:100,0")
_PIPE_TO_TARGET, _PIPE_TO_SOURCE = 4, 100  # the end with the arrowhead, and the other one


def write_sketch(path: Path) -> None:
    """Lay out the sectors of a model and write them as the sketch of its file.

    Parameters
    ----------
    path : Path
        A ``.mdl`` file. All before its sketch section stays as it is; the section is replaced.

    Raises
    ------
    InputFileError
        The file cannot be read, or has no groups.
    """
    text = path.read_text(encoding="utf-8")
    if _START not in text:
        raise InputFileError(path, f"has no line '{_START}' after its equations")
    equations = text[: text.index(_START)]
    lines = [_START, _INTRO]
    for view in views(path):
        lines += [f"*{view.name}", _STYLE, *_objects(view)]
        lines += [_START, _INTRO]
    lines = lines[:-2] + list(_END)
    _replace(path, equations + "\n".join(lines) + "\n")


def _objects(view: View) -> Iterator[str]:
    number = count(1)
    ids: dict[str, int] = {}
    piped = {pipe.flow for pipe in view.pipes}
    for box in view.boxes:
        if box.name not in piped:
            ids[box.name] = next(number)
            yield _variable(ids[box.name], box)
    for pipe in view.pipes:
        cloud = next(number) if pipe.cloud else 0
        if pipe.cloud:
            yield f"12,{cloud},48,{pipe.cloud[0]},{pipe.cloud[1]},10,8,0,3,0,0,-1,0,0,0"
        to_target, to_source, valve, label = (next(number) for _ in range(4))
        target = ids[pipe.target] if pipe.target else cloud
        source = ids[pipe.source] if pipe.source else cloud
        x, y = pipe.valve
        yield _pipe(to_target, valve, target, _PIPE_TO_TARGET, _corner(view, pipe, pipe.target))
        yield _pipe(to_source, valve, source, _PIPE_TO_SOURCE, _corner(view, pipe, pipe.source))
        yield f"11,{valve},0,{x},{y},6,8,34,3,0,0,1,0,0,0"
        ids[pipe.flow] = label
        yield _variable(label, view.box(pipe.flow))
    for arrow in view.arrows:
        x, y = arrow.through
        start, end = ids[arrow.source], ids[arrow.target]
        yield f"1,{next(number)},{start},{end},1,0,0,0,0,64,0,-1--1--1,,1|({x},{y})|"


def _variable(number: int, box: Box) -> str:
    place = f"10,{number},{_name(box.name)},{box.x},{box.y},{box.width},{box.height}"
    if box.kind == "stock":
        return f"{place},3,3,0,0,0,0,0,0"
    if box.kind == "flow":
        return f"{place},40,3,0,0,-1,0,0,0"
    if box.kind == "shadow":
        return f"{place},8,2,0,3,-1,0,0,0,128-128-128,0-0-0,|10||128-128-128"
    return f"{place},8,3,0,0,0,0,0,0"


def _corner(view: View, pipe: Pipe, end: str | None) -> tuple[int, int]:
    """Where a pipe turns: level with its valve, above or below its stock."""
    if end is None:
        return pipe.cloud or pipe.valve
    box = view.box(end)
    side = box.width // 2 if pipe.valve[0] > box.x else -(box.width // 2)
    return box.x + side, pipe.valve[1]


def _pipe(number: int, valve: int, end: int, shape: int, corner: tuple[int, int]) -> str:
    x, y = corner
    return f"1,{number},{valve},{end},{shape},0,0,22,0,0,0,-1--1--1,,1|({x},{y})|"


def _name(name: str) -> str:
    return f'"{name}"' if "," in name else name


def _replace(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.replace(temporary, path)
