"""A full disk, the reserve, a read-only disk: acknowledged rows are stored, others refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from resources.embedded_clickhouse.lifecycle import (
    EmbeddedServerError,
    ensure_running,
    stop,
)
from resources.machine.disk_space import RESERVE_VARIABLE
from resources.settings.home import Home
from tests.integration.resources.embedded_clickhouse.conftest import Answer, BareHttp
from tests.small_disk import MakeSmallDisk, SmallDisk

pytestmark = pytest.mark.endurance

MEGABYTE = 1024**2
RESERVE = 64 * MEGABYTE

Serve = Callable[..., "ServedDisk"]


class ServedDisk:
    """A server whose data is on a small disk."""

    def __init__(self, disk: SmallDisk, home: Home) -> None:
        self.disk = disk
        self._home = home
        self.ask = BareHttp(ensure_running(home))

    def stop(self) -> None:
        """Stop the server."""
        stop(self._home)

    def restart(self) -> None:
        """Stop the server if it runs, and start it."""
        stop(self._home)
        self.ask = BareHttp(ensure_running(self._home))

    def done(self, query: str) -> str:
        """The result of a query that must succeed."""
        answer = self.ask(query)
        assert answer.status == 200, answer.text
        return answer.text.strip()


@pytest.fixture
def serve(small_disk: MakeSmallDisk, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    homes: list[Home] = []

    def make(megabytes: int, reserve: int = 0, parts_only: bool = False) -> ServedDisk:
        monkeypatch.setenv(RESERVE_VARIABLE, str(reserve))
        home = Home(tmp_path / "home")
        at = home.clickhouse / "data" / "store" if parts_only else home.path
        at.mkdir(parents=True)
        disk = small_disk(megabytes, at=at)
        homes.append(home)
        return ServedDisk(disk, home)

    yield make
    for home in homes:
        stop(home)


INSERTS: dict[str, Callable[[BareHttp], Answer]] = {
    "TSV body": lambda ask: ask("1\n2\n", query="INSERT INTO t FORMAT TabSeparated"),
    "JSONEachRow body": lambda ask: ask('{"a":1}', query="INSERT INTO t FORMAT JSONEachRow"),
    "all in the body": lambda ask: ask("INSERT INTO t FORMAT CSV\n1\n2\n"),
    "VALUES in the query": lambda ask: ask(query="INSERT INTO t VALUES (1), (2)"),
    "VALUES in the body": lambda ask: ask("INSERT INTO t VALUES (1), (2)"),
    "a parameter": lambda ask: ask(
        "1\n", query="INSERT INTO {t:Identifier} FORMAT TSV", param_t="t"
    ),
    "SELECT": lambda ask: ask("INSERT INTO t SELECT number FROM numbers(10)"),
    "async": lambda ask: ask(
        "1\n", query="INSERT INTO t FORMAT TSV", async_insert=1, wait_for_async_insert=0
    ),
    "gzip": lambda ask: ask(
        gzip.compress(b"1\n2\n"),
        query="INSERT INTO t FORMAT TSV",
        headers={"Content-Encoding": "gzip"},
    ),
    "by a view": lambda ask: ask("1\n2\n", query="INSERT INTO into_t FORMAT TSV"),
    "a long body": lambda ask: ask(
        "".join(f"{number}\n" for number in range(3_000_000)),
        query="INSERT INTO t FORMAT TSV",
    ),
    "CREATE AS SELECT": lambda ask: ask(
        "CREATE TABLE made ENGINE = MergeTree ORDER BY a AS SELECT number AS a FROM numbers(10)"
    ),
}


def test_on_a_full_disk_every_insert_is_refused_and_works_again_when_there_is_room(
    serve: Serve,
) -> None:
    served = serve(400)
    served.done("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    served.done("CREATE TABLE into_t (a UInt64) ENGINE = Null")
    served.done("CREATE MATERIALIZED VIEW v TO t AS SELECT a FROM into_t")
    served.done("INSERT INTO t VALUES (0)")
    served.disk.fill()
    for way, insert in INSERTS.items():
        served.disk.fill()
        answer = insert(served.ask)
        assert answer.status >= 400, f"{way}: told as done: {answer.headers}"
        assert answer.code in (243, 75), f"{way}: {answer.text}"
        assert served.done("SELECT count() FROM t") == "1", way
    served.disk.make_room()
    expected = 1
    for way, insert in INSERTS.items():
        answer = insert(served.ask)
        assert answer.status == 200, f"{way}: {answer.text}"
        if way != "CREATE AS SELECT":
            expected += int(json.loads(answer.headers["x-clickhouse-summary"])["written_rows"])
    # The engine counts rows that went through a view twice: into the source, into the target.
    assert expected - int(served.done("SELECT count() FROM t")) in (0, 2)


def test_an_insert_that_fills_the_disk_is_refused_and_says_what_is_there(serve: Serve) -> None:
    served = serve(200)
    served.done("CREATE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY tuple()")
    for query, body in (
        ("INSERT INTO t SELECT number, randomString(100) FROM numbers(5000000)", ""),
        ("INSERT INTO t FORMAT TSV", _rows(1_500_000)),
    ):
        answer = served.ask(body, query=query)
        assert answer.status >= 400, answer.headers
        kept = int(served.done("SELECT count() FROM t"))
        assert f"default.t {kept}." in answer.text or (
            kept == 0 and "No MergeTree table got rows" in answer.text
        )
        served.done("TRUNCATE TABLE t")


def _rows(count: int) -> bytes:
    """Rows that hardly compress."""
    import random

    words = random.Random(1)  # noqa: S311 - rows, not secrets
    return b"".join(b"%d\t%x\n" % (n, words.getrandbits(512)) for n in range(count))


def test_a_retry_after_the_disk_was_full_completes_every_level_of_views(serve: Serve) -> None:
    served = serve(400)
    window = "SETTINGS non_replicated_deduplication_window = 100"
    for name in ("raw", "fact", "rollup"):
        served.done(f"CREATE TABLE {name} (a UInt64) ENGINE = MergeTree ORDER BY a {window}")
    served.done("CREATE MATERIALIZED VIEW to_fact TO fact AS SELECT a FROM raw")
    served.done("CREATE MATERIALIZED VIEW to_rollup TO rollup AS SELECT sum(a) AS a FROM fact")

    def load() -> Answer:
        return served.ask(
            "1\n2\n",
            query="INSERT INTO raw FORMAT TSV",
            insert_deduplication_token="batch",
            deduplicate_blocks_in_dependent_materialized_views=1,
        )

    # With 4.5 MB there is room for some of the three parts, since each asks for one of 1 MB.
    for left in (0, 512 * 1024, 3 * MEGABYTE // 2, 5 * MEGABYTE // 2, 9 * MEGABYTE // 2):
        served.disk.make_room()
        served.disk.fill(leave_bytes=left)
        load()
    served.disk.make_room()
    assert load().status == 200
    counts = "(SELECT count() FROM raw), (SELECT count() FROM fact), (SELECT sum(a) FROM rollup)"
    assert served.done(f"SELECT {counts}") == "2\t2\t3"


def test_below_the_reserve_inserts_are_refused_and_what_makes_room_works(serve: Serve) -> None:
    served = serve(400, RESERVE)
    for name in ("t", "u", "w"):
        served.done(f"CREATE TABLE {name} (a UInt64) ENGINE = MergeTree ORDER BY a")
        served.done(f"INSERT INTO {name} SELECT number FROM numbers(10)")
    served.disk.fill(leave_bytes=RESERVE // 2)
    refused = (
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t SELECT 1",
        "CREATE TABLE x ENGINE = MergeTree ORDER BY a AS SELECT 1 AS a",
        "ALTER TABLE t UPDATE a = 1 WHERE a = 2",
        "OPTIMIZE TABLE t FINAL",
    )
    for query in refused:
        answer = served.ask(query)
        assert (answer.status, answer.code) == (500, 243), f"{query}: {answer.text}"
        for part in (str(served.disk.path), "32.0 MiB free", "64.0 MiB", RESERVE_VARIABLE):
            assert part in answer.text
    assert served.done("SELECT count() FROM t") == "10"
    served.done("ALTER TABLE t DELETE WHERE a < 5 SETTINGS mutations_sync = 2")
    served.done("DELETE FROM t WHERE a = 5")
    assert served.done("SELECT count() FROM t") == "4"
    served.done("CREATE TABLE IF NOT EXISTS y (a UInt64) ENGINE = MergeTree ORDER BY a")
    served.done("TRUNCATE TABLE u")
    served.done("DROP TABLE w SYNC")
    served.disk.make_room()
    served.done("INSERT INTO t VALUES (1)")
    assert served.done("SELECT count() FROM t") == "5"


def test_one_long_insert_does_not_use_up_the_reserve(serve: Serve) -> None:
    served = serve(400, RESERVE)
    served.done("CREATE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY tuple()")
    served.done("SYSTEM STOP MERGES t")
    answer = served.ask(
        "INSERT INTO t SELECT number, randomString(100) FROM numbers(10000000) "
        "SETTINGS max_block_size = 65536, min_insert_block_size_rows = 65536, "
        "min_insert_block_size_bytes = 0, max_insert_threads = 1"
    )
    assert (answer.status, answer.code) == (500, 243), answer.text
    assert RESERVE_VARIABLE in answer.text
    kept = served.done("SELECT count() FROM t")
    assert f"default.t {kept}." in answer.text
    assert served.disk.free_bytes > RESERVE // 2


def test_a_body_that_unpacks_beyond_the_reserve_is_refused(serve: Serve) -> None:
    served = serve(400, RESERVE)
    served.done("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    bomb = gzip.compress(b"1\n" * (250 * MEGABYTE), compresslevel=1)
    answer = served.ask(
        bomb, query="INSERT INTO t FORMAT TSV", headers={"Content-Encoding": "gzip"}
    )
    assert (answer.status, answer.code) == (500, 243), answer.text
    assert served.done("SELECT count() FROM t") == "0"
    assert served.disk.free_bytes > 300 * MEGABYTE


def test_a_body_for_which_there_is_no_room_is_answered_and_not_cut_off(serve: Serve) -> None:
    served = serve(200, RESERVE)
    served.done("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    answer = served.ask(b"1\n" * (150 * MEGABYTE), query="INSERT INTO t FORMAT TSV")
    assert (answer.status, answer.code) == (500, 243), answer.text
    assert served.done("SELECT count() FROM t") == "0"


def test_on_a_read_only_disk_inserts_are_refused_and_reads_work(serve: Serve) -> None:
    served = serve(200, parts_only=True)
    served.done("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    served.done("INSERT INTO t VALUES (1)")
    with _read_only(served.disk):
        for way in ("TSV body", "VALUES in the query", "SELECT", "async", "gzip"):
            answer = INSERTS[way](served.ask)
            assert answer.status >= 400, f"{way}: told as done: {answer.headers}"
            assert "Read-only" in answer.text, f"{way}: {answer.text}"
        assert served.done("SELECT count() FROM t") == "1"
    served.done("INSERT INTO t VALUES (2)")
    assert served.done("SELECT count() FROM t") == "2"


@contextmanager
def _read_only(disk: SmallDisk) -> Iterator[None]:
    disk.make_read_only()
    try:
        yield
    finally:
        disk.make_writable()


def test_a_swap_near_the_end_of_the_disk_leaves_each_day_before_or_after_also_when_restarted(
    serve: Serve,
) -> None:
    served = serve(400)
    left = [0, 4096, 65_536, *(mb * MEGABYTE for mb in (1, 2, 4, 8, 16, 31, 33, 64))]
    for name in ("t", "staging"):
        served.done(
            f"CREATE TABLE {name} (d UInt8, v String) ENGINE = MergeTree ORDER BY d PARTITION BY d"
        )
        served.done(
            f"INSERT INTO {name} SELECT number % {len(left)}, '{name}' FROM numbers({len(left)}00)"
        )
    swapped = {}
    for day, leave_bytes in enumerate(left):
        served.disk.make_room()
        served.disk.fill(leave_bytes)
        answer = served.ask(f"ALTER TABLE t REPLACE PARTITION {day} FROM staging")
        assert answer.code in (0, 243), answer.text
        swapped[day] = answer.status == 200
    assert set(swapped.values()) == {True, False}, "the case is not shown"
    served.disk.make_room()
    expected = [f"{day}\t{'staging' if is_done else 't'}\t100" for day, is_done in swapped.items()]
    content = "SELECT d, v, count() FROM t GROUP BY d, v ORDER BY d, v"
    assert served.done(content).splitlines() == expected
    served.restart()
    assert served.done(content).splitlines() == expected
    for day in swapped:
        served.done(f"ALTER TABLE t REPLACE PARTITION {day} FROM staging")
    assert served.done("SELECT v, count() FROM t GROUP BY v") == f"staging\t{len(left)}00"


def test_on_a_full_disk_a_table_can_be_dropped_and_that_makes_room(serve: Serve) -> None:
    served = serve(200)
    for name in ("kept", "large"):
        served.done(f"CREATE TABLE {name} (a UInt64, s String) ENGINE = MergeTree ORDER BY a")
    served.done("INSERT INTO kept VALUES (1, 'x')")
    served.done("INSERT INTO large SELECT number, randomString(100) FROM numbers(500000)")
    served.disk.fill()
    assert served.ask("TRUNCATE TABLE kept").code in (0, 243)
    kept = served.done("SELECT count() FROM kept")
    served.done("DROP TABLE large SYNC")
    assert served.disk.free_bytes > 40 * MEGABYTE
    served.restart()
    assert served.done("SELECT count() FROM kept") == kept
    served.done("INSERT INTO kept VALUES (2, 'y')")


def test_a_server_that_cannot_start_on_a_full_disk_names_it(serve: Serve) -> None:
    served = serve(200)
    served.stop()
    served.disk.fill()
    with pytest.raises(EmbeddedServerError, match="No space left on device"):
        served.restart()
    served.disk.make_room()
    served.restart()
    assert served.done("SELECT 1") == "1"
