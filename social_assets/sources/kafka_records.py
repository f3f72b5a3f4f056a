"""The Arrow layout of Kafka's records, and its making from librdkafka's messages.

Belongs here: bytes into columns, without a look at what they say. Arrays are made from buffers:
`pyarrow.array` would be no faster, and imports pandas at its first list, which takes two seconds.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
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
"""One record. A null value is a tombstone; null headers are none. Every header is kept: the second
of a name is called `name#2` and so on, since a map with a name twice is refused by DuckDB. A null
timestamp: the record has none, or one outside of the years 1970 to 9999."""

UNREADABLE_HEADERS = "unreadable-headers"
"""The one header of a record that has a header whose name is no UTF-8: librdkafka's Python client
can't tell its headers."""

_LAST_MILLISECOND = 253_402_300_799_999

Header = tuple[str, bytes | None]


class RecordsBuilder:
    """Gathers messages, and makes one batch of them.

    Bytes are joined a few hundred messages at a time, while the processor still has them at hand:
    joining them all at the end costs twice the time.
    """

    def __init__(self) -> None:
        self.count = 0
        self.bytes = 0
        self._runs: dict[int, list[_Run]] = {}

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
            run = _run(messages[start:end], offsets[start:end])
            self._runs.setdefault(int(partitions[start]), []).append(run)
            self.count += end - start
            self.bytes += run.values.data.size + run.keys.data.size

    def first_offsets(self) -> dict[int, int]:
        """Of each partition that has records, the first one's offset."""
        return {partition: int(runs[0].offsets[0]) for partition, runs in self._runs.items()}

    def build(self) -> pa.RecordBatch:
        """All of them as KAFKA_RECORDS, by partition, and within it as they came."""
        ordered = [
            (partition, run) for partition in sorted(self._runs) for run in self._runs[partition]
        ]
        runs = [run for _, run in ordered]
        partitions = np.repeat(
            np.array([partition for partition, _ in ordered], np.int32),
            np.array([len(run.offsets) for run in runs], np.int64),
        )
        milliseconds = _joined([run.milliseconds for run in runs], np.int64)
        known = (milliseconds >= 0) & (milliseconds <= _LAST_MILLISECOND)
        return pa.RecordBatch.from_arrays(
            [
                _binary([run.values for run in runs], pa.binary()),
                _binary([run.keys for run in runs], pa.binary()),
                _maps(runs),
                _fixed(partitions, pa.int32()),
                _fixed(_joined([run.offsets for run in runs], np.int64), pa.int64()),
                _fixed(np.where(known, milliseconds, 0) * 1000, pa.timestamp("us", "UTC"), known),
            ],
            schema=KAFKA_RECORDS,
        )


@dataclass(frozen=True)
class _Bytes:
    """Some texts of bytes in a row, how long each is, and which are null; None: none is."""

    data: pa.Buffer
    lengths: npt.NDArray[np.int32]
    absent: npt.NDArray[np.bool_] | None


@dataclass(frozen=True)
class _Run:
    """Successive messages of one partition."""

    values: _Bytes
    keys: _Bytes
    headers: Sequence[Sequence[Header] | None] | None
    offsets: npt.NDArray[np.int64]
    milliseconds: npt.NDArray[np.int64]


def _run(messages: Sequence[Message], offsets: npt.NDArray[np.int64]) -> _Run:
    from confluent_kafka import Message

    stamps = map(operator.itemgetter(1), map(Message.timestamp, messages))
    return _Run(
        _bytes(list(map(Message.value, messages))),
        _bytes(list(map(Message.key, messages))),
        _headers(messages),
        offsets,
        np.fromiter(stamps, np.int64, len(messages)),
    )


def _bytes(items: Sequence[bytes | None]) -> _Bytes:
    absent = np.fromiter(map(operator.is_, items, repeat(None)), np.bool_, len(items))
    present: Sequence[Any] = [item or b"" for item in items] if absent.any() else items
    lengths = np.fromiter(map(len, present), np.int32, len(items))
    data = _pooled([pa.py_buffer(b"".join(present))])
    return _Bytes(data, lengths, absent if absent.any() else None)


def _headers(messages: Sequence[Message]) -> list[Sequence[Header] | None] | None:
    """None if there are none at all."""
    from confluent_kafka import Message

    found: list[Any] = []
    # One call for a message: after a failure the client crashes at the second (2.16).
    told = map(Message.headers, messages)
    while len(found) < len(messages):
        try:
            found.extend(told)
        except (SystemError, UnicodeDecodeError):
            found.append([(UNREADABLE_HEADERS, None)])
    return [_named_once(h) if h else None for h in found] if any(found) else None


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


def _pooled(parts: Sequence[pa.Buffer]) -> pa.Buffer:
    """One after the other in Arrow's pool, which keeps its memory: to have the system map new
    memory takes three times as long as the copying.
    """
    joined = pa.allocate_buffer(sum(part.size for part in parts))
    target = np.frombuffer(joined, np.uint8)
    start = 0
    for part in parts:
        target[start : start + part.size] = np.frombuffer(part, np.uint8)
        start += part.size
    return joined


def _joined(parts: Sequence[npt.NDArray[Any]], kind: type[np.generic]) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, kind)


def _fixed(
    numbers: npt.NDArray[Any], kind: pa.DataType, known: npt.NDArray[np.bool_] | None = None
) -> pa.Array:
    buffers = [_validity(known), pa.py_buffer(np.ascontiguousarray(numbers))]
    return pa.Array.from_buffers(kind, len(numbers), buffers)


def _binary(parts: Sequence[_Bytes], kind: pa.DataType) -> pa.Array:
    lengths = _joined([part.lengths for part in parts], np.int32)
    known = None
    if any(part.absent is not None for part in parts):
        masks = [np.zeros(len(p.lengths), bool) if p.absent is None else p.absent for p in parts]
        known = ~np.concatenate(masks)
    data = parts[0].data if len(parts) == 1 else _pooled([part.data for part in parts])
    buffers = [_validity(known), pa.py_buffer(_ends(lengths)), data]
    return pa.Array.from_buffers(kind, len(lengths), buffers)


def _maps(runs: Sequence[_Run]) -> pa.Array:
    kind = KAFKA_RECORDS.field("headers").type
    if all(run.headers is None for run in runs):
        return pa.nulls(sum(len(run.offsets) for run in runs), kind)
    headers = chain.from_iterable(run.headers or repeat(None, len(run.offsets)) for run in runs)
    present = [header or () for header in headers]
    pairs = list(chain.from_iterable(present))
    names = _binary([_bytes([name.encode() for name, _ in pairs])], pa.string())
    values = _binary([_bytes([value for _, value in pairs])], pa.binary())
    lengths = np.fromiter(map(len, present), np.int32, len(present))
    return pa.Array.from_buffers(
        kind,
        len(present),
        [_validity(lengths > 0), pa.py_buffer(_ends(lengths))],
        children=[
            pa.StructArray.from_arrays([names, values], fields=[kind.key_field, kind.item_field])
        ],
    )


def _ends(lengths: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    ends = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=ends[1:])
    return ends


def _validity(known: npt.NDArray[np.bool_] | None) -> pa.Buffer | None:
    if known is None or known.all():
        return None
    return pa.py_buffer(np.packbits(known, bitorder="little"))
