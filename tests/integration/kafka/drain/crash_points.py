"""Ends a drain after one of its commits and inserts, as a kill at the boundary of a step would."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from social_assets.lake.delta import LakeTable
from social_assets.warehouse.micro_batch_loader import MicroBatchLoader


class CrashError(Exception):
    """Ends a drain at the boundary of a step."""


BOUNDARIES: list[tuple[type, str]] = [
    (LakeTable, "append"),
    (MicroBatchLoader, "insert"),
    (MicroBatchLoader, "mark_loaded"),
]


@contextmanager
def crash_after(call: int) -> Iterator[None]:
    """Raise CrashError after the given number of commits and inserts."""
    calls = itertools.count(1)

    def crashing(original: Callable[..., None]) -> Callable[..., None]:
        def stand_in(*args: Any, **kwargs: Any) -> None:
            original(*args, **kwargs)
            if next(calls) == call:
                raise CrashError

        return stand_in

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in BOUNDARIES:
            patch.setattr(owner, name, crashing(getattr(owner, name)))
        yield
