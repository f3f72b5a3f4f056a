"""What the hops log: one line a batch and hop, with run, stream and batch to search by."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from social_assets.pipeline.stores import StreamStores

if TYPE_CHECKING:
    Adapter = logging.LoggerAdapter[logging.Logger]
else:
    Adapter = logging.LoggerAdapter

_log = logging.getLogger("social_assets.pipeline")


class HopLog(Adapter):
    """The log of one stream's hops, as one run goes through them."""

    def __init__(self, stores: StreamStores) -> None:
        super().__init__(_log, {"run_id": stores.run_id, "stream": stores.contract.name})

    def process(
        self, msg: object, kwargs: MutableMapping[str, Any]
    ) -> tuple[object, MutableMapping[str, Any]]:
        """The call's own fields beside those of run and stream."""
        return msg, {**kwargs, "extra": {**(self.extra or {}), **kwargs.get("extra", {})}}

    @contextmanager
    def hop(self, name: str, batch_id: str) -> Iterator[None]:
        """Log that a hop was done with a batch, and how long it took; or that it failed."""
        started = time.monotonic()
        try:
            yield
        except BaseException as error:
            self.error("%s failed: %s", name, error, extra=_said(name, batch_id, started))
            raise
        self.info("%s done", name, extra=_said(name, batch_id, started))


def _said(hop: str, batch_id: str, started: float) -> dict[str, object]:
    return {"hop": hop, "batch_id": batch_id, "seconds": round(time.monotonic() - started, 3)}
