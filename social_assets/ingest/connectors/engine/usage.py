"""Which buckets a call is counted in, and what an answer's headers say of them.

Belongs here: names of buckets, and headers of usage. Counting belongs to `budgets`.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from datetime import datetime

from social_assets.control.collection.credentials import CredentialRecord
from social_assets.ingest.connectors.connector import ApiEndpoint, Connector
from social_assets.ingest.connectors.declaration.limits import (
    CalendarDay,
    Limit,
    PercentHeaders,
    RemainingHeaders,
    Rolling,
    Scope,
)
from social_assets.ingest.connectors.declaration.meanings import AnswerRule, Meaning
from social_assets.ingest.connectors.engine.budgets import Budgets, Charge
from social_assets.ingest.connectors.errors import ConnectorDeclarationError

_FULL = 100
_PERCENT_STATED_SECONDS = 600.0
"""So long the use by others counts that Meta states; each answer states it again."""
_RESET_MARGIN = 1.0
_LONGEST_BURST = 900.0


def limits_of(connector: Connector, endpoint: ApiEndpoint) -> tuple[Limit, ...]:
    """The limits of an endpoint."""
    return connector.limits if endpoint.limits is None else endpoint.limits


def charges_of(
    connector: Connector, endpoint: ApiEndpoint, credential: CredentialRecord, cost: int
) -> list[Charge]:
    """The buckets that a call is counted in, and what it costs of each."""
    charges = [
        Charge(
            f"{_owner(connector, credential, limit.scope)}"
            f"/{endpoint.name if limit.by_endpoint else '*'}/{_told(limit)}",
            limit.calls,
            limit.window,
            cost,
        )
        for limit in limits_of(connector, endpoint)
    ]
    price = endpoint.price
    most = price.a_call + price.a_record * endpoint.most_records
    dollars = [
        Charge(
            f"{connector.platform}/dollars/{type(limit.window).__name__}",
            _dollars(limit.setting, limit.dollars),
            limit.window,
            most,
            is_money=True,
        )
        for limit in connector.money
    ]
    return charges + dollars if most else charges


def price_of(endpoint: ApiEndpoint, records: int) -> float:
    """What an answer with so many records cost, in dollars."""
    return endpoint.price.a_call + endpoint.price.a_record * records


def blocks_of(
    connector: Connector, endpoint: ApiEndpoint, credential: CredentialRecord
) -> tuple[str, ...]:
    """The buckets that, while they are blocked, keep this call from being made."""
    return tuple(
        f"block/{_owner(connector, credential, scope)}/{name}"
        for scope in Scope
        for name in ("*", endpoint.name)
    )


def block_of(
    connector: Connector, endpoint: ApiEndpoint, credential: CredentialRecord, rule: AnswerRule
) -> str:
    """The bucket to block when a call is refused.

    Throttling is that of an endpoint, if limits are by endpoint; a quota is used up for all.
    """
    by_endpoint = any(each.by_endpoint for each in limits_of(connector, endpoint))
    is_of_all = rule.meaning is Meaning.QUOTA or not by_endpoint
    name = "*" if is_of_all else endpoint.name
    return f"block/{_owner(connector, credential, rule.scope)}/{name}"


def throttled_seconds(
    connector: Connector,
    endpoint: ApiEndpoint,
    headers: Mapping[str, str],
    now: datetime,
    strikes: int,
) -> float:
    """How long to wait after an answer that says: too many calls.

    As long as a header says; else the whole of a window up to a quarter of an hour, and a twelfth
    of a longer one, twice as long each time. Without a declared window (YouTube's bursts) a quarter
    of a minute, twice as long each time.
    """
    stated = _stated_seconds(connector, headers, now)
    if stated is not None:
        return stated
    windows = [
        each.window.seconds
        for each in limits_of(connector, endpoint)
        if isinstance(each.window, Rolling)
    ]
    doubled = float(2 ** min(strikes, 10))
    if not windows:
        return min(_LONGEST_BURST, 15.0 * doubled)
    window = max(windows)
    return window if window <= _LONGEST_BURST else min(window, window / 12 * doubled)


def quota_seconds(connector: Connector, endpoint: ApiEndpoint, now: datetime) -> float | None:
    """How long until the budget of a day begins anew; None if no declared limit has an end."""
    ends = [
        each.window.end(now)
        for each in limits_of(connector, endpoint)
        if not isinstance(each.window, Rolling)
    ]
    return (max(ends) - now).total_seconds() + 60 if ends else None


def until_tomorrow(now: datetime) -> float:
    """Seconds until the next UTC day: a quota without an end is tried again once a day."""
    return (CalendarDay().end(now) - now).total_seconds()


def correct(
    budgets: Budgets,
    connector: Connector,
    charges: list[Charge],
    headers: Mapping[str, str],
    now: datetime,
    *,
    account_id: str | None,
) -> None:
    """Correct the buckets of a call by the headers of its answer."""
    rolling = [each for each in charges if isinstance(each.window, Rolling)]
    if not rolling or connector.usage is None:
        return
    if isinstance(connector.usage, RemainingHeaders):
        left, most, reset = (
            _number(headers.get(name))
            for name in (
                connector.usage.remaining,
                connector.usage.limit,
                connector.usage.reset,
            )
        )
        if left is None or most is None or reset is None:
            return
        window = max(each.window.seconds for each in rolling if isinstance(each.window, Rolling))
        seconds = min(max(reset - now.timestamp() + _RESET_MARGIN, 1.0), window)
        for charge in rolling:
            budgets.correct(charge, most - left, seconds, most)
        return
    percents = [percent for percent, _ in _percents(connector.usage, headers, account_id)]
    if percents:
        for charge in rolling:
            used = math.ceil(max(percents) / _FULL * charge.most)
            budgets.correct(charge, used, _PERCENT_STATED_SECONDS, None)


def _stated_seconds(
    connector: Connector, headers: Mapping[str, str], now: datetime
) -> float | None:
    usage = connector.usage
    if isinstance(usage, RemainingHeaders):
        reset = _number(headers.get(usage.reset))
        if reset is not None:
            # At most a day: a clock may be wrong.
            return min(max(reset - now.timestamp(), 0.0) + _RESET_MARGIN, 86_400.0)
    if isinstance(usage, PercentHeaders):
        minutes = max((minutes for _, minutes in _percents(usage, headers, None)), default=0.0)
        if minutes > 0:
            return min(60 * minutes, 86_400.0)
    retry_after = _number(headers.get("retry-after"))
    return None if retry_after is None else min(max(retry_after, 1.0), 86_400.0)


def _percents(
    usage: PercentHeaders, headers: Mapping[str, str], account_id: str | None
) -> Iterator[tuple[float, float]]:
    """Each stated percent, and the minutes until access is regained.

    Those of one account, if the header has it; else those of all accounts that it has.
    """
    app = _object(headers.get(usage.app))
    if app:
        yield _largest(app), 0.0
    by_account = _object(headers.get(usage.account))
    own = by_account.get(account_id or "")
    for uses in by_account.values() if own is None else (own,):
        for use in uses if isinstance(uses, list) else ():
            if isinstance(use, dict):
                minutes = _number(use.get("estimated_time_to_regain_access")) or 0.0
                yield _largest(use), minutes


def _largest(use: Mapping[str, object]) -> float:
    names = ("call_count", "total_time", "total_cputime")
    return max((_number(use.get(name)) or 0.0 for name in names), default=0.0)


def _object(text: str | None) -> dict[str, object]:
    """A header that holds a JSON object. A header that does not is none: it decides nothing."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _owner(connector: Connector, credential: CredentialRecord, scope: Scope) -> str:
    if scope is Scope.APP:
        return f"{connector.platform}/app/{credential.app}"
    return f"{connector.platform}/{credential.id}"


def _told(limit: Limit) -> str:
    window = limit.window
    return f"{window.seconds:g}s" if isinstance(window, Rolling) else type(window).__name__


def _dollars(setting: str, default: float) -> float:
    given = os.environ.get(setting)
    if not given:
        return default
    number = _number(given)
    if number is None or number < 0:
        raise ConnectorDeclarationError(
            f"{setting}={given} is no amount of US dollars; set it to a number such as 12.50"
        )
    return number
