"""Sessions of DuckDB compile a query once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from social_assets.contracts.registry import contract
from social_assets.transform.duckdb_engine import DuckDBEngine
from social_assets.transform.queries.compiled_query import compiled_query
from social_assets.transform.validate_block import BlockValidator
from tests.integration.transform.raw_records import raw_table

LIKE = b'{"event_id": "%s", "event_time": "2026-01-01T00:00:00Z", "account_id": 1}'


@pytest.fixture
def engine(tmp_path: Path) -> DuckDBEngine:
    return DuckDBEngine(tmp_path)


def compiled_by(work: Callable[[], None]) -> int:
    """The number of queries that a call compiles."""
    before = compiled_query.cache_info().misses
    work()
    return compiled_query.cache_info().misses - before


def test_the_like_batch_is_validated_in_another_session_without_compiling(
    engine: DuckDBEngine,
) -> None:
    stream = contract("engagement_events")

    def validate(record: bytes) -> None:
        with engine.session() as session:
            block = raw_table([record], None, "file")
            assert BlockValidator(session, stream).of(block).num_rows == 1

    validate(LIKE % b"a")
    assert compiled_by(lambda: validate(LIKE % b"b")) == 0
    spelled_otherwise = (LIKE % b"c").replace(b"event_id", b"EventId")
    assert 0 < compiled_by(lambda: validate(spelled_otherwise)) < 8


@pytest.mark.parametrize("text", ["batch-1", "it's", 'a "b"; DROP TABLE x --', "ünï", ""])
def test_a_constant_is_compared_as_it_is_and_stands_in_no_query(
    engine: DuckDBEngine, text: str
) -> None:
    with engine.session() as session:
        rows = session.rows(pa.table({"batch_id": [text, "another"]}))
        of_batch = rows.filter(rows.batch_id == session.constant(text))
        assert session.strings(of_batch) == [text]
        assert "constant_1" in session.compiled(of_batch)


def test_constants_of_one_session_do_not_change_each_other(engine: DuckDBEngine) -> None:
    with engine.session() as session:
        rows = session.rows(pa.table({"batch_id": ["a", "b"]}))
        first = rows.filter(rows.batch_id == session.constant("a"))
        second = rows.filter(rows.batch_id == session.constant("b"))
        assert session.strings(second) == ["b"]
        assert session.strings(first) == ["a"]


def test_sessions_share_a_database_and_see_nothing_of_each_other(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    files = [str(tmp_path / f"{text}.parquet") for text in ("a", "b")]
    for file in files:
        pq.write_table(pa.table({"text": [Path(file).stem]}), file)
    schema = pa.schema([("text", pa.string())])
    with engine.session() as one, engine.session() as other, ExitStack() as kept:
        # Made in turn with similar names: both must exist before either query runs.
        made = [
            (
                session.scan([file], schema, ["text"]),
                session.rows(pq.read_table(file)),
                kept.enter_context(session.stored(session.scan([file], schema, ["text"]))),
            )
            for session, file in ((one, files[0]), (other, files[1]))
        ]
        constants = [one.constant("a"), other.constant("b")]
        for session, tables, constant, text in zip(
            (one, other), made, constants, "ab", strict=True
        ):
            assert [session.strings(table) for table in tables] == [[text]] * 3
            assert session.strings(tables[1].filter(tables[1].text == constant)) == [text]
    with engine.session() as later:
        listed = "SELECT table_name FROM information_schema.tables"
        assert later.connection.sql(listed).fetchall() == []


VALIDATE = f"""
import sys
from pathlib import Path
from social_assets.contracts.registry import contract
from social_assets.transform.duckdb_engine import DuckDBEngine
from social_assets.transform.validate_block import BlockValidator
from tests.integration.transform.raw_records import raw_table

folder = Path(sys.argv[1])
with DuckDBEngine(folder, queries=folder / "queries").session() as session:
    block = raw_table([{LIKE % b"a"!r}, b'{{"EventId": "b"}}'], None, "file")
    print(BlockValidator(session, contract("engagement_events")).of(block).to_pylist())
print("ibis.backends.sql.compilers" in sys.modules)
"""


def test_a_later_process_compiles_no_query_and_finds_the_same(tmp_path: Path) -> None:
    def process() -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", VALIDATE, str(tmp_path)],
            cwd=Path(__file__).resolve().parents[3],
            capture_output=True,
            text=True,
            check=True,
        )
        rows, has_compilers = done.stdout.splitlines()
        return rows, has_compilers

    rows, has_compilers = process()
    assert has_compilers == "True"
    assert process() == (rows, "False")
    for file in (tmp_path / "queries").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert process() == (rows, "True")
    assert process() == (rows, "False")


def test_a_query_with_values_of_rows_is_not_kept(tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path, queries=tmp_path / "queries")
    with engine.session() as session:
        rows = session.rows(pa.table({"batch_id": ["batch-7", "another"]}))
        chosen = rows.filter(rows.batch_id.isin(["batch-7"]))
        assert session.strings(chosen) == ["batch-7"]
        block = raw_table([LIKE % b"user-7"], None, "file")
        assert BlockValidator(session, contract("engagement_events")).of(block).num_rows == 1
    (kept,) = (tmp_path / "queries").iterdir()
    assert "batch-7" not in kept.read_text() and "user-7" not in kept.read_text()
