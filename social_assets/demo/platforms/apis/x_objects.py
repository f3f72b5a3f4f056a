"""Users and posts as X writes them.

Belongs here: fields, both spellings. Paths, pages and errors belong to `x`.
"""

from __future__ import annotations

from typing import Literal

from social_assets.demo.platforms.apis.answers import JsonObject
from social_assets.demo.platforms.world.accounts import SimulatedAccount
from social_assets.demo.platforms.world.clock import zulu_milliseconds
from social_assets.demo.platforms.world.comments import SimulatedComment
from social_assets.demo.platforms.world.posts import SimulatedPost
from social_assets.demo.platforms.world.world import SimulatedWorld

Spelling = Literal["tweet", "post"]


def user_object(
    world: SimulatedWorld,
    account: SimulatedAccount,
    fields: frozenset[str],
    spelling: Spelling,
    now: float,
) -> JsonObject:
    """Return a user with the fields asked for."""
    whole = {
        "created_at": zulu_milliseconds(account.created),
        "description": account.about,
        "location": account.country,
        "profile_image_url": f"https://example.invalid/x/{account.id}.jpg",
        "protected": account.is_private,
        "url": f"https://t.co/{account.number}",
        "verified": account.is_verified,
        "verified_type": "blue" if account.is_verified else "none",
    }
    if "public_metrics" in fields:
        posts = world.posts(account, now)
        whole["public_metrics"] = {
            "followers_count": account.followers(now),
            "following_count": account.following,
            f"{spelling}_count": len(posts),
            "listed_count": account.number % 9,
            "like_count": account.following * 3,
            "media_count": len(posts) // 8,
        }
    given = {name: value for name, value in whole.items() if name in fields}
    return {"id": account.id, "name": account.name, "username": account.username} | given


def tweet_object(
    world: SimulatedWorld,
    post: SimulatedPost,
    fields: frozenset[str],
    spelling: Spelling,
    now: float,
) -> JsonObject:
    """Return a post with the fields asked for."""
    is_repost = post.kind == "retweeted"
    counters = world.counters(post, now)
    metrics = {
        "retweet_count": counters.shares,
        "reply_count": world.count_comments(post, now),
        "like_count": counters.likes,
        "quote_count": counters.quotes,
        "bookmark_count": counters.saves,
        "impression_count": counters.views,
    }
    whole = _common(post.account.id, post.id, post.published) | {"public_metrics": metrics}
    if is_repost or post.kind == "quoted":
        whole["referenced_tweets"] = [
            {"type": post.kind, "id": str(int(post.id) - (86_400_000 << 22))}
        ]
    text = f"RT @birch: {post.text}" if is_repost else post.text or ""
    return _spelled({"id": post.id, "text": text}, whole, fields, spelling)


def reply_object(
    comment: SimulatedComment, fields: frozenset[str], spelling: Spelling, now: float
) -> JsonObject:
    """Return a reply with the fields asked for."""
    metrics = {
        "retweet_count": 0,
        "reply_count": 0,
        "like_count": comment.likes_at(now),
        "quote_count": 0,
        "bookmark_count": 0,
        "impression_count": comment.likes_at(now) * 9,
    }
    whole = _common(comment.author_id, comment.post.id, comment.published)
    whole |= {
        "public_metrics": metrics,
        "in_reply_to_user_id": comment.post.account.id,
        "referenced_tweets": [{"type": "replied_to", "id": comment.parent or comment.post.id}],
    }
    return _spelled({"id": comment.id, "text": comment.text}, whole, fields, spelling)


def _common(author: str, conversation: str, published: int) -> JsonObject:
    return {
        "author_id": author,
        "conversation_id": conversation,
        "created_at": zulu_milliseconds(published),
        "lang": "en",
        "possibly_sensitive": False,
        "reply_settings": "everyone",
    }


_NEW_NAMES = {"referenced_tweets": "referenced_posts", "referenced_posts": "referenced_posts"}


def _spelled(
    base: JsonObject, whole: JsonObject, fields: frozenset[str], spelling: Spelling
) -> JsonObject:
    history = "edit_history_tweet_ids" if spelling == "tweet" else "edit_history_post_ids"
    base[history] = [base["id"]]
    if spelling == "post":
        whole = {_NEW_NAMES.get(name, name): value for name, value in whole.items()}
        metrics = whole["public_metrics"]
        whole["public_metrics"] = {"repost_count": metrics.pop("retweet_count"), **metrics}
    return base | {name: value for name, value in whole.items() if name in fields}
