"""Forgets persons for operators, and exports their records: requests, runs, the report.

Belongs here: the order of runs. Models know a person until they are trained again, so that a second
pass follows the training. What a pass does belongs to the asset `privacy/deletions`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.control.privacy.deletion_requests import DeletionRequest, opened_requests
from social_assets.control.privacy.person import Person
from social_assets.defs.stores import StoresResource
from social_assets.operate.runs.start import Progress, forget_persons, recommend
from social_assets.pipeline.privacy.deletion_report import DeletionReport
from social_assets.pipeline.privacy.export_person import KnownRecord, export_person

_MODELS = "artifacts/"


def request_deletions(
    home: Home, persons: Sequence[Person], due_in: timedelta
) -> list[DeletionRequest]:
    """Record a request for each person; one that is pending already is not doubled."""
    with opened_requests(home) as requests:
        return [requests.request(person, due_in) for person in persons]


def all_requests(home: Home) -> list[DeletionRequest]:
    """All requests, oldest first."""
    with opened_requests(home) as requests:
        return requests.all()


def forget_pending(home: Home, progress: Progress) -> DeletionReport | None:
    """Forget the persons of all pending requests; None if there is none. Raises RunFailedError."""
    with opened_requests(home) as requests:
        pending = {each.id for each in requests.all() if each.done_at is None}
    if not pending:
        return None
    forget_persons(home, progress)
    first = _report(home, pending)
    if not any(each.place.startswith(_MODELS) for each in first.left):
        return first
    recommend(home, progress)
    forget_persons(home, progress)
    return _report(home, pending).after(first)


def known_records(home: Home, person: Person) -> Iterator[KnownRecord]:
    """All records of a person, stream by stream."""
    del home  # The environment names it.
    stores = StoresResource(clickhouse=ClickHouseResource()).stores()
    for contract in contracts():
        yield from export_person(stores.of(contract), person)


def _report(home: Home, ids: set[str]) -> DeletionReport:
    with opened_requests(home) as requests:
        (text, *_) = {each.report for each in requests.all() if each.id in ids and each.report}
    return DeletionReport.of_json(text)
