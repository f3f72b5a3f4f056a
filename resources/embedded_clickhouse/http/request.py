"""Reads and checks a query request: its URL, its headers, and the fields of a multipart form.

Belongs here: reading only. `access` checks who sent it, `execution` runs it.
"""

from __future__ import annotations

import re
import string
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import Request

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.http.multipart import Form, boundary_of
from resources.embedded_clickhouse.query.external_data import (
    ExternalTable,
    declared_tables,
    describing,
)

# Parameters of the HTTP interface; all others in the URL are settings.
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
    """The ClickHouse session in which a request runs; `must_exist` is session_check=1."""

    id: str
    seconds: int
    must_exist: bool
    close: bool


@dataclass(frozen=True)
class QueryRequest:
    """URL, headers and form fields of a request, without its body.

    `boundary` is that of a form. `compress` and `decompress` ask for ClickHouse's block framing of
    the result and of the body.
    """

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
    compress: bool
    decompress: bool
    boundary: bytes | None
    external_tables: tuple[ExternalTable, ...]
    _method: str = field(repr=False)
    _headers: Headers = field(repr=False)
    _values: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, request: Request) -> Self:
        """Read URL and headers."""
        return cls._read(request.method, request.headers, dict(request.query_params), {})

    def with_form(self, form: Form) -> Self:
        """The same request with the fields of its form added to the parameters of the URL."""
        values = {**self._values, **form.fields}
        return self._read(self._method, self._headers, values, form.files)

    @property
    def declared_tables(self) -> set[str]:
        """The external tables that the URL describes."""
        return declared_tables(self._values)

    @classmethod
    def _read(
        cls, method: str, headers: Headers, values: Mapping[str, str], files: Mapping[str, int]
    ) -> Self:
        boundary = boundary_of(headers.get("content-type", ""))
        described = describing(dict.fromkeys(declared_tables(values), 0) if boundary else {})
        described |= describing(files)
        compress_result = is_true(values.get("enable_http_compression"))
        return cls(
            query=values.get("query", ""),
            database=values.get("database") or headers.get("x-clickhouse-database"),
            default_format=headers.get("x-clickhouse-format") or values.get("default_format"),
            session=_session(values),
            settings=_settings(
                {name: value for name, value in values.items() if name not in described}
            ),
            parameters={
                name.removeprefix("param_"): value
                for name, value in values.items()
                if name.startswith("param_")
            },
            query_id=_shown(values.get("query_id", "")) or str(uuid.uuid4()),
            # Checked here and not set: the setting cannot be reset in a session.
            read_only=method != "POST" or values.get("readonly", "0") != "0",
            whole_result_first=is_true(values.get("wait_end_of_query")),
            content_encoding=headers.get("content-encoding", "").strip().lower(),
            accept_encoding=headers.get("accept-encoding", "") if compress_result else "",
            compress=is_true(values.get("compress")),
            decompress=is_true(values.get("decompress")),
            boundary=boundary,
            external_tables=tuple(
                ExternalTable.described(name, size, values) for name, size in files.items()
            ),
            _method=method,
            _headers=headers,
            _values=values,
        )


def query_id(request: Request) -> str:
    """The client's query id, made safe for a header; empty if the client gave none."""
    return _shown(request.query_params.get("query_id", ""))


def _shown(text: str) -> str:
    return quote(text, safe=string.punctuation + " ")


def is_true(value: str | None) -> bool:
    """Whether ClickHouse reads the text of a flag in a URL as true."""
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
