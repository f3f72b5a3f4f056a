from __future__ import annotations

from datetime import date

import pytest

from social_assets.demo.samples import SampleFile, generate


@pytest.fixture(scope="session")
def events() -> int:
    return 100_000


@pytest.fixture(scope="session")
def end() -> date:
    return date(2026, 11, 20)


@pytest.fixture(scope="session")
def sample_files(
    tmp_path_factory: pytest.TempPathFactory, events: int, end: date
) -> list[SampleFile]:
    """Nine days of all streams."""
    return generate(tmp_path_factory.mktemp("samples"), events=events, days=9, end=end)
