"""Files through every step: each record is counted once, and a bad file fails alone."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from social_assets.demo.samples import generate
from social_assets.demo.samples.bench_records import write_bench_records
from social_assets.pipeline import load
from social_assets.pipeline.clean import rebuild_days
from social_assets.pipeline.files.landing_folder import date_in
from social_assets.pipeline.load import load_days
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files, land_files, rebuild
from social_assets.pipeline.validation import spilled_rows
from social_assets.warehouse import loader
from tests.integration.pipeline.accounts import Counts, contents, counts

NEW_YEAR = date(2026, 1, 1)
StreamOf = Callable[[str], StreamStores]


def event(number: int, day: str = "2026-01-01", **changed: object) -> bytes:
    record = {
        "event_id": f"e{number}",
        "event_time": f"{day}T12:00:00Z",
        "platform": "X",
        "account_id": 1,
        "post_id": "p",
        "user_id": "u",
        "metric_type": "like",
        "value": 1,
    }
    return json.dumps(record | changed).encode() + b"\n"


@pytest.fixture
def events(stream: StreamOf) -> StreamStores:
    return stream("engagement_events")


def test_the_real_video_files_are_accounted_for_to_the_last_record(
    stream: StreamOf, real_files: Path
) -> None:
    video = stream("video_interactions")
    names = ["original_data.csv", "synthetic_data.ndjson", "synthetic_data_fixed.ndjson"]
    ingested = ingest_files(video, [real_files / n for n in names], NEW_YEAR)
    assert not ingested.failures
    assert ingested.days == {NEW_YEAR}
    assert counts(video) == Counts(4000, 2844, 0, 1156, 2844)


def test_the_real_community_file_keeps_the_first_of_each_key_and_day(
    stream: StreamOf, real_files: Path
) -> None:
    community = stream("community_interactions")
    ingest_files(community, [real_files / "community_interactions_data.parquet"], NEW_YEAR)
    assert counts(community) == Counts(1000, 967, 33, 0, 967)


def test_loading_again_renamed_or_rebuilding_changes_nothing(
    stream: StreamOf, real_files: Path, tmp_path: Path
) -> None:
    video = stream("video_interactions")
    original = real_files / "original_data.csv"
    ingest_files(video, [original], NEW_YEAR)
    before = contents(video)
    renamed = tmp_path / "renamed.csv"
    renamed.write_bytes(original.read_bytes())
    for again in (original, renamed):
        ingested = ingest_files(video, [again], NEW_YEAR)
        assert [file.already for file in ingested.landed] == [True]
        assert not ingested.days
        assert contents(video) == before
    rebuild(video, [NEW_YEAR])
    assert contents(video) == before


def test_sample_files_end_where_their_makers_say(stream: StreamOf, tmp_path: Path) -> None:
    files = generate(tmp_path / "samples", events=5_000, days=3, end=date(2026, 3, 3))
    for name in {file.stream for file in files}:
        of_stream = [file for file in files if file.stream == name]
        stores = stream(name)
        for file in of_stream:
            assert not ingest_files(stores, [file.path], file.date).failures
        found = counts(stores)
        assert found.raw == sum(file.records for file in of_stream), name
        assert found.rejected == sum(file.rejected for file in of_stream), name
        assert found.duplicates == sum(file.duplicates for file in of_stream), name


def test_of_one_key_the_first_landed_record_is_accepted(
    events: StreamStores, tmp_path: Path
) -> None:
    for name, values in (("first", (5, 7)), ("second", (9, 3))):
        path = tmp_path / f"{name}.ndjson"
        path.write_bytes(b"".join(event(1, value=value) for value in values))
        ingest_files(events, [path], NEW_YEAR)
    assert events.cleaned.read()["value"].to_pylist() == [5]
    rebuild(events, [NEW_YEAR])
    assert events.cleaned.read()["value"].to_pylist() == [5]


def test_batches_one_after_another_give_what_a_rebuild_of_all_gives(
    events: StreamStores, tmp_path: Path
) -> None:
    batches = [
        event(1) + event(2) + event(2) + event(3, value=-1),
        event(2) + event(3) + event(4, day="2026-01-02") + b"broken\n",
        event(4) + event(4, day="2026-01-02") + event(1, day="2026-01-02") + event(3),
    ]
    for number, lines in enumerate(batches):
        path = tmp_path / f"{number}.ndjson"
        path.write_bytes(lines)
        ingest_files(events, [path], NEW_YEAR)
    one_by_one = contents(events)
    assert counts(events) == Counts(12, 6, 4, 2, 6)
    rebuild(events, sorted(events.raw.rows_by_day()))
    assert contents(events) == one_by_one


def test_a_clock_set_back_does_not_change_who_was_first(
    events: StreamStores, tmp_path: Path
) -> None:
    for number in range(3):
        path = tmp_path / f"{number}.ndjson"
        path.write_bytes(event(1, user_id=f"u{number}"))
        ingest_files(events, [path])
    arrivals = events.raw.read().sort_by("origin")["ingested_at"].to_pylist()
    assert arrivals == sorted(set(arrivals))


def test_a_rebuild_cut_short_after_its_swap_is_not_inserted_on_top(
    events: StreamStores, tmp_path: Path
) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(event(1) + event(2))
    land_files(events, [path])
    events.loader.prepare()
    rebuild_days(events, [NEW_YEAR])
    load_days(events, [NEW_YEAR])  # and here the process ends, before it records the batch
    ingest_files(events, [])
    assert counts(events) == Counts(2, 2, 0, 0, 2)


def test_a_batch_landed_and_not_cleaned_is_taken_on_by_the_next_load(
    events: StreamStores, tmp_path: Path
) -> None:
    first, second = tmp_path / "1.ndjson", tmp_path / "2.ndjson"
    first.write_bytes(event(1))
    second.write_bytes(event(2, day="2026-01-02"))
    land_files(events, [first])
    ingested = ingest_files(events, [second])
    assert ingested.days == {NEW_YEAR, date(2026, 1, 2)}
    assert counts(events) == Counts(2, 2, 0, 0, 2)


def test_a_file_with_no_good_record_ends_in_quarantine(
    events: StreamStores, tmp_path: Path
) -> None:
    path = tmp_path / "bad.ndjson"
    path.write_bytes(event(1, value=-1) + b"no json\n" + "{é".encode("cp1252") + b"\n")
    ingest_files(events, [path], NEW_YEAR)
    assert counts(events) == Counts(3, 0, 0, 3, 0)
    kept = events.quarantine.read().sort_by("offset")
    assert kept["reasons"].to_pylist() == [
        ["value_greater_than_or_equal_to"],
        ["record_not_json_object"],
        ["record_not_utf8"],
    ]
    assert kept["value"].to_pylist()[1:] == [b"no json", "{é".encode("cp1252")]


def test_an_empty_file_and_a_header_alone_change_nothing(stream: StreamOf, tmp_path: Path) -> None:
    video = stream("video_interactions")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "header.csv").write_text("user_id,video_id,age\n")
    ingested = ingest_files(video, [tmp_path / "empty.csv", tmp_path / "header.csv"], NEW_YEAR)
    assert not ingested.failures
    assert not ingested.days
    assert counts(video) == Counts(0, 0, 0, 0, 0)


def test_each_bad_file_fails_alone_and_leaves_nothing(events: StreamStores, tmp_path: Path) -> None:
    write_bench_records(tmp_path / "bench", 60_000, end=NEW_YEAR)
    packed = gzip.compress((tmp_path / "bench").read_bytes(), 1)
    bad = {
        "cut.ndjson.gz": (packed[: len(packed) * 9 // 10], "broken gzip"),
        "no.parquet": (b"PAR1 and no more", "broken Parquet"),
        "what.txt": (b"{}", "no format of engagement_events"),
        "absent.ndjson": (None, "no such file"),
    }
    for name, (data, _) in bad.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
    (tmp_path / "good.ndjson").write_bytes(event(1))
    ingested = ingest_files(events, [*(tmp_path / name for name in bad), tmp_path / "good.ndjson"])
    for failure, (name, (_, reason)) in zip(ingested.failures, bad.items(), strict=True):
        assert failure.path.name == name
        assert reason in str(failure)
    assert counts(events) == Counts(1, 1, 0, 0, 1)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"video_id,age\n1,20\n", "row 1: its header lacks user_id"),
        (b"user_id,video_id,age\r1,2,30\r", "carriage return alone"),
        (b"\n".join([b'"' + b"x" * 200_000, b"1"]), "row 1"),
    ],
)
def test_a_csv_whose_header_cannot_fit_is_refused(
    stream: StreamOf, tmp_path: Path, header: bytes, reason: str
) -> None:
    (tmp_path / "bad.csv").write_bytes(header)
    (failure,) = ingest_files(stream("video_interactions"), [tmp_path / "bad.csv"]).failures
    assert reason in str(failure)


def test_a_line_of_100_mb_is_one_rejected_record_among_good_ones(
    events: StreamStores, tmp_path: Path
) -> None:
    path = tmp_path / "long.ndjson"
    path.write_bytes(event(1) + b'{"event_id":"' + b"x" * 100_000_000 + b'"}\n' + event(2))
    ingest_files(events, [path], NEW_YEAR)
    assert counts(events) == Counts(3, 2, 0, 1, 2)
    (kept,) = events.quarantine.read().select(["value", "reasons", "offset"]).to_pylist()
    assert len(kept["value"]) == (1 << 20) + 1
    assert (kept["reasons"], kept["offset"]) == (["record_too_long"], 2)


def test_a_time_with_an_offset_lands_and_is_cleaned_on_its_utc_date(
    events: StreamStores, tmp_path: Path
) -> None:
    path = tmp_path / "offsets.ndjson"
    path.write_bytes(
        event(1, event_time="2026-01-02T00:30:00+02:00")
        + event(2, event_time="2026-01-01T23:30:00-02:00")
        + event(3, event_time="1767225599")
        + event(4, event_time=1767225600000)
    )
    ingest_files(events, [path])
    found = {day.isoformat(): rows for day, rows in events.cleaned.rows_by_day().items()}
    assert found == {"2025-12-31": 1, "2026-01-01": 2, "2026-01-02": 1}
    rows = events.cleaned.read()
    assert [t.date() for t in rows["event_time"].to_pylist()] == rows["event_date"].to_pylist()
    assert counts(events).cleaned == 4


@pytest.mark.parametrize("on", [date(2012, 12, 31), date(2999, 1, 1)])
def test_a_date_without_a_partition_is_refused_and_nothing_lands(
    stream: StreamOf, tmp_path: Path, on: date
) -> None:
    path = tmp_path / f"community_{on}.ndjson"
    path.write_text('{"user_id": "u"}\n')
    stores = stream("community_interactions")
    ingested = ingest_files(stores, [path], date_in)
    assert f"no partition has the date {on}" in str(ingested.failures[0])
    assert stores.raw.rows_by_day() == {}


@pytest.mark.parametrize("sorted_bytes", [0, load.SORTED_BYTES], ids=["lake", "memory"])
def test_a_batch_from_memory_or_lake_is_inserted_in_the_same_chunks(
    events: StreamStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sorted_bytes: int
) -> None:
    """So inserting a batch again from the lake changes nothing, however it was inserted first."""
    monkeypatch.setattr(spilled_rows, "HELD_BYTES", 0)
    monkeypatch.setattr(load, "SORTED_BYTES", sorted_bytes)
    monkeypatch.setattr(loader, "CHUNK_ROWS", 2)
    path = tmp_path / "events.ndjson"
    days = ["2026-01-02", "2026-01-01", "2026-01-03"]
    path.write_bytes(
        b"".join(event(number, days[number % 3]) for number in (*range(9), 3, 4))
        + event(9, value="x")
    )
    (landed,) = ingest_files(events, [path], NEW_YEAR).landed
    assert counts(events) == Counts(12, 9, 2, 1, 9)
    before = contents(events)
    load.load_batch(events, landed.batch_id, [date.fromisoformat(day) for day in days])
    assert contents(events) == before
