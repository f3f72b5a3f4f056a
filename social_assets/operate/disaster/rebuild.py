"""Makes the warehouse anew from the lake, for the command `rebuild-warehouse`.

Belongs here: the order of its parts: tables and views, days, persons. What is done to a day belongs
to `pipeline.rebuild_warehouse`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.deployment import deploy_in_force, waiting_for_contracts
from social_assets.defs.warehouse.recovery import build_with_dbt
from social_assets.operate.runs.instance import use_home
from social_assets.pipeline.contracts.contract_in_force import ContractNotDeployedError
from social_assets.pipeline.identity.refresh_persons import refresh_persons
from social_assets.pipeline.rebuild_warehouse import (
    RebuildProgress,
    RebuiltWarehouse,
    rebuild_all_days,
)

Say = Callable[[str], None]

_COMMENT = "rebuild-warehouse"


@dataclass(frozen=True)
class Rebuilt:
    """What was made: the days, the linked identities, and the days that nothing can make again.

    `expired` is how many days the lake has no cleaned rows of any more, since retention removed
    them: a lost warehouse has lost their facts and rollups.
    """

    warehouse: RebuiltWarehouse
    identities: int
    expired: int

    def as_json(self) -> dict[str, object]:
        """The result for programs."""
        return {
            "rows": self.warehouse.rows,
            "days": self.warehouse.days,
            "resumed": self.warehouse.resumed,
            "seconds": round(self.warehouse.seconds, 1),
            "identities": self.identities,
            "expired_days": self.expired,
        }

    def __str__(self) -> str:
        made = (
            f"{'went on: ' if self.warehouse.resumed else ''}{self.warehouse.rows:,} rows loaded, "
            f"{self.warehouse.days} days of facts and rollups built, {self.identities:,} linked "
            f"identities; {self.warehouse.seconds:.1f} s"
        )
        if not self.expired:
            return made
        return (
            f"{made}. Retention has removed the cleaned rows of {self.expired} days: these days "
            "are not made anew"
        )


def rebuild(home: Home, say: Say) -> Rebuilt:
    """Make all tables anew that the lake has the rows of. Killed, the same call goes on.

    Raises ContractNotDeployedError if the tables can't be made under the contracts in force.
    """
    use_home(home)
    resource = StoresResource(clickhouse=ClickHouseResource())
    stores = resource.stores()
    if waiting := waiting_for_contracts(stores):
        raise ContractNotDeployedError(f"the warehouse can't be made anew: {waiting}")
    say("making tables and views")
    deploy_in_force(resource)
    streams = [stores.of(each, _COMMENT) for each in contracts()]

    def tell(done: RebuildProgress) -> None:
        say(progress_line(done))

    made = rebuild_all_days(streams, build_with_dbt(resource, _COMMENT), tell)
    with resource.clickhouse.client(_COMMENT) as client:
        persons = refresh_persons(client, home.path / "locks", _COMMENT, datetime.now(UTC))
    expired = stores.lake.expired_days().days(*(f"cleaned/{each.name}" for each in streams))
    return Rebuilt(made, persons.identities, len(expired))


def progress_line(done: RebuildProgress) -> str:
    """What was made, how much of all is done, and how long the rest may take."""
    days = f"{done.first}" if done.first == done.last else f"{done.first} to {done.last}"
    share = 100 * done.rows_done // max(1, done.rows)
    minutes, seconds = divmod(round(done.seconds_left), 60)
    left = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    return f"{done.made}: {days}; {share} %, about {left} left"
