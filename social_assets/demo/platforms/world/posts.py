"""The posts of an account and their counters at a time.

Belongs here: when what was posted, and how its counters grow and fall. Comments belong to
`comments`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp

from social_assets.demo.platforms.world.accounts import SimulatedAccount
from social_assets.demo.platforms.world.clock import DAY, HOUR
from social_assets.demo.platforms.world.draws import Draws

MOST_A_DAY = 6
_SUBJECTS = ("beans", "cups", "repairs", "a long read", "rye", "seedlings", "a new song", "glazes")
_VERBS = ("New", "Today:", "Ask us about", "We love", "Ready:", "Behind the scenes of", "Sunday's")
_ENDS = ("", " :)", " ☕", " — open till seven", " #local", " ❤️", "\nSee you soon")
_TWITTER_EPOCH = 1_288_834_974
_KINDS = {
    "instagram": ("IMAGE", "CAROUSEL_ALBUM", "REELS"),
    "facebook": ("added_photos", "mobile_status_update", "added_video"),
    "x": ("post", "post", "post", "retweeted", "quoted"),
    "tiktok": ("video",),
    "youtube": ("video",),
}


@dataclass(frozen=True, slots=True)
class SimulatedPost:
    """A post; times are Unix seconds."""

    account: SimulatedAccount
    ordinal: int
    id: str
    published: int
    deleted_at: int | None
    kind: str
    text: str | None
    is_hiding_likes: bool
    has_comments_off: bool
    has_few_viewers: bool
    views: int
    """Views in the end: all counters grow to a share of these."""
    falls_at: int | None

    @property
    def order(self) -> int:
        """Return the place in a list by time: no two posts of an account have one second."""
        return self.published

    def is_visible(self, now: float) -> bool:
        """Whether the platform shows the post at a time."""
        return self.published <= now and (self.deleted_at is None or now < self.deleted_at)


@dataclass(frozen=True, slots=True)
class CountersOfPost:
    """The cumulative counters of a post at a time, comments excepted."""

    views: int
    reach: int
    likes: int
    shares: int
    saves: int
    quotes: int
    profile_visits: int
    watch_ms: int


def posts_of_day(account: SimulatedAccount, day: int) -> list[SimulatedPost]:
    """Return what an account posts in a day (days since the Unix epoch), oldest first."""
    draws = Draws(account.seed, "day", account.platform, account.id, day)
    number = int(account.posts_per_day) + draws.is_true(account.posts_per_day % 1)
    if account.number == 1:
        number = max(1, number)  # the first account posts every day: tests need one that does
    seconds = sorted({draws.below(DAY) for _ in range(min(number, MOST_A_DAY))})
    first = (day - account.begin // DAY) * MOST_A_DAY
    return [
        made_post(account, first + place, day * DAY + second)
        for place, second in enumerate(seconds, 1)
    ]


def made_post(
    account: SimulatedAccount, ordinal: int, published: int, text: str | None = None
) -> SimulatedPost:
    """Return the post with an ordinal; a given text makes one without peculiarities."""
    draws = Draws(account.seed, "post", account.platform, account.id, ordinal)
    peculiar = draws.share() if text is None and account.number > 1 else 1.0
    drawn = f"{draws.one_of(_VERBS)} {draws.one_of(_SUBJECTS)}{draws.one_of(_ENDS)}"
    if account.platform == "instagram" and draws.is_true(0.05):
        drawn = ""
    deleted = published + draws.between(6 * HOUR, 5 * DAY) if peculiar < 0.03 else None
    return SimulatedPost(
        account=account,
        ordinal=ordinal,
        id=_post_id(account, ordinal, published),
        published=published,
        deleted_at=deleted,
        kind=draws.one_of(_KINDS[account.platform])
        if text is None
        else _KINDS[account.platform][0],
        text=text if text is not None else drawn or None,
        is_hiding_likes=account.hides_likes or 0.03 <= peculiar < 0.06,
        has_comments_off=0.06 <= peculiar < 0.1,
        has_few_viewers=0.1 <= peculiar < 0.13,
        views=20 + int(draws.skewed(account.first_followers * 0.8)),
        falls_at=published + draws.between(2 * HOUR, 3 * DAY) if draws.is_true(0.15) else None,
    )


def counters_of(post: SimulatedPost, now: float, forced_falls: int = 0) -> CountersOfPost:
    """Return the counters at a time. They grow quickly at first, and fall once for some posts;
    each forced fall takes another part.
    """
    age = max(0.0, now - post.published)
    grown = 1.0 - exp(-age / (1.5 * DAY))
    reach, likes, shares, saves, quotes, visits = _shares(post.account.seed, post.id)
    if post.kind == "retweeted":
        return CountersOfPost(0, 0, 0, int(7 * grown), 0, 0, 0, 0)
    falls = forced_falls + (post.falls_at is not None and now >= post.falls_at)
    views = post.views * grown * 0.93**falls
    return CountersOfPost(
        views=int(views),
        reach=int(views * (0.6 + 0.3 * reach)),
        likes=int(views * (0.02 + 0.1 * likes)),
        shares=int(views * 0.02 * shares),
        saves=int(views * 0.015 * saves),
        quotes=int(views * 0.004 * quotes),
        profile_visits=int(views * 0.05 * visits),
        watch_ms=2_000 + int(9_000 * reach),
    )


@lru_cache(maxsize=200_000)
def _shares(seed: int, post_id: str) -> tuple[float, ...]:
    draws = Draws(seed, "counters", post_id)
    return tuple(draws.share() for _ in range(6))


def _post_id(account: SimulatedAccount, ordinal: int, published: int) -> str:
    if account.platform == "instagram":
        return f"179{account.number:05d}{ordinal:09d}"
    if account.platform == "facebook":
        return f"{account.id}_12{account.number:05d}{ordinal:05d}"
    if account.platform == "x":
        return str(snowflake(published, account.number * 8))
    if account.platform == "tiktok":
        return str((published << 32) | (account.number << 8))
    return Draws(account.seed, "video", account.id, ordinal).letters(11)


def snowflake(at: int, low: int) -> int:
    """Return an id of X, which grows with time."""
    return ((at - _TWITTER_EPOCH) * 1000 << 22) | (low & 0x3FFFFF)
