"""A chain of pages: what is asked of one endpoint for one account, and what comes back.

Belongs here: the values between the engine of connectors and the pipeline. How pages are asked for
belongs to `client`; how they are stored, to `pipeline.pages`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from social_assets.control.accounts import Account


@dataclass(frozen=True)
class ChainStart:
    """What to collect: an account, an endpoint, and where the last chain ended.

    `since` and `resume` are texts that only the engine reads: give back what a ChainEnd or a page
    has. `parent_id` is the post or comment that an endpoint `per recent post` is asked about;
    `ids` are the posts of an endpoint that is asked about many at once.
    """

    account: Account
    endpoint: str
    parent_id: str | None = None
    since: str | None = None
    resume: str | None = None
    handle: str | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordPage:
    """One page: the bytes of its records exactly as the platform sent them.

    A record that the endpoint's `rows` cut out of a larger one has the objects around it in
    `within`, a JSON array, the innermost first; `within` is empty if no record has any. A chain
    that is stopped after this page goes on with `next_cursor`; None on the last page.
    """

    number: int
    records: tuple[bytes, ...]
    next_cursor: str | None
    fetched_at: datetime
    within: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class ChainEnd:
    """How a chain ended, and where the next one begins.

    `since` moves only when a chain is complete: until then `resume` leads to the pages that are
    missing. `notes` say what is not in the pages, or new in them: metrics that were left out,
    deleted posts, fields never seen before. `gone` are the ids of deleted posts.
    """

    since: str | None
    resume: str | None
    is_complete: bool
    notes: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class PlatformClient(Protocol):
    """Collects chains from one platform."""

    def pages(self, start: ChainStart) -> Iterator[RecordPage | ChainEnd]:
        """The pages of a chain, and its end as the last item. Raises CollectionError."""
        ...
