"""An insert stores every block, frame and row once, or nothing and returns an error."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import lz4.frame
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from resources.embedded_clickhouse.lifecycle import Endpoint, running_state
from resources.settings.home import Home

try:
    from compression import zstd
except ModuleNotFoundError:
    from backports import zstd

MakeTable = Callable[..., str]


@pytest.mark.parametrize("compression", ["lz4", "zstd", "gzip", False])
def test_an_insert_of_many_compressed_blocks_arrives_whole(
    endpoint: Endpoint, table: MakeTable, compression: str | bool
) -> None:
    name, rows = table("a UInt64, b String", "a"), 1_200_000
    address = urlsplit(endpoint.url)
    client = clickhouse_connect.get_client(
        host=address.hostname or "",
        port=address.port or 0,
        username=endpoint.user,
        password=endpoint.password,
        compress=compression,
    )
    assert client.write_compression == (compression or None)
    columns = [list(range(rows)), [f"value {number % 1000}" for number in range(rows)]]
    summary = client.insert(name, columns, column_names=["a", "b"], column_oriented=True)
    written = summary.written_rows
    counted = client.query(f"SELECT count(), sum(a), uniqExact(a) FROM {name}").result_rows
    client.close()
    assert written == rows
    assert counted == [(rows, rows * (rows - 1) // 2, rows)]


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("lz4", lz4.frame.compress), ("zstd", zstd.compress), ("gzip", gzip.compress)],
)
def test_concatenated_frames_are_all_read(ask, table: MakeTable, encoding: str, compress) -> None:
    name = table("a UInt64")
    frames = [f"INSERT INTO {name} FORMAT TSV\n".encode(), b"1\n2\n", b"", b"3\n", b"4\n5\n"]
    answer = ask(
        b"".join(compress(frame) for frame in frames), headers={"Content-Encoding": encoding}
    )
    assert answer.status == 200, answer.text
    assert (
        ask(f"SELECT groupArray(a) FROM (SELECT a FROM {name} ORDER BY a)").text == "[1,2,3,4,5]\n"
    )


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("lz4", lz4.frame.compress), ("zstd", zstd.compress), ("gzip", gzip.compress)],
)
def test_a_body_cut_within_a_frame_is_refused_and_inserts_nothing(
    ask, table: MakeTable, encoding: str, compress
) -> None:
    name = table("a UInt64")
    rows = "".join(f"{number * 7919}\n" for number in range(50_000)).encode()
    body = compress(f"INSERT INTO {name} FORMAT TSV\n".encode()) + compress(rows)[:-20]
    answer = ask(body, headers={"Content-Encoding": encoding})
    assert answer.code == 33
    assert "nothing was inserted" in answer.text
    assert ask(f"SELECT count() FROM {name}").text == "0\n"


def test_an_encoding_that_is_not_spoken_is_named(ask) -> None:
    answer = ask(b"SELECT 1", headers={"Content-Encoding": "br"})
    assert (answer.status, answer.code) == (501, 48)
    assert "gzip, lz4 or zstd" in answer.text


def test_arrow_tables_are_inserted_and_read_back(client: Client, table: MakeTable) -> None:
    name = table("a UInt64, b Nullable(String), c Date, d Array(Float64)", "a")
    sent = pa.table(
        {
            "a": pa.array([1, 2, 3], pa.uint64()),
            "b": pa.array(["x", None, "it's ü"], pa.string()),
            "c": pa.array([date(2026, 1, day) for day in (1, 2, 3)], pa.date32()),
            "d": pa.array([[1.5], [], [2.5, -1.0]], pa.list_(pa.float64())),
        }
    )
    client.insert_arrow(name, sent)
    read = client.query_arrow(f"SELECT * FROM {name} ORDER BY a", use_strings=True)
    assert read.to_pylist() == [
        row | {"c": row["c"]} for row in sent.cast(read.schema, safe=False).to_pylist()
    ]


def test_a_large_arrow_insert_arrives_whole(client: Client, table: MakeTable) -> None:
    name, rows = table("a UInt64"), 1_500_000
    client.insert_arrow(name, pa.table({"a": pa.array(range(rows), pa.uint64())}))
    assert client.command(f"SELECT count() FROM {name}") == rows


@pytest.mark.parametrize(
    ("in_url", "in_body"),
    [
        ("INSERT INTO {t} FORMAT CSV", b'1,"x"\n2,"y, z"\n'),
        ("", b'INSERT INTO {t} (a, b) FORMAT CSV\n1,"x"\n2,"y, z"\n'),
        ("INSERT INTO {t} VALUES", b"(1, 'x'), (2, 'y, z');"),
        ("", b"INSERT INTO {t} VALUES (1, 'x'), (2, concat('y', ', z'))"),
        ("", b"/* c */ insert into `{t}` settings max_threads = 1 format JSONEachRow "
             b'{{"a":1,"b":"x"}}{{"a":2,"b":"y, z"}}'),
        ("", b"INSERT INTO {t} SELECT 1, 'x' UNION ALL SELECT 2, 'y, z'"),
        ("INSERT INTO {t} (b, a) FORMAT TSV", b"x\t1\ny, z\t2\n"),
    ],
)  # fmt: skip
def test_each_way_to_write_an_insert_works(
    ask, table: MakeTable, in_url: str, in_body: bytes
) -> None:
    name = table("a UInt64, b String", "a")
    parameters = {"query": in_url.format(t=name)} if in_url else {}
    answer = ask(in_body.decode().format(t=name) if not in_url else in_body, **parameters)
    assert answer.status == 200, answer.text
    assert ask(f"SELECT * FROM {name} ORDER BY a FORMAT CSV").text == '1,"x"\n2,"y, z"\n'


@pytest.mark.parametrize("with_session", [False, True])
def test_data_passes_through_the_select_of_an_insert_by_input(
    ask, table: MakeTable, with_session: bool
) -> None:
    name = table("a UInt64")
    session = {"session_id": name} if with_session else {}
    query = f"INSERT INTO {name} SELECT i.x * 10 FROM input('x UInt64') AS i WHERE x > 1 FORMAT TSV"
    answer = ask(b"1\n2\n3", query=query, **session)
    assert json.loads(answer.headers["x-clickhouse-summary"])["written_rows"] == "2"
    assert ask(f"SELECT a FROM {name} ORDER BY a").text == "20\n30\n"


def test_data_for_a_select_that_reads_none_is_refused_rather_than_passed_over(
    ask, table: MakeTable
) -> None:
    name = table("a UInt64")
    answer = ask(b"1\n2\n", query=f"INSERT INTO {name} SELECT 1 FORMAT TSV")
    assert (answer.status, answer.code) == (400, 36)
    assert ask(f"SELECT count() FROM {name}").text == "0\n"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {t} FORMAT RawBLOB\n",
        "WITH (SELECT 1) AS x INSERT INTO {t} FORMAT RawBLOB\n",
        "WITH x AS (SELECT 'INSERT INTO y FORMAT z')\n-- )\nINSERT INTO {t} (a) FORMAT RawBLOB\n",
        "INSERT INTO {t} SETTINGS max_threads = 1 FORMAT RawBLOB\n",
        "INSERT INTO {t} SELECT a FROM input('a String') FORMAT RawBLOB\n",
    ],
)
@pytest.mark.parametrize("in_url", [False, True])
def test_data_is_inserted_byte_for_byte(
    ask, table: MakeTable, statement: str, in_url: bool
) -> None:
    name = table("a String")
    text = statement.format(t=name)
    sent = ["a;", "a ", "a\t ;\r\n", " \n\n", ";", "\n;a", "--a", "/* a"]
    for data in sent:
        answer = ask(data, query=text.rstrip("\n")) if in_url else ask(text + data)
        assert answer.status == 200, answer.text
    read = json.loads(ask(f"SELECT groupArray(a) AS all FROM {name} FORMAT JSONEachRow").text)
    assert sorted(read["all"]) == sorted(sent)


def test_a_statement_longer_than_what_is_read_first_finds_its_data(ask, table: MakeTable) -> None:
    name = table("a String")
    numbers = ", ".join(map(str, range(100_000)))
    for statement in (
        f"WITH [{numbers}] AS x INSERT INTO {name} FORMAT TSV\n",
        f"INSERT INTO /* {numbers} */ {name} FORMAT TSV\n",
    ):
        assert ask(f"{statement}a;\n", max_query_size=10_000_000).status == 200
    assert ask(f"SELECT count(), any(a) FROM {name}").text == "2\ta;\n"


def test_a_file_of_the_server_is_not_read_for_an_insert(ask, table: MakeTable) -> None:
    answer = ask(f"INSERT INTO {table('a String')} FROM INFILE '/etc/hostname' FORMAT TSV")
    assert answer.code == 78


def test_an_insert_without_format_takes_that_of_the_request(ask, table: MakeTable) -> None:
    name = table("a UInt64, b String", "a")
    assert ask(b'1,"x"\n', query=f"INSERT INTO {name}", default_format="CSV").status == 200
    assert ask(f"SELECT * FROM {name}").text == "1\tx\n"


def test_a_bad_row_fails_the_insert_and_leaves_nothing(ask, table: MakeTable) -> None:
    name = table("a UInt64")
    answer = ask(f"INSERT INTO {name} FORMAT TSV\n1\n2\nthree\n")
    assert (answer.status, answer.code) == (400, 27)
    assert "at row 3" in answer.text
    assert ask(f"SELECT count() FROM {name}").text == "0\n"


def test_the_summary_counts_what_was_written(ask, table: MakeTable) -> None:
    answer = ask(f"INSERT INTO {table('a UInt64')} FORMAT TSV\n1\n2\n3\n")
    assert '"written_rows": "3"' in answer.headers["x-clickhouse-summary"]
    assert answer.body == b""


def test_a_chunked_body_arrives_whole(ask, table: MakeTable) -> None:
    name = table("a UInt64")

    def chunks() -> Iterator[bytes]:
        yield f"INSERT INTO {name} FORMAT TSV\n".encode()
        for start in range(0, 300_000, 1000):
            yield "".join(f"{number}\n" for number in range(start, start + 1000)).encode()

    connection = ask.connection()
    connection.request("POST", "/", chunks(), ask.authorization, encode_chunked=True)
    assert connection.getresponse().status == 200
    assert ask(f"SELECT count(), uniqExact(a) FROM {name}").text == "300000\t300000\n"


def test_a_client_that_dies_within_its_body_inserts_nothing(
    ask, table: MakeTable, endpoint: Endpoint
) -> None:
    name = table("a UInt64")
    head = f"INSERT INTO {name} FORMAT TSV\n".encode()
    request = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{ask.address.port}\r\n"
        f"Authorization: {ask.authorization['Authorization']}\r\nContent-Length: 99999999\r\n\r\n"
    ).encode()
    with socket.create_connection((ask.address.hostname, ask.address.port)) as dying:
        dying.sendall(request + head + b"1\n" * 2_000_000)
    assert ask(f"SELECT count() FROM {name}").text == "0\n"


def test_a_token_sent_twice_inserts_once_through_two_levels_of_views(
    client: Client, table: MakeTable
) -> None:
    window = "non_replicated_deduplication_window = 100"
    raw = table("a UInt64, d Date", "a", window)
    fact = table("a UInt64, d Date", "a", window)
    rollup = table("d Date, n UInt64", "d", window)
    client.command(f"CREATE MATERIALIZED VIEW {raw}_mv TO {fact} AS SELECT a, d FROM {raw}")
    client.command(
        f"CREATE MATERIALIZED VIEW {fact}_mv TO {rollup} AS "
        f"SELECT d, count() AS n FROM {fact} GROUP BY d"
    )
    rows = pa.table({"a": pa.array(range(1000), pa.uint64()), "d": [date(2026, 1, 1)] * 1000})

    def load(token: str) -> tuple[int, ...]:
        client.insert_arrow(
            raw,
            rows,
            settings={
                "insert_deduplication_token": token,
                "deduplicate_blocks_in_dependent_materialized_views": 1,
            },
        )
        counts = f"(SELECT count() FROM {raw}), (SELECT count() FROM {fact})"
        return client.query(f"SELECT {counts}, (SELECT sum(n) FROM {rollup})").result_rows[0]

    assert load("batch 1") == (1000, 1000, 1000)
    assert load("batch 1") == (1000, 1000, 1000)
    assert load("batch 2") == (2000, 2000, 2000)


def test_a_large_body_costs_bounded_memory(ask, home: Home, table: MakeTable) -> None:
    name, rows = table("a UInt64, b String", "a"), 3_000_000
    state = running_state(home)
    assert state is not None
    peak = _PeakMemory(state.pid)

    def chunks() -> Iterator[bytes]:
        yield f"INSERT INTO {name} FORMAT TSV\n".encode()
        for start in range(0, rows, 10_000):
            numbers = range(start, start + 10_000)
            yield "".join(f"{number}\t{'x' * 100}\n" for number in numbers).encode()

    connection = ask.connection()
    with peak:
        connection.request("POST", "/", chunks(), ask.authorization, encode_chunked=True)
        assert connection.getresponse().status == 200
    assert ask(f"SELECT count() FROM {name}").text == f"{rows}\n"
    # The body is 320 MB; a block of a million such rows is 110 MB, and two may be in flight.
    assert peak.growth_bytes < 700 * 1024**2


class _PeakMemory:
    """The growth of a process's resident memory while the block runs."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/statm")
        self._ended = threading.Event()
        self.growth_bytes = 0

    def _watch(self, before: int) -> None:
        while not self._ended.wait(0.05):
            self.growth_bytes = max(self.growth_bytes, self._resident() - before)

    def _resident(self) -> int:
        return int(self._status.read_text().split()[1]) * 4096

    def __enter__(self) -> None:
        self._thread = threading.Thread(target=self._watch, args=(self._resident(),))
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def test_an_insert_into_a_missing_table_says_so(client: Client) -> None:
    with pytest.raises(DatabaseError, match="code: 60"):
        client.raw_insert("no_such_table", insert_block=b"1\n", fmt="TSV")
