"""Collects chains of pages and lands them in batches, each with the new positions of its chains.

Belongs here: which pages form a batch, and what a chain that stops leaves. Which chains are due is
the caller's choice; asking the platform belongs to the connectors.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime

import pyarrow as pa

from social_assets.ingest.connectors.chain import ChainEnd, ChainStart, PlatformClient
from social_assets.ingest.connectors.errors import CollectionError
from social_assets.pipeline.pages.envelopes import envelopes
from social_assets.pipeline.pages.land_pages import MOST_RECORDS, PagePipeline
from social_assets.pipeline.pages.spool import PAGE_RECORDS

MOST_BYTES = 32 << 20
MOST_SECONDS = 20.0
"""So long at most pages wait to land: a process that is killed asks for them again."""


@dataclass(frozen=True)
class DueChain:
    """A chain to collect: the streams its records go to, and its collection slot.

    `name` is the account as it is tracked, and `at` is when this collection of it began.
    """

    start: ChainStart
    streams: tuple[str, ...]
    collected_at: datetime
    name: str
    at: datetime
    is_refresh: bool = False
    is_last: bool = True
    """Whether no other chain of this account and endpoint follows."""


@dataclass(frozen=True)
class ChainResult:
    """How far a chain is: what its next one begins with. `problem` says why it stopped early.

    `is_last` tells that the account's endpoint is collected; then `problem` is the first one of its
    chains. `at` is a time in ISO 8601: results are stored as JSON.
    """

    platform: str
    name: str
    account_id: str
    endpoint: str
    parent_id: str | None
    since: str | None
    resume: str | None
    is_complete: bool
    at: str
    is_refresh: bool = False
    is_last: bool = True
    notes: tuple[str, ...] = ()
    problem: str | None = None


@dataclass
class CollectedChains:
    """What a call has collected. `errors` are those of the chains that stopped."""

    results: list[ChainResult] = field(default_factory=list)
    errors: list[CollectionError] = field(default_factory=list)
    days: dict[str, set[date]] = field(default_factory=dict)
    """For each stream, the dates whose rows changed."""
    pages: int = 0
    records: int = 0


def collect_chains(
    pipeline: PagePipeline, due: Iterable[DueChain], client: PlatformClient
) -> CollectedChains:
    """Collect chains one after the other. A chain that fails does not stop the others.

    The caller must hold the platform's lock. The promotion of each batch is
    `{"chains": [ChainResult as a dict, ...]}`, with positions up to the last page in the batch.
    """
    done = CollectedChains(days=dict(pipeline.recover_pages()))
    problems: dict[tuple[str, str], str] = {}
    batch = _Batch(pipeline, done)
    for chain in due:
        end, problem = ChainEnd(chain.start.since, chain.start.resume, is_complete=False), None
        try:
            for item in client.pages(chain.start):
                if isinstance(item, ChainEnd):
                    end = item
                    continue
                done.pages += 1
                batch.add(chain, envelopes(chain.start, item, chain.collected_at), item.fetched_at)
                end = ChainEnd(chain.start.since, item.next_cursor, is_complete=False)
                if batch.is_full:
                    batch.land([_result(replace(chain, is_last=False), end, None)])
        except CollectionError as error:
            end, problem = error.end, str(error)
            done.errors.append(error)
            problems.setdefault((chain.name, chain.start.endpoint), problem)
        if chain.is_last:
            problem = problems.get((chain.name, chain.start.endpoint))
        result = _result(chain, end, problem)
        done.results.append(result)
        batch.finished.append(result)
    batch.land([])
    return done


class _Batch:
    """The records that have not landed yet, and the chains that ended meanwhile."""

    def __init__(self, pipeline: PagePipeline, done: CollectedChains) -> None:
        self._pipeline = pipeline
        self._done = done
        self._rows: list[tuple[str, bytes, datetime]] = []
        self._bytes = 0
        self._began = time.monotonic()
        self.finished: list[ChainResult] = []

    @property
    def is_full(self) -> bool:
        return (
            len(self._rows) >= MOST_RECORDS
            or self._bytes >= MOST_BYTES
            or time.monotonic() - self._began >= MOST_SECONDS
        )

    def add(self, chain: DueChain, records: list[bytes], fetched_at: datetime) -> None:
        for stream in chain.streams:
            self._rows += [(stream, record, fetched_at) for record in records]
            self._bytes += sum(map(len, records))

    def land(self, underway: list[ChainResult]) -> None:
        chains = [*self.finished, *underway]
        if not chains:
            return
        columns = list(zip(*self._rows, strict=True)) or [(), (), ()]
        names = PAGE_RECORDS.names
        rows = pa.table(dict(zip(names, map(list, columns), strict=True)), schema=PAGE_RECORDS)
        promotion = {"chains": [asdict(each) for each in chains]}
        for stream, days in self._pipeline.take(rows, promotion).items():
            self._done.days.setdefault(stream, set()).update(days)
        self._done.records += rows.num_rows
        self._rows, self._bytes, self.finished = [], 0, []
        self._began = time.monotonic()


def _result(chain: DueChain, end: ChainEnd, problem: str | None) -> ChainResult:
    start = chain.start
    return ChainResult(
        start.account.platform,
        chain.name,
        start.account.account_id,
        start.endpoint,
        start.parent_id,
        end.since,
        end.resume,
        end.is_complete,
        chain.at.isoformat(),
        chain.is_refresh,
        chain.is_last,
        end.notes,
        problem,
    )
