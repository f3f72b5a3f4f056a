"""Renews tokens: one process at a time for an account, and stored before they are used.

Belongs here: when to renew, the requests that do, and what their answers mean. Tokens are stored by
`control.collection.credentials`. What can go wrong between an answer and its storage is told in
docs/collection.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

import httpx
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client

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

_FINAL = {"invalid_grant", "unauthorized_client", "invalid_client"}


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
        except OAuthError as error:
            told = tokens.without_secrets(f"{error.error}: {error.description}".strip(": "))
            if error.error in _FINAL:
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
        method = "client_secret_basic" if oauth.is_basic else "client_secret_post"
        client = OAuth2Client(
            tokens.client_id,
            tokens.client_secret,
            token_endpoint_auth_method=method,
            timeout=self._transport.client.timeout,
            trust_env=self._transport.client.trust_env,
        )
        if oauth.client_id != "client_id":
            client.register_client_auth_method((method, _with_client_named(oauth.client_id)))
        with client:
            try:
                found = client.refresh_token(
                    self._url(oauth.url), refresh_token=tokens.refresh_token
                )
            except httpx.HTTPStatusError as error:
                raise TransportError(
                    f"the token's server answers {error.response.status_code}", was_sent=True
                ) from None
            except httpx.HTTPError as error:
                was_sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                raise TransportError(
                    f"the token's server does not answer ({type(error).__name__})",
                    was_sent=was_sent,
                ) from None
            except ValueError:
                raise TransportError(
                    "the token's server answers what is no JSON", was_sent=True
                ) from None
        return dict(found)

    def _by_renewal(self, oauth: TokenRenewal, tokens: Tokens) -> dict[str, object]:
        query = {"grant_type": oauth.grant, oauth.token: tokens.access_token}
        if oauth.with_client:
            query |= {
                "client_id": tokens.client_id or "",
                "client_secret": tokens.client_secret or "",
            }
        path = urlsplit(oauth.url).path
        if self._is_moved:
            got = self._transport.send("GET", path, query=query)
        else:
            parts = urlsplit(oauth.url)
            with Transport(f"{parts.scheme}://{parts.netloc}") as transport:
                got = transport.send("GET", path, query=query)
        try:
            answer = opened(got.status, got.headers, got.body)
        except UnreadableAnswerError as error:
            raise TransportError(str(error), was_sent=True) from None
        if got.status >= 400 or "access_token" not in answer.body:
            code = str(answer.at("error.code"))
            told = str(answer.at("error.message") or f"status {got.status}")
            raise OAuthError("invalid_grant" if code in {"190", "102"} else code, told)
        return answer.body

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

    def _url(self, url: str) -> str:
        """Where tokens are renewed: at the address of the setting, if the platform is moved."""
        return self._transport.base_url + urlsplit(url).path if self._is_moved else url

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


def _with_client_named(
    name: str,
) -> Callable[[OAuth2Client, str, str, dict[str, str], str], tuple[str, dict[str, str], str]]:
    def named(
        client: OAuth2Client, method: str, uri: str, headers: dict[str, str], body: str
    ) -> tuple[str, dict[str, str], str]:
        del method
        added = urlencode({name: client.client_id, "client_secret": client.client_secret or ""})
        return uri, headers, f"{body}&{added}" if body else added

    return named


def _after(now: datetime, seconds: object) -> datetime | None:
    if isinstance(seconds, str) and seconds.isdigit():
        seconds = int(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
        return None
    return now + timedelta(seconds=min(float(seconds), 10 * 365 * 86_400.0))
