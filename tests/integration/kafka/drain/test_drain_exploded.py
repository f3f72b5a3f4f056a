"""A stream with `explode` takes files only: its drain says so, and leaves the records in Kafka."""

from __future__ import annotations

import dataclasses
import json
from uuid import uuid4

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract, Explode
from social_assets.pipeline.topics.drain import ExplodedTopicError
from tests.integration.kafka.drain.drain_bed import Bed, Stream

pytestmark = pytest.mark.kafka


class Comment(pa.DataFrameModel):
    """Comments, one row each."""

    comment_id: str = pa.Field(metadata={"source": "comments[].id"}, description="The comment")


def test_a_drain_of_a_stream_with_explode_is_refused(bed: Bed) -> None:
    whole = bed.stream("posts", partitions=1)
    contract = Contract(
        name=f"comments_{uuid4().hex[:8]}",
        model=Comment,
        key=("comment_id",),
        formats=("ndjson",),
        owner="team:test",
        explode=Explode("comments"),
    )
    bed.kafka.create_topic(contract.kafka_topic, 1, {})
    stream = Stream(bed.kafka, dataclasses.replace(whole.stores, declared=contract))
    stream.send([json.dumps({"comments": [{"id": "c1"}, {"id": "c2"}]}).encode()])
    with pytest.raises(ExplodedTopicError, match="a message for each element"):
        stream.drain()
    assert stream.stores.raw.rows_by_day() == {}
