"""How the platform's processes log: JSON lines for machines, or plain lines for people.

Here belongs the form, and the fields that a line may carry. Loggers of ours write to standard
error, which Dagster keeps with the run, and to the home's log files (`log_files`), from which they
are shipped to ClickHouse. Secrets of the environment are taken out of every line. Standard library
only.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime

from resources.settings.variables import hidden

FORMAT = "SOCIAL_ASSETS_LOG_FORMAT"
"""Environment variable: `json`, or `human`, the default."""

LEVEL = "SOCIAL_ASSETS_LOG_LEVEL"
"""Environment variable: the least severe lines that are written, INFO by default."""

FIELDS = (
    "run_id",
    "stream",
    "step",
    "batch_id",
    "records",
    "request_id",
    "caller",
    "status",
    "seconds",
)
"""What a line says beside its message, where the logging call gives it as `extra`."""

LOGGERS = ("social_assets", "resources", "sensors")


_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class LogSettingError(ValueError):
    """A variable that says how processes log has no usable value."""


class LogFormatError(LogSettingError):
    """The variable names a form, or a level, that there is not."""


def is_json() -> bool:
    """Whether lines are JSON. Raises LogFormatError for a form that there is not."""
    named = os.environ.get(FORMAT) or "human"
    if named not in ("human", "json"):
        raise LogFormatError(f"{FORMAT} is {named!r}; it must be human or json")
    return named == "json"


def log_level(default: str = "INFO") -> str:
    """The level that the environment names. Raises LogFormatError for one that there is not."""
    return named_level(LEVEL, default)


def named_level(variable: str, default: str) -> str:
    """The level that a variable names. Raises LogFormatError for one that there is not."""
    named = (os.environ.get(variable) or default).upper()
    if named not in _LEVELS:
        raise LogFormatError(f"{variable} is {named!r}; it must be one of {', '.join(_LEVELS)}")
    return named


def configure_logs(default: str = "INFO") -> None:
    """Make our loggers write. The first call of a process counts."""
    if any(isinstance(h, _Handler) for h in logging.getLogger(LOGGERS[0]).handlers):
        return
    level = log_level(default)
    handler = _Handler(level)
    handler.setFormatter(JsonLines() if is_json() else HumanLines())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(level)
        logger.propagate = False


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time in UTC, level, logger, message, the fields, and the error where there is one."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return hidden(json.dumps(line, default=str, ensure_ascii=False))


class HumanLines(logging.Formatter):
    """Time, level, message, and the fields behind it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the error below it where there is one."""
        time = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%S")
        said = " ".join(f"{name}={value}" for name, value in fields_of(record).items())
        error = "\n" + self.formatException(record.exc_info) if record.exc_info else ""
        line = f"{time} {record.levelname} {record.getMessage()} {said}".rstrip()
        return hidden(line + error)


class _Handler(logging.StreamHandler):  # type: ignore[type-arg]
    """To standard error, from a level on, which may be above that of the log files."""

    def __init__(self, level: str) -> None:
        super().__init__()
        self.setLevel(level)


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """What a line says beside its message."""
    return {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
