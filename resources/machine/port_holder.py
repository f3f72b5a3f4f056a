"""Which process listens on a port of this machine, for the error about a used port.

Belongs here: reading /proc of Linux. A process's arguments are not shown, since they may contain
secrets.
"""

from __future__ import annotations

import time
from pathlib import Path

_LISTEN = "0A"
_PROC = Path("/proc")


def holder(port: int) -> str:
    """`process 4711 (python) since 2026-01-31 10:00:00 UTC`, as far as it can be known."""
    pid = _listening_process(port)
    if pid is None:
        return "a process that this user cannot see"
    return describe_process(pid)


def describe_process(pid: int) -> str:
    """Its id, name and start."""
    try:
        name = (_PROC / str(pid) / "comm").read_text().strip()
        started = (_PROC / str(pid)).stat().st_ctime
    except OSError:
        # It has ended meanwhile, or this system has no /proc.
        return f"process {pid}"
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(started))
    return f"process {pid} ({name}) since {since}"


def _listening_process(port: int) -> int | None:
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and _holds(folder / "fd", inodes):
            return int(folder.name)
    return None


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in (_PROC / "net" / "tcp", _PROC / "net" / "tcp6"):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rsplit(":", 1)[1], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def _holds(descriptors: Path, sockets: set[str]) -> bool:
    try:
        return any(_target(each) in sockets for each in descriptors.iterdir())
    except OSError:
        # Another user's process, or one that has just ended.
        return False


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        # It was closed a moment ago; the others of the process still count.
        return ""
