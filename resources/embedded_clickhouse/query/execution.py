"""Runs one request on one connection: an insert, a streamed SELECT, or another statement.

Runs in worker threads, without asyncio. An error before the first byte of a result is raised here,
so that the client gets a status and a code.
"""

from __future__ import annotations

import uuid
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.http.body import Body, SpooledStream
from resources.embedded_clickhouse.http.multipart import read_parts
from resources.embedded_clickhouse.http.request import QueryRequest
from resources.embedded_clickhouse.query.engine import Connection, Engine, Outcome, ResultStream
from resources.embedded_clickhouse.query.external_data import ExternalTable
from resources.embedded_clickhouse.query.pipe import PipeStream
from resources.embedded_clickhouse.query.room import Room, swaps_parts, takes_room
from resources.embedded_clickhouse.query.running import RunningQueries, with_engine_ids
from resources.embedded_clickhouse.query.sessions import Lease, Sessions
from resources.embedded_clickhouse.query.written_parts import told_truly
from resources.embedded_clickhouse.sql.insert_syntax import Insert, find_input, read_insert
from resources.embedded_clickhouse.sql.scan import Query, first_keyword, read_query

_HEAD_BYTES = 256 * 1024
_LONGEST_QUERY_BYTES = 16 * 1024**2
_DEFAULT_FORMAT = "TabSeparated"

# Formats without header and footer: their blocks in a row are a complete result.
_BLOCKWISE_FORMATS = frozenset(
    {
        "native",
        "rowbinary",
        "tabseparated",
        "tsv",
        "tabseparatedraw",
        "tsvraw",
        "csv",
        "jsoneachrow",
        "ndjson",
        "jsonlines",
        "jsoncompacteachrow",
    }
)
_WITH_RESULT = frozenset(
    {"SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK", "KILL"}
)
_HARMLESS_CONTROL = frozenset({"SET", "USE", "CREATE"})


@dataclass(frozen=True)
class Result:
    """A result: its first part, the stream of the other parts, and its properties."""

    first_part: bytes
    rest: ResultStream | None
    outcome: Outcome
    format: str | None
    resources: ExitStack

    @property
    def is_whole(self) -> bool:
        """Whether the first part is the whole result, so that no query runs and nothing is held."""
        return self.rest is None

    def next_part(self) -> bytes:
        """The next part; empty at the end."""
        return b"" if self.rest is None else self.rest.next_part()

    def close(self) -> None:
        """Stop the query if it still runs, and give the connection back."""
        self.resources.close()


def _whole(outcome: Outcome, format_name: str | None) -> Result:
    """A complete result: it holds no connection after the caller has closed its lease."""
    return Result(outcome.body, None, outcome, format_name, ExitStack())


class Execution:
    """Runs requests; holds what they share: engine, sessions, threads, spool folder."""

    def __init__(self, engine: Engine, threads: Executor, room: Room) -> None:
        self.engine = engine
        self.sessions = Sessions(engine)
        self.running = RunningQueries()
        self.room = room
        self._threads = threads

    def run(self, request: QueryRequest, body: Body) -> Result:
        """Run to the first part of the result; `close` of the result releases what it holds."""
        with ExitStack() as resources:
            mark = resources.enter_context(self.running.running(request.query_id))
            lease = Lease(self.sessions, request.session, mark)
            resources.callback(lease.release)
            lease.apply(request.settings, request.database)
            _fill_external_tables(request, body, lease.connection, resources)
            head = _head(request, body)
            insert = read_insert(head, cut=len(head) >= _HEAD_BYTES)
            if insert is None and len(head) >= _HEAD_BYTES and _may_insert(head):
                head += body.read(max(0, _LONGEST_QUERY_BYTES - len(head)))
                insert = read_insert(head, cut=len(head) >= _LONGEST_QUERY_BYTES)
            if insert is None:
                query = read_query(_whole_text(head, body))
                return self._query(request, query, lease, resources)
            if request.read_only:
                raise _read_only_error()
            self.room.require()
            first = head[insert.data_start :]
            with told_truly(self.engine):
                return _whole(_insert(request, insert, first, body, lease.connection), None)

    def _query(
        self, request: QueryRequest, query: Query, lease: Lease, resources: ExitStack
    ) -> Result:
        connection = lease.connection
        kind = _checked_kind(query, connection, request)
        if kind == "CONTROL":
            lease.changes_session()
        format_name = query.format or request.default_format or _DEFAULT_FORMAT
        if query.keyword == "KILL":
            text, parameters = with_engine_ids(
                query.text, request.parameters, self.running, self.engine
            )
            query = replace(query, text=text)
            request = replace(request, parameters=parameters)
        if not (query.may_be_select and kind == "READ_ONLY"):
            outcome = self._run(query, kind, format_name, connection, request)
            has_result = bool(outcome.body) or query.keyword in _WITH_RESULT
            return _whole(outcome, format_name if has_result else None)
        stream = self._stream(query, format_name, connection, request)
        resources.callback(stream.close)
        if request.whole_result_first:
            stream = SpooledStream(stream, self.room)
            resources.callback(stream.close)
        first_part = stream.next_part()
        return Result(first_part, stream, stream.outcome(), format_name, resources.pop_all())

    def _run(
        self,
        query: Query,
        kind: str,
        format_name: str,
        connection: Connection,
        request: QueryRequest,
    ) -> Outcome:
        if kind == "READ_ONLY":
            return connection.run(query.text, format_name, request.parameters)
        if swaps_parts(query.text):
            self.room.require_for_swap(self.engine.unreserved_bytes())
        if not takes_room(query.text):
            return connection.run(query.text, format_name, request.parameters)
        self.room.require()
        with told_truly(self.engine):
            return connection.run(query.text, format_name, request.parameters)

    def _stream(
        self, query: Query, format_name: str, connection: Connection, request: QueryRequest
    ) -> ResultStream:
        if format_name.lower() in _BLOCKWISE_FORMATS:
            return connection.stream_blocks(query.text, format_name, request.parameters)
        return PipeStream(
            connection,
            query,
            format_name,
            request.parameters,
            engine=self.engine,
            threads=self._threads,
        )


def _fill_external_tables(
    request: QueryRequest, body: Body, connection: Connection, resources: ExitStack
) -> None:
    """Create the external tables of a query; the caller drops them after the query."""
    if request.boundary is None or not request.external_tables:
        return
    tables = {table.name: table for table in request.external_tables}
    body.rewind()
    for part in read_parts(body.rest(), request.boundary):
        if part.name in tables:
            table = tables[part.name]
            with body.parts_as_file(part.content) as data:
                table.fill(connection, data.path)
            resources.callback(table.drop, connection)
        for _ in part.content:
            pass


def _may_insert(head: bytes) -> bool:
    """Whether the text may still become an INSERT: a comment may be longer than the head."""
    return first_keyword(head) in ("INSERT", "WITH", "")


def _head(request: QueryRequest, body: Body) -> bytes:
    """The beginning of the URL's query and the body, joined as ClickHouse joins them."""
    prefix = request.query.encode()
    if prefix:
        prefix += b"\n"
    return prefix + body.read(max(0, _HEAD_BYTES - len(prefix)))


def _whole_text(head: bytes, body: Body) -> bytes:
    text = head + body.read(_LONGEST_QUERY_BYTES)
    if len(text) > _LONGEST_QUERY_BYTES:
        raise ClickHouseError(
            229,
            "QUERY_IS_TOO_LARGE",
            f"the query is longer than {_LONGEST_QUERY_BYTES} bytes; send data with "
            "INSERT ... FORMAT, which has no limit",
        )
    return text


def _insert(
    request: QueryRequest, insert: Insert, first: bytes, body: Body, connection: Connection
) -> Outcome:
    """Insert `first` and the rest of the body.

    The engine reads the data from a file. chDB's interface for data in parts (`send_insert`)
    reports success even if a write fails: a full disk, a violated constraint, a failing view.
    """
    if insert.selects:
        return _insert_select(request, insert, first, body, connection)
    format_name = insert.format or request.default_format or "Values"
    with body.rest_as_file(first) as data:
        statement = insert.from_file(data.path, format_name)
        return connection.run(statement, parameters=request.parameters)


def _insert_select(
    request: QueryRequest, insert: Insert, first: bytes, body: Body, connection: Connection
) -> Outcome:
    """Run INSERT ... SELECT ... FORMAT, with or without data.

    chDB ignores the data without an error. So the data of the table function `input` goes into a
    temporary table, and the statement reads that table instead.
    """
    found = find_input(insert.statement)
    if found is None:
        if any(part.strip(b"; \t\r\n") for part in chain((first,), body.rest())):
            raise ClickHouseError(
                36,
                "BAD_ARGUMENTS",
                "data follows an INSERT ... SELECT that does not read it; select from "
                "input('name Type, ...') to insert the data, or send none",
            )
        return connection.run(insert.statement, parameters=request.parameters)
    name = f"_input_{uuid.uuid4().hex}"
    with body.rest_as_file(first) as data:
        table = ExternalTable(name, found.structure, insert.format or "", data.size)
        table.fill(connection, data.path)
    try:
        statement = insert.statement[: found.start] + name.encode() + insert.statement[found.end :]
        return connection.run(statement, parameters=request.parameters)
    finally:
        table.drop(connection)


def _checked_kind(query: Query, connection: Connection, request: QueryRequest) -> str:
    """The engine's class of the statement. Raises the errors that a ClickHouse server raises."""
    if not query.keyword:
        raise ClickHouseError(62, "SYNTAX_ERROR", "Syntax error: Empty query")
    if query.writes_file:
        raise ClickHouseError(78, "UNKNOWN_TYPE_OF_QUERY", "INTO OUTFILE is not allowed")
    kind, statements = connection.classify(query.text)
    if statements > 1:
        raise ClickHouseError(
            62, "SYNTAX_ERROR", "Syntax error: Multi-statements are not allowed; send one a request"
        )
    harmless = kind == "READ_ONLY" or (kind == "CONTROL" and query.keyword in _HARMLESS_CONTROL)
    if request.read_only and not harmless:
        raise _read_only_error()
    return kind


def _read_only_error() -> ClickHouseError:
    return ClickHouseError(
        164,
        "READONLY",
        "Cannot execute query in readonly mode. For queries over HTTP, method GET implies "
        "readonly. You should use method POST for modifying queries",
    )
