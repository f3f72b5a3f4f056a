"""A platform server in a process of its own, and a caller with the tokens of account 1."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from social_assets.demo.platforms.process import platform_server
from tests.unit.demo.platforms.calling import Caller

BEGIN = "2026-10-20"


@pytest.fixture(scope="module")
def running() -> Iterator[str]:
    """The URL of a server whose world begins a month before NOW."""
    with platform_server(seed=7, accounts=16, begin=BEGIN) as url:
        yield url


@pytest.fixture
def caller(running: str) -> Caller:
    """A caller of the server, with the clock stopped at NOW."""
    made = Caller(running)
    made.reset()
    return made
