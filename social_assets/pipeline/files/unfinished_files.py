"""Tells whether a file is still being written: by its name, and by whether it is at rest.

Belongs here: what can be seen without reading the file. A file is at rest if neither its size nor
its times have changed for REST seconds.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

REST = "SOCIAL_ASSETS_LANDING_REST_SECONDS"
"""Environment variable: how long a file in landing must be unchanged before it is loaded."""

REST_SECONDS = 5.0

_UNFINISHED = re.compile(
    r"^[.~]|~$|^#.*#$"  # hidden files; locks and copies of editors and offices
    r"|^_(success|temporary|tmp|temp)$|^_(tmp|temp)[._-]|^_(started|committed)_\d"  # of Spark
    r"|[._-]tmp(\.|$)|\.(temp|part|partial)(\.|$)"
    r"|\.(filepart|crdownload|download|opdownload|aria2|gstmp|_copying_)$"
    r"|\.(sw[opx]|lock|lck|writing|inprogress)$|_\.gstmp$",
    re.IGNORECASE,
)


def rest_seconds() -> float:
    """The setting REST. Raises ValueError if it is no number of seconds."""
    text = os.environ.get(REST, "").strip()
    if not text:
        return REST_SECONDS
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise ValueError(f"{REST} is {text!r}: write a number of seconds, as {REST_SECONDS:g}")
    return float(text)


def is_unfinished(name: str) -> bool:
    """Whether programs give such a name to a file that they still write, or to a lock."""
    return _UNFINISHED.search(name) is not None


@dataclass(frozen=True)
class Seen:
    """What can be seen of a file's content from outside: if it changes, so has the content."""

    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Seen | None:
        """The file as it is now; None if there is none."""
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        return cls(found.st_ino, found.st_size, found.st_mtime_ns)


def at_rest(paths: Iterable[Path]) -> list[Path]:
    """Those of the files that are at rest. Waits once for the others, as long as a rest takes."""
    listed, rest = list(paths), rest_seconds()
    moving = {path: Seen.of(path) for path in listed if not is_at_rest(path, rest)}
    if moving:
        time.sleep(rest)
    return [p for p in listed if p not in moving or _is_unchanged(moving[p], Seen.of(p))]


def is_at_rest(path: Path, rest: float) -> bool:
    """Whether a file has been unchanged for `rest` seconds, by its times."""
    if rest <= 0:
        return True
    try:
        found = path.lstat()
    except FileNotFoundError:
        return True  # for a load to say
    now = time.time()
    # A copy may keep the time of its original, even one to come. The time of the inode tells when
    # it was written; where it lies in the future, a clock was set, and the load looks twice.
    times = [t for t in (found.st_mtime, found.st_ctime) if t <= now + rest]
    return all(now - changed >= rest for changed in times)


def _is_unchanged(before: Seen | None, after: Seen | None) -> bool:
    return before == after
