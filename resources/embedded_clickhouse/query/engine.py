"""chDB: the one engine of the process, and connections to it.

A connection is what ClickHouse calls a session: current database, settings, temporary tables. A
process has one engine on one folder. Any number of connections may run queries at once, each from
any thread, but a connection runs one query at a time. HTTP does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.options import Options

MARK_SETTING = "promql_table"
"""A setting without effect. Its value identifies the request of a query in `system.processes`."""

_MARK_CACHE_BYTES = 256 * 1024**2


class DataFolderError(RuntimeError):
    """chDB cannot open its folder; the text names the folder and the remedy."""


@dataclass(frozen=True)
class Outcome:
    """The whole result of a statement, with the rows that it read and wrote."""

    body: bytes = b""
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    elapsed_ns: int = 0


class ResultStream(Protocol):
    """A result in parts; an empty part marks the end. `close` may be called before the end."""

    def next_part(self) -> bytes:
        """Wait for the next part."""

    def outcome(self) -> Outcome:
        """What has been read for the parts until now, without the body."""

    def close(self) -> None:
        """Stop the query if it has not ended."""


class Engine:
    """The open chDB folder, with the configuration that `engine_config` wrote.

    `close` does not wait for queries: the caller must stop them first.
    """

    def __init__(self, folder: Path, options: Options, config: Path) -> None:
        import chdb
        from chdb import _chdb

        # chDB's stubs lack these names.
        native: Any = _chdb
        # chDB replaces the handlers of SIGTERM and SIGINT, which stop the HTTP server.
        native.set_signal_handlers_enabled(False)
        self.version: str = chdb.engine_version
        self._native = native
        self._address = (
            f"{folder}?max_server_memory_usage={options.memory_bytes}"
            f"&mark_cache_size={_MARK_CACHE_BYTES}"
            f"&user_files_path={folder / 'user_files'}&tmp_path={folder / 'tmp'}"
            f"&max_threads={options.threads}&config-file={config}"
        )
        try:
            # Held as long as the server runs: chDB closes the engine with its last connection.
            self._anchor = self.connect()
        except ClickHouseError as error:
            raise DataFolderError(
                f"chDB can't open {folder}: {error.message}. If another process has it open, "
                "stop that one; else look at the folder's rights and free space"
            ) from error
        self.timezone: str = self._anchor.run("SELECT timezone()").body.decode().strip()

    def connect(self, mark: str = "") -> Connection:
        """A new session. Its queries have the mark, which consists of letters and digits."""
        marked = f"&{MARK_SETTING}={mark}" if mark else ""
        try:
            return Connection(self._native.connect(self._address + marked))
        except RuntimeError as error:
            raise ClickHouseError.from_engine(error) from error

    def unreserved_bytes(self) -> int:
        """The free space of the disk that no running merge or insert has reserved."""
        connection = self.connect()
        try:
            asked = "SELECT unreserved_space FROM system.disks WHERE name = 'default'"
            return int(connection.run(asked).body)
        finally:
            connection.close()

    def kill(self, marker: str) -> None:
        """Stop every query whose text contains the marker, and wait until it has ended."""
        killer = self.connect()
        try:
            killer.run(
                "KILL QUERY WHERE position(query, {marker:String}) > 0 "
                "AND query NOT LIKE 'KILL%' SYNC",
                parameters={"marker": marker},
            )
        finally:
            killer.close()

    def query_id(self, mark: str) -> str | None:
        """The engine's id of the running query with this mark; None if there is none."""
        asker = self.connect()
        try:
            found = asker.run(
                f"SELECT query_id FROM system.processes WHERE Settings['{MARK_SETTING}'] = "
                "{mark:String} LIMIT 1",
                parameters={"mark": mark},
            )
        finally:
            asker.close()
        return found.body.decode().strip() or None

    def kill_all(self) -> None:
        """Tell all running queries to stop, without waiting."""
        self._anchor.run("KILL QUERY WHERE query NOT LIKE 'KILL%' ASYNC")

    def close(self) -> None:
        """Close the engine's own connection. The folder is free once all others are closed too."""
        self._anchor.close()


class Connection:
    """One session of the engine. Only one thread may use it at a time."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def run(
        self,
        sql: str | bytes,
        format_name: str = "TabSeparated",
        parameters: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Run a statement to its end, its result in memory."""
        try:
            result = self._handle.query(sql, format_name, params=dict(parameters or {}))
        except RuntimeError as error:
            raise ClickHouseError.from_engine(error) from error
        return _outcome(result)

    def stream_blocks(
        self, sql: str | bytes, format_name: str, parameters: Mapping[str, str]
    ) -> ResultStream:
        """Run a SELECT; each part is one block. The format must not have a header or footer."""
        try:
            handle = self._handle.send_query(sql, format_name, params=dict(parameters))
        except RuntimeError as error:
            raise ClickHouseError.from_engine(error) from error
        return _BlockStream(self._handle, handle)

    def set(self, settings: Mapping[str, str | None]) -> None:
        """Set all of these; None resets a setting to its default."""
        if settings:
            pairs = (
                f"{name} = {'DEFAULT' if value is None else quote(value)}"
                for name, value in settings.items()
            )
            self.run(f"SET {', '.join(pairs)}")

    def use(self, database: str) -> None:
        """Change the current database."""
        escaped = database.replace("\\", "\\\\").replace("`", "\\`")
        self.run(f"USE `{escaped}`")

    def classify(self, sql: str | bytes) -> tuple[str, int]:
        """The class of a text by chDB (READ_ONLY, MUTATING ...), and its number of statements."""
        found = self._handle.classify_query(sql)
        return found["query_class"].name, found["statement_count"]

    def close(self) -> None:
        """End the session, and so drop its temporary tables."""
        self._handle.close()


class _BlockStream:
    def __init__(self, connection: Any, handle: Any) -> None:
        self._connection = connection
        self._handle = handle
        self._ended = False
        self._outcome = Outcome()

    def next_part(self) -> bytes:
        """Wait for the next part."""
        if self._ended:
            return b""
        try:
            part = self._connection.streaming_fetch_result(self._handle)
        except RuntimeError as error:
            self._ended = True
            raise ClickHouseError.from_engine(error) from error
        self._ended = part.rows_read() == 0
        # The numbers of a part are those of this part alone.
        self._outcome = Outcome(
            read_rows=self._outcome.read_rows + part.storage_rows_read(),
            read_bytes=self._outcome.read_bytes + part.storage_bytes_read(),
        )
        return part.bytes() or b""

    def outcome(self) -> Outcome:
        """What has been read until now."""
        return self._outcome

    def close(self) -> None:
        if not self._ended:
            self._ended = True
            self._connection.streaming_cancel_query(self._handle)


def quote(text: str) -> str:
    """The text as a string literal of SQL."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _outcome(result: Any) -> Outcome:
    return Outcome(
        body=result.bytes() or b"",
        read_rows=result.storage_rows_read(),
        read_bytes=result.storage_bytes_read(),
        written_rows=result.rows_written(),
        written_bytes=result.bytes_written(),
        elapsed_ns=int(result.elapsed() * 1e9),
    )
