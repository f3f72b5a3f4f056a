"""Each kind of change of a contract, on an own stream and on a built-in one: rows before and after.

All tables are then those of a stream that loads the same files under the changed contract.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandera.ibis as pa
import pytest
from pandera.api.dataframe.model import DataFrameModel

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.column import HashOf, Numerals, Spellings
from social_assets.contracts.contract import Contract
from social_assets.contracts.posts import CONTRACT as POSTS
from social_assets.contracts.posts import Post
from social_assets.pipeline.contracts.deploy_contract import deploy_contract
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.stream_work import ingest_files, rebuild
from social_assets.transform.duckdb_engine import DuckDBEngine
from tests.integration.pipeline.accounts import contents, counts
from tests.integration.pipeline.contracts.evolving_stream import Columns, contract
from tests.lake_of_tests import lake_in

Rows = list[tuple[Any, ...]]
Records = Sequence[dict[str, Any]]
Make = Callable[[str], Stores]


@pytest.fixture
def stores(clickhouse: ClickHouseResource, tmp_path: Path) -> Make:
    """Makes stores whose lake is new and whose warehouse is empty."""

    def make(name: str) -> Stores:
        with clickhouse.client() as client:
            client.command("DROP DATABASE IF EXISTS cleaned SYNC")
        folder = tmp_path / name
        lake = lake_in(folder)
        return Stores(lake, DuckDBEngine(folder / "spill"), clickhouse)

    return make


def load(stores: StreamStores, folder: Path, name: str, records: Records) -> None:
    path = folder / f"{name}.ndjson"
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    assert not ingest_files(stores, [path]).failures


def rows(stores: StreamStores, *columns: str) -> Rows:
    """The accepted rows, which lake and warehouse must have alike."""
    read = stores.cleaned.read()
    lake = sorted(zip(*(read[each].to_pylist() for each in columns), strict=True), key=str)
    with stores.stores.clickhouse.client() as client:
        query = f"SELECT {', '.join(columns)} FROM {stores.loader.table} ORDER BY ALL"
        found = sorted(map(tuple, client.query(query).result_rows), key=str)
    assert [tuple(map(_plain, row)) for row in found] == [tuple(map(_plain, row)) for row in lake]
    return lake


def _plain(value: object) -> object:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def changed_and_fresh(
    make: Make, folder: Path, before: Contract, after: Contract, records: Records
) -> Iterator[StreamStores]:
    """The stream under the contract before, with all records; then deployed; then a fresh one.

    The second half of the records is loaded while the changed contract is not deployed.
    """
    opened = make("changed")
    first, second = records[: len(records) // 2], records[len(records) // 2 :]
    load(opened.of(before), folder, "first", first)
    load(opened.of(after), folder, "second", second)
    yield opened.of(after)
    plan = deploy_contract(opened.of(after))
    changed = opened.of(after)
    if not plan.is_rebuilt:
        # Rows from before have null in an added column until they are backfilled.
        assert set(changed.cleaned.read()["language"].to_pylist()) == {None}
        rebuild(changed, sorted(changed.raw.rows_by_day()))
    assert not changed.in_force.changes
    counts(changed)
    found = contents(changed)
    yield changed
    fresh = make("fresh").of(after)
    load(fresh, folder, "first", first)
    load(fresh, folder, "second", second)
    assert found == contents(fresh)


INT: Columns = {"n": (int, {})}
NULL: Columns = {"n": (int, {"nullable": True})}
T = {"t": "2026-01-01T12:00:00Z"}


def n(kind: Any, **metadata: Any) -> Columns:
    """The column `n`, nullable, with options."""
    return {"n": (kind, {"nullable": True, "metadata": metadata})}


OWN: dict[str, tuple[Columns, Columns, Records, Rows, Rows]] = {
    "added with a default": (
        INT,
        {"c": (str, {"default": "none"}), **INT},
        [{"n": 1}, {"n": 2, "c": "x"}],
        [("a", 1), ("b", 2)],
        [("a", "none"), ("b", "x")],
    ),
    "added and derived": (
        INT,
        {"h": (str, {"metadata": {"derive": HashOf(("n",))}}), **INT},
        [{"n": 1}, {"n": 1}],
        [("a", 1), ("b", 1)],
        [("a", "d6b5915c46057bcb005f46f6433df656"), ("b", "d6b5915c46057bcb005f46f6433df656")],
    ),
    "type widened": (
        INT,
        {"n": (float, {})},
        [{"n": 1}, {"n": 2.5}],
        [("a", 1)],
        [("a", 1.0), ("b", 2.5)],
    ),
    "type narrowed": (
        n(str),
        n(int),
        [{"n": "7"}, {"n": "seven"}],
        [("a", "7"), ("b", "seven")],
        [("a", 7)],
    ),
    "source": (
        NULL,
        n(int, source="deep.n"),
        [{"n": 1, "deep": {"n": 10}}, {"n": 2}],
        [("a", 1), ("b", 2)],
        [("a", 10), ("b", None)],
    ),
    "source with alternatives": (
        NULL,
        n(int, source=("k", "n")),
        [{"n": 1, "k": 9}, {"n": 2}],
        [("a", 1), ("b", 2)],
        [("a", 9), ("b", 2)],
    ),
    "null allowed": (INT, NULL, [{"n": 1}, {}], [("a", 1), ("b", 0)], [("a", 1), ("b", None)]),
    "null forbidden": (NULL, INT, [{"n": 1}, {}], [("a", 1), ("b", None)], [("a", 1), ("b", 0)]),
    "rule loosened": (
        {"n": (int, {"gt": 5})},
        {"n": (int, {"gt": 2})},
        [{"n": 1}, {"n": 3}, {"n": 7}],
        [("c", 7)],
        [("b", 3), ("c", 7)],
    ),
    "null spellings": (
        n(str),
        n(str, null_spellings=["keine Angabe"]),
        [{"n": "keine Angabe"}, {"n": "x"}],
        [("a", "keine Angabe"), ("b", "x")],
        [("a", None), ("b", "x")],
    ),
    "numerals": (
        NULL,
        n(int, numerals=Numerals(thousands=",", suffixes=True)),
        [{"n": "1,234"}, {"n": "2K"}, {"n": "5"}],
        [("c", 5)],
        [("a", 1234), ("b", 2000), ("c", 5)],
    ),
    "time formats": (
        n(datetime),
        n(datetime, time_formats=["%d/%m/%Y"], time_zone="Europe/Berlin"),
        [{"n": "03/07/2026"}, {"n": "2026-01-01T00:00:00Z"}],
        [("b", datetime(2026, 1, 1, tzinfo=UTC))],
        [("a", datetime(2026, 7, 2, 22, tzinfo=UTC)), ("b", datetime(2026, 1, 1, tzinfo=UTC))],
    ),
    "spellings": (
        n(str),
        n(str, standardize=Spellings({"Yes": ("y", "ja")}, otherwise="No")),
        [{"n": "ja"}, {"n": "nein"}],
        [("a", "ja"), ("b", "nein")],
        [("a", "Yes"), ("b", "No")],
    ),
    "separator": (
        n(list[str]),
        n(list[str], separator="|"),
        [{"n": ["x"]}, {"n": "x|y"}],
        [("a", ["x"])],
        [("a", ["x"]), ("b", ["x", "y"])],
    ),
}


FAST = ("type narrowed", "source", "time formats", "added in place", "type", "key")
"""The changes that every run of the tests tries; the others are for the endurance tests."""


def cases(names: Iterable[str]) -> list[Any]:
    return [n if n in FAST else pytest.param(n, marks=pytest.mark.endurance) for n in names]


@pytest.mark.parametrize("name", cases(OWN))
def test_rows_of_an_own_stream(stores: Make, tmp_path: Path, name: str) -> None:
    before, after, values, old, new = OWN[name]
    records = [{"id": "abc"[number], **T, **value} for number, value in enumerate(values)]
    steps = changed_and_fresh(stores, tmp_path, contract(before), contract(after), records)
    assert rows(next(steps), "id", next(iter(before))) == old
    assert rows(next(steps), "id", next(iter(after))) == new
    assert not list(steps)


def posts(**columns: tuple[Any, dict[str, Any]]) -> Contract:
    """The built-in stream `posts` with other columns."""
    types = {name: kind for name, (kind, _) in columns.items()}
    fields = {name: pa.Field(**given) for name, (_, given) in columns.items()}
    model: type[DataFrameModel] = type("Changed", (Post,), {**fields, "__annotations__": types})
    return replace(POSTS, model=model)


LANGUAGE: Any = (str, {"nullable": True})
BUILT_IN: dict[str, tuple[Contract, Contract]] = {
    "added in place": (POSTS, posts(language=LANGUAGE)),
    "added with a default": (POSTS, posts(language=(str, {"default": "none"}))),
    "removed": (posts(language=LANGUAGE), POSTS),
    "renamed": (
        posts(language=LANGUAGE),
        posts(tongue=(str, {"nullable": True, "metadata": {"renamed_from": "language"}})),
    ),
    "type": (posts(likes=(int, {})), posts(likes=(float, {}))),
    "rule": (POSTS, posts(media_type=(str, {"isin": ["text", "image"]}))),
    "null allowed": (POSTS, posts(content=(str, {"nullable": True}))),
    "source": (POSTS, posts(content=(str, {"default": "", "metadata": {"source": "deep.text"}}))),
    "time formats": (
        POSTS,
        posts(
            published_at=(datetime, {"nullable": True, "metadata": {"time_formats": ["%d/%m/%Y"]}})
        ),
    ),
    "key": (POSTS, replace(POSTS, key=("post_id", "platform"))),
    "critical": (POSTS, replace(POSTS, critical=("account_id", "media_type"))),
}
FOUR: Records = [
    {"post_id": "p1", "account_id": 1, "platform": "X", "content": "one", "media_type": "text"},
    {"post_id": "p1", "account_id": 1, "platform": "YouTube", "language": "de", "likes": 5},
    {"post_id": "p2", "account_id": 2, "media_type": "video", "likes": 2.5, "tags": ["a", "b"]},
    {"post_id": "p3", "account_id": 3, "published_at": "03/07/2026", "deep": {"text": "four"}},
]


@pytest.mark.parametrize("name", cases(BUILT_IN))
def test_rows_of_a_built_in_stream(stores: Make, tmp_path: Path, name: str) -> None:
    before, after = BUILT_IN[name]
    under, _ = changed_and_fresh(stores, tmp_path, before, after, FOUR)
    assert under.name == "posts"
