"""`ops.logs`: the table of log lines, one row a line.

Belongs here: columns and DDL. `lines` inserts and finds; the files come from `pipeline.logs`.
"""

from __future__ import annotations

import os

DATABASE = "ops"
LOGS = f"{DATABASE}.logs"
MEANING = "Log lines of all processes; a line that is no JSON object is kept as its text"
DAYS = "SOCIAL_ASSETS_LOG_DAYS"
"""Environment variable: how many days lines are kept."""

_DEFAULT_DAYS = 30
_MOST_DAYS = 3660
_BATCHES_REMEMBERED = 1_000
"""Tokens of inserts. Only the last batch of a shipper is ever repeated."""

COLUMNS = (
    ("time", "DateTime64(3, 'UTC') CODEC(Delta, ZSTD)", "When the line was written, UTC"),
    ("level", "LowCardinality(String)", "DEBUG to CRITICAL; empty if the line has none"),
    ("process", "LowCardinality(String)", "Which process: daemon, run, serve, load, clickhouse"),
    ("pid", "UInt32", "Its number; 0 if it is unknown"),
    ("logger", "LowCardinality(String)", "Which part of the program"),
    ("text", "String CODEC(ZSTD)", "The message, and below it the trace of an error"),
    ("run_id", "String CODEC(ZSTD)", "The Dagster run; empty outside of one"),
    ("stream", "LowCardinality(String)", "The stream that the line is about"),
    ("fields", "Map(LowCardinality(String), String)", "Everything else that the line has"),
    ("host", "LowCardinality(String)", "The machine"),
    ("source", "LowCardinality(String)", "The file that had the line"),
    ("position", "UInt64 CODEC(Delta, ZSTD)", "Where the line begins in the file, in bytes"),
    ("batch", "LowCardinality(String)", "The insert that brought it"),
)


class LogDaysError(ValueError):
    """The number of days is not usable."""


def days_kept() -> int:
    """How many days lines are kept. Raises LogDaysError if the environment has no usable number."""
    text = os.environ.get(DAYS, "").strip()
    if not text:
        return _DEFAULT_DAYS
    if not text.isdigit() or not 1 <= int(text) <= _MOST_DAYS:
        raise LogDaysError(f"{DAYS} is {text!r}; it must be a number from 1 to {_MOST_DAYS}")
    return int(text)


def create_statements(name: str = LOGS) -> tuple[str, ...]:
    """The statements that make the table, or a staging table like it, and give one that is there
    its time to live.

    The text index has each sequence of three characters, so that any part of a text is found.
    """
    lines = [f"  {column} {kind} COMMENT '{meaning}'" for column, kind, meaning in COLUMNS]
    lines += [
        "  INDEX text_index text TYPE text(tokenizer = ngrams(3), preprocessor = lowerUTF8(text))",
        "  INDEX run_index run_id TYPE bloom_filter(0.01)",
    ]
    body = ",\n".join(lines)
    return (
        f"CREATE DATABASE IF NOT EXISTS {DATABASE}",
        f"CREATE TABLE IF NOT EXISTS {name} (\n{body}\n)\n"
        "ENGINE = MergeTree PARTITION BY toDate(time) ORDER BY time\n"
        f"TTL {_expiry()}\n"
        f"SETTINGS non_replicated_deduplication_window = {_BATCHES_REMEMBERED},"
        " ttl_only_drop_parts = 1\n"
        f"COMMENT '{MEANING}'",
        f"ALTER TABLE {name} MODIFY TTL {_expiry()} SETTINGS materialize_ttl_after_modify = 0",
    )


def _expiry() -> str:
    return f"toDateTime(time) + toIntervalDay({days_kept()})"
