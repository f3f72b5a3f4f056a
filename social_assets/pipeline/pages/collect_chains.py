"""Collects chains of pages and lands them in batches, each with the new positions of its chains.

Belongs here: which pages form a batch, and what a chain that stops leaves. Which chains are due is
the caller's choice; asking the platform belongs to the connectors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime

import pyarrow as pa

from social_assets.ingest.connectors.chain import ChainEnd, ChainStart, PlatformClient
from social_assets.ingest.connectors.errors import CollectionError
from social_assets.pipeline.pages.envelopes import envelopes
from social_assets.pipeline.pages.land_pages import MOST_RECORDS, PagePipeline
from social_assets.pipeline.pages.spool import PAGE_RECORDS

MOST_BYTES = 32 << 20


@dataclass(frozen=True)
class DueChain:
    """A chain to collect: the streams its records go to, and its collection slot."""

    start: ChainStart
    streams: tuple[str, ...]
    collected_at: datetime


@dataclass(frozen=True)
class ChainResult:
    """How far a chain is: what its next one begins with. `problem` says why it stopped early."""

    platform: str
    account_id: str
    endpoint: str
    parent_id: str | None
    since: str | None
    resume: str | None
    is_complete: bool
    notes: tuple[str, ...] = ()
    problem: str | None = None


@dataclass
class CollectedChains:
    """What a call has collected. `errors` are those of the chains that stopped."""

    results: list[ChainResult] = field(default_factory=list)
    errors: list[CollectionError] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    pages: int = 0
    records: int = 0


def collect_chains(
    pipeline: PagePipeline, due: Iterable[DueChain], client: PlatformClient
) -> CollectedChains:
    """Collect chains one after the other. A chain that fails does not stop the others.

    The caller must hold the platform's lock. The promotion of each batch is
    `{"chains": [ChainResult as a dict, ...]}`, with positions up to the last page in the batch.
    """
    done = CollectedChains(days=pipeline.recover_pages())
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
                    batch.land([_result(chain, end, None)])
        except CollectionError as error:
            end, problem = error.end, str(error)
            done.errors.append(error)
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
        self.finished: list[ChainResult] = []

    @property
    def is_full(self) -> bool:
        return len(self._rows) >= MOST_RECORDS or self._bytes >= MOST_BYTES

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
        self._done.days |= self._pipeline.take(rows, promotion)
        self._done.records += rows.num_rows
        self._rows, self._bytes, self.finished = [], 0, []


def _result(chain: DueChain, end: ChainEnd, problem: str | None) -> ChainResult:
    start = chain.start
    return ChainResult(
        start.account.platform,
        start.account.account_id,
        start.endpoint,
        start.parent_id,
        end.since,
        end.resume,
        end.is_complete,
        end.notes,
        problem,
    )
