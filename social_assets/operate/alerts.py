"""Alerts from the command line: test every channel, and show active alerts without
telling anyone.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.resource import KafkaResource
from resources.settings.environments import current
from resources.settings.home import Home
from social_assets.alerts.active import ActiveAlert, FailureKind, Severity
from social_assets.alerts.changes import Changes
from social_assets.alerts.channels import Routing
from social_assets.alerts.deliver import deliver
from social_assets.alerts.dispatch import journal_of
from social_assets.alerts.message import Message
from social_assets.defs.stores import StoresResource
from social_assets.operate.runs.instance import open_instance
from social_assets.operate.runs.locations import Location


@dataclass(frozen=True)
class Tried:
    """A channel's answer to the test; `error` is "" if it accepted it."""

    channel: str
    error: str


@dataclass(frozen=True)
class ShownAlert:
    """An active alert, and the channels that were told."""

    failure: ActiveAlert
    concerned: tuple[str, ...]
    told: tuple[str, ...]


def try_channels(home: Home) -> list[Tried]:
    """Send a test alert to every channel. A success ends the channel's pause after failures.

    Raises AlertUrlError if a variable does not hold a URL.
    """
    words = Message(
        f"[social-assets {current()}] test",
        "This is a test, sent by `social-assets alerts test`. Nothing has failed.",
        Severity.WARN,
    )
    channels = Routing.from_environment().channels
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda channel: deliver(channel, words), channels))
    journal = journal_of(home)
    for channel, error in zip(channels, answers, strict=True):
        if not error:
            journal.record_delivered(channel, Changes((), ()), time.time())
    return [Tried(c.name, error) for c, error in zip(channels, answers, strict=True)]


def active_alerts(home: Home) -> list[ShownAlert]:
    """The active alerts now, found in the same way as by the sensor."""
    from social_assets.alerts.kinds.failed_runs import reason_of
    from social_assets.alerts.observe import observe

    routing, journal = Routing.from_environment(), journal_of(home)
    stores = StoresResource(clickhouse=ClickHouseResource())
    repository = Location.BATCH.definitions().get_repository_def()
    with open_instance(home) as instance:
        observed = observe(instance, repository, stores, KafkaResource(), journal)
        reasons = {
            failure.run_id: reason_of(instance, failure.run_id)
            for failure in observed.active
            if failure.kind is FailureKind.RUN
        }
    known = {channel: set(journal.told(channel)) for channel in routing.channels}
    return [
        ShownAlert(
            replace(failure, detail=reasons.get(failure.run_id) or failure.detail)
            if failure.kind is FailureKind.RUN
            else failure,
            concerned=tuple(c.name for c in known if c.id in routing.of(failure)),
            told=tuple(c.name for c, keys in known.items() if failure.key in keys),
        )
        for failure in observed.active
    ]
