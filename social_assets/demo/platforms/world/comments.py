"""The comments of a post.

Belongs here: who commented what when, replies, likes of comments. Posts belong to `posts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from social_assets.demo.platforms.world.clock import DAY, HOUR
from social_assets.demo.platforms.world.draws import Draws
from social_assets.demo.platforms.world.posts import SimulatedPost, snowflake

_TEXTS = (
    "So good!",
    "Too bitter for me",
    "open Sunday?",
    "Café ❤",
    "ich liebe es",
    "Great, sadly too quiet",
    "Muito bom",
    "Closed again?",
    "love it love it",
    "素晴らしい",
    'He said "never again"',
    "line one\nline two",
)
_MOST_AUTHORS = 4_000


@dataclass(frozen=True, slots=True)
class SimulatedComment:
    """A comment or a reply; times are Unix seconds."""

    post: SimulatedPost
    id: str
    number: int
    parent: str | None
    author_id: str
    author: str
    text: str
    published: int
    deleted_at: int | None
    likes: int
    """Likes in the end."""
    shows_author: bool

    @property
    def order(self) -> int:
        """Return the place in a list by time: several comments may have one second."""
        return self.published * 10_000 + self.number

    def likes_at(self, now: float) -> int:
        """Return the likes at a time."""
        return int(self.likes * (1.0 - exp(-max(0.0, now - self.published) / DAY)))


def comments_of(post: SimulatedPost) -> list[SimulatedComment]:
    """Return every comment that a post ever gets, in the order of time."""
    if post.has_comments_off or post.kind == "retweeted":
        return []
    draws = Draws(post.account.seed, "comments", post.id)
    number = int(draws.skewed(5)) + (draws.between(30, 120) if draws.is_true(0.05) else 0)
    times = sorted(post.published + 30 + int(draws.skewed(DAY)) for _ in range(number))
    made: list[SimulatedComment] = []
    parents: list[str] = []
    at = post.published
    for count, drawn in enumerate(times, 1):
        at = max(drawn, at + 1)
        parent = draws.one_of(parents) if parents and draws.is_true(0.25) else None
        each = made_comment(post, count, at, parent, draws=draws)
        if parent is None:
            parents.append(each.id)
        made.append(each)
    return made


def made_comment(
    post: SimulatedPost,
    number: int,
    at: int,
    parent: str | None,
    *,
    draws: Draws,
    text: str | None = None,
) -> SimulatedComment:
    """Return a comment; a given text makes one that is never deleted."""
    author = draws.below(_MOST_AUTHORS)
    deleted = at + draws.between(HOUR, 2 * DAY) if draws.is_true(0.02) else None
    return SimulatedComment(
        post=post,
        id=_comment_id(post, number, at, parent),
        number=number,
        parent=parent,
        author_id=_author_id(post.account.platform, author),
        author=f"guest_{author}",
        text=draws.one_of(_TEXTS) if text is None else text,
        published=at,
        deleted_at=deleted if text is None else None,
        likes=int(draws.skewed(2)),
        shows_author=draws.is_true(0.8),
    )


def _comment_id(post: SimulatedPost, number: int, at: int, parent: str | None) -> str:
    account = post.account
    if account.platform == "instagram":
        return f"178{account.number:05d}{post.ordinal:06d}{number:04d}"
    if account.platform == "facebook":
        return f"{post.id.split('_')[1]}_{number:06d}"
    if account.platform == "x":
        return str(snowflake(at, (number & 0x3FF) << 12 | Draws("low", post.id).below(4_096)))
    letters = Draws(account.seed, "comment", post.id, number).letters(20)
    return f"{parent}.{letters}" if parent else f"Ugx{letters}AaABAg"


def _author_id(platform: str, author: int) -> str:
    if platform == "instagram":
        return f"15{author:014d}"
    if platform == "facebook":
        return f"9{author:014d}"
    if platform == "x":
        return f"19{author:017d}"
    return "UC" + Draws("author", author).letters(22)
