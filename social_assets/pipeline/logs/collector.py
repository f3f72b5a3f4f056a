"""A collector of OpenTelemetry as a destination of log lines: OTLP by HTTP, as JSON.

Belongs here: what a request has, and what an answer means. A request that is repeated after a kill
is a second copy for the collector: OTLP knows no token. The variables belong to
`resources.log_files.otlp`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import groupby

import httpx

from resources.log_files.otlp import OtlpEndpoint
from social_assets.warehouse.logs.line import LogLine

_log = logging.getLogger(__name__)

REQUEST_BYTES = 512 * 1024
"""Bytes of lines in a request, which is some three times as long."""

LONGEST_WAIT = 600.0
"""Seconds; a collector that asks for more is asked again then."""

_SEVERITIES = {"DEBUG": 5, "INFO": 9, "WARNING": 13, "ERROR": 17, "CRITICAL": 21}
_REFUSED = frozenset({400, 413, 415, 422})
"""The request itself is wrong: it would be refused each time."""


class CollectorAwayError(ConnectionError):
    """The collector does not take lines now. `wait` is how many seconds it asks for."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(f"the collector does not take log lines: {reason}")
        self.wait = wait


@dataclass(frozen=True)
class LogCollector:
    """A LogStore that sends to an endpoint."""

    endpoint: OtlpEndpoint
    client: httpx.Client = field(repr=False)

    def prepare(self) -> None:
        """Nothing is to be made."""

    def insert(self, lines: list[LogLine], batch: str) -> None:  # noqa: ARG002 - see above
        """Send a batch. Raises CollectorAwayError; a batch that is refused for ever is told."""
        if not lines:
            return
        try:
            answer = self.client.post(
                self.endpoint.url,
                content=request_of(lines),
                headers={**self.endpoint.headers, "Content-Type": "application/json"},
                timeout=self.endpoint.timeout,
            )
        except httpx.HTTPError as error:
            # Without the address, which may hold a password.
            raise CollectorAwayError(type(error).__name__) from None
        if answer.status_code in _REFUSED:
            _tell(lines, len(lines), f"status {answer.status_code}")
        elif not answer.is_success:
            raise CollectorAwayError(f"status {answer.status_code}", _wait(answer))
        elif refused := _refused(answer):
            _tell(lines, refused, "a partial success")

    def complete(self, lines: list[LogLine], batch: str) -> None:
        """Send a batch that may have been sent."""
        self.insert(lines, batch)


def _tell(lines: list[LogLine], refused: int, by: str) -> None:
    # That a line was refused is a line itself: of its refusal nothing is said.
    if any(line.logger != __name__ for line in lines):
        _log.error(
            "the collector refused %s of %s log lines for ever (%s); ClickHouse has them",
            *(refused, len(lines), by),
        )


def request_of(lines: Iterable[LogLine]) -> bytes:
    """The lines as an ExportLogsServiceRequest."""
    resources = [
        {
            "resource": {"attributes": _attributes(_resource(process, host, pid))},
            "scopeLogs": [
                {"scope": {"name": logger}, "logRecords": [_record(line) for line in of_logger]}
                for logger, of_logger in groupby(of_process, lambda line: line.logger)
            ],
        }
        for (process, host, pid), of_process in groupby(
            lines, lambda line: (line.process, line.host, line.pid)
        )
    ]
    return json.dumps({"resourceLogs": resources}).encode()


def _resource(process: str, host: str, pid: int) -> dict[str, str]:
    return {
        "service.namespace": "social-assets",
        "service.name": process,
        "host.name": host,
        "process.pid": str(pid),
    }


def _record(line: LogLine) -> dict[str, object]:
    told = {
        "run_id": line.run_id,
        "stream": line.stream,
        **line.fields,
        "log.file.name": line.source,
        "log.file.position": str(line.position),
    }
    return {
        "timeUnixNano": str(_nanoseconds(line.time)),
        "severityNumber": _SEVERITIES.get(line.level, 0),
        "severityText": line.level,
        "body": {"stringValue": line.text},
        "attributes": _attributes({key: value for key, value in told.items() if value}),
    }


def _nanoseconds(at: datetime) -> int:
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 10**6 + since.microseconds) * 1000


def _attributes(values: Mapping[str, str]) -> list[dict[str, object]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def _wait(answer: httpx.Response) -> float:
    """The seconds that the answer asks for, as a number or a date."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return min(float(text), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    seconds: float = (until - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _refused(answer: httpx.Response) -> int:
    """How many lines of a request the collector did not take."""
    try:
        document = answer.json()
        return int(document.get("partialSuccess", {}).get("rejectedLogRecords", 0))
    except (ValueError, AttributeError):
        # An answer that is no document says nothing.
        return 0
