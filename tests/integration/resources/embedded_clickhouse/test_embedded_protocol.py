"""Sessions, settings, errors and access checks like those of a ClickHouse server."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from resources.clickhouse.resource import ClickHouseUnreachableError, connect
from resources.embedded_clickhouse.errors import _STATUS_OF_NAME
from resources.embedded_clickhouse.lifecycle import Endpoint
from tests.integration.resources.embedded_clickhouse.waiting import wait_until

MakeTable = Callable[..., str]


@pytest.fixture
def session() -> str:
    return uuid.uuid4().hex


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("SELECT * FROM no_such_table", 404, 60),
        ("SELECT * FROM no_such_database.t", 404, 81),
        ("SELEC 1", 400, 62),
        ("SELECT nothing", 404, 47),
        ("SELECT no_such_function(1)", 404, 46),
        ("SELECT 1 SETTINGS no_such_setting = 1", 404, 115),
        ("SELECT 1 FORMAT NoSuchFormat", 404, 73),
        ("SELECT toUInt8('x')", 400, 6),
        ("SELECT throwIf(1)", 500, 395),
        ("SELECT 1; SELECT 2", 400, 62),
        ("", 400, 62),
        ("-- nothing but a comment", 400, 62),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", 404, 78),
        ("DROP TABLE no_such_table", 404, 60),
        ("INSERT INTO no_such_table VALUES (1)", 404, 60),
        ("CREATE TABLE t (a UInt8) ENGINE = NoSuchEngine", 404, 56),
    ],
)
def test_an_error_has_clickhouses_status_and_code(ask, query: str, status: int, code: int) -> None:
    answer = ask(query)
    assert (answer.status, answer.code) == (status, code), answer.text
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
    assert answer.text.endswith(" (version 26.9.2.1)\n")


def test_every_error_name_with_a_status_is_one_of_the_engine(client: Client) -> None:
    names = "SELECT errorCodeToName(number) FROM numbers(1500)"
    known = {name for (name,) in client.query(names).result_rows}
    assert set(_STATUS_OF_NAME) <= known


def test_an_unknown_setting_in_the_url_is_refused(ask) -> None:
    assert ask("SELECT 1", no_such_setting=1).code == 115
    assert ask("SELECT 1", **{"bad name": 1}).code == 115


def test_settings_of_one_query_do_not_reach_the_next(ask) -> None:
    get = "SELECT getSetting('max_block_size'), getSetting('log_comment')"
    assert ask(get, max_block_size=7, log_comment="run 'a' & b").text == "7\trun \\'a\\' & b\n"
    assert ask(get).text == "65409\t\n"


def test_settings_of_one_query_do_not_reach_the_next_of_its_session(ask, session: str) -> None:
    get = "SELECT getSetting('max_block_size'), currentDatabase()"
    ask("SET max_block_size = 11", session_id=session)
    assert ask(get, session_id=session, max_block_size=7, database="system").text == "7\tsystem\n"
    assert ask(get, session_id=session).text == "11\tdefault\n"


def test_a_session_goes_back_to_what_it_was_last_told_itself(ask, session: str) -> None:
    get = "SELECT getSetting('max_block_size'), currentDatabase()"
    asked = {"max_block_size": 7, "database": "system"}
    assert ask(get, session_id=session, **asked).text == "7\tsystem\n"
    assert ask(get, session_id=session).text == "65409\tdefault\n"
    ask("SET max_block_size = 11, max_result_rows = 1", session_id=session)
    ask("USE information_schema", session_id=session)
    assert ask(get, session_id=session, **asked).text == "7\tsystem\n"
    assert ask(get, session_id=session).text == "11\tinformation_schema\n"
    ask("SET max_block_size = DEFAULT", session_id=session)
    assert ask(get, session_id=session).text == "65409\tinformation_schema\n"


def test_a_request_refused_for_its_settings_leaves_its_session_as_it_was(ask, session: str) -> None:
    get = "SELECT getSetting('max_block_size'), currentDatabase()"
    refused = {"database": "system", "max_block_size": 7, "no_such_setting": 1}
    for _ in range(2):
        assert ask(get, session_id=session, **refused).code == 115
        assert ask(get, session_id=session).text == "65409\tdefault\n"


def test_a_session_keeps_settings_database_and_temporary_tables(ask, session: str) -> None:
    ask("CREATE TEMPORARY TABLE mine (a UInt8)", session_id=session)
    ask("INSERT INTO mine VALUES (1), (2)", session_id=session)
    ask("SET max_block_size = 13", session_id=session)
    ask("USE system", session_id=session)
    assert ask("SELECT sum(a) FROM mine", session_id=session).text == "3\n"
    get = "SELECT getSetting('max_block_size'), currentDatabase()"
    assert ask(get, session_id=session).text == "13\tsystem\n"
    assert ask("SELECT sum(a) FROM mine").code == 60
    assert ask("SELECT sum(a) FROM mine", session_id=f"{session} of another").code == 60


def test_a_client_with_a_session_has_temporary_tables(endpoint: Endpoint, session: str) -> None:
    client = connect(endpoint, session_id=session)
    client.command("CREATE TEMPORARY TABLE mine (a UInt8, b String)")
    client.insert("mine", [[1, "x"], [2, "y"]], column_names=["a", "b"])
    assert client.query("SELECT * FROM mine ORDER BY a").result_rows == [(1, "x"), (2, "y")]
    client.close()


def test_a_session_serves_one_query_at_a_time(ask, client: Client, session: str) -> None:
    busy = threading.Thread(target=ask, args=("SELECT sleep(2)",), kwargs={"session_id": session})
    busy.start()
    running = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleep(2)%'"
    wait_until(lambda: client.command(running) == 1)
    answer = ask("SELECT 1", session_id=session)
    busy.join()
    assert answer.code == 373
    assert "locked" in answer.text
    assert ask("SELECT 1", session_id=session).status == 200


def test_a_session_is_free_as_soon_as_its_answer_is_whole(endpoint: Endpoint, session: str) -> None:
    client = connect(endpoint, session_id=session)
    for number in range(200):
        assert client.command("SELECT {n:UInt8}", parameters={"n": number}) == number
    client.close()


def test_a_session_ends_after_its_timeout(ask, session: str) -> None:
    ask("CREATE TEMPORARY TABLE mine (a UInt8)", session_id=session, session_timeout=1)
    check = {"session_id": session, "session_check": 1, "session_timeout": 1}
    assert ask("SELECT count() FROM mine", **check).status == 200
    wait_until(lambda: not _alive_after_a_while(ask, session))


def _alive_after_a_while(ask, session: str) -> bool:
    # Each query keeps the session alive, so the queries are further apart than its timeout.
    threading.Event().wait(2.2)
    return ask("SELECT 1", session_id=session, session_check=1, session_timeout=1).code != 372


def test_a_session_can_be_closed_at_once(ask, session: str) -> None:
    ask("SELECT 1", session_id=session)
    ask("SELECT 1", session_id=session, close_session=1)
    assert ask("SELECT 1", session_id=session, session_check=1).code == 372


def test_an_impossible_session_timeout_is_refused(ask, session: str) -> None:
    for seconds in ("3601", "-1", "soon"):
        assert ask("SELECT 1", session_id=session, session_timeout=seconds).code == 374


def test_the_database_is_that_of_parameter_or_header(ask) -> None:
    query = "SELECT currentDatabase()"
    assert ask(query).text == "default\n"
    assert ask(query, database="system").text == "system\n"
    assert ask(query, headers={"X-ClickHouse-Database": "system"}).text == "system\n"
    assert ask(query, database="no_such_database").code == 81


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT 1", 0),
        ("SHOW TABLES", 0),
        ("SET max_threads = 1", 0),
        ("CREATE TABLE forbidden (a UInt8) ENGINE = Memory", 164),
        ("INSERT INTO forbidden VALUES (1)", 164),
        ("DROP DATABASE default", 164),
        ("WITH 1 AS x SELECT x", 0),
        ("KILL QUERY WHERE 0", 164),
        ("SYSTEM FLUSH LOGS", 164),
    ],
)
def test_get_changes_nothing(ask, query: str, code: int) -> None:
    assert ask(method="GET", query=query).code == code


def test_readonly_is_obeyed(ask) -> None:
    assert ask("CREATE TABLE forbidden (a UInt8) ENGINE = Memory", readonly=1).code == 164
    assert ask("SELECT 1", readonly=1).text == "1\n"


def test_a_wrong_password_is_refused(ask, endpoint: Endpoint) -> None:
    attempts: list[dict[str, object]] = [
        {},
        {"headers": {"X-ClickHouse-User": "default", "X-ClickHouse-Key": "wrong"}},
        {"headers": {"X-ClickHouse-User": "root", "X-ClickHouse-Key": endpoint.password}},
        {"headers": {"Authorization": "Basic !!!"}},
        {"headers": {"Authorization": "Bearer token"}},
        {"user": "default", "password": "wrong"},
    ]
    for attempt in attempts:
        answer = ask("SELECT 1", anonymous=True, **attempt)
        assert (answer.status, answer.code) == (403, 516)
        assert endpoint.password not in answer.text


def test_credentials_are_taken_from_headers_basic_authentication_or_url(
    ask, endpoint: Endpoint
) -> None:
    headers = {"X-ClickHouse-User": "default", "X-ClickHouse-Key": endpoint.password}
    assert ask("SELECT 1", anonymous=True, headers=headers).text == "1\n"
    assert ask("SELECT 1").text == "1\n"
    answer = ask("SELECT 1", anonymous=True, user="default", password=endpoint.password)
    assert answer.text == "1\n"


def test_a_client_with_a_wrong_password_names_address_and_setting(endpoint: Endpoint) -> None:
    wrong = Endpoint(endpoint.url, endpoint.user, "not the password")
    with pytest.raises(ClickHouseUnreachableError, match="SOCIAL_ASSETS_CLICKHOUSE_URL") as refused:
        connect(wrong)
    assert endpoint.url in str(refused.value)
    assert "not the password" not in str(refused.value)
    assert "516" in str(refused.value)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "", "127.0.0.1.evil.example"])
@pytest.mark.parametrize("path", ["/", "/ping"])
def test_a_foreign_host_header_is_refused(ask, host: str, path: str) -> None:
    answer = ask("SELECT 1", headers={"Host": host}, path=path, method="GET", query="SELECT 1")
    assert (answer.status, answer.code) == (403, 497)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
@pytest.mark.parametrize("path", ["/", "/ping"])
def test_a_page_of_another_origin_is_refused(ask, origin: str, path: str) -> None:
    answer = ask("SELECT 1", headers={"Origin": origin}, path=path, method="GET", query="SELECT 1")
    assert (answer.status, answer.code) == (403, 497)
    site = {"Sec-Fetch-Site": "cross-site"}
    assert ask("SELECT 1", headers=site, path=path, method="GET", query="SELECT 1").code == 497


def test_headers_tell_query_id_and_timezone(ask) -> None:
    answer = ask("SELECT timezone()", query_id="my query")
    assert answer.headers["x-clickhouse-query-id"] == "my query"
    assert answer.headers["x-clickhouse-timezone"] == "UTC"
    assert answer.text == "UTC\n"


@pytest.mark.parametrize("query", ["SELECT 1", "SELEC 1"])
def test_a_query_id_cannot_forge_headers(ask, query: str) -> None:
    answer = ask(query, query_id="ü\r\nX-Forged: 1")
    assert "x-forged" not in answer.headers
    assert answer.headers["x-clickhouse-query-id"] == "%C3%BC%0D%0AX-Forged: 1"


def test_many_clients_read_and_write_at_once_and_every_row_counts(
    endpoint: Endpoint, client: Client, table: MakeTable
) -> None:
    name, failures = table("worker UInt8, a UInt64", "a"), []

    def work(worker: int) -> None:
        own = connect(endpoint)
        try:
            for turn in range(10):
                rows = [[worker, turn * 100 + number] for number in range(100)]
                own.insert(name, rows, column_names=["worker", "a"])
                count = f"SELECT count(), uniqExact(a) FROM {name} WHERE worker = {worker}"
                expected = (turn + 1) * 100
                assert own.query(count).result_rows == [(expected, expected)]
        except (AssertionError, DatabaseError) as failure:
            failures.append(failure)
        finally:
            own.close()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert client.query(f"SELECT count(), uniqExact(worker, a) FROM {name}").first_row == (
        16_000,
        16_000,
    )


def test_parts_are_merged_in_the_background(client: Client, table: MakeTable) -> None:
    name = table("a UInt64", "a")
    for number in range(12):
        client.command(f"INSERT INTO {name} VALUES ({number})")
    parts = f"SELECT count() FROM system.parts WHERE table = '{name}' AND active"
    wait_until(lambda: int(str(client.command(parts))) < 8)


def test_ddl_that_dbt_leans_on_works(client: Client, table: MakeTable) -> None:
    old, new = (table("a UInt64, d Date", "a", "index_granularity = 8192") for _ in range(2))
    client.command(f"INSERT INTO {new} VALUES (1, '2026-01-01')")
    client.command(f"EXCHANGE TABLES {old} AND {new}")
    assert client.command(f"SELECT count() FROM {old}") == 1
    for name in ("fact", "staged"):
        client.command(
            f"CREATE TABLE {name}_{old} (d Date, a UInt8) "
            "ENGINE = MergeTree PARTITION BY d ORDER BY a"
        )
    client.command(f"INSERT INTO fact_{old} VALUES ('2026-01-01', 1), ('2026-01-02', 2)")
    client.command(f"INSERT INTO staged_{old} VALUES ('2026-01-02', 3)")
    client.command(f"ALTER TABLE fact_{old} REPLACE PARTITION '2026-01-02' FROM staged_{old}")
    client.command(f"ALTER TABLE fact_{old} DROP PARTITION '2026-01-01'")
    assert client.query(f"SELECT a FROM fact_{old}").result_rows == [(3,)]


def test_the_answer_to_an_insert_tells_its_length(ask, table: MakeTable) -> None:
    name = table("a UInt64")
    answer = ask(f"INSERT INTO {name} VALUES (1)")
    assert answer.status == 200
    assert answer.headers["content-length"] == "0"
    assert json.loads(answer.headers["x-clickhouse-summary"])["written_rows"] == "1"
