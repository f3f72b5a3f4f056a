"""A failed insert returns an error in every format, which names the rows that were written."""

from __future__ import annotations

import gzip
import io
import re
import socket
from collections.abc import Callable

import lz4.frame
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

try:
    from compression import zstd
except ModuleNotFoundError:
    from backports import zstd

MakeTable = Callable[..., str]

MANY_ROWS = 3_000_000
"""More than one block: ClickHouse writes blocks of about a million rows, one after another."""


def _arrow(make_writer: Callable[..., pa.ipc.RecordBatchWriter]) -> bytes:
    rows, sink = pa.table({"a": pa.array([1, 7], pa.uint64())}), io.BytesIO()
    with make_writer(sink, rows.schema) as writer:
        writer.write_table(rows)
    return sink.getvalue()


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": pa.array([1, 7], pa.uint64())}), sink)
    return sink.getvalue()


TWO_ROWS = {
    "TabSeparated": b"1\n7\n",
    "CSV": b"1\n7\n",
    "CSVWithNames": b"a\n1\n7\n",
    "Values": b"(1), (7)",
    "JSONEachRow": b'{"a":1}\n{"a":7}\n',
    "JSONCompactEachRow": b"[1]\n[7]\n",
    "RowBinary": (1).to_bytes(8, "little") + (7).to_bytes(8, "little"),
    "Arrow": _arrow(pa.ipc.new_file),
    "ArrowStream": _arrow(pa.ipc.new_stream),
    "Parquet": _parquet(),
}
"""The rows 1 and 7 in formats that read them in different ways."""


@pytest.mark.parametrize("format_name", TWO_ROWS)
def test_a_violated_constraint_fails_the_insert_in_every_format(
    ask, table: MakeTable, format_name: str
) -> None:
    name = table("a UInt64, CONSTRAINT not_seven CHECK a != 7")
    answer = ask(TWO_ROWS[format_name], query=f"INSERT INTO {name} FORMAT {format_name}")
    assert (answer.status, answer.code) == (500, 469), answer.text
    assert "No MergeTree table got rows from it" in answer.text
    assert ask(f"SELECT count() FROM {name}").text == "0\n"


@pytest.mark.parametrize(
    ("in_url", "in_body", "settings"),
    [
        ("", "INSERT INTO {t} VALUES (1), (7)", {}),
        ("INSERT INTO {t} VALUES (1), (7)", "", {}),
        ("INSERT INTO {t} (a)", "1\n7\n", {"default_format": "TSV"}),
        ("INSERT INTO {{table:Identifier}} FORMAT TSV", "1\n7\n", {"param_table": "{t}"}),
        ("INSERT INTO {t} SETTINGS max_threads = 1 FORMAT TSV", "1\n7\n", {}),
        ("INSERT INTO {t} SELECT arrayJoin([1, 7])", "", {}),
        ("INSERT INTO {t} FORMAT TSV", "1\n7\n", {"async_insert": 1}),
        ("INSERT INTO {t} FORMAT TSV", "1\n7\n", {"async_insert": 1, "wait_for_async_insert": 0}),
        ("INSERT INTO {t} VALUES", "(1), (7)", {"async_insert": 1, "wait_for_async_insert": 0}),
        ("INSERT INTO {t} FORMAT TSV", "1\n7\n", {"session_id": "of the violated constraint"}),
    ],
)
def test_a_violated_constraint_fails_the_insert_in_every_way_in(
    ask, table: MakeTable, in_url: str, in_body: str, settings: dict[str, str | int]
) -> None:
    name = table("a UInt64, CONSTRAINT not_seven CHECK a != 7")
    parameters = {key: str(value).format(t=name) for key, value in settings.items()}
    if in_url:
        parameters["query"] = in_url.format(t=name)
    answer = ask(in_body.format(t=name), **parameters)
    assert (answer.status, answer.code) == (500, 469), answer.text
    assert ask(f"SELECT count() FROM {name}").text == "0\n"


@pytest.mark.parametrize("format_name", ["TabSeparated", "Values"])
def test_a_failing_view_fails_the_insert_and_says_what_the_table_kept(
    ask, table: MakeTable, format_name: str
) -> None:
    raw, fact = table("a UInt64"), table("a UInt64")
    ask(f"CREATE MATERIALIZED VIEW {raw}_mv TO {fact} AS SELECT a + throwIf(a = 7) AS a FROM {raw}")
    answer = ask(TWO_ROWS[format_name], query=f"INSERT INTO {raw} FORMAT {format_name}")
    assert (answer.status, answer.code) == (500, 395), answer.text
    kept = int(ask(f"SELECT count() FROM {raw}").text)
    assert _told(answer.text) == ({f"default.{raw}": kept} if kept else {})
    assert ask(f"SELECT count() FROM {fact}").text == "0\n"


def test_an_insert_into_too_many_partitions_fails(ask, table: MakeTable) -> None:
    name = table("a UInt64", "a PARTITION BY a")
    rows = "".join(f"{number}\n" for number in range(500))
    answer = ask(rows, query=f"INSERT INTO {name} FORMAT TSV")
    assert (answer.status, answer.code) == (500, 252), answer.text
    assert ask(f"SELECT count() FROM {name}").text == "0\n"


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("lz4", lz4.frame.compress), ("zstd", zstd.compress), ("gzip", gzip.compress)],
)
def test_a_cut_body_of_many_blocks_inserts_nothing(
    ask, table: MakeTable, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    name = table("a UInt64")
    body = compress("".join(f"{number}\n" for number in range(MANY_ROWS)).encode())
    answer = ask(
        body[:-9],
        query=f"INSERT INTO {name} FORMAT TSV",
        headers={"Content-Encoding": encoding},
    )
    assert answer.code == 33, answer.text
    assert "nothing was inserted" in answer.text
    assert ask(f"SELECT count() FROM {name}").text == "0\n"


def test_a_chunked_body_that_breaks_off_inserts_nothing(ask, table: MakeTable) -> None:
    name = table("a UInt64")
    request = (
        f"POST /?query=INSERT+INTO+{name}+FORMAT+TSV HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{ask.address.port}\r\nTransfer-Encoding: chunked\r\n"
        f"Authorization: {ask.authorization['Authorization']}\r\n\r\n"
    )
    rows = b"1\n" * 2_000_000
    with socket.create_connection((ask.address.hostname, ask.address.port)) as dying:
        dying.sendall(request.encode() + b"%x\r\n" % len(rows) + rows + b"\r\n")
    assert ask(f"SELECT count() FROM {name}").text == "0\n"


def test_a_bad_row_after_many_blocks_is_told_with_the_rows_before_it(ask, table: MakeTable) -> None:
    name = table("a UInt64")
    rows = "".join(f"{number}\n" for number in range(3 * MANY_ROWS))
    answer = ask(rows + "bad\n", query=f"INSERT INTO {name} FORMAT TSV", max_threads=1)
    assert (answer.status, answer.code) == (400, 27), answer.text
    kept = int(ask(f"SELECT count() FROM {name}").text)
    assert kept > 0, "the case is not shown: the engine has kept no block"
    assert _told(answer.text) == {f"default.{name}": kept}
    assert "insert_deduplication_token" in answer.text


def test_a_failed_insert_is_not_blamed_for_earlier_rows(ask, table: MakeTable) -> None:
    name = table("a UInt64")
    assert ask("1\n2\n", query=f"INSERT INTO {name} FORMAT TSV").status == 200
    assert _told(ask("x\n", query=f"INSERT INTO {name} FORMAT TSV").text) == {}


def _told(text: str) -> dict[str, int]:
    """The rows that an error names as written, by table."""
    found = re.search(r"by others at the same time: (.*?)\. Send", text)
    if found is None:
        assert "No MergeTree table got rows from it" in text
        return {}
    return {table: int(rows) for table, rows in (e.split() for e in found.group(1).split(", "))}
