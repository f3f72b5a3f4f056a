"""`star.dim_person` on a real warehouse: late links, unloaded links, crashes, joins with facts."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from clickhouse_connect.driver.client import Client

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.partitions import daily
from social_assets.defs.warehouse.persons import KEY, dim_person, person_checks
from social_assets.pipeline.identity import person_tables
from social_assets.pipeline.identity import refresh_persons as steps
from social_assets.pipeline.identity.person_tables import (
    DIM_PERSON,
    PERSON_MERGES,
    PersonTable,
    RowChanges,
)
from social_assets.pipeline.identity.refresh_persons import RefreshedPersons, refresh_persons
from social_assets.quality.persons import linked_persons, merges_that_lead_astray
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, at

AT = datetime(2026, 3, 1, tzinfo=UTC)
AT_LAST = datetime(2027, 1, 1, tzinfo=UTC)
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "identity.md"

Refresh = Callable[[], RefreshedPersons]
End = tuple[str, str]


def link(number: int, one: End, other: End, day: str = "2026-01-01") -> Row:
    return {
        "link_id": f"l{number}",
        "linked_at": at(f"{day} 10:00"),
        "event_time": at(f"{day} 10:00"),
        "platform": one[0],
        "user_id": one[1],
        "linked_platform": other[0],
        "linked_user_id": other[1],
        "declared_by": "login",
        # Later numbers land later.
        "ingested_at": at("2026-11-20 00:00") + timedelta(microseconds=number),
    }


A, B, C, D = ("Facebook", "1"), ("Instagram", "007"), ("Instagram", "7"), ("X", "1")


@pytest.fixture
def refresh(warehouse: WarehouseUnderTest) -> Refresh:
    warehouse.client.command("DROP TABLE IF EXISTS star.dim_person SYNC")
    warehouse.client.command("DROP TABLE IF EXISTS star.person_merges SYNC")
    return lambda: refresh_persons(warehouse.client, warehouse.home.path / "locks", "run-1", AT)


def persons(warehouse: WarehouseUnderTest) -> dict[End, End]:
    rows = warehouse.client.query(
        "SELECT platform, user_id, person_platform, person_user_id FROM star.dim_person"
    ).result_rows
    assert len(rows) == len({row[:2] for row in rows})
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def merges(warehouse: WarehouseUnderTest) -> dict[End, End]:
    rows = warehouse.client.query(
        "SELECT platform, user_id, into_platform, into_user_id FROM star.person_merges"
    ).result_rows
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def test_late_links_merge_persons_and_touch_no_other(
    warehouse: WarehouseUnderTest, refresh: Refresh
) -> None:
    warehouse.stream("identity_links", link(1, B, D), link(2, ("TikTok", "5"), ("X", "5")))
    found = refresh()
    assert (found.identities, found.persons, found.changed, found.merged) == (4, 2, 4, 2)
    assert persons(warehouse)[D] == B
    # Leading zeros and equal ids of other platforms are other identities.
    warehouse.stream("identity_links", link(3, C, A, "2025-12-01"))
    assert refresh().changed == 2
    assert persons(warehouse)[B] == B
    warehouse.stream("identity_links", link(4, B, C, "2025-11-01"))
    found = refresh()
    assert (found.persons, found.changed, found.merged) == (2, 2, 1)
    assert {persons(warehouse)[each] for each in (A, B, C, D)} == {A}
    assert merges(warehouse) == {D: B, C: A, B: A, ("X", "5"): ("TikTok", "5")}
    assert found.links_read == 1
    assert refresh() == RefreshedPersons(6, 2, 0, 0, 0, found.landed_until, 0)


def test_a_link_that_lands_late_is_read_though_newer_ones_were(
    warehouse: WarehouseUnderTest, refresh: Refresh
) -> None:
    warehouse.stream("identity_links", link(1, A, B), link(5, C, D))
    assert refresh().links_read == 2
    warehouse.stream("identity_links", link(3, B, C))
    assert refresh().links_read == 3
    assert set(persons(warehouse).values()) == {A}
    assert refresh().links_read == 0


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM star.dim_person WHERE platform = 'X'",
        "DROP TABLE star.dim_person SYNC",
        "INSERT INTO star.person_merges (platform, user_id, into_platform, into_user_id) "
        "VALUES ('X', '9', 'X', '1')",
        "TRUNCATE TABLE star.persons_refreshed",
    ],
)
def test_a_refresh_mends_tables_that_something_else_changed(
    warehouse: WarehouseUnderTest, refresh: Refresh, damage: str
) -> None:
    warehouse.stream("identity_links", link(1, B, D), link(2, A, C))
    refresh()
    expected = persons(warehouse), merges(warehouse)
    warehouse.client.command(damage)
    assert refresh().links_read == 2
    assert (persons(warehouse), merges(warehouse)) == expected
    assert refresh().links_read == 0


def test_links_one_by_one_give_what_all_of_them_give_at_once(
    warehouse: WarehouseUnderTest, refresh: Refresh
) -> None:
    chance = random.Random(7)  # noqa: S311
    ends = [(platform, str(n)) for platform in ("Facebook", "Instagram", "X") for n in range(4)]
    for number in range(12):
        one, other = chance.choices(ends, k=2)
        warehouse.stream("identity_links", link(number, one, other))
        assert refresh().links_read == 1
    stepwise = persons(warehouse)
    assert linked_persons(warehouse.client, AT_LAST).is_right
    assert merges_that_lead_astray(warehouse.client).wrong == 0
    warehouse.client.command("TRUNCATE TABLE star.persons_refreshed")
    assert refresh().changed == 0
    assert persons(warehouse) == stepwise


def test_ids_of_any_characters_are_identities(
    warehouse: WarehouseUnderTest, refresh: Refresh
) -> None:
    odd = [("X", "a\0b"), ("X", "a"), ("Instagram", "'; DROP\t\\"), ("TikTok", "\u202eü💥")]
    warehouse.stream("identity_links", link(1, odd[0], odd[2]), link(2, odd[1], odd[3]))
    assert refresh().persons == 2
    found = persons(warehouse)
    assert found == {odd[0]: odd[2], odd[2]: odd[2], odd[1]: odd[3], odd[3]: odd[3]}
    warehouse.stream("identity_links", link(3, odd[0], odd[1]))
    assert (refresh().persons, persons(warehouse)[odd[3]]) == (1, odd[2])


def test_a_link_that_is_unloaded_parts_its_persons_again(
    warehouse: WarehouseUnderTest, refresh: Refresh
) -> None:
    warehouse.stream("identity_links", link(1, A, B))
    warehouse.stream("identity_links", link(2, B, C), link(3, C, D))
    refresh()
    warehouse.client.command(
        "DELETE FROM cleaned.identity_links WHERE link_id = 'l2'",
    )
    assert refresh().changed == 2
    assert persons(warehouse) == {A: A, B: A, C: C, D: C}
    assert merges(warehouse) == {B: A, D: C}
    warehouse.client.command("TRUNCATE TABLE cleaned.identity_links")
    assert refresh() == RefreshedPersons(0, 0, 0, 4, 0, None, 0)
    assert persons(warehouse) == merges(warehouse) == {}


@pytest.mark.parametrize("step", [PERSON_MERGES.name, DIM_PERSON.name, "record_refresh"])
def test_a_refresh_that_is_killed_at_any_step_is_completed_by_the_next(
    warehouse: WarehouseUnderTest, refresh: Refresh, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    warehouse.stream("identity_links", link(1, B, D))
    refresh()
    warehouse.stream("identity_links", link(2, A, D), link(3, C, ("X", "9")))
    done = person_tables.replace_rows

    def killed_there(client: Client, table: PersonTable, changes: RowChanges, run: str) -> None:
        if table.name == step:
            raise KeyboardInterrupt
        done(client, table, changes, run)

    def killed_at_last(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(steps, "replace_rows", killed_there)
        patch.setattr(steps, "record_refresh", killed_at_last)
        with pytest.raises(KeyboardInterrupt):
            refresh()
    warehouse.client.command("CREATE TABLE star.dim_person__staging_run_1 (a Int8) ENGINE = Memory")
    assert refresh().persons == 2
    assert persons(warehouse)[B] == A
    assert merges(warehouse) == {D: B, B: A, ("X", "9"): C}
    warehouse.stream("identity_links", link(4, A, C))
    assert (refresh().links_read, set(persons(warehouse).values())) == (1, {A})
    # Tests of the same server may leave staging tables of other layers: they kill runs.
    staging = "SELECT count() FROM system.tables WHERE name LIKE '%person%staging%'"
    assert warehouse.value(staging) == 0


def test_two_refreshes_at_once_give_what_one_gives(
    warehouse: WarehouseUnderTest, refresh: Refresh
) -> None:
    refresh()
    warehouse.stream("identity_links", *(link(n, A, ("X", str(n))) for n in range(200)))
    failures = []

    def run(name: str) -> None:
        try:
            with ClickHouseResource().client() as client:
                refresh_persons(client, warehouse.home.path / "locks", name, AT)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(f"run-{n}",)) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []
    assert len(persons(warehouse)) == 201
    assert set(persons(warehouse).values()) == {A}


def test_facts_get_their_person_by_a_join_that_multiplies_nothing(
    warehouse: WarehouseUnderTest, refresh: Refresh
) -> None:
    """The query of the documentation: linked identities are one person, others their own."""
    users = [*((D[0], D[1]) for _ in range(3)), B, ("X", "7"), ("Instagram", "1"), ("X", "8")]
    warehouse.stream(
        "engagement_events",
        *(
            {
                "event_id": f"e{number}",
                "event_time": at("2026-01-01 12:00") + timedelta(minutes=number),
                "platform": platform,
                "account_id": "1",
                "post_id": "p",
                "user_id": user,
                "metric_type": "like",
                "value": 1.0,
            }
            for number, (platform, user) in enumerate(users)
        ),
    )
    warehouse.stream("identity_links", link(1, B, D))
    refresh()
    (query,) = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    [(likes, users_, persons_)] = warehouse.client.query(query).result_rows
    assert (likes, users_, persons_) == (7, 5, 4)
    facts = "SELECT groupArray((name, modification_time)) FROM system.parts\n"
    facts += "WHERE table = 'fact_engagement' AND active"
    written = warehouse.value(facts)
    warehouse.stream("identity_links", link(2, ("X", "7"), D))
    refresh()
    assert warehouse.client.query(query).result_rows == [(7, 5, 3)]
    assert warehouse.value(facts) == written


@pytest.fixture
def materialize(
    warehouse: WarehouseUnderTest, refresh: Refresh
) -> Iterator[Callable[[], dg.ExecuteInProcessResult]]:
    links = dg.AssetSpec(["cleaned", "identity_links"], partitions_def=daily())
    with dg.DagsterInstance.ephemeral() as instance:
        yield lambda: dg.materialize(
            [links, dim_person, *person_checks],
            instance=instance,
            resources=warehouse.resources(),
            selection=dg.AssetSelection.assets(KEY),
        )


def results(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def test_the_asset_makes_persons_and_its_checks_pass(
    warehouse: WarehouseUnderTest, materialize: Callable[[], dg.ExecuteInProcessResult]
) -> None:
    passed = {"one_person_an_identity": True, "merges_lead_to_persons": True}
    assert results(materialize()) == passed
    warehouse.stream("identity_links", link(1, B, D), link(2, C, C))
    result = materialize()
    assert results(result) == passed
    (event,) = result.get_asset_materialization_events()
    metadata = {name: value.value for name, value in event.materialization.metadata.items()}
    assert (metadata["dagster/row_count"], metadata["persons"]) == (3, 2)


@pytest.mark.parametrize(
    ("damage", "failing"),
    [
        (
            "DELETE FROM star.dim_person WHERE platform = 'X'",
            {"one_person_an_identity", "merges_lead_to_persons"},
        ),
        (
            "INSERT INTO star.dim_person SELECT * FROM star.dim_person WHERE platform = 'X'",
            {"one_person_an_identity"},
        ),
        (
            "INSERT INTO cleaned.identity_links SELECT * REPLACE ('l9' AS link_id, '7' AS user_id) "
            "FROM cleaned.identity_links LIMIT 1",
            {"one_person_an_identity"},
        ),
        ("TRUNCATE TABLE star.person_merges", {"merges_lead_to_persons"}),
        (
            "INSERT INTO star.person_merges (platform, user_id, into_platform, into_user_id) "
            "VALUES ('Instagram', '007', 'X', '1')",
            {"merges_lead_to_persons"},
        ),
    ],
)
def test_each_check_finds_what_it_is_for(
    warehouse: WarehouseUnderTest,
    materialize: Callable[[], dg.ExecuteInProcessResult],
    damage: str,
    failing: set[str],
) -> None:
    warehouse.stream("identity_links", link(1, B, D), link(2, C, A))
    materialize()
    warehouse.client.command(damage)
    until = warehouse.value("SELECT max(ingested_at) FROM cleaned.identity_links")
    found = {
        "one_person_an_identity": linked_persons(warehouse.client, until).is_right,
        "merges_lead_to_persons": merges_that_lead_astray(warehouse.client).wrong == 0,
    }
    assert {name for name, is_right in found.items() if not is_right} == failing
