"""Engagement events that are broken in every known way, among good ones.

Belongs here: the ways. Tests and benchmarks check what happens to the records; each must be
accounted for. A seed gives the same records for the same `now`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

Fields = dict[str, object]

_FIELDS = (
    *("event_id", "event_time", "platform", "account_id"),
    *("post_id", "user_id", "metric_type", "value"),
)
_SPELLINGS = {
    "event_id": ("Event ID", "EVENTID", "eventId", " event_id "),
    "value": ("VALUE", "Value"),
    "account_id": ("AccountId", "account-id"),
}
_RAW_VALUES: Sequence[str] = (
    *("null", "true", "false", '""', '" "', "[]", "{}", "[null]", '[["a"], {"b": 1}]'),
    *(
        "0",
        "-0",
        "-1",
        "1e308",
        "1e309",
        "-1e309",
        "1e-400",
        "0.1e1",
        "NaN",
        "Infinity",
        "01",
        "+1",
    ),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "1" * 400),
    *('"1' + "0" * 400 + '"', "0." + "3" * 2_000, '"1e5"', '"0x10"', '" 7 "', '"7.0"', '"٣"'),
    *(r'"\ud800"', r'"\udc00\ud800"', r'"\ud83d\ude00"', r'"\u0000"', r'"a\u0000b"', r'"\x41"'),
    *(
        '"\t"',
        '"' + "x" * 5_000 + '"',
        r'"\"',
        r'"\\"',
        '"\u2028"',
        '"\ufeff"',
        "'single'",
        "undefined",
    ),
)
_TIMES: Sequence[object] = (
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-02-30", "2026-13-01T00:00:00"),
    *("infinity", "-infinity", "epoch", "now", "today", "290309-12-22 (BC)", "24:00:00"),
    *("2026-01-01T00:00:00+99:00", "2026-01-01T00:00:60Z", "20260101", "1e9", "-1", ""),
    *(0, -1, 10**10, 10**13, 10**18, 10**30, 1.5, None, True, [2026, 1, 1]),
)
_WHOLE: Sequence[bytes | None] = (
    *(None, b"", b" ", b"\n", b"\x00", b"null", b"true", b"1", b'"text"', b"[]", b"{}", b"[{}]"),
    *(b"{", b"}", b"{}{}", b'{"a"}', b"{'a': 1}", b'{"a": 1,}', b"\xef\xbb\xbf{}", b"// {}"),
    *(b"\xff\xfe{\x00}\x00", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"PK\x03\x04"),
    *("{}".encode("utf-16"), b"user_id,video_id\n1,2", b"<xml/>", b"\x1f\x8b\x08\x00"),
)
_LATE_DAYS = (*range(8), 30, 400, 4_000)


def fuzzed_records(count: int, *, seed: int, now: datetime) -> Iterator[bytes | None]:
    """`count` records, None being a tombstone; about half of them would be accepted."""
    maker = _Maker(random.Random(seed), now)  # noqa: S311 - an order, no secret
    for number in range(count):
        yield maker.record(number)


class _Maker:
    def __init__(self, chance: random.Random, now: datetime) -> None:
        self._chance = chance
        self._now = now
        self._ways: Sequence[Callable[[Fields], bytes | None]] = (
            self._whole,
            self._bytes,
            self._odd_value,
            self._odd_time,
            self._mutated,
            self._cut,
            self._nested,
            self._twice,
            self._respelled,
            self._lacking,
        )

    def record(self, number: int) -> bytes | None:
        # Some numbers are repeated: the second record is a duplicate, or follows a broken one.
        again = number if self._chance.random() < 0.95 else self._chance.randrange(number + 1)
        fields = self._fields(again)
        if self._chance.random() < 0.4:
            return _json(fields)
        return self._chance.choice(self._ways)(fields)

    def _fields(self, number: int) -> Fields:
        late = timedelta(days=self._chance.choice(_LATE_DAYS) if number % 20 == 0 else number % 3)
        return {
            "event_id": f"f{number}",
            "event_time": (self._now - late).isoformat(),
            "platform": ("X", "tiktok", "no such", "İ")[number % 4],
            "account_id": 1 + number % 9,
            "post_id": f"p{number % 99}",
            "user_id": str(number % 999),
            "metric_type": "like",
            "value": number % 5,
        }

    def _whole(self, _: Fields) -> bytes | None:
        return self._chance.choice(_WHOLE)

    def _bytes(self, _: Fields) -> bytes:
        return self._chance.randbytes(self._chance.randrange(200))

    def _odd_value(self, fields: Fields) -> bytes:
        """Replace one field by a value that no producer would write."""
        name = self._chance.choice(_FIELDS)
        odd = self._chance.choice(_RAW_VALUES)
        pairs = [f'"{k}": {odd if k == name else json.dumps(v)}' for k, v in fields.items()]
        return ("{" + ", ".join(pairs) + "}").encode("utf-8", "surrogatepass")

    def _odd_time(self, fields: Fields) -> bytes:
        return _json(fields | {"event_time": self._chance.choice(_TIMES)})

    def _mutated(self, fields: Fields) -> bytes:
        """Replace some bytes."""
        text = bytearray(_json(fields))
        for _ in range(self._chance.randrange(1, 6)):
            text[self._chance.randrange(len(text))] = self._chance.randrange(256)
        return bytes(text)

    def _cut(self, fields: Fields) -> bytes:
        text = _json(fields)
        return text[: self._chance.randrange(len(text))]

    def _nested(self, fields: Fields) -> bytes:
        """Nest a value, or all of them, deeply; a few very deeply."""
        depth = self._chance.choice((2, 30, 1_000)) if self._chance.random() < 0.95 else 20_000
        text = _json(fields)
        opening, closing = self._chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
        if self._chance.random() < 0.5:
            return opening * depth + text + closing * depth
        return text[:-1] + b', "deep": ' + opening * depth + b"1" + closing * depth + b"}"

    def _twice(self, fields: Fields) -> bytes:
        """Repeat one key with another value."""
        name = self._chance.choice(_FIELDS)
        again = json.dumps({name: self._chance.choice((1, "e1", None, [], -5))})
        return _json(fields)[:-1] + b", " + again[1:].encode()

    def _respelled(self, fields: Fields) -> bytes:
        return _json(
            {self._chance.choice(_SPELLINGS.get(k, (k.upper(),))): v for k, v in fields.items()}
        )

    def _lacking(self, fields: Fields) -> bytes:
        for name in self._chance.sample(_FIELDS, 2):
            del fields[name]
        return _json(fields | {"": 1, "/": 2, "a~b": 3, "\u0000": 4})


def _json(fields: Fields) -> bytes:
    return json.dumps(fields).encode()
