"""What becomes of the bytes of a log file: fields of our lines, and the text of all others."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from social_assets.pipeline.logs.parse import LONGEST_TEXT, parse
from social_assets.warehouse.logs.line import LogLine

KNOWN = datetime(2026, 11, 30, 12, tzinfo=UTC)


def parsed(content: bytes, process: str = "clickhouse") -> LogLine:
    return parse(content, process, "file", 7, host="host", known=KNOWN)


def test_a_line_of_ours_gives_its_fields() -> None:
    line = parsed(
        json.dumps(
            {
                "time": "2026-11-30T13:00:00.250+00:00",
                "level": "ERROR",
                "process": "run",
                "pid": 12,
                "logger": "social_assets.pipeline",
                "message": "clean failed",
                "error": "Traceback",
                "run_id": "abc",
                "stream": "posts",
                "batch_id": "b",
                "seconds": 0.5,
            }
        ).encode()
    )
    assert line == LogLine(
        time=datetime(2026, 11, 30, 13, 0, 0, 250_000, UTC),
        level="ERROR",
        process="run",
        pid=12,
        logger="social_assets.pipeline",
        text="clean failed\nTraceback",
        run_id="abc",
        stream="posts",
        fields={"batch_id": "b", "seconds": "0.5"},
        host="host",
        source="file",
        position=7,
    )


@pytest.mark.parametrize(
    ("content", "level", "time"),
    [
        (b"2026-11-30 13:00:00,250 INFO x: begun\n", "INFO", "13:00:00.250"),
        (b"[2026-11-30 13:00:00,250] WARN slow (kafka)", "WARNING", "13:00:00.250"),
        (b"2026-11-30T13:00:00Z FATAL out of memory", "CRITICAL", "13:00:00.000"),
        (b"    at java.base/java.lang.Thread.run", "", "12:00:00.000"),
        (b"2026-99-99 13:00:00 ERROR no such day", "ERROR", "12:00:00.000"),
        (b"9999-01-01 00:00:00 too late", "", "12:00:00.000"),
    ],
)
def test_another_line_is_kept_as_its_text_with_time_and_level(
    content: bytes, level: str, time: str
) -> None:
    line = parsed(content)
    assert line.text == content.decode().rstrip("\n")
    assert line.level == level
    assert line.time.strftime("%H:%M:%S.%f")[:-3] == time
    assert line.process == "clickhouse"


def test_credentials_in_lines_of_other_programs_are_taken_out() -> None:
    assert parsed(b"connect to http://ann:hunter2secret@host").text == "connect to http://***@host"


def test_half_a_line_of_ours_is_kept_as_its_text() -> None:
    half = b'{"time": "2026-11-30T13:00:00+00:00", "level": "INFO", "mess'
    assert parsed(half).text == half.decode()


@given(st.binary(max_size=300))
def test_any_bytes_are_a_line_that_the_table_can_hold(content: bytes) -> None:
    line = parsed(content)
    line.text.encode()
    assert len(line.text) <= LONGEST_TEXT
    assert "\x00" not in line.text
    assert 2000 <= line.time.year < 2100


@given(
    st.dictionaries(
        st.sampled_from(["time", "level", "process", "pid", "message", "error", "run_id", "x"]),
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists),
    )
)
def test_any_values_of_fields_are_a_line_that_the_table_can_hold(found: dict[str, object]) -> None:
    line = parsed(json.dumps({"message": "", **found}).encode())
    assert 0 <= line.pid < 2**32
    assert line.level in ("", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    for text in (line.process, line.run_id, line.text, *line.fields.values()):
        text.encode()
