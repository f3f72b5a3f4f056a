"""multipart/form-data: parameters, settings and queries as fields, external data as files."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from uuid import uuid4

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.external import ExternalData

BOUNDARY = "a-boundary"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def field(name: str, value: str | bytes) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
    )


def file(name: str, content: bytes) -> bytes:
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.tsv"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
    )


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def test_bound_parameters_beyond_the_length_of_a_url_arrive(client: Client) -> None:
    numbers = list(range(5_000))
    found = client.query(
        "SELECT sum(n), lengthUTF8({text:String})\n"
        "FROM (SELECT arrayJoin({numbers:Array(UInt32)}) AS n)",
        parameters={"numbers": numbers, "text": "ä;\n\t'\\" * 2_000},
    )
    assert found.first_row == (sum(numbers), 12_000)


def test_commands_and_inserts_take_long_parameters_too(client: Client, table) -> None:
    name = table("a String")
    text = "x" * 10_000
    client.command(f"INSERT INTO {name} SELECT {{text:String}}", parameters={"text": text})
    assert client.query(f"SELECT length(a) FROM {name}").first_row == (10_000,)


def test_fields_are_read_as_those_of_the_url_are(ask) -> None:
    body = form(
        field("query", "SELECT {n:UInt8}, getSetting('max_block_size'), 'ü'"),
        field("param_n", "7"),
        field("max_block_size", "123"),
        field("default_format", "CSV"),
        field("query_id", "from a field"),
    )
    answer = ask(body, headers=FORM)
    assert answer.text == '7,123,"ü"\n'
    assert answer.headers["x-clickhouse-query-id"] == "from a field"


def test_external_data_is_a_table_for_one_query(client: Client) -> None:
    data = ExternalData(
        file_name="people.csv",
        data=b"1,Ada\n2,Grace\n",
        fmt="CSV",
        structure=["id UInt8", "name String"],
    )
    data.add_file(file_name="scores", data=b"1\t0.5\n2\t1.5\n", types=["UInt8", "Decimal(10, 2)"])
    found = client.query(
        "SELECT name, _2 FROM people JOIN scores ON id = _1 ORDER BY id", external_data=data
    )
    assert [(name, float(score)) for name, score in found.result_rows] == [
        ("Ada", 0.5),
        ("Grace", 1.5),
    ]


def test_external_data_does_not_stay_in_a_session(ask) -> None:
    session = uuid4().hex
    for turn in range(2):
        answer = ask(
            form(field("t_structure", "a UInt8"), file("t", f"{turn}\n".encode())),
            headers=FORM,
            session_id=session,
            query="SELECT a FROM t",
        )
        assert answer.text == f"{turn}\n"
    assert ask("SELECT a FROM t", session_id=session).code == 60


def test_a_description_may_come_after_the_data(ask) -> None:
    body = form(
        file("t", b"1\n2\n"), field("query", "SELECT sum(_1) FROM t"), field("t_types", "UInt8")
    )
    assert ask(body, headers=FORM).text == "3\n"


def test_any_bytes_may_be_external_data(ask) -> None:
    content = b"\r\n--a-boundar\r\n\r\n--\r\n--a-bound" + bytes(range(256)) * 5_000 + b"\r\n; \n"
    answer = ask(
        form(file("t", content)),
        headers=FORM,
        query="SELECT length(a), hex(MD5(a)) = hex(MD5(a)), right(a, 5) = '\\r\\n; \\n' FROM t",
        t_structure="a String",
        t_format="RawBLOB",
    )
    assert answer.text == f"{len(content)}\t1\t1\n"


def test_external_data_larger_than_memory_should_hold_arrives_whole(ask) -> None:
    content = b"".join(b"%d\n" % number for number in range(6_000_000))
    answer = ask(
        form(file("t", content)),
        headers=FORM,
        query="SELECT count(), sum(a) FROM t",
        t_structure="a UInt64",
    )
    assert answer.text == f"6000000\t{6_000_000 * 5_999_999 // 2}\n"


def test_a_form_may_be_compressed(ask) -> None:
    body = gzip.compress(form(field("query", "SELECT 1")))
    assert ask(body, headers=FORM | {"Content-Encoding": "gzip"}).text == "1\n"


@pytest.mark.parametrize(
    ("body", "headers", "told"),
    [
        (form(field("query", "SELECT 1"))[:-8], FORM, "ends before its last boundary"),
        (b"SELECT 1", FORM, "ends before its last boundary"),
        (b"", {"Content-Type": "multipart/form-data"}, "names no boundary"),
        (form(file("t", b"1\n")), FORM, "Neither structure nor types"),
        (form(field("query", b"SELECT '\xff'")), FORM, "no UTF-8"),
    ],
)
def test_a_malformed_form_runs_nothing(ask, table, body, headers, told) -> None:
    name = table("a UInt8")
    answer = ask(body, headers=headers, query=f"INSERT INTO {name} VALUES (1)")
    assert (answer.status, answer.code) == (400, 36)
    assert told in answer.text
    assert ask(f"SELECT count() FROM {name}").text == "0\n"


def test_a_setting_whose_name_ends_as_a_description_stays_a_setting(ask) -> None:
    answer = ask(
        form(file("t", b"2026-01-02\n")),
        headers=FORM,
        query="SELECT getSetting('date_time_output_format') FROM t",
        t_types="Date",
        date_time_output_format="iso",
    )
    assert answer.text == "iso\n"


def chunks(text: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_a_form_is_read_the_same_however_it_is_cut(size: int) -> None:
    from resources.embedded_clickhouse.http.multipart import read_form

    text = b"preamble\r\n" + form(field("a", "x\r\n-"), file("b", b"\r\n--\r\n"), field("c", ""))
    read = read_form(chunks(text + b"epilogue", size), BOUNDARY.encode())
    assert (dict(read.fields), dict(read.files)) == ({"a": "x\r\n-", "c": ""}, {"b": 6})
