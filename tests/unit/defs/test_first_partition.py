"""Partitions begin with the first data of the installation and include each day of the lake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from resources.settings.first_date import DEFAULT_FIRST_DATE, FirstDateError
from resources.settings.home import ENVIRONMENT_VARIABLE
from resources.settings.variables import FIRST_DATE
from social_assets.defs.partitions import (
    daily,
    days_without_partition,
    first_partition,
    partition_notice,
)
from social_assets.defs.stores import LAKE_URL


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "home"))
    monkeypatch.delenv(LAKE_URL, raising=False)
    monkeypatch.delenv(FIRST_DATE)
    daily.cache_clear()
    yield tmp_path / "home" / "lake"
    daily.cache_clear()


def hold(lake: Path, stream: str, *days: str) -> None:
    for day in days:
        (lake / "raw" / stream / f"event_date={day}").mkdir(parents=True)


def test_an_empty_lake_has_the_last_days_as_partitions(lake: Path) -> None:
    assert first_partition() == datetime.now(UTC).date() - timedelta(days=30)


def test_partitions_begin_with_the_earliest_day_of_any_stream(lake: Path) -> None:
    hold(lake, "posts", "2026-03-04", "2026-03-05")
    hold(lake, "live_streaming", "2026-03-02")
    (lake / "raw" / "posts" / "_delta_log").mkdir()
    assert first_partition() == date(2026, 3, 2)
    assert len(daily().get_partition_keys()) == (datetime.now(UTC).date() - date(2026, 3, 1)).days


def test_a_setting_adds_days_before_the_data_and_hides_none(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(lake, "posts", "2026-03-04")
    monkeypatch.setenv(FIRST_DATE, "2025-01-01")
    assert first_partition() == date(2025, 1, 1)
    monkeypatch.setenv(FIRST_DATE, "2026-06-01")
    assert first_partition() == date(2026, 3, 4)


def test_a_remote_lake_is_not_asked(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LAKE_URL, "s3://nobody.invalid/lake")
    assert first_partition() == DEFAULT_FIRST_DATE
    monkeypatch.setenv(FIRST_DATE, "2025-01-01")
    assert first_partition() == date(2025, 1, 1)


@pytest.mark.parametrize("text", ["yesterday", "1969-12-31", "2999-01-01"])
def test_a_setting_that_no_partition_can_have_is_refused_by_its_name(
    lake: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(FIRST_DATE, text)
    with pytest.raises(FirstDateError, match=f"{FIRST_DATE} is .*{text}"):
        first_partition()


def test_a_run_tells_of_days_that_it_landed_before_the_first_partition(lake: Path) -> None:
    hold(lake, "posts", "2026-03-04")
    assert partition_notice([date(2026, 3, 4), date(2026, 5, 1)]) is None
    early = [date(2013, 5, 2), date(2013, 5, 1), date(2026, 5, 1)]
    assert days_without_partition(early) == [date(2013, 5, 1), date(2013, 5, 2)]
    notice = partition_notice(early)
    assert notice is not None
    assert "2 days" in notice and "from 2013-05-01" in notice and "reload" in notice


def test_the_next_load_of_the_definitions_knows_a_day_that_has_landed(lake: Path) -> None:
    hold(lake, "posts", "2026-03-04")
    assert daily().start.date() == date(2026, 3, 4)
    hold(lake, "posts", "2013-05-01")
    assert daily().start.date() == date(2026, 3, 4), "one process has one definition"
    daily.cache_clear()
    assert daily().start.date() == date(2013, 5, 1)
