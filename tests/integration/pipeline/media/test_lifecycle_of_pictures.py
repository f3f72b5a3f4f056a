"""Pictures are deleted or archived in their time, and the store holds what the rows say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest

from social_assets.contracts.contract import Media
from social_assets.contracts.registry import contract
from social_assets.pipeline.media import expire_media as expiring
from social_assets.pipeline.media import fetch_media as fetching
from social_assets.pipeline.media.expire_media import MissingRowsError
from tests.integration.pipeline.media.conftest import MediaHome

Then = Literal["delete", "archive"]
Keep = Callable[[int, Then], None]


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch) -> Keep:
    """The contract of collected posts, with another lifecycle of its pictures."""

    def declare(days: int, then: Then) -> None:
        media = Media("media_url", keep_days=days, then=then)
        declared = replace(contract("posts_collected"), media=media)
        for module in (fetching, expiring):
            monkeypatch.setattr(module, "streams_with_media", lambda: ((declared, media),))

    return declare


def test_a_picture_is_deleted_after_its_days_and_its_row_says_so(
    media: MediaHome, keep: Keep
) -> None:
    keep(10, "delete")
    media.posts("/pictures/facebook/a.png")
    media.fetch()
    media.at += timedelta(days=9)
    assert not media.expire().states
    assert len(media.stored()) == 1
    media.at += timedelta(days=3)
    done = media.expire()
    assert (done.states, done.files_deleted) == ({"deleted": 1}, 1)
    assert media.stored() == {}
    assert media.states() == {"/pictures/facebook/a.png": ("deleted", None)}
    assert not media.fetch().states, "it is not fetched again"
    assert not media.expire().states


def test_a_picture_is_moved_to_the_archive_if_the_contract_says_so(
    media: MediaHome, keep: Keep
) -> None:
    keep(10, "archive")
    media.posts("/pictures/facebook/a.png")
    media.fetch()
    held = media.stored()
    media.at += timedelta(days=12)
    assert media.expire().files_archived == 1
    assert (media.stored(), media.stored("archive")) == ({}, held)
    assert media.states() == {"/pictures/facebook/a.png": ("archived", None)}
    assert media.expire().files_archived == 0


def test_a_file_stays_as_long_as_a_newer_post_has_the_same_picture(
    media: MediaHome, keep: Keep
) -> None:
    keep(10, "delete")
    media.posts("/pictures/facebook/a.png")
    media.fetch()
    media.at += timedelta(days=8)
    media.posts("/pictures/facebook/a.png")
    media.fetch()
    media.at += timedelta(days=4)
    assert media.expire().states == {"deleted": 1}
    assert len(media.stored()) == 1
    media.at += timedelta(days=8)
    assert media.expire().states == {"deleted": 1}
    assert media.stored() == {}


def test_an_archived_file_is_kept_again_when_a_new_post_has_it(
    media: MediaHome, keep: Keep
) -> None:
    keep(10, "archive")
    media.posts("/pictures/facebook/a.png")
    media.fetch()
    media.at += timedelta(days=12)
    media.expire()
    media.posts("/pictures/facebook/a.png")
    media.fetch()
    assert media.expire().files_deleted == 1, "the copy in the archive"
    assert (len(media.stored()), media.stored("archive")) == (1, {})


def test_a_picture_whose_file_is_lost_is_fetched_again(media: MediaHome) -> None:
    media.posts("/pictures/facebook/a.png", "/pictures/facebook/b.png")
    media.fetch()
    held = media.stored()
    media.files.delete(next(iter(media.files.list())))
    media.at += timedelta(seconds=1)
    assert media.expire().states == {"failed": 1}
    media.at += timedelta(seconds=1)
    assert media.fetch().states == {"fetched": 1}
    assert media.stored() == held


def test_no_file_is_deleted_while_the_warehouse_lacks_rows(media: MediaHome) -> None:
    media.posts("/pictures/facebook/a.png")
    media.fetch()
    with media.stores.clickhouse.client() as client:
        client.command("TRUNCATE TABLE cleaned.post_media SYNC")
    with pytest.raises(MissingRowsError, match="has 0 rows and the lake 1"):
        media.expire()
    assert len(media.stored()) == 1
