"""What every code location of an installation shares: resources, executor, loggers.

Belongs here: only what does not depend on the assets and jobs of a location.
"""

from __future__ import annotations

from collections.abc import Callable

from dagster import Definitions, in_process_executor

from resources.clickhouse.resource import ClickHouseResource
from resources.dagster.default_console import set_default_console
from resources.dagster.run_console import run_console
from resources.duckdb.resource import EngineResource
from resources.kafka.resource import KafkaResource
from resources.log_files.handler import begin_logs, of_dagster
from resources.settings.environments import current, require_complete
from social_assets.defs.stores import StoresResource


def in_installation(make_location: Callable[[], Definitions]) -> Definitions:
    """The definitions of a location in the installation that the environment describes.

    Raises EnvironmentSettingsError if a deployed installation lacks an address.
    """
    require_complete()
    begin_logs(of_dagster())
    set_default_console()
    clickhouse = ClickHouseResource()
    # Configurable for each run.
    duckdb = EngineResource.configure_at_launch()
    shared = Definitions(
        # A process for each step costs seconds, and on one machine wins nothing. A deployed
        # environment keeps Dagster's default, which run config may change.
        executor=None if current().is_deployed else in_process_executor,
        loggers={"console": run_console()},
        resources={
            "clickhouse": clickhouse,
            "duckdb": duckdb,
            "kafka": KafkaResource(),
            "stores": StoresResource(clickhouse=clickhouse, duckdb=duckdb),
        },
    )
    return Definitions.merge(make_location(), shared)
