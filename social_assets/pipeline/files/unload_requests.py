"""Which batches to unload, and which batch a file's content then belongs to.

Belongs here: what the records of loads and unloads mean; `unload` does the work. The content hash
of a file is the id of its first batch. Tables keep the transaction of a batch after its rows are
gone, and the warehouse its insert tokens. So content that is loaded again after an unload gets a
new id: the hash and a generation, `<hash>.1`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from social_assets.lake.ledger import MICRO_BATCH_PREFIXES
from social_assets.lake.unloads import Unload
from social_assets.pipeline.stores import StreamStores


class NotUnloadableError(LookupError):
    """The named batch does not exist, or cannot be unloaded."""


@dataclass(frozen=True)
class FileBatch:
    """The batch that has a file's content, or that would have it if `is_landed` is false."""

    batch_id: str
    is_landed: bool


def batch_of(stores: StreamStores, content: str, *, anew: bool = False) -> FileBatch:
    """The batch of a content hash; with `anew`, the batch for loading it once more."""
    latest = None
    for batch_id in _generations(content):
        if stores.raw.applied_version(batch_id) is None:
            break
        latest = batch_id
    if latest is None or (not anew and latest not in unloading(stores)):
        return FileBatch(latest or content, is_landed=latest is not None)
    return FileBatch(batch_id, is_landed=False)


def content_of(batch_id: str) -> str:
    """The content hash of a file's batch."""
    return batch_id.partition(".")[0]


def unloading(stores: StreamStores) -> dict[str, Unload]:
    """The batches with effective requests, by id: unloaded ones and pending ones."""
    requested = stores.unloads.requested()
    replacing = {each.replaced_by for each in requested if each.replaced_by}
    landed = stores.raw.applied_versions(replacing)
    return {
        each.batch_id: each
        for each in requested
        if not each.replaced_by or each.replaced_by in landed
    }


def pending(stores: StreamStores) -> list[Unload]:
    """The requests that are not done."""
    counting = unloading(stores)
    done = stores.unloads.done_at() if counting else {}
    return [each for each in counting.values() if each.batch_id not in done]


def request_unload(
    stores: StreamStores,
    batches: Collection[str],
    sources: Iterable[str] = (),
    replaced_by: str = "",
) -> list[Unload]:
    """Record that batches are to be unloaded. The caller must hold the stream's lock.

    `sources` are the assets (`cleaned/posts`) from which the days of facts and rollups are built.
    Raises NotUnloadableError, and ExpiredDaysError if retention has removed rows that rebuilding
    the batches' days would need.
    """
    landed = stores.ledger.days("raw")
    origins = {entry.batch_id: entry.origin for entry in stores.ledger.entries("raw")}
    known = unloading(stores)
    requests = []
    for batch_id in batches:
        if batch_id.startswith(MICRO_BATCH_PREFIXES):
            raise NotUnloadableError(
                f"{batch_id} is a micro-batch of a topic or of pages: its records are taken and "
                "would not be read again, and days are rebuilt with them. Only batches of files "
                "can be unloaded"
            )
        if batch_id in known:
            continue
        if batch_id not in landed:
            raise NotUnloadableError(
                f"{stores.name} has no batch {batch_id}; `social-assets load` names the "
                "batch of a file that was loaded before"
            )
        request = Unload(batch_id, origins[batch_id], frozenset(landed[batch_id]), replaced_by)
        requests.append(request)
    days = {day for each in requests for day in each.days}
    expired = stores.stores.lake.expired_days()
    expired.refuse([f"raw/{stores.name}", *sources], days)
    stores.unloads.request(requests)
    return requests


def earlier_batches(stores: StreamStores, content: str, name: str) -> list[str]:
    """The batches with a file's content or name that are not being unloaded."""
    gone = unloading(stores)
    found = {
        entry.batch_id
        for entry in stores.ledger.entries("raw")
        if entry.records
        and entry.batch_id not in gone
        and not entry.batch_id.startswith(MICRO_BATCH_PREFIXES)
        and (content_of(entry.batch_id) == content or entry.origin == name)
    }
    return sorted(found)


def _generations(content: str) -> Iterator[str]:
    yield content
    yield from (f"{content}.{number}" for number in count(1))


def names_of(unloads: Sequence[Unload]) -> str:
    """The files of some batches, for a message."""
    return ", ".join(sorted({each.origin for each in unloads}))
