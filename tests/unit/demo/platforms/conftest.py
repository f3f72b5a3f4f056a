"""A platform server in a process of its own, and a caller with the tokens of account 1."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from social_assets.demo.platforms.process import platform_server
from tests.unit.demo.platforms.calling import NOW, Caller

BEGIN = "2026-10-20"


@pytest.fixture(scope="module")
def running() -> Iterator[Caller]:
    """A server whose world begins a month before NOW, with one HTTP client for all tests."""
    with platform_server(seed=7, accounts=16, begin=BEGIN, now=NOW) as url:
        made = Caller(url)
        with made.client:
            yield made


@pytest.fixture
def caller(running: Caller) -> Caller:
    """A caller of the server, with the clock stopped at NOW."""
    running.reset()
    return running
