"""A changed contract of a built-in stream is deployed: facts and rollups are those of a fresh home.

The fresh home has loaded the same files under the changed contract from the start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandera.ibis as pa
import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts import engagement_events
from social_assets.contracts.contract import Contract
from social_assets.contracts.engagement_events import EngagementEvent
from social_assets.contracts.registry import contract, registered
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.deployment import deploy_in_force
from social_assets.demo.samples import generate
from social_assets.operate.deployment.deploy import deploy
from social_assets.operate.deployment.plan import plan
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files
from social_assets.warehouse.dbt.tables import Warehouse
from tests.conftest import DeployedHome
from tests.integration.pipeline.accounts import counts
from tests.integration.warehouse.conftest import Content, WarehouseUnderTest, served

pytestmark = [pytest.mark.endurance, pytest.mark.timeout(1200)]
"""Each runs dbt four times."""

STREAM = "engagement_events"
TODAY = engagement_events.CONTRACT


class Whole(EngagementEvent):
    """Values are whole numbers; fractions are rejected."""

    value: int = pa.Field(ge=0)


class WithLanguage(EngagementEvent):
    """A column with a default."""

    language: str = pa.Field(default="none")


class WithNullableLanguage(EngagementEvent):
    """A column that is null in rows from before."""

    language: str = pa.Field(nullable=True)


class Above1(EngagementEvent):
    """A rule that rejects more."""

    value: float = pa.Field(gt=1)


class Everything(EngagementEvent):
    """All changes at once, for a `Whole` before."""

    value: float = pa.Field(gt=1)
    language: str = pa.Field(default="none")


def of(model: type[pa.DataFrameModel], *key: str) -> Contract:
    return replace(TODAY, model=model, key=key or TODAY.key)


Declare = Callable[[Contract], None]


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Declare]:
    """Declares another contract of the built-in stream, as a process that starts now finds it."""

    def declare(changed: Contract) -> None:
        monkeypatch.setattr(engagement_events, "CONTRACT", changed)
        registered.cache_clear()
        Warehouse.of.cache_clear()

    yield declare
    registered.cache_clear()
    Warehouse.of.cache_clear()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Events of four days: whole and broken values, and one event of two users."""
    samples = generate(tmp_path / "samples", events=400, days=4, end=date(2026, 3, 4), seed=5)
    found = [each.path for each in samples if each.stream == STREAM]
    again = tmp_path / "again.ndjson"
    records = [json.loads(line) for line in found[0].read_text().splitlines()[:20]]
    for number, record in enumerate(records):
        record["user_id" if number % 2 else "value"] = "another" if number % 2 else 2.5
        record["event_id"] = record["event_id"] if number % 2 else f"fraction{number}"
    again.write_text("".join(json.dumps(record) + "\n" for record in records))
    return [*found, again]


@dataclass(frozen=True)
class Rows:
    """The rows of the warehouse, and those of the lake's cleaned table."""

    warehouse: Content
    cleaned: list[tuple[object, ...]]


def stores() -> StreamStores:
    return StoresResource(clickhouse=ClickHouseResource()).stores().of(contract(STREAM))


def load(files: Sequence[Path]) -> None:
    deploy_in_force(StoresResource(clickhouse=ClickHouseResource()))
    assert not ingest_files(stores(), files).failures


def rows(warehouse: WarehouseUnderTest) -> Rows:
    counts(stores())
    table = stores().cleaned.read()
    names = sorted(set(table.column_names) - {"ingested_at"})
    lake = sorted(tuple(map(str, each.values())) for each in table.select(names).to_pylist())
    return Rows(warehouse.content(), lake)


def evolved(
    home: Home, declare: Declare, before: Contract, after: Contract, files: list[Path]
) -> Rows:
    """The rows of a home that loads half of the files under each contract before the deployment,
    and one after it.
    """
    declare(before)
    with served(home) as warehouse:
        load(files[:2])
        declare(after)
        load(files[2:-1])
        (planned,) = plan(home)
        said: list[str] = []
        deploy(home, said.append)
        assert said
        load(files[-1:])
        found = rows(warehouse)
        rebuilt = {each.table for each in planned.tables if each.does == "makes anew"}
    reading = {each.name for each in planned.readers}
    is_type_changed = any(each.kind == "type changed" for each in planned.contract.changes)
    assert ({"star.fact_engagement", "likes", "viral_post"} <= reading) == is_type_changed
    if rebuilt:
        behind = {"star.fact_engagement", "star.dim_user_daily", "rollups.engagement_hourly"}
        assert behind < rebuilt
    return found


def fresh(home: Home, declare: Declare, after: Contract, files: list[Path]) -> Rows:
    declare(after)
    with served(home) as warehouse:
        load(files)
        return rows(warehouse)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            of(Whole), of(Everything, "event_id", "user_id"), id="type rule key column at once"
        ),
        pytest.param(TODAY, of(WithLanguage), id="column added"),
        pytest.param(TODAY, of(WithNullableLanguage), id="column in place"),
        pytest.param(of(WithLanguage), TODAY, id="column removed"),
        pytest.param(of(Whole), TODAY, id="type widened"),
        pytest.param(TODAY, of(Above1), id="rule"),
        pytest.param(TODAY, of(EngagementEvent, "event_id", "user_id"), id="key"),
    ],
)
def test_a_deployed_contract_gives_the_facts_and_rollups_of_a_fresh_home(
    deployed_home: DeployedHome,
    declare: Declare,
    files: list[Path],
    before: Contract,
    after: Contract,
) -> None:
    found = evolved(deployed_home("evolved"), declare, before, after, files)
    expected = fresh(deployed_home("fresh"), declare, after, files)
    assert found.cleaned == expected.cleaned
    assert found.warehouse == expected.warehouse
    assert all(found.warehouse[name] for name in ("fact_engagement", "engagement_daily"))
