"""Records what happened to pictures: rows of `post_media`, through every step, exactly once.

Belongs here: a record's text, and the batch that takes records through the steps. The steps
themselves are those of collected pages (`pages.land_pages`): a batch is in a spool on disk until it
has landed, so a killed process loses none and doubles none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

import pyarrow as pa

from resources.settings.home import Home
from social_assets.contracts.collected.post_media import CONTRACT
from social_assets.pipeline.media.picture_states import PictureOfPost
from social_assets.pipeline.pages.land_pages import PagePipeline, platform_lock
from social_assets.pipeline.pages.spool import PAGE_RECORDS, PageSpool
from social_assets.pipeline.stores import Stores

_SOURCE = "media"
"""In the place of a platform: the name of the spool, the lock and the transaction."""


@dataclass(frozen=True)
class PictureRow:
    """A row of `post_media`."""

    of: PictureOfPost
    happened_at: datetime
    state: str
    tries: int
    sha256: str | None = None
    media_type: str | None = None
    size_bytes: int | None = None
    reason: str | None = None
    detail: str | None = None
    retry_at: datetime | None = None

    def as_record(self) -> bytes:
        """The record that lands in raw."""
        said = asdict(self)
        fields = {**said.pop("of"), **said}
        return json.dumps(
            {n: _text(v) if isinstance(v, datetime) else v for n, v in fields.items()},
            ensure_ascii=False,
        ).encode()


@contextmanager
def media_lock(stores: Stores) -> Iterator[None]:
    """Wait until no other process fetches pictures or removes them."""
    with platform_lock(stores.lake.locks, _SOURCE):
        yield


def media_rows(home: Home, stores: Stores, log_comment: str | None) -> PagePipeline:
    """Takes rows through all steps. The caller must hold `media_lock`."""
    streams = {CONTRACT.name: stores.of(CONTRACT, log_comment)}
    return PagePipeline(PageSpool.of(home, _SOURCE), _SOURCE, streams, _promote)


def take_rows(pipeline: PagePipeline, rows: Sequence[PictureRow]) -> set[date]:
    """Take rows through all steps; returns the dates that changed."""
    if not rows:
        return set()
    records = pa.table(
        {
            "stream": [CONTRACT.name] * len(rows),
            "value": [row.as_record() for row in rows],
            "fetched_at": [row.happened_at for row in rows],
        },
        schema=PAGE_RECORDS,
    )
    return pipeline.take(records, {}).get(CONTRACT.name, set())


def _promote(_: Mapping[str, object]) -> None:
    """There are no positions: what is wanted is found by the rows that have landed."""


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
