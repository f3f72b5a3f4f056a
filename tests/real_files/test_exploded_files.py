"""Files of which the elements of an array are the records, with values written by hand."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandera.ibis as pandera
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from social_assets.contracts.contract import Contract, Explode
from tests.real_files.conftest import Load


class Comment(pandera.DataFrameModel):
    """Comments, one row each."""

    post_id: str = pandera.Field(metadata={"source": "id"}, description="The post")
    comment_id: str = pandera.Field(metadata={"source": "comments[].id"}, description="It")
    likes: int = pandera.Field(
        nullable=True, metadata={"source": "comments[].stats.likes"}, description="Likes"
    )
    text: str = pandera.Field(
        nullable=True, metadata={"source": "comments[].text"}, description="What it says"
    )


COMMENTS = Contract(
    name="exploded_comments",
    model=Comment,
    key=("post_id", "comment_id"),
    formats=("ndjson", "parquet"),
    owner="team:test",
    explode=Explode("comments", may_be_absent=True),
)

POSTS = [
    {
        "id": "p1",
        "comments": [
            {"id": "570306000000000001", "text": "a, [b] {c}", "stats": {"likes": 3}},
            {"id": "c2", "text": "two\nlines", "stats": {"likes": None}},
        ],
    },
    {"id": "p2", "comments": []},
    {"id": "p3"},
    {"id": "p4", "comments": [{"id": "c3", "text": None, "stats": {"likes": 10**15 + 1}}]},
]
ROWS = [
    ("p1", "570306000000000001", 3, "a, [b] {c}"),
    ("p1", "c2", None, "two\nlines"),
    ("p4", "c3", 1_000_000_000_000_001, None),
]

FORMS: dict[str, Callable[[], bytes]] = {
    "lines.ndjson": lambda: "\n".join(map(json.dumps, POSTS)).encode(),
    "array.json": lambda: json.dumps(POSTS, indent=1).encode(),
    "page.json": lambda: json.dumps({"data": POSTS, "paging": {"next": "x"}}).encode(),
    "utf16.json": lambda: json.dumps(POSTS, ensure_ascii=False).encode("utf-16"),
    "archive.json.gz": lambda: gzip.compress(b"window.x = " + json.dumps(POSTS).encode()),
}


def values(rows: list[dict[str, object]]) -> list[tuple[object, ...]]:
    assert [row["reasons"] for row in rows] == [""] * len(rows)
    return [tuple(row[n] for n in ("post_id", "comment_id", "likes", "text")) for row in rows]


@pytest.mark.parametrize("name", FORMS)
def test_each_element_is_a_row_with_values_of_it_and_of_its_record(
    load: Load, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(FORMS[name]())
    rows, notes = load(tmp_path / name, COMMENTS)
    assert values(rows) == ROWS
    told = "3 records of comments[] in 4 enclosing ones, 2 of them without elements"
    assert notes[-1] == told


def test_lists_of_parquet_are_exploded_alike(load: Load, tmp_path: Path) -> None:
    stats = pa.struct([("likes", pa.int64())])
    comment = pa.struct([("id", pa.string()), ("text", pa.string()), ("stats", stats)])
    schema = pa.schema([("id", pa.string()), ("comments", pa.list_(comment))])
    pq.write_table(pa.Table.from_pylist(POSTS, schema), tmp_path / "posts.parquet")
    assert values(load(tmp_path / "posts.parquet", COMMENTS)[0]) == ROWS


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"id": "p1"}', "record_elements_missing"),
        ('{"id": "p1", "comments": null}', "record_elements_missing"),
        ('{"id": "p1", "comments": [,]}', "record_elements_missing"),
        ('{"id": "p1", "comments": [tru]}', "record_not_json_object"),
        ('{"id": "p1", "comments": [{"id": "c1"},]}', "record_elements_missing"),
        ('{"id": "p1", "comments": {"id": "c1"}}', "record_elements_not_list"),
        ('{"id": "p1", "comments": {"0": {"id": "c1"}}}', "record_elements_not_list"),
        ('{"id": "p1", "comments": "c1"}', "record_elements_not_list"),
        ('{"id": "p1", "comments": [{"id": "c1"', "record_not_json_object"),
        ('{"id": "p1", "comments": ["c1"]}', "comment_id_missing"),
    ],
)
def test_a_record_without_its_elements_is_rejected_with_the_reason(
    load: Load, tmp_path: Path, record: str, reason: str
) -> None:
    strict = Contract(
        name="exploded_comments",
        model=Comment,
        key=("post_id", "comment_id"),
        formats=("ndjson",),
        owner="team:test",
        explode=Explode("comments"),
    )
    good = '{"id": "p0", "comments": [{"id": "c0"}]}'
    (tmp_path / "posts.ndjson").write_text(f"{good}\n{record}\n{good}\n")
    reasons = [row["reasons"] for row in load(tmp_path / "posts.ndjson", strict)[0]]
    assert (reasons[0], reasons[-1]) == ("", "")
    assert reasons[-2] == reason


class Insight(pandera.DataFrameModel):
    """Values of a page's metrics, one row a metric and day."""

    metric: str = pandera.Field(metadata={"source": "data[].name"}, description="The metric")
    ended_at: datetime = pandera.Field(
        metadata={"source": "data[].values[].end_time"}, description="The end of the day"
    )
    value: int = pandera.Field(metadata={"source": "data[].values[].value"}, description="Value")


INSIGHTS = Contract(
    name="exploded_insights",
    model=Insight,
    key=("metric", "ended_at"),
    event_time="ended_at",
    formats=("ndjson",),
    owner="team:test",
    explode=Explode("data[].values"),
)


# As Facebook sends them for a page.
PAGE_INSIGHTS = """{"data": [
  {"name": "page_media_view", "period": "day", "values": [
    {"value": 310, "end_time": "2026-11-19T08:00:00+0000"},
    {"value": 275, "end_time": "2026-11-20T08:00:00+0000"}],
   "title": "page media view", "id": "100000000000201/insights/page_media_view/day"},
  {"name": "page_follows", "period": "day", "values": [
    {"value": 1308, "end_time": "2026-11-19T08:00:00+0000"},
    {"value": 1310, "end_time": "2026-11-20T08:00:00+0000"}],
   "title": "page follows", "id": "100000000000201/insights/page_follows/day"}],
 "paging": {"next": "https://graph.facebook.com/v23.0/100000000000201/insights?since=1795132800"}}
"""


@pytest.mark.parametrize("indent", [None, 1])
def test_the_values_of_a_pages_metrics_are_rows(
    load: Load, tmp_path: Path, indent: int | None
) -> None:
    (tmp_path / "insights.json").write_text(json.dumps(json.loads(PAGE_INSIGHTS), indent=indent))
    rows, _ = load(tmp_path / "insights.json", INSIGHTS)
    first, second = datetime(2026, 11, 19, 8, tzinfo=UTC), datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert [(r["metric"], r["ended_at"].replace(tzinfo=UTC), r["value"]) for r in rows] == [
        ("page_media_view", first, 310),
        ("page_media_view", second, 275),
        ("page_follows", first, 1308),
        ("page_follows", second, 1310),
    ]
