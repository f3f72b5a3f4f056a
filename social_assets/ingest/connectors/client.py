"""Runs a connector: asks for the pages of a chain, one after the other, to their true end.

Belongs here: what a chain is made of. A single call belongs to `calls`, filling in a request to
`requests`, marks to `marks`. What stops a chain raises; the pages before it are good, and the
error's `end` tells how to go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self

from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.control.collection.credentials import CredentialRecord, PlatformCredentials
from social_assets.ingest.connectors.chain import ChainEnd, ChainStart, RecordPage
from social_assets.ingest.connectors.connector import ApiEndpoint, AskedFor, Connector
from social_assets.ingest.connectors.declaration.json_path import value_at
from social_assets.ingest.connectors.declaration.meanings import Meaning
from social_assets.ingest.connectors.engine import requests
from social_assets.ingest.connectors.engine.answers import (
    CutRecord,
    PlatformAnswer,
    cut_records,
    message_of,
)
from social_assets.ingest.connectors.engine.budgets import Budgets
from social_assets.ingest.connectors.engine.calls import Calls, MeantAnswer
from social_assets.ingest.connectors.engine.chain_state import ChainUnderWay, gone
from social_assets.ingest.connectors.engine.fields import SeenFields
from social_assets.ingest.connectors.engine.marks import ChainPosition, is_known
from social_assets.ingest.connectors.engine.metrics import RefusedMetrics, named, refused
from social_assets.ingest.connectors.engine.requests import FilledRequest
from social_assets.ingest.connectors.engine.rows import LandedRow, landed_rows
from social_assets.ingest.connectors.engine.token_keeper import TokenKeeper
from social_assets.ingest.connectors.engine.transport import Transport
from social_assets.ingest.connectors.errors import (
    AccountPrivateError,
    CollectionError,
    RequestRefusedError,
)
from social_assets.ingest.connectors.registry import base_url_of

PATIENCE_SECONDS = 5.0
"""A chain waits so long for room in a budget; then it raises ThrottledError."""
_MOST_PAGES = 10_000
"""Of a chain: a platform whose cursors go in a circle must not hold a run for ever."""


class ConnectorClient:
    """Collects from one platform, with the credentials and budgets of a home."""

    def __init__(
        self,
        connector: Connector,
        home: Home,
        engine: Engine,
        *,
        clock: Callable[[], datetime] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._clock = clock or (lambda: datetime.now(UTC))
        self._connector = connector
        base_url = base_url_of(connector)
        self._transport = Transport(base_url)
        self._budgets = Budgets(home, self._clock)
        self._fields = SeenFields(home)
        self._refused = RefusedMetrics()
        credentials = PlatformCredentials(engine, home, self._clock)
        keeper = TokenKeeper(
            connector,
            credentials,
            self._transport,
            self._clock,
            is_moved=base_url != connector.base_url.rstrip("/"),
        )
        self._calls = Calls(
            connector,
            credentials=credentials,
            keeper=keeper,
            budgets=self._budgets,
            transport=self._transport,
            clock=self._clock,
            sleep=sleep,
            patience=patience,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def now(self) -> datetime:
        """The time that this client goes by."""
        return self._clock()

    def close(self) -> None:
        """Close connections and files."""
        self._transport.client.close()
        self._budgets.close()
        self._fields.close()

    def pages(self, start: ChainStart) -> Iterator[RecordPage | ChainEnd]:
        """The pages of a chain, and its end as the last item. Raises CollectionError.

        Pages without records are left out.
        """
        endpoint = self._connector.endpoint(start.endpoint)
        chain = ChainUnderWay(start, endpoint, ChainPosition.of(start.resume))
        if expected := self._refused.expected(endpoint.name):
            chain.without_metrics = expected
            chain.note(f"left out {', '.join(sorted(expected))}: refused for the posts before")
        try:
            if endpoint.asked_for is AskedFor.POSTS:
                yield from self._pages_of_posts(chain)
            else:
                yield from self._pages(chain)
        except CollectionError as error:
            error.end = chain.end(is_complete=False)
            raise

    def account_id(self, start: ChainStart) -> str:
        """The platform's own id of the account that has the handle of `start`.

        Raises CollectionError; AccountGoneError if there is none.
        """
        lookup = self._connector.lookup
        if lookup is None:
            return start.account.account_id
        chain = ChainUnderWay(start, lookup, ChainPosition())
        found = self._records(chain, ())
        records = found[1] if found else []
        id_ = value_at(records[0].value, self._connector.lookup_id) if records else None
        if not isinstance(id_, str | int) or isinstance(id_, bool):
            raise gone(start, "the platform knows no account of this name")
        return str(id_)

    def _pages(self, chain: ChainUnderWay) -> Iterator[RecordPage | ChainEnd]:
        endpoint, since = chain.endpoint, chain.endpoint.since
        while len(chain.asked) < _MOST_PAGES and chain.position.cursor not in chain.asked:
            chain.asked.add(chain.position.cursor)
            found = self._records(chain, ())
            if found is None:
                break
            answer, records = found
            if endpoint.is_gone_if_empty and not records and chain.position.number == 1:
                raise gone(chain.start, "the platform knows no account of this id")
            cursor = requests.next_cursor(
                endpoint, answer, len(records) or endpoint.listing is not None
            )
            if is_known(since, chain.start.since, records):
                cursor = None
            position = chain.position.seen(since, records, self._clock())
            following = replace(position, cursor=cursor, number=position.number + 1)
            if records:
                self._note_fields(chain, records)
                further = self._inner_pages(chain, records)
                # A chain that is stopped within them reads this page again.
                for number, page in enumerate([self._rows(endpoint, records), *further]):
                    after = following if number == len(further) else position
                    is_last = cursor is None and number == len(further)
                    yield self._page(position.number + number, page, None if is_last else after)
                following = replace(following, number=following.number + len(further))
            chain.position = following
            if cursor is None:
                break
        else:
            chain.note("the cursors of the pages go in a circle: the chain ends here")
        yield chain.end(is_complete=True)

    def _pages_of_posts(self, chain: ChainUnderWay) -> Iterator[RecordPage | ChainEnd]:
        """The records of the posts of `start.ids`, some at a time."""
        ids = chain.endpoint.ids
        if ids is None:
            raise TypeError(f"endpoint {chain.endpoint.name} for many posts declares no ids")
        # A cursor is the number of ids that were asked for.
        begin = int(chain.position.cursor or 0)
        for first in range(begin, len(chain.start.ids), ids.most):
            part = chain.start.ids[first : first + ids.most]
            after = first + len(part)
            cursor = str(after) if after < len(chain.start.ids) else None
            following = replace(chain.position, cursor=cursor, number=chain.position.number + 1)
            found = self._records(chain, part)
            if found is not None:
                self._note_gone(chain, part, found[1])
                self._note_fields(chain, found[1])
                if found[1]:
                    rows = self._rows(chain.endpoint, found[1])
                    yield self._page(chain.position.number, rows, following if cursor else None)
            chain.position = following
        yield chain.end(is_complete=True)

    def _inner_pages(
        self, chain: ChainUnderWay, records: Sequence[CutRecord]
    ) -> list[list[LandedRow]]:
        """The pages of inner records of which a record holds only the first: replies."""
        overflow = chain.endpoint.overflow
        pages = []
        for record in records if overflow else ():
            id_ = overflow.parent_of(record.value) if overflow else None
            if overflow is None or id_ is None:
                continue
            start = replace(chain.start, parent_id=id_, since=None, resume=None)
            inner = ChainUnderWay(start, overflow.endpoint, ChainPosition())
            while len(inner.asked) < _MOST_PAGES and inner.position.cursor not in inner.asked:
                inner.asked.add(inner.position.cursor)
                found = self._records(inner, ())
                if found is None:
                    break
                if found[1]:
                    pages.append(self._rows(inner.endpoint, found[1], [record]))
                cursor = requests.next_cursor(inner.endpoint, found[0], len(found[1]))
                if cursor is None:
                    break
                inner.position = replace(inner.position, cursor=cursor)
            for note in inner.notes:
                chain.note(note)
        return pages

    def _records(
        self, chain: ChainUnderWay, ids: tuple[str, ...]
    ) -> tuple[PlatformAnswer, list[CutRecord]] | None:
        """The answer of the next page and its records; None if there is nothing to be had."""
        endpoint = chain.endpoint
        meant = self._asked(chain, ids)
        if meant is None:
            return None
        listing = endpoint.listing
        if listing is None or ids:
            self._note_partial(chain, meant.answer)
            records = cut_records(
                meant.answer, endpoint.records, may_be_absent=endpoint.may_be_absent
            )
            return meant.answer, records
        listed = tuple(
            str(id_)
            for record in cut_records(meant.answer, listing.records, may_be_absent=True)
            if isinstance(id_ := value_at(record.value, listing.id), str)
        )
        if not listed:
            return meant.answer, []
        looked_up = self._records(chain, tuple(dict.fromkeys(listed)))
        records = looked_up[1] if looked_up else []
        self._note_gone(chain, listed, records)
        return meant.answer, records

    def _asked(self, chain: ChainUnderWay, ids: tuple[str, ...]) -> MeantAnswer | None:
        """The good answer to a page's request; None if there is nothing to be had."""
        meant = self._call(chain, ids, chain.without_metrics)
        while meant.rule.meaning is Meaning.TOO_MUCH and chain.can_halve():
            meant = self._call(chain, ids, chain.without_metrics)
        if meant.rule.meaning is Meaning.CURSOR_EXPIRED and chain.position.cursor is not None:
            chain.begin_again()
            meant = self._call(chain, ids, chain.without_metrics)
        if meant.rule.meaning is Meaning.CURSOR_EXPIRED and chain.start.since is not None:
            chain.note("the platform does not go back to the last mark: all is read again")
            chain.start = replace(chain.start, since=None)
            meant = self._call(chain, ids, chain.without_metrics)
        if not chain.endpoint.metrics:
            return self._good(chain, ids, meant)
        asked_for_all = not chain.without_metrics
        found: MeantAnswer | None = meant
        if meant.rule.meaning is Meaning.BAD_METRIC:
            found = self._without_bad_metrics(chain, ids, meant)
        if asked_for_all and (found is None or found.rule.meaning is Meaning.GOOD):
            self._refused.found(chain.endpoint.name, chain.without_metrics)
        return None if found is None else self._good(chain, ids, found)

    def _good(
        self, chain: ChainUnderWay, ids: tuple[str, ...], meant: MeantAnswer
    ) -> MeantAnswer | None:
        meaning, told = meant.rule.meaning, message_of(meant.answer)
        if meaning is Meaning.GOOD:
            return meant
        parent = chain.start.parent_id
        is_of_post = chain.endpoint.asked_for is not AskedFor.ACCOUNT
        if meaning is Meaning.NOTHING_HERE or (meaning is Meaning.ACCOUNT_GONE and is_of_post):
            chain.note(f"nothing from {parent or chain.endpoint.name}: {told}")
            if meaning is Meaning.ACCOUNT_GONE:
                chain.gone += ids or ((parent,) if parent else ())
            return None
        if meaning is Meaning.ACCOUNT_GONE:
            raise gone(chain.start, told)
        if meaning is Meaning.ACCOUNT_PRIVATE:
            raise AccountPrivateError(
                chain.start,
                f"the account does not let this app read it: {told}",
                "let its owner authorize the app with the scopes that it needs, or untrack it",
            )
        raise RequestRefusedError(
            chain.start, f"{meaning.value}: {told}", "correct the declaration of the endpoint"
        )

    def _without_bad_metrics(
        self, chain: ChainUnderWay, ids: tuple[str, ...], meant: MeantAnswer
    ) -> MeantAnswer | None:
        """The answer without the metrics that are refused: named by the error, or found by asking.

        The platform refuses a whole request for one bad metric, and may not say which.
        """
        metrics = [
            each
            for each in chain.endpoint.query[chain.endpoint.metrics].split(",")
            if each not in chain.without_metrics
        ]
        everything = frozenset(chain.endpoint.query[chain.endpoint.metrics].split(","))

        def is_refused(part: Sequence[str]) -> bool:
            tried = self._call(chain, ids, everything - frozenset(part))
            return tried.rule.meaning is Meaning.BAD_METRIC

        bad = named(metrics, message_of(meant.answer)) or refused(metrics, is_refused)
        chain.without_metrics |= frozenset(bad)
        chain.note(f"left out {', '.join(sorted(bad))}: {message_of(meant.answer)}")
        left = [each for each in metrics if each not in chain.without_metrics]
        if not left:
            return None
        meant = self._call(chain, ids, chain.without_metrics)
        if meant.rule.meaning is Meaning.BAD_METRIC:
            return self._without_bad_metrics(chain, ids, meant)
        return meant

    def _call(
        self, chain: ChainUnderWay, ids: tuple[str, ...], without: frozenset[str]
    ) -> MeantAnswer:
        endpoint = chain.endpoint
        listing = endpoint.listing if not ids else None

        def request(credential: CredentialRecord) -> FilledRequest:
            return requests.filled(
                endpoint,
                chain.start,
                credential,
                self._clock(),
                cursor=chain.position.cursor,
                without_metrics=without,
                halved=chain.halved,
                ids=ids,
            )

        def count(answer: PlatformAnswer) -> int:
            path = listing.records if listing else endpoint.records
            absent = True if listing else endpoint.may_be_absent
            return len(cut_records(answer, path, may_be_absent=absent))

        cost = listing.cost if listing else endpoint.cost
        return self._calls.make(chain.start, endpoint, request, count, cost)

    def _note_partial(self, chain: ChainUnderWay, answer: PlatformAnswer) -> None:
        """X answers with data and errors: what is missing is told, and ids that are gone kept."""
        errors = answer.at("errors")
        for error in errors if isinstance(errors, list) else ():
            told = (
                value_at(error, "detail") or value_at(error, "message") or value_at(error, "title")
            )
            chain.note(str(told)[:200])

    def _note_gone(
        self, chain: ChainUnderWay, ids: Sequence[str], records: Sequence[CutRecord]
    ) -> None:
        place = chain.endpoint.ids.record_id if chain.endpoint.ids else "id"
        there = {str(value_at(record.value, place)) for record in records}
        missing = [each for each in dict.fromkeys(ids) if each not in there]
        if missing:
            chain.gone += missing
            chain.note(f"{len(missing)} posts are deleted or hidden")

    def _note_fields(self, chain: ChainUnderWay, records: Sequence[CutRecord]) -> None:
        values = [record.value for record in records]
        for told in self._fields.note(self._connector.platform, chain.endpoint.name, values):
            chain.note(told)

    def _rows(
        self,
        endpoint: ApiEndpoint,
        records: Sequence[CutRecord],
        around: Sequence[CutRecord] = (),
    ) -> list[LandedRow]:
        return [row for record in records for row in landed_rows(endpoint, record, around)]

    def _page(
        self, number: int, rows: Sequence[LandedRow], following: ChainPosition | None
    ) -> RecordPage:
        return RecordPage(
            number,
            tuple(row.raw for row in rows),
            following.text() if following else None,
            self._clock(),
            tuple(row.within for row in rows),
        )
