"""The server: uvicorn with the receiver, until it is asked to end.

Belongs here: putting the parts together, and ending in order. Several processes belong to
`processes`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import uvicorn

from resources.web.listening import UvicornServer, end_with, listening, uvicorn_config
from social_assets.control.collection.webhook_secrets import WebhookSecretStore
from social_assets.control.engine import open_engine
from social_assets.ingest.webhooks.events import STREAMS
from social_assets.serving.webhooks.bodies import BodyLimits
from social_assets.serving.webhooks.group_commit import DurableLog, GroupCommit
from social_assets.serving.webhooks.kafka_log import KafkaLog
from social_assets.serving.webhooks.landing_segments import LandingSegments
from social_assets.serving.webhooks.receiver import WebhookReceiver
from social_assets.serving.webhooks.secrets_in_force import SecretsInForce
from social_assets.serving.webhooks.settings import WebhookSettings


def serve_webhooks(settings: WebhookSettings, announce: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Deliveries that are under way are answered. Raises ServeError if the port is taken,
    ControlStoreError or SecretKeyError if the secrets cannot be read, KafkaUnreachableError.
    """
    with listening(settings.host, settings.port) as listener:
        serve_at(settings, prepare(settings), [listener], announce)


def prepare(settings: WebhookSettings) -> Mapping[str, str]:
    """Do once what must be done before any process serves: read the secrets, make the topics.

    Returns the topics by stream, so that the processes need no contracts; none without Kafka.
    """
    engine = open_engine(settings.home)
    SecretsInForce(WebhookSecretStore(engine, settings.home)).read()
    engine.dispose()
    if settings.kafka is None:
        return {}
    from resources.kafka.resource import KafkaResource
    from social_assets.contracts.registry import contract

    topics = {stream: contract(stream).kafka_topic for stream in STREAMS}
    for topic in topics.values():
        KafkaResource().create_topic(topic)
    return topics


def serve_at(
    settings: WebhookSettings,
    topics: Mapping[str, str],
    listeners: Sequence[socket.socket],
    announce: Callable[[], None],
    ends_with: int | None = None,
) -> None:
    """Serve at sockets that listen already, until a signal or the end of the pipe `ends_with`.

    `topics` are those of `prepare`.
    """
    engine = open_engine(settings.home)
    secrets = SecretsInForce(WebhookSecretStore(engine, settings.home))
    secrets.read()
    log = _log_of(settings, topics)

    async def run(server: uvicorn.Server, commit: GroupCommit) -> None:
        commit.start()
        beside = [asyncio.create_task(each) for each in (secrets.keep_reading(), limits.end_slow())]
        try:
            await server.serve(sockets=[*listeners])
        finally:
            for task in beside:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await commit.close()

    commit = GroupCommit(log)
    limits = BodyLimits(
        settings.most_body_bytes, settings.body_seconds, settings.most_waiting_bytes
    )
    receiver = WebhookReceiver(secrets, commit, limits, settings.names)
    config = uvicorn_config(receiver, "off", has_date=False)
    server = UvicornServer(config)
    if ends_with is not None:
        end_with(server, ends_with)
    announce()
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(run(server, commit))
    engine.dispose()


def _log_of(settings: WebhookSettings, topics: Mapping[str, str]) -> DurableLog:
    if settings.kafka is not None:
        return KafkaLog(settings.kafka, topics)
    segments = LandingSegments(settings.home.landing, settings.seal_seconds)
    segments.recover(STREAMS)
    return segments
