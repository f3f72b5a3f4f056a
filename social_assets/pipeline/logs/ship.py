"""Ships the log files of a home to a destination: each line, however often a process is killed.

Belongs here: the order of a batch. Which bytes it has is recorded before they are inserted under
its token, and the positions after it. Each destination has positions of its own, and one shipper at
a time, by a lock. A file of ours is removed when it is complete and shipped to every destination.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Protocol

from resources.log_files.folder import FOLDER, Removed, held, most_bytes, remove_oldest
from resources.machine.file_locks import exclusive_lock
from resources.settings.home import Home
from social_assets.pipeline.logs.files import (
    LogFile,
    lines_of,
    log_files,
    next_range,
    position_of,
)
from social_assets.pipeline.logs.parse import parse
from social_assets.pipeline.logs.positions import (
    Batch,
    Range,
    ShippedPositions,
    read_positions,
    write_positions,
)
from social_assets.warehouse.logs.line import LogLine

BATCH_BYTES = 4 * 1024**2
"""Bytes of lines in one insert, which also bounds the shipper's memory."""


class Destination(Enum):
    """Where lines are shipped to; the value names its positions in the folder of logs."""

    WAREHOUSE = "shipped"
    COLLECTOR = "exported"


_LOCKS = {
    Destination.WAREHOUSE: "ship_logs.lock",
    Destination.COLLECTOR: "export_logs.lock",
}


class LogStore(Protocol):
    """Where lines go."""

    def prepare(self) -> None:
        """Make what is missing."""
        ...

    def insert(self, lines: list[LogLine], batch: str) -> None:
        """Insert a batch; the same call again changes nothing."""
        ...

    def complete(self, lines: list[LogLine], batch: str) -> None:
        """Insert what a batch lacks that may have been inserted."""
        ...


class ShipperBusyError(BlockingIOError):
    """Another shipper of the home is at work."""

    def __init__(self, home: Home) -> None:
        super().__init__(f"another process ships the logs of {home.path}; it is enough if one does")


@dataclass(frozen=True)
class Shipped:
    """What a pass has done."""

    lines: int = 0
    batches: int = 0
    removed: Removed = field(default_factory=Removed)
    """Files that had to go before they were shipped."""


@contextmanager
def only_shipper(
    home: Home, timeout: float = 0.0, destination: Destination = Destination.WAREHOUSE
) -> Iterator[None]:
    """Keep other shippers to a destination away during the block. Raises ShipperBusyError."""
    locks = home.path / "locks"
    locks.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Entered apart from the block, whose own TimeoutError is none of the lock.
    lock = exclusive_lock(locks / _LOCKS[destination], timeout)
    try:
        lock.__enter__()
    except TimeoutError as error:
        raise ShipperBusyError(home) from error
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


@dataclass(frozen=True)
class Shipper:
    """Ships the logs of a home. The caller holds `only_shipper`."""

    home: Home
    store: LogStore
    batch_bytes: int = BATCH_BYTES
    destination: Destination = Destination.WAREHOUSE
    others: Sequence[Destination] = ()
    """Further destinations; a file is not removed before it is there too."""

    def ship(self) -> Shipped:
        """Ship every whole line that is there, in batches."""
        path = positions_path(self.home, self.destination)
        removed = remove_oldest(self.home.logs / FOLDER, most_bytes())
        positions = read_positions(path)
        lines = batches = 0
        if positions.batch is not None:
            self.store.prepare()
            taken = self._lines(positions.batch)
            self.store.complete(taken, positions.batch.token)
            positions = self._done(path, positions, positions.batch)
            lines, batches = len(taken), 1
        while (batch := self._next(positions)) is not None:
            if not batches:
                self.store.prepare()
            write_positions(path, replace(positions, batch=batch))
            taken = self._lines(batch)
            self.store.insert(taken, batch.token)
            positions = self._done(path, positions, batch)
            lines, batches = lines + len(taken), batches + 1
        self._clean(path, positions)
        return Shipped(lines, batches, removed)

    def _done(self, path: Path, positions: ShippedPositions, batch: Batch) -> ShippedPositions:
        after = positions.after(batch)
        write_positions(path, after)
        return after

    def _next(self, positions: ShippedPositions) -> Batch | None:
        """The next lines of all files, of a batch's bytes together."""
        ranges: list[Range] = []
        left = self.batch_bytes
        for file in log_files(self.home.logs):
            position = position_of(file, positions.shipped)
            if left <= 0:
                break
            if position == file.size:
                continue
            found = next_range(file, position, left, is_complete=_is_complete(file))
            if found is not None:
                ranges.append(found)
                left -= found.end - found.begin
        if not ranges:
            return None
        named = repr([socket.gethostname(), str(self.home.path), *ranges])
        return Batch(hashlib.sha256(named.encode()).hexdigest()[:32], tuple(ranges))

    def _lines(self, batch: Batch) -> list[LogLine]:
        return [line for each in batch.ranges for line in read_lines(self.home, each)]

    def _clean(self, path: Path, positions: ShippedPositions) -> None:
        """Remove files that are complete and shipped, and forget those that are gone."""
        known = set()
        elsewhere = [read_positions(positions_path(self.home, each)) for each in self.others]
        for file in log_files(self.home.logs):
            known.add(file.key)
            everywhere = [positions, *elsewhere]
            if file.is_ours and all(at.shipped.get(file.key, 0) == file.size for at in everywhere):
                with suppress(FileNotFoundError), held(file.path) as is_complete:
                    if is_complete and file.path.stat().st_size == file.size:
                        file.path.unlink()
                        known.discard(file.key)
        kept = {key: at for key, at in positions.shipped.items() if key in known}
        if kept != positions.shipped:
            write_positions(path, ShippedPositions(kept))


def positions_path(home: Home, destination: Destination = Destination.WAREHOUSE) -> Path:
    """The file with the positions of a home."""
    return home.logs / f"{destination.value}.json"


def read_lines(home: Home, each: Range) -> Iterator[LogLine]:
    """The lines of a range. One without a time has that of the line before it."""
    known = datetime.now(UTC)
    with suppress(FileNotFoundError):
        known = datetime.fromtimestamp((home.logs / each.file).stat().st_mtime, UTC)
    host = socket.gethostname()
    process = next(
        (file.process for file in log_files(home.logs) if file.key == each.key), "unknown"
    )
    for position, content in lines_of(home.logs, each):
        line = parse(content, process, each.key, position, host=host, known=known)
        known = line.time
        yield line


def unshipped_lines(home: Home) -> Iterator[LogLine]:
    """The lines that ClickHouse does not have yet, as far as this process can see."""
    positions = read_positions(positions_path(home))
    for file in log_files(home.logs):
        begin = position_of(file, positions.shipped)
        if begin < file.size:
            yield from read_lines(home, Range(file.name, file.key, begin, file.size))


def _is_complete(file: LogFile) -> bool:
    """Whether nobody appends to the file any more."""
    if not file.is_ours:
        return file.path.suffix == ".1"
    with suppress(FileNotFoundError), held(file.path) as is_free:
        return is_free
    return True
