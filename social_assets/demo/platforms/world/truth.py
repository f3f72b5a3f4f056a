"""What the server holds at a time, in words that belong to no platform.

Belongs here: the answer of `GET /__truth`. A value that the platform does not show is null.
"""

from __future__ import annotations

from typing import Any

from social_assets.demo.platforms.world.accounts import (
    PLATFORMS,
    SimulatedAccount,
    audience_of,
)
from social_assets.demo.platforms.world.clock import DAY, zulu
from social_assets.demo.platforms.world.comments import SimulatedComment
from social_assets.demo.platforms.world.posts import SimulatedPost
from social_assets.demo.platforms.world.world import SimulatedWorld

JsonObject = dict[str, Any]


def truth(
    world: SimulatedWorld, now: float, platform: str | None = None, account_id: str | None = None
) -> JsonObject:
    """Return accounts, posts, comments, counters and audience: platform -> account id -> these."""
    return {
        "now": zulu(now),
        "platforms": {
            name: {
                account.id: _account(world, account, now)
                for account in world.accounts(name)
                if account_id in (None, account.id)
            }
            for name in PLATFORMS
            if platform in (None, name)
        },
    }


def _account(world: SimulatedWorld, account: SimulatedAccount, now: float) -> JsonObject:
    posts = world.all_posts(account, now)
    has_comments = account.platform != "tiktok"  # its API gives no comments
    return {
        "is_deleted": account.is_gone(now),
        "is_private": account.is_private,
        "profile": {
            "account_id": account.id,
            "username": account.username,
            "name": account.name,
            "about": account.about,
            "followers": _shown_followers(account, now),
            "following": account.following if account.platform in _HAS_FOLLOWING else None,
            "posts": None if account.platform == "facebook" else len(world.posts(account, now)),
        },
        "posts": [_post(world, post, now) for post in posts],
        "comments": [
            _comment(comment, world.gone_at(comment), now)
            for post in posts
            for comment in (world.all_comments(post) if has_comments else ())
            if comment.published <= now and comment.published < world.gone_at(comment)
        ],
        "audience": dict(audience_of(account, int(now // DAY)))
        if account.platform == "instagram"
        else {},
    }


_HAS_FOLLOWING = ("instagram", "x", "tiktok")


def _shown_followers(account: SimulatedAccount, now: float) -> int | None:
    if account.hides_followers:
        return None
    followers = account.followers(now)
    return rounded(followers) if account.platform == "youtube" else followers


def rounded(number: int) -> int:
    """Round down to three significant figures, as YouTube does with subscribers."""
    step = 10 ** max(0, len(str(number)) - 3)
    return int(number // step * step)


def _post(world: SimulatedWorld, post: SimulatedPost, now: float) -> JsonObject:
    at = now if post.deleted_at is None else min(now, post.deleted_at - 1)
    counters = world.counters(post, at)
    comments = world.count_comments(post, at)
    platform = post.account.platform
    hides_likes = post.is_hiding_likes and platform in ("instagram", "youtube")
    return {
        "post_id": post.id,
        "published_at": zulu(post.published),
        "deleted_at": _or_none(post.deleted_at, now),
        "kind": post.kind,
        "text": post.text,
        "counters": {
            "likes": None if hides_likes else counters.likes,
            "comments": None if post.has_comments_off and platform == "youtube" else comments,
            "shares": _shown_shares(platform, counters.shares),
            "views": None if platform in ("instagram", "facebook") else counters.views,
        },
        "insights": {
            "views": counters.views,
            "reach": counters.reach,
            "saves": counters.saves,
            "shares": counters.shares,
        }
        if platform in ("instagram", "facebook")
        else {},
    }


def _shown_shares(platform: str, shares: int) -> int | None:
    """Return the shares as the platform shows them: Facebook leaves out 0."""
    if platform in ("instagram", "youtube"):
        return None
    return shares or None if platform == "facebook" else shares


def _comment(comment: SimulatedComment, gone_at: float, now: float) -> JsonObject:
    return {
        "comment_id": comment.id,
        "post_id": comment.post.id,
        "parent_id": comment.parent,
        "author": comment.author,
        "text": comment.text,
        "published_at": zulu(comment.published),
        "deleted_at": _or_none(gone_at, now),
    }


def _or_none(at: float | None, now: float) -> str | None:
    return zulu(at) if at is not None and at <= now else None
