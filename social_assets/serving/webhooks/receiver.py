"""The application: verifies what the platforms send, and answers when it is durable.

Belongs here: the order of the checks, and the status of each answer. How a platform signs and what
it says belongs to `ingest.webhooks`; storing belongs to `group_commit`.

200 means that every event of the delivery is stored. Everything else has stored nothing that the
sender may rely on, and the platform sends it again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qsl

from resources.web.answers import SAFE_HEADERS
from resources.web.asgi import Receive, Scope, Send
from resources.web.requests import host_problem
from social_assets.control.collection.webhook_secrets import WebhookSecrets
from social_assets.ingest.webhooks.registry import WEBHOOKS
from social_assets.ingest.webhooks.webhook import (
    ChallengeAnswer,
    ChallengeRefusedError,
    DeliveryUnreadableError,
    SignatureMissingError,
    SignatureWrongError,
    Webhook,
)
from social_assets.serving.webhooks.bodies import BodyLimits, BodyRefusedError, SenderGoneError
from social_assets.serving.webhooks.group_commit import GroupCommit, NotDurableError
from social_assets.serving.webhooks.secrets_in_force import SecretsInForce

_log = logging.getLogger(__name__)

LARGEST_EVENT = 900_000
"""Bytes of one event: brokers take messages of a little more, by default."""

_FIXED = (*SAFE_HEADERS, (b"cache-control", b"no-store"))
_NO_BODY = [(b"content-length", b"0")]
_TAKEN = ChallengeAnswer(b"")


class _RefusedError(Exception):
    """A request is refused with a status; the text goes to the sender."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class WebhookReceiver:
    """An ASGI application. `names` are the host names by which it may be asked."""

    def __init__(
        self,
        secrets: SecretsInForce,
        commit: GroupCommit,
        limits: BodyLimits,
        names: Collection[str],
    ) -> None:
        self._secrets = secrets
        self._commit = commit
        self._limits = limits
        self._names = names
        self._webhooks = {each.path: each for each in WEBHOOKS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            answer = await self._answered(scope, receive)
        except SenderGoneError:
            return
        except _RefusedError as refused:
            _log.info(
                "%s %s is refused: %s",
                *(scope["method"], scope["path"], refused),
                extra={"status": refused.status},
            )
            await _send(send, refused.status, ChallengeAnswer(f"{refused}\n".encode()))
            return
        await _send(send, 200, answer)

    async def _answered(self, scope: Scope, receive: Receive) -> ChallengeAnswer:
        headers = scope["headers"]
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if (problem := host_problem(hosts, self._names)) is not None:
            raise _RefusedError(403, problem)
        webhook = self._webhooks.get(scope["path"])
        secrets = None if webhook is None else self._secrets.of(webhook.platform)
        if webhook is None or secrets is None:
            if webhook is not None:
                _log.warning(
                    "%s sends webhooks, and no secret of it is stored: give it to "
                    "`social-assets webhooks secret %s`",
                    *(webhook.platform, webhook.platform.lower()),
                )
            raise _RefusedError(404, "nothing is received at this path")
        if scope["method"] == "POST":
            await self._take(webhook, secrets, scope, receive)
            return _TAKEN
        if scope["method"] == "GET" and webhook.answer is not None:
            try:
                return webhook.answer(_query(scope), secrets)
            except ChallengeRefusedError as error:
                raise _RefusedError(403, str(error)) from None
        raise _RefusedError(405, f"{scope['method']} is not taken here")

    async def _take(
        self, webhook: Webhook, secrets: WebhookSecrets, scope: Scope, receive: Receive
    ) -> None:
        """Return when all events of a delivery are durable. Raises _RefusedError."""
        headers = scope["headers"]
        try:
            body = await self._limits.read(headers, receive)
        except BodyRefusedError as error:
            raise _RefusedError(error.status, str(error)) from None
        try:
            now = time.time()
            webhook.check(headers, body, secrets.secret, now)
            events = webhook.events(body, datetime.fromtimestamp(now, UTC))
            if any(len(event.value) > LARGEST_EVENT for event in events):
                raise _RefusedError(413, f"an event has more than {LARGEST_EVENT} bytes")
            if events:
                await self._commit.store(events)
        except SignatureMissingError as error:
            raise _RefusedError(401, str(error)) from None
        except SignatureWrongError as error:
            raise _RefusedError(403, str(error)) from None
        except DeliveryUnreadableError as error:
            raise _RefusedError(400, str(error)) from None
        except NotDurableError:
            # The reason is in the log: it is none of the sender's business.
            raise _RefusedError(503, "the events cannot be stored now; send them again") from None
        finally:
            self._limits.release(len(body))


def _query(scope: Scope) -> dict[str, str]:
    """The query; of a name that is there twice, the last value."""
    return dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))


async def _send(send: Send, status: int, answer: ChallengeAnswer) -> None:
    if answer is _TAKEN:
        # Nearly all answers: no browser sees them, and each header takes its time.
        await send({"type": "http.response.start", "status": 200, "headers": _NO_BODY})
        await send({"type": "http.response.body", "body": b""})
        return
    headers = [
        (b"content-type", answer.media),
        (b"content-length", str(len(answer.body)).encode()),
        *_FIXED,
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", b"5"))
    if status >= HTTPStatus.BAD_REQUEST:
        # The rest of a body that was not read would be taken for the next request.
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
