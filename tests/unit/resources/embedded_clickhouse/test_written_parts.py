"""The error of a failed insert names the rows that were written, or that they are unknown."""

from __future__ import annotations

import pytest

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.query.engine import Engine
from resources.embedded_clickhouse.query.written_parts import told_truly


class EngineWithoutPartLog(Engine):
    """Answers every query with the error of a lost log table."""

    def __init__(self) -> None:
        """Open nothing."""

    def connect(self, *arguments: object, **named: object) -> object:  # type: ignore[override]
        raise ClickHouseError(60, "UNKNOWN_TABLE", "Unknown table system.part_log.")


def test_the_error_of_the_insert_stays_first_when_the_log_of_parts_cannot_be_read() -> None:
    with pytest.raises(ClickHouseError) as failed, told_truly(EngineWithoutPartLog()):
        raise ClickHouseError(16, "NO_SUCH_COLUMN_IN_TABLE", "No such column origin")
    assert failed.value.code == 16
    assert failed.value.message.startswith("No such column origin. Whether rows were written")
    assert "Unknown table system.part_log" in failed.value.message
