"""Inserts log lines into `ops.logs`, and finds them.

Belongs here: the SQL. What a line is belongs to `line`, and how a file is read to `pipeline.logs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Protocol

from social_assets.warehouse.logs.line import LogFilter, LogLine
from social_assets.warehouse.logs.table import COLUMNS, LOGS, create_statements

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_NAMES = tuple(name for name, _, _ in COLUMNS)
_GRAM = 3
_INDEXED_CHARACTERS = 30
"""As much of a wanted text is looked up in the index: more characters make it no rarer."""

_SETTINGS = {
    # A server may be configured to acknowledge an insert before it has written.
    "async_insert": 0,
    "insert_deduplicate": 1,
    "max_partitions_per_insert_block": 0,
}


class Clients(Protocol):
    """Opens clients of the warehouse."""

    def client(self, log_comment: str | None = None) -> AbstractContextManager[Client]:
        """A client for the block."""
        ...


@dataclass(frozen=True)
class LogTable:
    """`ops.logs` of a warehouse."""

    clickhouse: Clients
    log_comment: str = "ship-logs"

    def prepare(self) -> None:
        """Make the table if it is missing."""
        with self.clickhouse.client(self.log_comment) as client:
            for statement in create_statements():
                client.command(statement)

    def insert(self, lines: Sequence[LogLine], batch: str) -> None:
        """Insert the lines of a batch. The same call again changes nothing."""
        if lines:
            with self.clickhouse.client(self.log_comment) as client:
                _insert(client, lines, batch, token=batch)

    def complete(self, lines: Sequence[LogLine], batch: str) -> None:
        """Insert a batch that may have been inserted, whole or in part.

        What is missing is inserted under the batch's token, which a server recognizes that is still
        at the first insert. A server that was killed can have recorded the token of rows that it
        has not written: those are inserted under another one.
        """
        with self.clickhouse.client(self.log_comment) as client:
            for token in (batch, f"{batch}:completed"):
                missing = _missing(client, lines, batch)
                if not missing:
                    return
                _insert(client, missing, batch, token)

    def find(self, wanted: LogFilter) -> list[LogLine]:
        """The newest lines that are wanted, the oldest of them first."""
        where, parameters = _condition(wanted)
        with self.clickhouse.client("logs") as client:
            rows = client.query(
                f"SELECT {', '.join(_NAMES)} FROM {LOGS}\n"
                f"WHERE {where}\n"
                f"ORDER BY time DESC, source DESC, position DESC LIMIT {int(wanted.limit)}",
                parameters=parameters,
            ).result_rows
        found = [LogLine(row[0].replace(tzinfo=UTC), *row[1:]) for row in rows]
        return found[::-1]


def _insert(client: Client, lines: Sequence[LogLine], batch: str, token: str) -> None:
    values = [(*each.values()[:-1], batch) for each in lines]
    settings = {**_SETTINGS, "insert_deduplication_token": token}
    client.insert(LOGS, values, column_names=_NAMES, settings=settings)


def _missing(client: Client, lines: Sequence[LogLine], batch: str) -> list[LogLine]:
    """The lines of a batch that the table does not have."""
    found = client.query(
        f"SELECT source, position FROM {LOGS} WHERE batch = {{batch:String}}",
        parameters={"batch": batch},
    )
    known = {(str(source), int(position)) for source, position in found.result_rows}
    return [each for each in lines if (each.source, each.position) not in known]


def _condition(wanted: LogFilter) -> tuple[str, dict[str, object]]:
    parts, parameters = ["1"], dict[str, object]()
    if wanted.since is not None:
        parts.append("time >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')")
        parameters["since"] = int(wanted.since.timestamp() * 1000)
    if wanted.run:
        parts.append("startsWith(run_id, {run:String})")
        parameters["run"] = wanted.run
    if wanted.process:
        parts.append("process = {process:String}")
        parameters["process"] = wanted.process
    if wanted.level:
        parts.append("level IN {levels:Array(String)}")
        parameters["levels"] = list(wanted.levels)
    if wanted.text:
        parts.append("position(lowerUTF8(text), {text:String}) > 0")
        parameters["text"] = wanted.text.lower()
        indexed = wanted.text.lower()[:_INDEXED_CHARACTERS]
        if len(indexed) >= _GRAM:
            parts.append("hasAllTokens(text, {indexed:String})")
            parameters["indexed"] = indexed
    return " AND ".join(parts), parameters
