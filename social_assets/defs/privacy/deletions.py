"""`privacy/deletions`: forgets the persons of all requests that are pending, and the checks of it.

Belongs here: the order of all places, and what is shown. How records are recognized and deleted
belongs to `pipeline.privacy`, the requests to `control.privacy`.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetExecutionContext,
    AssetKey,
    DefaultScheduleStatus,
    Failure,
    MaterializeResult,
    MetadataValue,
    ScheduleDefinition,
    TableRecord,
    asset,
    asset_check,
    define_asset_job,
)

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contracts, person_columns
from social_assets.defs.automation import RETRIES
from social_assets.defs.ingestion.jobs.changed_days import built_from
from social_assets.defs.ingestion.jobs.complete_unloads import report_changed_days
from social_assets.defs.reporting import check_comment
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.deployment import deploy_in_force, waiting_for_contracts
from social_assets.defs.warehouse.recovery import finish_before_rebuild, finish_warehouse

if TYPE_CHECKING:
    from social_assets.pipeline.privacy.deletion_report import DeletionReport
    from social_assets.pipeline.privacy.erase_persons import Erased
    from social_assets.pipeline.stores import StreamStores

KEY = AssetKey(["privacy", "deletions"])
JOB_NAME = "forget_persons"
_OWNERS = ["team:platform"]
_SHIPPER_SECONDS = 600.0
"""How long a shipper of logs may take for a pass."""


@asset(
    key=KEY,
    group_name="privacy",
    owners=_OWNERS,
    kinds={"python", "deltalake", "clickhouse"},
    pool="privacy_deletions",
    description=(
        "Forgets the persons of all pending requests: deletes their records from lake and"
        " warehouse, their copies and lists, and overwrites their ids in histories and logs; then"
        " looks whether any place still has one. Also deletes what arrived of persons who were"
        " forgotten before"
    ),
)
def deletions(
    context: AssetExecutionContext, clickhouse: ClickHouseResource, stores: StoresResource
) -> MaterializeResult[None]:
    """Repeated, it goes on where a run was killed. A request is done when no place has the id."""
    from social_assets.control.privacy.deletion_requests import opened_requests
    from social_assets.defs.privacy.other_places import (
        clean_home,
        clean_warehouse,
        delete_online_features,
    )
    from social_assets.lake.privacy.forgotten_persons import ANY_PLATFORM, ForgottenPerson
    from social_assets.pipeline.logs.ship import Destination, only_shipper
    from social_assets.pipeline.privacy.deletion_report import DeletionReport
    from social_assets.pipeline.privacy.erase_persons import erase_persons
    from social_assets.pipeline.privacy.ids_of_others import ids_of_others
    from social_assets.pipeline.privacy.person_ids import PersonIds

    started, home = time.monotonic(), Home.from_environment()
    deploy_in_force(stores)
    finish_before_rebuild(context.instance, stores, context.run.run_id)
    opened = stores.stores()
    with opened_requests(home) as requests:
        pending = requests.pending()
        if waiting := waiting_for_contracts(opened):
            if pending:
                raise Failure(f"persons are not forgotten yet: {waiting}", allow_retries=False)
            return MaterializeResult(metadata={"waits": waiting})
        # First of all: records that land from now on are rejected.
        opened.lake.forgotten_persons().add(
            ForgottenPerson(each.request.person_hash, each.person.platform or ANY_PLATFORM)
            for each in pending
        )
        persons = PersonIds(frozenset(each.person for each in pending))
        comment = f"{context.run.run_id} {KEY.to_user_string()}"
        streams = [opened.of(contract, comment) for contract in contracts()]
        erased = [erase_persons(stream, persons) for stream in streams]
        touched = _touched(streams, erased)
        finish_warehouse(context.instance, stores, comment)
        for stream, days in touched:
            report_changed_days(context, stream, built_from(stream.name), days)
        others = set().union(*(ids_of_others(stream, persons) for stream in streams))
        searched = persons.without(others)
        delete_online_features(home, persons)
        # Lines with an id must not be shipped after the table of logs was searched.
        with (
            only_shipper(home, _SHIPPER_SECONDS),
            only_shipper(home, _SHIPPER_SECONDS, Destination.COLLECTOR),
        ):
            with clickhouse.client(comment) as client:
                in_warehouse = clean_warehouse(client, searched, erased, context.run.run_id)
            in_home = clean_home(home, searched, erased)
        left = [*in_warehouse, *in_home.left]
        report = DeletionReport.of(
            context.run.run_id,
            len(pending),
            erased,
            landed_files=in_home.landed_files,
            overwritten_files=in_home.overwritten_files,
            ids_of_others=len(others),
            left=left,
        )
        told = {
            each.request.id: report.of_request(each.person, erased, each.request.report)
            for each in pending
        }
        for request_id, own in told.items():
            requests.report(request_id, own.as_json(), is_done=not left)
        requests.delete_ids_not_pending()
    return MaterializeResult(
        metadata={
            "requests": len(pending),
            "requests_done": 0 if left else len(pending),
            "records": sum(each.records for each in erased),
            "days": len({day for each in erased for day in each.days}),
            "landed_files": in_home.landed_files,
            "overwritten_files": in_home.overwritten_files,
            "ids_of_others": len(others),
            "by_request": MetadataValue.table(_rows(told))
            if told
            else MetadataValue.text("no request was pending"),
            "left": MetadataValue.table([TableRecord(vars(each)) for each in left])
            if left
            else MetadataValue.text("no place has an id of these persons"),
            "seconds": round(time.monotonic() - started, 3),
        }
    )


@asset_check(
    asset=KEY,
    name="requests_are_done_in_time",
    description="No deletion request is past its date; GDPR gives a month",
)
def requests_are_done_in_time() -> AssetCheckResult:
    """Warns of a request that an attempt has left undone."""
    from social_assets.control.privacy.deletion_requests import opened_requests

    at = datetime.now(UTC)
    with opened_requests(Home.from_environment()) as requests:
        found = requests.all()
    states = [each.state(at) for each in found]
    tried = [each for each in found if each.done_at is None and each.report is not None]
    return AssetCheckResult(
        passed=not tried and "overdue" not in states,
        severity=(AssetCheckSeverity.ERROR if "overdue" in states else AssetCheckSeverity.WARN),
        metadata={
            **{state: states.count(state) for state in ("done", "pending", "overdue")},
            "left_undone": ", ".join(each.id for each in tried) or "none",
        },
    )


@asset_check(
    asset=KEY,
    name="no_forgotten_person_is_kept",
    description="No table of the warehouse has the id of a person who is forgotten, by its hash",
)
def no_forgotten_person_is_kept(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource, stores: StoresResource
) -> AssetCheckResult:
    """Compares every column that contracts name as one of persons, in every table."""
    from social_assets.control.privacy.deletion_requests import opened_requests
    from social_assets.quality.forgotten_persons import kept_persons

    forgotten = stores.stores().lake.forgotten_persons().all()
    if not forgotten:
        return AssetCheckResult(passed=True, description="nobody has asked to be forgotten")
    with opened_requests(Home.from_environment()) as requests:
        salt = requests.salt()
    comment = check_comment(context, KEY)
    with clickhouse.client(comment) as client:
        kept = kept_persons(client, forgotten, salt, person_columns())
    return AssetCheckResult(
        passed=not kept,
        metadata={
            "forgotten": len(forgotten),
            "columns": ", ".join(sorted(person_columns())),
            **{f"{each.table}.{each.column}": each.persons for each in kept},
        },
    )


deletion_checks: list[AssetChecksDefinition] = [
    requests_are_done_in_time,
    no_forgotten_person_is_kept,
]

forget_job = define_asset_job(
    JOB_NAME,
    selection=[KEY],
    description="Forget the persons of all pending requests, and check it",
    tags=RETRIES,
)

nightly_deletions = ScheduleDefinition(
    name="nightly_deletions",
    job=forget_job,
    cron_schedule="30 4 * * *",
    execution_timezone="UTC",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Deletes what requests are pending for, and what arrived of forgotten persons",
)


def _rows(told: Mapping[str, "DeletionReport"]) -> list[TableRecord]:
    """What each request has deleted in all its passes, and what the search has found. No id."""
    found = []
    for request_id, own in told.items():
        streams = [f"{records:,} of {stream}" for stream, records in own.own_records.items()]
        places = f"{len(own.left)} places have ids of this pass" if own.left else "nothing"
        row = {"request": request_id, "deleted": ", ".join(streams) or "none", "found": places}
        found.append(TableRecord(row))
    return found


def _touched(
    streams: Sequence["StreamStores"], erased: Sequence["Erased"]
) -> list[tuple["StreamStores", list[date]]]:
    by_name = {stream.name: stream for stream in streams}
    return [(by_name[each.stream], list(each.days)) for each in erased if each.days]
