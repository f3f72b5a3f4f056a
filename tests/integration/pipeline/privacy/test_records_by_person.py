"""Each person is told how many of the deleted records were theirs, however many go in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.control.engine import open_engine
from social_assets.control.privacy.deletion_requests import DeletionRequests
from social_assets.control.privacy.person import Person
from social_assets.lake.privacy.forgotten_persons import ANY_PLATFORM, ForgottenPerson
from social_assets.pipeline.privacy.deletion_report import DeletionReport
from social_assets.pipeline.privacy.erase_persons import Erased, erase_persons
from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.pipeline.privacy.records_by_person import DeletedByPerson, records_by_person
from social_assets.pipeline.quarantined_batches import quarantine_batch
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files, land_files
from tests.integration.pipeline.accounts import counts
from tests.integration.pipeline.privacy.test_erasing_persons import event, files_with, written
from tests.lake_of_tests import folder_of, lake_root_in

PERSONS, OTHERS, DAYS = 200, 50, 4
ADA, BOB, CY = Person("ada-lovelace-1"), Person("42"), Person("cy-0003-tiktok", "TikTok")


@pytest.fixture
def events(stream: Callable[[str], StreamStores]) -> StreamStores:
    return stream("engagement_events")


@pytest.fixture
def erase(events: StreamStores) -> Iterator[Callable[..., Erased]]:
    home = Home.from_environment()
    engine: Engine = open_engine(home)
    requests = DeletionRequests(engine, home)

    def erase(*persons: Person) -> Erased:
        forgotten = [
            ForgottenPerson(requests.request(each).person_hash, each.platform or ANY_PLATFORM)
            for each in persons
        ]
        events.stores.lake.forgotten_persons().add(forgotten)
        return erase_persons(events, PersonIds(frozenset(persons)))

    yield erase
    engine.dispose()


def test_a_record_counts_for_each_person_in_it_and_for_nobody_else(
    events: StreamStores, erase: Callable[..., Erased], tmp_path: Path
) -> None:
    lines = [
        event(1, ADA.id),
        event(2, ADA.id, seen_by=CY.id, platform="tiktok"),
        event(3, ADA.id, seen_by=CY.id, platform="x"),  # of another platform than the request
        event(4, BOB.id),
        event(5, "somebody", value=42),  # a short id is no name there
        event(6, "somebody", value=-42, note="by 42"),  # rejected
        event(7, ADA.id + "9"),
    ]
    ingest_files(events, [written(tmp_path / "a.ndjson", *lines)])
    erased = erase(ADA, BOB, CY)
    assert erased.by_person == {ADA: 3, BOB: 2, CY: 1}
    assert erased.records == 5


def test_records_that_nothing_can_read_and_days_without_raw_are_counted(
    events: StreamStores, erase: Callable[..., Erased], tmp_path: Path
) -> None:
    first, second = date(2026, 1, 1), date(2026, 1, 2)
    cleaned = [event(1, ADA.id), event(2, BOB.id), event(3, "somebody", post_id=ADA.id)]
    ingest_files(events, [written(tmp_path / "a.ndjson", *cleaned)])
    events.stores.lake.expired_days().record("raw/engagement_events", {first: 3})
    events.raw.replace([first], pa.RecordBatchReader.from_batches(events.raw.schema, []))
    unread = written(tmp_path / "b.ndjson", event(4, ADA.id, second))
    (landed,) = land_files(events, [unread]).landed
    with events.lock():
        quarantine_batch(events, landed.batch_id, pa.ArrowInvalid("unreadable"), "clean")
    assert erase(ADA, BOB).by_person == {ADA: 3, BOB: 1}


def test_many_persons_go_in_one_pass_and_no_file_has_one_of_them(
    events: StreamStores, erase: Callable[..., Erased], tmp_path: Path
) -> None:
    persons = [Person(f"planted-{number:04}-person") for number in range(PERSONS)]
    own = [
        event(number * DAYS + day, persons[number].id, date(2026, 1, 1 + day), seen_by=f"r{number}")
        for number in range(PERSONS)
        for day in range(number % DAYS + 1)
    ]
    others = [event(10_000 + n, f"other-{n}", date(2026, 1, 1 + n % DAYS)) for n in range(OTHERS)]
    ingest_files(events, [written(tmp_path / "a.ndjson", *own, *others)])
    (tmp_path / "a.ndjson").unlink()
    assert files_with(folder_of(lake_root_in(tmp_path)), "planted-")
    erased = erase(*persons)
    assert erased.by_person == {each: n % DAYS + 1 for n, each in enumerate(persons)}
    assert (erased.records, len(erased.days)) == (len(own), DAYS)
    assert files_with(folder_of(lake_root_in(tmp_path)), "planted-") == []
    assert counts(events).cleaned == OTHERS


def test_a_request_of_two_passes_tells_what_both_have_deleted() -> None:
    def pass_of(records: int) -> tuple[DeletionReport, list[Erased]]:
        erased = [Erased("posts", records, (), by_person={ADA: records, BOB: 1})]
        zero = {"landed_files": 0, "overwritten_files": 0, "ids_of_others": 0}
        return DeletionReport.of("run", 2, erased, left=(), **zero), erased

    report, erased = pass_of(3)
    first = report.of_request(ADA, erased, None).as_json()
    report, erased = pass_of(2)
    second = report.of_request(ADA, erased, first)
    assert second.own_records == {"posts": 5}
    assert ADA.id not in second.as_json()
    assert report.of_request(CY, erased, None).own_records == {}


@given(
    st.lists(st.sets(st.sampled_from("abcdefgh")), max_size=20),
    st.sets(st.sampled_from("abcdefgh")),
    st.integers(1, 5),
)
def test_halving_persons_counts_as_comparing_each_row_with_each_person(
    rows: list[set[str]], wanted: set[str], most_rows: int
) -> None:
    persons = PersonIds(frozenset(map(Person, wanted)))
    table = pa.table({"value": pa.array([" ".join(sorted(row)) for row in rows], pa.string())})

    def count(part: pa.Table) -> Counter[Person]:
        return records_by_person(persons, part, lambda g, p: g.anywhere.mask(p["value"]))

    counted = DeletedByPerson(count, most_rows=most_rows, most_bytes=1 << 20)
    for at in range(len(rows)):
        counted.add(table.slice(at, 1))
    expected = Counter(Person(each) for row in rows for each in row & wanted)
    assert counted.total() == expected
