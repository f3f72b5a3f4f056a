"""A declaration of media that cannot work is refused, with the reason and the remedy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from social_assets.contracts.changes.contract_text import text_of
from social_assets.contracts.contract import Media
from social_assets.contracts.refusals.refuse_columns import RefusedError
from social_assets.contracts.registry import contract, contracts


@pytest.mark.parametrize(
    ("media", "reason"),
    [
        ("media_url", "media is 'media_url'"),
        (Media("no_column"), "which is no column of texts"),
        (Media("published_at"), "which is no column of texts"),
        (Media("tags"), "which is no column of texts"),
        (Media("media_url", keep_days=0), "keep_days of media is 0"),
        (Media("media_url", keep_days=True), "keep_days of media is True"),
        (Media("media_url", most_bytes=0), "most_bytes of media is 0"),
        (Media("media_url", warn_above_bytes=-1), "warn_above_bytes of media is -1"),
        (Media("media_url", then="sell"), "then of media is 'sell'"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_work_is_refused(media: Any, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        replace(contract("posts_collected"), media=media)


def test_a_stream_whose_rows_are_no_posts_has_no_media() -> None:
    with pytest.raises(RefusedError, match="media needs the column post_id"):
        replace(contract("profiles"), media=Media("picture_url"))


def test_media_decide_nothing_about_rows() -> None:
    declared = contract("posts_collected")
    changed = replace(declared, media=Media("media_url", keep_days=7, then="archive"))
    assert text_of(changed) == text_of(declared) == text_of(replace(declared, media=None))


def test_the_pictures_of_collected_posts_are_declared() -> None:
    assert {each.name: each.media for each in contracts() if each.media} == {
        "posts_collected": Media("media_url", keep_days=365)
    }
