"""When the sensor of a platform asks for a run: what is due, what runs, what has failed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    RunRequest,
    SensorResult,
    SkipReason,
    build_sensor_context,
)

from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from sensors.collection import collection_sensor, why_to_wait
from social_assets.control.accounts import Account
from social_assets.control.collection.schedule import CollectionPlan
from social_assets.control.collection.tracked_account import Collected
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.control.engine import open_engine
from social_assets.defs.collection.collect_job import collect_jobs
from social_assets.ingest.connectors.registry import connector_of

X = connector_of("x")
JOB = next(job for job in collect_jobs() if job.name == "collect_x")


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "home"))
    return Home(tmp_path / "home")


@pytest.fixture
def tracked(own_home: Home) -> Iterator[TrackedAccounts]:
    engine = open_engine(own_home)
    yield TrackedAccounts(engine)
    engine.dispose()


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as found:
        yield found


def why(instance: DagsterInstance, home: Home, later: timedelta = timedelta()) -> str | None:
    return why_to_wait(instance, home, X, datetime.now(UTC) + later)


def run(instance: DagsterInstance, status: DagsterRunStatus) -> None:
    instance.create_run_for_job(JOB, status=status)


def test_a_home_without_accounts_is_not_opened(instance: DagsterInstance, own_home: Home) -> None:
    assert "nothing is due" in str(why(instance, own_home))
    assert not own_home.path.exists()


def test_an_account_is_collected_once_tracked_and_again_when_it_is_due(
    instance: DagsterInstance, own_home: Home, tracked: TrackedAccounts
) -> None:
    tracked.track(Account("X", "1"), CollectionPlan())
    assert why(instance, own_home) is None
    tracked.ensure_endpoints("X", "1", [("user", False)])
    assert why(instance, own_home) is None
    tracked.finish([Collected("X", "1", "user", "", None, None, datetime.now(UTC))])
    assert "nothing is due" in str(why(instance, own_home))
    assert why(instance, own_home, timedelta(hours=1)) is None


def test_one_run_at_a_time_collects_from_a_platform(
    instance: DagsterInstance, own_home: Home, tracked: TrackedAccounts
) -> None:
    tracked.track(Account("X", "1"), CollectionPlan())
    run(instance, DagsterRunStatus.STARTED)
    assert "is collecting from X" in str(why(instance, own_home))


def test_after_a_failure_it_waits(
    instance: DagsterInstance, own_home: Home, tracked: TrackedAccounts
) -> None:
    tracked.track(Account("X", "1"), CollectionPlan())
    run(instance, DagsterRunStatus.FAILURE)
    assert "the last collection failed" in str(why(instance, own_home))


def test_the_sensor_asks_for_a_run_of_its_platform(
    instance: DagsterInstance, own_home: Home, tracked: TrackedAccounts
) -> None:
    ask = collection_sensor(X)
    skipped = ask(build_sensor_context(instance=instance))
    assert isinstance(skipped, SkipReason)
    tracked.track(Account("X", "1"), CollectionPlan())
    asked = ask(build_sensor_context(instance=instance))
    assert isinstance(asked, SensorResult)
    (request,) = asked.run_requests or ()
    assert isinstance(request, RunRequest)
    assert request.tags == {"social_assets/platform": "X"}
