"""Where log lines are exported to, by the variables of OpenTelemetry.

https://opentelemetry.io/docs/specs/otel/protocol/exporter/ names them. Belongs here: reading them.
Standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
LOGS_ENDPOINT = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
LOGS_HEADERS = "OTEL_EXPORTER_OTLP_LOGS_HEADERS"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
LOGS_PROTOCOL = "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"
TIMEOUT = "OTEL_EXPORTER_OTLP_TIMEOUT"

_JSON = "http/json"
_PATH = "v1/logs"
_MILLISECONDS = "10000"


class OtlpSettingError(ValueError):
    """A variable of OpenTelemetry has no usable value. The text has no secret."""


@dataclass(frozen=True)
class OtlpEndpoint:
    """Where requests go, and with which headers."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 10.0
    """Seconds that a request may take."""


def otlp_endpoint(environment: Mapping[str, str] = os.environ) -> OtlpEndpoint | None:
    """The endpoint of logs; None if no variable names one. Raises OtlpSettingError."""
    url = environment.get(LOGS_ENDPOINT, "").strip()
    name = LOGS_ENDPOINT if url else ENDPOINT
    if not url:
        base = environment.get(ENDPOINT, "").strip()
        url = f"{base.rstrip('/')}/{_PATH}" if base else ""
    if not url:
        return None
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise OtlpSettingError(f"{name} must be http://host:port or https://host:port")
    _require_json(environment)
    headers = environment.get(LOGS_HEADERS) or environment.get(HEADERS) or ""
    return OtlpEndpoint(url, _headers(headers), _seconds(environment))


def _require_json(environment: Mapping[str, str]) -> None:
    for name in (LOGS_PROTOCOL, PROTOCOL):
        protocol = environment.get(name, "").strip()
        if protocol == _JSON:
            return
        if protocol:
            raise OtlpSettingError(
                f"{name} is {protocol}, and log lines are sent by {_JSON}; set "
                f"{LOGS_PROTOCOL}={_JSON}, which the port 4318 of a collector takes too"
            )


def _headers(text: str) -> dict[str, str]:
    found = {}
    for number, pair in enumerate(filter(None, (each.strip() for each in text.split(","))), 1):
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise OtlpSettingError(f"{HEADERS} must be NAME=VALUE,...; entry {number} is not")
        found[unquote(name.strip())] = unquote(value.strip())
    return found


def _seconds(environment: Mapping[str, str]) -> float:
    text = environment.get(TIMEOUT) or _MILLISECONDS
    if not text.isdigit() or not int(text):
        raise OtlpSettingError(f"{TIMEOUT} must be a number of milliseconds, as {_MILLISECONDS}")
    return int(text) / 1000
