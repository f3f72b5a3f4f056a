"""Files in foreign dialects through every step: a rebuild from raw gives the same rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files, rebuild
from tests.integration.pipeline.accounts import Counts, contents, counts
from tests.integration.pipeline.test_loading_files import event

DAY = date(2026, 1, 1)
RECORDS = [
    json.loads(event(1, user_id="José", post_id='say "a;b"')),
    json.loads(event(2, user_id="two\nlines", value=1.5)),
    json.loads(event(3, user_id="€", post_id="plain")),
]


def as_csv(delimiter: str, title: str = "") -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(RECORDS[0]), delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(RECORDS)
    return title + out.getvalue()


FILES = {
    "cp1252.csv": as_csv(";", "Export of events\r\n\r\n").encode("cp1252"),
    "utf16.tsv": as_csv("\t").encode("utf-16"),
    "array.json": json.dumps(RECORDS, indent=2).encode(),
    "wrapped.json": json.dumps({"data": RECORDS, "paging": {}}).encode(),
}


@pytest.fixture
def events(stream: Callable[[str], StreamStores]) -> StreamStores:
    """The events' stream, which takes every format."""
    found = stream("engagement_events")
    return replace(found, declared=replace(found.contract, formats=("csv", "ndjson", "parquet")))


@pytest.mark.parametrize("name", FILES)
def test_a_foreign_file_is_loaded_and_rebuilt_alike(
    events: StreamStores, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    ingested = ingest_files(events, [path], DAY)
    assert not ingested.failures
    assert all(file.notes for file in ingested.landed)
    assert counts(events) == Counts(3, 3, 0, 0, 3)
    rows = events.cleaned.read().sort_by("event_id").to_pylist()
    assert [row["user_id"] for row in rows] == ["José", "two\nlines", "€"]
    assert [row["post_id"] for row in rows] == ['say "a;b"', "p", "plain"]
    before = contents(events)
    rebuild(events, [DAY])
    assert contents(events) == before


def test_raw_keeps_the_bytes_of_a_record(events: StreamStores, tmp_path: Path) -> None:
    path = tmp_path / "cp1252.csv"
    path.write_bytes(FILES["cp1252.csv"])
    ingest_files(events, [path], DAY)
    values = events.raw.read().sort_by("offset")["value"].to_pylist()
    assert b"\r\n".join(values) == FILES["cp1252.csv"].split(b"value\r\n")[1].rstrip(b"\r\n")


def test_files_of_different_dialects_are_rebuilt_in_one_day(
    events: StreamStores, tmp_path: Path
) -> None:
    for number, name in enumerate(FILES):
        path = tmp_path / name
        content = FILES[name]
        for encoding in ("utf-16-le", "utf-8"):
            for each in (1, 2, 3):
                old, new = (text.encode(encoding) for text in (f"e{each}", f"n{number}{each}"))
                content = content.replace(old, new) if old in content else content
            if content != FILES[name]:
                break
        path.write_bytes(content)
        assert not ingest_files(events, [path], DAY).failures
    assert counts(events) == Counts(12, 12, 0, 0, 12)
    before = contents(events)
    rebuild(events, [DAY])
    assert contents(events) == before
