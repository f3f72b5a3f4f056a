"""Which log files there are, and the whole lines of them that are not shipped.

Belongs here: reading. Files of lines of ours have a name of their own for ever. Logs of servers
keep their name when they are turned (`kafka.log` becomes `kafka.log.1`) or begun again: they are
known by name and inode, and a file that is shorter than its position is read from its beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from resources.log_files.folder import FOLDER, line_files
from social_assets.pipeline.logs.positions import Range

SERVERS = ("clickhouse", "kafka", "kafka_connect", "demo-live")
"""Processes whose standard error is a log in `<home>/logs`."""

LONGEST_LINE = 1024**2
"""A longer line is cut into lines of this many bytes."""

_PROCESS = re.compile(r"^\d+-(?P<process>.+)-\d+-\d+\.jsonl$")


@dataclass(frozen=True)
class LogFile:
    """A file of log lines."""

    path: Path
    name: str
    """Relative to the folder of logs."""
    key: str
    process: str
    size: int
    is_ours: bool


def log_files(logs: Path) -> list[LogFile]:
    """The files of the folder, each process's oldest first."""
    found = []
    for process in SERVERS:
        for name in (f"{process}.log.1", f"{process}.log"):
            with suppress(FileNotFoundError):
                status = (logs / name).stat()
                key = f"{process}.log#{status.st_ino}"
                found.append(LogFile(logs / name, name, key, process, status.st_size, False))
    for path in line_files(logs / FOLDER):
        with suppress(FileNotFoundError):
            size = path.stat().st_size
            named = _PROCESS.match(path.name)
            process = named["process"] if named else path.stem
            found.append(LogFile(path, f"{FOLDER}/{path.name}", path.name, process, size, True))
    return found


def position_of(file: LogFile, shipped: Mapping[str, int]) -> int:
    """Where the lines begin that are not shipped."""
    position = shipped.get(file.key, 0)
    return position if position <= file.size else 0


def next_range(file: LogFile, position: int, most: int, *, is_complete: bool) -> Range | None:
    """The next whole lines of a file, of at most `most` bytes or else one line.

    The rest of a complete file is a line, also without its line break.
    """
    with suppress(FileNotFoundError), file.path.open("rb") as opened:
        opened.seek(position)
        content = opened.read(max(most, LONGEST_LINE))
        end = content.rfind(b"\n", 0, most) + 1
        if not end:
            end = content.find(b"\n") + 1
        if not end and (len(content) >= LONGEST_LINE or (is_complete and content)):
            end = min(len(content), LONGEST_LINE)
        if end:
            return Range(file.name, file.key, position, position + end)
    return None


def lines_of(logs: Path, each: Range) -> Iterator[tuple[int, bytes]]:
    """The lines of a range with their positions; what was removed or cut since has none."""
    with suppress(FileNotFoundError), (logs / each.file).open("rb") as opened:
        opened.seek(each.begin)
        at = each.begin
        while at < each.end:
            line = opened.readline(min(LONGEST_LINE, each.end - at))
            if not line:
                return
            if line.strip():
                yield at, line
            at += len(line)
