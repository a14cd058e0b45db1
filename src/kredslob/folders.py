"""A folder that is there whole or not at all, whatever happens while it is written.

It is filled out of sight beside its place, brought to the disk, and put in place in one step, which
the file system does whole or not at all. While its process lives, a lock on the hidden folder says
so; the kernel lets go of the lock when the process ends, however it ends. So what a killed process
left behind can be told from what somebody is writing now.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from kredslob.errors import InputFileError

HIDDEN = ".kredslob-unfinished-"
_HDF5_NUMBER = re.compile(r"errno = (\d+)")


@contextmanager
def new_run_folder(folder: Path) -> Iterator[Path]:
    """Fill a folder out of sight and put it in place when it is whole.

    Parameters
    ----------
    folder : Path
        Where it is to lie; it must not exist, or be empty.

    Yields
    ------
    Path
        A temporary folder beside it. If the block fails, nothing is left of it.

    Raises
    ------
    InputFileError
        The folder is in use, cannot be made, or cannot be written, as when the disk is full.
    """
    check_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        hidden, lock = _locked_folder(folder.parent)
    except OSError as problem:
        raise InputFileError(folder, f"cannot be made ({problem.strerror})") from problem
    try:
        yield hidden
        hidden.chmod(0o755)  # mkdtemp makes it private
        _to_disk(hidden)
        check_free(folder)
        if os.name == "nt" and folder.exists():
            folder.rmdir()  # elsewhere an empty folder gives way by itself
        os.replace(hidden, folder)
        _sync(folder.parent)
    except (OSError, RuntimeError) as problem:
        _fail(folder, problem)
    except InputFileError as problem:  # of a file out of sight, which nobody knows by its name
        if isinstance(problem.__cause__, OSError) and hidden.name in str(problem):
            _fail(folder, problem.__cause__)
        raise
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        os.close(lock)


def check_free(folder: Path) -> None:
    """Raise InputFileError unless a run can be put in this folder."""
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise InputFileError(folder, "is in use; give an empty or new folder")
        if folder.exists() and not folder.is_dir():
            raise InputFileError(folder, "is a file; give an empty or new folder")
    except OSError as problem:
        raise InputFileError(folder, f"cannot be looked into ({problem.strerror})") from problem


def left_behind(parent: Path) -> list[Path]:
    """Hidden folders that no process is writing any more, in the order of their names.

    Parameters
    ----------
    parent : Path
        The folder that holds the runs.
    """
    found = []
    for path in _hidden_folders(parent):
        with _lock_of(path) as free:
            if free:
                found.append(path)
    return found


def remove_left_behind(parent: Path) -> list[Path]:
    """Remove the hidden folders that no process is writing any more; returns those removed.

    Raises
    ------
    InputFileError
        One cannot be removed.
    """
    removed = []
    for path in _hidden_folders(parent):
        with _lock_of(path) as free:
            if free:
                remove(path)
                removed.append(path)
    return removed


def remove(folder: Path) -> None:
    """Remove a folder: first out of sight, so that none is ever seen half removed.

    Raises
    ------
    InputFileError
        It cannot be removed.
    """
    try:
        if not folder.name.startswith(HIDDEN):
            hidden = folder.with_name(f"{HIDDEN}removed-{folder.name}-{os.getpid()}")
            os.replace(folder, hidden)
            folder = hidden
        shutil.rmtree(folder)
    except OSError as problem:
        raise InputFileError(folder, f"cannot be removed ({problem.strerror})") from problem


def _hidden_folders(parent: Path) -> list[Path]:
    return sorted(p for p in parent.glob(f"{HIDDEN}*") if p.is_dir() and not p.is_symlink())


def _locked_folder(parent: Path) -> tuple[Path, int]:
    """Make a hidden folder and lock it; anew if it was cleaned away before the lock held."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=HIDDEN, dir=parent))
        if os.name == "nt":
            return path, os.open(os.devnull, os.O_RDONLY)
        with suppress(FileNotFoundError):
            handle = os.open(path, os.O_RDONLY)
            if _try_lock(handle) and path.exists():
                return path, handle
            os.close(handle)


@contextmanager
def _lock_of(path: Path) -> Iterator[bool]:
    """Whether nobody writes this folder; if so, it stays locked within the block."""
    if os.name == "nt":
        yield False  # folders cannot be locked there: better to leave one too many
        return
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # gone or put in place meanwhile
        yield False
        return
    try:
        yield _try_lock(handle) and path.exists()
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _to_disk(folder: Path) -> None:
    """Have all files and folders written to the disk, so that the rename cannot outrun them."""
    for place, _, files in os.walk(folder):
        for name in files:
            _sync(Path(place, name))
        _sync(Path(place))


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # folders cannot be opened there
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _fail(folder: Path, problem: OSError | RuntimeError) -> NoReturn:
    """Say in one line why nothing could be written; what is no such fault passes as it is."""
    number = problem.errno if isinstance(problem, OSError) else None
    if number is None:  # HDF5 puts the number into its text
        match = _HDF5_NUMBER.search(str(problem))
        number = int(match[1]) if match else None
    if number is None:
        raise problem
    reason = os.strerror(number)
    raise InputFileError(folder, f"cannot be written ({reason}); nothing was saved") from problem
