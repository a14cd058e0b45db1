"""C that SDEverywhere generates from the model file, with a small runtime and a driver of ours.

Its compiler is an npm package: ``npm install --install-links`` in benchmarks/peers/sdeverywhere
brings it.
"""

from __future__ import annotations

import ctypes
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.case import Array, Case
from benchmarks.peers.plain_c import FLAGS, Clock, compiled

FOLDER = Path(__file__).with_name("sdeverywhere")


class GeneratedCPeer:
    """The model as SDEverywhere writes it in C.

    Parameters
    ----------
    case : Case
        What is run. Constants that the case changes for all runs must be scalars.
    flags : sequence of str
        Optimisation flags of gcc.

    Raises
    ------
    OSError
        Node, the npm package or gcc is not installed, or the model cannot be read.
    """

    def __init__(self, case: Case, flags: Sequence[str] = FLAGS) -> None:
        if any(case.shapes[name] for name in case.changed):
            raise OSError("its inputs are scalars, and this case changes subscripted constants")
        self.case = case
        self._inputs = [*case.varied, *case.changed]
        out = Path(tempfile.mkdtemp(prefix="kredslob-benchmark-"))
        spec = {"inputVarNames": self._inputs, "outputVarNames": list(self._elements())}
        (out / "spec.json").write_text(json.dumps(spec))
        _generate(case.path, out)
        shutil.copy(FOLDER / "driver.c", out)
        library = compiled(out / "driver.c", (*flags, f"-I{FOLDER}"))
        self._function = ctypes.CDLL(str(library)).run_all
        clock = case.clock
        self._clock = Clock(clock.start, clock.step, clock.steps, clock.stride)
        self._width = len(spec["outputVarNames"])

    def run(self, design: Mapping[str, Array]) -> Array:
        """Run a design; an array of (run, time, everything saved)."""
        runs = len(next(iter(design.values())))
        values = np.empty((runs, len(self._inputs)))
        for column, name in enumerate(self._inputs):
            values[:, column] = design.get(name, self.case.constants[name])
        out = np.empty((runs, self.case.clock.saves, self._width))
        pointer = ctypes.POINTER(ctypes.c_double)
        self._function(
            runs,
            len(self._inputs),
            values.ctypes.data_as(pointer),
            ctypes.byref(self._clock),
            out.ctypes.data_as(pointer),
        )
        return out

    def by_name(self, out: Array) -> dict[str, Array]:
        """The same by name, with the run first, then time, then subscripts."""
        named, start = {}, 0
        for name in self.case.saved:
            shape = self.case.shapes[name]
            size = int(np.prod(shape, dtype=int))
            named[name] = out[:, :, start : start + size].reshape(*out.shape[:2], *shape)
            start += size
        return named

    def _elements(self) -> list[str]:
        names = []
        for name in self.case.saved:
            ranges = [self.case.subscripts[dim] for dim in self.case.variable(name).dims]
            names += [f"{name}[{','.join(e)}]" if e else name for e in product(*ranges)]
        return names


def _generate(model: Path, out: Path) -> None:
    if shutil.which("node") is None:
        raise OSError("node is not installed")
    if not (FOLDER / "node_modules").is_dir():
        raise OSError(f"run 'npm install --install-links' in {FOLDER.name} first")
    script = FOLDER / "generate.mjs"
    command = ["node", str(script), str(model), str(out / "spec.json"), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not (out / "model.c").is_file():
        raise OSError(f"SDEverywhere cannot read {model.name}: {done.stderr.strip()[:300]}")
