"""The daemon of a new home logs no warning, and retries the same runs as later."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._daemon.auto_run_reexecution import event_log_consumer

from resources.settings.home import Home
from social_assets.operate.runs.instance import open_instance
from social_assets.operate.ui.webserver import begin_retries_here


@dg.op
def nothing() -> None:
    """A step."""


@dg.job
def one_run() -> None:
    """A run."""
    nothing()


def iterate(instance: dg.DagsterInstance) -> None:
    context: Any = SimpleNamespace(instance=instance)
    list(event_log_consumer.EventLogConsumerDaemon().run_iteration(context))


def positions(instance: dg.DagsterInstance) -> dict[str, str]:
    create = vars(event_log_consumer)["_create_cursor_key"]
    keys = {create(each) for each in event_log_consumer.DAGSTER_EVENT_TYPES}
    return dict(instance.daemon_cursor_storage.get_cursor_values(keys))


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    for variable in ("DAGSTER_HOME", "SOCIAL_ASSETS_HOME"):
        monkeypatch.setenv(variable, "")
    with open_instance(Home(tmp_path)) as found:
        yield found


def test_the_daemon_of_a_new_home_does_not_warn(
    instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    one_run.execute_in_process(instance=instance)
    newest = instance.event_log_storage.get_maximum_record_id()
    begin_retries_here(instance)
    assert set(positions(instance).values()) == {str(newest)}
    iterate(instance)
    # Threads of Kafka clients that other tests have left may warn meanwhile.
    told = [each.getMessage() for each in caplog.records if not each.name.startswith("kafka.")]
    assert told == []


def test_a_run_that_ends_between_two_starts_of_the_daemon_is_still_looked_at(
    instance: dg.DagsterInstance,
) -> None:
    begin_retries_here(instance)
    before = positions(instance)
    one_run.execute_in_process(instance=instance)
    begin_retries_here(instance)
    assert positions(instance) == before
