"""Files whose elements are the records, through every step."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract, Explode
from social_assets.pipeline.contracts.deploy_contract import (
    ContractNotDeployableError,
    deploy_contract,
)
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files, rebuild
from tests.integration.pipeline.accounts import Counts, contents, counts


class Comment(pa.DataFrameModel):
    """Comments, one row each."""

    post_id: str = pa.Field(metadata={"source": "id"}, description="The post")
    comment_id: str = pa.Field(metadata={"source": "comments[].id"}, description="The comment")
    said_at: datetime = pa.Field(metadata={"source": "comments[].at"}, description="When")


COMMENTS = Contract(
    name="own",
    model=Comment,
    key=("comment_id",),
    event_time="said_at",
    formats=("ndjson",),
    owner="team:test",
    explode=Explode("comments"),
)
POSTS = [
    {
        "id": "p1",
        "comments": [
            {"id": "c1", "at": "2026-01-01T10:00:00Z"},
            {"id": "c2", "at": "2026-01-02T10:00:00Z"},
            {"id": "c1", "at": "2026-01-01T11:00:00Z"},
        ],
    },
    {"id": "p2", "comments": []},
    {"id": "p3", "comments": [{"id": "c3", "at": "yesterday"}]},
    {"id": "p4"},
]


@pytest.fixture
def comments(stream: Callable[[str], StreamStores], tmp_path: Path) -> StreamStores:
    """The stores of the stream, with the posts loaded."""
    stores = stream("posts").stores.of(COMMENTS)
    path = tmp_path / "posts.ndjson"
    path.write_text("\n".join(map(json.dumps, POSTS)))
    ingested = ingest_files(stores, [path], date(2026, 1, 3))
    assert not ingested.failures
    return stores


def test_each_element_lands_on_its_own_day_and_is_accounted_for(comments: StreamStores) -> None:
    assert counts(comments) == Counts(raw=5, cleaned=2, duplicates=1, rejected=2, warehouse=2)
    rows = comments.cleaned.read().sort_by("offset").to_pylist()
    found = [(r["post_id"], r["comment_id"], r["event_date"].day, r["offset"]) for r in rows]
    assert found == [("p1", "c1", 1, 1), ("p1", "c2", 2, 2)]
    rejected = comments.quarantine.read().sort_by("offset").to_pylist()
    assert [(r["offset"], r["reasons"]) for r in rejected] == [
        (3, ["duplicate"]),
        (4, ["said_at_not_timestamp"]),
        (5, ["record_elements_missing"]),
    ]
    assert rejected[2]["value"] == b'{"id": "p4"}'


def test_days_made_anew_have_the_same_rows(comments: StreamStores) -> None:
    before = contents(comments)
    rebuild(comments, sorted(comments.raw.rows_by_day()))
    assert contents(comments) == before


def test_another_array_is_refused_where_records_are(comments: StreamStores) -> None:
    class Reply(Comment):
        """Replies."""

        comment_id: str = pa.Field(metadata={"source": "replies[].id"}, description="The reply")
        said_at: datetime = pa.Field(metadata={"source": "replies[].at"}, description="When")

    changed = comments.stores.of(
        Contract(
            name="own",
            model=Reply,
            key=("comment_id",),
            event_time="said_at",
            formats=("ndjson",),
            owner="team:test",
            explode=Explode("replies"),
        )
    )
    with pytest.raises(ContractNotDeployableError, match="raw holds the records as they were cut"):
        deploy_contract(changed)
    assert changed.contract.explode == Explode("comments")
