"""Maps query ids of clients to running queries, so that KILL QUERY works with such an id.

The engine gives queries its own ids. So each request sets a mark on its connection, which
`system.processes` shows among the settings. In a KILL QUERY, the engine's ids replace the clients'.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from resources.embedded_clickhouse.query.engine import Engine, quote
from resources.embedded_clickhouse.sql.scan import all_tokens, unquoted


class RunningQueries:
    """The running requests, by the client's query id."""

    def __init__(self) -> None:
        self._marks: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def running(self, query_id: str) -> Iterator[str]:
        """Register the id during the block; yields the mark of the request's connection."""
        mark = uuid.uuid4().hex
        with self._lock:
            self._marks.setdefault(query_id, set()).add(mark)
        try:
            yield mark
        finally:
            with self._lock:
                self._marks[query_id].discard(mark)
                if not self._marks[query_id]:
                    del self._marks[query_id]

    def marks(self, query_id: str) -> set[str]:
        """The marks of the running requests with this id."""
        with self._lock:
            return set(self._marks.get(query_id, ()))


def with_engine_ids(
    text: bytes, parameters: Mapping[str, str], running: RunningQueries, engine: Engine
) -> tuple[bytes, dict[str, str]]:
    """A KILL QUERY and its parameters, with the engine's ids instead of the clients' ids."""
    told = dict(parameters)
    for name, value in parameters.items():
        found = _engine_id(value, running, engine)
        if found is not None:
            told[name] = found
    pieces, end = [], 0
    for token in all_tokens(text):
        if token.kind != "quoted" or not token.text.startswith("'"):
            continue
        found = _engine_id(unquoted(token.text), running, engine)
        if found is not None:
            pieces += [text[end : token.start], quote(found).encode()]
            end = token.end
    return b"".join([*pieces, text[end:]]), told


def _engine_id(query_id: str, running: RunningQueries, engine: Engine) -> str | None:
    """The engine's id of the running query with this client's id; None if there is none."""
    for mark in running.marks(query_id):
        found = engine.query_id(mark)
        if found is not None:
            return found
    return None
