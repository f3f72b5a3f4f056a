"""Spark rebuilds days as one machine does: the same rows, reasons, duplicates and ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bench.scale.fuzzed_raw import land
from resources.settings.engine import EngineError
from resources.settings.variables import ENGINE
from social_assets.lake.delta import LakeTable
from social_assets.lake.privacy.forgotten_persons import ForgottenPerson
from social_assets.pipeline.clean import rebuild_days
from social_assets.pipeline.privacy import forgotten_records
from social_assets.pipeline.spark import rebuild as on_spark
from social_assets.pipeline.spark import run_job
from social_assets.pipeline.spark.rebuild import rebuild_on_spark
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files, land_files, rebuild
from tests.integration.pipeline.accounts import contents, counts

pytestmark = pytest.mark.spark

DAY, NEXT = date(2026, 1, 1), date(2026, 1, 2)
StreamOf = Callable[[str], StreamStores]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several parts and several buckets a day, also of few records."""
    monkeypatch.setattr(run_job, "PART_BYTES", 100_000)
    monkeypatch.setattr(run_job, "BUCKET_ROWS", 400)


def lake(stores: StreamStores) -> tuple[list[str], list[str], list[str]]:
    """All rows of cleaned, quarantine and ledger."""
    ledger = [str(entry) for entry in stores.ledger.entries("cleaned")]
    return rows(stores.cleaned), rows(stores.quarantine), sorted(ledger)


def rows(table: LakeTable) -> list[str]:
    found = table.read()
    names = sorted(found.column_names)
    return sorted(map(str, zip(*(found[name].to_pylist() for name in names), strict=True)))


def event(number: int, day: date = DAY, user: str = "u1", value: int = 1) -> str:
    named = {"event_id": f"e{number}", "event_time": f"{day}T12:00:00Z", "account_id": 1}
    return json.dumps(named | {"metric_type": "like", "user_id": user, "value": value}) + "\n"


def file_of(folder: Path, name: str, events: Iterable[str]) -> Path:
    path = folder / f"{name}.ndjson"
    path.write_text("".join(events))
    return path


def test_fuzzed_records_have_the_same_result_to_the_byte(stream: StreamOf) -> None:
    stores = stream("engagement_events")
    days = land(stores, records=6_000, batch_rows=1_500)
    rebuild_days(stores, days)
    expected = lake(stores)
    assert len(expected[0]) > 2_000 and len(expected[1]) > 2_000
    rebuild_on_spark(stores, days)
    assert lake(stores) == expected


def test_a_quarantined_batch_stays_out(stream: StreamOf) -> None:
    stores = stream("engagement_events")
    days = land(stores, records=2_000, batch_rows=500)
    rebuild_days(stores, days, {"kafka-000001"})
    expected = lake(stores)
    rebuild_on_spark(stores, days, {"kafka-000001"})
    assert lake(stores) == expected
    assert not any("kafka-000001" in row for table in expected for row in table)


def test_one_key_in_most_records_is_one_row_and_the_rest_duplicates(
    stream: StreamOf, tmp_path: Path
) -> None:
    stores = stream("engagement_events")
    for name in ("first", "second", "third"):
        events = [event(0 if n % 3 else n) for n in range(900)]
        land_files(stores, [file_of(tmp_path, name, events)])
    rebuild_days(stores, [DAY])
    expected = lake(stores)
    assert len(expected[0]) == 300
    rebuild_on_spark(stores, [DAY])
    assert lake(stores) == expected


def test_only_the_asked_days_change_and_a_day_without_raw_becomes_empty(
    stream: StreamOf, tmp_path: Path
) -> None:
    stores = stream("engagement_events")
    ingest_files(stores, [file_of(tmp_path, "both", [event(1), event(2, NEXT)])])
    before = contents(stores)
    stores.raw.replace([DAY], stores.raw.schema.empty_table().to_reader())
    rebuild_on_spark(stores, [DAY])
    assert stores.cleaned.rows_by_day() == {NEXT: 1}
    assert before["cleaned"][1:] == contents(stores)["cleaned"]


def test_records_of_forgotten_persons_are_rejected(
    stream: StreamOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = stream("engagement_events")
    land_files(stores, [file_of(tmp_path, "two", [event(1, user="gone"), event(2, user="stays")])])
    monkeypatch.setattr(forgotten_records, "read_salt", lambda: "salt")
    with stores.engine.session() as session:
        [(person,)] = session.connection.sql("SELECT sha256('salt:gone')").fetchall()
    stores.stores.lake.forgotten_persons().add([ForgottenPerson(person, "")])
    rebuild_days(stores, [DAY])
    expected = lake(stores)
    assert "person_forgotten" in expected[1][0]
    rebuild_on_spark(stores, [DAY])
    assert lake(stores) == expected


def test_the_setting_chooses_the_engine_and_the_warehouse_gets_the_rows(
    stream: StreamOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = stream("engagement_events")
    land_files(stores, [file_of(tmp_path, "some", [event(n % 7) for n in range(10)])])
    monkeypatch.setenv(ENGINE, "spark")
    asked: list[list[date]] = []

    def noted(of: StreamStores, days: list[date]) -> None:
        asked.append(days)
        rebuild_on_spark(of, days)

    monkeypatch.setattr(on_spark, "rebuild_on_spark", noted)
    rebuild(stores, [DAY])
    assert asked == [[DAY]]
    found = counts(stores)
    assert (found.cleaned, found.duplicates, found.warehouse) == (7, 3, 7)
    monkeypatch.setenv(ENGINE, "flink")
    with pytest.raises(EngineError, match="'flink'; it must be duckdb or spark"):
        rebuild(stores, [DAY])


def test_a_rebuild_that_fails_changes_nothing(
    stream: StreamOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = stream("engagement_events")
    days = land(stores, records=1_000, batch_rows=500)
    rebuild_on_spark(stores, days)
    before = lake(stores)
    for file in stores.raw.files(days)[-1:]:
        Path(file).rename(f"{file}.away")
    with pytest.raises(Exception, match=r"No such file|does not exist|not found"):
        rebuild_on_spark(stores, days)
    assert lake(stores) == before


def test_killed_between_its_two_commits_the_same_call_completes_it(
    stream: StreamOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = stream("engagement_events")
    days = land(stores, records=1_000, batch_rows=500)
    rebuild_days(stores, days)
    expected = lake(stores)
    replace_by = LakeTable.replace_by

    def killed(table: LakeTable, *arguments: Any) -> None:
        if "/cleaned/" in table.uri:
            raise SystemExit("killed here")
        replace_by(table, *arguments)

    with monkeypatch.context() as dying:
        dying.setattr(LakeTable, "replace_by", killed)
        with pytest.raises(SystemExit):
            rebuild_on_spark(stores, days)
    rebuild_on_spark(stores, days)
    assert lake(stores) == expected
