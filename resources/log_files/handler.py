"""The logging handler that writes every line of a process to the home's log files.

Belongs here: what such a line has, and to which loggers the handler is added. A line of a Dagster
run has the run's id, job and step. Credentials are taken out before a line is written. Standard
library only.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from resources.log_files.folder import FOLDER, LogBytesError, most_bytes
from resources.log_files.line_file import LineFile
from resources.settings.credentials_in_text import masked
from resources.settings.home import Home
from resources.settings.logs import LOGGERS, configure_logs, fields_of, named_level
from resources.settings.variables import hidden

LEVEL = "SOCIAL_ASSETS_LOG_FILES_LEVEL"
"""Environment variable: the least severe lines that the files take, INFO by default."""

LONGEST_TEXT = 32_768
"""Characters of a message, and of an error; the rest is counted."""

_PROCESSES = (
    (("execute_run", "execute_step", "resume_run"), "run"),
    (("grpc", "code-server"), "code-location"),
    (("daemon", "dagster-daemon"), "daemon"),
    (("dagster-webserver", "webserver"), "webserver"),
)
_SPAWNED = "multiprocessing.spawn"
"""A code server starts the process of a run so."""


def begin_logs(process: str, default: str = "INFO") -> None:
    """Make all loggers write: ours to standard error, and every one to the home's log files.

    The first call of a process counts. Raises LogFormatError or LogBytesError if the environment
    has no usable value.
    """
    configure_logs(default)
    root = logging.getLogger()
    if any(isinstance(each, FileLines) for each in root.handlers):
        return
    handler = FileLines(Home.from_environment(), process)
    for logger in (root, *map(logging.getLogger, LOGGERS)):
        logger.addHandler(handler)
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(min(logger.level, handler.level))


def process_of(arguments: Sequence[str]) -> str:
    """What a process that Dagster starts is, by its arguments; `dagster` if none is known."""
    named = {Path(arguments[0]).name, *arguments[1:8]} if arguments else set()
    if any(_SPAWNED in each for each in arguments[1:8]):
        return "run"
    for words, process in _PROCESSES:
        if named & set(words):
            return process
    return "dagster"


def of_dagster() -> str:
    """What this process is."""
    return process_of(sys.orig_argv)


class FileLines(logging.Handler):
    """Writes lines to the files of this process."""

    def __init__(self, home: Home, process: str) -> None:
        super().__init__(named_level(LEVEL, "INFO"))
        self.setFormatter(FileLine(process))
        self._file = LineFile(home.path, home.logs / FOLDER, process, most_bytes(), self._notice)
        self._process = process

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; the disk can neither hold nor fail the caller."""
        try:
            self._file.append(self.format(record))
        except (TypeError, ValueError, RecursionError):
            # Arguments that do not fit their message: as the standard library does.
            self.handleError(record)
        if record.levelno >= logging.WARNING and self._is_alone(record.name):
            # What Python does for a logger without any handler, which it now has.
            last = logging.lastResort
            if last is not None:
                last.handle(record)

    def close(self) -> None:
        """Close the file; Dagster closes all handlers when it sets up its own."""
        self._file.close()
        super().close()

    def _notice(self, message: str) -> str:
        return self.format(
            logging.LogRecord(__name__, logging.WARNING, __file__, 0, message, (), None)
        )

    def _is_alone(self, name: str) -> bool:
        logger: logging.Logger | None = logging.getLogger(name)
        while logger is not None:
            if any(each is not self for each in logger.handlers):
                return False
            logger = logger.parent if logger.propagate else None
        return True


class FileLine(logging.Formatter):
    """One JSON object a line, with the process that wrote it."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Time in UTC, level, process, logger, message, the fields, the error if there is one."""
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": self._process,
            "pid": os.getpid(),
            "logger": record.name,
            "message": _clean(_message(record)),
            **{name: _clean(str(value)) for name, value in _fields(record).items()},
        }
        if record.exc_info:
            line["error"] = _clean(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def _clean(text: str) -> str:
    safe = masked(hidden(text))
    if len(safe) <= LONGEST_TEXT:
        return safe
    return f"{safe[:LONGEST_TEXT]} ... ({len(safe):,} characters)"


def _message(record: logging.LogRecord) -> str:
    """The message; of a line of a Dagster run without what its fields say."""
    run = getattr(record, "dagster_meta", None)
    if isinstance(run, Mapping) and run.get("dagster_event") is None and run.get("orig_message"):
        return str(run["orig_message"])
    return record.getMessage()


def _fields(record: logging.LogRecord) -> dict[str, object]:
    run = getattr(record, "dagster_meta", None)
    found: dict[str, object] = {}
    if isinstance(run, Mapping):
        named = {"run_id": run.get("run_id"), "job": run.get("job_name")}
        named["step"] = run.get("step_key")
        found = {name: value for name, value in named.items() if value}
    return found | fields_of(record)


__all__ = ["LogBytesError", "begin_logs", "of_dagster", "process_of"]
