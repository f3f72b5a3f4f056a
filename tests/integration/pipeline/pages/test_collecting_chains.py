"""Chains land in batches; one that fails leaves its pages and where it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from resources.settings.home import Home
from social_assets.control.accounts import Account
from social_assets.ingest.connectors.chain import ChainEnd, ChainStart, RecordPage
from social_assets.ingest.connectors.errors import PlatformDownError
from social_assets.pipeline.pages import collect_chains as module
from social_assets.pipeline.pages.collect_chains import DueChain, collect_chains
from social_assets.pipeline.pages.land_pages import PagePipeline
from social_assets.pipeline.pages.spool import PageSpool
from social_assets.pipeline.stores import StreamStores

StreamOf = Callable[[str], StreamStores]
NOON = datetime(2026, 1, 3, 12, tzinfo=UTC)


class TwoPages:
    """A platform of which the account `bad` fails after its first page."""

    def pages(self, start: ChainStart) -> Iterator[RecordPage | ChainEnd]:
        yield RecordPage(1, (b'{"n": 1}', b'{"n": 2}'), "second", NOON)
        if start.account.account_id == "bad":
            error = PlatformDownError(start, "no answer", "it is asked again")
            error.end = ChainEnd(start.since, "second", is_complete=False)
            raise error
        yield RecordPage(2, (b'{"n": 3}',), None, NOON)
        yield ChainEnd("newest", None, is_complete=True)


def due(account: str) -> DueChain:
    return DueChain(
        ChainStart(Account("X", account), "posts", since="old"), ("posts",), NOON, account, NOON
    )


@pytest.mark.parametrize("most_records", [1, 1000])
def test_a_failing_account_keeps_its_pages_and_does_not_stop_the_others(
    stream: StreamOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_records: int
) -> None:
    monkeypatch.setattr(module, "MOST_RECORDS", most_records)
    promoted: list[Mapping[str, object]] = []
    posts = stream("posts")
    pages = PagePipeline(PageSpool.of(Home(tmp_path), "X"), "X", {"posts": posts}, promoted.append)
    done = collect_chains(pages, [due("bad"), due("good")], TwoPages())
    assert (done.pages, done.records, len(done.errors)) == (3, 5, 1)
    places = {(r.account_id, r.since, r.resume, r.is_complete) for r in done.results}
    assert places == {("bad", "old", "second", False), ("good", "newest", None, True)}
    landed = [json.loads(value) for value in posts.raw.read()["value"].to_pylist()]
    assert sorted((r["account_id"], r["page"], r["record"]["n"]) for r in landed) == [
        ("bad", 1, 1),
        ("bad", 1, 2),
        ("good", 1, 1),
        ("good", 1, 2),
        ("good", 2, 3),
    ]
    assert len(promoted) == (1 if most_records > 1 else 4)
