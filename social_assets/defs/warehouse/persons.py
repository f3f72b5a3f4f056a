"""`star/dim_person`: the persons of linked identities, and the checks of them.

Belongs here: when they are made, and what is shown. They are no model of dbt: the persons of a day
depend on the links of all days. `pipeline.identity` computes and stores them.
"""

import time
from datetime import UTC, datetime

from dagster import (
    AllPartitionMapping,
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetDep,
    AssetExecutionContext,
    AssetKey,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableColumnConstraints,
    TableConstraints,
    TableSchema,
    asset,
    asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.identity_links import CONTRACT
from social_assets.defs.automation import MAKE_CHANGED_DAYS
from social_assets.defs.reporting import check_comment
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.deployment import deploy_in_force
from social_assets.defs.warehouse.recovery import finish_before_rebuild
from social_assets.pipeline.identity.person_tables import DIM_PERSON
from social_assets.pipeline.identity.refresh_persons import refresh_persons
from social_assets.quality.persons import linked_persons, merges_that_lead_astray

KEY = AssetKey(["star", "dim_person"])
_LINKS = AssetDep(["cleaned", CONTRACT.name], partition_mapping=AllPartitionMapping())
_LANDED_UNTIL = "links_landed_until"


@asset(
    key=KEY,
    group_name="star",
    deps=[_LINKS],
    owners=[CONTRACT.owner],
    kinds={"clickhouse", "scipy"},
    automation_condition=MAKE_CHANGED_DAYS,
    description=(
        f"{DIM_PERSON.meaning}. Linked identities are one person, which has the name of the "
        "smallest of them; star.person_merges has the persons that became a part of another one"
    ),
    metadata={
        "dagster/table_name": DIM_PERSON.name,
        "dagster/storage_kind": "clickhouse",
        "dagster/column_schema": TableSchema(
            columns=[
                TableColumn(
                    column.name,
                    column.type,
                    column.meaning,
                    constraints=TableColumnConstraints(nullable=False),
                )
                for column in DIM_PERSON.columns
            ],
            constraints=TableConstraints(other=["one row a platform and user_id"]),
        ),
    },
)
def dim_person(
    context: AssetExecutionContext, clickhouse: ClickHouseResource, stores: StoresResource
) -> MaterializeResult[None]:
    """Computed from the links that are new; only rows that differ are written."""
    started = time.monotonic()
    deploy_in_force(stores)
    finish_before_rebuild(context.instance, stores, context.run.run_id)
    with clickhouse.client(f"{context.run.run_id} {KEY.to_user_string()}") as client:
        locks = Home.from_environment().path / "locks"
        found = refresh_persons(client, locks, context.run.run_id, datetime.now(UTC))
    landed = {} if found.landed_until is None else {_LANDED_UNTIL: found.landed_until.isoformat()}
    return MaterializeResult(
        metadata={
            "dagster/row_count": found.identities,
            "persons": found.persons,
            "identities_changed": found.changed,
            "identities_gone": found.gone,
            "persons_merged": found.merged,
            "links_read": found.links_read,
            "seconds": round(time.monotonic() - started, 3),
            **landed,
        }
    )


@asset_check(
    asset=KEY,
    name="one_person_an_identity",
    description="Every identity of a link has exactly one person, that of the link's other end",
)
def one_person_an_identity(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """Links that landed after the last refresh are not compared."""
    until = _landed_until(context)
    if until is None:
        return AssetCheckResult(passed=True, description="No link had landed at the last refresh")
    with clickhouse.client(check_comment(context, KEY)) as client:
        found = linked_persons(client, until)
    return AssetCheckResult(
        passed=found.is_right,
        metadata={
            "identities": found.identities,
            "identities_without_person": found.without_person,
            "identities_with_several_rows": found.doubled,
            "links_between_two_persons": found.parted_links,
            _LANDED_UNTIL: until.isoformat(),
        },
    )


@asset_check(
    asset=KEY,
    name="merges_lead_to_persons",
    description="The merges of a person lead to the person that it is now, and in no circle",
)
def merges_lead_to_persons(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """Every merge is followed to its end."""
    with clickhouse.client(check_comment(context, KEY)) as client:
        found = merges_that_lead_astray(client)
    metadata: dict[str, MetadataValue] = {
        "merges": MetadataValue.int(found.merges),
        "wrong": MetadataValue.int(found.wrong),
    }
    if found.examples:
        metadata["for_example"] = MetadataValue.text(", ".join(found.examples))
    return AssetCheckResult(passed=found.wrong == 0, metadata=metadata)


person_checks: list[AssetChecksDefinition] = [one_person_an_identity, merges_lead_to_persons]


def _landed_until(context: AssetCheckExecutionContext) -> datetime | None:
    event = context.instance.get_latest_materialization_event(KEY)
    materialization = event.asset_materialization if event else None
    value = materialization.metadata.get(_LANDED_UNTIL) if materialization else None
    return None if value is None else datetime.fromisoformat(str(value.value))
