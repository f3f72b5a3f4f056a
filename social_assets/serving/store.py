"""The operational store, asked from threads: it may wait for another process that writes.

Belongs here: threads, and the problem of a store that cannot be used. Tables belong to `control`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.control.engine import open_engine
from social_assets.control.errors import ControlStoreError
from social_assets.serving.problems import ProblemError

T = TypeVar("T")

_THREADS = 2
_WAIT_SECONDS = 2.0
_RETRY_SECONDS = 5


class Store:
    """The store of a home. Raises ControlStoreError if it cannot be opened."""

    def __init__(self, home: Home) -> None:
        self.engine: Engine = open_engine(home, _WAIT_SECONDS)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")

    async def run(self, work: Callable[[], T]) -> T:
        """The result of some work with the engine. Raises ProblemError if the store is locked or
        away, and what the work raises.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except ControlStoreError as error:
            raise ProblemError(
                503,
                "the operational store, with its keys and schedules, cannot be used at this moment",
                f"Try again in {_RETRY_SECONDS} seconds; `social-assets doctor` says more.",
                retry_after=_RETRY_SECONDS,
            ) from error

    def close(self) -> None:
        """Close the connections."""
        self._threads.shutdown(cancel_futures=True)
        self.engine.dispose()
