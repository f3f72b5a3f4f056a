"""The end of statements and the start of data, as in ClickHouse's parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.sql.insert_syntax import find_input, read_insert
from resources.embedded_clickhouse.sql.scan import first_keyword, read_query


@pytest.mark.parametrize(
    ("text", "statement", "form", "data"),
    [
        ("INSERT INTO t FORMAT CSV\n1,2", "INSERT INTO t ", "CSV", "1,2"),
        ("INSERT INTO t FORMAT CSV 1,2", "INSERT INTO t ", "CSV", "1,2"),
        ("INSERT INTO t FORMAT TSV\n\n1", "INSERT INTO t ", "TSV", "\n1"),
        ("INSERT INTO t FORMAT CSV;\n1", "INSERT INTO t ", "CSV", "1"),
        ("insert into t (`format`) values (1)", "insert into t (`format`) ", "Values", " (1)"),
        ("INSERT INTO t VALUES", "INSERT INTO t ", "Values", ""),
        ("INSERT INTO db.format FORMAT CSV\n1", "INSERT INTO db.format ", "CSV", "1"),
        ("INSERT INTO values VALUES (1)", "INSERT INTO values ", "Values", " (1)"),
        ("INSERT INTO `a b`.`format x` FORMAT CSV\n1", "INSERT INTO `a b`.`format x` ", "CSV", "1"),
        ("INSERT t VALUES (1)", "INSERT t ", "Values", " (1)"),
        ("INSERT INTO TABLE t VALUES (1)", "INSERT INTO TABLE t ", "Values", " (1)"),
        ("INSERT INTO FUNCTION file('x', 'CSV', 'a Int8') VALUES (1)",
         "INSERT INTO FUNCTION file('x', 'CSV', 'a Int8') ", "Values", " (1)"),
        ("INSERT INTO t SETTINGS async_insert = 1 FORMAT CSV\n1",
         "INSERT INTO t SETTINGS async_insert = 1 ", "CSV", "1"),
        ("/* INSERT FORMAT x */ INSERT INTO t -- VALUES\nFORMAT CSV\n1",
         "/* INSERT FORMAT x */ INSERT INTO t -- VALUES\n", "CSV", "1"),
        ("INSERT INTO {d:Identifier}.{t:Identifier} (a) FORMAT CSV\n1",
         "INSERT INTO {d:Identifier}.{t:Identifier} (a) ", "CSV", "1"),
        ("INSERT INTO t (a)\n1", "INSERT INTO t (a)", None, "1"),
        ("INSERT INTO t", "INSERT INTO t", None, ""),
        ("INSERT INTO t;", "INSERT INTO t", None, ""),
        ("INSERT INTO t (\n  a,\n  b\n)\n1,2", "INSERT INTO t (\n  a,\n  b\n)", None, "1,2"),
        ("-- why\nINSERT INTO t (a) -- which\n1", "-- why\nINSERT INTO t (a)", None, "1"),
        ("INSERT INTO t FORMAT TSV ;a", "INSERT INTO t ", "TSV", ";a"),
        ("INSERT INTO t FORMAT TSV\n;", "INSERT INTO t ", "TSV", ";"),
        ("INSERT INTO t FORMAT TSV\r\n a ;; \n", "INSERT INTO t ", "TSV", " a ;; \n"),
        ("INSERT INTO t FORMAT TSV \t\n\t1", "INSERT INTO t ", "TSV", "\t1"),
        ("WITH 1 AS x INSERT INTO t FORMAT TSV\na;", "WITH 1 AS x INSERT INTO t ", "TSV", "a;"),
        ("WITH a AS (SELECT 1), insert AS (SELECT 2 FORMAT) INSERT INTO t VALUES (1);",
         "WITH a AS (SELECT 1), insert AS (SELECT 2 FORMAT) INSERT INTO t ", "Values", " (1);"),
        ("/* x */ with 'INSERT' as format insert into t format TSV\n1",
         "/* x */ with 'INSERT' as format insert into t ", "TSV", "1"),
        ("INSERT INTO {t:Identifier} VALUES (1)",
         "INSERT INTO {t:Identifier} ", "Values", " (1)"),
        ("INSERT INTO {d:Identifier}.{t:Identifier} (a) FORMAT TSV\n1",
         "INSERT INTO {d:Identifier}.{t:Identifier} (a) ", "TSV", "1"),
        ("INSERT INTO FUNCTION file($x$ FORMAT ' ) $x$, 'TSV', 'a Array(UInt8)') (a) FORMAT TSV\n1",
         "INSERT INTO FUNCTION file($x$ FORMAT ' ) $x$, 'TSV', 'a Array(UInt8)') (a) ", "TSV", "1"),
        ("INSERT INTO TABLE FUNCTION file('x') PARTITION BY a % 2 VALUES (1)",
         "INSERT INTO TABLE FUNCTION file('x') PARTITION BY a % 2 ", "Values", " (1)"),
        ("INSERT INTO t SETTINGS a = 'FORMAT', b = -1, c = [1], d = x FORMAT TSV\n1",
         "INSERT INTO t SETTINGS a = 'FORMAT', b = -1, c = [1], d = x ", "TSV", "1"),
        ("INSERT INTO t (a) SETTINGS b = 1\n1", "INSERT INTO t (a) SETTINGS b = 1", None, "1"),
        ("INSERT INTO t // FORMAT CSV\n(a) VALUES (1)",
         "INSERT INTO t // FORMAT CSV\n(a) ", "Values", " (1)"),
        ("INSERT INTO t (a, format, select) VALUES (\u2018x)\u2019)",
         "INSERT INTO t (a, format, select) ", "Values", " (\u2018x)\u2019)"),
        ("INSERT INTO t (with, a) VALUES (1)", "INSERT INTO t (with, a) ", "Values", " (1)"),
    ],
)  # fmt: skip
def test_the_data_of_an_insert_begins_after_its_format(text, statement, form, data) -> None:
    insert = read_insert(text.encode())
    assert insert is not None
    assert (insert.statement.decode(), insert.format) == (statement, form)
    assert text.encode()[insert.data_start :].decode() == data


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a) {source}\nFORMAT Values"),
        ("INSERT INTO t (a)\n1", "INSERT INTO t (a){source}\nFORMAT Values"),
        ("INSERT INTO t SETTINGS a = 1, b = 2 FORMAT CSV\n1",
         "INSERT INTO t {source}SETTINGS a = 1, b = 2 \nFORMAT CSV"),
        ("INSERT INTO settings (settings) SETTINGS a = 1 FORMAT CSV\n1",
         "INSERT INTO settings (settings) {source}SETTINGS a = 1 \nFORMAT CSV"),
    ],
)  # fmt: skip
def test_the_source_of_the_data_stands_before_the_settings(text: str, statement: str) -> None:
    insert = read_insert(text.encode())
    assert insert is not None
    source = "\nFROM INFILE '/dev/fd/7' COMPRESSION 'none'\n"
    written = insert.from_file("/dev/fd/7", insert.format or "Values").decode()
    assert written == statement.format(source=source)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "INSERT INTO t SELECT 1",
        "INSERT INTO t (SELECT 1)",
        "INSERT INTO t (a) WITH 1 AS x SELECT x",
        "INSERT INTO t FROM u SELECT a",
        "INSERT INTO t SELECT a AS format FROM u",
        "INSERT INTO t SELECT format FROM u",
        "INSERT INTO t SELECT b * format x FROM u",
        "INSERT INTO t SELECT u.format FROM u",
        "INSERT INTO t SELECT DISTINCT format FROM u",
        "INSERT INTO t SELECT 1 FORMAT Null SETTINGS max_threads = 1",
        "INSERT INTO t WITH a AS (SELECT 1) SELECT * FROM a",
        "INSERT INTO t ((SELECT 1))",
        "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
        "WITH 1 AS insert SELECT insert",
        "WITH insert AS (SELECT 1) SELECT * FROM insert FORMAT TSV",
        "WITH 1 + insert AS x SELECT x FORMAT TSV",
        "INSERT INTO t (a) 1, 2",
        "INSERT",
        "INSERT INTO",
        "",
    ],
)
def test_other_statements_carry_no_data(text: str) -> None:
    assert read_insert(text.encode()) is None


def test_data_passing_through_a_select_is_recognised() -> None:
    insert = read_insert(b"INSERT INTO t SELECT x FROM input('x Int8') FORMAT CSV\n1")
    assert insert is not None
    assert insert.selects


@pytest.mark.parametrize(
    ("call", "structure"),
    [
        ("input('a UInt8, b String')", "a UInt8, b String"),
        (r"input ( 'a Enum(\'x\' = 1)' )", "a Enum('x' = 1)"),
        ("(SELECT * FROM input('a Enum(''x'' = 1)'))", "a Enum('x' = 1)"),
        ("t WHERE x = 'input(''a'')'", None),
        ("input", None),
    ],
)
def test_the_structure_of_input_is_found(call: str, structure: str | None) -> None:
    found = find_input(f"INSERT INTO t SELECT * FROM {call}".encode())
    assert (found and found.structure) == structure


@pytest.mark.parametrize("at", range(1, 70))
def test_a_statement_that_is_cut_off_is_not_taken_for_whole(at: int) -> None:
    text = b"WITH 1 AS x INSERT INTO t (a, b) SETTINGS c = 'd' FORMAT TSV /* e */\n1"
    insert, whole = read_insert(text[:at], cut=True), read_insert(text)
    assert insert in (None, whole)


def test_a_file_of_the_client_is_refused() -> None:
    with pytest.raises(ClickHouseError, match="FROM INFILE is not allowed"):
        read_insert(b"INSERT INTO t (a) FROM INFILE 'x' FORMAT TSV")


@pytest.mark.parametrize("data", [b"", b"1"])
def test_a_semicolon_glued_to_the_format_is_refused_before_data(data: bytes) -> None:
    insert = read_insert(b"INSERT INTO t FORMAT TSV; \n" + data)
    assert insert is not None
    assert insert.format == "TSV"
    with pytest.raises(ClickHouseError, match="excessive ';'"):
        read_insert(b"INSERT INTO t FORMAT TSV;1")


@given(st.binary())
def test_any_bytes_may_be_data(data: bytes) -> None:
    for head in (b"INSERT INTO t FORMAT Native\n", b"WITH 1 AS x INSERT INTO t FORMAT Native\n"):
        insert = read_insert(head + data)
        assert insert is not None
        assert insert.data_start == len(head)


@given(st.binary())
def test_any_bytes_can_be_read(text: bytes) -> None:
    read_query(text)
    for head in (b"", b"INSERT INTO t ", b"WITH x AS (SELECT 1) INSERT INTO t "):
        try:
            read_insert(head + text)
        except ClickHouseError as error:
            assert error.code in (62, 78)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("SELECT 1", None),
        ("SELECT 1 FORMAT CSV", "CSV"),
        ("SELECT 1 format csv ;; ", "csv"),
        ("SELECT 1 FORMAT CSV SETTINGS max_threads = 1", "CSV"),
        ("SELECT 1 SETTINGS max_threads = 1 FORMAT CSV -- end", "CSV"),
        ("SELECT 1 AS format", None),
        ("SELECT format FROM t", None),
        ("SELECT 'x FORMAT CSV'", None),
        ("SELECT 1 -- FORMAT CSV", None),
        ("SELECT 1 /* FORMAT CSV */", None),
        ("SELECT $$ FORMAT CSV $$", None),
        ("SELECT (SELECT 1 FORMAT CSV)", None),
        ("SELECT '\\' FORMAT CSV'", None),
        ("SELECT 'it''s' FORMAT JSON", "JSON"),
        ('SELECT "a""b" FORMAT JSON', "JSON"),
    ],
)
def test_the_format_of_a_query_is_its_last_clause(text: str, form: str | None) -> None:
    assert read_query(text.encode()).format == form


def test_a_query_is_pointed_at_a_file_before_its_format() -> None:
    query = read_query(b"SELECT 1 SETTINGS a = 1 FORMAT CSV;")
    assert query.into_file("/dev/fd/7", "ignored") == (
        b"SELECT 1 SETTINGS a = 1 \nINTO OUTFILE '/dev/fd/7' APPEND COMPRESSION 'none' FORMAT CSV"
    )
    query = read_query(b"SELECT 1 -- end")
    assert query.into_file("/it's", "JSON") == (
        b"SELECT 1 -- end\nINTO OUTFILE '/it\\'s' APPEND COMPRESSION 'none' FORMAT JSON"
    )


@pytest.mark.parametrize(
    ("text", "keyword"),
    [("((select 1))", "SELECT"), ("-- x\n with 1 as y", "WITH"), ("'text'", ""), (";", "")],
)
def test_the_first_keyword_is_found_behind_comments_and_parentheses(text, keyword) -> None:
    assert first_keyword(text.encode()) == keyword


def test_writing_to_a_file_is_noticed() -> None:
    assert read_query(b"SELECT 1 INTO OUTFILE 'x'").writes_file
    assert not read_query(b"SELECT 'INTO OUTFILE'").writes_file


def test_a_long_text_is_read_in_linear_time() -> None:
    read_query(b"SELECT '" + b"\\'" * 500_000)
    read_query(b"SELECT /* " + b"*" * 500_000)
    read_query(b"SELECT " + b"(" * 200_000)
