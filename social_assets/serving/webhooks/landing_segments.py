"""Stores events in files of the landing folder, which the file ingest loads: without Kafka.

Belongs here: writing, syncing and sealing. A stream's open segment is a hidden file, to which lines
are appended; a sealed one has its final name and is never written to again. A process holds the
lock of its open segments, so that others can tell the segments of dead processes: these are sealed
at the next start.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from social_assets.ingest.webhooks.webhook import WebhookEvent

_log = logging.getLogger(__name__)

_OPEN = ".webhooks_"
_OPEN_SUFFIX = ".writing"
_SEALED_SUFFIX = ".ndjson"
LARGEST_BYTES = 64 * 2**20
"""A segment of this size is sealed, however young."""

_TAIL = 64 * 1024


@dataclass
class _Segment:
    """An open file and its lock, up to where it is synced, and since when it is written."""

    file: int
    path: Path
    since: float
    size: int = 0


class LandingSegments:
    """Segments in `<landing>/<stream>/`, at most one open a stream."""

    def __init__(self, landing: Path, seal_seconds: float) -> None:
        self._landing = landing
        self._seal_seconds = seal_seconds
        self._open: dict[str, _Segment] = {}

    def write(self, events: Sequence[WebhookEvent]) -> Mapping[int, str]:
        """Append the events, and sync them; the places of those that are not, and why."""
        places: dict[str, list[int]] = defaultdict(list)
        for place, event in enumerate(events):
            places[event.stream].append(place)
        failed: dict[int, str] = {}
        for stream, numbers in places.items():
            lines = b"".join(events[number].value + b"\n" for number in numbers)
            try:
                self._append(stream, lines)
            except OSError as error:
                _log.warning(
                    "webhook events of %s cannot be stored in %s: %s; deliveries are answered 503",
                    *(stream, self._landing / stream, error.strerror or error),
                )
                failed |= dict.fromkeys(numbers, error.strerror or type(error).__name__)
        return failed

    def tend(self) -> None:
        """Seal the segments that are old enough."""
        now = time.monotonic()
        for stream, segment in [*self._open.items()]:
            if segment.size and now - segment.since >= self._seal_seconds:
                self._seal(stream)

    def close(self) -> None:
        """Seal all segments."""
        for stream in [*self._open]:
            self._seal(stream)

    def recover(self, streams: Sequence[str]) -> int:
        """Seal the segments that processes left which are dead; returns how many there were."""
        left = [
            path
            for stream in streams
            for path in sorted((self._landing / stream).glob(f"{_OPEN}*{_OPEN_SUFFIX}"))
        ]
        return sum(_sealed_after_death(path) for path in left)

    def _append(self, stream: str, lines: bytes) -> None:
        segment = self._open.get(stream)
        if segment is None:
            segment = self._open[stream] = _new_segment(self._landing / stream)
        if not segment.size:
            segment.since = time.monotonic()
        try:
            _write_all(segment.file, lines)
            os.fdatasync(segment.file)
        except OSError:
            self._cut_off(stream, segment)
            raise
        segment.size += len(lines)
        if segment.size >= LARGEST_BYTES:
            self._seal(stream)

    def _cut_off(self, stream: str, segment: _Segment) -> None:
        """Remove what was not synced. After a failed sync nothing more goes into that file."""
        try:
            os.ftruncate(segment.file, segment.size)
        except OSError:
            _log.exception("%s keeps half a line: it is removed when the file is sealed", segment)
        self._seal(stream)

    def _seal(self, stream: str) -> None:
        segment = self._open.pop(stream)
        try:
            _give_final_name(segment.path, segment.file)
        except OSError:
            # It stays hidden, and complete: the next start seals it.
            _log.exception("%s cannot be sealed now", segment.path)
        finally:
            os.close(segment.file)


def _new_segment(folder: Path) -> _Segment:
    folder.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    path = folder / f"{_OPEN}{stamp}_{os.getpid()}_{secrets.token_hex(4)}{_OPEN_SUFFIX}"
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        _sync_folder(folder)
    except OSError:
        os.close(file)
        raise
    return _Segment(file, path, time.monotonic())


def _sealed_after_death(path: Path) -> bool:
    """Seal a segment if the process that wrote to it is dead."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False  # another process has just sealed it
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not path.exists():
            return False
        _give_final_name(path, file)
    except BlockingIOError:
        return False  # its process lives
    finally:
        os.close(file)
    return True


def _give_final_name(path: Path, file: int) -> None:
    """Cut off what stands after the last complete line, and rename; remove an empty segment."""
    size = _complete_size(file)
    if size == 0:
        path.unlink()
        return
    if size != os.fstat(file).st_size:
        os.ftruncate(file, size)
    os.fsync(file)
    name = path.name.removeprefix(".").removesuffix(_OPEN_SUFFIX) + _SEALED_SUFFIX
    path.rename(path.with_name(name))
    _sync_folder(path.parent)


def _complete_size(file: int) -> int:
    """Where the last complete line ends."""
    end = os.fstat(file).st_size
    while end > 0:
        begin = max(0, end - _TAIL)
        found = os.pread(file, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
