"""The labels of keys: the id of an account, the name of a platform.

Belongs here: reading and keeping them. A key is the hash of its label, so a label never changes
and may be kept for as long as there is room.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from threading import Lock
from typing import TYPE_CHECKING

from social_assets.metrics.dimension import KeyDimension

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

MOST_KEPT = 200_000
_MOST_BYTES = 8 << 20


class Labels:
    """Labels that were read, for the threads of one process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = Lock()

    def of(
        self, client: Client, dimension: KeyDimension, keys: Collection[str]
    ) -> Mapping[str, str]:
        """The label of each key, which are in hex. A key without a member is its own label."""
        with self._lock:
            found = {key: label for key in keys if (label := self._of(dimension, key))}
        missing = [key for key in keys if key not in found]
        if missing:
            read = _read(client, dimension, missing)
            with self._lock:
                for key, label in read.items():
                    self._kept[dimension.name, key] = label
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
            found |= read
        return {key: found.get(key, key) for key in keys}

    def _of(self, dimension: KeyDimension, key: str) -> str | None:
        place = (dimension.name, key)
        if place in self._kept:
            self._kept.move_to_end(place)
        return self._kept.get(place)


def _read(client: Client, dimension: KeyDimension, keys: Collection[str]) -> dict[str, str]:
    # In the text, since parameters stand in the URL, which is limited. Keys are in hex.
    listed = ",".join(bytes.fromhex(key).hex() for key in keys)
    result = client.query(
        f"SELECT DISTINCT lower(hex({dimension.column})), toString({dimension.label})\n"
        f"FROM {dimension.members}\n"
        f"WHERE {dimension.column} IN (SELECT unhex(arrayJoin(splitByChar(',', '{listed}'))))",
        settings={"max_query_size": _MOST_BYTES},
    )
    return {str(key): str(label) for key, label in result.result_rows}
