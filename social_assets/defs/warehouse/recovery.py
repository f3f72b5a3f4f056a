"""Finishes pending days of the warehouse, on behalf of a run or a command.

Belongs here: what Dagster knows of the runs that recorded them, and the call of dbt. The order of
the steps is `pipeline.finish_days`'s. Imports neither dbt nor the assets: loads and drains call it.
"""

from __future__ import annotations

import logging
from datetime import date

from dagster import DagsterInstance

from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.deployment import waiting_for_contracts
from social_assets.defs.warehouse.features_lock import features_lock
from social_assets.pipeline.finish_days import BuildDays, finish_pending_days
from social_assets.warehouse.dbt.project import (
    Days,
    dbt_arguments,
    dbt_environment,
    run_dbt,
)
from social_assets.warehouse.dbt.tables import Warehouse
from social_assets.warehouse.pending_days import ALL_DAYS, BUILT, CLEANED, pending_days

_THREADS = 2
_log = logging.getLogger(__name__)


def is_under_way(instance: DagsterInstance, run_id: str) -> bool:
    """Whether the run that recorded a pending day may still finish it."""
    run = instance.get_run_by_id(run_id) if run_id else None
    return run is not None and not run.is_finished


def build_with_dbt(stores: StoresResource, comment: str) -> BuildDays:
    """The function that rebuilds all layers of dbt for a range of days."""
    home = Home.from_environment()

    def build_days(first: date, last: date) -> None:
        warehouse = Warehouse.of(home)
        models = [table.name for layer in BUILT for table in warehouse.tables(layer)]
        environment = dbt_environment(stores.clickhouse.endpoint(), comment, _THREADS)
        arguments = dbt_arguments("run", models, days=Days(first, last))
        with features_lock():
            run_dbt(warehouse.dbt, arguments, environment, home.logs)

    return build_days


def finish_warehouse(
    instance: DagsterInstance, stores: StoresResource, comment: str
) -> dict[str, list[date]]:
    """Finish the days that a killed run or a lost table has left; returns them by stream.

    Days stay pending while a contract that dbt reads is not deployed.
    """
    opened = stores.stores()
    if waiting_for_contracts(opened):
        return {}
    streams = [opened.of(contract, comment) for contract in contracts()]

    def is_of_another_run(run_id: str) -> bool:
        return is_under_way(instance, run_id) and not comment.startswith(run_id)

    finished = finish_pending_days(streams, build_with_dbt(stores, comment), is_of_another_run)
    for stream, days in finished.items():
        if days:
            _log.warning(
                "finished days of %s in the warehouse: %d, %s to %s. An earlier run had built"
                " cleaned alone or was killed, or a table was lost",
                *(stream, len(days), days[0], days[-1]),
            )
    return finished


def finish_before_rebuild(instance: DagsterInstance, stores: StoresResource, run_id: str) -> None:
    """Fill tables that were lost, before a run rebuilds some days from them or of them.

    Other pending days are left: those of the run itself it is about to build, and those of a run of
    `cleaned` alone are built by the runs that follow it.
    """
    with stores.clickhouse.client("finish_days") as client:
        pending = pending_days(client)
    if not any(day.layer == CLEANED or day.event_date == ALL_DAYS for day in pending):
        return
    # The comment does not begin with the run, which is under way.
    finish_warehouse(instance, stores, f"finish_days before {run_id}")
