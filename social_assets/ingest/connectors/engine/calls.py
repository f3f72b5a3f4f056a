"""Makes one call: a credential with room, a fresh token, the request, what the answer means.

Belongs here: retries, waiting, budgets and credentials of a single call. Chains of pages belong to
`client`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from social_assets.control.collection.credentials import CredentialRecord, PlatformCredentials
from social_assets.ingest.connectors.chain import ChainStart
from social_assets.ingest.connectors.connector import ApiEndpoint, Connector, Whose
from social_assets.ingest.connectors.declaration.meanings import AnswerRule, Meaning
from social_assets.ingest.connectors.engine import usage
from social_assets.ingest.connectors.engine.answers import (
    PlatformAnswer,
    UnreadableAnswerError,
    meaning_of,
    message_of,
    opened,
)
from social_assets.ingest.connectors.engine.breaker import Breaker
from social_assets.ingest.connectors.engine.budgets import (
    QUOTA,
    QUOTA_WITHOUT_END,
    THROTTLED,
    Budgets,
    NoRoom,
    Reservation,
)
from social_assets.ingest.connectors.engine.requests import FilledRequest
from social_assets.ingest.connectors.engine.token_keeper import (
    RefreshFailedError,
    RefusedCredentialError,
    TokenKeeper,
)
from social_assets.ingest.connectors.engine.transport import (
    RedirectRefusedError,
    Transport,
    TransportError,
)
from social_assets.ingest.connectors.errors import (
    NoCredentialError,
    PlatformDownError,
    QuotaExhaustedError,
    RequestRefusedError,
    ThrottledError,
    TokenRevokedError,
)

ATTEMPTS = 5
LONGEST_BACKOFF = 20.0
_POOL_SECONDS = 10.0
_MOST_OF_POOL = 200
"""So many credentials are tried for one call, chosen by chance among all."""
_MOST_TURNS = 20
"""Of credentials within one attempt: each turn blocks or renews one."""

Request = Callable[[CredentialRecord], FilledRequest]
Records = Callable[[PlatformAnswer], int]


class _PassingFaultError(RuntimeError):
    """A fault of the platform or the network that may be gone at the next attempt."""


@dataclass(frozen=True)
class MeantAnswer:
    """An answer, what it means, and the credential that it was given to."""

    answer: PlatformAnswer
    rule: AnswerRule
    credential: CredentialRecord


class Calls:
    """Calls of one platform's endpoints."""

    def __init__(
        self,
        connector: Connector,
        *,
        credentials: PlatformCredentials,
        keeper: TokenKeeper,
        budgets: Budgets,
        transport: Transport,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        patience: float,
    ) -> None:
        self._connector = connector
        self._credentials = credentials
        self._keeper = keeper
        self._budgets = budgets
        self._transport = transport
        self._clock = clock
        self._sleep = sleep
        self._patience = patience
        self._breaker = Breaker(clock)
        self._last: tuple[ChainStart, str] | None = None
        self._known: tuple[float, list[CredentialRecord]] | None = None

    def make(
        self,
        start: ChainStart,
        endpoint: ApiEndpoint,
        request: Request,
        records: Records,
        cost: int | None = None,
    ) -> MeantAnswer:
        """The answer to a request, of any meaning that this module does not deal with.

        `records` counts those of a good answer, and raises UnreadableAnswerError for one that is
        not as declared. Raises ThrottledError, QuotaExhaustedError, TokenRevokedError,
        NoCredentialError, PlatformDownError, RequestRefusedError.
        """
        if until := self._breaker.paused_until:
            raise PlatformDownError(
                start,
                f"not asked, since {self._breaker.failures} calls in succession have failed",
                f"calls go on at {until:%Y-%m-%dT%H:%M:%SZ}",
            )
        attempts = Retrying(
            retry=retry_if_exception_type(_PassingFaultError),
            # Full jitter: between nothing and twice as much each time.
            wait=wait_random_exponential(multiplier=0.5, max=LONGEST_BACKOFF),
            stop=stop_after_attempt(ATTEMPTS),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return attempts(self._attempt, start, endpoint, request, records, cost or endpoint.cost)
        except _PassingFaultError as fault:
            self._breaker.failed()
            raise PlatformDownError(
                start, f"{fault}, {ATTEMPTS} times", "it is asked again at the next collection"
            ) from fault

    def _attempt(
        self,
        start: ChainStart,
        endpoint: ApiEndpoint,
        request: Request,
        records: Records,
        cost: int,
    ) -> MeantAnswer:
        refreshed: set[str] = set()
        for _ in range(_MOST_TURNS):
            credential, reservation = self._reserved(start, endpoint, cost)
            spent: float | None = None
            try:
                meant = self._sent(
                    start,
                    endpoint,
                    credential,
                    reservation=reservation,
                    request=request,
                    refreshed=refreshed,
                )
                if meant is None:
                    spent = 0.0
                    continue
                count = records(meant.answer) if meant.rule.meaning is Meaning.GOOD else 0
                spent = usage.price_of(endpoint, count)
            except UnreadableAnswerError as error:
                raise _PassingFaultError(str(error)) from error
            finally:
                self._budgets.finish(reservation, spent)
            if meant.rule.meaning is not Meaning.TRANSIENT:
                self._breaker.answered()
            if meant.rule.meaning is Meaning.TRANSIENT:
                raise _PassingFaultError(f"status {meant.answer.status}")
            if meant.rule.meaning is Meaning.REFUSED:
                raise RequestRefusedError(
                    start,
                    f"the platform refuses the request: {message_of(meant.answer)}",
                    "correct the connector, or stop tracking the account",
                )
            return meant
        raise _PassingFaultError("no credential could be used")

    def _sent(
        self,
        start: ChainStart,
        endpoint: ApiEndpoint,
        credential: CredentialRecord,
        *,
        reservation: Reservation,
        request: Request,
        refreshed: set[str],
    ) -> MeantAnswer | None:
        """One request with one credential; None if another turn may succeed at once."""
        try:
            tokens = self._keeper.fresh(credential)
            asked = request(credential)
            got = self._transport.send(
                asked.method,
                asked.path,
                query=asked.query,
                json=asked.json,
                headers={"authorization": f"Bearer {tokens.access_token}"},
            )
            usage.correct(
                self._budgets,
                self._connector,
                list(reservation.charges),
                got.headers,
                self._clock(),
                account_id=credential.account_id,
            )
            answer = _opened(got.status, got.headers, got.body)
            rule = meaning_of(self._connector, answer)
            if rule.meaning in (Meaning.THROTTLED, Meaning.QUOTA):
                self._block(endpoint, credential, rule, answer)
                return None
            if rule.meaning is Meaning.TOKEN_REVOKED:
                self._credentials.revoke(credential.id, f"the platform says: {message_of(answer)}")
                self._known = None
                return None
            if rule.meaning is Meaning.TOKEN_EXPIRED:
                if credential.id in refreshed:
                    self._credentials.revoke(
                        credential.id,
                        f"the platform refuses a token just renewed: {message_of(answer)}",
                    )
                    self._known = None
                else:
                    refreshed.add(credential.id)
                    self._keeper.after_refusal(credential, tokens)
                return None
        except RefusedCredentialError:
            # It is marked as revoked: the next turn uses another one, or says why there is none.
            self._known = None
            return None
        except RefreshFailedError as error:
            raise _PassingFaultError(str(error)) from error
        except TransportError as error:
            raise _PassingFaultError(str(error)) from error
        except RedirectRefusedError as error:
            raise RequestRefusedError(
                start, str(error), "correct the base URL of the connector"
            ) from error
        if rule.meaning is Meaning.GOOD:
            self._budgets.answered(usage.blocks_of(self._connector, endpoint, credential))
        return MeantAnswer(answer, rule, credential)

    def _block(
        self,
        endpoint: ApiEndpoint,
        credential: CredentialRecord,
        rule: AnswerRule,
        answer: PlatformAnswer,
    ) -> None:
        now = self._clock()
        bucket = usage.block_of(self._connector, endpoint, credential, rule)
        told = message_of(answer)
        if rule.meaning is Meaning.THROTTLED:
            wait = partial(usage.throttled_seconds, self._connector, endpoint, answer.headers, now)
            self._budgets.block(bucket, wait, THROTTLED, told)
            return
        ends = usage.quota_seconds(self._connector, endpoint, now)
        seconds = usage.until_tomorrow(now) if ends is None else ends
        kind = QUOTA if ends is not None else QUOTA_WITHOUT_END
        self._budgets.block(bucket, lambda _: seconds, kind, told)

    def _reserved(
        self, start: ChainStart, endpoint: ApiEndpoint, cost: int
    ) -> tuple[CredentialRecord, Reservation]:
        """A credential that may make a call now, waiting for it as long as patience lasts."""
        waited = 0.0
        while True:
            nearest: NoRoom | None = None
            for credential in self._usable(start, endpoint):
                found = self._budgets.reserve(
                    usage.charges_of(self._connector, endpoint, credential, cost),
                    usage.blocks_of(self._connector, endpoint, credential),
                )
                if isinstance(found, Reservation):
                    self._last = (start, credential.id)
                    return credential, found
                if nearest is None or found.until < nearest.until:
                    nearest = found
            if nearest is None:
                raise AssertionError("there is at least one credential")
            wait = max(nearest.until - self._clock().timestamp(), 0.01)
            if waited + wait > self._patience:
                raise self._full(start, nearest)
            self._sleep(wait)
            waited += wait

    def _full(self, start: ChainStart, full: NoRoom) -> ThrottledError | QuotaExhaustedError:
        until = datetime.fromtimestamp(full.until, UTC)
        if not full.is_quota:
            return ThrottledError(start, f"the limit is reached ({full.reason})", until)
        return QuotaExhaustedError(
            start,
            f"the budget is used up ({full.reason})",
            "wait for its next window, or raise it at the platform and in the settings"
            if full.has_end
            else "waiting does not help: raise the plan at the platform; it is tried once a day",
            until if full.has_end else None,
        )

    def _usable(self, start: ChainStart, endpoint: ApiEndpoint) -> Sequence[CredentialRecord]:
        """The credentials that may ask: that of the chain's last call, then others by chance."""
        platform = self._connector.platform
        own = self._credentials.of_account(platform, start.account.account_id)
        if own and own.is_active:
            # An account's own token sees what others do not: a private account.
            return [own]
        known = [own] if own else []
        if endpoint.whose is not Whose.OWN:
            known = self._pool()
        active = [each for each in known if each.is_active]
        if active:
            if not self._connector.shares_credentials:
                return active[:1]
            some = random.sample(active, min(len(active), _MOST_OF_POOL))
            return sorted(some, key=lambda each: (start, each.id) != self._last)
        self._known = None
        add = f"social-assets credentials add {platform.lower()}"
        if known:
            raise TokenRevokedError(
                start,
                f"the credential {known[0].name} does not work any more: {known[0].revoked_reason}",
                f"let its owner authorize the app again, then {add} --name {known[0].name}",
            )
        whose = "for this account" if endpoint.whose is Whose.OWN else "for this platform"
        raise NoCredentialError(start, f"no credential is stored {whose}", add)

    def _pool(self) -> list[CredentialRecord]:
        """All credentials of the platform, as they were a moment ago: there may be very many."""
        now = time.monotonic()
        if self._known is None or now - self._known[0] > _POOL_SECONDS:
            self._known = (now, self._credentials.list(self._connector.platform))
        return self._known[1]


def _opened(status: int, headers: object, body: bytes) -> PlatformAnswer:
    """The answer; one that is an error without JSON is known by its status."""
    named = dict(headers) if isinstance(headers, dict) else {}
    try:
        return opened(status, named, body)
    except UnreadableAnswerError as error:
        if status < 300:
            raise _PassingFaultError(str(error)) from error
        return PlatformAnswer(status, named, "{}", {})
