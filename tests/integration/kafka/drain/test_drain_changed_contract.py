"""A topic is drained under the contract before until the changed one is deployed."""

from __future__ import annotations

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract, Numerals
from social_assets.contracts.posts import Post
from social_assets.pipeline.contracts.deploy_contract import deploy_contract
from tests.integration.kafka.drain.drain_bed import Bed, Counts, Stream

pytestmark = pytest.mark.kafka


class PostOfNumber(Post):
    """Accounts are numbers, as in releases up to 0.2."""

    account_id: int = pa.Field(gt=0, description="The account that published it")


class PostOfText(Post):
    """Accounts are texts, and posts have a language."""

    language: str = pa.Field(nullable=True, description="The language of the text")


def post(number: int) -> bytes:
    named = {"post_id": f"p{number}", "account_id": f"00{number}", "platform": "X"}
    return json.dumps({**named, "media_type": "text", "language": "de"}).encode()


def declared(stream: Stream, contract: Contract) -> Stream:
    return Stream(stream.kafka, dataclasses.replace(stream.stores, declared=contract))


def test_a_topic_is_drained_under_the_contract_before_until_the_new_one_is_deployed(
    bed: Bed,
) -> None:
    opened = bed.stream("posts", partitions=1)
    stream = declared(opened, dataclasses.replace(opened.stores.declared, model=PostOfNumber))
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


class Changing(PostOfText):
    """A column of a number's type, and one that is renamed and read elsewhere later."""

    likes: int = pa.Field(default=0)
    tongue: str = pa.Field(nullable=True)


class Widened(Changing):
    """`likes` has fractions."""

    likes: float = pa.Field(default=0.0)


class Ruled(Widened):
    """Few likes are rejected."""

    likes: float = pa.Field(default=0.0, ge=2)


class Sourced(Ruled):
    """`tongue` stands elsewhere."""

    tongue: str = pa.Field(nullable=True, metadata={"source": "deep.tongue"})


class Read(Sourced):
    """Suffixes are read, and null is allowed."""

    likes: float = pa.Field(
        default=0.0, ge=2, metadata={"numerals": Numerals(suffixes=True)}, nullable=True
    )


CHANGES: list[tuple[type[pa.DataFrameModel], tuple[str, ...]]] = [
    (PostOfText, ("post_id",)),
    (Changing, ("post_id",)),
    (Widened, ("post_id",)),
    (Ruled, ("post_id",)),
    (Sourced, ("post_id",)),
    (Read, ("post_id",)),
    (Read, ("post_id", "platform")),
    (PostOfText, ("post_id", "platform")),
    (Read, ("post_id",)),
]
"""Columns added in place and with a default, a type, a rule, a source, a conversion, null allowed,
the key, columns removed; and all of it at once."""


def many(number: int) -> bytes:
    """One of every third posts has a key that was sent before, on another platform."""
    named = {"post_id": f"p{number - number % 3 // 2}", "account_id": number + 1}
    likes = (number % 5, number % 4 + 0.5, "3K")[number % 3]
    rest = {"platform": ("X", "YouTube")[number % 2], "likes": likes, "media_type": "text"}
    return json.dumps({**named, **rest, "tongue": "a", "deep": {"tongue": "b"}}).encode()


def test_each_kind_of_change_is_deployed_while_drains_go_on(bed: Bed) -> None:
    # Of equal keys, the first one of a partition is accepted.
    stream = bed.stream("posts", partitions=1)
    declared_now = [stream.stores.declared]
    stopped = Event()

    def drain_on() -> None:
        while not stopped.is_set():
            declared(stream, declared_now[0]).drain(seconds=5)

    sent = 0
    with ThreadPoolExecutor(max_workers=1) as thread:
        draining = thread.submit(drain_on)
        try:
            for model, key in CHANGES:
                for _ in range(3):
                    stream.send([many(number) for number in range(sent, sent + 40)])
                    sent += 40
                declared_now[0] = dataclasses.replace(declared_now[0], model=model, key=key)
                deploying = declared(stream, declared_now[0])
                deploy_contract(deploying.stores)
                assert not deploying.stores.in_force.changes
                assert not draining.done()
        finally:
            stopped.set()
        draining.result(timeout=120)
    last = declared(stream, declared_now[0])
    last.drain()
    assert last.counts().raw == sent
    found = last.counts()
    assert found.duplicates > 0 < found.rejected
    bed.empty()
    fresh = declared(bed.again(last), declared_now[0])
    fresh.drain()
    assert fresh.counts() == found
    assert last.lake() == fresh.lake()
    # The tests of a worker share the warehouse.
    bed.empty()
    deploy_contract(declared(bed.again(last), stream.stores.declared).stores)
