"""The Arrow layout of Kafka's records, and its construction from librdkafka's messages.

Belongs here: putting bytes into columns, without parsing them. Arrays are made from buffers:
`pyarrow.array` is no faster, and imports pandas at its first list, which takes two seconds.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import chain, pairwise, repeat
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
"""One record. A null value is a tombstone; null headers mean none. All headers are kept: the second
one of a name is called `name#2` and so on, since DuckDB refuses a map with a repeated key. A null
timestamp means that the record has none, or one outside the years 1970 to 9999."""

UNREADABLE_HEADERS = "unreadable-headers"
"""The only header of a record that has a header with an invalid UTF-8 name: librdkafka's Python
client cannot return the headers of such a record."""

_LAST_MILLISECOND = 253_402_300_799_999
_NO_BYTES = np.empty(0, np.uint8)

Header = tuple[str, bytes | None]


class RecordsBuilder:
    """Collects messages and builds one batch of them; then reuses its memory for the next.

    Bytes are joined a few hundred messages at a time, while they are in the processor's cache, into
    memory that is kept. Joining all at the end, or allocating memory each time, takes twice as long
    as the rest.
    """

    def __init__(self) -> None:
        self.count = 0
        self.bytes = 0
        self._parts: dict[int, _Part] = {}

    def clear(self) -> None:
        """Remove the messages and keep the memory."""
        self.count = self.bytes = 0
        for part in self._parts.values():
            part.clear()

    def add(
        self,
        messages: Sequence[Message],
        partitions: npt.NDArray[np.int32],
        offsets: npt.NDArray[np.int64],
    ) -> None:
        """Take messages that are records, with their partitions and offsets."""
        changes = np.flatnonzero(partitions[1:] != partitions[:-1]) + 1
        if len(changes):
            order = np.argsort(partitions, kind="stable")
            messages = [messages[i] for i in order]
            partitions, offsets = partitions[order], offsets[order]
            changes = np.flatnonzero(partitions[1:] != partitions[:-1]) + 1
        for start, end in pairwise([0, *changes.tolist(), len(messages)]):
            part = self._parts.setdefault(int(partitions[start]), _Part())
            self.bytes += part.add(messages[start:end], offsets[start:end])
            self.count += end - start

    def first_offsets(self) -> dict[int, int]:
        """The first offset of each partition that has records."""
        return {p: int(part.offsets[0][0]) for p, part in self._parts.items() if part.offsets}

    def build(self) -> pa.RecordBatch:
        """All messages as KAFKA_RECORDS, ordered by partition, then in the order of arrival."""
        numbers = sorted(number for number, part in self._parts.items() if part.offsets)
        parts = [self._parts[number] for number in numbers]
        counts = [sum(map(len, part.offsets)) for part in parts]
        milliseconds = _joined([m for part in parts for m in part.milliseconds], np.int64)
        known = (milliseconds >= 0) & (milliseconds <= _LAST_MILLISECOND)
        return pa.RecordBatch.from_arrays(
            [
                _binary([part.values for part in parts], pa.binary()),
                _binary([part.keys for part in parts], pa.binary()),
                _maps([run for part in parts for run in part.headers], sum(counts)),
                _fixed(np.repeat(np.array(numbers, np.int32), counts), pa.int32()),
                _fixed(_joined([o for part in parts for o in part.offsets], np.int64), pa.int64()),
                _fixed(np.where(known, milliseconds, 0) * 1000, pa.timestamp("us", "UTC"), known),
            ],
            schema=KAFKA_RECORDS,
        )


class _Bytes:
    """Values joined in one buffer, the length of each, and which are null."""

    def __init__(self) -> None:
        self._memory = np.empty(1 << 12, np.uint8)
        self._size = 0
        self.lengths: list[npt.NDArray[np.int32]] = []
        self.absent: list[npt.NDArray[np.bool_]] = []

    def clear(self) -> None:
        self._size = 0
        self.lengths.clear()
        self.absent.clear()

    @property
    def data(self) -> npt.NDArray[np.uint8]:
        return self._memory[: self._size]

    def add(self, items: Sequence[bytes | None]) -> int:
        """Add values; returns how many bytes they have."""
        absent = np.fromiter(map(operator.is_, items, repeat(None)), np.bool_, len(items))
        present: Sequence[Any] = [item or b"" for item in items] if absent.any() else items
        joined = b"".join(present)
        end = self._size + len(joined)
        if end > len(self._memory):
            grown = np.empty(max(end, 2 * len(self._memory)), np.uint8)
            grown[: self._size] = self.data
            self._memory = grown
        self._memory[self._size : end] = np.frombuffer(joined, np.uint8)
        self._size = end
        self.lengths.append(np.fromiter(map(len, present), np.int32, len(items)))
        self.absent.append(absent)
        return len(joined)


class _Part:
    """The messages of one partition; each list entry has a few hundred of them."""

    def __init__(self) -> None:
        self.values = _Bytes()
        self.keys = _Bytes()
        self.headers: list[Sequence[Sequence[Header] | None] | int] = []
        self.offsets: list[npt.NDArray[np.int64]] = []
        self.milliseconds: list[npt.NDArray[np.int64]] = []

    def clear(self) -> None:
        self.values.clear()
        self.keys.clear()
        self.headers.clear()
        self.offsets.clear()
        self.milliseconds.clear()

    def add(self, messages: Sequence[Message], offsets: npt.NDArray[np.int64]) -> int:
        """Add messages; returns how many bytes their values and keys have."""
        from confluent_kafka import Message

        stamps = map(operator.itemgetter(1), map(Message.timestamp, messages))
        self.headers.append(_headers(messages))
        self.offsets.append(offsets)
        self.milliseconds.append(np.fromiter(stamps, np.int64, len(messages)))
        taken = self.values.add(list(map(Message.value, messages)))
        return taken + self.keys.add(list(map(Message.key, messages)))


def _headers(messages: Sequence[Message]) -> list[Sequence[Header] | None] | int:
    """The headers of each message, or only the number of messages if none has headers."""
    from confluent_kafka import Message

    found: list[Any] = []
    # Call `headers` only once a message: after a failure, a second call crashes the client (2.16).
    told = map(Message.headers, messages)
    while len(found) < len(messages):
        try:
            found.extend(told)
        except (SystemError, UnicodeDecodeError):
            found.append([(UNREADABLE_HEADERS, None)])
    return [named_once(h) if h else None for h in found] if any(found) else len(found)


def named_once(headers: Sequence[Header]) -> Sequence[Header]:
    """The headers with names that are not repeated."""
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


def _binary(parts: Sequence[_Bytes], kind: pa.DataType) -> pa.Array:
    lengths = _joined([lengths for part in parts for lengths in part.lengths], np.int32)
    absent = _joined([absent for part in parts for absent in part.absent], np.bool_)
    data = pa.allocate_buffer(sum(len(part.data) for part in parts))
    np.concatenate([part.data for part in parts] or [_NO_BYTES], out=np.frombuffer(data, np.uint8))
    buffers = [_validity(~absent), pa.py_buffer(_ends(lengths)), data]
    return pa.Array.from_buffers(kind, len(lengths), buffers)


def _maps(runs: Sequence[Sequence[Sequence[Header] | None] | int], count: int) -> pa.Array:
    kind = KAFKA_RECORDS.field("headers").type
    if all(isinstance(run, int) for run in runs):
        return pa.nulls(count, kind)
    headers = chain.from_iterable(repeat(None, r) if isinstance(r, int) else r for r in runs)
    present = [header or () for header in headers]
    pairs = list(chain.from_iterable(present))
    names, values = _Bytes(), _Bytes()
    names.add([name.encode() for name, _ in pairs])
    values.add([value for _, value in pairs])
    columns = [_binary([names], pa.string()), _binary([values], pa.binary())]
    lengths = np.fromiter(map(len, present), np.int32, len(present))
    return pa.Array.from_buffers(
        kind,
        len(present),
        [_validity(lengths > 0), pa.py_buffer(_ends(lengths))],
        children=[pa.StructArray.from_arrays(columns, fields=[kind.key_field, kind.item_field])],
    )


def _ends(lengths: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    ends = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=ends[1:])
    return ends


def _validity(known: npt.NDArray[np.bool_] | None) -> pa.Buffer | None:
    if known is None or known.all():
        return None
    return pa.py_buffer(np.packbits(known, bitorder="little"))
