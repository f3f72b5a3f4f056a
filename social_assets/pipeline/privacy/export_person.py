"""All records that are known of a person, to give to the person: those that would be erased.

Belongs here: reading them. Facts, rollups and models are made of these records.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from social_assets.control.privacy.person import Person, hash_of
from social_assets.lake.privacy.forgotten_persons import ANY_PLATFORM, ForgottenPerson
from social_assets.pipeline.privacy.erase_persons import days_with_records, records_of_persons
from social_assets.pipeline.privacy.forgotten_records import ForgottenRecords
from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.pipeline.stores import StreamStores


@dataclass(frozen=True)
class KnownRecord:
    """One record as it arrived, and where it came from."""

    stream: str
    event_date: date
    source: str
    origin: str
    offset: int
    record: object
    """The JSON value; text if it is none, such as a row of CSV."""

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps(vars(self) | {"event_date": self.event_date.isoformat()})


def export_person(stores: StreamStores, person: Person) -> Iterator[KnownRecord]:
    """The records of a stream that are a person's, in the order of days. Changes nothing."""
    ids = PersonIds(frozenset([person]))
    days = days_with_records(stores, ids)
    wanted = ForgottenPerson(hash_of("", person.id), person.platform or ANY_PLATFORM)
    with stores.engine.session() as session:
        same = ForgottenRecords(session, stores.contract, [wanted], salt="")
        for rows in records_of_persons(stores, session, days, ids, same):
            columns = rows.select(["event_date", "source", "origin", "offset", "value"])
            for row in columns.to_pylist():
                yield KnownRecord(stores.name, record=_record(row.pop("value")), **row)


def _record(value: bytes | None) -> object:
    text = (value or b"").decode(errors="replace")
    with suppress(ValueError, RecursionError):
        return json.loads(text)
    return text
