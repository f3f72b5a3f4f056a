"""Turns due endpoints into chains: where each goes on, and about which posts it asks.

Belongs here: the choice of chains. When an endpoint is due belongs to `control.collection`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from social_assets.control.accounts import Account
from social_assets.control.collection.schedule import DAY, slot
from social_assets.control.collection.tracked_account import (
    ChainPlace,
    Collected,
    DueEndpoint,
)
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.ingest.connectors.chain import ChainStart
from social_assets.ingest.connectors.connector import (
    ApiEndpoint,
    AskedFor,
    Connector,
    Frequency,
)
from social_assets.pipeline.collection.recent_posts import RECENT, posts_of
from social_assets.pipeline.pages.collect_chains import DueChain
from social_assets.warehouse.loader import ClientFactory

_UNLISTED = "After the posts of the account, which could not be collected yet"
"""Of an account's problems the last one by alphabet is shown: the reason why the posts failed."""
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = ChainPlace()
_ASKED_ONCE_IN = timedelta(hours=6)
"""A collection that a limit or a kill has stopped goes on where it was for so long; a daily one
for a day. A single post that always fails delays the others for no longer.
"""


@dataclass(frozen=True)
class DueChains:
    """The chains of what is due of a platform at a time."""

    connector: Connector
    tracked: TrackedAccounts
    clickhouse: ClientFactory
    at: datetime

    def of_accounts(self, due: Sequence[DueEndpoint]) -> Iterator[DueChain]:
        """One chain for each due endpoint that is asked about an account."""
        for each in due:
            endpoint = self.connector.endpoint(each.endpoint)
            if endpoint.asked_for is AskedFor.ACCOUNT:
                since, resume = self.tracked.position(each.platform, each.name, each.endpoint)
                yield self._chain(each, endpoint, ChainPlace(since, resume), None)

    def of_posts(self, due: Sequence[DueEndpoint]) -> Iterator[DueChain]:
        """The chains of the due endpoints that are asked about posts, account by account.

        The posts that were asked about longest ago come first, so that each has its turn however
        few calls the limits leave. Those that a collection which stopped early has asked about are
        left out: an account may have more posts than an hour allows calls. An endpoint of an
        account without posts is collected by asking nothing; while its posts were never collected,
        it fails, and is asked about again soon.
        """
        asked = [
            (each, endpoint)
            for each in due
            if (endpoint := self.connector.endpoint(each.endpoint)).asked_for
            is not AskedFor.ACCOUNT
        ]
        recent = self._posts([each for each, endpoint in asked if not _asks_all(each, endpoint)])
        every = self._posts(
            [each for each, endpoint in asked if _asks_all(each, endpoint)], all_posts=True
        )
        unlisted = self._unlisted(each for each, _ in asked)
        for each, endpoint in asked:
            by_account = every if _asks_all(each, endpoint) else recent
            posts = by_account.get(each.account_id or "", ())
            if not posts:
                self.tracked.finish([self._nothing(each, unlisted)])
            elif endpoint.asked_for is AskedFor.POSTS:
                yield self._chain(each, endpoint, _NEVER, None, ids=posts)
            else:
                known = self.tracked.places(each.platform, each.name, each.endpoint)
                left = [post for post in posts if not self._is_done(each, known.get(post, _NEVER))]
                if not left:
                    self.tracked.finish([self._nothing(each, unlisted)])
                in_turn = sorted(left, key=lambda post: known.get(post, _NEVER).turn)
                for post in in_turn:
                    place = known.get(post, _NEVER)
                    is_last = post == in_turn[-1] and each.name not in unlisted
                    yield self._chain(each, endpoint, place, post, is_last=is_last)

    def _unlisted(self, due: Iterable[DueEndpoint]) -> set[str]:
        """The accounts whose posts were never collected to their end: there may be more."""
        lists = [
            each.name
            for each in self.connector.endpoints
            if each.asked_for is AskedFor.ACCOUNT and "posts_collected" in each.streams
        ]
        names = {each.name for each in due}
        return self.tracked.never_collected(self.connector.platform, names, lists)

    def _is_done(self, due: DueEndpoint, place: ChainPlace) -> bool:
        """Whether a chain was collected to its end since its endpoint became due."""
        if place.resume is not None or place.collected_at is None:
            return False
        is_daily = _asks_all(due, self.connector.endpoint(due.endpoint))
        begin = max(due.due_since, self.at - (DAY if is_daily else _ASKED_ONCE_IN))
        return place.collected_at > begin

    def _posts(
        self, due: Sequence[DueEndpoint], *, all_posts: bool = False
    ) -> dict[str, tuple[str, ...]]:
        after = _FIRST if all_posts else self.at - RECENT
        accounts = {each.account_id for each in due if each.account_id}
        return posts_of(
            self.clickhouse, self.connector.platform, accounts, published_after=after, at=self.at
        )

    def _chain(
        self,
        due: DueEndpoint,
        endpoint: ApiEndpoint,
        place: ChainPlace,
        parent_id: str | None,
        *,
        ids: tuple[str, ...] = (),
        is_last: bool = True,
    ) -> DueChain:
        since, resume = place.since, place.resume
        if due.is_refresh:
            # A stopped chain without a mark reads everything already: it goes on.
            since, resume = None, resume if since is None else None
        account_id = due.account_id or due.name
        interval = DAY if endpoint.frequency is Frequency.DAILY else due.plan.interval
        start = ChainStart(
            Account(due.platform, account_id),
            due.endpoint,
            parent_id=parent_id,
            since=since,
            resume=resume,
            handle=due.name,
            ids=ids,
        )
        return DueChain(
            start,
            endpoint.streams,
            slot(self.at, interval),
            due.name,
            self.at,
            is_refresh=due.is_refresh,
            is_last=is_last,
        )

    def _nothing(self, due: DueEndpoint, unlisted: set[str]) -> Collected:
        return Collected(
            due.platform,
            due.name,
            due.endpoint,
            "",
            None,
            None,
            self.at,
            _UNLISTED if due.name in unlisted else None,
            is_refresh=due.is_refresh,
        )


def _asks_all(due: DueEndpoint, endpoint: ApiEndpoint) -> bool:
    return due.is_refresh or endpoint.frequency is Frequency.DAILY
