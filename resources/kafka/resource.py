"""Kafka as a Dagster resource: offsets of topics, creating topics, committing group offsets.

Belongs here: small metadata queries with a time limit, for sensors, checks and people. Reading
records belongs to `social_assets.ingest.kafka.reader`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from dagster import ConfigurableResource

from resources.kafka.admin import KafkaUnreachableError, ask
from resources.kafka.replication import FACTOR, Replication
from resources.kafka.settings import (
    BOOTSTRAP_SERVERS,
    ClientSettings,
    KafkaSettings,
    KafkaSettingsError,
)

__all__ = [
    "KafkaRefusedError",
    "KafkaResource",
    "KafkaSettingsError",
    "KafkaUnreachableError",
    "TopicOffsets",
    "TopicReplicas",
]

_UNKNOWN_TOPIC = 3
_TOPIC_SECONDS = 30.0
_NO_CONFIG: Mapping[str, str] = MappingProxyType({})


class KafkaRefusedError(RuntimeError):
    """The cluster answers, but refuses the request; the text names it and the reason."""


@dataclass(frozen=True)
class TopicOffsets:
    """The offsets of one topic at one moment.

    `end` is the last stable offset of each partition: what a reader of committed records can reach
    now. An open transaction holds it back. Aborted records, and the markers at the end of
    transactions, are before it; the reader skips them, so its `next_offsets` always reach `end`.

    `topic_id` changes if the topic is deleted and created again; "" if brokers give none (before
    2.8, and librdkafka's in-process broker). Whoever lands records must compare it first.
    """

    topic: str
    topic_id: str
    earliest: Mapping[int, int] = field(repr=False)
    end: Mapping[int, int]


@dataclass(frozen=True)
class TopicReplicas:
    """Where the records of one topic are at one moment.

    `replicas` is the number of brokers that each partition is assigned to, of the partition with
    the fewest; `in_sync` is how many of them have all of it, of the worst partition; `behind` is
    the number of partitions that some replica lags behind, `leaderless` that nobody serves.
    """

    topic: str
    partitions: int
    replicas: int
    in_sync: int
    behind: int
    leaderless: int


class KafkaResource(ConfigurableResource):  # type: ignore[type-arg]
    """The cluster that the environment names, or else the home's broker.

    None of it is in run config, so that no password is stored with a run.
    """

    def is_configured(self) -> bool:
        """Whether servers are named, or the home has a broker of its own that was not stopped."""
        return KafkaSettings.from_environment() is not None

    def offsets(self, topic: str, timeout_seconds: float = 5.0) -> TopicOffsets | None:
        """First and end offset of each partition; None if there is no such topic.

        It answers within the timeout, or raises KafkaUnreachableError. It takes 2.6 ms of CPU with
        four partitions.
        """
        return ask(
            self._settings(),
            f"asking for the offsets of topic {topic}",
            timeout_seconds,
            lambda admin: _offsets(admin, topic),
        )

    def topic_id(self, topic: str, timeout_seconds: float = 5.0) -> str | None:
        """The topic's present id, "" where brokers give none; None if there is no such topic."""
        return ask(
            self._settings(),
            f"asking for the id of topic {topic}",
            timeout_seconds,
            lambda admin: _topic_id(admin, topic),
        )

    def replicas(self, topic: str, timeout_seconds: float = 5.0) -> TopicReplicas | None:
        """How many brokers have the topic now; None if there is no such topic."""
        return ask(
            self._settings(),
            f"asking for the replicas of topic {topic}",
            timeout_seconds,
            lambda admin: _replicas(admin, topic),
        )

    def create_topic(
        self, topic: str, partitions: int = 4, config: Mapping[str, str] = _NO_CONFIG
    ) -> None:
        """Make the topic unless it exists; one that exists stays as it is.

        It is replicated as the environment says, unless `config` says otherwise. Raises
        KafkaRefusedError if the cluster won't have it.
        """
        replication = Replication.from_environment()
        ask(
            self._settings(),
            f"making topic {topic}",
            _TOPIC_SECONDS,
            lambda admin: _create(admin, topic, partitions, config, replication),
        )

    def commit(
        self,
        group: str,
        topic: str,
        offsets: Mapping[int, int],
        timeout_seconds: float = _TOPIC_SECONDS,
    ) -> None:
        """Commit a consumer group's offsets, for the tools that show operators its lag.

        The platform does not read them. Raises KafkaRefusedError, for example if the group has live
        members.
        """
        ask(
            self._settings(),
            f"committing offsets of group {group} on topic {topic}",
            timeout_seconds,
            lambda admin: _commit(admin, group, topic, offsets),
        )

    def client_settings(self) -> ClientSettings:
        """Settings for librdkafka, secrets included; as text they are hidden."""
        return self._settings().for_librdkafka()

    def _settings(self) -> KafkaSettings:
        settings = KafkaSettings.from_environment()
        if settings is None:
            raise KafkaSettingsError(
                f"no Kafka is named: set {BOOTSTRAP_SERVERS}, or start the home's own broker with "
                "`social-assets kafka start`"
            )
        return settings


def _describe(admin: Any, topic: str) -> Mapping[str, Any] | None:
    from kafka.errors import for_code

    (described,) = admin.describe_topics([topic])
    if described["error_code"] == _UNKNOWN_TOPIC:
        return None
    if described["error_code"]:
        raise for_code(described["error_code"])(f"topic {topic}")
    return described  # type: ignore[no-any-return]


def _topic_id(admin: Any, topic: str) -> str | None:
    described = _describe(admin, topic)
    return None if described is None else str(described.get("topic_id") or "")


def _replicas(admin: Any, topic: str) -> TopicReplicas | None:
    described = _describe(admin, topic)
    if described is None:
        return None
    partitions = described["partitions"]
    return TopicReplicas(
        topic,
        partitions=len(partitions),
        replicas=min(len(p["replica_nodes"]) for p in partitions),
        in_sync=min(len(p["isr_nodes"]) for p in partitions),
        behind=sum(len(p["isr_nodes"]) < len(p["replica_nodes"]) for p in partitions),
        leaderless=sum(p["leader_id"] < 0 for p in partitions),
    )


def _offsets(admin: Any, topic: str) -> TopicOffsets | None:
    from kafka.errors import UnknownTopicOrPartitionError
    from kafka.protocol.consumer import OffsetSpec
    from kafka.structs import TopicPartition

    described = _describe(admin, topic)
    if described is None:
        return None
    numbers = sorted(p["partition_index"] for p in described["partitions"])
    partitions = [TopicPartition(topic, number) for number in numbers]
    try:
        first = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
        end = admin.list_partition_offsets(
            dict.fromkeys(partitions, OffsetSpec.LATEST), isolation_level="read_committed"
        )
    except UnknownTopicOrPartitionError:
        # Deleted between the two questions.
        return None
    return TopicOffsets(
        topic,
        str(described.get("topic_id") or ""),
        {p.partition: first[p].offset for p in partitions},
        {p.partition: end[p].offset for p in partitions},
    )


def _create(
    admin: Any,
    topic: str,
    partitions: int,
    config: Mapping[str, str],
    replication: Replication,
) -> None:
    from kafka.errors import (
        BrokerResponseError,
        InvalidReplicationFactorError,
        RetriableError,
        TopicAlreadyExistsError,
    )

    wanted = {
        "num_partitions": partitions,
        "replication_factor": replication.factor_for_brokers,
        "configs": {**replication.topic_config, **config},
    }
    try:
        admin.create_topics({topic: wanted}, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        # Fine: another process created it.
        return
    except InvalidReplicationFactorError as error:
        raise KafkaRefusedError(
            f"the cluster refuses to make topic {topic} with {replication.factor or 'its own'} "
            f"replicas: fewer brokers are up ({error}). Start those that are down, or set {FACTOR} "
            "to the number of brokers"
        ) from error
    except BrokerResponseError as error:
        if isinstance(error, RetriableError):
            raise
        raise KafkaRefusedError(f"the cluster refuses to make topic {topic}: {error}") from error


def _commit(admin: Any, group: str, topic: str, offsets: Mapping[int, int]) -> None:
    from kafka.errors import NoError, RetriableError, UnknownTopicOrPartitionError
    from kafka.structs import OffsetAndMetadata, TopicPartition

    told = {
        TopicPartition(topic, number): OffsetAndMetadata(offset, "", None)
        for number, offset in offsets.items()
    }
    answers = admin.alter_group_offsets(group, told)
    errors = {p.partition: e for p, e in answers.items() if e is not NoError}
    if UnknownTopicOrPartitionError in errors.values():
        # kafka-python would have it tried again: a topic that was deleted does not come back.
        raise KafkaRefusedError(f"offsets of group {group}: there is no topic {topic} any more")
    passing = next((e for e in errors.values() if issubclass(e, RetriableError)), None)
    if passing is not None:
        raise passing(f"group {group}")
    if errors:
        refused = {partition: error.__name__ for partition, error in errors.items()}
        raise KafkaRefusedError(
            f"offsets of group {group} on topic {topic} were refused, by partition: {refused}"
        )
