"""Runs the JavaScript that kredslob writes: in Node, and in a headless Chromium."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from kredslob.program import Program
from kredslob.targets.javascript import module_source, script_source
from kredslob.targets.numba import Batch

CHROMIUM = "/usr/bin/chromium"
NODE = shutil.which("node") or ""
# Numbers go to and fro as bytes: JSON knows neither NaN nor the last digit.
_ANSWER = """
function answer(model, text) {
  const bytes = (t) => Uint8Array.from(atob(t), (c) => c.charCodeAt(0));
  const text64 = (array) => {
    const all = new Uint8Array(array.buffer);
    let letters = "";
    for (let k = 0; k < all.length; k += 4096) {
      letters += String.fromCharCode(...all.subarray(k, k + 4096));
    }
    return btoa(letters);
  };
  try {
    const request = JSON.parse(text);
    if (request.constants) request.constants = new Float64Array(bytes(request.constants).buffer);
    const { times, values } = model.simulate(request);
    return { times: text64(times), values: text64(values) };
  } catch (problem) {
    return { error: problem.message };
  }
}
"""
_NODE_HOST = f"""{_ANSWER}
const lines = require("readline").createInterface({{ input: process.stdin }});
const models = {{}};
(async () => {{
  for await (const line of lines) {{
    const {{ module, request }} = JSON.parse(line);
    if (!(module in models)) models[module] = await import(module);
    console.log(JSON.stringify(answer(models[module], request)));
  }}
}})();
"""


class Engine(Protocol):
    """Something that runs a model's JavaScript."""

    def run(self, program: Program, request: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """Times and values (times x places); a ``RuntimeError`` holds what it throws."""
        ...


class Node:
    """A Node process that keeps the modules it has seen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: dict[int, tuple[Program, Path]] = {}
        self.process = subprocess.Popen(
            [NODE, "-e", _NODE_HOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, program: Program, request: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        if id(program) not in self.modules:
            path = self.folder / f"model{len(self.modules)}.mjs"
            path.write_text(module_source(program), encoding="utf-8")
            self.modules[id(program)] = program, path
        line = {"module": str(self.modules[id(program)][1]), "request": _packed(request)}
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(line), file=self.process.stdin, flush=True)
        return _unpacked(json.loads(self.process.stdout.readline()), request)

    def close(self) -> None:
        self.process.communicate()


class Chromium:
    """Pages of a headless Chromium, one a model, each with the model as an inline script."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.pages: dict[int, tuple[Program, Any]] = {}

    def run(self, program: Program, request: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        if id(program) not in self.pages:
            page = self.browser.new_page()
            page.set_content(page_of(script_source(program), _ANSWER))
            self.pages[id(program)] = program, page
        page = self.pages[id(program)][1]
        return _unpacked(page.evaluate("r => answer(kredslobModel, r)", _packed(request)), request)


def page_of(*scripts: str) -> str:
    """A page with these scripts in it."""
    inline = "".join(f"<script>{script}</script>" for script in scripts)
    return f'<!doctype html><html><head><meta charset="utf-8">{inline}</head><body></body></html>'


@contextmanager
def chromium_browser() -> Iterator[Any]:
    """Start Debian's Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def request_of(batch: Batch, run: int, places: Sequence[int], **options: Any) -> Mapping[str, Any]:
    """One run of a batch, as ``simulate`` takes it."""
    first = options.pop("first_constant")
    constants = batch.constants.copy()
    constants[batch.varied - first] = batch.values[run]
    variant = 0 if batch.variant is None else int(batch.variant[run])
    tables = {
        name: [[list(map(float, xs)), list(map(float, ys))] for xs, ys in points]
        for name, points in batch.tables[variant].items()
    }
    return {
        "constants": constants,
        "tables": tables,
        "places": list(map(int, places)),
        "seed": batch.seed,
        "number": int(batch.numbers[run]),
        **options,
    }


def _packed(request: Mapping[str, Any]) -> str:
    packed = dict(request)
    if "constants" in packed:
        constants = np.asarray(packed["constants"], dtype="<f8")
        packed["constants"] = base64.b64encode(constants.tobytes()).decode()
    return json.dumps(packed)


def _unpacked(
    answer: Mapping[str, str], request: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    if "error" in answer:
        raise RuntimeError(answer["error"])
    times, values = (
        np.frombuffer(base64.b64decode(answer[name]), dtype="<f8") for name in ("times", "values")
    )
    return times, values.reshape(len(times), len(request["places"]))
