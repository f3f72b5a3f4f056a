"""The sensor of a drain, with a broker in this process, and the records of a drain's run."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from dagster import (
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    RunRequest,
    SensorResult,
    SkipReason,
    build_sensor_context,
)

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.in_process_broker import MockBroker, mock_broker
from resources.kafka.resource import KafkaResource, KafkaUnreachableError
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.settings.home import Home
from sensors import kafka_offsets
from sensors.file_arrival import UNDERWAY
from sensors.kafka_offsets import OFFSETS_TAG, back_off, kafka_offsets_sensor
from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contract
from social_assets.defs.ingestion.jobs.drain_job import drain_job_name
from social_assets.defs.stores import StoresResource
from social_assets.locations.streaming import defs
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.validate import rules

# A stream for each test, so that no test reads records of another.
EVENTS, POSTS = (contract(name) for name in ("engagement_events", "posts"))
TODAY = datetime.now(UTC)


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture
def broker(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockBroker]:
    """A broker that the environment names like a cluster."""
    with mock_broker() as broker:
        for name, value in broker.environment().items():
            monkeypatch.setenv(name, value)
        yield broker


def stores_of(stream: Contract) -> StreamStores:
    return StoresResource(clickhouse=ClickHouseResource()).stores().of(stream)


def tick(instance: DagsterInstance, stream: Contract) -> SensorResult | SkipReason:
    """Evaluate the stream's sensor once."""
    resources = {
        "kafka": KafkaResource(),
        "stores": StoresResource(clickhouse=ClickHouseResource()),
    }
    with build_sensor_context(instance=instance, resources=resources) as context:
        return kafka_offsets_sensor(stream)(context)  # type: ignore[return-value]


def request_of(answer: SensorResult | SkipReason) -> RunRequest:
    assert isinstance(answer, SensorResult), answer
    (request,) = answer.run_requests or []
    return request


def skipped(answer: SensorResult | SkipReason) -> str:
    assert isinstance(answer, SkipReason), answer
    return str(answer.skip_message)


def send(broker: MockBroker, stream: Contract, records: list[dict[str, object]]) -> None:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": broker.servers})
    for number, record in enumerate(records):
        producer.produce(stream.kafka_topic, json.dumps(record), partition=number % 2)
    assert producer.flush(10) == 0


def event(number: int, days_ago: int = 0) -> dict[str, object]:
    return {
        "event_id": f"e{number}",
        "event_time": (TODAY - timedelta(days=days_ago)).isoformat(),
        "account_id": 1,
        "post_id": "p",
        "user_id": "u",
        "metric_type": "like",
        "value": 1,
    }


def run_of(instance: DagsterInstance, stream: Contract, status: DagsterRunStatus) -> DagsterRun:
    """A run of the stream's drain in the given state."""
    job = defs().resolve_job_def(drain_job_name(stream))
    return instance.create_run_for_job(job, status=status)


def failed_run(instance: DagsterInstance, stream: Contract) -> None:
    instance.report_run_failed(run_of(instance, stream, DagsterRunStatus.STARTED))


def wait_after(instance: DagsterInstance, stream: Contract) -> float:
    return back_off(instance, runs_of(instance, stream)).total_seconds()


def runs_of(instance: DagsterInstance, stream: Contract) -> list[DagsterRun]:
    from dagster import RunsFilter

    return list(instance.get_runs(RunsFilter(job_name=drain_job_name(stream)), limit=8))


def test_without_a_broker_named_nothing_is_asked_for_and_it_says_how_to_name_one(
    home: Home, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(BOOTSTRAP_SERVERS, raising=False)
    assert BOOTSTRAP_SERVERS in skipped(tick(instance, EVENTS))


def test_a_tick_ends_in_time_and_names_the_setting_when_the_broker_is_away(
    home: Home, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_offsets, "BROKER_SECONDS", 0.5)
    monkeypatch.setenv(BOOTSTRAP_SERVERS, "127.0.0.1:1")
    started = time.monotonic()
    with pytest.raises(KafkaUnreachableError, match=BOOTSTRAP_SERVERS):
        tick(instance, EVENTS)
    assert time.monotonic() - started < 5


def test_a_topic_that_is_not_there_is_waited_for(
    instance: DagsterInstance, broker: MockBroker
) -> None:
    assert "no topic posts" in skipped(tick(instance, POSTS))


def test_lag_asks_for_one_run_and_for_another_as_long_as_it_lasts(
    instance: DagsterInstance, broker: MockBroker
) -> None:
    send(broker, POSTS, [{"post_id": "1", "account_id": 1}] * 3)
    for _ in range(2):
        request = request_of(tick(instance, POSTS))
        assert request.run_key is None
        assert request.tags == {"social_assets/stream": "posts", OFFSETS_TAG: "0:2,1:1,2:0,3:0"}


# A queued run needs a code location that queued it.
@pytest.mark.parametrize("status", [s for s in UNDERWAY if s != DagsterRunStatus.QUEUED])
def test_a_drain_under_way_is_not_joined_by_another(
    instance: DagsterInstance, broker: MockBroker, status: DagsterRunStatus
) -> None:
    send(broker, POSTS, [{"post_id": "1", "account_id": 1}])
    run = run_of(instance, POSTS, status)
    assert run.run_id in skipped(tick(instance, POSTS))


def test_a_run_whose_process_is_gone_is_reported_failed_and_followed_by_another(
    instance: DagsterInstance, broker: MockBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(broker, POSTS, [{"post_id": "1", "account_id": 1}])
    run = run_of(instance, POSTS, DagsterRunStatus.STARTED)
    stores = stores_of(POSTS)
    monkeypatch.setattr(kafka_offsets, "STARTING_SECONDS", 0)
    with stores.lock():
        assert run.run_id in skipped(tick(instance, POSTS))
    request_of(tick(instance, POSTS))
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status == DagsterRunStatus.FAILURE
    assert "the next one in" in skipped(tick(instance, POSTS))


def test_a_long_run_that_has_let_its_lock_go_and_still_records_is_not_taken_for_dead(
    instance: DagsterInstance, broker: MockBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(broker, POSTS, [{"post_id": "1", "account_id": 1}])
    run = run_of(instance, POSTS, DagsterRunStatus.STARTED)
    monkeypatch.setattr(kafka_offsets, "STARTING_SECONDS", 1.5)
    began = time.monotonic()
    while time.monotonic() - began < 2:
        instance.report_engine_event("recording", run)
        assert run.run_id in skipped(tick(instance, POSTS))
        time.sleep(0.1)


def test_failures_are_waited_after_twice_as_long_each_time_up_to_a_bound(
    instance: DagsterInstance,
) -> None:
    first, longest = (
        each.total_seconds()
        for each in (kafka_offsets.FIRST_BACK_OFF, kafka_offsets.LONGEST_BACK_OFF)
    )
    waits = []
    for _ in range(9):
        failed_run(instance, POSTS)
        waits.append(wait_after(instance, POSTS))
    expected = [min(first * 2**n, longest) for n in range(9)]
    assert waits == pytest.approx(expected, abs=2)
    assert expected[-1] == longest
    run_of(instance, POSTS, DagsterRunStatus.SUCCESS)
    assert wait_after(instance, POSTS) == 0
    failed_run(instance, POSTS)
    assert wait_after(instance, POSTS) == pytest.approx(first, abs=2)


def test_after_the_wait_a_drain_is_asked_for_again(
    instance: DagsterInstance, broker: MockBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(broker, POSTS, [{"post_id": "1", "account_id": 1}])
    failed_run(instance, POSTS)
    assert "the next one in" in skipped(tick(instance, POSTS))
    monkeypatch.setattr(kafka_offsets, "FIRST_BACK_OFF", timedelta())
    request_of(tick(instance, POSTS))


def test_a_run_records_exactly_the_days_it_changed_and_the_sensor_then_rests(
    instance: DagsterInstance, broker: MockBroker
) -> None:
    send(broker, EVENTS, [event(n, days_ago=3 * (n % 2)) for n in range(20)])
    request_of(tick(instance, EVENTS))
    job = defs().resolve_job_def(drain_job_name(EVENTS))
    config = {"ops": {"drain_engagement_events_topic": {"config": {"quiet_seconds": 0.5}}}}
    result = job.execute_in_process(instance=instance, run_config=config)
    recorded = {
        (event.asset_key.to_user_string(), event.partition)
        for event in result.all_events
        if event.event_type_value == "ASSET_MATERIALIZATION"
    }
    days = {(TODAY - timedelta(days=n)).date().isoformat() for n in (0, 3)}
    for key in ("raw/engagement_events", "cleaned/engagement_events", "star/fact_engagement"):
        assert {day for asset, day in recorded if asset == key} == days
    assert not any(asset.startswith("quarantine/") for asset, _ in recorded)
    checked = result.get_asset_check_evaluations()
    by_day = {e.partition for e in checked if e.check_name == "rows_equal_source"}
    assert by_day == {*days, None}, "each day that changed, and the check as a whole"
    rule_names = {rule.name for rule in rules(EVENTS)}
    assert rule_names <= {e.check_name for e in checked}, "no rule is left without a result"
    assert stores_of(EVENTS).cleaned.rows_by_day() == {date.fromisoformat(d): 10 for d in days}
    assert "the lake has all" in skipped(tick(instance, EVENTS))
    send(broker, EVENTS, [event(20)])
    request_of(tick(instance, EVENTS))


def test_a_drain_that_broke_off_is_followed_by_another_though_raw_has_all(
    instance: DagsterInstance, broker: MockBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_offsets, "FIRST_BACK_OFF", timedelta())
    monkeypatch.setattr(kafka_offsets, "_drained", {})
    run_of(instance, EVENTS, DagsterRunStatus.SUCCESS)
    send(broker, EVENTS, [event(30)])
    request_of(tick(instance, EVENTS))
    job = defs().resolve_job_def(drain_job_name(EVENTS))
    config = {"ops": {"drain_engagement_events_topic": {"config": {"quiet_seconds": 0.5}}}}
    assert job.execute_in_process(instance=instance, run_config=config).success
    failed_run(instance, EVENTS)
    request_of(tick(instance, EVENTS))
    run_of(instance, EVENTS, DagsterRunStatus.SUCCESS)
    assert "the lake has all" in skipped(tick(instance, EVENTS))
