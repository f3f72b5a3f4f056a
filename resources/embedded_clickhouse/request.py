"""One query request: what its URL and headers say, checked.

Reading only. Who may ask is in `access`, what is done about it in `execution`.
"""

from __future__ import annotations

import re
import string
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from starlette.requests import Request

from resources.embedded_clickhouse.errors import ClickHouseError

# Parameters of the HTTP interface itself; whatever else the URL holds is a setting.
_NOT_SETTINGS = frozenset(
    {
        "query",
        "database",
        "default_format",
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "query_id",
        "user",
        "password",
        "quota_key",
        "role",
        "compress",
        "decompress",
        "wait_end_of_query",
        "buffer_size",
        "client_protocol_version",
        "stacktrace",
        "readonly",
        "enable_http_compression",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
    }
)
_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SESSION_SECONDS = 60
_LONGEST_SESSION_SECONDS = 3600


@dataclass(frozen=True)
class SessionRequest:
    """Which ClickHouse session a request runs in; `must_exist` is session_check=1."""

    id: str
    seconds: int
    must_exist: bool
    close: bool


@dataclass(frozen=True)
class QueryRequest:
    """All that a request says, but for its body."""

    query: str
    database: str | None
    default_format: str | None
    session: SessionRequest | None
    settings: Mapping[str, str]
    parameters: Mapping[str, str]
    query_id: str
    read_only: bool
    whole_result_first: bool
    content_encoding: str
    accept_encoding: str

    @classmethod
    def of(cls, request: Request) -> Self:
        """Read URL and headers."""
        values = dict(request.query_params)
        headers = request.headers
        for framing in ("compress", "decompress"):
            if is_true(values.get(framing)):
                raise ClickHouseError(
                    48,
                    "NOT_IMPLEMENTED",
                    f"{framing}=1 (ClickHouse's own block framing) is not spoken here; use "
                    "Content-Encoding and Accept-Encoding with gzip, lz4 or zstd",
                )
        compress_result = is_true(values.get("enable_http_compression"))
        return cls(
            query=values.get("query", ""),
            database=values.get("database") or headers.get("x-clickhouse-database"),
            default_format=headers.get("x-clickhouse-format") or values.get("default_format"),
            session=_session(values),
            settings=_settings(values),
            parameters={
                name.removeprefix("param_"): value
                for name, value in values.items()
                if name.startswith("param_")
            },
            query_id=query_id(request) or str(uuid.uuid4()),
            # Checked here and not set: a session could not be set back from it.
            read_only=request.method != "POST" or values.get("readonly", "0") != "0",
            whole_result_first=is_true(values.get("wait_end_of_query")),
            content_encoding=headers.get("content-encoding", "").strip().lower(),
            accept_encoding=headers.get("accept-encoding", "") if compress_result else "",
        )


def query_id(request: Request) -> str:
    """The client's id of its query as it may stand in a header; empty if it gave none."""
    return quote(request.query_params.get("query_id", ""), safe=string.punctuation + " ")


def is_true(value: str | None) -> bool:
    """As ClickHouse reads a flag in a URL."""
    return value is not None and value.lower() in ("1", "true")


def _settings(values: Mapping[str, str]) -> dict[str, str]:
    settings = {
        name: value
        for name, value in values.items()
        if name not in _NOT_SETTINGS and not name.startswith("param_")
    }
    for name in settings:
        if not _SETTING_NAME.fullmatch(name):
            raise ClickHouseError(
                115, "UNKNOWN_SETTING", f"Setting {name!r} in the URL is no name of a setting"
            )
    return settings


def _session(values: Mapping[str, str]) -> SessionRequest | None:
    if not values.get("session_id"):
        return None
    text = values.get("session_timeout", str(_SESSION_SECONDS))
    if not text.isdigit() or int(text) > _LONGEST_SESSION_SECONDS:
        raise ClickHouseError(
            374,
            "INVALID_SESSION_TIMEOUT",
            f"Invalid session timeout: '{text}'; use whole seconds up to "
            f"{_LONGEST_SESSION_SECONDS}",
        )
    return SessionRequest(
        id=values["session_id"],
        seconds=int(text),
        must_exist=is_true(values.get("session_check")),
        close=is_true(values.get("close_session")),
    )
