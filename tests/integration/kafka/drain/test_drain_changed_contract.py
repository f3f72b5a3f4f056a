"""A topic is drained under the contract before until the changed one is deployed."""

from __future__ import annotations

import dataclasses
import json

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract
from social_assets.contracts.posts import Post
from social_assets.pipeline.contracts.deploy_contract import deploy_contract
from tests.integration.kafka.drain.drain_bed import Bed, Counts, Stream

pytestmark = pytest.mark.kafka


class PostOfText(Post):
    """Accounts are texts, and posts have a language."""

    account_id: str = pa.Field(description="The account that published it")
    language: str = pa.Field(nullable=True, description="The language of the text")


def post(number: int) -> bytes:
    named = {"post_id": f"p{number}", "account_id": f"00{number}", "platform": "X"}
    return json.dumps({**named, "media_type": "text", "language": "de"}).encode()


def declared(stream: Stream, contract: Contract) -> Stream:
    return Stream(stream.kafka, dataclasses.replace(stream.stores, declared=contract))


def test_a_topic_is_drained_under_the_contract_before_until_the_new_one_is_deployed(
    bed: Bed,
) -> None:
    stream = bed.stream("posts", partitions=1)
    stream.send([post(1)])
    stream.drain()
    changed = declared(stream, dataclasses.replace(stream.stores.declared, model=PostOfText))
    stream.send([post(2)])
    changed.drain()
    assert sorted(changed.stores.cleaned.read()["account_id"].to_pylist()) == [1, 2]
    deploy_contract(changed.stores)
    stream.send([post(3), post(3)])
    changed.drain()
    rows = changed.stores.cleaned.read().sort_by("post_id")
    assert rows["account_id"].to_pylist() == ["001", "002", "003"]
    assert rows["language"].to_pylist() == ["de", "de", "de"]
    assert changed.counts() == Counts(raw=4, cleaned=3, duplicates=1)
