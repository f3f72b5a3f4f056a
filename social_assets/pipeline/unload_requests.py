"""Which batches are to be unloaded, and which batch the content of a file is then.

Here belongs what the records of loads and unloads mean; the work is `unload`'s. The content hash of
a file is the id of its first batch. Tables keep the transaction of a batch after its rows are gone,
and the warehouse its insert tokens, so content that is loaded again after an unload gets an id of
its own: the hash and a generation, `<hash>.1`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from social_assets.lake.ledger import BATCH_PREFIX
from social_assets.lake.unloads import Unload
from social_assets.pipeline.stores import StreamStores


class NotUnloadableError(LookupError):
    """A batch was named that does not exist, or that can't be unloaded."""


@dataclass(frozen=True)
class FileBatch:
    """The batch that a file's content is in, or would be in; `is_landed` tells which."""

    batch_id: str
    is_landed: bool


def batch_of(stores: StreamStores, content: str, *, anew: bool = False) -> FileBatch:
    """The batch of a content hash; `anew` asks for the one of another load of it."""
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
    """The batches whose requests count, by id: those unloaded, and those to be."""
    requested = stores.unloads.requested()
    replacing = {each.replaced_by for each in requested if each.replaced_by}
    landed = stores.raw.applied_versions(replacing)
    return {
        each.batch_id: each
        for each in requested
        if not each.replaced_by or each.replaced_by in landed
    }


def pending(stores: StreamStores) -> list[Unload]:
    """The batches that are to be unloaded and are not yet."""
    counting = unloading(stores)
    done = stores.unloads.done_at() if counting else {}
    return [each for each in counting.values() if each.batch_id not in done]


def request_unload(
    stores: StreamStores,
    batches: Collection[str],
    sources: Iterable[str] = (),
    replaced_by: str = "",
) -> list[Unload]:
    """Record that batches are to be unloaded; the caller holds the stream's lock.

    `sources` are the assets (`cleaned/posts`) that the days of facts and rollups are made from.
    Raises NotUnloadableError, and ExpiredDaysError if retention has removed rows that the days of
    the batches would have to be made from.
    """
    landed = stores.ledger.days("raw")
    origins = {entry.batch_id: entry.origin for entry in stores.ledger.entries("raw")}
    known = unloading(stores)
    requests = []
    for batch_id in batches:
        if batch_id.startswith(BATCH_PREFIX):
            raise NotUnloadableError(
                f"{batch_id} is a micro-batch of a topic: its offsets are taken and would not be "
                "read again, and days are rebuilt with them. Only batches of files can be unloaded"
            )
        if batch_id in known:
            continue
        if batch_id not in landed:
            raise NotUnloadableError(
                f"{stores.contract.name} has no batch {batch_id}; `social-assets load` names the "
                "batch of a file that was loaded before"
            )
        request = Unload(batch_id, origins[batch_id], frozenset(landed[batch_id]), replaced_by)
        requests.append(request)
    days = {day for each in requests for day in each.days}
    expired = stores.stores.lake.expired_days()
    expired.refuse([f"raw/{stores.contract.name}", *sources], days)
    stores.unloads.request(requests)
    return requests


def earlier_batches(stores: StreamStores, content: str, name: str) -> list[str]:
    """The batches of a file's content, or of files of its name, that are not being unloaded."""
    gone = unloading(stores)
    found = {
        entry.batch_id
        for entry in stores.ledger.entries("raw")
        if entry.records
        and entry.batch_id not in gone
        and not entry.batch_id.startswith(BATCH_PREFIX)
        and (content_of(entry.batch_id) == content or entry.origin == name)
    }
    return sorted(found)


def _generations(content: str) -> Iterator[str]:
    yield content
    yield from (f"{content}.{number}" for number in count(1))


def names_of(unloads: Sequence[Unload]) -> str:
    """The files of some batches, for a message."""
    return ", ".join(sorted({each.origin for each in unloads}))
