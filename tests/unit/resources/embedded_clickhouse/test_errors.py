"""Texts of the engine become codes, names, and the line that a server sends."""

from __future__ import annotations

import pytest

from resources.embedded_clickhouse.errors import ClickHouseError


@pytest.mark.parametrize(
    ("text", "code", "name", "message"),
    [
        ("Code: 60. DB::Exception: No t. (UNKNOWN_TABLE)", 60, "UNKNOWN_TABLE", "No t."),
        (
            "Streaming failed: Code: 27. DB::Exception: Bad: (at row 2)\n. (INCORRECT_DATA) "
            "(version 26.9.2.1)",
            27, "INCORRECT_DATA", "Bad: (at row 2)\n.",
        ),
        (
            "Code: 32. DB::Exception: Code: 32. DB::Exception: Read after eof: (at row 2)\n: "
            "(in file/uri /dev/fd/176): While executing TSVRowInputFormat: While executing File: "
            "data for INSERT was parsed from file. (ATTEMPT) (version 26.9.2.1). (ATTEMPT)",
            32, "ATTEMPT", "Read after eof: (at row 2)\n: While executing TSVRowInputFormat.",
        ),
        ("Code: 5. DB::Exception: no name", 5, "UNKNOWN_EXCEPTION", "no name"),
        ("something else", 1002, "UNKNOWN_EXCEPTION", "something else"),
    ],
)  # fmt: skip
def test_an_engine_text_is_taken_apart(text: str, code: int, name: str, message: str) -> None:
    error = ClickHouseError.from_engine(RuntimeError(text))
    assert (error.code, error.name, error.message) == (code, name, message)


def test_an_error_reads_as_that_of_a_server() -> None:
    error = ClickHouseError(373, "SESSION_IS_LOCKED", "Session x is locked")
    assert error.describe("26.9.2.1") == (
        "Code: 373. DB::Exception: Session x is locked. (SESSION_IS_LOCKED) (version 26.9.2.1)\n"
    )
    assert error.http_status == 500
