"""Finds the batches that a file or a batch id means for `unload`; and runs the unload.

Belongs here: the choice. What an unload does belongs to `pipeline.unload`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.defs.stores import StoresResource
from social_assets.ingest.files.open_file import content_hash
from social_assets.lake.unloads import Unload
from social_assets.operate.runs.start import Progress, unload_batches
from social_assets.pipeline.files.unload_requests import (
    NotUnloadableError,
    content_of,
    earlier_batches,
    pending,
    unloading,
)
from social_assets.pipeline.stores import StreamStores


@dataclass(frozen=True)
class Unloaded:
    """An unloaded batch; `records` are the raw records that this call has removed."""

    batch_id: str
    file: str
    days: tuple[date, ...]
    records: int
    unloaded_at: datetime
    was_done_before: bool


def unload(
    home: Home, stream: str, file: Path | None, batch_id: str | None, progress: Progress
) -> list[Unloaded]:
    """Unload the batch of a file, found by its content or else by its name, or of an id.

    Also completes what earlier calls have left. Raises NotUnloadableError, UnknownStreamError and
    RunFailedError.
    """
    stores = StoresResource(clickhouse=ClickHouseResource()).stores().of(contract(stream))
    chosen = _chosen(stores, file, batch_id)
    records: dict[str, int] = {}
    for entry in stores.ledger.entries("raw"):
        records[entry.batch_id] = records.get(entry.batch_id, 0) + entry.records
    was_done = chosen in stores.unloads.done_at()
    if pending(stores) or not was_done:
        unload_batches(home, stream, [chosen], progress)
    done = stores.unloads.done_at()
    return [
        Unloaded(
            batch_id=each.batch_id,
            file=each.origin,
            days=tuple(sorted(each.days)),
            records=records.get(each.batch_id, 0),
            unloaded_at=done[each.batch_id],
            was_done_before=was_done,
        )
        for each in unloading(stores).values()
        if each.batch_id == chosen
    ]


def _chosen(stores: StreamStores, file: Path | None, batch_id: str | None) -> str:
    if batch_id is not None:
        return batch_id
    if file is None:
        raise NotUnloadableError("name a file, or a batch with --batch")
    content = content_hash(file) if file.is_file() else None
    if content is not None:
        of_content = [
            each for each in earlier_batches(stores, content, "") if content_of(each) == content
        ]
        if of_content:
            return of_content[-1]
    of_name = earlier_batches(stores, content or "", file.name)
    if len(of_name) == 1:
        return of_name[0]
    if of_name:
        raise NotUnloadableError(
            f"{len(of_name)} batches of {stores.name} came from files named {file.name}: "
            f"{', '.join(of_name)}; name one with --batch"
        )
    gone = _gone(stores, content, file.name)
    if gone:
        return gone[-1].batch_id
    raise NotUnloadableError(
        f"{stores.name} has no batch of the content of {file}, and none of a file named "
        f"{file.name}; name the batch with --batch"
    )


def _gone(stores: StreamStores, content: str | None, name: str) -> list[Unload]:
    found = unloading(stores).values()
    return [e for e in found if content_of(e.batch_id) == content or e.origin == name]
