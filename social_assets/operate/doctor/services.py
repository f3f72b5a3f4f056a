"""The doctor's examination of the services: lake, ClickHouse, Kafka, Dagster.

It asks them as the platform does, with the same settings, and starts none of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from resources.clickhouse.resource import URL_VARIABLE, connect, endpoint_of_url
from resources.embedded_clickhouse.lifecycle import Endpoint
from resources.kafka.replication import FACTOR, Replication
from resources.kafka.settings import BOOTSTRAP_SERVERS, KafkaSettings
from resources.settings.environments import current, missing
from resources.settings.home import Home
from social_assets.defs.stores import LAKE_URL, lake_root
from social_assets.operate.doctor.diagnostic import Diagnostic, error, ok, warn

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from resources.kafka.resource import TopicReplicas

OLDEST_CLICKHOUSE = (25, 8)
CLOCKS_APART_SECONDS = 5.0
WARN_DISK_SHARE = 0.1
KAFKA_SECONDS = 2.5
_GRANTS = "SELECT, INSERT, CREATE TABLE, CREATE VIEW, ALTER, DROP TABLE, TRUNCATE"


RESTORE = "social-assets deploy: it restores the table and fills it from the lake, or says why not"


def lake(home: Home) -> Iterator[Diagnostic]:
    """Whether every raw table can be opened, and how old its newest record is."""
    from social_assets.contracts.registry import contracts
    from social_assets.lake.lake import Lake
    from social_assets.operate.deployment.undeployed import REMEDY, undeployed

    root = os.environ.get(LAKE_URL)
    if root is None and LAKE_URL in missing():
        return
    stored = Lake(lake_root(home), locks=home.path / "locks")
    held = [c.name for c in contracts() if stored.table("raw", c).rows_by_day()]
    yield ok("lake", f"{root or home.lake}: records of {', '.join(held) or 'no stream yet'}")
    for stream, told in undeployed(home).items():
        yield warn("contract", f"{stream}: {told}", REMEDY)


def clickhouse(home: Home) -> Iterator[Diagnostic]:
    """Whether ClickHouse answers, its version, rights, clock and disk."""
    endpoint = _endpoint(home)
    if endpoint is None:
        if URL_VARIABLE not in missing():
            yield ok("ClickHouse", "the embedded one, which starts when it is needed")
        return
    client = connect(endpoint, "doctor")
    try:
        version = client.server_version or "0"
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_CLICKHOUSE:
            yield error("ClickHouse", f"version {version}", "upgrade to 25.8 or newer")
        else:
            yield ok("ClickHouse", f"{version} at {endpoint.url}")
        yield from _rights(client, endpoint)
        yield from _clock(client)
        yield from _disks(client)
        yield from _tables(client, home)
    finally:
        client.close()


def _endpoint(home: Home) -> Endpoint | None:
    from resources.embedded_clickhouse.files import USER, ServerFiles
    from resources.embedded_clickhouse.lifecycle import running_state

    url = os.environ.get(URL_VARIABLE)
    if url:
        return endpoint_of_url(url)
    state = running_state(home)
    if state is None:
        return None
    return Endpoint(state.url, USER, ServerFiles(home).password_file.read_text().strip())


def _rights(client: Client, endpoint: Endpoint) -> Iterator[Diagnostic]:
    [(granted,)] = client.query(f"CHECK GRANT {_GRANTS} ON *.*").result_rows
    if not granted:
        yield error(
            "ClickHouse",
            f"user {endpoint.user} lacks rights",
            f"as an administrator: GRANT {_GRANTS} ON *.* TO {endpoint.user}",
        )


def _clock(client: Client) -> Iterator[Diagnostic]:
    before = time.time()
    [(theirs,)] = client.query("SELECT toFloat64(now64(3))").result_rows
    apart = theirs - (before + time.time()) / 2
    if abs(apart) > CLOCKS_APART_SECONDS:
        yield error(
            "clock",
            f"ClickHouse's is {apart:+,.0f} s from this machine's",
            "set the clocks of both, and keep them by NTP (timedatectl set-ntp true)",
        )


def _disks(client: Client) -> Iterator[Diagnostic]:
    disks = client.query(
        "SELECT name, path, unreserved_space, total_space FROM system.disks"
        " WHERE total_space > 0 AND type = 'Local'"
    ).result_rows
    for name, path, free, total in disks:
        if free < WARN_DISK_SHARE * total:
            yield warn(
                "ClickHouse",
                f"{free / total:.0%} free on its disk {name} ({path})",
                "make room: shorten the retention of contracts, or grow the disk",
            )


def _tables(client: Client, home: Home) -> Iterator[Diagnostic]:
    """Whether tables and views are as deployed; nothing before the first deployment."""
    from social_assets.operate.deployment.undeployed import in_force
    from social_assets.warehouse.dbt.deployment_record import last_deployment
    from social_assets.warehouse.dbt.project import prepared
    from social_assets.warehouse.dbt.survey import differences

    project = prepared(home)
    last = last_deployment(client) if project else None
    if project is None or last is None:
        return
    streams = in_force(home)
    found = differences(client, project.declared(streams), last)
    for each in found:
        yield error("warehouse", each, RESTORE)
    if not found:
        yield ok("warehouse", f"{len(last.tables)} tables and views as declared")


def kafka(_: Home) -> Iterator[Diagnostic]:
    """Whether Kafka answers, and has the topics."""
    from resources.kafka.resource import KafkaResource
    from social_assets.contracts.registry import contracts

    if not os.environ.get(BOOTSTRAP_SERVERS) and BOOTSTRAP_SERVERS in missing():
        return
    settings = KafkaSettings.from_environment()
    if settings is None:
        yield ok("Kafka", f"none is named: set {BOOTSTRAP_SERVERS} to stream")
        return
    resource = KafkaResource()
    topics = {c.name: c.kafka_topic for c in contracts()}
    there: dict[str, TopicReplicas] = {}
    for topic in topics.values():
        found = resource.replicas(topic, KAFKA_SECONDS)
        if found is not None:
            there[topic] = found
    yield ok("Kafka", f"{settings.servers}: topics {', '.join(there) or 'none of ours'}")
    for topic in sorted(set(topics.values()) - set(there)):
        yield warn(
            "Kafka",
            f"there is no topic {topic}",
            "make it, or leave it if the stream comes as files alone",
        )
    for each in there.values():
        yield from _replicas(each, Replication.from_environment().factor)


def _replicas(topic: TopicReplicas, wanted: int | None) -> Iterator[Diagnostic]:
    """What a topic lacks that is to survive the loss of a broker."""
    if topic.leaderless:
        yield error(
            "Kafka",
            f"topic {topic.topic}: {topic.leaderless} of {topic.partitions} partitions have no "
            "leader, and are neither read nor written",
            "start the brokers that are down",
        )
    elif topic.behind:
        yield warn(
            "Kafka",
            f"topic {topic.topic}: {topic.behind} of {topic.partitions} partitions are not on all "
            f"their brokers, at worst on {topic.in_sync} of {topic.replicas}",
            "start the brokers that are down; one that has just started catches up by itself",
        )
    if wanted is not None and topic.replicas < wanted:
        yield warn(
            "Kafka",
            f"topic {topic.topic} has {topic.replicas} replica{'s' * (topic.replicas > 1)}, and "
            f"{FACTOR} is {wanted}: it was made before, or by others",
            "give its partitions more brokers with Kafka's kafka-reassign-partitions.sh",
        )


def dagster(home: Home) -> Iterator[Diagnostic]:
    """Whether Dagster's storage answers, and its daemon is alive."""
    from dagster import DagsterInstance

    folder = home.dagster
    if current().is_deployed:
        folder = type(folder)(os.environ.get("DAGSTER_HOME") or folder)
    # The event log finds its files only by this variable.
    os.environ["DAGSTER_HOME"] = str(folder)
    if not (folder / "dagster.yaml").exists():
        yield ok("Dagster", f"no {folder / 'dagster.yaml'} yet: the first command makes it")
        return
    with DagsterInstance.from_config(str(folder)) as instance:
        runs = instance.get_runs_count()
        yield ok("Dagster", f"{runs:,} runs in {type(instance.run_storage).__name__}")
        statuses = instance.get_daemon_statuses()
        dead = sorted(name for name, s in statuses.items() if s.required and not s.healthy)
        if dead:
            yield warn(
                "Dagster",
                f"not running: {', '.join(dead)}: nothing is asked for by itself",
                "start it: social-assets dev, or dagster-daemon run",
            )
        for name, status in sorted(statuses.items()):
            errors = status.last_heartbeat.errors if status.last_heartbeat else None
            if status.healthy and errors:
                yield error(
                    "Dagster",
                    f"{name} fails: {' '.join(errors[0].message.split())[:200]}",
                    "see the daemon's page in the UI",
                )
