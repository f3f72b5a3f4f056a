"""Answers kept in memory, bounded in bytes; the ones unused for the longest time go first.

Belongs here: the value and its store. How long an answer is fresh is decided by `cached_answers`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections import OrderedDict
from dataclasses import dataclass, field

_OVERHEAD = 1_000
"""Bytes of an entry beside its texts: headers, key, objects."""
_LEAST_TO_COMPRESS = 500
_LEVEL = 5
_REFRESHED = (0.7, 0.9)
"""After which part of its time an answer is computed anew. It is drawn for each answer, so that
those that were computed together are not refreshed together."""


@dataclass(frozen=True)
class KeptAnswer:
    """An answer, and when it was computed (seconds since 1970)."""

    media: bytes
    body: bytes
    computed_at: float
    fresh_seconds: int
    compressed: bytes | None = field(repr=False, default=None)
    """By gzip; None if that is not smaller."""
    tag: bytes = b""
    """Its ETag: the same for the same content."""
    refresh_at: float = field(compare=False, default=0.0)
    """From when on who asks for it also starts its computation, while it is still given."""

    @classmethod
    def of(cls, media: bytes, body: bytes, computed_at: float, fresh_seconds: int) -> KeptAnswer:
        """An answer with its tag, compressed once."""
        compressed = None
        if len(body) >= _LEAST_TO_COMPRESS:
            compressed = gzip.compress(body, _LEVEL, mtime=0)
            compressed = compressed if len(compressed) < len(body) else None
        tag = b'W/"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'
        part = random.uniform(*_REFRESHED)  # noqa: S311 - no secret
        refresh_at = computed_at + part * fresh_seconds
        return cls(media, body, computed_at, fresh_seconds, compressed, tag, refresh_at)

    @property
    def size(self) -> int:
        """The bytes that it takes."""
        return len(self.body) + len(self.compressed or b"") + _OVERHEAD

    def age(self, now: float) -> int:
        """Seconds since it was computed."""
        return max(0, int(now - self.computed_at))

    def is_fresh(self, now: float) -> bool:
        """Whether it is given without another look at the warehouse."""
        return now < self.computed_at + self.fresh_seconds

    def is_due(self, now: float) -> bool:
        """Whether it is to be computed anew, though it may still be fresh."""
        return now >= self.refresh_at

    def as_bytes(self) -> bytes:
        """For a store outside of this process."""
        head = {
            "media": self.media.decode(),
            "computed_at": self.computed_at,
            "fresh_seconds": self.fresh_seconds,
        }
        return json.dumps(head).encode() + b"\n" + self.body

    @classmethod
    def from_bytes(cls, data: bytes) -> KeptAnswer:
        """What `as_bytes` has written."""
        line, _, body = data.partition(b"\n")
        head = json.loads(line)
        return cls.of(
            str(head["media"]).encode(),
            body,
            float(head["computed_at"]),
            int(head["fresh_seconds"]),
        )


class KeptAnswers:
    """The answers of this process, at most so many bytes. For one thread: the event loop's."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[str, KeptAnswer] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> KeptAnswer | None:
        """The answer of a question, fresh or not."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: str, answer: KeptAnswer) -> None:
        """Keep an answer; drop others if there are too many bytes. A giant is not kept."""
        if (before := self._kept.pop(key, None)) is not None:
            self.size -= before.size + len(key)
        if answer.size + len(key) > self._most // 4:
            return
        self._kept[key] = answer
        self.size += answer.size + len(key)
        while self.size > self._most:
            old, dropped = self._kept.popitem(last=False)
            self.size -= dropped.size + len(old)
