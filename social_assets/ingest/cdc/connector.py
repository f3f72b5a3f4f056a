"""The configuration of Debezium's connector for a stream of changes, made from its contract.

Belongs here: Debezium's settings, with why. The password is not among them: a configuration names
the variable of the worker's environment that has it. Registering it belongs to `operate.capture`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from resources.kafka.replication import Replication
from social_assets.contracts.contract import Contract
from social_assets.ingest.cdc.source_database import MESSAGE_PREFIX, SourceAddress

STREAM = "social_assets.stream"
URL_VARIABLE_OF = "social_assets.url_variable"
"""Keys of ours in a configuration, by which a connector whose contract is gone is known."""

HEARTBEAT_SECONDS = 10
_HOUR_MS = 3_600_000


def password_variable(url_variable: str) -> str:
    """The variable of the worker that has the password of the URL in `url_variable`."""
    return url_variable.replace("_CAPTURE_URL", "_CAPTURE_PASSWORD", 1)


def connector_config(contract: Contract, address: SourceAddress) -> Mapping[str, str]:
    """What Kafka Connect is to run for a stream of changes."""
    capture = contract.capture
    if capture is None:
        raise ValueError(f"{contract.name} is no stream of changes")
    slot = capture.slot_of(contract.name)
    schema, _, table = capture.table.partition(".")
    return {
        STREAM: contract.name,
        URL_VARIABLE_OF: capture.url_variable,
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": address.host,
        "database.port": str(address.port),
        "database.dbname": address.database,
        "database.user": address.user,
        "database.password": f"${{env:{password_variable(capture.url_variable)}}}",
        "plugin.name": "pgoutput",
        "slot.name": slot,
        "publication.name": slot,
        "publication.autocreate.mode": "filtered",
        # By Debezium these are patterns, of whole names.
        "schema.include.list": re.escape(schema),
        "table.include.list": rf"{re.escape(schema)}\.{re.escape(table)}",
        # No new snapshot unasked: a lost slot is an error that names the way back.
        "snapshot.mode": "initial",
        "decimal.handling.mode": "string",
        "time.precision.mode": "isostring",
        # Truncates, too.
        "skipped.operations": "none",
        # Moves the slot on if other tables or databases write, and this one does not.
        "heartbeat.interval.ms": str(HEARTBEAT_SECONDS * 1000),
        "heartbeat.action.query": (
            f"SELECT pg_logical_emit_message(false, '{MESSAGE_PREFIX}', 'heartbeat')"
        ),
        # After a crash the database may take a while to notice that the slot is free.
        "slot.max.retries": "60",
        "slot.retry.delay.ms": "1000",
        "errors.max.retries": "-1",
        "retriable.restart.connector.wait.ms": "2000",
        "poll.interval.ms": "100",
        **_topics(contract, slot, capture.table),
    }


def _topics(contract: Contract, slot: str, table: str) -> Mapping[str, str]:
    """Where changes go: the stream's topic, of one partition, which has them in their order.

    Heartbeats and messages go to topics that keep them for an hour.
    """
    replication = Replication.from_environment()
    factor = str(replication.factor_for_brokers)
    return {
        "topic.prefix": slot,
        "topic.creation.default.replication.factor": factor,
        **{f"topic.creation.default.{name}": v for name, v in replication.topic_config.items()},
        "topic.creation.default.partitions": "1",
        "topic.creation.groups": "heartbeats",
        "topic.creation.heartbeats.include": f"__debezium-heartbeat.*|{re.escape(slot)}\\.message",
        "topic.creation.heartbeats.replication.factor": factor,
        "topic.creation.heartbeats.partitions": "1",
        "topic.creation.heartbeats.retention.ms": str(_HOUR_MS),
        "transforms": "route",
        "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.route.regex": re.escape(f"{slot}.{table}"),
        "transforms.route.replacement": contract.kafka_topic,
    }
