"""After a person is erased, no table and no file of the lake has a byte of the id."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.control.engine import open_engine
from social_assets.control.privacy.deletion_requests import DeletionRequests
from social_assets.control.privacy.person import Person
from social_assets.lake.privacy.forgotten_persons import ANY_PLATFORM, ForgottenPerson
from social_assets.pipeline import stream_work
from social_assets.pipeline.finish_days import finish_pending_days
from social_assets.pipeline.privacy import erase_persons as erasing
from social_assets.pipeline.privacy.erase_persons import Erased, erase_persons
from social_assets.pipeline.privacy.export_person import export_person
from social_assets.pipeline.privacy.ids_of_others import ids_of_others
from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.pipeline.quarantined_batches import quarantine_batch
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files, land_files, rebuild
from social_assets.transform.validate_block import BlockValidator
from tests.integration.pipeline.accounts import contents, counts
from tests.lake_of_tests import folder_of, lake_root_in

FIRST, SECOND = date(2026, 1, 1), date(2026, 1, 2)
GONE = "gone-person-0001"
OTHER = "other-person-0002"


def event(number: int, user: str, day: date = FIRST, **fields: object) -> str:
    named = {"event_id": f"e{number}", "event_time": f"{day}T12:00:00Z", "account_id": "a1"}
    kind = {"platform": "x", "post_id": "p1", "metric_type": "like", "value": 1}
    return json.dumps(named | kind | {"user_id": user} | fields) + "\n"


HIDDEN = (
    event(1, GONE),
    event(1, GONE),  # a duplicate
    event(2, GONE, SECOND, value=-1),  # rejected
    event(3, OTHER, SECOND, mentioned=[{"person": GONE}]),  # in a field that no contract names
    event(4, OTHER, comment="by " + GONE + "!"),
    '{"broken": "' + GONE + "\n",  # no record
    event(5, "\\u0067one-person-0001").replace("\\\\u", "\\u"),  # escaped
    event(6, OTHER, post_id=GONE),
)
LEFT = (
    event(10, OTHER),
    event(10, OTHER),
    event(11, OTHER + "x", SECOND),
    event(12, GONE + "9"),  # another id, which begins alike
    event(13, OTHER, value=-1),
)


@pytest.fixture
def events(stream: Callable[[str], StreamStores]) -> StreamStores:
    return stream("engagement_events")


@pytest.fixture
def requests(clickhouse: object) -> Iterator[DeletionRequests]:
    home = Home.from_environment()
    engine: Engine = open_engine(home)
    yield DeletionRequests(engine, home)
    engine.dispose()


@pytest.fixture
def forget(events: StreamStores, requests: DeletionRequests) -> Callable[..., Erased]:
    def forget(id_: str, platform: str | None = None) -> Erased:
        request = requests.request(Person(id_, platform))
        person = ForgottenPerson(request.person_hash, platform or ANY_PLATFORM)
        events.stores.lake.forgotten_persons().add([person])
        return erase_persons(events, PersonIds(frozenset([Person(id_, platform)])))

    return forget


@pytest.fixture
def unread(events: StreamStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A batch in raw which a deletion may not validate, beside records that it may."""
    readable = [event(1, "42"), event(2, OTHER, value=42)]
    ingest_files(events, [written(tmp_path / "a.ndjson", *readable)])
    second = written(tmp_path / "b.ndjson", event(3, OTHER, value=42), event(4, GONE))
    (landed,) = land_files(events, [second]).landed

    class Unreading(BlockValidator):
        def of(self, raw: pa.Table) -> pa.Table:
            assert landed.batch_id not in raw["batch_id"].to_pylist()
            return super().of(raw)

    monkeypatch.setattr(erasing, "BlockValidator", Unreading)
    return landed.batch_id


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(lines))
    return path


def files_with(root: Path, text: str) -> list[str]:
    """The files of a folder that have a text, in their bytes or in a value of a Parquet file."""
    found = []
    for path in sorted(each for each in root.rglob("*") if each.is_file()):
        content = path.read_bytes()
        if path.suffix == ".gz":
            content += gzip.decompress(content)
        if path.suffix == ".parquet":
            content += str(pq.read_table(path, partitioning=None).to_pylist()).encode()
        if text.encode() in content.replace((GONE + "9").encode(), b""):
            found.append(str(path.relative_to(root)))
    return found


def test_an_erased_person_leaves_the_tables_of_a_home_that_never_had_the_records(
    events: StreamStores,
    forget: Callable[..., Erased],
    tmp_path: Path,
) -> None:
    ingest_files(events, [written(tmp_path / "a.ndjson", *LEFT)])
    untouched = contents(events)
    ingest_files(events, [written(tmp_path / "b.ndjson", *HIDDEN)])
    assert files_with(folder_of(lake_root_in(tmp_path)), GONE)
    erased = forget(GONE)
    days = (FIRST, SECOND, date.today())
    assert erased == Erased("engagement_events", len(HIDDEN), days, frozenset(["b.ndjson"]))
    assert contents(events) == untouched
    assert files_with(folder_of(lake_root_in(tmp_path)), GONE) == []
    assert counts(events).raw == len(LEFT)
    assert events.ledger.days("raw").keys() == events.ledger.days("cleaned").keys()


def test_erasing_again_changes_nothing(
    events: StreamStores, forget: Callable[..., Erased], tmp_path: Path
) -> None:
    ingest_files(events, [written(tmp_path / "a.ndjson", *HIDDEN, *LEFT)])
    forget(GONE)
    found = contents(events)
    assert forget(GONE).days == ()
    rebuild(events, [FIRST, SECOND])
    assert contents(events) == found


def test_a_record_of_a_forgotten_person_that_arrives_later_is_rejected_and_then_erased(
    events: StreamStores, forget: Callable[..., Erased], tmp_path: Path
) -> None:
    ingest_files(events, [written(tmp_path / "a.ndjson", *HIDDEN, *LEFT)])
    forget(GONE)
    before = counts(events)
    ingest_files(events, [written(tmp_path / "b.ndjson", event(20, GONE), event(21, OTHER))])
    reasons = events.quarantine.read()["reasons"].to_pylist()
    assert reasons.count(["person_forgotten"]) == 1
    assert counts(events).cleaned == before.cleaned + 1
    # Nobody knows the id any more.
    assert erase_persons(events, PersonIds()).records == 1
    assert files_with(folder_of(lake_root_in(tmp_path)), GONE) == []
    assert counts(events).rejected == before.rejected


def test_a_person_of_one_platform_leaves_the_same_id_of_another_one(
    events: StreamStores, forget: Callable[..., Erased], tmp_path: Path
) -> None:
    lines = [event(1, "77", platform="x"), event(2, "77", platform="tiktok"), event(3, "7")]
    ingest_files(events, [written(tmp_path / "a.ndjson", *lines)])
    assert forget("77", "X").records == 1
    assert sorted(events.cleaned.read()["event_id"].to_pylist()) == ["e2", "e3"]


def test_a_distinct_id_of_one_platform_leaves_records_of_others_and_is_told(
    events: StreamStores, forget: Callable[..., Erased], tmp_path: Path
) -> None:
    lines = [
        event(1, GONE, platform="x"),
        event(2, GONE, platform="tiktok"),
        event(3, OTHER, platform="tiktok", seen_by=GONE),
        event(4, OTHER, platform="x", seen_by=GONE),
        event(5, GONE, platform=None),
    ]
    ingest_files(events, [written(tmp_path / "a.ndjson", *lines)])
    assert forget(GONE, "X").records == 3
    assert sorted(events.cleaned.read()["event_id"].to_pylist()) == ["e2", "e3"]
    assert ids_of_others(events, PersonIds(frozenset([Person(GONE, "X")]))) == {GONE}
    assert forget(GONE, "TikTok").records == 2
    assert ids_of_others(events, PersonIds(frozenset([Person(GONE, "TikTok")]))) == set()


def test_a_short_id_is_erased_where_a_person_stands_and_from_rejected_records(
    events: StreamStores, forget: Callable[..., Erased], tmp_path: Path
) -> None:
    lines = [event(1, "42"), event(2, OTHER, value=42), event(3, OTHER, value=-42)]
    ingest_files(events, [written(tmp_path / "a.ndjson", *lines, '{"user_id": 42, "broken\n')])
    assert forget("42").records == 3
    assert events.cleaned.read()["event_id"].to_pylist() == ["e2"]


@pytest.mark.parametrize(
    "step",
    [
        "erase_persons._delete_from_raw",
        "erase_persons.recount_days",
        "erase_persons.make_anew",
        "stream_work.load_days",
        "erase_persons.purge",
    ],
)
def test_an_erasure_that_was_stopped_is_completed_by_the_next(
    events: StreamStores,
    forget: Callable[..., Erased],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    ingest_files(events, [written(tmp_path / "a.ndjson", *LEFT)])
    untouched = contents(events)
    ingest_files(events, [written(tmp_path / "b.ndjson", *HIDDEN)])

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        module, _, name = step.rpartition(".")
        patched.setattr(
            {"erase_persons": erasing, "stream_work": stream_work}[module], name, stopped
        )
        forget(GONE)
    finish_pending_days([events], lambda *_: None, lambda _: False)
    forget(GONE)
    assert contents(events) == untouched
    assert files_with(folder_of(lake_root_in(tmp_path)), GONE) == []
    assert counts(events).raw == len(LEFT)


def test_days_whose_raw_records_have_expired_are_erased_from_cleaned(
    events: StreamStores, forget: Callable[..., Erased], tmp_path: Path
) -> None:
    ingest_files(events, [written(tmp_path / "a.ndjson", event(1, GONE), event(2, OTHER))])
    raw = events.raw
    rows = raw.rows_by_day()
    events.stores.lake.expired_days().record("raw/engagement_events", rows)
    raw.replace(rows, pa.RecordBatchReader.from_batches(raw.schema, []))
    assert forget(GONE) == Erased("engagement_events", 1, (FIRST,), frozenset(["a.ndjson"]))
    assert events.cleaned.read()["event_id"].to_pylist() == ["e2"]
    assert events.loader.rows_by_day() == {FIRST: 1}
    assert files_with(folder_of(lake_root_in(tmp_path)), GONE) == []


@pytest.mark.parametrize(("id_", "left"), [("42", ["e2", "e3", "e4"]), (GONE, ["e1", "e2", "e3"])])
def test_a_batch_that_nothing_can_read_loses_records_with_a_distinct_id_alone(
    id_: str,
    left: list[str],
    events: StreamStores,
    forget: Callable[..., Erased],
    unread: str,
) -> None:
    with events.lock():
        quarantine_batch(events, unread, pa.ArrowInvalid("unreadable"), "clean")
    assert forget(id_).records == 1
    ids = [json.loads(each)["event_id"] for each in events.raw.read()["value"].to_pylist()]
    assert sorted(ids) == left


def test_a_later_record_is_erased_although_its_raw_record_has_expired(
    events: StreamStores, forget: Callable[..., Erased], tmp_path: Path
) -> None:
    ingest_files(events, [written(tmp_path / "a.ndjson", event(1, OTHER))])
    forget(GONE)
    ingest_files(events, [written(tmp_path / "b.ndjson", event(2, GONE))])
    raw = events.raw
    rows = raw.rows_by_day()
    events.stores.lake.expired_days().record("raw/engagement_events", rows)
    raw.replace(rows, pa.RecordBatchReader.from_batches(raw.schema, []))
    assert erase_persons(events, PersonIds()).days == (FIRST,)
    assert erase_persons(events, PersonIds()).days == ()
    assert files_with(folder_of(lake_root_in(tmp_path)), GONE) == []
    assert events.cleaned.read()["event_id"].to_pylist() == ["e1"]


def test_a_header_of_a_record_with_the_id_is_found() -> None:
    headers = pa.array(
        [[("trace", b"1")], [], [("from", GONE.encode()), ("x", b"")], None],
        pa.map_(pa.string(), pa.binary()),
    )
    part = pa.table({"value": pa.array([b"a", b"b", b"c", b"d"]), "headers": headers})
    found = erasing.in_bytes(PersonIds(frozenset([Person(GONE)])).anywhere, part)
    assert found.to_pylist() == [False, False, True, False]


def test_the_records_that_would_be_erased_can_be_exported_first(
    events: StreamStores, tmp_path: Path
) -> None:
    ingest_files(events, [written(tmp_path / "a.ndjson", *LEFT, *HIDDEN)])
    before = contents(events)
    found = [*export_person(events, Person(GONE))]
    assert len(found) == len(HIDDEN)
    assert all(GONE in json.dumps(each.record) for each in found)
    assert {each.stream: each.origin for each in found} == {"engagement_events": "a.ndjson"}
    assert contents(events) == before


def test_a_request_keeps_no_id_once_it_is_done(requests: DeletionRequests) -> None:
    request = requests.request(Person("someone-else"), timedelta(days=3))
    assert requests.request(Person("someone-else")) == request
    assert [each.person for each in requests.pending() if each.request == request] == [
        Person("someone-else")
    ]
    requests.report(request.id, "{}", is_done=True)
    assert request.id not in [each.request.id for each in requests.pending()]
    assert request.id not in str(requests._secrets.list())
    assert next(each for each in requests.all() if each.id == request.id).state(request.due_at) == (
        "done"
    )


def test_the_id_of_a_request_that_was_never_recorded_is_deleted_after_an_hour(
    requests: DeletionRequests,
) -> None:
    requests._secrets.put("privacy/deletion/lost", "an id")
    requests.delete_ids_not_pending()
    assert "privacy/deletion/lost" in str(requests._secrets.list())
    later = DeletionRequests(
        requests._engine, Home.from_environment(), lambda: datetime.now(UTC) + timedelta(hours=2)
    )
    later.delete_ids_not_pending()
    assert "privacy/deletion/lost" not in str(requests._secrets.list())
