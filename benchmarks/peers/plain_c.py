"""Plain C, one run after another, compiled here with gcc."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.case import Array, Case

SOURCE = Path(__file__).with_name("reinvestment.c")
FLAGS = ("-O3", "-march=native")


class Clock(ctypes.Structure):
    """When a run starts, its step, how many steps, and how many from save to save."""

    _fields_ = (
        ("start", ctypes.c_double),
        ("step", ctypes.c_double),
        ("steps", ctypes.c_int),
        ("stride", ctypes.c_int),
    )


class _Lookup(ctypes.Structure):
    _fields_ = (
        ("points", ctypes.c_int),
        ("x", ctypes.POINTER(ctypes.c_double)),
        ("y", ctypes.POINTER(ctypes.c_double)),
    )


class PlainCPeer:
    """The model in C, called on a whole design.

    Parameters
    ----------
    case : Case
        What is run.
    flags : sequence of str
        Optimisation flags.
    compiler : str
        The C compiler.
    """

    def __init__(self, case: Case, flags: Sequence[str] = FLAGS, compiler: str = "gcc") -> None:
        self.case = case
        self._order = _fields(SOURCE.read_text(), "constants")
        self._row = _fields(SOURCE.read_text(), "stocks")
        self._function = ctypes.CDLL(str(compiled(SOURCE, flags, compiler))).run_all
        x, y = (np.ascontiguousarray(v) for v in case.lookups["reinvestment schedule"])
        pointer = ctypes.POINTER(ctypes.c_double)
        self._keep = (x, y)
        self._lookup = _Lookup(len(x), x.ctypes.data_as(pointer), y.ctypes.data_as(pointer))
        clock = case.clock
        self._clock = Clock(clock.start, clock.step, clock.steps, clock.stride)
        known = {_c_name(name): name for name in case.shapes}
        self._names = [known[field] for field in self._order]
        self._sizes = [int(np.prod(case.shapes[name], dtype=int)) for name in self._names]
        self._saved = [*(known[field] for field in self._row), *case.auxiliaries]
        self._width = sum(int(np.prod(case.shapes[n], dtype=int)) for n in self._saved)

    def run(self, design: Mapping[str, Array]) -> Array:
        """Run a design; an array of (run, time, everything saved)."""
        runs = len(next(iter(design.values())))
        constants = np.empty((runs, sum(self._sizes)))
        start = 0
        for name, size in zip(self._names, self._sizes, strict=True):
            if name in design:
                constants[:, start] = design[name]
            else:
                constants[:, start : start + size] = self.case.constants[name].ravel()
            start += size
        out = np.empty((runs, self.case.clock.saves, self._width))
        pointer = ctypes.POINTER(ctypes.c_double)
        self._function(
            runs,
            constants.ctypes.data_as(pointer),
            ctypes.byref(self._lookup),
            ctypes.byref(self._clock),
            out.ctypes.data_as(pointer),
        )
        return out

    def by_name(self, out: Array) -> dict[str, Array]:
        """The same by name, with the run first, then time, then subscripts."""
        named, start = {}, 0
        for name in self._saved:
            shape = self.case.shapes[name]
            size = int(np.prod(shape, dtype=int))
            named[name] = out[:, :, start : start + size].reshape(*out.shape[:2], *shape)
            start += size
        return named


def compiled(source: Path, flags: Sequence[str], compiler: str = "gcc") -> Path:
    """Compile a C file to a shared library in a temporary folder.

    Raises
    ------
    OSError
        The compiler is not installed, or it fails.
    """
    if shutil.which(compiler) is None:
        raise OSError(f"{compiler} is not installed")
    folder = Path(tempfile.mkdtemp(prefix="kredslob-benchmark-"))
    library = folder / f"{source.stem}.so"
    command = [compiler, *flags, "-shared", "-fPIC", str(source), "-o", str(library), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{compiler} fails on {source.name}: {done.stderr.strip()}")
    return library


def _fields(source: str, struct: str) -> list[str]:
    body = re.search(rf"struct {struct} {{(.*?)}};", source, re.S)
    if body is None:
        raise OSError(f"no struct {struct} in the C file")
    return re.findall(r"double (\w+)", body[1])


def _c_name(name: str) -> str:
    return name.replace(" ", "_")
