"""Tells people what has failed and what has recovered.

Every 30 seconds it looks at runs, checks, freshness and lag, and tells each channel what has
changed. What each channel was told is in the home's journal, not in a cursor, so that a failed tick
or a killed daemon neither repeats nor forgets an alert. If a channel refuses its alert, the tick
fails and names the channel, which is tried again with growing pauses.
"""

from functools import partial

from dagster import (
    DefaultSensorStatus,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)

from resources.kafka.resource import KafkaResource
from resources.settings.environments import current
from resources.settings.home import Home
from social_assets.alerts.channels import URLS, Routing
from social_assets.alerts.dispatch import dispatch, journal_of
from social_assets.alerts.kinds.failed_runs import reason_of
from social_assets.alerts.observe import observe
from social_assets.defs.stores import StoresResource

NAME = "alerts"
INTERVAL_SECONDS = 30


def alerts_sensor() -> SensorDefinition:
    """The sensor of all alerts. It requests no runs."""

    @sensor(
        name=NAME,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description=f"Tells the channels of {URLS} what fails, once, and when it is well again",
    )
    def alerts(
        context: SensorEvaluationContext, stores: StoresResource, kafka: KafkaResource
    ) -> SkipReason:
        routing = Routing.from_environment()
        if not routing.channels:
            return SkipReason(f"nobody is told: set {URLS} to URLs of Apprise")
        repository = context.repository_def
        if repository is None:
            raise RuntimeError("the sensor runs outside of a code location: start it in Dagster")
        journal = journal_of(Home.from_environment())
        observed = observe(context.instance, repository, stores, kafka, journal)
        reason = partial(reason_of, context.instance)
        held = dispatch(observed, routing, journal, place=current().value, reason=reason)
        held.raise_refused()
        return SkipReason(held.summary())

    return alerts
