"""Answers are complete and correct for every kind of request; an incomplete one is an error."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import date, datetime
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import lz4.frame
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error
from urllib3.exceptions import ProtocolError

from resources.embedded_clickhouse.lifecycle import running_state
from resources.settings.home import Home
from tests.integration.resources.embedded_clickhouse.waiting import wait_until

try:
    from compression import zstd
except ModuleNotFoundError:
    from backports import zstd

MakeTable = Callable[..., str]
_FAILS_LATE = "SELECT number, throwIf(number = 5000000, 'too late') FROM numbers(6000000)"


def test_row_blocks_stream_to_the_last_row(client: Client) -> None:
    with client.query_row_block_stream("SELECT number FROM numbers(1000000)") as stream:
        blocks = [len(block) for block in stream]
    assert sum(blocks) == 1_000_000
    assert len(blocks) > 5


def test_arrow_streams_to_the_last_row(client: Client) -> None:
    query = "SELECT number, toString(number) AS text FROM numbers(1000000)"
    with client.query_arrow_stream(query) as stream:
        rows = [batch.num_rows for batch in stream]
    assert sum(rows) == 1_000_000
    assert len(rows) > 5


@pytest.mark.parametrize("form", ["Native", "JSONEachRow", "JSON", "CSVWithNames", "ArrowStream"])
def test_a_large_result_is_not_held_in_memory(ask, home: Home, form: str) -> None:
    state = running_state(home)
    assert state is not None
    before = _resident_bytes(state.pid)
    connection = ask.connection()
    query = f"SELECT number, toString(cityHash64(number)) AS s FROM numbers(20000000) FORMAT {form}"
    connection.request("POST", "/", query, ask.authorization)
    response = connection.getresponse()
    response.read(1_000_000)
    held = _resident_bytes(state.pid) - before
    connection.close()
    assert response.status == 200
    # Half a gigabyte is to come.
    assert held < 200 * 1024**2


def test_a_client_that_goes_away_ends_its_query(ask, client: Client) -> None:
    marker = "marker_of_an_endless_query"
    for form in ("Native", "JSONCompact"):
        connection = ask.connection()
        query = f"SELECT number AS {marker} FROM numbers(1000000000000) FORMAT {form}"
        connection.request("POST", "/", query, ask.authorization)
        connection.getresponse().read(100)
        connection.close()
    count = (
        "SELECT count() FROM system.processes "
        f"WHERE query LIKE '%{marker}%' AND query NOT LIKE '%system.processes%'"
    )
    wait_until(lambda: client.command(count) == 0)


@pytest.mark.parametrize(
    ("name", "decompress"),
    [("lz4", lz4.frame.decompress), ("zstd", zstd.decompress), ("gzip", gzip.decompress)],
)
@pytest.mark.parametrize("form", ["TSV", "TSVWithNames"])
def test_results_are_compressed_when_asked(ask, name: str, decompress, form: str) -> None:
    query = f"SELECT number FROM numbers(300000) FORMAT {form}"
    plain = ask(query)
    packed = ask(query, headers={"Accept-Encoding": name}, enable_http_compression=1)
    assert packed.headers["content-encoding"] == name
    assert len(packed.body) < len(plain.body) * 0.7
    assert decompress(packed.body) == plain.body


def test_compression_waits_for_its_setting(ask) -> None:
    answer = ask("SELECT 1", headers={"Accept-Encoding": "gzip, lz4"})
    assert "content-encoding" not in answer.headers
    assert answer.text == "1\n"


@pytest.mark.parametrize(
    "read",
    [
        lambda client: client.query(_FAILS_LATE),
        lambda client: client.query_arrow(_FAILS_LATE),
        lambda client: _drain(client.query_row_block_stream(_FAILS_LATE)),
        lambda client: _drain(client.query_arrow_stream(_FAILS_LATE)),
    ],
    ids=["query", "arrow", "row block stream", "arrow stream"],
)
def test_a_query_that_fails_on_the_way_is_an_error_to_the_client(client: Client, read) -> None:
    with pytest.raises((Error, ProtocolError)):
        read(client)


@pytest.mark.parametrize("form", ["TSV", "JSON", "CSVWithNames", "ArrowStream", "Native"])
def test_a_failure_on_the_way_is_told_in_the_body_and_breaks_the_connection(ask, form: str) -> None:
    connection = ask.connection()
    connection.request("POST", "/", f"{_FAILS_LATE} FORMAT {form}", ask.authorization)
    response = connection.getresponse()
    assert response.status == 200
    with pytest.raises(IncompleteRead) as broken:
        response.read()
    tag = response.getheader("X-ClickHouse-Exception-Tag")
    end = broken.value.partial[-600:]
    assert f"__exception__\r\n{tag}\r\nCode: 395. DB::Exception: too late".encode() in end
    assert end.endswith(f" {tag}\r\n__exception__\r\n".encode())


def test_waiting_for_the_end_turns_a_late_failure_into_a_status(ask) -> None:
    answer = ask(f"{_FAILS_LATE} FORMAT TSV", wait_end_of_query=1)
    assert (answer.status, answer.code) == (500, 395)
    assert ask("SELECT 1 FORMAT JSONCompact", wait_end_of_query=1).status == 200


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("String", 'it\'s a "test" \\ with \t tab, \n newline and ünïcode ☃'),
        ("String", ""),
        ("String", "'; DROP TABLE t; --"),
        ("Int64", -(2**63)),
        ("Float64", 1.5),
        ("Date", date(2026, 11, 20)),
        ("DateTime", datetime(2026, 11, 20, 21, 0, 5)),
        ("Array(String)", ["a", "it's", "ü\\"]),
        ("Array(UInt8)", []),
        ("Nullable(String)", None),
        ("Nullable(UInt8)", None),
        ("Bool", True),
    ],
)
def test_a_bound_parameter_comes_back_as_it_was_sent(client: Client, type_name, value) -> None:
    query = f"SELECT {{x:{type_name}}} AS x"
    assert client.query(query, parameters={"x": value}).result_rows == [(value,)]


def test_an_identifier_can_be_bound(client: Client, table: MakeTable) -> None:
    name = table("a UInt8")
    assert client.query("SELECT count() FROM {t:Identifier}", parameters={"t": name}).first_row == (
        0,
    )


def test_a_missing_parameter_is_an_error(ask) -> None:
    assert ask("SELECT {x:UInt8}").code == 456


@pytest.mark.parametrize(
    ("query", "parameters", "format_name"),
    [
        ("SELECT 1 AS x", {}, "TabSeparated"),
        ("SELECT 1 AS x FORMAT JSON", {"default_format": "CSV"}, "JSON"),
        ("SELECT 1 AS x", {"default_format": "JSONEachRow"}, "JSONEachRow"),
        ("SELECT 1 AS x FORMAT CSV SETTINGS max_threads = 1", {}, "CSV"),
        ("SELECT 1 AS x SETTINGS max_threads = 1 FORMAT JSONCompact;", {}, "JSONCompact"),
        ("SELECT 1 AS format -- FORMAT CSV", {}, "TabSeparated"),
        ("SELECT x FROM (SELECT 1 AS x FORMAT CSV) FORMAT XML -- the end\n", {}, "XML"),
        ("WITH 1 AS y SELECT y AS x", {"default_format": "JSONCompact"}, "JSONCompact"),
        ("(SELECT 1 AS x) UNION ALL (SELECT 2)", {"default_format": "JSON"}, "JSON"),
        ("SHOW DATABASES", {"default_format": "JSON"}, "JSON"),
    ],
)
def test_the_format_is_the_querys_own_or_the_requests(ask, query, parameters, format_name) -> None:
    answer = ask(query, **parameters)
    if "FORMAT CSV)" in query:
        assert answer.code == 62
        return
    assert answer.status == 200, answer.text
    assert answer.headers["x-clickhouse-format"] == format_name
    if format_name.startswith("JSON") and format_name != "JSONEachRow":
        assert json.loads(answer.body)["rows"] > 0


def test_query_in_url_and_body_are_one_text(ask) -> None:
    assert ask("FORMAT CSV", query="SELECT 1, 'x'").text == '1,"x"\n'


def test_get_answers_a_query_and_a_bare_address(ask) -> None:
    assert ask(method="GET", query="SELECT 1").text == "1\n"
    assert ask(method="GET", anonymous=True).text == "Ok.\n"
    assert ask(method="GET", path="/ping", anonymous=True).text == "Ok.\n"


def test_statements_without_a_result_name_no_format(ask, table: MakeTable) -> None:
    answer = ask(f"TRUNCATE TABLE {table('a UInt8')}")
    assert answer.status == 200
    assert "x-clickhouse-format" not in answer.headers
    assert answer.body == b""


def test_external_bytes_in_a_query_are_passed_on(ask) -> None:
    assert ask(b"SELECT hex('\xff\xfe')").text == "FFFE\n"


def _drain(stream) -> int:
    with stream:
        return sum(1 for _ in stream)


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("form", ["TSV", "Native", "JSONCompact"])
def test_the_summary_of_a_result_that_is_sent_whole_tells_the_rows_read(
    ask: Callable[..., Any], form: str
) -> None:
    answer = ask(f"SELECT max(number) FROM numbers(100000) FORMAT {form}", wait_end_of_query=1)
    assert json.loads(answer.headers["x-clickhouse-summary"])["read_rows"] == "100000"
