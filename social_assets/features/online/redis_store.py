"""The online store in a Redis that several machines share.

Belongs here: its keys and commands. An id has one hash with a field for each platform and view, so
a read is one command. The rows of a view are also in a sorted set, by the time at which they
expire. The watermark is written after all rows: a process that is killed before is repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from resources.settings.variables import hidden
from social_assets.features.errors import OnlineStoreError
from social_assets.features.feature_view import Entity, FeatureView
from social_assets.features.online.rows import OnlineRow, Watermark

if TYPE_CHECKING:
    from redis import Redis

URL_VARIABLE = "SOCIAL_ASSETS_FEATURES_URL"
_PREFIX = "social-assets:features:1:"
_TAKEN_UNTIL = f"{_PREFIX}taken_until"
_WAIT_SECONDS = 5.0
_AT_ONCE = 2_000
"""Commands that are sent in one transaction."""


class RedisStore:
    """The store of a URL. Connects at the first use; used by several threads."""

    def __init__(self, url: str) -> None:
        """Raises OnlineStoreError for a text that is no URL of Redis, without showing it."""
        try:
            from redis import Redis
        except ImportError as error:
            raise OnlineStoreError(
                f"{URL_VARIABLE} names Redis, and its client is not installed: "
                "pip install 'social-assets[production]'"
            ) from error
        try:
            self._redis: Redis = Redis.from_url(
                url,
                socket_timeout=_WAIT_SECONDS,
                socket_connect_timeout=_WAIT_SECONDS,
                decode_responses=True,
            )
        except ValueError:
            # Without its cause, which has parts of the URL.
            raise OnlineStoreError(
                f"{URL_VARIABLE} is no URL such as redis://user:password@host:6379/0"
            ) from None

    def read(self, entity: Entity, id_: str) -> dict[str, list[OnlineRow]]:
        """The rows of an id on all platforms, by the name of their view."""
        with _faults():
            held = self._redis.hgetall(_of_id(entity, id_))
        found: dict[str, list[OnlineRow]] = {}
        for field, content in sorted(held.items()):
            platform, view = json.loads(str(field))
            found.setdefault(view, []).append(OnlineRow.of(platform, id_, str(content)))
        return found

    def watermark(self, view: FeatureView) -> Watermark | None:
        """How far the view was taken; None if never."""
        with _faults():
            text = self._redis.get(_watermark(view))
        return None if text is None else Watermark.from_json(str(text))

    def taken_until(self) -> Mapping[str, datetime]:
        """The times of the watermarks, by the name of the view."""
        with _faults():
            held = self._redis.hgetall(_TAKEN_UNTIL)
        return {str(view): datetime.fromisoformat(str(as_of)) for view, as_of in held.items()}

    def members(self, view: FeatureView, known_since: datetime | None) -> list[tuple[str, str]]:
        """Platform and id of rows that depend on days since a time; None: of all rows."""
        least = "-inf" if known_since is None else (known_since + view.time_to_live).timestamp()
        with _faults():
            found = self._redis.zrangebyscore(_of_view(view), least, "+inf")
        return [_named(str(each)) for each in found]

    def rows(self, view: FeatureView) -> list[OnlineRow]:
        """All rows of a view."""
        found = []
        members = self.members(view, None)
        for begin in range(0, len(members), _AT_ONCE):
            part = members[begin : begin + _AT_ONCE]
            with _faults():
                commands = self._redis.pipeline(transaction=False)
                for platform, id_ in part:
                    commands.hget(_of_id(view.entity, id_), _field(platform, view.name))
                contents = commands.execute()
            found += [
                OnlineRow.of(platform, id_, content)
                for (platform, id_), content in zip(part, contents, strict=True)
                if content is not None
            ]
        return found

    def write(
        self,
        view: FeatureView,
        changed: Sequence[OnlineRow],
        gone: Sequence[tuple[str, str]],
        watermark: Watermark,
    ) -> int:
        """Write rows, delete those that are gone, and set the watermark, which comes last."""
        differing = 0
        for begin in range(0, len(changed), _AT_ONCE):
            differing += self._put(view, changed[begin : begin + _AT_ONCE])
        for begin in range(0, len(gone), _AT_ONCE):
            differing += self._remove(view, gone[begin : begin + _AT_ONCE])
        with _faults():
            last = self._redis.pipeline()
            last.set(_watermark(view), watermark.as_json())
            last.hset(_TAKEN_UNTIL, view.name, watermark.as_of.isoformat())
            last.execute()
        return differing

    def delete_expired(self, view: FeatureView, before: datetime) -> int:
        """Delete the rows that had expired by a time; returns how many."""
        with _faults():
            found = self._redis.zrangebyscore(_of_view(view), "-inf", f"({before.timestamp()}")
        named = [_named(str(each)) for each in found]
        return sum(
            self._remove(view, named[begin : begin + _AT_ONCE])
            for begin in range(0, len(named), _AT_ONCE)
        )

    def forget(self, entity: Entity, named: Iterable[tuple[str | None, str]]) -> int:
        """Delete all rows of platforms and ids; None: on all platforms. Returns how many."""
        deleted = 0
        for platform, id_ in named:
            key = _of_id(entity, id_)
            with _faults():
                fields = [json.loads(each) for each in self._redis.hkeys(key)]
                theirs = [each for each in fields if platform in (None, each[0])]
                commands = self._redis.pipeline()
                for of_platform, view in theirs:
                    commands.hdel(key, _field(of_platform, view))
                    commands.zrem(f"{_PREFIX}view:{view}", _member(of_platform, id_))
                commands.execute()
            deleted += len(theirs)
        return deleted

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _put(self, view: FeatureView, rows: Sequence[OnlineRow]) -> int:
        with _faults():
            before = self._redis.pipeline(transaction=False)
            for each in rows:
                before.hget(_of_id(view.entity, each.id), _field(each.platform, view.name))
            held = before.execute()
            commands = self._redis.pipeline()
            for each in rows:
                key, field = _of_id(view.entity, each.id), _field(each.platform, view.name)
                commands.hset(key, field, each.content())
                member = _member(each.platform, each.id)
                commands.zadd(_of_view(view), {member: each.expires_at.timestamp()})
            commands.execute()
        return sum(old != each.content() for old, each in zip(held, rows, strict=True))

    def _remove(self, view: FeatureView, named: Sequence[tuple[str, str]]) -> int:
        if not named:
            return 0
        with _faults():
            commands = self._redis.pipeline()
            for platform, id_ in named:
                commands.hdel(_of_id(view.entity, id_), _field(platform, view.name))
            deleted = sum(commands.execute())
            members = [_member(platform, id_) for platform, id_ in named]
            self._redis.zrem(_of_view(view), *members)
        return int(deleted)


def _of_id(entity: Entity, id_: str) -> str:
    return f"{_PREFIX}{entity.name}:{id_}"


def _of_view(view: FeatureView) -> str:
    return f"{_PREFIX}view:{view.name}"


def _watermark(view: FeatureView) -> str:
    return f"{_PREFIX}watermark:{view.name}"


def _field(platform: str, view: str) -> str:
    return json.dumps([platform, view])


def _member(platform: str, id_: str) -> str:
    return json.dumps([platform, id_])


def _named(member: str) -> tuple[str, str]:
    platform, id_ = json.loads(member)
    return platform, id_


@contextmanager
def _faults() -> Iterator[None]:
    from redis.exceptions import RedisError

    try:
        yield
    except (RedisError, OSError) as error:
        raise OnlineStoreError(
            f"the online features in Redis cannot be used: {hidden(str(error))}. Start the server, "
            f"or correct {URL_VARIABLE}"
        ) from None
