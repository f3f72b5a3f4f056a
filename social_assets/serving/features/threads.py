"""The online store of features, asked from threads: a file or a server may make a reader wait.

Belongs here: the threads. What is read belongs to `features.online`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from resources.settings.home import Home
from social_assets.features.online.chosen_store import online_store
from social_assets.features.online.rows import OnlineStore

T = TypeVar("T")

_THREADS = 4


class OnlineFeatures:
    """The store of a home. Raises OnlineStoreError if its URL cannot be used."""

    def __init__(self, home: Home) -> None:
        self._store: OnlineStore = online_store(home)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="features")

    async def run(self, work: Callable[[OnlineStore], T]) -> T:
        """The result of some work with the store. Raises what the work raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, work, self._store)

    def close(self) -> None:
        """Close the connections."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._store.close()
