"""A query gives the same answer over HTTP and in process, and values keep their form."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import IPv4Address
from uuid import UUID

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MakeTable = Callable[..., str]

EXPRESSIONS = [
    "toUInt8(255), toInt8(-128), toUInt64(18446744073709551615), toInt64(-9223372036854775808)",
    "toInt256(-1), toUInt128(340282366920938463463374607431768211455)",
    "toFloat32(0.1), toFloat64(1e308), nan, inf, -inf, -0.0",
    "toDecimal64(1.25, 4), toDecimal256('-123.456', 10)",
    "'text', 'it''s \\'quoted\\' \\\\ ü ☃', '', unhex('00FF')",
    "toFixedString('abc', 5), toLowCardinality('x')",
    "toDate('2026-11-20'), toDate32('1925-01-01'), toDateTime('2026-11-20 21:00:00')",
    "toDateTime('2026-07-01 00:00:00', 'Europe/Berlin')",
    "toDateTime64('2026-11-20 21:00:00.123456', 6, 'Asia/Tokyo')",
    "toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0'), toIPv4('1.2.3.4'), toIPv6('::1')",
    "NULL, CAST(NULL AS Nullable(Int32)), CAST('x' AS Nullable(String))",
    "[1, 2, 3], [], [[1], []], ['a', 'it''s'], [NULL, 1]",
    "map('a', 1, 'b', 2), tuple(1, 'x', [2]), (1, (2, 3))",
    "CAST('b' AS Enum8('a' = 1, 'b' = 2)), true, false",
    "uniqCombinedState(number), quantileState(number)",
    "sum(number), avg(number), count(), groupArray(number), uniq(number)",
    '\'{"a": {"b": 1}}\'::JSON',
    "toIntervalDay(3), toTime('12:13:14')",
]
FORMATS = [
    "TSVWithNamesAndTypes",
    "JSONCompact",
    "JSONEachRow",
    "CSV",
    "Native",
    "RowBinary",
    "Arrow",
]

_IN_PROCESS = """
import json, os, sys, time
os.environ["TZ"] = "UTC"
time.tzset()
import chdb
connection = chdb.connect(":memory:")
queries = json.load(sys.stdin)
json.dump([connection.query(query, form).bytes().hex() for query, form in queries], sys.stdout)
"""


def test_every_type_in_every_format_is_answered_as_in_process(ask) -> None:
    queries = [
        (f"SELECT {expression} FROM numbers(10) {suffix}", form)
        for expression in EXPRESSIONS
        for form in FORMATS
        for suffix in ("", "WHERE 0")
        if not (form == "Arrow" and ("State" in expression or "Interval" in expression))
    ]
    queries += [("SELECT number % 3 AS k, count() FROM numbers(10) GROUP BY k WITH TOTALS", "JSON")]
    settings = " SETTINGS output_format_write_statistics = 0"
    queries = [(query + settings, form) for query, form in queries]
    chdb = subprocess.run(
        [sys.executable, "-c", _IN_PROCESS],
        input=json.dumps(queries),
        capture_output=True,
        text=True,
        check=True,
    )
    for (query, form), expected in zip(queries, json.loads(chdb.stdout), strict=True):
        answer = ask(query, default_format=form)
        assert answer.status == 200, (query, form, answer.text)
        assert answer.body.hex() == expected, (query, form)


ROWS = st.tuples(
    st.integers(0, 2**64 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(),
    st.one_of(st.none(), st.text()),
    st.dates(date(1970, 1, 1), date(2149, 6, 6)),
    st.integers(0, 2**32 - 1).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),
    st.decimals(-(10**9), 10**9, places=4),
    st.uuids(),
    st.ip_addresses(v=4),
    st.lists(st.text(max_size=5), max_size=5),
    st.dictionaries(st.text(max_size=5), st.integers(0, 2**32 - 1), max_size=4),
    st.booleans(),
    st.tuples(st.integers(0, 255), st.text(max_size=5)),
    st.lists(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)), max_size=5),
)  # fmt: skip
TYPES = (
    "UInt64", "Int64", "Float64", "String", "Nullable(String)", "Date", "DateTime",
    "DateTime64(6)", "Decimal(18, 4)", "UUID", "IPv4", "Array(String)", "Map(String, UInt32)",
    "Bool", "Tuple(UInt8, String)", "Array(Nullable(Int32))",
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROWS, min_size=1, max_size=5))
def test_inserted_values_come_back_equal(
    client: Client, types_table: str, rows: list[tuple[object, ...]]
) -> None:
    client.command(f"TRUNCATE TABLE {types_table}")
    names = [f"c{index}" for index in range(len(TYPES))]
    numbered = [(number, *row) for number, row in enumerate(rows)]
    client.insert(types_table, numbered, column_names=["n", *names])
    read = client.query(f"SELECT {', '.join(names)} FROM {types_table} ORDER BY n").result_rows
    assert [tuple(map(_plain, row)) for row in read] == [tuple(map(_plain, row)) for row in rows]


@pytest.fixture(scope="module")
def types_table(endpoint) -> str:
    from resources.clickhouse.resource import connect

    columns = ", ".join(f"c{index} {name}" for index, name in enumerate(TYPES))
    client = connect(endpoint)
    client.command(f"CREATE TABLE all_types (n UInt32, {columns}) ENGINE = MergeTree ORDER BY n")
    client.close()
    return "all_types"


def _plain(value: object) -> object:
    """Times as instants and numbers as numbers; everything else as it is."""
    if isinstance(value, datetime):
        return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, Decimal | UUID | IPv4Address):
        return str(value.normalize() if isinstance(value, Decimal) else value)
    return value


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(), items=st.lists(st.text(max_size=8), max_size=4))
def test_any_text_can_be_bound(client: Client, text: str, items: list[str]) -> None:
    query = "SELECT {text:String}, {items:Array(String)}"
    answer = client.query(query, parameters={"text": text, "items": items})
    assert answer.result_rows == [(text, items)]
