"""A home, its Dagster instance, a graph that fails on demand, and the sensor that watches it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.resource import KafkaResource
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from sensors.alerts import alerts_sensor
from social_assets.alerts.channels import URLS
from social_assets.alerts.dispatch import journal_of
from social_assets.alerts.journal import Journal
from social_assets.defs.stores import LAKE_URL, StoresResource
from social_assets.defs.stream_tag import FAILED_FILES_TAG
from tests.integration.alerts.receivers import Mailbox, Webhook, mailbox, webhook

DAILY = dg.DailyPartitionsDefinition("2026-01-01")
CONFIGURED = {"kafka": KafkaResource(), "stores": StoresResource(clickhouse=ClickHouseResource())}


@dataclass
class Platform:
    """The operations of the tests on an installation."""

    home: Home
    instance: dg.DagsterInstance
    failing: set[str] = field(default_factory=set)
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR

    @property
    def journal(self) -> Journal:
        return journal_of(self.home)

    @property
    def definitions(self) -> dg.Definitions:
        platform = self

        @dg.asset(key=["star", "posts"], owners=["team:content"], partitions_def=DAILY)
        def posts() -> None:
            if "asset" in platform.failing:
                raise ValueError("no such column: likes")

        @dg.asset_check(asset=["star", "posts"], name="keys_resolve")
        def keys_resolve() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(
                passed="check" not in platform.failing,
                severity=platform.severity,
                description="3 keys are in no dimension",
            )

        @dg.asset(key=["recsys", "als"], owners=["team:engagement"])
        def als() -> None:
            """A candidate."""

        @dg.asset_check(asset=["recsys", "als"], name="beats_popularity", blocking=True)
        def beats_popularity() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed="candidate" not in platform.failing)

        @dg.op
        def take() -> None:
            if "drain" in platform.failing:
                raise ConnectionError("the broker went away")

        @dg.job(tags={"stream": "posts"})
        def drain_posts() -> None:
            take()

        @dg.op
        def take_files(context) -> None:  # type: ignore[no-untyped-def]
            if "file" in platform.failing:
                context.instance.add_run_tags(context.run_id, {FAILED_FILES_TAG: "1"})
                raise ValueError("bad.csv: its header lacks post_id")
            if "load" in platform.failing:
                raise ConnectionError("no warehouse")

        @dg.job(tags={"social_assets/stream": "posts"})
        def load_files() -> None:
            take_files()

        return dg.Definitions(
            assets=[posts, als],
            asset_checks=[keys_resolve, beats_popularity],
            jobs=[
                drain_posts,
                load_files,
                dg.define_asset_job("rebuild_days", dg.AssetSelection.assets(posts)),
            ],
            sensors=[alerts_sensor()],
            resources=CONFIGURED,
        )

    def run(self, job: str, day: str | None = None) -> str:
        """Run a job to its end, with or without success; returns its id."""
        found = self.definitions.resolve_job_def(job)
        return found.execute_in_process(
            instance=self.instance, partition_key=day, raise_on_error=False
        ).run_id

    def materialize(self, *keys: list[str], day: str | None = None) -> str:
        job = self.definitions.resolve_implicit_global_asset_job_def()
        selected = [dg.AssetKey(key) for key in keys]
        return job.execute_in_process(
            instance=self.instance,
            asset_selection=selected,
            partition_key=day,
            raise_on_error=False,
        ).run_id

    def tick(self) -> str:
        """Run one tick of the sensor; returns its skip message. Raises the errors of the tick."""
        definitions = self.definitions
        (sensor,) = definitions.sensors or ()
        with dg.build_sensor_context(
            instance=self.instance,
            repository_def=definitions.get_repository_def(),
            resources=dict(CONFIGURED),
        ) as context:
            answer = sensor(context)
        assert isinstance(answer, dg.SkipReason)
        return answer.skip_message or ""


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    home = Home(tmp_path / "home")
    home.dagster.mkdir(parents=True)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
    for variable in (LAKE_URL, "SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS", "SOCIAL_ASSETS_UI_URL"):
        monkeypatch.delenv(variable, raising=False)
    with dg.DagsterInstance.local_temp(str(home.dagster)) as instance:
        yield Platform(home, instance)


@pytest.fixture
def receivers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def hook(receivers: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Webhook:
    """The channel of all alerts."""
    found = receivers.enter_context(webhook())
    monkeypatch.setenv(URLS, found.url())
    return found


@pytest.fixture
def mails(receivers: ExitStack) -> Mailbox:
    return receivers.enter_context(mailbox())
