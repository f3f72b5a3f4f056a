"""How far the lake is behind a stream's topic, and which ranges are lost: checks of raw.

Belongs here: both checks. The lag, and the ranges that cannot be read, are found by
`pipeline.topic_offsets`, as for the sensor and the drain.
"""

from dagster import (
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    MetadataValue,
    TableRecord,
    asset_check,
)

from resources.kafka.resource import KafkaResource, KafkaUnreachableError, TopicOffsets
from resources.kafka.settings import BOOTSTRAP_SERVERS
from social_assets.contracts.contract import Contract
from social_assets.defs.stores import StoresResource
from social_assets.lake.gaps import MissingRange
from social_assets.pipeline.topics.topic_offsets import Starts, starts

TOPIC_IS_DRAINED = "topic_is_drained"
NO_RANGE_WAS_LOST = "no_range_was_lost"
BROKER_SECONDS = 10.0


def topic_is_drained(contract: Contract) -> AssetChecksDefinition:
    """The topic is not further ahead of the lake than the contract allows."""

    @asset_check(
        asset=["raw", contract.name],
        name=TOPIC_IS_DRAINED,
        description=(
            f"Topic {contract.kafka_topic} is at most {contract.lag_warn_above:,} offsets ahead of "
            f"the lake (error above {contract.lag_fail_above:,})"
        ),
    )
    def check(kafka: KafkaResource, stores: StoresResource) -> AssetCheckResult:
        if not kafka.is_configured():
            return AssetCheckResult(
                passed=True,
                description=f"no Kafka is named in {BOOTSTRAP_SERVERS}: there is nothing to drain",
            )
        try:
            there = kafka.offsets(contract.kafka_topic, BROKER_SECONDS)
        except KafkaUnreachableError as error:
            # A failed check, not a crash: if the brokers are away, a backfill must not fail.
            return AssetCheckResult(passed=False, description=f"the lag is not known: {error}")
        if there is None:
            return AssetCheckResult(
                passed=True,
                description=f"there is no topic {contract.kafka_topic}: there is nothing to drain",
            )
        return lag_result(contract, there, starts(stores.stores().of(contract).raw, there))

    return check


def lag_result(contract: Contract, there: TopicOffsets, begin: Starts) -> AssetCheckResult:
    """Compare how far the broker is ahead with the contract's limits."""
    lag = begin.lag(there)
    severe = lag > contract.lag_fail_above
    partitions = [
        TableRecord(
            {
                "partition": partition,
                "earliest": there.earliest[partition],
                "in_the_lake": start,
                "end": there.end[partition],
                "lag": max(0, there.end[partition] - start),
            }
        )
        for partition, start in sorted(begin.offsets.items())
    ]
    return AssetCheckResult(
        passed=lag <= contract.lag_warn_above,
        severity=AssetCheckSeverity.ERROR if severe else AssetCheckSeverity.WARN,
        description=f"topic {there.topic} is {lag:,} offsets ahead of the lake",
        metadata={
            "lag": MetadataValue.int(lag),
            "partitions": MetadataValue.table(partitions)
            if partitions
            else MetadataValue.text("none"),
        },
    )


def no_range_was_lost(contract: Contract) -> AssetChecksDefinition:
    """No range of the topic was lost before it was read, except acknowledged ones."""

    @asset_check(
        asset=["raw", contract.name],
        name=NO_RANGE_WAS_LOST,
        description=(
            f"Every offset of topic {contract.kafka_topic} was read before the brokers deleted it. "
            f"Fails until `social-assets gaps {contract.name} --acknowledge` says that somebody "
            "has dealt with what is missing"
        ),
    )
    def check(stores: StoresResource) -> AssetCheckResult:
        gaps = stores.stores().of(contract).gaps
        return gaps_result(gaps.unacknowledged(), len(gaps.all()))

    return check


def gaps_result(unacknowledged: list[MissingRange], recorded: int) -> AssetCheckResult:
    """Passes if every lost range is acknowledged; `recorded` counts all that were ever lost."""
    metadata: dict[str, MetadataValue] = {
        "recorded": MetadataValue.int(recorded),
        "unacknowledged": MetadataValue.int(len(unacknowledged)),
    }
    if unacknowledged:
        metadata["missing_ranges"] = MetadataValue.table(
            [
                TableRecord(
                    {
                        "topic": gap.topic,
                        "partition": gap.partition,
                        "start": gap.start,
                        "end": "unknown" if gap.end is None else str(gap.end),
                        "reason": gap.reason,
                    }
                )
                for gap in unacknowledged
            ]
        )
    lost = f"{len(unacknowledged)} ranges of the topic were gone before they were read"
    return AssetCheckResult(
        passed=not unacknowledged,
        description=lost if unacknowledged else None,
        metadata=metadata,
    )
