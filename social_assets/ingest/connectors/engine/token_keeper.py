"""Renews tokens: one process at a time for an account, and stored before they are used.

Belongs here: when to renew, the requests that do, and what their answers mean. Tokens are stored by
`control.collection.credentials`. What can go wrong between an answer and its storage is told in
docs/collection.md.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote_plus, urlsplit

from social_assets.control.collection.credentials import (
    CredentialRecord,
    PlatformCredentials,
    Tokens,
)
from social_assets.ingest.connectors.connector import Connector
from social_assets.ingest.connectors.declaration.oauth import (
    RefreshToken,
    StaticToken,
    TokenRenewal,
)
from social_assets.ingest.connectors.engine.answers import UnreadableAnswerError, opened
from social_assets.ingest.connectors.engine.transport import Transport, TransportError

_FINAL_CODES = {"102", "190"}
"""Of Meta: the token is not valid any more."""


class _TokenAnswerError(RuntimeError):
    """The token's server refuses."""

    def __init__(self, told: str, *, is_final: bool) -> None:
        super().__init__(told)
        self.is_final = is_final


class RefusedCredentialError(RuntimeError):
    """The platform does not accept a credential any more; the text says why."""


class RefreshFailedError(RuntimeError):
    """Tokens could not be renewed now; the old ones are kept, and a later attempt may work."""


class TokenKeeper:
    """Gives the tokens of credentials, renewed if it is time."""

    def __init__(
        self,
        connector: Connector,
        credentials: PlatformCredentials,
        transport: Transport,
        clock: Callable[[], datetime],
        *,
        is_moved: bool,
    ) -> None:
        self._oauth = connector.oauth
        self._platform = connector.platform
        self._store = credentials
        self._transport = transport
        self._clock = clock
        self._is_moved = is_moved

    def fresh(self, credential: CredentialRecord) -> Tokens:
        """The tokens. Raises RefusedCredentialError, RefreshFailedError."""
        tokens = self._store.tokens(credential)
        if not self._is_due(tokens):
            return tokens
        try:
            return self._renewed(credential, tokens)
        except RefreshFailedError:
            if self._works(tokens):
                return tokens
            raise

    def after_refusal(self, credential: CredentialRecord, used: Tokens) -> Tokens:
        """Other tokens than those that the platform has just refused.

        Raises RefusedCredentialError, RefreshFailedError.
        """
        return self._renewed(credential, used)

    def renew(self, credential: CredentialRecord) -> Tokens:
        """Renew now, as a person asks for. Raises RefusedCredentialError, RefreshFailedError."""
        tokens = self._store.tokens(credential)
        if not self._can_renew(tokens):
            raise RefreshFailedError(
                f"the token of {credential.name} cannot be renewed: it has no refresh token, or it"
                " is too young or too old; add a new one by `social-assets credentials add`"
            )
        return self._renewed(credential, tokens)

    def _renewed(self, credential: CredentialRecord, used: Tokens) -> Tokens:
        with self._store.locked(credential.id):
            record, tokens = self._store.get(credential.id), self._store.tokens(credential)
            if not record.is_active:
                raise RefusedCredentialError(record.revoked_reason)
            if tokens.access_token != used.access_token:
                # Another process has renewed it meanwhile.
                return tokens
            return self._renew(record, tokens)

    def _renew(self, record: CredentialRecord, tokens: Tokens) -> Tokens:
        if not self._can_renew(tokens):
            self._revoke(record, "the platform refuses the token, and it cannot be renewed")
        self._store.refresh_begins(record.id)
        try:
            answer = self._answer(tokens)
        except _TokenAnswerError as error:
            told = tokens.without_secrets(str(error))[:300]
            if error.is_final:
                self._revoke(record, _why(record, told))
            self._store.refresh_failed(record.id)
            raise RefreshFailedError(f"renewing the token failed: {told}") from None
        except TransportError as error:
            if not error.was_sent:
                self._store.refresh_failed(record.id)
            # Else the mark stays: the platform may have replaced the refresh token.
            raise RefreshFailedError(f"renewing the token failed: {error}") from error
        renewed = self._of_answer(tokens, answer)
        self._store.refreshed(record, renewed)
        return renewed

    def _answer(self, tokens: Tokens) -> dict[str, object]:
        if isinstance(self._oauth, RefreshToken):
            return self._by_refresh_token(self._oauth, tokens)
        if isinstance(self._oauth, TokenRenewal):
            return self._by_renewal(self._oauth, tokens)
        raise TypeError("a static token is not renewed")

    def _by_refresh_token(self, oauth: RefreshToken, tokens: Tokens) -> dict[str, object]:
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token or ""}
        client = (tokens.client_id or "", tokens.client_secret or "")
        headers = {}
        if oauth.is_basic:
            # RFC 6749, 2.3.1: both are encoded as in a form before they are joined.
            pair = ":".join(quote_plus(each) for each in client).encode()
            headers["authorization"] = f"Basic {b64encode(pair).decode()}"
        else:
            form |= {oauth.client_id: client[0], "client_secret": client[1]}
        return self._sent("POST", oauth.url, form=form, headers=headers)

    def _by_renewal(self, oauth: TokenRenewal, tokens: Tokens) -> dict[str, object]:
        query = {"grant_type": oauth.grant, oauth.token: tokens.access_token}
        if oauth.with_client:
            query |= {
                "client_id": tokens.client_id or "",
                "client_secret": tokens.client_secret or "",
            }
        return self._sent("GET", oauth.url, query=query)

    def _sent(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, object]:
        """The body of a good answer. Raises TransportError, _TokenAnswerError."""
        parts = urlsplit(url)
        with ExitStack() as stack:
            transport = self._transport
            if not self._is_moved:
                transport = stack.enter_context(Transport(f"{parts.scheme}://{parts.netloc}"))
            got = transport.send(method, parts.path, query=query, form=form, headers=headers)
        try:
            answer = opened(got.status, got.headers, got.body)
        except UnreadableAnswerError as error:
            raise TransportError(str(error), was_sent=True) from None
        if got.status < 300 and isinstance(answer.body, dict) and "access_token" in answer.body:
            return answer.body
        if got.status >= 500:
            raise TransportError(f"the token's server answers {got.status}", was_sent=True)
        # OAuth: `error` is a text. Meta: it is an object with a code.
        refusal = answer.at("error")
        if isinstance(refusal, dict):
            is_final = str(refusal.get("code")) in _FINAL_CODES
            raise _TokenAnswerError(str(refusal.get("message")), is_final=is_final)
        told = f"{refusal}: {answer.at('error_description') or f'status {got.status}'}"
        pattern = self._oauth.refusal if isinstance(self._oauth, RefreshToken) else ""
        raise _TokenAnswerError(told, is_final=bool(pattern and re.search(pattern, told)))

    def _of_answer(self, old: Tokens, answer: dict[str, object]) -> Tokens:
        access = answer.get("access_token")
        if not isinstance(access, str) or not access:
            raise RefreshFailedError("renewing the token failed: the answer has no access_token")
        now = self._clock()
        ends = _after(now, answer.get("expires_in"))
        refresh = answer.get("refresh_token")
        final = old.final_expires_at
        if isinstance(self._oauth, TokenRenewal):
            final = ends
        elif "refresh_expires_in" in answer:
            final = _after(now, answer["refresh_expires_in"])
        return replace(
            old,
            access_token=access,
            # Google, for one, gives no new one: the old one is kept.
            refresh_token=refresh if isinstance(refresh, str) and refresh else old.refresh_token,
            access_expires_at=ends,
            final_expires_at=final,
            obtained_at=now,
        )

    def _is_due(self, tokens: Tokens) -> bool:
        if isinstance(self._oauth, StaticToken) or tokens.access_expires_at is None:
            return False
        if not self._can_renew(tokens):
            return False
        lasts = tokens.access_expires_at - (tokens.obtained_at or tokens.access_expires_at)
        # Of a token that lasts an hour, half an hour would be too early.
        early = min(self._oauth.early, lasts / 2) if lasts else self._oauth.early
        return self._clock() >= tokens.access_expires_at - early

    def _can_renew(self, tokens: Tokens) -> bool:
        if isinstance(self._oauth, RefreshToken):
            return bool(tokens.refresh_token)
        if isinstance(self._oauth, TokenRenewal):
            age = self._clock() - tokens.obtained_at if tokens.obtained_at else timedelta.max
            return age >= self._oauth.youngest and self._works(tokens)
        return False

    def _works(self, tokens: Tokens) -> bool:
        return tokens.access_expires_at is None or self._clock() < tokens.access_expires_at

    def _revoke(self, record: CredentialRecord, reason: str) -> None:
        self._store.revoke(record.id, reason)
        raise RefusedCredentialError(reason)


def _why(record: CredentialRecord, told: str) -> str:
    """Why the refresh token is refused; an earlier attempt may have been answered and lost."""
    if record.refresh_began_at is None:
        return f"the platform refuses to renew the token ({told})"
    return (
        f"the platform refuses to renew the token ({told}); an attempt at "
        f"{record.refresh_began_at:%Y-%m-%dT%H:%M:%SZ} was interrupted before its answer was "
        "stored, and the platform has probably replaced the refresh token then"
    )


def _after(now: datetime, seconds: object) -> datetime | None:
    if isinstance(seconds, str) and seconds.isdigit():
        seconds = int(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
        return None
    return now + timedelta(seconds=min(float(seconds), 10 * 365 * 86_400.0))
