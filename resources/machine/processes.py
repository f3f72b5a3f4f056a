"""Processes of this user that were started for a home, and workers that end with their parent.

Here belongs what Linux tells in /proc; elsewhere nothing is found. A process's arguments are
compared and never shown: they may hold secrets.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

_PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1
"""Of Linux's `prctl`."""
_SPAWNED = b"--multiprocessing-fork"


def end_with_parent(parent: int) -> None:
    """Have this process killed when the thread of `parent` that started it ends, also by kill -9.

    For worker processes, which would wait for work for ever. Does nothing but on Linux.
    """
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def processes_of(variable: str, value: str, modules: Collection[str]) -> Iterator[int]:
    """The other processes that run one of the Python modules with this value of a variable."""
    setting = f"{variable}={value}".encode()
    wanted = {module.encode() for module in modules}
    for folder in _PROC.glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            is_one = _runs(arguments, wanted) and setting in _environment(folder)
        except OSError:
            # Another user's process, or one that has just ended.
            continue
        if is_one:
            yield int(folder.name)


def has_worker_of(variable: str, value: str) -> bool:
    """Whether a process that Python's multiprocessing has spawned has this value of a variable.

    True where the system does not tell.
    """
    if not (_PROC / "self").exists():
        return True
    setting = f"{variable}={value}".encode()
    for folder in _PROC.glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            if _SPAWNED in arguments and setting in _environment(folder):
                return True
        except OSError:
            # Another user's process, or one that has just ended.
            continue
    return False


def _runs(arguments: list[bytes], modules: Collection[bytes]) -> bool:
    return b"-m" in arguments and arguments[arguments.index(b"-m") + 1] in modules


def _environment(folder: Path) -> list[bytes]:
    return (folder / "environ").read_bytes().split(b"\0")
