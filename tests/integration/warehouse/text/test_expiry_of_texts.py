"""What was made of the texts of expired days goes with them, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from social_assets.quality.documents import count_documents
from social_assets.quality.texts import count_scored_texts
from social_assets.transform.text.documents import index_days
from social_assets.transform.text.expiry import expire_texts
from social_assets.transform.text.models.lexicon import lexicon_model
from social_assets.transform.text.sentiment import score_days
from social_assets.warehouse.search_tables import DOCUMENTS
from social_assets.warehouse.text_tables import SENTIMENT, SUMS
from tests.integration.warehouse.conftest import WarehouseUnderTest, at
from tests.integration.warehouse.text.test_sentiment_of_texts import comment, post

OLD, NEW = date(2026, 1, 1), date(2026, 1, 2)


def filled(warehouse: WarehouseUnderTest) -> Path:
    """A post and a comment on both days, scored and found by search; returns the locks."""
    warehouse.stream("posts", post(1, "qwertzuiop"), post(2, "good", NEW))
    later = {name: at(f"{NEW} 11:00") for name in ("published_at", "event_time")}
    warehouse.stream("comments", comment(1, "bad"), {**comment(2, "nice"), **later})
    locks = warehouse.home.path / "locks"
    score_days(warehouse.client, lexicon_model(), [OLD, NEW], "run-1")
    index_days(warehouse.client, locks, [OLD, NEW], "run-1")
    return locks


def left(warehouse: WarehouseUnderTest, table: str) -> set[tuple[date, str]]:
    rows = warehouse.client.query(f"SELECT event_date, toString(stream) FROM {table}").result_rows
    return {(day, stream) for day, stream in rows}


def test_only_the_expired_days_of_the_stream_go_from_both_tables(
    warehouse: WarehouseUnderTest,
) -> None:
    locks = filled(warehouse)
    assert expire_texts(warehouse.client, locks, "posts", NEW) == 2
    expected = {(NEW, "posts"), (OLD, "comments"), (NEW, "comments")}
    assert left(warehouse, SENTIMENT) == left(warehouse, DOCUMENTS) == expected
    assert expire_texts(warehouse.client, locks, "posts", NEW) == 0


def test_checks_and_sums_agree_once_the_cleaned_day_is_gone_too(
    warehouse: WarehouseUnderTest,
) -> None:
    locks = filled(warehouse)
    warehouse.client.command(f"ALTER TABLE cleaned.posts DROP PARTITION '{OLD}'")
    assert not count_scored_texts(warehouse.client, None).is_right
    expire_texts(warehouse.client, locks, "posts", NEW)
    assert count_scored_texts(warehouse.client, None).is_right
    assert count_documents(warehouse.client, None).is_right
    for view in SUMS:
        [(texts,)] = warehouse.client.query(f"SELECT sum(texts) FROM text.{view.name}").result_rows
        assert texts == 3, view.name


def test_no_file_in_use_has_an_expired_text(warehouse: WarehouseUnderTest) -> None:
    locks = filled(warehouse)
    assert any(b"qwertzuiop" in file.read_bytes() for file in files(warehouse))
    expire_texts(warehouse.client, locks, "posts", NEW)
    assert not any(b"qwertzuiop" in file.read_bytes() for file in files(warehouse))


def test_streams_without_texts_and_new_warehouses_have_nothing_to_remove(
    warehouse: WarehouseUnderTest, tmp_path: Path
) -> None:
    for stream in ("engagement_events", "posts"):
        assert expire_texts(warehouse.client, tmp_path, stream, NEW) == 0


def files(warehouse: WarehouseUnderTest) -> Iterable[Path]:
    """The files of the parts in use."""
    parts = warehouse.client.query(
        "SELECT path FROM system.parts WHERE active AND database = 'text'"
    ).result_rows
    return (file for (path,) in parts for file in Path(path).rglob("*") if file.is_file())
