"""Collects from the platform server over days, while it has faults and the collector is killed.

    python -m bench.collection.killed_days --accounts 200 --days 3 --faults 0.1 --kills 20

All accounts are tracked. At each moment of collection some workers are killed; then others collect
until nothing is due. At the end what is cleaned is compared with what the server holds, and every
file of the home is searched for tokens.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from bench.collection.held_rows import Collection, differences, doubled_rows, row_counts
from bench.collection.killed_workers import Workers
from bench.collection.leaked_secrets import leaks
from bench.collection.served_platforms import ServedPlatforms, served_platforms
from bench.live_platform import temporary_home
from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.control.collection.credentials import PlatformCredentials, Tokens
from social_assets.control.collection.schedule import CollectionPlan
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.control.engine import open_engine
from social_assets.demo.platforms.world.accounts import PLATFORMS
from social_assets.demo.served_accounts import track_served
from social_assets.ingest.connectors.registry import connector_of

HOUR, DAY = 3_600, 86_400
FAULTS = dict.fromkeys(
    (
        *("error_500", "error_502", "error_503", "slow", "cut"),
        *("invalid_json", "wrong_types", "repeated_page", "falling_counters"),
    ),
    1.0,
) | {"throttled": 0.2}
"""One in fifty of the faults of Meta blocks all accounts of an app, for up to an hour."""
LIMITS = {"instagram.account": 200, "facebook.page": 200}
"""Calls an hour that the server allows: what connectors declare for an account with few users."""
_MOST_SHOWN = 200
_REPLACED = "refresh token used after its rotation"
"""What the server notes of a process that was killed between an answer and its storage."""


@dataclass(frozen=True)
class Size:
    """How much is collected, and how often it is disturbed."""

    accounts: int = 200
    """Of all platforms together."""
    days: int = 3
    faults: float = 0.1
    """The share of calls that meet a fault."""
    kills: int = 20
    collections_a_day: int = 2
    days_before: int = 14
    """How long the accounts have posted at the first collection. Some are deleted from the 15th day
    on.
    """
    seed: int = 11

    @property
    def interval(self) -> timedelta:
        """How often each account is collected."""
        return timedelta(days=1) / self.collections_a_day

    @property
    def moments(self) -> list[int]:
        """When everything is collected, in seconds of the simulated days."""
        return [
            number * DAY // self.collections_a_day
            for number in range(self.days * self.collections_a_day + 1)
        ]


@dataclass
class Outcome:
    """What was found. Each list is empty if all is as it must be."""

    kills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    consents: list[str] = field(default_factory=list)
    """Accounts whose token was lost with a killed process, and that were authorized again."""
    rows: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    differences: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    excesses: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """Everything that must not be."""
        return self.differences + self.doubled + self.excesses + self.leaks


def collect_killed(size: Size, home: Home) -> Outcome:
    """Collect over all days into a home with a deployed warehouse; compare, search, count."""
    began = time.monotonic()
    with _served(size, home) as served:
        outcome, days = Outcome(), _Days(size, served)
        days.collect(outcome)
        ledger = served.get("/__ledger")
        print("all is collected: comparing and searching", flush=True)
        outcome.calls = served.calls()
        outcome.faults = Counter(served.get("/__faults")["met"])
        outcome.excesses = _excesses(ledger, outcome.consents)
        outcome.differences = differences(served, days.collections, size.interval)
        outcome.doubled, outcome.rows = doubled_rows(), row_counts()
        outcome.leaks = leaks(home, days.secrets)
    outcome.seconds = time.monotonic() - began
    return outcome


class _Days:
    """The simulated days: kills and collections at each moment."""

    def __init__(self, size: Size, served: ServedPlatforms) -> None:
        self.collections: list[Collection] = []
        self.secrets = served.secrets()
        self._size, self._served = size, served
        self._chosen = Random(size.seed)  # noqa: S311 - not for cryptography
        self._workers = Workers(served, self._chosen)
        self._engine = open_engine(served.home)
        self._first = served.now()

    def collect(self, outcome: Outcome) -> None:
        moments, delay = self._size.moments, 0
        for number, seconds in enumerate(moments):
            # Each account is due at the time of day at which it was collected first.
            self._reach(self._first + seconds + delay)
            began = self._served.now()
            self._kill(outcome, self._size.kills * (number + 1) // len(moments))
            self._complete(outcome)
            self.collections.append(Collection(began, self._served.now()))
            delay = delay or self._served.now() - self._first
            print(
                f"{number + 1} of {len(moments)}: {outcome.kills} kills, "
                f"{self._served.calls()} calls",
                flush=True,
            )

    def _kill(self, outcome: Outcome, kills: int) -> None:
        """Kill workers until there were so many kills, or all is collected."""
        while outcome.kills < kills:
            is_killed = self._workers.is_killed(most_calls=3 * self._size.accounts)
            outcome.kills += is_killed
            outcome.consents += self._authorized_again()
            if not is_killed and not self._is_due():
                return

    def _reach(self, second: int) -> None:
        self._served.post("/__clock", advance_seconds=max(0, second - self._served.now()))

    def _complete(self, outcome: Outcome) -> None:
        """Collect until nothing is due, and nobody has to authorize an account again."""
        while True:
            self._workers.collect()
            consents = self._authorized_again()
            outcome.consents += consents
            if not consents:
                return

    def _is_due(self) -> bool:
        tracked, at = TrackedAccounts(self._engine), datetime.fromtimestamp(self._served.now(), UTC)
        return any(tracked.due(connector_of(each).platform, at, 1) for each in PLATFORMS)

    def _authorized_again(self) -> list[str]:
        """Do what a person does with an account whose new token was lost: consent, add, resume."""
        tracked = TrackedAccounts(self._engine)
        credentials = PlatformCredentials(self._engine, self._served.home)
        found = []
        for each in tracked.list():
            if "interrupted" not in (each.paused_reason or ""):
                continue
            platform, account = each.platform.lower(), each.name
            given = self._served.post(
                "/__tokens", platform=platform, account=account, action="consent"
            )
            client = self._served.get("/__tokens")[platform]["clients"][0]
            tokens = Tokens(given["access_token"], given["refresh_token"], **client)
            credentials.add(each.platform, tokens, account)
            tracked.resume(each.platform, account)
            found.append(f"{each.platform}:{account}")
        self.secrets |= self._served.secrets()
        return found


def _excesses(ledger: dict[str, list[dict[str, object]]], consents: list[str]) -> list[str]:
    """The calls that a platform had to refuse, and uses of tokens that were replaced."""
    found = [
        f"{each['limit']} of {each['credential']}: {each['denied']} calls too many"
        for each in ledger["windows"]
        if each["denied"]
    ]
    lost = {each.partition(":")[2] for each in consents}
    return found + [
        str(each)
        for each in ledger["violations"]
        if each["what"] != _REPLACED or each["credential"] not in lost
    ]


@contextmanager
def _served(size: Size, home: Home) -> Iterator[ServedPlatforms]:
    """The server with its faults and limits, and its accounts tracked in the home."""
    # The simulated days, and what waiting adds to them, are in the past.
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=size.days + 3)
    begin, now = (first - timedelta(days=size.days_before)).isoformat(), first.isoformat()
    each = max(1, size.accounts // len(PLATFORMS))
    with (
        served_platforms(home, seed=size.seed, accounts=each, begin=begin, now=now) as served,
        ClickHouseResource().client(),
    ):
        limits = {name: {"calls": calls, "seconds": HOUR} for name, calls in LIMITS.items()}
        served.post("/__limits", **limits)
        served.post("/__faults", rate=size.faults, slow_seconds=0.01, kinds=FAULTS)
        track_served(served.url, home, CollectionPlan(every=size.interval))
        yield served


def main() -> None:
    """Print the figures, and everything that is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--accounts", type=int, default=Size.accounts)
    parser.add_argument("--days", type=int, default=Size.days)
    parser.add_argument("--faults", type=float, default=Size.faults)
    parser.add_argument("--kills", type=int, default=Size.kills)
    parser.add_argument("--collections-a-day", type=int, default=Size.collections_a_day)
    parser.add_argument("--days-before", type=int, default=Size.days_before)
    parser.add_argument("--seed", type=int, default=Size.seed)
    size = Size(**vars(parser.parse_args()))
    with temporary_home("killed-days-") as home:
        outcome = collect_killed(size, home)
        print(size)
        print(
            f"{outcome.seconds:.0f} s, {outcome.kills} kills, {outcome.calls} calls,",
            f"{outcome.faults.total()} faults {dict(outcome.faults)}",
        )
        print("rows:", outcome.rows)
        print("authorized again:", outcome.consents)
        for each in outcome.wrong[:_MOST_SHOWN]:
            print("WRONG:", each)
        print(f"{len(outcome.wrong)} differences")
    raise SystemExit(bool(outcome.wrong))


if __name__ == "__main__":
    main()
