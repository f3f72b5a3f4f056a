from __future__ import annotations

import csv
import hashlib
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from social_assets.contracts.column import match_key
from social_assets.contracts.engagement_events import METRIC_TYPES
from social_assets.contracts.registry import contract
from social_assets.demo.samples import SampleFile, generate
from social_assets.demo.samples.sample_set import STREAMS as SAMPLE_STREAMS
from tests.unit.demo.samples.reading import lines_of, parsed

STREAMS = [stream.name for stream in SAMPLE_STREAMS]
EVENT_KINDS = {
    "blank_line", "column_spelling", "duplicate", "invalid_utf8", "late", "not_an_object", "null",
    "null_critical", "out_of_range", "platform_spelling", "truncated", "unknown_metric",
    "unreadable_time", "wrong_type",
}  # fmt: skip
VIDEO_KINDS = {
    "blank_line", "boolean_spelling", "column_spelling", "duplicate", "gender_spelling",
    "invalid_utf8", "null", "null_critical", "out_of_range", "platform_spelling", "shifted",
    "time_spelling", "unreadable_time", "wrong_type",
}  # fmt: skip


def of(stream: str, files: list[SampleFile]) -> list[SampleFile]:
    return [file for file in files if file.stream == stream]


def digests(files: list[SampleFile]) -> dict[str, str]:
    return {f.path.name: hashlib.sha256(f.path.read_bytes()).hexdigest() for f in files}


def dirt_of(files: list[SampleFile]) -> Counter[str]:
    total: Counter[str] = Counter()
    for file in files:
        total.update(file.dirt)
    return total


def test_the_same_arguments_give_the_same_bytes_and_another_seed_gives_others(
    tmp_path: Path, end: date
) -> None:
    first, again, other = (
        generate(tmp_path / name, events=3_000, days=4, end=end, seed=seed)
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert digests(first) == digests(again)
    assert [f.dirt for f in first] == [f.dirt for f in again]
    assert not set(digests(first).values()) & set(digests(other).values())


def test_every_stream_has_a_file_for_every_day(sample_files: list[SampleFile], end: date) -> None:
    days = [end - timedelta(days=d) for d in reversed(range(9))]
    for stream in STREAMS:
        assert [str(d) in f.path.name for d, f in zip(days, of(stream, sample_files), strict=True)]


def test_only_files_whose_records_tell_no_date_have_one(sample_files: list[SampleFile]) -> None:
    for file in sample_files:
        if file.stream == "engagement_events":
            assert file.date is None
        else:
            assert str(file.date) in file.path.name


def test_every_format_of_every_contract_occurs(sample_files: list[SampleFile]) -> None:
    for stream in STREAMS:
        suffixes = {f.path.name.split(".")[1] for f in of(stream, sample_files)}
        assert suffixes == set(contract(stream).formats)


def test_files_have_the_columns_of_the_contract_in_spellings_of_their_own(
    sample_files: list[SampleFile],
) -> None:
    for stream in STREAMS:
        expected = set(contract(stream).named_columns)
        for file in of(stream, sample_files):
            if file.path.suffix == ".csv":
                names = {match_key(n.decode()) for n in lines_of(file.path)[0].split(b",")}
            else:
                names = set(next(filter(None, parsed(file.path))))
            assert names == expected, file.path.name


def test_the_records_counted_are_the_records_in_the_files(sample_files: list[SampleFile]) -> None:
    for file in sample_files:
        if file.path.suffix == ".parquet":
            found = pq.read_metadata(file.path).num_rows
        else:
            found = len(lines_of(file.path)) - (file.path.suffix == ".csv")
        assert found == file.records, file.path.name


def test_events_and_second_copies_are_all_there_is(
    sample_files: list[SampleFile], events: int
) -> None:
    files = of("engagement_events", sample_files)
    assert sum(f.records for f in files) == events + sum(f.duplicates for f in files)


def event_time(record: dict[str, Any]) -> datetime:
    at = record["eventtime"]
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)


def is_good_event(record: dict[str, Any] | None) -> bool:
    if record is None:
        return False
    try:
        return bool(
            event_time(record)
            and record["eventid"] is not None
            and int(record["accountid"]) > 0
            and float(record["value"]) >= 0
            and record["metrictype"] in METRIC_TYPES
        )
    except (TypeError, ValueError):
        return False


def test_a_reader_of_the_contract_rejects_exactly_the_events_counted_as_rejected(
    sample_files: list[SampleFile],
) -> None:
    seen: set[str] = set()
    for file in of("engagement_events", sample_files):
        records = list(parsed(file.path))
        good = [r["eventid"] for r in records if r is not None and is_good_event(r)]
        assert len(records) - len(good) == file.rejected, file.path.name
        fresh = set(good) - seen
        assert len(good) - len(fresh) == file.duplicates, file.path.name
        seen |= fresh


def test_shifted_rows_are_short_and_quoted_commas_are_not(sample_files: list[SampleFile]) -> None:
    files = [f for f in sample_files if f.path.suffix == ".csv"]
    quoted = 0
    for file in files:
        text = file.path.read_bytes().decode("cp1252")
        rows = [row for row in csv.reader(text.splitlines()) if row]
        assert Counter(len(row) for row in rows) == Counter(
            {31: file.records + 1 - file.dirt.get("shifted", 0), 30: file.dirt.get("shifted", 0)}
        )
        quoted += text.count('"Therapist, occupational"')
    assert quoted > 0


def test_every_kind_of_dirt_occurs(sample_files: list[SampleFile]) -> None:
    assert set(dirt_of(of("engagement_events", sample_files))) == EVENT_KINDS
    assert set(dirt_of(of("video_interactions", sample_files))) >= VIDEO_KINDS
    for stream in STREAMS:
        assert {"null_critical", "platform_spelling"} <= set(dirt_of(of(stream, sample_files)))


def test_one_to_two_percent_are_rejected(sample_files: list[SampleFile]) -> None:
    for stream in ("engagement_events", "video_interactions", "live_streaming"):
        files = of(stream, sample_files)
        share = sum(f.rejected for f in files) / sum(f.records for f in files)
        assert 0.005 < share < 0.025, stream
    for file in of("engagement_events", sample_files):
        rejecting = EVENT_KINDS - {"column_spelling", "late", "platform_spelling"}
        assert max(file.dirt.get(kind, 0) for kind in rejecting) < 0.02 * file.records


def test_late_events_come_one_to_three_days_after_their_day(
    sample_files: list[SampleFile],
) -> None:
    for file in of("engagement_events", sample_files):
        arrival = date.fromisoformat(file.path.name.split(".")[0][-10:])
        good = [r for r in parsed(file.path) if r is not None and is_good_event(r)]
        delays = Counter((arrival - event_time(r).date()).days for r in good)
        assert set(delays) <= {0, 1, 2, 3}
        # Second copies from the day before are not late; they are counted as duplicates.
        late = file.dirt.get("late", 0)
        assert late <= delays[1] + delays[2] + delays[3] <= late + file.duplicates


def test_nobody_reacts_to_a_post_before_it_is_published(sample_files: list[SampleFile]) -> None:
    published = {
        record["postid"]: datetime.fromisoformat(record["publishedat"])
        for file in of("posts", sample_files)
        for record in parsed(file.path)
        if record and record["postid"] and str(record["publishedat"]).endswith("Z")
    }
    file = of("engagement_events", sample_files)[-1]
    events = [r for r in parsed(file.path) if r and is_good_event(r) and r["postid"] in published]
    assert len(events) > 1_000
    for event in events:
        assert event_time(event) >= published[event["postid"]]


def test_parquet_files_have_types(sample_files: list[SampleFile]) -> None:
    file = next(f for f in of("engagement_events", sample_files) if f.path.suffix == ".parquet")
    schema = pq.read_schema(file.path)
    assert schema.field("value").type == pa.float64()
    assert pa.types.is_timestamp(schema.field("event_time").type)


@pytest.mark.parametrize(("few", "days"), [(0, 14), (100, 0)])
def test_nothing_to_generate_is_an_error(tmp_path: Path, few: int, days: int, end: date) -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        generate(tmp_path, events=few, days=days, end=end)


def test_a_single_event_is_enough(tmp_path: Path, end: date) -> None:
    files = generate(tmp_path, events=1, days=1, end=end)
    assert [f.records for f in files if f.stream == "engagement_events"] == [1]


def test_a_small_demo_has_no_day_for_whose_errors_a_check_fails(tmp_path: Path, end: date) -> None:
    """A day of a small demo has twenty posts; one with an error is over 5 %."""

    def worst(most_rejected: float) -> dict[str, float]:
        name = tmp_path / str(most_rejected)
        files = generate(name, events=20_000, days=14, end=end, most_rejected=most_rejected)
        return {
            stream: max(file.rejected / file.records for file in of(stream, files))
            for stream in STREAMS
        }

    few, unbounded = worst(0.04), worst(1.0)
    assert all(share < contract(stream).fail_above for stream, share in few.items())
    assert unbounded["posts"] > contract("posts").fail_above
    assert few["engagement_events"] > 0
