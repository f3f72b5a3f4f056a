"""Shows the progress of a load: bytes and records of each file while it is read, then each step.

Belongs here: only the display, one line a file. On a terminal, the line of the current file is
updated in place.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from resources.settings.logs import is_json
from social_assets.ingest.records import FileError
from social_assets.pipeline.files.landing_progress import watching

_RENEW_SECONDS = 0.2
_STEPS = {"clean": "cleaned", "load": "in the warehouse"}
_LOGGER = "social_assets.pipeline"


@dataclass
class LoadProgress:
    """The progress of one load; `errors` are those of files that could not be read, `notes` what
    the reader says of a batch's file.
    """

    say: Callable[[str], None]
    is_live: bool
    names: Mapping[str, str] = field(default_factory=dict)
    errors: dict[Path, str] = field(default_factory=dict)
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _reading: Path | None = None
    _line: str = ""
    _renewed: float = 0.0

    def read(self, path: Path, records: int, size: int) -> None:
        """Show how much of a file has been read."""
        if path != self._reading:
            self.finish_line()
        self._reading = path
        self._line = f"{path.name}: {records:,} records, {_amount(size)}{_of(path)} read"
        if self.is_live and time.monotonic() - self._renewed > _RENEW_SECONDS:
            self._renewed = time.monotonic()
            sys.stdout.write(f"\r\x1b[K  {self._line}")
            sys.stdout.flush()

    def finish_line(self) -> None:
        """Finish the line of the file that was read."""
        if self._line:
            if self.is_live:
                sys.stdout.write("\r\x1b[K")
                sys.stdout.flush()
            self.say(self._line)
        self._line, self._reading = "", None

    def hear(self, record: logging.LogRecord) -> None:
        """Turn a log record of a step into a line, or keep a file's error."""
        self.finish_line()
        error = record.args[0] if isinstance(record.args, tuple) and record.args else None
        if isinstance(error, FileError):
            self.errors[error.path] = str(error)
            self.say(f"FAILED {error}")
            return
        if notes := getattr(record, "notes", ()):
            self.notes[getattr(record, "batch_id", "")] = notes
        step = _STEPS.get(getattr(record, "step", ""))
        if step and record.levelno == logging.INFO:
            batch = getattr(record, "batch_id", "")
            name = self.names.get(batch, f"batch {batch}")
            self.say(f"{name}: {step} ({getattr(record, 'seconds', 0):.1f} s)")
        elif record.levelno > logging.INFO:
            self.say(record.getMessage())


class _Ear(logging.Handler):
    def __init__(self, progress: LoadProgress) -> None:
        super().__init__()
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        self._progress.hear(record)


@contextmanager
def shown(progress: LoadProgress) -> Iterator[None]:
    """Show the progress of the load within the block, besides the logs for programs."""
    logger = logging.getLogger(_LOGGER)
    ear, level, was_propagated = _Ear(progress), logger.level, logger.propagate
    logger.addHandler(ear)
    logger.setLevel(logging.INFO)
    logger.propagate = is_json()
    try:
        with watching(progress.read):
            yield
        progress.finish_line()
    finally:
        logger.removeHandler(ear)
        logger.setLevel(level)
        logger.propagate = was_propagated


def _amount(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


def _of(path: Path) -> str:
    """The file's size as a text, if it is known."""
    try:
        return f" of {_amount(path.stat().st_size)}"
    except OSError:
        return ""  # gone while it was read, which the load itself says
