"""Makes a log line of the bytes of a file.

Belongs here: the forms of lines. A line that is no JSON object of ours is kept as its text, with
the time and the level at its beginning if it has them. Credentials are taken out of such lines,
since programs of others wrote them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from resources.settings.credentials_in_text import masked
from resources.settings.variables import hidden
from social_assets.warehouse.logs.line import LEVELS, LogLine

LONGEST_TEXT = 65_536
_MOST_FIELDS = 64

_NAMED = ("time", "level", "process", "pid", "logger", "message", "error", "run_id", "stream")
_BEGIN = re.compile(
    r"^[\[(]?(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?)(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_LEVEL = re.compile(r"\b(DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\b")
_LEVELS = {"WARN": "WARNING", "FATAL": "CRITICAL"}
_HEAD = 80
_IN_UTC = "clickhouse"
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""The time to live of a later line is more than ClickHouse's DateTime can hold."""


def parse(
    content: bytes, process: str, source: str, position: int, *, host: str, known: datetime
) -> LogLine:
    """The line. `known` is its time if it names none that can be."""
    text = content.decode("utf-8", "replace").replace("\x00", "\ufffd").rstrip("\r\n")
    found = _object(text)
    if found is None:
        head = _BEGIN.match(text)
        at = _time(head["time"].replace(",", ".") + (head["zone"] or ""), process) if head else None
        level = _LEVEL.search(text[:_HEAD])
        return LogLine(
            time=at or known,
            level=_LEVELS.get(level[1], level[1]) if level else "",
            process=process,
            pid=0,
            logger="",
            text=masked(hidden(text))[:LONGEST_TEXT],
            host=host,
            source=source,
            position=position,
        )
    error = found.get("error")
    message = _text(found.get("message", ""))
    pid = found.get("pid")
    return LogLine(
        time=_time(_text(found.get("time")), process) or known,
        level=_text(found.get("level")) if found.get("level") in LEVELS else "",
        process=_text(found.get("process")) or process,
        pid=pid if isinstance(pid, int) and 0 <= pid < 2**32 else 0,
        logger=_text(found.get("logger")),
        text=(f"{message}\n{_text(error)}" if error else message)[:LONGEST_TEXT],
        run_id=_text(found.get("run_id")),
        stream=_text(found.get("stream")),
        fields={
            _text(name): _text(found[name])
            for name in [name for name in found if name not in _NAMED][:_MOST_FIELDS]
        },
        host=host,
        source=source,
        position=position,
    )


def _object(text: str) -> Mapping[str, object] | None:
    """The JSON object of a line of ours; None if it is another line."""
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "message" in found else None


def _text(value: object) -> str:
    """A value as text that UTF-8 can hold."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()


def _time(text: str, process: str) -> datetime | None:
    """A time in UTC, if it is one that a log line can have. Without a zone it is the machine's;
    the embedded ClickHouse writes UTC.
    """
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None and process == _IN_UTC:
            at = at.replace(tzinfo=UTC)
        at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if _EARLIEST <= at < _LATEST else None
