"""Compiled kernels on disk, so that the next process starts warm.

A kernel lies in a folder named by the hash of everything that it depends on: its source, the
runtime functions, the versions of the compiler, and the processor. The folder holds the source,
Numba's own cache files and their checksums; it is made out of sight and put in place when whole.
One that is damaged is made anew; where nothing can be written, the kernel is compiled for this
process only.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

_SUMS = "checksums.json"
_SOURCE = "kernel.py"
_loaded: dict[str, Callable[..., Any]] = {}
_one_at_a_time = threading.Lock()


def cache_folder() -> Path:
    """Folder of the kernels: ``KREDSLOB_CACHE``, or one in the user's cache folder."""
    from platformdirs import user_cache_path

    given = os.environ.get("KREDSLOB_CACHE")
    return Path(given) if given else user_cache_path("kredslob") / "kernels"


def compiled(source: str) -> Callable[..., Any]:
    """Compile a kernel, or take it from the cache.

    Parameters
    ----------
    source : str
        From `kredslob.targets.source.kernel_source`.

    Returns
    -------
    callable
        The kernel's ``simulate``.
    """
    name = _hash(source)
    with _one_at_a_time:
        if name not in _loaded:
            folder = cache_folder() / name
            _loaded[name] = _from_cache(folder) or _made(folder, source)
        return _loaded[name]


def _hash(source: str) -> str:
    import llvmlite.binding as llvm

    from kredslob.targets import lanes, runtime, vector_math

    parts = (
        source,
        *(Path(str(m.__file__)).read_text(encoding="utf-8") for m in (runtime, lanes, vector_math)),
        *(version(package) for package in ("numba", "llvmlite", "numpy")),
        platform.python_version(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _from_cache(folder: Path) -> Callable[..., Any] | None:
    """The kernel of a folder; None if it is not there or not what was put there."""
    try:
        if not _is_own(folder):
            return None
        sums = json.loads((folder / _SUMS).read_text(encoding="utf-8"))
        if sums != _checksums(folder):
            shutil.rmtree(folder, ignore_errors=True)
            return None
        return _load(folder / _SOURCE, folder.name)
    except Exception:  # whatever is wrong with it: it is only a copy, and is made anew
        shutil.rmtree(folder, ignore_errors=True)
        return None


def _made(folder: Path, source: str) -> Callable[..., Any]:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        hidden = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    except OSError:
        return _made_for_now(source, folder.name)
    try:
        (hidden / _SOURCE).write_text(source, encoding="utf-8")
        simulate = _load(hidden / _SOURCE, folder.name)
        text = json.dumps(_checksums(hidden), indent=1)
        (hidden / _SUMS).write_text(text, encoding="utf-8")
        if folder.exists() and _from_cache(folder) is None:
            shutil.rmtree(folder, ignore_errors=True)
        os.replace(hidden, folder)
    except OSError:  # another process was faster, or the disk is full
        shutil.rmtree(hidden, ignore_errors=True)
        return _from_cache(folder) or _made_for_now(source, folder.name)
    return simulate


def _made_for_now(source: str, name: str) -> Callable[..., Any]:
    """Compile for this process only."""
    with tempfile.TemporaryDirectory(prefix="kredslob-") as folder:
        path = Path(folder) / _SOURCE
        path.write_text(source.replace(", cache=True)", ")"), encoding="utf-8")
        return _load(path, name)


def _load(path: Path, number: str) -> Callable[..., Any]:
    """Import a kernel; this compiles it, or takes Numba's cache files beside it."""
    name = f"kredslob_kernel_{number}"  # Numba's files hold it
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Numba looks its functions up by module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    simulate: Callable[..., Any] = module.simulate
    return simulate


def _checksums(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != _SUMS and not file.name.endswith(".pyc")
    }


def _is_own(folder: Path) -> bool:
    """Whether nobody but this user can have put files there: they hold machine code."""
    there = folder.stat()
    if not hasattr(os, "getuid"):
        return True
    return there.st_uid == os.getuid() and not there.st_mode & 0o022
