"""Answers in a Redis that several servers share.

Belongs here: reading and writing them. A Redis that is away is no error of a request: the answer is
computed, and the log says why.
"""

from __future__ import annotations

import hashlib
import logging
import time
from typing import TYPE_CHECKING

from resources.settings.variables import hidden
from social_assets.serving.caching.kept_answers import KeptAnswer

if TYPE_CHECKING:
    from redis.asyncio import Redis

_PREFIX = "social-assets:answer:1:"
_WAIT_SECONDS = 0.5
_REST_SECONDS = 5.0
"""After a fault, Redis is not asked for so long."""

_log = logging.getLogger(__name__)


class CacheUrlError(ValueError):
    """The URL of the cache cannot be used; the text says why."""


class SharedAnswers:
    """The answers of all servers that have the same URL."""

    def __init__(self, url: str) -> None:
        """Connects at the first use. Raises CacheUrlError."""
        try:
            from redis.asyncio import Redis
        except ImportError as error:
            raise CacheUrlError(
                "SOCIAL_ASSETS_CACHE_URL names Redis, and its client is not installed: "
                "pip install 'social-assets[production]'"
            ) from error
        try:
            self._redis: Redis = Redis.from_url(
                url, socket_timeout=_WAIT_SECONDS, socket_connect_timeout=_WAIT_SECONDS
            )
        except ValueError as error:
            raise CacheUrlError(
                "SOCIAL_ASSETS_CACHE_URL is no URL such as redis://user:password@host:6379/0"
            ) from error
        self._rests_until = 0.0

    async def get(self, key: str) -> KeptAnswer | None:
        """The answer that any server has computed; None if there is none, or Redis is away."""
        if self._rests():
            return None
        from redis.exceptions import RedisError

        try:
            data = await self._redis.get(_name(key))
            return KeptAnswer.from_bytes(data) if isinstance(data, bytes) else None
        except (RedisError, OSError) as error:
            self._rest(error)
        except (ValueError, KeyError, TypeError) as error:
            _log.warning("an answer in the cache cannot be read and is computed again: %s", error)
        return None

    async def put(self, key: str, answer: KeptAnswer, seconds: int) -> None:
        """Keep an answer for so many seconds, unless Redis is away."""
        if self._rests():
            return
        from redis.exceptions import RedisError

        try:
            await self._redis.set(_name(key), answer.as_bytes(), ex=seconds)
        except (RedisError, OSError) as error:
            self._rest(error)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    def _rests(self) -> bool:
        return time.monotonic() < self._rests_until

    def _rest(self, error: Exception) -> None:
        self._rests_until = time.monotonic() + _REST_SECONDS
        _log.warning("the shared cache does not answer: %s", hidden(str(error)))


def _name(key: str) -> str:
    return _PREFIX + hashlib.sha256(key.encode()).hexdigest()
