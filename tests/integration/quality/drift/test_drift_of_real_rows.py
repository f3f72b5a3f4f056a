"""Drift and schema checks on rows that were loaded through files, lake and ClickHouse."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contract, contracts
from social_assets.defs.ingestion.checks.drift_checks import day_result, drift_checks
from social_assets.defs.ingestion.checks.source_schema_checks import (
    CHECK,
    read_fields,
    source_schema,
)
from social_assets.defs.ingestion.checks.source_schema_checks import day_result as schema_result
from social_assets.defs.partitions import range_tags
from social_assets.defs.stores import StoresResource
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files
from social_assets.quality.drift import Kind, compare, figures_query, read_figures

DAYS, ROWS = 8, 400
SEEDS = count(100)
LAST = datetime.now(UTC).date() - timedelta(days=1)
EVENTS = contract("engagement_events")

Event = dict[str, Any]
Mutation = Callable[[Event], Mapping[str, Any]]

SHIFTS: dict[Kind, tuple[int, Mutation]] = {
    Kind.VOLUME: (60, lambda event: {}),
    Kind.MISSING: (ROWS, lambda event: {"user_id": None}),
    Kind.CATEGORY: (ROWS, lambda event: {"platform": "TikTok"}),
    Kind.QUANTILE: (ROWS, lambda event: {"value": event["value"] * 10}),
}


def events(day: date, rows: int, mutate: Mutation, seed: int) -> str:
    """The content of a file of one day."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    lines = []
    for number in range(rows):
        event: Event = {
            "event_id": f"{day}-{number}",
            "event_time": f"{day}T{chance.randrange(24):02}:00:00Z",
            "platform": chance.choice(["Facebook", "Instagram", "YouTube"]),
            "account_id": 1 + number % 7,
            "post_id": f"p{number % 50}",
            "user_id": f"u{number % 90}",
            "metric_type": chance.choice(["like", "view", "comment"]),
            "value": round(chance.uniform(1, 10), 3),
        }
        lines.append(json.dumps(event | dict(mutate(event))))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def usual(home: Home, tmp_path_factory: pytest.TempPathFactory) -> StreamStores:
    """The stream with normal days, all but the last."""
    stream = StoresResource(clickhouse=ClickHouseResource()).stores().of(EVENTS)
    folder = tmp_path_factory.mktemp("usual")
    for back in range(1, DAYS):
        day = LAST - timedelta(days=back)
        (folder / f"{day}.ndjson").write_text(events(day, ROWS, lambda event: {}, back))
    ingest_files(stream, sorted(folder.iterdir()))
    return stream


def last_day(stream: StreamStores, tmp_path: Path, rows: int, mutate: Mutation) -> None:
    """Replace the rows of the last day."""
    with stream.stores.clickhouse.client() as client:
        client.command(f"ALTER TABLE {stream.loader.table} DROP PARTITION '{LAST}'")
    path = tmp_path / f"{LAST}.ndjson"
    path.write_text(events(LAST, rows, mutate, next(SEEDS)))
    stream.cleaned.replace([LAST], stream.cleaned.schema.empty_table().to_reader())
    ingest_files(stream, [path])


def failing(stream: StreamStores) -> list[Kind]:
    with stream.stores.clickhouse.client() as client:
        figures = read_figures(client, EVENTS, LAST + timedelta(days=1), None)
    compared = compare(EVENTS, figures)
    assert compared.day == LAST
    return [kind for kind in Kind if not day_result(EVENTS, kind, compared).passed]


def test_a_day_as_usual_passes(usual: StreamStores, tmp_path: Path) -> None:
    last_day(usual, tmp_path, ROWS, lambda event: {})
    assert failing(usual) == []


@pytest.mark.parametrize("kind", list(Kind))
def test_a_shifted_day_fails_exactly_its_check(
    usual: StreamStores, tmp_path: Path, kind: Kind
) -> None:
    rows, mutate = SHIFTS[kind]
    last_day(usual, tmp_path, rows, mutate)
    assert failing(usual) == [kind]


def test_the_day_that_has_not_ended_is_not_validated(usual: StreamStores) -> None:
    with usual.stores.clickhouse.client() as client:
        figures = read_figures(client, EVENTS, LAST, None)
    assert max(figures) == LAST - timedelta(days=1)


def test_a_year_of_days_in_one_run_is_validated_as_its_newest_day(usual: StreamStores) -> None:
    year = [LAST - timedelta(days=n) for n in range(365)]
    with ClickHouseResource().client("test") as client:
        of_all = read_figures(client, EVENTS, LAST + timedelta(days=1), None)
        assert read_figures(client, EVENTS, LAST + timedelta(days=1), year) == of_all


@pytest.mark.parametrize("stream", [c.name for c in contracts()])
def test_the_query_of_every_stream_runs(usual: StreamStores, stream: str) -> None:
    with usual.stores.clickhouse.client() as client:
        query = figures_query(contract(stream), [date(2020, 1, 1)])
        found = client.query(query, parameters={"before": LAST})
    assert found.result_rows == []


def test_a_field_that_is_new_and_a_column_that_is_gone_are_seen_in_raw(
    usual: StreamStores, tmp_path: Path
) -> None:
    path = tmp_path / "new.ndjson"
    today = LAST + timedelta(days=1)
    renamed = [
        {k.replace("platform", "platforms"): v for k, v in json.loads(line).items()}
        | {"is_bot": False}
        for line in events(today, 20, lambda event: {}, 1).splitlines()
    ]
    path.write_text("\n".join(map(json.dumps, renamed)) + "\n")
    ingest_files(usual, [path])
    result = schema_result(EVENTS, read_fields(usual, today))
    plans = {row.data["name"]: row.data["plan"] for row in result.metadata["differences"].records}
    assert set(plans) == {"platform", "platforms", "is_bot"}
    assert "renamed to platforms?" in str(plans["platform"])
    assert "such as false" in str(plans["is_bot"])


def test_the_header_of_csv_files_is_looked_at_too(home: Home, tmp_path: Path) -> None:
    videos = contract("video_interactions")
    stream = StoresResource(clickhouse=ClickHouseResource()).stores().of(videos)
    names = [column.name for column in videos.source_columns if column.name != "os"]
    path = tmp_path / "videos.csv"
    path.write_text(",".join([*names, "Referrer"]) + "\n" + ",".join("1" for _ in names) + ",x\n")
    ingest_files(stream, [path])
    (day,) = stream.raw.rows_by_day()
    fields = read_fields(stream, day)
    result = schema_result(videos, fields)
    found = {row.data["name"]: row.data["what"] for row in result.metadata["differences"].records}
    assert found == {"os": "missing", "Referrer": "unknown field"}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def check_results(
    check: dg.AssetChecksDefinition, instance: dg.DagsterInstance, day: date
) -> dict[str, dg.AssetCheckEvaluation]:
    """The results that the checks report in a run of one day."""
    defs = dg.Definitions(
        asset_checks=[check],
        jobs=[dg.define_asset_job("validate", dg.AssetSelection.checks(check))],
        resources={"stores": StoresResource(clickhouse=ClickHouseResource())},
    )
    run = defs.resolve_job_def("validate").execute_in_process(
        instance=instance, tags=range_tags(day, day)
    )
    return {each.check_name: each for each in run.get_asset_check_evaluations()}


@pytest.mark.endurance
def test_a_day_that_drifts_stands_while_other_days_are_checked_and_ends_when_it_is_mended(
    usual: StreamStores, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    check = drift_checks(EVENTS)
    rows, mutate = SHIFTS[Kind.CATEGORY]
    last_day(usual, tmp_path, rows, mutate)
    assert not check_results(check, instance, LAST)[Kind.CATEGORY].passed
    for other in (LAST - timedelta(days=1), date(2030, 1, 1)):
        found = check_results(check, instance, other)
        assert not found[Kind.CATEGORY].passed
        assert found[Kind.VOLUME].passed
        assert found[Kind.CATEGORY].metadata["failing_days"].value == [str(LAST)]
    last_day(usual, tmp_path, ROWS, lambda event: {})
    assert check_results(check, instance, LAST - timedelta(days=1))[Kind.CATEGORY].passed


def test_a_day_whose_records_lack_a_field_stands_when_a_newer_day_is_good(
    home: Home, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    lives = contract("live_streaming")
    stream = StoresResource(clickhouse=ClickHouseResource()).stores().of(lives)
    good = {column.name: 1 for column in lives.source_columns}
    bad = {**good, "referrer": "x"}
    for day, record in ((LAST, bad), (LAST + timedelta(days=1), good)):
        path = tmp_path / f"lives_{day}.ndjson"
        path.write_text(json.dumps(record | {"event_id": day.toordinal()}) + "\n")
        ingest_files(stream, [path], day)
        found = check_results(source_schema(lives), instance, day)[CHECK]
        assert not found.passed
        assert f"on {LAST}: referrer" in str(found.description)
