"""Limits of the platforms, and what was called.

Belongs here: counting calls by credential, endpoint and window, and violations of limits and of
token rotation. How a platform tells a caller about its limits belongs to `apis`. The report names
credentials by account or app and never holds a token.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field, replace
from time import monotonic, time
from typing import Any, Literal

from social_assets.demo.platforms.world.clock import DAY, HOUR, pacific_midnight_after

Kind = Literal["window", "sliding", "pacific day"]
_QUARTER = 900
_IN_FLIGHT = 0.25
"""Real seconds: a call that arrives this soon after an announcement was sent before it."""
_MOST_VIOLATIONS = 1_000


@dataclass(frozen=True, slots=True)
class CallLimit:
    """So many calls (or units) in so many seconds, counted by credential and endpoint."""

    calls: int
    seconds: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class LimitUsage:
    """What a credential has used of a limit after a call."""

    limit: int
    used: int
    resets_at: int
    wait_seconds: float
    is_allowed: bool

    @property
    def remaining(self) -> int:
        """Return what is left."""
        return max(0, self.limit - self.used)

    @property
    def percent(self) -> int:
        """Return what is used, in percent, rounded down."""
        return min(100, 100 * self.used // self.limit) if self.limit else 100


def _x(calls: int) -> CallLimit:
    return CallLimit(calls, _QUARTER, "window")


DOCUMENTED: dict[str, CallLimit] = {
    "instagram.account": CallLimit(4_800, DAY, "sliding"),
    "facebook.app": CallLimit(200 * 100, HOUR, "sliding"),
    "facebook.user": CallLimit(200, HOUR, "sliding"),
    "facebook.page": CallLimit(4_800, DAY, "sliding"),
    "x.users_tweets.user": _x(900),
    "x.users_tweets.app": _x(10_000),
    "x.users.user": _x(900),
    "x.users.app": _x(300),
    "x.users_me.user": _x(75),
    "x.users_me.app": _x(75),
    "x.tweets.user": _x(5_000),
    "x.tweets.app": _x(3_500),
    "x.tweet.user": _x(900),
    "x.tweet.app": _x(450),
    "x.search_recent.user": _x(300),
    "x.search_recent.app": _x(450),
    "x.usage.user": _x(50),
    "x.usage.app": _x(50),
    "x.posts_a_month": CallLimit(2_000_000, 30 * DAY, "window"),
    "tiktok.user_info": CallLimit(600, 60, "sliding"),
    "tiktok.video_list": CallLimit(600, 60, "sliding"),
    "tiktok.video_query": CallLimit(600, 60, "sliding"),
    "youtube.units": CallLimit(10_000, DAY, "pacific day"),
}
"""By name. Meta's depend on users and impressions: these are of an app with 100 users, and the
least of a business account.
"""


@dataclass(slots=True)
class _Window:
    started: float = 0.0
    ends: float = 0.0
    used: int = 0
    taken: deque[tuple[float, int]] = field(default_factory=deque)
    calls: int = 0
    units: int = 0
    peak: int = 0
    denied: int = 0
    violations: int = 0
    announced_at: float | None = None
    """Real time at which the caller was told that nothing is left, until the window ends."""


class CallLedger:
    """Counts calls against limits; the clock's times decide, or real ones."""

    def __init__(self) -> None:
        self.limits = dict(DOCUMENTED)
        self._windows: dict[tuple[str, str, str], _Window] = defaultdict(_Window)
        self._calls: Counter[tuple[str, str, int]] = Counter()
        self._violations: list[dict[str, Any]] = []
        self.violations_total = 0
        self.uses_real_time = False
        """Whether windows are of real time, as for a caller who has no simulated clock."""
        self._charged: set[tuple[str, int]] = set()
        self._dollars = 0.0

    def time(self, now: float) -> float:
        """Return the time that counts for limits: the simulated one given, or the real one."""
        return time() if self.uses_real_time else now

    def take(
        self, name: str, credential: str, now: float, *, endpoint: str = "", cost: int = 1
    ) -> LimitUsage:
        """Count a call against a limit, unless it would exceed it."""
        now = self.time(now)
        limit = self.limits[name]
        window = self._windows[name, credential, endpoint]
        self._advance(window, limit, now)
        if window.used + cost > limit.calls:
            window.denied += 1
            told = window.announced_at
            if told is not None and monotonic() - told > _IN_FLIGHT:
                window.violations += 1
                self.violate(
                    "call while the limit was exhausted and announced",
                    limit=name,
                    credential=credential,
                    endpoint=endpoint,
                    at=now,
                )
            self._announce(window)
            return _usage(window, limit, now, is_allowed=False)
        window.used += cost
        window.calls += 1
        window.units += cost
        window.peak = max(window.peak, window.used)
        if limit.kind == "sliding":
            window.taken.append((now, cost))
        return _usage(window, limit, now, is_allowed=True)

    def announce(self, name: str, credential: str, *, endpoint: str = "") -> None:
        """Note that the answer told the caller that nothing is left."""
        self._announce(self._windows[name, credential, endpoint])

    @staticmethod
    def _announce(window: _Window) -> None:
        if window.announced_at is None:
            window.announced_at = monotonic()

    @staticmethod
    def _advance(window: _Window, limit: CallLimit, now: float) -> None:
        if limit.kind == "sliding":
            while window.taken and window.taken[0][0] <= now - limit.seconds:
                window.used -= window.taken.popleft()[1]
                window.announced_at = None
            return
        if now >= window.ends or now < window.started:
            window.started, window.used, window.announced_at = now, 0, None
            is_day = limit.kind == "pacific day"
            window.ends = pacific_midnight_after(now) if is_day else now + limit.seconds

    def count(self, platform: str, endpoint: str, status: int) -> None:
        """Count an answer."""
        self._calls[platform, endpoint, status] += 1

    def violate(self, what: str, **details: object) -> None:
        """Record a violation; details hold no token."""
        self.violations_total += 1
        if len(self._violations) < _MOST_VIOLATIONS:
            self._violations.append({"what": what, **details})

    def charge(self, resource: str, now: float, dollars: float) -> None:
        """Charge for a resource, once in a UTC day, as X does."""
        key = (resource, int(now // DAY))
        if key not in self._charged:
            self._charged.add(key)
            self._dollars += dollars

    def change_limit(self, name: str, calls: int, seconds: int | None) -> None:
        """Set a limit; its windows go on with what was used."""
        old = self.limits[name]
        self.limits[name] = replace(old, calls=calls, seconds=seconds or old.seconds)

    def clear(self) -> None:
        """Forget what was called, and all windows."""
        for counted in (self._windows, self._calls, self._violations, self._charged):
            counted.clear()
        self.violations_total, self._dollars = 0, 0.0

    def report(self) -> dict[str, Any]:
        """Return everything counted."""
        return {
            "calls": [
                {"platform": platform, "endpoint": endpoint, "status": status, "calls": calls}
                for (platform, endpoint, status), calls in sorted(self._calls.items())
            ],
            "windows": [
                {
                    "limit": name,
                    "credential": credential,
                    "endpoint": endpoint,
                    "most": self.limits[name].calls,
                    "seconds": self.limits[name].seconds,
                    "calls": window.calls,
                    "units": window.units,
                    "peak": window.peak,
                    "denied": window.denied,
                    "violations": window.violations,
                }
                for (name, credential, endpoint), window in sorted(self._windows.items())
            ],
            "violations": list(self._violations),
            "violations_total": self.violations_total,
            "x_dollars": round(self._dollars, 3),
        }


def _usage(window: _Window, limit: CallLimit, now: float, *, is_allowed: bool) -> LimitUsage:
    at = _reset(window, limit, now)
    return LimitUsage(limit.calls, window.used, at, max(0.0, at - now), is_allowed)


def _reset(window: _Window, limit: CallLimit, now: float) -> int:
    if limit.kind != "sliding":
        return int(window.ends)
    return int(window.taken[0][0] + limit.seconds) if window.taken else int(now)
