"""The log of the steps: one line a batch and step, with run, stream and batch as fields."""

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


class StepLog(Adapter):
    """The log of the steps that one run takes on one stream."""

    def __init__(self, stores: StreamStores) -> None:
        super().__init__(_log, {"run_id": stores.run_id, "stream": stores.name})

    def process(
        self, msg: object, kwargs: MutableMapping[str, Any]
    ) -> tuple[object, MutableMapping[str, Any]]:
        """Add the fields of run and stream to those of the call."""
        return msg, {**kwargs, "extra": {**(self.extra or {}), **kwargs.get("extra", {})}}

    @contextmanager
    def step(self, name: str, batch_id: str) -> Iterator[None]:
        """Log that a step is done, with its duration, or that it failed."""
        started = time.monotonic()
        try:
            yield
        except BaseException as error:
            self.error("%s failed: %s", name, error, extra=_said(name, batch_id, started))
            raise
        self.info("%s done", name, extra=_said(name, batch_id, started))


def _said(step: str, batch_id: str, started: float) -> dict[str, object]:
    return {"step": step, "batch_id": batch_id, "seconds": round(time.monotonic() - started, 3)}
