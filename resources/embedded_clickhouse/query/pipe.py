"""Streams results of any format: the engine writes into a pipe, and the server reads it.

chDB streams blocks, and each block is a complete document of its format. That is right only for
formats without header and footer. For the others, the query writes its result to a file, which is a
pipe.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from concurrent.futures import Executor

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.query.engine import Connection, Engine, Outcome
from resources.embedded_clickhouse.sql.scan import Query

_PART_BYTES = 1 << 20
_KEPT_BYTES = 1 << 16


class PipeStream:
    """A running SELECT and the reading end of its pipe.

    The engine writes the footer of a result even if the query fails on the way. So the last bytes
    are sent only after the query has succeeded: a reader must not take a broken result for a
    complete one.
    """

    def __init__(
        self,
        connection: Connection,
        query: Query,
        format_name: str,
        parameters: Mapping[str, str],
        *,
        engine: Engine,
        threads: Executor,
    ) -> None:
        self._engine = engine
        self._kept = b""
        self._ended = False
        self._outcome = Outcome()
        self._read_end, self._write_end = os.pipe()
        # KILL QUERY finds the query by this comment, which is unique.
        self._marker = f"/* {uuid.uuid4().hex} */"
        text = query.into_file(f"/dev/fd/{self._write_end}", format_name)
        self._query = threads.submit(
            self._run, connection, self._marker.encode() + text, dict(parameters)
        )

    def _run(self, connection: Connection, sql: bytes, parameters: Mapping[str, str]) -> Outcome:
        try:
            return connection.run(sql, parameters=parameters)
        finally:
            os.close(self._write_end)

    def next_part(self) -> bytes:
        """Wait for more bytes than must be kept back, or for the end."""
        while not self._ended:
            part = os.read(self._read_end, _PART_BYTES)
            if not part:
                self._finish()
                break
            self._kept += part
            if len(self._kept) > _KEPT_BYTES:
                ready, self._kept = self._kept[:-_KEPT_BYTES], self._kept[-_KEPT_BYTES:]
                return ready
        rest, self._kept = self._kept, b""
        return rest

    def _finish(self) -> None:
        self._ended = True
        os.close(self._read_end)
        try:
            self._outcome = self._query.result()
        except ClickHouseError:
            self._kept = b""
            raise

    def outcome(self) -> Outcome:
        """What was read; nothing before the query has ended."""
        return self._outcome

    def close(self) -> None:
        """Stop the query if it still runs; closing the pipe does not stop it."""
        if self._ended:
            return
        self._ended = True
        os.close(self._read_end)
        self._engine.kill(self._marker)
        # The query was killed or has ended: its result is not needed.
        self._query.exception()
