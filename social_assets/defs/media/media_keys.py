"""The keys of the assets of pictures.

Belongs here: names alone. Code locations that only name these assets import nothing else of them.
"""

from __future__ import annotations

from dagster import AssetKey

from social_assets.contracts.collected.post_media import CONTRACT
from social_assets.contracts.registry import contracts

GROUP = "media"
FETCH_MEDIA = "fetch_media"
"""The job that fetches the pictures of all streams."""


def media_key(stream: str) -> AssetKey:
    """The asset of a stream's pictures."""
    return AssetKey([GROUP, stream])


def media_of(stream: str) -> list[AssetKey]:
    """The assets whose runs write into a stream: pictures of all streams into `post_media`."""
    if stream != CONTRACT.name:
        return []
    return [media_key(each.name) for each in contracts() if each.media is not None]
