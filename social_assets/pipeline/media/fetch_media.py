"""Fetches the pictures that posts name, each once.

Belongs here: the order of the steps. A file is stored first, under the hash of its content, and
then its row lands. A process that is killed in between leaves a file without a row; the next run
fetches that picture again, and the file is the same one. Files that stay without a row are deleted
by `expire_media`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from resources.settings.home import Home
from social_assets.contracts.collected.post_media import CONTRACT
from social_assets.contracts.contract import Contract, Media
from social_assets.ingest.media.addresses import AllowedHost
from social_assets.ingest.media.fetch_pictures import NoPicture, Picture, PictureFetcher
from social_assets.ingest.media.picture_type import EXTENSIONS
from social_assets.lake.media.media_files import MediaFiles
from social_assets.pipeline.media.media_rows import PictureRow, media_lock, media_rows, take_rows
from social_assets.pipeline.media.picture_states import (
    WantedPicture,
    streams_with_media,
    wanted_pictures,
)
from social_assets.pipeline.stores import Stores

SECONDS = 300.0
"""A run begins no batch after so long; another one continues."""
BATCH = 200
"""Pictures that are fetched before their rows land."""
MOST_WANTED = 4_000
"""So many are looked for at once."""
RETRY_AFTER = (
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
)
"""How long to wait after each failed try. A picture is given up when the last one fails."""


@dataclass
class FetchedMedia:
    """What a run has done."""

    states: Counter[str] = field(default_factory=Counter)
    """How many pictures got each state."""
    reasons: Counter[str] = field(default_factory=Counter)
    size_bytes: int = 0
    days: set[date] = field(default_factory=set)
    """The dates of `post_media` whose rows changed."""

    def add(self, rows: Sequence[PictureRow]) -> None:
        """Count rows that have landed."""
        for row in rows:
            self.states[row.state] += 1
            self.size_bytes += row.size_bytes or 0
            if row.reason is not None:
                self.reasons[row.reason] += 1


@dataclass(frozen=True)
class StoredPicture:
    """A file that is in the store."""

    sha256: str
    media_type: str
    size_bytes: int


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class MediaFetch:
    """Fetches pictures of all streams that have media into a store."""

    home: Home
    stores: Stores
    files: MediaFiles
    allowed: AllowedHost | None = None
    log_comment: str | None = None
    now: Callable[[], datetime] = _now
    fetch_seconds: float = 30.0
    """For a picture, with all its redirects."""
    stream: str | None = None
    """Only the pictures of this stream; of all, by default."""

    def run(self, seconds: float = SECONDS) -> FetchedMedia:
        """Fetch what is wanted, newest posts first. One process at a time; another one waits."""
        ends_at = time.monotonic() + seconds
        done = FetchedMedia()
        with media_lock(self.stores):
            rows = media_rows(self.home, self.stores, self.log_comment)
            done.days |= rows.recover_pages().get(CONTRACT.name, set())
            for contract, media in streams_with_media():
                if self.stream not in (None, contract.name):
                    continue
                fetcher = PictureFetcher(media.most_bytes, self.allowed, self.fetch_seconds)
                for wanted in self._batches(contract, media):
                    found = self._fetch(fetcher, wanted)
                    done.days |= take_rows(rows, found)
                    done.add(found)
                    if time.monotonic() > ends_at:
                        break
        return done

    def _batches(self, contract: Contract, media: Media) -> Iterator[Sequence[WantedPicture]]:
        """What is wanted, until nothing is; it is looked for again after MOST_WANTED."""
        seen: set[WantedPicture] = set()
        # One that was rejected on its way to the warehouse would be wanted for ever.
        while (wanted := self._wanted(contract, media)) and seen.isdisjoint(wanted):
            seen.update(wanted)
            for first in range(0, len(wanted), BATCH):
                yield wanted[first : first + BATCH]

    def _wanted(self, contract: Contract, media: Media) -> list[WantedPicture]:
        at = self.now()
        kept = media.keep_days
        first_kept = None if kept is None else (at - timedelta(days=kept)).date()
        with self.stores.clickhouse.client(self.log_comment) as client:
            return wanted_pictures(
                client, contract, media, first_kept=first_kept, at=at, most=MOST_WANTED
            )

    def _fetch(self, fetcher: PictureFetcher, wanted: Sequence[WantedPicture]) -> list[PictureRow]:
        found = fetcher.fetch_all((each.url for each in wanted), self._keep)
        at = self.now()
        return [_row(each, found[each.url], at) for each in wanted]

    def _keep(self, picture: Picture) -> StoredPicture:
        sha256 = self.files.put(picture.body, EXTENSIONS[picture.media_type])
        return StoredPicture(sha256, picture.media_type, len(picture.body))


def _row(wanted: WantedPicture, found: StoredPicture | NoPicture, at: datetime) -> PictureRow:
    tries = wanted.tries + 1
    if isinstance(found, StoredPicture):
        return PictureRow(
            wanted.of, at, "fetched", tries, found.sha256, found.media_type, found.size_bytes
        )
    is_last = tries > len(RETRY_AFTER)
    state = "refused" if found.is_final else "given_up" if is_last else "failed"
    retry_at = at + RETRY_AFTER[tries - 1] if state == "failed" else None
    return PictureRow(
        wanted.of, at, state, tries, reason=found.reason, detail=found.detail, retry_at=retry_at
    )
