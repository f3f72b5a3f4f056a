"""The Arrow layout of Kafka's records, and its making from librdkafka's messages.

Belongs here: bytes into columns, without a look at what they say. Arrays are made from buffers:
`pyarrow.array` would be no faster, and imports pandas at its first list, which takes two seconds.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from confluent_kafka import Message

KAFKA_RECORDS = pa.schema(
    [
        pa.field("value", pa.binary()),
        pa.field("key", pa.binary()),
        pa.field("headers", pa.map_(pa.string(), pa.binary())),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("timestamp", pa.timestamp("us", tz="UTC")),
    ]
)
"""One record. A null value is a tombstone; null headers are none. Every header is kept: the second
of a name is called `name#2` and so on, since a map with a name twice is refused by DuckDB. A null
timestamp: the record has none, or one outside of the years 1970 to 9999."""

UNREADABLE_HEADERS = "unreadable-headers"
"""The one header of a record that has a header whose name is no UTF-8: librdkafka's Python client
can't tell its headers."""

_LAST_MILLISECOND = 253_402_300_799_999

Header = tuple[str, bytes | None]


class RecordsBuilder:
    """Gathers messages, and makes one batch of them."""

    def __init__(self) -> None:
        self.count = 0
        self.bytes = 0
        self._values: list[bytes | None] = []
        self._keys: list[bytes | None] = []
        self._headers: list[Sequence[Header] | None] = []
        self._partitions: list[npt.NDArray[np.int32]] = []
        self._offsets: list[npt.NDArray[np.int64]] = []
        self._milliseconds: list[npt.NDArray[np.int64]] = []

    def add(
        self,
        messages: Sequence[Message],
        partitions: npt.NDArray[np.int32],
        offsets: npt.NDArray[np.int64],
    ) -> None:
        """Take messages that are records, with their partitions and offsets."""
        from confluent_kafka import Message

        keys = list(map(Message.key, messages))
        stamps = map(operator.itemgetter(1), map(Message.timestamp, messages))
        self._values += map(Message.value, messages)
        self._keys += keys
        self._headers += _headers(messages)
        self._partitions.append(partitions)
        self._offsets.append(offsets)
        self._milliseconds.append(np.fromiter(stamps, np.int64, len(messages)))
        self.count += len(messages)
        self.bytes += sum(map(len, messages)) + sum(map(len, filter(None, keys)))

    def first_offsets(self) -> dict[int, int]:
        """Of each partition that has records, the first one's offset."""
        first: dict[int, int] = {}
        for partitions, offsets in zip(self._partitions, self._offsets, strict=True):
            found, places = np.unique(partitions, return_index=True)
            for partition, place in zip(found.tolist(), places.tolist(), strict=True):
                first.setdefault(partition, int(offsets[place]))
        return first

    def build(self) -> pa.RecordBatch:
        """All of them as KAFKA_RECORDS, by partition, and within it as they came."""
        partitions = _joined(self._partitions, np.int32)
        offsets = _joined(self._offsets, np.int64)
        milliseconds = _joined(self._milliseconds, np.int64)
        values, keys, headers = self._values, self._keys, self._headers
        if np.any(partitions[1:] < partitions[:-1]):
            order = np.argsort(partitions, kind="stable")
            partitions, offsets = partitions[order], offsets[order]
            milliseconds = milliseconds[order]
            places = order.tolist()
            values, keys = [values[i] for i in places], [keys[i] for i in places]
            headers = [headers[i] for i in places]
        known = (milliseconds >= 0) & (milliseconds <= _LAST_MILLISECOND)
        return pa.RecordBatch.from_arrays(
            [
                _binary(values, pa.binary()),
                _binary(keys, pa.binary()),
                _maps(headers),
                _fixed(partitions, pa.int32()),
                _fixed(offsets, pa.int64()),
                _fixed(np.where(known, milliseconds, 0) * 1000, pa.timestamp("us", "UTC"), known),
            ],
            schema=KAFKA_RECORDS,
        )


def _headers(messages: Sequence[Message]) -> list[Sequence[Header] | None]:
    from confluent_kafka import Message

    try:
        found: list[Any] = list(map(Message.headers, messages))
    except (SystemError, UnicodeDecodeError):
        found = [_headers_or_marker(message) for message in messages]
    return [_named_once(h) if h else None for h in found] if any(found) else found


def _headers_or_marker(message: Any) -> Sequence[Header] | None:
    try:
        return message.headers()  # type: ignore[no-any-return]
    except (SystemError, UnicodeDecodeError):
        return [(UNREADABLE_HEADERS, None)]


def _named_once(headers: Sequence[Header]) -> Sequence[Header]:
    taken = {name for name, _ in headers}
    if len(taken) == len(headers):
        return headers
    result: dict[str, bytes | None] = {}
    for name, value in headers:
        unique, number = name, 1
        while unique in result or (number > 1 and unique in taken):
            number += 1
            unique = f"{name}#{number}"
        result[unique] = value
    return list(result.items())


def _joined(parts: Sequence[npt.NDArray[Any]], kind: type[np.generic]) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, kind)


def _fixed(
    numbers: npt.NDArray[Any], kind: pa.DataType, known: npt.NDArray[np.bool_] | None = None
) -> pa.Array:
    buffers = [_validity(known), pa.py_buffer(np.ascontiguousarray(numbers))]
    return pa.Array.from_buffers(kind, len(numbers), buffers)


def _binary(items: Sequence[bytes | None], kind: pa.DataType) -> pa.Array:
    absent = np.fromiter(map(operator.is_, items, repeat(None)), np.bool_, len(items))
    present = [item or b"" for item in items] if absent.any() else items
    return pa.Array.from_buffers(
        kind,
        len(items),
        [
            _validity(~absent),
            pa.py_buffer(_ends(map(len, present), len(items))),  # type: ignore[arg-type]
            pa.py_buffer(b"".join(present)),  # type: ignore[arg-type]
        ],
    )


def _maps(headers: Sequence[Sequence[Header] | None]) -> pa.Array:
    kind = KAFKA_RECORDS.field("headers").type
    present = [h or () for h in headers]
    pairs = list(chain.from_iterable(present))
    if not pairs:
        return pa.nulls(len(headers), kind)
    names = _binary([name.encode() for name, _ in pairs], pa.string())
    values = _binary([value for _, value in pairs], pa.binary())
    known = np.fromiter(map(bool, present), np.bool_, len(present))
    return pa.Array.from_buffers(
        kind,
        len(headers),
        [_validity(known), pa.py_buffer(_ends(map(len, present), len(present)))],
        children=[
            pa.StructArray.from_arrays([names, values], fields=[kind.key_field, kind.item_field])
        ],
    )


def _ends(lengths: Iterable[int], count: int) -> npt.NDArray[np.int32]:
    ends = np.zeros(count + 1, np.int32)
    np.cumsum(np.fromiter(lengths, np.int32, count), out=ends[1:])
    return ends


def _validity(known: npt.NDArray[np.bool_] | None) -> pa.Buffer | None:
    if known is None or known.all():
        return None
    return pa.py_buffer(np.packbits(known, bitorder="little"))
