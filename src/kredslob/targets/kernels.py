"""Compiled kernels on disk, so that the next process starts warm.

A kernel lies in a folder named by the hash of everything that it depends on: its source, the
runtime functions, the versions of the compiler, and the processor. The folder holds the source,
Numba's own cache files and their checksums; it is made out of sight and put in place when whole.
One that is damaged is made anew; where nothing can be written, the kernel is compiled for this
process only.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import threading
import types
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

_SUMS = "checksums.json"
_SOURCE = "kernel.py"
_loaded: dict[str, types.ModuleType] = {}
_one_at_a_time = threading.Lock()


def cache_folder() -> Path:
    """Folder of the kernels: ``KREDSLOB_CACHE``, or one in the user's cache folder."""
    from platformdirs import user_cache_path

    given = os.environ.get("KREDSLOB_CACHE")
    return Path(given) if given else user_cache_path("kredslob") / "kernels"


def compiled(source: str, function: str = "simulate") -> Callable[..., Any]:
    """Compile a kernel, or take it from the cache.

    Parameters
    ----------
    source : str
        From `kredslob.targets.source.kernel_source`, or of other functions that Numba compiles
        as soon as they are defined.
    function : str
        Which of its functions is wanted.

    Returns
    -------
    callable
        The function.
    """
    name = _hash(source)
    with _one_at_a_time:
        if name not in _loaded:
            folder = cache_folder() / name
            _loaded[name] = _from_cache(folder, source) or _made(folder, source)
        return getattr(_loaded[name], function)


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


def _from_cache(folder: Path, source: str) -> types.ModuleType | None:
    """The kernel of a folder; None if it is not there or not what was put there."""
    try:
        if not _is_whole(folder, source):
            return None
        return _load(folder / _SOURCE, source, folder.name)
    except Exception:  # whatever is wrong with it: it is only a copy, and is made anew
        return None


def _is_whole(folder: Path, source: str) -> bool:
    """Whether a folder is this user's own and holds what was put there for this source."""
    try:
        sums = json.loads((folder / _SUMS).read_text(encoding="utf-8"))
        kept = (folder / _SOURCE).read_bytes() == source.encode()
        return kept and _is_own(folder) and sums == _checksums(folder)
    except (OSError, ValueError):
        return False


def _made(folder: Path, source: str) -> types.ModuleType:
    """Compile a kernel and put it into the cache, if that can be written."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        hidden = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    except OSError:
        return _made_for_now(source, folder.name)
    try:
        try:
            (hidden / _SOURCE).write_bytes(source.encode())
            module = _load(hidden / _SOURCE, source, folder.name)
        except OSError:  # the disk is full
            return _made_for_now(source, folder.name)
        _put_in_place(hidden, folder, source)
        return module
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _put_in_place(hidden: Path, folder: Path, source: str) -> None:
    """Make a whole folder visible, unless another process was faster or it cannot be."""
    try:
        text = json.dumps(_checksums(hidden), indent=1)
        (hidden / _SUMS).write_text(text, encoding="utf-8")
        if folder.exists() and not _is_whole(folder, source):
            shutil.rmtree(folder, ignore_errors=True)
        os.replace(hidden, folder)
    except OSError:
        return


def _made_for_now(source: str, name: str) -> types.ModuleType:
    """Compile for this process only."""
    with tempfile.TemporaryDirectory(prefix="kredslob-") as folder:
        path = Path(folder) / _SOURCE
        return _load(path, source.replace(", cache=True)", ")"), name)


def _load(path: Path, source: str, number: str) -> types.ModuleType:
    """Run a kernel's source; this compiles it, or takes Numba's cache files beside ``path``.

    Python's own cache of bytecode is left out of it: nothing would vouch for its files.
    """
    name = f"kredslob_kernel_{number}"  # Numba's files hold it
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # Numba looks its functions up by module
    try:
        exec(compile(source, path, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _checksums(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != _SUMS
    }


def _is_own(folder: Path) -> bool:
    """Whether nobody but this user can have put files there: they hold machine code."""
    there = folder.stat()
    if not hasattr(os, "getuid"):
        return True
    return there.st_uid == os.getuid() and not there.st_mode & 0o022
