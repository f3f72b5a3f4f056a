"""KILL QUERY by the id that a client gave, or by the id in the answer."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.integration.resources.embedded_clickhouse.waiting import wait_until

ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore('{}')"


class Endless:
    """A query that ends only when it is killed."""

    def __init__(self, ask, **parameters: str) -> None:
        self._mark = uuid4().hex
        self._ask = ask
        self._code = 0
        self._thread = threading.Thread(target=self._run, kwargs=parameters)
        self._thread.start()
        wait_until(lambda: self.is_running)

    def _run(self, **parameters: str) -> None:
        self._code = self._ask(ENDLESS.format(self._mark), **parameters).code

    @property
    def is_running(self) -> bool:
        found = self._ask(
            f"SELECT count() FROM system.processes WHERE position(query, '{self._mark}') > 0 "
            "AND query NOT LIKE '%system.processes%'"
        )
        return found.text == "1\n"

    def code(self) -> int:
        """The code of the error with which it ended."""
        self._thread.join(60)
        return self._code


@pytest.mark.parametrize(
    "kill",
    [
        "KILL QUERY WHERE query_id = '{id}' SYNC",
        "KILL QUERY WHERE query_id IN ('other', '{id}') ASYNC",
        "/* why */ kill query where user = 'default' and query_id='{id}'",
    ],
)
@pytest.mark.parametrize("format_name", ["TSV", "JSON"])
def test_a_query_is_killed_by_the_id_that_the_client_gave(ask, kill: str, format_name) -> None:
    name, spared = f"it's; {uuid4().hex}", f"other-{uuid4().hex}"
    running = Endless(ask, query_id=name, default_format=format_name)
    other = Endless(ask, query_id=spared)
    answer = ask(kill.format(id=name.replace("'", "\\'")))
    assert answer.status == 200, answer.text
    assert running.code() == 394
    assert other.is_running
    ask(f"KILL QUERY WHERE query_id = '{spared}'")
    assert other.code() == 394


def test_a_query_of_a_session_is_killed_by_its_id(ask) -> None:
    session, name = uuid4().hex, uuid4().hex
    for _ in range(2):
        running = Endless(ask, query_id=name, session_id=session)
        ask("KILL QUERY WHERE query_id = {id:String} SYNC", param_id=name)
        assert running.code() == 394


def test_a_query_is_killed_by_the_id_that_came_back(ask, client) -> None:
    connection = ask.connection()
    connection.request(
        "POST",
        "/?default_format=TSV",
        "SELECT number FROM numbers(1000000000000)",
        ask.authorization,
    )
    response = connection.getresponse()
    name = response.getheader("X-ClickHouse-Query-Id")
    killed = client.query(f"KILL QUERY WHERE query_id = '{name}' ASYNC").result_rows
    assert len(killed) == 1
    with pytest.raises(http.client.IncompleteRead) as broken:
        response.read()
    assert b"QUERY_WAS_CANCELLED" in broken.value.partial[-2_000:]
    connection.close()


def test_an_insert_is_killed_by_its_id(ask, table: Callable[..., str]) -> None:
    name, target = uuid4().hex, table("a UInt64")
    endless = "numbers(1000000000000) WHERE sleepEachRow(0.1) = 0"
    query = f"INSERT INTO {target} SELECT number FROM {endless}"
    codes: list[int] = []
    thread = threading.Thread(
        target=lambda: codes.append(ask(query, query_id=name, max_block_size=1).code)
    )
    thread.start()
    wait_until(lambda: "finished" in ask(f"KILL QUERY WHERE query_id = '{name}' SYNC").text)
    thread.join(60)
    assert codes == [394]


def test_the_mark_of_a_request_is_no_setting_of_its_session(ask) -> None:
    session = uuid4().hex
    ask("SET max_threads = 1", session_id=session)
    ask("SELECT 1", session_id=session, max_block_size=5)
    told = "SELECT getSetting('max_threads'), getSetting('max_block_size') != 5"
    assert ask(told, session_id=session).text == "1\t1\n"
