"""The checks of lag and lost ranges, with a broker in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest
from dagster import AssetCheckEvaluation, AssetCheckSeverity

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.in_process_broker import MockBroker, mock_broker
from resources.kafka.resource import KafkaResource
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.settings.home import Home
from social_assets.cli.main import main
from social_assets.contracts.registry import contract, contracts
from social_assets.defs.ingestion.checks.topic_checks import (
    NO_RANGE_WAS_LOST,
    TOPIC_IS_DRAINED,
    gaps_result,
    lag_result,
)
from social_assets.defs.monitoring.topic_watch import CHECK_TOPICS
from social_assets.defs.stores import StoresResource
from social_assets.lake.gaps import MissingRange
from social_assets.locations.batch import defs
from social_assets.operate.quarantine import rejected_records
from social_assets.operate.runs.instance import open_instance
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.topics.drain import drain
from social_assets.pipeline.topics.topic_offsets import Starts
from social_assets.pipeline.topics.topic_source import Limits

POSTS = contract("posts")


@pytest.fixture
def broker(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockBroker]:
    """A broker that the environment names like a cluster."""
    with mock_broker() as broker:
        for name, value in broker.environment().items():
            monkeypatch.setenv(name, value)
        yield broker


def stream() -> StreamStores:
    return StoresResource(clickhouse=ClickHouseResource()).stores().of(POSTS)


def send(broker: MockBroker, records: int) -> None:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": broker.servers})
    for number in range(records):
        post = {"post_id": f"p{number}", "account_id": number % 2 or None, "platform": "X"}
        producer.produce(POSTS.kafka_topic, json.dumps(post), partition=number % 2)
    assert producer.flush(10) == 0


def checks(home: Home) -> Mapping[str, AssetCheckEvaluation]:
    """The results on raw/posts of the job that examines all topics."""
    with open_instance(home) as instance:
        job = defs().resolve_job_def(CHECK_TOPICS)
        result = job.execute_in_process(instance=instance)
    found = result.get_asset_check_evaluations()
    assert len(found) == 2 * len(contracts())
    return {e.check_name: e for e in found if e.asset_key.path == ["raw", "posts"]}


def test_without_a_broker_there_is_nothing_to_drain(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(BOOTSTRAP_SERVERS, raising=False)
    results = checks(home)
    assert results[TOPIC_IS_DRAINED].passed
    assert "no Kafka is named" in str(results[TOPIC_IS_DRAINED].description)
    assert results[NO_RANGE_WAS_LOST].passed


def test_a_broker_that_does_not_answer_fails_the_check_and_not_the_run(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("social_assets.defs.ingestion.checks.topic_checks.BROKER_SECONDS", 0.5)
    monkeypatch.setenv(BOOTSTRAP_SERVERS, "127.0.0.1:1")
    result = checks(home)[TOPIC_IS_DRAINED]
    assert not result.passed
    assert result.severity == AssetCheckSeverity.ERROR
    assert "127.0.0.1:1" in str(result.description)


def test_the_lag_is_what_the_topic_is_ahead_of_the_lake_and_gone_after_a_drain(
    home: Home, broker: MockBroker
) -> None:
    assert "there is no topic posts" in str(checks(home)[TOPIC_IS_DRAINED].description)
    send(broker, 30)
    metadata = checks(home)[TOPIC_IS_DRAINED].metadata
    assert metadata["lag"].value == 30
    rows = [record.data for record in metadata["partitions"].records]  # type: ignore[union-attr]
    assert [(r["in_the_lake"], r["end"], r["lag"]) for r in rows[:2]] == [(0, 15, 15)] * 2

    drain(stream(), KafkaResource(), lambda taken: None, Limits(quiet_seconds=0.5))
    metadata = checks(home)[TOPIC_IS_DRAINED].metadata
    assert metadata["lag"].value == 0
    rows = [record.data for record in metadata["partitions"].records]  # type: ignore[union-attr]
    assert [(r["in_the_lake"], r["end"]) for r in rows[:2]] == [(15, 15)] * 2

    letters = rejected_records("posts", 100)
    assert {(d.origin, d.partition) for d in letters} == {("posts", 0)}
    assert sorted(d.offset for d in letters) == list(range(15))
    assert {d.reasons for d in letters} == {("account_id_missing",)}


def test_a_lost_range_fails_until_somebody_has_dealt_with_it(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    gap = MissingRange("posts", "", 1, 5, 9, "deleted by the topic's retention before it was read")
    stream().gaps.record([gap, gap])
    result = checks(home)[NO_RANGE_WAS_LOST]
    assert not result.passed
    (row,) = result.metadata["missing_ranges"].records  # type: ignore[union-attr]
    assert (row.data["partition"], row.data["start"], row.data["end"]) == (1, 5, "9")

    main_ok("gaps", "posts")
    assert "1 of 1 recorded gaps are open" in capsys.readouterr().out
    main_ok("gaps", "posts", "--acknowledge")
    assert "1 of 1 recorded gaps acknowledged now" in capsys.readouterr().out
    result = checks(home)[NO_RANGE_WAS_LOST]
    assert result.passed
    assert result.metadata["recorded"].value == 1

    stream().gaps.record([gap])
    assert checks(home)[NO_RANGE_WAS_LOST].passed
    stream().gaps.record([MissingRange("posts", "", 1, 20, None, "the log was cut")])
    assert not checks(home)[NO_RANGE_WAS_LOST].passed


def main_ok(*arguments: str) -> None:
    try:
        main(list(arguments))
    except SystemExit as stopped:
        assert not stopped.code


class Ends:
    """The offsets of a topic of one partition with so many records."""

    topic, topic_id = "posts", ""

    def __init__(self, end: int) -> None:
        self.earliest = {0: 0}
        self.end = {0: end}


@pytest.mark.parametrize(
    ("lag", "passed", "severity"),
    [
        (POSTS.lag_warn_above, True, AssetCheckSeverity.WARN),
        (POSTS.lag_warn_above + 1, False, AssetCheckSeverity.WARN),
        (POSTS.lag_fail_above + 1, False, AssetCheckSeverity.ERROR),
    ],
)
def test_the_contract_says_which_lag_warns_and_which_fails(
    lag: int, passed: bool, severity: AssetCheckSeverity
) -> None:
    result = lag_result(POSTS, Ends(lag + 7), Starts({0: 7}, ()))
    assert (result.passed, result.severity) == (passed, severity)


def test_no_gap_at_all_passes() -> None:
    assert gaps_result([], 0).passed
