"""A topic of a stream with `explode`: one record of Kafka gives the rows of its elements."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract, Explode, PlaceInSource
from social_assets.defs.ingestion.checks.rule_results import broken_rules
from social_assets.pipeline.stream_work import ingest_files, rebuild
from tests.integration.kafka.drain.crash_points import CrashError, crash_after
from tests.integration.kafka.drain.drain_bed import NOON, YESTERDAY, Bed, Counts, Stream

pytestmark = pytest.mark.kafka

DAY = timedelta(days=1)


class Comment(pa.DataFrameModel):
    """Comments, one row each."""

    post_id: str = pa.Field(metadata={"source": "id"}, description="The post")
    comment_id: str = pa.Field(metadata={"source": "comments[].id"}, description="The comment")
    said_at: datetime = pa.Field(metadata={"source": "comments[].at"}, description="When")


class Tag(pa.DataFrameModel):
    """Tags, which have no key of their own."""

    place: str = pa.Field(metadata={"derive": PlaceInSource()}, description="Where it stands")
    tag: str = pa.Field(metadata={"source": "tags[]"}, description="The tag")


def stream_of(bed: Bed, model: type[pa.DataFrameModel], path: str, **options: Any) -> Stream:
    """A stream of the elements at `path`, with an empty topic of two partitions and a lake."""
    whole = bed.stream("posts", partitions=2)
    given = {"key": ("comment_id",), "event_time": "said_at"} | options
    contract = Contract(
        name=f"elements_{uuid4().hex[:8]}",
        model=model,
        formats=("ndjson",),
        owner="team:test",
        topic=whole.topic,
        explode=Explode(path),
        **given,
    )
    return Stream(bed.kafka, dataclasses.replace(whole.stores, declared=contract))


def comment(name: str, at: object = NOON) -> dict[str, str]:
    return {"id": name, "at": at.isoformat() if isinstance(at, datetime) else str(at)}


def post(name: str, *comments: object) -> bytes:
    return json.dumps({"id": name, "comments": comments}).encode()


POSTS = [
    post("p1", comment("c1"), comment("c2", NOON - DAY), comment("c1")),
    post("p2"),
    post("p3", comment("c3"), comment("c4", "yesterday"), 5, comment("c5")),
    b'{"id": "p4"}',
    b'{"id": "p5", "comments": {"id": "c9"}}',
    b"no record",
    None,
    post("p6", comment("c3")),
]


def test_one_record_gives_the_rows_of_its_elements_each_on_its_day(bed: Bed) -> None:
    stream = stream_of(bed, Comment, "comments")
    stream.send(POSTS, partition=1)
    changed = stream.drain()
    assert {YESTERDAY, YESTERDAY - timedelta(days=1)} <= changed
    assert stream.counts() == Counts(raw=12, cleaned=4, duplicates=2, rejected=6)
    rows = stream.stores.cleaned.read().sort_by("comment_id").to_pylist()
    shown = ("comment_id", "post_id", "origin", "partition", "offset", "element_number")
    found = [tuple(row[name] for name in (*shown, "event_date")) for row in rows]
    before = YESTERDAY - timedelta(days=1)
    assert found == [
        ("c1", "p1", stream.topic, 1, 0, 1, YESTERDAY),
        ("c2", "p1", stream.topic, 1, 0, 2, before),
        ("c3", "p3", stream.topic, 1, 2, 1, YESTERDAY),
        ("c5", "p3", stream.topic, 1, 2, 4, YESTERDAY),
    ]
    name = stream.stores.contract.name
    asked = f"SELECT comment_id, offset, element_number FROM cleaned.{name} ORDER BY 1"
    assert bed.ask(asked) == [("c1", 0, 1), ("c2", 0, 2), ("c3", 2, 1), ("c5", 2, 4)]


def test_one_bad_element_is_rejected_alone_with_its_place(bed: Bed) -> None:
    stream = stream_of(bed, Comment, "comments")
    stream.send(POSTS, partition=0)
    stream.drain()
    rows = stream.stores.quarantine.read()
    rows = rows.sort_by([("offset", "ascending"), ("element_number", "ascending")]).to_pylist()
    found = [(r["offset"], r["element_number"], r["verdict"], r["value"]) for r in rows]
    assert found == [
        (0, 3, "duplicate", None),
        (2, 2, "rejected", post("p3", comment("c4", "yesterday"))),
        (2, 3, "rejected", post("p3", 5)),
        (3, 1, "rejected", POSTS[3]),
        (4, 1, "rejected", POSTS[4]),
        (5, 1, "rejected", POSTS[5]),
        (6, 1, "rejected", None),
        (7, 1, "duplicate", None),
    ]
    (sample,) = broken_rules(stream.stores)["said_at_not_timestamp"].sample
    assert (sample.data["row"], sample.data["element_number"]) == (2, 2)
    reasons = {(r["offset"], r["element_number"]): r["reasons"] for r in rows}
    assert reasons[2, 2] == ["said_at_not_timestamp"]
    assert reasons[3, 1] == ["record_elements_missing"]
    assert reasons[4, 1] == ["record_elements_not_list"]


def test_raw_has_the_bytes_of_each_element_once(bed: Bed) -> None:
    stream = stream_of(bed, Comment, "comments")
    stream.send(POSTS)
    stream.drain()
    values = Counter(stream.stores.raw.read()["value"].to_pylist())
    whole = Counter(
        [
            *(post("p1", c) for c in json.loads(POSTS[0] or b"")["comments"]),
            *(post("p3", c) for c in json.loads(POSTS[2] or b"")["comments"]),
            *POSTS[3:],
        ]
    )
    assert values == whole


def test_every_record_of_the_topic_has_rows_in_raw_or_is_counted_without_elements(
    bed: Bed,
) -> None:
    stream = stream_of(bed, Comment, "comments")
    sent = [post(f"p{n}", *(comment(f"c{n}_{m}") for m in range(n % 4))) for n in range(200)]
    stream.send(sent)
    stream.drain(max_records=37)
    assert stream.counts() == Counts(raw=300, cleaned=300)
    raw = stream.stores.raw.read()
    seen = set(zip(raw["partition"].to_pylist(), raw["offset"].to_pylist(), strict=True))
    cut = [taken.cut for taken in stream.taken if taken.cut is not None]
    assert sum(each.records for each in cut) == len(sent)
    assert len(seen) + sum(each.without for each in cut) == len(sent)
    places = zip(
        *(raw[name].to_pylist() for name in ("partition", "offset", "element_number")), strict=True
    )
    assert len(set(places)) == raw.num_rows


def test_elements_without_a_key_have_a_place_of_their_own(bed: Bed) -> None:
    stream = stream_of(bed, Tag, "tags", key=("place",), event_time=None)
    stream.send([json.dumps({"tags": ["a", "a", "b"]}).encode()] * 2, partition=0)
    stream.drain()
    assert stream.counts() == Counts(raw=6, cleaned=6)
    rows = stream.stores.cleaned.read().sort_by("place")
    assert rows["place"].to_pylist() == [
        f"{stream.topic}:0:{offset}:{number}" for offset in range(2) for number in range(1, 4)
    ]
    assert rows["tag"].to_pylist() == ["a", "a", "b"] * 2


def test_days_made_anew_have_the_same_rows(bed: Bed) -> None:
    stream = stream_of(bed, Comment, "comments")
    stream.send(POSTS)
    stream.send([post(f"q{n}", *(comment(f"c{m}") for m in range(n))) for n in range(9)])
    stream.drain(max_records=5)
    once, counted = stream.lake(), stream.counts()
    rebuild(stream.stores, sorted(stream.stores.raw.rows_by_day()))
    assert stream.lake() == once
    assert stream.counts() == counted


def test_a_drain_that_crashes_at_every_boundary_takes_each_element_once(bed: Bed) -> None:
    """Records of more elements than a micro-batch may have are taken over several drains."""
    stream = stream_of(bed, Comment, "comments")
    sent = 0
    for call in itertools.count(1):
        comments = [
            [comment(f"c{(sent + n * 7 + m) % 300}", NOON - (m % 2) * DAY) for m in range(n % 5)]
            for n in range(20)
        ]
        stream.send([post(f"p{n}", *each) for n, each in enumerate(comments)])
        sent += 20
        try:
            with crash_after(call):
                stream.drain(max_records=30)
            break
        except CrashError:
            continue
    assert call > 8
    crashed, counted = stream.lake(), stream.counts()
    undisturbed = again(bed, stream)
    undisturbed.drain(max_records=30)
    assert undisturbed.lake() == crashed
    assert undisturbed.counts() == counted
    assert counted.duplicates > 0


def again(bed: Bed, stream: Stream) -> Stream:
    """The same topic with another lake and another table of the warehouse."""
    contract = dataclasses.replace(stream.stores.contract, name=f"again_{uuid4().hex[:8]}")
    return Stream(bed.kafka, bed.stores(stream.topic, "posts", "other").stores.of(contract))


def test_a_record_of_too_many_elements_is_rejected_whole(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("social_assets.pipeline.topics.cut_records.RECORD_ROWS", 3)
    stream = stream_of(bed, Comment, "comments")
    many = post("p1", *(comment(f"c{n}") for n in range(4)))
    stream.send([many, post("p2", comment("d1"))])
    stream.drain()
    assert stream.counts() == Counts(raw=2, cleaned=1, rejected=1)
    assert stream.reasons()["record_elements_not_cut"] == 1
    (rejected,) = stream.stores.quarantine.read().to_pylist()
    assert rejected["value"] == many


def test_files_and_topic_are_one_stream(bed: Bed, tmp_path: Path) -> None:
    stream = stream_of(bed, Comment, "comments")
    stream.send([post("p1", comment("c1"), comment("c2"))])
    stream.drain()
    path = tmp_path / "posts.ndjson"
    path.write_bytes(b"\n".join([post("p1", comment("c2"), comment("c3"))]))
    ingested = ingest_files(stream.stores, [path], date.today())
    assert not ingested.failures
    assert stream.counts() == Counts(raw=4, cleaned=3, duplicates=1)
    rows = stream.stores.cleaned.read().sort_by("comment_id").to_pylist()
    found = [(r["comment_id"], r["source"], r["offset"], r["element_number"]) for r in rows]
    assert found == [("c1", "kafka", 0, 1), ("c2", "kafka", 0, 2), ("c3", "file", 2, None)]


def test_a_lake_from_before_the_number_of_elements_takes_a_topic(bed: Bed, tmp_path: Path) -> None:
    """Files of a release that did not number elements, then records of a topic."""
    stream = stream_of(bed, Comment, "comments")
    path = tmp_path / "posts.ndjson"
    path.write_bytes(post("p1", comment("c1"), comment("c2", "never")))
    assert not ingest_files(stream.stores, [path], date.today()).failures
    for table in (stream.stores.raw, stream.stores.cleaned, stream.stores.quarantine):
        as_before(table)
    stream.send([post("p2", comment("c1"), comment("c3"), comment("c4", "never"))])
    stream.drain()
    assert stream.counts() == Counts(raw=5, cleaned=2, duplicates=1, rejected=2)
    rebuild(stream.stores, sorted(stream.stores.raw.rows_by_day()))
    assert stream.counts() == Counts(raw=5, cleaned=2, duplicates=1, rejected=2)


def as_before(table: Any) -> None:
    """Write a table's rows anew, without the numbers."""
    rows = table.read().drop_columns("element_number")
    schema = table.schema.remove(table.schema.get_field_index("element_number"))
    former = dataclasses.replace(table, schema=schema)
    former.replace_all(rows.select(schema.names).cast(schema).to_batches())
