"""Processes of this user that were started for a home, for the refusal of a second daemon.

Here belongs what Linux tells in /proc; elsewhere nothing is found. A process's arguments are
compared and never shown: they may hold secrets.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

_PROC = Path("/proc")


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


def _runs(arguments: list[bytes], modules: Collection[bytes]) -> bool:
    return b"-m" in arguments and arguments[arguments.index(b"-m") + 1] in modules


def _environment(folder: Path) -> list[bytes]:
    return (folder / "environ").read_bytes().split(b"\0")
