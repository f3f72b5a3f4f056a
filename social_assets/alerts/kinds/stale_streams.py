"""Active alerts of streams: streams without new days, and topics that the lake falls behind.

They are read directly from lake and broker, because a check that no longer runs never fails. If the
lake or the broker does not answer, that is an alert itself, and the earlier alerts remain active.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial

from dagster import AssetCheckSeverity

from resources.kafka.resource import KafkaResource
from social_assets.alerts.active import ActiveAlert, FailureKind, Observation, Severity
from social_assets.contracts.contract import Contract
from social_assets.defs.ingestion.checks import freshness_checks as freshness
from social_assets.defs.ingestion.checks.freshness_checks import span
from social_assets.defs.stores import StoresResource

BROKER_SECONDS = 5.0


def observe_streams(
    contracts: Iterable[Contract], stores: StoresResource, kafka: KafkaResource
) -> Observation:
    """Staleness and lag of every stream."""
    listed = list(contracts)
    looks = [_look(f"stale/{c.name}", c, partial(_stale, c, stores)) for c in listed]
    if kafka.is_configured():
        looks += _lags(listed, stores, kafka)
    return Observation.of(looks)


def _lags(
    contracts: Iterable[Contract], stores: StoresResource, kafka: KafkaResource
) -> list[Observation]:
    """The lag of each topic. After one timeout, the broker is not asked about further topics."""
    looks = []
    for contract in contracts:
        key = f"lag/{contract.name}"
        looks.append(_look(key, contract, partial(_behind, contract, stores, kafka)))
        if looks[-1].blind:
            return [*looks[:-1], _unreachable(looks[-1])]
    return looks


def _unreachable(look: Observation) -> Observation:
    (failure,) = look.active
    return Observation(
        (
            ActiveAlert(
                key="blind/lag",
                kind=FailureKind.BLIND,
                severity=Severity.ERROR,
                title="Kafka lag cannot be watched",
                detail=failure.detail,
                remedy="start the broker or correct its settings; `social-assets doctor` tries it",
            ),
        ),
        blind=("lag/",),
    )


def _look(key: str, contract: Contract, find: Callable[[], ActiveAlert | None]) -> Observation:
    from deltalake.exceptions import DeltaError

    try:
        found = find()
    except (OSError, RuntimeError, ValueError, DeltaError) as error:
        blind = ActiveAlert(
            key=f"blind/{key}",
            kind=FailureKind.BLIND,
            severity=Severity.ERROR,
            title=f"{key} cannot be watched",
            owner=contract.owner,
            detail=" ".join(str(error).split())[:300],
            remedy="correct what the message names, then run `social-assets doctor`",
            asset=f"raw/{contract.name}",
        )
        return Observation((blind,), blind=(key,))
    return Observation((found,) if found else ())


def _stale(contract: Contract, stores: StoresResource) -> ActiveAlert | None:
    """The alert of a stale stream; none for a stream that never had a row."""
    days = stores.stores().of(contract).cleaned.rows_by_day()
    newest = max((day for day, rows in days.items() if rows), default=None)
    if newest is None:
        return None
    now = datetime.now(UTC)
    result = freshness.freshness_result(contract.freshness, newest, now)
    if result.passed:
        return None
    is_severe = result.severity is AssetCheckSeverity.ERROR
    limit = contract.freshness.fail_after if is_severe else contract.freshness.warn_after
    behind = freshness.behind(newest, now)
    return ActiveAlert(
        key=f"stale/{contract.name}",
        kind=FailureKind.STALE,
        severity=Severity.ERROR if is_severe else Severity.WARN,
        title=f"{contract.name} is stale since {newest}",
        owner=contract.owner,
        detail=f"the newest day with rows, {newest}, ended {span(behind)} ago: more than "
        f"{span(limit)}",
        remedy=f"find out why no newer files or records arrive: `social-assets status`, then "
        f"`social-assets gaps {contract.name}`",
        asset=f"cleaned/{contract.name}",
        check="fresh",
    )


def _behind(contract: Contract, stores: StoresResource, kafka: KafkaResource) -> ActiveAlert | None:
    # Imported here: Delta is needed only where a topic is there.
    from social_assets.pipeline.topics.topic_offsets import starts

    there = kafka.offsets(contract.kafka_topic, BROKER_SECONDS)
    if there is None:
        return None
    lag = starts(stores.stores().of(contract).raw, there).lag(there)
    if lag <= contract.lag_warn_above:
        return None
    is_severe = lag > contract.lag_fail_above
    limit = contract.lag_fail_above if is_severe else contract.lag_warn_above
    return ActiveAlert(
        key=f"lag/{contract.name}",
        kind=FailureKind.LAG,
        severity=Severity.ERROR if is_severe else Severity.WARN,
        title=f"{contract.name} lags behind its topic",
        owner=contract.owner,
        detail=f"topic {contract.kafka_topic} is {lag:,} offsets ahead of the lake, over the "
        f"contract's {limit:,}",
        remedy=f"see whether the drain of {contract.name} runs and what it takes: "
        "`social-assets status`; `social-assets doctor` tries Kafka",
        asset=f"raw/{contract.name}",
    )
