"""Times are read in every spelling that means one moment, and never guessed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.settings.variables import FIRST_DATE
from social_assets.contracts.registry import contract
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.validate import rules
from social_assets.transform.validate_block import BlockValidator, EventDates
from tests.integration.transform.raw_records import Validate, raw_table
from tests.integration.transform.values.streams import read_csv, read_texts, stream_of

EVENTS = contract("engagement_events")
TIME = stream_of(datetime)
RELAXED = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

READ = {
    "2024-01-02T03:04:05Z": "2024-01-02T03:04:05",
    "2024-01-02T03:04:05z": "2024-01-02T03:04:05",
    "2024-01-02t03:04:05Z": "2024-01-02T03:04:05",
    "2024-01-02 03:04:05 +0000": "2024-01-02T03:04:05",
    "2017-08-01 16:23:56 +0000": "2017-08-01T16:23:56",
    "2024-01-02T03:04:05+0530": "2024-01-01T21:34:05",
    "2024-01-02T03:04:05+05:30": "2024-01-01T21:34:05",
    "2024-01-02 03:04:05 +05:30": "2024-01-01T21:34:05",
    "2024-01-02T03:04:05+05": "2024-01-01T22:04:05",
    "2024-01-02T03:04:05-14:00": "2024-01-02T17:04:05",
    "2024-01-02T03:04:05+14:00": "2024-01-01T13:04:05",
    "20240102T030405Z": "2024-01-02T03:04:05",
    "20240102T030405+0100": "2024-01-02T02:04:05",
    "20240102": "2024-01-02",
    "2024-01-02": "2024-01-02",
    "2024-01-02T03": "2024-01-02T03:00:00",
    "2024-01-02T03:04": "2024-01-02T03:04:00",
    "2024-01-02T03:04:05.5": "2024-01-02T03:04:05.500000",
    "2024-01-02T03:04:05,5Z": "2024-01-02T03:04:05.500000",
    "2024-01-02T03:04:05.123456789123Z": "2024-01-02T03:04:05.123456",
    "2024-01-02T24:00:00Z": "2024-01-03",
    "2024-W01-2": "2024-01-02",
    "2024-002": "2024-01-02",
    "2024/01/02 03:04": "2024-01-02T03:04:00",
    "2024-01-02 03:04:05 UTC": "2024-01-02T03:04:05",
    "2024-01-02 3:04:05 PM": "2024-01-02T15:04:05",
    "2024-01-02 12:04 AM": "2024-01-02T00:04:00",
    "Wed, 10 Oct 2018 20:19:24 +0000": "2018-10-10T20:19:24",
    "Wed, 10 Oct 2018 20:19:24 GMT": "2018-10-10T20:19:24",
    "10 Oct 2018 20:19 -0200 (somewhere)": "2018-10-10T22:19:00",
    "Wed Oct 10 20:19:24 +0000 2018": "2018-10-10T20:19:24",
    "Wed Oct 10 20:19:24 2018": "2018-10-10T20:19:24",
    "Aug 28, 2025": "2025-08-28",
    "August 28, 2025 at 3:04:05 p.m.": "2025-08-28T15:04:05",
    "28-Aug-2025": "2025-08-28",
    "28. august 2025": "2025-08-28",
    "1538889971": "2018-10-07T05:26:11",
    "1538889971.0": "2018-10-07T05:26:11",
    "1.538889971e9": "2018-10-07T05:26:11",
    "1538889971.123456789": "2018-10-07T05:26:11.123456",
    "1538889971123": "2018-10-07T05:26:11.123000",
    "1538889971123.5": "2018-10-07T05:26:11.123500",
    "1538889971123456": "2018-10-07T05:26:11.123456",
    "1538889971123456789": "2018-10-07T05:26:11.123456",
    "2012-06-01T00:00:00Z": "2012-06-01",
    "1850-01-01": "1850-01-01",
}
UNREADABLE = [
    *("2024-01-02T03:04:05+14:01", "2024-01-02T12:00:00+99:99", "2024-01-02T03:04:05-1530"),
    *("2024-01-02T03:04+99", "2024-01-02T03:04:05+05:99", "infinity", "-infinity", "epoch"),
    *("2024-02-30", "2024-02-30T00:00:00Z", "2024-01-02T25:00:00Z", "Feb 30, 2025", "20240230"),
    *("2024-01-02 13:04 PM", "2024-01-02 03:04:05 IST", "5", "2024", "999999999", "99999999999"),
    *("0044-03-15 (BC)", "12024-01-01", "yesterday", "13:45", "1e400", "-1538889971"),
]
EITHER = ["03/07/2026 13:45", "2/24/2015 11:35", "17.14.11", "25/12/2025", "3-7-26", "3. 7. 2026"]


@pytest.fixture(scope="module")
def times(validate: Validate) -> dict[str, object]:
    texts = [*READ, *UNREADABLE, *EITHER]
    return dict(zip(texts, read_texts(validate, TIME, texts), strict=True))


@pytest.mark.parametrize("text", READ)
def test_a_time_is_read_in_any_spelling_that_means_one_moment(
    times: dict[str, object], text: str
) -> None:
    assert times[text] == datetime.fromisoformat(READ[text]).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_no_time_is_rejected(times: dict[str, object], text: str) -> None:
    assert times[text] == ["value_not_timestamp"]


@pytest.mark.parametrize("text", EITHER)
def test_day_and_month_are_never_guessed(times: dict[str, object], text: str) -> None:
    assert times[text] == ["value_day_or_month"]


DECLARED = {
    ("%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %I:%M %p %z"): {
        "03/07/2026 13:45": "2026-07-03T13:45:00",
        "03/07/2026": "2026-07-03",
        "03/07/2026 1:45 PM +0200": "2026-07-03T11:45:00",
        "03/07/2026 1:45 PM +15:00": ["value_day_or_month"],
        "2026-07-03T13:45:00Z": "2026-07-03T13:45:00",
        "07/03/26": ["value_day_or_month"],
        "epoch": ["value_not_timestamp"],
    },
    ("%m/%d/%Y %H:%M",): {
        "03/07/2026 13:45": "2026-03-07T13:45:00",
        "2/24/2015 11:35": "2015-02-24T11:35:00",
    },
    ("%y.%d.%m", "%Y-%d-%m"): {"17.14.11": "2017-11-14", "2026-07-03": "2026-03-07"},
}


@pytest.mark.parametrize("formats", DECLARED)
def test_declared_formats_are_read_first(validate: Validate, formats: tuple[str, ...]) -> None:
    stream = stream_of(datetime, {"time_formats": formats})
    expected = [
        datetime.fromisoformat(each).replace(tzinfo=UTC) if isinstance(each, str) else each
        for each in DECLARED[formats].values()
    ]
    assert read_csv(validate, stream, DECLARED[formats]) == expected


def test_a_time_without_offset_is_of_the_declared_zone(validate: Validate) -> None:
    stream = stream_of(
        datetime, time_zone="Asia/Kolkata", time_formats=("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M %z")
    )
    texts = ["2026-07-03 13:45", "2026-07-03T13:45:00Z", "2026-07-03T13:45:00+02:00"]
    texts += ["03/07/2026 13:45", "03/07/2026 13:45 +0000", "Jul 3, 2026 1:45 PM", "1783066500"]
    read = read_texts(validate, stream, texts)
    assert [f"{each:%d %H:%M}" for each in read] == [
        *("03 08:15", "03 13:45", "03 11:45", "03 08:15", "03 13:45", "03 08:15", "03 08:15")
    ]


def test_date_and_time_in_two_places_are_combined(validate: Validate) -> None:
    stream = stream_of(
        datetime,
        {
            "source": "Fecha",
            "time_source": ("hora", "at.clock"),
            "time_formats": ["%d/%m/%Y %H:%M"],
        },
    )
    lines = [b"1,03/07/2026,13:45", b"1,2026-07-03,1:45 PM", b"1,2026-07-03,", b"1,,13:45"]
    from_csv = validate(stream, lines, "id,FECHA,Hora")
    nested = b'{"id": 1, "fecha": "2026-07-03", "at": {"clock": "13:45:06.5Z"}}'
    read = [row["value"] for row in [*from_csv, *validate(stream, [nested])]]
    assert [time and f"{time:%d.%m. %H:%M:%S}" for time in read] == [
        *("03.07. 13:45:00", "03.07. 13:45:00", "03.07. 00:00:00", None, "03.07. 13:45:06")
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"time_zone": "Berlin"}, "'Berlin' is no time zone; write a name of the IANA database"),
        ({"time_formats": ["%d/%m/%E"]}, "time format '%d/%m/%E': %E is no directive"),
        ({"time_formats": ["dd/mm"]}, "time format 'dd/mm': it has no directive"),
    ],
)
def test_time_options_that_cannot_work_are_refused(options: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        stream_of(datetime, options)


ZONED = st.datetimes(datetime(1950, 1, 1), datetime(2250, 1, 1)).flatmap(
    lambda local: st.integers(-14 * 60, 14 * 60).map(
        lambda minutes: local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    )
)


@given(st.lists(ZONED, min_size=1, max_size=30))
@RELAXED
def test_any_time_is_what_python_says(validate: Validate, moments: list[datetime]) -> None:
    whole = [moment.replace(microsecond=0) for moment in moments]
    texts = [m.isoformat() for m in moments] + [m.isoformat(" ") for m in moments]
    texts += [f"{m:%Y%m%dT%H%M%S,%f%z}" for m in moments]
    texts += [format_datetime(m) for m in whole]
    texts += [f"{m:%a %b %d %H:%M:%S %z %Y}" for m in whole]
    texts += [f"{m:%d %B %Y %I:%M:%S %p %z}" for m in whole]
    assert read_texts(validate, TIME, texts) == [*moments * 3, *whole * 3]


@given(st.lists(st.datetimes(datetime(2001, 9, 10), datetime(2286, 11, 20)), max_size=30))
@RELAXED
def test_any_epoch_is_exact(validate: Validate, times: list[datetime]) -> None:
    moments = [time.replace(tzinfo=UTC) for time in times]
    since = [(m - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) for m in moments]
    texts = [str(us) for us in since] + [f"{us // 10**6}.{us % 10**6:06}" for us in since]
    texts += [f"{us // 1000}.{us % 1000:03}" for us in since]
    assert read_texts(validate, TIME, texts) == moments * 3


BERLIN = ZoneInfo("Europe/Berlin")


@given(st.lists(st.datetimes(datetime(1980, 1, 1), datetime(2037, 1, 1)), max_size=30))
@RELAXED
def test_any_local_time_is_what_the_time_zone_database_says(
    validate: Validate, times: list[datetime]
) -> None:
    stream = stream_of(datetime, time_zone="Europe/Berlin")
    # Of an hour that repeats, the second counts, and one that is skipped is of the winter: fold=1.
    local = [time.replace(tzinfo=BERLIN, fold=1) for time in times]
    exist = [m for m in local if m.astimezone(UTC).astimezone(BERLIN).replace(fold=1) == m]
    read = read_texts(validate, stream, [m.replace(tzinfo=None).isoformat() for m in exist])
    assert read == [m.astimezone(UTC) for m in exist]


def event(written: str) -> bytes:
    return (
        f'{{"event_id": "e", "event_time": "{written}", "account_id": 1, "metric_type": "like", '
        f'"value": 1}}'
    ).encode()


def test_an_event_before_the_first_date_is_told_so(validate: Validate) -> None:
    (row,) = validate(EVENTS, [event("2012-06-01T00:00:00Z")])
    assert row["reasons"] == ["event_time_before_first_date"]
    assert row["event_date"].isoformat() == "2026-01-01"
    told = {rule.name: rule.description for rule in rules(EVENTS)}
    assert (
        told["event_time_before_first_date"] == f"before the first date, 2013-01-01 ({FIRST_DATE})"
    )


def test_the_first_date_is_a_setting_that_validation_follows(
    validate: Validate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FIRST_DATE, "2009-02-13")
    first, before = validate(EVENTS, [event("2009-02-13T06:17:12.000Z"), event("2009-02-12")])
    assert first["reasons"] == []
    assert first["event_date"].isoformat() == "2009-02-13"
    assert before["reasons"] == ["event_time_before_first_date"]


@pytest.mark.parametrize("text", ["2025-12-31T20:00:00-0500", "1767225600.5", "2009-01-01", "x"])
def test_records_that_only_land_are_dated_like_validated_ones(session: Session, text: str) -> None:
    raw = raw_table([event(text)], None, "file")
    dated, validated = EventDates(session, EVENTS).of(raw), BlockValidator(session, EVENTS).of(raw)
    assert dated["event_date"].to_pylist() == validated["event_date"].to_pylist()


_ELSEWHERE = """
import sys, tempfile
from datetime import datetime
from pathlib import Path
from social_assets.transform.duckdb_engine import DuckDBEngine
from social_assets.transform.validate_block import BlockValidator
from tests.integration.transform.raw_records import raw_table
from tests.integration.transform.values.streams import stream_of

records = [b'{"id": 1, "value": "2026-01-01 20:00"}', b'{"id": 1, "value": "2026-01-01 20:00Z"}']
with DuckDBEngine(Path(sys.argv[1])).session() as session:
    answer = BlockValidator(session, stream_of(datetime)).of(raw_table(records, None, "file"))
print(*answer["value"].to_pylist(), sep=", ")
"""


def test_the_time_zone_of_the_machine_changes_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, str(tmp_path)],
        env=os.environ | {"TZ": "Asia/Kolkata"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "2026-01-01 20:00:00, 2026-01-01 20:00:00\n"
